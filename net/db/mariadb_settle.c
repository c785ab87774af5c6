/*
 * A connection that a call was cut short on, or whose rows are not wanted, is brought to rest.
 *
 * The server is told by another connection to end the statement (KILL QUERY), and what it still says is read off. That it is
 * told too early, before it has begun with the statement, or too late, is not to be known: so it is told again until it
 * answers; and in the end a statement that does nothing is run, which takes an order that came too late.
 */
#include "mariadb_priv.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static bool
is_readable(const struct maria *db)
{
        struct pollfd p = {.fd = db->fd, .events = POLLIN};

        return db->fd < 0 || poll(&p, 1, 0) > 0;
}

/*
 * Over another connection, which is also what takes time between two orders. Where rows have come, and no call is suspended, once
 * will do: the server is at the statement, or has done with it, and what it says may be in libmariadb's buffer already.
 */
static int
tell_to_end(struct maria *db, struct maria *other)
{
        const double shortest = 0.001, longest = 0.1;
        char order[64], sleep[64];
        int rc;

        snprintf(order, sizeof order, "KILL QUERY %lu", mysql_thread_id(&db->my));
        for (double pause = shortest;; pause = pause < longest ? pause * 2 : longest) {
                rc = maria_run_text(other, order);
                if (rc != 0 || db->step == NULL || is_readable(db))
                        return rc;
                snprintf(sleep, sizeof sleep, "DO SLEEP(%d.%03d)", (int)pause, (int)(pause * 1000) % 1000);
                rc = maria_run_text(other, sleep);
                if (rc != 0 || is_readable(db))
                        return rc;
        }
}

static int
end_at_server(struct maria *db)
{
        struct maria *other = green_calloc(1, sizeof *other);
        struct maria_config config = *db->config;
        int rc;

        config.database = config.init_command = NULL; /* which might be gone, or do something */
        rc = other != NULL ? maria_open(other, db->link, &config) : -ENOMEM;

        if (rc == 0) {
                rc = tell_to_end(db, other);
                maria_shut(other);
        }
        green_free(other);
        return rc;
}

/* Take the call that was cut to its end. */
static int
finish_call(struct maria *db)
{
        maria_step step = db->step;
        int rc = maria_resume(db);

        if (rc != 0)
                return rc;
        if (step == maria_step_stmt_close)
                db->stmt = NULL;
        if (step == maria_step_stmt_fetch && db->ret.i == MYSQL_NO_DATA)
                maria_look_at_end(db);
        return db->fd >= 0 ? 0 : GREEN_EDBLOST;
}

/* Errors are those of the statement that takes the order. */
static int
take_late_order(struct maria *db)
{
        int rc = maria_run_text(db, "DO SLEEP(0)");

        return db->step != NULL || db->fd < 0 ? rc : 0;
}

int
maria_settle(green_db_link *link, void *data)
{
        enum { FEW = 100 }; /* rows that are sooner read than the server is told */
        struct maria *db = data;
        bool told = false;
        int rc = 0;

        db->link = link;
        if (db->fd < 0)
                return GREEN_EDBLOST;
        if (db->step != NULL && db->killable)
                rc = maria_send_rest(db);
        if (rc == 0 && db->step != NULL && db->killable && !is_readable(db)) {
                rc = end_at_server(db);
                told = true;
        }
        if (rc == 0 && db->step != NULL)
                rc = finish_call(db);
        if (rc == 0)
                rc = maria_read_off(db, told ? SIZE_MAX : FEW);
        if (rc > 0) {
                rc = end_at_server(db);
                told = true;
                if (rc == 0)
                        rc = maria_read_off(db, SIZE_MAX);
        }
        if (rc == 0 && told)
                rc = take_late_order(db);
        return rc;
}
