/*
 * Parts of the HTTP client without a connection: the jar of cookies, URLs and references to them.
 */
#include "net_suite.h"

#include "../web/client_priv.h"
#include "../web/cookie_priv.h"

/* ---- a jar */

enum { NOW = 1700000000 };

static struct green__jar *jar;
static char told[16384];

static struct green__url
place(const char *url)
{
        struct green__url u = {0};

        CHECK_INT(green__url_parse(url, "http", &u), 0);
        return u;
}

static void
set(const char *url, const char *field)
{
        struct green__url u = place(url);

        green__jar_set(jar, &u, field, NOW);
        green_free(u.text);
}

static const char *
sent_at(const char *url, time_t now)
{
        struct green__arena arena = {NULL, NULL, NULL};
        struct green__url u = place(url);
        int rc = 1;
        const char *text = green__jar_get(jar, &u, now, &arena, &rc);

        CHECK_INT(rc, 0);
        snprintf(told, sizeof told, "%s", text == NULL ? "" : text);
        green__arena_end(&arena);
        green_free(u.text);
        return told;
}

static const char *
sent(const char *url)
{
        return sent_at(url, NOW);
}

static void
empty(void)
{
        green__jar_free(jar);
        jar = green__jar_new();
        CHECK(jar != NULL);
}

static void
done(void)
{
        green__jar_free(jar);
        jar = NULL;
}

static void
a_cookie_goes_back_where_it_came_from(void)
{
        empty();
        set("http://www.example.com/a/b?c=/d", "n=v");
        CHECK_STR(sent("http://www.example.com/a/x"), "n=v");
        CHECK_STR(sent("http://www.example.com/a"), "n=v");
        CHECK_STR(sent("http://www.example.com/ab"), "");
        CHECK_STR(sent("http://www.example.com/"), "");
        CHECK_STR(sent("http://example.com/a/"), "");
        CHECK_STR(sent("http://x.www.example.com/a/"), "");
        CHECK_STR(sent("https://WWW.example.com:8443/a/"), "n=v");
        set("http://www.example.com/", "n2 = v 2 ; path=/");
        CHECK_STR(sent("http://www.example.com/a/b"), "n=v; n2=v 2");
        set("http://www.example.com/a/b", "n=other");
        CHECK_STR(sent("http://www.example.com/a/b"), "n=other; n2=v 2");
        done();
}

static void
a_domain_is_for_those_under_it(void)
{
        empty();
        set("http://www.example.com/", "a=1; Domain=.Example.com");
        set("http://www.example.com/", "b=2; domain=www.example.com");
        CHECK_STR(sent("http://www.example.com/"), "a=1; b=2");
        CHECK_STR(sent("http://example.com/"), "a=1");
        CHECK_STR(sent("http://a.b.example.com/"), "a=1");
        CHECK_STR(sent("http://x.www.example.com/"), "a=1; b=2");
        CHECK_STR(sent("http://badexample.com/"), "");
        done();
}

static void
what_is_not_theirs_to_set_is_refused(void)
{
        empty();
        set("http://www.example.com/", "a=1; Domain=other.com");
        set("http://www.example.com/", "a=1; Domain=x.www.example.com");
        set("http://www.example.com/", "a=1; Domain=com");
        set("http://www.example.com/", "a=1; Domain=.com");
        set("http://example.com/", "a=1; Domain=ample.com");
        set("http://10.0.0.1/", "a=1; Domain=0.0.1");
        set("http://10.0.0.1./", "a=1; Domain=0.0.1.");
        set("http://example.com./", "a=1; Domain=com.");
        CHECK_STR(sent("http://other.com./"), "");
        CHECK_STR(sent("http://1.0.0.1./"), "");
        set("http://www.example.com/", "a=1; Secure");
        set("https://www.example.com/", "__Secure-a=1");
        set("https://www.example.com/", "__Host-a=1; Secure; Path=/; Domain=example.com");
        set("https://www.example.com/", "__Host-a=1; Secure; Path=/a");
        set("http://www.example.com/", "=1");
        set("http://www.example.com/", "a");
        set("http://www.example.com/", "a=1\x01");
        set("http://www.example.com/", "");
        CHECK_STR(sent("https://www.example.com/a"), "");
        CHECK_STR(sent("http://10.0.0.1/"), "");
        CHECK_STR(sent("http://com/"), "");
        set("http://localhost/", "a=1; Domain=localhost");
        CHECK_STR(sent("http://localhost/"), "a=1");
        CHECK_STR(sent("http://a.localhost/"), "");
        set("http://10.0.0.1/", "a=1; Domain=10.0.0.1");
        CHECK_STR(sent("http://10.0.0.1/"), "a=1");
        set("http://[::1]/", "a=6");
        CHECK_STR(sent("http://[::1]/"), "a=6");
        set("https://www.example.com/", "__Host-a=1; Secure; Path=/");
        CHECK_STR(sent("https://www.example.com/"), "__Host-a=1");
        done();
}

