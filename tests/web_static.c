/*
 * Files of a folder: what is answered, conditions, ranges, folders, and files that lie there compressed.
 */
#include "web_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <utime.h>

#define TEXT "0123456789abcdefghijklmnopqrstuvwxyz"

/* Every test has this one in its folder, and nothing is changed within its second. */
static void
begin_text(const struct green_static_opts *opts)
{
        struct utimbuf old = {784111777, 784111777};

        folder_begin();
        put_text("a.txt", TEXT);
        CHECK_INT(utime(in_folder("a.txt"), &old), 0);
        begin_with(opts);
}

static void
end_all(void)
{
        end();
        folder_end();
}

/* ---- a file */

static void
a_file_is_sent_with_all_that_is_known_of_it(void)
{
        struct green_static_opts o = {.size = sizeof o, .max_age = 3600};
        const char *answer;
        char get[2000];

        begin_text(&o);
        snprintf(get, sizeof get, "%s", fetch("GET", "/a.txt", ""));
        CHECK_INT(status_of(get), 200);
        CHECK_STR(field_of(get, "Content-Type"), "text/plain; charset=utf-8");
        CHECK_STR(field_of(get, "Content-Length"), "36");
        CHECK_STR(field_of(get, "Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
        CHECK_STR(field_of(get, "Accept-Ranges"), "bytes");
        CHECK_STR(field_of(get, "Cache-Control"), "max-age=3600");
        CHECK_STR(field_of(get, "Vary"), "Accept-Encoding");
        CHECK_INT(field_of(get, "Etag")[0], '"');
        CHECK_STR(body_of(get), TEXT);
        answer = fetch("HEAD", "/a.txt", "");
        CHECK_STR(body_of(answer), "");
        CHECK_STR(field_of(answer, "Etag"), field_of(get, "Etag"));
        CHECK_STR(field_of(answer, "Content-Length"), "36");
        end_all();
}

static void
other_methods_are_405(void)
{
        begin_text(NULL);
        CHECK_INT(status_of(fetch("POST", "/a.txt", "Content-Length: 0\r\n")), 405);
        CHECK_STR(field_of(fetch("DELETE", "/a.txt", ""), "Allow"), "GET, HEAD, OPTIONS");
        CHECK_INT(status_of(fetch("OPTIONS", "/a.txt", "")), 204);
        CHECK_STR(field_of(fetch("OPTIONS", "/none", ""), "Allow"), "GET, HEAD, OPTIONS");
        end_all();
}

static void
types_go_by_the_end_of_the_name(void)
{
        static const struct green_wsgi_pair types[] = {{"odd", "application/x-odd"}, {"html", "text/x-mine"}, {NULL, NULL}};
        struct green_static_opts o = {.size = sizeof o, .types = types, .default_type = "application/x-nothing"};

        CHECK_STR(green_http_type_of("index.html"), "text/html; charset=utf-8");
        CHECK_STR(green_http_type_of("a.tar.GZ"), "application/gzip");
        CHECK_STR(green_http_type_of("a.7z"), "application/x-7z-compressed");
        CHECK_STR(green_http_type_of("a.zst"), "application/zstd");
        CHECK_STR(green_http_type_of("a.mp4"), "video/mp4");
        CHECK_STR(green_http_type_of("html"), "application/octet-stream");
        CHECK_STR(green_http_type_of(NULL), "application/octet-stream");
        begin_text(&o);
        put_text("a.odd", "x");
        put_text("b.HTML", "x");
        put_text("c.none", "x");
        put_text("plain", "x");
        CHECK_STR(field_of(fetch("GET", "/a.odd", ""), "Content-Type"), "application/x-odd");
        CHECK_STR(field_of(fetch("GET", "/b.HTML", ""), "Content-Type"), "text/x-mine");
        CHECK_STR(field_of(fetch("GET", "/c.none", ""), "Content-Type"), "application/x-nothing");
        CHECK_STR(field_of(fetch("GET", "/plain", ""), "Content-Type"), "application/x-nothing");
        CHECK_STR(field_of(fetch("GET", "/a.txt", ""), "Content-Type"), "text/plain; charset=utf-8");
        end_all();
}

/* ---- large ones */

static void
large_and_small_ones_follow_each_other_in_order(void)
{
        green_socket *c;

        begin_text(NULL);
        put_bytes("large.bin", LARGE);
        put_bytes("small.bin", 15000);
        put_bytes("middle.bin", 16384);
        put_bytes("empty.bin", 0);
        c = client_of(&web);
        /* All at once: what is collected goes before what the system sends. */
        say(c, "GET /small.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /small.bin HTTP/1.1\r\nHost: a\r\n\r\n"
               "GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /middle.bin HTTP/1.1\r\nHost: a\r\n\r\n"
               "GET /empty.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=1000000-\r\n\r\n"
               "GET /small.bin HTTP/1.1\r\nHost: a\r\n\r\n");
        check_answer(c, 200, 0, 15000);
        check_answer(c, 200, 0, 15000);
        check_answer(c, 200, 0, LARGE);
        check_answer(c, 200, 0, 16384);
        check_answer(c, 200, 0, 0);
        check_answer(c, 206, 1000000, LARGE - 1000000);
        check_answer(c, 200, 0, 15000);
        CHECK_INT(green_socket_free(c), 0);
        end_all();
}

static void
a_client_that_goes_away_leaves_nothing_open(void)
{
        green_socket *c;

        begin_text(NULL);
        put_bytes("large.bin", LARGE);
        for (int i = 0; i < 3; i++) {
                c = client_of(&web);
                say(c, "GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
                (void)until(c, "\r\n\r\n");
                CHECK_INT(green_socket_free(c), 0);
        }
        /* Descriptors are counted behind each test. */
        CHECK_INT(get_status("/a.txt"), 200);
        CHECK(!logged("failed"));
        end_all();
}

/* ---- conditions */

static void
what_the_client_has_is_304(void)
{
        char etag[100];
        const char *answer;

        begin_text(NULL);
        snprintf(etag, sizeof etag, "%s", field_of(fetch("GET", "/a.txt", ""), "Etag"));
        answer = fetch("GET", "/a.txt", line_of("If-None-Match", etag));
        CHECK_INT(status_of(answer), 304);
        CHECK_STR(field_of(answer, "Etag"), etag);
        CHECK_STR(field_of(answer, "Vary"), "Accept-Encoding");
        CHECK_STR(body_of(answer), "");
        snprintf(etag + strlen(etag), 20, ", \"x\"");
        CHECK_INT(status_of(fetch("GET", "/a.txt", line_of("If-None-Match", etag))), 304);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-None-Match: \"x\"\r\nIf-None-Match: *\r\n")), 304);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-None-Match: \"x\"\r\n")), 200);
        *strchr(etag, ',') = '\0';
        memmove(etag + 2, etag, strlen(etag) + 1);
        memcpy(etag, "W/", 2);
        CHECK_INT(status_of(fetch("HEAD", "/a.txt", line_of("If-None-Match", etag))), 304);
        /* By time. */
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n")), 304);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n")), 200);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-Modified-Since: yesterday\r\n")), 200);
        /* The tag counts. */
        CHECK_INT(status_of(fetch("GET", "/a.txt",
                                  "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n")),
                  200);
        end_all();
}

