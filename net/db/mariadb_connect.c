/*
 * Connections: made, and closed.
 *
 * libmariadb looks names up by getaddrinfo(), which blocks. So it is given an address, and each one of a name in turn; the
 * name that a certificate must be for is put in its place later (maria_has_read()).
 */
#include "mariadb_priv.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <green/dns.h>
#include <green/park.h>

/* libmariadb exports it for its plug-ins, without a header. */
extern int ma_pvio_register_callback(my_bool on, void (*fn)(int mode, MYSQL *my, const unsigned char *bytes, size_t len));

/* libmariadb's stacks: TLS, and loading a plug-in for authentication, take more than its own 60 kB. */
enum { STACK = 256 * 1024 };

static int library_rc;

/* It has SIGPIPE ignored, which is not its business: it does not raise that, or is kept from it. */
static void
begin_library(void)
{
        struct sigaction before;
        bool known = sigaction(SIGPIPE, NULL, &before) == 0;

        library_rc = mysql_server_init(0, NULL, NULL);
        if (known)
                (void)sigaction(SIGPIPE, &before, NULL);
}

static void
begin_tls(void)
{
        (void)ma_pvio_register_callback(1, maria_has_read);
}

static void
set_text(MYSQL *my, enum mysql_option option, const char *value)
{
        if (value != NULL)
                (void)mysql_optionsv(my, option, (const void *)value);
}

static bool
wants_tls(const struct maria_config *c)
{
        return !c->no_tls && (c->tls || c->verify || c->ssl_ca != NULL || c->ssl_capath != NULL || c->ssl_cert != NULL ||
                              c->ssl_key != NULL || c->ssl_cipher != NULL || c->tls_version != NULL ||
                              c->tls_peer_fp != NULL || c->ssl_crl != NULL || c->ssl_crlpath != NULL);
}

static void
set_tls(struct maria *db)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        const struct maria_config *c = db->config;
        const my_bool on = 1, off = 0;
        MYSQL *my = &db->my;

        db->tls = wants_tls(c);
        if (!db->tls) {
                (void)mysql_optionsv(my, MYSQL_OPT_SSL_ENFORCE, &off);
                (void)mysql_optionsv(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
                return;
        }
        (void)pthread_once(&once, begin_tls);
        (void)mysql_optionsv(my, MYSQL_OPT_SSL_ENFORCE, &on);
        set_text(my, MYSQL_OPT_SSL_CA, c->ssl_ca);
        set_text(my, MYSQL_OPT_SSL_CAPATH, c->ssl_capath);
        set_text(my, MYSQL_OPT_SSL_CERT, c->ssl_cert);
        set_text(my, MYSQL_OPT_SSL_KEY, c->ssl_key);
        set_text(my, MYSQL_OPT_SSL_CIPHER, c->ssl_cipher);
        set_text(my, MYSQL_OPT_SSL_CRL, c->ssl_crl);
        set_text(my, MYSQL_OPT_SSL_CRLPATH, c->ssl_crlpath);
        set_text(my, MARIADB_OPT_TLS_VERSION, c->tls_version);
        set_text(my, MARIADB_OPT_TLS_PEER_FP, c->tls_peer_fp);
        if (c->verify || c->no_verify)
                (void)mysql_optionsv(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, c->verify ? &on : &off);
}

/* A MYSQL with its options: 0 or -ENOMEM. */
static int
begin(struct maria *db)
{
        const struct maria_config *c = db->config;
        const size_t stack = STACK;
        const unsigned int never = 0, infile = c->local_infile, tcp = MYSQL_PROTOCOL_TCP;
        MYSQL *my = &db->my;

        if (mysql_init(my) == NULL)
                return -ENOMEM;
        db->inited = true;
        if (mysql_optionsv(my, MYSQL_OPT_NONBLOCK, &stack) != 0)
                return -ENOMEM;
        (void)mysql_optionsv(my, MARIADB_OPT_IO_WAIT, maria_io_wait);
        (void)mysql_optionsv(my, MYSQL_OPT_CONNECT_TIMEOUT, &never);
        (void)mysql_optionsv(my, MYSQL_OPT_LOCAL_INFILE, &infile);
        if (c->host != NULL)
                (void)mysql_optionsv(my, MYSQL_OPT_PROTOCOL, &tcp);
        if (c->compress)
                (void)mysql_options(my, MYSQL_OPT_COMPRESS, NULL);
        if (c->max_allowed_packet != 0)
                (void)mysql_optionsv(my, MYSQL_OPT_MAX_ALLOWED_PACKET, &c->max_allowed_packet);
        set_text(my, MYSQL_SET_CHARSET_NAME, c->charset);
        set_text(my, MYSQL_INIT_COMMAND, c->init_command);
        set_text(my, MYSQL_PLUGIN_DIR, c->plugin_dir);
        set_text(my, MYSQL_DEFAULT_AUTH, c->default_auth);
        set_text(my, MYSQL_READ_DEFAULT_FILE, c->read_file);
        set_text(my, MYSQL_READ_DEFAULT_GROUP, c->read_group);
        set_tls(db);
        return 0;
}

