/**
 * @file
 * @brief Read-write locks: many readers, or one writer.
 *
 * First come, first served: a reader that comes after a writer waits behind it, so neither side starves the other.
 *
 * In the child of a fork() what forgotten green threads held is free. Who reads is not recorded: a read lock that the
 * forking green thread held is forgotten too, and releasing it is -EALREADY.
 */
#ifndef GREEN_RWLOCK_H
#define GREEN_RWLOCK_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A read-write lock. Opaque; it belongs to the OS thread that made it. */
typedef struct green_rwlock green_rwlock;

/**
 * @brief Make a read-write lock, unlocked. Never yields.
 * @return the handle, for green_rwlock_free(); NULL with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API green_rwlock *green_rwlock_new(void);

/**
 * @brief Free a read-write lock, held or not. Never yields.
 * @param l one or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits: nothing was done.
 * @since 0.1
 */
GREEN_API int green_rwlock_free(green_rwlock *l);

/**
 * @brief Take it together with other readers. May yield; does not where no writer holds it or waits.
 *
 * A reader must not take it again while it holds it: a writer that came between waits for the first hold, and the
 * second one for the writer.
 *
 * @param l       a read-write lock.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @return as green_lock_acquire().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_rwlock_acquire_read(green_rwlock *l, double timeout);

/**
 * @brief Take it alone. May yield; does not where it is free.
 * @param l       a read-write lock.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @return as green_lock_acquire().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_rwlock_acquire_write(green_rwlock *l, double timeout);

/**
 * @brief Give it back, taken either way. Never yields.
 *
 * The one that has waited longest has it; if that is a reader, all readers before the next writer have it.
 *
 * @param l a read-write lock.
 * @return as green_lock_release().
 * @since 0.1
 */
GREEN_API int green_rwlock_release(green_rwlock *l);

/**
 * @brief How many hold it? Never yields.
 * @param      l           a read-write lock.
 * @param[out] ret_readers the number of readers; -1: a writer. Set on 0 only.
 * @retval 0       told.
 * @retval -EINVAL l or ret_readers is NULL.
 * @since 0.1
 */
GREEN_API int green_rwlock_holders(const green_rwlock *l, long *ret_readers);

GREEN_END_DECLS

#endif
