/*
 * Databases: who frees, closes, kills or forks while others are in the middle of something. The driver is a mock.
 */
#include "net_db.h"

#include <sys/wait.h>

#include <green/tpool.h>

/* ---- pools that are freed while others come back to them */

static void
a_pool_is_not_freed_under_one_that_was_woken(void)
{
        struct getter g;
        green_thread *gt;
        green_db_pool *p;
        green_db_conn *c;
        struct scene s;

        if (!begin_scene(&s, "db_mock"))
                return;
        s.opts.max_size = 1;
        p = new_pool(&s);
        c = got(p);
        gt = start_getter(&g, p);
        green_sleep(0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).waiting, 0);
        CHECK_INT(green_db_pool_free(p), -EBUSY); /* it has not run since */
        join(gt);
        CHECK_INT(g.rc, 0);
        CHECK_INT(green_db_pool_put(p, g.conn), 0);
        CHECK_INT(green_db_pool_free(p), 0);
        end_scene(&s);
}

struct user {
        green_db_pool *p;
        green_db_conn *c;
        int rc;
};

static void *
clear_it(void *arg)
{
        struct user *u = arg;

        u->rc = green_db_pool_clear(u->p);
        return NULL;
}

static void *
shrink_it(void *arg)
{
        struct user *u = arg;

        u->rc = green_db_pool_resize(u->p, 0);
        return NULL;
}

static void *
throw_away(void *arg)
{
        struct user *u = arg;

        u->rc = green_db_pool_discard(u->p, u->c);
        return NULL;
}

static void *
close_handle(void *arg)
{
        struct user *u = arg;

        u->rc = green_db_conn_close(u->c);
        return NULL;
}

/* Closing waits for an OS thread. */
static void
a_pool_can_be_freed_while_others_close_something(void)
{
        void *(*const fns[])(void *) = {clear_it, shrink_it, throw_away, close_handle};

        for (size_t i = 0; i < sizeof fns / sizeof fns[0]; i++) {
                struct user u = {.rc = 1};
                green_thread *gt;
                struct scene s;

                if (!begin_scene(&s, "db_mock_blocks"))
                        return;
                s.opts.max_idle = i == 3 ? GREEN_DB_AT_ONCE : 0;
                u.p = new_pool(&s);
                u.c = got(u.p);
                if (i < 2)
                        CHECK_INT(green_db_pool_put(u.p, u.c), 0);
                gt = green_spawn(fns[i], &u);
                green_sleep(0);
                CHECK_INT(u.rc, 1);
                CHECK_INT(green_db_pool_free(u.p), 0);
                join(gt);
                CHECK_INT(u.rc, 0);
                if (i == 3)
                        CHECK_INT(green_db_conn_free(u.c), 0);
                end_scene(&s);
        }
}

static void
a_pool_is_not_freed_under_one_that_closes_what_has_died(void)
{
        struct getter g;
        green_thread *gt;
        green_db_pool *p;
        struct scene s;

        if (!begin_scene(&s, "db_mock_blocks"))
                return;
        p = new_pool(&s);
        CHECK_INT(green_db_pool_put(p, got(p)), 0);
        usleep(2000);
        s.m.dead = true;
        gt = start_getter(&g, p);
        green_sleep(0);
        CHECK(!g.done);
        CHECK_INT(green_db_pool_free(p), -EBUSY);
        join(gt);
        CHECK_INT(g.rc, 0);
        CHECK_INT(s.m.connects, 2);
        CHECK_INT(green_db_pool_put(p, g.conn), 0);
        CHECK_INT(green_db_pool_free(p), 0);
        end_scene(&s);
}

/* ---- connectors */

struct asker {
        green_db_connector *con;
        green_db_pool *pool;
        int rc, free_rc;
};

static void *
ask_for_pool(void *arg)
{
        struct asker *a = arg;

        a->rc = green_db_connector_get(a->con, "a", "b", &a->pool);
        if (a->free_rc == 0)
                a->free_rc = green_db_connector_free(a->con);
        return NULL;
}

