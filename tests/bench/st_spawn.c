/* The peer of green_spawn.c: State Threads; epoll, joinable threads, default stack size. */
#include "bench.h"

#include <st.h>

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
                st_thread_t thread = st_thread_create(empty, NULL, 1, 0);

                bench_check(thread != NULL && st_thread_join(thread, NULL) == 0, "create and join");
        }
        return (bench_now() - begin) * 1e9 / (double)times;
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 2000000);

        bench_check(st_set_eventsys(ST_EVENTSYS_ALT) == 0 && st_init() == 0, "st_init");
        (void)run(times / 10 + 1);
        bench_print("spawn", "ns", run(times));
        return 0;
}
