/*
 * The inside of the driver for MariaDB and MySQL.
 *
 * libmariadb's calls that may wait come in two parts: X_start() runs the call on a stack of its own until it would wait, and
 * X_cont() goes on with it. Between the two the driver waits, by its link. A wait that fails leaves the call suspended: then
 * nothing can be done with the MYSQL but to go on with that call, which settle() does, or to let it fail, which close() does.
 * What such a call was given must stay until then, so it is the connection's.
 */
#ifndef GREEN_DB_MARIADB_PRIV_H
#define GREEN_DB_MARIADB_PRIV_H

#include <mysql.h>

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <stdint.h>
#include <string.h>

#include <green/alloc.h>
#include <green/db_driver.h>
#include <green/quiet.h>

/* Whom to connect to: one block, kept for connections that end statements of this one. */
struct maria_config {
        const char *host;   /* NULL: a Unix socket */
        const char *socket; /* NULL: libmariadb's own, where host is NULL too */
        unsigned port;
        const char *user, *password, *database;
        const char *charset, *init_command, *plugin_dir, *default_auth, *read_file, *read_group;
        const char *ssl_ca, *ssl_capath, *ssl_cert, *ssl_key, *ssl_cipher, *ssl_crl, *ssl_crlpath, *tls_version, *tls_peer_fp;
        bool tls, no_tls, verify, no_verify, compress, local_infile;
        unsigned long max_allowed_packet;
};

struct maria;

/* A call in parts: with START it is begun, else went on with, as its descriptor is ready. What X_start() or X_cont() returns. */
enum { MARIA_START = -1 };
typedef int (*maria_step)(struct maria *db, int ready);

/* A prepared statement. */
struct maria_stmt {
        MYSQL_STMT *stmt; /* its MYSQL is NULL where the server has forgotten it */
        struct maria_stmt *next; /* of those to be freed with the connection */
        char sql[];
};

struct maria {
        MYSQL my;
        bool inited; /* my is to be closed */
        struct maria_config *config;
        green_db_link *link; /* of the call that runs */
        int fd;              /* libmariadb's socket; -1: none */
        bool tls;
        bool greeted; /* the server has sent its first words */
        char host[256]; /* what libmariadb was told: see mariadb_connect.c */
        const char *name;    /* what a certificate must be for */

        maria_step step; /* a call that is suspended; NULL: none */
        int status;      /* what it waits for: MYSQL_WAIT_... */
        int cut;         /* what its wait failed with */
        bool killable;   /* it is a statement, which the server can be told to end */
        struct green_quiet quiet;

        /* What calls are given, and what they return. */
        char *text; /* a statement */
        size_t text_len, text_room;
        char *words[3];
        long number;
        MYSQL_STMT *stmt; /* the statement that runs; NULL: one in text form */
        MYSQL_RES *res;   /* its rows, in text form */
        struct {
                int i;
                my_bool b;
                MYSQL *my;
                MYSQL_ROW row;
                const char *text;
        } ret;

        struct maria_stmt *own;   /* stmt is of one statement alone */
        struct maria_stmt *grave; /* forgotten while they could not be freed */
        bool running;             /* a statement's results were not read to their end */
        bool other_user;          /* change_user() was called */
        bool other_database;      /* select_db() was called */

        /* Rows. */
        MYSQL_FIELD *fields;
        size_t columns, room; /* room: of values and names */
        struct green_db_value *values;
        const char **names;
        char *texts; /* room for the text of a date, one a column */
        MYSQL_BIND *binds;
        unsigned long *lengths;
        size_t binds_room;
};

enum { MARIA_TEXT = 48 }; /* bytes of the text of a date or a number */

/* ---- mariadb_call.c */

