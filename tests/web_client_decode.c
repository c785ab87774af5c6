/*
 * Compressed responses, as the HTTP client reads them.
 */
#include "web_client.h"
#include "web_client_data.h"

struct piece {
        const void *data;
        size_t len;
};

/* A response with a coding and a body of two pieces; *ret_len bytes. */
static char *
response(const char *coding, struct piece a, struct piece b, size_t *ret_len)
{
        char *text = malloc(200 + a.len + b.len);
        int head = snprintf(text, 200, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n", coding,
                            a.len + b.len);

        memcpy(text + head, a.data, a.len);
        if (b.len > 0)
                memcpy(text + head + a.len, b.data, b.len);
        *ret_len = (size_t)head + a.len + b.len;
        return text;
}

struct result {
        int rc;
        int64_t length;
        char text[64];
        size_t len;
};

static struct result
decode(const char *coding, struct piece a, struct piece b, bool by_pieces)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_decompressed = 1000000};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.by_pieces = by_pieces};
        green_http_response *res = NULL;
        struct result r = {.rc = 0};
        char buf[5000];
        ssize_t n;

        p.turns[0].answer = response(coding, a, b, &p.turns[0].len);
        peer_start(&p);
        r.rc = green_http_get(c, p.url, NULL, &res);
        if (CHECK_INT(r.rc, 0)) {
                r.length = green_http_response_length(res);
                while ((n = green_http_read(res, buf, by_pieces ? 3 : sizeof buf)) > 0) {
                        if (r.len + (size_t)n < sizeof r.text)
                                memcpy(r.text + r.len, buf, (size_t)n);
                        r.len += (size_t)n;
                }
                r.rc = (int)n;
                CHECK_INT(green_http_read(res, buf, 1), n);
                green_http_response_free(res);
        }
        CHECK(strstr(p.asked[0], "\r\nAccept-Encoding: gzip, deflate\r\n") != NULL);
        green_http_client_free(c);
        free((char *)(uintptr_t)p.turns[0].answer);
        peer_stop(&p);
        return r;
}

static void
check(const char *coding, struct piece a, struct piece b, int rc, const char *text)
{
        for (int pieces = 0; pieces < 2; pieces++) {
                struct result r = decode(coding, a, b, pieces);

                CHECK_INT(r.rc, rc);
                if (rc == 0)
                        CHECK_STR(r.text, text);
                CHECK_INT(r.length, -1);
        }
}

#define ALL(array)                                                                                                     \
        (struct piece)                                                                                                 \
        {                                                                                                              \
                array, sizeof array                                                                                    \
        }
#define NOTHING                                                                                                        \
        (struct piece)                                                                                                 \
        {                                                                                                              \
                "", 0                                                                                                  \
        }

static void
what_is_compressed_is_read_as_it_was(void)
{
        check("gzip", ALL(gzipped), NOTHING, 0, "Hello, World!");
        check("X-GZip", ALL(gzipped), NOTHING, 0, "Hello, World!");
        check("deflate", ALL(zlibbed), NOTHING, 0, "Hello, World!");
        check("deflate", ALL(deflated), NOTHING, 0, "Hello, World!");
        check("gzip", ALL(gzipped), ALL(gzipped), 0, "Hello, World!Hello, World!");
}

static void
what_is_broken_is_an_error(void)
{
        struct piece cut = {gzipped, sizeof gzipped - 4}, cut_short = {gzipped, 12};
        uint8_t wrong[sizeof gzipped];

        memcpy(wrong, gzipped, sizeof wrong);
        wrong[sizeof wrong - 8] ^= 1; /* the checksum */
        check("gzip", cut, NOTHING, GREEN_EHTTP, NULL);
        check("gzip", cut_short, NOTHING, GREEN_EHTTP, NULL);
        check("gzip", ALL(wrong), NOTHING, GREEN_EHTTP, NULL);
        check("gzip", (struct piece){"Hello, World!", 13}, NOTHING, GREEN_EHTTP, NULL);
        check("gzip", ALL(gzipped), (struct piece){"x", 1}, GREEN_EHTTP, NULL);
        check("deflate", ALL(zlibbed), (struct piece){"x", 1}, GREEN_EHTTP, NULL);
        check("deflate", ALL(deflated), ALL(deflated), GREEN_EHTTP, NULL);
        check("gzip", ALL(deflated), NOTHING, GREEN_EHTTP, NULL);
}

static void
bombs_are_defused(void)
{
        struct result r = decode("gzip", ALL(bomb), NOTHING, false);

        CHECK_INT(r.rc, -EMSGSIZE);
        CHECK_RANGE(r.len, 900000, 1000000);
}

static void
an_empty_body_is_one(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {
                .turns = {{.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
                          {.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"},
                          {.answer = OK_5}}};

        peer_start(&p);
        CHECK_INT(get(c, p.url, ""), 200);
        CHECK_INT(get(c, p.url, ""), 200);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(p.connections, 1);
        green_http_client_free(c);
        peer_stop(&p);
}

/* Codings that are not known, two of them, parts, and where it is not wanted. */
static void
the_rest_is_given_as_it_is(void)
{
        static const struct green_wsgi_pair range[] = {{"Range", "bytes=0-4"}, {NULL, NULL}};
        const struct green_http_request raw = {.size = sizeof raw, .no_decompress = true};
        const struct green_http_request part = {.size = sizeof part, .fields = range};
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {
                .turns = {{.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nHello"},
                          {.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 5\r\n\r\nHello"},
                          {.answer = "HTTP/1.1 206 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nHello"},
                          {.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nHello"},
                          {.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nHello"}}};
        green_http_response *res = NULL;
        char *data;

        peer_start(&p);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(get(c, p.url, "Hello"), 206);
        CHECK_INT(green_http_fetch(c, p.url, &raw, &res), 0);
        CHECK_INT(green_http_read_all(res, 5, &data, NULL), 0);
        CHECK_STR(data, "Hello");
        green_http_response_free(res);
        CHECK_INT(green_http_fetch(c, p.url, &part, &res), 0);
        CHECK_INT(green_http_read_all(res, 5, &data, NULL), 0);
        CHECK_STR(data, "Hello");
        green_http_response_free(res);
        CHECK(strstr(p.asked[3], "Accept-Encoding") == NULL && strstr(p.asked[4], "Accept-Encoding") == NULL);
        green_http_client_free(c);
        peer_stop(&p);
}

GREEN_SUITE(web_client_decode){GREEN_TEST(what_is_compressed_is_read_as_it_was),
                               GREEN_TEST(what_is_broken_is_an_error),
                               GREEN_TEST(bombs_are_defused),
                               GREEN_TEST(an_empty_body_is_one),
                               GREEN_TEST(the_rest_is_given_as_it_is),
                               GREEN_SUITE_END};
