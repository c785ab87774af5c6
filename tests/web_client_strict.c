/*
 * The HTTP client is as strict about responses as the server is about requests: what is malformed, or may be read in
 * two ways, is GREEN_EHTTP, and its connection is not used again.
 */
#include "web_client.h"

#define HEAD_200 "HTTP/1.1 200 OK\r\n"
#define CHUNKED HEAD_200 "Transfer-Encoding: chunked\r\n\r\n"

/* What one response, after which the connection is closed, is to the client. */
static int
answered(const char *answer, bool by_pieces, const char *body)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{answer, .close = true}}, .by_pieces = by_pieces};
        int rc;

        peer_start(&p);
        rc = get(c, p.url, body);
        green_http_client_free(c);
        peer_stop(&p);
        return rc;
}

static void
check(const char *answer, int want, const char *body)
{
        for (int pieces = 0; pieces < 2; pieces++) {
                int rc = answered(answer, pieces, body);

                if (rc != want)
                        FAIL("%.60s: %d, not %d%s", answer, rc, want, pieces ? " (by pieces)" : "");
        }
}

static void
what_is_malformed_is_refused(void)
{
        static const char *const bad[] = {
                "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
                HEAD_200 "A: b\nContent-Length: 0\r\n\r\n",
                "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                "ICY 200 OK\r\n\r\n",
                "HTTP/2.0 200 OK\r\n\r\n",
                "HTTP/1.1  200 OK\r\n\r\n",
                "HTTP/1.1 20 OK\r\n\r\n",
                "HTTP/1.1 2000 OK\r\n\r\n",
                "HTTP/1.1 600 OK\r\n\r\n",
                "HTTP/1.1 099 OK\r\n\r\n",
                "HTTP/1.1 200 O\x01K\r\n\r\n",
                "HTTP/1.1 200OK\r\n\r\n",
                "HTTP/1.x 200 OK\r\n\r\n",
                "http/1.1 200 OK\r\n\r\n",
                HEAD_200 "A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
                HEAD_200 " A: b\r\nContent-Length: 0\r\n\r\n",
                HEAD_200 "A : b\r\nContent-Length: 0\r\n\r\n",
                HEAD_200 ": b\r\nContent-Length: 0\r\n\r\n",
                HEAD_200 "A\r\nContent-Length: 0\r\n\r\n",
                HEAD_200 "A: b\rc\r\nContent-Length: 0\r\n\r\n",
                HEAD_200 "Content-Length: 5\r\nContent-Length: 6\r\n\r\nHello!",
                HEAD_200 "Content-Length: 5, 5\r\n\r\nHello",
                HEAD_200 "Content-Length: +5\r\n\r\nHello",
                HEAD_200 "Content-Length: 5 5\r\n\r\nHello",
                HEAD_200 "Content-Length: 0x5\r\n\r\nHello",
                HEAD_200 "Content-Length: -1\r\n\r\nHello",
                HEAD_200 "Content-Length:\r\n\r\nHello",
                HEAD_200 "Content-Length: 99999999999999999999\r\n\r\nHello",
                HEAD_200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                HEAD_200 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                HEAD_200 "Transfer-Encoding: gzip\r\n\r\nHello",
                HEAD_200 "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                HEAD_200 "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
                HEAD_200 "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
                HEAD_200 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                HEAD_200 "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                HEAD_200 "Transfer-Encoding: identity\r\n\r\nHello",
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
        };

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                check(bad[i], GREEN_EHTTP, NULL);
}

