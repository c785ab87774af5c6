/*
 * See process_owned.h. On Windows a child is waited for by its handle, so nobody can take the end of another's.
 */
#include <config.h>

#include "process_owned.h"

pid_t
green__owned_start(struct green__owned *o, pid_t (*start)(void *arg), void *arg)
{
        (void)o;
        return start(arg);
}

void
green__owned_remove(struct green__owned *o)
{
        (void)o;
}

bool
green__owned_status(struct green__owned *o, int *ret_status)
{
        (void)o;
        (void)ret_status;
        return false;
}
