/**
 * @file
 * @brief Several processes that serve the same addresses: a supervisor, workers, restart without loss.
 *
 *     static int
 *     work(const struct green_worker *worker, void *arg)
 *     {
 *             return green_wsgi_server(worker->listeners[0], app, arg, NULL);
 *     }
 *
 *     int
 *     main(void)
 *     {
 *             static const char *const addresses[] = {"0.0.0.0:8080", NULL};
 *             struct green_workers_opts opts = {.size = sizeof opts, .addresses = addresses};
 *
 *             return green_workers_run(work, NULL, &opts) == 0 ? 0 : 1;
 *     }
 *
 * The supervisor listens, forks the workers and takes no connection itself. All workers accept from the same sockets, so
 * one that waits in a socket's queue is never lost with a worker.
 *
 * | signal to the supervisor | what it does |
 * |---|---|
 * | SIGTERM, SIGINT | the end: the listeners are closed, each worker accepts no more and finishes what it has begun; a second one kills them |
 * | SIGHUP | passed on to the workers, whose green_workers_opts::on_hangup is called: reopen log files, read settings anew |
 * | SIGUSR2 | restart: the program is run anew (maybe a new version of it), with the same listening sockets; when its workers are ready, the old ones end as by SIGTERM, and green_workers_run() returns. If it fails, the old ones go on |
 *
 * What a worker reports (green_log()) begins with "worker 0 (process 4711): ", so that a log of all says who it was; see
 * green_set_log_name().
 *
 * A worker that dies is replaced at once; one that dies within a second of being ready, or before, after a pause that
 * doubles from 0.1 s on. A worker whose supervisor has died ends as by SIGTERM, within stop_timeout.
 *
 * Under systemd (Type=notify) the supervisor says when it is ready, when it ends and who follows it: NotifyAccess=all. The
 * sockets that systemd gave (LISTEN_FDS) are handed on at each restart, in the order of green_worker::listeners and without
 * their names; those that green_listen_inherited() has taken before are not. Not for Windows: -ENOTSUP. A process of several
 * OS threads is green_wsgi_server_opts::workers.
 */
#ifndef GREEN_WORKERS_H
#define GREEN_WORKERS_H

#include <sys/types.h>

#include <green/base.h>
#include <green/convenience.h>
#include <green/socket.h>

GREEN_BEGIN_DECLS

/** What a worker knows of itself. */
struct green_worker {
        size_t index;        /**< 0 and up, smaller than the number of workers; one that replaces another has its index */
        unsigned generation; /**< 1, and one more with each restart */
        green_socket *const *listeners; /**< one for each of green_workers_opts::addresses, in their order; then those that
                                             systemd gave and no address has taken. The worker's: close, but do not free */
        size_t listener_count;          /**< how many */
        void *shared; /**< green_workers_opts::shared_size bytes that green_workers_status() shows in every process; zero
                           when the worker begins; aligned for anything. NULL: none */
};

/**
 * A worker: runs in a process of its own, in its main green thread, until there is nothing more to do. When the worker is
 * to end its listeners accept no more (green_socket_stop_accepting()), so that green_wsgi_server() and green_serve() return;
 * what they have begun it should wait for. Then the process exits, without atexit() functions.
 *
 * @param worker about itself; lives as long as the process.
 * @param arg    as given to green_workers_run().
 * @return not negative, or any code after it was to end: all is well. Another negative code is logged, and the
 *         worker counts as one that died.
 */
typedef int (*green_worker_fn)(const struct green_worker *worker, void *arg);

/** What green_workers_run() can change. Set it to zero, then @ref size, then what you need. All is borrowed. */
struct green_workers_opts {
        size_t size;                           /**< sizeof(struct green_workers_opts) */
        size_t processes;                      /**< workers, 1 to 1,024; 0: one for each processor */
        const char *const *addresses;          /**< where to listen, ended by NULL; one that was inherited is taken in place of
                                                    a new one (green_listen_inherited()). NULL: only what was inherited */
        const struct green_listen_opts *listen; /**< for the new ones; NULL: defaults, and a backlog of 1,024 */
        green_worker_fn init; /**< run first in each worker; when it has returned 0 the worker is ready. A negative code:
                                   it cannot start. NULL: ready at once */
        void (*on_hangup)(const struct green_worker *worker, void *arg); /**< in the workers, at SIGHUP, in a green thread of
                                                                              its own; it may yield. NULL: nothing */
        double start_timeout; /**< seconds in which a worker must be ready, else it is killed; and all of a new program
                                   at a restart. 0: 60 */
        double stop_timeout;  /**< seconds that workers may take to end, then they are killed. 0: 40, as running requests of
                                   green_wsgi_server() have 30 */
        double backoff_max;   /**< seconds that the pause before a worker that dies at once comes again may grow to. 0: 30 */
        size_t shared_size;   /**< bytes of green_worker::shared, such as sizeof(struct green_wsgi_stats) */
        const char *pid_file; /**< the supervisor's process number is written here when all are ready. NULL: nowhere */
        const char *const *argv; /**< how the program is run anew, ended by NULL; argv[0] is looked for in PATH if it has no
                                      slash. NULL: as it was started, where the system tells (Linux) */
};

/**
 * @brief Run workers until the end. Yields. For the main green thread of a program's first OS thread, before there are
 *        others: it forks.
 *
 * @param fn   what a worker does.
 * @param arg  its second argument, and init's and on_hangup's.
 * @param opts NULL for defaults.
 * @retval 0              ended by a signal, or a new program has taken over.
 * @retval -EINVAL        an argument is missing or out of range, or there is no address and nothing was inherited.
 * @retval -EBUSY         it runs already in this process.
 * @retval -EDEADLK       not the main green thread.
 * @retval -ENOTSUP       not on this system.
 * @retval GREEN_EKILLED  killed, after the workers have ended; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @return otherwise what green_listen() failed with; or, where the first worker that begins cannot start, its init's
 *         code: then nothing is left running. green_last_error() has more.
 * @since 0.1
 */
GREEN_API int green_workers_run(green_worker_fn fn, void *arg, const struct green_workers_opts *opts);

/** What a worker is doing. */
enum green_worker_state {
        GREEN_WORKER_DOWN,     /**< there is none: it died, and comes again after a pause */
        GREEN_WORKER_STARTING, /**< not ready yet */
        GREEN_WORKER_READY,    /**< it works */
        GREEN_WORKER_ENDING    /**< it finishes what it has begun */
};

/** A worker, as all processes see it. */
struct green_worker_status {
        size_t index;                  /**< as green_worker::index */
        enum green_worker_state state; /**< what it is doing */
        pid_t pid;                     /**< its process; 0: none */
        unsigned restarts;             /**< how often it was replaced since its supervisor began */
        double age;                    /**< seconds since its process began; 0: none */
        const void *shared; /**< green_worker::shared, which changes at any time; NULL: none */
};

/**
 * @brief Ask what the workers are doing: in the supervisor and in each worker. Never yields. thread-safe.
 * @param      index      a worker.
 * @param[out] ret_status set on true only.
 * @return true if there is one of that index; false past the last, and where green_workers_run() does not run.
 * @since 0.1
 */
GREEN_API bool green_workers_status(size_t index, struct green_worker_status *ret_status);

/**
 * @brief The supervisor's process, in it and in each worker. Never yields. thread-safe.
 * @return 0 where green_workers_run() does not run.
 * @since 0.1
 */
GREEN_API pid_t green_workers_supervisor(void);

GREEN_END_DECLS

#endif
