/*
 * The module that `green-net run` has the loader bring along: patches the program before its main(). It has a folder of
 * its own among the modules, exports nothing, and sees what is installed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <green/error.h>
#include <green/log.h>
#include <green/patch.h>

#define MODULE "/patch_preload.so"

/* Children get the environment without this module: its name goes, with the colon or blank before or after it. */
static void
leave_environment(void)
{
        char *all = getenv("LD_PRELOAD"), *name = all == NULL ? NULL : strstr(all, MODULE), *end, *begin;

        if (name == NULL)
                return;
        end = name + strlen(MODULE);
        for (begin = name; begin > all && begin[-1] != ':' && begin[-1] != ' '; begin--)
                ;
        if (*end != '\0')
                end++;
        else if (begin > all)
                begin--;
        memmove(begin, end, strlen(end) + 1);
        if (*all == '\0')
                (void)unsetenv("LD_PRELOAD");
        (void)unsetenv("GREEN_PATCH_GROUPS");
        (void)unsetenv("GREEN_PATCH_CHILDREN");
}

static __attribute__((constructor)) void
patch(void)
{
        const char *groups = getenv("GREEN_PATCH_GROUPS"), *children = getenv("GREEN_PATCH_CHILDREN");
        unsigned long mask = groups == NULL ? GREEN_PATCH_ALL : strtoul(groups, NULL, 10);
        int saved = errno;

        if (green_monkey_patch(((unsigned)mask & GREEN_PATCH_ALL) | GREEN_PATCH_PROGRAM) != 0)
                green_log(GREEN_LOG_WARNING, "green-net: the program runs as it is: %s", green_last_error()->message);
        if (children != NULL && strcmp(children, "0") == 0)
                leave_environment();
        errno = saved;
}
