/*
 * The pool of stacks of one OS thread, where a stack belongs to a fiber. See stack.h.
 *
 * Making one can fail, so it is done when it is promised: there are no virgin ones. The system guards them and makes them
 * larger as they are used, and it never makes one smaller: memory is given back by freeing whole fibers, of those that
 * were not needed during the last second a sixteenth at a time.
 */
#include <config.h>

#include "stack.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <windows.h>

#include <green/alloc.h>
#include <green/error.h>

#include "hub_priv.h"

enum {
        STACK_DEFAULT = 256 * 1024,
        STACK_MIN = 32 * 1024, /* what the system takes of it for exceptions included */
        GRAIN = 64 * 1024,     /* address space comes in pieces of this */
        HOT = 32,              /* free fibers that are kept whatever happens */
        FREE_BATCH = 16,       /* fibers freed at once */
        SIZED_KEEP = 8,        /* free ones of other sizes */
};

#define EPOCH INT64_C(1000000000)
#define AGAIN UINT64_C(10000000) /* nanoseconds until the next call while there is more to do */

/* One fiber. The free ones of other sizes are in the pool's `fresh`, the one that was given last first. */
struct green__slab {
        struct green__stack stack;
        struct green__fiber fiber;
        struct green__slab *next; /* all of the pool */
        struct green__slab **at;  /* what points to this one there */
        struct green__slab *free; /* sized ones: the one that was given back before */
        size_t asked;             /* bytes asked of the system */
};

static struct green__slab *
slab_of(const struct green__stack *stack)
{
        return (struct green__slab *)(uintptr_t)stack;
}

/* What to ask the system for. 0: too large. */
static size_t
stack_len(size_t size)
{
        if (size > SIZE_MAX / 4 || size >> 12 > UINT32_MAX / 2)
                return 0;
        return ((size < STACK_MIN ? STACK_MIN : size) + GRAIN - 1) / GRAIN * GRAIN;
}

static struct green__slab *
slab_new(struct green__stack_pool *pool, size_t len)
{
        struct green__slab *slab = green_malloc(sizeof(*slab));

        if (slab == NULL)
                return NULL;
        if (green__fiber_make(&slab->fiber, len) != 0) {
                green_free(slab);
                return NULL;
        }
        slab->asked = len;
        slab->free = NULL;
        slab->stack = (struct green__stack){.hi = slab->fiber.hi, .birth = &slab->fiber, .born = 1, .guarded = 1};
        slab->stack.len4k = (uint32_t)((size_t)(slab->fiber.hi - slab->fiber.lo) >> 12);
        slab->next = pool->slabs;
        slab->at = &pool->slabs;
        if (slab->next != NULL)
                slab->next->at = &slab->next;
        pool->slabs = slab;
        pool->mapped += (size_t)slab->stack.len4k << 12;
        return slab;
}

static void
slab_free(struct green__stack_pool *pool, struct green__slab *slab)
{
        *slab->at = slab->next;
        if (slab->next != NULL)
                slab->next->at = slab->at;
        pool->mapped -= (size_t)slab->stack.len4k << 12;
        green__fiber_free(&slab->fiber);
        green_free(slab);
}

/* ---- taking and giving ---- */

/* Room in free for every stack, so that giving one back cannot fail. */
static int
make_room(struct green__stack_pool *pool)
{
        if (pool->total < pool->room)
                return 0;
        size_t room = pool->room * 2 > 64 ? pool->room * 2 : 64;
        struct green__stack **list = green_realloc(pool->free, room * sizeof(*list));
        if (list == NULL)
                return -ENOMEM;
        pool->free = list;
        pool->room = room;
        return 0;
}

int
green__stack_reserve_more(struct green__stack_pool *pool)
{
        struct green__slab *slab = make_room(pool) == 0 ? slab_new(pool, pool->size) : NULL;

        if (slab == NULL)
                return -ENOMEM;
        pool->total++;
        pool->free[pool->count++] = &slab->stack;
        return 0;
}

/* All were born when they were promised. */
struct green__stack *
green__stack_take_unborn(struct green__stack_pool *pool, struct green__stack *stack)
{
        (void)pool;
        GREEN_ASSERT(stack != NULL && stack->born);
        return stack;
}

static struct green__slab *
take_free_sized(struct green__stack_pool *pool, size_t len)
{
        struct green__slab **at = &pool->fresh;

        while (*at != NULL && (*at)->asked != len)
                at = &(*at)->free;
        struct green__slab *slab = *at;
        if (slab != NULL) {
                *at = slab->free;
                pool->sized_count--;
        }
        return slab;
}

