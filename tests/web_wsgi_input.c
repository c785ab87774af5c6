/*
 * The body of a request by lines, as a whole, and as a stream.
 */
#include "web_look.h"

#include <stdint.h>

/* ---- the body */

#define LINES "one\ntwo\n\nlast"
#define LENGTH_LINES "Content-Length: 13\r\n\r\n" LINES
#define CHUNKED_LINES CHUNKED "2\r\non\r\n3\r\ne\nt\r\n8\r\nwo\n\nlast\r\n0\r\n\r\n"

/* What is looked at twice, with the same body in both framings, and a request behind it. */
static void
see_bodies(void (*fn)(green_wsgi_request *req))
{
        static const char *const framings[] = {LENGTH_LINES, CHUNKED_LINES};
        struct server s = {0};
        char text[512];

        serve(&s, looks);
        for (int i = 0; i < 2; i++) {
                int before = s.requests;

                snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: a\r\n%sPOST / HTTP/1.1\r\nHost: a\r\n%s",
                         framings[i], framings[1 - i]);
                see(&s, text, fn);
                CHECK_INT(s.requests, before + 2);
        }
        stop(&s);
}

static void
read_whole(green_wsgi_request *req)
{
        char *data = NULL;
        size_t len = 0;

        CHECK_INT(green_wsgi_read_all(req, 13, &data, &len), 0);
        CHECK_INT(len, 13);
        CHECK_STR(data, LINES);
        /* And at the end there is nothing. */
        CHECK_INT(green_wsgi_read_all(req, 0, &data, &len), 0);
        CHECK_INT(len, 0);
        CHECK_STR(data, "");
        CHECK_INT(green_wsgi_read(req, &len, 1), 0);
        CHECK_INT(green_wsgi_read_all(req, 0, &data, NULL), 0);
}

/* SIZE_MAX: no limit. */
static void
read_rest(green_wsgi_request *req)
{
        char first[4], *data = NULL;
        size_t len = 0, done = 0;

        while (done < sizeof first) {
                ssize_t n = green_wsgi_read(req, first + done, sizeof first - done);

                if (!CHECK(n > 0))
                        return;
                done += (size_t)n;
        }
        CHECK(memcmp(first, "one\n", 4) == 0);
        CHECK_INT(green_wsgi_read_all(req, SIZE_MAX, &data, &len), 0);
        CHECK_STR(data, "two\n\nlast");
        CHECK_INT(len, 9);
}

static void
read_too_much(green_wsgi_request *req)
{
        char *data;
        size_t len;

        CHECK_INT(green_wsgi_read_all(req, 12, &data, &len), -EMSGSIZE);
}

static void
a_body_is_read_as_a_whole(void)
{
        GREEN_COVERS("WSGI-45", "WSGI-46");
        see_bodies(read_whole);
        see_bodies(read_rest);
        see_bodies(read_too_much);
}

static void
read_nothing(green_wsgi_request *req)
{
        char *data = NULL, **lines = NULL;
        const char *line;
        size_t len = 1;

        CHECK_INT(green_wsgi_read_all(req, 0, &data, &len), 0);
        CHECK_INT(len, 0);
        CHECK_STR(data, "");
        CHECK_INT(green_wsgi_readline(req, 0, &line), 0);
        CHECK_INT(green_wsgi_readlines(req, 0, &lines, &len), 0);
        CHECK_INT(len, 0);
        CHECK(lines != NULL && lines[0] == NULL);
}

static void
a_request_without_a_body_has_an_empty_one(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-30", "WSGI-45");
        serve(&s, looks);
        see(&s, GET GET, read_nothing);
        see(&s, post("Content-Length: 0\r\n\r\n"), read_nothing);
        see(&s, post(CHUNKED "0\r\n\r\n"), read_nothing);
        stop(&s);
}

static void
read_by_line(green_wsgi_request *req)
{
        static const char *const want[] = {"one\n", "two\n", "\n", "last"};
        const char *line = NULL;

        for (size_t i = 0; i < 4; i++) {
                CHECK_INT(green_wsgi_readline(req, 0, &line), strlen(want[i]));
                CHECK_STR(line, want[i]);
        }
        CHECK_INT(green_wsgi_readline(req, 0, &line), 0);
        CHECK_INT(green_wsgi_readline(req, 0, &line), 0);
}

static void
read_pieces_of_lines(green_wsgi_request *req)
{
        static const char *const want[] = {"on", "e\n", "tw", "o\n", "\n", "la", "st"};
        const char *line = NULL;

        for (size_t i = 0; i < 7; i++) {
                CHECK_INT(green_wsgi_readline(req, 2, &line), strlen(want[i]));
                CHECK_STR(line, want[i]);
        }
        CHECK_INT(green_wsgi_readline(req, 2, &line), 0);
}

