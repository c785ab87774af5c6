/* WebSockets: Hixie-75 and Hixie-76. */
#include "ws_suite.h"

#define OLD "Upgrade: WebSocket\r\nConnection: Upgrade\r\nHost: a:80\r\nOrigin: http://o\r\n"
/* Those of the draft. */
#define KEYS                                                                                                           \
        "Sec-WebSocket-Key1: 18x 6]8vM;54 *(5:  {   U1]8  z [  8\r\nSec-WebSocket-Key2: 1_ tx7X d  <  nw  334J702) "  \
        "7]o}` 0\r\n"
#define BODY "Tm[K T2u"
#define ANSWER "fQJ,fN/4F4!~K~MH"

static const char *
come(green_socket *c, size_t len)
{
        static char text[4096];
        size_t got = 0;

        while (got < len) {
                ssize_t n = green_socket_recv(c, text + got, len - got, 0);

                if (!CHECK(n > 0))
                        break;
                got += (size_t)n;
        }
        text[got] = '\0';
        return text;
}

static void
open_old(struct bed *bed)
{
        bed->opts.support_legacy_versions = true;
        bed_open(bed, echo);
}

static void
hixie_75_has_its_own_answer(void)
{
        struct bed bed = {.calls = 0};
        green_socket *c;

        GREEN_COVERS("WS-42", "WS-44", "WS-45", "WS-46");
        open_old(&bed);
        c = client_of(&bed.s);
        say(c, "GET /echo?x=y HTTP/1.1\r\n" OLD "\r\n");
        CHECK_STR(until(c, "\r\n\r\n"),
                  "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
                  "WebSocket-Origin: http://o\r\nWebSocket-Location: ws://a:80/echo?x=y\r\n\r\n");
        CHECK_INT(green_socket_sendall(c, "\0hello\377\0wo", 10, 0, NULL), 0);
        CHECK(memcmp(come(c, 7), "\0hello\377", 7) == 0);
        CHECK_INT(green_socket_sendall(c, "rld\377\0\377", 6, 0, NULL), 0);
        CHECK(memcmp(come(c, 9), "\0world\377\0\377", 9) == 0);
        CHECK(bed.ws != NULL && green_websocket_version(bed.ws) == 75);
        /* Nothing is made text that is none: of all this nothing is sent. */
        CHECK_INT(green_websocket_send(bed.ws, GREEN_WEBSOCKET_BINARY, "x", 1), -EOPNOTSUPP);
        CHECK_INT(green_websocket_send(bed.ws, GREEN_WEBSOCKET_TEXT, "\377", 1), -EILSEQ);
        CHECK_INT(green_websocket_send(bed.ws, 3, "x", 1), -EINVAL);
        CHECK_INT(green_websocket_ping(bed.ws, "x", 1), -EOPNOTSUPP);
        CHECK_INT(green_websocket_send_fragment(bed.ws, GREEN_WEBSOCKET_TEXT, "x", 1, true), -EOPNOTSUPP);
        CHECK_INT(green_websocket_send_text(bed.ws, "text"), 0);
        CHECK(memcmp(come(c, 6), "\0text\377", 6) == 0);
        CHECK_INT(green_socket_free(c), 0);
        WAIT_UNTIL(bed.code == 1006);
        bed_close(&bed);
}

static void
hixie_76_has_its_own_answer(void)
{
        struct bed bed = {.calls = 0};
        green_socket *c;

        GREEN_COVERS("WS-42", "WS-43", "WS-44");
        open_old(&bed);
        c = client_of(&bed.s);
        /* Its body may come late. */
        say(c, "GET /demo? HTTP/1.1\r\n" OLD KEYS "\r\nTm[K");
        green_sleep(0.01);
        say(c, " T2u");
        CHECK_STR(until(c, "\r\n\r\n"),
                  "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Origin: http://o\r\nSec-WebSocket-Location: ws://a:80/demo?\r\n\r\n");
        CHECK_STR(come(c, 16), ANSWER);
        CHECK_INT(green_socket_sendall(c, "\0hello\377", 7, 0, NULL), 0);
        CHECK(memcmp(come(c, 7), "\0hello\377", 7) == 0);
        CHECK(bed.ws != NULL && green_websocket_version(bed.ws) == 76);
        CHECK_STR(green_websocket_origin(bed.ws), "http://o");
        /* What is no UTF-8 is replaced. */
        CHECK_INT(green_socket_sendall(c, "\0a\376b\377", 5, 0, NULL), 0);
        CHECK(memcmp(come(c, 7), "\0a\357\277\275b\377", 7) == 0);
        /* Its close is answered. */
        CHECK_INT(green_socket_sendall(c, "\377\0", 2, 0, NULL), 0);
        CHECK(memcmp(come(c, 2), "\377\0", 2) == 0);
        CHECK_INT(green_socket_recv(c, bed.text, 1, 0), 0);
        WAIT_UNTIL(bed.code == 1005);
        CHECK_INT(green_socket_free(c), 0);
        bed_close(&bed);
}

