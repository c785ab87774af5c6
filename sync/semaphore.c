/*
 * Semaphores. See <green/semaphore.h>.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/opts.h>

#include "misuse.h"
#include "object.h"
#include "semaphore_priv.h"

/*
 * Where somebody waits to take there is no permit, and nobody waits to give; where somebody waits to give the counter
 * is at its limit. With a limit of 0 both are so, and whoever comes second finds the other.
 */
struct green_semaphore {
        struct green_waitq takers;
        struct green_waitq givers; /* of the capped kind */
        long count;                /* permits; 0 to limit */
        long limit;
        uint64_t hub; /* whose it is */
        enum green_semaphore_kind kind;
};

static long
limit_of(long value, const struct green_semaphore_opts *opts)
{
        if (opts->kind == GREEN_SEMAPHORE_CAPPED)
                return opts->limit;
        return opts->kind == GREEN_SEMAPHORE_BOUNDED ? value : LONG_MAX;
}

green_semaphore *
green_semaphore_new(long value, const struct green_semaphore_opts *opts)
{
        struct green_semaphore_opts o;
        green_semaphore *s;
        uint64_t hub;

        if (green_opts_take(&o, sizeof(o), opts) != 0 || (unsigned)o.kind > GREEN_SEMAPHORE_CAPPED) {
                green__misuse(-EINVAL, "green_semaphore_new: unknown size of the options, or unknown kind");
                return NULL;
        }
        if (value < 0 || value > limit_of(value, &o)) {
                green__misuse(-EINVAL, "green_semaphore_new: %ld permits are below 0 or past the limit", value);
                return NULL;
        }
        s = green__object_new(sizeof(*s), &hub);
        if (s == NULL)
                return NULL;
        s->count = value;
        s->limit = limit_of(value, &o);
        s->hub = hub;
        s->kind = o.kind;
        return s;
}

int
green_semaphore_free(green_semaphore *s)
{
        if (s != NULL && (green_waitq_first(&s->takers) != NULL || green_waitq_first(&s->givers) != NULL))
                return green__misuse(-EBUSY, "a semaphore that somebody waits for cannot be freed");
        green_free(s);
        return 0;
}

/* A permit, if there is one; its place goes to the first that waits to give. */
static inline bool
take(green_semaphore *s)
{
        if (green__likely(s->count > 0)) {
                if (green__likely(s->givers.first == NULL))
                        s->count--;
                else
                        green_wake_one(&s->givers, NULL);
                return true;
        }
        return green__unlikely(s->givers.first != NULL) && green_wake_one(&s->givers, NULL);
}

static GREEN__COLD int
wait_in(struct green_waitq *q, const green_thread *self, double timeout)
{
        struct green_wait w;

        if (self == NULL && timeout != 0)
                return green__no_wait("a semaphore");
        return green_park(q, &w, timeout);
}

int
green_semaphore_acquire(green_semaphore *s, double timeout)
{
        green_thread *self;
        int rc;

        if (green__unlikely(s == NULL))
                return green__misuse(-EINVAL, "green_semaphore_acquire: no semaphore");
        rc = green_park_check(s->hub, "a semaphore", timeout, &self);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, "a semaphore");
        if (green__likely(take(s)))
                return 0;
        return wait_in(&s->takers, self, timeout);
}

/* A permit for the first that waits for one, or for the counter, which has room. */
static inline void
give(green_semaphore *s)
{
        if (green__likely(s->takers.first == NULL))
                s->count++;
        else
                green_wake_one(&s->takers, NULL);
}

static int
give_capped(green_semaphore *s, double timeout)
{
        green_thread *self;
        int rc = green_park_check(s->hub, "a semaphore", timeout, &self);

        if (rc != 0)
                return green__refused(rc, timeout, "a semaphore");
        if (s->count == s->limit && s->takers.first == NULL)
                return wait_in(&s->givers, self, timeout);
        give(s);
        return 0;
}

int
green_semaphore_release(green_semaphore *s)
{
        int rc;

        if (green__unlikely(s == NULL))
                return green__misuse(-EINVAL, "green_semaphore_release: no semaphore");
        if (green__unlikely(s->kind == GREEN_SEMAPHORE_CAPPED))
                return give_capped(s, GREEN_FOREVER);
        rc = green_hub_check(s->hub, "a semaphore");
        if (green__unlikely(rc != 0))
                return rc;
        if (green__unlikely(s->count >= s->limit))
                return green__misuse(-EOVERFLOW, "green_semaphore_release: released too many times");
        give(s);
        return 0;
}

int
green_semaphore_release_timeout(green_semaphore *s, double timeout)
{
        if (s == NULL)
                return green__misuse(-EINVAL, "green_semaphore_release_timeout: no semaphore");
        if (s->kind == GREEN_SEMAPHORE_CAPPED)
                return give_capped(s, timeout);
        if (!(timeout >= 0))
                return green__refused(-EINVAL, timeout, "a semaphore");
        return green_semaphore_release(s);
}

bool
green_semaphore_locked(const green_semaphore *s)
{
        if (s == NULL) {
                green__misuse(-EINVAL, "green_semaphore_locked: no semaphore");
                return false;
        }
        return s->count == 0 && s->givers.first == NULL;
}

bool
green_semaphore_bounded(const green_semaphore *s)
{
        if (s == NULL) {
                green__misuse(-EINVAL, "green_semaphore_bounded: no semaphore");
                return false;
        }
        return s->kind == GREEN_SEMAPHORE_CAPPED && s->count == s->limit && s->takers.first == NULL;
}

static long
length(const struct green_waitq *q)
{
        long n = 0;

        for (const struct green_wait *w = q->first; w != NULL; w = w->next)
                n++;
        return n;
}

int
green_semaphore_balance(const green_semaphore *s, long *ret_balance)
{
        if (s == NULL || ret_balance == NULL)
                return green__misuse(-EINVAL, "green_semaphore_balance: no %s", s == NULL ? "semaphore" : "result");
        *ret_balance = s->count - length(&s->takers) + length(&s->givers);
        return 0;
}

int
green_semaphore_format(const green_semaphore *s, char *text, size_t len)
{
        static const char *const names[] = {"Semaphore", "BoundedSemaphore", "CappedSemaphore"};

        if (s == NULL || (text == NULL && len > 0))
                return green__misuse(-EINVAL, "green_semaphore_format: no %s", s == NULL ? "semaphore" : "text");
        return snprintf(text, len, "<%s %ld _w[%ld]>", names[s->kind], s->count,
                        length(&s->takers) + length(&s->givers));
}

int
green__semaphore_check(const green_semaphore *s)
{
        return green_hub_check(s->hub, "a semaphore");
}

bool
green__semaphore_try(green_semaphore *s)
{
        return take(s);
}

struct green_waitq *
green__semaphore_waiters(green_semaphore *s)
{
        return &s->takers;
}
