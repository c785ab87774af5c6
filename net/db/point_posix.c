/*
 * A point in numbers: POSIX. See point.h.
 */
#include <langinfo.h>
#include <string.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include "point.h"

bool
green__point_begin(struct green__point *p)
{
        locale_t own;

        if (strcmp(nl_langinfo(RADIXCHAR), ".") == 0)
                return false;
        own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (own == (locale_t)0)
                return false;
        p->own = own;
        p->old = uselocale(own);
        return true;
}

void
green__point_end(struct green__point *p)
{
        (void)uselocale(p->old);
        freelocale(p->own);
}
