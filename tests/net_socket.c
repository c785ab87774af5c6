/*
 * Sockets: their life, their time limits, closing and cancelling.
 */
#include "net_suite.h"

#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/wait.h>

static double
now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
a_new_socket_is_non_blocking_and_closed_on_exec(void)
{
        green_socket *s;

        GREEN_COVERS("SOCK-01");
        s = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK_OR_RETURN(s != NULL);
        CHECK(fcntl(green_socket_fd(s), F_GETFL) & O_NONBLOCK);
        CHECK(fcntl(green_socket_fd(s), F_GETFD) & FD_CLOEXEC);
        CHECK_INT(green_socket_free(s), 0);

        errno = 0;
        CHECK(green_socket_new(12345, SOCK_STREAM, 0) == NULL);
        CHECK_INT(errno, EAFNOSUPPORT);
        CHECK_INT(green_last_error()->code, -EAFNOSUPPORT);
}

static void
a_descriptor_from_elsewhere_becomes_a_socket(void)
{
        int fds[2], file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        green_socket *s;

        GREEN_COVERS("SOCK-01", "SOCK-02");
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        CHECK(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
        s = green_socket_from_fd(fds[0]);
        CHECK_OR_RETURN(s != NULL);
        CHECK_INT(green_socket_fd(s), fds[0]);
        CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        CHECK(green_socket_from_fd(fds[0]) == NULL);
        CHECK_INT(errno, EBUSY);
        CHECK(strstr(green_last_error()->message, "has an owner already") != NULL);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(fcntl(fds[0], F_GETFD), -1);
        close(fds[1]);

        CHECK(green_socket_from_fd(file) == NULL);
        CHECK_INT(errno, ENOTSOCK);
        CHECK_INT(fcntl(file, F_GETFD), FD_CLOEXEC);
        close(file);
        CHECK(green_socket_from_fd(file) == NULL);
        CHECK_INT(errno, EBADF);
        CHECK(green_socket_from_fd(-1) == NULL);
        CHECK_INT(errno, EBADF);
}

static void
options_and_addresses_pass_through(void)
{
        struct pair p = tcp_pair();
        struct green_addr mine, other, peer;
        int value = 0;
        socklen_t size = sizeof value;

        GREEN_COVERS("SOCK-09");
        CHECK_INT(green_socket_getsockname(p.a, &mine), 0);
        CHECK_INT(green_socket_getpeername(p.b, &peer), 0);
        CHECK(green_addr_equal(&mine, &peer));
        CHECK_INT(green_socket_getsockname(p.b, &other), 0);
        CHECK(!green_addr_equal(&mine, &other));
        value = 1;
        CHECK_INT(green_socket_setsockopt(p.a, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value), 0);
        value = 0;
        CHECK_INT(green_socket_getsockopt(p.a, SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
        CHECK_INT(value, 1);
        CHECK_INT(green_socket_setsockopt(p.a, SOL_SOCKET, 12345, &value, sizeof value), -ENOPROTOOPT);
        CHECK_INT(green_socket_error(p.a), 0);
        CHECK_INT(green_socket_pending(p.a), 0);
        CHECK_INT(green_io_fd(green_socket_io(p.a)), green_socket_fd(p.a));
        free_pair(p);
}

static void
a_socket_that_is_none_is_refused(void)
{
        struct green_addr addr;
        char byte;

        CHECK_INT(green_socket_recv(NULL, &byte, 1, 0), -EINVAL);
        CHECK_INT(green_socket_send(NULL, "x", 1, 0), -EINVAL);
        CHECK_INT(green_socket_sendall(NULL, "x", 1, 0, NULL), -EINVAL);
        CHECK_INT(green_socket_getsockname(NULL, &addr), -EINVAL);
        CHECK_INT(green_socket_set_timeout(NULL, 1), -EINVAL);
        CHECK(green_socket_accept(NULL, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_socket_shutdown(NULL, SHUT_RD), -EINVAL);
        CHECK_INT(green_socket_shutdown_safe(NULL), 0);
        CHECK_INT(green_socket_close(NULL), 0);
        CHECK_INT(green_socket_free(NULL), 0);
        CHECK_INT(green_socket_fd(NULL), GREEN_INVALID_FD);
        CHECK_INT(green_socket_pending(NULL), 0);
        CHECK(green_socket_io(NULL) == NULL);
}

/* ---- time limits */

static void
a_limit_is_any_time_but_a_negative_one(void)
{
        green_socket *s = green_socket_new(AF_INET, SOCK_STREAM, 0);

        GREEN_COVERS("SOCK-03", "SOCK-05");
        CHECK(green_socket_get_timeout(s) == GREEN_FOREVER);
        CHECK_INT(green_socket_set_timeout(s, 1.5), 0);
        CHECK(green_socket_get_timeout(s) == 1.5);
        CHECK_INT(green_socket_set_timeout(s, -1), -EINVAL);
        CHECK_INT(green_socket_set_timeout(s, NAN), -EINVAL);
        CHECK(green_socket_get_timeout(s) == 1.5);
        CHECK_INT(green_socket_set_timeout(s, GREEN_FOREVER), 0);
        CHECK_INT(green_socket_free(s), 0);
}

static void
a_limit_of_zero_does_not_wait_and_goes_back(void)
{
        struct pair p = tcp_pair();
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct call c = {.s = p.a};
        int turns = 0;
        green_thread *counter = green_spawn(count_turns, &turns);
        char byte;

        GREEN_COVERS("SOCK-04");
        CHECK_INT(green_socket_set_timeout(p.a, 0), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -EAGAIN);
        CHECK_INT(green_socket_recv(p.a, &byte, 0, 0), -EAGAIN);
        fill(p.a);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), -EAGAIN);
        CHECK_INT(green_socket_set_timeout(listener, 0), 0);
        CHECK(green_socket_accept(listener, NULL) == NULL);
        CHECK_INT(green_last_error()->code, -EAGAIN);
        /* It never yields, however often it is called. */
        for (int i = 0; i < 200; i++)
                CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -EAGAIN);
        CHECK_INT(turns, 0);

        CHECK_INT(green_socket_set_timeout(p.a, GREEN_FOREVER), 0);
        start(&c, call_recv);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.b, "hi", 2, 0), 2);
        CHECK_INT(finish(&c), 2);
        green_kill(counter, 0);
        green_thread_unref(counter);
        CHECK_INT(green_socket_free(listener), 0);
        free_pair(p);
}

