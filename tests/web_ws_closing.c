/* WebSockets: how they end. */
#include "ws_suite.h"

static int
give_back(green_websocket *ws, void *arg)
{
        struct bed *bed = arg;

        (void)ws;
        bed->calls++;
        return bed->rc;
}

static void
a_handler_that_returns_closes_with_1000(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;

        GREEN_COVERS("WS-01", "WS-26");
        bed_open(&bed, give_back);
        p = peer_of(&bed, NULL);
        peer_gets_close(p, 1000);
        /* It waits for the answer. */
        ws_peer_close(p, 1000);
        ws_peer_flush(p, 0);
        peer_gets_end(p);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
a_handler_that_fails_closes_with_1011_and_no_http(void)
{
        static const int codes[] = {-EINVAL, -ECONNRESET, -EPIPE, -ESHUTDOWN};

        GREEN_COVERS("WS-31", "WS-32");
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
                struct bed bed = {.rc = codes[i]};
                struct ws_peer *p;

                log_text[0] = '\0';
                bed.s.opts.no_log_output = true;
                bed_open(&bed, give_back);
                p = peer_of(&bed, NULL);
                peer_gets_close(p, i == 0 ? 1011 : 1000);
                ws_peer_close(p, 1000);
                ws_peer_flush(p, 0);
                peer_gets_end(p);
                CHECK_INT(logged("failed with EINVAL"), i == 0);
                CHECK_INT(logged("failed"), i == 0);
                ws_peer_free(p);
                bed_close(&bed);
        }
}

static int
close_it(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct bed *bed = arg;

        CHECK_INT(green_websocket_close(ws, 999, NULL), -EINVAL);
        CHECK_INT(green_websocket_close(ws, 1005, NULL), -EINVAL);
        CHECK_INT(green_websocket_close(ws, 1006, NULL), -EINVAL);
        CHECK_INT(green_websocket_close(ws, 1015, NULL), -EINVAL);
        CHECK_INT(green_websocket_close(ws, 5000, NULL), -EINVAL);
        CHECK_INT(green_websocket_close(ws, 0, "no code"), -EINVAL);
        CHECK_INT(green_websocket_close(ws, 1000, "\377"), -EINVAL);
        memset(bed->text, 'x', 124);
        bed->text[124] = '\0';
        CHECK_INT(green_websocket_close(ws, 1000, bed->text), -EINVAL);
        CHECK(!green_websocket_closed(ws));
        bed->last = green_websocket_close(ws, bed->rc, bed->rc == 0 ? NULL : "enough");
        CHECK_INT(green_websocket_close(ws, 1000, NULL), 0);
        CHECK_INT(green_websocket_wait(ws, &m), 0);
        CHECK_INT(green_websocket_send_text(ws, "x"), -EPIPE);
        bed->code = green_websocket_close_code(ws);
        bed->calls++;
        return 0;
}

