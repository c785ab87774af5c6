/*
 * The hub that lives in a libevent loop, its own or the application's, whose callbacks run in wait().
 *
 * Each descriptor is one struct event, in storage of the hub's (libevent_fd.c). libevent takes those that are
 * edge-triggered or level to its poller once; what it calls back is written into core's array of events. It must know
 * edges (epoll, kqueue).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "libevent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/timerfd.h>
#endif

enum {
        HUB_LIBEVENT_RESERVE = 6,        /* descriptors that libevent opens for a base, and some more */
        HUB_LIBEVENT_CALLBACKS = 1024,   /* most between two looks at what is ready, in a base of its own */
        HUB_LIBEVENT_OLDEST = 0x02010500 /* of 2.1 */
};

/* ---- the limit of a wait(), the wake descriptor, the end of a round */

int64_t
green__libevent_now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#if defined(__linux__)
#define HUB_LIBEVENT_UNIT "nanoseconds"

static int
hub_libevent_limit_open(struct hub_libevent *hub)
{
        hub->limit_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        return hub->limit_fd < 0 ? -errno : 0;
}

/* libevent's own timers go by a coarse clock, and may be milliseconds early or late. */
static void
hub_libevent_limit_set(struct hub_libevent *hub, int64_t timeout_ns)
{
        struct itimerspec at = {.it_value = {0}};
        int64_t now = green__libevent_now();
        int64_t end = timeout_ns < INT64_MAX - now ? now + timeout_ns : INT64_MAX;

        /* One that goes off earlier may stay: it costs less to wait again than to set it each time. */
        if (hub->limit_at > now && hub->limit_at <= end)
                return;
        at.it_value.tv_sec = (time_t)(end / 1000000000);
        at.it_value.tv_nsec = (long)(end % 1000000000);
        if (timerfd_settime(hub->limit_fd, TFD_TIMER_ABSTIME, &at, NULL) == 0)
                hub->limit_at = end;
}
#else
#define HUB_LIBEVENT_UNIT "microseconds"

static int
hub_libevent_limit_open(struct hub_libevent *hub)
{
        hub->limit_fd = -1;
        return 0;
}

static void
hub_libevent_limit_set(struct hub_libevent *hub, int64_t timeout_ns)
{
        int64_t us = (timeout_ns - 1) / 1000 + 1;
        struct timeval in = {.tv_sec = us / 1000000 < 1000000000 ? (time_t)(us / 1000000) : 1000000000,
                             .tv_usec = (suseconds_t)(us % 1000000)};

        (void)event_add(&hub->limit, &in);
        hub->limit_at = green__libevent_now();
}
#endif

/*
 * The wait is over when all was called that has been found together. libevent's loop goes on as long as callbacks
 * activate others, and would hold up green threads.
 */
void
green__libevent_end_round(struct hub_libevent *hub)
{
        if (hub->turn_queued)
                return;
        hub->turn_queued = true;
        event_active(&hub->turn, EV_TIMEOUT, 1);
}

/* It is not read: each time that it goes off is an edge. */
static void
hub_libevent_limit_over(evutil_socket_t fd, short what, void *arg)
{
        struct hub_libevent *hub = arg;

        (void)fd;
        (void)what;
        green__libevent_end_round(hub);
}

static void
hub_libevent_woken(evutil_socket_t fd, short what, void *arg)
{
        struct hub_libevent *hub = arg;

        (void)fd;
        (void)what;
        green__level_woken(&hub->level);
        green__libevent_end_round(hub);
}

/*
 * Callbacks that activate others would hold up green threads, since libevent's loop goes on as long as there are any:
 * it ends when all were called that were found together.
 */
static void
hub_libevent_turn(evutil_socket_t fd, short what, void *arg)
{
        struct hub_libevent *hub = arg;

        (void)fd;
        (void)what;
        if (hub->turn_again) {
                hub->turn_again = false;
                event_active(&hub->turn, EV_TIMEOUT, 1);
                return;
        }
        hub->turn_queued = false;
        (void)event_base_loopbreak(hub->base);
}

/* Takes those that were removed meanwhile out of what was found. */
static int
hub_libevent_collect(struct hub_libevent *hub)
{
        int n = 0;

        for (int i = 0; i < hub->found; i++) {
                if (hub->events[i].token == UINT64_MAX)
                        continue;
                if (n != i)
                        hub->events[n] = hub->events[i];
                n++;
        }
        hub->events = NULL;
        return n;
}

