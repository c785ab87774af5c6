/*
 * Green pools. See <green/greenpool.h>.
 *
 * A slot is taken before its task is made and given back when that ends, and goes straight to the spawner that has
 * waited longest. Between the two it is `handed`: counted as taken, without a task.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>

#include <green/alloc.h>
#include <green/hubs.h>

#include "greenpool_priv.h"
#include "object.h"

#undef green_greenpool_spawn
#undef green_greenpool_spawn_n
#undef green_greenpool_spawn_acquired

/* Records that are kept for later at most. */
enum { SPARES = 1024 };

static GREEN__COLD int
no_pool(const char *function)
{
        return green__misuse(-EINVAL, "%s: no green pool", function);
}

/* ---- making and freeing */

static void
describe(const struct green__listed *l, char *line, size_t len)
{
        const green_greenpool *p =
                (const green_greenpool *)(const void *)((const char *)l - offsetof(green_greenpool, listed));
        size_t waiting = 0;

        for (const struct green_wait *w = p->spawners.first; w != NULL; w = w->next)
                waiting++;
        snprintf(line, len, "green pool %p: %zu run, of %zu; %zu wait", (const void *)p, p->running, p->size, waiting);
}

green_greenpool *
green_greenpool_new(size_t size)
{
        green_greenpool *p;
        uint64_t ident;

        if (size > LONG_MAX) {
                green__misuse(-EINVAL, "green_greenpool_new: %zu slots are too many", size);
                return NULL;
        }
        p = green__object_new(sizeof(*p), &ident);
        if (p == NULL)
                return NULL;
        green__sync_fork_install();
        p->ident = ident;
        p->size = size;
        p->forks = green__sync_forks;
        green__pool_list_add(&p->listed, ident, describe);
        return p;
}

/* In the child of a fork: slots on their way to green threads that were forgotten are free. */
static inline void
notice_fork(green_greenpool *p)
{
        if (green__likely(p->forks == green__sync_forks))
                return;
        p->running -= p->handed;
        p->handed = 0;
        p->inside = 0;
        p->forks = green__sync_forks;
}

static size_t
taken(const green_greenpool *p)
{
        return p->forks == green__sync_forks ? p->running : p->running - p->handed;
}

static bool
is_idle(const green_greenpool *p)
{
        return p->running == 0 && p->spawners.first == NULL;
}

static void
free_pool(green_greenpool *p)
{
        struct green__pool_task *t;

        while ((t = p->spare) != NULL) {
                p->spare = t->next;
                green_free(t);
        }
        green__pool_list_remove(&p->listed);
        green_free(p);
}

/* Somebody has left it. */
static void
look_after(green_greenpool *p)
{
        if (!is_idle(p))
                return;
        (void)green_wake_all(&p->idle, 0);
        if (p->doomed && p->inside == 0 && p->users == 0)
                free_pool(p);
}

int
green_greenpool_free(green_greenpool *p)
{
        if (p == NULL)
                return 0;
        if (taken(p) > 0 || p->spawners.first != NULL || p->idle.first != NULL || p->users > 0)
                return green__misuse(-EBUSY, "a green pool that is in use cannot be freed");
        notice_fork(p);
        p->doomed = true;
        look_after(p);
        return 0;
}

void
green__greenpool_leave(green_greenpool *p, bool doom)
{
        p->users--;
        p->doomed |= doom;
        look_after(p);
}

/* ---- records */

struct green__pool_task *
green__greenpool_record(green_greenpool *p)
{
        struct green__pool_task *t = p->spare;

        if (green__likely(t != NULL)) {
                p->spare = t->next;
                p->spares--;
        } else {
                t = green_malloc(sizeof(*t));
                if (t == NULL)
                        return NULL;
                t->pool = p;
        }
        t->ended = NULL;
        return t;
}

void
green__greenpool_put_record(green_greenpool *p, struct green__pool_task *t)
{
        if (green__unlikely(p->spares == SPARES)) {
                green_free(t);
                return;
        }
        t->next = p->spare;
        p->spare = t;
        p->spares++;
}

