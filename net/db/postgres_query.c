/*
 * The driver for PostgreSQL: statements, with parameters, prepared, at once or as rows come.
 */
#include "postgres_priv.h"

#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>

enum { OID_BYTEA = 17, ROWS = 64, BATCH_BYTES = 256 * 1024, KEPT_SCRATCH = 64 * 1024, NUMBER_BYTES = 32 };

/* ---- parameters */

int
green__pg_print_real(char *text, size_t len, double real)
{
        int n;

        if (real != real)
                return snprintf(text, len, "NaN");
        if (real - real != 0)
                return snprintf(text, len, real > 0 ? "Infinity" : "-Infinity");
        n = snprintf(text, len, "%.17g", real);
        if (n > 0 && (size_t)n < len && strcmp(localeconv()->decimal_point, ".") != 0) {
                size_t digits = strspn(text, "-0123456789"), point = strcspn(text + digits, "0123456789e");

                if (point > 0) {
                        memmove(text + digits + 1, text + digits + point, strlen(text + digits + point) + 1);
                        text[digits] = '.';
                        n -= (int)point - 1;
                }
        }
        return n;
}

/* As libpq wants them: arrays, in one block with the texts behind. */
struct params {
        const char **values;
        int *lengths, *formats;
        Oid *types;
        char *texts;
};

static size_t
text_bytes(const struct green_db_value *v)
{
        return v->type == GREEN_DB_TEXT ? v->len + 1 : NUMBER_BYTES;
}

static int
reserve(struct pg_db *db, const struct green_db_value *values, size_t n, struct params *ret)
{
        size_t size = n * (sizeof(char *) + 2 * sizeof(int) + sizeof(Oid));
        char *at;

        for (size_t i = 0; i < n; i++)
                size += text_bytes(&values[i]);
        if (size > db->scratch_size) {
                void *more = green_malloc(size);

                if (more == NULL)
                        return -ENOMEM;
                green_free(db->scratch);
                db->scratch = more;
                db->scratch_size = size;
        }
        at = db->scratch;
        ret->values = (const char **)(void *)at;
        ret->lengths = (int *)(void *)(at + n * sizeof(char *));
        ret->formats = ret->lengths + n;
        ret->types = (Oid *)(ret->formats + n);
        ret->texts = (char *)(ret->types + n);
        return 0;
}

/* Texts must end with NUL for libpq, and numbers are text: then "$1" takes the type of what it is used for. */
static int
put_value(green_db_link *link, const struct green_db_value *v, size_t i, struct params *p)
{
        char *text = p->texts;

        p->lengths[i] = p->formats[i] = 0;
        p->types[i] = 0;
        p->values[i] = text;
        if (v->type >= GREEN_DB_TEXT && v->len > INT_MAX)
                return green_db_link_fail(link, -EMSGSIZE, 0, "54000", "parameter %zu: %zu bytes are too many", i + 1,
                                          v->len);
        switch (v->type) {
        case GREEN_DB_NULL: p->values[i] = NULL; return 0;
        case GREEN_DB_INT64: p->texts += snprintf(text, NUMBER_BYTES, "%" PRId64, v->number) + 1; return 0;
        case GREEN_DB_DOUBLE: p->texts += green__pg_print_real(text, NUMBER_BYTES, v->real) + 1; return 0;
        case GREEN_DB_TEXT:
                if (v->len > 0 && memchr(v->data, 0, v->len) != NULL)
                        return green_db_link_fail(link, -EILSEQ, 0, "22021", "parameter %zu: a NUL in a text", i + 1);
                if (v->len > 0)
                        memcpy(text, v->data, v->len);
                text[v->len] = '\0';
                p->texts += v->len + 1;
                return 0;
        case GREEN_DB_BLOB:
                p->values[i] = v->data;
                p->lengths[i] = (int)v->len;
                p->formats[i] = 1;
                p->types[i] = OID_BYTEA;
                return 0;
        }
        return green_db_link_fail(link, -EINVAL, 0, "07006", "parameter %zu: there is no type %d", i + 1, (int)v->type);
}