static void
what_the_client_must_have_and_has_not_is_412(void)
{
        char etag[100];

        begin_text(NULL);
        snprintf(etag, sizeof etag, "%s", field_of(fetch("GET", "/a.txt", ""), "Etag"));
        CHECK_INT(status_of(fetch("GET", "/a.txt", line_of("If-Match", etag))), 200);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-Match: *\r\n")), 200);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-Match: \"x\"\r\n")), 412);
        memmove(etag + 2, etag, strlen(etag) + 1);
        memcpy(etag, "W/", 2);
        CHECK_INT(status_of(fetch("GET", "/a.txt", line_of("If-Match", etag))), 412);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n")), 412);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n")), 200);
        end_all();
}

static void
a_file_that_changes_gets_another_tag(void)
{
        char etag[100];

        begin_text(NULL);
        put_text("b.txt", "one");
        snprintf(etag, sizeof etag, "%s", field_of(fetch("GET", "/b.txt", ""), "Etag"));
        put_text("b.txt", "three");
        CHECK_INT(status_of(fetch("GET", "/b.txt", line_of("If-None-Match", etag))), 200);
        /* Its time may be in the future: not that the client is told. */
        CHECK_INT(utime(in_folder("b.txt"), &(struct utimbuf){4102444800, 4102444800}), 0);
        CHECK(strstr(field_of(fetch("GET", "/b.txt", ""), "Last-Modified"), "2100") == NULL);
        end_all();
}

