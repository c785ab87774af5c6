/*
 * Walking stacks in a build without libunwind: parked ones by frame pointers, if it has them. See debug_walk.h.
 */
#include <config.h>

#include "debug_walk.h"

#include <stdio.h>

const char *
green__walk_by(char *why, size_t size)
{
        if (green__frames_kept() && green__place_known())
                return "frame pointers";
        snprintf(why, size, "%s",
                 green__frames_kept() ? "the context method hides where they go on"
                                      : "this build has neither libunwind nor frame pointers");
        return NULL;
}

int
green__walk_parked(const struct green__place *from, const char *lo, const char *hi, const void **calls, int max)
{
        return green__frames_kept() ? green__walk_frames(from, lo, hi, calls, max) : 0;
}

__attribute__((noinline)) int
green__walk_here(const void **calls, int max)
{
        return green__plain_from(__builtin_return_address(0), calls, max);
}

int
green__walk_interrupted(void *ucontext, const void **calls, int max)
{
        return green__plain_interrupted(ucontext, calls, max);
}

/* backtrace() loads a library the first time, which is nothing for a signal handler. */
void
green__walk_prepare(void)
{
        const void *calls[2];

        (void)green__walk_here(calls, 2);
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
