/*
 * Walking stacks on Windows: the running one only, by the system. See debug_walk.h.
 */
#include <config.h>

#include "debug_walk.h"

#include <stdio.h>

#include <windows.h>

const char *
green__walk_by(char *why, size_t size)
{
        snprintf(why, size, "the stacks of others are not walked on Windows");
        return NULL;
}

int
green__walk_parked(const struct green__place *from, const char *lo, const char *hi, const void **calls, int max)
{
        (void)from;
        (void)lo;
        (void)hi;
        (void)calls;
        (void)max;
        return 0;
}

__attribute__((noinline)) int
green__walk_here(const void **calls, int max)
{
        void *all[GREEN__CALLS_MAX];
        int n = RtlCaptureStackBackTrace(1, (ULONG)(max < GREEN__CALLS_MAX ? max : GREEN__CALLS_MAX), all, NULL);

        /* Below the first frame of a fiber it finds nothing, several times. */
        for (int i = 0; i < n; i++) {
                if (all[i] == NULL)
                        return i;
                calls[i] = all[i];
        }
        return n;
}

int
green__walk_interrupted(void *ucontext, const void **calls, int max)
{
        (void)ucontext;
        (void)calls;
        (void)max;
        return 0;
}

void
green__walk_prepare(void)
{
}

bool
green__walk_name(const void *address, char *name, size_t size, size_t *ret_offset)
{
        (void)address;
        (void)name;
        (void)size;
        (void)ret_offset;
        return false;
}
