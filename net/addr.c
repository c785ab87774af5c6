/*
 * Addresses as values. See <green/addr.h>.
 */
#include <config.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <green/addr.h>
#include <green/error.h>

#include "addr_priv.h"
#include "check.h"
#include "inet.h"

#define UNIX_PREFIX "unix:"
#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

_Static_assert(sizeof(struct sockaddr_un) <= sizeof(struct sockaddr_storage), "every address fits");

/* Pieces of the data, copied out and in: the storage is of another type. */
static void
store(struct green_addr *addr, const void *sa, size_t size)
{
        *addr = (struct green_addr){.size = (socklen_t)size};
        memcpy(&addr->data, sa, size);
}

static void
load(const struct green_addr *addr, void *sa, size_t size)
{
        memset(sa, 0, size);
        memcpy(sa, &addr->data, (size_t)addr->size < size ? (size_t)addr->size : size);
}

/* "80" as a port, or -1. */
static int
read_port(const char *text)
{
        int port = 0;

        if (*text == '\0')
                return -1;
        for (; *text != '\0'; text++) {
                if (*text < '0' || *text > '9')
                        return -1;
                port = port * 10 + (*text - '0');
                if (port > 65535)
                        return -1;
        }
        return port;
}

static int
bad_port(const char *text)
{
        return green_set_error(-EINVAL, "\"%.200s\": the port must be a number from 0 to 65535", text);
}

static int
parse_unix(const char *text, struct green_addr *ret_addr)
{
        const char *path = text + strlen(UNIX_PREFIX);
        size_t len = strlen(path);
        struct sockaddr_un sun = {.sun_family = AF_UNIX};

        if (len == 0)
                return green_set_error(-EINVAL, "\"%.200s\": the path is missing", text);
        /* A path keeps its NUL; an abstract name has none, but starts with one: its '@'. */
        if (len > sizeof sun.sun_path - (path[0] != '@'))
                return green_set_error(-ENAMETOOLONG, "\"%.200s\": a Unix path has at most %zu bytes", text,
                                       sizeof sun.sun_path - 1);
        memcpy(sun.sun_path, path, len);
        if (path[0] == '@')
                sun.sun_path[0] = '\0';
        store(ret_addr, &sun, PATH_OFFSET + len + (path[0] != '@'));
        return 0;
}

/* The scope of "fe80::1%eth0", by name or number. */
static int
read_scope(const char *scope, unsigned *ret_id)
{
        unsigned id = if_nametoindex(scope);
        size_t digits = strspn(scope, "0123456789");

        if (id == 0 && digits > 0 && digits <= 9 && scope[digits] == '\0')
                for (const char *p = scope; *p != '\0'; p++)
                        id = id * 10 + (unsigned)(*p - '0');
        if (id == 0)
                return -ENODEV;
        *ret_id = id;
        return 0;
}

/* "[host]:port" or "[host%scope]:port" */
static int
parse_ip6(const char *text, struct green_addr *ret_addr)
{
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
        char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
        const char *end = strchr(text, ']');
        char *scope;
        size_t len;
        int port;

        if (end == NULL)
                return green_set_error(-EINVAL, "\"%.200s\": the ] is missing", text);
        if (end[1] != ':')
                return green_set_error(-EINVAL, "\"%.200s\": there is no port after the ]", text);
        port = read_port(end + 2);
        if (port < 0)
                return bad_port(text);
        len = (size_t)(end - text) - 1;
        if (len >= sizeof host)
                return green_set_error(-EINVAL, "\"%.200s\": this is no IPv6 address", text);
        memcpy(host, text + 1, len);
        host[len] = '\0';
        scope = strchr(host, '%');
        if (scope != NULL)
                *scope++ = '\0';
        if (inet_pton(AF_INET6, host, &sin6.sin6_addr) != 1)
                return green_set_error(-EINVAL, "\"%.200s\": this is no IPv6 address", text);
        if (scope != NULL) {
                unsigned id = 0;

                if (read_scope(scope, &id) != 0)
                        return green_set_error(-ENODEV, "\"%.200s\": there is no interface \"%s\"", text, scope);
                sin6.sin6_scope_id = id;
        }
        sin6.sin6_port = htons((uint16_t)port);
        store(ret_addr, &sin6, sizeof sin6);
        return 0;
}