/* ---- ranges */

static const char *
range(const char *value)
{
        return fetch("GET", "/a.txt", line_of("Range", value));
}

static void
a_range_is_206(void)
{
        static const struct {
                const char *range, *says, *body;
        } rows[] = {
                {"bytes=0-0", "bytes 0-0/36", "0"},
                {"bytes=10-12", "bytes 10-12/36", "abc"},
                {"bytes=30-", "bytes 30-35/36", "uvwxyz"},
                {"bytes=34-99", "bytes 34-35/36", "yz"},
                {"bytes=-3", "bytes 33-35/36", "xyz"},
                {"bytes=-99", "bytes 0-35/36", TEXT},
                {"BYTES= 1-1 ,", "bytes 1-1/36", "1"},
                {"bytes=0-18446744073709551616", "bytes 0-35/36", TEXT},
                /* They lie next to or upon each other. */
                {"bytes=0-3,2-5", "bytes 0-5/36", "012345"},
                {"bytes=4-5,0-3", "bytes 0-5/36", "012345"},
                {"bytes=0-1,8-9", "bytes 0-9/36", "0123456789"},
                {"bytes=0-1,99-", "bytes 0-1/36", "01"},
        };

        begin_text(NULL);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                const char *answer = range(rows[i].range);

                CHECK_INT(status_of(answer), 206);
                CHECK_STR(field_of(answer, "Content-Range"), rows[i].says);
                CHECK_STR(field_of(answer, "Content-Type"), "text/plain; charset=utf-8");
                CHECK_STR(body_of(answer), rows[i].body);
        }
        end_all();
}

static void
what_is_no_range_is_the_whole(void)
{
        static const char *const rows[] = {"bytes=",    "bytes=-",    "bytes=3-1", "bytes=a-b", "bytes=1", "lines=1-2",
                                           "bytes=1-2-", "bytes=0-1;x", "bytes=--1", "bytes 0-1", "bytes=0 -1", NULL};
        char many[200] = "bytes=0-0";

        begin_text(NULL);
        for (size_t i = 0; rows[i] != NULL; i++) {
                CHECK_INT(status_of(range(rows[i])), 200);
                CHECK_STR(body_of(range(rows[i])), TEXT);
        }
        for (int i = 0; i < 15; i++)
                snprintf(many + strlen(many), sizeof many - strlen(many), ",%d-%d", i, i);
        CHECK_INT(status_of(range(many)), 206);
        snprintf(many + strlen(many), sizeof many - strlen(many), ",1-1");
        CHECK_INT(status_of(range(many)), 200);
        /* It is GET's. */
        CHECK_INT(status_of(fetch("HEAD", "/a.txt", "Range: bytes=0-1\r\n")), 200);
        end_all();
}

static void
what_is_behind_the_end_is_416(void)
{
        const char *answer;

        begin_text(NULL);
        put_text("empty", "");
        answer = range("bytes=36-");
        CHECK_INT(status_of(answer), 416);
        CHECK_STR(field_of(answer, "Content-Range"), "bytes */36");
        CHECK_INT(status_of(range("bytes=-0")), 416);
        CHECK_INT(status_of(range("bytes=36-40,50-")), 416);
        CHECK_INT(status_of(fetch("GET", "/empty", "Range: bytes=0-\r\n")), 416);
        CHECK_INT(status_of(fetch("GET", "/empty", "Range: bytes=-1\r\n")), 416);
        end_all();
}

