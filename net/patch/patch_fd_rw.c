/*
 * read(), write() and their kind, on whatever the descriptor is: sockets by recv() and send(), pipes and their like
 * with RWF_NOWAIT, what knows neither (terminals) asked by poll() first, and files straight.
 */
#include "patch_fd_priv.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

enum { WHOLE_IOV = 1024 };

/* The C library may not have them. At the current position, or of what has none. */
static ssize_t
read_nowait(int fd, const struct iovec *iov, size_t count)
{
        return syscall(SYS_preadv2, fd, iov, count, -1L, -1L, RWF_NOWAIT);
}

static ssize_t
write_nowait(int fd, const struct iovec *iov, size_t count)
{
        return syscall(SYS_pwritev2, fd, iov, count, -1L, -1L, RWF_NOWAIT);
}

static bool
is_ready(int fd, short events)
{
        struct pollfd p = {.fd = fd, .events = events};

        return poll(&p, 1, 0) > 0;
}

static unsigned
kind_of(int fd)
{
        unsigned kind = green__patch_known(fd) & PATCH_KINDS;

        return kind != PATCH_UNKNOWN ? kind : green__patch_look(fd) & PATCH_KINDS;
}

static inline bool
knows_not(ssize_t n)
{
        return n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS);
}

/*
 * A number that was a pipe may be a file by now, of which RWF_NOWAIT reads no more than what is in memory. True: it is
 * one, and the call is the system's.
 */
static bool
is_file_now(int fd)
{
        struct stat st;
        int saved = errno;
        bool yes = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));

        if (yes)
                green__patch_note(fd, PATCH_UNKNOWN);
        errno = saved;
        return yes;
}

/* ---- reading */

/* A short read of a pipe is one, of a file it has to go on. */
static ssize_t
read_on(int fd, const struct iovec *iov, int count, ssize_t n, size_t size)
{
        struct patch_parts parts = {.next = iov, .count = (size_t)count};
        ssize_t more;

        if ((size_t)n == size || !is_file_now(fd))
                return n;
        green__patch_skip(&parts, (size_t)n);
        more = readv(fd, parts.window, (int)green__patch_window(&parts));
        return more > 0 ? n + more : n;
}

static ssize_t
read_some(int fd, const struct iovec *iov, int count, unsigned kind)
{
        ssize_t n;

        if (kind == PATCH_NOWAIT) {
                n = read_nowait(fd, iov, (size_t)count);
                if (n > 0)
                        return read_on(fd, iov, count, n, green__patch_size(iov, (size_t)count));
                if (!knows_not(n))
                        return n;
                green__patch_note(fd, PATCH_POLLED);
        }
        if (is_ready(fd, POLLIN))
                return readv(fd, iov, count);
        errno = EAGAIN;
        return -1;
}

/* In a green thread, a descriptor that is no socket, or not known to be one. */
static __attribute__((noinline)) ssize_t
read_any(int fd, const struct iovec *iov, int count, int saved)
{
        struct patch_blocked b = {.saved = saved};
        ssize_t n;

        for (;;) {
                unsigned kind = kind_of(fd);

                if (kind == PATCH_UNKNOWN) {
                        errno = saved;
                        return readv(fd, iov, count);
                }
                if (kind == PATCH_SOCKET) {
                        struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count};

                        n = recvmsg(fd, &msg, MSG_DONTWAIT);
                        if (n < 0 && errno == ENOTSOCK) {
                                green__patch_note(fd, PATCH_UNKNOWN);
                                continue;
                        }
                        return n == 0 || (n < 0 && errno != EAGAIN) ? n : green__patch_recv_rest(fd, &msg, 0, n, saved);
                }
                n = read_some(fd, iov, count, kind);
                if (n >= 0)
                        return green__patch_done(n, saved);
                if (errno != EAGAIN)
                        return n;
                if (!is_file_now(fd) && green__patch_block(&b, fd, GREEN_READ) != 0)
                        return -1;
        }
}

static __attribute__((noinline)) ssize_t
wait_for_socket(int fd, void *buf, size_t n, int saved)
{
        struct iovec iov = {buf, n};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

        return green__patch_recv_rest(fd, &msg, 0, -1, saved);
}

ssize_t
green__patch_fn_read(int fd, void *buf, size_t n)
{
        unsigned known = green__patch_known(fd);
        ssize_t got;
        int rc = green__patch_begin(), saved;

        if (green__unlikely(rc <= 0))
                return rc == 0 ? read(fd, buf, n) : -1;
        saved = errno;
        if (green__likely((known & ~(unsigned)PATCH_OWN) == PATCH_SOCKET && n > 0)) {
                got = recv(fd, buf, n, MSG_DONTWAIT);
                if (green__likely(got >= 0))
                        return green__patch_at_once(got);
                if (errno == EAGAIN)
                        return wait_for_socket(fd, buf, n, saved);
                if (errno != ENOTSOCK)
                        return -1;
        }
        /* Of nothing: the system says whether it may be read. */
        if (n == 0)
                return read(fd, buf, n);
        return read_any(fd, &(struct iovec){buf, n}, 1, saved);
}

ssize_t
green__patch_fn_read_chk(int fd, void *buf, size_t n, size_t room)
{
        green__patch_check_room(n, room);
        return green__patch_fn_read(fd, buf, n);
}

