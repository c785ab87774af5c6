/**
 * @file
 * @brief Messages: datagrams with their addresses and control data, many at a time, and descriptors sent to another process.
 *
 * What <green/socket.h> says of its calls holds here too, its two tables of codes included.
 *
 * Windows has no descriptors with messages here, and control data neither: to send them is -ENOTSUP, and none come.
 */
#ifndef GREEN_MESSAGE_H
#define GREEN_MESSAGE_H

#include <green/addr.h>
#include <green/base.h>
#include <green/socket.h>

GREEN_BEGIN_DECLS

/** Most messages that one call moves. */
#define GREEN_MESSAGES_MAX 64
/** Most descriptors that one call passes. */
#define GREEN_FDS_MAX 250

/** A message to send, or room for one to receive. Set it to zero, then what you need. */
struct green_message {
        struct green_addr addr;        /**< send: to whom, "none" for the peer that connect gave; receive: set to from whom */
        const struct green_iovec *iov; /**< the pieces; borrowed */
        size_t iov_count;              /**< how many */
        void *control;                 /**< control data (struct cmsghdr); borrowed; NULL for none */
        size_t control_size;           /**< send: its bytes; receive: room there, set to the bytes that came */
        int flags;                     /**< receive: set to MSG_TRUNC, MSG_CTRUNC, MSG_EOR, ... */
        size_t len;                    /**< of the calls for many: set to the bytes moved */
};

/**
 * @brief Receive one message with all that is known of it. May yield.
 *
 * Descriptors that come in its control data are closed on exec, and the caller's to close. Not over a transport (TLS):
 * -EOPNOTSUPP.
 *
 * @param         s       a socket.
 * @param[in,out] message iov, iov_count, control, control_size say where to; addr, control_size and flags are set.
 * @param         flags   MSG_PEEK, MSG_DONTWAIT, ...
 * @return bytes received; 0 at the end of a stream, or for an empty datagram. Otherwise as green_socket_recv().
 * @since 0.1 (SOCK-34)
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_recvmsg(green_socket *s, struct green_message *message, int flags);

/**
 * @brief Send one message with all that belongs to it. May yield.
 * @param s       a socket.
 * @param message what to send; not changed.
 * @param flags   as for green_socket_send().
 * @return bytes sent, perhaps fewer than all on a stream; otherwise as green_socket_send(); -EOPNOTSUPP over a transport.
 * @since 0.1 (SOCK-34)
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_sendmsg(green_socket *s, const struct green_message *message, int flags);

/**
 * @brief Receive as many messages as are there, with one system call where the system can, and wait for the first. May
 *        yield.
 * @param         s        a datagram socket.
 * @param[in,out] messages as for green_socket_recvmsg(); len is set too.
 * @param         n        how many there is room for; more than #GREEN_MESSAGES_MAX are not looked at.
 * @param         flags    as for green_socket_recvmsg().
 * @return messages received, 1 or more; 0 where n is 0; otherwise as green_socket_recvmsg().
 * @since 0.1 (SOCK-34)
 */
GREEN_API GREEN_MUST_USE int green_socket_recvmmsg(green_socket *s, struct green_message *messages, size_t n, int flags);

/**
 * @brief Send as many messages as the system takes in one go, and wait if it takes none. May yield.
 * @param         s        a datagram socket.
 * @param[in,out] messages what to send; of those sent, len is set.
 * @param         n        how many; more than #GREEN_MESSAGES_MAX are not looked at.
 * @param         flags    as for green_socket_send().
 * @return messages sent, 1 or more, perhaps fewer than n; 0 where n is 0; otherwise the code of the first.
 * @since 0.1 (SOCK-34)
 */
GREEN_API GREEN_MUST_USE int green_socket_sendmmsg(green_socket *s, struct green_message *messages, size_t n, int flags);

/**
 * @brief Send bytes and, with the first of them, descriptors. May yield. For Unix sockets.
 *
 * @param s   a Unix socket.
 * @param buf bytes; at least one, since descriptors travel with bytes.
 * @param len how many.
 * @param fds descriptors; they stay the caller's, and the peer gets others of the same files.
 * @param n   how many, at most #GREEN_FDS_MAX.
 * @return bytes sent, perhaps fewer than len: all descriptors are sent then; otherwise as green_socket_send(); -EINVAL: no
 *         bytes or too many descriptors; -EBADF: one of them is not open.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_send_fds(green_socket *s, const void *buf, size_t len, const green_fd *fds,
                                                       size_t n);

/**
 * @brief Receive bytes and the descriptors that come with them. May yield. For Unix sockets.
 *
 * Descriptors are closed on exec. What does not fit is closed, and said by -EMSGSIZE: nothing leaks.
 *
 * @param         s       a Unix socket.
 * @param         buf     where to.
 * @param         len     bytes there, 1 or more.
 * @param[out]    ret_fds where to; the caller's to close. Set on success only.
 * @param[in,out] n       room there, at most #GREEN_FDS_MAX; set to how many came, on success only.
 * @return bytes received; 0 at the end of the stream; -EMSGSIZE: more descriptors than there was room for: all are closed,
 *         the bytes are lost. Otherwise as green_socket_recv().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_socket_recv_fds(green_socket *s, void *buf, size_t len, green_fd *ret_fds, size_t *n);

/**
 * @brief Receive what is sent to a group (multicast). Never yields.
 * @param s         a datagram socket, bound to the group's port.
 * @param group     the group's address, IPv4 or IPv6; its port is not looked at.
 * @param device name of the interface to listen at; NULL: the system chooses.
 * @retval 0       joined.
 * @retval -EINVAL the address is no group's.
 * @retval -ENODEV no such interface.
 * @return otherwise as setsockopt(2): -EADDRINUSE (joined already).
 * @since 0.1
 */
GREEN_API int green_socket_join_group(green_socket *s, const struct green_addr *group, const char *device);

/**
 * @brief Receive it no more. Never yields. Closing does this too.
 * @param s         a datagram socket.
 * @param group     as for green_socket_join_group().
 * @param device as there.
 * @retval 0              left.
 * @retval -EADDRNOTAVAIL it was not joined.
 * @return otherwise as green_socket_join_group().
 * @since 0.1
 */
GREEN_API int green_socket_leave_group(green_socket *s, const struct green_addr *group, const char *device);

/**
 * @brief How what is sent to a group goes out. Never yields.
 * @param s         a datagram socket, IPv4 or IPv6.
 * @param device name of the interface to send from; NULL: unchanged.
 * @param hops      routers it may pass, 0 to 255; 1 stays in the local network; -1: unchanged.
 * @param loop      whether this machine's own members get it too.
 * @retval 0       set.
 * @retval -EINVAL hops out of range, or a socket of another family.
 * @retval -ENODEV no such interface.
 * @since 0.1
 */
GREEN_API int green_socket_set_multicast(green_socket *s, const char *device, int hops, bool loop);

GREEN_END_DECLS

#endif