static void
a_connector_is_not_freed_under_those_who_wait_for_a_pool(void)
{
        struct green_db_credentials list = {"default", NULL};
        struct asker a[2] = {{.free_rc = 0}, {.free_rc = 1}};
        green_db_connector *con;
        green_thread *gt[2];
        struct scene s;

        if (!begin_scene(&s, "db_mock"))
                return;
        list.params = &s.params;
        s.opts.min_size = 1;
        con = green_db_connector_new(s.path, &list, 1, &s.opts);
        CHECK(con != NULL);
        s.m.connect_waits = true;
        for (int i = 0; i < 2; i++) {
                a[i].con = con;
                gt[i] = green_spawn(ask_for_pool, &a[i]);
        }
        until_waiting(&s, 1);
        open_gate(&s);
        for (int i = 0; i < 2; i++) {
                join(gt[i]);
                CHECK_INT(a[i].rc, 0);
        }
        CHECK_INT(a[0].free_rc, -EBUSY);
        CHECK_PTR(a[0].pool, a[1].pool);
        CHECK_INT(green_db_connector_free(con), 0);
        end_scene(&s);
}

/* ---- calls that are killed before they begin */

struct task {
        green_db_conn *c;
        green_db_result *r;
        green_db_stmt *st;
        int rc;
};

static void *
wait_there(void *arg)
{
        struct task *k = arg;

        k->rc = run(k->c, "wait");
        return NULL;
}

static void *
read_next(void *arg)
{
        struct task *k = arg;

        for (k->rc = 1; k->rc == 1;)
                k->rc = green_db_result_next(k->r);
        return NULL;
}

static void *
free_stmt(void *arg)
{
        struct task *k = arg;

        k->rc = green_db_stmt_free(k->st);
        return NULL;
}

/* Both OS threads are taken: what a third one calls stands in the queue, where it is killed. */
struct full {
        struct scene s;
        struct task waiting[2];
        green_thread *gt[2];
        green_db_conn *c;
};

static bool
begin_full(struct full *f)
{
        if (!begin_scene(&f->s, "db_mock_blocks"))
                return false;
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
        CHECK_INT(green_tpool_set_num_threads(2), 0);
        CHECK_INT(green_db_connect(f->s.path, &f->s.params, 5, &f->c), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_db_connect(f->s.path, &f->s.params, 5, &f->waiting[i].c), 0);
        return true;
}

static void
kill_in_queue(struct full *f, void *(*fn)(void *), struct task *k)
{
        green_thread *gt;

        for (int i = 0; i < 2; i++) {
                f->gt[i] = green_spawn(wait_there, &f->waiting[i]);
                until_waiting(&f->s, i + 1);
        }
        gt = green_spawn(fn, k);
        green_sleep(0.001);
        green_kill(gt, 0);
        ended(gt, GREEN_EKILLED);
        CHECK_INT(k->rc, GREEN_EKILLED);
        open_gate(&f->s);
        for (int i = 0; i < 2; i++)
                join(f->gt[i]);
        close_gate(&f->s);
}

static void
end_full(struct full *f)
{
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_db_conn_free(f->waiting[i].c), 0);
        CHECK_INT(green_db_conn_free(f->c), 0);
        end_scene(&f->s);
        CHECK_INT(green_tpool_set_num_threads(GREEN_TPOOL_THREADS), 0);
}

static void
rows_that_were_not_fetched_are_settled(void)
{
        struct full f;
        struct task k;

        if (!begin_full(&f))
                return;
        k = (struct task){.c = f.c};
        CHECK_INT(green_db_conn_cursor(f.c, "rows 8", GREEN_DB_NO_PARAMS, &k.r), 0);
        kill_in_queue(&f, read_next, &k);
        CHECK_INT(run(f.c, "rows 1"), 0);
        CHECK_INT(f.s.m.settles, 1);
        CHECK_INT(green_db_result_next(k.r), GREEN_EKILLED);
        green_db_result_free(k.r);
        end_full(&f);
}

