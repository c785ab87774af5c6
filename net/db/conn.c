/*
 * What users hold of a connection: opened, closed, and how each call on it begins and ends.
 */
#include "db_priv.h"

#include <stdio.h>
#include <string.h>

#include "../sock_sys.h"

/* ---- handles */

green_db_conn *
green__db_conn_new(void)
{
        green_db_conn *c = green_calloc(1, sizeof *c);

        if (c == NULL)
                green_set_error(-ENOMEM, NULL);
        return c;
}

void
green__db_conn_bind(green_db_conn *c, green_db_link *l, green_db_pool *p)
{
        c->link = l;
        c->pool = p;
        c->hub = green_hub_ident();
        c->busy = c->held = false;
        c->errorhandler = NULL;
        l->conn = c;
}

green_db_link *
green__db_conn_unbind(green_db_conn *c)
{
        green_db_link *l = c->link;

        green__db_stmts_release(l);
        c->link = NULL;
        l->conn = NULL;
        return l;
}

/* ---- how calls begin and end */

static int
refuse(const green_db_conn *c, const char *what)
{
        if (c == NULL)
                return green_set_error(-EINVAL, "%s: no connection", what);
        return green_set_error(-EBADF, "%s: the connection was closed, or given back", what);
}

int
green__db_look(const green_db_conn *c, const char *what)
{
        int rc;

        if (c == NULL || c->link == NULL)
                return refuse(c, what);
        rc = green_hub_check(c->hub, "a database connection");
        if (rc == 0 && c->busy)
                return green_set_error(-EBUSY, "%s: another green thread is in a call on this connection", what);
        return rc;
}

static const char *
busy_with(const green_db_link *l)
{
        switch (l->state) {
        case GREEN__DB_ROWS: return "it has a result that was not read to its end";
        case GREEN__DB_PIPELINE: return "a pipeline is open on it";
        case GREEN__DB_COPY: return "a COPY is going on";
        case GREEN__DB_REST: break;
        }
        return "no such thing is going on on it";
}

/* At rest, or in the state that the call is for; what was cut short, and what nobody has asked for, ends here. */
static int
come_to(green_db_link *l, enum green__db_state state, const char *what)
{
        if (l->lost || l->forks != green__sys_forks) {
                l->lost = true;
                return green_set_error(GREEN_EDBLOST, "%s: the connection is lost", what);
        }
        /* What green_db_conn_store_result() goes on with is not thrown away. */
        if (l->cut || (l->pending && state != GREEN__DB_ROWS)) {
                int rc = green__db_settle(l);

                if (rc != 0)
                        return rc;
        }
        if (l->state != state)
                return green_set_error(state == GREEN__DB_REST ? -EBUSY : -EINVAL, "%s: %s", what, busy_with(l));
        return 0;
}

int
green__db_enter(green_db_conn *c, enum green__db_state state, const char *what)
{
        green_thread *self;
        int rc;

        if (c == NULL || c->link == NULL)
                return refuse(c, what);
        rc = green_park_check(c->hub, "a database connection", GREEN_FOREVER, &self);
        if (rc != 0)
                return rc;
        if (c->busy)
                return green_set_error(-EBUSY, "%s: another green thread is in a call on this connection", what);
        if (self == NULL)
                return green_set_error(-EDEADLK, "%s would have to wait, in a hub callback", what);
        c->busy = true;
        rc = come_to(c->link, state, what);
        if (rc != 0)
                c->busy = false;
        return rc;
}

int
green__db_leave(green_db_conn *c, int rc)
{
        c->busy = false;
        return rc < 0 ? green__db_told(c->link, rc) : rc;
}

/* ---- without a pool */

int
green_db_connect(const char *driver, const struct green_db_params *params, double timeout, green_db_conn **ret_conn)
{
        const struct green_db_driver *d;
        struct green__db_target *t;
        int rc;

        if (driver == NULL || ret_conn == NULL || !(timeout >= 0))
                return green_set_error(-EINVAL, "green_db_connect: no driver, no ret_conn, or no time");
        d = green__db_driver_get(driver);
        if (d == NULL)
                return green_last_error()->code;
        t = green__db_target_new(d, params, NULL, GREEN_DB_POOL_AUTO);
        if (t == NULL)
                return green_last_error()->code;
        t->connect_timeout = timeout;
        rc = green__db_make(t, ret_conn, NULL);
        green__db_target_unref(t);
        return rc;
}

