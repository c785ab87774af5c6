/*
 * What an application asks of a request. Texts lie in the read buffer; each is ended by NUL when it is asked for, in
 * place of the delimiter behind it.
 */
#include <string.h>
#include <strings.h>

#include "http1_char_priv.h"
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

/* The parser has let only whole and harmless encodings through. */
static size_t
decode(char *to, const char *from, size_t len)
{
        char *at = to;

        for (size_t i = 0; i < len; i++) {
                if (from[i] == '%' && i + 2 < len) {
                        *at++ = (char)(green__http1_hex((uint8_t)from[i + 1]) << 4 | green__http1_hex((uint8_t)from[i + 2]));
                        i += 2;
                } else {
                        *at++ = from[i];
                }
        }
        *at = '\0';
        return (size_t)(at - to);
}

static const char *
decoded(green_wsgi_request *req, const char *raw, size_t *len)
{
        char *path = green__arena_alloc(&req->session->arena, *len + 1);

        if (path == NULL)
                return NULL;
        *len = decode(path, raw, *len);
        return path;
}

const char *
green_wsgi_path(green_wsgi_request *req, size_t *ret_len)
{
        const char *path = green_wsgi_raw_path(req);
        size_t len = strlen(path);

        if (memchr(path, '%', len) != NULL)
                path = decoded(req, path, &len);
        if (path != NULL && ret_len != NULL)
                *ret_len = len;
        return path;
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
        const struct green__http1_field *field = &req->fields[index];

        if (index >= req->head.lines.count)
                return false;
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

int
green_wsgi_peer(green_wsgi_request *req, struct green_addr *ret_addr)
{
        return green_socket_getpeername(req->session->conn->socket, ret_addr);
}
