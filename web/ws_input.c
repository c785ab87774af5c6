/*
 * Frames, and what they make. See ws_input_priv.h.
 */
#include <config.h>

#include <string.h>

#include "ws_deflate_priv.h"
#include "ws_input_priv.h"
#include "ws_mask_priv.h"

enum {
        WHOLE_MAX = 1 << 20, /* a frame up to so long gets its room at once, whatever has come of it */
        SHORT = 4096,        /* payload that is worth its own receive */
};

void
green__ws_input_init(struct green__ws_input *in, const struct green__ws_limits *limits, bool client)
{
        memset(in, 0, sizeof(*in));
        in->limits = limits;
        in->client = client;
}

void
green__ws_input_end(struct green__ws_input *in)
{
        green__ws_message_free(in->message);
        green__ws_message_free(in->control);
        in->message = in->control = NULL;
}

static enum green__ws_event
fail(struct green__ws_input *in, uint16_t code, const char *reason)
{
        in->fail_code = code;
        in->fail_reason = reason;
        return GREEN__WS_FAIL;
}

static enum green__ws_event
no_memory(struct green__ws_input *in)
{
        return fail(in, 0, "no memory for what comes");
}

/* ---- the head of a frame */

static uint64_t
load(const uint8_t *p, size_t n)
{
        uint64_t value = 0;

        for (size_t i = 0; i < n; i++)
                value = value << 8 | p[i];
        return value;
}

/* Bytes that length and mask take behind the first two. */
static size_t
head_rest(const uint8_t *head)
{
        unsigned len = head[1] & 0x7f;

        return (len == 127 ? 8u : len == 126 ? 2u : 0u) + ((head[1] & GREEN__WS_MASKED) != 0 ? 4u : 0u);
}

static enum green__ws_event
check_control(struct green__ws_input *in, const uint8_t *head)
{
        if (in->opcode > GREEN__WS_PONG)
                return fail(in, 1002, "unknown opcode");
        if ((head[0] & GREEN__WS_FIN) == 0)
                return fail(in, 1002, "fragmented control frame");
        if ((head[0] & GREEN__WS_RSV1) != 0)
                return fail(in, 1002, "reserved bit in a control frame");
        if ((head[1] & 0x7f) > GREEN__WS_CONTROL_MAX)
                return fail(in, 1002, "control frame longer than 125 bytes");
        return GREEN__WS_MORE;
}

static enum green__ws_event
check_data(struct green__ws_input *in, const uint8_t *head)
{
        bool compressed = (head[0] & GREEN__WS_RSV1) != 0;

        if (in->opcode > GREEN__WS_BINARY)
                return fail(in, 1002, "unknown opcode");
        if (compressed && in->inflater == NULL)
                return fail(in, 1002, "reserved bit without an extension");
        if (in->opcode == GREEN__WS_CONTINUATION) {
                if (in->type == 0)
                        return fail(in, 1002, "continuation of nothing");
                if (compressed)
                        return fail(in, 1002, "reserved bit in a continuation");
                return GREEN__WS_MORE;
        }
        if (in->type != 0)
                return fail(in, 1002, "new message within a fragmented one");
        in->type = in->opcode;
        in->compressed = compressed;
        in->utf8 = (struct green__utf8){0, 0, 0};
        return GREEN__WS_MORE;
}

/* The first two bytes: what is wrong is told before more comes. */
static enum green__ws_event
check_first(struct green__ws_input *in, const uint8_t *head)
{
        in->opcode = head[0] & 0x0f;
        if ((head[0] & GREEN__WS_RSV23) != 0)
                return fail(in, 1002, "reserved bit");
        if (((head[1] & GREEN__WS_MASKED) != 0) == in->client)
                return fail(in, 1002, in->client ? "masked frame from a server" : "frame without a mask");
        if (in->opcode >= GREEN__WS_CLOSE)
                return check_control(in, head);
        in->final = (head[0] & GREEN__WS_FIN) != 0;
        return check_data(in, head);
}

static enum green__ws_event
check_length(struct green__ws_input *in, unsigned first, uint64_t len)
{
        size_t have = in->message == NULL ? 0 : in->message->len;

        if ((first == 126 && len < 126) || (first == 127 && len <= 0xffff))
                return fail(in, 1002, "length in a longer form than it needs");
        if (len >> 63 != 0)
                return fail(in, 1002, "length with its highest bit set");
        if (len > in->limits->frame)
                return fail(in, 1009, "frame too long");
        if (in->opcode < GREEN__WS_CLOSE && !in->compressed &&
            (have > in->limits->message || len > in->limits->message - have))
                return fail(in, 1009, "message too long");
        in->left = (uint32_t)len;
        return GREEN__WS_MORE;
}

