/*
 * A connection: at rest on its watch, or run by a green thread with a session.
 */
#include <string.h>

#include <green/tls.h>

#include "wsgi_compress_priv.h"
#include "wsgi_priv.h"

/* ---- its life */

static void
link_to(struct green__conn *conn, struct green__conn *head)
{
        conn->next = head;
        conn->prev = head->prev;
        conn->prev->next = conn;
        head->prev = conn;
}

static void
unlink_conn(struct green__conn *conn)
{
        conn->prev->next = conn->next;
        conn->next->prev = conn->prev;
}

static void
note_idle(struct green__server *server, int more)
{
        green__note_size(&server->stats->idle, more);
        green__note(&server->counts.idle, more);
}

static void
note_count(struct green__server *server, int more)
{
        server->count += (size_t)more;
        green__tell_size(&server->stats->connections, server->count);
        green__note(&server->counts.connections, more);
}

static void
set_busy(struct green__conn *conn, enum green__conn_state state)
{
        if (conn->state == GREEN__CONN_IDLE) {
                unlink_conn(conn);
                link_to(conn, &conn->server->busy);
                note_idle(conn->server, -1);
        }
        conn->state = state;
}

static void
forget(struct green__conn *conn)
{
        struct green__server *server = conn->server;

        unlink_conn(conn);
        if (conn->state == GREEN__CONN_IDLE)
                note_idle(server, -1);
        note_count(server, -1);
        if (server->count == 0)
                green_wake_all(&server->all_gone, 0);
        if (server->opts.max_connections != 0)
                green_wake_all(&server->room, 0);
}

/* Close a connection that nobody runs. Never yields. */
void
green__conn_close(struct green__conn *conn)
{
        green_watch_stop(&conn->watch);
        (void)green_socket_free(conn->socket);
        forget(conn);
        green_free(conn);
}

/* May a connection without a request stay? */
static bool
rests(const struct green__server *server)
{
        return !server->closing || server->draining;
}

/* Rest until bytes arrive. The read buffer is empty, and the last read took all there was. */
static void
rest(struct green__conn *conn)
{
        struct green__server *server = conn->server;
        double limit = server->opts.keepalive;
        int rc;

        if (conn->state != GREEN__CONN_IDLE)
                unlink_conn(conn);
        link_to(conn, &server->idle);
        conn->state = GREEN__CONN_IDLE;
        note_idle(server, 1);
        rc = green_socket_watch(conn->socket, &conn->watch, limit > 0 ? limit : GREEN_FOREVER);
        if (rc != 0) {
                green_log(GREEN_LOG_ERROR, "green-net: a connection cannot be watched: %s", green_strerror(rc));
                green__conn_close(conn);
        }
}

/* Bytes, the end, or the time limit: in hub context. */
static void
on_watch(struct green_watch *w, int result, void *arg)
{
        struct green__conn *conn = arg;

        (void)w;
        if (conn->server->forked)
                return;
        if (result < 0) {
                if (result == -ETIMEDOUT)
                        green__log_life(conn->server, conn, "timed out");
                green__conn_close(conn);
                return;
        }
        set_busy(conn, GREEN__CONN_QUEUED);
        conn->server->counts.woken = 0;
        green__turn_ask(conn);
}

void
green__conn_add(struct green__server *server, green_socket *socket, const struct green_addr *peer)
{
        struct green__peer from = green__peer_of(peer);
        struct green__conn *conn = NULL;

        green__note(&server->stats->accepted, 1);
        if (!server->opts.proxy_protocol || green__behind_lets_in(server, &from))
                conn = green_malloc(sizeof(*conn));
        if (conn == NULL) {
                (void)green_socket_free(socket);
                return;
        }
        conn->server = server;
        conn->socket = socket;
        conn->session = NULL;
        conn->starting = conn->told = conn->killed = conn->orphan = false;
        conn->proxied = conn->proxied_tls = false;
        conn->proxy_due = server->opts.proxy_protocol;
        conn->peer = from;
        note_count(server, 1);
        if (server->opts.socket_timeout > 0)
                (void)green_socket_set_timeout(socket, server->opts.socket_timeout);
        green_watch_init(&conn->watch, on_watch, conn);
        green__log_life(server, conn, "accepted");
        /* Not linked yet. */
        conn->next = conn->prev = conn;
        conn->state = GREEN__CONN_QUEUED;
        rest(conn);
}

/* ---- a request */

void
green__request_note_line(struct green__session *s)
{
        green_wsgi_request *req = &s->request;
        const char *head = s->in + s->in_start + req->head.start;
        size_t len = s->in_end - s->in_start - req->head.start;
        const char *end;

        if (len > s->server->limits.request_line)
                len = s->server->limits.request_line;
        end = memchr(head, '\r', len);
        if (end == NULL)
                end = memchr(head, '\n', len);
        if (end != NULL)
                len = (size_t)(end - head);
        req->line = green__arena_copy(&s->arena, head, len);
        req->line_len = req->line == NULL ? 0 : len;
        if (req->began == 0)
                req->began = green__wsgi_now();
}

