/*
 * Opening what lies in a folder, and nothing else: Windows. See static_priv.h.
 *
 * The path is opened as a whole, below the name that the root has now, and without the names of devices and the like;
 * then the system is asked where the handle has led to. Only what it says in so many words is served.
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <wchar.h>

#include <winsock2.h>

#include <windows.h>

#include <green/alloc.h>

#include "static_priv.h"

enum { ROOM = 4096 }; /* characters of a path */

/* Seconds between 1601 and 1970. */
#define EPOCH 11644473600

static int
code_of(DWORD error)
{
        switch (error) {
        case ERROR_ACCESS_DENIED:
        case ERROR_SHARING_VIOLATION:
                return -EACCES;
        case ERROR_TOO_MANY_OPEN_FILES:
                return -EMFILE;
        case ERROR_NOT_ENOUGH_MEMORY:
        case ERROR_OUTOFMEMORY:
                return -ENOMEM;
        case ERROR_FILENAME_EXCED_RANGE:
                return -ENAMETOOLONG;
        case ERROR_DIRECTORY:
                return -ENOTDIR;
        case ERROR_FILE_NOT_FOUND:
        case ERROR_PATH_NOT_FOUND:
        case ERROR_INVALID_NAME:
        case ERROR_BAD_PATHNAME:
                return -ENOENT;
        default:
                return -EIO;
        }
}

static HANDLE
open_name(const wchar_t *name)
{
        return CreateFileW(name, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                           OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

static bool
look(HANDLE h, struct green__static_file *ret)
{
        BY_HANDLE_FILE_INFORMATION info;
        uint64_t time;

        if (GetFileType(h) != FILE_TYPE_DISK || !GetFileInformationByHandle(h, &info))
                return false;
        time = (uint64_t)info.ftLastWriteTime.dwHighDateTime << 32 | info.ftLastWriteTime.dwLowDateTime;
        *ret = (struct green__static_file){
                .fd = (green_fd)h,
                .size = (uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow,
                .mtime = (int64_t)(time / 10000000) - EPOCH,
                .mtime_ns = (uint32_t)(time % 10000000 * 100),
                .folder = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0,
        };
        return true;
}

int
green__static_root(const char *path, green_fd *ret_root)
{
        wchar_t *name = green_malloc(ROOM * sizeof(wchar_t));
        struct green__static_file file;
        HANDLE h;

        if (name == NULL)
                return -ENOMEM;
        if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, name, ROOM) == 0) {
                green_free(name);
                return -EINVAL;
        }
        h = open_name(name);
        green_free(name);
        if (h == INVALID_HANDLE_VALUE)
                return code_of(GetLastError());
        if (!look(h, &file) || !file.folder) {
                (void)CloseHandle(h);
                return -ENOTDIR;
        }
        *ret_root = (green_fd)h;
        return 0;
}

void
green__static_close(green_fd fd)
{
        (void)CloseHandle((HANDLE)fd);
}

ssize_t
green__static_read(green_fd fd, void *buf, size_t len, int64_t offset)
{
        OVERLAPPED at = {.Offset = (DWORD)(uint64_t)offset, .OffsetHigh = (DWORD)((uint64_t)offset >> 32)};
        DWORD n = 0;

        if (!ReadFile((HANDLE)fd, buf, len < 0x40000000 ? (DWORD)len : 0x40000000, &n, &at))
                return GetLastError() == ERROR_HANDLE_EOF ? 0 : code_of(GetLastError());
        return (ssize_t)n;
}

/* The name of a handle, without a backslash at its end; 0: it cannot be had, or is too long. */
static size_t
name_of(HANDLE h, wchar_t *name, size_t room)
{
        DWORD len = GetFinalPathNameByHandleW(h, name, (DWORD)room, FILE_NAME_NORMALIZED);

        if (len == 0 || len >= room)
                return 0;
        if (name[len - 1] == L'\\')
                name[--len] = L'\0';
        return len;
}

struct names {
        wchar_t wanted[ROOM], real[ROOM];
};

/* The root's name with the path behind: its length, or a code. */
static int
put_together(struct names *n, green_fd root, const char *path, size_t *ret_root_len)
{
        size_t len = name_of((HANDLE)root, n->wanted, ROOM - 1);
        int more;

        if (len == 0)
                return -EIO;
        *ret_root_len = len;
        if (*path == '\0')
                return (int)len;
        n->wanted[len] = L'\\';
        more = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, n->wanted + len + 1, (int)(ROOM - len - 1));
        if (more == 0)
                return -ENOENT;
        for (wchar_t *at = n->wanted + len + 1; *at != L'\0'; at++) {
                if (*at == L'/')
                        *at = L'\\';
                else if (*at < 0x20 || wcschr(L":*?\"<>|", *at) != NULL)
                        return -ENOENT;
        }
        return (int)len + more;
}

