/* net/tls.c, net/tls_handshake.c, net/tls_bytes.c: bytes through TLS. */
#include "net_tls.h"

static void
bytes_go_through_in_both_directions(void)
{
        struct tls_pair p;
        char buf[16];

        GREEN_COVERS("SSL-05", "CONV-17");
        if (!has_tls())
                return;
        p = tls_pair();
        CHECK(green_socket_is_tls(p.client.s));
        CHECK_INT(green_socket_send(p.client.s, "hello", 5, 0), 5);
        CHECK_INT(green_socket_recv(p.server.s, buf, sizeof buf, 0), 5);
        CHECK(memcmp(buf, "hello", 5) == 0);
        CHECK_INT(green_socket_sendall(p.server.s, "and back", 8, 0, NULL), 0);
        CHECK_INT(green_socket_recv(p.client.s, buf, 3, 0), 3);
        CHECK(memcmp(buf, "and", 3) == 0);
        CHECK_INT(green_socket_recv(p.client.s, buf, sizeof buf, 0), 5);
        CHECK(memcmp(buf, " back", 5) == 0);
        free_tls_pair(&p);
}

static void
what_goes_over_the_wire_is_not_what_was_sent(void)
{
        struct tls_pair p;
        char wire[256];
        ssize_t n;

        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_send(p.client.s, "attack at dawn", 14, 0), 14);
        n = recv((int)green_socket_fd(p.server.s), wire, sizeof wire, MSG_PEEK);
        CHECK_RANGE(n, 14 + 5 + 8, sizeof wire);
        CHECK_INT(wire[0], 23);
        CHECK(memmem(wire, (size_t)n, "attack", 6) == NULL);
        free_tls_pair(&p);
}

static void
much_goes_through_both_ways_at_once(void)
{
        static char out[2][700000], in[2][700000];
        struct tls_pair p;
        struct call c[2];
        size_t have[2] = {0, 0};

        GREEN_COVERS("SSL-01", "SSL-08");
        if (!has_tls())
                return;
        p = tls_pair();
        small_buffers(&p);
        for (int i = 0; i < 2; i++) {
                fill_pattern(out[i], sizeof out[i], (size_t)i * 1000);
                c[i] = (struct call){.s = i == 0 ? p.client.s : p.server.s, .out = out[i], .len = sizeof out[i]};
                start(&c[i], call_sendall);
        }
        CHECK(!c[0].over && !c[1].over);
        /* Each is received by main, while the other end's green thread sends and waits. */
        while (have[0] < sizeof in[0] || have[1] < sizeof in[1]) {
                for (int i = 0; i < 2; i++) {
                        ssize_t n = green_socket_recv(i == 0 ? p.server.s : p.client.s, in[i] + have[i],
                                                      sizeof in[i] - have[i], MSG_DONTWAIT);

                        if (n > 0)
                                have[i] += (size_t)n;
                        else if (n != -EAGAIN && have[i] < sizeof in[i])
                                CHECK_OR_RETURN(n == -EAGAIN);
                }
                green_sleep(0);
        }
        for (int i = 0; i < 2; i++) {
                CHECK_INT(finish(&c[i]), 0);
                CHECK_INT(c[i].done, sizeof out[i]);
                CHECK(memcmp(out[i], in[i], sizeof in[i]) == 0);
        }
        free_tls_pair(&p);
}

static void
a_sender_whose_peer_does_not_read_sleeps(void)
{
        static char data[4000000];
        struct green_hub_info before = {.size = sizeof before}, after = {.size = sizeof after};
        struct tls_pair p;
        struct call c;

        GREEN_COVERS("SSL-08");
        if (!has_tls())
                return;
        p = tls_pair();
        small_buffers(&p);
        c = (struct call){.s = p.client.s, .out = data, .len = sizeof data};
        start(&c, call_sendall);
        green_sleep(0.05);
        CHECK_INT(green_hub_get_info(&before), 0);
        green_sleep(0.1);
        CHECK_INT(green_hub_get_info(&after), 0);
        CHECK_RANGE(after.switches - before.switches, 0, 20);
        CHECK(!c.over);
        CHECK_INT(green_socket_close(p.server.s), 0);
        CHECK(finish(&c) < 0);
        free_tls_pair(&p);
}

