/*
 * The driver for PostgreSQL: bringing a connection to rest. What the server still does is cancelled, and the rest of
 * what it sends read off.
 *
 * A cancel is a connection of its own, to which libpq has no way that does not block: so it is made in an OS thread.
 * The server ends that connection when it has signalled the process that runs the statement. A process that has not
 * begun with it ignores the signal, so a cancel is sent again where it seems to do nothing; and one that comes after
 * the end of the statement must not hit the next one, so an empty statement goes between.
 */
#include "postgres_priv.h"

#include <poll.h>
#include <time.h>

#include <green/hubs.h>
#include <green/thread.h>
#include <green/tpool.h>

struct ending {
        unsigned cancels;
        double patience; /* seconds between two */
        double due;      /* when the next one is to go, if nothing has ended by then */
        bool early;      /* the last one went when not all of the statement was sent */
        bool looked;     /* what had come by itself was read; a server that sends fast never lets anybody wait */
        bool ends;       /* a COPY was told that it fails: no cancel is needed */
};

/* ---- cancelling */

struct cancel {
        PGcancel *cancel;
        int sent;
        char text[128];
};

static void *
send_cancel(void *arg)
{
        struct cancel *c = arg;

        c->sent = PQcancel(c->cancel, c->text, sizeof c->text);
        return NULL;
}

static void
free_cancel(void *arg, void *result)
{
        struct cancel *c = arg;

        (void)result;
        PQfreeCancel(c->cancel);
        green_free(c);
}

/* Where it is not known whether the server got it, or will get it later, the connection is no good any more. */
static int
cancel(green_db_link *link, struct pg_db *db)
{
        bool abandoned = false;
        const struct green_tpool_opts opts = {.size = sizeof opts, .release = free_cancel, .ret_abandoned = &abandoned};
        struct cancel *c = green_calloc(1, sizeof *c);
        int rc = 0;

        if (c == NULL)
                return -ENOMEM;
        c->cancel = PQgetCancel(db->conn);
        if (c->cancel == NULL) {
                green_free(c);
                return green__pg_broken(link, db);
        }
        if (green_getcurrent() != NULL)
                rc = green_tpool_execute(send_cancel, c, &opts, NULL);
        else
                (void)send_cancel(c);
        if (abandoned)
                return rc;
        if (rc == 0 && !c->sent)
                rc = green__pg_tell(link, GREEN_EDBLOST, "08006", c->text);
        free_cancel(c, NULL);
        return rc;
}

/* ---- reading off */

/* Until it can be read or the time is over: 0 in either case; or a code. */
static int
wait_a_little(green_db_link *link, green_fd fd, double seconds)
{
        struct pollfd p = {.fd = (int)fd, .events = POLLIN};
        int rc;

        if (green_getcurrent() != NULL) {
                rc = green_trampoline(fd, GREEN_READ, seconds);
                return rc == -ETIMEDOUT ? 0 : rc;
        }
        if (green_db_link_interrupted(link))
                return -ECANCELED;
        rc = poll(&p, 1, (int)(seconds * 1000));
        return rc < 0 && errno != EINTR ? -errno : 0;
}

static double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* There is more to come: have the server stop, unless it was told a short while ago. */
static int
stop_and_wait(green_db_link *link, struct pg_db *db, struct ending *e, bool unsent)
{
        int rc;

        if (!e->ends && (e->cancels == 0 || now() >= e->due || (e->early && !unsent))) {
                rc = cancel(link, db);
                if (rc != 0)
                        return rc;
                e->cancels++;
                e->early = unsent;
                e->patience = e->patience == 0 ? 0.02 : e->patience < 0.5 ? e->patience * 2 : 1;
                e->due = now() + e->patience;
        }
        if (unsent) {
                rc = green_db_link_wait(link, db->fd, GREEN_READ | GREEN_WRITE);
                return rc < 0 ? rc : 0;
        }
        if (e->ends) {
                rc = green_db_link_wait(link, db->fd, GREEN_READ);
                return rc < 0 ? rc : 0;
        }
        return wait_a_little(link, db->fd, e->patience);
}

/* Until there is a result. */
static int
await(green_db_link *link, struct pg_db *db, struct ending *e)
{
        for (;;) {
                int unsent = PQflush(db->conn), rc;

                if (unsent < 0 || PQstatus(db->conn) == CONNECTION_BAD)
                        return green__pg_broken(link, db);
                if (unsent == 0 && !PQisBusy(db->conn))
                        return 0;
                rc = e->looked ? stop_and_wait(link, db, e, unsent == 1) : 0;
                if (rc != 0)
                        return rc;
                e->looked = true;
                if (!PQconsumeInput(db->conn))
                        return green__pg_broken(link, db);
        }
}

