/*
 * The driver for PostgreSQL: commands, what is known of the server, literals.
 */
#include "postgres_priv.h"

#include <inttypes.h>
#include <stdio.h>

#include <green/db_conn.h>

bool
green__pg_in_transaction(void *vdb)
{
        const struct pg_db *db = vdb;

        switch (PQtransactionStatus(db->conn)) {
        case PQTRANS_INTRANS:
        case PQTRANS_INERROR: return true;
        case PQTRANS_ACTIVE: return db->was_open;
        case PQTRANS_IDLE:
        case PQTRANS_UNKNOWN: break;
        }
        return false;
}

/* A transaction that has failed is rolled back by "commit", which the server does not call an error. */
static int
commit(green_db_link *link, struct pg_db *db)
{
        PGresult *r;
        int rc = green__pg_simple(link, db, "commit", &r);

        if (rc != 0)
                return rc;
        if (strcmp(PQcmdStatus(r), "ROLLBACK") == 0)
                rc = green_db_link_fail(link, GREEN_EDB, 0, "25P02",
                                        "the transaction had failed before, and was rolled back");
        PQclear(r);
        return rc;
}

static int
rollback(green_db_link *link, struct pg_db *db)
{
        return green__pg_in_transaction(db) ? green__pg_simple(link, db, "rollback", NULL) : 0;
}

static int
reset(green_db_link *link, struct pg_db *db)
{
        int rc = rollback(link, db);

        if (rc == 0)
                rc = green__pg_simple(link, db, "discard all", NULL);
        if (rc == 0)
                green__pg_forget_owed(db);
        return rc;
}

static int
set_isolation(green_db_link *link, struct pg_db *db, int64_t level)
{
        static const char *const sql[] = {
                [GREEN_DB_READ_UNCOMMITTED] =
                        "set session characteristics as transaction isolation level read uncommitted",
                [GREEN_DB_READ_COMMITTED] = "set session characteristics as transaction isolation level read committed",
                [GREEN_DB_REPEATABLE_READ] =
                        "set session characteristics as transaction isolation level repeatable read",
                [GREEN_DB_SERIALIZABLE] = "set session characteristics as transaction isolation level serializable",
        };

        if (level < GREEN_DB_READ_UNCOMMITTED || level > GREEN_DB_SERIALIZABLE)
                return -ENOTSUP;
        return green__pg_simple(link, db, sql[level], NULL);
}

static int
set_character_set(green_db_link *link, struct pg_db *db, const char *name)
{
        const struct green_db_value value = green_db_text(name);
        const struct green_db_statement st = {
                .sql = "select set_config('client_encoding', $1, false)", .values = &value, .n = 1};
        int rc = green__pg_send(link, db, &st);

        if (rc == 0)
                rc = green__pg_flush(link, db);
        return rc == 0 ? green__pg_finish(link, db, NULL) : rc;
}

static int
stat(green_db_link *link, struct pg_db *db, char *out, size_t size)
{
        static const char sql[] =
                "select format('Uptime: %s  Connections: %s  Commits: %s  Rollbacks: %s  Blocks read: %s  Hit: %s',"
                " extract(epoch from now() - pg_postmaster_start_time())::bigint, numbackends, xact_commit,"
                " xact_rollback, blks_read, blks_hit) from pg_stat_database where datname = current_database()";
        PGresult *r;
        int rc = green__pg_simple(link, db, sql, &r);

        if (rc != 0)
                return rc;
        if (size > 0)
                snprintf(out, size, "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
        PQclear(r);
        return 0;
}

int
green__pg_command(green_db_link *link, void *vdb, struct green_db_command *command)
{
        struct pg_db *db = vdb;

        if (command->kind == GREEN_DB_CMD_SHOW_WARNINGS)
                return green__pg_warnings(db, command->batch);
        green__pg_begin(db);
        switch (command->kind) {
        case GREEN_DB_CMD_BEGIN: return green__pg_simple(link, db, "begin", NULL);
        case GREEN_DB_CMD_COMMIT: return commit(link, db);
        case GREEN_DB_CMD_ROLLBACK: return rollback(link, db);
        case GREEN_DB_CMD_RESET: return reset(link, db);
        case GREEN_DB_CMD_PING: return green__pg_simple(link, db, "", NULL);
        case GREEN_DB_CMD_SET_CHARACTER_SET: return set_character_set(link, db, command->text);
        case GREEN_DB_CMD_SET_ISOLATION: return set_isolation(link, db, command->number);
        case GREEN_DB_CMD_STAT: return stat(link, db, command->out, command->out_size);
        default: return -ENOTSUP;
        }
}

int
green__pg_info(void *vdb, enum green_db_info_kind kind, struct green_db_info *ret)
{
        const struct pg_db *db = vdb;

        switch (kind) {
        case GREEN_DB_INFO_CHARACTER_SET: ret->text = PQparameterStatus(db->conn, "client_encoding"); return 0;
        case GREEN_DB_INFO_SERVER: ret->text = PQparameterStatus(db->conn, "server_version"); return 0;
        case GREEN_DB_INFO_THREAD_ID: ret->number = PQbackendPID(db->conn); return 0;
        case GREEN_DB_INFO_CAPABILITIES: break;
        }
        return -ENOTSUP;
}

/* ---- literals */

static int
text_literal(struct pg_db *db, const struct green_db_value *v, char *text, size_t len)
{
        char *quoted;
        int n;

        if (v->len > 0 && memchr(v->data, 0, v->len) != NULL)
                return -EILSEQ;
        quoted = PQescapeLiteral(db->conn, v->len > 0 ? v->data : "", v->len);
        if (quoted == NULL)
                return -EILSEQ;
        /* One with backslashes begins with a blank, so that no letter before it becomes a part of it. */
        n = snprintf(text, len, "%s", quoted);
        PQfreemem(quoted);
        return n;
}

static int
bytes_literal(struct pg_db *db, const struct green_db_value *v, char *text, size_t len)
{
        static const char digits[] = "0123456789abcdef";
        const char *standard = PQparameterStatus(db->conn, "standard_conforming_strings");
        const char *begin = standard != NULL && strcmp(standard, "off") == 0 ? " E'\\\\x" : "'\\x", *end = "'::bytea";
        const unsigned char *data = v->data;
        size_t n = strlen(begin), total = n + 2 * v->len + strlen(end);

        if (total > INT32_MAX)
                return -EMSGSIZE;
        if (len == 0)
                return (int)total;
        snprintf(text, len, "%s", begin);
        for (size_t i = 0; i < v->len; i++, n += 2) {
                if (n + 2 >= len)
                        break;
                text[n] = digits[data[i] >> 4];
                text[n + 1] = digits[data[i] & 15];
                text[n + 2] = '\0';
        }
        if (n < len)
                snprintf(text + n, len - n, "%s", end);
        return (int)total;
}

int
green__pg_literal(void *vdb, const struct green_db_value *value, char *text, size_t len)
{
        char number[40];

        switch (value->type) {
        case GREEN_DB_NULL: return snprintf(text, len, "NULL");
        case GREEN_DB_INT64: return snprintf(text, len, "%" PRId64, value->number);
        case GREEN_DB_DOUBLE:
                (void)green__pg_print_real(number, sizeof number, value->real);
                return snprintf(text, len, "'%s'::float8", number);
        case GREEN_DB_TEXT: return text_literal(vdb, value, text, len);
        case GREEN_DB_BLOB: return bytes_literal(vdb, value, text, len);
        }
        return -EINVAL;
}
