/*
 * What a console does with a line: green-net's own commands, and those of the application.
 */
#include "backdoor_priv.h"

#include <stdio.h>

static green__backdoor_command help, quit;

/* In alphabetical order, but for what ends a console. */
static const struct green__backdoor_builtin builtins[] = {
        {"bt", "ID|all", "the calls that a green thread is in", 2, 2, false, green__backdoor_bt},
        {"get", "NAME", "show a variable", 2, 2, false, green__backdoor_get},
        {"help", "[NAME]", "what there is", 1, 2, false, help},
        {"hub", "", "the hub of this OS thread", 1, 1, false, green__backdoor_hub},
        {"kill", "ID", "end a green thread", 2, 2, true, green__backdoor_kill},
        {"listeners", "", "waits for descriptors", 1, 1, false, green__backdoor_listeners},
        {"lua", "", "an interpreter, where green-net was built with one", 1, 1, true, green__backdoor_lua},
        {"metrics", "[PART]", "counters; of a name with that in it, buckets too", 1, 2, false, green__backdoor_metrics},
        {"pools", "", "the pools of this OS thread: things, green threads, connections", 1, 1, false, green__backdoor_pools},
        {"ps", "", "the green threads of this OS thread", 1, 1, false, green__backdoor_ps},
        {"set", "NAME VALUE", "change a variable", 3, 3, true, green__backdoor_set},
        {"threads", "", "the OS threads that have a hub", 1, 1, false, green__backdoor_threads},
        {"timers", "", "deadlines", 1, 1, false, green__backdoor_timers},
        {"tpool", "", "the pool of OS threads", 1, 1, false, green__backdoor_tpool},
        {"trace", "on|off", "each step of green threads, to the log", 2, 2, true, green__backdoor_trace},
        {"vars", "", "all variables", 1, 1, false, green__backdoor_vars},
        {"quit", "", "end this console", 1, 1, false, quit},
        {"exit", "", "likewise; the program goes on", 1, 1, false, quit},
};

enum { BUILTINS = sizeof builtins / sizeof builtins[0] };

const struct green__backdoor_builtin *
green__backdoor_builtin(const char *name)
{
        for (size_t i = 0; i < BUILTINS; i++)
                if (strcmp(builtins[i].name, name) == 0)
                        return &builtins[i];
        return NULL;
}

int
green__backdoor_complain(green_backdoor_console *c, const char *format, ...)
{
        char text[512];
        va_list args;
        int n;

        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        n = green_backdoor_printf(c, "error: %s\n", text);
        return n < 0 ? n : 0;
}

/* ---- help, and the end */

static int
help_line(green_backdoor_console *c, const char *name, const char *words, const char *what)
{
        char usage[GREEN__BACKDOOR_NAME + 32];
        int n;

        snprintf(usage, sizeof usage, "%s %s", name, words);
        n = green_backdoor_printf(c, "  %-18s %s\n", usage, what);
        return n < 0 ? n : 0;
}

/* A console that can only look is not told of what it is refused. */
static bool
is_for(const green_backdoor_console *c, bool changes)
{
        return !changes || !c->read_only;
}

static int
help_one(green_backdoor_console *c, const char *name)
{
        const struct green__backdoor_builtin *b = green__backdoor_builtin(name);
        struct green__backdoor_registered r;

        if (b != NULL)
                return help_line(c, b->name, b->words, b->help);
        if (green__backdoor_registered(name, false, &r))
                return help_line(c, r.name, "", r.help);
        return green__backdoor_complain(c, "no such command: %.64s", name);
}

static int
help(green_backdoor_console *c, int argc, char **argv)
{
        struct green__backdoor_registered r = {.name = ""};
        bool first = true;
        int rc = 0;

        if (argc > 1)
                return help_one(c, argv[1]);
        for (size_t i = 0; i < BUILTINS && rc == 0; i++)
                if (is_for(c, builtins[i].changes))
                        rc = help_line(c, builtins[i].name, builtins[i].words, builtins[i].help);
        while (rc == 0 && is_for(c, true) && green__backdoor_registered(r.name, true, &r)) {
                if (first)
                        rc = green__backdoor_write(c, "of the application:\n", 20);
                first = false;
                if (rc == 0)
                        rc = help_line(c, r.name, "", r.help);
        }
        return rc;
}

static int
quit(green_backdoor_console *c, int argc, char **argv)
{
        (void)argc;
        (void)argv;
        c->quit = true;
        return 0;
}

/* ---- running */

static int
run_registered(green_backdoor_console *c, const struct green__backdoor_registered *r, int argc, char **argv)
{
        int rc = r->fn(c, argc, argv, r->arg);

        return rc >= 0 ? 0 : green__backdoor_complain(c, "%s: %s (%s)", r->name, green_strerror(rc), green_errname(rc));
}

static int
run_words(green_backdoor_console *c, int argc, char **argv)
{
        const struct green__backdoor_builtin *b = green__backdoor_builtin(argv[0]);
        struct green__backdoor_registered r;

        if (b == NULL && !green__backdoor_registered(argv[0], false, &r))
                return green__backdoor_complain(c, "no such command: %.64s; \"help\" lists them", argv[0]);
        if (!is_for(c, b == NULL || b->changes))
                return green__backdoor_complain(c, "%s: this console can only look", argv[0]);
        if (b == NULL)
                return run_registered(c, &r, argc, argv);
        if (argc < b->least || argc > b->most)
                return green__backdoor_complain(c, "usage: %s%s%s", b->name, *b->words == '\0' ? "" : " ", b->words);
        return b->run(c, argc, argv);
}

int
green__backdoor_run_line(green_backdoor_console *c, char *line)
{
        char *argv[GREEN__BACKDOOR_WORDS + 1];
        int argc = green__backdoor_split(line, argv, GREEN__BACKDOOR_WORDS);

        if (argc == -EINVAL)
                return green__backdoor_complain(c, "a quote that does not end");
        if (argc == -E2BIG)
                return green__backdoor_complain(c, "too many words: %d at most", GREEN__BACKDOOR_WORDS);
        return argc == 0 ? 0 : run_words(c, argc, argv);
}
