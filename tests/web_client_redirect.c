/*
 * Redirects of the HTTP client, and what goes along with them.
 */
#include "web_client.h"

#define TO(status, where) "HTTP/1.1 " status " X\r\nLocation: " where "\r\nContent-Length: 0\r\n\r\n"

/* What one fetch becomes, with this status on the way: method and body as the second request had them. */
static void
check_method(const char *first, const char *method, const char *then, bool body)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{first, .body = 3}, {OK_5, .body = body ? 3 : 0}}};
        const struct green_http_request r = {
                .size = sizeof r, .method = method, .body = "abc", .body_len = 3, .content_type = "text/x"};
        green_http_response *res = NULL;

        peer_start(&p);
        if (CHECK_INT(green_http_fetch(c, p.url, &r, &res), 0)) {
                CHECK_INT(green_http_response_status(res), 200);
                CHECK(begins(p.asked[1], then));
                CHECK_INT(strstr(p.asked[1], "\r\n\r\nabc") != NULL, body);
                CHECK_INT(strstr(p.asked[1], "Content-Type: text/x") != NULL, body);
                CHECK_INT(strstr(p.asked[1], "Content-Length: ") != NULL, body);
                CHECK(strstr(green_http_response_url(res), "/two") != NULL);
                green_http_response_free(res);
        }
        CHECK_INT(p.connections, 1);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
the_status_says_what_becomes_of_the_method(void)
{
        check_method(TO("301", "/two"), "POST", "GET /two ", false);
        check_method(TO("302", "/two"), "POST", "GET /two ", false);
        check_method(TO("301", "/two"), "PUT", "PUT /two ", true);
        check_method(TO("302", "/two"), "DELETE", "DELETE /two ", true);
        check_method(TO("302", "/two"), "GET", "GET /two ", true);
        check_method(TO("303", "/two"), "GET", "GET /two ", false);
        check_method(TO("303", "/two"), "PUT", "GET /two ", false);
        check_method(TO("303", "/two"), "HEAD", "HEAD /two ", true);
        check_method(TO("307", "/two"), "POST", "POST /two ", true);
        check_method(TO("308", "/two"), "PUT", "PUT /two ", true);
}

static void
others_are_the_callers(void)
{
        static const char *const answers[] = {TO("300", "/two"), TO("304", "/two"), TO("305", "/two"),
                                              "HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n"};
        const struct green_http_client_opts none = {.size = sizeof none, .max_redirects = -1};
        green_http_client *c = green_http_client_new(NULL);

        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
                struct peer p = {.turns = {{.answer = answers[i]}}};

                peer_start(&p);
                CHECK_RANGE(get(c, p.url, NULL), 300, 305);
                peer_stop(&p);
        }
        green_http_client_free(c);
        c = green_http_client_new(&none);
        struct peer p = {.turns = {{.answer = TO("302", "/two")}}};
        peer_start(&p);
        CHECK_INT(get(c, p.url, NULL), 302);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
there_is_a_limit(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_redirects = 2};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{.answer = TO("302", "/1")},
                                   {.answer = TO("302", "/2")},
                                   {.answer = OK_5},
                                   {.answer = TO("302", "/1")},
                                   {.answer = TO("302", "/2")},
                                   {.answer = TO("302", "/3")}}};

        peer_start(&p);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK_INT(get(c, p.url, NULL), GREEN_EHTTP);
        CHECK_INT(p.at, 6);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
circles_are_seen(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer p = {.turns = {{.answer = TO("302", "a")},
                                   {.answer = TO("302", "/b")},
                                   {.answer = TO("302", "/a?")},
                                   {.answer = TO("302", "/a")}}};

        peer_start(&p);
        CHECK_INT(get(c, p.url, NULL), GREEN_EHTTP);
        CHECK_INT(p.at, 4);
        CHECK(strstr(green_last_error()->message, "circle") != NULL);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
what_cannot_be_followed_is_an_error(void)
{
        static const char *const answers[] = {TO("302", "ftp://a/"), TO("302", "http://"), TO("302", "http://a:b/"),
                                              TO("302", "/\xc3\xa4"), TO("302", "javascript:1")};
        green_http_client *c = green_http_client_new(NULL);

        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
                struct peer p = {.turns = {{.answer = answers[i]}}};

                peer_start(&p);
                CHECK_INT(get(c, p.url, NULL), GREEN_EHTTP);
                peer_stop(&p);
        }
        green_http_client_free(c);
}

/* ---- secrets */

static const struct green_wsgi_pair secrets[] = {{"Authorization", "Bearer abc"},
                                                 {"Cookie", "a=b"},
                                                 {"Proxy-Authorization", "Basic eA=="},
                                                 {"X-Mine", "1"},
                                                 {NULL, NULL}};

