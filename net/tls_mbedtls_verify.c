/*
 * mbedTLS as a back end: certificates of peers. See tls_backend.h.
 *
 * mbedTLS asks for each certificate of the chain, the peer's own last. What is wrong is gathered on the way, and judged
 * there: the user's callback may take what the rules refuse, or the other way round.
 */
#include "tls_mbedtls.h"

#include <arpa/inet.h>

/* ---- names */

enum { NAME_DNS = 0x82, NAME_ADDRESS = 0x87 }; /* tags of a GeneralName */

static bool
next_name(const mbedtls_x509_sequence **at, const mbedtls_x509_buf **ret_name)
{
        while (*at != NULL) {
                const mbedtls_x509_buf *name = &(*at)->buf;

                *at = (*at)->next;
                if (name->p != NULL && (name->tag == NAME_DNS || name->tag == NAME_ADDRESS)) {
                        *ret_name = name;
                        return true;
                }
        }
        return false;
}

/* An address is in the certificate as bytes, and mbedTLS 2.28 does not look there. False: the name is no address. */
static bool
check_address(const mbedtls_x509_crt *crt, const char *text, uint32_t *flags)
{
        const mbedtls_x509_sequence *at = &crt->subject_alt_names;
        const mbedtls_x509_buf *name;
        unsigned char raw[16];
        size_t len = inet_pton(AF_INET, text, raw) == 1 ? 4 : inet_pton(AF_INET6, text, raw) == 1 ? 16 : 0;

        if (len == 0)
                return false;
        while (next_name(&at, &name))
                if (name->tag == NAME_ADDRESS && name->len == len && memcmp(name->p, raw, len) == 0)
                        return true;
        *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
        return true;
}

/* ---- what is wrong, as a code */

static int
code_of(uint32_t flags)
{
        static const uint32_t times = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;

        if (flags == 0)
                return 0;
        if ((flags & MBEDTLS_X509_BADCERT_REVOKED) != 0)
                return GREEN_ETLSREVOKED;
        if ((flags & ~(times | MBEDTLS_X509_BADCERT_CN_MISMATCH)) != 0)
                return GREEN_ETLSVERIFY;
        return (flags & times) != 0 ? GREEN_ETLSEXPIRED : GREEN_ETLSHOST;
}

static const char *
text_of(const mbedtls_x509_crt *crt, uint32_t flags)
{
        if ((flags & MBEDTLS_X509_BADCERT_REVOKED) != 0)
                return "it was revoked";
        if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
                bool self = crt->issuer_raw.len > 0 && crt->issuer_raw.len == crt->subject_raw.len &&
                            memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->subject_raw.len) == 0;

                return self ? "it has signed itself, and is not trusted" : "nobody that is trusted has signed it";
        }
        if ((flags & (MBEDTLS_X509_BADCRL_NOT_TRUSTED | MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE)) != 0)
                return "the list of revoked certificates is not valid";
        if ((flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY)) != 0)
                return "its key or its signature is too weak";
        if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0)
                return "it has expired";
        if ((flags & MBEDTLS_X509_BADCERT_FUTURE) != 0)
                return "it is not valid yet";
        if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0)
                return "it is for another host";
        return "it is not meant for this use";
}

static void
say_why(struct mbed_conn *c, const mbedtls_x509_crt *crt, const char *text)
{
        char subject[80];

        if (mbedtls_x509_dn_gets(subject, sizeof subject, &crt->subject) < 0)
                subject[0] = '\0';
        snprintf(c->why_text, sizeof c->why_text, "the certificate \"%s\"%s%.80s: %s", subject,
                 c->verify_name != NULL ? " of " : "", c->verify_name != NULL ? c->verify_name : "", text);
}

/* What the user's callback makes of it. */
static int
ask(struct mbed_conn *c, const mbedtls_x509_crt *crt, int code)
{
        struct green_tls_cert *cert;
        int rc;

        if (c->context->verify_fn == NULL)
                return code;
        cert = green__mbed_cert(crt);
        if (cert == NULL)
                return -ENOMEM;
        rc = c->context->verify_fn(cert, c->depth, code, c->context->verify_arg);
        green__mbed_host->free(cert);
        return rc > 0 ? GREEN_ETLSVERIFY : rc;
}

