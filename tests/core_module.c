/* core/module*.c: modules of a kind that only this test has. Their files are the plug-ins that are made for hubs. */
#include <green/core.h>

#include "module_files.h"
#include "suite.h"

#include <errno.h>

enum { CODE = -4321, TEXT = 1200 };

/* What check() was called with, and whether it shall refuse. */
static struct {
        int calls;
        const void *table;
        char name[40]; /* "-": a path */
        bool refuses;
} seen;

static bool
check(const void *table, const char *name, char *why, size_t len)
{
        seen.calls++;
        seen.table = table;
        snprintf(seen.name, sizeof seen.name, "%s", name == NULL ? "-" : name);
        if (seen.refuses)
                snprintf(why, len, "it is refused");
        return !seen.refuses;
}

static const struct green_module_head inside = {GREEN_HUB_ABI, sizeof(struct green_hub_ops), "anything"};
static const struct green_module_head old = {GREEN_HUB_ABI - 1, sizeof(struct green_hub_ops), "old"};
static const struct green_module_builtin builtins[] = {{"inside", &inside}, {"old", &old}, {NULL, NULL}};
static const struct green_module_builtin no_builtins[] = {{NULL, NULL}};
static const struct green_module_hint hints[] = {{"missing", "it was never made"}, {NULL, NULL}};

static const struct green_module_kind trial = {.size = sizeof trial,
                                               .what = "trial",
                                               .prefix = "trial_",
                                               .symbol = "green_hub_module",
                                               .abi = GREEN_HUB_ABI,
                                               .table_size = sizeof(struct green_hub_ops),
                                               .code = CODE,
                                               .builtins = builtins,
                                               .hints = hints,
                                               .check = check};

/* It cannot be opened: the message begins and goes on so, then has what there is. Nothing is given back. */
static void
check_refused(const struct green_module_kind *kind, const char *spec, const char *why)
{
        struct green_module module = {&module, &module};
        char want[TEXT], list[TEXT / 2];
        const char *message;

        CHECK_INT(green_module_open(kind, spec, &module), CODE);
        CHECK_INT(errno, -CODE);
        CHECK_INT(green_last_error()->code, CODE);
        CHECK(module.table == &module && module.handle == &module);
        message = green_last_error()->message;
        snprintf(want, sizeof want, "trial \"%.100s\": %s", spec, why);
        if (strncmp(message, want, strlen(want)) != 0)
                FAIL("\"%s\" does not begin with \"%s\"", message, want);
        CHECK(green_module_list(kind, list, sizeof list) > 0);
        snprintf(want, sizeof want, "; there is: %s", list);
        if (strstr(message, want) == NULL)
                FAIL("\"%s\" is not in \"%s\"", want, message);
}

/* The path of a plug-in of the tests; false, and the test is skipped, where there are none. */
static bool
plugin(char path[MODULE_PATH], const char *name)
{
        const char *found = suite_plugin(name);

        if (found == NULL) {
                suite_skip("this build has no modules");
                return false;
        }
        snprintf(path, MODULE_PATH, "%s", found);
        return true;
}

/* A file in a folder of its own, for copies of the plug-in; end_copy() removes both. */
struct copy {
        char folder[32], path[64], plugin[MODULE_PATH];
        size_t len;
};

static bool
begin_copy(struct copy *copy)
{
        struct stat st;

        if (!plugin(copy->plugin, "hub_late") || !CHECK_INT(stat(copy->plugin, &st), 0))
                return false;
        snprintf(copy->folder, sizeof copy->folder, "/tmp/green-module-XXXXXX");
        if (!CHECK(mkdtemp(copy->folder) != NULL))
                return false;
        snprintf(copy->path, sizeof copy->path, "%s/copy.so", copy->folder);
        copy->len = (size_t)st.st_size;
        return true;
}

static void
end_copy(const struct copy *copy)
{
        unlink(copy->path);
        CHECK_INT(rmdir(copy->folder), 0);
}

static bool
is_loaded(const char *path)
{
        void *handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);

        if (handle != NULL)
                dlclose(handle);
        return handle != NULL;
}

