/*
 * The driver for SQLite: a module, db_sqlite.so. Its calls block, and so run in the pool of OS threads, or in place in
 * a raw pool. A connection is one of SQLite's, without its mutex: one call at a time uses it, and what interrupts that
 * from another OS thread is a flag.
 *
 * An interrupt that comes before SQLite has begun to run the statement is lost; so the progress handler looks as well.
 *
 * Transactions begin with `begin immediate`: they wait for their turn to write, for busy_timeout at most. One that
 * begins as a reader and writes later cannot wait, for in WAL what it has read may be old by then: it fails with
 * GREEN_EDBRETRY. Those that only read go side by side with begin=deferred.
 */
#include "sqlite_priv.h"

#include <pthread.h>
#include <stdio.h>

/* Steps of SQLite's machine between two looks at whether the call is to end: some ten microseconds. */
enum { PROGRESS_STEPS = 2000 };

GREEN_API extern const struct green_db_driver green_db_module;

static char version_text[32];
static pthread_once_t version_once = PTHREAD_ONCE_INIT;

static void
make_version(void)
{
        snprintf(version_text, sizeof version_text, "SQLite %s", sqlite3_libversion());
}

static const char *
version(void)
{
        pthread_once(&version_once, make_version);
        return version_text;
}

int
green__sqlite_exec(struct green__sqlite *self, const char *sql)
{
        int rc = sqlite3_exec(self->db, sql, NULL, NULL, NULL);

        if (rc != SQLITE_OK)
                return green__sqlite_fail(self, rc, NULL);
        self->busy_since = 0;
        return 0;
}

/* ---- connections */

static int
progress(void *arg)
{
        const struct green__sqlite *self = arg;

        return green_db_link_interrupted(self->link);
}

/* Of tables whose rows have numbers, and not where a row is there already, and changed. */
static void
updated(void *arg, int what, const char *database, const char *table, sqlite3_int64 number)
{
        struct green__sqlite *self = arg;

        (void)database;
        (void)table;
        (void)number;
        if (what == SQLITE_INSERT)
                self->inserted = true;
}

static void
close_db(green_db_link *link, void *db)
{
        struct green__sqlite *self = db;

        self->link = link;
        green__sqlite_rest(self);
        /* What was prepared is released after it, perhaps. */
        sqlite3_close_v2(self->db);
        sqlite3_free(self->values);
        sqlite3_free(self);
}

static int
open_db(struct green__sqlite *self, const struct green__sqlite_settings *set)
{
        int rc = sqlite3_open_v2(set->path, &self->db, set->flags, NULL);

        if (rc != SQLITE_OK)
                return green__sqlite_fail(self, rc, set->path);
        sqlite3_extended_result_codes(self->db, 1);
        sqlite3_busy_handler(self->db, green__sqlite_busy, self);
        sqlite3_update_hook(self->db, updated, self);
        sqlite3_progress_handler(self->db, PROGRESS_STEPS, progress, self);
        return green__sqlite_apply(self, set);
}

static int
connect_db(green_db_link *link, const struct green_db_params *params, void **ret_db)
{
        struct green__sqlite_settings set;
        struct green__sqlite *self;
        int rc = green__sqlite_settings(link, params, &set);

        if (rc != 0)
                return rc;
        if (!sqlite3_threadsafe())
                return green_db_link_fail(link, GREEN_EDBDRIVER, 0, NULL, "this SQLite was built without threads");
        rc = sqlite3_initialize();
        self = rc == SQLITE_OK ? sqlite3_malloc64(sizeof *self) : NULL;
        if (self == NULL)
                return green_db_link_fail(link, -ENOMEM, SQLITE_NOMEM, "53200", "out of memory");
        *self = (struct green__sqlite){
                .link = link, .begin = set.begin, .busy_limit = (int64_t)(set.busy_timeout * 1e9)};
        self->connecting = true;
        rc = open_db(self, &set);
        self->connecting = false;
        self->busy_since = 0;
        if (rc != 0)
                close_db(link, self);
        else
                *ret_db = self;
        return rc;
}

