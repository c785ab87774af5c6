/*
 * The response: its header, its framing, and the end of it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wsgi_compress_priv.h"
#include "wsgi_priv.h"

/* ---- writing into out */

/* Append to a buffer that is known to have room. */
static char *
put(char *at, const char *text, size_t len)
{
        memcpy(at, text, len);
        return at + len;
}

#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static char *
put_number(char *at, uint64_t n)
{
        char digits[20];
        size_t i = sizeof(digits);

        do
                digits[--i] = (char)('0' + n % 10);
        while ((n /= 10) != 0);
        return put(at, digits + i, sizeof(digits) - i);
}

/* Bytes of the response were put at the end of out. */
static void
added(green_wsgi_request *req, size_t len)
{
        req->session->out_len += len;
        req->bytes_sent += len;
}

/* Append to out, or send it behind out. */
static int
put_data(green_wsgi_request *req, const void *data, size_t len)
{
        struct green__session *s = req->session;

        if (len <= green__out_room(s)) {
                if (len > 0)
                        memcpy(s->out + s->out_len, data, len);
                added(req, len);
                return 0;
        }
        req->bytes_sent += len;
        return green__session_send(s, data, len, NULL, 0);
}

/* ---- the header */

enum {
        FIXED_HEADER = 320, /* what the header of a response may take beside the application's fields */
        CHUNK_HEAD = 6,     /* "1fff\r\n": of a chunk that is collected */
        CHUNK_LINE = 20     /* of any */
};

static char *
put_status_line(char *at, const green_wsgi_request *req)
{
        bool is_10 = req->session->server->opts.max_http_version == 10;
        const char *phrase;

        if (req->status == 200 && !is_10)
                return PUT(at, "HTTP/1.1 200 OK\r\n");
        phrase = green_http_phrase(req->status);
        at = is_10 ? PUT(at, "HTTP/1.0 ") : PUT(at, "HTTP/1.1 ");
        at = put_number(at, (uint64_t)req->status);
        *at++ = ' ';
        at = put(at, phrase, strlen(phrase));
        return PUT(at, "\r\n");
}

static bool
is_tunnel(const green_wsgi_request *req)
{
        return req->head.method == GREEN__HTTP1_CONNECT && req->status < 300;
}

static bool
status_has_body(int status)
{
        return status >= 200 && status != 204 && status != 205 && status != 304;
}

static char *
put_framing(char *at, const green_wsgi_request *req)
{
        double keepalive = req->session->server->opts.keepalive;

        if (req->status == 205)
                at = PUT(at, "Content-Length: 0\r\n");
        if (status_has_body(req->status) && !is_tunnel(req)) {
                if (req->compressed) {
                        at = req->no_body ? at : PUT(at, "Transfer-Encoding: chunked\r\n");
                } else if (req->response == GREEN__RESPONSE_LENGTH) {
                        at = PUT(at, "Content-Length: ");
                        at = put_number(at, req->response_left);
                        at = PUT(at, "\r\n");
                } else if (req->response == GREEN__RESPONSE_CHUNKED && !req->no_body) {
                        at = PUT(at, "Transfer-Encoding: chunked\r\n");
                }
        }
        if (req->close)
                return PUT(at, "Connection: close\r\n");
        if (!(req->head.flags & GREEN__HTTP1_SAID_KEEP_ALIVE))
                return at;
        at = PUT(at, "Connection: keep-alive\r\n");
        if (keepalive >= 1 && keepalive < 1e9) {
                at = PUT(at, "Keep-Alive: timeout=");
                at = put_number(at, (uint64_t)keepalive);
                at = PUT(at, "\r\n");
        }
        return at;
}

/* What is known now: is there a body, and does the connection live on? */
static void
settle(green_wsgi_request *req)
{
        if (!status_has_body(req->status) || is_tunnel(req))
                req->no_body = true;
        if (req->response == GREEN__RESPONSE_CLOSE && !req->no_body)
                req->close = true;
        /* A client that was told nothing may still hold its body back: the next request could not be found. */
        if (req->expects_continue || req->session->server->closing || is_tunnel(req))
                req->close = true;
}

