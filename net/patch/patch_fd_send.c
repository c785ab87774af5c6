/*
 * send() and its kind. Tried once with MSG_DONTWAIT; a blocking send of a stream ends when all of it is sent, so the
 * rest follows in pieces. SIGPIPE comes as from the system's call: from one that could send nothing.
 */
#include "patch_fd_priv.h"
#include "patch_native.h"

#include <sys/sendfile.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

/* One more try: all of the user's message as long as nothing was sent, then what is left of its buffers. */
static ssize_t
transmit(int fd, const struct msghdr *msg, int flags, struct patch_parts *parts, size_t total)
{
        struct msghdr rest = {.msg_iov = parts->window, .msg_name = msg->msg_name, .msg_namelen = msg->msg_namelen};

        if (total == 0)
                return sendmsg(fd, msg, flags | MSG_DONTWAIT);
        rest.msg_iovlen = green__patch_window(parts);
        return sendmsg(fd, &rest, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t
green__patch_send_rest(int fd, const struct msghdr *msg, int flags, ssize_t moved, int saved)
{
        struct patch_blocked b = {.saved = saved};
        struct patch_parts parts = {.next = msg->msg_iov, .count = msg->msg_iovlen};
        size_t size = green__patch_size(msg->msg_iov, msg->msg_iovlen);
        size_t total = 0;

        for (;;) {
                if (moved > 0) {
                        total += (size_t)moved;
                        green__patch_skip(&parts, (size_t)moved);
                        green__patch_progress(&b);
                }
                if (moved == 0 || total >= size || (moved < 0 && errno != EAGAIN))
                        break;
                if (green__patch_block(&b, fd, GREEN_WRITE) != 0)
                        break;
                moved = transmit(fd, msg, flags, &parts, total);
        }
        return total > 0 || moved == 0 ? green__patch_done((ssize_t)total, saved) : -1;
}

ssize_t
green__patch_fn_sendmsg(int fd, const struct msghdr *msg, int flags)
{
        ssize_t n;
        int rc, saved;

        if (flags & MSG_DONTWAIT || msg == NULL)
                return sendmsg(fd, msg, flags);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? sendmsg(fd, msg, flags) : -1;
        saved = errno;
        n = sendmsg(fd, msg, flags | MSG_DONTWAIT);
        if (green__likely(n >= 0) && (size_t)n >= green__patch_size(msg->msg_iov, msg->msg_iovlen))
                return green__patch_at_once(n);
        if (n < 0 && errno != EAGAIN)
                return -1;
        return green__patch_send_rest(fd, msg, flags, n, saved);
}

/* The rest of a call that was given one buffer. */
static __attribute__((noinline)) ssize_t
rest_of(int fd, const struct msghdr msg, int flags, ssize_t n, int saved)
{
        return green__patch_send_rest(fd, &msg, flags, n, saved);
}

static inline struct msghdr
message(struct iovec *iov, const struct sockaddr *to, socklen_t size)
{
        return (struct msghdr){.msg_iov = iov, .msg_iovlen = 1, .msg_name = (void *)(uintptr_t)to, .msg_namelen = size};
}

ssize_t
green__patch_fn_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t size)
{
        struct iovec iov = {(void *)(uintptr_t)buf, n};
        ssize_t sent;
        int rc, saved;

        if (flags & MSG_DONTWAIT)
                return sendto(fd, buf, n, flags, to, size);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? sendto(fd, buf, n, flags, to, size) : -1;
        saved = errno;
        sent = sendto(fd, buf, n, flags | MSG_DONTWAIT, to, size);
        if (green__likely(sent >= 0 && (size_t)sent >= n))
                return green__patch_at_once(sent);
        if (sent < 0 && errno != EAGAIN)
                return -1;
        return rest_of(fd, message(&iov, to, size), flags, sent, saved);
}

ssize_t
green__patch_fn_send(int fd, const void *buf, size_t n, int flags)
{
        struct iovec iov = {(void *)(uintptr_t)buf, n};
        ssize_t sent;
        int rc, saved;

        if (flags & MSG_DONTWAIT)
                return send(fd, buf, n, flags);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? send(fd, buf, n, flags) : -1;
        saved = errno;
        sent = send(fd, buf, n, flags | MSG_DONTWAIT);
        if (green__likely(sent >= 0 && (size_t)sent >= n))
                return green__patch_at_once(sent);
        if (sent < 0 && errno != EAGAIN)
                return -1;
        return rest_of(fd, message(&iov, NULL, 0), flags, sent, saved);
}

/* ---- many at once */

/* The last of those that went may have gone in part. The rest of it, or false: nothing more can be sent. */
static bool
finish(int fd, struct mmsghdr *m, int flags, int saved)
{
        size_t size = green__patch_size(m->msg_hdr.msg_iov, m->msg_hdr.msg_iovlen);
        ssize_t n;

        if (m->msg_len >= size)
                return true;
        n = green__patch_send_rest(fd, &m->msg_hdr, flags, (ssize_t)m->msg_len, saved);
        if (n > 0)
                m->msg_len = (unsigned)n;
        return m->msg_len >= size;
}

int
green__patch_fn_sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
        struct patch_blocked b = PATCH_BLOCKED;
        unsigned done = 0;
        int n, rc;

        if (flags & MSG_DONTWAIT || msgs == NULL || count == 0)
                return sendmmsg(fd, msgs, count, flags);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? sendmmsg(fd, msgs, count, flags) : -1;
        while (done < count) {
                n = sendmmsg(fd, msgs + done, count - done, flags | MSG_DONTWAIT | (done > 0 ? MSG_NOSIGNAL : 0));
                if (n > 0) {
                        done += (unsigned)n;
                        b.tries = 0;
                        if (!finish(fd, &msgs[done - 1], flags, b.saved))
                                break;
                } else if (n == 0 || errno != EAGAIN || green__patch_block(&b, fd, GREEN_WRITE) != 0) {
                        break;
                }
        }
        return done > 0 ? (int)green__patch_done((ssize_t)done, b.saved) : -1;
}

