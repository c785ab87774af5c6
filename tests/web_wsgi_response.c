/*
 * What an application may do with its response: pieces, fields, informational ones, and what becomes of its failures.
 */
#include "web_suite.h"

#include <sys/socket.h>

/* The application of the test that runs; it finds the server in arg. */
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"

static const char *
body_of(const char *answer)
{
        const char *end = strstr(answer, "\r\n\r\n");

        return end == NULL ? "no header" : end + 4;
}

/* ---- collecting */

static int
pieces(green_wsgi_request *req, void *arg)
{
        char data[3000];
        int rc = green_wsgi_start_response(req, 200, -1);

        (void)arg;
        memset(data, 'x', sizeof data);
        CHECK_INT(green_wsgi_collect(req, "ab", 2), 0);
        CHECK_INT(green_wsgi_collect(req, "", 0), 0);
        CHECK_INT(green_wsgi_printf(req, "%d", 42), 0);
        /* Even where the application waits in between. */
        green_sleep(0.01);
        CHECK_INT(green_wsgi_collect(req, data, sizeof data), 0);
        CHECK_INT(green_wsgi_collect(req, data, sizeof data), 0);
        CHECK_INT(green_wsgi_collect(req, "end", 3), 0);
        return rc;
}

static void
small_pieces_become_one_chunk(void)
{
        struct server s = {0};
        const char *body;

        GREEN_COVERS("WSGI-74", "WSGI-75");
        serve(&s, pieces);
        body = body_of(ask(&s, GET));
        /* 4 + 3,000 + 3,000 bytes: more than 4,096, and so sent; then what came behind. */
        CHECK(begins(body, "1774\r\nab42xxx"));
        CHECK_STR(body + 6 + 6004 + 2, "3\r\nend\r\n0\r\n\r\n");
        stop(&s);
}

/* Each byte there is, in the way that the path says. */
static int
all_bytes(green_wsgi_request *req, void *arg)
{
        const char *path = green_wsgi_path(req, NULL);
        unsigned char data[256], *half = data + 128;

        (void)arg;
        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (unsigned char)i;
        if (strcmp(path, "/respond") == 0)
                return green_wsgi_respond(req, 200, "text/plain", data, sizeof data);
        CHECK_INT(green_wsgi_start_response(req, 200, sizeof data), 0);
        if (strcmp(path, "/write") == 0) {
                CHECK_INT(green_wsgi_write(req, data, 128), 0);
                return green_wsgi_write(req, half, 128);
        }
        CHECK_INT(green_wsgi_collect(req, data, 128), 0);
        if (strcmp(path, "/printf") == 0)
                return green_wsgi_printf(req, "%.*s", 128, (const char *)half);
        return green_wsgi_collect(req, half, 128);
}

/* Text is the application's affair: nothing is encoded, and nothing need be ASCII. */
static void
bytes_are_sent_as_they_are(void)
{
        static const char *const paths[] = {"/respond", "/write", "/collect", "/printf"};
        struct server s = {0};

        GREEN_COVERS("WSGI-86");
        serve(&s, all_bytes);
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
                char text[100];
                const char *answer;

                snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
                answer = ask(&s, text);
                CHECK(begins(answer, "HTTP/1.1 200 OK\r\n"));
                CHECK(strstr(answer, "\r\nContent-Length: 256\r\n") != NULL);
                for (size_t k = 0; k < 256; k++)
                        if (!CHECK_INT((unsigned char)body_of(answer)[k], k))
                                break;
        }
        stop(&s);
}

static int
at_once(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_set_minimum_chunk_size(req, 0), 4096);
        CHECK_INT(green_wsgi_collect(req, "a", 1), 0);
        CHECK_INT(green_wsgi_collect(req, "b", 1), 0);
        CHECK_INT(green_wsgi_set_minimum_chunk_size(req, 100), 0);
        CHECK_INT(green_wsgi_collect(req, "c", 1), 0);
        CHECK_INT(green_wsgi_write(req, "d", 1), 0);
        CHECK_INT(green_wsgi_collect(req, "e", 1), 0);
        return 0;
}

