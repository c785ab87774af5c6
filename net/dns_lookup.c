/*
 * From a name to addresses: numeric, hosts file, name servers with the search list. See dns_priv.h.
 */
#include "dns_priv.h"

#include <stdio.h>

#include <green/thread.h>

#include "check.h"
#include "inet.h"
#include "sock_sys.h"

/* ---- addresses */

void
green__dns_addr(int family, const void *bytes, struct green_addr *ret_addr)
{
        struct sockaddr_in sin = {.sin_family = AF_INET};
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};

        memset(ret_addr, 0, sizeof *ret_addr);
        if (family == AF_INET) {
                memcpy(&sin.sin_addr, bytes, sizeof sin.sin_addr);
                memcpy(&ret_addr->data, &sin, sizeof sin);
                ret_addr->size = sizeof sin;
        } else {
                memcpy(&sin6.sin6_addr, bytes, sizeof sin6.sin6_addr);
                memcpy(&ret_addr->data, &sin6, sizeof sin6);
                ret_addr->size = sizeof sin6;
        }
}

void
green__dns_set_port(struct green_addr *addr, int port)
{
        struct sockaddr_in sin;
        struct sockaddr_in6 sin6;

        if (green_addr_family(addr) == AF_INET) {
                memcpy(&sin, &addr->data, sizeof sin);
                sin.sin_port = htons((uint16_t)port);
                memcpy(&addr->data, &sin, sizeof sin);
        } else if (green_addr_family(addr) == AF_INET6) {
                memcpy(&sin6, &addr->data, sizeof sin6);
                sin6.sin6_port = htons((uint16_t)port);
                memcpy(&addr->data, &sin6, sizeof sin6);
        }
}

int
green__dns_numeric(const char *host, struct green_addr *ret_addr)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        struct in_addr in;
        size_t len = strlen(host);

        if (strchr(host, ':') != NULL) {
                /* No name has a colon. */
                if (len + 5 > sizeof text)
                        return GREEN_EAI_NONAME;
                snprintf(text, sizeof text, "[%s]:0", host);
                return green_addr_parse(text, ret_addr) == 0 ? 0 : GREEN_EAI_NONAME;
        }
        /* Also "127.1" and "0x7f000001", as getaddrinfo() has it. */
        if (host[0] < '0' || host[0] > '9' || strspn(host, "0123456789abcdefABCDEFxX.") != len ||
            host[len - 1] == '.' || !green__dns_loose_ip4(host, &in))
                return 1;
        green__dns_addr(AF_INET, &in, ret_addr);
        return 0;
}

/* ---- names */

