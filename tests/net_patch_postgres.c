/* libpq's blocking calls to a PostgreSQL server, run green without a changed line. */
#include "patch_proof.h"

#include <libpq-fe.h>

#include "db_server.h"

static bool
begin(void **ret_state)
{
        char how[256];
        PGconn *c;

        snprintf(how, sizeof how, "host=%s port=%d user=postgres dbname=postgres", pg_server_folder(),
                 pg_server_port());
        *ret_state = c = PQconnectdb(how);
        if (PQstatus(c) != CONNECTION_OK)
                fprintf(stderr, "libpq: %s\n", PQerrorMessage(c));
        return PQstatus(c) == CONNECTION_OK;
}

static bool
ask(void *state)
{
        PGresult *r = PQexec(state, "select 'ok' from pg_sleep(0.05)");
        bool well = PQresultStatus(r) == PGRES_TUPLES_OK && strcmp(PQgetvalue(r, 0, 0), "ok") == 0;

        if (!well)
                fprintf(stderr, "libpq: %s\n", PQerrorMessage(state));
        PQclear(r);
        return well;
}

static void
end(void *state)
{
        PQfinish(state);
}

static void
a_hundred_statements_wait_at_once(void)
{
        GREEN_COVERS("PATCH-01");
        prove(&(struct proof){.what = "libpq", .begin = begin, .ask = ask, .end = end});
}

__attribute__((constructor)) static void
choose_server(void)
{
        proof_server = pg_server_start;
}

GREEN_SUITE(net_patch_postgres){GREEN_TEST(a_hundred_statements_wait_at_once, .limit = 120), GREEN_SUITE_END};
