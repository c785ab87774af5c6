/*
 * Masking by vectors of 32 bytes, which compilers have for every machine: two of SSE2's or NEON's registers, or words.
 */
#include <string.h>

#include "ws_mask_priv.h"

typedef uint32_t vector __attribute__((vector_size(32)));

uint32_t
green__ws_mask(void *to, const void *from, size_t len, uint32_t mask)
{
        const vector wide = {mask, mask, mask, mask, mask, mask, mask, mask};
        uint8_t *out = to;
        const uint8_t *in = from;
        uint8_t bytes[4], turned[4];
        size_t rest;

        for (; len >= sizeof(vector); len -= sizeof(vector)) {
                vector v;

                memcpy(&v, in, sizeof(v));
                v ^= wide;
                memcpy(out, &v, sizeof(v));
                in += sizeof(v);
                out += sizeof(v);
        }
        for (; len >= sizeof(mask); len -= sizeof(mask)) {
                uint32_t word;

                memcpy(&word, in, sizeof(word));
                word ^= mask;
                memcpy(out, &word, sizeof(word));
                in += sizeof(word);
                out += sizeof(word);
        }
        memcpy(bytes, &mask, sizeof(bytes));
        for (rest = 0; rest < len; rest++)
                out[rest] = in[rest] ^ bytes[rest];
        if (rest == 0)
                return mask;
        for (size_t i = 0; i < sizeof(turned); i++)
                turned[i] = bytes[(i + rest) % 4];
        memcpy(&mask, turned, sizeof(mask));
        return mask;
}
