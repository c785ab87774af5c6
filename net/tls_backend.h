/*
 * The interface between net/tls.c and what encrypts: mbedTLS (net/tls_mbedtls.c, linked in) or a module
 * ($(pkglibdir)/tls_NAME.so, which exports green_tls_module).
 *
 * A back end knows records, certificates and keys. It never touches a descriptor, waits, allocates behind the hook's back or
 * logs: bytes come and go through struct green__tls_bytes, memory through the host, and what went wrong is a code with a
 * text. A connection is used by one OS thread at a time, but not always the same: steps of a handshake are run in the pool
 * of OS threads. Contexts are used by all at the same time.
 */
#ifndef GREEN_TLS_BACKEND_H
#define GREEN_TLS_BACKEND_H

#include <sys/types.h>

#include <green/tls.h>

#define GREEN__TLS_ABI 1u

/* What a call of a connection returns besides 0, a count, and a negative code. */
#define GREEN__TLS_WANT_READ (-EAGAIN)         /* bytes.recv said -EAGAIN */
#define GREEN__TLS_WANT_WRITE (-EINPROGRESS)   /* bytes.send said -EAGAIN; call again with the same bytes, anywhere */

/* Where the bytes of a connection come from and go to. The functions never wait. */
struct green__tls_bytes {
        ssize_t (*recv)(void *arg, void *buf, size_t len);       /* bytes, 0 at the end, -EAGAIN, or a code */
        ssize_t (*send)(void *arg, const void *buf, size_t len); /* bytes, -EAGAIN, or a code */
        void *arg;
};

/* What net/ gives to a back end, once. */
struct green__tls_host {
        size_t size;
        void *(*alloc)(size_t len); /* zeroed */
        void (*free)(void *memory);
};

/* A context's content: files were read. PEM ends with NUL, which its length counts. */
struct green__tls_config {
        size_t size;
        const char *cert_pem, *key_pem, *password, *ca_pem, *crl_pem; /* NULL: none; ca_pem is there where peers are verified */
        size_t cert_pem_len, key_pem_len, ca_pem_len, crl_pem_len;
        enum green_tls_verify client_verify, server_verify; /* what each side demands: never DEFAULT */
        enum green_tls_version_number min_version, max_version;
        const char *ciphers;
        const char *const *alpn;
        green_tls_verify_fn verify_fn;
        void *verify_arg;
        /* Servers: the back end's context for a name, or NULL for this one. It stays as long as the connection. */
        void *(*sni_fn)(void *sni_arg, const char *name);
        void *sni_arg;
        bool tickets;
        double ticket_lifetime;
        void (*keylog)(const char *line, void *arg);
        void *keylog_arg;
        /* The context that this one takes the place of: tickets that it gave stay good. NULL: none. */
        void *previous;
};

/* What a connection is told. */
struct green__tls_conn_config {
        size_t size;
        bool server;
        const char *server_name; /* clients: to ask for (SNI); NULL: none, as for addresses */
        const char *verify_name; /* clients: name or address that the certificate must be for; NULL: any */
        void *session;           /* clients: of session_get(); NULL: none */
        struct green__tls_bytes bytes;
};

struct green__tls_backend {
        uint32_t abi;  /* GREEN__TLS_ABI */
        uint32_t size; /* sizeof(struct green__tls_backend) */
        const char *name;

        /* Once a process, before anything else: 0 or a code. */
        int (*init)(const struct green__tls_host *host);
        /* "openssl 3.0.15" */
        const char *(*version)(void);

        /* On failure why has a text. */
        int (*context_new)(const struct green__tls_config *config, void **ret_context, char *why, size_t why_size);
        void (*context_free)(void *context);

        int (*conn_new)(void *context, const struct green__tls_conn_config *config, void **ret_conn);
        void (*conn_free)(void *conn);
        /*
         * One step of the handshake, as far as the bytes that are there lead: 0 it is done, WANT_READ, WANT_WRITE or a code.
         * WANT_WRITE may also mean that the next step costs more than this one was said to: ask, and call again.
         */
        int (*handshake)(void *conn);
        /*
         * Microseconds of the processor that the next call of handshake() may take, as a rough bound: small where it only
         * parses, large where it signs, verifies or exchanges keys.
         */
        unsigned (*handshake_cost)(void *conn);
        /* After the handshake: 0 at the peer's close_notify, GREEN_ETLSEOF where the bytes end without it. peek: take nothing. */
        ssize_t (*read)(void *conn, void *buf, size_t len, bool peek);
        ssize_t (*write)(void *conn, const void *buf, size_t len);
        /* Send close_notify: 0 sent, now or before. */
        int (*shutdown)(void *conn);
        /* Bytes that read() would give without bytes.recv. */
        size_t (*pending)(void *conn);
        /* Bytes that came behind the peer's close_notify and are none of TLS's: copied to buf, at most len. */
        size_t (*leftover)(void *conn, void *buf, size_t len);
        /* Why the last call of this connection failed; a text, the connection's. */
        const char *(*why)(void *conn);

        /* Questions; NULL where there is no answer. */
        const char *(*conn_version)(void *conn);
        const char *(*conn_cipher)(void *conn);
        const char *(*conn_alpn)(void *conn);
        const char *(*conn_sni)(void *conn);
        bool (*conn_resumed)(void *conn);
        /* In one block of the host's memory; NULL: none, or no memory (errno). */
        struct green_tls_cert *(*conn_peer_cert)(void *conn);
        void *(*session_get)(void *conn);
        void (*session_free)(void *session);
};

/* tls_mbedtls.c; NULL where it was not built. */
extern const struct green__tls_backend *const green__tls_builtin;

#endif
