/*
 * Which sockets are ready: Windows. See os_poll.h.
 *
 * WSAPoll() refuses urgent data among the events, and a call without a single socket.
 */
#include <errno.h>

#include "os_poll.h"

/* One row. What is wrong with one socket is no failure of the others. */
static void
ask(struct pollfd *row)
{
        struct pollfd one = {.fd = row->fd, .events = (short)(row->events & (POLLIN | POLLOUT))};

        row->revents = 0;
        if (row->fd == GREEN_INVALID_FD)
                return;
        if (WSAPoll(&one, 1, 0) >= 0)
                row->revents = one.revents;
        else
                row->revents = POLLNVAL;
}

int
green__os_poll(struct pollfd *rows, size_t n)
{
        for (size_t i = 0; i < n; i++)
                ask(&rows[i]);
        return 0;
}
