/*
 * Rows that the library keeps, for drivers that have no form of their own. Values lie in one array, texts and bytes in one
 * block, so a row costs no allocation of its own. Both grow by doubling.
 */
#include "db_priv.h"

#include <stdint.h>
#include <string.h>

struct cell {
        enum green_db_type type;
        size_t len;
        union {
                int64_t number;
                double real;
                size_t offset; /* in bytes */
        } u;
};

struct green_db_rows {
        size_t columns, rows, room; /* room: cells */
        struct cell *cells;
        char *bytes;
        size_t used, bytes_room;
        const char **names; /* the last member of the block: pointers, then names */
};

green_db_rows *
green_db_rows_new(size_t columns, const char *const *names)
{
        size_t len = 0;
        green_db_rows *r;
        char *at;

        for (size_t i = 0; names != NULL && i < columns; i++)
                len += strlen(names[i]) + 1;
        r = green_calloc(1, sizeof *r + columns * sizeof(char *) + len);
        if (r == NULL)
                return NULL;
        r->columns = columns;
        r->names = (const char **)(r + 1);
        at = (char *)(r->names + columns);
        for (size_t i = 0; names != NULL && i < columns; i++) {
                size_t n = strlen(names[i]) + 1;

                r->names[i] = memcpy(at, names[i], n);
                at += n;
        }
        return r;
}

/* Room for n more of what has size bytes each: the array, which may have moved, or NULL. */
static void *
grow(void *array, size_t used, size_t n, size_t *room, size_t size)
{
        size_t want = *room > 0 ? *room : 64;
        void *grown;

        if (used + n <= *room)
                return array;
        while (want < used + n)
                want = want <= SIZE_MAX / 4 ? want * 2 : used + n;
        if (want > SIZE_MAX / size)
                return NULL;
        grown = green_realloc(array, want * size);
        if (grown != NULL)
                *room = want;
        return grown;
}

static size_t
bytes_of(const struct green_db_value *values, size_t n)
{
        size_t len = 0;

        for (size_t i = 0; i < n; i++)
                if (values[i].type == GREEN_DB_TEXT || values[i].type == GREEN_DB_BLOB)
                        len += values[i].len + 1;
        return len;
}

static void
put(green_db_rows *r, struct cell *c, const struct green_db_value *v)
{
        *c = (struct cell){.type = v->type};
        switch (v->type) {
        case GREEN_DB_INT64: c->u.number = v->number; break;
        case GREEN_DB_DOUBLE: c->u.real = v->real; break;
        case GREEN_DB_TEXT:
        case GREEN_DB_BLOB:
                c->u.offset = r->used;
                c->len = v->len;
                if (v->len > 0)
                        memcpy(r->bytes + r->used, v->data, v->len);
                r->bytes[r->used + v->len] = '\0';
                r->used += v->len + 1;
                break;
        case GREEN_DB_NULL: break;
        }
}

int
green_db_rows_add(green_db_rows *rows, const struct green_db_value *values)
{
        size_t at = rows->rows * rows->columns;
        struct cell *cells = grow(rows->cells, at, rows->columns + 1, &rows->room, sizeof *cells);
        char *bytes;

        if (cells == NULL)
                return -ENOMEM;
        rows->cells = cells;
        bytes = grow(rows->bytes, rows->used, bytes_of(values, rows->columns), &rows->bytes_room, 1);
        if (bytes == NULL && rows->used + bytes_of(values, rows->columns) > 0)
                return -ENOMEM;
        rows->bytes = bytes;
        for (size_t i = 0; i < rows->columns; i++)
                put(rows, &cells[at + i], &values[i]);
        rows->rows++;
        return 0;
}

size_t
green_db_rows_bytes(const green_db_rows *rows)
{
        return rows != NULL ? rows->used + rows->rows * rows->columns * sizeof(struct cell) : 0;
}

void
green_db_rows_free(green_db_rows *rows)
{
        if (rows == NULL)
                return;
        green_free(rows->cells);
        green_free(rows->bytes);
        green_free(rows);
}

/* ---- as a batch */

static const char *
name(void *data, size_t column)
{
        const green_db_rows *r = data;

        return r->names[column];
}

static struct green_db_value
value(void *data, size_t row, size_t column)
{
        const green_db_rows *r = data;
        const struct cell *c = &r->cells[row * r->columns + column];

        switch (c->type) {
        case GREEN_DB_INT64: return green_db_int64(c->u.number);
        case GREEN_DB_DOUBLE: return green_db_double(c->u.real);
        case GREEN_DB_TEXT: return green_db_text_n(r->bytes + c->u.offset, c->len);
        case GREEN_DB_BLOB: return green_db_blob(r->bytes + c->u.offset, c->len);
        case GREEN_DB_NULL: break;
        }
        return green_db_null();
}

static void
free_rows(void *data)
{
        green_db_rows_free(data);
}

void
green_db_rows_finish(green_db_rows *rows, struct green_db_batch *batch)
{
        static const struct green_db_batch_ops ops = {name, value, free_rows};

        batch->ops = &ops;
        batch->data = rows;
        batch->columns = rows->columns;
        batch->rows = rows->rows;
}
