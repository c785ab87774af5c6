/*
 * Sockets: moving bytes. Each call tries the system call first, and waits only where it says EAGAIN.
 */
#include "socket_priv.h"

#include <limits.h>

/* ---- receiving */

/*
 * A peer that asks, gets its answer and asks again costs one receive a message, and no second one that says EAGAIN: TCP
 * gives all it has, so after less than was asked for there was nothing left. Waiting then loses nothing. What comes later
 * is an event of its own, which core keeps for the next wait; where the end may have come along, green_io_hung_up() is
 * true, and the next receive tries. The flag is good for one call, and only as long as nobody else reads or waits.
 */
int
green__socket_enter_recv(green_socket *s, int flags, struct green__limit *limit)
{
        int rc = green__socket_enter(s, flags, limit);

        if (rc != 0 || green__likely(!s->drained) || green__socket_submits(s))
                return rc;
        s->drained = false;
        if (limit->timeout == 0)
                return 0;
        rc = green__socket_wait(s, GREEN_READ, limit);
        /* In hub context nothing can wait, but what has come meanwhile can be had. */
        return rc == -EDEADLK ? 0 : rc;
}

ssize_t
green_socket_recv(green_socket *s, void *buf, size_t len, int flags)
{
        struct green__limit limit;
        unsigned want;
        int rc = green__socket_enter_recv(s, flags, &limit);

        if (rc == 0 && green__socket_submits(s))
                return green__socket_submit_recv(s, buf, len, flags, &limit, NULL);
        while (green__likely(rc == 0)) {
                ssize_t n = green__socket_try_recv(s, buf, len, flags, &want);

                if (green__likely(n != -EAGAIN)) {
                        if ((flags & ~MSG_DONTWAIT) == 0)
                                green__socket_received(s, n, len);
                        return n;
                }
                rc = green__socket_wait(s, want, &limit);
        }
        return rc;
}

ssize_t
green_socket_recvfrom(green_socket *s, void *buf, size_t len, int flags, struct green_addr *ret_from)
{
        struct green__limit limit;
        ssize_t n;
        int rc;

        if (ret_from == NULL || len == 0 || (s != NULL && s->transport != NULL)) {
                n = green_socket_recv(s, buf, len, flags);
                if (n >= 0 && ret_from != NULL)
                        ret_from->size = 0;
                return n;
        }
        rc = green__socket_enter_recv(s, flags, &limit);
        if (rc == 0 && green__socket_submits(s))
                return green__socket_submit_recv(s, buf, len, flags, &limit, ret_from);
        while (green__likely(rc == 0)) {
                n = green__sys_recvfrom(green_io_fd(s->io), buf, len, flags, ret_from);
                if (green__likely(n != -EAGAIN))
                        return n;
                rc = green__socket_wait(s, GREEN_READ, &limit);
        }
        return rc;
}

size_t
green_socket_pending(const green_socket *s)
{
        if (s == NULL || s->closed)
                return 0;
        if (s->transport == NULL)
                return s->ahead ? green_io_held(s->io) : 0;
        return s->transport->pending != NULL ? s->transport->pending(s) : 0;
}

bool
green_socket_drained(const green_socket *s)
{
        if (s == NULL || s->closed || s->transport != NULL)
                return false;
        if (s->ahead) {
                int64_t n = green_io_take(s->io, NULL, 0, true);

                if (n != -ENODATA)
                        return n == -EAGAIN;
        }
        return s->drained;
}

int
green_socket_watch(green_socket *s, struct green_watch *w, double timeout)
{
        int rc = green__socket_check(s);

        if (rc != 0)
                return rc;
        s->drained = false;
        if (green__socket_submits(s) && s->whole && green_io_run_ahead(s->io, GREEN_OP_RECV, 0) == 0)
                s->ahead = true;
        return green_watch_start_io(w, s->io, GREEN_READ, timeout);
}

