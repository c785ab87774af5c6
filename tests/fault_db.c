/*
 * Each allocation and system call fails in its turn where databases are used, over a driver that is a mock: its calls
 * run in place, and in OS threads. See fault.h and db_mock.h.
 */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <green/net.h>
#include <green/tpool.h>

#include "db_mock.h"

#define SOON (5.0 * suite_slow())

/* As in fault_core.c; and a module that cannot be looked at before is loaded all the same. */
#define ALTSTACK (FAULT_BIT(mmap) | FAULT_BIT(pread))
#define FEWER FAULT_BIT(alloc)

enum { IN_PLACE, IN_THREADS };
static const char *const mocks[] = {"db_mock", "db_mock_blocks"};

/* ---- the scene */

struct scene {
        struct db_mock m;
        int gate[2];
        const char *options[2];
        struct green_db_params params;
        struct green_db_pool_opts opts;
        char option[64], path[512];
};

/* False: this build has no modules, or there is no hub. What is broken is closed, so a connection may be lost. */
static bool
begin(struct scene *s, const char *plugin, bool threads)
{
        const char *path;

        fault_pause();
        path = suite_plugin(plugin);
        memset(s, 0, sizeof *s);
        snprintf(s->path, sizeof s->path, "%s", path != NULL ? path : "");
        snprintf(s->option, sizeof s->option, "%s", db_mock_option(&s->m));
        fault_resume();
        if (path == NULL || !MADE(green_get_hub()))
                return false;
        fault_pair(s->gate);
        s->m.gate = s->gate[0];
        s->options[0] = s->option;
        s->params = (struct green_db_params){.size = sizeof s->params, .options = s->options, .host = "here"};
        s->opts = (struct green_db_pool_opts){.size = sizeof s->opts,
                                              .driver = s->path,
                                              .params = &s->params,
                                              .kind = threads ? GREEN_DB_POOL_TPOOLED : GREEN_DB_POOL_RAW,
                                              .max_size = 2,
                                              .max_idle = GREEN_FOREVER,
                                              .max_age = GREEN_FOREVER,
                                              .connect_timeout = SOON,
                                              .cleanup_timeout = SOON};
        fault_may_give(GREEN_EDBDRIVER);
        fault_may_give(GREEN_EDBLOST);
        return true;
}

static void
end(struct scene *s)
{
        (void)OK(green_tpool_killall(SOON));
        CHECK_INT(s->m.connects, s->m.closes);
        CHECK_INT(s->m.statements, 0);
        CHECK_INT(s->m.violations, 0);
        CHECK_INT(s->m.waiting, 0);
        fault_close(s->gate[0]);
        fault_close(s->gate[1]);
}

/* Is the pool as good as new: is its place free, and does it give out connections that work? Not where all fails. */
static void
works_still(green_db_pool *p)
{
        struct green_db_pool_info info = {.size = sizeof info};
        green_db_conn *c;

        CHECK_INT(green_db_pool_get_info(p, &info), 0);
        CHECK_INT(info.available, 2);
        CHECK_INT(info.out, 0);
        CHECK_INT(info.connecting, 0);
        CHECK_INT(info.waiting, 0);
        if (fault_lasts() || !OK(green_db_pool_get(p, &c, SOON)))
                return;
        (void)OK(green_db_conn_execute(c, "rows 1", GREEN_DB_NO_PARAMS, NULL));
        CHECK_INT(green_db_pool_put(p, c), 0);
}

/* A connection of a pool, for the scenarios of what is done on one. */
struct one {
        struct scene s;
        green_db_pool *p;
        green_db_conn *c;
};

static bool
begin_one(struct one *o, bool threads)
{
        if (!begin(&o->s, "db_mock_pipes", threads))
                return false;
        o->c = NULL;
        o->p = green_db_pool_new(&o->s.opts);
        if (MADE(o->p) && OK(green_db_pool_get(o->p, &o->c, SOON)))
                return true;
        if (o->p != NULL)
                CHECK_INT(green_db_pool_free(o->p), 0);
        end(&o->s);
        return false;
}

static void
end_one(struct one *o)
{
        CHECK_INT(green_db_pool_put(o->p, o->c), 0);
        works_still(o->p);
        CHECK_INT(green_db_pool_free(o->p), 0);
        end(&o->s);
}

/* ---- without a pool */

