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
        STACK_MIN = 16 * 1024, /* without the guard: signal frames with AVX-512 take 3.4 KiB */
        GUARD_MAX = 64 * 1024,
        SLAB_STACKS = 64,              /* at most */
        SLAB_BYTES = 64 * 1024 * 1024, /* at most, unless a stack alone is larger */
        GUARD_BATCH = 8,               /* guards made at once; as many default stacks share a page of page table */
        COLOURS = 16,                  /* tops of stacks differ by 64 bytes, so that they use different cache sets */
        SIZED_KEEP = 8,                /* free stacks of other sizes, about */
};

struct green__slab {
        struct green__slab *next;
        char *base;
        size_t len;
        size_t count;   /* stacks in it */
        size_t used;    /* no longer virgin */
        size_t guarded; /* below this index stacks have their guards */
        size_t splits;  /* guards made by splitting the mapping */
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

/* A stack of another size, free or taken. */
struct green__sized {
        struct green__stack stack;
        struct green__sized *next; /* in the pool */
};

/* Bytes to map for a stack that was asked for with this size. 0: too large. */
static size_t
stack_len(size_t size)
{
        size_t page = green__page_size();
        size_t least = round_up(STACK_MIN, page) + page;

        if (size > SIZE_MAX / 4 || size >> 12 > UINT32_MAX / 2)
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
        struct green__stack **list = green_realloc(pool->free, room * sizeof(*list));
        if (list == NULL)
                return -ENOMEM;
        pool->free = list;
        pool->room = room;
        return 0;
}

static struct green__slab *
slab_new(const struct green__stack_pool *pool, size_t count)
{
        struct green__slab *slab = green_malloc(sizeof(*slab) + count * sizeof(slab->stacks[0]));

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

/* Guard the stack with this index, and some of those that will be used next. False: there are no more guards. */
static bool
guard_one(struct green__stack_pool *pool, struct green__slab *slab, size_t index)
{
        if (index < slab->guarded)
                return true;
        struct iovec ranges[GUARD_BATCH];
        size_t n = slab->count - index < GUARD_BATCH ? slab->count - index : GUARD_BATCH;
        for (size_t i = 0; i < n; i++) {
                ranges[i].iov_base = slab->base + (index + i) * pool->size;
                ranges[i].iov_len = guard_len(pool->size);
        }
        bool splits;
        n = green__guard(ranges, n, &splits);
        slab->guarded = index + n;
        slab->splits += splits ? n : 0;
        return n != 0;
}

/* ---- birth ---- */

/* Tops of stacks would all fall into the same sets of the cache. */
static size_t
colour_of(const struct green__stack *stack)
{
        return (uintptr_t)stack->hi / ((size_t)stack->len4k << 12) % COLOURS * 64;
}

static int
bear_alone(struct green__stack_pool *pool, struct green__stack *stack)
{
        struct green__context parked;
        struct green__birth birth = {.hi = stack->hi, .colour = colour_of(stack), .ctx = &parked};

        birth.lo = green__stack_lo(stack) + green__stack_guard(stack);
        green__sanitize_birth(&parked, birth.lo, birth.hi);
        int err = pool->way == GREEN__BIRTH_SIGNAL ? green__birth_signal(&birth) : green__birth_makecontext(&birth);
        if (err != 0)
                return err;
        stack->birth = green__method_word(&parked);
        if (birth.dead < birth.hi)
                green__pages_drop(&(struct iovec){birth.dead, (size_t)(birth.hi - birth.dead)}, 1);
        return 0;
}

static int
bear(struct green__stack_pool *pool, struct green__stack *stack)
{
        int err = 0;

        stack->valgrind = green__valgrind_register(green__stack_lo(stack), stack->hi);
        if (pool->way == GREEN__BIRTH_COPY)
                stack->birth = green__boot_copy(&pool->boot, stack->hi - colour_of(stack));
        else
                err = bear_alone(pool, stack);
        if (err == 0)
                stack->born = 1;
        else
                green__valgrind_deregister(stack->valgrind);
        return err;
}

/* A parked boot function on a stack that stays virgin. */
static int
park_somewhere(struct green__stack_pool *pool, struct green__birth *birth)
{
        int err = 0, other;

        if (GREEN__CONTEXT_SIGNAL_BIRTH && !GREEN__TSAN && !green__valgrind_running()) {
                pool->way = GREEN__BIRTH_SIGNAL;
                err = green__birth_signal(birth);
                if (err == 0)
                        return 0;
        }
        pool->way = GREEN__BIRTH_MAKECONTEXT;
        other = green__birth_makecontext(birth);
        /* Where there is no other way, what stood in the way of the first is the reason. */
        return other == -ENOTSUP && err != 0 ? err : other;
}

/* The first birth of the OS thread. It is a pattern for the others where that works, and shows that births do. */
static int
first_birth(struct green__stack_pool *pool)
{
        struct green__context parked;
        struct green__birth birth = {.lo = pool->slabs->base, .hi = pool->slabs->base + pool->size, .ctx = &parked};
        unsigned valgrind = green__valgrind_register(birth.lo, birth.hi);

        green__sanitize_birth(&parked, birth.lo, birth.hi);
        int err = park_somewhere(pool, &birth);
        green__valgrind_deregister(valgrind);
        if (err != 0)
                return green_set_error(err, "no stack can be born: neither by a signal nor by makecontext()");
        green__boot_keep(&pool->boot, &parked, birth.frame_end);
        if (pool->boot.len != 0 && !GREEN__ASAN && !GREEN__TSAN && !green__valgrind_running())
                pool->way = GREEN__BIRTH_COPY;
        green__pages_drop(&(struct iovec){birth.lo, pool->size}, 1);
        return 0;
}

/* Bear the next stack that was never used; there is one. NULL with errno: it stays. */
static struct green__stack *
bear_virgin(struct green__stack_pool *pool)
{
        struct green__slab *slab = pool->fresh;
        size_t index = slab->used;
        struct green__stack *stack = &slab->stacks[index];

        *stack = (struct green__stack){.hi = slab->base + (index + 1) * pool->size};
        stack->len4k = (uint32_t)(pool->size >> 12);
        stack->guarded = guard_one(pool, slab, index);
        int err = bear(pool, stack);
        if (err != 0) {
                errno = -err;
                return NULL;
        }
        slab->used++;
        pool->virgin--;
        if (slab->used == slab->count)
                pool->fresh = slab->next;
        return stack;
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
        struct green__stack *stack = bear_virgin(pool);
        if (stack == NULL)
                return -errno;
        pool->free[pool->count++] = stack;
        return 0;
}

/* Those whose birth can fail were born when they were reserved. */
struct green__stack *
green__stack_take_unborn(struct green__stack_pool *pool, struct green__stack *stack)
{
        if (stack == NULL)
                stack = bear_virgin(pool);
        else if (bear(pool, stack) != 0)
                stack = NULL;
        GREEN_ASSERT(stack != NULL);
        return stack;
}

/* ---- other sizes ---- */

static void
unmap_sized(struct green__stack_pool *pool, struct green__sized *sized)
{
        struct green__stack *stack = &sized->stack;
        size_t len = (size_t)stack->len4k << 12;

        green__valgrind_deregister(stack->valgrind);
        green__sanitize_clean(stack->hi - len, stack->hi);
        green__unmap(stack->hi - len, len);
        if (stack->splits)
                green__guards_gone(1);
        pool->mapped -= len;
        green_free(sized);
}

static void
shrink_sized(struct green__stack_pool *pool, size_t keep)
{
        struct green__sized **at = &pool->sized;

        for (size_t i = 0; *at != NULL && i < keep; i++)
                at = &(*at)->next;
        while (*at != NULL) {
                struct green__sized *sized = *at;

                *at = sized->next;
                pool->sized_count--;
                unmap_sized(pool, sized);
        }
}

static struct green__stack *
map_sized(struct green__stack_pool *pool, size_t len)
{
        struct green__sized *sized = green_malloc(sizeof(*sized));
        char *lo = sized != NULL ? green__map(len) : NULL;

        if (lo == NULL) {
                green_free(sized);
                errno = ENOMEM;
                return NULL;
        }
        bool splits;
        struct iovec range = {lo, guard_len(len)};
        struct green__stack *stack = &sized->stack;
        *sized = (struct green__sized){.stack = {.hi = lo + len, .len4k = (uint32_t)(len >> 12), .sized = 1}};
        stack->guarded = green__guard(&range, 1, &splits) != 0;
        stack->splits = stack->guarded && splits;
        pool->mapped += len;
        int err = bear(pool, stack);
        if (err != 0) {
                unmap_sized(pool, sized);
                errno = -err;
                return NULL;
        }
        return stack;
}

/* Find a free one of this size; NULL if there is none. */
static struct green__stack *
take_free_sized(struct green__stack_pool *pool, size_t len)
{
        struct green__sized **at = &pool->sized;

        while (*at != NULL && (size_t)(*at)->stack.len4k << 12 != len)
                at = &(*at)->next;
        struct green__sized *sized = *at;
        if (sized == NULL)
                return NULL;
        *at = sized->next;
        pool->sized_count--;
        green__sanitize_clean(green__stack_lo(&sized->stack) + green__stack_guard(&sized->stack), sized->stack.hi);
        return &sized->stack;
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
        struct green__stack *stack = take_free_sized(pool, len);
        if (stack == NULL) {
                shrink_sized(pool, SIZED_KEEP);
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
        struct green__sized *sized = (struct green__sized *)stack;

        sized->next = pool->sized;
        pool->sized = sized;
        pool->sized_count++;
}

/* That given last is left alone: somebody may still be leaving it. */
void
green__stack_trim_sized(struct green__stack_pool *pool, void (*trim)(const struct green__stack *stack))
{
        shrink_sized(pool, SIZED_KEEP);
        if (pool->sized == NULL)
                return;
        for (struct green__sized *sized = pool->sized->next; sized != NULL; sized = sized->next)
                trim(&sized->stack);
}

/* ---- the pool ---- */

int
green__stack_pool_init(struct green__stack_pool *pool, size_t size)
{
        size_t len = stack_len(size != 0 ? size : STACK_DEFAULT);

        *pool = (struct green__stack_pool){.size = len};
        if (len == 0)
                return green_set_error(-EINVAL, "a stack of %zu bytes is too large", size);
        green__sanitize_begin();
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
        shrink_sized(pool, 0);
        while (pool->slabs != NULL) {
                struct green__slab *slab = pool->slabs;

                pool->slabs = slab->next;
                for (size_t i = 0; i < slab->used; i++)
                        green__valgrind_deregister(slab->stacks[i].valgrind);
                green__sanitize_clean(slab->base, slab->base + slab->len);
                green__unmap(slab->base, slab->len);
                green__guards_gone(slab->splits);
                green_free(slab);
        }
        green_free(pool->free);
        *pool = (struct green__stack_pool){0};
}

/* ---- facts ---- */

char *
green__stack_lo(const struct green__stack *stack)
{
        return stack->hi - ((size_t)stack->len4k << 12);
}

size_t
green__stack_guard(const struct green__stack *stack)
{
        return stack->guarded ? guard_len((size_t)stack->len4k << 12) : 0;
}

size_t
green__stack_used(const struct green__stack *stack)
{
        return green__pages_depth(green__stack_lo(stack) + green__stack_guard(stack), stack->hi);
}

size_t
green__stack_size(const struct green__stack *stack)
{
        return ((size_t)stack->len4k << 12) - green__stack_guard(stack);
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
