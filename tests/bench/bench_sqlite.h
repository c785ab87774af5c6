/*
 * What the benchmarks of SQLite share: the same table, the same pragmas, the same keys in the same numbers, and what
 * the values they stand for add up to.
 */
#ifndef BENCH_SQLITE_H
#define BENCH_SQLITE_H

#include "bench.h"

#include <unistd.h>

enum { BENCH_ROWS = 10000, BENCH_THREADS = 2 };

#define BENCH_CREATE "create table t (k integer primary key, v integer not null)"
#define BENCH_FILL                                                                                                     \
        "with recursive n (i) as (select 0 union all select i + 1 from n where i < 9999) "                             \
        "insert into t select i, i * 7 + 3 from n"
#define BENCH_READ "select v from t where k = $1"

/* The key of a read, by its number. */
static inline int64_t
bench_key(long i)
{
        uint32_t state = (uint32_t)i * 2654435761u;

        return (int64_t)(bench_random(&state) % BENCH_ROWS);
}

static inline int64_t
bench_sum(long n)
{
        int64_t sum = 0;

        for (long i = 0; i < n; i++)
                sum += bench_key(i) * 7 + 3;
        return sum;
}

static inline void
bench_make_folder(char folder[32])
{
        snprintf(folder, 32, "/tmp/bench-sqlite-XXXXXX");
        bench_check(mkdtemp(folder) != NULL, "mkdtemp");
}

static inline void
bench_remove_folder(const char *folder)
{
        static const char *const ends[] = {"/t.db", "/t.db-wal", "/t.db-shm", ""};
        char path[64];

        for (int i = 0; i < 4; i++) {
                snprintf(path, sizeof path, "%s%s", folder, ends[i]);
                (void)remove(path);
        }
}

#endif
