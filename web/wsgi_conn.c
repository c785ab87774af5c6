/*
 * A connection: at rest on its watch, or run by a green thread with a session.
 */
#include <string.h>
#include <sys/socket.h>

#include "wsgi_priv.h"

static void run(struct green__server *server, struct green__conn *conn);

/* Sessions. */

static struct green__session *
session_take(struct green__server *server, struct green__conn *conn)
{
        struct green__session *s = server->sessions;

        if (s != NULL) {
                server->sessions = s->next;
                server->sessions_count--;
        } else {
                s = green_malloc(sizeof(*s));
                if (s == NULL)
                        return NULL;
                s->in = green_malloc(GREEN__IN_FIRST);
                if (s->in == NULL) {
                        green_free(s);
                        return NULL;
                }
                s->in_room = GREEN__IN_FIRST;
                s->headers = s->path = NULL;
                s->headers_room = s->path_room = 0;
        }
        s->conn = conn;
        s->server = server;
        s->in_start = s->in_end = 0;
        s->out_len = 0;
        s->drained = false;
        s->request.session = s;
        return s;
}

static void
session_free(struct green__session *s)
{
        green_free(s->in);
        green_free(s->headers);
        green_free(s->path);
        green_free(s);
}

/* A session that has grown, or one too many, is not worth keeping. */
static void
session_give(struct green__server *server, struct green__session *s)
{
        if (s->in_room > GREEN__IN_FIRST || server->sessions_count >= GREEN__SESSIONS_KEPT) {
                session_free(s);
                return;
        }
        s->next = server->sessions;
        server->sessions = s;
        server->sessions_count++;
}

void
green__sessions_free(struct green__server *server)
{
        while (server->sessions != NULL) {
                struct green__session *s = server->sessions;

                server->sessions = s->next;
                session_free(s);
        }
}

/* Send what was collected. */
int
green__session_flush(struct green__session *s)
{
        size_t len = s->out_len;

        if (len == 0)
                return 0;
        s->out_len = 0;
        return green_socket_sendall(s->conn->socket, s->out, len, 0, NULL);
}

/* Make room behind what is in the read buffer; it may move. -EMSGSIZE: a head cannot be that long. */
static int
make_room(struct green__session *s)
{
        size_t len = s->in_end - s->in_start;
        char *in;

        if (s->in_end < s->in_room)
                return 0;
        if (s->in_start > 0) {
                memmove(s->in, s->in + s->in_start, len);
                s->in_start = 0;
                s->in_end = len;
                return 0;
        }
        if (s->in_room > s->server->limits.request_line + s->server->limits.fields + GREEN__IN_FIRST)
                return -EMSGSIZE;
        in = green_realloc(s->in, s->in_room * 2);
        if (in == NULL)
                return -ENOMEM;
        s->in = in;
        s->in_room *= 2;
        return 0;
}

/* Move what is in the read buffer to its front, and grow it until so many bytes fit behind `behind`. */
int
green__session_reserve(struct green__session *s, size_t behind)
{
        size_t len = s->in_end - s->in_start;
        size_t need = behind + GREEN__CHUNKED_ROOM;

        if (s->in_room - s->in_start >= need)
                return 0;
        memmove(s->in, s->in + s->in_start, len);
        s->in_start = 0;
        s->in_end = len;
        if (s->in_room < need) {
                char *in = green_realloc(s->in, need);

                if (in == NULL)
                        return -ENOMEM;
                s->in = in;
                s->in_room = need;
        }
        return 0;
}

/* Read more. Returns 1 if something came, 0 at the end, -EAGAIN if there is nothing and wait is false. */
int
green__session_fill(struct green__session *s, bool wait)
{
        int rc = make_room(s);
        size_t room;
        ssize_t n;

        if (rc != 0)
                return rc;
        room = s->in_room - s->in_end;
        n = green_socket_recv(s->conn->socket, s->in + s->in_end, room, wait ? 0 : MSG_DONTWAIT);
        if (n < 0) {
                s->drained = n == -EAGAIN;
                return (int)n;
        }
        s->in_end += (size_t)n;
        s->drained = green_socket_drained(s->conn->socket);
        return n > 0;
}

