/*
 * Condition variables with a clock. See os_cond.h.
 */
#include "os_cond.h"

void
green__os_cond_init(pthread_cond_t *cond)
{
        pthread_condattr_t attr;

        (void)pthread_condattr_init(&attr);
        (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        (void)pthread_cond_init(cond, &attr);
        (void)pthread_condattr_destroy(&attr);
}

int
green__os_cond_until(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
        return pthread_cond_timedwait(cond, lock, until);
}
