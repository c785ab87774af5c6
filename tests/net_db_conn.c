/*
 * What is done on a database connection, over a driver that is a mock: in place and in OS threads.
 */
#include "net_db.h"

#include <inttypes.h>
#include <locale.h>

#include <green/tpool.h>

#define EACH(function)                                                                                                 \
        static void function(void)                                                                                     \
        {                                                                                                              \
                for (size_t i = 0; i < sizeof mocks / sizeof mocks[0]; i++) {                                          \
                        green_db_conn *c = NULL;                                                                       \
                        struct scene s;                                                                                \
                                                                                                                       \
                        if (!begin_scene(&s, mocks[i]))                                                                \
                                return;                                                                                \
                        CHECK_INT(green_db_connect(s.path, &s.params, 5, &c), 0);                                      \
                        function##_with(&s, c);                                                                        \
                        CHECK_INT(green_db_conn_free(c), 0);                                                           \
                        end_scene(&s);                                                                                 \
                }                                                                                                      \
        }

/* ---- rows */

static void
values_keep_their_types_with(struct scene *s, green_db_conn *c)
{
        static const char bytes[] = "a\0b";
        green_db_result *r = NULL;
        struct green_db_value v;
        int64_t n = 0;
        double d = 0;

        (void)s;
        CHECK_INT(green_db_conn_execute(c, "echo",
                                        GREEN_DB_PARAMS(green_db_null(), green_db_int64(INT64_MIN), green_db_double(0.1),
                                                        green_db_text("12"), green_db_blob(bytes, 3), green_db_text("")),
                                        &r),
                  0);
        CHECK_INT(green_db_result_columns(r), 6);
        CHECK_STR(green_db_result_name(r, 1), "b");
        CHECK(green_db_result_name(r, 6) == NULL);
        CHECK_INT(green_db_result_rows(r), 1);
        CHECK_INT(green_db_result_value(r, 0, &v), -EINVAL); /* not at a row yet */
        CHECK_INT(green_db_result_next(r), 1);
        CHECK(green_db_result_is_null(r, 0));
        CHECK(green_db_result_text(r, 0) == NULL);
        CHECK_INT(green_db_result_int64(r, 0, &n), -ENODATA);
        CHECK_INT(green_db_result_int64(r, 1, &n), 0);
        CHECK(n == INT64_MIN);
        CHECK_STR(green_db_result_text(r, 1), "-9223372036854775808");
        CHECK_INT(green_db_result_double(r, 2, &d), 0);
        CHECK(d == 0.1);
        CHECK_STR(green_db_result_text(r, 2), "0.1");
        CHECK_INT(green_db_result_int64(r, 2, &n), -EDOM);
        CHECK_INT(green_db_result_int64(r, 3, &n), 0);
        CHECK_INT(n, 12);
        CHECK_INT(green_db_result_double(r, 3, &d), 0);
        CHECK(d == 12);
        CHECK_INT(green_db_result_value(r, 4, &v), 0);
        CHECK_INT(v.type, GREEN_DB_BLOB);
        CHECK(v.len == 3 && memcmp(v.data, bytes, 4) == 0);
        CHECK_INT(green_db_result_int64(r, 4, &n), -EDOM);
        CHECK_STR(green_db_result_text(r, 5), "");
        CHECK_INT(green_db_result_int64(r, 5, &n), -EDOM);
        CHECK_INT(green_db_result_value(r, 6, &v), -EINVAL);
        CHECK_INT(green_db_result_next(r), 0);
        CHECK_INT(green_db_result_next(r), 0);
        CHECK_INT(green_db_result_value(r, 0, &v), -EINVAL);
        green_db_result_free(r);
        green_db_result_free(NULL);
}
EACH(values_keep_their_types)

