/*
 * Metrics of the HTTP server, and the application that shows all.
 */
#include "ws_suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "metrics_text.h"

static struct green_wsgi_metrics before;

static struct green_wsgi_metrics
now(void)
{
        struct green_wsgi_metrics m = {.size = sizeof m};

        CHECK_INT(green_wsgi_get_metrics(&m), 0);
        return m;
}

static void
begin(void)
{
        before = now();
}

/* Since begin(): requests in all, by class of their status, and times of as many. */
static void
answered(uint64_t none, const char *classes)
{
        struct green_wsgi_metrics m = now();
        uint64_t all = none;

        CHECK_INT(m.status[0] - before.status[0], none);
        for (int i = 1; i <= 5; i++) {
                CHECK_INT(m.status[i] - before.status[i], classes[i - 1] - '0');
                all += (uint64_t)(classes[i - 1] - '0');
        }
        CHECK_INT(m.requests - before.requests, all);
        CHECK_INT(m.times.count - before.times.count, all);
}

/* Answers with the status that is the path: "/404". */
static int
as_asked(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        int status = atoi(green_wsgi_path(req, NULL) + 1);

        s->requests++;
        if (status == 0)
                return -EIO;
        return green_wsgi_respond(req, status, "text/plain", "x", 1);
}

static void
requests_are_counted_by_their_status(void)
{
        struct server s = {0};
        green_socket *c;

        begin();
        serve(&s, as_asked);
        c = client_of(&s);
        say(c, "GET /200 HTTP/1.1\r\nHost: a\r\n\r\n");
        (void)until(c, "\r\n\r\nx");
        answered(0, "01000");
        /* Together: their answers are collected, and sent as one. */
        say(c, "GET /201 HTTP/1.1\r\nHost: a\r\n\r\nGET /302 HTTP/1.1\r\nHost: a\r\n\r\nGET /404 HTTP/1.1\r\nHost: a\r\n\r\n"
               "GET /503 HTTP/1.1\r\nHost: a\r\n\r\n");
        (void)until(c, "\r\n\r\nx");
        (void)until(c, "\r\n\r\nx");
        (void)until(c, "\r\n\r\nx");
        (void)until(c, "\r\n\r\nx");
        answered(0, "02111");
        CHECK_INT(green_socket_free(c), 0);
        /* One that is none, and one that the application fails. */
        (void)ask(&s, "no request\r\n\r\n");
        answered(0, "02121");
        (void)ask(&s, "GET /0 HTTP/1.1\r\nHost: a\r\n\r\n");
        answered(0, "02122");
        CHECK_INT(s.requests, 6);
        stop(&s);
        /* A server that has ended is kept. */
        answered(0, "02122");
}

static int
ends_itself(green_wsgi_request *req, void *arg)
{
        (void)req;
        (void)arg;
        green_exit(NULL);
}

static int
sleeps(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_sleep(0.02), 0);
        return green_wsgi_respond(req, 200, NULL, "slept", 5);
}

