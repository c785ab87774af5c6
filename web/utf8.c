/*
 * Checking UTF-8: what is ASCII by vectors, the rest character by character. See utf8_priv.h.
 */
#include <string.h>

#include "utf8_priv.h"

typedef uint64_t vector __attribute__((vector_size(32)));

/* Where the first byte that is not ASCII is, or a little before. */
static const uint8_t *
skip_ascii(const uint8_t *p, const uint8_t *end)
{
        uint64_t word;

        for (; (size_t)(end - p) >= sizeof(vector); p += sizeof(vector)) {
                vector v;

                memcpy(&v, p, sizeof(v));
                if (((v[0] | v[1] | v[2] | v[3]) & 0x8080808080808080u) != 0)
                        break;
        }
        for (; (size_t)(end - p) >= sizeof(word); p += sizeof(word)) {
                memcpy(&word, p, sizeof(word));
                if ((word & 0x8080808080808080u) != 0)
                        break;
        }
        return p;
}

/* The first byte of a character that is not ASCII: what has to follow. */
static bool
begin(struct green__utf8 *u, uint8_t c)
{
        u->low = 0x80;
        u->high = 0xbf;
        if (c >= 0xc2 && c <= 0xdf) {
                u->need = 1;
        } else if ((c & 0xf0) == 0xe0) {
                u->need = 2;
                if (c == 0xe0)
                        u->low = 0xa0; /* shorter forms */
                else if (c == 0xed)
                        u->high = 0x9f; /* surrogates */
        } else if (c >= 0xf0 && c <= 0xf4) {
                u->need = 3;
                if (c == 0xf0)
                        u->low = 0x90; /* shorter forms */
                else if (c == 0xf4)
                        u->high = 0x8f; /* beyond U+10FFFF */
        } else {
                return false;
        }
        return true;
}

static bool
go_on(struct green__utf8 *u, uint8_t c)
{
        if (c < u->low || c > u->high)
                return false;
        u->low = 0x80;
        u->high = 0xbf;
        u->need--;
        return true;
}

bool
green__utf8_more(struct green__utf8 *u, const void *text, size_t len)
{
        const uint8_t *p = text, *end = p + len;

        while (p < end) {
                if (u->need > 0) {
                        if (!go_on(u, *p++))
                                return false;
                        continue;
                }
                p = skip_ascii(p, end);
                while (p < end && *p < 0x80)
                        p++;
                while (p < end && *p >= 0x80) {
                        if (!begin(u, *p++))
                                return false;
                        while (p < end && u->need > 0)
                                if (!go_on(u, *p++))
                                        return false;
                }
        }
        return true;
}
