/* net/tls_wrap.c, net/tls_load.c: green_wrap_ssl(), its kinds of sockets, and taking TLS off again. */
#include "module_files.h"
#include "net_tls.h"

#include <unistd.h>

static void *
accept_and_greet(void *arg)
{
        green_socket *client = green_socket_accept(arg, NULL);
        char buf[8];
        ssize_t n;

        CHECK(client != NULL);
        CHECK(green_socket_is_tls(client));
        CHECK(green_tls_version(client) == NULL);
        n = green_socket_recv(client, buf, sizeof buf, 0);
        if (n > 0)
                (void)!green_socket_sendall(client, buf, (size_t)n, 0, NULL);
        CHECK_INT(green_socket_free(client), 0);
        return NULL;
}

static void
a_socket_that_is_not_connected_yet_is_wrapped(void)
{
        struct green_wrap_ssl_opts s = {.size = sizeof s, .certfile = CERT("ec"), .keyfile = KEY("ec")};
        struct green_wrap_ssl_opts c = {.size = sizeof c, .ca_certs = CERT("ca"), .server_hostname = "localhost"};
        char address[GREEN_ADDR_TEXT_SIZE], buf[8];
        green_socket *listener, *client;
        struct green_addr addr;
        green_thread *gt;

        GREEN_COVERS("SSL-04", "SSL-03", "CONV-17", "SSL-12");
        if (!has_tls())
                return;
        listener = listen_here(address);
        CHECK(green_wrap_ssl(listener, &s) == listener);
        CHECK_INT(green_addr_parse(address, &addr), 0);
        for (int lazy = 0; lazy < 2; lazy++) {
                gt = green_spawn(accept_and_greet, listener);
                client = green_socket_new(AF_INET, SOCK_STREAM, 0);
                c.no_handshake_on_connect = lazy == 1;
                CHECK(green_wrap_ssl(client, &c) == client);
                CHECK_INT(green_socket_connect(client, &addr), 0);
                CHECK((green_tls_version(client) == NULL) == (lazy == 1));
                CHECK_INT(green_socket_sendall(client, "hello", 5, 0, NULL), 0);
                CHECK_INT(green_socket_recv(client, buf, sizeof buf, 0), 5);
                CHECK(green_tls_version(client) != NULL);
                CHECK_INT(green_socket_recv(client, buf, sizeof buf, 0), 0);
                CHECK_INT(green_thread_wait(gt, NULL), 0);
                green_thread_unref(gt);
                CHECK_INT(green_socket_free(client), 0);
        }
        CHECK_INT(green_socket_free(listener), 0);
}

