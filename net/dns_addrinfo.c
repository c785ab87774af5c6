/*
 * getaddrinfo(): flags, services and kinds of sockets around a lookup. See <green/dns.h>.
 */
#include "dns_priv.h"
#include "inet.h"


#include <green/thread.h>

#if !defined(AI_V4MAPPED)
#define AI_V4MAPPED 0
#define AI_ALL 0
#endif
#if !defined(AI_IDN)
#define AI_IDN 0
#define AI_CANONIDN 0
#endif

/* Names are always converted; the two of IDN change nothing. */
#define KNOWN_FLAGS                                                                                                    \
        (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_IDN | \
         AI_CANONIDN)

/* A kind of socket, with a port. */
struct kind {
        int type, protocol, port;
};

enum { MAX_KINDS = 8 };

struct kinds {
        struct kind kind[MAX_KINDS];
        size_t n;
};

static const struct kind all_kinds[] = {{SOCK_STREAM, IPPROTO_TCP, 0}, {SOCK_DGRAM, IPPROTO_UDP, 0}, {SOCK_RAW, 0, 0}};

/* An answer, in its place in the list's block. */
struct node {
        struct addrinfo info;
        union {
                struct sockaddr_in sin;
                struct sockaddr_in6 sin6;
        } addr;
};

static int
check_hints(const char *host, const char *service, const struct addrinfo *h)
{
        if (host == NULL && service == NULL)
                return green_set_error(GREEN_EAI_NONAME, "green_dns_getaddrinfo: neither a host nor a service");
        if ((h->ai_flags & ~KNOWN_FLAGS) != 0 || ((h->ai_flags & AI_CANONNAME) != 0 && host == NULL))
                return green_set_error(GREEN_EAI_BADFLAGS, "green_dns_getaddrinfo: flags 0x%x", (unsigned)h->ai_flags);
        if (h->ai_family != AF_UNSPEC && h->ai_family != AF_INET && h->ai_family != AF_INET6)
                return green_set_error(GREEN_EAI_FAMILY, "green_dns_getaddrinfo: address family %d", h->ai_family);
        return 0;
}

/* The kinds that the hints leave. */
static int
take_kinds(const struct addrinfo *h, int port, struct kinds *kinds)
{
        for (size_t i = 0; i < sizeof all_kinds / sizeof all_kinds[0]; i++) {
                struct kind kind = all_kinds[i];

                if (h->ai_socktype != 0 && h->ai_socktype != kind.type)
                        continue;
                if (kind.protocol == 0)
                        kind.protocol = h->ai_protocol;
                else if (h->ai_protocol != 0 && h->ai_protocol != kind.protocol)
                        continue;
                /* Without a type a protocol that has one of its own is not meant raw. */
                if (kind.type == SOCK_RAW && h->ai_socktype == 0 && kinds->n > 0 && h->ai_protocol != 0)
                        continue;
                kind.port = port;
                kinds->kind[kinds->n++] = kind;
        }
        if (kinds->n > 0)
                return 0;
        return green_set_error(GREEN_EAI_SOCKTYPE, "green_dns_getaddrinfo: no socket of type %d has protocol %d",
                               h->ai_socktype, h->ai_protocol);
}

/* A number of at most 65535 ("" is 0, as elsewhere); -1: it is another one; -2: it is none. */
static int
read_port(const char *text)
{
        int port = 0;

        for (const char *p = text; *p != '\0'; p++)
                if (*p < '0' || *p > '9')
                        return -2;
        for (; *text != '\0'; text++) {
                port = port * 10 + (*text - '0');
                if (port > 65535)
                        return -1;
        }
        return port;
}

/*
 * A port that the system has found. Windows says of which kinds of sockets it is where it was asked for one, and leaves
 * out the protocol: then it is of those that there are for ports and that the hints leave.
 */
