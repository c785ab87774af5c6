/* WebSockets: handlers that rest, and several OS threads. */
#include "ws_echo.h"
#include "ws_suite.h"

#include <pthread.h>
#include <stdatomic.h>

/* Echoes what is there, and rests. */
static int
echo_and_rest(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct bed *bed = arg;

        bed->calls++;
        while (green_websocket_pending(ws)) {
                int rc = green_websocket_wait(ws, &m);

                if (rc != 1) {
                        bed->last = rc;
                        bed->code = green_websocket_close_code(ws);
                        /* It cannot rest any more, whatever it says. */
                        return GREEN_WEBSOCKET_REST;
                }
                rc = green_websocket_send(ws, m.type, m.data, m.len);
                if (rc != 0)
                        return rc;
        }
        bed->ws = ws;
        return GREEN_WEBSOCKET_REST;
}

static void
a_handler_that_rests_is_called_for_each_message_and_the_end(void)
{
        struct bed bed = {.last = -1};
        struct ws_peer *p;

        GREEN_COVERS("WS-01", "WS-12");
        bed_open(&bed, echo_and_rest);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.calls == 1);
        for (int i = 0; i < 5; i++) {
                peer_say(p, WS_TEXT, "hello", 5);
                peer_gets(p, WS_TEXT, "hello");
        }
        CHECK_INT(bed.calls, 6);
        /* A ping does not wake it. */
        peer_say(p, WS_PING, "p", 1);
        peer_gets(p, WS_PONG, "p");
        CHECK_INT(bed.calls, 6);
        ws_peer_close(p, 1000);
        ws_peer_flush(p, 0);
        peer_gets_close(p, 1000);
        peer_gets_end(p);
        WAIT_UNTIL(bed.calls == 7);
        CHECK_INT(bed.last, 0);
        CHECK_INT(bed.code, 1000);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
large_messages_reach_a_handler_that_rests(void)
{
        struct bed bed = {.calls = 0};
        static char large[300001];
        struct ws_peer *p;

        memset(large, 'x', 300000);
        bed_open(&bed, echo_and_rest);
        p = peer_of(&bed, NULL);
        for (int i = 0; i < 3; i++) {
                peer_say(p, WS_TEXT, large, 300000);
                peer_gets(p, WS_TEXT, large);
        }
        ws_peer_free(p);
        WAIT_UNTIL(bed.code == 1006);
        bed_close(&bed);
}

static void *
close_main(void *arg)
{
        bed_close(arg);
        return NULL;
}

static void
those_that_rest_are_told_when_the_server_ends(void)
{
        struct bed bed = {.calls = 0, .last = -1};
        struct ws_peer *p;
        green_thread *end;

        GREEN_COVERS("WS-10");
        bed_open(&bed, echo_and_rest);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.calls == 1);
        end = green_spawn(close_main, &bed);
        peer_gets_close(p, 1001);
        ws_peer_close(p, 1001);
        ws_peer_flush(p, 0);
        peer_gets_end(p);
        CHECK_INT(green_thread_wait(end, NULL), 0);
        green_thread_unref(end);
        CHECK_INT(bed.last, 0);
        CHECK_INT(bed.code, 1001);
        ws_peer_free(p);
}

static void
those_that_rest_are_cut_when_time_is_up(void)
{
        struct bed bed = {.s.opts.shutdown_timeout = 0.05, .opts.close_timeout = 30, .last = -1};
        struct ws_peer *p;

        GREEN_COVERS("WS-10");
        bed_open(&bed, echo_and_rest);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.calls == 1);
        /* The peer does not answer. */
        bed_close(&bed);
        CHECK_INT(bed.last, 0);
        peer_gets_close(p, 1001);
        ws_peer_free(p);
}

static void
one_that_rests_may_be_closed_from_elsewhere(void)
{
        struct bed bed = {.last = -1, .opts.close_timeout = 0.1};
        struct ws_peer *p;

        GREEN_COVERS("WS-27");
        bed_open(&bed, echo_and_rest);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.ws != NULL);
        CHECK_INT(green_websocket_send_text(bed.ws, "from elsewhere"), 0);
        peer_gets(p, WS_TEXT, "from elsewhere");
        CHECK_INT(green_websocket_close(bed.ws, 1008, NULL), -ETIMEDOUT);
        WAIT_UNTIL(bed.last == 0);
        peer_gets_close(p, 1008);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