bool
green_socket_unwatch(green_socket *s, struct green_watch *w)
{
        const bool waits = green_watch_waits(w);

        if (w == NULL || !green_watch_stop(w) || !waits || green__socket_check(s) != 0)
                return false;
        if (s->whole && s->transport == NULL && !green__socket_submits(s))
                s->drained = !green_io_hung_up(s->io);
        return true;
}

/* ---- sending */

/*
 * A send has said EAGAIN: wait, or have the hub send. 0: try again, unless *ret_n, which was -EAGAIN, is set to what was sent
 * meanwhile. If it fails, touch the socket no more.
 */
static int
send_later(green_socket *s, const struct green_iovec *iov, size_t n, int flags, unsigned want, struct green__limit *limit,
           ssize_t *ret_n)
{
        if (!green__socket_submits(s))
                return green__socket_wait(s, want, limit);
        return green__socket_submit_send(s, iov, n, flags, NULL, limit, ret_n);
}

static inline struct green_iovec
one_piece(const void *buf, size_t len)
{
        return (struct green_iovec){(void *)(uintptr_t)buf, len};
}

ssize_t
green_socket_send(green_socket *s, const void *buf, size_t len, int flags)
{
        struct green__limit limit;
        unsigned want;
        int rc = green__socket_enter(s, flags, &limit);

        while (green__likely(rc == 0)) {
                ssize_t n = green__socket_try_send(s, buf, len, flags, &want);
                struct green_iovec iov;

                if (green__likely(n != -EAGAIN))
                        return n;
                iov = one_piece(buf, len);
                rc = send_later(s, &iov, 1, flags, want, &limit, &n);
                if (n != -EAGAIN)
                        return n;
        }
        return rc;
}

ssize_t
green_socket_sendv(green_socket *s, const struct green_iovec *iov, size_t n, int flags)
{
        struct green__limit limit;
        unsigned want;
        int rc = green__socket_enter(s, flags, &limit);

        while (green__likely(rc == 0)) {
                ssize_t sent = green__socket_try_sendv(s, iov, n, flags, &want);

                if (green__likely(sent != -EAGAIN))
                        return sent;
                rc = send_later(s, iov, n, flags, want, &limit, &sent);
                if (sent != -EAGAIN)
                        return sent;
        }
        return rc;
}

ssize_t
green_socket_sendto(green_socket *s, const void *buf, size_t len, int flags, const struct green_addr *to)
{
        struct green__limit limit;
        int rc;

        if (to == NULL)
                return green_socket_send(s, buf, len, flags);
        if (s != NULL && s->transport != NULL)
                return -EOPNOTSUPP;
        rc = green__socket_enter(s, flags, &limit);
        while (green__likely(rc == 0)) {
                ssize_t n = green__sys_sendto(green_io_fd(s->io), buf, len, flags, to);
                struct green_iovec iov;

                if (green__likely(n != -EAGAIN))
                        return n;
                iov = one_piece(buf, len);
                rc = green__socket_submits(s) ? green__socket_submit_send(s, &iov, 1, flags, to, &limit, &n)
                                              : green__socket_wait(s, GREEN_WRITE, &limit);
                if (n != -EAGAIN)
                        return n;
        }
        return rc;
}

int
green_socket_sendall(green_socket *s, const void *buf, size_t len, int flags, size_t *ret_done)
{
        struct green__limit limit;
        unsigned want;
        size_t done = 0;
        int rc = green__socket_enter(s, flags, &limit);

        while (rc == 0 && done < len) {
                struct green_iovec rest = one_piece((const char *)buf + done, len - done);
                ssize_t n = green__socket_try_send(s, rest.base, rest.len, flags, &want);

                if (n == -EAGAIN)
                        rc = send_later(s, &rest, 1, flags, want, &limit, &n);
                if (green__likely(n >= 0)) {
                        done += (size_t)n;
                        if (done == len)
                                rc = 0;
                        else if (rc == 0)
                                rc = green__socket_go_on(s, &limit);
                } else if (n != -EAGAIN) {
                        rc = (int)n;
                }
        }
        if (ret_done != NULL)
                *ret_done = done;
        return rc;
}

