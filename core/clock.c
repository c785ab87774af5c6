/*
 * Time: the monotonic clock, the cycle counter, and deadlines.
 */
#include <time.h>

#include "hub_priv.h"

/* Longest time that is counted, in seconds: about 146 years. What is longer is waited for in pieces of it. */
#define LONGEST 4.6e9

int64_t
green__clock_monotonic(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t
green__cycles(void)
{
#if defined(__x86_64__) || defined(__i386__)
        return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
        uint64_t cycles;

        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(cycles));
        return cycles;
#else
        return (uint64_t)green__clock_monotonic();
#endif
}

int64_t
green__deadline(struct green__hub *h, double seconds)
{
        double ns;
        int64_t whole;

        if (seconds >= GREEN_FOREVER)
                return GREEN__NEVER;
        if (seconds <= 0)
                return h->clock();
        if (seconds > LONGEST)
                seconds = LONGEST;
        /* Rounded up: never early. */
        ns = seconds * 1e9;
        whole = (int64_t)ns;
        if ((double)whole < ns)
                whole++;
        return h->clock() + whole;
}