/* Connections. */

static void
unlink_conn(struct green__conn *conn)
{
        struct green__server *server = conn->server;

        conn->prev->next = conn->next;
        conn->next->prev = conn->prev;
        server->count--;
        if (server->count == 0)
                green_wake_all(&server->all_gone, 0);
}

/* Close a connection that nobody runs. Never yields. */
void
green__conn_close(struct green__conn *conn)
{
        green_watch_stop(&conn->watch);
        (void)green_socket_free(conn->socket);
        unlink_conn(conn);
        green_free(conn);
}

/* Rest until bytes arrive. The read buffer is empty, and the last read took all there was. */
static void
rest(struct green__conn *conn)
{
        double limit = conn->server->opts.keepalive;
        int rc;

        conn->state = GREEN__CONN_IDLE;
        rc = green_socket_watch(conn->socket, &conn->watch, limit > 0 ? limit : GREEN_FOREVER);
        if (rc != 0) {
                green_log(GREEN_LOG_ERROR, "green-net: a connection cannot be watched: %s", green_strerror(rc));
                green__conn_close(conn);
        }
}

/* The green thread of a connection: runs it, then those that wait for their turn. */
static void *
conn_main(void *arg)
{
        struct green__conn *conn = arg;
        struct green__server *server = conn->server;

        for (;;) {
                run(server, conn);
                conn = server->queue;
                if (conn == NULL)
                        break;
                server->queue = conn->queue_next;
                if (server->queue == NULL)
                        server->queue_end = &server->queue;
        }
        server->running--;
        return NULL;
}

/* Bytes, the end, or the time limit: in hub context. */
static void
on_watch(struct green_watch *w, int result, void *arg)
{
        struct green__conn *conn = arg;
        struct green__server *server = conn->server;

        (void)w;
        if (result < 0) {
                green__conn_close(conn);
                return;
        }
        conn->state = GREEN__CONN_QUEUED;
        if (server->running >= server->opts.max_size) {
                conn->queue_next = NULL;
                *server->queue_end = conn;
                server->queue_end = &conn->queue_next;
                return;
        }
        server->running++;
        if (green_spawn_n(conn_main, conn) != 0) {
                server->running--;
                green__conn_close(conn);
        }
}

void
green__conn_add(struct green__server *server, green_socket *socket)
{
        struct green__conn *conn = green_malloc(sizeof(*conn));

        if (conn == NULL) {
                (void)green_socket_free(socket);
                return;
        }
        conn->server = server;
        conn->socket = socket;
        conn->thread = NULL;
        conn->killed = false;
        conn->next = &server->conns;
        conn->prev = server->conns.prev;
        conn->prev->next = conn;
        server->conns.prev = conn;
        server->count++;
        (void)green_socket_set_timeout(socket, server->opts.socket_timeout > 0 ? server->opts.socket_timeout : GREEN_FOREVER);
        green_watch_init(&conn->watch, on_watch, conn);
        rest(conn);
}

/* Running. */

static void
answer(struct green__session *s)
{
        green_wsgi_request *req = &s->request;
        struct green__server *server = s->server;
        int rc = 0;

        /* From here on the head stays where it is: the application holds pointers into it. */
        if (req->head.flags & GREEN__HTTP1_CHUNKED)
                rc = green__session_reserve(s, req->head.head_len);
        req->base = s->in + s->in_start;
        s->in_start += req->head.head_len;
        green__response_begin(req);
        green__body_begin(req);
        if (rc != 0)
                req->body_error = rc;
        if (server->closing || server->opts.keepalive < 0)
                req->close = true;
        rc = req->body_error != 0 ? req->body_error : server->app(req, server->arg);
        if (rc < 0)
                green_log(GREEN_LOG_ERROR, "green-net: the application failed with %s: %s", green_errname(rc),
                          green_strerror(rc));
        if (server->closing)
                req->close = true;
        rc = green__response_end(req, rc);
        if (rc != 0 || green__body_finish(req) != 0)
                req->close = true;
}

