/*
 * The inside of green pools, for what is built on them: mappings (imap.c) and piles (greenpile.c), which share the way
 * results come in order (results.c).
 */
#ifndef GREEN_GREENPOOL_PRIV_H
#define GREEN_GREENPOOL_PRIV_H

#include <green/greenpool.h>
#include <green/park.h>
#include <green/task.h>

#include "fork.h"
#include "misuse.h"
#include "pool_list.h"

/* One task, from its spawn until its slot is free; where the result is kept, until somebody has that. */
struct green__pool_task {
        struct green_task task; /* first: core leads here from the green thread */
        green_greenpool *pool;
        struct green__pool_task *next,
                *prev;   /* among those that run, in the order of their starts; next: among the spare ones */
        uint64_t serial; /* of its start */
        uint64_t round;  /* the last green_greenpool_kill() that was told to it */
        /* Takes how it ended, and the record too. NULL: nobody keeps it. */
        void (*ended)(struct green__pool_task *t, int code, void *result);
        void *owner;                    /* of `ended`: an imap or a pile; NULL: that has gone */
        struct green__pool_task *after; /* the next in order */
        void *value;                    /* the input's item; once it is done the result, or NULL */
        void (*drop)(void *result);     /* of a pile: takes a result that nobody has got */
        int code;                       /* once it is done */
        bool done;
        bool begun; /* its function has the item */
};

struct green_greenpool {
        /* Touched by every spawn and every end. */
        uint64_t ident; /* whose it is */
        size_t size;    /* slots; fewer than are taken after a shrinking resize */
        size_t running; /* slots that are taken. While somebody waits, at least `size` */
        struct green_waitq spawners;
        struct green__pool_task *spare; /* records to use again */
        struct green__pool_task *first, *last;
        uint64_t serial; /* of the next start */
        unsigned forks;  /* green__sync_forks when `handed` and `inside` were right */

        size_t spares;
        size_t handed;           /* of running: slots without a task, whose owners are about to start one */
        size_t inside;           /* callers that will look at the pool when they have given up to wait */
        size_t users;            /* imaps and piles */
        uint64_t rounds;         /* of green_greenpool_kill() */
        struct green_waitq idle; /* green_greenpool_waitall() */
        bool doomed;             /* to be freed by the last that has to do with it */
        struct green__listed listed;
};

/* ---- greenpool.c */

/* A record for a task; NULL where memory ran out. And back. */
struct green__pool_task *green__greenpool_record(green_greenpool *p);
void green__greenpool_put_record(green_greenpool *p, struct green__pool_task *t);

/* Is it a task of the pool? */
bool green__greenpool_has(const green_greenpool *p, const green_thread *gt);

/* The full pool's task that calls is to run the function itself. */
enum { GREEN__RUN_HERE = 1 };

/* Take a slot, after the checks of every call; may wait. 0, GREEN__RUN_HERE, or why not. */
int green__greenpool_enter(green_greenpool *p);

/* Take a slot if one is free. */
bool green__greenpool_try(green_greenpool *p);

/* Wait for a slot of a full pool, in a place that others may take it out of by waking it. */
int green__greenpool_wait(green_greenpool *p, struct green_wait *waits, size_t n, double timeout, size_t *ret_index);

/* Start a task in a slot that was taken. -ENOMEM: neither slot nor record are used up. */
int green__greenpool_start(green_greenpool *p, struct green__pool_task *t, green_thread_fn fn, void *arg,
                           const char *where, green_thread **ret_gt);

/* Give back a slot that was taken and not used. */
void green__greenpool_give(green_greenpool *p);

/* An imap or a pile begins to use it, or has ended. The second may free it. */
static inline void
green__greenpool_use(green_greenpool *p)
{
        p->users++;
}
void green__greenpool_leave(green_greenpool *p, bool doom);

/* ---- results.c */

/* Results that come in an order: records, the first to come first, and the one that waits for the first. */
struct green__results {
        struct green__pool_task *first, *last;
        size_t count;
        struct green_waitq getter; /* its node is the head of a struct green__getter */
};

/* What a getter is woken with: wait.user. Before, whether it could run an item itself. */
enum green__got { GREEN__WAITS, GREEN__WAITS_IN_TASK, GREEN__GOT, GREEN__GOT_ITEM, GREEN__GOT_END };

struct green__getter {
        struct green_wait wait;
        int code;     /* of the task that failed; or of the input */
        void *result; /* or an item to run */
};

void green__results_add(struct green__results *r, struct green__pool_task *t);

/* The first, out of the order; there is one. */
struct green__pool_task *green__results_take(struct green__results *r);

/* If the first is done and somebody waits, hand it over. */
bool green__results_hand(struct green__results *r, green_greenpool *p);

/* The one that waits, if there is one, gets this. */
bool green__results_wake(struct green__results *r, enum green__got what, int code, void *result);

/* The first is done: it is the caller's. 1. */
int green__results_get(struct green__results *r, green_greenpool *p, void **ret_result);

/* What a call returns that was woken with a result. 1. */
static inline int
green__results_give(int code, void *result, void **ret_result)
{
        *ret_result = code == 0 ? result : green_fail(code);
        return 1;
}

#endif
