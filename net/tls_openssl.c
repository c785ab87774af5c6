/*
 * The OpenSSL back end: a module, tls_openssl.so. What a connection does; its rules are in tls_openssl_context.c.
 *
 * OpenSSL is not told to clean up when the process exits: OS threads of the pool may be in the middle of a handshake
 * then.
 */
#include "tls_openssl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

/* Records without data, such as session tickets, that one call of read() takes before it has had enough of it. */
enum { ROUNDS = 32 };

struct green__tls_host green__ossl_host;
static char version_text[32];

static int
init(const struct green__tls_host *host)
{
        int code;

        if (host == NULL || host->size < sizeof *host)
                return GREEN_ETLSBACKEND;
        green__ossl_host = *host;
        if (OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) != 1)
                return GREEN_ETLSBACKEND;
        code = green__ossl_bio_init();
        ERR_clear_error();
        snprintf(version_text, sizeof version_text, "openssl %s", OpenSSL_version(OPENSSL_VERSION_STRING));
        return code;
}

static const char *
version(void)
{
        return version_text;
}

/* ---- one call of OpenSSL */

static void
begin(struct green__ossl_conn *conn)
{
        ERR_clear_error();
        conn->eof = conn->dry = false;
        conn->io_code = 0;
}

/* What a call that did not succeed says: 0 (close_notify came), WANT_READ, WANT_WRITE or a code. */
static int
outcome(struct green__ossl_conn *conn, int result)
{
        char why[200];
        int error = SSL_get_error(conn->ssl, result), code;

        if (error == SSL_ERROR_SSL) {
                code = green__ossl_queue_code(why, sizeof why);
                if (conn->verify_code == 0)
                        return green__ossl_fail(conn, code, why);
                conn->failed = conn->verify_code; /* its text is there */
                return conn->failed;
        }
        ERR_clear_error();
        /* The next ones break only their half of the connection. */
        if (conn->io_code != 0)
                return green__ossl_say(conn, conn->io_code, "the connection below TLS failed");
        switch (error) {
        case SSL_ERROR_WANT_READ:
                return GREEN__TLS_WANT_READ;
        case SSL_ERROR_WANT_WRITE:
        case SSL_ERROR_WANT_CLIENT_HELLO_CB: /* the name chose a context whose key costs more */
                return GREEN__TLS_WANT_WRITE;
        case SSL_ERROR_ZERO_RETURN:
                return 0;
        default:
                if (conn->eof)
                        return green__ossl_say(conn, GREEN_ETLSEOF, "the connection ended without close_notify");
                return green__ossl_say(conn, GREEN_ETLS, "a call that does not fit the state of the connection");
        }
}

/* ---- the life of a connection */

static void
conn_free(void *arg)
{
        struct green__ossl_conn *conn = arg;

        if (conn == NULL)
                return;
        if (conn->ssl != NULL) {
                /* Otherwise OpenSSL takes the session for a bad one, which somebody may have for later. */
                SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
                SSL_free(conn->ssl);
        }
        ERR_clear_error();
        green__ossl_host.free(conn->sni);
        green__ossl_host.free(conn->why);
        green__ossl_bio_drop(conn);
        green__ossl_host.free(conn);
}

static int
prepare_client(struct green__ossl_conn *conn, const struct green__tls_conn_config *config)
{
        const struct green__ossl_session *session = config->session;
        bool demanded = conn->context->client_verify != GREEN_TLS_VERIFY_NONE;
        int code = 0;

        SSL_set_connect_state(conn->ssl);
        if (config->server_name != NULL && SSL_set_tlsext_host_name(conn->ssl, config->server_name) != 1)
                return strlen(config->server_name) > 255 ? -EINVAL : -ENOMEM;
        if (demanded && config->verify_name != NULL)
                code = green__ossl_verify_name(conn, config->verify_name);
        /* The certificate is not looked at again when a session is taken up: it must have been good, for this name. */
        if (code == 0 && session != NULL && (!demanded || green__ossl_session_fits(session, config->verify_name)) &&
            SSL_set_session(conn->ssl, session->ssl_session) == 1)
                conn->verified = session->verified;
        return code;
}

