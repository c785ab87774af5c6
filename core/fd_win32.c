/*
 * What core does with sockets on Windows. See fd_priv.h.
 */
#include "fd_priv.h"

#include <errno.h>
#include <winsock2.h>

int
green__fd_poll(green_fd fd, unsigned events)
{
        WSAPOLLFD p = {.fd = fd, .events = events == GREEN_READ ? POLLRDNORM | POLLRDBAND : POLLWRNORM};
        int n = WSAPoll(&p, 1, 0);

        if (n < 0)
                return WSAGetLastError() == WSAENOTSOCK ? -EBADF : WSAGetLastError() == WSAENOBUFS ? -ENOMEM : -EINVAL;
        if (p.revents & POLLNVAL)
                return -EBADF;
        return n > 0 ? 0 : -ETIMEDOUT;
}

int
green__fd_close(green_fd fd)
{
        if (closesocket(fd) == 0)
                return 0;
        if (WSAGetLastError() != WSAENOTSOCK)
                return -EIO;
        /* Files have handles of the same kind of number. */
        return CloseHandle((HANDLE)fd) ? 0 : -EBADF;
}
