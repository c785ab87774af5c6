/*
 * The driver for SQLite, with an allocation that fails: each one of a scene, of SQLite's and of green-net's. Whatever fails,
 * nothing is lost, and the next call is as good as any.
 */
#include "net_db_sqlite.h"

#include <sqlite3.h>

/* Of SQLite's: those that still succeed; below 0: all do. */
static int sqlite_left = -1;
static sqlite3_mem_methods plain;

static bool
fails(void)
{
        if (sqlite_left == 0)
                return true;
        if (sqlite_left > 0)
                sqlite_left--;
        return false;
}

static void *
test_malloc(int size)
{
        return fails() ? NULL : plain.xMalloc(size);
}

static void *
test_resize(void *old, int size)
{
        return fails() ? NULL : plain.xRealloc(old, size);
}

/* SQLite is told before the driver, which is loaded later on, begins with it. */
static bool
take_over(void)
{
        static sqlite3_mem_methods ours;

        if (plain.xMalloc != NULL)
                return true;
        if (!CHECK_INT(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain), SQLITE_OK))
                return false;
        ours = plain;
        ours.xMalloc = test_malloc;
        ours.xRealloc = test_resize;
        return CHECK_INT(sqlite3_config(SQLITE_CONFIG_MALLOC, &ours), SQLITE_OK);
}

/* What may come of a call. -EBADF: of a result whose connection had to be closed. */
static bool
fine(int rc)
{
        return CHECK(rc >= 0 || rc == -ENOMEM || rc == GREEN_EDBLOST || rc == -EBADF);
}

static bool
use_cursor(green_db_conn *conn)
{
        static const char sql[] = "select k, v, zeroblob(k), k / 2.0, null from t where k < $1 or v = $2";
        green_db_result *r = NULL;
        green_db_stmt *stmt = NULL;
        int n = 0, rc = green_db_conn_prepare(conn, sql, &stmt);

        if (rc == 0)
                rc = green_db_stmt_cursor(stmt, GREEN_DB_PARAMS(green_db_int64(150), green_db_text("x")), &r);
        while (rc == 0 && (rc = green_db_result_next(r)) == 1) {
                rc = 0;
                n++;
        }
        green_db_result_free(r);
        if (rc == 0)
                CHECK_INT(n, 149);
        return fine(rc) && rc >= 0;
}

/* True: nothing has failed. */
static bool
scene(const char *file)
{
        struct green_db_params params = {.size = sizeof params, .database = file};
        struct green_db_pool_opts opts = {.size = sizeof opts, .driver = "sqlite", .kind = GREEN_DB_POOL_RAW};
        static const char *const statements[] = {
                "create table if not exists t (k integer primary key, v text)",
                "delete from t",
                "with recursive n (i) as (select 1 union all select i + 1 from n where i < 200) insert into t select i, $1 from n",
                "select $1 || v from t where k in (5, 7) order by v || k",
        };
        green_db_conn *conn = NULL;
        green_db_pool *p;
        bool good = true;

        opts.params = &params;
        p = green_db_pool_new(&opts);
        if (p == NULL)
                return fine(green_last_error()->code) && false;
        good = green_db_pool_get(p, &conn, SOON) == 0;
        for (size_t i = 0; conn != NULL && i < 4; i++) {
                const struct green_db_value v = green_db_text("a value");
                green_db_result *r = NULL;
                int rc = green_db_conn_execute(conn, statements[i], &v, i / 2, &r);

                good = fine(rc) && rc == 0 && good;
                green_db_result_free(r);
        }
        if (conn != NULL)
                good = use_cursor(conn) && good;
        if (conn != NULL && good) {
                good = green_db_conn_begin(conn) == 0 && green_db_conn_commit(conn) == 0;
                good = green_db_conn_ping(conn) == 0 && good;
        }
        if (conn != NULL)
                CHECK_INT(green_db_pool_put(p, conn), 0);
        CHECK_INT(green_db_pool_free(p), 0);
        return good;
}

/* After a failure, the same once more, with all the memory there is. */
static void
walk(int *left)
{
        const char *file = new_file();
        int n = 0;

        CHECK(scene(file));
        for (; n < 20000; n++) {
                sqlite3_int64 used = sqlite3_memory_used();
                bool whole;

                *left = n;
                whole = scene(file);
                /* A wish for memory that SQLite can do without fails nothing: it has all been walked when some are left. */
                if (*left > 0) {
                        CHECK(whole);
                        *left = -1;
                        break;
                }
                *left = -1;
                if (sqlite3_memory_used() > used)
                        FAIL("allocation %d: %lld bytes are lost", n, (long long)(sqlite3_memory_used() - used));
                if (!CHECK(n % 16 != 0 || scene(file)))
                        break;
        }
        CHECK(n > 20 && n < 20000);
}

static void
sqlites_memory_runs_out(void)
{
        if (take_over())
                walk(&sqlite_left);
}

static void
memory_for_the_rows_runs_out(void)
{
        if (take_over())
                walk(&memory_left);
}

GREEN_SUITE(net_db_sqlite_memory) {
        GREEN_TEST(sqlites_memory_runs_out, .limit = 120),
        GREEN_TEST(memory_for_the_rows_runs_out, .limit = 120),
        GREEN_SUITE_END
};
