/*
 * permessage-deflate by zlib. See ws_deflate_priv.h.
 */
#include <string.h>

#include "ws_priv.h"
#include "zlib_priv.h"

enum {
        FIRST = 4096, /* room for what comes out, to begin with */
        MEMORY = 8,   /* zlib's memLevel */
        TAIL = 4,     /* what a flush ends with, and a message does not */
};

static const uint8_t tail[TAIL] = {0, 0, 0xff, 0xff};

bool
green__ws_can_deflate(void)
{
        return true;
}

static z_stream *
stream_new(void)
{
        z_stream *z = green_calloc(1, sizeof(*z));

        if (z != NULL) {
                z->zalloc = green__zlib_take;
                z->zfree = green__zlib_give;
        }
        return z;
}

/* ---- those that are lent */

void
green__ws_streams_init(struct green__ws_streams *s)
{
        *s = (struct green__ws_streams){NULL, NULL, 0, 0};
}

static void
inflate_free(z_stream *z)
{
        if (z == NULL)
                return;
        (void)inflateEnd(z);
        green_free(z);
}

static void
deflate_free(z_stream *z)
{
        if (z == NULL)
                return;
        (void)deflateEnd(z);
        green_free(z);
}

void
green__ws_streams_end(struct green__ws_streams *s)
{
        inflate_free(s->inflate);
        deflate_free(s->deflate);
}

static z_stream *
inflate_new(int bits)
{
        struct green__ws_local *l = green__ws_here;
        z_stream *z;

        if (l != NULL && l->streams.inflate != NULL) {
                z = l->streams.inflate;
                l->streams.inflate = NULL;
                (void)inflateReset2(z, -bits);
                return z;
        }
        z = stream_new();
        if (z == NULL || inflateInit2(z, -bits) == Z_OK)
                return z;
        green_free(z);
        return NULL;
}

static void
inflate_give(z_stream *z)
{
        struct green__ws_local *l = green__ws_here;

        if (l == NULL || l->streams.inflate != NULL)
                inflate_free(z);
        else
                l->streams.inflate = z;
}

/*
 * zlib does not deflate with a window of 256 bytes. With one of 512 it refers back by 512 - 262 bytes at most, since it
 * keeps room to look ahead: that is within 256.
 */
static z_stream *
deflate_make(uint8_t bits, uint8_t level)
{
        z_stream *z = stream_new();

        if (z == NULL)
                return NULL;
        if (deflateInit2(z, level, Z_DEFLATED, -(bits < 9 ? 9 : bits), MEMORY, Z_DEFAULT_STRATEGY) == Z_OK)
                return z;
        green_free(z);
        return NULL;
}

static z_stream *
deflate_new(uint8_t bits, uint8_t level)
{
        struct green__ws_local *l = green__ws_here;
        z_stream *z = l == NULL ? NULL : l->streams.deflate;

        if (z == NULL || l->streams.deflate_bits != bits || l->streams.deflate_level != level)
                return deflate_make(bits, level);
        l->streams.deflate = NULL;
        (void)deflateReset(z);
        return z;
}

static void
deflate_give(z_stream *z, uint8_t bits, uint8_t level)
{
        struct green__ws_local *l = green__ws_here;

        if (l == NULL) {
                deflate_free(z);
                return;
        }
        deflate_free(l->streams.deflate);
        l->streams.deflate = z;
        l->streams.deflate_bits = bits;
        l->streams.deflate_level = level;
}

/* ---- inflating */

/* One input through, all that it gives. */
static int
inflate_all(z_stream *z, const void *data, size_t len, size_t limit, struct green__ws_message **m)
{
        z->next_in = (z_const Bytef *)(uintptr_t)data;
        z->avail_in = (uInt)len;
        for (;;) {
                size_t room = (*m)->room - (*m)->len;
                int rc;

                if (room == 0) {
                        size_t want = (*m)->room < FIRST ? FIRST : (*m)->room * 2;

                        /* One byte more than is allowed tells that there is more. */
                        if (want > limit + 1)
                                want = limit + 1;
                        if ((*m)->len > limit)
                                return -EMSGSIZE;
                        if (!green__ws_message_grow(m, want))
                                return -ENOMEM;
                        room = (*m)->room - (*m)->len;
                }
                if (room > limit + 1 - (*m)->len)
                        room = limit + 1 - (*m)->len;
                if (room > UINT32_MAX / 2)
                        room = UINT32_MAX / 2;
                z->next_out = (Bytef *)(*m)->data + (*m)->len;
                z->avail_out = (uInt)room;
                rc = inflate(z, Z_SYNC_FLUSH);
                (*m)->len += room - z->avail_out;
                if ((*m)->len > limit)
                        return -EMSGSIZE;
                if (rc == Z_STREAM_END) {
                        /* A last block within a message: what follows begins anew (RFC 7692 7.2.3.5). */
                        (void)inflateReset(z);
                        if (z->avail_in == 0)
                                return 0;
                        continue;
                }
                if (rc == Z_MEM_ERROR)
                        return -ENOMEM;
                if (rc != Z_OK && rc != Z_BUF_ERROR)
                        return -EPROTO;
                if (z->avail_out > 0)
                        return z->avail_in == 0 ? 0 : -EPROTO;
        }
}

