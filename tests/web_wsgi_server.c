/*
 * The HTTP server as a whole: who may run and how many, time limits, its figures, its options, and its end.
 */
#include "web_suite.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <green/greenpool.h>

static int
hello(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

static void
wait_for(const int *value, int want)
{
        while (*value < want)
                green_sleep(0);
}

/* Let others run until nothing more comes of it. */
static void
settle(void)
{
        for (int i = 0; i < 200; i++)
                green_sleep(0);
}

/* ---- slots */

static void
slots_go_round_in_turn(void)
{
        struct green_wsgi_stats stats;
        struct server s = {.opts = {.max_size = 2, .stats = &stats}};
        green_socket *c[6];

        GREEN_COVERS("WSGI-04");
        serve(&s, held);
        /* All are accepted before the first asks. */
        for (int i = 0; i < 6; i++)
                c[i] = client_of(&s);
        while (stats.accepted < 6)
                green_sleep(0);
        for (int i = 0; i < 6; i++)
                say(c[i], GET);
        wait_for(&s.running, 2);
        settle();
        CHECK_INT(s.running, 2);
        CHECK_INT(stats.running, 2);
        CHECK_INT(stats.connections, 6);
        for (int i = 2; i <= 6; i++) {
                struct green_wait *first = green_waitq_first(&s.hold);

                if (!CHECK(first != NULL))
                        break;
                green_wake(first, 0);
                wait_for(&s.requests, i < 6 ? i + 1 : 6);
        }
        green_wake_all(&s.hold, 0);
        for (int i = 0; i < 6; i++) {
                until(c[i], "Hello");
                CHECK_INT(green_socket_free(c[i]), 0);
        }
        CHECK_INT(s.most, 2);
        CHECK_INT(s.requests, 6);
        stop(&s);
}

static void
nothing_is_accepted_while_all_slots_are_taken(void)
{
        struct green_wsgi_stats stats;
        struct server s = {.opts = {.max_size = 1, .stats = &stats}};
        green_socket *c[3];

        GREEN_COVERS("WSGI-04");
        serve(&s, held);
        c[0] = client_of(&s);
        say(c[0], GET);
        wait_for(&s.running, 1);
        for (int i = 1; i < 3; i++) {
                c[i] = client_of(&s);
                say(c[i], GET);
        }
        settle();
        /* One may have been on its way in. */
        CHECK(stats.accepted <= 2);
        for (int i = 0; i < 3; i++) {
                wait_for(&s.requests, i + 1);
                green_wake_all(&s.hold, 0);
        }
        for (int i = 0; i < 3; i++) {
                until(c[i], "Hello");
                CHECK_INT(green_socket_free(c[i]), 0);
        }
        CHECK_INT(s.most, 1);
        CHECK_INT(stats.accepted, 3);
        stop(&s);
}

static void
a_slow_head_takes_no_slot(void)
{
        struct server s = {.opts.max_size = 1};
        green_socket *slow, *quick;

        GREEN_COVERS("WSGI-01");
        serve(&s, hello);
        slow = client_of(&s);
        say(slow, "GET / HTT");
        settle();
        quick = client_of(&s);
        say(quick, GET);
        until(quick, "Hello");
        say(slow, "P/1.1\r\nHost: a\r\n\r\n");
        until(slow, "Hello");
        CHECK_INT(green_socket_free(slow), 0);
        CHECK_INT(green_socket_free(quick), 0);
        stop(&s);
}

static void
requests_run_in_a_pool_of_the_callers(void)
{
        green_greenpool *pool = green_greenpool_new(2);
        struct server s = {.opts = {.max_size = 1, .custom_pool = pool}};
        green_socket *c[4];

        GREEN_COVERS("WSGI-03");
        serve(&s, held);
        for (int i = 0; i < 4; i++) {
                c[i] = client_of(&s);
                say(c[i], GET);
        }
        wait_for(&s.running, 2);
        settle();
        CHECK_INT(s.running, 2);
        CHECK_INT(green_greenpool_running(pool), 2);
        for (int i = 0; i < 4; i++) {
                wait_for(&s.requests, i < 2 ? 2 : i + 1);
                green_wake_all(&s.hold, 0);
                settle();
        }
        for (int i = 0; i < 4; i++) {
                until(c[i], "Hello");
                CHECK_INT(green_socket_free(c[i]), 0);
        }
        CHECK_INT(s.most, 2);
        CHECK_INT(s.requests, 4);
        stop(&s);
        CHECK_INT(green_greenpool_waitall(pool, GREEN_FOREVER), 0);
        CHECK_INT(green_greenpool_free(pool), 0);
}

/* What had come before is served at the end, also what had to wait for its turn. */
static void
requests_that_wait_for_a_slot_are_answered_at_the_end(void)
{
        struct green_wsgi_stats stats;
        struct server s = {.opts = {.max_size = 1, .shutdown_timeout = 10, .stats = &stats}};
        green_socket *c[4];

        serve(&s, held);
        for (int i = 0; i < 4; i++)
                c[i] = client_of(&s);
        while (stats.accepted < 4)
                green_sleep(0);
        for (int i = 0; i < 4; i++)
                say(c[i], GET);
        wait_for(&s.running, 1);
        settle();
        CHECK_INT(green_kill(s.thread, 0), 0);
        settle();
        for (int i = 0; i < 4; i++) {
                wait_for(&s.requests, i + 1);
                green_wake_all(&s.hold, 0);
                settle();
        }
        for (int i = 0; i < 4; i++) {
                until(c[i], "Hello");
                CHECK_INT(green_socket_free(c[i]), 0);
        }
        stop(&s);
        CHECK_INT(s.requests, 4);
}

static void
a_full_pool_does_not_keep_the_server_from_its_end(void)
{
        green_greenpool *pool = green_greenpool_new(1);
        struct server s = {.opts = {.custom_pool = pool, .shutdown_timeout = 0.05}};
        green_socket *c[2];

        GREEN_COVERS("WSGI-03", "WSGI-09");
        serve(&s, held);
        for (int i = 0; i < 2; i++) {
                c[i] = client_of(&s);
                say(c[i], GET);
        }
        wait_for(&s.running, 1);
        settle();
        stop(&s);
        CHECK_INT(s.running, 0);
        CHECK_INT(s.requests, 1);
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_socket_free(c[i]), 0);
        CHECK_INT(green_greenpool_free(pool), 0);
}

