/*
 * zlib with green-net's memory.
 */
#ifndef GREEN_WEB_ZLIB_PRIV_H
#define GREEN_WEB_ZLIB_PRIV_H

#include <zlib.h>

#include <green/alloc.h>

static inline voidpf
green__zlib_take(voidpf arg, uInt n, uInt size)
{
        (void)arg;
        return green_calloc(n, size);
}

static inline void
green__zlib_give(voidpf arg, voidpf old)
{
        (void)arg;
        green_free(old);
}

#endif
