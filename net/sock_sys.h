/*
 * The system's socket calls, as net/ sees them: results are 0, a count, or -errno, and EINTR never comes back. What
 * differs by system stands in the file that implements this: sock_posix.c.
 */
#ifndef GREEN_SOCK_SYS_H
#define GREEN_SOCK_SYS_H

#include <stdatomic.h>

#include <green/addr.h>
#include <green/hub.h>
#include <green/message.h>

/* Flags that a system does not have ask for nothing there. */
#if !defined(MSG_ERRQUEUE)
#define MSG_ERRQUEUE 0
#endif

/* Of an accept that a hub does: what the descriptor is to be. */
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
enum { GREEN__ACCEPT_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC };
#else
enum { GREEN__ACCEPT_FLAGS = 0 };
#endif

/* Make a socket, non-blocking and closed on exec. */
int green__sys_socket(int family, int type, int protocol, green_fd *ret_fd);

/*
 * Make a descriptor that came from elsewhere fit for green-net. -ENOTSOCK, -EBADF. ret_blocking: it is one of those that
 * are never switched to O_NONBLOCK, so what would block must be asked for first.
 */
int green__sys_adopt(green_fd fd, bool *ret_blocking);

int green__sys_close(green_fd fd);

/*
 * Accept a connection. Those that failed while they waited are passed over. -EAGAIN: none is there (also where the
 * system is out of descriptors, and nobody waits). ret_peer may be NULL.
 */
int green__sys_accept(green_fd fd, bool blocking, green_fd *ret_fd, struct green_addr *ret_peer);

/* Is it the failure of a connection that never became one? The system tells it at accept; the next one may be fine. */
bool green__sys_is_of_the_connection(int code);

/* -EINPROGRESS: it goes on by itself; writable when it is done. */
int green__sys_connect(green_fd fd, const struct green_addr *addr);

/* Is it connected? For the end of a connect that was in progress. 1, 0 not yet, or -errno. */
int green__sys_connected(green_fd fd);

/* Fetch and clear the pending error: 0 or -errno. */
int green__sys_error(green_fd fd);

int green__sys_bind(green_fd fd, const struct green_addr *addr);
int green__sys_listen(green_fd fd, int backlog);
int green__sys_shutdown(green_fd fd, int how);

/* Does the system wake those who wait for a socket when it is shut down from this side? */
bool green__sys_shutdown_wakes(void);
int green__sys_getsockname(green_fd fd, struct green_addr *ret_addr);
int green__sys_getpeername(green_fd fd, struct green_addr *ret_addr);
int green__sys_getsockopt(green_fd fd, int level, int name, void *value, socklen_t *size);
int green__sys_setsockopt(green_fd fd, int level, int name, const void *value, socklen_t size);

/* Switch on what green_listen() and green_connect() are about. -ENOPROTOOPT where the system has no such thing. */
int green__sys_reuse_addr(green_fd fd);
int green__sys_reuse_port(green_fd fd);
int green__sys_no_delay(green_fd fd);

/* Move bytes, never waiting, whatever the mode of the descriptor; never a signal. */
ssize_t green__sys_recv(green_fd fd, void *buf, size_t len, int flags);
ssize_t green__sys_recvfrom(green_fd fd, void *buf, size_t len, int flags, struct green_addr *ret_from);
ssize_t green__sys_send(green_fd fd, const void *buf, size_t len, int flags);
ssize_t green__sys_sendv(green_fd fd, const struct green_iovec *iov, size_t n, int flags);
ssize_t green__sys_sendto(green_fd fd, const void *buf, size_t len, int flags, const struct green_addr *to);

ssize_t green__sys_recvv(green_fd fd, const struct green_iovec *iov, size_t n, int flags);

/* sock_msg_posix.c: messages, likewise. Of the calls for many n is at most GREEN_MESSAGES_MAX. */
ssize_t green__sys_recvmsg(green_fd fd, struct green_message *m, int flags);
ssize_t green__sys_sendmsg(green_fd fd, const struct green_message *m, int flags);
int green__sys_recvmmsg(green_fd fd, struct green_message *messages, size_t n, int flags);
int green__sys_sendmmsg(green_fd fd, struct green_message *messages, size_t n, int flags);

/* Descriptors with bytes; n at most GREEN_FDS_MAX. -EMSGSIZE: more came than *n, and all of them are closed. */
ssize_t green__sys_send_fds(green_fd fd, const void *buf, size_t len, const green_fd *fds, size_t n);
ssize_t green__sys_recv_fds(green_fd fd, void *buf, size_t len, green_fd *ret_fds, size_t *n);

/* Non-blocking, closed on exec. */
int green__sys_socketpair(int family, int type, int protocol, green_fd ret_fds[2]);
/* Closed on exec. */
int green__sys_dup(green_fd fd, green_fd *ret_fd);

/* Send from a file without a copy; 0 at its end; -ENOSYS where the system cannot. The descriptor must not block. */
ssize_t green__sys_sendfile(green_fd fd, green_fd file, int64_t offset, size_t count);
/* 0: a regular file; -EINVAL: something else; or another code. */
int green__sys_is_file(green_fd file);
ssize_t green__sys_pread(green_fd file, void *buf, size_t len, int64_t offset);

/* Multicast. -EINVAL: no group, or hops out of range; -ENODEV: no such interface. */
int green__sys_group(green_fd fd, bool join, const struct green_addr *group, const char *device);
int green__sys_multicast(green_fd fd, const char *device, int hops, bool loop);

/* 0: something can be received (or the end, or an error); -EAGAIN: not yet. Takes nothing. */
ssize_t green__sys_readable(green_fd fd);

/* The monotonic clock, nanoseconds. */
int64_t green__sys_now(void);

/* Changes with each fork. */
extern unsigned green__sys_forks;
/* As that, and in the parent too: what was open before is shared since. */
extern atomic_uint green__sys_splits;
void green__sys_watch_forks(void);

#endif
