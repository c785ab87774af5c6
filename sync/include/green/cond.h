/**
 * @file
 * @brief Condition variables: wait under a lock until somebody says that something has changed.
 *
 *     rc = green_lock_acquire(lock, GREEN_FOREVER);
 *     while (rc == 0 && !ready)
 *             rc = green_cond_wait(cond, lock, GREEN_FOREVER);
 *     ...
 *     green_lock_release(lock);
 */
#ifndef GREEN_COND_H
#define GREEN_COND_H

#include <green/base.h>
#include <green/lock.h>

GREEN_BEGIN_DECLS

/** A condition variable. Opaque; it belongs to the OS thread that made it. */
typedef struct green_cond green_cond;

/**
 * @brief Make a condition variable. Never yields.
 * @return the handle, for green_cond_free(); NULL with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API green_cond *green_cond_new(void);

/**
 * @brief Free a condition variable. Never yields.
 * @param c one or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits: nothing was done.
 * @since 0.1
 */
GREEN_API int green_cond_free(green_cond *c);

/**
 * @brief Release a lock, wait to be told, and take the lock again. Yields, unless it fails at once.
 *
 * Whatever it returns, but for -EINVAL and -EPERM, *the caller holds the lock*: taking it again is shielded and has no
 * limit. There are no wake-ups out of nothing, but what one was told may not be true any more when one runs: test it
 * again.
 *
 * @param c       a condition variable.
 * @param l       a lock that is held.
 * @param timeout seconds until told; #GREEN_FOREVER waits for good; 0 fails at once.
 * @retval 0              told.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        c or l is NULL, l is not locked, or the time is negative or NaN.
 * @retval -EPERM         one of them belongs to another OS thread.
 * @retval -EDEADLK       called from a hub callback.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_cond_wait(green_cond *c, green_lock *l, double timeout);

/**
 * @brief Tell the one that has waited longest. Never yields. The caller need not hold the lock.
 * @param c a condition variable.
 * @retval 1       somebody was told.
 * @retval 0       nobody waits: it is not remembered.
 * @retval -EINVAL c is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API int green_cond_signal(green_cond *c);

/**
 * @brief Tell all who wait. Never yields. They take the lock in the order they came.
 * @param c a condition variable.
 * @return how many, 0 or more (at most INT_MAX is told); -EINVAL, -EPERM as green_cond_signal().
 * @since 0.1
 */
GREEN_API int green_cond_broadcast(green_cond *c);

GREEN_END_DECLS

#endif
