/*
 * Threads of the pool: POSIX. See os_thread.h.
 */
#include <config.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#if HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

#include "os_thread.h"

/* Those of a fault are the thread's own, and must not be kept back. */
static void
block_signals(sigset_t *ret_before)
{
        static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
        sigset_t all;

        sigfillset(&all);
        for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
                sigdelset(&all, faults[i]);
        (void)pthread_sigmask(SIG_BLOCK, &all, ret_before);
}

int
green__os_thread_start(pthread_t *ret_thread, void *(*fn)(void *arg), void *arg)
{
        sigset_t before;
        int err;

        block_signals(&before);
        err = pthread_create(ret_thread, NULL, fn, arg);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        return err;
}

void
green__os_at_exit(void (*fn)(void))
{
        (void)atexit(fn);
}

bool
green__os_random(void *room, size_t len)
{
#if HAVE_GETENTROPY
        return getentropy(room, len) == 0;
#else
        (void)room;
        (void)len;
        return false;
#endif
}
