/**
 * @file
 * @brief Awaitables: make an operation that ends with a callback a call that blocks.
 *
 * Libraries that know no green threads begin an operation and call a function when it has ended. A #green_awaitable
 * says how to begin one and how to ask for its end; green_await() waits for it, and green_spawn_for_awaitable() makes
 * a green thread of it, which ends as the operation does. The callback calls green_complete():
 *
 *     static void
 *     answered(struct lookup *l, int error)     // called by the library
 *     {
 *             if (error == 0)
 *                     green_complete(l->done, l);
 *             else
 *                     green_complete_error(l->done, -EHOSTUNREACH);
 *     }
 *
 *     static int
 *     start(void *arg, green_completion *done)
 *     {
 *             struct lookup *l = arg;
 *
 *             l->done = done;
 *             return lib_begin(l, answered) ? 0 : -ENOMEM;
 *     }
 *
 *     static void
 *     cancel(void *arg, green_completion *done)
 *     {
 *             lib_stop(arg);                          // answered() is not called any more,
 *             green_complete_error(done, -ECANCELED); // so it is told here
 *     }
 *
 *     const struct green_awaitable aw = {.size = sizeof aw, .start = start, .cancel = cancel, .arg = &lookup};
 *     int rc = green_await(&aw, &result);
 *
 * There is one rule: once start has returned 0, the operation calls green_complete() or green_complete_error() exactly
 * once, cancelled or not, at any time from inside start on. Until then what it uses stays, however the one that waits
 * was killed; afterwards it must not use its #green_completion.
 *
 * start and cancel run in hub context: green_getcurrent() is NULL there, locals are not those of the one that waits,
 * and what would have to wait returns -EDEADLK (AIO-05).
 */
#ifndef GREEN_AWAITABLE_H
#define GREEN_AWAITABLE_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** Where an operation says that it has ended. Opaque; handed to green_awaitable::start. */
typedef struct green_completion green_completion;

/** How to begin an operation and how to end it early. Set it to zero, then @ref size, then what you need. */
struct green_awaitable {
        size_t size; /**< sizeof(struct green_awaitable) */
        /** Begins the operation. Called once, in hub context. 0: begun, @p done will be completed, or was; a negative
            code: not begun, and @p done is not used any more. */
        int (*start)(void *arg, green_completion *done);
        /** Asks for its end: called at most once, in hub context, and not where that is known to have come. @p done is
            still completed exactly once, in here or later; with what does not matter. NULL: it cannot be cancelled, and
            whoever is killed meanwhile stays until it has ended. */
        void (*cancel)(void *arg, green_completion *done);
        void *arg;                         /**< passed to both, not owned; it stays until the operation has ended */
        void (*drop_result)(void *result); /**< takes a result that nobody gets: who waited was killed or timed out */
};

/**
 * @brief Begin an operation and wait for its end. Yields.
 *
 * Where the caller is killed, or a timeout around it fires, the operation is cancelled, and the call returns when it
 * has ended, shielded until then: what the operation uses may be on the caller's stack. A result that came
 * nevertheless goes to green_awaitable::drop_result.
 *
 * @param      aw         the operation; copied.
 * @param[out] ret_result what green_complete() was given; set on 0 only. NULL if not wanted.
 * @retval 0              it has ended with a result.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes). If that was so on entry, it was
 *                        never begun.
 * @retval -EINVAL        no start, or a size that is not known.
 * @retval -EDEADLK       called in a hub callback, or it is the end of the caller itself (green_awaitable_thread()).
 * @retval -ENOMEM        memory ran out: it was never begun.
 * @return otherwise the code of green_complete_error(), or of start.
 * @since 0.1 (AIO-01, AIO-03, AIO-05, AIO-07)
 */
GREEN_API GREEN_MUST_USE int green_await(const struct green_awaitable *aw, void **ret_result);

/**
 * @brief Make a green thread of an operation: it ends with its result or its error. Never yields.
 *
 * The operation begins when the green thread first runs; killed before, it is never begun. Killing it cancels the
 * operation, and it ends, with the code of the kill, when the operation has. A timeout around green_thread_wait() ends
 * that wait only. A result that nobody can get goes to green_awaitable::drop_result.
 *
 * @param aw the operation; copied.
 * @return a handle, the caller's: give it back with green_thread_unref(). NULL with `errno` and green_last_error():
 *         EINVAL (no start, or a size that is not known), ENOMEM.
 * @since 0.1 (AIO-01, AIO-03)
 */
GREEN_API green_thread *green_spawn_for_awaitable(const struct green_awaitable *aw);

/** @brief green_spawn_for_awaitable() with its place. @param aw see there. @param where "file:line", constant. @return see there. */
GREEN_API green_thread *green_spawn_for_awaitable_at(const struct green_awaitable *aw, const char *where);
/** @cond */
/* Variadic, so that the argument may be a compound literal. */
#define green_spawn_for_awaitable(...) green_spawn_for_awaitable_at(__VA_ARGS__, GREEN_HERE)
/** @endcond */

/**
 * @brief Say that an operation has ended, with a result. Never yields. thread-safe.
 *
 * From a hub callback, a green thread, or another OS thread: then the one that waits learns of it when its OS thread
 * looks for posts next. It needs no memory.
 *
 * @param done   as given to start; must not be used afterwards.
 * @param result what green_await() gives.
 * @retval 0             told.
 * @retval GREEN_ECLOSED nobody waits any more, since the hub has ended or this is the child of a fork(): the result is
 *                       the caller's affair.
 * @retval -EALREADY     it was told before, and who waits has not run yet. (Later than that, done is gone.)
 * @retval -EINVAL       done is NULL.
 * @since 0.1 (AIO-01)
 */
GREEN_API int green_complete(green_completion *done, void *result);

/**
 * @brief Say that an operation has ended, with an error. Never yields. thread-safe.
 * @param done as given to start; must not be used afterwards.
 * @param code negative: what green_await() returns.
 * @return as green_complete(); -EINVAL also where the code is not negative: it is then not told.
 * @since 0.1 (AIO-01)
 */
GREEN_API int green_complete_error(green_completion *done, int code);

/**
 * @brief The end of a green thread, as an awaitable: for code that takes one. Never yields.
 *
 * It ends as the green thread does, with its result or the code it ended with; of one that was killed that is
 * #GREEN_EKILLED, or the code of the kill, as if the awaitable had been cancelled. Cancelling it kills the green
 * thread.
 *
 * @param[out] ret the awaitable; set on 0 only. It owns no handle: keep yours until the wait is over.
 * @param      gt  a green thread of the calling OS thread, running or ended.
 * @retval 0       made.
 * @retval -EINVAL ret or gt is NULL.
 * @since 0.1 (AIO-04)
 */
GREEN_API int green_awaitable_thread(struct green_awaitable *ret, green_thread *gt);

GREEN_END_DECLS

#endif
