/*
 * Walking through folders.
 */
#include "net_file.h"

static void
begin(void)
{
        file_setup();
        make_folder();
}

static void
make_sub(const char *name)
{
        CHECK_INT(mkdir(in_folder(name), 0700), 0);
}

/* Does this system make symbolic links? */
static bool links;

/*
 *      a/  a/deep/  a/deep/x  a/up -> ..  a/y
 *      b
 *      c/
 *      d -> a
 */
static void
make_tree(void)
{
        begin();
        make_sub("a");
        make_sub("a/deep");
        (void)file_with("a/deep/x", "123");
        links = symlink("..", in_folder("a/up")) == 0;
        CHECK(links || errno == ENOSYS);
        (void)file_with("a/y", "");
        (void)file_with("b", "12345");
        make_sub("c");
        if (links)
                CHECK_INT(symlink("a", in_folder("d")), 0);
}

/* A text of what a walk should tell, without the links where there are none. */
static const char *
seen(const char *text)
{
        static char left[256];
        const char *from = text;
        size_t len = 0;

        if (links)
                return text;
        while (*from != '\0') {
                size_t word = strcspn(from, " ");

                if (from[word - 1] != '@') {
                        memcpy(left + len, from, word);
                        len += word;
                        left[len++] = ' ';
                }
                from += word + (from[word] == ' ');
        }
        left[len - (len > 0)] = '\0';
        return left;
}

/* What a walk tells, as a text: "0a/ 1y 0!b" for a folder, a file, and what has a code. */
static char told[4096];

static int
tell_one(green_walk *w, const struct green_walk_entry **ret_entry)
{
        const struct green_walk_entry *e = NULL;
        int rc = green_walk_next(w, &e);
        size_t len = strlen(told);

        if (rc != 1)
                return rc;
        CHECK(strcmp(e->path + strlen(e->path) - strlen(e->name), e->name) == 0);
        CHECK(strncmp(e->path, folder, strlen(folder)) == 0);
        CHECK(e->code == 0 || e->stat.st_mode == 0);
        snprintf(told + len, sizeof told - len, "%s%d%s%s%s", len == 0 ? "" : " ", e->depth, e->code != 0 ? "!" : "",
                 e->name,
                 S_ISDIR(e->stat.st_mode)   ? "/"
                 : S_ISLNK(e->stat.st_mode) ? "@"
                                            : "");
        if (ret_entry != NULL)
                *ret_entry = e;
        return 1;
}

static int
tell_rest(green_walk *w)
{
        int rc;

        while ((rc = tell_one(w, NULL)) == 1)
                ;
        return rc;
}

static const char *
walk_all(const char *path, const struct green_walk_opts *opts)
{
        green_walk *w = green_walk_new(path, opts);

        told[0] = '\0';
        CHECK(w != NULL);
        CHECK_INT(tell_rest(w), 0);
        CHECK_INT(tell_rest(w), 0);
        green_walk_free(w);
        return told;
}

static void
all_is_told_in_order_and_no_link_is_followed(void)
{
        const char *whole;
        char slashes[80];

        make_tree();
        whole = seen("0a/ 1deep/ 2x 1up@ 1y 0b 0c/ 0d@");
        CHECK_STR(walk_all(folder, NULL), whole);
        snprintf(slashes, sizeof slashes, "%s//", folder);
        CHECK_STR(walk_all(slashes, NULL), whole);
        /* The first one may be a link. */
        CHECK_STR(walk_all(in_folder(links ? "d" : "a"), NULL), seen("0deep/ 1x 0up@ 0y"));
        CHECK_STR(walk_all(in_folder("c"), NULL), "");
        remove_folder();
}

static void
an_entry_has_its_path_and_facts(void)
{
        const struct green_walk_entry *e = NULL;
        green_walk *w;

        make_tree();
        w = green_walk_new(folder, NULL);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_walk_next(w, &e), 1);
        CHECK_STR(e->path, in_folder("a/deep/x"));
        CHECK_STR(e->name, "x");
        CHECK_INT(e->depth, 2);
        CHECK_INT(e->stat.st_size, 3);
        green_walk_free(w);
        remove_folder();
}

static void
depth_is_bounded(void)
{
        struct green_walk_opts opts = {.size = sizeof opts};

        make_tree();
        CHECK_STR(walk_all(folder, &opts), seen("0a/ 0b 0c/ 0d@"));
        opts.max_depth = 1;
        CHECK_STR(walk_all(folder, &opts), seen("0a/ 1deep/ 1up@ 1y 0b 0c/ 0d@"));
        opts.max_depth = 2;
        CHECK_STR(walk_all(folder, &opts), seen("0a/ 1deep/ 2x 1up@ 1y 0b 0c/ 0d@"));
        opts.max_depth = -1;
        CHECK_STR(walk_all(folder, &opts), seen("0a/ 1deep/ 2x 1up@ 1y 0b 0c/ 0d@"));
        remove_folder();
}

