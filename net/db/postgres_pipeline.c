/*
 * The driver for PostgreSQL: pipelines. The first receive() behind statements that were sent sends a sync: up to there
 * the server skips what comes after one that failed.
 */
#include "postgres_priv.h"

enum { FLUSH_BYTES = 32 * 1024, ABOUT_A_STATEMENT = 64 };

int
green__pg_pipeline_begin(green_db_link *link, void *vdb)
{
        struct pg_db *db = vdb;

        green__pg_begin(db);
        db->unsynced = db->syncs = db->unflushed = 0;
        return PQenterPipelineMode(db->conn) ? 0 : green__pg_broken(link, db);
}

static size_t
about_bytes(const struct green_db_statement *st)
{
        size_t n = ABOUT_A_STATEMENT + (st->sql != NULL ? strlen(st->sql) : 0);

        for (size_t i = 0; i < st->n; i++)
                n += 16 + (st->values[i].type >= GREEN_DB_TEXT ? st->values[i].len : 0);
        return n;
}

int
green__pg_pipeline_send(green_db_link *link, void *vdb, const struct green_db_statement *st)
{
        struct pg_db *db = vdb;
        int rc = green__pg_send(link, db, st);

        if (rc != 0)
                return rc;
        db->unsynced++;
        db->unflushed += about_bytes(st);
        if (db->unflushed < FLUSH_BYTES)
                return 0;
        db->unflushed = 0;
        return green__pg_flush(link, db);
}

static int
sync(green_db_link *link, struct pg_db *db)
{
        if (db->unsynced == 0)
                return 0;
        if (!PQpipelineSync(db->conn))
                return green__pg_broken(link, db);
        db->unsynced = 0;
        db->syncs++;
        db->unflushed = 0;
        return green__pg_flush(link, db);
}

/* libpq gives the rows of a pipeline's first statement one by one if those of the last statement before it came so. */
struct singles {
        PGresult **results;
        size_t n, room;
};

static int
add_single(struct singles *s, PGresult *r)
{
        if (s->n == s->room) {
                size_t room = s->room > 0 ? s->room * 2 : 16;
                PGresult **more = green_realloc(s->results, room * sizeof(PGresult *));

                if (more == NULL) {
                        PQclear(r);
                        return -ENOMEM;
                }
                s->results = more;
                s->room = room;
        }
        s->results[s->n++] = r;
        return 0;
}

/* r is the first one. */
static int
singles(green_db_link *link, struct pg_db *db, PGresult *r, struct green_db_batch *ret)
{
        struct singles s = {.n = 0};
        int rc = 0;

        while (rc == 0 && r != NULL && PQresultStatus(r) == PGRES_SINGLE_TUPLE) {
                rc = add_single(&s, r);
                r = NULL;
                if (rc == 0)
                        rc = green__pg_result(link, db, &r);
        }
        if (rc == 0 && r != NULL && green__pg_is_error(r))
                rc = green__pg_failed(link, db, r);
        else if (rc == 0 && r != NULL)
                ret->affected = green__pg_affected(r);
        PQclear(r);
        if (rc == 0)
                rc = green__pg_rows(s.results, s.n, true, ret);
        else
                for (size_t i = 0; i < s.n; i++)
                        PQclear(s.results[i]);
        green_free(s.results);
        return rc == 0 ? 1 : rc;
}

/* Of one statement. */
static int
answer(green_db_link *link, struct pg_db *db, PGresult *r, struct green_db_batch *ret)
{
        ExecStatusType status = PQresultStatus(r);
        int rc = 1;

        if (status == PGRES_SINGLE_TUPLE)
                return singles(link, db, r, ret);
        if (status == PGRES_PIPELINE_ABORTED) {
                rc = green_db_link_fail(link, -ECANCELED, 0, "25P02",
                                        "a statement before it in the pipeline has failed");
        } else if (green__pg_is_error(r)) {
                rc = green__pg_failed(link, db, r);
        } else {
                ret->affected = green__pg_affected(r);
                ret->warnings = db->warnings;
                if (status == PGRES_TUPLES_OK) {
                        rc = green__pg_rows(&r, 1, false, ret);
                        return rc == 0 ? 1 : rc;
                }
        }
        PQclear(r);
        return rc;
}

int
green__pg_pipeline_receive(green_db_link *link, void *vdb, struct green_db_batch *ret)
{
        struct pg_db *db = vdb;
        int rc = sync(link, db), ends = 0;

        while (rc == 0 && db->syncs > 0) {
                PGresult *r;

                rc = green__pg_result(link, db, &r);
                if (rc != 0)
                        break;
                if (r == NULL) {
                        /* Between the answers of two statements. */
                        if (++ends > 1)
                                return green__pg_broken(link, db);
                        continue;
                }
                ends = 0;
                if (PQresultStatus(r) != PGRES_PIPELINE_SYNC)
                        return answer(link, db, r, ret);
                PQclear(r);
                db->syncs--;
        }
        return rc;
}

int
green__pg_pipeline_end(green_db_link *link, void *vdb)
{
        struct pg_db *db = vdb;

        return PQexitPipelineMode(db->conn) ? 0 : green__pg_broken(link, db);
}
