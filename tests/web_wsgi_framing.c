/*
 * The HTTP server, over real connections: where a request ends, and what is refused.
 *
 * Behind every case comes a request for /smuggled, all in one send and then a byte at a time. What is refused is
 * answered once, the connection ends, and nobody has asked for /smuggled; after what is accepted somebody has.
 * doc/http-policy.md is the policy; that the parser refuses what it should is checked at length in web_http1_*.c.
 */
#include "net_suite.h"

#include <sys/socket.h>
#include <time.h>

#include <green/web.h>

/* ---- a server, and what its application was asked for */

static struct {
        green_socket *listener;
        char address[GREEN_ADDR_TEXT_SIZE];
        green_thread *thread;
        struct green_wsgi_stats stats;
        char seen[2048]; /* "POST / 5|GET /smuggled 0|" */
} server;

/* Answers every request, and notes it with the bytes of its body; -1: the body has failed. */
static int
note(green_wsgi_request *req, void *arg)
{
        size_t at = strlen(server.seen);
        ssize_t len = 0, n;
        char buf[512];

        (void)arg;
        while ((n = green_wsgi_read(req, buf, sizeof buf)) > 0)
                len += n;
        snprintf(server.seen + at, sizeof server.seen - at, "%s %s %d|", green_wsgi_method(req), green_wsgi_raw_path(req),
                 n < 0 ? -1 : (int)len);
        return n < 0 ? (int)n : green_wsgi_respond(req, 200, NULL, "ok", 2);
}

/* Answers without a look at the body. */
static int
ignore(green_wsgi_request *req, void *arg)
{
        size_t at = strlen(server.seen);

        (void)arg;
        snprintf(server.seen + at, sizeof server.seen - at, "%s %s|", green_wsgi_method(req), green_wsgi_raw_path(req));
        return green_wsgi_respond(req, 200, NULL, "ok", 2);
}

struct start {
        green_wsgi_app app;
        struct green_wsgi_server_opts *opts;
};

static void *
server_main(void *arg)
{
        struct start start = *(struct start *)arg;

        (void)green_wsgi_server(server.listener, start.app, NULL, start.opts);
        return NULL;
}

static void
serve(green_wsgi_app app, struct green_wsgi_server_opts *opts)
{
        struct start start = {app, opts};

        opts->size = sizeof *opts;
        opts->stats = &server.stats;
        server.stats = (struct green_wsgi_stats){0};
        server.listener = listen_here(server.address);
        server.thread = green_spawn(server_main, &start);
        green_sleep(0);
}

static void
stop(void)
{
        green_kill(server.thread, 0);
        CHECK_INT(green_thread_wait(server.thread, NULL), GREEN_EKILLED);
        green_thread_unref(server.thread);
        CHECK_INT(green_socket_free(server.listener), 0);
        CHECK_INT(server.stats.connections, 0);
}

/* ---- a client that speaks bytes */

enum { ANSWER = 65536 };

/*
 * Sends it all, in one go or byte by byte, and gets all that comes until the connection ends. What is sent after the
 * server has ended may fail; that the end comes in order, and not as a reset, is checked.
 */
static const char *
exchange(const char *data, size_t len, bool single, bool half_close)
{
        static char answer[ANSWER];
        green_socket *c = green_connect(server.address, NULL);
        size_t got = 0;
        ssize_t n;

        if (!CHECK(c != NULL))
                return "";
        server.seen[0] = '\0';
        green_socket_set_timeout(c, 3 * suite_slow());
        (void)green_socket_setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        for (size_t i = 0; single && i < len; i++) {
                if (green_socket_sendall(c, data + i, 1, 0, NULL) != 0)
                        break;
                if (i % 8 == 0)
                        green_sleep(0);
        }
        if (!single)
                CHECK_INT(green_socket_sendall(c, data, len, 0, NULL), 0);
        if (half_close)
                (void)green_socket_shutdown(c, SHUT_WR);
        while ((n = green_socket_recv(c, answer + got, sizeof answer - 1 - got, 0)) > 0)
                got += (size_t)n;
        if (n != 0)
                FAIL("the connection ends with %s: %.80s", green_errname((int)n), data);
        answer[got] = '\0';
        CHECK_INT(green_socket_free(c), 0);
        return answer;
}

