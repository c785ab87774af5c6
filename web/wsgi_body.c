/*
 * The body of a request: read by the application, or read away after the response.
 *
 * The bytes that came with the head lie behind it in the read buffer. A body with a length is read straight into the
 * application's memory once these are used up; a chunked one is decoded in place, in the room behind the head.
 */
#include <string.h>

#include "wsgi_priv.h"

/* Seconds in which a body may come as slowly as it likes. */
#define BODY_GRACE 10.0

void
green__body_begin(green_wsgi_request *req)
{
        const struct green__http1 *head = &req->head;
        struct green__server *server = req->session->server;
        uint64_t limit = server->opts.max_body == 0 ? UINT64_MAX : server->opts.max_body;

        req->body_error = 0;
        req->body_read = 0;
        req->body_began = 0;
        req->body_left = head->content_length;
        req->body_done = !(head->flags & GREEN__HTTP1_CHUNKED) && head->content_length == 0;
        req->expects_continue = (head->flags & GREEN__HTTP1_EXPECT_100) != 0 && !req->body_done;
        if (head->flags & GREEN__HTTP1_CHUNKED) {
                green__http1_chunked_init(&req->chunked, &server->body_limits, limit, NULL, GREEN__FIELDS_MAX);
        } else if (head->content_length > limit) {
                req->body_error = -EMSGSIZE;
                green__response_error(req, 413);
        }
}

/* Seconds that a receive may wait, for a body that has to keep up min_body_rate; negative: its time is over. */
static double
patience(green_wsgi_request *req)
{
        double rate = req->session->server->opts.min_body_rate;
        int64_t now;

        if (rate <= 0)
                return GREEN_FOREVER;
        now = green__wsgi_now();
        if (req->body_began == 0)
                req->body_began = now;
        return BODY_GRACE + (double)req->body_read / rate - (double)(now - req->body_began) / 1e9;
}

static ssize_t
receive_for(green_wsgi_request *req, void *buf, size_t len, double seconds)
{
        struct green__session *s = req->session;
        struct green_timeout t;
        ssize_t n;
        int rc;

        if (seconds >= GREEN_FOREVER)
                return green_socket_recv(s->conn->socket, buf, len, 0);
        if (seconds < 0)
                return -ETIMEDOUT;
        rc = green_timeout_start(&t, seconds);
        if (rc != 0)
                return rc;
        n = green_socket_recv(s->conn->socket, buf, len, 0);
        return green_timeout_cancel(&t) == 1 ? -ETIMEDOUT : n;
}

/* Read straight into the application's memory, or into the room behind the head. */
static ssize_t
receive(green_wsgi_request *req, void *buf, size_t len)
{
        struct green__session *s = req->session;
        ssize_t n = receive_for(req, buf, len, patience(req));

        s->drained = n > 0 && green_socket_drained(s->conn->socket);
        if (n > 0)
                green__note(&s->server->stats->bytes_in, n);
        return n == 0 ? -ECONNRESET : n;
}

static ssize_t
read_length(green_wsgi_request *req, void *buf, size_t len)
{
        struct green__session *s = req->session;
        size_t here = s->in_end - s->in_start;
        ssize_t n;

        if (len > req->body_left)
                len = (size_t)req->body_left;
        if (here > 0) {
                n = (ssize_t)(here < len ? here : len);
                memcpy(buf, s->in + s->in_start, (size_t)n);
                s->in_start += (size_t)n;
        } else {
                n = receive(req, buf, len);
                if (n < 0)
                        return n;
        }
        req->body_left -= (uint64_t)n;
        req->body_done = req->body_left == 0;
        return n;
}

/* Room to read in behind the head, where the bytes that are not used yet move to the front of it. */
static int
fill_behind_head(green_wsgi_request *req)
{
        struct green__session *s = req->session;
        size_t front = (size_t)(req->base - s->in) + req->head.head_len;
        size_t len = s->in_end - s->in_start;
        ssize_t n;

        if (s->in_end == s->in_room) {
                if (s->in_start == front)
                        return -EMSGSIZE;
                memmove(s->in + front, s->in + s->in_start, len);
                s->in_start = front;
                s->in_end = front + len;
        }
        n = receive(req, s->in + s->in_end, s->in_room - s->in_end);
        if (n < 0)
                return (int)n;
        s->in_end += (size_t)n;
        /* The next head may begin in it. */
        s->came = green__wsgi_now();
        return 0;
}

static int
chunk_error(int result)
{
        return result == GREEN__HTTP1_EBODY ? -EMSGSIZE : -EPROTO;
}

