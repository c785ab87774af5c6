/* The peer of green_timer.c: libev, its default back end, relative timers that do not repeat. */
#include "bench.h"

#include <ev.h>

#define DELAYS 4096

static double delays[DELAYS];

static void
never(struct ev_loop *loop, ev_timer *w, int events)
{
        (void)loop, (void)w, (void)events;
        bench_check(0, "a timer that cannot have fired");
}

static double
timers(struct ev_loop *loop, long pending, long times)
{
        ev_timer *w = (ev_timer *)calloc((size_t)pending + 1, sizeof *w);
        double begin, end;

        bench_check(w != NULL, "calloc");
        for (long i = 0; i <= pending; i++) {
                ev_timer_init(&w[i], never, delays[i % DELAYS], 0.);
                if (i < pending)
                        ev_timer_start(loop, &w[i]);
        }
        begin = bench_now();
        for (long i = 0; i < times; i++) {
                ev_timer_set(&w[pending], delays[i % DELAYS], 0.);
                ev_timer_start(loop, &w[pending]);
                ev_timer_stop(loop, &w[pending]);
        }
        end = bench_now();
        for (long i = 0; i < pending; i++)
                ev_timer_stop(loop, &w[i]);
        free(w);
        return (end - begin) * 1e9 / (double)times;
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 3000000);
        struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
        uint32_t seed = 1;

        bench_check(loop != NULL, "ev_default_loop");
        for (int i = 0; i < DELAYS; i++)
                delays[i] = 100 + bench_random(&seed) % 1000000 / 1e3;
        (void)timers(loop, 1, times / 10 + 1);
        bench_print("timer_1", "ns", timers(loop, 1, times));
        bench_print("timer_1000", "ns", timers(loop, 1000, times));
        bench_print("timer_100000", "ns", timers(loop, 100000, times));
        return 0;
}
