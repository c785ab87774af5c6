/*
 * The body of a request by lines, as a whole, and as a stream.
 */
#include <stdint.h>
#include <string.h>

#include "wsgi_priv.h"

enum {
        LINE_LIMIT = 65536, /* of green_wsgi_readline(), unless it is given */
        WHOLE_FIRST = 4096, /* memory for a chunked body to begin with */
        LINES_FIRST = 16,
};

/* ---- the stream */

static ssize_t
read_source(void *source, void *buf, size_t len)
{
        return green__body_read(source, buf, len);
}

green_stream *
green_wsgi_input(green_wsgi_request *req)
{
        static const struct green_stream_ops ops = {.size = sizeof(ops), .read = read_source};

        if (req->input == NULL)
                req->input = green_stream_new(&ops, req, NULL);
        return req->input;
}

/* ---- the whole */

/* Is there more than was to come? 0: no. */
static int
expect_end(green_wsgi_request *req)
{
        char more;
        ssize_t n = green_wsgi_read(req, &more, 1);

        return n <= 0 ? (int)n : green_set_error(-EMSGSIZE, "the body is larger than allowed");
}

/* A body whose length is known: straight to where it is to lie. */
static int
read_known(green_wsgi_request *req, size_t len, char **ret_data)
{
        char *data = green_wsgi_alloc(req, len + 1);
        size_t done = 0;

        if (data == NULL)
                return -ENOMEM;
        while (done < len) {
                ssize_t n = green_wsgi_read(req, data + done, len - done);

                if (n < 0)
                        return (int)n;
                if (n == 0)
                        return -ECONNRESET;
                done += (size_t)n;
        }
        data[len] = '\0';
        *ret_data = data;
        return 0;
}

/* A chunked body, into memory that grows up to the limit. What was read is freed by the caller, however this ends. */
static int
read_chunks(green_wsgi_request *req, size_t limit, char **data, size_t *len)
{
        size_t room = 0;

        for (;;) {
                ssize_t n;

                if (*len == limit)
                        return expect_end(req);
                if (*len == room) {
                        size_t more = room == 0 ? WHOLE_FIRST : room <= SIZE_MAX / 4 ? room * 2 : SIZE_MAX / 2;
                        char *grown = green_realloc(*data, more < limit ? more : limit);

                        if (grown == NULL)
                                return -ENOMEM;
                        *data = grown;
                        room = more < limit ? more : limit;
                }
                n = green_wsgi_read(req, *data + *len, room - *len);
                if (n <= 0)
                        return (int)n;
                *len += (size_t)n;
        }
}

static int
read_unknown(green_wsgi_request *req, size_t limit, char **ret_data, size_t *ret_len)
{
        char *data = NULL, *kept;
        size_t len = 0;
        int rc = read_chunks(req, limit, &data, &len);

        if (rc == 0) {
                kept = green__arena_copy(&req->session->arena, data, len);
                if (kept == NULL)
                        rc = -ENOMEM;
                *ret_data = kept;
                *ret_len = len;
        }
        green_free(data);
        return rc;
}

int
green_wsgi_read_all(green_wsgi_request *req, size_t limit, char **ret_data, size_t *ret_len)
{
        char *data = NULL;
        size_t len = 0;
        int rc;

        if (req->head.flags & GREEN__HTTP1_CHUNKED) {
                rc = read_unknown(req, limit, &data, &len);
        } else {
                uint64_t left = req->body_left + green_stream_pending(req->input);

                if (req->body_error != 0)
                        return req->body_error;
                if (left > limit || left >= SIZE_MAX)
                        return green_set_error(-EMSGSIZE, "the body is larger than allowed");
                len = (size_t)left;
                rc = read_known(req, len, &data);
        }
        if (rc != 0)
                return rc;
        *ret_data = data;
        if (ret_len != NULL)
                *ret_len = len;
        return 0;
}

/* ---- lines */

/* Room for a line of so many bytes and a NUL: the same memory each time, while it is enough. */
static char *
line_room(green_wsgi_request *req, size_t len)
{
        size_t room = req->line_room == 0 ? 256 : req->line_room;

        if (len >= req->line_room) {
                while (room <= len)
                        room *= 2;
                req->line_room = 0;
                req->line_buf = green_wsgi_alloc(req, room);
                if (req->line_buf == NULL)
                        return NULL;
                req->line_room = room;
        }
        return req->line_buf;
}

ssize_t
green_wsgi_readline(green_wsgi_request *req, size_t limit, const char **ret_line)
{
        green_stream *input = green_wsgi_input(req);
        const char *data;
        char *line;
        ssize_t n;

        if (input == NULL)
                return -ENOMEM;
        if (limit == 0)
                limit = LINE_LIMIT;
        n = green_stream_readline(input, limit, &data);
        if (n <= 0 && n != -EMSGSIZE)
                return n;
        line = line_room(req, n > 0 ? (size_t)n : limit);
        if (line == NULL)
                return -ENOMEM;
        if (n > 0) {
                memcpy(line, data, (size_t)n);
        } else {
                /* A piece of a line that is longer: it is there. */
                n = green_stream_read(input, line, limit);
                if (n <= 0)
                        return n;
        }
        line[n] = '\0';
        *ret_line = line;
        return n;
}

/* Lines that were read. */
struct lines {
        char **lines;
        size_t count, room; /* the NULL behind them not counted */
};

static int
lines_add(green_wsgi_request *req, struct lines *l, const char *data, size_t len)
{
        char *line = green__arena_copy(&req->session->arena, data, len);

        if (line == NULL)
                return -ENOMEM;
        if (l->count == l->room) {
                size_t room = l->room == 0 ? LINES_FIRST : l->room * 2;
                char **grown = green_wsgi_alloc(req, (room + 1) * sizeof(*grown));

                if (grown == NULL)
                        return -ENOMEM;
                if (l->count > 0)
                        memcpy(grown, l->lines, l->count * sizeof(*grown));
                l->lines = grown;
                l->room = room;
        }
        l->lines[l->count++] = line;
        return 0;
}

int
green_wsgi_readlines(green_wsgi_request *req, size_t hint, char ***ret_lines, size_t *ret_count)
{
        green_stream *input = green_wsgi_input(req);
        struct lines l = {green_wsgi_alloc(req, sizeof(char *)), 0, 0};
        size_t total = 0;

        if (input == NULL || l.lines == NULL)
                return -ENOMEM;
        while (hint == 0 || total < hint) {
                const char *data;
                ssize_t n = green_stream_readline(input, SIZE_MAX / 4, &data);
                int rc;

                if (n == 0)
                        break;
                rc = n < 0 ? (int)n : lines_add(req, &l, data, (size_t)n);
                if (rc != 0)
                        return rc;
                total += (size_t)n;
        }
        l.lines[l.count] = NULL;
        *ret_lines = l.lines;
        if (ret_count != NULL)
                *ret_count = l.count;
        return 0;
}