static void
chunks_that_are_malformed_are_refused(void)
{
        static const char *const bad[] = {
                CHUNKED "5\nHello\r\n0\r\n\r\n",      CHUNKED "5\r\nHello\n0\r\n\r\n",
                CHUNKED "5\r\nHello!\r\n0\r\n\r\n",   CHUNKED " 5\r\nHello\r\n0\r\n\r\n",
                CHUNKED "5 \r\nHello\r\n0\r\n\r\n",   CHUNKED "0x5\r\nHello\r\n0\r\n\r\n",
                CHUNKED "-5\r\nHello\r\n0\r\n\r\n",   CHUNKED "\r\nHello\r\n0\r\n\r\n",
                CHUNKED "g\r\nHello\r\n0\r\n\r\n",    CHUNKED "5;\r\nHello\r\n0\r\n\r\n",
                CHUNKED "5;a=\r\nHello\r\n0\r\n\r\n", CHUNKED "11111111111111111\r\nHello\r\n0\r\n\r\n",
                CHUNKED "8000000000000000\r\nHello",  CHUNKED "0\r\nA b: c\r\n\r\n",
                CHUNKED "0\r\n A: c\r\n\r\n",         CHUNKED "0\r\nA: c\n\r\n",
        };

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                check(bad[i], GREEN_EHTTP, NULL);
}

static void
what_is_odd_but_right_is_taken(void)
{
        check("HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nHello", 200, "Hello");
        check("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nHello", 200, "Hello");
        check("HTTP/1.1 299 \xc3\xa4\t!\r\nContent-Length: 5\r\n\r\nHello", 299, "Hello");
        check("HTTP/1.7 200 OK\r\nContent-Length: 5\r\n\r\nHello", 200, "Hello");
        check(HEAD_200 "content-LENGTH:   5  \r\nContent-Length: 5\r\n\r\nHello", 200, "Hello");
        check(HEAD_200 "A:\r\nHost: a\r\nHost: b\r\n\r\nHello", 200, "Hello");
        check("HTTP/1.0 200 OK\r\n\r\nHello", 200, "Hello");
        check(CHUNKED "5;a=b;c=\"d\\\"\"\r\nHello\r\n000\r\nX: y\r\n\r\n", 200, "Hello");
        check(CHUNKED "2\r\nHe\r\n3\r\nllo\r\n0\r\n\r\n", 200, "Hello");
        check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" OK_5, 200, "Hello");
        check("HTTP/1.1 204 No Content\r\n\r\n", 204, "");
        check("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "");
}

static void
what_ends_early_is_a_reset(void)
{
        check(HEAD_200 "Content-Length: 6\r\n\r\nHello", -ECONNRESET, NULL);
        check(CHUNKED "5\r\nHell", -ECONNRESET, NULL);
        check(CHUNKED "5\r\nHello\r\n", -ECONNRESET, NULL);
        check(CHUNKED "5\r\nHello\r\n0\r\n", -ECONNRESET, NULL);
        check(HEAD_200 "Content-Length: 6\r\n", -ECONNRESET, NULL);
}

/* ---- limits */

static int
with_many(const char *head, const char *part, int n, const char *tail)
{
        size_t len = strlen(part);
        char *text = calloc(1, strlen(head) + len * (size_t)n + strlen(tail) + 1), *to = text + strlen(head);
        int rc;

        memcpy(text, head, strlen(head));
        for (int i = 0; i < n; i++, to += len)
                memcpy(to, part, len);
        memcpy(to, tail, strlen(tail));
        rc = answered(text, false, NULL);
        free(text);
        return rc;
}

static void
what_is_too_much_is_refused(void)
{
        const char *hello = "Content-Length: 5\r\n\r\nHello";

        CHECK_INT(with_many(HEAD_200, "A: b\r\n", 255, hello), 200);
        CHECK_INT(with_many(HEAD_200, "A: b\r\n", 256, hello), GREEN_EHTTP);
        CHECK_INT(with_many(HEAD_200 "A: ", "bbbbbbbbbb", 6000, "\r\nContent-Length: 5\r\n\r\nHello"), 200);
        CHECK_INT(with_many(HEAD_200 "A: ", "bbbbbbbbbb", 6600, "\r\nContent-Length: 5\r\n\r\nHello"), GREEN_EHTTP);
        CHECK_INT(with_many("HTTP/1.1 200 ", "bbbbbbbbbb", 6600, "\r\nContent-Length: 5\r\n\r\nHello"), GREEN_EHTTP);
        CHECK_INT(with_many("", "HTTP/1.1 100 Continue\r\n\r\n", 16, OK_5), 200);
        CHECK_INT(with_many("", "HTTP/1.1 100 Continue\r\n\r\n", 17, OK_5), GREEN_EHTTP);
        CHECK_INT(with_many(CHUNKED "5;a=", "b", 16000, "\r\nHello\r\n0\r\n\r\n"), 200);
        CHECK_INT(with_many(CHUNKED "5;a=", "b", 17000, "\r\nHello\r\n0\r\n\r\n"), GREEN_EHTTP);
        CHECK_INT(with_many(CHUNKED "0\r\n", "A: b\r\n", 64, "\r\n"), 200);
        CHECK_INT(with_many(CHUNKED "0\r\n", "A: b\r\n", 65, "\r\n"), GREEN_EHTTP);
        CHECK_INT(with_many(CHUNKED "0\r\nA: ", "b", 8000, "\r\n\r\n"), 200);
        CHECK_INT(with_many(CHUNKED "0\r\nA: ", "b", 9000, "\r\n\r\n"), GREEN_EHTTP);
        CHECK_INT(with_many(HEAD_200 "A: ", "bbbbbbbbbb", 6000,
                            "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n"),
                  200);
}

/* What an answer is to a client with that limit. */
static int
limited_to(size_t max_header, const char *answer, bool by_pieces)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_header = max_header};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{answer, .close = true}}, .by_pieces = by_pieces};
        int rc;

        peer_start(&p);
        rc = get(c, p.url, NULL);
        green_http_client_free(c);
        peer_stop(&p);
        return rc;
}