static void
one_is_opened_by_its_path_and_given_back(void)
{
        struct green_module one, two;
        const struct green_hub_ops *ops;
        struct copy copy;

        if (!begin_copy(&copy))
                return;
        if (!module_write_part(copy.path, copy.plugin, copy.len) ||
            !CHECK_INT(green_module_open(&trial, copy.path, &one), 0)) {
                end_copy(&copy);
                return;
        }
        CHECK(one.table != NULL && one.handle != NULL);
        CHECK_PTR(seen.table, one.table);
        CHECK_STR(seen.name, "-");
        ops = one.table;
        CHECK_STR(ops->name, "late");
        /* It is counted. */
        CHECK_INT(green_module_open(&trial, copy.path, &two), 0);
        CHECK_PTR(two.table, one.table);
        green_module_close(&one);
        CHECK(one.table == NULL && one.handle == NULL);
        CHECK(is_loaded(copy.path));
        CHECK_INT(ops->abi, GREEN_HUB_ABI);
        green_module_close(&two);
#if defined(__GLIBC__) || defined(_WIN32)
        CHECK(!is_loaded(copy.path));
#endif
        green_module_close(&two);
        green_module_close(NULL);
        end_copy(&copy);
}

/* Loading such a file would end the process. */
static void
a_file_that_is_cut_short_is_refused(void)
{
        struct copy copy;
        size_t needed;

        if (!begin_copy(&copy))
                return;
        needed = module_needed(copy.plugin);
        for (size_t part = 1; part < 32; part++)
                if (module_write_part(copy.path, copy.plugin, needed * part / 32))
                        check_refused(&trial, copy.path, MODULE_CUT);
        if (module_write_part(copy.path, copy.plugin, needed - MODULE_SLACK))
                check_refused(&trial, copy.path, MODULE_CUT);
        /* Too short to know what it was. */
        if (module_write_part(copy.path, copy.plugin, 16))
                check_refused(&trial, copy.path, "it cannot be loaded: ");
        end_copy(&copy);
}

static void
what_is_no_module_is_refused(void)
{
        struct copy copy;
        char text[300];

        if (!begin_copy(&copy))
                return;
        check_refused(&trial, copy.path, MODULE_MISSING);
        memset(text, 't', sizeof text);
        if (module_write(copy.path, text, sizeof text))
                check_refused(&trial, copy.path, "it cannot be loaded: ");
        unlink(copy.path);
        if (module_make_pipe(copy.path))
                check_refused(&trial, copy.path, MODULE_NO_FILE);
        check_refused(&trial, copy.folder, MODULE_NO_FILE);
        end_copy(&copy);
}

/* What was refused does not stay, either. */
static void
check_refused_and_gone(const struct green_module_kind *kind, const char *path, const char *why)
{
        check_refused(kind, path, why);
#if defined(__GLIBC__) || defined(_WIN32)
        CHECK(!is_loaded(path));
#endif
}

static void
a_table_that_does_not_fit_is_refused(void)
{
        static const char *const rows[][2] = {
                {"hub_badabi", "it was built for trial interface 99, this is 1;"},
                {"hub_badsize", "its table has 24 bytes, "},
                {"hub_badsymbol", "it is no trial: it has no green_hub_module;"},
                {"tls_badtable", "it is no trial: it has no green_hub_module;"},
        };
        struct green_module_kind kind = trial;
        char path[MODULE_PATH];

        seen.calls = 0;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                if (!plugin(path, rows[i][0]))
                        return;
                check_refused_and_gone(&trial, path, rows[i][1]);
        }
        CHECK_INT(seen.calls, 0);
        if (!plugin(path, "hub_badwait"))
                return;
        /* Nothing is wrong with its head: so check() is asked. */
        seen.refuses = true;
        check_refused_and_gone(&trial, path, "it is refused;");
        seen.refuses = false;
        CHECK_INT(seen.calls, 1);
        kind.symbol = "no_such_symbol";
        check_refused_and_gone(&kind, path, "it is no trial: it has no no_such_symbol;");
        kind = trial;
        kind.table_size = sizeof(struct green_hub_ops) + 8;
        check_refused_and_gone(&kind, path, "its table has ");
}

static void
what_is_linked_in_is_found_by_its_name(void)
{
        struct green_module module;

        seen.calls = 0;
        if (!CHECK_INT(green_module_open(&trial, "inside", &module), 0))
                return;
        CHECK_PTR(module.table, &inside);
        CHECK_PTR(module.handle, NULL);
        CHECK_INT(seen.calls, 1);
        CHECK_STR(seen.name, "inside");
        green_module_close(&module);
        CHECK_PTR(module.table, NULL);
        check_refused(&trial, "old", "it was built for trial interface 0, this is 1;");
        seen.refuses = true;
        check_refused(&trial, "inside", "it is refused;");
        seen.refuses = false;
}