static void
numbers_that_do_not_fit_are_told_with(struct scene *s, green_db_conn *c)
{
        static const char *const texts[] = {"9223372036854775808", "-9223372036854775809", "1x", " 7 ", "-5"};
        static const int codes[] = {-ERANGE, -ERANGE, -EDOM, 0, 0};
        green_db_result *r = NULL;
        int64_t n = 0;

        (void)s;
        for (int i = 0; i < 5; i++) {
                CHECK_INT(green_db_conn_execute(c, "echo", GREEN_DB_PARAMS(green_db_text(texts[i])), &r), 0);
                CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(green_db_result_int64(r, 0, &n), codes[i]);
                green_db_result_free(r);
        }
        CHECK_INT(n, -5);
        CHECK_INT(green_db_conn_execute(c, "echo", GREEN_DB_PARAMS(green_db_double(1e19), green_db_double(3)), &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_result_int64(r, 0, &n), -ERANGE);
        CHECK_INT(green_db_result_int64(r, 1, &n), 0);
        CHECK_INT(n, 3);
        green_db_result_free(r);
}
EACH(numbers_that_do_not_fit_are_told)

/* In a program whose locale has a decimal comma. */
static void
numbers_have_a_point_with(struct scene *s, green_db_conn *c)
{
        green_db_result *r = NULL;
        double d = 0;

        (void)s;
        /* musl takes any name, and has a point in all of them. */
        if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL || strcmp(localeconv()->decimal_point, ",") != 0) {
                suite_skip("there is no locale with a decimal comma");
                setlocale(LC_NUMERIC, "C");
                return;
        }
        CHECK_INT(green_db_conn_execute(c, "echo", GREEN_DB_PARAMS(green_db_text("1.5"), green_db_double(0.1)), &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_result_double(r, 0, &d), 0);
        CHECK(d == 1.5);
        CHECK_STR(green_db_result_text(r, 1), "0.1");
        green_db_result_free(r);
        CHECK(strcmp(localeconv()->decimal_point, ",") == 0);
        setlocale(LC_NUMERIC, "C");
}
EACH(numbers_have_a_point)

static void
a_stored_result_outlives_its_connection_with(struct scene *s, green_db_conn *c)
{
        green_db_result *r = NULL;
        int64_t n = 0, sum = 0;

        (void)s;
        CHECK_INT(green_db_conn_execute(c, "rows 1000", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_conn_close(c), 0);
        while (green_db_result_next(r) == 1) {
                CHECK_INT(green_db_result_int64(r, 0, &n), 0);
                sum += n;
        }
        CHECK_INT(sum, 499500);
        CHECK_INT(green_db_result_rows(r), 1000);
        green_db_result_free(r);
}
EACH(a_stored_result_outlives_its_connection)

static void
a_cursor_gives_rows_as_they_come_with(struct scene *s, green_db_conn *c)
{
        green_db_result *r = NULL;
        int64_t n = -1;
        unsigned warnings = 0;

        (void)s;
        CHECK_INT(green_db_conn_cursor(c, "rows 8", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(run(c, "rows 1"), -EBUSY);
        CHECK(strstr(green_last_error()->message, "not read to its end") != NULL);
        for (int i = 0; i < 8; i++) {
                CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(green_db_result_int64(r, 0, &n), 0);
                CHECK_INT(n, i);
                CHECK_INT(green_db_result_rows(r), i + 1);
        }
        CHECK_INT(green_db_result_next(r), 0);
        CHECK_INT(green_db_result_rows(r), 8);
        CHECK_INT(green_db_conn_warning_count(c, &warnings), 0);
        CHECK_INT(warnings, 2);
        CHECK_INT(run(c, "rows 1"), 0);
        green_db_result_free(r);
        CHECK_INT(s->m.settles, 0);
}
EACH(a_cursor_gives_rows_as_they_come)

static void
a_cursor_that_is_freed_early_is_settled_with(struct scene *s, green_db_conn *c)
{
        green_db_result *r = NULL;

        CHECK_INT(green_db_conn_cursor(c, "rows 500", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        green_db_result_free(r);
        CHECK_INT(s->m.settles, 1);
        CHECK_INT(run(c, "rows 1"), 0);
        /* One whose connection goes first tells so. */
        CHECK_INT(green_db_conn_cursor(c, "rows 5", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_conn_close(c), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_result_next(r), -EBADF);
        green_db_result_free(r);
}
EACH(a_cursor_that_is_freed_early_is_settled)

static void
a_query_is_stored_or_used_with(struct scene *s, green_db_conn *c)
{
        green_db_result *r = NULL;

        CHECK_INT(green_db_conn_store_result(c, &r), -ENODATA);
        CHECK_INT(green_db_conn_use_result(c, &r), -ENODATA);
        for (int small = 0; small < 2; small++) {
                const char *sql = small ? "rows 2" : "rows 8";
                int n = small ? 2 : 8;

                CHECK_INT(green_db_conn_query(c, sql, GREEN_DB_NO_PARAMS), 0);
                CHECK_INT(green_db_conn_store_result(c, &r), 0);
                CHECK_INT(green_db_result_rows(r), n);
                for (int i = 0; i < n; i++)
                        CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(green_db_result_next(r), 0);
                green_db_result_free(r);
                CHECK_INT(green_db_conn_query(c, sql, GREEN_DB_NO_PARAMS), 0);
                CHECK_INT(green_db_conn_use_result(c, &r), 0);
                for (int i = 0; i < n; i++)
                        CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(green_db_result_next(r), 0);
                green_db_result_free(r);
        }
        CHECK_INT(s->m.settles, 0);
        /* What nobody asks for is thrown away. */
        CHECK_INT(green_db_conn_query(c, "rows 2", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_query(c, "rows 8", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(s->m.settles, 1);
        CHECK_INT(green_db_conn_query(c, "rows 8", GREEN_DB_NO_PARAMS), 0);
}
EACH(a_query_is_stored_or_used)

/* ---- statements */

static void
a_statement_is_prepared_once_with(struct scene *s, green_db_conn *c)
{
        green_db_stmt *a = NULL, *b = NULL;
        green_db_result *r = NULL;
        char sql[32];

        CHECK_INT(green_db_conn_prepare(c, "rows 5", &a), 0);
        CHECK_INT(green_db_conn_prepare(c, "rows 5", &b), 0);
        CHECK_PTR(a, b);
        CHECK_INT(s->m.prepares, 1);
        CHECK_INT(green_db_stmt_execute(a, GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_rows(r), 5);
        green_db_result_free(r);
        CHECK_INT(green_db_stmt_cursor(a, GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_stmt_execute(a, GREEN_DB_NO_PARAMS, NULL), -EBUSY);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_prepare(c, "bad", &b), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "42601");
        CHECK_INT(green_db_stmt_free(a), 0);
        CHECK_INT(s->m.unprepares, 1);
        CHECK_INT(green_db_stmt_free(NULL), 0);
        /* All of these are the user's, and are kept. */
        for (int i = 0; i < 70; i++) {
                snprintf(sql, sizeof sql, "rows %d", i);
                CHECK_INT(green_db_conn_prepare(c, sql, &a), 0);
        }
        CHECK_INT(s->m.prepares, 71);
        CHECK_INT(s->m.unprepares, 1);
}
EACH(a_statement_is_prepared_once)

static void
the_statements_used_last_are_kept(void)
{
        struct scene s;
        green_db_pool *p;
        green_db_stmt *st;
        char sql[32];

        if (!begin_scene(&s, "db_mock"))
                return;
        p = new_pool(&s);
        for (int i = 0; i < 70; i++) {
                green_db_conn *c = got(p);

                snprintf(sql, sizeof sql, "rows %d", i);
                CHECK_INT(green_db_conn_prepare(c, sql, &st), 0);
                CHECK_INT(green_db_conn_prepare(c, "rows 0", &st), 0);
                CHECK_INT(green_db_pool_put(p, c), 0);
        }
        CHECK_INT(s.m.prepares, 70);
        CHECK_INT(s.m.unprepares, 6);
        CHECK_INT(green_db_pool_put_with(p, got(p), green_db_pool_cleanup_reset, NULL), 0);
        {
                green_db_conn *c = got(p);

                CHECK_INT(green_db_conn_prepare(c, "rows 0", &st), 0);
                CHECK_INT(s.m.prepares, 71);
                CHECK_INT(green_db_pool_put(p, c), 0);
        }
        CHECK_INT(green_db_pool_free(p), 0);
        end_scene(&s);
}

static int handled, handled_code;

static void
handler(green_db_conn *conn, int code, void *arg)
{
        CHECK(green_db_conn_is_open(conn));
        handled++;
        handled_code = code;
        CHECK_PTR(arg, &handled);
}

static void
what_went_wrong_is_told_with(struct scene *s, green_db_conn *c)
{
        char sql[32];
        int64_t n = 0;

        (void)s;
        GREEN_COVERS("DBP-06");
        handled = 0;
        CHECK_STR(green_db_conn_error(c), "");
        CHECK_STR(green_db_conn_sqlstate(c), "00000");
        CHECK_INT(green_db_conn_errorhandler(c, handler, &handled), 0);
        snprintf(sql, sizeof sql, "fail %d", GREEN_EDBCONSTRAINT);
        CHECK_INT(run(c, sql), GREEN_EDBCONSTRAINT);
        CHECK(strstr(green_db_conn_error(c), "told to fail") != NULL);
        CHECK(strstr(green_last_error()->message, "told to fail") != NULL);
        CHECK_INT(green_db_conn_errno(c), 1062);
        CHECK_STR(green_db_conn_sqlstate(c), "23505");
        CHECK_INT(handled, 1);
        CHECK_INT(handled_code, GREEN_EDBCONSTRAINT);
        CHECK_INT(run(c, "affect 3"), 0);
        CHECK_INT(green_db_conn_errno(c), 0);
        CHECK_INT(green_db_conn_affected_rows(c, &n), 0);
        CHECK_INT(n, 3);
        CHECK_INT(green_db_conn_insert_id(c, &n), 0);
        CHECK_INT(n, 103);
        CHECK_INT(handled, 1);
        CHECK_INT(green_db_conn_select_db(c, "x"), -ENOTSUP);
        CHECK(strstr(green_last_error()->message, "mock") != NULL);
}
EACH(what_went_wrong_is_told)

/* ---- transactions */

static void
without_autocommit_a_transaction_begins_by_itself_with(struct scene *s, green_db_conn *c)
{
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK_INT(s->m.rollbacks, 0);
        CHECK_INT(green_db_conn_autocommit(c, false), 0);
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(run(c, "affect 1"), 0);
        CHECK_INT(run(c, "affect 1"), 0);
        CHECK_INT(s->m.begins, 1);
        CHECK(green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_autocommit(c, true), -EBUSY);
        CHECK_INT(green_db_conn_commit(c), 0);
        CHECK_INT(run(c, "affect 1"), 0);
        CHECK_INT(s->m.begins, 2);
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK_INT(s->m.rollbacks, 1);
        CHECK_INT(green_db_conn_autocommit(c, true), 0);
        CHECK_INT(run(c, "affect 1"), 0);
        CHECK_INT(s->m.begins, 2);
        CHECK_INT(green_db_conn_set_isolation_level(c, (enum green_db_isolation)9), -EINVAL);
        CHECK_INT(green_db_conn_set_isolation_level(c, GREEN_DB_SERIALIZABLE), -ENOTSUP);
}
EACH(without_autocommit_a_transaction_begins_by_itself)

static void
the_server_can_be_asked_with(struct scene *s, green_db_conn *c)
{
        green_db_result *r = NULL;
        uint64_t bits = 0;
        char text[32];
        int64_t n = 0;

        (void)s;
        GREEN_COVERS("DBP-06");
        CHECK_INT(green_db_conn_ping(c), 0);
        CHECK_INT(green_db_conn_stat(c, text, sizeof text), 4);
        CHECK_STR(text, "fine");
        CHECK_INT(green_db_conn_character_set_name(c, text, 3), 5);
        CHECK_STR(text, "UT");
        CHECK_INT(green_db_conn_get_server_info(c, text, sizeof text), 8);
        CHECK_INT(green_db_conn_thread_id(c, &n), 0);
        CHECK_INT(n, 42);
        CHECK_INT(green_db_conn_server_capabilities(c, &bits), -ENOTSUP);
        CHECK_INT(green_db_conn_literal(c, green_db_int64(7), text, sizeof text), 1);
        CHECK_INT(green_db_conn_string_literal(c, "x", text, sizeof text), 3);
        CHECK_STR(text, "'x'");
        CHECK_INT(green_db_conn_show_warnings(c, &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_STR(green_db_result_text(r, 0), "careful");
        green_db_result_free(r);
        CHECK_INT(green_db_conn_pipeline_begin(c), -ENOTSUP);
        CHECK_INT(green_db_conn_copy_in(c, "copy"), -ENOTSUP);
        {
                struct green_db_notification note;

                CHECK_INT(green_db_conn_notification(c, &note, 0), -ENOTSUP);
        }
        CHECK_INT(green_db_conn_dump_debug_info(c), -ENOTSUP);
        CHECK_INT(green_db_conn_change_user(c, "u", NULL, NULL), -ENOTSUP);
        CHECK_INT(green_db_conn_change_user(c, NULL, NULL, NULL), -EINVAL);
}
EACH(the_server_can_be_asked)

/* ---- calls that are cut short */

struct statement {
        green_db_conn *conn;
        const char *sql;
        int rc;
};

static void *
call(void *arg)
{
        struct statement *c = arg;

        c->rc = run(c->conn, c->sql);
        return NULL;
}

static void
one_that_is_killed_leaves_a_connection_that_is_settled_with(struct scene *s, green_db_conn *c)
{
        struct statement k = {c, "wait", 0};
        green_thread *gt = green_spawn(call, &k);

        until_waiting(s, 1);
        CHECK_INT(run(c, "rows 1"), -EBUSY);
        CHECK_INT(green_db_conn_close(c), -EBUSY);
        CHECK_INT(green_db_conn_free(c), -EBUSY);
        green_kill(gt, 0);
        ended(gt, GREEN_EKILLED);
        CHECK_INT(k.rc, GREEN_EKILLED);
        CHECK_INT(s->m.settles, 0);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(s->m.settles, 1);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(s->m.settles, 1);
}
EACH(one_that_is_killed_leaves_a_connection_that_is_settled)

static void
a_timeout_ends_a_call_and_what_cannot_be_settled_is_lost_with(struct scene *s, green_db_conn *c)
{
        struct green_timeout t = {{0}};

        for (int fails = 0; fails < 2; fails++) {
                CHECK_INT(green_timeout_start(&t, 0.02 * suite_slow()), 0); /* time for an OS thread to begin */
                CHECK_INT(run(c, "wait"), GREEN_ETIMEOUT);
                CHECK_INT(run(c, "rows 1"), GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&t), 1);
                s->m.settle_rc = fails ? GREEN_EDB : 0;
                CHECK_INT(run(c, "rows 1"), fails ? GREEN_EDBLOST : 0);
        }
        CHECK_INT(green_db_conn_ping(c), GREEN_EDBLOST);
        CHECK(!green_db_conn_in_transaction(c));
}
EACH(a_timeout_ends_a_call_and_what_cannot_be_settled_is_lost)

static void
settling_takes_no_longer_than_it_may(void)
{
        for (size_t i = 0; i < 2; i++) {
                struct statement k = {NULL, "wait", 0};
                struct green_timeout t = {{0}};
                green_thread *gt;
                struct scene s;
                green_db_pool *p;
                green_db_conn *c;

                if (!begin_scene(&s, mocks[i]))
                        return;
                s.opts.cleanup_timeout = 0.02;
                p = new_pool(&s);
                c = got(p);
                k.conn = c;
                gt = green_spawn(call, &k);
                until_waiting(&s, 1);
                green_kill(gt, 0);
                ended(gt, GREEN_EKILLED);
                CHECK_INT(green_timeout_start(&t, 0.001), 0);
                CHECK_INT(green_sleep(5), GREEN_ETIMEOUT);
                s.m.settle_waits = true;
                CHECK_INT(green_db_pool_put(p, c), 0); /* in spite of the timeout */
                CHECK_INT(green_timeout_cancel(&t), 1);
                CHECK_INT(s.m.closes, 1);
                CHECK_INT(info_of(p).lost, 1);
                CHECK_INT(green_db_pool_free(p), 0);
                end_scene(&s);
        }
}

static void *
read_all(void *arg)
{
        green_db_result *r = arg;
        int rc;

        while ((rc = green_db_result_next(r)) == 1)
                ;
        return green_fail(rc);
}

static void
a_cursor_that_is_killed_tells_so_and_its_connection_is_settled_with(struct scene *s, green_db_conn *c)
{
        green_db_result *r = NULL;
        green_thread *gt;

        CHECK_INT(green_db_conn_cursor(c, "rows 1000", GREEN_DB_NO_PARAMS, &r), 0);
        gt = green_spawn(read_all, r);
        until_waiting(s, 1);
        green_kill(gt, -EINTR);
        CHECK_INT(green_thread_wait(gt, NULL), -EINTR);
        green_thread_unref(gt);
        CHECK_INT(green_db_result_next(r), -EINTR);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(s->m.settles, 1);
        green_db_result_free(r);
        CHECK_INT(run(c, "rows 1"), 0);
}
EACH(a_cursor_that_is_killed_tells_so_and_its_connection_is_settled)

static void
a_call_that_has_not_begun_is_left_alone(void)
{
        struct statement k[3];
        green_thread *gt[3];
        green_db_conn *c[3];
        struct scene s;

        if (!begin_scene(&s, "db_mock_blocks"))
                return;
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
        CHECK_INT(green_tpool_set_num_threads(2), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_db_connect(s.path, &s.params, 5, &c[i]), 0);
        for (int i = 0; i < 3; i++) {
                k[i] = (struct statement){c[i], "wait", 0};
                gt[i] = green_spawn(call, &k[i]);
                if (i < 2)
                        until_waiting(&s, i + 1);
        }
        green_sleep(0.001);
        /* Two wait in the only OS threads; the third stands in the queue. */
        green_kill(gt[2], 0);
        CHECK_INT(green_thread_wait(gt[2], NULL), GREEN_EKILLED);
        CHECK_INT(k[2].rc, GREEN_EKILLED);
        CHECK_INT(s.m.queries, 2);
        open_gate(&s);
        join(gt[0]);
        join(gt[1]);
        green_thread_unref(gt[2]);
        CHECK_INT(k[0].rc, 0);
        CHECK_INT(run(c[2], "rows 1"), 0);
        CHECK_INT(s.m.settles, 0);
        CHECK_INT(s.m.interrupts, 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_db_conn_free(c[i]), 0);
        end_scene(&s);
        CHECK_INT(green_tpool_set_num_threads(GREEN_TPOOL_THREADS), 0);
}

static void
others_run_on_meanwhile_with(struct scene *s, green_db_conn *c)
{
        struct statement k = {c, "wait", -1};
        green_thread *gt = green_spawn(call, &k);

        until_waiting(s, 1);
        for (int i = 0; i < 10; i++)
                CHECK_INT(green_sleep(0.0001), 0);
        CHECK_INT(k.rc, -1);
        open_gate(s);
        join(gt);
        CHECK_INT(k.rc, 0);
        CHECK_INT(run(c, "wait"), 0);
}
EACH(others_run_on_meanwhile)

static void
in_a_hub_callback_nothing_waits(struct green_watch *w, int result, void *arg)
{
        struct statement *k = arg;

        (void)w;
        (void)result;
        k->rc = run(k->conn, "rows 1");
}

static void
a_hub_callback_is_refused_with(struct scene *s, green_db_conn *c)
{
        struct statement k = {c, NULL, 0};
        struct green_watch w;

        (void)s;
        green_watch_init(&w, in_a_hub_callback_nothing_waits, &k);
        CHECK_INT(green_watch_start(&w, GREEN_INVALID_FD, 0, 0), 0);
        while (k.rc == 0)
                green_sleep(0.0005);
        CHECK_INT(k.rc, -EDEADLK);
        CHECK_INT(run(c, "rows 1"), 0);
}
EACH(a_hub_callback_is_refused)

/* ---- connectors */

static void
a_connector_has_one_pool_for_each_host_and_database(void)
{
        struct green_db_credentials list[2];
        struct green_db_pool_opts o = {.size = sizeof o, .max_size = 1};
        green_db_pool *a = NULL, *b = NULL, *d = NULL;
        struct green_db_params at_b;
        green_db_connector *con;
        struct scene s;
        green_db_conn *c;
        char text[128];

        GREEN_COVERS("DBP-29", "DBP-30", "DBP-31");
        if (!begin_scene(&s, "db_mock"))
                return;
        at_b = s.params;
        at_b.user = "bob";
        at_b.database = "his";
        list[0] = (struct green_db_credentials){"default", &s.params};
        list[1] = (struct green_db_credentials){"b.example", &at_b};
        con = green_db_connector_new(s.path, list, 2, &o);
        CHECK(con != NULL);
        CHECK_INT(green_db_connector_get(con, "a.example", "x", &a), 0);
        CHECK_INT(green_db_connector_get(con, "a.example", "y", &b), 0);
        CHECK(a != b);
        CHECK_INT(green_db_connector_get(con, "a.example", "x", &d), 0);
        CHECK_PTR(a, d);
        CHECK_INT(info_of(a).available, 1);
        c = got(a);
        green_db_conn_format(c, text, sizeof text);
        CHECK(strstr(text, "a.example/x") != NULL);
        CHECK_INT(green_db_pool_put(a, c), 0);
        CHECK_INT(green_db_connector_get(con, "b.example", "x", &b), 0);
        c = got(b);
        green_db_conn_format(c, text, sizeof text);
        CHECK(strstr(text, "bob@b.example/his") != NULL); /* the credentials' own database */
        CHECK_INT(green_db_pool_put(b, c), 0);
        CHECK_STR(green_db_connector_credentials_for(con, "b.example")->user, "bob");
        CHECK(green_db_connector_credentials_for(con, "else")->user == NULL);
        CHECK_INT(green_db_connector_free(con), 0);
        con = green_db_connector_new(s.path, &list[1], 1, NULL);
        CHECK_INT(green_db_connector_get(con, "a.example", "x", &a), -ENOENT);
        CHECK(strstr(green_last_error()->message, "no credentials for \"a.example\"") != NULL);
        CHECK(green_db_connector_credentials_for(con, "a.example") == NULL);
        CHECK_INT(errno, ENOENT);
        CHECK_INT(green_db_connector_free(con), 0);
        CHECK_INT(green_db_connector_free(NULL), 0);
        end_scene(&s);
}

/* ---- memory */

static void
without_memory_nothing_is_lost_with(struct scene *s, green_db_conn *c)
{
        green_db_result *r = NULL;
        int n = 0, rc;

        do {
                memory_left = n++;
                rc = green_db_conn_execute(c, "rows 200", GREEN_DB_NO_PARAMS, &r);
                memory_left = -1;
        } while (rc == -ENOMEM && n < 100);
        CHECK_INT(rc, 0);
        CHECK(n > 3);
        CHECK_INT(green_db_result_rows(r), 200);
        green_db_result_free(r);
        r = NULL;
        n = 0;
        do {
                memory_left = n++;
                rc = green_db_conn_cursor(c, "rows 8", GREEN_DB_NO_PARAMS, &r);
                while (rc == 0 && (rc = green_db_result_next(r)) == 1)
                        rc = 0;
                memory_left = -1;
                green_db_result_free(r);
                r = NULL;
        } while (rc == -ENOMEM && n < 100);
        CHECK(n > 3);
        CHECK_INT(run(c, "rows 1"), 0);
        (void)s;
}
EACH(without_memory_nothing_is_lost)

GREEN_SUITE(net_db_conn) {
        GREEN_TEST(values_keep_their_types),
        GREEN_TEST(numbers_that_do_not_fit_are_told),
        GREEN_TEST(numbers_have_a_point),
        GREEN_TEST(a_stored_result_outlives_its_connection),
        GREEN_TEST(a_cursor_gives_rows_as_they_come),
        GREEN_TEST(a_cursor_that_is_freed_early_is_settled),
        GREEN_TEST(a_query_is_stored_or_used),
        GREEN_TEST(a_statement_is_prepared_once),
        GREEN_TEST(the_statements_used_last_are_kept),
        GREEN_TEST(what_went_wrong_is_told),
        GREEN_TEST(without_autocommit_a_transaction_begins_by_itself),
        GREEN_TEST(the_server_can_be_asked),
        GREEN_TEST(one_that_is_killed_leaves_a_connection_that_is_settled),
        GREEN_TEST(a_timeout_ends_a_call_and_what_cannot_be_settled_is_lost),
        GREEN_TEST(settling_takes_no_longer_than_it_may),
        GREEN_TEST(a_cursor_that_is_killed_tells_so_and_its_connection_is_settled),
        GREEN_TEST(a_call_that_has_not_begun_is_left_alone),
        GREEN_TEST(others_run_on_meanwhile),
        GREEN_TEST(a_hub_callback_is_refused),
        GREEN_TEST(a_connector_has_one_pool_for_each_host_and_database),
        GREEN_TEST(without_memory_nothing_is_lost),
        GREEN_SUITE_END
};
