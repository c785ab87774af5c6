/*
 * poll() and select() that let others run. See <green/poll.h>.
 *
 * The system is asked first, without a wait. If nothing is ready there is one park with a node for each descriptor and
 * direction, and the system is asked again, so that all that are ready are told, and in its own words.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/park.h>
#include <green/poll.h>
#include <green/thread.h>

#include "check.h"
#include "poll_priv.h"
#include "poll_sys.h"
#include "socket_priv.h"

/* Up to so many nodes, and rows of a select, lie on the stack. */
enum { FEW = 32 };

/* ---- waiting */

/* The direction a node has to wait in for these events, one after the other; an end or an error comes with reading. */
static unsigned
directions(short events)
{
        unsigned how = 0;

        if ((events & (POLLOUT | POLLWRNORM | POLLWRBAND)) != 0)
                how |= GREEN_WRITE;
        if (how == 0 || (events & ~(POLLOUT | POLLWRNORM | POLLWRBAND)) != 0)
                how |= GREEN_READ;
        return how;
}

/* The nodes of a wait. */
struct nodes {
        struct green_wait *waits;
        size_t n;
};

/* Have a node wait for a descriptor in a direction. */
static int
arm(struct nodes *nodes, green_fd fd, unsigned direction)
{
        struct green_wait *w = &nodes->waits[nodes->n];
        int rc;

        *w = (struct green_wait){.next = NULL};
        rc = green_wait_fd(w, fd, direction);
        if (rc == 0)
                nodes->n++;
        /* Always ready: the system has said for what, and that will not change. */
        return rc > 0 ? 0 : rc;
}

static int
park(struct nodes *nodes, const struct green__poll_wait *wait, double timeout)
{
        const struct pollfd *fds = wait->fds;
        size_t n = wait->n;
        int rc = 0;

        for (size_t i = 0; i < n && rc == 0; i++) {
                unsigned how = directions(fds[i].events);

                if ((intptr_t)fds[i].fd < 0)
                        continue;
                if ((how & GREEN_READ) != 0)
                        rc = arm(nodes, fds[i].fd, GREEN_READ | wait->shared);
                if (rc == 0 && (how & GREEN_WRITE) != 0)
                        rc = arm(nodes, fds[i].fd, GREEN_WRITE | wait->shared);
        }
        if (wait->also != NULL)
                nodes->waits[nodes->n++] = (struct green_wait){.queue = wait->also};
        if (rc == 0)
                return green_park_any(nodes->waits, nodes->n, timeout, NULL);
        (void)!green_park_any(nodes->waits, nodes->n, 0, NULL); /* lets go of those before */
        return rc;
}

/* Keeps the nodes off the stack of those who need not wait. */
static __attribute__((noinline)) int
park_few(const struct green__poll_wait *wait, double timeout)
{
        struct green_wait waits[FEW + 1];
        struct nodes nodes = {waits, 0};

        return park(&nodes, wait, timeout);
}

static int
park_many(const struct green__poll_wait *wait, double timeout)
{
        size_t n = wait->n;
        struct nodes nodes = {n >= SIZE_MAX / 2 / sizeof(struct green_wait)
                                      ? NULL
                                      : green_malloc((2 * n + 1) * sizeof(struct green_wait)),
                              0};
        int rc;

        if (nodes.waits == NULL)
                return -ENOMEM;
        rc = park(&nodes, wait, timeout);
        green_free(nodes.waits);
        return rc;
}

/*
 * A hub knows reading and writing only. One that waits for less, such as urgent data alone, may be woken again and
 * again by what it did not ask for: from the second time on it sleeps before it asks again.
 */
#define FIRST_PAUSE 0.001
#define LONGEST_PAUSE 0.05

static int
pause_for(double *pause, double left)
{
        struct green_waitq nobody = {NULL, NULL};
        struct green_wait w;
        double seconds = *pause;
        int rc;

        if (seconds == 0) {
                *pause = FIRST_PAUSE;
                return 0;
        }
        if (*pause < LONGEST_PAUSE)
                *pause *= 2;
        rc = green_park(&nobody, &w, seconds < left ? seconds : left);
        return rc == -ETIMEDOUT ? 0 : rc;
}

static int
look(const struct green__poll_wait *w)
{
        int count = green__sys_poll(w->fds, w->n);

        return count > 0 && w->count != NULL ? w->count(w->arg, w->fds, w->n, count) : count;
}

int
green__poll_until_ready(const struct green__poll_wait *w, double timeout)
{
        struct green__limit limit = {.timeout = timeout, .start = -1};
        double pause = 0;
        int count, rc = timeout == 0 ? 0 : green_checkpoint();

        if (rc != 0)
                return rc;
        count = look(w);
        while (count == 0 && timeout != 0) {
                double left = green__limit_left(&limit);

                if (left == 0)
                        break;
                rc = w->n <= FEW / 2 ? park_few(w, left) : park_many(w, left);
                if (rc != 0 && rc != -ETIMEDOUT)
                        return rc;
                count = look(w);
                if (count == 0 && rc == 0)
                        rc = pause_for(&pause, green__limit_left(&limit));
                if (count == 0 && rc != 0)
                        return rc == -ETIMEDOUT ? 0 : rc;
        }
        return count;
}

int
green_poll(struct pollfd *fds, size_t n, double timeout)
{
        struct green__poll_wait w = {.fds = fds, .n = n};
        int rc;

        if ((fds == NULL && n > 0) || !(timeout >= 0) || n > INT_MAX)
                return -EINVAL;
        rc = green__poll_until_ready(&w, timeout);
        for (size_t i = 0; i < n && rc < 0; i++)
                fds[i].revents = 0;
        return rc;
}

/* ---- select */

static int
bits_of(const struct pollfd *row)
{
        int bits = 0;

        for (int k = 0; k < 3; k++)
                bits += (row->events & green__poll_meanings[k].wanted) != 0 &&
                        (row->revents & green__poll_meanings[k].meant) != 0;
        return bits;
}

static int
count_bits(void *arg, const struct pollfd *fds, size_t n, int count)
{
        int bits = 0;

        (void)arg;
        (void)count;
        for (size_t i = 0; i < n; i++) {
                if ((fds[i].revents & POLLNVAL) != 0)
                        return -EBADF;
                bits += bits_of(&fds[i]);
        }
        return bits;
}

static int
select_rows(struct pollfd *rows, int n, fd_set *const sets[3], double timeout)
{
        struct green__poll_wait w = {.fds = rows, .n = green__sets_rows(n, sets, rows), .count = count_bits};
        int rc = green__poll_until_ready(&w, timeout);

        if (rc >= 0)
                green__sets_tell(rows, w.n, sets);
        return rc;
}

static __attribute__((noinline)) int
select_few(int n, fd_set *const sets[3], double timeout)
{
        struct pollfd rows[FEW];

        return select_rows(rows, n, sets, timeout);
}

int
green_fd_select(int n, fd_set *readers, fd_set *writers, fd_set *others, double timeout)
{
        fd_set *const sets[3] = {readers, writers, others};
        struct pollfd *rows;
        size_t count;
        int rc;

        if (!green__sets_ok(n) || !(timeout >= 0))
                return -EINVAL;
        count = green__sets_rows(n, sets, NULL);
        if (count <= FEW)
                return select_few(n, sets, timeout);
        rows = green_malloc(count * sizeof *rows);
        if (rows == NULL)
                return -ENOMEM;
        rc = select_rows(rows, n, sets, timeout);
        green_free(rows);
        return rc;
}