static void
a_request_may_choose_how_much_is_collected(void)
{
        struct server s = {0}, other = {0};

        GREEN_COVERS("WSGI-15", "WSGI-66", "WSGI-76");
        s.opts.minimum_chunk_size = 0;
        serve(&s, at_once);
        other.opts.minimum_chunk_size = 1;
        serve(&other, pieces);
        CHECK_STR(body_of(ask(&s, GET)), "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n1\r\ne\r\n0\r\n\r\n");
        CHECK(begins(body_of(ask(&other, GET)), "2\r\nab\r\n2\r\n42\r\nbb8\r\nxxx"));
        stop(&other);
        stop(&s);
}

static int
known_length(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_start_response(req, 200, 6), 0);
        CHECK_INT(green_wsgi_collect(req, "abc", 3), 0);
        CHECK_INT(green_wsgi_collect(req, "def", 3), 0);
        CHECK_INT(green_wsgi_collect(req, "g", 1), -EMSGSIZE);
        return 0;
}

static void
pieces_of_a_known_length_have_no_frames(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-71", "WSGI-79");
        serve(&s, known_length);
        answer = ask(&s, GET);
        CHECK_INT(count(answer, "Content-Length: 6\r\n"), 1);
        CHECK_STR(body_of(answer), "abcdef");
        stop(&s);
}

/* ---- taking back */

static int
twice(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_write(req, "early", 5), -EINVAL);
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_start_response(req, 404, 2), 0);
        CHECK_INT(green_wsgi_write(req, "no", 2), 0);
        CHECK_INT(green_wsgi_start_response(req, 200, 2), -EALREADY);
        CHECK_INT(green_wsgi_respond(req, 200, NULL, "no", 2), -EALREADY);
        CHECK_INT(green_wsgi_add_header(req, "X-A", "b"), -EALREADY);
        CHECK_INT(green_wsgi_status(req), 404);
        return 0;
}

static void
a_response_begun_twice_is_the_second(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-85");
        serve(&s, twice);
        answer = ask(&s, GET);
        CHECK(begins(answer, "HTTP/1.1 404 Not Found\r\n"));
        CHECK_STR(body_of(answer), "no");
        stop(&s);
}

static int
write_without_beginning(green_wsgi_request *req, void *arg)
{
        (void)arg;
        (void)green_wsgi_write(req, "data", 4);
        return 0;
}

static int
fail_before_sending(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_add_header(req, "X-Secret", "1"), 0);
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_collect(req, "half", 4), 0);
        return green_set_error(-EIO, "the disk is on fire");
}

static int
fail_after_sending(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_write(req, "half", 4), 0);
        return -EIO;
}

static int
run_into_a_timeout(green_wsgi_request *req, void *arg)
{
        struct green_timeout t;
        int rc = green_timeout_start(&t, 0.001);

        (void)req;
        (void)arg;
        if (rc == 0)
                rc = green_sleep(5);
        (void)green_timeout_cancel(&t);
        return rc;
}

static void
a_failure_before_anything_was_sent_is_500(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-83");
        serve(&s, fail_before_sending);
        answer = ask(&s, GET GET);
        CHECK(begins(answer, "HTTP/1.1 500 Internal Server Error\r\n"));
        CHECK_INT(count(answer, "HTTP/1.1"), 1);
        CHECK_INT(count(answer, "Connection: close\r\n"), 1);
        CHECK_INT(count(answer, "Content-Length: 0\r\n"), 1);
        CHECK(strstr(answer, "half") == NULL);
        CHECK(strstr(answer, "X-Secret") == NULL);
        s.app = NULL;
        stop(&s);

        s = (struct server){0};
        serve(&s, run_into_a_timeout);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 500 "));
        stop(&s);

        s = (struct server){0};
        serve(&s, write_without_beginning);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 500 "));
        stop(&s);
}