static void
a_statement_that_was_not_forgotten_is_kept(void)
{
        struct full f;
        struct task k;

        if (!begin_full(&f))
                return;
        k = (struct task){.c = f.c};
        CHECK_INT(green_db_conn_prepare(f.c, "rows 3", &k.st), 0);
        kill_in_queue(&f, free_stmt, &k);
        CHECK_INT(f.s.m.unprepares, 0);
        CHECK_INT(green_db_conn_prepare(f.c, "rows 3", &k.st), 0);
        CHECK_INT(f.s.m.prepares, 1);
        CHECK_INT(green_db_stmt_execute(k.st, GREEN_DB_NO_PARAMS, NULL), 0);
        end_full(&f);
}

static void *
run_rows(void *arg)
{
        struct task *k = arg;

        k->rc = run(k->c, "rows 1");
        return NULL;
}

/* Its connection is settled first, under a shield: it is killed then, and its own call does not begin. */
static void
a_call_that_does_not_begin_interrupts_nothing(void)
{
        struct task k = {.rc = 1};
        green_thread *gt;
        struct scene s;

        if (!begin_scene(&s, "db_mock_blocks"))
                return;
        CHECK_INT(green_db_connect(s.path, &s.params, 5, &k.c), 0);
        gt = green_spawn(wait_there, &k);
        until_waiting(&s, 1);
        green_kill(gt, 0);
        ended(gt, GREEN_EKILLED);
        CHECK_INT(s.m.interrupts, 1);
        s.m.settle_waits = true;
        gt = green_spawn(run_rows, &k);
        until_waiting(&s, 1);
        green_kill(gt, 0);
        open_gate(&s);
        ended(gt, GREEN_EKILLED);
        CHECK_INT(k.rc, GREEN_EKILLED);
        CHECK_INT(s.m.interrupts, 1);
        CHECK_INT(s.m.queries, 1);
        CHECK_INT(run(k.c, "rows 1"), 0);
        CHECK_INT(s.m.settles, 1);
        CHECK_INT(green_db_conn_free(k.c), 0);
        end_scene(&s);
}

/* ---- statements, results, handles */

