/*
 * A database driver for tests. See db_mock.h.
 */
#include "db_mock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <green/db.h>

#ifdef DB_MOCK_PIPES
enum { EVERY_COMMAND = 1 };
#else
enum { EVERY_COMMAND = 0 };
#endif

struct db {
        struct db_mock *m;
        bool in_transaction, mid; /* mid: an exchange is going on, or was left */
        long next, rows;          /* of a result that is read as it comes */
        char sent[16][32];        /* in a pipeline, and not answered */
        int n_sent;
        bool piping, skips;       /* skips: one has failed */
        char copying;             /* 'i': in, 'o': out, 0: no */
        int copied;
};

static const char *
version(void)
{
        return "mock 1";
}

/* The exchange begins; whoever did not end the last one is noticed. */
static void
begin_exchange(struct db *db)
{
        if (db->mid)
                atomic_fetch_add(&db->m->violations, 1);
        db->mid = true;
}

/* Until the gate is open. An exchange that is cut here stays begun. */
static int
wait_for_gate(green_db_link *link, struct db_mock *m)
{
        int rc;

        atomic_fetch_add(&m->waiting, 1);
        rc = green_db_link_wait(link, m->gate, GREEN_READ);
        atomic_fetch_sub(&m->waiting, 1);
        return rc > 0 ? 0 : rc;
}

static int
connect_mock(green_db_link *link, const struct green_db_params *params, void **ret_db)
{
        struct db_mock *m = NULL;
        struct db *db;
        int rc;

        for (const char *const *o = params->options; o != NULL && *o != NULL; o++)
                if (strncmp(*o, "mock=", 5) == 0)
                        m = (struct db_mock *)(uintptr_t)strtoull(*o + 5, NULL, 16);
        if (m == NULL)
                return green_db_link_fail(link, -EINVAL, 0, NULL, "no mock");
        rc = atomic_load(&m->connect_waits) ? wait_for_gate(link, m) : 0;
        if (rc == 0 && m->connecting != NULL)
                rc = m->connecting(m->arg);
        if (rc == 0)
                rc = atomic_load(&m->connect_rc);
        if (rc != 0)
                return rc == GREEN_EDBLOGIN ? green_db_link_fail(link, rc, 1045, "28000", "no such user") : rc;
        db = calloc(1, sizeof *db);
        if (db == NULL)
                return -ENOMEM;
        db->m = m;
        atomic_fetch_add(&m->connects, 1);
        *ret_db = db;
        return 0;
}

static void
close_mock(green_db_link *link, void *arg)
{
        struct db *db = arg;

        (void)link;
        atomic_fetch_add(&db->m->closes, 1);
        free(db);
}

static bool
alive(void *arg)
{
        struct db *db = arg;

        atomic_fetch_add(&db->m->alives, 1);
        return !atomic_load(&db->m->dead);
}

static bool
in_transaction(void *arg)
{
        return ((struct db *)arg)->in_transaction;
}

static void
interrupt(void *arg)
{
        atomic_fetch_add(&((struct db *)arg)->m->interrupts, 1);
}

static int
settle(green_db_link *link, void *arg)
{
        struct db *db = arg;
        int rc;

        atomic_fetch_add(&db->m->settles, 1);
        rc = atomic_load(&db->m->settle_waits) ? wait_for_gate(link, db->m) : 0;
        if (rc == 0)
                rc = atomic_load(&db->m->settle_rc);
        if (rc == 0) {
                db->mid = db->piping = db->skips = false;
                db->rows = db->next = db->n_sent = db->copying = 0;
        }
        return rc;
}

/* ---- statements */

static int
give_rows(struct db *db, struct green_db_batch *ret, long n)
{
        static const char *const names[] = {"n"};
        green_db_rows *rows = green_db_rows_new(1, names);

        for (long i = 0; rows != NULL && i < n; i++) {
                struct green_db_value v = green_db_int64(db->next++);

                if (green_db_rows_add(rows, &v) != 0) {
                        green_db_rows_free(rows);
                        return -ENOMEM;
                }
        }
        if (rows == NULL)
                return -ENOMEM;
        green_db_rows_finish(rows, ret);
        ret->more = db->next < db->rows;
        if (!ret->more) {
                db->mid = false;
                ret->warnings = 2;
        }
        return 0;
}

static int
echo(struct db *db, const struct green_db_statement *st, struct green_db_batch *ret)
{
        static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
        green_db_rows *rows = green_db_rows_new(st->n, st->n <= 8 ? names : NULL);

        if (rows == NULL || green_db_rows_add(rows, st->values) != 0) {
                green_db_rows_free(rows);
                return -ENOMEM;
        }
        green_db_rows_finish(rows, ret);
        db->mid = false;
        return 0;
}

