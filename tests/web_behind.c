/*
 * The HTTP server behind proxies that pass connections on: the PROXY protocol.
 */
#include "net_tls.h"
#include "web_suite.h"

#include <green/proxy.h>

static const char *const from_loopback[] = {"127.0.0.0/8", "unix", NULL};

static struct green_wsgi_stats stats;

/* Says who asks. */
static int
who(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        struct green_addr peer;
        char name[GREEN_ADDR_TEXT_SIZE] = "?";
        const char *addr = green_wsgi_environ(req, "REMOTE_ADDR"), *port = green_wsgi_environ(req, "REMOTE_PORT");
        char text[400];

        s->requests++;
        if (green_wsgi_peer(req, &peer) == 0)
                green_addr_format(&peer, name, sizeof name);
        snprintf(text, sizeof text, "%s|%s|%s|%s|%s.", green_wsgi_client(req), name, addr != NULL ? addr : "-",
                 port != NULL ? port : "-", green_wsgi_scheme(req));
        return green_wsgi_respond(req, 200, "text/plain", text, strlen(text));
}

static void
serve_behind(struct server *s)
{
        s->opts.proxy_protocol = true;
        if (s->opts.trusted_proxies == NULL)
                s->opts.trusted_proxies = from_loopback;
        s->opts.stats = &stats;
        s->opts.no_log_output = true;
        serve(s, who);
}

static const char *
body_of(const char *answer)
{
        const char *body = strstr(answer, "\r\n\r\n");

        return body == NULL ? answer : body + 4;
}

#define LINE "PROXY TCP4 192.0.2.1 198.51.100.255 56324 443\r\n"
#define ONCE "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

static void
the_client_is_whom_the_header_names(void)
{
        struct server s = {0};

        serve_behind(&s);
        CHECK_STR(body_of(ask(&s, LINE ONCE)), "192.0.2.1|192.0.2.1:56324|192.0.2.1|56324|http.");
        CHECK_STR(body_of(ask(&s, "PROXY TCP6 2001:db8::1 ::1 1 2\r\n" ONCE)), "2001:db8::1|[2001:db8::1]:1|2001:db8::1|1|http.");
        /* Not of the next connection. */
        CHECK(begins(body_of(ask(&s, "PROXY UNKNOWN\r\n" ONCE)), "127.0.0.1|127.0.0.1:"));
        stop(&s);
        CHECK_INT(stats.unproxied, 0);
}