int
green__mbed_verify(void *conn, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
        struct mbed_conn *c = conn;
        int code;

        if (depth > c->depth)
                c->depth = depth;
        c->flags |= *flags;
        *flags = 0;
        if (depth > 0)
                return 0;
        if (c->verify_name == NULL)
                c->flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
        else
                (void)check_address(crt, c->verify_name, &c->flags);
        code = code_of(c->flags);
        c->verify_code = ask(c, crt, code);
        if (c->verify_code == 0)
                return 0;
        say_why(c, crt, c->verify_code == code ? text_of(crt, c->flags) : "the verify callback has refused it");
        /* In the right words for the peer; and for good, also where a certificate is only asked for. */
        *flags = c->flags != 0 ? c->flags : MBEDTLS_X509_BADCERT_OTHER;
        return c->server && c->context->server_verify == GREEN_TLS_VERIFY_OPTIONAL ? MBEDTLS_ERR_X509_FATAL_ERROR : 0;
}

/* ---- a certificate for the user */

/* Seconds since 1970. */
static int64_t
seconds_of(const mbedtls_x509_time *t)
{
        /* Days from 1970-01-01, of the Gregorian calendar: March is the first month, so that leap days come last. */
        int64_t year = t->year - (t->mon <= 2), era = year / 400, of_era = year - era * 400;
        int64_t day = (153 * (t->mon + (t->mon > 2 ? -3 : 9)) + 2) / 5 + t->day - 1;
        int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day - 719468;

        return ((days * 24 + t->hour) * 60 + t->min) * 60 + t->sec;
}

static size_t
name_text(const mbedtls_x509_buf *name, char *text, size_t size)
{
        if (name->tag == NAME_ADDRESS) {
                if ((name->len != 4 && name->len != 16) ||
                    inet_ntop(name->len == 4 ? AF_INET : AF_INET6, name->p, text, (socklen_t)size) == NULL)
                        text[0] = '\0';
                return strlen(text) + 1;
        }
        memcpy(text, name->p, name->len);
        text[name->len] = '\0';
        return name->len + 1;
}

enum { TEXT = 1024, ADDRESS_TEXT = 46 };

struct green_tls_cert *
green__mbed_cert(const mbedtls_x509_crt *crt)
{
        const mbedtls_x509_sequence *at = &crt->subject_alt_names;
        size_t n = 0, bytes = 0, serial = crt->serial.len * 2 + 1;
        const mbedtls_x509_buf *name;
        struct green_tls_cert *cert;
        const char **names;
        char *text;

        while (next_name(&at, &name)) {
                n++;
                bytes += (name->tag == NAME_DNS ? name->len : 0) + ADDRESS_TEXT;
        }
        cert = green__mbed_host->alloc(sizeof *cert + (n + 1) * sizeof *names + bytes + 2 * TEXT + serial +
                                       crt->raw.len);
        if (cert == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        names = (const char **)(cert + 1);
        cert->names = names;
        text = (char *)(names + n + 1);
        cert->subject = text;
        if (mbedtls_x509_dn_gets(text, TEXT, &crt->subject) < 0)
                text[0] = '\0';
        text += TEXT;
        cert->issuer = text;
        if (mbedtls_x509_dn_gets(text, TEXT, &crt->issuer) < 0)
                text[0] = '\0';
        text += TEXT;
        cert->serial = text;
        for (size_t i = 0; i < crt->serial.len; i++)
                snprintf(text + 2 * i, 3, "%02x", crt->serial.p[i]);
        text += serial;
        at = &crt->subject_alt_names;
        for (size_t i = 0; next_name(&at, &name); i++) {
                names[i] = text;
                text += name_text(name, text, name->tag == NAME_DNS ? name->len + 1 : ADDRESS_TEXT);
        }
        cert->not_before = seconds_of(&crt->valid_from);
        cert->not_after = seconds_of(&crt->valid_to);
        cert->der = memcpy(text, crt->raw.p, crt->raw.len);
        cert->der_len = crt->raw.len;
        (void)MBED_SHA256(crt->raw.p, crt->raw.len, cert->sha256);
        return cert;
}
