/*
 * Assertions, for what only a fault of green-net itself can break. Public calls check their arguments and return -EINVAL.
 */
#ifndef GREEN_CHECK_H
#define GREEN_CHECK_H

#if defined(__GNUC__)
#define green__likely(x) __builtin_expect(!!(x), 1)
#define green__unlikely(x) __builtin_expect(!!(x), 0)
#else
#define green__likely(x) (x)
#define green__unlikely(x) (x)
#endif

/* Says what broke and where, through the log hook, and aborts. In error.c. */
void green__assert_failed(const char *expr, const char *where) __attribute__((noreturn, cold));

#define GREEN_CHECK_STR_(x) #x
#define GREEN_CHECK_STR(x) GREEN_CHECK_STR_(x)

/* Always on: for places that are not on the block/wake path. */
#define GREEN_ASSERT(expr)                                                                                             \
        ((void)(green__likely(expr) || (green__assert_failed(#expr, __FILE__ ":" GREEN_CHECK_STR(__LINE__)), 0)))

/* On in builds with --enable-debug: for the block/wake path. */
#if defined(GREEN_DEBUG) && GREEN_DEBUG
#define GREEN_DEBUG_ASSERT(expr) GREEN_ASSERT(expr)
#else
#define GREEN_DEBUG_ASSERT(expr) ((void)0)
#endif

#define green__container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
