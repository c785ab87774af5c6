/*
 * mbedTLS as a back end: contexts. See tls_backend.h.
 */
#include "tls_mbedtls.h"

/* Forward secrecy and authenticated encryption. */
static const int modern[] = {
#if MBED_HAS_1_3
        MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
        MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
        MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        0,
};

/* Of them, those that TLS 1.3 has; `ciphers` is about TLS 1.2. */
enum { OF_1_3 = MBED_HAS_1_3 ? 3 : 0 };

/* Where what went wrong is told. */
struct why {
        char *text;
        size_t size;
};

static int
refuse(const struct why *why, int code, const char *what, int ret)
{
        char detail[120] = "";

        if (ret != 0)
                mbedtls_strerror(ret, detail, sizeof detail);
        snprintf(why->text, why->size, "%s%s%s", what, ret != 0 ? ": " : "", detail);
        return ret == MBEDTLS_ERR_X509_ALLOC_FAILED || ret == MBEDTLS_ERR_PK_ALLOC_FAILED ||
                               ret == MBEDTLS_ERR_SSL_ALLOC_FAILED || ret == MBEDTLS_ERR_PEM_ALLOC_FAILED
                       ? -ENOMEM
                       : code;
}

static int
no_memory(const struct why *why)
{
        return refuse(why, -ENOMEM, "no memory", 0);
}

/* ---- certificates and keys */

