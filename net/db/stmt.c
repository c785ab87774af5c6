/*
 * Prepared statements: a link keeps those that were used last, and finds them by their text.
 */
#include "db_priv.h"

#include <stdint.h>
#include <string.h>

enum { KEPT = 64 };

static uint64_t
hash_of(const char *text, size_t len)
{
        uint64_t h = 14695981039346656037u;

        for (size_t i = 0; i < len; i++)
                h = (h ^ (unsigned char)text[i]) * 1099511628211u;
        return h;
}

static void
unlink_stmt(green_db_link *l, green_db_stmt *s)
{
        *(s->prev != NULL ? &s->prev->next : &l->stmts) = s->next;
        *(s->next != NULL ? &s->next->prev : &l->last_stmt) = s->prev;
        l->n_stmts--;
}

static void
push_stmt(green_db_link *l, green_db_stmt *s)
{
        s->prev = NULL;
        s->next = l->stmts;
        *(l->stmts != NULL ? &l->stmts->prev : &l->last_stmt) = s;
        l->stmts = s;
        l->n_stmts++;
}

/* As the one that was used the longest time ago. */
static void
append_stmt(green_db_link *l, green_db_stmt *s)
{
        s->conn = NULL;
        s->next = NULL;
        s->prev = l->last_stmt;
        *(l->last_stmt != NULL ? &l->last_stmt->next : &l->stmts) = s;
        l->last_stmt = s;
        l->n_stmts++;
}

static green_db_stmt *
find(const green_db_link *l, uint64_t hash, const char *sql, size_t len)
{
        for (green_db_stmt *s = l->stmts; s != NULL; s = s->next)
                if (s->hash == hash && s->len == len && memcmp(s->sql, sql, len) == 0)
                        return s;
        return NULL;
}

struct preparing {
        green_db_stmt *stmt, *old;
};

static int
unprepare(green_db_link *l, void *arg)
{
        green_db_stmt *s = arg;

        if (!s->gone)
                l->target->driver->unprepare(l, l->db, s->prepared, true);
        s->gone = true;
        return 0;
}

/* It is off the list. Where the call that was to forget it was not made, it is kept. */
static void
free_or_keep(green_db_link *l, green_db_stmt *s)
{
        if (s != NULL && !s->gone)
                append_stmt(l, s);
        else
                green_free(s);
}

static int
prepare(green_db_link *l, void *arg)
{
        struct preparing *p = arg;
        int rc;

        if (p->old != NULL)
                (void)unprepare(l, p->old);
        rc = l->target->driver->prepare(l, l->db, p->stmt->sql, &p->stmt->prepared);
        if (rc == 0)
                p->stmt->gone = false;
        return rc;
}

int
green__db_stmt_ready(green_db_stmt *s)
{
        struct preparing p = {.stmt = s};

        return s->gone ? green__db_call(s->link, prepare, &p) : 0;
}

/* The one that was used the longest time ago and is nobody's, where there are as many as are kept. */
static green_db_stmt *
take_old(green_db_link *l)
{
        green_db_stmt *s = l->n_stmts >= KEPT ? l->last_stmt : NULL;

        while (s != NULL && s->conn != NULL)
                s = s->prev;
        if (s != NULL)
                unlink_stmt(l, s);
        return s;
}

static int
prepare_new(green_db_conn *c, const char *sql, size_t len, uint64_t hash, green_db_stmt **ret_stmt)
{
        green_db_link *l = c->link;
        green_db_stmt *s;
        struct preparing p;
        int rc;

        if (l->target->driver->prepare == NULL)
                return -ENOTSUP;
        s = green_calloc(1, sizeof *s + len + 1);
        if (s == NULL)
                return -ENOMEM;
        s->link = l;
        s->gone = true;
        s->hash = hash;
        s->len = len;
        memcpy(s->sql, sql, len + 1);
        p = (struct preparing){s, take_old(l)};
        rc = green__db_call(l, prepare, &p);
        free_or_keep(l, p.old);
        if (rc != 0) {
                green_free(s);
                return rc;
        }
        push_stmt(l, s);
        *ret_stmt = s;
        return 0;
}

int
green_db_conn_prepare(green_db_conn *conn, const char *sql, green_db_stmt **ret_stmt)
{
        green_db_stmt *s = NULL;
        uint64_t hash;
        size_t len;
        int rc;

        if (sql == NULL || ret_stmt == NULL)
                return green_set_error(-EINVAL, "green_db_conn_prepare: no statement, or no ret_stmt");
        rc = green__db_enter(conn, GREEN__DB_REST, "green_db_conn_prepare");
        if (rc != 0)
                return rc;
        len = strlen(sql);
        hash = hash_of(sql, len);
        s = find(conn->link, hash, sql, len);
        if (s != NULL) {
                unlink_stmt(conn->link, s);
                push_stmt(conn->link, s);
                s->conn = conn;
                rc = green__db_stmt_ready(s);
        } else {
                rc = prepare_new(conn, sql, len, hash, &s);
        }
        if (rc == 0) {
                s->conn = conn;
                *ret_stmt = s;
        }
        return green__db_leave(conn, rc);
}

int
green_db_stmt_free(green_db_stmt *stmt)
{
        green_db_conn *c;
        int rc;

        if (stmt == NULL)
                return 0;
        c = stmt->conn;
        if (c == NULL)
                return green_set_error(-EBADF, "green_db_stmt_free: the statement's connection was given back");
        rc = green__db_enter(c, GREEN__DB_REST, "green_db_stmt_free");
        if (rc != 0)
                return rc; /* it is kept, as one that nobody has freed */
        unlink_stmt(c->link, stmt);
        rc = green__db_call(c->link, unprepare, stmt);
        free_or_keep(c->link, stmt);
        return green__db_leave(c, rc);
}

void
green__db_stmts_release(green_db_link *l)
{
        /* Those of this user stand before all others. */
        for (green_db_stmt *s = l->stmts; s != NULL && s->conn != NULL; s = s->next)
                s->conn = NULL;
}

void
green__db_stmts_forget(green_db_link *l)
{
        green_db_stmt *s = l->stmts;

        while (s != NULL) {
                green_db_stmt *next = s->next;

                if (!s->gone)
                        l->target->driver->unprepare(l, l->db, s->prepared, false);
                s->gone = true;
                if (s->conn == NULL) {
                        unlink_stmt(l, s);
                        green_free(s);
                }
                s = next;
        }
}