static void
a_statement_lives_on_where_the_server_has_forgotten_it(void)
{
        green_db_stmt *a = NULL, *b = NULL;
        green_db_conn *c = NULL;
        struct scene s;

        if (!begin_scene(&s, "db_mock_pipes"))
                return;
        CHECK_INT(green_db_connect(s.path, &s.params, 5, &c), 0);
        CHECK_INT(green_db_conn_prepare(c, "rows 3", &a), 0);
        CHECK_INT(green_db_conn_prepare(c, "rows 4", &b), 0);
        CHECK_INT(green_db_conn_change_user(c, "else", NULL, NULL), 0);
        CHECK_INT(s.m.statements, 0);
        CHECK_INT(green_db_stmt_execute(a, GREEN_DB_NO_PARAMS, NULL), 0);
        CHECK_INT(s.m.prepares, 3);
        CHECK_INT(green_db_conn_pipeline_begin(c), 0);
        CHECK_INT(green_db_stmt_send(b, GREEN_DB_NO_PARAMS), -EINVAL);
        CHECK_INT(green_db_stmt_send(a, GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_pipeline_end(c), 0);
        CHECK_INT(green_db_stmt_free(b), 0);
        CHECK_INT(s.m.unprepares, 0);
        CHECK_INT(green_db_pool_cleanup_reset(c, NULL), 0);
        CHECK_INT(green_db_conn_prepare(c, "rows 3", &b), 0);
        CHECK_PTR(a, b);
        CHECK_INT(s.m.prepares, 4);
        CHECK_INT(green_db_conn_free(c), 0);
        end_scene(&s);
}

static void *
killed_store(void *arg)
{
        struct task *k = arg;

        green_kill(green_getcurrent(), 0);
        k->rc = green_db_conn_store_result(k->c, &k->r);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        return NULL;
}

static void
a_result_that_could_not_be_stored_can_be_used(void)
{
        struct task k = {.rc = 0};
        struct scene s;

        if (!begin_scene(&s, "db_mock"))
                return;
        CHECK_INT(green_db_connect(s.path, &s.params, 5, &k.c), 0);
        CHECK_INT(green_db_conn_query(k.c, "rows 8", GREEN_DB_NO_PARAMS), 0);
        join(green_spawn(killed_store, &k));
        CHECK_INT(k.rc, GREEN_EKILLED);
        CHECK_INT(green_db_conn_use_result(k.c, &k.r), 0);
        for (int i = 0; i < 8; i++)
                CHECK_INT(green_db_result_next(k.r), 1);
        CHECK_INT(green_db_result_next(k.r), 0);
        CHECK_INT(green_db_result_rows(k.r), 8);
        green_db_result_free(k.r);
        CHECK_INT(s.m.settles, 0);
        CHECK_INT(green_db_conn_free(k.c), 0);
        end_scene(&s);
}

static void
a_result_can_be_freed_while_it_is_read(void)
{
        for (size_t i = 0; i < 2; i++) {
                struct task k = {.rc = 0};
                green_thread *gt;
                struct scene s;

                if (!begin_scene(&s, mocks[i]))
                        return;
                CHECK_INT(green_db_connect(s.path, &s.params, 5, &k.c), 0);
                CHECK_INT(green_db_conn_cursor(k.c, "rows 1000", GREEN_DB_NO_PARAMS, &k.r), 0);
                gt = green_spawn(read_next, &k);
                until_waiting(&s, 1);
                green_db_result_free(k.r);
                open_gate(&s);
                join(gt);
                CHECK_INT(k.rc, -EBADF);
                CHECK_INT(run(k.c, "rows 1"), 0);
                CHECK_INT(s.m.settles, 1);
                CHECK_INT(green_db_conn_free(k.c), 0);
                end_scene(&s);
        }
}

static void
one_that_is_being_given_back_is_not_given_back_again(void)
{
        for (size_t i = 0; i < 2; i++) {
                struct user u = {.rc = 1};
                green_db_result *r;
                green_thread *gt;
                struct scene s;

                if (!begin_scene(&s, mocks[i]))
                        return;
                u.p = new_pool(&s);
                u.c = got(u.p);
                CHECK_INT(green_db_conn_cursor(u.c, "rows 8", GREEN_DB_NO_PARAMS, &r), 0);
                s.m.settle_waits = true;
                gt = green_spawn(close_handle, &u);
                until_waiting(&s, 1);
                CHECK_INT(green_db_conn_close(u.c), -EBUSY);
                CHECK_INT(green_db_pool_put(u.p, u.c), -EBUSY);
                open_gate(&s);
                join(gt);
                CHECK_INT(u.rc, 0);
                green_db_result_free(r);
                CHECK_INT(green_db_conn_free(u.c), 0);
                CHECK_INT(info_of(u.p).available, 4);
                CHECK_INT(info_of(u.p).idle, 1);
                CHECK_INT(green_db_pool_free(u.p), 0);
                end_scene(&s);
        }
}

static void
close_when_closed(green_db_conn *conn, void *arg)
{
        (void)arg;
        CHECK_INT(green_db_conn_close(conn), -EBUSY);
}

static int
close_at_once(green_db_conn *conn, void *arg)
{
        (void)arg;
        return green_db_conn_free(conn);
}

static void
hooks_cannot_close_what_they_are_given(void)
{
        green_db_conn *c = NULL;
        green_db_pool *p;
        struct scene s;

        if (!begin_scene(&s, "db_mock"))
                return;
        s.opts.on_connect = close_at_once;
        s.opts.on_close = close_when_closed;
        p = new_pool(&s);
        CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER), -EBUSY);
        CHECK_INT(info_of(p).available, 4);
        CHECK_INT(green_db_pool_free(p), 0);
        end_scene(&s);
}

static void
why_a_first_connection_could_not_be_made_is_told(void)
{
        struct scene s;

        if (!begin_scene(&s, "db_mock"))
                return;
        s.opts.min_size = 1;
        s.m.connect_rc = GREEN_EDBLOGIN;
        CHECK(green_db_pool_new(&s.opts) == NULL);
        CHECK_INT(green_last_error()->code, GREEN_EDBLOGIN);
        CHECK(strstr(green_last_error()->message, "no such user") != NULL);
        end_scene(&s);
}

