/*
 * HTTPS by several OS threads: who shakes hands, sessions that one gives and another takes up, a certificate that is renewed
 * for all, and the end.
 */
#include "net_tls.h"
#include "web_suite.h"

#include <pthread.h>

enum { CLIENTS = 16, ROUNDS = 5 };

/* Answers with a letter for the OS thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t seen[4];
static int threads_seen;

static int
which_thread(green_wsgi_request *req, void *arg)
{
        char answer[] = "thread ?!";
        int i = 0;

        (void)arg;
        pthread_mutex_lock(&lock);
        while (i < threads_seen && !pthread_equal(seen[i], pthread_self()))
                i++;
        if (i == threads_seen && i < 3)
                seen[threads_seen++] = pthread_self();
        pthread_mutex_unlock(&lock);
        answer[7] = (char)('a' + i);
        return green_wsgi_respond(req, 200, "text/plain", answer, sizeof answer - 1);
}

static void
begin(struct server *s, green_tls_context *context)
{
        struct green_wrap_ssl_opts o = {.size = sizeof o, .context = context};

        threads_seen = 0;
        s->listener = listen_here(s->address);
        CHECK(green_wrap_ssl(s->listener, &o) == s->listener);
        s->app = which_thread;
        s->opts.size = sizeof s->opts;
        s->opts.workers = 2;
        s->opts.no_log_output = true;
        s->thread = green_spawn(server_main, s);
        green_sleep(0);
}

static struct tls_end
connect_with(const struct server *s, green_tls_context *context, green_tls_session *session)
{
        struct tls_end e = {.s = client_of(s), .context = context, .name = "localhost", .session = session};

        wrap_end(&e);
        if (!CHECK_INT(e.rc, 0))
                FAIL("%s", e.why);
        return e;
}

/* The OS thread that answers: 0 or 1. */
static int
thread_of(green_socket *c)
{
        const char *answer;

        say(c, GET);
        answer = strstr(until(c, "!"), "\r\n\r\nthread ");
        return CHECK(answer != NULL) ? answer[11] - 'a' : 2;
}

/* ---- who is served by whom */

static void
both_shake_hands_and_serve(void)
{
        green_tls_context *server, *client;
        struct green_wsgi_stats stats;
        struct server s = {.opts.stats = &stats};
        struct tls_end c[CLIENTS];
        int thread[CLIENTS], answers[3] = {0};

        if (!has_tls())
                return;
        server = server_context("ec");
        client = client_context();
        begin(&s, server);
        green_tls_context_unref(server);
        for (int i = 0; i < CLIENTS; i++) {
                c[i] = connect_with(&s, client, NULL);
                thread[i] = thread_of(c[i].s);
        }
        /* A connection that is kept stays with whom it was accepted by. */
        for (int round = 0; round < ROUNDS; round++)
                for (int i = 0; i < CLIENTS; i++) {
                        CHECK_INT(thread_of(c[i].s), thread[i]);
                        answers[thread[i]]++;
                }
        CHECK_INT(threads_seen, 2);
        CHECK_INT(answers[0] + answers[1], ROUNDS * CLIENTS);
        CHECK_RANGE(answers[0], 0.25 * ROUNDS * CLIENTS, 0.75 * ROUNDS * CLIENTS);
        for (int i = 0; i < CLIENTS; i++)
                CHECK_INT(green_socket_free(c[i].s), 0);
        green_tls_context_unref(client);
        stop(&s);
        CHECK_INT(stats.accepted, CLIENTS);
        CHECK_INT(stats.requests, (ROUNDS + 1) * CLIENTS);
        CHECK_INT(stats.failed, 0);
        CHECK_INT(stats.connections, 0);
}

static void
a_session_is_taken_up_by_whoever_accepts(void)
{
        green_tls_context *server, *client;
        struct server s = {.opts.size = 0};
        green_tls_session *session = NULL;
        struct tls_end c[CLIENTS];
        bool by[3] = {false};

        if (!has_tls())
                return;
        server = server_context("ec");
        client = client_context();
        begin(&s, server);
        green_tls_context_unref(server);
        for (int i = 0; i < CLIENTS; i++) {
                c[i] = connect_with(&s, client, session);
                by[thread_of(c[i].s)] = true;
                CHECK_INT(green_tls_resumed(c[i].s), i > 0);
                if (i == 0)
                        CHECK((session = green_tls_session_get(c[i].s)) != NULL);
        }
        CHECK(by[0] && by[1]);
        for (int i = 0; i < CLIENTS; i++)
                CHECK_INT(green_socket_free(c[i].s), 0);
        green_tls_session_unref(session);
        green_tls_context_unref(client);
        stop(&s);
}