/*
 * The simple protocol is cheaper for the server, but takes many statements at once, which are not to be had by it: so it is
 * used only for what cannot be more than one. A pipeline has the extended one alone.
 */
static bool
is_simple(const struct pg_db *db, const struct green_db_statement *st)
{
        return st->prepared == NULL && st->n == 0 && PQpipelineStatus(db->conn) == PQ_PIPELINE_OFF &&
               strchr(st->sql, ';') == NULL;
}

int
green__pg_send(green_db_link *link, struct pg_db *db, const struct green_db_statement *st)
{
        const struct pg_prepared *prepared = st->prepared;
        struct params p = {.values = NULL};
        int rc, sent;

        if (st->n > INT_MAX)
                return -EINVAL;
        if (st->n > 0) {
                rc = reserve(db, st->values, st->n, &p);
                for (size_t i = 0; rc == 0 && i < st->n; i++)
                        rc = put_value(link, &st->values[i], i, &p);
                if (rc != 0)
                        return rc;
        }
        if (is_simple(db, st))
                sent = PQsendQuery(db->conn, st->sql);
        else if (prepared != NULL)
                sent = PQsendQueryPrepared(db->conn, prepared->name, (int)st->n, p.values, p.lengths, p.formats, 0);
        else
                sent = PQsendQueryParams(db->conn, st->sql, (int)st->n, p.types, p.values, p.lengths, p.formats, 0);
        if (db->scratch_size > KEPT_SCRATCH) {
                green_free(db->scratch);
                db->scratch = NULL;
                db->scratch_size = 0;
        }
        return sent ? 0 : green__pg_broken(link, db);
}

/* ---- rows that come as they are sent */

struct gathered {
        PGresult *results[ROWS];
        size_t n, bytes;
        PGresult *last; /* what says that there are no more */
};

static int
next_of_stream(green_db_link *link, struct pg_db *db, PGresult **ret)
{
        *ret = db->held;
        db->held = NULL;
        return *ret != NULL ? 0 : green__pg_result(link, db, ret);
}

/* What is there already, but at least one row, or the end: 1 at the end, 0 where more may come. */
static int
gather(green_db_link *link, struct pg_db *db, struct gathered *g)
{
        while (g->n < ROWS && g->bytes < BATCH_BYTES && (g->n == 0 || g->last != NULL || !PQisBusy(db->conn))) {
                PGresult *r;
                int rc = next_of_stream(link, db, &r);

                if (rc != 0)
                        return rc;
                if (r == NULL)
                        return 1;
                if (green__pg_is_error(r) && g->n > 0) {
                        db->held = r;
                        return 0;
                }
                if (green__pg_is_error(r)) {
                        rc = green__pg_failed(link, db, r);
                        PQclear(r);
                        return green__pg_drop_rest(link, db, rc);
                }
                if (PQresultStatus(r) == PGRES_SINGLE_TUPLE) {
                        g->results[g->n++] = r;
                        g->bytes += PQresultMemorySize(r);
                } else {
                        PQclear(g->last);
                        g->last = r;
                        if (green__pg_is_copy(r))
                                return 0;
                }
        }
        return 0;
}

static void
forget(struct gathered *g)
{
        for (size_t i = 0; i < g->n; i++)
                PQclear(g->results[i]);
        PQclear(g->last);
}

static int
fetch(green_db_link *link, struct pg_db *db, struct green_db_batch *ret)
{
        struct gathered g = {.n = 0};
        int rc = gather(link, db, &g);

        if (rc == 0 && g.last != NULL && green__pg_is_copy(g.last)) {
                forget(&g);
                return green__pg_finish(link, db, NULL);
        }
        if (rc < 0) {
                forget(&g);
                return rc;
        }
        ret->more = rc == 0;
        if (rc == 1) {
                ret->affected = g.last != NULL ? green__pg_affected(g.last) : 0;
                ret->warnings = db->warnings;
        }
        if (g.n == 0 && g.last != NULL && PQnfields(g.last) > 0) {
                /* The names of columns that no row has. */
                g.results[g.n++] = g.last;
                g.last = NULL;
        }
        PQclear(g.last);
        return g.n > 0 ? green__pg_rows(g.results, g.n, true, ret) : 0;
}

