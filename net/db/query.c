/*
 * Statements: run at once, or read as they come.
 */
#include "db_priv.h"

int
green__db_run(green_db_link *l, void *arg)
{
        const struct green_db_driver *d = l->target->driver;
        struct green__db_run *run = arg;

        if (!l->autocommit && !d->in_transaction(l->db)) {
                struct green_db_command begin = {.kind = GREEN_DB_CMD_BEGIN};
                int rc = d->command(l, l->db, &begin);

                if (rc != 0)
                        return rc;
        }
        return d->query(l, l->db, &run->st, &run->batch);
}

static int
check(const char *sql, const struct green_db_value *values, size_t n, const char *what)
{
        if (sql == NULL || (values == NULL && n > 0))
                return green_set_error(-EINVAL, "%s: no statement, or no parameters where there are some", what);
        return 0;
}

/* The statement, and its first rows. */
static int
run(green_db_link *l, struct green__db_run *run)
{
        int rc = green__db_call(l, green__db_run, run);

        if (rc != 0) {
                green__db_batch_free(&run->batch);
                return rc;
        }
        if (run->batch.more)
                l->state = GREEN__DB_ROWS;
        else
                green__db_done(l, &run->batch);
        return 0;
}

/* Between enter and leave. */
static int
execute(green_db_link *l, struct green__db_run *r, green_db_result **ret_result)
{
        green_db_result *result = green__db_result_new();
        int rc = result != NULL ? run(l, r) : -ENOMEM;

        if (rc == 0) {
                green__db_result_begin(result, &r->batch);
                rc = green__db_result_whole(result, l);
        }
        if (rc == 0 && ret_result != NULL)
                *ret_result = result;
        else
                green_db_result_free(result);
        return rc;
}

/* The link owes rows to the result. */
static void
attach(green_db_link *l, green_db_result *result)
{
        if (l->state != GREEN__DB_ROWS)
                return;
        result->link = l;
        l->rows = result;
}

static int
open_cursor(green_db_link *l, struct green__db_run *r, green_db_result **ret_result)
{
        green_db_result *result = green__db_result_new();
        int rc;

        if (result == NULL)
                return -ENOMEM;
        r->st.stream = true;
        rc = run(l, r);
        if (rc != 0) {
                green_db_result_free(result);
                return rc;
        }
        result->streamed = true;
        green__db_result_begin(result, &r->batch);
        attach(l, result);
        *ret_result = result;
        return 0;
}

int
green_db_conn_execute(green_db_conn *conn, const char *sql, const struct green_db_value *values, size_t n,
                      green_db_result **ret_result)
{
        struct green__db_run r = {.st = {.sql = sql, .values = values, .n = n}};
        int rc = check(sql, values, n, "green_db_conn_execute");

        if (rc == 0)
                rc = green__db_enter(conn, GREEN__DB_REST, "green_db_conn_execute");
        if (rc != 0)
                return rc;
        return green__db_leave(conn, execute(conn->link, &r, ret_result));
}

int
green_db_conn_cursor(green_db_conn *conn, const char *sql, const struct green_db_value *values, size_t n,
                     green_db_result **ret_result)
{
        struct green__db_run r = {.st = {.sql = sql, .values = values, .n = n}};
        int rc = check(sql, values, n, "green_db_conn_cursor");

        if (rc == 0 && ret_result == NULL)
                rc = green_set_error(-EINVAL, "green_db_conn_cursor: no ret_result");
        if (rc == 0)
                rc = green__db_enter(conn, GREEN__DB_REST, "green_db_conn_cursor");
        if (rc != 0)
                return rc;
        return green__db_leave(conn, open_cursor(conn->link, &r, ret_result));
}

/* ---- of prepared statements */

