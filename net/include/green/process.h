/**
 * @file
 * @brief Processes: start programs, talk to them, wait for them; and system calls on descriptors and children that wait
 *        without holding others up.
 *
 * On Windows descriptors are handles, and a few things differ. There are no signals: SIGKILL, SIGTERM, SIGINT and SIGABRT
 * all end a program at once, with that as its status. An exit status may have more than eight bits; that of a program
 * which died of a fault is the negative number that the signal has on Linux (22, SIGABRT, for others than SIGINT, SIGILL,
 * SIGFPE, SIGSEGV). Names, arguments and environments are UTF-8, and arguments are quoted as the C library takes them
 * apart; batch files, whose rules are others, are refused: -ENOEXEC. A pipe is one of the system's for the program, with
 * an OS thread of ours that carries the bytes. A group is a job; one of kill_at_exit ends with the caller's process.
 * green_os_waitpid() knows the programs that green_process_spawn() has started, by their number, and its status is that
 * of green_process_wait(); for any child it is -ENOTSUP.
 */
#ifndef GREEN_PROCESS_H
#define GREEN_PROCESS_H

#include <sys/types.h>

#include <green/base.h>
#include <green/hub.h>
#include <green/stream.h>

#if defined(_WIN32) && !defined(SIGKILL)
#define SIGKILL 9
#endif

GREEN_BEGIN_DECLS

/** A child process. Opaque. It belongs to the OS thread that started it. */
typedef struct green_process green_process;

/** What becomes of one of its standard descriptors. */
enum green_process_io {
        GREEN_PROCESS_INHERIT = 0, /**< it has the caller's */
        GREEN_PROCESS_PIPE,        /**< a stream leads to it: green_process_stdin() and so on */
        GREEN_PROCESS_NULL,        /**< /dev/null */
        GREEN_PROCESS_STDOUT,      /**< of stderr: where stdout goes */
        GREEN_PROCESS_FD           /**< the descriptor that is given */
};

/** How a program is started. Set it to zero, then @ref size, then what you need. All is borrowed for the call. */
struct green_process_opts {
        size_t size;            /**< sizeof(struct green_process_opts) */
        const char *file;       /**< the program; NULL: argv[0]. Without a slash looked for in the caller's PATH */
        const char *const *env; /**< "NAME=value", ended by NULL; NULL: the caller's */
        const char *cwd;        /**< the folder it starts in; NULL: the caller's */
        enum green_process_io in;  /**< its standard input */
        enum green_process_io out; /**< its standard output */
        enum green_process_io err; /**< its standard error */
        green_fd in_fd;            /**< where in is GREEN_PROCESS_FD; it stays the caller's */
        green_fd out_fd;           /**< likewise of out */
        green_fd err_fd;           /**< likewise of err */
        const green_fd *pass; /**< further descriptors (3 and up) that it gets, under the same numbers; all others are
                                   closed */
        size_t pass_count;    /**< how many */
        bool new_group;       /**< it leads a process group of its own, so that green_process_kill() reaches its
                                   children */
        bool new_session;     /**< and a session of its own */
        bool kill_at_exit;    /**< the system kills it when the OS thread that started it ends, at the latest with the
                                   caller's process (Linux; elsewhere -ENOTSUP) */
};

/**
 * @brief Start a program. May yield, for the start to be known to have worked. Signals are as at the start of a
 *        program.
 *
 * Where it cannot be started, nothing is left behind: no process and no descriptor (GSUB-06). The OS thread stands
 * still until the program's own code runs.
 *
 * @param argv its arguments, ended by NULL; argv[0] is its name.
 * @param opts NULL for defaults.
 * @return the process, the caller's: green_process_free(). NULL with `errno` and green_last_error(): ENOENT, EACCES (no
 *         such program, or not executable), ENOEXEC, ENOTDIR, EBADF, EINVAL, EMFILE, EAGAIN (too many processes),
 *         ENOMEM; or the codes of a kill or a timeout.
 * @since 0.1 (GSUB-01, GSUB-06)
 */
GREEN_API green_process *green_process_spawn(const char *const *argv, const struct green_process_opts *opts);

/**
 * @brief The process's number. Never yields.
 * @param p a process.
 * @return its pid, also after its end; -1 on NULL.
 * @since 0.1
 */
GREEN_API pid_t green_process_pid(const green_process *p);

