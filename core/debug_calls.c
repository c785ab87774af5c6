/*
 * The calls that led to waits and deadlines. See debug_calls.h.
 *
 * A table by address. One whose wait has ended stays until its place is needed, by another at the same address or, when the
 * table is full, by any: then those that still wait are looked for, and the others go. Whoever waits while it is switched
 * on has an entry of that time, so one of an earlier time is an older wait's.
 */
#include "debug_calls.h"

#include <string.h>

#include "debug_priv.h"

atomic_uint green__calls_wanted;
static atomic_uint began[2]; /* by kind: how often it was switched on */

struct green__calls_table {
        size_t room; /* a power of two */
        size_t count;
        struct green__calls entries[];
};

enum { FIRST = 64 };

static unsigned
began_of(unsigned kind)
{
        return atomic_load_explicit(&began[kind - 1], memory_order_relaxed);
}

/* Where a key is, or would be. */
static struct green__calls *
place_of(struct green__calls_table *table, const void *key)
{
        size_t i = ((uintptr_t)key >> 4) * (size_t)0x9e3779b1u;

        for (;; i++) {
                struct green__calls *entry = &table->entries[i & (table->room - 1)];

                if (entry->key == key || entry->key == NULL)
                        return entry;
        }
}

static struct green__calls_table *
make(size_t room)
{
        struct green__calls_table *table = green_calloc(1, sizeof *table + room * sizeof table->entries[0]);

        if (table != NULL)
                table->room = room;
        return table;
}

/* ---- room for more */

struct move {
        struct green__calls_table *from, *to; /* to NULL: they are counted */
        size_t count;
};

static void
move_one(struct move *move, const void *key)
{
        const struct green__calls *entry = place_of(move->from, key);
        struct green__calls *to;

        if (entry->key == NULL)
                return;
        move->count++;
        if (move->to == NULL)
                return;
        to = place_of(move->to, key);
        move->to->count += to->key == NULL;
        *to = *entry;
}

static void
move_listener(void *arg, const struct green__listener *l)
{
        move_one(arg, l->node);
}

static void
move_live(struct green__hub *h, struct move *move)
{
        green__listeners_each(h, 0, move_listener, move);
        green__listeners_each(h, 1, move_listener, move);
        for (uint32_t i = 0; i < h->heap.count; i++)
                move_one(move, green__heap_timer(&h->heap, i));
        for (const struct green__watch *w = h->fresh.first; w != NULL; w = w->next)
                move_one(move, &w->timer);
}

/* False where there is no memory: the wait is kept without its calls. */
static bool
make_room(struct green__hub *h)
{
        struct move move = {.from = h->calls};
        size_t room = FIRST;

        if (h->calls != NULL && h->calls->count < h->calls->room / 4 * 3)
                return true;
        if (h->calls == NULL)
                return (h->calls = make(FIRST)) != NULL;
        move_live(h, &move);
        while (room < 2 * move.count + 2)
                room *= 2;
        move.to = make(room);
        if (move.to == NULL)
                return false;
        move_live(h, &move);
        green_free(h->calls);
        h->calls = move.to;
        return true;
}

/* ---- */

void
green__calls_take(struct green__hub *h, unsigned kind, const void *key)
{
        const void *calls[GREEN__CALLS_KEPT + 1];
        struct green__calls *entry;
        int n;

        if (!make_room(h))
                return;
        /* The first is this function. */
        n = green__walk_here(calls, GREEN__CALLS_KEPT + 1) - 1;
        entry = place_of(h->calls, key);
        h->calls->count += entry->key == NULL;
        entry->key = key;
        entry->began = began_of(kind);
        entry->count = n > 0 ? n : 0;
        memcpy(entry->calls, calls + 1, (size_t)entry->count * sizeof calls[0]);
}

const struct green__calls *
green__calls_find(const struct green__hub *h, unsigned kind, const void *key)
{
        const struct green__calls *entry;

        if (h->calls == NULL || !(atomic_load(&green__calls_wanted) & kind))
                return NULL;
        entry = place_of(h->calls, key);
        return entry->key != NULL && entry->began == began_of(kind) ? entry : NULL;
}

void
green__calls_free(struct green__hub *h)
{
        green_free(h->calls);
        h->calls = NULL;
}

static bool
want(unsigned kind, bool on)
{
        unsigned was;

        if (on) {
                was = atomic_load(&green__calls_wanted);
                if (was & kind)
                        return true;
                green__walk_prepare();
                atomic_fetch_add(&began[kind - 1], 1);
                was = atomic_fetch_or(&green__calls_wanted, kind);
        } else {
                was = atomic_fetch_and(&green__calls_wanted, ~kind);
        }
        return (was & kind) != 0;
}

bool
green_debug_hub_listener_stacks(bool on)
{
        return want(GREEN__CALLS_LISTENERS, on);
}

bool
green_debug_hub_timer_stacks(bool on)
{
        return want(GREEN__CALLS_TIMERS, on);
}
