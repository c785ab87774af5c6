/*
 * Sockets: moving bytes.
 */
#include "net_suite.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ---- receiving */

static void
recv_takes_what_is_there_and_waits_for_the_rest(void)
{
        struct pair p = tcp_pair();
        struct call c = {.s = p.b};
        char buf[8];

        GREEN_COVERS("SOCK-07", "SOCK-24", "FD-16");
        CHECK_INT(green_socket_send(p.a, "hello", 5, 0), 5);
        CHECK_INT(green_socket_recv(p.b, buf, 2, 0), 2);
        CHECK_INT(green_socket_recv(p.b, buf + 2, sizeof buf - 2, MSG_PEEK), 3);
        CHECK_INT(green_socket_recv(p.b, buf + 2, sizeof buf - 2, 0), 3);
        CHECK(memcmp(buf, "hello", 5) == 0);
        start(&c, call_recv);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.a, "!", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        /* The end, from the peer and from a shutdown of one's own. */
        start(&c, call_recv);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(finish(&c), 0);
        start(&c, call_recv);
        CHECK_INT(finish(&c), 0);
        c.s = p.a;
        start(&c, call_recv);
        CHECK(!c.over);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_RD), 0);
        CHECK_INT(finish(&c), 0);
        free_pair(p);
}

static void
a_receive_of_nothing_waits_for_something(void)
{
        struct pair p = tcp_pair();
        struct call c = {.s = p.b};
        char byte;

        GREEN_COVERS("SOCK-26");
        start(&c, call_recv_nothing);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 0);
        CHECK_INT(green_socket_recvfrom(p.b, &byte, 0, 0, NULL), 0);
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 1);
        CHECK_INT(byte, 'x');
        /* The end can be had at once too. */
        start(&c, call_recv_nothing);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(finish(&c), 0);
        free_pair(p);
}

static void
a_reset_is_an_error_and_not_the_end(void)
{
        struct pair p = tcp_pair();
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        struct call c = {.s = p.b};
        char byte;

        GREEN_COVERS("SOCK-25");
        start(&c, call_recv);
        CHECK_INT(green_socket_setsockopt(p.a, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(finish(&c), -ECONNRESET);
        /* After it, the system says end of stream, or pipe broken. */
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), -EPIPE);
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 0);
        free_pair(p);
}

static void
what_is_not_connected_says_so(void)
{
        green_socket *s = green_socket_new(AF_INET, SOCK_STREAM, 0);
        char byte;

        GREEN_COVERS("SOCK-24", "SOCK-28", "SOCK-40");
        CHECK_INT(green_socket_recv(s, &byte, 1, 0), -ENOTCONN);
        CHECK_INT(green_socket_send(s, "x", 1, 0), -EPIPE);
        CHECK_INT(green_socket_shutdown(s, SHUT_RDWR), -ENOTCONN);
        CHECK_INT(green_socket_shutdown_safe(s), 0);
        CHECK_INT(green_socket_free(s), 0);
}

static void
shutdown_safe_ends_both_directions(void)
{
        struct pair p = tcp_pair();
        char byte;

        GREEN_COVERS("SOCK-40");
        CHECK_INT(green_socket_shutdown_safe(p.a), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 0);
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 0);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), -EPIPE);
        free_pair(p);
}

static void
a_broken_pipe_is_a_code_and_no_signal(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        struct green_iovec iov = {.base = (void *)(uintptr_t) "x", .len = 1};
        void (*old)(int) = signal(SIGPIPE, SIG_DFL);

        GREEN_COVERS("SOCK-33");
        CHECK_INT(green_socket_close(p.b), 0);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), -EPIPE);
        CHECK_INT(green_socket_sendall(p.a, "x", 1, 0, NULL), -EPIPE);
        CHECK_INT(green_socket_sendv(p.a, &iov, 1, 0), -EPIPE);
        CHECK_INT(green_socket_sendallv(p.a, &iov, 1, 0, NULL), -EPIPE);
        signal(SIGPIPE, old);
        free_pair(p);
}

/* ---- sending */

