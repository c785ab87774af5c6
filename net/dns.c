/*
 * Names to addresses: green_dns_resolve(). See <green/dns.h>.
 */
#include "dns_priv.h"

#include <green/thread.h>

int
green_dns_resolve(const char *host, int port, int family, struct green_addr **ret_addrs, size_t *ret_n)
{
        struct green__dns_wanted wanted = {.family = family};
        struct green__dns_found found;
        int rc;

        if (host == NULL || ret_addrs == NULL || ret_n == NULL)
                return green_set_error(-EINVAL, "green_dns_resolve: an argument is NULL");
        if (port < 0 || port > 65535)
                return green_set_error(-EINVAL, "green_dns_resolve: port %d: it goes from 0 to 65535", port);
        rc = green_checkpoint();
        if (rc == 0)
                rc = green__dns_lookup(host, &wanted, &found);
        if (rc != 0)
                return rc;
        for (size_t i = 0; i < found.n; i++)
                green__dns_set_port(&found.addrs[i], port);
        *ret_addrs = found.addrs;
        *ret_n = found.n;
        return 0;
}
