/*
 * Which back end encrypts in this process: the one that GREEN_TLS names; if it names none, the one that is linked in,
 * or else OpenSSL's module. A name that cannot be used is an error, and nothing is put in its place.
 */
#include "tls_priv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <green/alloc.h>
#include <green/module.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct green__tls_backend *_Atomic chosen;

static void *
host_alloc(size_t len)
{
        return green_calloc(1, len);
}

static const struct green__tls_host host = {.size = sizeof host, .alloc = host_alloc, .free = green_free};

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

/* What it is called has to be its name, all functions have to be there, and it has to work here. */
static bool
check(const void *table, const char *name, char *why, size_t len)
{
        const struct green__tls_backend *be = table;
        const char *missing = missing_function(be);
        int rc;

        if (name != NULL && strcmp(be->name, name) != 0) {
                snprintf(why, len, "it calls itself \"%.32s\"", be->name);
                return false;
        }
        if (missing != NULL) {
                snprintf(why, len, "its table has no %s()", missing);
                return false;
        }
        rc = be->init(&host);
        if (rc != 0)
                snprintf(why, len, "it does not work here: %s", green_strerror(rc));
        return rc == 0;
}

_Static_assert(offsetof(struct green__tls_backend, abi) == offsetof(struct green_module_head, abi) &&
                       offsetof(struct green__tls_backend, size) == offsetof(struct green_module_head, size) &&
                       offsetof(struct green__tls_backend, name) == offsetof(struct green_module_head, name),
               "a back end's table begins as those of all modules");

/* NULL with green_last_error(). It stays loaded. */
static const struct green__tls_backend *
choose(void)
{
        static const struct green_module_hint hints[] = {
                {"mbedtls", "it is not part of this build"},
                {"openssl", "its module is not installed, or not part of this build"},
                {NULL, NULL},
        };
        const char *linked = green__tls_builtin != NULL ? green__tls_builtin->name : NULL;
        const struct green_module_builtin builtins[] = {{linked, green__tls_builtin}, {NULL, NULL}};
        const struct green_module_kind kind = {
                .size = sizeof kind,
                .what = "TLS back end",
                .prefix = "tls_",
                .symbol = "green_tls_module",
                .abi = GREEN__TLS_ABI,
                .table_size = sizeof(struct green__tls_backend),
                .code = GREEN_ETLSBACKEND,
                .builtins = builtins,
                .hints = hints,
                .check = check,
        };
        const char *spec = getenv("GREEN_TLS");
        struct green_module module;

        if (spec == NULL || spec[0] == '\0')
                spec = linked != NULL ? linked : "openssl";
        return green_module_open(&kind, spec, &module) == 0 ? module.table : NULL;
}

const struct green__tls_backend *
green__tls_backend_get(void)
{
        const struct green__tls_backend *be = atomic_load(&chosen);

        if (be != NULL)
                return be;
        pthread_mutex_lock(&lock);
        be = atomic_load(&chosen);
        if (be == NULL) {
                be = choose();
                atomic_store(&chosen, be);
        }
        pthread_mutex_unlock(&lock);
        return be;
}

const char *
green_tls_backend(void)
{
        const struct green__tls_backend *be = green__tls_backend_get();

        return be != NULL ? be->version() : NULL;
}
