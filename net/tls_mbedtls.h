/*
 * The inside of the mbedTLS back end. See tls_backend.h.
 */
#ifndef GREEN_TLS_MBEDTLS_H
#define GREEN_TLS_MBEDTLS_H

#include <config.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tls_backend.h"
#include "tls_mbedtls_compat.h"

#if !defined(MBEDTLS_THREADING_C)
#error "mbedTLS without MBEDTLS_THREADING_C cannot be used by several OS threads"
#endif

extern const struct green__tls_host *green__mbed_host;

/* Keys of session tickets, of a context and of those that replace it: see tls_mbedtls_ticket.c. */
struct mbed_tickets;

struct mbed_context {
        mbedtls_ssl_config client, server;
        mbedtls_x509_crt own, trusted;
        mbedtls_x509_crl revoked;
        mbedtls_pk_context key;
        bool has_own, has_revoked;
        struct mbed_tickets *tickets; /* NULL: none are given */
        int *ciphers;                 /* ended by 0 */
        const char **alpn;            /* ended by NULL; the texts lie behind it */
        enum green_tls_verify client_verify, server_verify;
        green_tls_verify_fn verify_fn;
        void *verify_arg;
        void *(*sni_fn)(void *sni_arg, const char *name);
        void *sni_arg;
        void (*keylog)(const char *line, void *arg);
        void *keylog_arg;
};

struct mbed_session {
        mbedtls_ssl_session session;
        bool verified; /* by the rules of a context that demands it */
        char *name;    /* NULL: for no name */
};

struct mbed_conn {
        mbedtls_ssl_context ssl; /* the first: callbacks know this only */
        struct mbed_context *context;
        struct green__tls_bytes bytes;
        char *verify_name;  /* NULL: any */
        char *session_name; /* of the session that was offered */
        char *sni;          /* servers: what the client asked for; NULL: nothing */
        bool server;
        bool greeted;          /* servers: the client's first message was seen, and the context is chosen */
        bool paused;           /* the next step is a dear one, and was put off for it to be announced */
        bool full;             /* a certificate was exchanged: no session was taken up */
        bool verified;         /* the certificate was, as it is demanded */
        bool name_fits;        /* it is for verify_name */
        bool session_verified; /* that of the session that was offered was */
        bool done;             /* the handshake */
        bool has_ticket;       /* TLS 1.3: one came after it */
        bool leaving;          /* close_notify was begun */
        bool read_over;        /* read() says read_code from now on */
        bool dry, bytes_end;   /* what bytes said: -EAGAIN, 0 */
        int read_code;
        bool said_goodbye;
        bool writing;   /* a record of the caller's is half sent, */
        size_t record;  /* and has so many of the bytes at most */
        int failed;     /* the code of every call from now on; 0: it works */
        int io_code;    /* what bytes failed with */
        int alert_sent; /* in the clear; -1: none */
        int verify_code;
        int depth;             /* of the peer's chain */
        uint32_t flags;        /* what is wrong with it */
        unsigned char head[5]; /* looked at, and not taken */
        unsigned head_at, head_len;
        char cipher[64], why_text[200];
};

/* tls_mbedtls_posix.c, tls_mbedtls_win32.c: random bytes, the same in each OS thread and after a fork. */
int green__mbed_random(void *arg, unsigned char *bytes, size_t len);

/* tls_mbedtls.c: a copy of a text in the host's memory; NULL: none. */
char *green__mbed_copy(const char *text);

/* tls_mbedtls_context.c */
int green__mbed_context_new(const struct green__tls_config *config, void **ret_context, char *why, size_t why_size);
void green__mbed_context_free(void *context);
/* Must there be a certificate (MBEDTLS_SSL_VERIFY_...)? Optional is also who only asks the callback. */
int green__mbed_authmode(const struct mbed_context *context, bool server);

/* tls_mbedtls_ticket.c */
/* NULL: no memory, or no random numbers. */
struct mbed_tickets *green__mbed_tickets_new(double lifetime);
struct mbed_tickets *green__mbed_tickets_ref(struct mbed_tickets *tickets);
void green__mbed_tickets_unref(struct mbed_tickets *tickets);
void green__mbed_tickets_use(mbedtls_ssl_config *conf, struct mbed_tickets *tickets);

/* tls_mbedtls_hello.c: so much of a client's first record is there; chooses the context when it is whole. 0 or a code.
 */
int green__mbed_hello(struct mbed_conn *conn, const unsigned char *record, size_t len);
/* See mbedtls_ssl_conf_sni(). */
int green__mbed_asked(void *unused, mbedtls_ssl_context *ssl, const unsigned char *name, size_t len);

/* tls_mbedtls_session.c: offer a session to the server, if it is one that the connection may go on with. 0 or a code.
 */
int green__mbed_session_offer(struct mbed_conn *conn, const struct mbed_session *session);
void *green__mbed_session_get(void *conn);
void green__mbed_session_free(void *session);

/* tls_mbedtls_verify.c: judge a certificate of the peer's chain; see mbedtls_ssl_set_verify(). */
int green__mbed_verify(void *conn, mbedtls_x509_crt *crt, int depth, uint32_t *flags);
/* A certificate in one block; NULL with errno. */
struct green_tls_cert *green__mbed_cert(const mbedtls_x509_crt *crt);

/* tls_mbedtls_error.c: a code of ours for one of mbedTLS's, with its text in why_text. */
int green__mbed_code(struct mbed_conn *conn, int ret);

#endif
