/*
 * Transactions, and what connections and servers can be asked and told besides statements.
 */
#include "db_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- commands */

static int
command(green_db_link *l, void *arg)
{
        struct green_db_command *cmd = arg;
        int rc = l->target->driver->command(l, l->db, cmd);

        if (rc == 0 && cmd->kind == GREEN_DB_CMD_RESET)
                green__db_stmts_forget(l);
        return rc;
}

int
green__db_command(green_db_conn *c, struct green_db_command *cmd, const char *what)
{
        int rc = green__db_enter(c, GREEN__DB_REST, what);

        return rc == 0 ? green__db_leave(c, green__db_call(c->link, command, cmd)) : rc;
}

static int
simple(green_db_conn *c, enum green_db_command_kind kind, const char *what)
{
        struct green_db_command cmd = {.kind = kind};

        return green__db_command(c, &cmd, what);
}

static int
with_text(green_db_conn *c, enum green_db_command_kind kind, const char *text, const char *what)
{
        struct green_db_command cmd = {.kind = kind, .text = text};

        if (text == NULL)
                return green_set_error(-EINVAL, "%s: no text", what);
        return green__db_command(c, &cmd, what);
}

static int
with_number(green_db_conn *c, enum green_db_command_kind kind, int64_t number, const char *what)
{
        struct green_db_command cmd = {.kind = kind, .number = number};

        return green__db_command(c, &cmd, what);
}

int
green_db_conn_begin(green_db_conn *conn)
{
        return simple(conn, GREEN_DB_CMD_BEGIN, "green_db_conn_begin");
}

int
green_db_conn_commit(green_db_conn *conn)
{
        return simple(conn, GREEN_DB_CMD_COMMIT, "green_db_conn_commit");
}

int
green_db_conn_rollback(green_db_conn *conn)
{
        green_db_link *l;
        int rc = green__db_look(conn, "green_db_conn_rollback");

        if (rc != 0)
                return rc;
        l = conn->link;
        if (!green__db_unsettled(l) && !l->lost && !l->target->driver->in_transaction(l->db))
                return 0;
        return simple(conn, GREEN_DB_CMD_ROLLBACK, "green_db_conn_rollback");
}

bool
green_db_conn_in_transaction(const green_db_conn *conn)
{
        if (conn == NULL || conn->link == NULL || conn->link->lost || conn->busy)
                return false;
        return conn->link->target->driver->in_transaction(conn->link->db);
}

int
green_db_conn_autocommit(green_db_conn *conn, bool on)
{
        int rc = green__db_look(conn, "green_db_conn_autocommit");

        if (rc != 0)
                return rc;
        if (green_db_conn_in_transaction(conn))
                return green_set_error(-EBUSY, "green_db_conn_autocommit: a transaction is open");
        conn->link->autocommit = on;
        return 0;
}

int
green_db_conn_set_isolation_level(green_db_conn *conn, enum green_db_isolation level)
{
        if (level < GREEN_DB_READ_UNCOMMITTED || level > GREEN_DB_SERIALIZABLE)
                return green_set_error(-EINVAL, "green_db_conn_set_isolation_level: there is no level %d", (int)level);
        return with_number(conn, GREEN_DB_CMD_SET_ISOLATION, level, "green_db_conn_set_isolation_level");
}

int
green_db_conn_ping(green_db_conn *conn)
{
        return simple(conn, GREEN_DB_CMD_PING, "green_db_conn_ping");
}

int
green_db_conn_change_user(green_db_conn *conn, const char *user, const char *password, const char *database)
{
        struct green_db_command cmd = {
                .kind = GREEN_DB_CMD_CHANGE_USER, .text = user, .text2 = password, .text3 = database};
        int rc;

        if (user == NULL)
                return green_set_error(-EINVAL, "green_db_conn_change_user: no user");
        rc = green__db_command(conn, &cmd, "green_db_conn_change_user");
        if (rc == 0)
                green__db_stmts_forget(conn->link); /* the server has forgotten them */
        return rc;
}

int
green_db_conn_select_db(green_db_conn *conn, const char *database)
{
        return with_text(conn, GREEN_DB_CMD_SELECT_DB, database, "green_db_conn_select_db");
}

int
green_db_conn_set_character_set(green_db_conn *conn, const char *name)
{
        return with_text(conn, GREEN_DB_CMD_SET_CHARACTER_SET, name, "green_db_conn_set_character_set");
}

int
green_db_conn_set_sql_mode(green_db_conn *conn, const char *mode)
{
        return with_text(conn, GREEN_DB_CMD_SET_SQL_MODE, mode, "green_db_conn_set_sql_mode");
}

int
green_db_conn_set_server_option(green_db_conn *conn, int option)
{
        return with_number(conn, GREEN_DB_CMD_SET_SERVER_OPTION, option, "green_db_conn_set_server_option");
}

int
green_db_conn_dump_debug_info(green_db_conn *conn)
{
        return simple(conn, GREEN_DB_CMD_DUMP_DEBUG_INFO, "green_db_conn_dump_debug_info");
}

int
green_db_conn_shutdown(green_db_conn *conn)
{
        return simple(conn, GREEN_DB_CMD_SHUTDOWN, "green_db_conn_shutdown");
}

int
green_db_conn_stat(green_db_conn *conn, char *text, size_t len)
{
        char own[1024] = "";
        struct green_db_command cmd = {.kind = GREEN_DB_CMD_STAT, .out = own, .out_size = sizeof own};
        int rc = green__db_command(conn, &cmd, "green_db_conn_stat");

        return rc < 0 ? rc : snprintf(text, len, "%s", own);
}

