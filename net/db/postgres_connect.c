/*
 * The driver for PostgreSQL: connecting, closing, and whether the server is still there.
 */
#include "postgres_priv.h"

#include <stdio.h>
#include <sys/socket.h>

#include <green/thread.h>

/* ---- what libpq is told */

enum { OWN_KEYWORDS = 9 };

struct args {
        const char **keywords, **values; /* ended by NULL; names of options are the block's too */
        size_t n;
        PQconninfoOption *known; /* with what the environment and service files say */
        char **names;
        size_t n_names;
        struct pg_hosts hosts;
};

static void
release_args(struct args *a)
{
        for (size_t i = 0; i < a->n_names; i++)
                green_free(a->names[i]);
        green__pg_hosts_free(&a->hosts);
        if (a->known != NULL)
                PQconninfoFree(a->known);
        green_free(a->names);
        green_free(a->values);
        green_free(a->keywords);
}

static const PQconninfoOption *
find_known(const struct args *a, const char *name)
{
        for (const PQconninfoOption *o = a->known; o->keyword != NULL; o++)
                if (strcmp(o->keyword, name) == 0)
                        return o;
        return NULL;
}

static void
put(struct args *a, const char *keyword, const char *value)
{
        if (value == NULL)
                return;
        a->keywords[a->n] = keyword;
        a->values[a->n++] = value;
}

/* The last one that was put, else what libpq would take; or NULL. */
static const char *
value_of(const struct args *a, const char *keyword)
{
        const PQconninfoOption *o = find_known(a, keyword);

        for (size_t i = a->n; i > 0; i--)
                if (strcmp(a->keywords[i - 1], keyword) == 0)
                        return a->values[i - 1];
        return o != NULL ? o->val : NULL;
}

static int
put_option(green_db_link *link, struct args *a, const char *option)
{
        size_t len = strcspn(option, "=");
        char *name;

        if (option[len] == '\0')
                return green_db_link_fail(link, -EINVAL, 0, NULL, "option \"%s\": it has no value", option);
        name = green_malloc(len + 1);
        if (name == NULL)
                return -ENOMEM;
        memcpy(name, option, len);
        name[len] = '\0';
        a->names[a->n_names++] = name;
        if (find_known(a, name) == NULL)
                return green_db_link_fail(link, -EINVAL, 0, NULL, "libpq has no option \"%s\"", name);
        put(a, name, option + len + 1);
        return 0;
}

static int
allocate(struct args *a, const struct green_db_params *params, size_t *ret_options)
{
        size_t n = 0;

        while (params->options != NULL && params->options[n] != NULL)
                n++;
        *ret_options = n;
        a->keywords = green_calloc(n + OWN_KEYWORDS + 3 + 1, sizeof *a->keywords);
        a->values = green_calloc(n + OWN_KEYWORDS + 3 + 1, sizeof *a->values);
        a->names = green_calloc(n + 1, sizeof *a->names);
        a->known = PQconndefaults();
        return a->keywords != NULL && a->values != NULL && a->names != NULL && a->known != NULL ? 0 : -ENOMEM;
}

/* What is not said otherwise. GSSAPI asks Kerberos' servers, and blocks: only where it was asked for. */
static void
put_defaults(struct args *a)
{
        const char *gss = value_of(a, "gssencmode");

        if (value_of(a, "client_encoding") == NULL)
                put(a, "client_encoding", "UTF8");
        if (gss != NULL && strcmp(gss, "prefer") == 0 && strcmp(find_known(a, "gssencmode")->val, gss) == 0)
                put(a, "gssencmode", "disable");
        put(a, "fallback_application_name", "green-net");
}

static int
put_hosts(green_db_link *link, struct args *a)
{
        const char *host = value_of(a, "host"), *addr = value_of(a, "hostaddr"), *port = value_of(a, "port");
        int rc;

        /* In an OS thread libpq may block. */
        if (host == NULL || *host == '\0' || (addr != NULL && *addr != '\0') || green_getcurrent() == NULL)
                return 0;
        rc = green__pg_resolve(link, host, port != NULL ? port : "", &a->hosts);
        if (rc != 0)
                return rc;
        put(a, "host", a->hosts.host);
        put(a, "hostaddr", a->hosts.hostaddr);
        put(a, "port", a->hosts.port);
        return 0;
}

static int
fill_args(green_db_link *link, struct args *a, const struct green_db_params *params, char *port, size_t port_size)
{
        size_t n;
        int rc = allocate(a, params, &n);

        if (rc != 0)
                return rc;
        snprintf(port, port_size, "%u", params->port);
        put(a, "host", params->host);
        put(a, "port", params->port != 0 ? port : NULL);
        put(a, "user", params->user);
        put(a, "password", params->password);
        put(a, "dbname", params->database);
        for (size_t i = 0; i < n; i++) {
                rc = put_option(link, a, params->options[i]);
                if (rc != 0)
                        return rc;
        }
        put_defaults(a);
        return put_hosts(link, a);
}

/* ---- what went wrong */

/* The last SQLSTATE in verbose messages, "FATAL:  28P01: password ...": all are taken out of the text. Where it stood,
 * or NULL. */
