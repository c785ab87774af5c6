/**
 * @file
 * @brief The short way: connect to a peer, listen, serve. What most programs need of the net layer.
 *
 *     static int
 *     greet(green_socket *client, const struct green_addr *peer, void *arg)
 *     {
 *             return green_socket_sendall(client, "hello\n", 6, 0, NULL);
 *     }
 *
 *     green_socket *listener = green_listen("127.0.0.1:6000", NULL);
 *
 *     if (listener == NULL)
 *             return fprintf(stderr, "%s\n", green_last_error()->message), 1;
 *     rc = green_serve(listener, greet, NULL, NULL);
 *
 * Addresses are text: see <green/addr.h> for the forms.
 */
#ifndef GREEN_CONVENIENCE_H
#define GREEN_CONVENIENCE_H

#include <green/addr.h>
#include <green/base.h>
#include <green/greenpool.h>
#include <green/socket.h>

GREEN_BEGIN_DECLS

/**
 * Looks at an address before it is connected to, whether a name was resolved to it or it was given as such: for
 * crawlers that must not be led to addresses inside. Called in the green thread that connects; it must not yield.
 * @return 0: fine; a negative code: not this one.
 */
typedef int green_connect_filter(const struct green_addr *addr, void *arg);

/** What green_connect() can change. Set it to zero, then @ref size, then what you need. */
struct green_connect_opts {
        size_t size;      /**< sizeof(struct green_connect_opts) */
        const char *bind; /**< local address to connect from, as text; NULL: the system chooses */
        double timeout;   /**< seconds for all of it; 0 and #GREEN_FOREVER: no limit but the system's and the scopes' */
        int family;       /**< AF_INET or AF_INET6: take only addresses of this kind; AF_UNSPEC (0): any */
        bool nagle;       /**< leave Nagle's algorithm on: fewer packets, slower answers. TCP_NODELAY is set otherwise */
        double stagger;   /**< seconds after which the next address of a name is tried beside the first; 0: 0.25 */
        green_connect_filter *filter; /**< may refuse any address (-EACCES and the like); NULL: none */
        void *filter_arg;             /**< passed to filter */
};

/**
 * @brief Connect a stream socket. May yield.
 *
 * The family follows from the address. A host name (`example.org:80`) is resolved (<green/dns.h>), and its addresses race:
 * the next one is tried while the one before has not answered for a quarter of a second, or as soon as it has failed,
 * IPv6 and IPv4 in turn; the first connection is taken and the others are closed (RFC 8305). The timeout is for all of it,
 * the lookup included. TCP sockets get TCP_NODELAY, since what is sent is mostly a request or an answer
 * that somebody waits for.
 *
 * @param address whereto, as text.
 * @param opts    NULL for defaults.
 * @return the connected socket, the caller's: green_socket_free(). It has no timeout. NULL with `errno` and
 *         green_last_error(), and no descriptor left behind: EINVAL (address, options), EAFNOSUPPORT (the address is not
 *         of opts->family), ECONNREFUSED, ETIMEDOUT, the code of the lookup, the magnitude of #GREEN_ETIMEOUT or #GREEN_EKILLED, ..., as
 *         green_socket_new(), green_socket_bind() and green_socket_connect().
 *         Where every address of a name failed it is the code of the first, and the message names each with its reason.
 * @since 0.1 (CONV-01 to CONV-03, SOCK-20, SOCK-21, SOCK-23)
 */
GREEN_API green_socket *green_connect(const char *address, const struct green_connect_opts *opts);

/**
 * @brief Connect to the first that answers of several addresses, as green_connect() does for those of a name. May yield.
 *
 * @param addrs the addresses, best first; TCP.
 * @param n     how many, 1 or more.
 * @param opts  NULL for defaults.
 * @return as green_connect(). Where every address failed it is the code of the first that did, and the message names each.
 * @since 0.1 (SOCK-20, SOCK-21)
 */
GREEN_API green_socket *green_connect_any(const struct green_addr *addrs, size_t n, const struct green_connect_opts *opts);

/** What green_listen() can change. Set it to zero, then @ref size, then what you need. */
struct green_listen_opts {
        size_t size;        /**< sizeof(struct green_listen_opts) */
        int backlog;        /**< connections that may wait to be accepted; 0: 50 */
        int family;         /**< AF_INET or AF_INET6: take only addresses of this kind; AF_UNSPEC (0): any */
        bool no_reuse_addr; /**< do not set SO_REUSEADDR: fail while connections of a former listener linger */
        bool reuse_port;    /**< set SO_REUSEPORT: several sockets may listen on one port, and share its connections */
        bool nagle;         /**< accepted connections keep Nagle's algorithm; they have TCP_NODELAY otherwise */
};

