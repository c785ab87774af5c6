/*
 * The libevent hub's descriptors; libevent.c has its beginning.
 *
 * libevent prints by itself where the system refuses a descriptor. So each is looked at before libevent gets it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "libevent.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

static struct hub_libevent_entry *
hub_libevent_find(const struct hub_libevent *hub, green_fd fd)
{
        size_t chunk = (size_t)fd / HUB_LIBEVENT_CHUNK;
        struct hub_libevent_entry *entry;

        if (fd < 0 || chunk >= hub->nchunks || hub->chunks[chunk] == NULL)
                return NULL;
        entry = &hub->chunks[chunk][(size_t)fd % HUB_LIBEVENT_CHUNK];
        return entry->interest != 0 ? entry : NULL;
}

/* The place of a number, made if there is none; NULL where memory ran out. */
static struct hub_libevent_entry *
hub_libevent_place(struct hub_libevent *hub, green_fd fd)
{
        size_t chunk = (size_t)fd / HUB_LIBEVENT_CHUNK;

        if (chunk >= hub->nchunks) {
                size_t n = chunk + 1 < 2 * hub->nchunks ? 2 * hub->nchunks : chunk + 1;
                struct hub_libevent_entry **chunks = hub->config->realloc(hub->chunks, n * sizeof(void *));

                if (chunks == NULL)
                        return NULL;
                memset(chunks + hub->nchunks, 0, (n - hub->nchunks) * sizeof(void *));
                hub->chunks = chunks;
                hub->nchunks = n;
        }
        if (hub->chunks[chunk] == NULL) {
                hub->chunks[chunk] = hub->config->realloc(NULL, HUB_LIBEVENT_CHUNK * sizeof **hub->chunks);
                if (hub->chunks[chunk] == NULL)
                        return NULL;
                memset(hub->chunks[chunk], 0, HUB_LIBEVENT_CHUNK * sizeof **hub->chunks);
        }
        return &hub->chunks[chunk][(size_t)fd % HUB_LIBEVENT_CHUNK];
}

#if defined(__linux__)
/* Of a character device only epoll itself knows whether it can be waited for: a terminal can, /dev/null cannot. */
static int
hub_libevent_check_device(int fd)
{
        struct epoll_event none = {0};
        int poller = epoll_create1(EPOLL_CLOEXEC);
        int err = poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &none) < 0 ? -errno : 0;

        if (poller >= 0)
                close(poller);
        return err;
}
#else
static int
hub_libevent_check_device(int fd)
{
        (void)fd;
        return 0;
}
#endif

/* 0 if it can be waited for; -EPERM if it is of a kind that is always ready; -EBADF. */
int
green__libevent_check(green_fd fd)
{
        struct stat st;

        if (fstat((int)fd, &st) < 0)
                return -errno;
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
                return -EPERM;
        return S_ISCHR(st.st_mode) ? hub_libevent_check_device((int)fd) : 0;
}

/* What this wait() has found of it does not count any more. */
static void
hub_libevent_unfind(struct hub_libevent *hub, const struct hub_libevent_entry *entry)
{
        if (hub->events != NULL && entry->round == hub->round)
                hub->events[entry->at].token = UINT64_MAX;
}

void
green__libevent_drop(struct hub_libevent *hub, struct hub_libevent_entry *entry)
{
        hub_libevent_unfind(hub, entry);
        (void)event_del(&entry->event);
        event_debug_unassign(&entry->event);
        entry->interest = 0;
        entry->round = 0;
        hub->count--;
}

/* A descriptor is ready. In wait(), from libevent's loop; once a wait(), since the round ends then. */
void
green__libevent_ready(evutil_socket_t fd, short what, void *arg)
{
        struct hub_libevent_entry *entry = arg;
        struct hub_libevent *hub = entry->hub;
        uint32_t bits = (what & EV_READ ? GREEN_READ : 0u) | (what & EV_WRITE ? GREEN_WRITE : 0u);

        (void)fd;
        if (hub->events == NULL) {
                hub->config->log(0, "green-net: the application has run the event_base of hub libevent itself");
                return;
        }
        entry->round = hub->round;
        entry->at = hub->found;
        green__level_report(&hub->events[hub->found++], entry->token, bits);
        if (hub->found == hub->max)
                /* The others stay in libevent's queue: the next wait() begins with them. */
                (void)event_base_loopbreak(hub->base);
        else
                green__libevent_end_round(hub);
}

static int
hub_libevent_start(struct hub_libevent *hub, struct hub_libevent_entry *entry, green_fd fd)
{
        uint32_t interest = entry->interest;
        short events =
                (short)((interest & GREEN_READ ? EV_READ : 0) | (interest & GREEN_WRITE ? EV_WRITE : 0) |
                        (interest & GREEN_HUB_EDGE ? EV_ET : 0) | (interest & GREEN_HUB_ONESHOT ? 0 : EV_PERSIST));

        errno = 0;
        if (event_assign(&entry->event, hub->base, (evutil_socket_t)fd, events, green__libevent_ready, entry) == 0 &&
            event_add(&entry->event, NULL) == 0)
                return 0;
        return errno != 0 ? -errno : -EIO;
}

static int
hub_libevent_check_interest(uint32_t interest, uint64_t token)
{
        return (interest & (GREEN_READ | GREEN_WRITE)) == 0 || token == UINT64_MAX ? -EINVAL : 0;
}

int
green__libevent_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_libevent *hub = state;
        struct hub_libevent_entry *entry;
        int err = hub_libevent_check_interest(interest, token);

        if (err == 0 && hub_libevent_find(hub, fd) != NULL)
                err = -EEXIST;
        if (err == 0)
                err = green__libevent_check(fd);
        if (err != 0)
                return err;
        entry = hub_libevent_place(hub, fd);
        if (entry == NULL)
                return -ENOMEM;
        entry->hub = hub;
        entry->token = token;
        entry->interest = interest;
        entry->round = 0;
        hub->count++;
        err = hub_libevent_start(hub, entry, fd);
        if (err != 0)
                green__libevent_drop(hub, entry);
        return err;
}

int
green__libevent_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_libevent *hub = state;
        struct hub_libevent_entry *entry = hub_libevent_find(hub, fd);
        int err = entry == NULL ? -ENOENT : hub_libevent_check_interest(interest, token);

        if (err != 0)
                return err;
        /* The number may have been closed, or be another file's by now. */
        err = green__libevent_check(fd);
        if (err == 0) {
                hub_libevent_unfind(hub, entry);
                (void)event_del(&entry->event);
                entry->token = token;
                entry->interest = interest;
                entry->round = 0;
                err = hub_libevent_start(hub, entry, fd);
        }
        if (err != 0)
                green__libevent_drop(hub, entry);
        return err;
}

int
green__libevent_remove(void *state, green_fd fd)
{
        struct hub_libevent *hub = state;
        struct hub_libevent_entry *entry = hub_libevent_find(hub, fd);

        if (entry == NULL)
                return -ENOENT;
        green__libevent_drop(hub, entry);
        return 0;
}
