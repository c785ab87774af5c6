/*
 * The response: its header, its framing, and the end of it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "http1_char_priv.h"
#include "wsgi_priv.h"

void
green__response_begin(green_wsgi_request *req)
{
        req->response = GREEN__RESPONSE_NONE;
        req->status = 0;
        req->response_left = 0;
        req->headers_len = 0;
        req->no_body = req->head.method == GREEN__HTTP1_HEAD;
        req->close = !(req->head.flags & GREEN__HTTP1_KEEP_ALIVE);
}

/* Fields that only the server knows how to set. */
static bool
is_servers(const char *name)
{
        static const char *const names[] = {"Content-Length", "Transfer-Encoding", "Date", "Keep-Alive", "Upgrade", "Trailer"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcasecmp(name, names[i]) == 0)
                        return true;
        return false;
}

static bool
name_ok(const char *name)
{
        if (*name == '\0')
                return false;
        for (; *name != '\0'; name++)
                if (!green__http1_is((uint8_t)*name, GREEN__CHAR_TOKEN))
                        return false;
        return true;
}

static bool
value_ok(const char *value)
{
        for (; *value != '\0'; value++)
                if ((unsigned char)*value < 0x20 ? *value != '\t' : *value == 0x7f)
                        return false;
        return true;
}

static int
reserve_headers(struct green__session *s, size_t need)
{
        size_t room = s->headers_room == 0 ? 1024 : s->headers_room;
        char *headers;

        if (need <= s->headers_room)
                return 0;
        if (need > GREEN__HEADERS_MAX)
                return -EMSGSIZE;
        while (room < need)
                room *= 2;
        headers = green_realloc(s->headers, room);
        if (headers == NULL)
                return -ENOMEM;
        s->headers = headers;
        s->headers_room = room;
        return 0;
}

static int
add_field(green_wsgi_request *req, const char *name, const char *value)
{
        struct green__session *s = req->session;
        size_t name_len = strlen(name);
        size_t value_len = strlen(value);
        int rc = reserve_headers(s, req->headers_len + name_len + value_len + 4);
        char *at;

        if (rc != 0)
                return rc;
        at = s->headers + req->headers_len;
        memcpy(at, name, name_len);
        memcpy(at + name_len, ": ", 2);
        memcpy(at + name_len + 2, value, value_len);
        memcpy(at + name_len + 2 + value_len, "\r\n", 2);
        req->headers_len += name_len + value_len + 4;
        return 0;
}

int
green_wsgi_add_header(green_wsgi_request *req, const char *name, const char *value)
{
        if (req->response != GREEN__RESPONSE_NONE)
                return -EALREADY;
        if (name == NULL || value == NULL || !name_ok(name) || !value_ok(value) || is_servers(name))
                return -EINVAL;
        if (strcasecmp(name, "Connection") == 0) {
                if (strcasecmp(value, "close") != 0)
                        return -EINVAL;
                req->close = true;
                return 0;
        }
        return add_field(req, name, value);
}

static const char *
date_now(struct green__server *server)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        if (now.tv_sec != server->date_second) {
                server->date_second = now.tv_sec;
                green_wsgi_format_date_time(now.tv_sec, server->date);
        }
        return server->date;
}

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

static char *
put_status_line(char *at, int status)
{
        const char *phrase;

        if (status == 200)
                return PUT(at, "HTTP/1.1 200 OK\r\n");
        phrase = green__http_reason_phrase(status);
        at = PUT(at, "HTTP/1.1 ");
        at = put_number(at, (uint64_t)status);
        *at++ = ' ';
        at = put(at, phrase, strlen(phrase));
        return PUT(at, "\r\n");
}

static bool
status_has_body(int status)
{
        return status >= 200 && status != 204 && status != 304;
}

/* What the header of a response may take beside the application's fields. */
enum { FIXED_HEADER = 256 };

static char *
put_framing(char *at, const green_wsgi_request *req)
{
        if (status_has_body(req->status)) {
                if (req->response == GREEN__RESPONSE_LENGTH) {
                        at = PUT(at, "Content-Length: ");
                        at = put_number(at, req->response_left);
                        at = PUT(at, "\r\n");
                } else if (req->response == GREEN__RESPONSE_CHUNKED) {
                        at = PUT(at, "Transfer-Encoding: chunked\r\n");
                }
        }
        if (req->close)
                at = PUT(at, "Connection: close\r\n");
        else if (req->head.flags & GREEN__HTTP1_SAID_KEEP_ALIVE)
                at = PUT(at, "Connection: keep-alive\r\n");
        return at;
}

/* Write the header behind the answers collected so far. */
static int
put_header(green_wsgi_request *req)
{
        struct green__session *s = req->session;
        char fixed[FIXED_HEADER];
        char *at = put_status_line(fixed, req->status);
        size_t len;
        int rc;

        at = PUT(at, "Date: ");
        at = put(at, date_now(s->server), GREEN_WSGI_DATE_SIZE - 1);
        at = PUT(at, "\r\n");
        at = put_framing(at, req);
        len = (size_t)(at - fixed);
        if (green__out_room(s) < len + req->headers_len + 2) {
                rc = green__session_flush(s);
                if (rc != 0)
                        return rc;
        }
        put(s->out + s->out_len, fixed, len);
        s->out_len += len;
        if (green__out_room(s) < req->headers_len + 2) {
                rc = green__session_flush(s);
                if (rc == 0)
                        rc = green_socket_sendall(s->conn->socket, s->headers, req->headers_len, 0, NULL);
                if (rc != 0)
                        return rc;
        } else if (req->headers_len > 0) {
                put(s->out + s->out_len, s->headers, req->headers_len);
                s->out_len += req->headers_len;
        }
        put(s->out + s->out_len, "\r\n", 2);
        s->out_len += 2;
        return 0;
}