static void
read_lines(green_wsgi_request *req)
{
        char **lines = NULL, **more = NULL;
        size_t n = 0;

        CHECK_INT(green_wsgi_readlines(req, 5, &lines, &n), 0);
        CHECK_INT(n, 2);
        CHECK_INT(green_wsgi_readlines(req, 0, &more, NULL), 0);
        CHECK_STR(lines[0], "one\n");
        CHECK_STR(lines[1], "two\n");
        CHECK(lines[2] == NULL);
        CHECK_STR(more[0], "\n");
        CHECK_STR(more[1], "last");
        CHECK(more[2] == NULL);
        CHECK_INT(green_wsgi_readlines(req, 4, &lines, &n), 0);
        CHECK_INT(n, 0);
}

/* A hint that is reached with the last byte of a line. */
static void
read_few_lines(green_wsgi_request *req)
{
        char **lines = NULL;
        size_t n = 0;

        CHECK_INT(green_wsgi_readlines(req, 4, &lines, &n), 0);
        CHECK_INT(n, 1);
        CHECK_INT(green_wsgi_readlines(req, 100, &lines, &n), 0);
        CHECK_INT(n, 3);
        CHECK_STR(lines[2], "last");
        CHECK(lines[3] == NULL);
}

static void
a_body_is_read_by_lines(void)
{
        GREEN_COVERS("WSGI-47");
        see_bodies(read_by_line);
        see_bodies(read_pieces_of_lines);
        see_bodies(read_lines);
        see_bodies(read_few_lines);
}

static void
read_mixed(green_wsgi_request *req)
{
        green_stream *input = green_wsgi_input(req);
        const char *line = NULL;
        char *data = NULL, byte;
        size_t len = 0;

        CHECK(input != NULL);
        CHECK_PTR(green_wsgi_input(req), input);
        CHECK_INT(green_stream_read(input, &byte, 1), 1);
        CHECK_INT(byte, 'o');
        CHECK_INT(green_wsgi_read(req, &byte, 1), 1);
        CHECK_INT(byte, 'n');
        CHECK_INT(green_wsgi_readline(req, 0, &line), 2);
        CHECK_STR(line, "e\n");
        CHECK_INT(green_stream_readline(input, 10, &line), 4);
        CHECK(memcmp(line, "two\n", 4) == 0);
        CHECK_INT(green_stream_write(input, "x", 1), -EBADF);
        /* All that is left as one, not by lines. */
        CHECK_INT(green_wsgi_read_all(req, 5, &data, &len), 0);
        CHECK_STR(data, "\nlast");
        CHECK_INT(green_stream_read(input, &byte, 1), 0);
}

static void
read_too_much_by_stream(green_wsgi_request *req)
{
        const char *line = NULL;
        char *data;
        size_t len;

        CHECK_INT(green_wsgi_readline(req, 0, &line), 4);
        CHECK_INT(green_wsgi_read_all(req, 8, &data, &len), -EMSGSIZE);
}

static void
ways_to_read_a_body_may_be_mixed(void)
{
        GREEN_COVERS("WSGI-45", "WSGI-48");
        see_bodies(read_mixed);
        see_bodies(read_too_much_by_stream);
}

/* Long ones: larger than the buffers on the way. */
enum { LONG_BODY = 70000 };

static void
read_long(green_wsgi_request *req)
{
        const char *line = NULL;
        char **lines = NULL, *data = NULL;
        size_t n = 0;

        if (strcmp(green_wsgi_path(req, NULL), "/all") == 0) {
                CHECK_INT(green_wsgi_read_all(req, 2 * LONG_BODY, &data, &n), 0);
                CHECK_INT(n, 2 * LONG_BODY);
                CHECK_INT(strlen(data), 2 * LONG_BODY);
                CHECK_INT(data[LONG_BODY - 1], '\n');
                return;
        }
        if (strcmp(green_wsgi_path(req, NULL), "/lines") == 0) {
                CHECK_INT(green_wsgi_readlines(req, 0, &lines, &n), 0);
                if (CHECK_INT(n, 2)) {
                        CHECK_INT(strlen(lines[0]), LONG_BODY);
                        CHECK_INT(strlen(lines[1]), LONG_BODY);
                }
                return;
        }
        CHECK_INT(green_wsgi_readline(req, 0, &line), 65536);
        CHECK(strlen(line) == 65536 && line[65535] == 'x');
        CHECK_INT(green_wsgi_readline(req, 0, &line), LONG_BODY - 65536);
        CHECK_INT(strlen(line), LONG_BODY - 65536);
        CHECK_INT(green_wsgi_readline(req, LONG_BODY, &line), LONG_BODY);
        CHECK(strlen(line) == LONG_BODY && line[LONG_BODY - 1] == '\n');
        CHECK_INT(green_wsgi_readline(req, 0, &line), 0);
}

