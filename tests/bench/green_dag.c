/*
 * DAG pools, from the pool to its end, in nanoseconds a key. A chain: each key needs the one before. Fan out: all need
 * one. Fan in: one needs all, which are made by tasks of their own. green_dag [KEYS]
 *
 * Of each: KEYS in one pool; a tenth of them in each of ten pools at once; and a tenth in a pool that is alone. The
 * first two have as many green threads waiting at a time, so how much more a key of the first costs is the pool's
 * doing. The last shows what the caches do: so many stacks fit into them.
 */
#include "bench.h"

#include <green/sync.h>

enum { ROUNDS = 5, POOLS = 10 };

static long *numbers;
static struct green_key *keys;
static char made;

static void *
take_all(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;
        int rc;

        (void)key;
        (void)arg;
        while ((rc = green_dag_next(results, &item, GREEN_FOREVER)) == 1)
                ;
        return rc == 0 ? &made : green_fail(rc);
}

static void
spawn(green_dagpool *p, long i, const struct green_key *depends, size_t n)
{
        const struct green_dag_task task = {keys[i], depends, n, take_all, NULL};

        bench_check(green_dagpool_spawn(p, &task) == 0, "spawn");
}

static void
chain(green_dagpool *p, long n)
{
        for (long i = 1; i < n; i++)
                spawn(p, i, &keys[i - 1], 1);
}

static void
fan_out(green_dagpool *p, long n)
{
        for (long i = 1; i < n; i++)
                spawn(p, i, &keys[0], 1);
}

static void
fan_in(green_dagpool *p, long n)
{
        for (long i = 1; i < n - 1; i++)
                spawn(p, i, &keys[0], 1);
        spawn(p, n - 1, keys, (size_t)n - 1);
}

/* Nanoseconds a key, for so many pools at once. All have begun and wait before the first value is posted. */
static double
run(void (*build)(green_dagpool *p, long n), long n, int pools)
{
        double begin = bench_now();
        green_dagpool *p[POOLS];

        for (int i = 0; i < pools; i++) {
                p[i] = green_dagpool_new(NULL, 0);
                bench_check(p[i] != NULL, "green_dagpool_new");
                build(p[i], n);
        }
        bench_check(green_sleep(0) == 0, "sleep");
        for (int i = 0; i < pools; i++) {
                bench_check(green_dagpool_post(p[i], keys[0], &made, false) == 0, "post");
                bench_check(green_dagpool_waitall(p[i], GREEN_FOREVER) == 0, "waitall");
                bench_check(green_dagpool_keys(p[i], NULL, 0) == n, "keys");
        }
        for (int i = 0; i < pools; i++)
                bench_check(green_dagpool_free(p[i]) == 0, "free");
        return (bench_now() - begin) * 1e9 / (double)(n * pools);
}

static void
print(const char *name, const char *what, const char *unit, double value)
{
        char text[64];

        snprintf(text, sizeof text, "%s%s", name, what);
        bench_print(text, unit, value);
}

static void
least(double *so_far, double value)
{
        if (*so_far == 0 || value < *so_far)
                *so_far = value;
}

/* By turns, so that what slows the machine down slows all; the least of the rounds. */
static void
compare(const char *name, void (*build)(green_dagpool *p, long n), long n)
{
        double one = 0, ten = 0, alone = 0;

        (void)run(build, n, 1);
        for (int round = 0; round < ROUNDS; round++) {
                least(&one, run(build, n, 1));
                least(&ten, run(build, n / POOLS, POOLS));
                for (int i = 0; i < POOLS; i++)
                        least(&alone, run(build, n / POOLS, 1));
        }
        print(name, "", "ns", one);
        print(name, "_ten", "ns", ten);
        print(name, "_alone", "ns", alone);
        print(name, "_ratio", "times", one / ten);
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 100000);

        n = n < 100 ? 100 : n;
        numbers = calloc((size_t)n, sizeof(*numbers));
        keys = calloc((size_t)n, sizeof(*keys));
        bench_check(numbers != NULL && keys != NULL, "calloc");
        for (long i = 0; i < n; i++) {
                numbers[i] = i;
                keys[i].data = &numbers[i];
                keys[i].len = sizeof(numbers[i]);
        }
        compare("dag_chain", chain, n);
        compare("dag_fan_out", fan_out, n);
        compare("dag_fan_in", fan_in, n);
        free(keys);
        free(numbers);
        return 0;
}
