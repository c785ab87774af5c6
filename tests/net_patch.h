/*
 * What the tests of single files of net/patch/ share: the functions that stand for libc's, called by their tables, so
 * that it does not matter how imports are changed. Each includes it once, in place of net_suite.h.
 */
#ifndef GREEN_TESTS_NET_PATCH_H
#define GREEN_TESTS_NET_PATCH_H

#include "net_suite.h"

#include <time.h>

#include "../net/patch/patch_priv.h"

/* What stands for a function; to be cast to its type. */
MAYBE void (*patched(const struct patch_entry *table, const char *name))(void)
{
        for (const struct patch_entry *e = table; e->name != NULL; e++)
                if (strcmp(e->name, name) == 0)
                        return e->fn;
        FAIL("nothing stands for %s()", name);
        abort();
}

#define PATCHED(table, type, name) ((type)patched(table, name))

MAYBE double
seconds(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

MAYBE void
join(green_thread *gt, int want)
{
        CHECK_INT(green_thread_wait(gt, NULL), want);
        green_thread_unref(gt);
}

#endif
