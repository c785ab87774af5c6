/**
 * @file
 * @brief All waits of sync/ in a table, for sync_wait.c: an object that is made so that the call waits, and what lets
 *        those go that wait.
 */
#ifndef GREEN_TESTS_SYNC_CASES_H
#define GREEN_TESTS_SYNC_CASES_H

#include "sync_help.h"

struct object {
        void *it;
        green_lock *lock; /* of a condition variable */
};

struct wait_case {
        const char *name;
        int (*call)(void *object, double timeout);
        void (*make)(struct object *o);
        void (*let)(struct object *o);  /* the first that waits, or all of them */
        void (*undo)(struct object *o); /* after it was let: the call waits again */
        int (*drop)(struct object *o);
        bool all;       /* all who wait are let go at once */
        bool remembers; /* where nobody waits, the next call does not */
        bool keeps;     /* one that was woken holds a part of it, and must give that back first */
};

static int
acquire_permit(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_semaphore_acquire(o->it, timeout);
}

static void
make_semaphore(struct object *o)
{
        o->it = green_semaphore_new(0, NULL);
}

static void
release_permit(struct object *o)
{
        CHECK_INT(green_semaphore_release(o->it), 0);
}

static void
nothing(struct object *o)
{
        (void)o;
}

static int
drop_semaphore(struct object *o)
{
        return green_semaphore_free(o->it);
}

static int
release_capped(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_semaphore_release_timeout(o->it, timeout);
}

static void
make_capped(struct object *o)
{
        const struct green_semaphore_opts opts = {.size = sizeof(opts), .kind = GREEN_SEMAPHORE_CAPPED, .limit = 2};

        o->it = green_semaphore_new(2, &opts);
}

static void
make_rendezvous(struct object *o)
{
        const struct green_semaphore_opts opts = {.size = sizeof(opts), .kind = GREEN_SEMAPHORE_CAPPED, .limit = 0};

        o->it = green_semaphore_new(0, &opts);
}

static void
take_permit(struct object *o)
{
        CHECK_INT(green_semaphore_acquire(o->it, 0), 0);
}

static int
acquire_lock(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_lock_acquire(o->it, timeout);
}

static void
make_lock(struct object *o)
{
        o->it = green_lock_new();
        CHECK_INT(green_lock_acquire(o->it, 0), 0);
}

static void
release_lock(struct object *o)
{
        CHECK_INT(green_lock_release(o->it), 0);
}

static int
drop_lock(struct object *o)
{
        return green_lock_free(o->it);
}

static int
acquire_read(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_rwlock_acquire_read(o->it, timeout);
}

static int
acquire_write(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_rwlock_acquire_write(o->it, timeout);
}

static void
make_rwlock(struct object *o)
{
        o->it = green_rwlock_new();
        CHECK_INT(green_rwlock_acquire_write(o->it, 0), 0);
}

static void
release_rwlock(struct object *o)
{
        CHECK_INT(green_rwlock_release(o->it), 0);
}

/* From being read to being written. */
static void
write_again(struct object *o)
{
        long readers = 0;

        CHECK_INT(green_rwlock_holders(o->it, &readers), 0);
        while (readers-- > 0)
                CHECK_INT(green_rwlock_release(o->it), 0);
        CHECK_INT(green_rwlock_acquire_write(o->it, 0), 0);
}

static int
drop_rwlock(struct object *o)
{
        return green_rwlock_free(o->it);
}

static int
wait_told(void *arg, double timeout)
{
        const struct object *o = arg;
        bool locked = green_lock_acquire(o->lock, 0) == 0;
        int rc = green_cond_wait(o->it, o->lock, timeout);

        if (locked)
                CHECK_INT(green_lock_release(o->lock), 0);
        return rc;
}

static void
make_cond(struct object *o)
{
        o->it = green_cond_new();
        o->lock = green_lock_new();
}

static void
tell_one(struct object *o)
{
        CHECK_RANGE(green_cond_signal(o->it), 0, 1);
}

static int
drop_cond(struct object *o)
{
        int rc = green_cond_free(o->it);

        if (rc == 0)
                CHECK_INT(green_lock_free(o->lock), 0);
        return rc;
}

static int
come(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_barrier_wait(o->it, timeout);
}

static void
make_barrier(struct object *o)
{
        o->it = green_barrier_new(2);
}

static void
come_too(struct object *o)
{
        CHECK_RANGE(green_barrier_wait(o->it, 0), -ETIMEDOUT, 1);
}

static int
drop_barrier(struct object *o)
{
        return green_barrier_free(o->it);
}

