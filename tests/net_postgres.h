/*
 * What the tests of the driver for PostgreSQL share: a server of their own, connections, pools, answers of one value.
 */
#ifndef GREEN_TESTS_NET_POSTGRES_H
#define GREEN_TESTS_NET_POSTGRES_H

#include "net_suite.h"

#include <green/hubs.h>
#include <green/tpool.h>
#include <stdint.h>
#include <time.h>

#include "db_server.h"

/* ---- the server, which is there before descriptors are counted */

static const char *no_server;

static void
postgres_state(void)
{
        base_state();
        if (green_module_folder() != NULL)
                no_server = pg_server_start();
}

__attribute__((constructor)) static void
postgres_init(void)
{
        suite_setup = postgres_state;
}

MAYBE bool
have_server(void)
{
        if (no_server != NULL)
                suite_skip(no_server);
        return no_server == NULL;
}

/* ---- connections */

static struct green_db_params
params_of(void)
{
        struct green_db_params p = {.size = sizeof p, .user = "postgres", .database = "postgres"};

        p.host = pg_server_folder();
        p.port = (unsigned)pg_server_port();
        return p;
}

MAYBE green_db_conn *
connect_with(const struct green_db_params *p)
{
        green_db_conn *c = NULL;
        int rc = green_db_connect("postgres", p, 20, &c);

        if (!CHECK_INT(rc, 0))
                FAIL("%s", green_last_error()->message);
        return c;
}

MAYBE green_db_conn *
connect_one(void)
{
        struct green_db_params p = params_of();

        return connect_with(&p);
}

MAYBE green_db_pool *
pool_of(size_t max_size)
{
        struct green_db_params p = params_of();
        struct green_db_pool_opts o = {.size = sizeof o, .driver = "postgres", .params = &p, .max_size = max_size};
        green_db_pool *pool;

        o.max_idle = o.max_age = GREEN_FOREVER;
        o.connect_timeout = 20;
        pool = green_db_pool_new(&o);
        if (!CHECK(pool != NULL))
                FAIL("%s", green_last_error()->message);
        return pool;
}

MAYBE green_db_conn *
got(green_db_pool *p)
{
        green_db_conn *c = NULL;

        if (!CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER), 0))
                FAIL("%s", green_last_error()->message);
        return c;
}

MAYBE struct green_db_pool_info
info_of(green_db_pool *p)
{
        struct green_db_pool_info info = {.size = sizeof info};

        CHECK_INT(green_db_pool_get_info(p, &info), 0);
        return info;
}

/* ---- statements */

MAYBE int
run(green_db_conn *c, const char *sql)
{
        return green_db_conn_execute(c, sql, GREEN_DB_NO_PARAMS, NULL);
}

/* A statement that must work. */
MAYBE void
runs(green_db_conn *c, const char *sql)
{
        if (!CHECK_INT(run(c, sql), 0))
                FAIL("%s: %s", sql, green_db_conn_error(c));
}

/* The first value of the first row, as text; NULL: no value, or "(failed)", "(none)". Good until the next call. */
MAYBE const char *
ask_with(green_db_conn *c, const char *sql, const struct green_db_value *values, size_t n)
{
        static char text[4096];
        green_db_result *r;
        const char *answer;

        if (green_db_conn_execute(c, sql, values, n, &r) != 0) {
                fprintf(stderr, "%s: %s\n", sql, green_db_conn_error(c));
                return "(failed)";
        }
        if (green_db_result_next(r) == 1) {
                answer = green_db_result_text(r, 0);
                snprintf(text, sizeof text, "%s", answer != NULL ? answer : "");
        } else {
                answer = "";
                snprintf(text, sizeof text, "(none)");
        }
        green_db_result_free(r);
        return answer != NULL ? text : NULL;
}

MAYBE const char *
ask(green_db_conn *c, const char *sql)
{
        return ask_with(c, sql, GREEN_DB_NO_PARAMS);
}

MAYBE int64_t
number(green_db_conn *c, const char *sql)
{
        const char *text = ask(c, sql);

        return text != NULL ? strtoll(text, NULL, 10) : INT64_MIN;
}

/* ---- time */

MAYBE double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
