/*
 * Responses compressed by zlib, as gzip. See wsgi_compress_priv.h.
 *
 * Each that is at work takes some 256 KiB, so there are not more than AT_WORK of them: what comes then is sent as it
 * is.
 */
#include <string.h>

#include "wsgi_compress_priv.h"
#include "zlib_priv.h"

enum {
        WINDOW = 15,     /* zlib's windowBits */
        GZIP = 16,       /* with gzip's frame */
        MEMORY = 8,      /* zlib's memLevel */
        AT_WORK = 64,    /* responses of a server */
        KEPT = 8,        /* that wait for the next response */
        AT_ONCE = 65536, /* bytes that are compressed before others get their turn */
        CHUNK = 8192,    /* a chunk at most */
};

struct green__compress {
        struct green__compress *next;
        z_stream z;
        size_t done; /* bytes since others had their turn */
        Bytef out[CHUNK];
};

bool
green__compress_can(void)
{
        return true;
}

static void
begin(struct green__compress *c)
{
        c->next = NULL;
        c->done = 0;
        /* One that was broken off may have had more to read. */
        c->z.next_in = NULL;
        c->z.avail_in = 0;
        c->z.next_out = c->out;
        c->z.avail_out = CHUNK;
}

struct green__compress *
green__compress_new(struct green__server *server)
{
        struct green__compress *c = server->compressors;

        if (server->compress_busy == AT_WORK)
                return NULL;
        if (c != NULL) {
                server->compressors = c->next;
                server->compressors_count--;
                (void)deflateReset(&c->z);
        } else {
                c = green_malloc(sizeof(*c));
                if (c == NULL)
                        return NULL;
                c->z = (z_stream){.zalloc = green__zlib_take, .zfree = green__zlib_give};
                if (deflateInit2(&c->z, server->opts.compress_level, Z_DEFLATED, WINDOW + GZIP, MEMORY,
                                 Z_DEFAULT_STRATEGY) != Z_OK) {
                        green_free(c);
                        return NULL;
                }
        }
        server->compress_busy++;
        begin(c);
        return c;
}

static void
compress_free(struct green__compress *c)
{
        (void)deflateEnd(&c->z);
        green_free(c);
}

void
green__compress_release(green_wsgi_request *req)
{
        struct green__server *server = req->session->server;
        struct green__compress *c = req->compress;

        if (c == NULL)
                return;
        req->compress = NULL;
        server->compress_busy--;
        if (server->compressors_count == KEPT) {
                compress_free(c);
                return;
        }
        c->next = server->compressors;
        server->compressors = c;
        server->compressors_count++;
}

void
green__compress_free(struct green__server *server)
{
        while (server->compressors != NULL) {
                struct green__compress *c = server->compressors;

                server->compressors = c->next;
                compress_free(c);
        }
}

/* What has come out becomes a chunk. */
static int
emit(green_wsgi_request *req, struct green__compress *c)
{
        size_t len = CHUNK - c->z.avail_out;

        c->z.next_out = c->out;
        c->z.avail_out = CHUNK;
        return len == 0 ? 0 : green__response_chunk(req, c->out, len);
}

/* Feed what is in z, and what a flush brings forth. */
static int
run(green_wsgi_request *req, struct green__compress *c, int flush)
{
        int rc = 0, z;

        do {
                if (c->z.avail_out == 0)
                        rc = emit(req, c);
                if (rc != 0)
                        return rc;
                z = deflate(&c->z, flush);
                /* With room left it has nothing more to say. */
        } while (z == Z_OK && c->z.avail_out == 0);
        return 0;
}

int
green__compress_write(green_wsgi_request *req, const void *data, size_t len, enum green__compress_how how)
{
        struct green__compress *c = req->compress;
        const Bytef *at = data;
        int rc = 0;

        while (rc == 0 && len > 0) {
                size_t n = len < AT_ONCE ? len : AT_ONCE;

                c->z.next_in = (z_const Bytef *)(uintptr_t)at;
                c->z.avail_in = (uInt)n;
                rc = run(req, c, Z_NO_FLUSH);
                at += n;
                len -= n;
                c->done += n;
                if (rc == 0 && c->done >= AT_ONCE) {
                        c->done = 0;
                        rc = green_sleep(0);
                }
        }
        if (rc == 0 && how != GREEN__COMPRESS_MORE) {
                rc = run(req, c, how == GREEN__COMPRESS_END ? Z_FINISH : Z_SYNC_FLUSH);
                if (rc == 0)
                        rc = emit(req, c);
        }
        return rc;
}
