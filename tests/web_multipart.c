/*
 * Forms with files: what parts say, where they end however the bytes come, and what is refused.
 */
#include "web_suite.h"

/* ---- an application that says what it has read */

static struct server web;
static struct green_multipart_opts opts;
static size_t piece = 100; /* bytes that are read at a time */
static int last;           /* what the form has ended with */
static char seen[70000];

static void
note(const char *text, size_t len)
{
        size_t have = strlen(seen);

        for (size_t i = 0; i < len && have < sizeof seen - 1; i++)
                seen[have++] = text[i] == '\0' ? '0' : text[i];
        seen[have] = '\0';
}

static void
note_text(const char *text)
{
        note(text == NULL ? "-" : text, strlen(text == NULL ? "-" : text));
}

/* "name,filename,type:data|" */
static int
read_form(green_wsgi_request *req, void *arg)
{
        const struct green_multipart_part *part;
        green_multipart *m;
        char buf[4096];
        ssize_t n;
        int rc;

        (void)arg;
        seen[0] = '\0';
        opts.size = sizeof opts;
        m = green_multipart_new(req, &opts);
        if (m == NULL) {
                CHECK_INT(errno, EINVAL);
                last = 1;
                return green_wsgi_respond(req, 415, NULL, "", 0);
        }
        CHECK_INT(green_multipart_read(m, buf, 1), 0);
        while ((rc = green_multipart_next(m, &part)) > 0) {
                CHECK_INT(rc, 1);
                note_text(part->name);
                note_text(",");
                note_text(part->filename);
                note_text(",");
                note_text(part->content_type);
                note_text(":");
                while ((n = green_multipart_read(m, buf, piece)) > 0)
                        note(buf, (size_t)n);
                if (n < 0)
                        CHECK_INT(green_multipart_next(m, &part), n);
                note_text("|");
                CHECK_INT(green_multipart_read(m, buf, 0), n < 0 ? n : 0);
        }
        last = rc;
        CHECK_INT(green_multipart_next(m, &part), rc);
        return rc != 0 ? rc : green_wsgi_respond(req, 200, NULL, seen, strlen(seen));
}

#define TYPE "multipart/form-data; boundary=XX"

/* The answer's status to a body; it is sent so many bytes at a time. */
static int
post_so(const char *type, const char *body, size_t len, size_t at_once)
{
        green_socket *c = client_of(&web);
        char head[400];
        int status = 0;

        CHECK_INT(green_socket_setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
        snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                 type, len);
        say(c, head);
        for (size_t i = 0; i < len; i += at_once) {
                /* The server may have answered already, and closed. */
                if (green_socket_sendall(c, body + i, len - i < at_once ? len - i : at_once, 0, NULL) != 0)
                        break;
                green_sleep(0);
        }
        CHECK_INT(sscanf(until(c, "\r\n\r\n"), "HTTP/1.1 %d ", &status), 1);
        CHECK_INT(green_socket_free(c), 0);
        return status;
}

static int
post(const char *body)
{
        return post_so(TYPE, body, strlen(body), strlen(body) + 1);
}

static void
begin(void)
{
        opts = (struct green_multipart_opts){0};
        piece = 100;
        web = (struct server){0};
        web.opts.no_log_output = true;
        serve(&web, read_form);
}

#define PART(name) "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n"

/* ---- what is there */

/* As browsers send it. */
static const char form[] = "--XX\r\n" PART("a") "one\r\n"
                           "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x y.png\"\r\n"
                           "Content-Type: image/png\r\n\r\n\r\n--XY\r\n--X\r\r\n\r\n\r\n"
                           "--XX\r\n" PART("empty") "\r\n"
                           "--XX\r\nContent-Disposition: form-data; name=\"none\"; filename=\"\"\r\n"
                           "Content-Type: application/octet-stream\r\n\r\n\r\n"
                           "--XX--\r\n";
