/**
 * @file
 * @brief Green sockets: they look blocking, and let the other green threads run while they wait.
 *
 * The names and arguments are those of the system's socket calls. What differs:
 *
 * - Results are 0 or a count, or a negative code; `errno` need not be looked at. EAGAIN and EINTR are never seen.
 * - Every call tries the system call first and waits only if it must. How long is bounded by the socket's own timeout,
 *   green_socket_set_timeout(), and by the green_timeout scopes around the call.
 * - A call that has moved bytes says so: a scope that fires meanwhile fails the next call.
 * - One green thread may receive while another one sends. Two that wait for the same direction are an error, unless
 *   green_socket_set_shared() allows it.
 * - Nothing raises SIGPIPE.
 * - On Windows descriptors are SOCKETs, there are no Unix sockets, and green_socket_pair() makes pairs of the loopback
 *   interface, of AF_UNIX as well as of AF_INET. green_listen() takes its address for itself alone.
 *
 * A timeout of 0 makes a socket non-blocking: calls that would have to wait return -EAGAIN (connect: -EINPROGRESS) and,
 * as they never yield, look at no scope. The flag `MSG_DONTWAIT` does the same for one call.
 *
 * Where it is not said otherwise, every function that takes a socket returns these codes too:
 *
 * | code            | means                                                                                        |
 * |-----------------|----------------------------------------------------------------------------------------------|
 * | -EINVAL         | the socket is NULL                                                                           |
 * | -EBADF          | the socket is closed                                                                         |
 * | -EPERM          | the socket belongs to another OS thread                                                      |
 *
 * and every function that may yield these:
 *
 * | code            | means                                                                                        |
 * |-----------------|----------------------------------------------------------------------------------------------|
 * | -ETIMEDOUT      | the socket's timeout is over, or the kernel gave up the connection                           |
 * | -EAGAIN         | the timeout is 0, or MSG_DONTWAIT was given, and the call would have to wait                 |
 * | #GREEN_EKILLED  | the green thread was killed, or the code of the kill                                         |
 * | #GREEN_ETIMEOUT | an enclosing green_timeout fired, or its code                                                |
 * | -ECANCELED      | the socket was closed while the call waited                                                  |
 * | -EBUSY          | another green thread waits for the same direction; green_last_error() names both (FD-02)     |
 * | -EDEADLK        | the call would have to wait, in hub context                                                  |
 *
 * A call that keeps succeeding without waiting lets the others run once every 64 times (each socket counts for itself).
 */
#ifndef GREEN_SOCKET_H
#define GREEN_SOCKET_H

#include <green/addr.h>
#include <green/base.h>
#include <green/io.h>
#include <green/watch.h>

GREEN_BEGIN_DECLS

/** A socket. Opaque. It belongs to the OS thread that made it. */
typedef struct green_socket green_socket;

/**
 * @name Making and ending
 * @{
 */

/**
 * @brief Make a socket. Never yields. It is non-blocking and closed on exec.
 *
 * @param family   AF_INET, AF_INET6, AF_UNIX, ...
 * @param type     SOCK_STREAM, SOCK_DGRAM, ...
 * @param protocol 0, mostly.
 * @return the handle, the caller's: green_socket_free(). NULL with `errno` and green_last_error(): EAFNOSUPPORT, EMFILE,
 *         ENFILE, EPROTONOSUPPORT, ENOMEM, as socket(2).
 * @since 0.1 (SOCK-01)
 */
GREEN_API green_socket *green_socket_new(int family, int type, int protocol);

/**
 * @brief Make a socket of a descriptor that is open already. Never yields.
 *
 * It is switched to O_NONBLOCK if it is not yet, but never 0, 1 and 2: others share their open file. On those, receiving
 * and sending work all the same, accept looks first whether somebody is there, and connect is -EOPNOTSUPP.
 *
 * @param fd a socket; the handle's from now on, which closes it. It stays the caller's if this fails.
 * @return the handle, for green_socket_free(). NULL with `errno` and green_last_error(): EBADF, ENOTSOCK, EBUSY (another
 *         handle has it), ENOMEM.
 * @since 0.1 (SOCK-01, SOCK-02)
 */
GREEN_API green_socket *green_socket_from_fd(green_fd fd);

