/*
 * Host and port, as they stand in Host and in request targets (RFC 3986 3.2.2, 3.2.3).
 */
#include "http1_fields_priv.h"
#include "http1_scan_priv.h"

/* IPv4address: four numbers up to 255, without leading zeros. */
static bool
ipv4(const uint8_t *s, const uint8_t *end)
{
        for (int i = 0; i < 4; i++) {
                unsigned value = 0;
                const uint8_t *begin = s;
                if (i > 0 && (s == end || *s++ != '.'))
                        return false;
                begin = s;
                while (s != end && s - begin < 3 && green__http1_is(*s, GREEN__CHAR_DIGIT))
                        value = value * 10 + (*s++ - (unsigned)'0');
                if (s == begin || value > 255 || (*begin == '0' && s - begin > 1))
                        return false;
        }
        return s == end;
}

/* IPv6address: eight groups, or fewer around one "::"; the last two may be an IPv4address. */
static bool
ipv6(const uint8_t *s, const uint8_t *end)
{
        int groups = 0;
        bool gap = false;

        if (end - s >= 2 && s[0] == ':' && s[1] == ':') {
                gap = true;
                s += 2;
        }
        while (s != end) {
                const uint8_t *begin = s;
                while (s != end && s - begin < 4 && green__http1_is(*s, GREEN__CHAR_HEX))
                        s++;
                if (s != end && *s == '.')
                        return ipv4(begin, end) && (gap ? groups <= 5 : groups == 6);
                if (s == begin || ++groups > 8)
                        return false;
                if (s == end)
                        break;
                if (*s++ != ':' || s == end)
                        return false;
                if (*s == ':') {
                        if (gap)
                                return false;
                        gap = true;
                        s++;
                }
        }
        return gap ? groups <= 7 : groups == 8;
}

/* IPvFuture: "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool
ipvfuture(const uint8_t *s, const uint8_t *end)
{
        const uint8_t *begin = ++s;

        while (s != end && green__http1_is(*s, GREEN__CHAR_HEX))
                s++;
        if (s == begin || s == end || *s++ != '.' || s == end)
                return false;
        while (s != end && (*s == ':' || green__http1_is(*s, GREEN__CHAR_HOST)))
                s++;
        return s == end;
}

/* The end of the host that begins at s, NULL if there is none. */
static const uint8_t *
host_end(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        if (s == end)
                return NULL;
        if (*s == '[') {
                const uint8_t *begin = ++s;
                while (s != end && *s != ']')
                        s++;
                if (s == end || s == begin)
                        return NULL;
                return ((*begin | 0x20) == 'v' ? ipvfuture(begin, s) : ipv6(begin, s)) ? s + 1 : NULL;
        }
        s = green__http1_scan_host(base, s, end);
        while (s != end && *s != ':') {
                if (*s == '%') {
                        if (end - s < 3 || !green__http1_is(s[1], GREEN__CHAR_HEX) ||
                            !green__http1_is(s[2], GREEN__CHAR_HEX))
                                return NULL;
                        s += 3;
                } else if (green__http1_is(*s, GREEN__CHAR_HOST)) {
                        s++;
                } else {
                        return NULL;
                }
        }
        return s;
}

bool
green__http1_authority(const uint8_t *base, const uint8_t *s, size_t n, size_t *ret_host_len, int32_t *ret_port)
{
        const uint8_t *end = s + n, *colon = host_end(base, s, end);
        int32_t port = -1;

        if (colon == NULL || colon == s)
                return false;
        if (colon != end) {
                if (*colon != ':')
                        return false;
                for (const uint8_t *p = colon + 1; p != end; p++) {
                        if (!green__http1_is(*p, GREEN__CHAR_DIGIT))
                                return false;
                        port = (port < 0 ? 0 : port * 10) + (*p - '0');
                        if (port > 65535)
                                return false;
                }
        }
        *ret_host_len = (size_t)(colon - s);
        *ret_port = port;
        return true;
}
