/*
 * Connections of the HTTP client: kept, shared, limited, handed over; stale ones.
 */
#include "web_client.h"

static int
hello(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        s->running++;
        if (s->running > s->most)
                s->most = s->running;
        (void)green_sleep(0.001);
        s->running--;
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

struct job {
        green_http_client *client;
        const char *url;
        int rc, times;
        int *turn, order;
};

static void *
job_main(void *arg)
{
        struct job *j = arg;

        for (int i = 0; i < j->times; i++) {
                j->rc = get(j->client, j->url, "Hello");
                if (j->rc != 200)
                        break;
        }
        if (j->turn != NULL)
                j->order = (*j->turn)++;
        return NULL;
}

static void
url_of(char url[GREEN_ADDR_TEXT_SIZE + 16], const struct server *s)
{
        snprintf(url, GREEN_ADDR_TEXT_SIZE + 16, "http://%s/", s->address);
}

static void
a_connection_is_used_again(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {
                .turns = {{.answer = OK_5},
                          {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n"},
                          {.answer = OK_5}}};

        peer_start(&p);
        for (int i = 0; i < 3; i++)
                CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(p.connections, 1);
        CHECK(strstr(p.asked[2], "GET / HTTP/1.1\r\nHost: ") == p.asked[2]);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
one_that_says_close_is_not(void)
{
        static const char *const first[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nHello",
                                            "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nHello"};

        for (size_t i = 0; i < 2; i++) {
                green_http_client *c = green_http_client_new(NULL);
                struct peer p = {.turns = {{.answer = first[i]}, {.answer = OK_5}}};

                peer_start(&p);
                CHECK_INT(get(c, p.url, "Hello"), 200);
                CHECK_INT(get(c, p.url, "Hello"), 200);
                CHECK_INT(p.connections, 2);
                green_http_client_free(c);
                peer_stop(&p);
        }
}

static void
a_body_that_is_not_read_ends_its_connection_unless_it_is_there(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = OK_5},
                                   {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello"},
                                   {.answer = OK_5}}};
        green_http_response *res = NULL;

        peer_start(&p);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(green_http_get(c, p.url, NULL, &res), 0);
                green_http_response_free(res);
        }
        CHECK_INT(p.connections, 1);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(p.connections, 2);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
so_many_at_once_and_no_more(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_per_host = 3};
        green_http_client *c = green_http_client_new(&opts);
        struct server s = {0};
        char url[GREEN_ADDR_TEXT_SIZE + 16];
        struct job jobs[20];
        green_thread *gts[20];

        serve(&s, hello);
        url_of(url, &s);
        for (int i = 0; i < 20; i++) {
                jobs[i] = (struct job){c, url, 0, 5, NULL, 0};
                gts[i] = green_spawn(job_main, &jobs[i]);
        }
        for (int i = 0; i < 20; i++) {
                CHECK_INT(green_thread_wait(gts[i], NULL), 0);
                green_thread_unref(gts[i]);
                CHECK_INT(jobs[i].rc, 200);
        }
        CHECK_INT(s.requests, 100);
        CHECK_INT(s.most, 3);
        green_http_client_free(c);
        stop(&s);
}

static void
who_waits_is_served_in_order_and_may_be_killed(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_per_host = 1};
        green_http_client *c = green_http_client_new(&opts);
        struct server s = {0};
        char url[GREEN_ADDR_TEXT_SIZE + 16];
        struct job jobs[6];
        green_thread *gts[6];
        int turn = 0;

        serve(&s, hello);
        url_of(url, &s);
        for (int i = 0; i < 6; i++) {
                jobs[i] = (struct job){c, url, 0, 1, &turn, -1};
                gts[i] = green_spawn(job_main, &jobs[i]);
                green_sleep(0);
        }
        green_kill(gts[2], 0);
        for (int i = 0; i < 6; i++) {
                CHECK_INT(green_thread_wait(gts[i], NULL), i == 2 ? GREEN_EKILLED : 0);
                green_thread_unref(gts[i]);
                CHECK_INT(jobs[i].rc, i == 2 ? GREEN_EKILLED : 200);
        }
        CHECK_INT(jobs[0].order, 1);
        CHECK_INT(jobs[2].order, 0);
        for (int i = 3; i < 6; i++)
                CHECK_INT(jobs[i].order, i);
        CHECK_INT(s.requests, 5);
        green_http_client_free(c);
        stop(&s);
}