static int
conn_new(void *context, const struct green__tls_conn_config *config, void **ret_conn)
{
        struct green__ossl_conn *conn = green__ossl_host.alloc(sizeof *conn);
        int code = -ENOMEM;

        if (conn == NULL)
                return -ENOMEM;
        ERR_clear_error();
        conn->context = context;
        conn->tickets = conn->context->tickets;
        conn->bytes = config->bytes;
        conn->server = config->server;
        conn->ssl = SSL_new(conn->context->ssl_ctx);
        if (conn->ssl == NULL || SSL_set_app_data(conn->ssl, conn) != 1 || green__ossl_bio_attach(conn) != 0)
                goto fail;
        green__ossl_context_apply(conn);
        code = 0;
        if (config->server)
                SSL_set_accept_state(conn->ssl);
        else
                code = prepare_client(conn, config);
        if (code != 0)
                goto fail;
        ERR_clear_error();
        *ret_conn = conn;
        return 0;

fail:
        conn_free(conn);
        return code;
}

static int
handshake(void *arg)
{
        struct green__ossl_conn *conn = arg;
        unsigned char scratch[GREEN__OSSL_AHEAD];
        int result, code;

        if (conn->failed != 0 || conn->done)
                return conn->failed;
        begin(conn);
        green__ossl_bio_lend(conn, scratch);
        result = SSL_do_handshake(conn->ssl);
        code = green__ossl_bio_settle(conn);
        if (code != 0) {
                ERR_clear_error();
                return code;
        }
        if (result == 1) {
                code = green__ossl_alpn_settled(conn);
                conn->done = code == 0;
                return code;
        }
        code = outcome(conn, result);
        if (code == 0)
                code = green__ossl_say(conn, GREEN_ETLSALERT, "the peer's alert: close notify");
        if (code != GREEN__TLS_WANT_READ && code != GREEN__TLS_WANT_WRITE)
                conn->failed = code;
        return code;
}

/* Is the connection one that data can go through? 0 or a code. */
static int
usable(struct green__ossl_conn *conn)
{
        if (conn->failed != 0 || conn->done)
                return conn->failed;
        return green__ossl_say(conn, GREEN_ETLS, "the handshake is not made yet");
}

static ssize_t
read_some(struct green__ossl_conn *conn, void *buf, size_t len, bool peek)
{
        size_t got;
        int code;

        for (int round = 0; round < ROUNDS; round++) {
                int result;

                begin(conn);
                result = peek ? SSL_peek_ex(conn->ssl, buf, len, &got) : SSL_read_ex(conn->ssl, buf, len, &got);
                if (result == 1)
                        return (ssize_t)got;
                code = outcome(conn, result);
                /* OpenSSL says WANT_READ after a record without data too. */
                if (code != GREEN__TLS_WANT_READ || conn->dry)
                        return code;
        }
        return green__ossl_fail(conn, GREEN_ETLSPROTO, "too many records without data");
}

static ssize_t
conn_read(void *arg, void *buf, size_t len, bool peek)
{
        struct green__ossl_conn *conn = arg;
        unsigned char scratch[GREEN__OSSL_AHEAD];
        ssize_t n = usable(conn);
        int code;

        if (n != 0 || len == 0)
                return n;
        green__ossl_bio_lend(conn, scratch);
        n = read_some(conn, buf, len, peek);
        code = green__ossl_bio_settle(conn);
        /* What was read is the caller's all the same. */
        return code != 0 && n < 0 ? code : n;
}

static ssize_t
conn_write(void *arg, const void *buf, size_t len)
{
        struct green__ossl_conn *conn = arg;
        int code = usable(conn), result;
        size_t put;

        if (code != 0 || len == 0)
                return code;
        if (conn->goodbye)
                return green__ossl_say(conn, -EPIPE, "close_notify was sent");
        begin(conn);
        result = SSL_write_ex(conn->ssl, buf, len, &put);
        if (result == 1)
                return (ssize_t)put;
        code = outcome(conn, result);
        return code != 0 ? code : green__ossl_say(conn, -EPIPE, "the connection is closed");
}

static int
conn_shutdown(void *arg)
{
        struct green__ossl_conn *conn = arg;
        int code = usable(conn), result;

        if (code != 0 || conn->goodbye)
                return code;
        begin(conn);
        result = SSL_shutdown(conn->ssl);
        if (result < 0)
                return outcome(conn, result);
        conn->goodbye = true;
        return 0;
}

