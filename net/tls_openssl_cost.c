/*
 * What the next step of a handshake may cost, in microseconds of a processor of 2020 or so: bounds, to choose between
 * here and the pool of OS threads. The signature decides, and that is a matter of the kind of key.
 */
#include "tls_openssl.h"

#include <openssl/evp.h>

/* A key pair and a shared secret on X25519 or P-256; a certificate's signature, or the chain of a peer with RSA or
 * P-256. */
enum { EXCHANGE = 150, VERIFY = 300, PARSE = 30 };

unsigned
green__ossl_sign_cost(EVP_PKEY *key)
{
        unsigned bits = key == NULL ? 0 : (unsigned)EVP_PKEY_get_bits(key);

        if (key == NULL)
                return 0;
        switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_EC:
                return bits <= 256 ? 50 : 1500; /* P-256 has a fast implementation of its own */
        case EVP_PKEY_ED25519:
                return 60;
        case EVP_PKEY_RSA:
        case EVP_PKEY_RSA_PSS:
                /* 2048: 600, and eight times as much for twice as many bits. */
                return (unsigned)(600.0 * bits / 2048 * bits / 2048 * bits / 2048) + 1;
        default:
                return 3000;
        }
}

static unsigned
server_cost(struct green__ossl_conn *conn)
{
        switch (SSL_get_state(conn->ssl)) {
        case TLS_ST_BEFORE:
        case TLS_ST_SR_CLNT_HELLO:
        case TLS_ST_SW_HELLO_REQ:
        case TLS_ST_SW_SRVR_HELLO: /* asked the client for another group */
        case TLS_ST_SW_CHANGE:     /* likewise */
                return EXCHANGE + conn->context->sign_cost;
        default:
                if (conn->context->server_verify != GREEN_TLS_VERIFY_NONE)
                        return EXCHANGE + VERIFY;
                return SSL_version(conn->ssl) == TLS1_3_VERSION ? PARSE : EXCHANGE;
        }
}

static unsigned
client_cost(struct green__ossl_conn *conn)
{
        switch (SSL_get_state(conn->ssl)) {
        case TLS_ST_BEFORE:
                return EXCHANGE;
        case TLS_ST_CW_FINISHED:
        case TLS_ST_CR_SESSION_TICKET:
        case TLS_ST_CR_CHANGE:
                return PARSE;
        default:
                return EXCHANGE + VERIFY + conn->context->sign_cost;
        }
}

unsigned
green__ossl_handshake_cost(void *arg)
{
        struct green__ossl_conn *conn = arg;

        if (conn->done || conn->failed != 0)
                return 0;
        return conn->server ? server_cost(conn) : client_cost(conn);
}
