/*
 * Opening what lies in a folder, and nothing else: POSIX. See static_priv.h.
 *
 * Linux does it in one call. Elsewhere, and where a link does not say its way from where it lies, each segment is opened
 * from the one before, without following links; a link that may be followed is put in place of its name. Its way may lead
 * out of the root, if it comes back: folders are passed there, and nothing is opened that could be served. Whatever is
 * changed meanwhile, what is served was opened segment by segment from a descriptor of the root on, and never by "..".
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
        /* Again where something was renamed meanwhile, anywhere; but one that another process has a lease on stays so. */
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

/* A folder on the way is passed, which needs no right to read it. */
#if defined(O_PATH)
#define PASS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#elif defined(O_SEARCH)
#define PASS (O_SEARCH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#else
#define PASS (FLAGS | O_DIRECTORY | O_NOFOLLOW)
#endif

struct walk {
        int root, at;   /* at: the folder that was come to; may be the root's own descriptor */
        bool inside;    /* it is the root, or was come to from there by what is done */
        unsigned links; /* that were followed */
        size_t done_len;
        char done[PATH_ROOM]; /* folders that are passed in the root, none of them a link */
        char todo[PATH_ROOM]; /* what is left */
        char link[PATH_ROOM];
};

static void
move_to(struct walk *w, int fd)
{
        if (w->at != w->root)
                (void)close(w->at);
        w->at = fd;
}

/* What is left is this, and then the rest, which lies in todo. */
static int
put_before(struct walk *w, const char *text, size_t len, const char *rest)
{
        size_t rest_len = strlen(rest);

        if (len + rest_len + 2 > PATH_ROOM)
                return -ENAMETOOLONG;
        memmove(w->todo + len + 1, rest, rest_len + 1);
        memcpy(w->todo, text, len);
        w->todo[len] = '/';
        return 0;
}

/* A folder was opened, or not, that lies anywhere. It is inside only if it is the root. */
static int
come_to(struct walk *w, int fd)
{
        struct stat here, root;

        if (fd < 0)
                return fd;
        if (fstat(fd, &here) != 0 || fstat(w->root, &root) != 0) {
                int rc = -errno;

                (void)close(fd);
                return rc;
        }
        w->done_len = 0;
        w->inside = here.st_dev == root.st_dev && here.st_ino == root.st_ino;
        if (w->inside)
                (void)close(fd);
        move_to(w, w->inside ? w->root : fd);
        return 0;
}

/* A folder was opened in the root. */
static int
enter(struct walk *w, int fd, const char *name, size_t len)
{
        move_to(w, fd);
        if (w->done_len + len + 2 > PATH_ROOM)
                return -ENAMETOOLONG;
        if (w->done_len > 0)
                w->done[w->done_len++] = '/';
        memcpy(w->done + w->done_len, name, len);
        w->done_len += len;
        return 0;
}

/* "..". In the root it is walked to from there: the folder may lie somewhere else by now. */
static int
leave(struct walk *w, const char *rest)
{
        size_t len = w->done_len;
        int rc;

        if (!w->inside || len == 0) {
                rc = put_before(w, "", 0, rest);
                return rc != 0 ? rc : come_to(w, open_at(w->at, "..", PASS));
        }
        while (len > 0 && w->done[len - 1] != '/')
                len--;
        rc = put_before(w, w->done, len, rest);
        w->done_len = 0;
        move_to(w, w->root);
        return rc;
}

/* Follow the link `name`. */
static int
follow(struct walk *w, const char *name, const char *rest)
{
        ssize_t n = readlinkat(w->at, name, w->link, sizeof(w->link));
        int rc;

        if (n < 0)
                return errno == EINVAL ? -ENOTDIR : -errno;
        if (++w->links > LINKS_MAX)
                return -ELOOP;
        if ((size_t)n == sizeof(w->link))
                return -ENAMETOOLONG;
        if (n == 0)
                return -ENOENT;
        rc = put_before(w, w->link, (size_t)n, rest);
        return rc != 0 || w->link[0] != '/' ? rc : come_to(w, open_at(AT_FDCWD, "/", PASS));
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
        const char *at = w->todo;

        for (;;) {
                size_t len;
                bool last;
                int fd, rc;

                at += strspn(at, "/");
                len = strcspn(at, "/");
                last = at[len + strspn(at + len, "/")] == '\0';
                if (len == 0)
                        return w->inside ? open_at(w->at, ".", FLAGS) : -EXDEV;
                if (len > NAME_MAX)
                        return -ENAMETOOLONG;
                memcpy(name, at, len);
                name[len] = '\0';
                at += len;
                if (strcmp(name, ".") == 0)
                        continue;
                if (strcmp(name, "..") == 0) {
                        rc = leave(w, at);
                        if (rc != 0)
                                return rc;
                        at = w->todo;
                        continue;
                }
                fd = open_at(w->at, name, w->inside && last ? FLAGS | O_NOFOLLOW : PASS);
                if (is_link(fd)) {
                        rc = links ? follow(w, name, at) : fd;
                        if (rc != 0)
                                return rc;
                        at = w->todo;
                        continue;
                }
                if (w->inside && (fd < 0 || last))
                        return fd;
                rc = w->inside ? enter(w, fd, name, len) : come_to(w, fd);
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
        w->inside = true;
        w->links = 0;
        w->done_len = 0;
        if (len < PATH_ROOM) {
                memcpy(w->todo, path, len + 1);
                fd = step_by_step(w, links);
        }
        /* What there is outside, and who may see it, is not told. */
        if (!w->inside && (fd == -EACCES || fd == -EPERM || fd == -EIO))
                fd = -EXDEV;
        move_to(w, root);
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

        /* A link goes out of the root, or is absolute: it may lead back. Or ".." of a link and renames crossed too often. */
        if (fd == -ENOSYS || (links && (fd == -EXDEV || fd == -EAGAIN)))
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
