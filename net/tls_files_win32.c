/*
 * The files of TLS contexts, and the certificates that the system trusts: Windows.
 *
 * Those are in the store "ROOT" of the user, which shows the machine's too. The back ends want PEM, so they are written as
 * such. Windows fetches some of its roots when its own TLS meets them first: until then they are not in the store.
 */
#include "tls_priv.h"

#include <fcntl.h>
#include <stdio.h>

#include <winsock2.h>

#include <wincrypt.h>

#include <green/alloc.h>

#include "error_win32.h"
#include "file_sys.h"

/* The largest bundles have some hundred KB. */
#define LARGEST ((int64_t)16 << 20)

/* ---- files */

static int
read_open(green_fd fd, char **ret_text, size_t *ret_len)
{
        int64_t size = green__sys_file_length(fd);
        size_t len = 0;
        ssize_t n = 1;
        char *text;

        if (size < 0)
                return (int)size;
        if (size > LARGEST)
                return -EFBIG;
        text = green_malloc((size_t)size + 1);
        if (text == NULL)
                return -ENOMEM;
        /* As much as there is, of what the file had when it was opened. */
        while (n > 0 && len < (size_t)size) {
                n = green__sys_file_read(fd, text + len, (size_t)size - len, (int64_t)len);
                len += n > 0 ? (size_t)n : 0;
        }
        if (n < 0) {
                green_free(text);
                return (int)n;
        }
        text[len] = '\0';
        *ret_text = text;
        *ret_len = len + 1;
        return 0;
}

int
green__tls_read_file(const char *path, char **ret_text, size_t *ret_len)
{
        struct green__file_facts facts;
        int rc = green__sys_file_open(path, O_RDONLY, 0, &facts);

        if (rc == 0) {
                rc = read_open(facts.fd, ret_text, ret_len);
                CloseHandle((HANDLE)facts.fd);
        } else if (rc == -EINVAL) {
                rc = GREEN_ETLSFILE; /* a pipe or the like */
        }
        return rc == 0 ? 0 : green_set_error(rc, "TLS: %.300s: %s", path, green_strerror(rc));
}

/* ---- the store */

/* A text that grows, ended by NUL. */
struct pem {
        char *text;
        size_t len, size;
};

static int
add_pem(struct pem *pem, const CERT_CONTEXT *cert)
{
        DWORD n = 0;

        if (!CryptBinaryToStringA(cert->pbCertEncoded, cert->cbCertEncoded, CRYPT_STRING_BASE64HEADER, NULL, &n))
                return -EIO;
        if (pem->size - pem->len < n) {
                size_t size = (pem->size + n) * 2;
                char *text = green_realloc(pem->text, size);

                if (text == NULL)
                        return -ENOMEM;
                pem->text = text;
                pem->size = size;
        }
        if (!CryptBinaryToStringA(cert->pbCertEncoded, cert->cbCertEncoded, CRYPT_STRING_BASE64HEADER,
                                  pem->text + pem->len, &n))
                return -EIO;
        pem->len += n; /* without its NUL */
        return 0;
}

/* Some are trusted for mail or programs only. */
static bool
is_for_servers(const CERT_CONTEXT *cert)
{
        union {
                CERT_ENHKEY_USAGE usage;
                unsigned char bytes[4096];
        } u;
        DWORD size = sizeof u;

        if (!CertGetEnhancedKeyUsage(cert, CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG, &u.usage, &size))
                return GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
        for (DWORD i = 0; i < u.usage.cUsageIdentifier; i++)
                if (strcmp(u.usage.rgpszUsageIdentifier[i], szOID_PKIX_KP_SERVER_AUTH) == 0)
                        return true;
        /* None at all is said of those that are for everything, with this error. */
        return u.usage.cUsageIdentifier == 0 && GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
}

/* Those that were withdrawn stay where they are, and are in this store too. */
static bool
is_distrusted(HCERTSTORE distrusted, const CERT_CONTEXT *cert)
{
        const CERT_CONTEXT *found;

        if (distrusted == NULL)
                return false;
        found = CertFindCertificateInStore(distrusted, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, cert, NULL);
        if (found == NULL)
                return false;
        CertFreeCertificateContext(found);
        return true;
}

static int
read_store(HCERTSTORE store, HCERTSTORE distrusted, struct pem *pem)
{
        const CERT_CONTEXT *cert = NULL;
        int rc = 0;

        while (rc == 0 && (cert = CertEnumCertificatesInStore(store, cert)) != NULL)
                if (cert->dwCertEncodingType == X509_ASN_ENCODING && is_for_servers(cert) &&
                    !is_distrusted(distrusted, cert))
                        rc = add_pem(pem, cert);
        if (rc != 0)
                CertFreeCertificateContext(cert);
        return rc;
}

static int
read_system(struct pem *pem)
{
        HCERTSTORE distrusted = CertOpenSystemStoreW(0, L"Disallowed");
        HCERTSTORE store = CertOpenSystemStoreW(0, L"ROOT");
        int rc = store != NULL ? read_store(store, distrusted, pem) : green__win32_code(GetLastError());

        if (distrusted != NULL)
                CertCloseStore(distrusted, 0);
        if (store != NULL)
                CertCloseStore(store, 0);
        return rc;
}

int
green__tls_read_system(char **ret_text, size_t *ret_len)
{
        struct pem pem = {.len = 0};
        int rc;

        *ret_text = NULL;
        if (GREEN_CA_BUNDLE[0] != '\0')
                return green__tls_read_file(GREEN_CA_BUNDLE, ret_text, ret_len);
        rc = read_system(&pem);
        if (rc != 0) {
                green_free(pem.text);
                return green_set_error(rc, "TLS: the system's certificates: %s", green_strerror(rc));
        }
        *ret_text = pem.text;
        *ret_len = pem.len + 1;
        return 0;
}
