/*
 * Calls of libmariadb that wait, and its errors.
 */
#include "mariadb_priv.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Whose call runs in this OS thread: libmariadb's callbacks are told a descriptor, or nothing. */
static _Thread_local struct maria *current;

/* ---- steps */

/* In the form that maria_call() takes: begin a call with what the connection keeps for it, or go on with it. */
#define STEP(name, ret, cont_of, ...)                                                                                  \
        int maria_step_##name(struct maria *db, int ready)                                                             \
        {                                                                                                              \
                if (ready == MARIA_START)                                                                              \
                        return mysql_##name##_start(&db->ret, __VA_ARGS__);                                            \
                return mysql_##name##_cont(&db->ret, cont_of, ready);                                                  \
        }
#define STEP_AS(step, name, ret, cont_of, ...)                                                                         \
        int maria_step_##step(struct maria *db, int ready)                                                             \
        {                                                                                                              \
                if (ready == MARIA_START)                                                                              \
                        return mysql_##name##_start(&db->ret, __VA_ARGS__);                                            \
                return mysql_##name##_cont(&db->ret, cont_of, ready);                                                  \
        }

STEP_AS(query, real_query, ret.i, &db->my, &db->my, db->text, (unsigned long)db->text_len)
STEP(fetch_row, ret.row, db->res, db->res)
STEP(next_result, ret.i, &db->my, &db->my)
STEP_AS(prepare, stmt_prepare, ret.i, db->stmt, db->stmt, db->text, (unsigned long)db->text_len)
STEP_AS(execute, stmt_execute, ret.i, db->stmt, db->stmt)
STEP(stmt_fetch, ret.i, db->stmt, db->stmt)
STEP(stmt_next_result, ret.i, db->stmt, db->stmt)
STEP(stmt_free_result, ret.b, db->stmt, db->stmt)
STEP(stmt_close, ret.b, db->stmt, db->stmt)
STEP_AS(reset, reset_connection, ret.i, &db->my, &db->my)
STEP(ping, ret.i, &db->my, &db->my)
STEP(change_user, ret.b, &db->my, &db->my, db->words[0], db->words[1], db->words[2])
STEP(select_db, ret.i, &db->my, &db->my, db->words[0])
STEP(set_character_set, ret.i, &db->my, &db->my, db->words[0])
STEP(set_server_option, ret.i, &db->my, &db->my, (enum enum_mysql_set_option)db->number)
STEP(dump_debug_info, ret.i, &db->my, &db->my)
STEP(shutdown, ret.i, &db->my, &db->my, SHUTDOWN_DEFAULT)
STEP(stat, ret.text, &db->my, &db->my)

int
maria_step_connect(struct maria *db, int ready)
{
        const struct maria_config *c = db->config;

        if (ready == MARIA_START)
                return mysql_real_connect_start(&db->ret.my, &db->my, db->host[0] != '\0' ? db->host : NULL, c->user,
                                                c->password, c->database, db->host[0] != '\0' ? c->port : 0, c->socket,
                                                0);
        return mysql_real_connect_cont(&db->ret.my, &db->my, ready);
}

/* ---- running them */

