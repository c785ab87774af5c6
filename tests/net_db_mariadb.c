/*
 * The MariaDB driver: statements, values, transactions, and what connections are asked and told.
 */
#include "net_mariadb.h"

#include <inttypes.h>

/* ---- statements */

static void
a_statement_has_its_rows_and_counts(void)
{
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        int64_t number;
        unsigned warnings;

        NEED_SERVER();
        p = new_pool(2);
        c = got_fresh(p);
        run(c, "create table t (id int auto_increment primary key, name varchar(20))");
        CHECK_INT(green_db_conn_execute(c, "insert into t (name) values ('a'), ('b'), ('c')", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_columns(r), 0);
        CHECK_INT(green_db_result_affected_rows(r), 3);
        CHECK_INT(green_db_result_insert_id(r), 1);
        CHECK_INT(green_db_conn_insert_id(c, &number), 0);
        CHECK_INT(number, 1);
        CHECK_INT(green_db_conn_affected_rows(c, &number), 0);
        CHECK_INT(number, 3);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_execute(c, "insert into t (name) values (?)", GREEN_DB_PARAMS(green_db_text("d")), &r), 0);
        CHECK_INT(green_db_result_affected_rows(r), 1);
        CHECK_INT(green_db_result_insert_id(r), 4);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_execute(c, "select id, name from t order by id", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_columns(r), 2);
        CHECK_INT(green_db_result_rows(r), 4);
        CHECK_STR(green_db_result_name(r, 0), "id");
        CHECK_STR(green_db_result_name(r, 1), "name");
        for (int i = 1; i <= 4; i++) {
                char name[2] = {(char)('a' + i - 1), '\0'};

                CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(green_db_result_int64(r, 0, &number), 0);
                CHECK_INT(number, i);
                CHECK_STR(green_db_result_text(r, 1), name);
        }
        CHECK_INT(green_db_result_next(r), 0);
        CHECK_INT(green_db_result_insert_id(r), 0);
        green_db_result_free(r);
        run(c, "set sql_mode = ''");
        run(c, "insert into t (name) values (concat('far too long for this column', 'x'))");
        CHECK_INT(green_db_conn_warning_count(c, &warnings), 0);
        CHECK_INT(warnings, 1);
        CHECK_INT(green_db_conn_show_warnings(c, &r), 0);
        CHECK_INT(green_db_result_rows(r), 1);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_STR(green_db_result_text(r, 0), "Warning");
        CHECK_INT(green_db_result_int64(r, 1, &number), 0);
        CHECK_INT(number, 1265);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_execute(c, "select 1/0 where ? = 1", GREEN_DB_PARAMS(green_db_int64(1)), NULL), 0);
        CHECK_INT(green_db_conn_warning_count(c, &warnings), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static const struct {
        const char *expression; /* of a column of the table below, or another */
        enum green_db_type type;
        int64_t number;
        double real;
        const char *data;
        size_t len;
} values[] = {
        {"t1", GREEN_DB_INT64, -128, 0, NULL, 0},
        {"t1u", GREEN_DB_INT64, 255, 0, NULL, 0},
        {"s2", GREEN_DB_INT64, -32768, 0, NULL, 0},
        {"s2u", GREEN_DB_INT64, 65535, 0, NULL, 0},
        {"m3", GREEN_DB_INT64, -8388608, 0, NULL, 0},
        {"m3u", GREEN_DB_INT64, 16777215, 0, NULL, 0},
        {"i4", GREEN_DB_INT64, -2147483648LL, 0, NULL, 0},
        {"i4u", GREEN_DB_INT64, 4294967295LL, 0, NULL, 0},
        {"b8", GREEN_DB_INT64, INT64_MIN, 0, NULL, 0},
        {"b8u", GREEN_DB_TEXT, 0, 0, "18446744073709551615", 20},
        {"z4", GREEN_DB_INT64, 42, 0, NULL, 0},
        {"f4", GREEN_DB_DOUBLE, 0, 0.1, NULL, 0},
        {"f8", GREEN_DB_DOUBLE, 0, -1.25e-300, NULL, 0},
        {"dec1", GREEN_DB_TEXT, 0, 0, "-12345678901234567890.1234567890", 32},
        {"c", GREEN_DB_TEXT, 0, 0, "caf\xC3\xA9", 5},
        {"vc", GREEN_DB_TEXT, 0, 0, "it's \\ \"q\" \xF0\x9F\x98\x80", 15},
        {"tx", GREEN_DB_TEXT, 0, 0, "", 0},
        {"bl", GREEN_DB_BLOB, 0, 0, "a\0b\xFF", 4},
        {"vb", GREEN_DB_BLOB, 0, 0, "\0\1", 2},
        {"bn", GREEN_DB_BLOB, 0, 0, "x\0\0", 3},
        {"d", GREEN_DB_TEXT, 0, 0, "2024-02-29", 10},
        {"dt", GREEN_DB_TEXT, 0, 0, "2024-02-29 23:59:58", 19},
        {"dt3", GREEN_DB_TEXT, 0, 0, "2024-02-29 23:59:58.250", 23},
        {"dt6", GREEN_DB_TEXT, 0, 0, "2024-02-29 00:00:00.000000", 26},
        {"tm", GREEN_DB_TEXT, 0, 0, "-838:59:59", 10},
        {"tm6", GREEN_DB_TEXT, 0, 0, "01:02:03.000004", 15},
        {"y", GREEN_DB_INT64, 2024, 0, NULL, 0},
        {"bit1", GREEN_DB_INT64, 1, 0, NULL, 0},
        {"bit20", GREEN_DB_INT64, 0xABCDE, 0, NULL, 0},
        {"bit64", GREEN_DB_BLOB, 0, 0, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", 8},
        {"en", GREEN_DB_TEXT, 0, 0, "two", 3},
        {"st", GREEN_DB_TEXT, 0, 0, "x,z", 3},
        {"js", GREEN_DB_TEXT, 0, 0, "{\"a\": 1}", 8},
        {"nothing", GREEN_DB_NULL, 0, 0, NULL, 0},
        {"null", GREEN_DB_NULL, 0, 0, NULL, 0},
        {"cast('0000-00-00' as date)", GREEN_DB_TEXT, 0, 0, "0000-00-00", 10},
        {"cast('00:00:00' as time)", GREEN_DB_TEXT, 0, 0, "00:00:00", 8},
        {"true", GREEN_DB_INT64, 1, 0, NULL, 0},
        {"9223372036854775807", GREEN_DB_INT64, INT64_MAX, 0, NULL, 0},
        {"9223372036854775808", GREEN_DB_TEXT, 0, 0, "9223372036854775808", 19},
        {"1.50", GREEN_DB_TEXT, 0, 0, "1.50", 4},
        {"1e3", GREEN_DB_DOUBLE, 0, 1000, NULL, 0},
        {"'text'", GREEN_DB_TEXT, 0, 0, "text", 4},
        {"x'00ff'", GREEN_DB_BLOB, 0, 0, "\0\xFF", 2},
        {"concat(1, 2)", GREEN_DB_TEXT, 0, 0, "12", 2},
        {"repeat('y', 300)", GREEN_DB_TEXT, 0, 0, NULL, 300},
        {"repeat('y', 70000)", GREEN_DB_TEXT, 0, 0, NULL, 70000},
};
enum { VALUES = sizeof values / sizeof values[0] };

static const char *const types_table[] = {
        "create table types (t1 tinyint, t1u tinyint unsigned, s2 smallint, s2u smallint unsigned, m3 mediumint, "
        "m3u mediumint unsigned, i4 int, i4u int unsigned, b8 bigint, b8u bigint unsigned, z4 int(6) zerofill, f4 float, "
        "f8 double, dec1 decimal(30,10), c char(10), vc varchar(100), tx text, bl blob, vb varbinary(10), bn binary(3), "
        "d date, dt datetime, dt3 datetime(3), dt6 timestamp(6) null, tm time, tm6 time(6), y year, bit1 bit(1), "
        "bit20 bit(20), bit64 bit(64), en enum('one','two'), st set('x','y','z'), js json, nothing int) charset utf8mb4",
        "insert into types values (-128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, "
        "-9223372036854775808, 18446744073709551615, 42, 0.1, -1.25e-300, -12345678901234567890.1234567890, "
        "'caf\xC3\xA9', 'it\\'s \\\\ \"q\" \xF0\x9F\x98\x80', '', x'610062ff', x'0001', 'x', '2024-02-29', "
        "'2024-02-29 23:59:58', '2024-02-29 23:59:58.25', '2024-02-29', '-838:59:59', '01:02:03.000004', 2024, b'1', "
        "0xABCDE, 0xFFFFFFFFFFFFFFFE, 'two', 'x,z', '{\"a\": 1}', null)",
};

static void
check_value(green_db_result *r, size_t column, size_t i, const char *how)
{
        struct green_db_value v;

        CHECK_INT(green_db_result_value(r, column, &v), 0);
        if (v.type != values[i].type) {
                FAIL("%s, %s: type %d, not %d", values[i].expression, how, (int)v.type, (int)values[i].type);
                return;
        }
        if (v.type == GREEN_DB_INT64 && v.number != values[i].number)
                FAIL("%s, %s: %lld", values[i].expression, how, (long long)v.number);
        if (v.type == GREEN_DB_DOUBLE && v.real != values[i].real)
                FAIL("%s, %s: %.17g", values[i].expression, how, v.real);
        if (v.type != GREEN_DB_TEXT && v.type != GREEN_DB_BLOB)
                return;
        if (v.len != values[i].len || (values[i].data != NULL && memcmp(v.data, values[i].data, v.len) != 0) ||
            ((const char *)v.data)[v.len] != '\0')
                FAIL("%s, %s: %zu bytes: %s", values[i].expression, how, v.len, (const char *)v.data);
}

static void
values_are_the_same_in_text_form_and_in_binary_form(void)
{
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        green_db_stmt *stmt;
        char sql[8192];
        size_t len;

        NEED_SERVER();
        p = new_pool(2);
        c = got_fresh(p);
        run(c, "set sql_mode = ''");
        run(c, types_table[0]);
        run(c, types_table[1]);
        len = (size_t)snprintf(sql, sizeof sql, "select ");
        for (size_t i = 0; i < VALUES; i++)
                len += (size_t)snprintf(sql + len, sizeof sql - len, "%s%s", i > 0 ? ", " : "", values[i].expression);
        snprintf(sql + len, sizeof sql - len, " from types");
        CHECK_INT(green_db_conn_execute(c, sql, GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        for (size_t i = 0; i < VALUES; i++)
                check_value(r, i, i, "text");
        green_db_result_free(r);
        CHECK_INT(green_db_conn_prepare(c, sql, &stmt), 0);
        for (int round = 0; round < 2; round++) {
                CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_NO_PARAMS, &r), 0);
                CHECK_INT(green_db_result_next(r), 1);
                for (size_t i = 0; i < VALUES; i++)
                        check_value(r, i, i, "binary");
                CHECK_INT(green_db_result_next(r), 0);
                green_db_result_free(r);
                CHECK_INT(green_db_stmt_cursor(stmt, GREEN_DB_NO_PARAMS, &r), 0);
                CHECK_INT(green_db_result_next(r), 1);
                for (size_t i = 0; i < VALUES; i++)
                        check_value(r, i, i, "binary, read as it comes");
                CHECK_INT(green_db_result_next(r), 0);
                green_db_result_free(r);
        }
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
parameters_are_never_part_of_the_text(void)
{
        static const char evil[] = "'; drop table t; -- \\' \" \0 \x1a \n \xF0\x9F\x98\x80";
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        struct green_db_value v;
        double real;

        NEED_SERVER();
        p = new_pool(2);
        c = got_fresh(p);
        run(c, "create table t (a bigint, b double, c text character set utf8mb4, d longblob, e int)");
        CHECK_INT(green_db_conn_execute(c, "insert into t values (?, ?, ?, ?, ?)",
                                        GREEN_DB_PARAMS(green_db_int64(INT64_MIN), green_db_double(0.1),
                                                        green_db_text_n(evil, sizeof evil - 1),
                                                        green_db_blob(evil, sizeof evil - 1), green_db_null()),
                                        NULL),
                  0);
        CHECK_INT(green_db_conn_execute(c, "select * from t where a = ? and c = ?",
                                        GREEN_DB_PARAMS(green_db_int64(INT64_MIN), green_db_text_n(evil, sizeof evil - 1)),
                                        &r),
                  0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_result_double(r, 1, &real), 0);
        CHECK(real == 0.1);
        for (size_t i = 2; i < 4; i++) {
                CHECK_INT(green_db_result_value(r, i, &v), 0);
                CHECK_INT(v.len, sizeof evil - 1);
                CHECK(v.len == sizeof evil - 1 && memcmp(v.data, evil, v.len) == 0);
        }
        CHECK(green_db_result_is_null(r, 4));
        green_db_result_free(r);
        CHECK_INT(green_db_conn_execute(c, "select ?", GREEN_DB_NO_PARAMS, NULL), GREEN_EDB);
        CHECK_INT(green_db_conn_execute(c, "select ?", GREEN_DB_PARAMS(green_db_null(), green_db_null()), NULL), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "07001");
        CHECK_INT(number_of(c, "select count(*) from t"), 1);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
large_values_go_and_come(void)
{
        enum { LEN = 5000000 };
        struct green_db_value v;
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        char *data;

        NEED_SERVER();
        data = malloc(LEN);
        for (size_t i = 0; i < LEN; i++)
                data[i] = (char)(i * 7 + i / 256);
        p = new_pool(1);
        c = got(p);
        CHECK_INT(green_db_conn_execute(c, "select ?, length(?)",
                                        GREEN_DB_PARAMS(green_db_blob(data, LEN), green_db_blob(data, LEN)), &r),
                  0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_result_value(r, 0, &v), 0);
        CHECK_INT(v.type, GREEN_DB_BLOB);
        CHECK(v.len == LEN && memcmp(v.data, data, LEN) == 0);
        CHECK_STR(green_db_result_text(r, 1), "5000000");
        green_db_result_free(r);
        free(data);
        CHECK_INT(green_db_conn_execute(c, "select repeat('x', 3000000)", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(strlen(green_db_result_text(r, 0)), 3000000);
        green_db_result_free(r);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- errors */

static int told_code, times_told;

static void
note_error(green_db_conn *c, int code, void *arg)
{
        (void)c;
        (void)arg;
        told_code = code;
        times_told++;
}

static void
errors_have_codes_numbers_and_words(void)
{
        green_db_pool *p;
        green_db_conn *c;

        NEED_SERVER();
        p = new_pool(1);
        c = got_fresh(p);
        told_code = times_told = 0;
        CHECK_INT(green_db_conn_errorhandler(c, note_error, NULL), 0);
        CHECK_INT(green_db_conn_execute(c, "selec 1", GREEN_DB_NO_PARAMS, NULL), GREEN_EDB);
        CHECK_INT(told_code, GREEN_EDB);
        CHECK_INT(times_told, 1);
        CHECK_INT(green_db_conn_errno(c), 1064);
        CHECK_STR(green_db_conn_sqlstate(c), "42000");
        CHECK(strstr(green_db_conn_error(c), "syntax") != NULL);
        CHECK(strstr(green_last_error()->message, "syntax") != NULL);
        run(c, "create table parent (id int primary key) engine innodb");
        run(c, "create table child (id int, foreign key (id) references parent (id)) engine innodb");
        run(c, "insert into parent values (1)");
        CHECK_INT(green_db_conn_errno(c), 0);
        CHECK_STR(green_db_conn_sqlstate(c), "00000");
        CHECK_STR(green_db_conn_error(c), "");
        CHECK_INT(green_db_conn_execute(c, "insert into parent values (1)", GREEN_DB_NO_PARAMS, NULL), GREEN_EDBCONSTRAINT);
        CHECK_INT(green_db_conn_errno(c), 1062);
        CHECK_STR(green_db_conn_sqlstate(c), "23000");
        CHECK_INT(green_db_conn_execute(c, "insert into child values (?)", GREEN_DB_PARAMS(green_db_int64(9)), NULL),
                  GREEN_EDBCONSTRAINT);
        CHECK_INT(green_db_conn_errno(c), 1452);
        CHECK_INT(green_db_conn_execute(c, "select * from missing where a = ?", GREEN_DB_PARAMS(green_db_int64(9)), NULL),
                  GREEN_EDB);
        CHECK_INT(green_db_conn_errno(c), 1146);
        CHECK_INT(green_db_conn_select_db(c, "missing"), GREEN_EDBLOGIN);
        /* In the middle of rows: they are read as they come. */
        CHECK_INT(green_db_conn_execute(c,
                                        "select if(seq < 500, seq, (select 1 union select 2)) from seq_1_to_1000",
                                        GREEN_DB_NO_PARAMS, NULL),
                  GREEN_EDB);
        CHECK_INT(green_db_conn_errno(c), 1242);
        CHECK_INT(number_of(c, "select 5"), 5);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).idle, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void *
lock_both(void *arg)
{
        green_db_conn *c = arg;

        CHECK_INT(green_db_conn_begin(c), 0);
        run(c, "update t set n = n + 1 where id = 2");
        green_sleep(0.05);
        return (void *)(intptr_t)green_db_conn_execute(c, "update t set n = n + 1 where id = 1", GREEN_DB_NO_PARAMS, NULL);
}

static void
deadlocks_and_locks_that_are_not_free_may_be_tried_again(void)
{
        green_db_pool *p;
        green_db_conn *a, *b;
        green_thread *gt;
        void *other;
        int mine;

        NEED_SERVER();
        p = new_pool(2);
        a = got_fresh(p);
        b = got(p);
        CHECK_INT(green_db_conn_select_db(b, "green"), 0);
        run(a, "create table t (id int primary key, n int) engine innodb");
        run(a, "insert into t values (1, 0), (2, 0)");
        CHECK_INT(green_db_conn_begin(a), 0);
        run(a, "update t set n = n + 1 where id = 1");
        gt = green_spawn(lock_both, b);
        green_sleep(0.02);
        mine = green_db_conn_execute(a, "update t set n = n + 1 where id = 2", GREEN_DB_NO_PARAMS, NULL);
        CHECK_INT(green_thread_wait(gt, &other), 0);
        green_thread_unref(gt);
        CHECK((mine == 0) != (other == NULL));
        CHECK_INT(mine != 0 ? mine : (int)(intptr_t)other, GREEN_EDBRETRY);
        CHECK_INT(green_db_conn_errno(mine != 0 ? a : b), 1213);
        CHECK_INT(green_db_conn_rollback(a), 0);
        CHECK_INT(green_db_conn_rollback(b), 0);
        CHECK_INT(green_db_conn_begin(a), 0);
        run(a, "update t set n = n + 1 where id = 1");
        run(b, "set innodb_lock_wait_timeout = 1");
        CHECK_INT(green_db_conn_execute(b, "update t set n = 7 where id = 1", GREEN_DB_NO_PARAMS, NULL), GREEN_EDBRETRY);
        CHECK_INT(green_db_conn_errno(b), 1205);
        CHECK_INT(green_db_pool_put(p, a), 0);
        CHECK_INT(number_of(b, "select sum(n) from t"), 0);
        CHECK_INT(green_db_pool_put(p, b), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- transactions */

static void
transactions_are_made_last_or_undone(void)
{
        green_db_pool *p;
        green_db_conn *c;

        NEED_SERVER();
        p = new_pool(1);
        c = got_fresh(p);
        run(c, "create table t (n int) engine innodb");
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_begin(c), 0);
        CHECK(green_db_conn_in_transaction(c));
        run(c, "insert into t values (1)");
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(number_of(c, "select count(*) from t"), 0);
        CHECK_INT(green_db_conn_begin(c), 0);
        run(c, "insert into t values (1)");
        CHECK_INT(green_db_conn_commit(c), 0);
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_autocommit(c, false), 0);
        run(c, "insert into t values (2)");
        CHECK(green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_execute(c, "insert into t values (?)", GREEN_DB_PARAMS(green_db_int64(3)), NULL), 0);
        CHECK(green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_autocommit(c, true), -EBUSY);
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK_INT(number_of(c, "select count(*) from t"), 1);
        CHECK(green_db_conn_in_transaction(c));
        /* One that is left open is undone where it is given back. */
        run(c, "insert into t values (2)");
        CHECK_INT(green_db_pool_put(p, c), 0);
        c = got(p);
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(number_of(c, "select count(*) from green.t"), 1);
        for (int level = GREEN_DB_READ_UNCOMMITTED; level <= GREEN_DB_SERIALIZABLE; level++) {
                static const char *const names[] = {NULL, "READ-UNCOMMITTED", "READ-COMMITTED", "REPEATABLE-READ",
                                                    "SERIALIZABLE"};
                green_db_result *r = NULL;

                CHECK_INT(green_db_conn_set_isolation_level(c, (enum green_db_isolation)level), 0);
                CHECK_INT(green_db_conn_execute(c, "select @@tx_isolation", GREEN_DB_NO_PARAMS, &r), 0);
                CHECK_INT(green_db_result_next(r), 1);
                CHECK_STR(green_db_result_text(r, 0), names[level]);
                green_db_result_free(r);
        }
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- rows that are read as they come */

static size_t
memory_kb(void)
{
        unsigned long total, resident = 0;
        FILE *f = fopen("/proc/self/statm", "re");

        if (f != NULL && fscanf(f, "%lu %lu", &total, &resident) != 2)
                resident = 0;
        if (f != NULL)
                fclose(f);
        return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static void
a_cursor_takes_little_memory_for_many_rows(void)
{
        enum { ROWS = 200000 };
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        green_db_stmt *stmt;

        NEED_SERVER();
        p = new_pool(1);
        c = got(p);
        CHECK_INT(green_db_conn_prepare(c, "select seq, repeat('x', 200) from seq_1_to_200000 where seq > ?", &stmt), 0);
        for (int binary = 0; binary < 2; binary++) {
                size_t before = memory_kb();
                int64_t n = 0, sum = 0, number;

                if (binary)
                        CHECK_INT(green_db_stmt_cursor(stmt, GREEN_DB_PARAMS(green_db_int64(0)), &r), 0);
                else
                        CHECK_INT(green_db_conn_cursor(c, "select seq, repeat('x', 200) from seq_1_to_200000",
                                                       GREEN_DB_NO_PARAMS, &r), 0);
                CHECK_INT(green_db_conn_execute(c, "select 1", GREEN_DB_NO_PARAMS, NULL), -EBUSY);
                while (green_db_result_next(r) == 1) {
                        if (green_db_result_int64(r, 0, &number) == 0)
                                sum += number;
                        n++;
                }
                CHECK_INT(n, ROWS);
                CHECK_INT(sum, (int64_t)ROWS * (ROWS + 1) / 2);
                CHECK_INT(green_db_result_rows(r), ROWS);
                green_db_result_free(r);
                CHECK(suite_slow() > 1 || memory_kb() < before + 8 * 1024); /* sanitizers keep what was freed */
        }
        CHECK_INT(number_of(c, "select 5"), 5);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
a_cursor_that_is_freed_early_leaves_the_connection_at_rest(void)
{
        static const char *const statements[] = {
                "select seq, repeat('x', 200) from seq_1_to_3000000", "select seq from seq_1_to_700", "select 1",
                "select 1 where 0 = 1"};
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        int64_t id, now;

        NEED_SERVER();
        p = new_pool(1);
        c = got(p);
        CHECK_INT(green_db_conn_thread_id(c, &id), 0);
        for (int i = 0; i < 24; i++) {
                const char *sql = statements[i % 4];
                green_db_stmt *stmt;
                double begin = seconds();

                r = NULL;
                if (i & 4) {
                        CHECK_INT(green_db_conn_prepare(c, sql, &stmt), 0);
                        CHECK_INT(green_db_stmt_cursor(stmt, GREEN_DB_NO_PARAMS, &r), 0);
                } else {
                        CHECK_INT(green_db_conn_cursor(c, sql, GREEN_DB_NO_PARAMS, &r), 0);
                }
                for (int n = 0; n < i % 3; n++)
                        CHECK(green_db_result_next(r) >= 0);
                green_db_result_free(r);
                CHECK_RANGE(seconds() - begin, 0, 2 * suite_slow());
                CHECK_INT(number_of(c, "select 5"), 5);
                CHECK_INT(green_db_conn_thread_id(c, &now), 0);
                CHECK_INT(now, id);
        }
        CHECK_INT(green_db_conn_cursor(c, statements[0], GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_result_next(r), 1); /* what had come already */
        green_db_result_free(r);
        c = got(p);
        CHECK_INT(number_of(c, "select connection_id()"), id);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).lost, 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
a_query_is_stored_used_or_thrown_away(void)
{
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        int n = 0;

        NEED_SERVER();
        p = new_pool(1);
        c = got(p);
        CHECK_INT(green_db_conn_store_result(c, &r), -ENODATA);
        CHECK_INT(green_db_conn_query(c, "select seq from seq_1_to_500", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_store_result(c, &r), 0);
        CHECK_INT(green_db_result_rows(r), 500);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_query(c, "select seq from seq_1_to_500 where seq > ?", GREEN_DB_PARAMS(green_db_int64(100))),
                  0);
        CHECK_INT(green_db_conn_use_result(c, &r), 0);
        while (green_db_result_next(r) == 1)
                n++;
        CHECK_INT(n, 400);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_query(c, "select seq from seq_1_to_500", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(number_of(c, "select 5"), 5);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- prepared statements, procedures */

static void
prepared_statements_are_used_again(void)
{
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        green_db_stmt *stmt, *again;

        NEED_SERVER();
        p = new_pool(1);
        c = got_fresh(p);
        run(c, "create table t (a int, b int)");
        run(c, "insert into t values (1, 10), (2, 20)");
        CHECK_INT(green_db_conn_prepare(c, "select * from t where a = ?", &stmt), 0);
        for (int i = 1; i <= 3; i++) {
                CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(i)), &r), 0);
                CHECK_INT(green_db_result_rows(r), i < 3);
                CHECK_INT(green_db_result_columns(r), 2);
                green_db_result_free(r);
        }
        CHECK_INT(green_db_conn_prepare(c, "select * from t where a = ?", &again), 0);
        CHECK_PTR(again, stmt);
        run(c, "alter table t add x varchar(10) default 'new' first");
        CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_text("2")), &r), 0);
        CHECK_INT(green_db_result_columns(r), 3);
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_STR(green_db_result_text(r, 0), "new");
        CHECK_STR(green_db_result_text(r, 2), "20");
        green_db_result_free(r);
        CHECK_INT(green_db_conn_prepare(c, "selec", &again), GREEN_EDB);
        CHECK_INT(green_db_conn_errno(c), 1064);
        /* More than are kept. */
        for (int i = 0; i < 100; i++) {
                char sql[64];

                snprintf(sql, sizeof sql, "select %d + ?", i);
                CHECK_INT(green_db_conn_prepare(c, sql, &again), 0);
                CHECK_INT(green_db_stmt_execute(again, GREEN_DB_PARAMS(green_db_int64(1)), &r), 0);
                CHECK_INT(green_db_result_next(r), 1);
                green_db_result_free(r);
        }
        CHECK_INT(green_db_stmt_free(stmt), 0);
        CHECK_INT(green_db_pool_put_with(p, c, green_db_pool_cleanup_reset, NULL), 0);
        c = got(p);
        CHECK_INT(number_of(c, "select variable_value from information_schema.session_status where variable_name = "
                               "'Prepared_stmt_count' union select 0 limit 1") <= 64, 1);
        CHECK_INT(green_db_conn_prepare(c, "select 99 + ?", &stmt), 0);
        CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(1)), NULL), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
a_procedure_gives_its_first_rows(void)
{
        green_db_pool *p;
        green_db_conn *c;
        green_db_result *r = NULL;
        green_db_stmt *stmt;

        NEED_SERVER();
        p = new_pool(1);
        c = got_fresh(p);
        run(c, "create table t (a int)");
        run(c, "create procedure two() begin insert into t values (7); select 1, 2 union select 3, 4; "
               "select seq from seq_1_to_200; update t set a = 8; end");
        run(c, "create procedure breaks() begin select 1; select * from missing; end");
        run(c, "create procedure silent() begin insert into t values (1), (2); end");
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_db_conn_execute(c, "call two()", GREEN_DB_NO_PARAMS, &r), 0);
                CHECK_INT(green_db_result_columns(r), 2);
                CHECK_INT(green_db_result_rows(r), 2);
                CHECK_INT(green_db_result_next(r), 1);
                CHECK_STR(green_db_result_text(r, 1), "2");
                green_db_result_free(r);
                CHECK_INT(number_of(c, "select max(a) from t"), 8);
                CHECK_INT(green_db_conn_prepare(c, "call two()", &stmt), 0);
                CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_NO_PARAMS, &r), 0);
                CHECK_INT(green_db_result_columns(r), 2);
                CHECK_INT(green_db_result_rows(r), 2);
                green_db_result_free(r);
                CHECK_INT(green_db_stmt_cursor(stmt, GREEN_DB_NO_PARAMS, &r), 0);
                CHECK_INT(green_db_result_next(r), 1);
                green_db_result_free(r);
                CHECK_INT(green_db_conn_execute(c, "call breaks()", GREEN_DB_NO_PARAMS, NULL), GREEN_EDB);
                CHECK_INT(green_db_conn_errno(c), 1146);
                CHECK_INT(green_db_conn_prepare(c, "call breaks()", &stmt), 0);
                CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_NO_PARAMS, NULL), GREEN_EDB);
                CHECK_INT(green_db_conn_execute(c, "call silent()", GREEN_DB_NO_PARAMS, &r), 0);
                CHECK_INT(green_db_result_columns(r), 0);
                CHECK_INT(green_db_result_affected_rows(r), 2);
                green_db_result_free(r);
        }
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).lost, 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

GREEN_SUITE(net_db_mariadb) {
        GREEN_TEST(a_statement_has_its_rows_and_counts),
        GREEN_TEST(values_are_the_same_in_text_form_and_in_binary_form),
        GREEN_TEST(parameters_are_never_part_of_the_text),
        GREEN_TEST(large_values_go_and_come),
        GREEN_TEST(errors_have_codes_numbers_and_words),
        GREEN_TEST(deadlocks_and_locks_that_are_not_free_may_be_tried_again),
        GREEN_TEST(transactions_are_made_last_or_undone),
        GREEN_TEST(a_cursor_takes_little_memory_for_many_rows),
        GREEN_TEST(a_cursor_that_is_freed_early_leaves_the_connection_at_rest),
        GREEN_TEST(a_query_is_stored_used_or_thrown_away),
        GREEN_TEST(prepared_statements_are_used_again),
        GREEN_TEST(a_procedure_gives_its_first_rows),
        GREEN_SUITE_END
};
