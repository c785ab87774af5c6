/*
 * The heap of timers. See timer_priv.h.
 */
#include "timer_priv.h"

#include <errno.h>
#include <green/alloc.h>
#include <string.h>

enum { ARITY = GREEN__HEAP_ARITY, FIRST_CAPACITY = 64, CACHE_LINE = 64 };

_Static_assert(sizeof(struct green__heap_entry) * ARITY == CACHE_LINE, "four children fill a cache line");

static inline int
before(const struct green__heap_entry *a, const struct green__heap_entry *b)
{
        if (green__likely(a->deadline != b->deadline))
                return a->deadline < b->deadline;
        return (int32_t)(a->seq - b->seq) < 0;
}

static inline void
place(struct green__heap *heap, uint32_t i, struct green__heap_entry entry)
{
        heap->entries[i] = entry;
        heap->at[entry.id] = i;
}

static void
sift_up(struct green__heap *heap, uint32_t i, struct green__heap_entry entry)
{
        while (i > 0) {
                uint32_t parent = (i - 1) / ARITY;

                if (!before(&entry, &heap->entries[parent]))
                        break;
                place(heap, i, heap->entries[parent]);
                i = parent;
        }
        place(heap, i, entry);
}

static void
sift_down(struct green__heap *heap, uint32_t i, struct green__heap_entry entry)
{
        const struct green__heap_entry *entries = heap->entries;

        for (;;) {
                uint32_t first = i * ARITY + 1;
                uint32_t end = first + ARITY < heap->count ? first + ARITY : heap->count;
                uint32_t least = first;

                if (first >= heap->count)
                        break;
                /* The next step down needs one of these lines. Past the end they are fetched in vain and without harm. */
                for (uint32_t child = 0; child < ARITY; child++)
                        __builtin_prefetch(&entries[(first + child) * ARITY + 1]);
                for (uint32_t child = first + 1; child < end; child++)
                        if (before(&entries[child], &entries[least]))
                                least = child;
                if (!before(&entries[least], &entry))
                        break;
                place(heap, i, entries[least]);
                if (i <= ARITY)
                        __builtin_prefetch(heap->timers[entries[i].id]);
                else if (i <= ARITY * (ARITY + 1))
                        __builtin_prefetch(&heap->timers[entries[i].id]);
                i = least;
        }
        place(heap, i, entry);
}

/* Where the entries begin in their memory: the children of the first one, and so all brothers, fill a cache line. */
static struct green__heap_entry *
align(void *memory)
{
        uintptr_t line = ((uintptr_t)memory + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1);

        return (struct green__heap_entry *)(line + CACHE_LINE - sizeof(struct green__heap_entry));
}

int
green__heap_grow(struct green__heap *heap, uint32_t need)
{
        uint32_t capacity = heap->capacity == 0 ? FIRST_CAPACITY : heap->capacity;
        struct green__timer **timers;
        void *memory;
        uint32_t *at;

        while (capacity < need)
                capacity *= 2;
        at = green_realloc(heap->at, (capacity + 1) * sizeof(*at));
        if (at == NULL)
                return -ENOMEM;
        heap->at = at;
        timers = green_realloc(heap->timers, (capacity + 1) * sizeof(*timers));
        if (timers == NULL)
                return -ENOMEM;
        heap->timers = timers;
        memory = green_malloc(capacity * sizeof(*heap->entries) + 2 * CACHE_LINE);
        if (memory == NULL)
                return -ENOMEM;
        if (heap->count > 0)
                memcpy(align(memory), heap->entries, heap->count * sizeof(*heap->entries));
        green_free(heap->memory);
        heap->memory = memory;
        heap->entries = align(memory);
        for (uint32_t id = capacity; id > heap->capacity; id--) {
                heap->at[id] = heap->free_id;
                heap->free_id = id;
        }
        heap->capacity = capacity;
        return 0;
}

void
green__heap_add(struct green__heap *heap, struct green__timer *timer, int64_t deadline)
{
        uint32_t id = heap->free_id;
        struct green__heap_entry entry = {deadline, id, heap->seq++};

        GREEN_DEBUG_ASSERT(timer->id == 0 && id != 0);
        heap->free_id = heap->at[id];
        heap->timers[id] = timer;
        timer->id = id;
        sift_up(heap, heap->count++, entry);
}

/*
 * Where there are many, a timer is in no cache when its time comes. So it is fetched as it rises to the first: its address
 * two steps below, itself one step below. It is not touched before it has left.
 */
struct green__timer *
green__heap_pop(struct green__heap *heap)
{
        uint32_t id = heap->entries[0].id;
        struct green__timer *timer = heap->timers[id];
        uint32_t last = --heap->count;

        if (last > 0)
                sift_down(heap, 0, heap->entries[last]);
        heap->at[id] = heap->free_id;
        heap->free_id = id;
        timer->id = 0;
        return timer;
}

void
green__heap_remove(struct green__heap *heap, struct green__timer *timer)
{
        const struct green__heap_entry *entries = heap->entries;
        uint32_t i = heap->at[timer->id];
        uint32_t last = --heap->count;

        GREEN_DEBUG_ASSERT(timer->id != 0 && entries[i].id == timer->id);
        heap->at[timer->id] = heap->free_id;
        heap->free_id = timer->id;
        timer->id = 0;
        if (i == last)
                return;
        if (i > 0 && before(&entries[last], &entries[(i - 1) / ARITY]))
                sift_up(heap, i, entries[last]);
        else
                sift_down(heap, i, entries[last]);
}

/* Let an entry sink among the first n, as in a heap of two children with the last to expire on top. */
static void
sink(struct green__heap_entry *entries, uint32_t i, uint32_t n)
{
        struct green__heap_entry entry = entries[i];

        for (;;) {
                uint32_t child = 2 * i + 1;

                if (child >= n)
                        break;
                if (child + 1 < n && before(&entries[child], &entries[child + 1]))
                        child++;
                if (!before(&entry, &entries[child]))
                        break;
                entries[i] = entries[child];
                i = child;
        }
        entries[i] = entry;
}

/* In place, since memory may be what there is none of. What is in order is a heap of any number of children. */
void
green__heap_sort(struct green__heap *heap)
{
        struct green__heap_entry *entries = heap->entries;

        for (uint32_t i = heap->count / 2; i > 0; i--)
                sink(entries, i - 1, heap->count);
        for (uint32_t n = heap->count; n > 1; n--) {
                struct green__heap_entry last = entries[0];

                entries[0] = entries[n - 1];
                entries[n - 1] = last;
                sink(entries, 0, n - 1);
        }
        for (uint32_t i = 0; i < heap->count; i++)
                heap->at[entries[i].id] = i;
}

void
green__heap_free(struct green__heap *heap)
{
        green_free(heap->memory);
        green_free(heap->at);
        green_free(heap->timers);
        *heap = (struct green__heap){0};
}
