/*
 * What the files of the libevent hub share; libevent.c has its beginning.
 */
#ifndef GREEN_HUB_LIBEVENT_H
#define GREEN_HUB_LIBEVENT_H

#include "level.h"

#include <event2/event.h>
#include <event2/event_struct.h>

enum {
        HUB_LIBEVENT_CHUNK = 64 /* entries that are allocated together */
};

/* A descriptor. Its event lies in libevent's lists, so it never moves. */
struct hub_libevent_entry {
        struct event event;
        struct hub_libevent *hub;
        uint64_t token;
        uint32_t interest; /* 0: not registered */
        uint32_t round;    /* the wait() that found it last */
        int at;            /* and where in core's array */
};

struct hub_libevent {
        const struct green_hub_config *config; /* core's; outlives this */
        struct event_base *base;
        bool own;                  /* the base is freed with this */
        struct green__level level; /* wake descriptor; its table is not used */
        struct event wake;
        struct event limit; /* of a wait() */
        int limit_fd;       /* timerfd; -1 where limits are libevent's timers */
        int64_t limit_at;   /* when it goes off; in the past: it is not set */
        struct event turn;  /* called when all that was found with it has been called: ends the round */
        bool turn_queued;
        bool turn_again; /* it is the first in the queue, and goes to its end */
        struct hub_libevent_entry **chunks;
        size_t nchunks;
        size_t count; /* registered descriptors */
        /* Of the wait() that runs. */
        struct green_hub_event *events;
        int max, found;
        uint32_t round;
};

/* libevent_fd.c: descriptors. The first three are the hub's functions of these names. */
int green__libevent_add(void *state, green_fd fd, uint32_t interest, uint64_t token);
int green__libevent_modify(void *state, green_fd fd, uint32_t interest, uint64_t token);
int green__libevent_remove(void *state, green_fd fd);
void green__libevent_drop(struct hub_libevent *hub, struct hub_libevent_entry *entry);
/* 0 if it can be waited for; -EPERM if it is of a kind that is always ready; -EBADF. */
int green__libevent_check(green_fd fd);
/* libevent's callback for all of them. */
void green__libevent_ready(evutil_socket_t fd, short what, void *arg);

/* libevent_list.c: the hub's list(). */
void green__libevent_list(void *state, void (*line)(void *arg, const char *text), void *arg);

/* libevent.c */
void green__libevent_end_round(struct hub_libevent *hub);
int64_t green__libevent_now(void);

#endif
