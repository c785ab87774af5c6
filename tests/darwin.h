/*
 * What the tests, written for Linux and the BSDs, find on macOS, which has these flags and calls not. Each is two steps.
 */
#ifndef GREEN_TESTS_DARWIN_H
#define GREEN_TESTS_DARWIN_H

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCK_CLOEXEC 0x10000000
#define SOCK_NONBLOCK 0x20000000

static inline int
darwin__flagged(int fd, int flags)
{
        if (fd < 0)
                return fd;
        if (((flags & (SOCK_CLOEXEC | O_CLOEXEC)) != 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) ||
            ((flags & (SOCK_NONBLOCK | O_NONBLOCK)) != 0 && fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
                close(fd);
                return -1;
        }
        return fd;
}

static inline int
darwin__pair(int rc, int fds[2], int flags)
{
        if (rc != 0)
                return rc;
        if (darwin__flagged(fds[0], flags) < 0) {
                close(fds[1]);
                return -1;
        }
        if (darwin__flagged(fds[1], flags) < 0) {
                close(fds[0]);
                return -1;
        }
        return 0;
}

#define DARWIN__TYPE(type) ((type) & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
#define DARWIN__FLAGS(type) ((type) & (SOCK_CLOEXEC | SOCK_NONBLOCK))
#define socket(family, type, protocol)                                                                                 \
        darwin__flagged(socket(family, DARWIN__TYPE(type), protocol), DARWIN__FLAGS(type))
#define socketpair(family, type, protocol, fds)                                                                        \
        darwin__pair(socketpair(family, DARWIN__TYPE(type), protocol, fds), fds, DARWIN__FLAGS(type))

static inline int
pipe2(int fds[2], int flags)
{
        return darwin__pair(pipe(fds), fds, flags);
}

static inline int
dup3(int from, int to, int flags)
{
        if (from == to) {
                errno = EINVAL;
                return -1;
        }
        return darwin__flagged(dup2(from, to), flags);
}

#endif
