/*
 * Giving back memory of stacks that are not needed.
 *
 * A second of scheduling is an epoch. Stacks are taken from the top of the free list and given back there, so if it
 * never held less than n during an epoch, nobody needed the n at its bottom. In the epoch that follows these keep one
 * or two pages, and a sixteenth of those that are not yet bare loses these too: after a peak memory falls by half
 * every ten seconds. A program whose green threads come and go in waves of a second or less pays nothing.
 *
 * Whether a stack was used deeply is not asked: asking costs more than giving back nothing, several at once.
 */
#include <config.h>

#include "stack.h"

#include <time.h>

#include "madvise_many.h"
#include "stack_map.h"

#define EPOCH UINT64_C(1000000000)
#define AGAIN UINT64_C(10000000) /* until the next call while there is more to do */

enum { HOT = 32 }; /* free stacks that keep all they have */

static uint64_t
coarse_clock(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
        clockid_t clock = CLOCK_MONOTONIC_COARSE;
#else
        clockid_t clock = CLOCK_MONOTONIC;
#endif
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static size_t
min(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* What a free stack can do without: all of it, or all but the parked boot function's page and one below it. */
static struct iovec
spare(const struct green__stack *stack, bool all)
{
        size_t page = green__page_size();
        char *lo = green__stack_lo(stack) + green__stack_guard(stack);
        char *hi = all ? stack->hi : (char *)((uintptr_t)stack->birth & ~(page - 1)) - page;

        return (struct iovec){lo, hi > lo ? (size_t)(hi - lo) : 0};
}

static void
drop(struct green__stack_pool *pool, size_t from, size_t to, bool all)
{
        struct iovec ranges[GREEN__MADVISE_MAX];
        size_t n = 0;

        for (size_t i = from; i < to; i++) {
                ranges[n++] = spare(pool->free[i], all);
                if (all)
                        pool->free[i]->born = 0;
        }
        green__pages_drop(ranges, n);
}

static void
drop_sized(const struct green__stack *stack)
{
        struct iovec range = spare(stack, false);

        green__pages_drop(&range, 1);
}

static void
begin_epoch(struct green__stack_pool *pool, uint64_t now)
{
        if (pool->epoch != 0) {
                pool->idle = pool->low > HOT ? pool->low - HOT : 0;
                pool->bare_goal = pool->bare;
                if (pool->way == GREEN__BIRTH_COPY && pool->idle > pool->bare)
                        pool->bare_goal += (pool->idle - pool->bare + 15) / 16;
                green__stack_trim_sized(pool, drop_sized);
        }
        pool->epoch = now;
        pool->low = pool->count;
}

/* What left the list since the last call and came back is not trimmed any more. */
static void
clamp(struct green__stack_pool *pool)
{
        pool->idle = min(pool->idle, pool->low);
        pool->trimmed = min(pool->trimmed, pool->low);
        pool->bare = min(pool->bare, pool->low);
        pool->bare_goal = min(pool->bare_goal, pool->idle);
}

uint64_t
green__stack_pool_trim(struct green__stack_pool *pool)
{
        if (pool->count <= HOT && pool->sized_count == 0)
                return 0;
        uint64_t now = coarse_clock();

        clamp(pool);
        if (pool->epoch == 0 || now - pool->epoch >= EPOCH)
                begin_epoch(pool, now);
        if (pool->trimmed < pool->idle) {
                size_t to = min(pool->idle, pool->trimmed + GREEN__MADVISE_MAX);

                drop(pool, pool->trimmed, to, false);
                pool->trimmed = to;
        } else if (pool->bare < pool->bare_goal) {
                size_t to = min(pool->bare_goal, pool->bare + GREEN__MADVISE_MAX);

                drop(pool, pool->bare, to, true);
                pool->bare = to;
        }
        if (pool->trimmed < pool->idle || pool->bare < pool->bare_goal)
                return AGAIN;
        size_t done = pool->way == GREEN__BIRTH_COPY ? pool->bare : pool->trimmed;
        if (done + HOT >= pool->count)
                return 0;
        /* Not less than a tick of the coarse clock, which stands still until then. */
        uint64_t left = EPOCH - (now - pool->epoch);
        return left > AGAIN ? left : AGAIN;
}
