/* WebSockets: sending, alone and beside others, to those who read and those who do not. */
#include "ws_suite.h"

#include <stdlib.h>

#include <sys/socket.h>

static int
hold(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct bed *bed = arg;

        bed->calls++;
        bed->ws = ws;
        bed->last = green_websocket_wait(ws, &m);
        bed->code = green_websocket_close_code(ws);
        return 0;
}

/* A server whose handler waits, and a peer that speaks frames; its small window is soon full. */
struct both {
        struct bed bed;
        struct ws_peer *p;
};

static void
open_pair(struct both *pair, const char *offers)
{
        int small = 32768;

        bed_open(&pair->bed, hold);
        pair->p = peer_of(&pair->bed, offers);
        WAIT_UNTIL(pair->bed.ws != NULL);
        CHECK_INT(green_socket_setsockopt(green_websocket_get_socket(pair->bed.ws), SOL_SOCKET, SO_SNDBUF, &small,
                                          sizeof small),
                  0);
        CHECK_INT(green_socket_setsockopt(pair->p->socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
}

static void
close_pair(struct both *pair)
{
        ws_peer_free(pair->p);
        bed_close(&pair->bed);
}

static void
what_cannot_be_sent_is_refused(void)
{
        struct both pair = {.p = NULL};
        green_websocket *ws;
        char long_one[126];

        GREEN_COVERS("WS-14", "WS-45");
        memset(long_one, 'x', sizeof long_one);
        open_pair(&pair, NULL);
        ws = pair.bed.ws;
        CHECK_INT(green_websocket_send(NULL, GREEN_WEBSOCKET_TEXT, "x", 1), -EINVAL);
        CHECK_INT(green_websocket_send(ws, 3, "x", 1), -EINVAL);
        CHECK_INT(green_websocket_send(ws, GREEN_WEBSOCKET_TEXT, NULL, 1), -EINVAL);
        CHECK_INT(green_websocket_send_text(ws, NULL), -EINVAL);
        CHECK_INT(green_websocket_send_text(ws, "\300\200"), -EILSEQ);
        CHECK_INT(green_websocket_ping(ws, long_one, 126), -EMSGSIZE);
        CHECK_INT(green_websocket_pong(ws, long_one, 126), -EMSGSIZE);
        CHECK_INT(green_websocket_ping(NULL, NULL, 0), -EINVAL);
        CHECK(green_websocket_prepare(GREEN_WEBSOCKET_TEXT, "\377", 1) == NULL);
        CHECK_INT(errno, EILSEQ);
        CHECK(green_websocket_prepare(7, "x", 1) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_websocket_post(ws, NULL), -EINVAL);
        CHECK_INT(green_websocket_send_prepared(ws, NULL), -EINVAL);
        /* Of all that nothing was sent. */
        CHECK_INT(green_websocket_ping(ws, long_one, 125), 0);
        CHECK_INT(green_websocket_pong(ws, "p", 1), 0);
        CHECK_INT(green_websocket_send_text(ws, "fine"), 0);
        {
                struct ws_event e;

                CHECK_INT(ws_peer_next(pair.p, &e, 5), WS_EVENT);
                CHECK(e.op == WS_PING && e.len == 125);
        }
        peer_gets(pair.p, WS_PONG, "p");
        peer_gets(pair.p, WS_TEXT, "fine");
        close_pair(&pair);
}

/* ---- fragments */

static void
a_message_may_be_sent_in_fragments(void)
{
        struct both pair = {.p = NULL};
        green_websocket *ws;

        GREEN_COVERS("WS-14");
        open_pair(&pair, NULL);
        ws = pair.bed.ws;
        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "a\303", 2, false), 0);
        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_BINARY, "x", 1, false), -EINVAL);
        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "x", 1, false), -EILSEQ);
        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "", 0, true), -EILSEQ);
        /* Its own message would wait for itself; a ping may come in between. */
        CHECK_INT(green_websocket_send_text(ws, "x"), -EDEADLK);
        CHECK_INT(green_websocket_ping(ws, "p", 1), 0);
        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "\244", 1, false), 0);
        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, "", 0, true), 0);
        CHECK_INT(green_websocket_send_text(ws, "next"), 0);
        peer_gets(pair.p, WS_PING, "p");
        peer_gets(pair.p, WS_TEXT, "a\303\244");
        peer_gets(pair.p, WS_TEXT, "next");
        close_pair(&pair);
}