/* The fields of the application, and the empty line. They may be larger than out. */
static int
put_fields(green_wsgi_request *req)
{
        struct green__session *s = req->session;
        int rc = put_data(req, s->headers, req->headers_len);

        return rc == 0 ? put_data(req, "\r\n", 2) : rc;
}

static int
put_header(green_wsgi_request *req)
{
        struct green__session *s = req->session;
        char *begin, *at;
        int rc;

        settle(req);
        if (s->server->opts.compress && !is_tunnel(req)) {
                rc = green__compress_choose(req);
                if (rc != 0)
                        return rc;
        }
        if (green__out_room(s) < FIXED_HEADER + req->headers_len + 2) {
                rc = green__session_flush(s);
                if (rc != 0)
                        return rc;
        }
        req->header_put = true;
        req->out_mark = s->out_len;
        begin = s->out + s->out_len;
        at = put_status_line(begin, req);
        if (!req->has_date) {
                at = PUT(at, "Date: ");
                at = put(at, green__wsgi_date(s->server), GREEN_WSGI_DATE_SIZE - 1);
                at = PUT(at, "\r\n");
        }
        at = put_framing(at, req);
        added(req, (size_t)(at - begin));
        rc = put_fields(req);
        req->collect_mark = s->out_len;
        return rc;
}

/* ---- chunks that are collected: in out, with room before them for their size */

static int
chunk_begin(green_wsgi_request *req)
{
        struct green__session *s = req->session;

        if (green__out_room(s) < CHUNK_HEAD + req->minimum_chunk + 2) {
                int rc = green__session_flush(s);

                if (rc != 0)
                        return rc;
        }
        s->chunk_open = s->out_len + CHUNK_HEAD;
        s->out_len = s->chunk_open;
        return 0;
}

static size_t
put_hex(char *at, size_t n)
{
        static const char digits[] = "0123456789abcdef";
        size_t count = 1;

        while (n >> 4 * count != 0)
                count++;
        for (size_t i = 0; i < count; i++)
                at[i] = digits[n >> 4 * (count - 1 - i) & 15];
        return count;
}

void
green__response_seal(struct green__session *s)
{
        green_wsgi_request *req = &s->request;
        size_t begin = s->chunk_open, len = s->out_len - begin;
        char *line = s->out + begin - CHUNK_HEAD;
        size_t line_len;

        if (begin == 0)
                return;
        s->chunk_open = 0;
        s->out_len = begin - CHUNK_HEAD;
        if (len == 0)
                return;
        line_len = put_hex(line, len);
        line[line_len] = '\r';
        line[line_len + 1] = '\n';
        line_len += 2;
        memmove(line + line_len, s->out + begin, len);
        memcpy(line + line_len + len, "\r\n", 2);
        /* The bytes of the body were counted when they were collected. */
        s->out_len += line_len + len + 2;
        req->bytes_sent += line_len + 2;
}

/* ---- the interface */

int
green__response_not_begun(const green_wsgi_request *req)
{
        bool over = req->response == GREEN__RESPONSE_TAKEN || req->response == GREEN__RESPONSE_DONE;

        return over || req->header_put ? -EALREADY : 0;
}

int
green_wsgi_start_response(green_wsgi_request *req, int status, int64_t content_length)
{
        if (status < 200 || status > 999 || content_length < -1)
                return green_set_error(-EINVAL, "no status of a response, or no length: %d, %lld", status,
                                       (long long)content_length);
        if (green__response_not_begun(req) != 0)
                return -EALREADY;
        req->status = status;
        req->response_left = 0;
        if (content_length >= 0) {
                req->response = GREEN__RESPONSE_LENGTH;
                req->response_left = (uint64_t)content_length;
        } else if (req->head.minor >= 1 && req->session->server->opts.max_http_version != 10) {
                req->response = GREEN__RESPONSE_CHUNKED;
        } else {
                req->response = GREEN__RESPONSE_CLOSE;
        }
        return 0;
}

