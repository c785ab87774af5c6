/*
 * What differs between mbedTLS 2.28 and 3.x.
 */
#ifndef GREEN_TLS_MBEDTLS_COMPAT_H
#define GREEN_TLS_MBEDTLS_COMPAT_H

#include <stdbool.h>

#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000

#define MBED(member) MBEDTLS_PRIVATE(member)
#define MBED_PARSE_KEY(pk, key, len, password, password_len, rng)                                                      \
        mbedtls_pk_parse_key((pk), (key), (len), (password), (password_len), (rng), NULL)
#define MBED_CHECK_PAIR(public, private, rng) mbedtls_pk_check_pair((public), (private), (rng), NULL)
#define MBED_SHA256(in, len, out) mbedtls_sha256((in), (len), (out), 0)
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define MBED_HAS_1_3 1
#else
#define MBED_HAS_1_3 0
#endif
#if MBED_HAS_1_3 || defined(MBEDTLS_USE_PSA_CRYPTO)
#include <psa/crypto.h>
#define MBED_INIT() (psa_crypto_init() == PSA_SUCCESS)
#else
#define MBED_INIT() true
#endif

#define MBED_ERR_VERSION MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION
#if MBED_HAS_1_3
#define MBED_GOT_TICKET MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
#define MBED_IS_1_3(ssl) (mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3)
#else
#define MBED_GOT_TICKET MBEDTLS_ERR_SSL_WANT_READ
#define MBED_IS_1_3(ssl) ((void)(ssl), false)
#endif
/* What was told, or is to be told, to the peer; -1: nothing is known of. */
#define MBED_ALERT(ssl) ((ssl).MBED(alert_reason) != 0 ? (int)(ssl).MBED(alert_type) : -1)
/* Each session is given once only, unless it is told that it was not. */
#define MBED_GIVE_SESSION_AGAIN(ssl) ((ssl).MBED(session)->MBED(exported) = 0)

static inline void
mbed_versions(mbedtls_ssl_config *conf, bool least_1_3, bool most_1_3)
{
        mbedtls_ssl_conf_min_tls_version(conf, least_1_3 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2);
        mbedtls_ssl_conf_max_tls_version(conf, most_1_3 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2);
}

/* Clients: take tickets, those of TLS 1.3 too, which a read then tells of. */
static inline void
mbed_take_tickets(mbedtls_ssl_config *conf)
{
        mbedtls_ssl_conf_session_tickets(conf, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#if MBED_HAS_1_3 && defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED)
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(conf,
                                                                 MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
}

/* Servers, before the client's first message is read: another configuration. */
static inline void
mbed_switch(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf)
{
        ssl->MBED(conf) = conf;
        ssl->MBED(tls_version) = conf->MBED(max_tls_version);
}

#else

#define MBED(member) member
#define MBED_PARSE_KEY(pk, key, len, password, password_len, rng)                                                      \
        mbedtls_pk_parse_key((pk), (key), (len), (password), (password_len))
#define MBED_CHECK_PAIR(public, private, rng) mbedtls_pk_check_pair((public), (private))
#define MBED_SHA256(in, len, out) mbedtls_sha256_ret((in), (len), (out), 0)
#define MBED_HAS_1_3 0
#define MBED_INIT() true
#define MBED_ERR_VERSION MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION
#define MBED_GOT_TICKET MBEDTLS_ERR_SSL_WANT_READ
#define MBED_IS_1_3(ssl) ((void)(ssl), false)
#define MBED_ALERT(ssl) ((void)(ssl), -1)
#define MBED_GIVE_SESSION_AGAIN(ssl) ((void)(ssl))

static inline void
mbed_versions(mbedtls_ssl_config *conf, bool least_1_3, bool most_1_3)
{
        (void)least_1_3;
        (void)most_1_3;
        mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
        mbedtls_ssl_conf_max_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
}

static inline void
mbed_take_tickets(mbedtls_ssl_config *conf)
{
        mbedtls_ssl_conf_session_tickets(conf, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
}

static inline void
mbed_switch(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf)
{
        ssl->conf = conf;
}

#endif
#endif