/* on_connect, by the connection's handle. */
static int
hook(green_db_link *l, green_db_conn *c)
{
        struct green__db_target *t = l->target;
        int rc;

        green__db_conn_bind(c, l, NULL);
        if (t->on_connect == NULL)
                return 0;
        l->hooked = true;
        c->held = true;
        rc = t->on_connect(c, t->arg);
        c->held = false;
        return rc < 0 ? rc : green__db_settle(l);
}

static int
make(struct green__db_target *t, green_db_conn *c)
{
        green_db_link *l = green__db_link_new(t);
        int rc;

        if (l == NULL)
                return -ENOMEM;
        rc = green__db_link_connect(&l);
        if (rc == 0)
                rc = hook(l, c);
        if (rc == 0)
                return 0;
        if (l != NULL) {
                if (c->link != NULL)
                        (void)green__db_conn_unbind(c);
                green__db_link_free(l);
        }
        return rc;
}

int
green__db_make(struct green__db_target *t, green_db_conn **ret_conn, green_db_pool *p)
{
        const struct green_timeout_opts opts = {.size = sizeof opts, .code = GREEN_ECONNECTTIMEOUT};
        struct green_timeout limit = {{0}};
        green_db_conn *c = *ret_conn;
        bool own = p == NULL;
        int rc;

        if (own && (c = green__db_conn_new()) == NULL)
                return -ENOMEM;
        rc = green_timeout_start_opts(&limit, t->connect_timeout, &opts);
        if (rc == 0) {
                rc = make(t, c);
                (void)green_timeout_cancel(&limit);
        }
        if (rc == 0) {
                c->pool = p;
                *ret_conn = c;
        } else if (own) {
                green_free(c);
        }
        return rc;
}

int
green_db_conn_close(green_db_conn *conn)
{
        int rc;

        if (conn == NULL)
                return green_set_error(-EINVAL, "green_db_conn_close: no connection");
        if (conn->link == NULL)
                return 0;
        rc = green__db_look(conn, "green_db_conn_close");
        if (rc == 0 && conn->held)
                rc = green_set_error(-EBUSY, "green_db_conn_close: the connection is being made, or given back");
        if (rc != 0)
                return rc;
        if (conn->pool != NULL) {
                green_db_pool *p = conn->pool;

                rc = green__db_pool_back(p, conn, NULL, NULL, true);
                green__db_pool_maybe_release(p);
                return rc;
        }
        green__db_link_free(green__db_conn_unbind(conn));
        return 0;
}

int
green_db_conn_free(green_db_conn *conn)
{
        int rc;

        if (conn == NULL)
                return 0;
        rc = green_db_conn_close(conn);
        if (conn->link != NULL)
                return rc;
        green_free(conn);
        return rc;
}

/* ---- questions */

bool
green_db_conn_is_open(const green_db_conn *conn)
{
        return conn != NULL && conn->link != NULL;
}

int
green_db_conn_format(const green_db_conn *conn, char *text, size_t len)
{
        const struct green_db_params *p;
        char port[16] = "";

        if (conn == NULL)
                return refuse(NULL, "green_db_conn_format");
        if (conn->link == NULL)
                return snprintf(text, len, "closed");
        p = &conn->link->target->params;
        if (p->port != 0)
                snprintf(port, sizeof port, ":%u", p->port);
        return snprintf(text, len, "%s%s%s%s%s%s%s%s, %s", conn->link->target->driver->name,
                        p->user || p->host || p->database ? " " : "", p->user ? p->user : "", p->user ? "@" : "",
                        p->host ? p->host : "", port, p->host && p->database ? "/" : "", p->database ? p->database : "",
                        conn->link->lost ? "lost" : "open");
}

int
green_db_conn_set_data(green_db_conn *conn, void *data)
{
        if (conn == NULL || conn->link == NULL)
                return refuse(conn, "green_db_conn_set_data");
        conn->link->data = data;
        return 0;
}

void *
green_db_conn_data(const green_db_conn *conn)
{
        return conn != NULL && conn->link != NULL ? conn->link->data : NULL;
}
