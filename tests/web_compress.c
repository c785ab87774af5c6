/*
 * Responses that are compressed: which, what their header says, and that streams go on flowing.
 */
#include "web_compress.h"

/* ---- which */

static void
who_takes_it_gets_it(void)
{
        begin();
        fetch("GET", "/whole?5000", GZIP);
        is_gzip_of_text(5000);
        fetch("GET", "/whole?100000", GZIP);
        is_gzip_of_text(100000);
        fetch("GET", "/length?50000", GZIP);
        is_gzip_of_text(50000);
        fetch("GET", "/chunks?50000", GZIP);
        is_gzip_of_text(50000);
        fetch("GET", "/whole?5000", "");
        is_plain(5000);
        CHECK(has("Vary: Accept-Encoding"));
        CHECK(has("Content-Length: 5000"));
        CHECK(has("Accept-Ranges: bytes"));
        fetch("GET", "/chunks?5000", "");
        is_plain(5000);
        stop(&web);
}

static void
weights_are_looked_at(void)
{
        static const struct {
                const char *line;
                bool gzip;
        } rows[] = {
                {"gzip", true},          {"GZIP", true},           {"x, gzip", true},          {"*", true},
                {"gzip;q=0.001", true},  {"gzip ; q=1.000", true}, {"gzip;q=0", false},        {"gzip;q=0.000", false},
                {"*;q=0", false},        {"*, gzip;q=0", false},   {"*;q=0, gzip", true},      {"identity", false},
                {"", false},             {"gzipx", false},         {"gzip;q=0.5, identity", false},
                {"identity;q=0.5, gzip", true},                    {"gzip;q=2", false},        {"gzip;q=x", false},
                {"gzip;q=0.5, *;q=0.9", false},                    {"br;q=1, gzip;q=0.8", true}, {"gzip;x=y", false},
                {"gzip;Q=0.5", true},    {"gzip;q=0.5555", false},
        };

        begin();
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                char line[100];

                snprintf(line, sizeof line, "Accept-Encoding: %s\r\n", rows[i].line);
                fetch("GET", "/whole?2000", line);
                if (has("Content-Encoding: gzip") != rows[i].gzip)
                        FAIL("%s", rows[i].line);
        }
        stop(&web);
}

static void
what_is_not_worth_it_is_sent_as_it_is(void)
{
        begin();
        fetch("GET", "/whole?1023", GZIP);
        is_plain(1023);
        fetch("GET", "/whole?1024", GZIP);
        is_gzip_of_text(1024);
        type = "image/png";
        fetch("GET", "/whole?5000", GZIP);
        is_plain(5000);
        CHECK(strstr(answer, "Vary") == NULL);
        type = NULL;
        fetch("GET", "/whole?5000", GZIP);
        is_plain(5000);
        type = "application/vnd.x+json; charset=utf-8";
        fetch("GET", "/whole?5000", GZIP);
        is_gzip_of_text(5000);
        type = "IMAGE/SVG+XML";
        fetch("GET", "/whole?5000", GZIP);
        is_gzip_of_text(5000);
        stop(&web);
}

static void
what_must_not_be_changed_is_not(void)
{
        begin();
        cache = "public, No-Transform";
        etag = "\"x\"";
        fetch("GET", "/whole?5000", GZIP);
        is_plain(5000);
        CHECK(has("Etag: \"x\""));
        cache = "no-cache";
        coding = "br";
        fetch("GET", "/whole?5000", GZIP);
        CHECK(has("Content-Encoding: br"));
        CHECK(has("Content-Length: 5000"));
        CHECK(strstr(answer, "gzip") == NULL);
        coding = NULL;
        status = 206;
        fetch("GET", "/whole?5000", GZIP);
        is_plain(5000);
        status = 404;
        fetch("GET", "/whole?5000", GZIP);
        is_gzip_of_text(5000);
        stop(&web);
}

