/*
 * Stacks of green threads: address space reserved in large pieces, born once, then used again and again.
 *
 * A stack is virgin until its first use, when it gets a guard and is born: a function is parked on its top, from which
 * green__thread_main() is called. That place stays good: a green thread that ends leaves the stack to the pool as it
 * is, and the next one starts by switching to the same place.
 *
 * A pool belongs to one OS thread. Nothing here yields.
 */
#ifndef GREEN_STACK_H
#define GREEN_STACK_H

#include <config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot.h"
#include "check.h"
#include "switch.h"

struct green__slab;

/* Small, since there may be a million. */
struct green__stack {
        char *hi;               /* its top, the end of a page */
        void *birth;            /* where the boot function is parked on it; see green__stack_birth() */
        uint32_t len4k;         /* the whole of it, guard included, in units of 4 KiB */
        uint32_t born : 1;      /* birth is good */
        uint32_t guarded : 1;   /* its lowest pages fault */
        uint32_t splits : 1;    /* its own mapping was split for that */
        uint32_t sized : 1;     /* not of the default size: a mapping of its own */
        uint32_t valgrind : 28; /* Valgrind's number for it */
};

enum green__birth_way {
        GREEN__BIRTH_COPY,       /* one stack is born, the others get a copy of its first frame */
        GREEN__BIRTH_SIGNAL,     /* each is born by the alternate signal stack; see birth.c */
        GREEN__BIRTH_MAKECONTEXT, /* each by makecontext() */
        GREEN__BIRTH_FIBER        /* each is a fiber of the system's; see stack_fiber.c, which has a pool of its own */
};

/*
 * The free stacks are themselves a stack: the one used last is taken first. So those at the bottom are the ones that
 * have not been needed for longest, and the least number there has been for a while tells how many were not needed at
 * all meanwhile. See green__stack_pool_trim().
 */
struct green__stack_pool {
        struct green__stack **free; /* room for every stack of the slabs */
        size_t count;               /* how many are free; they are born, but for the bare ones */
        size_t low;                 /* the least count since the epoch began */
        size_t in_use;              /* taken and not given back, other sizes included */
        size_t reserved;            /* promised by green__stack_reserve(), not taken yet */
        size_t virgin;              /* never used, still in their slabs */
        enum green__birth_way way;
        size_t total, room;         /* stacks in slabs; pointers that fit into free */
        size_t idle;                /* of free: so many at the bottom were not needed during the last epoch */
        size_t trimmed, bare;       /* of free: so many at the bottom keep few pages; none at all */
        size_t bare_goal;           /* how far bare shall go in this epoch */
        uint64_t epoch;             /* when it began, nanoseconds */
        size_t size;                /* bytes of a stack, guard included */
        size_t mapped;              /* bytes of address space */
        struct green__slab *slabs;  /* all mappings, oldest first */
        struct green__slab *last;   /* the newest */
        struct green__slab *fresh;  /* the oldest with virgin stacks; NULL: none has */
        struct green__sized *sized; /* free ones of other sizes, last given first */
        size_t sized_count;
        bool made_fiber; /* the OS thread was made a fiber for this */
        struct green__boot boot;
};

/* What there is, for green_hub_info. */
struct green__stack_facts {
        size_t stack_size; /* the default, bytes */
        size_t mapped;     /* bytes of address space */
        size_t in_use;     /* stacks taken */
        size_t pooled;     /* stacks free, virgin ones not counted */
        const char *guard; /* "madvise", "mprotect", "system" or "none" */
        const char *birth; /* "copy", "signal", "makecontext" or "fiber" */
};

/* size 0: 256 KiB. Guard included; rounded up to pages and to a minimum. 0, or -errno with green_set_error(). */
int green__stack_pool_init(struct green__stack_pool *pool, size_t size);

/* Unmaps everything, stacks in use too. Not from one of them. */
void green__stack_pool_fini(struct green__stack_pool *pool);

/* Take a stack of another size, not reserved. NULL with errno. */
struct green__stack *green__stack_take_sized(struct green__stack_pool *pool, size_t size);

