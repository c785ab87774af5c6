/*
 * The HTTP client while it sends: servers that take nothing more, or take it slowly, or have answered before.
 */
#include "net_tls.h"
#include "web_client.h"

enum { ENDLESS = 1 << 30, PIECE = 256 * 1024 };

/* A server that reads a header, may say something, and then takes what it wants to. */
struct taker {
        green_socket *listener, *held;
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16], head[2048];
        const char *says; /* NULL: nothing */
        size_t takes;     /* bytes of the body, a piece at a time */
        bool closes;      /* then, with what was not read */
        int connections;
        green_thread *thread;
};

static void
take(const struct taker *t, green_socket *s)
{
        static char room[PIECE];
        size_t taken = 0;
        ssize_t n = 1;

        while (taken < t->takes && n > 0) {
                n = green_socket_recv(s, room, sizeof room, 0);
                taken += n > 0 ? (size_t)n : 0;
                if (green_sleep(0.005) != 0)
                        break;
        }
}

static void *
taker_main(void *arg)
{
        struct taker *t = arg;
        struct green_wait w;
        struct green_waitq never = {0};

        for (;;) {
                green_socket *s = green_socket_accept(t->listener, NULL);

                if (s == NULL)
                        return NULL;
                t->connections++;
                if (peer_hears(s, t->head, sizeof t->head, 0) && t->says != NULL)
                        (void)!green_socket_sendall(s, t->says, strlen(t->says), 0, NULL);
                take(t, s);
                if (t->takes > 0 && t->says == NULL)
                        (void)!green_socket_sendall(s, OK_5, strlen(OK_5), 0, NULL);
                if (!t->closes)
                        (void)!green_park(&never, &w, GREEN_FOREVER);
                green_socket_free(s);
        }
}

static void
taker_start(struct taker *t)
{
        t->listener = listen_here(t->address);
        snprintf(t->url, sizeof t->url, "http://%s/", t->address);
        t->thread = green_spawn(taker_main, t);
}

static void
taker_stop(struct taker *t)
{
        green_kill(t->thread, 0);
        (void)!green_thread_wait(t->thread, NULL);
        green_thread_unref(t->thread);
        CHECK_INT(green_socket_free(t->listener), 0);
}

static ssize_t
zeros(void *arg, void *buf, size_t len)
{
        double *pause = arg;

        if (pause != NULL && green_sleep(*pause) != 0)
                return -ECANCELED;
        memset(buf, 0, len);
        return (ssize_t)len;
}

/* A body that is longer than what any socket holds: as bytes, from a function, in chunks. */
static struct green_http_request
large(int way)
{
        static char bytes[32 << 20];
        struct green_http_request r = {.size = sizeof r, .method = "PUT"};

        if (way == 0) {
                r.body = bytes;
                r.body_len = sizeof bytes;
        } else {
                r.read_body = zeros;
                r.read_body_len = way == 1 ? ENDLESS : -1;
        }
        return r;
}

static void
who_takes_nothing_more_is_a_timeout(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .send_timeout = 0.05};

        for (int way = 0; way < 3; way++) {
                green_http_client *c = green_http_client_new(&opts);
                struct taker t = {.says = NULL};
                struct green_http_request r = large(way);
                green_http_response *res = NULL;

                taker_start(&t);
                CHECK_INT(green_http_fetch(c, t.url, &r, &res), -ETIMEDOUT);
                CHECK(strstr(green_last_error()->message, "takes no more") != NULL);
                CHECK_INT(t.connections, 1);
                green_http_client_free(c);
                taker_stop(&t);
        }
}

/* Every piece that goes has its time: the whole takes as long as it takes. */
static void
who_takes_it_slowly_is_waited_for(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .send_timeout = 0.3 * suite_slow()};
        green_http_client *c = green_http_client_new(&opts);
        struct green_http_request r = large(0);
        struct taker t = {.takes = r.body_len};
        green_http_response *res = NULL;

        taker_start(&t);
        if (CHECK_INT(green_http_fetch(c, t.url, &r, &res), 0)) {
                CHECK_INT(green_http_response_status(res), 200);
                green_http_response_free(res);
        }
        green_http_client_free(c);
        taker_stop(&t);
}

static void
the_time_of_a_function_does_not_count(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .send_timeout = 0.02};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{.answer = OK_5, .body = 3}}};
        double pause = 0.1;
        struct green_http_request r = {
                .size = sizeof r, .read_body = zeros, .read_body_arg = &pause, .read_body_len = 3};
        green_http_response *res = NULL;

        peer_start(&p);
        if (CHECK_INT(green_http_fetch(c, p.url, &r, &res), 0))
                green_http_response_free(res);
        green_http_client_free(c);
        peer_stop(&p);
}

/* It has said why, and the connection is not used again. */
static void
who_has_answered_before_is_heard(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .send_timeout = 0.1};
        green_http_client *c = green_http_client_new(&opts);

        for (int closes = 0; closes < 2; closes++) {
                struct taker t = {.says = "HTTP/1.1 413 No\r\nContent-Length: 5\r\n\r\nHello",
                                  .takes = 1, .closes = closes};
                struct green_http_request r = large(1);
                green_http_response *res = NULL;
                char *data;

                taker_start(&t);
                if (CHECK_INT(green_http_fetch(c, t.url, &r, &res), 0)) {
                        CHECK_INT(green_http_response_status(res), 413);
                        CHECK_INT(green_http_read_all(res, 10, &data, NULL), 0);
                        CHECK_STR(data, "Hello");
                        green_http_response_free(res);
                }
                CHECK_INT(t.connections, 1);
                if (closes)
                        CHECK_INT(get(c, t.url, "Hello"), 413);
                CHECK_INT(t.connections, closes ? 2 : 1);
                taker_stop(&t);
        }
        green_http_client_free(c);
}

