/**
 * @file
 * @brief Watches: be called when a descriptor is ready or a time has come, without a green thread.
 *
 * For the many that are idle: a watch costs its own storage and nothing else. It fires once: start it again to be called
 * again. Its function runs in hub context: green_getcurrent() is NULL there, and nothing may wait; let it spawn or wake
 * a green thread.
 */
#ifndef GREEN_WATCH_H
#define GREEN_WATCH_H

#include <green/base.h>
#include <green/io.h>

GREEN_BEGIN_DECLS

/** A watch, in the caller's storage. Its size is fixed, its inside is core's. Zeroed is stopped. */
struct green_watch {
        uint64_t reserved[23]; /**< core's */
};

/**
 * Called in hub context.
 * @param w      the watch, stopped: it may be started again or its storage freed.
 * @param result #GREEN_READ and #GREEN_WRITE bits; -ETIMEDOUT: its time has come; -ECANCELED: the descriptor was closed.
 * @param arg    as given.
 */
typedef void (*green_watch_fn)(struct green_watch *w, int result, void *arg);

/**
 * @brief Watch a descriptor, a time, or both. Never yields.
 *
 * @param w       storage, not in use; it must stay until the watch has fired or was stopped.
 * @param fd      a descriptor; GREEN_INVALID_FD watches the time only.
 * @param events  #GREEN_READ, #GREEN_WRITE or both; 0 with GREEN_INVALID_FD.
 * @param timeout seconds from the hub's next look at the clock, which is not before this call and at the latest when the
 *                caller has let others run; GREEN_FOREVER for none.
 * @retval 0       started. It never fires before this returns.
 * @retval -EINVAL bad descriptor, events or time, no function, or nothing to watch.
 * @retval -EBUSY  it is started, or another one waits for the same descriptor and direction.
 * @retval -ENOMEM memory ran out.
 * @return otherwise what the hub says (-EBADF).
 * @since 0.1
 */
GREEN_API int green_watch_start(struct green_watch *w, green_fd fd, unsigned events, double timeout);

/**
 * @brief Prepare a watch: say whom it calls. Never yields.
 * @param w   storage.
 * @param fn  called each time it fires.
 * @param arg passed to fn.
 * @since 0.1
 */
GREEN_API void green_watch_init(struct green_watch *w, green_watch_fn fn, void *arg);

/**
 * @brief As green_watch_start(), on a registered descriptor: no system call is needed. Never yields.
 *
 * As with green_io_wait(), the system call must have said EAGAIN before.
 *
 * @param w       storage, not in use.
 * @param io      a registration.
 * @param events  as for green_watch_start(), not 0.
 * @param timeout seconds; GREEN_FOREVER for none.
 * @return as green_watch_start(); -EBADF if io is closed.
 * @since 0.1
 */
GREEN_API int green_watch_start_io(struct green_watch *w, green_io *io, unsigned events, double timeout);

/**
 * @brief Stop a watch: its function is not called any more. Never yields.
 * @param w a watch, started or not.
 * @return true if it was started (and had not been called).
 * @since 0.1
 */
GREEN_API bool green_watch_stop(struct green_watch *w);

/**
 * @brief Is it started? Never yields.
 * @param w a watch.
 * @return true until it fires or is stopped.
 * @since 0.1
 */
GREEN_API bool green_watch_active(const struct green_watch *w);

/**
 * @brief Does it still wait? Never yields.
 * @param w a watch.
 * @return true if it is started and what it waits for has not come; false also where it has, and its function is about to be
 *         called.
 * @since 0.1
 */
GREEN_API bool green_watch_waits(const struct green_watch *w);

GREEN_END_DECLS

#endif
