/*
 * net/tls*.c: the system's bundle of trusted certificates, which takes long to read: when it is read, where, and how
 * often. The bundle is a file of these tests, since open() is.
 */
#include "net_tls.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <green/tpool.h>

/* What the bundle is, and what became of it. */
static struct {
        const char *path;
        atomic_int opened;       /* so many times, */
        atomic_bool by_main;     /* the last time by the hub's OS thread; */
        atomic_bool held, at_it; /* who opens it waits, unless he is that, */
        sem_t go;                /* until this is posted */
} bundle;

static bool
is_bundle(const char *path)
{
        size_t len = strlen(path);

        return strncmp(path, TLS_CERTS, strlen(TLS_CERTS)) != 0 && len > 4 &&
               (strcmp(path + len - 4, ".crt") == 0 || strcmp(path + len - 4, ".pem") == 0);
}

int
open(const char *path, int flags, ...)
{
        mode_t mode = 0;
        va_list args;

        va_start(args, flags);
        if ((flags & O_CREAT) != 0)
                mode = (mode_t)va_arg(args, int);
        va_end(args);
        if (bundle.path != NULL && is_bundle(path)) {
                bool is_main = syscall(SYS_gettid) == getpid();

                path = bundle.path;
                bundle.opened++;
                bundle.by_main = is_main;
                bundle.at_it = true;
                while (!is_main && bundle.held && sem_wait(&bundle.go) != 0) {
                }
        }
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int
access(const char *path, int how)
{
        if (bundle.path != NULL && is_bundle(path))
                return 0;
        return (int)syscall(SYS_faccessat, AT_FDCWD, path, how);
}

static bool
begin(const char *path)
{
        if (!has_tls())
                return false;
        bundle.path = path;
        bundle.opened = 0;
        bundle.by_main = bundle.held = bundle.at_it = false;
        CHECK_INT(sem_init(&bundle.go, 0, 0), 0);
        return true;
}

static void
end(void)
{
        CHECK_INT(sem_destroy(&bundle.go), 0);
        bundle.path = NULL;
}

/* From now on who reads the bundle is kept at it. */
static void
hold(void)
{
        bundle.held = true;
        bundle.at_it = false;
}

static void
let_go(void)
{
        bundle.held = false;
        CHECK_INT(sem_post(&bundle.go), 0);
}

/* Others run while the bundle is read, or else this would not return. */
static void
wait_until_it_is_read(void)
{
        while (!bundle.at_it)
                green_sleep(0.001);
}

/* Both ends, each in a green thread of its own. */
struct shaking {
        struct tls_pair pair;
        green_thread *client, *server;
};

static struct shaking *
start_shaking(green_tls_context *client, green_tls_context *server)
{
        struct shaking *s = calloc(1, sizeof *s);
        struct pair tcp = tcp_pair();

        s->pair.client = (struct tls_end){.s = tcp.a, .context = client, .name = "localhost"};
        s->pair.server = (struct tls_end){.s = tcp.b, .context = server, .server = true};
        s->client = green_spawn(wrap_end, &s->pair.client);
        s->server = green_spawn(wrap_end, &s->pair.server);
        return s;
}

/* The client's code. */
static int
end_shaking(struct shaking *s)
{
        int rc;

        rc = green_thread_wait(s->client, NULL);
        CHECK(rc == 0 || rc == GREEN_EKILLED);
        rc = s->pair.client.rc;
        if (rc != 0)
                (void)!green_socket_close(s->pair.client.s);
        CHECK_INT(green_thread_wait(s->server, NULL), 0);
        CHECK_INT(s->pair.server.rc == 0, rc == 0);
        green_thread_unref(s->client);
        green_thread_unref(s->server);
        free_tls_pair(&s->pair);
        free(s);
        return rc;
}

static green_tls_context *
trusting_context(void)
{
        green_tls_context *context = green_tls_context_new(NULL);

        CHECK(context != NULL);
        return context;
}

/* ---- */

static void
the_bundle_is_read_once_in_the_pool_while_others_run(void)
{
        green_tls_context *client, *server;
        struct shaking *one, *two;

        if (!begin(CERT("ca")))
                return;
        client = trusting_context();
        server = server_context("ec");
        CHECK_INT(bundle.opened, 0);
        hold();
        one = start_shaking(client, server);
        two = start_shaking(client, server);
        wait_until_it_is_read();
        CHECK(!bundle.by_main);
        /* Neither goes on without it. */
        for (int i = 0; i < 20; i++)
                green_sleep(0);
        CHECK(!green_thread_dead(one->client) && !green_thread_dead(two->client));
        let_go();
        CHECK_INT(end_shaking(one), 0);
        CHECK_INT(end_shaking(two), 0);
        CHECK_INT(end_shaking(start_shaking(client, server)), 0);
        CHECK_INT(bundle.opened, 1);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        end();
}

static void
servers_do_not_read_it(void)
{
        green_tls_context *client, *server;

        if (!begin(CERT("ca")))
                return;
        client = client_context();
        server = server_context("ec");
        CHECK_INT(end_shaking(start_shaking(client, server)), 0);
        CHECK_INT(bundle.opened, 0);
        /* As a client, the same context does. */
        CHECK_INT(end_shaking(start_shaking(server, server)), 0);
        CHECK_INT(bundle.opened, 1);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        end();
}

/* A client that has a certificate of tests/certs/ca. */
static green_tls_context *
known_client(void)
{
        struct green_tls_opts o = {
                .size = sizeof o, .ca_file = CERT("ca"), .cert_file = CERT("client"), .key_file = KEY("client")};
        green_tls_context *context = green_tls_context_new(&o);

        CHECK(context != NULL);
        return context;
}

/* A server that trusts whom the system trusts. */
static green_tls_context *
demanding_server(void)
{
        struct green_tls_opts o = {
                .size = sizeof o, .cert_file = CERT("ec"), .key_file = KEY("ec"), .verify = GREEN_TLS_VERIFY_REQUIRED};
        green_tls_context *context = green_tls_context_new(&o);

        CHECK(context != NULL);
        return context;
}

static void
servers_that_verify_their_clients_by_it_read_it_in_the_pool(void)
{
        green_tls_context *client, *server;
        struct shaking *one, *two;

        if (!begin(CERT("ca")))
                return;
        client = known_client();
        server = demanding_server();
        CHECK_INT(bundle.opened, 0);
        hold();
        one = start_shaking(client, server);
        two = start_shaking(client, server);
        wait_until_it_is_read();
        CHECK(!bundle.by_main);
        for (int i = 0; i < 20; i++)
                green_sleep(0);
        CHECK(!green_thread_dead(one->server) && !green_thread_dead(two->server));
        let_go();
        CHECK_INT(end_shaking(one), 0);
        CHECK_INT(end_shaking(two), 0);
        CHECK_INT(bundle.opened, 1);
        /* And anew, also not by who asks for it. */
        CHECK_INT(green_tls_context_reload(server), 0);
        CHECK_INT(bundle.opened, 1);
        CHECK_INT(end_shaking(start_shaking(client, server)), 0);
        CHECK_INT(bundle.opened, 2);
        CHECK(!bundle.by_main);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        end();
}

static void
what_is_wrong_with_a_server_s_own_files_is_told_at_once(void)
{
        struct green_tls_opts o = {.size = sizeof o,
                                   .cert_file = CERT("ec"),
                                   .key_file = KEY("other"),
                                   .verify = GREEN_TLS_VERIFY_REQUIRED};

        if (!begin(CERT("ca")))
                return;
        CHECK(green_tls_context_new(&o) == NULL);
        CHECK_INT(errno, -GREEN_ETLSFILE);
        CHECK_INT(bundle.opened, 0);
        end();
}

static green_tls_context *
give(const char *name, void *arg)
{
        (void)name;
        return arg;
}

/* The server's code, of one whose context for the client's name verifies by the bundle, and its own nobody at all. */
static int
chosen_server_says(green_tls_context *chosen)
{
        struct green_tls_opts o = {.size = sizeof o, .cert_file = CERT("both"), .sni_fn = give, .sni_arg = chosen};
        struct tls_pair p = {.client.name = "localhost"};

        shake_hands_once(&p, known_client(), green_tls_context_new(&o));
        free_tls_pair(&p);
        return p.server.rc;
}

static void
a_chosen_context_without_it_believes_nobody(void)
{
        green_tls_context *chosen;

        if (!begin(KEY("ec")))
                return;
        chosen = demanding_server();
        log_text[0] = '\0';
        CHECK_INT(chosen_server_says(chosen), GREEN_ETLSVERIFY);
        CHECK(logged("no client's certificate is believed"));
        bundle.path = CERT("ca");
        CHECK_INT(chosen_server_says(chosen), 0);
        green_tls_context_unref(chosen);
        end();
}

static void
who_is_killed_while_it_is_read_leaves_it_to_the_others(void)
{
        green_tls_context *client, *server;
        struct shaking *one, *two;

        if (!begin(CERT("ca")))
                return;
        client = trusting_context();
        server = server_context("ec");
        hold();
        one = start_shaking(client, server);
        two = start_shaking(client, server);
        wait_until_it_is_read();
        CHECK_INT(green_kill(one->client, 0), 0);
        for (int i = 0; i < 20; i++)
                green_sleep(0);
        let_go();
        CHECK_INT(end_shaking(one), GREEN_EKILLED);
        CHECK_INT(end_shaking(two), 0);
        CHECK_INT(bundle.opened, 1);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        end();
}

static void
the_time_of_the_handshake_counts(void)
{
        struct green_tls_opts o = {.size = sizeof o, .handshake_timeout = 0.001};
        green_tls_context *client, *server;
        struct shaking *s;
        struct timespec from, now;

        if (!begin(CERT("ca")))
                return;
        client = green_tls_context_new(&o);
        server = server_context("ec");
        hold();
        s = start_shaking(client, server);
        wait_until_it_is_read();
        clock_gettime(CLOCK_MONOTONIC, &from);
        do {
                green_sleep(0.001);
                clock_gettime(CLOCK_MONOTONIC, &now);
        } while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < 2000000);
        let_go();
        CHECK_INT(end_shaking(s), -ETIMEDOUT);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        end();
}

