/**
 * @file
 * @brief Metaphores: a counter that can be waited to zero. (eventlet.coros.metaphore; others call it a wait group.)
 */
#ifndef GREEN_METAPHORE_H
#define GREEN_METAPHORE_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A metaphore. Opaque; it belongs to the OS thread that made it. */
typedef struct green_metaphore green_metaphore;

/**
 * @brief Make a metaphore, at 0. Never yields.
 * @return the handle, for green_metaphore_free(); NULL with `errno` ENOMEM.
 * @since 0.1 (META-01)
 */
GREEN_API green_metaphore *green_metaphore_new(void);

/**
 * @brief Free a metaphore. Never yields.
 * @param m one or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits: nothing was done.
 * @since 0.1
 */
GREEN_API int green_metaphore_free(green_metaphore *m);

/**
 * @brief Count up. Never yields.
 * @param m  a metaphore.
 * @param by 1 or more.
 * @retval 0          counted.
 * @retval -EINVAL    m is NULL, or @p by is less than 1.
 * @retval -EOVERFLOW the counter would pass LONG_MAX: nothing was done.
 * @retval -EPERM     it belongs to another OS thread.
 * @since 0.1 (META-02)
 */
GREEN_API int green_metaphore_inc(green_metaphore *m, long by);

/**
 * @brief Count down, not below 0. At 0 all who wait are woken. Never yields.
 * @param m  a metaphore; at 0 nothing happens.
 * @param by 1 or more.
 * @retval 0       counted.
 * @retval -EINVAL m is NULL, or @p by is less than 1.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (META-03, META-04)
 */
GREEN_API int green_metaphore_dec(green_metaphore *m, long by);

/**
 * @brief Wait until the counter is 0. May yield; does not where it is.
 * @param m       a metaphore.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 asks.
 * @retval 0              it was 0. It may have been counted up since.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        m is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (META-01)
 */
GREEN_API GREEN_MUST_USE int green_metaphore_wait(green_metaphore *m, double timeout);

/**
 * @brief The counter. Never yields.
 * @param m a metaphore.
 * @return 0 or more; 0, with green_last_error(), for NULL.
 * @since 0.1
 */
GREEN_API long green_metaphore_count(const green_metaphore *m);

GREEN_END_DECLS

#endif
