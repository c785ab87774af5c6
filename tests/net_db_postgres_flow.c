/*
 * The driver for PostgreSQL: pipelines, COPY, notifications.
 */
#include "net_postgres.h"

/* ---- pipelines */

/* The number that the next answer has; below 0: its code; INT_MIN: there is none. */
static int64_t
next_number(green_db_conn *c)
{
        green_db_result *r;
        int64_t n = INT64_MIN;
        int rc = green_db_conn_pipeline_next(c, &r);

        if (rc != 1)
                return rc == 0 ? INT64_MIN : rc;
        if (green_db_result_next(r) == 1)
                CHECK_INT(green_db_result_int64(r, 0, &n), 0);
        green_db_result_free(r);
        return n;
}

static void
answers_come_in_the_order_of_the_statements(void)
{
        green_db_conn *c;
        green_db_stmt *s;

        if (!have_server())
                return;
        c = connect_one();
        CHECK_INT(green_db_conn_prepare(c, "select $1::int8 * 2", &s), 0);
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(run(c, "select 1"), -EBUSY);
        CHECK_INT(next_number(c), INT64_MIN);
        for (int i = 0; i < 1000; i++)
                CHECK_INT(i % 3 == 0 ? green_db_conn_send(c, "select $1::int4 * 2", GREEN_DB_PARAMS(green_db_int64(i)))
                                     : green_db_stmt_send(s, GREEN_DB_PARAMS(green_db_int64(i))),
                          0);
        for (int i = 0; i < 1000; i++)
                if (!CHECK_INT(next_number(c), 2 * i))
                        break;
        CHECK_INT(next_number(c), INT64_MIN);
        /* More, while answers are still to come. */
        for (int i = 0; i < 5; i++)
                CHECK_INT(green_db_stmt_send(s, GREEN_DB_PARAMS(green_db_int64(i))), 0);
        CHECK_INT(next_number(c), 0);
        for (int i = 5; i < 8; i++)
                CHECK_INT(green_db_stmt_send(s, GREEN_DB_PARAMS(green_db_int64(i))), 0);
        for (int i = 1; i < 8; i++)
                CHECK_INT(next_number(c), 2 * i);
        CHECK_INT(next_number(c), INT64_MIN);
        CHECK_INT(green_db_conn_pipeline_end(c), 0);
        CHECK_STR(ask(c, "select 1"), "1");
        CHECK_INT(green_db_conn_pipeline_end(c), -EINVAL);
        CHECK_INT(green_db_stmt_send(s, GREEN_DB_PARAMS(green_db_int64(1))), -EINVAL);
        CHECK_INT(green_db_conn_free(c), 0);
}

