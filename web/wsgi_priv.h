/*
 * The inside of the HTTP server.
 *
 *      wsgi.c           server: its options, accept, the end
 *      wsgi_conn.c      connection: idle on a watch, or run by a green thread with a session
 *      wsgi_session.c   buffers of a connection that runs
 *      wsgi_turn.c      who may run: slots of max_size, or the custom pool
 *      wsgi_request.c   what the application asks of a request
 *      wsgi_environ.c   the same by CGI's names
 *      wsgi_workers.c   several OS threads
 *      wsgi_variable.c  the variables that stand behind these
 *      wsgi_param.c     parameters of query and form, cookies
 *      wsgi_cookie.c    cookies that are set
 *      wsgi_body.c      the body of a request
 *      wsgi_input.c     the same by lines, and as a whole
 *      wsgi_header.c    header fields of the response
 *      wsgi_response.c  what it answers
 *      wsgi_upgrade.c   connections that become something else
 *      wsgi_upgraded.c  those that live on without their request
 *      wsgi_file.c      a piece of it from a file
 *      wsgi_compress.c  whether it is compressed
 *      wsgi_deflate.c   how
 *      router.c         which application answers
 *      wsgi_proxy.c     who the client is behind proxies
 *      wsgi_behind.c    headers of the PROXY protocol
 *      wsgi_log.c       the access log
 *      wsgi_log_date.c  the time of its lines
 *      wsgi_log_fd.c    the same to a descriptor
 *      access_log.c     the same to a file, by an OS thread that writes
 *      wsgi_metrics.c   what is counted
 *
 * A connection at rest is a green__conn and its socket: the watch in it fires when bytes arrive. Then a green thread
 * with a session (buffers, parser, request) runs it until its buffer is empty and the last read took all there was.
 */
#ifndef GREEN_WSGI_PRIV_H
#define GREEN_WSGI_PRIV_H

#include <config.h>

#include <errno.h>
#include <time.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/log.h>
#include <green/metrics.h>
#include <green/opts.h>
#include <green/park.h>
#include <green/thread.h>
#include <green/timeout.h>
#include <green/timer.h>
#include <green/watch.h>
#include <green/wsgi.h>

#include "arena_priv.h"
#include "http1_parse_priv.h"

enum {
        GREEN__IN_FIRST = 16384,     /* read buffer to begin with */
        GREEN__OUT_SIZE = 16384,     /* answers that are collected before they are sent */
        GREEN__COLLECT_MAX = 8192,   /* most that is collected for a chunk */
        GREEN__HEADERS_MAX = 65536,  /* header of a response */
        GREEN__FIELDS_MAX = 99,      /* header fields of a request */
        GREEN__DISCARD_MAX = 65536,  /* bytes of an unread body that are read away */
        GREEN__CHUNKED_ROOM = 4096,  /* room behind a head to read a chunked body in */
        GREEN__SESSIONS_KEPT = 64,   /* sessions that wait for use */
};

struct green__team;
struct green__server;
struct green__session;
struct green__upgrade;

enum green__conn_state {
        GREEN__CONN_IDLE,     /* on its watch */
        GREEN__CONN_QUEUED,   /* has bytes, waits for its turn */
        GREEN__CONN_RUNNING,  /* a green thread has it */
        GREEN__CONN_UPGRADED, /* it is something else, and has no session */
};

enum { GREEN__IP_SIZE = 46 }; /* text of an address, its NUL too */

/* Whom a connection was accepted from: also when it has gone, and no system call can say. */
struct green__peer {
        unsigned char ip[16]; /* IPv4 as ::ffff:a.b.c.d */
        uint16_t port;
        uint8_t family;       /* AF_INET, AF_INET6, AF_UNIX; 0: anything else */
};

/* Many rest: each byte here counts, up to 248, which malloc() has no waste for. */
struct green__conn {
        struct green__conn *next, *prev; /* of the server's idle ones, or of its busy ones; circular */
        union {
                struct green__conn *queue_next; /* queued: who waits for its turn behind it */
                struct green__session *session; /* running: what with; NULL: it is about to be closed */
                struct green__upgrade *upgrade; /* upgraded */
        };
        struct green__server *server;
        green_socket *socket;
        uint8_t state;                   /* enum green__conn_state */
        bool starting : 1;               /* its green thread has begun, and it is not known for what */
        bool told : 1, killed : 1;       /* of the server's end; at the end of its patience */
        bool orphan : 1;                 /* its green thread was killed before it began, and it needs one to end */
        bool proxy_due : 1;              /* a header of the PROXY protocol comes first */
        bool proxied : 1;                /* peer is who it says */
        bool proxied_tls : 1;            /* and has spoken TLS with the proxy */
        struct green__peer peer;
        struct green_watch watch;
};

