/*
 * The inside of the HTTP client.
 *
 *      client.c           the client: its options, its end
 *      client_pool.c      connections: slots, those at rest, who waits for one
 *      client_connect.c   making one: proxy, TLS
 *      client_session.c   TLS sessions, for the next one
 *      client_request.c   what is asked, as bytes
 *      client_send.c      sending it, and its body
 *      client_fetch.c     an exchange, a second try, redirects
 *      client_head.c      the header of the response, as it comes
 *      client_body.c      its body
 *      client_inflate.c   the same decompressed
 *      client_response.c  what is asked of a response
 *      client_cookie.c    the jar
 *
 * A connection at rest is a green__link: its socket and the watch on it. What an exchange needs beside it, buffers, the
 * parser, the fields, is a green_http_response, of which the client keeps some for the next time: neither a request nor
 * its response allocates anything in the long run.
 */
#ifndef GREEN_CLIENT_PRIV_H
#define GREEN_CLIENT_PRIV_H

#include <stdlib.h>
#include <string.h>

#include <green/http_client.h>
#include <green/socket.h>

#include "url_priv.h"
#include "wsgi_priv.h"

enum {
        GREEN__CLIENT_IN = 16384,      /* buffer for what comes, to begin with */
        GREEN__CLIENT_BODY = 8192,     /* least room behind a header */
        GREEN__CLIENT_PIECE = 16384,   /* of a body that is sent in pieces */
        GREEN__CLIENT_FIELDS = 256,    /* header fields of a response */
        GREEN__CLIENT_TRAILERS = 64,   /* and of a trailer */
        GREEN__CLIENT_INTERIM = 16,    /* responses 1xx before the one that counts */
        GREEN__CLIENT_SESSIONS = 256,  /* of TLS, one for each host and port */
        GREEN__CLIENT_KEPT = 64,       /* responses that wait for use */
        GREEN__CLIENT_KEEP_MAX = 65536, /* bytes of a buffer that is kept with them */
        GREEN__CLIENT_BUCKETS = 256,
};

struct green__link;
struct green__client_session;
struct green__jar;

/* One host, port and scheme; it lives while it has a connection or somebody waits. */
struct green__peer_host {
        struct green__peer_host *next; /* in its bucket */
        struct green__peer_host *starving, *starving_prev; /* among those whose waiters lack room in all */
        bool is_starving;
        uint32_t hash;
        size_t links;             /* open, or being opened: slots in use */
        struct green__link *idle; /* used last first */
        struct green_waitq waiters; /* handed a link, or NULL: a slot */
        size_t waiting; /* they, and those who were taken off and have not run since */
        char key[];               /* "h:host:port" */
};

/* A connection. */
struct green__link {
        green_http_client *client;
        struct green__peer_host *host;
        green_socket *socket;
        struct green__link *next, *prev;   /* at rest: of its host */
        struct green__link *older, *newer; /* at rest: of all */
        struct green_watch watch;
        int64_t rests_until; /* at rest, with TLS: in ns; 0: for good */
        bool session_due; /* its TLS session was not kept yet */
        int64_t seen;     /* when the certificate was, in ns: here, or by the session that it has taken up */
};

struct green_http_client {
        struct green_http_client_opts opts; /* texts in it are gone, but for those below */
        uint64_t ident;
        unsigned forks; /* green__client_forks when it was made: in the child of a fork its connections are the parent's */
        unsigned refs; /* the user's, and one for each response in use */
        bool closed;
        size_t links; /* slots in use, of all hosts */
        struct green__link *oldest, *newest; /* at rest */
        struct green__peer_host *starving_first, *starving_last;
        struct green__peer_host *buckets[GREEN__CLIENT_BUCKETS];
        uint32_t seed;
        green_http_response *kept; /* for the next time */
        size_t kept_count;
        struct green__http1_limits limits;
        struct green__http1_limits body_limits; /* trailers stay within the room behind the header */
        green_tls_context *tls; /* made when it is needed first */
        struct green__client_session *sessions; /* used last first */
        size_t session_count;
        struct green__url proxy; /* text NULL: none */
        char *proxy_auth;        /* "Basic ...", or NULL */
        char **no_proxy;         /* ended by NULL; NULL: none */
        struct green_wsgi_pair *fields; /* of every request, ended by a name of NULL; may be NULL */
        char *user_agent;
        struct green__jar *jar;
};

