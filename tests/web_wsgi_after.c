/*
 * What comes after a response, or in place of one: hooks, clean-up, upgrades, the requests behind it.
 */
#include "web_suite.h"

#include <sys/socket.h>

#include <green/local.h>

static int
hello(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

/* ---- hooks, and what lives as long as a request */

static char order[16], letters[] = "ab";

static void
note(green_wsgi_request *req, void *arg)
{
        size_t len = strlen(order);

        snprintf(order + len, sizeof order - len, "%c%s", *(const char *)arg, green_wsgi_status(req) == 500 ? "!" : "");
}

static int
with_hooks(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        CHECK_INT(green_wsgi_add_post_hook(req, NULL, NULL), -EINVAL);
        CHECK_INT(green_wsgi_add_post_hook(req, note, letters), 0);
        CHECK_INT(green_wsgi_add_post_hook(req, note, letters + 1), 0);
        CHECK_INT(strlen(order), 0);
        return s->length != 0 ? -EIO : green_wsgi_respond(req, 200, NULL, "ok", 2);
}

static void
hooks_run_after_the_response_whatever_it_was(void)
{
        struct server s = {0};
        green_socket *c;

        GREEN_COVERS("WSGI-88");
        order[0] = '\0';
        serve(&s, with_hooks);
        c = client_of(&s);
        say(c, GET);
        until(c, "ok");
        while (strlen(order) < 2)
                green_sleep(0);
        CHECK_STR(order, "ab");
        order[0] = '\0';
        s.length = 1;
        ask(&s, GET);
        CHECK_STR(order, "a!b!");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static green_local *local;
static int deferred, destroyed;

static void
on_defer(void *arg)
{
        (void)arg;
        deferred++;
}

static void
on_destroy(void *value)
{
        (void)value;
        destroyed++;
}

static int
leave_things(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        /* The green thread may be the last request's: nothing else may be. */
        CHECK(green_local_get(local) == NULL);
        CHECK_INT(deferred, s->requests - 1);
        CHECK_INT(destroyed, s->requests - 1);
        CHECK_INT(green_local_set(local, s), 0);
        CHECK_INT(green_defer(on_defer, NULL), 0);
        return green_wsgi_respond(req, 200, NULL, "ok", 2);
}

static void
nothing_of_a_request_is_left_for_the_next(void)
{
        struct green_local_opts opts = {.size = sizeof opts, .destruct = on_destroy};
        struct server s = {0};

        GREEN_COVERS("WSGI-01");
        deferred = destroyed = 0;
        local = green_local_new(&opts);
        serve(&s, leave_things);
        CHECK_INT(count(ask(&s, GET GET GET), "HTTP/1.1 200"), 3);
        CHECK_INT(s.requests, 3);
        stop(&s);
        CHECK_INT(deferred, 3);
        CHECK_INT(destroyed, 3);
        green_local_free(local);
}

/* Ways for a request to end: the query says which. */
static int
end_somehow(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        const char *way = green_wsgi_query(req);
        struct green_wait w;
        int rc;

        s->requests++;
        CHECK_INT(green_defer(on_defer, NULL), 0);
        if (strcmp(way, "answered") == 0)
                return green_wsgi_respond(req, 200, NULL, "ok", 2);
        if (strcmp(way, "silent") == 0)
                return 0;
        if (strcmp(way, "failed") == 0)
                return -EIO;
        if (strcmp(way, "gone") == 0)
                green_exit(NULL);
        if (strcmp(way, "held") == 0)
                return green_park(&s->hold, &w, GREEN_FOREVER);
        if (strcmp(way, "taken") == 0)
                return green_wsgi_take_over(req, NULL, NULL) == NULL ? -EIO : 0;
        rc = green_wsgi_start_response(req, 200, -1);
        if (strcmp(way, "cut") == 0)
                return rc == 0 && green_wsgi_write(req, "some", 4) == 0 ? -EIO : rc;
        /* For a client that goes away. */
        while (rc == 0)
                rc = green_wsgi_write(req, order, sizeof order);
        s->last_read = rc;
        return rc;
}

/* What eventlet's close() of an iterable is for. */
static void
what_is_deferred_runs_however_a_request_ends(void)
{
        static const char *const ways[] = {"answered", "silent", "failed", "gone", "taken", "cut"};
        struct server s = {.opts.shutdown_timeout = 0.01};
        int done = 0;
        green_socket *c;

        GREEN_COVERS("WSGI-87");
        deferred = 0;
        serve(&s, end_somehow);
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
                char text[100];

                snprintf(text, sizeof text, "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", ways[i]);
                (void)ask(&s, text);
                if (!CHECK_INT(deferred, ++done))
                        FAIL("%s", ways[i]);
        }
        c = client_of(&s);
        say(c, "GET /?endless HTTP/1.1\r\nHost: a\r\n\r\n");
        (void)until(c, "\r\n\r\n");
        CHECK_INT(green_socket_free(c), 0);
        while (deferred == done)
                green_sleep(0);
        CHECK_INT(deferred, ++done);
        CHECK(s.last_read == -EPIPE || s.last_read == -ECONNRESET);
        c = client_of(&s);
        say(c, "GET /?held HTTP/1.1\r\nHost: a\r\n\r\n");
        while (s.requests == done)
                green_sleep(0);
        CHECK_INT(deferred, done);
        stop(&s);
        CHECK_INT(deferred, ++done);
        CHECK_INT(green_socket_free(c), 0);
}

static int
leave_for_good(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        (void)req;
        green_exit(NULL);
}

static void
an_application_may_end_its_green_thread(void)
{
        struct server s = {.opts.max_size = 1};

        serve(&s, leave_for_good);
        CHECK_STR(ask(&s, GET), "");
        CHECK_STR(ask(&s, GET), "");
        CHECK_INT(s.requests, 2);
        stop(&s);
}

static int
leave_the_body(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_add_post_hook(req, note, letters), 0);
        return green_wsgi_respond(req, 200, NULL, "ok", 2);
}

