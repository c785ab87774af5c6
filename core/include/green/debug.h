/**
 * @file
 * @brief Switches that help to find faults.
 */
#ifndef GREEN_DEBUG_H
#define GREEN_DEBUG_H

#include <green/base.h>
#include <green/hub.h>

GREEN_BEGIN_DECLS

/**
 * @brief Log errors that green threads end with and nobody asked for, and how many are freed unrun at the end of their OS
 *        thread. Never yields. thread-safe. On by default.
 * @param on whether to.
 * @return what it was.
 * @since 0.1 (DEBUG-01, HUB-23)
 */
GREEN_API bool green_debug_hub_exceptions(bool on);

/**
 * @brief Make a second wait for the same descriptor and direction an error. Never yields. thread-safe. On by default.
 *
 * Off: they queue, first come, first served. Sockets and green_io can be switched one by one (#GREEN_IO_SHARED).
 *
 * @param on whether to.
 * @return what it was.
 * @since 0.1 (DEBUG-02, FD-02, FD-03)
 */
GREEN_API bool green_debug_hub_prevent_multiple_readers(bool on);

/**
 * @brief Explain a stack overflow before the process dies of it. Never yields. thread-safe. On by default.
 *
 * A handler for SIGSEGV and SIGBUS, which passes on to the application's, names the green thread, where it was spawned and
 * the size of its stack on stderr. Switch it off before the first green thread if the application wants these signals
 * for itself.
 *
 * @param on whether to.
 * @return what it was.
 * @since 0.1
 */
GREEN_API bool green_debug_overflow_handler(bool on);

/**
 * @brief Write down every green thread of the calling OS thread. Never yields. No allocation of green-net's.
 *
 * For each: number, name, state, where it was spawned, and what its stack has used; of one that waits, what for (a
 * descriptor and direction, a time, a queue, an operation) and since when, and the calls on its stack, with the names of
 * functions where stacks can be walked (see green_debug_can_walk()): only the address of the call where they cannot, and a
 * line that says why. The first dump loads libunwind, where the build has it.
 *
 * @param fd a descriptor.
 * @return how many there are.
 * @since 0.1 (DEBUG-10, ISS-14)
 */
GREEN_API int green_debug_dump(int fd);

/**
 * @brief Write down one green thread, as green_debug_dump(). Never yields.
 * @param fd    a descriptor.
 * @param ident its number.
 * @return 1; 0: there is none of that number in this OS thread.
 * @since 0.1
 */
GREEN_API int green_debug_dump_one(int fd, uint64_t ident);

/**
 * @brief Can the stacks of green threads that wait be walked here? Never yields. thread-safe.
 *
 * A build that has libunwind loads it here, unless a dump has; where that fails a later call tries again.
 *
 * @return what walks them, "libunwind" or "frame pointers"; NULL: nothing does.
 * @since 0.1
 */
GREEN_API const char *green_debug_can_walk(void);

/**
 * @brief Have a signal write down all green threads of the OS thread that gets it, to stderr. Never yields.
 *
 * The handler is async-signal-safe: it takes no lock, allocates nothing, and walks stacks by frame pointers where they are
 * to be had, else names the waiting call alone, as an address. What was there before is put back by another call with on
 * false.
 *
 * @param sig SIGQUIT, or another one that can be caught.
 * @param on  whether to.
 * @retval 0       done.
 * @retval -EINVAL no such signal.
 * @retval -ENOTSUP there are none on Windows.
 * @return otherwise what the system said.
 * @since 0.1 (DEBUG-10, ISS-14)
 */
GREEN_API int green_debug_dump_on_signal(int sig, bool on);

/**
 * @brief The waits for descriptors of the calling OS thread: "READERS:", a line each; "WRITERS:", a line each. Never yields.
 *
 * A line names descriptor, how the hub knows it, and who waits: the green thread and where it was spawned, or a watch; and
 * where the wait began, with green_debug_hub_listener_stacks().
 *
 * @param[out] text where to; ends with NUL. May be NULL where size is 0.
 * @param      size bytes there.
 * @return bytes the whole text has without its NUL, as snprintf(); GREEN_EHUB: there is no hub, and none can be made.
 * @since 0.1 (DEBUG-03)
 */
GREEN_API int green_debug_format_hub_listeners(char *text, size_t size);

/**
 * @brief The deadlines of the calling OS thread: "TIMERS:", then a line each, the next one first. Never yields.
 *
 * A line says in how many seconds, and whose it is: a green thread's wait, a timeout, a timer with its function, a watch.
 *
 * @param[out] text where to; ends with NUL. May be NULL where size is 0.
 * @param      size bytes there.
 * @return as green_debug_format_hub_listeners().
 * @since 0.1 (DEBUG-03)
 */
GREEN_API int green_debug_format_hub_timers(char *text, size_t size);

/**
 * @brief The OS threads that have a hub: back end, green threads, switches, a line each. Never yields. thread-safe. Numbers
 *        of other OS threads may be a little old.
 * @param[out] text where to; ends with NUL. May be NULL where size is 0.
 * @param      size bytes there.
 * @return bytes the whole text has without its NUL, as snprintf().
 * @since 0.1 (DEBUG-08)
 */
GREEN_API int green_debug_format_threads_info(char *text, size_t size);

/**
 * @brief Keep the calls that led to each wait for a descriptor, for green_debug_format_hub_listeners(). Never yields.
 *        thread-safe. Off by default; waits that began before have none. It costs some microseconds a wait.
 * @param on whether to.
 * @return what it was.
 * @since 0.1 (DEBUG-04)
 */
GREEN_API bool green_debug_hub_listener_stacks(bool on);

