/*
 * The body of a response, as it comes.
 */
#include <strings.h>

#include <green/http.h>

#include "client_priv.h"

/* Reads of so many bytes and more go past the buffer. */
enum { DIRECT = 4096 };

static int
ended_early(green_http_response *res)
{
        return green__client_fail(-ECONNRESET, "%.100s has ended the connection before the body", res->where.host);
}

/* ---- the beginning */

static enum green__framing
framing_of(const green_http_response *res)
{
        const struct green__http1 *h = &res->head;

        if (strcmp(res->ask.method, "HEAD") == 0 || h->code == 204 || h->code == 304)
                return GREEN__BODY_NONE;
        if (h->flags & GREEN__HTTP1_CHUNKED)
                return GREEN__BODY_CHUNKED;
        if (h->flags & GREEN__HTTP1_HAS_LENGTH)
                return h->content_length > 0 ? GREEN__BODY_LENGTH : GREEN__BODY_NONE;
        return GREEN__BODY_TO_END;
}

void
green__client_body_begin(green_http_response *res)
{
        res->framing = framing_of(res);
        res->left = res->framing == GREEN__BODY_LENGTH ? res->head.content_length : 0;
        res->ended = res->framing == GREEN__BODY_NONE;
        /* What must not come, and was announced, may come later all the same: it is not to be the next response. */
        if (res->head.code == 204 && (res->head.content_length > 0 || (res->head.flags & GREEN__HTTP1_CHUNKED) != 0))
                res->close = true;
        /* Until the next request is sent. */
        if (!res->ended)
                (void)green_socket_set_timeout(res->link->socket, res->client->opts.read_timeout);
        if (res->framing == GREEN__BODY_CHUNKED)
                green__http1_chunked_init(&res->chunked, &res->client->body_limits, UINT64_MAX, res->trailers,
                                          GREEN__CLIENT_TRAILERS);
}

/* ---- chunks */

/* The trailer is the last bytes before start. */
static int
keep_trailer(green_http_response *res)
{
        const struct green__http1_lines *t = &res->chunked.trailers;
        const char *base = res->in + res->start - t->pos;

        if (t->count == 0)
                return 0;
        res->trailer = green__arena_alloc(&res->arena, t->count * sizeof(*res->trailer));
        if (res->trailer == NULL)
                return -ENOMEM;
        for (unsigned i = 0; i < t->count; i++) {
                const struct green__http1_field *f = &t->fields[i];

                res->trailer[i].name = green__arena_copy(&res->arena, base + f->name, f->name_len);
                res->trailer[i].value = green__arena_copy(&res->arena, base + f->value, f->value_len);
                if (res->trailer[i].name == NULL || res->trailer[i].value == NULL)
                        return -ENOMEM;
                res->trailer_count = i + 1;
        }
        return 0;
}

/* Go on to data that is there: its bytes; 0: at the end, res->ended; -EAGAIN: more has to come; or a code. */
static ssize_t
next_data(green_http_response *res)
{
        size_t used = 0, there;
        uint64_t left;
        int rc;

        if (green__http1_chunked_left(&res->chunked) == 0) {
                rc = green__http1_chunked_frame(&res->chunked, res->in + res->start, res->end - res->start, &used);
                res->start += used;
                if (rc == GREEN__HTTP1_DONE) {
                        res->ended = true;
                        return keep_trailer(res);
                }
                if (rc < 0)
                        return green__client_malformed(res, rc);
        }
        left = green__http1_chunked_left(&res->chunked);
        there = res->end - res->start;
        if (left == 0 || there == 0)
                return -EAGAIN;
        return (ssize_t)(left < there ? left : there);
}

/* ---- in the buffer */

static ssize_t
there_now(green_http_response *res)
{
        size_t there = res->end - res->start;

        switch (res->framing) {
        case GREEN__BODY_CHUNKED:
                return next_data(res);
        case GREEN__BODY_LENGTH:
                if (there > res->left)
                        there = (size_t)res->left;
                break;
        default:
                break;
        }
        return there > 0 ? (ssize_t)there : -EAGAIN;
}

/* The connection has ended. */
static int
take_end(green_http_response *res)
{
        if (res->framing != GREEN__BODY_TO_END)
                return ended_early(res);
        res->ended = res->close = true;
        return 0;
}

ssize_t
green__client_recv(green_http_response *res, void *buf, size_t len)
{
        ssize_t n = green_socket_recv(res->link->socket, buf, len, 0);

        if (n == -ETIMEDOUT)
                return green__client_fail(-ETIMEDOUT, "%.100s sends no more of the response", res->where.host);
        return n;
}

ssize_t
green__client_peek(green_http_response *res, const char **ret_data)
{
        while (!res->ended) {
                ssize_t n = there_now(res);

                if (n > 0) {
                        *ret_data = res->in + res->start;
                        return n;
                }
                if (res->ended || n != -EAGAIN)
                        return n;
                n = green__client_fill(res);
                if (n < 0)
                        return n;
                if (n == 0)
                        return take_end(res);
        }
        return 0;
}

/* So many bytes of the body were taken, from the buffer or past it. */
static void
taken(green_http_response *res, size_t len)
{
        if (res->framing == GREEN__BODY_CHUNKED)
                green__http1_chunked_skip(&res->chunked, len);
        if (res->framing == GREEN__BODY_LENGTH) {
                res->left -= len;
                res->ended = res->left == 0;
        }
}

void
green__client_take(green_http_response *res, size_t len)
{
        res->start += len;
        taken(res, len);
}

/* How much may be received past the buffer: only what is sure to be the body's. */
static size_t
direct(const green_http_response *res, size_t len)
{
        uint64_t left = res->framing == GREEN__BODY_LENGTH    ? res->left
                        : res->framing == GREEN__BODY_CHUNKED ? green__http1_chunked_left(&res->chunked)
                                                              : UINT64_MAX;

        if (res->end > res->start || len < DIRECT)
                return 0;
        return left < len ? (size_t)left : len;
}

ssize_t
green__client_read_raw(green_http_response *res, void *buf, size_t len)
{
        const char *data = NULL;
        size_t most;
        ssize_t n;

        if (res->ended)
                return 0;
        most = direct(res, len);
        if (most >= DIRECT) {
                n = green__client_recv(res, buf, most);
                if (n > 0)
                        taken(res, (size_t)n);
                return n == 0 ? take_end(res) : n;
        }
        n = green__client_peek(res, &data);
        if (n <= 0)
                return n;
        if ((size_t)n > len)
                n = (ssize_t)len;
        memcpy(buf, data, (size_t)n);
        green__client_take(res, (size_t)n);
        return n;
}

/* ---- the end */

bool
green__client_finish(green_http_response *res)
{
        while (!res->ended && res->framing != GREEN__BODY_TO_END) {
                ssize_t n = there_now(res);

                if (res->ended)
                        break;
                if (n <= 0)
                        return false;
                green__client_take(res, (size_t)n);
        }
        return res->ended;
}