static void
a_block_is_understood_too(void)
{
        static const char block[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14\xc0\0\x02\x01\xc6\x33\x64\xff\xdc\x04\x01\xbb\x20\0\x05\x01\0\0\0\0";
        struct server s = {0};
        green_socket *c;

        serve_behind(&s);
        c = client_of(&s);
        CHECK_INT(green_socket_sendall(c, block, sizeof block - 1, 0, NULL), 0);
        say(c, GET);
        CHECK_STR(body_of(until(c, "https.")), "192.0.2.1|192.0.2.1:56324|192.0.2.1|56324|https.");
        /* For all requests of the connection. */
        say(c, GET);
        CHECK_STR(body_of(until(c, "https.")), "192.0.2.1|192.0.2.1:56324|192.0.2.1|56324|https.");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static void
the_header_may_come_in_pieces_and_alone(void)
{
        struct server s = {0};
        green_socket *c;

        serve_behind(&s);
        c = client_of(&s);
        for (const char *at = LINE; *at != '\0'; at++) {
                CHECK_INT(green_socket_sendall(c, at, 1, 0, NULL), 0);
                green_sleep(0);
        }
        /* It rests again: no request is here. */
        while (stats.idle != 1)
                green_sleep(0);
        say(c, GET);
        CHECK(begins(body_of(until(c, "http.")), "192.0.2.1|"));
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static void
before_its_first_byte_a_connection_rests(void)
{
        struct server s = {0};
        struct green_hub_info info = {.size = sizeof info};
        green_socket *c;

        serve_behind(&s);
        c = client_of(&s);
        while (stats.idle != 1)
                green_sleep(0);
        CHECK_INT(green_hub_get_info(&info), 0);
        CHECK_INT(info.threads, 2);
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static void
no_header_no_answer(void)
{
        static const char *const wrong[] = {GET, "PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n" GET, "PROXY NONSENSE\r\n" GET,
                                            "PROXY TCP4 192.0.2.1 198.51.100.255 56324 443\n" GET};
        struct server s = {0};

        serve_behind(&s);
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                green_socket *c = client_of(&s);
                char byte;
                ssize_t n;

                say(c, wrong[i]);
                /* With what it has not read, the close is a reset. */
                n = green_socket_recv(c, &byte, 1, 0);
                CHECK(n == 0 || n == -ECONNRESET);
                CHECK_INT(green_socket_free(c), 0);
                CHECK_INT(stats.unproxied, i + 1);
        }
        CHECK_INT(s.requests, 0);
        CHECK_INT(times_logged("a connection from 127.0.0.1:"), 4);
        CHECK(logged("PROXY protocol: there is no header"));
        stop(&s);
}

static void
a_header_that_does_not_come_is_not_waited_for(void)
{
        struct server s = {.opts.header_timeout = 0.05};
        green_socket *c;
        char byte;

        serve_behind(&s);
        c = client_of(&s);
        say(c, "PROXY TCP4 ");
        CHECK_INT(green_socket_recv(c, &byte, 1, 0), 0);
        CHECK_INT(green_socket_free(c), 0);
        CHECK_INT(stats.unproxied, 1);
        CHECK(logged("no header in time"));
        stop(&s);
}

static void
strangers_are_not_let_in(void)
{
        static const char *const others[] = {"10.0.0.0/8", NULL};
        struct server s = {.opts.trusted_proxies = others};
        green_socket *c;
        char byte;
        ssize_t n;

        serve_behind(&s);
        c = client_of(&s);
        n = green_socket_recv(c, &byte, 1, 0);
        CHECK(n == 0 || n == -ECONNRESET);
        CHECK_INT(green_socket_free(c), 0);
        CHECK_INT(stats.unproxied, 1);
        CHECK(logged("it is none of trusted_proxies"));
        stop(&s);
}

static int told, warned;

static void
count_told(void *arg, enum green_log_level level, const char *message)
{
        (void)arg;
        told += strstr(message, "PROXY protocol: ") != NULL;
        warned += strstr(message, "PROXY protocol: ") != NULL && level == GREEN_LOG_WARNING;
}

/* Whoever has forgotten to name his proxy sees nothing else of it. */
static void
the_first_that_is_not_let_in_is_a_warning(void)
{
        struct server s = {0};

        told = warned = 0;
        green_set_log(count_told, NULL);
        serve_behind(&s);
        for (int i = 0; i < 3; i++) {
                green_socket *c = client_of(&s);
                char byte;

                say(c, "\x16\x03\x01");
                CHECK(green_socket_recv(c, &byte, 1, 0) <= 0);
                CHECK_INT(green_socket_free(c), 0);
        }
        stop(&s);
        green_set_log(log_line, NULL);
        CHECK_INT(told, 3);
        CHECK_INT(warned, 1);
}

static void
somebody_has_to_be_trusted(void)
{
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .proxy_protocol = true};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);

        CHECK_INT(green_wsgi_server(listener, who, NULL, &opts), -EINVAL);
        CHECK(strstr(green_last_error()->message, "proxy_protocol needs trusted_proxies") != NULL);
        CHECK_INT(green_socket_free(listener), 0);
}

/* A proxy of connections before one of HTTP, and the same without: whom the header names is believed if he is trusted. */
static void
what_is_forwarded_counts_from_whom_the_header_names(void)
{
        static const char *const trusted[] = {"127.0.0.1", "192.0.2.1", NULL};
        struct server s = {.opts.trusted_proxies = trusted};

        serve_behind(&s);
        CHECK(begins(body_of(ask(&s, LINE "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")),
                     "203.0.113.9|192.0.2.1:56324|"));
        CHECK(begins(body_of(ask(&s, "PROXY TCP4 192.0.2.2 198.51.100.255 1 2\r\n"
                                     "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")),
                     "192.0.2.2|192.0.2.2:1|"));
        stop(&s);
}

/* Neither where its green thread has not run yet, nor where that waits for the rest. */
static void
the_end_does_not_wait_for_headers(void)
{
        for (int runs = 0; runs < 2; runs++) {
                struct server s = {.opts = {.header_timeout = 100, .shutdown_timeout = 100}};
                green_socket *c[2];

                serve_behind(&s);
                for (int i = 0; i < 2; i++)
                        c[i] = client_of(&s);
                say(c[1], "PROXY TC");
                while (stats.accepted != 2 || stats.idle != 1)
                        green_sleep(0);
                for (int i = 0; i < 10 * runs; i++)
                        green_sleep(0);
                stop(&s);
                CHECK_INT(stats.connections, 0);
                CHECK_INT(stats.unproxied, 0);
                CHECK_INT(green_socket_free(c[0]), 0);
                CHECK_INT(green_socket_free(c[1]), 0);
        }
}

/* ---- before TLS */

static void
it_comes_before_tls(void)
{
        struct green_wrap_ssl_opts o = {.size = sizeof o};
        struct server s = {.opts = {.size = sizeof s.opts, .proxy_protocol = true, .trusted_proxies = from_loopback,
                                    .stats = &stats, .no_log_output = true}};
        struct tls_end e = {.name = "localhost"};

        if (!has_tls())
                return;
        o.context = server_context("ec");
        s.listener = listen_here(s.address);
        CHECK(green_wrap_ssl(s.listener, &o) == s.listener);
        green_tls_context_unref(o.context);
        s.app = who;
        s.thread = green_spawn(server_main, &s);
        green_sleep(0);
        e.s = client_of(&s);
        e.context = client_context();
        say(e.s, LINE);
        wrap_end(&e);
        if (CHECK_INT(e.rc, 0)) {
                say(e.s, GET);
                CHECK_STR(body_of(until(e.s, "https.")), "192.0.2.1|192.0.2.1:56324|192.0.2.1|56324|https.");
                say(e.s, GET);
                CHECK(begins(body_of(until(e.s, "https.")), "192.0.2.1|"));
                CHECK_INT(green_socket_free(e.s), 0);
        }
        /* And TLS without it is nothing. */
        e.s = client_of(&s);
        wrap_end(&e);
        CHECK(e.rc != 0);
        if (e.s != NULL)
                CHECK_INT(green_socket_free(e.s), 0);
        CHECK_INT(stats.unproxied, 1);
        green_tls_context_unref(e.context);
        stop(&s);
}

static void
once_tls_has_begun_it_is_too_late(void)
{
        struct green_proxy_info info;
        struct tls_end ends[2] = {{.server = true}, {.name = "localhost"}};
        green_socket *pair[2];
        green_thread *gt;

        if (!has_tls())
                return;
        CHECK_INT(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        ends[0].s = pair[0];
        ends[0].context = server_context("ec");
        ends[1].s = pair[1];
        ends[1].context = client_context();
        gt = green_spawn(wrap_end, &ends[0]);
        wrap_end(&ends[1]);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(ends[0].rc, 0);
        CHECK_INT(green_socket_read_proxy(ends[0].s, &info), -EISCONN);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(green_socket_free(ends[i].s), 0);
                green_tls_context_unref(ends[i].context);
        }
}

GREEN_SUITE(web_behind) {
        GREEN_TEST(the_client_is_whom_the_header_names),
        GREEN_TEST(a_block_is_understood_too),
        GREEN_TEST(the_header_may_come_in_pieces_and_alone),
        GREEN_TEST(before_its_first_byte_a_connection_rests),
        GREEN_TEST(no_header_no_answer),
        GREEN_TEST(a_header_that_does_not_come_is_not_waited_for),
        GREEN_TEST(strangers_are_not_let_in),
        GREEN_TEST(the_first_that_is_not_let_in_is_a_warning),
        GREEN_TEST(somebody_has_to_be_trusted),
        GREEN_TEST(what_is_forwarded_counts_from_whom_the_header_names),
        GREEN_TEST(the_end_does_not_wait_for_headers),
        GREEN_TEST(it_comes_before_tls),
        GREEN_TEST(once_tls_has_begun_it_is_too_late),
        GREEN_SUITE_END
};
