/*
 * Opening what lies in a folder, and nothing else: Windows. See static_priv.h.
 *
 * The path is opened below the root's own handle, as a name of the kernel's: it knows no devices, drives, ".." and blanks at
 * the end. Then the system is asked where the handle has led to. Only what it says in so many words is served.
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <wchar.h>

#include <winsock2.h>

#include <windows.h>
#include <winternl.h>

#include <green/alloc.h>

#include "static_priv.h"

enum { ROOM = 4096 }; /* characters of a path */

/* Whoever has a file open too may do with it what he wants. */
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* Of <ntdef.h> and <ntstatus.h>, which <windows.h> does not go with. */
#define DONT_REPARSE 0x1000
#define INVALID_PARAMETER ((NTSTATUS)0xC000000DL)
#define DELETE_PENDING ((NTSTATUS)0xC0000056L)
#define REPARSE_POINT_ENCOUNTERED ((NTSTATUS)0xC000050BL)

/* Seconds between 1601 and 1970. */
#define EPOCH 11644473600

static int
code_of(DWORD error)
{
        switch (error) {
        case ERROR_ACCESS_DENIED:
                return -EACCES;
        case ERROR_SHARING_VIOLATION: /* somebody has it open, and lets nobody read it meanwhile */
        case ERROR_LOCK_VIOLATION:
                return -EAGAIN;
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
        /* A link that leads nowhere, or may not be followed. */
        case ERROR_BAD_NETPATH:
        case ERROR_BAD_NET_NAME:
        case ERROR_CANT_RESOLVE_FILENAME:
        case ERROR_SYMLINK_CLASS_DISABLED:
                return -ENOENT;
        default:
                return -EIO;
        }
}

static HANDLE
open_name(const wchar_t *name)
{
        return CreateFileW(name, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
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
        wchar_t path[ROOM]; /* what is wanted, below the root */
        wchar_t root[ROOM], real[ROOM];
};

/* The length of the path, or a code. What no name has in it is refused: ':' goes before the name of another stream. */
static int
take_path(struct names *n, const char *path)
{
        int len = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, n->path, ROOM);

        if (len == 0)
                return -ENOENT;
        for (wchar_t *at = n->path; *at != L'\0'; at++) {
                if (*at == L'/')
                        *at = L'\\';
                else if (*at < 0x20 || wcschr(L":*?\"<>|\\", *at) != NULL)
                        return -ENOENT;
        }
        return len - 1;
}

/* Open the first len characters of the path below the root. */
static NTSTATUS
open_below(struct names *n, size_t len, green_fd root, ULONG attributes, ULONG options, HANDLE *ret)
{
        const USHORT bytes = (USHORT)(len * sizeof(wchar_t));
        UNICODE_STRING name = {.Length = bytes, .MaximumLength = bytes, .Buffer = n->path};
        OBJECT_ATTRIBUTES object = {.Length = sizeof(object),
                                    .RootDirectory = (HANDLE)root,
                                    .ObjectName = &name,
                                    .Attributes = OBJ_CASE_INSENSITIVE | attributes};
        IO_STATUS_BLOCK unused;

        return NtCreateFile(ret, GENERIC_READ | SYNCHRONIZE, &object, &unused, NULL, 0, SHARE_ALL, FILE_OPEN,
                            FILE_SYNCHRONOUS_IO_NONALERT | options, NULL, 0);
}

static int
open_path(struct names *n, size_t len, green_fd root, bool links, HANDLE *ret)
{
        NTSTATUS status = open_below(n, len, root, links ? 0 : DONT_REPARSE, 0, ret);

        /* Before Windows 10 links are always followed: where to, is looked at. */
        if (status == INVALID_PARAMETER && !links)
                status = open_below(n, len, root, 0, 0, ret);
        if (NT_SUCCESS(status))
                return 0;
        if (status == REPARSE_POINT_ENCOUNTERED || status == DELETE_PENDING)
                return -ENOENT;
        return code_of(RtlNtStatusToDosError(status));
}

/*
 * Does each name of the path stand in its folder, but for its case? Short names ("GIT~1") do not, by which one that is not
 * shown could be had. Of a link its own name counts.
 */
