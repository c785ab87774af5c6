/*
 * Each allocation and system call of files and walks fails in its turn. The pool has no threads here, so that what is
 * done in it is done where calls are counted; but for the last scenario.
 */
#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <green/net.h>

#define SOON (5.0 * suite_slow())

#define FEWER FAULT_BIT(alloc) /* many stacks at a time, and the text of an error, are done without once */
#define ALTSTACK FAULT_BIT(mmap)

static char folder[64], path[96], other[96];

/* What the scenario itself does needs descriptors too. */
static struct rlimit
own_work_begins(void)
{
        struct rlimit limit, old;

        fault_pause();
        getrlimit(RLIMIT_NOFILE, &old);
        limit = old;
        limit.rlim_cur = 200;
        setrlimit(RLIMIT_NOFILE, &limit);
        return old;
}

static void
own_work_ends(struct rlimit old)
{
        setrlimit(RLIMIT_NOFILE, &old);
        fault_resume();
}

/* A folder with a file in it. */
static bool
begin(int threads)
{
        struct rlimit old = own_work_begins();
        int fd;

        snprintf(folder, sizeof folder, "/tmp/green-fault-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
        snprintf(path, sizeof path, "%s/file", folder);
        snprintf(other, sizeof other, "%s/other", folder);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10);
        close(fd);
        CHECK_INT(green_tpool_set_num_threads(threads), 0);
        own_work_ends(old);
        return MADE(green_get_hub());
}

/* How many things are in the folder, which goes. */
static int
end(void)
{
        struct rlimit old = own_work_begins();
        char command[96];
        int n = -2;
        DIR *dir;

        dir = opendir(folder);
        while (readdir(dir) != NULL)
                n++;
        closedir(dir);
        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        CHECK_INT(system(command), 0);
        own_work_ends(old);
        return n;
}

static void
use(green_file *f)
{
        struct stat st;
        char buf[8];

        (void)OK(green_file_write(f, "abc", 3));
        (void)OK(green_file_pwrite(f, "def", 3, 1));
        CHECK_INT(green_file_seek(f, 0, SEEK_SET, NULL), 0);
        if (OK(green_file_read(f, buf, 3)))
                (void)OK(green_file_pread(f, buf, 3, 2));
        (void)OK(green_file_truncate(f, 7));
        (void)OK(green_file_seek(f, 0, SEEK_END, NULL));
        (void)OK(green_file_stat(f, &st));
        (void)OK(green_file_sync(f, false));
        CHECK(green_file_fd(f) >= 0);
        (void)OK(green_file_close(f));
        (void)OK(green_file_free(f));
}

static void
files(void)
{
        green_file *f;

        if (begin(0) && MADE(f = green_file_open(path, O_RDWR, 0)))
                use(f);
        (void)end();
}

static void
descriptors(void)
{
        bool begun = begin(0);
        green_file *f;
        int fd;

        fault_pause();
        fd = begun ? open(path, O_RDWR | O_CLOEXEC) : -1;
        fault_resume();
        if (fd >= 0 && MADE(f = green_file_from_fd(fd)))
                use(f);
        else if (fd >= 0)
                fault_close(fd);
        (void)end();
}

static void
appends(void)
{
        green_file *f;

        fault_may_give(-EAGAIN);
        if (begin(0) && MADE(f = green_file_open(path, O_RDWR | O_APPEND, 0))) {
                (void)OK(green_file_write(f, "abc", 3));
                (void)OK(green_file_free(f));
        }
        (void)end();
}

static void
streams(void)
{
        const char *line;
        green_stream *st;
        green_file *f;

        if (begin(0) && MADE(f = green_file_open(path, O_RDWR, 0))) {
                if (MADE(st = green_file_stream(f, NULL))) {
                        if (OK(green_stream_printf(st, "a line\n")) && OK(green_stream_seek(st, 0, SEEK_SET, NULL)))
                                (void)OK(green_stream_readline(st, 100, &line));
                        (void)OK(green_stream_free(st));
                } else {
                        (void)OK(green_file_free(f));
                }
        }
        (void)end();
}

static void
temporaries(void)
{
        green_file *f;
        char *name;
        int things = 1;

        if (begin(0)) {
                if (MADE(f = green_file_temporary(folder)))
                        use(f);
                if (MADE(f = green_file_temporary_named(folder, &name))) {
                        things++;
                        use(f);
                        green_free(name);
                }
        }
        CHECK_INT(end(), things);
}

static void
whole_files(void)
{
        int things = 1;
        char *data;
        size_t len;

        if (begin(0)) {
                if (OK(green_file_write_all(path, "whole", 5, 0600, true)) &&
                    OK(green_file_read_all(path, 100, &data, &len))) {
                        CHECK_INT(len, 5);
                        CHECK_STR(data, "whole");
                        green_free(data);
                }
                if (OK(green_file_write_all(other, "whole", 5, 0600, false)))
                        things++;
        }
        CHECK_RANGE(end(), things, 2);
}

static void
walks(void)
{
        const struct green_walk_entry *e;
        green_walk *w;
        int rc, entries = 0;
        bool begun = begin(0);

        CHECK_INT(mkdir(other, 0700), 0);
        if (begun && MADE(w = green_walk_new(folder, NULL))) {
                while ((rc = green_walk_next(w, &e)) == 1) {
                        (void)OK(e->code);
                        entries++;
                }
                if (OK(rc)) {
                        CHECK(entries >= 2);
                        CHECK_INT(green_walk_skip(w), -EINVAL);
                }
                green_walk_free(w);
        }
        (void)end();
}

static void
in_the_pool(void)
{
        green_file *f;

        fault_may_give(-EAGAIN);
        if (begin(2)) {
                if (MADE(f = green_file_open(path, O_RDWR, 0)))
                        use(f);
                (void)OK(green_tpool_killall(SOON));
        }
        (void)end();
}

#define SCENARIOS(X)                                                                                                   \
        X(appends, ALTSTACK | FAULT_BIT(lseek), FEWER)                                                                 \
        X(descriptors, ALTSTACK, FEWER)                                                                                \
        X(files, ALTSTACK, FEWER)                                                                                      \
        X(streams, ALTSTACK, FEWER)                                                                                    \
        X(temporaries, ALTSTACK, FEWER)                                                                                \
        X(walks, ALTSTACK, FEWER)                                                                                      \
        X(whole_files, ALTSTACK, FEWER)

/* The pool goes on with the threads it has. */
#define POOL_SCENARIOS(X) X(in_the_pool, ALTSTACK | FAULT_BIT(alloc), FEWER)

FAULT_DEFINE(SCENARIOS)
FAULT_DEFINE_WITH_THREADS(POOL_SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
        POOL_SCENARIOS(FAULT_STORM_ROW)
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_files);
        fault_few_descriptors(&scenario_whole_files);
}

GREEN_SUITE(fault_file){SCENARIOS(FAULT_TEST_ROW) POOL_SCENARIOS(FAULT_TEST_ROW)
                                GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
                        GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60), GREEN_SUITE_END};
