/*
 * Waits that other OS threads end. See <green/park.h>.
 *
 * The waker reaches the waiter's stack only where the waiter's hub has not ended: it either holds the lock of the
 * object, in whose list the waiter stands, or is inside green__mailbox_post(), for which the end of a hub waits.
 */
#include "sched.h"

_Static_assert(sizeof(struct green__post) <= sizeof(((struct green_wait_mt *)0)->post),
               "a post fits its public storage");

static inline struct green__post *
post_of(struct green_wait_mt *w)
{
        return (struct green__post *)(void *)w->post;
}

int
green_park_check_mt(double timeout, green_thread **ret_self)
{
        struct green__hub *h = green__hub_here;
        green_thread *self = h == NULL ? NULL : h->current;

        if (green__unlikely(!green__time_ok(timeout)))
                return -EINVAL;
        if (green__unlikely(self != NULL && self->fired != NULL && timeout != 0))
                return green__cancelled(h, self);
        *ret_self = self;
        return h == NULL;
}

void
green_wait_mt_begin(struct green_wait_mt *w, void (*forget)(struct green_wait_mt *w))
{
        struct green__hub *h = green__hub_here;

        GREEN_ASSERT(h != NULL && h->current != NULL && h->current->wait_mt == NULL);
        *w = (struct green_wait_mt){.hub = h->mailbox, .forget = forget};
        *post_of(w) = (struct green__post){.arg = w, .kind = GREEN__POST_WAIT};
        h->current->wait_mt = w;
        h->waits_mt++;
}

static void
end_wait(struct green__hub *h, green_thread *t)
{
        t->wait_mt = NULL;
        h->waits_mt--;
}

void
green_wait_mt_end(struct green_wait_mt *w)
{
        struct green__hub *h = green__hub_here;

        GREEN_ASSERT(h != NULL && h->current != NULL && h->current->wait_mt == w);
        end_wait(h, h->current);
}

int
green_park_mt(struct green_wait_mt *w, double timeout)
{
        struct green__hub *h = green__hub_here;
        green_thread *self = h->current;

        GREEN_DEBUG_ASSERT(self->wait_mt == w);
        if (w->handed)
                return 0;
        if (green__unlikely(!green__time_ok(timeout)))
                return -EINVAL;
        if (timeout == 0)
                return -ETIMEDOUT;
        if (green__unlikely(self->fired != NULL))
                return green__cancelled(h, self);
        w->node.thread = self;
        w->node.kind = GREEN__WAIT_THREAD;
        green__wait_enqueue(&w->queue, &w->node);
        self->waits = &w->node;
        self->nwaits = 1;
        return green__park_nodes(h, self, timeout, __builtin_return_address(0));
}

int
green_settle_mt(struct green_wait_mt *w)
{
        if (w->scope != NULL)
                ((struct green__scope *)w->scope)->failed = false;
        w->scope = NULL;
        green_shield_begin();
        while (green_park_mt(w, GREEN_FOREVER) != 0)
                ;
        green_shield_end();
        return 0;
}

green_hub *
green_claim_mt(struct green_wait_mt *w, green_hub *held)
{
        return held == w->hub ? held : green_hub_ref(w->hub);
}

int
green_hand_mt(green_hub *hub, struct green_wait_mt *w)
{
        struct green__hub *here = green__hub_here;

        if (here == NULL || here->mailbox != hub)
                return green__mailbox_post(hub, post_of(w));
        green__wait_mt_arrived(w);
        return 0;
}

/* In the OS thread of the waiter. */
void
green__wait_mt_arrived(struct green_wait_mt *w)
{
        w->handed = true;
        if (w->queue.first != NULL)
                green_wake(&w->node, 0);
}

/* A green thread will never run again, and its stack goes. */
void
green__wait_mt_forget(struct green__hub *h, green_thread *t)
{
        struct green_wait_mt *w = t->wait_mt;

        if (w == NULL)
                return;
        end_wait(h, t);
        if (h->destroying)
                w->forget(w);
}