/*
 * Give back memory of stacks that were not needed for a while. For when there is nothing to do; bounded work. Returns
 * after how many nanoseconds it would like to be called again, even if nothing happens until then; 0: never.
 */
uint64_t green__stack_pool_trim(struct green__stack_pool *pool);

/* First byte, and bytes that fault from there on. */
char *green__stack_lo(const struct green__stack *stack);
size_t green__stack_guard(const struct green__stack *stack);

/* Bytes from the top to the deepest page in memory. A stack that was used before and not trimmed keeps that mark. */
size_t green__stack_used(const struct green__stack *stack);

/* Bytes that can be used: without the guard. */
size_t green__stack_size(const struct green__stack *stack);

void green__stack_pool_facts(const struct green__stack_pool *pool, struct green__stack_facts *ret_facts);

/* The rare halves of the functions below. */
int green__stack_reserve_more(struct green__stack_pool *pool);
struct green__stack *green__stack_take_unborn(struct green__stack_pool *pool, struct green__stack *stack);
void green__stack_give_sized(struct green__stack_pool *pool, struct green__stack *stack);

/* Of free stacks of other sizes keep few, and call trim for those. */
void green__stack_trim_sized(struct green__stack_pool *pool, void (*trim)(const struct green__stack *stack));

/*
 * Make sure that one more green__stack_take() cannot fail. 0 or -errno. Maps address space at most, but for the way
 * "signal": a birth can fail, so it is done here.
 */
static inline int
green__stack_reserve(struct green__stack_pool *pool)
{
        size_t ready = pool->count + (pool->way == GREEN__BIRTH_SIGNAL ? 0 : pool->virgin);

        if (green__unlikely(ready <= pool->reserved)) {
                int err = green__stack_reserve_more(pool);

                if (err != 0)
                        return err;
        }
        pool->reserved++;
        return 0;
}

/* Take back a reservation that nobody will use. */
static inline void
green__stack_unreserve(struct green__stack_pool *pool)
{
        pool->reserved--;
}

enum { GREEN__STACK_AHEAD = 4 };

/* Take a reserved stack, the one given last if there is one. Never fails. */
static inline struct green__stack *
green__stack_take(struct green__stack_pool *pool)
{
        struct green__stack *stack = NULL;

        pool->reserved--;
        pool->in_use++;
        if (green__likely(pool->count != 0)) {
                stack = pool->free[--pool->count];
                if (pool->count < pool->low)
                        pool->low = pool->count;
                /* In a mass of starts each stack is in no cache: the next one is fetched, and what tells where it is. */
                if (pool->count >= GREEN__STACK_AHEAD) {
                        __builtin_prefetch(pool->free[pool->count - GREEN__STACK_AHEAD]);
                        __builtin_prefetch((char *)pool->free[pool->count - 1]->birth - 64, 1);
                }
        }
        if (green__unlikely(stack == NULL || !stack->born))
                stack = green__stack_take_unborn(pool, stack);
        green__sanitize_clean(green__stack_lo(stack) + green__stack_guard(stack), stack->hi);
        return stack;
}

/* Switch to this to have green__thread_main() called on a stack that was taken. It can be copied. */
static inline struct green__context
green__stack_birth(const struct green__stack_pool *pool, const struct green__stack *stack)
{
        struct green__context ctx = green__method_context(&pool->boot.context, stack->birth);

        green__sanitize_birth(&ctx, green__stack_lo(stack), stack->hi);
        return ctx;
}

/* Give back one of the default size. It is not looked at: where there are many it is in no cache. */
static inline void
green__stack_give_plain(struct green__stack_pool *pool, struct green__stack *stack)
{
        pool->in_use--;
        pool->free[pool->count++] = stack;
}

/*
 * Give a stack back. The caller may still run on it, until it switches away for the last time; nothing may be taken
 * from the pool by anybody else before that.
 */
static inline void
green__stack_give(struct green__stack_pool *pool, struct green__stack *stack)
{
        if (green__likely(!stack->sized)) {
                green__stack_give_plain(pool, stack);
        } else {
                pool->in_use--;
                green__stack_give_sized(pool, stack);
        }
}

#endif