/* ---- connections */

static void
the_one_that_rests_for_longest_makes_room(void)
{
        struct green_wsgi_stats stats;
        struct server s = {.opts = {.max_connections = 2, .stats = &stats}};
        green_socket *c[3];

        serve(&s, hello);
        for (int i = 0; i < 2; i++) {
                c[i] = client_of(&s);
                say(c[i], GET);
                until(c[i], "Hello");
        }
        /* The first rests for less long than the second now. */
        say(c[0], GET);
        until(c[0], "Hello");
        c[2] = client_of(&s);
        say(c[2], GET);
        until(c[2], "Hello");
        CHECK_STR(all_of(c[1]), "");
        say(c[0], GET);
        until(c[0], "Hello");
        CHECK_INT(stats.connections, 2);
        CHECK_INT(stats.accepted, 3);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_socket_free(c[i]), 0);
        stop(&s);
}

static void
without_one_that_rests_nothing_is_accepted(void)
{
        struct green_wsgi_stats stats;
        struct server s = {.opts = {.max_connections = 1, .stats = &stats}};
        green_socket *first, *second;

        serve(&s, held);
        first = client_of(&s);
        say(first, GET);
        wait_for(&s.running, 1);
        second = client_of(&s);
        say(second, GET);
        settle();
        CHECK_INT(stats.accepted, 1);
        green_wake_all(&s.hold, 0);
        until(first, "Hello");
        wait_for(&s.requests, 2);
        green_wake_all(&s.hold, 0);
        until(second, "Hello");
        CHECK_INT(green_socket_free(first), 0);
        CHECK_INT(green_socket_free(second), 0);
        stop(&s);
}

