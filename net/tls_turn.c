/*
 * Steps of handshakes that are cheap enough to be made where they are: one between two polls of the hub, so that many
 * handshakes at once delay the others by no more than one step. Who comes too soon waits for the next poll.
 */
#include "tls_priv.h"

#include <green/timer.h>

static _Thread_local struct {
        uint64_t hub;
        uint64_t polls; /* of the hub, when the turn was last taken */
        bool timer;     /* one is set, for those in the queue */
        struct green_waitq queue;
} here;

static uint64_t
polls(void)
{
        struct green_hub_info info = {.size = sizeof info};

        /* The first poll is number 1. */
        return green_hub_get_info(&info) == 0 ? info.polls + 1 : 0;
}

static void next_turn(void *arg);

/* A timer's function is called once a poll. Without it nobody would be woken: then all go on. */
static void
set_timer(void)
{
        here.timer = green_schedule_call_global(0, next_turn, NULL) == 0;
        if (!here.timer)
                green_wake_all(&here.queue, 0);
}

static void
next_turn(void *arg)
{
        struct green_wait *w = green_waitq_first(&here.queue);

        (void)arg;
        here.timer = false;
        if (w == NULL)
                return;
        here.polls = polls();
        green_wake(w, 0);
        if (green_waitq_first(&here.queue) != NULL)
                set_timer();
}

bool
green__tls_turn_take(void)
{
        uint64_t hub = green_hub_ident(), now = polls();

        if (here.hub != hub) {
                here.hub = hub;
                here.polls = 0;
                here.timer = false;
                here.queue = (struct green_waitq){NULL, NULL};
        }
        if (here.polls == now)
                return false;
        here.polls = now;
        return true;
}

int
green__tls_turn_wait(struct green_wait **ret_wait, double timeout)
{
        struct green_wait w;
        int rc;

        if (!here.timer)
                here.timer = green_schedule_call_global(0, next_turn, NULL) == 0;
        if (!here.timer)
                return 0;
        *ret_wait = &w;
        rc = green_park(&here.queue, &w, timeout);
        *ret_wait = NULL;
        return rc;
}
