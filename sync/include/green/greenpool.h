/**
 * @file
 * @brief Green pools: a limit on green threads that run at a time, and mapping over inputs with it. Green piles:
 *        results in the order of the spawns.
 */
#ifndef GREEN_GREENPOOL_H
#define GREEN_GREENPOOL_H

#include <green/base.h>
#include <green/error.h>
#include <green/park.h>
#include <green/thread.h>

GREEN_BEGIN_DECLS

/** A green pool. Opaque; it belongs to the OS thread that made it. */
typedef struct green_greenpool green_greenpool;

/** The size eventlet gives a pool unless told otherwise. */
#define GREEN_GREENPOOL_SIZE 1000

/**
 * @name Green pools
 * @{
 */

/**
 * @brief Make a green pool. Never yields.
 * @param size tasks that may run at a time; with 0 every spawn waits until it is made larger.
 * @return the handle, for green_greenpool_free(); NULL with `errno` ENOMEM, or EINVAL for more than LONG_MAX.
 * @since 0.1 (GPOOL-01)
 */
GREEN_API green_greenpool *green_greenpool_new(size_t size);

/**
 * @brief Free a green pool. Never yields.
 * @param p one or NULL.
 * @retval 0      freed.
 * @retval -EBUSY tasks run, somebody waits, or an imap or a pile uses it: nothing was done.
 * @since 0.1
 */
GREEN_API int green_greenpool_free(green_greenpool *p);

/**
 * @brief Start a task, when there is a slot for it. May yield; does not where there is one.
 *
 * The slot is given back when the task ends, however it ends. A task of the same pool that spawns into it while it is
 * full runs the function itself, here and now, so that nested spawns cannot deadlock: the handle is that of one that
 * has ended. What the function fails with is in the handle in this case too.
 *
 * @param p   a green pool.
 * @param fn  what it runs.
 * @param arg passed to fn, not owned: a task that is killed before it has begun never sees it, and a link on the handle is
 *            what tells of that (green_thread_link()).
 * @return as green_spawn(); NULL also with the magnitude of GREEN_EKILLED, GREEN_ETIMEOUT (or their codes) where the
 *         caller was cancelled: green_last_error() has the code; EINVAL (no pool, no function), EPERM (another OS
 *         thread), EDEADLK (would have to wait in a hub callback).
 * @since 0.1 (GPOOL-02, GPOOL-04 to GPOOL-06, GPOOL-13)
 */
GREEN_API green_thread *green_greenpool_spawn(green_greenpool *p, green_thread_fn fn, void *arg);

/**
 * @brief Start a task that nobody will wait for, when there is a slot for it. May yield; does not where there is one.
 * @param p   a green pool.
 * @param fn  what it runs; an error it ends with is logged.
 * @param arg passed to fn, not owned.
 * @retval 0              it will run, or has run: see green_greenpool_spawn().
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        no pool, or no function.
 * @retval -ENOMEM        memory ran out.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (GPOOL-03)
 */
GREEN_API int green_greenpool_spawn_n(green_greenpool *p, green_thread_fn fn, void *arg);

/**
 * @brief Take a slot before there is work for it, as a server does. May yield; does not where one is free.
 *
 * The slot counts as running. A task of the pool waits like any other here. In the child of a fork, slots that were
 * taken so and have no task are free again.
 *
 * @param      p         a green pool.
 * @param      waits     NULL, or nodes as for green_park_any(): the first is left to the pool, the others wait for
 *                       other things meanwhile. They are not looked at where a slot is free.
 * @param      n         how many; 0 with NULL.
 * @param      timeout   seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @param[out] ret_index 0: the slot is the caller's; otherwise the node that was woken, and there is no slot. Set where
 *                       green_wake() decided the result. May be NULL.
 * @retval 0              a slot was taken, or another node was woken with 0.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        p is NULL, nodes without a number or a number without nodes, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @return otherwise the code that another node was woken with.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_greenpool_acquire(green_greenpool *p, struct green_wait *waits, size_t n,
                                                     double timeout, size_t *ret_index);

/**
 * @brief Give back a slot of green_greenpool_acquire() for which there was no work. Never yields.
 * @param p a green pool.
 * @retval 0         given back: the one that has waited longest has it.
 * @retval -EALREADY none was acquired.
 * @retval -EINVAL   p is NULL.
 * @retval -EPERM    it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API int green_greenpool_release(green_greenpool *p);

/**
 * @brief Start a task in a slot of green_greenpool_acquire(). Never yields.
 * @param p   a green pool.
 * @param fn  what it runs.
 * @param arg passed to fn, not owned.
 * @return as green_spawn(); NULL also with EALREADY (no slot was acquired), EINVAL, EPERM. Where it fails the slot is
 *         still the caller's.
 * @since 0.1
 */
