/*
 * What hubs/poll.c and hubs/select.c share: the table of registered descriptors, and wake().
 * hubs/libevent.c has the wake descriptor of it only.
 *
 * Both hand the system a set of descriptors at each wait. The set holds those that somebody waits for; a one-shot
 * registration that has reported stays in the table and leaves the set, so that arming it again is a write to memory.
 */
#ifndef GREEN_HUB_LEVEL_H
#define GREEN_HUB_LEVEL_H

#include <green/hub.h>

/* A descriptor. */
struct green__level_entry {
        uint64_t token;
        uint32_t interest; /* as add() and modify() were told; 0: it is not registered */
        uint32_t at;       /* place in the hub's set; 0: it is not in it */
};

struct green__level {
        const struct green_hub_config *config; /* core's; outlives this */
        struct green__level_entry *entries;    /* by number */
        size_t room;                           /* numbers that there are entries for */
        size_t count;                          /* registered */
        int wake_in;                           /* readable after wake(); in the hub's set at all times */
        int wake_out;                          /* what wake() writes to; may be the same */
};

/* Empty, with a wake descriptor. 0 or -errno. */
int green__level_open(struct green__level *level, const struct green_hub_config *config);
void green__level_close(struct green__level *level);

/* In the child of a fork: empty, with a wake descriptor that is not the parent's. 0 or -errno; closed later either way. */
int green__level_after_fork(struct green__level *level);

/* The hub's wake(): async-signal-safe. */
int green__level_wake(struct green__level *level);
/* Takes the wakes that have come. */
void green__level_woken(struct green__level *level);

/*
 * The table's part of add(), modify() and remove(): checks, and returns the entry or NULL with the code in *ret_err.
 * The hub puts the descriptor into its set, or takes it out; a new entry's `at` is 0. Only add allocates.
 */
struct green__level_entry *green__level_add(struct green__level *level, green_fd fd, uint32_t interest, uint64_t token,
                                            int *ret_err);
struct green__level_entry *green__level_modify(struct green__level *level, green_fd fd, uint32_t interest,
                                               uint64_t token, int *ret_err);
/* The entry of a registered descriptor, or NULL. */
struct green__level_entry *green__level_find(const struct green__level *level, green_fd fd);
void green__level_forget(struct green__level *level, struct green__level_entry *entry);

static inline void
green__level_report(struct green_hub_event *event, uint64_t token, uint32_t events)
{
        event->token = token;
        event->events = events;
        event->reserved = 0;
        event->op = NULL;
}

#endif
