/*
 * accept() of a listener that others may accept from as well.
 *
 * poll() has said that somebody is there, but another process or OS thread may be faster. Only the system's own call
 * tells, and it would wait then, with the whole OS thread. O_NONBLOCK for a moment would be seen by the others, who may
 * be about to wait, so the call is made under a timer of this OS thread instead, whose signal ends a wait that must not
 * be. That takes two system calls more, so it is done only where the listener may be shared: one that was not made here
 * by a patched socket(), in a process that has forked, or that accepts in several OS threads.
 */
#include "patch_fd_priv.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "patch_fd_guard.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { GUARD_NS = 2000000 };

static atomic_bool forked;
static atomic_int acceptors; /* OS threads that have accepted */
static int guard_signal;     /* 0: none is free */

static _Thread_local struct {
        bool counted, tried, works;
        int id;
        struct green_hub_end end;
} guard;

/* ---- once */

static void
on_guard(int sig)
{
        (void)sig;
}

/* Some systems keep the last ones for themselves and only say so when one is sent; what we have, does nothing. */
static bool
take_signal(int sig)
{
        struct sigaction act = {.sa_flags = 0}, old;

        act.sa_handler = on_guard;
        sigemptyset(&act.sa_mask);
        if (sigaction(sig, NULL, &old) != 0 || (old.sa_flags & SA_SIGINFO) || old.sa_handler != SIG_DFL)
                return false;
        if (sigaction(sig, &act, NULL) != 0)
                return false;
        if (pthread_kill(pthread_self(), sig) == 0)
                return true;
        (void)sigaction(sig, &old, NULL);
        return false;
}

/* The highest real-time signal that nobody uses; births take the last one. */
static void
choose_signal(void)
{
        for (int sig = SIGRTMAX - 1; sig > SIGRTMIN && guard_signal == 0; sig--)
                if (take_signal(sig))
                        guard_signal = sig;
}

static void
in_parent(void)
{
        atomic_store(&forked, true);
}

/* Timers stay behind. */
static void
in_child(void)
{
        atomic_store(&forked, true);
        guard.works = guard.tried = false;
}

static void
watch_forks(void)
{
        (void)pthread_atfork(NULL, in_parent, in_child);
}

void
green__patch_guard_begin(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, watch_forks);
}

/* ---- the timer of an OS thread */

static void
hub_has_ended(void *arg)
{
        (void)arg;
        if (guard.works)
                (void)syscall(SYS_timer_delete, guard.id);
        guard.works = guard.tried = false;
}

static void
make_timer(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID};
        sigset_t set;

        guard.tried = true;
        green__patch_guard_begin();
        (void)pthread_once(&once, choose_signal);
        if (guard_signal == 0)
                return;
        event.sigev_signo = guard_signal;
        event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
        if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &guard.id) != 0)
                return;
        guard.works = true;
        sigemptyset(&set);
        sigaddset(&set, guard_signal);
        (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        green_hub_end_drop(&guard.end);
        if (green_hub_at_end(&guard.end, hub_has_ended, NULL) != 0)
                hub_has_ended(NULL);
}

/* Again and again, since the first signal may come before the call waits. */
static bool
set_timer(long ns)
{
        const struct itimerspec at = {{0, ns}, {0, ns}};

        return syscall(SYS_timer_settime, guard.id, 0, &at, NULL) == 0;
}

/* ---- accept */

static bool
may_be_shared(int fd)
{
        if (green__unlikely(!guard.counted)) {
                guard.counted = true;
                atomic_fetch_add(&acceptors, 1);
        }
        return !(green__patch_known(fd) & PATCH_OWN) || atomic_load_explicit(&forked, memory_order_relaxed) ||
               atomic_load_explicit(&acceptors, memory_order_relaxed) > 1;
}

int
green__patch_guarded_accept(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
        int client, code;

        if (!may_be_shared(fd))
                return accept4(fd, addr, size, flags);
        if (!guard.tried)
                make_timer();
        if (!guard.works || !set_timer(GUARD_NS))
                return accept4(fd, addr, size, flags);
        client = accept4(fd, addr, size, flags);
        code = errno;
        (void)set_timer(0);
        errno = client < 0 && code == EINTR ? EAGAIN : code;
        return client;
}
