/*
 * Streams over sockets: who keeps the connection open, whose waits end, what a line costs.
 */
#include "net_stream.h"

#include <fcntl.h>

#if defined(_WIN32)
#include "net_calls_win32.h"
#else
#include "net_calls_posix.h"
#endif

/* The system goes on moving bytes to the peer's side for a while. */
static void
fill_up(green_socket *s)
{
        while (fill(s) > 0)
                green_sleep(0.005);
}

static void
a_connection_is_open_as_long_as_socket_or_stream_is(void)
{
        char buf[8];

        GREEN_COVERS("SOCK-35");
        /* Who is closed last: the socket, the first stream, the second. Freed or closed. */
        for (int last = 0; last < 3; last++) {
                for (int freed = 0; freed < 2; freed++) {
                        struct pair p = tcp_pair();
                        green_stream *st[2] = {green_socket_makefile(p.a, NULL), green_socket_makefile(p.a, NULL)};
                        int fd = green_stream_fd(st[0]);
                        const char *line = NULL;

                        for (int i = 0; i < 3; i++) {
                                if (i == last)
                                        continue;
                                if (i == 0)
                                        CHECK_INT(freed ? green_socket_free(p.a) : green_socket_close(p.a), 0);
                                else
                                        CHECK_INT(freed ? green_stream_free(st[i - 1]) : green_stream_close(st[i - 1]),
                                                  0);
                        }
                        CHECK(fcntl(fd, F_GETFD) >= 0);
                        CHECK_INT(green_socket_send(p.b, "in\n", 3, 0), 3);
                        if (last == 0) {
                                CHECK_INT(green_socket_recv(p.a, buf, sizeof buf, 0), 3);
                                CHECK_INT(green_socket_send(p.a, "out", 3, 0), 3);
                        } else {
                                CHECK_DATA(line, green_stream_readline(st[last - 1], 10, &line), "in\n");
                                CHECK_INT(green_stream_printf(st[last - 1], "out"), 3);
                                CHECK_INT(green_stream_flush(st[last - 1]), 0);
                        }
                        CHECK_INT(green_socket_recv(p.b, buf, 3, 0), 3);
                        if (last == 0)
                                CHECK_INT(freed ? green_socket_free(p.a) : green_socket_close(p.a), 0);
                        else
                                CHECK_INT(freed ? green_stream_free(st[last - 1]) : green_stream_close(st[last - 1]),
                                          0);
                        CHECK(fcntl(fd, F_GETFD) < 0);
                        CHECK_INT(green_socket_recv(p.b, buf, 1, 0), 0);
                        for (int i = 0; i < 3 && !freed; i++) {
                                if (i > 0) {
                                        CHECK_INT(green_stream_read(st[i - 1], buf, 1), -EBADF);
                                        CHECK_INT(green_stream_free(st[i - 1]), 0);
                                }
                        }
                        if (!freed) {
                                CHECK_INT(green_socket_recv(p.a, buf, 1, 0), -EBADF);
                                CHECK_INT(green_socket_free(p.a), 0);
                        }
                        CHECK_INT(green_socket_free(p.b), 0);
                }
        }
}

static void
a_closed_socket_with_streams_refuses_every_call(void)
{
        struct pair p = tcp_pair();
        green_stream *st = green_socket_makefile(p.a, NULL);
        struct green_addr addr;
        char buf[4];
        int value;
        socklen_t size = sizeof value;

        GREEN_COVERS("SOCK-35");
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_recv(p.a, buf, 1, 0), -EBADF);
        CHECK_INT(green_socket_recv(p.a, buf, 1, MSG_DONTWAIT), -EBADF);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), -EBADF);
        CHECK_INT(green_socket_sendall(p.a, "x", 1, 0, NULL), -EBADF);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), -EBADF);
        CHECK_INT(green_socket_shutdown_safe(p.a), 0);
        CHECK_INT(green_socket_getpeername(p.a, &addr), -EBADF);
        CHECK_INT(green_socket_getsockopt(p.a, SOL_SOCKET, SO_TYPE, &value, &size), -EBADF);
        CHECK_INT(green_socket_error(p.a), -EBADF);
        CHECK(green_socket_fd(p.a) == GREEN_INVALID_FD && green_socket_io(p.a) == NULL);
        CHECK(green_socket_makefile(p.a, NULL) == NULL);
        CHECK_INT(errno, EBADF);
        CHECK(green_socket_makefile(NULL, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_stream_write(st, "still here", 10), 10);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(green_socket_recv(p.b, buf, 4, 0), 4);
        CHECK_INT(green_socket_recv(p.a, buf, 1, 0), -EBADF);
        CHECK(green_socket_makefile(p.a, NULL) == NULL);
        free_pair(p);
}

