/*
 * SipHash-1-3. See "SipHash: a fast short-input PRF" by Aumasson and Bernstein; one round a word and three at the end
 * are what hash tables take.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os_thread.h"
#include "siphash.h"

struct state {
        uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate(uint64_t x, int bits)
{
        return x << bits | x >> (64 - bits);
}

static inline void
mix(struct state *s)
{
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
}

static inline void
take(struct state *s, uint64_t word)
{
        s->v3 ^= word;
        mix(s);
        s->v0 ^= word;
}

/* Up to eight bytes, the first one lowest. */
static inline uint64_t
word_of(const unsigned char *bytes, size_t n)
{
        uint64_t word = 0;

        for (size_t i = 0; i < n; i++)
                word |= (uint64_t)bytes[i] << (8 * i);
        return word;
}

uint64_t
green__siphash(const uint64_t key[2], const void *data, size_t len)
{
        const unsigned char *bytes = data;
        struct state s = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                          key[1] ^ 0x7465646279746573u};
        size_t left = len;

        for (; left >= 8; left -= 8, bytes += 8)
                take(&s, word_of(bytes, 8));
        take(&s, word_of(bytes, left) | (uint64_t)len << 56);
        s.v2 ^= 0xff;
        mix(&s);
        mix(&s);
        mix(&s);
        return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void
green__siphash_key(uint64_t key[2])
{
        struct timespec now;

        if (green__os_random(key, 2 * sizeof(*key)))
                return;
        /* Second best: where things lie, and when this was. */
        clock_gettime(CLOCK_MONOTONIC, &now);
        key[0] = (uint64_t)(uintptr_t)key ^ (uint64_t)now.tv_sec << 40 ^ (uint64_t)now.tv_nsec;
        key[1] = (uint64_t)(uintptr_t)&green__siphash_key ^ (uint64_t)getpid() << 48;
        key[0] = green__siphash(key, &now, sizeof(now));
}