static void
connecting_with(bool threads)
{
        green_db_conn *c = NULL;
        char text[64];
        struct scene s;

        if (!begin(&s, mocks[threads], threads))
                return;
        if (OK(green_db_connect(s.path, &s.params, SOON, &c))) {
                CHECK(green_db_conn_is_open(c));
                CHECK_INT(green_db_conn_format(c, text, sizeof text) > 0, true);
                CHECK_INT(green_db_conn_set_data(c, &s), 0);
                CHECK_PTR(green_db_conn_data(c), &s);
                (void)OK(green_db_conn_ping(c));
                CHECK_INT(green_db_conn_close(c), 0);
                CHECK(!green_db_conn_is_open(c));
                CHECK_INT(green_db_conn_free(c), 0);
        }
        end(&s);
}

/* ---- pools */

struct getter {
        green_db_pool *p;
        bool got;
};

static void *
get_one(void *arg)
{
        struct getter *g = arg;
        green_db_conn *c;

        g->got = OK(green_db_pool_get(g->p, &c, SOON));
        if (g->got)
                CHECK_INT(green_db_pool_put_with(g->p, c, green_db_pool_cleanup_none, NULL), 0);
        return NULL;
}

/* Two are out, and a third one waits. */
static void
use_pool(green_db_pool *p)
{
        green_db_conn *a = NULL, *b = NULL, *apart = NULL;
        struct getter g = {.p = p};
        green_thread *gt;

        if (!OK(green_db_pool_get(p, &a, SOON)))
                return;
        if (OK(green_db_pool_create(p, &b))) {
                if (MADE(gt = green_spawn(get_one, &g))) {
                        (void)OK(green_sleep(0));
                        (void)OK(green_db_conn_begin(a));
                        CHECK_INT(green_db_pool_put_with(p, a, green_db_pool_cleanup_rollback, NULL), 0);
                        a = NULL;
                        (void)OK(fault_join(gt));
                }
                CHECK_INT(green_db_pool_discard(p, b), 0);
        }
        if (a != NULL)
                CHECK_INT(green_db_pool_put(p, a), 0);
        if (OK(green_db_pool_connect(p, &apart)))
                CHECK_INT(green_db_conn_free(apart), 0);
        if (OK(green_db_pool_get(p, &a, SOON)))
                CHECK_INT(green_db_pool_put_with(p, a, green_db_pool_cleanup_reset, NULL), 0);
}

static int
prepare_one(green_db_conn *c, void *arg)
{
        green_db_stmt *st;

        (void)arg;
        return green_db_conn_prepare(c, "rows 3", &st);
}

static void
pools_with(bool threads)
{
        struct green_db_pool_info info = {.size = sizeof info};
        green_db_pool *p;
        struct scene s;

        if (!begin(&s, "db_mock_pipes", threads))
                return;
        s.opts.min_size = 1;
        s.opts.on_connect = prepare_one;
        if (MADE(p = green_db_pool_new(&s.opts))) {
                use_pool(p);
                {
                        green_db_pool_item(held, p);

                        (void)OK(held.rc);
                }
                (void)OK(green_db_pool_resize(p, 1));
                (void)OK(green_db_pool_resize(p, 2));
                works_still(p);
                CHECK_INT(green_db_pool_clear(p), 0);
                CHECK_INT(green_db_pool_get_info(p, &info), 0);
                CHECK_INT(info.idle, 0);
                CHECK_INT(info.made >= info.closed, true);
                CHECK_INT(green_db_pool_free(p), 0);
        }
        end(&s);
}

static void
connectors_with(bool threads)
{
        green_db_pool *one = NULL, *same = NULL;
        struct green_db_credentials list;
        green_db_connector *con;
        green_db_conn *c;
        struct scene s;

        if (!begin(&s, "db_mock_pipes", threads))
                return;
        list = (struct green_db_credentials){"default", &s.params};
        s.opts.min_size = 1;
        if (MADE(con = green_db_connector_new(s.path, &list, 1, &s.opts))) {
                CHECK(green_db_connector_credentials_for(con, "there") != NULL);
                if (OK(green_db_connector_get(con, "there", "guests", &one)) &&
                    OK(green_db_connector_get(con, "there", "guests", &same))) {
                        CHECK_PTR(one, same);
                        if (OK(green_db_pool_get(one, &c, SOON)))
                                CHECK_INT(green_db_conn_free(c), 0);
                }
                CHECK_INT(green_db_connector_free(con), 0);
        }
        end(&s);
}

