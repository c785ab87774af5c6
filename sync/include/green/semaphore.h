/**
 * @file
 * @brief Semaphores: permits that green threads take and give back.
 *
 * A permit that is given back goes straight to the one that has waited longest. Nobody overtakes those who wait, a try
 * included, and none is lost when one that waits is killed or gives up.
 */
#ifndef GREEN_SEMAPHORE_H
#define GREEN_SEMAPHORE_H

#include <errno.h>

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A semaphore. Opaque; it belongs to the OS thread that made it. */
typedef struct green_semaphore green_semaphore;

/** Kinds of semaphore. */
enum green_semaphore_kind {
        GREEN_SEMAPHORE_PLAIN = 0, /**< counts without end */
        GREEN_SEMAPHORE_BOUNDED,   /**< giving back more than there were at first is an error */
        GREEN_SEMAPHORE_CAPPED     /**< giving back waits while the counter is at its limit */
};

/** What green_semaphore_new() can change. Set it to zero, then @ref size, then what you need. */
struct green_semaphore_opts {
        size_t size;                    /**< sizeof(struct green_semaphore_opts) */
        enum green_semaphore_kind kind; /**< default #GREEN_SEMAPHORE_PLAIN */
        long limit;                     /**< of the capped kind: the counter is never more. With 0 and a value of 0 taking and
                                             giving back meet: each waits for the other */
};

/**
 * @brief Make a semaphore. Never yields.
 * @param value permits at first, 0 or more; of the capped kind at most opts->limit.
 * @param opts  NULL for a plain one.
 * @return the handle, for green_semaphore_free(); NULL with `errno` EINVAL (negative, past the limit, unknown kind or
 *         size) or ENOMEM.
 * @since 0.1 (SEM-01, SEM-12, SEM-13)
 */
GREEN_API green_semaphore *green_semaphore_new(long value, const struct green_semaphore_opts *opts);

/**
 * @brief Free a semaphore. Never yields.
 * @param s a semaphore or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits: nothing was done.
 * @since 0.1
 */
GREEN_API int green_semaphore_free(green_semaphore *s);

/**
 * @brief Take a permit. May yield; does not where there is one, since then nobody waits for it.
 * @param s       a semaphore.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @retval 0              taken.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        s is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (SEM-02 to SEM-07, SEM-09)
 */
GREEN_API GREEN_MUST_USE int green_semaphore_acquire(green_semaphore *s, double timeout);

/**
 * @brief Give a permit back. Never yields, but for the capped kind, where it may: then it is as
 *        green_semaphore_release_timeout() without limit.
 * @param s a semaphore.
 * @retval 0          given back; the one that has waited longest has it.
 * @retval -EOVERFLOW the bounded kind has as many as at first, or the counter is at LONG_MAX: nothing was done.
 * @retval -EINVAL    s is NULL.
 * @retval -EPERM     it belongs to another OS thread.
 * @return of the capped kind also the codes of green_semaphore_acquire(): nothing was given back then.
 * @since 0.1 (SEM-08, SEM-12, SEM-13, SEM-14)
 */
GREEN_API int green_semaphore_release(green_semaphore *s);

/**
 * @brief Give a permit back; of the capped kind, wait for room no longer than a limit. May yield for that kind.
 * @param s       a semaphore.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 tries. Of other kinds only checked.
 * @retval -ETIMEDOUT no room in time.
 * @return otherwise as green_semaphore_release().
 * @since 0.1 (SEM-15)
 */
GREEN_API GREEN_MUST_USE int green_semaphore_release_timeout(green_semaphore *s, double timeout);

/**
 * @brief Would taking a permit wait? Never yields.
 * @param s a semaphore.
 * @return true if there is none; false, with green_last_error(), for NULL.
 * @since 0.1 (SEM-10)
 */
GREEN_API bool green_semaphore_locked(const green_semaphore *s);

/**
 * @brief Would giving one back wait? Never yields.
 * @param s a semaphore.
 * @return true for the capped kind at its limit; false, with green_last_error(), for NULL.
 * @since 0.1 (SEM-10, SEM-15)
 */
GREEN_API bool green_semaphore_bounded(const green_semaphore *s);

/**
 * @brief Permits less those who wait for one; of the capped kind plus those who wait to give one back. Never yields.
 * @param      s           a semaphore.
 * @param[out] ret_balance negative: so many wait. Set on 0 only.
 * @retval 0       told.
 * @retval -EINVAL s or ret_balance is NULL.
 * @since 0.1 (SEM-10, SEM-15)
 */
GREEN_API int green_semaphore_balance(const green_semaphore *s, long *ret_balance);

/**
 * @brief Write what a semaphore is as text: "<Semaphore 2 _w[0]>". Never yields.
 * @param      s    a semaphore.
 * @param[out] text room for it, always ended by a NUL if len is not 0.
 * @param      len  bytes of room.
 * @return characters of the whole text, as snprintf(); -EINVAL for NULL.
 * @since 0.1 (SEM-11)
 */
GREEN_API int green_semaphore_format(const green_semaphore *s, char *text, size_t len);

/** A permit held by a block: see GREEN_SEMAPHORE_SCOPE(). */
struct green_semaphore_scope {
        green_semaphore *semaphore; /**< what to give back to */
        int rc;                     /**< how the acquire ended: 0, held */
};

#if defined(__GNUC__)
/** @cond */
static inline void
green_semaphore_scope_end_(struct green_semaphore_scope *scope)
{
        /* Without a wait first: that works also where a scope around the block has fired, and then nothing is lost. */
        if (scope->rc == 0 && green_semaphore_release_timeout(scope->semaphore, 0) == -ETIMEDOUT)
                (void)green_semaphore_release(scope->semaphore);
}
/** @endcond */
/** Take a permit, without limit, and give it back at the end of the block, however that is left (SEM-17). Look at
 *  `name.rc`: where it is not 0 nothing was taken. */
#define GREEN_SEMAPHORE_SCOPE(name, s)                                                                                 \
        struct green_semaphore_scope name __attribute__((cleanup(green_semaphore_scope_end_))) = {(s), 0};             \
        (name).rc = green_semaphore_acquire((name).semaphore, GREEN_FOREVER)
#endif

GREEN_END_DECLS

#endif
