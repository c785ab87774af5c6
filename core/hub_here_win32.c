/*
 * The slot that the hub of an OS thread is in, on Windows. See hub_here.h.
 */
#include <config.h>

#include "hub_here.h"

#include <windows.h>

unsigned long green__hub_slot = TLS_OUT_OF_INDEXES;

static __attribute__((constructor(101))) void
take_slot(void)
{
        green__hub_slot = TlsAlloc();
}

/* Where there was no slot left in the thread's block. */
struct green__hub **
green__hub_here_slow(void)
{
        static _Thread_local struct green__hub *here;

        return &here;
}