static void
a_limit_that_is_over_is_etimedout(void)
{
        struct pair p = tcp_pair();
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        double start_time = now();
        char byte;

        GREEN_COVERS("SOCK-06", "SOCK-12", "SOCK-26", "SOCK-28", "SOCK-24");
        CHECK_INT(green_socket_set_timeout(p.a, 0.03), 0);
        CHECK_INT(green_socket_set_timeout(listener, 0.03), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_recv(p.a, &byte, 0, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_recvfrom(p.a, &byte, 1, 0, NULL), -ETIMEDOUT);
        fill(p.a);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), -ETIMEDOUT);
        CHECK(green_socket_accept(listener, NULL) == NULL);
        CHECK_INT(green_last_error()->code, -ETIMEDOUT);
        CHECK_RANGE(now() - start_time, 5 * 0.03, 5 * 0.03 + 1 * suite_slow());
        CHECK(green_is_timeout(-ETIMEDOUT));
        /* Nobody waits any more (nothing_left() checks it too): the number may be used by another one. */
        CHECK_INT(green_socket_send(p.b, "y", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        CHECK_INT(green_socket_free(listener), 0);
        free_pair(p);
}

static void
an_accepted_socket_has_no_limit_whatever_the_listener_s(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address), *client, *server;

        GREEN_COVERS("SOCK-13", "SOCK-14");
        client = green_connect(address, NULL);
        CHECK_INT(green_socket_set_timeout(listener, 0), 0);
        server = green_socket_accept(listener, NULL);
        CHECK_OR_RETURN(server != NULL);
        CHECK(green_socket_get_timeout(server) == GREEN_FOREVER);
        CHECK(fcntl(green_socket_fd(server), F_GETFL) & O_NONBLOCK);
        CHECK(fcntl(green_socket_fd(server), F_GETFD) & FD_CLOEXEC);
        CHECK_INT(green_socket_free(server), 0);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

/* ---- scopes */

static void
a_timeout_around_a_call_ends_it(void)
{
        struct pair p = tcp_pair();
        struct green_timeout t;
        char byte;

        CHECK_INT(green_timeout_start(&t, 0.02), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), GREEN_ETIMEOUT);
        /* And fails what comes after, before anything is done. */
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), GREEN_ETIMEOUT);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), GREEN_ETIMEOUT);
        /* What must not wait looks at no scope. */
        CHECK_INT(green_socket_recv(p.a, &byte, 1, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_send(p.b, "y", 1, MSG_DONTWAIT), 1);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        CHECK_INT(byte, 'y');
        free_pair(p);
}