static void
without_the_option_nothing_is(void)
{
        static const char *const types[] = {"text/css", "image/*", NULL};

        begin();
        stop(&web);
        web = (struct server){0};
        serve(&web, app);
        fetch("GET", "/whole?5000", GZIP);
        is_plain(5000);
        CHECK(strstr(answer, "Vary") == NULL);
        stop(&web);
        web = (struct server){0};
        web.opts = (struct green_wsgi_server_opts){
                .compress = true, .compress_types = types, .compress_minimum = 10, .compress_level = 9};
        serve(&web, app);
        fetch("GET", "/whole?5000", GZIP);
        is_plain(5000);
        type = "image/png";
        fetch("GET", "/whole?5000", GZIP);
        is_gzip_of_text(5000);
        type = "text/css; charset=utf-8";
        fetch("GET", "/whole?100", GZIP);
        CHECK(has("Content-Encoding: gzip"));
        stop(&web);
}

static void
wrong_levels_are_refused(void)
{
        struct green_wsgi_server_opts o = {.size = sizeof o, .compress = true, .compress_level = 10};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);

        CHECK_INT(green_wsgi_server(listener, app, NULL, &o), -EINVAL);
        CHECK(strstr(green_last_error()->message, "compress_level") != NULL);
        o.compress_level = -1;
        CHECK_INT(green_wsgi_server(listener, app, NULL, &o), -EINVAL);
        CHECK_INT(green_socket_free(listener), 0);
}

/* ---- what the header says */

static void
a_strong_tag_becomes_a_weak_one(void)
{
        begin();
        etag = "\"x\"";
        fetch("GET", "/whole?5000", GZIP);
        is_gzip_of_text(5000);
        CHECK(has("Etag: W/\"x\""));
        CHECK(!has("Etag: \"x\""));
        etag = "W/\"y\"";
        fetch("GET", "/whole?5000", GZIP);
        CHECK(has("Etag: W/\"y\""));
        /* Of what the client has so, the tag stays so. */
        etag = "\"x\"";
        status = 304;
        fetch("GET", "/whole?0", GZIP "If-None-Match: W/\"x\"\r\n");
        CHECK(has("Etag: W/\"x\"") && has("Vary: Accept-Encoding"));
        fetch("GET", "/whole?0", GZIP "If-None-Match: \"x\"\r\n");
        CHECK(has("Etag: \"x\"") && has("Vary: Accept-Encoding"));
        stop(&web);
}

static void
vary_is_said_once(void)
{
        begin();
        vary = "Cookie, accept-encoding";
        fetch("GET", "/whole?5000", GZIP);
        CHECK(has("Vary: Cookie, accept-encoding"));
        CHECK_INT(count(answer, "\r\nVary:"), 1);
        vary = "Cookie";
        fetch("GET", "/whole?5000", GZIP);
        CHECK(has("Vary: Cookie") && has("Vary: Accept-Encoding"));
        vary = "*";
        fetch("GET", "/whole?5000", "");
        CHECK_INT(count(answer, "\r\nVary:"), 1);
        stop(&web);
}

static void
to_head_the_header_is_that_of_get(void)
{
        begin();
        etag = "\"x\"";
        fetch("HEAD", "/whole?5000", GZIP);
        CHECK(has("Content-Encoding: gzip") && has("Vary: Accept-Encoding") && has("Etag: W/\"x\""));
        CHECK(strstr(answer, "Content-Length") == NULL);
        CHECK_INT(body_len, 0);
        fetch("HEAD", "/length?5000", GZIP);
        CHECK(has("Content-Encoding: gzip"));
        CHECK_INT(body_len, 0);
        fetch("HEAD", "/whole?5000", "");
        CHECK(has("Content-Length: 5000"));
        stop(&web);
}

static void
http_1_0_gets_it_as_it_is(void)
{
        const char *all;

        begin();
        all = ask(&web, "GET /whole?5000 HTTP/1.0\r\n" GZIP "\r\n");
        CHECK(strstr(all, "Content-Encoding") == NULL);
        CHECK(strstr(all, "Content-Length: 5000\r\n") != NULL);
        stop(&web);
}

