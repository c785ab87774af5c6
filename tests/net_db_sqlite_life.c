/*
 * The driver for SQLite: transactions, locks, rows as they come, calls that are cut short, pools.
 */
#include "net_db_sqlite.h"

#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_WHAT_IS_FREED true
#else
#define KEEPS_WHAT_IS_FREED false
#endif

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Never ends by itself. */
static const char endless[] = "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n";

static double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- transactions */

BOTH(transactions_are_committed_and_rolled_back)
{
        green_db_conn *conn = open_db(new_file());

        RUN(conn, "create table t (v)");
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_INT(green_db_conn_rollback(conn), 0);
        CHECK_INT(green_db_conn_commit(conn), 0);
        CHECK_INT(green_db_conn_begin(conn), 0);
        CHECK(green_db_conn_in_transaction(conn));
        CHECK_INT(green_db_conn_begin(conn), GREEN_EDB);
        RUN(conn, "insert into t values (1)");
        CHECK_INT(green_db_conn_rollback(conn), 0);
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_STR(TEXT(conn, "select count(*) from t"), "0");
        CHECK_INT(green_db_conn_begin(conn), 0);
        RUN(conn, "insert into t values (1)");
        CHECK_INT(green_db_conn_commit(conn), 0);
        CHECK_STR(TEXT(conn, "select count(*) from t"), "1");
        /* In the user's own words. */
        RUN(conn, "begin");
        CHECK(green_db_conn_in_transaction(conn));
        RUN(conn, "insert into t values (2)");
        RUN(conn, "rollback");
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_INT(green_db_conn_begin(conn), 0);
        RUN(conn, "END");
        CHECK_INT(green_db_conn_commit(conn), 0);
        RUN(conn, "savepoint a");
        RUN(conn, "insert into t values (3)");
        RUN(conn, "release a");
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_INT(green_db_conn_commit(conn), 0);
        CHECK_STR(TEXT(conn, "select max(v) from t"), "3");
        close_db(conn);
}

BOTH(without_autocommit_a_transaction_begins_by_itself)
{
        const char *file = new_file();
        green_db_conn *conn = open_db(file), *other = open_db(file);

        RUN(conn, "create table t (v)");
        CHECK_INT(green_db_conn_autocommit(conn, false), 0);
        CHECK(!green_db_conn_in_transaction(conn));
        RUN(conn, "insert into t values (1)");
        CHECK(green_db_conn_in_transaction(conn));
        RUN(conn, "insert into t values (2)");
        CHECK_STR(TEXT(other, "select count(*) from t"), "0");
        CHECK_INT(green_db_conn_commit(conn), 0);
        CHECK_STR(TEXT(other, "select count(*) from t"), "2");
        RUN(conn, "delete from t");
        CHECK_INT(green_db_conn_rollback(conn), 0);
        CHECK_INT(green_db_conn_autocommit(conn, true), 0);
        RUN(conn, "delete from t where v = 2");
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_STR(TEXT(other, "select count(*) from t"), "1");
        close_db(conn);
        close_db(other);
}

BOTH(a_commit_that_fails_has_undone_it)
{
        green_db_conn *conn = open_db(NULL);

        RUN(conn, "create table p (id integer primary key)");
        RUN(conn, "create table f (id references p deferrable initially deferred)");
        RUN(conn, "create table u (v unique on conflict rollback)");
        CHECK_INT(green_db_conn_begin(conn), 0);
        RUN(conn, "insert into f values (9)");
        CHECK_INT(green_db_conn_commit(conn), GREEN_EDBCONSTRAINT);
        CHECK_STR(green_db_conn_sqlstate(conn), "23503");
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_STR(TEXT(conn, "select count(*) from f"), "0");
        /* SQLite itself has ended it: a commit does not say that all went well. */
        CHECK_INT(green_db_conn_begin(conn), 0);
        RUN(conn, "insert into u values (1)");
        CHECK_INT(run(conn, "insert into u values (1)"), GREEN_EDBCONSTRAINT);
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_INT(green_db_conn_commit(conn), GREEN_EDBRETRY);
        CHECK_STR(TEXT(conn, "select count(*) from u"), "0");
        CHECK_INT(green_db_conn_commit(conn), 0);
        RUN(conn, "begin");
        RUN(conn, "insert into u values (1)");
        CHECK_INT(run(conn, "insert into u values (1)"), GREEN_EDBCONSTRAINT);
        CHECK_INT(green_db_conn_commit(conn), GREEN_EDBRETRY);
        close_db(conn);
}