/*
 * A connection that has become something else and lives on without its request, with or without a green thread. Part of
 * what it has become; memory for the request's head included.
 */
struct green__upgrade {
        const struct green__upgrade_ops *ops;
        struct green__conn *conn;
        green_thread *thread; /* who runs it; NULL: it rests */
        const char *head;     /* of the request */
        int64_t began;        /* as of the request */
        uint32_t head_len, bytes_sent;
        uint32_t mount; /* green__mount_offset() */
};

struct green__upgrade_ops {
        /* Run it: true if it rests then, until green__upgrade_wake(); false if it has ended. */
        bool (*run)(struct green__upgrade *u);
        /* The server ends. Must not yield. */
        void (*closing)(struct green__upgrade *u);
        /* The server's patience is over: no waiting for the peer from here on. Who runs is killed next. Must not yield. */
        void (*cut)(struct green__upgrade *u);
        /* The last call: free it. */
        void (*end)(struct green__upgrade *u);
};

enum green__response_state {
        GREEN__RESPONSE_NONE,    /* not begun */
        GREEN__RESPONSE_LENGTH,  /* begun: so many bytes are to come */
        GREEN__RESPONSE_CHUNKED, /* begun: in chunks */
        GREEN__RESPONSE_CLOSE,   /* begun: until the end of the connection */
        GREEN__RESPONSE_TAKEN,   /* the application has the connection */
        GREEN__RESPONSE_DONE,
};

struct green__hook {
        struct green__hook *next;
        green_wsgi_hook_fn fn;
        void *arg;
};

struct green_wsgi_request {
        struct green__session *session;
        char *base;                     /* first byte of the head, in the session's read buffer, which stays where it is */
        struct green__http1 head;
        struct green__http1_field fields[GREEN__FIELDS_MAX];
        struct green__http1_chunked chunked;
        uint64_t body_left;             /* of a body with a length */
        uint64_t body_read;             /* bytes the application has got */
        int64_t body_began;             /* when it was asked for first; 0: not yet */
        int body_error;                 /* it failed so: the connection cannot be used on */
        bool body_done;
        bool expects_continue;          /* the client waits for it */

        enum green__response_state response;
        int status;
        uint64_t response_left;         /* of GREEN__RESPONSE_LENGTH */
        bool no_body;                   /* HEAD, 204, 304 */
        bool close;                     /* the connection ends with this response */
        int send_error;                 /* what sending has failed with; 0: it has not */
        bool header_put;                /* its header stands in the session's out, or was sent */
        bool sent;                      /* a part of it has left out: it cannot be taken back */
        bool has_date;                  /* the application has set one */
        size_t out_mark;                /* where in out it begins, while nothing of it was sent */
        size_t collect_mark;            /* where in out begins what is collected without chunks */
        size_t headers_len;             /* of session->headers */
        size_t minimum_chunk;
        bool compressed;                /* its header says so */
        struct green__compress *compress; /* what its body goes through; NULL: nothing, or it has none */
        char *continue_fields;          /* for the next 100: lines; NULL: none */
        size_t continue_len;
        struct green__hook *hooks, **hooks_end;
        green_wsgi_hook_fn on_closing;
        void *on_closing_arg;
        bool idle;                      /* green_wsgi_set_idle() */
        bool counted;                   /* among the metrics' */
        int64_t came;                   /* the first byte of its head: nanoseconds, monotonic */
        struct green__upgrade *upgrade; /* what goes on when the application has returned; NULL: nothing */

        /* For the log: valid to its end. */
        bool refused;                   /* never came to the application */
        const char *line;               /* the request line, as sent; set where there is an access log */
        size_t line_len;
        int64_t began;                  /* nanoseconds, monotonic; likewise */
        uint64_t body_sent, bytes_sent; /* of the response: bytes of the body, and all */

        /* Made when they are asked for, in the session's arena; NULL: not yet. */
        struct green__environ *environ;
        struct green__params *query_params, *form_params, *cookies;
        const char *client, *host, *path;
        size_t path_len;
        struct green__route *route;     /* of the innermost router; NULL: it came through none */
        bool missed;                    /* green_static_opts::not_found is being called */
        green_stream *input;
        char *line_buf;                 /* of green_wsgi_readline() */
        size_t line_room;
};

