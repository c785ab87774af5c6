/**
 * @file
 * @brief The hub of an OS thread: choose it, wait for descriptors, post to it, embed it, end it.
 *
 * Each OS thread has a hub of its own, made on first use by the back end that `GREEN_HUB` names. There is no loop to run:
 * a green thread that blocks lets the next one run. Those who write a back end include <green/hub.h>.
 */
#ifndef GREEN_HUBS_H
#define GREEN_HUBS_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/**
 * @name Choosing
 * @{
 */

/**
 * @brief Choose the back end of the calling OS thread's hub. Never yields. For the start of a program.
 *
 * @param name a built-in or installed name ("epoll"), a comma list of which the first that works is taken, or a path of
 *             a module. NULL: what `GREEN_HUB` says, or the default if it is unset or empty. A name is never replaced
 *             in silence.
 * @retval 0          chosen.
 * @retval -EBUSY     the hub runs, and something is pending in it (HUB-09).
 * @retval GREEN_EHUB no such hub, or it cannot be used here; green_last_error() says why and what there is.
 * @retval -ENOMEM    memory ran out; other codes come from the back end.
 * @since 0.1 (ENV-01, HUB-04 to HUB-09)
 */
GREEN_API int green_use_hub(const char *name);

/**
 * @brief The hub of the calling OS thread, made if there is none. Never yields.
 * @return borrowed: it stays valid as long as the OS thread lives; green_hub_ref() keeps it longer. NULL where none can
 *         be made: green_last_error().
 * @since 0.1 (HUB-01)
 */
GREEN_API green_hub *green_get_hub(void);

/**
 * @brief Name of the back end that a new OS thread gets: `GREEN_HUB`, or the first that works. Never yields.
 * @return a constant; NULL if none can be used: green_last_error() (HUB-08).
 * @since 0.1 (HUB-03)
 */
GREEN_API const char *green_get_default_hub(void);

/**
 * @brief Name of a hub's back end. Never yields. thread-safe.
 * @param hub a hub; NULL: the calling OS thread's, made if there is none.
 * @return "epoll", ...; NULL where no hub can be made.
 * @since 0.1
 */
GREEN_API const char *green_hub_name(const green_hub *hub);

/**
 * @brief Choose a back end that is made of another library's event loop, and have it live in the application's own.
 *
 * Callbacks of that loop and green threads then share the OS thread: whenever all green threads wait, the loop runs. Its
 * callbacks are in hub context: they may post, wake and spawn, but not wait. Never yields.
 *
 * @param name a back end with a foreign loop: "libevent".
 * @param loop for "libevent" a `struct event_base *`, borrowed: it must outlive the hub (green_hub_destroy() before you
 *             free it), and nobody else may run it meanwhile. NULL is green_use_hub(name).
 * @retval 0          chosen.
 * @retval -EBUSY     the hub runs, and something is pending in it, or another hub lives in this loop.
 * @retval GREEN_EHUB no such hub, it cannot be used here, or it has no foreign loop; green_last_error() says which.
 * @retval -ENOMEM    memory ran out; other codes come from the back end.
 * @since 0.1 (AIO-06, AIO-07)
 */
GREEN_API int green_use_hub_loop(const char *name, void *loop);

/**
 * @brief The foreign event loop of the calling OS thread's hub, made if there is none. Never yields.
 * @return for "libevent" a `struct event_base *`, borrowed, to add events of one's own to. NULL where the back end is no
 *         foreign loop, or no hub can be made: green_last_error() says what to set GREEN_HUB to.
 * @since 0.1 (AIO-02)
 */
GREEN_API void *green_hub_loop(void);

/** What is known of a back end that could be chosen. */
struct green_hub_choice {
        size_t size;        /**< sizeof(struct green_hub_choice) of the library */
        const char *name;   /**< what to say in `GREEN_HUB` */
        const char *path;   /**< the file of a module; NULL: linked in */
        int code; /**< 0: it can be used here; GREEN_EHUB: it is no module that can be; or what its probe gave */
        const char *reason; /**< why not, in words; NULL where it can */
        bool is_default;    /**< taken where nothing is chosen */
};

/**
 * @brief Go through the back ends that there are: those linked in, best first, then installed modules by name. Never
 *        yields. thread-safe. Modules are loaded to be asked, and stay loaded where they can be used. What `GREEN_HUB`
 *        says is not looked at.
 * @param fn  called once for each; what it is given lasts as long as the call.
 * @param arg passed to fn.
 * @retval -EINVAL fn is NULL.
 * @return how many there are.
 * @since 0.1 (HUB-06, HUB-07)
 */
GREEN_API int green_hub_each(void (*fn)(const struct green_hub_choice *choice, void *arg), void *arg);

/** Facts about a hub. */
struct green_hub_info {
        size_t size;            /**< sizeof(struct green_hub_info), set by the caller */
        const char *name;       /**< back end */
        const char *context;    /**< context method: native, builtin, setjmp, ucontext, fiber */
        const char *guard;      /**< guard pages of stacks: "madvise", "mprotect", "system" (Windows), or "none" when there are too many */
        size_t threads;         /**< green threads alive, the main one included */
        size_t ready;           /**< of these, ready to run */
        size_t timers;          /**< deadlines pending, of any kind (TIMER-10) */
        size_t readers;         /**< waits for reading (FD-20) */
        size_t writers;         /**< waits for writing (FD-20) */
        size_t stacks;          /**< stacks in use */
        size_t stacks_pooled;   /**< stacks that wait for use */
        size_t stack_size;      /**< bytes of each */
        uint64_t switches;      /**< switches so far, roughly: counted per poll interval */
        uint64_t polls;         /**< calls of the back end's wait so far */
        char description[128];  /**< the back end's own line */
};

/**
 * @brief Facts about the calling OS thread's hub. Never yields.
 * @param[in,out] info set info->size before.
 * @retval 0       filled.
 * @retval -EINVAL unknown size.
 * @since 0.1 (TIMER-10, FD-20)
 */
GREEN_API int green_hub_get_info(struct green_hub_info *info);

/**
 * @brief How many processors the process may run on. Never yields. thread-safe. Looked at once: it is for those who think of
 *        looking again for a moment before they wait for another OS thread, which with one processor is in vain.
 * @return 1 or more.
 * @since 0.1
 */
GREEN_API int green_processors(void);

/**
 * @brief Take the time from another clock, for tests. Never yields. For the calling OS thread's hub.
 * @param clock gives monotonic nanoseconds; NULL goes back to the system's. The back end still waits in real time.
 * @retval 0      done.
 * @retval -EBUSY timers are pending.
 * @since 0.1 (HUB-29)
 */
GREEN_API int green_hub_set_clock(int64_t (*clock)(void));
/** @} */

/**
 * @name Waiting for a descriptor
 * @{
 */

/**
 * @brief Wait until a descriptor is ready. Always yields, even when it is ready already.
 *
 * For descriptors that green-net does not own; nothing of the descriptor is changed. Its system calls must not block.
 * Readiness is a hint: try the call, and wait again on EAGAIN. Regular files are always ready.
 *
 * @param fd      a descriptor.
 * @param events  #GREEN_READ or #GREEN_WRITE, one of them; with #GREEN_SHARED others may wait for the same.
 * @param timeout seconds; 0 polls exactly once, whatever scopes have fired; GREEN_FOREVER waits for good.
 * @retval 0              ready, failed or hung up.
 * @retval -ETIMEDOUT     the time is over.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -ECANCELED     the descriptor was declared closed: green_notify_close(), green_notify_opened().
 * @retval -EINVAL        both or neither direction, a negative descriptor, a bad time.
 * @retval -EBADF         not open.
 * @retval -EBUSY         another green thread waits for the same; green_last_error() names both (FD-02).
 * @retval -EDEADLK       called from a hub callback.
 * @since 0.1 (TRAMP-01 to TRAMP-07, FD-12, FD-13)
 */
GREEN_API GREEN_MUST_USE int green_trampoline(green_fd fd, unsigned events, double timeout);

/**
 * @brief Say that the system has handed out a descriptor number anew. Never yields.
 *
 * For descriptors opened behind green-net's back. Whoever still waits for the number gets -ECANCELED, and an object that
 * owned it is closed (its calls return -EBADF).
 *
 * @param fd the number; one that nobody knows is fine.
 * @since 0.1 (FD-14)
 */
GREEN_API void green_notify_opened(green_fd fd);

/**
 * @brief Say that a descriptor is about to be closed. Never yields. Call it before close().
 *
 * Waiters get -ECANCELED at once.
 *
 * @param fd the number; one that nobody knows is fine.
 * @since 0.1 (FD-15)
 */
GREEN_API void green_notify_close(green_fd fd);
/** @} */

/**
 * @name From other OS threads, and the end
 * @{
 */

/**
 * @brief Keep a hub's handle valid after its OS thread has ended. Never yields. thread-safe.
 * @param hub a hub.
 * @return @p hub.
 * @since 0.1
 */
GREEN_API green_hub *green_hub_ref(green_hub *hub);

/**
 * @brief Give back a reference of green_hub_ref(). Never yields. thread-safe.
 * @param hub a hub or NULL.
 * @since 0.1
 */
GREEN_API void green_hub_unref(green_hub *hub);

/**
 * @brief Number of the calling OS thread's hub, for primitives that record whom they belong to. Never yields.
 * @return never 0 where there is a hub, never used again in this process; 0 where none can be made.
 * @since 0.1
 */
GREEN_API uint64_t green_hub_ident(void);

/**
 * @brief Does an object belong to the calling OS thread's hub? Reports it if not. Never yields.
 * @param ident green_hub_ident() at the object's making.
 * @param what  what it is, for the message: "a queue".
 * @retval 0      it does.
 * @retval -EPERM it belongs to another; both are in the log and in green_last_error().
 * @since 0.1
 */
GREEN_API int green_hub_check(uint64_t ident, const char *what);

/**
 * @brief Have a function called in hub context of a hub, soon. Never yields. thread-safe. In order per calling thread.
 *
 * @param hub where.
 * @param fn  called once, on the hub's stack: it may not wait.
 * @param arg passed to fn, not owned.
 * @retval 0             it will be called, unless the hub ends first.
 * @retval GREEN_ECLOSED the hub has ended.
 * @retval -ENOMEM       memory ran out.
 * @retval -EINVAL       hub or fn is NULL.
 * @since 0.1 (HUB-13)
 */
GREEN_API int green_hub_post(green_hub *hub, void (*fn)(void *arg), void *arg);

/** A call on its way to a hub, in the caller's storage. Its size is fixed, its inside is core's. */
struct green_post_node {
        void *reserved[4]; /**< core's */
};

/**
 * @brief green_hub_post() without memory of its own, so that it cannot run out of any. Never yields. thread-safe and
 *        async-signal-safe.
 *
 * @param hub  where.
 * @param node storage, of the caller, not on its way; it must stay until fn is called, where it may be used again or
 *             freed, or until the hub has ended.
 * @param fn   called once, on the hub's stack: it may not wait.
 * @param arg  passed to fn, not owned.
 * @retval 0             it will be called, unless the hub ends first.
 * @retval GREEN_ECLOSED the hub has ended.
 * @retval -EINVAL       hub, node or fn is NULL.
 * @since 0.1 (HUB-13)
 */
GREEN_API int green_hub_post_node(green_hub *hub, struct green_post_node *node, void (*fn)(void *arg), void *arg);

/** Who wants to know of the end of a hub, in the caller's storage; its inside is core's. Zeroed is unused. */
struct green_hub_end {
        void *reserved[4]; /**< core's */
};

/**
 * @brief Have a function called when the calling OS thread's hub has ended, however it ends. Never yields. For layers
 *        on top that keep something for each hub.
 *
 * @param end storage, not in use; it must stay until fn is called, where it may be freed, or green_hub_end_drop().
 * @param fn  called once, in the hub's OS thread, the last to come first, when green threads, timers and watches are
 *            gone. It frees memory and closes descriptors, and calls nothing else of green-net; the storage of watches
 *            may be given up as it is. Not called where the process ends on the stack of another green thread, nor in
 *            the child of a fork for the hubs of other OS threads.
 * @param arg passed to fn, not owned.
 * @retval 0       it will be called.
 * @retval -EINVAL end or fn is NULL.
 * @return otherwise why there is no hub.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_hub_at_end(struct green_hub_end *end, void (*fn)(void *arg), void *arg);

/**
 * @brief Take back green_hub_at_end(), in the same OS thread. Never yields.
 * @param end what was given there; one that is not in use is left alone.
 * @since 0.1
 */
GREEN_API void green_hub_end_drop(struct green_hub_end *end);

/**
 * @brief End the program's waiting: the main green thread's blocking calls fail with a code from now on.
 *
 * Never yields. It is the calling OS thread's hub that stops; not async-signal-safe. For code and callbacks that mean to
 * end the program in order: main returns, or calls
 * green_recover() and goes on. Timers with callbacks that are pending are dropped (HUB-26). In an embedded hub
 * green_hub_step() returns the code once.
 *
 * @param code negative; 0 stands for #GREEN_ESTOPPED.
 * @retval 0       main was told.
 * @retval -EINVAL the code is positive.
 * @retval -EALREADY it was told before and has not recovered.
 * @since 0.1 (HUB-21, HUB-26, HUB-27)
 */
GREEN_API int green_hub_stop(int code);

/**
 * @brief End the calling OS thread's hub: kill its green threads, let them clean up, free everything.
 *
 * Yields. Called by the main green thread (or the embedder). What is not done in time is freed unrun; green-net logs
 * how many. With 0 seconds they are freed without being run. Handles of green threads end with the hub. Afterwards the
 * OS thread may start afresh. An OS thread that ends without it frees everything unrun.
 *
 * @param timeout seconds for clean-up; GREEN_FOREVER waits for good.
 * @retval 0          all green threads have ended.
 * @retval -ETIMEDOUT some had to be freed unrun.
 * @retval -EDEADLK   not the main green thread.
 * @retval -EINVAL    bad time.
 * @since 0.1 (HUB-12)
 */
GREEN_API int green_hub_destroy(double timeout);
/** @} */

/**
 * @name Inside another event loop
 * @{
 */

/**
 * @brief Hand the loop to the application: from now on green threads run only inside green_hub_step(). Never yields.
 *
 * The calling stack becomes the embedder's: hub context, in and out of green_hub_step().
 *
 * @retval 0          embedded.
 * @retval -EBUSY     something has blocked or been spawned in this OS thread already.
 * @retval GREEN_EHUB the back end runs a foreign loop itself, and can live in none: see green_use_hub_loop().
 * @return otherwise as green_use_hub().
 * @since 0.1
 */
GREEN_API int green_hub_embed(void);

/**
 * @brief Run what is ready: one poll without waiting, callbacks, then green threads until none is ready or the budget
 *        of one poll interval is spent.
 *
 * @retval 1        there is more to do at once.
 * @retval 0        nothing is ready: wait for green_hub_fd() to be readable, for at most green_hub_timeout() seconds.
 * @retval -EDEADLK called from a green thread or a callback, or the hub is not embedded.
 * @return a code of green_hub_stop(), once; or that of a back end which cannot wait any more.
 * @since 0.1 (AIO-06)
 */
GREEN_API int green_hub_step(void);

/**
 * @brief A descriptor that is readable when green_hub_step() has something to do. Never yields.
 * @return the descriptor, the hub's; GREEN_INVALID_FD if the back end has none, and green_last_error() says so
 *         (-ENOTSUP).
 * @since 0.1 (AIO-06)
 */
GREEN_API green_fd green_hub_fd(void);

/**
 * @brief How long the embedder may wait before the next green_hub_step(). Never yields.
 * @return seconds: 0 if something is ready, GREEN_FOREVER if no timer is pending.
 * @since 0.1
 */
GREEN_API double green_hub_timeout(void);

/**
 * @brief Be told when work becomes ready, or a new time limit is set, outside green_hub_step(). Never yields.
 *
 * @param fn  called once until the next step, from the call that did it; NULL for none. It tells the loop to step soon,
 *            and may not do so itself: green_hub_step() and green_hub_destroy() in it return -EDEADLK.
 * @param arg passed to fn.
 * @retval 0        set.
 * @retval -EDEADLK the hub is not embedded.
 * @since 0.1 (AIO-06)
 */
GREEN_API int green_hub_set_notify(void (*fn)(void *arg), void *arg);
/** @} */

GREEN_END_DECLS

#endif
