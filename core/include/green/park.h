/**
 * @file
 * @brief Park and wake: the one way a green thread waits. For those who build primitives.
 *
 * A primitive keeps a #green_waitq; a waiter parks on it with a node on its own stack. The waker *hands over*: it takes
 * the first node, puts the item, permit or slot into it and calls green_wake(). From then on that wait has succeeded: a
 * kill or timeout that comes later is seen by the waiter's next call, and the waiter touches the primitive no more. A
 * waiter that is killed or timed out is taken off its queues before it runs, so nothing is handed to it.
 *
 *     int my_get(struct my *m, void **ret_item, double timeout)
 *     {
 *             struct green_wait w;
 *             int rc = green_park_check(m->ident, "a my", timeout, NULL);
 *
 *             if (rc != 0)
 *                     return rc;
 *             if (my_take(m, ret_item))
 *                     return 0;
 *             rc = green_park(&m->getters, &w, timeout);
 *             if (rc == 0)
 *                     *ret_item = w.value;
 *             return rc;
 *     }
 *
 *     void my_put(struct my *m, void *item)
 *     {
 *             struct green_wait *w = green_waitq_first(&m->getters);
 *
 *             if (w != NULL) {
 *                     w->value = item;
 *                     green_wake(w, 0);
 *             } else {
 *                     my_store(m, item);
 *             }
 *     }
 *
 * Everything here is for one OS thread but green_wake_mt(), green_claim_mt() and green_hand_mt().
 */
#ifndef GREEN_PARK_H
#define GREEN_PARK_H

#include <green/base.h>

GREEN_BEGIN_DECLS

struct green_wait;

/** Those who wait, in the order they came. Zeroed is empty. */
struct green_waitq {
        struct green_wait *first; /**< waited longest */
        struct green_wait *last;  /**< came last */
};

/** A place in a queue. It lives on the waiter's stack while it waits. */
struct green_wait {
        struct green_wait *next;   /**< core's */
        struct green_wait *prev;   /**< core's */
        struct green_waitq *queue; /**< where it waits; NULL once woken. Set before green_park_any(), with kind 0 */
        green_thread *thread;      /**< who waits */
        void *value;               /**< what is handed over, in either direction: the waker reads and sets it */
        unsigned kind;             /**< core's; 0 before green_park_any() */
        unsigned user;             /**< the primitive's own */
};

/**
 * @brief What a call that may wait checks before it does anything: whose object it is, the time limit, the caller's
 *        scopes. Never yields, unless it fails because of a scope.
 *
 * With a limit of 0 scopes are not looked at.
 *
 * @param      ident    green_hub_ident() at the object's making.
 * @param      what     what the object is, for the message: "a queue".
 * @param      timeout  the limit that the call was given.
 * @param[out] ret_self the caller; NULL in a hub callback. Set on success. NULL if not wanted.
 * @retval 0              go on.
 * @retval -EPERM         the object belongs to another OS thread; both are in the log and in green_last_error().
 * @retval -EINVAL        the limit is negative or NaN.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_park_check(uint64_t ident, const char *what, double timeout, green_thread **ret_self);

/**
 * @brief Wait in a queue until woken. Yields, unless it fails at once.
 *
 * @param q       where; the caller comes last.
 * @param w       the caller's node: set its value and user before if the waker is to see them. Nothing else is read.
 * @param timeout seconds; GREEN_FOREVER waits for good, 0 fails at once.
 * @retval 0              woken with 0: what was handed over is in w->value.
 * @retval -ETIMEDOUT     the time is over.
 * @retval GREEN_EKILLED  killed (or the code of the kill); @c GREEN_ETIMEOUT (or its code) likewise for a timeout.
 * @retval -EINVAL        the time is negative or NaN.
 * @retval -EDEADLK       not in a green thread, so nothing can wait.
 * @return otherwise the code given to green_wake().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_park(struct green_waitq *q, struct green_wait *w, double timeout);

/**
 * @brief Wait in several queues at once until woken in one of them. Yields, unless it fails at once.
 *
 * When it returns, all nodes are off their queues.
 *
 * @param      waits     nodes, each zeroed and its queue set (NULL: takes no part), or made by green_wait_fd().
 * @param      n         how many; 0 waits for time and scopes alone.
 * @param      timeout   as for green_park().
 * @param[out] ret_index which was woken; set where green_wake() decided the result, whatever its code. May be NULL.
 * @return as green_park().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_park_any(struct green_wait *waits, size_t n, double timeout, size_t *ret_index);

/**
 * @brief Let a node of the next green_park_any() wait for a descriptor. Never yields.
 *
 * It is woken with 0 when the descriptor is ready, failed or hung up, and with -ECANCELED when that was declared
 * closed. No call that yields may stand between this and green_park_any(), which ends what this began, however it
 * returns; with a time limit of 0 it does nothing else.
 *
 * @param[out] w      the node; its queue is set.
 * @param      fd     a descriptor, as for green_trampoline().
 * @param      events #GREEN_READ or #GREEN_WRITE, one of them; with #GREEN_SHARED others may wait for the same.
 * @retval 0       it will wait.
 * @retval 1       always ready (a regular file): there is nothing to wait for, and the node takes no part.
 * @retval -EINVAL both or neither direction, or a negative descriptor.
 * @retval -EBADF  not open.
 * @retval -EBUSY  another green thread waits for the same; green_last_error() names both (FD-02).
 * @retval -ENOMEM memory ran out.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_wait_fd(struct green_wait *w, green_fd fd, unsigned events);

/**
 * @brief Who has waited longest. Never yields.
 * @param q a queue.
 * @return the node, or NULL if nobody waits.
 * @since 0.1
 */
