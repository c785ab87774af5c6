/* WebSockets: permessage-deflate. */
#include "ws_suite.h"

#include <stdlib.h>

/* What a raw client gets, byte by byte: the frames of RFC 7692's examples. */
static void
the_examples_of_the_rfc(bool takeover, const char *second, size_t len)
{
        struct bed bed = {.opts.context_takeover = takeover};
        unsigned char came[64];
        struct ws_peer *p;
        size_t got = 0;

        bed_open(&bed, echo);
        p = peer_of(&bed, "permessage-deflate");
        CHECK_INT(p->deflate.server_resets, !takeover);
        peer_say(p, WS_TEXT, "Hello", 5);
        peer_say(p, WS_TEXT, "Hello", 5);
        while (got < 9 + len) {
                ssize_t n = green_socket_recv(p->socket, came + got, sizeof came - got, 0);

                if (!CHECK(n > 0))
                        break;
                got += (size_t)n;
        }
        CHECK(memcmp(came, "\301\7\362H\315\311\311\7\0", 9) == 0);
        CHECK_INT(got, 9 + len);
        CHECK(memcmp(came + 9, second, len) == 0);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
a_message_is_compressed_as_the_rfc_shows(void)
{
        GREEN_COVERS("WS-38", "WS-39");
        the_examples_of_the_rfc(true, "\301\5\362\0\21\0\0", 7);
        the_examples_of_the_rfc(false, "\301\7\362H\315\311\311\7\0", 9);
}

static void
empty_messages_and_control_frames_are_not_compressed(void)
{
        struct bed bed = {.calls = 0};
        unsigned char came[16];
        struct ws_peer *p;
        size_t got = 0;

        GREEN_COVERS("WS-38");
        bed_open(&bed, echo);
        p = peer_of(&bed, "permessage-deflate");
        peer_say(p, WS_TEXT, NULL, 0);
        peer_say(p, WS_PING, "ping", 4);
        while (got < 8) {
                ssize_t n = green_socket_recv(p->socket, came + got, sizeof came - got, 0);

                if (!CHECK(n > 0))
                        break;
                got += (size_t)n;
        }
        CHECK(memcmp(came, "\212\4ping\201\0", 8) == 0);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
short_messages_may_be_left_as_they_are(void)
{
        struct bed bed = {.opts.deflate_minimum = 6};
        unsigned char came[32];
        struct ws_peer *p;

        bed_open(&bed, echo);
        p = peer_of(&bed, "permessage-deflate");
        peer_say(p, WS_TEXT, "Hello", 5);
        CHECK_INT(green_socket_recv(p->socket, came, 7, 0), 7);
        CHECK(memcmp(came, "\201\5Hello", 7) == 0);
        peer_say(p, WS_TEXT, "Hello!", 6);
        CHECK_INT(green_socket_recv(p->socket, came, 1, 0), 1);
        CHECK_INT(came[0], 0xc1);
        ws_peer_free(p);
        bed_close(&bed);
}

/* ---- what is agreed on */

static void
offers_that_cannot_be_are_passed_over(void)
{
        static const struct {
                const char *offers, *answer; /* NULL: none */
        } rows[] = {
                {"permessage-deflate", "permessage-deflate"},
                {"Permessage-Deflate; Client_Max_Window_Bits", "permessage-deflate; client_max_window_bits=15"},
                {"permessage-deflate ; server_no_context_takeover",
                 "permessage-deflate; server_no_context_takeover"},
                {"permessage-deflate; client_no_context_takeover",
                 "permessage-deflate; client_no_context_takeover"},
                {"permessage-deflate; server_max_window_bits=\"10\"", "permessage-deflate; server_max_window_bits=10"},
                {"permessage-deflate; client_max_window_bits=9", "permessage-deflate; client_max_window_bits=9"},
                {"permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=8"},
                {"x-other, permessage-deflate; server_max_window_bits=16, permessage-deflate", "permessage-deflate"},
                {"permessage-deflate; server_max_window_bits=7", NULL},
                {"permessage-deflate; server_max_window_bits=08", NULL},
                {"permessage-deflate; server_max_window_bits=ten", NULL},
                {"permessage-deflate; client_max_window_bits=16", NULL},
                {"permessage-deflate; client_max_window_bits=9; client_max_window_bits=9", NULL},
                {"permessage-deflate; server_no_context_takeover=1", NULL},
                {"permessage-deflate; unknown", NULL},
                {"permessage-deflate;", NULL},
                {"permessage-deflate; server_max_window_bits=\"10", NULL},
                {"x-webkit-deflate-frame", NULL}};
        struct bed bed = {.opts.context_takeover = true};

        GREEN_COVERS("WS-35", "WS-36", "WS-37");
        bed_open(&bed, echo);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                green_socket *c = client_of(&bed.s);
                char text[400], want[200];
                const char *answer;

                snprintf(text, sizeof text,
                         "GET / HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION "Sec-WebSocket-Extensions: %s\r\n\r\n",
                         rows[i].offers);
                say(c, text);
                answer = until(c, "\r\n\r\n");
                CHECK(begins(answer, "HTTP/1.1 101 "));
                snprintf(want, sizeof want, "Sec-WebSocket-Extensions: %s\r\n", rows[i].answer == NULL ? "" : rows[i].answer);
                if (rows[i].answer == NULL ? !CHECK(strstr(answer, "Extensions") == NULL)
                                           : !CHECK(strstr(answer, want) != NULL))
                        FAIL("%s: %s", rows[i].offers, answer);
                CHECK_INT(green_socket_free(c), 0);
        }
        bed_close(&bed);
}

/* Every size of window, both ways, with and without takeover: what was agreed on works. */
static void
every_window_works(void)
{
        char text[5001];

        GREEN_COVERS("WS-36", "WS-37");
        for (int i = 0; i < 5000; i++)
                text[i] = (char)('a' + (i * i / 7) % 26);
        text[5000] = '\0';
        for (int bits = 8; bits <= 15; bits++) {
                for (int takeover = 0; takeover < 2; takeover++) {
                        struct bed bed = {.opts = {.context_takeover = takeover != 0}};
                        struct green_websocket_opts opts = {.size = sizeof opts,
                                                            .context_takeover = takeover != 0,
                                                            .server_max_window_bits = bits,
                                                            .client_max_window_bits = 23 - bits};
                        green_websocket *ws;

                        bed_open(&bed, echo);
                        ws = connect_to(&bed, &opts);
                        CHECK(green_websocket_deflates(ws));
                        for (int i = 0; i < 4; i++) {
                                CHECK_INT(green_websocket_send_text(ws, text), 0);
                                comes(ws, GREEN_WEBSOCKET_TEXT, text);
                        }
                        CHECK_INT(green_websocket_free(ws), 0);
                        bed_close(&bed);
                }
        }
}

static void
a_client_without_it_gets_none(void)
{
        struct bed bed = {.calls = 0};
        struct bed none = {.opts.no_deflate = true};
        struct green_websocket_opts opts = {.size = sizeof opts};
        green_websocket *ws;

        GREEN_COVERS("WS-35");
        bed_open(&bed, echo);
        ws = connect_to(&bed, NULL);
        CHECK(!green_websocket_deflates(ws));
        CHECK_INT(green_websocket_free(ws), 0);
        bed_close(&bed);
        bed_open(&none, echo);
        ws = connect_to(&none, &opts);
        CHECK(!green_websocket_deflates(ws));
        CHECK_INT(green_websocket_free(ws), 0);
        bed_close(&none);
}

/* ---- what comes */

static void
what_is_inflated_has_its_limit(void)
{
        enum { LARGE = 1 << 20 };
        struct bed bed = {.opts.max_frame_length = 10000};
        const struct ws_bytes *squeezed;
        char *zeros = calloc(1, LARGE);
        struct ws_event e;
        struct ws_peer *p;

        GREEN_COVERS("WS-40");
        bed_open(&bed, echo);
        p = peer_of(&bed, "permessage-deflate");
        squeezed = ws_peer_squeeze(p, zeros, 10000);
        peer_say(p, WS_BINARY | WS_RSV1, squeezed->data, squeezed->len);
        CHECK_INT(ws_peer_next(p, &e, 5), WS_EVENT);
        CHECK_INT(e.len, 10000);
        squeezed = ws_peer_squeeze(p, zeros, 10001);
        peer_say(p, WS_BINARY | WS_RSV1, squeezed->data, squeezed->len);
        peer_gets_close(p, 1009);
        ws_peer_free(p);
        WAIT_UNTIL(bed.code == 1009);
        /* A bomb is found at the limit, not at its end. */
        p = peer_of(&bed, "permessage-deflate");
        squeezed = ws_peer_squeeze(p, zeros, LARGE);
        CHECK(squeezed->len < 2000);
        peer_say(p, WS_BINARY | WS_RSV1, squeezed->data, squeezed->len);
        peer_gets_close(p, 1009);
        ws_peer_free(p);
        bed_close(&bed);
        free(zeros);
}

static void
garbage_is_refused(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;

        GREEN_COVERS("WS-38");
        bed_open(&bed, echo);
        p = peer_of(&bed, "permessage-deflate");
        peer_say(p, WS_BINARY | WS_RSV1, "\377\377\377\377", 4);
        peer_gets_close(p, 1007);
        ws_peer_free(p);
        bed_close(&bed);
}

static void
reserved_bits_are_refused_where_they_are_not_ours(void)
{
        static const unsigned bad[] = {WS_PING | WS_RSV1, WS_TEXT | WS_RSV(2), WS_TEXT | WS_RSV(1), WS_CONT | WS_RSV1};
        struct bed bed = {.calls = 0};

        GREEN_COVERS("WS-20");
        bed_open(&bed, echo);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct ws_peer *p = peer_of(&bed, "permessage-deflate");

                if (bad[i] == (WS_CONT | WS_RSV1))
                        peer_say(p, WS_TEXT | WS_MORE, "a", 1);
                peer_say(p, bad[i], "", 0);
                peer_gets_close(p, 1002);
                ws_peer_free(p);
        }
        bed_close(&bed);
}