static void
without_a_pool_it_is_read_in_place(void)
{
        green_tls_context *client, *server;

        if (!begin(CERT("ca")))
                return;
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
        CHECK_INT(green_tpool_set_num_threads(0), 0);
        client = trusting_context();
        server = server_context("ec");
        CHECK_INT(end_shaking(start_shaking(client, server)), 0);
        CHECK_INT(bundle.opened, 1);
        CHECK(bundle.by_main);
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
        CHECK_INT(green_tpool_set_num_threads(GREEN_TPOOL_THREADS), 0);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        end();
}

static void
a_call_that_must_not_wait_reads_it_in_place(void)
{
        struct tls_end e = {.name = "localhost", .lazy = true};
        struct pair p;
        char byte;

        if (!begin(CERT("ca")))
                return;
        p = tcp_pair();
        e.s = p.a;
        e.context = trusting_context();
        wrap_end(&e);
        CHECK_INT(bundle.opened, 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(bundle.opened, 1);
        CHECK(bundle.by_main);
        green_tls_context_unref(e.context);
        free_pair(p);
        end();
}

static void
one_that_cannot_be_read_is_told_and_tried_again(void)
{
        green_tls_context *client, *server;
        struct shaking *s;

        if (!begin(KEY("ec")))
                return;
        client = trusting_context();
        server = server_context("ec");
        s = start_shaking(client, server);
        CHECK_INT(green_thread_wait(s->client, NULL), 0);
        if (!CHECK(strncmp(s->pair.client.why, "TLS: ", 5) == 0 && strstr(s->pair.client.why, "trusted") != NULL))
                FAIL("%s", s->pair.client.why);
        CHECK_INT(end_shaking(s), GREEN_ETLSFILE);
        bundle.path = CERT("ca");
        CHECK_INT(end_shaking(start_shaking(client, server)), 0);
        CHECK_INT(bundle.opened, 2);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        end();
}

static void
it_is_read_anew_where_that_is_asked_for(void)
{
        green_tls_context *client, *server, *other;

        if (!begin(CERT("ca")))
                return;
        client = trusting_context();
        server = server_context("ec");
        other = server_context("untrusted");
        CHECK_INT(end_shaking(start_shaking(client, server)), 0);
        bundle.path = CERT("ca2");
        CHECK_INT(end_shaking(start_shaking(client, server)), 0);
        CHECK_INT(green_tls_context_reload(client), 0);
        CHECK_INT(end_shaking(start_shaking(client, server)), GREEN_ETLSVERIFY);
        CHECK_INT(end_shaking(start_shaking(client, other)), 0);
        CHECK_INT(bundle.opened, 2);
        /* What cannot be read changes nothing. */
        bundle.path = KEY("ec");
        CHECK_INT(green_tls_context_reload(client), 0);
        log_text[0] = '\0';
        CHECK_INT(end_shaking(start_shaking(client, other)), 0);
        CHECK(logged("what was read before is used"));
        CHECK_INT(end_shaking(start_shaking(client, other)), 0);
        CHECK_INT(bundle.opened, 3);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        green_tls_context_unref(other);
        end();
}

GREEN_SUITE(net_tls_trust){GREEN_TEST(the_bundle_is_read_once_in_the_pool_while_others_run),
                           GREEN_TEST(servers_do_not_read_it),
                           GREEN_TEST(servers_that_verify_their_clients_by_it_read_it_in_the_pool),
                           GREEN_TEST(what_is_wrong_with_a_server_s_own_files_is_told_at_once),
                           GREEN_TEST(a_chosen_context_without_it_believes_nobody),
                           GREEN_TEST(who_is_killed_while_it_is_read_leaves_it_to_the_others),
                           GREEN_TEST(the_time_of_the_handshake_counts),
                           GREEN_TEST(without_a_pool_it_is_read_in_place),
                           GREEN_TEST(a_call_that_must_not_wait_reads_it_in_place),
                           GREEN_TEST(one_that_cannot_be_read_is_told_and_tried_again),
                           GREEN_TEST(it_is_read_anew_where_that_is_asked_for),
                           GREEN_SUITE_END};
