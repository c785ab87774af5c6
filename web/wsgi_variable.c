/*
 * Variables of the environ that a request says itself: those of CGI and WSGI, and its header fields as HTTP_*. Each is
 * computed when it is asked for.
 */
#include <string.h>

#include "wsgi_priv.h"

/* ---- those of the request line and the server */

static const char *
script_name(green_wsgi_request *req)
{
        return green__mounted(req, true);
}

static const char *
path_info(green_wsgi_request *req)
{
        return green__mounted(req, false);
}

static const char *
content_type(green_wsgi_request *req)
{
        const char *type = green_wsgi_header(req, "Content-Type");

        return type == NULL ? "text/plain" : type;
}

static const char *
content_length(green_wsgi_request *req)
{
        return green_wsgi_header(req, "Content-Length");
}

static const char *
protocol(green_wsgi_request *req)
{
        return green_wsgi_version(req) == 10 ? "HTTP/1.0" : "HTTP/1.1";
}

static const char *
gateway(green_wsgi_request *req)
{
        (void)req;
        return "CGI/1.1";
}

static const char *
https(green_wsgi_request *req)
{
        return strcmp(green_wsgi_scheme(req), "https") == 0 ? "on" : NULL;
}

static const char *
wsgi_version(green_wsgi_request *req)
{
        (void)req;
        return "1.0";
}

static const char *
yes(green_wsgi_request *req)
{
        (void)req;
        return "true";
}

static const char *
no(green_wsgi_request *req)
{
        (void)req;
        return "false";
}

/* ---- addresses */

/* Host or port of an address. A Unix socket is "unix", without a port (WSGI-17). */
static const char *
address_part(green_wsgi_request *req, const struct green_addr *addr, bool port)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        const char *begin = text, *end;

        if (green_addr_port(addr) < 0)
                return port ? "" : "unix";
        (void)green_addr_format(addr, text, sizeof(text));
        end = strrchr(text, ':');
        if (port) {
                begin = end + 1;
                end += strlen(end);
        } else if (*begin == '[') {
                begin++;
                end--;
        }
        begin = green__arena_copy(&req->session->arena, begin, (size_t)(end - begin));
        if (begin == NULL)
                errno = ENOMEM;
        return begin;
}

static const char *
local(green_wsgi_request *req, bool port)
{
        struct green_addr addr;
        int rc = green_socket_getsockname(green_wsgi_get_socket(req), &addr);

        return rc != 0 ? NULL : address_part(req, &addr, port);
}

static const char *
remote(green_wsgi_request *req, bool port)
{
        struct green_addr addr;
        int rc = green_wsgi_peer(req, &addr);

        return rc != 0 ? NULL : address_part(req, &addr, port);
}

static const char *
server_name(green_wsgi_request *req)
{
        return local(req, false);
}

static const char *
server_port(green_wsgi_request *req)
{
        return local(req, true);
}

static const char *
remote_addr(green_wsgi_request *req)
{
        return remote(req, false);
}

static const char *
remote_port(green_wsgi_request *req)
{
        return remote(req, true);
}

static const struct {
        const char *name;
        const char *(*value)(green_wsgi_request *req);
        bool makes; /* it takes memory */
} known[] = {
        {"REQUEST_METHOD", green_wsgi_method, false},
        {"SCRIPT_NAME", script_name, false},
        {"PATH_INFO", path_info, false},
        {"RAW_PATH_INFO", green_wsgi_raw_path, false},
        {"QUERY_STRING", green_wsgi_query, false},
        {"CONTENT_TYPE", content_type, false},
        {"CONTENT_LENGTH", content_length, false},
        {"SERVER_PROTOCOL", protocol, false},
        {"SERVER_NAME", server_name, true},
        {"SERVER_PORT", server_port, true},
        {"REMOTE_ADDR", remote_addr, true},
        {"REMOTE_PORT", remote_port, true},
        {"GATEWAY_INTERFACE", gateway, false},
        {"HTTPS", https, false},
        {"wsgi.version", wsgi_version, false},
        {"wsgi.url_scheme", green_wsgi_scheme, false},
        {"wsgi.multithread", yes, false},
        {"wsgi.multiprocess", no, false},
        {"wsgi.run_once", no, false},
};

enum { KNOWN = sizeof(known) / sizeof(known[0]) };

