/*
 * Folders on POSIX. See file_sys.h.
 */
#include "file_sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <green/alloc.h>

/* ---- to have them on the disk */

static int
open_folder(const char *path, int flags)
{
        int fd;

        do
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
        while (fd < 0 && errno == EINTR);
        return fd < 0 ? -errno : fd;
}

int
green__sys_folder_open(const char *path, green_fd *ret_fd)
{
        int fd = open_folder(path, 0);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

int
green__sys_folder_sync(green_fd fd)
{
        int rc = green__sys_file_sync(fd, false);

        return rc == -EINVAL || rc == -ENOTSUP || rc == -EROFS ? 0 : rc;
}

/* ---- reading */

/* Names, one behind the other, each with its NUL. */
struct names {
        char *text;
        size_t len, cap, n;
};

static int
add_name(struct names *names, const char *name)
{
        size_t len = strlen(name) + 1;

        if (names->cap - names->len < len) {
                size_t cap = names->cap * 2 + len + 1024;
                char *text = green_realloc(names->text, cap);

                if (text == NULL)
                        return -ENOMEM;
                names->text = text;
                names->cap = cap;
        }
        memcpy(names->text + names->len, name, len);
        names->len += len;
        names->n++;
        return 0;
}

static int
read_names(DIR *dir, struct names *names)
{
        const struct dirent *e;
        int rc = 0;

        while (rc == 0) {
                errno = 0;
                e = readdir(dir);
                if (e == NULL)
                        return -errno;
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        rc = add_name(names, e->d_name);
        }
        return rc;
}

static int
by_name(const void *a, const void *b)
{
        const struct green__folder_entry *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static void
look(int fd, struct green__folder_entry *e)
{
        if (fstatat(fd, e->name, &e->stat, AT_SYMLINK_NOFOLLOW) == 0)
                return;
        e->code = -errno;
        memset(&e->stat, 0, sizeof e->stat);
}

static int
fill(DIR *dir, const struct names *names, struct green__folder *folder)
{
        const char *name = names->text;

        if (names->n == 0)
                return 0;
        folder->entries = green_calloc(names->n, sizeof *folder->entries);
        if (folder->entries == NULL)
                return -ENOMEM;
        folder->n = names->n;
        for (size_t i = 0; i < folder->n; i++, name += strlen(name) + 1)
                folder->entries[i].name = name;
        qsort(folder->entries, folder->n, sizeof *folder->entries, by_name);
        for (size_t i = 0; i < folder->n; i++)
                look(dirfd(dir), &folder->entries[i]);
        return 0;
}

void
green__sys_folder_read(const char *path, bool follow, struct green__folder *ret)
{
        int fd = open_folder(path, follow ? 0 : O_NOFOLLOW), rc;
        struct names names = {.text = NULL};
        struct stat st;
        DIR *dir;

        *ret = (struct green__folder){.code = fd < 0 ? fd : 0};
        if (fd < 0)
                return;
        dir = fstat(fd, &st) == 0 ? fdopendir(fd) : NULL;
        if (dir == NULL) {
                ret->code = -errno;
                (void)close(fd);
                return;
        }
        ret->device = st.st_dev;
        ret->code = read_names(dir, &names);
        ret->names = names.text;
        rc = fill(dir, &names, ret);
        if (rc != 0)
                ret->code = rc;
        (void)closedir(dir);
}

void
green__sys_folder_free(struct green__folder *folder)
{
        green_free(folder->entries);
        green_free(folder->names);
        *folder = (struct green__folder){.entries = NULL};
}
