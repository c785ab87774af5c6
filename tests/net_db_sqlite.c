/*
 * The driver for SQLite: values, parameters, what a statement did, errors, options.
 */
#include "net_db_sqlite.h"

#include <float.h>
#include <math.h>

/* ---- values */

/* A value goes there and comes back, by itself and through a table without types. */
static void
round_trip(green_db_conn *conn, struct green_db_value v)
{
        green_db_result *r = NULL;
        struct green_db_value got;

        for (int table = 0; table < 2; table++) {
                if (table) {
                        CHECK_INT(run(conn, "delete from t"), 0);
                        CHECK_INT(green_db_conn_execute(conn, "insert into t values (?)", &v, 1, NULL), 0);
                }
                CHECK_INT(green_db_conn_execute(conn, table ? "select v from t" : "select ?", &v, table ? 0 : 1, &r),
                          0);
                if (!CHECK_INT(green_db_result_next(r), 1) || !CHECK_INT(green_db_result_value(r, 0, &got), 0))
                        return;
                CHECK_INT(got.type, v.type);
                CHECK_INT(got.number, v.number);
                CHECK(got.real == v.real && signbit(got.real) == signbit(v.real));
                CHECK_INT(got.len, v.len);
                if (v.type == GREEN_DB_TEXT || v.type == GREEN_DB_BLOB)
                        CHECK(got.data != NULL && (v.len == 0 || memcmp(got.data, v.data, v.len) == 0) &&
                              ((const char *)got.data)[v.len] == '\0');
                CHECK_INT(green_db_result_next(r), 0);
                green_db_result_free(r);
        }
}

BOTH(values_keep_their_types_and_bytes)
{
        static const int64_t numbers[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT64_C(1) << 53, INT64_MAX, INT64_MIN};
        static const double reals[] = {0.0,     0.1,      -1.5,    1e300,    DBL_MAX,  -DBL_MAX,
                                       DBL_MIN, 4.9e-324, 1.0 / 3, HUGE_VAL, -HUGE_VAL};
        static char all[256];
        green_db_conn *conn = open_db(NULL);
        char *large = malloc(3000000);

        RUN(conn, "create table t (v)");
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
                round_trip(conn, green_db_int64(numbers[i]));
        for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
                round_trip(conn, green_db_double(reals[i]));
        round_trip(conn, green_db_null());
        round_trip(conn, green_db_text(""));
        round_trip(conn, green_db_text("it's; -- \"Grüße\" \xf0\x9f\x8d\x8f"));
        round_trip(conn, green_db_text_n("a\0b", 3));
        round_trip(conn, green_db_blob("", 0));
        round_trip(conn, (struct green_db_value){.type = GREEN_DB_BLOB});
        for (int i = 0; i < 256; i++)
                all[i] = (char)i;
        round_trip(conn, green_db_blob(all, 256));
        memset(large, 'x', 3000000);
        round_trip(conn, green_db_text_n(large, 3000000));
        round_trip(conn, green_db_blob(large, 3000000));
        /* SQLite has no such number. */
        CHECK_STR(text_of(conn, "select typeof(?)", GREEN_DB_PARAMS(green_db_double(NAN))), "null");
        free(large);
        close_db(conn);
}

