/*
 * Is it UTF-8 (RFC 3629)? Told at the first byte that cannot be, however the text is cut.
 */
#ifndef GREEN_UTF8_PRIV_H
#define GREEN_UTF8_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text that comes in pieces. All zero: at its begin. */
struct green__utf8 {
        uint8_t need;      /* bytes of a character that are still to come */
        uint8_t low, high; /* what the next of them may be */
};

/* The next piece. False: it is none, and it does not matter what comes. */
bool green__utf8_more(struct green__utf8 *u, const void *text, size_t len);

/* Does the text end here, and not within a character? */
static inline bool
green__utf8_whole(const struct green__utf8 *u)
{
        return u->need == 0;
}

/* A text as a whole. */
static inline bool
green__utf8_is(const void *text, size_t len)
{
        struct green__utf8 u = {0, 0, 0};

        return green__utf8_more(&u, text, len) && green__utf8_whole(&u);
}

#endif
