/*
 * What core itself does with descriptors: fd_posix.c, and fd_win32.c where they are SOCKETs.
 */
#ifndef GREEN_FD_PRIV_H
#define GREEN_FD_PRIV_H

#include <green/base.h>

/* Numbers of descriptors go up by this: those of Windows are handles, of which the lowest two bits are free. */
enum { GREEN__FD_STEP = sizeof(green_fd) > sizeof(int) ? 4 : 1 };

/* Can it be one? Handles have 32 bits, also where their type has more. */
static inline bool
green__fd_ok(green_fd fd)
{
        return (intptr_t)fd >= 0 && (uintptr_t)fd <= INT32_MAX;
}

/* Its place in a table, and back. */
static inline size_t
green__fd_place(green_fd fd)
{
        return (size_t)fd / GREEN__FD_STEP;
}

static inline green_fd
green__fd_at(size_t place)
{
        return (green_fd)(place * GREEN__FD_STEP);
}

/* Is it ready for GREEN_READ or GREEN_WRITE, now? 0, -ETIMEDOUT: no, -EBADF or another code. */
int green__fd_poll(green_fd fd, unsigned events);

/* It is closed whatever comes back: 0 or -errno. */
int green__fd_close(green_fd fd);

#endif