static void
without_descriptors_it_waits_for_some(void)
{
        struct server s = {0};
        struct rlimit was, few;
        green_socket *c = green_socket_new(AF_INET, SOCK_STREAM, 0);
        struct green_addr addr;
        int next;

        GREEN_COVERS("WSGI-12");
        serve(&s, hello);
        CHECK_INT(green_addr_parse(s.address, &addr), 0);
        CHECK_INT(green_socket_set_timeout(c, 5 * suite_slow()), 0);
        next = dup(0);
        close(next);
        CHECK_INT(getrlimit(RLIMIT_NOFILE, &was), 0);
        few = was;
        few.rlim_cur = (rlim_t)next;
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
        CHECK_INT(green_socket_connect(c, &addr), 0);
        say(c, GET);
        while (!logged("no more connections for now"))
                green_sleep(0);
        CHECK_INT(s.requests, 0);
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &was), 0);
        until(c, "Hello");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static void
its_figures_are_right(void)
{
        struct green_wsgi_stats stats = {.requests = 99};
        struct server s = {.opts.stats = &stats};
        green_socket *c;
        const char *answer;
        size_t out;

        serve(&s, hello);
        CHECK_INT(stats.requests, 0);
        c = client_of(&s);
        say(c, GET);
        answer = until(c, "Hello");
        out = strlen(answer);
        while (stats.idle < 1)
                green_sleep(0);
        CHECK_INT(stats.connections, 1);
        CHECK_INT(stats.running, 0);
        CHECK_INT(stats.accepted, 1);
        CHECK_INT(stats.requests, 1);
        CHECK_INT(stats.refused, 0);
        CHECK_INT(stats.bytes_in, sizeof GET - 1);
        CHECK_INT(stats.bytes_out, out);
        say(c, "GARBAGE\r\n\r\n");
        all_of(c);
        CHECK_INT(green_socket_free(c), 0);
        while (stats.connections > 0)
                green_sleep(0);
        CHECK_INT(stats.requests, 2);
        CHECK_INT(stats.refused, 1);
        CHECK_INT(stats.failed, 0);
        stop(&s);
}

/* ---- time */

static int
read_all(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        ssize_t n;

        s->requests++;
        while ((n = green_wsgi_read(req, s->body, sizeof s->body)) > 0)
                ;
        s->last_read = n;
        return n < 0 ? (int)n : green_wsgi_respond(req, 200, NULL, "Hello", 5);
}

static void
a_read_that_takes_too_long_ends_the_connection(void)
{
        struct server s = {.opts.socket_timeout = 0.03};
        green_socket *c;

        GREEN_COVERS("WSGI-40");
        serve(&s, read_all);
        c = client_of(&s);
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
        CHECK(begins(all_of(c), "HTTP/1.1 408 Request Timeout\r\n"));
        CHECK_INT(s.last_read, -ETIMEDOUT);
        CHECK_INT(green_socket_free(c), 0);
        c = client_of(&s);
        say(c, "GET / HT");
        CHECK_STR(all_of(c), "");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

/* TCP_QUICKACK, which eventlet sets too, lasts no longer than Linux answers at once anyway on a new connection. */
static int
look_at_the_socket(green_wsgi_request *req, void *arg)
{
        green_socket *socket = green_wsgi_get_socket(req);
        struct server *s = arg;
        socklen_t size = sizeof s->most;

        CHECK(green_socket_get_timeout(socket) == (s->opts.socket_timeout > 0 ? s->opts.socket_timeout : GREEN_FOREVER));
        CHECK_INT(green_socket_getsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &s->most, &size), 0);
        CHECK(s->most != 0);
        return green_wsgi_respond(req, 200, NULL, "Hello", 5);
}

static void
what_is_accepted_has_the_time_limit_and_does_not_wait_to_send(void)
{
        struct server s = {.opts.socket_timeout = 7};

        GREEN_COVERS("WSGI-18");
        serve(&s, look_at_the_socket);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 200 "));
        stop(&s);
        s = (struct server){0};
        serve(&s, look_at_the_socket);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 200 "));
        stop(&s);
}