static void
several_ranges_are_parts(void)
{
        static char data[400];
        char want[1200], boundary[100];
        const char *answer, *type;

        memset(data, 'x', sizeof data);
        data[0] = 'a';
        data[399] = 'z';
        begin_text(NULL);
        put_file("b.html", data, sizeof data);
        answer = fetch("GET", "/b.html", "Range: bytes=-1, 0-1,150-151\r\n");
        CHECK_INT(status_of(answer), 206);
        CHECK_STR(field_of(answer, "Content-Range"), "");
        type = field_of(answer, "Content-Type");
        CHECK(begins(type, "multipart/byteranges; boundary="));
        snprintf(boundary, sizeof boundary, "%s", type + 31);
        CHECK_INT(strlen(boundary), 32);
        snprintf(want, sizeof want,
                 "\r\n--%s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Range: bytes 0-1/400\r\n\r\nax"
                 "\r\n--%s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Range: bytes 150-151/400\r\n\r\nxx"
                 "\r\n--%s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Range: bytes 399-399/400\r\n\r\nz"
                 "\r\n--%s--\r\n",
                 boundary, boundary, boundary, boundary);
        CHECK_STR(body_of(answer), want);
        snprintf(boundary, sizeof boundary, "%zu", strlen(want));
        CHECK_STR(field_of(answer, "Content-Length"), boundary);
        end_all();
}

static void
a_range_of_what_has_changed_is_the_whole(void)
{
        char lines[300], etag[100];

        begin_text(NULL);
        snprintf(etag, sizeof etag, "%s", field_of(fetch("GET", "/a.txt", ""), "Etag"));
        snprintf(lines, sizeof lines, "Range: bytes=0-1\r\nIf-Range: %s\r\n", etag);
        CHECK_INT(status_of(fetch("GET", "/a.txt", lines)), 206);
        snprintf(lines, sizeof lines, "Range: bytes=0-1\r\nIf-Range: W/%s\r\n", etag);
        CHECK_INT(status_of(fetch("GET", "/a.txt", lines)), 200);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n")), 200);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n")), 206);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n")), 200);
        /* A day that begins like a weak tag. */
        CHECK_INT(utime(in_folder("a.txt"), &(struct utimbuf){784370977, 784370977}), 0);
        CHECK_INT(status_of(fetch("GET", "/a.txt", "Range: bytes=0-1\r\nIf-Range: Wed, 09 Nov 1994 08:49:37 GMT\r\n")), 206);
        end_all();
}

/* ---- folders */

static void
a_folder_is_its_index(void)
{
        struct green_static_opts o = {.size = sizeof o, .index = "start.txt"};

        begin_text(NULL);
        make_folder("in");
        make_folder("none");
        make_folder("odd");
        make_folder("odd/index.html");
        put_text("index.html", "root");
        put_text("in/index.html", "inner");
        CHECK_STR(body_of(fetch("GET", "/", "")), "root");
        CHECK_STR(body_of(fetch("GET", "/in/", "")), "inner");
        CHECK_STR(field_of(fetch("GET", "/in/", ""), "Content-Type"), "text/html; charset=utf-8");
        CHECK_INT(get_status("/in"), 301);
        CHECK_STR(field_of(fetch("GET", "/in?a=b", ""), "Location"), "/in/?a=b");
        CHECK_INT(get_status("/none/"), 403);
        CHECK_INT(get_status("/odd/"), 403);
        CHECK_INT(get_status("/missing/"), 404);
        CHECK_INT(get_status("/a.txt/"), 404);
        CHECK_INT(get_status("/a.txt/b"), 404);
        end();
        put_text("in/start.txt", "started");
        begin_with(&o);
        CHECK_STR(body_of(fetch("GET", "/in/", "")), "started");
        CHECK_INT(get_status("/"), 403);
        end();
        o.index = "";
        begin_with(&o);
        CHECK_INT(get_status("/in/"), 403);
        end_all();
}

static void
a_folder_is_listed_where_it_may_be(void)
{
        struct green_static_opts o = {.size = sizeof o, .list = true};
        const char *answer;

        folder_begin();
        make_folder("sub");
        make_folder("sub/inner");
        put_text("sub/b &'.txt", "12345");
        put_text("sub/a.txt", "1");
        put_text("sub/.secret", "1");
        begin_with(&o);
        answer = fetch("GET", "/sub/", "");
        CHECK_INT(status_of(answer), 200);
        CHECK_STR(field_of(answer, "Content-Type"), "text/html; charset=utf-8");
        CHECK(strstr(answer, "<title>/sub/</title>") != NULL);
        CHECK(strstr(answer, "<a href=\"../\">../</a>") != NULL);
        CHECK(strstr(answer, "<a href=\"./inner/\">inner/</a>") != NULL);
        CHECK(strstr(answer, "<a href=\"./b%20%26%27.txt\">b &#38;&#39;.txt</a>") != NULL);
        CHECK(strstr(answer, "<td>5</td>") != NULL);
        CHECK(strstr(answer, "secret") == NULL);
        CHECK(strstr(answer, "inner/") < strstr(answer, "a.txt"));
        CHECK(strstr(answer, "a.txt") < strstr(answer, "b &#38;"));
        CHECK(strstr(fetch("GET", "/", ""), "../") == NULL);
        CHECK_STR(body_of(fetch("HEAD", "/sub/", "")), "");
        end_all();
}

