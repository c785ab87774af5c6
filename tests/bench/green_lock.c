/*
 * A lock: nanoseconds for taking it and giving it back. green_lock [TIMES]
 *
 * `lock_uncontended`: nobody else wants it. `lock_handover`: two green threads want it, and each yields while it has it, so
 * that every release finds the other one waiting.
 */
#include "bench.h"

#include <green/sync.h>

static green_lock *lock;
static long each;

static double
uncontended(long times)
{
        double begin = bench_now();

        for (long i = 0; i < times; i++)
                bench_check(green_lock_acquire(lock, GREEN_FOREVER) == 0 && green_lock_release(lock) == 0, "lock");
        return (bench_now() - begin) * 1e9 / (double)times;
}

static void *
contend(void *arg)
{
        for (long i = 0; i < each; i++) {
                bench_check(green_lock_acquire(lock, GREEN_FOREVER) == 0, "acquire");
                (void)green_sleep(0);
                bench_check(green_lock_release(lock) == 0, "release");
        }
        return arg;
}

static double
contended(long times)
{
        green_thread *gt[2];
        double begin, end;

        each = times / 2;
        for (int i = 0; i < 2; i++)
                bench_check((gt[i] = green_spawn(contend, NULL)) != NULL, "green_spawn");
        begin = bench_now();
        for (int i = 0; i < 2; i++)
                bench_check(green_thread_wait(gt[i], NULL) == 0, "green_thread_wait");
        end = bench_now();
        for (int i = 0; i < 2; i++)
                green_thread_unref(gt[i]);
        return (end - begin) * 1e9 / (double)(2 * each);
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 5000000);

        lock = green_lock_new();
        bench_check(lock != NULL, "green_lock_new");
        (void)contended(times / 10 + 2);
        bench_print("lock_handover", "ns", contended(times));
        bench_print("lock_uncontended", "ns", uncontended(times));
        green_lock_free(lock);
        return 0;
}
