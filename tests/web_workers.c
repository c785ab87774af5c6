/*
 * The HTTP server in several OS threads, and the end of one that is told to be patient.
 */
#include "web_suite.h"

#include <pthread.h>

enum { CLIENTS = 32 };

/* Which OS threads have answered: a small number for each. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t seen[8];
static int answers[8], threads_seen;

static int
count_thread(green_wsgi_request *req, void *arg)
{
        int i = 0;

        (void)arg;
        pthread_mutex_lock(&lock);
        while (i < threads_seen && !pthread_equal(seen[i], pthread_self()))
                i++;
        if (i == threads_seen && i < 7)
                seen[threads_seen++] = pthread_self();
        answers[i]++;
        pthread_mutex_unlock(&lock);
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

static void
workers_share_the_connections(void)
{
        struct green_wsgi_stats stats;
        struct server s = {.opts = {.workers = 2, .stats = &stats}};
        green_socket *c[CLIENTS];

        threads_seen = 0;
        memset(answers, 0, sizeof answers);
        serve(&s, count_thread);
        for (int i = 0; i < CLIENTS; i++)
                c[i] = client_of(&s);
        for (int round = 0; round < 10; round++) {
                for (int i = 0; i < CLIENTS; i++)
                        say(c[i], GET);
                for (int i = 0; i < CLIENTS; i++)
                        until(c[i], "Hello");
        }
        CHECK_INT(threads_seen, 2);
        CHECK_INT(answers[0] + answers[1], 10 * CLIENTS);
        CHECK_RANGE(answers[0], 0.4 * 10 * CLIENTS, 0.6 * 10 * CLIENTS);
        for (int i = 0; i < CLIENTS; i++)
                CHECK_INT(green_socket_free(c[i]), 0);
        stop(&s);
        CHECK_INT(stats.accepted, CLIENTS);
        CHECK_INT(stats.requests, 10 * CLIENTS);
        CHECK_INT(stats.connections, 0);
}

static void
workers_want_no_pool_of_their_own(void)
{
        struct server s = {.opts = {.size = sizeof s.opts, .workers = 2}};

        s.listener = listen_here(s.address);
        s.opts.custom_pool = green_greenpool_new(4);
        CHECK_INT(green_wsgi_server(s.listener, count_thread, NULL, &s.opts), -EINVAL);
        green_greenpool_free(s.opts.custom_pool);
        CHECK_INT(green_socket_free(s.listener), 0);
}

/* Whoever looks at them first, the listener is the caller's. */
static void
what_is_wrong_leaves_the_listener_open(void)
{
        static const char *const proxies[] = {"no address", NULL};
        struct server s = {.opts = {.size = sizeof s.opts, .workers = 4, .trusted_proxies = proxies}};

        s.listener = listen_here(s.address);
        for (int i = 0; i < 20; i++) {
                CHECK_INT(green_wsgi_server(s.listener, count_thread, NULL, &s.opts), -EINVAL);
                CHECK(strstr(green_last_error()->message, "no address") != NULL);
                CHECK(green_socket_fd(s.listener) != GREEN_INVALID_FD);
        }
        CHECK_INT(green_socket_free(s.listener), 0);
}

/* As a worker's listener where the end comes before it has begun to serve. */
static void
a_listener_that_was_stopped_before_ends_the_server(void)
{
        for (size_t workers = 1; workers <= 2; workers++) {
                struct server s = {.opts = {.size = sizeof s.opts, .workers = workers}};

                s.listener = listen_here(s.address);
                CHECK(green_socket_accepts(s.listener));
                CHECK_INT(green_socket_stop_accepting(s.listener), 0);
                CHECK(!green_socket_accepts(s.listener));
                CHECK_INT(green_wsgi_server(s.listener, count_thread, NULL, &s.opts), -ECANCELED);
                CHECK_INT(green_socket_free(s.listener), 0);
        }
}

/* ---- who has written a line of the log */

static char lines[16384];

static void
take_lines(void *arg, const char *text, size_t len)
{
        size_t have;

        (void)arg;
        pthread_mutex_lock(&lock);
        have = strlen(lines);
        snprintf(lines + have, sizeof lines - have, "%.*s", (int)len, text);
        pthread_mutex_unlock(&lock);
}

/* Requests on so many connections, which two OS threads share. */
static void
ask_both(struct server *s)
{
        green_socket *c[CLIENTS];

        threads_seen = 0;
        lines[0] = '\0';
        serve(s, count_thread);
        for (int i = 0; i < CLIENTS; i++) {
                c[i] = client_of(s);
                say(c[i], GET);
                until(c[i], "Hello");
        }
        CHECK_INT(threads_seen, s->opts.workers > 1 ? 2 : 1);
        for (int i = 0; i < CLIENTS; i++)
                CHECK_INT(green_socket_free(c[i]), 0);
        stop(s);
}

