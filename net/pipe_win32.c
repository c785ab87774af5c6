/*
 * Pipes and files on Windows. See pipe_sys.h.
 *
 * A pipe of our own is a pair of sockets, since hubs wait for nothing else. Of pipes and consoles that come from
 * elsewhere nobody can read without blocking, so it is refused; they can be written to, which waits as a whole.
 */
#include <config.h>

#include <errno.h>
#include <io.h>
#include <limits.h>
#include <stdio.h>

#include "check.h"
#include "count.h"
#include "error_win32.h"
#include "inet.h"
#include "pipe_sys.h"
#include "sock_win32.h"
#include "wide_win32.h"

#include <winternl.h>

static int
last_error(void)
{
        return green__win32_code(GetLastError());
}

const struct green__fd_kind green__pipe_kind = {.socket = true};

/* ---- opening */

int
green__sys_pipe(green_fd ret_fds[2])
{
        int rc = green__sys_socketpair(AF_UNIX, SOCK_STREAM, 0, ret_fds);

        /* Who writes can tell by the end of it that nobody reads. */
        if (rc == 0)
                (void)green__sys_shutdown(ret_fds[0], SD_SEND);
        return rc;
}

static DWORD
how_to_begin(const struct green__mode *mode)
{
        if (mode->exclusive)
                return CREATE_NEW;
        if (mode->cut)
                return CREATE_ALWAYS;
        return mode->create ? OPEN_ALWAYS : OPEN_EXISTING;
}

int
green__sys_open(const char *path, const struct green__mode *mode, green_fd *ret_fd)
{
        DWORD access = mode->read ? GENERIC_READ : FILE_READ_ATTRIBUTES;
        wchar_t name[GREEN__WIDE_SIZE];
        int rc = green__wide_name(path, name);
        HANDLE file;

        if (rc != 0)
                return rc;
        /* What may only append always does. */
        if (mode->write)
                access |= mode->append ? FILE_APPEND_DATA | SYNCHRONIZE : GENERIC_WRITE;
        file = CreateFileW(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                           how_to_begin(mode), FILE_ATTRIBUTE_NORMAL, NULL);
        if (file == INVALID_HANDLE_VALUE)
                return green__wide_code(name, GetLastError());
        *ret_fd = (green_fd)file;
        return 0;
}

