/*
 * The inside of TLS: contexts, connections, and the choice of what encrypts. See <green/tls.h>, and "TLS" in
 * doc/design.md.
 */
#ifndef GREEN_TLS_PRIV_H
#define GREEN_TLS_PRIV_H

#include "socket_priv.h"

#include <stdatomic.h>

#include <green/tls.h>

#include "tls_backend.h"

/* ---- who encrypts: tls_load.c */

/* The back end of this process; NULL with errno and green_last_error(). It stays for good. */
const struct green__tls_backend *green__tls_backend_get(void);

/* ---- contexts: tls_context.c */

/* What a back end has made of a context's files. Connections keep the one that they began with. */
struct green__tls_made {
        atomic_uint refs;
        const struct green__tls_backend *be;
        void *context;
        uint64_t id; /* never used again */
};

/* A context's options, the texts and lists in blocks of their own. Immutable, and so shared by OS threads. */
struct green_tls_context {
        atomic_uint refs;
        const struct green__tls_backend *be;
        struct green_tls_opts opts;
        struct green__tls_sources *sources; /* the texts, and who is in use: tls_context.c */
};

/* Is there what the next function gives, or would it have to read the system's bundle first? thread-safe. */
bool green__tls_is_made(green_tls_context *context, bool server);
/* For a client or a server, with a reference. NULL with errno and green_last_error(). thread-safe. */
struct green__tls_made *green__tls_made_for(green_tls_context *context, bool server);
void green__tls_made_unref(struct green__tls_made *made);
/* Have what needs the system's bundle made in the pool; see green__tls_in_pool(). 0, or a code with green_last_error(). */
int green__tls_make_in_pool(green_tls_context *context, struct green_wait **ret_wait, double timeout);

/* Do two contexts trust the same? Then a session of one may be taken up with the other. */
bool green__tls_same_trust(const green_tls_context *a, const green_tls_context *b);

/* A context for what green_wrap_ssl() was told without one. */
green_tls_context *green__tls_context_simple(const struct green_wrap_ssl_opts *opts, bool server);

/* ---- files: tls_files_posix.c, tls_files_win32.c */

/* All of a file with a NUL behind it, which counts; for green_free(). Codes as green_tls_context_new(), with message.
 */
int green__tls_read_file(const char *path, char **ret_text, size_t *ret_len);
/* Likewise the certificates that the system trusts, as PEM. *ret_text NULL, and 0: it has no place for them. */
int green__tls_read_system(char **ret_text, size_t *ret_len);

/* ---- connections */

struct green_tls_session {
        atomic_uint refs;
        const struct green__tls_backend *be;
        void *session;
        green_tls_context *context; /* of the connection that began it, */
        uint64_t made;              /* what was made of it then, */
        char *name;                 /* and the name that was verified there; NULL: none was */
};

/* Bytes on their way between the descriptor and a handshake. */
struct green__tls_buffer {
        unsigned char *data;
        size_t at, len, size;
};

enum green__tls_state { GREEN__TLS_NEW, GREEN__TLS_SHAKING, GREEN__TLS_OPEN, GREEN__TLS_FAILED };

/* What a handshake waits for. */
enum green__tls_need {
        GREEN__TLS_FOR_READ,
        GREEN__TLS_FOR_WRITE,
        GREEN__TLS_FOR_POOL,
        GREEN__TLS_FOR_TURN,
        GREEN__TLS_FOR_TRUST /* whom to trust has to be read first */
};

/* Bytes that are received with a record's header, so that a short record costs one call of the system. */
#define GREEN__TLS_AHEAD 512

/* TLS on a socket: its transport_state. */
struct green__tls {
        green_socket *s;
        green_tls_context *context;
        const struct green__tls_backend *be;
        struct green__tls_made *made; /* set with conn */
        struct green__tls_made *sni;  /* of the name that the client asked for; NULL: made */
        void *conn;                   /* the back end's; NULL: no byte has moved yet */
        char *name;                   /* clients: to ask for and to verify; NULL: none */
        green_tls_session *session;   /* clients, until the handshake: take this up */
        bool server, lazy;

        /* The handshake. While one is busy, waiting or in the pool, the others wait for it. */
        enum green__tls_state state;
        enum green__tls_need need;
        bool busy;
        bool step_due;    /* the next thing to do is a step; otherwise it is to receive */
        bool ended_early; /* the descriptor's end has come */
        bool done;        /* the last step was the last */
        int step_code;    /* what the last step failed with */
        int send_code;    /* what sending has failed with; there may be something to receive all the same */
        int64_t deadline; /* nanoseconds; 0: not begun */
        struct green_waitq waiters;
        struct green_wait *turn_wait; /* who waits for the turn, or for a place in the pool */
        struct green__tls_buffer out;

        /* In the handshake and after it: bytes that were received, and not taken by the back end. */
        struct green__tls_buffer in;
        bool took_all; /* the last receive gave less than it could */
        bool dry;      /* the last one gave nothing */

        /* After it. */
        bool ended;   /* the peer has said goodbye */
        bool no_recv; /* shut down for reading */
        bool goodbye; /* said */
        int code;     /* what it failed with, for good */
        const char *why;
        size_t stuck;        /* bytes of a record of which a part is sent, */
        uint64_t stuck_hash; /* and what they were */
        unsigned char *ahead; /* GREEN__TLS_AHEAD bytes; NULL: the back end has not asked for a header alone yet */
};

extern const struct green__transport green__tls_transport;

/* tls.c: the TLS of a socket, or NULL. */
static inline struct green__tls *
green__tls_of(const green_socket *s)
{
        return s != NULL && s->transport == &green__tls_transport ? s->transport_state : NULL;
}

/* tls.c: without TLS's wire; NULL: no memory. */
struct green__tls *green__tls_new(green_socket *s, green_tls_context *context);
void green__tls_free(struct green__tls *t);

/* It has failed for good: keep why, and tell. Returns the code. */
int green__tls_fail(struct green__tls *t, int code, const char *why);
int green__tls_fail_again(const struct green__tls *t);

/* tls_handshake.c: as a transport's function: 0 it is made, -EAGAIN, or a code. */
int green__tls_shake(struct green__tls *t, unsigned *want);
/* A transport's wait() and cancel(). */
int green__tls_wait(green_socket *s, double timeout);
void green__tls_cancel(green_socket *s);

/* tls_bytes.c: what the back end gets to move bytes with. */
struct green__tls_bytes green__tls_bytes_of(struct green__tls *t);
/* Receive into the handshake's buffer: bytes, 0 at the end, -EAGAIN, or a code. */
ssize_t green__tls_fill(struct green__tls *t);
/* Send what a handshake has to say. 0: all has gone. */
int green__tls_flush(struct green__tls *t);
void green__tls_drop_buffers(struct green__tls *t);

/* One step, in whatever OS thread. */
void green__tls_step(struct green__tls *t);

/*
 * tls_turn.c: have a step made by the hub, one a poll: with *ret_wait set meanwhile, so that another can end the wait. As
 * green_park().
 */
int green__tls_turn(struct green__tls *t, struct green_wait **ret_wait, double timeout);

/*
 * tls_pool.c: likewise, in the pool, when there is a place, or here, where there is no pool. The timeout is that of the wait
 * for a place. fn returns NULL.
 */
int green__tls_in_pool(green_thread_fn fn, void *arg, struct green_wait **ret_wait, double timeout);
int green__tls_step_in_pool(struct green__tls *t, struct green_wait **ret_wait, double timeout);

/* tls_context.c: while a step of this connection runs in the calling OS thread. */
void green__tls_stepping(struct green__tls *t);

#endif
