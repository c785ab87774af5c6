/*
 * Read-write locks and semaphores of foreign code: libc's function that does not wait, and a place in a list where that
 * says no.
 *
 * Who holds a read-write lock for reading cannot be known, so the first in line looks from time to time whether
 * unpatched code has released it. As in libc, readers come in while a writer waits.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <errno.h>
#include <semaphore.h>

#include "../check.h"
#include "patch_native.h"

static bool
always(struct green__lot_wait *w)
{
        (void)w;
        return true;
}

/* ---- read-write locks */

static bool
take_read(struct green__lot_wait *w)
{
        w->code = pthread_rwlock_tryrdlock(w->object);
        return w->code != EBUSY;
}

/* libc notes the OS thread that writes; which of its green threads it is, is noted here. It counts only meanwhile. */
static int
try_write(pthread_rwlock_t *lock, uint32_t owner)
{
        uint32_t *room = green__native_rwlock_room(lock);
        int rc = pthread_rwlock_trywrlock(lock);

        if (rc == 0 && room != NULL)
                __atomic_store_n(room, owner, __ATOMIC_RELAXED);
        return rc;
}

static bool
take_write(struct green__lot_wait *w)
{
        w->code = try_write(w->object, (uint32_t)w->owner);
        return w->code != EBUSY;
}

/* Does the caller itself hold it for writing? Then it would wait for good, and libc says EDEADLK. */
static bool
writes_it(pthread_rwlock_t *lock, uint32_t owner)
{
        uint32_t *room = green__native_rwlock_room(lock);

        return room != NULL && green__native_rwlock_writer(lock) == green__lot_tid() &&
               __atomic_load_n(room, __ATOMIC_RELAXED) == owner;
}

/* The writer is noted by its OS thread, which has to take it itself. */
static int
wait_for(pthread_rwlock_t *lock, bool write, uint32_t owner, const struct green__lot_limit *limit)
{
        struct green__lot_wait w = {.key = lock,
                                    .object = lock,
                                    .owner = owner,
                                    .try = write ? take_write : take_read,
                                    .silent = always,
                                    .any_os = !write,
                                    .shielded = true};

        return green__lot_wait(&w, limit);
}

static int
lock_native(pthread_rwlock_t *lock, bool write, const struct green__lot_limit *limit)
{
        if (limit == NULL)
                return write ? pthread_rwlock_wrlock(lock) : pthread_rwlock_rdlock(lock);
        if (limit->clock == CLOCK_REALTIME)
                return write ? pthread_rwlock_timedwrlock(lock, limit->until)
                             : pthread_rwlock_timedrdlock(lock, limit->until);
        return ((int (*)(pthread_rwlock_t *, clockid_t, const struct timespec *))green_original(
                write ? "pthread_rwlock_clockwrlock" : "pthread_rwlock_clockrdlock"))(lock, limit->clock, limit->until);
}

static int
rw_lock(pthread_rwlock_t *lock, bool write, const struct green__lot_limit *limit)
{
        uint32_t owner = write ? (uint32_t)green__pt_owner() : 0;
        int rc = write ? try_write(lock, owner) : pthread_rwlock_tryrdlock(lock);

        if (green__likely(rc != EBUSY))
                return rc;
        if (!green__patch_may_wait())
                return lock_native(lock, write, limit);
        if (!write)
                owner = (uint32_t)green__pt_owner();
        return writes_it(lock, owner) ? EDEADLK : wait_for(lock, write, owner, limit);
}

/* Only that it is noted who writes. */
static int
try_write_lock(pthread_rwlock_t *lock)
{
        return try_write(lock, (uint32_t)green__pt_owner());
}

static int
read_lock(pthread_rwlock_t *lock)
{
        return rw_lock(lock, false, NULL);
}

static int
write_lock(pthread_rwlock_t *lock)
{
        return rw_lock(lock, true, NULL);
}

static int
timed_read_lock(pthread_rwlock_t *lock, const struct timespec *until)
{
        struct green__lot_limit limit = {CLOCK_REALTIME, until};

        return rw_lock(lock, false, &limit);
}

static int
timed_write_lock(pthread_rwlock_t *lock, const struct timespec *until)
{
        struct green__lot_limit limit = {CLOCK_REALTIME, until};

        return rw_lock(lock, true, &limit);
}

static int
clock_read_lock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
        struct green__lot_limit limit = {clock, until};

        return rw_lock(lock, false, &limit);
}

