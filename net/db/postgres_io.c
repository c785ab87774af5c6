/*
 * The driver for PostgreSQL: waiting for the server, results, errors and notices.
 */
#include "postgres_priv.h"

#include <stdio.h>

void
green__pg_look(green_db_link *link, struct pg_db *db)
{
        green_fd fd = PQsocket(db->conn);

        if (fd == db->fd)
                return;
        green_db_link_closing(link, db->fd);
        db->fd = fd;
}

void
green__pg_begin(struct pg_db *db)
{
        PGTransactionStatusType status = PQtransactionStatus(db->conn);

        if (status != PQTRANS_ACTIVE)
                db->was_open = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
        green__pg_forget_notices(db);
}

/* Read what is there. What the server said before it went is still to be looked at: that is no error here. */
static int
consume(green_db_link *link, struct pg_db *db)
{
        if (PQconsumeInput(db->conn) || PQstatus(db->conn) == CONNECTION_BAD) {
                green__pg_look(link, db);
                return 0;
        }
        return green__pg_broken(link, db);
}

int
green__pg_flush(green_db_link *link, struct pg_db *db)
{
        int rc;

        while ((rc = PQflush(db->conn)) == 1) {
                rc = green_db_link_wait(link, db->fd, GREEN_READ | GREEN_WRITE);
                if (rc < 0)
                        return rc;
                if ((rc & GREEN_READ) != 0 && (rc = consume(link, db)) != 0)
                        return rc;
                if (PQstatus(db->conn) == CONNECTION_BAD)
                        return 0; /* the result says why */
        }
        green__pg_look(link, db);
        return rc == 0 ? 0 : green__pg_broken(link, db);
}

int
green__pg_result(green_db_link *link, struct pg_db *db, PGresult **ret)
{
        while (PQisBusy(db->conn) && PQstatus(db->conn) != CONNECTION_BAD) {
                int rc = green_db_link_wait(link, db->fd, GREEN_READ);

                if (rc >= 0)
                        rc = consume(link, db);
                if (rc < 0)
                        return rc;
        }
        /* It does not wait: there is a result, or no socket. */
        *ret = PQgetResult(db->conn);
        green__pg_look(link, db);
        return 0;
}

