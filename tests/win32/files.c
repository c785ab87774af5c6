/* Files of the tests, whose descriptors are handles, as green-net's are. See win32.h. */
#include "win32.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <windows.h>

#undef open
#undef mkdir
#undef lseek
#undef fstat
#undef mkstemp

static int
failed(void)
{
        switch (GetLastError()) {
        case ERROR_FILE_NOT_FOUND:
        case ERROR_PATH_NOT_FOUND:
                errno = ENOENT;
                break;
        case ERROR_FILE_EXISTS:
        case ERROR_ALREADY_EXISTS:
                errno = EEXIST;
                break;
        case ERROR_ACCESS_DENIED:
                errno = EACCES;
                break;
        default:
                errno = EIO;
        }
        return -1;
}

static int
refused(void)
{
        errno = ENOSYS;
        return -1;
}

bool
win32_is_handle(int fd)
{
        DWORD flags;

        return fd > 2 && (fd >= 64 || _get_osfhandle(fd) == -1) && GetHandleInformation((HANDLE)(intptr_t)fd, &flags);
}

int
win32_open(const char *path, int flags, ...)
{
        DWORD access = (flags & O_ACCMODE) == O_RDONLY   ? GENERIC_READ
                       : (flags & O_ACCMODE) == O_WRONLY ? GENERIC_WRITE
                                                         : GENERIC_READ | GENERIC_WRITE;
        DWORD begin = (flags & O_CREAT) == 0   ? OPEN_EXISTING
                      : (flags & O_EXCL) != 0  ? CREATE_NEW
                      : (flags & O_TRUNC) != 0 ? CREATE_ALWAYS
                                               : OPEN_ALWAYS;
        SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = (flags & O_CLOEXEC) == 0};
        HANDLE file = CreateFileA(strcmp(path, "/dev/null") == 0 ? "NUL" : path, access,
                                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &inherited, begin,
                                  FILE_ATTRIBUTE_NORMAL | FILE_FLAG_BACKUP_SEMANTICS, NULL);

        return file == INVALID_HANDLE_VALUE ? failed() : (int)(intptr_t)file;
}

/* The C library's makes 26 of a kind only. */
static void
make_name(char *template)
{
        static atomic_uint made;
        char digits[7];

        snprintf(digits, sizeof digits, "%06x", (atomic_fetch_add(&made, 1) * 40503u + GetCurrentProcessId() * 977u) & 0xffffff);
        memcpy(template + strlen(template) - 6, digits, 6);
}

int
win32_mkstemp(char *template)
{
        int fd = -1;

        for (int tries = 0; fd < 0 && tries < 100; tries++) {
                make_name(template);
                fd = win32_open(template, O_RDWR | O_CREAT | O_EXCL);
        }
        return fd;
}

char *
mkdtemp(char *template)
{
        int rc = -1;

        for (int tries = 0; rc != 0 && tries < 100; tries++) {
                make_name(template);
                rc = _mkdir(template);
        }
        return rc == 0 ? template : NULL;
}

int
win32_file_read(int fd, void *bytes, unsigned len)
{
        DWORD n = 0;

        return ReadFile((HANDLE)(intptr_t)fd, bytes, len, &n, NULL) || GetLastError() == ERROR_BROKEN_PIPE ? (int)n : failed();
}

int
win32_file_write(int fd, const void *bytes, unsigned len)
{
        DWORD n = 0;

        return WriteFile((HANDLE)(intptr_t)fd, bytes, len, &n, NULL) ? (int)n : failed();
}

int
win32_file_close(int fd)
{
        return CloseHandle((HANDLE)(intptr_t)fd) ? 0 : failed();
}

/* Of sockets too. What is asked of a number that is none fails. */
int
win32_get_fd(int fd)
{
        DWORD flags;

        /* The smallest handles are those that the process began with: those numbers are the C library's. */
        if (fd >= 0 && fd < 16)
                fd = (int)_get_osfhandle(fd);
        if (fd < 0 || !GetHandleInformation((HANDLE)(intptr_t)fd, &flags)) {
                errno = EBADF;
                return -1;
        }
        return (flags & HANDLE_FLAG_INHERIT) != 0 ? 0 : FD_CLOEXEC;
}

int64_t
win32_lseek(int fd, int64_t offset, int whence)
{
        LARGE_INTEGER by = {.QuadPart = offset}, at;

        return SetFilePointerEx((HANDLE)(intptr_t)fd, by, &at, (DWORD)whence) ? at.QuadPart : failed();
}

int
win32_mkdir(const char *path)
{
        return _mkdir(path);
}

/* Some systems say that they have made one, and have not. */
int
symlink(const char *target, const char *path)
{
        DWORD kind = 0;

        if (!CreateSymbolicLinkA(path, target, SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE))
                return failed();
        kind = GetFileAttributesA(path);
        return kind != INVALID_FILE_ATTRIBUTES && (kind & FILE_ATTRIBUTE_REPARSE_POINT) != 0 ? 0 : refused();
}

int
mkfifo(const char *path, mode_t mode)
{
        (void)path;
        (void)mode;
        return refused();
}

int
openat(int folder, const char *path, int flags, ...)
{
        (void)folder;
        (void)path;
        (void)flags;
        return refused();
}

int
mkdirat(int folder, const char *path, mode_t mode)
{
        (void)folder;
        (void)path;
        (void)mode;
        return refused();
}

/* There are consoles, but nobody is at the other side of one. */
int
posix_openpt(int flags)
{
        (void)flags;
        return refused();
}

int
grantpt(int fd)
{
        (void)fd;
        return refused();
}

int
unlockpt(int fd)
{
        (void)fd;
        return refused();
}

char *
ptsname(int fd)
{
        (void)fd;
        return NULL;
}
