/*
 * Statements: run, prepared, and their rows.
 *
 * Rows are read one by one from the server, in text form where a statement has no parameters and is not prepared, else in
 * binary form. One statement may have several results (a procedure's): the first that has rows is given, the others are read
 * off.
 */
#include "mariadb_priv.h"

#include <stdlib.h>

/* ---- prepared statements */

static struct maria_stmt *
new_stmt(struct maria *db, const char *sql)
{
        size_t len = strlen(sql);
        struct maria_stmt *s = green_calloc(1, sizeof *s + len + 1);

        if (s == NULL)
                return NULL;
        memcpy(s->sql, sql, len + 1);
        s->stmt = mysql_stmt_init(&db->my);
        if (s->stmt == NULL) {
                green_free(s);
                return NULL;
        }
        (void)mysql_stmt_attr_set(s->stmt, STMT_ATTR_CB_USER_DATA, db);
        (void)mysql_stmt_attr_set(s->stmt, STMT_ATTR_CB_RESULT, (const void *)(uintptr_t)maria_binary_value);
        return s;
}

/* It cannot be freed now without the server being told. */
void
maria_bury(struct maria *db, struct maria_stmt *s)
{
        if (db->own == s)
                db->own = NULL;
        if (db->stmt == s->stmt)
                db->stmt = NULL;
        s->next = db->grave;
        db->grave = s;
}

void
maria_free_graves(struct maria *db)
{
        struct maria_stmt *s = db->grave;

        db->grave = NULL;
        while (s != NULL) {
                struct maria_stmt *next = s->next;

                mysql_stmt_close(s->stmt);
                green_free(s);
                s = next;
        }
}

/* Have the server forget it. */
static int
close_stmt(struct maria *db, struct maria_stmt *s)
{
        int rc;

        db->stmt = s->stmt;
        if (s->stmt->mysql == NULL) {
                mysql_stmt_close(s->stmt);
                rc = 0;
        } else {
                rc = maria_call(db, maria_step_stmt_close); /* frees it, at its end */
        }
        if (db->step == NULL)
                db->stmt = NULL;
        green_free(s);
        return rc;
}

/* db->text is the statement's. */
static int
prepare(struct maria *db, struct maria_stmt *s)
{
        int rc;

        db->stmt = s->stmt;
        rc = maria_call(db, maria_step_prepare);
        if (rc == 0 && db->ret.i != 0)
                rc = maria_fail_stmt(db, s->stmt);
        return rc;
}

int
maria_prepare(green_db_link *link, void *data, const char *sql, void **ret_prepared)
{
        struct maria *db = data;
        struct maria_stmt *s;
        int rc = maria_enter(db, link);

        if (rc == 0)
                rc = maria_keep_text(db, sql);
        if (rc != 0)
                return rc;
        s = new_stmt(db, sql);
        if (s == NULL)
                return -ENOMEM;
        rc = prepare(db, s);
        if (rc == 0) {
                db->stmt = NULL;
                *ret_prepared = s;
                return 0;
        }
        if (db->step != NULL)
                db->own = s;
        else
                (void)close_stmt(db, s);
        return rc;
}

void
maria_unprepare(green_db_link *link, void *data, void *prepared, bool tell)
{
        struct maria_stmt *s = prepared;
        struct maria *db = data;

        db->link = link;
        if (s->stmt->mysql == NULL || (tell && db->step == NULL))
                (void)close_stmt(db, s);
        else
                maria_bury(db, s);
}

/* ---- parameters */

static int
room_for_binds(struct maria *db, size_t n)
{
        MYSQL_BIND *binds;
        unsigned long *lengths;

        if (n <= db->binds_room)
                return 0;
        binds = green_realloc(db->binds, n * sizeof *binds);
        if (binds != NULL)
                db->binds = binds;
        lengths = green_realloc(db->lengths, n * sizeof *lengths);
        if (lengths != NULL)
                db->lengths = lengths;
        if (binds == NULL || lengths == NULL)
                return -ENOMEM;
        db->binds_room = n;
        return 0;
}