/**
 * @brief Make two sockets that are connected to each other. Never yields.
 *
 * @param      family   AF_UNIX.
 * @param      type     SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET.
 * @param      protocol 0.
 * @param[out] ret_pair two handles, the caller's: green_socket_free(); set on success only.
 * @retval 0 done.
 * @return otherwise as socketpair(2): -EAFNOSUPPORT, -EOPNOTSUPP, -EMFILE; -ENOMEM.
 * @since 0.1 (SOCK-22)
 */
GREEN_API int green_socket_pair(int family, int type, int protocol, green_socket *ret_pair[2]);

/**
 * @brief A second socket for the same connection, as dup(2). Never yields. It has the same timeout.
 *
 * The connection ends when both are closed. One with a transport (TLS) has only one socket: -EOPNOTSUPP; but a listener with
 * TLS may have several, which share what green_wrap_ssl() was given.
 *
 * @param s a socket.
 * @return the handle, the caller's: green_socket_free(). NULL with `errno` and green_last_error(): EMFILE, ENOMEM,
 *         EOPNOTSUPP, EBADF, EBUSY (bytes lie in green-net's buffers, green_socket_pending(): read them first).
 * @since 0.1 (SOCK-08)
 */
GREEN_API green_socket *green_socket_dup(green_socket *s);

/**
 * @brief Take an idle socket away from its OS thread, so that another one can take it. Never yields.
 *
 * Between this and green_socket_attach() the handle belongs to nobody, and may be handed over through a channel or a post:
 * every call but green_socket_attach(), green_socket_close() and green_socket_free() returns -EPERM.
 *
 * On Windows, hub `iocp`, it goes on by readiness where it is attached: see green_io_detach().
 *
 * @param s a socket that nobody waits on.
 * @retval 0        done.
 * @retval -EBUSY   somebody waits on it or uses it, a stream stands on it, or bytes lie in green-net's buffers.
 * @retval -ENOTSUP the hub cannot let go of a descriptor.
 * @since 0.1
 */
GREEN_API int green_socket_detach(green_socket *s);

/**
 * @brief Make a detached socket the calling OS thread's. Never yields.
 * @param s a socket that green_socket_detach() was called on.
 * @retval 0       done.
 * @retval -EINVAL it is not detached.
 * @retval -EBADF  it was closed meanwhile.
 * @retval -ENOMEM memory ran out; it stays detached.
 * @retval -EBUSY  another handle of this OS thread has its descriptor's number.
 * @since 0.1
 */
GREEN_API int green_socket_attach(green_socket *s);

/**
 * @brief Give up the socket and keep its descriptor. Never yields. The handle stays, closed.
 * @param      s      a socket that nobody waits on.
 * @param[out] ret_fd the descriptor, the caller's now, non-blocking; set on success only.
 * @retval 0           done.
 * @retval -EBUSY      somebody waits on it, a stream stands on it, or bytes lie in green-net's buffers.
 * @retval -EOPNOTSUPP it has a transport (TLS), whose state would be lost.
 * @since 0.1
 */
GREEN_API int green_socket_take_fd(green_socket *s, green_fd *ret_fd);

/**
 * @brief Close the connection; the handle stays. Idempotent. Never yields on a plain socket.
 *
 * Whoever waits on it gets -ECANCELED; later calls return -EBADF. The descriptor is closed exactly once: where streams
 * stand on the socket (green_socket_makefile()), when the last of them is closed too. A transport that
 * has to say goodbye to the peer (TLS) may yield, shielded, for two seconds at most.
 *
 * @param s a socket; NULL is fine.
 * @retval 0      closed, now or before.
 * @retval -EPERM it belongs to another OS thread and is in use there.
 * @return otherwise what close(2) said (the descriptor is gone).
 * @since 0.1 (SOCK-33, SOCK-38, SOCK-39)
 */
GREEN_API int green_socket_close(green_socket *s);

/**
 * @brief Close and release. Yields only as green_socket_close() does.
 *
 * Right after green_socket_close() it always succeeds: those who were waiting touch the socket no more.
 *
 * @param s a socket; NULL is fine.
 * @retval 0      released.
 * @retval -EBUSY somebody waits on it, and it is not closed: nothing was done.
 * @retval -EPERM it belongs to another OS thread and is in use there: nothing was done.
 * @since 0.1 (SOCK-12)
 */
GREEN_API int green_socket_free(green_socket *s);