static void
a_kill_ends_recv_send_and_accept(void)
{
        struct pair p = tcp_pair();
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct call reader = {.s = p.a}, writer = {.s = p.a, .out = "x", .len = 1}, accepter = {.s = listener};
        char byte;

        fill(p.a);
        start(&reader, call_recv);
        start(&writer, call_sendall);
        start(&accepter, call_accept);
        CHECK(!reader.over && !writer.over && !accepter.over);
        CHECK_INT(green_kill(reader.thread, 0), 0);
        CHECK_INT(finish_killed(&reader), GREEN_EKILLED);
        CHECK_INT(green_kill(writer.thread, 0), 0);
        CHECK_INT(finish_killed(&writer), GREEN_EKILLED);
        CHECK_INT(writer.done, 0);
        CHECK_INT(green_kill(accepter.thread, 0), 0);
        CHECK_INT(finish_killed(&accepter), GREEN_EKILLED);
        /* The sockets are as they were. */
        CHECK_INT(green_socket_send(p.b, "z", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        CHECK_INT(green_socket_free(listener), 0);
        free_pair(p);
}

struct late {
        green_socket *reader, *writer;
        ssize_t first;
        int again;
};

static void *
read_twice(void *arg)
{
        struct late *l = arg;
        char byte;
        ssize_t n = green_socket_recv(l->reader, &byte, 1, 0);

        l->first = n;
        l->again = (int)green_socket_recv(l->reader, &byte, 1, 0);
        return n == 1 ? NULL : green_fail((int)n);
}

static void
bytes_that_came_before_a_kill_are_not_lost(void)
{
        struct pair p = tcp_pair();
        struct late l = {.reader = p.b, .writer = p.a};
        green_thread *reader = green_spawn(read_twice, &l);
        struct green_hub_info info = {.size = sizeof info};
        char byte;

        green_sleep(0);
        /* Ready, but not killed before it ran: readiness is a hint, so the kill wins and the byte stays. */
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(green_kill(reader, 0), 0);
        CHECK_INT(green_hub_get_info(&info), 0);
        /* Of a completion port the system has moved the byte by now, and it is the reader's; the kill comes next. */
        if (strcmp(info.name, "iocp") == 0 && green_thread_wait(reader, NULL) == 0)
                CHECK_INT(l.first, 1);
        else
                CHECK_INT(green_thread_wait(reader, NULL), GREEN_EKILLED);
        green_thread_unref(reader);
        CHECK_INT(l.again, GREEN_EKILLED);
        if (l.first != 1)
                CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 1);
        free_pair(p);
}

/* ---- closing */

static void
close_wakes_all_who_wait(void)
{
        struct pair p = tcp_pair();
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct call reader = {.s = p.a}, writer = {.s = p.a, .out = "x", .len = 1}, accepter = {.s = listener};

        GREEN_COVERS("SOCK-27", "SOCK-39", "FD-15");
        fill(p.a);
        start(&reader, call_recv);
        start(&writer, call_sendall);
        start(&accepter, call_accept);
        CHECK_INT(green_socket_free(p.a), -EBUSY);
        CHECK_INT(green_socket_free(listener), -EBUSY);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_close(listener), 0);
        /* Free at once: those who were woken and have not run yet touch them no more. */
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(green_socket_free(listener), 0);
        CHECK_INT(finish(&reader), -ECANCELED);
        CHECK_INT(finish(&writer), -ECANCELED);
        CHECK_INT(finish(&accepter), -ECANCELED);
        CHECK_INT(green_socket_free(p.b), 0);
}