static void
secrets_go_to_the_same_origin_only(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer other = {.turns = {{.answer = OK_5}}},
                    p = {.turns = {{.answer = TO("302", "/two")}, {.answer = NULL}}};
        char away[512], back[512];

        /* Here, then there, and back again: nothing is told from then on. */
        peer_start(&p);
        snprintf(back, sizeof back, TO("302", "%s"), p.url);
        other.turns[0].answer = back;
        peer_start(&other);
        snprintf(away, sizeof away, TO("302", "%s"), other.url);
        p.turns[1].answer = away;
        p.turns[2].answer = OK_5;
        green_http_response *res = NULL;
        char url[sizeof p.url + 16];
        snprintf(url, sizeof url, "%sfirst", p.url);
        if (CHECK_INT(green_http_get(c, url, secrets, &res), 0)) {
                CHECK_INT(green_http_response_status(res), 200);
                green_http_response_free(res);
        }
        for (int i = 0; i < 2; i++) {
                CHECK(strstr(p.asked[i], "\r\nAuthorization: Bearer abc\r\n") != NULL);
                CHECK(strstr(p.asked[i], "\r\nCookie: a=b\r\n") != NULL);
                CHECK(strstr(p.asked[i], "Proxy-Authorization") == NULL);
        }
        CHECK(strstr(other.asked[0], "X-Mine: 1") != NULL && strstr(p.asked[2], "X-Mine: 1") != NULL);
        CHECK(strstr(other.asked[0], "Authorization") == NULL && strstr(other.asked[0], "Cookie") == NULL);
        CHECK(strstr(p.asked[2], "Authorization") == NULL && strstr(p.asked[2], "Cookie") == NULL);
        green_http_client_free(c);
        peer_stop(&p);
        peer_stop(&other);
}

static void
user_and_password_likewise(void)
{
        green_http_client *c = green_http_client_new(NULL);
        struct peer other = {.turns = {{.answer = OK_5}}},
                    p = {.turns = {{.answer = TO("302", "/two")}, {.answer = NULL}}};
        char away[512], url[sizeof p.url + 32];

        peer_start(&p);
        peer_start(&other);
        /* What a server says of user and password is not believed. */
        snprintf(away, sizeof away, TO("302", "http://eve:x@%s/"), other.address);
        p.turns[1].answer = away;
        snprintf(url, sizeof url, "http://us%%65r:p%%3aw@%s/first#x", p.address);
        green_http_response *res = NULL;
        if (CHECK_INT(green_http_get(c, url, NULL, &res), 0)) {
                CHECK_STR(green_http_response_url(res), other.url);
                green_http_response_free(res);
        }
        /* "user:p:w" */
        CHECK(strstr(p.asked[0], "\r\nAuthorization: Basic dXNlcjpwOnc=\r\n") != NULL);
        CHECK(strstr(p.asked[1], "\r\nAuthorization: Basic dXNlcjpwOnc=\r\n") != NULL);
        CHECK(strstr(other.asked[0], "Authorization") == NULL);
        CHECK(strstr(p.asked[0], "user@") == NULL && strstr(p.asked[0], "#") == NULL);
        green_http_client_free(c);
        peer_stop(&p);
        peer_stop(&other);
}

/* ---- bodies from functions */

struct source {
        int at, rewinds;
        bool can;
};

static ssize_t
give(void *arg, void *buf, size_t len)
{
        struct source *s = arg;

        (void)len;
        if (s->at == 3)
                return 0;
        memcpy(buf, &"abc"[s->at++], 1);
        return 1;
}

static bool
rewind_source(void *arg)
{
        struct source *s = arg;

        s->at = 0;
        s->rewinds++;
        return s->can;
}

static void
a_body_is_sent_again_if_it_can_be(void)
{
        for (int way = 0; way < 4; way++) {
                const bool can = way & 1;
                green_http_client *c = green_http_client_new(NULL);
                struct source source = {0, 0, can};
                struct peer p = {.turns = {{way < 2 ? TO("307", "/two") : TO("302", "/two"), .body = 3},
                                           {OK_5, .body = 3}}};
                const struct green_http_request r = {.size = sizeof r,
                                                     .method = way < 2 ? "POST" : "PUT",
                                                     .read_body = give,
                                                     .read_body_arg = &source,
                                                     .rewind_body = rewind_source,
                                                     .read_body_len = 3};
                green_http_response *res = NULL;

                peer_start(&p);
                if (CHECK_INT(green_http_fetch(c, p.url, &r, &res), 0)) {
                        CHECK_INT(green_http_response_status(res), can ? 200 : way < 2 ? 307 : 302);
                        green_http_response_free(res);
                }
                CHECK_INT(source.rewinds, 1);
                CHECK_INT(strstr(p.asked[1], "abc") != NULL, can);
                green_http_client_free(c);
                peer_stop(&p);
        }
}

GREEN_SUITE(web_client_redirect){GREEN_TEST(the_status_says_what_becomes_of_the_method),
                                 GREEN_TEST(others_are_the_callers),
                                 GREEN_TEST(there_is_a_limit),
                                 GREEN_TEST(circles_are_seen),
                                 GREEN_TEST(what_cannot_be_followed_is_an_error),
                                 GREEN_TEST(secrets_go_to_the_same_origin_only),
                                 GREEN_TEST(user_and_password_likewise),
                                 GREEN_TEST(a_body_is_sent_again_if_it_can_be),
                                 GREEN_SUITE_END};
