/*
 * mbedTLS as a back end: what its codes mean. See tls_backend.h.
 */
#include "tls_mbedtls.h"

static const char *
alert_text(int alert)
{
        switch (alert) {
        case MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE:
                return "unexpected message";
        case MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC:
                return "bad record";
        case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
                return "handshake failure: nothing that both sides know";
        case MBEDTLS_SSL_ALERT_MSG_BAD_CERT:
                return "bad certificate";
        case MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT:
                return "unsupported certificate";
        case MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED:
                return "certificate revoked";
        case MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED:
                return "certificate expired";
        case MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN:
                return "certificate not accepted";
        case MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER:
                return "illegal parameter";
        case MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA:
                return "unknown CA: it does not trust our certificate";
        case MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED:
                return "access denied";
        case MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR:
                return "decode error";
        case MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR:
                return "decrypt error";
        case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION:
                return "no version of TLS that both sides know";
        case MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR:
                return "internal error";
        case MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME:
                return "unrecognized name";
        case MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL:
                return "no application protocol that both sides know";
        case 116:
                return "certificate required";
        default:
                return "alert";
        }
}

static int
tell(struct mbed_conn *c, int code, const char *text)
{
        snprintf(c->why_text, sizeof c->why_text, "%s", text);
        return code;
}

/* With mbedTLS's own words. */
static int
tell_detail(struct mbed_conn *c, int code, const char *text, int ret)
{
        char detail[120];

        mbedtls_strerror(ret, detail, sizeof detail);
        snprintf(c->why_text, sizeof c->why_text, "%s: %s", text, detail);
        return code;
}

/* What we have told the peer says what went wrong. */
static int
by_our_alert(struct mbed_conn *c, int ret)
{
        switch (c->alert_sent >= 0 ? c->alert_sent : MBED_ALERT(c->ssl)) {
        case MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL:
                return tell(c, GREEN_ETLSAGREE, "no application protocol that both sides know");
        case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION:
                return tell(c, GREEN_ETLSAGREE, "no version of TLS that both sides know");
        case MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT:
                return tell(c, GREEN_ETLSVERIFY, "the certificate is not meant for this use");
        case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
                return tell_detail(c, GREEN_ETLSAGREE, "nothing that both sides know", ret);
        default:
                return tell_detail(c, GREEN_ETLSPROTO, "what came breaks the rules of TLS", ret);
        }
}

static int
gave_up(struct mbed_conn *c, int alert)
{
        snprintf(c->why_text, sizeof c->why_text, "the peer gave up: %s (%d)", alert_text(alert), alert);
        return GREEN_ETLSALERT;
}

/*
 * TLS 1.3: a client that has not taken up its keys yet gives up in the clear, which mbedTLS does not take for an alert. It
 * has failed either way; this is only the better reason.
 */
static bool
is_plain_alert(const struct mbed_conn *c)
{
        static const unsigned char head[] = {MBEDTLS_SSL_MSG_ALERT, 3, 3, 0, 2, MBEDTLS_SSL_ALERT_LEVEL_FATAL};

        return !c->done && MBED_IS_1_3(&c->ssl) && memcmp(c->ssl.MBED(in_hdr), head, sizeof head) == 0;
}

static int
code_of(struct mbed_conn *c, int ret)
{
        if (is_plain_alert(c))
                return gave_up(c, c->ssl.MBED(in_hdr)[6]);
        switch (ret) {
        case MBEDTLS_ERR_SSL_CONN_EOF:
                return tell(c, GREEN_ETLSEOF, "the connection ended without a goodbye: what came may be cut short");
        case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
                return tell(c, GREEN_ETLSALERT, "the peer has said goodbye in the handshake");
        case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
                return gave_up(c, c->ssl.MBED(in_msg)[1]);
        case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        case MBEDTLS_ERR_X509_FATAL_ERROR:
                if (c->verify_code != 0)
                        return c->verify_code;
                return tell_detail(c, GREEN_ETLSVERIFY, "the certificate is not to be trusted", ret);
        case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE:
                return tell(c, GREEN_ETLSNOCERT, "the client gave no certificate");
        case MBED_ERR_VERSION:
                return tell(c, GREEN_ETLSAGREE, "no version of TLS that both sides know");
        case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        case MBEDTLS_ERR_X509_ALLOC_FAILED:
        case MBEDTLS_ERR_PK_ALLOC_FAILED:
        case MBEDTLS_ERR_MPI_ALLOC_FAILED:
        case MBEDTLS_ERR_ECP_ALLOC_FAILED:
                return tell(c, -ENOMEM, "memory ran out");
        default:
                return by_our_alert(c, ret);
        }
}

int
green__mbed_code(struct mbed_conn *c, int ret)
{
        if (c->io_code != 0) {
                int code = c->io_code;

                c->io_code = 0;
                return tell(c, code, code == -ENOMEM ? "memory ran out" : "the connection failed");
        }
        return code_of(c, ret);
}
