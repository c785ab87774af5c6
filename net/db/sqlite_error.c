/*
 * The driver for SQLite: errors, and waiting for locks.
 */
#include "sqlite_priv.h"

#include <string.h>
#include <time.h>

/* What an error of SQLite is here: by its whole number first, then by the lowest eight bits. */
struct meaning {
        int number;
        int code;
        const char *sqlstate;
};

static const struct meaning extended[] = {
        {SQLITE_BUSY_SNAPSHOT, GREEN_EDBRETRY, "40001"},
        {SQLITE_CONSTRAINT_CHECK, GREEN_EDBCONSTRAINT, "23514"},
        {SQLITE_CONSTRAINT_FOREIGNKEY, GREEN_EDBCONSTRAINT, "23503"},
        {SQLITE_CONSTRAINT_NOTNULL, GREEN_EDBCONSTRAINT, "23502"},
        {SQLITE_CONSTRAINT_PRIMARYKEY, GREEN_EDBCONSTRAINT, "23505"},
        {SQLITE_CONSTRAINT_ROWID, GREEN_EDBCONSTRAINT, "23505"},
        {SQLITE_CONSTRAINT_UNIQUE, GREEN_EDBCONSTRAINT, "23505"},
        {SQLITE_IOERR_NOMEM, -ENOMEM, "53200"},
        {0, 0, NULL},
};

static const struct meaning primary[] = {
        {SQLITE_AUTH, GREEN_EDB, "42501"},        {SQLITE_BUSY, GREEN_EDBRETRY, "55P03"},
        {SQLITE_CANTOPEN, GREEN_EDB, "58030"},    {SQLITE_CONSTRAINT, GREEN_EDBCONSTRAINT, "23000"},
        {SQLITE_CORRUPT, GREEN_EDB, "XX001"},     {SQLITE_FULL, GREEN_EDB, "53100"},
        {SQLITE_INTERRUPT, -ECANCELED, "57014"},  {SQLITE_IOERR, GREEN_EDB, "XX001"},
        {SQLITE_LOCKED, GREEN_EDBRETRY, "55P03"}, {SQLITE_MISMATCH, GREEN_EDB, "22018"},
        {SQLITE_NOMEM, -ENOMEM, "53200"},         {SQLITE_NOTADB, GREEN_EDB, "XX001"},
        {SQLITE_PERM, GREEN_EDB, "42501"},        {SQLITE_READONLY, GREEN_EDB, "42501"},
        {SQLITE_TOOBIG, GREEN_EDB, "54000"},      {0, 0, NULL},
};

/* SQLITE_ERROR says what it is in words alone. */
static const struct {
        const char *words, *sqlstate;
} by_words[] = {
        {"no such table", "42P01"},    {"no such column", "42703"}, {"syntax error", "42601"},
        {"incomplete input", "42601"}, {"already exists", "42P07"}, {"no such function", "42883"},
};

static const struct meaning *
look_up(const struct meaning *list, int number)
{
        while (list->sqlstate != NULL && list->number != number)
                list++;
        return list;
}

/* Tells of what a call of SQLite failed with; of a file that cannot be opened, if path is there, which one. */
int
green__sqlite_fail(struct green__sqlite *self, int rc, const char *path)
{
        const char *message = self->db != NULL ? sqlite3_errmsg(self->db) : sqlite3_errstr(rc);
        int number = self->db != NULL ? sqlite3_extended_errcode(self->db) : rc;
        const struct meaning *meaning;
        const char *sqlstate = NULL;

        /* What did not come from SQLite. */
        if ((number & 0xff) != (rc & 0xff)) {
                number = rc;
                message = sqlite3_errstr(rc);
        }
        if ((rc & 0xff) == SQLITE_CANTOPEN && path != NULL)
                return green_db_link_fail(self->link, GREEN_EDBLOGIN, number, "3D000", "%s: %s", message, path);
        if (!self->connecting && green__sqlite_again(self, rc))
                return -EINPROGRESS;
        /* A wait for a lock that was told to end is no conflict. */
        if ((rc & 0xff) == SQLITE_BUSY && green_db_link_interrupted(self->link))
                return green_db_link_fail(self->link, -ECANCELED, number, "57014", "%s", message);
        meaning = look_up(extended, number);
        if (meaning->sqlstate == NULL)
                meaning = look_up(primary, number & 0xff);
        if (meaning->sqlstate != NULL)
                return green_db_link_fail(self->link, meaning->code, number, meaning->sqlstate, "%s", message);
        for (size_t i = 0; i < sizeof by_words / sizeof *by_words && sqlstate == NULL; i++)
                if (strstr(message, by_words[i].words) != NULL)
                        sqlstate = by_words[i].sqlstate;
        return green_db_link_fail(self->link, GREEN_EDB, number, sqlstate, "%s", message);
}

int64_t
green__sqlite_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/*
 * SQLite's busy handler. Once it is connected it gives up at once: the call is made again a little later, and keeps no
 * OS thread, which who holds the lock may need.
 */
int
green__sqlite_busy(void *arg, int count)
{
        enum { LONGEST = 20 };
        struct green__sqlite *self = arg;
        int64_t now = green__sqlite_now();
        struct timespec delay;

        if (self->busy_since == 0)
                self->busy_since = now;
        if (!self->connecting || now - self->busy_since >= self->busy_limit || green_db_link_interrupted(self->link))
                return 0;
        delay = (struct timespec){.tv_nsec = (count < LONGEST ? count + 1 : LONGEST) * 1000000L};
        nanosleep(&delay, NULL);
        return 1;
}

/* Is a call that failed so to be made again? Only where the handler was asked: where it was not a wait would be for
 * ever. */
bool
green__sqlite_again(struct green__sqlite *self, int rc)
{
        if ((rc & 0xff) == SQLITE_BUSY && self->busy_since != 0 && !green_db_link_interrupted(self->link) &&
            green__sqlite_now() - self->busy_since < self->busy_limit)
                return true;
        self->busy_since = 0;
        return false;
}
