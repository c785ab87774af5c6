/*
 * The slot that the hub of an OS thread is in, on Windows. See hub_here.h.
 */
#include <config.h>

#include "hub_here.h"

#include <stdint.h>

#include <windows.h>
#include <winternl.h>

/* The header reads the thread's block as an array at address 0, of which gcc 12 knows better. */
#pragma GCC diagnostic ignored "-Warray-bounds"

unsigned long green__hub_slot = TLS_OUT_OF_INDEXES;

static __attribute__((constructor(101))) void
take_slot(void)
{
        green__hub_slot = TlsAlloc();
}

/* The lock is in the process's block, where it has always been; its owner's number is in it. */
bool
green__thread_end_is_late(void)
{
        enum { LOCK_AT = 0x110 };
        const char *block = (const char *)NtCurrentTeb()->ProcessEnvironmentBlock;
        const CRITICAL_SECTION *lock = *(CRITICAL_SECTION *const *)(const void *)(block + LOCK_AT);

        return (DWORD)(uintptr_t)lock->OwningThread == GetCurrentThreadId();
}

/* Where there was no slot left in the thread's block. */
struct green__hub **
green__hub_here_slow(void)
{
        static _Thread_local struct green__hub *here;

        return &here;
}