static void
a_name_that_nothing_has_is_an_error_that_lists_what_there_is(void)
{
        struct green_module_kind kind = trial;

        check_refused(&trial, "nosuch", "there is no trial of that name; there is: inside, old (built in)");
        check_refused(&trial, "missing", "it was never made; there is: ");
        kind.hints = NULL;
        check_refused(&kind, "missing", "there is no trial of that name; ");
        kind.builtins = NULL;
        check_refused(&kind, "inside", "there is no trial of that name; there is: none (in ");
}

static void
what_is_neither_name_nor_path_is_an_error(void)
{
        static const char *const bad[] = {"",          " ",   "Inside", "inside ", "in-side",
                                          "inside.so", "a,b", "..",     "\xc3\xa9"};
        char longest[GREEN_MODULE_NAME_MAX + 2], *path = malloc(2 * PATH_MAX);

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                check_refused(&trial, bad[i],
                              "a name has at most 32 lower-case letters, digits and _; a path has a slash;");
                CHECK_INT(green_module_path(&trial, bad[i], NULL, 0), -EINVAL);
        }
        memset(longest, 'a', sizeof longest);
        longest[sizeof longest - 1] = '\0';
        check_refused(&trial, longest, "a name has at most 32 ");
        check_refused(&trial, longest + 1, "there is no trial of that name;");
        if (!CHECK(path != NULL))
                return;
        memset(path, '/', 2 * PATH_MAX);
        path[2 * PATH_MAX - 1] = '\0';
        check_refused(&trial, path, "the path is too long;");
        free(path);
}

static void
nothing(const char *name, void *arg)
{
        (void)name;
        (void)arg;
}

static void
a_kind_that_is_not_whole_is_refused(void)
{
        struct green_module_kind kinds[6], kind = trial;
        struct green_module module;

        for (size_t i = 0; i < 6; i++)
                kinds[i] = trial;
        kinds[0].size = 0;
        kinds[1].size = sizeof trial + 8;
        kinds[2].what = NULL;
        kinds[3].prefix = NULL;
        kinds[4].symbol = NULL;
        kinds[5].code = 0;
        for (size_t i = 0; i < 7; i++) {
                const struct green_module_kind *bad = i < 6 ? &kinds[i] : NULL;

                CHECK_INT(green_module_open(bad, "inside", &module), -EINVAL);
                CHECK_INT(green_module_path(bad, "inside", NULL, 0), -EINVAL);
                CHECK_INT(green_module_list(bad, NULL, 0), -EINVAL);
                CHECK_INT(green_module_each(bad, nothing, NULL), -EINVAL);
        }
        CHECK_INT(green_module_open(&trial, NULL, &module), -EINVAL);
        CHECK_INT(green_module_open(&trial, "inside", NULL), -EINVAL);
        CHECK_INT(green_module_path(&trial, NULL, NULL, 0), -EINVAL);
        CHECK_INT(green_module_each(&trial, NULL, NULL), -EINVAL);
        /* One of a header that had no check() yet. */
        kind.size = offsetof(struct green_module_kind, check);
        seen.calls = 0;
        CHECK_INT(green_module_open(&kind, "inside", &module), 0);
        CHECK_INT(seen.calls, 0);
}

static void
texts_are_cut_and_not_overrun(void)
{
        struct green_module_kind kind = trial;
        char want[TEXT], part[TEXT];
        int len;

        snprintf(want, sizeof want, "inside, old (built in)");
        len = (int)strlen(want);
        CHECK_INT(green_module_list(&trial, NULL, 0), len);
        CHECK_INT(green_module_list(&trial, NULL, 100), len);
        for (int room = 1; room <= len + 1; room++) {
                memset(part, '#', sizeof part);
                CHECK_INT(green_module_list(&trial, part, (size_t)room), len);
                CHECK_INT(strlen(part), room - 1);
                CHECK(strncmp(part, want, (size_t)room - 1) == 0);
                CHECK_INT(part[room], '#');
        }
        kind.builtins = no_builtins;
        CHECK(green_module_list(&kind, part, sizeof part) > 0);
        CHECK_STR(part, "none (built in)");
        kind.builtins = NULL;
        snprintf(want, sizeof want, "none (in %s)", green_module_folder());
        CHECK(green_module_list(&kind, part, sizeof part) > 0);
        CHECK_STR(part, want);

        snprintf(want, sizeof want, "%s/trial_one" MODULE_END, green_module_folder());
        len = (int)strlen(want);
        CHECK_INT(green_module_path(&trial, "one", NULL, 0), len);
        CHECK_INT(green_module_path(&trial, "one", part, sizeof part), len);
        CHECK_STR(part, want);
        memset(part, '#', sizeof part);
        CHECK_INT(green_module_path(&trial, "one", part, 5), len);
        CHECK_INT(strlen(part), 4);
        CHECK_INT(part[5], '#');
}

