/*
 * What core does with descriptors on POSIX systems. See fd_priv.h.
 */
#include "fd_priv.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

int
green__fd_poll(green_fd fd, unsigned events)
{
        struct pollfd p = {.fd = fd, .events = events == GREEN_READ ? POLLIN | POLLPRI : POLLOUT};
        int n;

        do
                n = poll(&p, 1, 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (p.revents & POLLNVAL)
                return -EBADF;
        return n > 0 ? 0 : -ETIMEDOUT;
}

/* Interrupted or not, the descriptor is gone, and its number may be somebody else's already. */
int
green__fd_close(green_fd fd)
{
        return close(fd) == 0 || errno == EINTR ? 0 : -errno;
}
