/*
 * The driver for PostgreSQL: kills and timeouts, what becomes of connections after them, servers that are not there or
 * go away, many green threads at once.
 */
#include "net_postgres.h"

/* Nothing of what was cut short is at work at the server, soon. */
static void
nothing_is_running(green_db_conn *c)
{
        static const char sql[] =
                "select count(*) from pg_stat_activity where state = 'active' and pid <> pg_backend_pid()"
                " and backend_type = 'client backend'";
        double until = now() + 1 * suite_slow();
        int64_t n;

        while ((n = number(c, sql)) > 0 && now() < until)
                green_sleep(0.01);
        CHECK_INT(n, 0);
}

/* ---- cut short */

struct sleeper {
        green_db_pool *pool;
        const char *sql;
        double put_took, ended_at;
        bool asks;
        int rc, put;
};

static void *
sleep_there(void *arg)
{
        struct sleeper *s = arg;
        green_db_conn *c = got(s->pool);

        s->asks = true;
        s->rc = run(c, s->sql);
        s->ended_at = now();
        s->put = green_db_pool_put(s->pool, c);
        s->put_took = now() - s->ended_at;
        return NULL;
}

static void
a_kill_ends_a_statement_here_and_at_the_server(void)
{
        struct sleeper s = {.sql = "select pg_sleep(10)"};
        green_db_conn *c;
        green_thread *gt;
        double killed_at;

        if (!have_server())
                return;
        s.pool = pool_of(2);
        gt = green_spawn(sleep_there, &s);
        while (!s.asks)
                green_sleep(0.001);
        green_sleep(0.1);
        killed_at = now();
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        CHECK_INT(s.rc, GREEN_EKILLED);
        CHECK_RANGE(s.ended_at - killed_at, 0, 0.05 * suite_slow());
        CHECK_INT(s.put, 0);
        CHECK_RANGE(s.put_took, 0, 0.5 * suite_slow());
        CHECK_INT(info_of(s.pool).idle, 1);
        CHECK_INT(info_of(s.pool).lost, 0);
        c = got(s.pool);
        CHECK_STR(ask(c, "select 'mine'"), "mine");
        nothing_is_running(c);
        CHECK_INT(info_of(s.pool).made, 1);
        CHECK_INT(green_db_pool_put(s.pool, c), 0);
        CHECK_INT(green_db_pool_free(s.pool), 0);
}

static void
after_a_timeout_the_connection_goes_on(void)
{
        struct green_timeout limit;
        green_db_conn *c;
        double before;

        if (!have_server())
                return;
        c = connect_one();
        CHECK_INT(green_db_conn_begin(c), 0);
        before = now();
        CHECK_INT(green_timeout_start(&limit, 0.05), 0);
        CHECK_INT(run(c, "select pg_sleep(10)"), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&limit), 1);
        CHECK_RANGE(now() - before, 0.05, 0.1 * suite_slow());
        /* The next statement finds the transaction failed. */
        CHECK_INT(run(c, "select 1"), GREEN_EDB);
        CHECK_STR(green_db_conn_sqlstate(c), "25P02");
        CHECK_INT(green_db_conn_rollback(c), 0);
        CHECK_STR(ask(c, "select 7"), "7");
        nothing_is_running(c);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
