/*
 * Which responses are compressed, and what their header says then.
 */
#include <string.h>
#include <strings.h>

#include "http_accept_priv.h"
#include "wsgi_compress_priv.h"

int
green__compress_take(struct green__server *server)
{
        struct green_wsgi_server_opts *o = &server->opts;

        if (o->compress_level < 0 || o->compress_level > 9)
                return green_set_error(-EINVAL, "green_wsgi_server_opts: compress_level is 1 to 9");
        if (o->compress && !green__compress_can())
                return green_set_error(-ENOTSUP, "green_wsgi_server_opts: compress: built without zlib");
        if (o->compress_level == 0)
                o->compress_level = 1;
        if (o->compress_minimum == 0)
                o->compress_minimum = 1024;
        return 0;
}

/* ---- the header */

/* The value of the next field with a name, up to its end of line, behind another one (NULL: the first). NULL: there is none. */
static const char *
find_next(const green_wsgi_request *req, const char *name, const char *behind, size_t *ret_len)
{
        const char *at = req->session->headers, *end = at + req->headers_len;
        size_t len = strlen(name);

        if (behind != NULL)
                at = (const char *)memchr(behind, '\n', (size_t)(end - behind)) + 1;

        while (at < end) {
                const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;

                if (strncasecmp(at, name, len) == 0 && at[len] == ':') {
                        *ret_len = (size_t)(next - at) - len - 4;
                        return at + len + 2;
                }
                at = next;
        }
        return NULL;
}

static const char *
find(const green_wsgi_request *req, const char *name, size_t *ret_len)
{
        return find_next(req, name, NULL, ret_len);
}

/* In any of the fields of that name. */
static bool
has_item(const green_wsgi_request *req, const char *field, const char *word)
{
        struct green_http_part rest, item;
        const char *value = NULL;

        while ((value = find_next(req, field, value, &rest.len)) != NULL) {
                rest.data = value;
                while (green_http_next_item(&rest, &item))
                        if (item.len == strlen(word) && strncasecmp(item.data, word, item.len) == 0)
                                return true;
        }
        return false;
}

/* May this response be compressed for somebody? */
static bool
is_fit(green_wsgi_request *req)
{
        const struct green_wsgi_server_opts *o = &req->session->server->opts;
        const char *value, *type;
        size_t len;

        if (req->status == 206 || req->response == GREEN__RESPONSE_CLOSE)
                return false;
        if (req->response == GREEN__RESPONSE_LENGTH && req->response_left < o->compress_minimum)
                return false;
        if (find(req, "Content-Encoding", &len) != NULL || find(req, "Content-Range", &len) != NULL ||
            has_item(req, "Cache-Control", "no-transform"))
                return false;
        value = find(req, "Content-Type", &len);
        type = value == NULL ? NULL : green__arena_copy(&req->session->arena, value, len);
        if (type == NULL)
                return false;
        return o->compress_types != NULL ? green__type_among(type, o->compress_types) : green__type_compresses(type);
}

static int
vary(green_wsgi_request *req)
{
        if (has_item(req, "Vary", "Accept-Encoding") || has_item(req, "Vary", "*"))
                return 0;
        return green__header_put(req, "Vary", 4, "Accept-Encoding", 15);
}

/* Other bytes that mean the same: the tag is no strong one (RFC 9110 8.8.1). */
static int
weaken(green_wsgi_request *req)
{
        size_t len;
        const char *etag = find(req, "ETag", &len);
        char *weak;

        if (etag == NULL || len < 2 || etag[0] == 'W')
                return 0;
        weak = green_wsgi_alloc(req, len + 2);
        if (weak == NULL)
                return -ENOMEM;
        memcpy(weak, "W/", 2);
        memcpy(weak + 2, etag, len);
        green__header_remove(req, "ETag");
        return green__header_put(req, "ETag", 4, weak, len + 2);
}

/* The client has the compressed one, and its tag stays what it was. */
static bool
knows_weak(green_wsgi_request *req)
{
        const char *tags = green_wsgi_header(req, "If-None-Match");

        return tags != NULL && strstr(tags, "W/\"") != NULL;
}

static bool
is_wanted(green_wsgi_request *req)
{
        int gzip = green__encoding_wanted(req, "gzip");

        return gzip > 0 && gzip >= green__encoding_wanted(req, "identity");
}

int
green__compress_choose(green_wsgi_request *req)
{
        struct green__server *server = req->session->server;
        int rc;

        if (req->head.minor == 0 || server->opts.max_http_version == 10)
                return 0;
        /* It says what the 200 would (RFC 9110 15.4.5); of what type that is, it does not. */
        if (req->status == 304) {
                rc = vary(req);
                return rc == 0 && knows_weak(req) ? weaken(req) : rc;
        }
        if ((req->no_body && req->head.method != GREEN__HTTP1_HEAD) || !is_fit(req))
                return 0;
        rc = vary(req);
        if (rc != 0 || !is_wanted(req))
                return rc;
        if (!req->no_body) {
                req->compress = green__compress_new(server);
                if (req->compress == NULL)
                        return 0;
        }
        rc = weaken(req);
        if (rc != 0) {
                green__compress_release(req);
                return rc;
        }
        req->compressed = true;
        /* Ranges would be those of what is sent, and that is made anew each time. */
        green__header_remove(req, "Accept-Ranges");
        rc = green__header_put(req, "Content-Encoding", 16, "gzip", 4);
        if (rc != 0) {
                green__compress_release(req);
                req->compressed = false;
        }
        return rc;
}