static void
keys_that_cannot_be_are_refused(void)
{
        static const char *const rows[] = {
                "Sec-WebSocket-Key1: 1 1\r\n",
                "Sec-WebSocket-Key1: 11\r\nSec-WebSocket-Key2: 1 1\r\n",
                "Sec-WebSocket-Key1: 1 1\r\nSec-WebSocket-Key2: none\r\n",
                "Sec-WebSocket-Key1: 1 2 2\r\nSec-WebSocket-Key2: 1 1 1\r\n",
                "Sec-WebSocket-Key1: 99999 99999\r\nSec-WebSocket-Key2: 1 1\r\n"};
        struct bed bed = {.calls = 0};

        GREEN_COVERS("WS-42", "WS-43");
        open_old(&bed);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                char text[600];

                snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" OLD "%s\r\n" BODY, rows[i]);
                CHECK(begins(ask(&bed.s, text), "HTTP/1.1 400 "));
        }
        CHECK_INT(bed.calls, 0);
        bed_close(&bed);
}

static void
other_frames_are_refused(void)
{
        struct bed bed = {.calls = 0};

        GREEN_COVERS("WS-44");
        for (int i = 0; i < 3; i++) {
                green_socket *c;

                bed.opts.max_frame_length = 100;
                open_old(&bed);
                c = client_of(&bed.s);
                say(c, "GET / HTTP/1.1\r\n" OLD KEYS "\r\n" BODY);
                until(c, "\r\n\r\n");
                come(c, 16);
                if (i == 0) {
                        CHECK_INT(green_socket_sendall(c, "\1x\377", 3, 0, NULL), 0);
                } else if (i == 1) {
                        CHECK_INT(green_socket_sendall(c, "\377\1", 2, 0, NULL), 0);
                } else {
                        char large[200] = "";

                        memset(large + 1, 'x', sizeof large - 1);
                        CHECK_INT(green_socket_sendall(c, large, sizeof large, 0, NULL), 0);
                }
                CHECK(memcmp(come(c, 2), "\377\0", 2) == 0);
                CHECK_INT(green_socket_recv(c, bed.text, 1, 0), 0);
                WAIT_UNTIL(bed.code == (i == 2 ? 1009 : 1002));
                CHECK_INT(green_socket_free(c), 0);
                bed_close(&bed);
        }
}

static int
say_something(green_websocket *ws, void *arg)
{
        green_websocket_prepared *message = green_websocket_prepare(GREEN_WEBSOCKET_TEXT, "prepared", 8);

        (void)arg;
        CHECK_INT(green_websocket_post(ws, message), 0);
        CHECK_INT(green_websocket_send_prepared(ws, message), 0);
        green_websocket_prepared_unref(message);
        return 0;
}

static void
the_server_closes_by_its_version(void)
{
        struct bed bed = {.opts = {.support_legacy_versions = true, .close_timeout = 0.05}};
        green_socket *c;

        GREEN_COVERS("WS-44");
        bed_open(&bed, say_something);
        c = client_of(&bed.s);
        say(c, "GET / HTTP/1.1\r\n" OLD KEYS "\r\n" BODY);
        until(c, "\r\n\r\n");
        come(c, 16);
        CHECK(memcmp(come(c, 22), "\0prepared\377\0prepared\377\377\0", 22) == 0);
        CHECK_INT(green_socket_recv(c, bed.text, 1, 0), 0);
        CHECK_INT(green_socket_free(c), 0);
        c = client_of(&bed.s);
        say(c, "GET / HTTP/1.1\r\n" OLD "\r\n");
        until(c, "\r\n\r\n");
        CHECK(memcmp(come(c, 20), "\0prepared\377\0prepared\377", 20) == 0);
        CHECK_INT(green_socket_recv(c, bed.text, 1, 0), 0);
        CHECK_INT(green_socket_free(c), 0);
        bed_close(&bed);
}

GREEN_SUITE(web_ws_legacy) {
        GREEN_TEST(hixie_75_has_its_own_answer),
        GREEN_TEST(hixie_76_has_its_own_answer),
        GREEN_TEST(keys_that_cannot_be_are_refused),
        GREEN_TEST(other_frames_are_refused),
        GREEN_TEST(the_server_closes_by_its_version),
        GREEN_SUITE_END
};
