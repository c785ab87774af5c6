/*
 * One message for many: framed once, and compressed once for each size of window that somebody has.
 */
#include <pthread.h>

#include "ws_priv.h"

enum { BITS_MIN = 8, BITS_KINDS = 8 };

struct compressed {
        uint8_t level;
        uint8_t *room; /* for green_free() */
        size_t len;    /* of the frame */
        size_t head;   /* where it begins in room */
};

struct green_websocket_prepared {
        atomic_uint refs;
        enum green_websocket_type type;
        size_t head, len;         /* of the frame's head, and of the frame */
        struct compressed *deflated[BITS_KINDS]; /* under lock */
        uint8_t frame[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

green_websocket_prepared *
green_websocket_prepare(enum green_websocket_type type, const void *data, size_t len)
{
        uint8_t head[GREEN__WS_HEAD_MAX];
        green_websocket_prepared *p;
        size_t at;

        if ((type != GREEN_WEBSOCKET_TEXT && type != GREEN_WEBSOCKET_BINARY) || (data == NULL && len > 0)) {
                green_set_error(-EINVAL, "no message of a WebSocket");
                return NULL;
        }
        if (type == GREEN_WEBSOCKET_TEXT && !green__utf8_is(data, len)) {
                green_set_error(-EILSEQ, "text that is not UTF-8");
                return NULL;
        }
        at = green__ws_head(head, GREEN__WS_FIN | (unsigned)type, len, NULL);
        p = len > SIZE_MAX - sizeof(*p) - at ? NULL : green_calloc(1, sizeof(*p) + at + len);
        if (p == NULL) {
                green_set_error(-ENOMEM, "no memory for a message");
                return NULL;
        }
        atomic_init(&p->refs, 1);
        p->type = type;
        p->head = at;
        p->len = at + len;
        memcpy(p->frame, head, at);
        if (len > 0)
                memcpy(p->frame + at, data, len);
        return p;
}

green_websocket_prepared *
green_websocket_prepared_ref(green_websocket_prepared *message)
{
        atomic_fetch_add_explicit(&message->refs, 1, memory_order_relaxed);
        return message;
}

void
green_websocket_prepared_unref(green_websocket_prepared *message)
{
        if (message == NULL || atomic_fetch_sub_explicit(&message->refs, 1, memory_order_acq_rel) != 1)
                return;
        for (size_t i = 0; i < BITS_KINDS; i++) {
                if (message->deflated[i] != NULL)
                        green_free(message->deflated[i]->room);
                green_free(message->deflated[i]);
        }
        green_free(message);
}

static struct compressed *
compress(const green_websocket_prepared *p, uint8_t bits, uint8_t level)
{
        struct compressed *c = green_malloc(sizeof(*c));
        uint8_t head[GREEN__WS_HEAD_MAX];
        size_t n;

        if (c == NULL)
                return NULL;
        if (green__ws_deflate_once(bits, level, p->frame + p->head, p->len - p->head, &c->room, &c->len) != 0) {
                green_free(c);
                return NULL;
        }
        n = green__ws_head(head, GREEN__WS_FIN | GREEN__WS_RSV1 | (unsigned)p->type, c->len, NULL);
        c->level = level;
        c->head = GREEN__WS_HEAD_MAX - n;
        c->len += n;
        memcpy(c->room + c->head, head, n);
        return c;
}

/*
 * A stream with context takeover would not know of it, so there it goes as it is: that is always allowed. The level of who
 * needs it first decides.
 */
const uint8_t *
green__ws_prepared_frame(green_websocket_prepared *message, const green_websocket *ws, size_t *ret_len)
{
        const struct green__ws_deflate *d = ws->deflate;
        struct compressed **place;
        const struct compressed *c;

        if (d == NULL || d->out.takeover || message->len == message->head ||
            message->len - message->head < ws->site->opts.deflate_minimum) {
                *ret_len = message->len;
                return message->frame;
        }
        place = &message->deflated[d->out.bits - BITS_MIN];
        (void)pthread_mutex_lock(&lock);
        if (*place == NULL)
                *place = compress(message, d->out.bits, d->out.level);
        c = *place;
        (void)pthread_mutex_unlock(&lock);
        if (c == NULL)
                return NULL;
        *ret_len = c->len;
        return c->room + c->head;
}

const uint8_t *
green__ws_prepared_data(const green_websocket_prepared *message, size_t *ret_len, enum green_websocket_type *ret_type)
{
        *ret_len = message->len - message->head;
        *ret_type = message->type;
        return message->frame + message->head;
}

/* A client's frame has a mask of its own. */
static int
post_masked(green_websocket *ws, const green_websocket_prepared *message)
{
        const uint8_t *data = message->frame + message->head;
        size_t len = message->len - message->head, at;
        uint32_t mask = green__ws_new_mask();
        uint8_t *frame = green_malloc(GREEN__WS_HEAD_MAX + len);
        int rc;

        if (frame == NULL)
                return -ENOMEM;
        at = green__ws_head(frame, GREEN__WS_FIN | (unsigned)message->type, len, &mask);
        (void)green__ws_mask(frame + at, data, len, mask);
        rc = green__ws_put(ws, NULL, frame, at + len, false);
        green_free(frame);
        return rc;
}

int
green_websocket_post(green_websocket *ws, green_websocket_prepared *message)
{
        const uint8_t *frame;
        size_t len;
        int rc = green__ws_check(ws);

        if (rc != 0)
                return rc;
        if (message == NULL)
                return -EINVAL;
        if (green__ws_is_closed(ws))
                return -EPIPE;
        /* In the middle of somebody's fragments there is no room for a message. */
        if (ws->open_type != 0 || (ws->out != NULL && ws->unsent + message->len > ws->site->opts.max_unsent))
                return -EAGAIN;
        if (green__ws_is_legacy(ws))
                return green__ws_legacy_post(ws, message);
        if (ws->client)
                return post_masked(ws, message);
        frame = green__ws_prepared_frame(message, ws, &len);
        return frame == NULL ? -ENOMEM : green__ws_put(ws, message, frame, len, false);
}

size_t
green_websocket_unsent(const green_websocket *ws)
{
        return ws == NULL ? 0 : ws->unsent;
}
