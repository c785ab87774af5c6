/**
 * @file
 * @brief Wait for the first of several: queues, events, semaphores, descriptors, and a time.
 *
 *     struct green_select_case c[] = {GREEN_CASE_GET(jobs), GREEN_CASE_EVENT(stop), GREEN_CASE_READ(fd)};
 *     size_t which;
 *     int rc = green_select(c, 3, 10.0, &which);
 *
 *     if (rc == 0 && which == 0 && c[0].result == 0)
 *             work(c[0].value);
 */
#ifndef GREEN_SELECT_H
#define GREEN_SELECT_H

#include <green/base.h>
#include <green/event.h>
#include <green/queue.h>
#include <green/semaphore.h>

GREEN_BEGIN_DECLS

/** Cases that one green_select() takes at most. */
#define GREEN_SELECT_MAX 128

/** What a case waits for. */
enum green_select_op {
        GREEN_SELECT_NONE = 0, /**< nothing: the case takes no part */
        GREEN_SELECT_GET,      /**< an item of a queue */
        GREEN_SELECT_PUT,      /**< room in a queue for an item */
        GREEN_SELECT_EVENT,    /**< an event to be sent */
        GREEN_SELECT_ACQUIRE,  /**< a permit of a semaphore */
        GREEN_SELECT_READ,     /**< a descriptor to be ready for reading */
        GREEN_SELECT_WRITE     /**< a descriptor to be ready for writing */
};

/** One case. Make it with the macros below. */
struct green_select_case {
        enum green_select_op op; /**< what for */
        int result;              /**< of the case that won: 0, or how what it stands for failed; see green_select() */
        void *object;            /**< the queue, event or semaphore */
        void *value;             /**< PUT: the item; GET: set to the item; EVENT: set to the value */
        green_fd fd;             /**< READ, WRITE: the descriptor */
};

#ifdef __cplusplus
/** @cond */
static inline struct green_select_case
green_case_(enum green_select_op op, void *object, void *value, green_fd fd)
{
        struct green_select_case c;

        c.op = op;
        c.result = 0;
        c.object = object;
        c.value = value;
        c.fd = fd;
        return c;
}
/** @endcond */
#define GREEN_CASE_(op, object, value, fd) green_case_((op), (object), (value), (fd))
#else
/** @cond */
#define GREEN_CASE_(op, object, value, fd) {(op), 0, (object), (value), (fd)}
/** @endcond */
#endif

/**
 * @name Cases, as initialisers of struct green_select_case
 * @{
 */
/** Take an item of a queue. */
#define GREEN_CASE_GET(queue) GREEN_CASE_(GREEN_SELECT_GET, (queue), NULL, GREEN_INVALID_FD)
/** Put an item into a queue. */
#define GREEN_CASE_PUT(queue, item) GREEN_CASE_(GREEN_SELECT_PUT, (queue), (item), GREEN_INVALID_FD)
/** Wait for an event. */
#define GREEN_CASE_EVENT(event) GREEN_CASE_(GREEN_SELECT_EVENT, (event), NULL, GREEN_INVALID_FD)
/** Take a permit of a semaphore. */
#define GREEN_CASE_ACQUIRE(semaphore) GREEN_CASE_(GREEN_SELECT_ACQUIRE, (semaphore), NULL, GREEN_INVALID_FD)
/** Wait for a descriptor to be ready for reading; as for green_trampoline(). */
#define GREEN_CASE_READ(descriptor) GREEN_CASE_(GREEN_SELECT_READ, NULL, NULL, (descriptor))
/** Wait for a descriptor to be ready for writing; as for green_trampoline(). */
#define GREEN_CASE_WRITE(descriptor) GREEN_CASE_(GREEN_SELECT_WRITE, NULL, NULL, (descriptor))
/** @} */

/**
 * @brief Do the first of several things that can be done, and nothing else. May yield; does not where one can be done
 *        at once.
 *
 * Exactly one case wins, and only that has an effect: nothing is taken from the others or put into them. Of several
 * that can be done at once each wins in its turn. Waiting costs no memory, no green thread and no timer a case.
 * Fairness to others is as if the caller waited in each of them: it is served in the order it came.
 *
 * @param[in,out] cases     what to wait for; of the one that won, `result` and `value` are set.
 * @param         n         how many, at most #GREEN_SELECT_MAX; 0 waits for time and scopes alone.
 * @param         timeout   seconds for all; #GREEN_FOREVER waits for good, 0 tries.
 * @param[out]    ret_index the case that won; set on 0 only.
 * @retval 0              a case won. Its `result` is 0; or, of GET and PUT, #GREEN_ECLOSED or -ENOMEM; of EVENT, the
 *                        error that was sent; of READ and WRITE, -ECANCELED (closed), -EBADF, -EBUSY (another waits for
 *                        it), -ENOMEM.
 * @retval -ETIMEDOUT     none in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        ret_index is NULL, or cases where n is not 0, too many, an unknown op, an object that is NULL,
 *                        a descriptor that is negative, or the time is negative or NaN. Nothing was done.
 * @retval -EPERM         one of the objects belongs to another OS thread. Nothing was done.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (ISS-12)
 */
GREEN_API GREEN_MUST_USE int green_select(struct green_select_case *cases, size_t n, double timeout, size_t *ret_index);

GREEN_END_DECLS

#endif
