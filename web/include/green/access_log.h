/**
 * @file
 * @brief A log file that never holds up a hub: for the access log of the HTTP server, or other lines.
 *
 * Lines go into a buffer, and an OS thread of the log's own writes them. Where the disk is slow or full the buffer fills,
 * and then lines are dropped, which is counted, and said to the log hook once a minute at most. When there is room again it goes
 * on.
 *
 *     green_access_log *log = green_access_log_open("/var/log/site.log",
 *             &(struct green_access_log_opts){.size = sizeof(struct green_access_log_opts), .reopen_on_hangup = true});
 *     struct green_wsgi_server_opts opts = {.size = sizeof opts, .log = green_access_log_write, .log_arg = log,
 *                                           .log_format = GREEN_WSGI_LOG_COMBINED};
 *
 *     green_wsgi_server(listener, app, NULL, &opts);
 *     green_access_log_free(log);
 *
 * A line is a whole one always: also where several processes write to one file (each appends; on a disk of the machine's
 * own, and not NFS or a pipe), where the disk was full in the middle of one (its rest is written first when there is room), and
 * where the file is opened anew then (the whole line goes to the new one). Only where the disk is full and others write to
 * the file may a line of theirs come before the rest.
 *
 * Lines that wait are lost where the process is killed, or ends without green_access_log_free(): those of some 5 ms, where
 * the disk is well.
 *
 * Rotation: rename the file, then have it opened anew, by green_access_log_reopen() or by SIGHUP, and compress the old one
 * a little later.
 *
 * After a fork the child has the log too: the parent writes what was in the buffer, and the child's first line opens the
 * file anew and begins a writer there.
 *
 * Functions here may be called by any OS thread at any time, where nothing else is said.
 */
#ifndef GREEN_ACCESS_LOG_H
#define GREEN_ACCESS_LOG_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** A log file. Opaque. */
typedef struct green_access_log green_access_log;

/** What green_access_log_open() can change. Set it to zero, then @ref size, then what you need. */
struct green_access_log_opts {
        size_t size;           /**< sizeof(struct green_access_log_opts) */
        size_t buffer;         /**< bytes that may wait to be written; half of them are those that are being written. 0: 1 MiB;
                                    at least 32,768 */
        unsigned mode;         /**< of a file that is made, less the umask; nothing on Windows. 0: 0640 */
        bool reopen_on_hangup; /**< SIGHUP has the file opened anew. A green thread of the calling OS thread waits for it,
                                    and in the child of a fork one of the OS thread that writes first. Not on Windows */
};

/** What a log has done. */
struct green_access_log_stats {
        uint64_t lines;    /**< written */
        uint64_t bytes;    /**< written */
        uint64_t dropped;  /**< lines that did not fit into the buffer, or were left at the end */
        uint64_t errors;   /**< writes that failed, and openings */
        uint64_t reopened; /**< times that the file was opened anew */
        size_t waiting;    /**< bytes in the buffer */
};

/**
 * @brief Open a log file, which is made if it is not there. Never yields; the OS thread waits while the system opens it.
 * @param path the file; copied. In UTF-8 on Windows. A relative one is looked up where the process is when it is opened,
 *             so also when it is opened anew.
 * @param opts NULL for defaults.
 * @return the log, the caller's: green_access_log_free(). NULL with `errno` and green_last_error(): EINVAL (no path, or
 *         opts has an unknown size), ENOTSUP (reopen_on_hangup where there is no SIGHUP), ENOMEM, EAGAIN (no OS thread),
 *         what open(2) has failed with.
 * @since 0.1 (WSGI-93)
 */
GREEN_API green_access_log *green_access_log_open(const char *path, const struct green_access_log_opts *opts);

/**
 * @brief Add lines. Never yields, and no system call waits: what does not fit is dropped, whole lines of it. For
 *        green_wsgi_server_opts::log, with the log as log_arg. thread-safe.
 * @param log  of green_access_log_open().
 * @param text lines, each ended by newline.
 * @param len  bytes.
 * @since 0.1 (WSGI-93)
 */
GREEN_API void green_access_log_write(void *log, const char *text, size_t len);

/**
 * @brief Have the file opened anew, by its path. Never yields: the writer does it, soon. thread-safe. Lines that were
 *        added before may stand in either file. Where it cannot be opened the old one is kept, which is said to the log hook
 *        and counted, and it is tried again each second in which there are lines to write.
 * @param log of green_access_log_open().
 * @retval 0       it will be.
 * @retval -EINVAL log is NULL.
 * @retval -EAGAIN in the child of a fork: there is no OS thread to be had for the writer.
 * @since 0.1
 */
GREEN_API int green_access_log_reopen(green_access_log *log);

/**
 * @brief Wait until all that was asked for before is done: lines are given to the system, the file is opened anew. May
 *        yield. thread-safe.
 * @param log     of green_access_log_open().
 * @param timeout seconds; 0 asks.
 * @retval 0              it is.
 * @retval -ETIMEDOUT     not in time: the disk is slow, or full.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        log is NULL, or a bad time.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_access_log_flush(green_access_log *log, double timeout);

/**
 * @brief What it has done. Never yields. thread-safe.
 * @param      log       of green_access_log_open().
 * @param[out] ret_stats set on success only.
 * @retval 0       done.
 * @retval -EINVAL an argument is NULL.
 * @since 0.1
 */
GREEN_API int green_access_log_get_stats(green_access_log *log, struct green_access_log_stats *ret_stats);

/**
 * @brief Write what is there, close the file and free the log, which nobody must use any more. May yield, shielded, for two
 *        seconds at most; then, and in a hub callback at once, the writer is left to itself: it writes what it still can
 *        and ends.
 * @param log a log or NULL.
 * @retval 0      done.
 * @retval -EPERM with reopen_on_hangup: another OS thread has opened it (in the child of a fork: has written first), and
 *                its hub has not ended. Nothing was done.
 * @since 0.1
 */
GREEN_API int green_access_log_free(green_access_log *log);

GREEN_END_DECLS

#endif