static int
times(const char *text, const char *part)
{
        int n = 0;

        for (; (text = strstr(text, part)) != NULL; text += strlen(part))
                n++;
        return n;
}

/* ---- cases */

struct row {
        const char *data;
        size_t len;
        int status;       /* of the last answer */
        const char *seen; /* by the application; NULL: nothing */
};

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
/* Refused before the application is called, or by it, with what it has seen. */
#define BAD(status, data)                                                                                              \
        {                                                                                                              \
                data SMUGGLED, sizeof(data SMUGGLED) - 1, status, ""                                                   \
        }
#define BAD_BODY(status, data)                                                                                         \
        {                                                                                                              \
                data SMUGGLED, sizeof(data SMUGGLED) - 1, status, "POST / -1|"                                         \
        }
/* Accepted, and so is what follows. */
#define GOOD(data, seen)                                                                                               \
        {                                                                                                              \
                data SMUGGLED, sizeof(data SMUGGLED) - 1, 200, seen "GET /smuggled 0|"                                 \
        }
/* Accepted, and the connection ends. */
#define LAST(data, seen)                                                                                               \
        {                                                                                                              \
                data SMUGGLED, sizeof(data SMUGGLED) - 1, 200, seen                                                    \
        }
#define ROWS_END                                                                                                       \
        {                                                                                                              \
                NULL, 0, 0, NULL                                                                                       \
        }

#define GET(fields) "GET / HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define POST(fields) "POST / HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define LINE(line) line "\r\nHost: h\r\n\r\n"
#define CL "Content-Length: "
#define TE "Transfer-Encoding: "
#define CHUNKED(body) POST(TE "chunked\r\n") body

/* The last answer is the only one to say that the connection ends, and it has the status. */
static bool
ends_with(const char *answer, int status, bool says_close)
{
        const char *last = answer, *next;
        char line[32];

        snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
        while ((next = strstr(last + 1, "HTTP/1.1 ")) != NULL)
                last = next;
        return strncmp(last, line, strlen(line)) == 0 && times(answer, "\r\nConnection: close\r\n") == says_close &&
               (strstr(last, "\r\nConnection: close\r\n") != NULL) == says_close;
}

static void
check_rows(const struct row *rows)
{
        for (const struct row *row = rows; row->data != NULL; row++) {
                const bool refused = row->status >= 400, follows = strstr(row->seen, "/smuggled") != NULL;

                for (int single = 0; single < 2; single++) {
                        const uint64_t before = server.stats.refused;
                        const char *answer = exchange(row->data, row->len, single, follows);

                        if (!ends_with(answer, row->status, !follows)) {
                                FAIL("answered by %s to %s", answer, row->data);
                                return;
                        }
                        if (refused && times(answer, "HTTP/1.1 ") != 1)
                                FAIL("more than one answer: %s to %s", answer, row->data);
                        if (strcmp(server.seen, row->seen) != 0)
                                FAIL("the application saw \"%s\", not \"%s\": %s", server.seen, row->seen, row->data);
                        CHECK_INT(server.stats.refused - before, refused && row->seen[0] == '\0');
                }
        }
}