static const char form_seen[] = "a,-,text/plain:one|f,x y.png,image/png:\r\n--XY\r\n--X\r\r\n\r\n|empty,-,text/plain:|"
                                "none,,application/octet-stream:|";

static void
parts_come_as_browsers_send_them(void)
{
        begin();
        CHECK_INT(post(form), 200);
        CHECK_STR(seen, form_seen);
        stop(&web);
}

static void
however_the_bytes_come_the_parts_are_the_same(void)
{
        begin();
        for (size_t at_once = 1; at_once < 12; at_once++) {
                CHECK_INT(post_so(TYPE, form, sizeof form - 1, at_once), 200);
                CHECK_STR(seen, form_seen);
        }
        piece = 1;
        CHECK_INT(post_so(TYPE, form, sizeof form - 1, 1), 200);
        CHECK_STR(seen, form_seen);
        piece = 3;
        CHECK_INT(post(form), 200);
        CHECK_STR(seen, form_seen);
        stop(&web);
}

/* A boundary lies across the end of the buffer, at each of its bytes. */
static void
a_boundary_may_lie_across_buffers(void)
{
        static char body[20000], want[20000];

        begin();
        piece = 4096;
        for (size_t len = 8192 - 90; len < 8192 - 40; len++) {
                size_t at = (size_t)snprintf(body, sizeof body, "--XX\r\n" PART("a"));

                memset(body + at, 'x', len);
                body[at + len / 2] = '\r';
                snprintf(body + at + len, sizeof body - at - len, "\r\n--XX\r\n" PART("b") "y\r\n--XX--");
                snprintf(want, sizeof want, "a,-,text/plain:%.*s|b,-,text/plain:y|", (int)len, body + at);
                CHECK_INT(post(body), 200);
                CHECK_STR(seen, want);
        }
        stop(&web);
}

static void
what_was_not_read_is_passed_over(void)
{
        begin();
        piece = 0;
        CHECK_INT(post(form), 200);
        CHECK_STR(seen, "a,-,text/plain:|f,x y.png,image/png:|empty,-,text/plain:|none,,application/octet-stream:|");
        stop(&web);
}

static void
names_are_as_the_client_says(void)
{
        static const struct {
                const char *disposition, *want;
        } rows[] = {
                {"form-data; name=\"a b\"", "a b,-"},
                {"form-data; name=a", "a,-"},
                {"form-data;name=a;filename=b", "a,b"},
                {"form-data; name=a; filename=\"b\";", "a,b"},
                {"Form-Data ; NAME=\"a\" ; FileName=\"b\" ", "a,b"},
                {"form-data; name=\"\xc3\xa9\"; filename=\"\xe2\x82\xac.txt\"", "\xc3\xa9,\xe2\x82\xac.txt"},
                {"form-data; name=\"a\\\"b\\\\c\"", "a\"b\\c,-"},
                {"form-data; name=\"a%22b\"; filename=\"%22\"", "a%22b,%22"},
                {"form-data; name=\"\"; filename=\"x;y=z\"", ",x;y=z"},
                /* Folders are not the name's. */
                {"form-data; name=a; filename=\"C:\\Users\\me\\b.txt\"", "a,b.txt"},
                {"form-data; name=a; filename=\"/etc/passwd\"", "a,passwd"},
                {"form-data; name=a; filename=\"../../x\"", "a,x"},
                {"form-data; name=a; filename=\"..\"", "a,"},
                {"form-data; name=a; filename=\"x/..\"", "a,"},
                {"form-data; name=a; filename=\".\"", "a,"},
                /* RFC 7578 4.2 */
                {"form-data; name=a; filename*=UTF-8''x; filename=\"b\"", "a,b"},
                {"form-data; name=a; filename*=UTF-8''x", "a,-"},
        };
        char body[500], want[200];

        begin();
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                snprintf(body, sizeof body, "--XX\r\nX-A: b\r\ncontent-disposition:%s\r\n\r\nz\r\n--XX--\r\n",
                         rows[i].disposition);
                snprintf(want, sizeof want, "%s,text/plain:z|", rows[i].want);
                CHECK_INT(post(body), 200);
                CHECK_STR(seen, want);
        }
        stop(&web);
}

