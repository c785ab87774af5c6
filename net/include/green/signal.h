/**
 * @file
 * @brief Signals of the system, waited for by green threads.
 *
 * A handler runs in the midst of anything, and can call next to nothing. Here the handler is green-net's: it notes the
 * signal and wakes whoever waits for it, a green thread, which may do as it likes.
 *
 *     green_signal *hup = green_signal_new(SIGHUP);
 *
 *     while (green_signal_wait(hup, GREEN_FOREVER, NULL) == 0)
 *             reload();
 *
 * The handler that was there before is put back when the last handle of a signal is freed, unless somebody has put
 * another one in its place. It is not called meanwhile, but for SIGCHLD: children may be somebody else's. SIGKILL,
 * SIGSTOP and those that say that the program is broken (SIGSEGV, SIGBUS, SIGFPE, SIGILL) cannot be waited for.
 *
 * On Windows there are SIGINT and SIGBREAK, by keys of the console, and SIGTERM, by its end.
 */
#ifndef GREEN_SIGNAL_H
#define GREEN_SIGNAL_H

#include <signal.h>

#include <green/base.h>

GREEN_BEGIN_DECLS

/** Interest in a signal. Opaque. It belongs to the OS thread that made it. */
typedef struct green_signal green_signal;

/**
 * @brief Begin to take note of a signal. Never yields. Several may be interested in one, in any OS threads: each gets
 *        it.
 * @param signum SIGHUP, SIGUSR1, SIGCHLD, ...
 * @return the handle, the caller's: green_signal_free(). It takes note until then, or until its hub ends. NULL with
 *         `errno` EINVAL (not one that can be waited for), ENOMEM, EMFILE.
 * @since 0.1 (HUB-21)
 */
GREEN_API green_signal *green_signal_new(int signum);

/**
 * @brief Wait for it. May yield. What came since the handle was made, or since the last wait, counts: as one.
 * @param      s         interest in a signal; one green thread waits on it at a time.
 * @param      timeout   seconds; 0 asks; #GREEN_FOREVER waits for good.
 * @param[out] ret_count how often it came, as far as the system tells; set on success only; may be NULL.
 * @retval 0              it came.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes): it is not lost.
 * @retval -EBUSY         another green thread waits on the handle.
 * @retval -EINVAL        s is NULL, or a bad time.
 * @retval -EPERM         another OS thread's.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (HUB-21)
 */
GREEN_API GREEN_MUST_USE int green_signal_wait(green_signal *s, double timeout, unsigned *ret_count);

/**
 * @brief Take note of it no more. Never yields.
 * @param s a handle or NULL.
 * @retval 0      done.
 * @retval -EBUSY somebody waits on it: nothing was done.
 * @retval -EPERM another OS thread's: nothing was done.
 * @since 0.1
 */
GREEN_API int green_signal_free(green_signal *s);

/**
 * @brief Have SIGINT and SIGTERM end the program in order: the main green thread's blocking calls fail with
 *        #GREEN_ESTOPPED from then on, as after green_hub_stop(). Never yields. Only where asked for. A second one ends
 *        the program at once, as if this had not been called (so it does not where there is a handler of yours, or a
 *        green_signal for it).
 * @param on whether to, in the calling OS thread; off puts back what was there.
 * @retval 0 done.
 * @return otherwise as green_signal_new(), as a code; -EBUSY: another OS thread does so.
 * @since 0.1 (HUB-21)
 */
GREEN_API int green_signal_stop_main(bool on);

GREEN_END_DECLS

#endif