static inline struct green_wait *
green_waitq_first(const struct green_waitq *q)
{
        return q->first;
}

/**
 * @brief End a wait: the waiter is taken off all its queues and made ready; it runs after those that are ready now.
 *
 * Never yields. The node may be read and written until the caller yields.
 *
 * @param w    a node that waits; one that does not (its queue is NULL) is left alone.
 * @param code what its green_park() returns: 0, or negative.
 * @since 0.1
 */
GREEN_API void green_wake(struct green_wait *w, int code);

/**
 * @brief Wake the one that has waited longest. Never yields.
 * @param q     a queue.
 * @param value handed over.
 * @return true if somebody waited.
 * @since 0.1
 */
GREEN_API bool green_wake_one(struct green_waitq *q, void *value);

/**
 * @brief Wake all, first come, first served. Never yields.
 * @param q    a queue; empty afterwards.
 * @param code what their green_park() returns.
 * @return how many there were.
 * @since 0.1
 */
GREEN_API size_t green_wake_all(struct green_waitq *q, int code);

/** A wake-up that any OS thread may give to the green threads of one. */
typedef struct green_waker green_waker;

/**
 * @brief Make a waker that belongs to the calling OS thread. Never yields.
 * @return the handle, for green_waker_free(); NULL with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API green_waker *green_waker_new(void);

/**
 * @brief Wait for a wake-up, and use it up. May yield; does not if one was given already.
 *
 * @param w       the waker.
 * @param timeout seconds; GREEN_FOREVER waits for good, 0 polls.
 * @return as green_park().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_waker_wait(green_waker *w, double timeout);

/**
 * @brief Give a wake-up: one that waits returns, or the next that comes does not wait. Never yields.
 *
 * thread-safe and async-signal-safe; no allocation. Those given before the hub has looked count as one.
 *
 * @param w the waker; must not have been freed.
 * @retval 0             given.
 * @retval GREEN_ECLOSED its OS thread's hub has ended.
 * @since 0.1 (HUB-13)
 */
GREEN_API int green_wake_mt(green_waker *w);

/**
 * @brief Free a waker, when no other thread will call green_wake_mt() on it any more. Never yields.
 * @param w a waker or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits for it.
 * @retval -EPERM it belongs to another OS thread, whose hub still runs.
 * @since 0.1
 */
GREEN_API int green_waker_free(green_waker *w);