static void
request_lines_that_are_refused(void)
{
        static const struct row rows[] = {
                BAD(400, "\r\n\r\n\r\n"),
                BAD(400, LINE("GET /")),
                BAD(400, LINE("GET / ")),
                BAD(400, LINE("GET / HTTP/1.1 ")),
                BAD(400, LINE("GET / HTTP/1.10")),
                BAD(400, LINE("GET / http/1.1")),
                BAD(400, LINE("GET  / HTTP/1.1")),
                BAD(400, LINE("GET\t/\tHTTP/1.1")),
                BAD(400, LINE("GET /a b HTTP/1.1")),
                BAD(400, LINE("GET /a\tb HTTP/1.1")),
                BAD(400, LINE("G(T / HTTP/1.1")),
                BAD(400, LINE(" GET / HTTP/1.1")),
                BAD(400, "\x16\x03\x01\x02\x00\x01"),
                BAD(505, LINE("GET / HTTP/0.9")),
                BAD(505, LINE("GET / HTTP/2.0")),
                BAD(400, LINE("GET x HTTP/1.1")),
                BAD(400, LINE("GET * HTTP/1.1")),
                BAD(400, LINE("GET ftp://h/ HTTP/1.1")),
                BAD(400, LINE("GET http://u:p@h/ HTTP/1.1")),
                BAD(400, LINE("GET /%00 HTTP/1.1")),
                BAD(400, LINE("GET /%2 HTTP/1.1")),
                BAD(400, LINE("GET /a#b HTTP/1.1")),
                BAD(400, LINE("GET /\xc3\xa4 HTTP/1.1")),
                BAD(400, LINE("CONNECT h HTTP/1.1")),
                ROWS_END,
        };
        static const struct row good[] = {
                GOOD("\r\n" GET(""), "GET / 0|"),
                GOOD("\r\n\r\n" GET(""), "GET / 0|"),
                GOOD(LINE("GET / HTTP/1.2"), "GET / 0|"),
                GOOD(LINE("GET http://example.com:81/x HTTP/1.1"), "GET /x 0|"),
                GOOD(LINE("OPTIONS * HTTP/1.1"), "OPTIONS * 0|"),
                GOOD(LINE("M-SEARCH /a[]|^ HTTP/1.1"), "M-SEARCH /a[]|^ 0|"),
                ROWS_END,
        };
        struct green_wsgi_server_opts opts = {0};

        GREEN_COVERS("WSGI-21", "WSGI-24", "WSGI-25", "WSGI-37");
        serve(note, &opts);
        check_rows(rows);
        check_rows(good);
        stop();
}