/* Take data of the chunk that has begun: from behind the head, or straight from the socket. */
static ssize_t
take_chunk_data(green_wsgi_request *req, void *buf, size_t len)
{
        struct green__session *s = req->session;
        uint64_t left = green__http1_chunked_left(&req->chunked);
        size_t here = s->in_end - s->in_start;
        ssize_t n;

        if (len > left)
                len = (size_t)left;
        if (here > 0) {
                n = (ssize_t)(here < len ? here : len);
                memcpy(buf, s->in + s->in_start, (size_t)n);
                s->in_start += (size_t)n;
        } else {
                n = receive(req, buf, len);
                if (n < 0)
                        return n;
        }
        green__http1_chunked_skip(&req->chunked, (uint64_t)n);
        return n;
}

static ssize_t
read_chunked(green_wsgi_request *req, void *buf, size_t len)
{
        struct green__session *s = req->session;

        while (green__http1_chunked_left(&req->chunked) == 0) {
                size_t used = 0;
                int rc = green__http1_chunked_frame(&req->chunked, s->in + s->in_start, s->in_end - s->in_start, &used);

                if (rc < 0)
                        return chunk_error(rc);
                s->in_start += used;
                if (rc == GREEN__HTTP1_DONE) {
                        req->body_done = true;
                        return 0;
                }
                if (rc == GREEN__HTTP1_MORE) {
                        rc = fill_behind_head(req);
                        if (rc != 0)
                                return rc;
                }
        }
        return take_chunk_data(req, buf, len);
}

/* The client waits for a word before it sends the body. */
static int
say_continue(green_wsgi_request *req)
{
        const char *fields = req->continue_fields;
        size_t len = req->continue_len;

        req->expects_continue = false;
        req->continue_fields = NULL;
        req->continue_len = 0;
        return green__response_inform(req, 100, fields == NULL ? "" : fields, len);
}

int
green_wsgi_set_hundred_continue_response_headers(green_wsgi_request *req, const struct green_wsgi_pair *fields)
{
        return green__header_lines(req, fields, &req->continue_fields, &req->continue_len);
}

int
green_wsgi_send_hundred_continue_response(green_wsgi_request *req)
{
        int rc = green__response_not_begun(req);

        if (rc != 0)
                return rc;
        if (req->head.minor == 0 || req->session->server->opts.max_http_version == 10)
                return green_set_error(-EPROTO, "HTTP/1.0 has no 100 Continue");
        return say_continue(req);
}

static ssize_t
read_some(green_wsgi_request *req, void *buf, size_t len)
{
        struct green__session *s = req->session;

        /* A client that waits for earlier answers may not send on before it has them. */
        if (s->in_end == s->in_start) {
                int rc = green__session_flush(s);

                if (rc != 0)
                        return rc;
        }
        return req->head.flags & GREEN__HTTP1_CHUNKED ? read_chunked(req, buf, len) : read_length(req, buf, len);
}

ssize_t
green__body_read(green_wsgi_request *req, void *buf, size_t len)
{
        ssize_t n;
        int rc;

        if (req->body_error != 0)
                return req->body_error;
        if (req->body_done || len == 0)
                return 0;
        /* Once the response has begun, no 100 is sent any more (WSGI-57): the client may send on, or not. */
        if (req->expects_continue && !req->header_put) {
                rc = say_continue(req);
                if (rc != 0)
                        return req->body_error = rc;
        }
        n = read_some(req, buf, len);
        if (n < 0)
                req->body_error = (int)n;
        else
                req->body_read += (uint64_t)n;
        return n;
}

ssize_t
green_wsgi_read(green_wsgi_request *req, void *buf, size_t len)
{
        return req->input != NULL ? green_stream_read(req->input, buf, len) : green__body_read(req, buf, len);
}

/* Read away what the application left, so that the next request can be found. Nonzero: the connection must close. */
int
green__body_finish(green_wsgi_request *req)
{
        char drain[4096];
        size_t left = GREEN__DISCARD_MAX;

        if (req->body_error != 0)
                return req->body_error;
        if (req->body_done)
                return 0;
        if (req->close || req->expects_continue || req->body_left > GREEN__DISCARD_MAX)
                return -EMSGSIZE;
        while (!req->body_done) {
                ssize_t n = read_some(req, drain, sizeof(drain));

                if (n < 0)
                        return (int)n;
                if ((size_t)n > left)
                        return -EMSGSIZE;
                left -= (size_t)n;
        }
        return 0;
}
