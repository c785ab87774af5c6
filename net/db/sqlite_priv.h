/*
 * The driver for SQLite: what its files share. All memory is SQLite's own allocator's.
 */
#ifndef GREEN_DB_SQLITE_PRIV_H
#define GREEN_DB_SQLITE_PRIV_H

#include <green/db_driver.h>

#include <errno.h>
#include <sqlite3.h>

/* 64 bits came with 3.37. */
#if SQLITE_VERSION_NUMBER >= 3037000
#define green__sqlite_changes sqlite3_changes64
#define green__sqlite_total sqlite3_total_changes64
#else
#define green__sqlite_changes sqlite3_changes
#define green__sqlite_total sqlite3_total_changes
#endif

/* What a statement is, as far as the driver has to know. */
enum green__sqlite_verb {
        GREEN__SQLITE_OTHER,
        GREEN__SQLITE_INSERT, /* insert, replace: it may have made a row with a number */
        GREEN__SQLITE_END,    /* commit, end, rollback, release: it may have ended the transaction */
};

/* A statement that was compiled. */
struct green__sqlite_stmt {
        sqlite3_stmt *stmt; /* NULL: none */
        int count;          /* parameters as SQLite counts them */
        int needed;         /* values that it takes */
        int *map;           /* by index of a parameter, from 0, which value it takes, from 0; NULL: each its own */
        enum green__sqlite_verb verb;
};

/* A connection. One call at a time uses it; but interrupt() reads db alone. */
struct green__sqlite {
        sqlite3 *db;
        green_db_link *link;             /* of the call that runs; NULL: of none */
        struct green__sqlite_stmt *open; /* runs, or has rows left for fetch(); NULL: none */
        struct green__sqlite_stmt once;  /* room for one that is not prepared */
        struct green_db_value *values;   /* room for a row */
        int room;                        /* columns there */
        bool begun;                      /* a transaction was seen open, and nothing that was asked has ended it */
        bool inserted;                   /* the statement that is open has made a row with a number */
        const char *begin;               /* the statement that begins one */
        int64_t total;                   /* changes of the connection before the statement that is open */
        int64_t busy_limit;              /* nanoseconds that a lock is waited for */
        int64_t busy_since;              /* when the wait for it began; 0: there is none */
        bool connecting;                 /* connect() waits itself */
};

/* What the options say. */
struct green__sqlite_settings {
        const char *path;         /* as sqlite3_open_v2() takes it */
        int flags;                /* for that */
        bool on_disk;             /* it is a file that others may open too */
        double busy_timeout;      /* seconds */
        const char *journal_mode; /* NULL: not said */
        const char *synchronous;  /* NULL: not said */
        const char *begin;        /* a statement */
        bool foreign_keys;
        bool readonly, create, uri, shared;
        const char *cache_size, *mmap_size; /* numbers, as they were given; NULL: not said */
};

/* sqlite.c */
int green__sqlite_exec(struct green__sqlite *self, const char *sql);

/* sqlite_error.c */
int green__sqlite_fail(struct green__sqlite *self, int rc, const char *path);
bool green__sqlite_again(struct green__sqlite *self, int rc);
int64_t green__sqlite_now(void);
int green__sqlite_busy(void *arg, int count);

/* sqlite_literal.c */
int green__sqlite_literal(void *db, const struct green_db_value *value, char *text, size_t len);

/* sqlite_options.c */
int green__sqlite_settings(green_db_link *link, const struct green_db_params *params,
                           struct green__sqlite_settings *set);
int green__sqlite_apply(struct green__sqlite *self, const struct green__sqlite_settings *set);

/* sqlite_query.c */
int green__sqlite_prepare(green_db_link *link, void *db, const char *sql, void **ret_prepared);
void green__sqlite_unprepare(green_db_link *link, void *db, void *prepared, bool tell);
int green__sqlite_query(green_db_link *link, void *db, const struct green_db_statement *st, struct green_db_batch *ret);
int green__sqlite_fetch(green_db_link *link, void *db, struct green_db_batch *ret);
void green__sqlite_rest(struct green__sqlite *self);

/* sqlite_text.c */
const char *green__sqlite_skip_blank(const char *text);
enum green__sqlite_verb green__sqlite_verb(const char *sql);

#endif
