/*
 * Time: the cycle counter, and deadlines. The monotonic clock is in clock_posix.c or clock_win32.c.
 */
#include "hub_priv.h"

/* Longest time that is counted, in seconds: about 146 years. What is longer is waited for in pieces of it. */
#define LONGEST 4.6e9

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

/*
 * Reading the clock costs more than all the rest of setting a timer. So, where the kernel itself tells time by the cycle
 * counter, the time is told by that for WINDOW nanoseconds after each reading of the clock. What is told is never before
 * the real time, or a timer could fire early: the counter is read before the clock, and its rate is taken for RATE_UP
 * higher than it is, which makes timers late by WINDOW * RATE_UP at most, a microsecond.
 */
enum { WINDOW = 100000, MEASURE = 10000000, BRACKET = 2000 };
#define RATE_UP 0.01

/* Read counter and clock at the same time, or as good as. */
static bool
read_both(uint64_t *ret_cycles, int64_t *ret_time)
{
        int64_t before = green__clock_monotonic();

        *ret_cycles = green__cycles();
        *ret_time = green__clock_monotonic();
        return *ret_time - before < BRACKET;
}

void
green__ticks_begin(struct green__hub *h, bool trusted)
{
        h->ticks = (struct green__ticks){0};
        if (trusted && !read_both(&h->ticks.first_cycles, &h->ticks.first_time))
                h->ticks.first_cycles = 0;
}

void
green__ticks_calibrate(struct green__hub *h)
{
        struct green__ticks *t = &h->ticks;
        double rate;
        uint64_t cycles;
        int64_t time;

        if (t->first_cycles == 0 || !read_both(&cycles, &time) || time - t->first_time < MEASURE)
                return;
        rate = (double)(time - t->first_time) / (double)(cycles - t->first_cycles);
        t->rate = (uint64_t)(rate * (1 + RATE_UP) * (1 << 20)) + 1;
        t->cycles = 0;
        t->window = (uint64_t)(WINDOW / rate);
}

/* The time, or up to a microsecond later; never before it, and never before what was told last. */
static int64_t
now_or_later(struct green__hub *h)
{
        struct green__ticks *t = &h->ticks;
        uint64_t passed;
        int64_t now;

        if (green__unlikely(t->window == 0 || h->clock != green__clock_monotonic)) {
                now = h->clock();
                /* One who never polls sets timers, too. */
                if (t->first_cycles != 0 && now - t->first_time >= MEASURE && h->clock == green__clock_monotonic)
                        green__ticks_calibrate(h);
                return now;
        }
        passed = green__cycles() - t->cycles;
        if (green__unlikely(passed >= t->window)) {
                t->cycles = green__cycles();
                t->time = green__clock_monotonic();
                passed = 0;
        }
        now = t->time + (int64_t)(passed * t->rate >> 20);
        if (now < t->last)
                now = t->last;
        t->last = now;
        return now;
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
        return now_or_later(h) + whole;
}
