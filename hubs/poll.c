/*
 * The hub of POSIX systems: poll(), or ppoll() where there is one.
 *
 * A plug-in like any other: it knows <green/hub.h> and the system. level.h has what it shares with select.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ppoll(), POLLRDHUP */
#endif

#include "level.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

enum {
        HUB_POLL_BATCH = 256,   /* events a wait() at most */
        HUB_POLL_ROOM_MIN = 64, /* room of the first set */
};

/* Without it the end of a stream is not told together with its last bytes, so that core has to look for it. */
#ifdef POLLRDHUP
#define HUB_POLL_RDHUP POLLRDHUP
#define HUB_POLL_HANGUP GREEN_HUB_HANGUP
#define HUB_POLL_FEATURES (GREEN_HUB_CAN_ONESHOT | GREEN_HUB_TELLS_HANGUP)
#else
#define HUB_POLL_RDHUP 0
#define HUB_POLL_HANGUP 0u
#define HUB_POLL_FEATURES GREEN_HUB_CAN_ONESHOT
#endif

struct hub_poll {
        struct green__level level;
        struct pollfd *set; /* dense; the first is the wake descriptor */
        size_t used;
        size_t room; /* for all that are registered, so that only add() allocates */
        size_t next; /* where to look first: whoever is not reported is the first next time */
        int found[HUB_POLL_BATCH];
};

static int
hub_poll_probe(void)
{
        return poll(NULL, 0, 0) < 0 && errno != EINTR ? -errno : 0;
}

static void
hub_poll_start(struct hub_poll *hub)
{
        hub->set[0] = (struct pollfd){.fd = hub->level.wake_in, .events = POLLIN};
        hub->used = 1;
        hub->next = 0;
}

static int
hub_poll_init(const struct green_hub_config *config, void **ret_state)
{
        struct hub_poll *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        hub->room = HUB_POLL_ROOM_MIN;
        hub->set = config->realloc(NULL, hub->room * sizeof *hub->set);
        err = hub->set == NULL ? -ENOMEM : green__level_open(&hub->level, config);
        if (err != 0) {
                config->free(hub->set);
                config->free(hub);
                return err;
        }
        hub_poll_start(hub);
        *ret_state = hub;
        return 0;
}

static void
hub_poll_fini(void *state)
{
        struct hub_poll *hub = state;
        const struct green_hub_config *config = hub->level.config;

        green__level_close(&hub->level);
        config->free(hub->set);
        config->free(hub);
}

static int
hub_poll_grow(struct hub_poll *hub)
{
        size_t room = hub->room * 2;
        struct pollfd *set;

        if (hub->level.count < hub->room)
                return 0;
        set = hub->level.config->realloc(hub->set, room * sizeof *set);
        if (set == NULL)
                return -ENOMEM;
        hub->set = set;
        hub->room = room;
        return 0;
}

/* Into the set, or what it waits for there anew. */
static void
hub_poll_watch(struct hub_poll *hub, struct green__level_entry *entry, green_fd fd)
{
        int events = (entry->interest & GREEN_READ ? POLLIN | POLLPRI | HUB_POLL_RDHUP : 0) |
                     (entry->interest & GREEN_WRITE ? POLLOUT : 0);

        if (entry->at == 0)
                entry->at = (uint32_t)hub->used++;
        hub->set[entry->at] = (struct pollfd){.fd = fd, .events = (short)events};
}

/* Out of the set: the last takes its place. */
static void
hub_poll_unwatch(struct hub_poll *hub, struct green__level_entry *entry)
{
        struct pollfd *last;

        if (entry->at == 0)
                return;
        last = &hub->set[--hub->used];
        hub->set[entry->at] = *last;
        hub->level.entries[last->fd].at = entry->at;
        entry->at = 0;
}

static int
hub_poll_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_poll *hub = state;
        int err;
        struct green__level_entry *entry = green__level_add(&hub->level, fd, interest, token, &err);

        if (entry == NULL)
                return err;
        err = hub_poll_grow(hub);
        if (err == 0)
                hub_poll_watch(hub, entry, fd);
        else
                green__level_forget(&hub->level, entry);
        return err;
}

static int
hub_poll_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_poll *hub = state;
        int err;
        struct green__level_entry *entry = green__level_modify(&hub->level, fd, interest, token, &err);

        if (entry != NULL)
                hub_poll_watch(hub, entry, fd);
        return err;
}

static int
hub_poll_remove(void *state, green_fd fd)
{
        struct hub_poll *hub = state;
        struct green__level_entry *entry = green__level_find(&hub->level, fd);

        if (entry == NULL)
                return -ENOENT;
        hub_poll_unwatch(hub, entry);
        green__level_forget(&hub->level, entry);
        return 0;
}

#ifdef HUB_POLL_HAS_PPOLL
#define HUB_POLL_UNIT "nanoseconds"

