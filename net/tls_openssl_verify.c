/*
 * Is the peer's certificate good? OpenSSL answers, then the application's callback, if there is one, has the last word.
 */
#include "tls_openssl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* As RFC 9525 has it: names stand in subjectAltName, and * is a whole label. */
#define HOST_FLAGS (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)

static int
code_of(int error)
{
        switch (error) {
        case X509_V_OK:
                return 0;
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
                return GREEN_ETLSEXPIRED;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
                return GREEN_ETLSHOST;
        case X509_V_ERR_CERT_REVOKED:
                return GREEN_ETLSREVOKED;
        case X509_V_ERR_OUT_OF_MEM:
                return -ENOMEM;
        default:
                return GREEN_ETLSVERIFY;
        }
}

/* X509_STORE_CTX_set_verify_cb(): revoked is what a CRL that is there says; not every authority needs to have one. */
static int
each_step(int good, X509_STORE_CTX *store_ctx)
{
        if (!good && X509_STORE_CTX_get_error(store_ctx) == X509_V_ERR_UNABLE_TO_GET_CRL) {
                X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
                return 1;
        }
        return good;
}

static void
say_why(struct green__ossl_conn *conn, X509_STORE_CTX *store_ctx, int error)
{
        char why[200];
        int depth = X509_STORE_CTX_get_error_depth(store_ctx);
        const char *text = X509_verify_cert_error_string(error);

        if (depth > 0)
                snprintf(why, sizeof why, "the peer's certificate: %s (%d above it)", text, depth);
        else
                snprintf(why, sizeof why, "the peer's certificate: %s", text);
        green__ossl_say(conn, conn->verify_code, why);
}

/* The application's answer: 0 or a code. */
static int
ask(struct green__ossl_conn *conn, X509_STORE_CTX *store_ctx, int code)
{
        const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);
        struct green_tls_cert *cert = green__ossl_cert(X509_STORE_CTX_get0_cert(store_ctx));
        int depth = chain == NULL || sk_X509_num(chain) < 1 ? 0 : sk_X509_num(chain) - 1;
        int answer;

        if (cert == NULL)
                return -ENOMEM;
        answer = conn->context->verify_fn(cert, depth, code, conn->context->verify_arg);
        green__ossl_host.free(cert);
        /* These would mean something else to who calls handshake(). */
        if (answer == GREEN__TLS_WANT_READ || answer == GREEN__TLS_WANT_WRITE)
                return GREEN_ETLSVERIFY;
        return answer < 0 ? answer : 0;
}

int
green__ossl_verify(X509_STORE_CTX *store_ctx, void *unused)
{
        SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
        struct green__ossl_conn *conn = SSL_get_app_data(ssl);
        const struct green__ossl_context *context = conn->context;
        bool demanded = (conn->server ? context->server_verify : context->client_verify) != GREEN_TLS_VERIFY_NONE;
        int error = X509_V_OK, code, answer;

        (void)unused;
        if (demanded) {
                X509_STORE_CTX_set_verify_cb(store_ctx, each_step);
                if (X509_verify_cert(store_ctx) != 1)
                        error = X509_STORE_CTX_get_error(store_ctx);
        }
        ERR_clear_error();
        code = code_of(error);
        answer = context->verify_fn != NULL ? ask(conn, store_ctx, code) : code;
        conn->verify_code = answer;
        if (answer == 0) {
                conn->verified = demanded;
                X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
                return 1;
        }
        if (answer == code) {
                say_why(conn, store_ctx, error);
        } else {
                /* The alert follows from this. */
                X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_APPLICATION_VERIFICATION);
                green__ossl_say(conn, answer, "the peer's certificate: refused by the verify callback");
        }
        return 0;
}

int
green__ossl_verify_name(struct green__ossl_conn *conn, const char *name)
{
        X509_VERIFY_PARAM *param = SSL_get0_param(conn->ssl);

        if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
                return 0;
        ERR_clear_error();
        X509_VERIFY_PARAM_set_hostflags(param, HOST_FLAGS);
        if (name[0] == '\0')
                return -EINVAL;
        return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 ? 0 : -ENOMEM;
}

bool
green__ossl_session_fits(const struct green__ossl_session *session, const char *name)
{
        X509 *x509 = SSL_SESSION_get0_peer(session->ssl_session);

        if (!session->verified)
                return false;
        if (name == NULL)
                return true;
        return x509 != NULL &&
               (X509_check_ip_asc(x509, name, 0) == 1 || X509_check_host(x509, name, 0, HOST_FLAGS, NULL) == 1);
}
