/*
 * Streams over sockets. A stream is a user of the socket's descriptor and not of its handle: it goes on when the handle
 * is closed, and what closes the descriptor is the last of them.
 */
#include "count.h"
#include "socket_priv.h"
#include "stream_priv.h"

/* What a stream knows of its socket. It lies in the stream, which lives as long as a call is inside. */
struct end {
        green_socket *socket; /* NULL: closed */
};

/* Wait as green__socket_wait(); only the end of the stream ends it, not that of the handle. */
static int
wait_for(struct end *end, unsigned events, struct green__limit *limit)
{
        double left = green__limit_left(limit);
        int rc;

        if (left == 0)
                return green__socket_late(end->socket, events, limit);
        /* cppcheck-suppress nullPointerRedundantCheck ; it may go while this waits */
        rc = green__socket_park(end->socket, events, left);
        if (green__unlikely(end->socket == NULL))
                return rc < 0 ? rc : -ECANCELED;
        return green__unlikely(rc == -ECANCELED) && green__socket_open(end->socket) ? 0 : rc;
}

/* Where the last receive took all there was, wait before the next try. See green__socket_enter_recv(). */
static int
wait_if_drained(struct end *end, struct green__limit *limit)
{
        int rc;

        if (!end->socket->drained)
                return 0;
        end->socket->drained = false;
        if (limit->timeout == 0)
                return 0;
        rc = wait_for(end, GREEN_READ, limit);
        return rc == -EDEADLK ? 0 : rc;
}

/* What a receive that runs ahead has brought, or one try: as green__socket_try_recv(). */
static ssize_t
try_read(green_socket *s, void *buf, size_t len, unsigned *want)
{
        if (green__unlikely(s->ahead)) {
                int64_t n = green_io_take(s->io, buf, len, false);

                *want = GREEN_READ;
                if (n != -ENODATA)
                        return green__count_read((ssize_t)n);
        }
        return green__socket_try_recv(s, buf, len, 0, want);
}

static ssize_t
socket_read(void *source, void *buf, size_t len)
{
        struct end *end = source;
        struct green__limit limit = {.timeout = end->socket->timeout, .start = -1};
        int rc = wait_if_drained(end, &limit);
        unsigned want;

        while (green__likely(rc == 0)) {
                ssize_t n = try_read(end->socket, buf, len, &want);

                if (green__likely(n != -EAGAIN)) {
                        green__socket_received(end->socket, n, len);
                        return n;
                }
                if (green__socket_submits(end->socket) && limit.timeout != 0 && green_getcurrent() != NULL)
                        (void)green__socket_run_ahead(end->socket);
                rc = wait_for(end, want, &limit);
        }
        return rc;
}

static ssize_t
socket_writev(void *source, const struct green_iovec *iov, size_t n)
{
        struct end *end = source;
        struct green__limit limit = {.timeout = end->socket->timeout, .start = -1};
        unsigned want;
        int rc = 0;

        while (green__likely(rc == 0)) {
                ssize_t sent = n == 1 ? green__socket_try_send(end->socket, iov->base, iov->len, 0, &want)
                                      : green__socket_try_sendv(end->socket, iov, n, 0, &want);

                if (green__likely(sent != -EAGAIN))
                        return sent;
                rc = wait_for(end, want, &limit);
        }
        return rc;
}

static int
socket_close(void *source)
{
        struct end *end = source;
        green_socket *s = end->socket;
        int rc;

        end->socket = NULL;
        rc = green__socket_drop_stream(s);
        if (rc == -EPERM)
                end->socket = s;
        return rc;
}

static green_fd
socket_fd(void *source)
{
        struct end *end = source;

        return green__socket_show_fd(end->socket);
}

green_stream *
green_socket_makefile(green_socket *s, const struct green_stream_opts *opts)
{
        static const struct green_stream_ops ops = {.size = sizeof ops,
                                                    .read = socket_read,
                                                    .writev = socket_writev,
                                                    .close = socket_close,
                                                    .fd = socket_fd};
        int rc = green__socket_check(s);
        green_stream *st;

        if (rc == 0 && (s->closed || s->closing || !green__socket_open(s)))
                rc = -EBADF;
        if (rc != 0) {
                green_set_error(rc, "makefile: %s", green_strerror(rc));
                return NULL;
        }
        st = green__stream_new(&ops, sizeof(struct end), opts);
        if (st == NULL)
                return NULL;
        ((struct end *)st->source)->socket = s;
        s->streams++;
        return st;
}
