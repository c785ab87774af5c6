/*
 * PostgreSQL through a pool: answers a second to `select 1`, to a prepared statement, and to that in pipelines of 64.
 * 16 connections, 32 green threads, one OS thread. Where the server is, libpq's variables say. green_db_postgres
 * [MILLISECONDS]; green_db_postgres try: is there the driver?
 */
#include "bench.h"

#include <green/core.h>
#include <green/net.h>

enum { CONNECTIONS = 16, THREADS = 32, DEEP = 64 };

static green_db_pool *pool;
static double until;
static long answers;

static void
check_answer(green_db_result *r, int64_t want)
{
        int64_t n = 0;

        bench_check(green_db_result_next(r) == 1 && green_db_result_int64(r, 0, &n) == 0 && n == want, "the answer");
        green_db_result_free(r);
        answers++;
}

static green_db_conn *
get(void)
{
        green_db_conn *c;

        bench_check(green_db_pool_get(pool, &c, GREEN_FOREVER) == 0, "green_db_pool_get");
        return c;
}

static void
put(green_db_conn *c)
{
        bench_check(green_db_pool_put(pool, c) == 0, "green_db_pool_put");
}

static void *
ask(void *arg)
{
        while (bench_now() < until) {
                green_db_conn *c = get();
                green_db_result *r;

                bench_check(green_db_conn_execute(c, "select 1", GREEN_DB_NO_PARAMS, &r) == 0, "green_db_conn_execute");
                check_answer(r, 1);
                put(c);
        }
        return arg;
}

static void *
ask_prepared(void *arg)
{
        for (int64_t i = 0; bench_now() < until; i++) {
                green_db_conn *c = get();
                const struct green_db_value value = green_db_int64(i);
                green_db_stmt *s;
                green_db_result *r;

                bench_check(green_db_conn_prepare(c, "select $1::int8", &s) == 0, "green_db_conn_prepare");
                bench_check(green_db_stmt_execute(s, &value, 1, &r) == 0, "green_db_stmt_execute");
                check_answer(r, i);
                put(c);
        }
        return arg;
}

static void *
pipe_many(void *arg)
{
        while (bench_now() < until) {
                green_db_conn *c = get();
                green_db_stmt *s;
                green_db_result *r;

                bench_check(green_db_conn_prepare(c, "select $1::int8", &s) == 0, "green_db_conn_prepare");
                bench_check(green_db_conn_pipeline_begin(c) == 0, "green_db_conn_pipeline_begin");
                for (int64_t i = 0; i < DEEP; i++) {
                        const struct green_db_value value = green_db_int64(i);

                        bench_check(green_db_stmt_send(s, &value, 1) == 0, "green_db_stmt_send");
                }
                for (int64_t i = 0; i < DEEP; i++) {
                        bench_check(green_db_conn_pipeline_next(c, &r) == 1, "green_db_conn_pipeline_next");
                        check_answer(r, i);
                }
                bench_check(green_db_conn_pipeline_end(c) == 0, "green_db_conn_pipeline_end");
                put(c);
        }
        return arg;
}

/* Answers a second, in thousands. */
static double
rate(green_thread_fn fn, double seconds)
{
        green_thread *threads[THREADS];
        double begin = bench_now();

        answers = 0;
        until = begin + seconds;
        for (int i = 0; i < THREADS; i++)
                bench_check((threads[i] = green_spawn(fn, NULL)) != NULL, "green_spawn");
        for (int i = 0; i < THREADS; i++) {
                bench_check(green_thread_wait(threads[i], NULL) == 0, "green_thread_wait");
                green_thread_unref(threads[i]);
        }
        return (double)answers / (bench_now() - begin) / 1e3;
}

int
main(int argc, char **argv)
{
        struct green_db_pool_opts opts = {.size = sizeof opts, .driver = "postgres", .min_size = CONNECTIONS};
        double seconds, one, piped;

        if (argc == 2 && strcmp(argv[1], "try") == 0) {
                opts.min_size = 0;
                pool = green_db_pool_new(&opts);
                return pool != NULL && green_db_pool_free(pool) == 0 ? 0 : 1;
        }
        seconds = (double)bench_count(argc, argv, 1, 1000) / 1e3;
        opts.max_size = CONNECTIONS;
        opts.max_idle = opts.max_age = GREEN_FOREVER;
        pool = green_db_pool_new(&opts);
        bench_check(pool != NULL, "green_db_pool_new");
        (void)rate(ask, seconds / 4);
        one = rate(ask, seconds);
        bench_print("db_select", "kreq/s", one);
        (void)rate(ask_prepared, seconds / 4);
        bench_print("db_prepared", "kreq/s", rate(ask_prepared, seconds));
        piped = rate(pipe_many, seconds);
        bench_print("db_pipeline", "kreq/s", piped);
        bench_print("db_pipeline_gain", "times", piped / one);
        bench_check(green_db_pool_free(pool) == 0, "green_db_pool_free");
        return 0;
}
