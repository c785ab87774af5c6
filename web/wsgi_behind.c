/*
 * Behind a proxy that passes connections on: each begins with a header of the PROXY protocol, which says who the client is.
 */
#include <green/proxy.h>

#include "wsgi_priv.h"

/* There may be many of them: who looks for a fault is told of each. */
static void
tell(struct green__server *server, const struct green__peer *peer, const char *why)
{
        struct green_addr addr = green__peer_addr(peer);
        char text[GREEN_ADDR_TEXT_SIZE];

        server->stats->unproxied++;
        (void)green_addr_format(&addr, text, sizeof text);
        green_log(GREEN_LOG_INFO, "green-net: a connection from %s is closed: %s", text, why);
}

bool
green__behind_lets_in(struct green__server *server, const struct green__peer *peer)
{
        if (green__proxies_trust(server, peer))
                return true;
        tell(server, peer, "PROXY protocol: it is none of trusted_proxies");
        return false;
}

/* As long as a request's header may take. */
static int
read_in_time(struct green__conn *conn, struct green_proxy_info *info)
{
        struct green_timeout t = {{0}};
        int rc = green_timeout_start(&t, conn->server->opts.header_timeout);

        if (rc == 0)
                rc = green_socket_read_proxy(conn->socket, info);
        return green_timeout_cancel(&t) == 1 ? -ETIMEDOUT : rc;
}

bool
green__behind_read(struct green__conn *conn)
{
        struct green__server *server = conn->server;
        struct green_proxy_info info;
        int rc;

        /* It may wait: others may begin. */
        green__turn_pause(conn);
        rc = read_in_time(conn, &info);
        conn->proxy_due = false;
        if (rc == -EPROTO)
                tell(server, &conn->peer, green_last_error()->message);
        else if (rc == -ETIMEDOUT)
                tell(server, &conn->peer, "PROXY protocol: no header in time");
        else if (rc != 0 && !server->closing)
                tell(server, &conn->peer, "PROXY protocol: it has ended without a header");
        if (rc != 0)
                return false;
        if (!info.local) {
                conn->peer = green__peer_of(&info.source);
                conn->proxied = true;
        }
        conn->proxied_tls = info.tls;
        return true;
}