/* ---- locks */

BOTH(a_lock_is_waited_for_and_no_longer)
{
        const char *file = new_file();
        green_db_conn *holder = open_db(file), *conn = open_with(file, OPTIONS("busy_timeout=0.1")),
                      *at_once = open_with(file, OPTIONS("busy_timeout=0"));
        double begin;

        RUN(holder, "create table t (v)");
        CHECK_INT(green_db_conn_begin(holder), 0);
        begin = now();
        CHECK_INT(run(conn, "insert into t values (1)"), GREEN_EDBRETRY);
        CHECK_RANGE(now() - begin, 0.09, SOON);
        CHECK_STR(green_db_conn_sqlstate(conn), "55P03");
        CHECK_INT(green_db_conn_errno(conn), 5);
        CHECK_INT(green_db_conn_begin(conn), GREEN_EDBRETRY);
        CHECK_INT(run(at_once, "insert into t values (1)"), GREEN_EDBRETRY);
        /* Readers are not in its way. */
        CHECK_STR(TEXT(conn, "select count(*) from t"), "0");
        CHECK_INT(green_db_conn_commit(holder), 0);
        RUN(at_once, "insert into t values (1)");
        close_db(holder);
        close_db(conn);
        close_db(at_once);
}

BOTH(a_reader_that_writes_too_late_is_told_to_try_again)
{
        const char *file = new_file();
        green_db_conn *a = open_with(file, OPTIONS("begin=deferred")), *b = open_db(file);

        RUN(a, "create table t (v)");
        CHECK_INT(green_db_conn_begin(a), 0);
        CHECK_STR(TEXT(a, "select count(*) from t"), "0");
        RUN(b, "insert into t values (1)");
        CHECK_INT(run(a, "insert into t values (2)"), GREEN_EDBRETRY);
        CHECK_STR(green_db_conn_sqlstate(a), "40001");
        CHECK_INT(green_db_conn_errno(a), 517);
        CHECK_INT(green_db_conn_rollback(a), 0);
        CHECK_INT(green_db_conn_begin(a), 0);
        CHECK_STR(TEXT(a, "select count(*) from t"), "1");
        RUN(a, "insert into t values (2)");
        CHECK_INT(green_db_conn_commit(a), 0);
        close_db(a);
        close_db(b);
}

static void *
commit_later(void *arg)
{
        CHECK_INT(green_sleep(0.05), 0);
        CHECK_INT(green_db_conn_commit(arg), 0);
        return NULL;
}

BOTH(who_waits_for_a_lock_gets_it_when_it_is_free)
{
        const char *file = new_file();
        green_db_conn *holder = open_db(file), *conn = open_with(file, OPTIONS("busy_timeout=60"));
        green_thread *gt;

        RUN(holder, "create table t (v)");
        CHECK_INT(green_db_conn_begin(holder), 0);
        gt = green_spawn(commit_later, holder);
        RUN(conn, "insert into t values (1)");
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        close_db(holder);
        close_db(conn);
}

static void *
insert_until_it_is_done(void *arg)
{
        green_db_conn *conn = NULL;
        int rc, n = 0;

        CHECK_INT(green_db_pool_get(arg, &conn, SOON), 0);
        while ((rc = run(conn, "insert into t values (1)")) == GREEN_EDBRETRY)
                n++;
        CHECK_INT(rc, 0);
        CHECK_INT(n, 0);
        CHECK_INT(green_db_pool_put(arg, conn), 0);
        return NULL;
}