static inline bool
is_valid(const struct iovec *iov, int count)
{
        return iov != NULL && count > 0 && count <= WHOLE_IOV;
}

ssize_t
green__patch_fn_readv(int fd, const struct iovec *iov, int count)
{
        int rc, saved;

        if (!is_valid(iov, count) || green__patch_size(iov, (size_t)count) == 0)
                return readv(fd, iov, count);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? readv(fd, iov, count) : -1;
        saved = errno;
        return read_any(fd, iov, count, saved);
}

/* ---- writing */

/* After poll() has said so there is room for PIPE_BUF bytes in a pipe, so more are written in pieces of that size. */
static ssize_t
write_piece(int fd, const struct iovec *iov, int count, struct patch_parts *parts, size_t left)
{
        size_t pieces;

        if (!is_ready(fd, POLLOUT)) {
                errno = EAGAIN;
                return -1;
        }
        if (parts->skip == 0 && parts->next == iov && left <= PIPE_BUF)
                return writev(fd, iov, count);
        pieces = green__patch_window(parts);
        if (is_file_now(fd))
                return writev(fd, parts->window, (int)pieces);
        return write(fd, parts->window[0].iov_base,
                     parts->window[0].iov_len < PIPE_BUF ? parts->window[0].iov_len : PIPE_BUF);
}

/* The first try is made with all of it: what is not more than PIPE_BUF goes in one piece or not at all. */
static ssize_t
write_some(int fd, const struct iovec *iov, int count, struct patch_parts *parts, unsigned kind, size_t left)
{
        ssize_t n;

        if (kind == PATCH_UNKNOWN) {
                size_t pieces = green__patch_window(parts);

                return writev(fd, parts->window, (int)pieces);
        }
        if (kind == PATCH_NOWAIT) {
                if (parts->skip == 0 && parts->next == iov) {
                        n = write_nowait(fd, iov, (size_t)count);
                } else {
                        size_t pieces = green__patch_window(parts);

                        n = write_nowait(fd, parts->window, pieces);
                }
                if (!knows_not(n))
                        return n;
                green__patch_note(fd, PATCH_POLLED);
        }
        return write_piece(fd, iov, count, parts, left);
}

static ssize_t
write_socket(int fd, const struct iovec *iov, int count, int saved)
{
        struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count};
        ssize_t n = sendmsg(fd, &msg, MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN)
                return n;
        return green__patch_send_rest(fd, &msg, 0, n, saved);
}

static __attribute__((noinline)) ssize_t
write_any(int fd, const struct iovec *iov, int count, int saved)
{
        struct patch_parts parts = {.next = iov, .count = (size_t)count};
        struct patch_blocked b = {.saved = saved};
        size_t size = green__patch_size(iov, (size_t)count), total = 0;
        ssize_t n;

        while (total < size) {
                unsigned kind = kind_of(fd);

                if (total == 0 && kind == PATCH_UNKNOWN) {
                        errno = saved;
                        return writev(fd, iov, count);
                }
                if (total == 0 && kind == PATCH_SOCKET) {
                        n = write_socket(fd, iov, count, saved);
                        if (n >= 0 || errno != ENOTSOCK)
                                return n;
                        green__patch_note(fd, PATCH_UNKNOWN);
                        continue;
                }
                n = write_some(fd, iov, count, &parts, kind == PATCH_SOCKET ? PATCH_POLLED : kind, size - total);
                if (n > 0) {
                        total += (size_t)n;
                        green__patch_skip(&parts, (size_t)n);
                        green__patch_progress(&b);
                } else if (n == 0 || errno != EAGAIN ||
                           (!is_file_now(fd) && green__patch_block(&b, fd, GREEN_WRITE) != 0)) {
                        break;
                }
        }
        return total > 0 ? green__patch_done((ssize_t)total, saved) : -1;
}

ssize_t
green__patch_fn_write(int fd, const void *buf, size_t n)
{
        unsigned known = green__patch_known(fd) & PATCH_KINDS;
        struct iovec iov = {(void *)(uintptr_t)buf, n};
        ssize_t sent;
        int rc = green__patch_begin(), saved;

        if (green__unlikely(rc <= 0))
                return rc == 0 ? write(fd, buf, n) : -1;
        saved = errno;
        if (green__likely(known == PATCH_SOCKET)) {
                sent = send(fd, buf, n, MSG_DONTWAIT);
                if (green__likely(sent >= 0 && (size_t)sent >= n))
                        return green__patch_at_once(sent);
                if (sent > 0 || errno == EAGAIN)
                        return green__patch_send_rest(fd, &(struct msghdr){.msg_iov = &iov, .msg_iovlen = 1}, 0, sent,
                                                      saved);
                if (errno != ENOTSOCK)
                        return -1;
        }
        if (n == 0)
                return write(fd, buf, n);
        return write_any(fd, &iov, 1, saved);
}

ssize_t
green__patch_fn_writev(int fd, const struct iovec *iov, int count)
{
        int rc, saved;

        if (!is_valid(iov, count) || green__patch_size(iov, (size_t)count) == 0)
                return writev(fd, iov, count);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? writev(fd, iov, count) : -1;
        saved = errno;
        return write_any(fd, iov, count, saved);
}
