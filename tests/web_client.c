/*
 * The HTTP client: requests, bodies both ways, headers, time limits.
 */
#include "web_client.h"

/* ---- a server that says what it was asked */

static int
echo(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        char body[70000];
        size_t len = 0;
        ssize_t n;

        s->requests++;
        while (len < sizeof body && (n = green_wsgi_read(req, body + len, sizeof body - len)) > 0)
                len += (size_t)n;
        if (strcmp(green_wsgi_raw_path(req), "/head") == 0) {
                const char *value = green_wsgi_header(req, "X-One");

                return green_wsgi_respond(req, 200, "text/plain", value == NULL ? "none" : value,
                                          value == NULL ? 4 : strlen(value));
        }
        if (strcmp(green_wsgi_raw_path(req), "/pieces") == 0) {
                int rc = green_wsgi_start_response(req, 200, -1);

                for (int i = 0; rc == 0 && i < 3; i++) {
                        rc = green_wsgi_write(req, body, len);
                        if (rc == 0)
                                rc = green_sleep(0.001);
                }
                return rc;
        }
        if (len == 0)
                len = (size_t)snprintf(body, sizeof body, "%s %s", green_wsgi_method(req), green_wsgi_raw_path(req));
        return green_wsgi_respond(req, 201, "text/x", body, len);
}

struct scene {
        struct server server;
        green_http_client *client;
        char url[GREEN_ADDR_TEXT_SIZE + 64];
};

static const char *
at(struct scene *s, const char *path)
{
        snprintf(s->url, sizeof s->url, "http://%s%s", s->server.address, path);
        return s->url;
}

static void
begin(struct scene *s)
{
        memset(s, 0, sizeof *s);
        serve(&s->server, echo);
        s->client = green_http_client_new(NULL);
        CHECK(s->client != NULL);
}

static void
end(struct scene *s)
{
        green_http_client_free(s->client);
        stop(&s->server);
}

static void
a_get_brings_status_header_and_body(void)
{
        green_http_response *res = NULL;
        struct green_wsgi_pair pair;
        struct scene s;
        char buf[64];
        size_t n = 0;

        begin(&s);
        if (CHECK_INT(green_http_get(s.client, at(&s, "/a?b=c#d"), NULL, &res), 0)) {
                CHECK_INT(green_http_response_status(res), 201);
                CHECK_STR(green_http_response_header(res, "content-TYPE"), "text/x");
                CHECK(green_http_response_header(res, "X-None") == NULL);
                CHECK_INT(green_http_response_length(res), 6);
                CHECK_STR(green_http_response_url(res), at(&s, "/a?b=c"));
                while (green_http_response_header_at(res, n, &pair))
                        n += pair.name != NULL && pair.value != NULL;
                CHECK_RANGE(n, 2, 5);
                CHECK_INT(green_http_read(res, buf, 2), 2);
                CHECK_INT(green_http_read(res, buf + 2, sizeof buf), 4);
                buf[6] = '\0';
                CHECK_STR(buf, "GET /a");
                CHECK_INT(green_http_read(res, buf, sizeof buf), 0);
                CHECK_INT(green_http_read(res, buf, sizeof buf), 0);
                green_http_response_free(res);
        }
        end(&s);
}

static void
a_post_carries_its_body(void)
{
        static char large[60000];
        struct green_http_body body = {large, sizeof large, "text/plain"};
        green_http_response *res = NULL;
        struct scene s;
        char *data;
        size_t len;

        memset(large, 'x', sizeof large);
        large[0] = 'a';
        large[sizeof large - 1] = 'z';
        begin(&s);
        if (CHECK_INT(green_http_post(s.client, at(&s, "/"), &body, &res), 0)) {
                CHECK_INT(green_http_read_all(res, sizeof large, &data, &len), 0);
                CHECK(len == sizeof large && memcmp(data, large, len) == 0 && data[len] == '\0');
                green_http_response_free(res);
        }
        if (CHECK_INT(green_http_post(s.client, at(&s, "/pieces"), &body, &res), 0)) {
                CHECK_INT(green_http_response_length(res), -1);
                CHECK_INT(green_http_read_all(res, 3 * sizeof large, &data, &len), 0);
                CHECK(len == 3 * sizeof large && data[0] == 'a' && data[len - 1] == 'z' &&
                      data[2 * sizeof large] == 'a');
                green_http_response_free(res);
        }
        /* One byte too many. */
        if (CHECK_INT(green_http_post(s.client, at(&s, "/pieces"), &body, &res), 0)) {
                CHECK_INT(green_http_read_all(res, 3 * sizeof large - 1, &data, &len), -EMSGSIZE);
                CHECK_INT(green_http_read_all(res, 3 * sizeof large, &data, &len), -EMSGSIZE);
                green_http_response_free(res);
        }
        if (CHECK_INT(green_http_post(s.client, at(&s, "/"), &body, &res), 0)) {
                CHECK_INT(green_http_read_all(res, sizeof large - 1, &data, &len), -EMSGSIZE);
                green_http_response_free(res);
        }
        end(&s);
}

