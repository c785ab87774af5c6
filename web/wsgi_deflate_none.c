/*
 * Where there is no zlib: the option is refused, so nothing of this is called but for the end.
 */
#include "wsgi_compress_priv.h"

bool
green__compress_can(void)
{
        return false;
}

struct green__compress *
green__compress_new(struct green__server *server)
{
        (void)server;
        return NULL;
}

int
green__compress_write(green_wsgi_request *req, const void *data, size_t len, enum green__compress_how how)
{
        (void)req;
        (void)data;
        (void)len;
        (void)how;
        return -ENOTSUP;
}

void
green__compress_release(green_wsgi_request *req)
{
        (void)req;
}

void
green__compress_free(struct green__server *server)
{
        (void)server;
}
