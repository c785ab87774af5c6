/*
 * epoll_wait() and its kind. An epoll descriptor is one that can be waited for: it is readable when it has something to
 * tell.
 */
#include "patch_poll_priv.h"

#include <poll.h>
#include <sys/epoll.h>

/* Until it is readable. 0, or a code. */
static int
wait_readable(int fd, double seconds, const sigset_t *mask)
{
        struct pollfd row = {.fd = fd, .events = POLLIN};
        struct green__poll_wait w = {.fds = &row, .n = 1};
        int rc;

        if (mask == NULL)
                return green__patch_wait(fd, GREEN_READ, seconds, true);
        rc = green__patch_poll_wait(&w, seconds, mask);
        if (rc == 0)
                return -ETIMEDOUT;
        return rc > 0 ? 0 : rc;
}

static int
wait_for_events(int fd, struct epoll_event *events, int max, double seconds, const sigset_t *mask)
{
        struct green__limit limit = {.timeout = seconds, .start = -1};
        int n, rc, saved = errno;

        for (;;) {
                double left;

                n = epoll_pwait(fd, events, max, 0, mask);
                if (n != 0)
                        break;
                left = green__limit_left(&limit);
                rc = left > 0 ? wait_readable(fd, left, mask) : -ETIMEDOUT;
                if (rc == -ETIMEDOUT)
                        return green__patch_poll_end(0, saved);
                if (rc != 0)
                        return green__patch_poll_end(rc, saved);
        }
        if (n > 0)
                green__patch_turn();
        return n;
}

int
green__patch_fn_epoll_pwait(int fd, struct epoll_event *events, int max, int limit, const sigset_t *mask)
{
        int n, rc;

        if (limit == 0) {
                n = epoll_pwait(fd, events, max, 0, mask);
                green__patch_polled(n);
                return n;
        }
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? epoll_pwait(fd, events, max, limit, mask) : -1;
        return wait_for_events(fd, events, max, limit < 0 ? GREEN_FOREVER : (double)limit / 1e3, mask);
}

int
green__patch_fn_epoll_wait(int fd, struct epoll_event *events, int max, int limit)
{
        return green__patch_fn_epoll_pwait(fd, events, max, limit, NULL);
}

/* The system's: by its name, since not each libc has it. Where it has not, no code imports it. */
static int
plain_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *limit, const sigset_t *mask)
{
        typedef int call(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
        call *plain = (call *)green_original("epoll_pwait2");

        if (plain == NULL) {
                errno = ENOSYS;
                return -1;
        }
        return plain(fd, events, max, limit, mask);
}

int
green__patch_fn_epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *limit,
                             const sigset_t *mask)
{
        int rc;

        if (!green__patch_time_ok(limit)) {
                errno = EINVAL;
                return -1;
        }
        if (limit != NULL && limit->tv_sec == 0 && limit->tv_nsec == 0)
                return green__patch_fn_epoll_pwait(fd, events, max, 0, mask);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? plain_pwait2(fd, events, max, limit, mask) : -1;
        return wait_for_events(fd, events, max, green__patch_seconds(limit), mask);
}
