/*
 * Mapping over an input, in the slots of a green pool. See <green/greenpool.h>.
 *
 * A green thread of the mapping's own, the puller, takes items out of the input, one at a time. Each waits for a slot
 * and becomes a task; its record stands among the results from the moment it was pulled until somebody has got its
 * result, and there are no more records than the pool has slots. The puller holds no slot, and at most one item without
 * a slot.
 */
#include <errno.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/opts.h>

#include "greenpool_priv.h"
#include "object.h"

struct green_imap {
        struct green_task puller; /* first: core leads here from the green thread that pulls */
        uint64_t ident;           /* whose it is */
        green_greenpool *pool;
        green_thread_fn fn; /* NULL: results are the items */
        green_iter_fn next;
        void *arg;
        void (*drop_item)(void *item);
        void (*drop_result)(void *result);
        struct green__results results;
        struct green_waitq credit;      /* the puller, while there are as many results as may be */
        struct green__pool_task *fresh; /* the record for the next item, while the input gives that; or NULL */
        struct green__pool_task *stuck; /* the item that waits for a slot; the last of the results */
        struct green_wait *slot;        /* the puller's node in the pool, while it waits there */
        struct green_waitq ended;       /* green_imap_free() */
        size_t running;                 /* items that are tasks */
        int code;                       /* what the input ended with, until somebody has been told; 0: well */
        bool pulling;                   /* the puller has not ended */
        bool closing;                   /* by green_imap_free() */
};

/* The puller's node in the pool was taken out: a getter runs the item. */
enum { TAKEN = 1 };

static GREEN__COLD int
no_imap(const char *function)
{
        return green__misuse(-EINVAL, "%s: no mapping", function);
}

static void
drop(void (*fn)(void *), void *what)
{
        if (fn != NULL)
                fn(what);
}

/* ---- results */

static size_t
most(const green_imap *m)
{
        return m->pool->size > 0 ? m->pool->size : 1;
}

/* A result has gone: there may be room for the next. */
static void
give_credit(green_imap *m)
{
        if (m->results.count < most(m))
                (void)green_wake_one(&m->credit, NULL);
}

/* Something is done: whoever waits gets what there is now. */
static void
look_after(green_imap *m)
{
        if (m->closing) {
                if (m->running == 0 && !m->pulling)
                        (void)green_wake_all(&m->ended, 0);
        } else if (green__results_hand(&m->results, m->pool)) {
                give_credit(m);
        } else if (m->results.count == 0 && !m->pulling &&
                   green__results_wake(&m->results, GREEN__GOT_END, m->code, NULL)) {
                m->code = 0;
        }
}

/* An item has its result, which is the mapping's until somebody gets it. */
static void
settle(green_imap *m, struct green__pool_task *t, int code, void *result)
{
        if (!t->begun)
                drop(m->drop_item, t->value);
        /* A kill makes a result void; so does the end of the mapping. */
        if (t->begun && result != NULL && (code != 0 || m->closing)) {
                drop(m->drop_result, result);
                result = NULL;
        }
        t->code = code;
        t->value = result;
        t->done = true;
}

static void
item_ended(struct green__pool_task *t, int code, void *result)
{
        green_imap *m = t->owner;

        m->running--;
        settle(m, t, code, result);
        look_after(m);
}

/* ---- the puller */

static void *
run_item(void *arg)
{
        struct green__pool_task *t = arg;
        const green_imap *m = t->owner;

        t->begun = true;
        return m->fn(t->value);
}

/* The slot for the item that was pulled last is there. */
static void
start_item(green_imap *m, struct green__pool_task *t)
{
        int rc = green__greenpool_start(m->pool, t, run_item, t, "green_greenpool_imap()", NULL);

        m->stuck = NULL;
        if (rc == 0) {
                m->running++;
                return;
        }
        green__greenpool_give(m->pool);
        settle(m, t, rc, NULL);
        look_after(m);
}

/* The item, which is the first of the results, goes to a getter that runs it. */
static void *
take_stuck(green_imap *m)
{
        struct green__pool_task *t = green__results_take(&m->results);
        void *item = t->value;

        m->stuck = NULL;
        green__greenpool_put_record(m->pool, t);
        return item;
}

static bool
getter_can_run(const green_imap *m)
{
        const struct green_wait *w = green_waitq_first(&m->results.getter);

        return w != NULL && w->user == GREEN__WAITS_IN_TASK && m->results.first == m->stuck;
}

