/*
 * Pipes and files on POSIX. See pipe_sys.h.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <green/quiet.h>

#include "check.h"
#include "count.h"
#include "pipe_sys.h"
#include "sock_sys.h"

/* What a pipe that says it can be written to takes without waiting; a terminal takes about as much. */
#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

static inline ssize_t
result(ssize_t n)
{
        return green__likely(n >= 0) ? n : -errno;
}

static int
add_flags(green_fd fd, int get, int set, int flags)
{
        int old = fcntl(fd, get);

        if (old < 0)
                return -errno;
        if ((old & flags) == flags)
                return 0;
        return fcntl(fd, set, old | flags) < 0 ? -errno : 0;
}

/* ---- opening */

int
green__sys_pipe(green_fd ret_fds[2])
{
#if HAVE_PIPE2
        return pipe2(ret_fds, O_CLOEXEC | O_NONBLOCK) != 0 ? -errno : 0;
#else
        int fds[2], rc = pipe(fds) != 0 ? -errno : 0;

        for (int i = 0; i < 2 && rc == 0; i++) {
                rc = add_flags(fds[i], F_GETFD, F_SETFD, FD_CLOEXEC);
                if (rc == 0)
                        rc = add_flags(fds[i], F_GETFL, F_SETFL, O_NONBLOCK);
                if (rc != 0) {
                        close(fds[0]);
                        close(fds[1]);
                }
        }
        for (int i = 0; i < 2 && rc == 0; i++)
                ret_fds[i] = fds[i];
        return rc;
#endif
}

static int
access_flags(const struct green__mode *mode)
{
        if (mode->read && mode->write)
                return O_RDWR;
        return mode->write ? O_WRONLY : O_RDONLY;
}

int
green__sys_open(const char *path, const struct green__mode *mode, green_fd *ret_fd)
{
        int flags = access_flags(mode) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
        int fd;

        flags |= (mode->append ? O_APPEND : 0) | (mode->create ? O_CREAT : 0);
        flags |= (mode->cut ? O_TRUNC : 0) | (mode->exclusive ? O_EXCL : 0);
        do
                fd = open(path, flags, 0666);
        while (fd < 0 && errno == EINTR);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

const struct green__fd_kind green__pipe_kind = {.pipe = true};

int
green__sys_kind(green_fd fd, const struct green__mode *mode, struct green__fd_kind *ret_kind)
{
        struct stat st;
        int flags = fcntl(fd, F_GETFL), how;

        if (flags < 0 || fstat(fd, &st) != 0)
                return -errno;
        how = flags & O_ACCMODE;
        if ((mode->read && how == O_WRONLY) || (mode->write && how == O_RDONLY))
                return -EINVAL;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        *ret_kind = (struct green__fd_kind){.file = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode),
                                            .socket = S_ISSOCK(st.st_mode),
                                            .pipe = S_ISFIFO(st.st_mode)};
        return 0;
}

int
green__sys_kind_as_is(green_fd fd, bool write, struct green__fd_kind *ret_kind)
{
        struct stat st;
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fstat(fd, &st) != 0)
                return -errno;
        /* It would never be ready. */
        if ((flags & O_ACCMODE) == (write ? O_RDONLY : O_WRONLY))
                return -EBADF;
        *ret_kind = (struct green__fd_kind){.file = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode),
                                            .socket = S_ISSOCK(st.st_mode),
                                            .pipe = S_ISFIFO(st.st_mode)};
        ret_kind->blocking = (flags & O_NONBLOCK) == 0 && !ret_kind->file && !ret_kind->socket;
        return 0;
}

bool
green__sys_shared(green_fd fd)
{
        return fd <= STDERR_FILENO;
}

int
green__sys_prepare(green_fd fd, const struct green__mode *mode, bool shared, struct green__fd_kind *kind)
{
        int flags = fcntl(fd, F_GETFL), want, rc = 0;

        if (flags < 0)
                return -errno;
        want = flags | (mode->append ? O_APPEND : 0) | (shared || kind->file ? 0 : O_NONBLOCK);
        if (want != flags && fcntl(fd, F_SETFL, want) < 0)
                return -errno;
        kind->blocking = (want & O_NONBLOCK) == 0 && !kind->file && !kind->socket;
        if (!green__sys_shared(fd))
                rc = add_flags(fd, F_GETFD, F_SETFD, FD_CLOEXEC);
        if (rc == 0 && mode->append && kind->file && lseek(fd, 0, SEEK_END) < 0)
                rc = -errno;
        return rc;
}

int
green__sys_dup_file(FILE *file, green_fd *ret_fd, bool *ret_shared)
{
        int old = fileno(file), fd;

        if (old < 0)
                return -errno;
        if (fflush(file) != 0)
                return -errno;
        fd = fcntl(old, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        *ret_shared = green__sys_shared(old);
        return 0;
}

/* ---- moving bytes */

static bool
ready(green_fd fd, short events)
{
        struct pollfd p = {.fd = fd, .events = events};
        int n;

        do
                n = poll(&p, 1, 0);
        while (n < 0 && errno == EINTR);
        return n != 0;
}

ssize_t
green__sys_read(green_fd fd, const struct green__fd_kind *kind, void *buf, size_t len)
{
        ssize_t n;

        if (kind->socket)
                return green__sys_recv(fd, buf, len, 0);
        if (kind->blocking && !ready(fd, POLLIN))
                return -EAGAIN;
        do
                n = result(read(fd, buf, len));
        while (green__unlikely(n == -EINTR));
        return green__count_read(n == -EWOULDBLOCK ? -EAGAIN : n);
}

static ssize_t
write_once(green_fd fd, const struct green_iovec *iov, size_t n)
{
        ssize_t sent;

        do
                sent = result(writev(fd, (const struct iovec *)(uintptr_t)iov, (int)n));
        while (green__unlikely(sent == -EINTR));
        return green__count_written(sent == -EWOULDBLOCK ? -EAGAIN : sent);
}

/* A pipe that nobody reads from raises SIGPIPE. */
static ssize_t
write_quietly(green_fd fd, const struct green_iovec *iov, size_t n)
{
        struct green_quiet q;
        ssize_t sent;

        green_quiet_begin(&q, SIGPIPE);
        sent = write_once(fd, iov, n);
        green_quiet_end(&q, sent == -EPIPE);
        return sent;
}

ssize_t
green__sys_writev(green_fd fd, const struct green__fd_kind *kind, const struct green_iovec *iov, size_t n)
{
        struct green_iovec piece;

        if (kind->socket)
                return green__sys_sendv(fd, iov, n, 0);
        if (kind->blocking) {
                if (!ready(fd, POLLOUT))
                        return -EAGAIN;
                while (n > 1 && iov->len == 0) {
                        iov++;
                        n--;
                }
                piece = (struct green_iovec){iov->base, iov->len < PIPE_BUF ? iov->len : PIPE_BUF};
                iov = &piece;
                n = 1;
        }
        return kind->pipe ? write_quietly(fd, iov, n) : write_once(fd, iov, n);
}

/* ---- files */

int64_t
green__sys_seek(green_fd fd, int64_t offset, int whence)
{
        off_t at = lseek(fd, (off_t)offset, whence);

        return at < 0 ? -errno : (int64_t)at;
}

int
green__sys_truncate(green_fd fd, int64_t length)
{
        int rc;

        do
                rc = ftruncate(fd, (off_t)length) != 0 ? -errno : 0;
        while (rc == -EINTR);
        return rc;
}

bool
green__sys_isatty(green_fd fd)
{
        return isatty(fd) == 1;
}
