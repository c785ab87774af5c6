/*
 * Where a suspended stack goes on is not to be told of fibers. See switch_place.h.
 */
#include <config.h>

#include "switch_place.h"

bool
green__place_known(void)
{
        return false;
}

bool
green__context_place(const struct green__context *parked, struct green__place *ret_place)
{
        (void)parked;
        (void)ret_place;
        return false;
}

bool
green__interrupted_place(const void *ucontext, struct green__place *ret_place)
{
        (void)ucontext;
        *ret_place = (struct green__place){0, 0, 0};
        return false;
}