static bool
has_these_names(struct names *n, green_fd root)
{
        for (size_t begin = 0, end;; begin = end + 1) {
                const wchar_t *last;
                bool found;
                HANDLE h;

                end = begin + wcscspn(n->path + begin, L"\\");
                if (!NT_SUCCESS(open_below(n, end, root, 0, FILE_OPEN_REPARSE_POINT, &h)))
                        return false;
                found = name_of(h, n->real, ROOM) > 0;
                (void)CloseHandle(h);
                last = found ? wcsrchr(n->real, L'\\') : NULL;
                if (last == NULL || wcslen(last + 1) != end - begin ||
                    _wcsnicmp(last + 1, n->path + begin, end - begin) != 0)
                        return false;
                if (n->path[end] == L'\0')
                        return true;
        }
}

/* Is it what was asked for? With links, where the path has led elsewhere, anything in the root will do. */
static bool
is_inside(struct names *n, HANDLE h, green_fd root, bool links)
{
        size_t len = name_of((HANDLE)root, n->root, ROOM);
        const wchar_t *below = n->real + len;

        if (len == 0 || name_of(h, n->real, ROOM) < len || _wcsnicmp(n->real, n->root, len) != 0 ||
            (*below != L'\0' && *below != L'\\'))
                return false;
        if (_wcsicmp(*below == L'\0' ? below : below + 1, n->path) == 0)
                return true;
        return links && has_these_names(n, root);
}

int
green__static_open(green_fd root, const char *path, bool links, struct green__static_file *ret_file)
{
        struct names *n = green_malloc(sizeof(*n));
        HANDLE h;
        int rc;

        if (n == NULL)
                return -ENOMEM;
        rc = take_path(n, path);
        if (rc >= 0)
                rc = open_path(n, (size_t)rc, root, links, &h);
        if (rc == 0 && (!is_inside(n, h, root, links) || !look(h, ret_file))) {
                (void)CloseHandle(h);
                rc = -ENOENT;
        }
        green_free(n);
        return rc;
}

/* ---- what is in a folder */

enum { FOUND_SIZE = 16384 }; /* bytes of entries that are asked for at once */

/* One whose name is not Unicode could not be asked for: it is passed over. */
static bool
entry_of(const FILE_ID_BOTH_DIR_INFO *found, char name[3 * MAX_PATH], struct green__static_entry *e)
{
        const uint64_t time = (uint64_t)found->LastWriteTime.QuadPart;
        int len = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, found->FileName,
                                      (int)(found->FileNameLength / sizeof(wchar_t)), name, 3 * MAX_PATH - 1, NULL, NULL);

        if (len <= 0)
                return false;
        name[len] = '\0';
        *e = (struct green__static_entry){
                .name = name,
                .size = (uint64_t)found->EndOfFile.QuadPart,
                .mtime = (int64_t)(time / 10000000) - EPOCH,
                .folder = (found->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0,
                /* Of what stands for a file elsewhere the kind is where otherwise a size is. */
                .link = (found->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
                        IsReparseTagNameSurrogate(found->EaSize),
        };
        return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int
each(const char *found, int (*fn)(void *arg, const struct green__static_entry *e), void *arg)
{
        const FILE_ID_BOTH_DIR_INFO *one;
        int rc = 0;

        do {
                char name[3 * MAX_PATH];
                struct green__static_entry e;

                one = (const FILE_ID_BOTH_DIR_INFO *)(const void *)found;
                if (entry_of(one, name, &e))
                        rc = fn(arg, &e);
                found += one->NextEntryOffset;
        } while (rc == 0 && one->NextEntryOffset != 0);
        return rc;
}

int
green__static_each(const struct green__static_file *folder, int (*fn)(void *arg, const struct green__static_entry *e),
                   void *arg)
{
        char *found = green_malloc(FOUND_SIZE);
        int rc = found == NULL ? -ENOMEM : 0;

        while (rc == 0) {
                if (!GetFileInformationByHandleEx((HANDLE)folder->fd, FileIdBothDirectoryInfo, found, FOUND_SIZE)) {
                        rc = GetLastError() == ERROR_NO_MORE_FILES ? 0 : code_of(GetLastError());
                        break;
                }
                rc = each(found, fn, arg);
        }
        green_free(found);
        (void)CloseHandle((HANDLE)folder->fd);
        return rc;
}