static int
clock_write_lock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
        struct green__lot_limit limit = {clock, until};

        return rw_lock(lock, true, &limit);
}

static int
rw_unlock(pthread_rwlock_t *lock)
{
        int rc = pthread_rwlock_unlock(lock);

        if (rc == 0)
                green__lot_serve(lock);
        return rc;
}

/* ---- semaphores */

static bool
take_permit(struct green__lot_wait *w)
{
        int saved = errno;
        bool taken = sem_trywait(w->object) == 0;

        errno = saved;
        w->code = 0;
        return taken;
}

static int
sem_native(sem_t *sem, const struct green__lot_limit *limit)
{
        if (limit == NULL)
                return sem_wait(sem);
        if (limit->clock == CLOCK_REALTIME)
                return sem_timedwait(sem, limit->until);
        return ((int (*)(sem_t *, clockid_t, const struct timespec *))green_original("sem_clockwait"))(
                sem, limit->clock, limit->until);
}

static void
end_wait(void *w)
{
        green__lot_cancel(w);
}

/* As green__lot_wait(), and EINTR: handlers without SA_RESTART end it; with a limit any does. */
static int
sem_wait_for(struct green__lot_wait *w, const struct green__lot_limit *limit)
{
        unsigned ends = limit != NULL ? GREEN__PATCH_RAN : GREEN__PATCH_INTERRUPTED;
        int rc;

        do {
                bool away = green__patch_away_begin(false);
                unsigned ran = 0;

                if (away)
                        green__patch_away_by(end_wait, w);
                rc = green__lot_wait(w, limit);
                if (away) {
                        green__patch_away_by(NULL, NULL);
                        ran = green__patch_away_end();
                }
                if (rc == GREEN__LOT_CANCELLED && ran & ends)
                        return EINTR;
        } while (rc == GREEN__LOT_CANCELLED);
        return rc;
}

/* It may be posted by another process, or by unpatched code. */
static int
sem_take(sem_t *sem, const struct green__lot_limit *limit)
{
        struct green__lot_wait w = {
                .key = sem, .object = sem, .try = take_permit, .silent = always, .any_os = true, .slow = true};
        int rc;

        if (!green__patch_may_wait())
                return sem_native(sem, limit);
        rc = green_checkpoint();
        if (rc != 0)
                return green__patch_fail(rc);
        if (take_permit(&w))
                return 0;
        rc = sem_wait_for(&w, limit);
        if (rc < 0)
                return green__patch_fail(rc);
        if (rc == 0)
                return 0;
        errno = rc;
        return -1;
}

static int
wait_sem(sem_t *sem)
{
        return sem_take(sem, NULL);
}

static int
timed_wait_sem(sem_t *sem, const struct timespec *until)
{
        struct green__lot_limit limit = {CLOCK_REALTIME, until};

        return sem_take(sem, &limit);
}

static int
clock_wait_sem(sem_t *sem, clockid_t clock, const struct timespec *until)
{
        struct green__lot_limit limit = {clock, until};

        return sem_take(sem, &limit);
}

/* A signal handler may call it. */
static int
post(sem_t *sem)
{
        int rc = sem_post(sem);

        if (rc != 0)
                return rc;
        if (green__patch_may_wait())
                green__lot_serve(sem);
        else
                green__lot_serve_later(sem);
        return 0;
}

const struct patch_entry green__patch_rwlock[] = {
        PATCH_ENTRY("pthread_rwlock_rdlock", read_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_rwlock_rdlock", read_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_rwlock_wrlock", write_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_rwlock_wrlock", write_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_rwlock_trywrlock", try_write_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_rwlock_trywrlock", try_write_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_rwlock_timedrdlock", timed_read_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_rwlock_timedwrlock", timed_write_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_rwlock_clockrdlock", clock_read_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_rwlock_clockwrlock", clock_write_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_rwlock_unlock", rw_unlock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_rwlock_unlock", rw_unlock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("sem_wait", wait_sem, GREEN_PATCH_THREAD),
        PATCH_ENTRY("sem_timedwait", timed_wait_sem, GREEN_PATCH_THREAD),
        PATCH_ENTRY("sem_clockwait", clock_wait_sem, GREEN_PATCH_THREAD),
        PATCH_ENTRY("sem_post", post, GREEN_PATCH_THREAD),
        PATCH_ENTRIES_END,
};
