/* WebSockets: messages that come, and limits on them. */
#include "ws_suite.h"

static void
any_message_comes_back_by_its_type(void)
{
        struct bed bed = {.calls = 0};
        struct green_websocket_message m;
        green_websocket *ws;

        GREEN_COVERS("WS-12", "WS-13");
        bed_open(&bed, echo);
        ws = connect_to(&bed, NULL);
        CHECK_INT(green_websocket_send(ws, GREEN_WEBSOCKET_BINARY, "\0\1\377", 3), 0);
        CHECK_INT(green_websocket_wait(ws, &m), 1);
        CHECK(m.type == GREEN_WEBSOCKET_BINARY && m.len == 3 && memcmp(m.data, "\0\1\377", 4) == 0);
        CHECK_INT(green_websocket_send(ws, GREEN_WEBSOCKET_TEXT, NULL, 0), 0);
        comes(ws, GREEN_WEBSOCKET_TEXT, "");
        CHECK_INT(green_websocket_send_text(ws, "h\303\244llo"), 0);
        CHECK_INT(green_websocket_send(ws, GREEN_WEBSOCKET_BINARY, "", 0), 0);
        comes(ws, GREEN_WEBSOCKET_TEXT, "h\303\244llo");
        comes(ws, GREEN_WEBSOCKET_BINARY, "");
        CHECK_INT(green_websocket_free(ws), 0);
        WAIT_UNTIL(bed.last == 0 && bed.code == 1000);
        bed_close(&bed);
}

static void
a_client_that_goes_is_the_end_and_no_error(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;

        GREEN_COVERS("WS-12", "WS-30");
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        ws_peer_free(p);
        WAIT_UNTIL(bed.code == 1006);
        CHECK_INT(bed.last, 0);
        bed_close(&bed);
}

/* ---- calls that are wrong */

static int
wait_ever_after(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct bed *bed = arg;

        CHECK_INT(green_websocket_wait(ws, NULL), -EINVAL);
        CHECK_INT(green_websocket_wait(NULL, &m), -EINVAL);
        CHECK_INT(green_websocket_wait(ws, &m), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_websocket_wait(ws, &m), 0);
        CHECK(green_websocket_pending(ws) && green_websocket_closed(ws));
        CHECK_INT(green_websocket_send_text(ws, "late"), -EPIPE);
        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "late", 4, true), -EPIPE);
        CHECK_INT(green_websocket_ping(ws, NULL, 0), -EPIPE);
        CHECK_INT(green_websocket_close_code(ws), 1001);
        CHECK_STR(green_websocket_close_reason(ws), "going");
        bed->calls++;
        return 0;
}

static void
after_the_end_nothing_comes_ever(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;

        GREEN_COVERS("WS-12", "WS-24", "WS-29");
        bed_open(&bed, wait_ever_after);
        p = peer_of(&bed, NULL);
        peer_say(p, WS_CLOSE, "\3\351going", 7);
        peer_gets_close(p, 1001);
        peer_gets_end(p);
        ws_peer_free(p);
        CHECK_INT(bed.calls, 1);
        bed_close(&bed);
}

static void *
wait_too(void *arg)
{
        struct green_websocket_message m;

        CHECK_INT(green_websocket_wait(arg, &m), -EBUSY);
        return NULL;
}

static void
only_one_may_wait(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;
        green_thread *other;

        GREEN_COVERS("WS-15");
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        WAIT_UNTIL(bed.ws != NULL);
        other = green_spawn(wait_too, bed.ws);
        CHECK_INT(green_thread_wait(other, NULL), 0);
        green_thread_unref(other);
        peer_say(p, WS_TEXT, "still", 5);
        peer_gets(p, WS_TEXT, "still");
        ws_peer_free(p);
        bed_close(&bed);
}

/* ---- limits */

static void
a_frame_may_be_as_long_as_the_limit(void)
{
        struct bed bed = {.opts = {.max_frame_length = 200}};
        char text[202];
        struct ws_peer *p;

        GREEN_COVERS("WS-21");
        memset(text, 'x', sizeof text - 1);
        text[200] = '\0';
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        peer_say(p, WS_TEXT, text, 200);
        peer_gets(p, WS_TEXT, text);
        /* Its head is enough. */
        ws_peer_begin(p, WS_TEXT, 201);
        ws_peer_flush(p, 0);
        peer_gets_close(p, 1009);
        ws_peer_free(p);
        WAIT_UNTIL(bed.code == 1009);
        bed_close(&bed);
}

