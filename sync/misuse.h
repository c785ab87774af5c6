/*
 * How the calls of sync/ refuse what they are not meant for, and what their fast paths share.
 */
#ifndef GREEN_SYNC_MISUSE_H
#define GREEN_SYNC_MISUSE_H

#include <green/base.h>

#if defined(__GNUC__)
#define green__likely(x) __builtin_expect(!!(x), 1)
#define green__unlikely(x) __builtin_expect(!!(x), 0)
#define GREEN__COLD __attribute__((cold, noinline))
#else
#define green__likely(x) (x)
#define green__unlikely(x) (x)
#define GREEN__COLD
#endif

/* Sets the caller's last error; debug builds also log it, with the green thread that did it. Returns the code. */
int green__misuse(int code, const char *format, ...) GREEN_PRINTF(2, 3) GREEN__COLD;

/* That the code is returned is seen by the compiler, and by what looks for mistakes. */
static inline int
green__is_code(int told, int code)
{
        (void)told;
        return code;
}
#define green__misuse(code, ...) green__is_code(green__misuse((code), __VA_ARGS__), (code))

/* green_park_check() has refused a call with this code: what it has not said itself is said here. Returns the code. */
int green__refused(int code, double timeout, const char *what) GREEN__COLD;

/* A call would have to wait in a hub callback: -EDEADLK. */
int green__no_wait(const char *what) GREEN__COLD;

/* Writes which green thread one is, for a message: "green thread 7 (spawned at main.c:12)". Number 0 is a hub callback.
 */
struct green__who {
        char text[160];
};
const char *green__who(struct green__who *who, uint64_t ident, const char *where) GREEN__COLD;
const char *green__who_now(struct green__who *who) GREEN__COLD;

#endif
