/*
 * Messages, descriptors and groups. See <green/message.h>.
 */
#include "socket_priv.h"

#include <green/message.h>

/* One try of a call: a count, -EAGAIN, or another code. */
typedef ssize_t try_fn(green_fd fd, void *arg, int flags);

/* Try, and wait for a direction as long as it says EAGAIN. */
static ssize_t
try_until_done(green_socket *s, try_fn *try, void *arg, int flags, unsigned want)
{
        struct green__limit limit;
        int rc;

        if (s != NULL && s->transport != NULL)
                return -EOPNOTSUPP;
        rc = want == GREEN_READ ? green__socket_enter_recv(s, flags, &limit) : green__socket_enter(s, flags, &limit);
        while (green__likely(rc == 0)) {
                /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): nobody enters without a socket */
                ssize_t n = try(green_io_fd(s->io), arg, flags);

                if (green__likely(n != -EAGAIN))
                        return n;
                rc = green__socket_wait(s, want, &limit);
        }
        return rc;
}

static ssize_t
try_recvmsg(green_fd fd, void *arg, int flags)
{
        return green__sys_recvmsg(fd, arg, flags);
}

/* Of a stream that is received ahead only the bytes are told: it has no sender and no control data. */
static ssize_t
recv_bytes(green_socket *s, struct green_message *message, int flags)
{
        ssize_t n = green_socket_recvv(s, message->iov, message->iov_count, flags);

        if (n < 0)
                return n;
        message->addr.size = 0;
        message->control_size = 0;
        message->flags = 0;
        return n;
}

ssize_t
green_socket_recvmsg(green_socket *s, struct green_message *message, int flags)
{
        if (message == NULL)
                return -EINVAL;
        if (s != NULL && s->ahead && s->transport == NULL)
                return recv_bytes(s, message, flags);
        return try_until_done(s, try_recvmsg, message, flags, GREEN_READ);
}

static ssize_t
try_sendmsg(green_fd fd, void *arg, int flags)
{
        return green__sys_sendmsg(fd, arg, flags);
}

ssize_t
green_socket_sendmsg(green_socket *s, const struct green_message *message, int flags)
{
        if (message == NULL)
                return -EINVAL;
        return try_until_done(s, try_sendmsg, (void *)(uintptr_t)message, flags, GREEN_WRITE);
}

/* ---- many */

struct many {
        struct green_message *messages;
        size_t n;
};

static ssize_t
try_recvmmsg(green_fd fd, void *arg, int flags)
{
        const struct many *many = arg;

        return green__sys_recvmmsg(fd, many->messages, many->n, flags);
}

static ssize_t
try_sendmmsg(green_fd fd, void *arg, int flags)
{
        const struct many *many = arg;

        return green__sys_sendmmsg(fd, many->messages, many->n, flags);
}

static int
move_many(green_socket *s, try_fn *try, struct green_message *messages, size_t n, int flags, unsigned want)
{
        struct many many = {messages, n < GREEN_MESSAGES_MAX ? n : GREEN_MESSAGES_MAX};
        int rc = green__socket_check(s);

        if (rc != 0 || n == 0)
                return rc;
        return messages == NULL ? -EINVAL : (int)try_until_done(s, try, &many, flags, want);
}

int
green_socket_recvmmsg(green_socket *s, struct green_message *messages, size_t n, int flags)
{
        return move_many(s, try_recvmmsg, messages, n, flags, GREEN_READ);
}

int
green_socket_sendmmsg(green_socket *s, struct green_message *messages, size_t n, int flags)
{
        return move_many(s, try_sendmmsg, messages, n, flags, GREEN_WRITE);
}

/* ---- descriptors */

struct passing {
        const void *buf;
        void *ret_buf;
        size_t len;
        const green_fd *fds;
        green_fd *ret_fds;
        size_t n;
};

static ssize_t
try_send_fds(green_fd fd, void *arg, int flags)
{
        const struct passing *p = arg;

        (void)flags;
        return green__sys_send_fds(fd, p->buf, p->len, p->fds, p->n);
}

ssize_t
green_socket_send_fds(green_socket *s, const void *buf, size_t len, const green_fd *fds, size_t n)
{
        struct passing p = {.buf = buf, .len = len, .fds = fds, .n = n};

        if (buf == NULL || len == 0 || n > GREEN_FDS_MAX || (n > 0 && fds == NULL))
                return -EINVAL;
        return try_until_done(s, try_send_fds, &p, 0, GREEN_WRITE);
}

static ssize_t
try_recv_fds(green_fd fd, void *arg, int flags)
{
        struct passing *p = arg;

        (void)flags;
        return green__sys_recv_fds(fd, p->ret_buf, p->len, p->ret_fds, &p->n);
}

ssize_t
green_socket_recv_fds(green_socket *s, void *buf, size_t len, green_fd *ret_fds, size_t *n)
{
        struct passing p = {.ret_buf = buf, .len = len, .ret_fds = ret_fds};
        ssize_t got;

        if (buf == NULL || len == 0 || n == NULL || *n > GREEN_FDS_MAX || (*n > 0 && ret_fds == NULL))
                return -EINVAL;
        p.n = *n;
        got = try_until_done(s, try_recv_fds, &p, 0, GREEN_READ);
        if (got < 0)
                return got;
        for (size_t i = 0; i < p.n; i++)
                green_notify_opened(p.ret_fds[i]);
        *n = p.n;
        return got;
}

/* ---- groups */

int
green_socket_join_group(green_socket *s, const struct green_addr *group, const char *device)
{
        int rc = green__socket_check(s);

        if (rc == 0 && group == NULL)
                rc = -EINVAL;
        return rc != 0 ? rc : green__sys_group(green_io_fd(s->io), true, group, device);
}

int
green_socket_leave_group(green_socket *s, const struct green_addr *group, const char *device)
{
        int rc = green__socket_check(s);

        if (rc == 0 && group == NULL)
                rc = -EINVAL;
        return rc != 0 ? rc : green__sys_group(green_io_fd(s->io), false, group, device);
}

int
green_socket_set_multicast(green_socket *s, const char *device, int hops, bool loop)
{
        int rc = green__socket_check(s);

        return rc != 0 ? rc : green__sys_multicast(green_io_fd(s->io), device, hops, loop);
}
