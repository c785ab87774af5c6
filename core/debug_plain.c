/*
 * Walking the running stack without libunwind: by backtrace(), where the C library has it, or frame pointers. See
 * debug_walk.h.
 */
#include <config.h>

#include <string.h>

#include "debug_walk.h"

#if HAVE_BACKTRACE
#include <execinfo.h>
#endif

/* With those who walk, or the handler, and the frame that the kernel made for it. */
enum { ROOM = GREEN__CALLS_MAX + 8 };

static __attribute__((noinline)) int
all_calls(const void **calls)
{
#if HAVE_BACKTRACE
        return backtrace((void **)(uintptr_t)calls, ROOM);
#else
        const struct green__place place = {
                .sp = (uintptr_t)&place, .fp = (uintptr_t)__builtin_frame_address(0), .ip = 0};

        return green__frames_kept() ? green__walk_frames(&place, NULL, NULL, calls, ROOM) : 0;
#endif
}

int
green__plain_from(const void *first, const void **calls, int max)
{
        const void *all[ROOM];
        int n = all_calls(all), i = 0;

        while (i < n && all[i] != first)
                i++;
        n = n - i < max ? n - i : max;
        memcpy(calls, all + i, (size_t)n * sizeof calls[0]);
        return n;
}

int
green__plain_interrupted(void *ucontext, const void **calls, int max)
{
        struct green__place place;
        int n;

        if (!green__interrupted_place(ucontext, &place))
                return 0;
        n = green__plain_from((const void *)place.ip, calls, max);
        return n > 0 ? n : green__walk_frames(&place, NULL, NULL, calls, green__frames_kept() ? max : 1);
}