static void
long_lines_are_read_whole_and_in_pieces(void)
{
        static const char *const paths[] = {"/all", "/lines", "/line"};
        static char text[3 * LONG_BODY];
        struct server s = {0};

        GREEN_COVERS("WSGI-45", "WSGI-47");
        serve(&s, looks);
        for (int chunked = 0; chunked < 2; chunked++) {
                for (size_t i = 0; i < 3; i++) {
                        int at = snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: a\r\n", paths[i]);

                        at += chunked ? snprintf(text + at, 100, CHUNKED "%x\r\n", 2 * LONG_BODY)
                                      : snprintf(text + at, 100, "Content-Length: %d\r\n\r\n", 2 * LONG_BODY);
                        memset(text + at, 'x', 2 * LONG_BODY);
                        text[at + LONG_BODY - 1] = text[at + 2 * LONG_BODY - 1] = '\n';
                        snprintf(text + at + 2 * LONG_BODY, 100, "%s", chunked ? "\r\n0\r\n\r\n" : "");
                        see(&s, text, read_long);
                }
        }
        stop(&s);
}

/* ---- what fails */

static int code_of_read;

static int
reads_all(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        char *data;
        const char *line;
        char **lines;

        s->requests++;
        if (strcmp(green_wsgi_path(req, NULL), "/line") == 0) {
                do
                        code_of_read = (int)green_wsgi_readline(req, 0, &line);
                while (code_of_read > 0);
        } else if (strcmp(green_wsgi_path(req, NULL), "/lines") == 0) {
                code_of_read = green_wsgi_readlines(req, 0, &lines, NULL);
        } else if (strcmp(green_wsgi_path(req, NULL), "/form") == 0) {
                code_of_read = green_wsgi_form_read(req, 100);
        } else {
                code_of_read = green_wsgi_read_all(req, 100, &data, NULL);
        }
        return code_of_read;
}

static void
a_body_that_is_cut_off_is_no_whole_one(void)
{
        static const char *const paths[] = {"/all", "/line", "/lines", "/form"};
        static const struct {
                const char *body;
                int code;
        } rows[] = {
                {"Content-Length: 13\r\n\r\none\ntwo", -ECONNRESET},
                {CHUNKED "8\r\none\ntwo\n\r\n3\r\nx", -ECONNRESET},
                {CHUNKED "8\r\none\ntwo\n\r\nx\r\n", -EPROTO},
        };
        struct server s = {0};
        char text[256];

        GREEN_COVERS("WSGI-51", "WSGI-53");
        serve(&s, reads_all);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                for (size_t k = 0; k < 4; k++) {
                        code_of_read = 1;
                        snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: a\r\n" FORM "\r\n%s", paths[k],
                                 rows[i].body);
                        CHECK(strstr(ask(&s, text), "HTTP/1.1 200") == NULL);
                        CHECK_INT(code_of_read, rows[i].code);
                }
        }
        CHECK_INT(s.requests, 12);
        stop(&s);
}

/* The body is read in any case, so each try needs a request of its own. */
static int tries_of_read;

static void
read_with_little_memory(green_wsgi_request *req)
{
        const char *line = NULL;
        char *data = NULL, **lines;
        size_t len = 0;
        int rc;

        memory_left = tries_of_read;
        rc = (int)green_wsgi_readline(req, 0, &line);
        if (rc > 0)
                rc = green_wsgi_readlines(req, 1, &lines, NULL);
        if (rc == 0)
                rc = green_wsgi_form_read(req, 10000);
        if (rc == 0)
                rc = green_wsgi_read_all(req, 10000, &data, &len);
        memory_left = -1;
        if (rc == 0)
                tries_of_read = -1;
        else
                CHECK_INT(rc, -ENOMEM);
}

static void
memory_that_runs_out_is_told(void)
{
        static char text[16384];
        struct server s = {0};
        int at = snprintf(text, sizeof text, "%s", post(FORM "\r\n" CHUNKED "1b58\r\n"));

        memset(text + at, 'x', 7000);
        text[at + 999] = text[at + 2999] = '\n';
        snprintf(text + at + 7000, 100, "\r\n0\r\n\r\n");
        serve(&s, looks);
        for (int i = 0; i < 100 && tries_of_read >= 0; i++) {
                tries_of_read = i;
                see(&s, text, read_with_little_memory);
        }
        CHECK_INT(tries_of_read, -1);
        CHECK_RANGE(s.requests, 4, 99);
        stop(&s);
}

GREEN_SUITE(web_wsgi_input) {
        GREEN_TEST(a_body_is_read_as_a_whole),
        GREEN_TEST(a_request_without_a_body_has_an_empty_one),
        GREEN_TEST(a_body_is_read_by_lines),
        GREEN_TEST(ways_to_read_a_body_may_be_mixed),
        GREEN_TEST(long_lines_are_read_whole_and_in_pieces),
        GREEN_TEST(a_body_that_is_cut_off_is_no_whole_one),
        GREEN_TEST(memory_that_runs_out_is_told),
        GREEN_SUITE_END
};