/**
 * @brief The stream to its standard input. Never yields.
 * @param p a process.
 * @return the stream, the process's: close it with green_stream_close() to end its input; NULL where it is no pipe.
 * @since 0.1
 */
GREEN_API green_stream *green_process_stdin(const green_process *p);

/**
 * @brief The stream from its standard output. Never yields.
 * @param p a process.
 * @return the stream, the process's; NULL where it is no pipe.
 * @since 0.1
 */
GREEN_API green_stream *green_process_stdout(const green_process *p);

/**
 * @brief The stream from its standard error. Never yields.
 * @param p a process.
 * @return the stream, the process's; NULL where it is no pipe.
 * @since 0.1
 */
GREEN_API green_stream *green_process_stderr(const green_process *p);

/**
 * @brief Wait for its end. May yield. Through a pidfd where the system has them; several may wait.
 * @param      p          a process.
 * @param      timeout    seconds; 0 asks; #GREEN_FOREVER waits for good.
 * @param[out] ret_status 0 to 255: what it exited with; negative: the signal that ended it, as -SIGKILL; -1000:
 *                        somebody else has waited for it (GSUB-02). Set on success only; may be NULL.
 * @retval 0              it has ended.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        p is NULL, or a bad time.
 * @retval -EPERM         another OS thread's.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1 (GSUB-01, GSUB-02)
 */
GREEN_API GREEN_MUST_USE int green_process_wait(green_process *p, double timeout, int *ret_status);

/**
 * @brief Send it a signal. Never yields. Never to another process that has its number by now.
 * @param p      a process.
 * @param signal a signal; with new_group (or new_session) it goes to the whole group, also to what its leader left
 *               behind when it ended, until somebody has waited for it.
 * @retval 0      sent.
 * @retval -ESRCH it has ended.
 * @retval -EPERM another OS thread's, or not allowed.
 * @return otherwise as kill(2).
 * @since 0.1
 */
GREEN_API int green_process_kill(green_process *p, int signal);

/** What green_process_communicate() brings. Zeroed before. */
struct green_process_output {
        char *out;      /**< what it wrote to its standard output, with a NUL behind it that does not count; the caller's,
                             for green_free(). NULL where that is no pipe */
        char *err;      /**< likewise to its standard error */
        size_t out_len; /**< bytes of out */
        size_t err_len; /**< bytes of err */
        int status;     /**< as of green_process_wait() */
};

/**
 * @brief Feed it, read all it writes, and wait for its end: at the same time, so that nobody gets stuck. Yields.
 *
 * After a timeout or a kill it can be called again, and nothing is lost: it goes on where it was. The input is that of
 * the first call then. What its streams have in their buffers comes first.
 *
 * @param         p       a process.
 * @param         input   for its standard input, which is closed afterwards; NULL: none. Borrowed until it has been
 *                        sent.
 * @param         len     bytes.
 * @param         limit   bytes that out and err may have, each; -EMSGSIZE where there is more.
 * @param         timeout seconds for all of it; #GREEN_FOREVER: no limit.
 * @param[in,out] output  what came; set on success only.
 * @retval 0          it has ended.
 * @retval -ETIMEDOUT not in time: it runs on, kill it if you like.
 * @retval -EMSGSIZE  it writes too much: likewise.
 * @retval -EBUSY     another green thread uses one of its streams, or communicates with it.
 * @retval -EINVAL    p or output is NULL, a bad time, or there is input and no open pipe to it.
 * @return otherwise as green_process_wait(), and what reading and writing return.
 * @since 0.1 (GSUB-03, GSUB-04)
 */
GREEN_API GREEN_MUST_USE int green_process_communicate(green_process *p, const void *input, size_t len, size_t limit,
                                                       double timeout, struct green_process_output *output);

/**
 * @brief Release it, and its streams. May yield: where it still runs, it is ended by SIGTERM and, a second later,
 *        SIGKILL, shielded, and waited for, so that no zombie stays.
 * @param p a process or NULL.
 * @retval 0      released.
 * @retval -EBUSY another green thread waits for it, or uses one of its streams: nothing was done.
 * @retval -EPERM another OS thread's: nothing was done. (Where that one's hub has ended anybody may release it.)
 * @retval -EDEADLK it still runs, and a hub callback cannot wait for it: nothing was done.
 * @since 0.1
 */
GREEN_API int green_process_free(green_process *p);