/* ---- framing */

static int
half(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_set_header(req, "Content-Type", "text/plain"), 0);
        CHECK_INT(green_wsgi_start_response(req, 200, 5000), 0);
        return green_wsgi_collect(req, text, 4000);
}

static void
the_promised_length_is_held_to(void)
{
        begin();
        fetch("GET", "/promise?5000", GZIP);
        is_gzip_of_text(5000);
        stop(&web);
        web = (struct server){0};
        web.opts.compress = true;
        serve(&web, half);
        /* Broken off: there is no last chunk. */
        CHECK(strstr(ask(&web, "GET /?5000 HTTP/1.1\r\nHost: a\r\n" GZIP "\r\n"), "\r\n0\r\n\r\n") == NULL);
        stop(&web);
}

static void
requests_follow_each_other_on_a_connection(void)
{
        green_socket *c;

        begin();
        c = client_of(&web);
        for (int i = 0; i < 20; i++) {
                say(c, "GET /whole?5000 HTTP/1.1\r\nHost: a\r\n" GZIP "\r\n");
                CHECK(strstr(until(c, "\r\n\r\n"), "Content-Encoding: gzip") != NULL);
                /* Binary data may hold a NUL, so that the end is looked for by hand. */
                for (char last[5] = ""; memcmp(last, "0\r\n\r\n", 5) != 0;) {
                        memmove(last, last + 1, 4);
                        if (!CHECK_INT(green_socket_recv(c, last + 4, 1, 0), 1))
                                break;
                }
        }
        CHECK_INT(green_socket_free(c), 0);
        stop(&web);
}

/* ---- streams */

static struct green_waitq go_on;

static int
stream(green_wsgi_request *req, void *arg)
{
        int rc = green_wsgi_set_header(req, "Content-Type", "text/event-stream");

        (void)arg;
        if (rc == 0)
                rc = green_wsgi_start_response(req, 200, -1);
        for (int i = 0; rc == 0 && i < 3; i++) {
                struct green_wait w;

                rc = green_wsgi_write(req, text + i * 100, 100);
                if (rc == 0)
                        rc = green_park(&go_on, &w, GREEN_FOREVER);
        }
        return rc;
}