/* The place of one that is handed over and killed at once is not lost. */
static void
no_slot_is_lost(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_per_host = 2};
        green_http_client *c = green_http_client_new(&opts);
        struct server s = {0};
        char url[GREEN_ADDR_TEXT_SIZE + 16];
        unsigned seed = 1;

        serve(&s, hello);
        url_of(url, &s);
        for (int round = 0; round < 20; round++) {
                struct job jobs[8];
                green_thread *gts[8];

                for (int i = 0; i < 8; i++) {
                        jobs[i] = (struct job){c, url, 0, 3, NULL, 0};
                        gts[i] = green_spawn(job_main, &jobs[i]);
                }
                for (int i = 0; i < 12; i++) {
                        seed = seed * 1103515245 + 12345;
                        green_sleep((seed >> 16) % 4 * 0.0003);
                        green_kill(gts[(seed >> 20) % 8], 0);
                }
                for (int i = 0; i < 8; i++) {
                        (void)!green_thread_wait(gts[i], NULL);
                        green_thread_unref(gts[i]);
                        CHECK(jobs[i].rc == 200 || jobs[i].rc == GREEN_EKILLED || jobs[i].rc == 0);
                }
        }
        /* Requests of those that were killed may still be answered. */
        while (s.running > 0)
                green_sleep(0.001);
        s.most = 0;
        {
                struct job jobs[4];
                green_thread *gts[4];

                for (int i = 0; i < 4; i++) {
                        jobs[i] = (struct job){c, url, 0, 2, NULL, 0};
                        gts[i] = green_spawn(job_main, &jobs[i]);
                }
                for (int i = 0; i < 4; i++) {
                        CHECK_INT(green_thread_wait(gts[i], NULL), 0);
                        green_thread_unref(gts[i]);
                        CHECK_INT(jobs[i].rc, 200);
                }
        }
        CHECK_INT(s.most, 2);
        green_http_client_free(c);
        stop(&s);
}

static void
the_limit_of_all_is_shared_among_hosts(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_connections = 2};
        green_http_client *c = green_http_client_new(&opts);
        struct server servers[4] = {{0}};
        char urls[4][GREEN_ADDR_TEXT_SIZE + 16];
        struct job jobs[16];
        green_thread *gts[16];

        for (int i = 0; i < 4; i++) {
                serve(&servers[i], hello);
                url_of(urls[i], &servers[i]);
        }
        for (int i = 0; i < 16; i++) {
                jobs[i] = (struct job){c, urls[i % 4], 0, 3, NULL, 0};
                gts[i] = green_spawn(job_main, &jobs[i]);
        }
        for (int i = 0; i < 16; i++) {
                CHECK_INT(green_thread_wait(gts[i], NULL), 0);
                green_thread_unref(gts[i]);
                CHECK_INT(jobs[i].rc, 200);
        }
        for (int i = 0; i < 4; i++) {
                CHECK_INT(servers[i].requests, 12);
                CHECK_RANGE(servers[i].most, 1, 2);
        }
        /* One at rest makes room, the one that rests for longest. */
        for (int i = 0; i < 4; i++)
                CHECK_INT(get(c, urls[i], "Hello"), 200);
        green_http_client_free(c);
        for (int i = 0; i < 4; i++)
                stop(&servers[i]);
}

/* ---- the end of one at rest */

static void
one_that_was_closed_meanwhile_is_noticed(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{OK_5, .close = true}, {.answer = OK_5}}};
        struct green_http_body body = {"x", 1, NULL};
        green_http_response *res = NULL;

        peer_start(&p);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        green_sleep(0.02);
        /* Nobody may send a POST twice: it must not go to the old one. */
        CHECK_INT(green_http_post(c, p.url, &body, &res), 0);
        green_http_response_free(res);
        CHECK_INT(p.connections, 2);
        green_http_client_free(c);
        peer_stop(&p);
}

/* The second request is read, and answered by the end of the connection. */
static void *
closing_main(void *arg)
{
        struct peer *p = arg;

        for (int i = 0; i < 2; i++) {
                green_socket *s = green_socket_accept(p->listener, NULL);

                p->connections++;
                if (peer_hears(s, p->asked[0], sizeof p->asked[0], 0))
                        (void)!green_socket_sendall(s, OK_5, sizeof OK_5 - 1, 0, NULL);
                (void)peer_hears(s, p->asked[1], sizeof p->asked[1], 0);
                green_socket_free(s);
        }
        return NULL;
}