static void
only_in_development_the_client_is_told_why(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-83");
        s.opts.debug = true;
        serve(&s, fail_before_sending);
        answer = ask(&s, GET);
        CHECK(begins(answer, "HTTP/1.1 500 "));
        CHECK(strstr(answer, "Content-Type: text/plain\r\n") != NULL);
        CHECK(strstr(body_of(answer), "EIO") != NULL);
        CHECK(strstr(body_of(answer), "the disk is on fire") != NULL);
        stop(&s);
}

static void
a_failure_after_that_cuts_the_response(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-84");
        serve(&s, fail_after_sending);
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1"), 1);
        CHECK_STR(body_of(answer), "4\r\nhalf\r\n");
        stop(&s);
}

/* ---- header */

static int
say_headers(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_add_header(req, "x-FOO-bar", "1"), 0);
        CHECK_INT(green_wsgi_add_header(req, "X-Twice", "a"), 0);
        CHECK_INT(green_wsgi_add_header(req, "x-twice", "b"), 0);
        CHECK_INT(green_wsgi_add_header(req, "X-Gone", "c"), 0);
        CHECK_INT(green_wsgi_set_header(req, "X-Gone", NULL), 0);
        CHECK_INT(green_wsgi_add_header(req, "X-New", "old"), 0);
        CHECK_INT(green_wsgi_set_header(req, "x-new", "new"), 0);
        CHECK_INT(green_wsgi_add_header(req, "Date", "then"), 0);
        CHECK_INT(green_wsgi_add_header(req, "X-Bad", "a\r\nSet-Cookie: b"), -EINVAL);
        CHECK_INT(green_wsgi_add_header(req, "X Bad", "a"), -EINVAL);
        CHECK_INT(green_wsgi_add_header(req, "Transfer-Encoding", "gzip"), -EINVAL);
        CHECK_INT(green_wsgi_add_header(req, "Content-Length", "1"), -EINVAL);
        CHECK_INT(green_wsgi_add_header(req, "Connection", "keep-alive"), -EINVAL);
        CHECK_INT(green_wsgi_respond(req, 299, "text/x\n", "x", 1), -EINVAL);
        return green_wsgi_respond(req, 299, "text/x", "x", 1);
}

static void
header_fields_are_checked_and_capitalized(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-69", "WSGI-70", "WSGI-80", "WSGI-82", "WSGI-92");
        serve(&s, say_headers);
        answer = ask(&s, GET);
        /* A status without a phrase is one all the same. */
        CHECK(begins(answer, "HTTP/1.1 299 \r\n"));
        CHECK_INT(count(answer, "\r\nX-Foo-Bar: 1\r\n"), 1);
        CHECK_INT(count(answer, "\r\nX-Twice: a\r\nX-Twice: b\r\n"), 1);
        CHECK_INT(count(answer, "X-Gone"), 0);
        CHECK_INT(count(answer, "\r\nX-New: new\r\n"), 1);
        CHECK_INT(count(answer, "old"), 0);
        CHECK_INT(count(answer, "\r\nDate: "), 1);
        CHECK_INT(count(answer, "\r\nDate: then\r\n"), 1);
        CHECK_INT(count(answer, "Bad"), 0);
        stop(&s);

        s = (struct server){.opts.no_capitalize_response_headers = true};
        serve(&s, say_headers);
        CHECK_INT(count(ask(&s, GET), "\r\nx-FOO-bar: 1\r\n"), 1);
        stop(&s);
}

static int
say_close(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_connection_state(req), GREEN_WSGI_STATE_REQUEST);
        CHECK_INT(green_wsgi_add_header(req, "connection", "Close"), 0);
        CHECK_INT(green_wsgi_connection_state(req), GREEN_WSGI_STATE_CLOSE);
        return green_wsgi_respond(req, 200, NULL, "x", 1);
}

static void
connection_close_of_the_application_is_honoured(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-06", "WSGI-82");
        serve(&s, say_close);
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1 200"), 1);
        CHECK_INT(count(answer, "\r\nConnection: close\r\n"), 1);
        stop(&s);
}

