/*
 * Mapping over an input with a pool of 100: nanoseconds an item, and by how many bytes more is resident after all items
 * than after the first hundredth of them. green_imap [ITEMS]
 */
#include "bench.h"

#include <green/sync.h>

static green_greenpool *pool;

struct input {
        long next, last;
};

static int
next_number(void *arg, void **ret_item)
{
        struct input *in = arg;

        if (in->next == in->last)
                return 0;
        *ret_item = (void *)(intptr_t)++in->next;
        return 1;
}

static void *
twice(void *arg)
{
        return (void *)(2 * (intptr_t)arg);
}

static double
run(long n)
{
        struct input in = {0, n};
        green_imap *m = green_greenpool_imap(pool, twice, next_number, &in, NULL);
        double begin = bench_now(), end;
        void *result;

        bench_check(m != NULL, "green_greenpool_imap");
        for (long i = 1; i <= n; i++)
                bench_check(green_imap_next(m, &result, GREEN_FOREVER) == 1 && (intptr_t)result == 2 * i, "a result");
        end = bench_now();
        bench_check(green_imap_next(m, &result, GREEN_FOREVER) == 0 && green_imap_free(m) == 0, "the end");
        return (end - begin) * 1e9 / (double)n;
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 1000000);
        long rss = -1;
        double item;

        pool = green_greenpool_new(100);
        bench_check(pool != NULL, "green_greenpool_new");
        for (int warm = 0; warm < 2; warm++) {
                (void)run(n / 100 + 1);
                rss = bench_memory("VmRSS");
        }
        item = run(n);
        bench_check(rss >= 0, "asking for memory");
        bench_print("imap_item", "ns", item);
        bench_print("imap_growth", "bytes", (double)(bench_memory("VmRSS") - rss));
        green_greenpool_free(pool);
        return 0;
}
