/*
 * The hub of last resort: select(). It takes descriptors below FD_SETSIZE only; add() refuses others with -EMFILE.
 * Not pselect(): it has nothing to give this hub but limits finer than a microsecond, which is less than systems keep
 * to, and Valgrind 3.19 makes it fail with EFAULT when a signal comes at the wrong moment.
 *
 * A plug-in like any other: it knows <green/hub.h> and the system. level.h has what it shares with poll.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "level.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/time.h>

struct hub_select_sets {
        fd_set in;
        fd_set out;
        fd_set urgent; /* select() calls them exceptional: bytes out of band. Errors make the other two ready */
};

struct hub_select {
        struct green__level level;
        struct hub_select_sets want;
        struct hub_select_sets got;
        int highest; /* number in want */
        int next;    /* where to look first: whoever is not reported is the first next time */
};

static int
hub_select_probe(void)
{
        struct timeval now = {0};

        return select(0, NULL, NULL, NULL, &now) < 0 && errno != EINTR ? -errno : 0;
}

/* Nothing but the wake descriptor. */
static int
hub_select_start(struct hub_select *hub)
{
        if (hub->level.wake_in >= FD_SETSIZE)
                return -EMFILE;
        FD_ZERO(&hub->want.in);
        FD_ZERO(&hub->want.out);
        FD_ZERO(&hub->want.urgent);
        FD_SET(hub->level.wake_in, &hub->want.in);
        hub->highest = hub->level.wake_in;
        hub->next = 0;
        return 0;
}

