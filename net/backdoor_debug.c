/*
 * What a console shows for the search of a fault: calls, waits, deadlines, OS threads, and a trace.
 */
#include "backdoor_priv.h"

#include <green/debug.h>
#include <green/pool.h>

int
green__backdoor_bt(green_backdoor_console *c, int argc, char **argv)
{
        uint64_t ident = green__backdoor_ident(argv[1]);

        (void)argc;
        if (strcmp(argv[1], "all") == 0)
                return green__backdoor_dump(c, green__backdoor_dump_all, 0, true);
        if (ident == 0)
                return green__backdoor_complain(c, "bt: the number of a green thread, or all");
        return green__backdoor_dump(c, green_debug_dump_one, ident, true);
}

/* Show a text that a function writes as snprintf() does. It is whole before the client is waited for. */
static int
show(green_backdoor_console *c, int (*format)(char *text, size_t size))
{
        int len = format(NULL, 0), rc;
        char *text;

        if (len < 0)
                return green__backdoor_complain(c, "%s", green_strerror(len));
        /* Memory for it may be a mapping more in the list, but no more than that changes in between. */
        text = green_malloc((size_t)len + 1);
        if (text == NULL)
                return green__backdoor_complain(c, "%s", green_strerror(-ENOMEM));
        (void)format(text, (size_t)len + 1);
        rc = green__backdoor_write(c, text, strlen(text));
        green_free(text);
        return rc;
}

int
green__backdoor_listeners(green_backdoor_console *c, int argc, char **argv)
{
        (void)argc;
        (void)argv;
        return show(c, green_debug_format_hub_listeners);
}

int
green__backdoor_timers(green_backdoor_console *c, int argc, char **argv)
{
        (void)argc;
        (void)argv;
        return show(c, green_debug_format_hub_timers);
}

int
green__backdoor_pools(green_backdoor_console *c, int argc, char **argv)
{
        (void)argc;
        (void)argv;
        return show(c, green_debug_format_pools);
}

int
green__backdoor_threads(green_backdoor_console *c, int argc, char **argv)
{
        (void)argc;
        (void)argv;
        return show(c, green_debug_format_threads_info);
}

int
green__backdoor_trace(green_backdoor_console *c, int argc, char **argv)
{
        static const char *const none[] = {NULL};
        bool on = strcmp(argv[1], "on") == 0;
        int rc = 0;

        (void)argc;
        if (!on && strcmp(argv[1], "off") != 0)
                return green__backdoor_complain(c, "usage: trace on|off");
        if (on)
                rc = green_debug_spew(none, true);
        else
                green_debug_unspew();
        if (rc != 0)
                return green__backdoor_complain(c, "trace: %s", green_strerror(rc));
        rc = green_backdoor_printf(c, "trace %s%s\n", argv[1], on ? ": steps go to the log, at level debug" : "");
        return rc < 0 ? rc : 0;
}