static void
a_close_waits_for_the_answer(void)
{
        struct bed bed = {.rc = 4000};
        struct ws_event e;
        struct ws_peer *p;

        GREEN_COVERS("WS-25", "WS-27", "WS-28");
        bed_open(&bed, close_it);
        p = peer_of(&bed, NULL);
        CHECK_INT(ws_peer_next(p, &e, 5), WS_EVENT);
        CHECK_INT(e.code, 4000);
        CHECK(e.len == 6 && memcmp(e.data, "enough", 6) == 0);
        /* What comes meanwhile is dropped; pings need no answer any more. */
        ws_peer_frame(p, WS_TEXT, "late", 4);
        ws_peer_frame(p, WS_PING, "late", 4);
        peer_say(p, WS_CLOSE, "\17\241", 2);
        peer_gets_end(p);
        WAIT_UNTIL(bed.calls == 1);
        CHECK_INT(bed.last, 0);
        CHECK_INT(bed.code, 4001);
        ws_peer_free(p);
        bed.rc = 0;
        p = peer_of(&bed, NULL);
        peer_gets_close(p, 0);
        ws_peer_close(p, -1);
        ws_peer_flush(p, 0);
        peer_gets_end(p);
        WAIT_UNTIL(bed.calls == 2);
        CHECK_INT(bed.code, 1005);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
a_peer_that_does_not_answer_is_cut(void)
{
        struct bed bed = {.rc = 1000, .opts = {.close_timeout = 0.05}};
        struct ws_peer *p;

        GREEN_COVERS("WS-28");
        bed_open(&bed, close_it);
        p = peer_of(&bed, NULL);
        peer_gets_close(p, 1000);
        WAIT_UNTIL(bed.calls == 1);
        CHECK_INT(bed.last, -ETIMEDOUT);
        CHECK_INT(bed.code, 1006);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
codes_that_were_registered_later_are_taken(void)
{
        struct bed bed = {.calls = 0};

        GREEN_COVERS("WS-24", "WS-25");
        bed_open(&bed, echo);
        for (int code = 1012; code <= 1014; code++) {
                struct ws_peer *p = peer_of(&bed, NULL);

                ws_peer_close(p, code);
                ws_peer_flush(p, 0);
                peer_gets_close(p, code);
                peer_gets_end(p);
                WAIT_UNTIL(bed.code == code);
                ws_peer_free(p);
        }
        bed_close(&bed);
}

/* ---- from elsewhere */

static void *
close_other(void *arg)
{
        return (void *)(intptr_t)green_websocket_close(arg, 1008, "kicked");
}

static void
others_may_close_it_too(void)
{
        struct bed bed = {.calls = 0};
        green_thread *a, *b;
        struct ws_peer *p;
        void *rc;

        GREEN_COVERS("WS-27");
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.ws != NULL);
        a = green_spawn(close_other, bed.ws);
        b = green_spawn(close_other, bed.ws);
        peer_gets_close(p, 1008);
        WAIT_UNTIL(bed.ws == NULL);
        CHECK_INT(bed.last, 0);
        ws_peer_close(p, 1008);
        ws_peer_flush(p, 0);
        peer_gets_end(p);
        CHECK_INT(green_thread_wait(a, &rc), 0);
        CHECK(rc == NULL);
        CHECK_INT(green_thread_wait(b, &rc), 0);
        CHECK(rc == NULL);
        green_thread_unref(a);
        green_thread_unref(b);
        ws_peer_free(p);
        bed_close(&bed);
}

/*
 * One green thread closes, while posted messages still go out; the handler returns meanwhile. Nothing goes before the one
 * that closes is through.
 */
static void
a_close_under_way_outlives_the_handler(void)
{
        struct green_wsgi_stats stats;
        struct bed bed = {.s.opts.stats = &stats};
        green_websocket_prepared *message;
        static char large[400000];
        struct ws_event e;
        green_thread *a;
        struct ws_peer *p;
        void *rc;

        GREEN_COVERS("WS-27");
        message = green_websocket_prepare(GREEN_WEBSOCKET_BINARY, large, sizeof large);
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.ws != NULL);
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_websocket_post(bed.ws, message), 0);
        while (green_websocket_unsent(bed.ws) == 0)
                CHECK_INT(green_websocket_post(bed.ws, message), 0);
        a = green_spawn(close_other, bed.ws);
        WAIT_UNTIL(bed.ws == NULL);
        do
                CHECK_INT(ws_peer_next(p, &e, 5 * suite_slow()), WS_EVENT);
        while (e.op == WS_BINARY);
        CHECK_INT(e.code, 1008);
        /* All has gone out, and the answer is not here: it is still being closed. */
        green_sleep(0.02);
        CHECK(!green_thread_dead(a));
        CHECK_INT(stats.connections, 1);
        ws_peer_close(p, 1008);
        ws_peer_flush(p, 0);
        peer_gets_end(p);
        CHECK_INT(green_thread_wait(a, &rc), 0);
        CHECK(rc == NULL);
        green_thread_unref(a);
        green_websocket_prepared_unref(message);
        ws_peer_free(p);
        bed_close(&bed);
}

static int
exit_there(green_websocket *ws, void *arg)
{
        (void)ws;
        ((struct bed *)arg)->calls++;
        green_exit(NULL);
}

static void
a_handler_may_end_its_green_thread(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;

        bed.s.opts.no_log_output = true;
        bed_open(&bed, exit_there);
        p = peer_of(&bed, NULL);
        peer_gets_close(p, 1011);
        ws_peer_close(p, 1011);
        ws_peer_flush(p, 0);
        peer_gets_end(p);
        ws_peer_free(p);
        CHECK(logged("has ended its green thread"));
        bed_close(&bed);
}

