/* The peer of green_queue.c: State Threads, a cell for one item and a condition variable for each side. */
#include "bench.h"

#include <st.h>

static st_cond_t not_full, not_empty;
static void *cell;
static long items;
static char item;

static void *
produce(void *arg)
{
        for (long i = 0; i < items; i++) {
                while (cell != NULL)
                        bench_check(st_cond_wait(not_full) == 0, "wait");
                cell = &item;
                st_cond_signal(not_empty);
        }
        return arg;
}

static double
run(long n)
{
        double begin = bench_now(), end;
        st_thread_t producer;

        items = n;
        producer = st_thread_create(produce, NULL, 1, 0);
        bench_check(producer != NULL, "create");
        for (long i = 0; i < n; i++) {
                while (cell == NULL)
                        bench_check(st_cond_wait(not_empty) == 0, "wait");
                bench_check(cell == &item, "the item");
                cell = NULL;
                st_cond_signal(not_full);
        }
        end = bench_now();
        bench_check(st_thread_join(producer, NULL) == 0, "join");
        return (end - begin) * 1e9 / (double)n;
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 5000000);

        bench_check(st_set_eventsys(ST_EVENTSYS_ALT) == 0 && st_init() == 0, "st_init");
        not_full = st_cond_new();
        not_empty = st_cond_new();
        bench_check(not_full != NULL && not_empty != NULL, "st_cond_new");
        (void)run(n / 10 + 1);
        bench_print("queue_item", "ns", run(n));
        return 0;
}
