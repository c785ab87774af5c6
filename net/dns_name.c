/*
 * Names of hosts: gethostbyname(), aliases, getnameinfo(). See <green/dns.h>.
 */
#include "dns_priv.h"
#include "inet.h"

#include <stdio.h>

#include <green/thread.h>

/* ---- a host by its name */

int
green_dns_gethostbyname(const char *name, struct green_addr *ret_addr)
{
        struct green__dns_wanted wanted = {.family = AF_INET};
        struct green__dns_found found;
        int rc;

        if (name == NULL || ret_addr == NULL)
                return green_set_error(-EINVAL, "green_dns_gethostbyname: an argument is NULL");
        rc = green_checkpoint();
        if (rc == 0)
                rc = green__dns_lookup(name, &wanted, &found);
        if (rc != 0)
                return rc;
        *ret_addr = found.addrs[0];
        green__dns_found_free(&found);
        return 0;
}

/* Behind the struct: addresses, pointers to aliases, texts. */
static struct green_dns_host *
make_host(const struct green__dns_found *found, const char *name)
{
        size_t addrs = found->n * sizeof(struct green_addr), pointers = (found->naliases + 1) * sizeof(char *);
        size_t len = strlen(name) + 1;
        char *block = green_malloc(sizeof(struct green_dns_host) + addrs + pointers + len + found->aliases_size), *text;
        struct green_dns_host *host = (struct green_dns_host *)(void *)block;
        const char **aliases;

        if (block == NULL)
                return NULL;
        memcpy(block + sizeof *host, found->addrs, addrs);
        aliases = (const char **)(void *)(block + sizeof *host + addrs);
        text = block + sizeof *host + addrs + pointers;
        *host = (struct green_dns_host){.name = memcpy(text, name, len),
                                        .aliases = aliases,
                                        .addrs = (const struct green_addr *)(void *)(block + sizeof *host),
                                        .n = found->n};
        text += len;
        if (found->aliases_size > 0)
                memcpy(text, found->aliases, found->aliases_size);
        for (size_t i = 0; i < found->naliases; i++) {
                aliases[i] = text;
                text += strlen(text) + 1;
        }
        aliases[found->naliases] = NULL;
        return host;
}

int
green_dns_gethostbyname_ex(const char *name, struct green_dns_host **ret_host)
{
        struct green__dns_wanted wanted = {.family = AF_INET, .canonical = true, .aliases = true};
        struct green__dns_found found;
        struct green_dns_host *host;
        int rc;

        if (name == NULL || ret_host == NULL)
                return green_set_error(-EINVAL, "green_dns_gethostbyname_ex: an argument is NULL");
        rc = green_checkpoint();
        if (rc == 0)
                rc = green__dns_lookup(name, &wanted, &found);
        if (rc != 0)
                return rc;
        host = make_host(&found, found.canonical[0] != '\0' ? found.canonical : name);
        green__dns_found_free(&found);
        if (host == NULL)
                return green_set_error(-ENOMEM, NULL);
        *ret_host = host;
        return 0;
}

/* ---- other names in the hosts file */

static bool
has_alias(const struct green__dns_found *found, const char *name)
{
        const char *text = found->aliases;

        for (size_t i = 0; i < found->naliases; i++, text += strlen(text) + 1)
                if (strcmp(text, name) == 0)
                        return true;
        return false;
}

static int
collect_aliases(const struct green__hosts *hosts, const char *name, struct green__dns_found *found)
{
        const struct green__hosts_line *line = NULL;
        int rc = 0;

        while (rc == 0 && (line = green__hosts_find(hosts, name, line)) != NULL) {
                for (size_t i = 0; rc == 0 && i < line->n; i++) {
                        const char *other = green__hosts_name(hosts, line, i);

                        if (strcmp(other, name) != 0 && !has_alias(found, other))
                                rc = green__dns_add_alias(found, other);
                }
        }
        return rc;
}

static int
give_aliases(const struct green__dns_found *found, const char *const **ret_aliases)
{
        size_t pointers = (found->naliases + 1) * sizeof(char *);
        char *block = green_malloc(pointers + found->aliases_size), *text;
        const char **aliases = (const char **)(void *)block;

        if (block == NULL)
                return -ENOMEM;
        text = block + pointers;
        if (found->aliases_size > 0)
                memcpy(text, found->aliases, found->aliases_size);
        for (size_t i = 0; i < found->naliases; i++) {
                aliases[i] = text;
                text += strlen(text) + 1;
        }
        aliases[found->naliases] = NULL;
        *ret_aliases = aliases;
        return (int)found->naliases;
}