/* What it has said is no answer: then that is what is wrong. */
static void
who_says_nonsense_and_goes_is_malformed(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct taker t = {.says = "What?\r\n\r\n", .takes = 1, .closes = true};
        struct green_http_request r = large(1);
        green_http_response *res = NULL;

        taker_start(&t);
        CHECK_INT(green_http_fetch(c, t.url, &r, &res), GREEN_EHTTP);
        green_http_client_free(c);
        taker_stop(&t);
}

struct job {
        green_http_client *client;
        const char *url;
        int rc;
};

static void *
job_main(void *arg)
{
        struct job *j = arg;
        struct green_http_request r = large(1);
        green_http_response *res = NULL;

        j->rc = green_http_fetch(j->client, j->url, &r, &res);
        return NULL;
}

static void
other_limits_and_kills_end_it_too(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .timeout = 0.05};
        struct taker t = {.says = NULL};
        struct green_timeout scope = {{0}};
        struct job j = {.rc = 0};
        green_thread *gt;

        taker_start(&t);
        j.url = t.url;
        j.client = green_http_client_new(&opts);
        (void)job_main(&j);
        CHECK_INT(j.rc, -ETIMEDOUT);
        taker_stop(&t);
        taker_start(&t);
        green_http_client_free(j.client);
        j.client = green_http_client_new(NULL);
        CHECK_INT(green_timeout_start(&scope, 0.05), 0);
        (void)job_main(&j);
        CHECK_INT(green_timeout_cancel(&scope), 1);
        CHECK_INT(j.rc, GREEN_ETIMEOUT);
        taker_stop(&t);
        taker_start(&t);
        gt = green_spawn(job_main, &j);
        green_sleep(0.05);
        green_kill(gt, 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        CHECK_INT(j.rc, GREEN_EKILLED);
        green_http_client_free(j.client);
        taker_stop(&t);
}

/* ---- under TLS: records that were begun end with the connection */

static void *
silent_main(void *arg)
{
        struct taker *t = arg;
        struct green_wait w;
        struct green_waitq never = {0};

        t->held = green_socket_accept(t->listener, NULL);
        (void)peer_hears(t->held, t->head, sizeof t->head, 0);
        (void)!green_park(&never, &w, GREEN_FOREVER);
        green_socket_free(t->held);
        return NULL;
}

static void
under_tls_likewise(void)
{
        struct green_http_client_opts opts = {.size = sizeof opts, .send_timeout = 0.1};
        struct green_wrap_ssl_opts w = {.size = sizeof w};
        struct green_http_request r = large(0);
        green_http_response *res = NULL;
        struct taker t = {.says = NULL};
        green_http_client *c;
        char url[128];

        if (!has_tls())
                return;
        w.context = server_context("ec");
        t.listener = listen_here(t.address);
        CHECK(green_wrap_ssl(t.listener, &w) == t.listener);
        green_tls_context_unref(w.context);
        t.thread = green_spawn(silent_main, &t);
        snprintf(url, sizeof url, "https://localhost%s/", strrchr(t.address, ':'));
        opts.tls = client_context();
        c = green_http_client_new(&opts);
        CHECK_INT(green_http_fetch(c, url, &r, &res), -ETIMEDOUT);
        CHECK(strstr(green_last_error()->message, "takes no more") != NULL);
        green_http_client_free(c);
        green_tls_context_unref(opts.tls);
        taker_stop(&t);
}

/* ---- what is said of a body */

static void
nothing_is_expected_where_nothing_comes(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = OK_5}, {.answer = OK_5}}};
        struct green_http_request r = {
                .size = sizeof r, .method = "PUT", .body = "", .content_type = "text/x", .expect_continue = true};
        static const struct green_wsgi_pair fields[] = {{"Content-Type", "text/y"}, {NULL, NULL}};
        green_http_response *res = NULL;

        peer_start(&p);
        for (int i = 0; i < 2; i++) {
                if (CHECK_INT(green_http_fetch(c, p.url, &r, &res), 0))
                        green_http_response_free(res);
                CHECK(strstr(p.asked[i], "Expect") == NULL);
                CHECK(strstr(p.asked[i], "\r\nContent-Length: 0\r\n") != NULL);
                CHECK_INT(count(p.asked[i], "Content-Type: "), 1);
                CHECK(strstr(p.asked[i], "\r\nContent-Type: text/x\r\n") != NULL);
                r.fields = fields;
        }
        green_http_client_free(c);
        peer_stop(&p);
}

GREEN_SUITE(web_client_send){GREEN_TEST(who_takes_nothing_more_is_a_timeout),
                             GREEN_TEST(who_takes_it_slowly_is_waited_for),
                             GREEN_TEST(the_time_of_a_function_does_not_count),
                             GREEN_TEST(who_has_answered_before_is_heard),
                             GREEN_TEST(who_says_nonsense_and_goes_is_malformed),
                             GREEN_TEST(other_limits_and_kills_end_it_too),
                             GREEN_TEST(under_tls_likewise),
                             GREEN_TEST(nothing_is_expected_where_nothing_comes),
                             GREEN_SUITE_END};
