/*
 * Pipelines, COPY and notifications, over a driver that is a mock: in place and in OS threads.
 */
#include "net_db.h"

#include <green/tpool.h>

static const enum green_db_pool_kind kinds[] = {GREEN_DB_POOL_RAW, GREEN_DB_POOL_TPOOLED};

#define EACH(function)                                                                                                 \
        static void function(void)                                                                                     \
        {                                                                                                              \
                for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {                                          \
                        green_db_pool *p;                                                                              \
                        green_db_conn *c;                                                                              \
                        struct scene s;                                                                                \
                                                                                                                       \
                        if (!begin_scene(&s, "db_mock_pipes"))                                                         \
                                return;                                                                                \
                        s.opts.kind = kinds[i];                                                                        \
                        p = new_pool(&s);                                                                              \
                        c = got(p);                                                                                    \
                        function##_with(&s, c);                                                                        \
                        CHECK_INT(green_db_pool_put(p, c), 0);                                                         \
                        CHECK_INT(info_of(p).lost, 0);                                                                 \
                        CHECK_INT(green_db_pool_free(p), 0);                                                           \
                        end_scene(&s);                                                                                 \
                }                                                                                                      \
        }

static int
put_in(green_db_conn *c, const char *sql)
{
        return green_db_conn_send(c, sql, GREEN_DB_NO_PARAMS);
}

/* The next answer must be this; of rows, that many. */
static void
answer(green_db_conn *c, int code, int rows)
{
        green_db_result *r = NULL;

        CHECK_INT(green_db_conn_pipeline_next(c, &r), code);
        if (code == 1) {
                CHECK_INT(green_db_result_rows(r), rows);
                green_db_result_free(r);
        }
}

/* ---- pipelines */

