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
        GREEN_TEST(a_request_on_its_way_is_answered_at_the_end),
        GREEN_TEST(patience_with_those_at_rest_ends),
        GREEN_SUITE_END
};