with_a_pool_it_keeps_its_place_there(void)
{
        struct bed bed = {.last = -1};
        green_greenpool *pool = green_greenpool_new(1);
        struct ws_peer *p;

        GREEN_COVERS("WSGI-03");
        bed.s.opts.custom_pool = pool;
        bed_open(&bed, echo_and_rest);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.calls == 1);
        CHECK_INT(green_greenpool_running(pool), 1);
        peer_say(p, WS_TEXT, "hello", 5);
        peer_gets(p, WS_TEXT, "hello");
        CHECK_INT(green_greenpool_running(pool), 1);
        /* What comes together stays in order, and the end behind it takes nothing away. */
        ws_peer_frame(p, WS_TEXT, "one", 3);
        ws_peer_frame(p, WS_TEXT, "two", 3);
        ws_peer_flush(p, 0);
        peer_gets(p, WS_TEXT, "one");
        peer_gets(p, WS_TEXT, "two");
        peer_say(p, WS_PING, "p", 1);
        peer_gets(p, WS_PONG, "p");
        ws_peer_close(p, 1000);
        ws_peer_flush(p, 0);
        peer_gets_close(p, 1000);
        peer_gets_end(p);
        WAIT_UNTIL(bed.last == 0);
        ws_peer_free(p);
        bed_close(&bed);
        CHECK_INT(green_greenpool_free(pool), 0);
}

/* ---- several OS threads, one site */

enum { THREADS = 3, ROUNDS = 200 };

static green_websocket_site *shared;
static atomic_int sent_back;

static int
shared_app(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_websocket_app(req, shared);
}

static void *
thread_main(void *arg)
{
        struct server s = {.rc = 0};
        green_websocket_prepared *all = arg;
        green_websocket *ws;
        char url[GREEN_ADDR_TEXT_SIZE + 16];

        serve(&s, shared_app);
        snprintf(url, sizeof url, "ws://%s/", s.address);
        ws = green_websocket_connect(url, NULL);
        CHECK(ws != NULL);
        for (int i = 0; i < ROUNDS; i++) {
                CHECK_INT(green_websocket_send_prepared(ws, all), 0);
                if (comes(ws, GREEN_WEBSOCKET_TEXT, "one for all, one for all, one for all"))
                        atomic_fetch_add(&sent_back, 1);
        }
        CHECK_INT(green_websocket_free(ws), 0);
        stop(&s);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static int
try_it(green_websocket *ws, void *arg)
{
        struct bed *bed = arg;

        bed->ws = ws;
        return echo(ws, arg);
}

static void *
foreign(void *arg)
{
        struct green_websocket_message m;

        CHECK_INT(green_websocket_wait(arg, &m), -EPERM);
        CHECK_INT(green_websocket_send_text(arg, "x"), -EPERM);
        CHECK_INT(green_websocket_close(arg, 1000, NULL), -EPERM);
        CHECK_INT(green_websocket_ping(arg, NULL, 0), -EPERM);
        return NULL;
}

static void
each_os_thread_has_its_own(void)
{
        pthread_t threads[THREADS];
        green_websocket_prepared *all =
                green_websocket_prepare(GREEN_WEBSOCKET_TEXT, "one for all, one for all, one for all", 37);
        struct bed bed = {.calls = 0};
        struct ws_peer *p;

        shared = green_websocket_wsgi(ws_echo, NULL, NULL);
        for (int i = 0; i < THREADS; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, thread_main, all), 0);
        for (int i = 0; i < THREADS; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_INT(atomic_load(&sent_back), THREADS * ROUNDS);
        green_websocket_prepared_unref(all);
        green_websocket_site_unref(shared);
        bed_open(&bed, try_it);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.ws != NULL);
        CHECK_INT(pthread_create(&threads[0], NULL, foreign, bed.ws), 0);
        CHECK_INT(pthread_join(threads[0], NULL), 0);
        ws_peer_free(p);
        bed_close(&bed);
}

GREEN_SUITE(web_ws_rest) {
        GREEN_TEST(a_handler_that_rests_is_called_for_each_message_and_the_end),
        GREEN_TEST(large_messages_reach_a_handler_that_rests),
        GREEN_TEST(those_that_rest_are_told_when_the_server_ends),
        GREEN_TEST(those_that_rest_are_cut_when_time_is_up, .limit = 20), /* less than close_timeout */
        GREEN_TEST(one_that_rests_may_be_closed_from_elsewhere),
        GREEN_TEST(with_a_pool_it_keeps_its_place_there),
        GREEN_TEST(each_os_thread_has_its_own),
        GREEN_SUITE_END
};