enum green__framing { GREEN__BODY_NONE, GREEN__BODY_LENGTH, GREEN__BODY_CHUNKED, GREEN__BODY_TO_END };

/* What is asked, of one exchange of those that a fetch may take. */
struct green__ask {
        const struct green_http_request *request;
        const char *method;
        const char *auth;      /* "Basic ...", or NULL */
        bool stranger;         /* a redirect has led to another origin: nothing secret is said */
        bool no_body;          /* nor a body: a redirect has made a GET of it */
        bool proxied, tunnel;  /* by the proxy, and there by CONNECT */
        bool takes_compressed; /* we have said so */
        bool body_begun;       /* read_body was called: it has to begin anew */
        bool body_failed;      /* its code is what the request ends with */
        bool stalled;          /* nothing more of it was taken, for too long */
        bool follows;          /* redirects, */
        int redirects;         /* so many more */
};

struct green_http_response {
        green_http_client *client;
        green_http_response *next; /* kept */
        struct green__link *link;  /* NULL: given back */
        struct green__arena arena;
        struct green__url where;
        char *url;       /* as it is told; in the arena, or NULL */
        int64_t deadline; /* of it all, in ns; 0: none */
        struct green__ask ask;

        char *out; /* the request's header */
        size_t out_len, out_room;

        /*
         * What came: the header from 0 on, from start to end what was not taken yet. A byte behind it is kept free. It does
         * not move any more once the header is there: fields are told in place.
         */
        char *in;
        size_t in_room, start, end;
        unsigned interim; /* responses 1xx so far */
        struct green__http1 head;
        struct green__http1_field fields[GREEN__CLIENT_FIELDS];
        bool some;  /* a byte has come of the response */
        bool close; /* the connection ends with it, whatever it says */

        enum green__framing framing;
        uint64_t left; /* of GREEN__BODY_LENGTH */
        struct green__http1_chunked chunked;
        struct green__http1_field trailers[GREEN__CLIENT_TRAILERS];
        struct green_wsgi_pair *trailer; /* those that came, when it has ended; in the arena */
        size_t trailer_count;
        bool ended; /* all of the body was taken off the connection */
        int error;  /* it fails so again */

        void *inflate;  /* zlib's, kept */
        int inflating;  /* 0: it is not compressed; see client_inflate.c */
        uint64_t grown; /* bytes it has become */
        bool inflated;  /* its end has come */
        bool inflate_full; /* there was no room for all that came out */

        char *all; /* of green_http_read_all(), kept */
        size_t all_room;
};

/* client.c */
extern unsigned green__client_forks;
void green__client_unref(green_http_client *c);
/* The code of a call that failed, with a message of its own, where there is none yet. */
int green__client_fail(int code, const char *format, ...) GREEN_PRINTF(2, 3);

/* client_pool.c */
/* A slot, with or without a connection at rest in it: (*ret_link)->socket. May yield. 0 or a code. */
int green__link_take(green_http_client *c, const char *key, struct green__link **ret_link);
/* Its connection has carried a whole exchange: it rests, or goes to who waits. */
void green__link_rest(struct green__link *l);
/* It is over: the connection, if any, is closed, the slot goes to who waits. */
void green__link_close(struct green__link *l);
/* Close the connection, and keep the slot. */
void green__link_hang_up(struct green__link *l);
/* Of those at rest all; who waits is told. */
void green__pool_end(green_http_client *c);
/* Is a connection that has rested still there, as far as can be known? */
bool green__link_alive(struct green__link *l);

/* client_connect.c */
int green__link_connect(struct green__link *l, green_http_response *res);
bool green__proxy_for(const green_http_client *c, const char *name);

