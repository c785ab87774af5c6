/*
 * Hixie-75 and Hixie-76, which browsers spoke before 2011: text between the bytes 00 and FF, and nothing else (WS-42 to
 * WS-44).
 */
#include <stdio.h>

#include "digest_priv.h"
#include "ws_priv.h"

enum { BEGIN = 0x00, END = 0xff, BODY = 8 };

/* ---- the handshake */

/* A key is the number of its digits over the number of its spaces. False: it is none. */
static bool
take_key(const char *key, uint8_t bytes[4])
{
        uint64_t number = 0;
        uint32_t spaces = 0, part;

        for (; *key != '\0'; key++) {
                if (*key >= '0' && *key <= '9')
                        number = number * 10 + (uint64_t)(*key - '0');
                else if (*key == ' ')
                        spaces++;
                if (number > UINT32_MAX)
                        return false;
        }
        if (spaces == 0 || number % spaces != 0)
                return false;
        part = (uint32_t)(number / spaces);
        for (size_t i = 0; i < 4; i++)
                bytes[i] = (uint8_t)(part >> (24 - 8 * i));
        return true;
}

/* The 8 bytes behind the head that the answer is made of too. */
static int
take_body(green_wsgi_request *req, uint8_t body[BODY])
{
        struct green__session *s = req->session;
        struct green_timeout t = {{0}};
        int rc = green_timeout_start(&t, s->server->opts.header_timeout);

        while (rc == 0 && s->in_end - s->in_start < BODY) {
                rc = green__session_reserve(s, req->head.head_len);
                if (rc == 0)
                        rc = green__session_fill(s, true);
                rc = rc > 0 ? 0 : rc == 0 ? -ECONNRESET : rc;
        }
        (void)green_timeout_cancel(&t);
        if (rc != 0)
                return rc;
        memcpy(body, s->in + s->in_start, BODY);
        s->in_start += BODY;
        return 0;
}

int
green__ws_legacy_look(green_wsgi_request *req, struct green__ws_handshake *h)
{
        const char *key1 = green_wsgi_header(req, "Sec-WebSocket-Key1");
        const char *key2 = green_wsgi_header(req, "Sec-WebSocket-Key2");
        uint8_t text[16];
        int rc;

        if (h->version == 75)
                return 0;
        if (key1 == NULL || key2 == NULL || !take_key(key1, text) || !take_key(key2, text + 4))
                return green__ws_refuse(req, 400);
        rc = take_body(req, text + 8);
        if (rc != 0)
                return rc;
        green__md5(text, sizeof(text), h->digest);
        return 0;
}

static size_t
put_answer(green_wsgi_request *req, const struct green__ws_handshake *h, char *text, size_t room)
{
        const char *prefix = h->version == 76 ? "Sec-WebSocket" : "WebSocket";
        const char *origin = green_wsgi_header(req, "Origin");
        const char *host = green_wsgi_header(req, "Host");
        const char *path = green_wsgi_raw_path(req), *query = green_wsgi_query(req);
        bool tls = strcmp(green_wsgi_scheme(req), "https") == 0;
        size_t at;

        at = (size_t)snprintf(text, room,
                              "HTTP/1.1 101 %s Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
                              "%s-Origin: %s\r\n%s-Location: %s://%s%s%s%s\r\n",
                              h->version == 76 ? "WebSocket" : "Web Socket", prefix, origin == NULL ? "null" : origin,
                              prefix, tls ? "wss" : "ws", host == NULL ? "" : host, path, query == NULL ? "" : "?",
                              query == NULL ? "" : query);
        if (at < room && h->protocol != NULL)
                at += (size_t)snprintf(text + at, room - at, "%s-Protocol: %s\r\n", prefix, h->protocol);
        if (at < room)
                at += (size_t)snprintf(text + at, room - at, "\r\n");
        return at;
}

int
green__ws_legacy_answer(green_wsgi_request *req, const struct green__ws_handshake *h, void **ret_data, size_t *ret_len)
{
        size_t len = put_answer(req, h, NULL, 0), room = len * 2 + 256;
        char *text = green_wsgi_alloc(req, room);
        const void *data;
        green_socket *socket;
        int rc;

        if (text == NULL)
                return -ENOMEM;
        len = put_answer(req, h, text, room);
        if (h->version == 76) {
                memcpy(text + len, h->digest, sizeof(h->digest));
                len += sizeof(h->digest);
        }
        socket = green_wsgi_take_over(req, &data, ret_len);
        if (socket == NULL)
                return green_last_error()->code;
        req->status = 101;
        rc = green_socket_sendall(socket, text, len, 0, NULL);
        green__wsgi_metrics_upgraded(req);
        *ret_data = (void *)(uintptr_t)data;
        return rc;
}

/* ---- frames that come: in.type is set within a text, in.head_len after the FF of an end */