/* All of the head is there: what has to be ready for its payload. */
static enum green__ws_event
begin_payload(struct green__ws_input *in, const uint8_t *head)
{
        unsigned first = head[1] & 0x7f;
        size_t extra = first == 127 ? 8 : first == 126 ? 2 : 0;
        enum green__ws_event event;

        if ((head[1] & GREEN__WS_MASKED) != 0)
                memcpy(&in->mask, head + 2 + extra, sizeof(in->mask));
        event = check_length(in, first, extra == 0 ? first : load(head + 2, extra));
        if (event != GREEN__WS_MORE)
                return event;
        in->in_payload = true;
        in->frame_out = 0;
        if (in->opcode >= GREEN__WS_CLOSE) {
                in->control = green__ws_message_new(GREEN__WS_CONTROL_MAX);
                if (in->control == NULL)
                        return no_memory(in);
                in->control->type = in->opcode;
                return GREEN__WS_MORE;
        }
        if (in->message == NULL) {
                in->message = green__ws_message_new(in->compressed || in->left > WHOLE_MAX ? SHORT : in->left);
                if (in->message == NULL)
                        return no_memory(in);
                in->message->type = in->type;
        }
        return GREEN__WS_MORE;
}

/* Take the head, or a part of it. MORE with in_payload set: it is done. */
static enum green__ws_event
take_head(struct green__ws_input *in, const uint8_t *data, size_t len, size_t *used)
{
        const uint8_t *head = in->head;
        enum green__ws_event event;
        size_t need;

        /* Mostly all of it is there, and nothing has to be kept. */
        if (in->head_len == 0 && len >= 2 && len >= 2 + head_rest(data)) {
                head = data;
                *used = 2 + head_rest(data);
                event = check_first(in, head);
                return event != GREEN__WS_MORE ? event : begin_payload(in, head);
        }
        *used = 0;
        while (*used < len) {
                in->head[in->head_len++] = data[(*used)++];
                if (in->head_len < 2)
                        continue;
                if (in->head_len == 2) {
                        event = check_first(in, head);
                        if (event != GREEN__WS_MORE)
                                return event;
                }
                need = 2 + head_rest(head);
                if (in->head_len == need) {
                        in->head_len = 0;
                        return begin_payload(in, head);
                }
        }
        return GREEN__WS_MORE;
}

/* ---- payload */

static enum green__ws_event
check_text(struct green__ws_input *in, const void *text, size_t len)
{
        if (in->type == GREEN__WS_TEXT && !green__utf8_more(&in->utf8, text, len))
                return fail(in, 1007, "text that is not UTF-8");
        return GREEN__WS_MORE;
}

/* Room for so many bytes more of the message, and for what is announced if that is not too much. */
static bool
have_room(struct green__ws_input *in, size_t more)
{
        struct green__ws_message *m = in->message;
        size_t want = m->len + more;
        size_t all = m->len + in->left;

        if (want <= m->room)
                return true;
        if (want < m->room * 2)
                want = m->room * 2;
        /* Nothing comes behind the final frame. */
        if (in->final && (all <= WHOLE_MAX || want > all))
                want = all;
        return green__ws_message_grow(&in->message, want);
}

static enum green__ws_event
inflate_piece(struct green__ws_input *in, const uint8_t *data, size_t len, bool last)
{
        size_t limit = in->limits->message;
        size_t before = in->message->len;
        enum green__ws_event event;
        int rc;

        /* Of one frame no more than a frame may have (WS-40). */
        if (limit - before > in->limits->frame - in->frame_out)
                limit = before + (in->limits->frame - in->frame_out);
        rc = green__ws_inflate(in->inflater, data, len, last, limit, &in->message);
        in->frame_out += (uint32_t)(in->message->len - before);
        /* What is no UTF-8 is told first, as if it had come by itself. */
        event = check_text(in, in->message->data + before, in->message->len - before);
        if (event != GREEN__WS_MORE)
                return event;
        if (rc == -EMSGSIZE)
                return fail(in, 1009, "message too long when inflated");
        if (rc == -ENOMEM)
                return no_memory(in);
        return rc == 0 ? GREEN__WS_MORE : fail(in, 1007, "compressed data that is none");
}

