/*
 * What a queue is made of. queue.c has the rules, queue_store.c the storage; select.c tries queues and waits in them.
 */
#ifndef GREEN_QUEUE_PRIV_H
#define GREEN_QUEUE_PRIV_H

#include <green/park.h>
#include <green/queue.h>

#include "misuse.h"

/* How items are kept. */
enum green__store_kind { GREEN__STORE_RING, GREEN__STORE_STACK, GREEN__STORE_HEAP };

/* An item of a heap, with a number that breaks ties. */
struct green__store_entry {
        void *item;
        uint64_t number;
};

/* The items of a queue. The array is made by the first one. */
struct green__store {
        enum green__store_kind kind;
        size_t count; /* items in it */
        size_t room;  /* slots of the array; 0, or a power of two */
        size_t head;  /* of a ring: the slot of the first item; of the others 0 */
        union {
                void **items; /* ring, stack */
                struct green__store_entry *heap;
        };
        uint64_t number; /* of a heap: that of the next item */
        green_queue_compare_fn compare;
        void *compare_arg;
};

/*
 * Nobody waits in `getters` while there is an item, nor in `putters` while there is room. Only of a channel may there
 * be a node in each, those of one green thread, in green_select().
 */
struct green_queue {
        uint64_t ident; /* whose it is */
        struct green_waitq getters;
        struct green_waitq putters; /* node->value is the item */
        size_t limit;               /* items it holds at most; SIZE_MAX: without end; 0: a channel */
        size_t unfinished;          /* of a joinable one: items that were put and are not done */
        bool joinable;
        bool closed; /* it was shut down */
        struct green__store store;
        struct green_waitq joiners;
        void (*free_item)(void *item);
};

/* ---- queue_store.c */

/* Make room for so many more items. -ENOMEM: nothing was done. */
int green__store_reserve(struct green__store *s, size_t more);

/* Give back what is not needed. There is room for one more item afterwards, as before. */
void green__store_shrink(struct green__store *s);

/* green__store_add() and green__store_take() for all but rings. */
void green__store_add_other(struct green__store *s, void *item);
void *green__store_take_other(struct green__store *s);

/* Add an item, for which there is room. */
static inline void
green__store_add(struct green__store *s, void *item)
{
        if (green__likely(s->kind == GREEN__STORE_RING))
                s->items[(s->head + s->count++) & (s->room - 1)] = item;
        else
                green__store_add_other(s, item);
}

/* Take the item whose turn it is; there is one. */
static inline void *
green__store_take(struct green__store *s)
{
        void *item;

        if (green__unlikely(s->kind != GREEN__STORE_RING))
                return green__store_take_other(s);
        item = s->items[s->head];
        s->head = (s->head + 1) & (s->room - 1);
        s->count--;
        return item;
}

/* ---- queue.c, for select.c. The queue is that of the calling OS thread. */

/* Put at once: 0, GREEN_EFULL, GREEN_ECLOSED, -ENOMEM. */
int green__queue_try_put(green_queue *q, void *item);

/* Get at once: 0, GREEN_EEMPTY, GREEN_ECLOSED. */
int green__queue_try_get(green_queue *q, void **ret_item);

/* Would those not say FULL, or EMPTY? */
static inline bool
green__queue_can_put(const green_queue *q)
{
        return q->closed || q->getters.first != NULL || q->store.count < q->limit;
}

static inline bool
green__queue_can_get(const green_queue *q)
{
        return q->closed || q->store.count > 0 || q->putters.first != NULL;
}

#endif