static void
bind_value(struct maria *db, size_t i, const struct green_db_value *v)
{
        MYSQL_BIND *b = &db->binds[i];

        memset(b, 0, sizeof *b);
        switch (v->type) {
        case GREEN_DB_INT64:
                b->buffer_type = MYSQL_TYPE_LONGLONG;
                b->buffer = (void *)(uintptr_t)&v->number;
                break;
        case GREEN_DB_DOUBLE:
                b->buffer_type = MYSQL_TYPE_DOUBLE;
                b->buffer = (void *)(uintptr_t)&v->real;
                break;
        case GREEN_DB_TEXT:
        case GREEN_DB_BLOB:
                b->buffer_type = v->type == GREEN_DB_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
                b->buffer = (void *)(uintptr_t)(v->data != NULL ? v->data : "");
                db->lengths[i] = v->data != NULL ? (unsigned long)v->len : 0;
                b->buffer_length = db->lengths[i];
                b->length = &db->lengths[i];
                break;
        case GREEN_DB_NULL: b->buffer_type = MYSQL_TYPE_NULL; break;
        }
}

/* The values are copied when the call begins, before it waits. */
static int
bind_values(struct maria *db, const struct green_db_value *values, size_t n)
{
        size_t wanted = mysql_stmt_param_count(db->stmt);
        int rc;

        if (wanted != n)
                return green_db_link_fail(db->link, GREEN_EDB, 0, "07001", "the statement has %zu parameters, not %zu",
                                          wanted, n);
        if (n == 0)
                return 0;
        rc = room_for_binds(db, n);
        if (rc != 0)
                return rc;
        for (size_t i = 0; i < n; i++)
                bind_value(db, i, &values[i]);
        return mysql_stmt_bind_param(db->stmt, db->binds) == 0 ? 0 : maria_fail_stmt(db, db->stmt);
}

/* ---- results of a statement that runs */

/* Room for a row of what the server has announced; names of its columns. */
static int
begin_rows(struct maria *db)
{
        size_t n = db->columns;

        if (n > db->room) {
                struct green_db_value *values = green_realloc(db->values, n * sizeof *values);
                const char **names;
                char *texts;

                if (values != NULL)
                        db->values = values;
                names = green_realloc(db->names, n * sizeof *names);
                if (names != NULL)
                        db->names = names;
                texts = green_realloc(db->texts, n * MARIA_TEXT);
                if (texts != NULL)
                        db->texts = texts;
                if (values == NULL || names == NULL || texts == NULL)
                        return -ENOMEM;
                db->room = n;
        }
        for (size_t i = 0; i < n; i++)
                db->names[i] = db->fields[i].name != NULL ? db->fields[i].name : "";
        return 0;
}

/* The result that the server is at: 1: it has rows, 0: it has none; or a code. */
static int
open_result(struct maria *db)
{
        if (db->stmt != NULL) {
                db->columns = mysql_stmt_field_count(db->stmt);
                db->fields = mariadb_stmt_fetch_fields(db->stmt);
                return db->columns > 0;
        }
        db->columns = mysql_field_count(&db->my);
        if (db->columns == 0)
                return 0;
        db->res = mysql_use_result(&db->my);
        if (db->res == NULL)
                return maria_fail(db);
        db->fields = mysql_fetch_fields(db->res);
        return 1;
}

/* Go to the next result: 1: there is one, 0: there is none; or a code. */
static int
next_result(struct maria *db)
{
        bool binary = db->stmt != NULL;
        int rc;

        if (!(binary ? mysql_stmt_more_results(db->stmt) : mysql_more_results(&db->my)))
                return 0;
        rc = maria_call(db, binary ? maria_step_stmt_next_result : maria_step_next_result);
        if (rc != 0)
                return rc;
        if (db->ret.i > 0)
                return binary ? maria_fail_stmt(db, db->stmt) : maria_fail(db);
        return db->ret.i == 0;
}

