/*
 * The HTTP client where things end in the wrong moment: waiters whose time is over, a client that was freed, hosts that want
 * all there is, bodies that fail, scopes that have fired, forks.
 */
#include "web_client.h"

#include <sys/wait.h>
#include <unistd.h>

struct fetch {
        green_http_client *client;
        const char *url;
        double timeout;
        green_http_response *held; /* given back first */
        int rc, times;
};

static void *
fetch_main(void *arg)
{
        struct fetch *f = arg;
        struct green_http_request r = {.size = sizeof r, .timeout = f->timeout};
        green_http_response *res = NULL;

        green_http_response_free(f->held);
        f->rc = green_http_fetch(f->client, f->url, &r, &res);
        if (f->rc == 0)
                green_http_response_free(res);
        return NULL;
}

/* Nobody hangs: it ends in a second, or is killed. */
static void
end_in_time(green_thread *gt)
{
        struct green_timeout t = {{0}};

        CHECK_INT(green_timeout_start(&t, suite_slow()), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        (void)green_timeout_cancel(&t);
        (void)green_kill(gt, GREEN_EKILLED);
        (void)!green_thread_wait(gt, NULL);
        green_thread_unref(gt);
}

/* Who waits for a slot has run out of time, but not run yet, when the slot becomes free and somebody else comes. */
static void
one_whose_time_is_over_keeps_nobody_waiting(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_per_host = 1, .idle_timeout = -1};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{.answer = OK_5}, {.answer = OK_5}, {.answer = OK_5}}};
        struct fetch waiter = {.client = c, .url = p.url, .timeout = 0.02}, late = {.client = c, .url = p.url};
        green_thread *gts[2];

        peer_start(&p);
        CHECK_INT(green_http_get(c, p.url, NULL, &late.held), 0);
        gts[0] = green_spawn_after(0.02, fetch_main, &late);
        gts[1] = green_spawn(fetch_main, &waiter);
        green_sleep(0);
        usleep(50000); /* the whole OS thread: both are due at the next poll */
        for (int i = 0; i < 2; i++)
                end_in_time(gts[i]);
        CHECK_INT(waiter.rc, -ETIMEDOUT);
        CHECK_INT(late.rc, 0);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
after_the_clients_end_no_redirect_is_followed(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_per_host = 1};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{.answer = OK_5}, {.answer = OK_5}}}, q = {.turns = {{NULL, 0, 0, false}}};
        struct fetch f = {.client = c, .url = q.url};
        green_http_response *res = NULL;
        char location[300];
        green_thread *gt;

        peer_start(&p);
        snprintf(location, sizeof location, "HTTP/1.1 302 X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", p.url);
        q.turns[0].answer = location;
        peer_start(&q);
        CHECK_INT(green_http_get(c, p.url, NULL, &res), 0);
        gt = green_spawn(fetch_main, &f);
        green_sleep(0);
        green_http_client_free(c);
        green_http_response_free(res);
        end_in_time(gt);
        CHECK_INT(f.rc, -ECANCELED);
        CHECK_INT(p.connections, 1);
        peer_stop(&p);
        peer_stop(&q);
}

static int
at_once(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, NULL, "Hello", 5);
}

static void *
ask_for_ever(void *arg)
{
        struct fetch *f = arg;

        while ((f->rc = get(f->client, f->url, "Hello")) == 200)
                f->times++;
        return NULL;
}

/* Two that want one host all the time leave another host its share of the one connection there may be. */
static void
a_busy_host_leaves_others_their_turn(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_connections = 1};
        green_http_client *c = green_http_client_new(&opts);
        char busy[GREEN_ADDR_TEXT_SIZE + 16], other[GREEN_ADDR_TEXT_SIZE + 16];
        struct server s = {0}, u = {0};
        struct fetch asks[2] = {{.client = c, .url = busy}, {.client = c, .url = busy}};
        green_thread *gts[2];

        serve(&s, at_once);
        serve(&u, at_once);
        snprintf(busy, sizeof busy, "http://%s/", s.address);
        snprintf(other, sizeof other, "http://%s/", u.address);
        for (int i = 0; i < 2; i++)
                gts[i] = green_spawn(ask_for_ever, &asks[i]);
        while (asks[0].times < 10 || asks[1].times < 10)
                green_sleep(0);
        for (int i = 0; i < 20; i++) {
                struct green_timeout t = {{0}};

                CHECK_INT(green_timeout_start(&t, suite_slow()), 0);
                CHECK_INT(get(c, other, "Hello"), 200);
                (void)green_timeout_cancel(&t);
        }
        CHECK(asks[0].times > 10 && asks[1].times > 10);
        for (int i = 0; i < 2; i++) {
                (void)green_kill(gts[i], GREEN_EKILLED);
                (void)!green_thread_wait(gts[i], NULL);
                green_thread_unref(gts[i]);
        }
        green_http_client_free(c);
        stop(&s);
        stop(&u);
}

