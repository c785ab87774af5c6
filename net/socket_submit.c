/*
 * Sockets on a hub that runs operations to completion: what a call does once its try has said EAGAIN. The hub moves the
 * bytes, into and out of the caller's own memory, and no second system call is made.
 */
#include "count.h"
#include "inet.h"
#include "socket_priv.h"

#include <limits.h>

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

int64_t
green__socket_operate(green_socket *s, struct green_op *op, struct green__limit *limit)
{
        double left = green__limit_left(limit);
        int64_t rc;

        if (left == 0)
                return limit->timeout == 0 ? -EAGAIN : -ETIMEDOUT;
        s->streak = 0;
        rc = green_io_submit(s->io, op, left);
        if (green__unlikely(rc == -ENOTSUP))
                rc = green_io_wait(s->io, op->kind == GREEN_OP_SEND ? GREEN_WRITE : GREEN_READ, left);
        else if (rc == -EBUSY && op->kind != GREEN_OP_SEND && green_io_held(s->io) > 0)
                rc = -EAGAIN; /* what ran ahead has brought it at the last moment */
        else if (rc == -ECANCELED && !s->closed && green__socket_open(s))
                return GREEN__AGAIN; /* another user of the descriptor has left */
        else if (green__likely(rc != -EINTR && rc != -EAGAIN))
                return rc;
        return rc < 0 && rc != -EINTR && rc != -EAGAIN ? rc : GREEN__AGAIN;
}

/* ---- receiving */

static ssize_t
try_once(green_socket *s, void *buf, size_t len, int flags, struct green_addr *ret_from)
{
        if (green__unlikely(len == 0))
                return green__sys_readable(green_io_fd(s->io));
        if (ret_from != NULL)
                return green__sys_recvfrom(green_io_fd(s->io), buf, len, flags, ret_from);
        return green__sys_recv(green_io_fd(s->io), buf, len, flags);
}

/* What a receive that succeeded says about the next one. */
static inline void
note(green_socket *s, ssize_t n, size_t len, int flags)
{
        if (s->whole && n > 0 && (size_t)n < len && (flags & ~MSG_DONTWAIT) == 0)
                s->drained = !green_io_hung_up(s->io);
}

/* As an operation; GREEN__AGAIN: try again. The socket may be gone if this fails or the call ends with it. */
static int64_t
receive(green_socket *s, void *buf, size_t len, int flags, struct green__limit *limit, struct green_addr *ret_from)
{
        struct green_addr from;
        struct green_iovec iov = {buf, len};
        struct green_op op = {
                .kind = GREEN_OP_RECV, .flags = (unsigned)(flags & MSG_PEEK), .iov = &iov, .iov_count = 1};
        int64_t n;

        if (ret_from != NULL) {
                op.name = &from.data;
                op.name_size = sizeof from.data;
        }
        green__socket_pin(s);
        n = green__socket_operate(s, &op, limit);
        if (n >= 0) {
                (void)green__count_received((ssize_t)n, flags);
                if (!s->closed)
                        note(s, (ssize_t)n, len, flags);
                if (ret_from != NULL) {
                        from.size = op.name_size < sizeof from.data ? op.name_size : sizeof from.data;
                        /* cppcheck-suppress uninitvar ; as many bytes as its size says have been written */
                        *ret_from = from;
                }
                (void)green__socket_unpin(s, 0);
                return n;
        }
        if (n != GREEN__AGAIN)
                return green__socket_unpin(s, (int)n);
        n = green__socket_unpin(s, 0);
        return n != 0 ? n : GREEN__AGAIN;
}

/* ---- receiving ahead */

/*
 * Who waits a second time on a stream that nobody else reads will wait again and again: from then on a receive runs
 * ahead, and brings what comes before it is asked for. Each of them begins it anew where it has ended.
 */
enum { WAITS_TO_RUN_AHEAD = 2 };

bool
green__socket_run_ahead(green_socket *s)
{
        if (!s->whole)
                return false;
        if (s->waits < WAITS_TO_RUN_AHEAD && ++s->waits < WAITS_TO_RUN_AHEAD)
                return false;
        if (green_io_run_ahead(s->io, GREEN_OP_RECV, 0) != 0)
                return false;
        s->ahead = true;
        return true;
}

