/**
 * @file
 * @brief The PROXY protocol: who the client is, where a proxy passes connections on.
 *
 * A proxy that passes bytes on without looking at them (HAProxy in TCP mode, nginx's stream module, a cloud's balancer of
 * connections) cannot put the client's address into a header of HTTP. It sends one in front of everything instead, also
 * in front of TLS: a line of text (version 1), or a block of bytes (version 2).
 *
 *     static int
 *     handle(green_socket *client, const struct green_addr *peer, void *arg)
 *     {
 *             struct green_proxy_info info;
 *             int rc = is_my_proxy(peer) ? green_socket_read_proxy(client, &info) : -EACCES;
 *
 *             if (rc != 0)
 *                     return rc;
 *             if (!info.local)
 *                     peer = &info.source;
 *             ...
 *
 * Who may connect to such a server can say of himself what he likes: let nobody do so but your proxies. The HTTP server
 * does all of this by itself: green_wsgi_server_opts::proxy_protocol.
 *
 * Of the extensions (TLVs) of version 2 the checksum and the flag of TLS are looked at; others are passed over.
 */
#ifndef GREEN_PROXY_H
#define GREEN_PROXY_H

#include <green/addr.h>
#include <green/base.h>
#include <green/socket.h>

GREEN_BEGIN_DECLS

/** Bytes of a header at most; a longer one counts as malformed. (A line of version 1 has 107 at most.) */
#define GREEN_PROXY_HEADER_MAX 4096

/** What a header says. */
struct green_proxy_info {
        int version; /**< 1 or 2 */
        bool local;  /**< the proxy speaks for itself, as where it looks whether the server is well, or does not know the
                          client: the addresses are those of the connection. There are none here then */
        bool tls;    /**< the client has spoken TLS with the proxy, which says so (version 2 only) */
        int type;    /**< SOCK_STREAM, SOCK_DGRAM; 0 where local */
        struct green_addr source;      /**< the client */
        struct green_addr destination; /**< whom it has connected to */
};

/**
 * @brief Read a header out of bytes. Never yields. thread-safe.
 * @param      data     the first bytes of a connection.
 * @param      len      how many there are.
 * @param[out] ret_info what it says; set on success only.
 * @return bytes that the header takes, above 0; -EAGAIN: it is right so far, and there is more to come; -EPROTO: it is
 *         malformed, or none, and green_last_error() says why; -EINVAL: an argument is NULL.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_proxy_parse(const void *data, size_t len, struct green_proxy_info *ret_info);

/**
 * @brief Make a header, to send it in front of a connection that is passed on. Never yields. thread-safe.
 * @param      info the version, and the addresses, both of one family; nothing else counts where local. With version 1, of
 *                  Unix sockets and others nothing is said but that they are not known. Of tls nothing is said.
 * @param[out] data the header.
 * @param      size bytes there; 256 are always enough.
 * @return its bytes; -EINVAL: an unknown version, or addresses that do not go together; -ENOBUFS: it does not fit.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_proxy_format(const struct green_proxy_info *info, void *data, size_t size);

/**
 * @brief Receive the header that a connection begins with, and no byte behind it. May yield. Call it first, also on a
 *        socket with TLS, whose handshake begins behind it.
 *
 * Each wait is bounded by the socket's timeout, and all of it by the scopes around: put a green_timeout around it, and close
 * the connection where it fails.
 *
 * @param      s        a connected socket that nobody has received from.
 * @param[out] ret_info what it says; set on success only.
 * @retval 0        done.
 * @retval -EPROTO  it is malformed, or none; green_last_error() says why.
 * @retval GREEN_EEOF the connection has ended before it was whole.
 * @retval -EISCONN TLS has begun its handshake already.
 * @return otherwise as green_socket_recv().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_socket_read_proxy(green_socket *s, struct green_proxy_info *ret_info);

GREEN_END_DECLS

#endif