/* ---- statements and rows */

static void
look_at(green_db_result *r)
{
        struct green_db_value v;
        int64_t n = 0;
        double d = 0;

        if (!OK(green_db_result_next(r)))
                return;
        CHECK_INT(green_db_result_columns(r), 6);
        CHECK_STR(green_db_result_name(r, 1), "b");
        CHECK_INT(green_db_result_rows(r), 1);
        CHECK_INT(green_db_result_affected_rows(r), 0);
        CHECK_INT(green_db_result_insert_id(r), 0);
        CHECK(green_db_result_is_null(r, 0));
        CHECK_INT(green_db_result_int64(r, 1, &n), 0);
        CHECK_INT(n, 7);
        CHECK_INT(green_db_result_double(r, 2, &d), 0);
        CHECK(d == 0.5);
        CHECK_STR(green_db_result_text(r, 3), "text");
        CHECK_INT(green_db_result_value(r, 4, &v), 0);
        CHECK_INT(v.len, 2);
}

static void
read_to_the_end(green_db_result *r, int want)
{
        int rc, n = 0;

        while ((rc = green_db_result_next(r)) == 1)
                n++;
        if (OK(rc))
                CHECK_INT(n, want);
        green_db_result_free(r);
}

static void
execute_some(green_db_conn *c)
{
        green_db_result *r = NULL;

        if (OK(green_db_conn_execute(c, "echo",
                                     GREEN_DB_PARAMS(green_db_null(), green_db_int64(7), green_db_double(0.5),
                                                     green_db_text("text"), green_db_blob("\0\1", 2),
                                                     green_db_text_n("12", 1)),
                                     &r))) {
                look_at(r);
                green_db_result_free(r);
        }
        if (OK(green_db_conn_cursor(c, "rows 8", GREEN_DB_NO_PARAMS, &r)))
                read_to_the_end(r, 8);
        if (OK(green_db_conn_cursor(c, "rows 8", GREEN_DB_NO_PARAMS, &r)))
                green_db_result_free(r);
        if (OK(green_db_conn_query(c, "rows 8", GREEN_DB_NO_PARAMS)) && OK(green_db_conn_store_result(c, &r)))
                read_to_the_end(r, 8);
        if (OK(green_db_conn_query(c, "rows 8", GREEN_DB_NO_PARAMS)) && OK(green_db_conn_use_result(c, &r)))
                read_to_the_end(r, 8);
}

static void
executing_with(bool threads)
{
        struct one o;

        if (!begin_one(&o, threads))
                return;
        execute_some(o.c);
        end_one(&o);
}

static void
preparing_with(bool threads)
{
        green_db_stmt *st = NULL, *more = NULL;
        green_db_result *r = NULL;
        struct one o;

        if (!begin_one(&o, threads))
                return;
        if (OK(green_db_conn_prepare(o.c, "rows 5", &st))) {
                (void)OK(green_db_conn_prepare(o.c, "affect 1", &more));
                if (OK(green_db_stmt_execute(st, GREEN_DB_NO_PARAMS, &r)))
                        read_to_the_end(r, 5);
                if (OK(green_db_stmt_cursor(st, GREEN_DB_NO_PARAMS, &r)))
                        read_to_the_end(r, 5);
                (void)OK(green_db_stmt_free(st));
        }
        end_one(&o);
}

/* More than are kept: the oldest one goes where another is prepared. */
static void
preparing_many_with(bool threads)
{
        green_db_stmt *st = NULL;
        char sql[16];
        struct one o;

        if (!begin_one(&o, threads))
                return;
        for (int i = 0; i < 66; i++) {
                if (i == 64) {
                        CHECK_INT(green_db_pool_put(o.p, o.c), 0);
                        if (!OK(green_db_pool_get(o.p, &o.c, SOON))) {
                                CHECK_INT(green_db_pool_free(o.p), 0);
                                end(&o.s);
                                return;
                        }
                }
                snprintf(sql, sizeof sql, "rows %d", i);
                if (!OK(green_db_conn_prepare(o.c, sql, &st)))
                        break;
        }
        end_one(&o);
}

/* ---- transactions and commands */

