/*
 * What is sent from the hub's side, or later: control frames, posted messages, the rest of a frame that was cut. At once
 * where it can be, else in order by a green thread that lives as long as there is something.
 */
#include "random_priv.h"
#include "ws_priv.h"

/* ---- frames */

size_t
green__ws_head(uint8_t head[GREEN__WS_HEAD_MAX], unsigned first, uint64_t len, const uint32_t *mask)
{
        size_t at = 2;

        head[0] = (uint8_t)first;
        if (len < 126) {
                head[1] = (uint8_t)len;
        } else if (len <= 0xffff) {
                head[1] = 126;
                head[2] = (uint8_t)(len >> 8);
                head[3] = (uint8_t)len;
                at = 4;
        } else {
                head[1] = 127;
                for (size_t i = 0; i < 8; i++)
                        head[2 + i] = (uint8_t)(len >> (56 - 8 * i));
                at = 10;
        }
        if (mask == NULL)
                return at;
        head[1] |= GREEN__WS_MASKED;
        memcpy(head + at, mask, sizeof(*mask));
        return at + sizeof(*mask);
}

/*
 * From the system's random source, some at a time; a child of a fork draws its own. It was there for the handshake's key;
 * should it be gone, the masks of before do.
 */
uint32_t
green__ws_new_mask(void)
{
        struct green__ws_local *l = green__ws_here;

        if (l->masks_left == 0) {
                (void)green__random(l->masks, sizeof(l->masks));
                l->masks_left = GREEN__WS_MASKS;
        }
        return l->masks[--l->masks_left];
}

bool
green__ws_is_gone(int code)
{
        return code == -EPIPE || code == -ECONNRESET || code == -ECANCELED || code == -EBADF || code == -ENOTCONN ||
               code == -ESHUTDOWN || code == GREEN_ETLSEOF || code == GREEN_ETLSALERT || code == GREEN_ETLSPROTO ||
               code == GREEN_ETLS;
}

/* ---- the queue */

static void
unsent_free(struct green__ws_unsent *u)
{
        green_websocket_prepared_unref(u->message);
        green_free(u);
}

void
green__ws_drop_out(green_websocket *ws)
{
        while (ws->out != NULL) {
                struct green__ws_unsent *u = ws->out;

                ws->out = u->next;
                unsent_free(u);
        }
        ws->out_last = &ws->out;
        ws->unsent = 0;
}

static void
pop(green_websocket *ws)
{
        struct green__ws_unsent *u = ws->out;

        ws->out = u->next;
        if (ws->out == NULL)
                ws->out_last = &ws->out;
        if (!u->rest)
                ws->unsent -= u->len;
        unsent_free(u);
}

/* Send what is queued, and what comes to it meanwhile. */
static void *
flush(void *arg)
{
        green_websocket *ws = arg;

        while (ws->out != NULL) {
                struct green__ws_unsent *u = ws->out;
                size_t done = 0;
                int rc = green_socket_sendall(ws->socket, u->frame + u->at, u->len - u->at, 0, &done);

                u->at += done;
                if (rc != 0)
                        green__ws_lost(ws, rc);
                if (ws->lost)
                        green__ws_drop_out(ws);
                else if (rc == 0)
                        pop(ws);
        }
        ws->writing = ws->flushing = false;
        green_wake_all(&ws->turn, 0);
        green__ws_leave(ws);
        return NULL;
}

static void
start_flush(green_websocket *ws)
{
        ws->writing = ws->flushing = true;
        ws->users++;
        if (green_spawn_n(flush, ws) == 0)
                return;
        ws->users--;
        ws->writing = ws->flushing = false;
        green__ws_drop_out(ws);
        green__ws_lost(ws, -ENOMEM);
}

void
green__ws_written(green_websocket *ws)
{
        ws->writing = false;
        if (ws->out != NULL)
                start_flush(ws);
}

/* data that is NULL: the message's own frame. */
static struct green__ws_unsent *
unsent_new(green_websocket_prepared *message, const uint8_t *frame, size_t at, size_t len)
{
        size_t room = message != NULL ? 0 : len - at < 140 ? 140 : len - at;
        struct green__ws_unsent *u = green_malloc(sizeof(*u) + room);

        if (u == NULL)
                return NULL;
        u->next = NULL;
        u->message = message == NULL ? NULL : green_websocket_prepared_ref(message);
        u->pong = u->rest = false;
        if (message != NULL) {
                u->frame = frame;
                u->at = at;
                u->len = len;
        } else {
                u->frame = u->data;
                u->at = 0;
                u->len = len - at;
                memcpy(u->data, frame + at, len - at);
        }
        return u;
}

