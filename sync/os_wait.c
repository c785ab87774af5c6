/*
 * How an OS thread waits as a whole.
 */
#include <errno.h>
#include <time.h>

#include "os_thread.h"
#include "os_wait.h"

void
green__os_wait_begin(struct green__os_wait *w)
{
        (void)pthread_mutex_init(&w->lock, NULL);
        green__os_cond_init(&w->changed);
        w->done = false;
}

/* Rounded up: never early. More seconds than there can be are for good. */
static bool
deadline(double seconds, struct timespec *ret_time)
{
        enum { NANO = 1000000000 };
        double whole;

        if (seconds >= 1e9)
                return false;
        whole = (double)(int64_t)seconds;
        (void)clock_gettime(CLOCK_MONOTONIC, ret_time);
        ret_time->tv_sec += (time_t)whole;
        ret_time->tv_nsec += (long)((seconds - whole) * NANO) + 1;
        if (ret_time->tv_nsec >= NANO) {
                ret_time->tv_nsec -= NANO;
                ret_time->tv_sec++;
        }
        return true;
}

bool
green__os_wait_for(struct green__os_wait *w, double timeout)
{
        struct timespec until;
        bool limited = deadline(timeout, &until), done;
        int err = 0;

        (void)pthread_mutex_lock(&w->lock);
        while (!w->done && err != ETIMEDOUT)
                err = limited ? green__os_cond_until(&w->changed, &w->lock, &until)
                              : pthread_cond_wait(&w->changed, &w->lock);
        done = w->done;
        (void)pthread_mutex_unlock(&w->lock);
        return done;
}

/* Told under the lock: the waiter cannot be gone before. */
void
green__os_wake(struct green__os_wait *w)
{
        (void)pthread_mutex_lock(&w->lock);
        w->done = true;
        (void)pthread_cond_signal(&w->changed);
        (void)pthread_mutex_unlock(&w->lock);
}

void
green__os_wait_end(struct green__os_wait *w)
{
        (void)pthread_cond_destroy(&w->changed);
        (void)pthread_mutex_destroy(&w->lock);
}