struct green__stack *
green__stack_take_sized(struct green__stack_pool *pool, size_t size)
{
        size_t len = stack_len(size);
        struct green__slab *slab;

        if (len != 0 && len == pool->size) {
                int err = green__stack_reserve(pool);

                if (err == 0)
                        return green__stack_take(pool);
                errno = -err;
                return NULL;
        }
        slab = len == 0 ? NULL : take_free_sized(pool, len);
        if (len != 0 && slab == NULL)
                slab = slab_new(pool, len);
        if (slab == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        slab->stack.sized = 1;
        pool->in_use++;
        return &slab->stack;
}

/* Nothing is freed here: the caller may run on it. */
void
green__stack_give_sized(struct green__stack_pool *pool, struct green__stack *stack)
{
        struct green__slab *slab = slab_of(stack);

        slab->free = pool->fresh;
        pool->fresh = slab;
        pool->sized_count++;
}

/* ---- giving back to the system ---- */

/* The one that was given last stays: somebody may still be leaving it. */
static void
shrink_sized(struct green__stack_pool *pool, size_t keep)
{
        struct green__slab **at = &pool->fresh;

        for (size_t i = 0; *at != NULL && i < keep; i++)
                at = &(*at)->free;
        while (*at != NULL) {
                struct green__slab *slab = *at;

                *at = slab->free;
                pool->sized_count--;
                slab_free(pool, slab);
        }
}

/* So many at the bottom of the free list. */
static void
free_bottom(struct green__stack_pool *pool, size_t n)
{
        for (size_t i = 0; i < n; i++)
                slab_free(pool, slab_of(pool->free[i]));
        pool->count -= n;
        pool->total -= n;
        memmove(pool->free, pool->free + n, pool->count * sizeof(pool->free[0]));
        pool->low = pool->low > n ? pool->low - n : 0;
}

/* pool->idle: not needed during the last epoch. pool->bare_goal: of these, so many are still to be freed in this one. */
uint64_t
green__stack_pool_trim(struct green__stack_pool *pool)
{
        uint64_t now = (uint64_t)green__clock_monotonic();
        size_t spare = pool->low > HOT ? pool->low - HOT : 0, n;

        if (now - pool->epoch >= EPOCH) {
                shrink_sized(pool, SIZED_KEEP);
                pool->idle = pool->epoch == 0 ? 0 : spare;
                pool->bare_goal = (pool->idle + 15) / 16;
                pool->low = pool->count;
                pool->epoch = now;
        }
        n = pool->bare_goal < FREE_BATCH ? pool->bare_goal : FREE_BATCH;
        if (pool->count < pool->reserved + HOT + n)
                n = pool->bare_goal = 0;
        free_bottom(pool, n);
        pool->bare_goal -= n;
        if (pool->bare_goal != 0)
                return AGAIN;
        return pool->count > pool->reserved + HOT ? EPOCH - (now - pool->epoch) : 0;
}

/* ---- the pool ---- */

int
green__stack_pool_init(struct green__stack_pool *pool, size_t size)
{
        size_t len = stack_len(size != 0 ? size : STACK_DEFAULT);
        int err;

        *pool = (struct green__stack_pool){.size = len, .way = GREEN__BIRTH_FIBER};
        if (len == 0)
                return green_set_error(-EINVAL, "a stack of %zu bytes is too large", size);
        err = green__fiber_thread_begin(&pool->made_fiber);
        if (err != 0)
                return green_set_error(err, "the OS thread cannot become a fiber");
        /* Shows that there can be one. */
        err = green__stack_reserve_more(pool);
        if (err != 0) {
                green_set_error(err, "no room for stacks of %zu bytes", len);
                green__stack_pool_fini(pool);
        }
        return err;
}

void
green__stack_pool_fini(struct green__stack_pool *pool)
{
        bool made_fiber = pool->made_fiber;

        while (pool->slabs != NULL)
                slab_free(pool, pool->slabs);
        green_free(pool->free);
        *pool = (struct green__stack_pool){0};
        if (made_fiber)
                green__fiber_thread_end();
}

/* ---- facts ---- */

char *
green__stack_lo(const struct green__stack *stack)
{
        return stack->hi - ((size_t)stack->len4k << 12);
}

/* Where the system has it, and how large it is, is its own affair. */
size_t
green__stack_guard(const struct green__stack *stack)
{
        (void)stack;
        return 0;
}

size_t
green__stack_size(const struct green__stack *stack)
{
        return (size_t)stack->len4k << 12;
}

/* From the top down to the page that is the guard now; above it all is there. */
size_t
green__stack_used(const struct green__stack *stack)
{
        const char *at = green__stack_lo(stack);
        MEMORY_BASIC_INFORMATION part;

        while (at < stack->hi && VirtualQuery(at, &part, sizeof part) == sizeof part &&
               (part.State != MEM_COMMIT || (part.Protect & (PAGE_GUARD | PAGE_NOACCESS)) != 0))
                at = (const char *)part.BaseAddress + part.RegionSize;
        return at < stack->hi ? (size_t)(stack->hi - at) : 0;
}

void
green__stack_pool_facts(const struct green__stack_pool *pool, struct green__stack_facts *ret_facts)
{
        *ret_facts = (struct green__stack_facts){
                .stack_size = pool->size,
                .mapped = pool->mapped,
                .in_use = pool->in_use,
                .pooled = pool->count + pool->sized_count,
                .guard = "system",
                .birth = "fiber",
        };
}