/*
 * Wait for the rest of a head, up to the time for it as a whole. Where only an empty line has come it is the time of a
 * connection at rest that counts.
 */
static int
wait_for_head(struct green__session *s, struct green_timeout *t, bool begun)
{
        double keepalive = s->server->opts.keepalive;
        double limit = begun || keepalive <= 0 ? s->server->opts.header_timeout : keepalive;

        int rc;

        if (!green_timeout_pending(t) && !green_timeout_fired(t)) {
                rc = green_timeout_start(t, limit);
                if (rc != 0)
                        return rc;
        }
        return green__session_fill(s, true);
}

enum head { HEAD_DONE, HEAD_BAD, HEAD_REST, HEAD_END };

/*
 * Have the next head in the buffer. HEAD_REST: there is nothing, and the connection can go to rest. HEAD_END: it has
 * ended, or failed. HEAD_BAD: *status is the answer.
 */
static enum head
next_head(struct green__session *s, int *status)
{
        green_wsgi_request *req = &s->request;
        struct green_timeout t = {{0}};
        enum head found = HEAD_END;
        int rc;

        green__http1_init(&req->head, &s->server->limits, req->fields, GREEN__FIELDS_MAX);
        for (;;) {
                bool begun;

                rc = green__http1_parse(&req->head, s->in + s->in_start, s->in_end - s->in_start);
                if (rc != GREEN__HTTP1_MORE)
                        break;
                begun = green__http1_begun(&req->head, s->in_end - s->in_start);
                /* The answers so far do not wait for a request that is not here. */
                if (s->out_len > 0 && green__session_flush(s) != 0)
                        goto out;
                if (s->in_end == s->in_start && s->drained) {
                        found = HEAD_REST;
                        goto out;
                }
                rc = s->drained ? wait_for_head(s, &t, begun) : green__session_fill(s, false);
                if (rc == -EAGAIN)
                        continue;
                if (rc <= 0) {
                        if (green_timeout_cancel(&t) == 1 && begun) {
                                *status = 408;
                                return HEAD_BAD;
                        }
                        goto out;
                }
        }
        found = rc == GREEN__HTTP1_DONE ? HEAD_DONE : HEAD_BAD;
        if (found == HEAD_BAD)
                *status = green__http1_status(rc);
out:
        (void)green_timeout_cancel(&t);
        return found;
}

/* Say goodbye so that the last answer arrives: a close with unread bytes would reset the connection. */
static void
linger(struct green__session *s)
{
        char drain[4096];
        size_t left = GREEN__DISCARD_MAX;
        struct green_timeout t = {{0}};

        if (green_socket_shutdown(s->conn->socket, SHUT_WR) != 0)
                return;
        if (green_timeout_start(&t, 2.0) != 0)
                return;
        while (left > 0) {
                ssize_t n = green_socket_recv(s->conn->socket, drain, sizeof(drain), 0);

                if (n <= 0)
                        break;
                left -= (size_t)n < left ? (size_t)n : left;
        }
        (void)green_timeout_cancel(&t);
}

/* Run a connection until it rests or ends. True: it rests. */
static bool
serve(struct green__session *s)
{
        int status = 400;

        for (;;) {
                switch (next_head(s, &status)) {
                case HEAD_REST:
                        return !s->server->closing;
                case HEAD_END:
                        return false;
                case HEAD_BAD:
                        green__response_error(&s->request, status);
                        if (green__session_flush(s) == 0)
                                linger(s);
                        return false;
                case HEAD_DONE:
                        answer(s);
                        if (!s->request.close)
                                break;
                        if (green__session_flush(s) == 0)
                                linger(s);
                        return false;
                }
        }
}

static void
run(struct green__server *server, struct green__conn *conn)
{
        struct green__session *s = session_take(server, conn);
        bool at_rest = false;

        conn->state = GREEN__CONN_RUNNING;
        conn->thread = green_getcurrent();
        if (s != NULL) {
                at_rest = serve(s);
                session_give(server, s);
        }
        conn->thread = NULL;
        if (at_rest)
                rest(conn);
        else
                green__conn_close(conn);
}
