/*
 * Chunked bodies (RFC 9112 7.1), decoded where they lie.
 *
 * The size line is read byte by byte: it is short, and each byte of it is a chance to disagree with a proxy about where
 * the body ends. No white space is taken for nothing, no line end but CR LF is one.
 */
#include <assert.h>
#include <string.h>

#include "http1_fields_priv.h"

/* Leading zeros count, so that a size line cannot go on for ever. */
#define MAX_DIGITS 16

enum {
        IN_SIZE,
        AT_EXT_NAME,
        IN_EXT_NAME,
        AT_EXT_VALUE,
        IN_EXT_VALUE,
        IN_EXT_QUOTED,
        IN_EXT_ESCAPE,
        AFTER_EXT_QUOTED,
        AT_SIZE_LF,
        IN_DATA,
        AT_DATA_CR,
        AT_DATA_LF,
        IN_TRAILERS
};

void
green__http1_chunked_init(struct green__http1_chunked *c, const struct green__http1_limits *limits, uint64_t limit,
                          struct green__http1_field *fields, uint16_t max)
{
        memset(c, 0, sizeof *c);
        c->trailers.limits = limits;
        c->trailers.fields = fields;
        c->trailers.max = max;
        c->limit = limit < (uint64_t)INT64_MAX ? limit : (uint64_t)INT64_MAX;
        c->result = GREEN__HTTP1_MORE;
        c->state = IN_SIZE;
}

/* One byte of the size itself: a digit, or what ends it. */
static int
size_byte(struct green__http1_chunked *c, uint8_t b)
{
        if (green__http1_is(b, GREEN__CHAR_HEX)) {
                if (c->digits++ == MAX_DIGITS)
                        return GREEN__HTTP1_ECHUNKSIZE;
                c->left = c->left << 4 | green__http1_hex(b);
                return c->left > (uint64_t)INT64_MAX ? GREEN__HTTP1_ECHUNKSIZE : 0;
        }
        if (c->digits == 0 || (b != ';' && b != '\r'))
                return GREEN__HTTP1_ECHUNKSIZE;
        c->state = b == ';' ? AT_EXT_NAME : AT_SIZE_LF;
        return 0;
}

/* The state that byte b leads to from inside an extension, -1 if it may not stand there. */
static int
ext_next(uint8_t state, uint8_t b)
{
        const bool token = green__http1_is(b, GREEN__CHAR_TOKEN);
        const int after = b == ';' ? AT_EXT_NAME : b == '\r' ? AT_SIZE_LF : -1;

        switch (state) {
        case AT_EXT_NAME:
                return token ? IN_EXT_NAME : -1;
        case IN_EXT_NAME:
                return token ? IN_EXT_NAME : b == '=' ? AT_EXT_VALUE : after;
        case AT_EXT_VALUE:
                return b == '"' ? IN_EXT_QUOTED : token ? IN_EXT_VALUE : -1;
        case IN_EXT_VALUE:
                return token ? IN_EXT_VALUE : after;
        case IN_EXT_QUOTED:
                if (b == '"' || b == '\\')
                        return b == '"' ? AFTER_EXT_QUOTED : IN_EXT_ESCAPE;
                return green__http1_is(b, GREEN__CHAR_VALUE) ? IN_EXT_QUOTED : -1;
        case IN_EXT_ESCAPE:
                return green__http1_is(b, GREEN__CHAR_VALUE) ? IN_EXT_QUOTED : -1;
        default:
                assert(state == AFTER_EXT_QUOTED);
                return after;
        }
}

static int
ext_byte(struct green__http1_chunked *c, uint8_t b)
{
        int next = ext_next(c->state, b);

        if (next < 0)
                return GREEN__HTTP1_ECHUNKEXT;
        if (c->ext++ == c->trailers.limits->chunk_ext)
                return GREEN__HTTP1_ECHUNKEXTS;
        c->state = (uint8_t)next;
        return 0;
}