static void
one_that_was_wrapped_before_it_listens_gives_tls_too(void)
{
        struct green_wrap_ssl_opts s = {
                .size = sizeof s, .certfile = CERT("ec"), .keyfile = KEY("ec"), .server_side = true};
        char address[GREEN_ADDR_TEXT_SIZE], buf[8];
        green_socket *listener, *client;
        struct tls_end e = {.name = "localhost"};
        struct green_addr addr;
        green_thread *gt;

        if (!has_tls())
                return;
        listener = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK(green_wrap_ssl(listener, &s) == listener);
        CHECK_INT(green_addr_parse("127.0.0.1:0", &addr), 0);
        CHECK_INT(green_socket_bind(listener, &addr), 0);
        CHECK_INT(green_socket_listen(listener, 5), 0);
        CHECK_INT(green_socket_getsockname(listener, &addr), 0);
        green_addr_format(&addr, address, sizeof address);
        gt = green_spawn(accept_and_greet, listener);
        client = e.s = green_connect(address, NULL);
        e.context = client_context();
        wrap_end(&e);
        CHECK_INT(e.rc, 0);
        CHECK_INT(green_socket_sendall(client, "hi", 2, 0, NULL), 0);
        CHECK_INT(green_socket_recv(client, buf, sizeof buf, 0), 2);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        green_tls_context_unref(e.context);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
without_a_connection_calls_say_what_plain_ones_do(void)
{
        struct green_wrap_ssl_opts c = {.size = sizeof c, .ca_certs = CERT("ca"), .server_hostname = "localhost"};
        green_socket *s;
        char byte;

        GREEN_COVERS("SSL-11");
        if (!has_tls())
                return;
        s = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK(green_wrap_ssl(s, &c) == s);
        CHECK_INT(green_socket_set_timeout(s, 0.05), 0);
        CHECK_INT(green_socket_recv(s, &byte, 1, 0), -ENOTCONN);
        CHECK_INT(green_socket_send(s, "x", 1, 0), -ENOTCONN);
        CHECK_INT(green_tls_handshake(s), -ENOTCONN);
        CHECK_INT(green_tls_unwrap(s), -ENOTCONN);
        CHECK_INT(green_socket_pending(s), 0);
        CHECK_INT(green_socket_free(s), 0);
}

static void
expect_refused(green_socket *s, const struct green_wrap_ssl_opts *o, int code)
{
        CHECK(green_wrap_ssl(s, o) == NULL);
        CHECK_INT(green_last_error()->code, code);
        CHECK_INT(errno, -code);
        CHECK(s == NULL || !green_socket_is_tls(s));
}

static void
what_cannot_be_wrapped_is_refused_and_stays_as_it_is(void)
{
        struct green_wrap_ssl_opts o = {.size = sizeof o, .ca_certs = CERT("ca")};
        struct pair p;
        green_socket *udp;
        struct call c;
        char byte;

        GREEN_COVERS("SSL-14", "CONV-18", "CONV-19");
        if (!has_tls())
                return;
        p = tcp_pair();
        /* Nothing to verify: that has to be asked for. */
        expect_refused(p.a, NULL, -EINVAL);
        expect_refused(p.a, &o, -EINVAL);
        o.server_hostname = "localhost";
        o.ca_certs = "/nonexistent/ca.pem";
        expect_refused(p.a, &o, -ENOENT);
        o.ca_certs = NULL;
        o.certfile = "/nonexistent/cert.pem";
        expect_refused(p.a, &o, -ENOENT);
        o = (struct green_wrap_ssl_opts){.size = sizeof o, .server_side = true};
        expect_refused(p.a, &o, -EINVAL);
        o.size = sizeof o.size - 1;
        expect_refused(p.a, &o, -EINVAL);
        o = (struct green_wrap_ssl_opts){.size = sizeof o, .ca_certs = CERT("ca"), .server_hostname = "localhost"};
        expect_refused(NULL, &o, -EINVAL);
        udp = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        expect_refused(udp, &o, -EINVAL);
        CHECK_INT(green_socket_free(udp), 0);
        c = (struct call){.s = p.a};
        start(&c, call_recv);
        expect_refused(p.a, &o, -EBUSY);
        /* It is a plain socket still. */
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        CHECK_INT(green_tls_handshake(p.a), -EINVAL);
        CHECK_INT(green_tls_unwrap(p.a), -EINVAL);
        CHECK(green_tls_peer_cert(p.a) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_tls_session_get(p.a) == NULL);
        o.no_handshake_on_connect = true;
        CHECK(green_wrap_ssl(p.a, &o) == p.a);
        CHECK(green_wrap_ssl(p.a, &o) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_socket_is_tls(p.a));
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 0);
        free_pair(p);
}

static void
a_client_does_not_talk_to_an_unrelated_server_unless_told_to(void)
{
        struct green_wrap_ssl_opts o = {.size = sizeof o, .ca_certs = CERT("ca2"), .server_hostname = "localhost"};
        struct tls_end server = {.server = true};
        struct pair p;
        green_thread *gt;

        GREEN_COVERS("CONV-19", "SSL-13");
        if (!has_tls())
                return;
        server.context = server_context("ec");
        for (int told = 0; told < 2; told++) {
                p = tcp_pair();
                server.s = p.b;
                gt = green_spawn(wrap_end, &server);
                o.cert_reqs = told ? GREEN_TLS_VERIFY_NONE : GREEN_TLS_VERIFY_REQUIRED;
                if (told) {
                        CHECK(green_wrap_ssl(p.a, &o) == p.a);
                } else {
                        CHECK(green_wrap_ssl(p.a, &o) == NULL);
                        CHECK_INT(errno, -GREEN_ETLSVERIFY);
                        /* It is closed, and plain. */
                        CHECK(!green_socket_is_tls(p.a));
                        CHECK_INT(green_socket_fd(p.a), GREEN_INVALID_FD);
                }
                CHECK_INT(green_thread_wait(gt, NULL), 0);
                green_thread_unref(gt);
                CHECK_INT(server.rc, told ? 0 : GREEN_ETLSALERT);
                free_pair(p);
        }
        green_tls_context_unref(server.context);
}

