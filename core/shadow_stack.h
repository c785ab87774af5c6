/*
 * Does the processor keep a second stack of return addresses and compare? Then a stack cannot be switched by moving
 * the stack pointer alone.
 */
#ifndef GREEN_SHADOW_STACK_H
#define GREEN_SHADOW_STACK_H

#include <stdbool.h>

static inline bool
green__shadow_stack(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
        unsigned long ssp = 0;
        __asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0x1e, 0xc8" : "+a"(ssp)); /* rdsspq %rax; a no-op where it is off */
        return ssp != 0;
#elif defined(__aarch64__)
        register unsigned long feature __asm__("x16") = 1;
        __asm__ volatile("hint #40" : "+r"(feature)); /* CHKFEAT: clears the bit where it is on; else a no-op */
        return feature == 0;
#else
        return false;
#endif
}

#endif
