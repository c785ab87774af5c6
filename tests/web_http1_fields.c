/* The request parser: field lines, and what the ones that matter mean. */
#include "http1_rows.h"
#include "suite.h"

#include <stdio.h>

static void
line_ends_are_cr_lf(void)
{
        GREEN_COVERS("WSGI-26");
        static const struct row rows[] = {
                BAD(EEOL, "GET / HTTP/1.1\nHost: h\r\n\r\n"),
                BAD(EEOL, "GET / HTTP/1.1\rHost: h\r\n\r\n"),
                BAD(EEOL, "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"),
                BAD(EEOL, FIELDS("X: y\n")),
                BAD(EEOL, FIELDS("X: y\rZ: a\r\n")),
                BAD(EEOL, FIELDS("X: y\r\r\n")),
                BAD(EEOL, FIELDS("X:\n")),
                BAD(ENAME, FIELDS("X\r\n: y\n")),
                BAD(EEOL, FIELDS("X\n")),
                BAD(EEOL, FIELDS("\n")),
                BAD(EEOL, FIELDS("\r")),
                BAD(EEOL, FIELDS("\rX: y\r\n")),
                BAD(EEOL, "GET / HTTP/1.1\r\nHost: h\r\n\n"),
                ROWS_END,
        };

        check_rows(rows, &usual);
}

