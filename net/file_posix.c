/*
 * Files on POSIX. See file_sys.h.
 */
#include "file_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <green/quiet.h>

#include "check.h"
#include "dns_priv.h"

static inline ssize_t
result(ssize_t n)
{
        return green__likely(n >= 0) ? n : -errno;
}

/* ---- opening */

static int
open_once(const char *path, int flags, mode_t mode)
{
        int fd;

        do
                fd = open(path, flags, mode);
        while (fd < 0 && errno == EINTR);
        return fd < 0 ? -errno : fd;
}

static void
take(green_fd fd, int flags, struct green__file_facts *ret)
{
        int how = flags & O_ACCMODE;

        *ret = (struct green__file_facts){
                .fd = fd, .reads = how != O_WRONLY, .writes = how != O_RDONLY, .append = (flags & O_APPEND) != 0};
}

static bool
can_be_moved_in(green_fd fd, const struct stat *st)
{
        if (S_ISCHR(st->st_mode))
                return lseek(fd, 0, SEEK_CUR) >= 0;
        return S_ISREG(st->st_mode) || S_ISBLK(st->st_mode) || S_ISDIR(st->st_mode);
}

/* Was it a file, and is it open as it was asked for? */
static int
check_opened(green_fd fd, int flags)
{
        struct stat st;

        if (fstat(fd, &st) != 0)
                return -errno;
        if (!can_be_moved_in(fd, &st))
                return -EINVAL;
        if (flags & O_NONBLOCK)
                return 0;
        return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int
green__sys_file_open(const char *path, int flags, mode_t mode, struct green__file_facts *ret)
{
        struct stat st;
        int rc, fd;

        /* A named pipe would make us wait for its other end. */
        fd = open_once(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
        /* Another process has a lease on it, and is asked to give that up. */
        if (fd == -EWOULDBLOCK && !(flags & O_NONBLOCK) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
                fd = open_once(path, flags | O_CLOEXEC | O_NOCTTY, mode);
        /* A named pipe without a reader, or a socket. */
        if (fd == -ENXIO && stat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
                return -EINVAL;
        if (fd < 0)
                return fd;
        rc = check_opened(fd, flags);
        if (rc != 0)
                (void)close(fd);
        else
                take(fd, flags, ret);
        return rc;
}

int
green__sys_file_unique(char *path, int flags, mode_t mode, struct green__file_facts *ret)
{
        static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
        char *name = path + strlen(path) - (sizeof GREEN__FILE_UNIQUE - 1) + strlen("green-");
        int fd = -EEXIST;

        for (int tries = 0; tries < 100 && fd == -EEXIST; tries++) {
                uint64_t bits = green__dns_random();

                for (char *at = name; *at != '\0'; at++, bits >>= 5)
                        *at = digits[bits & 31];
                fd = open_once(path, flags | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        }
        if (fd < 0)
                return fd;
        take(fd, flags, ret);
        return 0;
}

int
green__sys_file_temporary(const char *folder, struct green__file_facts *ret)
{
        size_t len = strlen(folder) + sizeof "/" GREEN__FILE_UNIQUE;
        char *path;
        int rc;

#ifdef O_TMPFILE
        rc = open_once(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (rc >= 0) {
                take(rc, O_RDWR, ret);
                return 0;
        }
        /* Not every file system has them; systems that are old say EISDIR. */
        if (rc != -EOPNOTSUPP && rc != -EISDIR && rc != -EINVAL && rc != -ENOENT)
                return rc;
#endif
        path = malloc(len);
        if (path == NULL)
                return -ENOMEM;
        snprintf(path, len, "%s/" GREEN__FILE_UNIQUE, folder);
        rc = green__sys_file_unique(path, O_RDWR, 0600, ret);
        if (rc == 0)
                (void)unlink(path);
        free(path);
        return rc;
}

int
green__sys_file_adopt(green_fd fd, struct green__file_facts *ret)
{
        int flags = fcntl(fd, F_GETFL), old;
        struct stat st;

        if (flags < 0 || fstat(fd, &st) != 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (fd > STDERR_FILENO) {
                old = fcntl(fd, F_GETFD);
                if (old < 0 || (!(old & FD_CLOEXEC) && fcntl(fd, F_SETFD, old | FD_CLOEXEC) < 0))
                        return -errno;
        }
        take(fd, flags, ret);
        ret->at = green__sys_file_position(fd);
        return ret->at < 0 ? (int)ret->at : 0;
}

const char *
green__sys_file_tmp(void)
{
        const char *folder = getenv("TMPDIR");

        return folder != NULL && *folder != '\0' ? folder : "/tmp";
}

/* ---- a limit on the length of files */

bool
green__sys_file_limited(void)
{
        struct rlimit limit;

        return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* Beyond the limit SIGXFSZ is raised. */
static bool
begin_limited(struct green_quiet *q)
{
        if (green__likely(!green__sys_file_limited()))
                return false;
        green_quiet_begin(q, SIGXFSZ);
        return true;
}

static void
end_limited(struct green_quiet *q, bool limited, ssize_t rc)
{
        if (green__unlikely(limited))
                green_quiet_end(q, rc == -EFBIG);
}

/* ---- moving bytes */

ssize_t
green__sys_file_read(green_fd fd, void *buf, size_t len, int64_t at)
{
        ssize_t n;

        do
                n = result(pread(fd, buf, len, (off_t)at));
        while (green__unlikely(n == -EINTR));
        return n;
}

ssize_t
green__sys_file_write(green_fd fd, const void *buf, size_t len, int64_t at)
{
        struct green_quiet q;
        bool limited;
        ssize_t n;

        limited = begin_limited(&q);
        do
                n = result(pwrite(fd, buf, len, (off_t)at));
        while (green__unlikely(n == -EINTR));
        end_limited(&q, limited, n);
        return n;
}

ssize_t
green__sys_file_append(green_fd fd, const struct green_iovec *iov, size_t n)
{
        struct green_quiet q;
        bool limited;
        ssize_t sent;

        limited = begin_limited(&q);
        do
                sent = result(writev(fd, (const struct iovec *)(uintptr_t)iov, (int)n));
        while (green__unlikely(sent == -EINTR));
        end_limited(&q, limited, sent);
        return sent;
}

int
green__sys_file_truncate(green_fd fd, int64_t length)
{
        struct green_quiet q;
        bool limited;
        int rc;

        limited = begin_limited(&q);
        do
                rc = ftruncate(fd, (off_t)length) != 0 ? -errno : 0;
        while (green__unlikely(rc == -EINTR));
        end_limited(&q, limited, rc);
        return rc;
}

/* ---- the rest */

int
green__sys_file_sync(green_fd fd, bool data_only)
{
        int rc;

        do
#if defined(_POSIX_SYNCHRONIZED_IO) && _POSIX_SYNCHRONIZED_IO > 0
                rc = (data_only ? fdatasync(fd) : fsync(fd)) != 0 ? -errno : 0;
#else
                rc = fsync(fd) != 0 ? -errno : 0;
#endif
        while (rc == -EINTR);
        (void)data_only;
        return rc;
}

int
green__sys_file_stat(green_fd fd, struct stat *ret_stat)
{
        return fstat(fd, ret_stat) != 0 ? -errno : 0;
}

int
green__sys_file_rename(const char *from, const char *to)
{
        return rename(from, to) != 0 ? -errno : 0;
}

void
green__sys_file_remove(const char *path)
{
        (void)unlink(path);
}

size_t
green__sys_folder_len(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

int64_t
green__sys_file_position(green_fd fd)
{
        off_t at = lseek(fd, 0, SEEK_CUR);

        return at < 0 ? -errno : (int64_t)at;
}

int64_t
green__sys_file_length(green_fd fd)
{
        struct stat st;
        off_t at, end;

        if (fstat(fd, &st) != 0)
                return -errno;
        if (S_ISREG(st.st_mode))
                return (int64_t)st.st_size;
        /* Devices do not say; their position is put back. */
        at = lseek(fd, 0, SEEK_CUR);
        end = at < 0 ? at : lseek(fd, 0, SEEK_END);
        if (end < 0)
                return -errno;
        (void)lseek(fd, at, SEEK_SET);
        return (int64_t)end;
}