static void
decrypted_bytes_are_had_without_waiting(void)
{
        struct tls_pair p;
        char buf[8];

        GREEN_COVERS("SSL-02");
        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_pending(p.server.s), 0);
        CHECK_INT(green_socket_send(p.client.s, "abcdef", 6, 0), 6);
        CHECK_INT(green_socket_recv(p.server.s, buf, 1, 0), 1);
        CHECK_INT(green_socket_pending(p.server.s), 5);
        /* The descriptor has nothing more, and that is no matter. */
        CHECK_INT(green_trampoline(green_socket_fd(p.server.s), GREEN_READ, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_recv(p.server.s, buf, 0, 0), 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 2, MSG_PEEK), 2);
        CHECK(memcmp(buf, "bc", 2) == 0);
        CHECK_INT(green_socket_pending(p.server.s), 5);
        CHECK_INT(green_socket_recv(p.server.s, buf, sizeof buf, MSG_DONTWAIT), 5);
        CHECK(memcmp(buf, "bcdef", 5) == 0);
        CHECK_INT(green_socket_pending(p.server.s), 0);
        free_tls_pair(&p);
}

static void
peeking_takes_nothing_and_no_length_waits_for_a_byte(void)
{
        struct tls_pair p;
        struct call c;
        char buf[8];

        if (!has_tls())
                return;
        p = tls_pair();
        c = (struct call){.s = p.server.s};
        start(&c, call_recv_nothing);
        green_sleep(0.01);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.client.s, "xyz", 3, 0), 3);
        CHECK_INT(finish(&c), 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, MSG_PEEK), 3);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, 0), 3);
        CHECK(memcmp(buf, "xyz", 3) == 0);
        CHECK_INT(green_socket_recv(p.server.s, buf, 8, MSG_PEEK | MSG_DONTWAIT), -EAGAIN);
        free_tls_pair(&p);
}

