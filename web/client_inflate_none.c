/*
 * Where there is no zlib: nothing compressed is asked for, and what comes so is given as it is.
 */
#include "client_priv.h"

bool
green__client_can_inflate(void)
{
        return false;
}

int
green__client_inflate_begin(green_http_response *res, const char *coding, size_t len)
{
        (void)res;
        (void)coding;
        (void)len;
        return 0;
}

ssize_t
green__client_inflate(green_http_response *res, void *buf, size_t len)
{
        return green__client_read_raw(res, buf, len);
}

void
green__client_inflate_end(green_http_response *res)
{
        (void)res;
}
