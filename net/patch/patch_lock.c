/*
 * Mutexes of foreign code.
 *
 * The mutex stays libc's: whoever takes it takes it by libc's function, so that unpatched code and other OS threads see
 * what they would see anyway. A green thread that would have to wait stands in a list instead of stopping its OS
 * thread.
 *
 * To libc all green threads of an OS thread are the same owner. Where that matters, in recursive and error-checking
 * mutexes, the green thread is noted in a word of the mutex that libc does not use. It counts only while the OS thread
 * holds the mutex. 0 stands for the OS thread's own green thread, so what that has locked before patching is its own.
 *
 * A mutex that another OS thread holds may be unlocked by code that is not patched, without a word: then the first in
 * line looks from time to time.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <errno.h>

#include "../check.h"
#include "patch_native.h"

/* Does this OS thread hold it? */
static inline bool
held_here(const pthread_mutex_t *m)
{
        return green__native_mutex_owner(m) == green__lot_tid();
}

/* Noted owner; 0 where nothing can be noted. */
static inline uint32_t
noted(pthread_mutex_t *m)
{
        uint32_t *room = green__native_mutex_room(m);

        return room == NULL ? 0 : __atomic_load_n(room, __ATOMIC_RELAXED);
}

static inline void
note(pthread_mutex_t *m, uint32_t owner)
{
        uint32_t *room = green__native_mutex_room(m);

        if (room != NULL)
                __atomic_store_n(room, owner, __ATOMIC_RELAXED);
}

static inline bool
is_plain(const pthread_mutex_t *m)
{
        return green__native_mutex_kind(m) == GREEN__NATIVE_NORMAL;
}

/* As the native trylock of an owner that is a green thread. */
static int
try_as(pthread_mutex_t *m, uint32_t owner)
{
        int rc;

        if (held_here(m) && noted(m) != owner && green__native_mutex_room(m) != NULL)
                return EBUSY;
        rc = pthread_mutex_trylock(m);
        if (rc == 0 || rc == EOWNERDEAD)
                note(m, owner);
        return rc;
}

/* ---- waiting */

static bool
take(struct green__lot_wait *w)
{
        pthread_mutex_t *m = w->object;
        int rc = is_plain(m) ? pthread_mutex_trylock(m) : try_as(m, (uint32_t)w->owner);

        if (rc == EBUSY)
                return false;
        w->code = rc;
        return true;
}

static bool
held_elsewhere(struct green__lot_wait *w)
{
        return !held_here(w->object);
}

static int
wait_for(pthread_mutex_t *m, uint32_t owner, const struct green__lot_limit *limit)
{
        struct green__lot_wait w = {
                .key = m, .object = m, .owner = owner, .try = take, .silent = held_elsewhere, .shielded = true};

        return green__lot_wait(&w, limit);
}

/* The OS thread as a whole waits. */
static int
lock_native(pthread_mutex_t *m, const struct green__lot_limit *limit)
{
        int rc;

        if (limit == NULL)
                rc = pthread_mutex_lock(m);
        else if (limit->clock == CLOCK_REALTIME)
                rc = pthread_mutex_timedlock(m, limit->until);
        else
                rc = ((int (*)(pthread_mutex_t *, clockid_t, const struct timespec *))green_original(
                        "pthread_mutex_clocklock"))(m, limit->clock, limit->until);
        if (rc == 0 && !is_plain(m))
                note(m, 0);
        return rc;
}

int
green__mutex_lock(pthread_mutex_t *m, const struct green__lot_limit *limit)
{
        uint32_t owner = 0;
        int rc;

        if (green__likely(is_plain(m))) {
                rc = pthread_mutex_trylock(m);
                if (green__likely(rc != EBUSY))
                        return rc;
                return green__patch_may_wait() ? wait_for(m, 0, limit) : lock_native(m, limit);
        }
        owner = (uint32_t)green__pt_owner();
        if (held_here(m) && noted(m) == owner && green__native_mutex_kind(m) == GREEN__NATIVE_ERRORCHECK)
                return EDEADLK;
        rc = try_as(m, owner);
        if (rc != EBUSY)
                return rc;
        return green__patch_may_wait() ? wait_for(m, owner, limit) : lock_native(m, limit);
}

int
green__mutex_trylock(pthread_mutex_t *m)
{
        return green__likely(is_plain(m)) ? pthread_mutex_trylock(m) : try_as(m, (uint32_t)green__pt_owner());
}

int
green__mutex_unlock(pthread_mutex_t *m)
{
        int rc;

        if (green__unlikely(!is_plain(m)) && held_here(m)) {
                if (noted(m) != (uint32_t)green__pt_owner() && green__native_mutex_room(m) != NULL)
                        return EPERM;
                if (green__native_mutex_depth(m) <= 1)
                        note(m, 0);
        }
        rc = pthread_mutex_unlock(m);
        if (green__likely(rc == 0))
                green__lot_serve(m);
        return rc;
}

/* ---- what is put in place */

static int
lock(pthread_mutex_t *m)
{
        return green__mutex_lock(m, NULL);
}

static int
timed_lock(pthread_mutex_t *m, const struct timespec *until)
{
        struct green__lot_limit limit = {CLOCK_REALTIME, until};

        return green__mutex_lock(m, &limit);
}

static int
clock_lock(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
        struct green__lot_limit limit = {clock, until};

        if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
                return EINVAL;
        return green__mutex_lock(m, &limit);
}

/* ---- spin locks: nobody spins for a green thread of the same OS thread */

static int
spin_lock(pthread_spinlock_t *lock)
{
        int tries = 0;

        while (pthread_spin_trylock(lock) != 0) {
                if (++tries < 100)
                        continue;
                tries = 0;
                if (green__patch_may_wait())
                        green__pt_yield();
        }
        return 0;
}

const struct patch_entry green__patch_lock[] = {
        PATCH_ENTRY("pthread_mutex_lock", lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_mutex_lock", lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_mutex_trylock", green__mutex_trylock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_mutex_trylock", green__mutex_trylock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_mutex_timedlock", timed_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_mutex_clocklock", clock_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_mutex_unlock", green__mutex_unlock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_mutex_unlock", green__mutex_unlock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_spin_lock", spin_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRIES_END,
};