#if defined(__GNUC__)
/** @cond */
static inline void
green_socket_scope_end_(green_socket **s)
{
        (void)green_socket_free(*s);
}
/** @endcond */
/** Declare a socket @p name, made by @p make, that is closed and freed at the end of the block, however that is left
 *  (SOCK-10). */
#define GREEN_SOCKET_SCOPE(name, make)                                                                                 \
        green_socket *name /* NOLINT(bugprone-macro-parentheses): of a declaration */                                  \
                __attribute__((cleanup(green_socket_scope_end_))) = (make)
#endif
/** @} */

/**
 * @name Connecting and listening
 * @{
 */

/**
 * @brief Give it a local address. Never yields.
 * @param s    a socket.
 * @param addr the address. An existing Unix path is not removed.
 * @retval 0 done.
 * @return otherwise as bind(2): -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL (bound already).
 * @since 0.1 (SOCK-09)
 */
GREEN_API int green_socket_bind(green_socket *s, const struct green_addr *addr);

/**
 * @brief Begin to listen. Never yields.
 * @param s       a bound socket.
 * @param backlog connections that may wait to be accepted; the system has a limit of its own.
 * @retval 0 done.
 * @return otherwise as listen(2): -EADDRINUSE, -EOPNOTSUPP.
 * @since 0.1 (SOCK-09)
 */
GREEN_API int green_socket_listen(green_socket *s, int backlog);

/**
 * @brief Accept a connection. May yield.
 *
 * Connections that failed before they were accepted (ECONNABORTED, EPROTO, ...) are passed over. No connection is lost
 * by a failure: where memory runs out, the next call returns the one accepted before.
 *
 * @param      s        a listening socket.
 * @param[out] ret_peer the peer's address; set on success only; may be NULL.
 * @return a new socket, the caller's: green_socket_free(). Its timeout is #GREEN_FOREVER whatever the listener's is. NULL
 *         with `errno` and green_last_error(): EMFILE, ENFILE, ENOBUFS, ENOMEM (the connection stays in the backlog),
 *         EINVAL (not listening), EOPNOTSUPP, or a code of this page.
 * @since 0.1 (SOCK-08, SOCK-13, SOCK-14)
 */
GREEN_API green_socket *green_socket_accept(green_socket *s, struct green_addr *ret_peer);

/**
 * @brief Accept no more, and lose nobody. Never yields. For a listener that others share (green_socket_dup(), workers):
 *        connections that wait in it are for them.
 *
 * A hub that runs operations may have accepted connections already, or have been told of some in place of others:
 * green_socket_accept() still gives these, and then -ECANCELED, also to who waits there. So green_serve() and
 * green_wsgi_server() end. green_socket_close() would close those connections.
 *
 * @param s a listener.
 * @retval 0 done, now or before.
 * @since 0.1
 */
GREEN_API int green_socket_stop_accepting(green_socket *s);

/**
 * @brief Is it still worth waiting for connections by something else than green_socket_accept()? Never yields.
 * @param s a listener or NULL.
 * @return false after green_socket_stop_accepting() and green_socket_close(), and for NULL.
 * @since 0.1
 */
GREEN_API bool green_socket_accepts(const green_socket *s);

/**
 * @brief Connect. May yield.
 *
 * The timeout bounds the whole of it. After a failure the state of the socket is the system's affair: make a new one. A
 * Unix listener whose backlog is full is tried again until the time is over.
 *
 * @param s    a socket; where it has a datagram type, this only sets the peer.
 * @param addr whereto.
 * @retval 0            connected, now or before.
 * @retval -EINPROGRESS under way: the timeout is 0. Wait for #GREEN_WRITE, and ask green_socket_error().
 * @return otherwise a code of this page, or as connect(2): -ECONNREFUSED, -ENETUNREACH, -EHOSTUNREACH, -EACCES, -ENOENT.
 *         green_last_error() then names the address too.
 * @since 0.1 (SOCK-15 to SOCK-19, CONV-03)
 */
GREEN_API GREEN_MUST_USE int green_socket_connect(green_socket *s, const struct green_addr *addr);
/** @} */

/**
 * @name Moving bytes
 * @{
 */