static inline void
add_task(green_greenpool *p, struct green__pool_task *t)
{
        t->next = NULL;
        t->prev = p->last;
        if (p->last != NULL)
                p->last->next = t;
        else
                p->first = t;
        p->last = t;
}

static inline void
remove_task(green_greenpool *p, struct green__pool_task *t)
{
        if (t->prev != NULL)
                t->prev->next = t->next;
        else
                p->first = t->next;
        if (t->next != NULL)
                t->next->prev = t->prev;
        else
                p->last = t->prev;
}

/* ---- slots */

/* A slot that was taken is free: the first that waits has it, unless there are too many. */
static inline void
give(green_greenpool *p)
{
        struct green_wait *spawner = green_waitq_first(&p->spawners);

        if (spawner != NULL && p->running <= p->size) {
                p->handed++;
                green_wake(spawner, 0);
                return;
        }
        if (--p->running == 0)
                look_after(p);
}

void
green__greenpool_give(green_greenpool *p)
{
        give(p);
}

bool
green__greenpool_try(green_greenpool *p)
{
        notice_fork(p);
        if (p->running >= p->size)
                return false;
        p->running++;
        return true;
}

int
green__greenpool_wait(green_greenpool *p, struct green_wait *waits, size_t n, double timeout, size_t *ret_index)
{
        size_t which = SIZE_MAX;
        int rc;

        waits[0] = (struct green_wait){.queue = &p->spawners};
        p->inside++;
        rc = green_park_any(waits, n, timeout, &which);
        p->inside--;
        if (rc == 0 && which == 0)
                p->handed--;
        else
                look_after(p);
        if (ret_index != NULL)
                *ret_index = which;
        return rc;
}

static bool task_ended(struct green_task *task, int code, void *result);

bool
green__greenpool_has(const green_greenpool *p, const green_thread *gt)
{
        const struct green_task *task = green_thread_task(gt);

        return task != NULL && task->end == task_ended && ((const struct green__pool_task *)task)->pool == p;
}

int
green__greenpool_enter(green_greenpool *p)
{
        struct green_wait w;
        green_thread *self;
        int rc = green_park_check(p->ident, "a green pool", GREEN_FOREVER, &self);

        if (green__unlikely(rc != 0))
                return rc;
        notice_fork(p);
        if (green__likely(p->running < p->size)) {
                p->running++;
                return 0;
        }
        if (self == NULL)
                return green__no_wait("a green pool");
        return green__greenpool_has(p, self) ? GREEN__RUN_HERE : green__greenpool_wait(p, &w, 1, GREEN_FOREVER, NULL);
}

int
green_greenpool_acquire(green_greenpool *p, struct green_wait *waits, size_t n, double timeout, size_t *ret_index)
{
        struct green_wait w;
        green_thread *self = NULL; /* gcc, where it sees all at once: not known to be set */
        size_t which = 0;
        int rc;

        if (p == NULL || (waits == NULL) != (n == 0))
                return p == NULL ? no_pool("green_greenpool_acquire")
                                 : green__misuse(-EINVAL, "green_greenpool_acquire: no nodes, or none of them");
        rc = green_park_check(p->ident, "a green pool", timeout, &self);
        if (rc != 0)
                return green__refused(rc, timeout, "a green pool");
        if (!green__greenpool_try(p)) {
                if (timeout == 0)
                        return -ETIMEDOUT;
                if (self == NULL)
                        return green__no_wait("a green pool");
                rc = green__greenpool_wait(p, waits == NULL ? &w : waits, waits == NULL ? 1 : n, timeout, &which);
        }
        if (rc == 0 && which == 0)
                p->handed++;
        if (ret_index != NULL && which != SIZE_MAX)
                *ret_index = which;
        return rc;
}

/* A slot was acquired: 0. */
static int
check_acquired(green_greenpool *p, const char *function)
{
        int rc = p == NULL ? no_pool(function) : green_hub_check(p->ident, "a green pool");

        if (rc != 0)
                return rc;
        notice_fork(p);
        return p->handed > 0 ? 0 : green__misuse(-EALREADY, "%s: no slot was acquired", function);
}

