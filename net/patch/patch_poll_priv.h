/*
 * Between patch_poll.c, patch_select.c and patch_epoll.c.
 */
#ifndef GREEN_PATCH_POLL_PRIV_H
#define GREEN_PATCH_POLL_PRIV_H

#include <config.h>

#include <signal.h>
#include <time.h>

#include <green/poll.h>

#include "../poll_priv.h"
#include "../socket_priv.h"
#include "patch_priv.h"

/*
 * Wait in the system's name until one of the rows is ready, with the mask of signals that the call was given, or NULL. As
 * green_poll(), but -EINTR: a handler ran. Rows that were closed meanwhile are told.
 */
int green__patch_poll_wait(struct green__poll_wait *w, double seconds, const sigset_t *mask);

/* A call with a time limit of 0 has ended: one that is made over and over lets others run. Keeps errno. */
void green__patch_polled(int count);

/* How a call ends: rc as of green__patch_poll_wait(). */
static inline int
green__patch_poll_end(int rc, int saved)
{
        if (rc >= 0) {
                errno = saved;
                return rc;
        }
        if (rc == -EINTR || rc == -EBADF || rc == -EINVAL || rc == -EFAULT || rc == -ENOMEM) {
                errno = -rc;
                return -1;
        }
        return green__patch_fail(rc);
}

/* A time limit that the system would take. NULL waits for good. */
static inline bool
green__patch_time_ok(const struct timespec *ts)
{
        return ts == NULL || (ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < 1000000000);
}

static inline double
green__patch_seconds(const struct timespec *ts)
{
        return ts == NULL ? GREEN_FOREVER : (double)ts->tv_sec + (double)ts->tv_nsec / 1e9;
}

/* The replacements that the table names, by file. */
int green__patch_fn_select(int n, fd_set *readers, fd_set *writers, fd_set *others, struct timeval *limit);
int green__patch_fn_pselect(int n, fd_set *readers, fd_set *writers, fd_set *others, const struct timespec *limit,
                            const sigset_t *mask);

struct epoll_event;
int green__patch_fn_epoll_wait(int fd, struct epoll_event *events, int max, int limit);
int green__patch_fn_epoll_pwait(int fd, struct epoll_event *events, int max, int limit, const sigset_t *mask);
int green__patch_fn_epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *limit,
                                 const sigset_t *mask);

#endif
