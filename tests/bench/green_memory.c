/*
 * Green threads that wait for good, with default settings: resident bytes and bytes of page tables of each.
 * green_memory [HOW-MANY]
 */
#include "bench.h"

#include <green/core.h>
#include <unistd.h>

static long alive;

static void *
idle(void *arg)
{
        alive++;
        (void)green_sleep(GREEN_FOREVER);
        alive--;
        return arg;
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 100000);
        struct green_hub_info info = {.size = sizeof info};
        long rss = -1, pte = -1;

        /* What the process itself and its hub cost is not to be shared out. */
        bench_check(green_spawn_n(idle, NULL) == 0 && green_sleep(0) == 0, "green_spawn_n");
        for (int warm = 0; warm < 2; warm++) {
                rss = bench_memory("VmRSS");
                pte = bench_memory("VmPTE");
        }
        for (long i = 0; i < n; i++) {
                bench_check(green_spawn_n(idle, NULL) == 0, "green_spawn_n");
                /* Started in batches, as an accept loop would, and never all of them merely queued. */
                if (i % 64 == 63)
                        (void)green_sleep(0);
        }
        while (alive < n + 1)
                (void)green_sleep(0);
        bench_check(rss >= 0 && green_hub_get_info(&info) == 0, "asking for memory");
        bench_print("alive", "threads", (double)(alive - 1));
        bench_print("resident", "bytes", (double)(bench_memory("VmRSS") - rss) / (double)n);
        bench_print("page_tables", "bytes", (double)(bench_memory("VmPTE") - pte) / (double)n);
        bench_print("page", "bytes", (double)sysconf(_SC_PAGESIZE));
        bench_print("guarded", "bool", strcmp(info.guard, "madvise") == 0);
        _exit(0); /* taking it all down is not what is measured */
}