static bool
in_transaction(void *db)
{
        const struct green__sqlite *self = db;

        return !sqlite3_get_autocommit(self->db);
}

static void
interrupt(void *db)
{
        const struct green__sqlite *self = db;

        sqlite3_interrupt(self->db);
}

static int
settle(green_db_link *link, void *db)
{
        struct green__sqlite *self = db;

        self->link = link;
        self->busy_since = 0;
        green__sqlite_rest(self);
        return 0;
}

/* ---- commands */

static int
begin(struct green__sqlite *self)
{
        int rc = green__sqlite_exec(self, self->begin);

        if (rc == 0)
                self->begun = true;
        return rc;
}

static int
commit(struct green__sqlite *self)
{
        bool open = !sqlite3_get_autocommit(self->db), begun = self->begun;
        int rc;

        self->begun = false;
        if (!open && begun)
                return green_db_link_fail(self->link, GREEN_EDBRETRY, 0, "40000",
                                          "SQLite has rolled the transaction back, at an error before this");
        if (!open)
                return 0;
        rc = green__sqlite_exec(self, "commit");
        if (rc == -EINPROGRESS) {
                self->begun = begun;
                return rc;
        }
        /* It stays open where it cannot end. */
        if (rc != 0 && !sqlite3_get_autocommit(self->db))
                (void)sqlite3_exec(self->db, "rollback", NULL, NULL, NULL);
        return rc;
}

static int
rollback(struct green__sqlite *self)
{
        self->begun = false;
        return sqlite3_get_autocommit(self->db) ? 0 : green__sqlite_exec(self, "rollback");
}

static int
set_isolation(struct green__sqlite *self, int64_t level)
{
        switch (level) {
        case GREEN_DB_READ_UNCOMMITTED:
                return green__sqlite_exec(self, "pragma read_uncommitted=on");
        case GREEN_DB_SERIALIZABLE:
                return green__sqlite_exec(self, "pragma read_uncommitted=off");
        default:
                return -ENOTSUP;
        }
}

static int
command(green_db_link *link, void *db, struct green_db_command *command)
{
        struct green__sqlite *self = db;

        self->link = link;
        green__sqlite_rest(self);
        switch (command->kind) {
        case GREEN_DB_CMD_BEGIN:
                return begin(self);
        case GREEN_DB_CMD_COMMIT:
                return commit(self);
        case GREEN_DB_CMD_ROLLBACK:
                return rollback(self);
        case GREEN_DB_CMD_PING:
                return green__sqlite_exec(self, "select 1");
        case GREEN_DB_CMD_SET_ISOLATION:
                return set_isolation(self, command->number);
        default:
                return -ENOTSUP;
        }
}

static int
info(void *db, enum green_db_info_kind kind, struct green_db_info *ret)
{
        (void)db;
        switch (kind) {
        case GREEN_DB_INFO_CHARACTER_SET:
                ret->text = "UTF-8";
                return 0;
        case GREEN_DB_INFO_SERVER:
                ret->text = version();
                return 0;
        default:
                return -ENOTSUP;
        }
}

GREEN_API const struct green_db_driver green_db_module = {
        .abi = GREEN_DB_DRIVER_ABI,
        .size = sizeof green_db_module,
        .name = "sqlite",
        .features = GREEN_DB_BLOCKS,
        .version = version,
        .connect = connect_db,
        .close = close_db,
        .in_transaction = in_transaction,
        .interrupt = interrupt,
        .settle = settle,
        .query = green__sqlite_query,
        .fetch = green__sqlite_fetch,
        .prepare = green__sqlite_prepare,
        .unprepare = green__sqlite_unprepare,
        .command = command,
        .info = info,
        .literal = green__sqlite_literal,
};