static int
query(green_db_link *link, void *arg, const struct green_db_statement *st, struct green_db_batch *ret)
{
        const char *sql = st->prepared != NULL ? st->prepared : st->sql;
        struct db *db = arg;
        int rc = 0;

        begin_exchange(db);
        atomic_fetch_add(&db->m->queries, 1);
        if (strncmp(sql, "rows ", 5) == 0) {
                db->next = 0;
                db->rows = strtol(sql + 5, NULL, 10);
                return give_rows(db, ret, st->stream && db->rows > 3 ? 3 : db->rows);
        }
        if (strcmp(sql, "echo") == 0)
                return echo(db, st, ret);
        if (strcmp(sql, "wait") == 0 && (rc = wait_for_gate(link, db->m)) != 0)
                return rc;
        db->mid = false;
        if (strncmp(sql, "affect ", 7) == 0) {
                ret->affected = strtol(sql + 7, NULL, 10);
                ret->insert_id = 100 + ret->affected;
        }
        if (strncmp(sql, "fail ", 5) == 0)
                return green_db_link_fail(link, (int)strtol(sql + 5, NULL, 10), 1062, "23505", "told to fail: %s", sql);
        if (strcmp(sql, "lost") == 0)
                return green_db_link_fail(link, GREEN_EDBLOST, 2006, "08006", "the server has gone");
        return atomic_load(&db->m->query_rc);
}

static int
fetch(green_db_link *link, void *arg, struct green_db_batch *ret)
{
        struct db *db = arg;
        long left = db->rows - db->next;
        int rc = 0;

        if (db->rows == 1000 && db->next == 6 && (rc = wait_for_gate(link, db->m)) != 0)
                return rc;
        return give_rows(db, ret, left > 3 ? 3 : left);
}

static int
prepare(green_db_link *link, void *arg, const char *sql, void **ret_prepared)
{
        struct db *db = arg;

        begin_exchange(db);
        db->mid = false;
        if (strcmp(sql, "bad") == 0)
                return green_db_link_fail(link, GREEN_EDB, 1064, "42601", "no such statement");
        *ret_prepared = strdup(sql);
        if (*ret_prepared == NULL)
                return -ENOMEM;
        atomic_fetch_add(&db->m->prepares, 1);
        atomic_fetch_add(&db->m->statements, 1);
        return 0;
}

static void
unprepare(green_db_link *link, void *arg, void *prepared, bool tell)
{
        struct db *db = arg;

        (void)link;
        if (tell)
                atomic_fetch_add(&db->m->unprepares, 1);
        atomic_fetch_sub(&db->m->statements, 1);
        free(prepared);
}

static int
command(green_db_link *link, void *arg, struct green_db_command *c)
{
        struct db *db = arg;
        int rc = 0;

        begin_exchange(db);
        switch ((int)c->kind) {
        case GREEN_DB_CMD_BEGIN:
                atomic_fetch_add(&db->m->begins, 1);
                db->in_transaction = true;
                break;
        case GREEN_DB_CMD_COMMIT:
                atomic_fetch_add(&db->m->commits, 1);
                db->in_transaction = false;
                break;
        case GREEN_DB_CMD_ROLLBACK:
                atomic_fetch_add(&db->m->rollbacks, 1);
                if (atomic_load(&db->m->rollback_waits) && (rc = wait_for_gate(link, db->m)) != 0)
                        return rc;
                rc = atomic_load(&db->m->rollback_rc);
                db->in_transaction = rc != 0;
                break;
        case GREEN_DB_CMD_RESET: atomic_fetch_add(&db->m->resets, 1); break;
        case GREEN_DB_CMD_PING: break;
        case GREEN_DB_CMD_STAT: snprintf(c->out, c->out_size, "fine"); break;
        case GREEN_DB_CMD_SHOW_WARNINGS: {
                struct green_db_statement st = {.n = 1};
                struct green_db_value v = green_db_text("careful");

                st.values = &v;
                return echo(db, &st, c->batch);
        }
        default: rc = EVERY_COMMAND ? 0 : -ENOTSUP;
        }
        db->mid = false;
        return rc;
}

static int
info(void *arg, enum green_db_info_kind kind, struct green_db_info *ret)
{
        (void)arg;
        switch (kind) {
        case GREEN_DB_INFO_CHARACTER_SET: ret->text = "UTF-8"; return 0;
        case GREEN_DB_INFO_SERVER: ret->text = "mock 1.2"; return 0;
        case GREEN_DB_INFO_THREAD_ID: ret->number = 42; return 0;
        case GREEN_DB_INFO_CAPABILITIES: break;
        }
        return EVERY_COMMAND ? 0 : -ENOTSUP;
}

static int
literal(void *arg, const struct green_db_value *v, char *text, size_t len)
{
        (void)arg;
        if (v->type == GREEN_DB_TEXT)
                return snprintf(text, len, "'%s'", (const char *)v->data);
        return snprintf(text, len, "%lld", (long long)v->number);
}

#ifdef DB_MOCK_PIPES

/* ---- pipelines */

/* Not where it belongs. */
static void
want(struct db *db, bool there)
{
        if (!there)
                atomic_fetch_add(&db->m->violations, 1);
}

