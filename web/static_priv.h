/*
 * The inside of the static files.
 *
 *      static.c             a folder: its options, paths, and what is done with a request
 *      static_answer.c      a file: conditions, ranges, its bytes
 *      static_list.c        a folder as a page
 *      static_open_*.c      opening what lies in the folder, and nothing else
 */
#ifndef GREEN_STATIC_PRIV_H
#define GREEN_STATIC_PRIV_H

#include <green/static.h>

struct green_static {
        green_fd root;
        char *index;       /* "": none */
        bool list, symlinks, hidden, precompressed;
        char *cache;       /* Cache-Control; NULL: none is said */
        struct green_wsgi_pair *types; /* with their texts behind them; NULL: none */
        char *default_type; /* NULL: the usual one */
        green_wsgi_app not_found;
        void *not_found_arg;
};

/* A file, or a folder, that is open. */
struct green__static_file {
        green_fd fd;
        uint64_t size;
        int64_t mtime;      /* seconds since 1970 */
        uint32_t mtime_ns;
        bool folder;
};

/* One that is in a folder. */
struct green__static_entry {
        const char *name;
        uint64_t size;
        int64_t mtime;
        bool folder, link; /* of a link nothing else is known */
};

/* What a file is sent as. */
struct green__static_as {
        const char *type;
        const char *coding; /* it lies there compressed so; NULL: it does not */
        bool varies;        /* it might */
};

/* ---- static_open_*.c. The OS thread waits for the file system. Codes are -errno. */

/* The system cannot open a path beneath a folder in one call. Set by the first that finds it so, or by a test. */
extern bool green__static_stepwise;

int green__static_root(const char *path, green_fd *ret_root);

/*
 * Open what is below the root: path is relative, "" the root itself, without empty segments, "." and "..". Nothing is
 * opened but regular files and folders: -ENOENT for others. links: symbolic ones are followed, within the root.
 */
int green__static_open(green_fd root, const char *path, bool links, struct green__static_file *ret_file);
void green__static_close(green_fd fd);
ssize_t green__static_read(green_fd fd, void *buf, size_t len, int64_t offset);

/* Go through a folder, in any order; it is closed. Ends with what fn returns that is not 0. */
int green__static_each(const struct green__static_file *folder, int (*fn)(void *arg, const struct green__static_entry *e),
                       void *arg);

/* ---- static.c */

/* Is a name one that is not shown? */
bool green__static_hidden(const struct green_static *files, const char *name, bool first);

/* ---- the others */

int green__static_answer(green_wsgi_request *req, const struct green_static *files, const struct green__static_file *file,
                         const struct green__static_as *as);
/* The folder is closed. */
int green__static_page(green_wsgi_request *req, const struct green_static *files, const struct green__static_file *folder,
                       const char *path);

#endif
