/**
 * @file
 * @brief Pipes, terminals and files as streams: see <green/stream.h> for what to do with them.
 *
 * Modes are those of fopen(): `r`, `w`, `a`, with `+` for both; `b` means nothing, `x` must not exist, `e` is always on
 * (closed on exec). Regular files are read and written by the calling OS thread: the disk is waited for, and others
 * with it.
 *
 * On Windows a descriptor is a handle, and green_pipe_new() makes a pair of sockets. Pipes and consoles from elsewhere can
 * be written to, which holds up the OS thread; to read from one is -ENOTSUP.
 */
#ifndef GREEN_PIPE_H
#define GREEN_PIPE_H

#include <stdio.h>

#include <green/base.h>
#include <green/stream.h>

GREEN_BEGIN_DECLS

/**
 * @brief Make a pipe. Never yields.
 * @param[out] ret_reader the end to read from, the caller's: green_stream_free(); set on success only.
 * @param[out] ret_writer the end to write to, likewise.
 * @param      opts       for both; NULL for defaults.
 * @retval 0 made.
 * @return otherwise -EMFILE, -ENFILE, -ENOMEM, -EINVAL (the options).
 * @since 0.1 (PIPE-01)
 */
GREEN_API int green_pipe_new(green_stream **ret_reader, green_stream **ret_writer, const struct green_stream_opts *opts);

/**
 * @brief Make a stream of a descriptor that is open already: a pipe, a terminal, a socket, a file. Never yields.
 *
 * It is switched to O_NONBLOCK where it can be, but never 0, 1 and 2: others share their open file. Those are asked
 * first whether they are ready, and written to in pieces that fit.
 *
 * @param fd   a descriptor; the stream's from now on, which closes it. It stays the caller's if this fails.
 * @param mode as for fopen(); nothing is created or cut.
 * @param opts NULL for defaults.
 * @return the stream, the caller's: green_stream_free(). NULL with `errno` and green_last_error(): EBADF, EINVAL (the
 *         mode, or one the descriptor is not open for), EBUSY (another handle has it), ENOMEM.
 * @since 0.1 (PIPE-01, PIPE-08)
 */
GREEN_API green_stream *green_pipe_fdopen(green_fd fd, const char *mode, const struct green_stream_opts *opts);

/**
 * @brief Open a file, a named pipe or a device by its name. Never yields.
 * @param path its name. A named pipe is opened without waiting for its other end: to write, there must be a reader
 *             (ENXIO).
 * @param mode as for fopen().
 * @param opts NULL for defaults.
 * @return the stream, the caller's: green_stream_free(). NULL with `errno` and green_last_error(): EINVAL, or as
 *         open(2).
 * @since 0.1 (PIPE-01, PIPE-05)
 */
GREEN_API green_stream *green_pipe_open(const char *path, const char *mode, const struct green_stream_opts *opts);

/**
 * @brief Make a stream of a stdio file: its descriptor is duplicated and the file closed. Never yields.
 * @param file what to take over; it is flushed, and closed where this succeeds.
 * @param mode as for fopen().
 * @param opts NULL for defaults.
 * @return as green_pipe_fdopen(); EMFILE too.
 * @since 0.1 (PIPE-01)
 */
GREEN_API green_stream *green_pipe_from_file(FILE *file, const char *mode, const struct green_stream_opts *opts);

GREEN_END_DECLS

#endif
