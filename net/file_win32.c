/*
 * Files on Windows. See file_sys.h.
 *
 * A descriptor is a handle that knows no overlapped operations: calls with an offset wait, in the pool. Files may be
 * renamed and removed while they are open, as elsewhere.
 */
#include "file_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winsock2.h>

#include <green/alloc.h>

#include "check.h"
#include "dns_priv.h"
#include "error_win32.h"
#include "file_win32.h"
#include "pipe_sys.h"
#include "wide_win32.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static int
last_error(void)
{
        return green__win32_code(GetLastError());
}

/* ---- opening */

static DWORD
how_to_begin(int flags)
{
        switch (flags & (O_CREAT | O_EXCL | O_TRUNC)) {
        case O_CREAT | O_EXCL:
        case O_CREAT | O_EXCL | O_TRUNC:
                return CREATE_NEW;
        case O_CREAT | O_TRUNC:
                return CREATE_ALWAYS;
        case O_CREAT:
                return OPEN_ALWAYS;
        case O_TRUNC:
        case O_TRUNC | O_EXCL:
                return TRUNCATE_EXISTING;
        default:
                return OPEN_EXISTING;
        }
}

static DWORD
access_of(int flags)
{
        switch (flags & O_ACCMODE) {
        case O_WRONLY:
                return GENERIC_WRITE | FILE_READ_ATTRIBUTES;
        case O_RDWR:
                return GENERIC_READ | GENERIC_WRITE;
        default:
                return (flags & O_TRUNC) != 0 ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ;
        }
}

static int
open_once(const char *path, int flags, mode_t mode, DWORD more, green_fd *ret_fd)
{
        DWORD attributes = (flags & O_CREAT) != 0 && (mode & 0200) == 0 ? FILE_ATTRIBUTE_READONLY : FILE_ATTRIBUTE_NORMAL;
        wchar_t name[GREEN__WIDE_SIZE];
        int rc = green__wide_name(path, name);
        HANDLE file;

        if (rc != 0)
                return rc;
        file = CreateFileW(name, access_of(flags), SHARE_ALL, NULL, how_to_begin(flags), attributes | more, NULL);
        if (file == INVALID_HANDLE_VALUE)
                return green__wide_code(name, GetLastError());
        *ret_fd = (green_fd)file;
        return 0;
}

static void
take(green_fd fd, int flags, struct green__file_facts *ret)
{
        int how = flags & O_ACCMODE;

        *ret = (struct green__file_facts){
                .fd = fd, .reads = how != O_WRONLY, .writes = how != O_RDONLY, .append = (flags & O_APPEND) != 0, .no_ops = true};
}

int
green__sys_file_open(const char *path, int flags, mode_t mode, struct green__file_facts *ret)
{
        green_fd fd;
        int rc = open_once(path, flags, mode, 0, &fd);

        if (rc != 0)
                return rc;
        if (GetFileType((HANDLE)fd) != FILE_TYPE_DISK) {
                CloseHandle((HANDLE)fd);
                return -EINVAL;
        }
        take(fd, flags, ret);
        return 0;
}

static int
open_unique(char *path, int flags, mode_t mode, DWORD more, green_fd *ret_fd)
{
        static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
        char *name = path + strlen(path) - (sizeof GREEN__FILE_UNIQUE - 1) + strlen("green-");
        int rc = -EEXIST;

        for (int tries = 0; tries < 100 && rc == -EEXIST; tries++) {
                uint64_t bits = green__dns_random();

                for (char *at = name; *at != '\0'; at++, bits >>= 5)
                        *at = digits[bits & 31];
                rc = open_once(path, flags | O_CREAT | O_EXCL, mode, more, ret_fd);
        }
        return rc;
}

int
green__sys_file_unique(char *path, int flags, mode_t mode, struct green__file_facts *ret)
{
        green_fd fd;
        int rc = open_unique(path, flags, mode, 0, &fd);

        if (rc == 0)
                take(fd, flags, ret);
        return rc;
}