static void
add_kinds(const struct addrinfo *h, const struct addrinfo *found, int port, struct kinds *kinds)
{
        if (found->ai_socktype != 0 && found->ai_protocol != 0 && kinds->n < MAX_KINDS)
                kinds->kind[kinds->n++] = (struct kind){found->ai_socktype, found->ai_protocol, port};
        if (found->ai_socktype != 0 && found->ai_protocol != 0)
                return;
        for (size_t i = 0; i < sizeof all_kinds / sizeof all_kinds[0] && kinds->n < MAX_KINDS; i++) {
                struct kind kind = all_kinds[i];

                kind.port = port;
                if (kind.protocol != 0 && (found->ai_socktype == 0 || found->ai_socktype == kind.type) &&
                    (h->ai_socktype == 0 || h->ai_socktype == kind.type) &&
                    (h->ai_protocol == 0 || h->ai_protocol == kind.protocol))
                        kinds->kind[kinds->n++] = kind;
        }
}

static int
port_of(const struct addrinfo *info)
{
        struct green_addr addr;

        return green_addr_from_sockaddr(info->ai_addr, info->ai_addrlen, &addr) == 0 ? green_addr_port(&addr) : 0;
}

/* A service's name: the system knows in which files or databases it is, and may block there. */
static int
ask_service(const char *service, const struct addrinfo *h, struct kinds *kinds)
{
        struct addrinfo hints = {.ai_family = AF_INET,
                                 .ai_socktype = h->ai_socktype,
                                 .ai_protocol = h->ai_protocol,
                                 .ai_flags = AI_PASSIVE};
        struct addrinfo *list;
        double lifetime;
        int rc;

        if (green_getcurrent() == NULL)
                return green_set_error(-EDEADLK, "\"%.100s\": a hub callback cannot wait for the port of a service",
                                       service);
        (void)green__dns_uses_system(&lifetime);
        rc = green__dns_system_service(service, &hints, lifetime, &list);
        if (rc == GREEN_EAI_NONAME || rc == GREEN_EAI_NODATA)
                rc = GREEN_EAI_SERVICE;
        if (rc != 0)
                return green__dns_failed(rc, service);
        for (const struct addrinfo *i = list; i != NULL; i = i->ai_next)
                add_kinds(h, i, port_of(i), kinds);
        freeaddrinfo(list);
        return kinds->n > 0 ? 0 : green__dns_failed(GREEN_EAI_SERVICE, service);
}

static int
find_kinds(const char *service, const struct addrinfo *h, struct kinds *kinds)
{
        int port = service != NULL ? read_port(service) : 0, rc;

        rc = take_kinds(h, port, kinds);
        if (rc != 0 || port >= 0)
                return rc;
        if (port == -1)
                return green__dns_failed(GREEN_EAI_SERVICE, service);
        if ((h->ai_flags & AI_NUMERICSERV) != 0)
                return green__dns_failed(GREEN_EAI_NONAME, service);
        kinds->n = 0;
        return ask_service(service, h, kinds);
}

/* ---- addresses */

/* No host: this machine. Who listens gets IPv4 first, as systems have it: not each of them has IPv6. */
static int
this_machine(const struct addrinfo *h, struct green__dns_found *found)
{
        static const unsigned char any[16], loopback4[4] = {127, 0, 0, 1}, loopback6[16] = {[15] = 1};
        bool passive = (h->ai_flags & AI_PASSIVE) != 0;

        memset(found, 0, sizeof *found);
        found->addrs = green_calloc(2, sizeof *found->addrs);
        if (found->addrs == NULL)
                return green_set_error(-ENOMEM, NULL);
        if (h->ai_family != AF_INET6)
                green__dns_addr(AF_INET, passive ? any : loopback4, &found->addrs[found->n++]);
        if (h->ai_family != AF_INET)
                green__dns_addr(AF_INET6, passive ? any : loopback6, &found->addrs[found->n++]);
        if (!passive)
                green__dns_sort(found->addrs, found->n);
        return 0;
}

/* IPv4 as ::ffff:a.b.c.d */
static void
map(struct green_addr *addr)
{
        unsigned char mapped[16] = {[10] = 0xff, [11] = 0xff};
        struct sockaddr_in sin;

        memcpy(&sin, &addr->data, sizeof sin);
        memcpy(mapped + 12, &sin.sin_addr, 4);
        green__dns_addr(AF_INET6, mapped, addr);
}

