/*
 * SHA-1 and MD5 of short texts. See digest_priv.h.
 */
#include <string.h>

#include "digest_priv.h"

enum { BLOCK = 64 };

static uint32_t
turn(uint32_t x, unsigned n)
{
        return x << n | x >> (32 - n);
}

static uint32_t
load_big(const uint8_t *p)
{
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
load_little(const uint8_t *p)
{
        return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Both end a text in the same way, but for the order of the bytes of its length. Returns how many blocks there are. */
static size_t
pad(const void *text, size_t len, bool big, uint8_t room[2 * BLOCK])
{
        size_t blocks = len + 9 > BLOCK ? 2 : 1;
        uint8_t *end = room + blocks * BLOCK - 8;

        memset(room, 0, 2 * BLOCK);
        if (len > 0)
                memcpy(room, text, len);
        room[len] = 0x80;
        /* Fewer than 8,192 bits: two bytes hold it. */
        end[big ? 7 : 0] = (uint8_t)(len * 8);
        end[big ? 6 : 1] = (uint8_t)(len * 8 >> 8);
        return blocks;
}

/* ---- SHA-1 */

static uint32_t
sha1_mix(unsigned round, const uint32_t h[5])
{
        if (round < 20)
                return ((h[1] & h[2]) | (~h[1] & h[3])) + 0x5a827999u;
        if (round < 40)
                return (h[1] ^ h[2] ^ h[3]) + 0x6ed9eba1u;
        if (round < 60)
                return ((h[1] & h[2]) | (h[1] & h[3]) | (h[2] & h[3])) + 0x8f1bbcdcu;
        return (h[1] ^ h[2] ^ h[3]) + 0xca62c1d6u;
}

static void
sha1_block(uint32_t state[5], const uint8_t *block)
{
        uint32_t w[80], h[5];

        for (size_t i = 0; i < 16; i++)
                w[i] = load_big(block + 4 * i);
        for (size_t i = 16; i < 80; i++)
                w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        memcpy(h, state, sizeof(h));
        for (unsigned i = 0; i < 80; i++) {
                uint32_t next = turn(h[0], 5) + sha1_mix(i, h) + h[4] + w[i];

                h[4] = h[3];
                h[3] = h[2];
                h[2] = turn(h[1], 30);
                h[1] = h[0];
                h[0] = next;
        }
        for (size_t i = 0; i < 5; i++)
                state[i] += h[i];
}

void
green__sha1(const void *text, size_t len, uint8_t digest[GREEN__SHA1_SIZE])
{
        uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
        uint8_t room[2 * BLOCK];
        size_t blocks = pad(text, len, true, room);

        for (size_t i = 0; i < blocks; i++)
                sha1_block(state, room + i * BLOCK);
        for (size_t i = 0; i < GREEN__SHA1_SIZE; i++)
                digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

/* ---- MD5 */

/* floor(2^32 * |sin(i + 1)|) */
static const uint32_t md5_sines[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
        0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
        0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
        0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
        0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
        0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static const uint8_t md5_turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static void
md5_block(uint32_t state[4], const uint8_t *block)
{
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

        for (unsigned i = 0; i < 64; i++) {
                uint32_t mixed, next;
                unsigned word;

                switch (i / 16) {
                case 0:
                        mixed = (b & c) | (~b & d);
                        word = i;
                        break;
                case 1:
                        mixed = (d & b) | (~d & c);
                        word = 5 * i + 1;
                        break;
                case 2:
                        mixed = b ^ c ^ d;
                        word = 3 * i + 5;
                        break;
                default:
                        mixed = c ^ (b | ~d);
                        word = 7 * i;
                        break;
                }
                next = a + mixed + md5_sines[i] + load_little(block + (size_t)(4 * (word % 16)));
                a = d;
                d = c;
                c = b;
                b += turn(next, md5_turns[i / 16][i % 4]);
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
}

void
green__md5(const void *text, size_t len, uint8_t digest[GREEN__MD5_SIZE])
{
        uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
        uint8_t room[2 * BLOCK];
        size_t blocks = pad(text, len, false, room);

        for (size_t i = 0; i < blocks; i++)
                md5_block(state, room + i * BLOCK);
        for (size_t i = 0; i < GREEN__MD5_SIZE; i++)
                digest[i] = (uint8_t)(state[i / 4] >> 8 * (i % 4));
}
