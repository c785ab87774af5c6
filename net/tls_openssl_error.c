/*
 * OpenSSL's reasons as codes of green-net.
 */
#include "tls_openssl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

static int
code_of_ssl(int reason)
{
        if (reason > SSL_AD_REASON_OFFSET)
                return GREEN_ETLSALERT;
        switch (reason) {
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
                return GREEN_ETLSEOF;
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
                return GREEN_ETLSVERIFY;
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
                return GREEN_ETLSNOCERT;
        case SSL_R_INAPPROPRIATE_FALLBACK:
        case SSL_R_NO_APPLICATION_PROTOCOL:
        case SSL_R_NO_CIPHERS_AVAILABLE:
        case SSL_R_NO_PROTOCOLS_AVAILABLE:
        case SSL_R_NO_SHARED_CIPHER:
        case SSL_R_NO_SHARED_GROUPS:
        case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
        case SSL_R_NO_SUITABLE_GROUPS:
        case SSL_R_NO_SUITABLE_KEY_SHARE:
        case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_UNSUPPORTED_SSL_VERSION:
        case SSL_R_VERSION_TOO_HIGH:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_WRONG_SSL_VERSION:
                return GREEN_ETLSAGREE;
        case SSL_R_PROTOCOL_IS_SHUTDOWN:
                return -EPIPE;
        case ERR_R_INTERNAL_ERROR:
        case SSL_R_BAD_WRITE_RETRY:
        case SSL_R_SHUTDOWN_WHILE_IN_INIT:
                return GREEN_ETLS;
        default:
                return GREEN_ETLSPROTO;
        }
}

int
green__ossl_queue_code(char *why, size_t why_size)
{
        unsigned long error, chosen = 0;
        bool no_memory = false;

        /* The first of the TLS layer says most; others lie below it. */
        while ((error = ERR_get_error()) != 0) {
                if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
                        no_memory = true;
                if (chosen == 0 || (ERR_GET_LIB(chosen) != ERR_LIB_SSL && ERR_GET_LIB(error) == ERR_LIB_SSL))
                        chosen = error;
        }
        if (no_memory) {
                snprintf(why, why_size, "no memory");
                return -ENOMEM;
        }
        if (chosen == 0) {
                snprintf(why, why_size, "OpenSSL does not say why");
                return GREEN_ETLS;
        }
        if (ERR_GET_LIB(chosen) == ERR_LIB_SSL && ERR_GET_REASON(chosen) > SSL_AD_REASON_OFFSET) {
                snprintf(why, why_size, "the peer's alert: %s",
                         SSL_alert_desc_string_long(ERR_GET_REASON(chosen) - SSL_AD_REASON_OFFSET));
                return GREEN_ETLSALERT;
        }
        if (ERR_reason_error_string(chosen) != NULL)
                snprintf(why, why_size, "%s", ERR_reason_error_string(chosen));
        else
                ERR_error_string_n(chosen, why, why_size);
        return ERR_GET_LIB(chosen) == ERR_LIB_SSL ? code_of_ssl(ERR_GET_REASON(chosen)) : GREEN_ETLS;
}

int
green__ossl_say(struct green__ossl_conn *conn, int code, const char *why)
{
        size_t len = strlen(why) + 1;

        green__ossl_host.free(conn->why);
        conn->why = green__ossl_host.alloc(len);
        if (conn->why != NULL)
                memcpy(conn->why, why, len);
        conn->why_static = "no memory for the reason";
        return code;
}

int
green__ossl_fail(struct green__ossl_conn *conn, int code, const char *why)
{
        conn->failed = code;
        return green__ossl_say(conn, code, why);
}