/* ---- header fields */

static char
as_variable(char c)
{
        if (c >= 'a' && c <= 'z')
                return (char)(c - 'a' + 'A');
        return c == '-' ? '_' : c;
}

/* Is it one that HTTP_* has? */
static bool
is_variable(const green_wsgi_request *req, size_t index)
{
        static const char type[] = "CONTENT_TYPE", length[] = "CONTENT_LENGTH";
        const struct green__http1_field *field = &req->fields[index];
        const char *name = req->base + field->name;
        const char *other = field->name_len == sizeof(type) - 1 ? type : length;

        if (field->flags & (GREEN__HTTP1_UNDERSCORE | GREEN__HTTP1_REPEATED))
                return false;
        if (field->name_len != strlen(other))
                return true;
        for (size_t i = 0; i < field->name_len; i++)
                if (as_variable(name[i]) != other[i])
                        return true;
        return false;
}

/* Is a field one of this variable, given without HTTP_? */
static bool
is_field(const green_wsgi_request *req, size_t index, const char *name, size_t len)
{
        const struct green__http1_field *field = &req->fields[index];
        const char *sent = req->base + field->name;

        if (field->name_len != len)
                return false;
        for (size_t i = 0; i < len; i++)
                if (as_variable(sent[i]) != name[i])
                        return false;
        return is_variable(req, index);
}

static const char *
field_value(green_wsgi_request *req, size_t index)
{
        const char *name, *value = "";

        (void)green_wsgi_header_at(req, index, &name, &value);
        return value;
}

/* The values of a variable's fields, from the first on, joined by commas. */
static const char *
joined(green_wsgi_request *req, size_t first, const char *name, size_t len)
{
        size_t room = 0;
        char *text, *at;

        for (size_t i = first; i < req->head.lines.count; i++)
                if (is_field(req, i, name, len))
                        room += req->fields[i].value_len + 1u;
        text = at = green_wsgi_alloc(req, room);
        if (text == NULL)
                return NULL;
        for (size_t i = first; i < req->head.lines.count; i++) {
                if (!is_field(req, i, name, len))
                        continue;
                memcpy(at, req->base + req->fields[i].value, req->fields[i].value_len);
                at += req->fields[i].value_len;
                *at++ = ',';
        }
        at[-1] = '\0';
        return text;
}

/* What a field's variable says, its name given without HTTP_. */
static const char *
field_variable(green_wsgi_request *req, const char *name, bool *ret_made)
{
        size_t len = strlen(name);
        size_t first = SIZE_MAX;
        unsigned n = 0;

        for (size_t i = 0; i < req->head.lines.count; i++)
                if (is_field(req, i, name, len) && n++ == 0)
                        first = i;
        *ret_made = n > 1;
        if (n == 0)
                return NULL;
        return n == 1 ? field_value(req, first) : joined(req, first, name, len);
}

/* The name of a field's variable; NULL: it has none, or with errno. */
static const char *
field_name(green_wsgi_request *req, size_t index)
{
        const struct green__http1_field *field = &req->fields[index];
        char *name;

        if (!is_variable(req, index))
                return NULL;
        name = green_wsgi_alloc(req, field->name_len + 6u);
        if (name == NULL)
                return NULL;
        memcpy(name, "HTTP_", 5);
        for (size_t i = 0; i < field->name_len; i++)
                name[5 + i] = as_variable(req->base[field->name + i]);
        name[5 + field->name_len] = '\0';
        return name;
}

/* ---- the interface */

const char *
green__variable(green_wsgi_request *req, const char *name, bool *ret_made)
{
        errno = 0;
        for (size_t i = 0; i < KNOWN; i++) {
                if (strcmp(name, known[i].name) == 0) {
                        *ret_made = known[i].makes;
                        return known[i].value(req);
                }
        }
        *ret_made = false;
        return strncmp(name, "HTTP_", 5) == 0 ? field_variable(req, name + 5, ret_made) : NULL;
}

size_t
green__variable_count(const green_wsgi_request *req)
{
        return KNOWN + req->head.lines.count;
}

const char *
green__variable_name(green_wsgi_request *req, size_t index)
{
        errno = 0;
        return index < KNOWN ? known[index].name : field_name(req, index - KNOWN);
}