static void
other_file_systems_are_told_and_not_entered(void)
{
        struct green_walk_opts opts = {.size = sizeof opts, .max_depth = 1, .one_device = true};
        const struct green_walk_entry *e;
        bool told_proc = false, inside = false;
        struct stat root, proc;
        green_walk *w;

        file_setup();
        if (stat("/", &root) != 0 || stat("/proc", &proc) != 0 || root.st_dev == proc.st_dev) {
                suite_skip("/proc is no file system of its own");
                return;
        }
        w = green_walk_new("/", &opts);
        while (green_walk_next(w, &e) == 1) {
                told_proc = told_proc || strcmp(e->path, "/proc") == 0;
                inside = inside || strncmp(e->path, "/proc/", 6) == 0;
                CHECK(strncmp(e->path, "//", 2) != 0);
        }
        CHECK(told_proc);
        CHECK(!inside);
        green_walk_free(w);
}

static void
folders_are_passed_over_on_request(void)
{
        green_walk *w;

        make_tree();
        w = green_walk_new(folder, NULL);
        told[0] = '\0';
        CHECK_INT(green_walk_skip(w), -EINVAL);
        CHECK_INT(tell_one(w, NULL), 1);
        CHECK_INT(green_walk_skip(w), 0);
        CHECK_INT(tell_one(w, NULL), 1);
        CHECK_INT(green_walk_skip(w), -EINVAL);
        CHECK_INT(tell_rest(w), 0);
        CHECK_INT(green_walk_skip(w), -EINVAL);
        CHECK_STR(told, seen("0a/ 0b 0c/ 0d@"));
        green_walk_free(w);
        CHECK_INT(green_walk_skip(NULL), -EINVAL);
        remove_folder();
}

/* ---- what goes wrong */

static void
a_first_folder_that_cannot_be_read_is_the_end(void)
{
        const struct green_walk_entry *e;
        green_walk *w;

        make_tree();
        w = green_walk_new(in_folder("none"), NULL);
        CHECK_INT(green_walk_next(w, &e), -ENOENT);
        CHECK_INT(green_walk_next(w, &e), 0);
        green_walk_free(w);
        w = green_walk_new(in_folder("b"), NULL);
        CHECK_INT(green_walk_next(w, &e), -ENOTDIR);
        CHECK_INT(green_walk_next(w, NULL), -EINVAL);
        green_walk_free(w);
        w = green_walk_new("", NULL);
        CHECK_INT(green_walk_next(w, &e), -ENOENT);
        green_walk_free(w);
        CHECK(green_walk_new(NULL, NULL) == NULL && errno == EINVAL);
        CHECK(green_walk_new(folder, &(struct green_walk_opts){.size = 1}) == NULL && errno == EINVAL);
        CHECK_INT(green_walk_next(NULL, &e), -EINVAL);
        green_walk_free(NULL);
        remove_folder();
}

static void
folders_that_vanish_are_told_and_the_walk_goes_on(void)
{
        const struct green_walk_entry *e;
        green_walk *w;

        make_tree();
        w = green_walk_new(folder, NULL);
        told[0] = '\0';
        for (int i = 0; i < 2; i++)
                CHECK_INT(tell_one(w, &e), 1);
        CHECK_STR(e->name, "deep");
        CHECK_INT(unlink(in_folder("a/deep/x")), 0);
        CHECK_INT(rmdir(in_folder("a/deep")), 0);
        CHECK_INT(tell_one(w, &e), 1);
        CHECK_INT(e->code, -ENOENT);
        CHECK_STR(e->path, in_folder("a/deep"));
        CHECK_INT(green_walk_skip(w), -EINVAL);
        while (strcmp(e->name, "c") != 0)
                CHECK_OR_RETURN(tell_one(w, &e) == 1);
        /* It becomes a link, which leads out of here. */
        CHECK_INT(rmdir(in_folder("c")), 0);
        if (links)
                CHECK_INT(symlink("/", in_folder("c")), 0);
        CHECK_INT(tell_one(w, &e), 1);
        CHECK(links ? e->code == -ENOTDIR || e->code == -ELOOP : e->code == -ENOENT);
        CHECK_INT(tell_rest(w), 0);
        CHECK_STR(told, seen("0a/ 1deep/ 1!deep 1up@ 1y 0b 0c/ 0!c 0d@"));
        green_walk_free(w);
        remove_folder();
}

