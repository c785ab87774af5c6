/*
 * poll() and the sets of select() on POSIX. See poll_sys.h.
 */
#include <config.h>

#include <errno.h>

#include "poll_sys.h"

int
green__sys_poll(struct pollfd *fds, size_t n)
{
        int count;

        do
                count = poll(fds, (nfds_t)n, 0);
        while (count < 0 && errno == EINTR);
        return count < 0 ? -errno : count;
}

int
green__sys_poll_one(struct pollfd *row, int milliseconds)
{
        int count = poll(row, 1, milliseconds);

        if (count >= 0)
                return count;
        return errno == EINTR ? 0 : -errno;
}

/* ---- sets */

const struct green__poll_meaning green__poll_meanings[3] = {
        {POLLIN, POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR},
        {POLLOUT, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR},
        {POLLPRI, POLLPRI},
};

bool
green__sets_ok(int n)
{
        return n >= 0 && n <= FD_SETSIZE;
}

static short
wanted_of(int fd, fd_set *const sets[3])
{
        short events = 0;

        for (int k = 0; k < 3; k++)
                if (sets[k] != NULL && FD_ISSET(fd, sets[k]))
                        events = (short)(events | green__poll_meanings[k].wanted);
        return events;
}

size_t
green__sets_rows(int n, fd_set *const sets[3], struct pollfd *rows)
{
        size_t count = 0;

        for (int fd = 0; fd < n; fd++) {
                short events = wanted_of(fd, sets);

                if (events != 0 && rows != NULL)
                        rows[count] = (struct pollfd){.fd = fd, .events = events};
                count += events != 0;
        }
        return count;
}

void
green__sets_tell(const struct pollfd *rows, size_t count, fd_set *const sets[3])
{
        for (int k = 0; k < 3; k++)
                if (sets[k] != NULL)
                        FD_ZERO(sets[k]);
        for (size_t i = 0; i < count; i++)
                for (int k = 0; k < 3; k++)
                        if ((rows[i].events & green__poll_meanings[k].wanted) != 0 &&
                            (rows[i].revents & green__poll_meanings[k].meant) != 0)
                                FD_SET(rows[i].fd, sets[k]);
}
