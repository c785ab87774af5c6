/**
 * @file
 * @brief System calls without the signal that some of their failures raise.
 *
 * Writing to a pipe that nobody reads from raises SIGPIPE, writing beyond the limit on the length of files SIGXFSZ, where
 * other failures are a code alone. green-net's own calls never raise them; this is for those who call the system.
 *
 *     struct green_quiet q;
 *     ssize_t n;
 *
 *     green_quiet_begin(&q, SIGPIPE);
 *     n = write(fd, text, len);
 *     green_quiet_end(&q, n < 0 && errno == EPIPE);
 */
#ifndef GREEN_QUIET_H
#define GREEN_QUIET_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** From green_quiet_begin() to green_quiet_end(), in one OS thread and without yielding in between. */
struct green_quiet {
        uint64_t reserved[20]; /**< net's */
};

/**
 * @brief Block a signal in this OS thread. Never yields. thread-safe.
 * @param q     storage, until green_quiet_end().
 * @param signo SIGPIPE or SIGXFSZ.
 * @since 0.1
 */
GREEN_API void green_quiet_begin(struct green_quiet *q, int signo);

/**
 * @brief Let it come again, without the one that came of the call. Never yields; leaves `errno` alone. thread-safe.
 * @param q      as begun.
 * @param raised the call failed in the way that raises the signal.
 * @since 0.1
 */
GREEN_API void green_quiet_end(struct green_quiet *q, bool raised);

GREEN_END_DECLS

#endif
