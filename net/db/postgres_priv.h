/*
 * The inside of the driver for PostgreSQL, over libpq in its non-blocking mode: no call of libpq that can wait is used,
 * but PQcancel(), in an OS thread.
 */
#ifndef GREEN_DB_POSTGRES_PRIV_H
#define GREEN_DB_POSTGRES_PRIV_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <libpq-fe.h>

#include <green/alloc.h>
#include <green/db_driver.h>

enum { PG_NOTICES = 64 }; /* of one statement that are kept; all are counted */

/* What the server has said besides, for SHOW_WARNINGS. */
struct pg_notice {
        char level[16];
        char state[6];
        char *text;
};

struct pg_prepared {
        struct pg_prepared *next; /* of those that the server is still to be told to forget */
        char name[32];
};

struct pg_db {
        PGconn *conn;
        green_fd fd;        /* its socket, as the hub knows it */
        bool was_open;      /* was a transaction open before the statement that runs? */
        bool dying;         /* the server has said that it ends the connection */
        char last_state[6]; /* and why */
        PGresult *held;     /* of a stream: an error that came behind rows, which are given first */

        unsigned long names; /* for prepared statements */
        /* What a call was about that was cut: whether it is at the server depends on whether that has run. */
        struct pg_prepared *preparing, *forgetting;
        bool ran; /* a statement has ended well, since this was set to false */
        struct pg_prepared *owed;

        size_t unsynced;  /* statements of a pipeline behind the last sync */
        size_t syncs;     /* that were sent and not yet answered */
        size_t unflushed; /* bytes of them that libpq may still have, about */

        bool copies_in;
        char *copy_data; /* of libpq: the last piece */
        PGnotify *note;  /* the last one that was given */

        unsigned warnings;
        struct pg_notice notices[PG_NOTICES];

        void *scratch; /* parameters, as libpq wants them */
        size_t scratch_size;
};

/* ---- postgres_io.c: waiting, results, errors */

/* Has libpq closed its socket? Then the hub is to know. */
void green__pg_look(green_db_link *link, struct pg_db *db);
/* A statement is about to be sent. */
void green__pg_begin(struct pg_db *db);
/* Send all that libpq has, reading meanwhile. */
int green__pg_flush(green_db_link *link, struct pg_db *db);
/* The next result; NULL at the end of the statement. */
int green__pg_result(green_db_link *link, struct pg_db *db, PGresult **ret);
/* All of a statement that was sent: the last result before the first error, or that. ret may be NULL. */
int green__pg_finish(green_db_link *link, struct pg_db *db, PGresult **ret);
/* A statement has failed with a code: read to its end, and return that, or what went wrong with this. */
int green__pg_drop_rest(green_db_link *link, struct pg_db *db, int code);
/* Run text that is the driver's own. */
int green__pg_simple(green_db_link *link, struct pg_db *db, const char *sql, PGresult **ret);
/* Tell of an error: a result's, or what the connection says. The code. */
int green__pg_failed(green_db_link *link, struct pg_db *db, const PGresult *r);
int green__pg_broken(green_db_link *link, struct pg_db *db);
/* As green_db_link_fail(), with text that has lines. */
int green__pg_tell(green_db_link *link, int code, const char *state, const char *text);
bool green__pg_is_error(const PGresult *r);
bool green__pg_is_copy(const PGresult *r);
void green__pg_notice(void *db, const PGresult *r);
void green__pg_forget_notices(struct pg_db *db);
int green__pg_warnings(const struct pg_db *db, struct green_db_batch *ret);

/* ---- postgres_connect.c */

int green__pg_connect(green_db_link *link, const struct green_db_params *params, void **ret_db);
void green__pg_close(green_db_link *link, void *db);
bool green__pg_alive(void *db);

/* ---- postgres_hosts.c */

/* What libpq is told of hosts; NULL: nothing. Each is for green_free(). */
struct pg_hosts {
        char *host, *hostaddr, *port;
};

/* Look names up, in a green thread; else the lists stay as they are, for libpq to do it. */
int green__pg_resolve(green_db_link *link, const char *host, const char *port, struct pg_hosts *ret);
void green__pg_hosts_free(struct pg_hosts *h);

/* ---- postgres_query.c */

/* Hand a statement over to libpq. */
int green__pg_send(green_db_link *link, struct pg_db *db, const struct green_db_statement *st);
int green__pg_query(green_db_link *link, void *db, const struct green_db_statement *st, struct green_db_batch *ret);
int green__pg_fetch(green_db_link *link, void *db, struct green_db_batch *ret);
int green__pg_prepare(green_db_link *link, void *db, const char *sql, void **ret_prepared);
void green__pg_unprepare(green_db_link *link, void *db, void *prepared, bool tell);
/* The server has forgotten them, or is no more. */
void green__pg_forget_owed(struct pg_db *db);
/* Text of a number, whatever the locale is: the bytes, as snprintf(). */
int green__pg_print_real(char *text, size_t len, double real);

/* ---- postgres_rows.c */

/* Make a batch of results that have the same columns: they are the batch's, also where it fails. one_each: each has one
 * row. */
int green__pg_rows(PGresult *const *results, size_t n, bool one_each, struct green_db_batch *ret);
int64_t green__pg_affected(const PGresult *r);

/* ---- postgres_command.c */

int green__pg_command(green_db_link *link, void *db, struct green_db_command *command);
int green__pg_info(void *db, enum green_db_info_kind kind, struct green_db_info *ret);
int green__pg_literal(void *db, const struct green_db_value *value, char *text, size_t len);
bool green__pg_in_transaction(void *db);

/* ---- postgres_settle.c */

int green__pg_settle(green_db_link *link, void *db);

/* ---- postgres_pipeline.c */

int green__pg_pipeline_begin(green_db_link *link, void *db);
int green__pg_pipeline_send(green_db_link *link, void *db, const struct green_db_statement *st);
int green__pg_pipeline_receive(green_db_link *link, void *db, struct green_db_batch *ret);
int green__pg_pipeline_end(green_db_link *link, void *db);

/* ---- postgres_copy.c: and notifications */

int green__pg_copy_begin(green_db_link *link, void *db, const char *sql, bool in);
int green__pg_copy_put(green_db_link *link, void *db, const void *data, size_t len);
int green__pg_copy_get(green_db_link *link, void *db, const void **ret_data, size_t *ret_len);
int green__pg_copy_end(green_db_link *link, void *db, const char *error, int64_t *ret_rows);
int green__pg_notification(green_db_link *link, void *db, struct green_db_notification *ret, bool at_once);

#endif
