/*
 * The inside of green_poll(), for those who wait in the system's name: net/patch/.
 */
#ifndef GREEN_POLL_PRIV_H
#define GREEN_POLL_PRIV_H

#include <green/park.h>
#include <green/poll.h>

struct green__poll_wait {
        struct pollfd *fds;
        size_t n;
        /* Rows that are ready, of `count` as the system sees it; NULL: all of them. */
        int (*count)(void *arg, const struct pollfd *fds, size_t n, int count);
        void *arg;
        unsigned shared;          /* GREEN_SHARED: others may wait for the same; or 0 */
        struct green_waitq *also; /* woken there the wait ends with the code that was given; or NULL */
};

/* As green_poll(); revents are set where it is 0 or more. */
int green__poll_until_ready(const struct green__poll_wait *w, double timeout);

#endif