static ssize_t
fail_like_a_socket(void *arg, void *buf, size_t len)
{
        int *calls = arg;

        if (len == 0 || ++*calls > 1)
                return -ECONNRESET;
        memset(buf, 'x', 1);
        return 1;
}

static bool
begin_anew(void *arg)
{
        *(int *)arg = 0;
        return true;
}

/* Its code is not taken for the connection's: nothing is waited for, and nothing is tried again. */
static void
the_code_of_a_body_ends_the_request(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = OK_5}, {.answer = OK_5, .body = 100}, {.answer = OK_5}}};
        int calls = 0;
        struct green_http_request r = {.size = sizeof r,
                                       .method = "PUT",
                                       .read_body = fail_like_a_socket,
                                       .read_body_arg = &calls,
                                       .rewind_body = begin_anew,
                                       .read_body_len = 100};
        green_http_response *res = NULL;
        struct green_timeout t = {{0}};

        peer_start(&p);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(green_timeout_start(&t, suite_slow()), 0);
        CHECK_INT(green_http_fetch(c, p.url, &r, &res), -ECONNRESET);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(calls, 2);
        CHECK_INT(p.connections, 1);
        green_http_client_free(c);
        peer_stop(&p);
}

/* Also what is here already; afterwards it is still there. */
static void
nothing_is_read_within_a_scope_that_has_fired(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = OK_5}}};
        green_http_response *res = NULL;
        struct green_timeout t = {{0}};
        char *data, bytes[4];

        peer_start(&p);
        CHECK_INT(green_http_get(c, p.url, NULL, &res), 0);
        CHECK_INT(green_timeout_start(&t, 0), 0);
        CHECK_INT(green_sleep(1), GREEN_ETIMEOUT);
        CHECK_INT(green_http_read(res, bytes, 1), GREEN_ETIMEOUT);
        CHECK_INT(green_http_read_all(res, 100, &data, NULL), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_http_read(res, bytes, 1), 1);
        CHECK_INT(green_http_read_all(res, 100, &data, NULL), 0);
        CHECK_STR(data, "ello");
        green_http_response_free(res);
        green_http_client_free(c);
        peer_stop(&p);
}

struct reading {
        green_http_client *client;
        const char *url;
        struct green_waitq go_on;
        int rcs[2];
        bool reads;
};

static void *
read_twice(void *arg)
{
        struct reading *r = arg;
        green_http_response *res = NULL;
        struct green_timeout t = {{0}};
        struct green_wait w;
        char *data;

        if (!CHECK_INT(green_http_get(r->client, r->url, NULL, &res), 0))
                return NULL;
        CHECK_INT(green_timeout_start(&t, 0.02), 0);
        r->reads = true;
        r->rcs[0] = green_http_read_all(res, 100, &data, NULL);
        (void)green_timeout_cancel(&t);
        CHECK_INT(green_park(&r->go_on, &w, GREEN_FOREVER), 0);
        r->rcs[1] = green_http_read_all(res, 100, &data, NULL);
        green_http_response_free(res);
        return NULL;
}

/* A scope fires between two pieces: what was read by then is gone, and the rest is never given for the whole. */
static void
the_rest_of_a_body_is_not_taken_for_all_of_it(void)
{
        static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n";
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16], text[2048];
        green_socket *listener = listen_here(address), *s;
        struct reading r = {.client = green_http_client_new(NULL), .url = url};
        green_thread *gt;

        snprintf(url, sizeof url, "http://%s/", address);
        gt = green_spawn(read_twice, &r);
        s = green_socket_accept(listener, NULL);
        CHECK(peer_hears(s, text, sizeof text, 0));
        CHECK_INT(green_socket_sendall(s, head, strlen(head), 0, NULL), 0);
        while (!r.reads)
                green_sleep(0);
        green_sleep(0.002);
        /* The next piece is there, and the time is over: both are seen at the next poll. */
        CHECK_INT(green_socket_sendall(s, "5\r\nWorld\r\n", 10, 0, NULL), 0);
        usleep(50000);
        while (green_waitq_first(&r.go_on) == NULL)
                green_sleep(0.001);
        CHECK_INT(r.rcs[0], GREEN_ETIMEOUT);
        CHECK_INT(green_socket_sendall(s, "1\r\n!\r\n0\r\n\r\n", 11, 0, NULL), 0);
        (void)green_wake_one(&r.go_on, NULL);
        end_in_time(gt);
        CHECK_INT(r.rcs[1], GREEN_ETIMEOUT);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(listener), 0);
        green_http_client_free(r.client);
}

