/*
 * Character classes of the HTTP parser: one byte of bits for each character. http1_char.c has the table.
 */
#ifndef GREEN_HTTP1_CHAR_PRIV_H
#define GREEN_HTTP1_CHAR_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GREEN__CHAR_TOKEN 1u  /* tchar (RFC 9110 5.6.2) */
#define GREEN__CHAR_VALUE 2u  /* field value: SP, HTAB, VCHAR, obs-text */
#define GREEN__CHAR_URI 4u    /* pchar, "/" and "?" (RFC 3986), but '%' */
#define GREEN__CHAR_PATH 8u   /* the same and what browsers leave raw in a path; neither '%' nor '?' */
#define GREEN__CHAR_QUERY 16u /* the same and what browsers leave raw in a query; not '%' */
#define GREEN__CHAR_HOST 32u  /* unreserved and sub-delims: a reg-name, but '%' */
#define GREEN__CHAR_HEX 64u
#define GREEN__CHAR_DIGIT 128u

extern const uint8_t green__http1_char[256];

static inline bool
green__http1_is(uint8_t c, unsigned classes)
{
        return (green__http1_char[c] & classes) != 0;
}

/* The value of a hexadecimal digit that was checked to be one. */
static inline unsigned
green__http1_hex(uint8_t c)
{
        return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10u;
}

/* Is s the same as lower but for the case of letters? lower is in lower case. */
static inline bool
green__http1_same(const uint8_t *s, const char *lower, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                uint8_t c = s[i];
                if (c >= 'A' && c <= 'Z')
                        c |= 0x20;
                if (c != (uint8_t)lower[i])
                        return false;
        }
        return true;
}

/*
 * The same for n >= 4 bytes which hold no control character, with a lower that holds letters and '-' only. Every such
 * byte has bit 0x20 set, and the only other ones that have it when it is set for them are their capitals.
 */
static inline bool
green__http1_same_word(const uint8_t *s, const char *lower, size_t n)
{
        if (n >= 8) {
                const uint64_t bits = 0x2020202020202020u;
                uint64_t a, b, c, d;
                memcpy(&a, s, 8);
                memcpy(&b, lower, 8);
                memcpy(&c, s + n - 8, 8);
                /* cppcheck-suppress pointerOutOfBoundsCond ; it takes n of one call for that of another */
                memcpy(&d, lower + n - 8, 8);
                if (n > 16 && (s[8] | 0x20) != (uint8_t)lower[8])
                        return false;
                return (a | bits) == b && (c | bits) == d;
        }
        const uint32_t bits = 0x20202020u;
        uint32_t a, b, c, d;
        memcpy(&a, s, 4);
        memcpy(&b, lower, 4);
        memcpy(&c, s + n - 4, 4);
        memcpy(&d, lower + n - 4, 4);
        return (a | bits) == b && (c | bits) == d;
}

#endif
