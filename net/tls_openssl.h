/*
 * What the files of the OpenSSL back end share. It is a module, net/tls_openssl*.c, behind net/tls_backend.h.
 *
 * OpenSSL keeps what went wrong in a queue of each OS thread. Whoever calls it empties the queue before and after, so
 * that nothing of one connection is told of another, or of an application that uses OpenSSL too.
 */
#ifndef GREEN_TLS_OPENSSL_H
#define GREEN_TLS_OPENSSL_H

#include <openssl/ssl.h>

#include "tls_backend.h"

/* The header and the whole of a small record: what one call of bytes.recv takes ahead of OpenSSL. */
enum { GREEN__OSSL_AHEAD = 1024 };

/* Keys of session tickets, of a context and of those that replace it: see tls_openssl_ticket.c. */
struct green__ossl_tickets;

/* A context. Nothing in it changes once it is made. */
struct green__ossl_context {
        SSL_CTX *ssl_ctx;
        struct green__ossl_tickets *tickets; /* NULL: none are given */
        char **alpn;                         /* ended by NULL; NULL: not negotiated */
        unsigned char *alpn_wire;            /* the same as it is sent: a length, a name, ... */
        unsigned alpn_wire_len;
        enum green_tls_verify client_verify, server_verify;
        green_tls_verify_fn verify_fn;
        void *verify_arg;
        void *(*sni_fn)(void *sni_arg, const char *name);
        void *sni_arg;
        void (*keylog)(const char *line, void *arg);
        void *keylog_arg;
        unsigned sign_cost; /* microseconds of a signature with its key; 0: it has none */
};

struct green__ossl_conn {
        SSL *ssl;
        struct green__tls_bytes bytes;
        struct green__ossl_context *context; /* the server's may be changed by the name the client asks for */
        struct green__ossl_tickets *tickets; /* of the context it began with */
        char *sni;                           /* servers: the name that was asked for; NULL: none */
        const char *alpn;                    /* the context's; NULL: none */
        char *why;                           /* NULL: why_static */
        const char *why_static;
        int failed;                      /* the code it has failed with, for good; 0: it has not */
        int io_code;                     /* what the functions of bytes said in this call of OpenSSL; 0: nothing bad */
        int verify_code;                 /* why the peer's certificate was refused; 0: it was not */
        bool greeted;                    /* servers: the client's hello was seen */
        bool server, done, goodbye;      /* the handshake is made; close_notify is sent */
        bool verified;                   /* clients: the peer's certificate was found good, now or in the session */
        bool eof, dry;                   /* in this call of OpenSSL: bytes.recv said the end, or -EAGAIN */
        bool no_recv;                    /* bytes.recv is not to be called */
        unsigned ahead_begin, ahead_end; /* bytes of ahead[] that OpenSSL has not taken yet */
        unsigned char *ahead;            /* scratch, or what was left of it, in the host's memory; NULL: neither */
        unsigned char *scratch;          /* GREEN__OSSL_AHEAD bytes of the caller's stack, in a call that reads */
};

/* A client's session. */
struct green__ossl_session {
        SSL_SESSION *ssl_session;
        bool verified; /* see green__ossl_conn */
};

/* Set once, by init(). */
extern struct green__tls_host green__ossl_host;

/* ---- tls_openssl_bio.c */
int green__ossl_bio_init(void);
/* Gives ssl the bytes of conn: 0 or -ENOMEM. */
int green__ossl_bio_attach(struct green__ossl_conn *conn);
/*
 * Around calls of OpenSSL that read: where to read ahead, GREEN__OSSL_AHEAD bytes that last until the second. What
 * OpenSSL has not taken then is kept: 0, or a code, with which conn has failed for good.
 */
void green__ossl_bio_lend(struct green__ossl_conn *conn, unsigned char *scratch);
int green__ossl_bio_settle(struct green__ossl_conn *conn);
void green__ossl_bio_drop(struct green__ossl_conn *conn);

/* ---- tls_openssl_context.c */
int green__ossl_context_new(const struct green__tls_config *config, void **ret_context, char *why, size_t why_size);
void green__ossl_context_free(void *context);
/* Set what depends on the side and on the rules of conn->context. */
void green__ossl_context_apply(struct green__ossl_conn *conn);

/* ---- tls_openssl_ciphers.c */
int green__ossl_ciphers(SSL_CTX *ssl_ctx, const char *names, char *why, size_t why_size);

/* ---- tls_openssl_pem.c: 0 or a code, with a text. */
int green__ossl_pem_load(SSL_CTX *ssl_ctx, const struct green__tls_config *config, char *why, size_t why_size);

/* ---- tls_openssl_hello.c: SNI and ALPN */
void green__ossl_hello_callbacks(struct green__ossl_context *context);
int green__ossl_alpn_copy(struct green__ossl_context *context, const char *const *alpn);
/* After the handshake: 0 or a code. */
int green__ossl_alpn_settled(struct green__ossl_conn *conn);

/* ---- tls_openssl_verify.c */
/* SSL_CTX_set_cert_verify_callback() */
int green__ossl_verify(X509_STORE_CTX *store_ctx, void *unused);
/* The name that a client demands: 0 or a code. */
int green__ossl_verify_name(struct green__ossl_conn *conn, const char *name);
/* May a session be taken up for this name? */
bool green__ossl_session_fits(const struct green__ossl_session *session, const char *name);

/* ---- tls_openssl_cert.c */
/* NULL: no memory. */
struct green_tls_cert *green__ossl_cert(X509 *x509);

/* ---- tls_openssl_ticket.c */
struct green__ossl_tickets *green__ossl_tickets_new(double lifetime);
struct green__ossl_tickets *green__ossl_tickets_ref(struct green__ossl_tickets *tickets);
void green__ossl_tickets_unref(struct green__ossl_tickets *tickets);
int green__ossl_tickets_use(SSL_CTX *ssl_ctx, const struct green__ossl_tickets *tickets);

/* ---- tls_openssl_error.c */
/* The code for what is in OpenSSL's queue, which is emptied; the text of it in why. */
int green__ossl_queue_code(char *why, size_t why_size);
/* conn fails for good; returns code. */
int green__ossl_fail(struct green__ossl_conn *conn, int code, const char *why);
/* The connection's text without an end to the connection; returns code. */
int green__ossl_say(struct green__ossl_conn *conn, int code, const char *why);

/* ---- tls_openssl_cost.c */
/* Microseconds of one signature; 0 for NULL. */
unsigned green__ossl_sign_cost(EVP_PKEY *key);
unsigned green__ossl_handshake_cost(void *conn);

#endif