int
green__sys_file_temporary(const char *folder, struct green__file_facts *ret)
{
        size_t len = strlen(folder) + sizeof "/" GREEN__FILE_UNIQUE;
        char *path = malloc(len);
        green_fd fd;
        int rc;

        if (path == NULL)
                return -ENOMEM;
        snprintf(path, len, "%s/" GREEN__FILE_UNIQUE, folder);
        rc = open_unique(path, O_RDWR, 0600, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, &fd);
        if (rc == 0)
                take(fd, O_RDWR, ret);
        free(path);
        return rc;
}

int
green__sys_file_adopt(green_fd fd, struct green__file_facts *ret)
{
        DWORD type = GetFileType((HANDLE)fd);

        if (type == FILE_TYPE_UNKNOWN && GetLastError() != NO_ERROR)
                return -EBADF;
        if (type != FILE_TYPE_DISK)
                return -EINVAL;
        if (!green__sys_shared(fd))
                (void)SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, 0);
        /* What it was opened for is told by the calls. */
        take(fd, O_RDWR, ret);
        ret->at = green__sys_file_position(fd);
        return ret->at < 0 ? (int)ret->at : 0;
}

const char *
green__sys_file_tmp(void)
{
        const char *folder = getenv("TMP");

        return folder != NULL && *folder != '\0' ? folder : "C:\\Windows\\Temp";
}

bool
green__sys_file_limited(void)
{
        return false;
}

/* ---- moving bytes */

static OVERLAPPED
at_offset(int64_t at)
{
        return (OVERLAPPED){.Offset = (DWORD)(uint64_t)at, .OffsetHigh = (DWORD)((uint64_t)at >> 32)};
}

static DWORD
at_most(size_t len)
{
        return len < INT_MAX ? (DWORD)len : INT_MAX;
}

/* What a handle was not opened for is denied. */
static int
not_moved(void)
{
        DWORD error = GetLastError();

        return error == ERROR_ACCESS_DENIED ? -EBADF : green__win32_code(error);
}

ssize_t
green__sys_file_read(green_fd fd, void *buf, size_t len, int64_t at)
{
        OVERLAPPED where = at_offset(at);
        DWORD n = 0;

        if (ReadFile((HANDLE)fd, buf, at_most(len), &n, &where))
                return (ssize_t)n;
        return GetLastError() == ERROR_HANDLE_EOF ? 0 : not_moved();
}

static ssize_t
write_at(green_fd fd, const void *buf, size_t len, OVERLAPPED where)
{
        DWORD n = 0;

        return WriteFile((HANDLE)fd, buf, at_most(len), &n, &where) ? (ssize_t)n : not_moved();
}

ssize_t
green__sys_file_write(green_fd fd, const void *buf, size_t len, int64_t at)
{
        return write_at(fd, buf, len, at_offset(at));
}

/* This offset is the end, wherever that is when it is written. */
static ssize_t
append_one(green_fd fd, const void *buf, size_t len)
{
        return write_at(fd, buf, len, at_offset(-1));
}

/* Several pieces are put together, so that nothing of others comes in between; a large one is left for the next call. */
ssize_t
green__sys_file_append(green_fd fd, const struct green_iovec *iov, size_t n)
{
        enum { JOINED = 65536 };
        size_t len = 0;
        ssize_t sent;
        char *all;

        while (n > 1 && iov->len == 0) {
                iov++;
                n--;
        }
        if (n == 0)
                return 0;
        if (n == 1 || iov->len >= JOINED)
                return append_one(fd, iov->base, iov->len);
        all = green_malloc(JOINED);
        if (all == NULL)
                return append_one(fd, iov->base, iov->len);
        for (size_t i = 0; i < n && len < JOINED; i++) {
                size_t piece = iov[i].len < JOINED - len ? iov[i].len : JOINED - len;

                memcpy(all + len, iov[i].base, piece);
                len += piece;
        }
        sent = append_one(fd, all, len);
        green_free(all);
        return sent;
}