/* Those who wait have no OS thread, for the one that they wait for needs one. */
static void
who_waits_for_a_lock_does_not_keep_its_holder_from_an_os_thread(void)
{
        green_db_pool *p = pool_of(new_file(), OPTIONS("busy_timeout=60"), 5);
        green_db_conn *holder = NULL;
        green_thread *threads[4];
        double begin;

        CHECK_INT(green_tpool_set_num_threads(2), 0);
        CHECK_INT(green_db_pool_get(p, &holder, SOON), 0);
        RUN(holder, "create table t (v)");
        CHECK_INT(green_db_conn_begin(holder), 0);
        RUN(holder, "insert into t values (0)");
        for (int i = 0; i < 4; i++)
                threads[i] = green_spawn(insert_until_it_is_done, p);
        CHECK_INT(green_sleep(0.02), 0);
        begin = now();
        CHECK_INT(green_db_conn_commit(holder), 0);
        CHECK_RANGE(now() - begin, 0, SOON);
        for (int i = 0; i < 4; i++) {
                CHECK_INT(green_thread_wait(threads[i], NULL), 0);
                green_thread_unref(threads[i]);
        }
        CHECK_STR(TEXT(holder, "select count(*) from t"), "5");
        CHECK_INT(green_db_pool_put(p, holder), 0);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(green_tpool_killall(10), 0);
        CHECK_INT(green_tpool_set_num_threads(20), 0);
}

/* ---- calls that are cut short */