static void
rest_has_a_time_limit_of_its_own(void)
{
        struct server s = {.opts = {.keepalive = 0.2 * suite_slow(), .socket_timeout = 20 * suite_slow()}};
        green_socket *c;

        GREEN_COVERS("WSGI-39");
        serve(&s, hello);
        c = client_of(&s);
        say(c, GET);
        until(c, "Hello");
        CHECK_STR(all_of(c), "");
        CHECK_INT(green_socket_free(c), 0);
        /* Also before the first request. */
        c = client_of(&s);
        CHECK_STR(all_of(c), "");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

/* ---- its end */

static void
its_end_is_told_to_who_asked(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        CHECK(green_wsgi_closing(req));
        s->length++;
        green_wake_all(&s->hold, 0);
}

static int
ask_to_be_told(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        CHECK(!green_wsgi_closing(req));
        green_wsgi_set_on_closing(req, its_end_is_told_to_who_asked, s);
        return held(req, arg);
}

static void
who_lives_long_is_told_of_the_end(void)
{
        struct server s = {0};
        green_socket *c;
        const char *answer;

        GREEN_COVERS("WSGI-07", "WSGI-11");
        serve(&s, ask_to_be_told);
        c = client_of(&s);
        say(c, GET);
        wait_for(&s.running, 1);
        stop(&s);
        CHECK_INT(s.length, 1);
        answer = all_of(c);
        CHECK(begins(answer, "HTTP/1.1 200 OK\r\n"));
        CHECK_INT(count(answer, "Connection: close\r\n"), 1);
        CHECK_INT(green_socket_free(c), 0);
}

static int
count_as_idle(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        char byte;

        s->requests++;
        green_wsgi_set_idle(req);
        if (!CHECK(green_wsgi_take_over(req, NULL, NULL) != NULL))
                return -EIO;
        s->last_read = green_socket_recv(green_wsgi_get_socket(req), &byte, 1, 0);
        return 0;
}

static void
who_counts_as_idle_is_closed_at_once(void)
{
        struct server s = {.opts.shutdown_timeout = GREEN_FOREVER};
        green_socket *c;

        GREEN_COVERS("WSGI-66");
        s.last_read = 99;
        serve(&s, count_as_idle);
        c = client_of(&s);
        say(c, GET);
        wait_for(&s.requests, 1);
        stop(&s);
        CHECK_INT(s.last_read, 0);
        CHECK_INT(green_socket_free(c), 0);
}

static void
a_dup_of_the_listener_stays_open(void)
{
        struct server s = {0};
        green_socket *dup, *c, *accepted;

        GREEN_COVERS("WSGI-05");
        serve(&s, hello);
        dup = green_socket_dup(s.listener);
        if (!CHECK(dup != NULL))
                return;
        stop(&s);
        c = client_of(&s);
        accepted = green_socket_accept(dup, NULL);
        CHECK(accepted != NULL);
        CHECK_INT(green_socket_free(accepted), 0);
        CHECK_INT(green_socket_free(c), 0);
        CHECK_INT(green_socket_free(dup), 0);
}

static void
closing_the_listener_ends_it(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-13");
        serve(&s, hello);
        ask(&s, GET);
        CHECK_INT(green_socket_close(s.listener), 0);
        CHECK_INT(green_thread_wait(s.thread, NULL), 0);
        CHECK(s.rc == -ECANCELED || s.rc == -EBADF);
        green_thread_unref(s.thread);
        CHECK_INT(green_socket_free(s.listener), 0);
}

static void
a_timeout_around_it_ends_it(void)
{
        struct server s = {0};
        struct green_timeout t;

        GREEN_COVERS("WSGI-07", "WSGI-08");
        s.listener = listen_here(s.address);
        s.opts.size = sizeof s.opts;
        CHECK_INT(green_timeout_start(&t, 0.01), 0);
        CHECK_INT(green_wsgi_server(s.listener, hello, &s, &s.opts), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_socket_free(s.listener), 0);
}

static void
connections_of_a_unix_socket_are_told_apart(void)
{
        struct server s = {.opts.shutdown_timeout = GREEN_FOREVER};
        green_socket *c[3];
        char path[64], url[80];

        GREEN_COVERS("WSGI-10", "WSGI-17");
        snprintf(path, sizeof path, "/tmp/green-web-%d", (int)getpid());
        snprintf(url, sizeof url, "unix:%s", path);
        (void)unlink(path);
        s.listener = green_listen(url, NULL);
        if (!CHECK(s.listener != NULL))
                return;
        snprintf(s.address, sizeof s.address, "%s", url);
        s.app = hello;
        s.opts.size = sizeof s.opts;
        s.thread = green_spawn(server_main, &s);
        for (int i = 0; i < 3; i++) {
                c[i] = client_of(&s);
                say(c[i], GET);
                until(c[i], "Hello");
        }
        /* All three rest, and all three are closed. */
        stop(&s);
        for (int i = 0; i < 3; i++) {
                CHECK_STR(all_of(c[i]), "");
                CHECK_INT(green_socket_free(c[i]), 0);
        }
        (void)unlink(path);
}

static void
a_bad_option_leaves_the_listener_open(void)
{
        struct green_wsgi_server_opts good = {.size = sizeof good}, opts;
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);

#define CHECK_BAD(field, value)                                                                                        \
        (opts = good, opts.field = (value), CHECK_INT(green_wsgi_server(listener, hello, NULL, &opts), -EINVAL))
        CHECK_BAD(keepalive, -2);
        CHECK_BAD(socket_timeout, -1);
        CHECK_BAD(header_timeout, -1);
        CHECK_BAD(shutdown_timeout, -1);
        CHECK_BAD(min_body_rate, -1);
        CHECK_BAD(max_http_version, 20);
        CHECK_BAD(max_fields, 100);
        CHECK(green_socket_fd(listener) != GREEN_INVALID_FD);
        CHECK_INT(green_socket_free(listener), 0);
}

