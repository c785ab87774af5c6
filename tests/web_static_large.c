/*
 * Large files on their way: in the clear, where the system sends them, and over TLS, where they are read and sent. Whole
 * and in ranges, one behind the other; clients that go away in the middle or do not read; files that change meanwhile.
 */
#include "net_tls.h"
#include "web_folder.h"

#include <fcntl.h>
#include <sys/socket.h>

enum { VAST = 16 << 20 }; /* more than two sockets hold, of which one is small */

static bool by_tls;
static struct green_wsgi_stats stats;

static void
begin_sending(const struct green_wsgi_server_opts *opts)
{
        struct green_wrap_ssl_opts tls = {.size = sizeof tls};

        files = green_static_new(folder, NULL);
        CHECK(files != NULL);
        web = (struct server){0};
        if (opts != NULL)
                web.opts = *opts;
        stats = (struct green_wsgi_stats){0};
        web.opts.stats = &stats;
        web.opts.no_log_output = true;
        if (!by_tls) {
                serve(&web, files_app);
                return;
        }
        web.listener = listen_here(web.address);
        tls.context = server_context("ec");
        CHECK(green_wrap_ssl(web.listener, &tls) == web.listener);
        green_tls_context_unref(tls.context);
        web.app = files_app;
        web.opts.size = sizeof web.opts;
        web.thread = green_spawn(server_main, &web);
        green_sleep(0);
}

static void
end_sending(void)
{
        end();
        CHECK_INT(stats.connections, 0);
        CHECK_INT(stats.failed, 0);
        folder_end();
}

static green_socket *
client(void)
{
        struct tls_end e = {.s = client_of(&web), .name = "localhost"};

        if (!by_tls)
                return e.s;
        e.context = client_context();
        wrap_end(&e);
        if (!CHECK_INT(e.rc, 0))
                FAIL("%s", e.why);
        green_tls_context_unref(e.context);
        return e.s;
}

/* NULs, which need no room on the disk. */
static void
put_vast(const char *name)
{
        put_text(name, "");
        CHECK_INT(truncate(in_folder(name), VAST), 0);
}

static void
ask_for(green_socket *c, const char *name, const char *lines)
{
        char text[300];

        snprintf(text, sizeof text, "GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n", name, lines);
        say(c, text);
}

static void
check_range(green_socket *c, size_t from, size_t len)
{
        char lines[100];

        snprintf(lines, sizeof lines, "Range: bytes=%zu-%zu\r\n", from, from + len - 1);
        ask_for(c, "large.bin", lines);
        check_answer(c, 206, from, len);
}

/* ---- whole, and in ranges */

static void
large_and_small_ones_follow_each_other_in_order(void)
{
        green_socket *c;

        folder_begin();
        put_bytes("large.bin", LARGE);
        put_bytes("small.bin", 15000);
        put_bytes("middle.bin", 16384);
        put_bytes("empty.bin", 0);
        begin_sending(NULL);
        c = client();
        for (int i = 0; i < 3; i++) {
                /* All at once: what is collected goes before what the system sends. */
                ask_for(c, "small.bin", "");
                ask_for(c, "small.bin", "");
                ask_for(c, "large.bin", "");
                ask_for(c, "middle.bin", "");
                ask_for(c, "empty.bin", "");
                ask_for(c, "large.bin", "Range: bytes=1000000-\r\n");
                ask_for(c, "small.bin", "");
                check_answer(c, 200, 0, 15000);
                check_answer(c, 200, 0, 15000);
                check_answer(c, 200, 0, LARGE);
                check_answer(c, 200, 0, 16384);
                check_answer(c, 200, 0, 0);
                check_answer(c, 206, 1000000, LARGE - 1000000);
                check_answer(c, 200, 0, 15000);
        }
        CHECK_INT(stats.accepted, 1);
        CHECK_INT(green_socket_free(c), 0);
        end_sending();
}

static void
ranges_begin_and_end_where_they_like(void)
{
        green_socket *c;

        folder_begin();
        put_bytes("large.bin", LARGE);
        begin_sending(NULL);
        c = client();
        for (size_t i = 0; i < 20; i++)
                check_range(c, i * 70001, (1 << 20) + i * 4099);
        /* As large as a record, a buffer, a call of the system, and about. */
        for (size_t size = 8192; size <= 1 << 20; size *= 2)
                for (size_t len = size - 1; len <= size + 1; len++)
                        check_range(c, size + 1, len);
        check_range(c, LARGE - 1, 1);
        CHECK_INT(stats.accepted, 1);
        CHECK_INT(green_socket_free(c), 0);
        end_sending();
}