/* libpq is in another mode then. */
static void
a_pipeline_can_follow_rows_that_were_read_as_they_came(void)
{
        static const char *const first[] = {"select generate_series(1, 100)",
                                            "select 1/(3 - i) from generate_series(1, 10) i", "select 1 where false"};
        static const int codes[] = {1, GREEN_EDB, 1}, rows[] = {100, 0, 0};
        green_db_conn *c;
        green_db_result *r;

        if (!have_server())
                return;
        c = connect_one();
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_db_conn_cursor(c, "select generate_series(1, 5)", GREEN_DB_NO_PARAMS, &r), 0);
                if (i == 0)
                        while (green_db_result_next(r) == 1)
                                ;
                green_db_result_free(r);
                CHECK_INT(green_db_conn_pipeline_begin(c), 0);
                CHECK_INT(green_db_conn_send(c, first[i], GREEN_DB_NO_PARAMS), 0);
                CHECK_INT(green_db_conn_send(c, "select 7", GREEN_DB_NO_PARAMS), 0);
                CHECK_INT(green_db_conn_pipeline_next(c, &r), codes[i]);
                if (codes[i] == 1) {
                        CHECK_INT(green_db_result_rows(r), rows[i]);
                        CHECK_INT(green_db_result_columns(r), 1);
                        green_db_result_free(r);
                }
                CHECK_INT(next_number(c), codes[i] == 1 ? 7 : -ECANCELED);
                CHECK_INT(next_number(c), INT64_MIN);
                CHECK_INT(green_db_conn_pipeline_end(c), 0);
        }
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
what_comes_behind_an_error_is_skipped(void)
{
        green_db_conn *c;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table t (a int)");
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(green_db_conn_send(c, "insert into t values (1) returning 5", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_send(c, "select 1/0", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_send(c, "select 6", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_send(c, "select 7", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(next_number(c), 5);
        CHECK_INT(next_number(c), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "22012");
        CHECK_INT(next_number(c), -ECANCELED);
        CHECK_INT(next_number(c), -ECANCELED);
        CHECK_INT(next_number(c), INT64_MIN);
        CHECK_INT(green_db_conn_send(c, "select 8", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(next_number(c), 8);
        CHECK_INT(green_db_conn_pipeline_end(c), 0);
        CHECK_INT(number(c, "select count(*) from t"), 0);
        /* An error that nobody asks for. */
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(green_db_conn_send(c, "select 1/0", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_send(c, "select 1", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_pipeline_end(c), 0);
        CHECK_STR(ask(c, "select 1"), "1");
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
large_pipelines_do_not_lock_up(void)
{
        enum { N = 200, SIZE = 100000 };
        green_db_conn *c;
        green_db_result *r;
        char *text;

        if (!have_server())
                return;
        c = connect_one();
        text = malloc(SIZE);
        memset(text, 'x', SIZE);
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        for (int i = 0; i < N; i++)
                CHECK_INT(green_db_conn_send(c, "select $1::text", GREEN_DB_PARAMS(green_db_text_n(text, SIZE))), 0);
        for (int i = 0; i < N; i++) {
                if (!CHECK_INT(green_db_conn_pipeline_next(c, &r), 1))
                        break;
                CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(strlen(green_db_result_text(r, 0)), SIZE);
                green_db_result_free(r);
        }
        CHECK_INT(green_db_conn_pipeline_end(c), 0);
        free(text);
        CHECK_INT(green_db_conn_free(c), 0);
}

/* Those behind a sync are not skipped when one before it is cancelled: each has to be. */
static void
a_pipeline_that_was_cut_is_ended_at_put(void)
{
        struct green_timeout limit;
        green_db_pool *p;
        green_db_conn *c;
        double before;

        if (!have_server())
                return;
        p = pool_of(1);
        for (int sleepers = 0; sleepers <= 3; sleepers++) {
                c = got(p);
                CHECK_INT(green_db_conn_pipeline_begin(c), 0);
                for (int i = 0; i < sleepers; i++)
                        CHECK_INT(green_db_conn_send(c, "select pg_sleep(10)", GREEN_DB_NO_PARAMS), 0);
                CHECK_INT(green_db_conn_send(c, "select 1", GREEN_DB_NO_PARAMS), 0);
                if (sleepers != 1) {
                        CHECK_INT(green_timeout_start(&limit, 0.03), 0);
                        CHECK_INT(next_number(c), sleepers == 0 ? 1 : GREEN_ETIMEOUT);
                        (void)green_timeout_cancel(&limit);
                }
                before = now();
                CHECK_INT(green_db_pool_put(p, c), 0);
                CHECK_RANGE(now() - before, 0, 0.5 * suite_slow());
                c = got(p);
                CHECK_STR(ask(c, "select 2"), "2");
                CHECK_INT(green_db_pool_put(p, c), 0);
        }
        c = got(p);
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(green_db_conn_send(c, "select 1", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_send(c, "select 2", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(next_number(c), 1);
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_db_conn_send(c, "select pg_sleep(10)", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(next_number(c), 2);
        CHECK_INT(green_timeout_start(&limit, 0.03), 0);
        CHECK_INT(next_number(c), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&limit), 1);
        before = now();
        CHECK_INT(run(c, "select 3"), 0);
        CHECK_RANGE(now() - before, 0, 0.5 * suite_slow());
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).made, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- COPY */

static void
rows_are_copied_in_and_out(void)
{
        green_db_conn *c;
        const void *data;
        size_t len, total = 0;
        int64_t rows = -1;
        int n = 0, rc;
        char line[64];

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table t (a int, b text)");
        CHECK_INT(green_db_conn_copy_in(c, "copy t from stdin"), 0);
        CHECK_INT(run(c, "select 1"), -EBUSY);
        for (int i = 0; i < 100000; i++) {
                snprintf(line, sizeof line, "%d\trow %d\n", i, i);
                /* In pieces that end anywhere. */
                CHECK_INT(green_db_conn_copy_put(c, line, strlen(line) / 2), 0);
                CHECK_INT(green_db_conn_copy_put(c, line + strlen(line) / 2, strlen(line) - strlen(line) / 2), 0);
        }
        CHECK_INT(green_db_conn_copy_end(c, NULL, &rows), 0);
        CHECK_INT(rows, 100000);
        CHECK_STR(ask(c, "select sum(a) from t"), "4999950000");
        CHECK_INT(green_db_conn_copy_out(c, "copy (select a, b from t order by a) to stdout"), 0);
        while ((rc = green_db_conn_copy_get(c, &data, &len)) == 1) {
                snprintf(line, sizeof line, "%d\trow %d\n", n, n);
                if (len != strlen(line) || memcmp(line, data, len) != 0)
                        break;
                n++;
                total += len;
        }
        CHECK_INT(rc, 0);
        CHECK_INT(n, 100000);
        CHECK(total > 1000000);
        CHECK_STR(ask(c, "select 1"), "1");
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
a_copy_can_fail(void)
{
        green_db_conn *c;
        const void *data;
        size_t len;
        int64_t rows = -1;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table t (a int primary key)");
        CHECK_INT(green_db_conn_copy_in(c, "copy t from stdin"), 0);
        CHECK_INT(green_db_conn_copy_put(c, "1\n2\n", 4), 0);
        CHECK_INT(green_db_conn_copy_end(c, "the user has changed his mind", &rows), 0);
        CHECK_INT(rows, 0);
        CHECK_INT(number(c, "select count(*) from t"), 0);
        CHECK_INT(green_db_conn_copy_in(c, "copy t from stdin"), 0);
        CHECK_INT(green_db_conn_copy_put(c, "1\nx\n", 4), 0);
        CHECK_INT(green_db_conn_copy_end(c, NULL, &rows), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "22P02");
        CHECK_INT(green_db_conn_copy_in(c, "copy t from stdin"), 0);
        CHECK_INT(green_db_conn_copy_put(c, "1\n1\n", 4), 0);
        CHECK_INT(green_db_conn_copy_end(c, NULL, NULL), GREEN_EDBCONSTRAINT);
        /* No such statement, or of the other direction. */
        CHECK_INT(green_db_conn_copy_in(c, "copy not_there from stdin"), GREEN_EDB);
        CHECK_INT(green_db_conn_copy_in(c, "select 1"), -EINVAL);
        CHECK_INT(green_db_conn_copy_in(c, "copy t from stdin; select 1"), GREEN_EDB);
        CHECK_INT(green_db_conn_copy_in(c, "copy t to stdout"), -EINVAL);
        CHECK_INT(green_db_conn_copy_out(c, "copy t from stdin"), -EINVAL);
        CHECK_INT(green_db_conn_copy_out(c, "copy (select 1/(3-i) from generate_series(1,10) i) to stdout"), 0);
        CHECK_INT(green_db_conn_copy_get(c, &data, &len), 1);
        CHECK_INT(green_db_conn_copy_get(c, &data, &len), 1);
        CHECK_INT(green_db_conn_copy_get(c, &data, &len), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "22012");
        CHECK_INT(green_db_conn_copy_out(c, "copy (select generate_series(1, 5)) to stdout"), 0);
        CHECK_INT(green_db_conn_copy_get(c, &data, &len), 1);
        CHECK_INT(green_db_conn_copy_end(c, NULL, &rows), 0);
        CHECK_INT(rows, 5);
        CHECK_INT(green_db_conn_copy_out(c, "copy (select generate_series(1, 50000000)) to stdout"), 0);
        CHECK_INT(green_db_conn_copy_get(c, &data, &len), 1);
        CHECK_INT(green_db_conn_copy_end(c, "enough", &rows), 0);
        CHECK_STR(ask(c, "select 1"), "1");
        CHECK_INT(green_db_conn_free(c), 0);
}

/* The server refuses before it reads the first row: there must not be more answers than are waited for. */
static void
a_copy_may_fail_before_its_first_row(void)
{
        green_db_conn *c;
        int64_t rows;

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create temporary table t (a int)");
        runs(c, "create function pg_temp.refuse() returns trigger language plpgsql as"
                " $$ begin raise exception 'not today'; end $$");
        runs(c, "create trigger refuse before insert on t for each statement execute function pg_temp.refuse()");
        for (int i = 0; i < 20; i++) {
                char sql[32];

                CHECK_INT(green_db_conn_copy_in(c, "copy t from stdin"), 0);
                if (i % 2 == 0)
                        green_sleep(0.001);
                CHECK_INT(green_db_conn_copy_put(c, "1\n2\n", 4), 0);
                CHECK_INT(green_db_conn_copy_end(c, NULL, &rows), GREEN_EDB);
                CHECK_STR(green_db_conn_error(c), "not today");
                snprintf(sql, sizeof sql, "select %d", i);
                CHECK_INT(number(c, sql), i);
        }
        CHECK_INT(green_db_conn_free(c), 0);
}

struct copier {
        green_db_pool *pool;
        bool in;
        int rc;
};

static void *
copy_for_good(void *arg)
{
        struct copier *p = arg;
        green_db_conn *c = got(p->pool);
        const void *data;
        size_t len;

        p->rc = p->in ? green_db_conn_copy_in(c, "copy copied from stdin")
                      : green_db_conn_copy_out(c, "copy (select generate_series(1, 1000000000)) to stdout");
        while (p->rc >= 0) {
                p->rc = p->in ? green_db_conn_copy_put(c, "12345678\n", 9) : green_db_conn_copy_get(c, &data, &len);
                if (p->rc >= 0 && green_sleep(0) != 0)
                        break;
        }
        CHECK_INT(green_db_pool_put(p->pool, c), 0);
        return NULL;
}

static void
a_copy_that_was_cut_is_ended_at_put(void)
{
        struct copier p = {.in = false};
        green_db_conn *c;

        if (!have_server())
                return;
        p.pool = pool_of(1);
        c = got(p.pool);
        runs(c, "create table copied (a int)");
        CHECK_INT(green_db_pool_put(p.pool, c), 0);
        for (int i = 0; i < 6; i++) {
                green_thread *gt;

                p.in = i % 2 == 0;
                gt = green_spawn(copy_for_good, &p);
                green_sleep(0.02);
                CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
                green_thread_unref(gt);
                c = got(p.pool);
                CHECK_STR(ask(c, "select count(*) from copied"), "0");
                CHECK_INT(green_db_pool_put(p.pool, c), 0);
        }
        CHECK_INT(info_of(p.pool).made, 1);
        c = got(p.pool);
        runs(c, "drop table copied");
        CHECK_INT(green_db_pool_put(p.pool, c), 0);
        CHECK_INT(green_db_pool_free(p.pool), 0);
}

/* ---- notifications */

struct listener {
        green_db_conn *c;
        struct green_db_notification note;
        char payload[32];
        int rc;
};

static void *
hear_one(void *arg)
{
        struct listener *l = arg;

        l->rc = green_db_conn_notification(l->c, &l->note, GREEN_FOREVER);
        if (l->rc == 0)
                snprintf(l->payload, sizeof l->payload, "%s", l->note.payload);
        return NULL;
}

static void
notifications_are_heard(void)
{
        struct listener l = {.rc = 1};
        struct green_db_notification n;
        green_db_conn *other;
        green_thread *gt;
        int64_t pid;

        if (!have_server())
                return;
        l.c = connect_one();
        other = connect_one();
        CHECK_INT(green_db_conn_thread_id(other, &pid), 0);
        runs(l.c, "listen news");
        CHECK_INT(green_db_conn_notification(l.c, &n, 0), -ETIMEDOUT);
        CHECK_INT(green_db_conn_notification(l.c, &n, 0.02), -ETIMEDOUT);
        gt = green_spawn(hear_one, &l);
        green_sleep(0.02);
        CHECK_INT(l.rc, 1);
        runs(other, "notify news, 'first'");
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(l.rc, 0);
        CHECK_STR(l.payload, "first");
        CHECK_STR(l.note.channel, "news");
        CHECK_INT(l.note.sender, pid);
        /* Those that came with other answers, in their order. */
        runs(other, "notify news, 'second'");
        runs(other, "notify news");
        CHECK_STR(ask(l.c, "select 1"), "1");
        CHECK_INT(green_db_conn_notification(l.c, &n, 0), 0);
        CHECK_STR(n.payload, "second");
        CHECK_INT(green_db_conn_notification(l.c, &n, 1), 0);
        CHECK_STR(n.payload, "");
        CHECK_INT(green_db_conn_notification(l.c, &n, 0), -ETIMEDOUT);
        CHECK_INT(green_db_conn_free(l.c), 0);
        CHECK_INT(green_db_conn_free(other), 0);
}

static void
who_is_killed_while_listening_leaves_the_connection_as_it_was(void)
{
        struct listener l = {.rc = 1};
        struct green_db_notification n;
        green_db_pool *p;
        green_db_conn *other;
        green_thread *gt;
        char sql[64];
        int64_t pid;

        if (!have_server())
                return;
        other = connect_one();
        p = pool_of(1);
        l.c = got(p);
        runs(l.c, "listen news");
        gt = green_spawn(hear_one, &l);
        green_sleep(0.02);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        CHECK_INT(l.rc, GREEN_EKILLED);
        runs(other, "notify news, 'later'");
        CHECK_INT(green_db_conn_notification(l.c, &n, 5), 0);
        CHECK_STR(n.payload, "later");
        /* It goes back while one is on its way. */
        runs(other, "notify news, 'unread'");
        CHECK_INT(green_db_pool_put(p, l.c), 0);
        green_sleep(0.005);
        l.c = got(p);
        CHECK_STR(ask(l.c, "select 3"), "3");
        CHECK_INT(info_of(p).made, 1);
        /* And the server ends it while somebody listens. */
        CHECK_INT(green_db_conn_thread_id(l.c, &pid), 0);
        CHECK_INT(green_db_conn_notification(l.c, &n, 0), 0);
        gt = green_spawn(hear_one, &l);
        snprintf(sql, sizeof sql, "select pg_terminate_backend(%d, 1000)", (int)pid);
        CHECK_STR(ask(other, sql), "1");
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(l.rc, GREEN_EDBLOST);
        CHECK_INT(green_db_pool_put(p, l.c), 0);
        CHECK_INT(info_of(p).lost, 1);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(green_db_conn_free(other), 0);
}

GREEN_SUITE(net_db_postgres_flow) {
        /* The first one waits for the server to come up. */
        GREEN_TEST(answers_come_in_the_order_of_the_statements, .limit = 120),
        GREEN_TEST(a_pipeline_can_follow_rows_that_were_read_as_they_came),
        GREEN_TEST(what_comes_behind_an_error_is_skipped),
        GREEN_TEST(large_pipelines_do_not_lock_up),
        GREEN_TEST(a_pipeline_that_was_cut_is_ended_at_put),
        GREEN_TEST(rows_are_copied_in_and_out),
        GREEN_TEST(a_copy_can_fail),
        GREEN_TEST(a_copy_may_fail_before_its_first_row),
        GREEN_TEST(a_copy_that_was_cut_is_ended_at_put),
        GREEN_TEST(notifications_are_heard),
        GREEN_TEST(who_is_killed_while_listening_leaves_the_connection_as_it_was),
        GREEN_SUITE_END
};