static void
close_after_a_wake_up_is_safe_too(void)
{
        struct green_hub_info info = {.size = sizeof info};
        struct pair p = tcp_pair();
        struct call reader = {.s = p.a};

        start(&reader, call_recv);
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), 1);
        /* Let the hub see the byte while the reader has not run: it then stands behind us in the run queue. */
        do {
                green_sleep(0);
                CHECK_INT(green_hub_get_info(&info), 0);
        } while (info.ready == 0 && !reader.over);
        CHECK(!reader.over);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        /* An operation that has ended before the close has succeeded. */
        CHECK_INT(finish(&reader), hub_completes() ? 1 : -ECANCELED);
        CHECK_INT(green_socket_free(p.b), 0);
}

static void
a_closed_socket_says_so(void)
{
        struct pair p = tcp_pair();
        struct green_iovec iov = {.base = (void *)(uintptr_t) "x", .len = 1};
        struct green_addr addr;
        int fd = green_socket_fd(p.a), other;
        char byte;

        GREEN_COVERS("SOCK-33", "SOCK-38", "SOCK-41");
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(fcntl(fd, F_GETFD), -1);
        /* The number is somebody else's now: closing again must not touch it. */
        other = fcntl(2, F_DUPFD_CLOEXEC, fd);
        CHECK_INT(other, fd);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK(fcntl(other, F_GETFD) >= 0);
        CHECK_INT(green_socket_fd(p.a), GREEN_INVALID_FD);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -EBADF);
        CHECK_INT(green_socket_recv(p.a, &byte, 0, 0), -EBADF);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), -EBADF);
        CHECK_INT(green_socket_sendall(p.a, "x", 1, 0, NULL), -EBADF);
        CHECK_INT(green_socket_sendv(p.a, &iov, 1, 0), -EBADF);
        CHECK_INT(green_socket_sendallv(p.a, &iov, 1, 0, NULL), -EBADF);
        CHECK_INT(green_socket_getsockname(p.a, &addr), -EBADF);
        CHECK_INT(green_socket_listen(p.a, 5), -EBADF);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_RD), -EBADF);
        CHECK_INT(green_socket_shutdown_safe(p.a), 0);
        CHECK(green_socket_accept(p.a, NULL) == NULL);
        CHECK_INT(green_last_error()->code, -EBADF);
        CHECK_INT(green_addr_parse("127.0.0.1:1", &addr), 0);
        CHECK_INT(green_socket_connect(p.a, &addr), -EBADF);
        CHECK_INT(green_socket_bind(p.a, &addr), -EBADF);
        close(other);
        free_pair(p);
}

static void
two_readers_are_one_too_many_unless_it_is_shared(void)
{
        struct pair p = unix_pair(SOCK_DGRAM);
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct call first = {.s = p.a}, second = {.s = p.a}, third = {.s = listener};

        GREEN_COVERS("FD-02", "FD-03");
        start(&first, call_recv);
        start(&second, call_recv);
        CHECK(second.over);
        CHECK_INT(finish(&second), -EBUSY);
        CHECK_INT(green_socket_set_shared(p.a, true), 0);
        start(&second, call_recv);
        CHECK(!second.over);
        /* Two that serve one listener, likewise; the message names both. */
        start(&third, call_accept);
        CHECK(green_socket_accept(listener, NULL) == NULL);
        CHECK_INT(errno, EBUSY);
        CHECK(strstr(green_last_error()->message, "second simultaneous read") != NULL);
        CHECK_INT(green_socket_close(listener), 0);
        CHECK_INT(finish(&third), -ECANCELED);
        CHECK_INT(green_socket_free(listener), 0);
        CHECK_INT(green_socket_send(p.b, "1", 1, 0), 1);
        CHECK_INT(finish(&first), 1);
        CHECK_INT(first.buf[0], '1');
        CHECK(!second.over);
        CHECK_INT(green_socket_send(p.b, "2", 1, 0), 1);
        CHECK_INT(finish(&second), 1);
        CHECK_INT(second.buf[0], '2');
        free_pair(p);
}