static void
a_bad_chunk_that_nobody_reads_ends_the_connection(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-44");
        order[0] = '\0';
        serve(&s, leave_the_body);
        answer = ask(&s, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" GET);
        CHECK_INT(count(answer, "HTTP/1.1"), 1);
        CHECK_STR(order, "a");
        CHECK(logged("malformed"));
        stop(&s);
}

static void
other_expectations_are_passed_over(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-59");
        serve(&s, hello);
        CHECK(begins(ask(&s, "GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n"), "HTTP/1.1 200 OK\r\n"));
        stop(&s);
}

static int
two_pieces(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_add_header(req, "x-case", "1"), 0);
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_collect(req, "a", 1), 0);
        CHECK_INT(green_wsgi_collect(req, "b", 1), 0);
        return 0;
}

static void
without_options_it_is_as_documented(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-02");
        serve(&s, two_pieces);
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1 200 OK\r\n"), 2);
        CHECK_INT(count(answer, "\r\nX-Case: 1\r\n"), 2);
        CHECK_INT(count(answer, "\r\n2\r\nab\r\n0\r\n"), 2);
        CHECK(logged("\"GET / HTTP/1.1\" 200 2 "));
        stop(&s);
}

/* ---- connections that become something else */

static int
become_an_echo(green_wsgi_request *req, void *arg)
{
        const void *data;
        char text[64];
        size_t len;
        ssize_t n;
        green_socket *socket;

        (void)arg;
        CHECK_INT(green_wsgi_add_header(req, "x-extra", "1"), 0);
        socket = green_wsgi_upgrade(req, "echo/1", &data, &len);
        if (!CHECK(socket != NULL))
                return green_wsgi_respond(req, 400, NULL, "", 0);
        CHECK(socket == green_wsgi_get_socket(req));
        memcpy(text, data, len);
        n = green_socket_recv(socket, text + len, sizeof text - len, 0);
        CHECK(n > 0);
        CHECK_INT(green_socket_sendall(socket, text, len + (size_t)n, 0, NULL), 0);
        CHECK_INT(green_wsgi_status(req), 101);
        CHECK_INT(green_wsgi_respond(req, 200, NULL, "no", 2), -EALREADY);
        return -EIO; /* which is not for the client any more */
}