static void
columns_have_names_and_values_of_their_own_types(void)
{
        green_db_conn *conn = open_db(NULL);
        green_db_result *r = NULL;

        CHECK_INT(green_db_conn_execute(conn, "select 1 as one, 2.5 as \"two and\", 'x' as \"ü\", null as n, x'00ff'",
                                        GREEN_DB_NO_PARAMS, &r),
                  0);
        CHECK_INT(green_db_result_columns(r), 5);
        CHECK_STR(green_db_result_name(r, 0), "one");
        CHECK_STR(green_db_result_name(r, 1), "two and");
        CHECK_STR(green_db_result_name(r, 2), "ü");
        CHECK_STR(green_db_result_name(r, 5), NULL);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_STR(green_db_result_text(r, 0), "1");
        CHECK_STR(green_db_result_text(r, 1), "2.5");
        CHECK(green_db_result_is_null(r, 3));
        green_db_result_free(r);
        /* Names are there also where no rows are. */
        CHECK_INT(green_db_conn_execute(conn, "select 1 as one, 2 as two where 0", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_columns(r), 2);
        CHECK_STR(green_db_result_name(r, 1), "two");
        CHECK_INT(green_db_result_next(r), 0);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_execute(conn, "create table t (a)", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_columns(r), 0);
        green_db_result_free(r);
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

static void
a_hundred_columns_are_as_good_as_one(void)
{
        char sql[4096] = "select 0 as c0";
        green_db_conn *conn = open_db(NULL);
        green_db_result *r = NULL;
        int64_t number = -1;

        for (int i = 1; i < 100; i++)
                snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ", %d as c%d", i, i);
        CHECK_INT(green_db_conn_execute(conn, sql, GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_columns(r), 100);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_STR(green_db_result_name(r, 99), "c99");
        CHECK_INT(green_db_result_int64(r, 99, &number), 0);
        CHECK_INT(number, 99);
        green_db_result_free(r);
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

/* ---- parameters */

BOTH(parameters_are_bound_by_question_marks_and_numbers)
{
        green_db_conn *conn = open_db(NULL);

        CHECK_STR(text_of(conn, "select ? || '-' || ?", GREEN_DB_PARAMS(green_db_text("a"), green_db_text("b"))),
                  "a-b");
        CHECK_STR(text_of(conn, "select ?2 || '-' || ?1", GREEN_DB_PARAMS(green_db_text("a"), green_db_text("b"))),
                  "b-a");
        CHECK_STR(text_of(conn, "select $1 || '-' || $2", GREEN_DB_PARAMS(green_db_text("a"), green_db_text("b"))),
                  "a-b");
        CHECK_STR(text_of(conn, "select $2 || '-' || $1", GREEN_DB_PARAMS(green_db_text("a"), green_db_text("b"))),
                  "b-a");
        CHECK_STR(text_of(conn, "select $3 || $1 || $3 || $2",
                          GREEN_DB_PARAMS(green_db_text("a"), green_db_text("b"), green_db_text("c"))),
                  "cacb");
        CHECK_STR(text_of(conn, "select $2", GREEN_DB_PARAMS(green_db_text("a"), green_db_text("b"))), "b");
        CHECK_STR(text_of(conn, "select :x || @y || :x", GREEN_DB_PARAMS(green_db_text("a"), green_db_text("b"))),
                  "aba");
        close_db(conn);
}

static void
another_number_of_values_is_an_error_with_words(void)
{
        static const struct {
                const char *sql;
                size_t n;
                const char *says;
        } rows[] = {
                {"select ?", 0, "has 1 parameter, and 0 values were given"},
                {"select ?, ?", 1, "has 2 parameters, and 1 value were given"},
                {"select 1", 1, "has 0 parameters, and 1 value were given"},
                {"select ?3", 2, "has 3 parameters, and 2 values were given"},
                {"select $3", 2, "has 3 parameters, and 2 values were given"},
                {"select $1, ?", 2, "others in one statement"},
                {"select $1, :x", 2, "others in one statement"},
                {"select $1::int", 1, "cast($1 as TYPE)"},
                {"select $99999999999", 1, "parameters, and 1 value were given"},
                {"select $0", 1, "cast($1 as TYPE)"},
        };
        const struct green_db_value values[2] = {{GREEN_DB_NULL, 0, 0, NULL, 0}};
        green_db_conn *conn = open_db(NULL);

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                CHECK_INT(green_db_conn_execute(conn, rows[i].sql, values, rows[i].n, NULL), GREEN_EDB);
                if (strstr(green_db_conn_error(conn), rows[i].says) == NULL)
                        FAIL("%s: \"%s\" does not say \"%s\"", rows[i].sql, green_db_conn_error(conn), rows[i].says);
        }
        CHECK_STR(TEXT(conn, "select 5"), "5");
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

static void
a_value_never_becomes_part_of_the_statement(void)
{
        static const char evil[] = "Robert'); drop table t; --";
        green_db_conn *conn = open_db(NULL);

        RUN(conn, "create table t (v text)");
        CHECK_INT(green_db_conn_execute(conn, "insert into t values (?)", GREEN_DB_PARAMS(green_db_text(evil)), NULL),
                  0);
        CHECK_STR(TEXT(conn, "select v from t"), evil);
        CHECK_STR(text_of(conn, "select count(*) from t where v = ?", GREEN_DB_PARAMS(green_db_text("' or '1'='1"))),
                  "0");
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

/* ---- what a statement did */

static void
did(green_db_conn *conn, const char *sql, int64_t affected, int64_t insert_id)
{
        green_db_result *r = NULL;

        if (!CHECK_INT(green_db_conn_execute(conn, sql, GREEN_DB_NO_PARAMS, &r), 0)) {
                fprintf(stderr, "%s: %s\n", sql, green_db_conn_error(conn));
                return;
        }
        if (green_db_result_affected_rows(r) != affected || green_db_result_insert_id(r) != insert_id)
                FAIL("%s: affected %lld, insert id %lld", sql, (long long)green_db_result_affected_rows(r),
                     (long long)green_db_result_insert_id(r));
        green_db_result_free(r);
}

BOTH(changes_and_numbers_of_rows_are_those_of_the_statement)
{
        green_db_conn *conn = open_db(NULL);

        did(conn, "create table t (id integer primary key, v)", 0, 0);
        did(conn, "insert into t (v) values ('a')", 1, 1);
        did(conn, "insert into t (id, v) values (7, 'b'), (8, 'c')", 2, 8);
        did(conn, "select * from t", 0, 0);
        did(conn, "update t set v = 'x'", 3, 0);
        did(conn, "update t set v = 'x' where id = 99", 0, 0);
        did(conn, "  /* insert */ -- insert\n replace into t values (7, 'q')", 1, 7);
        did(conn, "with n (v) as (select 'insert') insert into t (v) select v from n", 1, 9);
        did(conn, "with n as (select 1 as id) update t set v = 1 where id in n", 1, 0);
        did(conn, "insert or ignore into t values (7, 'no')", 0, 0);
        did(conn, "insert into t (v) values ('r') returning id", 1, 10);
        did(conn, "explain insert into t (v) values ('r')", 0, 0);
        did(conn, "pragma user_version = 5", 0, 0);
        did(conn, "create table u as select * from t", 0, 0);
        did(conn, "delete from t where id > 8", 2, 0);
        did(conn, "delete from t", 3, 0);
        did(conn, "drop table t", 0, 0);
        /* Rows that have no number, or have one already. */
        did(conn, "create table w (k text primary key, n default 0) without rowid", 0, 0);
        did(conn, "insert into w (k) values ('a'), ('b')", 2, 0);
        did(conn, "create table p (k text unique, n default 0)", 0, 0);
        did(conn, "insert into p (k) values ('a')", 1, 1);
        did(conn, "insert into p (k) values ('a') on conflict (k) do update set n = n + 1", 1, 0);
        did(conn, "insert into p (k) values ('b') on conflict (k) do update set n = n + 1", 1, 2);
        did(conn, "insert into w (k) values (last_insert_rowid())", 1, 0);
        CHECK_STR(TEXT(conn, "select count(*) from w where k = 2"), "1");
        close_db(conn);
}

static void
one_statement_is_run_and_no_second_one(void)
{
        static const char *const two[] = {"select 1; select 2", "select 1;;", "select 1; garbage", "select 1; /**/ x"};
        static const char *const one[] = {"select 1", "select 1;", "select 1; -- and no more",
                                          "select 1 ; /* ; x */ \n\t", "-- first\nselect 1; /* open"};
        static const char *const none[] = {"", "  \n", "-- nothing", "/* nothing */", ";"};
        green_db_conn *conn = open_db(NULL);

        for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
                CHECK_INT(run(conn, two[i]), GREEN_EDB);
                CHECK(strstr(green_db_conn_error(conn), "more than one statement") != NULL);
                CHECK_STR(green_db_conn_sqlstate(conn), "42601");
        }
        for (size_t i = 0; i < sizeof one / sizeof *one; i++)
                CHECK_STR(TEXT(conn, one[i]), "1");
        for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
                CHECK_INT(run(conn, none[i]), GREEN_EDB);
                CHECK_STR(green_db_conn_error(conn), "an empty statement");
        }
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

/* ---- prepared statements */

BOTH(prepared_statements_are_used_again)
{
        green_db_conn *conn = open_db(NULL);
        green_db_stmt *insert = NULL, *select = NULL, *again = NULL;
        green_db_result *r = NULL;
        int64_t number = 0;

        GREEN_COVERS("ISS-19");
        RUN(conn, "create table t (k integer primary key, v text)");
        CHECK_INT(green_db_conn_prepare(conn, "insert into t values ($2, $1)", &insert), 0);
        for (int i = 0; i < 100; i++)
                CHECK_INT(green_db_stmt_execute(insert, GREEN_DB_PARAMS(green_db_text("v"), green_db_int64(i)), NULL),
                          0);
        CHECK_INT(green_db_stmt_execute(insert, GREEN_DB_PARAMS(green_db_text("v"), green_db_int64(5)), NULL),
                  GREEN_EDBCONSTRAINT);
        CHECK_INT(green_db_stmt_execute(insert, GREEN_DB_PARAMS(green_db_text("v")), NULL), GREEN_EDB);
        CHECK_INT(green_db_conn_prepare(conn, "select count(*) from t where v = $1", &select), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_db_stmt_execute(select, GREEN_DB_PARAMS(green_db_text(i == 1 ? "w" : "v")), &r), 0);
                CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(green_db_result_int64(r, 0, &number), 0);
                CHECK_INT(number, i == 1 ? 0 : 100);
                green_db_result_free(r);
        }
        CHECK_INT(green_db_conn_prepare(conn, "select count(*) from t where v = $1", &again), 0);
        CHECK_PTR(again, select);
        /* The table changes under it. */
        CHECK_INT(green_db_conn_prepare(conn, "select * from t where k = 5", &again), 0);
        RUN(conn, "alter table t add column w default 'new'");
        CHECK_INT(green_db_stmt_execute(again, GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_columns(r), 3);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_STR(green_db_result_text(r, 2), "new");
        green_db_result_free(r);
        CHECK_INT(green_db_stmt_free(again), 0);
        CHECK_INT(green_db_conn_prepare(conn, "select nonsense from t", &again), GREEN_EDB);
        CHECK_INT(green_db_conn_prepare(conn, "select 1; select 2", &again), GREEN_EDB);
        CHECK_STR(TEXT(conn, "select count(*) from t"), "100");
        close_db(conn);
}

/* ---- literals */

static void
literal_is(green_db_conn *conn, struct green_db_value v, const char *text)
{
        char got[80], sql[100];

        CHECK_INT(green_db_conn_literal(conn, v, got, sizeof got), strlen(text));
        CHECK_STR(got, text);
        /* SQLite reads digits by long double, which valgrind does not have. */
        if (v.type == GREEN_DB_DOUBLE && isfinite(v.real) && v.real - (double)(float)v.real != 0)
                return;
        snprintf(sql, sizeof sql, "select %s is ?", got);
        CHECK_STR(text_of(conn, sql, &v, 1), "1");
}

static void
literals_are_quoted(void)
{
        green_db_conn *conn = open_db(NULL);
        char text[8];

        literal_is(conn, green_db_null(), "NULL");
        literal_is(conn, green_db_int64(INT64_MAX), "9223372036854775807");
        literal_is(conn, green_db_int64(INT64_MIN), "-9223372036854775808");
        literal_is(conn, green_db_double(0.1), "0.10000000000000001");
        literal_is(conn, green_db_double(1), "1.0");
        literal_is(conn, green_db_double(-0.25), "-0.25");
        literal_is(conn, green_db_double(1e300), "1.0000000000000001e+300");
        literal_is(conn, green_db_double(HUGE_VAL), "9e999");
        literal_is(conn, green_db_double(-HUGE_VAL), "-9e999");
        literal_is(conn, green_db_text(""), "''");
        literal_is(conn, green_db_text("it's ''"), "'it''s '''''");
        literal_is(conn, green_db_blob("\0\xff'", 3), "X'00FF27'");
        literal_is(conn, green_db_blob("", 0), "X''");
        CHECK_INT(green_db_conn_literal(conn, green_db_text_n("a\0b", 3), text, sizeof text), -EILSEQ);
        CHECK_INT(green_db_conn_string_literal(conn, "12345678", text, sizeof text), 10);
        CHECK_STR(text, "'123456");
        CHECK_INT(green_db_conn_string_literal(conn, "12345", text, sizeof text), 7);
        CHECK_STR(text, "'12345'");
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

/* ---- errors */

static void
refused(green_db_conn *conn, const char *sql, int code, const char *sqlstate, long number, const char *says)
{
        CHECK_INT(run(conn, sql), code);
        if (strcmp(green_db_conn_sqlstate(conn), sqlstate) != 0 || green_db_conn_errno(conn) != number ||
            strstr(green_db_conn_error(conn), says) == NULL)
                FAIL("%s: %s, %ld, %s", sql, green_db_conn_sqlstate(conn), green_db_conn_errno(conn),
                     green_db_conn_error(conn));
}

BOTH(errors_have_codes_and_the_words_of_sqlite)
{
        green_db_conn *conn = open_db(NULL);

        RUN(conn, "create table p (id integer primary key, u unique, n not null default 1, c check (c > 0))");
        RUN(conn, "create table f (id references p)");
        RUN(conn, "create table s (i integer) strict");
        RUN(conn, "insert into p values (1, 1, 1, 1)");
        refused(conn, "insert into p values (1, 2, 1, 1)", GREEN_EDBCONSTRAINT, "23505", 1555, "p.id");
        refused(conn, "insert into p values (2, 1, 1, 1)", GREEN_EDBCONSTRAINT, "23505", 2067, "p.u");
        refused(conn, "insert into p values (2, 2, null, 1)", GREEN_EDBCONSTRAINT, "23502", 1299, "p.n");
        refused(conn, "insert into p values (2, 2, 1, 0)", GREEN_EDBCONSTRAINT, "23514", 275, "CHECK");
        refused(conn, "insert into f values (9)", GREEN_EDBCONSTRAINT, "23503", 787, "FOREIGN KEY");
        refused(conn, "insert into s values ('x')", GREEN_EDBCONSTRAINT, "23000", 3091, "TEXT");
        refused(conn, "select * from nosuch", GREEN_EDB, "42P01", 1, "no such table: nosuch");
        refused(conn, "select nosuch from p", GREEN_EDB, "42703", 1, "no such column: nosuch");
        refused(conn, "select nosuch()", GREEN_EDB, "42883", 1, "no such function: nosuch");
        refused(conn, "selec 1", GREEN_EDB, "42601", 1, "syntax error");
        refused(conn, "select (", GREEN_EDB, "42601", 1, "incomplete input");
        refused(conn, "create table p (x)", GREEN_EDB, "42P07", 1, "already exists");
        refused(conn, "insert into p (id) values ('x')", GREEN_EDB, "22018", 20, "datatype mismatch");
        refused(conn, "select zeroblob(2000000000)", GREEN_EDB, "54000", 18, "too big");
        /* A good one takes the words away. */
        CHECK_STR(TEXT(conn, "select 1"), "1");
        CHECK_STR(green_db_conn_error(conn), "");
        CHECK_STR(green_db_conn_sqlstate(conn), "00000");
        close_db(conn);
}

static void
what_sqlite_has_not_is_not_supported(void)
{
        green_db_conn *conn = open_db(NULL);
        char text[64];
        uint64_t bits;
        int64_t id;

        CHECK_INT(green_db_conn_ping(conn), 0);
        CHECK_INT(green_db_conn_character_set_name(conn, text, sizeof text), 5);
        CHECK_STR(text, "UTF-8");
        CHECK(green_db_conn_get_server_info(conn, text, sizeof text) > 0);
        CHECK(strncmp(text, "SQLite 3.", 9) == 0);
        CHECK_INT(green_db_conn_set_isolation_level(conn, GREEN_DB_READ_UNCOMMITTED), 0);
        CHECK_STR(TEXT(conn, "pragma read_uncommitted"), "1");
        CHECK_INT(green_db_conn_set_isolation_level(conn, GREEN_DB_SERIALIZABLE), 0);
        CHECK_STR(TEXT(conn, "pragma read_uncommitted"), "0");
        CHECK_INT(green_db_conn_set_isolation_level(conn, GREEN_DB_REPEATABLE_READ), -ENOTSUP);
        CHECK_INT(green_db_conn_server_capabilities(conn, &bits), -ENOTSUP);
        CHECK_INT(green_db_conn_thread_id(conn, &id), -ENOTSUP);
        CHECK_INT(green_db_conn_select_db(conn, "x"), -ENOTSUP);
        CHECK_INT(green_db_conn_change_user(conn, "x", NULL, NULL), -ENOTSUP);
        CHECK_INT(green_db_conn_stat(conn, text, sizeof text), -ENOTSUP);
        CHECK_INT(green_db_conn_pipeline_begin(conn), -ENOTSUP);
        CHECK_INT(green_db_conn_copy_in(conn, "copy t from stdin"), -ENOTSUP);
        CHECK_INT(green_db_pool_cleanup_reset(conn, NULL), -ENOTSUP);
        CHECK_STR(TEXT(conn, "select 1"), "1");
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

/* ---- options */

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
options_that_are_not_known_are_errors_that_say_what_there_is(void)
{
        static const char *const bad[] = {
                "nosuch=1",         "busy_timeout",   "busy_timeout=",    "busy_timeout=x", "busy_timeout=-1",
                "busy_timeout=inf", "journal_mode=x", "journal_mode=",    "synchronous=2x", "readonly=maybe",
                "cache=both",       "cache_size=1;x", "mmap_size=",       "begin=now",      "=1",
                "busy_timeout=1e3", "busy_timeout=.", "busy_timeout=1.2.3", "busy_timeout=9999999", "BUSY_TIMEOUT=1",   "begin",          "foreign_keys=on ", "cache_size=--1", "",
        };

        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                if (!CHECK_INT(fails_with(NULL, OPTIONS(bad[i])), -EINVAL) || !error_says(bad[i]) ||
                    !error_says("busy_timeout=SECONDS"))
                        FAIL("option \"%s\"", bad[i]);
        }
        CHECK_INT(green_tpool_killall(10), 0);
}

static void
there_is_no_host_port_user_or_password(void)
{
        struct green_db_params params[] = {
                {.size = sizeof params[0], .host = "localhost"},
                {.size = sizeof params[0], .port = 5},
                {.size = sizeof params[0], .user = "me"},
                {.size = sizeof params[0], .password = "secret"},
        };
        green_db_conn *conn = NULL;

        for (int i = 0; i < 4; i++) {
                CHECK_INT(green_db_connect("sqlite", &params[i], 5, &conn), -EINVAL);
                error_says("no host, port, user or password");
        }
        CHECK_INT(green_tpool_killall(10), 0);
}

static void
options_do_what_they_say(void)
{
        const char *file = new_file();
        green_db_conn *conn = open_db(file);

        CHECK_STR(TEXT(conn, "pragma journal_mode"), "wal");
        CHECK_STR(TEXT(conn, "pragma synchronous"), "1");
        CHECK_STR(TEXT(conn, "pragma foreign_keys"), "1");
        RUN(conn, "create table t (v)");
        close_db(conn);
        conn = open_with(file,
                         OPTIONS("journal_mode=DELETE", "foreign_keys=off", "cache_size=-500", "mmap_size=65536"));
        CHECK_STR(TEXT(conn, "pragma journal_mode"), "delete");
        CHECK_STR(TEXT(conn, "pragma synchronous"), "2");
        CHECK_STR(TEXT(conn, "pragma foreign_keys"), "0");
        CHECK_STR(TEXT(conn, "pragma cache_size"), "-500");
        CHECK_STR(TEXT(conn, "pragma mmap_size"), "65536");
        close_db(conn);
        conn = open_with(file, OPTIONS("synchronous=extra", "busy_timeout=0.5", "begin=deferred", "create=0"));
        CHECK_STR(TEXT(conn, "pragma synchronous"), "3");
        close_db(conn);
        /* In memory there is no such journal. */
        CHECK_INT(fails_with(":memory:", OPTIONS("journal_mode=wal")), -EINVAL);
        error_says("this database has \"memory\"");
        CHECK_INT(fails_with(":memory:", OPTIONS("journal_mode=off")), 0);
        CHECK_INT(fails_with(in_folder("none.db"), OPTIONS("create=0")), GREEN_EDBLOGIN);
        error_says(in_folder("none.db"));
        CHECK(access(in_folder("none.db"), F_OK) != 0);
        conn = open_with("file:green-net?mode=memory&cache=shared", OPTIONS("uri=1"));
        CHECK_STR(TEXT(conn, "select file from pragma_database_list"), "");
        close_db(conn);
        CHECK_INT(green_tpool_killall(10), 0);
}

BOTH(one_that_is_read_only_takes_no_changes)
{
        const char *file = new_file();
        green_db_conn *conn = open_db(file);

        RUN(conn, "create table t (v)");
        RUN(conn, "insert into t values ('here')");
        close_db(conn);
        conn = open_with(file, OPTIONS("readonly=1"));
        CHECK_STR(TEXT(conn, "select v from t"), "here");
        refused(conn, "insert into t values (2)", GREEN_EDB, "42501", 8, "readonly");
        CHECK_INT(green_db_conn_begin(conn), 0);
        CHECK_STR(TEXT(conn, "select v from t"), "here");
        CHECK_INT(green_db_conn_commit(conn), 0);
        close_db(conn);
        CHECK_INT(fails_with(in_folder("nosuch.db"), OPTIONS("readonly=1")), GREEN_EDBLOGIN);
}

BOTH(a_file_that_is_none_of_sqlite_is_found_out_when_connecting)
{
        const char *file = new_file();
        FILE *f = fopen(file, "w");
        green_db_conn *conn = NULL;
        char text[2048];

        for (int i = 0; i < 400; i++)
                fprintf(f, "This is not a database.\n");
        fclose(f);
        CHECK_INT(fails_with(file, NULL), GREEN_EDB);
        error_says("file is not a database");
        CHECK_INT(fails_with("/nonexistent/x.db", NULL), GREEN_EDBLOGIN);
        error_says("/nonexistent/x.db");
        CHECK_INT(fails_with(in_folder(""), NULL), GREEN_EDBLOGIN);
        /* One that is spoilt later on. */
        file = new_file();
        conn = open_with(file, OPTIONS("journal_mode=delete"));
        RUN(conn, "create table t (v)");
        RUN(conn, "with recursive n (i) as (select 1 union all select i + 1 from n where i < 5000) insert into t "
                  "select i from n");
        close_db(conn);
        memset(text, 0xff, sizeof text);
        f = fopen(file, "r+");
        CHECK(fseek(f, 4096, SEEK_SET) == 0 && fwrite(text, 1, sizeof text, f) == sizeof text);
        fclose(f);
        conn = open_with(file, OPTIONS("journal_mode=delete"));
        refused(conn, "select sum(v) from t", GREEN_EDB, "XX001", 11, "malformed");
        CHECK_INT(green_db_conn_ping(conn), 0);
        close_db(conn);
}

GREEN_SUITE(net_db_sqlite) {
        GREEN_TEST(values_keep_their_types_and_bytes),
        GREEN_TEST(columns_have_names_and_values_of_their_own_types),
        GREEN_TEST(a_hundred_columns_are_as_good_as_one),
        GREEN_TEST(parameters_are_bound_by_question_marks_and_numbers),
        GREEN_TEST(another_number_of_values_is_an_error_with_words),
        GREEN_TEST(a_value_never_becomes_part_of_the_statement),
        GREEN_TEST(changes_and_numbers_of_rows_are_those_of_the_statement),
        GREEN_TEST(one_statement_is_run_and_no_second_one),
        GREEN_TEST(prepared_statements_are_used_again),
        GREEN_TEST(literals_are_quoted),
        GREEN_TEST(errors_have_codes_and_the_words_of_sqlite),
        GREEN_TEST(what_sqlite_has_not_is_not_supported),
        GREEN_TEST(options_that_are_not_known_are_errors_that_say_what_there_is),
        GREEN_TEST(there_is_no_host_port_user_or_password),
        GREEN_TEST(options_do_what_they_say),
        GREEN_TEST(one_that_is_read_only_takes_no_changes),
        GREEN_TEST(a_file_that_is_none_of_sqlite_is_found_out_when_connecting),
        GREEN_SUITE_END
};
