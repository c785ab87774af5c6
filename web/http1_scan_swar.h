/*
 * Scanning without vectors: eight bytes in a register where that helps, else the table. See http1_scan_priv.h.
 */
#ifndef GREEN_HTTP1_SCAN_SWAR_H
#define GREEN_HTTP1_SCAN_SWAR_H

static inline const uint8_t *
green__http1_scan_name(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        (void)base;
        while (s != end && ((uint8_t)((*s | 0x20) - 'a') < 26 || green__http1_is(*s, GREEN__CHAR_DIGIT) || *s == '-'))
                s++;
        return s;
}

static inline const uint8_t *
green__http1_scan_host(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        while ((s = green__http1_scan_name(base, s, end)) != end && *s == '.')
                s++;
        return s;
}

static inline const uint8_t *
green__http1_scan_value(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        (void)base;
        while (s != end && *s >= 0x20 && *s != 0x7f)
                s++;
        return s;
}

static inline const uint8_t *
green__http1_scan_target(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        const unsigned plain = GREEN__CHAR_PATH | GREEN__CHAR_URI;

        (void)base;
        while (s != end && (green__http1_char[*s] & plain) == plain)
                s++;
        return s;
}

static inline bool
green__http1_is_name(const uint8_t *base, const uint8_t *s, const uint8_t *name_end, const uint8_t *end)
{
        (void)end;
        return green__http1_scan_name(base, s, name_end) == name_end;
}

/* A byte in all eight. */
static inline uint64_t
green__swar_all(uint8_t byte)
{
        return 0x0101010101010101u * byte;
}

/* The high bits of eight bytes, gathered: the lowest is that of the first byte in memory. */
static inline uint64_t
green__swar_gather(uint64_t high)
{
        return ((high >> 7) * 0x0102040810204080u) >> 56;
}

/* High bits say which bytes are zero: all of them, and no others. */
static inline uint64_t
green__swar_zeros(uint64_t x)
{
        const uint64_t low = green__swar_all(0x7f);

        return ~(((x & low) + low) | x | low);
}

static inline struct green__http1_seen
green__http1_look(const uint8_t *s)
{
        struct green__http1_seen seen = {0, 0};

        for (unsigned at = 0; at < 64; at += 8) {
                uint64_t x;
                memcpy(&x, s + at, sizeof x);
                if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
                        x = __builtin_bswap64(x);
                /* Neither the high bit nor a carry into it from 0x20 on: below 0x20. */
                uint64_t below = ~(((x & green__swar_all(0x7f)) + green__swar_all(0x60)) | x) & green__swar_all(0x80);
                uint64_t control = below | green__swar_zeros(x ^ green__swar_all(0x7f));
                seen.control |= green__swar_gather(control) << at;
                seen.colon |= green__swar_gather(green__swar_zeros(x ^ green__swar_all(':'))) << at;
        }
        return seen;
}

static inline struct green__http1_seen
green__http1_look_short(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        struct green__http1_seen seen = {~(uint64_t)0 << (end - s), 0};

        (void)base;
        for (unsigned at = 0; s != end; s++, at++) {
                seen.control |= (uint64_t)(*s < 0x20 || *s == 0x7f) << at;
                seen.colon |= (uint64_t)(*s == ':') << at;
        }
        return seen;
}

#endif
