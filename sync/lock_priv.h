/*
 * The inside of a lock, for those who release and take one while they wait for something else.
 */
#ifndef GREEN_SYNC_LOCK_PRIV_H
#define GREEN_SYNC_LOCK_PRIV_H

#include <config.h>

#include <green/lock.h>
#include <green/park.h>
#include <green/thread.h>

#include "fork.h"
#include "misuse.h"

/* Who holds a lock alone. */
struct green__owner {
        const green_thread *thread; /* compared, never followed: it may have ended. NULL: nobody, or a hub callback */
        uint64_t ident;             /* its number and its place, for reports. Only in debug builds */
        const char *where;
};

struct green_lock {
        struct green_waitq waiters; /* nobody waits where it is not locked */
        struct green__owner owner;
        uint64_t hub;   /* whose it is */
        unsigned forks; /* green__sync_forks when it was last looked at */
        bool locked;
};

/* lock.c: the owner has changed; the one that releases is not the one that took. */
void green__owner_note(struct green__owner *owner) GREEN__COLD;
void green__owner_check(const struct green__owner *owner, const char *what) GREEN__COLD;

/* lock.c: there was a fork since it was looked at last. */
void green__lock_after_fork(green_lock *l) GREEN__COLD;

static inline void
green__owner_set(struct green__owner *owner, const green_thread *thread)
{
        owner->thread = thread;
        if (GREEN_DEBUG)
                green__owner_note(owner);
}

/* Before anything is asked of a lock. */
static inline void
green__lock_look(green_lock *l)
{
        if (green__unlikely(l->forks != green__sync_forks))
                green__lock_after_fork(l);
}

/* Takes the lock if it is free, for a green thread. */
static inline bool
green__lock_try(green_lock *l, const green_thread *self)
{
        if (green__unlikely(l->locked))
                return false;
        l->locked = true;
        green__owner_set(&l->owner, self);
        return true;
}

/* Gives a lock that is held to the one that has waited longest, or back. Nothing follows the wake-up. */
static inline void
green__lock_give(green_lock *l)
{
        struct green_wait *w = green_waitq_first(&l->waiters);

        if (green__likely(w == NULL)) {
                l->locked = false;
                l->owner.thread = NULL;
                return;
        }
        green__owner_set(&l->owner, w->thread);
        green_wake(w, 0);
}

#endif
