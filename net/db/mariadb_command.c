/*
 * What a connection and its server are told and asked besides statements.
 */
#include "mariadb_priv.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const levels[] = {
        NULL,
        "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
};

/* A call that returns 0, or something else where it failed. */
static int
call(struct maria *db, maria_step step)
{
        int rc = maria_call(db, step);

        return rc == 0 && db->ret.i != 0 ? maria_fail(db) : rc;
}

static int
call_with_word(struct maria *db, maria_step step, const char *word)
{
        int rc = maria_keep_word(db, 0, word);

        return rc == 0 ? call(db, step) : rc;
}

static int
change_user(struct maria *db, const char *user, const char *password, const char *database)
{
        int rc = maria_keep_word(db, 0, user);

        if (rc == 0)
                rc = maria_keep_word(db, 1, password);
        if (rc == 0)
                rc = maria_keep_word(db, 2, database);
        if (rc == 0)
                rc = maria_call(db, maria_step_change_user);
        return rc == 0 && db->ret.b ? maria_fail(db) : rc;
}

/* As it was when it was connected: the server's reset leaves user and database, and takes its own character set. */
static int
reset(struct maria *db)
{
        const struct maria_config *c = db->config;
        int rc;

        if (db->other_user || (db->other_database && c->database == NULL))
                rc = change_user(db, c->user, c->password, c->database);
        else
                rc = call(db, maria_step_reset);
        if (rc == 0 && db->other_database && !db->other_user && c->database != NULL)
                rc = call_with_word(db, maria_step_select_db, c->database);
        if (rc == 0)
                rc = call_with_word(db, maria_step_set_character_set, c->charset);
        if (rc == 0 && c->init_command != NULL)
                rc = maria_run_text(db, c->init_command);
        if (rc == 0)
                db->other_user = db->other_database = false;
        return rc;
}

static int
stat_of(struct maria *db, char *out, size_t size)
{
        int rc = maria_call(db, maria_step_stat);

        if (rc != 0)
                return rc;
        if (db->ret.text == NULL || mysql_errno(&db->my) != 0)
                return maria_fail(db);
        snprintf(out, size, "%s", db->ret.text);
        return 0;
}

static int
set_sql_mode(struct maria *db, const char *mode)
{
        static const char begin[] = "SET SESSION sql_mode=";
        size_t room = strlen(mode) * 2 + 3;
        char *sql = green_malloc(sizeof begin + room);
        struct green_db_value value = green_db_text(mode);
        int rc;

        if (sql == NULL)
                return -ENOMEM;
        memcpy(sql, begin, sizeof begin);
        rc = maria_literal(db, &value, sql + sizeof begin - 1, room);
        if (rc > 0)
                rc = maria_run_text(db, sql);
        green_free(sql);
        return rc;
}

int
maria_command(green_db_link *link, void *data, struct green_db_command *command)
{
        struct maria *db = data;
        int rc = maria_enter(db, link);

        if (rc != 0)
                return rc;
        switch (command->kind) {
        case GREEN_DB_CMD_BEGIN: return maria_run_text(db, "START TRANSACTION");
        case GREEN_DB_CMD_COMMIT: return maria_run_text(db, "COMMIT");
        case GREEN_DB_CMD_ROLLBACK: return maria_run_text(db, "ROLLBACK");
        case GREEN_DB_CMD_RESET: return reset(db);
        case GREEN_DB_CMD_PING: return call(db, maria_step_ping);
        case GREEN_DB_CMD_CHANGE_USER:
                db->other_user = true;
                return change_user(db, command->text, command->text2 != NULL ? command->text2 : "", command->text3);
        case GREEN_DB_CMD_SELECT_DB:
                db->other_database = true;
                return call_with_word(db, maria_step_select_db, command->text);
        case GREEN_DB_CMD_SET_CHARACTER_SET:
                return call_with_word(db, maria_step_set_character_set, command->text);
        case GREEN_DB_CMD_SET_ISOLATION: return maria_run_text(db, levels[command->number]);
        case GREEN_DB_CMD_SET_SERVER_OPTION:
                db->number = (long)command->number;
                return call(db, maria_step_set_server_option);
        case GREEN_DB_CMD_SET_SQL_MODE: return set_sql_mode(db, command->text);
        case GREEN_DB_CMD_DUMP_DEBUG_INFO: return call(db, maria_step_dump_debug_info);
        case GREEN_DB_CMD_SHUTDOWN: return call(db, maria_step_shutdown);
        case GREEN_DB_CMD_STAT: return stat_of(db, command->out, command->out_size);
        case GREEN_DB_CMD_SHOW_WARNINGS: return maria_rows_of_text(db, "SHOW WARNINGS", command->batch);
        }
        return -ENOTSUP;
}

static int64_t
capabilities(MYSQL *my)
{
        unsigned long server = 0, more = 0;

        (void)mariadb_get_infov(my, MARIADB_CONNECTION_SERVER_CAPABILITIES, &server);
        (void)mariadb_get_infov(my, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &more);
        return (int64_t)((uint64_t)server | (uint64_t)more << 32);
}

int
maria_info(void *data, enum green_db_info_kind kind, struct green_db_info *ret)
{
        struct maria *db = data;

        switch (kind) {
        case GREEN_DB_INFO_CHARACTER_SET: ret->text = mysql_character_set_name(&db->my); return 0;
        case GREEN_DB_INFO_SERVER: ret->text = mysql_get_server_info(&db->my); return 0;
        case GREEN_DB_INFO_CAPABILITIES: ret->number = capabilities(&db->my); return 0;
        case GREEN_DB_INFO_THREAD_ID: ret->number = (int64_t)mysql_thread_id(&db->my); return 0;
        }
        return -ENOTSUP;
}