static void
sendall_sends_all_though_the_peer_is_slow(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        size_t len = 3 * 1000 * 1000, got = 0;
        char *data = malloc(len), buf[1031];
        struct call c = {.s = p.a, .out = data, .len = len};
        bool same = true;
        ssize_t n;

        GREEN_COVERS("SOCK-29", "SOCK-36");
        CHECK_OR_RETURN(data != NULL);
        for (size_t i = 0; i < len; i++)
                data[i] = (char)(i * 31 + i / 255);
        start(&c, call_sendall);
        CHECK(!c.over);
        while (got < len && (n = green_socket_recv(p.b, buf, sizeof buf, 0)) > 0) {
                same = same && memcmp(buf, data + got, (size_t)n) == 0;
                got += (size_t)n;
        }
        CHECK_INT(got, len);
        CHECK(same);
        CHECK_INT(finish(&c), 0);
        CHECK_INT(c.done, len);
        free(data);
        free_pair(p);
}

static void
sendall_tells_how_much_it_sent_when_it_fails(void)
{
        static char data[20 * 1000 * 1000];
        struct pair p = tcp_pair();
        struct green_timeout t;
        size_t done = 77;

        GREEN_COVERS("SOCK-29");
        /* The socket's own limit. */
        CHECK_INT(green_socket_set_timeout(p.a, 0.03), 0);
        CHECK_INT(green_socket_sendall(p.a, data, sizeof data, 0, &done), -ETIMEDOUT);
        CHECK_RANGE(done, 1, sizeof data - 1);
        CHECK_INT(drain(p.b), done);
        /* A scope's. */
        CHECK_INT(green_socket_set_timeout(p.a, GREEN_FOREVER), 0);
        green_timeout_start(&t, 0.03);
        CHECK_INT(green_socket_sendall(p.a, data, sizeof data, 0, &done), GREEN_ETIMEOUT);
        CHECK_RANGE(done, 1, sizeof data - 1);
        /* And before it began. */
        CHECK_INT(green_socket_sendall(p.a, data, sizeof data, 0, &done), GREEN_ETIMEOUT);
        CHECK_INT(done, 0);
        CHECK_INT(green_timeout_cancel(&t), 1);
        /* Not to wait. */
        drain(p.b);
        CHECK_INT(green_socket_sendall(p.a, data, sizeof data, MSG_DONTWAIT, &done), -EAGAIN);
        CHECK_RANGE(done, 1, sizeof data - 1);
        CHECK_INT(green_socket_sendall(p.a, data, 0, 0, &done), 0);
        CHECK_INT(done, 0);
        CHECK_INT(green_socket_close(p.a), 0);
        done = 77;
        CHECK_INT(green_socket_sendall(p.a, data, 1, 0, &done), -EBADF);
        CHECK_INT(done, 0);
        free_pair(p);
}

static void *
read_slowly(void *arg)
{
        green_socket *s = arg;
        char buf[65536];

        /* Each pause is shorter than the sender's limit, all of them together are longer. */
        while (green_sleep(0.01) == 0 && green_socket_recv(s, buf, sizeof buf, 0) > 0)
                ;
        return NULL;
}

static void
the_limit_of_sendall_is_for_each_wait(void)
{
        static char data[6 * 1000 * 1000];
        struct pair p = unix_pair(SOCK_STREAM);
        struct green_iovec iov = {.base = data, .len = sizeof data};
        green_thread *reader = green_spawn(read_slowly, p.b);
        size_t done;

        GREEN_COVERS("SOCK-29");
        CHECK_INT(green_socket_set_timeout(p.a, 0.8 * suite_slow()), 0);
        CHECK_INT(green_socket_sendall(p.a, data, sizeof data, 0, &done), 0);
        CHECK_INT(done, sizeof data);
        CHECK_INT(green_socket_sendallv(p.a, &iov, 1, 0, &done), 0);
        CHECK_INT(done, sizeof data);
        CHECK_INT(green_kill(reader, 0), 0);
        green_thread_unref(reader);
        free_pair(p);
}

