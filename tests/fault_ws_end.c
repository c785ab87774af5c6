/* The same where several send, where nobody takes what is sent, and with peers that speak bytes. See fault.h. */
#include "fault_ws_scene.h"

#include <sys/socket.h>

#include <green/tpool.h>

/* ---- several at once */

struct sender {
        green_websocket *ws;
        int number;
        bool sent;
};

static void *
send_some(void *arg)
{
        struct sender *sender = arg;

        if (sender->number % 2 == 0)
                sender->sent = OK(green_websocket_send(sender->ws, GREEN_WEBSOCKET_BINARY, fault_ws_big, BIG));
        else
                sender->sent = OK(fault_ws_fragments(sender->ws, "echo"));
        /* The others would wait for the rest of a message that has begun. */
        if (!sender->sent)
                (void)OK(green_websocket_close(sender->ws, 1000, NULL));
        return NULL;
}

/* They send one after the other. */
static void
crowd(struct scene *scene, green_websocket *ws)
{
        struct sender senders[MANY];
        green_thread *threads[MANY] = {NULL};
        struct green_websocket_message m;
        int started = 0;

        for (int i = 0; i < MANY; i++) {
                senders[i] = (struct sender){ws, i, false};
                if (!MADE(threads[i] = green_spawn(send_some, &senders[i])))
                        break;
                started++;
        }
        for (int i = 0; i < started; i++)
                (void)OK(fault_join(threads[i]));
        for (int i = 0; i < started; i++)
                if (senders[i].sent && !fault_ws_comes(ws, &m, ANY))
                        return;
        (void)scene;
}

/* ---- one that does not read */

