/**
 * @file
 * @brief An operation for tests of awaitables: it does what it is told, and notes what was done to it.
 */
#ifndef GREEN_TESTS_SYNC_AWAITABLE_H
#define GREEN_TESTS_SYNC_AWAITABLE_H

#include "sync_help.h"

struct op {
        struct green_awaitable aw;
        green_completion *done;
        int start_rc;  /* what start returns */
        bool at_once;  /* it ends in start, with a result */
        bool ends;     /* cancel ends it at once, with -ECANCELED */
        bool succeeds; /* cancel ends it at once, with a result all the same */
        int starts, cancels, dropped;
        int rc; /* of op_await() */
        void *result;
};

static inline int
op_start(void *arg, green_completion *done)
{
        struct op *op = arg;

        op->starts++;
        op->done = done;
        if (op->at_once)
                CHECK_INT(green_complete(done, op), 0);
        return op->start_rc;
}

static inline void
op_cancel(void *arg, green_completion *done)
{
        struct op *op = arg;

        op->cancels++;
        CHECK_PTR(done, op->done);
        if (op->ends)
                CHECK_INT(green_complete_error(done, -ECANCELED), 0);
        else if (op->succeeds)
                CHECK_INT(green_complete(done, op), 0);
}

static inline void
op_drop(void *result)
{
        struct op *op = result;

        if (op != NULL)
                op->dropped++;
}

static inline void
op_init(struct op *op)
{
        *op = (struct op){.rc = 1000};
        op->aw = (struct green_awaitable){
                .size = sizeof op->aw, .start = op_start, .cancel = op_cancel, .arg = op, .drop_result = op_drop};
}

/* A green thread that waits for it: the code is in rc. */
static inline void *
op_await(void *arg)
{
        struct op *op = arg;

        op->rc = green_await(&op->aw, &op->result);
        return op;
}

/* Lets it begin. */
static inline green_thread *
op_spawn(struct op *op)
{
        green_thread *gt = green_spawn_for_awaitable(&op->aw);

        for (int i = 0; i < 100000 && op->starts == 0; i++)
                turns(1);
        CHECK_INT(op->starts, 1);
        return gt;
}

/* Lets hub callbacks run. */
static inline void
op_pass(void)
{
        CHECK_INT(green_sleep(0.001), 0);
}

#endif
