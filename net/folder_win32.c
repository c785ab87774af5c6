/*
 * Folders on Windows. See file_sys.h.
 */
#include "file_win32.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <green/alloc.h>

#include "error_win32.h"
#include "wide_win32.h"

/* Bytes of a name as UTF-8. */
#define NAME_SIZE (3 * MAX_PATH + 1)

/* ---- to have them on the disk: the system does that with what is written into them */

int
green__sys_folder_open(const char *path, green_fd *ret_fd)
{
        wchar_t name[GREEN__WIDE_SIZE];
        int rc = green__wide_name(path, name);
        HANDLE folder;

        if (rc != 0)
                return rc;
        folder = CreateFileW(name, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                             OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
        if (folder == INVALID_HANDLE_VALUE)
                return green__win32_code(GetLastError());
        *ret_fd = (green_fd)folder;
        return 0;
}

int
green__sys_folder_sync(green_fd fd)
{
        (void)fd;
        return 0;
}

/* ---- reading */

/* What was found: entries whose names are offsets, one behind the other, until all are there. */
struct found {
        struct green__folder_entry *entries;
        size_t n, cap;
        char *names;
        size_t len, room;
};

static bool
is_link(const WIN32_FIND_DATAW *data)
{
        return (data->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
               (data->dwReserved0 == IO_REPARSE_TAG_SYMLINK || data->dwReserved0 == IO_REPARSE_TAG_MOUNT_POINT);
}

static void
describe(const WIN32_FIND_DATAW *data, struct green__folder_entry *e)
{
        memset(&e->stat, 0, sizeof e->stat);
        e->stat.st_nlink = 1;
        e->stat.st_mode = green__file_mode(data->dwFileAttributes, is_link(data));
        green__file_times((FILETIME[]){data->ftCreationTime, data->ftLastAccessTime, data->ftLastWriteTime}, &e->stat);
        e->code = green__file_size((uint64_t)data->nFileSizeHigh << 32 | data->nFileSizeLow, &e->stat);
}

static int
grow(void **at, size_t *cap, size_t need, size_t size)
{
        size_t more = *cap * 2 > need ? *cap * 2 : need + 64;
        void *grown;

        if (need <= *cap)
                return 0;
        grown = green_realloc(*at, more * size);
        if (grown == NULL)
                return -ENOMEM;
        *at = grown;
        *cap = more;
        return 0;
}

static int
add(struct found *f, const WIN32_FIND_DATAW *data)
{
        char name[NAME_SIZE];
        int len = WideCharToMultiByte(CP_UTF8, 0, data->cFileName, -1, name, sizeof name, NULL, NULL);
        void *entries = f->entries, *names = f->names;
        int rc;

        if (len <= 0)
                return green__win32_code(GetLastError());
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return 0;
        rc = grow(&entries, &f->cap, f->n + 1, sizeof *f->entries);
        f->entries = entries;
        if (rc == 0)
                rc = grow(&names, &f->room, f->len + (size_t)len, 1);
        f->names = names;
        if (rc != 0)
                return rc;
        memcpy(f->names + f->len, name, (size_t)len);
        describe(data, &f->entries[f->n++]);
        f->len += (size_t)len;
        return 0;
}

static int
read_all(HANDLE search, WIN32_FIND_DATAW *data, struct found *f)
{
        int rc;

        do {
                rc = add(f, data);
                if (rc == 0 && !FindNextFileW(search, data))
                        return GetLastError() == ERROR_NO_MORE_FILES ? 0 : green__win32_code(GetLastError());
        } while (rc == 0);
        return rc;
}

static int
by_name(const void *a, const void *b)
{
        const struct green__folder_entry *x = a, *y = b;

        return strcmp(x->name, y->name);
}

/* Is it a folder, and may it be entered? */
static int
check(wchar_t *name, bool follow)
{
        DWORD attributes = GetFileAttributesW(name);

        if (attributes == INVALID_FILE_ATTRIBUTES)
                return green__wide_code(name, GetLastError());
        if (!follow && (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
                return -ELOOP;
        return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? 0 : -ENOTDIR;
}

/* The name that finds all that is in it. */
static int
search_name(const char *path, bool follow, wchar_t name[GREEN__WIDE_SIZE])
{
        int rc = green__wide_name(path, name);
        size_t len;

        if (rc == 0)
                rc = check(name, follow);
        if (rc != 0)
                return rc;
        len = wcslen(name);
        if (len + 3 > GREEN__WIDE_SIZE)
                return -ENAMETOOLONG;
        wmemcpy(name + len, L"\\*", 3);
        return 0;
}

void
green__sys_folder_read(const char *path, bool follow, struct green__folder *ret)
{
        wchar_t name[GREEN__WIDE_SIZE];
        struct found f = {.entries = NULL};
        WIN32_FIND_DATAW data;
        const char *at;
        HANDLE search;

        *ret = (struct green__folder){.code = search_name(path, follow, name)};
        if (ret->code != 0)
                return;
        search = FindFirstFileExW(name, FindExInfoBasic, &data, FindExSearchNameMatch, NULL, 0);
        if (search == INVALID_HANDLE_VALUE) {
                if (GetLastError() != ERROR_FILE_NOT_FOUND)
                        ret->code = green__win32_code(GetLastError());
                return;
        }
        ret->code = read_all(search, &data, &f);
        FindClose(search);
        at = f.names;
        for (size_t i = 0; i < f.n; i++, at += strlen(at) + 1)
                f.entries[i].name = at;
        if (f.n > 0)
                qsort(f.entries, f.n, sizeof *f.entries, by_name);
        ret->entries = f.entries;
        ret->n = f.n;
        ret->names = f.names;
}

void
green__sys_folder_free(struct green__folder *folder)
{
        green_free(folder->entries);
        green_free(folder->names);
        *folder = (struct green__folder){.entries = NULL};
}