static void
names_of_all_kinds_are_listed_as_they_can_be_asked_for(void)
{
        struct green_static_opts o = {.size = sizeof o, .list = true};
        const char *answer;

        folder_begin();
        put_text("b<i>&'\".txt", "12345");
        put_text("a:b c%.txt", "1");
        put_text("\xc3\xa9", "1");
        begin_with(&o);
        answer = fetch("GET", "/", "");
        CHECK(strstr(answer, "<a href=\"./b%3Ci%3E%26%27%22.txt\">b&#60;i&#62;&#38;&#39;&#34;.txt</a>") != NULL);
        CHECK(strstr(answer, "<a href=\"./a%3Ab%20c%25.txt\">a:b c%.txt</a>") != NULL);
        CHECK(strstr(answer, "<a href=\"./%C3%A9\">\xc3\xa9</a>") != NULL);
        CHECK_INT(get_status("/a%3Ab%20c%25.txt"), 200);
        end_all();
}

/* ---- mounts, and what is not there */

static int
not_found(green_wsgi_request *req, void *arg)
{
        return green_wsgi_respond(req, 404, "text/x-mine", arg, strlen(arg));
}

static green_router *router;

static int
by_router(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_router_app(req, router);
}

static int
send_report(green_wsgi_request *req, void *arg)
{
        const char *name = green_router_param(req, "name");

        (void)arg;
        CHECK_INT(green_static_send(req, files, NULL), -EINVAL);
        return green_static_send(req, files, name);
}

static void
below_a_mount_the_rest_is_the_path(void)
{
        static char mine[] = "mine";
        struct green_static_opts o = {.size = sizeof o, .list = true, .not_found = not_found, .not_found_arg = mine};

        folder_begin();
        make_folder("sub");
        put_text("sub/a.txt", TEXT);
        files = green_static_new(folder, &o);
        router = green_router_new();
        CHECK_INT(green_router_mount(router, "/files", green_static_app, files), 0);
        CHECK_INT(green_router_add(router, "GET", "/send/{name}", send_report, NULL), 0);
        web = (struct server){0};
        web.opts.no_log_output = true;
        serve(&web, by_router);
        CHECK_STR(body_of(fetch("GET", "/files/sub/a.txt", "")), TEXT);
        CHECK_STR(field_of(fetch("GET", "/files", ""), "Location"), "/files/");
        CHECK_STR(field_of(fetch("GET", "/files/sub", ""), "Location"), "/files/sub/");
        CHECK(strstr(fetch("GET", "/files/", ""), "<title>/files/</title>") != NULL);
        CHECK_STR(body_of(fetch("GET", "/files/none", "")), "mine");
        CHECK_STR(field_of(fetch("GET", "/files/..", ""), "Content-Type"), "text/x-mine");
        /* A file by name: encoded slashes are in the parameter's value. */
        CHECK_STR(body_of(fetch("GET", "/send/sub%2Fa.txt", "")), TEXT);
        CHECK_INT(get_status("/send/sub"), 404);
        CHECK_INT(get_status("/send/sub%2F"), 404);
        CHECK_INT(get_status("/send/..%2Fx"), 404);
        CHECK_INT(get_status("/send/%2Fetc%2Fpasswd"), 404);
        end();
        green_router_free(router);
        folder_end();
}

static int
send_start(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_static_send(req, files, "start.html");
}

/* As for pages that look at their path themselves. */
static void
what_answers_in_place_of_404_may_send_a_file_and_miss_it(void)
{
        struct green_static_opts o = {.size = sizeof o, .not_found = send_start};

        begin_text(&o);
        CHECK_INT(get_status("/some/page"), 404);
        CHECK_STR(body_of(fetch("GET", "/some/page", "")), "404 Not Found\r\n");
        put_text("start.html", "start");
        CHECK_STR(body_of(fetch("GET", "/some/page", "")), "start");
        CHECK_INT(get_status("/some/page"), 200);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "")), TEXT);
        end_all();
}

