/*
 * Addresses in the order in which they are best tried: RFC 6724, section 6, as far as a program can know: rules 1, 2,
 * 5, 6, 8, 9 and 10. Rule 9 is for IPv6 only: with IPv4 it would undo what servers do to spread their load.
 */
#include "dns_priv.h"


#include "inet.h"
#include "sock_sys.h"

struct policy {
        unsigned char prefix[16];
        int bits, precedence, label;
};

/* Section 2.1; the longest prefix that fits counts, so they stand by length. */
static const struct policy policies[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, 50, 0},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 35, 4},
        {{0}, 96, 1, 3},
        {{0x20, 0x01}, 32, 5, 5},
        {{0x20, 0x02}, 16, 30, 2},
        {{0x3f, 0xfe}, 16, 1, 12},
        {{0xfe, 0xc0}, 10, 1, 11},
        {{0xfc}, 7, 3, 13},
        {{0}, 0, 40, 1},
};

struct candidate {
        struct green_addr addr;
        unsigned char to[16], from[16]; /* IPv4 as ::ffff:a.b.c.d */
        bool reachable;                 /* from is known */
        int scope, precedence;
        bool same_scope, same_label;
        int common; /* bits that both begin with; IPv4: 0 */
};

static void
get_bytes(const struct green_addr *addr, unsigned char out[16])
{
        struct sockaddr_in sin;
        struct sockaddr_in6 sin6;

        if (green_addr_family(addr) == AF_INET6) {
                memcpy(&sin6, &addr->data, sizeof sin6);
                memcpy(out, &sin6.sin6_addr, 16);
                return;
        }
        memcpy(&sin, &addr->data, sizeof sin);
        memset(out, 0, 16);
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &sin.sin_addr, 4);
}

static int
common_bits(const unsigned char *a, const unsigned char *b)
{
        int n = 0;

        while (n < 128 && (((a[n / 8] ^ b[n / 8]) >> (7 - n % 8)) & 1) == 0)
                n++;
        return n;
}

static const struct policy *
policy_of(const unsigned char *bytes)
{
        const struct policy *p = policies;

        while (common_bits(p->prefix, bytes) < p->bits)
                p++;
        return p;
}

static bool
is_ip4(const unsigned char *b)
{
        static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

        return memcmp(b, mapped, sizeof mapped) == 0;
}

/* Section 3.1 and 3.2: how far an address is valid. */
static int
scope_of(const unsigned char *b)
{
        enum { LINK = 2, SITE = 5, GLOBAL = 14 };
        static const unsigned char loopback[16] = {[15] = 1};

        if (is_ip4(b))
                return b[12] == 127 || (b[12] == 169 && b[13] == 254) ? LINK : GLOBAL;
        if (b[0] == 0xff)
                return b[1] & 0x0f;
        if (memcmp(b, loopback, sizeof loopback) == 0 || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80))
                return LINK;
        return b[0] == 0xfe && (b[1] & 0xc0) == 0xc0 ? SITE : GLOBAL;
}

/* The address that the system would send from; nothing is sent. */
static bool
source_of(const struct green_addr *to, struct green_addr *ret_from)
{
        struct green_addr with_port = *to;
        green_fd fd;
        int rc;

        green__dns_set_port(&with_port, 9);
        if (green__sys_socket(green_addr_family(to), SOCK_DGRAM, 0, &fd) != 0)
                return false;
        rc = green__sys_connect(fd, &with_port);
        if (rc == 0)
                rc = green__sys_getsockname(fd, ret_from);
        (void)green__sys_close(fd);
        return rc == 0;
}

static void
judge(const struct green_addr *addr, struct candidate *c)
{
        const struct policy *policy;
        struct green_addr from;

        memset(c, 0, sizeof *c);
        c->addr = *addr;
        get_bytes(addr, c->to);
        policy = policy_of(c->to);
        c->scope = scope_of(c->to);
        c->precedence = policy->precedence;
        c->reachable = source_of(addr, &from);
        if (!c->reachable)
                return;
        get_bytes(&from, c->from);
        c->same_scope = scope_of(c->from) == c->scope;
        c->same_label = policy_of(c->from)->label == policy->label;
        c->common = is_ip4(c->to) ? 0 : common_bits(c->to, c->from);
}

/* Is a to be tried before b? */
static bool
better(const struct candidate *a, const struct candidate *b)
{
        if (a->reachable != b->reachable)
                return a->reachable;
        if (a->same_scope != b->same_scope)
                return a->same_scope;
        if (a->same_label != b->same_label)
                return a->same_label;
        if (a->precedence != b->precedence)
                return a->precedence > b->precedence;
        if (a->scope != b->scope)
                return a->scope < b->scope;
        return is_ip4(a->to) == is_ip4(b->to) && a->common > b->common;
}

void
green__dns_sort(struct green_addr *addrs, size_t n)
{
        enum { MAX = 32 }; /* the rest stays as it came */
        struct candidate c[MAX], moved;

        if (n < 2)
                return;
        if (n > MAX)
                n = MAX;
        for (size_t i = 0; i < n; i++) {
                size_t j = i;

                judge(&addrs[i], &moved);
                for (; j > 0 && better(&moved, &c[j - 1]); j--)
                        c[j] = c[j - 1];
                c[j] = moved;
        }
        for (size_t i = 0; i < n; i++)
                addrs[i] = c[i].addr;
}