/* ---- several who send */

enum { SENDERS = 8, EACH = 50, TEXT_SIZE = 3000 };

static void *
send_many(void *arg)
{
        green_websocket *ws = arg;
        static int number;
        char text[TEXT_SIZE + 1];
        int me = number++ % SENDERS;

        memset(text, 'a' + me, TEXT_SIZE);
        text[TEXT_SIZE] = '\0';
        for (int i = 0; i < EACH; i++) {
                if (i % 3 == 0) {
                        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, text, 1000, false), 0);
                        green_sleep(0);
                        CHECK_INT(green_websocket_send_fragment(ws, GREEN_WEBSOCKET_TEXT, text, TEXT_SIZE - 1000, true), 0);
                } else {
                        CHECK_INT(green_websocket_send_text(ws, text), 0);
                }
        }
        return NULL;
}

static void
senders_do_not_mix(void)
{
        struct both pair = {.p = NULL};
        green_thread *threads[SENDERS];
        int seen[SENDERS] = {0};

        GREEN_COVERS("WS-13", "WS-17");
        open_pair(&pair, NULL);
        for (int i = 0; i < SENDERS; i++)
                threads[i] = green_spawn(send_many, pair.bed.ws);
        for (int i = 0; i < SENDERS * EACH; i++) {
                struct ws_event e;

                if (i % 20 == 0)
                        peer_say(pair.p, WS_PING, "p", 1);
                do {
                        if (!CHECK_INT(ws_peer_next(pair.p, &e, 10 * suite_slow()), WS_EVENT)) {
                                FAIL("%s", pair.p->why);
                                i = SENDERS * EACH;
                                break;
                        }
                } while (e.op == WS_PONG);
                if (!CHECK_INT(e.len, TEXT_SIZE))
                        break;
                for (size_t k = 1; k < TEXT_SIZE; k++)
                        if (e.data[k] != e.data[0]) {
                                FAIL("mixed at %zu", k);
                                break;
                        }
                seen[(e.data[0] - 'a') % SENDERS]++;
        }
        for (int i = 0; i < SENDERS; i++) {
                CHECK_INT(seen[i], EACH);
                CHECK_INT(green_thread_wait(threads[i], NULL), 0);
                green_thread_unref(threads[i]);
        }
        close_pair(&pair);
}

/* ---- peers that do not read */

