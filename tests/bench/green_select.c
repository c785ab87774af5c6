/*
 * One green thread gets what another one puts: nanoseconds an item. green_select ITEMS 8 waits for the first of eight
 * queues, which get their items in turn; green_select ITEMS get waits for one queue by a plain get.
 *
 * `select_wait`: the getter always has to wait. `select_ready`: the item is always there already.
 */
#include "bench.h"

#include <green/sync.h>

#define QUEUES 8

static green_queue *queues[QUEUES];
static int used; /* queues that get items */
static char item;

/* Get the next one by whichever way is measured. */
static void
get_one(int expected)
{
        struct green_select_case c[QUEUES] = {GREEN_CASE_GET(queues[0]), GREEN_CASE_GET(queues[1]), GREEN_CASE_GET(queues[2]),
                                              GREEN_CASE_GET(queues[3]), GREEN_CASE_GET(queues[4]), GREEN_CASE_GET(queues[5]),
                                              GREEN_CASE_GET(queues[6]), GREEN_CASE_GET(queues[7])};
        size_t which;

        bench_check(green_select(c, QUEUES, GREEN_FOREVER, &which) == 0, "select");
        bench_check((int)which == expected && c[which].result == 0 && c[which].value == &item, "the case that won");
}

static void
get(int i)
{
        void *got;

        if (used == QUEUES)
                get_one(i);
        else
                bench_check(green_queue_get(queues[i], &got, GREEN_FOREVER) == 0 && got == &item, "get");
}

static void *
getter(void *arg)
{
        long items = (long)(intptr_t)arg;

        for (long i = 0; i < items; i++)
                get((int)(i % used));
        return NULL;
}

static double
waiting(long items)
{
        green_thread *gt = green_spawn(getter, (void *)(intptr_t)items);
        double begin, end;

        bench_check(gt != NULL, "green_spawn");
        (void)green_sleep(0);
        begin = bench_now();
        for (long i = 0; i < items; i++) {
                bench_check(green_queue_put(queues[i % used], &item, 0) == 0, "put");
                (void)green_sleep(0);
        }
        end = bench_now();
        bench_check(green_thread_wait(gt, NULL) == 0, "green_thread_wait");
        green_thread_unref(gt);
        return (end - begin) * 1e9 / (double)items;
}

static double
ready(long items)
{
        double begin = bench_now();

        for (long i = 0; i < items; i++) {
                bench_check(green_queue_put(queues[i % used], &item, 0) == 0, "put");
                get((int)(i % used));
        }
        return (bench_now() - begin) * 1e9 / (double)items;
}

int
main(int argc, char **argv)
{
        long items = bench_count(argc, argv, 1, 3000000);

        used = argc > 2 && strcmp(argv[2], "get") == 0 ? 1 : QUEUES;
        for (int i = 0; i < QUEUES; i++)
                bench_check((queues[i] = green_queue_new(-1, NULL)) != NULL, "green_queue_new");
        (void)waiting(items / 10 + 1);
        bench_print("select_wait", "ns", waiting(items));
        bench_print("select_ready", "ns", ready(items));
        for (int i = 0; i < QUEUES; i++)
                green_queue_free(queues[i]);
        return 0;
}
