/* What hubs there are: green_hub_each(), for those that are linked in and, in a child, for a folder full of modules. */
#include "config.h"

#include "core_suite.h"
#include "module_files.h"

enum { MOST = 32 };

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

/* Modules of all kinds. */
static void
fill_folder(const char *folder)
{
        module_put(folder, "hub_other" MODULE_END, "hub_late");
        module_put(folder, "hub_a1" MODULE_END, "hub_badabi");
        module_put(folder, "hub_b2" MODULE_END, "hub_badprobe");
        module_put(folder, "hub_c3" MODULE_END, "hub_badsymbol");
        module_put(folder, "hub_empty" MODULE_END, NULL);
        module_put(folder, "hub_epoll" MODULE_END, "hub_late");
        /* No modules: their names are none. */
        module_put(folder, "hub_Bad" MODULE_END, "hub_late");
        module_put(folder, "hub_" MODULE_END, "hub_late");
        module_put(folder, "readme", NULL);
}

static void
modules_come_by_name_each_with_its_reason(void)
{
        const struct module_variable list[] = {{"GREEN_TEST_LIST", "1"}, {NULL, NULL}};
        char tmp[] = "/tmp/green-hubs-XXXXXX", folder[MODULE_PATH] = "", out[8192], begin[MODULE_PATH + 80];
        bool epoll = false;
        int builtins = 0;

        GREEN_COVERS("HUB-06", "HUB-07", "HUB-11");
#define COUNT(hub) builtins++, epoll = epoll || strcmp(#hub, "epoll") == 0;
        GREEN_BUILTIN_HUBS(COUNT)
#undef COUNT
        if (!CHECK(mkdtemp(tmp) != NULL))
                return;
        if (module_make_folder(tmp, folder)) {
                fill_folder(folder);
                module_run_self(tmp, list, out, sizeof out);
#define CHECK_MODULE(name, code, words)                                                                                \
        snprintf(begin, sizeof begin, "%s %s/hub_%s" MODULE_END " %d", name, folder, name, code);                                 \
        module_check_line(out, begin, words)
                CHECK_MODULE("a1", GREEN_EHUB, "it was built for hub interface 99, this is 1");
                CHECK_MODULE("b2", -ENOSYS, "it does not work here: Function not implemented");
                CHECK_MODULE("c3", GREEN_EHUB, "it has no green_hub_module");
                CHECK_MODULE("empty", GREEN_EHUB, "it cannot be loaded");
                CHECK_MODULE("other", 0, "works");
                CHECK_MODULE("epoll", epoll ? GREEN_EHUB : 0, epoll ? "one of that name is linked in" : "works");
#undef CHECK_MODULE
                CHECK(strstr(out, "hub_Bad") == NULL);
                snprintf(begin, sizeof begin, "%d", builtins + 6);
                module_check_line(out, begin, begin);
                /* Messages list them, too. */
                snprintf(begin, sizeof begin, "; a1, b2, c3, empty, epoll, other (in %s)", folder);
                module_check_line(out, "hub \"nosuch\": there is no hub of that name", begin);
        }
        module_remove_all(tmp);
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
