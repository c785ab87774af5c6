/**
 * @file
 * @brief Queues: items go from those who put to those who get.
 *
 * Items are pointers, not owned by the queue; NULL is an item like any other. Getters and putters are served in the
 * order they came. An item goes straight to a getter that waits, and is lost in no case: not when the getter is killed
 * or gives up, not when the putter is.
 */
#ifndef GREEN_QUEUE_H
#define GREEN_QUEUE_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A queue. Opaque; it belongs to the OS thread that made it. */
typedef struct green_queue green_queue;

/** Kinds of queue. */
enum green_queue_kind {
        GREEN_QUEUE_LIGHT = 0, /**< first in, first out */
        GREEN_QUEUE_JOINABLE,  /**< the same, and it counts unfinished tasks: green_queue_join() */
        GREEN_QUEUE_LIFO,      /**< last in, first out; joinable */
        GREEN_QUEUE_PRIORITY   /**< the smallest first, of equal ones the one put first; joinable */
};

/**
 * Compares two items of a priority queue. Must not yield.
 * @param a   an item.
 * @param b   another.
 * @param arg green_queue_opts::compare_arg.
 * @return less than 0 where a comes out before b, more than 0 where after, 0 where they are equal.
 */
typedef int (*green_queue_compare_fn)(const void *a, const void *b, void *arg);

/** What green_queue_new() can change. Set it to zero, then @ref size, then what you need. */
struct green_queue_opts {
        size_t size;                    /**< sizeof(struct green_queue_opts) */
        enum green_queue_kind kind;     /**< default #GREEN_QUEUE_LIGHT */
        green_queue_compare_fn compare; /**< of #GREEN_QUEUE_PRIORITY, and only of that */
        void *compare_arg;              /**< passed to it */
        void (*free_item)(void *item);  /**< called by green_queue_free() for each item that is left; must not yield */
};

/**
 * @brief Make a queue. Never yields.
 * @param maxsize items it holds at most; negative: without end; 0: a channel, where each put waits for a get.
 * @param opts    NULL for defaults.
 * @return the handle, for green_queue_free(); NULL with `errno` EINVAL (unknown kind or size, compare missing or out of
 *         place) or ENOMEM.
 * @since 0.1 (QUEUE-01, QUEUE-26)
 */
GREEN_API green_queue *green_queue_new(ssize_t maxsize, const struct green_queue_opts *opts);

/**
 * @brief Free a queue and, with green_queue_opts::free_item, what is left in it, in the order it would come out. Never
 *        yields.
 * @param q a queue or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits (getter, putter or join): nothing was done.
 * @since 0.1 (QUEUE-26)
 */
GREEN_API int green_queue_free(green_queue *q);

/**
 * @brief Put an item in. May yield; does not where there is room or a getter waits. A channel has room only then.
 * @param q       a queue.
 * @param item    the getter's from now on; still the caller's on failure.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @retval 0              put; in a channel, taken by a getter.
 * @retval GREEN_EFULL    no room in time.
 * @retval GREEN_ECLOSED  the queue was shut down, before or meanwhile.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        q is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -ENOMEM        memory ran out.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (QUEUE-02, QUEUE-04, QUEUE-05, QUEUE-07 to QUEUE-09, QUEUE-12)
 */
GREEN_API GREEN_MUST_USE int green_queue_put(green_queue *q, void *item, double timeout);

/**
 * @brief Put an item in if that can be done at once: green_queue_put() with a limit of 0. Never yields.
 * @param q    a queue.
 * @param item see green_queue_put().
 * @return see green_queue_put().
 * @since 0.1 (QUEUE-06, QUEUE-09)
 */
GREEN_API GREEN_MUST_USE int green_queue_put_nowait(green_queue *q, void *item);

/**
 * @brief Take an item out. May yield; does not where there is one or, in a channel, a putter waits.
 * @param      q        a queue.
 * @param[out] ret_item the item, the caller's from now on; set on 0 only.
 * @param      timeout  seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @retval 0              taken.
 * @retval GREEN_EEMPTY   no item in time.
 * @retval GREEN_ECLOSED  the queue was shut down, before or meanwhile, and is empty.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        q or ret_item is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (QUEUE-03 to QUEUE-05, QUEUE-07, QUEUE-08, QUEUE-11, QUEUE-14)
 */
GREEN_API GREEN_MUST_USE int green_queue_get(green_queue *q, void **ret_item, double timeout);

