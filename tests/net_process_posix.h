/*
 * Systems that lack something, and the sight of what is left: see net_process.h, which includes it.
 */
#ifndef GREEN_TESTS_NET_PROCESS_POSIX_H
#define GREEN_TESTS_NET_PROCESS_POSIX_H

#include <dlfcn.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/syscall.h>

/* ---- older kernels: definitions in the program come before those of libc */

static bool no_pidfd, no_close_range;

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

int
clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
        static int (*real)(int (*)(void *), void *, int, void *, ...);
        va_list values;
        void *at;

        if (real == NULL)
                *(void **)&real = dlsym(RTLD_NEXT, "clone");
        if ((flags & CLONE_PIDFD) == 0)
                return real(fn, stack, flags, arg);
        if (no_pidfd) {
                errno = EINVAL;
                return -1;
        }
        va_start(values, arg);
        at = va_arg(values, void *);
        va_end(values);
        return real(fn, stack, flags, arg, at);
}

/* Runs in the program that is started, too, which shares memory with this one. */
__attribute__((no_sanitize("address", "thread"))) long
syscall(long number, ...)
{
        static long (*real)(long, ...);
        long a[6];
        va_list values;

        if (real == NULL)
                *(void **)&real = dlsym(RTLD_NEXT, "syscall");
        va_start(values, number);
        for (int i = 0; i < 6; i++)
                a[i] = va_arg(values, long);
        va_end(values);
        if ((no_pidfd && (number == 424 || number == 434)) || (no_close_range && number == 436)) {
                errno = ENOSYS;
                return -1;
        }
        return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* With pidfds and without. */
MAYBE void
both_ways(void (*fn)(void))
{
        no_pidfd = false;
        fn();
        no_pidfd = true;
        fn();
        no_pidfd = false;
}

static int
set_flag(void *flag)
{
        *(volatile int *)flag = 1;
        return 0;
}

/* Does a fork that is to share memory share it? */
MAYBE bool
children_share_memory(void)
{
        static _Alignas(64) char stack[65536];
        volatile int flag = 0;
        int pid = clone(set_flag, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)(uintptr_t)&flag);

        CHECK_INT(waitpid(pid, NULL, 0), pid);
        return flag == 1;
}

/* Seconds after which a program has surely begun. */
#define BEGUN 0.05

/* ---- what is left */

/* All is closed at once. */
MAYBE void
settle_later(void)
{
}

/* No child is left, and no zombie. */
MAYBE void
no_children(void)
{
        CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
        CHECK_INT(errno, ECHILD);
}

#endif
