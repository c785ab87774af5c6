/*
 * Whole files, and temporary ones. See <green/file.h>. Each call is one job of the pool.
 */
#include "file_priv.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "sock_sys.h"

/* ---- reading */

struct read_all {
        const char *path;
        size_t limit;
        char *data;
        size_t len, cap;
};

static int
make_room(struct read_all *r, size_t more)
{
        size_t cap = r->cap + more;
        char *data;

        /* One byte more for the NUL. */
        if (cap > r->limit + 1)
                cap = r->limit + 1;
        data = green_realloc(r->data, cap);
        if (data == NULL)
                return -ENOMEM;
        r->data = data;
        r->cap = cap;
        return 0;
}

/* Where all that was expected is there, one more byte says whether it is the end. 1: it is. */
static int
is_end(green_fd fd, struct read_all *r)
{
        char byte;
        ssize_t n = green__sys_file_read(fd, &byte, 1, (int64_t)r->len);
        int rc;

        if (n <= 0)
                return n < 0 ? (int)n : 1;
        if (r->len == r->limit)
                return -EMSGSIZE;
        rc = make_room(r, r->cap < 4096 ? 4096 : r->cap);
        if (rc == 0)
                r->data[r->len++] = byte;
        return rc;
}

static int
read_opened(green_fd fd, struct read_all *r)
{
        struct stat st;
        int rc = green__sys_file_stat(fd, &st);

        if (rc != 0)
                return rc;
        if (st.st_size > 0 && (uint64_t)st.st_size > r->limit)
                return -EMSGSIZE;
        rc = make_room(r, (st.st_size > 0 ? (size_t)st.st_size : 0) + 1);
        while (rc == 0) {
                size_t room = r->cap - 1 - r->len;
                ssize_t n = room == 0 ? 1 : green__sys_file_read(fd, r->data + r->len, room, (int64_t)r->len);

                if (room == 0)
                        rc = is_end(fd, r);
                else if (n > 0)
                        r->len += (size_t)n;
                else
                        rc = n == 0 ? 1 : (int)n;
        }
        return rc == 1 ? 0 : rc;
}

static int64_t
read_all_job(void *arg)
{
        struct read_all *r = arg;
        struct green__file_facts facts;
        int rc = green__sys_file_open(r->path, O_RDONLY, 0, &facts);

        if (rc != 0)
                return rc;
        rc = read_opened(facts.fd, r);
        (void)green__sys_close(facts.fd);
        return rc;
}

int
green_file_read_all(const char *path, size_t limit, char **ret_data, size_t *ret_len)
{
        struct read_all r = {.path = path, .limit = limit < SSIZE_MAX - 1 ? limit : SSIZE_MAX - 1};
        int rc;

        if (path == NULL || ret_data == NULL || ret_len == NULL)
                return -EINVAL;
        if (green_get_hub() == NULL)
                return -errno;
        rc = (int)green__file_hop(read_all_job, &r);
        if (rc != 0) {
                green_free(r.data);
                return rc;
        }
        r.data[r.len] = '\0';
        *ret_data = r.data;
        *ret_len = r.len;
        return 0;
}

/* ---- writing */

struct write_all {
        const char *path, *folder;
        char *temporary;
        const void *data;
        size_t len;
        mode_t mode;
        bool sync;
};

static int
fill_temporary(const struct write_all *w, green_fd fd)
{
        struct green_iovec iov = {(void *)(uintptr_t)w->data, w->len};
        size_t done;
        int rc = green__file_write_now(fd, &iov, w->len > 0, 0, &done), closed;

        if (rc == 0 && w->sync)
                rc = green__sys_file_sync(fd, false);
        /* Some file systems tell only now that there was no room. */
        closed = green__sys_close(fd);
        return rc != 0 ? rc : closed;
}