static void
waiting_to_send_costs_no_processor_time(void)
{
        struct pair p = tcp_pair();
        struct call c = {.s = p.a, .out = "x", .len = 1};
        struct rusage before, after;

        fill(p.a);
        start(&c, call_sendall);
        getrusage(RUSAGE_SELF, &before);
        CHECK_INT(green_sleep(0.2), 0);
        getrusage(RUSAGE_SELF, &after);
        CHECK_RANGE(after.ru_utime.tv_sec - before.ru_utime.tv_sec +
                            (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6,
                    0, 0.02 * suite_slow());
        CHECK(!c.over);
        drain(p.b);
        CHECK_INT(finish(&c), 0);
        free_pair(p);
}

/* ---- vectors */

#define PIECES 3000

static void *
send_pieces(void *arg)
{
        struct call *c = arg;

        c->rc = green_socket_sendallv(c->s, c->out, c->len, 0, &c->done);
        c->over = true;
        return NULL;
}

static void
sendallv_sends_pieces_of_any_number_and_size(void)
{
        static char data[PIECES * 700], got[PIECES * 700];
        static struct green_iovec iov[PIECES], copy[PIECES];
        struct pair p = unix_pair(SOCK_STREAM);
        size_t at = 0, have = 0;
        struct call c = {.s = p.a, .out = iov, .len = PIECES};
        ssize_t n;

        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (char)(i * 7 + i / 251);
        for (int i = 0; i < PIECES; i++) {
                iov[i].base = data + at;
                iov[i].len = (size_t)(i % 3 == 0 ? 0 : i * 37 % 700);
                at += iov[i].len;
        }
        memcpy(copy, iov, sizeof iov);
        start(&c, send_pieces);
        CHECK(!c.over);
        while (have < at && (n = green_socket_recv(p.b, got + have, 997, 0)) > 0)
                have += (size_t)n;
        CHECK_INT(finish(&c), 0);
        CHECK_INT(c.done, at);
        CHECK_INT(have, at);
        CHECK(memcmp(data, got, at) == 0);
        CHECK(memcmp(copy, iov, sizeof iov) == 0);
        free_pair(p);
}

static void
sendv_sends_several_pieces_at_once(void)
{
        struct green_iovec iov[] = {{.base = (void *)(uintptr_t) "ab", .len = 2},
                                    {.base = NULL, .len = 0},
                                    {.base = (void *)(uintptr_t) "cde", .len = 3}};
        struct pair p = unix_pair(SOCK_DGRAM);
        char buf[16];
        size_t done;

        CHECK_INT(green_socket_sendv(p.a, iov, 3, 0), 5);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 5);
        CHECK(memcmp(buf, "abcde", 5) == 0);
        CHECK_INT(green_socket_sendallv(p.a, iov, 3, 0, &done), 0);
        CHECK_INT(done, 5);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 5);
        /* Nothing to send is sent. */
        CHECK_INT(green_socket_sendallv(p.a, iov, 0, 0, &done), 0);
        CHECK_INT(green_socket_sendallv(p.a, iov + 1, 1, 0, &done), 0);
        CHECK_INT(done, 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), -EAGAIN);
        free_pair(p);
}

/* ---- both directions, and the others */

static void
one_sends_while_another_receives(void)
{
        static char data[2 * 1000 * 1000];
        struct pair p = unix_pair(SOCK_STREAM);
        struct call to = {.s = p.a, .out = data, .len = sizeof data}, back = {.s = p.b, .out = data, .len = sizeof data};
        size_t at_a = 0, at_b = 0;

        GREEN_COVERS("SOCK-31", "FD-01");
        start(&to, call_sendall);
        start(&back, call_sendall);
        CHECK(!to.over && !back.over);
        while (at_a < sizeof data || at_b < sizeof data) {
                at_a += drain(p.a);
                at_b += drain(p.b);
                green_sleep(0);
        }
        CHECK_INT(finish(&to), 0);
        CHECK_INT(finish(&back), 0);
        CHECK_INT(at_a, sizeof data);
        CHECK_INT(at_b, sizeof data);
        free_pair(p);
}