int
green_wsgi_respond(green_wsgi_request *req, int status, const char *content_type, const void *body, size_t len)
{
        int rc = green__response_not_begun(req);

        if (rc != 0)
                return rc;
        if ((body == NULL && len > 0) || (content_type != NULL && !green__header_value_ok(content_type)))
                return green_set_error(-EINVAL, "no body, or a content type with a character that is not allowed");
        rc = green_wsgi_start_response(req, status, (int64_t)len);
        if (rc == 0 && content_type != NULL)
                rc = green__header_put(req, "Content-Type", 12, content_type, strlen(content_type));
        if (rc != 0)
                return rc;
        rc = put_header(req);
        req->response_left = 0;
        if (rc == 0 && req->compress != NULL) {
                rc = green__compress_write(req, body, len, GREEN__COMPRESS_MORE);
        } else if (rc == 0 && !req->no_body) {
                req->body_sent += len;
                rc = put_data(req, body, len);
        }
        if (rc != 0)
                req->close = true;
        return rc;
}

static bool
is_begun(const green_wsgi_request *req)
{
        return req->response != GREEN__RESPONSE_NONE && req->response < GREEN__RESPONSE_TAKEN;
}

int
green__response_head_put(green_wsgi_request *req)
{
        int rc;

        if (!is_begun(req))
                return green_set_error(-EINVAL, "no response was begun");
        if (req->header_put)
                return 0;
        rc = put_header(req);
        if (rc != 0)
                req->close = true;
        return rc;
}

int
green__response_piece(green_wsgi_request *req, uint64_t len)
{
        int rc;

        if (is_begun(req) && req->response == GREEN__RESPONSE_LENGTH && len > req->response_left)
                return green_set_error(-EMSGSIZE, "more than the content length");
        rc = green__response_head_put(req);
        if (rc == 0 && req->response == GREEN__RESPONSE_LENGTH)
                req->response_left -= len;
        return rc;
}

static bool
is_chunked(const green_wsgi_request *req)
{
        return req->response == GREEN__RESPONSE_CHUNKED || req->compressed;
}

static int
write_chunk(green_wsgi_request *req, const void *data, size_t len)
{
        struct green__session *s = req->session;
        char line[CHUNK_LINE];
        size_t line_len = put_hex(line, len);
        int rc;

        line[line_len] = '\r';
        line[line_len + 1] = '\n';
        rc = put_data(req, line, line_len + 2);
        if (rc != 0)
                return rc;
        if (len + 2 > green__out_room(s)) {
                req->bytes_sent += len + 2;
                return green__session_send(s, data, len, "\r\n", 2);
        }
        rc = put_data(req, data, len);
        return rc == 0 ? put_data(req, "\r\n", 2) : rc;
}

int
green__response_chunk(green_wsgi_request *req, const void *data, size_t len)
{
        req->body_sent += len;
        return write_chunk(req, data, len);
}

/* A piece of the body at once, with all that was collected. */
static int
write_out(green_wsgi_request *req, const void *data, size_t len)
{
        int rc = 0;

        green__response_seal(req->session);
        if (req->compress != NULL) {
                rc = green__compress_write(req, data, len, GREEN__COMPRESS_FLUSH);
        } else if (len > 0 && !req->no_body) {
                req->body_sent += len;
                rc = is_chunked(req) ? write_chunk(req, data, len) : put_data(req, data, len);
        }
        return rc == 0 ? green__session_flush(req->session) : rc;
}

int
green_wsgi_write(green_wsgi_request *req, const void *data, size_t len)
{
        int rc = green__response_piece(req, len);

        if (rc != 0)
                return rc;
        rc = write_out(req, data, len);
        if (rc != 0)
                req->close = true;
        return rc;
}

/* Append to what is collected; there is room. */
static int
collect(green_wsgi_request *req, const void *data, size_t len)
{
        struct green__session *s = req->session;
        size_t begin;
        int rc = 0;

        if (s->chunk_open == 0 && req->response == GREEN__RESPONSE_CHUNKED)
                rc = chunk_begin(req);
        else if (green__out_room(s) < len)
                rc = green__session_flush(s);
        if (rc != 0)
                return rc;
        memcpy(s->out + s->out_len, data, len);
        added(req, len);
        begin = s->chunk_open != 0 ? s->chunk_open : req->collect_mark;
        return s->out_len - begin >= req->minimum_chunk ? green__session_flush(s) : 0;
}