/**
 * @brief Make a listening stream socket. Never yields.
 *
 * Port 0 lets the system choose: green_socket_getsockname() tells. A Unix path must not exist, and stays when the socket
 * is closed: remove it yourself.
 *
 * Two warnings go to the log: `ReuseRandomPortWarning`, where reuse_port is asked for with port 0 (each listener would get
 * a port of its own; it is set all the same), and `ReusePortUnavailableWarning`, where the system does not know it here
 * (the socket listens without).
 *
 * @param address where, as text.
 * @param opts    NULL for defaults.
 * @return the listening socket, the caller's: green_socket_free(). NULL with `errno` and green_last_error(): EINVAL
 *         (address, options), EAFNOSUPPORT (the address is not of opts->family), EADDRINUSE, EACCES, ..., as
 *         green_socket_new(), green_socket_bind() and green_socket_listen().
 * @since 0.1 (CONV-04 to CONV-07)
 */
GREEN_API green_socket *green_listen(const char *address, const struct green_listen_opts *opts);

/**
 * @brief Take a listening socket that the program was started with: by systemd (socket activation, LISTEN_FDS), or by
 *        green_workers_run() at a restart. Never yields.
 *
 * Each is given out once. The variables of the environment are taken away at the first call, so that no child believes
 * that they are for it, and the descriptors are closed on exec; those that are no listening stream sockets are reported
 * and left alone. Port 0 is any port of that host.
 *
 * @param which an address, as for green_listen(); or a name that the socket was given (FileDescriptorName= of systemd,
 *              LISTEN_FDNAMES); NULL: the first that is left.
 * @return the listening socket, the caller's: green_socket_free(). NULL with `errno` and green_last_error(): ENOENT (none
 *         is left that fits; on Windows always), ENOMEM.
 * @since 0.1
 */
GREEN_API green_socket *green_listen_inherited(const char *which);

/**
 * @brief Serves one connection, in a green thread of its own.
 * @param client the connection. It is closed and freed when this green thread ends, however it ends, and after what was given
 *               to green_defer(): do not free it.
 * @param peer   who it is; valid as long as the function runs.
 * @param arg    as given to green_serve().
 * @return 0 or more: done. #GREEN_ESTOPSERVE: done, and green_serve() is to return. Another negative code is logged.
 */
typedef int (*green_serve_handler)(green_socket *client, const struct green_addr *peer, void *arg);

/** What green_serve() can change. Set it to zero, then @ref size, then what you need. */
struct green_serve_opts {
        size_t size;        /**< sizeof(struct green_serve_opts) */
        size_t concurrency; /**< connections served at the same time; others wait in the backlog. 0: 1,000 */
        bool stop_on_error; /**< eventlet's way: a handler's error ends green_serve(), which returns it */
        green_greenpool *pool; /**< handlers are tasks of this pool, which others may use too and whose size counts in place
                                    of concurrency. It must outlive the last handler. NULL: one of its own */
};

/**
 * @brief Accept connections and run a handler for each, until told to stop. Yields.
 *
 * It takes a free place first, a slot of a green pool, and accepts then, so that no connection is held that nobody serves;
 * while nobody comes it holds no place. Where descriptors or
 * memory run out (EMFILE, ENFILE, ENOMEM, ENOBUFS), connections stay in the backlog, a warning is logged (one in ten
 * seconds at most), and it goes on when a handler ends or after a pause of 5 ms to 0.5 s. Nothing is lost.
 *
 * A handler that was killed is not an error. When green_serve() has returned, handlers that run go on. The listener stays
 * open, whatever the reason: green_socket_close() on it ends green_serve() with -ECANCELED.
 *
 * @param listener a listening socket; its timeout bounds each wait for a connection.
 * @param handler  called once for each connection.
 * @param arg      passed to handler, not owned; must stay until the last handler has ended.
 * @param opts     NULL for defaults.
 * @retval 0              a handler returned #GREEN_ESTOPSERVE.
 * @retval -EINVAL        an argument is NULL, the size in opts or the concurrency is not possible, or the socket does not
 *                        listen.
 * @retval -EPERM         the pool belongs to another OS thread.
 * @retval -ECANCELED     the listener was closed; -EBADF: it was closed before.
 * @retval -ETIMEDOUT     no connection came within the listener's timeout; -EAGAIN: that is 0.
 * @retval GREEN_EKILLED  this green thread was killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -ENOMEM        memory ran out before it began.
 * @retval -EBUSY         another green thread waits for connections of the listener.
 * @retval -EDEADLK       called in hub context, or by a task that has the only slot of the pool.
 * @return otherwise an error of accept(2) that is none of the above; with stop_on_error the code of a handler.
 * @since 0.1 (CONV-08 to CONV-16)
 */
GREEN_API GREEN_MUST_USE int green_serve(green_socket *listener, green_serve_handler handler, void *arg,
                                         const struct green_serve_opts *opts);

GREEN_END_DECLS

#endif