/**
 * @brief Receive what is there, and wait if there is nothing. May yield.
 *
 * @param s     a socket.
 * @param buf   where to.
 * @param len   bytes there. 0 waits until something can be received and takes nothing.
 * @param flags MSG_PEEK, MSG_OOB, ..., MSG_DONTWAIT. MSG_WAITALL has no effect. Urgent data does not cut a receive where
 *              the hub receives ahead (io_uring).
 * @return bytes received, more than 0; 0 at the end of the stream, or where len is 0. Otherwise a code of this page, or
 *         as recv(2): -ECONNRESET (a reset is an error, not the end), -ENOTCONN.
 * @since 0.1 (SOCK-07, SOCK-24, SOCK-25, SOCK-26)
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_recv(green_socket *s, void *buf, size_t len, int flags);

/**
 * @brief The same, and learn from whom. May yield. For datagrams.
 *
 * @param      s        a socket.
 * @param      buf      where to; what of a datagram does not fit is lost.
 * @param      len      bytes there. 0 waits until something can be received and takes nothing.
 * @param      flags    as for green_socket_recv().
 * @param[out] ret_from the sender's address, "none" where the protocol gives none; set on success only; may be NULL.
 * @return as green_socket_recv(); 0 may also be an empty datagram.
 * @since 0.1 (SOCK-24)
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_recvfrom(green_socket *s, void *buf, size_t len, int flags,
                                                       struct green_addr *ret_from);

/**
 * @brief Send what the system takes in one go, and wait if it takes nothing. May yield.
 *
 * @param s     a socket.
 * @param buf   what to send.
 * @param len   bytes.
 * @param flags MSG_MORE, MSG_OOB, ..., MSG_DONTWAIT.
 * @return bytes sent, perhaps fewer than len; otherwise a code of this page, or as send(2): -EPIPE (the peer is gone),
 *         -ECONNRESET, -ENOTCONN, -EMSGSIZE.
 * @since 0.1 (SOCK-28)
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_send(green_socket *s, const void *buf, size_t len, int flags);

/**
 * @brief Send all of it. May yield.
 *
 * The socket's timeout bounds each wait for the peer to take more, not the whole: a slow peer that goes on taking bytes
 * does not time out. A green_timeout bounds the whole.
 *
 * @param      s        a socket.
 * @param      buf      what to send.
 * @param      len      bytes.
 * @param      flags    as for green_socket_send(); with MSG_DONTWAIT it sends what it can.
 * @param[out] ret_done bytes sent; always set, also where it fails; may be NULL.
 * @retval 0 all sent.
 * @return otherwise as green_socket_send().
 * @since 0.1 (SOCK-29, SOCK-36)
 */
GREEN_API GREEN_MUST_USE int green_socket_sendall(green_socket *s, const void *buf, size_t len, int flags,
                                                  size_t *ret_done);

/**
 * @brief Send several pieces with one system call, and wait if it takes nothing. May yield.
 *
 * @param s     a socket.
 * @param iov   the pieces; not changed.
 * @param n     how many; of more than 1,024 the rest is left for the next call.
 * @param flags as for green_socket_send().
 * @return as green_socket_send().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_sendv(green_socket *s, const struct green_iovec *iov, size_t n, int flags);

/**
 * @brief Send all of several pieces, each with as few system calls as it takes. May yield.
 *
 * @param      s        a socket.
 * @param      iov      the pieces; not changed.
 * @param      n        how many; no limit.
 * @param      flags    as for green_socket_send().
 * @param[out] ret_done bytes sent; always set, also where it fails; may be NULL.
 * @return as green_socket_sendall().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_socket_sendallv(green_socket *s, const struct green_iovec *iov, size_t n, int flags,
                                                   size_t *ret_done);

/**
 * @brief Send a datagram. May yield.
 *
 * @param s     a socket.
 * @param buf   the datagram.
 * @param len   its bytes; may be 0.
 * @param flags as for green_socket_send().
 * @param to    whereto; NULL: the peer that connect gave.
 * @return as green_socket_send(); a datagram goes whole or not at all.
 * @since 0.1 (SOCK-30)
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_sendto(green_socket *s, const void *buf, size_t len, int flags,
                                                     const struct green_addr *to);

/**
 * @brief Receive into several pieces with one system call, and wait if there is nothing. May yield.
 *
 * @param s     a socket.
 * @param iov   the pieces, filled in order; the array is not changed.
 * @param n     how many; more than 1,024 are not looked at.
 * @param flags as for green_socket_recv().
 * @return as green_socket_recv().
 * @since 0.1 (SOCK-24)
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_recvv(green_socket *s, const struct green_iovec *iov, size_t n, int flags);

/**
 * @brief Send a part of a file, without a copy through the program where the system can. May yield.
 *
 * The socket's timeout bounds each wait for the peer to take more. The disk is not waited for in a green way: what is not
 * in the system's cache stops the OS thread until it is read. Over a transport (TLS) it reads and sends.
 *
 * @param      s        a stream socket.
 * @param      file     a descriptor of a regular file, the caller's; its position is neither used nor changed.
 * @param      offset   where to begin, 0 or more.
 * @param      count    bytes; a file that ends earlier ends it, which is no error.
 * @param[out] ret_done bytes sent; always set, also where it fails; may be NULL.
 * @retval 0 all of it is sent, or all there was.
 * @return otherwise as green_socket_sendall(); -EINVAL: not a file that can be sent, or a negative offset.
 * @since 0.1 (SOCK-34)
 */
