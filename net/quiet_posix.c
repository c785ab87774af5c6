/*
 * Calls without their signal. See quiet.h.
 */
#include <config.h>

#include "quiet.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "check.h"

void
green__quiet_begin(struct green__quiet *q, int signo)
{
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

void
green__quiet_end(const struct green__quiet *q, bool raised)
{
        const struct timespec no_time = {0, 0};
        int error = errno;
        sigset_t one;

        if (green__unlikely(raised) && !q->theirs) {
                sigemptyset(&one);
                sigaddset(&one, q->signo);
                while (sigtimedwait(&one, NULL, &no_time) < 0 && errno == EINTR)
                        ;
        }
        pthread_sigmask(SIG_SETMASK, &q->old, NULL);
        errno = error;
}
