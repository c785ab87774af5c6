/* What hubs there are: green_hub_each(), for those that are linked in and, in a child, for a folder full of modules. */
#include "config.h"

#include "core_suite.h"

#include <limits.h>
#include <sys/stat.h>

enum { PATH_SIZE = 512, MOST = 32 };

/* What was told. */
struct told {
        int count;
        char name[MOST][40];
        char reason[MOST][400];
        int code[MOST];
        bool linked[MOST], by_default[MOST];
};

static void
keep(const struct green_hub_choice *choice, void *arg)
{
        struct told *told = arg;
        int i = told->count++;

        CHECK_INT(choice->size, sizeof *choice);
        CHECK((choice->code == 0) == (choice->reason == NULL));
        if (i >= MOST)
                return;
        snprintf(told->name[i], sizeof told->name[i], "%s", choice->name);
        snprintf(told->reason[i], sizeof told->reason[i], "%s", choice->reason == NULL ? "" : choice->reason);
        told->code[i] = choice->code;
        told->linked[i] = choice->path == NULL;
        told->by_default[i] = choice->is_default;
}

static void
those_linked_in_come_in_their_order(void)
{
        static const char *const names[] = {
#define NAME(hub) #hub,
                GREEN_BUILTIN_HUBS(NAME)
#undef NAME
                        NULL,
        };
        struct told told = {.count = 0};
        int n = green_hub_each(keep, &told);

        GREEN_COVERS("HUB-06", "HUB-07");
        CHECK_INT(told.count, n);
        CHECK_INT(green_hub_each(NULL, &told), -EINVAL);
        n = 0;
        while (names[n] != NULL) {
                CHECK_STR(told.name[n], names[n]);
                CHECK(told.linked[n]);
                n++;
        }
        for (int i = n; i < told.count; i++) {
                CHECK(!told.linked[i]);
                CHECK(i == n || strcmp(told.name[i - 1], told.name[i]) < 0);
        }
}

/* Whatever GREEN_HUB says. */
static void
the_default_is_marked(void)
{
        const char *usual = getenv("GREEN_HUB");
        char *before = usual != NULL ? strdup(usual) : NULL;
        struct told told = {.count = 0};
        const char *by_default;
        int marked = 0;

        GREEN_COVERS("HUB-03");
        setenv("GREEN_HUB", "nosuch", 1);
        (void)green_hub_each(keep, &told);
        unsetenv("GREEN_HUB");
        by_default = green_get_default_hub();
        for (int i = 0; i < told.count && i < MOST; i++) {
                if (!told.by_default[i])
                        continue;
                marked++;
                CHECK_INT(told.code[i], 0);
                CHECK_STR(told.name[i], by_default);
        }
        CHECK_INT(marked, by_default == NULL ? 0 : 1);
        if (before != NULL)
                setenv("GREEN_HUB", before, 1);
        free(before);
}

static void
choose_it(const struct green_hub_choice *choice, void *arg)
{
        if (choice->code != 0)
                return;
        CHECK_INT(green_use_hub(choice->name), 0);
        CHECK_STR(green_hub_name(NULL), choice->name);
        ++*(int *)arg;
}

static void
each_that_can_be_used_can_be_chosen_by_its_name(void)
{
        int chosen = 0;

        GREEN_COVERS("HUB-05");
        CHECK(green_hub_each(choose_it, &chosen) >= chosen);
        CHECK(chosen > 0);
        CHECK(core_fresh_hub(NULL));
}

/* ---- modules: the library looks for them beside itself, so a child is given a library elsewhere */

static void
print_it(const struct green_hub_choice *choice, void *arg)
{
        (void)arg;
        printf("%s %s %d%s %s\n", choice->name, choice->path != NULL ? choice->path : "-", choice->code,
               choice->is_default ? " default" : "", choice->reason != NULL ? choice->reason : "works");
}

static void
be_the_child(void)
{
        if (getenv("GREEN_TEST_LIST") == NULL)
                return;
        printf("%d\n", green_hub_each(print_it, NULL));
        if (green_use_hub("nosuch") != 0)
                printf("%s\n", green_last_error()->message);
        fflush(stdout);
        _exit(0);
}

/* The library's file; false, and the test is skipped, where it is no file of its own. */
static bool
library(char path[PATH_MAX])
{
        Dl_info info;

        if (suite_plugin("hub_late") == NULL || dladdr(dlsym(RTLD_DEFAULT, "green_hub_each"), &info) == 0 ||
            strstr(info.dli_fname, "/libgreen-core.") == NULL || realpath(info.dli_fname, path) == NULL) {
                suite_skip("this build has no shared libraries");
                return false;
        }
        return true;
}