void
green__request_begin(green_wsgi_request *req)
{
        req->refused = false;
        req->line = NULL;
        req->line_len = 0;
        req->began = 0;
        req->environ = NULL;
        req->query_params = req->form_params = req->cookies = NULL;
        req->client = req->host = req->path = NULL;
        req->route = NULL;
        req->missed = false;
        req->input = NULL;
        req->line_room = 0;
        req->hooks = NULL;
        req->hooks_end = &req->hooks;
        req->on_closing = NULL;
        req->idle = false;
        req->counted = false;
        req->upgrade = NULL;
        green__response_begin(req);
}

/* After its response: hooks, the log, and what it had is gone. */
static void
request_end(green_wsgi_request *req)
{
        struct green__session *s = req->session;
        struct green__server *server = s->server;

        if (req->hooks != NULL) {
                (void)!green__session_flush(s);
                for (struct green__hook *h = req->hooks; h != NULL; h = h->next)
                        h->fn(req, h->arg);
        }
        green__compress_release(req);
        green__note(&server->stats->requests, 1);
        green__wsgi_metrics_request(req);
        if (req->refused)
                green__note(&server->stats->refused, 1);
        /* What goes on is logged at its end. */
        if (server->log != NULL && req->upgrade == NULL)
                green__log_request(req);
        if (req->input != NULL)
                (void)green_stream_free(req->input);
        green_clean_up();
        green__arena_reset(&s->arena);
}

/* The green thread ends inside the application: nobody comes back to the connection. */
static void
abandoned(void *arg)
{
        struct green__session *s = arg;
        struct green__conn *conn = s->conn;
        struct green__server *server = s->server;

        if (!s->in_app)
                return;
        green_log(GREEN_LOG_ERROR, "green-net: the application has ended its green thread: the connection is closed");
        s->in_app = false;
        green__note(&server->stats->failed, 1);
        s->request.close = true;
        request_end(&s->request);
        if (s->request.upgrade != NULL)
                s->request.upgrade->ops->end(s->request.upgrade);
        green__turn_give(conn);
        green__session_drop(s);
        green__session_give(s);
        green__conn_close(conn);
}

static void
tell_failure(green_wsgi_request *req, int code)
{
        green__note(&req->session->server->stats->failed, 1);
        green_log(GREEN_LOG_ERROR, "green-net: the application failed with %s: %s: %.200s %.600s", green_errname(code),
                  green_strerror(code), green_wsgi_method(req), green_wsgi_raw_path(req));
}

static int
call_app(green_wsgi_request *req)
{
        struct green__session *s = req->session;
        int rc;

        if (req->body_error != 0) {
                req->refused = true;
                return req->body_error;
        }
        rc = green_defer(abandoned, s);
        if (rc != 0)
                return rc;
        if (s->out_len > 0)
                green__session_late(s);
        s->in_app = true;
        rc = s->server->app(req, s->server->arg);
        s->in_app = false;
        if (rc >= 0)
                return 0;
        /* What the client has done wrong, or its going away, is not the application's failure (WSGI-89). */
        if (rc != req->body_error && rc != req->send_error)
                tell_failure(req, rc);
        return rc;
}

static void
answer(struct green__session *s)
{
        green_wsgi_request *req = &s->request;
        struct green__server *server = s->server;
        int rc = 0;

        if (server->log != NULL)
                green__request_note_line(s);
        /* From here on the head stays where it is: the application holds pointers into it. */
        if (req->head.flags & GREEN__HTTP1_CHUNKED)
                rc = green__session_reserve(s, req->head.head_len);
        req->base = s->in + s->in_start;
        s->in_start += req->head.head_len;
        green__response_head(req);
        green__body_begin(req);
        if (rc != 0)
                req->body_error = rc;
        if (server->closing || server->opts.keepalive < 0)
                req->close = true;
        rc = call_app(req);
        if (req->upgrade != NULL) {
                request_end(req);
                return;
        }
        /* While they may stay, none is closed that has not been told. */
        if (server->closing && !server->draining)
                req->close = true;
        rc = green__response_end(req, rc);
        if (rc == 0)
                rc = green__body_finish(req);
        if (rc == -EPROTO)
                green_log(GREEN_LOG_INFO, "green-net: what was left of a request's body is malformed");
        if (rc != 0)
                req->close = true;
        request_end(req);
}

static void
refuse(struct green__session *s, int status)
{
        green_wsgi_request *req = &s->request;

        req->refused = true;
        req->base = s->in + s->in_start;
        if (s->server->log != NULL)
                green__request_note_line(s);
        green__response_error(req, status);
        (void)green__response_end(req, 0);
        request_end(req);
}

/* ---- finding the next one */

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
        green__turn_pause(s->conn);
        return green__session_fill(s, true);
}