/* What a running connection needs. Kept by the server for the next one. */
struct green__session {
        struct green__session *next;
        struct green__conn *conn;
        green_thread *thread;           /* who runs it; borrowed */
        struct green__server *server;
        char *in;                       /* read buffer */
        size_t in_room, in_start, in_end;
        bool drained;                   /* the last read took all there was */
        bool begun;                     /* a byte of a request has come */
        bool in_app;                    /* the application is being called */
        char *headers;                  /* fields the application added */
        size_t headers_room;
        struct green__arena arena;      /* the request's */
        size_t chunk_open;              /* where in out the chunk that is collected begins; 0: none is */
        struct green__session *late_next, **late_prev; /* with out that is due at the next poll */
        size_t out_len;
        int64_t came;                   /* when bytes have come that begin a head: for its request's time */
        int64_t unsent_came;            /* the same of the answers in out, which have come together */
        unsigned unsent;                /* how many: requests that have ended */
        green_wsgi_request request;
        char out[GREEN__OUT_SIZE];
};

/* For the metrics. What other OS threads read is written by green__note(). */
struct green__server_counts {
        uint64_t connections, idle, websockets;
        uint64_t status[6]; /* as in struct green_wsgi_metrics */
        struct green_metrics_histogram times;
        int64_t woken; /* when connections were woken last; 0: to be read by the first that runs */
        uint64_t hub;  /* green_hub_ident() */
        struct green_hub_end hub_end;
};

struct green__server {
        struct green_wsgi_server_opts opts;
        struct green__http1_limits limits, body_limits; /* of heads; of chunks and trailers */
        green_wsgi_app app;
        void *arg;
        green_socket *listener;
        struct green__conn idle, busy;        /* heads of the lists; the first idle one is so for longest */
        struct green__conn *queue, **queue_end;
        size_t count;                         /* connections */
        size_t running;                       /* requests inside the application */
        size_t starting;                      /* green threads that have begun, and have no request yet */
        size_t threads;                       /* green threads there are */
        struct green__turn *turns;            /* free ones */
        pid_t pid;                            /* whose green threads they are */
        struct green_waitq slots;             /* requests that wait for one; it is handed over */
        struct green_waitq room;              /* accept waits here while there is no slot, or no room */
        struct green_waitq dispatch;          /* the custom pool's dispatcher waits here for the queue */
        green_thread *dispatcher;
        struct green__session *sessions;      /* free ones */
        size_t sessions_count;
        struct green__compress *compressors;  /* free ones */
        size_t compressors_count;
        size_t compress_busy;                 /* responses that are being compressed */
        struct green_waitq all_gone;          /* the shutdown waits here */
        bool closing;
        bool forked;                          /* this is the child of a fork: its connections are the parent's */
        struct green__team *team;             /* the OS threads that serve; NULL: this one alone */
        int worker;                           /* its number among the processes or OS threads that serve; -1: none */
        bool hook_names_worker;               /* the log hook says which process it is */
        bool draining;                        /* it is closing, and those at rest stay for a while */
        bool told_full;                       /* that max_size requests run */
        int64_t warned_unproxied;             /* when it was last, of a connection without a header; 0: never */
        int64_t date_second;                  /* what date says */
        char date[GREEN_WSGI_DATE_SIZE];
        green_timer *late;                    /* fires at the next poll */
        struct green__session *late_first;
        struct green_wsgi_stats own, *stats;  /* opts.stats, or own */
        struct green_wsgi_pair *environ;      /* copied */
        struct green__proxies *proxies;       /* NULL: nobody is trusted */
        struct green__access_log *log;        /* NULL: no access log is wanted */
        struct green__server *servers_next;   /* of those that run, in all OS threads */
        struct green__server_counts counts;
};

/* wsgi.c: one server, the whole or that of an OS thread. As green_wsgi_server(). */
int green__wsgi_serve(green_socket *listener, green_wsgi_app app, void *arg, const struct green_wsgi_server_opts *opts,
                      struct green__team *team, size_t index);

/* In the child of a fork, for a server of the OS thread that forked. */
void green__wsgi_forked(struct green__server *server);

/* Would it begin with these options, without a custom_pool? 0, or its code. */
int green__wsgi_check(const struct green_wsgi_server_opts *opts);

