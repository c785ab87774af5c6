/*
 * The driver for SQLite: statements, their parameters, and rows.
 */
#include "sqlite_priv.h"

#include <string.h>

/* What one call of fetch() gives at most: rows, and about so many bytes. */
enum { BATCH_ROWS = 64, BATCH_BYTES = 65536 };

/* ---- compiling */

static void
release(struct green__sqlite_stmt *s)
{
        sqlite3_finalize(s->stmt);
        sqlite3_free(s->map);
        *s = (struct green__sqlite_stmt){0};
}

/* The number in a name such as "$12"; 0: it is no such name. Beyond what SQLite can have they are all the same. */
static int
number_of(const char *name)
{
        int number = 0;

        if (name == NULL || name[0] != '$' || name[1] == '\0')
                return 0;
        for (name++; *name != '\0'; name++) {
                if (*name < '0' || *name > '9')
                        return 0;
                if (number < 1000000)
                        number = number * 10 + (*name - '0');
        }
        return number;
}

/* Which value each parameter takes. SQLite numbers "$2" by where it stands, not by what it says. */
static int
map_parameters(struct green__sqlite *self, struct green__sqlite_stmt *s)
{
        int numbered = 0;

        s->count = s->needed = sqlite3_bind_parameter_count(s->stmt);
        for (int i = 0; i < s->count; i++) {
                const char *name = sqlite3_bind_parameter_name(s->stmt, i + 1);

                if (number_of(name) > 0)
                        numbered++;
                else if (name != NULL && name[0] == '$' && name[1] >= '0' && name[1] <= '9')
                        return green_db_link_fail(
                                self->link, GREEN_EDB, SQLITE_ERROR, "42601",
                                "\"%s\" is no parameter: they are $1, $2, ..., and a cast is cast($1 as TYPE)", name);
        }
        if (numbered == 0)
                return 0;
        if (numbered != s->count)
                return green_db_link_fail(self->link, GREEN_EDB, SQLITE_ERROR, "42601",
                                          "parameters like $1 and others in one statement");
        s->map = sqlite3_malloc64((sqlite3_uint64)s->count * sizeof *s->map);
        if (s->map == NULL)
                return green_db_link_fail(self->link, -ENOMEM, SQLITE_NOMEM, "53200", "out of memory");
        s->needed = 0;
        for (int i = 0; i < s->count; i++) {
                s->map[i] = number_of(sqlite3_bind_parameter_name(s->stmt, i + 1)) - 1;
                if (s->map[i] >= s->needed)
                        s->needed = s->map[i] + 1;
        }
        return 0;
}

static int
compile(struct green__sqlite *self, const char *sql, unsigned flags, struct green__sqlite_stmt *s)
{
        const char *rest = NULL;
        int rc;

        *s = (struct green__sqlite_stmt){0};
        rc = sqlite3_prepare_v3(self->db, sql, -1, flags, &s->stmt, &rest);
        if (rc != SQLITE_OK)
                return green__sqlite_fail(self, rc, NULL);
        if (s->stmt == NULL)
                return green_db_link_fail(self->link, GREEN_EDB, SQLITE_ERROR, "42601", "an empty statement");
        if (*green__sqlite_skip_blank(rest) != '\0')
                rc = green_db_link_fail(self->link, GREEN_EDB, SQLITE_ERROR, "42601",
                                        "more than one statement: there is text behind the first");
        else
                rc = map_parameters(self, s);
        s->verb = green__sqlite_verb(sql);
        if (rc != 0)
                release(s);
        return rc;
}

int
green__sqlite_prepare(green_db_link *link, void *db, const char *sql, void **ret_prepared)
{
        struct green__sqlite *self = db;
        struct green__sqlite_stmt *s;
        int rc;

        self->link = link;
        s = sqlite3_malloc64(sizeof *s);
        if (s == NULL)
                return green_db_link_fail(link, -ENOMEM, SQLITE_NOMEM, "53200", "out of memory");
        rc = compile(self, sql, SQLITE_PREPARE_PERSISTENT, s);
        if (rc != 0)
                sqlite3_free(s);
        else
                *ret_prepared = s;
        return rc;
}

void
green__sqlite_unprepare(green_db_link *link, void *db, void *prepared, bool tell)
{
        struct green__sqlite *self = db;

        (void)tell;
        self->link = link;
        if (self->open == prepared)
                self->open = NULL;
        release(prepared);
        sqlite3_free(prepared);
}

