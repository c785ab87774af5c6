/*
 * Making headers of the PROXY protocol. See <green/proxy.h>.
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

enum { FIXED_PART = 16, UNIX_PATH = 108, HEADER_MOST = FIXED_PART + 2 * UNIX_PATH };

/* ---- version 1 */

static int
make_line(const struct green_proxy_info *info, int family, char *line, size_t size)
{
        char ip[2][INET6_ADDRSTRLEN];

        for (int i = 0; i < 2; i++) {
                const struct green_addr *addr = i == 0 ? &info->source : &info->destination;
                struct sockaddr_in sin;
                struct sockaddr_in6 sin6;

                memcpy(&sin, &addr->data, sizeof sin);
                memcpy(&sin6, &addr->data, sizeof sin6);
                if (inet_ntop(family, family == AF_INET ? (const void *)&sin.sin_addr : &sin6.sin6_addr, ip[i],
                              sizeof ip[i]) == NULL)
                        return -EINVAL;
        }
        return snprintf(line, size, "PROXY TCP%c %s %s %d %d\r\n", family == AF_INET ? '4' : '6', ip[0], ip[1],
                        green_addr_port(&info->source), green_addr_port(&info->destination));
}

static int
format_v1(const struct green_proxy_info *info, int family, unsigned char *header)
{
        if (info->local || info->type == SOCK_DGRAM || (family != AF_INET && family != AF_INET6))
                return snprintf((char *)header, HEADER_MOST, "PROXY UNKNOWN\r\n");
        return make_line(info, family, (char *)header, HEADER_MOST);
}

/* ---- version 2 */

static void
put_port(unsigned char *at, const struct green_addr *addr)
{
        int port = green_addr_port(addr);

        at[0] = (unsigned char)(port >> 8);
        at[1] = (unsigned char)port;
}

static void
put_unix(unsigned char *at, const struct green_addr *addr)
{
        size_t offset = offsetof(struct sockaddr_un, sun_path), len = (size_t)addr->size;

        len = len > offset ? len - offset : 0;
        memcpy(at, (const char *)&addr->data + offset, len < UNIX_PATH ? len : UNIX_PATH);
}

/* Behind the fixed part, which is zero. Returns the bytes of the addresses. */
static size_t
put_addresses(unsigned char *at, int family, const struct green_addr *source, const struct green_addr *destination)
{
        const struct green_addr *addrs[2] = {source, destination};
        size_t len = family == AF_INET ? 4 : family == AF_INET6 ? 16 : UNIX_PATH;

        for (size_t i = 0; i < 2; i++) {
                struct sockaddr_in sin;
                struct sockaddr_in6 sin6;

                if (family == AF_UNIX) {
                        put_unix(at + i * len, addrs[i]);
                        continue;
                }
                memcpy(&sin, &addrs[i]->data, sizeof sin);
                memcpy(&sin6, &addrs[i]->data, sizeof sin6);
                memcpy(at + i * len, family == AF_INET ? (const void *)&sin.sin_addr : &sin6.sin6_addr, len);
                put_port(at + 2 * len + 2 * i, addrs[i]);
        }
        return 2 * len + (family == AF_UNIX ? 0 : 4);
}

static int
format_v2(const struct green_proxy_info *info, int family, unsigned char *header)
{
        static const char begin[] = "\r\n\r\n\0\r\nQUIT\n";
        unsigned number = family == AF_INET ? 1 : family == AF_INET6 ? 2 : family == AF_UNIX ? 3 : 0;
        size_t len = 0;

        memset(header, 0, HEADER_MOST);
        memcpy(header, begin, 12);
        header[12] = info->local ? 0x20 : 0x21;
        if (!info->local && number != 0) {
                header[13] = (unsigned char)(number << 4 | (info->type == SOCK_DGRAM ? 2 : 1));
                len = put_addresses(header + FIXED_PART, family, &info->source, &info->destination);
        }
        header[15] = (unsigned char)len;
        return (int)(FIXED_PART + len);
}

ssize_t
green_proxy_format(const struct green_proxy_info *info, void *data, size_t size)
{
        unsigned char header[HEADER_MOST];
        int family, n;

        if (info == NULL || data == NULL || (info->version != 1 && info->version != 2))
                return -EINVAL;
        family = info->local ? AF_UNSPEC : green_addr_family(&info->source);
        if (!info->local && green_addr_family(&info->destination) != family)
                return -EINVAL;
        n = info->version == 1 ? format_v1(info, family, header) : format_v2(info, family, header);
        if (n < 0)
                return n;
        if ((size_t)n > size)
                return -ENOBUFS;
        memcpy(data, header, (size_t)n);
        return n;
}