/* A server that has waited long enough for a request says so and closes; a request has crossed that. */
static void
a_farewell_that_crosses_a_request_is_no_answer(void)
{
        green_http_client *c = green_http_client_new(NULL);
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16], text[2048];
        green_socket *listener = listen_here(address), *s;
        struct fetch f = {.client = c, .url = url};
        static const char farewell[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        green_thread *gt;

        snprintf(url, sizeof url, "http://%s/", address);
        gt = green_spawn(fetch_main, &f);
        s = green_socket_accept(listener, NULL);
        CHECK(peer_hears(s, text, sizeof text, 0));
        CHECK_INT(green_socket_sendall(s, OK_5, strlen(OK_5), 0, NULL), 0);
        end_in_time(gt);
        CHECK_INT(f.rc, 0);
        /* The hub has not looked since: it is taken from rest as if nothing had come. */
        CHECK_INT(green_socket_sendall(s, farewell, sizeof farewell - 1, 0, NULL), 0);
        CHECK_INT(green_socket_free(s), 0);
        gt = green_spawn(fetch_main, &f);
        f.rc = 1;
        s = green_socket_accept(listener, NULL);
        CHECK(peer_hears(s, text, sizeof text, 0));
        CHECK_INT(green_socket_sendall(s, OK_5, strlen(OK_5), 0, NULL), 0);
        end_in_time(gt);
        CHECK_INT(f.rc, 0);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(listener), 0);
        green_http_client_free(c);
}

/* It came while nobody had asked: the hub has not looked since, and it is not taken for the answer to what is asked next. */
static void
what_nobody_has_asked_for_is_no_answer(void)
{
        green_http_client *c = green_http_client_new(NULL);
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16], text[2048];
        green_socket *listener = listen_here(address), *s;
        struct peer next = {.listener = listener, .turns = {{.answer = OK_5}, {.answer = OK_5}}};
        struct fetch f = {.client = c, .url = url};
        static const char unasked[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWrong";
        green_thread *gt;

        snprintf(url, sizeof url, "http://%s/", address);
        gt = green_spawn(fetch_main, &f);
        s = green_socket_accept(listener, NULL);
        CHECK(peer_hears(s, text, sizeof text, 0));
        CHECK_INT(green_socket_sendall(s, OK_5, strlen(OK_5), 0, NULL), 0);
        end_in_time(gt);
        CHECK_INT(f.rc, 0);
        CHECK_INT(green_socket_sendall(s, unasked, strlen(unasked), 0, NULL), 0);
        next.thread = green_spawn(peer_main, &next);
        CHECK_INT(get(c, url, "Hello"), 200);
        CHECK_INT(get(c, url, "Hello"), 200);
        CHECK_INT(next.connections, 1);
        green_http_client_free(c);
        CHECK_INT(green_socket_free(s), 0);
        peer_stop(&next);
}

static void
a_fork_leaves_the_connections_to_the_parent(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = OK_5}, {.answer = OK_5}, {.answer = OK_5}}};
        green_http_response *res = NULL;
        int status = -1;
        char buf[8], *all;
        pid_t pid;

        peer_start(&p);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(green_http_get(c, p.url, NULL, &res), 0);
        pid = fork();
        if (pid == 0) {
                CHECK_INT(get(c, p.url, NULL), -EPERM);
                CHECK_INT(green_http_read(res, buf, sizeof buf), -EPERM);
                CHECK_INT(green_http_read_all(res, 10, &all, NULL), -EPERM);
                green_http_client_free(c);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(green_os_waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_INT(green_http_read(res, buf, sizeof buf), 5);
        green_http_response_free(res);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(p.connections, 1);
        green_http_client_free(c);
        peer_stop(&p);
}

GREEN_SUITE(web_client_life) {
        GREEN_TEST(one_whose_time_is_over_keeps_nobody_waiting),
        GREEN_TEST(after_the_clients_end_no_redirect_is_followed),
        GREEN_TEST(a_busy_host_leaves_others_their_turn),
        GREEN_TEST(the_code_of_a_body_ends_the_request),
        GREEN_TEST(nothing_is_read_within_a_scope_that_has_fired),
        GREEN_TEST(the_rest_of_a_body_is_not_taken_for_all_of_it),
        GREEN_TEST(a_farewell_that_crosses_a_request_is_no_answer),
        GREEN_TEST(what_nobody_has_asked_for_is_no_answer),
        GREEN_TEST(a_fork_leaves_the_connections_to_the_parent),
        GREEN_SUITE_END
};