static void
what_stands_around_the_parts_does_not_count(void)
{
        begin();
        CHECK_INT(post("\r\n--XX\r\n" PART("a") "1\r\n--XX--"), 200);
        CHECK_STR(seen, "a,-,text/plain:1|");
        CHECK_INT(post("before\r\n--XX \t\r\n" PART("a") "1\r\n--XX-- \r\nbehind\r\n--XX\r\nno part"), 200);
        CHECK_STR(seen, "a,-,text/plain:1|");
        CHECK_INT(post("--XX--\r\n"), 200);
        CHECK_STR(seen, "");
        /* Without data the empty line's break is the boundary's. */
        CHECK_INT(post("--XX\r\n" PART("a") "--XX\r\n" PART("b") "--XX--"), 200);
        CHECK_STR(seen, "a,-,text/plain:|b,-,text/plain:|");
        CHECK_INT(post_so(TYPE, "--XX\r\n" PART("a") "\0\1\xff\r\n--XX--", strlen("--XX\r\n" PART("a")) + 11, 100), 200);
        CHECK_STR(seen, "a,-,text/plain:0\1\xff|");
        stop(&web);
}

static int
read_fields(green_wsgi_request *req, void *arg)
{
        green_multipart *m = green_multipart_new(req, NULL);
        const struct green_multipart_part *part;

        (void)arg;
        CHECK_INT(green_multipart_next(NULL, &part), -EINVAL);
        CHECK_INT(green_multipart_next(m, NULL), -EINVAL);
        CHECK_INT(green_multipart_read(NULL, NULL, 0), -EINVAL);
        CHECK_INT(green_multipart_read(m, NULL, 1), -EINVAL);
        CHECK_INT(green_multipart_next(m, &part), 1);
        CHECK_STR(part->fields[0].name, "Content-Disposition");
        CHECK_STR(part->fields[0].value, "form-data; name=\"a\"");
        CHECK_STR(part->fields[1].name, "X-Other");
        CHECK_STR(part->fields[1].value, "b c");
        CHECK(part->fields[2].name == NULL);
        return green_wsgi_respond(req, 200, NULL, "", 0);
}

static void
fields_of_a_part_are_there(void)
{
        web = (struct server){0};
        serve(&web, read_fields);
        CHECK_INT(post("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\nX-Other: \t b c \t\r\n\r\n\r\n--XX--"), 200);
        stop(&web);
}

/* ---- what is refused */

static void
what_is_malformed_is_400(void)
{
        static const char *const rows[] = {
                "", "x", "--XX", "--XX\r\n", "--XX-", "--XX\r\n" PART("a") "data", "--XX\r\n" PART("a") "data\r\n--XX",
                "--XX\r\n" PART("a") "data\r\n--XX-", "--XX\r\n" PART("a") "data\n--XX--", "--XX\n" PART("a") "\r\n--XX--",
                "--XXx\r\n" PART("a") "\r\n--XX--", "--XX\r\n" PART("a") "\r\n--XX--x", "--XX\r\n" PART("a") "\r\n--XX --",
                "--XX\r\n\r\ndata\r\n--XX--",
                "--XX\r\nContent-Type: text/plain\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data; filename=a\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data; name=\"a\"b\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data; name\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data, name=a\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition : form-data; name=a\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data; name=a\nX: y\r\n\r\n\r\n--XX--",
                "--XX\r\nContent-Disposition: form-data; name=\"a\x01\"\r\n\r\n\r\n--XX--",
                NULL,
        };

        begin();
        for (size_t i = 0; rows[i] != NULL; i++) {
                last = 0;
                if (post(rows[i]) != 400)
                        FAIL("row %zu is not refused: %s", i, rows[i]);
                CHECK_INT(last, -EPROTO);
        }
        CHECK(!logged("failed"));
        stop(&web);
}

