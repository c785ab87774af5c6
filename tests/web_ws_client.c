/* WebSockets: the client's half of the handshake, and its end. */
#include "ws_suite.h"

/* A server that answers with what it is told to, the key's answer in place of "%s". */
struct liar {
        green_socket *listener;
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16];
        const char *answer;
        char asked[4096];
        green_thread *thread;
        bool silent;
};

/* The answer to its key is asked of a server that knows. */
static void
key_answer(const char *request, char text[64])
{
        struct bed bed = {.calls = 0};
        char asked[512];
        const char *key = strstr(request, "Sec-WebSocket-Key: "), *answer;
        green_socket *c;

        bed_open(&bed, echo);
        c = client_of(&bed.s);
        snprintf(asked, sizeof asked, "GET / HTTP/1.1\r\nHost: a\r\n" UPGRADE VERSION "%.43s\r\n\r\n", key);
        say(c, asked);
        answer = strstr(until(c, "\r\n\r\n"), "Sec-WebSocket-Accept: ");
        CHECK(answer != NULL);
        snprintf(text, 64, "%.28s", answer == NULL ? "" : answer + 22);
        CHECK_INT(green_socket_free(c), 0);
        bed_close(&bed);
}

static void *
liar_main(void *arg)
{
        struct liar *l = arg;
        green_socket *c = green_socket_accept(l->listener, NULL);
        char accept[64], text[2048];
        const char *at;

        if (!CHECK(c != NULL))
                return NULL;
        green_socket_set_timeout(c, 5 * suite_slow());
        if (l->silent && green_sleep(GREEN_FOREVER) != 0) {
                CHECK_INT(green_socket_free(c), 0);
                return NULL;
        }
        snprintf(l->asked, sizeof l->asked, "%s", until(c, "\r\n\r\n"));
        key_answer(l->asked, accept);
        at = strstr(l->answer, "%s");
        if (at != NULL)
                snprintf(text, sizeof text, "%.*s%s%s", (int)(at - l->answer), l->answer, accept, at + 2);
        else
                snprintf(text, sizeof text, "%s", l->answer);
        say(c, text);
        (void)green_socket_shutdown(c, SHUT_WR);
        (void)all_of(c);
        CHECK_INT(green_socket_free(c), 0);
        return NULL;
}

static void
lie(struct liar *l, const char *answer)
{
        l->answer = answer;
        l->listener = listen_here(l->address);
        snprintf(l->url, sizeof l->url, "ws://%s/", l->address);
        l->thread = green_spawn(liar_main, l);
}

static void
lie_no_more(struct liar *l)
{
        CHECK_INT(green_thread_wait(l->thread, NULL), 0);
        green_thread_unref(l->thread);
        CHECK_INT(green_socket_free(l->listener), 0);
}

#define OK_HEAD "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define OK_ACCEPT "Sec-WebSocket-Accept: %s\r\n"

