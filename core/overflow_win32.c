/*
 * A word before a process dies of a green thread's stack overflow, on Windows.
 *
 * The system keeps some pages of each stack back, and makes them a part of it when it raises the exception. The handler
 * runs on them: it is called before all others, writes, and lets the search go on.
 */
#include <config.h>

#include "overflow.h"

#include <errno.h>
#include <stdatomic.h>

#include <pthread.h>
#include <windows.h>

#include <green/debug.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool wanted = true; /* not switched off */
static bool asked;                /* there is a hub to install it for */
static void *installed;
static struct green__overflow_text text; /* not on a stack that is full; who comes second writes over it, and dies too */

static LONG CALLBACK
handler(EXCEPTION_POINTERS *exception)
{
        struct green__overflow_who who = {.name = NULL};
        const struct green__stack *stack;
        DWORD written;

        if (exception->ExceptionRecord->ExceptionCode != EXCEPTION_STACK_OVERFLOW || !wanted)
                return EXCEPTION_CONTINUE_SEARCH;
        stack = green__overflow_current(&who.name, &who.where, &who.id);
        if (stack != NULL) {
                green__overflow_write(&text, stack, &who);
                (void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), text.bytes, (DWORD)text.len, &written, NULL);
        }
        return EXCEPTION_CONTINUE_SEARCH;
}

int
green__overflow_install(void)
{
        pthread_mutex_lock(&lock);
        asked = true;
        if (wanted && installed == NULL)
                installed = AddVectoredExceptionHandler(1, handler);
        int err = wanted && installed == NULL ? -ENOMEM : 0;
        pthread_mutex_unlock(&lock);
        return err;
}

bool
green_debug_overflow_handler(bool on)
{
        pthread_mutex_lock(&lock);
        bool was = wanted;
        wanted = on;
        if (on && asked && installed == NULL) {
                installed = AddVectoredExceptionHandler(1, handler);
        } else if (!on && installed != NULL) {
                RemoveVectoredExceptionHandler(installed);
                installed = NULL;
        }
        pthread_mutex_unlock(&lock);
        return was;
}

/* Handlers have no stack of their own here. */
void
green__overflow_thread_init(void **ret_altstack)
{
        *ret_altstack = NULL;
}

void
green__overflow_thread_fini(void *altstack)
{
        (void)altstack;
}
