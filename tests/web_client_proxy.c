/*
 * The HTTP client behind a proxy, and its cookies over connections.
 */
#include "web_client.h"

static green_http_client *
behind(const struct peer *p, const char *user, const char *const *no_proxy)
{
        struct green_http_client_opts opts = {.size = sizeof opts, .no_proxy = no_proxy};
        char proxy[256];

        snprintf(proxy, sizeof proxy, "http://%s%s", user, p->address);
        opts.proxy = proxy;
        return green_http_client_new(&opts);
}

static void
http_is_asked_by_whole_urls(void)
{
        struct peer p = {.turns = {{.answer = OK_5}, {.answer = OK_5}}};
        green_http_client *c;

        peer_start(&p);
        c = behind(&p, "me:pa%20ss@", NULL);
        CHECK_INT(get(c, "http://one.invalid/a?b#c", "Hello"), 200);
        CHECK_INT(get(c, "http://two.invalid:81/", "Hello"), 200);
        CHECK(begins(p.asked[0], "GET http://one.invalid/a?b HTTP/1.1\r\nHost: one.invalid\r\n"));
        CHECK(begins(p.asked[1], "GET http://two.invalid:81/ HTTP/1.1\r\nHost: two.invalid:81\r\n"));
        /* "me:pa ss" */
        CHECK(strstr(p.asked[0], "\r\nProxy-Authorization: Basic bWU6cGEgc3M=\r\n") != NULL);
        /* Whatever the host, the connection is the same. */
        CHECK_INT(p.connections, 1);
        green_http_client_free(c);
        peer_stop(&p);
}

static void
some_hosts_go_without(void)
{
        static const char *const none[] = {"127.0.0.1", ".inside.invalid", NULL};
        struct peer p = {.turns = {{.answer = OK_5}, {.answer = OK_5}}}, direct = {.turns = {{.answer = OK_5}}};
        green_http_client *c;

        peer_start(&p);
        peer_start(&direct);
        c = behind(&p, "me:x@", none);
        CHECK_INT(get(c, direct.url, "Hello"), 200);
        CHECK(begins(direct.asked[0], "GET / HTTP/1.1\r\n"));
        CHECK(strstr(direct.asked[0], "Proxy-") == NULL);
        CHECK_INT(get(c, "http://inside.invalid/", "Hello"), 200);
        CHECK_INT(get(c, "http://outside.invalid/", "Hello"), 200);
        CHECK_INT(p.at, 2);
        green_http_client_free(c);
        peer_stop(&p);
        peer_stop(&direct);
}

static void
https_goes_through_a_tunnel(void)
{
        struct peer p = {.turns = {{.answer = "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"},
                                   {.answer = "HTTP/1.1 200 OK\r\n\r\ntoo early"}}};
        static const struct green_wsgi_pair secret[] = {{"Authorization", "Bearer abc"}, {NULL, NULL}};
        green_http_response *res = NULL;
        green_http_client *c;

        peer_start(&p);
        c = behind(&p, "me:x@", NULL);
        CHECK_INT(green_http_get(c, "https://one.invalid/secret", secret, &res), GREEN_EHTTP);
        CHECK(strstr(green_last_error()->message, "407") != NULL);
        CHECK(begins(p.asked[0], "CONNECT one.invalid:443 HTTP/1.1\r\nHost: one.invalid:443\r\n"));
        CHECK(strstr(p.asked[0], "\r\nProxy-Authorization: Basic bWU6eA==\r\n") != NULL);
        CHECK(strstr(p.asked[0], "secret") == NULL && strstr(p.asked[0], "Bearer") == NULL);
        CHECK_INT(green_http_get(c, "https://[::1]:8443/", NULL, &res), GREEN_EHTTP);
        CHECK(begins(p.asked[1], "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n"));
        green_http_client_free(c);
        peer_stop(&p);
}

/* ---- cookies */

static void
cookies_are_kept_and_sent(void)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .cookies = true};
        green_http_client *c = green_http_client_new(&opts);
        struct peer p = {.turns = {{.answer = "HTTP/1.1 302 X\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Max-Age=1000\r\n"
                                              "Location: /\r\nContent-Length: 0\r\n\r\n"},
                                   {.answer = OK_5},
                                   {.answer = OK_5},
                                   {.answer = OK_5}}};
        static const struct green_wsgi_pair own[] = {{"Cookie", "mine=1"}, {NULL, NULL}};
        green_http_response *res = NULL;

        peer_start(&p);
        /* To the same place, with cookies now: that is no circle. */
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK(strstr(p.asked[0], "Cookie") == NULL);
        CHECK(strstr(p.asked[1], "\r\nCookie: a=1; b=2\r\n") != NULL);
        CHECK_INT(green_http_get(c, p.url, own, &res), 0);
        green_http_response_free(res);
        CHECK(strstr(p.asked[2], "\r\nCookie: mine=1\r\n") != NULL && strstr(p.asked[2], "a=1") == NULL);
        green_http_client_free(c);
        c = green_http_client_new(NULL);
        CHECK_INT(get(c, p.url, "Hello"), 200);
        CHECK(strstr(p.asked[3], "Cookie") == NULL);
        green_http_client_free(c);
        peer_stop(&p);
}

GREEN_SUITE(web_client_proxy){GREEN_TEST(http_is_asked_by_whole_urls), GREEN_TEST(some_hosts_go_without),
                              GREEN_TEST(https_goes_through_a_tunnel), GREEN_TEST(cookies_are_kept_and_sent),
                              GREEN_SUITE_END};
