/* What the programs on bare mbedTLS share. */
#ifndef BENCH_MBEDTLS_H
#define BENCH_MBEDTLS_H

#include "bench_net.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

static const int bench_ciphers[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};

static inline int
bench_entropy(void *arg, unsigned char *buf, size_t len)
{
        (void)arg;
        for (size_t at = 0; at < len; at += 256)
                bench_check(getentropy(buf + at, len - at < 256 ? len - at : 256) == 0, "getentropy");
        return 0;
}

static inline int
bench_bio_recv(void *arg, unsigned char *buf, size_t len)
{
        ssize_t n = recv(*(int *)arg, buf, len, 0);

        return n >= 0 ? (int)n : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static inline int
bench_bio_send(void *arg, const unsigned char *buf, size_t len)
{
        ssize_t n = send(*(int *)arg, buf, len, MSG_NOSIGNAL);

        return n >= 0 ? (int)n : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static inline void
bench_tls_defaults(mbedtls_ssl_config *conf, int endpoint)
{
        mbedtls_ssl_config_init(conf);
        bench_check(mbedtls_ssl_config_defaults(conf, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                                MBEDTLS_SSL_PRESET_DEFAULT) == 0,
                    "config");
        mbedtls_ssl_conf_rng(conf, bench_entropy, NULL);
        mbedtls_ssl_conf_ciphersuites(conf, bench_ciphers);
}

#endif
