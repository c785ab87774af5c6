/*
 * pthread_create() and what is done with a thread from outside: join, detach. See patch_self.c for who is who.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

/* ---- start */

/* The first function of a green thread that pthread_create() made. */
static void *
run(void *arg)
{
        struct green__pt *pt = arg;
        uintptr_t page = 4096;

        pt->base = __builtin_frame_address(0);
        pt->stack_top = (char *)(((uintptr_t)pt->base + page - 1) / page * page);
        pt->started = true;
        green__pt_begin(pt);
        pt->result = pt->start(pt->arg);
        green__pt_finish(pt);
        return NULL;
}

static size_t
libc_stack_size(void)
{
        static size_t size;
        pthread_attr_t attr;

        if (size == 0 && pthread_getattr_default_np(&attr) == 0) {
                (void)pthread_attr_getstacksize(&attr, &size);
                (void)pthread_attr_destroy(&attr);
        }
        return size;
}

static size_t
hub_stack_size(void)
{
        struct green_hub_info info = {.size = sizeof(info)};

        return green_hub_get_info(&info) == 0 ? info.stack_size : 0;
}

/*
 * How large a stack: 0 is the hub's default, which also stands for libc's own, as large as RLIMIT_STACK: with eight
 * megabytes apart each stack would need a page of page table for itself. Who asks for a size gets at least that.
 */
static size_t
wanted_stack(const pthread_attr_t *attr, size_t usual)
{
        size_t size = 0;

        if (attr == NULL || pthread_attr_getstacksize(attr, &size) != 0)
                return 0;
        return size == libc_stack_size() || size <= usual ? 0 : size;
}

int
green__pt_start(struct green__pt *pt, pthread_t *ret_handle, const pthread_attr_t *attr)
{
        int state = PTHREAD_CREATE_JOINABLE;
        size_t usual = hub_stack_size(), size = wanted_stack(attr, usual);

        if (attr != NULL)
                (void)pthread_attr_getdetachstate(attr, &state);
        /* So that the new one can join its maker. */
        (void)green__pt_self();
        pt->made = true;
        pt->detached = state == PTHREAD_CREATE_DETACHED;
        pt->refs += !pt->detached;
        pt->stack_size = size == 0 ? usual : size;
        *ret_handle = (pthread_t)pt->handle;
        if (green__pt_spawn(pt, run, size) == 0)
                return 0;
        pt->refs = 1;
        green__pt_put(pt);
        return EAGAIN;
}

static int
create(pthread_t *ret_handle, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
        struct green__pt *pt;

        if (!green__patch_may_wait() && !green__patch_take_program())
                return pthread_create(ret_handle, attr, fn, arg);
        pt = green__pt_new();
        if (pt == NULL)
                return EAGAIN;
        pt->start = fn;
        pt->arg = arg;
        return green__pt_start(pt, ret_handle, attr);
}

/* ---- end */

/* OS threads without a hub that join a green thread. */
static pthread_mutex_t os_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t os_ended = PTHREAD_COND_INITIALIZER;
static unsigned os_joiners;

void
green__pt_tell(struct green__pt *pt)
{
        green__pt_lock();
        __atomic_store_n(&pt->ended, true, __ATOMIC_RELEASE);
        green__pt_unlock();
        (void)green__lot_serve(pt);
        (void)pthread_mutex_lock(&os_lock);
        if (os_joiners > 0)
                (void)pthread_cond_broadcast(&os_ended);
        (void)pthread_mutex_unlock(&os_lock);
}

void
green__pt_finish(struct green__pt *pt)
{
        if (pt->ended)
                return;
        if (pt->started) {
                green_shield_begin();
                pt->exiting = pt->no_cancel = true;
                green__pt_leave_onces(pt, UINTPTR_MAX);
                green__pt_destroy_values(pt);
                green_shield_end();
        } else {
                pt->result = PTHREAD_CANCELED;
        }
        green__pt_tell(pt);
        green_thread_unref(pt->thread);
        pt->thread = NULL;
        green__pt_forget(pt);
        green__pt_put(pt);
}

static bool
has_ended(struct green__lot_wait *w)
{
        struct green__pt *pt = w->object;

        return __atomic_load_n(&pt->ended, __ATOMIC_ACQUIRE);
}

static int
join_as_os_thread(struct green__pt *pt, const struct green__lot_limit *limit)
{
        int rc = 0;

        (void)pthread_mutex_lock(&os_lock);
        os_joiners++;
        while (!pt->ended && rc == 0)
                rc = limit == NULL || limit->until == NULL ? pthread_cond_wait(&os_ended, &os_lock)
                                                           : pthread_cond_timedwait(&os_ended, &os_lock, limit->until);
        os_joiners--;
        (void)pthread_mutex_unlock(&os_lock);
        return pt->ended ? 0 : rc;
}

/* Wait for its end; the record is held. 0, a positive errno, or the code of a kill. */
static int
await(struct green__pt *pt, const struct green__lot_limit *limit)
{
        struct green__lot_wait w = {.key = pt, .object = pt, .try = has_ended, .any_os = true};

        if (has_ended(&w))
                return 0;
        if (!green__patch_may_wait())
                return join_as_os_thread(pt, limit);
        return green__lot_wait(&w, limit);
}