static void
secure_ones_go_over_tls_only(void)
{
        empty();
        set("https://a.example.com/", "a=1; secure");
        CHECK_STR(sent("https://a.example.com/"), "a=1");
        CHECK_STR(sent("http://a.example.com/"), "");
        done();
}

/* Nor can somebody in the clear put another one in their place. */
static void
secure_ones_are_left_alone(void)
{
        empty();
        set("https://a.example.com/", "a=1; secure; path=/x");
        set("http://a.example.com/", "a=2; path=/x");
        set("http://a.example.com/", "a=2; path=/x/y");
        set("http://a.example.com/", "a=2; path=/x; domain=example.com");
        set("http://a.example.com/", "a=; path=/x; max-age=0");
        CHECK_STR(sent("https://a.example.com/x/y"), "a=1");
        CHECK_STR(sent("http://a.example.com/x/y"), "");
        /* Other names, places and hosts are. */
        set("http://a.example.com/", "b=3; path=/x");
        set("http://a.example.com/", "a=4; path=/");
        set("http://b.example.com/", "a=5; path=/x");
        CHECK_STR(sent("https://a.example.com/x/y"), "a=1; b=3; a=4");
        CHECK_STR(sent("http://b.example.com/x"), "a=5");
        set("https://a.example.com/", "a=6; path=/x");
        CHECK_STR(sent("http://a.example.com/x"), "a=6; b=3; a=4");
        set("http://a.example.com/", "a=7; path=/x");
        CHECK_STR(sent("http://a.example.com/x"), "a=7; b=3; a=4");
        done();
}

static void
they_end_in_time(void)
{
        empty();
        set("http://a.b/", "a=1; Max-Age=10");
        set("http://a.b/", "b=2; Expires=Tue, 14 Nov 2023 22:13:40 GMT"); /* NOW + 20 */
        set("http://a.b/", "c=3; Max-Age=30; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        set("http://a.b/", "d=4; Max-Age=nonsense; Expires=nonsense");
        CHECK_STR(sent("http://a.b/"), "a=1; b=2; c=3; d=4");
        CHECK_STR(sent_at("http://a.b/", NOW + 9), "a=1; b=2; c=3; d=4");
        CHECK_STR(sent_at("http://a.b/", NOW + 10), "b=2; c=3; d=4");
        CHECK_STR(sent_at("http://a.b/", NOW + 20), "c=3; d=4");
        CHECK_STR(sent_at("http://a.b/", NOW + 30), "d=4");
        set("http://a.b/", "d=; Max-Age=0");
        set("http://a.b/", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        set("http://a.b/", "b=; Max-Age=-5");
        CHECK_STR(sent("http://a.b/"), "c=3");
        done();
}

static void
longer_paths_come_first(void)
{
        empty();
        set("http://a.b/", "a=1; path=/");
        set("http://a.b/", "b=2; path=/x/y");
        set("http://a.b/", "c=3; path=/x");
        set("http://a.b/", "d=4; path=x");
        CHECK_STR(sent("http://a.b/x/y/z?q"), "b=2; c=3; a=1; d=4");
        CHECK_STR(sent("http://a.b/x"), "c=3; a=1; d=4");
        CHECK_STR(sent("http://a.b/x/yy"), "c=3; a=1; d=4");
        done();
}

static void
there_are_limits(void)
{
        char field[6000], url[64];

        empty();
        for (int i = 0; i < 60; i++) {
                snprintf(field, sizeof field, "n%d=v", i);
                set("http://a.example.com/", field);
                sent("http://a.example.com/");
        }
        CHECK(strstr(sent("http://a.example.com/"), "n9=v") == NULL);
        CHECK(strstr(told, "n10=v") != NULL && strstr(told, "n59=v") != NULL);
        for (int i = 0; i < 3100; i++) {
                snprintf(url, sizeof url, "http://h%d.example.net/", i);
                set(url, "n=v");
        }
        CHECK_STR(sent("http://h0.example.net/"), "");
        CHECK_STR(sent("http://h3099.example.net/"), "n=v");
        memset(field, 'x', sizeof field);
        field[1] = '=';
        field[2 + 4096] = '\0';
        set("http://b.c/", field);
        CHECK_STR(sent("http://b.c/"), "");
        field[2 + 4095] = '\0';
        set("http://b.c/", field);
        CHECK(sent("http://b.c/")[0] == 'x');
        /* The place that it comes from may be long too. */
        for (int more = 0; more < 2; more++) {
                snprintf(field, sizeof field, "http://d.e/%0*d/x", 1023 + more, 1);
                set(field, "n=v");
                CHECK_STR(sent(field), more ? "" : "n=v");
        }
        done();
}

static void
dates_have_many_forms(void)
{
        static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                           "Sun Nov  6 08:49:37 1994",      "Sun, 06-Nov-1994 08:49:37 GMT",
                                           "6 november 94 8:49:37",         "08:49:37 nov 06 1994 x"};
        static const char *const none[] = {"",
                                           "Sun, 06 Nov 1994",
                                           "06 Nov 1994 25:00:00",
                                           "32 Nov 1994 08:49:37",
                                           "31 Feb 1994 08:49:37",
                                           "06 Nov 1600 08:49:37",
                                           "06 Nov 19941 08:49:37"};
        int64_t when;

        for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
                struct green_http_part text = {same[i], strlen(same[i])};

                when = 0;
                CHECK(green__cookie_date(text, &when));
                CHECK_INT(when, 784111777);
        }
        for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
                struct green_http_part text = {none[i], strlen(none[i])};

                if (green__cookie_date(text, &when))
                        FAIL("%s", none[i]);
        }
}

