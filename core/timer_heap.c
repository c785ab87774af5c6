/*
 * The heap of timers. See timer_priv.h.
 */
#include "timer_priv.h"

#include <errno.h>
#include <green/alloc.h>

#include "check.h"

enum { ARITY = 4, FIRST_CAPACITY = 64 };

static inline int
before(const struct green__heap_entry *a, const struct green__heap_entry *b)
{
        if (green__likely(a->deadline != b->deadline))
                return a->deadline < b->deadline;
        return a->timer->seq < b->timer->seq;
}

static inline void
place(struct green__heap_entry *entries, uint32_t i, struct green__heap_entry entry)
{
        entries[i] = entry;
        entry.timer->pos = i + 1;
}

static void
sift_up(struct green__heap_entry *entries, uint32_t i, struct green__heap_entry entry)
{
        while (i > 0) {
                uint32_t parent = (i - 1) / ARITY;

                if (!before(&entry, &entries[parent]))
                        break;
                place(entries, i, entries[parent]);
                i = parent;
        }
        place(entries, i, entry);
}

static void
sift_down(struct green__heap_entry *entries, uint32_t count, uint32_t i, struct green__heap_entry entry)
{
        for (;;) {
                uint32_t first = i * ARITY + 1;
                uint32_t end = first + ARITY < count ? first + ARITY : count;
                uint32_t least = first;

                if (first >= count)
                        break;
                for (uint32_t child = first + 1; child < end; child++)
                        if (before(&entries[child], &entries[least]))
                                least = child;
                if (!before(&entries[least], &entry))
                        break;
                place(entries, i, entries[least]);
                i = least;
        }
        place(entries, i, entry);
}

int
green__heap_promise(struct green__heap *heap, uint32_t n)
{
        uint32_t need = heap->promised + n;

        if (green__unlikely(need > heap->capacity)) {
                uint32_t capacity = heap->capacity == 0 ? FIRST_CAPACITY : heap->capacity;
                struct green__heap_entry *entries;

                while (capacity < need)
                        capacity *= 2;
                entries = green_realloc(heap->entries, capacity * sizeof(*entries));
                if (entries == NULL)
                        return -ENOMEM;
                heap->entries = entries;
                heap->capacity = capacity;
        }
        heap->promised = need;
        return 0;
}

void
green__heap_add(struct green__heap *heap, struct green__timer *timer, int64_t deadline)
{
        struct green__heap_entry entry = {deadline, timer};

        GREEN_DEBUG_ASSERT(timer->pos == 0);
        GREEN_DEBUG_ASSERT(heap->count < heap->capacity);
        timer->seq = heap->seq++;
        sift_up(heap->entries, heap->count++, entry);
}

void
green__heap_remove(struct green__heap *heap, struct green__timer *timer)
{
        struct green__heap_entry *entries = heap->entries;
        uint32_t i = timer->pos - 1;
        uint32_t last = --heap->count;

        GREEN_DEBUG_ASSERT(timer->pos != 0 && entries[i].timer == timer);
        timer->pos = 0;
        if (i == last)
                return;
        if (i > 0 && before(&entries[last], &entries[(i - 1) / ARITY]))
                sift_up(entries, i, entries[last]);
        else
                sift_down(entries, last, i, entries[last]);
}

void
green__heap_free(struct green__heap *heap)
{
        green_free(heap->entries);
        *heap = (struct green__heap){0};
}
