/*
 * The hub of the calling OS thread, and how to get at it fast.
 */
#ifndef GREEN_HUB_HERE_H
#define GREEN_HUB_HERE_H

#include <stdbool.h>

struct green__hub;

#define GREEN__TLS __attribute__((tls_model("initial-exec")))

#if defined(_WIN32) && defined(__x86_64__)

/*
 * Compilers for Windows make a call of each access to a thread-local variable, and free them all before the last that
 * wants one has ended. So this one is in a slot of the system's own; a thread's block has 64 of these at a fixed place.
 */
enum { GREEN__SLOTS = 64, GREEN__SLOTS_AT = 0x1480, GREEN__LOCALS_LAST = 0 };

extern unsigned long green__hub_slot; /* set before main() */
struct green__hub **green__hub_here_slow(void);

static inline struct green__hub **
green__hub_here_at(void)
{
        char *block;

        if (__builtin_expect(green__hub_slot >= GREEN__SLOTS, 0))
                return green__hub_here_slow();
        __asm__("movq %%gs:0x30, %0" : "=r"(block));
        return (struct green__hub **)(void *)(block + GREEN__SLOTS_AT) + green__hub_slot;
}

#define green__hub_here (*green__hub_here_at())

/*
 * Does this OS thread end under the system's lock for DLLs? That is so for those that pthread_create() did not make. What
 * waits for another OS thread then may wait for one that wants the lock.
 */
bool green__thread_end_is_late(void);

#else

/* Are thread-local variables there until the process has ended? */
enum { GREEN__LOCALS_LAST = 1 };

extern _Thread_local struct green__hub *green__hub_here GREEN__TLS;

static inline bool
green__thread_end_is_late(void)
{
        return false;
}

#endif

#endif
