/*
 * Parameters of a query and of a form, and cookies, both ways.
 */
#include "web_look.h"

#include <stdint.h>
#include <time.h>

/* ---- parameters and cookies */

typedef bool (*at_fn)(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair);

/* All pairs as "name=value|name=value|". */
static const char *
pairs(green_wsgi_request *req, at_fn at)
{
        static char all[512];
        struct green_wsgi_pair pair;
        int len = 0;

        all[0] = '\0';
        for (size_t i = 0; at(req, i, &pair); i++)
                len += snprintf(all + len, sizeof all - (size_t)len, "%s=%s|", pair.name, pair.value);
        CHECK(!at(req, SIZE_MAX, &pair));
        return all;
}

static void
look_at_query(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_query_value(req, "a"), "1 2");
        CHECK_STR(green_wsgi_query_value(req, "b&"), "=");
        CHECK_STR(green_wsgi_query_value(req, "c"), "");
        CHECK_STR(green_wsgi_query_value(req, "d"), "");
        CHECK_STR(green_wsgi_query_value(req, "bad"), "%zz%");
        CHECK_STR(green_wsgi_query_value(req, "nul"), "x");
        CHECK_STR(green_wsgi_query_value(req, "none"), NULL);
        CHECK_STR(green_wsgi_query_value(req, "A"), NULL);
        CHECK_STR(pairs(req, green_wsgi_query_at), "a=1 2|b&==|a=second|c=|d=|bad=%zz%|nul=x|");
        /* The query itself is as it was. */
        CHECK_STR(green_wsgi_query(req), "a=1+2&&b%26==&a=second&c=&d&bad=%zz%&nul=x%00y&");
}

static void
look_at_no_query(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_query_value(req, ""), NULL);
        CHECK_STR(pairs(req, green_wsgi_query_at), "");
}

/* Pieces without '=' need the most memory, which is theirs: what is taken next does not lie in it. */
static void
look_at_short_pieces(green_wsgi_request *req)
{
        struct green_wsgi_pair pair;
        char *next;
        size_t n = 0;

        CHECK(green_wsgi_query_at(req, 0, &pair));
        next = green_wsgi_alloc(req, 4000);
        if (CHECK(next != NULL))
                memset(next, 'y', 4000);
        for (; green_wsgi_query_at(req, n, &pair); n++) {
                CHECK_STR(pair.name, "x");
                CHECK_STR(pair.value, "");
        }
        CHECK_INT(n, 3000);
}

static void
parameters_of_the_query_are_decoded(void)
{
        struct server s = {0};
        char target[6004] = "/?";

        serve(&s, looks);
        see(&s, get("/?a=1+2&&b%26==&a=second&c=&d&bad=%zz%&nul=x%00y&"), look_at_query);
        see(&s, get("/"), look_at_no_query);
        see(&s, get("/?"), look_at_no_query);
        for (int i = 2; i < 6002; i++)
                target[i] = i % 2 == 0 ? 'x' : '&';
        see(&s, get(target), look_at_short_pieces);
        memset(target + 2, '&', 6000);
        see(&s, get(target), look_at_no_query);
        stop(&s);
}

static void
look_at_form(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_form_value(req, "a"), NULL);
        CHECK_STR(pairs(req, green_wsgi_form_at), "");
        CHECK_INT(green_wsgi_form_read(req, 11), 0);
        CHECK_INT(green_wsgi_form_read(req, 0), 0);
        CHECK_STR(green_wsgi_form_value(req, "a"), "1 2");
        CHECK_STR(green_wsgi_form_value(req, "b"), "+");
        CHECK_STR(green_wsgi_form_value(req, "q"), NULL);
        CHECK_STR(pairs(req, green_wsgi_form_at), "a=1 2|b=+|");
}

static void
look_at_no_form(green_wsgi_request *req)
{
        char body[16];

        CHECK_INT(green_wsgi_form_read(req, 100), -EINVAL);
        CHECK_STR(green_wsgi_form_value(req, "a"), NULL);
        CHECK_INT(green_wsgi_read(req, body, sizeof body), 3);
}

static void
look_at_large_form(green_wsgi_request *req)
{
        CHECK_INT(green_wsgi_form_read(req, 8), -EMSGSIZE);
        /* Also when a part of it is gone: there is no half of a form. */
        CHECK_INT(green_wsgi_form_read(req, 100), -EMSGSIZE);
        CHECK_STR(green_wsgi_form_value(req, "a"), NULL);
        CHECK_STR(pairs(req, green_wsgi_form_at), "");
}