/* ---- sendfile */

/* Through a buffer, since the system's own would wait for the socket. */
static ssize_t
copy(int out, int in, off_t *at, size_t n)
{
        char buf[16384];
        size_t total = 0;
        ssize_t got, sent = 0;

        while (total < n) {
                size_t piece = n - total < sizeof buf ? n - total : sizeof buf;

                got = pread(in, buf, piece, *at);
                if (got <= 0)
                        return total > 0 ? (ssize_t)total : got;
                sent = green__patch_fn_write(out, buf, (size_t)got);
                if (sent > 0) {
                        *at += sent;
                        total += (size_t)sent;
                }
                if (sent != got)
                        break;
        }
        return total > 0 || sent >= 0 ? (ssize_t)total : -1;
}

/* A file to a socket or a pipe that blocks? Everything else is the system's. */
static bool
must_copy(int out, int in)
{
        int flags = fcntl(out, F_GETFL);
        struct stat st;

        if (flags < 0 || flags & O_NONBLOCK || fstat(in, &st) != 0 || !S_ISREG(st.st_mode))
                return false;
        return fstat(out, &st) == 0 && (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode));
}

ssize_t
green__patch_fn_sendfile(int out, int in, off_t *offset, size_t n)
{
        int saved = errno, rc = green__patch_begin();
        off_t at;
        ssize_t sent;

        if (rc < 0)
                return -1;
        if (rc == 0 || !must_copy(out, in)) {
                errno = saved;
                return sendfile(out, in, offset, n);
        }
        at = offset != NULL ? *offset : lseek(in, 0, SEEK_CUR);
        if (at < 0)
                return sendfile(out, in, offset, n);
        sent = copy(out, in, &at, n);
        if (offset != NULL)
                *offset = at;
        else if (sent > 0)
                (void)lseek(in, at, SEEK_SET);
        return sent;
}

/* As code has it whose off_t is a long: on machines with 32 bits this is another one than sendfile64(). */
ssize_t
green__patch_fn_sendfile_long(int out, int in, void *offset, size_t n)
{
        long *narrow = offset;
        off_t at;
        ssize_t sent;

        if (narrow == NULL || !green__native_long_offsets)
                return green__patch_fn_sendfile(out, in, offset, n);
        at = *narrow;
        sent = green__patch_fn_sendfile(out, in, &at, n);
        *narrow = (long)at;
        return sent;
}