int
green_dns_getaliases(const char *name, const char *const **ret_aliases)
{
        struct green__dns_found found = {.n = 0};
        const struct green__hosts *hosts;
        char clean[GREEN__NAME_SIZE];
        struct green__dns *dns;
        int rc;

        if (name == NULL || ret_aliases == NULL)
                return green_set_error(-EINVAL, "green_dns_getaliases: an argument is NULL");
        rc = green__dns_clean_name(name, clean, NULL);
        if (rc == 0)
                rc = green__dns_enter(&dns);
        if (rc != 0)
                return rc;
        rc = green__dns_hosts(dns, &hosts);
        if (rc == 0)
                rc = collect_aliases(hosts, clean, &found);
        green__dns_leave(dns);
        if (rc == 0)
                rc = give_aliases(&found, ret_aliases);
        green__dns_found_free(&found);
        return rc >= 0 ? rc : green_set_error(rc, NULL);
}

/* ---- a name by its address */

#define KNOWN_FLAGS (NI_NUMERICHOST | NI_NUMERICSERV | NI_NAMEREQD | NI_DGRAM | NI_NOFQDN)

static void
address_text(const struct green_addr *addr, char text[GREEN__WIRE_NAME_SIZE])
{
        char full[GREEN_ADDR_TEXT_SIZE], *end;
        bool is6 = green_addr_family(addr) == AF_INET6;

        green_addr_format(addr, full, sizeof full);
        end = is6 ? strrchr(full, ']') : strrchr(full, ':');
        if (end != NULL)
                *end = '\0';
        snprintf(text, GREEN__WIRE_NAME_SIZE, "%s", full + is6);
}

static const void *
bytes_of(const struct green_addr *addr, unsigned char bytes[16])
{
        struct sockaddr_in sin;
        struct sockaddr_in6 sin6;

        if (green_addr_family(addr) == AF_INET) {
                memcpy(&sin, &addr->data, sizeof sin);
                return memcpy(bytes, &sin.sin_addr, 4);
        }
        memcpy(&sin6, &addr->data, sizeof sin6);
        return memcpy(bytes, &sin6.sin6_addr, 16);
}

void
green__dns_reverse_name(const struct green_addr *addr, char name[GREEN__NAME_SIZE])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char b[16];
        char *out = name;

        (void)bytes_of(addr, b);
        if (green_addr_family(addr) == AF_INET) {
                snprintf(name, GREEN__NAME_SIZE, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
                return;
        }
        for (int i = 15; i >= 0; i--) {
                *out++ = digits[b[i] & 15];
                *out++ = '.';
                *out++ = digits[b[i] >> 4];
                *out++ = '.';
        }
        memcpy(out, "ip6.arpa", sizeof "ip6.arpa");
}

/* What a server says is a name may be anything: only what looks like a host's name is taken for one. */
static bool
is_host_name(const char *name)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

        return name[0] != '\0' && name[strspn(name, plain)] == '\0' && strlen(name) <= 253;
}

/* NI_NOFQDN: hosts of one's own domain go by their first part. */
static void
shorten(const struct green__dns *dns, char *name)
{
        size_t len = strlen(name), own = dns->conf.nsearch > 0 ? strlen(dns->conf.search[0]) : 0;

        if (own > 0 && len > own + 1 && name[len - own - 1] == '.' &&
            strcmp(name + len - own, dns->conf.search[0]) == 0)
                name[len - own - 1] = '\0';
}

static bool
is_loopback(const struct green_addr *addr)
{
        static const unsigned char loopback6[16] = {[15] = 1};
        unsigned char b[16];

        (void)bytes_of(addr, b);
        return green_addr_family(addr) == AF_INET ? b[0] == 127 : memcmp(b, loopback6, sizeof b) == 0;
}

/* The hosts file, then servers. GREEN_EAI_NONAME: it has no name. */
static int
find_name(struct green__dns *dns, const struct green_addr *addr, char name[GREEN__WIRE_NAME_SIZE])
{
        const struct green__hosts_line *line;
        const struct green__hosts *hosts;
        struct green__dns_entry *entry;
        char reverse[GREEN__NAME_SIZE];
        unsigned char bytes[16];
        int rc = green__dns_hosts(dns, &hosts);

        if (rc != 0)
                return rc;
        line = green__hosts_reverse(hosts, green_addr_family(addr), bytes_of(addr, bytes));
        if (line != NULL) {
                snprintf(name, GREEN__WIRE_NAME_SIZE, "%s", green__hosts_name(hosts, line, 0));
                return 0;
        }
        if (is_loopback(addr)) {
                memcpy(name, "localhost", sizeof "localhost");
                return 0;
        }
        green__dns_reverse_name(addr, reverse);
        rc = green__dns_ask_one(dns, reverse, GREEN_DNS_PTR, &entry);
        if (rc != 0)
                return rc == GREEN_EAI_NODATA ? GREEN_EAI_NONAME : rc;
        if (is_host_name(entry->reply->answer.records[0].name))
                snprintf(name, GREEN__WIRE_NAME_SIZE, "%s", entry->reply->answer.records[0].name);
        else
                rc = GREEN_EAI_NONAME;
        green__dns_let_go(entry);
        return rc;
}