/* With links, anything in the root will do; otherwise it is the very name that was asked for, but for its case. */
static bool
is_inside(struct names *n, HANDLE h, size_t root_len, bool links)
{
        size_t len = name_of(h, n->real, ROOM);

        if (len == 0)
                return false;
        if (!links)
                return len == wcslen(n->wanted) && _wcsicmp(n->real, n->wanted) == 0;
        return len >= root_len && _wcsnicmp(n->real, n->wanted, root_len) == 0 &&
               (len == root_len || n->real[root_len] == L'\\');
}

int
green__static_open(green_fd root, const char *path, bool links, struct green__static_file *ret_file)
{
        struct names *n = green_malloc(sizeof(*n));
        size_t root_len = 0;
        HANDLE h;
        int rc;

        if (n == NULL)
                return -ENOMEM;
        rc = put_together(n, root, path, &root_len);
        if (rc >= 0) {
                h = open_name(n->wanted);
                rc = h == INVALID_HANDLE_VALUE ? code_of(GetLastError()) : 0;
                if (rc == 0 && (!is_inside(n, h, root_len, links) || !look(h, ret_file))) {
                        (void)CloseHandle(h);
                        rc = -ENOENT;
                }
        }
        green_free(n);
        return rc;
}

/* ---- what is in a folder */

static void
entry_of(const WIN32_FIND_DATAW *data, const char *name, struct green__static_entry *e)
{
        uint64_t time = (uint64_t)data->ftLastWriteTime.dwHighDateTime << 32 | data->ftLastWriteTime.dwLowDateTime;

        *e = (struct green__static_entry){
                .name = name,
                .size = (uint64_t)data->nFileSizeHigh << 32 | data->nFileSizeLow,
                .mtime = (int64_t)(time / 10000000) - EPOCH,
                .folder = (data->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0,
                .link = (data->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0,
        };
}

static int
each(const wchar_t *pattern, int (*fn)(void *arg, const struct green__static_entry *e), void *arg)
{
        WIN32_FIND_DATAW data;
        HANDLE h = FindFirstFileW(pattern, &data);
        int rc = 0;

        if (h == INVALID_HANDLE_VALUE)
                return GetLastError() == ERROR_FILE_NOT_FOUND ? 0 : code_of(GetLastError());
        do {
                char name[3 * MAX_PATH + 1];
                struct green__static_entry e;

                if (WideCharToMultiByte(CP_UTF8, 0, data.cFileName, -1, name, sizeof(name), NULL, NULL) == 0 ||
                    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                        continue;
                entry_of(&data, name, &e);
                rc = fn(arg, &e);
        } while (rc == 0 && FindNextFileW(h, &data));
        (void)FindClose(h);
        return rc;
}

int
green__static_each(const struct green__static_file *folder, int (*fn)(void *arg, const struct green__static_entry *e),
                   void *arg)
{
        wchar_t *name = green_malloc(ROOM * sizeof(wchar_t));
        size_t len = name == NULL ? 0 : name_of((HANDLE)folder->fd, name, ROOM - 2);
        int rc = name == NULL ? -ENOMEM : -EIO;

        if (len > 0) {
                memcpy(name + len, L"\\*", 3 * sizeof(wchar_t));
                rc = each(name, fn, arg);
        }
        green_free(name);
        (void)CloseHandle((HANDLE)folder->fd);
        return rc;
}
