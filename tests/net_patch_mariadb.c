/* libmariadb's blocking calls to a MariaDB server, run green without a changed line. */
#include "patch_proof.h"

#include <mysql.h>

#include "db_server_mariadb.h"

static struct db_server *server;

static const char *
start_server(void)
{
        server = db_server_get();
        return server->why[0] == '\0' ? NULL : server->why;
}

static bool
begin(void **ret_state)
{
        MYSQL *c = mysql_init(NULL);

        *ret_state = c;
        if (c == NULL)
                return false;
        if (mysql_real_connect(c, NULL, "root", NULL, "mysql", 0, server->socket, 0) != NULL)
                return true;
        fprintf(stderr, "libmariadb: %s\n", mysql_error(c));
        return false;
}

static bool
ask(void *state)
{
        MYSQL_RES *r = NULL;
        MYSQL_ROW row = NULL;
        bool well;

        if (mysql_query(state, "select sleep(0.05)") == 0)
                r = mysql_store_result(state);
        if (r != NULL)
                row = mysql_fetch_row(r);
        well = row != NULL && strcmp(row[0], "0") == 0;
        if (!well)
                fprintf(stderr, "libmariadb: %s\n", mysql_error(state));
        mysql_free_result(r);
        return well;
}

static void
end(void *state)
{
        mysql_close(state);
}

static void
a_hundred_statements_wait_at_once(void)
{
        GREEN_COVERS("PATCH-01");
        if (server->broken)
                FAIL("%s", server->why);
        prove(&(struct proof){.what = "libmariadb", .begin = begin, .ask = ask, .end = end});
}

__attribute__((constructor)) static void
choose_server(void)
{
        proof_server = start_server;
}

GREEN_SUITE(net_patch_mariadb){GREEN_TEST(a_hundred_statements_wait_at_once, .limit = 120), GREEN_SUITE_END};