static int
hub_libevent_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct hub_libevent *hub = state;
        int rc;

        hub->events = events;
        hub->max = max;
        hub->found = 0;
        if (++hub->round == 0)
                hub->round = 1;
        hub->turn_again = timeout_ns == 0;
        if (timeout_ns == 0)
                green__libevent_end_round(hub);
        else if (timeout_ns > 0)
                hub_libevent_limit_set(hub, timeout_ns);
        errno = 0;
        rc = event_base_loop(hub->base, EVLOOP_ONCE | (timeout_ns == 0 ? EVLOOP_NONBLOCK : 0));
        if (hub->turn_queued)
                (void)event_del(&hub->turn);
        hub->turn_queued = false;
        if (rc < 0 && hub->found == 0) {
                hub->events = NULL;
                return errno != 0 ? -errno : -EIO;
        }
        return hub_libevent_collect(hub);
}

static int
hub_libevent_wake(void *state)
{
        struct hub_libevent *hub = state;

        return green__level_wake(&hub->level);
}

/* ---- the state */

static int
hub_libevent_probe(void)
{
        return event_get_version_number() >= HUB_LIBEVENT_OLDEST ? 0 : -ENOSYS;
}

/* The hub's own events. Where one of them cannot be added, those before it are in the base. */
static int
hub_libevent_events_add(struct hub_libevent *hub)
{
        errno = 0;
        if (event_assign(&hub->turn, hub->base, -1, EV_PERSIST, hub_libevent_turn, hub) == 0 &&
            event_assign(&hub->wake, hub->base, hub->level.wake_in, EV_READ | EV_ET | EV_PERSIST, hub_libevent_woken,
                         hub) == 0 &&
            event_assign(&hub->limit, hub->base, hub->limit_fd, hub->limit_fd < 0 ? 0 : EV_READ | EV_ET | EV_PERSIST,
                         hub_libevent_limit_over, hub) == 0 &&
            event_add(&hub->wake, NULL) == 0 && (hub->limit_fd < 0 || event_add(&hub->limit, NULL) == 0))
                return 0;
        return errno != 0 ? -errno : -ENOMEM;
}

static void
hub_libevent_events_del(struct hub_libevent *hub)
{
        struct event *const events[] = {&hub->turn, &hub->wake, &hub->limit};

        for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
                if (event_initialized(events[i])) {
                        (void)event_del(events[i]);
                        event_debug_unassign(events[i]);
                }
        }
}

/* Where libevent cannot open what it needs for a base it ends the process. So it is tried out before. */
static int
hub_libevent_reserve(const struct hub_libevent *hub)
{
        int fds[HUB_LIBEVENT_RESERVE];
        int n = 0, err = 0;

        while (err == 0 && n < HUB_LIBEVENT_RESERVE) {
                fds[n] = fcntl(hub->level.wake_in, F_DUPFD_CLOEXEC, 0);
                if (fds[n] < 0)
                        err = -errno;
                else
                        n++;
        }
        while (n > 0)
                close(fds[--n]);
        return err;
}

/* One that looks for what is ready now and then even where callbacks activate each other without end. */
static struct event_base *
hub_libevent_base_new(void)
{
        struct event_config *config = event_config_new();
        struct event_base *base = NULL;

        if (config != NULL && event_config_set_max_dispatch_interval(config, NULL, HUB_LIBEVENT_CALLBACKS, 0) == 0)
                base = event_base_new_with_config(config);
        if (config != NULL)
                event_config_free(config);
        return base;
}

static int
hub_libevent_open(struct hub_libevent *hub)
{
        int err = hub_libevent_limit_open(hub);

        if (err == 0 && hub->base == NULL) {
                err = hub_libevent_reserve(hub);
                if (err == 0) {
                        hub->base = hub_libevent_base_new();
                        hub->own = true;
                        err = hub->base == NULL ? -ENOMEM : 0;
                }
        }
        if (err == 0 && !(event_base_get_features(hub->base) & EV_FEATURE_ET)) {
                hub->config->log(1, "green-net: hub libevent needs a base that knows edge-triggered events");
                err = -ENOTSUP;
        }
        return err == 0 ? hub_libevent_events_add(hub) : err;
}

