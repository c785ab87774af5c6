/*
 * Do handshakes keep the others waiting? Fifty full ones are always under way, both ends in one OS thread, while a
 * green thread sleeps a millisecond at a time and notes how late it is. The hub and the pool of OS threads have a core
 * each, where there are two. green_tls_latency MILLISECONDS [rsa]; rsa: the server's key is RSA's, of 2048 bits.
 */
#include "bench.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <green/net.h>
#include <green/tls.h>
#include <green/tpool.h>

#define UNDER_WAY 50
#define POOL 4
#define MOST 200000

static green_tls_context *client_context, *server_context;
static double late[MOST];
static long n_late, handshakes;
static int stop;

static void
pin(int core)
{
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET((size_t)core, &set);
        (void)sched_setaffinity(0, sizeof set, &set);
}

static void *
take_a_while(void *arg)
{
        usleep(50000);
        return arg;
}

static void *
start_one(void *arg)
{
        (void)arg;
        bench_check(green_tpool_execute(take_a_while, NULL, NULL, NULL) == 0, "tpool");
        return NULL;
}

/* Threads of the pool stay where the one that starts them is. */
static void
start_pool(void)
{
        green_thread *gt[POOL];

        bench_check(green_tpool_set_num_threads(POOL) == 0, "set_num_threads");
        for (int i = 0; i < POOL; i++)
                gt[i] = green_spawn(start_one, NULL);
        for (int i = 0; i < POOL; i++) {
                bench_check(green_thread_wait(gt[i], NULL) == 0, "wait");
                green_thread_unref(gt[i]);
        }
}

static void *
serve(void *arg)
{
        bench_check(green_tls_handshake(arg) == 0, "the server's handshake");
        return NULL;
}

static void *
shake_hands(void *arg)
{
        struct green_wrap_ssl_opts c = {.size = sizeof c, .context = client_context, .server_hostname = "localhost"};
        struct green_wrap_ssl_opts s = {
                .size = sizeof s, .context = server_context, .server_side = true, .no_handshake_on_connect = true};

        while (!stop) {
                green_socket *pair[2];
                green_thread *gt;

                bench_check(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
                bench_check(green_wrap_ssl(pair[1], &s) != NULL, "wrap");
                gt = green_spawn(serve, pair[1]);
                bench_check(green_wrap_ssl(pair[0], &c) != NULL, "the client's handshake");
                bench_check(green_thread_wait(gt, NULL) == 0, "wait");
                green_thread_unref(gt);
                green_socket_free(pair[0]);
                green_socket_free(pair[1]);
                handshakes++;
        }
        return arg;
}

static int
by_size(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
        double seconds = (double)bench_count(argc, argv, 1, 3000) / 1e3, begin, until;
        struct green_tls_opts c = {.size = sizeof c, .ca_file = TLS_CERTS "/ca.pem", .handshake_timeout = 60};
        struct green_tls_opts s = {.size = sizeof s, .cert_file = TLS_CERTS "/both.pem", .handshake_timeout = 60};
        struct green_tls_opts rsa = {.size = sizeof rsa,
                                     .cert_file = TLS_CERTS "/rsa.pem",
                                     .key_file = TLS_CERTS "/rsa.key",
                                     .handshake_timeout = 60};
        green_thread *gt[UNDER_WAY];
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        client_context = green_tls_context_new(&c);
        server_context = green_tls_context_new(argc > 2 && strcmp(argv[2], "rsa") == 0 ? &rsa : &s);
        bench_check(client_context != NULL && server_context != NULL, "contexts");
        if (cores > 1)
                pin((int)cores - 2);
        start_pool();
        if (cores > 1)
                pin((int)cores - 1);
        for (int i = 0; i < UNDER_WAY; i++)
                gt[i] = green_spawn(shake_hands, NULL);
        begin = bench_now();
        until = begin + seconds;
        while (n_late < MOST && bench_now() < until) {
                double t = bench_now();

                green_sleep(0.001);
                late[n_late++] = bench_now() - t - 0.001;
        }
        bench_print("tls_handshakes", "handshakes/s", (double)handshakes / (bench_now() - begin));
        stop = 1;
        for (int i = 0; i < UNDER_WAY; i++) {
                bench_check(green_thread_wait(gt[i], NULL) == 0, "wait");
                green_thread_unref(gt[i]);
        }
        qsort(late, (size_t)n_late, sizeof *late, by_size);
        bench_print("tls_late_median", "us", late[n_late / 2] * 1e6);
        bench_print("tls_late_999", "us", late[n_late * 999 / 1000] * 1e6);
        bench_print("tls_late_most", "us", late[n_late - 1] * 1e6);
        return 0;
}
