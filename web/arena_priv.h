/*
 * Memory that is given back all at once: what a request needs beside its buffers.
 */
#ifndef GREEN_ARENA_PRIV_H
#define GREEN_ARENA_PRIV_H

#include <stddef.h>

struct green__arena_block;

/* All zero: empty. */
struct green__arena {
        struct green__arena_block *blocks; /* the newest first */
        char *at, *end;                    /* what is left of it */
};

/* Aligned for anything; NULL: no memory. */
void *green__arena_alloc(struct green__arena *a, size_t size);

/* A copy with a NUL behind. */
char *green__arena_copy(struct green__arena *a, const void *text, size_t len);

/* Let go of all that was given; one block is kept for the next time. */
void green__arena_reset(struct green__arena *a);
void green__arena_end(struct green__arena *a);

#endif
