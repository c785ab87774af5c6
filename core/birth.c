/*
 * Birth of a stack by the alternate signal stack.
 *
 * A signal is delivered to this OS thread with the fresh stack as its alternate signal stack. The handler saves where
 * it is and returns, so that for the kernel the signal is over; then the creator jumps back into the handler's frame.
 * From there on it is an ordinary function on a stack of its own: it calls the boot function, which parks itself by
 * the context method and jumps home.
 *
 * Jumps between stacks are what _FORTIFY_SOURCE takes for a bug, so it is off in this file, before any header.
 */
#undef _FORTIFY_SOURCE
#include <config.h>

#include "birth.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

#include "stack_map.h"

/* Where there are no real-time signals: one that nobody sends. */
#ifndef SIGRTMIN
#define SIGRTMIN SIGEMT
#define SIGRTMAX SIGEMT
#endif

/* One birth at a time in the process: the handler of a signal is process-wide. */
static struct {
        pthread_mutex_t lock;
        struct green__birth *volatile birth;
        struct green__context creator; /* for sanitizers: the stack to go home to */
        sigjmp_buf home, entry;
        volatile sig_atomic_t arrived;
} now = {.lock = PTHREAD_MUTEX_INITIALIZER};

static GREEN__UNSANITIZED void
go_home(void)
{
        green__sanitize_leave(now.birth->ctx, &now.creator);
        siglongjmp(now.home, 1);
}

/* Between land(), whose frame varies, and the boot function: a frame with a frame pointer, see green__frame_end(). */
static __attribute__((noinline)) GREEN__UNSANITIZED void
enter(void)
{
        void *volatile here = __builtin_frame_address(0);

        (void)here;
        green__birth_boot(now.birth, go_home);
}

/*
 * The kernel's frame with the registers is dead weight of up to a page from now on. So the boot function's frame is
 * begun in a page below it, that a parked stack costs one page here too. Large pages hold both frames, and a small stack
 * has but one of them.
 */
static __attribute__((noinline)) GREEN__UNSANITIZED void
land(void)
{
        bool small = green__page_size() <= 4096;

        green__sanitize_arrive_first();
        char *here = __builtin_alloca(64);
        char *end = small ? (char *)((uintptr_t)here & ~(uintptr_t)(green__page_size() - 1)) : here;
        now.birth->dead = small ? end : now.birth->hi;
        char *volatile pad = __builtin_alloca((size_t)(here - end) + now.birth->colour);
        (void)pad;
        enter();
}

/* Runs twice: as a signal handler, and again by a jump into its frame. */
static GREEN__UNSANITIZED void
handler(int sig)
{
        (void)sig;
        if (sigsetjmp(now.entry, 0) == 0) {
                now.arrived = 1;
                return;
        }
        land();
}

/* A child of fork() must find the lock open, and the signal's handler as it was. */
static void
lock_births(void)
{
        pthread_mutex_lock(&now.lock);
}

static void
unlock_births(void)
{
        pthread_mutex_unlock(&now.lock);
}

static void
mind_forks(void)
{
        pthread_atfork(lock_births, unlock_births, unlock_births);
}

static void
jump_in_and_park(void)
{
        if (sigsetjmp(now.home, 0) == 0) {
                green__sanitize_leave(&now.creator, now.birth->ctx);
                siglongjmp(now.entry, 1);
        }
        green__sanitize_arrive(&now.creator);
}

/* Deliver sig to this thread alone and wait until the handler has been there. All signals are blocked. */
static int
deliver(int sig)
{
        sigset_t wait;

        sigfillset(&wait);
        sigdelset(&wait, sig);
        now.arrived = 0;
        int err = pthread_kill(pthread_self(), sig);
        if (err != 0)
                return -err;
        while (!now.arrived)
                sigsuspend(&wait);
        return 0;
}

/* The alternate signal stack is set. -EAGAIN: this signal is not to be had. */
static int
visit_by(int sig)
{
        struct sigaction old, act = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

        sigfillset(&act.sa_mask);
        if (sigaction(sig, NULL, &old) != 0 || (old.sa_flags & SA_SIGINFO) || old.sa_handler != SIG_DFL)
                return -EAGAIN;
        if (sigaction(sig, &act, NULL) != 0)
                return -EAGAIN;
        int err = deliver(sig);
        sigaction(sig, &old, NULL);
        return err == -EINVAL ? -EAGAIN : err; /* some systems keep the last ones for themselves and do not say so */
}

/* Have the handler run on the stack, by a real-time signal that nobody uses. */
static int
visit_stack(const struct green__birth *birth)
{
        stack_t old, stack = {.ss_sp = birth->lo, .ss_size = (size_t)(birth->hi - birth->lo)};
        int err = -EAGAIN;

        if (sigaltstack(&stack, &old) != 0)
                return -errno;
        for (int sig = SIGRTMAX; sig >= SIGRTMIN && err == -EAGAIN; sig--)
                err = visit_by(sig);
        sigaltstack(&old, NULL);
        return err;
}

int
green__birth_signal(struct green__birth *birth)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        sigset_t all, old_mask;

        pthread_once(&once, mind_forks);
        sigfillset(&all);
        int err = -pthread_sigmask(SIG_BLOCK, &all, &old_mask);
        if (err != 0)
                return err;
        pthread_mutex_lock(&now.lock);
        now.birth = birth;
        err = visit_stack(birth);
        if (err == 0)
                jump_in_and_park();
        pthread_mutex_unlock(&now.lock);
        pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
        return err;
}