/**
 * @brief Likewise for each deadline, for green_debug_format_hub_timers(). Never yields. thread-safe. Off by default.
 * @param on whether to.
 * @return what it was.
 * @since 0.1 (DEBUG-04)
 */
GREEN_API bool green_debug_hub_timer_stacks(bool on);

/**
 * @brief Report green threads and hub callbacks that do not let others run. Never yields. thread-safe. Off by default.
 *
 * An OS thread of its own looks at all hubs several times in @p resolution; one that has not switched, polled or begun a
 * callback for longer is reported once, as #GREEN_LOG_WARNING: which green thread, where it was spawned, for how long, and
 * the calls it is in. No signal is taken from the application; to see those calls a real-time signal that nobody has a
 * handler for is sent to that OS thread. Nothing is thrown.
 *
 * @param on         whether to.
 * @param resolution seconds one may run without letting others; more than 0; not looked at where on is false.
 * @retval 0       done.
 * @retval -EINVAL resolution is 0, negative, NaN or beyond a day.
 * @retval -EAGAIN no OS thread could be started.
 * @since 0.1 (DEBUG-06, DEBUG-07)
 */
GREEN_API int green_debug_hub_blocking_detection(bool on, double resolution);

/**
 * @brief Report each place where a green thread did not let others run only once. Never yields. thread-safe. Off by default.
 *
 * A place is the calls nearest to it. Where they could not be seen it is reported each time, and so are those after the
 * first 64.
 *
 * @param on whether to; places that were reported are forgotten.
 * @return what it was.
 * @since 0.1 (DEBUG-06)
 */
GREEN_API bool green_debug_hub_blocking_once(bool on);

/** What a trace tells of. */
enum green_trace_kind {
        GREEN_TRACE_SWITCH, /**< another green thread runs: it */
        GREEN_TRACE_SPAWN,  /**< one was made */
        GREEN_TRACE_END,    /**< one has ended */
        GREEN_TRACE_PARK,   /**< one waits, from here on */
        GREEN_TRACE_WAKE,   /**< one was made ready */
        GREEN_TRACE_IO,     /**< one waits for a descriptor */
        GREEN_TRACE_CALL,   /**< a function was entered: green_debug_spew() */
        GREEN_TRACE_RETURN  /**< and left */
};

/** One step, for a tracer. */
struct green_trace {
        size_t size;                /**< sizeof(struct green_trace) of the library */
        enum green_trace_kind kind; /**< which */
        uint64_t ident;             /**< the green thread that it is about; 0: hub context */
        const char *name;           /**< its name, or "" */
        const char *where;          /**< where it was spawned, "file:line" */
        const void *address;        /**< of the call that waits, or the function; NULL: none */
        green_fd fd;                /**< #GREEN_TRACE_IO: which; else GREEN_INVALID_FD */
        unsigned events;            /**< #GREEN_TRACE_IO: #GREEN_READ, #GREEN_WRITE */
        int code;                   /**< #GREEN_TRACE_WAKE and #GREEN_TRACE_END: with what */
        double time;                /**< seconds of the monotonic clock */
};

/** Takes one step. It must not yield, nor call anything of green-net but green_strerror() and the like. */
typedef void (*green_trace_fn)(const struct green_trace *step, void *arg);

/**
 * @brief Have a function called at every step of the calling OS thread's green threads. Never yields. Switches then take a
 *        slow path; without a tracer they cost what they cost.
 * @param fn  NULL ends it.
 * @param arg passed to fn.
 * @return 0; GREEN_EHUB: there is no hub, and none can be made.
 * @since 0.1 (DEBUG-09)
 */
GREEN_API int green_debug_set_tracer(green_trace_fn fn, void *arg);

/**
 * @brief A tracer that writes a line a step, as #GREEN_LOG_DEBUG or to a descriptor. Never yields.
 * @param step see #green_trace_fn.
 * @param fd   a descriptor as `(void *)(intptr_t)fd`; below 0: the log hook.
 * @since 0.1 (DEBUG-09)
 */
GREEN_API void green_debug_trace_line(const struct green_trace *step, void *fd);

/**
 * @brief Trace what runs, to the log hook: each switch, park, wake and wait for a descriptor of the calling OS thread, and each
 *        function of objects that were built with `-finstrument-functions` and link with libgreen-core. Never yields.
 * @param objects    whose functions: parts of the names of their files ("myprog", "libx.so"), ended by NULL; copied. NULL:
 *                   all. An empty list: none, steps alone.
 * @param show_steps whether switches and so on are shown too.
 * @retval 0       done.
 * @retval -ENOMEM memory ran out.
 * @return GREEN_EHUB: there is no hub, and none can be made.
 * @since 0.1 (DEBUG-09)
 */
GREEN_API int green_debug_spew(const char *const *objects, bool show_steps);

/**
 * @brief End green_debug_spew(). Never yields. Does nothing where it is not on.
 * @since 0.1 (DEBUG-09)
 */
GREEN_API void green_debug_unspew(void);

/**
 * @brief Describe the foreign event loop that the calling OS thread's hub lives in: a line for each thing that it waits
 *        for, the hub's own and the application's. Never yields.
 * @param[out] text where to; ends with NUL. May be NULL where size is 0.
 * @param      size bytes there.
 * @return bytes the whole text has without its NUL, as snprintf(); one line that says so where there is no foreign loop.
 *         GREEN_EHUB: there is no hub, and none can be made.
 * @since 0.1 (DEBUG-08)
 */
GREEN_API int green_debug_format_asyncio_info(char *text, size_t size);

GREEN_END_DECLS

#endif
