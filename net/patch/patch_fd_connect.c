/*
 * connect() and accept().
 *
 * No flag of a call makes these two not wait. connect() is begun with O_NONBLOCK, which is taken away again before
 * anything waits: a socket that is not connected yet is hardly ever shared. A listener often is, with processes that
 * would see the flag, so accept() is made only after poll() has said that somebody is there. Where another process or
 * OS thread takes that one first the system's call would wait, so a listener that may be shared is accepted under a
 * timer: see patch_fd_guard.c.
 */
#include "patch_fd_priv.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "patch_fd_guard.h"

static bool
is_ready(int fd, short events)
{
        struct pollfd p = {.fd = fd, .events = events};

        return poll(&p, 1, 0) > 0;
}

/* ---- connect */

/* One try that does not wait. flags: of the descriptor, which are as they were afterwards. */
static int
try_connect(int fd, int flags, const struct sockaddr *addr, socklen_t size)
{
        int rc, code;

        if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
                return -1;
        rc = connect(fd, addr, size);
        code = errno;
        (void)fcntl(fd, F_SETFL, flags);
        errno = code;
        return rc;
}

static double
limit_of(int fd)
{
        struct timeval tv = {0, 0};
        socklen_t size = sizeof tv;

        if (getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &size) != 0 || (tv.tv_sec == 0 && tv.tv_usec == 0))
                return GREEN_FOREVER;
        return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

/*
 * Under way: wait for its end. 0, or -1 with errno. What the system says then to the same call is its outcome, and
 * leaves the socket as a call that has waited would.
 */
static int
finish_connect(int fd, const struct sockaddr *addr, socklen_t size, struct green__limit *limit)
{
        double left;
        int rc;

        while (!is_ready(fd, POLLOUT)) {
                left = green__limit_left(limit);
                rc = left <= 0 ? -ETIMEDOUT : green__patch_wait(fd, GREEN_WRITE, left, limit->timeout < GREEN_FOREVER);
                if (rc == -ETIMEDOUT) {
                        errno = EINPROGRESS;
                        return -1;
                }
                if (rc != 0)
                        return green__patch_fail(rc);
        }
        return connect(fd, addr, size) == 0 || errno == EISCONN ? 0 : -1;
}

/* A listener of this machine whose queue is full; nothing tells when it no longer is. 0, or -1 with errno. */
static int
wait_for_queue(struct green__limit *limit, double *pause)
{
        enum { MILLISECOND = 1000, LONGEST = 50 };
        double left = green__limit_left(limit);
        int rc;

        if (left <= 0) {
                errno = EAGAIN;
                return -1;
        }
        if (*pause < (double)LONGEST / MILLISECOND)
                *pause = *pause == 0 ? 1.0 / MILLISECOND : *pause * 2;
        rc = green__patch_sleep(*pause < left ? *pause : left);
        return rc == 0 ? 0 : green__patch_fail(rc);
}

int
green__patch_fn_connect(int fd, const struct sockaddr *addr, socklen_t size)
{
        struct green__limit limit = {.timeout = GREEN_FOREVER, .start = -1};
        double pause = 0;
        int saved = errno, rc = green__patch_begin(), flags;

        if (rc < 0)
                return -1;
        flags = rc == 0 ? -1 : fcntl(fd, F_GETFL);
        if (flags < 0 || flags & O_NONBLOCK || fd <= STDERR_FILENO) {
                errno = saved;
                return connect(fd, addr, size);
        }
        while ((rc = try_connect(fd, flags, addr, size)) != 0 && errno == EAGAIN) {
                if (pause == 0)
                        limit.timeout = limit_of(fd);
                if (wait_for_queue(&limit, &pause) != 0)
                        return -1;
        }
        if (rc != 0 && (errno == EINPROGRESS || errno == EALREADY)) {
                limit.timeout = limit_of(fd);
                rc = finish_connect(fd, addr, size, &limit);
        }
        return rc == 0 ? (int)green__patch_done(0, saved) : -1;
}

/* ---- accept */

/* Does it wait for connections at all? What does not fails at once. */
static bool
is_listener(int fd)
{
        int yes = 0;
        socklen_t size = sizeof yes;

        return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes;
}

int
green__patch_fn_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
        struct patch_blocked b = PATCH_BLOCKED;
        const socklen_t room = size != NULL ? *size : 0;
        int rc = green__patch_begin(), client;

        if (green__unlikely(rc <= 0))
                return rc == 0 ? accept4(fd, addr, size, flags) : -1;
        for (;;) {
                if (is_ready(fd, POLLIN)) {
                        client = green__patch_guarded_accept(fd, addr, size, flags);
                        if (client >= 0)
                                break;
                        if (errno != EAGAIN)
                                return -1;
                        if (size != NULL)
                                *size = room;
                } else if (b.tries == 0 && !is_listener(fd)) {
                        return accept4(fd, addr, size, flags);
                } else {
                        errno = EAGAIN;
                }
                if (green__patch_block(&b, fd, GREEN_READ) != 0)
                        return -1;
        }
        green__patch_opened(client, PATCH_SOCKET | (green__patch_known(fd) & PATCH_LOWAT));
        return (int)green__patch_done(client, b.saved);
}

int
green__patch_fn_accept(int fd, struct sockaddr *addr, socklen_t *size)
{
        return green__patch_fn_accept4(fd, addr, size, 0);
}