/* "Can't connect to server on 'db.example' (111)": the number at its end. */
static int
number_in(const char *message)
{
        const char *at = strrchr(message, '(');
        int number = at != NULL ? atoi(at + 1) : 0;

        return number > 0 && number < 4096 ? number : 0;
}

static int
connect_code(unsigned number, const char *sqlstate, const char *message)
{
        switch (number) {
        case CR_CONNECTION_ERROR:
        case CR_CONN_HOST_ERROR:
        case CR_IPSOCK_ERROR:
        case CR_SOCKET_CREATE_ERROR: return number_in(message) != 0 ? -number_in(message) : GREEN_EDB;
        case CR_UNKNOWN_HOST: return GREEN_EAI_NONAME;
        default: return maria_code(number, sqlstate);
        }
}

static void
end_attempt(struct maria *db)
{
        maria_unwind(db);
        maria_end_library(db);
}

/* host: an address, or a name where that may block; "" for a Unix socket. */
static int
attempt(struct maria *db, const char *host)
{
        unsigned number;
        int rc = begin(db);

        if (rc == 0 && strlen(host) >= sizeof db->host)
                rc = green_db_link_fail(db->link, -EINVAL, 0, NULL, "the host's name is too long");
        if (rc == 0) {
                memcpy(db->host, host, strlen(host) + 1);
                db->greeted = false;
                db->cut = 0;
                rc = maria_call(db, maria_step_connect);
        }
        if (rc == 0 && db->ret.my != NULL)
                return 0;
        if (rc == 0)
                rc = db->cut; /* in the middle of a handshake */
        if (rc == 0) {
                number = mysql_errno(&db->my);
                rc = green_db_link_fail(db->link,
                                        connect_code(number, mysql_sqlstate(&db->my), mysql_error(&db->my)),
                                        (long)number, mysql_sqlstate(&db->my), "%s", mysql_error(&db->my));
        }
        end_attempt(db);
        return rc;
}

/* Each address in turn, until one is a server's. */
static int
attempt_each(struct maria *db, const struct green_addr *addrs, size_t n)
{
        int rc = GREEN_EAI_NONAME;

        for (size_t i = 0; i < n; i++) {
                char host[NI_MAXHOST];
                socklen_t size;
                const struct sockaddr *sa = green_addr_sockaddr(&addrs[i], &size);

                if (getnameinfo(sa, size, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
                        continue;
                rc = attempt(db, host);
                if (rc == 0 || db->cut != 0 || (rc != -ECONNREFUSED && rc != -ENETUNREACH && rc != -EHOSTUNREACH &&
                                                rc != -EADDRNOTAVAIL && rc != -ETIMEDOUT && rc != -EAFNOSUPPORT))
                        break;
        }
        return rc;
}

static bool
in_green_thread(void)
{
        green_thread *self = NULL;

        return green_park_check_mt(0, &self) == 0 && self != NULL;
}

int
maria_open(struct maria *db, green_db_link *link, struct maria_config *config)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct green_addr *addrs;
        size_t n;
        int rc;

        db->link = link;
        db->fd = -1;
        db->config = config;
        (void)pthread_once(&once, begin_library);
        if (library_rc != 0)
                return -ENOMEM;
        if (config->host == NULL)
                return attempt(db, "");
        db->name = config->host;
        if (!in_green_thread())
                return attempt(db, config->host);
        rc = green_dns_resolve(config->host, (int)config->port, AF_UNSPEC, &addrs, &n);
        if (rc != 0)
                return rc;
        rc = attempt_each(db, addrs, n);
        green_free(addrs);
        return rc;
}

int
maria_connect(green_db_link *link, const struct green_db_params *params, void **ret_db)
{
        struct maria_config *config;
        struct maria *db;
        int rc = maria_config_new(link, params, &config);

        if (rc != 0)
                return rc;
        db = green_calloc(1, sizeof *db);
        rc = db != NULL ? maria_open(db, link, config) : -ENOMEM;
        if (rc == 0) {
                *ret_db = db;
                return 0;
        }
        maria_config_free(config);
        green_free(db);
        return rc;
}

/* The rows of a statement in text form, where nobody reads them any more. */
static void
drop_rows(struct maria *db)
{
        if (db->res == NULL)
                return;
        db->res->handle = NULL; /* else it would read them off */
        mysql_free_result(db->res);
        db->res = NULL;
}

void
maria_shut(struct maria *db)
{
        maria_unwind(db);
        drop_rows(db);
        if (db->own != NULL)
                maria_bury(db, db->own);
        end_attempt(db);
        maria_free_graves(db);
        for (size_t i = 0; i < sizeof db->words / sizeof db->words[0]; i++)
                green_free(db->words[i]);
        green_free(db->text);
        green_free(db->values);
        green_free(db->names);
        green_free(db->texts);
        green_free(db->binds);
        green_free(db->lengths);
}

void
maria_close(green_db_link *link, void *data)
{
        struct maria *db = data;

        db->link = link;
        maria_shut(db);
        maria_config_free(db->config);
        green_free(db);
}