int
green__ws_inflate(struct green__ws_inflater *z, const void *data, size_t len, bool last, size_t limit,
                  struct green__ws_message **m)
{
        int rc = 0;

        if (z->stream == NULL) {
                z->stream = inflate_new(z->bits);
                if (z->stream == NULL)
                        return -ENOMEM;
        }
        while (rc == 0 && len > 0) {
                size_t part = len < UINT32_MAX / 2 ? len : UINT32_MAX / 2;

                rc = inflate_all(z->stream, data, part, limit, m);
                data = (const char *)data + part;
                len -= part;
        }
        if (rc == 0 && last)
                rc = inflate_all(z->stream, tail, TAIL, limit, m);
        if ((last && !z->takeover) || rc != 0)
                green__ws_inflater_end(z);
        return rc;
}

void
green__ws_inflater_end(struct green__ws_inflater *z)
{
        if (z->stream != NULL)
                inflate_give(z->stream);
        z->stream = NULL;
}

/* ---- deflating */

/* Compress and flush: what came out ends with the tail, but where there was nothing to do. */
static int
deflate_all(z_stream *z, const void *data, size_t len, struct green__ws_buffer *b)
{
        z->avail_in = 0;
        for (;;) {
                size_t room = b->size - b->len;
                int rc;

                if (room < 64) {
                        rc = green__ws_buffer_grow(b);
                        if (rc != 0)
                                return rc;
                        continue;
                }
                if (room > UINT32_MAX / 2)
                        room = UINT32_MAX / 2;
                if (z->avail_in == 0 && len > 0) {
                        size_t part = len < UINT32_MAX / 2 ? len : UINT32_MAX / 2;

                        z->next_in = (z_const Bytef *)(uintptr_t)data;
                        z->avail_in = (uInt)part;
                        data = (const char *)data + part;
                        len -= part;
                }
                z->next_out = b->room + GREEN__WS_HEAD_MAX + b->len;
                z->avail_out = (uInt)room;
                (void)deflate(z, Z_SYNC_FLUSH);
                b->len += room - z->avail_out;
                if (z->avail_out > 0 && z->avail_in == 0 && len == 0)
                        return 0;
        }
}

static void
cut_tail(struct green__ws_buffer *b)
{
        uint8_t *data = b->room + GREEN__WS_HEAD_MAX;

        if (b->len >= TAIL && memcmp(data + b->len - TAIL, tail, TAIL) == 0)
                b->len -= TAIL;
        /* Nothing came out, or nothing is left: the first byte of an empty block stands for it. */
        if (b->len == 0)
                data[b->len++] = 0;
}

static size_t
bound(size_t len)
{
        return len + len / 1000 + 64;
}

int
green__ws_deflate(struct green__ws_deflater *z, const void *data, size_t len, bool last, struct green__ws_buffer *ret)
{
        int rc = green__ws_buffer_begin(ret, bound(len));

        if (rc != 0)
                return rc;
        if (z->stream == NULL)
                z->stream = deflate_new(z->bits, z->level);
        rc = z->stream == NULL ? -ENOMEM : deflate_all(z->stream, data, len, ret);
        if (rc == 0 && last)
                cut_tail(ret);
        if ((last && !z->takeover) || rc != 0)
                green__ws_deflater_end(z);
        if (rc != 0)
                green__ws_buffer_end(ret);
        return rc;
}

void
green__ws_deflater_end(struct green__ws_deflater *z)
{
        if (z->stream != NULL)
                deflate_give(z->stream, z->bits, z->level);
        z->stream = NULL;
}

int
green__ws_deflate_once(uint8_t bits, uint8_t level, const void *data, size_t len, uint8_t **ret_data, size_t *ret_len)
{
        struct green__ws_buffer b = {.len = 0, .size = bound(len)};
        z_stream *z = deflate_make(bits, level);
        int rc = -ENOMEM;

        b.room = z == NULL ? NULL : green_malloc(GREEN__WS_HEAD_MAX + b.size);
        if (b.room != NULL)
                rc = deflate_all(z, data, len, &b);
        deflate_free(z);
        if (rc != 0) {
                green_free(b.room);
                return rc;
        }
        cut_tail(&b);
        *ret_data = b.room;
        *ret_len = b.len;
        return 0;
}
