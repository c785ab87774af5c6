/*
 * The items of a queue: a ring, a stack, or a binary heap, in one array that grows by doubling and shrinks by halves.
 */
#include <errno.h>
#include <string.h>

#include <green/alloc.h>

#include "queue_priv.h"

/* The smallest array there is: it is never shrunk. */
enum { LEAST = 8 };

static size_t
slot_size(const struct green__store *s)
{
        return s->kind == GREEN__STORE_HEAP ? sizeof(struct green__store_entry) : sizeof(void *);
}

/* Move to an array of so many slots, a power of two, which hold the items. */
static int
move(struct green__store *s, size_t room)
{
        size_t size = slot_size(s), first;
        void **items;

        if (room > SIZE_MAX / size)
                return -ENOMEM;
        if (s->kind != GREEN__STORE_RING) {
                void *array = green_realloc(s->items, room * size);

                if (array == NULL)
                        return -ENOMEM;
                s->items = array;
                s->room = room;
                return 0;
        }
        items = green_malloc(room * size);
        if (items == NULL)
                return -ENOMEM;
        first = s->room - s->head < s->count ? s->room - s->head : s->count;
        if (first > 0)
                memcpy(items, s->items + s->head, first * size);
        if (s->count > first)
                memcpy(items + first, s->items, (s->count - first) * size);
        green_free(s->items);
        s->items = items;
        s->room = room;
        s->head = 0;
        return 0;
}

int
green__store_reserve(struct green__store *s, size_t more)
{
        size_t room = s->room == 0 ? LEAST : s->room;

        if (more <= s->room - s->count)
                return 0;
        while (room - s->count < more) {
                if (room > SIZE_MAX / 2)
                        return -ENOMEM;
                room *= 2;
        }
        return move(s, room);
}

/* Where memory for the smaller array is missing the larger one will do. */
void
green__store_shrink(struct green__store *s)
{
        if (s->room > LEAST && s->count < s->room / 4)
                (void)move(s, s->room / 2);
}

/* ---- the heap */

static bool
comes_before(const struct green__store *s, const struct green__store_entry *a, const struct green__store_entry *b)
{
        int order = s->compare(a->item, b->item, s->compare_arg);

        return order < 0 || (order == 0 && a->number < b->number);
}

static void
heap_add(struct green__store *s, void *item)
{
        struct green__store_entry e = {item, s->number++};
        size_t i = s->count++;

        while (i > 0 && comes_before(s, &e, &s->heap[(i - 1) / 2])) {
                s->heap[i] = s->heap[(i - 1) / 2];
                i = (i - 1) / 2;
        }
        s->heap[i] = e;
}

static void *
heap_take(struct green__store *s)
{
        void *item = s->heap[0].item;
        struct green__store_entry last = s->heap[--s->count];
        size_t i = 0, child;

        while ((child = 2 * i + 1) < s->count) {
                if (child + 1 < s->count && comes_before(s, &s->heap[child + 1], &s->heap[child]))
                        child++;
                if (!comes_before(s, &s->heap[child], &last))
                        break;
                s->heap[i] = s->heap[child];
                i = child;
        }
        s->heap[i] = last;
        return item;
}

void
green__store_add_other(struct green__store *s, void *item)
{
        if (s->kind == GREEN__STORE_HEAP)
                heap_add(s, item);
        else
                s->items[s->count++] = item;
}

void *
green__store_take_other(struct green__store *s)
{
        return s->kind == GREEN__STORE_HEAP ? heap_take(s) : s->items[--s->count];
}
