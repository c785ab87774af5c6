/*
 * A word before a process dies of a green thread's stack overflow. See <green/debug.h>.
 */
#ifndef GREEN_OVERFLOW_H
#define GREEN_OVERFLOW_H

#include <stdint.h>

#include "stack.h"

/* Install the handler of the process, unless it is there or was switched off. 0 or -errno. thread-safe. */
int green__overflow_install(void);

/*
 * Give this OS thread an alternate signal stack if it has none, since a full stack has no room for a handler.
 * *ret_altstack: for green__overflow_thread_fini(); NULL where it has one or none could be had.
 */
void green__overflow_thread_init(void **ret_altstack);
void green__overflow_thread_fini(void *altstack);

/*
 * Defined by the scheduler, async-signal-safe: the stack that runs on this OS thread, or NULL if it is no green
 * thread's; name and where of the green thread may be NULL.
 */
const struct green__stack *green__overflow_current(const char **name, const char **where, uint64_t *id);

/* ---- overflow_text.c: async-signal-safe */

/* Whose stack was too small. */
struct green__overflow_who {
        const char *name, *where; /* NULL: none */
        uint64_t id;
};

struct green__overflow_text {
        char bytes[512];
        size_t len;
};

void green__overflow_write(struct green__overflow_text *text, const struct green__stack *stack,
                           const struct green__overflow_who *who);

#endif