static void
what_is_asked_is_what_the_rfc_asks_for(void)
{
        static const char *const protocols[] = {"one", "two", NULL};
        static const struct green_wsgi_pair more[] = {{"X-One", "1"}, {NULL, NULL}};
        struct green_websocket_opts opts = {
                .size = sizeof opts, .protocols = protocols, .headers = more, .origin = "http://o"};
        char key[2][32], host[GREEN_ADDR_TEXT_SIZE + 16];

        GREEN_COVERS("WS-33", "WS-34");
        for (int i = 0; i < 2; i++) {
                struct liar l = {.silent = false};
                green_websocket *ws;
                const char *at;

                lie(&l, OK_HEAD OK_ACCEPT "Sec-WebSocket-Protocol: two\r\n\r\n");
                snprintf(l.url, sizeof l.url, "WS://%s?q", l.address);
                ws = green_websocket_connect(l.url, &opts);
                if (!CHECK(ws != NULL))
                        FAIL("%s", green_last_error()->message);
                CHECK_STR(green_websocket_protocol(ws), "two");
                CHECK(!green_websocket_deflates(ws));
                CHECK_INT(green_websocket_free(ws), 0);
                CHECK(begins(l.asked, "GET /?q HTTP/1.1\r\n"));
                snprintf(host, sizeof host, "\r\nHost: %s\r\n", l.address);
                CHECK(strstr(l.asked, host) != NULL);
                CHECK(strstr(l.asked, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n") != NULL);
                CHECK(strstr(l.asked, "\r\nSec-WebSocket-Version: 13\r\n") != NULL);
                CHECK(strstr(l.asked, "\r\nSec-WebSocket-Protocol: one, two\r\n") != NULL);
                CHECK(strstr(l.asked, "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                                      "client_no_context_takeover; client_max_window_bits\r\n") != NULL);
                CHECK(strstr(l.asked, "\r\nOrigin: http://o\r\nSec") != NULL);
                CHECK(strstr(l.asked, "\r\nX-One: 1\r\n") != NULL);
                at = strstr(l.asked, "Sec-WebSocket-Key: ");
                snprintf(key[i], sizeof key[i], "%.24s", at == NULL ? "" : at + 19);
                lie_no_more(&l);
        }
        /* Nobody can guess it. */
        CHECK(strcmp(key[0], key[1]) != 0);
}

static void
an_answer_that_is_none_is_refused(void)
{
        static const char *const answers[] = {
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" OK_ACCEPT "\r\n",
                "SSH-2.0-OpenSSH_9.2\r\n\r\n",
                "",
                "HTTP/1.1 101 Switching Protocols\r\n",
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" OK_ACCEPT "\r\n",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" OK_ACCEPT "\r\n",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocketx\r\nConnection: Upgrade\r\n" OK_ACCEPT "\r\n",
                OK_HEAD "\r\n",
                OK_HEAD "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                OK_HEAD OK_ACCEPT OK_ACCEPT "\r\n",
                OK_HEAD OK_ACCEPT "Sec-WebSocket-Protocol: one\r\n\r\n",
                OK_HEAD OK_ACCEPT "Sec-WebSocket-Extensions: x-made-up\r\n\r\n",
                OK_HEAD OK_ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                OK_HEAD OK_ACCEPT "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                                  "client_max_window_bits\r\n\r\n",
                OK_HEAD OK_ACCEPT "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover, "
                                  "permessage-deflate; server_no_context_takeover\r\n\r\n",
                OK_HEAD OK_ACCEPT "Bad Name: x\r\n\r\n",
                OK_HEAD OK_ACCEPT "X: y\n\r\n"};

        GREEN_COVERS("WS-34");
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
                struct liar l = {.silent = false};
                green_websocket *ws;

                lie(&l, answers[i]);
                errno = 0;
                ws = green_websocket_connect(l.url, NULL);
                if (!CHECK(ws == NULL))
                        FAIL("row %zu", i);
                CHECK_INT(errno, EPROTO);
                CHECK_INT(green_last_error()->code, -EPROTO);
                if (i == 1)
                        CHECK(strstr(green_last_error()->message, "404 Not Found") != NULL);
                lie_no_more(&l);
        }
}

static void
what_cannot_be_asked_for_is_refused(void)
{
        static const char *const urls[] = {"http://a/", "ws:/a", "ws://", "ws://a b/", "ws://a/#x", "ws://u@a/",
                                           "ws://a:0x50/", "ws://a:99999/", "ws://[::1/", "ws://a/\303\244", "ws://a/\r\nX: y"};
        static const struct green_wsgi_pair bad[][2] = {{{"Host", "x"}, {NULL, NULL}},
                                                        {{"X Y", "x"}, {NULL, NULL}},
                                                        {{"", "x"}, {NULL, NULL}},
                                                        {{"X", "a\r\nY: b"}, {NULL, NULL}},
                                                        {{"Sec-WebSocket-Key", "x"}, {NULL, NULL}}};
        struct green_websocket_opts opts = {.size = sizeof opts};

        for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
                errno = 0;
                if (!CHECK(green_websocket_connect(urls[i], NULL) == NULL))
                        FAIL("%s", urls[i]);
                if (!CHECK_INT(errno, EINVAL))
                        FAIL("%s: %s", urls[i], green_last_error()->message);
        }
        CHECK(green_websocket_connect(NULL, NULL) == NULL);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                opts.headers = bad[i];
                errno = 0;
                CHECK(green_websocket_connect("ws://127.0.0.1:1/", &opts) == NULL);
                CHECK_INT(errno, EINVAL);
        }
        opts.headers = NULL;
        opts.origin = "a\r\nb";
        CHECK(green_websocket_connect("ws://127.0.0.1:1/", &opts) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_websocket_free(NULL), 0);
        CHECK_INT(green_websocket_close(NULL, 1000, NULL), 0);
        CHECK(green_websocket_closed(NULL));
}

static void
a_server_that_does_not_answer_is_left_in_time(void)
{
        struct green_websocket_opts opts = {.size = sizeof opts, .connect_timeout = 0.05};
        struct liar l = {.silent = true};

        GREEN_COVERS("WS-34");
        lie(&l, OK_HEAD OK_ACCEPT "\r\n");
        errno = 0;
        CHECK(green_websocket_connect(l.url, &opts) == NULL);
        CHECK_INT(errno, ETIMEDOUT);
        green_kill(l.thread, 0);
        (void)!green_thread_wait(l.thread, NULL);
        green_thread_unref(l.thread);
        CHECK_INT(green_socket_free(l.listener), 0);
}

static void
nobody_listens(void)
{
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16];
        green_socket *l = listen_here(address);

        CHECK_INT(green_socket_free(l), 0);
        snprintf(url, sizeof url, "ws://%s/", address);
        errno = 0;
        CHECK(green_websocket_connect(url, NULL) == NULL);
        CHECK_INT(errno, ECONNREFUSED);
}