/* Where a vectored send stands. */
struct position {
        const struct green_iovec *iov; /* the first piece that is not sent wholly */
        size_t n;                      /* pieces from there on */
        size_t skip;                   /* bytes of the first that are */
};

static void
advance(struct position *at, size_t sent)
{
        while (at->n > 0 && sent >= at->iov->len - at->skip) {
                sent -= at->iov->len - at->skip;
                at->skip = 0;
                at->iov++;
                at->n--;
        }
        at->skip += sent;
}

/*
 * Send from where it stands. The user's pieces are not ours to change: where the first is cut, some are copied. Returns a
 * count, -EAGAIN, or a code; *ret_rc may be a code where a count is returned.
 */
static ssize_t
sendv_from(green_socket *s, const struct position *at, int flags, struct green__limit *limit, int *ret_rc)
{
        struct green_iovec some[16];
        const struct green_iovec *iov = at->iov;
        size_t n = at->n;
        unsigned want;
        ssize_t sent;

        if (at->skip != 0) {
                if (n > sizeof some / sizeof some[0])
                        n = sizeof some / sizeof some[0];
                for (size_t i = 0; i < n; i++)
                        some[i] = at->iov[i];
                /* cppcheck-suppress uninitvar ; there is always a piece left */
                some[0].base = (char *)some[0].base + at->skip;
                some[0].len -= at->skip;
                iov = some;
        }
        sent = green__socket_try_sendv(s, iov, n, flags, &want);
        if (sent == -EAGAIN)
                *ret_rc = send_later(s, iov, n, flags, want, limit, &sent);
        return sent;
}

int
green_socket_sendallv(green_socket *s, const struct green_iovec *iov, size_t n, int flags, size_t *ret_done)
{
        struct green__limit limit;
        struct position at = {.iov = iov, .n = n};
        size_t done = 0;
        int rc = green__socket_enter(s, flags, &limit);

        advance(&at, 0);
        while (rc == 0 && at.n > 0) {
                ssize_t sent = sendv_from(s, &at, flags, &limit, &rc);

                if (green__likely(sent >= 0)) {
                        done += (size_t)sent;
                        advance(&at, (size_t)sent);
                        if (at.n == 0)
                                rc = 0;
                        else if (rc == 0)
                                rc = green__socket_go_on(s, &limit);
                } else if (sent != -EAGAIN) {
                        rc = (int)sent;
                }
        }
        if (ret_done != NULL)
                *ret_done = done;
        return rc;
}

/* ---- the end */

/* It is shut down: whoever waits tries again, where the system does not see to that. */
static void
wake_all(green_socket *s)
{
        s->drained = false;
        (void)green__socket_stop_ahead(s);
        (void)green_io_cancel(s->io);
}

int
green_socket_shutdown(green_socket *s, int how)
{
        struct green__limit limit;
        unsigned want = GREEN_WRITE;
        int rc = green__socket_check(s);

        if (rc != 0)
                return rc;
        if (s->transport != NULL && s->transport->shutdown != NULL) {
                rc = green__socket_enter(s, 0, &limit);
                while (rc == 0 && (rc = s->transport->shutdown(s, how, &want)) == -EAGAIN)
                        rc = green__socket_wait(s, want, &limit);
                if (rc != 0)
                        return rc;
        }
        rc = green__sys_shutdown(green_io_fd(s->io), how);
        if (rc == 0 && how != SHUT_WR && !green__sys_shutdown_wakes())
                wake_all(s);
        return rc;
}

int
green_socket_shutdown_safe(green_socket *s)
{
        int rc = s == NULL ? 0 : green_socket_shutdown(s, SHUT_RDWR);

        return rc == -ENOTCONN || rc == -EBADF || rc == -ENOTSOCK ? 0 : rc;
}
