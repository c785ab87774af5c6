/*
 * Scanning with NEON, which every little-endian aarch64 has: 16 bytes a step. See http1_scan_priv.h.
 */
#ifndef GREEN_HTTP1_SCAN_NEON_H
#define GREEN_HTTP1_SCAN_NEON_H

#include <arm_neon.h>

/* A vector of 0x00 and 0xff as 64 bits, four a byte: NEON has no instruction that takes one bit of each. */
static inline uint64_t
green__neon_nibbles(uint8x16_t mask)
{
        return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(mask), 4)), 0);
}

static inline uint8x16_t
green__neon_no_name(uint8x16_t x)
{
        uint8x16_t letter = vcltq_u8(vsubq_u8(vorrq_u8(x, vdupq_n_u8(0x20)), vdupq_n_u8('a')), vdupq_n_u8(26));
        uint8x16_t digit = vcltq_u8(vsubq_u8(x, vdupq_n_u8('0')), vdupq_n_u8(10));

        return vmvnq_u8(vorrq_u8(vorrq_u8(letter, digit), vceqq_u8(x, vdupq_n_u8('-'))));
}

static inline uint8x16_t
green__neon_no_host(uint8x16_t x)
{
        return vbicq_u8(green__neon_no_name(x), vceqq_u8(x, vdupq_n_u8('.')));
}

static inline uint8x16_t
green__neon_control(uint8x16_t x)
{
        return vorrq_u8(vcltq_u8(x, vdupq_n_u8(0x20)), vceqq_u8(x, vdupq_n_u8(0x7f)));
}

/* Every byte outside a path, and '!' and '~', which cost more to leave out than they are worth. */
static inline uint8x16_t
green__neon_no_path(uint8x16_t x)
{
        uint8x16_t folded = vsubq_u8(vandq_u8(x, vdupq_n_u8(0xdf)), vdupq_n_u8(0x5b));
        uint8x16_t bad = vorrq_u8(vcleq_u8(x, vdupq_n_u8('#')), vcgeq_u8(x, vdupq_n_u8(0x7f)));

        bad = vorrq_u8(bad, vcltq_u8(folded, vdupq_n_u8(4))); /* [ \ ] ^ { | } ~ */
        bad = vorrq_u8(bad, vceqq_u8(vorrq_u8(x, vdupq_n_u8('<' ^ '>')), vdupq_n_u8('>')));
        bad = vorrq_u8(bad, vceqq_u8(x, vdupq_n_u8('?')));
        bad = vorrq_u8(bad, vceqq_u8(x, vdupq_n_u8('%')));
        return vorrq_u8(bad, vceqq_u8(x, vdupq_n_u8('`')));
}

/* The loop of the scans: stops(x) is a constant for the compiler, which inlines it. */
static inline const uint8_t *
green__neon_scan(const uint8_t *base, const uint8_t *s, const uint8_t *end, uint8x16_t (*stops)(uint8x16_t))
{
        for (; end - s >= 16; s += 16) {
                uint64_t mask = green__neon_nibbles(stops(vld1q_u8(s)));
                if (mask != 0)
                        return s + __builtin_ctzll(mask) / 4;
        }
        if (s != end && end - base >= 16) {
                /* The last 16 bytes; those before s are shifted out. */
                uint64_t mask = green__neon_nibbles(stops(vld1q_u8(end - 16))) >> 4 * (16 - (end - s));
                return mask != 0 ? s + __builtin_ctzll(mask) / 4 : end;
        }
        while (s != end && vgetq_lane_u8(stops(vdupq_n_u8(*s)), 0) == 0)
                s++;
        return s;
}

static inline const uint8_t *
green__http1_scan_name(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return green__neon_scan(base, s, end, green__neon_no_name);
}

static inline const uint8_t *
green__http1_scan_host(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return green__neon_scan(base, s, end, green__neon_no_host);
}

static inline const uint8_t *
green__http1_scan_value(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return green__neon_scan(base, s, end, green__neon_control);
}

static inline const uint8_t *
green__http1_scan_target(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return green__neon_scan(base, s, end, green__neon_no_path);
}

static inline bool
green__http1_is_name(const uint8_t *base, const uint8_t *s, const uint8_t *name_end, const uint8_t *end)
{
        (void)end;
        return green__http1_scan_name(base, s, name_end) == name_end;
}

/* Four vectors of 0x00 and 0xff as 64 bits: a bit each is left, and neighbours are added until eight are in a byte. */
static inline uint64_t
green__neon_bits(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
        const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        uint8x16_t ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
        uint8x16_t cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
        uint8x16_t all = vpaddq_u8(ab, cd);

        return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

static inline struct green__http1_seen
green__http1_look(const uint8_t *s)
{
        const uint8x16_t colon = vdupq_n_u8(':');
        uint8x16_t a = vld1q_u8(s), b = vld1q_u8(s + 16), c = vld1q_u8(s + 32), d = vld1q_u8(s + 48);
        struct green__http1_seen seen;

        seen.control = green__neon_bits(green__neon_control(a), green__neon_control(b), green__neon_control(c),
                                        green__neon_control(d));
        seen.colon = green__neon_bits(vceqq_u8(a, colon), vceqq_u8(b, colon), vceqq_u8(c, colon), vceqq_u8(d, colon));
        return seen;
}

static inline struct green__http1_seen
green__http1_look_short(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        struct green__http1_seen seen = {~(uint64_t)0 << (end - s), 0};

        if (end - base >= 64 && s != end) {
                struct green__http1_seen last = green__http1_look(end - 64);
                unsigned before = 64 - (unsigned)(end - s);
                seen.control |= last.control >> before;
                seen.colon |= last.colon >> before;
                return seen;
        }
        for (unsigned at = 0; s != end; s++, at++) {
                seen.control |= (uint64_t)(*s < 0x20 || *s == 0x7f) << at;
                seen.colon |= (uint64_t)(*s == ':') << at;
        }
        return seen;
}

#endif
