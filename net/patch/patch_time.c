/*
 * sleep() and its kind, for foreign code: see patch_priv.h.
 *
 * A time on a clock that can be set is looked at again and again, so that a clock that was set is noticed within a
 * second. One that counts work goes on only while there is some: it is looked at more often.
 */
#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <green/thread.h>

#include "patch_signal.h"

#define SECOND INT64_C(1000000000)

/* The longest sleep between two looks at a clock, in seconds. */
#define LOOK_AT_SET_CLOCK 1.0
#define LOOK_AT_WORK_CLOCK 0.005

/* Beyond so many seconds a sum of nanoseconds would not fit: as good as for ever. */
#define FOR_EVER (INT64_MAX / SECOND / 2)

static int64_t
nanoseconds(const struct timespec *t)
{
        int64_t seconds = t->tv_sec;

        return seconds > FOR_EVER ? FOR_EVER * SECOND : seconds * SECOND + t->tv_nsec;
}

static int64_t
now_on(clockid_t clock)
{
        struct timespec t;

        return clock_gettime(clock, &t) != 0 ? 0 : nanoseconds(&t);
}

static double
longest_sleep(clockid_t clock)
{
        switch (clock) {
        case CLOCK_MONOTONIC:
                return GREEN_FOREVER;
        case CLOCK_PROCESS_CPUTIME_ID:
                return LOOK_AT_WORK_CLOCK;
        default:
                return LOOK_AT_SET_CLOCK;
        }
}

/* Until a clock shows this. What is left, where something ends it before: 0 or what green__patch_sleep() says. */
static int
sleep_until(clockid_t clock, int64_t end, int64_t *ret_left)
{
        double most = longest_sleep(clock);
        int64_t left = end - now_on(clock);
        int rc, error = errno;

        do {
                double seconds = left > 0 ? (double)left / 1e9 : 0;

                rc = green__patch_sleep(seconds < most ? seconds : most);
                left = end - now_on(clock);
        } while (rc == 0 && left > 0);
        *ret_left = left > 0 ? left : 0;
        errno = error;
        return rc;
}

/* For so long, on the clock that nobody sets. */
static int
sleep_for(int64_t ns, int64_t *ret_left)
{
        return sleep_until(CLOCK_MONOTONIC, now_on(CLOCK_MONOTONIC) + ns, ret_left);
}

static bool
is_valid(const struct timespec *t)
{
        return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < SECOND;
}

static void
tell_left(struct timespec *ret_left, int64_t left)
{
        if (ret_left != NULL)
                *ret_left = (struct timespec){.tv_sec = (time_t)(left / SECOND), .tv_nsec = (long)(left % SECOND)};
}

/* ---- what stands for libc's */

/*
 * What is left counts in whole seconds: so a caller that sleeps again for what was left comes to an end, also where it
 * was killed and each sleep fails at once.
 */
static unsigned
patched_sleep(unsigned seconds)
{
        int64_t left;
        int rc;

        if (!green__patch_may_wait())
                return sleep(seconds);
        rc = sleep_for((int64_t)seconds * SECOND, &left);
        if (rc == 0)
                return 0;
        (void)green__patch_fail(rc);
        return (unsigned)(left / SECOND);
}

static int
patched_usleep(useconds_t us)
{
        int64_t left;
        int rc;

        if (!green__patch_may_wait())
                return usleep(us);
        rc = sleep_for((int64_t)us * 1000, &left);
        return rc == 0 ? 0 : green__patch_fail(rc);
}

static int
patched_nanosleep(const struct timespec *t, struct timespec *ret_left)
{
        int64_t left;
        int rc;

        if (!green__patch_may_wait() || t == NULL || !is_valid(t))
                return nanosleep(t, ret_left);
        rc = sleep_for(nanoseconds(t), &left);
        if (rc == 0)
                return 0;
        tell_left(ret_left, left);
        return green__patch_fail(rc);
}

/* Its result is the number of the error; errno is not touched. */
static int
patched_clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *ret_left)
{
        bool absolute = (flags & TIMER_ABSTIME) != 0;
        int error = errno, rc;
        struct timespec now;
        int64_t left;

        /* The system knows which clocks there are, and which of them one can sleep on. */
        if (!green__patch_may_wait() || t == NULL || !is_valid(t) || clock == CLOCK_THREAD_CPUTIME_ID ||
            clock_gettime(clock, &now) != 0) {
                errno = error;
                return clock_nanosleep(clock, flags, t, ret_left);
        }
        if (absolute)
                rc = sleep_until(clock, nanoseconds(t), &left);
        else if (clock == CLOCK_PROCESS_CPUTIME_ID)
                rc = sleep_until(clock, nanoseconds(&now) + nanoseconds(t), &left);
        else
                rc = sleep_for(nanoseconds(t), &left);
        if (rc == 0)
                return 0;
        if (!absolute)
                tell_left(ret_left, left);
        (void)green__patch_fail(rc);
        rc = errno;
        errno = error;
        return rc;
}

/* -1 means a signal, anything below another error. */
static int
patched_thrd_sleep(const struct timespec *t, struct timespec *ret_left)
{
        int rc = patched_clock_nanosleep(CLOCK_MONOTONIC, 0, t, ret_left);

        if (rc == 0)
                return 0;
        errno = rc;
        return rc == EINTR ? -1 : -2;
}

const struct patch_entry green__patch_time[] = {
        PATCH_ENTRY("sleep", patched_sleep, GREEN_PATCH_TIME),
        PATCH_ENTRY("usleep", patched_usleep, GREEN_PATCH_TIME),
        PATCH_ENTRY("nanosleep", patched_nanosleep, GREEN_PATCH_TIME),
        PATCH_ENTRY("__nanosleep", patched_nanosleep, GREEN_PATCH_TIME),
        PATCH_ENTRY("clock_nanosleep", patched_clock_nanosleep, GREEN_PATCH_TIME),
        PATCH_ENTRY("thrd_sleep", patched_thrd_sleep, GREEN_PATCH_TIME),
        PATCH_ENTRIES_END,
};
