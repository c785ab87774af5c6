/* Messages of sockets in several parts, and what else of them hub_late_op.c calls. In epoll.c. */
#ifndef GREEN_TESTS_WIN32_UIO_H
#define GREEN_TESTS_WIN32_UIO_H

#include <stdint.h>

#include "../win32.h"

struct iovec {
        void *iov_base;
        size_t iov_len;
};

struct msghdr {
        void *msg_name;
        socklen_t msg_namelen;
        struct iovec *msg_iov;
        size_t msg_iovlen;
};

ssize_t sendmsg(uintptr_t fd, const struct msghdr *message, int flags);
ssize_t recvmsg(uintptr_t fd, struct msghdr *message, int flags);
ssize_t readv(uintptr_t fd, const struct iovec *iov, int n);
ssize_t writev(uintptr_t fd, const struct iovec *iov, int n);
/* Refused: files are not for these. */
ssize_t preadv(uintptr_t fd, const struct iovec *iov, int n, int64_t offset);
ssize_t pwritev(uintptr_t fd, const struct iovec *iov, int n, int64_t offset);

/* With errno, and codes of errno. */
int win32_connect(uintptr_t fd, const struct sockaddr *name, socklen_t len);
int win32_getsockopt(uintptr_t fd, int level, int option, void *value, socklen_t *len);

#define recv(fd, bytes, len, flags) win32_recv((int)(fd), bytes, len, (flags) & ~MSG_DONTWAIT)
#define connect(fd, name, len) win32_connect(fd, name, len)
#define getsockopt(fd, level, option, value, len) win32_getsockopt(fd, level, option, value, len)

/* No signal comes of a broken pipe. */
#define sigtimedwait(set, info, limit) ((void)(limit), -1)

#endif
