/*
 * A function that does nothing, in the pool of OS threads, which has 4: nanoseconds a call, of one green thread that makes
 * one after the other, and of a thousand that make one each. green_tpool [CALLS]
 */
#include "bench.h"

#include <green/sync.h>

enum { BATCH = 1000, THREADS = 4 };

static long done;

static void *
nothing(void *arg)
{
        return arg;
}

static double
one_by_one(long n)
{
        double begin = bench_now();

        for (long i = 0; i < n; i++)
                bench_check(green_tpool_execute(nothing, NULL, NULL, NULL) == 0, "green_tpool_execute");
        return (bench_now() - begin) * 1e9 / (double)n;
}

static void *
call(void *arg)
{
        bench_check(green_tpool_execute(nothing, NULL, NULL, NULL) == 0, "green_tpool_execute");
        done++;
        return arg;
}

static double
batches(long n)
{
        double begin = bench_now();

        for (long k = 0; k < n; k++) {
                green_thread *last = NULL;

                done = 0;
                for (int i = 0; i < BATCH - 1; i++)
                        bench_check(green_spawn_n(call, NULL) == 0, "green_spawn_n");
                bench_check((last = green_spawn(call, NULL)) != NULL, "green_spawn");
                bench_check(green_thread_wait(last, NULL) == 0, "wait");
                green_thread_unref(last);
                while (done < BATCH)
                        bench_check(green_sleep(0) == 0, "sleep");
        }
        return (bench_now() - begin) * 1e9 / ((double)n * BATCH);
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 100000);

        bench_check(green_tpool_set_num_threads(THREADS) == 0, "green_tpool_set_num_threads");
        (void)batches(2);
        (void)one_by_one(n / 10 + 1);
        bench_print("tpool_call", "ns", one_by_one(n));
        bench_print("tpool_batch", "ns", batches(n / BATCH + 1));
        bench_check(green_tpool_killall(10) == 0, "green_tpool_killall");
        return 0;
}
