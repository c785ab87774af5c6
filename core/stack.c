/*
 * The pool of stacks of one OS thread. See stack.h.
 */
#include <config.h>

#include "stack.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <green/alloc.h>
#include <green/error.h>

#include "birth.h"
#include "stack_map.h"

enum {
        STACK_DEFAULT = 256 * 1024,
        STACK_MIN = 16 * 1024,           /* without the guard: signal frames with AVX-512 take 3.4 KiB */
        GUARD_MAX = 64 * 1024,
        SLAB_STACKS = 64,                /* at most */
        SLAB_BYTES = 64 * 1024 * 1024,   /* at most, unless a stack alone is larger */
        GUARD_BATCH = 8,                 /* guards made at once; as many default stacks share a page of page table */
        COLOURS = 16,                    /* tops of stacks differ by 64 bytes, so that they use different cache sets */
        SIZED_KEEP = 8,                  /* free stacks of other sizes, about */
};

struct green__slab {
        struct green__slab *next;
        char *base;
        size_t len;
        size_t count;    /* stacks in it */
        size_t used;     /* no longer virgin */
        size_t guarded;  /* below this index stacks have their guards */
        size_t splits;   /* guards made by splitting the mapping */
        struct green__stack stacks[];
};

static size_t
round_up(size_t n, size_t to)
{
        return (n + to - 1) / to * to;
}

/* The guard grows with the stack, since frames do: a large array may step over a single page. */
static size_t
guard_len(size_t size)
{
        size_t len = round_up(size / 16, green__page_size());
        return len < GUARD_MAX ? len : round_up(GUARD_MAX, green__page_size());
}

/* Bytes to map for a stack that was asked for with this size. 0: too large. */
static size_t
stack_len(size_t size)
{
        size_t page = green__page_size();
        size_t least = round_up(STACK_MIN, page) + page;
        if (size > SIZE_MAX / 4)
                return 0;
        return size < least ? least : round_up(size, page);
}

/* ---- slabs ---- */

/* Room in free for every stack, so that giving one back cannot fail. */
static int
make_room(struct green__stack_pool *pool, size_t total)
{
        if (total <= pool->room)
                return 0;
        size_t room = pool->room * 2 > total ? pool->room * 2 : total;
        struct green__stack **list = green_realloc(pool->free, room * sizeof *list);
        if (list == NULL)
                return -ENOMEM;
        pool->free = list;
        pool->room = room;
        return 0;
}

static struct green__slab *
slab_new(const struct green__stack_pool *pool, size_t count)
{
        struct green__slab *slab = green_malloc(sizeof *slab + count * sizeof slab->stacks[0]);
        if (slab == NULL)
                return NULL;
        *slab = (struct green__slab){.len = count * pool->size, .count = count};
        slab->base = green__map(slab->len);
        if (slab->base == NULL) {
                green_free(slab);
                return NULL;
        }
        return slab;
}

/* Map more stacks: as many as a slab has, or fewer where there is no room for so many. */
static int
grow(struct green__stack_pool *pool)
{
        size_t count = SLAB_BYTES / pool->size;
        count = count > SLAB_STACKS ? SLAB_STACKS : count < 1 ? 1 : count;
        if (make_room(pool, pool->total + count) != 0)
                return -ENOMEM;
        struct green__slab *slab = slab_new(pool, count);
        while (slab == NULL && count > 1)
                slab = slab_new(pool, count /= 2);
        if (slab == NULL)
                return -ENOMEM;
        if (pool->last != NULL)
                pool->last->next = slab;
        else
                pool->slabs = slab;
        pool->last = slab;
        if (pool->fresh == NULL)
                pool->fresh = slab;
        pool->virgin += count;
        pool->total += count;
        pool->mapped += slab->len;
        return 0;
}

/* Guard the stack with this index, and some of those that will be used next. */
static uint32_t
guard_one(struct green__stack_pool *pool, struct green__slab *slab, size_t index)
{
        if (index < slab->guarded)
                return (uint32_t)pool->guard;
        struct iovec ranges[GUARD_BATCH];
        size_t n = slab->count - index < GUARD_BATCH ? slab->count - index : GUARD_BATCH;
        for (size_t i = 0; i < n; i++) {
                ranges[i].iov_base = slab->base + (index + i) * pool->size;
                ranges[i].iov_len = pool->guard;
        }
        bool splits;
        n = green__guard(ranges, n, &splits);
        slab->guarded = index + n;
        slab->splits += splits ? n : 0;
        return n != 0 ? (uint32_t)pool->guard : 0;
}