/* The LF of a size line: the chunk is known now. */
static int
end_size(struct green__http1_chunked *c, uint8_t b)
{
        if (b != '\n')
                return c->ext != 0 ? GREEN__HTTP1_ECHUNKEXT : GREEN__HTTP1_ECHUNKSIZE;
        if (c->left > c->limit - c->total)
                return GREEN__HTTP1_EBODY;
        c->total += c->left;
        c->digits = 0;
        c->state = IN_DATA;
        if (c->left == 0) {
                c->state = IN_TRAILERS;
                green__http1_fields_begin(&c->trailers, 0);
        }
        return 0;
}

static int
frame_byte(struct green__http1_chunked *c, uint8_t b)
{
        switch (c->state) {
        case IN_SIZE:
                return size_byte(c, b);
        case AT_SIZE_LF:
                return end_size(c, b);
        case AT_DATA_CR:
        case AT_DATA_LF:
                if (b != (c->state == AT_DATA_CR ? '\r' : '\n'))
                        return GREEN__HTTP1_ECHUNKEND;
                c->state = c->state == AT_DATA_CR ? AT_DATA_LF : IN_SIZE;
                return 0;
        default:
                return ext_byte(c, b);
        }
}

/* The trailers stay in the buffer until they are complete: their offsets count from the first of them. */
static int
read_trailers(struct green__http1_chunked *c, const char *buf, size_t len, size_t *used)
{
        int end = green__http1_fields(&c->trailers, NULL, buf + *used, len - *used);

        if (end == GREEN__HTTP1_MORE)
                return end;
        *used += c->trailers.pos;
        return end;
}

uint64_t
green__http1_chunked_left(const struct green__http1_chunked *c)
{
        return c->state == IN_DATA ? c->left : 0;
}

void
green__http1_chunked_skip(struct green__http1_chunked *c, uint64_t n)
{
        assert(c->state == IN_DATA && n <= c->left);
        c->left -= n;
        if (c->left == 0)
                c->state = AT_DATA_CR;
}

int
green__http1_chunked_frame(struct green__http1_chunked *c, const char *buf, size_t len, size_t *ret_used)
{
        size_t used = 0;
        int end = 0;

        *ret_used = 0;
        if (c->result != GREEN__HTTP1_MORE)
                return c->result;
        while (end == 0 && c->state != IN_DATA && c->state != IN_TRAILERS && used != len) {
                end = frame_byte(c, (uint8_t)buf[used]);
                used += end == 0;
        }
        if (end == 0 && c->state == IN_TRAILERS)
                c->result = end = read_trailers(c, buf, len, &used);
        else if (end == 0)
                end = used == len ? GREEN__HTTP1_MORE : GREEN__HTTP1_DATA;
        else
                c->result = end;
        *ret_used = used;
        return end;
}

int
green__http1_chunked_next(struct green__http1_chunked *c, const char *buf, size_t len, struct green__http1_piece *ret)
{
        size_t used;
        int end = green__http1_chunked_frame(c, buf, len, &used);

        *ret = (struct green__http1_piece){.used = used, .off = used, .len = 0};
        if (end == GREEN__HTTP1_DATA) {
                ret->len = len - used < c->left ? len - used : (size_t)c->left;
                ret->used += ret->len;
                green__http1_chunked_skip(c, ret->len);
        }
        return end;
}

int
green__http1_chunked_decode(struct green__http1_chunked *c, char *buf, size_t len, struct green__http1_piece *ret)
{
        struct green__http1_piece piece;
        size_t used = 0, out = 0;
        int end;

        do {
                end = green__http1_chunked_next(c, buf + used, len - used, &piece);
                if (piece.len != 0 && out != used + piece.off)
                        memmove(buf + out, buf + used + piece.off, piece.len);
                out += piece.len;
                used += piece.used;
        } while (end == GREEN__HTTP1_DATA);
        *ret = (struct green__http1_piece){.used = used, .off = 0, .len = out};
        return end;
}