/* ---- a certificate that is renewed */

static void
copy_file(const char *from, const char *to)
{
        FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
        char bytes[8192];
        size_t n = in == NULL ? 0 : fread(bytes, 1, sizeof bytes, in);

        if (CHECK(n > 0 && n < sizeof bytes && out != NULL))
                CHECK_INT(fwrite(bytes, 1, n, out), n);
        if (in != NULL)
                fclose(in);
        if (out != NULL)
                CHECK_INT(fclose(out), 0);
}

/* By whom, and under which certificate. */
static int
serial_at(const struct server *s, green_tls_context *client, struct tls_end *ret_end, char serial[64])
{
        struct green_tls_cert *cert;
        int thread;

        *ret_end = connect_with(s, client, NULL);
        thread = thread_of(ret_end->s);
        cert = green_tls_peer_cert(ret_end->s);
        snprintf(serial, 64, "%s", CHECK(cert != NULL) ? cert->serial : "");
        green_free(cert);
        return thread;
}

static void
a_renewed_certificate_is_shown_by_all(void)
{
        char folder[] = "green-tls-XXXXXX", cert[64], key[64], old[64], serial[64];
        struct green_tls_opts o = {.size = sizeof o, .cert_file = cert, .key_file = key};
        green_tls_context *server, *client;
        struct server s = {.opts.size = 0};
        struct tls_end before, c[CLIENTS];
        bool by[3] = {false};

        if (!has_tls())
                return;
        CHECK(mkdtemp(folder) != NULL);
        snprintf(cert, sizeof cert, "%s/cert", folder);
        snprintf(key, sizeof key, "%s/key", folder);
        copy_file(CERT("ec"), cert);
        copy_file(KEY("ec"), key);
        server = green_tls_context_new(&o);
        CHECK(server != NULL);
        client = client_context();
        begin(&s, server);
        (void)serial_at(&s, client, &before, old);
        copy_file(CERT("rsa"), cert);
        copy_file(KEY("rsa"), key);
        CHECK_INT(green_tls_context_reload(server), 0);
        for (int i = 0; i < CLIENTS; i++) {
                by[serial_at(&s, client, &c[i], serial)] = true;
                CHECK(strcmp(serial, old) != 0);
        }
        CHECK(by[0] && by[1]);
        /* Who was there goes on. */
        CHECK_RANGE(thread_of(before.s), 0, 1);
        CHECK_INT(green_socket_free(before.s), 0);
        for (int i = 0; i < CLIENTS; i++)
                CHECK_INT(green_socket_free(c[i].s), 0);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        stop(&s);
        CHECK_INT(unlink(cert), 0);
        CHECK_INT(unlink(key), 0);
        CHECK_INT(rmdir(folder), 0);
}

/* ---- the end */

static void
all_say_goodbye_at_the_end(void)
{
        green_tls_context *server, *client;
        struct server s = {.opts.size = 0};
        struct tls_end c[CLIENTS];
        green_socket *half[4];

        if (!has_tls())
                return;
        server = server_context("ec");
        client = client_context();
        begin(&s, server);
        green_tls_context_unref(server);
        /* Some have said nothing, or not enough for a handshake. */
        for (int i = 0; i < 4; i++) {
                half[i] = client_of(&s);
                if (i % 2 != 0)
                        say(half[i], "\x16\x03\x01\x02");
        }
        for (int i = 0; i < CLIENTS; i++) {
                c[i] = connect_with(&s, client, NULL);
                (void)thread_of(c[i].s);
        }
        stop(&s);
        for (int i = 0; i < CLIENTS; i++) {
                CHECK_STR(all_of(c[i].s), ""); /* with a goodbye: otherwise it is an error */
                CHECK_INT(green_socket_free(c[i].s), 0);
        }
        for (int i = 0; i < 4; i++)
                CHECK_INT(green_socket_free(half[i]), 0);
        green_tls_context_unref(client);
}

GREEN_SUITE(web_workers_tls) {
        GREEN_TEST(both_shake_hands_and_serve),
        GREEN_TEST(a_session_is_taken_up_by_whoever_accepts),
        GREEN_TEST(a_renewed_certificate_is_shown_by_all),
        GREEN_TEST(all_say_goodbye_at_the_end),
        GREEN_SUITE_END
};