static size_t
conn_pending(void *arg)
{
        struct green__ossl_conn *conn = arg;
        char byte;

        if (!conn->done || conn->failed != 0)
                return 0;
        if (SSL_pending(conn->ssl) == 0 && conn->ahead_begin < conn->ahead_end) {
                /* A whole record may lie in what was read ahead: this opens it. */
                conn->no_recv = true;
                (void)conn_read(conn, &byte, 1, true);
                conn->no_recv = false;
        }
        return (size_t)SSL_pending(conn->ssl);
}

static size_t
conn_leftover(void *arg, void *buf, size_t len)
{
        struct green__ossl_conn *conn = arg;
        size_t there = conn->ahead_end - conn->ahead_begin;

        if ((SSL_get_shutdown(conn->ssl) & SSL_RECEIVED_SHUTDOWN) == 0)
                return 0;
        if (there > len)
                there = len;
        if (there > 0)
                memcpy(buf, conn->ahead + conn->ahead_begin, there);
        conn->ahead_begin += (unsigned)there;
        return there;
}

static const char *
conn_why(void *arg)
{
        const struct green__ossl_conn *conn = arg;

        return conn->why != NULL ? conn->why : conn->why_static != NULL ? conn->why_static : "";
}

/* ---- questions */

static const char *
conn_version(void *arg)
{
        const struct green__ossl_conn *conn = arg;

        return conn->done ? SSL_get_version(conn->ssl) : NULL;
}

static const char *
conn_cipher(void *arg)
{
        const struct green__ossl_conn *conn = arg;

        return conn->done ? SSL_CIPHER_standard_name(SSL_get_current_cipher(conn->ssl)) : NULL;
}

static const char *
conn_alpn(void *arg)
{
        const struct green__ossl_conn *conn = arg;

        return conn->alpn;
}

static const char *
conn_sni(void *arg)
{
        const struct green__ossl_conn *conn = arg;

        return conn->sni;
}

static bool
conn_resumed(void *arg)
{
        const struct green__ossl_conn *conn = arg;

        return conn->done && SSL_session_reused(conn->ssl) == 1;
}

static struct green_tls_cert *
conn_peer_cert(void *arg)
{
        struct green__ossl_conn *conn = arg;
        X509 *x509 = conn->done ? SSL_get1_peer_certificate(conn->ssl) : NULL;
        struct green_tls_cert *cert;

        if (x509 == NULL) {
                errno = ENOENT;
                return NULL;
        }
        cert = green__ossl_cert(x509);
        X509_free(x509);
        if (cert == NULL)
                errno = ENOMEM;
        return cert;
}

static void
session_free(void *arg)
{
        struct green__ossl_session *session = arg;

        if (session == NULL)
                return;
        SSL_SESSION_free(session->ssl_session);
        green__ossl_host.free(session);
}

/* Under TLS 1.3 OpenSSL puts a session in place for each ticket that comes; before the first it cannot be resumed. */
static void *
session_get(void *arg)
{
        struct green__ossl_conn *conn = arg;
        SSL_SESSION *ssl_session = conn->done && !conn->server ? SSL_get1_session(conn->ssl) : NULL;
        struct green__ossl_session *session = NULL;

        if (ssl_session == NULL || SSL_SESSION_is_resumable(ssl_session) != 1) {
                SSL_SESSION_free(ssl_session);
                errno = ENOENT;
                return NULL;
        }
        session = green__ossl_host.alloc(sizeof *session);
        if (session == NULL) {
                SSL_SESSION_free(ssl_session);
                errno = ENOMEM;
                return NULL;
        }
        session->ssl_session = ssl_session;
        session->verified = conn->verified;
        return session;
}

extern GREEN_API const struct green__tls_backend green_tls_module;
const struct green__tls_backend green_tls_module = {
        .abi = GREEN__TLS_ABI,
        .size = sizeof(struct green__tls_backend),
        .name = "openssl",
        .init = init,
        .version = version,
        .context_new = green__ossl_context_new,
        .context_free = green__ossl_context_free,
        .conn_new = conn_new,
        .conn_free = conn_free,
        .handshake = handshake,
        .handshake_cost = green__ossl_handshake_cost,
        .read = conn_read,
        .write = conn_write,
        .shutdown = conn_shutdown,
        .pending = conn_pending,
        .leftover = conn_leftover,
        .why = conn_why,
        .conn_version = conn_version,
        .conn_cipher = conn_cipher,
        .conn_alpn = conn_alpn,
        .conn_sni = conn_sni,
        .conn_resumed = conn_resumed,
        .conn_peer_cert = conn_peer_cert,
        .session_get = session_get,
        .session_free = session_free,
};
