/*
 * The driver for PostgreSQL: COPY, and notifications.
 */
#include "postgres_priv.h"

#include <stdlib.h>

enum { PIECE = 32 * 1024 };

/* ---- COPY */

static int
no_copy(green_db_link *link, struct pg_db *db, bool in)
{
        int rc = green__pg_settle(link, db);

        return rc != 0 ? rc
                       : green__pg_tell(link, -EINVAL, "0A000",
                                        in ? "it is no \"copy ... from stdin\"" : "it is no \"copy ... to stdout\"");
}

/*
 * COPY goes by the simple protocol. With the extended one a sync stands behind the statement and another one behind the
 * rows, and how many answers there are to them depends on how far the server was when the COPY failed. But with that
 * the server takes one statement only, so it is asked first what it thinks of it, if there may be more than one.
 */
static int
send_copy(green_db_link *link, struct pg_db *db, const char *sql)
{
        int rc = 0;

        if (strchr(sql, ';') != NULL) {
                if (!PQsendPrepare(db->conn, "", sql, 0, NULL))
                        return green__pg_broken(link, db);
                rc = green__pg_flush(link, db);
                if (rc == 0)
                        rc = green__pg_finish(link, db, NULL);
        }
        if (rc != 0)
                return rc;
        if (!PQsendQuery(db->conn, sql))
                return green__pg_broken(link, db);
        return green__pg_flush(link, db);
}

int
green__pg_copy_begin(green_db_link *link, void *vdb, const char *sql, bool in)
{
        struct pg_db *db = vdb;
        PGresult *r;
        int rc;

        green__pg_begin(db);
        rc = send_copy(link, db, sql);
        if (rc == 0)
                rc = green__pg_result(link, db, &r);
        if (rc != 0)
                return rc;
        if (green__pg_is_error(r))
                rc = green__pg_drop_rest(link, db, green__pg_failed(link, db, r));
        else if (PQresultStatus(r) != (in ? PGRES_COPY_IN : PGRES_COPY_OUT))
                rc = no_copy(link, db, in);
        PQclear(r);
        db->copies_in = in;
        return rc;
}

int
green__pg_copy_put(green_db_link *link, void *vdb, const void *data, size_t len)
{
        struct pg_db *db = vdb;
        const char *at = data;

        if (!db->copies_in)
                return green_db_link_fail(link, -EINVAL, 0, "0A000", "this COPY reads");
        while (len > 0) {
                int n = len < PIECE ? (int)len : PIECE, rc = PQputCopyData(db->conn, at, n);

                if (rc < 0)
                        return green__pg_broken(link, db);
                if (rc > 0) {
                        at += n;
                        len -= (size_t)n;
                }
                rc = green__pg_flush(link, db);
                if (rc != 0)
                        return rc;
                if (PQstatus(db->conn) == CONNECTION_BAD)
                        return green__pg_broken(link, db);
        }
        return 0;
}

static void
forget_piece(struct pg_db *db)
{
        if (db->copy_data != NULL)
                PQfreemem(db->copy_data);
        db->copy_data = NULL;
}

/* 1: *ret_len bytes at db->copy_data; 0: there are no more. */
static int
next_piece(green_db_link *link, struct pg_db *db, size_t *ret_len)
{
        forget_piece(db);
        for (;;) {
                int n = PQgetCopyData(db->conn, &db->copy_data, 1), rc;

                if (n > 0) {
                        *ret_len = (size_t)n;
                        return 1;
                }
                if (n < 0)
                        return 0; /* the result says how it ended */
                rc = green_db_link_wait(link, db->fd, GREEN_READ);
                if (rc < 0)
                        return rc;
                if (!PQconsumeInput(db->conn) && PQstatus(db->conn) != CONNECTION_BAD)
                        return green__pg_broken(link, db);
                green__pg_look(link, db);
                if (PQstatus(db->conn) == CONNECTION_BAD)
                        return 0;
        }
}

int
green__pg_copy_get(green_db_link *link, void *vdb, const void **ret_data, size_t *ret_len)
{
        struct pg_db *db = vdb;
        int rc;

        if (db->copies_in)
                return green_db_link_fail(link, -EINVAL, 0, "0A000", "this COPY writes");
        rc = next_piece(link, db, ret_len);
        if (rc == 1)
                *ret_data = db->copy_data;
        return rc == 0 ? green__pg_finish(link, db, NULL) : rc;
}

static int
end_in(green_db_link *link, struct pg_db *db, const char *error, int64_t *ret_rows)
{
        PGresult *r = NULL;
        int rc;

        while ((rc = PQputCopyEnd(db->conn, error)) == 0) {
                rc = green__pg_flush(link, db);
                if (rc != 0)
                        return rc;
        }
        if (rc < 0)
                return green__pg_broken(link, db);
        rc = green__pg_flush(link, db);
        if (rc == 0)
                rc = green__pg_finish(link, db, &r);
        if (rc == 0)
                *ret_rows = strtoll(PQcmdTuples(r), NULL, 10);
        PQclear(r);
        /* It was to fail. */
        return error != NULL && rc < 0 && rc != GREEN_EDBLOST && PQtransactionStatus(db->conn) != PQTRANS_ACTIVE ? 0
                                                                                                                 : rc;
}

/* All that is still to come is read, or the server told to stop. */
static int
end_out(green_db_link *link, struct pg_db *db, const char *error, int64_t *ret_rows)
{
        PGresult *r = NULL;
        size_t len;
        int rc;

        if (error != NULL)
                return green__pg_settle(link, db);
        while ((rc = next_piece(link, db, &len)) == 1)
                ;
        if (rc == 0)
                rc = green__pg_finish(link, db, &r);
        if (rc == 0)
                *ret_rows = strtoll(PQcmdTuples(r), NULL, 10);
        PQclear(r);
        return rc;
}

int
green__pg_copy_end(green_db_link *link, void *vdb, const char *error, int64_t *ret_rows)
{
        struct pg_db *db = vdb;

        *ret_rows = 0;
        return db->copies_in ? end_in(link, db, error, ret_rows) : end_out(link, db, error, ret_rows);
}

/* ---- notifications */

int
green__pg_notification(green_db_link *link, void *vdb, struct green_db_notification *ret, bool at_once)
{
        struct pg_db *db = vdb;

        if (db->note != NULL)
                PQfreemem(db->note);
        db->note = NULL;
        for (bool looked = false;; looked = true) {
                int rc = 0;

                db->note = PQnotifies(db->conn);
                if (db->note != NULL) {
                        *ret = (struct green_db_notification){db->note->relname, db->note->extra, db->note->be_pid};
                        return 0;
                }
                if (PQstatus(db->conn) == CONNECTION_BAD || db->dying)
                        return green__pg_broken(link, db);
                if (looked && at_once)
                        return -EAGAIN;
                if (!at_once)
                        rc = green_db_link_wait(link, db->fd, GREEN_READ);
                if (rc < 0)
                        return rc;
                if (!PQconsumeInput(db->conn) && PQstatus(db->conn) != CONNECTION_BAD)
                        return green__pg_broken(link, db);
                green__pg_look(link, db);
        }
}