/* The pool is full. 0, or why the item has not been started. */
static int
wait_for_slot(green_imap *m, struct green__pool_task *t)
{
        struct green_wait w;
        int rc;

        if (getter_can_run(m)) {
                (void)green__results_wake(&m->results, GREEN__GOT_ITEM, 0, take_stuck(m));
                return 0;
        }
        m->slot = &w;
        rc = green__greenpool_wait(m->pool, &w, 1, GREEN_FOREVER, NULL);
        m->slot = NULL;
        if (rc == 0)
                start_item(m, t);
        else if (w.user == TAKEN)
                rc = 0;
        return rc;
}

/* One item. 1: there may be more. 0: that was the end, or an error. */
static int
pull_one(green_imap *m)
{
        struct green__pool_task *t;
        void *item = NULL;
        int rc;

        if (m->fresh == NULL)
                m->fresh = green__greenpool_record(m->pool);
        if (m->fresh == NULL)
                return -ENOMEM;
        rc = m->next(m->arg, &item);
        if (rc <= 0 || m->closing) {
                if (rc > 0)
                        drop(m->fn != NULL ? m->drop_item : m->drop_result, item);
                return rc < 0 ? rc : 0;
        }
        t = m->fresh;
        m->fresh = NULL;
        t->ended = item_ended;
        t->owner = m;
        t->value = item;
        t->begun = t->done = m->fn == NULL;
        t->code = 0;
        green__results_add(&m->results, t);
        if (t->done) {
                look_after(m);
                return 1;
        }
        m->stuck = t;
        if (green__greenpool_try(m->pool)) {
                start_item(m, t);
                return 1;
        }
        rc = wait_for_slot(m, t);
        return rc == 0 ? 1 : rc;
}

static void *
pull(void *arg)
{
        green_imap *m = arg;
        struct green_wait w;
        int rc;

        do {
                rc = m->results.count < most(m) ? 1 : green_park(&m->credit, &w, GREEN_FOREVER);
                if (rc >= 0)
                        rc = pull_one(m);
        } while (rc > 0);
        m->code = rc;
        return NULL;
}

static bool
pull_ended(struct green_task *task, int code, void *result)
{
        green_imap *m = (green_imap *)task;

        (void)result;
        m->pulling = false;
        m->slot = NULL;
        if (m->fresh != NULL)
                green__greenpool_put_record(m->pool, m->fresh);
        if (m->code == 0)
                m->code = code;
        if (m->stuck != NULL) {
                settle(m, m->stuck, m->code != 0 ? m->code : GREEN_EKILLED, NULL);
                m->stuck = NULL;
        }
        look_after(m);
        return true;
}

/* ---- the user's side */

green_imap *
green_greenpool_imap(green_greenpool *p, green_thread_fn fn, green_iter_fn next, void *arg,
                     const struct green_imap_opts *opts)
{
        struct green_imap_opts o;
        uint64_t ident;
        green_imap *m;

        if (p == NULL || next == NULL || green_opts_take(&o, sizeof(o), opts) != 0) {
                green__misuse(-EINVAL, "green_greenpool_imap: %s",
                              p == NULL      ? "no green pool"
                              : next == NULL ? "no input"
                                             : "options of an unknown size");
                return NULL;
        }
        if (green_hub_check(p->ident, "a green pool") != 0)
                return NULL;
        m = green__object_new(sizeof(*m), &ident);
        if (m == NULL)
                return NULL;
        *m = (green_imap){.puller = {.end = pull_ended},
                          .ident = ident,
                          .pool = p,
                          .fn = fn,
                          .next = next,
                          .arg = arg,
                          .drop_item = o.drop_item,
                          .drop_result = o.drop_result,
                          .pulling = true};
        if (green_spawn_task(&m->puller, pull, m, "green_greenpool_imap()", NULL) != 0) {
                green_free(m);
                return NULL;
        }
        green__greenpool_use(p);
        return m;
}

green_imap *
green_greenpool_starmap(green_greenpool *p, green_thread_fn fn, green_iter_fn next, void *arg,
                        const struct green_imap_opts *opts)
{
        return green_greenpool_imap(p, fn, next, arg, opts);
}

/* The caller, a task of the pool, runs the first item, which waits for a slot. */
static int
run_here(green_imap *m, void **ret_result)
{
        green_thread_fn fn = m->fn;
        struct green_wait *slot = m->slot;
        void *item = take_stuck(m);

        slot->user = TAKEN;
        green_wake(slot, -ECANCELED);
        *ret_result = fn(item);
        return 1;
}