/* Send or collect a piece. A large one goes out together with what was collected, without a copy. */
static int
put_data(struct green__session *s, const void *data, size_t len)
{
        struct green_iovec iov[2] = {{s->out, s->out_len}, {(void *)(uintptr_t)data, len}};

        if (len <= green__out_room(s)) {
                if (len > 0)
                        put(s->out + s->out_len, data, len);
                s->out_len += len;
                return 0;
        }
        s->out_len = 0;
        return green_socket_sendallv(s->conn->socket, iov, 2, 0, NULL);
}

int
green_wsgi_start_response(green_wsgi_request *req, int status, int64_t content_length)
{
        if (status < 200 || status > 999 || content_length < -1)
                return -EINVAL;
        if (req->response != GREEN__RESPONSE_NONE)
                return -EALREADY;
        req->status = status;
        if (content_length >= 0) {
                req->response = GREEN__RESPONSE_LENGTH;
                req->response_left = (uint64_t)content_length;
        } else if (req->head.minor >= 1) {
                req->response = GREEN__RESPONSE_CHUNKED;
        } else {
                req->response = GREEN__RESPONSE_CLOSE;
                req->close = true;
        }
        if (!status_has_body(status))
                req->no_body = true;
        /* A client that was told nothing may still hold its body back: the next request could not be found. */
        if (req->expects_continue || req->session->server->closing)
                req->close = true;
        return put_header(req);
}

static int
write_chunk(struct green__session *s, const void *data, size_t len)
{
        char head[20];
        int n = snprintf(head, sizeof(head), "%zx\r\n", len);
        int rc = put_data(s, head, (size_t)n);

        if (rc == 0)
                rc = put_data(s, data, len);
        if (rc == 0)
                rc = put_data(s, "\r\n", 2);
        return rc;
}

int
green_wsgi_write(green_wsgi_request *req, const void *data, size_t len)
{
        struct green__session *s = req->session;
        int rc;

        if (req->response == GREEN__RESPONSE_NONE || req->response == GREEN__RESPONSE_DONE)
                return -EINVAL;
        if (req->response == GREEN__RESPONSE_LENGTH) {
                if (len > req->response_left)
                        return -EMSGSIZE;
                req->response_left -= len;
        }
        if (len == 0 || req->no_body)
                return 0;
        if (req->response == GREEN__RESPONSE_CHUNKED)
                rc = write_chunk(s, data, len);
        else
                rc = put_data(s, data, len);
        if (rc == 0)
                rc = green__session_flush(s);
        if (rc != 0)
                req->close = true;
        return rc;
}

int
green_wsgi_respond(green_wsgi_request *req, int status, const char *content_type, const void *body, size_t len)
{
        int rc;

        if (req->response != GREEN__RESPONSE_NONE)
                return -EALREADY;
        if (status < 200 || status > 999 || (body == NULL && len > 0) || (content_type != NULL && !value_ok(content_type)))
                return -EINVAL;
        if (content_type != NULL) {
                rc = add_field(req, "Content-Type", content_type);
                if (rc != 0)
                        return rc;
        }
        rc = green_wsgi_start_response(req, status, (int64_t)len);
        if (rc == 0 && !req->no_body)
                rc = put_data(req->session, body, len);
        req->response_left = 0;
        if (rc != 0)
                req->close = true;
        return rc;
}

/* Answer what is wrong, and end the connection. */
void
green__response_error(green_wsgi_request *req, int status)
{
        char text[64];
        int len = snprintf(text, sizeof(text), "%d %s\r\n", status, green__http_reason_phrase(status));

        req->response = GREEN__RESPONSE_NONE;
        req->headers_len = 0;
        req->expects_continue = false;
        req->no_body = false;
        req->close = true;
        if (req->head.result != 0)
                req->head.flags = 0;
        (void)green_wsgi_respond(req, status, "text/plain", text, (size_t)len);
}

/* The application has returned: write what is left of the framing. Nonzero: the connection must close. */
int
green__response_end(green_wsgi_request *req, int app_code)
{
        enum green__response_state was = req->response;

        if (was == GREEN__RESPONSE_NONE) {
                green__response_error(req, 500);
                was = req->response;
        } else if (app_code < 0 && req->body_error == 0) {
                /* Broken off: the client must not take it for whole. */
                return app_code;
        }
        req->response = GREEN__RESPONSE_DONE;
        if (was == GREEN__RESPONSE_LENGTH && req->response_left > 0 && !req->no_body)
                return -EPROTO;
        if (was == GREEN__RESPONSE_CHUNKED && !req->no_body)
                return put_data(req->session, "0\r\n\r\n", 5);
        return 0;
}
