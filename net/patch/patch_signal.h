/*
 * Between patch_signal.c, which stands between the system and the signal handlers of patched code, and patch_wait.c.
 */
#ifndef GREEN_PATCH_SIGNAL_H
#define GREEN_PATCH_SIGNAL_H

#include <stdatomic.h>

#include "patch_priv.h"

extern atomic_bool green__patch_has_handlers;

/* Has patched code ever set a handler? */
static inline bool
green__patch_handlers(void)
{
        return atomic_load_explicit(&green__patch_has_handlers, memory_order_relaxed);
}

/* patch_signal.c: run the handler of a signal that was put off, in a green thread. GREEN__PATCH_... bits. */
unsigned green__patch_run_handler(int sig);

/* patch_wait.c: is there a wait that the signal shall end? Then it is told. Async-signal-safe. */
bool green__patch_defer(int sig);

/* patch_wait.c: after a fork, in the child, or another hub: what was on its way will not come, and those who waited are gone. */
void green__patch_away_forget(void);

/* patch_poll.c: the same of masks of signals. */
void green__patch_masks_forget(void);

#endif
