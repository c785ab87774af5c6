/*
 * The inside of the HTTP server.
 *
 *      wsgi.c           server: accept, shutdown
 *      wsgi_conn.c      connection: idle on a watch, or run by a green thread with a session
 *      wsgi_request.c   what the application asks of a request
 *      wsgi_body.c      the body of a request
 *      wsgi_response.c  what it answers
 *
 * A connection at rest is a green__conn and its socket: the watch in it fires when bytes arrive. Then a green thread
 * with a session (buffers, parser, request) runs it until its buffer is empty and the last read took all there was.
 */
#ifndef GREEN_WSGI_PRIV_H
#define GREEN_WSGI_PRIV_H

#include <config.h>

#include <errno.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/log.h>
#include <green/opts.h>
#include <green/park.h>
#include <green/thread.h>
#include <green/timeout.h>
#include <green/watch.h>
#include <green/wsgi.h>

#include "http1_parse_priv.h"

enum {
        GREEN__IN_FIRST = 16384,     /* read buffer to begin with */
        GREEN__OUT_SIZE = 16384,     /* answers that are collected before they are sent */
        GREEN__HEADERS_MAX = 65536,  /* header of a response */
        GREEN__FIELDS_MAX = 99,      /* header fields of a request */
        GREEN__DISCARD_MAX = 65536,  /* bytes of an unread body that are read away */
        GREEN__CHUNKED_ROOM = 4096,  /* room behind a head to read a chunked body in */
        GREEN__SESSIONS_KEPT = 64,   /* sessions that wait for use */
};

enum green__conn_state {
        GREEN__CONN_IDLE,    /* on its watch */
        GREEN__CONN_QUEUED,  /* has bytes, waits for its turn */
        GREEN__CONN_RUNNING, /* a green thread has it */
};

struct green__server;

struct green__conn {
        struct green__conn *next, *prev;       /* every connection of the server, circular */
        struct green__conn *queue_next;        /* those that wait for their turn */
        struct green__server *server;
        green_socket *socket;
        green_thread *thread;                  /* who runs it; borrowed */
        enum green__conn_state state;
        bool killed;                           /* at the end of the shutdown's patience */
        struct green_watch watch;
};

enum green__response_state {
        GREEN__RESPONSE_NONE,    /* not begun */
        GREEN__RESPONSE_LENGTH,  /* begun: so many bytes are to come */
        GREEN__RESPONSE_CHUNKED, /* begun: in chunks */
        GREEN__RESPONSE_CLOSE,   /* begun: until the end of the connection */
        GREEN__RESPONSE_DONE,
};

struct green_wsgi_request {
        struct green__session *session;
        char *base;                     /* first byte of the head, in the session's read buffer, which stays where it is */
        struct green__http1 head;
        struct green__http1_field fields[GREEN__FIELDS_MAX];
        struct green__http1_chunked chunked;
        uint64_t body_left;             /* of a body with a length */
        uint64_t body_read;             /* bytes the application has got */
        int body_error;                 /* it failed so: the connection cannot be used on */
        bool body_done;
        bool expects_continue;          /* the client waits for it */

        enum green__response_state response;
        int status;
        uint64_t response_left;         /* of GREEN__RESPONSE_LENGTH */
        bool no_body;                   /* HEAD, 204, 304 */
        bool close;                     /* the connection ends with this response */
        size_t headers_len;             /* of session->headers */
};

/* What a running connection needs. Kept by the server for the next one. */
struct green__session {
        struct green__session *next;
        struct green__conn *conn;
        struct green__server *server;
        char *in;                       /* read buffer */
        size_t in_room, in_start, in_end;
        bool drained;                   /* the last read took all there was */
        char *headers;                  /* fields the application added */
        size_t headers_room;
        char *path;                     /* the decoded path */
        size_t path_room;
        size_t out_len;
        green_wsgi_request request;
        char out[GREEN__OUT_SIZE];
};

struct green__server {
        struct green_wsgi_server_opts opts;
        struct green__http1_limits limits;
        green_wsgi_app app;
        void *arg;
        struct green__conn conns;             /* head of the list */
        struct green__conn *queue, **queue_end;
        size_t count;                         /* connections */
        size_t running;                       /* of them, with a green thread */
        struct green__session *sessions;      /* free ones */
        size_t sessions_count;
        struct green_waitq all_gone;          /* the shutdown waits here */
        bool closing;
        int64_t date_second;                  /* what date says */
        char date[GREEN_WSGI_DATE_SIZE];
};

/* wsgi_conn.c */
void green__conn_add(struct green__server *server, green_socket *socket);
void green__conn_close(struct green__conn *conn);
int green__session_flush(struct green__session *s);
int green__session_fill(struct green__session *s, bool wait);
int green__session_reserve(struct green__session *s, size_t behind);
void green__sessions_free(struct green__server *server);

/* wsgi_body.c */
void green__body_begin(green_wsgi_request *req);
int green__body_finish(green_wsgi_request *req);

/* wsgi_response.c */
void green__response_begin(green_wsgi_request *req);
void green__response_error(green_wsgi_request *req, int status);
int green__response_end(green_wsgi_request *req, int app_code);

/* http_status.c: "OK"; "" for one that is not registered */
const char *green__http_reason_phrase(int status);

/* Room in the collected answers. */
static inline size_t
green__out_room(const struct green__session *s)
{
        return GREEN__OUT_SIZE - s->out_len;
}

#endif
