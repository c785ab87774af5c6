/*
 * The pages of httpbin.c: one function each, and a table of them at the end.
 *
 * Each takes what stands behind its path in the URL. What it returns is what the call that failed has returned: the
 * server answers with 500 if it still can, closes the connection otherwise, and logs the code. A client that goes away in
 * the middle is such a failure too, so that no page has to think of it.
 */
#include "httpbin_pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
        MOST_BYTES = 64 << 20, /* of /bytes and /chunked */
        MOST_LINES = 1000,     /* of /stream */
        MOST_SECONDS = 10,     /* of /delay */
        BLOCK = 16384,         /* what is written at a time */
        LINE = 8               /* bytes of a line of /bytes: BLOCK is a multiple of it */
};

/* A whole text as the response. */
static int
say(green_wsgi_request *req, int status, const char *text)
{
        return green_wsgi_respond(req, status, "text/plain", text, strlen(text));
}

/* A number in digits, and nothing behind it. */
static bool
read_number(const char *text, unsigned long *ret_number)
{
        char *end;

        if (*text < '0' || *text > '9')
                return false;
        errno = 0;
        *ret_number = strtoul(text, &end, 10);
        return *end == '\0' && errno == 0;
}

/* ---- JSON */

/* A text as a string: what is not printable ASCII as \u00XX, so that bytes are latin-1, as WSGI has them. */
static int
json_string(green_wsgi_request *req, const char *text)
{
        int rc = green_wsgi_collect(req, "\"", 1);

        while (rc == 0 && *text != '\0') {
                size_t plain = 0;

                while (text[plain] >= ' ' && text[plain] <= '~' && text[plain] != '"' && text[plain] != '\\')
                        plain++;
                if (plain > 0)
                        rc = green_wsgi_collect(req, text, plain);
                else
                        rc = green_wsgi_printf(req, "\\u%04x", (unsigned char)*text);
                text += plain > 0 ? plain : 1;
        }
        return rc != 0 ? rc : green_wsgi_collect(req, "\"", 1);
}

/* How two strings are written that belong together. */
struct json_shape {
        const char *before, *between, *after;
};

static const struct json_shape json_member = {"", ": ", ""}, json_list = {"[", ", ", "]"};

/* Two strings, behind a comma unless they are the first. */
static int
json_pair(green_wsgi_request *req, const struct json_shape *shape, size_t index, const char *name, const char *value)
{
        int rc = green_wsgi_printf(req, "%s\n  %s", index == 0 ? "" : ",", shape->before);

        if (rc == 0)
                rc = json_string(req, name);
        if (rc == 0)
                rc = green_wsgi_printf(req, "%s", shape->between);
        if (rc == 0)
                rc = json_string(req, value);
        return rc != 0 ? rc : green_wsgi_printf(req, "%s", shape->after);
}

/* The length is not known before it is written, so it goes out in chunks. */
static int
json_begin(green_wsgi_request *req)
{
        int rc = green_wsgi_add_header(req, "Content-Type", "application/json");

        return rc != 0 ? rc : green_wsgi_start_response(req, 200, -1);
}

/* ---- what was asked */

static int
echo_environ(green_wsgi_request *req, const char *rest)
{
        struct green_wsgi_pair variable;
        int rc = json_begin(req);

        (void)rest;
        if (rc == 0)
                rc = green_wsgi_printf(req, "{");
        for (size_t i = 0; rc == 0 && green_wsgi_environ_at(req, i, &variable); i++)
                rc = json_pair(req, &json_member, i, variable.name, variable.value);
        return rc != 0 ? rc : green_wsgi_printf(req, "\n}\n");
}

/* A list of pairs: header fields have an order, and their names may come more than once. */
static int
headers(green_wsgi_request *req, const char *rest)
{
        const char *name, *value;
        int rc = json_begin(req);

        (void)rest;
        if (rc == 0)
                rc = green_wsgi_printf(req, "[");
        for (size_t i = 0; rc == 0 && green_wsgi_header_at(req, i, &name, &value); i++)
                rc = json_pair(req, &json_list, i, name, value);
        return rc != 0 ? rc : green_wsgi_printf(req, "\n]\n");
}

