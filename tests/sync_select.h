/*
 * What the tests of green_select() share: a select in a green thread of its own, descriptors.
 */
#ifndef GREEN_TESTS_SYNC_SELECT_H
#define GREEN_TESTS_SYNC_SELECT_H

#include "sync_queue.h"

#include <sys/socket.h>
#include <unistd.h>

/* ---- a select in a green thread of its own */

enum { MOST = 6 };

struct sel {
        struct green_select_case c[MOST];
        size_t n;
        double timeout;
        green_thread *gt;
        size_t index;
        int rc, next;
        char letter;
};

static inline void *
sel_main(void *arg)
{
        struct sel *s = arg;

        s->rc = green_select(s->c, s->n, s->timeout, &s->index);
        if (s->letter != 0)
                trace(s->letter);
        s->next = green_sleep(0);
        return NULL;
}

static inline void
sel_begin(struct sel *s, size_t n)
{
        s->n = n;
        s->timeout = GREEN_FOREVER;
        s->index = 77;
        s->rc = s->next = 9;
        s->gt = green_spawn(sel_main, s);
        turns(1);
}

/* It comes back, and this case has won, with this result. */
static inline void
sel_won(struct sel *s, size_t index, int result)
{
        CHECK_INT(join(s->gt), 0);
        CHECK_INT(s->rc, 0);
        CHECK_INT(s->index, index);
        CHECK_INT(s->index < s->n ? s->c[s->index].result : 1, result);
}

/* A select of one's own that must not wait long. */
static inline size_t
won(struct green_select_case *c, size_t n)
{
        size_t index = 77;

        CHECK_INT(green_select(c, n, SOON, &index), 0);
        return index;
}

static inline void
check_no_fd_waits(void)
{
        CHECK_INT(hub_info().readers, 0);
        CHECK_INT(hub_info().writers, 0);
}

/* ---- descriptors */

static inline void
pair(int fds[2])
{
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static inline void
close_fd(int fd)
{
        green_notify_close(fd);
        close(fd);
}

static inline void
close_pair(const int fds[2])
{
        close_fd(fds[0]);
        close_fd(fds[1]);
}

static inline void
put_byte(int fd)
{
        CHECK_INT(write(fd, "x", 1), 1);
}

static inline void
fill_fd(int fd)
{
        static const char bytes[4096];

        while (write(fd, bytes, sizeof(bytes)) > 0)
                ;
}

static inline void
drain_fd(int fd)
{
        char bytes[4096];

        while (read(fd, bytes, sizeof(bytes)) > 0)
                ;
}

#endif