/* As many bytes as make a chunk of their own, or more than there is room for. */
static bool
must_write(const green_wsgi_request *req, size_t len)
{
        const struct green__session *s = req->session;

        if (len >= req->minimum_chunk && s->chunk_open == 0)
                return true;
        return s->chunk_open != 0 && len + 2 > green__out_room(s);
}

int
green_wsgi_collect(green_wsgi_request *req, const void *data, size_t len)
{
        int rc;

        if (len == 0)
                return is_begun(req) ? 0 : green_set_error(-EINVAL, "no response was begun");
        rc = green__response_piece(req, len);
        if (rc != 0 || req->no_body)
                return rc;
        if (req->compress != NULL) {
                rc = green__compress_write(req, data, len, GREEN__COMPRESS_MORE);
        } else if (must_write(req, len)) {
                rc = write_out(req, data, len);
        } else {
                req->body_sent += len;
                rc = collect(req, data, len);
        }
        if (rc != 0)
                req->close = true;
        return rc;
}

int
green_wsgi_printf(green_wsgi_request *req, const char *format, ...)
{
        char small[512], *text = small;
        va_list args;
        int len, rc;

        va_start(args, format);
        len = vsnprintf(small, sizeof small, format, args);
        va_end(args);
        if (len < 0)
                return green_set_error(-EINVAL, "a format that printf does not know");
        if ((size_t)len >= sizeof small) {
                text = green_malloc((size_t)len + 1);
                if (text == NULL)
                        return -ENOMEM;
                va_start(args, format);
                (void)vsnprintf(text, (size_t)len + 1, format, args);
                va_end(args);
        }
        rc = green_wsgi_collect(req, text, (size_t)len);
        if (text != small)
                green_free(text);
        return rc;
}

size_t
green_wsgi_set_minimum_chunk_size(green_wsgi_request *req, size_t bytes)
{
        size_t was = req->minimum_chunk;

        req->minimum_chunk = bytes < GREEN__COLLECT_MAX ? bytes : GREEN__COLLECT_MAX;
        return was;
}

int
green_wsgi_status(const green_wsgi_request *req)
{
        return req->status;
}

/* ---- informational responses */

int
green__response_inform(green_wsgi_request *req, int status, const char *lines, size_t len)
{
        struct green__session *s = req->session;
        char *begin, *at;
        int rc = green__response_not_begun(req);

        if (rc == 0 && green__out_room(s) < FIXED_HEADER + len)
                rc = green__session_flush(s);
        if (rc != 0)
                return rc;
        begin = s->out + s->out_len;
        at = PUT(begin, "HTTP/1.1 ");
        at = put_number(at, (uint64_t)status);
        *at++ = ' ';
        at = put(at, green_http_phrase(status), strlen(green_http_phrase(status)));
        at = PUT(at, "\r\n");
        s->out_len += (size_t)(at - begin);
        /* It is no part of the response: that can be taken back behind it. */
        if (green__out_room(s) >= len + 2) {
                at = put(at, lines, len);
                (void)PUT(at, "\r\n");
                s->out_len += len + 2;
                rc = green__session_flush(s);
        } else {
                rc = green__session_send(s, lines, len, "\r\n", 2);
        }
        if (rc != 0)
                req->close = true;
        return rc;
}

int
green_wsgi_send_informational(green_wsgi_request *req, int status, const struct green_wsgi_pair *fields)
{
        char *lines;
        size_t len;
        int rc;

        if (status < 102 || status > 199)
                return green_set_error(-EINVAL, "no status of an informational response: %d", status);
        rc = green__header_lines(req, fields, &lines, &len);
        if (rc != 0)
                return rc;
        rc = green__response_not_begun(req);
        if (rc != 0 || req->head.minor == 0 || req->session->server->opts.max_http_version == 10)
                return rc;
        return green__response_inform(req, status, lines, len);
}

/* ---- its beginning and its end: the server's side */

void
green__response_begin(green_wsgi_request *req)
{
        req->response = GREEN__RESPONSE_NONE;
        req->status = 0;
        req->response_left = 0;
        req->headers_len = 0;
        req->header_put = req->sent = req->has_date = false;
        req->compress = NULL;
        req->compressed = false;
        req->no_body = req->close = false;
        req->out_mark = req->collect_mark = 0;
        req->minimum_chunk = req->session->server->opts.minimum_chunk_size;
        req->body_sent = req->bytes_sent = 0;
        req->send_error = 0;
        req->continue_fields = NULL;
        req->continue_len = 0;
        req->expects_continue = false;
}