/* wsgi_workers.c: as green_wsgi_server(), with opts->workers above 1. */
int green__wsgi_workers(green_socket *listener, green_wsgi_app app, void *arg, const struct green_wsgi_server_opts *opts);
/* Add what somebody else writes; and have it where somebody else reads. */
void green__stats_add(struct green_wsgi_stats *sum, const struct green_wsgi_stats *more);
void green__stats_tell(struct green_wsgi_stats *to, const struct green_wsgi_stats *stats);
struct green_wsgi_stats *green__team_stats(struct green__team *team, size_t index);
/* How many connections all have, and how many serve. */
bool green__team_load(const struct green__team *team, size_t *ret_connections, size_t *ret_count);
/* The first of them accepts no more: nor do the others from now on. */
void green__team_ends(struct green__team *team);
/* Which of the processes of green_workers_run() this is; -1: none of its workers. */
int green__worker_index(void);
/* The same of processes (<green/workers.h>). False: these figures are not what one of them shares. */
bool green__workers_load(const struct green_wsgi_stats *stats, size_t *ret_connections, size_t *ret_count);

/* wsgi_conn.c */
void green__conn_add(struct green__server *server, green_socket *socket, const struct green_addr *peer);
void green__conn_close(struct green__conn *conn);
/* Run it in the calling green thread until it rests or ends. */
void green__conn_run(struct green__conn *conn);

/* A request begins: nothing is known of it. */
void green__request_begin(green_wsgi_request *req);
/* Its request line for the log, before anything is written into the read buffer. */
void green__request_note_line(struct green__session *s);

/* wsgi_upgrade.c */
/* As green_wsgi_upgrade(), with these lines before the fields of the application. */
green_socket *green__upgrade_answer(green_wsgi_request *req, const char *protocol, const char *lines, size_t lines_len,
                                    const void **ret_data, size_t *ret_len);

/* wsgi_upgraded.c */
/* Bytes that the request's head takes, in a plain form, and to put it there. */
size_t green__upgrade_head_size(const green_wsgi_request *req);
/* When the application has returned it goes on so. Memory for the head is at head. */
void green__upgrade_set(green_wsgi_request *req, struct green__upgrade *u, char *head);
/* Run the connection in the calling green thread, until it rests or has ended. */
void green__upgrade_run(struct green__conn *conn);
/* It rests, and something has come. Hub context, or any other. False: there is no memory for a green thread. */
bool green__upgrade_wake(struct green__upgrade *u);
/* The server's patience is over. */
void green__upgrade_kill(struct green__upgrade *u);
/* Its green thread ends in the middle. */
void green__upgrade_abandoned(struct green__upgrade *u);
/* Ask the request once more, which is made anew for that. 0, or -ENOMEM. fn must not yield. */
int green__upgrade_ask(struct green__upgrade *u, void (*fn)(green_wsgi_request *req, void *arg), void *arg);

/* wsgi_turn.c */
/* Run a connection that holds no slot in a green thread. False: there is no memory for one. */
bool green__turn_spawn(struct green__conn *conn);
/* A connection has bytes: have it run, now or when it is its turn. Hub context. */
void green__turn_ask(struct green__conn *conn);
/* The calling green thread, which has begun, waits for the rest of a head: others may begin. */
void green__turn_pause(struct green__conn *conn);
/* Wait for a slot for the request that is there. 0, or a code. */
int green__turn_take(struct green__conn *conn);
void green__turn_give(struct green__conn *conn);
/* Is there a slot for one more, so that it is worth accepting? */
bool green__turn_room(const struct green__server *server);
int green__turn_begin(struct green__server *server);
/* Time is up: close what stands in the queue. */
void green__turn_drop(struct green__server *server);
/* The server ends: those whose green thread was killed before it began get another one, to end in order. */
void green__turn_orphans(struct green__server *server);
void green__turns_free(struct green__server *server);
/* The last connection has gone. */
void green__turn_end(struct green__server *server);

/* wsgi_session.c */
struct green__session *green__session_take(struct green__server *server, struct green__conn *conn);
void green__session_give(struct green__session *s);
/* What was collected is not sent any more. */
void green__session_drop(struct green__session *s);
void green__sessions_free(struct green__server *server);
/* Send what was collected. */
int green__session_flush(struct green__session *s);
/* Send a large piece behind it, without a copy, and a short one behind that; NULL: none. */
int green__session_send(struct green__session *s, const void *data, size_t len, const char *tail, size_t tail_len);
/* What is in out is to be sent at the next poll, if it was not by then. */
void green__session_late(struct green__session *s);
/* Of every session of the server, given as void: that poll has come. */
void green__session_late_all(void *server);
/* Nothing is due: this is the child of a fork. */
void green__sessions_forked(struct green__server *server);
/* Read more. Returns 1 if something came, 0 at the end, -EAGAIN if there is nothing and wait is false. */
int green__session_fill(struct green__session *s, bool wait);
/* Move what is in the read buffer to its front, and grow it until so many bytes fit behind `behind`. */
int green__session_reserve(struct green__session *s, size_t behind);