/* ---- parameters */

static int
bind_one(sqlite3_stmt *stmt, int at, const struct green_db_value *v, sqlite3_destructor_type keep)
{
        switch (v->type) {
        case GREEN_DB_NULL:
                return sqlite3_bind_null(stmt, at);
        case GREEN_DB_INT64:
                return sqlite3_bind_int64(stmt, at, v->number);
        case GREEN_DB_DOUBLE:
                return sqlite3_bind_double(stmt, at, v->real);
        case GREEN_DB_TEXT:
                return sqlite3_bind_text64(stmt, at, v->len > 0 ? v->data : "", v->len, keep, SQLITE_UTF8);
        case GREEN_DB_BLOB:
                return sqlite3_bind_blob64(stmt, at, v->len > 0 ? v->data : "", v->len, keep);
        default:
                return SQLITE_MISUSE;
        }
}

/* What a stream binds is read by calls to come, when the caller's values may be gone. */
static int
bind(struct green__sqlite *self, struct green__sqlite_stmt *s, const struct green_db_statement *st)
{
        sqlite3_destructor_type keep = st->stream ? SQLITE_TRANSIENT : SQLITE_STATIC;

        if (st->n != (size_t)s->needed)
                return green_db_link_fail(self->link, GREEN_EDB, SQLITE_RANGE, "07001",
                                          "the statement has %d parameter%s, and %zu value%s were given", s->needed,
                                          s->needed == 1 ? "" : "s", st->n, st->n == 1 ? "" : "s");
        for (int i = 0; i < s->count; i++) {
                const struct green_db_value *v = &st->values[s->map != NULL ? s->map[i] : i];
                int rc = bind_one(s->stmt, i + 1, v, keep);

                if (rc == SQLITE_MISUSE)
                        return green_db_link_fail(self->link, -EINVAL, rc, "HY004", "a value of no known type");
                if (rc != SQLITE_OK)
                        return green__sqlite_fail(self, rc, NULL);
        }
        return 0;
}

/* ---- rows */

/* The statement that is open is at rest again. What it failed with was told already. */
void
green__sqlite_rest(struct green__sqlite *self)
{
        struct green__sqlite_stmt *s = self->open;

        self->open = NULL;
        if (s == NULL)
                return;
        if (s == &self->once) {
                release(s);
        } else {
                sqlite3_reset(s->stmt);
                sqlite3_clear_bindings(s->stmt);
        }
}

static bool
make_room(struct green__sqlite *self, int columns)
{
        void *values;

        if (columns <= self->room)
                return true;
        values = sqlite3_realloc64(self->values, (sqlite3_uint64)columns * sizeof *self->values);
        if (values == NULL)
                return false;
        self->values = values;
        self->room = columns;
        return true;
}

static green_db_rows *
begin_rows(struct green__sqlite *self, sqlite3_stmt *stmt, int columns)
{
        const char *some[32], **names = some;
        green_db_rows *rows = NULL;

        if (!make_room(self, columns))
                return NULL;
        if (columns > (int)(sizeof some / sizeof *some))
                names = sqlite3_malloc64((sqlite3_uint64)columns * sizeof *names);
        for (int i = 0; names != NULL && i < columns; i++) {
                names[i] = sqlite3_column_name(stmt, i);
                if (names[i] == NULL)
                        goto out;
        }
        if (names != NULL)
                rows = green_db_rows_new((size_t)columns, names);
out:
        if (names != some)
                sqlite3_free(names);
        return rows;
}

/* A value of the row; false: no memory. */
static bool
read_value(sqlite3_stmt *stmt, int column, struct green_db_value *v)
{
        *v = green_db_null();
        switch (sqlite3_column_type(stmt, column)) {
        case SQLITE_INTEGER:
                *v = green_db_int64(sqlite3_column_int64(stmt, column));
                return true;
        case SQLITE_FLOAT:
                *v = green_db_double(sqlite3_column_double(stmt, column));
                return true;
        case SQLITE_TEXT:
                v->type = GREEN_DB_TEXT;
                v->data = sqlite3_column_text(stmt, column);
                v->len = (size_t)sqlite3_column_bytes(stmt, column);
                return v->data != NULL;
        case SQLITE_BLOB:
                v->type = GREEN_DB_BLOB;
                v->data = sqlite3_column_blob(stmt, column);
                v->len = (size_t)sqlite3_column_bytes(stmt, column);
                if (v->data == NULL && v->len == 0)
                        v->data = "";
                return v->data != NULL;
        default:
                return true;
        }
}

