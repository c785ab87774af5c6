/*
 * A point in numbers: Windows. See point.h.
 *
 * There a locale is the process's, unless an OS thread says that it has its own.
 */
#include <stdlib.h>
#include <string.h>

#include "point.h"

enum { WAS_OWN = 1, WAS_SHARED = 2 };

static char marks[3];

bool
green__point_begin(struct green__point *p)
{
        int before;

        if (strcmp(localeconv()->decimal_point, ".") == 0)
                return false;
        p->old = _strdup(setlocale(LC_NUMERIC, NULL));
        if (p->old == NULL)
                return false;
        before = _configthreadlocale(_ENABLE_PER_THREAD_LOCALE);
        p->own = &marks[before == _ENABLE_PER_THREAD_LOCALE ? WAS_OWN : WAS_SHARED];
        (void)setlocale(LC_NUMERIC, "C");
        return true;
}

void
green__point_end(struct green__point *p)
{
        (void)setlocale(LC_NUMERIC, p->old);
        free(p->old);
        if (p->own == &marks[WAS_SHARED])
                (void)_configthreadlocale(_DISABLE_PER_THREAD_LOCALE);
}
