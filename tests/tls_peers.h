/*
 * Two ends of a TLS connection in one program, over memory, for tests of what stands behind net/tls_backend.h.
 *
 * The bytes between them come and go as badly as a network allows. What a back end allocates from its host is counted,
 * and the n-th allocation can be made to fail.
 */
#ifndef GREEN_TESTS_TLS_PEERS_H
#define GREEN_TESTS_TLS_PEERS_H

#include "../net/tls_backend.h"
#include "suite.h"

enum { PEERS_BACKENDS = 2, WIRE_SIZE = 1 << 17 };

/* What was loaded: peers_backends[i] for i < peers_count. */
extern const struct green__tls_backend *peers_backends[PEERS_BACKENDS];
extern int peers_count;

/* Memory of the host: blocks that were not freed; the number of allocations; the one that fails (0: none). */
extern long peers_live, peers_allocs, peers_fail_at;

/* One direction. */
struct wire {
        unsigned char data[WIRE_SIZE];
        size_t begin, end, carried; /* carried: bytes that were put in in all */
        size_t taken;               /* bytes that were taken out in all */
        bool closed;                /* nothing more comes */
        size_t portion;             /* bytes a call gives or takes at most; 0: no limit */
        unsigned again;             /* every again-th call says -EAGAIN; 0: none does without reason */
        unsigned calls;
        size_t cut;  /* it ends behind so many bytes; 0: it does not */
        size_t flip; /* the byte with this number, from 1 on, comes changed; 0: none */
        size_t room; /* bytes it holds at most */
        int broken;  /* the code of every call; 0: it works */
};

struct end {
        const struct green__tls_backend *tls;
        void *context, *conn;
        struct wire *in, *out;
        bool recv_again, send_again; /* what the callbacks said since this was set to false */
        int code;                    /* of the handshake: GREEN__TLS_WANT_READ as long as it goes on */
};

struct pair {
        struct end client, server;
        struct wire up, down; /* to the server, to the client */
};

/* What the host's memory is given back with. */
void peers_free(void *memory);

/* The texts of tests/certs/peers, NUL-terminated; the length counts the NUL. They stay until the program ends. */
const char *peers_text(const char *file, size_t *ret_len);

/* Modest defaults: a client that trusts ca.pem, a server with server.pem. */
struct green__tls_config peers_client(void);
struct green__tls_config peers_server(void);
void peers_cert(struct green__tls_config *config, const char *cert_file, const char *key_file);
void peers_ca(struct green__tls_config *config, const char *file);
void peers_crl(struct green__tls_config *config, const char *file);

/* Two contexts; false, with a failed check, where one cannot be made. */
bool peers_contexts(struct pair *pair, const struct green__tls_config *client, const struct green__tls_config *server);
/* Two connections: name is asked for and verified, NULL is neither. */
bool peers_connect(struct pair *pair, const char *name, void *session);
/* Moves the handshakes until both have ended or nothing moves any more. */
void peers_shake(struct pair *pair);
/* The three above, with localhost; false where the handshake of one failed. */
bool peers_open(struct pair *pair, const struct green__tls_config *client, const struct green__tls_config *server);
/* Frees the connections and empties the wires, whose faults are kept. */
void peers_hang_up(struct pair *pair);
/* That, and the contexts. */
void peers_close(struct pair *pair);

/* Back ends for the two ends: peers_backends[client], peers_backends[server]. The pair is empty then. */
void peers_choose(struct pair *pair, int client, int server);
bool peers_has_1_3(int backend);
/*
 * Does it know what a key costs before it is used, count the lives of tickets in fractions of seconds, and name no
 * session that has no ticket? mbedTLS does not; all else holds for both.
 */
bool peers_exact(const struct green__tls_backend *tls);

/* read() and write() that go on at WANT_...: what they return, or WANT_READ when there is nothing. */
ssize_t peers_read(struct end *end, void *buf, size_t len);
ssize_t peers_write(struct end *end, const void *buf, size_t len);
/* One message each way. */
bool peers_talk(struct pair *pair);

/* Runs fn for each pair of back ends. */
#define PEERS_EACH(pair)                                                                                               \
        for (int peers_i_ = 0; peers_i_ < peers_count * peers_count; peers_i_++)                                       \
                if (peers_choose((pair), peers_i_ / peers_count, peers_i_ % peers_count), true)

#endif