static void
a_form_is_read_and_decoded(void)
{
        struct server s = {0};

        serve(&s, looks);
        see(&s, post(FORM "\r\nContent-Length: 11\r\n\r\na=1+2&b=%2b"), look_at_form);
        see(&s, post(FORM "\r\n" CHUNKED "3\r\na=1\r\n8\r\n+2&b=%2b\r\n0\r\n\r\n"), look_at_form);
        see(&s, post("Content-Type: Application/X-WWW-Form-Urlencoded ; charset=utf-8\r\n" CHUNKED
                     "b\r\na=1+2&b=%2b\r\n0\r\n\r\n"),
            look_at_form);
        see(&s, post(FORM "\r\nContent-Length: 11\r\n\r\na=1+2&b=%2b"), look_at_large_form);
        see(&s, post(FORM "\r\n" CHUNKED "b\r\na=1+2&b=%2b\r\n0\r\n\r\n"), look_at_large_form);
        see(&s, post("Content-Type: application/x-www-form-urlencoded2\r\nContent-Length: 3\r\n\r\na=1"),
            look_at_no_form);
        see(&s, post("Content-Type: text/plain\r\nContent-Length: 3\r\n\r\na=1"), look_at_no_form);
        see(&s, post("Content-Length: 3\r\n\r\na=1"), look_at_no_form);
        stop(&s);
}

static void
look_at_cookies(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_cookie(req, "a"), "1");
        CHECK_STR(green_wsgi_cookie(req, "A"), "2");
        CHECK_STR(green_wsgi_cookie(req, "b"), "x y");
        CHECK_STR(green_wsgi_cookie(req, "c"), "%20=");
        CHECK_STR(green_wsgi_cookie(req, "late"), "");
        CHECK_STR(green_wsgi_cookie(req, ""), NULL);
        CHECK_STR(pairs(req, green_wsgi_cookie_at), "a=1|A=2|b=x y|c=%20=|a=3|late=|");
        CHECK_STR(green_wsgi_header(req, "Cookie"), "a=1; A=2;b=\"x y\" ;nameless; =v; c=%20=");
}

static void
look_at_no_cookies(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_cookie(req, "a"), NULL);
        CHECK_STR(pairs(req, green_wsgi_cookie_at), "");
}

static void
cookies_are_told(void)
{
        struct server s = {0};

        serve(&s, looks);
        see(&s,
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; A=2;b=\"x y\" ;nameless; =v; c=%20=\r\nCookies: n=n\r\n"
            "cookie: a=3; late=\r\n\r\n",
            look_at_cookies);
        see(&s, GET, look_at_no_cookies);
        see(&s, "GET / HTTP/1.1\r\nHost: a\r\nCookie: ;;; ; \r\n\r\n", look_at_no_cookies);
        stop(&s);
}

/* ---- cookies that are set */

static void
set_cookies(green_wsgi_request *req)
{
        static char path[2000] = "/";
        const struct green_wsgi_cookie_opts all = {.size = sizeof all,
                                                   .path = "/a b",
                                                   .domain = ".example.org",
                                                   .same_site = "None",
                                                   .max_age = 3600,
                                                   .secure = true,
                                                   .http_only = true};
        const struct green_wsgi_cookie_opts gone = {.size = sizeof gone, .max_age = INT64_MIN};
        const struct green_wsgi_cookie_opts ever = {.size = sizeof ever, .max_age = INT64_MAX};
        const struct green_wsgi_cookie_opts large = {.size = sizeof large, .path = path, .same_site = "Lax"};

        memset(path + 1, 'p', sizeof path - 2);
        CHECK_INT(green_wsgi_set_cookie(req, "plain", "v=1", NULL), 0);
        CHECK_INT(green_wsgi_set_cookie(req, "empty", "", NULL), 0);
        CHECK_INT(green_wsgi_set_cookie(req, "all", "v", &all), 0);
        CHECK_INT(green_wsgi_set_cookie(req, "gone", "v", &gone), 0);
        CHECK_INT(green_wsgi_set_cookie(req, "ever", "v", &ever), 0);
        CHECK_INT(green_wsgi_set_cookie(req, "large", "v", &large), 0);
}