static void
closing_one_end_wakes_its_own_waiters_only(void)
{
        struct pair p = tcp_pair();
        green_stream *in = green_socket_makefile(p.a, NULL), *out = green_socket_makefile(p.a, NULL);
        struct doing reader = {.st = in, .op = OP_LINE}, writer = {.st = out, .op = OP_FLUSH};
        struct call c = {.s = p.a};
        char buf[8];

        GREEN_COVERS("SOCK-35");
        /* The socket's reader waits; a stream that closes does not disturb it. */
        start(&c, call_recv);
        CHECK_INT(green_stream_close(in), 0);
        CHECK_INT(green_stream_free(in), 0);
        green_sleep(0.002);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.b, "a", 1, 0), 1);
        CHECK_INT(finish(&c), 1);

        /* The stream's reader waits; the socket's writer does too, and its close ends only that. */
        reader.st = in = green_socket_makefile(p.a, NULL);
        begin_op(&reader);
        fill_up(p.a);
        c.out = buf;
        c.len = 1;
        start(&c, call_sendall);
        CHECK_INT(green_socket_free(p.a), -EBUSY);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        green_sleep(0.002);
        CHECK(!reader.over);
        /* A stream's writer waits as well; the reader's stream is closed. */
        CHECK_INT(green_stream_write(out, "x", 1), 1);
        begin_op(&writer);
        CHECK(!writer.over);
        CHECK_INT(green_stream_close(in), 0);
        CHECK_INT(end_op(&reader), -ECANCELED);
        CHECK_INT(green_stream_free(in), 0);
        green_sleep(0.002);
        CHECK(!writer.over);
        while (!writer.over) {
                drain(p.b);
                green_sleep(0.001);
        }
        CHECK_INT(end_op(&writer), 0);
        CHECK_INT(green_stream_free(out), 0);
        CHECK_INT(green_socket_free(p.b), 0);
}

static void
the_last_stream_of_a_freed_socket_is_closed_while_somebody_waits(void)
{
        struct pair p = tcp_pair();
        struct doing d = {.st = green_socket_makefile(p.a, NULL), .op = OP_LINE};
        int fd = green_stream_fd(d.st);

        CHECK_INT(green_socket_free(p.a), 0);
        begin_op(&d);
        CHECK_INT(green_stream_free(d.st), -EBUSY);
        CHECK_INT(green_stream_close(d.st), 0);
        CHECK(fcntl(fd, F_GETFD) < 0);
        CHECK_INT(green_stream_free(d.st), 0);
        CHECK_INT(end_op(&d), -ECANCELED);
        CHECK_INT(green_socket_free(p.b), 0);
}

static void
the_timeout_of_the_socket_bounds_each_wait(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        green_stream *st = green_socket_makefile(p.a, NULL);
        const char *line = NULL;
        char buf[4];

        CHECK_INT(green_socket_set_timeout(p.a, 0.005), 0);
        CHECK_INT(green_stream_readline(st, 10, &line), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(p.a, 0), 0);
        CHECK_INT(green_stream_readline(st, 10, &line), -EAGAIN);
        CHECK_INT(green_socket_send(p.b, "li", 2, 0), 2);
        green_sleep(0.002);
        CHECK_INT(green_stream_readline(st, 10, &line), -EAGAIN);
        CHECK_INT(green_stream_pending(st), 2);
        CHECK_INT(green_socket_send(p.b, "ne\n", 3, 0), 3);
        green_sleep(0.002);
        CHECK_DATA(line, green_stream_readline(st, 10, &line), "line\n");
        fill_up(p.a);
        CHECK_INT(green_stream_write(st, "x", 1), 1);
        CHECK_INT(green_stream_flush(st), -EAGAIN);
        /* What cannot be sent does not keep from reading. */
        CHECK_INT(green_socket_send(p.b, "y", 1, 0), 1);
        green_sleep(0.002);
        CHECK_INT(green_stream_read(st, buf, 4), 1);
        CHECK_INT(green_stream_unsent(st), 1);
        CHECK_INT(green_stream_close(st), -EAGAIN);
        CHECK_INT(green_stream_free(st), 0);
        free_pair(p);
}

