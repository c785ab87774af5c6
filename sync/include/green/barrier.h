/**
 * @file
 * @brief Barriers: wait until so many have come.
 */
#ifndef GREEN_BARRIER_H
#define GREEN_BARRIER_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A barrier. Opaque; it belongs to the OS thread that made it. */
typedef struct green_barrier green_barrier;

/**
 * @brief Make a barrier. Never yields.
 * @param parties how many must come, at least 1.
 * @return the handle, for green_barrier_free(); NULL with `errno` EINVAL or ENOMEM.
 * @since 0.1
 */
GREEN_API green_barrier *green_barrier_new(size_t parties);

/**
 * @brief Free a barrier. Never yields.
 * @param b one or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits: nothing was done.
 * @since 0.1
 */
GREEN_API int green_barrier_free(green_barrier *b);

/**
 * @brief Wait until as many have come as the barrier is for. May yield; the last to come does not.
 *
 * The barrier is then as new. One that gives up or is killed counts as not having come.
 *
 * @param b       a barrier.
 * @param timeout seconds; #GREEN_FOREVER waits for good; 0 fails at once, unless the caller is the last.
 * @retval 1              all have come, and the caller last: to do what one of them must.
 * @retval 0              all have come.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        b is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_barrier_wait(green_barrier *b, double timeout);

/**
 * @brief How many wait now? Never yields.
 * @param b a barrier.
 * @return 0 or more; 0, with green_last_error(), for NULL.
 * @since 0.1
 */
GREEN_API size_t green_barrier_waiting(const green_barrier *b);

GREEN_END_DECLS

#endif
