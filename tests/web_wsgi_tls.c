/*
 * The HTTP server over TLS: what an application is told, clients that shake hands badly or not at all, connections at
 * rest, requests that lie across records as they like, ends without a goodbye.
 */
#include "net_tls.h"
#include "web_suite.h"

#include <time.h>

/* ---- a server with TLS */

struct tls_server {
        struct server s; /* the first member: applications get it */
        struct green_wsgi_stats stats;
        char scheme[16], https[16], url_scheme[16];
};

static int
hello(green_wsgi_request *req, void *arg)
{
        struct tls_server *s = arg;
        const char *https = green_wsgi_environ(req, "HTTPS");
        const char *url_scheme = green_wsgi_environ(req, "wsgi.url_scheme");

        snprintf(s->scheme, sizeof s->scheme, "%s", green_wsgi_scheme(req));
        snprintf(s->https, sizeof s->https, "%s", https == NULL ? "none" : https);
        snprintf(s->url_scheme, sizeof s->url_scheme, "%s", url_scheme == NULL ? "none" : url_scheme);
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

/* Reads the body, and fails as it does. */
static int
swallow(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        char buf[4096];

        while ((s->last_read = green_wsgi_read(req, buf, sizeof buf)) > 0)
                ;
        return s->last_read < 0 ? (int)s->last_read : green_wsgi_respond(req, 200, NULL, "all", 3);
}

static void
begin_with(struct tls_server *t, green_wsgi_app app, const struct green_wrap_ssl_opts *tls)
{
        t->s.listener = listen_here(t->s.address);
        CHECK(green_wrap_ssl(t->s.listener, tls) == t->s.listener);
        t->s.app = app;
        t->s.opts.size = sizeof t->s.opts;
        t->s.opts.stats = &t->stats;
        t->s.opts.no_log_output = true;
        t->s.thread = green_spawn(server_main, &t->s);
        green_sleep(0);
}

static void
begin(struct tls_server *t, green_wsgi_app app)
{
        struct green_wrap_ssl_opts o = {.size = sizeof o, .context = server_context("ec")};

        begin_with(t, app, &o);
        green_tls_context_unref(o.context);
}

static void
end(struct tls_server *t)
{
        stop(&t->s);
        CHECK_INT(t->stats.connections, 0);
}

/* ---- clients */

static green_socket *
tls_client(const struct tls_server *t)
{
        struct tls_end e = {.s = client_of(&t->s), .context = client_context(), .name = "localhost"};

        wrap_end(&e);
        if (!CHECK_INT(e.rc, 0))
                FAIL("%s", e.why);
        green_tls_context_unref(e.context);
        return e.s;
}

/* What comes up to the end: its code is *ret_rc. */
static const char *
rest_of(green_socket *c, ssize_t *ret_rc)
{
        static char text[65536];
        size_t len = 0;
        ssize_t n;

        while ((n = green_socket_recv(c, text + len, sizeof text - 1 - len, 0)) > 0)
                len += (size_t)n;
        text[len] = '\0';
        *ret_rc = n;
        return text;
}

/* So many answers of hello() come, and nothing behind the last one yet. */
static void
expect_hellos(green_socket *c, int count)
{
        static char text[262144];
        size_t len = 0;

        text[0] = '\0';
        while (count > 0) {
                ssize_t n = green_socket_recv(c, text + len, sizeof text - 1 - len, 0);

                if (!CHECK_RANGE(n, 1, sizeof text))
                        return;
                len += (size_t)n;
                text[len] = '\0';
                for (char *p; (p = strstr(text, "\r\n\r\nHello")) != NULL; count--) {
                        CHECK(strncmp(text, "HTTP/1.1 200 ", 13) == 0);
                        len -= (size_t)(p + 9 - text);
                        memmove(text, p + 9, len + 1);
                }
        }
        CHECK_INT(count, 0);
        CHECK_INT(len, 0);
}

/* Who keeps to the rules is served, whatever others do. */
static void
expect_served(const struct tls_server *t)
{
        green_socket *c = tls_client(t);

        say(c, GET);
        expect_hellos(c, 1);
        CHECK_INT(green_socket_free(c), 0);
}

/* The first bytes of a handshake; the rest does not come. */
static void
say_half_a_hello(green_socket *c)
{
        static const char start[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

        CHECK_INT(green_socket_sendall(c, start, sizeof start - 1, 0, NULL), 0);
}

static double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t
threads(void)
{
        struct green_hub_info info = {.size = sizeof info};

        CHECK_INT(green_hub_get_info(&info), 0);
        return info.threads;
}

/* ---- what the application is told */

static void
the_scheme_is_told(void)
{
        struct tls_server t = {0};

        GREEN_COVERS("WSGI-16");
        if (!has_tls())
                return;
        begin(&t, hello);
        expect_served(&t);
        CHECK_STR(t.scheme, "https");
        CHECK_STR(t.https, "on");
        CHECK_STR(t.url_scheme, "https");
        end(&t);
}

static void
in_the_clear_it_is_http(void)
{
        struct tls_server t = {0};
        green_socket *c;

        GREEN_COVERS("WSGI-16");
        serve(&t.s, hello);
        c = client_of(&t.s);
        say(c, GET);
        expect_hellos(c, 1);
        CHECK_INT(green_socket_free(c), 0);
        CHECK_STR(t.scheme, "http");
        CHECK_STR(t.https, "none");
        CHECK_STR(t.url_scheme, "http");
        stop(&t.s);
}

/* ---- bad handshakes */

static void
a_client_that_fails_its_handshake_hurts_nobody(void)
{
        struct tls_server t = {0};
        struct green_tls_opts distrust = {.size = sizeof distrust, .ca_file = CERT("ca2")};
        struct tls_end e = {.name = "localhost"};
        green_socket *c, *before;
        ssize_t rc;

        GREEN_COVERS("WSGI-16");
        if (!has_tls())
                return;
        begin(&t, hello);
        before = tls_client(&t);
        say(before, GET);
        expect_hellos(before, 1);

        /* One that does not speak TLS. */
        c = client_of(&t.s);
        say(c, GET);
        CHECK(strstr(rest_of(c, &rc), "HTTP/1.1 200") == NULL);
        CHECK(rc == 0 || rc == -ECONNRESET);
        CHECK_INT(green_socket_free(c), 0);
        CHECK_INT(times_logged("TLS: no handshake with 127.0.0.1:"), 1);

        /* One that does not trust the server. */
        e.context = green_tls_context_new(&distrust);
        e.s = client_of(&t.s);
        wrap_end(&e);
        CHECK_INT(e.rc, GREEN_ETLSVERIFY);
        green_tls_context_unref(e.context);
        CHECK_INT(green_socket_free(e.s), 0);

        /* One that leaves in the middle. */
        c = client_of(&t.s);
        say_half_a_hello(c);
        CHECK_INT(green_socket_free(c), 0);

        while (t.stats.connections > 1)
                green_sleep(0);
        CHECK_INT(t.stats.accepted, 4);
        CHECK_INT(t.stats.requests, 1);
        CHECK_INT(t.stats.failed, 0);
        CHECK_INT(times_logged("TLS: no handshake with 127.0.0.1:"), 3);
        CHECK_INT(times_logged("\n"), 3);
        say(before, GET);
        expect_hellos(before, 1);
        CHECK_INT(green_socket_free(before), 0);
        expect_served(&t);
        end(&t);
}

static void
a_handshake_that_does_not_go_on_takes_nobodys_place(void)
{
        struct tls_server t = {.s.opts.max_size = 1};
        green_socket *slow[3];

        GREEN_COVERS("WSGI-16");
        if (!has_tls())
                return;
        begin(&t, hello);
        for (int i = 0; i < 3; i++) {
                slow[i] = client_of(&t.s);
                say_half_a_hello(slow[i]);
        }
        while (t.stats.accepted < 3)
                green_sleep(0);
        expect_served(&t);
        CHECK_INT(t.stats.requests, 1);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_socket_free(slow[i]), 0);
        end(&t);
}

static void
a_handshake_that_does_not_go_on_ends_in_time(void)
{
        struct green_tls_opts o = {
                .size = sizeof o, .cert_file = CERT("ec"), .key_file = KEY("ec"), .handshake_timeout = 0.05};
        struct green_wrap_ssl_opts wrap = {.size = sizeof wrap};
        struct tls_server t = {0};
        green_socket *c;
        ssize_t rc;

        GREEN_COVERS("WSGI-16");
        if (!has_tls())
                return;
        wrap.context = green_tls_context_new(&o);
        CHECK(wrap.context != NULL);
        begin_with(&t, hello, &wrap);
        green_tls_context_unref(wrap.context);
        c = client_of(&t.s);
        say_half_a_hello(c);
        (void)rest_of(c, &rc);
        CHECK(rc == 0 || rc == -ECONNRESET);
        CHECK(logged("TLS: no handshake with 127.0.0.1:"));
        CHECK_INT(green_socket_free(c), 0);
        end(&t);
}

static void
silent_clients_do_not_hold_the_servers_end(void)
{
        struct tls_server t = {.s.opts.shutdown_timeout = GREEN_FOREVER};
        green_socket *silent, *halfway, *rests;
        double began;

        GREEN_COVERS("WSGI-16");
        if (!has_tls())
                return;
        begin(&t, hello);
        silent = client_of(&t.s);
        halfway = client_of(&t.s);
        say_half_a_hello(halfway);
        rests = tls_client(&t); /* after the others, whose bytes were seen when this is there */
        while (t.stats.accepted < 3)
                green_sleep(0);
        began = now();
        end(&t);
        /* A handshake may take 10 seconds. */
        CHECK_RANGE(now() - began, 0, 5 * suite_slow());
        CHECK_INT(green_socket_free(silent), 0);
        CHECK_INT(green_socket_free(halfway), 0);
        CHECK_INT(green_socket_free(rests), 0);
}

/* ---- at rest */

static void
a_connection_at_rest_costs_no_green_thread(void)
{
        struct tls_server t = {0};
        green_socket *c[8], *silent;

        GREEN_COVERS("WSGI-39");
        if (!has_tls())
                return;
        begin(&t, hello);
        silent = client_of(&t.s);
        for (int i = 0; i < 8; i++) {
                c[i] = tls_client(&t);
                say(c[i], GET);
                expect_hellos(c[i], 1);
        }
        while (t.stats.idle < 9)
                green_sleep(0);
        CHECK_INT(threads(), 2);
        /* They come back, and rest again. */
        for (int i = 0; i < 8; i++) {
                say(c[i], GET);
                expect_hellos(c[i], 1);
        }
        while (t.stats.idle < 9)
                green_sleep(0);
        CHECK_INT(threads(), 2);
        CHECK_INT(t.stats.requests, 16);
        for (int i = 0; i < 8; i++)
                CHECK_INT(green_socket_free(c[i]), 0);
        CHECK_INT(green_socket_free(silent), 0);
        end(&t);
}

static void
a_connection_at_rest_ends_in_time(void)
{
        struct tls_server t = {.s.opts.keepalive = 0.3};
        green_socket *c, *silent;
        ssize_t rc;

        GREEN_COVERS("WSGI-39");
        if (!has_tls())
                return;
        begin(&t, hello);
        silent = client_of(&t.s);
        CHECK_STR(rest_of(silent, &rc), "");
        CHECK_INT(rc, 0);
        CHECK_INT(green_socket_free(silent), 0);
        c = tls_client(&t);
        say(c, GET);
        expect_hellos(c, 1);
        /* With a goodbye: nothing was cut short. */
        CHECK_STR(rest_of(c, &rc), "");
        CHECK_INT(rc, 0);
        CHECK_INT(green_socket_free(c), 0);
        end(&t);
}

/* ---- requests and records */

static void
requests_in_one_record_are_all_answered(void)
{
        struct tls_server t = {0};
        char text[300 * (sizeof GET - 1) + 1];
        green_socket *c;
        ssize_t rc;

        GREEN_COVERS("WSGI-41");
        if (!has_tls())
                return;
        begin(&t, hello);
        c = tls_client(&t);
        for (int i = 0; i < 300; i++)
                memcpy(text + (size_t)i * (sizeof GET - 1), GET, sizeof GET);
        for (int i = 0; i < 3; i++) {
                say(c, text);
                expect_hellos(c, 300);
        }
        /* Said goodbye in the same breath, and answered all the same. */
        say(c, GET GET);
        CHECK_INT(green_socket_shutdown(c, SHUT_WR), 0);
        expect_hellos(c, 2);
        CHECK_STR(rest_of(c, &rc), "");
        CHECK_INT(rc, 0);
        CHECK_INT(t.stats.requests, 902);
        CHECK_INT(green_socket_free(c), 0);
        end(&t);
}

/* Two requests in a record, the first of which has so many bytes. */
static void
send_two(green_socket *c, size_t first)
{
        static const char begin[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        char text[20000];
        size_t len = sizeof begin - 1;

        memcpy(text, begin, len);
        memset(text + len, 'x', first - len - 4);
        memcpy(text + first - 4, "\r\n\r\n", 4);
        memcpy(text + first, GET, sizeof GET);
        say(c, text);
}

/* What is decrypted and not yet read is nothing that a poll would see: the server looks for it. */
static void
what_is_left_of_a_record_is_not_forgotten(void)
{
        struct tls_server t = {.s.opts.max_field_size = 17000};
        green_socket *c;

        GREEN_COVERS("WSGI-41");
        if (!has_tls())
                return;
        begin(&t, hello);
        c = tls_client(&t);
        /* As large as its buffers may be, and about. */
        for (size_t size = 1024; size <= 16384; size *= 2)
                for (size_t first = size - 3; first <= size + 3 && first + sizeof GET - 1 <= 16384; first++) {
                        send_two(c, first);
                        expect_hellos(c, 2);
                }
        CHECK_INT(green_socket_free(c), 0);
        end(&t);
}

static void
a_request_may_lie_across_records(void)
{
        static const char two[] = GET GET;
        struct tls_server t = {0};
        green_socket *c;

        GREEN_COVERS("WSGI-41");
        if (!has_tls())
                return;
        begin(&t, hello);
        c = tls_client(&t);
        /* Every send is a record. */
        for (size_t i = 0; i < sizeof two - 1; i++)
                CHECK_INT(green_socket_send(c, two + i, 1, 0), 1);
        expect_hellos(c, 2);
        for (size_t at = 1; at < sizeof two - 1; at++) {
                CHECK_INT(green_socket_send(c, two, at, 0), at);
                CHECK_INT(green_socket_send(c, two + at, sizeof two - 1 - at, 0), sizeof two - 1 - at);
                expect_hellos(c, 2);
        }
        CHECK_INT(green_socket_free(c), 0);
        end(&t);
}

/* ---- ends without a goodbye */

/* The connection ends under TLS: as an attacker would end it, who cannot say goodbye in the client's name. */
static void
cut_off(green_socket *c)
{
        CHECK_INT(shutdown(green_socket_fd(c), SHUT_WR), 0);
}

static void
a_body_that_is_cut_off_is_an_error(void)
{
        static const char *const requests[] = {
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        };
        struct tls_server t = {0};
        green_socket *c;
        ssize_t rc;

        GREEN_COVERS("WSGI-52");
        if (!has_tls())
                return;
        begin(&t, swallow);
        for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
                for (int goodbye = 0; goodbye < 2; goodbye++) {
                        t.s.last_read = 1;
                        c = tls_client(&t);
                        say(c, requests[i]);
                        if (goodbye == 1)
                                CHECK_INT(green_socket_shutdown(c, SHUT_WR), 0);
                        else
                                cut_off(c);
                        CHECK(strstr(rest_of(c, &rc), "200 OK") == NULL);
                        /* A goodbye in the middle is no end either. */
                        CHECK_INT(t.s.last_read, goodbye == 1 ? -ECONNRESET : GREEN_ETLSEOF);
                        CHECK_INT(green_socket_free(c), 0);
                }
        }
        /* Nor is there half a request. */
        c = tls_client(&t);
        say(c, "POST / HTTP/1.1\r\nHost: a\r\n");
        cut_off(c);
        t.s.last_read = 1;
        CHECK(strstr(rest_of(c, &rc), "200 OK") == NULL);
        CHECK_INT(t.s.last_read, 1);
        CHECK_INT(green_socket_free(c), 0);
        end(&t);
}

/* ---- an end that no client can hold up */

/* More than all buffers on the way hold. */
static char plenty[32 << 20];

static int
fill_the_connection(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        green_socket *socket = green_wsgi_take_over(req, NULL, NULL);

        green_wsgi_set_idle(req);
        s->running = 1;
        s->last_read = socket == NULL ? -EIO : green_socket_sendall(socket, plenty, sizeof plenty, 0, NULL);
        return 0;
}

static void
a_client_that_reads_nothing_does_not_hold_the_end(void)
{
        struct tls_server t = {.s.opts.shutdown_timeout = 0.05};
        green_socket *c;

        GREEN_COVERS("WSGI-09");
        if (!has_tls())
                return;
        begin(&t, fill_the_connection);
        c = tls_client(&t);
        say(c, GET);
        while (t.s.running == 0)
                green_sleep(0);
        /* It yields now and then before it has to wait. */
        for (int i = 0; i < 1000; i++)
                green_sleep(0);
        end(&t);
        CHECK_INT(t.s.last_read, GREEN_EKILLED);
        CHECK_INT(green_socket_free(c), 0);
}

GREEN_SUITE(web_wsgi_tls) {
        GREEN_TEST(the_scheme_is_told),
        GREEN_TEST(in_the_clear_it_is_http),
        GREEN_TEST(a_client_that_fails_its_handshake_hurts_nobody),
        GREEN_TEST(a_handshake_that_does_not_go_on_takes_nobodys_place),
        GREEN_TEST(a_handshake_that_does_not_go_on_ends_in_time),
        GREEN_TEST(silent_clients_do_not_hold_the_servers_end),
        GREEN_TEST(a_connection_at_rest_costs_no_green_thread),
        GREEN_TEST(a_connection_at_rest_ends_in_time),
        GREEN_TEST(requests_in_one_record_are_all_answered),
        GREEN_TEST(what_is_left_of_a_record_is_not_forgotten),
        GREEN_TEST(a_request_may_lie_across_records),
        GREEN_TEST(a_body_that_is_cut_off_is_an_error),
        GREEN_TEST(a_client_that_reads_nothing_does_not_hold_the_end),
        GREEN_SUITE_END
};