static int
read_off_copy(green_db_link *link, struct pg_db *db, struct ending *e)
{
        for (;;) {
                char *data = NULL;
                int n = PQgetCopyData(db->conn, &data, 1), rc;

                if (data != NULL)
                        PQfreemem(data);
                if (n < 0)
                        return 0; /* the result is next */
                if (n > 0)
                        continue;
                rc = stop_and_wait(link, db, e, false);
                if (rc == 0 && !PQconsumeInput(db->conn))
                        rc = green__pg_broken(link, db);
                if (rc != 0)
                        return rc;
        }
}

/* What a result asks for: 0, or a code. */
static int
take(green_db_link *link, struct pg_db *db, struct ending *e, PGresult *r)
{
        ExecStatusType status = PQresultStatus(r);

        if (status == PGRES_COMMAND_OK)
                db->ran = true;
        PQclear(r);
        switch (status) {
        case PGRES_COPY_IN:
                e->ends = true;
                return PQputCopyEnd(db->conn, "the call was cut short") >= 0 ? 0 : green__pg_broken(link, db);
        case PGRES_COPY_OUT: return read_off_copy(link, db, e);
        case PGRES_COPY_BOTH: return green__pg_tell(link, GREEN_EDBLOST, NULL, "replication cannot be ended");
        case PGRES_PIPELINE_SYNC:
                db->syncs--;
                e->due = 0; /* what comes behind it is not cancelled yet */
                return 0;
        default: return 0;
        }
}

/* All results, ended by NULL; of a pipeline, up to its last sync. */
static int
read_off(green_db_link *link, struct pg_db *db, struct ending *e)
{
        bool piped = PQpipelineStatus(db->conn) != PQ_PIPELINE_OFF;
        int ends = 0;

        while (!piped || db->syncs > 0) {
                PGresult *r;
                int rc = await(link, db, e);

                if (rc != 0)
                        return rc;
                r = PQgetResult(db->conn);
                if (r == NULL && !piped)
                        return 0;
                if (r == NULL && ++ends > 1)
                        return green__pg_broken(link, db);
                if (r == NULL)
                        continue;
                ends = 0;
                rc = take(link, db, e, r);
                if (rc != 0)
                        return rc;
        }
        return 0;
}

/* ---- all of it */

static int
end_pipeline(green_db_link *link, struct pg_db *db, struct ending *e)
{
        int rc;

        if (db->unsynced > 0 || db->syncs == 0) {
                if (!PQpipelineSync(db->conn))
                        return green__pg_broken(link, db);
                db->unsynced = 0;
                db->syncs++;
        }
        rc = read_off(link, db, e);
        if (rc != 0)
                return rc;
        return PQexitPipelineMode(db->conn) ? 0 : green__pg_broken(link, db);
}

/* Take the blow of a cancel that comes late. */
static int
swallow(green_db_link *link, struct pg_db *db)
{
        int rc = green__pg_simple(link, db, "", NULL);

        return rc == GREEN_EDB ? 0 : rc;
}

/* A prepare that was cut, or a deallocate: is the statement at the server? */
static void
look_after_prepared(struct pg_db *db)
{
        struct pg_prepared *there = db->ran ? db->preparing : db->forgetting;
        struct pg_prepared *gone = db->ran ? db->forgetting : db->preparing;

        db->preparing = db->forgetting = NULL;
        green_free(gone);
        if (there != NULL) {
                there->next = db->owed;
                db->owed = there;
        }
}

int
green__pg_settle(green_db_link *link, void *vdb)
{
        struct pg_db *db = vdb;
        struct ending e = {.cancels = 0};
        int rc = 0;

        PQclear(db->held);
        db->held = NULL;
        if (db->copy_data != NULL)
                PQfreemem(db->copy_data);
        db->copy_data = NULL;
        if (PQstatus(db->conn) == CONNECTION_BAD || db->dying)
                return green__pg_broken(link, db);
        if (PQpipelineStatus(db->conn) != PQ_PIPELINE_OFF)
                rc = end_pipeline(link, db, &e);
        else if (PQtransactionStatus(db->conn) == PQTRANS_ACTIVE)
                rc = read_off(link, db, &e);
        green__pg_look(link, db);
        if (rc == 0)
                look_after_prepared(db);
        if (rc == 0 && e.cancels > 0)
                rc = swallow(link, db);
        return rc;
}