/* ---- other threads, other processes */

static void *
use_from_outside(void *arg)
{
        struct pair *p = arg;
        char byte;

        CHECK_INT(green_socket_recv(p->a, &byte, 1, 0), -EPERM);
        CHECK_INT(green_socket_send(p->a, "x", 1, 0), -EPERM);
        CHECK_INT(green_socket_shutdown(p->a, SHUT_RDWR), -EPERM);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
another_os_thread_may_not_use_it(void)
{
        struct pair p = tcp_pair();
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, use_from_outside, &p), 0);
        pthread_join(thread, NULL);
        CHECK_INT(times_logged("is used from hub"), 3);
        free_pair(p);
}

static int
child_of_a_fork(struct pair p, green_socket *listener)
{
        char byte;

        /* The parent's waiters are not here. */
        CHECK_INT(green_socket_free(listener), 0);
        CHECK_INT(green_socket_free(p.b), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        CHECK_INT(green_socket_send(p.a, "c", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        return suite_failures() != 0;
}

static void
the_child_of_a_fork_goes_on_with_its_sockets(void)
{
        struct pair p = tcp_pair();
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct call accepter = {.s = listener}, reader = {.s = p.a};
        int status = -1;
        pid_t pid;
        char byte;

        start(&accepter, call_accept);
        start(&reader, call_recv);
        pid = fork();
        if (pid == 0)
                _exit(child_of_a_fork(p, listener));
        CHECK_INT(green_kill(reader.thread, 0), 0);
        CHECK_INT(finish_killed(&reader), GREEN_EKILLED);
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(green_socket_send(p.b, "p", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 1);
        CHECK_INT(byte, 'c');
        CHECK_INT(green_socket_free(p.b), 0);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_INT(green_socket_close(listener), 0);
        CHECK_INT(finish(&accepter), -ECANCELED);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
no_memory_is_an_error_and_leaves_nothing_behind(void)
{
        green_socket *s;
        int n;

        for (n = 0; n < 10; n++) {
                memory_left = n;
                s = green_socket_new(AF_INET, SOCK_STREAM, 0);
                memory_left = -1;
                if (s != NULL)
                        break;
                CHECK_INT(green_last_error()->code, -ENOMEM);
        }
        CHECK_RANGE(n, 1, 9);
        CHECK_INT(green_socket_free(s), 0);
}

GREEN_SUITE(net_socket) {
        GREEN_TEST(a_new_socket_is_non_blocking_and_closed_on_exec),
        GREEN_TEST(a_descriptor_from_elsewhere_becomes_a_socket),
        GREEN_TEST(options_and_addresses_pass_through),
        GREEN_TEST(a_socket_that_is_none_is_refused),
        GREEN_TEST(a_limit_is_any_time_but_a_negative_one),
        GREEN_TEST(a_limit_of_zero_does_not_wait_and_goes_back),
        GREEN_TEST(a_limit_that_is_over_is_etimedout),
        GREEN_TEST(an_accepted_socket_has_no_limit_whatever_the_listener_s),
        GREEN_TEST(a_timeout_around_a_call_ends_it),
        GREEN_TEST(a_kill_ends_recv_send_and_accept),
        GREEN_TEST(bytes_that_came_before_a_kill_are_not_lost),
        GREEN_TEST(close_wakes_all_who_wait),
        GREEN_TEST(close_after_a_wake_up_is_safe_too),
        GREEN_TEST(a_closed_socket_says_so),
        GREEN_TEST(two_readers_are_one_too_many_unless_it_is_shared),
        GREEN_TEST(another_os_thread_may_not_use_it),
        GREEN_TEST(the_child_of_a_fork_goes_on_with_its_sockets),
        GREEN_TEST(no_memory_is_an_error_and_leaves_nothing_behind),
        GREEN_SUITE_END
};
