/*
 * A context: one SSL_CTX, for clients and servers.
 */
#include "tls_openssl.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/rand.h>

enum { SID = 16 };

/* What is the same for all. */
static int
set_up(SSL_CTX *ssl_ctx)
{
        /* 2: RSA from 2048 bits on, no SHA-1. The system's configuration may ask for more. */
        if (SSL_CTX_get_security_level(ssl_ctx) < 2)
                SSL_CTX_set_security_level(ssl_ctx, 2);
        SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                             SSL_OP_PRIORITIZE_CHACHA);
        SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        /* read() tries again itself, a limited number of times. */
        SSL_CTX_clear_mode(ssl_ctx, SSL_MODE_AUTO_RETRY);
        /* Servers remember nothing: what there is to know of a session is in its ticket. */
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_read_ahead(ssl_ctx, 0); /* see tls_openssl_bio.c */
        /*
         * Without the groups of finite fields, with which a client makes a server work more than it works itself. Under
         * FIPS there is no X25519.
         */
        if (SSL_CTX_set1_groups_list(ssl_ctx, "X25519:P-256:P-384") == 1)
                return 1;
        ERR_clear_error();
        return SSL_CTX_set1_groups_list(ssl_ctx, "P-256:P-384");
}

static int
set_versions(SSL_CTX *ssl_ctx, const struct green__tls_config *config)
{
        int least = config->min_version == GREEN_TLS_ANY ? TLS1_2_VERSION : (int)config->min_version;
        int most = config->max_version == GREEN_TLS_ANY ? 0 : (int)config->max_version;

        if (least < TLS1_2_VERSION || least > TLS1_3_VERSION || (most != 0 && (most < least || most > TLS1_3_VERSION)))
                return -EINVAL;
        /* The system's configuration may ask for more. */
        if (config->min_version == GREEN_TLS_ANY && SSL_CTX_get_min_proto_version(ssl_ctx) > least &&
            (most == 0 || most >= SSL_CTX_get_min_proto_version(ssl_ctx)))
                least = (int)SSL_CTX_get_min_proto_version(ssl_ctx);
        if (SSL_CTX_set_min_proto_version(ssl_ctx, least) != 1 || SSL_CTX_set_max_proto_version(ssl_ctx, most) != 1)
                return -EINVAL;
        return 0;
}

/* The context whose sessions this one goes on with. */
static const struct green__ossl_context *
previous(const struct green__tls_config *config)
{
        size_t end = offsetof(struct green__tls_config, previous) + sizeof config->previous;

        return config->size >= end ? config->previous : NULL;
}

static int
set_tickets(struct green__ossl_context *context, const struct green__tls_config *config)
{
        const struct green__ossl_context *old = previous(config);
        unsigned char sid[SID];

        if (config->tickets) {
                context->tickets = old != NULL && old->tickets != NULL
                                           ? green__ossl_tickets_ref(old->tickets)
                                           : green__ossl_tickets_new(config->ticket_lifetime);
                /* One is enough: it can be used more than once. */
                SSL_CTX_set_num_tickets(context->ssl_ctx, 1);
                return context->tickets == NULL ? -ENOMEM : green__ossl_tickets_use(context->ssl_ctx, context->tickets);
        }
        if (RAND_bytes(sid, sizeof sid) != 1 || SSL_CTX_set_session_id_context(context->ssl_ctx, sid, sizeof sid) != 1)
                return GREEN_ETLS;
        return 0;
}

static int
fill(struct green__ossl_context *context, const struct green__tls_config *config, char *why, size_t why_size)
{
        int code;

        context->ssl_ctx = SSL_CTX_new(TLS_method());
        if (context->ssl_ctx == NULL || set_up(context->ssl_ctx) != 1)
                return green__ossl_queue_code(why, why_size);
        SSL_CTX_set_app_data(context->ssl_ctx, context);
        SSL_CTX_set_cert_verify_callback(context->ssl_ctx, green__ossl_verify, NULL);
        X509_STORE_set_flags(SSL_CTX_get_cert_store(context->ssl_ctx), X509_V_FLAG_PARTIAL_CHAIN);
        code = set_versions(context->ssl_ctx, config);
        if (code != 0) {
                snprintf(why, why_size, "versions: there are TLS 1.2 and TLS 1.3");
                return code;
        }
        code = green__ossl_ciphers(context->ssl_ctx, config->ciphers, why, why_size);
        if (code == 0)
                code = green__ossl_pem_load(context->ssl_ctx, config, why, why_size);
        if (code != 0)
                return code;
        context->sign_cost = green__ossl_sign_cost(SSL_CTX_get0_privatekey(context->ssl_ctx));
        code = config->alpn != NULL ? green__ossl_alpn_copy(context, config->alpn) : 0;
        if (code != 0) {
                snprintf(why, why_size, code == -ENOMEM ? "no memory" : "ALPN: names have 1 to 255 bytes");
                return code;
        }
        if (context->alpn != NULL &&
            SSL_CTX_set_alpn_protos(context->ssl_ctx, context->alpn_wire, context->alpn_wire_len) != 0)
                return green__ossl_queue_code(why, why_size);
        green__ossl_hello_callbacks(context);
        code = set_tickets(context, config);
        if (code != 0)
                snprintf(why, why_size, "session tickets: no keys can be made");
        return code;
}

int
green__ossl_context_new(const struct green__tls_config *config, void **ret_context, char *why, size_t why_size)
{
        struct green__ossl_context *context = green__ossl_host.alloc(sizeof *context);
        int code;

        ERR_clear_error();
        if (context == NULL) {
                snprintf(why, why_size, "no memory");
                return -ENOMEM;
        }
        context->client_verify = config->client_verify;
        context->server_verify = config->server_verify;
        context->verify_fn = config->verify_fn;
        context->verify_arg = config->verify_arg;
        context->sni_fn = config->sni_fn;
        context->sni_arg = config->sni_arg;
        context->keylog = config->keylog;
        context->keylog_arg = config->keylog_arg;
        code = fill(context, config, why, why_size);
        ERR_clear_error();
        if (code != 0)
                green__ossl_context_free(context);
        else
                *ret_context = context;
        return code;
}

void
green__ossl_context_free(void *arg)
{
        struct green__ossl_context *context = arg;

        if (context == NULL)
                return;
        SSL_CTX_free(context->ssl_ctx);
        green__ossl_tickets_unref(context->tickets);
        green__ossl_host.free(context->alpn);
        green__ossl_host.free(context);
}

void
green__ossl_context_apply(struct green__ossl_conn *conn)
{
        const struct green__ossl_context *context = conn->context;
        enum green_tls_verify verify = conn->server ? context->server_verify : context->client_verify;
        int mode = SSL_VERIFY_NONE;

        if (conn->server && verify == GREEN_TLS_VERIFY_REQUIRED)
                mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        else if (conn->server && verify == GREEN_TLS_VERIFY_OPTIONAL)
                mode = SSL_VERIFY_PEER;
        else if (!conn->server && (verify != GREEN_TLS_VERIFY_NONE || context->verify_fn != NULL))
                mode = SSL_VERIFY_PEER;
        SSL_set_verify(conn->ssl, mode, NULL);
        /* Here, as the name a client asks for may lead to a context without tickets. */
        if (conn->server && context->tickets == NULL) {
                SSL_set_options(conn->ssl, SSL_OP_NO_TICKET);
                SSL_set_num_tickets(conn->ssl, 0);
        }
}