static void
answers_come_in_the_order_of_the_statements_with(struct scene *s, green_db_conn *c)
{
        green_db_stmt *st = NULL;

        CHECK_INT(green_db_conn_prepare(c, "rows 2", &st), 0);
        CHECK_INT(put_in(c, "rows 1"), -EINVAL); /* no pipeline */
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(green_db_conn_pipeline_begin(c), -EBUSY);
        CHECK_INT(run(c, "rows 1"), -EBUSY);
        CHECK(strstr(green_last_error()->message, "pipeline") != NULL);
        answer(c, 0, 0);
        CHECK_INT(green_db_stmt_send(st, GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(put_in(c, "rows 3"), 0);
        answer(c, 1, 2);
        CHECK_INT(put_in(c, "rows 4"), 0);
        answer(c, 1, 3);
        answer(c, 1, 4);
        answer(c, 0, 0);
        CHECK_INT(green_db_conn_pipeline_end(c), 0);
        CHECK_INT(green_db_conn_pipeline_end(c), -EINVAL);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(s->m.settles, 0);
}
EACH(answers_come_in_the_order_of_the_statements)

static void
after_one_that_fails_the_others_are_skipped_with(struct scene *s, green_db_conn *c)
{
        char sql[32];

        snprintf(sql, sizeof sql, "fail %d", GREEN_EDBCONSTRAINT);
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(put_in(c, "rows 1"), 0);
        CHECK_INT(put_in(c, sql), 0);
        CHECK_INT(put_in(c, "rows 1"), 0);
        answer(c, 1, 1);
        answer(c, GREEN_EDBCONSTRAINT, 0);
        answer(c, -ECANCELED, 0);
        answer(c, 0, 0);
        CHECK_INT(put_in(c, "rows 1"), 0);
        answer(c, 1, 1);
        /* What nobody asks for is thrown away. */
        CHECK_INT(put_in(c, sql), 0);
        CHECK_INT(put_in(c, "rows 1"), 0);
        CHECK_INT(green_db_conn_pipeline_end(c), 0);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(s->m.settles, 0);
}
EACH(after_one_that_fails_the_others_are_skipped)

static void
one_that_is_cut_short_is_settled_with(struct scene *s, green_db_conn *c)
{
        struct green_timeout t = {{0}};

        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(put_in(c, "rows 1"), 0);
        CHECK_INT(green_timeout_start(&t, 0.005), 0);
        CHECK_INT(put_in(c, "wait"), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_db_conn_pipeline_end(c), -EINVAL);
        CHECK_INT(s->m.settles, 1);
        CHECK_INT(run(c, "rows 1"), 0);
        /* One that is open when its connection is given back. */
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(put_in(c, "rows 1"), 0);
}
EACH(one_that_is_cut_short_is_settled)

/* ---- COPY */

static void
rows_are_copied_in_and_out_with(struct scene *s, green_db_conn *c)
{
        const void *data = NULL;
        int64_t rows = 0;
        size_t len = 0;

        CHECK_INT(green_db_conn_copy_in(c, "else"), GREEN_EDB);
        CHECK_INT(green_db_conn_copy_put(c, "x", 1), -EINVAL); /* no COPY */
        CHECK_INT(green_db_conn_copy_in(c, "copy"), 0);
        CHECK_INT(run(c, "rows 1"), -EBUSY);
        for (int i = 0; i < 5; i++)
                CHECK_INT(green_db_conn_copy_put(c, "line\n", 5), 0);
        CHECK_INT(green_db_conn_copy_get(c, &data, &len), -EINVAL);
        CHECK_INT(green_db_conn_copy_end(c, NULL, &rows), 0);
        CHECK_INT(rows, 5);
        CHECK_INT(green_db_conn_copy_in(c, "copy"), 0);
        CHECK_INT(green_db_conn_copy_put(c, "line\n", 5), 0);
        CHECK_INT(green_db_conn_copy_end(c, "no more", &rows), 0);
        CHECK_INT(rows, 0);
        CHECK_INT(green_db_conn_copy_out(c, "copy"), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_db_conn_copy_get(c, &data, &len), 1);
                CHECK_INT(len, 6);
        }
        CHECK_INT(green_db_conn_copy_put(c, "line\n", 5), -EINVAL);
        CHECK_INT(green_db_conn_copy_get(c, &data, &len), 0);
        CHECK_INT(green_db_conn_copy_get(c, &data, &len), -EINVAL);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(s->m.settles, 0);
        /* One that is open when its connection is given back. */
        CHECK_INT(green_db_conn_copy_out(c, "copy"), 0);
}
EACH(rows_are_copied_in_and_out)

static void
a_copy_that_is_cut_short_is_settled_with(struct scene *s, green_db_conn *c)
{
        struct green_timeout t = {{0}};

        CHECK_INT(green_db_conn_copy_in(c, "copy"), 0);
        CHECK_INT(green_timeout_start(&t, 0.005), 0);
        CHECK_INT(green_db_conn_copy_put(c, "wait", 4), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(s->m.settles, 1);
}
EACH(a_copy_that_is_cut_short_is_settled)

/* ---- notifications */

static void *
hear(void *arg)
{
        struct green_db_notification note;

        return green_fail(green_db_conn_notification(arg, &note, GREEN_FOREVER));
}

static void
a_notification_is_waited_for_with(struct scene *s, green_db_conn *c)
{
        struct green_db_notification note = {NULL, NULL, 0};
        struct green_timeout t = {{0}};
        green_thread *gt;

        CHECK_INT(green_db_conn_notification(c, &note, -1), -EINVAL);
        CHECK_INT(green_db_conn_notification(c, &note, 0), -ETIMEDOUT);
        CHECK_INT(green_db_conn_notification(c, &note, 0.005), -ETIMEDOUT);
        CHECK_INT(green_timeout_start(&t, 0.005), 0);
        CHECK_INT(green_db_conn_notification(c, &note, 5), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        s->m.notes = 1;
        CHECK_INT(green_db_conn_notification(c, &note, 0), 0);
        CHECK_STR(note.channel, "news");
        CHECK_INT(note.sender, 7);
        gt = green_spawn(hear, c);
        until_waiting(s, 1);
        CHECK_INT(run(c, "rows 1"), -EBUSY);
        green_kill(gt, 0);
        ended(gt, GREEN_EKILLED);
        CHECK_INT(run(c, "rows 1"), 0);
        open_gate(s);
        CHECK_INT(green_db_conn_notification(c, &note, 5), 0);
        CHECK_INT(s->m.settles, 0);
}
EACH(a_notification_is_waited_for)

GREEN_SUITE(net_db_pipe) {
        GREEN_TEST(answers_come_in_the_order_of_the_statements),
        GREEN_TEST(after_one_that_fails_the_others_are_skipped),
        GREEN_TEST(one_that_is_cut_short_is_settled),
        GREEN_TEST(rows_are_copied_in_and_out),
        GREEN_TEST(a_copy_that_is_cut_short_is_settled),
        GREEN_TEST(a_notification_is_waited_for),
        GREEN_SUITE_END
};
