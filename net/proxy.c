/*
 * The headers of the PROXY protocol, as bytes. See <green/proxy.h>.
 */
#include <config.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <green/error.h>
#include <green/proxy.h>

#include "check.h"
#include "inet.h"

enum {
        LINE_MOST = 107, /* of version 1, its CR LF too */
        FIXED_PART = 16,      /* what each header of version 2 has */
        UNIX_PATH = 108, /* in version 2, on every system */
        TLV_CRC32C = 0x03,
        TLV_SSL = 0x20,
        CLIENT_SSL = 0x01, /* in the first byte of TLV_SSL */
};

static const unsigned char signature[12] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

static ssize_t
bad(const char *why)
{
        return green_set_error(-EPROTO, "PROXY protocol: %s", why);
}

/* ---- addresses */

static void
make_v4(struct green_addr *addr, const unsigned char ip[4], unsigned port)
{
        struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

        memcpy(&sin.sin_addr, ip, 4);
        *addr = (struct green_addr){.size = sizeof sin};
        memcpy(&addr->data, &sin, sizeof sin);
}

static void
make_v6(struct green_addr *addr, const unsigned char ip[16], unsigned port)
{
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

        memcpy(&sin6.sin6_addr, ip, 16);
        *addr = (struct green_addr){.size = sizeof sin6};
        memcpy(&addr->data, &sin6, sizeof sin6);
}

/* A path, ended by NUL where there is room; an abstract name, which begins with one; or nothing. */
static void
make_unix(struct green_addr *addr, const unsigned char path[UNIX_PATH])
{
        struct sockaddr_un sun = {.sun_family = AF_UNIX};
        size_t len = UNIX_PATH, most = sizeof sun.sun_path;

        while (len > 0 && path[len - 1] == 0)
                len--;
        if (len > 0 && path[0] != 0)
                len = strnlen((const char *)path, len);
        if (len > most)
                len = most;
        memcpy(sun.sun_path, path, len);
        /* The NUL of a path counts. */
        if (len > 0 && len < most && path[0] != 0)
                len++;
        *addr = (struct green_addr){.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)};
        memcpy(&addr->data, &sun, sizeof sun);
}

/* ---- version 1 */

/* A number up to most, without a zero in front. Returns what stands behind it; NULL: it is none. */
static const char *
read_number(const char *at, const char *end, unsigned most, unsigned *ret_n)
{
        const char *begin = at;
        unsigned n = 0;

        for (; at < end && *at >= '0' && *at <= '9'; at++) {
                n = n * 10 + (unsigned)(*at - '0');
                if (n > most || (at > begin && *begin == '0'))
                        return NULL;
        }
        *ret_n = n;
        return at > begin ? at : NULL;
}

static bool
read_v4(const char *at, const char *end, unsigned char ip[4])
{
        for (int i = 0; i < 4; i++) {
                unsigned n;

                at = read_number(at, end, 255, &n);
                if (at == NULL || (i < 3 && (at == end || *at++ != '.')))
                        return false;
                ip[i] = (unsigned char)n;
        }
        return at == end;
}

static bool
read_v6(const char *at, const char *end, unsigned char ip[16])
{
        char text[INET6_ADDRSTRLEN];
        size_t len = (size_t)(end - at);

        if (len >= sizeof text || memchr(at, '\0', len) != NULL)
                return false;
        memcpy(text, at, len);
        text[len] = '\0';
        return inet_pton(AF_INET6, text, ip) == 1;
}

/* What stands up to the next space, or the end for the last one. */
static bool
next_word(const char **at, const char *end, bool last, const char **ret_begin, const char **ret_end)
{
        const char *space = memchr(*at, ' ', (size_t)(end - *at));

        if (last != (space == NULL))
                return false;
        *ret_begin = *at;
        *ret_end = last ? end : space;
        *at = last ? end : space + 1;
        return true;
}

/* " SOURCE DESTINATION PORT PORT" */
static bool
read_addresses(const char *at, const char *end, bool v6, struct green_proxy_info *info)
{
        unsigned char ip[2][16];
        unsigned port[2];

        for (int i = 0; i < 4; i++) {
                const char *word, *stop;

                if (!next_word(&at, end, i == 3, &word, &stop))
                        return false;
                if (i < 2 ? !(v6 ? read_v6(word, stop, ip[i]) : read_v4(word, stop, ip[i]))
                          : read_number(word, stop, 65535, &port[i - 2]) != stop)
                        return false;
        }
        for (int i = 0; i < 2; i++) {
                struct green_addr *addr = i == 0 ? &info->source : &info->destination;

                if (v6)
                        make_v6(addr, ip[i], port[i]);
                else
                        make_v4(addr, ip[i], port[i]);
        }
        info->type = SOCK_STREAM;
        return true;
}

static bool
starts(const char *at, const char *end, const char *with)
{
        size_t len = strlen(with);

        return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}

/* A line without its CR LF. */
static ssize_t
read_line(const char *at, const char *end, struct green_proxy_info *info)
{
        info->version = 1;
        at += strlen("PROXY ");
        if (starts(at, end, "UNKNOWN") && (end - at == 7 || at[7] == ' ')) {
                info->local = true;
                return 0;
        }
        if (!starts(at, end, "TCP4 ") && !starts(at, end, "TCP6 "))
                return bad("neither TCP4 nor TCP6 nor UNKNOWN");
        if (!read_addresses(at + 5, end, at[3] == '6', info))
                return bad("no two addresses and ports");
        return 0;
}