/* libmariadb does not look into the packet at the end of rows in binary form. */
void
maria_look_at_end(struct maria *db)
{
        const unsigned char *at = db->my.net.read_pos;

        if (at == NULL || db->fd < 0 || at[0] != 254)
                return;
        db->my.warning_count = at[1] | (unsigned)at[2] << 8;
        db->my.server_status = at[3] | (unsigned)at[4] << 8;
}

/* Read a row into db->values: 1; 0: there is none; or a code. wanted: else it is not looked at. */
static int
read_row(struct maria *db, bool wanted)
{
        int rc;

        if (db->stmt == NULL) {
                rc = maria_call(db, maria_step_fetch_row);
                if (rc != 0)
                        return rc;
                if (db->ret.row != NULL) {
                        if (wanted)
                                maria_text_row(db, db->ret.row, mysql_fetch_lengths(db->res));
                        return 1;
                }
                mysql_free_result(db->res);
                db->res = NULL;
                return mysql_errno(&db->my) != 0 ? maria_fail(db) : 0;
        }
        rc = maria_call(db, maria_step_stmt_fetch);
        if (rc != 0)
                return rc;
        if (db->ret.i == 0 || db->ret.i == MYSQL_DATA_TRUNCATED)
                return 1;
        if (db->ret.i != MYSQL_NO_DATA)
                return maria_fail_stmt(db, db->stmt);
        maria_look_at_end(db);
        return 0;
}

/* All results of it were read: the statement is over. An error of the statement may be why. */
static int
end_statement(struct maria *db)
{
        struct maria_stmt *own = db->own;

        db->running = false;
        db->own = NULL;
        db->stmt = NULL;
        db->killable = false;
        return own != NULL ? close_stmt(db, own) : 0;
}

/* Are there rows to read? 1: there is a result, which is open; 0: there is none; or a code. */
static int
unread(struct maria *db)
{
        if (db->stmt != NULL)
                return db->stmt->state >= MYSQL_STMT_WAITING_USE_OR_STORE && db->stmt->state < MYSQL_STMT_FETCH_DONE &&
                       mysql_stmt_field_count(db->stmt) > 0;
        if (db->res == NULL && db->my.status == MYSQL_STATUS_GET_RESULT)
                return open_result(db);
        return db->res != NULL;
}

int
maria_read_off(struct maria *db, size_t rows)
{
        int rc = 1;

        while (db->running && rc > 0) {
                rc = unread(db);
                while (rc > 0) {
                        if (rows-- == 0)
                                return 1;
                        rc = read_row(db, false);
                }
                if (rc == 0)
                        rc = next_result(db);
                if (rc < 0 && (db->step != NULL || db->fd < 0 || db->my.status == MYSQL_STATUS_GET_RESULT))
                        return rc;
        }
        return end_statement(db);
}

/* An error: the link is told of it, and the statement ended; unless the wait for that is what failed. */
static int
give_up(struct maria *db, int code)
{
        if (db->step == NULL && db->fd >= 0 && code != -ENOMEM)
                (void)end_statement(db);
        return code;
}

/* The results after the one that was given. */
static int
finish(struct maria *db, struct green_db_batch *ret)
{
        int rc, more = 1;

        while ((rc = next_result(db)) > 0) {
                more = open_result(db);
                while (more > 0)
                        more = read_row(db, false);
                if (more < 0)
                        break;
        }
        if (rc < 0 || more < 0)
                return give_up(db, rc < 0 ? rc : more);
        if (mysql_field_count(&db->my) == 0) {
                my_ulonglong affected = mysql_affected_rows(&db->my);

                ret->affected = affected != (my_ulonglong)-1 ? (int64_t)affected : 0;
                ret->insert_id = (int64_t)mysql_insert_id(&db->my);
        }
        ret->warnings = mysql_warning_count(&db->my);
        return end_statement(db);
}