/* "host:port" or ":port" */
static int
parse_ip4(const char *text, struct green_addr *ret_addr)
{
        struct sockaddr_in sin = {.sin_family = AF_INET};
        const char *colon = strrchr(text, ':');
        char host[INET_ADDRSTRLEN];
        size_t len;
        int port;

        if (colon == NULL)
                return green_set_error(-EINVAL, "\"%.200s\": there is no port: write \"127.0.0.1:80\" or \":80\"", text);
        len = (size_t)(colon - text);
        if (memchr(text, ':', len) != NULL)
                return green_set_error(-EINVAL, "\"%.200s\": an IPv6 address stands in brackets: [::1]:80", text);
        port = read_port(colon + 1);
        if (port < 0)
                return bad_port(text);
        sin.sin_addr.s_addr = htonl(INADDR_ANY);
        if (len > 0) {
                bool fits = len < sizeof host;

                if (fits) {
                        memcpy(host, text, len);
                        host[len] = '\0';
                }
                if (!fits || inet_pton(AF_INET, host, &sin.sin_addr) != 1)
                        return green_set_error(-EINVAL,
                                               "\"%.200s\": this is no numeric address; green_dns_resolve() looks names up",
                                               text);
        }
        sin.sin_port = htons((uint16_t)port);
        store(ret_addr, &sin, sizeof sin);
        return 0;
}

/* A last part of digits only, as in "127.1", is a number to some and a name to nobody. */
static bool
ends_in_number(const char *host, size_t len)
{
        size_t digits = 0;

        while (digits < len && host[len - 1 - digits] >= '0' && host[len - 1 - digits] <= '9')
                digits++;
        return digits > 0 && (digits == len || host[len - 1 - digits] == '.');
}