static int
post_many(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct scene *scene = arg;
        int small = 32768, rc;

        rc = green_websocket_wait(ws, &m);
        if (rc <= 0) {
                (void)OK(rc);
                return rc;
        }
        (void)OK(green_socket_setsockopt(green_websocket_get_socket(ws), SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
        scene->stage = 0;
        for (int i = 0; rc >= 0 && i < MANY; i++) {
                rc = green_websocket_post(ws, scene->prepared);
                if (rc == 0)
                        scene->stage++;
                if (rc == -EAGAIN) {
                        CHECK(green_websocket_unsent(ws) > 0);
                        rc = 0;
                }
        }
        if (rc >= 0)
                rc = green_websocket_wait(ws, &m) < 0 ? -ECONNRESET : 0;
        (void)OK(rc);
        return rc;
}

static void
reads_late(struct scene *scene, green_websocket *ws)
{
        struct green_websocket_message m;

        if (!OK(green_websocket_send_text(ws, "go")) || !OK(green_sleep(0.01)))
                return;
        for (int i = 0; i < scene->stage; i++)
                if (!fault_ws_comes(ws, &m, BIG))
                        return;
        (void)OK(green_websocket_send_text(ws, "thanks"));
}

/* ---- the end, while somebody sends and nobody takes it */

static void *
send_until_it_fails(void *arg)
{
        green_websocket *ws = arg;
        int rc;

        while ((rc = green_websocket_send(ws, GREEN_WEBSOCKET_BINARY, fault_ws_big, BIG)) == 0)
                ;
        if (rc != -EPIPE && rc != -ECANCELED && rc != -EBADF)
                (void)OK(rc);
        return NULL;
}

/* It leaves while its green thread still sends. */
static int
leave_early(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct scene *scene = arg;

        if (!OK(green_websocket_wait(ws, &m)) || !MADE(scene->helper = green_spawn(send_until_it_fails, ws)))
                return -EDOM;
        (void)OK(green_sleep(0.002));
        return 0;
}

static void
takes_nothing(struct scene *scene, green_websocket *ws)
{
        struct green_websocket_message m;

        if (OK(green_websocket_send_text(ws, "go")) && OK(green_sleep(0.012)) && OK(fault_join(scene->helper)))
                (void)OK(green_websocket_wait(ws, &m));
        else
                (void)fault_join(scene->helper);
        scene->helper = NULL;
}

/* It takes no message until it is too late. */
static int
sleep_first(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        int rc = green_sleep(0.012);

        (void)arg;
        while (rc >= 0 && (rc = green_websocket_wait(ws, &m)) == 1)
                ;
        (void)OK(rc);
        return rc;
}

static void
closes_early(struct scene *scene, green_websocket *ws)
{
        green_thread *gt;
        int rc;

        (void)scene;
        if (!MADE(gt = green_spawn(send_until_it_fails, ws)))
                return;
        if (OK(green_sleep(0.002)) && !fault_happened())
                CHECK_INT(green_websocket_free(ws), -EBUSY);
        rc = green_websocket_close(ws, 1000, "enough");
        if (rc != -ETIMEDOUT)
                (void)OK(rc);
        (void)OK(fault_join(gt));
}

/* ---- over TLS */

/* A build without a back end has nothing that could fail here. */
static bool usable;

static void
find_out(void)
{
        usable = green_tls_backend() != NULL;
}

GREEN_SUITE_INIT(find_out)

static void
one_echo(struct scene *scene, green_websocket *ws)
{
        (void)scene;
        (void)fault_ws_asks(ws, "echo", 4);
}

/* ---- by hand */

/* Does a text come, before the end? */
static bool
bytes_come(green_socket *s, const char *text, size_t len)
{
        static char room[4096];
        size_t got = 0;
        ssize_t n = 1;

        for (int turns = 0; n > 0 && got < sizeof room; turns++) {
                n = green_socket_recv(s, room + got, sizeof room - got, 0);
                if (n == -ETIMEDOUT && !fault_happened() && turns < 100)
                        n = 1;
                else if (n > 0)
                        got += (size_t)n;
                for (size_t i = 0; i + len <= got; i++)
                        if (memcmp(room + i, text, len) == 0)
                                return true;
        }
        if (OK(n))
                fault_shows();
        return false;
}

#define ASK(line) "GET /a%20b HTTP/1.1\r\nHost: a\r\nUpgrade: " line "\r\nConnection: Upgrade\r\nOrigin: http://o\r\n"

static const char modern[] =
        ASK("websocket") "Sec-WebSocket-Version: 13\r\nX-One: 1\r\nSec-WebSocket-Protocol: chat\r\n"
                         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/* A frame without a mask. */
static void
breaks_the_rules(green_socket *s)
{
        static const char frame[] = {(char)0x81, 1, 'a'};

        if (!OK(green_socket_sendall(s, modern, sizeof modern - 1, 0, NULL)) ||
            !OK(green_socket_sendall(s, frame, sizeof frame, 0, NULL)))
                return;
        (void)bytes_come(s, "\x03\xea", 2);
}

/* A message in two pieces that need room, compressed or not, and the connection is gone. */
static void
goes_away(green_socket *s)
{
        static const char head[] = {(char)0x82, (char)0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};

        if (!OK(green_socket_sendall(s, modern, sizeof modern - 1, 0, NULL)) ||
            !OK(green_socket_sendall(s, head, sizeof head, 0, NULL)) ||
            !OK(green_socket_sendall(s, fault_ws_big, 10000, 0, NULL)) || !OK(green_sleep(0.002)))
                return;
        (void)OK(green_socket_sendall(s, fault_ws_big, 10000, 0, NULL));
}

/* No WebSocket at all. */
static void
asks_in_vain(green_socket *s)
{
        static const char old[] = ASK("websocket") "Sec-WebSocket-Version: 7\r\n\r\n";

        if (OK(green_socket_sendall(s, old, sizeof old - 1, 0, NULL)))
                (void)bytes_come(s, "HTTP/1.1 426", 12);
}

static int
echo_legacy(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct scene *scene = arg;
        int rc;

        while ((rc = green_websocket_wait(ws, &m)) == 1) {
                rc = green_websocket_send(ws, m.type, m.data, m.len);
                if (rc == 0)
                        rc = green_websocket_post(ws, scene->prepared);
                if (rc != 0)
                        break;
        }
        (void)OK(rc);
        return rc;
}

/* Hixie-76; text that has to be mended. */
static void
is_old(green_socket *s)
{
        static const char ask[] = ASK("WebSocket") "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n"
                                                   "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U"
                                                   "\0one\xff";
        static const char end[] = {(char)0x80, (char)0xff};

        if (OK(green_socket_sendall(s, ask, sizeof ask - 1, 0, NULL)) && bytes_come(s, "\0one\xff\0prepared\xff", 15) &&
            OK(green_socket_sendall(s, fault_ws_big, 3000, 0, NULL)) &&
            OK(green_socket_sendall(s, end, sizeof end, 0, NULL)) && bytes_come(s, "\xef\xbf\xbd\xff", 4) &&
            OK(green_socket_sendall(s, "\xff\0", 2, 0, NULL)))
                (void)bytes_come(s, "\xff\0", 2);
}

/* ---- the scenarios */

static void
many_senders(void)
{
        struct scene scene = {.talk = crowd, .opts.max_buffered = 1000, .client.max_buffered = 2 * MANY * BIG};

        scene.client.no_deflate = true;
        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
many_posts(void)
{
        struct scene scene = {.talk = reads_late, .opts = {.no_deflate = true, .max_unsent = 3 * BIG}};

        scene.client.max_buffered = 1;
        fault_ws_play(&scene, post_many, fault_ws_big, BIG);
}

static void
closed_by_a_client_that_sends(void)
{
        struct scene scene = {.talk = closes_early, .opts.max_buffered = 1, .client.close_timeout = 0.005};

        scene.client.no_deflate = true;
        fault_ws_play(&scene, sleep_first, "prepared", 8);
}

static void
closed_by_a_server_that_sends(void)
{
        struct scene scene = {.talk = takes_nothing, .opts.no_deflate = true, .client.max_buffered = 1};

        scene.opts.close_timeout = 0.005;
        fault_ws_play(&scene, leave_early, "prepared", 8);
}

static void
broken_rules(void)
{
        struct scene scene = {.talk_bytes = breaks_the_rules};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
gone_within_a_message(void)
{
        struct scene scene = {.talk_bytes = goes_away};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
refused(void)
{
        struct scene scene = {.talk_bytes = asks_in_vain};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
legacy(void)
{
        struct scene scene = {.talk_bytes = is_old, .opts.support_legacy_versions = true};

        fault_ws_play(&scene, echo_legacy, "prepared", 8);
}

/* Over TLS: steps of its handshake are made by other OS threads. */
static void
wss(void)
{
        const struct green_wrap_ssl_opts ssl = {
                .size = sizeof ssl, .ca_certs = TLS_CERTS "/ca.pem", .server_hostname = "localhost"};
        struct scene scene = {.talk = one_echo, .tls = true, .opts.no_deflate = true, .client.ssl = &ssl};

        if (!usable || !MADE(green_get_hub()))
                return;
        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
        (void)OK(green_tpool_killall(LONG));
}

#define SCENARIOS(X)                                                                                                   \
        X(many_senders, SERVES, 0)                                                                                     \
        X(many_posts, SERVES, 0)                                                                                       \
        X(closed_by_a_client_that_sends, SERVES, 0)                                                                    \
        X(closed_by_a_server_that_sends, SERVES, 0)                                                                    \
        X(broken_rules, SERVES, 0)                                                                                     \
        X(gone_within_a_message, SERVES, 0)                                                                            \
        X(refused, SERVES, 0)                                                                                          \
        X(legacy, SERVES, 0)                                                                                           \
        X(wss, SERVES | FAULT_BIT(close), 0)

FAULT_DEFINE(SCENARIOS)

static void signals_change_nothing(void){SCENARIOS(FAULT_STORM_ROW)}

GREEN_SUITE(fault_ws_end) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_change_nothing, .limit = 120),
        GREEN_SUITE_END
};
