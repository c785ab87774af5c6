/*
 * Choosing the back end of an OS thread's hub, and back ends that live in an event loop of the application's. See
 * <green/hubs.h>.
 */
#include <stdlib.h>

#include "hub_load.h"
#include "sched.h"

/* Does anything hang on the back end? */
static bool
is_idle(const struct green__hub *h)
{
        return h->nthreads == 1 && green__deadlines(h) == 0 && h->io_waits[0] + h->io_waits[1] + h->ops_count == 0 &&
               h->posts == NULL && h->watches.first == NULL && h->timers_first == NULL &&
               atomic_load(&h->mailbox->posts) == NULL && !h->embedded;
}

static int
no_foreign_loop(const struct green_hub_ops *ops)
{
        return green_set_error(GREEN_EHUB,
                               "the hub is %s, which has no foreign event loop: set GREEN_HUB=libevent, or call "
                               "green_use_hub_loop()",
                               ops->name);
}

/* Put another back end under a hub in which nothing is pending. */
static int
replace(struct green__hub *h, const struct green_hub_ops *ops, void *loop)
{
        green_hub *mailbox = h->mailbox;
        void *state = NULL;
        int rc = green__hub_claim_loop(h, loop);

        if (rc != 0)
                return rc;
        h->config.loop = loop;
        rc = ops->init(&h->config, &state);
        if (rc != 0) {
                green__hub_settle_loop(h, false);
                return green_set_error(rc, "hub %s cannot start: %s", ops->name, green_strerror(rc));
        }
        /* Others may be about to wake the old one. */
        atomic_store(&mailbox->closed, 1);
        while (atomic_load(&mailbox->users) != 0)
                ;
        h->ops->fini(h->state);
        green__hub_settle_loop(h, true);
        h->ops = mailbox->ops = ops;
        h->state = mailbox->state = state;
        atomic_store(&mailbox->closed, 0);
        green__slots_after_fork(h);
        return 0;
}

int
green_use_hub(const char *name)
{
        return green_use_hub_loop(name, NULL);
}

int
green_use_hub_loop(const char *name, void *loop)
{
        struct green__hub *h = green__hub_here;
        const struct green_hub_ops *ops;

        if (h != NULL && (!is_idle(h) || !green__aheads_stop(h)))
                return green_set_error(-EBUSY, "the hub runs, and something is pending in it");
        if (green__context_check() != 0)
                return green_last_error()->code;
        ops = green__hub_find(name == NULL ? getenv("GREEN_HUB") : name);
        if (ops == NULL)
                return green_last_error()->code;
        if (loop != NULL && ops->loop == NULL)
                return no_foreign_loop(ops);
        if (h != NULL)
                return replace(h, ops, loop);
        return green__hub_make_with(ops, loop) == NULL ? green_last_error()->code : 0;
}

void *
green_hub_loop(void)
{
        struct green__hub *h = green__hub_get();

        if (h == NULL)
                return NULL;
        if (h->ops->loop != NULL)
                return h->ops->loop(h->state);
        (void)no_foreign_loop(h->ops);
        return NULL;
}
