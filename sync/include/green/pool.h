/**
 * @file
 * @brief Pools of things that are made on demand and used again: connections, buffers, sessions.
 *
 * A thing is in the pool, or it is out: with the one that got it, until that puts it back. No more are made than the
 * pool's size. What is put back goes straight to the one that has waited longest.
 */
#ifndef GREEN_POOL_H
#define GREEN_POOL_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A pool. Opaque; it belongs to the OS thread that made it. */
typedef struct green_pool green_pool;

/** What green_pool_new() is told. Set it to zero, then @ref size, then what you need. */
struct green_pool_opts {
        size_t size;         /**< sizeof(struct green_pool_opts) */
        size_t min_size;     /**< made by green_pool_new() */
        size_t max_size;     /**< made at most; 0 stands for 4 */
        bool order_as_stack; /**< get what was put back last; otherwise what has been in the pool longest */
        /**
         * Makes an item. May yield: others may get and put meanwhile, and the one to come counts already. It must not
         * call green_exit().
         * @return 0 with *ret_item set, or a negative code, which green_pool_get() returns.
         */
        int (*create)(void *arg, void **ret_item);
        void (*destroy)(void *arg, void *item); /**< takes an item that is not needed any more; must not yield. May be
                                                     NULL */
        void *arg;                              /**< passed to both */
        const char *name;                       /**< for green_debug_format_pools(); borrowed. May be NULL */
};

/**
 * @brief Make a pool, and its first items. Yields if create does.
 * @param opts with a create callback; max_size must not be less than min_size.
 * @return the handle, for green_pool_free(); NULL with `errno` EINVAL (no opts, unknown size, sizes that do not fit),
 *         ENOTSUP (things are to be made, and there is no create), ENOMEM, or what create failed with: what was made by
 *         then is destroyed.
 * @since 0.1 (POOL-01, POOL-02, POOL-17)
 */
GREEN_API green_pool *green_pool_new(const struct green_pool_opts *opts);

/**
 * @brief Free a pool and destroy what is in it. Never yields. What is out stays with those that have it.
 * @param p a pool or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits, or creates: nothing was done.
 * @since 0.1
 */
GREEN_API int green_pool_free(green_pool *p);

/**
 * @brief Get an item: one that is in the pool; or a new one; or wait until one is put back or may be made. May yield;
 *        does not where one is in the pool.
 *
 * Where create fails, its place goes to the one that has waited longest, which tries to create in its turn.
 *
 * @param      p        a pool.
 * @param[out] ret_item the item, to be put back or discarded; set on 0 only.
 * @param      timeout  seconds to wait, not counting create; #GREEN_FOREVER waits for good, 0 takes what is there or
 *                      makes one.
 * @retval 0              got.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -ENOTSUP       none is there, and the pool has no create callback (POOL-13).
 * @retval -EINVAL        p or ret_item is NULL, or the time is negative or NaN.
 * @retval -ENOMEM        memory ran out.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @return otherwise what create failed with.
 * @since 0.1 (POOL-03, POOL-05 to POOL-07, POOL-13)
 */
GREEN_API GREEN_MUST_USE int green_pool_get(green_pool *p, void **ret_item, double timeout);

/**
 * @brief Put an item back. Never yields. The one that has waited longest has it; after a shrinking resize it may be
 *        destroyed.
 * @param p    a pool.
 * @param item what green_pool_get() gave, or another of the same kind in its place.
 * @retval 0         put.
 * @retval -EALREADY as many were put back as were got: not taken. Debug builds also find an item that is in the pool
 *                   already.
 * @retval -EINVAL   p is NULL.
 * @retval -EPERM    it belongs to another OS thread.
 * @since 0.1 (POOL-04, POOL-09 to POOL-12, POOL-15)
 */
GREEN_API int green_pool_put(green_pool *p, void *item);

/**
 * @brief Give back the place of an item that is broken: it is destroyed, and another may be made. Never yields.
 * @param p    a pool.
 * @param item what green_pool_get() gave.
 * @return as green_pool_put().
 * @since 0.1
 */
GREEN_API int green_pool_discard(green_pool *p, void *item);

/**
 * @brief Gets that would not wait: items in the pool, and those that may be made. Never yields. (eventlet's `free`.)
 * @param      p        a pool.
 * @param[out] ret_free negative where more are out than the pool may have, after a shrinking resize. Set on 0 only.
 * @retval 0       told.
 * @retval -EINVAL p or ret_free is NULL.
 * @since 0.1 (POOL-08)
 */
GREEN_API int green_pool_available(const green_pool *p, long *ret_free);

/**
 * @brief Items there are: in the pool, out, and being made. Never yields.
 * @param p a pool.
 * @return 0 or more; 0, with green_last_error(), for NULL.
 * @since 0.1
 */
GREEN_API size_t green_pool_size(const green_pool *p);

/**
 * @brief Green threads that wait in green_pool_get(). Never yields.
 * @param p a pool.
 * @return 0 or more; 0, with green_last_error(), for NULL.
 * @since 0.1 (POOL-08)
 */
GREEN_API size_t green_pool_waiting(const green_pool *p);

/**
 * @brief Change how many there may be. Never yields. Growing lets those who wait make more; after shrinking, what is
 *        put back is destroyed until there are no more than that.
 * @param p        a pool.
 * @param max_size 0 or more.
 * @retval 0       done.
 * @retval -EINVAL p is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (POOL-09, POOL-10)
 */
GREEN_API int green_pool_resize(green_pool *p, size_t max_size);

/**
 * @brief The pools of the calling OS thread, of things and of green threads: "POOLS:", then a line each, the last one made
 *        first. Never yields.
 * @param[out] text where to; ends with NUL. May be NULL where size is 0.
 * @param      size bytes there.
 * @return bytes the whole text has without its NUL, as snprintf(); GREEN_EHUB: there is no hub, and none can be made.
 * @since 0.1 (BACK-13)
 */
GREEN_API int green_debug_format_pools(char *text, size_t size);

/** An item held by a block: see GREEN_POOL_ITEM(). */
struct green_pool_item {
        green_pool *pool; /**< where it goes back */
        void *item;       /**< the item */
        int rc;           /**< how the get ended: 0, got */
};

#if defined(__GNUC__)
/** @cond */
static inline void
green_pool_item_end_(struct green_pool_item *held)
{
        if (held->rc == 0)
                (void)green_pool_put(held->pool, held->item);
}
/** @endcond */
/** Get an item, without limit, and put it back at the end of the block, however that is left (POOL-14). Look at
 *  `name.rc`: where it is not 0 there is no item. A block that discards the item itself sets `name.rc` to another
 *  value. */
#define GREEN_POOL_ITEM(name, p)                                                                                       \
        struct green_pool_item name __attribute__((cleanup(green_pool_item_end_))) = {(p), NULL, 0};                   \
        (name).rc = green_pool_get((name).pool, &(name).item, GREEN_FOREVER)
#endif

/**
 * @brief Make a pool of tokens: permissions without content. Never yields. Every green_pool_...() function works on it.
 * @param max_size how many there may be.
 * @return as green_pool_new().
 * @since 0.1 (POOL-16)
 */
GREEN_API green_pool *green_token_pool_new(size_t max_size);

/**
 * @brief The create callback of token pools, for pools with options of their own. Never yields.
 * @param      arg       not used.
 * @param[out] ret_token a token: the same constant each time.
 * @return 0.
 * @since 0.1 (POOL-16)
 */
GREEN_API int green_token_pool_create(void *arg, void **ret_token);

GREEN_END_DECLS

#endif