static bool
add_row(struct green__sqlite *self, sqlite3_stmt *stmt, int columns, green_db_rows *rows)
{
        for (int i = 0; i < columns; i++)
                if (!read_value(stmt, i, &self->values[i]))
                        return false;
        return green_db_rows_add(rows, self->values) == 0;
}

/* What the statement did, when it has come to its end. */
static void
finish(struct green__sqlite *self, struct green__sqlite_stmt *s, struct green_db_batch *ret)
{
        /* Neither is set back by statements that change nothing. */
        if (!sqlite3_stmt_readonly(s->stmt) && green__sqlite_total(self->db) != self->total)
                ret->affected = green__sqlite_changes(self->db);
        if (s->verb == GREEN__SQLITE_INSERT && ret->affected > 0 && self->inserted)
                ret->insert_id = sqlite3_last_insert_rowid(self->db);
        self->busy_since = 0;
        if (!sqlite3_get_autocommit(self->db))
                self->begun = true;
        else if (s->verb == GREEN__SQLITE_END)
                self->begun = false;
        green__sqlite_rest(self);
}

/* Steps through the statement that is open: to its end, or as far as one batch goes. */
static int
take(struct green__sqlite *self, bool stream, struct green_db_batch *ret)
{
        struct green__sqlite_stmt *s = self->open;
        green_db_rows *rows = NULL;
        int columns = 0, rc;
        size_t n = 0;

        for (;;) {
                rc = sqlite3_step(s->stmt);
                if (rc != SQLITE_ROW && rc != SQLITE_DONE)
                        break;
                if (rows == NULL) {
                        /* Not before the first step: that may compile it again, when tables have changed. */
                        columns = sqlite3_column_count(s->stmt);
                        rows = columns > 0 ? begin_rows(self, s->stmt, columns) : NULL;
                        rc = columns > 0 && rows == NULL ? SQLITE_NOMEM : rc;
                }
                if (rc == SQLITE_ROW && !add_row(self, s->stmt, columns, rows))
                        rc = SQLITE_NOMEM;
                if (rc != SQLITE_ROW)
                        break;
                n++;
                if (stream && (n == BATCH_ROWS || green_db_rows_bytes(rows) >= BATCH_BYTES)) {
                        green_db_rows_finish(rows, ret);
                        ret->more = true;
                        return 0;
                }
        }
        if (rc != SQLITE_DONE) {
                rc = green__sqlite_fail(self, rc, NULL);
                green_db_rows_free(rows);
                green__sqlite_rest(self);
                return rc;
        }
        if (rows != NULL)
                green_db_rows_finish(rows, ret);
        finish(self, s, ret);
        return 0;
}

int
green__sqlite_query(green_db_link *link, void *db, const struct green_db_statement *st, struct green_db_batch *ret)
{
        struct green__sqlite *self = db;
        struct green__sqlite_stmt *s = st->prepared;
        int rc;

        self->link = link;
        green__sqlite_rest(self);
        if (s == NULL) {
                s = &self->once;
                rc = compile(self, st->sql, 0, s);
                if (rc != 0)
                        return rc;
        }
        self->open = s;
        self->total = green__sqlite_total(self->db);
        self->inserted = false;
        rc = bind(self, s, st);
        if (rc != 0) {
                green__sqlite_rest(self);
                return rc;
        }
        return take(self, st->stream, ret);
}

int
green__sqlite_fetch(green_db_link *link, void *db, struct green_db_batch *ret)
{
        struct green__sqlite *self = db;
        int rc;

        self->link = link;
        if (self->open == NULL)
                return green_db_link_fail(link, -ENODATA, 0, "24000", "there is no statement with rows left");
        rc = take(self, true, ret);
        /* It has begun: there is no once more. */
        if (rc == -EINPROGRESS)
                rc = green_db_link_fail(link, GREEN_EDBRETRY, SQLITE_BUSY, "55P03", "database is locked");
        return rc;
}