/* ---- its masks, as a server sees them */

static void *
accept_main(void *arg)
{
        struct ws_peer **p = arg;
        green_socket *listener = (*p)->socket;
        green_socket *s = green_socket_accept(listener, NULL);

        *p = ws_peer_new(s, false, 5 * suite_slow());
        if (!ws_peer_answer(*p, NULL))
                FAIL("%s", (*p)->why);
        return NULL;
}

static void
every_frame_has_a_mask_of_its_own(void)
{
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16];
        struct green_websocket_opts opts = {.size = sizeof opts, .no_deflate = true, .close_timeout = 0.05};
        struct ws_peer listening = {.socket = listen_here(address)}, *p = &listening;
        green_thread *server = green_spawn(accept_main, &p);
        unsigned char frames[200][6];
        green_websocket *ws;

        GREEN_COVERS("WS-33");
        snprintf(url, sizeof url, "ws://%s/", address);
        ws = green_websocket_connect(url, &opts);
        CHECK_INT(green_thread_wait(server, NULL), 0);
        green_thread_unref(server);
        for (int i = 0; i < 200; i++) {
                size_t len = 0;

                CHECK_INT(green_websocket_send(ws, GREEN_WEBSOCKET_BINARY, NULL, 0), 0);
                while (len < 6) {
                        ssize_t n = green_socket_recv(p->socket, frames[i] + len, 6 - len, 0);

                        if (!CHECK(n > 0))
                                break;
                        len += (size_t)n;
                }
                /* Empty payloads too. */
                CHECK_INT(frames[i][0], 0x82);
                CHECK_INT(frames[i][1], 0x80);
        }
        for (int i = 0; i < 200; i++)
                for (int k = 0; k < i; k++)
                        CHECK(memcmp(frames[i] + 2, frames[k] + 2, 4) != 0);
        CHECK_INT(green_websocket_free(ws), -ETIMEDOUT);
        ws_peer_free(p);
        CHECK_INT(green_socket_free(listening.socket), 0);
}

static void *
wait_there(void *arg)
{
        struct green_websocket_message m;

        CHECK_INT(green_websocket_wait(arg, &m), 0);
        return NULL;
}

static void
a_client_in_use_is_not_freed(void)
{
        struct bed bed = {.calls = 0};
        green_websocket *ws;
        green_thread *waits;

        bed_open(&bed, echo);
        ws = connect_to(&bed, NULL);
        waits = green_spawn(wait_there, ws);
        green_sleep(0);
        CHECK_INT(green_websocket_free(ws), -EBUSY);
        CHECK_INT(green_websocket_close(ws, 1000, "done"), 0);
        CHECK_INT(green_thread_wait(waits, NULL), 0);
        green_thread_unref(waits);
        CHECK_INT(green_websocket_close_code(ws), 1000);
        CHECK_INT(green_websocket_free(ws), 0);
        WAIT_UNTIL(bed.code == 1000);
        bed_close(&bed);
}

static int
try_to_free(green_websocket *ws, void *arg)
{
        struct bed *bed = arg;

        bed->rc = green_websocket_free(ws);
        return 0;
}

static void
a_servers_is_not_freed_by_its_handler(void)
{
        struct bed bed = {.rc = 1};
        green_websocket *ws;
        struct green_websocket_message m;

        bed_open(&bed, try_to_free);
        ws = connect_to(&bed, NULL);
        CHECK_INT(green_websocket_wait(ws, &m), 0);
        CHECK_INT(green_websocket_free(ws), 0);
        CHECK_INT(bed.rc, -EINVAL);
        bed_close(&bed);
}

GREEN_SUITE(web_ws_client) {
        GREEN_TEST(what_is_asked_is_what_the_rfc_asks_for),
        GREEN_TEST(an_answer_that_is_none_is_refused),
        GREEN_TEST(what_cannot_be_asked_for_is_refused),
        GREEN_TEST(a_server_that_does_not_answer_is_left_in_time),
        GREEN_TEST(nobody_listens),
        GREEN_TEST(every_frame_has_a_mask_of_its_own),
        GREEN_TEST(a_client_in_use_is_not_freed),
        GREEN_TEST(a_servers_is_not_freed_by_its_handler),
        GREEN_SUITE_END
};
