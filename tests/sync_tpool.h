/**
 * @file
 * @brief What the tests of the thread pool share: jobs that wait until they are let go, callers of them.
 */
#ifndef GREEN_TESTS_SYNC_TPOOL_H
#define GREEN_TESTS_SYNC_TPOOL_H

#include "sync_help.h"

#include <signal.h>

/** A job that says that it has begun, and waits until it is let go. */
struct gate {
        green_chan *begun, *go;
        atomic_int ended;
};

static inline struct gate
gate_make(void)
{
        struct gate g = {green_chan_new(1000), green_chan_new(1000), 0};

        return g;
}

static inline void
gate_drop(struct gate *g)
{
        green_chan_unref(g->begun);
        green_chan_unref(g->go);
}

/** Through the gate; its result is what it was let go with. */
static inline void *
pass_gate(void *arg)
{
        struct gate *g = arg;
        void *word = NULL;
        int rc = green_chan_put(g->begun, NULL, GREEN_FOREVER);

        if (rc == 0)
                rc = green_chan_get(g->go, &word, GREEN_FOREVER);
        atomic_fetch_add(&g->ended, 1);
        return rc == 0 ? word : green_fail(rc);
}

static inline void
gate_let(struct gate *g, int word)
{
        CHECK_INT(green_chan_put(g->go, PTR(word), 0), 0);
}

/** Waits until one has begun. */
static inline void
gate_begun(struct gate *g)
{
        void *item;

        CHECK_INT(green_chan_get(g->begun, &item, SOON * suite_slow()), 0);
}

/** A green thread that makes a call of the pool. */
struct caller {
        green_thread_fn fn;
        void *arg;
        struct green_tpool_opts opts;
        int rc, order;
        void *result;
        bool abandoned;
        green_thread *thread;
};

static int callers_returned;

static inline void *
caller_main(void *arg)
{
        struct caller *c = arg;

        c->opts.size = sizeof(c->opts);
        c->opts.ret_abandoned = &c->abandoned;
        c->rc = green_tpool_execute(c->fn, c->arg, &c->opts, &c->result);
        c->order = ++callers_returned;
        (void)green_recover();
        return NULL;
}

static inline void
caller_start(struct caller *c, green_thread_fn fn, void *arg)
{
        c->fn = fn;
        c->arg = arg;
        c->rc = 1000;
        c->thread = green_spawn(caller_main, c);
        turns(1);
}

/** Its code, when it has returned. */
static inline int
caller_end(struct caller *c)
{
        CHECK_INT(join(c->thread), 0);
        return c->rc;
}

static inline struct green_tpool_info
pool_info(void)
{
        struct green_tpool_info info = {.size = sizeof(info)};

        CHECK_INT(green_tpool_get_info(&info), 0);
        return info;
}

static inline void *
return_arg(void *arg)
{
        return arg;
}

/** suite_check: no test leaves a pool to the next. */
static inline void
tpool_check(void)
{
        CHECK_INT(green_tpool_killall(SOON * suite_slow()), 0);
        CHECK_INT(pool_info().threads, 0);
        help_check();
}

static inline void
tpool_setup(void)
{
        sync_setup();
        callers_returned = 0;
        CHECK_INT(green_tpool_set_num_threads(GREEN_TPOOL_THREADS), 0);
        CHECK_INT(green_tpool_killall(SOON * suite_slow()), 0);
}

static inline void
tpool_init(void)
{
        sync_init();
        suite_setup = tpool_setup;
        suite_check = tpool_check;
}

#endif