/* ---- taking it off */

static void *
unwrap_it(void *arg)
{
        struct tls_end *e = arg;

        e->rc = green_tls_unwrap(e->s);
        return NULL;
}

static void
tls_is_taken_off_and_the_socket_goes_on_in_the_clear(void)
{
        struct tls_pair p;
        green_thread *gt;
        char buf[16];

        GREEN_COVERS("SSL-10");
        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_send(p.client.s, "secret", 6, 0), 6);
        CHECK_INT(green_socket_recv(p.server.s, buf, 2, 0), 2);
        CHECK_INT(green_tls_unwrap(p.server.s), -EBUSY);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), 4);
        gt = green_spawn(unwrap_it, &p.server);
        CHECK_INT(green_tls_unwrap(p.client.s), 0);
        /* Right behind the goodbye, before the other has looked. */
        CHECK_INT(green_socket_send(p.client.s, "plain text", 10, 0), 10);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(p.server.rc, 0);
        CHECK(!green_socket_is_tls(p.client.s));
        CHECK(!green_socket_is_tls(p.server.s));
        CHECK_INT(green_socket_recv(p.server.s, buf, 5, 0), 5);
        CHECK(memcmp(buf, "plain", 5) == 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 16, 0), 5);
        CHECK_INT(green_socket_send(p.server.s, "yes", 3, 0), 3);
        CHECK_INT(green_socket_recv(p.client.s, buf, 16, 0), 3);
        CHECK_INT(green_tls_unwrap(p.client.s), -EINVAL);
        /* And on again. */
        shake_hands_once(&p, client_context(), server_context("ec"));
        CHECK_INT(p.client.rc, 0);
        CHECK_INT(p.server.rc, 0);
        free_tls_pair(&p);
}

static void
what_the_peer_still_sends_is_not_lost(void)
{
        struct tls_pair p;
        green_thread *gt;
        char buf[8];

        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_send(p.server.s, "more", 4, 0), 4);
        CHECK_INT(green_tls_unwrap(p.client.s), -EBUSY);
        CHECK_INT(green_socket_recv(p.client.s, buf, 8, 0), 4);
        gt = green_spawn(unwrap_it, &p.client);
        CHECK_INT(green_tls_unwrap(p.server.s), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(p.client.rc, 0);
        free_tls_pair(&p);
}

static void
a_peer_without_a_goodbye_fails_unwrap(void)
{
        struct tls_pair p;

        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_set_timeout(p.client.s, 0.02), 0);
        CHECK_INT(green_tls_unwrap(p.client.s), -ETIMEDOUT);
        CHECK_INT(shutdown((int)green_socket_fd(p.server.s), SHUT_WR), 0);
        CHECK_INT(green_tls_unwrap(p.client.s), GREEN_ETLSEOF);
        free_tls_pair(&p);
}

/* ---- who encrypts */

/*
 * The inside of a process of its own: GREEN_TEST_BACKEND is "calls" for calls that want a back end where there is none, else
 * anything: then it says what green_tls_backend() does.
 */
static __attribute__((constructor)) void
be_the_child(void)
{
        struct green_wrap_ssl_opts o = {.size = sizeof o, .server_hostname = "localhost"};
        const char *what = getenv("GREEN_TEST_BACKEND"), *name;

        if (what == NULL)
                return;
        if (strcmp(what, "calls") == 0) {
                struct pair p = tcp_pair();

                CHECK(green_tls_context_new(NULL) == NULL);
                CHECK_INT(green_last_error()->code, GREEN_ETLSBACKEND);
                expect_refused(p.a, &o, GREEN_ETLSBACKEND);
                printf("%u failed", suite_failures());
        } else {
                name = green_tls_backend();
                if (name == NULL)
                        name = green_last_error()->code == GREEN_ETLSBACKEND ? green_last_error()->message : "?";
                printf("%s", name);
        }
        fflush(stdout);
        _exit(0);
}

/* What one says under a value of GREEN_TLS. */
static void
backend_under(const char *value, const char *what, char *text, size_t size)
{
        const struct module_variable variables[] = {{"GREEN_TLS", value}, {"GREEN_TEST_BACKEND", what}, {NULL, NULL}};

        module_run_self(NULL, variables, text, size);
}