static ssize_t
parse_v1(const char *data, size_t len, struct green_proxy_info *info)
{
        size_t most = len < LINE_MOST ? len : LINE_MOST;
        const char *cr = memchr(data, '\r', most), *lf = memchr(data, '\n', most);

        if (lf != NULL && (cr == NULL || lf != cr + 1))
                return bad("a line that does not end with CR LF");
        if (cr != NULL && lf == NULL && cr + 1 < data + most)
                return bad("a line that does not end with CR LF");
        if (lf == NULL)
                return len >= LINE_MOST ? bad("a line that is too long") : -EAGAIN;
        if (read_line(data, cr, info) != 0)
                return -EPROTO;
        return lf + 1 - data;
}

/* ---- version 2 */

/* CRC-32C (Castagnoli), going on from crc. */
static uint32_t
crc32c(uint32_t crc, const unsigned char *data, size_t len)
{
        while (len-- > 0) {
                crc ^= *data++;
                for (int i = 0; i < 8; i++)
                        crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
        }
        return crc;
}

/* That of a header, in which four bytes, at `at`, count as zeros. */
static uint32_t
checksum(const unsigned char *data, size_t len, size_t at)
{
        static const unsigned char zeros[4];
        uint32_t crc = crc32c(0xffffffffu, data, at);

        crc = crc32c(crc, zeros, sizeof zeros);
        return ~crc32c(crc, data + at + 4, len - at - 4);
}

static uint32_t
number32(const unsigned char *at)
{
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static size_t
number16(const unsigned char *at)
{
        return (size_t)at[0] << 8 | at[1];
}

/* The extensions, from `at` to the end of a header. */
static ssize_t
read_tlvs(const unsigned char *data, size_t at, size_t end, struct green_proxy_info *info)
{
        while (at < end) {
                size_t len;

                if (end - at < 3)
                        return bad("an extension that is cut");
                len = number16(data + at + 1);
                if (end - at - 3 < len)
                        return bad("an extension that is longer than the header");
                switch (data[at]) {
                case TLV_CRC32C:
                        if (len != 4 || number32(data + at + 3) != checksum(data, end, at + 3))
                                return bad("a wrong checksum");
                        break;
                case TLV_SSL:
                        if (len < 5)
                                return bad("an extension of TLS that is too short");
                        info->tls = (data[at + 3] & CLIENT_SSL) != 0;
                        break;
                default: break;
                }
                at += 3 + len;
        }
        return 0;
}

/* Bytes of both addresses, by family. */
static size_t
size_of_addresses(unsigned family)
{
        static const size_t sizes[] = {0, 12, 36, 2 * UNIX_PATH};

        return sizes[family];
}

static void
take_addresses(const unsigned char *at, unsigned family, struct green_proxy_info *info)
{
        switch (family) {
        case 1:
                make_v4(&info->source, at, (unsigned)number16(at + 8));
                make_v4(&info->destination, at + 4, (unsigned)number16(at + 10));
                break;
        case 2:
                make_v6(&info->source, at, (unsigned)number16(at + 32));
                make_v6(&info->destination, at + 16, (unsigned)number16(at + 34));
                break;
        default:
                make_unix(&info->source, at);
                make_unix(&info->destination, at + UNIX_PATH);
                break;
        }
}

/* A whole header, which is no LOCAL one. */
static ssize_t
read_block(const unsigned char *data, size_t size, struct green_proxy_info *info)
{
        unsigned family = data[13] >> 4, type = data[13] & 15;
        size_t addresses;

        if (family > 3 || type > 2)
                return bad("an unknown family or type");
        addresses = size_of_addresses(family);
        if (size - FIXED_PART < addresses)
                return bad("too short for its addresses");
        if (family == 0 || type == 0) {
                info->local = true;
        } else {
                info->type = type == 1 ? SOCK_STREAM : SOCK_DGRAM;
                take_addresses(data + FIXED_PART, family, info);
        }
        return read_tlvs(data, FIXED_PART + addresses, size, info);
}

static ssize_t
parse_v2(const unsigned char *data, size_t len, struct green_proxy_info *info)
{
        size_t size;

        if (len > 12 && data[12] >> 4 != 2)
                return bad("an unknown version");
        if (len > 12 && (data[12] & 15) > 1)
                return bad("an unknown command");
        if (len < FIXED_PART)
                return -EAGAIN;
        size = FIXED_PART + number16(data + 14);
        if (size > GREEN_PROXY_HEADER_MAX)
                return bad("a header that is too long");
        if (len < size)
                return -EAGAIN;
        info->version = 2;
        /* Of LOCAL nothing else counts. */
        if ((data[12] & 15) == 0)
                info->local = true;
        else if (read_block(data, size, info) != 0)
                return -EPROTO;
        return (ssize_t)size;
}

ssize_t
green_proxy_parse(const void *data, size_t len, struct green_proxy_info *ret_info)
{
        static const char word[] = "PROXY ";
        struct green_proxy_info info = {.version = 0};
        size_t first = len < sizeof word - 1 ? len : sizeof word - 1;
        size_t most = len < sizeof signature ? len : sizeof signature;
        ssize_t n;

        if ((data == NULL && len > 0) || ret_info == NULL)
                return -EINVAL;
        if (len == 0)
                return -EAGAIN;
        if (memcmp(data, word, first) == 0)
                n = first < sizeof word - 1 ? -EAGAIN : parse_v1(data, len, &info);
        else if (memcmp(data, signature, most) == 0)
                n = most < sizeof signature ? -EAGAIN : parse_v2(data, len, &info);
        else
                n = bad("there is no header");
        if (n > 0)
                *ret_info = info;
        return n;
}
