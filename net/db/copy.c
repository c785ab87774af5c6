/*
 * COPY, and notifications.
 */
#include "db_priv.h"

struct copy {
        const char *text; /* the statement; or why it ends */
        const void *data;
        size_t len;
        int64_t rows;
        bool in;
};

static int
begin(green_db_link *l, void *arg)
{
        const struct copy *c = arg;

        return l->target->driver->copy_begin(l, l->db, c->text, c->in);
}

static int
put(green_db_link *l, void *arg)
{
        const struct copy *c = arg;

        return l->target->driver->copy_put(l, l->db, c->data, c->len);
}

static int
get(green_db_link *l, void *arg)
{
        struct copy *c = arg;

        return l->target->driver->copy_get(l, l->db, &c->data, &c->len);
}

static int
end(green_db_link *l, void *arg)
{
        struct copy *c = arg;

        return l->target->driver->copy_end(l, l->db, c->text, &c->rows);
}

static int
copy_begin(green_db_conn *conn, const char *sql, bool in, const char *what)
{
        struct copy c = {.text = sql, .in = in};
        int rc;

        if (sql == NULL)
                return green_set_error(-EINVAL, "%s: no statement", what);
        rc = green__db_enter(conn, GREEN__DB_REST, what);
        if (rc != 0)
                return rc;
        rc = conn->link->target->driver->copy_begin != NULL ? green__db_call(conn->link, begin, &c) : -ENOTSUP;
        if (rc == 0) {
                conn->link->state = GREEN__DB_COPY;
                conn->link->copies_in = in;
        }
        return green__db_leave(conn, rc);
}

int
green_db_conn_copy_in(green_db_conn *conn, const char *sql)
{
        return copy_begin(conn, sql, true, "green_db_conn_copy_in");
}

int
green_db_conn_copy_out(green_db_conn *conn, const char *sql)
{
        return copy_begin(conn, sql, false, "green_db_conn_copy_out");
}

static int
enter_copy(green_db_conn *conn, bool in, const char *what)
{
        int rc = green__db_enter(conn, GREEN__DB_COPY, what);

        if (rc == 0 && conn->link->copies_in != in)
                rc = green__db_leave(conn, -EINVAL);
        return rc;
}

int
green_db_conn_copy_put(green_db_conn *conn, const void *data, size_t len)
{
        struct copy c = {.data = data, .len = len};
        int rc;

        if (data == NULL && len > 0)
                return green_set_error(-EINVAL, "green_db_conn_copy_put: no data");
        rc = enter_copy(conn, true, "green_db_conn_copy_put");
        return rc == 0 ? green__db_leave(conn, green__db_call(conn->link, put, &c)) : rc;
}

int
green_db_conn_copy_get(green_db_conn *conn, const void **ret_data, size_t *ret_len)
{
        struct copy c = {.len = 0};
        int rc;

        if (ret_data == NULL || ret_len == NULL)
                return green_set_error(-EINVAL, "green_db_conn_copy_get: no ret_data, or no ret_len");
        rc = enter_copy(conn, false, "green_db_conn_copy_get");
        if (rc != 0)
                return rc;
        rc = green__db_call(conn->link, get, &c);
        if (rc == 1) {
                *ret_data = c.data;
                *ret_len = c.len;
        } else {
                conn->link->state = GREEN__DB_REST;
        }
        return green__db_leave(conn, rc);
}

int
green_db_conn_copy_end(green_db_conn *conn, const char *error, int64_t *ret_rows)
{
        struct copy c = {.text = error};
        int rc = green__db_enter(conn, GREEN__DB_COPY, "green_db_conn_copy_end");

        if (rc != 0)
                return rc;
        rc = green__db_call(conn->link, end, &c);
        conn->link->state = GREEN__DB_REST;
        if (rc == 0 && ret_rows != NULL)
                *ret_rows = c.rows;
        return green__db_leave(conn, rc);
}

/* ---- notifications */

struct hearing {
        struct green_db_notification note;
        bool at_once;
};

static int
hear(green_db_link *l, void *arg)
{
        struct hearing *h = arg;

        return l->target->driver->notification(l, l->db, &h->note, h->at_once);
}

static int
hear_for(green_db_link *l, struct hearing *h, double timeout)
{
        struct green_timeout limit = {{0}};
        int rc;

        if (h->at_once)
                return green__db_call(l, hear, h);
        rc = green_timeout_start(&limit, timeout);
        if (rc != 0)
                return rc;
        rc = green__db_call(l, hear, h);
        /* Its own limit is not a scope's; where an outer one has fired as well, that decides. */
        if (green_timeout_cancel(&limit) == 1 && rc != 0)
                rc = -ETIMEDOUT;
        return rc;
}

int
green_db_conn_notification(green_db_conn *conn, struct green_db_notification *ret, double timeout)
{
        struct hearing h = {.at_once = timeout == 0};
        int rc;

        if (ret == NULL || !(timeout >= 0))
                return green_set_error(-EINVAL, "green_db_conn_notification: no ret, or no time");
        rc = green__db_enter(conn, GREEN__DB_REST, "green_db_conn_notification");
        if (rc != 0)
                return rc;
        if (conn->link->target->driver->notification == NULL)
                return green__db_leave(conn, -ENOTSUP);
        rc = hear_for(conn->link, &h, timeout);
        if (rc == -EAGAIN)
                rc = -ETIMEDOUT;
        conn->link->cut = false;
        if (rc == 0)
                *ret = h.note;
        return green__db_leave(conn, rc);
}
