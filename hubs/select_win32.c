/*
 * The hub of last resort on Windows: select(). Its sets are arrays of sockets, so they may have any length, and are
 * made from a list before each wait. Beside it, iocp.c is the one to use.
 *
 * A plug-in like any other: it knows <green/hub.h> and the system. win32.h has what it shares with iocp.c.
 */
#include "win32.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

/* A socket that core has registered. */
struct hub_select_entry {
        struct green__win32_node node; /* first; in hub->table */
        struct green__win32_link link; /* in hub->list: a one-shot registration that has reported is not */
        uint64_t token;
        uint32_t interest; /* as add() and modify() were told */
        uint32_t got;      /* what the wait that is being told has found */
        bool connecting;   /* was not connected when somebody began to wait to write: may fail */
};

/* Laid out as fd_set, with as much room as we like. */
struct hub_select_set {
        u_int count;
        SOCKET sockets[];
};

/* Which of the sets. */
enum { HUB_SELECT_IN, HUB_SELECT_OUT, HUB_SELECT_EXCEPT, HUB_SELECT_SETS };

struct hub_select {
        const struct green_hub_config *config; /* core's; outlives this */
        struct green__win32_table table;       /* registered sockets */
        struct green__win32_link list;         /* those that somebody waits for; who was reported goes to the end */
        size_t room;                           /* of sets[], which have one place more, for the wake socket */
        struct hub_select_set *sets[HUB_SELECT_SETS];
        SOCKET wake_in;  /* readable after wake() */
        SOCKET wake_out; /* connected to it */
        LONG woken;      /* wake() has sent, and wait() has not seen it */
};

_Static_assert(offsetof(struct hub_select_set, sockets) == offsetof(fd_set, fd_array), "laid out as fd_set");

static int
hub_select_probe(void)
{
        return green__win32_start();
}

/* ---- the wake sockets: two datagram sockets of this machine that take from each other alone */

static SOCKET
hub_select_socket(struct sockaddr_in *addr, u_long blocks_not)
{
        SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
        int len = sizeof *addr;

        memset(addr, 0, sizeof *addr);
        addr->sin_family = AF_INET;
        addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (s == INVALID_SOCKET)
                return s;
        if (bind(s, (struct sockaddr *)addr, len) == 0 && getsockname(s, (struct sockaddr *)addr, &len) == 0 &&
            ioctlsocket(s, (long)FIONBIO, &blocks_not) == 0)
                return s;
        closesocket(s);
        return INVALID_SOCKET;
}

static void
hub_select_close(struct hub_select *hub)
{
        if (hub->wake_in != INVALID_SOCKET)
                closesocket(hub->wake_in);
        if (hub->wake_out != INVALID_SOCKET)
                closesocket(hub->wake_out);
}

static int
hub_select_open(struct hub_select *hub)
{
        struct sockaddr_in in, out;
        int err;

        hub->wake_in = hub_select_socket(&in, 1);
        /* A datagram is never waited for; but wine says now and then that it would be, and a wake must not get lost. */
        hub->wake_out = hub_select_socket(&out, 0);
        if (hub->wake_in != INVALID_SOCKET && hub->wake_out != INVALID_SOCKET &&
            connect(hub->wake_in, (struct sockaddr *)&out, sizeof out) == 0 &&
            connect(hub->wake_out, (struct sockaddr *)&in, sizeof in) == 0)
                return 0;
        err = green__win32_error((unsigned long)WSAGetLastError());
        hub_select_close(hub);
        return err;
}

static int
hub_select_wake(void *state)
{
        struct hub_select *hub = state;
        DWORD saved = GetLastError(); /* of the code that asks */
        int saved_errno = errno;
        int err = 0;

        if (InterlockedExchange(&hub->woken, 1) == 0 && send(hub->wake_out, "", 1, 0) < 0) {
                err = green__win32_error((unsigned long)WSAGetLastError());
                InterlockedExchange(&hub->woken, 0);
        }
        errno = saved_errno;
        SetLastError(saved);
        return err;
}

static void
hub_select_woken(struct hub_select *hub)
{
        char byte;

        while (recv(hub->wake_in, &byte, 1, 0) == 1)
                continue;
        /* After that: a wake from here on sends again, and one that came before counts as this one. */
        InterlockedExchange(&hub->woken, 0);
}

/* ---- the life of a state */

static void
hub_select_free(struct hub_select *hub)
{
        const struct green_hub_config *config = hub->config;

        green__win32_clear(&hub->table);
        for (int i = 0; i < HUB_SELECT_SETS; i++)
                config->free(hub->sets[i]);
        config->free(hub);
}