/* The next stack that was never used. There is one. */
static struct green__stack *
take_virgin(struct green__stack_pool *pool)
{
        struct green__slab *slab = pool->fresh;
        size_t index = slab->used++;
        struct green__stack *stack = &slab->stacks[index];
        char *lo = slab->base + index * pool->size;
        *stack = (struct green__stack){.lo = lo, .hi = lo + pool->size, .slab = slab};
        stack->guard = guard_one(pool, slab, index);
        pool->virgin--;
        if (slab->used == slab->count)
                pool->fresh = slab->next;
        return stack;
}

static void
untake_virgin(struct green__stack_pool *pool, struct green__stack *stack)
{
        stack->slab->used--;
        pool->virgin++;
        pool->fresh = stack->slab;
}

/* ---- birth ---- */

/* Tops of stacks would all fall into the same sets of the cache. */
static size_t
colour_of(const struct green__stack *stack)
{
        return stack->slab != NULL ? (size_t)(stack - stack->slab->stacks) % COLOURS * 64 : 0;
}

static int
bear(struct green__stack_pool *pool, struct green__stack *stack)
{
        size_t colour = colour_of(stack);
        stack->valgrind = green__valgrind_register(stack->lo, stack->hi);
        green__sanitize_birth(&stack->birth, stack->lo, stack->hi);
        if (pool->way == GREEN__BIRTH_COPY) {
                green__boot_copy(&pool->boot, &stack->birth, stack->hi - colour);
        } else {
                struct green__birth birth = {.lo = stack->lo, .hi = stack->hi, .colour = colour, .ctx = &stack->birth};
                birth.lo += stack->guard;
                int err = pool->way == GREEN__BIRTH_SIGNAL ? green__birth_signal(&birth) : green__birth_makecontext(&birth);
                if (err != 0) {
                        green__valgrind_deregister(stack->valgrind);
                        return err;
                }
                if (birth.dead < birth.hi)
                        green__pages_drop(&(struct iovec){birth.dead, (size_t)(birth.hi - birth.dead)}, 1);
        }
        stack->born = 1;
        return 0;
}

/*
 * The first birth of the OS thread, on a stack that stays virgin. It is a pattern for the others where that works, and
 * shows that births do.
 */
static int
first_birth(struct green__stack_pool *pool)
{
        struct green__context parked;
        struct green__birth birth = {.lo = pool->slabs->base, .hi = pool->slabs->base + pool->size, .ctx = &parked};
        unsigned valgrind = green__valgrind_register(birth.lo, birth.hi);
        green__sanitize_birth(&parked, birth.lo, birth.hi);
        int err = -ENOTSUP;
        if (GREEN__CONTEXT_SIGNAL_BIRTH && !GREEN__TSAN && !green__valgrind_running()) {
                pool->way = GREEN__BIRTH_SIGNAL;
                err = green__birth_signal(&birth);
        }
        if (err != 0) {
                pool->way = GREEN__BIRTH_MAKECONTEXT;
                err = green__birth_makecontext(&birth);
        }
        green__valgrind_deregister(valgrind);
        if (err != 0)
                return green_set_error(err, "no stack can be born: neither by a signal nor by makecontext()");
        bool copies = GREEN__CONTEXT_REBASE && !GREEN__ASAN && !GREEN__TSAN && !green__valgrind_running();
        if (copies && green__boot_keep(&pool->boot, &parked, birth.frame_end))
                pool->way = GREEN__BIRTH_COPY;
        green__pages_drop(&(struct iovec){birth.lo, pool->size}, 1);
        return 0;
}

/* ---- taking and giving ---- */

int
green__stack_reserve_more(struct green__stack_pool *pool)
{
        if (pool->virgin == 0 || pool->way != GREEN__BIRTH_SIGNAL) {
                int err = grow(pool);
                if (err != 0)
                        return err;
        }
        if (pool->way != GREEN__BIRTH_SIGNAL)
                return 0;
        struct green__stack *stack = take_virgin(pool);
        int err = bear(pool, stack);
        if (err == 0)
                pool->free[pool->count++] = stack;
        else
                untake_virgin(pool, stack);
        return err;
}

struct green__stack *
green__stack_take_unborn(struct green__stack_pool *pool, struct green__stack *stack)
{
        if (stack == NULL)
                stack = take_virgin(pool);
        int err = bear(pool, stack);
        GREEN_ASSERT(err == 0); /* those that can fail were born when they were reserved */
        return stack;
}

/* ---- other sizes ---- */

static void
unmap_sized(struct green__stack_pool *pool, struct green__stack *stack)
{
        size_t len = (size_t)(stack->hi - stack->lo);
        green__valgrind_deregister(stack->valgrind);
        green__unmap(stack->lo, len);
        if (stack->splits)
                green__guards_gone(1);
        pool->mapped -= len;
        green_free(stack);
}