static bool
is_socket(green_fd fd)
{
        int type, size = sizeof type;

        green__wsa_begin();
        return getsockopt(fd, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0;
}

/* Was it opened for this? */
static bool
allows(green_fd fd, bool read, bool write)
{
        PUBLIC_OBJECT_BASIC_INFORMATION info;

        if (NtQueryObject((HANDLE)fd, ObjectBasicInformation, &info, sizeof info, NULL) != 0)
                return true;
        return (!read || (info.GrantedAccess & FILE_READ_DATA) != 0) &&
               (!write || (info.GrantedAccess & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0);
}

static int
kind_of(green_fd fd, bool read, bool write, struct green__fd_kind *ret_kind)
{
        DWORD type;

        *ret_kind = (struct green__fd_kind){.socket = is_socket(fd)};
        if (ret_kind->socket)
                return 0;
        type = GetFileType((HANDLE)fd);
        if (type == FILE_TYPE_UNKNOWN)
                return -EBADF;
        ret_kind->file = type == FILE_TYPE_DISK;
        ret_kind->pipe = type == FILE_TYPE_PIPE;
        if (read && !ret_kind->file)
                return -ENOTSUP;
        return allows(fd, read, write) ? 0 : -EINVAL;
}

int
green__sys_kind(green_fd fd, const struct green__mode *mode, struct green__fd_kind *ret_kind)
{
        return kind_of(fd, mode->read, mode->write, ret_kind);
}

int
green__sys_kind_as_is(green_fd fd, bool write, struct green__fd_kind *ret_kind)
{
        int rc = kind_of(fd, !write, write, ret_kind);

        ret_kind->blocking = ret_kind->socket;
        return rc == -EINVAL ? -EBADF : rc;
}

bool
green__sys_shared(green_fd fd)
{
        return fd == (green_fd)GetStdHandle(STD_INPUT_HANDLE) || fd == (green_fd)GetStdHandle(STD_OUTPUT_HANDLE) ||
               fd == (green_fd)GetStdHandle(STD_ERROR_HANDLE);
}

int
green__sys_prepare(green_fd fd, const struct green__mode *mode, bool shared, struct green__fd_kind *kind)
{
        LARGE_INTEGER none = {.QuadPart = 0};
        bool blocking;

        (void)shared;
        if (kind->socket)
                return green__sys_adopt(fd, &blocking);
        if (!green__sys_shared(fd))
                (void)SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, 0);
        if (mode->append && kind->file && !SetFilePointerEx((HANDLE)fd, none, NULL, FILE_END))
                return last_error();
        return 0;
}

int
green__sys_dup_file(FILE *file, green_fd *ret_fd, bool *ret_shared)
{
        intptr_t old = _get_osfhandle(_fileno(file));
        HANDLE copy;

        if (old == -1 || old == -2)
                return -EBADF;
        if (fflush(file) != 0)
                return -errno;
        if (!DuplicateHandle(GetCurrentProcess(), (HANDLE)old, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
                return last_error();
        *ret_fd = (green_fd)copy;
        *ret_shared = green__sys_shared((green_fd)old);
        return 0;
}

/* ---- moving bytes */

static DWORD
at_most(size_t len)
{
        return len < INT_MAX ? (DWORD)len : INT_MAX;
}

/* Of one that is used as it is: nothing tells whether it blocks, so it is asked first. */
static bool
is_ready(green_fd fd, short events)
{
        struct pollfd p = {.fd = fd, .events = events};

        return WSAPoll(&p, 1, 0) != 0;
}

/* As much as there is room for where there is some. */
static ssize_t
send_some(green_fd fd, const struct green_iovec *iov, size_t n)
{
        enum { SOME = 4096 };

        while (n > 1 && iov->len == 0) {
                iov++;
                n--;
        }
        if (!is_ready(fd, POLLWRNORM))
                return -EAGAIN;
        return n == 0 ? 0 : green__sys_send(fd, iov->base, iov->len < SOME ? iov->len : SOME, 0);
}

ssize_t
green__sys_read(green_fd fd, const struct green__fd_kind *kind, void *buf, size_t len)
{
        DWORD n = 0;

        if (kind->socket && kind->blocking && !is_ready(fd, POLLRDNORM))
                return -EAGAIN;
        if (kind->socket)
                return green__sys_recv(fd, buf, len, 0);
        if (ReadFile((HANDLE)fd, buf, at_most(len), &n, NULL))
                return green__count_read((ssize_t)n);
        return GetLastError() == ERROR_HANDLE_EOF ? 0 : last_error();
}

ssize_t
green__sys_writev(green_fd fd, const struct green__fd_kind *kind, const struct green_iovec *iov, size_t n)
{
        ssize_t sent = 0;

        if (kind->socket)
                return kind->blocking ? send_some(fd, iov, n) : green__sys_sendv(fd, iov, n, 0);
        for (size_t i = 0; i < n; i++) {
                DWORD len = 0;

                if (iov[i].len == 0)
                        continue;
                if (!WriteFile((HANDLE)fd, iov[i].base, at_most(iov[i].len), &len, NULL))
                        return sent > 0 ? green__count_written(sent) : last_error();
                sent += (ssize_t)len;
                if (len < iov[i].len)
                        break;
        }
        return green__count_written(sent);
}

/* ---- files */

int64_t
green__sys_seek(green_fd fd, int64_t offset, int whence)
{
        LARGE_INTEGER by = {.QuadPart = offset}, at;
        DWORD from = whence == SEEK_SET ? FILE_BEGIN : whence == SEEK_CUR ? FILE_CURRENT : FILE_END;

        if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
                return -EINVAL;
        return SetFilePointerEx((HANDLE)fd, by, &at, from) ? at.QuadPart : last_error();
}

int
green__sys_truncate(green_fd fd, int64_t length)
{
        FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = length};

        return SetFileInformationByHandle((HANDLE)fd, FileEndOfFileInfo, &end, sizeof end) ? 0 : last_error();
}

bool
green__sys_isatty(green_fd fd)
{
        DWORD mode;

        return GetConsoleMode((HANDLE)fd, &mode);
}