static void
a_message_of_many_frames_has_its_limit_too(void)
{
        struct bed bed = {.opts = {.max_frame_length = 100, .max_message_length = 250}};
        char text[251];
        struct ws_peer *p;

        GREEN_COVERS("WS-22");
        memset(text, 'x', sizeof text - 1);
        text[250] = '\0';
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        ws_peer_frame(p, WS_TEXT | WS_MORE, text, 100);
        ws_peer_frame(p, WS_CONT | WS_MORE, text, 100);
        peer_say(p, WS_CONT, text, 50);
        peer_gets(p, WS_TEXT, text);
        ws_peer_frame(p, WS_TEXT | WS_MORE, text, 100);
        ws_peer_frame(p, WS_CONT | WS_MORE, text, 100);
        ws_peer_frame(p, WS_CONT | WS_MORE, text, 50);
        ws_peer_frame(p, WS_CONT | WS_MORE, text, 0);
        peer_say(p, WS_CONT, text, 1);
        peer_gets_close(p, 1009);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
a_frame_without_a_mask_is_refused(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;

        GREEN_COVERS("WS-18");
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        ws_bytes_add(&p->out, "\201\2hi", 4);
        ws_peer_flush(p, 0);
        peer_gets_close(p, 1002);
        peer_gets_end(p);
        ws_peer_free(p);
        WAIT_UNTIL(bed.code == 1002);
        bed_close(&bed);
}

/* ---- a handler that does not wait */

static int
hold(green_websocket *ws, void *arg)
{
        struct bed *bed = arg;
        struct green_wait w;

        bed->calls++;
        bed->ws = ws;
        if (green_park(&bed->hold, &w, GREEN_FOREVER) != 0)
                return 0;
        return echo(ws, arg);
}

static void
pings_are_answered_while_the_handler_is_busy(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;

        GREEN_COVERS("WS-17");
        bed_open(&bed, hold);
        p = peer_of(&bed, NULL);
        ws_peer_frame(p, WS_TEXT, "one", 3);
        peer_say(p, WS_PING, "are you there", 13);
        peer_gets(p, WS_PONG, "are you there");
        peer_say(p, WS_PING, NULL, 0);
        peer_gets(p, WS_PONG, "");
        WAIT_UNTIL(green_waitq_first(&bed.hold) != NULL);
        green_wake_all(&bed.hold, 0);
        peer_gets(p, WS_TEXT, "one");
        ws_peer_free(p);
        bed_close(&bed);
}

/* Bytes that a client could send before the server took no more. */
static size_t
stuff(struct bed *bed, green_websocket *ws, size_t most)
{
        static char block[4096];
        struct green_timeout t;
        size_t sent = 0;
        int rc = 0;

        (void)bed;
        while (rc == 0 && sent < most) {
                CHECK_INT(green_timeout_start(&t, 0.3 * suite_slow()), 0);
                rc = green_websocket_send(ws, GREEN_WEBSOCKET_BINARY, block, sizeof block);
                (void)green_timeout_cancel(&t);
                sent += sizeof block;
        }
        return sent;
}

static void
no_more_is_read_than_may_wait(void)
{
        struct bed bed = {.opts = {.max_buffered = 50000}};
        struct green_websocket_message m;
        green_websocket *ws;
        size_t sent, messages, got = 0;

        GREEN_COVERS("WS-17");
        bed_open(&bed, hold);
        ws = connect_to(&bed, NULL);
        WAIT_UNTIL(bed.ws != NULL);
        sent = stuff(&bed, ws, 64 << 20);
        CHECK(sent < 64 << 20);
        messages = sent / 4096;
        /* Nothing of it is lost, that which a timeout has cut included. */
        WAIT_UNTIL(green_waitq_first(&bed.hold) != NULL);
        green_wake_all(&bed.hold, 0);
        while (got < messages && green_websocket_wait(ws, &m) == 1) {
                CHECK_INT(m.len, 4096);
                got++;
        }
        CHECK_INT(got, messages);
        CHECK_INT(green_websocket_free(ws), 0);
        bed_close(&bed);
}

GREEN_SUITE(web_ws_messages) {
        GREEN_TEST(any_message_comes_back_by_its_type),
        GREEN_TEST(a_client_that_goes_is_the_end_and_no_error),
        GREEN_TEST(after_the_end_nothing_comes_ever),
        GREEN_TEST(only_one_may_wait),
        GREEN_TEST(a_frame_may_be_as_long_as_the_limit),
        GREEN_TEST(a_message_of_many_frames_has_its_limit_too),
        GREEN_TEST(a_frame_without_a_mask_is_refused),
        GREEN_TEST(pings_are_answered_while_the_handler_is_busy),
        GREEN_TEST(no_more_is_read_than_may_wait),
        GREEN_SUITE_END
};