static int
host_of(const struct green_addr *addr, int flags, char host[GREEN__WIRE_NAME_SIZE])
{
        struct green__dns *dns;
        double lifetime;
        int rc;

        if ((flags & NI_NUMERICHOST) != 0) {
                address_text(addr, host);
                return 0;
        }
        if (green__dns_uses_system(&lifetime)) {
                if (green_getcurrent() == NULL)
                        return green_set_error(-EDEADLK, "a hub callback cannot wait for a name");
                rc = green__dns_system_name(addr, host, NULL, (flags & ~NI_NUMERICSERV) | NI_NAMEREQD,
                                            GREEN__DNS_LIFETIME);
        } else {
                rc = green__dns_enter(&dns);
                if (rc != 0)
                        return rc;
                rc = find_name(dns, addr, host);
                if (rc == 0 && (flags & NI_NOFQDN) != 0)
                        shorten(dns, host);
                green__dns_leave(dns);
        }
        if (rc == 0 || (flags & NI_NAMEREQD) != 0)
                return rc;
        if (rc != GREEN_EAI_NONAME && rc != GREEN_EAI_NODATA && rc != GREEN_EAI_FAIL && rc != GREEN_EAI_AGAIN)
                return rc;
        address_text(addr, host);
        return 0;
}

static int
service_of(const struct green_addr *addr, int flags, char service[64])
{
        struct green_addr any;
        unsigned char zero[16] = {0};
        double lifetime;

        if ((flags & NI_NUMERICSERV) != 0) {
                snprintf(service, 64, "%d", green_addr_port(addr));
                return 0;
        }
        if (green_getcurrent() == NULL)
                return green_set_error(-EDEADLK, "a hub callback cannot wait for the name of a service");
        (void)green__dns_uses_system(&lifetime);
        green__dns_addr(AF_INET, zero, &any);
        green__dns_set_port(&any, green_addr_port(addr));
        return green__dns_system_name(&any, NULL, service, (flags & NI_DGRAM) | NI_NUMERICHOST, lifetime);
}

static int
check_name_arguments(const struct green_addr *addr, bool no_host, bool no_service, int flags)
{
        int family = green_addr_family(addr);

        if (addr == NULL)
                return green_set_error(-EINVAL, "green_dns_getnameinfo: no address");
        if (family != AF_INET && family != AF_INET6)
                return green_set_error(GREEN_EAI_FAMILY, "green_dns_getnameinfo: address family %d", family);
        if ((flags & ~KNOWN_FLAGS) != 0)
                return green_set_error(GREEN_EAI_BADFLAGS, "green_dns_getnameinfo: flags 0x%x", (unsigned)flags);
        if (no_host && no_service)
                return green_set_error(GREEN_EAI_NONAME, "green_dns_getnameinfo: neither host nor service is wanted");
        if ((flags & NI_NAMEREQD) != 0 && (flags & NI_NUMERICHOST) != 0)
                return green_set_error(GREEN_EAI_NONAME,
                                       "green_dns_getnameinfo: a name is required, and is not to be asked for");
        return 0;
}

int
green_dns_getnameinfo(const struct green_addr *addr, char *host, size_t host_size, char *service, size_t service_size,
                      int flags)
{
        char name[GREEN__WIRE_NAME_SIZE], port[64], text[GREEN__WIRE_NAME_SIZE];
        int rc = check_name_arguments(addr, host == NULL, service == NULL, flags);

        if (rc == 0)
                rc = green_checkpoint();
        if (rc != 0)
                return rc;
        if (host != NULL)
                rc = host_of(addr, flags, name);
        if (rc == 0 && service != NULL)
                rc = service_of(addr, flags, port);
        if (rc == 0 &&
            ((host != NULL && strlen(name) >= host_size) || (service != NULL && strlen(port) >= service_size)))
                rc = GREEN_EAI_OVERFLOW;
        if (rc != 0) {
                address_text(addr, text);
                return rc == -EDEADLK ? rc : green__dns_failed(rc, text);
        }
        if (host != NULL)
                memcpy(host, name, strlen(name) + 1);
        if (service != NULL)
                memcpy(service, port, strlen(port) + 1);
        return 0;
}
