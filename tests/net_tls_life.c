/* net/tls*.c: the ends of TLS connections: peers that are slow, silent, rude or gone, kills and timeouts. */
#include "net_tls.h"

#include <fcntl.h>
#include <unistd.h>

#include <green/timer.h>

/* The server's end of a connection whose client is a plain socket. */
static struct pair
half_tls(green_tls_context *server)
{
        struct pair p = tcp_pair();
        struct green_wrap_ssl_opts o = {
                .size = sizeof o, .context = server, .server_side = true, .no_handshake_on_connect = true};

        CHECK(green_wrap_ssl(p.b, &o) == p.b);
        green_tls_context_unref(server);
        return p;
}

/* The first bytes of a handshake: a ClientHello as our own client sends it. */
static size_t
client_hello(char *buf, size_t size)
{
        struct pair p = tcp_pair();
        struct tls_end e = {.s = p.a, .context = client_context(), .name = "localhost", .lazy = true};
        ssize_t n;

        wrap_end(&e);
        CHECK_INT(green_socket_recv(p.a, buf, 1, MSG_DONTWAIT), -EAGAIN);
        for (int i = 0; i < 10; i++)
                (void)!green_socket_recv(p.a, buf, 1, MSG_DONTWAIT);
        n = green_socket_recv(p.b, buf, size, 0);
        CHECK_RANGE(n, 50, size - 1);
        green_tls_context_unref(e.context);
        free_pair(p);
        return n > 0 ? (size_t)n : 0;
}

/* ---- rude peers */

static int
serve_one(struct pair p)
{
        char byte;
        int rc;

        CHECK_INT(green_socket_set_timeout(p.b, 5), 0);
        rc = (int)green_socket_recv(p.b, &byte, 1, 0);
        /* What has failed stays so. */
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), rc);
        CHECK_INT(green_socket_send(p.b, &byte, 1, 0), rc);
        CHECK_INT(green_last_error()->code, rc);
        CHECK(strncmp(green_last_error()->message, "TLS: ", 5) == 0);
        return rc;
}

static void
garbage_fails_its_own_connection(void)
{
        static const char http[] = "GET / HTTP/1.0\r\n\r\n";
        struct pair p;

        GREEN_COVERS("SSL-15");
        if (!has_tls())
                return;
        p = half_tls(server_context("ec"));
        CHECK_INT(green_socket_sendall(p.a, http, sizeof http - 1, 0, NULL), 0);
        CHECK_INT(serve_one(p), GREEN_ETLSPROTO);
        CHECK(logged("TLS: no handshake with 127.0.0.1:"));
        CHECK_INT(times_logged("\n"), 1);
        free_pair(p);
}

static void
one_line_is_logged_for_each_failure(void)
{
        struct pair p;

        GREEN_COVERS("ISS-32");
        if (!has_tls())
                return;
        for (int i = 0; i < 3; i++) {
                p = half_tls(server_context("ec"));
                CHECK_INT(green_socket_sendall(p.a, "\x16\x03\x01\xff\xff garbage", 13, 0, NULL), 0);
                CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
                CHECK(serve_one(p) < -3000);
                free_pair(p);
        }
        CHECK_INT(times_logged("\n"), 3);
}

static void
a_connection_that_ends_in_the_handshake_is_cut_off(void)
{
        char hello[1000];
        size_t len;
        struct pair p;

        GREEN_COVERS("SSL-15", "SSL-06");
        if (!has_tls())
                return;
        p = half_tls(server_context("ec"));
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(serve_one(p), GREEN_ETLSEOF);
        free_pair(p);
        len = client_hello(hello, sizeof hello);
        for (size_t part = 1; part < len; part += len / 3) {
                p = half_tls(server_context("ec"));
                CHECK_INT(green_socket_sendall(p.a, hello, part, 0, NULL), 0);
                CHECK_INT(green_socket_close(p.a), 0);
                CHECK_INT(serve_one(p), GREEN_ETLSEOF);
                free_pair(p);
        }
}

