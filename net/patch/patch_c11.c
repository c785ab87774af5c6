/*
 * <threads.h>: in libc these are functions of their own, over the same objects as <pthread.h>.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <errno.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a mutex is a mutex");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a condition variable is one");

/* As the results of <threads.h>. */
static int
result(int err)
{
        switch (err) {
        case 0:
                return thrd_success;
        case EBUSY:
                return thrd_busy;
        case ETIMEDOUT:
                return thrd_timedout;
        case ENOMEM:
        case EAGAIN:
                return thrd_nomem;
        default:
                return thrd_error;
        }
}

static void *
call(void *arg)
{
        struct green__pt *pt = arg;
        int value = ((thrd_start_t)(void (*)(void))pt->c11_start)(pt->c11_arg);

        return (void *)(intptr_t)value;
}

static int
create(thrd_t *ret_thread, thrd_start_t fn, void *arg)
{
        pthread_t handle;
        struct green__pt *pt;
        int rc;

        if (!green__patch_may_wait() && !green__patch_take_program())
                return thrd_create(ret_thread, fn, arg);
        pt = green__pt_new();
        if (pt == NULL)
                return thrd_nomem;
        pt->start = call;
        pt->arg = pt;
        pt->c11_start = (void (*)(void))fn;
        pt->c11_arg = arg;
        rc = green__pt_start(pt, &handle, NULL);
        if (rc == 0)
                *ret_thread = (thrd_t)handle;
        return result(rc);
}

static int
join(thrd_t thread, int *ret_value)
{
        void *value;
        int rc;

        if (!green__pt_is((pthread_t)thread) && !green__patch_may_wait())
                return thrd_join(thread, ret_value);
        rc = green__pt_join((pthread_t)thread, &value, NULL);
        if (rc == 0 && ret_value != NULL)
                *ret_value = (int)(intptr_t)value;
        return result(rc);
}

static int
detach(thrd_t thread)
{
        return result(green__pt_detach((pthread_t)thread));
}

static void __attribute__((noreturn)) leave(int value)
{
        struct green__pt *pt = green__pt_self();

        if (pt == NULL)
                thrd_exit(value);
        green__pt_exit(pt, (void *)(intptr_t)value);
}

static void
yield(void)
{
        if (green__patch_may_wait())
                green__pt_yield();
        else
                thrd_yield();
}

static void
once(once_flag *flag, void (*fn)(void))
{
        (void)green__pt_once((int *)flag, fn);
}

static int
key_create(tss_t *ret_key, tss_dtor_t destructor)
{
        pthread_key_t key;
        int rc = green__pt_key_create(&key, destructor);

        if (rc == 0)
                *ret_key = key;
        return rc == 0 ? thrd_success : thrd_error;
}

static void
key_delete(tss_t key)
{
        (void)green__pt_key_delete(key);
}

static void *
get(tss_t key)
{
        return green__pt_getspecific(key);
}

static int
set(tss_t key, void *value)
{
        return result(green__pt_setspecific(key, value));
}

static int
lock(mtx_t *mutex)
{
        return result(green__mutex_lock((pthread_mutex_t *)mutex, NULL));
}

static int
timed_lock(mtx_t *restrict mutex, const struct timespec *restrict until)
{
        struct green__lot_limit limit = {CLOCK_REALTIME, until};

        return result(green__mutex_lock((pthread_mutex_t *)mutex, &limit));
}

static int
try_lock(mtx_t *mutex)
{
        return result(green__mutex_trylock((pthread_mutex_t *)mutex));
}

static int
unlock(mtx_t *mutex)
{
        return result(green__mutex_unlock((pthread_mutex_t *)mutex));
}

static int
cond_wait(cnd_t *cond, mtx_t *mutex)
{
        return result(green__cond_wait((pthread_cond_t *)cond, (pthread_mutex_t *)mutex, NULL));
}

static int
cond_timed_wait(cnd_t *restrict cond, mtx_t *restrict mutex, const struct timespec *restrict until)
{
        struct green__lot_limit limit = {CLOCK_REALTIME, until};

        return result(green__cond_wait((pthread_cond_t *)cond, (pthread_mutex_t *)mutex, &limit));
}

static int
cond_signal(cnd_t *cond)
{
        return result(green__cond_signal((pthread_cond_t *)cond));
}

static int
cond_broadcast(cnd_t *cond)
{
        return result(green__cond_broadcast((pthread_cond_t *)cond));
}

const struct patch_entry green__patch_c11[] = {
        PATCH_ENTRY("thrd_create", create, GREEN_PATCH_THREAD),
        PATCH_ENTRY("thrd_join", join, GREEN_PATCH_THREAD),
        PATCH_ENTRY("thrd_detach", detach, GREEN_PATCH_THREAD),
        PATCH_ENTRY("thrd_exit", leave, GREEN_PATCH_THREAD),
        PATCH_ENTRY("thrd_yield", yield, GREEN_PATCH_THREAD),
        PATCH_ENTRY("call_once", once, GREEN_PATCH_THREAD),
        PATCH_ENTRY("tss_create", key_create, GREEN_PATCH_THREAD),
        PATCH_ENTRY("tss_delete", key_delete, GREEN_PATCH_THREAD),
        PATCH_ENTRY("tss_get", get, GREEN_PATCH_THREAD),
        PATCH_ENTRY("tss_set", set, GREEN_PATCH_THREAD),
        PATCH_ENTRY("mtx_lock", lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("mtx_timedlock", timed_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("mtx_trylock", try_lock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("mtx_unlock", unlock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("cnd_wait", cond_wait, GREEN_PATCH_THREAD),
        PATCH_ENTRY("cnd_timedwait", cond_timed_wait, GREEN_PATCH_THREAD),
        PATCH_ENTRY("cnd_signal", cond_signal, GREEN_PATCH_THREAD),
        PATCH_ENTRY("cnd_broadcast", cond_broadcast, GREEN_PATCH_THREAD),
        PATCH_ENTRIES_END,
};
