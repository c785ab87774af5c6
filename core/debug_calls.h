/*
 * The calls that led to waits for descriptors and to deadlines, where that is wanted. Nothing is told of their end: of the
 * keys that are there, those count that still stand in a slot or in the heap. See debug_calls.c.
 */
#ifndef GREEN_DEBUG_CALLS_H
#define GREEN_DEBUG_CALLS_H

#include "hub_priv.h"

enum { GREEN__CALLS_LISTENERS = 1, GREEN__CALLS_TIMERS = 2 };

extern atomic_uint green__calls_wanted;

enum { GREEN__CALLS_KEPT = 12 };

struct green__calls {
        const void *key; /* the node, or the timer; NULL: free */
        unsigned began;  /* of the switching on that it was kept under */
        int count;
        const void *calls[GREEN__CALLS_KEPT];
};

void green__calls_take(struct green__hub *h, unsigned kind, const void *key);

/* A wait begins, or a deadline is set. */
static inline void
green__calls_keep(struct green__hub *h, unsigned kind, const void *key)
{
        if (green__unlikely(atomic_load_explicit(&green__calls_wanted, memory_order_relaxed) & kind))
                green__calls_take(h, kind, key);
}

/* Those of one that still waits; NULL: none were kept. */
const struct green__calls *green__calls_find(const struct green__hub *h, unsigned kind, const void *key);

void green__calls_free(struct green__hub *h);

#endif
