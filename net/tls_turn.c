/*
 * Steps of handshakes that are cheap enough for the hub's OS thread: one between two polls, so that many handshakes at
 * once delay the others by no more than one step. They are made on the hub's stack: mbedTLS needs some KB of it, which
 * would stay with each connection's green thread for good.
 */
#include "tls_priv.h"

#include <green/timer.h>

static _Thread_local struct {
        uint64_t hub;
        struct green_waitq queue; /* of those whose step is to be made: the node's value */
        green_timer *timer;       /* NULL: the queue was empty */
} here;

/* A timer's function is called once a poll. */
static void
next_turn(void *arg)
{
        struct green_wait *w = green_waitq_first(&here.queue);

        (void)arg;
        if (w == NULL)
                return;
        green__tls_step(w->value);
        green_wake(w, 0);
        /* Without a timer nobody else would be woken; each then tries again. */
        if (green_waitq_first(&here.queue) != NULL && green_timer_schedule(here.timer) != 0)
                green_wake_all(&here.queue, 0);
}

static void
begin(uint64_t hub)
{
        if (here.hub == hub)
                return;
        here.hub = hub;
        here.timer = NULL;
        here.queue = (struct green_waitq){NULL, NULL};
}

int
green__tls_turn(struct green__tls *t, struct green_wait **ret_wait, double timeout)
{
        struct green_wait w = {.value = t};
        int rc;

        begin(green_hub_ident());
        if (here.timer == NULL)
                here.timer = green_timer_new(0, next_turn, NULL);
        if (here.timer == NULL || (!green_timer_pending(here.timer) && green_timer_schedule(here.timer) != 0)) {
                green__tls_step(t);
                return 0;
        }
        *ret_wait = &w;
        rc = green_park(&here.queue, &w, timeout);
        *ret_wait = NULL;
        if (green_waitq_first(&here.queue) == NULL) {
                (void)green_timer_free(here.timer);
                here.timer = NULL;
        }
        return rc;
}
