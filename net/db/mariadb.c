/*
 * The driver for MariaDB and MySQL: libmariadb's calls that do not block. See mariadb_priv.h.
 */
#include "mariadb_priv.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

GREEN_API extern const struct green_db_driver green_db_module;

static const char *
version(void)
{
        static char text[64];

        if (text[0] == '\0')
                snprintf(text, sizeof text, "libmariadb %s", mysql_get_client_info());
        return text;
}

/* An idle server says nothing before it closes, but in TLS: tickets, which nobody has read yet. */
static bool
is_alive(void *data)
{
        struct maria *db = data;
        struct pollfd p = {.fd = db->fd, .events = POLLIN | POLLRDHUP};
        char byte;
        ssize_t n;

        if (db->fd < 0 || db->step != NULL)
                return false;
        if (db->tls)
                return poll(&p, 1, 0) == 0 || (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0;
        n = recv(db->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool
is_in_transaction(void *data)
{
        struct maria *db = data;
        unsigned int status = 0;

        if (mariadb_get_infov(&db->my, MARIADB_CONNECTION_SERVER_STATUS, &status) != 0)
                return false;
        return (status & SERVER_STATUS_IN_TRANS) != 0;
}

const struct green_db_driver green_db_module = {
        .abi = GREEN_DB_DRIVER_ABI,
        .size = sizeof green_db_module,
        .name = "mariadb",
        .version = version,
        .connect = maria_connect,
        .close = maria_close,
        .alive = is_alive,
        .in_transaction = is_in_transaction,
        .settle = maria_settle,
        .query = maria_query,
        .fetch = maria_fetch,
        .prepare = maria_prepare,
        .unprepare = maria_unprepare,
        .command = maria_command,
        .info = maria_info,
        .literal = maria_literal,
};
