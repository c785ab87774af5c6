/*
 * Where there is no zlib: nothing is agreed on, so nothing of this is called but for the beginning and the end.
 */
#include "ws_deflate_priv.h"

bool
green__ws_can_deflate(void)
{
        return false;
}

void
green__ws_streams_init(struct green__ws_streams *s)
{
        *s = (struct green__ws_streams){NULL, NULL, 0, 0};
}

void
green__ws_streams_end(struct green__ws_streams *s)
{
        (void)s;
}

int
green__ws_inflate(struct green__ws_inflater *z, const void *data, size_t len, bool last, size_t limit,
                  struct green__ws_message **m)
{
        (void)z;
        (void)data;
        (void)len;
        (void)last;
        (void)limit;
        (void)m;
        return -EPROTO;
}

void
green__ws_inflater_end(struct green__ws_inflater *z)
{
        (void)z;
}

int
green__ws_deflate(struct green__ws_deflater *z, const void *data, size_t len, bool last, struct green__ws_buffer *ret)
{
        (void)z;
        (void)data;
        (void)len;
        (void)last;
        (void)ret;
        return -ENOMEM;
}

void
green__ws_deflater_end(struct green__ws_deflater *z)
{
        (void)z;
}

int
green__ws_deflate_once(uint8_t bits, uint8_t level, const void *data, size_t len, uint8_t **ret_data, size_t *ret_len)
{
        (void)bits;
        (void)level;
        (void)data;
        (void)len;
        (void)ret_data;
        (void)ret_len;
        return -ENOMEM;
}
