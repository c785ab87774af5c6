/*
 * Threads of the pool: Windows, with the threads of mingw-w64. See os_thread.h.
 */
#define _CRT_RAND_S
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "os_thread.h"

int
green__os_thread_start(pthread_t *ret_thread, void *(*fn)(void *arg), void *arg)
{
        return pthread_create(ret_thread, NULL, fn, arg);
}

/*
 * pthread_exit() runs no cleanup handlers here, but destructors of keys, on the thread's own stack; so does the end of a
 * thread by the system's call.
 */
static pthread_key_t guard_key;
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;
static void (*_Atomic guard_fn)(void *arg);
static bool guarded;

/* It is also called for a value that was taken back. */
static void
run_guard(void *arg)
{
        if (arg != NULL)
                guard_fn(arg);
}

static void
make_guard(void)
{
        guarded = pthread_key_create(&guard_key, run_guard) == 0;
}

/* Without a key, or memory for it, one that ends its thread is not noticed. */
void
green__os_guard(void (*fn)(void *arg), void *arg)
{
        if (fn != NULL)
                guard_fn = fn;
        (void)pthread_once(&guard_once, make_guard);
        if (guarded)
                (void)pthread_setspecific(guard_key, arg);
}

/* They know the wall clock only; but they wait for a time too, and that is by the other one. */
void
green__os_cond_init(pthread_cond_t *cond)
{
        (void)pthread_cond_init(cond, NULL);
}

static int64_t
nanoseconds_until(const struct timespec *until)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)(until->tv_sec - now.tv_sec) * 1000000000 + (until->tv_nsec - now.tv_nsec);
}

int
green__os_cond_until(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
        int64_t left = nanoseconds_until(until);
        int err = ETIMEDOUT;

        /* Milliseconds are what it waits for: fewer of them would be none. */
        while (left > 0 && err == ETIMEDOUT) {
                int64_t ms = (left + 999999) / 1000000;
                struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

                err = pthread_cond_timedwait_relative_np(cond, lock, &time);
                left = nanoseconds_until(until);
        }
        return err;
}

/* Functions of a DLL run when the other threads have been ended, whatever they held. */
void
green__os_at_exit(void (*fn)(void))
{
        (void)fn;
}

bool
green__os_random(void *room, size_t len)
{
        unsigned char *at = room;

        while (len > 0) {
                unsigned value;
                size_t n = len < sizeof value ? len : sizeof value;

                if (rand_s(&value) != 0)
                        return false;
                memcpy(at, &value, n);
                at += n;
                len -= n;
        }
        return true;
}