static void *
echo_lines(void *arg)
{
        green_stream *st = arg;
        const char *line;
        ssize_t n;

        while ((n = green_stream_readline(st, 100, &line)) > 0)
                if (green_stream_write(st, line, (size_t)n) != n)
                        break;
        CHECK_INT(n, 0);
        return NULL;
}

static void
a_line_costs_one_receive_and_one_send(void)
{
        green_thread *gt;
        green_stream *st;
        struct pair p;
        char buf[400];
        int fd;

        if (strcmp(green_hub_name(NULL), "iocp") == 0) {
                suite_skip("this hub receives by operations, and makes no call at all");
                return;
        }
        count_calls();
        p = tcp_pair();
        st = green_socket_makefile(p.b, NULL);
        gt = green_spawn(echo_lines, st);
        fd = green_socket_fd(p.a);
        CHECK_INT(green_socket_free(p.b), 0);
        for (int i = 0; i < 51; i++) {
                int at_once = i % 3 + 1;

                if (i == 1)
                        recv_calls = send_calls = 0;
                memset(buf, 'x', sizeof buf);
                for (int k = 1; k <= at_once; k++)
                        buf[64 * k - 1] = '\n';
                CHECK_INT(write(fd, buf, 64 * (size_t)at_once), 64 * at_once);
                for (ssize_t came = 0, n; came < 64 * (ssize_t)at_once; came += n) {
                        if (!CHECK_INT(green_trampoline(fd, GREEN_READ, 5), 0))
                                break;
                        n = read(fd, buf, sizeof buf);
                        if (!CHECK(n > 0))
                                break;
                }
        }
        /* Some hubs cannot tell whether the end has come along: there it takes two. */
        CHECK_RANGE(recv_calls, 50, strcmp(green_hub_name(NULL), "epoll") == 0 ? 50 : 100);
        CHECK_INT(send_calls, 50);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(green_socket_free(p.a), 0);
}

static void *
write_many_lines(void *arg)
{
        green_stream *st = arg;
        char line[1100];

        memset(line, '=', sizeof line);
        for (int i = 0; i < 10000; i++) {
                line[1030] = '\n';
                snprintf(line, 16, "%09d", i);
                line[9] = ' ';
                if (!CHECK_INT(green_stream_write(st, line, 1031), 1031))
                        break;
        }
        CHECK_INT(green_stream_close(st), 0);
        return NULL;
}

static void
ten_thousand_lines_arrive_whole(void)
{
        struct pair p = tcp_pair();
        green_stream *out = green_socket_makefile(p.a, NULL), *in = green_socket_makefile(p.b, NULL);
        int small = 5000, n = 0;
        const char *line;
        green_thread *gt;
        ssize_t got;

        GREEN_COVERS("SOCK-36");
        CHECK_INT(green_socket_setsockopt(p.a, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
        free_pair(p);
        gt = green_spawn(write_many_lines, out);
        while ((got = green_stream_readline(in, 2000, &line)) > 0) {
                if (!CHECK_INT(got, 1031) || !CHECK_INT(strtol(line, NULL, 10), n))
                        break;
                n++;
        }
        CHECK_INT(got, 0);
        CHECK_INT(n, 10000);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
}

GREEN_SUITE(net_stream_socket) {
        GREEN_TEST(a_connection_is_open_as_long_as_socket_or_stream_is),
        GREEN_TEST(a_closed_socket_with_streams_refuses_every_call),
        GREEN_TEST(closing_one_end_wakes_its_own_waiters_only),
        GREEN_TEST(the_last_stream_of_a_freed_socket_is_closed_while_somebody_waits),
        GREEN_TEST(the_timeout_of_the_socket_bounds_each_wait),
        GREEN_TEST(a_line_costs_one_receive_and_one_send),
        GREEN_TEST(ten_thousand_lines_arrive_whole),
        GREEN_SUITE_END
};
