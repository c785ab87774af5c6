/* The request parser: request lines, targets, limits. The fields are in web_http1_fields.c. */
#include "http1_rows.h"
#include "suite.h"

#include <stdio.h>

static void
a_whole_request_is_taken_apart(void)
{
        static const struct row rows[] = {
                GOOD("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET 1.1 origin path=/ host=h keep | Host=h"),
                GOOD("GET / HTTP/1.0\r\n\r\n", "GET 1.0 origin path=/ host="),
                GOOD("POST /a/b?c=d&e HTTP/1.1\r\nHost: example.com:8080\r\nContent-Length: 12\r\nX-A:1\r\nx-b: \t 2 "
                     "3\t \r\n"
                     "X-Empty:\r\nX-Blank:   \r\n\r\n",
                     "POST 1.1 origin path=/a/b query=c=d&e host=example.com port=8080 length=12 keep | "
                     "Host=example.com:8080 | "
                     "Content-Length=12 | X-A=1 | x-b=2 3 | X-Empty= | X-Blank="),
                GOOD("BREW / HTTP/1.1\r\nHOST: h\r\nX:a\tb\xff\xc3\xa4\r\n\r\n",
                     "BREW 1.1 origin path=/ host=h keep | HOST=h | X=a\tb\xff\xc3\xa4"),
                GOOD("GET / HTTP/1.7\r\nHost: h\r\n\r\n", "GET 1.7 origin path=/ host=h keep | Host=h"),
                GOOD(FIELDS("A-name-of-more-than-sixteen-bytes: v\r\n"),
                     SHOWN " keep | Host=h | A-name-of-more-than-sixteen-bytes=v"),
                GOOD(FIELDS("X_Y: 1\r\n_: 2\r\nA!#$%&'*+-.^`|~9: 3\r\n"),
                     SHOWN " keep | Host=h | X_Y=1 _ | _=2 _ | A!#$%&'*+-.^`|~9=3"),
                GOOD(FIELDS("X: a:b:c\r\nY: "
                            "0123456789012345678901234567890123456789012345678901234567890123456789\r\n"
                            "Z: 1\r\n"),
                     SHOWN " keep | Host=h | X=a:b:c | "
                           "Y=0123456789012345678901234567890123456789012345678901234567890123456789 | Z=1"),
                MORE(""),
                MORE("G"),
                MORE("GET / HTTP/1.1\r\n"),
                MORE("GET / HTTP/1.1\r\nHost: h\r\n"),
                MORE("GET / HTTP/1.1\r\nHost: h\r\n\r"),
                ROWS_END,
        };

        check_rows(rows, &usual);
        check_rows(rows, &strict);
}

