/*
 * Walking stacks without libunwind: by frame pointers, where this library was built with them; where the C library can, it
 * walks the running stack. See debug_walk.h.
 */
#include <config.h>

#include "debug_walk.h"

#include <stdio.h>

#if HAVE_BACKTRACE
#include <execinfo.h>
#endif

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

#if HAVE_BACKTRACE

static int
back(const void **calls, int max, int skip)
{
        void *all[GREEN__CALLS_MAX + 4];
        int n = backtrace(all, max + skip < GREEN__CALLS_MAX + 4 ? max + skip : GREEN__CALLS_MAX + 4) - skip;

        for (int i = 0; i < n; i++)
                calls[i] = all[i + skip];
        return n > 0 ? n : 0;
}

__attribute__((noinline)) int
green__walk_here(const void **calls, int max)
{
        return back(calls, max, 2);
}

/* From the handler on: it, and the frame that the kernel made, come first. */
int
green__walk_interrupted(void *ucontext, const void **calls, int max)
{
        struct green__place place;
        int n = back(calls, max, 0), i = 0;

        if (!green__interrupted_place(ucontext, &place))
                return n;
        while (i < n && (uintptr_t)calls[i] != place.ip)
                i++;
        if (i == n) {
                calls[0] = (const void *)place.ip;
                return 1;
        }
        for (int k = i; k < n; k++)
                calls[k - i] = calls[k];
        return n - i;
}

#else

int
green__walk_here(const void **calls, int max)
{
        const struct green__place place = {
                .sp = (uintptr_t)&place, .fp = (uintptr_t)__builtin_frame_address(0), .ip = 0};

        return green__frames_kept() ? green__walk_frames(&place, NULL, NULL, calls, max) : 0;
}

int
green__walk_interrupted(void *ucontext, const void **calls, int max)
{
        struct green__place place;

        if (!green__interrupted_place(ucontext, &place))
                return 0;
        return green__walk_frames(&place, NULL, NULL, calls, green__frames_kept() ? max : 1);
}

#endif

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