/* Rows to a batch: all, or some of them. */
static int
read_rows(struct maria *db, bool some, struct green_db_batch *ret)
{
        enum { ROWS = 64, BYTES = 256 * 1024 };
        green_db_rows *rows = green_db_rows_new(db->columns, db->names);
        size_t n = 0;
        int rc = rows != NULL ? 1 : -ENOMEM;

        while (rc > 0 && !(some && (n == ROWS || green_db_rows_bytes(rows) >= BYTES))) {
                rc = read_row(db, true);
                if (rc > 0 && green_db_rows_add(rows, db->values) != 0)
                        rc = -ENOMEM;
                n++;
        }
        if (rc == 0)
                rc = finish(db, ret);
        else if (rc < 0)
                rc = give_up(db, rc);
        else
                ret->more = true;
        if (rc < 0)
                green_db_rows_free(rows);
        else
                green_db_rows_finish(rows, ret);
        return rc < 0 ? rc : 0;
}

/* The statement was sent, and the server has begun to answer. */
static int
take_results(struct maria *db, bool stream, struct green_db_batch *ret)
{
        int rc;

        while ((rc = open_result(db)) == 0) {
                rc = next_result(db);
                if (rc == 0)
                        return finish(db, ret);
                if (rc < 0)
                        return give_up(db, rc);
        }
        if (rc > 0)
                rc = begin_rows(db);
        return rc < 0 ? give_up(db, rc) : read_rows(db, stream, ret);
}

/* ---- running them */

/* db->text is the statement. */
static int
run_text(struct maria *db)
{
        int rc = maria_call(db, maria_step_query);

        if (rc == 0 && db->ret.i != 0)
                rc = maria_fail(db);
        return rc;
}

static int
run_binary(struct maria *db, struct maria_stmt *s, const struct green_db_statement *st)
{
        int rc = 0;

        /* What changing the user has made the server forget. */
        if (s->stmt->mysql == NULL) {
                struct maria_stmt *again = new_stmt(db, "");

                if (again == NULL)
                        return -ENOMEM;
                mysql_stmt_close(s->stmt);
                s->stmt = again->stmt;
                green_free(again);
        }
        db->stmt = s->stmt;
        if (s->stmt->state < MYSQL_STMT_PREPARED) {
                rc = maria_keep_text(db, s->sql);
                if (rc == 0)
                        rc = prepare(db, s);
        }
        if (rc == 0)
                rc = bind_values(db, st->values, st->n);
        if (rc != 0)
                return rc;
        s->stmt->field_count = 0; /* the table may have changed: it takes the columns that the server announces */
        rc = maria_call(db, maria_step_execute);
        if (rc == 0 && db->ret.i != 0)
                rc = maria_fail_stmt(db, db->stmt);
        return rc;
}

int
maria_query(green_db_link *link, void *data, const struct green_db_statement *st, struct green_db_batch *ret)
{
        struct maria *db = data;
        struct maria_stmt *s = st->prepared;
        int rc = maria_enter(db, link);

        if (rc != 0)
                return rc;
        db->running = db->killable = true;
        if (s == NULL && st->n > 0) {
                s = db->own = new_stmt(db, st->sql);
                rc = s != NULL ? run_binary(db, s, st) : -ENOMEM;
        } else if (s != NULL) {
                rc = run_binary(db, s, st);
        } else {
                rc = maria_keep_text(db, st->sql);
                if (rc == 0)
                        rc = run_text(db);
        }
        return rc != 0 ? give_up(db, rc) : take_results(db, st->stream, ret);
}

int
maria_fetch(green_db_link *link, void *data, struct green_db_batch *ret)
{
        struct maria *db = data;
        int rc = maria_enter(db, link);

        return rc != 0 ? rc : read_rows(db, true, ret);
}

int
maria_rows_of_text(struct maria *db, const char *sql, struct green_db_batch *ret)
{
        int rc = maria_keep_text(db, sql);

        if (rc != 0)
                return rc;
        db->running = true;
        rc = run_text(db);
        return rc != 0 ? give_up(db, rc) : take_results(db, false, ret);
}

int
maria_run_text(struct maria *db, const char *sql)
{
        struct green_db_batch ret = {.columns = 0};
        int rc = maria_rows_of_text(db, sql, &ret);

        if (ret.ops != NULL)
                ret.ops->free(ret.data);
        return rc;
}
