/*
 * Condition variables. See <green/cond.h>.
 */
#include <errno.h>
#include <limits.h>

#include <green/alloc.h>
#include <green/cond.h>
#include <green/hubs.h>

#include "lock_priv.h"
#include "object.h"

struct green_cond {
        struct green_waitq waiters;
        uint64_t hub; /* whose it is */
};

green_cond *
green_cond_new(void)
{
        uint64_t hub;
        green_cond *c = green__object_new(sizeof(*c), &hub);

        if (c != NULL)
                c->hub = hub;
        return c;
}

int
green_cond_free(green_cond *c)
{
        if (c != NULL && green_waitq_first(&c->waiters) != NULL)
                return green__misuse(-EBUSY, "a condition variable that somebody waits for cannot be freed");
        green_free(c);
        return 0;
}

/* What a wait checks while the caller still holds the lock as it was. */
static int
check_wait(const green_cond *c, green_lock *l, double timeout, green_thread **ret_self)
{
        int rc;

        if (c == NULL || l == NULL)
                return green__misuse(-EINVAL, "green_cond_wait: no %s", c == NULL ? "condition variable" : "lock");
        rc = green_hub_check(l->hub, "a lock");
        if (rc != 0)
                return rc;
        green__lock_look(l);
        if (GREEN_DEBUG && l->locked)
                green__owner_check(&l->owner, "a lock");
        if (!l->locked)
                return green__misuse(-EINVAL, "green_cond_wait: the lock is not locked");
        rc = green_park_check(c->hub, "a condition variable", timeout, ret_self);
        return rc == 0 ? 0 : green__refused(rc, timeout, "a condition variable");
}

/* The lock again, in turn, whatever has fired. */
static int
take_again(green_lock *l, const green_thread *self)
{
        int rc;

        green__lock_look(l);
        if (green__lock_try(l, self))
                return 0;
        green_shield_begin();
        rc = green_lock_acquire(l, GREEN_FOREVER);
        green_shield_end();
        return rc;
}

int
green_cond_wait(green_cond *c, green_lock *l, double timeout)
{
        struct green_wait w;
        green_thread *self = NULL;
        int rc, again;

        rc = check_wait(c, l, timeout, &self);
        if (rc != 0)
                return rc;
        if (timeout == 0)
                return -ETIMEDOUT;
        if (self == NULL)
                return green__no_wait("a condition variable");
        green__lock_give(l);
        rc = green_park(&c->waiters, &w, timeout);
        again = take_again(l, self);
        return again != 0 ? again : rc;
}

int
green_cond_signal(green_cond *c)
{
        int rc;

        if (c == NULL)
                return green__misuse(-EINVAL, "green_cond_signal: no condition variable");
        rc = green_hub_check(c->hub, "a condition variable");
        return rc != 0 ? rc : green_wake_one(&c->waiters, NULL);
}

int
green_cond_broadcast(green_cond *c)
{
        size_t n;
        int rc;

        if (c == NULL)
                return green__misuse(-EINVAL, "green_cond_broadcast: no condition variable");
        rc = green_hub_check(c->hub, "a condition variable");
        if (rc != 0)
                return rc;
        n = green_wake_all(&c->waiters, 0);
        return n > INT_MAX ? INT_MAX : (int)n;
}