static void
transactions_with(bool threads)
{
        struct one o;

        if (!begin_one(&o, threads))
                return;
        if (OK(green_db_conn_set_isolation_level(o.c, GREEN_DB_SERIALIZABLE)) && OK(green_db_conn_begin(o.c))) {
                CHECK(green_db_conn_in_transaction(o.c));
                (void)OK(green_db_conn_commit(o.c));
        }
        if (OK(green_db_conn_rollback(o.c)) && OK(green_db_conn_autocommit(o.c, false))) {
                (void)OK(green_db_conn_execute(o.c, "affect 2", GREEN_DB_NO_PARAMS, NULL));
                (void)OK(green_db_conn_rollback(o.c));
        }
        /* One that is left open. */
        (void)OK(green_db_conn_execute(o.c, "affect 2", GREEN_DB_NO_PARAMS, NULL));
        end_one(&o);
}

static int told;

static void
tell(green_db_conn *c, int code, void *arg)
{
        (void)c;
        (void)arg;
        (void)OK(code);
        told++;
}

static void
ask(green_db_conn *c)
{
        unsigned warnings = 0;
        uint64_t bits = 0;
        char text[32];
        int64_t n = 0;

        CHECK_INT(green_db_conn_affected_rows(c, &n), 0);
        CHECK_INT(green_db_conn_insert_id(c, &n), 0);
        CHECK_INT(green_db_conn_warning_count(c, &warnings), 0);
        CHECK_INT(green_db_conn_errno(c), 0);
        CHECK(green_db_conn_error(c) != NULL);
        CHECK_INT(strlen(green_db_conn_sqlstate(c)), 5);
        CHECK_INT(green_db_conn_character_set_name(c, text, sizeof text), 5);
        CHECK_INT(green_db_conn_get_server_info(c, text, sizeof text), 8);
        CHECK_INT(green_db_conn_server_capabilities(c, &bits), 0);
        CHECK_INT(green_db_conn_thread_id(c, &n), 0);
        CHECK_INT(green_db_conn_literal(c, green_db_int64(7), text, sizeof text), 1);
        CHECK_INT(green_db_conn_string_literal(c, "x", text, sizeof text), 3);
}

static void
commands_with(bool threads)
{
        green_db_result *r = NULL;
        char text[32];
        struct one o;

        if (!begin_one(&o, threads))
                return;
        told = 0;
        CHECK_INT(green_db_conn_errorhandler(o.c, tell, NULL), 0);
        (void)OK(green_db_conn_ping(o.c));
        (void)OK(green_db_conn_change_user(o.c, "u", NULL, NULL));
        (void)OK(green_db_conn_select_db(o.c, "d"));
        (void)OK(green_db_conn_set_character_set(o.c, "UTF-8"));
        (void)OK(green_db_conn_set_sql_mode(o.c, "m"));
        (void)OK(green_db_conn_set_server_option(o.c, 1));
        (void)OK(green_db_conn_dump_debug_info(o.c));
        (void)OK(green_db_conn_stat(o.c, text, sizeof text));
        if (OK(green_db_conn_show_warnings(o.c, &r)))
                read_to_the_end(r, 1);
        (void)OK(green_db_conn_shutdown(o.c));
        ask(o.c);
        end_one(&o);
}

/* ---- pipelines, COPY, notifications */

static void
pipelines_with(bool threads)
{
        green_db_result *r = NULL;
        green_db_stmt *st = NULL;
        struct one o;
        int rc;

        if (!begin_one(&o, threads))
                return;
        fault_may_give(-EINVAL); /* one that was cut short is no pipeline any more */
        if (OK(green_db_conn_prepare(o.c, "rows 2", &st)) && OK(green_db_conn_pipeline_begin(o.c))) {
                (void)OK(green_db_stmt_send(st, GREEN_DB_NO_PARAMS));
                (void)OK(green_db_conn_send(o.c, "rows 3", GREEN_DB_NO_PARAMS));
                while ((rc = green_db_conn_pipeline_next(o.c, &r)) == 1)
                        green_db_result_free(r);
                (void)OK(rc);
                /* What nobody asks for. */
                (void)OK(green_db_conn_send(o.c, "rows 3", GREEN_DB_NO_PARAMS));
                (void)OK(green_db_conn_send(o.c, "rows 3", GREEN_DB_NO_PARAMS));
                (void)OK(green_db_conn_pipeline_end(o.c));
        }
        (void)OK(green_db_conn_execute(o.c, "rows 1", GREEN_DB_NO_PARAMS, NULL));
        /* One that is left open. */
        if (OK(green_db_conn_pipeline_begin(o.c)))
                (void)OK(green_db_conn_send(o.c, "rows 3", GREEN_DB_NO_PARAMS));
        end_one(&o);
}

