/*
 * What the parts of kqueue_shim.c share: the system calls that it makes, and whether a filter holds.
 */
#ifndef GREEN_TESTS_KQUEUE_SHIM_H
#define GREEN_TESTS_KQUEUE_SHIM_H

#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Does the filter of a descriptor hold? Then *ret_event is what to report. */
bool kqueue_shim_holds(const struct kevent *filter, struct kevent *ret_event);

/* Is this a pipe that nobody reads any more? It gets no filter for writing. */
bool kqueue_shim_is_broken(int fd);

/*
 * This stands for the kernel, so it does not ask by the names of the C library's that tests have fail, or count.
 */
static inline int
sys_close(int fd)
{
        return (int)syscall(SYS_close, (long)fd);
}

static inline int
sys_epoll_create(int flags)
{
        return (int)syscall(SYS_epoll_create1, (long)flags);
}

static inline int
sys_epoll_ctl(int kq, int what, int fd, struct epoll_event *event)
{
        return (int)syscall(SYS_epoll_ctl, (long)kq, (long)what, (long)fd, event);
}

/* What there is now. */
static inline int
sys_epoll_wait(int kq, struct epoll_event *events, int max)
{
        return (int)syscall(SYS_epoll_pwait, (long)kq, events, (long)max, 0L, NULL, 0L);
}

static inline int
sys_fcntl(int fd, int what)
{
        return (int)syscall(SYS_fcntl, (long)fd, (long)what, 0L);
}

static inline int
sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
        return (int)syscall(SYS_getsockopt, (long)fd, (long)level, (long)name, value, len);
}

static inline int
sys_poll(struct pollfd *p, struct timespec *limit)
{
        return (int)syscall(SYS_ppoll, p, 1L, limit, NULL, 0L);
}

#endif
