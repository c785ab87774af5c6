/*
 * For tests of responses that are compressed: a server of text, and a client that uncompresses.
 */
#ifndef GREEN_WEB_COMPRESS_H
#define GREEN_WEB_COMPRESS_H

#include "web_suite.h"

#include <zlib.h>

static struct server web;
static const char *type = "text/plain";
static const char *coding, *cache, *etag, *vary;
static int status = 200;
static char text[100000];

/* As the path says: /whole, /pieces, /length, /chunks, /promise */
MAYBE int
app(green_wsgi_request *req, void *arg)
{
        const char *path = green_wsgi_path(req, NULL);
        size_t len = (size_t)atoi(green_wsgi_query(req));
        int rc = 0;

        (void)arg;
        CHECK_INT(green_wsgi_set_header(req, "Accept-Ranges", "bytes"), 0);
        CHECK_INT(green_wsgi_set_header(req, "Content-Encoding", coding), 0);
        CHECK_INT(green_wsgi_set_header(req, "Cache-Control", cache), 0);
        CHECK_INT(green_wsgi_set_header(req, "Vary", vary), 0);
        CHECK_INT(green_wsgi_set_header(req, "ETag", etag), 0);
        if (strcmp(path, "/whole") == 0)
                return green_wsgi_respond(req, status, type, text, len);
        CHECK_INT(green_wsgi_set_header(req, "Content-Type", type), 0);
        rc = green_wsgi_start_response(req, status, strcmp(path, "/chunks") == 0 ? -1 : (int64_t)len);
        for (size_t i = 0; rc == 0 && i < len; i += 1000)
                rc = green_wsgi_collect(req, text + i, len - i < 1000 ? len - i : 1000);
        if (strcmp(path, "/promise") == 0)
                CHECK_INT(green_wsgi_collect(req, "x", 1), -EMSGSIZE);
        return rc;
}

MAYBE void
begin(void)
{
        for (size_t i = 0; i < sizeof text; i++)
                text[i] = (char)('a' + i * i / 7 % 13);
        type = "text/plain";
        coding = cache = etag = vary = NULL;
        status = 200;
        web = (struct server){0};
        web.opts.compress = true;
        web.opts.no_log_output = true;
        serve(&web, app);
}

/* ---- a client */

static char answer[200000], body[200000];
static size_t answer_len, body_len;

/* Undo the chunks, in place. */
MAYBE size_t
join_chunks(char *data, size_t len)
{
        size_t out = 0, in = 0;

        while (in < len) {
                char *end;
                size_t n = strtoul(data + in, &end, 16);

                in = (size_t)(end - data) + 2;
                if (n == 0 || !CHECK(in + n + 2 <= len))
                        return out;
                memmove(data + out, data + in, n);
                out += n;
                in += n + 2;
        }
        FAIL("there is no last chunk");
        return out;
}

MAYBE bool
has(const char *line)
{
        char search[200];

        snprintf(search, sizeof search, "\r\n%s\r\n", line);
        return strstr(answer, search) != NULL;
}

/* Ask; the header in answer, the body as it was sent in body. */
MAYBE void
fetch(const char *method, const char *target, const char *lines)
{
        green_socket *c = client_of(&web);
        char request[500], *end;
        ssize_t n;

        snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", method, target, lines);
        say(c, request);
        answer_len = 0;
        while ((n = green_socket_recv(c, answer + answer_len, sizeof answer - 1 - answer_len, 0)) > 0)
                answer_len += (size_t)n;
        CHECK_INT(n, 0);
        answer[answer_len] = '\0';
        CHECK_INT(green_socket_free(c), 0);
        end = strstr(answer, "\r\n\r\n");
        if (!CHECK(end != NULL))
                return;
        end[2] = '\0';
        body_len = answer_len - (size_t)(end + 4 - answer);
        memcpy(body, end + 4, body_len);
        if (has("Transfer-Encoding: chunked"))
                body_len = join_chunks(body, body_len);
}

/* What it is uncompressed is so many bytes of the text. */
MAYBE void
is_gzip_of_text(size_t len)
{
        static Bytef plain[sizeof text + 100];
        z_stream z = {0};

        CHECK(has("Content-Encoding: gzip"));
        CHECK(has("Vary: Accept-Encoding"));
        CHECK(strstr(answer, "Content-Length") == NULL);
        CHECK(strstr(answer, "Accept-Ranges") == NULL);
        CHECK(body_len < len / 2);
        CHECK_INT(inflateInit2(&z, 15 + 16), Z_OK);
        z.next_in = (Bytef *)body;
        z.avail_in = (uInt)body_len;
        z.next_out = plain;
        z.avail_out = sizeof plain;
        CHECK_INT(inflate(&z, Z_FINISH), Z_STREAM_END);
        CHECK_INT(z.total_out, len);
        CHECK_INT(z.avail_in, 0);
        CHECK(memcmp(plain, text, len) == 0);
        CHECK_INT(inflateEnd(&z), Z_OK);
}

MAYBE void
is_plain(size_t len)
{
        CHECK(strstr(answer, "Content-Encoding: gzip") == NULL);
        CHECK_INT(body_len, len);
        CHECK(memcmp(body, text, len) == 0);
        CHECK(strstr(answer, "Etag: W/") == NULL);
}

#define GZIP "Accept-Encoding: gzip, deflate, br\r\n"

#endif