static int
ip(green_wsgi_request *req, const char *rest)
{
        int rc = json_begin(req);

        (void)rest;
        if (rc == 0)
                rc = green_wsgi_printf(req, "{");
        if (rc == 0)
                rc = json_pair(req, &json_member, 0, "origin", green_wsgi_client(req));
        return rc != 0 ? rc : green_wsgi_printf(req, "\n}\n");
}

/* The body back while it comes: it may be larger than the memory there is. */
static int
echo(green_wsgi_request *req, const char *rest)
{
        char *block = green_wsgi_alloc(req, BLOCK); /* the request's, which frees it */
        ssize_t n;
        int rc;

        (void)rest;
        if (block == NULL)
                return -ENOMEM;
        /* Read before the response is begun: a client that has said "Expect: 100-continue" is told to go on by it. */
        n = green_wsgi_read(req, block, BLOCK);
        if (n < 0)
                return (int)n;
        /* As long as the request if that has said how long it is, in chunks otherwise. */
        rc = green_wsgi_add_header(req, "Content-Type", "application/octet-stream");
        if (rc == 0)
                rc = green_wsgi_start_response(req, 200, green_wsgi_content_length(req));
        while (rc == 0 && n > 0) {
                rc = green_wsgi_write(req, block, (size_t)n);
                if (rc == 0)
                        n = green_wsgi_read(req, block, BLOCK);
        }
        return rc != 0 ? rc : (int)n;
}

/* One more byte for the sum that POSIX's cksum has: a CRC, highest bit first. */
static uint32_t
add_to_sum(uint32_t sum, unsigned char byte)
{
        static uint32_t table[256];

        for (uint32_t i = 0; table[255] == 0 && i < 256; i++) { /* the first time */
                table[i] = i << 24;
                for (int bit = 0; bit < 8; bit++)
                        table[i] = table[i] << 1 ^ (table[i] >> 31 != 0 ? 0x04c11db7 : 0);
        }
        return sum << 8 ^ table[sum >> 24 ^ byte];
}

/* What cksum says of the body: it is all read, and then answered. */
static int
cksum(green_wsgi_request *req, const char *rest)
{
        unsigned char *block = green_wsgi_alloc(req, BLOCK);
        unsigned long long total = 0;
        uint32_t sum = 0;
        char text[64];
        ssize_t n;

        (void)rest;
        if (block == NULL)
                return -ENOMEM;
        while ((n = green_wsgi_read(req, block, BLOCK)) > 0) {
                total += (size_t)n;
                for (ssize_t i = 0; i < n; i++)
                        sum = add_to_sum(sum, block[i]);
        }
        if (n < 0)
                return (int)n;
        for (unsigned long long left = total; left > 0; left >>= 8)
                sum = add_to_sum(sum, left & 0xff);
        snprintf(text, sizeof text, "%lu %llu\n", (unsigned long)(uint32_t)~sum, total);
        return say(req, 200, text);
}

/* ---- answers of all kinds */

/* What a status needs besides itself. */
static int
add_for_status(green_wsgi_request *req, int status)
{
        if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
                return green_wsgi_add_header(req, "Location", "/");
        if (status == 401)
                return green_wsgi_add_header(req, "WWW-Authenticate", "Basic realm=\"nothing\"");
        return 0;
}

static int
status(green_wsgi_request *req, const char *rest)
{
        unsigned long number;
        char text[64];
        int rc;

        if (!read_number(rest, &number) || number < 200 || number > 599)
                return say(req, 400, "a status is a number from 200 to 599\n");
        rc = add_for_status(req, (int)number);
        /* Statuses that have no body get none: the server sees to that. */
        snprintf(text, sizeof text, "%lu %s\n", number, green_http_phrase((int)number));
        return rc != 0 ? rc : say(req, (int)number, text);
}