static void
lines_of_the_log_say_which_worker(void)
{
        struct server s = {.opts = {.workers = 2, .log = take_lines}};
        int of[2];

        ask_both(&s);
        CHECK_INT(count(lines, "worker 0: ("), 2); /* its beginning and its end */
        CHECK_INT(count(lines, "worker 1: ("), 2);
        of[0] = count(lines, "worker 0: 127.0.0.1 - - [");
        of[1] = count(lines, "worker 1: 127.0.0.1 - - [");
        CHECK_INT(of[0] + of[1], CLIENTS);
        CHECK(of[0] > 0 && of[1] > 0);
        CHECK_INT(count(lines, "\n"), CLIENTS + 4);

        s = (struct server){.opts = {.workers = 2, .log = take_lines, .log_format = "%(worker)s|%(worker)j"}};
        ask_both(&s);
        CHECK_INT(count(lines, "0|0\n") + count(lines, "1|1\n"), CLIENTS);

        s = (struct server){.opts = {.log = take_lines, .log_format = "%(worker)s|%(worker)j"}};
        ask_both(&s);
        CHECK_INT(count(lines, "-|null\n"), CLIENTS);

        s = (struct server){.opts = {.log = take_lines}};
        ask_both(&s);
        CHECK_INT(count(lines, "worker"), 0);
}

/* ---- figures */

/* In any of the OS threads: those of the others are never more than the sums will be. */
static int
show_sums(green_wsgi_request *req, void *arg)
{
        const struct server *s = arg;
        uint64_t requests = __atomic_load_n(&s->opts.stats->requests, __ATOMIC_RELAXED);

        return green_wsgi_respond(req, 200, "text/plain", requests <= (uint64_t)10 * CLIENTS ? "Hello" : "wrong", 5);
}

static void
figures_may_be_read_by_any_worker(void)
{
        struct green_wsgi_stats stats;
        struct server s = {.opts = {.workers = 2, .stats = &stats, .no_log_output = true}};
        green_socket *c[CLIENTS];

        serve(&s, show_sums);
        for (int i = 0; i < CLIENTS; i++)
                c[i] = client_of(&s);
        for (int round = 0; round < 10; round++) {
                for (int i = 0; i < CLIENTS; i++)
                        say(c[i], GET);
                for (int i = 0; i < CLIENTS; i++)
                        until(c[i], "Hello");
                /* They are summed up ten times a second. */
                if (round % 5 == 4)
                        while (stats.requests < (uint64_t)(round + 1) * CLIENTS && suite_failures() == 0)
                                green_sleep(0.01);
        }
        CHECK_INT(stats.connections, CLIENTS);
        for (int i = 0; i < CLIENTS; i++)
                CHECK_INT(green_socket_free(c[i]), 0);
        stop(&s);
        CHECK_INT(stats.requests, 10 * CLIENTS);
        CHECK_INT(stats.connections, 0);
        CHECK_INT(stats.idle, 0);
        CHECK_INT(stats.running, 0);
}

/* ---- the end */

/* A request that comes after the end has begun, on a connection that was there, is answered, and is the last. */
static void
a_request_on_its_way_is_answered_at_the_end(void)
{
        struct server s = {.opts = {.drain_idle = 20}};
        green_socket *c[2];

        serve(&s, count_thread);
        for (int i = 0; i < 2; i++) {
                c[i] = client_of(&s);
                say(c[i], GET);
                until(c[i], "Hello");
        }
        green_kill(s.thread, 0);
        green_sleep(0.05);
        for (int i = 0; i < 2; i++) {
                const char *text;

                say(c[i], GET);
                text = all_of(c[i]);
                CHECK(strstr(text, "200 OK") != NULL);
                CHECK(strstr(text, "Connection: close") != NULL);
                CHECK_INT(green_socket_free(c[i]), 0);
        }
        CHECK_INT(green_thread_wait(s.thread, NULL), GREEN_EKILLED);
        green_thread_unref(s.thread);
        CHECK_INT(green_socket_free(s.listener), 0);
}

static void
patience_with_those_at_rest_ends(void)
{
        struct server s = {.opts = {.drain_idle = 0.1}};
        green_socket *c;

        serve(&s, count_thread);
        c = client_of(&s);
        say(c, GET);
        until(c, "Hello");
        green_kill(s.thread, 0);
        CHECK_STR(all_of(c), "");
        CHECK_INT(green_thread_wait(s.thread, NULL), GREEN_EKILLED);
        CHECK_INT(green_socket_free(c), 0);
        green_thread_unref(s.thread);
        CHECK_INT(green_socket_free(s.listener), 0);
}

GREEN_SUITE(web_workers) {
        GREEN_TEST(workers_share_the_connections),
        GREEN_TEST(workers_want_no_pool_of_their_own),
        GREEN_TEST(what_is_wrong_leaves_the_listener_open),
        GREEN_TEST(a_listener_that_was_stopped_before_ends_the_server),
        GREEN_TEST(lines_of_the_log_say_which_worker),
        GREEN_TEST(figures_may_be_read_by_any_worker),
        GREEN_TEST(a_request_on_its_way_is_answered_at_the_end),
        GREEN_TEST(patience_with_those_at_rest_ends),
        GREEN_SUITE_END
};
