/*
 * Sockets: their life, their waits, their settings. See <green/socket.h>.
 */
#include "socket_priv.h"

#include <green/alloc.h>

#include <stdio.h>

int
green__socket_foreign(const green_socket *s)
{
        char what[48];

        if (s->closed && s->hub == GREEN__CLOSED_HUB)
                return -EBADF;
        if (s->detached)
                return green_set_error(-EPERM, "the socket is detached: green_socket_attach() first");
        snprintf(what, sizeof what, "socket %lld", (long long)green_io_fd(s->io));
        return green_hub_check(s->hub, what);
}

/* ---- waiting */

void
green__socket_pin(green_socket *s)
{
        /* Those who waited in the parent of a fork are not here. */
        if (green__unlikely(s->forks != green__sys_forks)) {
                s->forks = green__sys_forks;
                s->users = 0;
        }
        s->users++;
}

unsigned
green__socket_users(green_socket *s)
{
        return s->forks == green__sys_forks ? s->users : 0;
}

/* The registration is freed already. */
static void
release(green_socket *s)
{
        GREEN_ASSERT(s->users == 0);
        if (s->held != GREEN_INVALID_FD)
                green__sys_close(s->held);
        if (s->transport != NULL && s->transport->free != NULL)
                s->transport->free(s);
        green_free(s);
}

/* Release a closed socket: nobody waits any more. */
static void
release_closed(green_socket *s)
{
        int rc = green_io_free(s->io);

        GREEN_ASSERT(rc == 0);
        release(s);
}

int
green__socket_unpin(green_socket *s, int rc)
{
        if (s->forks == green__sys_forks && s->users > 0)
                s->users--;
        if (green__likely(!s->closed))
                return rc;
        if (s->freed && s->users == 0 && s->streams == 0)
                release_closed(s);
        return rc < 0 ? rc : -ECANCELED;
}

double
green__limit_left(struct green__limit *limit)
{
        double left;

        if (limit->timeout == 0 || limit->timeout >= GREEN_FOREVER)
                return limit->timeout;
        if (limit->start < 0) {
                limit->start = green__sys_now();
                return limit->timeout;
        }
        left = limit->timeout - (double)(green__sys_now() - limit->start) / 1e9;
        return left > 0 ? left : 0;
}

int
green__socket_wait(green_socket *s, unsigned events, struct green__limit *limit)
{
        double left = green__limit_left(limit);
        int rc;

        if (left == 0)
                return green__socket_late(s, events, limit);
        s->streak = 0;
        green__socket_pin(s);
        rc = green__socket_park(s, events, left);
        /* A stream that stands on it was closed, which is nothing to this call. */
        if (green__unlikely(rc == -ECANCELED) && !s->closed && green__socket_open(s))
                rc = 0;
        return green__socket_unpin(s, rc);
}

int
green__socket_turn(green_socket *s)
{
        s->streak = 1;
        green__socket_pin(s);
        return green__socket_unpin(s, green_sleep(0));
}

/* ---- life */