/* wsgi_body.c */
void green__body_begin(green_wsgi_request *req);
int green__body_finish(green_wsgi_request *req);
/* Without the stream of green_wsgi_input(). */
ssize_t green__body_read(green_wsgi_request *req, void *buf, size_t len);

/* Send what is in out, and then a part of a file. *ret_done: bytes of the file. */
int green__session_sendfile(struct green__session *s, green_fd file, int64_t offset, uint64_t len, uint64_t *ret_done);

/* wsgi_file.c: a piece of the body from a file, which has so many bytes. */
int green__response_file(green_wsgi_request *req, green_fd file, int64_t offset, uint64_t len);

/* wsgi_header.c */
/* Take away the response's fields of that name. */
void green__header_remove(green_wsgi_request *req, const char *name);
/* Append a field to the response's, unchecked. */
int green__header_put(green_wsgi_request *req, const char *name, size_t name_len, const char *value, size_t value_len);
/* The lines of fields, in the arena, checked: 0, -EINVAL, -ENOMEM. */
int green__header_lines(green_wsgi_request *req, const struct green_wsgi_pair *fields, char **ret_lines, size_t *ret_len);
bool green__header_value_ok(const char *value);

/* wsgi_response.c */
void green__response_begin(green_wsgi_request *req);
/* Its request's head is known. */
void green__response_head(green_wsgi_request *req);
void green__response_error(green_wsgi_request *req, int status);
/* Send an informational response with these lines. As green_wsgi_send_informational(). */
int green__response_inform(green_wsgi_request *req, int status, const char *lines, size_t len);
int green__response_end(green_wsgi_request *req, int app_code);
/* End the chunk that is collected, so that out can be sent. */
void green__response_seal(struct green__session *s);
/* Have the header of a response that was begun in out, or sent. */
int green__response_head_put(green_wsgi_request *req);
/* The same before a piece of the body: is it allowed? */
int green__response_piece(green_wsgi_request *req, uint64_t len);
/* A piece of a body that is compressed, as a chunk. */
int green__response_chunk(green_wsgi_request *req, const void *data, size_t len);
/* Before anything that comes ahead of the response: 0, or -EALREADY. */
int green__response_not_begun(const green_wsgi_request *req);

/* wsgi_date.c */
/* Nanoseconds of a monotonic clock. */
int64_t green__wsgi_now(void);
/* Seconds since 1970, by the clock on the wall: for dates that are told. */
time_t green__wsgi_wall(void);
/* The time as HTTP writes it. */
const char *green__wsgi_date(struct green__server *server);

/* wsgi_environ.c: the server's own variables. 0, or -EINVAL with a message, or -ENOMEM. */
int green__environ_take(struct green__server *server);
void green__environ_release(struct green__server *server);
/* Variables say something else than they did. */
void green__environ_changed(green_wsgi_request *req);

/*
 * mount.c: the path before what the application is mounted at, or behind it, decoded. NULL with errno: no memory.
 */
const char *green__mounted(green_wsgi_request *req, bool before);
/* Where in the raw path that is; and have it there. 0, or -ENOMEM. */
size_t green__mount_offset(const green_wsgi_request *req);
int green__mount_at(green_wsgi_request *req, size_t offset);

/* wsgi_variable.c */
/* One that the request says itself; NULL: none, or with errno ENOMEM. made: it was put together, in the arena. */
const char *green__variable(green_wsgi_request *req, const char *name, bool *ret_made);
/* The names of all of them, some twice; NULL: none of this index, or with errno ENOMEM. */
size_t green__variable_count(const green_wsgi_request *req);
const char *green__variable_name(green_wsgi_request *req, size_t index);

