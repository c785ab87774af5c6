/*
 * Barriers. See <green/barrier.h>.
 */
#include <errno.h>

#include <green/alloc.h>
#include <green/barrier.h>
#include <green/park.h>

#include "misuse.h"
#include "object.h"

struct green_barrier {
        struct green_waitq waiters;
        size_t parties;
        size_t came;  /* since it was last as new: as many as wait, or more, since one that gives up touches nothing */
        uint64_t hub; /* whose it is */
};

green_barrier *
green_barrier_new(size_t parties)
{
        green_barrier *b;
        uint64_t hub;

        if (parties == 0) {
                green__misuse(-EINVAL, "green_barrier_new: a barrier for nobody");
                return NULL;
        }
        b = green__object_new(sizeof(*b), &hub);
        if (b == NULL)
                return NULL;
        b->parties = parties;
        b->hub = hub;
        return b;
}

int
green_barrier_free(green_barrier *b)
{
        if (b != NULL && green_waitq_first(&b->waiters) != NULL)
                return green__misuse(-EBUSY, "a barrier that somebody waits at cannot be freed");
        green_free(b);
        return 0;
}

static size_t
waiting(const green_barrier *b)
{
        size_t n = 0;

        for (const struct green_wait *w = b->waiters.first; w != NULL; w = w->next)
                n++;
        return n;
}

int
green_barrier_wait(green_barrier *b, double timeout)
{
        struct green_wait w;
        green_thread *self;
        int rc;

        if (b == NULL)
                return green__misuse(-EINVAL, "green_barrier_wait: no barrier");
        rc = green_park_check(b->hub, "a barrier", timeout, &self);
        if (rc != 0)
                return green__refused(rc, timeout, "a barrier");
        if (b->came + 1 >= b->parties)
                b->came = waiting(b);
        if (b->came + 1 == b->parties) {
                b->came = 0;
                green_wake_all(&b->waiters, 0);
                return 1;
        }
        if (timeout == 0)
                return -ETIMEDOUT;
        if (self == NULL)
                return green__no_wait("a barrier");
        b->came++;
        return green_park(&b->waiters, &w, timeout);
}

size_t
green_barrier_waiting(const green_barrier *b)
{
        if (b == NULL) {
                green__misuse(-EINVAL, "green_barrier_waiting: no barrier");
                return 0;
        }
        return waiting(b);
}
