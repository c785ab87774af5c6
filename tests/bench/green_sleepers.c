/*
 * Green threads that sleep up to a second each, all at once: process CPU seconds, of a first and of a second wave.
 * green_sleepers [HOW-MANY [LONGEST-IN-MS]]
 */
#include "bench.h"

#include <green/core.h>

static struct green_waitq done;
static long left;

static void *
sleeper(void *arg)
{
        (void)green_sleep((double)(uintptr_t)arg / 1e6);
        if (--left == 0)
                (void)green_wake_one(&done, NULL);
        return NULL;
}

static double
wave(long n, uint32_t longest)
{
        double begin = bench_cpu();
        uint32_t seed = 1;
        struct green_wait w;

        left = n;
        for (long i = 0; i < n; i++) {
                uintptr_t us = (uintptr_t)bench_random(&seed) % longest;

                bench_check(green_spawn_n(sleeper, (void *)us) == 0, "green_spawn_n");
        }
        bench_check(green_park(&done, &w, GREEN_FOREVER) == 0, "green_park");
        return bench_cpu() - begin;
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 100000);
        uint32_t longest = (uint32_t)bench_count(argc, argv, 2, 1000) * 1000;

        bench_print("sleepers_first", "s", wave(n, longest));
        bench_print("sleepers_second", "s", wave(n, longest));
        return 0;
}
