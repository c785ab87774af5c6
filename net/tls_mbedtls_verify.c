/*
 * mbedTLS as a back end: certificates of peers. See tls_backend.h.
 *
 * mbedTLS asks for each certificate of the chain, the peer's own last. What is wrong is gathered on the way, and judged
 * there: the user's callback may take what the rules refuse, or the other way round.
 */
#include "tls_mbedtls.h"

#include <strings.h>

#include "inet.h"

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

/* An address is in the certificate as bytes. */
static bool
is_for_address(const mbedtls_x509_crt *crt, const unsigned char *raw, size_t len)
{
        const mbedtls_x509_sequence *at = &crt->subject_alt_names;
        const mbedtls_x509_buf *name;

        while (next_name(&at, &name))
                if (name->tag == NAME_ADDRESS && name->len == len && memcmp(name->p, raw, len) == 0)
                        return true;
        return false;
}

/* A name of a certificate, which may begin with a * for one whole label, of a domain that is below another. */
static bool
matches(const char *pattern, size_t pattern_len, const char *host)
{
        size_t len = strlen(host), label = strcspn(host, ".");

        if (pattern_len > 2 && pattern[0] == '*' && pattern[1] == '.') {
                if (label == 0 || memchr(pattern + 2, '.', pattern_len - 2) == NULL)
                        return false;
                pattern += 1;
                pattern_len -= 1;
                host += label;
                len -= label;
        }
        return len == pattern_len && strncasecmp(pattern, host, len) == 0;
}

/* Names stand in subjectAltName (RFC 9525): mbedTLS would take the common name too, and does not know addresses. */
static bool
is_for(const mbedtls_x509_crt *crt, const char *host)
{
        const mbedtls_x509_sequence *at = &crt->subject_alt_names;
        const mbedtls_x509_buf *name;
        unsigned char raw[16];

        if (inet_pton(AF_INET, host, raw) == 1)
                return is_for_address(crt, raw, 4);
        if (inet_pton(AF_INET6, host, raw) == 1)
                return is_for_address(crt, raw, 16);
        while (next_name(&at, &name))
                if (name->tag == NAME_DNS && matches((const char *)name->p, name->len, host))
                        return true;
        return false;
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
        /* These would mean something else to who calls handshake(). */
        if (rc == GREEN__TLS_WANT_READ || rc == GREEN__TLS_WANT_WRITE)
                return GREEN_ETLSVERIFY;
        return rc < 0 ? rc : 0;
}

/* Servers look at certificates of clients, and the other way round. */
static bool
is_for_use(const mbedtls_x509_crt *crt, bool server)
{
        if (!server)
                return mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_SERVER_AUTH,
                                                                 MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0;
        return mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_CLIENT_AUTH,
                                                         MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) == 0 &&
               mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0;
}

/* All that is wrong, where anything is demanded. */
static uint32_t
judge(struct mbed_conn *c, const mbedtls_x509_crt *crt, bool demanded)
{
        uint32_t flags = c->flags & ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;

        if (!demanded)
                return 0;
        /* mbedTLS asks itself, but later, and goes on where a certificate is only asked for. */
        if (!is_for_use(crt, c->server))
                flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
        c->name_fits = c->verify_name != NULL && is_for(crt, c->verify_name);
        return c->verify_name == NULL || c->name_fits ? flags : flags | MBEDTLS_X509_BADCERT_CN_MISMATCH;
}

int
green__mbed_verify(void *conn, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
        struct mbed_conn *c = conn;
        enum green_tls_verify verify = c->server ? c->context->server_verify : c->context->client_verify;
        bool demanded = verify != GREEN_TLS_VERIFY_NONE;
        int code;

        if (depth > c->depth)
                c->depth = depth;
        c->flags |= *flags;
        *flags = 0;
        if (depth > 0)
                return 0;
        c->flags = judge(c, crt, demanded);
        code = code_of(c->flags);
        c->verify_code = ask(c, crt, code);
        c->verified = demanded && c->verify_code == 0;
        if (c->verify_code == 0)
                return 0;
        say_why(c, crt, c->verify_code == code ? text_of(crt, c->flags) : "the verify callback has refused it");
        /* In the right words for the peer. Where mbedTLS was told that it may go on, it must not. */
        *flags = c->flags != 0 ? c->flags : MBEDTLS_X509_BADCERT_OTHER;
        return green__mbed_authmode(c->context, c->server) == MBEDTLS_SSL_VERIFY_REQUIRED
                       ? 0
                       : MBEDTLS_ERR_X509_FATAL_ERROR;
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