/* wsgi_proxy.c: opts.trusted_proxies. 0, or -EINVAL with a message, or -ENOMEM. */
int green__proxies_take(struct green__server *server);
void green__proxies_release(struct green__server *server);
struct green__peer green__peer_of(const struct green_addr *addr);
struct green_addr green__peer_addr(const struct green__peer *peer);
bool green__proxies_trust(const struct green__server *server, const struct green__peer *peer);
static inline bool
green__has_port(const struct green__peer *peer)
{
        return peer->family == AF_INET || peer->family == AF_INET6;
}
/* "127.0.0.1", "unix"; "" for anything else. Returns text. */
const char *green__peer_text(const struct green__peer *peer, char text[GREEN__IP_SIZE]);
/* The client as the access log shows it: with X-Forwarded-For, as WSGI-96 has it. "" where there is no memory. */
const char *green__proxy_logged(green_wsgi_request *req);

/*
 * wsgi_behind.c: where opts.proxy_protocol is set. Somebody has connected: false, and it is told, where he may not say who the
 * client is.
 */
bool green__behind_lets_in(struct green__server *server, const struct green__peer *peer);
/* Receive the header that is due. False: there is no right one, which is told. May yield. */
bool green__behind_read(struct green__conn *conn);

/*
 * wsgi_log.c: the access log. take() looks at the options: 0 with server->log set where one is wanted, or -EINVAL with a
 * message, or -ENOMEM.
 */
int green__log_take(struct green__server *server);
void green__log_release(struct green__server *server);
/* Lines that were not given yet are the parent's. */
void green__log_forked(struct green__server *server);
/* A request has ended, or was refused. */
void green__log_request(green_wsgi_request *req);
/*
 * The life of the server, "starting up" and "exited", and of a connection (WSGI-97); conn is NULL where there is none. The
 * former goes where the access log does, the latter to the log hook, for who looks for a fault.
 */
void green__log_life(struct green__server *server, const struct green__conn *conn, const char *what);

/*
 * Add to a number that other OS threads or processes read, and read it. It has one writer, so no instruction need be a
 * locked one. Struct green_wsgi_stats and struct green__server_counts are made of such numbers.
 */
static inline void
green__note(uint64_t *number, int64_t n)
{
        __atomic_store_n(number, *number + (uint64_t)n, __ATOMIC_RELAXED);
}

static inline uint64_t
green__noted(const uint64_t *number)
{
        return __atomic_load_n(number, __ATOMIC_RELAXED);
}

static inline void
green__tell_size(size_t *number, size_t value)
{
        __atomic_store_n(number, value, __ATOMIC_RELAXED);
}

static inline void
green__note_size(size_t *number, int n)
{
        green__tell_size(number, *number + (size_t)n);
}

static inline size_t
green__noted_size(const size_t *number)
{
        return __atomic_load_n(number, __ATOMIC_RELAXED);
}

/*
 * wsgi_metrics.c: the metrics. A server begins and ends; a connection becomes something else, which may live on for as long
 * as it likes; a request has ended whose answer was given to the system, or came apart from those that are in out; what was
 * in out is given to the system.
 */
void green__wsgi_metrics_begin(struct green__server *server);
void green__wsgi_metrics_end(struct green__server *server);
void green__wsgi_metrics_upgraded(green_wsgi_request *req);
void green__wsgi_metrics_ended(green_wsgi_request *req);
void green__wsgi_metrics_sent_some(struct green__session *s);

/* A request's status is what it is. */
static inline void
green__wsgi_metrics_count(green_wsgi_request *req)
{
        unsigned status = (unsigned)req->status;
        size_t class = status >= 200 && status < 300 ? 2 : status < 600 ? status / 100 : 0;

        req->counted = true;
        green__note(&req->session->server->counts.status[class], 1);
}

/* It has ended; what follows in most cases is green__wsgi_metrics_sent(). */
static inline void
green__wsgi_metrics_request(green_wsgi_request *req)
{
        struct green__session *s = req->session;

        if (req->counted)
                return;
        green__wsgi_metrics_count(req);
        if (s->out_len == 0 || (s->unsent > 0 && s->unsent_came != req->came)) {
                green__wsgi_metrics_ended(req);
        } else {
                s->unsent_came = req->came;
                s->unsent++;
        }
}

static inline void
green__wsgi_metrics_sent(struct green__session *s)
{
        if (s->unsent > 0)
                green__wsgi_metrics_sent_some(s);
}

/* Of a connection that runs; NULL of others. */
static inline struct green__session *
green__conn_session(const struct green__conn *conn)
{
        return conn->state == GREEN__CONN_RUNNING ? conn->session : NULL;
}

/* Room in the collected answers. */
static inline size_t
green__out_room(const struct green__session *s)
{
        return GREEN__OUT_SIZE - s->out_len;
}

#endif
