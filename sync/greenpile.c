/*
 * Green piles: results in the order of the spawns. See <green/greenpool.h>.
 */
#include <errno.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/opts.h>

#include "greenpool_priv.h"
#include "object.h"

struct green_greenpile {
        uint64_t ident; /* whose it is */
        green_greenpool *pool;
        bool own; /* the pool goes with it */
        struct green__results results;
        void (*drop_result)(void *result);
        size_t spawning; /* callers that wait for a slot */
        unsigned forks;  /* green__sync_forks when that was right */
};

static GREEN__COLD int
no_pile(const char *function)
{
        return green__misuse(-EINVAL, "%s: no pile", function);
}

static green_greenpool *
pool_for(const struct green_greenpile_opts *o)
{
        if (o->pool == NULL)
                return green_greenpool_new(o->pool_size != 0 ? o->pool_size : GREEN_GREENPOOL_SIZE);
        return green_hub_check(o->pool->ident, "a green pool") == 0 ? o->pool : NULL;
}

green_greenpile *
green_greenpile_new(const struct green_greenpile_opts *opts)
{
        struct green_greenpile_opts o;
        green_greenpool *pool;
        green_greenpile *g;
        uint64_t ident;

        if (green_opts_take(&o, sizeof(o), opts) != 0) {
                green__misuse(-EINVAL, "green_greenpile_new: options of an unknown size");
                return NULL;
        }
        pool = pool_for(&o);
        if (pool == NULL)
                return NULL;
        g = green__object_new(sizeof(*g), &ident);
        if (g == NULL) {
                if (o.pool == NULL)
                        (void)green_greenpool_free(pool);
                return NULL;
        }
        *g = (green_greenpile){.ident = ident,
                               .pool = pool,
                               .own = o.pool == NULL,
                               .drop_result = o.drop_result,
                               .forks = green__sync_forks};
        green__greenpool_use(pool);
        return g;
}

static void
drop(const struct green__pool_task *t, void *result)
{
        if (t->drop != NULL && result != NULL)
                t->drop(result);
}

/* Of a task that ran; the slot is the pool's matter. */
static void
result_ended(struct green__pool_task *t, int code, void *result)
{
        green_greenpile *g = t->owner;

        if (g == NULL || code != 0) {
                drop(t, result); /* nobody will get it, or a kill has made it void */
                result = NULL;
        }
        if (g == NULL) {
                green__greenpool_put_record(t->pool, t);
                return;
        }
        t->code = code;
        t->value = result;
        t->done = true;
        (void)green__results_hand(&g->results, g->pool);
}

/* Of a function that ran in its spawner, and held no slot. */
static bool
run_ended(struct green_task *task, int code, void *result)
{
        result_ended((struct green__pool_task *)task, code, result);
        return true;
}

/* With a slot, or in its stead the right to run the function here. */
static int
spawn(green_greenpile *g, bool here, green_thread_fn fn, void *arg)
{
        static const char where[] = "green_greenpile_spawn()";
        struct green__pool_task *before = g->results.last;
        struct green__pool_task *t = green__greenpool_record(g->pool);
        int rc;

        if (t == NULL)
                return green_set_error(-ENOMEM, NULL);
        t->ended = result_ended;
        t->owner = g;
        t->value = NULL;
        t->drop = g->drop_result;
        t->code = 0;
        t->done = false;
        /* The place in the order comes first: a function that runs here may yield, and others spawn meanwhile. */
        green__results_add(&g->results, t);
        if (here) {
                t->task.end = run_ended;
                rc = green_run_task(&t->task, fn, arg, where, NULL);
        } else {
                rc = green__greenpool_start(g->pool, t, fn, arg, where, NULL);
        }
        if (rc == 0)
                return 0;
        /* Nothing has run, so it is still the last. */
        g->results.last = before;
        if (before != NULL)
                before->after = NULL;
        else
                g->results.first = NULL;
        g->results.count--;
        green__greenpool_put_record(g->pool, t);
        return rc;
}

static void
notice_fork(green_greenpile *g)
{
        if (g->forks != green__sync_forks)
                g->spawning = 0;
        g->forks = green__sync_forks;
}

int
green_greenpile_spawn(green_greenpile *g, green_thread_fn fn, void *arg)
{
        int entered, rc;

        if (g == NULL || fn == NULL)
                return g == NULL ? no_pile("green_greenpile_spawn")
                                 : green__misuse(-EINVAL, "green_greenpile_spawn: no function");
        rc = green_hub_check(g->ident, "a pile");
        if (rc != 0)
                return rc;
        notice_fork(g);
        g->spawning++;
        entered = green__greenpool_enter(g->pool);
        g->spawning--;
        if (entered < 0)
                return entered;
        rc = spawn(g, entered == GREEN__RUN_HERE, fn, arg);
        if (rc != 0 && entered == 0)
                green__greenpool_give(g->pool);
        return rc;
}

int
green_greenpile_next(green_greenpile *g, void **ret_result, double timeout)
{
        struct green__getter waiting = {.wait = {.user = GREEN__WAITS}};
        green_thread *self;
        int rc;

        if (g == NULL || ret_result == NULL)
                return g == NULL ? no_pile("green_greenpile_next")
                                 : green__misuse(-EINVAL, "green_greenpile_next: no ret_result");
        rc = green_park_check(g->ident, "a pile", timeout, &self);
        if (rc != 0)
                return green__refused(rc, timeout, "a pile");
        if (g->results.first != NULL && self != NULL && green_thread_task(self) == &g->results.first->task)
                return green__misuse(-EDEADLK, "green_greenpile_next: a task cannot wait for its own result");
        if (g->results.getter.first != NULL)
                return green__misuse(-EBUSY, "green_greenpile_next: another green thread waits for the next result");
        if (g->results.first == NULL)
                return 0;
        if (g->results.first->done)
                return green__results_get(&g->results, g->pool, ret_result);
        if (timeout == 0)
                return -ETIMEDOUT;
        if (self == NULL)
                return green__no_wait("a pile");
        rc = green_park(&g->results.getter, &waiting.wait, timeout);
        return rc != 0 ? rc : green__results_give(waiting.code, waiting.result, ret_result);
}

int
green_greenpile_free(green_greenpile *g)
{
        int rc;

        if (g == NULL)
                return 0;
        rc = green_hub_check(g->ident, "a pile");
        if (rc != 0)
                return rc;
        notice_fork(g);
        if (g->results.getter.first != NULL || g->spawning > 0)
                return green__misuse(-EBUSY, "a pile that somebody waits for cannot be freed");
        while (g->results.first != NULL) {
                struct green__pool_task *t = green__results_take(&g->results);

                if (!t->done) {
                        t->owner = NULL; /* its end drops the result */
                        continue;
                }
                drop(t, t->value);
                green__greenpool_put_record(g->pool, t);
        }
        green__greenpool_leave(g->pool, g->own);
        green_free(g);
        return 0;
}