/* client_session.c */
/*
 * To be taken up by a connection to there, for green_tls_session_unref(), with the time when its certificate was seen;
 * NULL: there is none.
 */
green_tls_session *green__client_session_take(green_http_client *c, const char *address, int64_t now, int64_t *ret_seen);
/* For the next connection to there; the reference goes along. once: it may be taken once. */
void green__client_session_put(green_http_client *c, const char *address, green_tls_session *session, bool once, int64_t seen);
void green__client_session_forget(green_http_client *c, const char *address);
/* That of a connection over which something has come, if that was not done yet. */
void green__client_session_keep(struct green__link *l, const char *address);
void green__client_sessions_free(green_http_client *c);

/* client_request.c */
int green__client_check(const struct green_http_request *request);
int green__client_put_request(green_http_response *res);
/* Is there anything behind the request's header? */
bool green__client_has_body(const struct green__ask *ask);
/* "Basic ..." of "user:password", percent-encoded; for green_free(). */
int green__client_basic(const char *user, char **ret_auth);
/* Put text behind what is to be sent. 0 or -ENOMEM. */
int green__client_put(green_http_response *res, const char *text, size_t len);

/* client_send.c: 0, 1: the response is there before the body was sent; or a code. */
int green__client_send(green_http_response *res);
bool green__client_rewind(green_http_response *res);

/* client_head.c */
void green__client_head_begin(green_http_response *res);
/* Read until the header of a response that counts is there. interim: or until a 100 is, then 1. */
int green__client_read_head(green_http_response *res, bool interim);
/* Receive behind what is there, making room. Bytes, 0 at the end, or a code. */
ssize_t green__client_fill(green_http_response *res);
/* GREEN_EHTTP, with what the parser says. */
int green__client_malformed(green_http_response *res, int result);

/* client_body.c */
void green__client_body_begin(green_http_response *res);
/* As green_socket_recv(), with what has happened where a time limit is over. */
ssize_t green__client_recv(green_http_response *res, void *buf, size_t len);
/* What there is of it in the buffer, waiting for some: bytes, 0 at the end, or a code. */
ssize_t green__client_peek(green_http_response *res, const char **ret_data);
void green__client_take(green_http_response *res, size_t len);
/* Read from it as it was sent. */
ssize_t green__client_read_raw(green_http_response *res, void *buf, size_t len);
/* Is all of it here? Then it is taken. Never yields. */
bool green__client_finish(green_http_response *res);

/* client_inflate.c */
bool green__client_can_inflate(void);
int green__client_inflate_begin(green_http_response *res, const char *coding, size_t len);
ssize_t green__client_inflate(green_http_response *res, void *buf, size_t len);
void green__client_inflate_end(green_http_response *res);

/* client_response.c */
green_http_response *green__response_new(green_http_client *c);
/* Let go of the connection: to rest if it can. */
void green__response_drop_link(green_http_response *res);
/* As it is before an exchange. */
void green__response_reset(green_http_response *res);
void green__response_destroy(green_http_response *res);
/* The index-th field, in place, ended by NULs. */
void green__response_field(const green_http_response *res, unsigned index, struct green_wsgi_pair *ret);

/* client_fetch.c: a scope over one phase: seconds, 0 for none, and what is left of all. */
struct green__phase {
        struct green_timeout timeout;
        bool on;
};
int green__phase_begin(green_http_response *res, struct green__phase *p, double seconds);
/* What the phase's result is then. */
int green__phase_end(struct green__phase *p, int rc, const char *what);

/* client_cookie.c */
struct green__jar *green__jar_new(void);
void green__jar_free(struct green__jar *jar);
/* Take note of a Set-Cookie that came from there. */
void green__jar_set(struct green__jar *jar, const struct green__url *from, const char *field, time_t now);
/* The value of Cookie for there, in the arena; NULL with *ret_rc 0: none. */
char *green__jar_get(struct green__jar *jar, const struct green__url *to, time_t now, struct green__arena *arena, int *ret_rc);
/* It changes when a cookie does. */
uint64_t green__jar_version(const struct green__jar *jar);

#endif
