/*
 * Where there is no fork(). See fork.c.
 */
#include "sched.h"

atomic_bool green__forked;

void
green__fork_install(void)
{
}
