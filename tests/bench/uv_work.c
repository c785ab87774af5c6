/* The peer of green_tpool.c: libuv, uv_queue_work() with its 4 threads. */
#include "bench.h"

#include <uv.h>

enum { BATCH = 1000 };

static long left;
static uv_work_t works[BATCH];

static void
nothing(uv_work_t *work)
{
        (void)work;
}

static void
again(uv_work_t *work, int status)
{
        bench_check(status == 0, "work");
        if (--left > 0)
                bench_check(uv_queue_work(work->loop, work, nothing, again) == 0, "uv_queue_work");
}

static double
one_by_one(uv_loop_t *loop, long n)
{
        double begin = bench_now();

        left = n;
        bench_check(uv_queue_work(loop, &works[0], nothing, again) == 0, "uv_queue_work");
        uv_run(loop, UV_RUN_DEFAULT);
        bench_check(left == 0, "uv_run");
        return (bench_now() - begin) * 1e9 / (double)n;
}

static void
one_less(uv_work_t *work, int status)
{
        (void)work;
        bench_check(status == 0, "work");
        left--;
}

static double
batches(uv_loop_t *loop, long n)
{
        double begin = bench_now();

        for (long k = 0; k < n; k++) {
                left = BATCH;
                for (int i = 0; i < BATCH; i++)
                        bench_check(uv_queue_work(loop, &works[i], nothing, one_less) == 0, "uv_queue_work");
                uv_run(loop, UV_RUN_DEFAULT);
                bench_check(left == 0, "uv_run");
        }
        return (bench_now() - begin) * 1e9 / ((double)n * BATCH);
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 100000);
        uv_loop_t *loop = uv_default_loop();

        setenv("UV_THREADPOOL_SIZE", "4", 1);
        (void)batches(loop, 2);
        (void)one_by_one(loop, n / 10 + 1);
        bench_print("tpool_call", "ns", one_by_one(loop, n));
        bench_print("tpool_batch", "ns", batches(loop, n / BATCH + 1));
        return 0;
}