static int
pipeline_begin(green_db_link *link, void *arg)
{
        struct db *db = arg;

        (void)link;
        begin_exchange(db);
        db->piping = true;
        return 0;
}

static int
send_mock(green_db_link *link, void *arg, const struct green_db_statement *st)
{
        const char *sql = st->prepared != NULL ? st->prepared : st->sql;
        struct db *db = arg;

        want(db, db->piping && db->n_sent < 16);
        if (strcmp(sql, "wait") == 0) {
                int rc = wait_for_gate(link, db->m);

                if (rc != 0)
                        return rc;
        }
        snprintf(db->sent[db->n_sent++], sizeof db->sent[0], "%s", sql);
        return 0;
}

static int
receive(green_db_link *link, void *arg, struct green_db_batch *ret)
{
        struct green_db_statement st = {.sql = NULL};
        struct db *db = arg;
        char sql[32];
        int rc;

        want(db, db->piping);
        if (db->n_sent == 0) {
                db->skips = false;
                return 0;
        }
        memcpy(sql, db->sent[0], sizeof sql);
        if (!db->skips) {
                st.sql = sql;
                db->mid = false;
                rc = query(link, db, &st, ret);
                db->mid = true;
                if (rc == -ENOMEM)
                        return rc;
                db->skips = rc != 0;
        } else {
                rc = -ECANCELED;
        }
        db->n_sent--;
        memmove(db->sent[0], db->sent[1], (size_t)db->n_sent * sizeof db->sent[0]);
        return rc == 0 ? 1 : rc;
}

static int
pipeline_end(green_db_link *link, void *arg)
{
        struct db *db = arg;

        (void)link;
        want(db, db->piping && db->n_sent == 0);
        db->mid = db->piping = false;
        return 0;
}

/* ---- COPY */

static int
copy_begin(green_db_link *link, void *arg, const char *sql, bool in)
{
        struct db *db = arg;

        begin_exchange(db);
        if (strcmp(sql, "copy") != 0) {
                db->mid = false;
                return green_db_link_fail(link, GREEN_EDB, 0, "42601", "no COPY");
        }
        db->copying = in ? 'i' : 'o';
        db->copied = 0;
        return 0;
}

static int
copy_put(green_db_link *link, void *arg, const void *data, size_t len)
{
        struct db *db = arg;

        want(db, db->copying == 'i');
        if (len == 4 && memcmp(data, "wait", 4) == 0) {
                int rc = wait_for_gate(link, db->m);

                if (rc != 0)
                        return rc;
        }
        db->copied++;
        return 0;
}

static int
copy_get(green_db_link *link, void *arg, const void **ret_data, size_t *ret_len)
{
        struct db *db = arg;

        (void)link;
        want(db, db->copying == 'o');
        if (db->copied++ < 3) {
                *ret_data = "piece\n";
                *ret_len = 6;
                return 1;
        }
        db->copying = 0;
        db->mid = false;
        return 0;
}

static int
copy_end(green_db_link *link, void *arg, const char *error, int64_t *ret_rows)
{
        struct db *db = arg;

        (void)link;
        want(db, db->copying != 0);
        *ret_rows = error == NULL ? db->copied : 0;
        db->copying = 0;
        db->mid = false;
        return 0;
}

/* ---- notifications */

static int
notification(green_db_link *link, void *arg, struct green_db_notification *ret, bool at_once)
{
        struct db *db = arg;
        int rc;

        want(db, !db->mid);
        if (atomic_load(&db->m->notes) > 0)
                atomic_fetch_sub(&db->m->notes, 1);
        else if (at_once)
                return -EAGAIN;
        else if ((rc = wait_for_gate(link, db->m)) != 0)
                return rc;
        *ret = (struct green_db_notification){"news", "", 7};
        return 0;
}

#endif

GREEN_API extern const struct green_db_driver green_db_module;

const struct green_db_driver green_db_module = {
        .abi = GREEN_DB_DRIVER_ABI,
        .size = sizeof(struct green_db_driver),
#if defined(DB_MOCK_PIPES)
        .name = "mock_pipes",
        .pipeline_begin = pipeline_begin,
        .send = send_mock,
        .receive = receive,
        .pipeline_end = pipeline_end,
        .copy_begin = copy_begin,
        .copy_put = copy_put,
        .copy_get = copy_get,
        .copy_end = copy_end,
        .notification = notification,
#elif defined(DB_MOCK_BLOCKS)
        .name = "mock_blocks",
        .features = GREEN_DB_BLOCKS,
#else
        .name = "mock",
#endif
        .version = version,
        .connect = connect_mock,
        .close = close_mock,
        .alive = alive,
        .in_transaction = in_transaction,
        .interrupt = interrupt,
        .settle = settle,
        .query = query,
        .fetch = fetch,
        .prepare = prepare,
        .unprepare = unprepare,
        .command = command,
        .info = info,
        .literal = literal,
};
