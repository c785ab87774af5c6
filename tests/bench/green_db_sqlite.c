/*
 * Reads of one row by its key from a file of SQLite, through a pool of connections: a hundred green threads, and as
 * many connections as OS threads. Thousands of reads a second. green_db_sqlite [READS]
 */
#include "bench_sqlite.h"

#include <green/net.h>

enum { READERS = 100 };

static green_db_pool *pool;
static long next, reads;
static int64_t sum;

static void
read_one(int64_t key)
{
        green_db_result *r = NULL;
        green_db_conn *conn = NULL;
        green_db_stmt *stmt = NULL;
        int64_t v = 0;

        bench_check(green_db_pool_get(pool, &conn, GREEN_FOREVER) == 0, "green_db_pool_get");
        bench_check(green_db_conn_prepare(conn, BENCH_READ, &stmt) == 0, "green_db_conn_prepare");
        bench_check(green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(key)), &r) == 0,
                    "green_db_stmt_execute");
        bench_check(green_db_pool_put(pool, conn) == 0, "green_db_pool_put");
        bench_check(green_db_result_next(r) == 1 && green_db_result_int64(r, 0, &v) == 0, "the row");
        green_db_result_free(r);
        sum += v;
}

static void *
reader(void *arg)
{
        while (next < reads)
                read_one(bench_key(next++));
        return arg;
}

/* Seconds that so many reads take. */
static double
run(long n)
{
        green_thread *threads[READERS];
        double begin = bench_now();

        next = sum = 0;
        reads = n;
        for (int i = 0; i < READERS; i++)
                bench_check((threads[i] = green_spawn(reader, NULL)) != NULL, "green_spawn");
        for (int i = 0; i < READERS; i++) {
                bench_check(green_thread_wait(threads[i], NULL) == 0, "green_thread_wait");
                green_thread_unref(threads[i]);
        }
        begin = bench_now() - begin;
        bench_check(sum == bench_sum(n), "the sum");
        return begin;
}

static void
fill(void)
{
        green_db_conn *conn = NULL;

        bench_check(green_db_pool_get(pool, &conn, GREEN_FOREVER) == 0, "green_db_pool_get");
        bench_check(green_db_conn_execute(conn, BENCH_CREATE, GREEN_DB_NO_PARAMS, NULL) == 0, "create");
        bench_check(green_db_conn_execute(conn, BENCH_FILL, GREEN_DB_NO_PARAMS, NULL) == 0, "insert");
        bench_check(green_db_pool_put(pool, conn) == 0, "green_db_pool_put");
}

int
main(int argc, char **argv)
{
        struct green_db_pool_opts opts = {.size = sizeof opts,
                                          .driver = "sqlite",
                                          .max_size = BENCH_THREADS,
                                          .max_idle = 60,
                                          .max_age = GREEN_FOREVER};
        long n = bench_count(argc, argv, 1, 300000);
        char folder[32], path[64];

        bench_check(green_tpool_set_num_threads(BENCH_THREADS) == 0, "green_tpool_set_num_threads");
        bench_make_folder(folder);
        snprintf(path, sizeof path, "%s/t.db", folder);
        opts.database = path;
        pool = green_db_pool_new(&opts);
        bench_check(pool != NULL, "green_db_pool_new");
        fill();
        (void)run(n / 10 + 1);
        bench_print("db_reads", "kreq/s", (double)n / run(n) / 1000);
        bench_check(green_db_pool_free(pool) == 0, "green_db_pool_free");
        bench_remove_folder(folder);
        bench_check(green_tpool_killall(10) == 0, "green_tpool_killall");
        return 0;
}
