/*
 * One operation of hub_late: see hub_late.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "hub_late_op.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct green_iovec) == sizeof(struct iovec), "laid out as struct iovec");
_Static_assert(offsetof(struct green_iovec, len) == offsetof(struct iovec, iov_len), "laid out as struct iovec");

_Noreturn void
late_die(const char *format, ...)
{
        char text[400];
        va_list args;
        int n = snprintf(text, sizeof text, "hub late: core broke the hub interface: ");

        va_start(args, format);
        n += vsnprintf(text + n, sizeof text - (size_t)n - 1, format, args);
        va_end(args);
        if (n > (int)sizeof text - 2)
                n = (int)sizeof text - 2;
        text[n++] = '\n';
        if (write(STDERR_FILENO, text, (size_t)n) < 0)
                _exit(99);
        abort();
}

static bool
late_receives(const struct green_op *op)
{
        return op->kind == GREEN_OP_READ || op->kind == GREEN_OP_RECV;
}

bool
late_op_sends(const struct green_op *op)
{
        return op->kind == GREEN_OP_WRITE || op->kind == GREEN_OP_SEND;
}

/* Of the first len bytes in the buffers. */
static uint64_t
late_sum(const struct green_op *op, uint64_t len)
{
        uint64_t sum = 5381;

        for (unsigned i = 0; i < op->iov_count && len > 0; i++) {
                const unsigned char *byte = op->iov[i].base;

                for (size_t at = 0; at < op->iov[i].len && len > 0; at++, len--)
                        sum = sum * 33 + byte[at];
        }
        return sum;
}

static size_t
late_guard_len(const struct green_iovec *iov)
{
        return iov->len < LATE_GUARD ? iov->len : LATE_GUARD;
}

/*
 * Buffers to receive into get a pattern at both ends as long as nothing was received; whoever else writes there, or
 * gives the memory away, destroys it. Buffers to send from get a sum.
 */
void
late_op_guard(struct late_op *late)
{
        const struct green_op *op = &late->saved;

        if (late_op_sends(op)) {
                late->sum = late_sum(op, UINT64_MAX);
        } else if (late_receives(op)) {
                for (unsigned i = 0; i < op->iov_count && i < LATE_GUARDS; i++) {
                        size_t len = late_guard_len(&op->iov[i]);
                        unsigned char *tail = (unsigned char *)op->iov[i].base + op->iov[i].len - len;

                        memcpy(late->guards[i][0], op->iov[i].base, len);
                        memcpy(late->guards[i][1], tail, len);
                        memset(op->iov[i].base, LATE_PATTERN, len);
                        memset(tail, LATE_PATTERN, len);
                }
        }
        late->guarded = true;
}

static bool
late_is_pattern(const unsigned char *bytes, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if (bytes[i] != LATE_PATTERN)
                        return false;
        }
        return true;
}

static bool
late_guard_held(const struct late_op *late)
{
        const struct green_op *op = &late->saved;

        if (late_op_sends(op))
                return late->sum == late_sum(op, UINT64_MAX);
        if (!late_receives(op))
                return true;
        if (!late->guarded || op->iov_count == 0)
                return op->iov_count == 0 || late->saved.result < 0 ||
                       late->sum == late_sum(op, (uint64_t)late->saved.result);
        for (unsigned i = 0; i < op->iov_count && i < LATE_GUARDS; i++) {
                size_t len = late_guard_len(&op->iov[i]);
                const unsigned char *tail = (unsigned char *)op->iov[i].base + op->iov[i].len - len;

                if (!late_is_pattern(op->iov[i].base, len) || !late_is_pattern(tail, len))
                        return false;
        }
        return true;
}

void
late_op_unguard(struct late_op *late)
{
        const struct green_op *op = &late->saved;

        if (!late->guarded || !late_receives(op)) {
                late->guarded = false;
                return;
        }
        for (unsigned i = 0; i < op->iov_count && i < LATE_GUARDS; i++) {
                size_t len = late_guard_len(&op->iov[i]);

                memcpy((unsigned char *)op->iov[i].base + op->iov[i].len - len, late->guards[i][1], len);
                memcpy(op->iov[i].base, late->guards[i][0], len);
        }
        late->guarded = false;
}

bool
late_op_fd_same(const struct late_op *late)
{
        struct stat now;

        return fstat(late->saved.fd, &now) == 0 && now.st_dev == late->dev && now.st_ino == late->ino;
}

void
late_op_verify(const struct late_op *late)
{
        const struct green_op *op = late->op;
        const struct green_op *saved = &late->saved;

        if (op->space[0] != LATE_MAGIC || op->space[1] != (uint64_t)(uintptr_t)late)
                late_die("the hub's part of an operation on descriptor %d was overwritten", saved->fd);
        if (op->kind != saved->kind || op->fd != saved->fd || op->flags != saved->flags || op->iov != saved->iov ||
            op->iov_count != saved->iov_count || op->offset != saved->offset || op->name != saved->name ||
            op->name_size != saved->name_size || op->options != saved->options)
                late_die("an operation on descriptor %d was changed in flight", saved->fd);
        if (!late_guard_held(late))
                late_die("a buffer of an operation on descriptor %d was touched in flight", saved->fd);
        if (!late->cancelled && !late_op_fd_same(late))
                late_die("descriptor %d was closed under an operation that was not cancelled", saved->fd);
}

