/*
 * The system's socket calls on POSIX. See sock_sys.h.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "count.h"
#include "sock_sys.h"

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

/* Descriptors 0 to 2 are shared with whoever started the program: their mode is not ours to change. */
#define LAST_SHARED_FD 2

_Static_assert(sizeof(struct green_iovec) == sizeof(struct iovec), "a green_iovec is an iovec");
_Static_assert(offsetof(struct green_iovec, base) == offsetof(struct iovec, iov_base), "a green_iovec is an iovec");
_Static_assert(offsetof(struct green_iovec, len) == offsetof(struct iovec, iov_len), "a green_iovec is an iovec");

unsigned green__sys_forks;
atomic_uint green__sys_splits;

static inline ssize_t
result(ssize_t n)
{
        return green__likely(n >= 0) ? n : -errno;
}

#if !defined(SOCK_NONBLOCK) || !defined(SOCK_CLOEXEC) || !HAVE_ACCEPT4
static int
set_flag(green_fd fd, int get, int set, int flag)
{
        int flags = fcntl(fd, get);

        if (flags < 0)
                return -errno;
        if ((flags & flag) != 0)
                return 0;
        return fcntl(fd, set, flags | flag) < 0 ? -errno : 0;
}

/* Make a descriptor ours in two steps, where the system cannot do it in one; close it where that fails. */
static int
make_ours(green_fd fd, green_fd *ret_fd)
{
        int rc = set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC);

        if (rc == 0)
                rc = set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK);
        if (rc == 0)
                *ret_fd = fd;
        else
                close(fd);
        return rc;
}
#endif

int
green__sys_socket(int family, int type, int protocol, green_fd *ret_fd)
{
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
        green_fd fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
#else
        green_fd fd = socket(family, type, protocol);

        return fd < 0 ? -errno : make_ours(fd, ret_fd);
#endif
}

