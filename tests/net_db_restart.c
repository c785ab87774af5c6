/*
 * A hundred green threads on a few connections, with timeouts and kills, while the server is stopped, killed and
 * started again: everybody gets the rows that he asked for, or an error; money is neither made nor lost; no connection,
 * waiter or descriptor is left over.
 */
#include "net_postgres.h"

enum { WORKERS = 100, CONNECTIONS = 10, ACCOUNTS = 20, MONEY = 100 };

struct load {
        green_db_pool *pool;
        bool stop;
        unsigned seed;
        uint64_t asked, rows, moved, cut, lost, refused, killed;
        uint64_t wrong; /* rows of somebody else, codes that nobody expects */
        green_thread *workers[WORKERS];
};

static unsigned
chance(struct load *l, unsigned n)
{
        l->seed = l->seed * 1103515245 + 12345;
        return (l->seed >> 16) % n;
}

/* ---- what workers do: each returns 0 or a code */

static int
ask_own(struct load *l, green_db_conn *c, bool prepared)
{
        int64_t want = (int64_t)++l->asked, n = 0;
        const struct green_db_value v = green_db_int64(want);
        green_db_stmt *s = NULL;
        green_db_result *r;
        int rc = prepared ? green_db_conn_prepare(c, "select $1::int8", &s) : 0;

        if (rc == 0)
                rc = prepared ? green_db_stmt_execute(s, &v, 1, &r)
                              : green_db_conn_execute(c, "select $1::int8", &v, 1, &r);
        if (rc != 0)
                return rc;
        if (green_db_result_next(r) != 1 || green_db_result_int64(r, 0, &n) != 0 || n != want)
                l->wrong++;
        l->rows++;
        green_db_result_free(r);
        return 0;
}

static int
read_some(struct load *l, green_db_conn *c)
{
        unsigned stop = chance(l, 200);
        int64_t first = (int64_t)(++l->asked) * 1000, n;
        const struct green_db_value v = green_db_int64(first);
        green_db_result *r;
        int rc = green_db_conn_cursor(c, "select generate_series($1::int8, $1::int8 + 99)", &v, 1, &r);

        if (rc != 0)
                return rc;
        for (unsigned i = 0; i < stop && (rc = green_db_result_next(r)) == 1; i++) {
                if (green_db_result_int64(r, 0, &n) != 0 || n != first + i || i > 99)
                        l->wrong++;
                l->rows++;
        }
        green_db_result_free(r);
        return rc < 0 ? rc : 0;
}

static int
move_money(struct load *l, green_db_conn *c)
{
        int64_t from = chance(l, ACCOUNTS), to = chance(l, ACCOUNTS), money = chance(l, 10);
        int rc = green_db_conn_begin(c);

        if (rc == 0)
                rc = green_db_conn_execute(c, "update account set money = money - $1 where id = $2",
                                           GREEN_DB_PARAMS(green_db_int64(money), green_db_int64(from)), NULL);
        if (rc == 0)
                rc = green_db_conn_execute(c, "update account set money = money + $1 where id = $2",
                                           GREEN_DB_PARAMS(green_db_int64(money), green_db_int64(to)), NULL);
        if (rc == 0 && chance(l, 4) != 0)
                rc = green_db_conn_commit(c);
        if (rc == 0)
                l->moved++;
        return rc; /* what is open is rolled back at put */
}

static int
pipe_some(struct load *l, green_db_conn *c)
{
        int64_t first = (int64_t)(l->asked += 10), n;
        int rc = green_db_conn_pipeline_begin(c);

        for (int i = 0; rc == 0 && i < 5; i++)
                rc = green_db_conn_send(c, "select $1::int8", GREEN_DB_PARAMS(green_db_int64(first + i)));
        for (int i = 0; rc == 0 && i < 5; i++) {
                green_db_result *r;

                rc = green_db_conn_pipeline_next(c, &r);
                if (rc != 1)
                        return rc;
                if (green_db_result_next(r) != 1 || green_db_result_int64(r, 0, &n) != 0 || n != first + i)
                        l->wrong++;
                l->rows++;
                green_db_result_free(r);
                rc = 0;
        }
        return rc == 0 && chance(l, 2) == 0 ? green_db_conn_pipeline_end(c) : rc;
}

static int
do_something(struct load *l, green_db_conn *c)
{
        switch (chance(l, 6)) {
        case 0: return move_money(l, c);
        case 1: return read_some(l, c);
        case 2: return pipe_some(l, c);
        case 3: return ask_own(l, c, true);
        case 4: return chance(l, 10) == 0 ? run(c, "select pg_sleep(0.05)") : ask_own(l, c, false);
        default: return ask_own(l, c, false);
        }
}

/* ---- the load */

/* false: it was killed. */
static bool
count(struct load *l, int rc, const char *state)
{
        switch (rc) {
        case 0: return true;
        case GREEN_EKILLED: l->killed++; return false;
        case GREEN_ETIMEOUT:
        case GREEN_ECONNECTTIMEOUT: l->cut++; return true;
        case GREEN_EDBLOST: l->lost++; return true;
        case -ECONNREFUSED:
        case -ENOENT:
        case -ECONNRESET: l->refused++; return true;
        case GREEN_EDBRETRY: return true;
        default: break;
        }
        l->wrong++;
        FAIL("%d (%s): %s", rc, state, green_last_error()->message);
        return true;
}

