/*
 * What locks must know of fork().
 */
#include <pthread.h>

#include <green/thread.h>

#include "at_fork.h"
#include "fork.h"

unsigned green__sync_forks;

/* Has this OS thread made locks, or DAG pools? If not, it has none to look after in the child, and perhaps no hub. */
static _Thread_local bool has_locks;

/* Who forked last, and at which count the first of the forks that it has made in a row was. */
static const green_thread *forker;
static uint64_t forker_ident;
static unsigned forker_since;

/* Core's handler is older, so it has run: the one that runs now is the only one left. */
static void
in_child(void)
{
        const green_thread *self;
        uint64_t ident;

        if (!has_locks)
                return;
        self = green_getcurrent();
        ident = green_thread_ident(self);
        green__sync_forks++;
        if (ident != forker_ident || forker_since == 0) {
                forker = self;
                forker_ident = ident;
                forker_since = green__sync_forks;
        }
}

static void
install(void)
{
        green__sync_at_fork(NULL, NULL, in_child);
}

void
green__sync_fork_install(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        has_locks = true;
        (void)pthread_once(&once, install);
}

/*
 * One that forked again and again outlived all of those forks. Another that had its address before has not: the lock is
 * older than the first of them by a fork or more.
 */
bool
green__sync_survived(const green_thread *owner, unsigned forks)
{
        return owner == NULL || forks == green__sync_forks || (owner == forker && forks + 1 >= forker_since);
}
