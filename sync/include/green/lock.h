/**
 * @file
 * @brief Locks: one green thread at a time.
 *
 * A lock is needed only where the code under it yields: between two yields everything is atomic anyway. It is not
 * re-entrant. Those who wait get it in the order they came.
 *
 * In the child of a fork() a lock whose owner was forgotten is free.
 */
#ifndef GREEN_LOCK_H
#define GREEN_LOCK_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A lock. Opaque; it belongs to the OS thread that made it. */
typedef struct green_lock green_lock;

/**
 * @brief Make a lock, unlocked. Never yields.
 * @return the handle, for green_lock_free(); NULL with `errno` ENOMEM.
 * @since 0.1 (LOCK-01)
 */
GREEN_API green_lock *green_lock_new(void);

/**
 * @brief Free a lock, held or not. Never yields.
 * @param l a lock or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits: nothing was done.
 * @since 0.1
 */
GREEN_API int green_lock_free(green_lock *l);

/**
 * @brief Take a lock. May yield; does not where it is free.
 * @param l       a lock. One that the caller holds is waited for like any other: another green thread may release it.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @retval 0              taken.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        l is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (LOCK-01, LOCK-02, LOCK-04)
 */
GREEN_API GREEN_MUST_USE int green_lock_acquire(green_lock *l, double timeout);

/**
 * @brief Give a lock back: the one that has waited longest has it. Never yields.
 *
 * Any green thread of the OS thread may; debug builds report it where it is not the one that took it.
 *
 * @param l a lock.
 * @retval 0         given back.
 * @retval -EALREADY it is not locked.
 * @retval -EINVAL   l is NULL.
 * @retval -EPERM    it belongs to another OS thread.
 * @since 0.1 (LOCK-01, LOCK-02, LOCK-05)
 */
GREEN_API int green_lock_release(green_lock *l);

/**
 * @brief Does somebody hold it? Never yields.
 * @param l a lock.
 * @return false, with green_last_error(), for NULL.
 * @since 0.1
 */
GREEN_API bool green_lock_locked(const green_lock *l);

/** A lock held by a block: see GREEN_LOCK_SCOPE(). */
struct green_lock_scope {
        green_lock *lock; /**< what to release */
        int rc;           /**< how the acquire ended: 0, held */
};

#if defined(__GNUC__)
/** @cond */
static inline void
green_lock_scope_end_(struct green_lock_scope *scope)
{
        if (scope->rc == 0)
                (void)green_lock_release(scope->lock);
}
/** @endcond */
/** Take a lock, without limit, and release it at the end of the block, however that is left (SEM-17). Look at
 *  `name.rc`: where it is not 0 the lock was not taken. */
#define GREEN_LOCK_SCOPE(name, l)                                                                                      \
        struct green_lock_scope name __attribute__((cleanup(green_lock_scope_end_))) = {(l), 0};                       \
        (name).rc = green_lock_acquire((name).lock, GREEN_FOREVER)
#endif

GREEN_END_DECLS

#endif
