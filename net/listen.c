/*
 * Listen in one call. See <green/convenience.h>.
 */
#include "socket_priv.h"

#include <string.h>

#include <green/convenience.h>

#define BACKLOG 50

static bool
is_tcp(const struct green_addr *addr)
{
        int family = green_addr_family(addr);

        return family == AF_INET || family == AF_INET6;
}

/* The address that a text means, of a family or of any. */
static int
resolve(const char *text, int family, struct green_addr *ret_addr)
{
        int rc = green_addr_parse(text, ret_addr);

        if (rc != 0)
                return rc;
        if (family != AF_UNSPEC && green_addr_family(ret_addr) != family)
                return green_set_error(-EAFNOSUPPORT, "\"%.200s\" is not of the address family asked for", text);
        return 0;
}

/* Give up a socket that is half made. The message of the failure stays. */
static green_socket *
give_up(green_socket *s, int rc)
{
        green_socket_free(s);
        errno = -rc;
        return NULL;
}

/* Several may listen on one port: warn where that means nothing. */
static void
reuse_port(green_socket *s, const struct green_addr *addr, const char *address)
{
        int rc;

        if (green_addr_port(addr) == 0)
                green_log(
                        GREEN_LOG_WARNING,
                        "green-net: ReuseRandomPortWarning: %s: with port 0 every listener gets a port of its own, so "
                        "there is nothing to reuse",
                        address);
        rc = green__sys_reuse_port(green_io_fd(s->io));
        if (rc == -EINVAL || rc == -ENOPROTOOPT || rc == -EOPNOTSUPP)
                green_log(GREEN_LOG_WARNING,
                          "green-net: ReusePortUnavailableWarning: %s: the system does not do SO_REUSEPORT here (%s); "
                          "listening without",
                          address, green_strerror(rc));
}

green_socket *
green_listen(const char *address, const struct green_listen_opts *opts)
{
        struct green_listen_opts o;
        struct green_addr addr;
        green_socket *s;
        int rc = green_opts_take(&o, sizeof o, opts);

        if (rc != 0 || o.backlog < 0) {
                green_set_error(-EINVAL, "listen: bad options");
                return NULL;
        }
        rc = resolve(address, o.family, &addr);
        s = rc == 0 ? green_socket_new(green_addr_family(&addr), SOCK_STREAM, 0) : NULL;
        if (s == NULL)
                return NULL;
        if (is_tcp(&addr)) {
                if (!o.no_reuse_addr)
                        (void)green__sys_reuse_addr(green_io_fd(s->io));
                /* Accepted connections inherit it, so it costs no call for each of them. */
                if (!o.nagle)
                        (void)green__sys_no_delay(green_io_fd(s->io));
        }
        if (o.reuse_port)
                reuse_port(s, &addr, address);
        rc = green_socket_bind(s, &addr);
        if (rc != 0)
                return give_up(s, rc);
        rc = green_socket_listen(s, o.backlog > 0 ? o.backlog : BACKLOG);
        if (rc != 0) {
                green_set_error(rc, "listen %.200s: %s", address, green_strerror(rc));
                return give_up(s, rc);
        }
        return s;
}