bool
green__pg_is_error(const PGresult *r)
{
        ExecStatusType status = PQresultStatus(r);

        return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

bool
green__pg_is_copy(const PGresult *r)
{
        ExecStatusType status = PQresultStatus(r);

        return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

static int
no_copy_here(green_db_link *link, struct pg_db *db)
{
        int rc = green__pg_settle(link, db);

        return rc != 0 ? rc
                       : green__pg_tell(link, -EINVAL, "0A000",
                                        "a COPY is begun by green_db_conn_copy_in() or green_db_conn_copy_out()");
}

int
green__pg_finish(green_db_link *link, struct pg_db *db, PGresult **ret)
{
        PGresult *kept = NULL, *r;
        int rc, failed = 0;

        while ((rc = green__pg_result(link, db, &r)) == 0 && r != NULL) {
                if (green__pg_is_copy(r)) {
                        PQclear(r);
                        rc = no_copy_here(link, db);
                        break;
                }
                db->ran = db->ran || PQresultStatus(r) == PGRES_COMMAND_OK;
                if (failed == 0 && green__pg_is_error(r))
                        failed = green__pg_failed(link, db, r);
                PQclear(kept);
                kept = r;
                if (PQstatus(db->conn) == CONNECTION_BAD)
                        break;
        }
        if (rc == 0)
                rc = failed;
        if (rc == 0 && kept == NULL)
                rc = green__pg_broken(link, db);
        if (rc == 0 && ret != NULL)
                *ret = kept;
        else
                PQclear(kept);
        return rc;
}

int
green__pg_drop_rest(green_db_link *link, struct pg_db *db, int code)
{
        PGresult *r;
        int rc = 0;

        while (PQstatus(db->conn) != CONNECTION_BAD && (rc = green__pg_result(link, db, &r)) == 0 && r != NULL) {
                bool copies = green__pg_is_copy(r);

                PQclear(r);
                if (copies)
                        return no_copy_here(link, db);
        }
        return rc < 0 ? rc : code;
}

int
green__pg_simple(green_db_link *link, struct pg_db *db, const char *sql, PGresult **ret)
{
        int rc;

        if (!PQsendQuery(db->conn, sql))
                return green__pg_broken(link, db);
        rc = green__pg_flush(link, db);
        return rc == 0 ? green__pg_finish(link, db, ret) : rc;
}

/* ---- errors */

/* Lines become one; those that only say where in the server's source it was are left out. */
int
green__pg_tell(green_db_link *link, int code, const char *state, const char *text)
{
        char line[480];
        size_t n = 0;

        while (*text != '\0' && n + 3 < sizeof line) {
                size_t len = strcspn(text, "\n");
                const char *at = text + strspn(text, " \t");

                text += len;
                if (strncmp(at, "LOCATION:", 9) != 0 && at < text) {
                        int wrote =
                                snprintf(line + n, sizeof line - n, "%s%.*s", n > 0 ? "; " : "", (int)(text - at), at);

                        n = wrote < 0 || (size_t)wrote >= sizeof line - n ? sizeof line - 1 : n + (size_t)wrote;
                }
                text += *text == '\n';
        }
        line[n] = '\0';
        return green_db_link_fail(link, code, 0, state, "%s", line);
}

int
green__pg_broken(green_db_link *link, struct pg_db *db)
{
        const char *text = PQerrorMessage(db->conn);
        bool lost = PQstatus(db->conn) == CONNECTION_BAD;

        green__pg_look(link, db);
        if (db->dying)
                return green__pg_tell(link, GREEN_EDBLOST, db->last_state, "the server has ended the connection");
        return green__pg_tell(link, lost ? GREEN_EDBLOST : GREEN_EDB, lost ? "08006" : NULL,
                              text != NULL && *text != '\0' ? text : "libpq does not say what is wrong");
}

static int
code_of(struct pg_db *db, const PGresult *r, const char *state)
{
        const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
        int code = state != NULL ? green_db_sqlstate_code(state) : GREEN_EDB;

        if (PQstatus(db->conn) == CONNECTION_BAD ||
            (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)))
                return GREEN_EDBLOST;
        /* Class 08 is also what a statement gets whose parameters are not as many as it has. */
        return code == GREEN_EDBLOST ? GREEN_EDB : code;
}

int
green__pg_failed(green_db_link *link, struct pg_db *db, const PGresult *r)
{
        const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
        const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
        int code = code_of(db, r, state);

        if (state == NULL && code == GREEN_EDBLOST)
                state = "08006";
        if (primary == NULL)
                return green__pg_tell(link, code, state, PQresultErrorMessage(r));
        return green_db_link_fail(link, code, 0, state, "%s%s%s", primary, detail != NULL ? ": " : "",
                                  detail != NULL ? detail : "");
}

/* ---- notices */

static char *
copy_text(const char *text)
{
        size_t len = strlen(text) + 1;
        char *copy = green_malloc(len);

        if (copy != NULL)
                memcpy(copy, text, len);
        return copy;
}

static void
say_dying(struct pg_db *db, const char *state)
{
        db->dying = true;
        snprintf(db->last_state, sizeof db->last_state, "%s", state != NULL ? state : "08006");
}

void
green__pg_notice(void *arg, const PGresult *r)
{
        struct pg_db *db = arg;
        const char *level = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
        const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

        if (level != NULL && (strcmp(level, "FATAL") == 0 || strcmp(level, "PANIC") == 0))
                say_dying(db, state);
        if (db->warnings < PG_NOTICES) {
                struct pg_notice *n = &db->notices[db->warnings];

                snprintf(n->level, sizeof n->level, "%s", level != NULL ? level : "");
                snprintf(n->state, sizeof n->state, "%s", state != NULL ? state : "00000");
                n->text = copy_text(text != NULL ? text : PQresultErrorMessage(r));
        }
        db->warnings++;
}

void
green__pg_forget_notices(struct pg_db *db)
{
        for (unsigned i = 0; i < db->warnings && i < PG_NOTICES; i++) {
                green_free(db->notices[i].text);
                db->notices[i].text = NULL;
        }
        db->warnings = 0;
}

int
green__pg_warnings(const struct pg_db *db, struct green_db_batch *ret)
{
        static const char *const names[] = {"level", "code", "message"};
        green_db_rows *rows = green_db_rows_new(3, names);
        int rc = rows != NULL ? 0 : -ENOMEM;

        for (unsigned i = 0; rc == 0 && i < db->warnings && i < PG_NOTICES; i++) {
                const struct pg_notice *n = &db->notices[i];
                const struct green_db_value row[] = {green_db_text(n->level), green_db_text(n->state),
                                                     green_db_text(n->text)};

                rc = green_db_rows_add(rows, row);
        }
        if (rc == 0)
                green_db_rows_finish(rows, ret);
        else
                green_db_rows_free(rows);
        return rc;
}
