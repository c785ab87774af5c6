/*
 * Timers: a 4-ary heap of (deadline, number) pairs. The pairs lie side by side and the four children of a pair in one
 * cache line; where each number stands is in an array of its own. So a sift touches nothing but these two, however many
 * stacks and control blocks the timers are spread over. Removal is real and immediate. Equal deadlines fire in the order
 * they were set.
 */
#ifndef GREEN_TIMER_PRIV_H
#define GREEN_TIMER_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "check.h"

/* What a timer is part of, and so what is to be done when it expires. */
enum green__timer_kind {
        GREEN__TIMER_PARK,  /* green_thread.timer: the time limit of a wait */
        GREEN__TIMER_SLEEP, /* green_thread.timer: the end of green_sleep() */
        GREEN__TIMER_START, /* green_thread.timer: the start of spawn_after */
        GREEN__TIMER_SCOPE, /* green__scope.timer: a timeout */
        GREEN__TIMER_CALL,  /* green_timer.timer: a callback */
        GREEN__TIMER_WATCH, /* green__watch.timer: the deadline of a watch */
};

struct green__timer {
        uint32_t id;   /* its number in the heap; 0: not pending */
        uint32_t kind; /* enum green__timer_kind */
};

/* Children of an entry: those of entry i are i * GREEN__HEAP_ARITY + 1 and on. */
enum { GREEN__HEAP_ARITY = 4 };

struct green__heap_entry {
        int64_t deadline; /* nanoseconds of the hub's clock */
        uint32_t id;
        uint32_t seq; /* breaks ties; it may wrap */
};

struct green__heap {
        struct green__heap_entry *entries; /* the second one begins a cache line */
        uint32_t *at;                      /* by number: index in entries; of a free number, the next free one */
        struct green__timer **timers;      /* by number */
        void *memory;                      /* what entries lies in */
        uint32_t count;
        uint32_t capacity;
        uint32_t promised; /* places that green threads and watches may take without asking */
        uint32_t free_id;  /* first free number; 0: none */
        uint32_t seq;
};

/* Deadlines at or after this are never reached. */
#define GREEN__NEVER INT64_MAX

/* Make room for so many. 0 or -ENOMEM. */
int green__heap_grow(struct green__heap *heap, uint32_t need);

/* Promise n more places: whoever holds a promise may add a timer without fail. 0 or -ENOMEM. */
static inline int
green__heap_promise(struct green__heap *heap, uint32_t n)
{
        uint32_t need = heap->promised + n;

        if (green__unlikely(need > heap->capacity)) {
                int rc = green__heap_grow(heap, need);

                if (rc != 0)
                        return rc;
        }
        heap->promised = need;
        return 0;
}

/* Take promises back. */
static inline void
green__heap_unpromise(struct green__heap *heap, uint32_t n)
{
        heap->promised -= n;
}

/* Add a timer that is not pending and whose place was promised. */
void green__heap_add(struct green__heap *heap, struct green__timer *timer, int64_t deadline);

/* Take the first one out; there is one. */
struct green__timer *green__heap_pop(struct green__heap *heap);

/* Take a pending timer out. */
void green__heap_remove(struct green__heap *heap, struct green__timer *timer);

/* Take a timer out if it is pending. */
static inline void
green__heap_drop(struct green__heap *heap, struct green__timer *timer)
{
        if (timer->id != 0)
                green__heap_remove(heap, timer);
}

/* When the first expires; GREEN__NEVER if there is none. */
static inline int64_t
green__heap_first(const struct green__heap *heap)
{
        return heap->count == 0 ? GREEN__NEVER : heap->entries[0].deadline;
}

/* The timer at an index, 0 being the first to expire; the order of the others is nobody's business. */
static inline struct green__timer *
green__heap_timer(const struct green__heap *heap, uint32_t index)
{
        return heap->timers[heap->entries[index].id];
}

/* Put the entries in order, the next to expire first; it stays a heap. */
void green__heap_sort(struct green__heap *heap);

void green__heap_free(struct green__heap *heap);

#endif