int
green__socket_stop_ahead(green_socket *s)
{
        int rc;

        if (!s->ahead)
                return 0;
        rc = green_io_stop_ahead(s->io);
        if (rc != -EBUSY)
                s->ahead = false;
        return rc == -EBUSY ? rc : 0;
}

/* Take what has come. GREEN__AGAIN: nothing, and nothing comes by itself either. */
static int64_t
take(green_socket *s, void *buf, size_t len, int flags, struct green__limit *limit, struct green_addr *ret_from)
{
        for (;;) {
                int64_t n = green_io_take(s->io, buf, len, (flags & MSG_PEEK) != 0);
                int rc;

                if (n >= 0 && ret_from != NULL)
                        ret_from->size = 0;
                if (n != -EAGAIN)
                        return n == -ENODATA ? GREEN__AGAIN : green__count_received((ssize_t)n, flags);
                /* What must not wait ends it to see what there is; something held is no failure then. */
                if (limit->timeout == 0 || green_getcurrent() == NULL) {
                        (void)green_io_stop_ahead(s->io);
                        continue;
                }
                rc = green__socket_wait(s, GREEN_READ, limit);
                if (rc != 0)
                        return rc;
        }
}

/* Flags with which an operation does what the system call does. MSG_WAITALL is not for those that never wait. */
static inline bool
is_plain(int flags)
{
        return (flags & ~(MSG_PEEK | MSG_WAITALL | MSG_NOSIGNAL)) == 0;
}

/* What no operation does is done by the system alone. Urgent data and errors stand apart from the stream. */
static int64_t
take_odd(green_socket *s, int flags)
{
        int rc = green__socket_stop_ahead(s);

        return rc == -EBUSY && !(flags & (MSG_OOB | MSG_ERRQUEUE)) ? rc : GREEN__AGAIN;
}

ssize_t
green__socket_submit_recv(green_socket *s, void *buf, size_t len, int flags, struct green__limit *limit,
                          struct green_addr *ret_from)
{
        /* As in green__socket_enter_recv(): a try would be in vain. In hub context it is all that can be done. */
        bool vain = s->drained && len > 0 && is_plain(flags) && limit->timeout != 0 && green_getcurrent() != NULL;
        int64_t n;

        s->drained = false;
        for (;;) {
                if (s->ahead) {
                        n = is_plain(flags & ~MSG_DONTWAIT) ? take(s, buf, len, flags, limit, ret_from)
                                                            : take_odd(s, flags);
                        if (n != GREEN__AGAIN)
                                return (ssize_t)n;
                }
                if (!vain) {
                        n = try_once(s, buf, len, flags, ret_from);
                        if (n != -EAGAIN) {
                                note(s, (ssize_t)n, len, flags);
                                return (ssize_t)n;
                        }
                }
                vain = false;
                if (green__unlikely(len == 0 || !is_plain(flags))) {
                        if (s->ahead && green_io_held(s->io) > 0)
                                return -EBUSY;
                        n = green__socket_wait(s, GREEN_READ, limit);
                        if (n != 0)
                                return (ssize_t)n;
                        continue;
                }
                if (limit->timeout != 0 && green_getcurrent() != NULL && green__socket_run_ahead(s))
                        continue;
                n = receive(s, buf, len, flags, limit, ret_from);
                if (n != GREEN__AGAIN)
                        return (ssize_t)n;
        }
}

/* ---- sending */

int
green__socket_submit_send(green_socket *s, const struct green_iovec *iov, size_t n, int flags,
                          const struct green_addr *to, struct green__limit *limit, ssize_t *ret_n)
{
        struct green_op op = {.kind = GREEN_OP_SEND,
                              .flags = (unsigned)(flags & ~MSG_DONTWAIT),
                              .iov = (struct green_iovec *)(uintptr_t)iov,
                              .iov_count = (unsigned)(n < IOV_MAX ? n : IOV_MAX)};
        socklen_t size = 0;
        int64_t sent;

        if (limit->timeout == 0)
                return -EAGAIN;
        if (to != NULL) {
                op.name = (void *)(uintptr_t)green_addr_sockaddr(to, &size);
                op.name_size = size;
        }
        green__socket_pin(s);
        sent = green__socket_operate(s, &op, limit);
        if (sent >= 0) {
                *ret_n = green__count_written((ssize_t)sent);
                return green__socket_unpin(s, 0);
        }
        return green__socket_unpin(s, sent == GREEN__AGAIN ? 0 : (int)sent);
}