/* May it be joined? Then it is, and nobody else may. */
static int
claim(struct green__pt *pt)
{
        bool own = pt == green__pt_self();
        int rc = 0;

        green__pt_lock();
        if (own)
                rc = EDEADLK;
        else if (pt->detached || pt->joined)
                rc = EINVAL;
        else
                pt->joined = true;
        green__pt_unlock();
        return rc;
}

/* Join an OS thread, or the first one's own green thread, without stopping the others. */
static int
join_native(pthread_t handle, void **ret_result, const struct green__lot_limit *limit)
{
        double pause = 50e-6;

        for (;;) {
                int rc = pthread_tryjoin_np(handle, ret_result), code;

                if (rc != EBUSY)
                        return rc;
                if (limit != NULL && green__lot_over(limit))
                        return ETIMEDOUT;
                code = green_sleep(pause);
                if (code != 0) {
                        (void)green__patch_fail(code);
                        return ECANCELED;
                }
                pause = pause < 10e-3 ? pause * 2 : pause;
        }
}

/* Of an OS thread only its own green threads can wait for the end of its own one. */
static bool
knows_end(const struct green__pt *pt)
{
        return !pt->root || pthread_equal(pt->os, pthread_self());
}

int
green__pt_join(pthread_t handle, void **ret_result, const struct green__lot_limit *limit)
{
        struct green__pt *pt = green__pt_get(handle);
        int rc;

        if (pt == NULL && green__pt_is(handle))
                return ESRCH;
        if (pt == NULL || !knows_end(pt)) {
                if (pt != NULL)
                        green__pt_put(pt);
                return join_native(handle, ret_result, limit);
        }
        rc = claim(pt);
        if (rc == 0)
                rc = await(pt, limit);
        else
                goto out;
        green__pt_lock();
        pt->joined = rc == 0;
        pt->refs -= rc == 0;
        green__pt_unlock();
        if (rc == 0 && ret_result != NULL)
                *ret_result = pt->result;
out:
        green__pt_put(pt);
        if (rc >= 0)
                return rc;
        (void)green__patch_fail(rc);
        return ECANCELED;
}

static int
join(pthread_t handle, void **ret_result)
{
        if (!green__pt_is(handle) && !green__patch_may_wait())
                return pthread_join(handle, ret_result);
        return green__pt_join(handle, ret_result, NULL);
}

static int
try_join(pthread_t handle, void **ret_result)
{
        struct green__pt *pt;
        bool ended;

        if (!green__pt_is(handle))
                return pthread_tryjoin_np(handle, ret_result);
        pt = green__pt_get(handle);
        if (pt == NULL)
                return ESRCH;
        ended = pt->ended;
        green__pt_put(pt);
        if (ended)
                return green__pt_join(handle, ret_result, NULL);
        if (green__patch_may_wait())
                green__patch_turn();
        return EBUSY;
}

static int
timed_join(pthread_t handle, void **ret_result, const struct timespec *until)
{
        struct green__lot_limit limit = {CLOCK_REALTIME, until};

        if (!green__pt_is(handle) && !green__patch_may_wait())
                return pthread_timedjoin_np(handle, ret_result, until);
        return green__pt_join(handle, ret_result, &limit);
}

static int
clock_join(pthread_t handle, void **ret_result, clockid_t clock, const struct timespec *until)
{
        struct green__lot_limit limit = {clock, until};

        if (!green__pt_is(handle) && !green__patch_may_wait())
                return ((int (*)(pthread_t, void **, clockid_t, const struct timespec *))green_original(
                        "pthread_clockjoin_np"))(handle, ret_result, clock, until);
        return green__pt_join(handle, ret_result, &limit);
}

int
green__pt_detach(pthread_t handle)
{
        struct green__pt *pt;
        int rc = 0;

        if (!green__pt_is(handle))
                return pthread_detach(handle);
        pt = green__pt_get(handle);
        if (pt == NULL)
                return ESRCH;
        green__pt_lock();
        if (pt->detached || pt->joined) {
                rc = EINVAL;
        } else {
                pt->detached = true;
                pt->refs--;
        }
        green__pt_unlock();
        green__pt_put(pt);
        return rc;
}

/* ---- identity */

static pthread_t
self(void)
{
        struct green__pt *pt = green__pt_self();

        return pt == NULL || pt->root ? pthread_self() : (pthread_t)pt->handle;
}

/* Others run, but nobody asks whether the caller was killed: sched_yield() does not fail. */
void
green__pt_yield(void)
{
        int saved = errno;

        green_shield_begin();
        (void)green_sleep(0);
        green_shield_end();
        errno = saved;
}

static int
yield(void)
{
        if (!green__patch_may_wait())
                return sched_yield();
        green__pt_yield();
        return 0;
}

const struct patch_entry green__patch_thread[] = {
        PATCH_ENTRY("pthread_create", create, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_join", join, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_tryjoin_np", try_join, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_timedjoin_np", timed_join, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_clockjoin_np", clock_join, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_detach", green__pt_detach, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_self", self, GREEN_PATCH_THREAD),
        PATCH_ENTRY("thrd_current", self, GREEN_PATCH_THREAD),
        PATCH_ENTRY("sched_yield", yield, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__sched_yield", yield, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_yield", yield, GREEN_PATCH_THREAD),
        PATCH_ENTRIES_END,
};