GREEN_API green_thread *green_greenpool_spawn_acquired(green_greenpool *p, green_thread_fn fn, void *arg);

/**
 * @brief green_greenpool_spawn() with its place.
 * @param p     see there.
 * @param fn    see there.
 * @param arg   see there.
 * @param where "file:line", constant.
 * @return see there.
 */
GREEN_API green_thread *green_greenpool_spawn_at(green_greenpool *p, green_thread_fn fn, void *arg, const char *where);
/**
 * @brief green_greenpool_spawn_n() with its place.
 * @param p     see there.
 * @param fn    see there.
 * @param arg   see there.
 * @param where "file:line", constant.
 * @return see there.
 */
GREEN_API int green_greenpool_spawn_n_at(green_greenpool *p, green_thread_fn fn, void *arg, const char *where);
/**
 * @brief green_greenpool_spawn_acquired() with its place.
 * @param p     see there.
 * @param fn    see there.
 * @param arg   see there.
 * @param where "file:line", constant.
 * @return see there.
 */
GREEN_API green_thread *green_greenpool_spawn_acquired_at(green_greenpool *p, green_thread_fn fn, void *arg,
                                                          const char *where);
/** @cond */
#define green_greenpool_spawn(p, fn, ...) green_greenpool_spawn_at(p, fn, __VA_ARGS__, GREEN_HERE)
#define green_greenpool_spawn_n(p, fn, ...) green_greenpool_spawn_n_at(p, fn, __VA_ARGS__, GREEN_HERE)
#define green_greenpool_spawn_acquired(p, fn, ...) green_greenpool_spawn_acquired_at(p, fn, __VA_ARGS__, GREEN_HERE)
/** @endcond */

/**
 * @brief Wait until no task runs and none waits to be started. May yield; does not where that is so.
 * @param p       a green pool.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 asks.
 * @retval 0              so it was.
 * @retval -ETIMEDOUT     not in time.
 * @retval -EDEADLK       the caller is a task of the pool, or a hub callback that would have to wait.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        p is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @since 0.1 (GPOOL-11, GPOOL-12)
 */
GREEN_API GREEN_MUST_USE int green_greenpool_waitall(green_greenpool *p, double timeout);

/**
 * @brief Kill every task of the pool. May yield, as green_kill() does for each; the caller last, if it is one of them.
 *
 * Those that wait to spawn go on, and so does an imap.
 *
 * @param p    a green pool.
 * @param code as for green_kill().
 * @return how many were told; -EINVAL, -EPERM as green_kill().
 * @since 0.1 (ISS-13)
 */
GREEN_API int green_greenpool_kill(green_greenpool *p, int code);

/**
 * @brief Change how many tasks may run at a time. Never yields. Running ones are not touched; growing wakes who waits
 *        for a slot.
 * @param p    a green pool.
 * @param size 0 or more.
 * @retval 0       done.
 * @retval -EINVAL p is NULL, or more than LONG_MAX.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (GPOOL-09, GPOOL-10)
 */
GREEN_API int green_greenpool_resize(green_greenpool *p, size_t size);

/**
 * @brief Slots that are free. Never yields. (eventlet's `free`.)
 * @param      p        a green pool.
 * @param[out] ret_free negative where more run than may, after a shrinking resize. Set on 0 only.
 * @retval 0       told.
 * @retval -EINVAL p or ret_free is NULL.
 * @since 0.1 (GPOOL-07)
 */
GREEN_API int green_greenpool_available(const green_greenpool *p, long *ret_free);