static void
a_back_end_that_cannot_be_used_is_an_error_that_says_why(void)
{
        char text[1000];

        backend_under("nonesuch", "which", text, sizeof text);
        CHECK(strstr(text, "nonesuch") != NULL && strstr(text, "there is no TLS back end of that name; there is: ") != NULL);
        backend_under("No Such", "which", text, sizeof text);
        CHECK(strstr(text, "lower-case") != NULL);
        backend_under("/nonexistent/tls.so", "which", text, sizeof text);
        CHECK(strstr(text, "cannot be loaded") != NULL);
        if (suite_plugin("hub_late") != NULL) {
                backend_under(suite_plugin("hub_late"), "which", text, sizeof text);
                CHECK(strstr(text, "green_tls_module") != NULL);
        }
        if (suite_plugin("tls_badabi") != NULL) {
                backend_under(suite_plugin("tls_badabi"), "which", text, sizeof text);
                CHECK(strstr(text, "interface 999") != NULL);
        }
        if (suite_plugin("tls_badsize") != NULL) {
                backend_under(suite_plugin("tls_badsize"), "which", text, sizeof text);
                CHECK(strstr(text, "bytes") != NULL);
        }
        if (suite_plugin("tls_badtable") != NULL) {
                backend_under(suite_plugin("tls_badtable"), "which", text, sizeof text);
                CHECK(strstr(text, "has no init()") != NULL);
        }
}

/* Loading such a file would end the process. */
static void
a_back_end_that_is_cut_short_is_refused_and_says_why(void)
{
        char folder[] = "/tmp/green-tls-XXXXXX", copy[64], path[MODULE_PATH], text[1000];
        size_t needed;

        if (suite_plugin("tls_badabi") == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        snprintf(path, sizeof path, "%s", suite_plugin("tls_badabi"));
        if (!CHECK(mkdtemp(folder) != NULL))
                return;
        needed = module_needed(path);
        snprintf(copy, sizeof copy, "%s/tls_cut" MODULE_END, folder);
        for (size_t part = 1; part < 16; part++) {
                if (!module_write_part(copy, path, needed * part / 16))
                        break;
                backend_under(copy, "which", text, sizeof text);
                if (strstr(text, MODULE_CUT) == NULL || strstr(text, "; there is: ") == NULL)
                        FAIL("%zu/16 of it: \"%s\"", part, text);
        }
        /* The whole one is loaded, and then refused. */
        if (module_write_part(copy, path, needed)) {
                backend_under(copy, "which", text, sizeof text);
                CHECK(strstr(text, "interface 999") != NULL);
        }
        unlink(copy);
        CHECK_INT(rmdir(folder), 0);
}

static void
every_call_without_a_back_end_says_so(void)
{
        char text[1000];

        backend_under("nonesuch", "calls", text, sizeof text);
        CHECK_STR(text, "0 failed");
}

static void
the_back_end_says_what_it_is(void)
{
        const char *want = getenv("GREEN_TLS"), *is;

        if (!has_tls())
                return;
        is = green_tls_backend();
        CHECK(strpbrk(is, "0123456789") != NULL);
        if (want != NULL && want[0] != '\0' && strchr(want, '/') == NULL)
                CHECK(strncmp(is, want, strlen(want)) == 0);
}

GREEN_SUITE(net_tls_wrap){GREEN_TEST(a_back_end_that_cannot_be_used_is_an_error_that_says_why),
                          GREEN_TEST(a_back_end_that_is_cut_short_is_refused_and_says_why),
                          GREEN_TEST(every_call_without_a_back_end_says_so),
                          GREEN_TEST(the_back_end_says_what_it_is),
                          GREEN_TEST(a_socket_that_is_not_connected_yet_is_wrapped),
                          GREEN_TEST(one_that_was_wrapped_before_it_listens_gives_tls_too),
                          GREEN_TEST(without_a_connection_calls_say_what_plain_ones_do),
                          GREEN_TEST(what_cannot_be_wrapped_is_refused_and_stays_as_it_is),
                          GREEN_TEST(a_client_does_not_talk_to_an_unrelated_server_unless_told_to),
                          GREEN_TEST(tls_is_taken_off_and_the_socket_goes_on_in_the_clear),
                          GREEN_TEST(what_the_peer_still_sends_is_not_lost),
                          GREEN_TEST(a_peer_without_a_goodbye_fails_unwrap),
                          GREEN_SUITE_END};