struct source {
        const char *text;
        size_t at, step;
        int rewinds, fails_with;
};

static ssize_t
give(void *arg, void *buf, size_t len)
{
        struct source *s = arg;
        size_t n = strlen(s->text) - s->at;

        if (s->fails_with != 0)
                return s->fails_with;
        if (n > s->step)
                n = s->step;
        if (n > len)
                n = len;
        memcpy(buf, s->text + s->at, n);
        s->at += n;
        return (ssize_t)n;
}

static int
send_source(struct scene *s, struct source *source, int64_t len, bool expect, const char *want)
{
        const struct green_http_request r = {.size = sizeof r,
                                             .method = "PUT",
                                             .read_body = give,
                                             .read_body_arg = source,
                                             .read_body_len = len,
                                             .expect_continue = expect};
        green_http_response *res = NULL;
        char *data;
        int rc = green_http_fetch(s->client, at(s, "/"), &r, &res);

        if (rc != 0)
                return rc;
        CHECK_INT(green_http_read_all(res, 1000, &data, NULL), 0);
        CHECK_STR(data, want);
        rc = green_http_response_status(res);
        green_http_response_free(res);
        return rc;
}

static void
a_body_may_come_in_pieces(void)
{
        struct source chunks = {"one two three", 0, 5, 0, 0}, length = {"one two three", 0, 4, 0, 0};
        struct source waits = {"later", 0, 5, 0, 0}, early = {"short", 0, 5, 0, 0}, fails = {"", 0, 1, 0, -EIO};
        struct scene s;

        begin(&s);
        CHECK_INT(send_source(&s, &chunks, -1, false, "one two three"), 201);
        CHECK_INT(send_source(&s, &length, 13, false, "one two three"), 201);
        CHECK_INT(send_source(&s, &waits, -1, true, "later"), 201);
        CHECK_INT(send_source(&s, &early, 6, false, ""), -EINVAL);
        CHECK_INT(send_source(&s, &fails, -1, false, ""), -EIO);
        CHECK_INT(get(s.client, at(&s, "/"), "GET /"), 201);
        end(&s);
}

static void
fields_go_along(void)
{
        const struct green_wsgi_pair usual[] = {{"X-One", "usual"}, {NULL, NULL}},
                                     own[] = {{"x-one", "own"}, {NULL, NULL}};
        const struct green_http_client_opts opts = {.size = sizeof opts, .fields = usual, .user_agent = ""};
        green_http_response *res = NULL;
        struct scene s;
        char *data;

        begin(&s);
        green_http_client_free(s.client);
        s.client = green_http_client_new(&opts);
        CHECK_INT(get(s.client, at(&s, "/head"), "usual"), 200);
        CHECK_INT(green_http_get(s.client, at(&s, "/head"), own, &res), 0);
        CHECK_INT(green_http_read_all(res, 100, &data, NULL), 0);
        CHECK_STR(data, "own");
        green_http_response_free(res);
        end(&s);
}

