/*
 * Certificates, keys and lists of revoked certificates from PEM in memory.
 */
#include "tls_openssl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* Where texts go that say why. */
struct why {
        char *text;
        size_t size;
};

/* The code of what is in OpenSSL's queue, with a text: "WHAT: reason". */
static int
complain(const struct why *why, const char *what)
{
        char reason[160];
        int code = green__ossl_queue_code(reason, sizeof reason);

        snprintf(why->text, why->size, "%s: %s", what, reason);
        return code == -ENOMEM ? -ENOMEM : GREEN_ETLSFILE;
}

static int
say(const struct why *why, const char *text)
{
        ERR_clear_error();
        snprintf(why->text, why->size, "%s", text);
        return GREEN_ETLSFILE;
}

/* Without a callback OpenSSL would ask the terminal. */
static int
password(char *buf, int size, int writing, void *text)
{
        size_t len = text == NULL ? 0 : strlen(text);

        (void)writing;
        if (text == NULL || size < 0 || len > (size_t)size)
                return -1;
        memcpy(buf, text, len);
        return (int)len;
}

/* pem_len counts the NUL. */
static BIO *
source(const char *pem, size_t pem_len)
{
        return BIO_new_mem_buf(pem, pem_len == 0 ? 0 : pem_len > INT_MAX ? INT_MAX : (int)(pem_len - 1));
}

/* Was the end of the text why nothing more was read? */
static bool
at_end(void)
{
        unsigned long error = ERR_peek_last_error();

        return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* Calls use() for each certificate: 0 or a code. It keeps what it is given, whatever it returns. */
static int
each_cert(const char *pem, size_t len, const char *what, int (*use)(SSL_CTX *, X509 *, unsigned n), SSL_CTX *ssl_ctx,
          const struct why *why)
{
        BIO *bio = source(pem, len);
        X509 *x509;
        unsigned n = 0;

        if (bio == NULL)
                return complain(why, what);
        while ((x509 = PEM_read_bio_X509(bio, NULL, password, NULL)) != NULL)
                if (use(ssl_ctx, x509, n++) != 1) {
                        BIO_free(bio);
                        return complain(why, what);
                }
        BIO_free(bio);
        if (!at_end())
                return complain(why, what);
        ERR_clear_error();
        if (n > 0)
                return 0;
        snprintf(why->text, why->size, "%s: no certificate in PEM format is in it", what);
        return GREEN_ETLSFILE;
}

static int
use_own(SSL_CTX *ssl_ctx, X509 *x509, unsigned n)
{
        int result;

        if (n == 0)
                result = SSL_CTX_use_certificate(ssl_ctx, x509);
        else if (SSL_CTX_add0_chain_cert(ssl_ctx, x509) == 1)
                return 1;
        else
                result = 0;
        X509_free(x509);
        return result;
}

static int
use_trusted(SSL_CTX *ssl_ctx, X509 *x509, unsigned n)
{
        int result = X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), x509);

        (void)n;
        X509_free(x509);
        return result;
}

/* Servers tell clients whose certificates they take. */
static int
use_client_ca(SSL_CTX *ssl_ctx, X509 *x509, unsigned n)
{
        int result = SSL_CTX_add_client_CA(ssl_ctx, x509);

        (void)n;
        X509_free(x509);
        return result;
}

static int
load_key(SSL_CTX *ssl_ctx, const struct green__tls_config *config, const struct why *why)
{
        const char *pem = config->key_pem != NULL ? config->key_pem : config->cert_pem;
        BIO *bio = source(pem, config->key_pem != NULL ? config->key_pem_len : config->cert_pem_len);
        EVP_PKEY *key;
        int used;

        if (bio == NULL)
                return complain(why, "private key");
        key = PEM_read_bio_PrivateKey(bio, NULL, password, (void *)config->password);
        BIO_free(bio);
        if (key == NULL && at_end())
                return say(why, "private key: no key in PEM format is in it");
        if (key == NULL && config->password == NULL && strstr(pem, "ENCRYPTED") != NULL)
                return say(why, "private key: it is encrypted, and there is no password");
        if (key == NULL && config->password != NULL)
                return complain(why, "private key (a wrong password?)");
        if (key == NULL)
                return complain(why, "private key");
        used = SSL_CTX_use_PrivateKey(ssl_ctx, key);
        EVP_PKEY_free(key);
        if (used == 1 && (config->cert_pem == NULL || SSL_CTX_check_private_key(ssl_ctx) == 1))
                return 0;
        return complain(why, "private key: it does not fit the certificate");
}

static int
load_crl(SSL_CTX *ssl_ctx, const struct green__tls_config *config, const struct why *why)
{
        X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
        BIO *bio = source(config->crl_pem, config->crl_pem_len);
        X509_CRL *crl;
        unsigned n = 0;
        int added;

        if (bio == NULL)
                return complain(why, "CRL");
        while ((crl = PEM_read_bio_X509_CRL(bio, NULL, password, NULL)) != NULL) {
                added = X509_STORE_add_crl(store, crl);
                X509_CRL_free(crl);
                n++;
                if (added != 1)
                        break;
        }
        BIO_free(bio);
        if (crl != NULL || !at_end())
                return complain(why, "CRL");
        if (n == 0)
                return say(why, "CRL: none in PEM format is in it");
        ERR_clear_error();
        if (X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
                return complain(why, "CRL");
        return 0;
}

int
green__ossl_pem_load(SSL_CTX *ssl_ctx, const struct green__tls_config *config, char *text, size_t size)
{
        const struct why why = {text, size};
        int code = 0;

        if (config->cert_pem != NULL)
                code = each_cert(config->cert_pem, config->cert_pem_len, "certificate", use_own, ssl_ctx, &why);
        if (code == 0 && (config->cert_pem != NULL || config->key_pem != NULL))
                code = load_key(ssl_ctx, config, &why);
        if (code == 0 && config->ca_pem != NULL)
                code = each_cert(config->ca_pem, config->ca_pem_len, "trusted certificates", use_trusted, ssl_ctx,
                                 &why);
        if (code == 0 && config->ca_pem != NULL && config->server_verify != GREEN_TLS_VERIFY_NONE)
                code = each_cert(config->ca_pem, config->ca_pem_len, "trusted certificates", use_client_ca, ssl_ctx,
                                 &why);
        if (code == 0 && config->crl_pem != NULL)
                code = load_crl(ssl_ctx, config, &why);
        return code;
}