static void
several_large_ranges_are_parts(void)
{
        static const size_t from[] = {1, 1500000};
        char boundary[100], want[300];
        const char *header;
        green_socket *c;

        folder_begin();
        put_bytes("large.bin", LARGE);
        begin_sending(NULL);
        c = client();
        ask_for(c, "large.bin", "Range: bytes=1-1200000,1500000-2699999\r\n");
        header = until(c, "\r\n\r\n");
        CHECK_INT(status_of(header), 206);
        snprintf(boundary, sizeof boundary, "%s", field_of(header, "Content-Type"));
        CHECK(begins(boundary, "multipart/byteranges; boundary="));
        for (int i = 0; i < 2; i++) {
                snprintf(want, sizeof want,
                         "\r\n--%s\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes %zu-%zu/%d\r\n\r\n",
                         boundary + 31, from[i], from[i] + 1199999, LARGE);
                CHECK_STR(until(c, "\r\n\r\n"), want);
                check_bytes(c, from[i], 1200000);
        }
        snprintf(want, sizeof want, "\r\n--%s--\r\n", boundary + 31);
        CHECK_STR(until(c, "--\r\n"), want);
        check_range(c, 0, 100);
        CHECK_INT(green_socket_free(c), 0);
        end_sending();
}

/* ---- HTTP/1.0 */

static void
to_http_1_0_they_have_their_length_too(void)
{
        static const struct green_wsgi_server_opts old = {.max_http_version = 10};
        char byte;

        folder_begin();
        put_bytes("large.bin", LARGE);
        for (int i = 0; i < 3; i++) {
                green_socket *c;

                begin_sending(i == 2 ? &old : NULL);
                c = client();
                if (i == 1) {
                        say(c, "GET /large.bin HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n");
                        check_answer(c, 200, 0, LARGE);
                }
                say(c, "GET /large.bin HTTP/1.0\r\nRange: bytes=5-\r\n\r\n");
                check_answer(c, 206, 5, LARGE - 5);
                CHECK_INT(green_socket_recv(c, &byte, 1, 0), 0);
                CHECK_INT(green_socket_free(c), 0);
                end();
        }
        folder_end();
}

/* ---- clients that go away, or do not read */

