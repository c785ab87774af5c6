/*
 * A certificate as struct green_tls_cert: one block, the structure, the pointers to the names, the texts, the DER.
 */
#include "tls_openssl.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

/* "CN=example.org, O=..." in the certificate's order, UTF-8. */
#define NAME_FLAGS                                                                                                     \
        (XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN |                                                                       \
         ((unsigned long)ASN1_STRFLGS_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB))

/* What is gathered in OpenSSL's memory, before the size of the block is known. Texts lie one after the other, with NUL.
 */
struct parts {
        BIO *texts;
        size_t names;
        unsigned char *der;
        int der_len;
        int64_t not_before, not_after;
        unsigned char sha256[32];
};

static bool
end_text(struct parts *parts)
{
        return BIO_write(parts->texts, "", 1) == 1;
}

static bool
gather_serial(struct parts *parts, const X509 *x509)
{
        BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
        char *text = number == NULL ? NULL : BN_bn2hex(number);
        bool good = text != NULL && BIO_puts(parts->texts, text) >= 0 && end_text(parts);

        OPENSSL_free(text);
        BN_free(number);
        return good;
}

/* A name that has NUL in it, or is no address, is left out: it matches nothing. */
static bool
gather_name(struct parts *parts, const GENERAL_NAME *name)
{
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
        char address[INET6_ADDRSTRLEN];
        const unsigned char *data;
        int len;

        if (type != GEN_DNS && type != GEN_IPADD)
                return true;
        data = ASN1_STRING_get0_data(value);
        len = ASN1_STRING_length(value);
        if (type == GEN_DNS) {
                if (len <= 0 || memchr(data, 0, (size_t)len) != NULL)
                        return true;
                parts->names++;
                return BIO_write(parts->texts, data, len) == len && end_text(parts);
        }
        if ((len != 4 && len != 16) || inet_ntop(len == 4 ? AF_INET : AF_INET6, data, address, sizeof address) == NULL)
                return true;
        parts->names++;
        return BIO_puts(parts->texts, address) > 0 && end_text(parts);
}

static bool
gather_names(struct parts *parts, const X509 *x509)
{
        GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
        bool good = true;

        for (int i = 0; good && i < sk_GENERAL_NAME_num(names); i++)
                good = gather_name(parts, sk_GENERAL_NAME_value(names, i));
        GENERAL_NAMES_free(names);
        return good;
}

static int64_t
seconds(const ASN1_TIME *time)
{
        ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
        int days = 0, rest = 0;

        if (epoch == NULL || ASN1_TIME_diff(&days, &rest, epoch, time) != 1)
                days = rest = 0;
        ASN1_TIME_free(epoch);
        return (int64_t)days * 86400 + rest;
}

static bool
gather(struct parts *parts, X509 *x509)
{
        parts->texts = BIO_new(BIO_s_mem());
        parts->der_len = i2d_X509(x509, &parts->der);
        parts->not_before = seconds(X509_get0_notBefore(x509));
        parts->not_after = seconds(X509_get0_notAfter(x509));
        return parts->texts != NULL && parts->der_len > 0 &&
               X509_NAME_print_ex(parts->texts, X509_get_subject_name(x509), 0, NAME_FLAGS) >= 0 && end_text(parts) &&
               X509_NAME_print_ex(parts->texts, X509_get_issuer_name(x509), 0, NAME_FLAGS) >= 0 && end_text(parts) &&
               gather_serial(parts, x509) && gather_names(parts, x509) &&
               X509_digest(x509, EVP_sha256(), parts->sha256, NULL) == 1;
}

static struct green_tls_cert *
lay_out(const struct parts *parts)
{
        char *texts;
        size_t texts_len = (size_t)BIO_get_mem_data(parts->texts, &texts), der_len = (size_t)parts->der_len;
        struct green_tls_cert *cert;
        const char **names;
        char *at;

        cert = green__ossl_host.alloc(sizeof *cert + (parts->names + 1) * sizeof *names + texts_len + der_len);
        if (cert == NULL)
                return NULL;
        names = (const char **)(cert + 1);
        at = memcpy(names + parts->names + 1, texts, texts_len);
        cert->subject = at;
        cert->issuer = at = at + strlen(at) + 1;
        cert->serial = at = at + strlen(at) + 1;
        for (size_t i = 0; i < parts->names; i++)
                names[i] = at = at + strlen(at) + 1;
        names[parts->names] = NULL;
        cert->names = names;
        cert->der = memcpy(at + strlen(at) + 1, parts->der, der_len);
        cert->der_len = der_len;
        cert->not_before = parts->not_before;
        cert->not_after = parts->not_after;
        memcpy(cert->sha256, parts->sha256, sizeof cert->sha256);
        return cert;
}

struct green_tls_cert *
green__ossl_cert(X509 *x509)
{
        struct parts parts = {0};
        struct green_tls_cert *cert = gather(&parts, x509) ? lay_out(&parts) : NULL;

        BIO_free(parts.texts);
        OPENSSL_free(parts.der);
        ERR_clear_error();
        return cert;
}
