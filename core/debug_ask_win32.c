/*
 * What an OS thread is in, on Windows: it is held while somebody looks.
 *
 * Its calls are not walked: that takes locks of the system, which it may hold. The address that it is at has to do.
 */
#include "debug_ask.h"

#include <windows.h>

static struct green__asked seen;

const struct green__asked *
green__ask(struct green__hub *h)
{
        HANDLE thread = pthread_gethandle(h->os_thread);
        CONTEXT registers = {.ContextFlags = CONTEXT_CONTROL};
        bool known;

        if (thread == NULL || SuspendThread(thread) == (DWORD)-1)
                return NULL;
        /* The system may only hold it some time later; to ask for its registers waits for that. */
        known = GetThreadContext(thread, &registers) != 0;
        if (known)
                green__asked_fill(&seen, h);
        ResumeThread(thread);
        if (!known)
                return NULL;
        seen.calls[0] = (const void *)(uintptr_t)registers.Rip;
        seen.count = 1;
        return &seen;
}

int
green__ask_begin(pthread_t *ret_thread, void *(*fn)(void *arg), void *arg)
{
        return pthread_create(ret_thread, NULL, fn, arg);
}

void
green__ask_end(void)
{
}

void
green__ask_after_fork(void)
{
}