static const char *
take_state(char *text, char state[6])
{
        const char *where = NULL;

        for (char *at = strstr(text, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
                if (strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5 || strncmp(at + 8, ": ", 2) != 0)
                        continue;
                memcpy(state, at + 3, 5);
                state[5] = '\0';
                memmove(at + 3, at + 10, strlen(at + 10) + 1);
                where = at;
        }
        return where;
}

/* Is this the end of the last thing that went wrong? Hints stand behind it, in lines that begin with a tab. */
static bool
is_last(const char *at)
{
        while (*at == '\n' && (at[1] == '\t' || at[1] == '\0')) {
                at++;
                at += strcspn(at, "\n");
        }
        return *at == '\0';
}

/* libpq keeps only the system's words; there may be those of many hosts. */
static int
system_code(const char *text, const char *from)
{
        static const int codes[] = {ECONNREFUSED, ENOENT,    EHOSTUNREACH, ENETUNREACH, ETIMEDOUT,     ECONNRESET,
                                    EACCES,       EHOSTDOWN, ENETDOWN,     EMFILE,      EADDRNOTAVAIL, EPIPE};

        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
                const char *words = strerror(codes[i]);

                for (const char *at = from != NULL ? from : text; (at = strstr(at, words)) != NULL; at++)
                        if (is_last(at + strlen(words)))
                                return -codes[i];
        }
        return GREEN_EDB;
}

/* hung_up: there was nothing more to be read. */
static int
connect_failed(green_db_link *link, PGconn *conn, bool hung_up)
{
        char text[2048], state[6] = "08001";
        const char *where;
        int code;

        snprintf(text, sizeof text, "%s", PQerrorMessage(conn));
        where = take_state(text, state);
        code = system_code(text, where);
        if (code != GREEN_EDB)
                memcpy(state, "08001", sizeof state);
        else if (where != NULL)
                code = green_db_sqlstate_code(state);
        else if (PQconnectionNeedsPassword(conn))
                code = GREEN_EDBLOGIN;
        else if (hung_up)
                code = GREEN_EDBLOST;
        if (code == GREEN_EDBLOGIN && where == NULL)
                memcpy(state, "28000", sizeof state);
        return green__pg_tell(link, code, state, text);
}

/* ---- connecting */

static bool
has_hung_up(green_fd fd)
{
        char byte;
        ssize_t n = recv((int)fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

        return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int
poll_until_there(green_db_link *link, struct pg_db *db)
{
        PostgresPollingStatusType status = PGRES_POLLING_WRITING;

        while (status != PGRES_POLLING_OK) {
                bool hung_up;
                int rc;

                db->fd = PQsocket(db->conn);
                rc = green_db_link_wait(link, db->fd, status == PGRES_POLLING_READING ? GREEN_READ : GREEN_WRITE);
                if (rc < 0)
                        return rc;
                hung_up = status == PGRES_POLLING_READING && has_hung_up(db->fd);
                /* It may close the socket and open another one, of the same number. */
                green_db_link_closing(link, db->fd);
                db->fd = GREEN_INVALID_FD;
                status = PQconnectPoll(db->conn);
                if (status == PGRES_POLLING_FAILED)
                        return connect_failed(link, db->conn, hung_up);
        }
        db->fd = PQsocket(db->conn);
        return 0;
}

static int
start(green_db_link *link, struct pg_db *db, const struct args *a)
{
        int rc;

        db->conn = PQconnectStartParams(a->keywords, a->values, 0);
        if (db->conn == NULL)
                return -ENOMEM;
        if (PQstatus(db->conn) == CONNECTION_BAD)
                return connect_failed(link, db->conn, false);
        PQsetNoticeReceiver(db->conn, green__pg_notice, db);
        PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
        rc = poll_until_there(link, db);
        if (rc != 0)
                return rc;
        PQsetErrorVerbosity(db->conn, PQERRORS_DEFAULT);
        green__pg_forget_notices(db);
        return PQsetnonblocking(db->conn, 1) == 0 ? 0 : green__pg_broken(link, db);
}

int
green__pg_connect(green_db_link *link, const struct green_db_params *params, void **ret_db)
{
        struct pg_db *db = green_calloc(1, sizeof *db);
        struct args a = {.n = 0};
        char port[16];
        int rc;

        if (db == NULL)
                return -ENOMEM;
        db->fd = GREEN_INVALID_FD;
        rc = fill_args(link, &a, params, port, sizeof port);
        if (rc == 0)
                rc = start(link, db, &a);
        release_args(&a);
        if (rc == 0)
                *ret_db = db;
        else
                green__pg_close(link, db);
        return rc;
}

/* ---- closing */

void
green__pg_close(green_db_link *link, void *vdb)
{
        struct pg_db *db = vdb;

        green_db_link_closing(link, db->fd);
        PQclear(db->held);
        if (db->copy_data != NULL)
                PQfreemem(db->copy_data);
        if (db->note != NULL)
                PQfreemem(db->note);
        /* It says good-bye, if the socket takes that at once. */
        PQfinish(db->conn);
        green__pg_forget_owed(db);
        green_free(db->preparing);
        green_free(db->forgetting);
        green__pg_forget_notices(db);
        green_free(db->scratch);
        green_free(db);
}

/* A notification may be waiting to be read, or why the server has gone. */
bool
green__pg_alive(void *vdb)
{
        enum { TRIES = 16 };
        struct pg_db *db = vdb;

        for (int i = 0; i < TRIES && PQstatus(db->conn) == CONNECTION_OK && !db->dying; i++) {
                char byte;
                ssize_t n = recv(PQsocket(db->conn), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

                if (n < 0)
                        return errno == EAGAIN || errno == EINTR;
                if (n == 0 || !PQconsumeInput(db->conn))
                        return false;
                (void)PQisBusy(db->conn); /* looks at what was read */
        }
        return PQstatus(db->conn) == CONNECTION_OK && !db->dying;
}