a_late_cancel_does_not_hit_the_next_statement(void)
{
        enum { ROUNDS = 200 };
        green_db_conn *c;
        unsigned seed = 7;
        int cut = 0;

        if (!have_server())
                return;
        c = connect_one();
        for (int i = 0; i < ROUNDS; i++) {
                struct green_timeout limit;
                char sql[64];
                int rc;

                seed = seed * 1103515245 + 12345;
                snprintf(sql, sizeof sql, "select pg_sleep(%.4f)", (seed >> 16) % 40 / 10000.0);
                CHECK_INT(green_timeout_start(&limit, (seed >> 8) % 40 / 10000.0), 0);
                rc = run(c, sql);
                (void)green_timeout_cancel(&limit);
                if (!CHECK(rc == 0 || rc == GREEN_ETIMEOUT))
                        FAIL("%d: %s", rc, green_db_conn_error(c));
                cut += rc != 0;
                snprintf(sql, sizeof sql, "select %d", i);
                if (!CHECK_INT(number(c, sql), i))
                        break;
        }
        CHECK(cut > 10);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
a_prepare_that_was_cut_leaves_nothing_behind(void)
{
        green_db_conn *c;
        green_db_stmt *s;

        if (!have_server())
                return;
        c = connect_one();
        for (int i = 0; i < 20; i++) {
                struct green_timeout limit;
                char sql[64];
                int rc;

                snprintf(sql, sizeof sql, "select %d", i);
                CHECK_INT(green_timeout_start(&limit, i % 2 == 0 ? 0 : 0.0002), 0);
                rc = green_db_conn_prepare(c, sql, &s);
                (void)green_timeout_cancel(&limit);
                CHECK(rc == 0 || rc == GREEN_ETIMEOUT);
                if (rc == 0)
                        CHECK_INT(green_db_stmt_free(s), 0);
        }
        CHECK_INT(green_db_conn_prepare(c, "select count(*) from pg_prepared_statements", &s), 0);
        CHECK_INT(number(c, "select count(*) from pg_prepared_statements"), 1);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
a_large_statement_that_was_cut_is_sent_to_its_end(void)
{
        enum { SIZE = 10 * 1024 * 1024 };
        green_db_conn *c;
        char *text;

        if (!have_server())
                return;
        c = connect_one();
        text = malloc(SIZE);
        memset(text, 'x', SIZE);
        for (int i = 0; i < 3; i++) {
                struct green_timeout limit;

                CHECK_INT(green_timeout_start(&limit, 0.002 * i), 0);
                CHECK_INT(green_db_conn_execute(c, "select length($1::text), pg_sleep(10)",
                                                GREEN_DB_PARAMS(green_db_text_n(text, SIZE)), NULL),
                          GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&limit), 1);
                CHECK_STR(ask(c, "select 8"), "8");
        }
        free(text);
        nothing_is_running(c);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
an_open_transaction_is_rolled_back_at_put(void)
{
        green_db_pool *p;
        green_db_conn *c, *other;

        if (!have_server())
                return;
        other = connect_one();
        runs(other, "create table left_open (a int)");
        p = pool_of(1);
        c = got(p);
        CHECK_INT(green_db_conn_begin(c), 0);
        runs(c, "insert into left_open values (1)");
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(number(other, "select count(*) from pg_stat_activity where state like 'idle in%'"), 0);
        c = got(p);
        CHECK(!green_db_conn_in_transaction(c));
        CHECK_INT(number(c, "select count(*) from left_open"), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).made, 1);
        CHECK_INT(green_db_pool_free(p), 0);
        runs(other, "drop table left_open");
        CHECK_INT(green_db_conn_free(other), 0);
}

/* ---- rows as they come */

static long
memory_kb(void)
{
        long kb = 0;
        char line[256];
        FILE *f = fopen("/proc/self/status", "re");

        while (f != NULL && fgets(line, sizeof line, f) != NULL)
                if (sscanf(line, "VmRSS: %ld", &kb) == 1)
                        break;
        if (f != NULL)
                fclose(f);
        return kb;
}

static void
a_million_rows_take_little_memory(void)
{
        green_db_conn *c;
        green_db_result *r;
        int64_t want = 0, got_number;
        long before, most = 0;

        if (!have_server())
                return;
        c = connect_one();
        before = memory_kb();
        CHECK_INT(green_db_conn_cursor(c, "select i, repeat('x', 100) from generate_series(1, 1000000) i",
                                       GREEN_DB_NO_PARAMS, &r),
                  0);
        while (green_db_result_next(r) == 1) {
                want++;
                if (green_db_result_int64(r, 0, &got_number) != 0 || got_number != want)
                        break;
                if (want % 50000 == 0 && memory_kb() > most)
                        most = memory_kb();
        }
        CHECK_INT(want, 1000000);
        CHECK_INT(green_db_result_rows(r), 1000000);
        /* AddressSanitizer keeps what was freed for a while. */
        CHECK_RANGE(most - before, -100000, suite_slow() > 1 ? 512 * 1024 : 8192);
        green_db_result_free(r);
        CHECK_STR(ask(c, "select 9"), "9");
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
a_cursor_that_is_freed_early_is_cancelled(void)
{
        green_db_conn *c;
        green_db_result *r;
        double before;

        if (!have_server())
                return;
        c = connect_one();
        for (int i = 0; i < 10; i++) {
                if (!CHECK_INT(green_db_conn_cursor(c, "select generate_series(1, 1000000000)", GREEN_DB_NO_PARAMS, &r),
                               0))
                        break;
                for (int row = 1; row <= 10; row++)
                        CHECK_INT(green_db_result_next(r), 1);
                CHECK_INT(run(c, "select 1"), -EBUSY);
                before = now();
                green_db_result_free(r);
                CHECK_RANGE(now() - before, 0, 1 * suite_slow());
                CHECK_STR(ask(c, "select 10"), "10");
        }
        nothing_is_running(c);
        r = NULL;
        CHECK_INT(green_db_conn_cursor(c, "select 1 where false", GREEN_DB_NO_PARAMS, &r), 0);
        CHECK_INT(green_db_result_columns(r), 1);
        CHECK_INT(green_db_result_next(r), 0);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
query_then_store_or_use(void)
{
        green_db_conn *c;
        green_db_result *r;
        int n = 0;

        if (!have_server())
                return;
        c = connect_one();
        CHECK_INT(green_db_conn_query(c, "select generate_series(1, 500)", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_store_result(c, &r), 0);
        CHECK_INT(green_db_result_rows(r), 500);
        green_db_result_free(r);
        CHECK_INT(green_db_conn_query(c, "select generate_series(1, 500)", GREEN_DB_NO_PARAMS), 0);
        CHECK_INT(green_db_conn_use_result(c, &r), 0);
        while (green_db_result_next(r) == 1)
                n++;
        CHECK_INT(n, 500);
        green_db_result_free(r);
        /* Nobody asks for these. */
        CHECK_INT(green_db_conn_query(c, "select generate_series(1, 5000000)", GREEN_DB_NO_PARAMS), 0);
        CHECK_STR(ask(c, "select 11"), "11");
        CHECK_INT(green_db_conn_free(c), 0);
}

/* ---- connecting */

static int
connect_code(const struct green_db_params *p, double timeout)
{
        green_db_conn *c = NULL;
        int rc = green_db_connect("postgres", p, timeout, &c);

        if (rc == 0)
                CHECK_INT(green_db_conn_free(c), 0);
        return rc;
}

static void
what_goes_wrong_in_connecting_has_its_code(void)
{
        static const char *const unknown[] = {"nonsense=1", NULL}, *const no_value[] = {"sslmode", NULL};
        static const char *const bad[] = {"sslmode=sometimes", NULL};
        struct green_db_params p;
        green_socket *s;
        struct green_addr addr;

        if (!have_server())
                return;
        p = params_of();
        p.host = "127.0.0.1";
        CHECK_INT(connect_code(&p, 10), 0);
        p.database = "not_there";
        CHECK_INT(connect_code(&p, 10), GREEN_EDBLOGIN);
        CHECK(strstr(green_last_error()->message, "database \"not_there\" does not exist") != NULL);
        p.database = "postgres";
        p.user = "not_there";
        CHECK_INT(connect_code(&p, 10), GREEN_EDBLOGIN);
        p.user = "locked";
        CHECK_INT(connect_code(&p, 10), GREEN_EDBLOGIN);
        p.password = "wrong";
        CHECK_INT(connect_code(&p, 10), GREEN_EDBLOGIN);
        CHECK(strstr(green_last_error()->message, "password authentication failed for user \"locked\"") != NULL);
        CHECK(strstr(green_last_error()->message, "LOCATION") == NULL);
        p.password = "secret";
        CHECK_INT(connect_code(&p, 10), 0);
        p.options = unknown;
        CHECK_INT(connect_code(&p, 10), -EINVAL);
        CHECK(strstr(green_last_error()->message, "\"nonsense\"") != NULL);
        p.options = no_value;
        CHECK_INT(connect_code(&p, 10), -EINVAL);
        p.options = bad;
        CHECK_INT(connect_code(&p, 10), GREEN_EDB);
        p.options = NULL;
        p.host = "not-there.invalid";
        CHECK(connect_code(&p, 10) < 0);
        p.host = "/tmp/not-there";
        CHECK_INT(connect_code(&p, 10), -ENOENT);
        /* A port that nobody listens at: one that is bound. */
        s = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(green_addr_parse("127.0.0.1:0", &addr), 0);
        CHECK_INT(green_socket_bind(s, &addr), 0);
        CHECK_INT(green_socket_getsockname(s, &addr), 0);
        p.host = "localhost";
        p.port = (unsigned)green_addr_port(&addr);
        CHECK_INT(connect_code(&p, 10), -ECONNREFUSED);
        CHECK(strstr(green_last_error()->message, "efused") != NULL);
        CHECK_INT(green_socket_free(s), 0);
}

static void
hosts_are_tried_in_turn_and_certificates_checked(void)
{
        static const char *const tls[] = {"sslmode=verify-full", "sslrootcert=" TLS_CERTS "/peers/ca.pem", NULL};
        static const char *const wrong[] = {"sslmode=verify-full", "sslrootcert=" TLS_CERTS "/peers/otherca.pem", NULL};
        struct green_db_params p;
        green_db_conn *c;
        char hosts[200];

        if (!have_server())
                return;
        p = params_of();
        snprintf(hosts, sizeof hosts, "not-there.invalid,/tmp/not-there,localhost");
        p.host = hosts;
        p.options = tls;
        c = connect_with(&p);
        CHECK_STR(ask(c, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "1");
        CHECK_STR(ask(c, "select length(repeat('x', 3000000))"), "3000000");
        CHECK_STR(ask(c, "select substr(repeat('x', 3000000) || 'yz', 3000001)"), "yz");
        runs(c, "select repeat('x', 1000000) from generate_series(1, 5)");
        CHECK_INT(green_db_conn_free(c), 0);
        p.options = wrong;
        CHECK_INT(connect_code(&p, 10), GREEN_EDB);
        CHECK(strstr(green_last_error()->message, "certificate verify failed") != NULL);
}

struct waiter {
        green_db_pool *pool;
        int rc;
};

static void *
wait_for_one(void *arg)
{
        struct waiter *w = arg;
        green_db_conn *c;

        w->rc = green_db_pool_get(w->pool, &c, 10);
        return NULL;
}

static void
a_server_that_never_answers_is_given_up(void)
{
        struct green_db_params p = {.size = sizeof p, .user = "postgres"};
        struct green_db_pool_opts o = {.size = sizeof o, .driver = "postgres", .params = &p, .max_size = 1};
        struct waiter w[3];
        green_thread *gt[3];
        green_socket *listener;
        struct green_addr addr;
        double before;

        if (!have_server())
                return;
        listener = green_listen("127.0.0.1:0", NULL);
        CHECK_INT(green_socket_getsockname(listener, &addr), 0);
        p.host = "127.0.0.1";
        p.port = (unsigned)green_addr_port(&addr);
        o.connect_timeout = 0.1;
        before = now();
        for (int i = 0; i < 3; i++) {
                w[i].pool = i == 0 ? green_db_pool_new(&o) : w[0].pool;
                gt[i] = green_spawn(wait_for_one, &w[i]);
        }
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_thread_wait(gt[i], NULL), 0);
                green_thread_unref(gt[i]);
                CHECK_INT(w[i].rc, GREEN_ECONNECTTIMEOUT);
        }
        CHECK_RANGE(now() - before, 0.3, 0.5 * suite_slow());
        CHECK_INT(info_of(w[0].pool).connecting, 0);
        CHECK_INT(info_of(w[0].pool).waiting, 0);
        CHECK_INT(green_db_pool_free(w[0].pool), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

/* ---- servers that go away */

static void
a_restart_is_noticed_at_get(void)
{
        static const enum pg_server_order how[] = {PG_STOP, PG_IMMEDIATE, PG_KILL};
        green_db_pool *p;
        green_db_conn *c[3];

        if (!have_server())
                return;
        p = pool_of(3);
        for (size_t i = 0; i < sizeof how / sizeof how[0]; i++) {
                for (int j = 0; j < 3; j++) {
                        c[j] = got(p);
                        CHECK_STR(ask(c[j], "select 12"), "12");
                }
                for (int j = 0; j < 3; j++)
                        CHECK_INT(green_db_pool_put(p, c[j]), 0);
                CHECK(pg_server_do(how[i]));
                CHECK(pg_server_do(PG_START));
                green_sleep(0.01);
                c[0] = got(p);
                CHECK_STR(ask(c[0], "select 13"), "13");
                CHECK_INT(green_db_pool_put(p, c[0]), 0);
        }
        CHECK_INT(info_of(p).lost, 9);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
a_connection_that_the_server_ends_is_lost(void)
{
        green_db_pool *p;
        green_db_conn *c, *other;
        green_db_stmt *s;
        char sql[64];
        int64_t pid;

        if (!have_server())
                return;
        other = connect_one();
        p = pool_of(1);
        for (int i = 0; i < 2; i++) {
                c = got(p);
                CHECK_INT(green_db_conn_prepare(c, "select 1", &s), 0);
                CHECK_INT(green_db_conn_thread_id(c, &pid), 0);
                snprintf(sql, sizeof sql, "select pg_terminate_backend(%d, 1000)", (int)pid);
                if (i == 0)
                        CHECK_INT(green_db_pool_put(p, c), 0);
                CHECK_STR(ask(other, sql), "1");
                green_sleep(0.005);
                if (i == 0) {
                        /* While it was idle: nobody sees it. */
                        c = got(p);
                        CHECK_STR(ask(c, "select 14"), "14");
                } else {
                        CHECK_INT(run(c, "select 15"), GREEN_EDBLOST);
                        CHECK_STR(green_db_conn_sqlstate(c), "57P01");
                        CHECK_INT(run(c, "select 15"), GREEN_EDBLOST);
                }
                CHECK_INT(green_db_pool_put(p, c), 0);
        }
        CHECK_INT(info_of(p).lost, 2);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(green_db_conn_free(other), 0);
}

/* ---- memory that runs out */

static int
ask_all_ways(green_db_conn *c)
{
        static const char sql[] = "select $1::bytea, i from generate_series(1, 100) i";
        const struct green_db_value v = green_db_blob("bytes", 5);
        green_db_result *r;
        green_db_stmt *s;
        int64_t rows;
        int rc = green_db_conn_execute(c, sql, &v, 1, &r);

        if (rc != 0)
                return rc;
        green_db_result_free(r);
        rc = green_db_conn_cursor(c, sql, &v, 1, &r);
        if (rc != 0)
                return rc;
        while ((rc = green_db_result_next(r)) == 1)
                ;
        green_db_result_free(r);
        if (rc == 0)
                rc = run(c, "do $$ begin raise notice 'look'; end $$");
        if (rc == 0)
                rc = green_db_conn_show_warnings(c, &r);
        if (rc != 0)
                return rc;
        green_db_result_free(r);
        rc = green_db_conn_prepare(c, sql, &s);
        if (rc == 0)
                rc = green_db_conn_pipeline_begin(c);
        if (rc == 0)
                rc = green_db_stmt_send(s, &v, 1);
        if (rc == 0)
                rc = green_db_conn_pipeline_next(c, &r);
        if (rc != 1)
                return rc;
        green_db_result_free(r);
        rc = green_db_conn_pipeline_end(c);
        if (rc == 0)
                rc = green_db_stmt_free(s);
        if (rc == 0)
                rc = green_db_conn_copy_in(c, "copy pg_temp.missing from stdin");
        return rc == GREEN_EDB ? green_db_conn_copy_out(c, "copy (select 1) to stdout") != 0
                                         ? -ENOMEM
                                         : green_db_conn_copy_end(c, NULL, &rows)
                               : rc;
}

static void
memory_may_run_out_anywhere(void)
{
        static const char *const options[] = {"sslmode=disable", NULL};
        struct green_db_params p;
        green_db_conn *c;
        bool out = true;
        int n = 0, rc;

        if (!have_server())
                return;
        p = params_of();
        p.host = "localhost";
        p.options = options;
        for (; out && n < 1000; n++) {
                c = NULL;
                memory_left = n;
                rc = green_db_connect("postgres", &p, 20, &c);
                if (rc == 0)
                        rc = ask_all_ways(c);
                out = memory_left == 0;
                memory_left = -1;
                if (!CHECK(rc == 0 || (out && (rc == -ENOMEM || rc == GREEN_EDBLOST))))
                        FAIL("after %d: %d", n, rc);
                /* What is left of it can be used, or closed; a pipeline may be open still. */
                if (c != NULL)
                        (void)green_db_conn_pipeline_end(c);
                if (c != NULL && rc != GREEN_EDBLOST && !CHECK_INT(run(c, "select 16"), 0))
                        FAIL("after %d (%d): %s", n, rc, green_last_error()->message);
                CHECK_INT(green_db_conn_free(c), 0);
        }
        CHECK(!out);
        CHECK(n > 20);
}

/* ---- many */

struct many {
        green_db_pool *pool;
        int done, wrong;
};

static void *
sleep_a_little(void *arg)
{
        struct many *m = arg;
        green_db_conn *c = got(m->pool);

        m->wrong += run(c, "select pg_sleep(0.05)") != 0;
        CHECK_INT(green_db_pool_put(m->pool, c), 0);
        m->done++;
        return NULL;
}

static void *
ask_often(void *arg)
{
        struct many *m = arg;

        for (int i = 0; i < 20; i++) {
                green_db_conn *c = got(m->pool);
                int64_t want = m->done++;
                const struct green_db_value v = green_db_int64(want);

                m->wrong += strtoll(ask_with(c, "select $1::int8", &v, 1), NULL, 10) != want;
                CHECK_INT(green_db_pool_put(m->pool, c), 0);
        }
        return NULL;
}

static void
run_many(struct many *m, green_thread_fn fn, int n)
{
        green_thread *gt[100];

        for (int i = 0; i < n; i++)
                gt[i] = green_spawn(fn, m);
        for (int i = 0; i < n; i++) {
                CHECK_INT(green_thread_wait(gt[i], NULL), 0);
                green_thread_unref(gt[i]);
        }
}

static void
statements_run_side_by_side(void)
{
        struct many m = {.done = 0};
        green_db_conn *c[10];
        green_thread *turner;
        int turns = 0;
        double before;

        if (!have_server())
                return;
        m.pool = pool_of(10);
        for (int i = 0; i < 10; i++)
                c[i] = got(m.pool);
        for (int i = 0; i < 10; i++)
                CHECK_INT(green_db_pool_put(m.pool, c[i]), 0);
        turner = green_spawn(count_turns, &turns);
        before = now();
        run_many(&m, sleep_a_little, 10);
        CHECK_RANGE(now() - before, 0.05, 0.15 * suite_slow());
        CHECK(turns > 1000);
        CHECK_INT(green_kill(turner, 0), 0);
        green_thread_unref(turner);
        run_many(&m, ask_often, 100);
        CHECK_INT(m.done, 10 + 2000);
        CHECK_INT(m.wrong, 0);
        CHECK_INT(info_of(m.pool).made, 10);
        CHECK_INT(green_db_pool_free(m.pool), 0);
}

GREEN_SUITE(net_db_postgres_life) {
        /* The first one waits for the server to come up. */
        GREEN_TEST(a_kill_ends_a_statement_here_and_at_the_server, .limit = 120),
        GREEN_TEST(after_a_timeout_the_connection_goes_on),
        GREEN_TEST(a_late_cancel_does_not_hit_the_next_statement),
        GREEN_TEST(a_prepare_that_was_cut_leaves_nothing_behind),
        GREEN_TEST(a_large_statement_that_was_cut_is_sent_to_its_end),
        GREEN_TEST(an_open_transaction_is_rolled_back_at_put),
        GREEN_TEST(a_million_rows_take_little_memory, .limit = 60),
        GREEN_TEST(a_cursor_that_is_freed_early_is_cancelled),
        GREEN_TEST(query_then_store_or_use),
        GREEN_TEST(what_goes_wrong_in_connecting_has_its_code),
        GREEN_TEST(hosts_are_tried_in_turn_and_certificates_checked),
        GREEN_TEST(a_server_that_never_answers_is_given_up),
        GREEN_TEST(a_restart_is_noticed_at_get, .limit = 60),
        GREEN_TEST(a_connection_that_the_server_ends_is_lost),
        GREEN_TEST(memory_may_run_out_anywhere, .limit = 60),
        GREEN_TEST(statements_run_side_by_side),
        GREEN_SUITE_END
};
