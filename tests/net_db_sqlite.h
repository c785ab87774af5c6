/*
 * What the tests of the driver for SQLite share: a folder for files, connections in both kinds, a statement and its one
 * value as text.
 */
#ifndef GREEN_TESTS_NET_DB_SQLITE_H
#define GREEN_TESTS_NET_DB_SQLITE_H

#include "net_suite.h"

#include <sys/stat.h>

#include <green/tpool.h>

#define SOON (5.0 * suite_slow())

/* Where the driver's calls run: each test that asks for more than words of the driver runs in both. */
static enum green_db_pool_kind kind = GREEN_DB_POOL_AUTO;

/* ---- a folder */

static char folder[64];

static void
remove_folder(void)
{
        char command[128];

        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        if (system(command) != 0)
                fprintf(stderr, "%s is left\n", folder);
}

/* A path in it; valid until the fourth from then on. The folder is there until the program ends. */
MAYBE const char *
in_folder(const char *name)
{
        static char paths[4][512];
        static int next;
        char *path = paths[next++ % 4];

        if (folder[0] == '\0') {
                snprintf(folder, sizeof folder, "/tmp/green-sqlite-XXXXXX");
                CHECK(mkdtemp(folder) != NULL);
                atexit(remove_folder);
        }
        snprintf(path, sizeof paths[0], "%s/%s", folder, name);
        return path;
}

/* A path of a file that is not there yet. */
MAYBE const char *
new_file(void)
{
        static int number;
        char name[32];

        snprintf(name, sizeof name, "%d.db", number++);
        return in_folder(name);
}

/* ---- connections */

MAYBE green_db_pool *
pool_of(const char *database, const char *const *options, size_t max_size)
{
        struct green_db_params params = {.size = sizeof params, .database = database, .options = options};
        struct green_db_pool_opts opts = {.size = sizeof opts, .driver = "sqlite", .kind = kind, .max_size = max_size};
        green_db_pool *p;

        opts.params = &params;
        opts.max_idle = opts.max_age = GREEN_FOREVER;
        p = green_db_pool_new(&opts);
        if (p == NULL)
                FAIL("no pool: %s", green_last_error()->message);
        return p;
}

/* A connection of a pool of its own kind, for close_db(). The pool is the handle's own affair: it is freed already. */
MAYBE green_db_conn *
open_with(const char *database, const char *const *options)
{
        green_db_pool *p = pool_of(database, options, 1);
        green_db_conn *conn = NULL;

        if (p == NULL)
                return NULL;
        if (!CHECK_INT(green_db_pool_connect(p, &conn), 0))
                fprintf(stderr, "%s\n", green_last_error()->message);
        CHECK_INT(green_db_pool_free(p), 0);
        return conn;
}

MAYBE green_db_conn *
open_db(const char *database)
{
        return open_with(database, NULL);
}

/* The OS threads have descriptors. */
MAYBE void
close_db(green_db_conn *conn)
{
        CHECK_INT(green_db_conn_free(conn), 0);
}

/* How connecting fails; its words are in green_last_error(). */
MAYBE int
fails_with(const char *database, const char *const *options)
{
        struct green_db_params params = {.size = sizeof params, .database = database, .options = options};
        green_db_conn *conn = NULL;
        int rc = green_db_connect("sqlite", &params, GREEN_FOREVER, &conn);

        if (rc == 0)
                close_db(conn);
        return rc;
}

MAYBE bool
error_says(const char *part)
{
        return CHECK(strstr(green_last_error()->message, part) != NULL) ||
               (fprintf(stderr, "it says: %s\n", green_last_error()->message), false);
}

/* ---- statements */

/* Without parameters and result. */
MAYBE int
run(green_db_conn *conn, const char *sql)
{
        return green_db_conn_execute(conn, sql, GREEN_DB_NO_PARAMS, NULL);
}

#define RUN(conn, sql)                                                                                                 \
        (CHECK_INT(run(conn, sql), 0) || (fprintf(stderr, "%s: %s\n", sql, green_db_conn_error(conn)), false))

/* The first column of the first row as text; NULL without a row, or value. Valid until the next call. */
MAYBE const char *
text_of(green_db_conn *conn, const char *sql, const struct green_db_value *values, size_t n)
{
        static char text[256];
        green_db_result *r = NULL;
        const char *found = NULL;
        int rc = green_db_conn_execute(conn, sql, values, n, &r);

        if (!CHECK_INT(rc, 0)) {
                fprintf(stderr, "%s: %s\n", sql, green_db_conn_error(conn));
                return NULL;
        }
        if (green_db_result_next(r) == 1 && green_db_result_text(r, 0) != NULL) {
                snprintf(text, sizeof text, "%s", green_db_result_text(r, 0));
                found = text;
        }
        green_db_result_free(r);
        return found;
}

#define TEXT(conn, sql) text_of(conn, sql, GREEN_DB_NO_PARAMS)

/* Each test runs in the pool of OS threads, and in place. */
MAYBE void
in_both(void (*test)(void))
{
        kind = GREEN_DB_POOL_TPOOLED;
        test();
        kind = GREEN_DB_POOL_RAW;
        test();
        kind = GREEN_DB_POOL_AUTO;
        CHECK_INT(green_tpool_killall(10), 0);
}

#define BOTH(name)                                                                                                     \
        static void name##_(void);                                                                                     \
        static void name(void)                                                                                         \
        {                                                                                                              \
                in_both(name##_);                                                                                      \
        }                                                                                                              \
        static void name##_(void)

#endif