/* ---- fragments */

static int
send_in_pieces(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct bed *bed = arg;

        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 10; i++)
                        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "piece of cake ", 14, i == 9), 0);
                CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "x", 1, false), 0);
                CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "", 0, true), 0);
                CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "", 0, true), 0);
        }
        bed->last = green_websocket_wait(ws, &m);
        return 0;
}

static void
a_message_in_fragments_is_compressed_as_one(void)
{
        GREEN_COVERS("WS-41");
        for (int takeover = 0; takeover < 2; takeover++) {
                struct bed bed = {.opts.context_takeover = takeover != 0};
                struct ws_peer *p;

                bed_open(&bed, send_in_pieces);
                p = peer_of(&bed, "permessage-deflate");
                for (int round = 0; round < 3; round++) {
                        peer_gets(p, WS_TEXT,
                                  "piece of cake piece of cake piece of cake piece of cake piece of cake "
                                  "piece of cake piece of cake piece of cake piece of cake piece of cake ");
                        peer_gets(p, WS_TEXT, "x");
                        peer_gets(p, WS_TEXT, "");
                }
                ws_peer_free(p);
                bed_close(&bed);
        }
}

GREEN_SUITE(web_ws_deflate) {
        GREEN_TEST(a_message_is_compressed_as_the_rfc_shows),
        GREEN_TEST(empty_messages_and_control_frames_are_not_compressed),
        GREEN_TEST(short_messages_may_be_left_as_they_are),
        GREEN_TEST(offers_that_cannot_be_are_passed_over),
        GREEN_TEST(every_window_works),
        GREEN_TEST(a_client_without_it_gets_none),
        GREEN_TEST(what_is_inflated_has_its_limit),
        GREEN_TEST(garbage_is_refused),
        GREEN_TEST(reserved_bits_are_refused_where_they_are_not_ours),
        GREEN_TEST(a_message_in_fragments_is_compressed_as_one),
        GREEN_SUITE_END
};