bool
green__addr_is_name(const char *text, char host[GREEN__HOST_SIZE], int *ret_port)
{
        const char *colon = text != NULL ? strchr(text, ':') : NULL;
        size_t len = colon != NULL ? (size_t)(colon - text) : 0;

        if (len == 0 || len >= GREEN__HOST_SIZE || text[0] == '[' || ends_in_number(text, len) ||
            strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
                return false;
        *ret_port = read_port(colon + 1);
        if (*ret_port < 0)
                return false;
        memcpy(host, text, len);
        host[len] = '\0';
        return true;
}

int
green_addr_parse(const char *text, struct green_addr *ret_addr)
{
        if (text == NULL || ret_addr == NULL)
                return green_set_error(-EINVAL, "no address was given");
        if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
                return parse_unix(text, ret_addr);
        if (text[0] == '[')
                return parse_ip6(text, ret_addr);
        return parse_ip4(text, ret_addr);
}

static int
format_unix(const struct green_addr *addr, char *text, size_t size)
{
        struct sockaddr_un sun;
        char path[sizeof sun.sun_path + 1];
        size_t len = (size_t)addr->size > PATH_OFFSET ? (size_t)addr->size - PATH_OFFSET : 0;

        load(addr, &sun, sizeof sun);
        if (len > sizeof sun.sun_path)
                len = sizeof sun.sun_path;
        memcpy(path, sun.sun_path, len);
        path[len] = '\0';
        if (len > 0 && path[0] == '\0') {
                for (size_t i = 0; i < len; i++)
                        if (path[i] == '\0')
                                path[i] = '@';
        }
        return snprintf(text, size, UNIX_PREFIX "%s", path);
}

static int
format_ip6(const struct green_addr *addr, char *text, size_t size)
{
        struct sockaddr_in6 sin6;
        char host[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1] = "";

        load(addr, &sin6, sizeof sin6);
        inet_ntop(AF_INET6, &sin6.sin6_addr, host, sizeof host);
        if (sin6.sin6_scope_id != 0) {
                scope[0] = '%';
                /* The interface may have gone since. */
                if (if_indextoname(sin6.sin6_scope_id, scope + 1) == NULL)
                        snprintf(scope + 1, sizeof scope - 1, "%u", (unsigned)sin6.sin6_scope_id);
        }
        return snprintf(text, size, "[%s%s]:%d", host, scope, ntohs(sin6.sin6_port));
}

int
green_addr_format(const struct green_addr *addr, char *text, size_t size)
{
        struct sockaddr_in sin;
        char host[INET_ADDRSTRLEN];

        switch (green_addr_family(addr)) {
        case AF_INET:
                load(addr, &sin, sizeof sin);
                inet_ntop(AF_INET, &sin.sin_addr, host, sizeof host);
                return snprintf(text, size, "%s:%d", host, ntohs(sin.sin_port));
        case AF_INET6:
                return format_ip6(addr, text, size);
        case AF_UNIX:
                return format_unix(addr, text, size);
        case AF_UNSPEC:
                return snprintf(text, size, "none");
        default:
                return snprintf(text, size, "family %d", green_addr_family(addr));
        }
}

int
green_addr_from_sockaddr(const struct sockaddr *sa, socklen_t size, struct green_addr *ret_addr)
{
        if (sa == NULL || ret_addr == NULL || (size_t)size > sizeof ret_addr->data ||
            (size_t)size < offsetof(struct sockaddr, sa_family) + sizeof sa->sa_family)
                return -EINVAL;
        store(ret_addr, sa, size);
        return 0;
}

int
green_addr_family(const struct green_addr *addr)
{
        return addr == NULL || addr->size == 0 ? AF_UNSPEC : addr->data.ss_family;
}

int
green_addr_port(const struct green_addr *addr)
{
        struct sockaddr_in sin;
        struct sockaddr_in6 sin6;

        switch (green_addr_family(addr)) {
        case AF_INET:
                load(addr, &sin, sizeof sin);
                return ntohs(sin.sin_port);
        case AF_INET6:
                load(addr, &sin6, sizeof sin6);
                return ntohs(sin6.sin6_port);
        default:
                return -EAFNOSUPPORT;
        }
}

static bool
equal_ip6(const struct green_addr *a, const struct green_addr *b)
{
        struct sockaddr_in6 x, y;

        load(a, &x, sizeof x);
        load(b, &y, sizeof y);
        return memcmp(&x.sin6_addr, &y.sin6_addr, sizeof x.sin6_addr) == 0 && x.sin6_port == y.sin6_port &&
               x.sin6_scope_id == y.sin6_scope_id;
}

/* A path may come with its NUL or without, as the system likes; an abstract name is all of its bytes. */
static bool
equal_unix(const struct green_addr *a, const struct green_addr *b)
{
        struct sockaddr_un x, y;

        load(a, &x, sizeof x);
        load(b, &y, sizeof y);
        if ((size_t)a->size > PATH_OFFSET && x.sun_path[0] == '\0' && a->size != b->size)
                return false;
        return memcmp(x.sun_path, y.sun_path, sizeof x.sun_path) == 0;
}

bool
green_addr_equal(const struct green_addr *a, const struct green_addr *b)
{
        struct sockaddr_in x, y;

        if (green_addr_family(a) != green_addr_family(b))
                return false;
        switch (green_addr_family(a)) {
        case AF_UNSPEC:
                return true;
        case AF_INET:
                load(a, &x, sizeof x);
                load(b, &y, sizeof y);
                return x.sin_addr.s_addr == y.sin_addr.s_addr && x.sin_port == y.sin_port;
        case AF_INET6:
                return equal_ip6(a, b);
        case AF_UNIX:
                return equal_unix(a, b);
        default:
                return a->size == b->size && memcmp(&a->data, &b->data, a->size) == 0;
        }
}