static void
a_read_that_timed_out_leaves_nothing_that_a_later_write_could_wake(void)
{
        struct pair p = tcp_pair();
        struct call writer = {.s = p.a, .out = "x", .len = 1};
        char byte;

        GREEN_COVERS("SOCK-32");
        fill(p.a);
        CHECK_INT(green_socket_set_timeout(p.a, 0.01), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(p.a, GREEN_FOREVER), 0);
        start(&writer, call_sendall);
        CHECK(!writer.over);
        /* We sleep on something else, which the socket must not end. */
        CHECK_INT(green_socket_send(p.b, "y", 1, 0), 1);
        CHECK_INT(green_sleep(0.02), 0);
        CHECK(!writer.over);
        drain(p.b);
        CHECK_INT(finish(&writer), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        free_pair(p);
}

static void
a_call_that_never_waits_lets_the_others_run_every_64_times(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        int turns = 0;
        green_thread *counter = green_spawn(count_turns, &turns);
        char byte;

        green_sleep(0);
        turns = 0;
        for (int i = 0; i < 640; i++) {
                CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
                CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 1);
                if (i == 63)
                        CHECK_INT(turns, 0);
        }
        /* Each of the two sockets counts for itself: before the 65th, the 129th, ... call. */
        CHECK_INT(turns, 2 * (639 / 64));
        green_kill(counter, 0);
        green_thread_unref(counter);
        free_pair(p);
}

/* ---- datagrams */

static void
datagrams_go_to_and_come_from_addresses(void)
{
        green_socket *a = green_socket_new(AF_INET, SOCK_DGRAM, 0), *b = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        struct green_addr any, at_a, at_b, from;
        struct call c = {.s = b};
        char buf[16];

        GREEN_COVERS("SOCK-24", "SOCK-30");
        CHECK_INT(green_addr_parse("127.0.0.1:0", &any), 0);
        CHECK_INT(green_socket_bind(a, &any), 0);
        CHECK_INT(green_socket_bind(b, &any), 0);
        CHECK_INT(green_socket_getsockname(a, &at_a), 0);
        CHECK_INT(green_socket_getsockname(b, &at_b), 0);
        start(&c, call_recv);
        CHECK(!c.over);
        CHECK_INT(green_socket_sendto(a, "one", 3, 0, &at_b), 3);
        CHECK_INT(finish(&c), 3);
        CHECK_INT(green_socket_sendto(a, "two", 3, 0, &at_b), 3);
        CHECK_INT(green_socket_recvfrom(b, buf, sizeof buf, 0, &from), 3);
        CHECK(green_addr_equal(&from, &at_a));
        CHECK_INT(green_socket_sendto(b, "", 0, 0, &from), 0);
        CHECK_INT(green_socket_recvfrom(a, buf, sizeof buf, 0, &from), 0);
        CHECK(green_addr_equal(&from, &at_b));
        CHECK_INT(green_socket_set_timeout(b, 0.01), 0);
        CHECK_INT(green_socket_recvfrom(b, buf, sizeof buf, 0, &from), -ETIMEDOUT);

        CHECK_INT(green_socket_connect(a, &at_b), 0);
        CHECK_INT(green_socket_sendto(a, "three", 5, 0, NULL), 5);
        CHECK_INT(green_socket_recvfrom(b, buf, sizeof buf, 0, NULL), 5);
        CHECK_INT(green_socket_free(a), 0);
        CHECK_INT(green_socket_free(b), 0);
}

static void
a_stream_has_no_sender_to_tell(void)
{
        struct pair p = tcp_pair();
        struct green_addr from = {.size = 77};
        char byte;

        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(green_socket_recvfrom(p.b, &byte, 1, 0, &from), 1);
        CHECK_INT(green_addr_family(&from), AF_UNSPEC);
        free_pair(p);
}

/* ---- hub context */

struct outside {
        green_socket *s;
        ssize_t would_wait, polled, got;
};

static void
use_in_hub_context(void *arg)
{
        struct outside *o = arg;
        char byte;

        CHECK(green_getcurrent() == NULL);
        o->would_wait = green_socket_recv(o->s, &byte, 1, 0);
        o->polled = green_socket_recv(o->s, &byte, 1, MSG_DONTWAIT);
}

static void
use_what_is_ready_in_hub_context(void *arg)
{
        struct outside *o = arg;
        char byte;

        o->got = green_socket_recv(o->s, &byte, 1, 0);
}

static void
in_hub_context_only_what_need_not_wait_works(void)
{
        struct pair p = tcp_pair();
        struct outside o = {.s = p.a};

        CHECK_INT(green_schedule_call_global(0, use_in_hub_context, &o), 0);
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_INT(o.would_wait, -EDEADLK);
        CHECK_INT(o.polled, -EAGAIN);
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), 1);
        CHECK_INT(green_schedule_call_global(0, use_what_is_ready_in_hub_context, &o), 0);
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_INT(o.got, 1);
        free_pair(p);
}