static void
field_lines_that_are_refused(void)
{
        GREEN_COVERS("WSGI-34", "WSGI-35");
        static const struct row rows[] = {
                BAD(ENAME, FIELDS("X : y\r\n")),
                BAD(ENAME, FIELDS("X\t: y\r\n")),
                BAD(ENAME, FIELDS(": y\r\n")),
                BAD(ENAME, FIELDS("X y: z\r\n")),
                BAD(ENAME, FIELDS("X\r\n")),
                BAD(ENAME, FIELDS("X\xe4: y\r\n")),
                BAD(ENAME, FIELDS("X\0: y\r\n")),
                BAD(ENAME, FIELDS("\"X\": y\r\n")),
                BAD(ENAME, FIELDS("(X): y\r\n")),
                BAD(ENAME, FIELDS("A-name-of-more-than-sixteen-bytes : v\r\n")),
                BAD(EFOLD, FIELDS("X: y\r\n z\r\n")),
                BAD(EFOLD, FIELDS("X: y\r\n\tz: a\r\n")),
                BAD(EFOLD, FIELDS("X: y\r\n \r\n")),
                BAD(EFOLD, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
                BAD(EVALUE, FIELDS("X: a\0b\r\n")),
                BAD(EVALUE, FIELDS("X: a\x01\r\n")),
                BAD(EVALUE, FIELDS("X: \x7f\r\n")),
                BAD(EVALUE, FIELDS("X: a\vb\r\n")),
                BAD(EVALUE,
                    FIELDS("X: 0123456789012345678901234567890123456789012345678901234567890123456789\x1f\r\n")),
                ROWS_END,
        };

        check_rows(rows, &usual);
}

#define WITH_HOST(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"
static const struct row hosts[] = {
        GOOD(WITH_HOST("a-b_c.example.COM"), NULL),
        GOOD(WITH_HOST("127.0.0.1:80"), NULL),
        GOOD(WITH_HOST("h:"), NULL),
        GOOD(WITH_HOST("h:0"), NULL),
        GOOD(WITH_HOST("h:65535"), NULL),
        GOOD(WITH_HOST("h:00080"), NULL),
        GOOD(WITH_HOST("a%20b"), NULL),
        GOOD(WITH_HOST("!$&'()*+,;=~"), NULL),
        GOOD(WITH_HOST("[::]"), NULL),
        GOOD(WITH_HOST("[::1]:80"), NULL),
        GOOD(WITH_HOST("[1:2:3:4:5:6:7:8]"), NULL),
        GOOD(WITH_HOST("[1::8]"), NULL),
        GOOD(WITH_HOST("[::ffff:1.2.3.4]"), NULL),
        GOOD(WITH_HOST("[1:2:3:4:5:6:1.2.3.255]"), NULL),
        GOOD(WITH_HOST("[1:2:3:4:5:6:7::]"), NULL),
        GOOD(WITH_HOST("[v1.a:b]"), NULL),
        GOOD(WITH_HOST("[1:2:3:4:5::1.2.3.4]"), NULL),
        GOOD(WITH_HOST("[::255.255.255.255]"), NULL),
        GOOD(WITH_HOST("[::0.0.0.0]"), NULL),
        GOOD(WITH_HOST("a%20%7e"), NULL),
        BAD(EHOST, WITH_HOST("a%")),
        BAD(EHOST, WITH_HOST("a%2g")),
        BAD(EHOST, WITH_HOST("a%g2")),
        BAD(EHOST, WITH_HOST("%20%2")),
        BAD(EHOST, WITH_HOST("[1x::2]")),
        BAD(EHOST, WITH_HOST("[::1x2]")),
        BAD(EHOST, WITH_HOST("[::1.2.3.1234]")),
        BAD(EHOST, WITH_HOST("")),
        BAD(EHOST, WITH_HOST("a b")),
        BAD(EHOST, WITH_HOST("a/b")),
        BAD(EHOST, WITH_HOST("u@h")),
        BAD(EHOST, WITH_HOST("h:x")),
        BAD(EHOST, WITH_HOST("h:-1")),
        BAD(EHOST, WITH_HOST("h:65536")),
        BAD(EHOST, WITH_HOST("h:99999999999999999999")),
        BAD(EHOST, WITH_HOST(":80")),
        BAD(EHOST, WITH_HOST("h:80:80")),
        BAD(EHOST, WITH_HOST("http://h")),
        BAD(EHOST, WITH_HOST("a%2")),
        BAD(EHOST, WITH_HOST("a%zz")),
        BAD(EHOST, WITH_HOST("a\tb")),
        BAD(EHOST, WITH_HOST("\xe4")),
        BAD(EHOST, WITH_HOST("a?b")),
        BAD(EHOST, WITH_HOST("a#b")),
        BAD(EHOST, WITH_HOST("[]")),
        BAD(EHOST, WITH_HOST("[")),
        BAD(EHOST, WITH_HOST("[:]")),
        BAD(EHOST, WITH_HOST("[:::]")),
        BAD(EHOST, WITH_HOST("[::1")),
        BAD(EHOST, WITH_HOST("[::1]a")),
        BAD(EHOST, WITH_HOST("[1:2:3:4:5:6:7]")),
        BAD(EHOST, WITH_HOST("[1:2:3:4:5:6:7:8:9]")),
        BAD(EHOST, WITH_HOST("[1::2::3]")),
        BAD(EHOST, WITH_HOST("[1:2:3:4:5:6:7:8::]")),
        BAD(EHOST, WITH_HOST("[12345::]")),
        BAD(EHOST, WITH_HOST("[g::]")),
        BAD(EHOST, WITH_HOST("[1:]")),
        BAD(EHOST, WITH_HOST("[:1]")),
        BAD(EHOST, WITH_HOST("[::1.2.3]")),
        BAD(EHOST, WITH_HOST("[::1.2.3.256]")),
        BAD(EHOST, WITH_HOST("[::1.2.3.04]")),
        BAD(EHOST, WITH_HOST("[::1.2.3.4.5]")),
        BAD(EHOST, WITH_HOST("[::1.2.3.4:5]")),
        BAD(EHOST, WITH_HOST("[1:2:3:4:5:6:7:1.2.3.4]")),
        BAD(EHOST, WITH_HOST("[1:2:3:4:5:6::1.2.3.4]")),
        BAD(EHOST, WITH_HOST("[fe80::1%25eth0]")),
        BAD(EHOST, WITH_HOST("[v.a]")),
        BAD(EHOST, WITH_HOST("[v1.]")),
        BAD(EHOST, WITH_HOST("[v1a]")),
        BAD(EHOST, WITH_HOST("[v1.a/]")),
        BAD(EHOST, WITH_HOST("[1.2.3.4]")),
        BAD(ENOHOST, "GET / HTTP/1.1\r\n\r\n"),
        BAD(ENOHOST, "GET http://h/ HTTP/1.1\r\n\r\n"),
        BAD(ENOHOST, "GET / HTTP/1.2\r\nHosts: h\r\n\r\n"),
        BAD(EHOSTS, FIELDS(HOST)),
        BAD(EHOSTS, FIELDS("host: x\r\n")),
        BAD(EHOSTS, "GET / HTTP/1.0\r\n" HOST HOST "\r\n"),
        BAD(EHOST, "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
        BAD(EHOST, "GET http://h/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
        ROWS_END,
};

static void
hosts_are_checked(void)
{
        GREEN_COVERS("WSGI-36");
        check_rows(hosts, &usual);
}

static void
lengths_are_digits_and_agree(void)
{
        GREEN_COVERS("WSGI-27", "WSGI-28", "WSGI-30");
#define CL "Content-Length: "
        static const struct row rows[] = {
                GOOD(FIELDS(""), SHOWN " keep | Host=h"),
                GOOD(FIELDS(CL "0\r\n"), SHOWN " length=0 keep | Host=h | Content-Length=0"),
                GOOD(FIELDS("content-lengtH:\t 0012 \r\n"), SHOWN " length=12 keep | Host=h | content-lengtH=0012"),
                GOOD(FIELDS(CL "9223372036854775807\r\n"), NULL),
                GOOD(FIELDS(CL "5\r\n" CL "5\r\n"),
                     SHOWN " length=5 keep | Host=h | Content-Length=5 | Content-Length=5 again"),
                GOOD(FIELDS("Content_Length: x\r\nContent-Lengt: x\r\nContent-Lengthy: x\r\n"), NULL),
                BAD(ELENGTHS, FIELDS(CL "5\r\n" CL "6\r\n")),
                BAD(ELENGTHS, FIELDS(CL "0\r\nX: y\r\n" CL "6\r\n")),
                BAD(ELENGTH, FIELDS(CL "\r\n")),
                BAD(ELENGTH, FIELDS(CL "  \r\n")),
                BAD(ELENGTH, FIELDS(CL "+3\r\n")),
                BAD(ELENGTH, FIELDS(CL "-3\r\n")),
                BAD(ELENGTH, FIELDS(CL "1_0\r\n")),
                BAD(ELENGTH, FIELDS(CL "0x3\r\n")),
                BAD(ELENGTH, FIELDS(CL "3 3\r\n")),
                BAD(ELENGTH, FIELDS(CL "5, 5\r\n")),
                BAD(ELENGTH, FIELDS(CL "5,\r\n")),
                BAD(ELENGTH, FIELDS(CL "1e3\r\n")),
                BAD(ELENGTH, FIELDS(CL "3.0\r\n")),
                BAD(ELENGTH, FIELDS(CL "\"3\"\r\n")),
                BAD(ELENGTH, FIELDS(CL "\xb2\r\n")),
                BAD(ELENGTH, FIELDS(CL "9223372036854775808\r\n")),
                BAD(ELENGTH, FIELDS(CL "18446744073709551616\r\n")),
                BAD(ELENGTH, FIELDS(CL "18446744073709551619\r\n")),
                BAD(ELENGTH, FIELDS(CL "100000000000000000000000000000000\r\n")),
                BAD(ELENGTH, FIELDS10(CL "3;\r\n")),
                ROWS_END,
        };

        check_rows(rows, &usual);
}

static void
transfer_codings_end_in_a_single_chunked(void)
{
        GREEN_COVERS("WSGI-29", "WSGI-31", "WSGI-32");
#define TE "Transfer-Encoding: "
        static const struct row rows[] = {
                GOOD(FIELDS(TE "chunked\r\n"), SHOWN " keep chunked | Host=h | Transfer-Encoding=chunked"),
                GOOD(FIELDS("transfer-encoding:CHUNKED\r\n"),
                     SHOWN " keep chunked | Host=h | transfer-encoding=CHUNKED"),
                GOOD(FIELDS("Transfer_Encoding: chunked\r\n"), SHOWN " keep | Host=h | Transfer_Encoding=chunked _"),
                GOOD(FIELDS("Transfer-Encodings: chunked\r\nTransfer-Encodinx: chunked\r\n"), NULL),
                BAD(ECONFLICT, FIELDS(TE "chunked\r\n" CL "3\r\n")),
                BAD(ECONFLICT, FIELDS(CL "0\r\n" TE "chunked\r\n")),
                BAD(ECONFLICT, FIELDS(CL "3\r\n" TE "gzip\r\n")),
                BAD(EOLDCODING, FIELDS10(TE "chunked\r\n")),
                BAD(EOLDCODING, FIELDS10(TE "x\r\n")),
                BAD(EUNKNOWN, FIELDS(TE "gzip, chunked\r\n")),
                BAD(EUNKNOWN, FIELDS(TE "gzip\r\n" TE "chunked\r\n")),
                BAD(EUNKNOWN, FIELDS(TE "a;b=c;d=\"e,\\\"f\" , chunked\r\n")),
                BAD(EUNKNOWN, FIELDS(TE "identity,\tchunked\r\n")),
                BAD(EUNKNOWN, FIELDS(TE "xchunked , chunked\r\n")),
                BAD(ECODING, FIELDS(TE "gzip\r\n")),
                BAD(ECODING, FIELDS(TE "identity\r\n")),
                BAD(ECODING, FIELDS(TE "\r\n")),
                BAD(ECODING, FIELDS(TE "chunked, gzip\r\n")),
                BAD(ECODING, FIELDS(TE "chunked\r\n" TE "gzip\r\n")),
                BAD(ECODING, FIELDS(TE "chunked, chunked\r\n")),
                BAD(ECODING, FIELDS(TE "chunked\r\n" TE "chunked\r\n")),
                BAD(ECODING, FIELDS(TE "chunked, gzip, chunked\r\n")),
                BAD(ECODING, FIELDS(TE "chunked,\r\n")),
                BAD(ECODING, FIELDS(TE ",chunked\r\n")),
                BAD(ECODING, FIELDS(TE "gzip,,chunked\r\n")),
                BAD(ECODING, FIELDS(TE "x chunked\r\n")),
                BAD(ECODING, FIELDS(TE "chunked x\r\n")),
                BAD(ECODING, FIELDS(TE "chunked;q=1\r\n")),
                BAD(ECODING, FIELDS(TE "chunked;\r\n")),
                BAD(ECODING, FIELDS(TE "\"chunked\"\r\n")),
                BAD(ECODING, FIELDS(TE "chunke\r\n")),
                BAD(ECODING, FIELDS(TE "chunkedd\r\n")),
                BAD(ECODING, FIELDS(TE "a;b, chunked\r\n")),
                BAD(ECODING, FIELDS(TE "a;b=\"c, chunked\r\n")),
                BAD(ECODING, FIELDS(TE "a;b=, chunked\r\n")),
                BAD(ECODING, FIELDS(TE "a;b=\"c\\\r\n")),
                BAD(ECODING, FIELDS(TE "chunked\r\n" TE "\r\n")),
                BAD(ECODING, FIELDS(TE "chunked/1\r\n")),
                BAD(EVALUE, FIELDS(TE "\x0b"
                                      "chunked\r\n")),
                BAD(ECODING, FIELDS(TE "\xa0"
                                       "chunked\r\n")),
                ROWS_END,
        };

        check_rows(rows, &usual);
}

static void
connections_persist_by_version_and_tokens(void)
{
        GREEN_COVERS("WSGI-33", "WSGI-38");
#define CN "Connection: "
        static const struct {
                const char *fields;
                uint32_t flags11, flags10;
        } rows[] = {
                {"", 1, 0},
                {CN "\r\n", 1, 0},
                {CN "close\r\n", 256, 256},
                {CN "Close\r\n", 256, 256},
                {CN "keep-alive\r\n", 1 + 512, 1 + 512},
                {CN "Keep-ALIVE\r\n", 1 + 512, 1 + 512},
                {CN "close, foo\r\n", 256, 256},
                {CN "foo,\tclose\r\n", 256, 256},
                {CN ", ,foo ,,close,\r\n", 256, 256},
                {CN "foo\r\nX: y\r\nconnection: close\r\n", 256, 256},
                {CN "keep-alive\r\n" CN "close\r\n", 256 + 512, 256 + 512},
                {CN "close, keep-alive\r\n", 256 + 512, 256 + 512},
                {CN "closed\r\n", 1, 0},
                {CN "clos\r\n", 1, 0},
                {CN "Upgrade, close-not, xkeep-alive\r\n", 1 + 1024, 1024},
                {"Proxy-Connection: close\r\nConnectio: close\r\n", 1, 0},
        };
        static const char *const bad[] = {CN "close;\r\n", CN "close foo\r\n", CN "\"close\"\r\n", CN "close, (x)\r\n",
                                          CN "/\r\n"};
        static struct run run;
        char request[256];

        for (int version = 0; version < 2; version++) {
                for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                        snprintf(request, sizeof request, "GET / HTTP/1.%d\r\n" HOST "%s\r\n", version, rows[i].fields);
                        parse_all_ways(&run, request, strlen(request), &usual, MAX_FIELDS);
                        CHECK_INT(run.result, GREEN__HTTP1_DONE);
                        if (!CHECK_INT(run.r.flags, version == 1 ? rows[i].flags11 : rows[i].flags10))
                                FAIL("%s", request);
                }
                for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                        snprintf(request, sizeof request, "GET / HTTP/1.%d\r\n" HOST "%s\r\n", version, bad[i]);
                        parse_all_ways(&run, request, strlen(request), &usual, MAX_FIELDS);
                        CHECK_INT(run.result, GREEN__HTTP1_ECONNECTION);
                }
        }
}

static void
expectations_and_upgrades_are_noted(void)
{
        static const struct row rows[] = {
                GOOD(FIELDS("Expect: 100-continue\r\n"), SHOWN " keep expect | Host=h | Expect=100-continue"),
                GOOD(FIELDS("EXPECT: 100-Continue\r\n"), SHOWN " keep expect | Host=h | EXPECT=100-Continue"),
                GOOD(FIELDS("Expect: a=\"b,100-continue\", 100-continue ,\r\n"),
                     SHOWN " keep expect expect-other | Host=h | Expect=a=\"b,100-continue\", 100-continue ,"),
                GOOD(FIELDS("Expect: a=\"b,100-continue\r\n"),
                     SHOWN " keep expect-other | Host=h | Expect=a=\"b,100-continue"),
                GOOD(FIELDS("Expect:\r\n"), SHOWN " keep | Host=h | Expect="),
                GOOD(FIELDS("Expect: 100-continue;x\r\n"), SHOWN " keep expect-other | Host=h | Expect=100-continue;x"),
                GOOD(FIELDS10("Expect: 100-continue\r\n"), "POST 1.0 origin path=/ host= | Expect=100-continue"),
                GOOD(FIELDS(CN "Upgrade\r\nUpgrade: websocket\r\n"),
                     SHOWN " keep upgrade said-upgrade | Host=h | Connection=Upgrade | Upgrade=websocket"),
                GOOD(FIELDS("Upgrade: websocket\r\n" CN "keep-alive, upgrade\r\n"),
                     SHOWN " keep upgrade said-keep said-upgrade | Host=h | Upgrade=websocket | Connection=keep-alive, "
                           "upgrade"),
                GOOD(FIELDS("Upgrade: websocket\r\n"), SHOWN " keep | Host=h | Upgrade=websocket"),
                GOOD(FIELDS(CN "Upgrade\r\n"), SHOWN " keep said-upgrade | Host=h | Connection=Upgrade"),
                GOOD(FIELDS10(CN "Upgrade\r\nUpgrade: websocket\r\n"),
                     "POST 1.0 origin path=/ host= said-upgrade | Connection=Upgrade | Upgrade=websocket"),
                ROWS_END,
        };
        static struct run run;
        const char *request = FIELDS("X: y\r\nUpgrade: a\r\nUpgrade: b\r\n" CN "upgrade\r\n");

        check_rows(rows, &usual);
        parse_all_ways(&run, request, strlen(request), &usual, MAX_FIELDS);
        CHECK_INT(run.r.upgrade, 2);
}

static void
too_many_fields_are_refused(void)
{
        GREEN_COVERS("WSGI-22", "WSGI-23");
        static struct run run;
        static char request[4096];

        for (int count = 98; count <= 101; count++) {
                size_t n = put_line(request, "GET / HTTP/1.0\r\n", "", 16);
                for (int i = 0; i < count; i++)
                        n += (size_t)snprintf(request + n, sizeof request - n, "X%d: %d\r\n", i, i);
                memcpy(request + n, "\r\n", 2);
                parse_all_ways(&run, request, n + 2, &usual, 99);
                CHECK_INT(run.result, count <= 99 ? GREEN__HTTP1_DONE : GREEN__HTTP1_ECOUNT);
                CHECK_INT(run.r.lines.count, count <= 99 ? count : 99);
        }
        parse_all_ways(&run, "GET / HTTP/1.0\r\n\r\n", 18, &usual, 0);
        CHECK_INT(run.result, GREEN__HTTP1_DONE);
        parse_all_ways(&run, "GET / HTTP/1.0\r\nX: y\r\n\r\n", 24, &usual, 0);
        CHECK_INT(run.result, GREEN__HTTP1_ECOUNT);
        CHECK_INT(green__http1_status(GREEN__HTTP1_ECOUNT), 431);
        CHECK_INT(green__http1_status(GREEN__HTTP1_EFIELDS), 431);
        CHECK_INT(green__http1_status(GREEN__HTTP1_EFIELDLINE), 431);
}

/* A line begins at every place of the 64 bytes that are looked at together, and is of every length. */
static void
lines_are_found_wherever_they_begin(void)
{
        static struct run run;
        static char request[512];

        for (size_t first = 0; first < 70; first++) {
                for (size_t second = 0; second < 70; second += 3) {
                        size_t n = put_line(request, "GET / HTTP/1.0\r\n", "", 16);
                        n += put_line(request + n, "Aa: ", "\r\n", first + 6);
                        n += put_line(request + n, "b", ":\r\n", second + 4);
                        n += put_line(request + n, "c: ", ":\r\n", second + 6);
                        memcpy(request + n, "\r\n:", 3);
                        begin_run(&run, &usual, MAX_FIELDS);
                        show(&run, request, n + 3);
                        CHECK_INT(run.result, GREEN__HTTP1_DONE);
                        CHECK_INT(run.r.lines.count, 3);
                        CHECK_INT(run.fields[0].value_len, first);
                        CHECK_INT(run.fields[1].name_len, second + 1);
                        CHECK_INT(run.fields[1].value_len, 0);
                        CHECK_INT(run.fields[2].value_len, second + 1);
                }
        }
}

static void
fields_are_found_by_name(void)
{
        static struct run run;
        const char *request = FIELDS("Cookie: a\r\nX: y\r\nCOOKIE: b\r\n");

        begin_run(&run, &usual, MAX_FIELDS);
        CHECK_INT(green__http1_parse(&run.r, request, strlen(request)), GREEN__HTTP1_DONE);
        CHECK_INT(green__http1_find(&run.r.lines, request, "cookie", 0), 1);
        CHECK_INT(green__http1_find(&run.r.lines, request, "cookie", 2), 3);
        CHECK_INT(green__http1_find(&run.r.lines, request, "cookie", 4), -1);
        CHECK_INT(green__http1_find(&run.r.lines, request, "cooki", 0), -1);
        CHECK_INT(green__http1_find(&run.r.lines, request, "host", 0), 0);
        /* What an earlier request left in the array is not there any more. */
        green__http1_init(&run.r, &usual, run.fields, MAX_FIELDS);
        request = FIELDS("");
        CHECK_INT(green__http1_parse(&run.r, request, strlen(request)), GREEN__HTTP1_DONE);
        CHECK_INT(green__http1_find(&run.r.lines, request, "cookie", 0), -1);
}

static void
limits_may_be_as_large_as_they_get(void)
{
        static const struct green__http1_limits none = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, false};
        static char request[70000];
        static struct run run;
        size_t n = put_line(request, "GET / HTTP/1.0\r\n", "", 16);

        memcpy(request + n, "\r\n", 2);
        parse_all_ways(&run, request, n + 2, &none, MAX_FIELDS);
        CHECK_INT(run.result, GREEN__HTTP1_DONE);
        n += put_line(request + n, "X", ": y\r\n", UINT16_MAX + 5);
        memcpy(request + n, "\r\n", 2);
        begin_run(&run, &none, MAX_FIELDS);
        CHECK_INT(show(&run, request, n + 2), GREEN__HTTP1_DONE);
        CHECK_INT(run.fields[0].name_len, UINT16_MAX);
        put_line(request + 16, "X", ": y\r\n", UINT16_MAX + 6);
        begin_run(&run, &none, MAX_FIELDS);
        CHECK_INT(show(&run, request, n + 3), GREEN__HTTP1_EFIELDLINE);
}

GREEN_SUITE(web_http1_fields){
        GREEN_TEST(line_ends_are_cr_lf),
        GREEN_TEST(field_lines_that_are_refused),
        GREEN_TEST(hosts_are_checked),
        GREEN_TEST(lengths_are_digits_and_agree),
        GREEN_TEST(transfer_codings_end_in_a_single_chunked),
        GREEN_TEST(connections_persist_by_version_and_tokens),
        GREEN_TEST(expectations_and_upgrades_are_noted),
        GREEN_TEST(too_many_fields_are_refused),
        GREEN_TEST(lines_are_found_wherever_they_begin),
        GREEN_TEST(fields_are_found_by_name),
        GREEN_TEST(limits_may_be_as_large_as_they_get),
        GREEN_SUITE_END,
};
