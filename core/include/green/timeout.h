/**
 * @file
 * @brief Timeouts: cancel scopes with a deadline.
 *
 * C cannot throw, so a timeout that fires makes the blocking calls inside it fail, *and keep failing* until the scope
 * ends: code that forgets one check cannot run on for ever.
 *
 *     struct green_timeout t;
 *
 *     green_timeout_start(&t, 2.5);
 *     rc = talk(peer);                     // any depth of calls
 *     if (green_timeout_cancel(&t) == 1)   // it was this timeout that ended it
 *             rc = -EHOSTUNREACH;
 *
 * Scopes nest and may be cancelled in any order, each by the green thread that started it. A kill (green_kill()) is the
 * outermost scope. A parked call returns the code of the scope that woke it; a check on entry that of the outermost one
 * that has fired. A timeout can only fire while its green thread waits or yields.
 */
#ifndef GREEN_TIMEOUT_H
#define GREEN_TIMEOUT_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A timeout. It lives on the caller's stack; its size is fixed, its inside is core's. */
struct green_timeout {
        void *reserved[16]; /**< core's */
};

/** What green_timeout_start_opts() can change. */
struct green_timeout_opts {
        size_t size; /**< sizeof(struct green_timeout_opts) */
        int code;    /**< what calls return once it fired; negative; 0: #GREEN_ETIMEOUT. -ETIMEDOUT
                          could not be told from a call's own limit */
        bool silent; /**< green_timeout_cancel() hides it: 0 instead of 1 where it fired (eventlet's exception=False) */
};

/**
 * @brief Start a timeout for the calling green thread. Never yields.
 *
 * @param t       storage, of the caller, not in use; it must stay until green_timeout_cancel().
 * @param seconds from now; 0 or negative fires at once; GREEN_FOREVER never fires.
 * @retval 0        started.
 * @retval -EINVAL  NaN.
 * @retval -EBUSY   it is started already (TMO-10).
 * @retval -ENOMEM  memory ran out.
 * @retval -EDEADLK not in a green thread.
 * @since 0.1 (TMO-01, TMO-04, TMO-05)
 */
GREEN_API int green_timeout_start(struct green_timeout *t, double seconds);

/**
 * @brief The same with options. Never yields.
 * @param t       storage.
 * @param seconds as for green_timeout_start().
 * @param opts    NULL for defaults; a code that is positive is -EINVAL.
 * @return as green_timeout_start().
 * @since 0.1 (TMO-02)
 */
GREEN_API int green_timeout_start_opts(struct green_timeout *t, double seconds, const struct green_timeout_opts *opts);

/**
 * @brief End a timeout; it fires no more. Never yields. Does nothing on one that has ended.
 *
 * @param t started by the calling green thread, or ended.
 * @retval 1      it was this one: it has failed a call, and no scope around it (that is not shielded) has fired. A
 *                silent one gives 0 here.
 * @retval 0      it has not fired, or failed nothing, or an outer scope has fired as well and decides: then that one counts
 *                as having failed what this one has, if it has the same code.
 * @retval -EPERM another green thread started it.
 * @since 0.1 (TMO-07, TMO-11, TMO-12)
 */
GREEN_API int green_timeout_cancel(struct green_timeout *t);

/**
 * @brief Is it running? Never yields.
 * @param t a timeout.
 * @return true between its start and its firing or its end.
 * @since 0.1 (TMO-09)
 */
GREEN_API bool green_timeout_pending(const struct green_timeout *t);

/**
 * @brief Has it fired? Never yields.
 * @param t a timeout.
 * @return true between its firing and its end.
 * @since 0.1
 */
GREEN_API bool green_timeout_fired(const struct green_timeout *t);

/**
 * @brief Text form: "2.5 seconds", "1 second (silent)", "" for one that never fires. Never yields.
 * @param t    a timeout.
 * @param text where to write; ends with NUL.
 * @param len  bytes there.
 * @return bytes the whole text has, as snprintf().
 * @since 0.1 (TMO-14)
 */
GREEN_API int green_timeout_format(const struct green_timeout *t, char *text, size_t len);

#if defined(__GNUC__)
/** @cond */
static inline void
green_timeout_scope_end_(struct green_timeout *t)
{
        (void)green_timeout_cancel(t);
}
/** @endcond */
/** Declare a timeout @p name that runs from here to the end of the block, however that is left (TMO-11, TMO-18). Where it cannot start
 *  (NaN, no memory), there is no limit: use green_timeout_start() to know. */
#define GREEN_TIMEOUT_SCOPE(name, seconds)                                                                             \
        struct green_timeout name __attribute__((cleanup(green_timeout_scope_end_))) = {{0}};                          \
        (void)green_timeout_start(&(name), (seconds))
#endif

/** green_with_timeout() fails with #GREEN_ETIMEOUT instead of giving a value. */
#define GREEN_TIMEOUT_RAISE ((void *)(intptr_t)-1)

/**
 * @brief Run a function under a timeout. Yields if the function does.
 *
 * @param seconds       as for green_timeout_start().
 * @param fn            what to run, here and now, in the calling green thread.
 * @param arg           passed to fn.
 * @param timeout_value what to return, in place of the result of fn, if this timeout (and not one around it) ended fn;
 *                      #GREEN_TIMEOUT_RAISE: fail.
 * @return the result of fn, or timeout_value; green_failed() gives #GREEN_ETIMEOUT if it fails by the timeout, -EINVAL
 *         or -EDEADLK or -ENOMEM if fn could not be run, and what fn failed with otherwise.
 * @since 0.1 (TMO-13)
 */
GREEN_API void *green_with_timeout(double seconds, green_thread_fn fn, void *arg, void *timeout_value);

/**
 * @brief Does a code mean that some time limit was over? Never yields. thread-safe.
 * @param code a negative code.
 * @return true of #GREEN_ETIMEOUT, -ETIMEDOUT, #GREEN_ECONNECTTIMEOUT and codes given to green_wrap_is_timeout(); false of EMPTY, FULL, EAGAIN.
 * @since 0.1 (TMO-15)
 */
GREEN_API bool green_is_timeout(int code);

/**
 * @brief Let green_is_timeout() be true of one more code, for the whole process. Never yields. thread-safe.
 * @param code a negative code, as given to green_timeout_start_opts().
 * @retval 0       done, or done before.
 * @retval -EINVAL not negative.
 * @retval -ENOMEM there are 64 already.
 * @since 0.1 (TMO-15)
 */
GREEN_API int green_wrap_is_timeout(int code);

GREEN_END_DECLS

#endif
