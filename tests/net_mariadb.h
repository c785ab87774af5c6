/*
 * What the tests of the MariaDB driver share: the server, and pools of connections to it.
 */
#ifndef GREEN_TESTS_NET_MARIADB_H
#define GREEN_TESTS_NET_MARIADB_H

#include "net_suite.h"

#include <time.h>

#include <green/tpool.h>

#include "db_server_mariadb.h"

static struct db_server *server;

/* The server is started before anything is counted, and before there is a hub, whose descriptors a child of fork() closes. */
static void
start_server(void)
{
        server = db_server_get();
        base_state();
}

__attribute__((constructor)) static void
init_server(void)
{
        suite_setup = start_server;
}

/* Leave the test where there is no server. */
#define NEED_SERVER()                                                                                                  \
        do {                                                                                                           \
                if (server->broken)                                                                                    \
                        FAIL("%s", server->why);                                                                       \
                else if (server->why[0] != '\0')                                                                       \
                        suite_skip(server->why);                                                                       \
                if (server->why[0] != '\0')                                                                            \
                        return;                                                                                        \
        } while (0)

/* Whom to connect to by the Unix socket. */
MAYBE struct green_db_params
by_socket(void)
{
        struct green_db_params p = {.size = sizeof p, .host = server->socket, .user = "root", .database = "mysql"};

        return p;
}

MAYBE struct green_db_params
by_port(void)
{
        struct green_db_params p = {.size = sizeof p, .host = "127.0.0.1", .port = server->port, .user = "root",
                                    .database = "mysql"};

        return p;
}

MAYBE green_db_pool *
pool_of(const struct green_db_params *params, size_t max_size)
{
        struct green_db_pool_opts o = {.size = sizeof o, .driver = "mariadb", .params = params, .max_size = max_size,
                                       .max_idle = GREEN_FOREVER, .max_age = GREEN_FOREVER, .connect_timeout = 20};
        green_db_pool *p = green_db_pool_new(&o);

        if (!CHECK(p != NULL))
                fprintf(stderr, "%s\n", green_last_error()->message);
        return p;
}

MAYBE green_db_pool *
new_pool(size_t max_size)
{
        struct green_db_params p = by_socket();

        return pool_of(&p, max_size);
}

MAYBE green_db_conn *
got(green_db_pool *p)
{
        green_db_conn *c = NULL;

        if (!CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER), 0))
                fprintf(stderr, "%s\n", green_last_error()->message);
        return c;
}

/* Run a statement that must succeed, without its rows. */
MAYBE bool
run(green_db_conn *c, const char *sql)
{
        int rc = green_db_conn_execute(c, sql, GREEN_DB_NO_PARAMS, NULL);

        return CHECK_INT(rc, 0) || (fprintf(stderr, "%s: %s\n", sql, green_last_error()->message), false);
}

/* The number that a statement gives, which has one row with one column. */
MAYBE int64_t
number_of(green_db_conn *c, const char *sql)
{
        green_db_result *r = NULL;
        int64_t number = -1;
        int rc = green_db_conn_execute(c, sql, GREEN_DB_NO_PARAMS, &r);

        if (!CHECK_INT(rc, 0)) {
                fprintf(stderr, "%s: %s\n", sql, green_last_error()->message);
                return -1;
        }
        CHECK_INT(green_db_result_next(r), 1);
        CHECK_INT(green_db_result_int64(r, 0, &number), 0);
        CHECK_INT(green_db_result_next(r), 0);
        green_db_result_free(r);
        return number;
}

/* A connection with a database of its own, empty. */
MAYBE green_db_conn *
got_fresh(green_db_pool *p)
{
        green_db_conn *c = got(p);

        run(c, "drop database if exists green");
        run(c, "create database green");
        CHECK_INT(green_db_conn_select_db(c, "green"), 0);
        return c;
}

MAYBE struct green_db_pool_info
info_of(green_db_pool *p)
{
        struct green_db_pool_info info = {.size = sizeof info};

        CHECK_INT(green_db_pool_get_info(p, &info), 0);
        return info;
}

MAYBE double
seconds(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