static void
a_message_that_was_cut_by_a_timeout_arrives_whole(void)
{
        enum { LARGE = 4 << 20 };
        struct both pair = {.p = NULL};
        struct green_timeout t;
        struct ws_event e;
        char *large = malloc(LARGE);
        int rc;

        GREEN_COVERS("WS-34");
        for (int i = 0; i < LARGE; i++)
                large[i] = (char)((unsigned)i * 7919u >> 7);
        open_pair(&pair, NULL);
        CHECK_INT(green_timeout_start(&t, 0.05), 0);
        rc = green_websocket_send(pair.bed.ws, GREEN_WEBSOCKET_BINARY, large, LARGE);
        CHECK_INT(rc, GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        memset(large, 0, LARGE / 2);
        for (int i = 0; i < LARGE / 2; i++)
                large[i] = (char)((unsigned)i * 7919u >> 7);
        /* This one waits behind the rest of it. */
        CHECK_INT(green_websocket_ping(pair.bed.ws, "after", 5), 0);
        CHECK_INT(ws_peer_next(pair.p, &e, 10 * suite_slow()), WS_EVENT);
        CHECK(e.op == WS_BINARY && e.len == LARGE && memcmp(e.data, large, LARGE) == 0);
        peer_gets(pair.p, WS_PING, "after");
        free(large);
        close_pair(&pair);
}

static void
posting_never_waits_and_has_a_limit(void)
{
        struct both pair = {.bed.opts.max_unsent = 100000};
        green_websocket_prepared *message;
        char text[10001];
        int posted = 0, rc;

        GREEN_COVERS("WS-34");
        memset(text, 'x', 10000);
        text[10000] = '\0';
        message = green_websocket_prepare(GREEN_WEBSOCKET_TEXT, text, 10000);
        open_pair(&pair, NULL);
        while ((rc = green_websocket_post(pair.bed.ws, message)) == 0 && posted < 10000)
                posted++;
        CHECK_INT(rc, -EAGAIN);
        CHECK(posted > 5 && posted < 1000);
        CHECK(green_websocket_unsent(pair.bed.ws) <= 100000 && green_websocket_unsent(pair.bed.ws) > 80000);
        CHECK_INT(green_websocket_ping(pair.bed.ws, "p", 1), 0);
        for (int i = 0; i < posted; i++)
                if (!peer_gets(pair.p, WS_TEXT, text))
                        break;
        peer_gets(pair.p, WS_PING, "p");
        CHECK_INT(green_websocket_unsent(pair.bed.ws), 0);
        CHECK_INT(green_websocket_post(pair.bed.ws, message), 0);
        peer_gets(pair.p, WS_TEXT, text);
        green_websocket_prepared_unref(message);
        CHECK_INT(green_websocket_unsent(NULL), 0);
        close_pair(&pair);
}

/* The pings of one who does not read are answered by one pong, and cost no memory. */
static void
pings_of_a_peer_that_does_not_read_do_not_pile_up(void)
{
        struct both pair = {.p = NULL};
        static const char large[200000];
        green_websocket_prepared *message;
        struct ws_event e;
        char text[8] = "";
        int pongs = 0;

        GREEN_COVERS("WS-17");
        message = green_websocket_prepare(GREEN_WEBSOCKET_BINARY, large, sizeof large);
        open_pair(&pair, NULL);
        CHECK_INT(green_websocket_post(pair.bed.ws, message), 0);
        CHECK_INT(green_websocket_post(pair.bed.ws, message), 0);
        for (int i = 0; i < 1000; i++) {
                int len = snprintf(text, sizeof text, "%d", i);

                peer_say(pair.p, WS_PING, text, (size_t)len);
                if (i % 50 == 0)
                        green_sleep(0);
        }
        WAIT_UNTIL(green_websocket_unsent(pair.bed.ws) < 500000);
        CHECK_INT(ws_peer_next(pair.p, &e, 5), WS_EVENT);
        CHECK_INT(ws_peer_next(pair.p, &e, 5), WS_EVENT);
        CHECK_INT(e.len, 200000);
        do {
                CHECK_INT(ws_peer_next(pair.p, &e, 5), WS_EVENT);
                CHECK_INT(e.op, WS_PONG);
                pongs++;
        } while (e.op == WS_PONG && !(e.len == 3 && memcmp(e.data, "999", 3) == 0) && pongs < 1000);
        CHECK(pongs < 20);
        green_websocket_prepared_unref(message);
        close_pair(&pair);
}

/* ---- one to many */

static void
a_prepared_message_reaches_all_whatever_they_agreed_on(void)
{
        static const char *const offers[] = {NULL, "permessage-deflate", "permessage-deflate; server_max_window_bits=9",
                                             "permessage-deflate"};
        enum { N = sizeof offers / sizeof offers[0] };
        struct bed bed = {.calls = 0};
        green_websocket_prepared *message;
        green_websocket *all[N];
        struct ws_peer *p[N];
        char text[2001];

        for (int i = 0; i < 2000; i++)
                text[i] = (char)('a' + i % 13);
        text[2000] = '\0';
        message = green_websocket_prepare(GREEN_WEBSOCKET_TEXT, text, 2000);
        bed_open(&bed, hold);
        for (int i = 0; i < N; i++) {
                p[i] = peer_of(&bed, offers[i]);
                WAIT_UNTIL(bed.calls == i + 1);
                all[i] = bed.ws;
                CHECK_INT(green_websocket_deflates(all[i]), offers[i] != NULL);
        }
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < N; i++)
                        CHECK_INT(round == 1 ? green_websocket_send_prepared(all[i], message)
                                             : green_websocket_post(all[i], message),
                                  0);
                for (int i = 0; i < N; i++)
                        peer_gets(p[i], WS_TEXT, text);
        }
        CHECK(green_websocket_prepared_ref(message) == message);
        green_websocket_prepared_unref(message);
        green_websocket_prepared_unref(message);
        green_websocket_prepared_unref(NULL);
        for (int i = 0; i < N; i++)
                ws_peer_free(p[i]);
        bed_close(&bed);
}

