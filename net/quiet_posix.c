/*
 * Calls without their signal. See <green/quiet.h>.
 */
#include <config.h>

#include <green/quiet.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "check.h"

struct quiet {
        sigset_t old;
        int signo;
        bool theirs; /* one was pending before: somebody waits for it */
};

_Static_assert(sizeof(struct quiet) <= sizeof(struct green_quiet), "it fits its public storage");

static struct quiet *
inside(struct green_quiet *q)
{
        return (struct quiet *)(void *)q->reserved;
}

void
green_quiet_begin(struct green_quiet *public, int signo)
{
        struct quiet *q = inside(public);
        sigset_t one, pending;

        q->signo = signo;
        q->theirs = false;
        sigemptyset(&one);
        sigaddset(&one, signo);
        pthread_sigmask(SIG_BLOCK, &one, &q->old);
        /* Only one that was blocked before can have been pending. */
        if (green__unlikely(sigismember(&q->old, signo) == 1))
                q->theirs = sigpending(&pending) == 0 && sigismember(&pending, signo) == 1;
}

/* One that is pending here is taken away. */
#if HAVE_SIGTIMEDWAIT
static void
take(const sigset_t *one, int signo)
{
        const struct timespec no_time = {0, 0};

        (void)signo;
        while (sigtimedwait(one, NULL, &no_time) < 0 && errno == EINTR)
                ;
}
#else
/* Blocked by this OS thread, which it was sent to, so nobody else takes it between the two. */
static void
take(const sigset_t *one, int signo)
{
        sigset_t pending;

        if (sigpending(&pending) == 0 && sigismember(&pending, signo) == 1)
                (void)sigwait(one, &signo);
}
#endif

void
green_quiet_end(struct green_quiet *public, bool raised)
{
        const struct quiet *q = inside(public);
        int error = errno;
        sigset_t one;

        if (green__unlikely(raised) && !q->theirs) {
                sigemptyset(&one);
                sigaddset(&one, q->signo);
                take(&one, q->signo);
        }
        pthread_sigmask(SIG_SETMASK, &q->old, NULL);
        errno = error;
}