static void
what_cannot_be_sent_is_refused(void)
{
        static const char *const urls[] = {"",
                                           "x",
                                           "ftp://a/",
                                           "http://",
                                           "http:///",
                                           "http://a b/",
                                           "http://a/\r\nX: y",
                                           "http://a:99999/",
                                           "http://u\r\n@a/",
                                           "http://u%0d%0a@a/",
                                           "http://%3a%3a:b@h/"};
        static const struct green_wsgi_pair fields[][2] = {{{"Host", "x"}, {NULL, NULL}},
                                                           {{"Content-Length", "1"}, {NULL, NULL}},
                                                           {{"transfer-encoding", "chunked"}, {NULL, NULL}},
                                                           {{"Connection", "close"}, {NULL, NULL}},
                                                           {{"A b", "c"}, {NULL, NULL}},
                                                           {{"A", "b\r\nC: d"}, {NULL, NULL}},
                                                           {{"A", NULL}, {NULL, NULL}}};
        green_http_client *c = green_http_client_new(NULL);
        struct green_http_request r = {.size = sizeof r, .method = "G T"};
        green_http_response *res = NULL;

        for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
                CHECK_INT(green_http_get(c, urls[i], NULL, &res), -EINVAL);
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
                CHECK_INT(green_http_get(c, "http://127.0.0.1:1/", fields[i], &res), -EINVAL);
        CHECK_INT(green_http_fetch(c, "http://127.0.0.1:1/", &r, &res), -EINVAL);
        r.method = "CONNECT";
        CHECK_INT(green_http_fetch(c, "http://127.0.0.1:1/", &r, &res), -EINVAL);
        r.method = NULL;
        r.body_len = 1;
        CHECK_INT(green_http_fetch(c, "http://127.0.0.1:1/", &r, &res), -EINVAL);
        r.body_len = 0;
        r.content_type = "a\nb";
        CHECK_INT(green_http_fetch(c, "http://127.0.0.1:1/", &r, &res), -EINVAL);
        CHECK_INT(green_http_get(NULL, "http://a/", NULL, &res), -EINVAL);
        green_http_client_free(c);
        green_http_client_free(NULL);
}

static void
options_that_mean_nothing_are_refused(void)
{
        const struct green_http_client_opts bad[] = {
                {.size = 1},
                {.size = sizeof bad[0], .timeout = -1},
                {.size = sizeof bad[0], .read_timeout = -1},
                {.size = sizeof bad[0], .proxy = "https://a:1"},
                {.size = sizeof bad[0], .proxy = "a:1"},
                {.size = sizeof bad[0], .proxy = "http://a/path"},
                {.size = sizeof bad[0], .user_agent = "a\r\nb"},
                {.size = sizeof bad[0], .fields = (const struct green_wsgi_pair[]){{"Host", "a"}, {NULL, NULL}}}};

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                errno = 0;
                CHECK(green_http_client_new(&bad[i]) == NULL);
                CHECK_INT(errno, EINVAL);
        }
}

/* ---- what ends without an answer */

static void
nobody_there_is_refused(void)
{
        green_http_client *c = green_http_client_new(NULL);
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16];
        green_socket *listener = listen_here(address);

        snprintf(url, sizeof url, "http://%s/", address);
        CHECK_INT(green_socket_free(listener), 0);
        CHECK_INT(get(c, url, NULL), -ECONNREFUSED);
        green_http_client_free(c);
}

static void
silent(double header, double total, double connect)
{
        const struct green_http_client_opts opts = {
                .size = sizeof opts, .header_timeout = header, .timeout = total, .connect_timeout = connect};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", .body = 0}}};

        peer_start(&p);
        CHECK_INT(get(c, p.url, NULL), -ETIMEDOUT);
        CHECK_INT(green_last_error()->code, -ETIMEDOUT);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
a_header_that_does_not_come_is_a_timeout(void)
{
        silent(0.02, 0, 0);
        silent(0, 0.02, 0);
}

static void
a_body_that_does_not_come_is_a_timeout(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .timeout = 0.5 * suite_slow()};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHell"}}};
        green_http_response *res = NULL;
        char buf[16];

        peer_start(&p);
        CHECK_INT(green_http_get(c, p.url, NULL, &res), 0);
        CHECK_INT(green_http_read(res, buf, sizeof buf), 4);
        CHECK_INT(green_http_read(res, buf, sizeof buf), -ETIMEDOUT);
        CHECK_INT(green_http_read(res, buf, sizeof buf), -ETIMEDOUT);
        green_http_response_free(res);
        green_http_client_free(c);
        peer_stop(&p);
}

