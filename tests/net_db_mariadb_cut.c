/*
 * The MariaDB driver where calls are cut short: by kills, timeouts, and the server's end.
 */
#include "net_mariadb.h"

#include <dirent.h>

/* Statements that other connections run, as the server sees it. */
static int64_t
running(green_db_conn *c)
{
        return number_of(c, "select count(*) from information_schema.processlist where command in ('Query', 'Execute') and "
                            "id <> connection_id()");
}

/* Soon nobody does: the server says that it has done before it looks so. */
static bool
all_rest(green_db_conn *c)
{
        for (int i = 0; i < 100; i++) {
                if (running(c) == 0)
                        return true;
                green_sleep(0.01);
        }
        return false;
}

static int64_t
id_of(green_db_conn *c)
{
        int64_t id = 0;

        CHECK_INT(green_db_conn_thread_id(c, &id), 0);
        return id;
}

struct sleeper {
        green_db_conn *conn;
        int way; /* how the statement is run */
        int rc;
};

enum { WAYS = 5 };

/* A statement that takes ten seconds. */
static int
sleep_long(green_db_conn *c, int way)
{
        static const char sql[] = "select sleep(10), ?";
        green_db_result *r = NULL;
        green_db_stmt *stmt;
        int rc;

        switch (way) {
        case 0: return green_db_conn_execute(c, "select sleep(10)", GREEN_DB_NO_PARAMS, NULL);
        case 1: return green_db_conn_execute(c, sql, GREEN_DB_PARAMS(green_db_int64(1)), NULL);
        case 2: /* in the middle of rows */
                rc = green_db_conn_cursor(c, "select seq, if(seq = 2000, sleep(10), 0) from seq_1_to_3000",
                                          GREEN_DB_NO_PARAMS, &r);
                break;
        case 3:
                rc = green_db_conn_prepare(c, "select seq, if(seq = 2000, sleep(10), 0) from seq_1_to_3000", &stmt);
                if (rc == 0)
                        rc = green_db_stmt_cursor(stmt, GREEN_DB_NO_PARAMS, &r);
                break;
        default:
                rc = green_db_conn_prepare(c, sql, &stmt);
                return rc != 0 ? rc : green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(2)), NULL);
        }
        while (rc == 0) {
                rc = green_db_result_next(r);
                rc = rc > 0 ? 0 : rc == 0 ? 1 : rc;
        }
        green_db_result_free(r);
        return rc;
}

static void *
call_sleep(void *arg)
{
        struct sleeper *s = arg;

        s->rc = sleep_long(s->conn, s->way);
        return NULL;
}

