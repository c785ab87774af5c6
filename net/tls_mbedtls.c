/*
 * mbedTLS as a back end: connections. See tls_backend.h.
 *
 * mbedTLS allocates with calloc(); what is allocated here is the host's. A handshake is made state by state, so that
 * those that compute with keys can be announced before.
 */
#include "tls_mbedtls.h"

const struct green__tls_host *green__mbed_host;

static struct green__tls_host own_host;

static int
mbed_init(const struct green__tls_host *host)
{
        own_host = *host;
        green__mbed_host = &own_host;
        return MBED_INIT() ? 0 : GREEN_ETLS;
}

static const char *
mbed_version(void)
{
        static char text[32];

        snprintf(text, sizeof text, "mbedtls %u.%u.%u", mbedtls_version_get_number() >> 24,
                 mbedtls_version_get_number() >> 16 & 255, mbedtls_version_get_number() >> 8 & 255);
        return text;
}

/* ---- bytes */

static int
from_code(struct mbed_conn *c, ssize_t rc, int want)
{
        if (rc == -EAGAIN) {
                c->dry = true;
                return want;
        }
        c->io_code = (int)rc;
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int
bio_recv(void *arg, unsigned char *buf, size_t len)
{
        struct mbed_conn *c = arg;
        ssize_t n;

        if (c->head_at < c->head_len) {
                size_t have = c->head_len - c->head_at;

                if (have > len)
                        have = len;
                memcpy(buf, c->head + c->head_at, have);
                c->head_at += (unsigned)have;
                return (int)have;
        }
        n = c->bytes.recv(c->bytes.arg, buf, len);
        if (n > 0 && c->server && c->ssl.MBED(state) <= MBEDTLS_SSL_CLIENT_HELLO) {
                int rc = green__mbed_hello(c, c->ssl.MBED(in_hdr), c->ssl.MBED(in_left) + (size_t)n);

                if (rc != 0)
                        return from_code(c, rc, 0);
        }
        c->bytes_end = n == 0;
        return n >= 0 ? (int)n : from_code(c, n, MBEDTLS_ERR_SSL_WANT_READ);
}

static int
bio_send(void *arg, const unsigned char *buf, size_t len)
{
        struct mbed_conn *c = arg;
        ssize_t n = c->bytes.send(c->bytes.arg, buf, len);

        /* An alert in the clear says more than mbedTLS's code does. */
        if (len == 7 && buf[0] == MBEDTLS_SSL_MSG_ALERT && buf[5] == MBEDTLS_SSL_ALERT_LEVEL_FATAL)
                c->alert_sent = buf[6];
        return n >= 0 ? (int)n : from_code(c, n, MBEDTLS_ERR_SSL_WANT_WRITE);
}

/* ---- making */

char *
green__mbed_copy(const char *text)
{
        size_t size = strlen(text) + 1;
        char *copy = green__mbed_host->alloc(size);

        return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static void
mbed_conn_free(void *conn)
{
        struct mbed_conn *c = conn;

        mbedtls_ssl_free(&c->ssl);
        green__mbed_host->free(c->verify_name);
        green__mbed_host->free(c->session_name);
        green__mbed_host->free(c->sni);
        green__mbed_host->free(c);
}

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
static void export_keys(void *arg, mbedtls_ssl_key_export_type type, const unsigned char *secret, size_t len,
                        const unsigned char client_random[32], const unsigned char server_random[32],
                        mbedtls_tls_prf_types prf);
#endif

static int
set_up(struct mbed_conn *c, const struct green__tls_conn_config *config)
{
        int ret = mbedtls_ssl_setup(&c->ssl, config->server ? &c->context->server : &c->context->client);
        int rc;

        if (ret == 0 && !config->server)
                ret = mbedtls_ssl_set_hostname(&c->ssl, config->server_name);
        if (ret != 0)
                return ret == MBEDTLS_ERR_SSL_BAD_INPUT_DATA ? -EINVAL : -ENOMEM;
        if (config->verify_name != NULL && (c->verify_name = green__mbed_copy(config->verify_name)) == NULL)
                return -ENOMEM;
        if (config->session != NULL && (rc = green__mbed_session_offer(c, config->session)) != 0)
                return rc;
        mbedtls_ssl_set_verify(&c->ssl, green__mbed_verify, c);
        mbedtls_ssl_set_bio(&c->ssl, c, bio_send, bio_recv, NULL);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
        /* Also without: the name that is asked for may lead to a context that has one. */
        mbedtls_ssl_set_export_keys_cb(&c->ssl, export_keys, c);
#endif
        return 0;
}

static int
mbed_conn_new(void *context, const struct green__tls_conn_config *config, void **ret_conn)
{
        struct mbed_conn *c = green__mbed_host->alloc(sizeof *c);
        int rc;

        if (c == NULL)
                return -ENOMEM;
        mbedtls_ssl_init(&c->ssl);
        c->context = context;
        c->bytes = config->bytes;
        c->server = config->server;
        c->alert_sent = -1;
        rc = set_up(c, config);
        if (rc != 0) {
                mbed_conn_free(c);
                return rc;
        }
        *ret_conn = c;
        return 0;
}

/* ---- the handshake */

enum { CHEAP = 50, COSTLY = 10000 };

#if MBED_HAS_1_3
/* The same for TLS 1.3. A client does not know yet which of them it is until it has read the server's first message. */
static bool
is_dear_1_3(const struct mbed_conn *c, bool *ret_reads)
{
        *ret_reads = !c->server;
        switch ((int)c->ssl.MBED(state)) {
        case MBEDTLS_SSL_SERVER_HELLO:
        case MBEDTLS_SSL_CERTIFICATE_VERIFY:
                return true;
        case MBEDTLS_SSL_SERVER_CERTIFICATE:
                return !c->server;
        case MBEDTLS_SSL_CLIENT_CERTIFICATE:
                *ret_reads = c->server;
                return c->server && c->context->server_verify != GREEN_TLS_VERIFY_NONE;
        case MBEDTLS_SSL_CLIENT_CERTIFICATE_VERIFY:
                *ret_reads = c->server;
                return true;
        default:
                return false;
        }
}
#endif

/* Does the state that comes next compute with keys? And does it begin with a message of the peer? */
static bool
is_dear(const struct mbed_conn *c, bool *ret_reads)
{
#if MBED_HAS_1_3
        if (MBED_IS_1_3(&c->ssl))
                return is_dear_1_3(c, ret_reads);
#endif
        switch ((int)c->ssl.MBED(state)) {
        case MBEDTLS_SSL_SERVER_CERTIFICATE:
                *ret_reads = true;
                return !c->server;
        case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
                *ret_reads = !c->server;
                return true;
        case MBEDTLS_SSL_CLIENT_CERTIFICATE:
                *ret_reads = true;
                return c->server && c->context->server_verify != GREEN_TLS_VERIFY_NONE;
        case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
        case MBEDTLS_SSL_CERTIFICATE_VERIFY:
                *ret_reads = c->server;
                return true;
        default:
                *ret_reads = false;
                return false;
        }
}

/* Is there a byte of the next message? A dear step without one would have been announced for nothing. */
static bool
has_begun(struct mbed_conn *c)
{
        ssize_t n;

        if (c->head_at < c->head_len || mbedtls_ssl_check_pending(&c->ssl))
                return true;
        n = c->bytes.recv(c->bytes.arg, c->head, sizeof c->head);
        c->head_at = 0;
        c->head_len = n > 0 ? (unsigned)n : 0;
        /* The end, and a failure, come again when the step asks. */
        return n != -EAGAIN;
}

static int
steps(struct mbed_conn *c)
{
        bool announced = c->paused, reads;

        c->paused = false;
        while (c->ssl.MBED(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
                int ret;

                if (!announced && is_dear(c, &reads)) {
                        if (!reads || has_begun(c)) {
                                c->paused = true;
                                return GREEN__TLS_WANT_WRITE;
                        }
                        /* What mbedTLS has not sent yet goes with the next step, which then finds nothing to read. */
                        if (c->ssl.MBED(out_left) == 0)
                                return GREEN__TLS_WANT_READ;
                }
                c->full |= c->ssl.MBED(state) == MBEDTLS_SSL_SERVER_CERTIFICATE;
                ret = mbedtls_ssl_handshake_step(&c->ssl);
                /* It was announced already. */
                if (ret == MBEDTLS_ERR_SSL_WANT_READ)
                        return GREEN__TLS_WANT_READ;
                if (ret == MBEDTLS_ERR_SSL_WANT_WRITE)
                        return GREEN__TLS_WANT_WRITE;
                /* mbedTLS 2.28 goes without a word. */
                if (ret == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE && c->alert_sent < 0 && MBED_ALERT(c->ssl) < 0)
                        (void)mbedtls_ssl_send_alert_message(&c->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                                             MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
                if (ret != 0)
                        return green__mbed_code(c, ret);
        }
        return 0;
}

static int
mbed_handshake(void *conn)
{
        struct mbed_conn *c = conn;
        int code;

        if (c->failed != 0 || c->done)
                return c->failed;
        code = steps(c);
        c->done = code == 0;
        if (code != GREEN__TLS_WANT_READ && code != GREEN__TLS_WANT_WRITE)
                c->failed = code;
        return code;
}

static unsigned
mbed_handshake_cost(void *conn)
{
        const struct mbed_conn *c = conn;

        return c->done ? 0 : c->paused ? COSTLY : CHEAP;
}

/* ---- records */

/* Look at what comes next. mbedTLS has no such call, but one that makes it ready. */
static int
peek(struct mbed_conn *c, void *buf, size_t len)
{
        int ret = c->ssl.MBED(in_offt) == NULL ? mbedtls_ssl_read(&c->ssl, NULL, 0) : 0;
        size_t have = mbedtls_ssl_get_bytes_avail(&c->ssl);

        if (ret != 0 || have == 0)
                return ret;
        if (have > len)
                have = len;
        memcpy(buf, c->ssl.MBED(in_offt), have);
        return (int)have;
}

static int
say(struct mbed_conn *c, int code, const char *text)
{
        snprintf(c->why_text, sizeof c->why_text, "%s", text);
        return code;
}

/* Is the connection one that data can go through? 0 or a code. */
static int
usable(struct mbed_conn *c)
{
        if (c->failed != 0 || c->done)
                return c->failed;
        return say(c, GREEN_ETLS, "the handshake is not made yet");
}

/* What a call has met is the end of the connection, unless it came from below: that is one half's. */
static int
fail(struct mbed_conn *c, int ret)
{
        bool below = c->io_code != 0;
        int code = green__mbed_code(c, ret);

        if (!below)
                c->failed = code;
        return code;
}

/* Nothing more is to be read: 0 or a code, now and later. */
static int
end_reading(struct mbed_conn *c, int code)
{
        c->read_over = true;
        c->read_code = code;
        return code;
}

static ssize_t
mbed_read(void *conn, void *buf, size_t len, bool is_peek)
{
        /* Records without data that one call takes before it has had enough of it. */
        enum { ROUNDS = 32 };
        struct mbed_conn *c = conn;
        int code = usable(c);

        if (code != 0 || len == 0)
                return code;
        if (c->read_over)
                return c->read_code;
        for (int round = 0; round < ROUNDS; round++) {
                int ret;

                c->dry = c->bytes_end = false;
                ret = is_peek ? peek(c, buf, len) : mbedtls_ssl_read(&c->ssl, buf, len);
                if (ret > 0)
                        return ret;
                if (ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
                        return end_reading(c, 0);
                if (ret == MBEDTLS_ERR_SSL_WANT_WRITE)
                        return GREEN__TLS_WANT_WRITE;
                if (ret == MBEDTLS_ERR_SSL_CONN_EOF || (ret == 0 && c->bytes_end))
                        return end_reading(c, green__mbed_code(c, MBEDTLS_ERR_SSL_CONN_EOF));
                /* It says so too after a record without data, such as a session ticket; or 0. */
                if (ret == MBEDTLS_ERR_SSL_WANT_READ && c->dry)
                        return GREEN__TLS_WANT_READ;
                c->has_ticket |= MBED_HAS_1_3 && ret == MBED_GOT_TICKET;
                if (ret != 0 && ret != MBEDTLS_ERR_SSL_WANT_READ && ret != MBED_GOT_TICKET)
                        return fail(c, ret);
        }
        c->failed = GREEN_ETLSPROTO;
        return say(c, GREEN_ETLSPROTO, "too many records without data");
}

/* mbedtls_ssl_write(), which also takes in a ticket whose turn it is. */
static int
write_once(struct mbed_conn *c, const void *buf, size_t len)
{
        int ret;

        do {
                /* A read has sent the rest of the record. */
                if (c->writing && c->ssl.MBED(out_left) == 0)
                        return (int)(len < c->record ? len : c->record);
                ret = mbedtls_ssl_write(&c->ssl, buf, len);
        } while (MBED_HAS_1_3 && ret == MBED_GOT_TICKET && (c->has_ticket = true));
        return ret;
}

static ssize_t
mbed_write(void *conn, const void *buf, size_t len)
{
        struct mbed_conn *c = conn;
        int ret = usable(c);

        if (ret != 0 || len == 0)
                return ret;
        if (c->leaving)
                return say(c, -EPIPE, "close_notify was sent");
        /* An alert is half sent: mbedTLS would send the rest of that, and say that it was the caller's. */
        if (!c->writing && c->ssl.MBED(out_left) != 0 && (ret = write_once(c, buf, len)) < 0)
                return ret == MBEDTLS_ERR_SSL_WANT_WRITE ? GREEN__TLS_WANT_WRITE : fail(c, ret);
        if (!c->writing && (ret = mbedtls_ssl_get_max_out_record_payload(&c->ssl)) > 0)
                c->record = (size_t)ret;
        ret = write_once(c, buf, len);
        c->writing = ret < 0 && c->ssl.MBED(out_left) != 0;
        if (ret >= 0)
                return ret;
        if (ret == MBEDTLS_ERR_SSL_WANT_READ)
                return GREEN__TLS_WANT_READ;
        return ret == MBEDTLS_ERR_SSL_WANT_WRITE ? GREEN__TLS_WANT_WRITE : fail(c, ret);
}

static int
mbed_shutdown(void *conn)
{
        struct mbed_conn *c = conn;
        int ret = usable(c);

        if (ret != 0 || c->said_goodbye)
                return ret;
        /* As long as a record is half sent this sends the rest of that only. */
        if (!c->leaving && c->ssl.MBED(out_left) != 0)
                ret = mbedtls_ssl_close_notify(&c->ssl);
        if (ret == 0) {
                c->leaving = true;
                ret = mbedtls_ssl_close_notify(&c->ssl);
        }
        if (ret == MBEDTLS_ERR_SSL_WANT_WRITE)
                return GREEN__TLS_WANT_WRITE;
        c->said_goodbye = ret == 0;
        return ret == 0 ? 0 : fail(c, ret);
}

static size_t
mbed_pending(void *conn)
{
        const struct mbed_conn *c = conn;

        return c->done && c->failed == 0 ? mbedtls_ssl_get_bytes_avail(&c->ssl) : 0;
}

/* It reads no further than to the end of a record. */
static size_t
mbed_leftover(void *conn, void *buf, size_t len)
{
        (void)conn;
        (void)buf;
        (void)len;
        return 0;
}

static const char *
mbed_why(void *conn)
{
        const struct mbed_conn *c = conn;

        return c->why_text;
}

/* ---- questions */

static const char *
mbed_conn_version(void *conn)
{
        const struct mbed_conn *c = conn;

        return c->done ? mbedtls_ssl_get_version(&c->ssl) : NULL;
}

/* "TLS-ECDHE-..." is the registry's "TLS_ECDHE_...", and "TLS1-3-..." its "TLS_...". */
static const char *
mbed_conn_cipher(void *conn)
{
        struct mbed_conn *c = conn;
        const char *name = c->done ? mbedtls_ssl_get_ciphersuite(&c->ssl) : NULL;

        if (name == NULL)
                return NULL;
        if (strncmp(name, "TLS1-3-", 7) == 0)
                snprintf(c->cipher, sizeof c->cipher, "TLS_%s", name + 7);
        else
                snprintf(c->cipher, sizeof c->cipher, "%s", name);
        for (char *p = c->cipher; *p != '\0'; p++)
                if (*p == '-')
                        *p = '_';
        return c->cipher;
}

static const char *
mbed_conn_alpn(void *conn)
{
        const struct mbed_conn *c = conn;

        return c->done ? mbedtls_ssl_get_alpn_protocol(&c->ssl) : NULL;
}

static const char *
mbed_conn_sni(void *conn)
{
        const struct mbed_conn *c = conn;

        return c->sni;
}

static bool
mbed_conn_resumed(void *conn)
{
        const struct mbed_conn *c = conn;

        return c->done && !c->full;
}

static struct green_tls_cert *
mbed_conn_peer_cert(void *conn)
{
        const struct mbed_conn *c = conn;
        const mbedtls_x509_crt *crt = c->done ? mbedtls_ssl_get_peer_cert(&c->ssl) : NULL;

        if (crt != NULL)
                return green__mbed_cert(crt);
        errno = ENOENT;
        return NULL;
}

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
/* What a secret is called in the log; NULL: it is not logged. */
static const char *
label_of(mbedtls_ssl_key_export_type type)
{
        switch ((int)type) {
        case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET:
                return "CLIENT_RANDOM";
#if MBED_HAS_1_3
        case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET:
                return "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
        case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET:
                return "SERVER_HANDSHAKE_TRAFFIC_SECRET";
        case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET:
                return "CLIENT_TRAFFIC_SECRET_0";
        case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET:
                return "SERVER_TRAFFIC_SECRET_0";
#endif
        default:
                return NULL;
        }
}

static void
export_keys(void *arg, mbedtls_ssl_key_export_type type, const unsigned char *secret, size_t len,
            const unsigned char client_random[32], const unsigned char server_random[32], mbedtls_tls_prf_types prf)
{
        const struct mbed_conn *c = arg;
        const char *label = label_of(type);
        char line[32 + 2 * 32 + 2 + 2 * 64 + 1];
        int at;

        (void)server_random;
        (void)prf;
        if (c->context->keylog == NULL || label == NULL || len > 64)
                return;
        at = snprintf(line, sizeof line, "%s ", label);
        for (size_t i = 0; i < 32; i++)
                at += snprintf(line + at, sizeof line - (size_t)at, "%02x", client_random[i]);
        line[at++] = ' ';
        for (size_t i = 0; i < len; i++)
                at += snprintf(line + at, sizeof line - (size_t)at, "%02x", secret[i]);
        c->context->keylog(line, c->context->keylog_arg);
}
#endif

static const struct green__tls_backend table = {
        .abi = GREEN__TLS_ABI,
        .size = sizeof table,
        .name = "mbedtls",
        .init = mbed_init,
        .version = mbed_version,
        .context_new = green__mbed_context_new,
        .context_free = green__mbed_context_free,
        .conn_new = mbed_conn_new,
        .conn_free = mbed_conn_free,
        .handshake = mbed_handshake,
        .handshake_cost = mbed_handshake_cost,
        .read = mbed_read,
        .write = mbed_write,
        .shutdown = mbed_shutdown,
        .pending = mbed_pending,
        .leftover = mbed_leftover,
        .why = mbed_why,
        .conn_version = mbed_conn_version,
        .conn_cipher = mbed_conn_cipher,
        .conn_alpn = mbed_conn_alpn,
        .conn_sni = mbed_conn_sni,
        .conn_resumed = mbed_conn_resumed,
        .conn_peer_cert = mbed_conn_peer_cert,
        .session_get = green__mbed_session_get,
        .session_free = green__mbed_session_free,
};

const struct green__tls_backend *const green__tls_builtin = &table;