/* ---- fork */

static void
in_the_child(struct scene *s, green_db_pool *p, green_db_conn **c, green_db_result *r)
{
        green_db_result_free(r);
        CHECK_INT(run(c[0], "rows 1"), GREEN_EDBLOST);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_db_pool_put(p, c[i]), 0);
        CHECK_INT(s->m.settles, 0);
        CHECK_INT(s->m.rollbacks, 0);
        CHECK_INT(s->m.closes, 0);
        CHECK_INT(info_of(p).idle, 0);
        CHECK_INT(info_of(p).available, 4);
        c[0] = got(p);
        CHECK_INT(s->m.connects, 4);
        CHECK_INT(run(c[0], "rows 1"), 0);
        CHECK_INT(green_db_pool_put(p, c[0]), 0);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(s->m.closes, 1);
}

static void
in_the_child_of_a_fork_the_parents_connections_are_left_alone(void)
{
        green_db_result *r = NULL;
        green_db_conn *c[3];
        int status = -1;
        green_db_pool *p;
        struct scene s;
        pid_t pid;

        if (!begin_scene(&s, "db_mock"))
                return;
        p = new_pool(&s);
        for (int i = 0; i < 3; i++)
                c[i] = got(p);
        CHECK_INT(green_db_conn_cursor(c[0], "rows 8", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_conn_begin(c[1]), 0);
        pid = fork();
        if (pid == 0) {
                in_the_child(&s, p, c, r);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        green_db_result_free(r);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_db_pool_put(p, c[i]), 0);
        CHECK_INT(info_of(p).idle, 3);
        CHECK_INT(green_db_pool_free(p), 0);
        end_scene(&s);
}

/* Who waited in a get is not there in the child, and holds up nobody. */
static void
in_the_child_of_a_fork_nobody_gets(void)
{
        struct getter g;
        int status = -1;
        green_thread *gt;
        green_db_pool *p;
        green_db_conn *c;
        struct scene s;
        pid_t pid;

        if (!begin_scene(&s, "db_mock"))
                return;
        s.opts.max_size = 1;
        p = new_pool(&s);
        c = got(p);
        gt = start_getter(&g, p);
        green_sleep(0);
        pid = fork();
        if (pid == 0) {
                CHECK_INT(green_db_pool_put(p, c), 0);
                CHECK_INT(green_db_pool_free(p), 0);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        join(gt);
        CHECK_INT(green_db_pool_put(p, g.conn), 0);
        CHECK_INT(green_db_pool_free(p), 0);
        end_scene(&s);
}

GREEN_SUITE(net_db_life) {
        GREEN_TEST(a_pool_is_not_freed_under_one_that_was_woken),
        GREEN_TEST(a_pool_can_be_freed_while_others_close_something),
        GREEN_TEST(a_pool_is_not_freed_under_one_that_closes_what_has_died),
        GREEN_TEST(a_connector_is_not_freed_under_those_who_wait_for_a_pool),
        GREEN_TEST(rows_that_were_not_fetched_are_settled),
        GREEN_TEST(a_statement_that_was_not_forgotten_is_kept),
        GREEN_TEST(a_call_that_does_not_begin_interrupts_nothing),
        GREEN_TEST(a_statement_lives_on_where_the_server_has_forgotten_it),
        GREEN_TEST(a_result_that_could_not_be_stored_can_be_used),
        GREEN_TEST(a_result_can_be_freed_while_it_is_read),
        GREEN_TEST(one_that_is_being_given_back_is_not_given_back_again),
        GREEN_TEST(hooks_cannot_close_what_they_are_given),
        GREEN_TEST(why_a_first_connection_could_not_be_made_is_told),
        GREEN_TEST(in_the_child_of_a_fork_the_parents_connections_are_left_alone),
        GREEN_TEST(in_the_child_of_a_fork_nobody_gets),
        GREEN_SUITE_END
};
