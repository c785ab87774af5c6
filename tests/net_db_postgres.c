/*
 * The driver for PostgreSQL, against a server: values, errors, transactions, prepared statements, what is known of the
 * server.
 */
#include "net_postgres.h"

#include <math.h>

/* ---- values */

static struct green_db_value
value_of(green_db_result *r, size_t column)
{
        struct green_db_value v = green_db_null();

        CHECK_INT(green_db_result_value(r, column, &v), 0);
        return v;
}

static green_db_result *
rows_of(green_db_conn *c, const char *sql, const struct green_db_value *values, size_t n)
{
        green_db_result *r = NULL;

        if (!CHECK_INT(green_db_conn_execute(c, sql, values, n, &r), 0))
                FAIL("%s: %s", sql, green_db_conn_error(c));
        return r;
}

static void
numbers_have_their_types(void)
{
        static const int64_t want[] = {INT16_MIN, INT16_MAX,  INT32_MIN, INT32_MAX, INT64_MIN,
                                       INT64_MAX, 4294967295, 1,         0};
        green_db_conn *c;
        green_db_result *r;

        if (!have_server())
                return;
        c = connect_one();
        r = rows_of(c,
                    "select '-32768'::int2, 32767::int2, '-2147483648'::int4, 2147483647, '-9223372036854775808'::int8,"
                    " 9223372036854775807, 4294967295::oid, true, false, null::int4 as nothing",
                    GREEN_DB_NO_PARAMS);
        CHECK_INT(green_db_result_next(r), 1);
        for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
                CHECK_INT(value_of(r, i).type, GREEN_DB_INT64);
                CHECK_INT(value_of(r, i).number, want[i]);
        }
        CHECK_INT(value_of(r, 9).type, GREEN_DB_NULL);
        CHECK_STR(green_db_result_name(r, 9), "nothing");
        CHECK_INT(green_db_result_columns(r), 10);
        CHECK_INT(green_db_result_affected_rows(r), 0);
        CHECK_INT(green_db_result_next(r), 0);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