/**
 * @brief Tasks that hold a slot. Never yields.
 * @param p a green pool.
 * @return 0 or more; 0, with green_last_error(), for NULL.
 * @since 0.1 (GPOOL-08)
 */
GREEN_API size_t green_greenpool_running(const green_greenpool *p);

/**
 * @brief Green threads that wait for a slot. Never yields.
 * @param p a green pool.
 * @return 0 or more; 0, with green_last_error(), for NULL.
 * @since 0.1 (GPOOL-08)
 */
GREEN_API size_t green_greenpool_waiting(const green_greenpool *p);
/** @} */

/**
 * @name Mapping
 * @{
 */

/**
 * Gives the next item of an input. May yield.
 * @param      arg      the input's own.
 * @param[out] ret_item the item.
 * @return 1 with an item, 0 at the end, or a negative code: the input ends with that error.
 */
typedef int (*green_iter_fn)(void *arg, void **ret_item);

/** A mapping under way: results in the order of the input. Opaque. */
typedef struct green_imap green_imap;

/** What green_greenpool_imap() can change. Set it to zero, then @ref size, then what you need. */
struct green_imap_opts {
        size_t size;                       /**< sizeof(struct green_imap_opts) */
        void (*drop_item)(void *item);     /**< takes an item of the input that fn will not get: at
                                                green_imap_free(), or since its task was killed. It must not yield */
        void (*drop_result)(void *result); /**< takes a result (not NULL) that nobody can get: at green_imap_free(), or
                                                since a kill made it void. It must not yield */
};

/**
 * @brief Run a function on every item of an input, several at a time, in slots of this pool. Never yields: it begins
 *        when the caller yields.
 *
 * A green thread of its own pulls the input, so that may block. At most as many items as the pool is large are under
 * way or wait to be got (at least 1), so memory is bounded whatever the length of the input. An item holds a slot only
 * while it runs. A task of the pool that gets results while no slot is free runs the next item itself.
 *
 * @param p    a green pool; it must outlive the mapping.
 * @param fn   gets an item, returns its result, or green_fail(); NULL: results are the items.
 * @param next the input; called by one green thread, never again after its end.
 * @param arg  passed to next.
 * @param opts NULL for defaults.
 * @return the mapping, for green_imap_free(); NULL with `errno` EINVAL, ENOMEM, EPERM.
 * @since 0.1 (GPOOL-14, GPOOL-16 to GPOOL-20)
 */
GREEN_API green_imap *green_greenpool_imap(green_greenpool *p, green_thread_fn fn, green_iter_fn next, void *arg,
                                           const struct green_imap_opts *opts);

/**
 * @brief The same; the items are argument blocks, which @p fn takes apart. (In Python the two differ, in C only by
 *        name.)
 * @param p    see green_greenpool_imap().
 * @param fn   gets an argument block.
 * @param next gives argument blocks; green_zip_next() makes them of several inputs.
 * @param arg  passed to next.
 * @param opts NULL for defaults.
 * @return see green_greenpool_imap().
 * @since 0.1 (GPOOL-14)
 */
GREEN_API green_imap *green_greenpool_starmap(green_greenpool *p, green_thread_fn fn, green_iter_fn next, void *arg,
                                              const struct green_imap_opts *opts);

/**
 * @brief Get the next result, in the order of the input. May yield.
 *
 * An item that failed comes in its turn as well, and the mapping goes on after it: green_failed() of the result tells
 * its code.
 *
 * @param      m          a mapping.
 * @param[out] ret_result the result; set on 1 only.
 * @param      timeout    seconds, not counting an item that is run here; #GREEN_FOREVER waits for good, 0 asks.
 * @retval 1              a result.
 * @retval 0              the end.
 * @retval -ETIMEDOUT     not in time: nothing is lost.
 * @retval GREEN_EKILLED  the caller was killed; @c GREEN_ETIMEOUT a timeout of the caller fired (or their codes):
 *                        nothing is lost.
 * @retval -EINVAL        m or ret_result is NULL, or the time is negative or NaN.
 * @retval -EBUSY         another green thread waits for the next result, or frees the mapping.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @return otherwise, once, the code that the input ended with (GPOOL-18); the end after that.
 * @since 0.1 (GPOOL-14, GPOOL-15)
 */
