/*
 * The driver for SQLite: what a connection is made with.
 */
#include "sqlite_priv.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* How an option is read, and where that goes in struct green__sqlite_settings. */
enum kind { SECONDS, TRUTH, NUMBER, WORD };

struct option {
        const char *name;
        enum kind kind;
        size_t place;
        const char *words; /* WORD: what it may be, with blanks around */
        const char *says;  /* what there is, for messages */
};

#define AT(member) offsetof(struct green__sqlite_settings, member)

static const struct option options[] = {
        {"begin", WORD, AT(begin), " immediate deferred exclusive ", "immediate|deferred|exclusive"},
        {"busy_timeout", SECONDS, AT(busy_timeout), NULL, "SECONDS"},
        {"cache", TRUTH, AT(shared), " private shared ", "private|shared"},
        {"cache_size", NUMBER, AT(cache_size), NULL, "NUMBER"},
        {"create", TRUTH, AT(create), NULL, "0|1"},
        {"foreign_keys", TRUTH, AT(foreign_keys), NULL, "0|1"},
        {"journal_mode", WORD, AT(journal_mode), " delete truncate persist memory wal off ",
         "delete|truncate|persist|memory|wal|off"},
        {"mmap_size", NUMBER, AT(mmap_size), NULL, "NUMBER"},
        {"readonly", TRUTH, AT(readonly), NULL, "0|1"},
        {"synchronous", WORD, AT(synchronous), " off normal full extra ", "off|normal|full|extra"},
        {"uri", TRUTH, AT(uri), NULL, "0|1"},
};

enum { OPTIONS = sizeof options / sizeof *options };

/* Which word of a list it is, from 1; 0: none. */
static int
word_of(const char *list, const char *word)
{
        size_t len = strlen(word);
        int n = 1;

        for (list++; *list != '\0'; n++) {
                size_t next = strcspn(list, " ");

                if (next == len && sqlite3_strnicmp(list, word, (int)len) == 0)
                        return n;
                list += next + 1;
        }
        return 0;
}

static bool
read_seconds(const char *text, double *ret)
{
        double unit = 1;
        bool point = false;
        int digits = 0;

        /* Not strtod(), whose point is that of the user's language. */
        *ret = 0;
        for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
                if (*text == '.') {
                        point = true;
                        continue;
                }
                *ret = *ret * 10 + (*text - '0');
                unit *= point ? 10 : 1;
                digits++;
        }
        *ret /= unit;
        return *text == '\0' && digits > 0 && digits < 16 && *ret <= 1e6;
}

static bool
is_number(const char *text)
{
        size_t len;

        text += *text == '-';
        len = strspn(text, "0123456789");
        return len > 0 && len < 19 && text[len] == '\0';
}

static bool
read_option(const struct option *o, const char *value, struct green__sqlite_settings *set)
{
        char *place = (char *)set + o->place;
        int word;

        switch (o->kind) {
        case SECONDS:
                return read_seconds(value, (double *)(void *)place);
        case TRUTH:
                word = word_of(o->words != NULL ? o->words : " 0 1 no yes off on false true ", value);
                *(bool *)place = word % 2 == 0;
                return word > 0;
        case NUMBER:
                *(const char **)(void *)place = value;
                return is_number(value);
        default:
                *(const char **)(void *)place = value;
                return word_of(o->words, value) > 0;
        }
}

/* An option that cannot be taken: says what there is. */
static int
bad_option(green_db_link *link, const char *text)
{
        char all[512];
        size_t len = 0;

        for (int i = 0; i < OPTIONS; i++)
                if (len < sizeof all)
                        len += (size_t)snprintf(all + len, sizeof all - len, "%s%s=%s", i == 0 ? "" : ", ",
                                                options[i].name, options[i].says);
        return green_db_link_fail(link, -EINVAL, 0, "HY024", "option \"%s\": there are %s", text, all);
}

static int
take_option(green_db_link *link, const char *text, struct green__sqlite_settings *set)
{
        size_t len = strcspn(text, "=");

        for (int i = 0; i < OPTIONS && text[len] == '='; i++)
                if (strlen(options[i].name) == len && memcmp(options[i].name, text, len) == 0)
                        return read_option(&options[i], text + len + 1, set) ? 0 : bad_option(link, text);
        return bad_option(link, text);
}

