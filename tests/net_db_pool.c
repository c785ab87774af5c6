/*
 * Pools of database connections, over a driver that is a mock: in place and in OS threads.
 */
#include "net_db.h"

#include <green/tpool.h>

#define EACH(function)                                                                                                 \
        static void function(void)                                                                                     \
        {                                                                                                              \
                for (size_t i = 0; i < sizeof mocks / sizeof mocks[0]; i++) {                                          \
                        struct scene s;                                                                                \
                                                                                                                       \
                        if (!begin_scene(&s, mocks[i]))                                                                \
                                return;                                                                                \
                        function##_with(&s);                                                                           \
                        end_scene(&s);                                                                                 \
                }                                                                                                      \
        }

/* ---- get and put */

static void
a_connection_is_made_once_and_used_again_with(struct scene *s)
{
        green_db_pool *p = new_pool(s);
        green_db_conn *a, *b;

        GREEN_COVERS("DBP-01", "DBP-04");
        CHECK_INT(info_of(p).available, 4);
        a = got(p);
        CHECK(green_db_conn_is_open(a));
        CHECK_INT(info_of(p).out, 1);
        CHECK_INT(info_of(p).available, 3);
        CHECK_INT(green_db_pool_put(p, a), 0);
        b = got(p);
        CHECK_INT(run(b, "rows 1"), 0);
        CHECK_INT(green_db_pool_put(p, b), 0);
        CHECK_INT(s->m.connects, 1);
        CHECK_INT(info_of(p).idle, 1);
        CHECK_INT(info_of(p).available, 4);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(a_connection_is_made_once_and_used_again)

static void
the_one_that_came_back_last_is_next_with(struct scene *s)
{
        green_db_pool *p = new_pool(s);
        green_db_conn *a = got(p), *b = got(p);
        int one = 1, two = 2;

        GREEN_COVERS("DBP-02");
        green_db_conn_set_data(a, &one);
        green_db_conn_set_data(b, &two);
        CHECK_INT(green_db_pool_put(p, a), 0);
        CHECK_INT(green_db_pool_put(p, b), 0);
        a = got(p);
        CHECK_PTR(green_db_conn_data(a), &two);
        b = got(p);
        CHECK_PTR(green_db_conn_data(b), &one);
        CHECK_INT(green_db_pool_put(p, b), 0);
        CHECK_INT(green_db_pool_put(p, a), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(the_one_that_came_back_last_is_next)

static void
close_gives_it_back_and_ends_the_handle_with(struct scene *s)
{
        green_db_pool *p = new_pool(s);
        green_db_conn *a = got(p), *b;
        char text[128];

        GREEN_COVERS("DBP-05");
        CHECK(green_db_conn_format(a, text, sizeof text) > 0);
        CHECK(strstr(text, "mock") != NULL && strstr(text, "open") != NULL);
        CHECK_INT(green_db_conn_close(a), 0);
        CHECK(!green_db_conn_is_open(a));
        CHECK_INT(info_of(p).idle, 1);
        b = got(p);
        CHECK_INT(run(a, "rows 1"), -EBADF);
        CHECK_INT(green_db_conn_ping(a), -EBADF);
        CHECK_INT(green_db_conn_close(a), 0);
        CHECK_INT(info_of(p).out, 1);
        CHECK_INT(green_db_conn_free(a), 0);
        CHECK_INT(green_db_conn_free(b), 0);
        CHECK_INT(info_of(p).idle, 1);
        CHECK_INT(s->m.connects, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(close_gives_it_back_and_ends_the_handle)

static void
who_comes_when_all_are_out_waits_in_order_with(struct scene *s)
{
        struct getter g[2];
        green_thread *gt[2];
        green_db_pool *p;
        green_db_conn *a, *none = NULL;

        GREEN_COVERS("DBP-04");
        s->opts.max_size = 1;
        p = new_pool(s);
        a = got(p);
        CHECK_INT(green_db_pool_get(p, &none, 0), -ETIMEDOUT);
        CHECK_INT(green_db_pool_get(p, &none, 0.001), -ETIMEDOUT);
        for (int i = 0; i < 2; i++)
                gt[i] = start_getter(&g[i], p);
        green_sleep(0);
        CHECK_INT(info_of(p).waiting, 2);
        CHECK_INT(green_db_pool_free(p), -EBUSY);
        CHECK_INT(green_db_pool_put(p, a), 0);
        join(gt[0]);
        CHECK(g[0].done && !g[1].done);
        CHECK_INT(green_db_pool_put(p, g[0].conn), 0);
        join(gt[1]);
        CHECK_INT(g[1].rc, 0);
        CHECK_INT(green_db_pool_put(p, g[1].conn), 0);
        CHECK_INT(s->m.connects, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(who_comes_when_all_are_out_waits_in_order)

static void
min_size_are_made_at_first_with(struct scene *s)
{
        green_db_pool *p;
        green_db_conn *c[3];

        GREEN_COVERS("DBP-01", "DBP-25");
        s->opts.min_size = 3;
        p = new_pool(s);
        CHECK_INT(s->m.connects, 3);
        CHECK_INT(info_of(p).idle, 3);
        for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 3; i++)
                        c[i] = got(p);
                for (int i = 0; i < 3; i++)
                        CHECK_INT(green_db_pool_put(p, c[i]), 0);
        }
        CHECK_INT(s->m.connects, 3);
        CHECK_INT(green_db_pool_free(p), 0);
        s->m.connect_rc = -ECONNREFUSED;
        errno = 0;
        CHECK(green_db_pool_new(&s->opts) == NULL);
        CHECK_INT(errno, ECONNREFUSED);
}
EACH(min_size_are_made_at_first)

/* ---- clean-up */

static int cleanups;

static int
count_cleanup(green_db_conn *conn, void *arg)
{
        cleanups++;
        CHECK_INT(run(conn, "affect 3"), 0);
        return *(int *)arg;
}

static void
what_comes_back_is_rolled_back_with(struct scene *s)
{
        green_db_pool *p = new_pool(s);
        green_db_conn *c = got(p);

        GREEN_COVERS("DBP-01", "DBP-07");
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(s->m.rollbacks, 0);
        c = got(p);
        CHECK_INT(green_db_conn_begin(c), 0);
        CHECK(green_db_conn_in_transaction(c));
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(s->m.rollbacks, 1);
        c = got(p);
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(green_db_pool_put_with(p, c, green_db_pool_cleanup_reset, NULL), 0);
        CHECK_INT(s->m.resets, 1);
        c = got(p);
        CHECK_INT(green_db_conn_begin(c), 0);
        CHECK_INT(green_db_pool_put_with(p, c, green_db_pool_cleanup_none, NULL), 0);
        c = got(p);
        CHECK(green_db_conn_in_transaction(c));
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(s->m.connects, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(what_comes_back_is_rolled_back)

static void
a_cleanup_of_ones_own_runs_once_a_return_with(struct scene *s)
{
        int code = 0;
        green_db_pool *p;

        GREEN_COVERS("DBP-08", "DBP-26");
        cleanups = 0;
        s->opts.cleanup = count_cleanup;
        s->opts.arg = &code;
        p = new_pool(s);
        {
                green_db_pool_item(held, p);

                CHECK_INT(held.rc, 0);
                CHECK_INT(run(held.conn, "rows 2"), 0);
        }
        CHECK_INT(cleanups, 1);
        CHECK_INT(info_of(p).idle, 1);
        CHECK_INT(green_db_pool_put_with(p, got(p), green_db_pool_cleanup_none, NULL), 0);
        CHECK_INT(cleanups, 1);
        CHECK_INT(green_db_pool_put_with(p, got(p), count_cleanup, &code), 0);
        CHECK_INT(cleanups, 2);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(a_cleanup_of_ones_own_runs_once_a_return)

static void
a_cleanup_that_fails_closes_the_connection_with(struct scene *s)
{
        struct getter g;
        green_thread *gt;
        int code = -EPROTO;
        green_db_pool *p;
        green_db_conn *c;

        GREEN_COVERS("DBP-07", "DBP-09", "DBP-10");
        s->opts.max_size = 1;
        p = new_pool(s);
        CHECK_INT(green_db_pool_put_with(p, got(p), count_cleanup, &code), 0);
        CHECK(logged("could not be cleaned"));
        CHECK_INT(s->m.closes, 1);
        CHECK_INT(info_of(p).available, 1);
        c = got(p);
        gt = start_getter(&g, p);
        green_sleep(0);
        code = GREEN_EKILLED;
        CHECK_INT(green_db_pool_put_with(p, c, count_cleanup, &code), GREEN_EKILLED);
        CHECK_INT(s->m.closes, 2);
        join(gt);
        CHECK_INT(g.rc, 0);
        CHECK_INT(s->m.connects, 3);
        CHECK_INT(green_db_pool_put(p, g.conn), 0);
        CHECK_INT(info_of(p).available, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(a_cleanup_that_fails_closes_the_connection)

static void
a_cleanup_that_takes_too_long_closes_it_too_with(struct scene *s)
{
        green_db_pool *p;
        green_db_conn *c;

        GREEN_COVERS("DBP-09");
        s->opts.cleanup_timeout = 0.02;
        p = new_pool(s);
        c = got(p);
        CHECK_INT(green_db_conn_begin(c), 0);
        s->m.rollback_waits = true;
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK(logged("not in time"));
        CHECK_INT(s->m.closes, 1);
        CHECK_INT(info_of(p).lost, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(a_cleanup_that_takes_too_long_closes_it_too)

/* ---- what expires */

static void
with_no_time_in_the_pool_each_is_closed_with(struct scene *s)
{
        double *which[] = {&s->opts.max_idle, &s->opts.max_age};

        GREEN_COVERS("DBP-11", "DBP-13");
        for (int i = 0; i < 2; i++) {
                green_db_pool *p;

                s->opts.max_idle = s->opts.max_age = 0;
                *which[i] = GREEN_DB_AT_ONCE;
                p = new_pool(s);
                CHECK_INT(green_db_pool_put(p, got(p)), 0);
                CHECK_INT(info_of(p).idle, 0);
                CHECK_INT(info_of(p).expired, 1);
                CHECK_INT(info_of(p).available, 4);
                CHECK_INT(green_db_pool_free(p), 0);
        }
        CHECK_INT(s->m.connects, 2);
        CHECK_INT(s->m.closes, 2);
}
EACH(with_no_time_in_the_pool_each_is_closed)

static void
idle_ones_are_closed_by_a_timer_with(struct scene *s)
{
        green_db_pool *p;
        green_db_conn *a, *b;

        GREEN_COVERS("DBP-11", "DBP-13", "DBP-14");
        s->opts.max_idle = 0.03;
        p = new_pool(s);
        a = got(p);
        b = got(p);
        CHECK_INT(green_db_pool_put(p, a), 0);
        green_sleep(0.02);
        CHECK_INT(green_db_pool_put(p, b), 0);
        while (s->m.closes < 1)
                green_sleep(0.001);
        while (s->m.closes < 2)
                green_sleep(0.001);
        CHECK_INT(info_of(p).expired, 2);
        CHECK_INT(info_of(p).idle, 0);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(idle_ones_are_closed_by_a_timer)

static void
one_that_is_out_lives_on_and_is_closed_at_its_return_with(struct scene *s)
{
        green_db_pool *p;
        green_db_conn *c;

        GREEN_COVERS("DBP-12", "DBP-07");
        s->opts.max_age = 0.02;
        p = new_pool(s);
        c = got(p);
        green_sleep(0.03);
        CHECK_INT(s->m.closes, 0);
        CHECK_INT(run(c, "rows 1"), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(s->m.closes, 1);
        CHECK_INT(info_of(p).expired, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(one_that_is_out_lives_on_and_is_closed_at_its_return)

static void
an_expired_one_is_not_given_out_with(struct scene *s)
{
        green_db_pool *p;
        green_db_conn *c;

        GREEN_COVERS("DBP-15");
        s->opts.max_idle = 0.02;
        p = new_pool(s);
        CHECK_INT(green_db_pool_put(p, got(p)), 0);
        /* The timer cannot run meanwhile. */
        usleep(30000);
        c = got(p);
        CHECK_INT(s->m.connects, 2);
        CHECK_INT(info_of(p).expired, 1);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(an_expired_one_is_not_given_out)

static void
one_that_died_while_idle_is_not_given_out_with(struct scene *s)
{
        green_db_pool *p = new_pool(s);
        green_db_conn *c;

        CHECK_INT(green_db_pool_put(p, got(p)), 0);
        /* One that came back just now is not asked; on a busy machine that may be a while ago. */
        for (int i = 0; i < 1000; i++) {
                s->m.alives = 0;
                c = got(p);
                CHECK_INT(green_db_pool_put(p, c), 0);
                if (s->m.alives == 0)
                        break;
        }
        CHECK_INT(s->m.alives, 0);
        usleep(2000);
        s->m.dead = true;
        c = got(p);
        CHECK_INT(s->m.alives, 1);
        CHECK_INT(s->m.connects, 2);
        CHECK_INT(info_of(p).lost, 1);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(one_that_died_while_idle_is_not_given_out)

/* ---- connecting fails */

static void
a_connect_that_fails_leaves_the_place_free_with(struct scene *s)
{
        green_db_pool *p;
        green_db_conn *c = NULL;

        GREEN_COVERS("DBP-21");
        s->opts.max_size = 1;
        p = new_pool(s);
        s->m.connect_rc = GREEN_EDBLOGIN;
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER), GREEN_EDBLOGIN);
                CHECK(strstr(green_last_error()->message, "no such user") != NULL);
                CHECK_INT(info_of(p).available, 1);
        }
        s->m.connect_rc = 0;
        CHECK_INT(green_db_pool_put(p, got(p)), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(a_connect_that_fails_leaves_the_place_free)

static void
connecting_has_a_limit_of_its_own_with(struct scene *s)
{
        green_db_pool *p;
        green_db_conn *c = NULL;

        GREEN_COVERS("DBP-18");
        s->opts.connect_timeout = 0.02;
        p = new_pool(s);
        s->m.connect_waits = true;
        CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER), GREEN_ECONNECTTIMEOUT);
        CHECK(green_is_timeout(GREEN_ECONNECTTIMEOUT));
        CHECK_INT(info_of(p).available, 4);
        CHECK_INT(info_of(p).connecting, 0);
        s->m.connect_waits = false;
        CHECK_INT(green_db_pool_put(p, got(p)), 0);
        CHECK_INT(green_db_pool_free(p), 0);
        open_gate(s);
}
EACH(connecting_has_a_limit_of_its_own)

static void
whoever_waits_is_woken_when_a_connect_fails_with(struct scene *s)
{
        static const int ends[] = {GREEN_EDBLOGIN, GREEN_ECONNECTTIMEOUT, GREEN_ETIMEOUT, GREEN_EKILLED};

        GREEN_COVERS("DBP-19", "DBP-20");
        s->opts.max_size = 1;
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
                bool refused = ends[i] == GREEN_EDBLOGIN;
                struct getter a, b;
                green_thread *one, *two;
                green_db_pool *p;

                /* Long enough for an OS thread to begin. */
                s->opts.connect_timeout = ends[i] == GREEN_ECONNECTTIMEOUT ? 0.1 * suite_slow() : 5;
                p = new_pool(s);
                s->m.connect_waits = true;
                one = start_getter(&a, p);
                until_waiting(s, 1);
                two = start_getter(&b, p);
                green_sleep(0);
                CHECK_INT(info_of(p).waiting, 1);
                if (refused) {
                        s->m.connect_rc = GREEN_EDBLOGIN;
                        open_gate(s);
                } else {
                        s->m.connect_waits = false;
                        if (ends[i] != GREEN_ECONNECTTIMEOUT)
                                green_kill(one, ends[i]);
                }
                ended(one, ends[i] == GREEN_EKILLED || ends[i] == GREEN_ETIMEOUT ? ends[i] : 0);
                CHECK_INT(a.rc, ends[i]);
                /* Its place went to the other, who tries in its turn. */
                join(two);
                CHECK_INT(b.rc, refused ? GREEN_EDBLOGIN : 0);
                if (!refused)
                        CHECK_INT(green_db_pool_put(p, b.conn), 0);
                CHECK_INT(info_of(p).waiting, 0);
                CHECK_INT(info_of(p).available, 1);
                CHECK_INT(green_db_pool_free(p), 0);
                s->m.connect_rc = 0;
                if (refused)
                        close_gate(s);
                until_waiting(s, 0);
        }
}
EACH(whoever_waits_is_woken_when_a_connect_fails)

static void
who_waits_makes_one_where_a_broken_one_comes_back_with(struct scene *s)
{
        struct getter g;
        green_thread *gt;
        green_db_pool *p;
        green_db_conn *c;

        GREEN_COVERS("DBP-16");
        s->opts.max_size = 1;
        p = new_pool(s);
        c = got(p);
        gt = start_getter(&g, p);
        green_sleep(0);
        CHECK_INT(run(c, "lost"), GREEN_EDBLOST);
        CHECK_INT(run(c, "rows 1"), GREEN_EDBLOST);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(s->m.closes, 1);
        join(gt);
        CHECK_INT(g.rc, 0);
        CHECK_INT(run(g.conn, "rows 1"), 0);
        CHECK_INT(green_db_pool_put(p, g.conn), 0);
        CHECK_INT(s->m.connects, 2);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(who_waits_makes_one_where_a_broken_one_comes_back)

static void
one_that_is_thrown_away_gives_its_place_only_once_with(struct scene *s)
{
        green_db_pool *p;
        green_db_conn *c;

        GREEN_COVERS("DBP-17");
        s->opts.max_size = 2;
        p = new_pool(s);
        CHECK_INT(green_db_pool_put(p, NULL), -EINVAL);
        CHECK_INT(green_db_pool_discard(p, NULL), -EINVAL);
        CHECK_INT(info_of(p).available, 2);
        c = got(p);
        CHECK_INT(green_db_pool_discard(p, c), 0);
        CHECK_INT(s->m.closes, 1);
        CHECK_INT(info_of(p).available, 2);
        CHECK_INT(info_of(p).out, 0);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(one_that_is_thrown_away_gives_its_place_only_once)

/* ---- hooks */

static struct {
        int connected, closed, code;
} hooks;

static int
on_connect(green_db_conn *conn, void *arg)
{
        green_db_stmt *st;

        (void)arg;
        hooks.connected++;
        CHECK_INT(green_db_conn_prepare(conn, "rows 2", &st), 0);
        CHECK_INT(green_db_conn_set_data(conn, &hooks), 0);
        return hooks.code;
}

static void
on_close(green_db_conn *conn, void *arg)
{
        (void)arg;
        CHECK_PTR(green_db_conn_data(conn), &hooks);
        CHECK_INT(green_db_conn_ping(conn), GREEN_EDBLOST);
        hooks.closed++;
}

static void
hooks_are_called_for_each_connection_with(struct scene *s)
{
        green_db_stmt *st = NULL;
        green_db_pool *p;
        green_db_conn *c;

        GREEN_COVERS("DBP-27");
        memset(&hooks, 0, sizeof hooks);
        s->opts.on_connect = on_connect;
        s->opts.on_close = on_close;
        p = new_pool(s);
        c = got(p);
        CHECK_PTR(green_db_conn_data(c), &hooks);
        CHECK_INT(green_db_conn_prepare(c, "rows 2", &st), 0);
        CHECK_INT(s->m.prepares, 1);
        CHECK_INT(green_db_stmt_execute(st, GREEN_DB_NO_PARAMS, NULL), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_stmt_execute(st, GREEN_DB_NO_PARAMS, NULL), -EBADF);
        CHECK_INT(green_db_pool_put(p, got(p)), 0);
        CHECK_INT(hooks.connected, 1);
        CHECK_INT(hooks.closed, 0);
        CHECK_INT(green_db_pool_clear(p), 0);
        CHECK_INT(hooks.closed, 1);
        hooks.code = -EACCES;
        CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER), -EACCES);
        CHECK_INT(hooks.closed, 2);
        CHECK_INT(info_of(p).available, 4);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(hooks_are_called_for_each_connection)

/* ---- the whole pool */

static void
clear_closes_what_is_in_it_with(struct scene *s)
{
        green_db_conn *a, *b;
        green_db_pool *p;

        GREEN_COVERS("DBP-22", "DBP-23");
        s->opts.min_size = 2;
        p = new_pool(s);
        a = got(p);
        CHECK_INT(green_db_pool_clear(p), 0);
        CHECK_INT(s->m.closes, 1);
        CHECK_INT(info_of(p).idle, 0);
        CHECK_INT(info_of(p).available, 3);
        CHECK_INT(green_db_pool_clear(p), 0);
        b = got(p);
        CHECK_INT(s->m.connects, 3);
        CHECK_INT(green_db_pool_put(p, a), 0);
        CHECK_INT(green_db_pool_put(p, b), 0);
        CHECK_INT(info_of(p).available, 4);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(clear_closes_what_is_in_it)

static void
create_makes_a_new_one_though_others_are_idle_with(struct scene *s)
{
        green_db_conn *a = NULL, *b = NULL, *c = NULL, *apart = NULL;
        green_db_pool *p;

        s->opts.max_size = 2;
        p = new_pool(s);
        a = got(p);
        b = got(p);
        CHECK_INT(green_db_pool_create(p, &c), -EAGAIN);
        CHECK_INT(green_db_pool_put(p, a), 0);
        CHECK_INT(green_db_pool_create(p, &c), 0);
        CHECK_INT(s->m.connects, 3);
        CHECK_INT(s->m.closes, 1); /* there may be two */
        CHECK_INT(green_db_pool_connect(p, &apart), 0);
        CHECK_INT(s->m.connects, 4);
        CHECK_INT(info_of(p).out, 2);
        CHECK_INT(green_db_pool_put(p, apart), -EINVAL);
        CHECK_INT(green_db_pool_put(p, b), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).idle, 2);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(run(apart, "rows 1"), 0);
        CHECK_INT(green_db_conn_free(apart), 0);
}
EACH(create_makes_a_new_one_though_others_are_idle)

static void
it_grows_and_shrinks_with(struct scene *s)
{
        green_db_conn *c[4];
        struct getter g;
        green_thread *gt;
        green_db_pool *p;

        s->opts.max_size = 4;
        p = new_pool(s);
        for (int i = 0; i < 4; i++)
                c[i] = got(p);
        CHECK_INT(green_db_pool_put(p, c[3]), 0);
        CHECK_INT(green_db_pool_resize(p, 2), 0);
        CHECK_INT(s->m.closes, 1);
        CHECK_INT(info_of(p).available, -1);
        CHECK_INT(green_db_pool_put(p, c[2]), 0);
        CHECK_INT(s->m.closes, 2);
        CHECK_INT(info_of(p).available, 0);
        gt = start_getter(&g, p);
        green_sleep(0);
        CHECK_INT(info_of(p).waiting, 1);
        CHECK_INT(green_db_pool_resize(p, 3), 0);
        join(gt);
        CHECK_INT(g.rc, 0);
        CHECK_INT(green_db_pool_put(p, g.conn), 0);
        CHECK_INT(green_db_pool_put(p, c[0]), 0);
        CHECK_INT(green_db_pool_put(p, c[1]), 0);
        CHECK_INT(info_of(p).idle, 3);
        CHECK_INT(info_of(p).available, 3);
        CHECK_INT(green_db_pool_free(p), 0);
}
EACH(it_grows_and_shrinks)

static void
a_freed_pool_closes_what_comes_back_later_with(struct scene *s)
{
        green_db_pool *p = new_pool(s);
        green_db_conn *a = got(p), *b = got(p);

        GREEN_COVERS("DBP-24");
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(s->m.closes, 0);
        CHECK_INT(run(a, "rows 1"), 0);
        CHECK_INT(green_db_conn_free(a), 0);
        CHECK_INT(s->m.closes, 1);
        CHECK_INT(green_db_pool_put(p, b), 0);
        CHECK_INT(s->m.closes, 2);
}
EACH(a_freed_pool_closes_what_comes_back_later)

/* ---- misuse */

static void
what_cannot_be_is_refused(void)
{
        struct scene s;
        struct green_db_pool_opts o;
        green_db_pool *p;

        if (!begin_scene(&s, "db_mock"))
                return;
        CHECK(green_db_pool_new(NULL) == NULL);
        o = s.opts;
        o.driver = NULL;
        CHECK(green_db_pool_new(&o) == NULL);
        CHECK_INT(errno, EINVAL);
        o = s.opts;
        o.min_size = 5;
        CHECK(green_db_pool_new(&o) == NULL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        o = s.opts;
        o.connect_timeout = -1;
        CHECK(green_db_pool_new(&o) == NULL);
        o = s.opts;
        o.kind = (enum green_db_pool_kind)7;
        CHECK(green_db_pool_new(&o) == NULL);
        o = s.opts;
        o.driver = "nosuch";
        CHECK(green_db_pool_new(&o) == NULL);
        CHECK_INT(green_last_error()->code, GREEN_EDBDRIVER);
        CHECK(strstr(green_last_error()->message, "database driver \"nosuch\"") != NULL);
        o.driver = "mysql";
        CHECK(green_db_pool_new(&o) == NULL);
        CHECK(strstr(green_last_error()->message, "\"mariadb\"") != NULL);
        s.params.port = 70000;
        CHECK(green_db_pool_new(&s.opts) == NULL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        s.params.port = 0;
        s.params.options = NULL;
        p = new_pool(&s);
        {
                green_db_conn *c = NULL;

                CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER), -EINVAL);
                CHECK(strstr(green_last_error()->message, "no mock") != NULL);
                CHECK_INT(green_db_pool_get(p, NULL, GREEN_FOREVER), -EINVAL);
                CHECK_INT(green_db_pool_get(p, &c, -1), -EINVAL);
                CHECK_INT(green_db_pool_get(NULL, &c, 0), -EINVAL);
        }
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(green_db_pool_free(NULL), 0);
        CHECK_INT(green_db_conn_free(NULL), 0);
        end_scene(&s);
}

/* ---- raw and tpooled */

static void
the_kind_says_where_calls_run(void)
{
        GREEN_COVERS("DBP-03", "DBP-28");
        for (int tpooled = 0; tpooled < 2; tpooled++) {
                struct green_tpool_info info = {.size = sizeof info};
                struct scene s;
                green_db_pool *p;

                if (!begin_scene(&s, mocks[!tpooled]))
                        return;
                s.opts.kind = tpooled ? GREEN_DB_POOL_TPOOLED : GREEN_DB_POOL_RAW;
                CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
                p = new_pool(&s);
                CHECK_INT(green_db_pool_put(p, got(p)), 0);
                CHECK_INT(green_tpool_get_info(&info), 0);
                CHECK(tpooled ? info.threads > 0 : info.threads == 0);
                CHECK_INT(green_db_pool_free(p), 0);
                end_scene(&s);
        }
}

GREEN_SUITE(net_db_pool) {
        GREEN_TEST(a_connection_is_made_once_and_used_again),
        GREEN_TEST(the_one_that_came_back_last_is_next),
        GREEN_TEST(close_gives_it_back_and_ends_the_handle),
        GREEN_TEST(who_comes_when_all_are_out_waits_in_order),
        GREEN_TEST(min_size_are_made_at_first),
        GREEN_TEST(what_comes_back_is_rolled_back),
        GREEN_TEST(a_cleanup_of_ones_own_runs_once_a_return),
        GREEN_TEST(a_cleanup_that_fails_closes_the_connection),
        GREEN_TEST(a_cleanup_that_takes_too_long_closes_it_too),
        GREEN_TEST(with_no_time_in_the_pool_each_is_closed),
        GREEN_TEST(idle_ones_are_closed_by_a_timer),
        GREEN_TEST(one_that_is_out_lives_on_and_is_closed_at_its_return),
        GREEN_TEST(an_expired_one_is_not_given_out),
        GREEN_TEST(one_that_died_while_idle_is_not_given_out),
        GREEN_TEST(a_connect_that_fails_leaves_the_place_free),
        GREEN_TEST(connecting_has_a_limit_of_its_own),
        GREEN_TEST(whoever_waits_is_woken_when_a_connect_fails),
        GREEN_TEST(who_waits_makes_one_where_a_broken_one_comes_back),
        GREEN_TEST(one_that_is_thrown_away_gives_its_place_only_once),
        GREEN_TEST(hooks_are_called_for_each_connection),
        GREEN_TEST(clear_closes_what_is_in_it),
        GREEN_TEST(create_makes_a_new_one_though_others_are_idle),
        GREEN_TEST(it_grows_and_shrinks),
        GREEN_TEST(a_freed_pool_closes_what_comes_back_later),
        GREEN_TEST(what_cannot_be_is_refused),
        GREEN_TEST(the_kind_says_where_calls_run),
        GREEN_SUITE_END
};
