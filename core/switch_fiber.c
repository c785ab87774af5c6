/*
 * The method "fiber". See switch_fiber.h.
 *
 * A fiber cannot be made to begin again by the system. So the first frame of each keeps a place to jump back to, within
 * its own stack: a green thread that ended, or was forgotten unrun, leaves its fiber wherever it was, and the next one
 * that is given the fiber jumps from there.
 */
#include <config.h>

#include "switch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>

#include <windows.h>

/* The header reads the thread's block as an array at address 0, of which gcc 12 knows better. */
#pragma GCC diagnostic ignored "-Warray-bounds"

/* Of a stack that was not used yet; the system makes it larger page by page. */
enum { COMMIT = 4096 };

/* Back in a fiber of ours: go on, or from the first frame. No frame is given to _setjmp(), so nothing is unwound. */
static inline void
arrive(const struct green__fiber *own)
{
        if (own != NULL && own->begin)
                longjmp(*(jmp_buf *)own->again, 1);
}

void
green__method_switch(struct green__context *from, struct green__context *to)
{
        /* Read before: the one that goes may be freed before its fiber is used again. */
        const struct green__fiber *own = from->own;

        from->handle = GetCurrentFiber();
        SwitchToFiber(to->handle);
        arrive(own);
}

void
green__method_jump(struct green__context *to)
{
        const struct green__fiber *own = GetFiberData();

        SwitchToFiber(to->handle);
        arrive(own);
        abort();
}

int
green__fiber_thread_begin(bool *ret_made)
{
        *ret_made = !IsThreadAFiber();
        if (*ret_made && ConvertThreadToFiberEx(NULL, FIBER_FLAG_FLOAT_SWITCH) == NULL)
                return -ENOMEM;
        return 0;
}

void
green__fiber_thread_end(void)
{
        ConvertFiberToThread();
}

/* The first function of a fiber. */
static void CALLBACK
start(void *data)
{
        struct green__fiber *own = data;
        ULONG_PTR lo, hi;
        jmp_buf again;

        GetCurrentThreadStackLimits(&lo, &hi);
        own->lo = (char *)lo;
        own->hi = (char *)hi;
        own->again = &again;
        if (_setjmp(again, NULL) == 0)
                SwitchToFiber(own->handle);
        own->begin = false;
        green__thread_main();
}

int
green__fiber_make(struct green__fiber *fiber, size_t size)
{
        void *handle = CreateFiberEx(COMMIT, size, FIBER_FLAG_FLOAT_SWITCH, start, fiber);

        if (handle == NULL)
                return -ENOMEM;
        /* While it parks itself this is where it finds the way home. */
        *fiber = (struct green__fiber){.handle = GetCurrentFiber()};
        SwitchToFiber(handle);
        fiber->handle = handle;
        return 0;
}

void
green__fiber_free(struct green__fiber *fiber)
{
        DeleteFiber(fiber->handle);
        *fiber = (struct green__fiber){NULL, NULL, NULL, NULL, false};
}
