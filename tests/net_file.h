/*
 * What the tests of files share: a folder of their own, a pool that is busy, calls of the system that take their time,
 * and a call of each kind in a green thread of its own.
 */
#ifndef GREEN_TESTS_NET_FILE_H
#define GREEN_TESTS_NET_FILE_H

#include "net_suite.h"

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <green/tpool.h>

#define SOON (5.0 * suite_slow())

/* ---- a folder */

static char folder[64];

static void
make_folder(void)
{
        snprintf(folder, sizeof folder, "/tmp/green-file-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
}

/* A path in it; valid until the fourth from then on. */
MAYBE const char *
in_folder(const char *name)
{
        static char paths[4][512];
        static int next;
        char *path = paths[next++ % 4];

        snprintf(path, sizeof paths[0], "%s/%s", folder, name);
        return path;
}

/* How many things are in it. */
MAYBE int
things_in(const char *path)
{
        DIR *dir = opendir(path);
        int n = -2;

        if (!CHECK(dir != NULL))
                return -1;
        while (readdir(dir) != NULL)
                n++;
        closedir(dir);
        return n;
}

static void remove_folder(void); /* with all that is in it */

/* A file with this content. */
MAYBE const char *
file_with(const char *name, const char *text)
{
        const char *path = in_folder(name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        CHECK(fd >= 0);
        CHECK_INT(write(fd, text, strlen(text)), strlen(text));
        close(fd);
        return path;
}

MAYBE bool
file_has(const char *name, const char *text)
{
        char buf[4096] = "";
        int fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);

        close(fd);
        return CHECK_INT(n, strlen(text)) && CHECK_STR(buf, text);
}

MAYBE green_file *
opened(const char *name, int flags)
{
        green_file *f = green_file_open(in_folder(name), flags, 0644);

        if (!CHECK(f != NULL))
                fprintf(stderr, "%s: %s\n", name, green_last_error()->message);
        return f;
}

MAYBE int64_t
place(green_file *f)
{
        int64_t at = -1;

        CHECK_INT(green_file_seek(f, 0, SEEK_CUR, &at), 0);
        return at;
}

/* From now on there is room for so many descriptors more; the limit that was. */
MAYBE struct rlimit
leave_descriptors(int room)
{
        int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct rlimit old, few;

        close(next);
        CHECK_INT(getrlimit(RLIMIT_NOFILE, &old), 0);
        few = old;
        few.rlim_cur = (rlim_t)(next + room);
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
        return old;
}

MAYBE void
restore_descriptors(struct rlimit old)
{
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* ---- the pool */

static struct green_tpool_info
pool_info(void)
{
        struct green_tpool_info info = {.size = sizeof info};

        CHECK_INT(green_tpool_get_info(&info), 0);
        return info;
}

static void
new_pool(int threads)
{
        CHECK_INT(green_tpool_killall(SOON), 0);
        CHECK_INT(green_tpool_set_num_threads(threads), 0);
}

/* A pool of one thread, which is busy. */
static struct {
        sem_t go;
        green_thread *gt;
} blocked;

static void *
block(void *arg)
{
        while (sem_wait(arg) != 0)
                ;
        return NULL;
}

static void *
block_in_pool(void *arg)
{
        CHECK_INT(green_tpool_execute(block, arg, NULL, NULL), 0);
        return NULL;
}

MAYBE void
block_pool(void)
{
        new_pool(1);
        sem_init(&blocked.go, 0, 0);
        blocked.gt = green_spawn(block_in_pool, &blocked.go);
        while (pool_info().running == 0)
                green_sleep(0.001);
}

MAYBE void
unblock_pool(void)
{
        sem_post(&blocked.go);
        CHECK_INT(green_thread_wait(blocked.gt, NULL), 0);
        green_thread_unref(blocked.gt);
        sem_destroy(&blocked.go);
        new_pool(GREEN_TPOOL_THREADS);
}

/* ---- calls that take their time, in the pool */

static struct {
        atomic_bool on; /* the next one does */
        atomic_bool inside;
        sem_t go;
} slow;

static atomic_int syncs; /* calls of fsync() */

static _Thread_local bool at_home; /* the OS thread of the tests */

static void
take_time(void)
{
        bool on = true;

        if (at_home || !atomic_compare_exchange_strong(&slow.on, &on, false))
                return;
        slow.inside = true;
        while (sem_wait(&slow.go) != 0)
                ;
}

#if defined(_WIN32)
#include "net_file_win32.h"
#else
#include "net_file_posix.h"
#endif

/* The next call takes as long as it takes until let_go(). */
MAYBE void
make_slow(void)
{
        sem_init(&slow.go, 0, 0);
        slow.inside = false;
        slow.on = true;
}

MAYBE void
until_inside(void)
{
        while (!slow.inside)
                green_sleep(0.001);
}

MAYBE void
let_it_go(void)
{
        sem_post(&slow.go);
}

/* ---- a call of each kind */

enum op {
        OP_READ,
        OP_PREAD,
        OP_WRITE,
        OP_PWRITE,
        OP_MOVES, /* so far those that operations of the hub can do */
        OP_SYNC = OP_MOVES,
        OP_TRUNCATE,
        OP_STAT,
        OP_ON_FILE, /* so far those that need one */
        OP_OPEN = OP_ON_FILE,
        OP_TEMPORARY,
        OP_NAMED,
        OP_READ_ALL,
        OP_WRITE_ALL,
        OP_WALK,
        OPS
};

struct doing {
        enum op op;
        green_file *f;
        char buf[16];
        int64_t at; /* for those at an offset */
        ssize_t rc;
        int next; /* what a checkpoint says afterwards */
        bool over;
        int order;
        green_thread *gt;
};

static int ended_so_far;

/* 0, or why there is none. */
static int
close_made(green_file *f)
{
        int rc = f == NULL ? -errno : 0;

        if (f == NULL)
                CHECK_INT(green_last_error()->code, rc);
        else
                CHECK_INT(green_file_free(f), 0);
        return rc;
}

static int
do_whole(const struct doing *d)
{
        const struct green_walk_entry *e;
        char *text = NULL;
        green_walk *w;
        size_t len;
        int rc;

        switch (d->op) {
        case OP_OPEN:
                return close_made(green_file_open(in_folder("new"), O_RDWR | O_CREAT, 0600));
        case OP_TEMPORARY:
                return close_made(green_file_temporary(folder));
        case OP_NAMED:
                rc = close_made(green_file_temporary_named(folder, &text));
                if (rc == 0)
                        CHECK_INT(unlink(text), 0);
                break;
        case OP_READ_ALL:
                rc = green_file_read_all(in_folder("file"), 100, &text, &len);
                break;
        case OP_WRITE_ALL:
                return green_file_write_all(in_folder("new"), "whole", 5, 0600, true);
        default:
                w = green_walk_new(folder, NULL);
                rc = w == NULL ? -errno : green_walk_next(w, &e);
                green_walk_free(w);
        }
        green_free(text);
        return rc;
}

static void
do_op(struct doing *d)
{
        struct stat st;

        switch (d->op) {
        case OP_READ:
                d->rc = green_file_read(d->f, d->buf, 3);
                break;
        case OP_PREAD:
                d->rc = green_file_pread(d->f, d->buf, 3, d->at);
                break;
        case OP_WRITE:
                d->rc = green_file_write(d->f, d->buf, 3);
                break;
        case OP_PWRITE:
                d->rc = green_file_pwrite(d->f, d->buf, 3, d->at);
                break;
        case OP_SYNC:
                d->rc = green_file_sync(d->f, false);
                break;
        case OP_TRUNCATE:
                d->rc = green_file_truncate(d->f, 4);
                break;
        case OP_STAT:
                d->rc = green_file_stat(d->f, &st);
                break;
        default:
                d->rc = do_whole(d);
        }
        d->next = green_checkpoint();
        d->over = true;
        d->order = ++ended_so_far;
}

/* What a call gives that goes well. */
MAYBE int
good(enum op op)
{
        return op < OP_MOVES ? 3 : op == OP_WALK ? 1 : 0;
}

static void *
op_main(void *arg)
{
        do_op(arg);
        (void)green_recover();
        return NULL;
}

MAYBE void
begin_op(struct doing *d)
{
        d->rc = 1000;
        d->over = false;
        d->gt = green_spawn(op_main, d);
        green_sleep(0);
}

MAYBE ssize_t
end_op(struct doing *d)
{
        CHECK_INT(green_thread_wait(d->gt, NULL), 0);
        green_thread_unref(d->gt);
        return d->rc;
}

/* Does this hub read and write files by operations? */
MAYBE bool
has_operations(void)
{
        return FILES_HAVE_OPERATIONS && hub_completes();
}

/* Does this call go through the pool on this hub? */
MAYBE bool
goes_through_pool(enum op op)
{
        return op >= OP_MOVES || !has_operations();
}

/* ---- around each test */

static void
file_setup(void)
{
        at_home = true;
        watch_calls();
        base_state();
        new_pool(GREEN_TPOOL_THREADS);
}

#endif