/* ---- signs of life */

static void
a_silent_peer_is_pinged_and_then_lost(void)
{
        struct bed bed = {.opts = {.ping_interval = 0.05, .ping_timeout = 0.3}};
        struct ws_peer *p;

        GREEN_COVERS("WS-34");
        bed.opts.ping_timeout *= suite_slow();
        bed_open(&bed, echo);
        p = peer_of(&bed, NULL);
        /* Any answer will do, and it begins anew. */
        peer_gets(p, WS_PING, "");
        peer_say(p, WS_PONG, NULL, 0);
        peer_gets(p, WS_PING, "");
        peer_say(p, WS_TEXT, "here", 4);
        peer_gets(p, WS_TEXT, "here");
        CHECK(bed.ws != NULL);
        peer_gets(p, WS_PING, "");
        WAIT_UNTIL(bed.ws == NULL);
        CHECK_INT(bed.code, 1006);
        ws_peer_free(p);
        bed_close(&bed);
}

static void *
send_large(void *arg)
{
        struct bed *bed = arg;
        char *large = calloc(8, 1 << 20);

        bed->rc = green_websocket_send(bed->ws, GREEN_WEBSOCKET_BINARY, large, 8 << 20);
        free(large);
        return NULL;
}

/* Whoever is sending to it comes back. */
static void
who_sends_to_a_lost_peer_comes_back(void)
{
        struct both pair = {.bed.opts = {.ping_interval = 0.05, .ping_timeout = 0.1}};
        green_thread *sender;

        GREEN_COVERS("WS-34");
        open_pair(&pair, NULL);
        sender = green_spawn(send_large, &pair.bed);
        CHECK_INT(green_thread_wait(sender, NULL), 0);
        CHECK(pair.bed.rc < 0);
        green_thread_unref(sender);
        WAIT_UNTIL(pair.bed.code == 1006);
        close_pair(&pair);
}

GREEN_SUITE(web_ws_sending) {
        GREEN_TEST(what_cannot_be_sent_is_refused),
        GREEN_TEST(a_message_may_be_sent_in_fragments),
        GREEN_TEST(senders_do_not_mix),
        GREEN_TEST(a_message_that_was_cut_by_a_timeout_arrives_whole),
        GREEN_TEST(posting_never_waits_and_has_a_limit),
        GREEN_TEST(pings_of_a_peer_that_does_not_read_do_not_pile_up),
        GREEN_TEST(a_prepared_message_reaches_all_whatever_they_agreed_on),
        GREEN_TEST(a_silent_peer_is_pinged_and_then_lost),
        GREEN_TEST(who_sends_to_a_lost_peer_comes_back),
        GREEN_SUITE_END
};