/* Whichever part of it is long. */
static void
a_header_has_one_limit_to_the_byte(void)
{
        static const char *const heads[] = {HEAD_200 "Content-Length: 0\r\n\r\n",
                                            "HTTP/1.1 200 a long phrase, which says nothing\r\nContent-Length: 0\r\n\r\n",
                                            HEAD_200 "A: b\r\nX: 0123456789\r\nContent-Length: 0\r\n\r\n",
                                            "HTTP/1.0 200\r\n\r\n"};

        for (int pieces = 0; pieces < 2; pieces++)
                for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
                        size_t len = strlen(heads[i]);

                        CHECK_INT(limited_to(len, heads[i], pieces), 200);
                        for (size_t less = 1; less < 8; less++)
                                CHECK_INT(limited_to(len - less, heads[i], pieces), GREEN_EHTTP);
                        CHECK_INT(limited_to(8, heads[i], pieces), GREEN_EHTTP);
                }
        CHECK(strstr(green_last_error()->message, "header too large") != NULL);
        /* Of each alone. */
        CHECK_INT(limited_to(38, "HTTP/1.1 100 Continue, please\r\n\r\n" OK_5, false), 200);
        CHECK_INT(limited_to(38, "HTTP/1.1 100 Continue, please: again\r\n\r\n" OK_5, false), GREEN_EHTTP);
}

static void
a_trailer_has_the_same_and_less_than_8_kib(void)
{
        static const char head[] = CHUNKED "5\r\nHello\r\n0\r\n";
        char answer[sizeof head + 100];

        for (int more = 0; more < 2; more++) {
                snprintf(answer, sizeof answer, "%sA: %0*d\r\n\r\n", head, 60 - 7 + more, 1);
                CHECK_INT(limited_to(60, answer, false), more ? GREEN_EHTTP : 200);
                CHECK_INT(limited_to(0, answer, false), 200);
        }
        CHECK_INT(with_many(CHUNKED "0\r\nA: ", "b", 8191 - 7, "\r\n\r\n"), 200);
        CHECK_INT(with_many(CHUNKED "0\r\nA: ", "b", 8192 - 7, "\r\n\r\n"), GREEN_EHTTP);
}

/* ---- what a trailer says, and a HEAD */

