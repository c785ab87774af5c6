/*
 * The load of the TLS benchmarks: starts a server, and measures it by its CPU time: full and resumed handshakes, memory
 * of idle connections, and messages of 64 bytes on connections that stay. tls_load [-r] MILLISECONDS SERVER-CORE
 * LOAD-CORE SERVER [ARGUMENT...]
 *
 * -r: only the memory, of a server that keeps as little as it can of a connection at rest.
 */
#include "bench_mbedtls.h"

#include "bench_load.h"

#define MESSAGE 64
#define LIVE 50
#define IDLE 400

static mbedtls_ssl_config conf;
static int port;

struct conn {
        int fd;
        mbedtls_ssl_context ssl;
};

static void
open_conn(struct conn *c, const mbedtls_ssl_session *session)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int one = 1;

        addr.sin_port = htons((uint16_t)port);
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bench_check(c->fd >= 0 && connect(c->fd, (struct sockaddr *)&addr, sizeof addr) == 0, "connect");
        setsockopt(c->fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
        mbedtls_ssl_init(&c->ssl);
        bench_check(mbedtls_ssl_setup(&c->ssl, &conf) == 0, "setup");
        mbedtls_ssl_set_bio(&c->ssl, &c->fd, bench_bio_send, bench_bio_recv, NULL);
        bench_check(session == NULL || mbedtls_ssl_set_session(&c->ssl, session) == 0, "set_session");
        bench_check(mbedtls_ssl_handshake(&c->ssl) == 0, "the handshake");
}

static void
say(struct conn *c)
{
        unsigned char message[MESSAGE] = {'x'};

        bench_check(mbedtls_ssl_write(&c->ssl, message, MESSAGE) == MESSAGE, "write");
}

static void
hear(struct conn *c)
{
        unsigned char message[MESSAGE];

        bench_check(mbedtls_ssl_read(&c->ssl, message, MESSAGE) == MESSAGE, "the echo");
}

static void
close_conn(struct conn *c)
{
        mbedtls_ssl_free(&c->ssl);
        close(c->fd);
}

/* Bytes that a process has in memory. */
static double
resident(pid_t pid)
{
        char name[64];
        long pages = 0, size;
        FILE *f;

        snprintf(name, sizeof name, "/proc/%d/statm", (int)pid);
        f = fopen(name, "r");
        bench_check(f != NULL && fscanf(f, "%ld %ld", &size, &pages) == 2, "statm");
        fclose(f);
        return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void
measure_handshakes(const char *name, double seconds, clockid_t clock, const mbedtls_ssl_session *session)
{
        double until = bench_now() + seconds, cpu = bench_clock(clock);
        long n = 0;

        do {
                struct conn c;

                open_conn(&c, session);
                say(&c);
                hear(&c);
                close_conn(&c);
                n++;
        } while (bench_now() < until);
        bench_print(name, "us", (bench_clock(clock) - cpu) * 1e6 / (double)n);
}

/* What each of so many connections leaves with the server when it has nothing to say any more. */
static void
measure_idle(const char *name, struct conn *conns, int n, pid_t pid)
{
        double before = resident(pid);

        for (int i = 0; i < n; i++) {
                open_conn(&conns[i], NULL);
                say(&conns[i]);
                hear(&conns[i]);
        }
        bench_print(name, "bytes", (resident(pid) - before) / n);
}

int
main(int argc, char **argv)
{
        int resting = argc > 1 && strcmp(argv[1], "-r") == 0;
        double seconds, wall, server, load, until;
        struct conn *conns = calloc(IDLE, sizeof *conns);
        mbedtls_ssl_session session;
        clockid_t clock;
        long done = 0;
        pid_t pid;
        int idle;

        argc -= resting;
        argv += resting;
        if (argc < 5)
                return fprintf(stderr, "usage: %s [-r] MS SERVER-CORE LOAD-CORE SERVER...\n", argv[0]), 2;
        seconds = (double)bench_count(argc, argv, 1, 1000) / 1e3;
        idle = seconds < 0.5 ? 20 : IDLE;
        bench_tls_defaults(&conf, MBEDTLS_SSL_IS_CLIENT);
        mbedtls_ssl_conf_authmode(&conf, MBEDTLS_SSL_VERIFY_NONE);
        mbedtls_ssl_session_init(&session);
        bench_check(conns != NULL, "calloc");
        bench_raise_descriptor_limit();
        pid = bench_start_server(atoi(argv[2]), argv + 4, &port, &clock);
        bench_pin(atoi(argv[3]));

        open_conn(&conns[0], NULL);
        bench_check(mbedtls_ssl_get_session(&conns[0].ssl, &session) == 0, "get_session");
        close_conn(&conns[0]);
        measure_idle(resting ? "tls_resting" : "tls_idle", conns, idle, pid);
        if (resting) {
                bench_stop_server(pid);
                return 0;
        }
        measure_handshakes("tls_full", seconds / 3, clock, NULL);
        measure_handshakes("tls_resumed", seconds / 3, clock, &session);

        wall = bench_now();
        until = wall + seconds;
        server = bench_clock(clock);
        load = bench_cpu();
        do {
                for (int i = 0; i < LIVE && i < idle; i++)
                        say(&conns[i]);
                for (int i = 0; i < LIVE && i < idle; i++, done++)
                        hear(&conns[i]);
        } while (bench_now() < until);
        wall = bench_now() - wall;
        bench_report_load("tls", done, wall, bench_clock(clock) - server, bench_cpu() - load);
        bench_stop_server(pid);
        return 0;
}
