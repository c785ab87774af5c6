/*
 * Sending a request: its header, with a small body in the same call; or the body as its function gives it.
 */
#include <stdio.h>

#include "client_priv.h"

/* Room for the line with a chunk's size, and for what ends the chunk. */
enum { SIZE_LINE = 18 };

/* ---- sending */

/* All of it. The socket's timeout limits how long it takes nothing, not how long the whole takes. */
static int
send_all(green_http_response *res, const struct green_iovec *iov, size_t n)
{
        green_socket *s = res->link->socket;
        int rc = green_socket_set_timeout(s, res->client->opts.send_timeout);

        if (rc == 0 && n == 1)
                rc = green_socket_sendall(s, iov->base, iov->len, 0, NULL);
        else if (rc == 0)
                rc = green_socket_sendallv(s, iov, n, 0, NULL);
        (void)green_socket_set_timeout(s, GREEN_FOREVER);
        if (rc != -ETIMEDOUT)
                return rc;
        res->ask.stalled = true;
        return green__client_fail(rc, "%.100s takes no more of the request", res->where.host);
}

static int
send_some(green_http_response *res, const void *data, size_t len)
{
        const struct green_iovec iov = {(void *)(uintptr_t)data, len};

        return send_all(res, &iov, 1);
}

/* ---- bodies that a function gives */

/* A piece of it: bytes, 0 at its end, or a code. */
static ssize_t
next_piece(green_http_response *res, char *room, int64_t left)
{
        const struct green_http_request *r = res->ask.request;
        size_t len = left >= 0 && left < GREEN__CLIENT_PIECE ? (size_t)left : GREEN__CLIENT_PIECE;
        ssize_t n;

        if (len == 0)
                return 0;
        res->ask.body_begun = true;
        n = r->read_body(r->read_body_arg, room, len);
        if (n > (ssize_t)len)
                n = green__client_fail(-EINVAL, "a function for a body gives more than there is room for");
        else if (n == 0 && left > 0)
                n = green__client_fail(-EINVAL, "a body ends %lld bytes before its length", (long long)left);
        res->ask.body_failed = n < 0;
        return n;
}

static int
send_by_length(green_http_response *res, char *room)
{
        int64_t left = res->ask.request->read_body_len;
        ssize_t n;

        while ((n = next_piece(res, room, left)) > 0) {
                int rc = send_some(res, room, (size_t)n);

                if (rc != 0)
                        return rc;
                left -= n;
        }
        return (int)n;
}

static int
send_chunks(green_http_response *res, char *room)
{
        char *data = room + SIZE_LINE;
        ssize_t n;

        do {
                char line[SIZE_LINE + 1];
                int len, rc;

                n = next_piece(res, data, -1);
                if (n < 0)
                        return (int)n;
                len = snprintf(line, sizeof(line), "%zx\r\n", (size_t)n);
                memcpy(data - len, line, (size_t)len);
                memcpy(data + n, "\r\n", 2); /* of the last chunk it ends the trailer */
                rc = send_some(res, data - len, (size_t)(len + n + 2));
                if (rc != 0)
                        return rc;
        } while (n > 0);
        return 0;
}

static int
send_pieces(green_http_response *res)
{
        char *room = green__arena_alloc(&res->arena, SIZE_LINE + GREEN__CLIENT_PIECE + 2);

        if (room == NULL)
                return -ENOMEM;
        return res->ask.request->read_body_len < 0 ? send_chunks(res, room) : send_by_length(res, room);
}

/* ---- all of it */

/* 0: the body is wanted, or nothing was said for a second. 1: the response is there already. */
static int
wait_for_continue(green_http_response *res)
{
        struct green__phase phase;
        int rc = green__phase_begin(res, &phase, 1);

        if (rc != 0)
                return rc;
        rc = green__phase_end(&phase, green__client_read_head(res, true), "100 Continue");
        if (rc == -ETIMEDOUT || rc == 1)
                return 0;
        if (rc == 0)
                res->close = true; /* what was announced does not come */
        return rc == 0 ? 1 : rc;
}

int
green__client_send(green_http_response *res)
{
        const struct green_http_request *r = res->ask.request;
        const struct green_iovec iov[2] = {{res->out, res->out_len}, {(void *)(uintptr_t)r->body, r->body_len}};
        int rc;

        if (!green__client_has_body(&res->ask))
                return send_all(res, iov, 1);
        if (r->read_body == NULL && !r->expect_continue)
                return send_all(res, iov, 2);
        rc = send_all(res, iov, 1);
        if (rc == 0 && r->expect_continue)
                rc = wait_for_continue(res);
        if (rc != 0)
                return rc;
        return r->read_body != NULL ? send_pieces(res) : send_some(res, r->body, r->body_len);
}

bool
green__client_rewind(green_http_response *res)
{
        const struct green_http_request *r = res->ask.request;

        if (res->ask.no_body || !res->ask.body_begun)
                return true;
        if (r->rewind_body == NULL || !r->rewind_body(r->read_body_arg))
                return false;
        res->ask.body_begun = false;
        return true;
}