/* What was given stays as it is, and there is no more. */
static void
all_of_it_is_given_once(void)
{
        static const char *const answers[] = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n", OK_5};

        for (size_t i = 0; i < 2; i++) {
                green_http_client *c = green_http_client_new(NULL);
                struct peer p = {.turns = {{.answer = answers[i]}}};
                green_http_response *res = NULL;
                char *first, *second;
                size_t len = 1;

                peer_start(&p);
                CHECK_INT(green_http_get(c, p.url, NULL, &res), 0);
                CHECK_INT(green_http_read_all(res, 10, &first, NULL), 0);
                CHECK_INT(green_http_read_all(res, 10, &second, &len), 0);
                CHECK_STR(first, "Hello");
                CHECK_STR(second, "");
                CHECK_INT(len, 0);
                green_http_response_free(res);
                green_http_client_free(c);
                peer_stop(&p);
        }
}

/* Whatever its end is told by, and whether it is read by way of the buffer or past it. */
static void
a_body_that_stops_is_a_timeout(void)
{
        static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nHell",
                                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\nHell",
                                              "HTTP/1.1 200 OK\r\n\r\nHell"};
        const struct green_http_client_opts opts = {.size = sizeof opts, .read_timeout = 0.02};
        static char buf[5000];

        for (size_t i = 0; i < 6; i++) {
                green_http_client *c = green_http_client_new(&opts);
                struct peer p = {.turns = {{.answer = answers[i / 2]}}};
                green_http_response *res = NULL;
                ssize_t n;

                peer_start(&p);
                CHECK_INT(green_http_get(c, p.url, NULL, &res), 0);
                CHECK_INT(green_http_read(res, buf, 4), 4);
                n = green_http_read(res, buf, i % 2 == 0 ? 1 : sizeof buf);
                CHECK_INT(n, -ETIMEDOUT);
                CHECK(strstr(green_last_error()->message, "sends no more") != NULL);
                CHECK_INT(green_http_read(res, buf, 1), -ETIMEDOUT);
                green_http_response_free(res);
                green_http_client_free(c);
                peer_stop(&p);
        }
}

/* Answers two requests: the body of the first one with pauses, the second one after one that is longer. */
struct slow {
        green_socket *listener;
        double pause;
};

static void *
slow_main(void *arg)
{
        struct slow *slow = arg;
        green_socket *s = green_socket_accept(slow->listener, NULL);
        char text[2048];

        if (CHECK(s != NULL) && CHECK(peer_hears(s, text, sizeof text, 0))) {
                (void)!green_socket_sendall(s, OK_5, strlen(OK_5) - 5, 0, NULL);
                for (int i = 0; i < 5 && green_sleep(slow->pause) == 0; i++)
                        (void)!green_socket_sendall(s, "Hello" + i, 1, 0, NULL);
        }
        if (CHECK(s != NULL) && CHECK(peer_hears(s, text, sizeof text, 0)) && green_sleep(3 * slow->pause) == 0)
                (void)!green_socket_sendall(s, OK_5, strlen(OK_5), 0, NULL);
        green_socket_free(s);
        return NULL;
}

/* Each piece has its time; and what limits a body does not limit the next header on its connection. */
static void
a_body_that_comes_slowly_is_waited_for(void)
{
        const double limit = 0.15 * suite_slow();
        const struct green_http_client_opts opts = {.size = sizeof opts, .read_timeout = limit};
        green_http_client *c = green_http_client_new(&opts);
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16];
        struct slow slow = {.listener = listen_here(address), .pause = limit / 2};
        green_thread *gt = green_spawn(slow_main, &slow);

        snprintf(url, sizeof url, "http://%s/", address);
        CHECK_INT(get(c, url, "Hello"), 200);
        CHECK_INT(get(c, url, "Hello"), 200);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        green_http_client_free(c);
        CHECK_INT(green_socket_free(slow.listener), 0);
}