/* Paths end somewhere, and folders may go on. */
static void
what_is_too_deep_is_told(void)
{
        char name[201];
        const struct green_walk_entry *e = NULL;
        int entries = 0, code = 0, rc, fd;
        green_walk *w;

        begin();
        memset(name, 'n', 200);
        name[200] = '\0';
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int i = 0; i < 30; i++) {
                int next;

                CHECK_INT(mkdirat(fd, name, 0700), 0);
                next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close(fd);
                fd = next;
        }
        close(fd);
        w = green_walk_new(folder, NULL);
        while ((rc = green_walk_next(w, &e)) == 1) {
                entries++;
                code = e->code;
        }
        CHECK_INT(rc, 0);
        CHECK_INT(code, -ENAMETOOLONG);
        CHECK_RANGE(entries, 18, 23);
        green_walk_free(w);
        remove_folder();
}

static void
memory_that_runs_out_loses_nothing(void)
{
        green_walk *w = NULL;
        const char *whole;
        char name[221];
        int rc, failed = 0;

        make_tree();
        /* Its path needs more room than there was. */
        memset(name, 'z', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        make_sub(name);
        for (int n = 0; w == NULL && n < 10; n++) {
                memory_left = n;
                w = green_walk_new(folder, NULL);
                memory_left = -1;
                CHECK(w != NULL || errno == ENOMEM);
        }
        told[0] = '\0';
        do {
                memory_left = 0;
                rc = tell_one(w, NULL);
                for (int n = 1; rc == -ENOMEM && n < 20; n++) {
                        failed++;
                        memory_left = n;
                        rc = tell_one(w, NULL);
                }
                memory_left = -1;
        } while (rc == 1);
        CHECK_INT(rc, 0);
        CHECK(failed >= 4);
        whole = seen("0a/ 1deep/ 2x 1up@ 1y 0b 0c/ 0d@");
        CHECK(strncmp(told, whole, strlen(whole)) == 0);
        CHECK(strncmp(told + strlen(whole), " 0zzz", 5) == 0);
        green_walk_free(w);
        remove_folder();
}

static void
descriptors_that_run_out_are_told(void)
{
        struct rlimit old;
        const struct green_walk_entry *e = NULL;
        green_walk *w;

        make_tree();
        w = green_walk_new(folder, NULL);
        CHECK_INT(green_walk_next(w, &e), 1);
        old = leave_descriptors(0);
        CHECK_INT(green_walk_next(w, &e), 1);
        restore_descriptors(old);
        CHECK_INT(e->code, -EMFILE);
        CHECK_STR(e->name, "a");
        told[0] = '\0';
        CHECK_INT(tell_rest(w), 0);
        CHECK_STR(told, seen("0b 0c/ 0d@"));
        green_walk_free(w);
        remove_folder();
}

/* ---- others, and the end */

static void
a_large_folder_is_sorted_and_holds_up_nobody(void)
{
        const struct green_walk_entry *e;
        green_thread *gt;
        int turns = 0, n = 0;
        char last[32] = "";
        green_walk *w;

        begin();
        for (int i = 0; i < 3000; i++) {
                char name[32];

                snprintf(name, sizeof name, "f%u", (unsigned)i * 2654435761u % 100003u);
                (void)file_with(name, "");
        }
        gt = green_spawn(count_turns, &turns);
        w = green_walk_new(folder, NULL);
        while (green_walk_next(w, &e) == 1) {
                /* From now on all is in memory. */
                if (n++ == 0)
                        turns = 0;
                CHECK(strcmp(last, e->name) < 0);
                snprintf(last, sizeof last, "%s", e->name);
        }
        CHECK_INT(n, things_in(folder));
        CHECK(turns >= n / 64 - 1);
        green_walk_free(w);
        green_kill(gt, 0);
        green_thread_unref(gt);
        remove_folder();
}

struct walker {
        green_walk *w;
        const struct green_walk_entry *e;
        int rc, next;
        bool over;
        green_thread *gt;
};

static void *
walker_main(void *arg)
{
        struct walker *walker = arg;

        walker->rc = green_walk_next(walker->w, &walker->e);
        walker->next = green_checkpoint();
        walker->over = true;
        (void)green_recover();
        return NULL;
}

static void
walker_begin(struct walker *walker)
{
        walker->gt = green_spawn(walker_main, walker);
        green_sleep(0);
}

static int
walker_end(struct walker *walker)
{
        CHECK_INT(green_thread_wait(walker->gt, NULL), 0);
        green_thread_unref(walker->gt);
        return walker->rc;
}

static void
one_that_waits_for_the_pool_can_be_killed(void)
{
        struct walker walker = {.w = NULL};

        make_tree();
        walker.w = green_walk_new(folder, NULL);
        block_pool();
        walker_begin(&walker);
        CHECK(!walker.over);
        green_kill(walker.gt, 0);
        CHECK_INT(walker_end(&walker), GREEN_EKILLED);
        unblock_pool();
        told[0] = '\0';
        CHECK_INT(tell_rest(walker.w), 0);
        CHECK_STR(told, seen("0a/ 1deep/ 2x 1up@ 1y 0b 0c/ 0d@"));
        green_walk_free(walker.w);
        remove_folder();
}

static void
one_that_reads_is_waited_for(void)
{
        struct walker walker = {.w = NULL};
        const struct green_walk_entry *e;

        make_tree();
        walker.w = green_walk_new(folder, NULL);
        make_slow();
        walker_begin(&walker);
        until_inside();
        CHECK_INT(green_walk_next(walker.w, &e), -EBUSY);
        CHECK_INT(green_walk_skip(walker.w), -EINVAL);
        green_kill(walker.gt, 0);
        green_sleep(0);
        CHECK(!walker.over);
        let_it_go();
        CHECK_INT(walker_end(&walker), 1);
        CHECK_INT(walker.next, GREEN_EKILLED);
        CHECK_STR(walker.e->name, "a");
        /* Freed meanwhile. */
        make_slow();
        walker_begin(&walker);
        until_inside();
        green_walk_free(walker.w);
        let_it_go();
        CHECK_INT(walker_end(&walker), -ECANCELED);
        remove_folder();
}

static void
in_hub_context(void *arg)
{
        struct walker *walker = arg;

        walker->rc = green_walk_next(walker->w, &walker->e);
}

static void *
walk_elsewhere(void *arg)
{
        struct walker *walker = arg;

        CHECK_INT(green_walk_next(walker->w, &walker->e), -EPERM);
        green_walk_free(walker->w);
        return NULL;
}

static void
hub_context_and_other_os_threads_cannot_walk(void)
{
        struct walker walker = {.w = NULL};
        pthread_t thread;

        make_tree();
        walker.w = green_walk_new(folder, NULL);
        CHECK_INT(green_schedule_call_global(0, in_hub_context, &walker), 0);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(walker.rc, -EDEADLK);
        CHECK_INT(green_walk_next(walker.w, &walker.e), 1);
        CHECK_INT(pthread_create(&thread, NULL, walk_elsewhere, &walker), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(logged("a walk belongs to hub"));
        remove_folder();
}

static void
a_child_of_a_fork_forgets_who_walked(void)
{
        struct walker walker = {.w = NULL};
        int status = -1;
        pid_t pid;

        if (suite_skip_without_child_threads())
                return;
        make_tree();
        walker.w = green_walk_new(folder, NULL);
        make_slow();
        walker_begin(&walker);
        until_inside();
        pid = fork();
        if (pid == 0) {
                CHECK_INT(green_walk_next(walker.w, &walker.e), 1);
                green_walk_free(walker.w);
                _exit(suite_failures() != 0);
        }
        let_it_go();
        CHECK_INT(walker_end(&walker), 1);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        green_walk_free(walker.w);
        remove_folder();
}

GREEN_SUITE(net_walk){GREEN_TEST(all_is_told_in_order_and_no_link_is_followed),
                      GREEN_TEST(an_entry_has_its_path_and_facts),
                      GREEN_TEST(depth_is_bounded),
                      GREEN_TEST(other_file_systems_are_told_and_not_entered),
                      GREEN_TEST(folders_are_passed_over_on_request),
                      GREEN_TEST(a_first_folder_that_cannot_be_read_is_the_end),
                      GREEN_TEST(folders_that_vanish_are_told_and_the_walk_goes_on),
                      GREEN_TEST(what_is_too_deep_is_told),
                      GREEN_TEST(memory_that_runs_out_loses_nothing),
                      GREEN_TEST(descriptors_that_run_out_are_told),
                      GREEN_TEST(a_large_folder_is_sorted_and_holds_up_nobody),
                      GREEN_TEST(one_that_waits_for_the_pool_can_be_killed),
                      GREEN_TEST(one_that_reads_is_waited_for),
                      GREEN_TEST(hub_context_and_other_os_threads_cannot_walk),
                      GREEN_TEST(a_child_of_a_fork_forgets_who_walked),
                      GREEN_SUITE_END};
