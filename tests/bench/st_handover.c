/* The peer of green_handover.c: State Threads, a condition variable each. */
#include "bench.h"

#include <st.h>

struct side {
        st_cond_t own, other;
        long times;
};

static void *
player(void *arg)
{
        struct side *side = (struct side *)arg;

        for (long i = 0; i < side->times; i++) {
                st_cond_signal(side->other);
                bench_check(st_cond_wait(side->own) == 0, "st_cond_wait");
        }
        st_cond_signal(side->other);
        return NULL;
}

static double
run(long times)
{
        struct side a = {NULL, NULL, times / 2}, b = a;
        st_thread_t first, second;
        double begin, end;

        a.own = b.other = st_cond_new();
        b.own = a.other = st_cond_new();
        first = st_thread_create(player, &a, 1, 0);
        second = st_thread_create(player, &b, 1, 0);
        bench_check(first != NULL && second != NULL, "st_thread_create");
        begin = bench_now();
        bench_check(st_thread_join(first, NULL) == 0 && st_thread_join(second, NULL) == 0, "st_thread_join");
        end = bench_now();
        st_cond_destroy(a.own);
        st_cond_destroy(b.own);
        return (end - begin) * 1e9 / (double)(times / 2 * 2);
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 5000000);

        bench_check(st_set_eventsys(ST_EVENTSYS_ALT) == 0 && st_init() == 0, "st_init");
        (void)run(times / 10 + 2);
        bench_print("handover", "ns", run(times));
        return 0;
}