static void
a_trailer_can_be_read_when_the_body_has_ended(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = CHUNKED "5\r\nHello\r\n0\r\nX-Sum: 1\r\nX-Other:  2 \r\n\r\n"}}};
        green_http_response *res = NULL;
        struct green_wsgi_pair pair = {NULL, NULL};
        char *data;

        peer_start(&p);
        if (CHECK_INT(green_http_get(c, p.url, NULL, &res), 0)) {
                CHECK(green_http_response_header_at(res, 0, &pair));
                CHECK(!green_http_response_header_at(res, 1, &pair));
                CHECK_INT(green_http_read_all(res, 100, &data, NULL), 0);
                CHECK(green_http_response_header_at(res, 1, &pair));
                CHECK_STR(pair.name, "X-Sum");
                CHECK_STR(pair.value, "1");
                CHECK(green_http_response_header_at(res, 2, &pair));
                CHECK_STR(pair.value, "2");
                CHECK(!green_http_response_header_at(res, 3, &pair));
                CHECK(green_http_response_header(res, "X-Sum") == NULL);
                green_http_response_free(res);
        }
        green_http_client_free(c);
        peer_stop(&p);
}

static void
a_head_has_no_body(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {
                .turns = {{.answer = HEAD_200 "Content-Length: 5\r\n\r\n"}, {.answer = CHUNKED}, {.answer = OK_5}}};
        const struct green_http_request r = {.size = sizeof r, .method = "HEAD"};
        green_http_response *res = NULL;
        char *data;
        size_t len;

        peer_start(&p);
        for (int i = 0; i < 2; i++) {
                if (!CHECK_INT(green_http_fetch(c, p.url, &r, &res), 0))
                        break;
                CHECK_INT(green_http_response_length(res), 0);
                CHECK_INT(green_http_read_all(res, 0, &data, &len), 0);
                CHECK_INT(len, 0);
                green_http_response_free(res);
        }
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(p.connections, 1);
        green_http_client_free(c);
        peer_stop(&p);
}

/* ---- smuggling: nothing behind a response is the next one's */

static void
bytes_behind_a_response_end_the_connection(void)
{
        static const char *const first[] = {OK_5 OK_5, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nHello",
                                            CHUNKED "0\r\n\r\nHTTP/1.1 404 No\r\n\r\n"};

        for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
                green_http_client *c = green_http_client_new(NULL);
                struct peer p = {.turns = {{.answer = first[i]},
                                           {.answer = "HTTP/1.1 202 A\r\nContent-Length: 6\r\n\r\nsecond"}}};

                peer_start(&p);
                CHECK_RANGE(get(c, p.url, NULL), 200, 204);
                CHECK_INT(get(c, p.url, "second"), 202);
                CHECK_INT(p.connections, 2);
                green_http_client_free(c);
                peer_stop(&p);
        }
}

/* It may come when the connection is in use again. */
static void
a_body_that_must_not_come_ends_the_connection_too(void)
{
        static const char *const first[] = {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
                                            "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
                                            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
                                            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"};

        for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
                green_http_client *c = green_http_client_new(NULL);
                struct peer p = {.turns = {{.answer = first[i]}, {.answer = OK_5}}};

                peer_start(&p);
                CHECK_RANGE(get(c, p.url, ""), 204, 304);
                CHECK_INT(get(c, p.url, "Hello"), 200);
                CHECK_INT(p.connections, i < 2 ? 2 : 1);
                green_http_client_free(c);
                peer_stop(&p);
        }
}

GREEN_SUITE(web_client_strict){GREEN_TEST(what_is_malformed_is_refused),
                               GREEN_TEST(chunks_that_are_malformed_are_refused),
                               GREEN_TEST(what_is_odd_but_right_is_taken),
                               GREEN_TEST(what_ends_early_is_a_reset),
                               GREEN_TEST(what_is_too_much_is_refused),
                               GREEN_TEST(a_header_has_one_limit_to_the_byte),
                               GREEN_TEST(a_trailer_has_the_same_and_less_than_8_kib),
                               GREEN_TEST(a_trailer_can_be_read_when_the_body_has_ended),
                               GREEN_TEST(a_head_has_no_body),
                               GREEN_TEST(bytes_behind_a_response_end_the_connection),
                               GREEN_TEST(a_body_that_must_not_come_ends_the_connection_too),
                               GREEN_SUITE_END};
