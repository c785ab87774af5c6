/* net/patch/: POSIX threads and their locks in green threads do what they do in OS threads. */
#include "net_suite.h"

#include <dlfcn.h>

#include "patch_threads.h"

enum { ROOM = 16384 };

/* A copy of the library. */
struct copy {
        void *handle;
        const struct patch_scenario *(*scenarios)(void);
        void (*run)(const struct patch_scenario *, char *, size_t);
};

static void *
symbol(struct copy *c, const char *name)
{
        void *found = dlsym(c->handle, name);

        CHECK(found != NULL);
        return found;
}

static bool
load(struct copy *c, const char *plugin, bool patched)
{
        const char *path = suite_plugin(plugin);

        if (path == NULL || SUITE_TSAN) {
                suite_skip(path == NULL ? "no modules in this build" : "ThreadSanitizer keeps POSIX threads for itself");
                return false;
        }
        c->handle = patched ? green_import_patched(path) : dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (c->handle == NULL) {
                FAIL("%s: %s", path, patched ? green_last_error()->message : dlerror());
                return false;
        }
        *(void **)&c->scenarios = symbol(c, "patch_scenarios");
        *(void **)&c->run = symbol(c, "patch_scenario_run");
        return true;
}

static size_t
green_threads(void)
{
        struct green_hub_info info = {.size = sizeof info};

        CHECK_INT(green_hub_get_info(&info), 0);
        return info.threads;
}

/* Built without exceptions, and with. */
static const char *const plugins[2] = {"patch_threads_green", "patch_threads_green_unwound"};
static struct copy real, green[2];

static const struct patch_scenario *
find(const struct copy *c, const char *name)
{
        const struct patch_scenario *s = c->scenarios();

        while (s->name != NULL && strcmp(s->name, name) != 0)
                s++;
        return s->name == NULL ? NULL : s;
}

static const char unwound[] = "held 1\n"
                              "unlock 0\n"
                              "clean-up outer\n"
                              "variable gone\n"
                              "cancel 0 cancelled 1\n"
                              "free 0\n"
                              "clean-up permit\n"
                              "cancel 0 cancelled 1\n"
                              "state 0 1\n"
                              "cancel 0\n"
                              "wait 0\n"
                              "enabled 1\n"
                              "cancelled 1\n"
                              "cancel 0 cancelled 1\n"
                              "clean-up popped\n"
                              "clean-up deepest\n"
                              "clean-up above\n"
                              "clean-up above\n"
                              "variable of the thread\n"
                              "exit 42\n"
                              "destroyed 3\n";

/* In OS threads, then in green ones. */
static void
compare(const char *name)
{
        struct copy *r = &real, *g = &green[0];
        char by_threads[ROOM], by_green[ROOM];
        size_t before;

        if ((r->handle == NULL && !load(r, "patch_threads_real", false)) ||
            (g->handle == NULL && !load(g, plugins[0], true)))
                return;
        CHECK(find(r, name) != NULL && find(g, name) != NULL);
        r->run(find(r, name), by_threads, ROOM);
        before = green_threads();
        g->run(find(g, name), by_green, ROOM);
        for (int i = 0; i < 10; i++)
                green_sleep(0);
        if (strcmp(by_threads, by_green) != 0)
                FAIL("%s: OS threads said\n%sgreen threads said\n%s", name, by_threads, by_green);
        CHECK_INT(green_threads(), before);
}

static void
threads_begin_and_end(void)
{
        GREEN_COVERS("PATCH-03");
        compare("threads");
}

static void
stacks_are_as_large_as_asked(void)
{
        compare("stacks");
}

static void
mutexes_of_all_types(void)
{
        compare("mutexes");
}

static void
condition_variables(void)
{
        compare("condition variables");
}

static void
read_write_locks(void)
{
        compare("read-write locks");
}

static void
semaphores(void)
{
        compare("semaphores");
}

static void
barriers_and_spin_locks(void)
{
        compare("barriers and spin locks");
}

static void
something_is_done_once(void)
{
        compare("once");
}

static void
what_is_left_undone_is_done_again(void)
{
        char said[ROOM];

        if (green[0].handle == NULL && !load(&green[0], plugins[0], true))
                return;
        green[0].run(find(&green[0], "once left"), said, ROOM);
        CHECK_STR(said, "left 1\nagain 12\n");
}

static void
data_of_a_thread(void)
{
        compare("keys");
}

static void
threads_are_cancelled(void)
{
        compare("cancelling");
}

/*
 * The same with exceptions. What OS threads say was written down: libunwind, which core may be linked with, takes the
 * place of functions of the compiler's library, and glibc does not survive that.
 */
static void
clean_up_is_unwound(void)
{
        char said[ROOM];

        if (green[1].handle == NULL && !load(&green[1], plugins[1], true))
                return;
        green[1].run(find(&green[1], "cancelling"), said, ROOM);
        CHECK_STR(said, unwound);
}

static void
threads_of_c11(void)
{
        compare("threads.h");
}

/* libunwind opens a pipe when the first stack is unwound. */
GREEN_SUITE(net_patch_thread){GREEN_TEST(threads_begin_and_end, .keeps_fds = true),
                              GREEN_TEST(stacks_are_as_large_as_asked),
                              GREEN_TEST(mutexes_of_all_types),
                              GREEN_TEST(condition_variables),
                              GREEN_TEST(read_write_locks),
                              GREEN_TEST(semaphores),
                              GREEN_TEST(barriers_and_spin_locks),
                              GREEN_TEST(something_is_done_once),
                              GREEN_TEST(what_is_left_undone_is_done_again, .keeps_fds = true),
                              GREEN_TEST(data_of_a_thread),
                              GREEN_TEST(threads_are_cancelled, .keeps_fds = true),
                              GREEN_TEST(clean_up_is_unwound, .keeps_fds = true),
                              GREEN_TEST(threads_of_c11, .keeps_fds = true),
                              GREEN_SUITE_END};