/* Lines that count from a number on: a client can tell whether a byte is missing, and which. */
static void
fill_with_lines(char *block, size_t number)
{
        for (size_t at = 0; at < BLOCK; at += LINE, number++) {
                size_t left = number;

                block[at + LINE - 1] = '\n';
                for (size_t digit = LINE - 1; digit-- > 0; left /= 10)
                        block[at + digit] = (char)('0' + left % 10);
        }
}

/* So many bytes: with a Content-Length if it is told, else in chunks. */
static int
send_bytes(green_wsgi_request *req, const char *rest, bool tell)
{
        char *block = green_wsgi_alloc(req, BLOCK);
        unsigned long total;
        int rc;

        if (!read_number(rest, &total) || total > MOST_BYTES)
                return say(req, 400, "a number of bytes is wanted, at most 67108864\n");
        if (block == NULL)
                return -ENOMEM;
        rc = green_wsgi_add_header(req, "Content-Type", "text/plain");
        if (rc == 0)
                rc = green_wsgi_start_response(req, 200, tell ? (int64_t)total : -1);
        for (size_t done = 0; rc == 0 && done < total; done += BLOCK) {
                fill_with_lines(block, done / LINE);
                rc = green_wsgi_write(req, block, total - done < BLOCK ? total - done : BLOCK);
        }
        return rc;
}

static int
bytes(green_wsgi_request *req, const char *rest)
{
        return send_bytes(req, rest, true);
}

static int
chunked(green_wsgi_request *req, const char *rest)
{
        return send_bytes(req, rest, false);
}

/* ---- answers that take their time: other requests do not wait for them */

static int
delay(green_wsgi_request *req, const char *rest)
{
        char *end;
        double seconds = strtod(rest, &end);
        int rc;

        if (*rest < '0' || *rest > '9' || *end != '\0' || seconds > MOST_SECONDS)
                return say(req, 400, "a number of seconds is wanted, at most 10\n");
        rc = green_sleep(seconds);
        return rc != 0 ? rc : say(req, 200, "good morning\n");
}

/* Each line is sent when it is there: green_wsgi_write() does, where green_wsgi_collect() would collect them. */
static int
stream(green_wsgi_request *req, const char *rest)
{
        unsigned long lines = 10;
        int rc;

        if (*rest != '\0' && (!read_number(rest, &lines) || lines > MOST_LINES))
                return say(req, 400, "a number of lines is wanted, at most 1000\n");
        rc = green_wsgi_add_header(req, "Content-Type", "text/plain");
        if (rc == 0)
                rc = green_wsgi_start_response(req, 200, -1);
        /* Whoever runs for long asks whether the server is about to end. */
        for (unsigned long i = 0; rc == 0 && i < lines && !green_wsgi_closing(req); i++) {
                char line[32];

                if (i > 0)
                        rc = green_sleep(0.1);
                snprintf(line, sizeof line, "line %lu\n", i + 1);
                if (rc == 0)
                        rc = green_wsgi_write(req, line, strlen(line));
        }
        return rc;
}

/* ---- /ws */

int
httpbin_ws(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        int rc;

        (void)arg;
        while ((rc = green_websocket_wait(ws, &m)) == 1) {
                rc = green_websocket_send(ws, m.type, m.data, m.len);
                if (rc != 0)
                        return rc;
        }
        return rc;
}

/* ---- the table of pages, and who looks into it */