static int
take_own(struct mbed_context *x, const struct green__tls_config *config, const struct why *why)
{
        const unsigned char *password = (const unsigned char *)config->password;
        int ret;

        if (config->cert_pem == NULL)
                return 0;
        ret = mbedtls_x509_crt_parse(&x->own, (const unsigned char *)config->cert_pem, config->cert_pem_len);
        if (ret != 0)
                return refuse(why, GREEN_ETLSFILE, "the certificate cannot be read", ret < 0 ? ret : 0);
        ret = MBED_PARSE_KEY(&x->key, (const unsigned char *)config->key_pem, config->key_pem_len, password,
                             password != NULL ? strlen(config->password) : 0, green__mbed_random);
        if (ret == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
                return refuse(why, GREEN_ETLSFILE, "the private key is encrypted, and no password was given", 0);
        if (ret == MBEDTLS_ERR_PK_PASSWORD_MISMATCH)
                return refuse(why, GREEN_ETLSFILE, "the password of the private key is wrong", 0);
        if (ret != 0)
                return refuse(why, GREEN_ETLSFILE, "the private key cannot be read", ret);
        ret = MBED_CHECK_PAIR(&x->own.pk, &x->key, green__mbed_random);
        if (ret != 0)
                return refuse(why, GREEN_ETLSFILE, "the private key does not fit the certificate", 0);
        x->has_own = true;
        return 0;
}

static int
take_trusted(struct mbed_context *x, const struct green__tls_config *config, const struct why *why)
{
        int ret = 0;

        /* Of a long bundle some may be of a kind that mbedTLS does not know. */
        if (config->ca_pem != NULL)
                ret = mbedtls_x509_crt_parse(&x->trusted, (const unsigned char *)config->ca_pem, config->ca_pem_len);
        if (ret < 0 || (ret > 0 && x->trusted.raw.p == NULL))
                return refuse(why, GREEN_ETLSFILE, "the trusted certificates cannot be read", ret < 0 ? ret : 0);
        if (config->crl_pem == NULL)
                return 0;
        ret = mbedtls_x509_crl_parse(&x->revoked, (const unsigned char *)config->crl_pem, config->crl_pem_len);
        if (ret != 0)
                return refuse(why, GREEN_ETLSFILE, "the list of revoked certificates cannot be read", ret);
        x->has_revoked = true;
        return 0;
}

/* ---- ciphers and protocols */

/* One name of the registry, of len bytes: its number, or 0. */
static int
cipher_of(const char *name, size_t len)
{
        char text[80];

        if (len >= sizeof text)
                return 0;
        memcpy(text, name, len);
        text[len] = '\0';
        for (char *p = text; *p != '\0'; p++)
                if (*p == '_')
                        *p = '-';
        return mbedtls_ssl_get_ciphersuite_id(text);
}

/* Those of a list, behind what is in x->ciphers already: how many there are then, or -EINVAL. */
static ssize_t
each_cipher(struct mbed_context *x, size_t n, const char *names, const struct why *why)
{
        while (*names != '\0') {
                size_t len = strcspn(names, ":");
                int id = len > 0 ? cipher_of(names, len) : 0;

                if (len > 0 && id == 0) {
                        snprintf(why->text, why->size, "no such cipher: \"%.*s\"", (int)(len < 60 ? len : 60), names);
                        return -EINVAL;
                }
                if (id != 0)
                        x->ciphers[n++] = id;
                names += len + (names[len] == ':');
        }
        x->ciphers[n] = 0;
        return (ssize_t)n;
}

static int
take_ciphers(struct mbed_context *x, const char *names, const struct why *why)
{
        ssize_t n;

        if (names == NULL)
                return 0;
        x->ciphers = green__mbed_host->alloc((strlen(names) / 2 + OF_1_3 + 2) * sizeof *x->ciphers);
        if (x->ciphers == NULL)
                return no_memory(why);
        memcpy(x->ciphers, modern, OF_1_3 * sizeof *modern);
        n = each_cipher(x, OF_1_3, names, why);
        if (n < 0)
                return (int)n;
        return n > OF_1_3 ? 0 : refuse(why, -EINVAL, "no ciphers", 0);
}

/* mbedTLS keeps the list as it is: it has to last. */
static int
take_alpn(struct mbed_context *x, const char *const *names, const struct why *why)
{
        size_t n = 0, bytes = 0;
        char *text;

        if (names == NULL || names[0] == NULL)
                return 0;
        for (; names[n] != NULL; n++) {
                size_t len = strlen(names[n]);

                if (len == 0 || len > 255)
                        return refuse(why, -EINVAL, "ALPN: names have 1 to 255 bytes", 0);
                bytes += len + 1;
        }
        if (bytes > 65535)
                return refuse(why, -EINVAL, "ALPN: too many names", 0);
        x->alpn = green__mbed_host->alloc((n + 1) * sizeof *x->alpn + bytes);
        if (x->alpn == NULL)
                return no_memory(why);
        text = (char *)(x->alpn + n + 1);
        for (size_t i = 0; i < n; i++) {
                size_t size = strlen(names[i]) + 1;

                x->alpn[i] = memcpy(text, names[i], size);
                text += size;
        }
        return 0;
}

/* ---- tickets */

static int
take_tickets(struct mbed_context *x, const struct green__tls_config *config, const struct why *why)
{
        const struct mbed_context *previous = config->previous;

        if (!config->tickets || config->cert_pem == NULL)
                return 0;
        if (previous != NULL && previous->tickets != NULL)
                x->tickets = green__mbed_tickets_ref(previous->tickets);
        else
                x->tickets = green__mbed_tickets_new(config->ticket_lifetime);
        return x->tickets != NULL ? 0 : refuse(why, -ENOMEM, "session tickets: no keys can be made", 0);
}

/* ---- callbacks */

#if MBEDTLS_VERSION_NUMBER < 0x03000000
static int
export_keys(void *arg, const unsigned char *secret, const unsigned char *block, size_t mac_len, size_t key_len,
            size_t iv_len, const unsigned char client_random[32], const unsigned char server_random[32],
            mbedtls_tls_prf_types prf)
{
        const struct mbed_context *x = arg;
        char line[sizeof "CLIENT_RANDOM " + 2 * 32 + 1 + 2 * 48];
        int at = snprintf(line, sizeof line, "CLIENT_RANDOM ");

        (void)block;
        (void)mac_len;
        (void)key_len;
        (void)iv_len;
        (void)server_random;
        (void)prf;
        for (size_t i = 0; i < 32; i++)
                at += snprintf(line + at, sizeof line - (size_t)at, "%02x", client_random[i]);
        line[at++] = ' ';
        for (size_t i = 0; i < 48; i++)
                at += snprintf(line + at, sizeof line - (size_t)at, "%02x", secret[i]);
        x->keylog(line, x->keylog_arg);
        return 0;
}
#endif

/* ---- the two configurations */

int
green__mbed_authmode(const struct mbed_context *x, bool server)
{
        if (server)
                return x->server_verify == GREEN_TLS_VERIFY_REQUIRED   ? MBEDTLS_SSL_VERIFY_REQUIRED
                       : x->server_verify == GREEN_TLS_VERIFY_OPTIONAL ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                                                       : MBEDTLS_SSL_VERIFY_NONE;
        if (x->client_verify != GREEN_TLS_VERIFY_NONE)
                return MBEDTLS_SSL_VERIFY_REQUIRED;
        return x->verify_fn != NULL ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_NONE;
}

static int
configure(struct mbed_context *x, mbedtls_ssl_config *conf, const struct green__tls_config *config, bool server)
{
        int ret = mbedtls_ssl_config_defaults(conf, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                              MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

        if (ret != 0)
                return ret;
        mbed_versions(conf, config->min_version == GREEN_TLS_1_3, MBED_HAS_1_3 && config->max_version != GREEN_TLS_1_2);
        mbedtls_ssl_conf_rng(conf, green__mbed_random, NULL);
        mbedtls_ssl_conf_ciphersuites(conf, x->ciphers != NULL ? x->ciphers : modern);
        mbedtls_ssl_conf_authmode(conf, green__mbed_authmode(x, server));
        mbedtls_ssl_conf_ca_chain(conf, &x->trusted, x->has_revoked ? &x->revoked : NULL);
#if defined(MBEDTLS_SSL_RENEGOTIATION)
        mbedtls_ssl_conf_renegotiation(conf, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
        if (x->has_own)
                ret = mbedtls_ssl_conf_own_cert(conf, &x->own, &x->key);
        if (ret == 0 && x->alpn != NULL)
                ret = mbedtls_ssl_conf_alpn_protocols(conf, x->alpn);
#if MBEDTLS_VERSION_NUMBER < 0x03000000
        if (x->keylog != NULL)
                mbedtls_ssl_conf_export_keys_ext_cb(conf, export_keys, x);
#endif
        if (!server) {
                mbed_take_tickets(conf);
                return ret;
        }
        mbedtls_ssl_conf_sni(conf, green__mbed_asked, NULL);
        /* The names of all that are trusted would be more than a record holds, where it is the system's bundle. */
        mbedtls_ssl_conf_cert_req_ca_list(conf, MBEDTLS_SSL_CERT_REQ_CA_LIST_DISABLED);
        if (x->tickets != NULL)
                green__mbed_tickets_use(conf, x->tickets);
        return ret;
}

static void
keep_callbacks(struct mbed_context *x, const struct green__tls_config *config)
{
        x->client_verify = config->client_verify;
        x->server_verify = config->server_verify;
        x->verify_fn = config->verify_fn;
        x->verify_arg = config->verify_arg;
        x->sni_fn = config->sni_fn;
        x->sni_arg = config->sni_arg;
        x->keylog = config->keylog;
        x->keylog_arg = config->keylog_arg;
}

static bool
is_version(enum green_tls_version_number version)
{
        return version == GREEN_TLS_ANY || version == GREEN_TLS_1_2 || version == GREEN_TLS_1_3;
}

static int
fill(struct mbed_context *x, const struct green__tls_config *config, const struct why *why)
{
        int rc;

        if (!is_version(config->min_version) || !is_version(config->max_version) ||
            (config->max_version != GREEN_TLS_ANY && config->min_version > config->max_version))
                return refuse(why, -EINVAL, "versions: there are TLS 1.2 and TLS 1.3", 0);
        if (config->min_version == GREEN_TLS_1_3 && !MBED_HAS_1_3)
                return refuse(why, GREEN_ETLSBACKEND, "this mbedTLS has no TLS 1.3", 0);
        keep_callbacks(x, config);
        rc = take_own(x, config, why);
        if (rc == 0)
                rc = take_trusted(x, config, why);
        if (rc == 0)
                rc = take_ciphers(x, config->ciphers, why);
        if (rc == 0)
                rc = take_alpn(x, config->alpn, why);
        if (rc == 0)
                rc = take_tickets(x, config, why);
        if (rc == 0 && (configure(x, &x->client, config, false) != 0 || configure(x, &x->server, config, true) != 0))
                rc = no_memory(why);
        return rc;
}

int
green__mbed_context_new(const struct green__tls_config *config, void **ret_context, char *why, size_t why_size)
{
        struct mbed_context *x = green__mbed_host->alloc(sizeof *x);
        const struct why where = {why, why_size};
        int rc;

        if (x == NULL)
                return no_memory(&where);
        mbedtls_ssl_config_init(&x->client);
        mbedtls_ssl_config_init(&x->server);
        mbedtls_x509_crt_init(&x->own);
        mbedtls_x509_crt_init(&x->trusted);
        mbedtls_x509_crl_init(&x->revoked);
        mbedtls_pk_init(&x->key);
        rc = fill(x, config, &where);
        if (rc != 0) {
                green__mbed_context_free(x);
                return rc;
        }
        *ret_context = x;
        return 0;
}

void
green__mbed_context_free(void *context)
{
        struct mbed_context *x = context;

        mbedtls_ssl_config_free(&x->client);
        mbedtls_ssl_config_free(&x->server);
        mbedtls_x509_crt_free(&x->own);
        mbedtls_x509_crt_free(&x->trusted);
        mbedtls_x509_crl_free(&x->revoked);
        mbedtls_pk_free(&x->key);
        green__mbed_tickets_unref(x->tickets);
        green__mbed_host->free(x->ciphers);
        green__mbed_host->free(x->alpn);
        green__mbed_host->free(x);
}