GREEN_API GREEN_MUST_USE int green_socket_sendfile(green_socket *s, green_fd file, int64_t offset, uint64_t count,
                                                   uint64_t *ret_done);

/**
 * @brief Bytes that a receive would return without asking the system. Never yields.
 *
 * Before one waits for the descriptor by other means, this must be 0.
 *
 * @param s a socket.
 * @return bytes received already, and decrypted where they have to be; 0 on NULL or a closed one. On a plain socket there are
 *         such bytes only where the hub receives ahead: see green_io_run_ahead().
 * @since 0.1
 */
GREEN_API size_t green_socket_pending(const green_socket *s);

/**
 * @brief Has the last receive taken all there was? Never yields.
 *
 * Then one may wait, in a receive or by green_socket_watch(), without another try.
 *
 * @param s a socket.
 * @return true if it is known; false where something may be left, and on NULL or a closed one.
 * @since 0.1
 */
GREEN_API bool green_socket_drained(const green_socket *s);

/**
 * @brief Be called when there is something to receive, without a green thread that waits. Never yields.
 *
 * For connections at rest. The last receive must have said -EAGAIN, or green_socket_drained() be true.
 *
 * @param s       a socket.
 * @param w       a watch, prepared by green_watch_init() and not in use. Its function gets #GREEN_READ: a receive with
 *                MSG_DONTWAIT may give something, or the end; or -ETIMEDOUT, or -ECANCELED if the socket was closed.
 * @param timeout seconds from now; #GREEN_FOREVER for none.
 * @retval 0      started.
 * @return otherwise as green_watch_start_io().
 * @since 0.1
 */
GREEN_API int green_socket_watch(green_socket *s, struct green_watch *w, double timeout);

/**
 * @brief Stop a watch that green_socket_watch() has started. Never yields.
 *
 * Where nothing has come, the socket is as it was before: the next receive waits without a try that would be in vain.
 *
 * @param s the socket.
 * @param w its watch.
 * @return true if it was waiting, and nothing has come; false if it has fired or was about to, or was not started.
 * @since 0.1
 */
GREEN_API bool green_socket_unwatch(green_socket *s, struct green_watch *w);

/**
 * @brief End one or both directions. Never yields on a plain socket. A receive that waits sees the end.
 * @param s   a socket.
 * @param how SHUT_RD, SHUT_WR, SHUT_RDWR.
 * @retval 0 done.
 * @return otherwise as shutdown(2): -ENOTCONN.
 * @since 0.1 (FD-16)
 */
GREEN_API int green_socket_shutdown(green_socket *s, int how);

/**
 * @brief End both directions, if there is a connection. Never yields on a plain socket.
 * @param s a socket; NULL, a closed one or one that is not connected is fine.
 * @retval 0 done, or there was nothing to end.
 * @return otherwise as shutdown(2).
 * @since 0.1 (SOCK-40)
 */
GREEN_API int green_socket_shutdown_safe(green_socket *s);
/** @} */

/**
 * @name Settings
 * @{
 */

/**
 * @brief Limit how long a call may wait. Never yields. Calls that wait already keep their limit.
 * @param s       a socket.
 * @param seconds the limit of each call; #GREEN_FOREVER, which is the default, for none; 0: do not wait.
 * @retval 0       set.
 * @retval -EINVAL negative or NaN, or s is NULL.
 * @since 0.1 (SOCK-03 to SOCK-06)
 */
