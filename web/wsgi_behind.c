/*
 * Behind a proxy that passes connections on: each begins with a header of the PROXY protocol, which says who the client is.
 */
#include <green/proxy.h>

#include "wsgi_priv.h"

#define WARN_AGAIN (INT64_C(60) * 1000000000)

/* There may be many of them: who looks for a fault is told of each, and everybody now and then. */
static void
tell(struct green__server *server, const struct green__peer *peer, const char *why)
{
        struct green_addr addr = green__peer_addr(peer);
        int64_t now = green__wsgi_now();
        enum green_log_level level = GREEN_LOG_INFO;
        char text[GREEN_ADDR_TEXT_SIZE];

        green__note(&server->stats->unproxied, 1);
        if (server->warned_unproxied == 0 || now - server->warned_unproxied >= WARN_AGAIN) {
                server->warned_unproxied = now;
                level = GREEN_LOG_WARNING;
        }
        (void)green_addr_format(&addr, text, sizeof text);
        green_log(level, "green-net: a connection from %s is closed: %s", text, why);
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

        /* The server ends, and nothing of a request is here. From then on who waits is told. */
        if (server->closing && !server->draining)
                return false;
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