static void
race(const char *method, int want, int connections)
{
        green_http_client *c = green_http_client_new(NULL);
        const struct green_http_request r = {.size = sizeof r, .method = method};
        green_http_response *res = NULL;
        struct peer p = {.at = 0};

        p.listener = listen_here(p.address);
        snprintf(p.url, sizeof p.url, "http://%s/", p.address);
        p.thread = green_spawn(closing_main, &p);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(green_http_fetch(c, p.url, &r, &res), want);
        if (want == 0)
                green_http_response_free(res);
        CHECK_INT(p.connections, connections);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
a_stale_one_is_tried_once_more_if_that_does_no_harm(void)
{
        race("GET", 0, 2);
        race("DELETE", 0, 2);
        race("POST", -ECONNRESET, 1);
        race("MINE", -ECONNRESET, 1);
}

static ssize_t
give_x(void *arg, void *buf, size_t len)
{
        (void)arg;
        memset(buf, 'x', len);
        return (ssize_t)len;
}

static void *
answer_once(void *arg)
{
        struct peer *p = arg;
        green_socket *s = green_socket_accept(p->listener, NULL);

        p->connections++;
        if (peer_hears(s, p->asked[0], sizeof p->asked[0], 1))
                (void)!green_socket_sendall(s, OK_5, sizeof OK_5 - 1, 0, NULL);
        green_socket_free(s);
        return NULL;
}

/* A body that cannot be given twice does not go to a connection that has ended, though the method is idempotent. */
static void
what_can_be_sent_once_is_not_wasted(void)
{
        green_http_client *c = green_http_client_new(NULL);
        const struct green_http_request r = {
                .size = sizeof r, .method = "PUT", .read_body = give_x, .read_body_len = 1};
        struct peer p = {.at = 0};
        struct job j = {.client = c, .url = p.url, .times = 1};
        green_http_response *res = NULL;
        green_thread *gt;
        green_socket *s;

        p.listener = listen_here(p.address);
        snprintf(p.url, sizeof p.url, "http://%s/", p.address);
        gt = green_spawn(job_main, &j);
        s = green_socket_accept(p.listener, NULL);
        CHECK(peer_hears(s, p.asked[0], sizeof p.asked[0], 0));
        CHECK_INT(green_socket_sendall(s, OK_5, sizeof OK_5 - 1, 0, NULL), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(j.rc, 200);
        p.thread = green_spawn(answer_once, &p);
        green_sleep(0);
        /* The hub does not look before it is taken. */
        CHECK_INT(green_socket_free(s), 0);
        if (CHECK_INT(green_http_fetch(c, p.url, &r, &res), 0))
                green_http_response_free(res);
        CHECK_INT(p.connections, 1);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
those_at_rest_are_closed_in_time(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .idle_timeout = 0.01};
        const struct green_http_client_opts none = {.size = sizeof none, .idle_timeout = -1};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{.answer = OK_5}, {.answer = OK_5}, {.answer = OK_5}, {.answer = OK_5}}};

        peer_start(&p);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        green_sleep(0.05);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(p.connections, 2);
        green_http_client_free(c);
        c = green_http_client_new(&none);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(p.connections, 4);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
who_waits_for_a_client_that_ends_is_told(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_per_host = 1};
        green_http_client *c = green_http_client_new(&opts);
        struct server s = {0};
        char url[GREEN_ADDR_TEXT_SIZE + 16];
        struct job jobs[3];
        green_thread *gts[3];

        serve(&s, held);
        url_of(url, &s);
        for (int i = 0; i < 3; i++) {
                jobs[i] = (struct job){c, url, 0, 1, NULL, 0};
                gts[i] = green_spawn(job_main, &jobs[i]);
        }
        while (s.running < 1)
                green_sleep(0.001);
        green_http_client_free(c);
        green_wake_all(&s.hold, 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_thread_wait(gts[i], NULL), 0);
                green_thread_unref(gts[i]);
                CHECK_INT(jobs[i].rc, i == 0 ? 200 : -ECANCELED);
        }
        stop(&s);
}

GREEN_SUITE(web_client_pool){GREEN_TEST(a_connection_is_used_again),
                             GREEN_TEST(one_that_says_close_is_not),
                             GREEN_TEST(a_body_that_is_not_read_ends_its_connection_unless_it_is_there),
                             GREEN_TEST(so_many_at_once_and_no_more),
                             GREEN_TEST(who_waits_is_served_in_order_and_may_be_killed),
                             GREEN_TEST(no_slot_is_lost),
                             GREEN_TEST(the_limit_of_all_is_shared_among_hosts),
                             GREEN_TEST(one_that_was_closed_meanwhile_is_noticed),
                             GREEN_TEST(a_stale_one_is_tried_once_more_if_that_does_no_harm),
                             GREEN_TEST(what_can_be_sent_once_is_not_wasted),
                             GREEN_TEST(those_at_rest_are_closed_in_time),
                             GREEN_TEST(who_waits_for_a_client_that_ends_is_told),
                             GREEN_SUITE_END};
