/*
 * Sending messages: one after the other. Who sends holds the connection (locked) until its message is with the system, or
 * for a message in fragments until the final one; frames from the hub's side go in between.
 */
#include "ws_priv.h"

enum { SHORT_FRAME = 512 }; /* a frame that is put together to be sent by one plain call */

/* ---- whose turn it is */

static int
lock(green_websocket *ws)
{
        struct green_wait w;
        int rc;

        if (!ws->locked) {
                ws->locked = true;
                return 0;
        }
        ws->users++;
        rc = green_park(&ws->senders, &w, GREEN_FOREVER);
        green__ws_leave(ws);
        return rc;
}

/* It is handed over to who waits for longest. */
static void
unlock(green_websocket *ws)
{
        struct green_wait *w = green_waitq_first(&ws->senders);

        if (w != NULL)
                green_wake(w, 0);
        else
                ws->locked = false;
}

/* Where something is being sent from the hub's side, that comes first. */
static int
wait_turn(green_websocket *ws)
{
        int rc = 0;

        while (rc == 0 && ws->writing) {
                struct green_wait w;

                ws->users++;
                rc = green_park(&ws->turn, &w, GREEN_FOREVER);
                green__ws_leave(ws);
        }
        return rc;
}

/* The beginning of every sending call: locked, and nobody writes. */
static int
begin(green_websocket *ws)
{
        int rc = green__ws_check(ws);

        if (rc == 0)
                rc = green_park_check(ws->ident, "a WebSocket", GREEN_FOREVER, NULL);
        if (rc != 0)
                return rc;
        if (green__ws_is_closed(ws))
                return -EPIPE;
        /* It would wait for itself. */
        if (ws->open_by != NULL && ws->open_by == green_getcurrent())
                return -EDEADLK;
        rc = lock(ws);
        if (rc != 0)
                return rc;
        rc = wait_turn(ws);
        if (rc == 0 && green__ws_is_closed(ws))
                rc = -EPIPE;
        if (rc != 0)
                unlock(ws);
        return rc;
}

/* ---- writing: ws->kept says that a frame which failed on the way will be sent to its end nevertheless */

/* Its rest goes first, if it has begun, or must go: the peer's streams would not match ours any more. */
static int
failed(green_websocket *ws, int rc, const uint8_t *frame, size_t done, size_t len, bool must)
{
        if (green__ws_is_gone(rc)) {
                green__ws_lost(ws, rc);
        } else if (done > 0 || must) {
                if (green__ws_keep_rest(ws, frame, done, len) == 0)
                        ws->kept = true;
                else
                        green__ws_lost(ws, -ENOMEM);
        }
        return rc;
}

/* A frame in one piece. */
static int
write_bytes(green_websocket *ws, const uint8_t *frame, size_t len, bool must)
{
        size_t done = 0;
        int rc = green_socket_sendall(ws->socket, frame, len, 0, &done);

        return rc == 0 ? 0 : failed(ws, rc, frame, done, len, must);
}

/* The same of a frame in two pieces, of which the second may have to be masked. */
static int
failed_two(green_websocket *ws, int rc, const uint8_t *head, size_t head_len, const void *data, size_t len, uint32_t mask,
           size_t done)
{
        uint8_t *all = done == 0 || green__ws_is_gone(rc) ? NULL : green_malloc(head_len + len);

        if (all == NULL) {
                if (done > 0)
                        green__ws_lost(ws, green__ws_is_gone(rc) ? rc : -ENOMEM);
                return failed(ws, rc, head, 0, 0, false);
        }
        memcpy(all, head, head_len);
        (void)green__ws_mask(all + head_len, data, len, mask);
        (void)failed(ws, rc, all, done, head_len + len, false);
        green_free(all);
        return rc;
}

static int
write_two(green_websocket *ws, const uint8_t *head, size_t head_len, const void *data, size_t len)
{
        struct green_iovec iov[2] = {{(void *)(uintptr_t)head, head_len}, {(void *)(uintptr_t)data, len}};
        size_t done = 0;
        int rc = green_socket_sendallv(ws->socket, iov, 2, 0, &done);

        return rc == 0 ? 0 : failed_two(ws, rc, head, head_len, data, len, 0, done);
}

