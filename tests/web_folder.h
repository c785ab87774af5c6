/*
 * A folder with files for the tests of those that serve them.
 */
#ifndef GREEN_WEB_FOLDER_H
#define GREEN_WEB_FOLDER_H

#include "web_files.h"
#include "web_suite.h"

/* ---- asking */

static struct server web;
static green_static *files;

MAYBE int
files_app(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_static_app(req, files);
}

MAYBE void
begin_with(const struct green_static_opts *opts)
{
        files = green_static_new(folder, opts);
        CHECK(files != NULL);
        web = (struct server){0};
        web.opts.no_log_output = true;
        serve(&web, files_app);
}

MAYBE void
end(void)
{
        stop(&web);
        green_static_free(files);
        files = NULL;
}

/* The answer to a method, a target and more lines of header. */
MAYBE const char *
fetch(const char *method, const char *target, const char *lines)
{
        static char text[9000];

        snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", method, target, lines);
        return ask(&web, text);
}

MAYBE int
status_of(const char *answer)
{
        int status = 0;

        return sscanf(answer, "HTTP/1.%*1[01] %d ", &status) == 1 ? status : 0;
}

MAYBE int
get_status(const char *target)
{
        return status_of(fetch("GET", target, ""));
}

MAYBE const char *
body_of(const char *answer)
{
        const char *body = strstr(answer, "\r\n\r\n");

        return body == NULL ? "no header" : body + 4;
}

/* The value of a header field, or "". */
MAYBE const char *
field_of(const char *answer, const char *name)
{
        static char value[4][200];
        static int turn;
        char line[100];
        const char *at;
        size_t len;

        turn = (turn + 1) % 4;
        snprintf(line, sizeof line, "\r\n%s: ", name);
        at = strstr(answer, line);
        if (at == NULL || at > body_of(answer))
                return "";
        at += strlen(line);
        len = strcspn(at, "\r");
        snprintf(value[turn], sizeof value[turn], "%.*s", (int)len, at);
        return value[turn];
}

/* A line of header with a value that the test has. */
MAYBE const char *
line_of(const char *name, const char *value)
{
        static char line[2][300];
        static int turn;

        turn = !turn;
        snprintf(line[turn], sizeof line[turn], "%s: %s\r\n", name, value);
        return line[turn];
}

/* ---- large ones */

enum { LARGE = 3 << 20 };

MAYBE unsigned char
byte_at(size_t i)
{
        return (unsigned char)(i * 2654435761u >> 13);
}

MAYBE void
put_bytes(const char *name, size_t len)
{
        static unsigned char data[LARGE];

        for (size_t i = 0; i < len; i++)
                data[i] = byte_at(i);
        put_file(name, data, len);
}

/* Read so many bytes of body, which are those of the file from there on. */
MAYBE void
check_bytes(green_socket *c, size_t from, size_t len)
{
        static unsigned char buf[65536];
        size_t done = 0, wrong = 0;

        while (done < len) {
                size_t want = len - done < sizeof buf ? len - done : sizeof buf;
                ssize_t n = green_socket_recv(c, buf, want, 0);

                if (!CHECK_RANGE(n, 1, sizeof buf))
                        return;
                for (ssize_t i = 0; i < n; i++)
                        wrong += buf[i] != byte_at(from + done + (size_t)i);
                done += (size_t)n;
        }
        CHECK_INT(wrong, 0);
}

/* Read an answer with so many bytes of body. */
MAYBE void
check_answer(green_socket *c, int status, size_t from, size_t len)
{
        const char *header = until(c, "\r\n\r\n");
        char text[40];

        snprintf(text, sizeof text, "%zu", len);
        CHECK_INT(status_of(header), status);
        CHECK_STR(field_of(header, "Content-Length"), text);
        check_bytes(c, from, len);
}

#endif