int
green_greenpool_release(green_greenpool *p)
{
        int rc = check_acquired(p, "green_greenpool_release");

        if (rc != 0)
                return rc;
        p->handed--;
        give(p);
        return 0;
}

/* ---- tasks */

static bool
task_ended(struct green_task *task, int code, void *result)
{
        struct green__pool_task *t = (struct green__pool_task *)task;
        green_greenpool *p = t->pool;
        bool kept = t->ended != NULL;

        remove_task(p, t);
        if (kept)
                t->ended(t, code, result);
        else
                green__greenpool_put_record(p, t);
        give(p);
        return kept;
}

int
green__greenpool_start(green_greenpool *p, struct green__pool_task *t, green_thread_fn fn, void *arg, const char *where,
                       green_thread **ret_gt)
{
        int rc;

        t->task.end = task_ended;
        rc = green_spawn_task(&t->task, fn, arg, where, ret_gt);
        if (green__unlikely(rc != 0))
                return rc;
        t->serial = p->serial++;
        t->round = 0;
        add_task(p, t);
        return 0;
}

/* Start a task in a slot that was taken; the slot is used up either way. */
static inline int
start(green_greenpool *p, green_thread_fn fn, void *arg, const char *where, green_thread **ret_gt)
{
        struct green__pool_task *t = green__greenpool_record(p);
        int rc;

        if (green__unlikely(t == NULL))
                return green_set_error(-ENOMEM, NULL);
        rc = green__greenpool_start(p, t, fn, arg, where, ret_gt);
        if (green__unlikely(rc != 0))
                green__greenpool_put_record(p, t);
        return rc;
}

static inline int
spawn(green_greenpool *p, green_thread_fn fn, void *arg, const char *where, green_thread **ret_gt)
{
        int rc;

        if (green__unlikely(p == NULL || fn == NULL))
                return green__misuse(-EINVAL, "green_greenpool_spawn: no %s", p == NULL ? "green pool" : "function");
        rc = green__greenpool_enter(p);
        if (green__likely(rc == 0)) {
                rc = start(p, fn, arg, where, ret_gt);
                if (green__unlikely(rc != 0))
                        give(p);
        } else if (rc == GREEN__RUN_HERE) {
                rc = green_run_task(NULL, fn, arg, where, ret_gt);
        }
        return rc;
}

/* For functions that return a handle: the code is the last error. */
static GREEN__COLD green_thread *
failed(int code)
{
        if (green_last_error()->code != code)
                green_set_error(code, NULL);
        errno = -code;
        return NULL;
}

green_thread *
green_greenpool_spawn_at(green_greenpool *p, green_thread_fn fn, void *arg, const char *where)
{
        green_thread *gt = NULL;
        int rc = spawn(p, fn, arg, where, &gt);

        return green__likely(rc == 0) ? gt : failed(rc);
}

int
green_greenpool_spawn_n_at(green_greenpool *p, green_thread_fn fn, void *arg, const char *where)
{
        return spawn(p, fn, arg, where, NULL);
}

green_thread *
green_greenpool_spawn(green_greenpool *p, green_thread_fn fn, void *arg)
{
        return green_greenpool_spawn_at(p, fn, arg, "?");
}

int
green_greenpool_spawn_n(green_greenpool *p, green_thread_fn fn, void *arg)
{
        return green_greenpool_spawn_n_at(p, fn, arg, "?");
}

green_thread *
green_greenpool_spawn_acquired_at(green_greenpool *p, green_thread_fn fn, void *arg, const char *where)
{
        green_thread *gt = NULL;
        int rc = check_acquired(p, "green_greenpool_spawn_acquired");

        if (rc == 0 && fn == NULL)
                rc = green__misuse(-EINVAL, "green_greenpool_spawn_acquired: no function");
        if (rc == 0)
                rc = start(p, fn, arg, where, &gt);
        if (rc != 0)
                return failed(rc);
        p->handed--;
        return gt;
}

