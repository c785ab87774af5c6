/*
 * What an application asks of a request. Texts lie in the read buffer; each is ended by NUL when it is asked for, in
 * place of the delimiter behind it: that belongs to no other text that is given so. A host's may, so a host is copied.
 */
#include <string.h>
#include <strings.h>

#include "wsgi_priv.h"

static const char *
span_text(green_wsgi_request *req, struct green__http1_span span)
{
        char *text = req->base + span.off;

        text[span.len] = '\0';
        return text;
}

const char *
green_wsgi_method(green_wsgi_request *req)
{
        return span_text(req, req->head.method_name);
}

const char *
green_wsgi_path(green_wsgi_request *req, size_t *ret_len)
{
        const char *raw = green_wsgi_raw_path(req);
        size_t len = strlen(raw);

        if (req->path == NULL && memchr(raw, '%', len) != NULL) {
                char *path = green_wsgi_alloc(req, len + 1);

                if (path == NULL)
                        return NULL;
                /* There is no %00: the parser has refused it. */
                req->path_len = green_http_unquote(raw, len, 0, path);
                req->path = path;
        } else if (req->path == NULL) {
                req->path = raw;
                req->path_len = len;
        }
        if (ret_len != NULL)
                *ret_len = req->path_len;
        return req->path;
}

const char *
green_wsgi_raw_path(green_wsgi_request *req)
{
        const struct green__http1 *head = &req->head;

        if (head->form == GREEN__HTTP1_ASTERISK)
                return "*";
        if (head->path.len == 0)
                return head->form == GREEN__HTTP1_AUTHORITY ? "" : "/";
        return span_text(req, head->path);
}

const char *
green_wsgi_query(green_wsgi_request *req)
{
        if (!(req->head.flags & GREEN__HTTP1_HAS_QUERY))
                return NULL;
        return span_text(req, req->head.query);
}

int
green_wsgi_version(const green_wsgi_request *req)
{
        return 10 + req->head.minor;
}

static const char *
field_value(green_wsgi_request *req, const struct green__http1_field *field)
{
        return span_text(req, (struct green__http1_span){field->value, field->value_len});
}

const char *
green_wsgi_header(green_wsgi_request *req, const char *name)
{
        size_t len = strlen(name);

        for (size_t i = 0; i < req->head.lines.count; i++) {
                const struct green__http1_field *field = &req->fields[i];

                if (field->name_len == len && strncasecmp(req->base + field->name, name, len) == 0)
                        return field_value(req, field);
        }
        return NULL;
}

bool
green_wsgi_header_at(green_wsgi_request *req, size_t index, const char **ret_name, const char **ret_value)
{
        const struct green__http1_field *field;

        if (index >= req->head.lines.count)
                return false;
        field = &req->fields[index];
        *ret_name = span_text(req, (struct green__http1_span){field->name, field->name_len});
        *ret_value = field_value(req, field);
        return true;
}

int64_t
green_wsgi_content_length(const green_wsgi_request *req)
{
        if (req->head.flags & GREEN__HTTP1_CHUNKED)
                return -1;
        return (int64_t)req->head.content_length;
}

const char *
green_wsgi_host(green_wsgi_request *req, int *ret_port)
{
        const struct green__http1 *head = &req->head;

        if (req->host == NULL && head->host.len == 0)
                req->host = "";
        if (req->host == NULL)
                req->host = green__arena_copy(&req->session->arena, req->base + head->host.off, head->host.len);
        if (req->host == NULL)
                errno = ENOMEM;
        if (ret_port != NULL)
                *ret_port = head->port;
        return req->host;
}

int
green_wsgi_peer(green_wsgi_request *req, struct green_addr *ret_addr)
{
        const struct green__conn *conn = req->session->conn;

        if (conn->proxied && ret_addr != NULL) {
                *ret_addr = green__peer_addr(&conn->peer);
                return 0;
        }
        return green_socket_getpeername(conn->socket, ret_addr);
}

green_socket *
green_wsgi_get_socket(green_wsgi_request *req)
{
        return req->session->conn->socket;
}

void *
green_wsgi_alloc(green_wsgi_request *req, size_t size)
{
        void *p = green__arena_alloc(&req->session->arena, size);

        if (p == NULL)
                errno = ENOMEM;
        return p;
}
