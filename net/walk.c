/*
 * Walking through folders. See <green/file.h>.
 *
 * A folder is read whole, by one job of the pool, when its turn comes: its names are sorted, and each is looked at.
 * What was read is kept until all of it is told, so there is a level for each folder on the way down, and no descriptor
 * is open between two steps. As links are not followed nothing is met twice; paths end where the system's longest does.
 */
#include "file_priv.h"

#include <green/opts.h>

#include "sock_sys.h"

#define STREAK 64

struct level {
        struct green__folder folder;
        size_t next;     /* of its entries: the one to be told next */
        size_t path_len; /* bytes of the path that are its own */
};

struct green_walk {
        uint64_t hub;
        char *path; /* of the entry told last, or the folder that is entered next */
        size_t path_cap;
        struct level *levels;
        size_t depth, levels_cap;
        struct green_walk_opts opts;
        dev_t device;  /* of the first folder */
        bool entering; /* the folder that the path says is to be read */
        bool told_folder;
        unsigned forks;  /* green__sys_forks when busy was set: in the child of a fork nobody is */
        bool busy;       /* a step is under way */
        bool freed;      /* and the one who makes it releases all */
        unsigned streak; /* steps since the others ran */
        struct green_walk_entry entry;
};

/* ---- life */

static void
discard(green_walk *w)
{
        for (size_t i = 0; i < w->depth; i++)
                green__sys_folder_free(&w->levels[i].folder);
        green_free(w->levels);
        green_free(w->path);
        green_free(w);
}

static green_walk *
no_memory(green_walk *w)
{
        if (w != NULL)
                discard(w);
        green_set_error(-ENOMEM, NULL);
        return NULL;
}

green_walk *
green_walk_new(const char *folder, const struct green_walk_opts *opts)
{
        struct green_walk_opts taken;
        green_walk *w;
        size_t len;

        if (folder == NULL || green_opts_take(&taken, sizeof taken, opts) != 0) {
                green_set_error(-EINVAL, "green_walk_new: no folder, or the options' size is not set");
                return NULL;
        }
        if (opts == NULL)
                taken.max_depth = -1;
        if (green_get_hub() == NULL)
                return NULL;
        w = green_calloc(1, sizeof *w);
        if (w == NULL)
                return no_memory(NULL);
        w->hub = green_hub_ident();
        green__sys_watch_forks();
        w->opts = taken;
        for (len = strlen(folder); len > 1 && folder[len - 1] == '/'; len--)
                ;
        w->path_cap = len + 256;
        w->path = green_malloc(w->path_cap);
        if (w->path == NULL)
                return no_memory(w);
        memcpy(w->path, folder, len);
        w->path[len] = '\0';
        w->entering = true;
        return w;
}

static inline bool
is_busy(const green_walk *w)
{
        return w->busy && w->forks == green__sys_forks;
}

void
green_walk_free(green_walk *w)
{
        if (w == NULL)
                return;
        w->freed = true;
        if (!is_busy(w))
                discard(w);
}

/* ---- a step */

struct read_folder {
        const char *path;
        bool follow;
        struct green__folder folder;
};

static int64_t
read_folder(void *arg)
{
        struct read_folder *r = arg;

        green__sys_folder_read(r->path, r->follow, &r->folder);
        return 0;
}

static int
room_for_level(green_walk *w)
{
        size_t cap = w->levels_cap * 2 + 8;
        struct level *levels;

        if (w->depth < w->levels_cap)
                return 0;
        levels = green_realloc(w->levels, cap * sizeof *levels);
        if (levels == NULL)
                return -ENOMEM;
        w->levels = levels;
        w->levels_cap = cap;
        return 0;
}

/* Read the folder that the path says. 0 whatever came of it; a code: try again at the next step. */
static int
enter(green_walk *w)
{
        struct read_folder r = {.path = w->path, .follow = w->depth == 0};
        int rc = room_for_level(w);

        if (rc == 0)
                rc = (int)green__file_hop(read_folder, &r);
        if (rc == 0 && r.folder.code == -ENOMEM)
                rc = -ENOMEM;
        if (rc != 0) {
                green__sys_folder_free(&r.folder);
                return rc;
        }
        if (w->depth == 0)
                w->device = r.folder.device;
        w->levels[w->depth++] = (struct level){.folder = r.folder, .path_len = strlen(w->path)};
        w->entering = false;
        return 0;
}

static int
set_path(green_walk *w, size_t len, const char *name)
{
        size_t more = strlen(name), slash = w->path[len - 1] == '/' ? 0 : 1;

        if (w->path_cap - len < more + 2) {
                size_t cap = len + more + 2 + 256;
                char *path = green_realloc(w->path, cap);

                if (path == NULL)
                        return -ENOMEM;
                w->path = path;
                w->path_cap = cap;
        }
        w->path[len] = '/';
        memcpy(w->path + len + slash, name, more + 1);
        return (int)(len + slash);
}

static int
tell_next(green_walk *w, struct level *l)
{
        const struct green__folder_entry *e = &l->folder.entries[l->next];
        int depth = (int)w->depth - 1, name_at = set_path(w, l->path_len, e->name);
        bool deeper = w->opts.max_depth < 0 || depth < w->opts.max_depth;

        if (name_at < 0)
                return name_at;
        l->next++;
        w->entry = (struct green_walk_entry){
                .path = w->path, .name = w->path + name_at, .depth = depth, .code = e->code, .stat = e->stat};
        w->told_folder = e->code == 0 && S_ISDIR(e->stat.st_mode);
        w->entering = w->told_folder && deeper && (!w->opts.one_device || e->stat.st_dev == w->device);
        return 1;
}

/* The end of a level: of a folder that could not be read (to its end) it is told why. 1: it is. */
static int
end_level(green_walk *w)
{
        struct level *l = &w->levels[--w->depth];
        int code = l->folder.code;
        const char *slash;

        w->path[l->path_len] = '\0';
        green__sys_folder_free(&l->folder);
        if (code == 0 || w->depth == 0)
                return code;
        slash = strrchr(w->path, '/');
        w->entry =
                (struct green_walk_entry){.path = w->path, .name = slash + 1, .depth = (int)w->depth - 1, .code = code};
        return 1;
}

static int
step(green_walk *w)
{
        int rc = w->entering ? enter(w) : 0;

        if (rc == 0)
                w->told_folder = false;
        while (rc == 0 && w->depth > 0) {
                struct level *l = &w->levels[w->depth - 1];

                rc = l->next < l->folder.n ? tell_next(w, l) : end_level(w);
        }
        return rc;
}

int
green_walk_next(green_walk *w, const struct green_walk_entry **ret_entry)
{
        int rc;

        if (w == NULL || ret_entry == NULL)
                return -EINVAL;
        rc = green_hub_check(w->hub, "a walk");
        if (rc != 0)
                return rc;
        if (is_busy(w))
                return green_set_error(-EBUSY, "another green thread walks here");
        rc = green_checkpoint();
        if (rc != 0)
                return rc;
        w->busy = true;
        w->forks = green__sys_forks;
        if (++w->streak >= STREAK) {
                w->streak = 0;
                rc = green_sleep(0);
        }
        if (rc == 0)
                rc = step(w);
        w->busy = false;
        if (w->freed) {
                discard(w);
                return -ECANCELED;
        }
        if (rc == 1)
                *ret_entry = &w->entry;
        return rc;
}

int
green_walk_skip(green_walk *w)
{
        if (w == NULL || is_busy(w) || !w->told_folder)
                return -EINVAL;
        w->entering = false;
        return 0;
}
