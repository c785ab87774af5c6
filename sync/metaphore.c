/*
 * Metaphores. See <green/metaphore.h>.
 */
#include <errno.h>
#include <limits.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/metaphore.h>
#include <green/park.h>

#include "misuse.h"
#include "object.h"

struct green_metaphore {
        struct green_waitq waiters; /* nobody waits at 0 */
        long count;
        uint64_t hub; /* whose it is */
};

green_metaphore *
green_metaphore_new(void)
{
        uint64_t hub;
        green_metaphore *m = green__object_new(sizeof(*m), &hub);

        if (m != NULL)
                m->hub = hub;
        return m;
}

int
green_metaphore_free(green_metaphore *m)
{
        if (m != NULL && green_waitq_first(&m->waiters) != NULL)
                return green__misuse(-EBUSY, "a metaphore that somebody waits for cannot be freed");
        green_free(m);
        return 0;
}

static int
check(const green_metaphore *m, long by, const char *call)
{
        if (m == NULL)
                return green__misuse(-EINVAL, "%s: no metaphore", call);
        if (by < 1)
                return green__misuse(-EINVAL, "%s: by %ld; it must be 1 or more", call, by);
        return green_hub_check(m->hub, "a metaphore");
}

int
green_metaphore_inc(green_metaphore *m, long by)
{
        int rc = check(m, by, "green_metaphore_inc");

        if (rc != 0)
                return rc;
        if (m->count > LONG_MAX - by)
                return green__misuse(-EOVERFLOW, "green_metaphore_inc: %ld and %ld are too many", m->count, by);
        m->count += by;
        return 0;
}

int
green_metaphore_dec(green_metaphore *m, long by)
{
        int rc = check(m, by, "green_metaphore_dec");

        if (rc != 0)
                return rc;
        m->count = m->count > by ? m->count - by : 0;
        if (m->count == 0)
                green_wake_all(&m->waiters, 0);
        return 0;
}

int
green_metaphore_wait(green_metaphore *m, double timeout)
{
        struct green_wait w;
        green_thread *self;
        int rc;

        if (m == NULL)
                return green__misuse(-EINVAL, "green_metaphore_wait: no metaphore");
        rc = green_park_check(m->hub, "a metaphore", timeout, &self);
        if (rc != 0)
                return green__refused(rc, timeout, "a metaphore");
        if (m->count == 0)
                return 0;
        if (self == NULL && timeout != 0)
                return green__no_wait("a metaphore");
        return green_park(&m->waiters, &w, timeout);
}

long
green_metaphore_count(const green_metaphore *m)
{
        if (m == NULL) {
                green__misuse(-EINVAL, "green_metaphore_count: no metaphore");
                return 0;
        }
        return m->count;
}