static void
fields_that_are_refused(void)
{
        static const struct row rows[] = {
                BAD(400, "GET / HTTP/1.1\nHost: h\n\n"),
                BAD(400, "GET / HTTP/1.1\rHost: h\r\r"),
                BAD(400, GET("X: y\n")),
                BAD(400, GET("X: y\r" CL "5\r\n")),
                BAD(400, "GET / HTTP/1.1\r\nHost: h\r\n\n"),
                BAD(400, GET("X : y\r\n")),
                BAD(400, GET(CL "\t: 5\r\n")),
                BAD(400, GET(": y\r\n")),
                BAD(400, GET("X\r\n")),
                BAD(400, GET("X: y\r\n z\r\n")),
                BAD(400, GET(TE "\r\n chunked\r\n")),
                BAD(400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
                BAD(400, GET("X: a\0b\r\n")),
                BAD(400, GET("X\0: b\r\n")),
                BAD(400, GET("X: \x7f\r\n")),
                BAD(400, GET("X\xe4: y\r\n")),
                BAD(400, "GET / HTTP/1.1\r\n\r\n"),
                BAD(400, "GET http://h/ HTTP/1.1\r\n\r\n"),
                BAD(400, GET("Host: h\r\n")),
                BAD(400, GET("Host: x\r\n")),
                BAD(400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
                BAD(400, "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n"),
                BAD(400, "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n"),
                BAD(400, "GET / HTTP/1.1\r\nHost: h:99999\r\n\r\n"),
                BAD(400, GET("Connection: close;\r\n")),
                ROWS_END,
        };
        static const struct row good[] = {
                GOOD(GET("X:\r\nY: \xff\t \r\nX_Y: z\r\n"), "GET / 0|"),
                GOOD(GET("Connection: foo,, keep-alive\r\n"), "GET / 0|"),
                LAST(GET("Connection: close, foo\r\n"), "GET / 0|"),
                LAST(GET("Connection: foo\r\nConnection: keep-alive, Close\r\n"), "GET / 0|"),
                LAST("GET / HTTP/1.0\r\n\r\n", "GET / 0|"),
                GOOD("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / 0|"),
                ROWS_END,
        };
        struct green_wsgi_server_opts opts = {0};

        GREEN_COVERS("WSGI-26", "WSGI-33", "WSGI-34", "WSGI-35", "WSGI-36");
        serve(note, &opts);
        check_rows(rows);
        check_rows(good);
        stop();
}

static void
lengths_that_are_refused(void)
{
        static const struct row rows[] = {
                BAD(400, POST(CL "+5\r\n") "01234"),
                BAD(400, POST(CL "-5\r\n")),
                BAD(400, POST(CL "1_0\r\n")),
                BAD(400, POST(CL "0x5\r\n") "01234"),
                BAD(400, POST(CL "5, 5\r\n") "01234"),
                BAD(400, POST(CL "\r\n")),
                BAD(400, POST(CL " \t\r\n")),
                BAD(400, POST(CL "5 5\r\n") "01234"),
                BAD(400, POST(CL "18446744073709551621\r\n") "01234"),
                BAD(400, POST(CL "9223372036854775808\r\n")),
                BAD(400, POST(CL "5\r\n" CL "6\r\n") "01234"),
                BAD(400, POST(CL "0\r\n" CL "5\r\n") "01234"),
                ROWS_END,
        };
        static const struct row good[] = {
                GOOD(POST(""), "POST / 0|"),
                GOOD(POST(CL "0\r\n"), "POST / 0|"),
                GOOD(POST(CL "5\r\n") "01234", "POST / 5|"),
                GOOD(POST(CL "05\r\n" CL "5\r\n") "01234", "POST / 5|"),
                GOOD(GET(CL "5\r\n") "01234", "GET / 5|"),
                GOOD(POST(CL "41\r\n") SMUGGLED "\r\n\r\n\r\n", "POST / 41|"),
                GOOD(POST("Content_Length: 7\r\n" CL "5\r\n") "01234", "POST / 5|"),
                ROWS_END,
        };
        struct green_wsgi_server_opts opts = {0};

        GREEN_COVERS("WSGI-27", "WSGI-28", "WSGI-30");
        serve(note, &opts);
        check_rows(rows);
        check_rows(good);
        stop();
}

static void
codings_that_are_refused(void)
{
        static const struct row rows[] = {
                BAD(400, POST(CL "5\r\n" TE "chunked\r\n") "0\r\n\r\n"),
                BAD(400, POST(TE "chunked\r\n" CL "5\r\n") "0\r\n\r\n"),
                BAD(400, POST(CL "0\r\n" TE "x\r\n")),
                BAD(400, POST(TE "chunked\r\n" CL "5\r\n" CL "5\r\n") "0\r\n\r\n"),
                BAD(501, POST(TE "gzip, chunked\r\n") "0\r\n\r\n"),
                BAD(501, POST(TE "gzip\r\n" TE "chunked\r\n") "0\r\n\r\n"),
                BAD(501, POST(TE "identity, chunked\r\n") "0\r\n\r\n"),
                BAD(400, POST(TE "gzip\r\n")),
                BAD(400, POST(TE "identity\r\n")),
                BAD(400, POST(TE "xchunked\r\n")),
                BAD(400, POST(TE "\r\n")),
                BAD(400, POST(TE "chunked, gzip\r\n") "0\r\n\r\n"),
                BAD(400, POST(TE "chunked, chunked\r\n") "0\r\n\r\n"),
                BAD(400, POST(TE "chunked\r\n" TE "identity\r\n") "0\r\n\r\n"),
                BAD(400, POST(TE "chunked,\r\n") "0\r\n\r\n"),
                BAD(400, POST(TE "chunked;a=b\r\n") "0\r\n\r\n"),
                BAD(400, POST(TE "\"chunked\"\r\n") "0\r\n\r\n"),
                BAD(400, POST(TE "\x0b"
                                 "chunked\r\n") "0\r\n\r\n"),
                BAD(400, "POST / HTTP/1.0\r\nConnection: keep-alive\r\n" TE "chunked\r\n\r\n0\r\n\r\n"),
                ROWS_END,
        };
        static const struct row good[] = {
                GOOD(POST(TE "chunked\r\n") "0\r\n\r\n", "POST / 0|"),
                GOOD(POST(TE "\tCHUNKED \r\n") "3\r\nabc\r\n0\r\n\r\n", "POST / 3|"),
                GOOD(POST("Transfer_Encoding: chunked\r\n" CL "5\r\n") "01234", "POST / 5|"),
                ROWS_END,
        };
        struct green_wsgi_server_opts opts = {0};

        GREEN_COVERS("WSGI-29", "WSGI-31", "WSGI-32");
        serve(note, &opts);
        check_rows(rows);
        check_rows(good);
        stop();
}

static const struct row bad_chunks[] = {
        BAD_BODY(400, CHUNKED("0x3\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("+3\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("-3\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("3 \r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("\r\n")),
        BAD_BODY(400, CHUNKED("3\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("8000000000000000\r\nabc\r\n")),
        BAD_BODY(400, CHUNKED("10000000000000003\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("00000000000000003\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("3\r\nabcd\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("3\r\nabc\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("3\r\nabcXX0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("2;\nxx\r\n45\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("3;a\nb\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("3;a\rb\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("3;\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("3 ; a\r\nabc\r\n0\r\n\r\n")),
        BAD_BODY(400, CHUNKED("0\r\n\n")),
        BAD_BODY(400, CHUNKED("0\r\nX : y\r\n\r\n")),
        BAD_BODY(400, CHUNKED("0\r\nX: y\r\n z\r\n\r\n")),
        BAD_BODY(400, CHUNKED("0\r\nX: y\n\r\n")),
        BAD_BODY(400, CHUNKED("0\r\n")), /* the next request is no trailer */
        ROWS_END,
};

static void
chunks_that_are_refused(void)
{
        static const struct row good[] = {
                GOOD(CHUNKED("3\r\nabc\r\n0\r\n\r\n"), "POST / 3|"),
                GOOD(CHUNKED("1\r\na\r\n00A;x=y;z=\"\\\"\"\r\n0123456789\r\n000\r\n\r\n"), "POST / 11|"),
                GOOD(CHUNKED("29\r\n" SMUGGLED "\r\n\r\n\r\n\r\n0\r\n\r\n"), "POST / 41|"),
                GOOD(CHUNKED("0\r\nX: y\r\n" CL "9\r\n" TE "chunked\r\nHost: a b\r\nConnection: close\r\n\r\n"),
                     "POST / 0|"),
                ROWS_END,
        };
        struct green_wsgi_server_opts opts = {0};

        GREEN_COVERS("WSGI-49", "WSGI-50", "WSGI-51");
        serve(note, &opts);
        check_rows(bad_chunks);
        check_rows(good);
        stop();
}

/* The application has answered already; the body is checked all the same where it is read away. */
static void
a_body_nobody_reads_is_checked_too(void)
{
        struct green_wsgi_server_opts opts = {0};

        serve(ignore, &opts);
        for (const struct row *row = bad_chunks; row->data != NULL; row++) {
                for (int single = 0; single < 2; single++) {
                        const char *answer = exchange(row->data, row->len, single, false);

                        if (times(answer, "HTTP/1.1 200 OK\r\n") != 1 || times(answer, "HTTP/1.1 ") != 1)
                                FAIL("answered by %s to %s", answer, row->data);
                        if (strcmp(server.seen, "POST /|") != 0)
                                FAIL("the application saw %s: %s", server.seen, row->data);
                }
        }
        const char good[] = CHUNKED("29\r\n" SMUGGLED "\r\n\r\n\r\n\r\n0\r\nX: y\r\n\r\n") SMUGGLED;
        CHECK_INT(times(exchange(good, sizeof good - 1, false, true), "HTTP/1.1 200 OK\r\n"), 2);
        CHECK_STR(server.seen, "POST /|GET /smuggled|");
        stop();
}

static void
a_body_that_ends_early_is_no_body(void)
{
        static const char *const cut[] = {POST(CL "9\r\n") "abc", CHUNKED("9\r\nabc"), CHUNKED("3\r\nabc\r\n"),
                                          CHUNKED("3\r\nabc\r\n0\r\nX: y\r\n")};
        struct green_wsgi_server_opts opts = {0};

        GREEN_COVERS("WSGI-51");
        serve(note, &opts);
        for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
                const char *answer = exchange(cut[i], strlen(cut[i]), false, true);

                CHECK_INT(times(answer, " 200 "), 0);
                CHECK_STR(server.seen, "POST / -1|");
        }
        stop();
}

static void
nothing_behind_an_answer_that_closes_is_a_request(void)
{
        static const char first[] = GET("") GET(CL "x\r\n") SMUGGLED;
        static const char connect[] = "CONNECT a.b:443 HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED;
        static const char odd[] = POST("Expect: y 100-continue\r\n" CL "3\r\n") "abc" SMUGGLED;
        struct green_wsgi_server_opts opts = {0};
        const char *answer;

        serve(note, &opts);
        answer = exchange(first, sizeof first - 1, false, false);
        CHECK_INT(times(answer, "HTTP/1.1 200 OK\r\n"), 1);
        CHECK_INT(times(answer, "HTTP/1.1 400 "), 1);
        CHECK_STR(server.seen, "GET / 0|");
        (void)exchange(connect, sizeof connect - 1, false, false);
        CHECK_STR(server.seen, "CONNECT  0|");
        answer = exchange(odd, sizeof odd - 1, false, true);
        CHECK_INT(times(answer, "HTTP/1.1 200 OK\r\n"), 2);
        CHECK_INT(times(answer, "HTTP/1.1 100"), 0);
        stop();
}

/* ---- how much */

static char request[600000];
static size_t request_len;

/* Adds n bytes: before, as many x as it takes, after. */
static void
put(const char *before, const char *after, size_t n)
{
        size_t fill = n - strlen(before) - strlen(after);

        memcpy(request + request_len, before, strlen(before));
        memset(request + request_len + strlen(before), 'x', fill);
        memcpy(request + request_len + strlen(before) + fill, after, strlen(after));
        request_len += n;
}

/* A request line of so many bytes. */
static void
begin_request(size_t line)
{
        request_len = 0;
        put("GET /", " HTTP/1.0\r\n", line);
}

static int
status_of_request(bool single)
{
        int status = 0;

        put("\r\n", "", 2);
        (void)sscanf(exchange(request, request_len, single, false), "HTTP/1.1 %d ", &status);
        CHECK((server.seen[0] != '\0') == (status == 200));
        return status;
}

static void
lines_and_headers_have_limits(void)
{
        static const struct {
                size_t line, fields, bytes, last;
                int status;
        } rows[] = {
                {8191, 0, 0, 0, 200},      {8192, 0, 0, 0, 414},      {60000, 0, 0, 0, 414},    {17, 1, 8191, 0, 200},
                {17, 1, 8192, 0, 431},     {17, 1, 60000, 0, 431},    {17, 8, 8191, 6, 200},    {17, 8, 8191, 7, 431},
                {17, 99, 661, 0, 200},     {17, 99, 5, 0, 200},       {17, 100, 5, 0, 431},     {17, 1000, 5, 0, 431},
                {8191, 98, 661, 756, 200}, {8191, 98, 661, 757, 431},
        };
        struct green_wsgi_server_opts opts = {0};

        GREEN_COVERS("WSGI-19", "WSGI-22", "WSGI-23");
        serve(note, &opts);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                int status;

                begin_request(rows[i].line);
                for (size_t k = 0; k < rows[i].fields; k++)
                        put("X: ", "\r\n", rows[i].bytes);
                if (rows[i].last != 0)
                        put("Y: ", "\r\n", rows[i].last);
                status = status_of_request(false);
                if (status != rows[i].status)
                        FAIL("row %d is answered by %d", (int)i, status);
        }
        stop();
}

static void
limits_can_be_set(void)
{
        struct green_wsgi_server_opts opts = {
                .url_length_limit = 100, .max_field_size = 50, .max_header_size = 120, .max_fields = 3, .max_body = 10};
        static const struct row rows[] = {
                BAD_BODY(413, CHUNKED("b\r\n01234567890\r\n0\r\n\r\n")),
                BAD_BODY(413, CHUNKED("5\r\n01234\r\n6\r\n012345\r\n0\r\n\r\n")),
                BAD(413, POST(CL "11\r\n") "01234567890"),
                GOOD(POST(CL "10\r\n") "0123456789", "POST / 10|"),
                GOOD(CHUNKED("a\r\n0123456789\r\n0\r\n\r\n"), "POST / 10|"),
                ROWS_END,
        };

        serve(note, &opts);
        begin_request(99);
        CHECK_INT(status_of_request(true), 200);
        begin_request(100);
        CHECK_INT(status_of_request(true), 414);
        for (size_t bytes = 49; bytes <= 50; bytes++) {
                begin_request(17);
                put("X: ", "\r\n", bytes);
                CHECK_INT(status_of_request(true), bytes == 49 ? 200 : 431);
        }
        for (size_t third = 38; third <= 39; third++) {
                begin_request(17);
                put("X: ", "\r\n", 40);
                put("X: ", "\r\n", 40);
                put("X: ", "\r\n", third);
                CHECK_INT(status_of_request(true), third == 38 ? 200 : 431);
        }
        begin_request(17);
        for (int i = 0; i < 4; i++)
                put("X: ", "\r\n", 5);
        CHECK_INT(status_of_request(true), 431);
        check_rows(rows);
        stop();
}

/* More chunks than the read buffer holds, of all sizes, and as many trailers as there is always room for. */
static void
a_long_body_of_many_chunks_is_whole(void)
{
        struct green_wsgi_server_opts opts = {0};
        char line[64];
        size_t sent = 0;

        serve(note, &opts);
        request_len = 0;
        put(POST(TE "chunked\r\n"), "", sizeof(POST(TE "chunked\r\n")) - 1);
        for (size_t i = 0; request_len < 400000; i++) {
                size_t n = i % 100 == 0 ? 9000 : 1 + i % 37;

                snprintf(line, sizeof line, "%s%zx%s\r\n", i % 3 == 0 ? "00" : "", n, i % 100 == 1 ? ";a=\"b;\"" : "");
                put(line, "\r\n", strlen(line) + n + 2);
                sent += n;
        }
        put("0\r\n", "", 3);
        for (int i = 0; i < 40; i++)
                put("X: ", "\r\n", 100);
        put("\r\n" SMUGGLED, "", 2 + sizeof(SMUGGLED) - 1);
        CHECK_INT(times(exchange(request, request_len, false, true), "HTTP/1.1 200 OK\r\n"), 2);
        snprintf(line, sizeof line, "POST / %zu|GET /smuggled 0|", sent);
        CHECK_STR(server.seen, line);
        stop();
}

/* However large the buffer has grown for the requests before it. */
static void
trailers_have_a_limit(void)
{
        struct green_wsgi_server_opts opts = {0};

        GREEN_COVERS("WSGI-49");
        serve(note, &opts);
        for (int fields = 0; fields < 60000; fields += 30000) {
                request_len = 0;
                put("POST / HTTP/1.1\r\nHost: a\r\n", "", sizeof("POST / HTTP/1.1\r\nHost: a\r\n") - 1);
                for (int i = 0; i < fields; i += 5000)
                        put("X: ", "\r\n", 5000);
                put("Transfer-Encoding: chunked\r\n\r\n0\r\n", "", sizeof("Transfer-Encoding: chunked\r\n\r\n0\r\n") - 1);
                for (int i = 0; i < 45; i++)
                        put("X: ", "\r\n", 100);
                put("\r\n", "", 2);
                CHECK(strncmp(exchange(request, request_len, true, false), "HTTP/1.1 400 ", 13) == 0);
        }
        stop();
}

/* Asks for all that there is; the body is the values of the fields X-00, joined. */
static int
ask_all(green_wsgi_request *req, void *arg)
{
        struct green_wsgi_pair pair;
        const char *joined = green_wsgi_environ(req, "HTTP_X_00");
        size_t n = 0;

        (void)arg;
        while (green_wsgi_environ_at(req, n, &pair))
                n++;
        CHECK(n > 0 && green_wsgi_header(req, "x-none") == NULL);
        return green_wsgi_respond(req, 200, NULL, joined, strlen(joined));
}

static double
cpu_seconds(void)
{
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The least time of several, of a request with 99 fields, times 20 and one behind the other. */
static double
cost_of_fields(bool equal)
{
        double least = 1e9;

        request_len = 0;
        for (int i = 0; i < 20; i++) {
                put("GET / HTTP/1.1\r\nHost: h\r\n", "", 25);
                for (int k = 0; k < 98; k++) {
                        char line[16];

                        snprintf(line, sizeof line, "X-%02d: y\r\n", equal ? 0 : k);
                        put(line, "", strlen(line));
                }
                put("\r\n", "", 2);
        }
        for (int i = 0; i < 20; i++) {
                double began = cpu_seconds();
                const char *answer = exchange(request, request_len, false, true);

                began = cpu_seconds() - began;
                if (began < least)
                        least = began;
                CHECK_INT(times(answer, "HTTP/1.1 200 OK\r\n"), 20);
                CHECK_INT(times(answer, "y,y"), equal ? 20 * 49 : 0);
        }
        return least;
}

static void
many_fields_of_one_name_cost_no_more_than_others(void)
{
        struct green_wsgi_server_opts opts = {0};
        double equal, different;

        serve(ask_all, &opts);
        different = cost_of_fields(false);
        equal = cost_of_fields(true);
        if (equal > 5 * different)
                FAIL("%.6f s with equal names, %.6f s with different ones", equal, different);
        stop();
}

GREEN_SUITE(web_wsgi_framing){
        GREEN_TEST(request_lines_that_are_refused),
        GREEN_TEST(fields_that_are_refused),
        GREEN_TEST(lengths_that_are_refused),
        GREEN_TEST(codings_that_are_refused),
        GREEN_TEST(chunks_that_are_refused),
        GREEN_TEST(a_body_nobody_reads_is_checked_too),
        GREEN_TEST(a_body_that_ends_early_is_no_body),
        GREEN_TEST(nothing_behind_an_answer_that_closes_is_a_request),
        GREEN_TEST(lines_and_headers_have_limits),
        GREEN_TEST(limits_can_be_set),
        GREEN_TEST(a_long_body_of_many_chunks_is_whole),
        GREEN_TEST(trailers_have_a_limit),
        GREEN_TEST(many_fields_of_one_name_cost_no_more_than_others),
        GREEN_SUITE_END,
};