GREEN_API int green_socket_set_timeout(green_socket *s, double seconds);

/**
 * @brief The limit set by green_socket_set_timeout(). Never yields.
 * @param s a socket.
 * @return seconds; #GREEN_FOREVER for none, and on NULL.
 * @since 0.1 (SOCK-03)
 */
GREEN_API double green_socket_get_timeout(const green_socket *s);

/**
 * @brief Let several green threads wait for the same direction, first come, first served. Never yields.
 *
 * Meant for listeners and datagrams: bytes of a stream would be dealt out by chance.
 *
 * @param s  a socket.
 * @param on whether to. Off is the default: the second one gets -EBUSY.
 * @retval 0 set.
 * @since 0.1 (FD-02, FD-03)
 */
GREEN_API int green_socket_set_shared(green_socket *s, bool on);

/**
 * @brief Read an option. Never yields.
 * @param         s        a socket.
 * @param         level    SOL_SOCKET, IPPROTO_TCP, ...
 * @param         name     SO_..., TCP_..., ...
 * @param[out]    ret_value where to.
 * @param[in,out] size     bytes there; set to those of the value.
 * @retval 0 done.
 * @return otherwise as getsockopt(2): -ENOPROTOOPT.
 * @since 0.1 (SOCK-09)
 */
GREEN_API int green_socket_getsockopt(const green_socket *s, int level, int name, void *ret_value, socklen_t *size);

/**
 * @brief Set an option. Never yields.
 * @param s     a socket.
 * @param level SOL_SOCKET, IPPROTO_TCP, ...
 * @param name  SO_..., TCP_..., ...
 * @param value the value, mostly an int.
 * @param size  its bytes.
 * @retval 0 done.
 * @return otherwise as setsockopt(2): -ENOPROTOOPT, -EINVAL.
 * @since 0.1 (SOCK-09)
 */
GREEN_API int green_socket_setsockopt(green_socket *s, int level, int name, const void *value, socklen_t size);

/**
 * @brief Its own address. Never yields.
 * @param      s        a socket.
 * @param[out] ret_addr the address; set on success only.
 * @retval 0 done.
 * @return otherwise as getsockname(2).
 * @since 0.1 (SOCK-09)
 */
GREEN_API int green_socket_getsockname(const green_socket *s, struct green_addr *ret_addr);

/**
 * @brief The address it is connected to. Never yields.
 * @param      s        a socket.
 * @param[out] ret_addr the address; set on success only.
 * @retval 0 done.
 * @return otherwise as getpeername(2): -ENOTCONN.
 * @since 0.1 (SOCK-09)
 */
GREEN_API int green_socket_getpeername(const green_socket *s, struct green_addr *ret_addr);

/**
 * @brief Take the error that is pending in the system (SO_ERROR). Never yields.
 * @param s a socket.
 * @return 0 for none, or the code, such as -ECONNREFUSED; the next call gives 0. green_strerror() has the text.
 * @since 0.1 (SOCK-17)
 */
GREEN_API int green_socket_error(green_socket *s);

/**
 * @brief Its descriptor, for system calls that have no function here. Never yields.
 *
 * Since others may read from it now, receiving makes one system call more where it has to wait.
 *
 * @param s a socket.
 * @return the descriptor, still the socket's: do not close it, and leave it non-blocking. GREEN_INVALID_FD once closed,
 *         and on NULL; and, with -EBUSY in green_last_error(), while something was received ahead that is not read yet
 *         (green_socket_pending(), or an end), which others would not see.
 * @since 0.1 (SOCK-09)
 */
GREEN_API green_fd green_socket_fd(const green_socket *s);

/**
 * @brief Its registration, for green_io_wait() and green_watch_start_io(). Never yields.
 *
 * A wait is right only after a call here said -EAGAIN, and green_socket_pending() is 0; green_socket_watch() leaves the socket
 * as fast as it was. Since others may wait now,
 * receiving makes one system call more where it has to wait.
 *
 * @param s a socket.
 * @return the registration, still the socket's; NULL on NULL, and where green_socket_fd() says -EBUSY.
 * @since 0.1
 */
GREEN_API green_io *green_socket_io(const green_socket *s);
/** @} */

GREEN_END_DECLS

#endif