static void
hub_libevent_close(struct hub_libevent *hub)
{
        hub_libevent_events_del(hub);
        if (hub->limit_fd >= 0)
                close(hub->limit_fd);
        green__level_close(&hub->level);
        if (hub->own && hub->base != NULL)
                event_base_free(hub->base);
        hub->config->free(hub->chunks);
        hub->config->free(hub);
}

static int
hub_libevent_init(const struct green_hub_config *config, void **ret_state)
{
        struct hub_libevent *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        memset(hub, 0, sizeof *hub);
        hub->config = config;
        hub->base = config->loop;
        hub->limit_fd = -1;
        err = green__level_open(&hub->level, config);
        if (err != 0) {
                config->free(hub);
                return err;
        }
        err = hub_libevent_open(hub);
        if (err != 0) {
                hub_libevent_close(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

/* Calls a function with each registered descriptor; it may drop it. */
static void
hub_libevent_each(struct hub_libevent *hub, void (*fn)(struct hub_libevent *hub, struct hub_libevent_entry *entry))
{
        for (size_t c = 0; c < hub->nchunks; c++) {
                for (size_t i = 0; hub->chunks[c] != NULL && i < HUB_LIBEVENT_CHUNK; i++) {
                        if (hub->chunks[c][i].interest != 0)
                                fn(hub, &hub->chunks[c][i]);
                }
        }
}

static void
hub_libevent_fini(void *state)
{
        struct hub_libevent *hub = state;

        hub_libevent_each(hub, green__libevent_drop);
        for (size_t c = 0; c < hub->nchunks; c++)
                hub->config->free(hub->chunks[c]);
        hub_libevent_close(hub);
}

/* libevent would complain of it when it takes all to its new poller. */
static void
hub_libevent_drop_closed(struct hub_libevent *hub, struct hub_libevent_entry *entry)
{
        if (green__libevent_check(event_get_fd(&entry->event)) != 0)
                green__libevent_drop(hub, entry);
}

/*
 * The poller is shared with the parent: event_reinit() makes another before anything is taken out. That is right for
 * the application's base too, and harmless where it calls it again.
 */
static int
hub_libevent_after_fork(void *state)
{
        struct hub_libevent *hub = state;
        int err;

        hub->found = 0;
        hub_libevent_each(hub, hub_libevent_drop_closed);
        if (event_reinit(hub->base) != 0)
                return -EIO;
        hub_libevent_each(hub, green__libevent_drop);
        hub_libevent_events_del(hub);
        if (hub->limit_fd >= 0)
                close(hub->limit_fd);
        hub->limit_at = 0;
        hub->turn_queued = false;
        err = green__level_after_fork(&hub->level);
        if (err == 0)
                err = hub_libevent_limit_open(hub);
        return err == 0 ? hub_libevent_events_add(hub) : err;
}

static int
hub_libevent_describe(void *state, char *text, size_t len)
{
        struct hub_libevent *hub = state;

        return snprintf(text, len, "libevent %s, %s base by %s, %zu descriptors, limits in " HUB_LIBEVENT_UNIT,
                        event_get_version(), hub->own ? "own" : "the application's", event_base_get_method(hub->base),
                        hub->count);
}

/* libevent does not give away its poller. */
static green_fd
hub_libevent_pollfd(void *state)
{
        (void)state;
        return GREEN_INVALID_FD;
}

static void *
hub_libevent_loop(void *state)
{
        struct hub_libevent *hub = state;

        return hub->base;
}

GREEN_HUB_DEFINE(libevent) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "libevent",
        /* Errors, hang-ups and urgent data libevent does not tell from the rest. */
        .features = GREEN_HUB_CAN_EDGE | GREEN_HUB_CAN_ONESHOT | GREEN_HUB_CALLS_BACK,
        .probe = hub_libevent_probe,
        .init = hub_libevent_init,
        .add = green__libevent_add,
        .modify = green__libevent_modify,
        .remove = green__libevent_remove,
        .wait = hub_libevent_wait,
        .wake = hub_libevent_wake,
        .after_fork = hub_libevent_after_fork,
        .describe = hub_libevent_describe,
        .pollfd = hub_libevent_pollfd,
        .fini = hub_libevent_fini,
        .loop = hub_libevent_loop,
        .list = green__libevent_list,
};