static void
a_statement_that_takes_too_long_is_interrupted(void)
{
        green_db_conn *conn = open_db(new_file());
        green_db_stmt *stmt = NULL;
        struct green_timeout t;

        RUN(conn, "create table t (v)");
        CHECK_INT(green_db_conn_prepare(conn, endless, &stmt), 0);
        for (int prepared = 0; prepared < 2; prepared++) {
                double begin = now();
                int rc;

                CHECK_INT(green_timeout_start(&t, 0.05), 0);
                rc = prepared ? green_db_stmt_execute(stmt, GREEN_DB_NO_PARAMS, NULL) : run(conn, endless);
                CHECK_INT(rc, GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&t), 1);
                CHECK_RANGE(now() - begin, 0.04, 0.05 + 0.45 * suite_slow());
                CHECK_STR(TEXT(conn, "select 1"), "1");
        }
        /* What it had written is undone. */
        CHECK_INT(green_timeout_start(&t, 0.05), 0);
        CHECK_INT(run(conn,
                      "with recursive n (i) as (select 1 union all select i + 1 from n) insert into t select i from n"),
                  GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_STR(TEXT(conn, "select count(*) from t"), "0");
        RUN(conn, "insert into t values (1)");
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

static void *
run_endless(void *arg)
{
        int rc = run(arg, endless);

        CHECK_INT(rc, GREEN_EKILLED);
        return NULL;
}

/* An interrupt may come before SQLite has begun, while it runs, and when it has ended. */
static void
kills_at_any_moment_leave_a_good_connection(void)
{
        green_db_pool *p = pool_of(NULL, NULL, 1);
        double begin = now();
        int n = 0;

        for (; n < 300 && now() - begin < 3; n++) {
                green_db_conn *conn = NULL;
                green_thread *gt;

                if (!CHECK_INT(green_db_pool_get(p, &conn, SOON), 0))
                        break;
                gt = green_spawn(run_endless, conn);
                CHECK_INT(green_sleep(n % 3 == 0 ? 0 : (double)(n % 40) * 0.00001), 0);
                CHECK_INT(green_kill(gt, GREEN_EKILLED), 0);
                (void)!green_thread_wait(gt, NULL);
                green_thread_unref(gt);
                CHECK_STR(TEXT(conn, "select 'good'"), "good");
                CHECK_INT(green_db_pool_put(p, conn), 0);
        }
        CHECK(n > 10);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(green_tpool_killall(10), 0);
}

static void
a_wait_for_a_lock_is_cut_short(void)
{
        const char *file = new_file();
        green_db_conn *holder = open_db(file), *conn = open_with(file, OPTIONS("busy_timeout=60")), *late = NULL;
        struct green_db_params params = {
                .size = sizeof params, .database = file, .options = OPTIONS("busy_timeout=60")};
        struct green_timeout t;
        double begin = now();

        RUN(holder, "create table t (v)");
        CHECK_INT(green_db_conn_begin(holder), 0);
        CHECK_INT(green_timeout_start(&t, 0.05), 0);
        CHECK_INT(run(conn, "insert into t values (1)"), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_RANGE(now() - begin, 0.04, 0.05 + 0.45 * suite_slow());
        CHECK_INT(green_db_conn_commit(holder), 0);
        RUN(conn, "insert into t values (1)");
        close_db(conn);
        /* Connecting waits too, where nobody else may be there. */
        RUN(holder, "pragma locking_mode=exclusive");
        RUN(holder, "insert into t values (2)");
        begin = now();
        CHECK_INT(green_db_connect("sqlite", &params, 0.05, &late), GREEN_ECONNECTTIMEOUT);
        CHECK_RANGE(now() - begin, 0.04, 0.05 + 0.45 * suite_slow());
        close_db(holder);
        green_sleep(0.1 * suite_slow()); /* the one that was left behind has seen it by then */
        CHECK_INT(green_db_connect("sqlite", &params, SOON, &late), 0);
        CHECK_STR(TEXT(late, "select count(*) from t"), "2");
        close_db(late);
        CHECK_INT(green_tpool_killall(10), 0);
}

static bool over;

static void *
count_while_not_over(void *arg)
{
        while (!over) {
                ++*(int *)arg;
                CHECK_INT(green_sleep(0.001), 0);
        }
        return NULL;
}

static void
others_run_while_a_statement_is_slow(void)
{
        green_db_conn *conn = open_db(NULL);
        struct green_timeout t;
        green_thread *gt;
        int turns = 0;

        over = false;
        gt = green_spawn(count_while_not_over, &turns);
        CHECK_INT(green_timeout_start(&t, 0.4), 0);
        CHECK_INT(run(conn, endless), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK(turns > 4); /* some systems sleep for 16 milliseconds at least */
        over = true;
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

/* ---- rows as they come */

static long
resident(void)
{
        char line[256];
        FILE *f = fopen("/proc/self/status", "r");
        long kib = 0;

        while (f != NULL && fgets(line, sizeof line, f) != NULL)
                if (strncmp(line, "VmRSS:", 6) == 0)
                        kib = atol(line + 6);
        if (f != NULL)
                fclose(f);
        return kib;
}

BOTH(a_cursor_reads_many_rows_in_little_memory)
{
        enum { ROWS = 100000 };
        green_db_conn *conn = open_db(NULL);
        green_db_result *r = NULL;
        int64_t sum = 0, number = 0, i = 0;
        long before;
        int rc;

        CHECK_STR(TEXT(conn, "select 1"), "1");
        before = resident();
        rc = green_db_conn_cursor(conn,
                                  "with recursive n (i) as (select 1 union all select i + 1 from n where i < $1) "
                                  "select i, zeroblob(1000), i / 2.0 from n",
                                  GREEN_DB_PARAMS(green_db_int64(ROWS)), &r);
        CHECK_INT(rc, 0);
        CHECK_INT(green_db_result_columns(r), 3);
        while ((rc = green_db_result_next(r)) == 1) {
                struct green_db_value v = green_db_null();

                i++;
                CHECK_INT(green_db_result_int64(r, 0, &number), 0);
                CHECK(number == i && green_db_result_value(r, 1, &v) == 0 && v.len == 1000);
                sum += number;
        }
        CHECK_INT(rc, 0);
        CHECK_INT(green_db_result_rows(r), ROWS);
        CHECK_INT(sum, (int64_t)ROWS * (ROWS + 1) / 2);
        if (!KEEPS_WHAT_IS_FREED)
                CHECK_RANGE(resident() - before, -1000000, 10000);
        green_db_result_free(r);
        CHECK_STR(TEXT(conn, "select 2"), "2");
        close_db(conn);
}

BOTH(a_cursor_may_be_left_and_its_values_live_on)
{
        static const char sql[] =
                "with recursive n (i) as (select 1 union all select i + 1 from n) select ? || i from n";
        green_db_conn *conn = open_db(NULL);
        green_db_result *r = NULL;
        green_db_stmt *stmt = NULL;
        char text[64], want[64];

        CHECK_INT(green_db_conn_prepare(conn, sql, &stmt), 0);
        for (int prepared = 0; prepared < 2; prepared++) {
                snprintf(text, sizeof text, "a text of the caller's, ");
                if (prepared)
                        CHECK_INT(green_db_stmt_cursor(stmt, GREEN_DB_PARAMS(green_db_text(text)), &r), 0);
                else
                        CHECK_INT(green_db_conn_cursor(conn, sql, GREEN_DB_PARAMS(green_db_text(text)), &r), 0);
                memset(text, '#', sizeof text);
                for (int i = 1; i <= 1000; i++) {
                        CHECK_INT(green_db_result_next(r), 1);
                        snprintf(want, sizeof want, "a text of the caller's, %d", i);
                        CHECK_STR(green_db_result_text(r, 0), want);
                }
                CHECK_INT(run(conn, "select 1"), -EBUSY);
                green_db_result_free(r);
                CHECK_STR(TEXT(conn, "select 1"), "1");
        }
        /* One that fails in the middle. */
        CHECK_INT(green_db_conn_cursor(conn,
                                       "with recursive n (i) as (select 1 union all select i + 1 from n) "
                                       "select case when i < 200 then i else abs(-9223372036854775807 - 1) end from n",
                                       GREEN_DB_NO_PARAMS, &r),
                  0);
        for (int i = 1; i < 200; i++)
                if (green_db_result_next(r) != 1)
                        break;
        CHECK_INT(green_db_result_next(r), GREEN_EDB);
        green_db_result_free(r);
        /* One that changes something is at its end before its first row. */
        RUN(conn, "create table t (v)");
        CHECK_INT(green_db_conn_cursor(conn, "insert into t values (1), (2) returning v", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_result_next(r), 0);
        CHECK_INT(green_db_result_affected_rows(r), 2);
        green_db_result_free(r);
        close_db(conn);
}

static void
a_cursor_is_cut_short_between_and_in_its_batches(void)
{
        green_db_conn *conn = open_db(NULL);
        green_db_result *r = NULL;
        struct green_timeout t;

        /* The second batch never comes. */
        CHECK_INT(green_db_conn_cursor(conn,
                                       "with recursive n (i) as (select 1 union all select i + 1 from n) "
                                       "select i from n where i <= 64 or i < 0",
                                       GREEN_DB_NO_PARAMS, &r),
                  0);
        for (int i = 0; i < 64; i++)
                CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_timeout_start(&t, 0.05), 0);
        CHECK_INT(green_db_result_next(r), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        green_db_result_free(r);
        CHECK_STR(TEXT(conn, "select 1"), "1");
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

/* ---- pools */

static void *
add_fifty(void *arg)
{
        green_db_pool *p = arg;

        for (int i = 0; i < 50; i++) {
                green_db_conn *conn = NULL;
                char sql[80];
                int n;

                if (!CHECK_INT(green_db_pool_get(p, &conn, GREEN_FOREVER), 0))
                        return NULL;
                CHECK_INT(green_db_conn_begin(conn), 0);
                n = atoi(TEXT(conn, "select v from t"));
                snprintf(sql, sizeof sql, "update t set v = %d", n + 1);
                RUN(conn, sql);
                CHECK_INT(green_db_conn_commit(conn), 0);
                CHECK_INT(green_db_pool_put(p, conn), 0);
        }
        return NULL;
}

static void
writers_of_two_pools_take_turns(void)
{
        const char *file = new_file();
        green_db_pool *pools[2] = {pool_of(file, OPTIONS("busy_timeout=60"), 3),
                                   pool_of(file, OPTIONS("busy_timeout=60"), 2)};
        green_thread *threads[8];
        green_db_conn *conn = NULL;

        CHECK_INT(green_db_pool_get(pools[0], &conn, SOON), 0);
        RUN(conn, "create table t (v integer)");
        RUN(conn, "insert into t values (0)");
        for (int i = 0; i < 8; i++)
                threads[i] = green_spawn(add_fifty, pools[i % 2]);
        CHECK_INT(green_db_pool_put(pools[0], conn), 0);
        for (int i = 0; i < 8; i++) {
                CHECK_INT(green_thread_wait(threads[i], NULL), 0);
                green_thread_unref(threads[i]);
        }
        CHECK_INT(green_db_pool_get(pools[1], &conn, SOON), 0);
        CHECK_STR(TEXT(conn, "select v from t"), "400");
        CHECK_INT(green_db_pool_put(pools[1], conn), 0);
        CHECK_INT(green_db_pool_free(pools[0]), 0);
        CHECK_INT(green_db_pool_free(pools[1]), 0);
        CHECK_INT(green_tpool_killall(10), 0);
}

BOTH(what_comes_back_is_clean)
{
        const char *file = new_file();
        green_db_pool *p = pool_of(file, NULL, 1);
        green_db_result *r = NULL;
        green_db_conn *conn = NULL;

        CHECK_INT(green_db_pool_get(p, &conn, SOON), 0);
        RUN(conn, "create table t (v)");
        CHECK_INT(green_db_conn_begin(conn), 0);
        RUN(conn, "insert into t values (1)");
        CHECK_INT(green_db_conn_cursor(
                          conn, "with recursive n (i) as (select 1 union all select i + 1 from n) select i from n",
                          GREEN_DB_NO_PARAMS, &r),
                  0);
        CHECK_INT(green_db_pool_put(p, conn), 0);
        CHECK_INT(green_db_pool_get(p, &conn, SOON), 0);
        CHECK(!green_db_conn_in_transaction(conn));
        CHECK_STR(TEXT(conn, "select count(*) from t"), "0");
        CHECK_INT(green_db_pool_put(p, conn), 0);
        green_db_result_free(r);
        CHECK_INT(green_db_pool_free(p), 0);
}

BOTH(a_database_in_memory_is_the_connections_own_unless_it_is_shared)
{
        for (int shared = 0; shared < 2; shared++) {
                green_db_pool *p = pool_of(":memory:", OPTIONS(shared ? "cache=shared" : "cache=private"), 2);
                green_db_conn *a = NULL, *b = NULL;

                CHECK_INT(green_db_pool_get(p, &a, SOON), 0);
                CHECK_INT(green_db_pool_get(p, &b, SOON), 0);
                RUN(a, "create table t (v)");
                CHECK_INT(run(b, "insert into t values (1)"), shared ? 0 : GREEN_EDB);
                if (shared) {
                        /* Tables have locks of their own then. */
                        CHECK_INT(green_db_conn_begin(a), 0);
                        RUN(a, "insert into t values (2)");
                        CHECK_INT(run(b, "select * from t"), GREEN_EDBRETRY);
                        CHECK_INT(green_db_conn_set_isolation_level(b, GREEN_DB_READ_UNCOMMITTED), 0);
                        CHECK_STR(TEXT(b, "select count(*) from t"), "2");
                        CHECK_INT(green_db_conn_rollback(a), 0);
                }
                CHECK_INT(green_db_pool_put(p, a), 0);
                CHECK_INT(green_db_pool_put(p, b), 0);
                CHECK_INT(green_db_pool_free(p), 0);
        }
}

static void *
open_one(void *arg)
{
        green_db_conn *conn = NULL;

        CHECK_INT(green_db_pool_get(arg, &conn, SOON), 0);
        CHECK_STR(TEXT(conn, "pragma journal_mode"), "wal");
        CHECK_INT(green_db_pool_put(arg, conn), 0);
        return NULL;
}

/* Several find a new file, and switch it to WAL. */
static void
many_may_connect_to_a_new_file_at_once(void)
{
        for (int round = 0; round < 10; round++) {
                green_db_pool *p = pool_of(new_file(), NULL, 8);
                green_thread *threads[8];

                for (int i = 0; i < 8; i++)
                        threads[i] = green_spawn(open_one, p);
                for (int i = 0; i < 8; i++) {
                        CHECK_INT(green_thread_wait(threads[i], NULL), 0);
                        green_thread_unref(threads[i]);
                }
                CHECK_INT(green_db_pool_free(p), 0);
        }
        CHECK_INT(green_tpool_killall(10), 0);
}

/* ---- all of it at once */

enum { ACCOUNTS = 20, TRANSFERRERS = 12 };

static unsigned long transfers;

static unsigned
draw(unsigned below)
{
        static unsigned long long state = 1;

        state = state * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(state >> 33) % below;
}

static int
move_money(green_db_conn *conn)
{
        static const char sql[] = "update account set money = money + $1 where id = $2";
        green_db_stmt *stmt = NULL;
        int rc = green_db_conn_begin(conn), much = (int)draw(100);

        if (rc == 0)
                rc = green_db_conn_prepare(conn, sql, &stmt);
        if (rc == 0)
                rc = green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(-much), green_db_int64(draw(ACCOUNTS))),
                                           NULL);
        if (rc == 0)
                rc = green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(much), green_db_int64(draw(ACCOUNTS))),
                                           NULL);
        return rc == 0 && draw(8) != 0 ? green_db_conn_commit(conn) : rc;
}

static void *
transfer(void *arg)
{
        int rc = 0;

        while (!over && rc == 0) {
                struct green_timeout t = {{0}};
                green_db_conn *conn = NULL;

                rc = green_timeout_start(&t, draw(4) == 0 ? draw(30) / 1e5 : 10);
                if (rc == 0)
                        rc = green_db_pool_get(arg, &conn, GREEN_FOREVER);
                if (rc == 0) {
                        int back;

                        rc = move_money(conn);
                        transfers += rc == 0;
                        back = draw(20) == 0 ? green_db_pool_discard(arg, conn) : green_db_pool_put(arg, conn);
                        CHECK_INT(back, 0);
                }
                if (green_timeout_cancel(&t) == 1)
                        rc = 0;
                if (rc == GREEN_EDBRETRY)
                        rc = 0;
        }
        /* The timeout's code, where the kill came after it. */
        if (rc != 0 && rc != GREEN_EKILLED && rc != GREEN_ETIMEOUT)
                FAIL("a transfer ends with %s", green_strerror(rc));
        return NULL;
}

static void
kills_and_timeouts_lose_nothing(void)
{
        green_db_pool *p = pool_of(new_file(), OPTIONS("busy_timeout=10"), 4);
        struct green_db_pool_info info = {.size = sizeof info};
        green_thread *threads[TRANSFERRERS];
        green_db_conn *conn = NULL;
        double end = now() + 1;

        over = false;
        CHECK_INT(green_db_pool_get(p, &conn, SOON), 0);
        RUN(conn, "create table account (id integer primary key, money integer not null)");
        RUN(conn, "with recursive n (i) as (select 0 union all select i + 1 from n where i < 19) "
                  "insert into account select i, 1000 from n");
        CHECK_INT(green_db_pool_put(p, conn), 0);
        for (int i = 0; i < TRANSFERRERS; i++)
                threads[i] = green_spawn(transfer, p);
        while (now() < end || transfers < 50) {
                int i = (int)draw(TRANSFERRERS);

                CHECK_INT(green_sleep(draw(100) / 1e5), 0);
                CHECK_INT(green_kill(threads[i], GREEN_EKILLED), 0);
                (void)!green_thread_wait(threads[i], NULL);
                green_thread_unref(threads[i]);
                threads[i] = green_spawn(transfer, p);
        }
        over = true;
        for (int i = 0; i < TRANSFERRERS; i++) {
                (void)!green_thread_wait(threads[i], NULL);
                green_thread_unref(threads[i]);
        }
        CHECK_INT(green_db_pool_get_info(p, &info), 0);
        CHECK_INT(info.out, 0);
        CHECK_INT(info.waiting, 0);
        CHECK_INT(info.available, 4);
        CHECK_INT(info.idle, info.made - info.closed);
        CHECK_INT(green_db_pool_get(p, &conn, SOON), 0);
        CHECK_STR(TEXT(conn, "select sum(money) from account"), "20000");
        CHECK_STR(TEXT(conn, "pragma integrity_check"), "ok");
        CHECK_INT(green_db_pool_put(p, conn), 0);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(green_tpool_killall(10), 0);
}

GREEN_SUITE(net_db_sqlite_life) {
        GREEN_TEST(transactions_are_committed_and_rolled_back),
        GREEN_TEST(without_autocommit_a_transaction_begins_by_itself),
        GREEN_TEST(a_commit_that_fails_has_undone_it),
        GREEN_TEST(a_lock_is_waited_for_and_no_longer),
        GREEN_TEST(a_reader_that_writes_too_late_is_told_to_try_again),
        GREEN_TEST(who_waits_for_a_lock_gets_it_when_it_is_free),
        GREEN_TEST(who_waits_for_a_lock_does_not_keep_its_holder_from_an_os_thread),
        GREEN_TEST(a_statement_that_takes_too_long_is_interrupted),
        GREEN_TEST(kills_at_any_moment_leave_a_good_connection),
        GREEN_TEST(a_wait_for_a_lock_is_cut_short),
        GREEN_TEST(others_run_while_a_statement_is_slow),
        GREEN_TEST(a_cursor_reads_many_rows_in_little_memory),
        GREEN_TEST(a_cursor_may_be_left_and_its_values_live_on),
        GREEN_TEST(a_cursor_is_cut_short_between_and_in_its_batches),
        GREEN_TEST(writers_of_two_pools_take_turns),
        GREEN_TEST(what_comes_back_is_clean),
        GREEN_TEST(a_database_in_memory_is_the_connections_own_unless_it_is_shared),
        GREEN_TEST(many_may_connect_to_a_new_file_at_once),
        GREEN_TEST(kills_and_timeouts_lose_nothing),
        GREEN_SUITE_END
};
