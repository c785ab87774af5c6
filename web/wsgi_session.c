/*
 * The buffers of a connection that runs. The server keeps some for the next one.
 */
#include <string.h>

#include <green/tls.h>

#include "wsgi_priv.h"

/* ---- where they come from */

static struct green__session *
session_new(void)
{
        struct green__session *s = green_malloc(sizeof(*s));

        if (s == NULL)
                return NULL;
        s->in = green_malloc(GREEN__IN_FIRST);
        if (s->in == NULL) {
                green_free(s);
                return NULL;
        }
        s->in_room = GREEN__IN_FIRST;
        s->headers = NULL;
        s->headers_room = 0;
        s->arena = (struct green__arena){NULL, NULL, NULL};
        return s;
}

struct green__session *
green__session_take(struct green__server *server, struct green__conn *conn)
{
        struct green__session *s = server->sessions;

        if (s != NULL) {
                server->sessions = s->next;
                server->sessions_count--;
        } else {
                s = session_new();
                if (s == NULL)
                        return NULL;
        }
        s->conn = conn;
        s->server = server;
        s->in_start = s->in_end = 0;
        s->out_len = 0;
        s->chunk_open = 0;
        s->drained = s->begun = false;
        s->late_prev = NULL;
        s->unsent = 0;
        s->came = 0;
        s->request.session = s;
        return s;
}

static void
session_free(struct green__session *s)
{
        green__arena_end(&s->arena);
        green_free(s->in);
        green_free(s->headers);
        green_free(s);
}

/* One that has grown, or one too many, is not worth keeping. */
void
green__session_give(struct green__session *s)
{
        struct green__server *server = s->server;

        green__wsgi_metrics_sent(s);
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

/* ---- what is sent */

/* It has been sent, or is about to be. */
static void
not_late(struct green__session *s)
{
        if (s->late_prev == NULL)
                return;
        *s->late_prev = s->late_next;
        if (s->late_next != NULL)
                s->late_next->late_prev = s->late_prev;
        s->late_prev = NULL;
        if (s->server->late_first == NULL)
                (void)green_timer_cancel(s->server->late);
}

/* Out is sent from here on, whatever comes of it. */
static size_t
take_out(struct green__session *s)
{
        size_t len;

        green__response_seal(s);
        not_late(s);
        len = s->out_len;
        s->out_len = 0;
        s->request.sent = s->request.header_put;
        s->request.out_mark = s->request.collect_mark = 0;
        green__note(&s->server->stats->bytes_out, (int64_t)len);
        return len;
}

/* Keep what sending has failed with: it is not the application's failure. */
static int
sent(struct green__session *s, int rc)
{
        green__wsgi_metrics_sent(s);
        if (rc != 0)
                s->request.send_error = rc;
        return rc;
}

void
green__session_drop(struct green__session *s)
{
        s->chunk_open = 0;
        (void)take_out(s);
}

int
green__session_flush(struct green__session *s)
{
        size_t len;

        if (s->out_len == 0)
                return 0;
        len = take_out(s);
        return sent(s, green_socket_sendall(s->conn->socket, s->out, len, 0, NULL));
}

int
green__session_send(struct green__session *s, const void *data, size_t len, const char *tail, size_t tail_len)
{
        struct green_iovec iov[3];
        size_t n = 0, before = take_out(s);

        if (before > 0)
                iov[n++] = (struct green_iovec){s->out, before};
        iov[n++] = (struct green_iovec){(void *)(uintptr_t)data, len};
        if (tail_len > 0)
                iov[n++] = (struct green_iovec){(void *)(uintptr_t)tail, tail_len};
        s->request.sent = s->request.header_put;
        green__note(&s->server->stats->bytes_out, (int64_t)(len + tail_len));
        return sent(s, n == 1 ? green_socket_sendall(s->conn->socket, data, len, 0, NULL)
                              : green_socket_sendallv(s->conn->socket, iov, n, 0, NULL));
}

/* The header and what follows are one piece for the network, where that can be said. */
#if defined(MSG_MORE)
#define MORE MSG_MORE
#else
#define MORE 0
#endif

int
green__session_sendfile(struct green__session *s, green_fd file, int64_t offset, uint64_t len, uint64_t *ret_done)
{
        green_socket *socket = s->conn->socket;
        size_t before = take_out(s);
        int rc = 0;

        *ret_done = 0;
        if (before > 0)
                rc = green_socket_sendall(socket, s->out, before, green_socket_is_tls(socket) ? 0 : MORE, NULL);
        if (rc == 0)
                rc = green_socket_sendfile(socket, file, offset, len, ret_done);
        green__note(&s->server->stats->bytes_out, (int64_t)*ret_done);
        return sent(s, rc);
}

/*
 * At the next poll: the application goes on, or waits, and what it has answered does not. A chunk that is still
 * collected stays. What the socket does not take now is sent when the application comes back.
 */
static void
send_late(struct green__session *s)
{
        size_t end = s->chunk_open != 0 ? s->chunk_open : s->out_len;
        ssize_t n = green_socket_send(s->conn->socket, s->out, end, MSG_DONTWAIT);
        size_t sent = n > 0 ? (size_t)n : 0;
        green_wsgi_request *req = &s->request;

        if (sent == 0)
                return;
        memmove(s->out, s->out + sent, s->out_len - sent);
        s->out_len -= sent;
        green__note(&s->server->stats->bytes_out, (int64_t)sent);
        if (s->out_len == 0 || (req->header_put && req->out_mark <= sent))
                green__wsgi_metrics_sent(s);
        if (s->chunk_open != 0)
                s->chunk_open -= sent;
        if (req->header_put && req->out_mark < sent)
                req->sent = true;
        req->out_mark = req->out_mark < sent ? 0 : req->out_mark - sent;
        req->collect_mark = req->collect_mark < sent ? 0 : req->collect_mark - sent;
}

void
green__session_late_all(void *arg)
{
        struct green__server *server = arg;

        while (server->late_first != NULL) {
                struct green__session *s = server->late_first;

                not_late(s);
                send_late(s);
        }
}

void
green__session_late(struct green__session *s)
{
        struct green__server *server = s->server;

        if (s->late_prev != NULL)
                return;
        s->late_next = server->late_first;
        if (s->late_next != NULL)
                s->late_next->late_prev = &s->late_next;
        s->late_prev = &server->late_first;
        server->late_first = s;
        /* Without a timer it is sent when the application returns. */
        if (!green_timer_pending(server->late))
                (void)green_timer_schedule(server->late);
}

void
green__sessions_forked(struct green__server *server)
{
        struct green__session *s;

        while ((s = server->late_first) != NULL) {
                server->late_first = s->late_next;
                s->late_prev = NULL;
        }
}

/* ---- what is received */

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
        if (s->in_room > (size_t)s->server->limits.request_line + s->server->limits.fields + GREEN__IN_FIRST)
                return -EMSGSIZE;
        in = green_realloc(s->in, s->in_room * 2);
        if (in == NULL)
                return -ENOMEM;
        s->in = in;
        s->in_room *= 2;
        return 0;
}

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
        green__note(&s->server->stats->bytes_in, n);
        s->drained = green_socket_drained(s->conn->socket);
        return n > 0;
}