/* A client's long frame: masked piece by piece in a buffer. */
static int
write_masked(green_websocket *ws, const uint8_t *head, size_t head_len, const void *data, size_t len, uint32_t mask)
{
        size_t at = head_len, sent = 0, taken = 0;
        uint32_t turned = mask;
        struct green__ws_buffer b;
        int rc = green__ws_buffer_begin(&b, 0);

        if (rc != 0)
                return rc;
        memcpy(b.room, head, head_len);
        while (rc == 0 && taken < len) {
                size_t n = len - taken < b.size - at ? len - taken : b.size - at;
                size_t done = 0;

                turned = green__ws_mask(b.room + at, (const uint8_t *)data + taken, n, turned);
                taken += n;
                rc = green_socket_sendall(ws->socket, b.room, at + n, 0, &done);
                sent += rc == 0 ? at + n : done;
                at = 0;
        }
        green__ws_buffer_end(&b);
        return rc == 0 ? 0 : failed_two(ws, rc, head, head_len, data, len, mask, sent);
}

/* Around the writing of a frame, in which who closes must not release it. */
static void
begin_writing(green_websocket *ws)
{
        ws->writing = true;
        ws->kept = false;
        ws->users++;
}

static void
end_writing(green_websocket *ws)
{
        green__ws_written(ws);
        green__ws_leave(ws);
}

/* A frame. Locked, and nobody writes. */
static int
write_frame(green_websocket *ws, unsigned first, const void *data, size_t len)
{
        uint8_t frame[SHORT_FRAME];
        uint32_t mask = ws->client ? green__ws_new_mask() : 0;
        size_t at = green__ws_head(frame, first, len, ws->client ? &mask : NULL);
        int rc;

        begin_writing(ws);
        if (len <= sizeof(frame) - at) {
                (void)green__ws_mask(frame + at, data, len, mask);
                rc = write_bytes(ws, frame, at + len, false);
        } else if (ws->client) {
                rc = write_masked(ws, frame, at, data, len, mask);
        } else {
                rc = write_two(ws, frame, at, data, len);
        }
        end_writing(ws);
        return rc;
}

int
green__ws_write_plain(green_websocket *ws, const uint8_t *frame, size_t len)
{
        int rc;

        begin_writing(ws);
        rc = write_bytes(ws, frame, len, false);
        end_writing(ws);
        return rc;
}

/* A frame of what was compressed: its head goes before it in the buffer. */
static int
write_compressed(green_websocket *ws, unsigned first, struct green__ws_buffer *b)
{
        uint8_t head[GREEN__WS_HEAD_MAX];
        uint32_t mask = ws->client ? green__ws_new_mask() : 0;
        size_t head_len = green__ws_head(head, first, b->len, ws->client ? &mask : NULL);
        uint8_t *data = b->room + GREEN__WS_HEAD_MAX;
        int rc;

        memcpy(data - head_len, head, head_len);
        if (ws->client)
                (void)green__ws_mask(data, data, b->len, mask);
        begin_writing(ws);
        rc = write_bytes(ws, data - head_len, head_len + b->len, ws->deflate->out.takeover || ws->open_type != 0);
        end_writing(ws);
        return rc;
}

static int
deflate_and_write(green_websocket *ws, unsigned first, const void *data, size_t len, bool last)
{
        struct green__ws_buffer b;
        int rc = green__ws_deflate(&ws->deflate->out, data, len, last, &b);

        if (rc != 0)
                return rc;
        rc = write_compressed(ws, first, &b);
        green__ws_buffer_end(&b);
        return rc;
}

static bool
worth_deflating(const green_websocket *ws, size_t len)
{
        return ws->deflate != NULL && len > 0 && len >= ws->site->opts.deflate_minimum;
}

/* ---- messages */

static bool
is_type(enum green_websocket_type type)
{
        return type == GREEN_WEBSOCKET_TEXT || type == GREEN_WEBSOCKET_BINARY;
}

int
green_websocket_send(green_websocket *ws, enum green_websocket_type type, const void *data, size_t len)
{
        int rc;

        if (ws == NULL || !is_type(type) || (data == NULL && len > 0))
                return -EINVAL;
        if (type == GREEN_WEBSOCKET_TEXT && !green__utf8_is(data, len))
                return -EILSEQ;
        rc = begin(ws);
        if (rc != 0)
                return rc;
        if (green__ws_is_legacy(ws))
                rc = green__ws_legacy_send(ws, type, data, len);
        else if (worth_deflating(ws, len))
                rc = deflate_and_write(ws, GREEN__WS_FIN | GREEN__WS_RSV1 | (unsigned)type, data, len, true);
        else
                rc = write_frame(ws, GREEN__WS_FIN | (unsigned)type, data, len);
        unlock(ws);
        return rc;
}