/**
 * @brief Take an item out if there is one: green_queue_get() with a limit of 0. Never yields.
 * @param      q        a queue.
 * @param[out] ret_item see green_queue_get().
 * @return see green_queue_get().
 * @since 0.1 (QUEUE-06, QUEUE-10)
 */
GREEN_API GREEN_MUST_USE int green_queue_get_nowait(green_queue *q, void **ret_item);

/**
 * @brief Items in it. Never yields.
 * @param q a queue.
 * @return 0 or more; of a channel always 0. 0, with green_last_error(), for NULL.
 * @since 0.1 (QUEUE-07, QUEUE-15)
 */
GREEN_API size_t green_queue_qsize(const green_queue *q);

/**
 * @brief The most it holds. Never yields.
 * @param      q           a queue.
 * @param[out] ret_maxsize as given; -1 for a queue without end. Set on 0 only.
 * @retval 0       told.
 * @retval -EINVAL q or ret_maxsize is NULL.
 * @since 0.1 (QUEUE-17)
 */
GREEN_API int green_queue_maxsize(const green_queue *q, ssize_t *ret_maxsize);

/**
 * @brief Is nothing in it? Never yields.
 * @param q a queue.
 * @return true of a channel, always; false, with green_last_error(), for NULL.
 * @since 0.1 (QUEUE-07, QUEUE-15)
 */
GREEN_API bool green_queue_empty(const green_queue *q);

/**
 * @brief Is there no room in it? Never yields.
 * @param q a queue.
 * @return true of a channel, always; false, with green_last_error(), for NULL.
 * @since 0.1 (QUEUE-07, QUEUE-15, QUEUE-16)
 */
GREEN_API bool green_queue_full(const green_queue *q);

/**
 * @brief Green threads that wait to get. Never yields.
 * @param q a queue.
 * @return 0 or more; one in green_select() counts. 0, with green_last_error(), for NULL.
 * @since 0.1 (QUEUE-15)
 */
GREEN_API size_t green_queue_getting(const green_queue *q);

/**
 * @brief Green threads that wait to put. Never yields.
 * @param q a queue.
 * @return 0 or more; one in green_select() counts. 0, with green_last_error(), for NULL.
 * @since 0.1 (QUEUE-15)
 */
GREEN_API size_t green_queue_putting(const green_queue *q);

/**
 * @brief Change how many items it holds at most. Never yields.
 *
 * Putters for whom there is room now put their items. Nothing is thrown away: a queue that holds more than it may is
 * full until enough was taken.
 *
 * @param q       a queue.
 * @param maxsize as for green_queue_new().
 * @retval 0       done.
 * @retval -EINVAL q is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @retval -ENOMEM memory ran out: nothing was done.
 * @since 0.1 (QUEUE-16, QUEUE-17)
 */
GREEN_API int green_queue_resize(green_queue *q, ssize_t maxsize);

/**
 * @brief A task is done: one item that was put was worked off. Never yields. At 0 unfinished ones all joins are woken.
 * @param q a joinable queue.
 * @retval 0         counted.
 * @retval -EALREADY every item that was put is done: it was called too many times.
 * @retval -ENOTSUP  the queue is of the light kind.
 * @retval -EINVAL   q is NULL.
 * @retval -EPERM    it belongs to another OS thread.
 * @since 0.1 (QUEUE-18, QUEUE-19)
 */
GREEN_API int green_queue_task_done(green_queue *q);

/**
 * @brief Wait until every item that was put is done. May yield; does not where that is so.
 * @param q       a joinable queue. It may be joined again: a put after that counts anew.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 asks.
 * @retval 0              so it was.
 * @retval -ETIMEDOUT     not in time.
 * @retval -ENOTSUP       the queue is of the light kind.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        q is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (QUEUE-18, QUEUE-20)
 */
GREEN_API GREEN_MUST_USE int green_queue_join(green_queue *q, double timeout);

/**
 * @brief Items that were put and are not done. Never yields.
 * @param q a queue.
 * @return 0 or more; of the light kind 0. 0, with green_last_error(), for NULL.
 * @since 0.1 (QUEUE-18)
 */
GREEN_API size_t green_queue_unfinished(const green_queue *q);

/**
 * @brief Say that nothing will be put any more. Never yields. Idempotent.
 *
 * Puts fail with #GREEN_ECLOSED from now on, those that wait included; gets take what is left and fail likewise then.
 *
 * @param q a queue.
 * @retval 0       done.
 * @retval -EINVAL q is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API int green_queue_shutdown(green_queue *q);

GREEN_END_DECLS

#endif
