/*
 * Which descriptors are ready: POSIX. See os_poll.h.
 */
#include <errno.h>

#include "os_poll.h"

int
green__os_poll(struct pollfd *rows, size_t n)
{
        int count;

        do
                count = poll(rows, (nfds_t)n, 0);
        while (count < 0 && errno == EINTR);
        return count < 0 ? -errno : 0;
}