/* NULL for no limit. */
static const struct timespec *
hub_poll_limit(int64_t timeout_ns, struct timespec *limit)
{
        int64_t sec = timeout_ns / 1000000000;

        if (timeout_ns < 0)
                return NULL;
        /* Where seconds have 32 bits; nobody waits for the difference. */
        limit->tv_sec = sec < INT_MAX ? (time_t)sec : INT_MAX;
        limit->tv_nsec = (long)(timeout_ns % 1000000000);
        return limit;
}

static int
hub_poll_call(struct hub_poll *hub, int64_t timeout_ns)
{
        struct timespec limit;

        return ppoll(hub->set, (nfds_t)hub->used, hub_poll_limit(timeout_ns, &limit), NULL);
}
#else
#define HUB_POLL_UNIT "milliseconds"

/* Milliseconds, rounded up, so that no timer is early. */
static int
hub_poll_call(struct hub_poll *hub, int64_t timeout_ns)
{
        int64_t ms = timeout_ns > 0 ? (timeout_ns - 1) / 1000000 + 1 : timeout_ns;

        return poll(hub->set, (nfds_t)hub->used, ms < 0 ? -1 : ms < INT_MAX ? (int)ms : INT_MAX);
}
#endif

static void
hub_poll_report(const struct hub_poll *hub, const struct pollfd *p, struct green_hub_event *event)
{
        int failed = p->revents & (POLLERR | POLLHUP | POLLNVAL);
        int bits = p->revents;
        uint32_t events = (bits & (POLLIN | POLLPRI | HUB_POLL_RDHUP) ? GREEN_READ : 0u) |
                          (bits & POLLOUT ? GREEN_WRITE : 0u) | (failed ? GREEN_HUB_ERROR : 0u);

        /* A read stops at urgent data: there too one that gave less than it could has not taken all there was. */
        if (failed || (bits & (POLLPRI | HUB_POLL_RDHUP)) != 0)
                events |= HUB_POLL_HANGUP;
        green__level_report(event, hub->level.entries[p->fd].token, events);
}

/* After its event: one-shot interest leaves the set, a descriptor that was closed leaves altogether. */
static void
hub_poll_settle(struct hub_poll *hub, green_fd fd)
{
        struct green__level_entry *entry = &hub->level.entries[fd];
        bool closed = (hub->set[entry->at].revents & POLLNVAL) != 0;

        if (closed || (entry->interest & GREEN_HUB_ONESHOT) != 0)
                hub_poll_unwatch(hub, entry);
        if (closed)
                green__level_forget(&hub->level, entry);
}

/*
 * Downwards from where the last one stopped, and round. Whoever takes the place of one that left comes from above, so
 * those still to be looked at keep their turn however many leave and come.
 */
static int
hub_poll_collect(struct hub_poll *hub, struct green_hub_event *events, int most)
{
        size_t at = hub->next;
        int found = 0;

        for (size_t left = hub->used - 1; left > 0 && found < most; left--, at--) {
                const struct pollfd *p;

                if (at == 0 || at >= hub->used)
                        at = hub->used - 1;
                p = &hub->set[at];
                if (p->revents == 0)
                        continue;
                hub_poll_report(hub, p, &events[found]);
                hub->found[found++] = p->fd;
        }
        hub->next = at;
        for (int i = 0; i < found; i++)
                hub_poll_settle(hub, hub->found[i]);
        return found;
}

static int
hub_poll_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct hub_poll *hub = state;
        int n = hub_poll_call(hub, timeout_ns);

        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        if (n > 0 && hub->set[0].revents != 0) {
                green__level_woken(&hub->level);
                n--;
        }
        if (n > max)
                n = max;
        return hub_poll_collect(hub, events, n < HUB_POLL_BATCH ? n : HUB_POLL_BATCH);
}

static int
hub_poll_wake(void *state)
{
        struct hub_poll *hub = state;

        return green__level_wake(&hub->level);
}

static int
hub_poll_after_fork(void *state)
{
        struct hub_poll *hub = state;
        int err = green__level_after_fork(&hub->level);

        hub_poll_start(hub);
        return err;
}

static int
hub_poll_describe(void *state, char *text, size_t len)
{
        struct hub_poll *hub = state;

        return snprintf(text, len, "poll, %zu descriptors, %zu of them waited for, limits in " HUB_POLL_UNIT,
                        hub->level.count, hub->used - 1);
}

static green_fd
hub_poll_pollfd(void *state)
{
        (void)state;
        return GREEN_INVALID_FD;
}

GREEN_HUB_DEFINE(poll) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "poll",
        .features = HUB_POLL_FEATURES,
        .probe = hub_poll_probe,
        .init = hub_poll_init,
        .add = hub_poll_add,
        .modify = hub_poll_modify,
        .remove = hub_poll_remove,
        .wait = hub_poll_wait,
        .wake = hub_poll_wake,
        .after_fork = hub_poll_after_fork,
        .describe = hub_poll_describe,
        .pollfd = hub_poll_pollfd,
        .fini = hub_poll_fini,
};