static void
copying_with(bool threads)
{
        const void *data = NULL;
        int64_t rows = 0;
        size_t len = 0;
        struct one o;
        int rc;

        if (!begin_one(&o, threads))
                return;
        fault_may_give(-EINVAL); /* one that was cut short is no COPY any more */
        if (OK(green_db_conn_copy_in(o.c, "copy"))) {
                (void)OK(green_db_conn_copy_put(o.c, "line", 4));
                if (OK(green_db_conn_copy_end(o.c, NULL, &rows)))
                        CHECK_RANGE(rows, 0, 1);
        }
        if (OK(green_db_conn_copy_out(o.c, "copy"))) {
                while ((rc = green_db_conn_copy_get(o.c, &data, &len)) == 1)
                        CHECK_INT(len, 6);
                (void)OK(rc);
        }
        /* One that is left open. */
        (void)OK(green_db_conn_copy_out(o.c, "copy"));
        end_one(&o);
}

static void
notifications_with(bool threads)
{
        struct green_db_notification note;
        struct one o;
        int rc;

        if (!begin_one(&o, threads))
                return;
        o.s.m.notes = 1;
        if (OK(green_db_conn_notification(o.c, &note, 0)))
                CHECK_STR(note.channel, "news");
        else
                o.s.m.notes = 0;
        rc = green_db_conn_notification(o.c, &note, 0);
        if (rc != -ETIMEDOUT)
                (void)OK(rc);
        rc = green_db_conn_notification(o.c, &note, 0.001);
        if (rc != -ETIMEDOUT)
                (void)OK(rc);
        end_one(&o);
}

/* ---- what is cut short */

struct call {
        struct one *o;
        int rc;
};

static void *
wait_there(void *arg)
{
        struct call *c = arg;

        c->rc = green_db_conn_execute(c->o->c, "wait", GREEN_DB_NO_PARAMS, NULL);
        (void)green_recover();
        return NULL;
}

/* A call that is killed, then one whose time is over; what comes next has it settled, and so has giving it back. */
static void
being_cut_with(bool threads)
{
        struct green_timeout limit = {{0}};
        struct call call;
        green_thread *gt;
        struct one o;
        int rc;

        if (!begin_one(&o, threads))
                return;
        call = (struct call){&o, 1};
        if (MADE(gt = green_spawn(wait_there, &call))) {
                for (int i = 0; i < 2000 && o.s.m.waiting == 0 && call.rc == 1; i++)
                        (void)OK(green_sleep(0.001));
                CHECK_INT(green_kill(gt, 0), 0);
                (void)fault_join(gt);
                if (call.rc != GREEN_EKILLED)
                        (void)OK(call.rc);
        }
        (void)OK(green_db_conn_execute(o.c, "rows 4", GREEN_DB_NO_PARAMS, NULL));
        if (OK(green_timeout_start(&limit, 0.002))) {
                rc = green_db_conn_execute(o.c, "wait", GREEN_DB_NO_PARAMS, NULL);
                if (rc != GREEN_ETIMEOUT)
                        (void)OK(rc);
                (void)green_timeout_cancel(&limit);
        }
        end_one(&o);
}

/* ---- what drivers are given: the mock uses these, here is what it does not do */