static void
a_kill_ends_the_call_at_once_and_the_statement_at_the_put(void)
{
        green_db_pool *p;
        green_db_conn *watch;

        NEED_SERVER();
        p = new_pool(3);
        watch = got(p);
        for (int way = 0; way < WAYS; way++) {
                struct sleeper s = {.conn = got(p), .way = way};
                int64_t id = id_of(s.conn);
                green_thread *gt = green_spawn(call_sleep, &s);
                double begin;

                while (running(watch) != 1)
                        green_sleep(0.01);
                begin = seconds();
                CHECK_INT(green_kill(gt, GREEN_EKILLED), 0);
                CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
                green_thread_unref(gt);
                CHECK_INT(s.rc, GREEN_EKILLED);
                CHECK_RANGE(seconds() - begin, 0, 0.5 * suite_slow());
                CHECK_INT(green_db_pool_put(p, s.conn), 0);
                CHECK_RANGE(seconds() - begin, 0, 2 * suite_slow());
                CHECK(all_rest(watch));
                s.conn = got(p);
                CHECK_INT(id_of(s.conn), id);
                CHECK_INT(number_of(s.conn, "select 40 + 2"), 42);
                CHECK_INT(green_db_pool_put(p, s.conn), 0);
        }
        CHECK_INT(info_of(p).lost, 0);
        CHECK_INT(green_db_pool_put(p, watch), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
a_timeout_ends_the_call_and_the_next_one_settles(void)
{
        green_db_pool *p;
        green_db_conn *c, *watch;

        NEED_SERVER();
        p = new_pool(2);
        watch = got(p);
        c = got(p);
        for (int way = 0; way < WAYS; way++) {
                int64_t id = id_of(c);
                struct green_timeout limit = {{0}};
                double begin = seconds();
                int rc;

                CHECK_INT(green_timeout_start(&limit, 0.1), 0);
                rc = sleep_long(c, way);
                CHECK(green_is_timeout(rc));
                (void)green_timeout_cancel(&limit);
                CHECK_RANGE(seconds() - begin, 0.09, 0.1 + 0.5 * suite_slow());
                CHECK_INT(number_of(c, "select 40 + 2"), 42);
                CHECK_RANGE(seconds() - begin, 0.09, 0.1 + 2 * suite_slow());
                CHECK(all_rest(watch));
                CHECK_INT(id_of(c), id);
        }
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_put(p, watch), 0);
        CHECK_INT(info_of(p).lost, 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
a_transaction_outlives_a_statement_that_was_cut(void)
{
        struct green_timeout limit = {{0}};
        green_db_pool *p;
        green_db_conn *c;

        NEED_SERVER();
        p = new_pool(1);
        c = got_fresh(p);
        run(c, "create table t (a int) engine innodb");
        CHECK_INT(green_db_conn_begin(c), 0);
        run(c, "insert into t values (1)");
        CHECK_INT(green_timeout_start(&limit, 0.05), 0);
        CHECK(green_is_timeout(sleep_long(c, 0)));
        (void)green_timeout_cancel(&limit);
        CHECK_INT(number_of(c, "select count(*) from t"), 1);
        CHECK(green_db_conn_in_transaction(c));
        CHECK_INT(green_db_conn_commit(c), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        c = got(p);
        CHECK_INT(number_of(c, "select count(*) from green.t"), 1);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- orders that come too late or too early */

static unsigned
next_random(void)
{
        static unsigned state = 12345;

        return state = state * 1103515245 + 12345;
}

static void
an_order_to_end_never_hits_the_next_statement(void)
{
        enum { ROUNDS = 300 };
        green_db_pool *p;
        int cut = 0;

        NEED_SERVER();
        p = new_pool(1);
        for (int i = 0; i < ROUNDS; i++) {
                struct green_timeout limit = {{0}};
                green_db_conn *c = got(p);
                double limit_at = (next_random() >> 8) % 2500 / 1e6;
                green_db_result *r = NULL;
                char sql[64];
                int rc;

                snprintf(sql, sizeof sql, "select %d, sleep(%.4f)", i, (next_random() >> 8) % 2500 / 1e6);
                CHECK_INT(green_timeout_start(&limit, limit_at), 0);
                rc = i % 2 == 0 ? green_db_conn_execute(c, sql, GREEN_DB_NO_PARAMS, &r)
                                : green_db_conn_execute(c, "select ?, sleep(?)",
                                                        GREEN_DB_PARAMS(green_db_int64(i), green_db_double(0.001)), &r);
                (void)green_timeout_cancel(&limit);
                if (rc == 0) {
                        int64_t number = -1;

                        CHECK_INT(green_db_result_next(r), 1);
                        CHECK_INT(green_db_result_int64(r, 0, &number), 0);
                        CHECK_INT(number, i);
                        green_db_result_free(r);
                } else {
                        CHECK(green_is_timeout(rc));
                        cut++;
                }
                snprintf(sql, sizeof sql, "select %d + sum(sleep(0)) from seq_1_to_200", i);
                if (i % 3 == 0) {
                        CHECK_INT(green_db_pool_put(p, c), 0);
                        c = got(p);
                }
                CHECK_INT(number_of(c, sql), i);
                CHECK_INT(green_db_pool_put(p, c), 0);
        }
        CHECK(cut > ROUNDS / 10 && cut < ROUNDS);
        CHECK_INT(info_of(p).lost, 0);
        CHECK_INT(info_of(p).made, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
a_long_statement_that_is_cut_while_it_is_sent_is_ended(void)
{
        enum { LEN = 12000000 };
        green_db_pool *p;
        green_db_conn *c;
        char *sql;

        NEED_SERVER();
        p = new_pool(1);
        sql = malloc(LEN + 64);
        memcpy(sql, "select sleep(10), '", 19);
        memset(sql + 19, 'x', LEN);
        memcpy(sql + 19 + LEN, "'", 2);
        for (int i = 0; i < 6; i++) {
                struct green_timeout limit = {{0}};
                double begin = seconds();
                int rc;

                c = got(p);
                CHECK_INT(green_timeout_start(&limit, i * 0.001), 0);
                rc = green_db_conn_execute(c, sql, GREEN_DB_NO_PARAMS, NULL);
                (void)green_timeout_cancel(&limit);
                CHECK(green_is_timeout(rc));
                CHECK_INT(green_db_pool_put(p, c), 0);
                CHECK_RANGE(seconds() - begin, 0, 3 * suite_slow());
                c = got(p);
                CHECK_INT(number_of(c, "select 5"), 5);
                CHECK_INT(green_db_pool_put(p, c), 0);
        }
        free(sql);
        CHECK_INT(info_of(p).lost, 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- many at once */

static void *
short_sleep(void *arg)
{
        green_db_pool *p = arg;
        green_db_conn *c = got(p);

        CHECK_INT(number_of(c, "select sleep(0.05)"), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        return NULL;
}

static void
those_who_wait_do_not_keep_others_waiting(void)
{
        enum { N = 10 };
        green_thread *gt[N];
        green_db_conn *all[N];
        green_db_pool *p;
        double begin;

        NEED_SERVER();
        p = new_pool(N);
        for (int i = 0; i < N; i++)
                all[i] = got(p);
        for (int i = 0; i < N; i++)
                CHECK_INT(green_db_pool_put(p, all[i]), 0);
        begin = seconds();
        for (int i = 0; i < N; i++)
                gt[i] = green_spawn(short_sleep, p);
        for (int i = 0; i < N; i++) {
                CHECK_INT(green_thread_wait(gt[i], NULL), 0);
                green_thread_unref(gt[i]);
        }
        CHECK_RANGE(seconds() - begin, 0.05, 0.05 + 0.15 * suite_slow());
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- the server goes and comes */

static void
restart(char how)
{
        db_server_tell(server, how);
        CHECK(db_server_wait(server));
        if (how != DB_SERVER_RESTART) {
                db_server_tell(server, DB_SERVER_START);
                CHECK(db_server_wait(server));
        }
}

static void
a_server_that_was_restarted_is_noticed(void)
{
        static const char how[] = {DB_SERVER_KILL, DB_SERVER_STOP};
        green_db_pool *p;
        green_db_conn *c, *d;

        NEED_SERVER();
        for (size_t i = 0; i < sizeof how; i++) {
                p = new_pool(3);
                c = got(p);
                d = got(p);
                CHECK_INT(green_db_pool_put(p, c), 0);
                restart(how[i]);
                c = got(p);
                CHECK_INT(info_of(p).lost, 1);
                CHECK_INT(number_of(c, "select 5"), 5);
                /* One that was out. */
                CHECK_INT(green_db_conn_ping(d), GREEN_EDBLOST);
                CHECK_INT(green_db_conn_execute(d, "select 1", GREEN_DB_NO_PARAMS, NULL), GREEN_EDBLOST);
                CHECK_INT(green_db_pool_put(p, d), 0);
                CHECK_INT(green_db_pool_put(p, c), 0);
                CHECK_INT(info_of(p).lost, 2);
                CHECK_INT(info_of(p).idle, 1);
                CHECK_INT(green_db_pool_free(p), 0);
        }
}

static void
a_connection_that_the_server_ends_is_lost(void)
{
        green_db_pool *p;
        green_db_conn *c, *d;
        char sql[64];

        NEED_SERVER();
        p = new_pool(2);
        c = got(p);
        d = got(p);
        snprintf(sql, sizeof sql, "kill connection %lld", (long long)id_of(c));
        run(d, sql);
        CHECK_INT(green_db_conn_execute(c, "select 1", GREEN_DB_NO_PARAMS, NULL), GREEN_EDBLOST);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).lost, 1);
        /* One that is idle in the pool. */
        c = got(p);
        snprintf(sql, sizeof sql, "kill connection %lld", (long long)id_of(c));
        CHECK_INT(green_db_pool_put(p, c), 0);
        run(d, sql);
        green_sleep(0.05);
        c = got(p);
        CHECK_INT(number_of(c, "select 5"), 5);
        CHECK_INT(info_of(p).lost, 2);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_put(p, d), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

/* ---- all of it under load */

struct load {
        green_db_pool *pool;
        bool stop;
        int good, cut, lost, wrong;
};

/* Asks for its own number again and again, under time limits that are often too short. */
static void *
ask(void *arg)
{
        static int64_t numbers;
        struct load *l = arg;
        int64_t mine = ++numbers;

        while (!l->stop) {
                struct green_timeout limit = {{0}};
                green_db_conn *c = NULL;
                green_db_result *r = NULL;
                int64_t got_number = -1;
                bool binary = next_random() & 0x1000;
                int rc = green_timeout_start(&limit, (next_random() >> 8) % 30000 / 1e6);

                if (rc == 0)
                        rc = green_db_pool_get(l->pool, &c, GREEN_FOREVER);
                if (rc == 0 && binary)
                        rc = green_db_conn_execute(c, "select ?, sleep(?) from seq_1_to_5",
                                                   GREEN_DB_PARAMS(green_db_int64(mine), green_db_double(0.001)), &r);
                else if (rc == 0) {
                        char sql[64];

                        snprintf(sql, sizeof sql, "select %lld, sleep(0.002) from seq_1_to_3", (long long)mine);
                        rc = green_db_conn_cursor(c, sql, GREEN_DB_NO_PARAMS, &r);
                }
                if (rc == 0 && (rc = green_db_result_next(r)) == 1) {
                        rc = green_db_result_int64(r, 0, &got_number);
                        l->wrong += got_number != mine;
                        l->good++;
                } else {
                        l->cut += green_is_timeout(rc);
                        l->lost += !green_is_timeout(rc);
                }
                (void)green_timeout_cancel(&limit);
                green_db_result_free(r);
                if (c != NULL)
                        CHECK_INT(green_db_pool_put(l->pool, c), 0);
                green_sleep(0);
        }
        return NULL;
}

static int
open_descriptors(void)
{
        DIR *d = opendir("/proc/self/fd");
        int n = 0;

        while (d != NULL && readdir(d) != NULL)
                n++;
        if (d != NULL)
                closedir(d);
        return n;
}

static void
load_with(const struct green_db_params *params)
{
        enum { N = 40 };
        struct load l = {0};
        green_thread *gt[N];
        int before = open_descriptors();
        char answer;

        l.pool = pool_of(params, 8);
        for (int i = 0; i < N; i++)
                gt[i] = green_spawn(ask, &l);
        /* A busy machine may take longer to show all three ends of a call. */
        for (int round = 0; round < 3 || (round < 20 && (l.good == 0 || l.cut == 0 || l.lost == 0)); round++) {
                green_sleep(0.5);
                db_server_tell(server, DB_SERVER_RESTART);
                CHECK_INT(green_trampoline(server->line, GREEN_READ, 60), 0);
                CHECK(read(server->line, &answer, 1) == 1 && answer == 'y');
        }
        green_sleep(0.5);
        l.stop = true;
        for (int i = 0; i < N; i++) {
                CHECK_INT(green_thread_wait(gt[i], NULL), 0);
                green_thread_unref(gt[i]);
        }
        CHECK_INT(l.wrong, 0);
        CHECK(l.good > 0 && l.cut > 0 && l.lost > 0);
        CHECK_INT(info_of(l.pool).out, 0);
        CHECK_INT(info_of(l.pool).waiting, 0);
        CHECK_INT(info_of(l.pool).connecting, 0);
        CHECK_INT(info_of(l.pool).available, 8);
        CHECK_INT(info_of(l.pool).made, info_of(l.pool).closed + info_of(l.pool).idle);
        CHECK_INT(green_db_pool_free(l.pool), 0);
        CHECK_INT(open_descriptors(), before);
}

static void
nothing_is_lost_under_load_where_the_server_dies(void)
{
        static const char *const tls[] = {"tls=1", "ssl_verify_server_cert=0", "compress=1", NULL};
        struct green_db_params p;

        NEED_SERVER();
        p = by_socket();
        load_with(&p);
        p = by_port();
        p.options = tls;
        load_with(&p);
}

static void
calls_in_os_threads_are_cut_as_well(void)
{
        struct green_db_pool_opts o = {.size = sizeof o, .driver = "mariadb", .kind = GREEN_DB_POOL_TPOOLED, .max_size = 2};
        struct green_db_params params;
        green_db_pool *p;
        green_db_conn *c;

        NEED_SERVER();
        params = by_port();
        params.host = "localhost";
        o.params = &params;
        p = green_db_pool_new(&o);
        CHECK(p != NULL);
        c = got(p);
        for (int way = 0; way < WAYS; way++) {
                struct green_timeout limit = {{0}};
                double begin = seconds();

                CHECK_INT(green_timeout_start(&limit, 0.1), 0);
                CHECK(green_is_timeout(sleep_long(c, way)));
                (void)green_timeout_cancel(&limit);
                CHECK_INT(number_of(c, "select 40 + 2"), 42);
                CHECK_RANGE(seconds() - begin, 0.09, 0.1 + 2 * suite_slow());
        }
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).lost, 0);
        CHECK_INT(green_db_pool_free(p), 0);
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
}

GREEN_SUITE(net_db_mariadb_cut) {
        GREEN_TEST(a_kill_ends_the_call_at_once_and_the_statement_at_the_put, .limit = 60),
        GREEN_TEST(a_timeout_ends_the_call_and_the_next_one_settles, .limit = 60),
        GREEN_TEST(a_transaction_outlives_a_statement_that_was_cut),
        GREEN_TEST(an_order_to_end_never_hits_the_next_statement, .limit = 120),
        GREEN_TEST(a_long_statement_that_is_cut_while_it_is_sent_is_ended, .limit = 120),
        GREEN_TEST(those_who_wait_do_not_keep_others_waiting),
        GREEN_TEST(a_server_that_was_restarted_is_noticed, .limit = 60),
        GREEN_TEST(a_connection_that_the_server_ends_is_lost),
        GREEN_TEST(nothing_is_lost_under_load_where_the_server_dies, .limit = 120),
        GREEN_TEST(calls_in_os_threads_are_cut_as_well, .limit = 60),
        GREEN_SUITE_END
};