/* AI_V4MAPPED: IPv6, or where there is none, or all are wanted, IPv4 in its form. */
static void
map_found(struct green__dns_found *found, bool all)
{
        size_t n = 0, n6 = 0;

        for (size_t i = 0; i < found->n; i++)
                n6 += green_addr_family(&found->addrs[i]) == AF_INET6;
        for (size_t i = 0; i < found->n; i++) {
                bool is4 = green_addr_family(&found->addrs[i]) == AF_INET;

                if (is4 && n6 > 0 && !all)
                        continue;
                if (is4)
                        map(&found->addrs[i]);
                found->addrs[n++] = found->addrs[i];
        }
        found->n = n;
}

static int
find_addresses(const char *host, const struct addrinfo *h, struct green__dns_found *found)
{
        bool mapped = h->ai_family == AF_INET6 && (h->ai_flags & AI_V4MAPPED) != 0;
        struct green__dns_wanted wanted = {.family = mapped ? AF_UNSPEC : h->ai_family,
                                           .configured = (h->ai_flags & AI_ADDRCONFIG) != 0,
                                           .canonical = (h->ai_flags & AI_CANONNAME) != 0};
        struct green_addr addr;
        int rc;

        if (host == NULL)
                return this_machine(h, found);
        if ((h->ai_flags & AI_NUMERICHOST) != 0 && (host[0] == '\0' || green__dns_numeric(host, &addr) != 0))
                return green__dns_failed(GREEN_EAI_NONAME, host);
        rc = green__dns_lookup(host, &wanted, found);
        if (rc == 0 && mapped)
                map_found(found, (h->ai_flags & AI_ALL) != 0);
        return rc;
}

/* ---- the list */

static void
fill_node(struct node *node, const struct green_addr *addr, const struct kind *kind)
{
        struct green_addr with_port = *addr;

        green__dns_set_port(&with_port, kind->port);
        memcpy(&node->addr, &with_port.data, with_port.size);
        node->info.ai_family = green_addr_family(addr);
        node->info.ai_socktype = kind->type;
        node->info.ai_protocol = kind->protocol;
        node->info.ai_addr = (struct sockaddr *)&node->addr;
        node->info.ai_addrlen = addr->size;
}

/* In one block: freeing it is freeing the first. */
static struct addrinfo *
make_list(const struct green__dns_found *found, const struct kinds *kinds, const char *canonical, int flags)
{
        size_t n = found->n * kinds->n, len = canonical != NULL ? strlen(canonical) + 1 : 0;
        struct node *nodes = green_calloc(1, n * sizeof *nodes + len);

        if (nodes == NULL)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                fill_node(&nodes[i], &found->addrs[i / kinds->n], &kinds->kind[i % kinds->n]);
                nodes[i].info.ai_flags = flags;
                if (i > 0)
                        nodes[i - 1].info.ai_next = &nodes[i].info;
        }
        if (canonical != NULL)
                nodes[0].info.ai_canonname = memcpy(nodes + n, canonical, len);
        return &nodes[0].info;
}

int
green_dns_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret_list)
{
        static const struct addrinfo none;
        const struct addrinfo *h = hints != NULL ? hints : &none;
        struct green__dns_found found = {.n = 0};
        struct kinds kinds = {.n = 0};
        const char *canonical = NULL;
        struct addrinfo *list;
        int rc;

        if (ret_list == NULL)
                return green_set_error(-EINVAL, "green_dns_getaddrinfo: nowhere to put the answer");
        rc = check_hints(host, service, h);
        if (rc == 0)
                rc = green_checkpoint();
        if (rc == 0)
                rc = find_kinds(service, h, &kinds);
        if (rc == 0)
                rc = find_addresses(host, h, &found);
        if (rc != 0)
                return rc;
        if ((h->ai_flags & AI_CANONNAME) != 0)
                canonical = found.canonical[0] != '\0' ? found.canonical : host;
        list = make_list(&found, &kinds, canonical, h->ai_flags);
        green__dns_found_free(&found);
        if (list == NULL)
                return green_set_error(-ENOMEM, NULL);
        *ret_list = list;
        return 0;
}

void
green_dns_freeaddrinfo(struct addrinfo *list)
{
        green_free(list);
}