/* ---- the folder: the library looks for it beside itself, so a child is given a library elsewhere */

static void
open_it(const char *name, void *arg)
{
        struct green_module module;
        int rc = green_module_open(&trial, name, &module);

        (void)arg;
        printf("%s %d %s\n", name, rc, rc == 0 ? "is open" : green_last_error()->message);
        if (rc == 0)
                green_module_close(&module);
}

static void
be_the_child(void)
{
        struct green_module_kind bare = trial;
        char text[TEXT];

        if (getenv("GREEN_TEST_FOLDER") == NULL)
                return;
        printf("folder %s\n", green_module_folder());
        printf("%d of them\n", green_module_each(&trial, open_it, NULL));
        open_it("nosuch", NULL);
        open_it("inside", NULL);
        (void)green_module_list(&trial, text, sizeof text);
        printf("there is %s\n", text);
        bare.builtins = NULL;
        (void)green_module_list(&bare, text, sizeof text);
        printf("bare: %s\n", text);
        fflush(stdout);
        _exit(0);
}

GREEN_SUITE_INIT(be_the_child)

static void
fill_folder(const char *folder)
{
        module_put(folder, "trial_two" MODULE_END, "hub_late");
        module_put(folder, "trial_abi" MODULE_END, "hub_badabi");
        module_put(folder, "trial_none" MODULE_END, NULL);
        module_put(folder, "trial_inside" MODULE_END, "hub_badabi"); /* never looked at: one is linked in */
        /* Of another kind, or none at all. */
        module_put(folder, "hub_late" MODULE_END, "hub_late");
        module_put(folder, "trial_" MODULE_END, "hub_late");
        module_put(folder, "trial_Two" MODULE_END, "hub_late");
        module_put(folder, "trial_three.txt", "hub_late");
        module_put(folder, "trial_an_endless_name_for_a_module_that" MODULE_END, "hub_late");
        module_put(folder, "readme", NULL);
}

/* This ends the list of what there is, too: in the order of names. */
#define FILES "abi, inside, none, two (in %s)"

static void
names_are_looked_for_in_the_folder(void)
{
        const struct module_variable list[] = {{"GREEN_TEST_FOLDER", "1"}, {NULL, NULL}};
        char tmp[] = "/tmp/green-modules-XXXXXX", folder[MODULE_PATH] = "", out[8192], line[MODULE_PATH + 80];

        if (!CHECK(mkdtemp(tmp) != NULL))
                return;
        if (module_make_folder(tmp, folder)) {
                fill_folder(folder);
                module_run_self(tmp, list, out, sizeof out);
                snprintf(line, sizeof line,
                         "folder %s\nabi %d trial \"abi\": it was built for trial interface 99, this is 1; ", folder,
                         CODE);
                module_check_line(out, line, "");
                module_check_line(out, "inside 0", "is open");
                module_check_line(out, "none -4321 trial \"none\": it cannot be loaded: ", "");
                module_check_line(out, "two 0", "is open");
                module_check_line(out, "4 of them\nnosuch -4321 ", "");
                snprintf(line, sizeof line, "there is no trial of that name; there is: inside, old (built in); " FILES,
                         folder);
                module_check_line(out, "nosuch -4321 trial \"nosuch\": ", line);
                snprintf(line, sizeof line, "there is inside, old (built in); " FILES "\n", folder);
                module_check_line(out, line, "");
                snprintf(line, sizeof line, "bare: " FILES "\n", folder);
                module_check_line(out, line, "");
        }
        module_remove_all(tmp);
}

GREEN_SUITE(core_module){GREEN_TEST(one_is_opened_by_its_path_and_given_back),
                         GREEN_TEST(a_file_that_is_cut_short_is_refused),
                         GREEN_TEST(what_is_no_module_is_refused),
                         GREEN_TEST(a_table_that_does_not_fit_is_refused),
                         GREEN_TEST(what_is_linked_in_is_found_by_its_name),
                         GREEN_TEST(a_name_that_nothing_has_is_an_error_that_lists_what_there_is),
                         GREEN_TEST(what_is_neither_name_nor_path_is_an_error),
                         GREEN_TEST(a_kind_that_is_not_whole_is_refused),
                         GREEN_TEST(texts_are_cut_and_not_overrun),
                         GREEN_TEST(names_are_looked_for_in_the_folder),
                         GREEN_SUITE_END};