green_thread *
green_greenpool_spawn_acquired(green_greenpool *p, green_thread_fn fn, void *arg)
{
        return green_greenpool_spawn_acquired_at(p, fn, arg, "?");
}

/* ---- all of them */

int
green_greenpool_waitall(green_greenpool *p, double timeout)
{
        struct green_wait w;
        green_thread *self;
        int rc;

        if (p == NULL)
                return no_pool("green_greenpool_waitall");
        rc = green_park_check(p->ident, "a green pool", timeout, &self);
        if (rc != 0)
                return green__refused(rc, timeout, "a green pool");
        if (green__greenpool_has(p, self))
                return green__misuse(-EDEADLK, "green_greenpool_waitall: a task cannot wait for its own end");
        notice_fork(p);
        if (is_idle(p))
                return 0;
        if (timeout == 0)
                return -ETIMEDOUT;
        if (self == NULL)
                return green__no_wait("a green pool");
        return green_park(&p->idle, &w, timeout);
}

/* The next task that is as old as the kill and was not told yet; it goes to the end, behind those that came since. */
static struct green__pool_task *
next_victim(green_greenpool *p, uint64_t limit, uint64_t round)
{
        struct green__pool_task *t = p->first;

        if (t == NULL || t->serial >= limit || t->round >= round)
                return NULL;
        t->round = round;
        remove_task(p, t);
        add_task(p, t);
        return t;
}

int
green_greenpool_kill(green_greenpool *p, int code)
{
        green_thread *self = green_getcurrent();
        struct green__pool_task *t;
        uint64_t limit, round;
        bool suicide = false;
        int n = 0, rc;

        if (p == NULL || code > 0)
                return p == NULL ? no_pool("green_greenpool_kill")
                                 : green__misuse(-EINVAL, "green_greenpool_kill: %d is not negative", code);
        rc = green_hub_check(p->ident, "a green pool");
        if (rc != 0)
                return rc;
        limit = p->serial;
        /* The pool must not go while this yields. */
        green__greenpool_use(p);
        /* Those that have not started go first: while others are killed they would start. */
        round = ++p->rounds;
        while ((t = next_victim(p, limit, round)) != NULL)
                n += green_thread_cancel(t->task.thread, code) == 1;
        round = ++p->rounds;
        while ((t = next_victim(p, limit, round)) != NULL) {
                n++;
                if (t->task.thread == self)
                        suicide = true;
                else
                        (void)green_kill(t->task.thread, code);
        }
        green__greenpool_leave(p, false);
        if (suicide)
                (void)green_kill(self, code);
        return n;
}

int
green_greenpool_resize(green_greenpool *p, size_t size)
{
        struct green_wait *spawner;
        int rc;

        if (p == NULL || size > LONG_MAX)
                return p == NULL ? no_pool("green_greenpool_resize")
                                 : green__misuse(-EINVAL, "green_greenpool_resize: %zu slots are too many", size);
        rc = green_hub_check(p->ident, "a green pool");
        if (rc != 0)
                return rc;
        notice_fork(p);
        p->size = size;
        while (p->running < p->size && (spawner = green_waitq_first(&p->spawners)) != NULL) {
                p->running++;
                p->handed++;
                green_wake(spawner, 0);
        }
        return 0;
}

/* ---- what there is */

int
green_greenpool_available(const green_greenpool *p, long *ret_free)
{
        if (p == NULL || ret_free == NULL)
                return p == NULL ? no_pool("green_greenpool_available")
                                 : green__misuse(-EINVAL, "green_greenpool_available: no ret_free");
        *ret_free = (long)p->size - (long)taken(p);
        return 0;
}

size_t
green_greenpool_running(const green_greenpool *p)
{
        if (p == NULL)
                no_pool("green_greenpool_running");
        return p == NULL ? 0 : taken(p);
}

size_t
green_greenpool_waiting(const green_greenpool *p)
{
        size_t n = 0;

        if (p == NULL)
                no_pool("green_greenpool_waiting");
        for (const struct green_wait *w = p == NULL ? NULL : p->spawners.first; w != NULL; w = w->next)
                n++;
        return n;
}