/* ---- files that lie there compressed */

static void
a_compressed_file_goes_to_who_takes_it(void)
{
        struct green_static_opts o = {.size = sizeof o, .not_precompressed = true};
        static const char large[300];
        char etag[100];
        const char *answer;

        begin_text(NULL);
        put_text("a.txt.gz", "gzip");
        put_text("a.txt.br", "brotli");
        put_text("b.png", "png");
        put_text("b.png.gz", "png gzip");
        put_text("only.txt.gz", "only gzip");
        put_text("index.html", "index");
        put_text("index.html.zst", "index zst");
        snprintf(etag, sizeof etag, "%s", field_of(fetch("GET", "/a.txt", ""), "Etag"));
        answer = fetch("GET", "/a.txt", "Accept-Encoding: gzip\r\n");
        CHECK_STR(body_of(answer), "gzip");
        CHECK_STR(field_of(answer, "Content-Encoding"), "gzip");
        CHECK_STR(field_of(answer, "Content-Type"), "text/plain; charset=utf-8");
        CHECK_STR(field_of(answer, "Vary"), "Accept-Encoding");
        CHECK(strcmp(field_of(answer, "Etag"), etag) != 0);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: gzip, deflate, br, zstd\r\n")), "brotli");
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: gzip, br;q=0.5\r\n")), "gzip");
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: gzip;q=0, br;q=0\r\n")), TEXT);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: identity\r\n")), TEXT);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: gzip;q=0.1, identity\r\n")), TEXT);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: zstd, GZIP;q=0.1\r\n")), "gzip");
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: *\r\n")), "brotli");
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: *, br;q=0\r\n")), "gzip");
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: x\r\nAccept-Encoding: gzip\r\n")), "gzip");
        CHECK_STR(body_of(fetch("GET", "/b.png", "Accept-Encoding: gzip\r\n")), "png");
        CHECK_STR(body_of(fetch("GET", "/", "Accept-Encoding: zstd\r\n")), "index zst");
        CHECK_STR(body_of(fetch("GET", "/", "Accept-Encoding: gzip\r\n")), "index");
        CHECK_STR(body_of(fetch("GET", "/a.txt", "Accept-Encoding: gzip\r\nRange: bytes=1-2\r\n")), "zi");
        put_file("a.txt.gz", large, sizeof large);
        answer = fetch("GET", "/a.txt", "Accept-Encoding: gzip\r\nRange: bytes=1-2\r\n");
        CHECK_INT(status_of(answer), 206);
        CHECK_STR(field_of(answer, "Content-Encoding"), "gzip");
        /* Of several parts the coding could not be said. */
        answer = fetch("GET", "/a.txt", "Accept-Encoding: gzip\r\nRange: bytes=1-2,200-201\r\n");
        CHECK_INT(status_of(answer), 200);
        CHECK_STR(field_of(answer, "Content-Encoding"), "gzip");
        CHECK_STR(field_of(answer, "Content-Length"), "300");
        /* As itself it is a file like others. */
        answer = fetch("GET", "/a.txt.gz", "Accept-Encoding: gzip\r\n");
        CHECK_STR(field_of(answer, "Content-Type"), "application/gzip");
        CHECK_STR(field_of(answer, "Content-Encoding"), "");
        CHECK_INT(get_status("/only.txt"), 404);
        end();
        begin_with(&o);
        answer = fetch("GET", "/a.txt", "Accept-Encoding: gzip\r\n");
        CHECK_STR(body_of(answer), TEXT);
        CHECK_STR(field_of(answer, "Vary"), "");
        end_all();
}

/* ---- the folder */