static void
a_timeout_of_nothing_is_eagain_and_others_are_for_each_wait(void)
{
        static char data[3000000];
        struct tls_pair p = {.client.name = "localhost"};
        struct pair wire;
        size_t done = 0;
        char byte;

        GREEN_COVERS("SSL-07");
        if (!has_tls())
                return;
        /* TCP would go on taking a little now and then. */
        wire = unix_pair(SOCK_STREAM);
        p.client.s = wire.a;
        p.server.s = wire.b;
        shake_hands_once(&p, client_context(), server_context("ec"));
        CHECK_INT(green_socket_recv(p.client.s, &byte, 1, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_set_timeout(p.client.s, 0), 0);
        CHECK_INT(green_socket_recv(p.client.s, &byte, 1, 0), -EAGAIN);
        CHECK_INT(green_socket_sendall(p.client.s, data, sizeof data, 0, &done), -EAGAIN);
        CHECK_RANGE(done, 1, sizeof data - 1);
        CHECK_INT(green_socket_set_timeout(p.client.s, 0.02), 0);
        CHECK_INT(green_socket_recv(p.client.s, &byte, 1, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_send(p.client.s, &byte, 1, 0), -ETIMEDOUT);
        free_tls_pair(&p);
}

/* A slow reader; the sender gives up now and then, and goes on where it was told that it stood. */
static void *
read_slowly(void *arg)
{
        static char buf[300000];
        struct call *c = arg;
        ssize_t n;

        while ((n = green_socket_recv(c->s, buf, sizeof buf, 0)) > 0) {
                if (!is_pattern(buf, (size_t)n, c->done))
                        return green_fail(-EIO);
                c->done += (size_t)n;
                green_sleep(0.002);
        }
        c->rc = n;
        return NULL;
}

static void
a_send_that_was_given_up_can_be_gone_on_with(void)
{
        static char data[1000000];
        struct tls_pair p;
        struct call c;
        size_t done = 0, part;
        int rc, given_up = 0;

        GREEN_COVERS("SSL-01");
        if (!has_tls())
                return;
        p = tls_pair();
        small_buffers(&p);
        fill_pattern(data, sizeof data, 0);
        c = (struct call){.s = p.server.s};
        start(&c, read_slowly);
        while (done < sizeof data) {
                struct green_timeout t;

                CHECK_INT(green_timeout_start(&t, 0.001), 0);
                rc = green_socket_sendall(p.client.s, data + done, sizeof data - done, 0, &part);
                given_up += green_timeout_cancel(&t) == 1;
                done += part;
                if (rc != 0 && rc != GREEN_ETIMEOUT) {
                        CHECK_INT(rc, 0);
                        break;
                }
        }
        CHECK(given_up > 0);
        CHECK_INT(green_socket_shutdown(p.client.s, SHUT_WR), 0);
        CHECK_INT(finish(&c), 0);
        CHECK_INT(c.done, sizeof data);
        free_tls_pair(&p);
}

static void
other_bytes_after_a_send_that_was_given_up_come_after_it(void)
{
        /* Less than a record of TLS 1.3 holds, so that each is one. */
        static char block[16000];
        struct tls_pair p;
        struct call c;
        static char in[16384];
        size_t zeros = 0, ones = 0;
        ssize_t n;

        if (!has_tls())
                return;
        p = tls_pair();
        small_buffers(&p);
        CHECK_INT(green_socket_set_timeout(p.client.s, 0.01), 0);
        do
                n = green_socket_send(p.client.s, block, sizeof block, 0);
        while (n > 0);
        CHECK_INT(n, -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(p.client.s, GREEN_FOREVER), 0);
        c = (struct call){.s = p.client.s, .out = "1111", .len = 4};
        start(&c, call_sendall);
        while (ones < 4 && (n = green_socket_recv(p.server.s, in, sizeof in, 0)) > 0)
                for (ssize_t i = 0; i < n; i++) {
                        CHECK_OR_RETURN(in[i] == 0 ? ones == 0 : in[i] == '1');
                        zeros += in[i] == 0;
                        ones += in[i] == '1';
                }
        CHECK_INT(finish(&c), 0);
        CHECK_INT(zeros % sizeof block, 0);
        CHECK_INT(ones, 4);
        free_tls_pair(&p);
}

static void
flags_and_calls_that_tls_cannot_do_are_refused(void)
{
        struct green_addr to = {0};
        struct green_message m = {0};
        struct tls_pair p;
        green_fd fd;
        char buf[4];

        GREEN_COVERS("SSL-09", "SSL-16");
        if (!has_tls())
                return;
        p = tls_pair();
        CHECK_INT(green_socket_send(p.client.s, "x", 1, MSG_OOB), -EINVAL);
        CHECK_INT(green_socket_recv(p.client.s, buf, 1, MSG_OOB), -EINVAL);
        CHECK_INT(green_socket_sendto(p.client.s, "x", 1, 0, &to), -EOPNOTSUPP);
        CHECK_INT(green_socket_sendmsg(p.client.s, &m, 0), -EOPNOTSUPP);
        CHECK_INT(green_socket_recvmsg(p.client.s, &m, 0), -EOPNOTSUPP);
        CHECK(green_socket_dup(p.client.s) == NULL);
        CHECK_INT(errno, EOPNOTSUPP);
        CHECK_INT(green_socket_take_fd(p.client.s, &fd), -EOPNOTSUPP);
        CHECK_INT(green_socket_send(p.client.s, "", 0, 0), 0);
        CHECK_INT(green_socket_send(p.client.s, "ok", 2, 0), 2);
        CHECK_INT(green_socket_recv(p.server.s, buf, 4, 0), 2);
        free_tls_pair(&p);
}

static void
pieces_arrive_in_order_and_small_ones_in_one_record(void)
{
        static char big[40000], in[41000];
        struct green_iovec iov[5] = {
                {(void *)"head", 4}, {NULL, 0}, {(void *)"er", 2}, {big, sizeof big}, {(void *)"end", 3}};
        struct tls_pair p;
        struct call c;
        size_t have = 0;
        ssize_t n;

        if (!has_tls())
                return;
        p = tls_pair();
        fill_pattern(big, sizeof big, 7);
        CHECK_INT(green_socket_sendv(p.client.s, iov, 3, 0), 6);
        CHECK_INT(green_socket_recv(p.server.s, in, sizeof in, 0), 6);
        CHECK(memcmp(in, "header", 6) == 0);
        CHECK_INT(green_socket_sendallv(p.client.s, iov, 5, 0, NULL), 0);
        c = (struct call){.s = p.server.s};
        while (have < 6 + sizeof big + 3 && (n = green_socket_recv(p.server.s, in + have, sizeof in - have, 0)) > 0)
                have += (size_t)n;
        CHECK(memcmp(in, "header", 6) == 0);
        CHECK(memcmp(in + 6, big, sizeof big) == 0);
        CHECK(memcmp(in + 6 + sizeof big, "end", 3) == 0);
        (void)c;
        free_tls_pair(&p);
}

static void
a_file_goes_through(void)
{
        static char in[70000], data[70000];
        green_file *file;
        struct tls_pair p;
        size_t have = 0;
        uint64_t done = 0;
        ssize_t n;

        if (!has_tls())
                return;
        p = tls_pair();
        file = green_file_temporary(NULL);
        fill_pattern(data, sizeof data, 3);
        CHECK_INT(green_file_write(file, data, sizeof data), sizeof data);
        CHECK_INT(green_socket_sendfile(p.client.s, green_file_fd(file), 0, sizeof data, &done), 0);
        CHECK_INT(done, sizeof data);
        while (have < sizeof in && (n = green_socket_recv(p.server.s, in + have, sizeof in - have, 0)) > 0)
                have += (size_t)n;
        CHECK(memcmp(in, data, sizeof in) == 0);
        CHECK_INT(green_file_free(file), 0);
        free_tls_pair(&p);
}

static void *
echo_lines(void *arg)
{
        green_stream *st = green_socket_makefile(arg, NULL);
        const char *line;
        ssize_t n;

        CHECK(st != NULL);
        while ((n = green_stream_readline(st, 100, &line)) > 0)
                if (green_stream_write(st, line, (size_t)n) != n || green_stream_flush(st) != 0)
                        break;
        CHECK_INT(n, 0);
        CHECK_INT(green_stream_free(st), 0);
        return NULL;
}

static void
streams_stand_on_it_and_make_the_handshake(void)
{
        struct tls_pair p = {.client.name = "localhost"};
        struct pair tcp;
        green_thread *server;
        char buf[8];

        if (!has_tls())
                return;
        tcp = tcp_pair();
        p.client = (struct tls_end){.s = tcp.a, .context = client_context(), .name = "localhost"};
        p.server = (struct tls_end){.s = tcp.b, .context = server_context("rsa"), .server = true, .lazy = true};
        wrap_end(&p.server);
        CHECK_INT(p.server.rc, 0);
        server = green_spawn(echo_lines, tcp.b);
        wrap_end(&p.client);
        CHECK_INT(p.client.rc, 0);
        CHECK_INT(green_socket_sendall(tcp.a, "one\n", 4, 0, NULL), 0);
        CHECK_INT(green_socket_recv(tcp.a, buf, 8, 0), 4);
        CHECK_INT(green_socket_close(tcp.a), 0);
        CHECK_INT(green_thread_wait(server, NULL), 0);
        green_thread_unref(server);
        green_tls_context_unref(p.client.context);
        green_tls_context_unref(p.server.context);
        free_tls_pair(&p);
}

static void
a_handshake_is_made_by_whoever_comes_first_and_the_others_wait(void)
{
        struct tls_pair p = {.client.lazy = true};
        struct pair tcp;
        struct call in, out;
        char buf[8];

        if (!has_tls())
                return;
        tcp = tcp_pair();
        p.client = (struct tls_end){.s = tcp.a, .context = client_context(), .name = "localhost", .lazy = true};
        p.server = (struct tls_end){.s = tcp.b, .context = server_context("ec"), .server = true};
        wrap_end(&p.client);
        CHECK_INT(p.client.rc, 0);
        in = (struct call){.s = tcp.a};
        out = (struct call){.s = tcp.a, .out = "abc", .len = 3};
        start(&in, call_recv);
        start(&out, call_sendall);
        CHECK(!in.over && !out.over);
        wrap_end(&p.server);
        CHECK_INT(p.server.rc, 0);
        CHECK_INT(green_socket_recv(tcp.b, buf, 8, 0), 3);
        CHECK_INT(green_socket_sendall(tcp.b, "defg", 4, 0, NULL), 0);
        CHECK_INT(finish(&in), 4);
        CHECK_INT(finish(&out), 0);
        green_tls_context_unref(p.client.context);
        green_tls_context_unref(p.server.context);
        free_tls_pair(&p);
}

static void
a_handshake_can_be_made_without_waiting(void)
{
        struct pair tcp;
        struct tls_end e[2];
        int rc[2] = {-EAGAIN, -EAGAIN}, turns = 0;

        if (!has_tls())
                return;
        tcp = tcp_pair();
        e[0] = (struct tls_end){.s = tcp.a, .context = client_context(), .name = "localhost", .lazy = true};
        e[1] = (struct tls_end){.s = tcp.b, .context = server_context("ec"), .server = true, .lazy = true};
        for (int i = 0; i < 2; i++) {
                wrap_end(&e[i]);
                CHECK_INT(e[i].rc, 0);
                CHECK_INT(green_socket_set_timeout(e[i].s, 0), 0);
        }
        while ((rc[0] == -EAGAIN || rc[1] == -EAGAIN) && ++turns < 1000)
                for (int i = 0; i < 2; i++)
                        rc[i] = green_tls_handshake(e[i].s);
        CHECK_INT(rc[0], 0);
        CHECK_INT(rc[1], 0);
        for (int i = 0; i < 2; i++) {
                green_tls_context_unref(e[i].context);
                CHECK_INT(green_socket_free(e[i].s), 0);
        }
}

static void
others_run_while_a_handshake_computes(void)
{
        struct tls_pair p = {.client.name = "localhost"};
        green_thread *counter;
        int turns = 0;

        if (!has_tls())
                return;
        counter = green_spawn(count_turns, &turns);
        shake_hands_once(&p, client_context(), server_context("rsa"));
        CHECK_INT(p.client.rc, 0);
        /* A handshake takes some milliseconds; a turn some hundred nanoseconds. */
        CHECK(turns > 100 || !is_mbedtls());
        CHECK_INT(green_kill(counter, 0), 0);
        CHECK_INT(green_thread_wait(counter, NULL), GREEN_EKILLED);
        green_thread_unref(counter);
        free_tls_pair(&p);
}

static void *
say_a_byte(void *arg)
{
        CHECK_INT(green_socket_send(arg, "x", 1, 0), 1);
        return NULL;
}

/* A second socket for it gives TLS to those that it accepts, by the same context, also when the first one is gone. */
static void
a_listener_may_have_a_second_socket(void)
{
        struct green_wrap_ssl_opts wrap = {.size = sizeof wrap};
        struct tls_end e = {.name = "localhost", .lazy = true};
        char address[GREEN_ADDR_TEXT_SIZE], byte;
        green_socket *listener, *second, *accepted;
        green_thread *speaker;

        if (!has_tls())
                return;
        listener = listen_here(address);
        wrap.context = server_context("ec");
        CHECK(green_wrap_ssl(listener, &wrap) == listener);
        green_tls_context_unref(wrap.context);
        second = green_socket_dup(listener);
        if (!CHECK(second != NULL)) {
                CHECK_INT(green_socket_free(listener), 0);
                return;
        }
        CHECK(green_socket_is_tls(second));
        CHECK_INT(green_socket_detach(second), 0);
        CHECK_INT(green_socket_attach(second), 0);
        CHECK_INT(green_socket_free(listener), 0);
        e.context = client_context();
        e.s = green_connect(address, NULL);
        wrap_end(&e);
        green_tls_context_unref(e.context);
        accepted = green_socket_accept(second, NULL);
        CHECK(green_socket_is_tls(accepted));
        /* Who accepts makes its handshake at its first receive. */
        speaker = green_spawn(say_a_byte, e.s);
        CHECK_INT(green_socket_recv(accepted, &byte, 1, 0), 1);
        CHECK_INT(green_thread_wait(speaker, NULL), 0);
        green_thread_unref(speaker);
        CHECK_INT(byte, 'x');
        CHECK(green_socket_dup(accepted) == NULL);
        CHECK_INT(errno, EOPNOTSUPP);
        CHECK_INT(green_socket_close(second), 0);
        CHECK(green_socket_dup(second) == NULL);
        CHECK_INT(errno, EBADF);
        CHECK_INT(green_socket_free(accepted), 0);
        CHECK_INT(green_socket_free(second), 0);
        CHECK_INT(green_socket_free(e.s), 0);
}

GREEN_SUITE(net_tls){GREEN_TEST(bytes_go_through_in_both_directions),
                     GREEN_TEST(what_goes_over_the_wire_is_not_what_was_sent),
                     GREEN_TEST(much_goes_through_both_ways_at_once),
                     GREEN_TEST(a_sender_whose_peer_does_not_read_sleeps),
                     GREEN_TEST(decrypted_bytes_are_had_without_waiting),
                     GREEN_TEST(peeking_takes_nothing_and_no_length_waits_for_a_byte),
                     GREEN_TEST(a_timeout_of_nothing_is_eagain_and_others_are_for_each_wait),
                     GREEN_TEST(a_send_that_was_given_up_can_be_gone_on_with),
                     GREEN_TEST(other_bytes_after_a_send_that_was_given_up_come_after_it),
                     GREEN_TEST(flags_and_calls_that_tls_cannot_do_are_refused),
                     GREEN_TEST(pieces_arrive_in_order_and_small_ones_in_one_record),
                     GREEN_TEST(a_file_goes_through),
                     GREEN_TEST(streams_stand_on_it_and_make_the_handshake),
                     GREEN_TEST(a_handshake_is_made_by_whoever_comes_first_and_the_others_wait),
                     GREEN_TEST(a_handshake_can_be_made_without_waiting),
                     GREEN_TEST(others_run_while_a_handshake_computes),
                     GREEN_TEST(a_listener_may_have_a_second_socket),
        GREEN_SUITE_END};
