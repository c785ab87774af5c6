/* Items go from one OS thread to another through a channel of 128, a green thread in each: items a second. green_chan
 * [ITEMS] */
#include "bench.h"

#include <green/sync.h>
#include <pthread.h>

static long items;
static char item;
static green_chan *chan;

static void *
produce(void *arg)
{
        for (long i = 0; i < items; i++)
                bench_check(green_chan_put(chan, &item, GREEN_FOREVER) == 0, "put");
        return arg;
}

static void *
other_thread(void *arg)
{
        green_thread *gt = green_spawn(produce, arg);

        bench_check(gt != NULL && green_thread_wait(gt, NULL) == 0, "green_spawn, wait");
        green_thread_unref(gt);
        bench_check(green_hub_destroy(1) == 0, "green_hub_destroy");
        return NULL;
}

static void *
consume(void *arg)
{
        for (long i = 0; i < items; i++) {
                void *got;

                bench_check(green_chan_get(chan, &got, GREEN_FOREVER) == 0 && got == &item, "get");
        }
        return arg;
}

static double
run(long n)
{
        green_thread *consumer;
        pthread_t producer;
        double begin;

        items = n;
        chan = green_chan_new(128);
        bench_check(chan != NULL, "green_chan_new");
        begin = bench_now();
        bench_check(pthread_create(&producer, NULL, other_thread, NULL) == 0, "pthread_create");
        consumer = green_spawn(consume, NULL);
        bench_check(consumer != NULL && green_thread_wait(consumer, NULL) == 0, "green_spawn, wait");
        begin = bench_now() - begin;
        green_thread_unref(consumer);
        bench_check(pthread_join(producer, NULL) == 0, "pthread_join");
        green_chan_unref(chan);
        return (double)n / begin;
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 10000000);

        (void)run(n / 10 + 1);
        bench_print("chan_items", "items/s", run(n));
        return 0;
}