/* Run a call to its end: 0, and its result is in ret; or what the wait failed with: it is suspended. */
int maria_call(struct maria *db, maria_step step);
/* Go on with one that is suspended: the same. */
int maria_resume(struct maria *db);
/* Go on with it until all was sent. The same. */
int maria_send_rest(struct maria *db);
/* Let it fail. The socket may be shut down for that. */
void maria_unwind(struct maria *db);
/* Close the MYSQL, which is in no call. It waits for nothing. */
void maria_end_library(struct maria *db);
/* The connection is in a call: 0, or the code that an earlier one was cut with. */
int maria_enter(struct maria *db, green_db_link *link);
/* Notice that libmariadb has opened or closed its socket. */
void maria_look_at_socket(struct maria *db);
/* Tell of libmariadb's error, of the connection or of db->stmt; returns its code. */
int maria_fail(struct maria *db);
int maria_fail_stmt(struct maria *db, MYSQL_STMT *stmt);
/* The code of an error. */
int maria_code(unsigned number, const char *sqlstate);
/* How libmariadb waits where it has no way to suspend: in a TLS handshake. */
int maria_io_wait(my_socket fd, my_bool is_read, int timeout);
/* Called after each read by libmariadb, of any connection of this process. */
void maria_has_read(int mode, MYSQL *my, const unsigned char *bytes, size_t len);
/* Keep a word for a call: 0 or -ENOMEM. */
int maria_keep_word(struct maria *db, size_t i, const char *word);
int maria_keep_text(struct maria *db, const char *text);

int maria_step_connect(struct maria *db, int ready);
int maria_step_query(struct maria *db, int ready);
int maria_step_fetch_row(struct maria *db, int ready);
int maria_step_next_result(struct maria *db, int ready);
int maria_step_prepare(struct maria *db, int ready);
int maria_step_execute(struct maria *db, int ready);
int maria_step_stmt_fetch(struct maria *db, int ready);
int maria_step_stmt_next_result(struct maria *db, int ready);
int maria_step_stmt_free_result(struct maria *db, int ready);
int maria_step_stmt_close(struct maria *db, int ready);
int maria_step_reset(struct maria *db, int ready);
int maria_step_ping(struct maria *db, int ready);
int maria_step_change_user(struct maria *db, int ready);
int maria_step_select_db(struct maria *db, int ready);
int maria_step_set_character_set(struct maria *db, int ready);
int maria_step_set_server_option(struct maria *db, int ready);
int maria_step_dump_debug_info(struct maria *db, int ready);
int maria_step_shutdown(struct maria *db, int ready);
int maria_step_stat(struct maria *db, int ready);

/* ---- mariadb_config.c */

/* 0, -EINVAL with what green_db_link_fail() was told, -ENOMEM. */
int maria_config_new(green_db_link *link, const struct green_db_params *params, struct maria_config **ret);
void maria_config_free(struct maria_config *c);

/* ---- mariadb_connect.c */

int maria_connect(green_db_link *link, const struct green_db_params *params, void **ret_db);
/* A connection in db, which is zero. 0, or a code that was told. */
int maria_open(struct maria *db, green_db_link *link, struct maria_config *config);
/* Close what maria_open() made, and release what db has; not db. */
void maria_shut(struct maria *db);
void maria_close(green_db_link *link, void *db);

/* ---- mariadb_query.c */

int maria_query(green_db_link *link, void *db, const struct green_db_statement *st, struct green_db_batch *ret);
int maria_fetch(green_db_link *link, void *db, struct green_db_batch *ret);
int maria_prepare(green_db_link *link, void *db, const char *sql, void **ret_prepared);
void maria_unprepare(green_db_link *link, void *db, void *prepared, bool tell);
/* Run a statement in text form and forget its rows. */
int maria_run_text(struct maria *db, const char *sql);
/* A statement in text form whose rows come all at once. */
int maria_rows_of_text(struct maria *db, const char *sql, struct green_db_batch *ret);
/* Read off up to so many rows of what runs: 0: all was read; 1: there is more. Errors of the statement are none. */
int maria_read_off(struct maria *db, size_t rows);
/* Take what the end of rows in binary form says. */
void maria_look_at_end(struct maria *db);
void maria_bury(struct maria *db, struct maria_stmt *s);
void maria_free_graves(struct maria *db);

/* ---- mariadb_value.c */

/* Values of a row in text form. */
void maria_text_row(struct maria *db, MYSQL_ROW row, const unsigned long *lengths);
/* A value of a row in binary form, in libmariadb's packet: *at is moved behind it; NULL: no value. */
void maria_binary_value(void *db, unsigned column, unsigned char **at);
int maria_literal(void *db, const struct green_db_value *value, char *text, size_t len);

/* ---- mariadb_command.c */

int maria_command(green_db_link *link, void *db, struct green_db_command *command);
int maria_info(void *db, enum green_db_info_kind kind, struct green_db_info *ret);

/* ---- mariadb_settle.c */

int maria_settle(green_db_link *link, void *db);

#endif