/* ---- descriptors that the program was started with */

/* Standard input is one end of a connection, as under inetd; the other end is peer. */
static int
as_under_inetd(int peer)
{
        green_socket *s = green_socket_from_fd(0), *other = green_socket_from_fd(peer);
        struct green_addr addr;
        struct call c = {.s = s};

        CHECK_OR_RETURN(s != NULL && other != NULL, 1);
        CHECK(!(fcntl(0, F_GETFL) & O_NONBLOCK));
        start(&c, call_recv);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(other, "hi", 2, 0), 2);
        CHECK_INT(finish(&c), 2);
        fill(s);
        c.out = "x";
        c.len = 1;
        start(&c, call_sendall);
        CHECK(!c.over);
        drain(other);
        CHECK_INT(finish(&c), 0);
        CHECK_INT(green_addr_parse("unix:/nowhere", &addr), 0);
        CHECK_INT(green_socket_connect(s, &addr), -EOPNOTSUPP);
        CHECK(!(fcntl(0, F_GETFL) & O_NONBLOCK));
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(other), 0);
        return suite_failures() != 0;
}

/* Standard input is a listener, as under inetd with "wait". */
static int
as_under_inetd_wait(green_socket *listener, const char *address)
{
        green_socket *s = green_socket_from_fd(0);
        struct call c = {.s = s};
        green_socket *client;

        CHECK_OR_RETURN(s != NULL, 1);
        start(&c, call_accept);
        CHECK(!c.over);
        client = green_connect(address, NULL);
        CHECK(client != NULL);
        CHECK_INT(finish(&c), 0);
        CHECK(!(fcntl(0, F_GETFL) & O_NONBLOCK));
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(listener), 0);
        return suite_failures() != 0;
}

static void
standard_input_is_used_but_never_switched_to_non_blocking(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener;
        int fds[2], status = -1;
        pid_t pid;

        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        pid = fork();
        if (pid == 0) {
                dup2(fds[0], 0);
                _exit(as_under_inetd(fds[1]));
        }
        close(fds[0]);
        close(fds[1]);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);

        listener = listen_here(address);
        fcntl(green_socket_fd(listener), F_SETFL, 0);
        pid = fork();
        if (pid == 0) {
                dup2(green_socket_fd(listener), 0);
                _exit(as_under_inetd_wait(listener, address));
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_INT(green_socket_free(listener), 0);
}

GREEN_SUITE(net_socket_io) {
        GREEN_TEST(recv_takes_what_is_there_and_waits_for_the_rest),
        GREEN_TEST(a_receive_of_nothing_waits_for_something),
        GREEN_TEST(a_reset_is_an_error_and_not_the_end),
        GREEN_TEST(what_is_not_connected_says_so),
        GREEN_TEST(shutdown_safe_ends_both_directions),
        GREEN_TEST(a_broken_pipe_is_a_code_and_no_signal),
        GREEN_TEST(sendall_sends_all_though_the_peer_is_slow),
        GREEN_TEST(sendall_tells_how_much_it_sent_when_it_fails),
        GREEN_TEST(the_limit_of_sendall_is_for_each_wait),
        GREEN_TEST(waiting_to_send_costs_no_processor_time),
        GREEN_TEST(sendallv_sends_pieces_of_any_number_and_size),
        GREEN_TEST(sendv_sends_several_pieces_at_once),
        GREEN_TEST(one_sends_while_another_receives),
        GREEN_TEST(a_read_that_timed_out_leaves_nothing_that_a_later_write_could_wake),
        GREEN_TEST(a_call_that_never_waits_lets_the_others_run_every_64_times),
        GREEN_TEST(datagrams_go_to_and_come_from_addresses),
        GREEN_TEST(a_stream_has_no_sender_to_tell),
        GREEN_TEST(in_hub_context_only_what_need_not_wait_works),
        GREEN_TEST(standard_input_is_used_but_never_switched_to_non_blocking),
        GREEN_SUITE_END
};
