/* Finding a hub by name: names, lists, modules, and the messages for everything that goes wrong. */
#include "config.h"

#include <green/core.h>
#include <green/hub.h>

#include "../core/hub_load.h"
#include "module_files.h"
#include "suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
        PATH_SIZE = 1024,
};

/* A hub of another system. */
#if defined(_WIN32)
#define NOT_BUILT "epoll"
#else
#define NOT_BUILT "iocp"
#endif

/* The last search failed, and its message contains all of these words. */
static bool
failed_with(const void *found, const char *const *words)
{
        const struct green_error *error = green_last_error();
        bool good = CHECK_PTR(found, NULL) && CHECK_INT(error->code, GREEN_EHUB);

        for (; *words != NULL; words++) {
                if (strstr(error->message, *words) == NULL)
                        good = FAIL("\"%s\" is not in \"%s\"", *words, error->message);
        }
        return good;
}

#define CHECK_NOT_FOUND(spec, ...)                                                                                     \
        failed_with(green__hub_find_secure((spec), false), (const char *const[]){__VA_ARGS__, NULL})

/* The path of a test module, copied; false, and the test is skipped, where there are none. */
static bool
plugin(char path[PATH_SIZE], const char *name)
{
        const char *found = suite_plugin(name);

        if (found == NULL) {
                suite_skip("this build has no modules");
                return false;
        }
        snprintf(path, PATH_SIZE, "%s", found);
        return true;
}

/* May this table be called? */
static bool
table_ok(const struct green_hub_ops *ops, char *why, size_t len)
{
        return green__module_check(&green__hub_kind, ops, NULL, why, len);
}

static const char *
name_of(const struct green_hub_ops *ops)
{
        return ops != NULL ? ops->name : NULL;
}