static int
enter_stmt(green_db_stmt *stmt, const struct green_db_value *values, size_t n, enum green__db_state state,
           const char *what)
{
        int rc;

        if (stmt == NULL || (values == NULL && n > 0))
                return green_set_error(-EINVAL, "%s: no statement, or no parameters where there are some", what);
        if (stmt->conn == NULL)
                return green_set_error(-EBADF, "%s: the statement's connection was given back", what);
        rc = green__db_enter(stmt->conn, state, what);
        if (rc != 0 || !stmt->gone)
                return rc;
        if (state == GREEN__DB_REST)
                rc = green__db_stmt_ready(stmt);
        else
                rc = -EINVAL; /* in a pipeline nothing is prepared */
        return rc != 0 ? green__db_leave(stmt->conn, rc) : 0;
}

int
green_db_stmt_execute(green_db_stmt *stmt, const struct green_db_value *values, size_t n, green_db_result **ret_result)
{
        int rc = enter_stmt(stmt, values, n, GREEN__DB_REST, "green_db_stmt_execute");

        if (rc == 0) {
                struct green__db_run r = {.st = {.prepared = stmt->prepared, .values = values, .n = n}};
                green_db_conn *c = stmt->conn;

                rc = green__db_leave(c, execute(c->link, &r, ret_result));
        }
        return rc;
}

int
green_db_stmt_cursor(green_db_stmt *stmt, const struct green_db_value *values, size_t n, green_db_result **ret_result)
{
        int rc;

        if (ret_result == NULL)
                return green_set_error(-EINVAL, "green_db_stmt_cursor: no ret_result");
        rc = enter_stmt(stmt, values, n, GREEN__DB_REST, "green_db_stmt_cursor");
        if (rc == 0) {
                struct green__db_run r = {.st = {.prepared = stmt->prepared, .values = values, .n = n}};
                green_db_conn *c = stmt->conn;

                rc = green__db_leave(c, open_cursor(c->link, &r, ret_result));
        }
        return rc;
}

/* ---- query, then store or use */

int
green_db_conn_query(green_db_conn *conn, const char *sql, const struct green_db_value *values, size_t n)
{
        struct green__db_run r = {.st = {.sql = sql, .values = values, .n = n}};
        green_db_result *result;
        int rc = check(sql, values, n, "green_db_conn_query");

        if (rc == 0)
                rc = green__db_enter(conn, GREEN__DB_REST, "green_db_conn_query");
        if (rc != 0)
                return rc;
        rc = open_cursor(conn->link, &r, &result);
        if (rc == 0) {
                conn->link->rows = result;
                conn->link->pending = true;
                result->link = conn->link;
        }
        return green__db_leave(conn, rc);
}

static int
no_query(const char *what)
{
        return green_set_error(-ENODATA, "%s: there was no green_db_conn_query() before", what);
}

int
green_db_conn_store_result(green_db_conn *conn, green_db_result **ret_result)
{
        green_db_result *r;
        green_db_link *l;
        int rc = green__db_look(conn, "green_db_conn_store_result");

        if (rc == 0 && ret_result == NULL)
                rc = green_set_error(-EINVAL, "green_db_conn_store_result: no ret_result");
        if (rc != 0)
                return rc;
        l = conn->link;
        if (!l->pending)
                return no_query("green_db_conn_store_result");
        r = l->rows;
        if (r->first.batch.more) {
                rc = green__db_enter(conn, GREEN__DB_ROWS, "green_db_conn_store_result");
                if (rc != 0)
                        return rc;
                r->rows = r->first.batch.rows;
                rc = green__db_result_whole(r, l);
                if (rc != 0)
                        green__db_rows_drop(l, rc);
                rc = green__db_leave(conn, rc);
                if (rc != 0)
                        return rc;
        } else {
                r->rows = r->first.batch.rows;
        }
        r->streamed = false;
        l->pending = false;
        green__db_rows_drop(l, 0);
        *ret_result = r;
        return 0;
}

int
green_db_conn_use_result(green_db_conn *conn, green_db_result **ret_result)
{
        green_db_link *l;
        int rc = green__db_look(conn, "green_db_conn_use_result");

        if (rc == 0 && ret_result == NULL)
                rc = green_set_error(-EINVAL, "green_db_conn_use_result: no ret_result");
        if (rc != 0)
                return rc;
        l = conn->link;
        if (!l->pending)
                return no_query("green_db_conn_use_result");
        *ret_result = l->rows;
        l->pending = false;
        if (l->state != GREEN__DB_ROWS)
                green__db_rows_drop(l, 0);
        return 0;
}