static int
hello(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

static void
keep_alive_is_told_to_who_asks(void)
{
        static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
        struct server s = {.opts.keepalive = 7.5};
        const char *answer;

        GREEN_COVERS("WSGI-81");
        serve(&s, hello);
        answer = ask(&s, get);
        CHECK_INT(count(answer, "\r\nConnection: keep-alive\r\nKeep-Alive: timeout=7\r\n"), 1);
        CHECK_INT(count(ask(&s, GET), "eep-"), 0);
        stop(&s);
}

static void
an_old_version_is_spoken_when_asked(void)
{
        struct server s = {.opts.max_http_version = 10};
        const char *answer;

        GREEN_COVERS("WSGI-68");
        serve(&s, pieces);
        answer = ask(&s, GET GET);
        CHECK(begins(answer, "HTTP/1.0 200 OK\r\n"));
        CHECK_INT(count(answer, "HTTP/1."), 1);
        CHECK_INT(count(answer, "chunked"), 0);
        CHECK(begins(body_of(answer), "ab42xxx"));
        stop(&s);

        s = (struct server){0};
        serve(&s, hello);
        CHECK(begins(ask(&s, "GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK\r\n"));
        stop(&s);
}

static int
stream_of_no_length(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        CHECK_INT(green_wsgi_start_response(req, (int)s->length, -1), 0);
        return green_wsgi_write(req, "body", 4);
}

static void
where_no_body_is_allowed_there_is_no_framing(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-77", "WSGI-78");
        serve(&s, stream_of_no_length);
        s.length = 204;
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1 204 No Content\r\n"), 2);
        CHECK_INT(count(answer, "Content-Length") + count(answer, "Transfer") + count(answer, "body"), 0);
        s.length = 304;
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1 304 "), 2);
        CHECK_INT(count(answer, "Content-Length") + count(answer, "Transfer") + count(answer, "body"), 0);
        s.length = 205;
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1 205 Reset Content\r\n"), 2);
        CHECK_INT(count(answer, "\r\nContent-Length: 0\r\n"), 2);
        CHECK_INT(count(answer, "Transfer") + count(answer, "body"), 0);
        s.length = 200;
        answer = ask(&s, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_INT(count(answer, "HTTP/1.1 200 "), 2);
        CHECK_INT(count(answer, "Content-Length") + count(answer, "Transfer") + count(answer, "body"), 0);
        answer = ask(&s, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
        CHECK_INT(count(answer, "Content-Length") + count(answer, "Transfer") + count(answer, "body"), 0);
        stop(&s);
}

/* ---- 100 and 103 */

static int
say_100(green_wsgi_request *req, void *arg)
{
        static const struct green_wsgi_pair first[] = {{"x-first", "1"}, {NULL, NULL}};
        static const struct green_wsgi_pair bad[] = {{"X-Bad", "a\nb"}, {NULL, NULL}};
        static const struct green_wsgi_pair second[] = {{"X-Second", "2"}, {NULL, NULL}};
        char data[8];

        (void)arg;
        CHECK_INT(green_wsgi_set_hundred_continue_response_headers(req, bad), -EINVAL);
        CHECK_INT(green_wsgi_set_hundred_continue_response_headers(req, first), 0);
        CHECK_INT(green_wsgi_read(req, data, 1), 1);
        CHECK_INT(green_wsgi_send_hundred_continue_response(req), 0);
        CHECK_INT(green_wsgi_set_hundred_continue_response_headers(req, second), 0);
        CHECK_INT(green_wsgi_send_hundred_continue_response(req), 0);
        CHECK_INT(green_wsgi_read(req, data, sizeof data), 2);
        CHECK_INT(green_wsgi_respond(req, 200, NULL, "ok", 2), 0);
        CHECK_INT(green_wsgi_send_hundred_continue_response(req), -EALREADY);
        return 0;
}

static void
continue_may_carry_fields_and_be_said_again(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-55", "WSGI-56");
        serve(&s, say_100);
        CHECK(begins(ask(&s, POST "abc"), "HTTP/1.1 100 Continue\r\nX-First: 1\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                                          "HTTP/1.1 100 Continue\r\nX-Second: 2\r\n\r\nHTTP/1.1 200 OK\r\n"));
        stop(&s);
}

static int
answer_then_read(green_wsgi_request *req, void *arg)
{
        char data[8];

        (void)arg;
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_write(req, "now", 3), 0);
        CHECK_INT(green_wsgi_read(req, data, sizeof data), 3);
        return 0;
}

static void
once_the_response_has_begun_no_100_is_said(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-57");
        serve(&s, answer_then_read);
        answer = ask(&s, POST "abc");
        CHECK_INT(count(answer, "HTTP/1.1"), 1);
        CHECK(begins(answer, "HTTP/1.1 200 OK\r\n"));
        stop(&s);
}

static int
do_not_read(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        return green_wsgi_respond(req, 403, NULL, "no", 2);
}

static void
a_body_that_was_not_asked_for_is_not_awaited(void)
{
        struct server s = {0};
        green_socket *c;
        const char *answer;

        GREEN_COVERS("WSGI-58");
        serve(&s, do_not_read);
        c = client_of(&s);
        say(c, POST);
        answer = all_of(c); /* which comes to an end, though nothing of the body was sent */
        CHECK(begins(answer, "HTTP/1.1 403 Forbidden\r\n"));
        CHECK_INT(count(answer, "\r\nConnection: close\r\n"), 1);
        CHECK_INT(green_socket_free(c), 0);
        CHECK_INT(s.requests, 1);
        stop(&s);
}

static int
hint(green_wsgi_request *req, void *arg)
{
        static const struct green_wsgi_pair link[] = {{"Link", "</style.css>; rel=preload"}, {NULL, NULL}};

        (void)arg;
        CHECK_INT(green_wsgi_send_informational(req, 101, link), -EINVAL);
        CHECK_INT(green_wsgi_send_informational(req, 200, link), -EINVAL);
        CHECK_INT(green_wsgi_send_informational(req, 103, link), 0);
        CHECK_INT(green_wsgi_send_informational(req, 102, NULL), 0);
        CHECK_INT(green_wsgi_respond(req, 200, NULL, "ok", 2), 0);
        CHECK_INT(green_wsgi_send_informational(req, 103, link), -EALREADY);
        return 0;
}

static void
hints_come_before_the_response(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-60");
        serve(&s, hint);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
                                   "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n"));
        CHECK(begins(ask(&s, "GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK\r\n"));
        stop(&s);
}

GREEN_SUITE(web_wsgi_response) {
        GREEN_TEST(small_pieces_become_one_chunk),
        GREEN_TEST(bytes_are_sent_as_they_are),
        GREEN_TEST(a_request_may_choose_how_much_is_collected),
        GREEN_TEST(pieces_of_a_known_length_have_no_frames),
        GREEN_TEST(a_response_begun_twice_is_the_second),
        GREEN_TEST(a_failure_before_anything_was_sent_is_500),
        GREEN_TEST(only_in_development_the_client_is_told_why),
        GREEN_TEST(a_failure_after_that_cuts_the_response),
        GREEN_TEST(header_fields_are_checked_and_capitalized),
        GREEN_TEST(connection_close_of_the_application_is_honoured),
        GREEN_TEST(keep_alive_is_told_to_who_asks),
        GREEN_TEST(an_old_version_is_spoken_when_asked),
        GREEN_TEST(where_no_body_is_allowed_there_is_no_framing),
        GREEN_TEST(continue_may_carry_fields_and_be_said_again),
        GREEN_TEST(once_the_response_has_begun_no_100_is_said),
        GREEN_TEST(a_body_that_was_not_asked_for_is_not_awaited),
        GREEN_TEST(hints_come_before_the_response),
        GREEN_SUITE_END
};
