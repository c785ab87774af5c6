/*
 * Assertions, for what only a fault of green-net itself can break. Public calls check their arguments and return -EINVAL.
 */
#ifndef GREEN_NET_CHECK_H
#define GREEN_NET_CHECK_H

#include <stdlib.h>

#include <green/log.h>

#if defined(__GNUC__)
#define green__likely(x) __builtin_expect(!!(x), 1)
#define green__unlikely(x) __builtin_expect(!!(x), 0)
#else
#define green__likely(x) (x)
#define green__unlikely(x) (x)
#endif

/* Says what broke and where, and aborts. */
#define GREEN_ASSERT(expr)                                                                                             \
        ((void)(green__likely(expr) ||                                                                                 \
                (green_log(GREEN_LOG_ERROR, "green-net: %s: it does not hold that %s", GREEN_HERE, #expr), abort(), 0)))

#endif
