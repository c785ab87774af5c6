/*
 * Scanning with SSE2, which every x86-64 has: 16 bytes a step. See http1_scan_priv.h.
 */
#ifndef GREEN_HTTP1_SCAN_SSE2_H
#define GREEN_HTTP1_SCAN_SSE2_H

#include <emmintrin.h>

static inline __m128i
green__sse2_load(const uint8_t *s)
{
        return _mm_loadu_si128((const __m128i *)(const void *)s);
}

/* Bytes of x at most hi, unsigned: SSE2 has no such comparison. */
static inline __m128i
green__sse2_at_most(__m128i x, uint8_t hi)
{
        return _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8((char)hi)), x);
}

static inline __m128i
green__sse2_equal(__m128i x, uint8_t byte)
{
        return _mm_cmpeq_epi8(x, _mm_set1_epi8((char)byte));
}

static inline __m128i
green__sse2_name(__m128i x)
{
        __m128i letter = _mm_sub_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        __m128i digit = _mm_sub_epi8(x, _mm_set1_epi8('0'));
        __m128i good = _mm_or_si128(green__sse2_at_most(letter, 25), green__sse2_at_most(digit, 9));

        return _mm_or_si128(good, green__sse2_equal(x, '-'));
}

/* A bit for every byte that is no letter, digit or '-'. */
static inline unsigned
green__sse2_no_name(__m128i x)
{
        return ~(unsigned)_mm_movemask_epi8(green__sse2_name(x)) & 0xffffu;
}

/* The same, and no '.'. */
static inline unsigned
green__sse2_no_host(__m128i x)
{
        __m128i good = _mm_or_si128(green__sse2_name(x), green__sse2_equal(x, '.'));

        return ~(unsigned)_mm_movemask_epi8(good) & 0xffffu;
}

static inline unsigned
green__sse2_control(__m128i x)
{
        return (unsigned)_mm_movemask_epi8(_mm_or_si128(green__sse2_at_most(x, 0x1f), green__sse2_equal(x, 0x7f)));
}

static inline unsigned
green__sse2_colon(__m128i x)
{
        return (unsigned)_mm_movemask_epi8(green__sse2_equal(x, ':'));
}

/* A bit for every byte outside a path, and for '!' and '~', which cost more to leave out than they are worth. */
static inline unsigned
green__sse2_no_path(__m128i x)
{
        __m128i folded = _mm_sub_epi8(_mm_and_si128(x, _mm_set1_epi8((char)0xdf)), _mm_set1_epi8(0x5b));
        __m128i bad = green__sse2_at_most(x, '#'); /* controls, SP ! " # */

        bad = _mm_or_si128(bad, green__sse2_at_most(folded, 3));                          /* [ \ ] ^ { | } ~ */
        bad = _mm_or_si128(bad, _mm_cmpeq_epi8(_mm_max_epu8(x, _mm_set1_epi8(0x7f)), x)); /* DEL and above */
        bad = _mm_or_si128(bad, green__sse2_equal(_mm_or_si128(x, _mm_set1_epi8('<' ^ '>')), '>')); /* < > */
        bad = _mm_or_si128(bad, green__sse2_equal(x, '?'));
        bad = _mm_or_si128(bad, green__sse2_equal(x, '%'));
        bad = _mm_or_si128(bad, green__sse2_equal(x, '`'));
        return (unsigned)_mm_movemask_epi8(bad);
}

/* The loop of the scans: stops(x) is a constant for the compiler, which inlines it. */
static inline const uint8_t *
green__sse2_scan(const uint8_t *base, const uint8_t *s, const uint8_t *end, unsigned (*stops)(__m128i))
{
        for (; end - s >= 16; s += 16) {
                unsigned mask = stops(green__sse2_load(s));
                if (mask != 0)
                        return s + __builtin_ctz(mask);
        }
        if (s != end && end - base >= 16) {
                /* The last 16 bytes; the bits of those before s are shifted out. */
                unsigned mask = stops(green__sse2_load(end - 16)) >> (16 - (end - s));
                return mask != 0 ? s + __builtin_ctz(mask) : end;
        }
        while (s != end && (stops(_mm_cvtsi32_si128(*s)) & 1u) == 0)
                s++;
        return s;
}

static inline const uint8_t *
green__http1_scan_name(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return green__sse2_scan(base, s, end, green__sse2_no_name);
}

static inline const uint8_t *
green__http1_scan_host(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return green__sse2_scan(base, s, end, green__sse2_no_host);
}

static inline const uint8_t *
green__http1_scan_value(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return green__sse2_scan(base, s, end, green__sse2_control);
}

static inline const uint8_t *
green__http1_scan_target(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return green__sse2_scan(base, s, end, green__sse2_no_path);
}

static inline bool
green__http1_is_name(const uint8_t *base, const uint8_t *s, const uint8_t *name_end, const uint8_t *end)
{
        const size_t n = (size_t)(name_end - s);

        if (n <= 16 && end - s >= 16)
                return (green__sse2_no_name(green__sse2_load(s)) & ((1u << n) - 1)) == 0;
        return green__http1_scan_name(base, s, name_end) == name_end;
}

static inline struct green__http1_seen
green__http1_look(const uint8_t *s)
{
        __m128i a = green__sse2_load(s), b = green__sse2_load(s + 16);
        __m128i c = green__sse2_load(s + 32), d = green__sse2_load(s + 48);
        struct green__http1_seen seen;

        seen.control = (uint64_t)green__sse2_control(a) | (uint64_t)green__sse2_control(b) << 16 |
                       (uint64_t)green__sse2_control(c) << 32 | (uint64_t)green__sse2_control(d) << 48;
        seen.colon = (uint64_t)green__sse2_colon(a) | (uint64_t)green__sse2_colon(b) << 16 |
                     (uint64_t)green__sse2_colon(c) << 32 | (uint64_t)green__sse2_colon(d) << 48;
        return seen;
}

static inline struct green__http1_seen
green__http1_look_short(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        struct green__http1_seen seen = {~(uint64_t)0 << (end - s), 0};
        unsigned at = 0;

        for (; end - s >= 16; s += 16, at += 16) {
                __m128i x = green__sse2_load(s);
                seen.control |= (uint64_t)green__sse2_control(x) << at;
                seen.colon |= (uint64_t)green__sse2_colon(x) << at;
        }
        if (s != end && end - base >= 16) {
                __m128i x = green__sse2_load(end - 16);
                unsigned before = 16 - (unsigned)(end - s);
                seen.control |= (uint64_t)(green__sse2_control(x) >> before) << at;
                seen.colon |= (uint64_t)(green__sse2_colon(x) >> before) << at;
                return seen;
        }
        for (; s != end; s++, at++) {
                seen.control |= (uint64_t)(*s < 0x20 || *s == 0x7f) << at;
                seen.colon |= (uint64_t)(*s == ':') << at;
        }
        return seen;
}

#endif
