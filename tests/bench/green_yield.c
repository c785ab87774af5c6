/* N green threads that yield: nanoseconds from one to the next. green_yield [YIELDS] */
#include "bench.h"

#include <green/core.h>

static long each;

static void *
yielder(void *arg)
{
        for (long i = 0; i < each; i++)
                (void)green_sleep(0);
        return arg;
}

/* Main waits and takes no part, so exactly `threads` take turns. */
static double
run(int threads, long yields)
{
        static green_thread *gt[100];
        double begin, end;

        each = yields / threads;
        for (int i = 0; i < threads; i++)
                bench_check((gt[i] = green_spawn(yielder, NULL)) != NULL, "green_spawn");
        begin = bench_now();
        for (int i = 0; i < threads; i++)
                bench_check(green_thread_wait(gt[i], NULL) == 0, "green_thread_wait");
        end = bench_now();
        for (int i = 0; i < threads; i++)
                green_thread_unref(gt[i]);
        return (end - begin) * 1e9 / (double)(each * threads);
}

int
main(int argc, char **argv)
{
        long yields = bench_count(argc, argv, 1, 10000000);

        (void)run(2, yields / 10 + 2);
        bench_print("yield_2", "ns", run(2, yields));
        bench_print("yield_100", "ns", run(100, yields));
        return 0;
}