static void
a_reset_is_an_error_and_no_end(void)
{
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        struct tls_pair p;
        char byte;

        GREEN_COVERS("SSL-06");
        if (!has_tls())
                return;
        p = tls_pair();
        /* Hard, below TLS. A close would do it too, but not while a hub holds the descriptor's file. */
        CHECK_INT(connect((int)green_socket_fd(p.client.s), &none, sizeof none), 0);
        CHECK_INT(green_socket_recv(p.server.s, &byte, 1, 0), -ECONNRESET);
        free_tls_pair(&p);
}

static void
an_end_without_a_goodbye_is_no_end(void)
{
        struct tls_pair p;
        char buf[8];

        GREEN_COVERS("SSL-06");
        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_send(p.client.s, "last", 4, 0), 4);
        CHECK_INT(shutdown((int)green_socket_fd(p.client.s), SHUT_WR), 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), 4);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), GREEN_ETLSEOF);
        CHECK_INT(green_last_error()->code, GREEN_ETLSEOF);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), GREEN_ETLSEOF);
        free_tls_pair(&p);
}

static void
close_says_goodbye_and_that_is_the_end(void)
{
        struct tls_pair p;
        char buf[8];

        GREEN_COVERS("SSL-06");
        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_send(p.client.s, "last", 4, 0), 4);
        CHECK_INT(green_socket_close(p.client.s), 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), 4);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 0, 0), 0);
        free_tls_pair(&p);
}

static void
one_direction_can_be_shut_down(void)
{
        struct tls_pair p;
        char buf[8];

        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_shutdown(p.client.s, SHUT_WR), 0);
        CHECK_INT(green_socket_send(p.client.s, "x", 1, 0), -EPIPE);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), 0);
        CHECK_INT(green_socket_send(p.server.s, "answer", 6, 0), 6);
        CHECK_INT(green_socket_recv(p.client.s, buf, 8, 0), 6);
        CHECK_INT(green_socket_shutdown(p.client.s, SHUT_RD), 0);
        CHECK_INT(green_socket_recv(p.client.s, buf, 8, 0), 0);
        free_tls_pair(&p);
}

static void
a_record_that_was_changed_on_its_way_is_refused(void)
{
        struct tls_pair p;
        struct pair wire;
        char buf[2000];
        ssize_t n;

        if (!has_tls())
                return;
        p = tls_pair();
        /* Behind TLS's back: take a record off the wire, and give it to the other end, one bit of it changed. */
        CHECK_INT(green_socket_send(p.client.s, "money: 100", 10, 0), 10);
        n = recv((int)green_socket_fd(p.server.s), buf, sizeof buf, 0);
        CHECK(n > 20);
        buf[n - 20] ^= 1;
        wire = unix_pair(SOCK_STREAM);
        CHECK_INT(dup3((int)green_socket_fd(wire.a), (int)green_socket_fd(p.server.s), O_CLOEXEC),
                  green_socket_fd(p.server.s));
        CHECK_INT(green_socket_sendall(wire.b, buf, (size_t)n, 0, NULL), 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, MSG_DONTWAIT), GREEN_ETLSPROTO);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, MSG_DONTWAIT), GREEN_ETLSPROTO);
        free_pair(wire);
        free_tls_pair(&p);
}

/* ---- slow and silent peers */

static int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        int *failed = arg;
        char buf[64];
        ssize_t n;

        (void)peer;
        while ((n = green_socket_recv(client, buf, sizeof buf, 0)) > 0)
                if (green_socket_sendall(client, buf, (size_t)n, 0, NULL) != 0)
                        break;
        *failed += n < 0;
        return 0;
}

struct server {
        green_socket *listener;
        int failed;
};

static void *
serve(void *arg)
{
        struct server *s = arg;

        (void)!green_serve(s->listener, echo, &s->failed, NULL);
        return NULL;
}