/* Where the file is, and how it is opened. */
static void
find_file(const char *database, struct green__sqlite_settings *set)
{
        bool memory = database == NULL || strcmp(database, ":memory:") == 0;

        set->path = memory ? ":memory:" : database;
        set->on_disk = !memory && *database != '\0';
        /* One that is shared in memory has a name for URIs alone. */
        if (memory && set->shared) {
                set->path = "file::memory:";
                set->uri = true;
        }
        set->flags = SQLITE_OPEN_NOMUTEX | (set->shared ? SQLITE_OPEN_SHAREDCACHE : SQLITE_OPEN_PRIVATECACHE);
        if (set->readonly && set->on_disk)
                set->flags |= SQLITE_OPEN_READONLY;
        else
                set->flags |= SQLITE_OPEN_READWRITE | (set->create || !set->on_disk ? SQLITE_OPEN_CREATE : 0);
        if (set->uri)
                set->flags |= SQLITE_OPEN_URI;
}

/* The statement for a transaction. One that begins as a reader cannot wait for a lock when it first writes. */
static const char *
begin_statement(const struct green__sqlite_settings *set)
{
        if (set->begin == NULL)
                return set->readonly ? "begin deferred" : "begin immediate";
        switch (word_of(" immediate deferred exclusive ", set->begin)) {
        case 1:
                return "begin immediate";
        case 2:
                return "begin deferred";
        default:
                return "begin exclusive";
        }
}

int
green__sqlite_settings(green_db_link *link, const struct green_db_params *params, struct green__sqlite_settings *set)
{
        *set = (struct green__sqlite_settings){.busy_timeout = 5, .create = true, .foreign_keys = true};
        if (params->host != NULL || params->port != 0 || params->user != NULL || params->password != NULL)
                return green_db_link_fail(link, -EINVAL, 0, "HY024",
                                          "SQLite has files: no host, port, user or password; give a database");
        for (size_t i = 0; params->options != NULL && params->options[i] != NULL; i++) {
                int rc = take_option(link, params->options[i], set);

                if (rc != 0)
                        return rc;
        }
        find_file(params->database, set);
        set->begin = begin_statement(set);
        return 0;
}

/* ---- what is said to a new connection */

/* Two that switch a new file to WAL at once get no help from the busy handler. */
static int
pragma(struct green__sqlite *self, const char *name, const char *value)
{
        int64_t end = green__sqlite_now() + self->busy_limit;
        char sql[80];
        int rc, count = 0;

        snprintf(sql, sizeof sql, "pragma %s=%s", name, value);
        self->busy_since = 0;
        do
                rc = sqlite3_exec(self->db, sql, NULL, NULL, NULL);
        while ((rc & 0xff) == SQLITE_BUSY && green__sqlite_now() < end && green__sqlite_busy(self, count++));
        return rc;
}

static int
keep_mode(void *arg, int columns, char **values, char **names)
{
        (void)names;
        if (columns > 0 && values[0] != NULL)
                snprintf(arg, 16, "%s", values[0]);
        return 0;
}

static int
set_journal(struct green__sqlite *self, const struct green__sqlite_settings *set)
{
        bool wanted = set->journal_mode != NULL;
        const char *sync = set->synchronous;
        char mode[16] = "";
        int rc;

        if (wanted || (set->on_disk && !set->readonly)) {
                rc = pragma(self, "journal_mode", wanted ? set->journal_mode : "wal");
                if (rc != SQLITE_OK)
                        return green__sqlite_fail(self, rc, NULL);
        }
        rc = sqlite3_exec(self->db, "pragma journal_mode", keep_mode, mode, NULL);
        if (rc != SQLITE_OK)
                return green__sqlite_fail(self, rc, NULL);
        if (wanted && sqlite3_stricmp(mode, set->journal_mode) != 0)
                return green_db_link_fail(self->link, -EINVAL, 0, "HY024", "journal_mode=%s: this database has \"%s\"",
                                          set->journal_mode, mode);
        if (sync == NULL && sqlite3_stricmp(mode, "wal") == 0)
                sync = "normal";
        rc = sync != NULL ? pragma(self, "synchronous", sync) : SQLITE_OK;
        return rc != SQLITE_OK ? green__sqlite_fail(self, rc, NULL) : 0;
}

int
green__sqlite_apply(struct green__sqlite *self, const struct green__sqlite_settings *set)
{
        int rc = pragma(self, "foreign_keys", set->foreign_keys ? "on" : "off");

        if (rc == SQLITE_OK && set->cache_size != NULL)
                rc = pragma(self, "cache_size", set->cache_size);
        if (rc == SQLITE_OK && set->mmap_size != NULL)
                rc = pragma(self, "mmap_size", set->mmap_size);
        if (rc == SQLITE_OK && set->readonly)
                rc = pragma(self, "query_only", "on");
        if (rc != SQLITE_OK)
                return green__sqlite_fail(self, rc, NULL);
        rc = set_journal(self, set);
        if (rc != 0)
                return rc;
        /* Reads the file, which opening it did not: now is when to hear that it is none of SQLite's. */
        return green__sqlite_exec(self, "pragma schema_version");
}