/* What is written is there at once, for who uncompresses it. */
static void
what_is_written_can_be_read_at_once(void)
{
        Bytef plain[400];
        z_stream z = {0};
        green_socket *c;

        begin();
        stop(&web);
        web = (struct server){0};
        web.opts.compress = true;
        serve(&web, stream);
        c = client_of(&web);
        say(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" GZIP "\r\n");
        CHECK(strstr(until(c, "\r\n\r\n"), "Content-Encoding: gzip") != NULL);
        CHECK_INT(inflateInit2(&z, 15 + 16), Z_OK);
        z.next_out = plain;
        z.avail_out = sizeof plain;
        for (size_t i = 1; i <= 3; i++) {
                size_t len = strtoul(until(c, "\r\n"), NULL, 16), done = 0;
                Bytef data[500];

                while (done < len + 2) {
                        ssize_t n = green_socket_recv(c, data + done, len + 2 - done, 0);

                        if (!CHECK(n > 0))
                                break;
                        done += (size_t)n;
                }
                z.next_in = data;
                z.avail_in = (uInt)len;
                CHECK_INT(inflate(&z, Z_SYNC_FLUSH), Z_OK);
                CHECK_INT(z.total_out, i * 100);
                green_wake_one(&go_on, 0);
        }
        CHECK(memcmp(plain, text, 300) == 0);
        CHECK_INT(inflateEnd(&z), Z_OK);
        (void)all_of(c);
        CHECK_INT(green_socket_free(c), 0);
        stop(&web);
}

/* So many at once are compressed, the others come as they are; and then it can be had again. */
static int ended;

static void *
wake_all_on(void *arg)
{
        const bool *done = arg;

        while (!*done) {
                green_wake_all(&go_on, 0);
                green_sleep(0.001);
        }
        return NULL;
}

static void
only_so_many_are_compressed_at_once(void)
{
        enum { MANY = 66 };
        green_socket *c[MANY];
        green_thread *waker;
        bool done = false;
        int gzip = 0;

        begin();
        stop(&web);
        web = (struct server){0};
        web.opts.compress = true;
        serve(&web, stream);
        for (int i = 0; i < MANY; i++) {
                c[i] = client_of(&web);
                say(c[i], "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" GZIP "\r\n");
                gzip += strstr(until(c[i], "\r\n\r\n"), "Content-Encoding: gzip") != NULL;
        }
        CHECK_INT(gzip, 64);
        waker = green_spawn(wake_all_on, &done);
        for (int i = 0; i < MANY; i++) {
                (void)all_of(c[i]);
                CHECK_INT(green_socket_free(c[i]), 0);
        }
        c[0] = client_of(&web);
        say(c[0], "GET / HTTP/1.1\r\nHost: a\r\n" GZIP "\r\n");
        CHECK(strstr(until(c[0], "\r\n\r\n"), "Content-Encoding: gzip") != NULL);
        CHECK_INT(green_socket_free(c[0]), 0);
        stop(&web);
        done = true;
        CHECK_INT(green_thread_wait(waker, NULL), 0);
        green_thread_unref(waker);
}

/* ---- one that was broken off */

/* The client goes away in the midst of the first; of the second there is nothing but its header. */
static int
broken_off(green_wsgi_request *req, void *arg)
{
        size_t len = 65000;
        unsigned x = 1;
        char *noise;
        int rc;

        (void)arg;
        CHECK_INT(green_wsgi_set_header(req, "Content-Type", "text/plain"), 0);
        rc = green_wsgi_start_response(req, 200, -1);
        if (strcmp(green_wsgi_path(req, NULL), "/much") != 0)
                return rc == 0 ? green_wsgi_write(req, NULL, 0) : rc;
        noise = malloc(len);
        for (size_t i = 0; i < len; i++)
                noise[i] = (char)((x = x * 1103515245 + 12345) >> 16);
        while (rc == 0)
                rc = green_wsgi_collect(req, noise, len);
        free(noise);
        ended++;
        return rc;
}

static void
what_was_broken_off_is_not_gone_on_with(void)
{
        green_socket *c;

        begin();
        stop(&web);
        web = (struct server){0};
        web.opts.compress = true;
        web.opts.no_log_output = true;
        ended = 0;
        serve(&web, broken_off);
        c = client_of(&web);
        say(c, "GET /much HTTP/1.1\r\nHost: a\r\n" GZIP "\r\n");
        (void)until(c, "\r\n\r\n");
        CHECK_INT(green_socket_free(c), 0);
        while (ended == 0)
                green_sleep(0.001);
        fetch("GET", "/nothing", GZIP);
        CHECK(has("Content-Encoding: gzip"));
        CHECK(body_len < 40);
        stop(&web);
}

GREEN_SUITE(web_compress) {
        GREEN_TEST(who_takes_it_gets_it),
        GREEN_TEST(weights_are_looked_at),
        GREEN_TEST(what_is_not_worth_it_is_sent_as_it_is),
        GREEN_TEST(what_must_not_be_changed_is_not),
        GREEN_TEST(without_the_option_nothing_is),
        GREEN_TEST(wrong_levels_are_refused),
        GREEN_TEST(a_strong_tag_becomes_a_weak_one),
        GREEN_TEST(vary_is_said_once),
        GREEN_TEST(to_head_the_header_is_that_of_get),
        GREEN_TEST(http_1_0_gets_it_as_it_is),
        GREEN_TEST(the_promised_length_is_held_to),
        GREEN_TEST(requests_follow_each_other_on_a_connection),
        GREEN_TEST(what_is_written_can_be_read_at_once),
        GREEN_TEST(only_so_many_are_compressed_at_once),
        GREEN_TEST(what_was_broken_off_is_not_gone_on_with),
        GREEN_SUITE_END
};
