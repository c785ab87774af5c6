/*
 * What a libevent loop waits for, as text; libevent.c has the beginning of the hub.
 */
#include "libevent.h"

#include <stdio.h>

struct hub_libevent_list {
        struct hub_libevent *hub;
        void (*line)(void *arg, const char *text);
        void *arg;
};

static const char *
hub_libevent_owner(const struct hub_libevent *hub, const struct event *event)
{
        event_callback_fn fn = event_get_callback(event);

        if (event == &hub->wake)
                return "green-net: wake";
        if (event == &hub->limit)
                return "green-net: limit";
        if (event == &hub->turn)
                return "green-net: end of a round";
        return fn == green__libevent_ready ? "green-net" : "the application";
}

/* libevent holds its lock, and takes it again in most functions: what is not told by those is read from the event. */
static int
hub_libevent_list_one(const struct event_base *base, const struct event *event, void *arg)
{
        const struct hub_libevent_list *list = arg;
        short events = event_get_events(event);
        char text[200], when[64] = "";

        (void)base;
        if (event->ev_evcallback.evcb_flags & EVLIST_TIMEOUT) {
                int64_t us = (int64_t)event->ev_timeout.tv_sec * 1000000 + (event->ev_timeout.tv_usec & 0xfffff);

                snprintf(when, sizeof when, ", time limit in %.3f s",
                         (double)(us - green__libevent_now() / 1000) / 1e6);
        }
        if (events & EV_SIGNAL)
                snprintf(text, sizeof text, "signal %d%s: %s", event_get_signal(event), when,
                         hub_libevent_owner(list->hub, event));
        else if (event_get_fd(event) < 0)
                snprintf(text, sizeof text, "timer%s: %s", when, hub_libevent_owner(list->hub, event));
        else
                snprintf(text, sizeof text, "descriptor %d%s%s%s%s%s%s: %s", (int)event_get_fd(event),
                         events & EV_READ ? " read" : "", events & EV_WRITE ? " write" : "",
                         events & EV_CLOSED ? " closed" : "", events & EV_ET ? ", edges" : "",
                         events & EV_PERSIST ? "" : ", once", when, hub_libevent_owner(list->hub, event));
        list->line(list->arg, text);
        return 0;
}

void
green__libevent_list(void *state, void (*line)(void *arg, const char *text), void *arg)
{
        struct hub_libevent_list list = {state, line, arg};

        (void)event_base_foreach_event(list.hub->base, hub_libevent_list_one, &list);
}