int
green__sys_file_truncate(green_fd fd, int64_t length)
{
        FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = length};

        return SetFileInformationByHandle((HANDLE)fd, FileEndOfFileInfo, &end, sizeof end) ? 0 : last_error();
}

/* ---- the rest */

int
green__sys_file_sync(green_fd fd, bool data_only)
{
        (void)data_only;
        return FlushFileBuffers((HANDLE)fd) ? 0 : last_error();
}

/* Since 1601, in steps of 100 ns. */
static time_t
seconds_of(FILETIME t)
{
        uint64_t steps = (uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime;

        return (time_t)((int64_t)(steps / 10000000) - 11644473600);
}

unsigned short
green__file_mode(unsigned long attributes, bool link)
{
        unsigned kind = link ? GREEN__FILE_LINK : (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? S_IFDIR | 0111 : S_IFREG;

        return (unsigned short)(kind | 0444 | ((attributes & FILE_ATTRIBUTE_READONLY) != 0 ? 0 : 0222));
}

void
green__file_times(const FILETIME times[3], struct stat *ret_stat)
{
        ret_stat->st_ctime = seconds_of(times[0]);
        ret_stat->st_atime = seconds_of(times[1]);
        ret_stat->st_mtime = seconds_of(times[2]);
}

/* A length of which struct stat cannot tell is no length. */
int
green__file_size(uint64_t size, struct stat *ret_stat)
{
        ret_stat->st_size = (off_t)size;
        return ret_stat->st_size < 0 || (uint64_t)ret_stat->st_size != size ? -EOVERFLOW : 0;
}

int
green__sys_file_stat(green_fd fd, struct stat *ret_stat)
{
        BY_HANDLE_FILE_INFORMATION info;

        if (!GetFileInformationByHandle((HANDLE)fd, &info))
                return last_error();
        memset(ret_stat, 0, sizeof *ret_stat);
        ret_stat->st_dev = info.dwVolumeSerialNumber;
        ret_stat->st_ino = (ino_t)info.nFileIndexLow;
        ret_stat->st_nlink = (short)info.nNumberOfLinks;
        ret_stat->st_mode = green__file_mode(info.dwFileAttributes, false);
        green__file_times((FILETIME[]){info.ftCreationTime, info.ftLastAccessTime, info.ftLastWriteTime}, ret_stat);
        return green__file_size((uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow, ret_stat);
}

int
green__sys_file_rename(const char *from, const char *to)
{
        wchar_t wide_from[GREEN__WIDE_SIZE], wide_to[GREEN__WIDE_SIZE];
        int rc = green__wide_name(from, wide_from);

        if (rc == 0)
                rc = green__wide_name(to, wide_to);
        if (rc != 0)
                return rc;
        return MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING) ? 0
                                                                              : green__wide_code(wide_to, GetLastError());
}

void
green__sys_file_remove(const char *path)
{
        wchar_t name[GREEN__WIDE_SIZE];

        if (green__wide_name(path, name) == 0)
                (void)DeleteFileW(name);
}

size_t
green__sys_folder_len(const char *path)
{
        size_t len = strlen(path);

        while (len > 0 && strchr("/\\", path[len - 1]) == NULL)
                len--;
        return len > 0 || path[0] == '\0' || path[1] != ':' ? len : 2;
}

int64_t
green__sys_file_position(green_fd fd)
{
        LARGE_INTEGER none = {.QuadPart = 0}, at;

        return SetFilePointerEx((HANDLE)fd, none, &at, FILE_CURRENT) ? at.QuadPart : last_error();
}

int64_t
green__sys_file_length(green_fd fd)
{
        LARGE_INTEGER size;

        return GetFileSizeEx((HANDLE)fd, &size) ? size.QuadPart : last_error();
}
