/*
 * Condition variables without a clock, on macOS: what is left is computed anew for each wait. See os_cond.h.
 */
#include <errno.h>
#include <stdbool.h>

#include "os_cond.h"

enum { NANO = 1000000000 };

void
green__os_cond_init(pthread_cond_t *cond)
{
        (void)pthread_cond_init(cond, NULL);
}

/* False: the time has come. */
static bool
time_left(const struct timespec *until, struct timespec *ret_left)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        ret_left->tv_sec = until->tv_sec - now.tv_sec;
        ret_left->tv_nsec = until->tv_nsec - now.tv_nsec;
        if (ret_left->tv_nsec < 0) {
                ret_left->tv_nsec += NANO;
                ret_left->tv_sec--;
        }
        return ret_left->tv_sec > 0 || (ret_left->tv_sec == 0 && ret_left->tv_nsec > 0);
}

/* It may measure by another clock: what it calls the end is asked of ours, and a wake-up too many is no harm. */
int
green__os_cond_until(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
        struct timespec left;

        if (!time_left(until, &left))
                return ETIMEDOUT;
        (void)pthread_cond_timedwait_relative_np(cond, lock, &left);
        return 0;
}
