/*
 * Locks. See <green/lock.h>.
 */
#include <errno.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/log.h>

#include "lock_priv.h"
#include "object.h"

void
green__owner_note(struct green__owner *owner)
{
        owner->ident = green_thread_ident(owner->thread);
        owner->where = green_thread_where(owner->thread);
}

void
green__owner_check(const struct green__owner *owner, const char *what)
{
        struct green__who taker, giver;

        if (owner->thread != green_getcurrent())
                green_log(GREEN_LOG_WARNING, "green-net: %s that was taken by %s is released by %s", what,
                          green__who(&taker, owner->ident, owner->where), green__who_now(&giver));
}

void
green__lock_after_fork(green_lock *l)
{
        if (!green__sync_survived(l->owner.thread, l->forks)) {
                l->locked = false;
                l->owner.thread = NULL;
        }
        l->forks = green__sync_forks;
}

green_lock *
green_lock_new(void)
{
        uint64_t hub;
        green_lock *l = green__object_new(sizeof(*l), &hub);

        if (l == NULL)
                return NULL;
        green__sync_fork_install();
        l->hub = hub;
        l->forks = green__sync_forks;
        return l;
}

int
green_lock_free(green_lock *l)
{
        if (l != NULL && green_waitq_first(&l->waiters) != NULL)
                return green__misuse(-EBUSY, "a lock that somebody waits for cannot be freed");
        green_free(l);
        return 0;
}

/* The lock is held. Whoever gives it back makes the caller its owner. */
static GREEN__COLD int
wait_for(green_lock *l, const green_thread *self, double timeout)
{
        struct green_wait w;

        if (self == NULL && timeout != 0)
                return green__no_wait("a lock");
        return green_park(&l->waiters, &w, timeout);
}

int
green_lock_acquire(green_lock *l, double timeout)
{
        green_thread *self;
        int rc;

        if (green__unlikely(l == NULL))
                return green__misuse(-EINVAL, "green_lock_acquire: no lock");
        rc = green_park_check(l->hub, "a lock", timeout, &self);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, "a lock");
        green__lock_look(l);
        if (green__likely(green__lock_try(l, self)))
                return 0;
        return wait_for(l, self, timeout);
}

int
green_lock_release(green_lock *l)
{
        struct green__owner owner;
        int rc;

        if (green__unlikely(l == NULL))
                return green__misuse(-EINVAL, "green_lock_release: no lock");
        rc = green_hub_check(l->hub, "a lock");
        if (green__unlikely(rc != 0))
                return rc;
        green__lock_look(l);
        if (green__unlikely(!l->locked))
                return green__misuse(-EALREADY, "green_lock_release: the lock is not locked");
        if (!GREEN_DEBUG) {
                green__lock_give(l);
                return 0;
        }
        /* Reported when all is done: the log hook may use the lock. */
        owner = l->owner;
        green__lock_give(l);
        green__owner_check(&owner, "a lock");
        return 0;
}

bool
green_lock_locked(const green_lock *l)
{
        if (l == NULL) {
                green__misuse(-EINVAL, "green_lock_locked: no lock");
                return false;
        }
        return l->locked && green__sync_survived(l->owner.thread, l->forks);
}
