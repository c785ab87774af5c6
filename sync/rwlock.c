/*
 * Read-write locks. See <green/rwlock.h>.
 */
#include <errno.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/rwlock.h>

#include "lock_priv.h"
#include "object.h"

/* What a node in the queue waits for: its `user`. */
enum { READER, WRITER };

struct green_rwlock {
        struct green_waitq waiters; /* both sides, in the order they came */
        struct green__owner writer; /* who writes */
        long readers;               /* how many read; -1: somebody writes */
        size_t inside;              /* writers that wait, and those that gave up and have not run since */
        uint64_t hub;               /* whose it is */
        unsigned forks;             /* green__sync_forks when it was last looked at */
        bool freed;                 /* the last of those that gave up frees it */
};

green_rwlock *
green_rwlock_new(void)
{
        uint64_t hub;
        green_rwlock *l = green__object_new(sizeof(*l), &hub);

        if (l == NULL)
                return NULL;
        green__sync_fork_install();
        l->hub = hub;
        l->forks = green__sync_forks;
        return l;
}

/* Readers are not known by name: they are forgotten with all others. A writer that lives is known. */
static GREEN__COLD void
after_fork(green_rwlock *l)
{
        if (l->readers > 0 || !green__sync_survived(l->writer.thread, l->forks)) {
                l->readers = 0;
                l->writer.thread = NULL;
        }
        l->inside = 0;
        l->forks = green__sync_forks;
}

static inline void
look(green_rwlock *l)
{
        if (green__unlikely(l->forks != green__sync_forks))
                after_fork(l);
}

int
green_rwlock_free(green_rwlock *l)
{
        if (l == NULL)
                return 0;
        if (green_waitq_first(&l->waiters) != NULL)
                return green__misuse(-EBUSY, "a read-write lock that somebody waits for cannot be freed");
        look(l);
        if (l->inside > 0)
                l->freed = true;
        else
                green_free(l);
        return 0;
}

/* Lets in those at the head of the queue that may enter now. */
static void
let_in(green_rwlock *l)
{
        struct green_wait *w;

        while ((w = green_waitq_first(&l->waiters)) != NULL && l->readers >= 0) {
                if (w->user == READER) {
                        l->readers++;
                        green_wake(w, 0);
                        continue;
                }
                if (l->readers == 0) {
                        l->readers = -1;
                        l->inside--;
                        green__owner_set(&l->writer, w->thread);
                        green_wake(w, 0);
                }
                return;
        }
}

/* A writer that gives up may have kept back readers behind it. It is off the queue, but runs only now. */
static void
gave_up(green_rwlock *l)
{
        if (--l->inside == 0 && l->freed)
                green_free(l);
        else
                let_in(l);
}

static GREEN__COLD int
wait_for(green_rwlock *l, unsigned side, const green_thread *self, double timeout)
{
        struct green_wait w;
        int rc;

        if (timeout == 0)
                return -ETIMEDOUT;
        if (self == NULL)
                return green__no_wait("a read-write lock");
        w.user = side;
        if (side == WRITER)
                l->inside++;
        rc = green_park(&l->waiters, &w, timeout);
        if (rc != 0 && side == WRITER)
                gave_up(l);
        return rc;
}

static inline int
check(green_rwlock *l, double timeout, green_thread **ret_self)
{
        int rc;

        if (green__unlikely(l == NULL))
                return green__misuse(-EINVAL, "a read-write lock is missing");
        rc = green_park_check(l->hub, "a read-write lock", timeout, ret_self);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, "a read-write lock");
        look(l);
        return 0;
}

int
green_rwlock_acquire_read(green_rwlock *l, double timeout)
{
        green_thread *self;
        int rc = check(l, timeout, &self);

        if (green__unlikely(rc != 0))
                return rc;
        /* At the head may be readers whose writer has given up and not run since: they are first. */
        if (green__unlikely(l->waiters.first != NULL))
                let_in(l);
        if (green__unlikely(l->readers < 0 || l->waiters.first != NULL))
                return wait_for(l, READER, self, timeout);
        l->readers++;
        return 0;
}

int
green_rwlock_acquire_write(green_rwlock *l, double timeout)
{
        green_thread *self;
        int rc = check(l, timeout, &self);

        if (green__unlikely(rc != 0))
                return rc;
        if (green__unlikely(l->readers != 0))
                return wait_for(l, WRITER, self, timeout);
        l->readers = -1;
        green__owner_set(&l->writer, self);
        return 0;
}

int
green_rwlock_release(green_rwlock *l)
{
        struct green__owner writer;
        int rc;

        if (green__unlikely(l == NULL))
                return green__misuse(-EINVAL, "green_rwlock_release: no read-write lock");
        rc = green_hub_check(l->hub, "a read-write lock");
        if (green__unlikely(rc != 0))
                return rc;
        look(l);
        if (green__unlikely(l->readers == 0))
                return green__misuse(-EALREADY, "green_rwlock_release: nobody holds the read-write lock");
        if (l->readers > 0) {
                l->readers--;
                let_in(l);
                return 0;
        }
        writer = l->writer;
        l->readers = 0;
        l->writer.thread = NULL;
        let_in(l);
        /* Reported when all is done: the log hook may use the lock. */
        if (GREEN_DEBUG)
                green__owner_check(&writer, "a read-write lock");
        return 0;
}

int
green_rwlock_holders(const green_rwlock *l, long *ret_readers)
{
        bool held;

        if (l == NULL || ret_readers == NULL)
                return green__misuse(-EINVAL, "green_rwlock_holders: no %s", l == NULL ? "read-write lock" : "result");
        held = l->forks == green__sync_forks || (l->readers < 0 && green__sync_survived(l->writer.thread, l->forks));
        *ret_readers = held ? l->readers : 0;
        return 0;
}