green_socket *
green__socket_wrap(green_fd fd, unsigned flags)
{
        green_socket *s = green_calloc(1, sizeof *s);

        if (s == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        s->io = green_io_open(fd, flags);
        if (s->io == NULL) {
                int error = errno;

                green_free(s);
                errno = error;
                return NULL;
        }
        s->hub = green_hub_ident();
        s->io_flags = flags;
        s->timeout = GREEN_FOREVER;
        s->held = GREEN_INVALID_FD;
        s->forks = green__sys_forks;
        s->splits = green__sys_splits;
        s->submits = green_io_can_submit(s->io);
        green__sys_watch_forks();
        return s;
}

green_socket *
green_socket_new(int family, int type, int protocol)
{
        bool tcp = (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM && protocol == 0;
        green_socket *s;
        green_fd fd = GREEN_INVALID_FD; /* gcc cannot know that errno is not 0 after a failure */
        int rc = green__sys_socket(family, type, protocol, &fd);

        if (rc != 0) {
                green_set_error(rc, "socket: %s", green_strerror(rc));
                return NULL;
        }
        green_notify_opened(fd);
        s = green__socket_wrap(fd, 0);
        if (s == NULL) {
                int error = errno;

                green__sys_close(fd);
                errno = error;
                return NULL;
        }
        s->tcp = s->whole = tcp;
        return s;
}

green_socket *
green_socket_from_fd(green_fd fd)
{
        green_socket *s;
        bool blocking;
        int rc = green__sys_adopt(fd, &blocking);

        if (rc != 0) {
                green_set_error(rc, "descriptor %lld: %s", (long long)fd, green_strerror(rc));
                return NULL;
        }
        /* Others may hold the same open file: it would stay in the hub after it was closed here. */
        s = green__socket_wrap(fd, GREEN_IO_DUPED);
        if (s == NULL)
                return NULL;
        s->blocking = blocking;
        if (blocking)
                s->submits = false;
        return s;
}

/* As green__socket_wait(), in a goodbye: whether the handle is closed does not matter, and nothing is released. */
static int
wait_for_goodbye(green_socket *s, unsigned events, struct green__limit *limit)
{
        double left = green__limit_left(limit);
        int rc;

        if (left == 0)
                return -ETIMEDOUT;
        green__socket_pin(s);
        rc = green__socket_park(s, events, left);
        s->users--;
        return rc;
}

/* Let the transport say goodbye. In hub context, where nothing can wait, it gets one try. */
static void
close_transport(green_socket *s)
{
        struct green__limit limit = {.timeout = GREEN__CLOSE_SECONDS, .start = -1};
        unsigned want;
        int rc;

        if (s->transport == NULL || s->transport->close == NULL)
                return;
        s->closing = true;
        green_shield_begin();
        do
                rc = s->transport->close(s, &want);
        while (rc == -EAGAIN && wait_for_goodbye(s, want, &limit) == 0);
        green_shield_end();
}

/* Of one that belongs to no OS thread only the descriptor is left. */
static int
close_detached(green_socket *s)
{
        green_fd fd = s->detached_fd;

        s->detached_fd = GREEN_INVALID_FD;
        s->closed = true;
        return fd == GREEN_INVALID_FD ? 0 : green__sys_close(fd);
}

static void
close_held(green_socket *s)
{
        if (s->held != GREEN_INVALID_FD)
                green__sys_close(s->held);
        s->held = GREEN_INVALID_FD;
}

/* Close the handle only: streams stand on it. Their waits go on, the others' end. */
static int
close_for_user(green_socket *s)
{
        int rc = green_io_cancel(s->io);

        if (rc != 0)
                return rc;
        green__socket_cancel_transport(s);
        s->closed = true;
        s->hub = GREEN__CLOSED_HUB;
        close_held(s);
        green_wake_all(&s->on_close, -ECANCELED);
        return 0;
}

int
green__socket_drop_stream(green_socket *s)
{
        int rc;

        if (!s->closed || s->streams > 1) {
                rc = green_io_cancel(s->io);
                if (rc == 0)
                        green__socket_cancel_transport(s);
                s->streams -= rc == 0;
                return rc;
        }
        close_transport(s);
        rc = green_io_close(s->io);
        s->closing = false;
        if (rc == -EPERM)
                return rc;
        green__socket_cancel_transport(s);
        s->streams--;
        if (s->freed && s->users == 0)
                release_closed(s);
        return rc;
}

int
green_socket_close(green_socket *s)
{
        int rc;

        if (s == NULL || s->closed || s->closing)
                return 0;
        if (green__unlikely(s->detached))
                return close_detached(s);
        if (s->streams > 0)
                return close_for_user(s);
        close_transport(s);
        rc = green_io_close(s->io);
        s->closing = false;
        if (rc == -EPERM)
                return rc;
        s->closed = true;
        close_held(s);
        green__socket_cancel_transport(s);
        green_wake_all(&s->on_close, -ECANCELED);
        return rc;
}

int
green_socket_free(green_socket *s)
{
        int rc;

        if (s == NULL)
                return 0;
        if (green__unlikely(s->detached)) {
                (void)green_socket_close(s);
                release(s);
                return 0;
        }
        if (s->forks != green__sys_forks) {
                s->forks = green__sys_forks;
                s->users = 0;
        }
        if (!s->closed && s->users == 0 && s->streams > 0 && (rc = close_for_user(s)) != 0)
                return rc;
        if (s->closed) {
                s->freed = true;
                if (s->users == 0 && s->streams == 0)
                        release_closed(s);
                return 0;
        }
        if (s->users > 0)
                return -EBUSY;
        close_transport(s);
        s->closing = false;
        rc = green_io_free(s->io);
        if (rc == -EBUSY || rc == -EPERM)
                return rc;
        release(s);
        return 0;
}

/* ---- settings */

int
green_socket_set_timeout(green_socket *s, double seconds)
{
        if (s == NULL || !(seconds >= 0))
                return -EINVAL;
        s->timeout = seconds;
        return 0;
}

double
green_socket_get_timeout(const green_socket *s)
{
        return s != NULL ? s->timeout : GREEN_FOREVER;
}

int
green_socket_set_shared(green_socket *s, bool on)
{
        int rc = green__socket_check(s);

        if (rc != 0)
                return rc;
        s->io_flags = on ? s->io_flags | GREEN_IO_SHARED : s->io_flags & ~GREEN_IO_SHARED;
        return green_io_set_flags(s->io, on ? GREEN_IO_SHARED : 0, on ? 0 : GREEN_IO_SHARED);
}

int
green_socket_getsockopt(const green_socket *s, int level, int name, void *ret_value, socklen_t *size)
{
        int rc = green__socket_check(s);

        return rc != 0 ? rc : green__sys_getsockopt(green_io_fd(s->io), level, name, ret_value, size);
}

int
green_socket_setsockopt(green_socket *s, int level, int name, const void *value, socklen_t size)
{
        int rc = green__socket_check(s);

        return rc != 0 ? rc : green__sys_setsockopt(green_io_fd(s->io), level, name, value, size);
}

int
green_socket_getsockname(const green_socket *s, struct green_addr *ret_addr)
{
        int rc = green__socket_check(s);

        return rc != 0 ? rc : green__sys_getsockname(green_io_fd(s->io), ret_addr);
}

int
green_socket_getpeername(const green_socket *s, struct green_addr *ret_addr)
{
        int rc = green__socket_check(s);

        return rc != 0 ? rc : green__sys_getpeername(green_io_fd(s->io), ret_addr);
}

int
green_socket_error(green_socket *s)
{
        int rc = green__socket_check(s);

        return rc != 0 ? rc : green__sys_error(green_io_fd(s->io));
}

int
green__socket_expose(const green_socket *s)
{
        green_socket *own = (green_socket *)(uintptr_t)s;
        int rc = green__socket_stop_ahead(own);

        if (rc != 0)
                return rc;
        own->whole = false;
        own->drained = false;
        return 0;
}

green_fd
green__socket_show_fd(green_socket *s)
{
        return green__socket_expose(s) != 0 ? GREEN_INVALID_FD : green_io_fd(s->io);
}

green_fd
green_socket_fd(const green_socket *s)
{
        if (s == NULL || s->closed || green__socket_expose(s) != 0)
                return GREEN_INVALID_FD;
        return green_io_fd(s->io);
}

green_io *
green_socket_io(const green_socket *s)
{
        return s == NULL || s->hub == GREEN__CLOSED_HUB || green__socket_expose(s) != 0 ? NULL : s->io;
}
