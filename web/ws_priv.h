/*
 * The inside of WebSockets.
 *
 *      ws_conn.c        a connection: its bytes, from the hub's side; messages that wait
 *      ws_wait.c        waiting for them
 *      ws_send.c        sending messages
 *      ws_out.c         what is sent from the hub's side, or later
 *      ws_prepared.c    one message for many
 *      ws_close.c       the end
 *      ws_ask.c         what a connection is
 *      ws_site.c        options
 *      ws_app.c         server: the application, and the handler
 *      ws_handshake.c   server: the handshake
 *      ws_legacy.c      Hixie-75 and Hixie-76
 *      ws_connect.c     client
 *      ws_url.c         client: where to
 *      ws_answer.c      client: the server's answer to its handshake
 *      ws_extension.c   permessage-deflate: what is agreed on
 *      ws_deflate.c     and done
 *      ws_input.c       frames that come
 *      ws_mask.c        their mask
 *      ws_message.c     their memory
 *      utf8.c, digest.c, base64.c
 */
#ifndef GREEN_WS_PRIV_H
#define GREEN_WS_PRIV_H

#include <config.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/log.h>
#include <green/opts.h>
#include <green/park.h>
#include <green/thread.h>
#include <green/timeout.h>
#include <green/watch.h>
#include <green/websocket.h>

#include "ws_deflate_priv.h"
#include "ws_extension_priv.h"
#include "ws_input_priv.h"
#include "ws_mask_priv.h"
#include "wsgi_priv.h"

/* ---- what those of an OS thread have in common: ws_message.c */

enum { GREEN__WS_SCRATCH = 64 * 1024, GREEN__WS_MASKS = 64 };

struct green__ws_local {
        size_t users;
        struct green__ws_message *spares;
        size_t spares_count;
        struct green__ws_message *large;  /* the newest first */
        size_t large_bytes;
        struct green__ws_streams streams;
        uint8_t *buffer;                  /* see green__ws_buffer_begin() */
        uint32_t masks[GREEN__WS_MASKS];  /* of clients, to be used */
        size_t masks_left;
        uint8_t scratch[GREEN__WS_SCRATCH]; /* where bytes are received */
};

extern _Thread_local struct green__ws_local *green__ws_here;

/* As long as there is a connection in this OS thread. 0, or -ENOMEM. */
int green__ws_local_enter(void);
void green__ws_local_leave(void);

/* ---- sites */

struct green_websocket_site {
        atomic_uint refs;
        green_websocket_handler handler;
        void *arg;
        struct green_websocket_opts opts; /* without zeros */
        struct green__ws_limits limits;   /* of them */
        const char **protocols;           /* ended by NULL */
};

/* 0, or -EINVAL with a message, or -ENOMEM. */
int green__ws_site_new(green_websocket_handler handler, void *arg, const struct green_websocket_opts *opts,
                       green_websocket_site **ret_site);

/* ---- connections */

/* What was agreed on, and the streams. */
struct green__ws_deflate {
        struct green__ws_inflater in;
        struct green__ws_deflater out;
};

/* What could not be sent at once. */
struct green__ws_unsent {
        struct green__ws_unsent *next;
        green_websocket_prepared *message; /* whose frame it is; NULL: data is */
        const uint8_t *frame;
        size_t at, len;                    /* of the frame: sent; all */
        bool pong, rest;                   /* it is a pong; the rest of a sender's own message, which does not count */
        uint8_t data[];
};

/* An answer to green_websocket_environ() and kin. */
struct green__ws_text {
        struct green__ws_text *next;
        const char *value; /* NULL: there is none */
        char name[];
};