/**
 * @brief Run a program to its end, as subprocess.call(). Yields. A kill or timeout ends the program too.
 * @param      argv       as for green_process_spawn().
 * @param      opts       NULL for defaults. Pipes mean nothing here: -EINVAL.
 * @param      timeout    seconds; then the program is killed.
 * @param[out] ret_status as of green_process_wait(); may be NULL.
 * @retval 0 it has ended, whatever its status.
 * @return otherwise as green_process_spawn() and green_process_wait().
 * @since 0.1 (GSUB-05)
 */
GREEN_API GREEN_MUST_USE int green_process_call(const char *const *argv, const struct green_process_opts *opts,
                                                double timeout, int *ret_status);

/**
 * @brief The same, and a status other than 0 is an error, as subprocess.check_call(). Yields.
 * @param argv    as for green_process_spawn().
 * @param opts    NULL for defaults.
 * @param timeout seconds; then the program is killed.
 * @retval 0            it has ended with status 0.
 * @retval GREEN_ECHILD it has ended with another; green_last_error() has the program's name and the status.
 * @return otherwise as green_process_call().
 * @since 0.1 (GSUB-05)
 */
GREEN_API GREEN_MUST_USE int green_process_check_call(const char *const *argv, const struct green_process_opts *opts,
                                                      double timeout);

/**
 * @brief The same, and get what it writes, as subprocess.check_output(). Yields.
 * @param      argv    as for green_process_spawn().
 * @param      opts    NULL for defaults; out is a pipe.
 * @param      timeout seconds; then the program is killed.
 * @param[out] ret_out what it wrote, with a NUL behind it that does not count; the caller's: green_free(). Set on
 *                     success only.
 * @param[out] ret_len its bytes; set on success only.
 * @return as green_process_check_call(); -EMSGSIZE above 64 MiB.
 * @since 0.1 (GSUB-05)
 */
GREEN_API GREEN_MUST_USE int green_process_check_output(const char *const *argv, const struct green_process_opts *opts,
                                                        double timeout, char **ret_out, size_t *ret_len);

/**
 * @name System calls that wait greenly, on descriptors and children that are no objects of green-net
 * @{
 */

/**
 * @brief read(2): wait until there is something, unless it is a regular file, and read once. May yield.
 * @param fd  a descriptor; O_NONBLOCK or not.
 * @param buf where to.
 * @param len bytes there.
 * @return bytes; 0 at the end; otherwise as read(2) and green_trampoline(). EAGAIN and EINTR are never seen.
 * @since 0.1 (GOS-01, GOS-02)
 */
GREEN_API GREEN_MUST_USE ssize_t green_os_read(green_fd fd, void *buf, size_t len);

/**
 * @brief write(2): wait until it takes something, unless it is a regular file, and write once. May yield. No SIGPIPE.
 * @param fd  a descriptor. One that blocks takes at most PIPE_BUF bytes at a time, so that it does not (GOS-05).
 * @param buf what to write.
 * @param len bytes.
 * @return bytes, perhaps fewer than len; -EPIPE: nobody reads; otherwise as green_os_read().
 * @since 0.1 (GOS-03 to GOS-05)
 */
GREEN_API GREEN_MUST_USE ssize_t green_os_write(green_fd fd, const void *buf, size_t len);

/**
 * @brief waitpid(2). May yield, unless WNOHANG is given.
 *
 * On Windows there are no groups, and it looks for any child (-1) every 20 ms.
 *
 * @param      pid        a child, or -1, 0, -group as for waitpid(2).
 * @param[out] ret_status as of waitpid(2), for WIFEXITED() and so on; may be NULL.
 * @param      options    WNOHANG, WUNTRACED, WCONTINUED.
 * @return the child's pid; 0 with WNOHANG where none has ended; -ECHILD: there is no such child; -ENOTSUP: a
 *         group on Windows; otherwise #GREEN_EKILLED, #GREEN_ETIMEOUT (or their codes), -EDEADLK.
 * @since 0.1 (GOS-06)
 */
GREEN_API GREEN_MUST_USE pid_t green_os_waitpid(pid_t pid, int *ret_status, int options);

/**
 * @brief wait(2): for any child. May yield.
 * @param[out] ret_status as of waitpid(2); may be NULL.
 * @return as green_os_waitpid().
 * @since 0.1 (GOS-06)
 */
GREEN_API GREEN_MUST_USE pid_t green_os_wait(int *ret_status);
/** @} */

GREEN_END_DECLS

#endif