static void
what_is_too_much_is_413(void)
{
        char body[2000];

        begin();
        opts.max_parts = 2;
        CHECK_INT(post("--XX\r\n" PART("a") "1\r\n--XX\r\n" PART("b") "2\r\n--XX--"), 200);
        CHECK_INT(post("--XX\r\n" PART("a") "1\r\n--XX\r\n" PART("b") "2\r\n--XX\r\n" PART("c") "3\r\n--XX--"), 413);
        CHECK_INT(last, -EMSGSIZE);
        opts.max_part = 4;
        CHECK_INT(post("--XX\r\n" PART("a") "1234\r\n--XX\r\n" PART("b") "1234\r\n--XX--"), 200);
        CHECK_INT(post("--XX\r\n" PART("a") "12345\r\n--XX--"), 413);
        piece = 0;
        CHECK_INT(post("--XX\r\n" PART("a") "12345\r\n--XX--"), 413);
        /* So many bytes of header, the empty line not counted. */
        opts.max_header = strlen(PART("a")) - 2;
        CHECK_INT(post("--XX\r\n" PART("a") "1\r\n--XX--"), 200);
        CHECK_INT(post("--XX\r\n" PART("ab") "1\r\n--XX--"), 413);
        opts.max_header = 0;
        snprintf(body, sizeof body, "--XX\r\nContent-Disposition: form-data; name=a\r\n");
        for (int i = 0; i < 32; i++)
                snprintf(body + strlen(body), sizeof body - strlen(body), "X: y\r\n");
        snprintf(body + strlen(body), sizeof body - strlen(body), "\r\n\r\n--XX--");
        CHECK_INT(post(body), 413);
        stop(&web);
}

static void
another_type_is_no_form(void)
{
        static const char *const bad[] = {
                "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
                "multipart/form-data; boundary=a; boundary=b", "multipart/form-data; boundary=\"a \"",
                "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=a b", "multipart/form-datax; boundary=a",
                "multipart/form-data; boundary=a@b", "multipart/mixed; boundary=a", "multipart/form-data; boundary",
                "multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890x",
                NULL};
        static const char *const good[] = {
                "multipart/form-data; boundary=XX", "Multipart/Form-Data;charset=utf-8;BOUNDARY=\"XX\"",
                "multipart/form-data ; boundary=\"XX\" ; x=y", "multipart/form-data; x=\"a;b\"; boundary=XX", NULL};

        begin();
        for (size_t i = 0; bad[i] != NULL; i++)
                if (post_so(bad[i], "", 0, 1) != 415)
                        FAIL("it is taken: %s", bad[i]);
        for (size_t i = 0; good[i] != NULL; i++)
                if (post_so(good[i], form, sizeof form - 1, 1000) != 200)
                        FAIL("it is refused: %s", good[i]);
        CHECK_INT(post_so("multipart/form-data; boundary=\"a'()+_,-./:=? z\"", "--a'()+_,-./:=? z--", 19, 100), 200);
        opts.size = 1;
        stop(&web);
        CHECK(green_multipart_new(NULL, NULL) == NULL && errno == EINVAL);
}

GREEN_SUITE(web_multipart) {
        GREEN_TEST(parts_come_as_browsers_send_them),
        GREEN_TEST(however_the_bytes_come_the_parts_are_the_same),
        GREEN_TEST(a_boundary_may_lie_across_buffers),
        GREEN_TEST(what_was_not_read_is_passed_over),
        GREEN_TEST(names_are_as_the_client_says),
        GREEN_TEST(what_stands_around_the_parts_does_not_count),
        GREEN_TEST(fields_of_a_part_are_there),
        GREEN_TEST(what_is_malformed_is_400),
        GREEN_TEST(what_is_too_much_is_413),
        GREEN_TEST(another_type_is_no_form),
        GREEN_SUITE_END
};
