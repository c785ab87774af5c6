/*
 * The driver for PostgreSQL: batches of rows, which are libpq's results. Text is not copied; bytes are decoded where
 * they stand, once.
 */
#include "postgres_priv.h"

#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

/* Of catalog/pg_type.h, which does not change. */
enum {
        OID_BOOL = 16,
        OID_BYTEA = 17,
        OID_INT8 = 20,
        OID_INT2 = 21,
        OID_INT4 = 23,
        OID_OID = 26,
        OID_FLOAT4 = 700,
        OID_FLOAT8 = 701
};

enum kind { TEXT, NUMBER, TRUTH, REAL, BYTES };

struct rows {
        size_t n, columns;
        bool one_each;
        PGresult **results;
        int *lens; /* of bytes that were decoded: row by row; NULL: no column has bytes */
        unsigned char kinds[];
};

static enum kind
kind_of(Oid type)
{
        switch (type) {
        case OID_BOOL: return TRUTH;
        case OID_BYTEA: return BYTES;
        case OID_INT2:
        case OID_INT4:
        case OID_INT8:
        case OID_OID: return NUMBER;
        case OID_FLOAT4:
        case OID_FLOAT8: return REAL;
        default: return TEXT;
        }
}

/* ---- bytes */

static int
hex(char c)
{
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : 0;
}

/* The form of old: a backslash is two of them, other bytes are \ooo. */
static int
decode_escapes(char *text, int len)
{
        int n = 0;

        for (int i = 0; i < len; n++) {
                if (text[i] != '\\') {
                        text[n] = text[i++];
                } else if (i + 3 < len && text[i + 1] >= '0' && text[i + 1] <= '3') {
                        text[n] = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
                        i += 4;
                } else {
                        text[n] = (char)(i + 1 < len ? text[i + 1] : '\\');
                        i += 2;
                }
        }
        return n;
}

/* In place: what it stands for is never longer. */
static int
decode(char *text, int len)
{
        int n = 0;

        if (len < 2 || text[0] != '\\' || text[1] != 'x') {
                n = decode_escapes(text, len);
        } else {
                for (int i = 2; i + 1 < len; i += 2)
                        text[n++] = (char)(hex(text[i]) << 4 | hex(text[i + 1]));
        }
        text[n] = '\0';
        return n;
}

static void
decode_column(struct rows *r, size_t rows, size_t column)
{
        for (size_t i = 0; i < rows; i++) {
                PGresult *result = r->one_each ? r->results[i] : r->results[0];
                int row = r->one_each ? 0 : (int)i;

                if (!PQgetisnull(result, row, (int)column))
                        r->lens[i * r->columns + column] =
                                decode(PQgetvalue(result, row, (int)column), PQgetlength(result, row, (int)column));
        }
}

/* ---- the batch's functions */

static const char *
name(void *data, size_t column)
{
        const struct rows *r = data;

        return PQfname(r->results[0], (int)column);
}

static locale_t c_locale;

static void
make_locale(void)
{
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double
real_of(const char *text)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, make_locale);
        return c_locale != (locale_t)0 ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

static struct green_db_value
value(void *data, size_t row, size_t column)
{
        const struct rows *r = data;
        const PGresult *result = r->one_each ? r->results[row] : r->results[0];
        int at = r->one_each ? 0 : (int)row, c = (int)column;
        const char *text = PQgetvalue(result, at, c);

        if (*text == '\0' && PQgetisnull(result, at, c))
                return green_db_null();
        switch ((enum kind)r->kinds[column]) {
        case NUMBER: return green_db_int64(strtoll(text, NULL, 10));
        case TRUTH: return green_db_int64(*text == 't');
        case REAL: return green_db_double(real_of(text));
        case BYTES: return green_db_blob(text, (size_t)r->lens[row * r->columns + column]);
        case TEXT: break;
        }
        return green_db_text_n(text, (size_t)PQgetlength(result, at, c));
}

static void
free_rows(void *data)
{
        struct rows *r = data;

        for (size_t i = 0; i < r->n; i++)
                PQclear(r->results[i]);
        green_free(r->results);
        green_free(r->lens);
        green_free(r);
}

static const struct green_db_batch_ops ops = {.name = name, .value = value, .free = free_rows};

/* ---- making one */

static struct rows *
new_rows(PGresult *const *results, size_t n, size_t columns)
{
        struct rows *r = green_calloc(1, sizeof *r + columns);

        if (r == NULL)
                return NULL;
        r->results = green_malloc(n * sizeof(PGresult *));
        if (r->results == NULL) {
                green_free(r);
                return NULL;
        }
        for (size_t i = 0; i < n; i++)
                r->results[i] = results[i];
        r->n = n;
        r->columns = columns;
        return r;
}

int
green__pg_rows(PGresult *const *results, size_t n, bool one_each, struct green_db_batch *ret)
{
        size_t columns = (size_t)PQnfields(results[0]);
        size_t rows = one_each && PQntuples(results[0]) > 0 ? n : (size_t)PQntuples(results[0]);
        struct rows *r = new_rows(results, n, columns);

        if (r == NULL) {
                for (size_t i = 0; i < n; i++)
                        PQclear(results[i]);
                return -ENOMEM;
        }
        r->one_each = one_each;
        for (size_t i = 0; i < columns; i++) {
                r->kinds[i] = (unsigned char)kind_of(PQftype(results[0], (int)i));
                if (r->kinds[i] != BYTES || rows == 0)
                        continue;
                if (r->lens == NULL && (r->lens = green_calloc(rows * columns, sizeof *r->lens)) == NULL) {
                        free_rows(r);
                        return -ENOMEM;
                }
                decode_column(r, rows, i);
        }
        ret->ops = &ops;
        ret->data = r;
        ret->columns = columns;
        ret->rows = rows;
        return 0;
}

/* Reading changes no rows, though the server counts them. */
int64_t
green__pg_affected(const PGresult *r)
{
        static const char *const reads[] = {"SELECT", "FETCH", "MOVE"};
        PGresult *writable = (PGresult *)(uintptr_t)r; /* libpq's prototypes */
        const char *status = PQcmdStatus(writable);

        for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
                if (strncmp(status, reads[i], strlen(reads[i])) == 0)
                        return 0;
        return strtoll(PQcmdTuples(writable), NULL, 10);
}