static void
a_connection_that_is_not_accepted_is_a_timeout(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .connect_timeout = 0.03};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{.answer = "HTTP/1.1 200 OK\r\n\r\n"}}};
        char url[sizeof p.url + 1];

        /* It accepts, and never answers the handshake. */
        p.listener = listen_here(p.address);
        snprintf(url, sizeof url, "https://%s/", p.address);
        if (green_tls_backend() != NULL)
                CHECK_INT(get(c, url, NULL), -ETIMEDOUT);
        CHECK_INT(green_socket_free(p.listener), 0);
        green_http_client_free(c);
}

static void
an_outer_scope_keeps_its_code(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = "HTTP/1.1 200 OK\r\n"}, {.answer = OK_5}}};
        struct green_timeout t = {{0}};

        peer_start(&p);
        CHECK_INT(green_timeout_start(&t, 0.3), 0);
        CHECK_INT(get(c, p.url, NULL), GREEN_ETIMEOUT);
        CHECK_INT(get(c, p.url, NULL), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        green_http_client_free(c);
        peer_stop(&p);
}

struct victim {
        green_http_client *client;
        const char *url;
        int rc;
};

static void *
victim_main(void *arg)
{
        struct victim *v = arg;

        v->rc = get(v->client, v->url, NULL);
        return NULL;
}

static void
who_is_killed_leaves_nothing(void)
{
        struct peer p = {.turns = {{.answer = "HTTP/1.1 200 OK\r\n"}, {.answer = OK_5}}};
        struct victim v = {green_http_client_new(NULL), p.url, 0};
        green_thread *gt;

        peer_start(&p);
        gt = green_spawn(victim_main, &v);
        while (p.at < 1)
                green_sleep(0.001);
        green_kill(gt, 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        CHECK_INT(v.rc, GREEN_EKILLED);
        CHECK_INT(get(v.client, p.url, "Hello"), 200);
        CHECK_INT(p.connections, 2);
        green_http_client_free(v.client);
        peer_stop(&p);
}

static void
hub_context_cannot_wait(void *arg)
{
        struct victim *v = arg;

        v->rc = get(v->client, v->url, NULL);
}

static void
in_hub_context_it_says_so(void)
{
        struct victim v = {green_http_client_new(NULL), "http://127.0.0.1:1/", 0};

        CHECK_INT(green_schedule_call_global(0, hub_context_cannot_wait, &v), 0);
        green_sleep(0.005);
        CHECK_INT(v.rc, -EDEADLK);
        green_http_client_free(v.client);
}

/* The client may end before its responses. */
static void
responses_outlive_their_client(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = OK_5}}};
        green_http_response *res = NULL;
        char *data;

        peer_start(&p);
        CHECK_INT(green_http_get(c, p.url, NULL, &res), 0);
        green_http_client_free(c);
        CHECK_INT(green_http_read_all(res, 10, &data, NULL), 0);
        CHECK_STR(data, "Hello");
        green_http_response_free(res);
        green_http_response_free(NULL);
        peer_stop(&p);
}

GREEN_SUITE(web_client){GREEN_TEST(a_get_brings_status_header_and_body),
                        GREEN_TEST(a_post_carries_its_body),
                        GREEN_TEST(a_body_may_come_in_pieces),
                        GREEN_TEST(fields_go_along),
                        GREEN_TEST(what_cannot_be_sent_is_refused),
                        GREEN_TEST(options_that_mean_nothing_are_refused),
                        GREEN_TEST(nobody_there_is_refused),
                        GREEN_TEST(a_header_that_does_not_come_is_a_timeout),
                        GREEN_TEST(a_body_that_does_not_come_is_a_timeout),
                        GREEN_TEST(all_of_it_is_given_once),
                        GREEN_TEST(a_body_that_stops_is_a_timeout),
                        GREEN_TEST(a_body_that_comes_slowly_is_waited_for),
                        GREEN_TEST(a_connection_that_is_not_accepted_is_a_timeout),
                        GREEN_TEST(an_outer_scope_keeps_its_code),
                        GREEN_TEST(who_is_killed_leaves_nothing),
                        GREEN_TEST(in_hub_context_it_says_so),
                        GREEN_TEST(responses_outlive_their_client),
                        GREEN_SUITE_END};
