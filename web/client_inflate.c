/*
 * Bodies that were compressed, by zlib: gzip (RFC 1952), and what is called deflate, which is zlib's format (RFC 1950)
 * or, from some servers, what stands within (RFC 1951).
 */
#include <string.h>
#include <strings.h>

#include "client_priv.h"
#include "zlib_priv.h"

enum {
        GZIP = 1, /* behind its end there may be one more */
        DEFLATE,  /* which of them its first bytes say */
        KNOWN,    /* deflate, and they have said it */
};

bool
green__client_can_inflate(void)
{
        return true;
}

/* A stream for a format; the one of the last response is used again. */
static int
set_format(green_http_response *res, int bits)
{
        z_stream *z = res->inflate;

        if (z != NULL) {
                z->next_in = NULL;
                z->avail_in = 0;
                return inflateReset2(z, bits) == Z_OK ? 0 : -ENOMEM;
        }
        z = green_calloc(1, sizeof(*z));
        if (z == NULL)
                return -ENOMEM;
        z->zalloc = green__zlib_take;
        z->zfree = green__zlib_give;
        if (inflateInit2(z, bits) != Z_OK) {
                green_free(z);
                return -ENOMEM;
        }
        res->inflate = z;
        return 0;
}

static bool
is_coding(const char *coding, size_t len, const char *name)
{
        return strlen(name) == len && strncasecmp(coding, name, len) == 0;
}

int
green__client_inflate_begin(green_http_response *res, const char *coding, size_t len)
{
        bool gzip = is_coding(coding, len, "gzip") || is_coding(coding, len, "x-gzip");
        int rc;

        if (!gzip && !is_coding(coding, len, "deflate"))
                return 0;
        rc = set_format(res, gzip ? 16 + MAX_WBITS : MAX_WBITS);
        if (rc == 0)
                res->inflating = gzip ? GZIP : DEFLATE;
        return rc;
}

static int
bad(green_http_response *res, const char *what)
{
        return green__client_fail(GREEN_EHTTP, "the response of %.100s: %s", res->where.host, what);
}

/* What begins as zlib's format does is that; anything else can only be without it. */
static int
choose(green_http_response *res, const char *data)
{
        const unsigned first = (uint8_t)data[0];

        res->inflating = KNOWN;
        return (first & 15) == 8 && first >> 4 <= 7 ? 0 : set_format(res, -MAX_WBITS);
}

/* What comes behind the end of a compressed piece: another one of gzip's, or nothing. */
static int
go_on(green_http_response *res)
{
        if (!res->inflated)
                return 0;
        if (res->inflating != GZIP)
                return bad(res, "bytes behind what was compressed");
        res->inflated = false;
        return set_format(res, 16 + MAX_WBITS);
}

/* At the end of the body: nothing at all is an empty one. */
static int
check_end(green_http_response *res)
{
        const z_stream *z = res->inflate;

        if (res->inflated || z->total_in == 0)
                return 0;
        return bad(res, "what was compressed is cut short");
}

/* Some of what has come: bytes that came out of it, perhaps 0, or a code. */
static ssize_t
step(green_http_response *res, const char *data, size_t there, void *buf, size_t len)
{
        z_stream *z = res->inflate;
        size_t in = there < UINT32_MAX ? there : UINT32_MAX, out = len < UINT32_MAX ? len : UINT32_MAX;
        int rc;

        z->next_in = (z_const Bytef *)(uintptr_t)data;
        z->avail_in = (uInt)in;
        z->next_out = buf;
        z->avail_out = (uInt)out;
        rc = inflate(z, Z_NO_FLUSH);
        if (there > 0)
                green__client_take(res, in - z->avail_in);
        res->inflate_full = z->avail_out == 0;
        out -= z->avail_out;
        if (rc == Z_STREAM_END)
                res->inflated = true;
        else if (rc == Z_MEM_ERROR)
                return -ENOMEM;
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
                return bad(res, "it is not compressed as it says");
        return (ssize_t)out;
}

/* What has come of the body goes in, none where it has ended. */
static ssize_t
feed(green_http_response *res, void *buf, size_t len)
{
        const char *data = NULL;
        ssize_t n = green__client_peek(res, &data);
        int rc;

        if (n <= 0)
                return n < 0 ? n : check_end(res);
        rc = go_on(res);
        if (rc == 0 && res->inflating == DEFLATE)
                rc = choose(res, data);
        if (rc != 0)
                return rc;
        n = step(res, data, (size_t)n, buf, len);
        return n == 0 ? -EAGAIN : n;
}

ssize_t
green__client_inflate(green_http_response *res, void *buf, size_t len)
{
        ssize_t n = -EAGAIN;

        /* What zlib had no room for comes first. */
        if (res->inflate_full && !res->inflated) {
                n = step(res, NULL, 0, buf, len);
                n = n == 0 ? -EAGAIN : n;
        }
        while (n == -EAGAIN)
                n = feed(res, buf, len);
        if (n <= 0)
                return n;
        res->grown += (uint64_t)n;
        if (res->grown > res->client->opts.max_decompressed)
                return green__client_fail(-EMSGSIZE, "a body that grows too long");
        return n;
}

void
green__client_inflate_end(green_http_response *res)
{
        z_stream *z = res->inflate;

        if (z == NULL)
                return;
        (void)inflateEnd(z);
        green_free(z);
        res->inflate = NULL;
}