/* Of those in the order of the build; io_uring is never the default. */
static const struct green_hub_ops *
first_that_works(void)
{
#define FIRST_THAT_WORKS(hub)                                                                                          \
        {                                                                                                              \
                extern const struct green_hub_ops green__hub_##hub;                                                    \
                if (strcmp(#hub, "io_uring") != 0 && green__hub_##hub.probe() == 0)                                    \
                        return &green__hub_##hub;                                                                      \
        }
        GREEN_BUILTIN_HUBS(FIRST_THAT_WORKS)
#undef FIRST_THAT_WORKS
        return NULL;
}

/* NULL where all hubs of this build are modules. */
static const char *
first_builtin(void)
{
        return name_of(first_that_works());
}

/* What names a hub that works: one that is linked in, else the path of a module. Valid until the next. */
static const char *
one_that_works(void)
{
        return first_builtin() != NULL ? first_builtin() : suite_plugin("hub_late");
}

static const char *
name_of_one_that_works(void)
{
        return first_builtin() != NULL ? first_builtin() : "late";
}

static void
the_default_is_the_first_that_works(void)
{
        GREEN_COVERS("HUB-03");
        const struct green_hub_ops *ops = green__hub_find(NULL);

        if (first_that_works() == NULL) {
                suite_skip("all hubs of this build are modules");
                return;
        }
        if (!CHECK(ops != NULL))
                return;
        CHECK_PTR(ops, first_that_works());
        CHECK_PTR(green__hub_find(""), ops);
        CHECK_PTR(green__hub_find(ops->name), ops);
        CHECK_INT(ops->probe(), 0);
}

static void
every_builtin_hub_is_whole(void)
{
        char why[256] = "";

#define CHECK_BUILTIN(hub)                                                                                             \
        {                                                                                                              \
                extern const struct green_hub_ops green__hub_##hub;                                                    \
                if (!table_ok(&green__hub_##hub, why, sizeof why))                                                     \
                        FAIL("%s: %s", #hub, why);                                                                     \
                CHECK_STR(green__hub_##hub.name, #hub);                                                                \
        }
        GREEN_BUILTIN_HUBS(CHECK_BUILTIN)
#undef CHECK_BUILTIN
        (void)why; /* where all are modules */
}

static void
an_unknown_name_is_an_error_that_lists_what_there_is(void)
{
        GREEN_COVERS("HUB-06");
        char list[900];

        CHECK(green_module_list(&green__hub_kind, list, sizeof list) < (int)sizeof list);
        CHECK(strstr(list, first_builtin() != NULL ? first_builtin() : "none (built in)") != NULL);
        CHECK_NOT_FOUND("nosuch", "\"nosuch\"", "no hub of that name", list);
        CHECK_INT(errno, -GREEN_EHUB);
        CHECK_NOT_FOUND(NOT_BUILT, "\"" NOT_BUILT "\"", "not part of this build", list);
        if (strstr(list, "kqueue") == NULL)
                CHECK_NOT_FOUND("kqueue", "\"kqueue\"", "for BSD and macOS", list);
}

static void
a_name_has_lower_case_letters_digits_and_underscores(void)
{
        GREEN_COVERS("HUB-05");
        char longest[GREEN_MODULE_NAME_MAX + 2];
        const char *const bad[] = {"Epoll",  " epoll",      "epoll ",  "e-poll",
                                   "lib.so", "package:Hub", "epoll\n", "\xc3\xa9"};

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                CHECK_NOT_FOUND(bad[i], "a name has at most", "there is:");
        memset(longest, 'a', sizeof longest);
        longest[sizeof longest - 1] = '\0';
        CHECK_NOT_FOUND(longest, "a name has at most");
        longest[sizeof longest - 2] = '\0';
        CHECK_NOT_FOUND(longest, "no hub of that name");
}

static void
a_path_of_any_length_is_refused_in_order(void)
{
        char *path = malloc(2 * PATH_MAX);

        if (!CHECK(path != NULL))
                return;
        memset(path, 'a', 2 * PATH_MAX);
        path[0] = '/';
        path[2 * PATH_MAX - 1] = '\0';
        CHECK_NOT_FOUND(path, "the path is too long");
        path[PATH_MAX - 1] = '\0';
        CHECK_NOT_FOUND(path, "it cannot be loaded");
        free(path);
}

static void
a_blank_name_is_an_error(void)
{
        GREEN_COVERS("HUB-06");
        char list[2 * PATH_SIZE];
        const char *const bad[] = {",", ",%s", "%s,", "%s,,%s"};

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
                snprintf(list, sizeof list, bad[i], one_that_works(), one_that_works());
#pragma GCC diagnostic pop
                CHECK_NOT_FOUND(list, "need to specify a hub", "there is:");
        }
}

static void
of_a_list_the_first_that_works_is_taken(void)
{
        GREEN_COVERS("HUB-05");
        char list[PATH_SIZE];

        snprintf(list, sizeof list, "nosuch,%s,nosuch_either", one_that_works());
        CHECK_STR(name_of(green__hub_find(list)), name_of_one_that_works());
        CHECK_NOT_FOUND("nosuch," NOT_BUILT, "\"nosuch\": there is no", "\"" NOT_BUILT "\": it is not part", "there is:");
        /* What is wrong is wrong wherever it stands. */
        snprintf(list, sizeof list, "%s,Nosuch", one_that_works());
        CHECK_NOT_FOUND(list, "\"Nosuch\"", "a name has at most");
}

static void
eventlets_names_lead_to_ours(void)
{
        GREEN_COVERS("HUB-10", "HUB-05");
        CHECK_NOT_FOUND("pyevent", "removed", "\"libevent\"");
        CHECK_NOT_FOUND("epolls", "eventlet's name", "\"epoll\"");
        CHECK_NOT_FOUND("selects", "eventlet's name", "\"select\"");
        CHECK_NOT_FOUND("asyncio", "Python's", "green_hub_embed()");
}

static void
a_module_is_loaded_by_path_and_stays(void)
{
        GREEN_COVERS("HUB-11", "HUB-07");
        char path[PATH_SIZE];
        const struct green_hub_ops *ops;

        if (!plugin(path, "hub_late"))
                return;
        ops = green__hub_find(path);
        CHECK_STR(name_of(ops), "late");
        CHECK_PTR(green__hub_find(path), ops);
}

static void *
find_in_thread(void *path)
{
        return (void *)(uintptr_t)green__hub_find(path);
}

static void
os_threads_find_the_same_module(void)
{
        GREEN_COVERS("HUB-11");
        pthread_t threads[8];
        char path[PATH_SIZE];
        int n = 0;

        if (!plugin(path, "hub_callsback"))
                return;
        while (n < 8 && CHECK_INT(pthread_create(&threads[n], NULL, find_in_thread, path), 0))
                n++;
        while (n > 0) {
                void *ops;

                pthread_join(threads[--n], &ops);
                CHECK(ops != NULL);
                CHECK_PTR(ops, green__hub_find(path));
        }
}

static void
a_module_that_is_wrong_is_refused_and_says_why(void)
{
        GREEN_COVERS("HUB-06", "HUB-07", "HUB-11");
        static const char *const rows[][2] = {
                {"hub_badabi", "it was built for hub interface 99, this is 1"},
                {"hub_badsize", "its table has 24 bytes"},
                {"hub_badwait", "its table has no wait()"},
                {"hub_badcancel", "its table has no cancel()"},
                {"hub_badprobe", "it does not work here"},
                {"hub_badsymbol", "it has no green_hub_module"},
        };
        char path[PATH_SIZE];

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                if (!plugin(path, rows[i][0]))
                        return;
                /* Twice: a refused module is not remembered as a good one. */
                CHECK_NOT_FOUND(path, path, rows[i][1], "there is:");
                CHECK_NOT_FOUND(path, path, rows[i][1], "there is:");
        }
}

static void
a_module_that_cannot_be_read_is_refused_and_says_why(void)
{
        GREEN_COVERS("HUB-06", "HUB-11");
        char path[] = "/tmp/green-hub-XXXXXX";
        int fd = mkstemp(path);

        if (!CHECK(fd >= 0))
                return;
        CHECK_NOT_FOUND(path, path, "it cannot be loaded");
        CHECK(write(fd, "no module\n", 10) == 10);
        CHECK_NOT_FOUND(path, path, "it cannot be loaded");
        close(fd);
        unlink(path);
        CHECK_NOT_FOUND(path, path, "it cannot be loaded");
        CHECK_NOT_FOUND("/", "it cannot be loaded");
}

/* Loading such a file would end the process. */
static void
a_module_that_is_cut_short_is_refused_and_says_why(void)
{
        GREEN_COVERS("HUB-06", "HUB-11");
        char folder[] = "/tmp/green-hub-XXXXXX", copy[64], path[PATH_SIZE];
        size_t needed;

        if (!plugin(path, "hub_late") || !CHECK(mkdtemp(folder) != NULL))
                return;
        needed = module_needed(path);
        snprintf(copy, sizeof copy, "%s/hub_cut" MODULE_END, folder);
        /* Half of it, and wherever else a copy may have ended. */
        for (size_t part = 1; part < 16; part++) {
                if (module_write_part(copy, path, needed * part / 16))
                        CHECK_NOT_FOUND(copy, copy, MODULE_CUT, "there is:");
        }
        if (module_write_part(copy, path, needed - MODULE_SLACK))
                CHECK_NOT_FOUND(copy, copy, MODULE_CUT, "there is:");
        if (module_write_part(copy, path, 32))
                CHECK_NOT_FOUND(copy, copy, "it cannot be loaded", "there is:");
        unlink(copy);
        /* The whole one is fine. */
        if (!MODULE_STAYS && module_write_part(copy, path, needed))
                CHECK_STR(name_of(green__hub_find(copy)), "late");
        unlink(copy);
        CHECK_INT(rmdir(folder), 0);
}

static void
what_is_no_module_is_refused_and_says_why(void)
{
        GREEN_COVERS("HUB-06", "HUB-11");
        char folder[] = "/tmp/green-hub-XXXXXX", path[64], why[256], text[300];

        if (!CHECK(mkdtemp(folder) != NULL))
                return;
        /* Text, with what the system says of it; and a pipe into which nobody writes. */
        snprintf(path, sizeof path, "%s/hub_text" MODULE_END, folder);
        memset(text, 't', sizeof text);
        if (module_write(path, text, sizeof text) && CHECK_PTR(dlopen(path, RTLD_NOW | RTLD_LOCAL), NULL)) {
                snprintf(why, sizeof why, "it cannot be loaded: %s", dlerror());
                CHECK_NOT_FOUND(path, path, why);
        }
        unlink(path);
        if (module_make_pipe(path))
                CHECK_NOT_FOUND(path, path, MODULE_NO_FILE);
        unlink(path);
        CHECK_NOT_FOUND(folder, folder, MODULE_NO_FILE);
        CHECK_INT(rmdir(folder), 0);
}

static void
each_function_of_a_table_is_asked_for(void)
{
        GREEN_COVERS("HUB-07");
        const struct green_hub_ops *whole = green__hub_find(one_that_works());
        struct green_hub_ops ops;
        char why[256];

        if (!CHECK(whole != NULL))
                return;
        ops = *whole;
        CHECK(table_ok(&ops, why, sizeof why));
#define CHECK_ASKED_FOR(function)                                                                                      \
        ops = *whole;                                                                                                  \
        ops.features |= GREEN_HUB_CAN_SUBMIT | GREEN_HUB_CAN_MULTISHOT;                                                \
        ops.release = (void (*)(void *, void *))abort;                                                                 \
        ops.submit = ops.cancel = (int (*)(void *, struct green_op *))abort;                                           \
        CHECK(table_ok(&ops, why, sizeof why));                                                                        \
        ops.function = NULL;                                                                                           \
        CHECK(!table_ok(&ops, why, sizeof why));                                                                       \
        CHECK_STR(why, "its table has no " #function "()")
        CHECK_ASKED_FOR(probe);
        CHECK_ASKED_FOR(init);
        CHECK_ASKED_FOR(add);
        CHECK_ASKED_FOR(modify);
        CHECK_ASKED_FOR(remove);
        CHECK_ASKED_FOR(wait);
        CHECK_ASKED_FOR(wake);
        CHECK_ASKED_FOR(after_fork);
        CHECK_ASKED_FOR(describe);
        CHECK_ASKED_FOR(pollfd);
        CHECK_ASKED_FOR(submit);
        CHECK_ASKED_FOR(cancel);
        CHECK_ASKED_FOR(fini);
        CHECK_ASKED_FOR(release);
#undef CHECK_ASKED_FOR
        ops = *whole;
        ops.name = NULL;
        CHECK(!table_ok(&ops, why, sizeof why));
        ops.name = "not a name";
        CHECK(!table_ok(&ops, why, sizeof why));
        CHECK_STR(why, "its table has no proper name");
        ops = *whole;
        ops.size += 64; /* of a later version, that only adds */
        CHECK(table_ok(&ops, why, sizeof why));
}

static void
a_set_id_program_takes_no_path(void)
{
        GREEN_COVERS("HUB-11");
        const char *const refused[] = {"a set-id program takes names only", "there is:", NULL};
        char list[PATH_SIZE + 32];
        char path[PATH_SIZE];

        if (!plugin(path, "hub_late"))
                return;
        CHECK(!green__sys_is_secure());
        CHECK_STR(green__module_spec_fault("./x", 3, true), "a set-id program takes names only, no paths");
        CHECK_PTR(green__module_spec_fault("./x", 3, false), NULL);
        CHECK_PTR(green__module_spec_fault("x", 1, true), NULL);
        failed_with(green__hub_find_secure(path, true), refused);
        snprintf(list, sizeof list, "%s,%s", name_of_one_that_works(), path);
        failed_with(green__hub_find_secure(list, true), refused);
        failed_with(green__hub_find_secure("./hub_late.so", true), refused);
        CHECK_STR(name_of(green__hub_find_secure(path, false)), "late");
        if (first_builtin() == NULL)
                return;
        CHECK_STR(name_of(green__hub_find_secure(first_builtin(), true)), first_builtin());
        CHECK_STR(name_of(green__hub_find_secure(NULL, true)), first_builtin());
}

/* ---- through the public interface, in programs of their own: this one has chosen */

/*
 * The inside of such a program: GREEN_TEST_CHOOSE is "use:NAME" for a call of green_use_hub(), else anything. It says
 * what came out, "hub: NAME" or "error: MESSAGE".
 */
static void
be_the_child(void)
{
        const char *how = getenv("GREEN_TEST_CHOOSE");
        const char *name = NULL;

        if (how == NULL)
                return;
        if (strncmp(how, "use:", 4) != 0 || green_use_hub(how + 4) == 0)
                name = green_hub_name(NULL);
        if (name != NULL && green_sleep(0.001) == 0)
                printf("hub: %s", name);
        else
                printf("error: %s", green_last_error()->message);
        fflush(stdout);
        _exit(0);
}
GREEN_SUITE_INIT(be_the_child)

/* Runs one; variable is its GREEN_HUB, NULL for none. */
static void
choose(char out[1200], const char *variable, const char *how)
{
        const struct module_variable variables[] = {{"GREEN_HUB", variable}, {"GREEN_TEST_CHOOSE", how}, {NULL, NULL}};

        module_run_self(NULL, variables, out, 1200);
}

static bool
begins_with(const char *text, const char *begin)
{
        return strncmp(text, begin, strlen(begin)) == 0 || FAIL("\"%s\" does not begin with \"%s\"", text, begin);
}

/* The default: this program has no library beside which modules are looked for. */
static bool
is_default(const char *out, const char *want)
{
        return first_builtin() != NULL ? CHECK_STR(out, want) : begins_with(out, "error: no hub works here; ");
}

static void
green_hub_is_read_when_no_name_is_given(void)
{
        GREEN_COVERS("ENV-01", "HUB-04");
        char out[1200], want[64], use_one[PATH_SIZE], path[PATH_SIZE];

        snprintf(use_one, sizeof use_one, "use:%s", one_that_works());
        snprintf(want, sizeof want, "hub: %s", name_of_one_that_works());
        choose(out, NULL, "default");
        is_default(out, want);
        choose(out, "", "default"); /* empty is unset */
        is_default(out, want);
        choose(out, one_that_works(), "default");
        CHECK_STR(out, want);
        choose(out, "nosuch", use_one); /* a name goes before it */
        CHECK_STR(out, want);
        choose(out, "nosuch", "default");
        begins_with(out, "error: hub \"nosuch\": there is no hub of that name; there is: ");
        choose(out, "nosuch", "use:nosuch");
        begins_with(out, "error: hub \"nosuch\": there is no hub of that name; there is: ");
        if (!plugin(path, "hub_late"))
                return;
        choose(out, path, "default");
        CHECK_STR(out, "hub: late");
}

static void
green_use_hub_takes_names_lists_and_paths(void)
{
        GREEN_COVERS("HUB-05", "HUB-06", "HUB-10", "HUB-11");
        char out[1200], want[64], use[PATH_SIZE + 4], path[PATH_SIZE];

        snprintf(want, sizeof want, "hub: %s", name_of_one_that_works());
        snprintf(use, sizeof use, "use:nosuch,%s", one_that_works());
        choose(out, NULL, use);
        CHECK_STR(out, want);
        choose(out, NULL, "use:pyevent");
        begins_with(out, "error: hub \"pyevent\": eventlet removed it");
        choose(out, NULL, "use:,");
        begins_with(out, "error: hub \"\": need to specify a hub");
        if (!plugin(path, "hub_badabi"))
                return;
        snprintf(use, sizeof use, "use:%s", path);
        choose(out, NULL, use);
        CHECK(strstr(out, "hub interface 99, this is 1") != NULL);
        if (!plugin(path, "hub_late"))
                return;
        snprintf(use, sizeof use, "use:%s", path);
        choose(out, NULL, use);
        CHECK_STR(out, "hub: late");
}

static int
works_not(void)
{
        return -ENOSYS;
}

static int
has_no_room(void)
{
        return -EMFILE;
}

static int
works(void)
{
        return 0;
}

/* One that does not work is passed over, as one that was not built is; only where none is left it is an error. */
static void
no_hub_that_works_is_an_error(void)
{
        GREEN_COVERS("HUB-08");
        const char *const words[] = {"no hub works here", "epoll", "kqueue", NULL};
        const struct green_hub_ops epoll = {.name = "epoll", .probe = works_not};
        const struct green_hub_ops kqueue = {.name = "kqueue", .probe = works_not};
        const struct green_hub_ops poll = {.name = "poll", .probe = works};
        const struct green_hub_ops full = {.name = "kqueue", .probe = has_no_room};
        const struct green_module_builtin none[] = {{"epoll", &epoll}, {"kqueue", &kqueue}, {NULL, NULL}};
        const struct green_module_builtin one[] = {
                {"epoll", &epoll}, {"kqueue", &kqueue}, {"poll", &poll}, {NULL, NULL}};
        const struct green_module_builtin passing[] = {
                {"epoll", &epoll}, {"kqueue", &full}, {"poll", &poll}, {NULL, NULL}};
        const char *const modules[] = {NULL};

        failed_with(green__hub_first(none, modules), words);
        CHECK_PTR(green__hub_first(one, modules), &poll);
        failed_with(green__hub_first(passing, modules), words);
}

GREEN_SUITE(core_hub_load){
        GREEN_TEST(the_default_is_the_first_that_works),
        GREEN_TEST(every_builtin_hub_is_whole),
        GREEN_TEST(an_unknown_name_is_an_error_that_lists_what_there_is),
        GREEN_TEST(a_name_has_lower_case_letters_digits_and_underscores),
        GREEN_TEST(a_path_of_any_length_is_refused_in_order),
        GREEN_TEST(a_blank_name_is_an_error),
        GREEN_TEST(of_a_list_the_first_that_works_is_taken),
        GREEN_TEST(eventlets_names_lead_to_ours),
        GREEN_TEST(a_module_is_loaded_by_path_and_stays),
        GREEN_TEST(os_threads_find_the_same_module),
        GREEN_TEST(a_module_that_is_wrong_is_refused_and_says_why),
        GREEN_TEST(a_module_that_cannot_be_read_is_refused_and_says_why),
        GREEN_TEST(a_module_that_is_cut_short_is_refused_and_says_why),
        GREEN_TEST(what_is_no_module_is_refused_and_says_why),
        GREEN_TEST(each_function_of_a_table_is_asked_for),
        GREEN_TEST(a_set_id_program_takes_no_path),
        GREEN_TEST(green_hub_is_read_when_no_name_is_given),
        GREEN_TEST(green_use_hub_takes_names_lists_and_paths),
        GREEN_TEST(no_hub_that_works_is_an_error),
        GREEN_SUITE_END,
};
