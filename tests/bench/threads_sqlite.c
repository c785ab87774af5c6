/*
 * The peer of green_db_sqlite.c: a plain program with OS threads, each with a connection of its own. threads_sqlite
 * [READS]
 */
#include "bench_sqlite.h"

#include <pthread.h>
#include <sqlite3.h>

static char path[64];
static pthread_barrier_t ready;

struct reader {
        pthread_t thread;
        int number;
        long reads, warm; /* those before the clock runs */
        int64_t sum;
        double seconds;
};

static sqlite3 *
connect_to(const char *file)
{
        sqlite3 *db = NULL;

        bench_check(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                    NULL) == SQLITE_OK,
                    "sqlite3_open_v2");
        bench_check(sqlite3_exec(db, "pragma foreign_keys=on", NULL, NULL, NULL) == SQLITE_OK, "foreign_keys");
        bench_check(sqlite3_exec(db, "pragma journal_mode=wal", NULL, NULL, NULL) == SQLITE_OK, "journal_mode");
        bench_check(sqlite3_exec(db, "pragma synchronous=normal", NULL, NULL, NULL) == SQLITE_OK, "synchronous");
        return db;
}

static int64_t
read_some(sqlite3_stmt *stmt, const struct reader *me, long n)
{
        int64_t sum = 0;

        for (long i = me->number; i < n; i += BENCH_THREADS) {
                bench_check(sqlite3_bind_int64(stmt, 1, bench_key(i)) == SQLITE_OK, "sqlite3_bind_int64");
                bench_check(sqlite3_step(stmt) == SQLITE_ROW, "sqlite3_step");
                sum += sqlite3_column_int64(stmt, 0);
                bench_check(sqlite3_step(stmt) == SQLITE_DONE, "sqlite3_step");
                bench_check(sqlite3_reset(stmt) == SQLITE_OK, "sqlite3_reset");
        }
        return sum;
}

static void *
run(void *arg)
{
        struct reader *me = arg;
        sqlite3 *db = connect_to(path);
        sqlite3_stmt *stmt = NULL;

        bench_check(sqlite3_prepare_v3(db, BENCH_READ, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) == SQLITE_OK,
                    "sqlite3_prepare_v3");
        (void)read_some(stmt, me, me->warm);
        pthread_barrier_wait(&ready);
        me->seconds = bench_now();
        me->sum = read_some(stmt, me, me->reads);
        pthread_barrier_wait(&ready);
        me->seconds = bench_now() - me->seconds;
        sqlite3_finalize(stmt);
        bench_check(sqlite3_close(db) == SQLITE_OK, "sqlite3_close");
        return NULL;
}

int
main(int argc, char **argv)
{
        long n = bench_count(argc, argv, 1, 300000);
        struct reader readers[BENCH_THREADS];
        char folder[32];
        int64_t sum = 0;
        sqlite3 *db;

        bench_make_folder(folder);
        snprintf(path, sizeof path, "%s/t.db", folder);
        db = connect_to(path);
        bench_check(sqlite3_exec(db, BENCH_CREATE, NULL, NULL, NULL) == SQLITE_OK, "create");
        bench_check(sqlite3_exec(db, BENCH_FILL, NULL, NULL, NULL) == SQLITE_OK, "insert");
        bench_check(pthread_barrier_init(&ready, NULL, BENCH_THREADS) == 0, "pthread_barrier_init");
        for (int i = 0; i < BENCH_THREADS; i++) {
                readers[i] = (struct reader){.number = i, .reads = n, .warm = n / 10 + 1};
                bench_check(pthread_create(&readers[i].thread, NULL, run, &readers[i]) == 0, "pthread_create");
        }
        for (int i = 0; i < BENCH_THREADS; i++) {
                pthread_join(readers[i].thread, NULL);
                sum += readers[i].sum;
        }
        bench_check(sum == bench_sum(n), "the sum");
        bench_print("db_reads", "kreq/s", (double)n / readers[0].seconds / 1000);
        pthread_barrier_destroy(&ready);
        sqlite3_close(db);
        bench_remove_folder(folder);
        return 0;
}