void
green__response_head(green_wsgi_request *req)
{
        req->no_body = req->head.method == GREEN__HTTP1_HEAD;
        req->close = !(req->head.flags & GREEN__HTTP1_KEEP_ALIVE) || req->session->server->opts.max_http_version == 10;
}

/* Take back what stands in out of it; nothing of it has left. */
static void
take_back(green_wsgi_request *req)
{
        struct green__session *s = req->session;

        s->chunk_open = 0;
        green__compress_release(req);
        req->compressed = false;
        if (req->header_put)
                s->out_len = req->out_mark;
        req->header_put = req->has_date = false;
        req->response = GREEN__RESPONSE_NONE;
        req->headers_len = 0;
        req->body_sent = req->bytes_sent = 0;
}

/* What the client is told of a failure of the application: nothing, but in development. */
static int
failure_text(const green_wsgi_request *req, int code, char *text, size_t size)
{
        const struct green_error *e = green_last_error();
        bool same = e != NULL && e->code == code && e->message != NULL;

        if (!req->session->server->opts.debug)
                return 0;
        if (code == 0)
                return snprintf(text, size, "The application has returned without a response.\r\n");
        return snprintf(text, size, "The application failed with %s: %s\r\n%.600s%s", green_errname(code),
                        green_strerror(code), same ? e->message : "", same ? "\r\n" : "");
}

static void
respond_error(green_wsgi_request *req, int status, const char *text, size_t len)
{
        take_back(req);
        req->expects_continue = false;
        req->close = true;
        /* What could not be read as a request says nothing of the answer. */
        if (req->head.result != 0) {
                req->head.flags = 0;
                req->head.method = GREEN__HTTP1_METHOD_OTHER;
                req->no_body = false;
        }
        (void)green_wsgi_respond(req, status, "text/plain", text, len);
}

void
green__response_error(green_wsgi_request *req, int status)
{
        char text[80];
        int len = snprintf(text, sizeof(text), "%d %s\r\n", status, green_http_phrase(status));

        respond_error(req, status, text, (size_t)len);
}

/* What a body that could not be read is answered with; 0: nothing, the client has gone. */
static int
status_of_body(int code)
{
        switch (code) {
        case -EPROTO: return 400;
        case -EMSGSIZE: return 413;
        case -ETIMEDOUT: return 408;
        case -ENOMEM: return 503;
        default: return 0;
        }
}

static int
end_failed(green_wsgi_request *req, int code)
{
        char text[1000];
        int len, status;

        /* Broken off: the client must not take it for whole. */
        if (req->sent)
                return code;
        if (code == req->body_error && code != 0) {
                status = status_of_body(code);
                take_back(req);
                if (status != 0)
                        green__response_error(req, status);
                return code;
        }
        len = failure_text(req, code, text, sizeof text);
        respond_error(req, 500, text, (size_t)len);
        return 0;
}

int
green__response_end(green_wsgi_request *req, int app_code)
{
        int rc = 0;

        if (req->response == GREEN__RESPONSE_TAKEN)
                return -ECONNABORTED;
        /* An application that has answered a body that failed has said what there is to say. */
        if (app_code < 0 && !(app_code == req->body_error && req->response != GREEN__RESPONSE_NONE))
                rc = end_failed(req, app_code);
        else if (req->response == GREEN__RESPONSE_NONE)
                rc = end_failed(req, 0);
        else if (!req->header_put)
                rc = put_header(req);
        if (rc != 0)
                return rc;
        green__response_seal(req->session);
        if (req->response == GREEN__RESPONSE_LENGTH && req->response_left > 0 && !req->no_body)
                return -EPROTO;
        if (req->compress != NULL)
                rc = green__compress_write(req, NULL, 0, GREEN__COMPRESS_END);
        if (rc == 0 && is_chunked(req) && !req->no_body)
                rc = put_data(req, "0\r\n\r\n", 5);
        req->response = GREEN__RESPONSE_DONE;
        return rc;
}
