/*
 * What a call costs more that was made green, where it need not wait: recv() of one byte from a socket that has some, by
 * this program's import, which green_monkey_patch() has changed, and by the system's own function. green_patch_call [CALLS]
 *
 * `patch_call`: nanoseconds more a call, the median of pairs of batches that alternate. `patch_recv` and `system_recv` are
 * those of the median pair.
 */
#include "bench.h"

#include <green/core.h>
#include <green/patch.h>
#include <sys/socket.h>

#define BATCH 1000

struct pair {
        double patched, system;
};

typedef ssize_t recv_fn(int, void *, size_t, int);

static int ends[2];
static recv_fn *system_recv;

static void
fill(void)
{
        static const char bytes[BATCH];

        bench_check(send(ends[1], bytes, BATCH, 0) == BATCH, "send");
}

static double
by_import(void)
{
        double begin;
        char byte;

        fill();
        begin = bench_now();
        for (int i = 0; i < BATCH; i++)
                bench_check(recv(ends[0], &byte, 1, 0) == 1, "recv");
        return (bench_now() - begin) * 1e9 / BATCH;
}

static double
by_system(void)
{
        double begin;
        char byte;

        fill();
        begin = bench_now();
        for (int i = 0; i < BATCH; i++)
                bench_check(system_recv(ends[0], &byte, 1, 0) == 1, "recv");
        return (bench_now() - begin) * 1e9 / BATCH;
}

static int
compare(const void *a, const void *b)
{
        const struct pair *x = a, *y = b;
        double dx = x->patched - x->system, dy = y->patched - y->system;

        return (dx > dy) - (dx < dy);
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 2000000) / BATCH + 1;
        struct pair *pairs = calloc((size_t)n, sizeof *pairs);

        bench_check(pairs != NULL && green_get_hub() != NULL && green_monkey_patch(0) == 0, "green_monkey_patch");
        bench_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        system_recv = (recv_fn *)green_original("recv");
        bench_check(system_recv != NULL && green_is_monkey_patched("recv"), "recv");
        for (long i = 0; i < n; i++) {
                if (i % 2 == 0)
                        pairs[i].patched = by_import();
                pairs[i].system = by_system();
                if (i % 2 != 0)
                        pairs[i].patched = by_import();
        }
        qsort(pairs, (size_t)n, sizeof *pairs, compare);
        bench_print("patch_call", "ns", pairs[n / 2].patched - pairs[n / 2].system);
        bench_print("patch_recv", "ns", pairs[n / 2].patched);
        bench_print("system_recv", "ns", pairs[n / 2].system);
        free(pairs);
        return 0;
}