struct green_websocket {
        struct green__upgrade up; /* of a server's */
        green_websocket_site *site;
        green_socket *socket;
        uint64_t ident;
        struct green__ws_input in;
        struct green__ws_message *first, **last; /* that nobody has waited for */
        struct green__ws_message *current;       /* that the user has */
        size_t buffered;                         /* bytes of those that wait */
        struct green__ws_message *rest;          /* bytes that were received, and are not looked at while it is full */
        struct green_waitq waiters;              /* who waits for a message, for the end, or for users to leave */
        struct green_waitq senders;              /* who waits to send a message */
        struct green_waitq turn;                 /* who has its turn, and waits for what is sent from the hub's side */
        struct green__ws_unsent *out, **out_last;
        size_t unsent;                           /* bytes of it that count in max_unsent */
        green_thread *open_by;                   /* who sends a message in fragments */
        struct green__ws_deflate *deflate;       /* NULL: none was agreed on */
        void *data;
        const char *protocol;                    /* a text of the site's */
        struct green__ws_text *texts;
        uint16_t users;                          /* calls inside that wait */
        uint16_t closers;                        /* who waits until another one has closed it */
        uint16_t close_code;
        uint8_t version;
        uint8_t streak;                          /* messages that were taken without waiting */
        uint8_t open_type;                       /* of the message in fragments; 0: there is none */
        struct green__utf8 open_utf8;
        bool client : 1;
        bool paused : 1;   /* nothing is read: enough waits */
        bool again : 1;    /* the watch stands for more that is to be read at once */
        bool pinged : 1;   /* a ping was sent, and nothing has come since */
        bool resting : 1;  /* its handler is called when something comes */
        bool locked : 1;   /* somebody sends a message */
        bool writing : 1;  /* a frame is being written, */
        bool flushing : 1; /* by a green thread of ours, which counts among the users */
        bool kept : 1;     /* the last one failed on the way, and its rest is kept */
        bool close_sent : 1; /* or about to be: nothing else is */
        bool over : 1;     /* no message comes behind those that wait */
        bool ended : 1;    /* nothing is read any more */
        bool lost : 1;     /* nor can anything be sent */
        bool failed : 1;   /* the peer has broken the rules */
        bool told_end : 1; /* green_websocket_wait() has returned 0 */
        bool in_handler : 1;
        bool finished : 1; /* green__ws_finish() is through, or under way: */
        bool closing : 1;
};

/* A client's has its watch itself, a server's that of its connection. */
struct green__ws_client {
        green_websocket ws;
        struct green_watch watch;
};

static inline struct green_watch *
green__ws_watch(green_websocket *ws)
{
        return ws->client ? &((struct green__ws_client *)(void *)ws)->watch : &ws->up.conn->watch;
}

/* ws_conn.c */
/* Begin, once version, protocol and deflate are known: bytes that have come already, then those of the socket. */
int green__ws_init(green_websocket *ws, green_websocket_site *site, green_socket *socket, bool client);
/* A server's connection is watched for it from here on: before, it may not become one. A client's is from the beginning. */
void green__ws_take_watch(green_websocket *ws);
int green__ws_set_deflate(green_websocket *ws, const struct green__ws_params *agreed);
void green__ws_feed(green_websocket *ws, uint8_t *data, size_t len);
/* Read what there is, and watch for more. Never yields. */
void green__ws_receive(green_websocket *ws);
/* It has ended: say so to who waits. */
void green__ws_tell_end(green_websocket *ws);
/* The peer breaks the rules: close with a code. 0: there is no memory. */
void green__ws_fail(green_websocket *ws, int code, const char *reason);
/* It has closed, without a code. */
void green__ws_peer_closed(green_websocket *ws);
/* Who is sending, or waits for the end of the connection, comes back. */
void green__ws_cut(green_websocket *ws);
/* It is gone. */
void green__ws_lost(green_websocket *ws, int code);
/* A message is complete. */
void green__ws_deliver(green_websocket *ws, struct green__ws_message *m);
/* The messages that nobody will wait for. */
void green__ws_drop_queue(green_websocket *ws);
/* Let go of all it has but itself. The socket is closed already, and no green thread is inside. */
void green__ws_release(green_websocket *ws);

static inline bool
green__ws_full(const green_websocket *ws)
{
        return ws->buffered >= ws->site->opts.max_buffered && !ws->over;
}

/* The beginning of calls: 0, or a code. */
static inline int
green__ws_check(const green_websocket *ws)
{
        if (ws == NULL)
                return -EINVAL;
        return ws->ident == green_hub_ident() ? 0 : -EPERM;
}

static inline bool
green__ws_is_closed(const green_websocket *ws)
{
        return ws->close_sent || ws->lost;
}

/* The end of a call that has waited inside. */
static inline void
green__ws_leave(green_websocket *ws)
{
        if (--ws->users == 0 && ws->finished)
                green__ws_tell_end(ws);
}

