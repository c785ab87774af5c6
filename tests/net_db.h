/*
 * What the tests of databases share: a mock of a driver, in place or in OS threads, its gate, pools of its connections.
 */
#ifndef GREEN_TESTS_NET_DB_H
#define GREEN_TESTS_NET_DB_H

#include "net_suite.h"

#include "db_mock.h"

/* The drivers that most tests are run with. */
static const char *const mocks[] = {"db_mock", "db_mock_blocks"};

struct scene {
        struct db_mock m;
        int gate[2];
        const char *options[2];
        struct green_db_params params;
        struct green_db_pool_opts opts;
        char option[64], path[512];
};

MAYBE bool
begin_scene(struct scene *s, const char *plugin)
{
        const char *path = suite_plugin(plugin);

        if (path == NULL) {
                suite_skip("this build has no modules");
                return false;
        }
        memset(s, 0, sizeof *s);
        CHECK_INT(pipe2(s->gate, O_CLOEXEC | O_NONBLOCK), 0);
        s->m.gate = s->gate[0];
        snprintf(s->path, sizeof s->path, "%s", path);
        snprintf(s->option, sizeof s->option, "%s", db_mock_option(&s->m));
        s->options[0] = s->option;
        s->params.size = sizeof s->params;
        s->params.options = s->options;
        s->opts.size = sizeof s->opts;
        s->opts.driver = s->path;
        s->opts.params = &s->params;
        return true;
}

MAYBE void
open_gate(struct scene *s)
{
        CHECK_INT(write(s->gate[1], "", 1), 1);
}

MAYBE void
close_gate(struct scene *s)
{
        char c;

        CHECK_INT(read(s->gate[0], &c, 1), 1);
}

/* All that was made was closed, and nothing was used in the middle of an exchange. */
MAYBE void
end_scene(struct scene *s)
{
        /* What was left behind in an OS thread ends there. */
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
        CHECK_INT(s->m.connects, s->m.closes);
        CHECK_INT(s->m.statements, 0);
        CHECK_INT(s->m.violations, 0);
        close(s->gate[0]);
        close(s->gate[1]);
}

MAYBE green_db_pool *
new_pool(struct scene *s)
{
        green_db_pool *p = green_db_pool_new(&s->opts);

        if (!CHECK(p != NULL))
                fprintf(stderr, "%s\n", green_last_error()->message);
        return p;
}

MAYBE green_db_conn *
got(green_db_pool *p)
{
        green_db_conn *c = NULL;

        CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER), 0);
        return c;
}

MAYBE struct green_db_pool_info
info_of(green_db_pool *p)
{
        struct green_db_pool_info info = {.size = sizeof info};

        CHECK_INT(green_db_pool_get_info(p, &info), 0);
        return info;
}

MAYBE int
run(green_db_conn *c, const char *sql)
{
        return green_db_conn_execute(c, sql, GREEN_DB_NO_PARAMS, NULL);
}

/* Until calls wait for the gate. */
MAYBE void
until_waiting(struct scene *s, int n)
{
        while (s->m.waiting != n)
                green_sleep(0.0005);
}

/* A green thread that gets, and says so; `conn` is what it got. */
struct getter {
        green_db_pool *pool;
        green_db_conn *conn;
        double timeout;
        int rc;
        bool done;
};

MAYBE void *
get_one(void *arg)
{
        struct getter *g = arg;

        g->rc = green_db_pool_get(g->pool, &g->conn, g->timeout);
        g->done = true;
        return NULL;
}

MAYBE green_thread *
start_getter(struct getter *g, green_db_pool *p)
{
        *g = (struct getter){.pool = p, .timeout = GREEN_FOREVER};
        return green_spawn(get_one, g);
}

/* Until it has ended, which it must do with this code. */
MAYBE void
ended(green_thread *gt, int code)
{
        CHECK_INT(green_thread_wait(gt, NULL), code);
        green_thread_unref(gt);
}

MAYBE void
join(green_thread *gt)
{
        ended(gt, 0);
}

#endif