static void *
work(void *arg)
{
        struct load *l = arg;
        bool alive = true;

        while (alive && !l->stop) {
                struct green_timeout limit = {{0}};
                bool limited = chance(l, 3) == 0;
                green_db_conn *c = NULL;
                int rc;

                if (limited)
                        CHECK_INT(green_timeout_start(&limit, chance(l, 200) / 10000.0), 0);
                rc = green_db_pool_get(l->pool, &c, GREEN_FOREVER);
                if (rc == 0) {
                        rc = do_something(l, c);
                        alive = count(l, rc, green_db_conn_sqlstate(c));
                        CHECK_INT(green_db_pool_put(l->pool, c), 0);
                } else {
                        alive = count(l, rc, "get");
                }
                if (limited)
                        (void)green_timeout_cancel(&limit);
                if (alive && green_sleep(rc == 0 ? 0 : 0.002) != 0)
                        alive = false;
        }
        return NULL;
}

static void *
kill_some(void *arg)
{
        struct load *l = arg;

        while (!l->stop) {
                unsigned i = chance(l, WORKERS);

                green_sleep(0.005);
                if (l->stop)
                        break;
                CHECK_INT(green_kill(l->workers[i], 0), 0);
                (void)!green_thread_wait(l->workers[i], NULL);
                green_thread_unref(l->workers[i]);
                l->workers[i] = green_spawn(work, l);
        }
        return NULL;
}

/* While the others run. */
static void
order(enum pg_server_order o)
{
        int fd = pg_server_tell(o);

        CHECK_INT(green_trampoline(fd, GREEN_READ, GREEN_FOREVER), 0);
        CHECK(pg_server_told());
        green_notify_close(fd);
}

static void
run_load(struct load *l, double seconds)
{
        static const enum pg_server_order ends[] = {PG_IMMEDIATE, PG_KILL, PG_STOP};
        green_thread *killer;

        for (int i = 0; i < WORKERS; i++)
                l->workers[i] = green_spawn(work, l);
        killer = green_spawn(kill_some, l);
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
                green_sleep(seconds);
                order(ends[i]);
                green_sleep(0.1);
                order(PG_START);
        }
        green_sleep(seconds);
        l->stop = true;
        CHECK_INT(green_thread_wait(killer, NULL), 0);
        green_thread_unref(killer);
        for (int i = 0; i < WORKERS; i++) {
                (void)!green_thread_wait(l->workers[i], NULL);
                green_thread_unref(l->workers[i]);
        }
}

static void
check_end(struct load *l, green_db_conn *c)
{
        struct green_db_pool_info info = info_of(l->pool);
        int64_t n;

        fprintf(stderr,
                "%llu rows, %llu transfers; %llu cut, %llu lost, %llu refused, %llu killed; %llu connections made\n",
                (unsigned long long)l->rows, (unsigned long long)l->moved, (unsigned long long)l->cut,
                (unsigned long long)l->lost, (unsigned long long)l->refused, (unsigned long long)l->killed,
                (unsigned long long)info.made);
        CHECK_INT(l->wrong, 0);
        CHECK(l->rows > 0 && l->moved > 0 && l->cut > 0 && l->lost > 0 && l->killed > 0);
        CHECK_INT(info.out, 0);
        CHECK_INT(info.connecting, 0);
        CHECK_INT(info.waiting, 0);
        CHECK_INT(info.available, CONNECTIONS);
        CHECK_INT(info.made - info.closed, info.idle);
        CHECK_INT(number(c, "select sum(money) from account"), ACCOUNTS * MONEY);
        for (int i = 0; i < 1000; i++) {
                n = number(c, "select count(*) from pg_stat_activity where backend_type = 'client backend'");
                if (n == (int64_t)info.idle + 1)
                        break;
                green_sleep(0.005);
        }
        CHECK_INT(n, info.idle + 1);
        CHECK_INT(number(c, "select count(*) from pg_stat_activity where state like 'idle in%' or state = 'active'"),
                  1);
}

static void
servers_come_and_go_under_load(void)
{
        struct load l = {.seed = 11};
        green_db_conn *c;
        char sql[100];

        if (!have_server())
                return;
        c = connect_one();
        runs(c, "create table account (id int8 primary key, money int8)");
        snprintf(sql, sizeof sql, "insert into account select i, %d from generate_series(0, %d) i", MONEY,
                 ACCOUNTS - 1);
        runs(c, sql);
        CHECK_INT(green_db_conn_free(c), 0);
        l.pool = pool_of(CONNECTIONS);
        run_load(&l, 0.6);
        c = connect_one();
        check_end(&l, c);
        CHECK_INT(green_db_pool_free(l.pool), 0);
        CHECK_INT(green_db_conn_free(c), 0);
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0);
}

GREEN_SUITE(net_db_restart) {
        GREEN_TEST(servers_come_and_go_under_load, .limit = 120),
        GREEN_SUITE_END
};
