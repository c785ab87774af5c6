/*
 * Cipher suites: a list of names of the IANA registry as OpenSSL wants it.
 */
#include "tls_openssl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Forward secrecy and authenticated encryption; the server's order, but ChaCha20 for clients that put it first. */
#define MODERN                                                                                                         \
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                                   \
        "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                                   \
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"

enum { NAME_MAX_LEN = 80, LIST_MAX_LEN = 4096 };

/* OpenSSL keeps those of TLS 1.3 apart. */
static bool
is_of_1_3(const char *name)
{
        return strncmp(name, "TLS_", 4) == 0 && strstr(name, "_WITH_") == NULL;
}

static bool
append(char *list, const char *name)
{
        size_t len = strlen(list);

        return (size_t)snprintf(list + len, LIST_MAX_LEN - len, "%s%s", len > 0 ? ":" : "", name) < LIST_MAX_LEN - len;
}

/* The names of the registry as those of OpenSSL, by version. */
static int
translate(const char *names, char *list, char *list_1_3, char *why, size_t why_size)
{
        while (*names != '\0') {
                size_t len = strcspn(names, ":");
                char name[NAME_MAX_LEN] = "";
                const char *known;

                if (len < sizeof name)
                        memcpy(name, names, len);
                names += len + (names[len] == ':');
                if (len == 0)
                        continue;
                known = OPENSSL_cipher_name(name);
                if (known == NULL || strcmp(known, "(NONE)") == 0) {
                        snprintf(why, why_size, "ciphers: there is no %s", name[0] != '\0' ? name : "such name");
                        return -EINVAL;
                }
                if (!append(is_of_1_3(known) ? list_1_3 : list, known)) {
                        snprintf(why, why_size, "ciphers: too many");
                        return -EINVAL;
                }
        }
        return 0;
}

int
green__ossl_ciphers(SSL_CTX *ssl_ctx, const char *names, char *why, size_t why_size)
{
        char list[LIST_MAX_LEN] = "", list_1_3[LIST_MAX_LEN] = "";
        int code;

        if (names == NULL)
                return SSL_CTX_set_cipher_list(ssl_ctx, MODERN) == 1 ? 0 : green__ossl_queue_code(why, why_size);
        code = translate(names, list, list_1_3, why, why_size);
        if (code != 0)
                return code;
        if (list[0] == '\0' && list_1_3[0] == '\0') {
                snprintf(why, why_size, "ciphers: an empty list");
                return -EINVAL;
        }
        if ((list[0] != '\0' && SSL_CTX_set_cipher_list(ssl_ctx, list) != 1) ||
            (list_1_3[0] != '\0' && SSL_CTX_set_ciphersuites(ssl_ctx, list_1_3) != 1)) {
                green__ossl_queue_code(why, why_size);
                return -EINVAL;
        }
        return 0;
}