int
green__sys_adopt(green_fd fd, bool *ret_blocking)
{
        int type, flags;
        socklen_t size = sizeof type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
                return -errno;
        flags = fcntl(fd, F_GETFL);
        if (flags < 0)
                return -errno;
        *ret_blocking = false;
        if ((flags & O_NONBLOCK) != 0)
                return 0;
        if (fd <= LAST_SHARED_FD) {
                *ret_blocking = true;
                return 0;
        }
        return fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int
green__sys_close(green_fd fd)
{
        /* Not again on EINTR: the descriptor is gone, and its number may be somebody else's already. */
        return close(fd) != 0 && errno != EINTR ? -errno : 0;
}

static int
accept_once(green_fd fd, green_fd *ret_fd, struct green_addr *ret_peer)
{
        struct sockaddr *sa = ret_peer != NULL ? (struct sockaddr *)&ret_peer->data : NULL;
        socklen_t *size = ret_peer != NULL ? &ret_peer->size : NULL;

        if (size != NULL)
                *size = sizeof ret_peer->data;
#if HAVE_ACCEPT4
        green_fd client = accept4(fd, sa, size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client < 0)
                return -errno;
        *ret_fd = client;
        return 0;
#else
        green_fd client = accept(fd, sa, size);

        return client < 0 ? -errno : make_ours(client, ret_fd);
#endif
}

static bool
nobody_waits(green_fd fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n;

        do
                n = poll(&p, 1, 0);
        while (n < 0 && errno == EINTR); /* also of one that does not wait, where a signal is pending */
        return n == 0;
}

bool
green__sys_is_of_the_connection(int code)
{
        switch (code) {
        case -EINTR:
        case -ECONNABORTED:
        case -EPROTO:
        case -ENETDOWN:
        case -ENOPROTOOPT:
        case -EHOSTDOWN:
        case -EHOSTUNREACH:
        case -ENETUNREACH:
#ifdef ENONET
        case -ENONET:
#endif
                return true;
        default:
                return false;
        }
}

int
green__sys_accept(green_fd fd, bool blocking, green_fd *ret_fd, struct green_addr *ret_peer)
{
        int rc;

        do {
                if (blocking && nobody_waits(fd))
                        return -EAGAIN;
                rc = accept_once(fd, ret_fd, ret_peer);
        } while (green__unlikely(green__count_passed_over(rc)));
        /* Linux looks for a free descriptor before it looks for a connection. */
        if (green__unlikely(rc == -EMFILE || rc == -ENFILE) && nobody_waits(fd))
                return -EAGAIN;
        return rc == -EWOULDBLOCK ? -EAGAIN : green__count_accept(rc);
}

int
green__sys_connect(green_fd fd, const struct green_addr *addr)
{
        socklen_t size;
        const struct sockaddr *sa = green_addr_sockaddr(addr, &size);

        if (connect(fd, sa, size) == 0 || errno == EISCONN)
                return 0;
        /* Interrupted, or asked for before: it goes on in the kernel. */
        return errno == EINTR || errno == EALREADY ? -EINPROGRESS : -errno;
}

int
green__sys_connected(green_fd fd)
{
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;

        if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
                return 1;
        return errno == ENOTCONN ? 0 : -errno;
}

int
green__sys_error(green_fd fd)
{
        int error = 0;
        socklen_t size = sizeof error;

        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ? -errno : -error;
}

int
green__sys_bind(green_fd fd, const struct green_addr *addr)
{
        socklen_t size;
        const struct sockaddr *sa = green_addr_sockaddr(addr, &size);

        return bind(fd, sa, size) != 0 ? -errno : 0;
}

int
green__sys_listen(green_fd fd, int backlog)
{
        return listen(fd, backlog) != 0 ? -errno : 0;
}

int
green__sys_shutdown(green_fd fd, int how)
{
        return shutdown(fd, how) != 0 ? -errno : 0;
}

bool
green__sys_shutdown_wakes(void)
{
        return true;
}

/* What getsockname() and getpeername() have in common. */
static int
name_of(green_fd fd, int (*ask)(int, struct sockaddr *, socklen_t *), struct green_addr *ret_addr)
{
        struct green_addr addr = {.size = sizeof addr.data};

        if (ask(fd, (struct sockaddr *)&addr.data, &addr.size) != 0)
                return -errno;
        if (addr.size > sizeof addr.data)
                addr.size = sizeof addr.data;
        *ret_addr = addr;
        return 0;
}

static int
ask_name(int fd, struct sockaddr *sa, socklen_t *size)
{
        return getsockname(fd, sa, size);
}

static int
ask_peer(int fd, struct sockaddr *sa, socklen_t *size)
{
        return getpeername(fd, sa, size);
}

int
green__sys_getsockname(green_fd fd, struct green_addr *ret_addr)
{
        return name_of(fd, ask_name, ret_addr);
}

int
green__sys_getpeername(green_fd fd, struct green_addr *ret_addr)
{
        return name_of(fd, ask_peer, ret_addr);
}

int
green__sys_getsockopt(green_fd fd, int level, int name, void *value, socklen_t *size)
{
        return getsockopt(fd, level, name, value, size) != 0 ? -errno : 0;
}

int
green__sys_setsockopt(green_fd fd, int level, int name, const void *value, socklen_t size)
{
        return setsockopt(fd, level, name, value, size) != 0 ? -errno : 0;
}

static int
switch_on(green_fd fd, int level, int name)
{
        int on = 1;

        return green__sys_setsockopt(fd, level, name, &on, sizeof on);
}

int
green__sys_reuse_addr(green_fd fd)
{
        return switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
}

int
green__sys_reuse_port(green_fd fd)
{
#ifdef SO_REUSEPORT
        return switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
#else
        return -ENOPROTOOPT;
#endif
}

int
green__sys_no_delay(green_fd fd)
{
        return switch_on(fd, IPPROTO_TCP, TCP_NODELAY);
}

ssize_t
green__sys_recv(green_fd fd, void *buf, size_t len, int flags)
{
        ssize_t n;

        do
                n = result(recv(fd, buf, len, flags | MSG_DONTWAIT));
        while (green__unlikely(n == -EINTR));
        return green__count_received(n == -EWOULDBLOCK ? -EAGAIN : n, flags);
}

ssize_t
green__sys_recvfrom(green_fd fd, void *buf, size_t len, int flags, struct green_addr *ret_from)
{
        struct green_addr from;
        ssize_t n;

        do {
                from.size = sizeof from.data;
                n = result(recvfrom(fd, buf, len, flags | MSG_DONTWAIT, (struct sockaddr *)&from.data, &from.size));
        } while (green__unlikely(n == -EINTR));
        if (n >= 0)
                *ret_from = from;
        return green__count_received(n == -EWOULDBLOCK ? -EAGAIN : n, flags);
}

ssize_t
green__sys_send(green_fd fd, const void *buf, size_t len, int flags)
{
        ssize_t n;

        do
                n = result(send(fd, buf, len, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
        while (green__unlikely(n == -EINTR));
        return green__count_written(n == -EWOULDBLOCK ? -EAGAIN : n);
}

ssize_t
green__sys_sendv(green_fd fd, const struct green_iovec *iov, size_t n, int flags)
{
        struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n < IOV_MAX ? n : IOV_MAX};
        ssize_t sent;

        do
                sent = result(sendmsg(fd, &msg, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
        while (green__unlikely(sent == -EINTR));
        return green__count_written(sent == -EWOULDBLOCK ? -EAGAIN : sent);
}

ssize_t
green__sys_sendto(green_fd fd, const void *buf, size_t len, int flags, const struct green_addr *to)
{
        socklen_t size;
        const struct sockaddr *sa = green_addr_sockaddr(to, &size);
        ssize_t n;

        do
                n = result(sendto(fd, buf, len, flags | MSG_DONTWAIT | MSG_NOSIGNAL, sa, size));
        while (green__unlikely(n == -EINTR));
        return green__count_written(n == -EWOULDBLOCK ? -EAGAIN : n);
}

ssize_t
green__sys_readable(green_fd fd)
{
        char byte;
        ssize_t n = green__sys_recv(fd, &byte, sizeof byte, MSG_PEEK);

        return n > 0 ? 0 : n;
}

int64_t
green__sys_now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
in_child(void)
{
        green__sys_forks++;
        green__sys_splits++;
}

static void
in_parent(void)
{
        green__sys_splits++;
}

static void
install(void)
{
        /* Where it fails, a child sees waiters of its parent on a socket: it closes before it frees, and loses nothing. */
        (void)pthread_atfork(NULL, in_parent, in_child);
}

void
green__sys_watch_forks(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        pthread_once(&once, install);
}