static int
hub_select_init(const struct green_hub_config *config, void **ret_state)
{
        struct hub_select *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        err = green__level_open(&hub->level, config);
        if (err == 0) {
                err = hub_select_start(hub);
                if (err != 0)
                        green__level_close(&hub->level);
        }
        if (err != 0) {
                config->free(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

static void
hub_select_fini(void *state)
{
        struct hub_select *hub = state;
        const struct green_hub_config *config = hub->level.config;

        green__level_close(&hub->level);
        config->free(hub);
}

static void
hub_select_unwatch(struct hub_select *hub, struct green__level_entry *entry, green_fd fd)
{
        if (entry->at == 0)
                return;
        entry->at = 0;
        FD_CLR(fd, &hub->want.in);
        FD_CLR(fd, &hub->want.out);
        FD_CLR(fd, &hub->want.urgent);
        /* The wake descriptor, at the latest, ends this. */
        while (!FD_ISSET(hub->highest, &hub->want.in) && !FD_ISSET(hub->highest, &hub->want.out))
                hub->highest--;
}

static void
hub_select_watch(struct hub_select *hub, struct green__level_entry *entry, green_fd fd)
{
        hub_select_unwatch(hub, entry, fd);
        entry->at = 1;
        if (entry->interest & GREEN_READ) {
                FD_SET(fd, &hub->want.in);
                FD_SET(fd, &hub->want.urgent);
        }
        if (entry->interest & GREEN_WRITE)
                FD_SET(fd, &hub->want.out);
        if (fd > hub->highest)
                hub->highest = fd;
}

static int
hub_select_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_select *hub = state;
        struct green__level_entry *entry;
        int err;

        if (fd >= FD_SETSIZE)
                return -EMFILE;
        entry = green__level_add(&hub->level, fd, interest, token, &err);
        if (entry != NULL)
                hub_select_watch(hub, entry, fd);
        return err;
}

static int
hub_select_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_select *hub = state;
        int err;
        struct green__level_entry *entry = green__level_modify(&hub->level, fd, interest, token, &err);

        if (entry != NULL)
                hub_select_watch(hub, entry, fd);
        return err;
}

static void
hub_select_drop(struct hub_select *hub, struct green__level_entry *entry, green_fd fd)
{
        hub_select_unwatch(hub, entry, fd);
        green__level_forget(&hub->level, entry);
}

static int
hub_select_remove(void *state, green_fd fd)
{
        struct hub_select *hub = state;
        struct green__level_entry *entry = green__level_find(&hub->level, fd);

        if (entry == NULL)
                return -ENOENT;
        hub_select_drop(hub, entry, fd);
        return 0;
}

/* One of the descriptors was closed, and select() does not say which: report those that were, and drop them. */
static int
hub_select_find_closed(struct hub_select *hub, struct green_hub_event *events, int max)
{
        int found = 0;

        for (int fd = hub->highest; fd >= 0 && found < max; fd--) {
                struct green__level_entry *entry = green__level_find(&hub->level, fd);

                if (entry == NULL || entry->at == 0 || fcntl(fd, F_GETFD) >= 0)
                        continue;
                green__level_report(&events[found++], entry->token, GREEN_HUB_ERROR);
                hub_select_drop(hub, entry, fd);
        }
        /* It was the wake descriptor; or another OS thread has opened the number again. */
        return found == 0 && fcntl(hub->level.wake_in, F_GETFD) < 0 ? -EBADF : found;
}

static uint32_t
hub_select_bits(const struct hub_select *hub, green_fd fd)
{
        return (FD_ISSET(fd, &hub->got.in) || FD_ISSET(fd, &hub->got.urgent) ? GREEN_READ : 0u) |
               (FD_ISSET(fd, &hub->got.out) ? GREEN_WRITE : 0u);
}

/* Upwards from where the last one stopped, and round. */
static int
hub_select_collect(struct hub_select *hub, struct green_hub_event *events, int max)
{
        int numbers = hub->highest + 1;
        int fd = hub->next;
        int found = 0;

        for (int left = numbers; left > 0 && found < max; left--, fd++) {
                struct green__level_entry *entry;
                uint32_t bits;

                if (fd >= numbers)
                        fd = 0;
                bits = hub_select_bits(hub, fd);
                if (bits == 0)
                        continue;
                entry = &hub->level.entries[fd];
                green__level_report(&events[found++], entry->token, bits);
                if (entry->interest & GREEN_HUB_ONESHOT)
                        hub_select_unwatch(hub, entry, fd);
        }
        hub->next = fd;
        return found;
}

/* Microseconds, rounded up, so that no timer is early; NULL for no limit. */
static struct timeval *
hub_select_limit(int64_t timeout_ns, struct timeval *limit)
{
        int64_t us = timeout_ns / 1000 + (timeout_ns % 1000 != 0);
        int64_t sec = us / 1000000;

        if (timeout_ns < 0)
                return NULL;
        /* Where seconds have 32 bits; nobody waits for the difference. */
        limit->tv_sec = sec < INT_MAX ? (time_t)sec : INT_MAX;
        limit->tv_usec = (suseconds_t)(us % 1000000);
        return limit;
}

static int
hub_select_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct hub_select *hub = state;
        struct timeval limit;
        int n;

        hub->got = hub->want;
        n = select(hub->highest + 1, &hub->got.in, &hub->got.out, &hub->got.urgent,
                   hub_select_limit(timeout_ns, &limit));
        if (n < 0 && errno == EBADF)
                return hub_select_find_closed(hub, events, max);
        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        if (n > 0 && FD_ISSET(hub->level.wake_in, &hub->got.in)) {
                FD_CLR(hub->level.wake_in, &hub->got.in);
                green__level_woken(&hub->level);
                n--;
        }
        return n > 0 ? hub_select_collect(hub, events, max) : 0;
}

static int
hub_select_wake(void *state)
{
        struct hub_select *hub = state;

        return green__level_wake(&hub->level);
}

static int
hub_select_after_fork(void *state)
{
        struct hub_select *hub = state;
        int err = green__level_after_fork(&hub->level);

        return err != 0 ? err : hub_select_start(hub);
}

static int
hub_select_describe(void *state, char *text, size_t len)
{
        struct hub_select *hub = state;

        return snprintf(text, len, "select, %zu descriptors, all below %d, limits in microseconds", hub->level.count,
                        (int)FD_SETSIZE);
}

static green_fd
hub_select_pollfd(void *state)
{
        (void)state;
        return GREEN_INVALID_FD;
}

GREEN_HUB_DEFINE(select) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "select",
        .features = GREEN_HUB_CAN_ONESHOT,
        .probe = hub_select_probe,
        .init = hub_select_init,
        .add = hub_select_add,
        .modify = hub_select_modify,
        .remove = hub_select_remove,
        .wait = hub_select_wait,
        .wake = hub_select_wake,
        .after_fork = hub_select_after_fork,
        .describe = hub_select_describe,
        .pollfd = hub_select_pollfd,
        .fini = hub_select_fini,
};
