/*
 * Where no signal can be sent to an OS thread. See debug_signal.c.
 */
#include "debug_priv.h"

int
green_debug_dump_on_signal(int sig, bool on)
{
        (void)on;
        return sig <= 0 ? -EINVAL : -ENOTSUP;
}