int
green_websocket_send_text(green_websocket *ws, const char *text)
{
        return text == NULL ? -EINVAL : green_websocket_send(ws, GREEN_WEBSOCKET_TEXT, text, strlen(text));
}

/* ---- messages in fragments */

/* The first one takes the lock, the others have it. */
static int
begin_fragment(green_websocket *ws, enum green_websocket_type type)
{
        int rc;

        if (ws->open_by == NULL || ws->open_by != green_getcurrent()) {
                rc = begin(ws);
                if (rc != 0)
                        return rc;
                ws->open_utf8 = (struct green__utf8){0, 0, 0};
                return 0;
        }
        rc = green__ws_check(ws);
        if (rc == 0)
                rc = green_park_check(ws->ident, "a WebSocket", GREEN_FOREVER, NULL);
        if (rc == 0)
                rc = ws->open_type != (uint8_t)type ? -EINVAL : wait_turn(ws);
        if (rc == 0 && green__ws_is_closed(ws))
                rc = -EPIPE;
        return rc;
}

static int
write_fragment(green_websocket *ws, enum green_websocket_type type, const void *data, size_t len, bool final)
{
        unsigned first = final ? GREEN__WS_FIN : 0;
        bool begins = ws->open_type == 0;

        if (begins)
                first |= (unsigned)type;
        if (ws->deflate == NULL)
                return write_frame(ws, first, data, len);
        return deflate_and_write(ws, begins ? first | GREEN__WS_RSV1 : first, data, len, final);
}

/* What the message is to become: it begins, goes on, or ends; or its first fragment was not sent. */
static void
fragment_sent(green_websocket *ws, enum green_websocket_type type, bool sent, bool final)
{
        bool open = ws->open_type != 0;

        if (sent && !final && !green__ws_is_closed(ws)) {
                ws->open_by = green_getcurrent();
                ws->open_type = (uint8_t)type;
                return;
        }
        if (open && !sent && !green__ws_is_closed(ws))
                return;
        if (!sent && ws->deflate != NULL && !ws->deflate->out.takeover)
                green__ws_deflater_end(&ws->deflate->out);
        ws->open_by = NULL;
        ws->open_type = 0;
        unlock(ws);
}

int
green_websocket_send_fragment(green_websocket *ws, enum green_websocket_type type, const void *data, size_t len, bool final)
{
        struct green__utf8 utf8;
        bool sent;
        int rc;

        if (ws == NULL || !is_type(type) || (data == NULL && len > 0))
                return -EINVAL;
        if (green__ws_is_legacy(ws))
                return -EOPNOTSUPP;
        rc = begin_fragment(ws, type);
        if (rc != 0) {
                if (ws->open_by != NULL && ws->open_by == green_getcurrent() && green__ws_is_closed(ws))
                        fragment_sent(ws, type, false, final);
                return rc;
        }
        utf8 = ws->open_utf8;
        if (type == GREEN_WEBSOCKET_TEXT &&
            (!green__utf8_more(&utf8, data, len) || (final && !green__utf8_whole(&utf8)))) {
                rc = -EILSEQ;
                sent = false;
        } else {
                rc = write_fragment(ws, type, data, len, final);
                sent = rc == 0 || ws->kept;
        }
        if (sent)
                ws->open_utf8 = utf8;
        fragment_sent(ws, type, sent, final);
        return rc;
}

/* ---- prepared ones */

int
green_websocket_send_prepared(green_websocket *ws, green_websocket_prepared *message)
{
        enum green_websocket_type type;
        const uint8_t *frame;
        size_t len;
        int rc;

        if (ws == NULL || message == NULL)
                return -EINVAL;
        if (ws->client || green__ws_is_legacy(ws)) {
                frame = green__ws_prepared_data(message, &len, &type);
                return green_websocket_send(ws, type, frame, len);
        }
        rc = begin(ws);
        if (rc != 0)
                return rc;
        frame = green__ws_prepared_frame(message, ws, &len);
        rc = frame == NULL ? -ENOMEM : green__ws_write_plain(ws, frame, len);
        unlock(ws);
        return rc;
}