int
green__dns_clean_name(const char *host, char name[GREEN__NAME_SIZE], bool *ret_absolute)
{
        size_t len = strlen(host);
        bool absolute = len > 1 && host[len - 1] == '.';
        char last = '.';

        len -= absolute;
        if (len == 0 || len > 253)
                return green_set_error(-EINVAL, "\"%.300s\": a name has 1 to 253 bytes", host);
        for (size_t i = 0; i < len; i++) {
                char c = host[i];

                if (c == '.' && last == '.')
                        return green_set_error(-EINVAL, "\"%.300s\": a name without a label between two dots", host);
                name[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
                last = c;
        }
        if (last == '.')
                return green_set_error(-EINVAL, "\"%.300s\": a name without a label between two dots", host);
        name[len] = '\0';
        if (ret_absolute != NULL)
                *ret_absolute = absolute;
        return 0;
}

/* May it be sent to a server? What looks like a name and is none would only be answered by chance. */
static bool
is_name(const char *name)
{
        size_t label = 0;

        for (; *name != '\0'; name++) {
                label = *name == '.' ? 0 : label + 1;
                if (label > 63 || *name <= ' ' || *name >= 0x7f || *name == '\\')
                        return false;
        }
        return true;
}

/* ---- questions */

int64_t
green__dns_deadline(const struct green__dns *dns)
{
        double lifetime = dns->conf.lifetime;

        return lifetime < 1e9 ? green__sys_now() + (int64_t)(lifetime * 1e9) : INT64_MAX;
}

int
green__dns_ask_one(struct green__dns *dns, const char *name, int type, struct green__dns_entry **ret_entry)
{
        int64_t deadline = green__dns_deadline(dns);
        struct green__dns_entry *entry;
        int rc;

        if (!is_name(name))
                return GREEN_EAI_NONAME;
        rc = green__dns_ask(dns, name, type, &entry);
        if (rc != 0)
                return rc;
        if (!entry->done)
                rc = green__dns_wait_any(&entry, 1, deadline);
        if (rc == 0)
                rc = entry->code;
        if (rc == 0)
                *ret_entry = entry;
        else
                green__dns_let_go(entry);
        return rc;
}

/* The questions for one name, at the same time. */
struct questions {
        struct green__dns_entry *entry[2];
        size_t n;
};

static void
let_go(struct questions *q)
{
        for (size_t i = 0; i < q->n; i++)
                green__dns_let_go(q->entry[i]);
}

static int
ask(struct green__dns *dns, const char *name, const struct green__dns_wanted *wanted, struct questions *q)
{
        bool both = wanted->family == AF_UNSPEC;
        bool has4 = !both || !wanted->configured || green__dns_has_family(AF_INET);
        bool has6 = !both || !wanted->configured || green__dns_has_family(AF_INET6);
        int rc = 0;

        q->n = 0;
        if (wanted->family != AF_INET && (has6 || !has4))
                rc = green__dns_ask(dns, name, GREEN_DNS_AAAA, &q->entry[q->n++]);
        if (rc == 0 && wanted->family != AF_INET6 && (has4 || !has6))
                rc = green__dns_ask(dns, name, GREEN_DNS_A, &q->entry[q->n++]);
        if (rc != 0) {
                q->n--;
                let_go(q);
        }
        return rc;
}

/*
 * Wait for the answers. Where one has addresses the other gets the time of one more try, no more: there are servers
 * that never answer questions for IPv6.
 */
static int
wait_for(const struct green__dns *dns, const struct questions *q, int64_t deadline)
{
        bool hurry = false;

        for (;;) {
                size_t done = 0;
                bool some = false;
                int rc;

                for (size_t i = 0; i < q->n; i++) {
                        done += q->entry[i]->done;
                        some |= q->entry[i]->done && q->entry[i]->code == 0;
                }
                if (done == q->n)
                        return 0;
                if (some && !hurry) {
                        int64_t soon = green__sys_now() + (int64_t)(dns->conf.timeout * 1e9);

                        hurry = true;
                        deadline = soon < deadline ? soon : deadline;
                }
                rc = green__dns_wait_any(q->entry, q->n, deadline);
                if (rc == GREEN_EAI_AGAIN)
                        return 0;
                if (rc != 0)
                        return rc;
        }
}

/* Memory, descriptors: an errno, and none of the codes of names. */
static bool
is_own(int code)
{
        return code < 0 && code > -1000;
}

/* What weighs more hides the others: where one was not answered nobody knows that there is nothing. */
static int
weight(int code)
{
        switch (code) {
        case 0:
                return 0;
        case GREEN_EAI_NONAME:
                return 1;
        case GREEN_EAI_NODATA:
                return 2;
        case GREEN_EAI_FAIL:
                return 3;
        case GREEN_EAI_AGAIN:
                return 4;
        default:
                return 5;
        }
}

/* What two failures mean together. */
static int
combine(int a, int b)
{
        return weight(a) >= weight(b) ? a : b;
}

static int
take_answers(const struct questions *q, struct green__dns_found *found)
{
        size_t n = 0;
        int code = 0;

        for (size_t i = 0; i < q->n; i++) {
                const struct green__dns_entry *e = q->entry[i];

                if (e->done && e->code == 0)
                        n += e->reply->answer.n;
                else
                        code = combine(code, e->done ? e->code : GREEN_EAI_AGAIN);
        }
        /* What went wrong here and not with a server is not passed over for the other family's addresses. */
        if (n == 0 || is_own(code))
                return code;
        found->addrs = green_calloc(n, sizeof *found->addrs);
        if (found->addrs == NULL)
                return -ENOMEM;
        found->n = 0;
        for (size_t i = 0; i < q->n; i++) {
                const struct green__dns_entry *e = q->entry[i];
                const char *canonical;

                if (!e->done || e->code != 0)
                        continue;
                for (size_t k = 0; k < e->reply->answer.n; k++)
                        found->addrs[found->n++] = e->reply->answer.records[k].addr;
                canonical = e->reply->chain[e->reply->nchain - 1];
                if (strlen(canonical) < sizeof found->canonical)
                        memcpy(found->canonical, canonical, strlen(canonical) + 1);
        }
        return 0;
}

int
green__dns_add_alias(struct green__dns_found *found, const char *name)
{
        size_t len = strlen(name) + 1;
        char *more = green_realloc(found->aliases, found->aliases_size + len);

        if (more == NULL)
                return -ENOMEM;
        memcpy(more + found->aliases_size, name, len);
        found->aliases = more;
        found->aliases_size += len;
        found->naliases++;
        return 0;
}

void
green__dns_found_free(struct green__dns_found *found)
{
        green_free(found->addrs);
        green_free(found->aliases);
        *found = (struct green__dns_found){.n = 0};
}

/* The names that have led to the addresses. */
static int
take_aliases(const struct questions *q, struct green__dns_found *found)
{
        const struct green__dns_reply *reply = NULL;
        int rc = 0;

        for (size_t i = 0; i < q->n; i++)
                if (q->entry[i]->done && q->entry[i]->code == 0)
                        reply = q->entry[i]->reply;
        for (size_t i = 0; rc == 0 && reply != NULL && i + 1 < reply->nchain; i++)
                rc = green__dns_add_alias(found, reply->chain[i]);
        return rc;
}

/* One name, as it is. */
static int
look(struct green__dns *dns, const char *name, const struct green__dns_wanted *wanted, int64_t deadline,
     struct green__dns_found *found)
{
        struct questions q;
        int rc;

        if (!is_name(name))
                return GREEN_EAI_NONAME;
        rc = ask(dns, name, wanted, &q);
        if (rc != 0)
                return rc;
        rc = wait_for(dns, &q, deadline);
        if (rc == 0)
                rc = take_answers(&q, found);
        if (rc == 0 && wanted->aliases)
                rc = take_aliases(&q, found);
        let_go(&q);
        return rc;
}

/* ---- the search list */

/* May another name be tried after this? Not where time is up, or the caller's, or memory. */
static bool
may_go_on(int code)
{
        return code == GREEN_EAI_NONAME || code == GREEN_EAI_NODATA || code == GREEN_EAI_FAIL;
}

static int
look_in_list(struct green__dns *dns, const char *name, const struct green__dns_wanted *wanted, int64_t deadline,
             struct green__dns_found *found)
{
        char longer[2 * GREEN__NAME_SIZE];
        int code = 0, rc;

        for (size_t i = 0; i < dns->conf.nsearch; i++) {
                snprintf(longer, sizeof longer, "%s.%s", name, dns->conf.search[i]);
                if (strlen(longer) > 253)
                        continue;
                rc = look(dns, longer, wanted, deadline, found);
                if (rc == 0 || !may_go_on(rc))
                        return rc;
                code = combine(code, rc);
        }
        return code != 0 ? code : GREEN_EAI_NONAME;
}

static int
search(struct green__dns *dns, const char *name, bool absolute, const struct green__dns_wanted *wanted,
       struct green__dns_found *found)
{
        int64_t deadline = green__dns_deadline(dns);
        int dots = 0, code, rc;

        for (const char *p = name; *p != '\0'; p++)
                dots += *p == '.';
        if (absolute || dots >= dns->conf.ndots) {
                code = look(dns, name, wanted, deadline, found);
                /* A name that is there is not looked for elsewhere, also where it has no address. */
                if (absolute || code == 0 || code == GREEN_EAI_NODATA || !may_go_on(code))
                        return code;
                rc = look_in_list(dns, name, wanted, deadline, found);
        } else {
                code = look_in_list(dns, name, wanted, deadline, found);
                if (code == 0 || !may_go_on(code))
                        return code;
                rc = look(dns, name, wanted, deadline, found);
        }
        return rc == 0 || !may_go_on(rc) ? rc : combine(code, rc);
}

/* ---- what is known without asking */

static int
take_one(const struct green_addr *addr, const char *name, struct green__dns_found *found)
{
        found->addrs = green_malloc(sizeof *found->addrs);
        if (found->addrs == NULL)
                return -ENOMEM;
        found->addrs[0] = *addr;
        found->n = 1;
        if (strlen(name) < sizeof found->canonical)
                memcpy(found->canonical, name, strlen(name) + 1);
        return 0;
}

static bool
fits(const struct green__hosts_line *line, int family)
{
        return family == AF_UNSPEC || family == line->family;
}

/* Names of a line but for the canonical one. */
static int
take_names(const struct green__hosts *hosts, const struct green__hosts_line *line, struct green__dns_found *found)
{
        int rc = 0;

        for (size_t i = 1; rc == 0 && i < line->n; i++)
                rc = green__dns_add_alias(found, green__hosts_name(hosts, line, i));
        return rc;
}

/* 0; 1: it is not in the file. */
static int
look_in_hosts(const struct green__hosts *hosts, const char *name, const struct green__dns_wanted *wanted,
              struct green__dns_found *found)
{
        const struct green__hosts_line *line = NULL;
        size_t n = 0;
        int rc = 0;

        while ((line = green__hosts_find(hosts, name, line)) != NULL)
                n += fits(line, wanted->family);
        if (n == 0)
                return 1;
        found->addrs = green_calloc(n, sizeof *found->addrs);
        if (found->addrs == NULL)
                return -ENOMEM;
        while ((line = green__hosts_find(hosts, name, line)) != NULL) {
                const char *canonical = green__hosts_name(hosts, line, 0);

                if (!fits(line, wanted->family))
                        continue;
                if (found->n == 0 && strlen(canonical) < sizeof found->canonical)
                        memcpy(found->canonical, canonical, strlen(canonical) + 1);
                if (found->n == 0 && wanted->aliases)
                        rc = take_names(hosts, line, found);
                green__dns_addr(line->family, line->addr, &found->addrs[found->n++]);
        }
        return rc;
}

bool
green__dns_is_localhost(const char *name)
{
        static const char text[] = "localhost";
        size_t len = strlen(name), own = sizeof text - 1;

        return len >= own && strcmp(name + len - own, text) == 0 && (len == own || name[len - own - 1] == '.');
}

/* RFC 6761: these never leave the machine. */
static int
look_at_home(const char *name, int family, struct green__dns_found *found)
{
        static const unsigned char loopback4[4] = {127, 0, 0, 1}, loopback6[16] = {[15] = 1};

        if (!green__dns_is_localhost(name))
                return 1;
        found->addrs = green_calloc(2, sizeof *found->addrs);
        if (found->addrs == NULL)
                return -ENOMEM;
        if (family != AF_INET)
                green__dns_addr(AF_INET6, loopback6, &found->addrs[found->n++]);
        if (family != AF_INET6)
                green__dns_addr(AF_INET, loopback4, &found->addrs[found->n++]);
        memcpy(found->canonical, name, strlen(name) + 1);
        return 0;
}

/* ---- the whole way */

static int
resolve(char *name, bool absolute, const struct green__dns_wanted *wanted, struct green__dns_found *found)
{
        const struct green__hosts *hosts;
        struct green__dns *dns;
        int rc = green__dns_enter(&dns);

        if (rc != 0)
                return rc;
        rc = green__dns_hosts(dns, &hosts);
        if (rc == 0)
                rc = look_in_hosts(hosts, name, wanted, found);
        if (rc == 1)
                rc = look_at_home(name, wanted->family, found);
        if (rc == 1) {
                rc = green__dns_to_ascii(name);
                if (rc == 0)
                        rc = search(dns, name, absolute, wanted, found);
        }
        green__dns_leave(dns);
        if (rc == 0)
                green__dns_sort(found->addrs, found->n);
        return rc;
}

static int
ask_system(char *name, bool absolute, const struct green__dns_wanted *wanted, double lifetime,
           struct green__dns_found *found)
{
        size_t len;
        int rc;

        if (green_getcurrent() == NULL)
                return green_set_error(-EDEADLK, "\"%s\": a hub callback cannot wait for the answer", name);
        rc = green__dns_to_ascii(name);
        if (rc != 0)
                return rc;
        len = strlen(name);
        if (absolute)
                memcpy(name + len, ".", 2);
        return green__dns_system_lookup(name, wanted, lifetime, found);
}

int
green__dns_lookup(const char *host, const struct green__dns_wanted *wanted, struct green__dns_found *ret_found)
{
        char name[GREEN__NAME_SIZE];
        struct green_addr addr;
        bool absolute = false;
        double lifetime;
        int rc;

        memset(ret_found, 0, sizeof *ret_found);
        if (wanted->family != AF_UNSPEC && wanted->family != AF_INET && wanted->family != AF_INET6)
                return green__dns_failed(GREEN_EAI_FAMILY, host);
        rc = host[0] != '\0' ? green__dns_numeric(host, &addr) : 1;
        if (rc == 0) {
                if (wanted->family != AF_UNSPEC && wanted->family != green_addr_family(&addr))
                        return green__dns_failed(GREEN_EAI_NODATA, host);
                rc = take_one(&addr, host, ret_found);
        } else if (rc == 1) {
                rc = green__dns_clean_name(host, name, &absolute);
                if (rc != 0)
                        return rc;
                rc = green__dns_uses_system(&lifetime) ? ask_system(name, absolute, wanted, lifetime, ret_found)
                                                       : resolve(name, absolute, wanted, ret_found);
        }
        if (rc == 0)
                return 0;
        green__dns_found_free(ret_found);
        return rc == -EDEADLK ? rc : green__dns_failed(rc, host);
}