static void
put_module(const char *folder, const char *file, const char *plugin)
{
        char path[PATH_SIZE];

        snprintf(path, sizeof path, "%s/%s", folder, file);
        if (plugin != NULL)
                CHECK_INT(symlink(suite_plugin(plugin), path), 0);
        else
                CHECK_INT(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
}

/* A folder with the library and, beside it, modules of all kinds. */
static bool
make_folder(const char *tmp, char folder[PATH_SIZE])
{
        char lib[PATH_MAX], path[PATH_SIZE];

        if (!library(lib))
                return false;
        snprintf(path, sizeof path, "%s/libgreen-core.so.0", tmp);
        CHECK_INT(symlink(lib, path), 0);
        snprintf(folder, PATH_SIZE, "%s/green-net", tmp);
        CHECK_INT(mkdir(folder, 0700), 0);
        put_module(folder, "hub_other.so", "hub_late");
        put_module(folder, "hub_a1.so", "hub_badabi");
        put_module(folder, "hub_b2.so", "hub_badprobe");
        put_module(folder, "hub_c3.so", "hub_badsymbol");
        put_module(folder, "hub_empty.so", NULL);
        put_module(folder, "hub_epoll.so", "hub_late");
        /* No modules: their names are none. */
        put_module(folder, "hub_Bad.so", "hub_late");
        put_module(folder, "hub_.so", "hub_late");
        put_module(folder, "readme", NULL);
        return true;
}

static void
remove_folder(const char *tmp)
{
        char command[PATH_SIZE];

        snprintf(command, sizeof command, "rm -r '%s'", tmp);
        CHECK_INT(system(command), 0);
}

/* What the child says when it finds its library there. */
static void
list_in(const char *tmp, char *out, size_t size)
{
        char path[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1), got;
        size_t len = 0;
        int pipes[2];
        pid_t pid;

        out[0] = '\0';
        if (!CHECK(n > 0) || !CHECK_INT(pipe(pipes), 0))
                return;
        path[n] = '\0';
        pid = core_fork();
        if (pid == 0) {
                setenv("LD_LIBRARY_PATH", tmp, 1);
                setenv("GREEN_TEST_LIST", "1", 1);
                dup2(pipes[1], STDOUT_FILENO);
                execl(path, suite_name, (char *)NULL);
                _exit(99);
        }
        close(pipes[1]);
        while (len < size - 1 && (got = read(pipes[0], out + len, size - 1 - len)) > 0)
                len += (size_t)got;
        out[len] = '\0';
        close(pipes[0]);
        CHECK_INT(core_child_end(pid), 0);
}

/* A line of what was said: it begins so, and has these words in it. */
static void
check_line(const char *out, const char *begin, const char *words)
{
        const char *line = out;
        size_t len = strlen(begin);

        while (strncmp(line, begin, len) != 0) {
                line = strchr(line, '\n');
                if (line == NULL) {
                        FAIL("no line begins with \"%s\": %s", begin, out);
                        return;
                }
                line++;
        }
        if (memmem(line, strcspn(line, "\n"), words, strlen(words)) == NULL)
                FAIL("\"%s\" is not in \"%.*s\"", words, (int)strcspn(line, "\n"), line);
}

static void
modules_come_by_name_each_with_its_reason(void)
{
        char tmp[] = "/tmp/green-hubs-XXXXXX", folder[PATH_SIZE] = "", out[8192], begin[PATH_SIZE + 80];
        bool epoll = false;
        int builtins = 0;

        GREEN_COVERS("HUB-06", "HUB-07", "HUB-11");
#define COUNT(hub) builtins++, epoll = epoll || strcmp(#hub, "epoll") == 0;
        GREEN_BUILTIN_HUBS(COUNT)
#undef COUNT
        if (!CHECK(mkdtemp(tmp) != NULL))
                return;
        if (make_folder(tmp, folder)) {
                list_in(tmp, out, sizeof out);
#define CHECK_MODULE(name, code, words)                                                                                \
        snprintf(begin, sizeof begin, "%s %s/hub_%s.so %d", name, folder, name, code);                                 \
        check_line(out, begin, words)
                CHECK_MODULE("a1", GREEN_EHUB, "it was built for hub interface 99, this is 1");
                CHECK_MODULE("b2", -ENOSYS, "it does not work here: Function not implemented");
                CHECK_MODULE("c3", GREEN_EHUB, "it has no green_hub_module");
                CHECK_MODULE("empty", GREEN_EHUB, "it cannot be loaded");
                CHECK_MODULE("other", 0, "works");
                CHECK_MODULE("epoll", epoll ? GREEN_EHUB : 0, epoll ? "one of that name is linked in" : "works");
#undef CHECK_MODULE
                CHECK(strstr(out, "hub_Bad") == NULL);
                snprintf(begin, sizeof begin, "%d", builtins + 6);
                check_line(out, begin, begin);
                /* Messages list them, too. */
                snprintf(begin, sizeof begin, "; a1, b2, c3, empty, epoll, other (in %s)", folder);
                check_line(out, "hub \"nosuch\": there is no hub of that name", begin);
        }
        remove_folder(tmp);
}

static void
init(void)
{
        be_the_child();
        core_init();
}

GREEN_SUITE_INIT(init)

GREEN_SUITE(core_hub_list){GREEN_TEST(those_linked_in_come_in_their_order), GREEN_TEST(the_default_is_marked),
                           GREEN_TEST(each_that_can_be_used_can_be_chosen_by_its_name),
                           GREEN_TEST(modules_come_by_name_each_with_its_reason), GREEN_SUITE_END};