static void
a_request_without_an_answer_has_no_status(void)
{
        struct server s = {0};
        green_socket *c;
        char byte;

        begin();
        serve(&s, ends_itself);
        c = client_of(&s);
        say(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(green_socket_recv(c, &byte, 1, 0) <= 0);
        CHECK_INT(green_socket_free(c), 0);
        answered(1, "00000");
        stop(&s);
}

static void
the_time_is_from_the_first_byte_of_the_head_to_the_end_of_the_answer(void)
{
        struct server s = {0};
        struct green_wsgi_metrics m;
        green_socket *c;

        serve(&s, sleeps);
        begin();
        c = client_of(&s);
        say(c, "GET / HT");
        while (now().connections == before.connections || now().idle > before.idle)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_sleep(0.03), 0);
        say(c, "TP/1.1\r\nHost: a\r\n\r\n");
        (void)until(c, "slept");
        m = now();
        CHECK_INT(m.times.count - before.times.count, 1);
        CHECK_RANGE((double)(m.times.sum_ns - before.times.sum_ns) / 1e9, 0.045, 5 * suite_slow());
        CHECK_RANGE((double)m.times.most_ns / 1e9, 0.045, 5 * suite_slow());
        /* At rest a connection takes no time. */
        CHECK_INT(green_sleep(0.05), 0);
        begin();
        say(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        (void)until(c, "slept");
        m = now();
        CHECK_RANGE((double)(m.times.sum_ns - before.times.sum_ns) / 1e9, 0.015, 0.045 * suite_slow());
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static void
connections_are_counted_and_those_at_rest(void)
{
        struct server s = {0};
        green_socket *c[5];

        begin();
        serve(&s, held);
        for (int i = 0; i < 5; i++)
                c[i] = client_of(&s);
        while (now().idle - before.idle < 5)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(now().connections - before.connections, 5);
        for (int i = 0; i < 2; i++)
                say(c[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        while (s.running < 2)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(now().connections - before.connections, 5);
        CHECK_INT(now().idle - before.idle, 3);
        CHECK_INT(now().requests, before.requests);
        CHECK_INT(green_wake_all(&s.hold, 0), 2);
        while (now().idle - before.idle < 5)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(now().requests - before.requests, 2);
        for (int i = 0; i < 5; i++)
                CHECK_INT(green_socket_free(c[i]), 0);
        while (now().connections > before.connections)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(now().idle, before.idle);
        stop(&s);
}

/* ---- upgrades */

static int
upgrades(green_wsgi_request *req, void *arg)
{
        green_socket *socket = green_wsgi_upgrade(req, "test", NULL, NULL);
        char byte;

        (void)arg;
        CHECK(socket != NULL);
        answered(0, "10000");
        CHECK_INT(green_socket_recv(socket, &byte, 1, 0), 1);
        return 0;
}

static void
an_upgrade_is_answered_when_it_begins(void)
{
        struct server s = {0};
        struct green_wsgi_metrics m;
        green_socket *c;

        begin();
        serve(&s, upgrades);
        c = client_of(&s);
        say(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n");
        (void)until(c, "\r\n\r\n");
        CHECK_INT(green_sleep(0.05), 0);
        say(c, "x");
        CHECK_INT(green_socket_free(c), 0);
        while (now().connections > before.connections)
                CHECK_INT(green_sleep(0.001), 0);
        answered(0, "10000");
        m = now();
        CHECK_RANGE((double)(m.times.sum_ns - before.times.sum_ns) / 1e9, 0, 0.049 * suite_slow());
        stop(&s);
}

static void
websockets_that_are_open_are_told(void)
{
        struct bed bed = {.calls = 0};
        green_websocket *ws[3];

        begin();
        bed_open(&bed, echo);
        for (int i = 0; i < 3; i++)
                ws[i] = connect_to(&bed, NULL);
        CHECK_INT(metrics_value(metrics_now(), "green_http_websockets"), 3);
        answered(0, "30000");
        CHECK_INT(now().connections - before.connections, 3);
        CHECK_INT(green_websocket_free(ws[1]), 0);
        while (now().connections - before.connections > 2)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(metrics_value(metrics_now(), "green_http_websockets"), 2);
        (void)ask(&bed.s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_INT(metrics_value(metrics_now(), "green_http_websockets"), 2);
        CHECK_INT(green_websocket_free(ws[0]), 0);
        CHECK_INT(green_websocket_free(ws[2]), 0);
        bed_close(&bed);
        CHECK_INT(metrics_value(metrics_now(), "green_http_websockets"), 0);
        answered(0, "30010");
}

/* ---- other OS threads */

struct other {
        pthread_t thread;
        char address[GREEN_ADDR_TEXT_SIZE];
        atomic_bool listens;
        atomic_int left; /* requests until it ends */
        green_thread *server;
};

static int
counts_down(green_wsgi_request *req, void *arg)
{
        struct other *o = arg;

        if (atomic_fetch_sub(&o->left, 1) == 1)
                CHECK_INT(green_kill(o->server, 0), 0);
        return green_wsgi_respond(req, 204, NULL, NULL, 0);
}

static void *
serve_elsewhere(void *arg)
{
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .no_log_output = true};
        struct other *o = arg;
        green_socket *listener = listen_here(o->address);

        o->server = green_getcurrent();
        atomic_store(&o->listens, true);
        CHECK_INT(green_wsgi_server(listener, counts_down, o, &opts), GREEN_EKILLED);
        CHECK_INT(green_socket_free(listener), 0);
        return NULL;
}

static void
servers_of_other_os_threads_are_in_the_sum(void)
{
        struct other o = {.left = 40};
        struct green_metrics core = {.size = sizeof core};
        struct server s = {0};

        begin();
        CHECK_INT(pthread_create(&o.thread, NULL, serve_elsewhere, &o), 0);
        while (!atomic_load(&o.listens))
                CHECK_INT(green_sleep(0.001), 0);
        snprintf(s.address, sizeof s.address, "%s", o.address);
        for (int i = 0; i < 40; i++) {
                CHECK(begins(ask(&s, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), "HTTP/1.1 204 "));
                CHECK(now().requests - before.requests <= (uint64_t)i + 1);
                (void)metrics_now();
        }
        CHECK_INT(pthread_join(o.thread, NULL), 0);
        CHECK_INT(now().status[2] - before.status[2], 40);
        CHECK_INT(now().times.count - before.times.count, 40);
        CHECK_INT(now().connections, before.connections);
        CHECK_INT(green_metrics_get(&core, false), 0);
        CHECK(core.accepts >= 40);
}

/* Nothing of it is read there. */
static void
in_the_child_of_a_fork_a_websocket_is_the_parents(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;
        int status = -1;
        pid_t pid;

        if (SUITE_TSAN) {
                suite_skip("in the child of a fork ThreadSanitizer does not see what orders green threads");
                return;
        }
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        while (bed.ws == NULL)
                CHECK_INT(green_sleep(0.001), 0);
        peer_say(p, WS_TEXT, "hello", 5);
        pid = fork();
        if (pid == 0) {
                (void)green_sleep(0.05);
                _exit(0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        peer_gets(p, WS_TEXT, "hello");
        ws_peer_free(p);
        bed_close(&bed);
}

static void *
fork_without_a_hub(void *arg)
{
        struct green_wsgi_metrics all = now();
        struct green_metrics m = {.size = sizeof m};
        pid_t pid = fork();
        int status = -1;

        (void)arg;
        if (pid == 0) {
                CHECK_INT(green_metrics_get(&m, true), 0);
                CHECK_INT(m.hubs, 0);
                CHECK_INT(now().requests, all.requests);
                CHECK_INT(now().times.count, all.times.count);
                CHECK_INT(now().connections, 0);
                CHECK_INT(now().idle, 0);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        return NULL;
}

static void
in_the_child_of_a_fork_servers_of_other_os_threads_have_ended(void)
{
        struct server s = {0};
        green_socket *c;
        pthread_t thread;

        begin();
        serve(&s, as_asked);
        c = client_of(&s);
        say(c, "GET /200 HTTP/1.1\r\nHost: a\r\n\r\n");
        (void)until(c, "\r\n\r\nx");
        while (now().idle - before.idle < 1)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(pthread_create(&thread, NULL, fork_without_a_hub, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(now().connections - before.connections, 1);
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
        answered(0, "01000");
}

/* ---- the application */

/* Reads an answer's body as metrics; its series. */
static struct metrics_text *
read_page(const char *answer)
{
        static struct metrics_text m;
        const char *body = strstr(answer, "\r\n\r\n");

        m.len = 0;
        m.text[0] = '\0';
        if (!CHECK(body != NULL))
                return &m;
        metrics_take(&m, body + 4, strlen(body + 4));
        (void)metrics_parse(&m);
        return &m;
}

static void
the_application_shows_all_metrics(void)
{
        struct server s = {0};
        const struct metrics_text *m;
        const char *answer, *length;

        serve(&s, green_metrics_app);
        (void)ask(&s, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        begin();
        answer = ask(&s, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(begins(answer, "HTTP/1.1 200 OK\r\n"));
        CHECK(strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") != NULL);
        length = strstr(answer, "\r\nContent-Length: ");
        CHECK(length != NULL);
        if (length != NULL)
                CHECK_INT(atoi(length + 18), strlen(strstr(answer, "\r\n\r\n") + 4));
        m = read_page(answer);
        CHECK_INT(metrics_value(m, "green_http_requests_total{status=\"2xx\"}"), before.status[2]);
        CHECK_INT(metrics_value(m, "green_http_requests_total{status=\"none\"}"), before.status[0]);
        CHECK_INT(metrics_value(m, "green_http_requests_total{status=\"1xx\"}"), before.status[1]);
        CHECK_INT(metrics_value(m, "green_http_requests_total{status=\"3xx\"}"), before.status[3]);
        CHECK_INT(metrics_value(m, "green_http_requests_total{status=\"4xx\"}"), before.status[4]);
        CHECK_INT(metrics_value(m, "green_http_requests_total{status=\"5xx\"}"), before.status[5]);
        CHECK_INT(metrics_value(m, "green_http_request_seconds_count"), before.times.count);
        CHECK(metrics_value(m, "green_http_request_seconds_sum") > 0);
        CHECK(metrics_value(m, "green_http_connections") >= 1);
        CHECK(metrics_has(m, "green_http_connections_idle"));
        CHECK(metrics_value(m, "green_bytes_written_total") > 1000);
        CHECK(metrics_has(m, "green_threads"));

        answer = ask(&s, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(begins(answer, "HTTP/1.1 200 OK\r\n"));
        CHECK_STR(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
        answer = ask(&s, "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
        CHECK(begins(answer, "HTTP/1.1 405 Method Not Allowed\r\n"));
        CHECK(strstr(answer, "\r\nAllow: GET, HEAD\r\n") != NULL);
        CHECK_INT(green_metrics_app(NULL, NULL), -EINVAL);
        stop(&s);
}

static void
a_size_that_is_unknown_is_refused_and_a_smaller_one_is_kept_to(void)
{
        struct green_wsgi_metrics m;

        memset(&m, 0xff, sizeof m);
        m.size = offsetof(struct green_wsgi_metrics, idle);
        CHECK_INT(green_wsgi_get_metrics(&m), 0);
        CHECK(m.connections != UINT64_MAX && m.idle == UINT64_MAX);
        m.size = sizeof m + 1;
        CHECK_INT(green_wsgi_get_metrics(&m), -EINVAL);
        CHECK_INT(green_wsgi_get_metrics(NULL), -EINVAL);
}

GREEN_SUITE(web_metrics) {
        GREEN_TEST(requests_are_counted_by_their_status),
        GREEN_TEST(a_request_without_an_answer_has_no_status),
        GREEN_TEST(the_time_is_from_the_first_byte_of_the_head_to_the_end_of_the_answer),
        GREEN_TEST(connections_are_counted_and_those_at_rest),
        GREEN_TEST(an_upgrade_is_answered_when_it_begins),
        GREEN_TEST(websockets_that_are_open_are_told),
        GREEN_TEST(servers_of_other_os_threads_are_in_the_sum),
        GREEN_TEST(in_the_child_of_a_fork_a_websocket_is_the_parents),
        GREEN_TEST(in_the_child_of_a_fork_servers_of_other_os_threads_have_ended),
        GREEN_TEST(the_application_shows_all_metrics),
        GREEN_TEST(a_size_that_is_unknown_is_refused_and_a_smaller_one_is_kept_to),
        GREEN_SUITE_END
};