static int64_t
late_message(struct green_op *op)
{
        struct msghdr message = {
                .msg_name = op->name,
                .msg_namelen = op->name != NULL ? op->name_size : 0,
                .msg_iov = (struct iovec *)op->iov,
                .msg_iovlen = op->iov_count,
        };
        ssize_t n;

        if (op->kind == GREEN_OP_SEND)
                return sendmsg(op->fd, &message, (int)op->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
        n = recvmsg(op->fd, &message, (int)op->flags | MSG_DONTWAIT);
        if (n >= 0 && op->name != NULL)
                op->name_size = message.msg_namelen;
        return n;
}

/* A write to a broken pipe must not raise SIGPIPE. */
static int64_t
late_write(struct green_op *op)
{
        const struct timespec zero = {0};
        sigset_t pipe, old;
        int64_t n;
        int err;

        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, &old);
        if (op->offset >= 0)
                n = pwritev(op->fd, (struct iovec *)op->iov, (int)op->iov_count, op->offset);
        else
                n = writev(op->fd, (struct iovec *)op->iov, (int)op->iov_count);
        err = errno;
        if (n < 0 && err == EPIPE && !sigismember(&old, SIGPIPE))
                sigtimedwait(&pipe, NULL, &zero);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        errno = err;
        return n;
}

static int64_t
late_accept(struct green_op *op)
{
        socklen_t len = op->name_size;
        int fd = accept4(op->fd, op->name, op->name != NULL ? &len : NULL, (int)op->flags | LATE_ACCEPT_FLAGS);

        if (fd >= 0 && op->name != NULL)
                op->name_size = len;
        return fd;
}

int64_t
late_op_connect(struct late_op *late)
{
        struct green_op *op = late->op;
        int flags = fcntl(op->fd, F_GETFL) | LATE_ACCEPT_FLAGS;
        int err;

        fcntl(op->fd, F_SETFL, flags | O_NONBLOCK);
        err = connect(op->fd, op->name, op->name_size) == 0 ? 0 : errno;
        fcntl(op->fd, F_SETFL, flags);
        late->again = err == EAGAIN;
        return err == EINPROGRESS ? -EAGAIN : -err;
}

static int64_t
late_connect(struct late_op *late)
{
        int err = 0;
        socklen_t len = sizeof err;

        if (late->again)
                return late_op_connect(late);
        if (!late->ready)
                return -EAGAIN;
        getsockopt(late->saved.fd, SOL_SOCKET, SO_ERROR, &err, &len);
        return -err;
}

static int64_t
late_poll(const struct green_op *op)
{
        struct pollfd one = {.fd = op->fd};
        int64_t bits = 0;

        one.events = (short)((op->flags & GREEN_READ ? LATE_READABLE : 0) | (op->flags & GREEN_WRITE ? POLLOUT : 0));
        poll(&one, 1, 0);
        if (one.revents & LATE_READABLE)
                bits |= GREEN_READ;
        if (one.revents & POLLOUT)
                bits |= GREEN_WRITE;
        if (one.revents & (POLLERR | POLLHUP | POLLNVAL))
                bits |= GREEN_HUB_ERROR;
        return bits != 0 ? bits : -EAGAIN;
}

static int64_t
late_call(struct late_op *late)
{
        struct green_op *op = late->op;
        int64_t n;

        switch (op->kind) {
        case GREEN_OP_READ:
                if (op->offset >= 0)
                        n = preadv(op->fd, (struct iovec *)op->iov, (int)op->iov_count, op->offset);
                else
                        n = readv(op->fd, (struct iovec *)op->iov, (int)op->iov_count);
                break;
        case GREEN_OP_WRITE:
                n = late_write(op);
                break;
        case GREEN_OP_RECV:
        case GREEN_OP_SEND:
                n = late_message(op);
                break;
        case GREEN_OP_ACCEPT:
                n = late_accept(op);
                break;
        case GREEN_OP_CONNECT:
                return late_connect(late);
        case GREEN_OP_POLL:
                return late_poll(op);
        default:
                late_die("operation of kind %d", (int)op->kind);
        }
        return n >= 0 ? n : -errno;
}

void
late_op_finish(struct late_op *late, int64_t result)
{
        late->done = true;
        late->saved.result = result;
        late->saved.name_size = late->op->name_size;
}

/* Tries it once. */
static void
late_try(struct late_op *late)
{
        int64_t result;

        late_op_unguard(late);
        result = late_call(late);
        if (result == -EAGAIN || result == -EINTR) {
                late->ready = false;
                late_op_guard(late);
                return;
        }
        late_op_finish(late, result);
        if (late_receives(&late->saved) && result >= 0)
                late->sum = late_sum(&late->saved, (uint64_t)result);
        if (late_op_sends(&late->saved))
                late->sum = late_sum(&late->saved, UINT64_MAX);
}

void
late_op_turn(struct late_op *late)
{
        late_op_verify(late);
        if (!late->done && !late->cancelled && (late->ready || late->again)) {
                late_try(late);
                if (late->done)
                        return; /* counted from the next turn on */
        }
        if ((late->done || late->cancelled) && late->turns > 0)
                late->turns--;
        if (late->cancelled && !late->done && late->turns == 0) {
                if (!late->hopeless && late_op_fd_same(late)) {
                        late->ready = late->saved.kind != GREEN_OP_CONNECT ||
                                      late_poll(&(struct green_op){.fd = late->saved.fd, .flags = GREEN_WRITE}) > 0;
                        late_try(late);
                }
                if (!late->done) {
                        late_op_unguard(late);
                        late_op_finish(late, -ECANCELED);
                }
        }
}
