/*
 * The header of a response, as it comes.
 */
#include "client_priv.h"

void
green__client_head_begin(green_http_response *res)
{
        res->start = res->end = 0;
        res->interim = 0;
        res->some = res->close = false;
        green__http1_init_response(&res->head, &res->client->limits, res->fields, GREEN__CLIENT_FIELDS);
}

int
green__client_malformed(green_http_response *res, int result)
{
        return green__client_fail(GREEN_EHTTP, "the response of %.100s: %s", res->where.host,
                                  green__http1_reason(result));
}

/* ---- room */

static int
grow(green_http_response *res, size_t room)
{
        char *in = green_realloc(res->in, room);

        if (in == NULL)
                return -ENOMEM;
        res->in = in;
        res->in_room = room;
        return 0;
}

/* Behind a header; this never moves the buffer, which is large enough for all that has to be there at once. */
static void
make_room_for_body(green_http_response *res)
{
        const size_t floor = res->head.head_len;

        if (res->start == res->end) {
                res->start = res->end = floor;
        } else if (res->end == res->in_room - 1) {
                memmove(res->in + floor, res->in + res->start, res->end - res->start);
                res->end -= res->start - floor;
                res->start = floor;
        }
}

ssize_t
green__client_fill(green_http_response *res)
{
        ssize_t n;

        if (res->head.head_len > 0)
                make_room_for_body(res);
        else if (res->in_room == 0 || res->end == res->in_room - 1) {
                int rc = grow(res, res->in_room == 0 ? GREEN__CLIENT_IN : res->in_room * 2);

                if (rc != 0)
                        return rc;
        }
        n = green__client_recv(res, res->in + res->end, res->in_room - 1 - res->end);
        if (n > 0) {
                res->end += (size_t)n;
                res->some = true;
        }
        return n;
}

/* ---- the header */

/* 0, 1 (a 100 that was waited for), one of these, or a code. */
enum { MORE = 2, PASSED_OVER };

/* One of 1xx. */
static int
pass_over(green_http_response *res, bool interim)
{
        const int code = res->head.code;
        const size_t len = res->head.head_len;

        if (code == 101)
                return green__client_fail(GREEN_EHTTP, "the response of %.100s: 101, and nothing was asked for",
                                          res->where.host);
        if (++res->interim > GREEN__CLIENT_INTERIM)
                return green__client_fail(GREEN_EHTTP, "the response of %.100s: too many before it", res->where.host);
        memmove(res->in, res->in + len, res->end - len);
        res->end -= len;
        green__http1_init_response(&res->head, &res->client->limits, res->fields, GREEN__CLIENT_FIELDS);
        return code == 100 && interim ? 1 : PASSED_OVER;
}

static int
parse(green_http_response *res, bool interim)
{
        int rc = green__http1_parse_response(&res->head, res->in, res->end);

        if (rc == GREEN__HTTP1_MORE)
                return MORE;
        if (rc != GREEN__HTTP1_DONE)
                return green__client_malformed(res, rc);
        if (res->head.code < 200)
                return pass_over(res, interim);
        res->start = res->head.head_len;
        if (res->in_room - 1 - res->start < GREEN__CLIENT_BODY)
                return grow(res, res->start + GREEN__CLIENT_BODY + 1);
        return 0;
}

int
green__client_read_head(green_http_response *res, bool interim)
{
        for (;;) {
                ssize_t n;

                while (res->end > 0) {
                        int rc = parse(res, interim);

                        if (rc == MORE)
                                break;
                        if (rc != PASSED_OVER)
                                return rc;
                }
                n = green__client_fill(res);
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        return green__client_fail(-ECONNRESET, "%.100s has ended the connection before its response",
                                                  res->where.host);
        }
}