/* ---- references (RFC 3986 5.4) */

static void
references_are_resolved(void)
{
        static const char *const rows[][2] = {
                {"g:h", "g:h"},
                {"g", "http://a/b/c/g"},
                {"./g", "http://a/b/c/g"},
                {"g/", "http://a/b/c/g/"},
                {"/g", "http://a/g"},
                {"//g", "http://g"},
                {"?y", "http://a/b/c/d;p?y"},
                {"g?y", "http://a/b/c/g?y"},
                {"#s", "http://a/b/c/d;p?q#s"},
                {"g#s", "http://a/b/c/g#s"},
                {"g?y#s", "http://a/b/c/g?y#s"},
                {";x", "http://a/b/c/;x"},
                {"g;x", "http://a/b/c/g;x"},
                {"g;x?y#s", "http://a/b/c/g;x?y#s"},
                {"", "http://a/b/c/d;p?q"},
                {".", "http://a/b/c/"},
                {"./", "http://a/b/c/"},
                {"..", "http://a/b/"},
                {"../", "http://a/b/"},
                {"../g", "http://a/b/g"},
                {"../..", "http://a/"},
                {"../../", "http://a/"},
                {"../../g", "http://a/g"},
                {"../../../g", "http://a/g"},
                {"../../../../g", "http://a/g"},
                {"/./g", "http://a/g"},
                {"/../g", "http://a/g"},
                {"g.", "http://a/b/c/g."},
                {".g", "http://a/b/c/.g"},
                {"g..", "http://a/b/c/g.."},
                {"..g", "http://a/b/c/..g"},
                {"./../g", "http://a/b/g"},
                {"./g/.", "http://a/b/c/g/"},
                {"g/./h", "http://a/b/c/g/h"},
                {"g/../h", "http://a/b/c/h"},
                {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
                {"g;x=1/../y", "http://a/b/c/y"},
                {"g?y/./x", "http://a/b/c/g?y/./x"},
                {"g?y/../x", "http://a/b/c/g?y/../x"},
                {"g#s/./x", "http://a/b/c/g#s/./x"},
                {"g#s/../x", "http://a/b/c/g#s/../x"},
                {"http:g", "http:g"},
                {"https://x:8/../y", "https://x:8/y"},
        };
        char *url = NULL;

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                CHECK_INT(green__url_resolve("http://a/b/c/d;p?q", rows[i][0], &url), 0);
                CHECK_STR(url, rows[i][1]);
                green_free(url);
        }
        CHECK_INT(green__url_resolve("http://a", "g", &url), 0);
        CHECK_STR(url, "http://a/g");
        green_free(url);
}

static void
memory_may_run_out(void)
{
        char *url = NULL;

        memory_left = 0;
        CHECK_INT(green__url_resolve("http://a", "g", &url), -ENOMEM);
        CHECK(green__jar_new() == NULL);
        memory_left = -1;
        empty();
        struct green__url u = place("http://a.b/");
        memory_left = 0;
        green__jar_set(jar, &u, "a=1", NOW);
        memory_left = -1;
        CHECK_STR(sent("http://a.b/"), "");
        green__jar_set(jar, &u, "a=1", NOW);
        struct green__arena arena = {NULL, NULL, NULL};
        int rc = 0;
        memory_left = 0;
        CHECK(green__jar_get(jar, &u, NOW, &arena, &rc) == NULL);
        CHECK_INT(rc, -ENOMEM);
        memory_left = -1;
        green_free(u.text);
        done();
}

GREEN_SUITE(web_client_cookies){GREEN_TEST(a_cookie_goes_back_where_it_came_from),
                                GREEN_TEST(a_domain_is_for_those_under_it),
                                GREEN_TEST(what_is_not_theirs_to_set_is_refused),
                                GREEN_TEST(secure_ones_go_over_tls_only),
                                GREEN_TEST(secure_ones_are_left_alone),
                                GREEN_TEST(they_end_in_time),
                                GREEN_TEST(longer_paths_come_first),
                                GREEN_TEST(there_are_limits),
                                GREEN_TEST(dates_have_many_forms),
                                GREEN_TEST(references_are_resolved),
                                GREEN_TEST(memory_may_run_out),
                                GREEN_SUITE_END};
