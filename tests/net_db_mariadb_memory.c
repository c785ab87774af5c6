/*
 * The MariaDB driver when memory runs out: at the first allocation of green-net, the second, and so on, until there is enough.
 */
#include "net_mariadb.h"

/* What is done with so many allocations: 0, or the code of what failed first. The connection goes on after that. */
typedef int (*scenario)(green_db_conn *c);

static int
text_form(green_db_conn *c)
{
        green_db_result *r = NULL;
        int rc = green_db_conn_execute(c, "select seq, 'some text', x'00ff', 1.5 from seq_1_to_200", GREEN_DB_NO_PARAMS, &r);

        if (rc == 0)
                CHECK_INT(green_db_result_rows(r), 200);
        green_db_result_free(r);
        return rc;
}

static int
binary_form(green_db_conn *c)
{
        green_db_result *r = NULL;
        int rc = green_db_conn_execute(c, "select seq, ?, ? from seq_1_to_200",
                                       GREEN_DB_PARAMS(green_db_text("some text"), green_db_double(1.5)), &r);

        if (rc == 0)
                CHECK_INT(green_db_result_rows(r), 200);
        green_db_result_free(r);
        return rc;
}

static int
prepared(green_db_conn *c)
{
        green_db_stmt *stmt = NULL;
        int rc = green_db_conn_prepare(c, "select ? + 1", &stmt);

        if (rc == 0)
                rc = green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(1)), NULL);
        (void)green_db_stmt_free(stmt);
        return rc;
}

static int
read_as_they_come(green_db_conn *c)
{
        green_db_result *r = NULL;
        int rc = green_db_conn_cursor(c, "select seq from seq_1_to_1000", GREEN_DB_NO_PARAMS, &r);

        if (rc == 0) {
                for (int i = 0; i < 150 && (rc = green_db_result_next(r)) == 1; i++)
                        ;
                rc = rc > 0 ? 0 : rc;
        }
        green_db_result_free(r);
        return rc;
}

static int
cut_short(green_db_conn *c)
{
        struct green_timeout limit = {{0}};
        int rc = green_timeout_start(&limit, 0.01);

        if (rc != 0)
                return rc;
        rc = green_db_conn_execute(c, "select sleep(10)", GREEN_DB_NO_PARAMS, NULL);
        (void)green_timeout_cancel(&limit);
        if (!green_is_timeout(rc))
                return rc;
        return green_db_conn_execute(c, "do 0", GREEN_DB_NO_PARAMS, NULL);
}

static int
commands(green_db_conn *c)
{
        char text[64];
        int rc = green_db_conn_begin(c);

        if (rc == 0)
                rc = green_db_conn_rollback(c);
        if (rc == 0)
                rc = green_db_conn_select_db(c, "information_schema");
        if (rc == 0)
                rc = green_db_conn_set_sql_mode(c, "ANSI");
        if (rc == 0)
                rc = green_db_conn_change_user(c, "root", NULL, "mysql");
        if (rc == 0)
                rc = green_db_conn_string_literal(c, "it's", text, sizeof text);
        return rc < 0 ? rc : green_db_conn_literal(c, green_db_blob("a", 1), text, sizeof text);
}

/* Each time a connection more, since one that memory was short on may be lost. */
static void
walk(scenario fn, bool lost_is_fine)
{
        green_db_pool *p = new_pool(1);
        int n, rc = -1;

        for (n = 0; n < 2000 && rc < 0; n++) {
                green_db_conn *c = got(p);

                memory_left = n;
                rc = fn(c);
                memory_left = -1;
                if (rc < 0 && rc != -ENOMEM && !(lost_is_fine && rc == GREEN_EDBLOST))
                        FAIL("with %d allocations: %d, %s", n, rc, green_last_error()->message);
                CHECK_INT(green_db_pool_put(p, c), 0);
                c = got(p);
                CHECK_INT(number_of(c, "select 40 + 2"), 42);
                CHECK_INT(green_db_pool_put(p, c), 0);
        }
        CHECK(n > 1 && rc >= 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
statements_fail_alone_where_memory_runs_out(void)
{
        NEED_SERVER();
        walk(text_form, false);
        walk(binary_form, false);
        walk(prepared, false);
        walk(read_as_they_come, true);
        walk(commands, false);
}

static void
what_was_cut_is_settled_or_closed_where_memory_runs_out(void)
{
        NEED_SERVER();
        walk(cut_short, true);
}

static void
nothing_is_left_of_a_connection_that_memory_was_short_for(void)
{
        static const char *const options[] = {"tls=1", "ssl_verify_server_cert=0", "init_command=do 0", NULL};
        struct green_db_params p;
        int n, rc = -1;

        NEED_SERVER();
        for (int way = 0; way < 3; way++) {
                p = way == 0 ? by_socket() : by_port();
                p.host = way == 2 ? "localhost" : p.host;
                p.options = way == 2 ? options : NULL;
                rc = -1;
                for (n = 0; n < 2000 && rc < 0; n++) {
                        green_db_conn *c = NULL;

                        memory_left = n;
                        rc = green_db_connect("mariadb", &p, 20, &c);
                        memory_left = -1;
                        if (rc == 0)
                                CHECK_INT(number_of(c, "select 40 + 2"), 42);
                        else if (rc != -ENOMEM)
                                FAIL("with %d allocations: %d, %s", n, rc, green_last_error()->message);
                        CHECK_INT(green_db_conn_free(c), 0);
                        green_dns_clear();
                }
                CHECK(n > 1 && rc == 0);
        }
}

GREEN_SUITE(net_db_mariadb_memory) {
        GREEN_TEST(statements_fail_alone_where_memory_runs_out, .limit = 120),
        GREEN_TEST(what_was_cut_is_settled_or_closed_where_memory_runs_out, .limit = 120),
        GREEN_TEST(nothing_is_left_of_a_connection_that_memory_was_short_for, .limit = 120),
        GREEN_SUITE_END
};
