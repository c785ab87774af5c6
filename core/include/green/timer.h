/**
 * @file
 * @brief Timers that call a function in hub context.
 *
 * A timer's function runs on the hub's own stack: green_getcurrent() is NULL there and nothing may wait (calls that
 * would return -EDEADLK). To do more, let it spawn a green thread or wake one. Timers with the same deadline fire in the
 * order they were scheduled. No timer fires early.
 */
#ifndef GREEN_TIMER_H
#define GREEN_TIMER_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** A timer. Opaque. */
typedef struct green_timer green_timer;

/** Called in hub context when the time has come. */
typedef void (*green_timer_fn)(void *arg);

/**
 * @brief Make a timer, not running yet. Never yields.
 * @param seconds delay from each green_timer_schedule() on; negative is 0; GREEN_FOREVER never fires.
 * @param fn      called once per schedule.
 * @param arg     passed to fn, not owned.
 * @return the handle, for green_timer_free(); NULL with `errno` EINVAL (NaN, no fn) or ENOMEM.
 * @since 0.1 (TIMER-08)
 */
GREEN_API green_timer *green_timer_new(double seconds, green_timer_fn fn, void *arg);

/**
 * @brief Start a timer, or start it anew with its full delay. Never yields. It belongs to the calling OS thread now.
 * @param t a timer.
 * @retval 0       running.
 * @retval -ENOMEM memory ran out.
 * @retval -EPERM  it is pending in another OS thread.
 * @retval -EINVAL t is NULL.
 * @since 0.1 (TIMER-01, TIMER-03)
 */
GREEN_API int green_timer_schedule(green_timer *t);

/**
 * @brief The same, but bound to the calling green thread: it does not fire once that has ended. Never yields.
 * @param t a timer.
 * @return as green_timer_schedule(); -EDEADLK outside a green thread.
 * @since 0.1 (TIMER-02)
 */
GREEN_API int green_timer_schedule_local(green_timer *t);

/**
 * @brief Stop a timer. Never yields. No effect after it fired, or twice. It may be scheduled anew.
 *
 * Its argument is not touched any more once this returns.
 *
 * @param t a timer or NULL.
 * @retval 0      it will not fire.
 * @retval -EPERM it is pending in another OS thread: nothing was done.
 * @since 0.1 (TIMER-04, TIMER-11)
 */
GREEN_API int green_timer_cancel(green_timer *t);

/**
 * @brief Is it running? Never yields.
 * @param t a timer.
 * @return true from its scheduling until it has fired, was cancelled, or (scheduled locally) its owner ended.
 * @since 0.1 (TIMER-05)
 */
GREEN_API bool green_timer_pending(const green_timer *t);

/**
 * @brief Make a timer with the same delay, function and argument, not running. Never yields.
 * @param t a timer.
 * @return as green_timer_new().
 * @since 0.1 (TIMER-08)
 */
GREEN_API green_timer *green_timer_copy(const green_timer *t);

/**
 * @brief Cancel a timer and free it. Never yields.
 * @param t a timer or NULL.
 * @retval 0      freed.
 * @retval -EPERM it is pending in another OS thread: nothing was done.
 * @since 0.1
 */
GREEN_API int green_timer_free(green_timer *t);

/**
 * @brief Have a function called once in hub context. Never yields. It is called even if the caller has ended.
 * @param seconds delay; negative is 0.
 * @param fn      what to call.
 * @param arg     passed to fn, not owned.
 * @retval 0       it will be called.
 * @retval -EINVAL NaN, or no fn.
 * @retval -ENOMEM memory ran out.
 * @since 0.1 (TIMER-01)
 */
GREEN_API int green_schedule_call_global(double seconds, green_timer_fn fn, void *arg);

/**
 * @brief The same, but it is not called if the calling green thread has ended by then. Never yields.
 * @param seconds delay; negative is 0.
 * @param fn      what to call.
 * @param arg     passed to fn, not owned.
 * @return as green_schedule_call_global(); -EDEADLK outside a green thread.
 * @since 0.1 (TIMER-02)
 */
GREEN_API int green_schedule_call_local(double seconds, green_timer_fn fn, void *arg);

GREEN_END_DECLS

#endif
