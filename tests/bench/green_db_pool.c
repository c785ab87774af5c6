/*
 * A connection got from a pool and given back, when nobody else wants one: nanoseconds for both. The connection is one
 * of SQLite's in memory. green_db_pool [COUNT]
 */
#include "bench.h"

#include <green/net.h>

static double
pairs(green_db_pool *pool, long n)
{
        double begin = bench_now();

        for (long i = 0; i < n; i++) {
                green_db_conn *conn = NULL;

                bench_check(green_db_pool_get(pool, &conn, GREEN_FOREVER) == 0, "green_db_pool_get");
                bench_check(green_db_pool_put(pool, conn) == 0, "green_db_pool_put");
        }
        return (bench_now() - begin) * 1e9 / (double)n;
}

int
main(int argc, char **argv)
{
        struct green_db_pool_opts opts = {.size = sizeof opts, .driver = "sqlite", .max_age = GREEN_FOREVER};
        struct green_db_pool_info info = {.size = sizeof info};
        long n = bench_count(argc, argv, 1, 3000000);
        green_db_pool *pool = green_db_pool_new(&opts);

        bench_check(pool != NULL, "green_db_pool_new");
        (void)pairs(pool, n / 10 + 1);
        bench_print("db_pool_pair", "ns", pairs(pool, n));
        bench_check(green_db_pool_get_info(pool, &info) == 0 && info.made == 1, "one connection");
        bench_check(green_db_pool_free(pool) == 0, "green_db_pool_free");
        bench_check(green_tpool_killall(10) == 0, "green_tpool_killall");
        return 0;
}