static void
methods_are_known_by_name(void)
{
        static const char *const names[] = {"",       "GET",     "HEAD",    "POST",  "PUT",
                                            "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
        static struct run run;
        char request[64];

        for (int i = 1; i < 10; i++) {
                snprintf(request, sizeof request, "%s %s HTTP/1.0\r\n\r\n", names[i],
                         i == GREEN__HTTP1_CONNECT ? "h:1" : "/");
                parse_all_ways(&run, request, strlen(request), &usual, 1);
                CHECK_INT(run.result, GREEN__HTTP1_DONE);
                CHECK_INT(run.r.method, i);
        }
        static const char *const others[] = {"get", "GETS", "GE", "Post", "PROPFIND", "X", "CONNECTS", "M-SEARCH"};
        for (int i = 0; i < 8; i++) {
                snprintf(request, sizeof request, "%s / HTTP/1.0\r\n\r\n", others[i]);
                parse_all_ways(&run, request, strlen(request), &usual, 1);
                CHECK_INT(run.result, GREEN__HTTP1_DONE);
                CHECK_INT(run.r.method, GREEN__HTTP1_METHOD_OTHER);
        }
}

static void
empty_lines_before_the_request_are_skipped(void)
{
        GREEN_COVERS("WSGI-21");
        static const struct row rows[] = {
                GOOD("\r\nGET / HTTP/1.0\r\n\r\n", "GET 1.0 origin path=/ host="),
                GOOD("\r\n\r\nGET / HTTP/1.0\r\n\r\n", "GET 1.0 origin path=/ host="),
                BAD(EBLANK, "\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
                BAD(EEOL, "\r\rGET / HTTP/1.0\r\n\r\n"),
                BAD(EEOL, "\rGET / HTTP/1.0\r\n\r\n"),
                BAD(EMETHOD, "\nGET / HTTP/1.0\r\n\r\n"),
                BAD(EMETHOD, " \r\nGET / HTTP/1.0\r\n\r\n"),
                MORE("\r"),
                MORE("\r\n"),
                MORE("\r\n\r\n"),
                ROWS_END,
        };
        struct run run;

        check_rows(rows, &usual);
        begin_run(&run, &usual, 1);
        CHECK(!green__http1_begun(&run.r, 0));
        show(&run, "\r\n", 2);
        CHECK(!green__http1_begun(&run.r, 2));
        show(&run, "\r\n\r", 3);
        CHECK(!green__http1_begun(&run.r, 3));
        show(&run, "\r\n\r\nG", 5);
        CHECK(green__http1_begun(&run.r, 5));
}

static void
request_lines_that_are_refused(void)
{
        GREEN_COVERS("WSGI-24", "WSGI-25");
        static const struct row rows[] = {
                BAD(EMETHOD, " GET / HTTP/1.1\r\n\r\n"),
                BAD(EMETHOD, "GET\t/ HTTP/1.1\r\n\r\n"),
                BAD(EMETHOD, "GET\r\n\r\n"),
                BAD(EMETHOD, "G(T / HTTP/1.1\r\n\r\n"),
                BAD(EMETHOD, "\x16\x03\x01"),
                BAD(ETARGET, "GET  / HTTP/1.1\r\n\r\n"),
                BAD(EVERSION, "GET /  HTTP/1.1\r\n\r\n"),
                BAD(ETARGET, "GET /\tHTTP/1.1\r\n\r\n"),
                BAD(EVERSION, "GET / a HTTP/1.1\r\n\r\n"),
                BAD(EVERSION, "GET /\r\n"),
                BAD(EVERSION, "GET /\n"),
                BAD(EVERSION, "GET \r\n"),
                BAD(EVERSION, "GET / \r\n"),
                BAD(EVERSION, "GET / http/1.1\r\n"),
                BAD(EVERSION, "GET / HTTP 1.1\r\n"),
                BAD(EVERSION, "GET / HTTP/1\r\n"),
                BAD(EVERSION, "GET / HTTP/1.\r\n"),
                BAD(EVERSION, "GET / HTTP/.1\r\n"),
                BAD(EVERSION, "GET / HTTP/11.1\r\n"),
                BAD(EEOL, "GET / HTTP/1.10\r\n"),
                BAD(EEOL, "GET / HTTP/1.1 \r\n"),
                BAD(EVERSION, "GET / HTTP/1,1\r\n"),
                BAD(EVERSION, "GET / HTTP/+1.1\r\n"),
                BAD(EVERSION, "GET / ICY/1.1\r\n"),
                BAD(EVERSION, "GET / HTTP/a.1\r\n"),
                BAD(EVERSION, "GET / HTTP/1.b\r\n"),
                BAD(EMAJOR, "GET / HTTP/0.9\r\n"),
                BAD(EMAJOR, "GET / HTTP/2.0\r\n"),
                BAD(EMAJOR, "GET / HTTP/9.9\r\n"),
                BAD(ETARGET, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                ROWS_END,
        };

        check_rows(rows, &usual);
}

/* The grammar once more, in another way than in the parser. */
static bool
allowed(int place, int c)
{
        const bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        static const char *const more[] = {
                "!#$%&'*+-.^_`|~",              /* method and field name */
                "-._~!$&'()*+,;=:@/?",          /* path, strict; the '?' ends it */
                "-._~!$&'()*+,;=:@/?",          /* query, strict */
                "-._~!$&'()*+,;=:@/?[]|^",      /* path */
                "-._~!$&'()*+,;=:@/?[]|^{}`\\%" /* query */
        };

        if (place == 5)
                return c == '\t' || (c >= ' ' && c != 0x7f);
        return alnum || (c != 0 && c < 0x80 && strchr(more[place], c) != NULL);
}

static void
every_byte_is_allowed_or_refused_in_every_place(void)
{
        static const struct {
                const char *before, *after;
                int place, end; /* end: a byte that is allowed and ends the part, so that what follows does not fit */
                const struct green__http1_limits *limits;
                int result;
        } parts[] = {
                {"GET", " / HTTP/1.0\r\n\r\n", 0, ' ', &usual, GREEN__HTTP1_EMETHOD},
                {"GET / HTTP/1.0\r\nX-Field-Of-Some-Length", "y: z\r\n\r\n", 0, ':', &usual, GREEN__HTTP1_ENAME},
                {"GET /path/of/more/than/16/bytes", "/ HTTP/1.0\r\n\r\n", 1, ' ', &strict, GREEN__HTTP1_ETARGET},
                {"GET /?query-of-more-than-16-bytes", "/ HTTP/1.0\r\n\r\n", 2, ' ', &strict, GREEN__HTTP1_ETARGET},
                {"GET /path/of/more/than/16/bytes", "/ HTTP/1.0\r\n\r\n", 3, ' ', &usual, GREEN__HTTP1_ETARGET},
                {"GET /?query-of-more-than-16-bytes", "/ HTTP/1.0\r\n\r\n", 4, ' ', &usual, GREEN__HTTP1_ETARGET},
                {"GET http://h/", "/ HTTP/1.0\r\n\r\n", 1, ' ', &strict, GREEN__HTTP1_ETARGET},
                {"GET http://h/?", "/ HTTP/1.0\r\n\r\n", 4, ' ', &usual, GREEN__HTTP1_ETARGET},
                {"GET / HTTP/1.0\r\nX: a value of more than 16 bytes", "y\r\n\r\n", 5, '\r', &usual,
                 GREEN__HTTP1_EVALUE},
        };
        static struct run run;
        char request[128];

        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
                for (int c = 0; c < 256; c++) {
                        size_t n = strlen(parts[i].before);
                        memcpy(request, parts[i].before, n);
                        request[n] = (char)c;
                        memcpy(request + n + 1, parts[i].after, strlen(parts[i].after));
                        parse_all_ways(&run, request, n + 1 + strlen(parts[i].after), parts[i].limits, MAX_FIELDS);
                        if (c == parts[i].end)
                                continue;
                        if ((run.result == GREEN__HTTP1_DONE) != allowed(parts[i].place, c))
                                FAIL("byte %d in part %d gives %d", c, (int)i, run.result);
                        if (run.result < 0 && c != '\r' && c != '\n')
                                CHECK_INT(run.result, parts[i].result);
                }
        }
}

static const struct row targets[] = {
        GOOD(TARGET("/a%20b%FF%7e?x=%00&y=100%"),
             "GET 1.1 origin path=/a%20b%FF%7e query=x=%00&y=100% host=h keep | Host=h"),
        GOOD(TARGET("/?"), "GET 1.1 origin path=/ query= host=h keep | Host=h"),
        GOOD(TARGET("//x//?a?b"), "GET 1.1 origin path=//x// query=a?b host=h keep | Host=h"),
        GOOD(TARGET("/*"), "GET 1.1 origin path=/* host=h keep | Host=h"),
        GOOD(TARGET("http://example.com"), "GET 1.1 absolute path= host=example.com keep | Host=h"),
        GOOD(TARGET("HTTP://u.example:81/x?y"),
             "GET 1.1 absolute path=/x query=y host=u.example port=81 keep | Host=h"),
        GOOD(TARGET("http://x:?y/z"), "GET 1.1 absolute path= query=y/z host=x keep | Host=h"),
        GOOD(TARGET("httpS://[::1]:443/"), "GET 1.1 absolute path=/ host=[::1] port=443 keep https | Host=h"),
        GOOD("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS 1.1 asterisk path= host=h keep | Host=h"),
        GOOD("OPTIONS /x HTTP/1.1\r\n" HOST "\r\n", "OPTIONS 1.1 origin path=/x host=h keep | Host=h"),
        GOOD("CONNECT a.b:443 HTTP/1.1\r\n" HOST "\r\n", "CONNECT 1.1 authority path= host=a.b port=443 keep | Host=h"),
        GOOD("CONNECT [2001:db8::1]:80 HTTP/1.1\r\n" HOST "\r\n",
             "CONNECT 1.1 authority path= host=[2001:db8::1] port=80 keep | Host=h"),
        BAD(ETARGET, TARGET("x")),
        BAD(ETARGET, TARGET("*")),
        BAD(ETARGET, TARGET("?x")),
        BAD(ETARGET, TARGET("example.com:80")),
        GOOD(TARGET("https://x"), "GET 1.1 absolute path= host=x keep https | Host=h"),
        BAD(ETARGET, TARGET("http:/x")),
        BAD(ETARGET, TARGET("http:/xyz/")),
        BAD(ETARGET, TARGET("https:/xyz/")),
        BAD(ETARGET, TARGET("/%20%2")),
        BAD(ETARGET, TARGET("/%20%00")),
        BAD(ETARGET, TARGET("http://")),
        BAD(ETARGET, TARGET("http:///x")),
        BAD(ETARGET, TARGET("http://:80/")),
        BAD(ETARGET, TARGET("http://u@h/")),
        BAD(ETARGET, TARGET("http://u:p@h/")),
        BAD(ETARGET, TARGET("http://h:8x/")),
        BAD(ETARGET, TARGET("http://h:65536/")),
        BAD(ETARGET, TARGET("http://a%2/")),
        BAD(ETARGET, TARGET("http://[::1/")),
        BAD(ETARGET, TARGET("http://[::1]x/")),
        BAD(ETARGET, TARGET("ftp://h/")),
        BAD(ETARGET, TARGET("https:")),
        BAD(ETARGET, TARGET("https://")),
        BAD(ETARGET, TARGET("1http://h/")),
        BAD(ETARGET, TARGET("/a#b")),
        BAD(ETARGET, TARGET("/a%")),
        BAD(ETARGET, TARGET("/a%2")),
        BAD(ETARGET, TARGET("/a%2g")),
        BAD(ETARGET, TARGET("/a%g2")),
        BAD(ETARGET, TARGET("/%00")),
        BAD(ETARGET, TARGET("/a%%20")),
        BAD(ETARGET, TARGET("/a{b}")),
        BAD(ETARGET, TARGET("/\\")),
        BAD(ETARGET, TARGET("/a\xc3\xa4")),
        BAD(ETARGET, TARGET("http://h/%0")),
        BAD(ETARGET, "OPTIONS ** HTTP/1.1\r\n"),
        BAD(ETARGET, "OPTIONS *?x HTTP/1.1\r\n"),
        BAD(ETARGET, "CONNECT / HTTP/1.1\r\n"),
        BAD(ETARGET, "CONNECT h HTTP/1.1\r\n"),
        BAD(ETARGET, "CONNECT h: HTTP/1.1\r\n"),
        BAD(ETARGET, "CONNECT :80 HTTP/1.1\r\n"),
        BAD(ETARGET, "CONNECT h:80/ HTTP/1.1\r\n"),
        BAD(ETARGET, "CONNECT h:80? HTTP/1.1\r\n"),
        BAD(ETARGET, "CONNECT http://h:80 HTTP/1.1\r\n"),
        BAD(ETARGET, "CONNECT * HTTP/1.1\r\n"),
        ROWS_END,
};

static void
targets_have_four_forms(void)
{
        GREEN_COVERS("WSGI-37");
        static const struct row only_strict[] = {
                GOOD(TARGET("/a?b=%20?/"), NULL),
                BAD(ETARGET, TARGET("/a[1]")),
                BAD(ETARGET, TARGET("/a|b")),
                BAD(ETARGET, TARGET("/a?b[]=1")),
                BAD(ETARGET, TARGET("/a?{}")),
                BAD(ETARGET, TARGET("/a?100%")),
                BAD(ETARGET, TARGET("/a?%00")),
                BAD(ETARGET, TARGET("http://h/a|b")),
                BAD(ETARGET, TARGET("http://h?a[]")),
                GOOD(TARGET("http://[::1]/a"), NULL),
                ROWS_END,
        };

        check_rows(targets, &usual);
        check_rows(only_strict, &strict);
}

static void
limits_strike_at_the_byte(void)
{
        static const struct green__http1_limits small = {
                .request_line = 40, .field_line = 30, .fields = 75, .chunk_ext = 0};
        static struct run run;
        static char request[512];
        size_t n;

        for (size_t line = 39; line <= 45; line++) {
                n = put_line(request, "GET /", " HTTP/1.0\r\n", line);
                memcpy(request + n, "\r\n", 2);
                parse_all_ways(&run, request, n + 2, &small, MAX_FIELDS);
                CHECK_INT(run.result, line <= 40 ? GREEN__HTTP1_DONE : GREEN__HTTP1_ELINE);
                memmove(request + 2, request, n + 2);
                memcpy(request, "\r\n", 2);
                parse_all_ways(&run, request, n + 4, &small, MAX_FIELDS);
                CHECK_INT(run.result, line <= 40 ? GREEN__HTTP1_DONE : GREEN__HTTP1_ELINE);
        }
        for (size_t line = 28; line <= 33; line++) {
                n = put_line(request, "GET / HTTP/1.0\r\n", "", 16);
                n += put_line(request + n, "X: ", "\r\n", line);
                memcpy(request + n, "\r\n", 2);
                parse_all_ways(&run, request, n + 2, &small, MAX_FIELDS);
                CHECK_INT(run.result, line <= 30 ? GREEN__HTTP1_DONE : GREEN__HTTP1_EFIELDLINE);
                n = 16;
                n += put_line(request + n, "X", ":\r\n", line);
                memcpy(request + n, "\r\n", 2);
                parse_all_ways(&run, request, n + 2, &small, MAX_FIELDS);
                CHECK_INT(run.result, line <= 30 ? GREEN__HTTP1_DONE : GREEN__HTTP1_EFIELDLINE);
        }
        for (size_t third = 11; third <= 17; third++) {
                n = 16;
                n += put_line(request + n, "X: ", "\r\n", 30);
                n += put_line(request + n, "X: ", "\r\n", 30);
                n += put_line(request + n, "X: ", "\r\n", third);
                memcpy(request + n, "\r\n", 2);
                parse_all_ways(&run, request, n + 2, &small, MAX_FIELDS);
                CHECK_INT(run.result, third <= 13 ? GREEN__HTTP1_DONE : GREEN__HTTP1_EFIELDS);
        }
}

static void
a_line_without_end_is_refused_when_it_reaches_the_limit(void)
{
        GREEN_COVERS("WSGI-19");
        static char request[20000];
        static struct run run;
        size_t n = put_line(request, "GET /", " HTTP/1.0\r\n", 8191);

        begin_run(&run, &usual, MAX_FIELDS);
        memcpy(request + n, "\r\n", 2);
        CHECK_INT(show(&run, request, n + 2), GREEN__HTTP1_DONE);
        memset(request + 5, 'x', sizeof request - 5);
        begin_run(&run, &usual, MAX_FIELDS);
        CHECK_INT(show(&run, request, 8190), GREEN__HTTP1_MORE);
        CHECK_INT(show(&run, request, 8191), GREEN__HTTP1_ELINE);
        CHECK_INT(show(&run, request, 20000), GREEN__HTTP1_ELINE);
        begin_run(&run, &usual, MAX_FIELDS);
        CHECK_INT(show(&run, request, 20000), GREEN__HTTP1_ELINE);
        CHECK_INT(green__http1_status(run.result), 414);
}

static void
what_follows_the_head_is_not_looked_at(void)
{
        static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
        static const char *const tails[] = {"abc", "\r\n", "GET / HTTP/1.1\r\n\r\n", ":::", "\n\n\n", "\x80\xff: \r\n"};
        static struct run run;
        char request[128];

        for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
                snprintf(request, sizeof request, "%s%s", head, tails[i]);
                parse_all_ways(&run, request, strlen(request), &usual, MAX_FIELDS);
                CHECK_INT(run.result, GREEN__HTTP1_DONE);
                CHECK_INT(run.r.head_len, sizeof head - 1);
                CHECK_INT(run.r.content_length, 3);
        }
}

static void
every_error_has_a_status_and_a_reason(void)
{
        for (int result = -1; result >= -(int)GREEN__HTTP1_INDEX_END; result--) {
                int status = green__http1_status(result);
                CHECK(status == 400 || status == 413 || status == 414 || status == 431 || status == 501 ||
                      status == 505);
                CHECK(strlen(green__http1_reason(result)) > 5);
        }
        CHECK_INT(green__http1_status(GREEN__HTTP1_EUNKNOWN), 501);
        CHECK_INT(green__http1_status(GREEN__HTTP1_EMAJOR), 505);
        CHECK_INT(green__http1_status(GREEN__HTTP1_EBODY), 413);
}

GREEN_SUITE(web_http1_parse){
        GREEN_TEST(a_whole_request_is_taken_apart),
        GREEN_TEST(methods_are_known_by_name),
        GREEN_TEST(empty_lines_before_the_request_are_skipped),
        GREEN_TEST(request_lines_that_are_refused),
        GREEN_TEST(every_byte_is_allowed_or_refused_in_every_place),
        GREEN_TEST(targets_have_four_forms),
        GREEN_TEST(limits_strike_at_the_byte),
        GREEN_TEST(a_line_without_end_is_refused_when_it_reaches_the_limit),
        GREEN_TEST(what_follows_the_head_is_not_looked_at),
        GREEN_TEST(every_error_has_a_status_and_a_reason),
        GREEN_SUITE_END,
};