static void
what_is_no_folder_is_refused(void)
{
        static const struct green_wsgi_pair bad_type[] = {{"x", "a\nb"}, {NULL, NULL}}, no_type[] = {{"x", NULL}, {NULL, NULL}};
        struct green_static_opts o = {.size = sizeof o};

        folder_begin();
        put_text("file", "x");
        CHECK(green_static_new(NULL, NULL) == NULL && errno == EINVAL);
        CHECK(green_static_new(in_folder("none"), NULL) == NULL && errno == ENOENT);
        CHECK(strstr(green_last_error()->message, "/none") != NULL);
        CHECK(green_static_new(in_folder("file"), NULL) == NULL && errno == ENOTDIR);
        o.size = 1;
        CHECK(green_static_new(folder, &o) == NULL && errno == EINVAL);
        o.size = sizeof o;
        o.max_age = -1;
        CHECK(green_static_new(folder, &o) == NULL && errno == EINVAL);
        o.max_age = 0;
        o.index = "../x";
        CHECK(green_static_new(folder, &o) == NULL && errno == EINVAL);
        o.index = NULL;
        o.types = bad_type;
        CHECK(green_static_new(folder, &o) == NULL && errno == EINVAL);
        o.types = no_type;
        CHECK(green_static_new(folder, &o) == NULL && errno == EINVAL);
        o.types = NULL;
        o.default_type = "\r\nX: y";
        CHECK(green_static_new(folder, &o) == NULL && errno == EINVAL);
        green_static_free(NULL);
        folder_end();
}

static void
it_stays_open_whatever_it_is_named_later(void)
{
        char was[256];

        begin_text(NULL);
        snprintf(was, sizeof was, "%s", folder);
        snprintf(folder + strlen(folder), sizeof folder - strlen(folder), ".moved");
        CHECK_INT(rename(was, folder), 0);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "")), TEXT);
        end_all();
}

/* As a file server does for its clients; it takes the system 45 s to take it away. */
static void
a_file_that_is_leased_holds_up_nobody(void)
{
#ifdef F_SETLEASE
        int told[2], status = 0;
        char byte = 0;
        pid_t pid;

        begin_text(NULL);
        CHECK_INT(pipe(told), 0);
        pid = fork();
        if (pid == 0) {
                int fd = open(in_folder("a.txt"), O_RDWR);

                signal(SIGIO, SIG_IGN);
                byte = fcntl(fd, F_SETLEASE, F_WRLCK) == 0 ? 'y' : 'n';
                (void)!write(told[1], &byte, 1);
                for (;;)
                        pause();
        }
        CHECK_INT(read(told[0], &byte, 1), 1);
        if (byte == 'y')
                status = status_of(fetch("GET", "/a.txt", ""));
        CHECK_INT(kill(pid, SIGKILL), 0);
        CHECK_INT(waitpid(pid, NULL, 0), pid);
        close(told[0]);
        close(told[1]);
        if (byte == 'y')
                CHECK_INT(status, 503);
        else
                suite_skip("this file system has no leases");
        end_all();
#else
        suite_skip("this system has no leases");
#endif
}

GREEN_SUITE(web_static) {
        GREEN_TEST(a_file_is_sent_with_all_that_is_known_of_it),
        GREEN_TEST(other_methods_are_405),
        GREEN_TEST(types_go_by_the_end_of_the_name),
        GREEN_TEST(large_and_small_ones_follow_each_other_in_order),
        GREEN_TEST(a_client_that_goes_away_leaves_nothing_open),
        GREEN_TEST(what_the_client_has_is_304),
        GREEN_TEST(what_the_client_must_have_and_has_not_is_412),
        GREEN_TEST(a_file_that_changes_gets_another_tag),
        GREEN_TEST(a_range_is_206),
        GREEN_TEST(what_is_no_range_is_the_whole),
        GREEN_TEST(what_is_behind_the_end_is_416),
        GREEN_TEST(several_ranges_are_parts),
        GREEN_TEST(a_range_of_what_has_changed_is_the_whole),
        GREEN_TEST(a_folder_is_its_index),
        GREEN_TEST(a_folder_is_listed_where_it_may_be),
        GREEN_TEST(names_of_all_kinds_are_listed_as_they_can_be_asked_for),
        GREEN_TEST(below_a_mount_the_rest_is_the_path),
        GREEN_TEST(what_answers_in_place_of_404_may_send_a_file_and_miss_it),
        GREEN_TEST(a_compressed_file_goes_to_who_takes_it),
        GREEN_TEST(what_is_no_folder_is_refused),
        GREEN_TEST(it_stays_open_whatever_it_is_named_later),
        GREEN_TEST(a_file_that_is_leased_holds_up_nobody),
        GREEN_SUITE_END
};
