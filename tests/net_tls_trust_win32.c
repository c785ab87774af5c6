/*
 * net/tls_files_win32.c: the certificates that Windows trusts. Its stores are these tests', since the function that opens
 * them is replaced in the library: nothing here looks at those of the machine, or changes them.
 */
#include "net_tls.h"

#include <windows.h>

#include <wincrypt.h>

#include <green/patch.h>

#undef ERROR

static struct {
        HCERTSTORE root, distrusted;
        DWORD error; /* why none can be opened; 0: they can */
        int opened;
} stores;

static HCERTSTORE WINAPI
open_store(HCRYPTPROV_LEGACY provider, const wchar_t *name)
{
        (void)provider;
        stores.opened++;
        if (stores.error != 0) {
                SetLastError(stores.error);
                return NULL;
        }
        return CertDuplicateStore(wcscmp(name, L"ROOT") == 0 ? stores.root : stores.distrusted);
}

static HCERTSTORE
empty_store(void)
{
        HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);

        CHECK(store != NULL);
        return store;
}

static bool
begin(void)
{
        static void (*was)(void);
        const struct green_patch_symbol calls[] = {
                {"CertOpenSystemStoreW", (void (*)(void))open_store, &was},
                {NULL, NULL, NULL},
        };

        if (!has_tls())
                return false;
        if (was == NULL && !CHECK_INT(green_inject(GetModuleHandleA("libgreen-net-0.dll"), calls), 1))
                return false;
        stores.root = empty_store();
        stores.distrusted = empty_store();
        stores.error = 0;
        stores.opened = 0;
        return true;
}

/* Also: nobody else has them open any more. */
static void
end(void)
{
        CHECK(CertCloseStore(stores.root, CERT_CLOSE_STORE_CHECK_FLAG));
        CHECK(CertCloseStore(stores.distrusted, CERT_CLOSE_STORE_CHECK_FLAG));
}

/* usages: what it is good for alone; none: for everything. */
static void
put(HCERTSTORE store, const char *file, char *const *usages, DWORD n)
{
        CERT_ENHKEY_USAGE usage = {n, (char **)(uintptr_t)usages};
        unsigned char der[4096];
        const CERT_CONTEXT *cert = NULL;
        DWORD size = sizeof der;
        char text[8192];
        FILE *f = fopen(file, "rb");

        CHECK_OR_RETURN(f != NULL);
        text[fread(text, 1, sizeof text - 1, f)] = '\0';
        fclose(f);
        CHECK(CryptStringToBinaryA(text, 0, CRYPT_STRING_BASE64HEADER, der, &size, NULL, NULL));
        CHECK(CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der, size, CERT_STORE_ADD_ALWAYS, &cert));
        if (n > 0)
                CHECK(CertSetEnhancedKeyUsage(cert, &usage));
        CertFreeCertificateContext(cert);
}

/* The code of a client that trusts whom the system trusts. */
static int
client_says(void)
{
        struct tls_pair p = {.client.name = "localhost"};

        shake_hands_once(&p, green_tls_context_new(NULL), server_context("ec"));
        free_tls_pair(&p);
        return p.client.rc;
}

static void
who_is_in_the_store_is_trusted(void)
{
        GREEN_COVERS("SSL-13");
        if (!begin())
                return;
        put(stores.root, CERT("ca2"), NULL, 0);
        CHECK_INT(client_says(), GREEN_ETLSVERIFY);
        put(stores.root, CERT("ca"), NULL, 0);
        CHECK_INT(client_says(), 0);
        CHECK(stores.opened > 0);
        end();
}

static void
an_empty_store_trusts_nobody(void)
{
        if (!begin())
                return;
        CHECK_INT(client_says(), GREEN_ETLSVERIFY);
        end();
}

static void
who_was_withdrawn_is_not_trusted(void)
{
        if (!begin())
                return;
        put(stores.root, CERT("ca"), NULL, 0);
        put(stores.root, CERT("ca2"), NULL, 0);
        put(stores.distrusted, CERT("ca2"), NULL, 0);
        CHECK_INT(client_says(), 0);
        put(stores.distrusted, CERT("ca"), NULL, 0);
        CHECK_INT(client_says(), GREEN_ETLSVERIFY);
        end();
}

static void
what_a_certificate_is_good_for_counts(void)
{
        static char mail[] = szOID_PKIX_KP_EMAIL_PROTECTION, servers[] = szOID_PKIX_KP_SERVER_AUTH;

        if (!begin())
                return;
        put(stores.root, CERT("ca"), (char *const[]){mail}, 1);
        CHECK_INT(client_says(), GREEN_ETLSVERIFY);
        CertCloseStore(stores.root, 0);
        stores.root = empty_store();
        put(stores.root, CERT("ca"), (char *const[]){mail, servers}, 2);
        CHECK_INT(client_says(), 0);
        end();
}

static void
a_store_that_cannot_be_opened_is_told(void)
{
        struct tls_pair p = {.client.name = "localhost"};

        if (!begin())
                return;
        stores.error = ERROR_ACCESS_DENIED;
        shake_hands_once(&p, green_tls_context_new(NULL), server_context("ec"));
        free_tls_pair(&p);
        CHECK_INT(p.client.rc, -EACCES);
        CHECK(strstr(p.client.why, "the system's certificates") != NULL);
        end();
}

GREEN_SUITE(net_tls_trust_win32){GREEN_TEST(who_is_in_the_store_is_trusted),
                                 GREEN_TEST(an_empty_store_trusts_nobody),
                                 GREEN_TEST(who_was_withdrawn_is_not_trusted),
                                 GREEN_TEST(what_a_certificate_is_good_for_counts),
                                 GREEN_TEST(a_store_that_cannot_be_opened_is_told),
                                 GREEN_SUITE_END};