/* Room in the sets for n sockets. */
static int
hub_select_grow(struct hub_select *hub, size_t n)
{
        size_t room = hub->room > 0 ? hub->room : 32;
        void *larger;

        if (n <= hub->room)
                return 0;
        while (room < n)
                room *= 2;
        for (int i = 0; i < HUB_SELECT_SETS; i++) {
                larger =
                        hub->config->realloc(hub->sets[i], sizeof(struct hub_select_set) + (room + 1) * sizeof(SOCKET));
                if (larger == NULL)
                        return -ENOMEM;
                hub->sets[i] = larger;
        }
        hub->room = room;
        return 0;
}

static int
hub_select_init(const struct green_hub_config *config, void **ret_state)
{
        int err = green__win32_start();
        struct hub_select *hub = err == 0 ? config->realloc(NULL, sizeof *hub) : NULL;

        if (hub == NULL)
                return err != 0 ? err : -ENOMEM;
        memset(hub, 0, sizeof *hub);
        hub->config = hub->table.config = config;
        green__win32_list_init(&hub->list);
        err = hub_select_grow(hub, 1);
        if (err == 0)
                err = hub_select_open(hub);
        if (err != 0) {
                hub_select_free(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

static void
hub_select_fini(void *state)
{
        struct hub_select *hub = state;

        hub_select_close(hub);
        hub_select_free(hub);
}

/* ---- registering */

static struct hub_select_entry *
hub_select_entry_of(struct green__win32_link *link)
{
        return (struct hub_select_entry *)(void *)((char *)link - offsetof(struct hub_select_entry, link));
}

static struct hub_select_entry *
hub_select_find(const struct hub_select *hub, green_fd fd)
{
        return (struct hub_select_entry *)(void *)green__win32_find(&hub->table, fd);
}

static int
hub_select_interest(uint32_t interest)
{
        return (interest & (GREEN_READ | GREEN_WRITE)) == 0 || (interest & GREEN_HUB_EDGE) != 0 ? -EINVAL : 0;
}

static void
hub_select_watch(struct hub_select *hub, struct hub_select_entry *entry)
{
        struct sockaddr_storage peer;
        int len = sizeof peer;

        /* The set of failures holds urgent data too, which is no matter of a writer's. */
        entry->connecting = (entry->interest & GREEN_WRITE) != 0 &&
                            getpeername((SOCKET)entry->node.fd, (struct sockaddr *)&peer, &len) != 0;
        if (entry->link.next == NULL)
                green__win32_append(&hub->list, &entry->link);
}

static int
hub_select_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_select *hub = state;
        struct hub_select_entry *entry;
        int err = hub_select_interest(interest);

        if (err == 0)
                err = green__win32_check(fd);
        if (err == 0 && hub_select_find(hub, fd) != NULL)
                err = -EEXIST;
        if (err == 0)
                err = hub_select_grow(hub, hub->table.count + 1);
        if (err == 0)
                err = green__win32_reserve(&hub->table);
        if (err != 0)
                return err;
        entry = hub->config->realloc(NULL, sizeof *entry);
        if (entry == NULL)
                return -ENOMEM;
        *entry = (struct hub_select_entry){.node.fd = fd, .token = token, .interest = interest};
        green__win32_put(&hub->table, &entry->node);
        hub_select_watch(hub, entry);
        return 0;
}

static int
hub_select_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_select *hub = state;
        struct hub_select_entry *entry = hub_select_find(hub, fd);
        int err = entry == NULL ? -ENOENT : hub_select_interest(interest);

        if (err != 0)
                return err;
        entry->interest = interest;
        entry->token = token;
        hub_select_watch(hub, entry);
        return 0;
}

static void
hub_select_drop(struct hub_select *hub, struct hub_select_entry *entry)
{
        green__win32_unlink(&entry->link);
        green__win32_take(&hub->table, &entry->node);
        hub->config->free(entry);
}

static int
hub_select_remove(void *state, green_fd fd)
{
        struct hub_select *hub = state;
        struct hub_select_entry *entry = hub_select_find(hub, fd);

        if (entry == NULL)
                return -ENOENT;
        hub_select_drop(hub, entry);
        return 0;
}

/* ---- waiting */

static void
hub_select_put(struct hub_select_set *set, green_fd fd)
{
        set->sockets[set->count++] = (SOCKET)fd;
}

static void
hub_select_fill(struct hub_select *hub)
{
        for (int i = 0; i < HUB_SELECT_SETS; i++)
                hub->sets[i]->count = 0;
        hub_select_put(hub->sets[HUB_SELECT_IN], hub->wake_in);
        for (struct green__win32_link *link = hub->list.next; link != &hub->list; link = link->next) {
                const struct hub_select_entry *entry = hub_select_entry_of(link);

                if (entry->interest & GREEN_READ)
                        hub_select_put(hub->sets[HUB_SELECT_IN], entry->node.fd);
                if (entry->interest & GREEN_WRITE)
                        hub_select_put(hub->sets[HUB_SELECT_OUT], entry->node.fd);
                if ((entry->interest & GREEN_READ) || entry->connecting)
                        hub_select_put(hub->sets[HUB_SELECT_EXCEPT], entry->node.fd);
        }
}

/* Notes in the entries what select() has left in the sets; true if the wake socket is there. */
static bool
hub_select_note(struct hub_select *hub)
{
        bool woken = false;

        for (int which = 0; which < HUB_SELECT_SETS; which++) {
                const struct hub_select_set *set = hub->sets[which];

                for (u_int i = 0; i < set->count; i++) {
                        struct hub_select_entry *entry = hub_select_find(hub, set->sockets[i]);

                        if (entry == NULL)
                                woken = true;
                        else if (which == HUB_SELECT_EXCEPT)
                                entry->got |=
                                        entry->connecting ? entry->interest & (GREEN_READ | GREEN_WRITE) : GREEN_READ;
                        else
                                entry->got |= which == HUB_SELECT_IN ? GREEN_READ : GREEN_WRITE;
                }
        }
        return woken;
}

/* From the front: whoever was not reported for want of room is the first next time. */
static int
hub_select_collect(struct hub_select *hub, struct green_hub_event *events, int max)
{
        const struct green__win32_link *last = hub->list.prev;
        struct green__win32_link *link = hub->list.next, *next;
        int found = 0;

        for (bool more = link != &hub->list; more; link = next) {
                struct hub_select_entry *entry = hub_select_entry_of(link);

                more = link != last;
                next = link->next;
                if (entry->got != 0 && found < max) {
                        green__win32_report(&events[found++], entry->token, entry->got);
                        green__win32_unlink(link);
                        if (!(entry->interest & GREEN_HUB_ONESHOT))
                                green__win32_append(&hub->list, link);
                }
                entry->got = 0;
        }
        return found;
}

/* One of the sockets was closed, and select() does not say which: report those that were, and drop them. */
static int
hub_select_find_closed(struct hub_select *hub, struct green_hub_event *events, int max)
{
        int found = 0;

        for (struct green__win32_link *link = hub->list.next, *next; link != &hub->list && found < max; link = next) {
                struct hub_select_entry *entry = hub_select_entry_of(link);

                next = link->next;
                if (green__win32_check(entry->node.fd) == 0)
                        continue;
                green__win32_report(&events[found++], entry->token, GREEN_HUB_ERROR);
                hub_select_drop(hub, entry);
        }
        return found;
}

/* Microseconds, rounded up; NULL for no limit. Cut to a day: whoever waits looks at the clock. */
static struct timeval *
hub_select_limit(int64_t limit_ns, struct timeval *limit)
{
        int64_t most = (int64_t)86400 * 1000000000;
        int64_t us = limit_ns / 1000 + (limit_ns % 1000 != 0);

        if (limit_ns < 0)
                return NULL;
        if (limit_ns > most)
                us = most / 1000;
        limit->tv_sec = (long)(us / 1000000);
        limit->tv_usec = (long)(us % 1000000);
        return limit;
}

static int
hub_select_once(struct hub_select *hub, int64_t limit_ns)
{
        struct timeval limit;

        hub_select_fill(hub);
        return select(0, (fd_set *)(void *)hub->sets[HUB_SELECT_IN], (fd_set *)(void *)hub->sets[HUB_SELECT_OUT],
                      (fd_set *)(void *)hub->sets[HUB_SELECT_EXCEPT], hub_select_limit(limit_ns, &limit));
}

static int
hub_select_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct hub_select *hub = state;
        int64_t now = timeout_ns > 0 ? green__win32_clock() : 0;
        int64_t end = timeout_ns < INT64_MAX - now ? now + timeout_ns : INT64_MAX;
        int64_t left = timeout_ns;

        for (;;) {
                int n = hub_select_once(hub, left);
                bool woken = n > 0 && hub_select_note(hub);

                if (woken)
                        hub_select_woken(hub);
                if (n < 0 && WSAGetLastError() == WSAENOTSOCK) {
                        n = hub_select_find_closed(hub, events, max);
                        if (n > 0 || green__win32_check(hub->wake_in) != 0)
                                return n > 0 ? n : -EBADF;
                        continue; /* another OS thread has opened the number again */
                }
                if (n < 0)
                        return green__win32_error((unsigned long)WSAGetLastError());
                if (n > 0)
                        n = hub_select_collect(hub, events, max);
                if (n > 0 || woken || timeout_ns == 0)
                        return n;
                /* The system's clock for limits is coarse, and may be early. */
                if (timeout_ns > 0 && (left = end - green__win32_clock()) <= 0)
                        return 0;
        }
}

static int
hub_select_after_fork(void *state)
{
        (void)state;
        return -ENOSYS; /* there is no fork() */
}

static int
hub_select_describe(void *state, char *text, size_t len)
{
        const struct hub_select *hub = state;

        return snprintf(text, len, "select, %llu sockets", (unsigned long long)hub->table.count);
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