static int
write_and_rename(const struct write_all *w)
{
        struct green__file_facts facts;
        int rc = green__sys_file_unique(w->temporary, O_WRONLY, w->mode, &facts);

        if (rc != 0)
                return rc;
        rc = fill_temporary(w, facts.fd);
        if (rc == 0)
                rc = green__sys_file_rename(w->temporary, w->path);
        if (rc != 0)
                green__sys_file_remove(w->temporary);
        return rc;
}

static int64_t
write_all_job(void *arg)
{
        const struct write_all *w = arg;
        green_fd folder = GREEN_INVALID_FD;
        int rc = 0;

        /* Before anything is done: if it cannot be opened nothing has changed. */
        if (w->sync)
                rc = green__sys_folder_open(w->folder, &folder);
        if (rc == 0)
                rc = write_and_rename(w);
        if (rc == 0 && w->sync)
                rc = green__sys_folder_sync(folder);
        if (folder != GREEN_INVALID_FD)
                (void)green__sys_close(folder);
        return rc;
}

int
green_file_write_all(const char *path, const void *data, size_t len, mode_t mode, bool sync)
{
        struct write_all w = {.path = path, .data = data, .len = len, .mode = mode, .sync = sync};
        size_t at, size;
        char *texts;
        int rc;

        if (path == NULL || (data == NULL && len > 0) || len > SSIZE_MAX)
                return -EINVAL;
        if (green_get_hub() == NULL)
                return -errno;
        rc = green_checkpoint();
        if (rc != 0)
                return rc;
        at = green__sys_folder_len(path);
        if (path[at] == '\0')
                return *path == '\0' ? -ENOENT : -EISDIR;
        size = 2 * at + sizeof "." + sizeof GREEN__FILE_UNIQUE;
        texts = green_malloc(size);
        if (texts == NULL)
                return green_set_error(-ENOMEM, NULL);
        snprintf(texts, size, "%.*s", at == 0 ? 1 : (int)at, at == 0 ? "." : path);
        w.folder = texts;
        w.temporary = texts + strlen(texts) + 1;
        snprintf(w.temporary, size - strlen(texts) - 1, "%.*s" GREEN__FILE_UNIQUE, (int)at, path);
        rc = (int)green__file_hop(write_all_job, &w);
        green_free(texts);
        return rc;
}

/* ---- temporary files */

struct temporary {
        const char *folder;
        char *path; /* NULL: without a name */
        struct green__file_facts facts;
};

static int64_t
temporary_job(void *arg)
{
        struct temporary *t = arg;

        if (t->path == NULL)
                return green__sys_file_temporary(t->folder, &t->facts);
        return green__sys_file_unique(t->path, O_RDWR, 0600, &t->facts);
}

static green_file *
make_temporary(struct temporary *t)
{
        green_file *f = green__file_alloc();
        int rc, error;

        if (f == NULL)
                return NULL;
        rc = (int)green__file_hop(temporary_job, t);
        f = green__file_made(f, rc, &t->facts, t->folder);
        /* It was there already, and nobody has its name. */
        if (f == NULL && rc == 0 && t->path != NULL) {
                error = errno;
                green__sys_file_remove(t->path);
                errno = error;
        }
        return f;
}

green_file *
green_file_temporary(const char *folder)
{
        struct temporary t = {.folder = folder != NULL ? folder : green__sys_file_tmp()};

        return make_temporary(&t);
}

green_file *
green_file_temporary_named(const char *folder, char **ret_path)
{
        struct temporary t = {.folder = folder != NULL ? folder : green__sys_file_tmp()};
        size_t len = strlen(t.folder) + sizeof "/" GREEN__FILE_UNIQUE;
        green_file *f;

        if (ret_path == NULL) {
                green_set_error(-EINVAL, "green_file_temporary_named: nowhere to put the path");
                return NULL;
        }
        if (green_get_hub() == NULL)
                return NULL;
        t.path = green_malloc(len);
        if (t.path == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        snprintf(t.path, len, "%s/" GREEN__FILE_UNIQUE, t.folder);
        f = make_temporary(&t);
        if (f == NULL)
                green_free(t.path);
        else
                *ret_path = t.path;
        return f;
}