static void
a_silent_client_does_not_hold_up_accept(void)
{
        struct green_wrap_ssl_opts o = {.size = sizeof o};
        char address[GREEN_ADDR_TEXT_SIZE], buf[8];
        green_socket *silent[3], *client;
        struct server server = {.failed = 0};
        green_thread *gt;
        struct tls_end e = {.name = "localhost"};

        GREEN_COVERS("SSL-03", "ISS-32");
        if (!has_tls())
                return;
        server.listener = listen_here(address);
        o.context = server_context("ec");
        CHECK(green_wrap_ssl(server.listener, &o) == server.listener);
        green_tls_context_unref(o.context);
        gt = green_spawn(serve, &server);
        for (int i = 0; i < 3; i++)
                silent[i] = green_connect(address, NULL);
        CHECK_INT(green_socket_send(silent[1], "\x16", 1, 0), 1);
        client = green_connect(address, NULL);
        e.s = client;
        e.context = client_context();
        wrap_end(&e);
        CHECK_INT(e.rc, 0);
        CHECK_INT(green_socket_sendall(client, "hi", 2, 0, NULL), 0);
        CHECK_INT(green_socket_recv(client, buf, 8, 0), 2);
        CHECK_INT(green_socket_free(client), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_socket_free(silent[i]), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        green_sleep(0.01);
        CHECK_INT(server.failed, 3);
        green_tls_context_unref(e.context);
        CHECK_INT(green_socket_free(server.listener), 0);
}

static void
a_handshake_has_a_deadline_of_its_own(void)
{
        struct green_tls_opts o = {.size = sizeof o, .cert_file = CERT("both"), .handshake_timeout = 0.05};
        struct pair p;
        struct call c, other;

        GREEN_COVERS("SSL-07");
        if (!has_tls())
                return;
        /* Bytes that drip do not give it more time; nor does it need any to end. */
        for (int drips = 8; drips >= 0; drips -= 8) {
                p = half_tls(green_tls_context_new(&o));
                c = (struct call){.s = p.b};
                other = (struct call){.s = p.b, .out = "x", .len = 1};
                start(&c, call_recv);
                start(&other, call_sendall);
                for (int i = 0; i < drips && !c.over; i++) {
                        (void)!green_socket_send(p.a, &"\x16\x03\x01\x01\x00\x01\x00\x00"[i], 1, 0);
                        green_sleep(0.01);
                }
                CHECK_INT(finish(&c), -ETIMEDOUT);
                CHECK_INT(finish(&other), -ETIMEDOUT);
                free_pair(p);
        }
}

static void
the_sockets_timeout_and_scopes_hold_in_a_handshake(void)
{
        struct pair p;
        struct green_timeout t;
        char byte;

        GREEN_COVERS("SSL-07");
        if (!has_tls())
                return;
        p = half_tls(server_context("ec"));
        CHECK_INT(green_socket_set_timeout(p.b, 0.01), 0);
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(p.b, GREEN_FOREVER), 0);
        CHECK_INT(green_timeout_start(&t, 0.01), 0);
        CHECK_INT(green_tls_handshake(p.b), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        free_pair(p);
}

static void
a_slow_peer_is_waited_for(void)
{
        struct pair p, q;
        struct tls_end e = {.name = "localhost", .lazy = true};
        struct call c;
        char buf[2000];
        ssize_t n;

        GREEN_COVERS("SSL-01");
        if (!has_tls())
                return;
        /* A wire between the two that hands over a few bytes at a time. */
        p = half_tls(server_context("ec"));
        q = tcp_pair();
        e.s = q.a;
        e.context = client_context();
        wrap_end(&e);
        c = (struct call){.s = p.b};
        start(&c, call_recv);
        {
                struct call out = {.s = q.a, .out = "slowly", .len = 6};

                start(&out, call_sendall);
                while (!c.over) {
                        n = green_socket_recv(q.b, buf, 37, MSG_DONTWAIT);
                        if (n > 0)
                                CHECK_INT(green_socket_sendall(p.a, buf, (size_t)n, 0, NULL), 0);
                        n = green_socket_recv(p.a, buf, 41, MSG_DONTWAIT);
                        if (n > 0)
                                CHECK_INT(green_socket_sendall(q.b, buf, (size_t)n, 0, NULL), 0);
                        green_sleep(0.0001);
                }
                CHECK_INT(finish(&out), 0);
        }
        CHECK_INT(finish(&c), 6);
        CHECK(memcmp(c.buf, "slowly", 6) == 0);
        green_tls_context_unref(e.context);
        /* The goodbyes go nowhere. */
        free_pair(p);
        free_pair(q);
}

/* ---- kills, and close at every stage */

static void *
echo_once(void *arg)
{
        struct tls_end *e = arg;
        char buf[16];
        ssize_t n;

        wrap_end(e);
        n = e->rc == 0 ? green_socket_recv(e->s, buf, sizeof buf, 0) : e->rc;
        if (n > 0)
                n = green_socket_sendall(e->s, buf, (size_t)n, 0, NULL);
        e->rc = (int)n;
        return NULL;
}

enum how { BY_KILL, BY_CLOSE };

/* A connection whose client's end is killed or closed after so many turns. Returns whether it came to an end before. */
static bool
end_after(int turns, enum how how)
{
        struct pair tcp = tcp_pair();
        struct tls_end client = {.s = tcp.a, .context = client_context(), .name = "localhost"};
        struct tls_end server = {.s = tcp.b, .context = server_context("ec"), .server = true};
        green_thread *s = green_spawn(echo_once, &server), *c = green_spawn(echo_once, &client);
        bool over;

        for (int i = 0; i < turns; i++)
                green_sleep(i % 2 == 0 ? 0 : 0.0003);
        over = green_thread_dead(c);
        if (how == BY_KILL) {
                (void)green_kill(c, 0);
        } else {
                (void)green_socket_close(tcp.a);
                CHECK_INT(green_socket_free(tcp.a), 0);
        }
        (void)!green_thread_wait(c, NULL);
        if (how == BY_KILL)
                CHECK_INT(green_socket_free(tcp.a), 0);
        /* The server hears of it, whatever it is at. */
        (void)!green_thread_wait(s, NULL);
        green_thread_unref(c);
        green_thread_unref(s);
        CHECK_INT(green_socket_free(tcp.b), 0);
        green_tls_context_unref(client.context);
        green_tls_context_unref(server.context);
        return over;
}

static void
a_kill_at_any_moment_leaves_nothing_behind(void)
{
        if (!has_tls())
                return;
        for (int turns = 1; turns < 80; turns++)
                (void)end_after(turns, BY_KILL);
}

static void
close_at_any_moment_leaves_nothing_behind(void)
{
        if (!has_tls())
                return;
        for (int turns = 1; turns < 80; turns++)
                (void)end_after(turns, BY_CLOSE);
}

static void
close_ends_those_who_wait(void)
{
        struct tls_pair p;
        struct pair half;
        struct call c, d;

        if (!has_tls())
                return;
        p = tls_pair();
        c = (struct call){.s = p.client.s};
        start(&c, call_recv);
        CHECK_INT(green_socket_close(p.client.s), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        free_tls_pair(&p);
        /* In the handshake: one waits for the descriptor, the other for that one. */
        half = half_tls(server_context("ec"));
        c = (struct call){.s = half.b};
        d = (struct call){.s = half.b, .out = "x", .len = 1};
        start(&c, call_recv);
        start(&d, call_sendall);
        CHECK_INT(green_socket_close(half.b), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        CHECK_INT(finish(&d), -ECANCELED);
        free_pair(half);
}

static void
a_killed_one_leaves_the_handshake_to_the_next(void)
{
        struct pair tcp = {NULL, NULL};
        struct tls_end client = {.name = "localhost"};
        struct call first, second;
        char buf[8];

        if (!has_tls())
                return;
        tcp = half_tls(server_context("ec"));
        first = (struct call){.s = tcp.b};
        second = (struct call){.s = tcp.b, .out = "abc", .len = 3};
        start(&first, call_recv);
        start(&second, call_sendall);
        CHECK_INT(green_kill(first.thread, 0), 0);
        (void)finish_killed(&first);
        client.s = tcp.a;
        client.context = client_context();
        wrap_end(&client);
        CHECK_INT(client.rc, 0);
        CHECK_INT(green_socket_recv(tcp.a, buf, 8, 0), 3);
        CHECK_INT(finish(&second), 0);
        green_tls_context_unref(client.context);
        free_pair(tcp);
}

static void *
close_it(void *arg)
{
        green_socket_close(arg);
        return NULL;
}

static void
a_goodbye_that_nobody_takes_does_not_hold_up_close_for_ever(void)
{
        static char data[65536];
        struct tls_pair p = {.client.name = "localhost"};
        struct pair wire;
        green_thread *closer;
        ssize_t n;

        if (!has_tls())
                return;
        /* TCP would go on taking a little now and then. */
        wire = unix_pair(SOCK_STREAM);
        p.client.s = wire.a;
        p.server.s = wire.b;
        shake_hands_once(&p, client_context(), server_context("ec"));
        CHECK_INT(p.client.rc, 0);
        do
                n = green_socket_send(p.client.s, data, sizeof data, MSG_DONTWAIT);
        while (n > 0);
        /* And behind TLS's back, until the wire takes nothing more. */
        while (send((int)green_socket_fd(p.client.s), data, 1, MSG_DONTWAIT) > 0)
                ;
        closer = green_spawn(close_it, p.client.s);
        green_sleep(0.01);
        CHECK(!green_thread_dead(closer));
        /* It is shielded; its own limit ends it. */
        CHECK_INT(green_kill(closer, 0), 0);
        green_sleep(0.1);
        CHECK(!green_thread_dead(closer));
        CHECK_INT(green_thread_wait(closer, NULL), GREEN_EKILLED);
        green_thread_unref(closer);
        CHECK_INT(green_socket_fd(p.client.s), GREEN_INVALID_FD);
        free_tls_pair(&p);
}

static void
many_handshakes_at_once_all_succeed(void)
{
        enum { N = 20 };
        struct tls_end ends[2 * N];
        green_thread *gt[2 * N];
        green_tls_context *client, *server;

        if (!has_tls())
                return;
        client = client_context();
        server = server_context("ec");
        for (int i = 0; i < N; i++) {
                struct pair tcp = tcp_pair();

                ends[2 * i] = (struct tls_end){.s = tcp.a, .context = client, .name = "localhost"};
                ends[2 * i + 1] = (struct tls_end){.s = tcp.b, .context = server, .server = true};
        }
        for (int i = 0; i < 2 * N; i++)
                gt[i] = green_spawn(wrap_end, &ends[i]);
        for (int i = 0; i < 2 * N; i++) {
                CHECK_INT(green_thread_wait(gt[i], NULL), 0);
                green_thread_unref(gt[i]);
                CHECK_INT(ends[i].rc, 0);
        }
        for (int i = 0; i < 2 * N; i++)
                CHECK_INT(green_socket_free(ends[i].s), 0);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
}

GREEN_SUITE(net_tls_life){GREEN_TEST(garbage_fails_its_own_connection),
                          GREEN_TEST(one_line_is_logged_for_each_failure),
                          GREEN_TEST(a_connection_that_ends_in_the_handshake_is_cut_off),
                          GREEN_TEST(a_reset_is_an_error_and_no_end),
                          GREEN_TEST(an_end_without_a_goodbye_is_no_end),
                          GREEN_TEST(close_says_goodbye_and_that_is_the_end),
                          GREEN_TEST(one_direction_can_be_shut_down),
                          GREEN_TEST(a_record_that_was_changed_on_its_way_is_refused),
                          GREEN_TEST(a_silent_client_does_not_hold_up_accept),
                          GREEN_TEST(a_handshake_has_a_deadline_of_its_own),
                          GREEN_TEST(the_sockets_timeout_and_scopes_hold_in_a_handshake),
                          GREEN_TEST(a_slow_peer_is_waited_for),
                          GREEN_TEST(a_kill_at_any_moment_leaves_nothing_behind),
                          GREEN_TEST(close_at_any_moment_leaves_nothing_behind),
                          GREEN_TEST(close_ends_those_who_wait),
                          GREEN_TEST(a_killed_one_leaves_the_handshake_to_the_next),
                          GREEN_TEST(a_goodbye_that_nobody_takes_does_not_hold_up_close_for_ever),
                          GREEN_TEST(many_handshakes_at_once_all_succeed),
                          GREEN_SUITE_END};