/* One that holds little. */
static green_socket *
small_client(void)
{
        green_socket *c = client();
        int size = 65536;

        CHECK_INT(green_socket_setsockopt(c, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
        return c;
}

/* Its end will be a reset. */
static void
be_rude(green_socket *c)
{
        struct linger now = {.l_onoff = 1};

        CHECK_INT(green_socket_setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
}

static void
clients_that_go_away_in_the_middle_leave_nothing_open(void)
{
        green_socket *c;

        folder_begin();
        put_bytes("large.bin", LARGE);
        put_vast("vast.bin");
        begin_sending(NULL);
        for (int i = 0; i < 6; i++) {
                c = client();
                ask_for(c, "large.bin", "");
                ask_for(c, "vast.bin", "");
                (void)until(c, "\r\n\r\n");
                check_bytes(c, 0, i < 3 ? 100000 : LARGE);
                if (i % 2 == 0)
                        be_rude(c);
                CHECK_INT(green_socket_free(c), 0);
        }
        while (stats.connections > 0)
                green_sleep(0);
        /* Descriptors are counted behind each test; others are served. */
        c = client();
        ask_for(c, "large.bin", "");
        check_answer(c, 200, 0, LARGE);
        CHECK_INT(green_socket_free(c), 0);
        CHECK(!logged("failed"));
        end_sending();
}

static void
a_client_that_does_not_read_does_not_hold_the_end(void)
{
        static const struct green_wsgi_server_opts opts = {.shutdown_timeout = 0.05};
        green_socket *c;

        folder_begin();
        put_vast("vast.bin");
        begin_sending(&opts);
        c = small_client();
        ask_for(c, "vast.bin", "");
        (void)until(c, "\r\n\r\n");
        end_sending();
        CHECK_INT(green_socket_free(c), 0);
}

/* ---- files that change meanwhile */

/* The header has come, and the rest cannot have been sent. */
static green_socket *
begin_vast(void)
{
        green_socket *c;

        folder_begin();
        put_vast("vast.bin");
        begin_sending(NULL);
        c = small_client();
        ask_for(c, "vast.bin", "");
        CHECK_INT(status_of(until(c, "\r\n\r\n")), 200);
        return c;
}

/* Bytes that come until the connection ends, or so many are there. */
static size_t
rest_of(green_socket *c, size_t most)
{
        static char buf[65536];
        size_t len = 0;
        ssize_t n;

        while (len < most && (n = green_socket_recv(c, buf, most - len < sizeof buf ? most - len : sizeof buf, 0)) > 0)
                len += (size_t)n;
        return len;
}

static void
one_that_becomes_shorter_ends_the_connection(void)
{
        green_socket *c = begin_vast();

        CHECK_INT(truncate(in_folder("vast.bin"), 1000), 0);
        CHECK_RANGE(rest_of(c, VAST), 0, VAST - 1);
        CHECK_INT(green_socket_free(c), 0);
        CHECK(logged("a file has become shorter while it was sent: GET /vast.bin\n"));
        CHECK_INT(times_logged("\n"), 1);
        end_sending();
}

static void
one_that_becomes_longer_is_sent_as_long_as_it_was(void)
{
        green_socket *c = begin_vast();
        char range[100];

        CHECK_INT(truncate(in_folder("vast.bin"), VAST + 1000), 0);
        ask_for(c, "vast.bin", "Range: bytes=-1500\r\n");
        CHECK_INT(rest_of(c, VAST), VAST);
        snprintf(range, sizeof range, "bytes %d-%d/%d", VAST - 500, VAST + 999, VAST + 1000);
        CHECK_STR(field_of(until(c, "\r\n\r\n"), "Content-Range"), range);
        CHECK_INT(rest_of(c, 1500), 1500);
        CHECK_INT(green_socket_free(c), 0);
        end_sending();
}

static void
one_that_is_deleted_is_sent_to_its_end(void)
{
        green_socket *c = begin_vast();

        CHECK_INT(unlink(in_folder("vast.bin")), 0);
        ask_for(c, "vast.bin", "");
        CHECK_INT(rest_of(c, VAST), VAST);
        CHECK_INT(status_of(until(c, "\r\n\r\n")), 404);
        CHECK_INT(green_socket_free(c), 0);
        end_sending();
}

/* ---- each of them twice */

#define OVER_TLS(test)                                                                                                 \
        static void test##_over_tls(void)                                                                              \
        {                                                                                                              \
                if (!has_tls())                                                                                        \
                        return;                                                                                        \
                by_tls = true;                                                                                         \
                test();                                                                                                \
                by_tls = false;                                                                                        \
        }

OVER_TLS(large_and_small_ones_follow_each_other_in_order)
OVER_TLS(ranges_begin_and_end_where_they_like)
OVER_TLS(several_large_ranges_are_parts)
OVER_TLS(to_http_1_0_they_have_their_length_too)
OVER_TLS(clients_that_go_away_in_the_middle_leave_nothing_open)
OVER_TLS(a_client_that_does_not_read_does_not_hold_the_end)
OVER_TLS(one_that_becomes_shorter_ends_the_connection)
OVER_TLS(one_that_becomes_longer_is_sent_as_long_as_it_was)
OVER_TLS(one_that_is_deleted_is_sent_to_its_end)

GREEN_SUITE(web_static_large) {
        GREEN_TEST(large_and_small_ones_follow_each_other_in_order),
        GREEN_TEST(large_and_small_ones_follow_each_other_in_order_over_tls),
        GREEN_TEST(ranges_begin_and_end_where_they_like),
        GREEN_TEST(ranges_begin_and_end_where_they_like_over_tls),
        GREEN_TEST(several_large_ranges_are_parts),
        GREEN_TEST(several_large_ranges_are_parts_over_tls),
        GREEN_TEST(to_http_1_0_they_have_their_length_too),
        GREEN_TEST(to_http_1_0_they_have_their_length_too_over_tls),
        GREEN_TEST(clients_that_go_away_in_the_middle_leave_nothing_open),
        GREEN_TEST(clients_that_go_away_in_the_middle_leave_nothing_open_over_tls),
        GREEN_TEST(a_client_that_does_not_read_does_not_hold_the_end),
        GREEN_TEST(a_client_that_does_not_read_does_not_hold_the_end_over_tls),
        GREEN_TEST(one_that_becomes_shorter_ends_the_connection),
        GREEN_TEST(one_that_becomes_shorter_ends_the_connection_over_tls),
        GREEN_TEST(one_that_becomes_longer_is_sent_as_long_as_it_was),
        GREEN_TEST(one_that_becomes_longer_is_sent_as_long_as_it_was_over_tls),
        GREEN_TEST(one_that_is_deleted_is_sent_to_its_end),
        GREEN_TEST(one_that_is_deleted_is_sent_to_its_end_over_tls),
        GREEN_SUITE_END
};