static int
wait_for_next(green_imap *m, bool in_task, void **ret_result, double timeout)
{
        struct green__getter g = {.wait = {.user = in_task ? GREEN__WAITS_IN_TASK : GREEN__WAITS}};
        green_thread_fn fn = m->fn;
        int rc = green_park(&m->results.getter, &g.wait, timeout);

        /* Woken: the mapping may have been freed since. */
        if (rc != 0)
                return rc;
        if (g.wait.user == GREEN__GOT)
                return green__results_give(g.code, g.result, ret_result);
        if (g.wait.user == GREEN__GOT_END)
                return g.code;
        *ret_result = fn(g.result);
        return 1;
}

int
green_imap_next(green_imap *m, void **ret_result, double timeout)
{
        green_thread *self;
        bool in_task;
        int rc;

        if (m == NULL || ret_result == NULL)
                return m == NULL ? no_imap("green_imap_next")
                                 : green__misuse(-EINVAL, "green_imap_next: no ret_result");
        rc = green_park_check(m->ident, "a mapping", timeout, &self);
        if (rc != 0)
                return green__refused(rc, timeout, "a mapping");
        if (m->results.getter.first != NULL || m->closing)
                return green__misuse(-EBUSY, "green_imap_next: another green thread %s",
                                     m->closing ? "frees the mapping" : "waits for the next result");
        if (m->results.first != NULL && m->results.first->done) {
                rc = green__results_get(&m->results, m->pool, ret_result);
                give_credit(m);
                return rc;
        }
        if (m->results.first == NULL && !m->pulling) {
                rc = m->code;
                m->code = 0;
                return rc;
        }
        if (timeout == 0)
                return -ETIMEDOUT;
        if (self == NULL)
                return green__no_wait("a mapping");
        in_task = green__greenpool_has(m->pool, self);
        /* Still in the pool's queue: no slot has been handed over. */
        if (in_task && m->slot != NULL && m->slot->queue != NULL && m->results.first == m->stuck)
                return run_here(m, ret_result);
        return wait_for_next(m, in_task, ret_result, timeout);
}

/* Is it the puller of the mapping, or an item of it? */
static bool
is_inside(const green_imap *m, const green_thread *gt)
{
        const struct green_task *task = green_thread_task(gt);

        if (task == &m->puller)
                return true;
        return green__greenpool_has(m->pool, gt) && ((const struct green__pool_task *)task)->ended == item_ended &&
               ((const struct green__pool_task *)task)->owner == m;
}

/* Kill what runs, and wait for its end. The results stay as they are meanwhile. */
static void
stop(green_imap *m)
{
        struct green_wait w;

        m->closing = true;
        if (m->pulling)
                (void)green_kill(m->puller.thread, 0);
        for (struct green__pool_task *t = m->results.first; t != NULL; t = t->after)
                if (!t->done && t != m->stuck)
                        (void)green_kill(t->task.thread, 0);
        green_shield_begin();
        while (m->running > 0 || m->pulling)
                if (green_park(&m->ended, &w, GREEN_FOREVER) != 0)
                        break;
        green_shield_end();
}

int
green_imap_free(green_imap *m)
{
        green_thread *self;
        int rc;

        if (m == NULL)
                return 0;
        rc = green_park_check(m->ident, "a mapping", 0, &self);
        if (rc != 0)
                return rc;
        if (is_inside(m, self))
                return green__misuse(-EDEADLK, "green_imap_free: called by what it would wait for");
        if (m->results.getter.first != NULL || m->closing)
                return green__misuse(-EBUSY, "a mapping that somebody waits for cannot be freed");
        if (m->running > 0 || m->pulling) {
                if (self == NULL)
                        return green__no_wait("a mapping");
                stop(m);
        }
        while (m->results.first != NULL) {
                struct green__pool_task *t = green__results_take(&m->results);

                if (t->code == 0 && t->value != NULL)
                        drop(m->drop_result, t->value);
                green__greenpool_put_record(m->pool, t);
        }
        green__greenpool_leave(m->pool, false);
        green_free(m);
        return 0;
}

/* ---- several inputs */

int
green_zip_next(void *zip, void **ret_item)
{
        const struct green_zip *z = zip;
        void **items;
        int rc = 1;

        if (z == NULL || ret_item == NULL || (z->n > 0 && z->next == NULL) || z->n > SIZE_MAX / sizeof(*items))
                return green__misuse(-EINVAL, "green_zip_next: no inputs, or no ret_item");
        if (z->n == 0)
                return 0;
        items = green_calloc(z->n, sizeof(*items));
        if (items == NULL)
                return green_set_error(-ENOMEM, NULL);
        for (size_t i = 0; i < z->n && rc > 0; i++)
                rc = z->next[i](z->args == NULL ? NULL : z->args[i], &items[i]);
        if (rc <= 0) {
                green_free(items);
                return rc;
        }
        *ret_item = items;
        return 1;
}
