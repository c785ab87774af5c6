/*
 * A timer is added and cancelled while others are pending: nanoseconds for both. green_timer [TIMES]
 *
 * `timer` is green_watch, as ev_timer is: storage of the user's own, and a function that is called. `timeout` is
 * green_timeout, the scope: storage of the user's own likewise, and cancelled by its green thread.
 */
#include "bench.h"

#include <green/core.h>

#define DELAYS 4096

static double delays[DELAYS];

static void
never(struct green_watch *w, int result, void *arg)
{
        (void)w, (void)result, (void)arg;
        bench_check(0, "a timer that cannot have fired");
}

/* Watches that wait for their time; one more is there for the caller. */
static struct green_watch *
make_pending(long pending)
{
        struct green_watch *w = calloc((size_t)pending + 1, sizeof *w);

        bench_check(w != NULL, "calloc");
        for (long i = 0; i <= pending; i++) {
                green_watch_init(&w[i], never, NULL);
                if (i < pending)
                        bench_check(green_watch_start(&w[i], GREEN_INVALID_FD, 0, delays[i % DELAYS]) == 0, "watch");
        }
        return w;
}

static void
end_pending(struct green_watch *w, long pending)
{
        for (long i = 0; i < pending; i++)
                (void)green_watch_stop(&w[i]);
        free(w);
}

static double
watches(long pending, long times)
{
        struct green_watch *w = make_pending(pending);
        double begin = bench_now(), end;

        for (long i = 0; i < times; i++) {
                bench_check(green_watch_start(&w[pending], GREEN_INVALID_FD, 0, delays[i % DELAYS]) == 0, "watch");
                (void)green_watch_stop(&w[pending]);
        }
        end = bench_now();
        end_pending(w, pending);
        return (end - begin) * 1e9 / (double)times;
}

static double
timeouts(long pending, long times)
{
        struct green_watch *w = make_pending(pending);
        double begin = bench_now(), end;

        for (long i = 0; i < times; i++) {
                struct green_timeout t = {{NULL}};

                bench_check(green_timeout_start(&t, delays[i % DELAYS]) == 0, "timeout");
                (void)green_timeout_cancel(&t);
        }
        end = bench_now();
        end_pending(w, pending);
        return (end - begin) * 1e9 / (double)times;
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 3000000);
        uint32_t seed = 1;

        for (int i = 0; i < DELAYS; i++)
                delays[i] = 100 + bench_random(&seed) % 1000000 / 1e3;
        (void)watches(1, times / 10 + 1);
        bench_print("timer_1", "ns", watches(1, times));
        bench_print("timer_1000", "ns", watches(1000, times));
        bench_print("timer_100000", "ns", watches(100000, times));
        bench_print("timeout_1", "ns", timeouts(1, times));
        bench_print("timeout_1000", "ns", timeouts(1000, times));
        bench_print("timeout_100000", "ns", timeouts(100000, times));
        return 0;
}