/* Bytes of the character at p; 0: it is none. */
static size_t
character(const char *p, size_t len)
{
        struct green__utf8 u = {0, 0, 0};

        for (size_t n = 1; n <= 4 && n <= len; n++) {
                if (!green__utf8_more(&u, p + n - 1, 1))
                        return 0;
                if (green__utf8_whole(&u))
                        return n;
        }
        return 0;
}

/* What is not UTF-8 is replaced by U+FFFD (WS-44). NULL: no memory. */
static struct green__ws_message *
mend(const struct green__ws_message *m)
{
        struct green__ws_message *good = green__ws_message_new(3 * m->len);

        if (good == NULL)
                return NULL;
        good->type = m->type;
        for (size_t i = 0; i < m->len;) {
                size_t n = character(m->data + i, m->len - i);

                memcpy(good->data + good->len, n == 0 ? "\xef\xbf\xbd" : m->data + i, n == 0 ? 3 : n);
                good->len += n == 0 ? 3 : n;
                i += n == 0 ? 1 : n;
        }
        return good;
}

static void
text_ends(green_websocket *ws)
{
        struct green__ws_message *m = ws->in.message, *good = m;

        ws->in.message = NULL;
        ws->in.type = 0;
        if (!green__utf8_is(m->data, m->len)) {
                good = mend(m);
                green__ws_message_free(m);
        }
        if (good == NULL) {
                green__ws_fail(ws, 0, "no memory for what comes");
                return;
        }
        good->data[good->len] = '\0';
        green__ws_deliver(ws, good);
}

static void
text_goes_on(green_websocket *ws, const uint8_t *data, size_t len)
{
        struct green__ws_message *m = ws->in.message;

        if (len > ws->site->opts.max_frame_length - m->len) {
                green__ws_fail(ws, 1009, "frame too long");
                return;
        }
        if (m->room - m->len < len && !green__ws_message_grow(&ws->in.message, m->len + len + m->room)) {
                green__ws_fail(ws, 0, "no memory for what comes");
                return;
        }
        m = ws->in.message;
        memcpy(m->data + m->len, data, len);
        m->len += len;
}

/* The first byte of a frame. */
static void
frame_begins(green_websocket *ws, uint8_t byte)
{
        if (ws->in.head_len == 1) {
                ws->in.head_len = 0;
                if (byte == 0)
                        green__ws_peer_closed(ws);
                else
                        green__ws_fail(ws, 1002, "a frame that Hixie-76 has not");
                return;
        }
        if (byte == END) {
                ws->in.head_len = 1;
                return;
        }
        if (byte != BEGIN) {
                green__ws_fail(ws, 1002, "a frame that Hixie-76 has not");
                return;
        }
        ws->in.message = green__ws_message_new(0);
        if (ws->in.message == NULL) {
                green__ws_fail(ws, 0, "no memory for what comes");
                return;
        }
        ws->in.message->type = GREEN__WS_TEXT;
        ws->in.type = GREEN__WS_TEXT;
}

/* A frame more, or what is there of it: bytes used. */
size_t
green__ws_legacy_input(green_websocket *ws, const uint8_t *data, size_t len)
{
        const uint8_t *end;

        if (ws->in.type == 0) {
                frame_begins(ws, *data);
                return 1;
        }
        end = memchr(data, END, len);
        text_goes_on(ws, data, end == NULL ? len : (size_t)(end - data));
        if (end == NULL || ws->ended)
                return len;
        text_ends(ws);
        return (size_t)(end - data) + 1;
}

/* ---- frames that go */

static uint8_t *
framed(enum green_websocket_type type, const void *data, size_t len)
{
        uint8_t *frame = type == GREEN_WEBSOCKET_TEXT ? green_malloc(len + 2) : NULL;

        if (frame == NULL)
                return NULL;
        frame[0] = BEGIN;
        if (len > 0)
                memcpy(frame + 1, data, len);
        frame[len + 1] = END;
        return frame;
}

int
green__ws_legacy_send(green_websocket *ws, enum green_websocket_type type, const void *data, size_t len)
{
        uint8_t *frame = framed(type, data, len);
        int rc;

        if (frame == NULL)
                return type == GREEN_WEBSOCKET_TEXT ? -ENOMEM : -EOPNOTSUPP;
        rc = green__ws_write_plain(ws, frame, len + 2);
        green_free(frame);
        return rc;
}

int
green__ws_legacy_post(green_websocket *ws, const green_websocket_prepared *message)
{
        enum green_websocket_type type;
        size_t len;
        const uint8_t *data = green__ws_prepared_data(message, &len, &type);
        uint8_t *frame = framed(type, data, len);
        int rc;

        if (frame == NULL)
                return type == GREEN_WEBSOCKET_TEXT ? -ENOMEM : -EOPNOTSUPP;
        rc = green__ws_put(ws, NULL, frame, len + 2, false);
        green_free(frame);
        return rc;
}
