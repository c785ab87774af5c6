/**
 * @file
 * @brief Green threads: make them, wait for them, kill them, sleep.
 *
 * One green thread runs at a time in an OS thread, until it calls something that yields. There is no preemption, so
 * code between two such calls is atomic. The main program is a green thread too.
 *
 * Each function says what it does to the caller: *never yields* (nobody else runs before it returns), *may yield*
 * (yields only where it must wait, and checks its cancel scopes first: see <green/timeout.h>), or *yields*.
 */
#ifndef GREEN_THREAD_H
#define GREEN_THREAD_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/**
 * @name Making green threads
 * @{
 */

/**
 * @brief Start a green thread. Never yields: @p fn runs when the caller yields next.
 *
 * @param fn  what it runs; its result goes to those who wait.
 * @param arg passed to fn, not owned.
 * @return a handle, the caller's: give it back with green_thread_unref(). NULL where memory ran out (`errno` ENOMEM).
 * @since 0.1 (GT-01, GT-02)
 */
GREEN_API green_thread *green_spawn(green_thread_fn fn, void *arg);

/**
 * @brief Start a green thread that nobody will wait for. Never yields. Cheaper than green_spawn(): there is no handle.
 *
 * An error it ends with is logged at once.
 *
 * @param fn  what it runs; its result is dropped.
 * @param arg passed to fn, not owned.
 * @retval 0       it will run.
 * @retval -ENOMEM memory ran out.
 * @since 0.1 (GT-05)
 */
GREEN_API int green_spawn_n(green_thread_fn fn, void *arg);

/**
 * @brief Start a green thread not before a time has passed, whatever becomes of its creator. Never yields.
 *
 * @param seconds from now; negative is 0; GREEN_FOREVER never starts it.
 * @param fn      what it runs.
 * @param arg     passed to fn, not owned.
 * @return as green_spawn(); NULL with EINVAL for NaN. green_thread_cancel() stops it before it starts.
 * @since 0.1 (GT-07, TIMER-09)
 */
GREEN_API green_thread *green_spawn_after(double seconds, green_thread_fn fn, void *arg);

/**
 * @brief As green_spawn_after(), but bound to its creator: it never runs if the creator ends first. Never yields.
 *
 * It then ends with #GREEN_EKILLED, so nobody waits for it in vain.
 *
 * @param seconds from now; negative is 0; GREEN_FOREVER never starts it.
 * @param fn      what it runs.
 * @param arg     passed to fn, not owned.
 * @return as green_spawn_after().
 * @since 0.1 (GT-08)
 */
GREEN_API green_thread *green_spawn_after_local(double seconds, green_thread_fn fn, void *arg);

/**
 * @brief Start a green thread with a copy of an argument block. Never yields.
 *
 * @param fn  what it runs; its argument points to the copy, which lives as long as the green thread runs.
 * @param arg the block; may be gone when this returns.
 * @param len its bytes.
 * @return as green_spawn().
 * @since 0.1 (GT-31)
 */
GREEN_API green_thread *green_spawn_copy(green_thread_fn fn, const void *arg, size_t len);

/** What green_spawn_with() can change. Set it to zero, then @ref size, then what you need. */
struct green_spawn_opts {
        size_t size;                         /**< sizeof(struct green_spawn_opts) */
        const char *name;                    /**< copied; shown in dumps and messages */
        size_t stack_size;                   /**< bytes; 0: the default. At least 16 KiB are given */
        bool inherit_locals;                 /**< copy the creator's values of all locals, not only of those that say so */
        void (*drop_result)(void *result);   /**< takes the result of fn where nobody can get it: it was killed, or the
                                                  last handle went without a wait */
        size_t copy_arg;                     /**< bytes of arg to copy, as green_spawn_copy() does; 0: pass it as it is */
};

/**
 * @brief Start a green thread with options. Never yields.
 *
 * @param fn   what it runs.
 * @param arg  passed to fn, not owned.
 * @param opts NULL for defaults.
 * @return as green_spawn(); NULL with EINVAL where opts->size is unknown.
 * @since 0.1
 */
GREEN_API green_thread *green_spawn_with(green_thread_fn fn, void *arg, const struct green_spawn_opts *opts);

/** @brief green_spawn() with its place. @param fn see there. @param arg see there. @param where "file:line", constant. @return see there. */
GREEN_API green_thread *green_spawn_at(green_thread_fn fn, void *arg, const char *where);
/** @brief green_spawn_n() with its place. @param fn see there. @param arg see there. @param where "file:line", constant. @return see there. */
GREEN_API int green_spawn_n_at(green_thread_fn fn, void *arg, const char *where);
/** @brief green_spawn_after() with its place. @param seconds see there. @param fn see there. @param arg see there. @param where "file:line", constant. @return see there. */
GREEN_API green_thread *green_spawn_after_at(double seconds, green_thread_fn fn, void *arg, const char *where);
/** @brief green_spawn_after_local() with its place. @param seconds see there. @param fn see there. @param arg see there. @param where "file:line", constant. @return see there. */
GREEN_API green_thread *green_spawn_after_local_at(double seconds, green_thread_fn fn, void *arg, const char *where);
/** @brief green_spawn_copy() with its place. @param fn see there. @param arg see there. @param len see there. @param where "file:line", constant. @return see there. */
GREEN_API green_thread *green_spawn_copy_at(green_thread_fn fn, const void *arg, size_t len, const char *where);
/** @brief green_spawn_with() with its place. @param fn see there. @param arg see there. @param opts see there. @param where "file:line", constant. @return see there. */
GREEN_API green_thread *green_spawn_with_at(green_thread_fn fn, void *arg, const struct green_spawn_opts *opts,
                                            const char *where);
/** @cond */
/* Variadic, so that arguments may be compound literals. */
#define green_spawn(fn, ...) green_spawn_at(fn, __VA_ARGS__, GREEN_HERE)
#define green_spawn_n(fn, ...) green_spawn_n_at(fn, __VA_ARGS__, GREEN_HERE)
#define green_spawn_after(seconds, ...) green_spawn_after_at(seconds, __VA_ARGS__, GREEN_HERE)
#define green_spawn_after_local(seconds, ...) green_spawn_after_local_at(seconds, __VA_ARGS__, GREEN_HERE)
#define green_spawn_copy(fn, ...) green_spawn_copy_at(fn, __VA_ARGS__, GREEN_HERE)
#define green_spawn_with(fn, ...) green_spawn_with_at(fn, __VA_ARGS__, GREEN_HERE)
/** @endcond */
/** @} */

/**
 * @name Handles
 * @{
 */

/**
 * @brief Take one more reference. Never yields.
 * @param gt a handle or NULL.
 * @return @p gt.
 * @since 0.1
 */
GREEN_API green_thread *green_thread_ref(green_thread *gt);

/**
 * @brief Give a reference back. Never yields. The green thread itself goes on.
 *
 * When the last goes and nobody has asked how it ended, an error it ended with is logged (never #GREEN_EKILLED) and a
 * result goes to green_spawn_opts::drop_result.
 *
 * @param gt a handle or NULL.
 * @since 0.1 (GT-28, GT-33)
 */
GREEN_API void green_thread_unref(green_thread *gt);

/**
 * @brief Wait until a green thread has ended, and learn how. May yield.
 *
 * May be called any number of times by any number of green threads.
 *
 * @param      gt         whom to wait for.
 * @param[out] ret_result what its function returned; set on 0 only. NULL if not wanted.
 * @retval 0              it returned.
 * @retval GREEN_EKILLED  it was killed (or another code, given to green_kill() or green_fail()). A scope of the caller
 *                        that has fired gives its code too, as in every call: green_thread_error() tells the two apart.
 * @retval GREEN_ETIMEOUT a timeout of the caller fired first.
 * @retval -EDEADLK       it is the caller itself, or the caller is a hub callback and it has not ended.
 * @retval -EINVAL        gt is NULL.
 * @retval -EPERM         it belongs to another OS thread.
 * @since 0.1 (GT-03, GT-04, GT-12)
 */
GREEN_API GREEN_MUST_USE int green_thread_wait(green_thread *gt, void **ret_result);

/**
 * @brief The error a green thread ended with, with message and cause. Never yields.
 * @param gt whose.
 * @return the error, valid as long as the handle; NULL if it has not ended or ended well, and with `errno` ENOMEM where
 *         memory ran out: green_thread_wait() still has the code.
 * @since 0.1 (GT-32)
 */
GREEN_API const struct green_error *green_thread_error(green_thread *gt);

/**
 * @brief Kill a green thread: its blocking calls fail, and keep failing, until it ends or calls green_recover().
 *
 * May yield: the victim runs at once, until it blocks or ends, and the caller afterwards. It does not yield where the
 * victim has not started (it then never runs), has ended (nothing happens), is the caller, is shielded, or has an
 * operation in the kernel, nor when called from a hub callback: it is then only marked. Ignores the caller's scopes.
 *
 * @param gt   the victim.
 * @param code what its calls return and it ends with; negative; 0 stands for #GREEN_EKILLED. A second kill changes nothing.
 * @retval 0       done, or it had ended before.
 * @retval -EINVAL the code is positive, or gt is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (GT-10 to GT-18)
 */
GREEN_API int green_kill(green_thread *gt, int code);

/**
 * @brief The same as green_kill(), under the name of the method.
 * @param gt   the victim.
 * @param code see green_kill().
 * @return see green_kill().
 * @since 0.1
 */
GREEN_API int green_thread_kill(green_thread *gt, int code);

/**
 * @brief Kill a green thread if it has not started yet; otherwise do nothing. Never yields.
 * @param gt   whom.
 * @param code as for green_kill().
 * @retval 1       it will not run.
 * @retval 0       it has started, or ended.
 * @retval -EINVAL the code is positive, or gt is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (GT-09)
 */
GREEN_API int green_thread_cancel(green_thread *gt, int code);

/** Called when a green thread has ended; green_thread_wait() on it returns at once. */
typedef void (*green_link_fn)(green_thread *gt, void *arg);

/**
 * @brief Have a function called when a green thread ends. Never yields itself.
 *
 * Links run in the order they were made, on the ending green thread's own stack, after those who wait for it were made
 * ready and before any of them runs; each runs whatever the others did. Of one killed before it started they run in the
 * killer; of one that has ended, here and now. A link must not call green_exit().
 *
 * @param gt  whose end.
 * @param fn  called once.
 * @param arg passed to fn.
 * @retval 0       linked, or called.
 * @retval -ENOMEM memory ran out.
 * @retval -EINVAL gt or fn is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (GT-20 to GT-25)
 */
GREEN_API int green_thread_link(green_thread *gt, green_link_fn fn, void *arg);

/**
 * @brief Take a link back. Never yields.
 * @param gt  whose.
 * @param fn  as given to green_thread_link().
 * @param arg as given to green_thread_link().
 * @return true if there was one; the oldest such goes.
 * @since 0.1 (GT-24)
 */
GREEN_API bool green_thread_unlink(green_thread *gt, green_link_fn fn, void *arg);

/**
 * @brief Has it ended? Never yields.
 * @param gt a handle.
 * @return false before the start and while it runs or waits.
 * @since 0.1 (GT-06)
 */
GREEN_API bool green_thread_dead(const green_thread *gt);

/**
 * @brief Has it started and not ended? Never yields. (The truth value of eventlet's object.)
 * @param gt a handle.
 * @return true between the first instruction of its function and its end.
 * @since 0.1 (GT-06)
 */
GREEN_API bool green_thread_alive(const green_thread *gt);

/**
 * @brief Its name. Never yields.
 * @param gt a handle.
 * @return the name given, "main" for the main program's, or "" for none.
 * @since 0.1
 */
GREEN_API const char *green_thread_name(const green_thread *gt);

/**
 * @brief Give it a name, for dumps and messages. Never yields.
 * @param gt   a handle.
 * @param name copied; NULL for none.
 * @retval 0       done.
 * @retval -ENOMEM memory ran out.
 * @since 0.1
 */
GREEN_API int green_thread_set_name(green_thread *gt, const char *name);

/**
 * @brief Where it was spawned. Never yields.
 * @param gt a handle.
 * @return "file:line", a constant.
 * @since 0.1
 */
GREEN_API const char *green_thread_where(const green_thread *gt);

/**
 * @brief Its number: see green_get_ident(). Never yields.
 * @param gt a handle.
 * @return never 0, never used again in this process.
 * @since 0.1
 */
GREEN_API uint64_t green_thread_ident(const green_thread *gt);

/**
 * @brief The green thread of a number: one of the calling OS thread's that has not ended. Never yields. Slow: for debugging.
 * @param ident its number: see green_get_ident().
 * @return a handle, the caller's: green_thread_unref(). NULL: there is none; nothing is said in green_last_error().
 * @since 0.1
 */
GREEN_API green_thread *green_thread_find(uint64_t ident);

/**
 * @brief How much of its stack it has used so far. Never yields. Slow: for debugging.
 * @param gt a handle.
 * @return bytes, a multiple of the page size; 0 for the main program's, before the start and after the end. A stack is
 *         used again by later green threads: what they used may count.
 * @since 0.1
 */
GREEN_API size_t green_thread_stack_used(const green_thread *gt);

/** Called on a switch, on the stack of the green thread that goes or comes. It must not yield. */
typedef void (*green_switch_fn)(green_thread *gt, void *arg);

/**
 * @brief Have functions called whenever control leaves a green thread or comes back to it. Never yields.
 * @param gt  a handle.
 * @param out called before control leaves; NULL for none.
 * @param in  called after it came back; NULL for none.
 * @param arg passed to both.
 * @retval 0       done.
 * @retval -ENOMEM memory ran out.
 * @since 0.1 (HUB-20)
 */
GREEN_API int green_thread_set_switch_hooks(green_thread *gt, green_switch_fn out, green_switch_fn in, void *arg);
/** @} */

/**
 * @name In a green thread
 * @{
 */

/**
 * @brief The running green thread. Never yields.
 * @return borrowed: green_thread_ref() keeps it. NULL in a hub callback and outside green_hub_step() of an embedder.
 * @since 0.1 (GT-27)
 */
GREEN_API green_thread *green_getcurrent(void);

/**
 * @brief Let others run, and come back not before a time has passed. Yields.
 *
 * @param seconds 0 lets each that is ready run once; negative is 0; GREEN_FOREVER sleeps until killed.
 * @retval 0              the time has passed.
 * @retval GREEN_EKILLED  killed, before or meanwhile.
 * @retval GREEN_ETIMEOUT an enclosing timeout fired.
 * @retval -EINVAL        NaN.
 * @retval -EDEADLK       called from a hub callback with more than 0 (0 returns 0 there: HUB-19).
 * @since 0.1 (GT-26)
 */
GREEN_API int green_sleep(double seconds);

/**
 * @brief Make a result that says "failed": `return green_fail(-EIO);`. Never yields.
 *
 * @param code negative; others count as -EINVAL.
 * @return to be returned from the green thread's function; green_thread_wait() then returns @p code.
 * @since 0.1
 */
GREEN_API void *green_fail(int code);

/**
 * @brief The same with message, value and cause. Never yields.
 * @param error copied; green_thread_error() of the one that returns this gives the copy.
 * @return as green_fail().
 * @since 0.1 (GT-32)
 */
GREEN_API void *green_fail_error(const struct green_error *error);

/**
 * @brief Is a result one of green_fail()? Never yields.
 * @param result what a function returned.
 * @return the code, or 0 for an ordinary result.
 * @since 0.1
 */
GREEN_API int green_failed(const void *result);

/**
 * @brief End the calling green thread at once. Does not return.
 *
 * Its clean-up runs, those who wait get @p result. In the main green thread the others go on; when none is left the OS
 * thread ends as by pthread_exit(). In a hub callback it logs an error and ends nothing: the callback is abandoned.
 *
 * @param result as returned from its function; green_fail() makes an error.
 * @since 0.1
 */
GREEN_API void green_exit(void *result) GREEN_NORETURN;

/**
 * @brief Have clean-up run when this green thread ends, however it ends: last in, first out. Never yields itself.
 *
 * Clean-up runs shielded, so it may wait. The values of locals are destroyed after it. That of the main green thread runs
 * in green_hub_destroy() and in green_exit(); an OS thread that ends without them forgets it.
 *
 * @param fn  called once.
 * @param arg passed to fn.
 * @retval 0        registered.
 * @retval -ENOMEM  memory ran out; fn will not be called.
 * @retval -EDEADLK not in a green thread.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_defer(void (*fn)(void *arg), void *arg);

/**
 * @brief Run what green_defer() has registered for the calling green thread, and destroy the values of its locals, now.
 *        Yields if they do. For those who do one job after another in a green thread: the next one begins without them.
 *
 * It does nothing where there is nothing, and outside a green thread.
 *
 * @since 0.1 (WSGI-01)
 */
GREEN_API void green_clean_up(void);

/**
 * @brief Is the clean-up of a kill: go on living. Ends the kill, so that calls work again. Never yields.
 * @return the code of the kill, or 0 if there was none.
 * @since 0.1 (GT-16)
 */
GREEN_API int green_recover(void);

/**
 * @brief Hide kills and the timeouts opened so far from the calls that follow. Never yields. Nests.
 *
 * For clean-up that must wait. Timeouts opened inside work. What fired meanwhile is seen after green_shield_end().
 *
 * @since 0.1
 */
GREEN_API void green_shield_begin(void);

/**
 * @brief End the innermost green_shield_begin(). Never yields.
 * @since 0.1
 */
GREEN_API void green_shield_end(void);

/**
 * @brief What every call that may yield does first: fail if a scope around the caller has fired. May yield.
 *
 * For primitives built on <green/park.h>: call it before any side effect, unless the time limit is 0. When it fails it
 * has let the others run once, so that a loop around a failing call cannot freeze the OS thread.
 *
 * @retval 0              go on.
 * @retval GREEN_EKILLED  killed.
 * @retval GREEN_ETIMEOUT an enclosing timeout fired (or the code given to kill or timeout).
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_checkpoint(void);
/** @} */

GREEN_END_DECLS

#endif
