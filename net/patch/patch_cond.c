/*
 * Condition variables and barriers of foreign code.
 *
 * Green threads wait in lists, OS threads in libc; who signals wakes one of each, since a wake-up too many is allowed.
 * A signal by code that is not patched does not reach green threads.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <errno.h>

#include "patch_native.h"

/* ---- condition variables */

static int
wait_native(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct green__lot_limit *limit)
{
        if (limit == NULL)
                return pthread_cond_wait(cond, mutex);
        if (limit->clock == green__native_cond_clock(cond))
                return pthread_cond_timedwait(cond, mutex, limit->until);
        return ((int (*)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))green_original(
                "pthread_cond_clockwait"))(cond, mutex, limit->clock, limit->until);
}

/* It is a cancellation point, but neither killed nor timed out: the caller could not tell, and the mutex is always
 * taken. */
int
green__cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct green__lot_limit *limit)
{
        static const struct green__lot_limit none;
        struct green__lot_wait w = {.key = cond, .object = cond, .shielded = true};
        struct green__pt *pt;
        int rc, locked;

        if (limit == NULL)
                limit = &none;
        if (!green__lot_limit_ok(limit))
                return EINVAL;
        if (!green__patch_may_wait())
                return wait_native(cond, mutex, limit->until == NULL ? NULL : limit);
        pt = green__pt_self();
        if (pt != NULL)
                green__pt_act(pt);
        green__lot_enter(&w);
        rc = green__mutex_unlock(mutex);
        if (rc != 0) {
                green__lot_leave(&w);
                return rc;
        }
        if (pt != NULL && !pt->no_cancel)
                pt->wait = &w;
        rc = green__lot_park(&w, limit);
        if (pt != NULL)
                pt->wait = NULL;
        locked = green__mutex_lock(mutex, NULL);
        if (rc == GREEN__LOT_CANCELLED)
                green__pt_act(pt);
        if (locked != 0)
                return locked;
        return rc > 0 ? rc : 0;
}

int
green__cond_signal(pthread_cond_t *cond)
{
        (void)green__lot_tell(cond, 1);
        return pthread_cond_signal(cond);
}

int
green__cond_broadcast(pthread_cond_t *cond)
{
        (void)green__lot_tell(cond, UINT32_MAX);
        return pthread_cond_broadcast(cond);
}

static int
wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
        return green__cond_wait(cond, mutex, NULL);
}

static int
timed_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
        struct green__lot_limit limit = {green__native_cond_clock(cond), until};

        return green__cond_wait(cond, mutex, &limit);
}

static int
clock_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
        struct green__lot_limit limit = {clock, until};

        if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
                return EINVAL;
        return green__cond_wait(cond, mutex, &limit);
}

/* ---- barriers: those of a barrier are all green threads, or all OS threads */

static int
barrier_wait(pthread_barrier_t *barrier)
{
        unsigned count = green__native_barrier_count(barrier);
        struct green__lot_wait w = {.key = barrier, .object = barrier, .shielded = true};
        static const struct green__lot_limit none;

        if (count == 0 || !green__patch_may_wait())
                return pthread_barrier_wait(barrier);
        if (green__lot_meet(&w, count))
                return PTHREAD_BARRIER_SERIAL_THREAD;
        (void)green__lot_park(&w, &none);
        return 0;
}

const struct patch_entry green__patch_cond[] = {
        PATCH_ENTRY("pthread_cond_wait", wait_for, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_cond_timedwait", timed_wait, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_cond_clockwait", clock_wait, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_cond_signal", green__cond_signal, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_cond_broadcast", green__cond_broadcast, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_barrier_wait", barrier_wait, GREEN_PATCH_THREAD),
        PATCH_ENTRIES_END,
};