/* ---- the end of the server */

static void *
stop_main(void *arg)
{
        bed_close(arg);
        return NULL;
}

static void
everyone_is_told_1001_when_the_server_ends(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p[3];
        green_thread *end;

        GREEN_COVERS("WS-10");
        bed_open(&bed, echo);
        for (int i = 0; i < 3; i++)
                p[i] = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.calls == 3);
        end = green_spawn(stop_main, &bed);
        for (int i = 0; i < 3; i++)
                peer_gets_close(p[i], 1001);
        for (int i = 0; i < 3; i++) {
                ws_peer_close(p[i], 1001);
                ws_peer_flush(p[i], 0);
                peer_gets_end(p[i]);
                ws_peer_free(p[i]);
        }
        CHECK_INT(green_thread_wait(end, NULL), 0);
        green_thread_unref(end);
        CHECK_INT(bed.last, 0);
        CHECK_INT(bed.code, 1001);
}

static void
a_peer_that_does_not_answer_does_not_hold_up_the_end(void)
{
        struct bed bed = {.opts = {.close_timeout = 0.05}};
        struct ws_peer *p;

        GREEN_COVERS("WS-10");
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.calls == 1);
        bed_close(&bed);
        peer_gets_close(p, 1001);
        ws_peer_free(p);
}

static int
never_listen(green_websocket *ws, void *arg)
{
        struct bed *bed = arg;
        struct green_wait w;

        (void)ws;
        bed->calls++;
        return bed->rc = green_park(&bed->hold, &w, GREEN_FOREVER);
}

static void
a_handler_that_does_not_end_is_killed(void)
{
        struct bed bed = {.s.opts.shutdown_timeout = 0.05};
        struct ws_peer *p;

        GREEN_COVERS("WS-10");
        bed_open(&bed, never_listen);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.calls == 1);
        bed_close(&bed);
        CHECK_INT(bed.rc, GREEN_EKILLED);
        peer_gets_close(p, 1001);
        ws_peer_free(p);
}

/* ---- slots, and the log */

static char lines[2048];

static void
take_line(void *arg, const char *text, size_t len)
{
        (void)arg;
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%.*s", (int)len, text);
}

static void
it_holds_no_slot_and_is_logged_at_its_end(void)
{
        struct bed bed = {.s.opts = {.max_size = 1, .log = take_line}};
        struct ws_peer *a, *b;

        GREEN_COVERS("WSGI-04");
        lines[0] = '\0';
        bed_open(&bed, echo);
        a = peer_of(&bed, NULL);
        b = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.calls == 2);
        CHECK(strstr(lines, "GET") == NULL);
        ws_peer_close(a, 1000);
        ws_peer_flush(a, 0);
        peer_gets_close(a, 1000);
        peer_gets_end(a);
        WAIT_UNTIL(strstr(lines, "\"GET /echo HTTP/1.1\" 101 0 ") != NULL);
        CHECK_INT(count(lines, "GET"), 1);
        ws_peer_free(a);
        ws_peer_free(b);
        bed_close(&bed);
        CHECK_INT(count(lines, "GET"), 2);
}

GREEN_SUITE(web_ws_closing) {
        GREEN_TEST(a_handler_that_returns_closes_with_1000),
        GREEN_TEST(a_handler_that_fails_closes_with_1011_and_no_http),
        GREEN_TEST(a_close_waits_for_the_answer),
        GREEN_TEST(a_peer_that_does_not_answer_is_cut),
        GREEN_TEST(codes_that_were_registered_later_are_taken),
        GREEN_TEST(others_may_close_it_too),
        GREEN_TEST(a_close_under_way_outlives_the_handler),
        GREEN_TEST(a_handler_may_end_its_green_thread),
        GREEN_TEST(everyone_is_told_1001_when_the_server_ends),
        GREEN_TEST(a_peer_that_does_not_answer_does_not_hold_up_the_end),
        GREEN_TEST(a_handler_that_does_not_end_is_killed),
        GREEN_TEST(it_holds_no_slot_and_is_logged_at_its_end),
        GREEN_SUITE_END
};