void
green__stack_sized_shrink(struct green__stack_pool *pool, size_t keep)
{
        struct green__stack **at = &pool->sized;
        for (size_t i = 0; *at != NULL && i < keep; i++)
                at = &(*at)->next;
        while (*at != NULL) {
                struct green__stack *stack = *at;
                *at = stack->next;
                pool->sized_count--;
                unmap_sized(pool, stack);
        }
}

static struct green__stack *
map_sized(struct green__stack_pool *pool, size_t len)
{
        struct green__stack *stack = green_malloc(sizeof *stack);
        char *lo = stack != NULL ? green__map(len) : NULL;
        if (lo == NULL) {
                green_free(stack);
                errno = ENOMEM;
                return NULL;
        }
        bool splits;
        struct iovec range = {lo, guard_len(len)};
        size_t guarded = green__guard(&range, 1, &splits);
        *stack = (struct green__stack){.lo = lo, .hi = lo + len, .guard = guarded ? (uint32_t)range.iov_len : 0};
        stack->splits = guarded && splits;
        pool->mapped += len;
        int err = bear(pool, stack);
        if (err != 0) {
                unmap_sized(pool, stack);
                errno = -err;
                return NULL;
        }
        return stack;
}

struct green__stack *
green__stack_take_sized(struct green__stack_pool *pool, size_t size)
{
        size_t len = stack_len(size);
        if (len == 0) {
                errno = ENOMEM;
                return NULL;
        }
        if (len == pool->size) {
                int err = green__stack_reserve(pool);
                if (err == 0)
                        return green__stack_take(pool);
                errno = -err;
                return NULL;
        }
        struct green__stack **at = &pool->sized;
        while (*at != NULL && (size_t)((*at)->hi - (*at)->lo) != len)
                at = &(*at)->next;
        struct green__stack *stack = *at;
        if (stack != NULL) {
                *at = stack->next;
                pool->sized_count--;
                green__sanitize_clean(stack->lo + stack->guard, stack->hi);
        } else {
                green__stack_sized_shrink(pool, SIZED_KEEP);
                stack = map_sized(pool, len);
        }
        if (stack != NULL)
                pool->in_use++;
        return stack;
}

/* Nothing is unmapped here: the caller may run on it. */
void
green__stack_give_sized(struct green__stack_pool *pool, struct green__stack *stack)
{
        stack->next = pool->sized;
        pool->sized = stack;
        pool->sized_count++;
}

/* ---- the pool ---- */

int
green__stack_pool_init(struct green__stack_pool *pool, size_t size)
{
        size_t len = stack_len(size != 0 ? size : STACK_DEFAULT);
        *pool = (struct green__stack_pool){.size = len};
        if (len == 0)
                return green_set_error(-EINVAL, "a stack of %zu bytes is too large", size);
        pool->guard = guard_len(len);
        int err = grow(pool);
        if (err != 0)
                green_set_error(err, "no room for stacks of %zu bytes", len);
        else
                err = first_birth(pool);
        if (err != 0)
                green__stack_pool_fini(pool);
        return err;
}

void
green__stack_pool_fini(struct green__stack_pool *pool)
{
        green__stack_sized_shrink(pool, 0);
        while (pool->slabs != NULL) {
                struct green__slab *slab = pool->slabs;
                pool->slabs = slab->next;
                for (size_t i = 0; i < slab->used; i++) {
                        green__valgrind_deregister(slab->stacks[i].valgrind);
                        green__sanitize_drop(&slab->stacks[i].birth);
                }
                green__sanitize_clean(slab->base, slab->base + slab->len);
                green__unmap(slab->base, slab->len);
                green__guards_gone(slab->splits);
                green_free(slab);
        }
        green_free(pool->free);
        *pool = (struct green__stack_pool){0};
}

size_t
green__stack_used(const struct green__stack *stack)
{
        return green__pages_depth(stack->lo + stack->guard, stack->hi);
}

size_t
green__stack_size(const struct green__stack *stack)
{
        return (size_t)(stack->hi - stack->lo) - stack->guard;
}

void
green__stack_pool_facts(const struct green__stack_pool *pool, struct green__stack_facts *ret_facts)
{
        static const char *const births[] = {"copy", "signal", "makecontext"};
        *ret_facts = (struct green__stack_facts){
                .stack_size = pool->size,
                .mapped = pool->mapped,
                .in_use = pool->in_use,
                .pooled = pool->count + pool->sized_count,
                .guard = green__guard_kind(),
                .birth = births[pool->way],
        };
}