/* TLS that is not agreed on yet: somebody waits for it, as it has a deadline. */
static bool
in_handshake(const struct green__session *s)
{
        return green_socket_is_tls(s->conn->socket) && green_tls_version(s->conn->socket) == NULL;
}

/* When the first bytes of a connection that rested were there: those that one poll has woken share a reading of the clock. */
static int64_t
woken_at(struct green__server *server)
{
        if (server->counts.woken == 0)
                server->counts.woken = green__wsgi_now();
        return server->counts.woken;
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
        bool waits;
        int rc;

        green__http1_init(&req->head, &s->server->limits, req->fields, (uint16_t)s->server->opts.max_fields);
        s->begun = false;
        for (;;) {
                rc = green__http1_parse(&req->head, s->in + s->in_start, s->in_end - s->in_start);
                if (rc != GREEN__HTTP1_MORE)
                        break;
                s->begun = green__http1_begun(&req->head, s->in_end - s->in_start);
                /* The answers so far do not wait for a request that is not here. */
                if (s->out_len > 0 && green__session_flush(s) != 0)
                        goto out;
                if (s->in_end == s->in_start && s->drained && !in_handshake(s)) {
                        found = HEAD_REST;
                        goto out;
                }
                /* It ends, and nothing of a request has come. */
                if (!s->begun && s->server->closing && s->drained)
                        goto out;
                waits = s->drained;
                rc = waits ? wait_for_head(s, &t, s->begun) : green__session_fill(s, false);
                if (rc > 0 && !s->begun)
                        s->came = waits || s->came != 0 ? green__wsgi_now() : woken_at(s->server);
                if (rc == -EAGAIN)
                        continue;
                if (rc <= 0) {
                        bool late = green_timeout_cancel(&t) == 1;

                        if (late || rc == -ETIMEDOUT)
                                green__log_life(s->server, s->conn, "timed out");
                        *status = 408;
                        req->came = s->came;
                        return late && s->begun ? HEAD_BAD : HEAD_END;
                }
        }
        s->begun = true;
        found = rc == GREEN__HTTP1_DONE ? HEAD_DONE : HEAD_BAD;
        if (found == HEAD_BAD)
                *status = green__http1_status(rc);
out:
        req->came = s->came;
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

enum served { SERVED_REST, SERVED_END, SERVED_UPGRADE };

/*
 * Has all come that the client is going to send? One that has said "close" sends no further request, so with everything
 * read there is nothing that would reset the connection: it need not be waited for. (Of TLS it is enough that no request
 * is left: its farewell is no reason to wait.)
 */
static bool
all_has_come(const struct green__session *s)
{
        green_socket *socket = s->conn->socket;
        char more;

        if (!(s->request.head.flags & GREEN__HTTP1_SAID_CLOSE) || s->in_start != s->in_end || !s->request.body_done)
                return false;
        return s->drained || green_socket_is_tls(socket) || green_socket_recv(socket, &more, 1, MSG_DONTWAIT) <= 0;
}

/* Run a connection until it rests, ends, or becomes something else. */
static enum served
serve(struct green__session *s)
{
        green_wsgi_request *req = &s->request;
        int status = 400;

        for (;;) {
                enum head found;

                green__request_begin(req);
                found = next_head(s, &status);
                if (found == HEAD_REST)
                        return rests(s->server) ? SERVED_REST : SERVED_END;
                if (found == HEAD_END)
                        return SERVED_END;
                if (found == HEAD_BAD) {
                        refuse(s, status);
                } else {
                        if (green__turn_take(s->conn) != 0)
                                return SERVED_END;
                        answer(s);
                        green__turn_give(s->conn);
                        if (req->upgrade != NULL)
                                return SERVED_UPGRADE;
                }
                if (!req->close)
                        continue;
                if (green__session_flush(s) == 0 && req->response != GREEN__RESPONSE_TAKEN && !all_has_come(s))
                        linger(s);
                return SERVED_END;
        }
}

void
green__conn_run(struct green__conn *conn)
{
        enum served served = SERVED_END;
        struct green__session *s;

        if (conn->state == GREEN__CONN_UPGRADED) {
                green__upgrade_run(conn);
                return;
        }
        s = green__session_take(conn->server, conn);
        conn->state = GREEN__CONN_RUNNING;
        conn->session = s;
        if (s != NULL) {
                s->thread = green_getcurrent();
                if (!conn->proxy_due || green__behind_read(conn))
                        served = serve(s);
                conn->session = NULL;
                if (served == SERVED_UPGRADE) {
                        conn->state = GREEN__CONN_UPGRADED;
                        conn->upgrade = s->request.upgrade;
                }
                green__session_give(s);
        }
        green__turn_pause(conn);
        if (served == SERVED_UPGRADE)
                green__upgrade_run(conn);
        else if (served == SERVED_REST && rests(conn->server))
                rest(conn);
        else
                green__conn_close(conn);
}
