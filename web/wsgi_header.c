/*
 * Header fields of the response: what the application may say, as lines.
 */
#include <string.h>
#include <strings.h>

#include "http1_char_priv.h"
#include "wsgi_priv.h"

/* ---- what is allowed */

/* Most names differ in their first letter: that is looked at before the whole is compared. */
static bool
same_name(const char *a, const char *b)
{
        return ((*a ^ *b) & 0xdf) == 0 && strcasecmp(a, b) == 0;
}

/* Fields that only the server knows how to set. */
static bool
is_servers(const char *name)
{
        static const char *const names[] = {"Content-Length", "Transfer-Encoding", "Keep-Alive", "Upgrade", "Trailer",
                                            "Proxy-Connection", "TE"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (same_name(name, names[i]))
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

bool
green__header_value_ok(const char *value)
{
        for (; *value != '\0'; value++)
                if ((unsigned char)*value < 0x20 ? *value != '\t' : *value == 0x7f)
                        return false;
        return true;
}

static int
check(const char *name, const char *value)
{
        if (name == NULL || value == NULL || !name_ok(name))
                return green_set_error(-EINVAL, "a header field without a proper name");
        if (!green__header_value_ok(value))
                return green_set_error(-EINVAL, "header field %.100s: a character that is not allowed", name);
        if (is_servers(name))
                return green_set_error(-EINVAL, "header field %.100s is the server's affair", name);
        return 0;
}

/* ---- the lines */

static int
reserve(struct green__session *s, size_t need)
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

/* As Foo-Bar (WSGI-69). */
static void
capitalize(char *name, size_t len)
{
        bool first = true;

        for (size_t i = 0; i < len; i++) {
                char c = name[i];

                if (first && c >= 'a' && c <= 'z')
                        name[i] = (char)(c - 'a' + 'A');
                else if (!first && c >= 'A' && c <= 'Z')
                        name[i] = (char)(c - 'A' + 'a');
                first = c == '-';
        }
}

static char *
put_line(const green_wsgi_request *req, char *at, const char *name, size_t name_len, const char *value, size_t value_len)
{
        memcpy(at, name, name_len);
        if (!req->session->server->opts.no_capitalize_response_headers)
                capitalize(at, name_len);
        at += name_len;
        memcpy(at, ": ", 2);
        memcpy(at + 2, value, value_len);
        memcpy(at + 2 + value_len, "\r\n", 2);
        return at + value_len + 4;
}

int
green__header_put(green_wsgi_request *req, const char *name, size_t name_len, const char *value, size_t value_len)
{
        struct green__session *s = req->session;
        int rc = reserve(s, req->headers_len + name_len + value_len + 4);

        if (rc != 0)
                return rc;
        put_line(req, s->headers + req->headers_len, name, name_len, value, value_len);
        req->headers_len += name_len + value_len + 4;
        return 0;
}

int
green__header_lines(green_wsgi_request *req, const struct green_wsgi_pair *fields, char **ret_lines, size_t *ret_len)
{
        size_t len = 0;
        char *lines, *at;

        for (const struct green_wsgi_pair *f = fields; f != NULL && f->name != NULL; f++) {
                int rc = check(f->name, f->value);

                if (rc != 0)
                        return rc;
                len += strlen(f->name) + strlen(f->value) + 4;
        }
        lines = green__arena_alloc(&req->session->arena, len + 1);
        if (lines == NULL)
                return -ENOMEM;
        at = lines;
        for (const struct green_wsgi_pair *f = fields; f != NULL && f->name != NULL; f++)
                at = put_line(req, at, f->name, strlen(f->name), f->value, strlen(f->value));
        *ret_lines = lines;
        *ret_len = len;
        return 0;
}

void
green__header_remove(green_wsgi_request *req, const char *name)
{
        char *at = req->session->headers;
        char *end = at + req->headers_len;
        size_t len = strlen(name);

        while (at < end) {
                char *next = (char *)memchr(at, '\n', (size_t)(end - at)) + 1;

                if (strncasecmp(at, name, len) == 0 && at[len] == ':') {
                        memmove(at, next, (size_t)(end - next));
                        end -= next - at;
                } else {
                        at = next;
                }
        }
        req->headers_len = (size_t)(end - req->session->headers);
        if (same_name(name, "Date"))
                req->has_date = false;
}

/* ---- the interface */

int
green_wsgi_add_header(green_wsgi_request *req, const char *name, const char *value)
{
        int rc = green__response_not_begun(req);

        if (rc == 0)
                rc = check(name, value);
        if (rc != 0)
                return rc;
        if (same_name(name, "Connection")) {
                if (strcasecmp(value, "close") != 0)
                        return green_set_error(-EINVAL, "header field Connection: only \"close\" is the application's");
                req->close = true;
                return 0;
        }
        rc = green__header_put(req, name, strlen(name), value, strlen(value));
        if (rc == 0 && same_name(name, "Date"))
                req->has_date = true;
        return rc;
}

int
green_wsgi_set_header(green_wsgi_request *req, const char *name, const char *value)
{
        int rc = green__response_not_begun(req);

        if (rc == 0)
                rc = check(name, value == NULL ? "" : value);
        if (rc != 0)
                return rc;
        if (req->headers_len > 0)
                green__header_remove(req, name);
        return value == NULL ? 0 : green_wsgi_add_header(req, name, value);
}