/* ws_out.c */
/* The head of a frame before its payload: returns its bytes. With a mask if ws is a client's. */
size_t green__ws_head(uint8_t head[GREEN__WS_HEAD_MAX], unsigned first, uint64_t len, const uint32_t *mask);
uint32_t green__ws_new_mask(void);
/* Send a control frame, now or later; never yields. */
int green__ws_control(green_websocket *ws, enum green__ws_opcode opcode, const void *data, size_t len);
/* A close; nothing is sent behind it. */
void green__ws_say_close(green_websocket *ws, int code, const char *reason);
/* Bytes of a frame that was begun: they are sent before all else. at of len were sent. 0, or -ENOMEM. */
int green__ws_keep_rest(green_websocket *ws, const uint8_t *frame, size_t at, size_t len);
/* A frame now, or later. As green_websocket_post(). */
int green__ws_put(green_websocket *ws, green_websocket_prepared *message, const uint8_t *frame, size_t len, bool pong);
/* The frame that was being written is: whatever waits goes on. */
void green__ws_written(green_websocket *ws);
void green__ws_drop_out(green_websocket *ws);
/* Is it a code that says that the connection has gone? */
bool green__ws_is_gone(int code);

/* ws_send.c: a whole frame. Locked, and nobody writes. */
int green__ws_write_plain(green_websocket *ws, const uint8_t *frame, size_t len);

/* ws_close.c */
/* Say goodbye and wait for the peer's, unless hard. Shielded. The socket is closed then. */
int green__ws_finish(green_websocket *ws, int code, const char *reason, bool hard);
/* Before it is released: nobody else is in green__ws_finish(). */
void green__ws_wait_for_closers(green_websocket *ws);

/* ws_handshake.c */
/* The key's answer: 28 characters and a NUL. */
enum { GREEN__WS_ACCEPT_SIZE = 29, GREEN__WS_KEY_BYTES = 16 };
void green__ws_accept(const char *key, char text[GREEN__WS_ACCEPT_SIZE]);
/* Does a list of tokens, as Connection's, hold one? In any case. */
bool green__ws_has_token(const char *list, const char *token);

/* What the server's side has found out about a request. */
struct green__ws_handshake {
        int version;
        const char *key;
        const char *protocol; /* the site's text; NULL: none */
        bool deflate;
        struct green__ws_params agreed;
        char extension[GREEN__WS_EXTENSION_MAX];
        uint8_t digest[16];   /* of Hixie-76 */
};

/* Look at it. 0; 1: an error was answered; or a code. */
int green__ws_look(green_wsgi_request *req, const green_websocket_site *site, struct green__ws_handshake *h);
/* Answer it, and take the connection over; bytes that came behind the head are at *ret_data. 0, 1 or a code. */
int green__ws_answer(green_wsgi_request *req, const struct green__ws_handshake *h, void **ret_data, size_t *ret_len);
/* Answer with an error and close. 1, or a code. */
int green__ws_refuse(green_wsgi_request *req, int status);

/* ws_legacy.c */
int green__ws_legacy_look(green_wsgi_request *req, struct green__ws_handshake *h);
int green__ws_legacy_answer(green_wsgi_request *req, const struct green__ws_handshake *h, void **ret_data, size_t *ret_len);
/* Bytes that were used: at least one. */
size_t green__ws_legacy_input(green_websocket *ws, const uint8_t *data, size_t len);
int green__ws_legacy_send(green_websocket *ws, enum green_websocket_type type, const void *data, size_t len);
int green__ws_legacy_post(green_websocket *ws, const green_websocket_prepared *message);
static inline bool
green__ws_is_legacy(const green_websocket *ws)
{
        return ws->version >= 75;
}

/* ws_ask.c */
/* By names that no variable has: */
#define GREEN__WS_REASON "=reason"
/* value may be NULL. False: no memory. */
bool green__ws_remember(green_websocket *ws, const char *name, const char *value);
/* NULL: nothing was remembered. */
const struct green__ws_text *green__ws_recall(const green_websocket *ws, const char *name);

/* ws_prepared.c */
/* The frame as this connection sends it, for a server; *ret_len bytes. NULL: no memory. */
const uint8_t *green__ws_prepared_frame(green_websocket_prepared *message, const green_websocket *ws, size_t *ret_len);
/* Its payload. */
const uint8_t *green__ws_prepared_data(const green_websocket_prepared *message, size_t *ret_len,
                                       enum green_websocket_type *ret_type);

#endif