numbers_with_fraction_come_as_they_were_sent(void)
{
        static const double reals[] = {0.1, -1.5e300, 5e-324, 1.7976931348623157e308, 3.141592653589793, 0};
        green_db_conn *c;
        green_db_result *r;

        if (!have_server())
                return;
        c = connect_one();
        for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
                r = rows_of(c, "select $1::float8", GREEN_DB_PARAMS(green_db_double(reals[i])));
                CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(value_of(r, 0).type, GREEN_DB_DOUBLE);
                CHECK(value_of(r, 0).real == reals[i]);
                green_db_result_free(r);
        }
        r = rows_of(c, "select $1::float8, $2::float8, $3::float8, 1.5::float4, 'nan'::float4",
                    GREEN_DB_PARAMS(green_db_double(NAN), green_db_double(INFINITY), green_db_double(-INFINITY)));
        CHECK_INT(green_db_result_next(r), 1);
        CHECK(isnan(value_of(r, 0).real) && isinf(value_of(r, 1).real) && value_of(r, 1).real > 0);
        CHECK(isinf(value_of(r, 2).real) && value_of(r, 2).real < 0);
        CHECK(value_of(r, 3).real == 1.5 && isnan(value_of(r, 4).real));
        green_db_result_free(r);
        /* Decimal numbers keep all their digits. */
        CHECK_STR(ask(c, "select 12345678901234567890.12345678901234567890"),
                  "12345678901234567890.12345678901234567890");
        CHECK_STR(ask_with(c, "select $1::numeric + 1", GREEN_DB_PARAMS(green_db_text("0.10000000000000000000000001"))),
                  "1.10000000000000000000000001");
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
text_and_bytes_come_as_they_were_sent(void)
{
        static const char text[] = "na\xc3\xafve \xe2\x98\x83 'quoted' \\ \"x\" $1";
        unsigned char bytes[256];
        green_db_conn *c;
        green_db_result *r;

        if (!have_server())
                return;
        c = connect_one();
        for (int i = 0; i < 256; i++)
                bytes[i] = (unsigned char)i;
        r = rows_of(c, "select $1::text, $2::bytea, $3::bytea, $4::text, $5::text, date '2026-02-03'",
                    GREEN_DB_PARAMS(green_db_text(text), green_db_blob(bytes, 256), green_db_blob("", 0),
                                    green_db_null(), green_db_text_n("abcdef", 3)));
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(value_of(r, 0).type, GREEN_DB_TEXT);
        CHECK_STR(value_of(r, 0).data, text);
        for (int again = 0; again < 2; again++) {
                CHECK_INT(value_of(r, 1).type, GREEN_DB_BLOB);
                CHECK_INT(value_of(r, 1).len, 256);
                CHECK_INT(memcmp(value_of(r, 1).data, bytes, 256), 0);
                CHECK_INT(((const char *)value_of(r, 1).data)[256], 0);
        }
        CHECK_INT(value_of(r, 2).type, GREEN_DB_BLOB);
        CHECK_INT(value_of(r, 2).len, 0);
        CHECK_INT(value_of(r, 3).type, GREEN_DB_NULL);
        CHECK_STR(value_of(r, 4).data, "abc");
        CHECK_STR(value_of(r, 5).data, "2026-02-03");
        green_db_result_free(r);
        /* The old form of bytes, and many rows, of which some have none. */
        runs(c, "set bytea_output to escape");
        r = rows_of(c, "select case when i % 2 = 0 then $1::bytea end, i from generate_series(1, 10) i",
                    GREEN_DB_PARAMS(green_db_blob(bytes, 256)));
        for (int i = 1; green_db_result_next(r) == 1; i++) {
                CHECK_INT(value_of(r, 0).type, i % 2 == 0 ? GREEN_DB_BLOB : GREEN_DB_NULL);
                CHECK_INT(value_of(r, 1).number, i);
                if (i % 2 == 0)
                        CHECK(value_of(r, 0).len == 256 && memcmp(value_of(r, 0).data, bytes, 256) == 0);
        }
        green_db_result_free(r);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
parameters_take_the_type_of_what_they_are_used_for(void)
{
        green_db_conn *c;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table t (a int2, b int8, c numeric, d text, e float4, f bool, g bytea, h date)");
        CHECK_INT(green_db_conn_execute(c, "insert into t values ($1, $2, $3, $4, $5, $6, $7, $8)",
                                        GREEN_DB_PARAMS(green_db_int64(7), green_db_int64(INT64_MIN),
                                                        green_db_double(1.25), green_db_int64(12), green_db_double(0.5),
                                                        green_db_int64(1), green_db_blob("\0x", 2),
                                                        green_db_text("2026-01-01")),
                                        NULL),
                  0);
        CHECK_STR(ask(c, "select concat_ws(' ', a, b, c, d, e, f, g, h) from t"),
                  "7 -9223372036854775808 1.25 12 0.5 t \\x0078 2026-01-01");
        CHECK_STR(ask_with(c, "select d from t where a = $1 and d = $2",
                           GREEN_DB_PARAMS(green_db_int64(7), green_db_text("12"))),
                  "12");
        /* One that a text cannot hold, and too few of them: the connection is as good as before. */
        CHECK_INT(green_db_conn_execute(c, "select $1::text", GREEN_DB_PARAMS(green_db_text_n("a\0b", 3)), NULL),
                  -EILSEQ);
        CHECK_STR(green_db_conn_sqlstate(c), "22021");
        CHECK_INT(green_db_conn_execute(c, "select $1::text, $2::text", GREEN_DB_PARAMS(green_db_text("a")), NULL),
                  GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "08P01");
        CHECK_STR(ask(c, "select 5"), "5");
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
large_values_go_both_ways(void)
{
        enum { SIZE = 20 * 1024 * 1024 };
        green_db_conn *c;
        green_db_result *r;
        char *text;

        if (!have_server())
                return;
        c = connect_one();
        text = malloc(SIZE);
        for (size_t i = 0; i < SIZE; i++)
                text[i] = (char)('a' + i % 26);
        r = rows_of(c, "select $1::text, length($1::text), $2::bytea",
                    GREEN_DB_PARAMS(green_db_text_n(text, SIZE), green_db_blob(text, SIZE / 4)));
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(value_of(r, 0).len, SIZE);
        CHECK_INT(memcmp(value_of(r, 0).data, text, SIZE), 0);
        CHECK_INT(value_of(r, 1).number, SIZE);
        CHECK_INT(memcmp(value_of(r, 2).data, text, SIZE / 4), 0);
        green_db_result_free(r);
        free(text);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
literals_are_read_as_what_they_stand_for(void)
{
        static const char tricky[] = "it's \\ a \"test\" \xc3\xa9 --";
        const struct green_db_value values[] = {green_db_null(),       green_db_int64(INT64_MIN),
                                                green_db_double(-0.5), green_db_double(NAN),
                                                green_db_text(tricky), green_db_blob("a\0\xff'", 4)};
        static const char *const is[] = {"is null", "= '-9223372036854775808'::int8", "= -0.5", "= 'nan'",
                                         "= $1",    "= '\\x6100ff27'::bytea"};
        green_db_conn *c;
        char text[100], whole[200];

        if (!have_server())
                return;
        c = connect_one();
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
                int n = green_db_conn_literal(c, values[i], text, sizeof text);

                CHECK_INT(n, strlen(text));
                CHECK_INT(green_db_conn_literal(c, values[i], text, 0), n);
                CHECK_INT(green_db_conn_literal(c, values[i], whole, 4), n);
                CHECK_INT(strlen(whole), n < 3 ? n : 3);
                snprintf(whole, sizeof whole, "select %s %s", text, is[i]);
                CHECK_STR(i == 4 ? ask_with(c, whole, GREEN_DB_PARAMS(green_db_text(tricky))) : ask(c, whole), "1");
        }
        CHECK_INT(green_db_conn_string_literal(c, "a'b", text, sizeof text), 6);
        CHECK_STR(text, "'a''b'");
        CHECK_INT(green_db_conn_string_literal(c, "\xff\xfe", text, sizeof text), -EILSEQ);
        runs(c, "set standard_conforming_strings to off");
        CHECK(green_db_conn_literal(c, green_db_blob("a\\", 2), text, sizeof text) > 0);
        snprintf(whole, sizeof whole, "select length(%s)", text);
        CHECK_STR(ask(c, whole), "2");
        CHECK_INT(green_db_conn_free(c), 0);
}

/* ---- errors */

static void
errors_have_codes_and_the_servers_words(void)
{
        static const struct {
                const char *sql;
                int code;
                const char *state, *words;
        } rows[] = {
                {"selec", GREEN_EDB, "42601", "syntax error at or near \"selec\""},
                {"select * from not_there", GREEN_EDB, "42P01", "relation \"not_there\" does not exist"},
                {"select 1/0", GREEN_EDB, "22012", "division by zero"},
                {"insert into u values (1)", GREEN_EDBCONSTRAINT, "23505", "Key (a)=(1) already exists."},
                {"insert into u values (null)", GREEN_EDBCONSTRAINT, "23502", "null value in column \"a\""},
                {"insert into u values (-1)", GREEN_EDBCONSTRAINT, "23514", "check constraint"},
                {"insert into v values (9)", GREEN_EDBCONSTRAINT, "23503", "foreign key"},
                {"select 1; select 2", GREEN_EDB, "42601", "multiple commands"},
                {"do $$ begin raise exception 'my own' using errcode = 'ZZ123'; end $$", GREEN_EDB, "ZZ123", "my own"},
                {"do $$ begin raise exception 'locked' using errcode = '55P03'; end $$", GREEN_EDBRETRY, "55P03",
                 "locked"},
                {"copy u from stdin", -EINVAL, "0A000", "green_db_conn_copy_in"},
                {"copy u to stdout", -EINVAL, "0A000", "green_db_conn_copy_in"},
        };
        green_db_conn *c;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table u (a int primary key check (a >= 0))");
        runs(c, "create temporary table v (a int references u deferrable initially deferred)");
        runs(c, "insert into u values (1)");
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                green_db_result *r = NULL;

                CHECK_INT(run(c, rows[i].sql), rows[i].code);
                CHECK_STR(green_db_conn_sqlstate(c), rows[i].state);
                if (!CHECK(strstr(green_db_conn_error(c), rows[i].words) != NULL))
                        FAIL("%s", green_db_conn_error(c));
                CHECK_INT(green_db_conn_errno(c), 0);
                CHECK(strchr(green_db_conn_error(c), '\n') == NULL);
                /* The same, where rows are read as they come. */
                CHECK_INT(green_db_conn_cursor(c, rows[i].sql, GREEN_DB_NO_PARAMS, &r), rows[i].code);
                CHECK_STR(green_db_conn_sqlstate(c), rows[i].state);
        }
        CHECK_STR(ask(c, "select count(*) from u"), "1");
        CHECK_STR(green_db_conn_sqlstate(c), "00000");
        CHECK_STR(green_db_conn_error(c), "");
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
rows_before_an_error_are_given_first(void)
{
        green_db_conn *c;
        green_db_result *r;
        int n = 0, rc;

        if (!have_server())
                return;
        c = connect_one();
        CHECK_INT(
                green_db_conn_cursor(c, "select 100 / (10 - i) from generate_series(1, 20) i", GREEN_DB_NO_PARAMS, &r),
                0);
        while ((rc = green_db_result_next(r)) == 1)
                n++;
        CHECK_INT(n, 9);
        CHECK_INT(rc, GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "22012");
        CHECK_INT(green_db_result_next(r), GREEN_EDB);
        green_db_result_free(r);
        CHECK_STR(ask(c, "select 6"), "6");
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
notices_are_warnings_that_can_be_asked_for(void)
{
        green_db_conn *c;
        green_db_result *r;
        unsigned n = 9;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "do $$ begin raise warning 'first'; raise notice 'second' using errcode = '01ABC'; end $$");
        CHECK_INT(green_db_conn_warning_count(c, &n), 0);
        CHECK_INT(n, 2);
        CHECK_INT(green_db_conn_show_warnings(c, &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_STR(green_db_result_text(r, 0), "WARNING");
        CHECK_STR(green_db_result_text(r, 1), "01000");
        CHECK_STR(green_db_result_text(r, 2), "first");
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_STR(green_db_result_text(r, 0), "NOTICE");
        CHECK_STR(green_db_result_text(r, 1), "01ABC");
        CHECK_STR(green_db_result_text(r, 2), "second");
        CHECK_INT(green_db_result_next(r), 0);
        green_db_result_free(r);
        runs(c, "do $$ begin for i in 1 .. 1000 loop raise warning 'no %', i; end loop; end $$");
        CHECK_INT(green_db_conn_warning_count(c, &n), 0);
        CHECK_INT(n, 1000);
        runs(c, "select 1");
        CHECK_INT(green_db_conn_warning_count(c, &n), 0);
        CHECK_INT(n, 0);
        CHECK_INT(green_db_conn_free(c), 0);
}

/* ---- transactions */

static void
transactions_begin_and_end(void)
{
        green_db_conn *c;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table t (a int)");
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_begin(c), 0);
        CHECK(green_db_conn_in_transaction(c));
        runs(c, "insert into t values (1)");
        CHECK_INT(green_db_conn_commit(c), 0);
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_begin(c), 0);
        runs(c, "insert into t values (2)");
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK_INT(number(c, "select count(*) from t"), 1);
        /* One that has failed cannot be committed. */
        CHECK_INT(green_db_conn_begin(c), 0);
        runs(c, "insert into t values (3)");
        CHECK_INT(run(c, "select 1/0"), GREEN_EDB);
        CHECK(green_db_conn_in_transaction(c));
        CHECK_INT(run(c, "select 1"), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "25P02");
        CHECK_INT(green_db_conn_commit(c), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "25P02");
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(number(c, "select count(*) from t"), 1);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
without_autocommit_transactions_begin_by_themselves(void)
{
        green_db_conn *c;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table t (a int)");
        CHECK_INT(green_db_conn_autocommit(c, false), 0);
        runs(c, "insert into t values (1)");
        CHECK(green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_autocommit(c, true), -EBUSY);
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK_INT(number(c, "select count(*) from t"), 0);
        CHECK_INT(green_db_conn_commit(c), 0);
        runs(c, "insert into t values (1)");
        CHECK_INT(green_db_conn_commit(c), 0);
        CHECK_INT(green_db_conn_autocommit(c, true), 0);
        CHECK_INT(number(c, "select count(*) from t"), 1);
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
isolation_can_be_chosen_and_conflicts_can_be_tried_again(void)
{
        static const char *const names[] = {"read uncommitted", "read committed", "repeatable read", "serializable"};
        green_db_conn *a, *b;

        if (!have_server())
                return;
        a = connect_one();
        b = connect_one();
        for (int level = GREEN_DB_READ_UNCOMMITTED; level <= GREEN_DB_SERIALIZABLE; level++) {
                CHECK_INT(green_db_conn_set_isolation_level(a, (enum green_db_isolation)level), 0);
                CHECK_STR(ask(a, "show transaction_isolation"), names[level - 1]);
        }
        CHECK_INT(green_db_conn_set_isolation_level(b, GREEN_DB_SERIALIZABLE), 0);
        runs(a, "create table conflict as select 1 as id, 0 as n");
        CHECK_INT(green_db_conn_begin(a), 0);
        CHECK_INT(green_db_conn_begin(b), 0);
        CHECK_INT(number(b, "select n from conflict"), 0);
        runs(a, "update conflict set n = n + 1");
        CHECK_INT(green_db_conn_commit(a), 0);
        CHECK_INT(run(b, "update conflict set n = n + 1"), GREEN_EDBRETRY);
        CHECK_STR(green_db_conn_sqlstate(b), "40001");
        CHECK_INT(green_db_conn_rollback(b), 0);
        runs(b, "update conflict set n = n + 1");
        CHECK_INT(number(a, "select n from conflict"), 2);
        runs(a, "drop table conflict");
        CHECK_INT(green_db_conn_free(a), 0);
        CHECK_INT(green_db_conn_free(b), 0);
}

struct locker {
        green_db_conn *c;
        const char *first, *second;
        int rc;
};

static void *
lock_two(void *arg)
{
        struct locker *l = arg;

        CHECK_INT(green_db_conn_begin(l->c), 0);
        runs(l->c, l->first);
        green_sleep(0.02);
        l->rc = run(l->c, l->second);
        CHECK_INT(green_db_conn_rollback(l->c), 0);
        return NULL;
}

static void
a_deadlock_can_be_tried_again(void)
{
        struct locker l[2] = {
                {.first = "select pg_advisory_xact_lock(1)", .second = "select pg_advisory_xact_lock(2)"},
                {.first = "select pg_advisory_xact_lock(2)", .second = "select pg_advisory_xact_lock(1)"}};
        green_thread *gt[2];

        if (!have_server())
                return;
        for (int i = 0; i < 2; i++) {
                l[i].c = connect_one();
                gt[i] = green_spawn(lock_two, &l[i]);
        }
        for (int i = 0; i < 2; i++) {
                CHECK_INT(green_thread_wait(gt[i], NULL), 0);
                green_thread_unref(gt[i]);
                CHECK_INT(green_db_conn_free(l[i].c), 0);
        }
        CHECK((l[0].rc == 0 && l[1].rc == GREEN_EDBRETRY) || (l[0].rc == GREEN_EDBRETRY && l[1].rc == 0));
}

/* ---- prepared statements, the connection and the server */

static void
affected_rows_are_those_that_were_changed(void)
{
        green_db_conn *c;
        green_db_result *r;
        int64_t n = -1;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table t (a int)");
        runs(c, "insert into t select generate_series(1, 10)");
        CHECK_INT(green_db_conn_affected_rows(c, &n), 0);
        CHECK_INT(n, 10);
        runs(c, "update t set a = 0 where a > 7");
        CHECK_INT(green_db_conn_affected_rows(c, &n), 0);
        CHECK_INT(n, 3);
        r = rows_of(c, "delete from t where a = 0 returning a", GREEN_DB_NO_PARAMS);
        CHECK_INT(green_db_result_affected_rows(r), 3);
        CHECK_INT(green_db_result_rows(r), 3);
        green_db_result_free(r);
        runs(c, "select * from t");
        CHECK_INT(green_db_conn_affected_rows(c, &n), 0);
        CHECK_INT(n, 0);
        runs(c, "");
        CHECK_INT(green_db_conn_insert_id(c, &n), 0);
        CHECK_INT(n, 0);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
prepared_statements_stay_with_the_connection(void)
{
        static const char count[] = "select count(*) from pg_prepared_statements";
        green_db_pool *p;
        green_db_conn *c;
        green_db_stmt *s, *again;
        green_db_result *r;

        if (!have_server())
                return;
        p = pool_of(1);
        for (int i = 0; i < 3; i++) {
                c = got(p);
                CHECK_INT(green_db_conn_prepare(c, "select $1::int4 + $2::int4", &s), 0);
                CHECK_INT(green_db_conn_prepare(c, "select $1::int4 + $2::int4", &again), 0);
                CHECK_PTR(again, s);
                CHECK_INT(green_db_stmt_execute(s, GREEN_DB_PARAMS(green_db_int64(i), green_db_int64(40)), &r), 0);
                CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(value_of(r, 0).number, i + 40);
                green_db_result_free(r);
                CHECK_INT(number(c, count), 1);
                CHECK_INT(green_db_pool_put(p, c), 0);
        }
        c = got(p);
        CHECK_INT(green_db_conn_prepare(c, "selec", &s), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "42601");
        CHECK_INT(green_db_conn_prepare(c, "select $1::int4 + $2::int4", &s), 0);
        /* In a transaction that has failed nothing can be forgotten, so that is done later. */
        CHECK_INT(green_db_conn_begin(c), 0);
        CHECK_INT(run(c, "select 1/0"), GREEN_EDB);
        CHECK_INT(green_db_stmt_free(s), 0);
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK_INT(green_db_conn_prepare(c, "select 1", &s), 0);
        CHECK_INT(number(c, count), 1);
        CHECK_INT(green_db_stmt_free(s), 0);
        CHECK_INT(number(c, count), 0);
        /* As good as new. */
        CHECK_INT(green_db_conn_prepare(c, "select 2", &s), 0);
        CHECK_INT(green_db_conn_begin(c), 0);
        CHECK_INT(green_db_pool_put_with(p, c, green_db_pool_cleanup_reset, NULL), 0);
        c = got(p);
        CHECK_INT(number(c, count), 0);
        CHECK_INT(green_db_conn_prepare(c, "select 2", &s), 0);
        CHECK_INT(green_db_stmt_execute(s, GREEN_DB_NO_PARAMS, NULL), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).made, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
the_server_tells_of_itself(void)
{
        green_db_conn *c;
        char text[256];
        int64_t n = 0;
        uint64_t bits;

        if (!have_server())
                return;
        c = connect_one();
        CHECK(green_db_conn_get_server_info(c, text, sizeof text) > 0);
        CHECK_STR(text, ask(c, "show server_version"));
        CHECK_INT(green_db_conn_thread_id(c, &n), 0);
        CHECK_INT(n, number(c, "select pg_backend_pid()"));
        CHECK_INT(green_db_conn_character_set_name(c, text, sizeof text), 4);
        CHECK_STR(text, "UTF8");
        CHECK_INT(green_db_conn_set_character_set(c, "LATIN1"), 0);
        CHECK_INT(green_db_conn_character_set_name(c, text, sizeof text), 6);
        CHECK_STR(ask(c, "select chr(233)"), "\xe9");
        CHECK_INT(green_db_conn_set_character_set(c, "nonsense"), GREEN_EDB);
        CHECK_INT(green_db_conn_ping(c), 0);
        CHECK(green_db_conn_stat(c, text, sizeof text) > 0);
        CHECK(strstr(text, "Uptime: ") == text && strstr(text, "Commits: ") != NULL);
        CHECK_STR(ask(c, "show application_name"), "green-net");
        CHECK_INT(green_db_conn_server_capabilities(c, &bits), -ENOTSUP);
        CHECK_INT(green_db_conn_change_user(c, "a", NULL, NULL), -ENOTSUP);
        CHECK_INT(green_db_conn_select_db(c, "a"), -ENOTSUP);
        CHECK_INT(green_db_conn_shutdown(c), -ENOTSUP);
        CHECK_STR(ask(c, "select 1"), "1");
        CHECK_INT(green_db_conn_free(c), 0);
}

/* In OS threads the driver waits there. */
static void
the_driver_works_in_os_threads_too(void)
{
        struct green_db_params params;
        struct green_db_pool_opts o = {.size = sizeof o, .driver = "postgres", .kind = GREEN_DB_POOL_TPOOLED};
        struct green_timeout limit;
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r;
        int rows = 0;

        if (!have_server())
                return;
        params = params_of();
        params.host = "localhost";
        o.params = &params;
        p = green_db_pool_new(&o);
        c = got(p);
        CHECK_STR(ask(c, "select 11"), "11");
        CHECK_INT(green_db_conn_cursor(c, "select generate_series(1, 1000)", GREEN_DB_NO_PARAMS, &r), 0);
        while (green_db_result_next(r) == 1)
                rows++;
        green_db_result_free(r);
        CHECK_INT(rows, 1000);
        CHECK_INT(green_timeout_start(&limit, 0.05), 0);
        CHECK_INT(run(c, "select pg_sleep(10)"), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&limit), 1);
        CHECK_INT(green_db_pool_put(p, c), 0);
        c = got(p);
        CHECK_STR(ask(c, "select 12"), "12");
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).made, 1);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
}

GREEN_SUITE(net_db_postgres) {
        /* The first one waits for the server to come up. */
        GREEN_TEST(numbers_have_their_types, .limit = 120),
        GREEN_TEST(numbers_with_fraction_come_as_they_were_sent),
        GREEN_TEST(text_and_bytes_come_as_they_were_sent),
        GREEN_TEST(parameters_take_the_type_of_what_they_are_used_for),
        GREEN_TEST(large_values_go_both_ways),
        GREEN_TEST(literals_are_read_as_what_they_stand_for),
        GREEN_TEST(errors_have_codes_and_the_servers_words),
        GREEN_TEST(rows_before_an_error_are_given_first),
        GREEN_TEST(notices_are_warnings_that_can_be_asked_for),
        GREEN_TEST(transactions_begin_and_end),
        GREEN_TEST(without_autocommit_transactions_begin_by_themselves),
        GREEN_TEST(isolation_can_be_chosen_and_conflicts_can_be_tried_again),
        GREEN_TEST(a_deadlock_can_be_tried_again),
        GREEN_TEST(affected_rows_are_those_that_were_changed),
        GREEN_TEST(prepared_statements_stay_with_the_connection),
        GREEN_TEST(the_server_tells_of_itself),
        GREEN_TEST(the_driver_works_in_os_threads_too),
        GREEN_SUITE_END
};
