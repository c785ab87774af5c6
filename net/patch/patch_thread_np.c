/*
 * What else programs ask of a thread: names, stacks, processors, priorities, signals.
 *
 * A green thread has a name and a stack. Processor, priority, processor time and signals are of its OS thread: a signal
 * for it goes there, and what would change the OS thread for the sake of one green thread is accepted and does nothing.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

/* Find one that has not ended; native: not one of ours, so libc is to be asked. */
static struct green__pt *
get(pthread_t handle, int *ret_rc)
{
        struct green__pt *pt = green__pt_get(handle);

        *ret_rc = pt == NULL ? ESRCH : 0;
        return pt;
}

static int
set_name(pthread_t handle, const char *name)
{
        struct green__pt *pt;
        int rc;

        if (!green__pt_is(handle))
                return pthread_setname_np(handle, name);
        pt = get(handle, &rc);
        if (pt == NULL)
                return rc;
        if (strlen(name) >= sizeof(pt->name)) {
                rc = ERANGE;
        } else {
                memcpy(pt->name, name, strlen(name) + 1);
                if (pt->thread != NULL && pthread_equal(pt->os, pthread_self()))
                        rc = -green_thread_set_name(pt->thread, name);
        }
        green__pt_put(pt);
        return rc;
}

static int
get_name(pthread_t handle, char *name, size_t len)
{
        struct green__pt *pt;
        int rc;

        if (!green__pt_is(handle))
                return ((int (*)(pthread_t, char *, size_t))green_original("pthread_getname_np"))(handle, name, len);
        pt = get(handle, &rc);
        if (pt == NULL)
                return rc;
        if (strlen(pt->name) >= len)
                rc = ERANGE;
        else
                memcpy(name, pt->name, strlen(pt->name) + 1);
        green__pt_put(pt);
        return rc;
}

static int
get_attributes(pthread_t handle, pthread_attr_t *attr)
{
        struct green__pt *pt;
        int rc;

        if (!green__pt_is(handle))
                return pthread_getattr_np(handle, attr);
        pt = get(handle, &rc);
        if (pt == NULL)
                return rc;
        rc = pthread_attr_init(attr);
        if (rc == 0 && pt->stack_top != NULL)
                rc = pthread_attr_setstack(attr, pt->stack_top - pt->stack_size, pt->stack_size);
        if (rc == 0)
                rc = pthread_attr_setdetachstate(attr,
                                                 pt->detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
        green__pt_put(pt);
        return rc;
}

/* The OS thread that a handle stands for; false: there is none. */
static bool
os_thread(pthread_t handle, pthread_t *ret_os)
{
        struct green__pt *pt;

        *ret_os = handle;
        if (!green__pt_is(handle))
                return true;
        pt = green__pt_get(handle);
        if (pt == NULL)
                return false;
        *ret_os = pt->os;
        green__pt_put(pt);
        return true;
}

static int
send_signal(pthread_t handle, int number)
{
        pthread_t os;

        return os_thread(handle, &os) ? pthread_kill(os, number) : ESRCH;
}

static int
queue_signal(pthread_t handle, int number, const union sigval value)
{
        pthread_t os;

        return os_thread(handle, &os)
                       ? ((int (*)(pthread_t, int, const union sigval))green_original("pthread_sigqueue"))(os, number,
                                                                                                           value)
                       : ESRCH;
}

static int
get_clock(pthread_t handle, clockid_t *ret_clock)
{
        pthread_t os;

        return os_thread(handle, &os) ? pthread_getcpuclockid(os, ret_clock) : ESRCH;
}

static int
get_schedule(pthread_t handle, int *ret_policy, struct sched_param *ret_param)
{
        pthread_t os;

        return os_thread(handle, &os) ? pthread_getschedparam(os, ret_policy, ret_param) : ESRCH;
}

static int
set_schedule(pthread_t handle, int policy, const struct sched_param *param)
{
        pthread_t os;

        if (!green__pt_is(handle))
                return pthread_setschedparam(handle, policy, param);
        return os_thread(handle, &os) ? 0 : ESRCH;
}

static int
set_priority(pthread_t handle, int priority)
{
        pthread_t os;

        if (!green__pt_is(handle))
                return ((int (*)(pthread_t, int))green_original("pthread_setschedprio"))(handle, priority);
        return os_thread(handle, &os) ? 0 : ESRCH;
}

static int
get_processors(pthread_t handle, size_t size, cpu_set_t *ret_set)
{
        pthread_t os;

        return os_thread(handle, &os) ? pthread_getaffinity_np(os, size, ret_set) : ESRCH;
}

static int
set_processors(pthread_t handle, size_t size, const cpu_set_t *set)
{
        pthread_t os;

        if (!green__pt_is(handle))
                return pthread_setaffinity_np(handle, size, set);
        return os_thread(handle, &os) ? 0 : ESRCH;
}

const struct patch_entry green__patch_thread_np[] = {
        PATCH_ENTRY("pthread_setname_np", set_name, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_getname_np", get_name, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_getattr_np", get_attributes, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_kill", send_signal, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_sigqueue", queue_signal, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_getcpuclockid", get_clock, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_getschedparam", get_schedule, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_setschedparam", set_schedule, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_setschedprio", set_priority, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_getaffinity_np", get_processors, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_setaffinity_np", set_processors, GREEN_PATCH_THREAD),
        PATCH_ENTRIES_END,
};
