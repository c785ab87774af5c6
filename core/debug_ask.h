/*
 * Asking an OS thread from another one what it is in. One asks at a time, and nobody waits for ever.
 */
#ifndef GREEN_DEBUG_ASK_H
#define GREEN_DEBUG_ASK_H

#include "debug_priv.h"

struct green__asked {
        bool callback; /* hub context; then the next three are empty */
        uint64_t ident;
        const char *where;
        char name[64];
        int count;
        const void *calls[GREEN__CALLS_MAX]; /* the address it is at, then those that are returned to */
};

/* ---- debug_ask.c */

/* All but the calls. async-signal-safe, while the hub's OS thread stands still. */
void green__asked_fill(struct green__asked *asked, const struct green__hub *h);

/* ---- debug_ask_signal.c, debug_ask_win32.c */

/* The list of hubs is locked, so the OS thread is there. Good until the next call; NULL: there was no answer. */
const struct green__asked *green__ask(struct green__hub *h);

/* Start the OS thread that asks. It has all signals blocked: they are the application's. 0, or an errno value. */
int green__ask_begin(pthread_t *ret_thread, void *(*fn)(void *arg), void *arg);

/* There is none any more. */
void green__ask_end(void);
/* Likewise, in the child of a fork. */
void green__ask_after_fork(void);

#endif