static int
contents(green_wsgi_request *req, const char *rest)
{
        static const char page[] =
                "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>httpbin</title></head><body>\n"
                "<h1>Pages to try HTTP clients with</h1>\n<ul>\n"
                "<li><a href=\"/echo-environ/a/b?c=d\">/echo-environ</a>: the request as WSGI's environ\n"
                "<li><a href=\"/headers\">/headers</a>: its header fields, as they came\n"
                "<li><a href=\"/ip\">/ip</a>: who asks\n"
                "<li>POST to /echo: the body back, while it comes\n"
                "<li>POST to /cksum: what cksum says of the body, when it is there\n"
                "<li><a href=\"/status/404\">/status/N</a>: that status\n"
                "<li><a href=\"/bytes/1000\">/bytes/N</a>: so many bytes\n"
                "<li><a href=\"/chunked/1000\">/chunked/N</a>: the same in chunks\n"
                "<li><a href=\"/delay/1\">/delay/S</a>: an answer after so many seconds\n"
                "<li><a href=\"/stream\">/stream</a>, /stream/N: lines, one by one\n"
                "<li><a href=\"/metrics\">/metrics</a>: what the server counts, for Prometheus\n"
                "<li>/ws: a WebSocket, each message back\n"
                "</ul></body></html>\n";

        (void)rest;
        return green_wsgi_respond(req, 200, "text/html; charset=utf-8", page, sizeof page - 1);
}

struct route {
        const char *path;    /* with a '/' at its end: all that lies below; "/": that alone */
        const char *methods; /* as Allow says them */
        int (*page)(green_wsgi_request *req, const char *rest);
};

static const struct route routes[] = {
        {"/", "GET, HEAD", contents},
        {"/bytes/", "GET, HEAD", bytes},
        {"/chunked/", "GET, HEAD", chunked},
        {"/cksum", "POST", cksum},
        {"/delay/", "GET, HEAD", delay},
        {"/echo", "POST", echo},
        {"/echo-environ", "GET, HEAD", echo_environ},
        {"/echo-environ/", "GET, HEAD", echo_environ},
        {"/headers", "GET, HEAD", headers},
        {"/ip", "GET, HEAD", ip},
        {"/status/", "GET, HEAD", status},
        {"/stream", "GET, HEAD", stream},
        {"/stream/", "GET, HEAD", stream},
};

/* What stands behind the path of a route; NULL: it is for others. */
static const char *
rest_of(const char *path, const struct route *route)
{
        size_t len = strlen(route->path);
        bool folder = len > 1 && route->path[len - 1] == '/';

        if (strncmp(path, route->path, len) != 0 || (!folder && path[len] != '\0'))
                return NULL;
        return path + len;
}

static bool
is_in_list(const char *list, const char *word)
{
        struct green_http_part rest = {list, strlen(list)}, item;

        while (green_http_next_item(&rest, &item))
                if (item.len == strlen(word) && memcmp(item.data, word, item.len) == 0)
                        return true;
        return false;
}

static int
call(green_wsgi_request *req, const struct route *route, const char *rest)
{
        int rc;

        if (is_in_list(route->methods, green_wsgi_method(req)))
                return route->page(req, rest);
        rc = green_wsgi_add_header(req, "Allow", route->methods);
        return rc != 0 ? rc : say(req, 405, "this page does not know that method\n");
}

int
httpbin(green_wsgi_request *req, void *arg)
{
        const char *path = green_wsgi_path(req, NULL);

        if (path == NULL)
                return -ENOMEM;
        if (strcmp(path, "/ws") == 0)
                return green_websocket_app(req, arg);
        if (strcmp(path, "/metrics") == 0)
                return green_metrics_app(req, NULL);
        for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
                const char *rest = rest_of(path, &routes[i]);

                if (rest != NULL)
                        return call(req, &routes[i], rest);
        }
        return say(req, 404, "no such page: / has a list\n");
}

static int
wrap(green_socket *listener, const char *certificate, const char *key)
{
        struct green_wrap_ssl_opts tls = {.size = sizeof tls, .certfile = certificate, .keyfile = key};

        return green_wrap_ssl(listener, &tls) != NULL ? 0 : green_last_error()->code;
}

green_socket *
httpbin_listen(const char *address, const char *certificate, const char *key)
{
        struct green_listen_opts opts = {.size = sizeof opts, .backlog = 512};
        green_socket *listener;

        listener = strcmp(address, "systemd") == 0 ? green_listen_inherited(NULL) : green_listen(address, &opts);
        if (listener == NULL || certificate == NULL || wrap(listener, certificate, key) == 0)
                return listener;
        green_socket_free(listener);
        return NULL;
}
