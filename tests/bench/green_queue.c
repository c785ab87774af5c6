/* Items go from one green thread to another through a queue of one place: nanoseconds an item. green_queue [ITEMS] */
#include "bench.h"

#include <green/sync.h>

static long items;
static char item;

static void *
produce(void *arg)
{
        for (long i = 0; i < items; i++)
                bench_check(green_queue_put((green_queue *)arg, &item, GREEN_FOREVER) == 0, "put");
        return NULL;
}

static double
run(long n)
{
        green_queue *q = green_queue_new(1, NULL);
        double begin = bench_now(), end;
        green_thread *producer;

        items = n;
        bench_check(q != NULL && (producer = green_spawn(produce, q)) != NULL, "green_queue_new, green_spawn");
        for (long i = 0; i < n; i++) {
                void *got;

                bench_check(green_queue_get(q, &got, GREEN_FOREVER) == 0 && got == &item, "get");
        }
        end = bench_now();
        bench_check(green_thread_wait(producer, NULL) == 0, "wait");
        green_thread_unref(producer);
        green_queue_free(q);
        return (end - begin) * 1e9 / (double)n;
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 5000000);

        (void)run(n / 10 + 1);
        bench_print("queue_item", "ns", run(n));
        return 0;
}
