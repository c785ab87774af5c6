/*
 * The driver for PostgreSQL: names of hosts. libpq would look them up and stop the OS thread, so it is given addresses,
 * and the names for certificates and password files. A list of hosts ("a,b") becomes one with an entry for each
 * address.
 */
#include "postgres_priv.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include <green/dns.h>
#include <green/thread.h>

/* Text that grows; at stays NULL until the first. */
struct text {
        char *at;
        size_t len, room;
};

static int
add(struct text *t, const char *s, size_t n, bool first)
{
        size_t want = t->len + n + 2;

        if (t->at == NULL || want > t->room) {
                char *more = green_realloc(t->at, want * 2);

                if (more == NULL)
                        return -ENOMEM;
                t->at = more;
                t->room = want * 2;
        }
        if (!first)
                t->at[t->len++] = ',';
        memcpy(t->at + t->len, s, n);
        t->len += n;
        t->at[t->len] = '\0';
        return 0;
}

struct lists {
        struct text host, hostaddr, port;
        size_t n;
};

static int
add_entry(struct lists *l, const char *host, const char *hostaddr, const char *port, size_t port_len)
{
        bool first = l->n == 0;
        int rc = add(&l->host, host, strlen(host), first);

        if (rc == 0)
                rc = add(&l->hostaddr, hostaddr, strlen(hostaddr), first);
        if (rc == 0)
                rc = add(&l->port, port, port_len, first);
        l->n++;
        return rc;
}

static bool
is_looked_up(const char *host)
{
        return *host != '\0' && *host != '/' && *host != '@';
}

static int
add_addresses(struct lists *l, const char *host, const char *port, size_t port_len)
{
        struct green_addr *addrs;
        size_t n;
        int rc = green_dns_resolve(host, 0, AF_UNSPEC, &addrs, &n);

        if (rc != 0)
                return rc;
        for (size_t i = 0; i < n && rc == 0; i++) {
                char text[NI_MAXHOST];
                socklen_t size;
                const struct sockaddr *sa = green_addr_sockaddr(&addrs[i], &size);

                if (getnameinfo(sa, size, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
                        rc = add_entry(l, host, text, port, port_len);
        }
        green_free(addrs);
        return rc;
}

static bool
is_dns_error(int code)
{
        return code == GREEN_EAI_AGAIN || code == GREEN_EAI_NONAME || code == GREEN_EAI_NODATA ||
               code == GREEN_EAI_FAIL;
}

static size_t
count(const char *list)
{
        size_t n = 1;

        for (; *list != '\0'; list++)
                n += *list == ',';
        return n;
}

/* Each host with its port, or with the only one. What is not found is left out, if anything else is left. */
static int
add_all(struct lists *l, const char *host, const char *port, int *ret_missed, char *name, size_t name_size)
{
        bool same = count(port) == 1;

        for (;;) {
                size_t len = strcspn(host, ","), port_len = strcspn(port, ",");
                int rc;

                if (len >= name_size)
                        return -ENAMETOOLONG;
                memcpy(name, host, len);
                name[len] = '\0';
                rc = is_looked_up(name) ? add_addresses(l, name, port, port_len)
                                        : add_entry(l, name, "", port, port_len);
                if (is_dns_error(rc))
                        *ret_missed = rc;
                else if (rc != 0)
                        return rc;
                host += len;
                if (*host == '\0')
                        return 0;
                host++;
                if (!same)
                        port += port_len + (port[port_len] == ',');
        }
}

int
green__pg_resolve(green_db_link *link, const char *host, const char *port, struct pg_hosts *ret)
{
        struct lists l = {.n = 0};
        char name[256] = "";
        int missed = 0, rc;

        if (count(port) != 1 && count(port) != count(host))
                return green_db_link_fail(link, -EINVAL, 0, "08001", "there are %zu hosts and %zu ports", count(host),
                                          count(port));
        rc = add_all(&l, host, port, &missed, name, sizeof name);
        if (rc == 0 && l.n == 0)
                rc = missed;
        if (rc == 0) {
                *ret = (struct pg_hosts){l.host.at, l.hostaddr.at, l.port.at};
                return 0;
        }
        green__pg_hosts_free(&(struct pg_hosts){l.host.at, l.hostaddr.at, l.port.at});
        if (is_dns_error(rc))
                return green_db_link_fail(link, rc, 0, "08001", "%s: %s", name, green_strerror(rc));
        return rc;
}

void
green__pg_hosts_free(struct pg_hosts *h)
{
        green_free(h->host);
        green_free(h->hostaddr);
        green_free(h->port);
}