void
maria_look_at_socket(struct maria *db)
{
        int fd = db->inited ? (int)mysql_get_socket(&db->my) : -1;

        if (fd == db->fd)
                return;
        /* Where libmariadb has closed it nobody waits for it any more, and its number is not known as another's yet. */
        if (db->fd >= 0)
                green_db_link_closing(db->link, db->fd);
        if (fd >= 0)
                (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        db->fd = fd;
}

/* libmariadb writes with MSG_NOSIGNAL, but the TLS library with write(). */
static void
quiet_begin(struct maria *db)
{
        if (db->tls)
                green_quiet_begin(&db->quiet, SIGPIPE);
}

static void
quiet_end(struct maria *db)
{
        if (db->tls)
                green_quiet_end(&db->quiet, true);
}

static int
run_step(struct maria *db, maria_step step, int ready)
{
        struct maria *outer = current;
        int status;

        current = db;
        quiet_begin(db);
        status = step(db, ready);
        quiet_end(db);
        current = outer;
        maria_look_at_socket(db);
        return status;
}

/* MYSQL_WAIT_... of what is ready, or a code. There are no time limits here: those of the link are the callers'. */
static int
wait_for(struct maria *db, int status)
{
        unsigned events = 0;
        int rc;

        if (db->fd < 0)
                return MYSQL_WAIT_TIMEOUT;
        if (status & MYSQL_WAIT_READ)
                events |= GREEN_READ;
        if (status & MYSQL_WAIT_WRITE)
                events |= GREEN_WRITE;
        rc = green_db_link_wait(db->link, db->fd, events != 0 ? events : GREEN_READ);
        if (rc < 0)
                return rc;
        return (rc & GREEN_READ ? MYSQL_WAIT_READ : 0) | (rc & GREEN_WRITE ? MYSQL_WAIT_WRITE : 0);
}

/* The step was suspended with db->status. sending: until nothing is to be sent any more. */
static int
go_on(struct maria *db, maria_step step, bool sending)
{
        while (sending ? (db->status & MYSQL_WAIT_WRITE) != 0 : db->status != 0) {
                int ready = wait_for(db, db->status);

                if (ready < 0) {
                        db->step = step;
                        db->cut = ready;
                        return ready;
                }
                db->status = run_step(db, step, ready);
        }
        db->step = db->status != 0 ? step : NULL;
        return 0;
}

int
maria_call(struct maria *db, maria_step step)
{
        if (db->step != NULL)
                return db->cut;
        db->status = run_step(db, step, MARIA_START);
        return go_on(db, step, false);
}

int
maria_resume(struct maria *db)
{
        return db->step != NULL ? go_on(db, db->step, false) : 0;
}

int
maria_send_rest(struct maria *db)
{
        return db->step != NULL ? go_on(db, db->step, true) : 0;
}

void
maria_unwind(struct maria *db)
{
        enum { ENOUGH = 1000 }; /* each wait fails, so there are few */
        maria_step step = db->step;

        db->step = NULL;
        for (int i = 0; step != NULL && db->status != 0 && i < ENOUGH; i++) {
                if (db->fd >= 0)
                        (void)shutdown(db->fd, SHUT_RDWR);
                db->status = run_step(db, step, MYSQL_WAIT_TIMEOUT);
        }
        if (step == maria_step_stmt_close)
                db->stmt = NULL;
}

void
maria_end_library(struct maria *db)
{
        if (db->fd >= 0)
                green_db_link_closing(db->link, db->fd);
        quiet_begin(db);
        if (db->inited)
                mysql_close(&db->my);
        quiet_end(db);
        db->inited = false;
        db->fd = -1;
}

int
maria_enter(struct maria *db, green_db_link *link)
{
        db->link = link;
        return db->step != NULL ? db->cut : 0;
}

int
maria_io_wait(my_socket fd, my_bool is_read, int timeout)
{
        struct maria *db = current;
        int rc;

        (void)timeout;
        if (db == NULL || db->link == NULL)
                return 0;
        maria_look_at_socket(db);
        quiet_end(db);
        rc = green_db_link_wait(db->link, (green_fd)fd, is_read ? GREEN_READ : GREEN_WRITE);
        quiet_begin(db);
        current = db; /* others have run meanwhile */
        if (rc < 0)
                db->cut = rc;
        return rc < 0 ? 0 : 1;
}

/*
 * libmariadb's TLS handshake is blocking on its socket, which it has made blocking; and it looks for the host that it has
 * connected to, an address, in the certificate. Both are put right after the first thing that it reads.
 */
void
maria_has_read(int mode, MYSQL *my, const unsigned char *bytes, size_t len)
{
        struct maria *db = current;
        int fd;

        (void)bytes;
        (void)len;
        if (mode != 0 || db == NULL || my != &db->my || db->greeted)
                return;
        db->greeted = true;
        fd = (int)mysql_get_socket(my);
        if (fd >= 0)
                (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        if (db->name != NULL && strlen(db->name) < sizeof db->host)
                memcpy(db->host, db->name, strlen(db->name) + 1);
}

/* ---- what calls are given */

int
maria_keep_word(struct maria *db, size_t i, const char *word)
{
        char *copy = NULL;

        if (word != NULL) {
                size_t size = strlen(word) + 1;

                copy = green_malloc(size);
                if (copy == NULL)
                        return -ENOMEM;
                memcpy(copy, word, size);
        }
        green_free(db->words[i]);
        db->words[i] = copy;
        return 0;
}

int
maria_keep_text(struct maria *db, const char *text)
{
        enum { KEPT = 65536 }; /* room for a longer one is not kept */
        size_t len = strlen(text);

        if (len >= db->text_room || (db->text_room > KEPT && len < KEPT)) {
                size_t room = len < 256 ? 256 : len + 1;
                char *grown = green_realloc(db->text, room);

                if (grown == NULL)
                        return -ENOMEM;
                db->text = grown;
                db->text_room = room;
        }
        memcpy(db->text, text, len + 1);
        db->text_len = len;
        return 0;
}

/* ---- errors */

int
maria_code(unsigned number, const char *sqlstate)
{
        switch (number) {
        case CR_SERVER_GONE_ERROR:
        case CR_SERVER_LOST:
        case CR_SERVER_LOST_EXTENDED:
        case ER_SERVER_SHUTDOWN:
        case ER_CONNECTION_KILLED:
        case 4031: /* MySQL: idle for too long */
                return GREEN_EDBLOST;
        case ER_LOCK_WAIT_TIMEOUT:
        case ER_LOCK_DEADLOCK:
        case ER_CHECKREAD:
                return GREEN_EDBRETRY;
        case ER_DBACCESS_DENIED_ERROR:
        case ER_ACCESS_DENIED_ERROR:
        case ER_BAD_DB_ERROR:
        case ER_HOST_IS_BLOCKED:
        case ER_HOST_NOT_PRIVILEGED:
                return GREEN_EDBLOGIN;
        case CR_OUT_OF_MEMORY: return -ENOMEM;
        default: break;
        }
        /* Class 08 is "too many connections" and the like, told while the connection is there. */
        if (sqlstate == NULL || strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "3D", 2) == 0)
                return GREEN_EDB;
        return green_db_sqlstate_code(sqlstate);
}

static int
fail(struct maria *db, unsigned number, const char *sqlstate, const char *message)
{
        int code = maria_code(number, sqlstate);

        if (db->fd < 0)
                code = GREEN_EDBLOST;
        return green_db_link_fail(db->link, code, (long)number, sqlstate, "%s", message);
}

int
maria_fail(struct maria *db)
{
        return fail(db, mysql_errno(&db->my), mysql_sqlstate(&db->my), mysql_error(&db->my));
}

int
maria_fail_stmt(struct maria *db, MYSQL_STMT *stmt)
{
        if (mysql_stmt_errno(stmt) == 0)
                return maria_fail(db);
        return fail(db, mysql_stmt_errno(stmt), mysql_stmt_sqlstate(stmt), mysql_stmt_error(stmt));
}
