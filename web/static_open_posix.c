/*
 * Opening what lies in a folder, and nothing else: POSIX. See static_priv.h.
 *
 * Linux does it in one call. Elsewhere each segment is opened from the one before, without following links; a link that
 * may be followed is put in place of its name, and the walk begins anew at the root. Whatever is changed meanwhile, a
 * descriptor of the root is where each step begins.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <green/alloc.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "static_priv.h"

#if defined(__APPLE__)
#define MTIME_NS(st) ((st).st_mtimespec.tv_nsec)
#else
#define MTIME_NS(st) ((st).st_mtim.tv_nsec)
#endif

/* Neither a pipe nor a terminal is to be waited for, or to become ours. */
#define FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

enum { LINKS_MAX = 40, PATH_ROOM = 4096 };

static int
open_at(int folder, const char *name, int flags)
{
        int fd;

        do
                fd = openat(folder, name, flags);
        while (fd < 0 && errno == EINTR);
        return fd < 0 ? -errno : fd;
}

int
green__static_root(const char *path, green_fd *ret_root)
{
        int fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return fd;
        *ret_root = fd;
        return 0;
}

void
green__static_close(green_fd fd)
{
        (void)close(fd);
}

ssize_t
green__static_read(green_fd fd, void *buf, size_t len, int64_t offset)
{
        ssize_t n;

        do
                n = pread(fd, buf, len, (off_t)offset);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

/* ---- in one call */

bool green__static_stepwise; /* may be set by several OS threads, to the same */

#if defined(__linux__) && defined(SYS_openat2)
/* As <linux/openat2.h> has it. */
struct how {
        uint64_t flags, mode, resolve;
};

enum { NO_MAGICLINKS = 0x02, NO_SYMLINKS = 0x04, BENEATH = 0x08 };

enum { AGAIN_MAX = 8 };

static int
open_beneath(int root, const char *path, bool links)
{
        struct how how = {FLAGS, 0, BENEATH | NO_MAGICLINKS | (links ? 0 : NO_SYMLINKS)};
        long fd;
        int tries = 0;

        if (__atomic_load_n(&green__static_stepwise, __ATOMIC_RELAXED))
                return -ENOSYS;
        do
                fd = syscall(SYS_openat2, root, *path == '\0' ? "." : path, &how, sizeof(how));
        /* Again where something was renamed meanwhile; but one that another process has a lease on stays so for long. */
        while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < AGAIN_MAX)));
        if (fd >= 0)
                return (int)fd;
        /* An old kernel, or a filter that does not know it. */
        if (errno == ENOSYS || errno == EPERM)
                __atomic_store_n(&green__static_stepwise, true, __ATOMIC_RELAXED);
        return errno == EPERM ? -ENOSYS : -errno;
}
#else
static int
open_beneath(int root, const char *path, bool links)
{
        (void)root;
        (void)path;
        (void)links;
        return -ENOSYS;
}
#endif

/* ---- step by step */

struct walk {
        int root, at;   /* at: the folder that done is; may be the root's own descriptor */
        unsigned links; /* that were followed */
        size_t done_len;
        char done[PATH_ROOM]; /* folders that are passed, none of them a link */
        char todo[PATH_ROOM]; /* what is left */
        char link[PATH_ROOM];
};

static void
leave(struct walk *w)
{
        if (w->at != w->root)
                (void)close(w->at);
        w->at = w->root;
}

/* Begin anew: with `middle` between what is done, less its last folder if up, and what is left. */
static int
begin_anew(struct walk *w, const char *middle, size_t middle_len, const char *rest, bool up)
{
        size_t rest_len = strlen(rest);
        char *slash;

        leave(w);
        w->done[w->done_len] = '\0';
        if (up && w->done_len == 0)
                return -EXDEV;
        if (up) {
                slash = strrchr(w->done, '/');
                w->done_len = slash == NULL ? 0 : (size_t)(slash - w->done);
        }
        if (w->done_len + middle_len + rest_len + 3 > PATH_ROOM)
                return -ENAMETOOLONG;
        memmove(w->todo + w->done_len + 1 + middle_len + (middle_len > 0), rest, rest_len + 1);
        memcpy(w->todo, w->done, w->done_len);
        w->todo[w->done_len] = '/';
        if (middle_len > 0) {
                memcpy(w->todo + w->done_len + 1, middle, middle_len);
                w->todo[w->done_len + 1 + middle_len] = '/';
        }
        w->done_len = 0;
        return 0;
}