static void
rows(void)
{
        static const char *const names[] = {"a", "b"};
        const struct green_db_value v[] = {green_db_text("some text"), green_db_double(1)};
        struct green_db_batch batch = {.columns = 0};
        green_db_rows *kept;

        kept = green_db_rows_new(2, names);
        if (kept == NULL) {
                CHECK(fault_happened());
                fault_shows();
                return;
        }
        for (int i = 0; i < 40; i++)
                if (!OK(green_db_rows_add(kept, v)))
                        break;
        CHECK_INT(green_db_rows_bytes(kept) > 0 || fault_happened(), true);
        green_db_rows_finish(kept, &batch);
        CHECK_INT(batch.columns, 2);
        CHECK_STR(batch.ops->name(batch.data, 1), "b");
        batch.ops->free(batch.data);
        green_db_rows_free(NULL);
        CHECK_INT(green_db_sqlstate_code("23505"), GREEN_EDBCONSTRAINT);
        CHECK_INT(green_db_link_wait(NULL, 0, GREEN_READ), -EINVAL);
        CHECK_INT(green_db_link_fail(NULL, GREEN_EDB, 0, NULL, "x"), GREEN_EDB);
        CHECK(!green_db_link_interrupted(NULL));
        green_db_link_closing(NULL, 0);
}

/* ---- the scenarios, in alphabetical order */

#define BOTH(X)                                                                                                        \
        X(being_cut)                                                                                                   \
        X(commands)                                                                                                    \
        X(connecting)                                                                                                  \
        X(connectors)                                                                                                  \
        X(copying)                                                                                                     \
        X(executing)                                                                                                   \
        X(notifications)                                                                                               \
        X(pipelines)                                                                                                   \
        X(pools)                                                                                                       \
        X(preparing)                                                                                                   \
        X(preparing_many)                                                                                              \
        X(transactions)

#define BOTH_FUNCTIONS(name)                                                                                           \
        static void name##_in_place(void)                                                                              \
        {                                                                                                              \
                name##_with(IN_PLACE);                                                                                 \
        }                                                                                                              \
        static void name##_in_threads(void)                                                                            \
        {                                                                                                              \
                name##_with(IN_THREADS);                                                                               \
        }
BOTH(BOTH_FUNCTIONS)

/* A connection that cannot be cleaned is closed, and nobody is told. */
#define PLACE(X)                                                                                                       \
        X(being_cut_in_place, ALTSTACK | FAULT_BIT(epoll_ctl) | FEWER, FEWER)                                          \
        X(commands_in_place, ALTSTACK, FEWER)                                                                          \
        X(connecting_in_place, ALTSTACK, FEWER)                                                                        \
        X(connectors_in_place, ALTSTACK, FEWER)                                                                        \
        X(copying_in_place, ALTSTACK, FEWER)                                                                           \
        X(executing_in_place, ALTSTACK, FEWER)                                                                         \
        X(notifications_in_place, ALTSTACK, FEWER)                                                                     \
        X(pipelines_in_place, ALTSTACK, FEWER)                                                                         \
        X(pools_in_place, ALTSTACK, FEWER)                                                                             \
        X(preparing_in_place, ALTSTACK, FEWER)                                                                         \
        X(preparing_many_in_place, ALTSTACK, FEWER)                                                                    \
        X(rows, ALTSTACK, FEWER)                                                                                       \
        X(transactions_in_place, ALTSTACK, FEWER)

#define THREADS(X)                                                                                                     \
        X(being_cut_in_threads, ALTSTACK | FEWER, FEWER)                                                               \
        X(commands_in_threads, ALTSTACK | FEWER, FEWER)                                                                \
        X(connecting_in_threads, ALTSTACK | FEWER, FEWER)                                                              \
        X(connectors_in_threads, ALTSTACK | FEWER, FEWER)                                                              \
        X(copying_in_threads, ALTSTACK | FEWER, FEWER)                                                                 \
        X(executing_in_threads, ALTSTACK | FEWER, FEWER)                                                               \
        X(notifications_in_threads, ALTSTACK | FEWER, FEWER)                                                           \
        X(pipelines_in_threads, ALTSTACK | FEWER, FEWER)                                                               \
        X(pools_in_threads, ALTSTACK | FEWER, FEWER)                                                                   \
        X(preparing_in_threads, ALTSTACK | FEWER, FEWER)                                                               \
        X(preparing_many_in_threads, ALTSTACK | FEWER, FEWER)                                                          \
        X(transactions_in_threads, ALTSTACK | FEWER, FEWER)

FAULT_DEFINE(PLACE)
FAULT_DEFINE_WITH_THREADS(THREADS)

static void
signals_without_end_disturb_nothing(void)
{
        PLACE(FAULT_STORM_ROW)
        THREADS(FAULT_STORM_ROW)
}

GREEN_SUITE(fault_db) {
        PLACE(FAULT_TEST_ROW)
        THREADS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_SUITE_END
};