static void
a_cookie_is_one_field_of_the_response(void)
{
        struct server s = {0};
        const char *answer, *expires;
        int64_t until_then = 0;
        char date[GREEN_WSGI_DATE_SIZE];

        serve(&s, looks);
        look = set_cookies;
        answer = ask(&s, GET);
        CHECK_INT(count(answer, "\r\nSet-Cookie: "), 6);
        CHECK(strstr(answer, "\r\nSet-Cookie: plain=v=1\r\n") != NULL);
        CHECK(strstr(answer, "\r\nSet-Cookie: empty=\r\n") != NULL);
        CHECK(strstr(answer, "; Max-Age=3600; Path=/a b; Domain=.example.org; SameSite=None; Secure; HttpOnly\r\n") !=
              NULL);
        CHECK(strstr(answer, "\r\nSet-Cookie: gone=v; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0\r\n") != NULL);
        CHECK(strstr(answer, "\r\nSet-Cookie: ever=v; Expires=Fri, 31 Dec 9999 23:59:59 GMT; "
                             "Max-Age=9223372036854775807\r\n") != NULL);
        CHECK(strstr(answer, "ppp; SameSite=Lax\r\n") != NULL);
        expires = strstr(answer, "\r\nSet-Cookie: all=v; Expires=");
        if (CHECK(expires != NULL)) {
                snprintf(date, sizeof date, "%s", expires + strlen("\r\nSet-Cookie: all=v; Expires="));
                CHECK_INT(green_http_parse_date(date, &until_then), 0);
                CHECK_RANGE(until_then - time(NULL), 3600 - 60 * suite_slow(), 3600);
        }
        stop(&s);
}

static void
set_bad_cookies(green_wsgi_request *req)
{
        static const char *const names[] = {"", "a b", "a;b", "a=b", "a\r\nb", "\xc3\xa9", "a,b", NULL};
        static const char *const values[] = {"a b", "a;b", "a,b", "\"a\"", "a\\b", "a\r\nb", "\x7f", "\xc3\xa9", NULL};
        static const struct green_wsgi_cookie_opts bad[] = {
                {.size = 3},
                {.size = sizeof bad[0], .path = "/a;Domain=x"},
                {.size = sizeof bad[0], .path = "/a\n"},
                {.size = sizeof bad[0], .path = "a"},
                {.size = sizeof bad[0], .path = ""},
                {.size = sizeof bad[0], .path = "/\xc3\xa9"},
                {.size = sizeof bad[0], .domain = ""},
                {.size = sizeof bad[0], .domain = "a;b"},
                {.size = sizeof bad[0], .domain = "a b"},
                {.size = sizeof bad[0], .same_site = "lax"},
                {.size = sizeof bad[0], .same_site = "Lax; Secure"},
        };

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                CHECK_INT(green_wsgi_set_cookie(req, names[i], "v", NULL), -EINVAL);
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
                CHECK_INT(green_wsgi_set_cookie(req, "a", values[i], NULL), -EINVAL);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                CHECK_INT(green_wsgi_set_cookie(req, "a", "v", &bad[i]), -EINVAL);
}

static void
set_late_cookie(green_wsgi_request *req)
{
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_write(req, "x", 1), 0);
        CHECK_INT(green_wsgi_set_cookie(req, "a", "1", NULL), -EALREADY);
}

static void
a_value_cannot_become_an_attribute_of_a_cookie(void)
{
        struct server s = {0};
        const char *answer;

        serve(&s, looks);
        look = set_bad_cookies;
        answer = ask(&s, GET);
        CHECK(begins(answer, "HTTP/1.1 200 OK\r\n"));
        CHECK_INT(count(answer, "Set-Cookie"), 0);
        look = set_late_cookie;
        CHECK_INT(count(ask(&s, GET), "Set-Cookie"), 0);
        CHECK_INT(s.requests, 2);
        stop(&s);
}

GREEN_SUITE(web_wsgi_param) {
        GREEN_TEST(parameters_of_the_query_are_decoded),
        GREEN_TEST(a_form_is_read_and_decoded),
        GREEN_TEST(cookies_are_told),
        GREEN_TEST(a_cookie_is_one_field_of_the_response),
        GREEN_TEST(a_value_cannot_become_an_attribute_of_a_cookie),
        GREEN_SUITE_END
};
