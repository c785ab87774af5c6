/*
 * A peer of green_db_postgres.c: 16 OS threads with a connection each, through libpq, which blocks. Where the server
 * is, libpq's variables say. threads_libpq [MILLISECONDS]
 */
#include "bench.h"

#include <libpq-fe.h>
#include <pthread.h>

enum { CONNECTIONS = 16 };

struct worker {
        pthread_t thread;
        PGconn *conn;
        long answers;
};

static struct worker workers[CONNECTIONS];
static double until;

static void
check_answer(struct worker *w, PGresult *r, long want)
{
        bench_check(PQresultStatus(r) == PGRES_TUPLES_OK && atol(PQgetvalue(r, 0, 0)) == want, "the answer");
        PQclear(r);
        w->answers++;
}

static void *
ask(void *arg)
{
        struct worker *w = arg;

        while (bench_now() < until)
                check_answer(w, PQexec(w->conn, "select 1"), 1);
        return NULL;
}

static void *
ask_prepared(void *arg)
{
        struct worker *w = arg;

        for (long i = 0; bench_now() < until; i++) {
                char number[24];
                const char *value = number;

                snprintf(number, sizeof number, "%ld", i);
                check_answer(w, PQexecPrepared(w->conn, "one", 1, &value, NULL, NULL, 0), i);
        }
        return NULL;
}

static double
rate(void *(*fn)(void *), double seconds)
{
        double begin = bench_now();
        long answers = 0;

        until = begin + seconds;
        for (int i = 0; i < CONNECTIONS; i++) {
                workers[i].answers = 0;
                bench_check(pthread_create(&workers[i].thread, NULL, fn, &workers[i]) == 0, "pthread_create");
        }
        for (int i = 0; i < CONNECTIONS; i++) {
                bench_check(pthread_join(workers[i].thread, NULL) == 0, "pthread_join");
                answers += workers[i].answers;
        }
        return (double)answers / (bench_now() - begin) / 1e3;
}

int
main(int argc, char **argv)
{
        double seconds = (double)bench_count(argc, argv, 1, 1000) / 1e3;

        for (int i = 0; i < CONNECTIONS; i++) {
                PGresult *r;

                workers[i].conn = PQconnectdb("");
                bench_check(PQstatus(workers[i].conn) == CONNECTION_OK, "PQconnectdb");
                r = PQprepare(workers[i].conn, "one", "select $1::int8", 0, NULL);
                bench_check(PQresultStatus(r) == PGRES_COMMAND_OK, "PQprepare");
                PQclear(r);
        }
        (void)rate(ask, seconds / 4);
        bench_print("db_select", "kreq/s", rate(ask, seconds));
        (void)rate(ask_prepared, seconds / 4);
        bench_print("db_prepared", "kreq/s", rate(ask_prepared, seconds));
        for (int i = 0; i < CONNECTIONS; i++)
                PQfinish(workers[i].conn);
        return 0;
}
