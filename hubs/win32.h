/*
 * What the hubs of Windows share (iocp.c, select_win32.c): codes, the clock, lists, a table by socket.
 *
 * A SOCKET is a handle: a number, but not a small one. So descriptors are looked up by a hash.
 */
#ifndef GREEN_HUB_WIN32_H
#define GREEN_HUB_WIN32_H

/* Before <windows.h>, which else brings the sockets of 1993. */
#include <winsock2.h>

#include <green/hub.h>

#include <windows.h>

/* An element of a ring-shaped list. */
struct green__win32_link {
        struct green__win32_link *next, *prev; /* both NULL: in no list */
};

/* What is in a table begins with this, and stays where it is while it is there. */
struct green__win32_node {
        green_fd fd;
};

struct green__win32_table {
        const struct green_hub_config *config;
        struct green__win32_node **places; /* room of them, a power of two, or 0; NULL: free */
        size_t room;
        size_t count; /* in use, at most half of them */
};

/* Has the process use sockets, once and for good: those of the program outlive the hub. 0 or -errno. */
int green__win32_start(void);

/* -errno for a code of GetLastError() or WSAGetLastError(); -EIO for one that nobody has thought of. */
int green__win32_error(unsigned long code);

/* Nanoseconds of a clock that never goes back. */
int64_t green__win32_clock(void);
/* Milliseconds for a wait, rounded up; INFINITE for a limit below 0. A long one is cut: whoever waits looks at the clock.
 */
DWORD green__win32_milliseconds(int64_t limit_ns);

/* 0; -EBADF: it is not open; -EPERM: a file, which is always ready; -ENOTSOCK: another handle. */
int green__win32_check(green_fd fd);

struct green__win32_node *green__win32_find(const struct green__win32_table *table, green_fd fd);
/* Room for one more. 0 or -ENOMEM. After it green__win32_put() has a place. */
int green__win32_reserve(struct green__win32_table *table);
/* Its descriptor is not there. */
void green__win32_put(struct green__win32_table *table, struct green__win32_node *node);
/* It is there. */
void green__win32_take(struct green__win32_table *table, const struct green__win32_node *node);
/* Gives the table back, and what is in it to free(): it was allocated with the node in front. */
void green__win32_clear(struct green__win32_table *table);

static inline void
green__win32_list_init(struct green__win32_link *list)
{
        list->next = list->prev = list;
}

static inline bool
green__win32_list_empty(const struct green__win32_link *list)
{
        return list->next == list;
}

static inline void
green__win32_append(struct green__win32_link *list, struct green__win32_link *link)
{
        link->prev = list->prev;
        link->next = list;
        list->prev->next = link;
        list->prev = link;
}

/* Fine for one in no list. */
static inline void
green__win32_unlink(struct green__win32_link *link)
{
        if (link->next == NULL)
                return;
        link->prev->next = link->next;
        link->next->prev = link->prev;
        link->next = link->prev = NULL;
}

static inline void
green__win32_report(struct green_hub_event *event, uint64_t token, uint32_t events)
{
        event->token = token;
        event->events = events;
        event->reserved = 0;
        event->op = NULL;
        event->buffer = NULL;
}

#endif