/* ---- the end of a connection */

/* A client that said so sends nothing more, and need not be waited for; it may take its time to close. */
static void
who_asked_for_the_close_is_not_waited_for(void)
{
        struct green_wsgi_stats stats;
        struct server s = {.opts.stats = &stats};
        green_socket *c;
        struct green_timeout t;

        serve(&s, hello);
        c = client_of(&s);
        say(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        until(c, "Hello");
        /* Otherwise a client gets 2 s. */
        CHECK_INT(green_timeout_start(&t, 1.5), 0);
        while (stats.connections > 0 && green_sleep(0.01) == 0) {
        }
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

GREEN_SUITE(web_wsgi_server) {
        GREEN_TEST(slots_go_round_in_turn),
        GREEN_TEST(requests_that_wait_for_a_slot_are_answered_at_the_end),
        GREEN_TEST(nothing_is_accepted_while_all_slots_are_taken),
        GREEN_TEST(a_slow_head_takes_no_slot),
        GREEN_TEST(requests_run_in_a_pool_of_the_callers),
        GREEN_TEST(a_full_pool_does_not_keep_the_server_from_its_end),
        GREEN_TEST(the_one_that_rests_for_longest_makes_room),
        GREEN_TEST(without_one_that_rests_nothing_is_accepted),
        GREEN_TEST(without_descriptors_it_waits_for_some),
        GREEN_TEST(its_figures_are_right),
        GREEN_TEST(who_asked_for_the_close_is_not_waited_for),
        GREEN_TEST(a_read_that_takes_too_long_ends_the_connection),
        GREEN_TEST(what_is_accepted_has_the_time_limit_and_does_not_wait_to_send),
        GREEN_TEST(rest_has_a_time_limit_of_its_own),
        GREEN_TEST(who_lives_long_is_told_of_the_end),
        GREEN_TEST(who_counts_as_idle_is_closed_at_once),
        GREEN_TEST(a_dup_of_the_listener_stays_open),
        GREEN_TEST(closing_the_listener_ends_it),
        GREEN_TEST(a_timeout_around_it_ends_it),
        GREEN_TEST(connections_of_a_unix_socket_are_told_apart),
        GREEN_TEST(a_bad_option_leaves_the_listener_open),
        GREEN_SUITE_END
};
