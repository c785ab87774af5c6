/*
 * Handlers of signals on POSIX. See signal_sys.h.
 *
 * There is one handler. It goes through the list of those who listen to its signal, which others change under a lock
 * that the handler does not take: whoever has left the list waits until no handler is inside any more.
 */
#include <config.h>

#include <errno.h>
#include <sched.h>

#include "check.h"
#include "signal_sys.h"

#ifndef NSIG
#define NSIG 65
#endif

static struct {
        _Atomic(struct green__listener *) first;
        struct sigaction before; /* what was there */
} signals[NSIG];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int inside;   /* handlers that have a list in their hands */
static atomic_bool forking; /* they count only, so that the child finds no half of a post */

static void handler(int signum, siginfo_t *info, void *context);

/* ---- the handler */

/* What was there before, as if nobody had ever listened: when the handler has returned the signal comes again. */
static void
as_before(int signum)
{
        (void)sigaction(signum, &signals[signum].before, NULL);
        (void)raise(signum);
}

static void
tell(int signum)
{
        struct green__listener *first, *l;
        bool ring, before = false;

        atomic_fetch_add(&inside, 1);
        ring = !atomic_load(&forking);
        first = atomic_load(&signals[signum].first);
        for (l = first; l != NULL; l = atomic_load(&l->next)) {
                before = l->count(l);
                if (ring)
                        l->ring(l);
        }
        if (before && atomic_load(&first->next) == NULL)
                as_before(signum);
        atomic_fetch_sub(&inside, 1);
}

/* Children belong to others too, which learn of them by a handler of their own. */
static void
pass_on(int signum, siginfo_t *info, void *context)
{
        const struct sigaction before = signals[signum].before;

        if ((before.sa_flags & SA_SIGINFO) != 0)
                before.sa_sigaction(signum, info, context);
        else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
                before.sa_handler(signum);
}

static void
handler(int signum, siginfo_t *info, void *context)
{
        int error = errno;

        tell(signum);
        if (signum == SIGCHLD)
                pass_on(signum, info, context);
        errno = error;
}

/* The handlers that began before this have ended. Under the lock or not: they take none. */
static void
wait_for_handlers(void)
{
        while (atomic_load(&inside) != 0)
                sched_yield();
}

/* ---- installing it */

static bool
is_ours(const struct sigaction *action)
{
        return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == handler;
}

static int
install(int signum)
{
        struct sigaction now, ours = {.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK};

        if (sigaction(signum, NULL, &now) != 0)
                return -errno;
        if (is_ours(&now))
                return 0;
        wait_for_handlers();
        signals[signum].before = now;
        ours.sa_sigaction = handler;
        sigemptyset(&ours.sa_mask);
        return sigaction(signum, &ours, NULL) != 0 ? -errno : 0;
}

/* Somebody may have put theirs in its place: then it is not ours to take away. */
static void
uninstall(int signum)
{
        struct sigaction now;

        if (sigaction(signum, NULL, &now) == 0 && is_ours(&now))
                (void)sigaction(signum, &signals[signum].before, NULL);
}

static bool
is_waitable(int signum)
{
        switch (signum) {
        case SIGKILL:
        case SIGSTOP:
        case SIGSEGV:
        case SIGBUS:
        case SIGFPE:
        case SIGILL:
                return false;
        default:
                return signum > 0 && signum < NSIG;
        }
}

static void
unlist(struct green__listener *l)
{
        _Atomic(struct green__listener *) *at = &signals[l->signum].first;

        while (atomic_load(at) != l) {
                GREEN_ASSERT(atomic_load(at) != NULL);
                at = &atomic_load(at)->next;
        }
        atomic_store(at, atomic_load(&l->next));
}

/* ---- fork */

static void
before_fork(void)
{
        pthread_mutex_lock(&lock);
        atomic_store(&forking, true);
        wait_for_handlers();
}

static void
in_parent(void)
{
        atomic_store(&forking, false);
        for (int signum = 1; signum < NSIG; signum++)
                for (struct green__listener *l = atomic_load(&signals[signum].first); l != NULL;
                     l = atomic_load(&l->next))
                        l->ring(l);
        pthread_mutex_unlock(&lock);
}

/* Those who listened in other OS threads are not here. */
static void
in_child(void)
{
        bool gone;

        atomic_store(&inside, 0);
        for (int signum = 1; signum < NSIG; signum++) {
                struct green__listener *l = atomic_load(&signals[signum].first), *next;

                if (l == NULL)
                        continue;
                for (; l != NULL; l = next) {
                        next = atomic_load(&l->next);
                        gone = !pthread_equal(l->thread, pthread_self());
                        if (gone)
                                unlist(l);
                        l->forget(l, gone);
                }
                if (atomic_load(&signals[signum].first) == NULL)
                        uninstall(signum);
        }
        atomic_store(&forking, false);
        pthread_mutex_unlock(&lock);
}

static void
mind_forks(void)
{
        (void)pthread_atfork(before_fork, in_parent, in_child);
}

/* ---- listening */

int
green__signal_listen(struct green__listener *l, int signum)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        int rc;

        if (!is_waitable(signum))
                return -EINVAL;
        pthread_once(&once, mind_forks);
        l->signum = signum;
        l->thread = pthread_self();
        pthread_mutex_lock(&lock);
        atomic_store(&l->next, atomic_load(&signals[signum].first));
        atomic_store(&signals[signum].first, l);
        rc = install(signum);
        if (rc != 0)
                unlist(l);
        pthread_mutex_unlock(&lock);
        if (rc != 0)
                wait_for_handlers();
        return rc;
}

void
green__signal_leave(struct green__listener *l)
{
        pthread_mutex_lock(&lock);
        unlist(l);
        if (atomic_load(&signals[l->signum].first) == NULL)
                uninstall(l->signum);
        pthread_mutex_unlock(&lock);
        wait_for_handlers();
}