/* ---- pipelines */

static int
pipeline_begin(green_db_link *l, void *arg)
{
        (void)arg;
        return l->target->driver->pipeline_begin(l, l->db);
}

int
green_db_conn_pipeline_begin(green_db_conn *conn)
{
        int rc = green__db_enter(conn, GREEN__DB_REST, "green_db_conn_pipeline_begin");

        if (rc != 0)
                return rc;
        if (conn->link->target->driver->pipeline_begin == NULL)
                rc = -ENOTSUP;
        else
                rc = green__db_call(conn->link, pipeline_begin, NULL);
        if (rc == 0)
                conn->link->state = GREEN__DB_PIPELINE;
        return green__db_leave(conn, rc);
}

static int
send(green_db_link *l, void *arg)
{
        const struct green_db_statement *st = arg;

        return l->target->driver->send(l, l->db, st);
}

int
green_db_stmt_send(green_db_stmt *stmt, const struct green_db_value *values, size_t n)
{
        int rc = enter_stmt(stmt, values, n, GREEN__DB_PIPELINE, "green_db_stmt_send");

        if (rc == 0) {
                struct green_db_statement st = {.prepared = stmt->prepared, .values = values, .n = n};
                green_db_conn *c = stmt->conn;

                rc = green__db_leave(c, green__db_call(c->link, send, &st));
        }
        return rc;
}

int
green_db_conn_send(green_db_conn *conn, const char *sql, const struct green_db_value *values, size_t n)
{
        struct green_db_statement st = {.sql = sql, .values = values, .n = n};
        int rc = check(sql, values, n, "green_db_conn_send");

        if (rc == 0)
                rc = green__db_enter(conn, GREEN__DB_PIPELINE, "green_db_conn_send");
        return rc == 0 ? green__db_leave(conn, green__db_call(conn->link, send, &st)) : rc;
}

static int
receive(green_db_link *l, void *arg)
{
        struct green_db_batch *b = arg;

        return l->target->driver->receive(l, l->db, b);
}

int
green_db_conn_pipeline_next(green_db_conn *conn, green_db_result **ret_result)
{
        struct green_db_batch batch = {.columns = 0};
        green_db_result *r;
        int rc;

        if (ret_result == NULL)
                return green_set_error(-EINVAL, "green_db_conn_pipeline_next: no ret_result");
        rc = green__db_enter(conn, GREEN__DB_PIPELINE, "green_db_conn_pipeline_next");
        if (rc != 0)
                return rc;
        r = green__db_result_new();
        if (r == NULL)
                return green__db_leave(conn, -ENOMEM);
        rc = green__db_call(conn->link, receive, &batch);
        if (rc == 1) {
                green__db_done(conn->link, &batch);
                green__db_result_begin(r, &batch);
                *ret_result = r;
        } else {
                green__db_batch_free(&batch);
                green_db_result_free(r);
        }
        return green__db_leave(conn, rc);
}

static int
pipeline_end(green_db_link *l, void *arg)
{
        const struct green_db_driver *d = l->target->driver;
        int rc;

        (void)arg;
        do {
                struct green_db_batch batch = {.columns = 0};

                rc = d->receive(l, l->db, &batch);
                green__db_batch_free(&batch);
        } while (rc != 0 && rc != GREEN_EDBLOST && rc != -ENOMEM && !l->cut);
        return rc == 0 ? d->pipeline_end(l, l->db) : rc;
}

int
green_db_conn_pipeline_end(green_db_conn *conn)
{
        int rc = green__db_enter(conn, GREEN__DB_PIPELINE, "green_db_conn_pipeline_end");

        if (rc != 0)
                return rc;
        rc = green__db_call(conn->link, pipeline_end, NULL);
        if (rc == 0)
                conn->link->state = GREEN__DB_REST;
        return green__db_leave(conn, rc);
}
