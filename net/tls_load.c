/*
 * Which back end encrypts in this process: the one that GREEN_TLS names; if it names none, the one that is linked in,
 * or else OpenSSL's module. A name that cannot be used is an error, and nothing is put in its place.
 */
#include "tls_priv.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <green/alloc.h>

#include "tls_module.h"

enum { NAME_MAX_LEN = 32, WHY_SIZE = 700 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct green__tls_backend *_Atomic chosen;

static void *
host_alloc(size_t len)
{
        return green_calloc(1, len);
}

static const struct green__tls_host host = {.size = sizeof host, .alloc = host_alloc, .free = green_free};

static bool
name_ok(const char *name)
{
        size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

        return len > 0 && len <= NAME_MAX_LEN && name[len] == '\0';
}

/* The first function that a table lacks, or NULL. */
static const char *
missing_function(const struct green__tls_backend *be)
{
#define NEEDED(X)                                                                                                      \
        X(init)                                                                                                        \
        X(version) X(context_new) X(context_free) X(conn_new) X(conn_free) X(handshake) X(handshake_cost) X(read)      \
                X(write) X(shutdown) X(pending) X(leftover) X(why) X(conn_version) X(conn_cipher) X(conn_alpn)         \
                        X(conn_sni) X(conn_resumed) X(conn_peer_cert) X(session_get) X(session_free)
#define ROW(function) {#function, be->function != NULL},
        const struct {
                const char *name;
                bool there;
        } rows[] = {NEEDED(ROW)};
#undef ROW
#undef NEEDED

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                if (!rows[i].there)
                        return rows[i].name;
        return NULL;
}

/* May it be used? name: what it has to be called; NULL: anything. */
static bool
check(const struct green__tls_backend *be, const char *name, char *why, size_t size)
{
        const char *missing;
        int rc;

        /* The number first: nothing else of a table of another interface may be looked at. */
        if (be->abi != GREEN__TLS_ABI) {
                snprintf(why, size, "it was built for interface %u, this is %u", (unsigned)be->abi, GREEN__TLS_ABI);
                return false;
        }
        if (be->size < sizeof *be) {
                snprintf(why, size, "its table has %u bytes, %zu are needed", (unsigned)be->size, sizeof *be);
                return false;
        }
        if (be->name == NULL || (name != NULL && strcmp(be->name, name) != 0)) {
                snprintf(why, size, "it calls itself \"%.32s\"", be->name != NULL ? be->name : "");
                return false;
        }
        missing = missing_function(be);
        if (missing != NULL) {
                snprintf(why, size, "its table has no %s()", missing);
                return false;
        }
        rc = be->init(&host);
        if (rc != 0)
                snprintf(why, size, "it does not work here: %s", green_strerror(rc));
        return rc == 0;
}

static const struct green__tls_backend *
load(const char *path, const char *name, char *why, size_t size)
{
        void *handle;
        const struct green__tls_backend *be = green__tls_module_open(path, &handle, why, size);

        if (be != NULL && !check(be, name, why, size)) {
                green__tls_module_close(handle);
                be = NULL;
        }
        return be;
}

static const struct green__tls_backend *
find_name(const char *name, char *why, size_t size)
{
        char path[PATH_MAX];

        if (green__tls_builtin != NULL && strcmp(green__tls_builtin->name, name) == 0)
                return check(green__tls_builtin, name, why, size) ? green__tls_builtin : NULL;
        if (green__tls_module_path(path, sizeof path, name) && green__tls_module_exists(path))
                return load(path, name, why, size);
        if (strcmp(name, "mbedtls") == 0)
                snprintf(why, size, "it is not part of this build");
        else
                snprintf(why, size, "there is none of that name in %s", green__tls_module_folder());
        return NULL;
}

/* What may be used, for messages. */
static const char *
what_there_is(void)
{
        bool openssl, mbedtls = green__tls_builtin != NULL;
        char path[PATH_MAX];

        openssl = green__tls_module_path(path, sizeof path, "openssl") && green__tls_module_exists(path);
        if (mbedtls && openssl)
                return "there are mbedtls (built in) and openssl";
        if (mbedtls)
                return "there is mbedtls (built in)";
        return openssl ? "there is openssl" : "there is none: green-net was built without any";
}

static const struct green__tls_backend *
choose(char *why, size_t size)
{
        const char *spec = getenv("GREEN_TLS");

        if (spec == NULL || spec[0] == '\0')
                return find_name(green__tls_builtin != NULL ? green__tls_builtin->name : "openssl", why, size);
        if (strchr(spec, '/') != NULL) {
                if (!green__tls_is_secure())
                        return load(spec, NULL, why, size);
                snprintf(why, size, "a set-id program takes names only, no paths");
                return NULL;
        }
        if (name_ok(spec))
                return find_name(spec, why, size);
        snprintf(why, size, "a name has at most 32 lower-case letters, digits and _; a path has a slash");
        return NULL;
}

const struct green__tls_backend *
green__tls_backend_get(void)
{
        const struct green__tls_backend *be = atomic_load(&chosen);
        char why[WHY_SIZE] = "";
        const char *spec;

        if (be != NULL)
                return be;
        pthread_mutex_lock(&lock);
        be = atomic_load(&chosen);
        if (be == NULL) {
                be = choose(why, sizeof why);
                atomic_store(&chosen, be);
        }
        pthread_mutex_unlock(&lock);
        if (be != NULL)
                return be;
        spec = getenv("GREEN_TLS");
        if (spec == NULL || spec[0] == '\0')
                green_set_error(GREEN_ETLSBACKEND, "TLS: no back end: %s; openssl: %s", what_there_is(), why);
        else
                green_set_error(GREEN_ETLSBACKEND, "TLS: GREEN_TLS=\"%.100s\": %s; %s", spec, why, what_there_is());
        return NULL;
}

const char *
green_tls_backend(void)
{
        const struct green__tls_backend *be = green__tls_backend_get();

        return be != NULL ? be->version() : NULL;
}