/* Follow the link `name`. */
static int
follow(struct walk *w, const char *name, const char *rest)
{
        ssize_t n = readlinkat(w->at, name, w->link, sizeof(w->link));

        if (n < 0)
                return errno == EINVAL ? -ENOTDIR : -errno;
        if (++w->links > LINKS_MAX)
                return -ELOOP;
        if ((size_t)n == sizeof(w->link))
                return -ENAMETOOLONG;
        return n == 0 ? -ENOENT : w->link[0] == '/' ? -EXDEV : begin_anew(w, w->link, (size_t)n, rest, false);
}

/* A folder was opened on the way. */
static int
enter(struct walk *w, int fd, const char *name, size_t len)
{
        leave(w);
        w->at = fd;
        if (w->done_len + len + 2 > PATH_ROOM)
                return -ENAMETOOLONG;
        if (w->done_len > 0)
                w->done[w->done_len++] = '/';
        memcpy(w->done + w->done_len, name, len);
        w->done_len += len;
        return 0;
}

/* What a link was not opened with: systems have names of their own for it, and that it is no folder comes first. */
static bool
is_link(int code)
{
#if defined(EFTYPE)
        if (code == -EFTYPE)
                return true;
#endif
        return code == -ELOOP || code == -EMLINK || code == -ENOTDIR;
}

/* The descriptor that todo leads to. */
static int
step_by_step(struct walk *w, bool links)
{
        char name[NAME_MAX + 1];
        char *at = w->todo;

        for (;;) {
                size_t len;
                bool last;
                int fd, rc;

                at += strspn(at, "/");
                len = strcspn(at, "/");
                last = at[len + strspn(at + len, "/")] == '\0';
                if (len == 0)
                        return open_at(w->at, ".", FLAGS);
                if (len > NAME_MAX)
                        return -ENAMETOOLONG;
                memcpy(name, at, len);
                name[len] = '\0';
                at += len;
                if (strcmp(name, ".") == 0)
                        continue;
                if (strcmp(name, "..") == 0) {
                        rc = begin_anew(w, "", 0, at, true);
                        if (rc != 0)
                                return rc;
                        at = w->todo;
                        continue;
                }
                fd = open_at(w->at, name, FLAGS | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
                if (is_link(fd)) {
                        rc = links ? follow(w, name, at) : fd;
                        if (rc != 0)
                                return rc;
                        at = w->todo;
                        continue;
                }
                if (fd < 0 || last)
                        return fd;
                rc = enter(w, fd, name, len);
                if (rc != 0)
                        return rc;
        }
}

static int
walk(int root, const char *path, bool links)
{
        struct walk *w = green_malloc(sizeof(*w));
        size_t len = strlen(path);
        int fd = -ENAMETOOLONG;

        if (w == NULL)
                return -ENOMEM;
        w->root = w->at = root;
        w->links = 0;
        w->done_len = 0;
        if (len < PATH_ROOM) {
                memcpy(w->todo, path, len + 1);
                fd = step_by_step(w, links);
        }
        leave(w);
        green_free(w);
        return fd;
}

/* ---- the interface */

int
green__static_open(green_fd root, const char *path, bool links, struct green__static_file *ret_file)
{
        int fd = open_beneath(root, path, links);
        struct stat st;
        int rc;

        if (fd == -ENOSYS)
                fd = walk(root, path, links);
        if (fd < 0)
                return fd;
        rc = fstat(fd, &st) != 0 ? -errno : S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? 0 : -ENOENT;
        if (rc != 0) {
                (void)close(fd);
                return rc;
        }
        *ret_file = (struct green__static_file){
                .fd = fd,
                .size = (uint64_t)st.st_size,
                .mtime = st.st_mtime,
                .mtime_ns = (uint32_t)MTIME_NS(st),
                .folder = S_ISDIR(st.st_mode),
        };
        return 0;
}

/* One that is not a file, a folder or a link, or has gone, is passed over. */
static bool
look(int folder, const char *name, struct green__static_entry *e)
{
        struct stat st;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
                return false;
        *e = (struct green__static_entry){
                .name = name,
                .size = (uint64_t)st.st_size,
                .mtime = st.st_mtime,
                .folder = S_ISDIR(st.st_mode),
                .link = S_ISLNK(st.st_mode),
        };
        return e->folder || e->link || S_ISREG(st.st_mode);
}

int
green__static_each(const struct green__static_file *folder, int (*fn)(void *arg, const struct green__static_entry *e),
                   void *arg)
{
        DIR *dir = fdopendir(folder->fd);
        const struct dirent *found;
        int rc = 0;

        if (dir == NULL) {
                rc = -errno;
                (void)close(folder->fd);
                return rc;
        }
        while (rc == 0) {
                struct green__static_entry e;

                errno = 0;
                found = readdir(dir);
                if (found == NULL) {
                        rc = -errno;
                        break;
                }
                if (look(dirfd(dir), found->d_name, &e))
                        rc = fn(arg, &e);
        }
        (void)closedir(dir);
        return rc;
}