static void
an_upgrade_takes_the_connection(void)
{
        struct server s = {0};
        green_socket *c;
        const char *answer;

        GREEN_COVERS("WSGI-54", "WSGI-91");
        serve(&s, become_an_echo);
        c = client_of(&s);
        say(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo/1\r\n\r\nGET / ");
        answer = until(c, "\r\n\r\n");
        CHECK_STR(answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo/1\r\nConnection: Upgrade\r\nX-Extra: 1\r\n\r\n");
        say(c, "HTTP/1.1\r\n\r\n");
        CHECK_STR(all_of(c), "GET / HTTP/1.1\r\n\r\n");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static int
upgrade_unasked(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK(green_wsgi_upgrade(req, "echo", NULL, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        return green_wsgi_respond(req, 426, NULL, "", 0);
}

static void
who_has_not_asked_for_it_is_not_upgraded(void)
{
        struct server s = {0};

        serve(&s, upgrade_unasked);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 426 Upgrade Required\r\n"));
        stop(&s);
}

static int
take_over(green_wsgi_request *req, void *arg)
{
        green_socket *socket;

        (void)arg;
        socket = green_wsgi_take_over(req, NULL, NULL);
        if (!CHECK(socket != NULL))
                return -EIO;
        CHECK_INT(green_socket_sendall(socket, "my own words", 12, 0, NULL), 0);
        CHECK(green_wsgi_take_over(req, NULL, NULL) == NULL);
        CHECK_INT(errno, EALREADY);
        return 0;
}

static void
who_takes_over_says_it_all(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-91");
        serve(&s, take_over);
        CHECK_STR(ask(&s, GET), "my own words");
        stop(&s);
}

/* ---- answers do not wait for those behind them */

static int
first_quick_then_slow(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        struct green_wait w;

        if (s->requests++ == 1)
                CHECK_INT(green_park(&s->hold, &w, 5), 0);
        return green_wsgi_respond(req, 200, NULL, "Hello", 5);
}

static void
an_answer_does_not_wait_for_the_request_behind_it(void)
{
        struct server s = {0};
        green_socket *c;

        GREEN_COVERS("WSGI-41");
        serve(&s, first_quick_then_slow);
        c = client_of(&s);
        say(c, GET GET GET);
        until(c, "Hello"); /* while the second is inside */
        CHECK_INT(s.requests, 2);
        green_wake_all(&s.hold, 0);
        until(c, "Hello");
        until(c, "Hello");
        CHECK_INT(s.requests, 3);
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

GREEN_SUITE(web_wsgi_after) {
        GREEN_TEST(hooks_run_after_the_response_whatever_it_was),
        GREEN_TEST(nothing_of_a_request_is_left_for_the_next),
        GREEN_TEST(what_is_deferred_runs_however_a_request_ends),
        GREEN_TEST(an_application_may_end_its_green_thread),
        GREEN_TEST(a_bad_chunk_that_nobody_reads_ends_the_connection),
        GREEN_TEST(other_expectations_are_passed_over),
        GREEN_TEST(without_options_it_is_as_documented),
        GREEN_TEST(an_upgrade_takes_the_connection),
        GREEN_TEST(who_has_not_asked_for_it_is_not_upgraded),
        GREEN_TEST(who_takes_over_says_it_all),
        GREEN_TEST(an_answer_does_not_wait_for_the_request_behind_it),
        GREEN_SUITE_END
};