int
green_db_conn_show_warnings(green_db_conn *conn, green_db_result **ret_result)
{
        struct green_db_batch batch = {.columns = 0};
        struct green_db_command cmd = {.kind = GREEN_DB_CMD_SHOW_WARNINGS, .batch = &batch};
        green_db_result *r;
        int rc;

        if (ret_result == NULL)
                return green_set_error(-EINVAL, "green_db_conn_show_warnings: no ret_result");
        r = green__db_result_new();
        if (r == NULL)
                return -ENOMEM;
        rc = green__db_command(conn, &cmd, "green_db_conn_show_warnings");
        if (rc != 0) {
                green__db_batch_free(&batch);
                green_db_result_free(r);
                return rc;
        }
        green__db_result_begin(r, &batch);
        *ret_result = r;
        return 0;
}

/* ---- what came of the last statement */

int
green_db_conn_affected_rows(const green_db_conn *conn, int64_t *ret)
{
        int rc = green__db_look(conn, "green_db_conn_affected_rows");

        if (rc == 0 && ret == NULL)
                rc = green_set_error(-EINVAL, "green_db_conn_affected_rows: no ret");
        if (rc == 0)
                *ret = conn->link->affected;
        return rc;
}

int
green_db_conn_insert_id(const green_db_conn *conn, int64_t *ret)
{
        int rc = green__db_look(conn, "green_db_conn_insert_id");

        if (rc == 0 && ret == NULL)
                rc = green_set_error(-EINVAL, "green_db_conn_insert_id: no ret");
        if (rc == 0)
                *ret = conn->link->insert_id;
        return rc;
}

int
green_db_conn_warning_count(const green_db_conn *conn, unsigned *ret)
{
        int rc = green__db_look(conn, "green_db_conn_warning_count");

        if (rc == 0 && ret == NULL)
                rc = green_set_error(-EINVAL, "green_db_conn_warning_count: no ret");
        if (rc == 0)
                *ret = conn->link->warnings;
        return rc;
}

long
green_db_conn_errno(const green_db_conn *conn)
{
        return green_db_conn_is_open(conn) ? conn->link->number : 0;
}

const char *
green_db_conn_error(const green_db_conn *conn)
{
        return green_db_conn_is_open(conn) ? conn->link->message : "";
}

const char *
green_db_conn_sqlstate(const green_db_conn *conn)
{
        return green_db_conn_is_open(conn) && conn->link->sqlstate[0] != '\0' ? conn->link->sqlstate : "00000";
}

int
green_db_conn_errorhandler(green_db_conn *conn, void (*fn)(green_db_conn *conn, int code, void *arg), void *arg)
{
        int rc = green__db_look(conn, "green_db_conn_errorhandler");

        if (rc != 0)
                return rc;
        conn->errorhandler = fn;
        conn->errorhandler_arg = arg;
        return 0;
}

/* ---- what is known of the server */

static int
info(green_db_conn *c, enum green_db_info_kind kind, struct green_db_info *ret, const char *what)
{
        int rc = green__db_look(c, what);

        if (rc != 0)
                return rc;
        *ret = (struct green_db_info){.number = 0};
        rc = c->link->target->driver->info(c->link->db, kind, ret);
        if (rc == -ENOTSUP)
                green_set_error(rc, "%s: the driver \"%s\" does not do this", what, c->link->target->driver->name);
        return rc;
}

static int
info_text(green_db_conn *c, enum green_db_info_kind kind, char *text, size_t len, const char *what)
{
        struct green_db_info i;
        int rc = info(c, kind, &i, what);

        return rc < 0 ? rc : snprintf(text, len, "%s", i.text != NULL ? i.text : "");
}

int
green_db_conn_character_set_name(green_db_conn *conn, char *text, size_t len)
{
        return info_text(conn, GREEN_DB_INFO_CHARACTER_SET, text, len, "green_db_conn_character_set_name");
}

int
green_db_conn_get_server_info(green_db_conn *conn, char *text, size_t len)
{
        return info_text(conn, GREEN_DB_INFO_SERVER, text, len, "green_db_conn_get_server_info");
}

int
green_db_conn_server_capabilities(green_db_conn *conn, uint64_t *ret)
{
        struct green_db_info i;
        int rc = info(conn, GREEN_DB_INFO_CAPABILITIES, &i, "green_db_conn_server_capabilities");

        if (rc == 0 && ret == NULL)
                rc = green_set_error(-EINVAL, "green_db_conn_server_capabilities: no ret");
        if (rc == 0)
                *ret = (uint64_t)i.number;
        return rc;
}

int
green_db_conn_thread_id(green_db_conn *conn, int64_t *ret)
{
        struct green_db_info i;
        int rc = info(conn, GREEN_DB_INFO_THREAD_ID, &i, "green_db_conn_thread_id");

        if (rc == 0 && ret == NULL)
                rc = green_set_error(-EINVAL, "green_db_conn_thread_id: no ret");
        if (rc == 0)
                *ret = i.number;
        return rc;
}

int
green_db_conn_literal(green_db_conn *conn, struct green_db_value value, char *text, size_t len)
{
        int rc = green__db_look(conn, "green_db_conn_literal");

        return rc == 0 ? conn->link->target->driver->literal(conn->link->db, &value, text, len) : rc;
}

int
green_db_conn_string_literal(green_db_conn *conn, const char *string, char *text, size_t len)
{
        if (string == NULL)
                return green_set_error(-EINVAL, "green_db_conn_string_literal: no string");
        return green_db_conn_literal(conn, green_db_text(string), text, len);
}