int
green__ws_keep_rest(green_websocket *ws, const uint8_t *frame, size_t at, size_t len)
{
        struct green__ws_unsent *u = unsent_new(NULL, frame, at, len);

        if (u == NULL)
                return -ENOMEM;
        u->next = ws->out;
        ws->out = u;
        if (u->next == NULL)
                ws->out_last = &u->next;
        u->rest = true;
        return 0;
}

/* Only the last of several pings needs an answer (RFC 6455 5.5.3): a pong that has not gone is replaced. */
static bool
replace_pong(green_websocket *ws, const uint8_t *frame, size_t len)
{
        for (struct green__ws_unsent *u = ws->out; u != NULL; u = u->next) {
                if (!u->pong || u->at > 0 || u == ws->out)
                        continue;
                ws->unsent += len - u->len;
                memcpy(u->data, frame, len);
                u->len = len;
                return true;
        }
        return false;
}

int
green__ws_put(green_websocket *ws, green_websocket_prepared *message, const uint8_t *frame, size_t len, bool pong)
{
        struct green__ws_unsent *u;
        size_t at = 0;

        if (!ws->writing && ws->out == NULL) {
                ssize_t n = green_socket_send(ws->socket, frame, len, MSG_DONTWAIT);

                if (n == (ssize_t)len)
                        return 0;
                if (n < 0 && n != -EAGAIN) {
                        green__ws_lost(ws, (int)n);
                        return (int)n;
                }
                at = n < 0 ? 0 : (size_t)n;
        } else if (pong && replace_pong(ws, frame, len)) {
                return 0;
        }
        u = unsent_new(message, frame, at, len);
        if (u == NULL) {
                /* Half a frame is the end of all. */
                if (at > 0)
                        green__ws_lost(ws, -ENOMEM);
                return -ENOMEM;
        }
        u->pong = pong;
        *ws->out_last = u;
        ws->out_last = &u->next;
        ws->unsent += u->len;
        if (!ws->writing)
                start_flush(ws);
        return 0;
}

/* ---- control frames */

int
green__ws_control(green_websocket *ws, enum green__ws_opcode opcode, const void *data, size_t len)
{
        uint8_t frame[GREEN__WS_HEAD_MAX + GREEN__WS_CONTROL_MAX];
        uint32_t mask = ws->client ? green__ws_new_mask() : 0;
        size_t at = green__ws_head(frame, GREEN__WS_FIN | (unsigned)opcode, len, ws->client ? &mask : NULL);

        if (len > 0)
                (void)green__ws_mask(frame + at, data, len, mask);
        return green__ws_put(ws, NULL, frame, at + len, opcode == GREEN__WS_PONG);
}

void
green__ws_say_close(green_websocket *ws, int code, const char *reason)
{
        uint8_t payload[GREEN__WS_CONTROL_MAX];
        size_t len = 0;

        if (green__ws_is_closed(ws))
                return;
        ws->close_sent = true;
        if (green__ws_is_legacy(ws)) {
                static const uint8_t end[2] = {0xff, 0};

                if (ws->version == 76)
                        (void)green__ws_put(ws, NULL, end, sizeof(end), false);
                return;
        }
        if (code != 0) {
                payload[0] = (uint8_t)(code >> 8);
                payload[1] = (uint8_t)code;
                len = 2;
        }
        if (code != 0 && reason != NULL) {
                size_t n = strlen(reason);

                memcpy(payload + 2, reason, n);
                len += n;
        }
        if (green__ws_control(ws, GREEN__WS_CLOSE, payload, len) == -ENOMEM)
                green__ws_lost(ws, -ENOMEM);
}

static int
send_control(green_websocket *ws, enum green__ws_opcode opcode, const void *data, size_t len)
{
        int rc = green__ws_check(ws);

        if (rc == 0)
                rc = data == NULL && len > 0 ? -EINVAL : green_park_check(ws->ident, "a WebSocket", GREEN_FOREVER, NULL);
        if (rc != 0)
                return rc;
        if (len > GREEN__WS_CONTROL_MAX)
                return -EMSGSIZE;
        if (green__ws_is_closed(ws))
                return -EPIPE;
        if (green__ws_is_legacy(ws))
                return -EOPNOTSUPP;
        if (ws->out != NULL && ws->unsent >= ws->site->opts.max_unsent)
                return -EAGAIN;
        return green__ws_control(ws, opcode, data, len);
}

int
green_websocket_ping(green_websocket *ws, const void *data, size_t len)
{
        return send_control(ws, GREEN__WS_PING, data, len);
}

int
green_websocket_pong(green_websocket *ws, const void *data, size_t len)
{
        return send_control(ws, GREEN__WS_PONG, data, len);
}