/**
 * @name Waits that other OS threads end
 *
 * For objects that several OS threads use at once. Such an object has a lock of its own, never held over a wait, and a
 * list of those who wait, whose entries lie on their stacks, each with a struct green_wait_mt in it.
 *
 *     int wait_for_it(struct my *m, double timeout)            // in a green thread
 *     {
 *             struct my_entry e;
 *             int rc;
 *
 *             green_wait_mt_begin(&e.wait, my_forget);
 *             // lock; enter e into the list; unlock
 *             rc = green_park_mt(&e.wait, timeout);
 *             if (rc != 0) {
 *                     // lock; is e in the list still? then take it off; unlock
 *                     if (somebody had taken it off)
 *                             rc = green_settle_mt(&e.wait);
 *             }
 *             green_wait_mt_end(&e.wait);
 *             return rc;
 *     }
 *
 *     // in any OS thread: lock; e = the first of the list, taken off; put into it what is handed over
 *     hub = green_claim_mt(&e->wait, NULL);
 *     // unlock: from now on e must not be touched
 *     green_hand_mt(hub, &e->wait);
 *     green_hub_unref(hub);
 * @{
 */

/** A wait that other OS threads end. It lies on the waiter's stack; all of it is core's. */
struct green_wait_mt {
        void *post[4];                          /**< its way to the hub */
        struct green_wait node;                 /**< where it waits */
        struct green_waitq queue;               /**< the same */
        green_hub *hub;                         /**< of the waiter */
        void (*forget)(struct green_wait_mt *); /**< see green_wait_mt_begin() */
        void *scope;                            /**< that has ended the wait, and had failed no call before */
        bool handed;                            /**< the hand-over has come */
};

/**
 * @brief As green_park_check(), for a call of an object that belongs to no OS thread. Makes no hub.
 * @param      timeout  the limit that the call was given.
 * @param[out] ret_self the caller; NULL in a hub callback, and in an OS thread without a hub. Set where 0 or 1 is
 * returned.
 * @retval 0              go on.
 * @retval 1              go on; the OS thread has no hub, so if there is something to wait for it waits as a whole.
 * @retval -EINVAL        the limit is negative or NaN.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_park_check_mt(double timeout, green_thread **ret_self);

/**
 * @brief Make a wait ready to be entered into a list. Never yields. Only in a green thread, one at a time in each.
 * @param w      on the stack of the caller; until green_wait_mt_end().
 * @param forget called when the green thread is freed unrun by the end of its hub, in its OS thread: it takes the entry
 * off its list, under the lock, if it is in there. After a fork it is not called in the child, where the object forgets
 * all entries by itself.
 * @since 0.1
 */
GREEN_API void green_wait_mt_begin(struct green_wait_mt *w, void (*forget)(struct green_wait_mt *w));

/**
 * @brief Wait for the hand-over. May yield; does not if it has come already.
 * @param w       the wait.
 * @param timeout seconds; GREEN_FOREVER waits for good, 0 polls.
 * @retval 0 it has come.
 * @return otherwise as green_park(): the entry may be in its list still, or may just have been taken off. The caller
 * looks, under the lock, and in the second case calls green_settle_mt().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_park_mt(struct green_wait_mt *w, double timeout);

/**
 * @brief Wait for a hand-over that is under way, whatever has fired: the entry was taken off its list. May yield,
 * shortly. The call succeeds after all: a scope that has ended the wait counts as not having failed it.
 * @param w the wait.
 * @return 0.
 * @since 0.1
 */
GREEN_API int green_settle_mt(struct green_wait_mt *w);

/**
 * @brief The end of a wait that is in no list any more. Never yields.
 * @param w the wait.
 * @since 0.1
 */
GREEN_API void green_wait_mt_end(struct green_wait_mt *w);

/**
 * @brief Begin a hand-over: under the lock, by the one that took the entry off its list. Never yields. thread-safe.
 * @param w    the wait. Once the lock is given back it must not be touched: its hub may end.
 * @param held a hub of which the caller has a reference already, or NULL.
 * @return the waiter's hub, for green_hand_mt(); and green_hub_unref() after it, unless it is @p held.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE green_hub *green_claim_mt(struct green_wait_mt *w, green_hub *held);

/**
 * @brief End a hand-over: the waiter will run. Never yields. thread-safe. Best called without the lock.
 * @param hub what green_claim_mt() has returned; still the caller's.
 * @param w   the wait.
 * @retval 0             done.
 * @retval GREEN_ECLOSED the waiter's hub has ended meanwhile; the waiter will never run.
 * @since 0.1
 */
GREEN_API int green_hand_mt(green_hub *hub, struct green_wait_mt *w);
/** @} */

GREEN_END_DECLS

#endif
