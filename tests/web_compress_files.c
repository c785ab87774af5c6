/*
 * Files of a folder that are compressed on their way.
 */
#include "web_files.h"

#include "web_compress.h"

static green_static *files;

static int
files_app(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_static_app(req, files);
}

static struct green_wsgi_stats stats;

static void
begin_files(void)
{
        begin();
        stop(&web);
        folder_begin();
        put_file("a.txt", text, sizeof text);
        files = green_static_new(folder, NULL);
        web = (struct server){0};
        web.opts.compress = true;
        web.opts.stats = &stats;
        web.opts.no_log_output = true;
        serve(&web, files_app);
}

static void
end_files(void)
{
        stop(&web);
        green_static_free(files);
        folder_end();
}

static void
files_are_compressed_too(void)
{
        begin_files();
        fetch("GET", "/a.txt", GZIP);
        is_gzip_of_text(sizeof text);
        CHECK(strstr(answer, "Etag: W/\"") != NULL);
        fetch("GET", "/a.txt", GZIP "Range: bytes=0-99\r\n");
        is_plain(100);
        fetch("GET", "/a.txt", "");
        is_plain(sizeof text);
        CHECK(has("Accept-Ranges: bytes"));
        CHECK_INT(count(answer, "\r\nVary:"), 1);
        fetch("HEAD", "/a.txt", GZIP);
        CHECK(has("Content-Encoding: gzip"));
        CHECK(strstr(answer, "Content-Length") == NULL);
        CHECK_INT(body_len, 0);
        end_files();
}

/* The tag that a client has of the compressed one is good for what it has, and for no range. */
static void
the_tag_of_a_compressed_file_comes_back(void)
{
        char tag[100] = "", line[150], lines[300];
        const char *at;

        begin_files();
        fetch("GET", "/a.txt", GZIP);
        at = strstr(answer, "\r\nEtag: ");
        if (CHECK(at != NULL))
                snprintf(tag, sizeof tag, "%.*s", (int)strcspn(at + 8, "\r"), at + 8);
        CHECK(begins(tag, "W/\""));
        snprintf(lines, sizeof lines, GZIP "If-None-Match: %s\r\n", tag);
        fetch("GET", "/a.txt", lines);
        CHECK(begins(answer, "HTTP/1.1 304 "));
        snprintf(line, sizeof line, "Etag: %s", tag);
        CHECK(has(line));
        CHECK(has("Vary: Accept-Encoding"));
        CHECK(strstr(answer, "Content-Encoding") == NULL);
        snprintf(lines, sizeof lines, GZIP "Range: bytes=0-99\r\nIf-Range: %s\r\n", tag);
        fetch("GET", "/a.txt", lines);
        CHECK(begins(answer, "HTTP/1.1 200 "));
        is_gzip_of_text(sizeof text);
        end_files();
}

static void
what_lies_there_compressed_is_not_compressed_again(void)
{
        begin_files();
        put_file("b.txt", text, 50000);
        put_file("b.txt.gz", text + 100, 2000);
        fetch("GET", "/b.txt", GZIP);
        CHECK(has("Content-Encoding: gzip"));
        CHECK_INT(count(answer, "Content-Encoding"), 1);
        CHECK(has("Content-Length: 2000"));
        CHECK(has("Accept-Ranges: bytes"));
        CHECK_INT(count(answer, "\r\nVary:"), 1);
        CHECK(strstr(answer, "Etag: W/") == NULL);
        CHECK_INT(body_len, 2000);
        CHECK(memcmp(body, text + 100, 2000) == 0);
        /* Of itself it is no text. */
        fetch("GET", "/b.txt.gz", GZIP);
        CHECK(strstr(answer, "Content-Encoding") == NULL);
        CHECK(has("Content-Length: 2000"));
        end_files();
}

static void
to_http_1_0_a_file_goes_as_it_is(void)
{
        const char *all;

        begin_files();
        put_file("b.txt", text, 50000);
        all = ask(&web, "GET /b.txt HTTP/1.0\r\n" GZIP "\r\n");
        CHECK(strstr(all, "\r\nContent-Length: 50000\r\n") != NULL);
        CHECK(strstr(all, "Content-Encoding") == NULL);
        CHECK(strstr(all, "chunked") == NULL);
        all = strstr(all, "\r\n\r\n");
        CHECK(all != NULL && strlen(all + 4) == 50000 && memcmp(all + 4, text, 50000) == 0);
        end_files();
}

/* One that does not become smaller, and is more than two sockets hold, is asked for, and its header has come. */
static green_socket *
begin_large(void)
{
        enum { SIZE = 12 << 20 };
        static unsigned char data[SIZE];
        uint64_t n = 88172645463325252u;
        green_socket *c;
        int size = 65536;

        for (size_t i = 0; i < SIZE; i++) {
                n ^= n << 13;
                n ^= n >> 7;
                n ^= n << 17;
                data[i] = (unsigned char)n;
        }
        begin_files();
        put_file("large.txt", data, SIZE);
        c = client_of(&web);
        CHECK_INT(green_socket_setsockopt(c, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
        say(c, "GET /large.txt HTTP/1.1\r\nHost: a\r\n" GZIP "\r\n");
        CHECK(strstr(until(c, "\r\n\r\n"), "Content-Encoding: gzip") != NULL);
        return c;
}

static void
a_client_that_leaves_a_compressed_file_leaves_nothing_open(void)
{
        green_socket *c = begin_large();

        CHECK_INT(green_socket_free(c), 0);
        while (stats.connections > 0)
                green_sleep(0);
        CHECK(!logged("failed"));
        fetch("GET", "/a.txt", GZIP);
        is_gzip_of_text(sizeof text);
        end_files();
}

static void
a_compressed_file_that_becomes_shorter_has_no_last_chunk(void)
{
        green_socket *c = begin_large();
        static char buf[65536];
        size_t len = 0;
        ssize_t n;

        CHECK_INT(truncate(in_folder("large.txt"), 1000), 0);
        do {
                n = green_socket_recv(c, buf + len, sizeof buf - len, 0);
                len += n > 0 ? (size_t)n : 0;
                if (len > 100) {
                        memmove(buf, buf + len - 100, 100);
                        len = 100;
                }
        } while (n > 0);
        CHECK_RANGE(len, 5, 100);
        CHECK(memcmp(buf + len - 5, "0\r\n\r\n", 5) != 0);
        CHECK_INT(green_socket_free(c), 0);
        CHECK(logged("a file has become shorter"));
        end_files();
}

GREEN_SUITE(web_compress_files) {
        GREEN_TEST(files_are_compressed_too),
        GREEN_TEST(the_tag_of_a_compressed_file_comes_back),
        GREEN_TEST(what_lies_there_compressed_is_not_compressed_again),
        GREEN_TEST(to_http_1_0_a_file_goes_as_it_is),
        GREEN_TEST(a_client_that_leaves_a_compressed_file_leaves_nothing_open),
        GREEN_TEST(a_compressed_file_that_becomes_shorter_has_no_last_chunk),
        GREEN_SUITE_END
};
