/* Spawn an empty green thread and wait for it. green_spawn [TIMES] */
#include "bench.h"

#include <green/core.h>

static void *
empty(void *arg)
{
        return arg;
}

static double
run(long times)
{
        double begin = bench_now();

        for (long i = 0; i < times; i++) {
                green_thread *gt = green_spawn(empty, NULL);

                bench_check(gt != NULL && green_thread_wait(gt, NULL) == 0, "spawn and wait");
                green_thread_unref(gt);
        }
        return (bench_now() - begin) * 1e9 / (double)times;
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 2000000);

        (void)run(times / 10 + 1);
        bench_print("spawn", "ns", run(times));
        return 0;
}
