/*
 * poll() and the sets of select() on Windows. See poll_sys.h.
 *
 * A set is a list of sockets there: n means nothing, and each socket of each set has a row of its own. The third set is
 * of connections that failed, and urgent data is not asked for: WSAPoll() refuses it.
 */
#include <config.h>

#include <errno.h>

#include "poll_sys.h"
#include "sock_win32.h"

#define CAN_ASK (POLLRDNORM | POLLRDBAND | POLLWRNORM)

/* One row. What is wrong with one socket is no failure of the others. */
static bool
ask(struct pollfd *row)
{
        struct pollfd one = {.fd = row->fd, .events = (short)(row->events & CAN_ASK)};

        row->revents = 0;
        if (row->fd == GREEN_INVALID_FD)
                return false;
        row->revents = WSAPoll(&one, 1, 0) < 0 ? POLLNVAL : one.revents;
        return row->revents != 0;
}

int
green__sys_poll(struct pollfd *fds, size_t n)
{
        int count = 0;

        green__wsa_begin();
        for (size_t i = 0; i < n; i++)
                count += ask(&fds[i]);
        return count;
}

int
green__sys_poll_one(struct pollfd *row, int milliseconds)
{
        int count;

        row->events &= CAN_ASK;
        count = WSAPoll(row, 1, milliseconds);
        return count < 0 ? green__wsa_error() : count;
}

/* ---- sets */

const struct green__poll_meaning green__poll_meanings[3] = {
        {POLLIN, POLLIN | POLLHUP | POLLERR},
        {POLLOUT, POLLOUT},
        {POLLPRI, POLLERR},
};

bool
green__sets_ok(int n)
{
        return n >= 0;
}

size_t
green__sets_rows(int n, fd_set *const sets[3], struct pollfd *rows)
{
        size_t count = 0;

        (void)n;
        for (int k = 0; k < 3; k++)
                for (unsigned i = 0; sets[k] != NULL && i < sets[k]->fd_count; i++, count++)
                        if (rows != NULL)
                                rows[count] = (struct pollfd){.fd = sets[k]->fd_array[i],
                                                              .events = green__poll_meanings[k].wanted};
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