static int
wait_for_zero(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_metaphore_wait(o->it, timeout);
}

static void
count_up(struct object *o)
{
        CHECK_INT(green_metaphore_inc(o->it, 1), 0);
}

static void
make_metaphore(struct object *o)
{
        o->it = green_metaphore_new();
        count_up(o);
}

static void
count_down(struct object *o)
{
        CHECK_INT(green_metaphore_dec(o->it, 1), 0);
}

static int
drop_metaphore(struct object *o)
{
        return green_metaphore_free(o->it);
}

static int
wait_sent(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_event_wait(o->it, NULL, timeout);
}

static void
make_event(struct object *o)
{
        o->it = green_event_new();
}

static void
send_one(struct object *o)
{
        CHECK_INT(green_event_send(o->it, NULL), 0);
}

static void
reset(struct object *o)
{
        CHECK_INT(green_event_reset(o->it), 0);
}

static int
drop_event(struct object *o)
{
        return green_event_free(o->it);
}

static int
get_token(void *arg, double timeout)
{
        const struct object *o = arg;
        void *token = NULL;

        return green_pool_get(o->it, &token, timeout);
}

static void
make_pool(struct object *o)
{
        o->it = green_token_pool_new(1);
        CHECK_INT(get_token(o, 0), 0);
}

static void
put_token(struct object *o)
{
        CHECK_INT(green_pool_put(o->it, NULL), 0);
}

static int
drop_pool(struct object *o)
{
        return green_pool_free(o->it);
}

static int
acquire_slot(void *arg, double timeout)
{
        const struct object *o = arg;

        return green_greenpool_acquire(o->it, NULL, 0, timeout, NULL);
}

static void
make_greenpool(struct object *o)
{
        o->it = green_greenpool_new(1);
        CHECK_INT(acquire_slot(o, 0), 0);
}

static void
release_slot(struct object *o)
{
        CHECK_INT(green_greenpool_release(o->it), 0);
}

static int
drop_greenpool(struct object *o)
{
        while (green_greenpool_waiting(o->it) == 0 && green_greenpool_running(o->it) > 0)
                release_slot(o);
        return green_greenpool_free(o->it);
}

/* Those who wait for tasks hold nothing, and do not count anywhere. */
static int waiting_for_tasks;

static int
wait_for_tasks(void *arg, double timeout)
{
        const struct object *o = arg;
        int rc;

        waiting_for_tasks++;
        rc = green_greenpool_waitall(o->it, timeout);
        waiting_for_tasks--;
        return rc;
}

static void
take_slot(struct object *o)
{
        CHECK_INT(acquire_slot(o, 0), 0);
}

static int
drop_idle(struct object *o)
{
        if (waiting_for_tasks == 0 && green_greenpool_running(o->it) > 0)
                release_slot(o);
        return green_greenpool_free(o->it);
}

static const struct wait_case cases[] = {
        {"barrier", come, make_barrier, come_too, nothing, drop_barrier, true, false, false},
        {"capped release", release_capped, make_capped, take_permit, nothing, drop_semaphore, false, true, false},
        {"condition variable", wait_told, make_cond, tell_one, nothing, drop_cond, false, false, false},
        {"event", wait_sent, make_event, send_one, reset, drop_event, true, true, false},
        {"green pool", acquire_slot, make_greenpool, release_slot, nothing, drop_greenpool, false, true, true},
        {"lock", acquire_lock, make_lock, release_lock, nothing, drop_lock, false, true, false},
        {"metaphore", wait_for_zero, make_metaphore, count_down, count_up, drop_metaphore, true, true, false},
        {"pool", get_token, make_pool, put_token, nothing, drop_pool, false, true, false},
        {"read lock", acquire_read, make_rwlock, release_rwlock, write_again, drop_rwlock, true, true, false},
        {"rendezvous", acquire_permit, make_rendezvous, NULL, nothing, drop_semaphore, false, false, false},
        {"semaphore", acquire_permit, make_semaphore, release_permit, nothing, drop_semaphore, false, true, false},
        {"tasks", wait_for_tasks, make_greenpool, release_slot, take_slot, drop_idle, true, true, false},
        {"write lock", acquire_write, make_rwlock, release_rwlock, nothing, drop_rwlock, false, true, false},
};

/* Of a rendezvous, the other side. */
static void
let(const struct wait_case *c, struct object *o)
{
        if (c->let != NULL)
                c->let(o);
        else
                (void)!green_semaphore_release_timeout(o->it, 0);
}

#define EACH_CASE(c) for (const struct wait_case *c = cases; c < cases + sizeof(cases) / sizeof(cases[0]); c++)

#endif