/* ---- statements */

static int
all_at_once(green_db_link *link, struct pg_db *db, struct green_db_batch *ret)
{
        PGresult *r;
        int rc = green__pg_finish(link, db, &r);

        if (rc != 0)
                return rc;
        ret->affected = green__pg_affected(r);
        ret->warnings = db->warnings;
        if (PQresultStatus(r) == PGRES_TUPLES_OK)
                return green__pg_rows(&r, 1, false, ret);
        PQclear(r);
        return 0;
}

int
green__pg_query(green_db_link *link, void *vdb, const struct green_db_statement *st, struct green_db_batch *ret)
{
        struct pg_db *db = vdb;
        int rc;

        green__pg_begin(db);
        rc = green__pg_send(link, db, st);
        if (rc == 0 && st->stream && !PQsetSingleRowMode(db->conn))
                rc = green__pg_broken(link, db);
        if (rc == 0)
                rc = green__pg_flush(link, db);
        if (rc != 0)
                return rc;
        return st->stream ? fetch(link, db, ret) : all_at_once(link, db, ret);
}

int
green__pg_fetch(green_db_link *link, void *vdb, struct green_db_batch *ret)
{
        return fetch(link, vdb, ret);
}

/* ---- prepared statements */

void
green__pg_forget_owed(struct pg_db *db)
{
        while (db->owed != NULL) {
                struct pg_prepared *next = db->owed->next;

                green_free(db->owed);
                db->owed = next;
        }
}

/* Run what prepares, or forgets. Where it is cut, settle() finds out what became of it. */
static int
run_for(green_db_link *link, struct pg_db *db, bool sent)
{
        int rc = sent ? 0 : green__pg_broken(link, db);

        if (rc == 0)
                rc = green__pg_flush(link, db);
        return rc == 0 ? green__pg_finish(link, db, NULL) : rc;
}

static bool
was_cut(const struct pg_db *db, int rc)
{
        return rc != 0 && PQtransactionStatus(db->conn) == PQTRANS_ACTIVE;
}

/* The server is told of those that are no longer wanted. In a transaction that has failed it does not listen: later. */
static int
pay(green_db_link *link, struct pg_db *db)
{
        while (db->owed != NULL) {
                PGTransactionStatusType status = PQtransactionStatus(db->conn);
                struct pg_prepared *p = db->owed;
                char sql[64];
                int rc;

                if (status != PQTRANS_IDLE && status != PQTRANS_INTRANS)
                        return 0;
                snprintf(sql, sizeof sql, "deallocate %s", p->name);
                db->owed = p->next;
                db->forgetting = p;
                db->ran = false;
                rc = run_for(link, db, PQsendQuery(db->conn, sql));
                if (was_cut(db, rc))
                        return rc;
                db->forgetting = NULL;
                green_free(p);
                if (rc != 0)
                        return rc;
        }
        return 0;
}

int
green__pg_prepare(green_db_link *link, void *vdb, const char *sql, void **ret_prepared)
{
        struct pg_db *db = vdb;
        struct pg_prepared *p;
        int rc;

        green__pg_begin(db);
        rc = pay(link, db);
        if (rc != 0)
                return rc;
        p = green_calloc(1, sizeof *p);
        if (p == NULL)
                return -ENOMEM;
        snprintf(p->name, sizeof p->name, "green_%lu", ++db->names);
        db->preparing = p;
        db->ran = false;
        rc = run_for(link, db, PQsendPrepare(db->conn, p->name, sql, 0, NULL));
        if (was_cut(db, rc))
                return rc;
        db->preparing = NULL;
        if (rc == 0)
                *ret_prepared = p;
        else
                green_free(p);
        return rc;
}

void
green__pg_unprepare(green_db_link *link, void *vdb, void *prepared, bool tell)
{
        struct pg_db *db = vdb;
        struct pg_prepared *p = prepared;

        if (!tell) {
                green_free(p);
                return;
        }
        p->next = db->owed;
        db->owed = p;
        (void)pay(link, db);
}
