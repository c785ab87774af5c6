/*
 * Spawn an empty green thread into a green pool and wait for it; or the same without a pool.
 * green_greenpool [TIMES [pool|plain]]
 */
#include "bench.h"

#include <green/sync.h>

static green_greenpool *pool;

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
                green_thread *gt = pool != NULL ? green_greenpool_spawn(pool, empty, NULL) : green_spawn(empty, NULL);

                bench_check(gt != NULL && green_thread_wait(gt, NULL) == 0, "spawn and wait");
                green_thread_unref(gt);
        }
        return (bench_now() - begin) * 1e9 / (double)times;
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 2000000);

        if (argc <= 2 || strcmp(argv[2], "plain") != 0) {
                pool = green_greenpool_new(GREEN_GREENPOOL_SIZE);
                bench_check(pool != NULL, "green_greenpool_new");
        }
        (void)run(times / 10 + 1);
        bench_print("pool_spawn", "ns", run(times));
        green_greenpool_free(pool);
        return 0;
}
