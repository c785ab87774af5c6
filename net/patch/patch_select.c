/*
 * select() and pselect(): the sets become rows of a poll, and its answers bits. Sets may be larger than fd_set is.
 */
#include "patch_poll_priv.h"

#include <fcntl.h>
#include <green/alloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

enum { FEW = 32 };

/* Beyond so many seconds a sum of microseconds would not fit. */
#define FOR_EVER (INT64_MAX / 1000000 / 2)

/*
 * How far the sets are looked at. Callers that give the most descriptors there may be have sets of FD_SETSIZE bits all
 * the same: the system looks no further than its table of descriptors reaches, which grows with what is opened.
 */
static int
last_of(int n)
{
        char text[1024];
        const char *line;
        int fd, size;
        ssize_t got;

        if (n <= FD_SETSIZE)
                return n;
        fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return n;
        got = read(fd, text, sizeof text - 1);
        (void)close(fd);
        text[got > 0 ? got : 0] = '\0';
        line = strstr(text, "\nFDSize:");
        size = line == NULL ? 0 : (int)strtol(line + 8, NULL, 10);
        return size > 0 && size < n ? size : n;
}

/* What the three sets mean, in poll's words. */
static const struct {
        short wanted;
        short meant;
} meanings[3] = {
        {POLLIN, POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR},
        {POLLOUT, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR},
        {POLLPRI, POLLPRI},
};

enum { BITS = (int)(8 * sizeof(unsigned long)) };

/* The sets of one call; NULL: none. */
struct sets {
        unsigned long *bits[3];
        int n; /* descriptors from 0 on that are looked at */
};

static inline bool
has(const struct sets *s, int k, int fd)
{
        return s->bits[k] != NULL && (s->bits[k][fd / BITS] >> (fd % BITS) & 1) != 0;
}

static short
wanted_of(const struct sets *s, int fd)
{
        short events = 0;

        for (int k = 0; k < 3; k++)
                if (has(s, k, fd))
                        events = (short)(events | meanings[k].wanted);
        return events;
}

static inline bool
is_ready(const struct pollfd *row, int k)
{
        return (row->events & meanings[k].wanted) != 0 && (row->revents & meanings[k].meant) != 0;
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
                for (int k = 0; k < 3; k++)
                        bits += is_ready(&fds[i], k);
        }
        return bits;
}

/* Leave in the sets what is ready. */
static void
tell(const struct pollfd *rows, size_t count, const struct sets *s)
{
        size_t words = ((size_t)s->n + BITS - 1) / BITS;

        for (int k = 0; k < 3; k++)
                for (size_t i = 0; s->bits[k] != NULL && i < words; i++)
                        s->bits[k][i] = 0;
        for (size_t i = 0; i < count; i++)
                for (int k = 0; k < 3; k++)
                        if (is_ready(&rows[i], k))
                                s->bits[k][rows[i].fd / BITS] |= 1ul << (rows[i].fd % BITS);
}

static int
select_rows(struct pollfd *rows, const struct sets *s, double seconds, const sigset_t *mask)
{
        struct green__poll_wait w = {.fds = rows, .count = count_bits};
        int rc;

        for (int fd = 0; fd < s->n; fd++) {
                short events = wanted_of(s, fd);

                if (events != 0)
                        rows[w.n++] = (struct pollfd){.fd = fd, .events = events};
        }
        rc = green__patch_poll_wait(&w, seconds, mask);
        if (rc >= 0)
                tell(rows, w.n, s);
        return rc;
}

static __attribute__((noinline)) int
select_few(const struct sets *s, double seconds, const sigset_t *mask)
{
        struct pollfd rows[FEW];

        return select_rows(rows, s, seconds, mask);
}

static int
select_any(const struct sets *s, double seconds, const sigset_t *mask)
{
        struct pollfd *rows;
        size_t count = 0;
        int rc;

        for (int fd = 0; fd < s->n; fd++)
                count += wanted_of(s, fd) != 0;
        if (count <= FEW)
                return select_few(s, seconds, mask);
        rows = green_malloc(count * sizeof *rows);
        if (rows == NULL)
                return -ENOMEM;
        rc = select_rows(rows, s, seconds, mask);
        green_free(rows);
        return rc;
}

static inline unsigned long *
bits_of(fd_set *set)
{
        return (unsigned long *)(void *)set;
}

static int64_t
now_ns(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* What is left of a limit, told in the caller's own variable, as this system does. */
static void
tell_left(struct timeval *limit, int64_t since)
{
        int64_t left, seconds = limit->tv_sec;

        /* As good as for ever. */
        if (seconds > FOR_EVER)
                return;
        left = seconds * 1000000 + limit->tv_usec - (now_ns() - since) / 1000;
        limit->tv_sec = left > 0 ? (time_t)(left / 1000000) : 0;
        limit->tv_usec = left > 0 ? (suseconds_t)(left % 1000000) : 0;
}

int
green__patch_fn_select(int n, fd_set *readers, fd_set *writers, fd_set *others, struct timeval *limit)
{
        struct sets s = {{bits_of(readers), bits_of(writers), bits_of(others)}, 0};
        int64_t since;
        int rc, saved = errno;

        if (limit != NULL && limit->tv_sec == 0 && limit->tv_usec == 0) {
                rc = select(n, readers, writers, others, limit);
                green__patch_polled(rc);
                return rc;
        }
        if (n < 0 || (limit != NULL && (limit->tv_sec < 0 || limit->tv_usec < 0)))
                return select(n, readers, writers, others, limit);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? select(n, readers, writers, others, limit) : -1;
        s.n = last_of(n);
        since = limit != NULL ? now_ns() : 0;
        rc = select_any(&s, limit == NULL ? GREEN_FOREVER : (double)limit->tv_sec + (double)limit->tv_usec / 1e6, NULL);
        if (limit != NULL)
                tell_left(limit, since);
        if (rc > 0)
                green__patch_turn();
        return green__patch_poll_end(rc, saved);
}

/* The first look lets through the signals that wait; without one of the limit's own, since it changes the sets. */
static int
look_with_mask(const sigset_t *mask)
{
        static const struct timespec none = {0, 0};

        return pselect(0, NULL, NULL, NULL, &none, mask);
}

int
green__patch_fn_pselect(int n, fd_set *readers, fd_set *writers, fd_set *others, const struct timespec *limit,
                        const sigset_t *mask)
{
        struct sets s = {{bits_of(readers), bits_of(writers), bits_of(others)}, 0};
        int rc, saved = errno;

        if (limit != NULL && limit->tv_sec == 0 && limit->tv_nsec == 0) {
                rc = pselect(n, readers, writers, others, limit, mask);
                green__patch_polled(rc);
                return rc;
        }
        if (n < 0 || !green__patch_time_ok(limit))
                return pselect(n, readers, writers, others, limit, mask);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? pselect(n, readers, writers, others, limit, mask) : -1;
        if (mask != NULL && look_with_mask(mask) < 0)
                return -1;
        s.n = last_of(n);
        rc = select_any(&s, green__patch_seconds(limit), mask);
        if (rc > 0)
                green__patch_turn();
        return green__patch_poll_end(rc, saved);
}