GREEN_API GREEN_MUST_USE int green_imap_next(green_imap *m, void **ret_result, double timeout);

/**
 * @brief End a mapping, at its end or before: items that run are killed, and the input is pulled no more. Yields where
 *        something runs.
 *
 * It waits, shielded, until all that it has started has ended; not for an item that a task runs in green_imap_next().
 *
 * @param m a mapping or NULL.
 * @retval 0        freed.
 * @retval -EBUSY   another green thread waits for a result, or frees it: nothing was done.
 * @retval -EDEADLK something runs, and the caller is a hub callback, or is what would have to end: nothing was done.
 * @retval -EPERM   it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API int green_imap_free(green_imap *m);

/** Several inputs as one; see green_zip_next(). */
struct green_zip {
        size_t n;            /**< how many inputs */
        green_iter_fn *next; /**< of each */
        void **args;         /**< of each */
};

/**
 * @brief An input that takes one item of each of several; the shortest ends it. Yields if they do.
 * @param      zip      a struct green_zip.
 * @param[out] ret_item an array of zip->n items; whoever gets it frees it by green_free().
 * @return 1 with an item, 0 at the end (what the longer ones gave for that round is lost), a code of one of them,
 *         -ENOMEM, or -EINVAL.
 * @since 0.1 (GPOOL-16)
 */
GREEN_API int green_zip_next(void *zip, void **ret_item);
/** @} */

/**
 * @name Green piles
 * @{
 */

/** A pile of tasks whose results come in the order of the spawns. Opaque. */
typedef struct green_greenpile green_greenpile;

/** What green_greenpile_new() can change. Set it to zero, then @ref size, then what you need. */
struct green_greenpile_opts {
        size_t size;                       /**< sizeof(struct green_greenpile_opts) */
        green_greenpool *pool;             /**< share this pool; NULL: one of its own */
        size_t pool_size;                  /**< of its own one; 0 stands for #GREEN_GREENPOOL_SIZE */
        void (*drop_result)(void *result); /**< takes a result (not NULL) that nobody can get: the pile was freed, or a
                                                kill made it void. It must not yield */
};

/**
 * @brief Make a pile. Never yields.
 * @param opts NULL for defaults.
 * @return the handle, for green_greenpile_free(); NULL with `errno` EINVAL, ENOMEM or EPERM.
 * @since 0.1 (PILE-01)
 */
GREEN_API green_greenpile *green_greenpile_new(const struct green_greenpile_opts *opts);

/**
 * @brief Spawn a task into the pile's pool. May yield, where the pool is full.
 * @param g   a pile.
 * @param fn  what it runs.
 * @param arg passed to fn, not owned.
 * @return as green_greenpool_spawn_n(); on failure the pile is as before.
 * @since 0.1 (PILE-02, PILE-05)
 */
GREEN_API int green_greenpile_spawn(green_greenpile *g, green_thread_fn fn, void *arg);

/**
 * @brief Get the next result, in the order of the spawns. May yield.
 * @param      g          a pile. Results that nobody gets are kept until it is freed.
 * @param[out] ret_result the result; green_failed() tells the code of a task that failed. Set on 1 only.
 * @param      timeout    seconds; #GREEN_FOREVER waits for good, 0 asks.
 * @retval 1 a result.
 * @retval 0 there were as many as spawns so far.
 * @return otherwise as green_imap_next(); -EDEADLK also where a task of the pile would wait for its own result.
 * @since 0.1 (PILE-03, PILE-04, PILE-06 to PILE-08)
 */
GREEN_API GREEN_MUST_USE int green_greenpile_next(green_greenpile *g, void **ret_result, double timeout);

/**
 * @brief Free a pile. Never yields. Tasks that run go on, and their results are dropped when they end, like those
 *        nobody got.
 * @param g one or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits in it: nothing was done.
 * @retval -EPERM it belongs to another OS thread.
 * @since 0.1 (PILE-07)
 */
GREEN_API int green_greenpile_free(green_greenpile *g);
/** @} */

GREEN_END_DECLS

#endif
