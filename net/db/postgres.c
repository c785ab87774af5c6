/*
 * The driver for PostgreSQL: its table. Everything waits by green_db_link_wait(), in green threads and OS threads
 * alike.
 */
#include "postgres_priv.h"

#include <stdio.h>

static const char *
version(void)
{
        static _Thread_local char text[32];
        int v = PQlibVersion();

        snprintf(text, sizeof text, "libpq %d.%d", v / 10000, v % 10000);
        return text;
}

GREEN_API extern const struct green_db_driver green_db_module;

const struct green_db_driver green_db_module = {
        .abi = GREEN_DB_DRIVER_ABI,
        .size = sizeof(struct green_db_driver),
        .name = "postgres",
        .version = version,
        .connect = green__pg_connect,
        .close = green__pg_close,
        .alive = green__pg_alive,
        .in_transaction = green__pg_in_transaction,
        .settle = green__pg_settle,
        .query = green__pg_query,
        .fetch = green__pg_fetch,
        .prepare = green__pg_prepare,
        .unprepare = green__pg_unprepare,
        .command = green__pg_command,
        .info = green__pg_info,
        .literal = green__pg_literal,
        .pipeline_begin = green__pg_pipeline_begin,
        .send = green__pg_pipeline_send,
        .receive = green__pg_pipeline_receive,
        .pipeline_end = green__pg_pipeline_end,
        .copy_begin = green__pg_copy_begin,
        .copy_put = green__pg_copy_put,
        .copy_get = green__pg_copy_get,
        .copy_end = green__pg_copy_end,
        .notification = green__pg_notification,
};
