/* Two green threads hand control to one another, by park and wake: nanoseconds a hand-over. green_handover [TIMES] */
#include "bench.h"

#include <green/core.h>
#include <errno.h>

struct side {
        struct green_waitq own;
        struct green_waitq *other;
        long times;
};

static void *
player(void *arg)
{
        struct side *side = arg;
        struct green_wait w;

        for (long i = 0; i < side->times; i++) {
                (void)green_wake_one(side->other, NULL);
                if (green_park(&side->own, &w, GREEN_FOREVER) != 0)
                        return green_fail(-EINVAL);
        }
        (void)green_wake_one(side->other, NULL);
        return NULL;
}

static double
run(long times)
{
        struct side a = {.times = times / 2}, b = {.times = times / 2};
        green_thread *first, *second;
        double begin, end;

        a.other = &b.own;
        b.other = &a.own;
        first = green_spawn(player, &a);
        second = green_spawn(player, &b);
        bench_check(first != NULL && second != NULL, "green_spawn");
        begin = bench_now();
        bench_check(green_thread_wait(first, NULL) == 0 && green_thread_wait(second, NULL) == 0, "hand-over");
        end = bench_now();
        green_thread_unref(first);
        green_thread_unref(second);
        return (end - begin) * 1e9 / (double)(times / 2 * 2);
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 5000000);

        (void)run(times / 10 + 2);
        bench_print("handover", "ns", run(times));
        return 0;
}