/* A piece of the payload, no longer than what is left. */
static enum green__ws_event
take_payload(struct green__ws_input *in, uint8_t *data, size_t len)
{
        struct green__ws_message *m = in->opcode >= GREEN__WS_CLOSE ? in->control : in->message;

        if (m == in->message && in->compressed) {
                if (!in->client)
                        in->mask = green__ws_mask(data, data, len, in->mask);
                in->left -= (uint32_t)len;
                return inflate_piece(in, data, len, false);
        }
        if (m == in->message) {
                if (!have_room(in, len))
                        return no_memory(in);
                m = in->message;
        }
        if (in->client)
                memcpy(m->data + m->len, data, len);
        else
                in->mask = green__ws_mask(m->data + m->len, data, len, in->mask);
        m->len += len;
        in->left -= (uint32_t)len;
        return m == in->message ? check_text(in, m->data + m->len - len, len) : GREEN__WS_MORE;
}

/* The last byte of a frame is here. */
static enum green__ws_event
end_frame(struct green__ws_input *in)
{
        enum green__ws_event event;

        in->in_payload = false;
        if (in->opcode >= GREEN__WS_CLOSE) {
                in->control->data[in->control->len] = '\0';
                return GREEN__WS_CONTROL;
        }
        if (!in->final)
                return GREEN__WS_MORE;
        if (in->compressed) {
                event = inflate_piece(in, NULL, 0, true);
                if (event != GREEN__WS_MORE)
                        return event;
        }
        if (in->type == GREEN__WS_TEXT && !green__utf8_whole(&in->utf8))
                return fail(in, 1007, "text that ends within a character");
        in->type = 0;
        in->message->data[in->message->len] = '\0';
        return GREEN__WS_MESSAGE;
}

enum green__ws_event
green__ws_input(struct green__ws_input *in, uint8_t *data, size_t len, size_t *ret_used)
{
        size_t at = 0;

        while (at < len || (in->in_payload && in->left == 0)) {
                enum green__ws_event event;
                size_t n;

                if (!in->in_payload) {
                        event = take_head(in, data + at, len - at, &n);
                        at += n;
                } else {
                        n = in->left < len - at ? in->left : len - at;
                        event = n == 0 ? GREEN__WS_MORE : take_payload(in, data + at, n);
                        at += n;
                        if (event == GREEN__WS_MORE && in->left == 0)
                                event = end_frame(in);
                }
                if (event != GREEN__WS_MORE) {
                        *ret_used = at;
                        return event;
                }
        }
        *ret_used = at;
        return GREEN__WS_MORE;
}

uint8_t *
green__ws_input_room(struct green__ws_input *in, size_t *ret_room)
{
        struct green__ws_message *m = in->message;

        if (!in->in_payload || in->opcode >= GREEN__WS_CLOSE || in->compressed || in->left < SHORT)
                return NULL;
        /* More than a piece at a time would leave the caches before it is looked at. */
        *ret_room = in->left < 16 * SHORT ? in->left : 16 * SHORT;
        if (!have_room(in, *ret_room))
                return NULL;
        m = in->message;
        return (uint8_t *)m->data + m->len;
}

enum green__ws_event
green__ws_input_received(struct green__ws_input *in, size_t len)
{
        struct green__ws_message *m = in->message;
        char *data = m->data + m->len;
        enum green__ws_event event;

        if (!in->client)
                in->mask = green__ws_mask(data, data, len, in->mask);
        m->len += len;
        in->left -= (uint32_t)len;
        event = check_text(in, data, len);
        return event == GREEN__WS_MORE && in->left == 0 ? end_frame(in) : event;
}

/* ---- closes */

bool
green__ws_code_ok(int code)
{
        return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

bool
green__ws_input_close(struct green__ws_input *in, const struct green__ws_message *control, int *ret_code,
                      const char **ret_reason)
{
        const uint8_t *p = (const uint8_t *)control->data;

        *ret_code = 1005;
        *ret_reason = "";
        if (control->len == 0)
                return true;
        if (control->len == 1) {
                (void)fail(in, 1002, "close with half a code");
                return false;
        }
        *ret_code = p[0] << 8 | p[1];
        *ret_reason = control->data + 2;
        if (!green__ws_code_ok(*ret_code)) {
                (void)fail(in, 1002, "close with a code that cannot be");
                return false;
        }
        if (!green__utf8_is(*ret_reason, control->len - 2)) {
                (void)fail(in, 1002, "reason of a close that is not UTF-8");
                return false;
        }
        return true;
}
