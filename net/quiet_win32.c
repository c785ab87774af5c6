/*
 * Calls without their signal: Windows raises none. See <green/quiet.h>.
 */
#include <config.h>

#include <green/quiet.h>

void
green_quiet_begin(struct green_quiet *q, int signo)
{
        (void)q;
        (void)signo;
}

void
green_quiet_end(struct green_quiet *q, bool raised)
{
        (void)q;
        (void)raised;
}
