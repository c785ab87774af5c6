/*
 * Sockets that are made in pairs, copied, moved to another OS thread, and given up.
 */
#include "net_suite.h"

#include <fcntl.h>
#include <pthread.h>

static bool
is_ours(int fd)
{
        return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static void
a_pair_is_connected(void)
{
        green_socket *pair[2] = {NULL, NULL};
        struct call c;

        GREEN_COVERS("SOCK-22");
        CHECK_INT(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        CHECK(is_ours(green_socket_fd(pair[0])) && is_ours(green_socket_fd(pair[1])));
        c = (struct call){.s = pair[1]};
        start(&c, call_recv);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(pair[0], "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        CHECK_INT(green_socket_free(pair[0]), 0);
        CHECK_INT(green_socket_recv(pair[1], c.buf, 1, 0), 0);
        CHECK_INT(green_socket_free(pair[1]), 0);
        CHECK_INT(green_socket_pair(AF_INET, SOCK_STREAM, 0, pair), -EOPNOTSUPP);
        CHECK_INT(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, NULL), -EINVAL);
}

static void
a_pair_for_which_memory_runs_out_leaves_nothing(void)
{
        green_socket *pair[2] = {NULL, NULL};
        int before = dup(0), after;

        close(before);
        for (int left = 0; left < 4; left++) {
                memory_left = left;
                CHECK_INT(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair), -ENOMEM);
                memory_left = -1;
                after = dup(0);
                close(after);
                CHECK_INT(after, before);
        }
        CHECK(pair[0] == NULL && pair[1] == NULL);
}

static void
a_copy_has_the_same_timeout_and_outlives_the_first(void)
{
        struct pair p = tcp_pair();
        green_socket *copy;
        char byte;

        GREEN_COVERS("SOCK-08");
        CHECK_INT(green_socket_set_timeout(p.b, 7.5), 0);
        copy = green_socket_dup(p.b);
        CHECK(copy != NULL);
        CHECK(green_socket_get_timeout(copy) == 7.5);
        CHECK(is_ours(green_socket_fd(copy)));
        CHECK(green_socket_fd(copy) != green_socket_fd(p.b));
        CHECK_INT(green_socket_free(p.b), 0);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(copy, &byte, 1, 0), 1);
        CHECK_INT(green_socket_free(copy), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK(green_socket_dup(NULL) == NULL);
        CHECK_INT(errno, EINVAL);
}

/* Registered under epoll, a closed copy would go on being reported as long as the other one lives. */
static void
a_copy_that_was_closed_is_heard_of_no_more(void)
{
        struct pair p = tcp_pair();
        green_socket *copy = green_socket_dup(p.b);
        struct green_hub_info info = {.size = sizeof info};
        struct call c = {.s = copy};
        uint64_t polls;

        start(&c, call_recv);
        CHECK_INT(green_socket_close(copy), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        CHECK_INT(green_socket_free(copy), 0);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(green_hub_get_info(&info), 0);
        polls = info.polls;
        green_sleep(0.02);
        CHECK_INT(green_hub_get_info(&info), 0);
        CHECK(info.polls - polls <= 4);
        free_pair(p);
}

static void
a_copy_reads_what_the_other_left(void)
{
        struct pair p = tcp_pair();
        green_socket *copy;
        struct call c = {.s = p.b};
        char buf[8];

        CHECK_INT(green_socket_send(p.a, "ab", 2, 0), 2);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 2);
        copy = green_socket_dup(p.b);
        CHECK_INT(green_socket_send(p.a, "cd", 2, 0), 2);
        CHECK_INT(green_socket_recv(copy, buf, 1, 0), 1);
        /* The first knew that nothing was left; that is not so any more. */
        start(&c, call_recv);
        CHECK_INT(finish(&c), 1);
        CHECK_INT(green_socket_free(copy), 0);
        free_pair(p);
}

/* ---- to another OS thread */

struct errand {
        green_socket *s;
        char got[8];
        ssize_t n;
        int rc;
};

static void *
serve_elsewhere(void *arg)
{
        struct errand *e = arg;

        e->rc = green_socket_attach(e->s);
        e->n = green_socket_recv(e->s, e->got, sizeof e->got, 0);
        if (e->n > 0)
                e->n = green_socket_send(e->s, e->got, (size_t)e->n, 0);
        if (green_socket_detach(e->s) != 0)
                e->rc = -1;
        green_hub_destroy(1);
        return NULL;
}

static void
an_idle_socket_moves_to_another_thread_and_back(void)
{
        struct pair p = tcp_pair();
        struct errand e = {.s = p.b};
        struct call c = {.s = p.b};
        pthread_t thread;
        char buf[8];

        /* It has been in this hub. */
        start(&c, call_recv);
        CHECK_INT(green_socket_detach(p.b), -EBUSY);
        CHECK_INT(green_socket_send(p.a, "1", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        CHECK_INT(green_socket_detach(p.b), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), -EPERM);
        CHECK(strstr(green_last_error()->message, "detached") != NULL);
        CHECK_INT(green_socket_fd(p.b), GREEN_INVALID_FD);
        CHECK_INT(green_socket_detach(p.b), -EPERM);
        CHECK_INT(pthread_create(&thread, NULL, serve_elsewhere, &e), 0);
        CHECK_INT(green_socket_send(p.a, "hello", 5, 0), 5);
        CHECK_INT(green_socket_recv(p.a, buf, sizeof buf, 0), 5);
        pthread_join(thread, NULL);
        CHECK_INT(e.rc, 0);
        CHECK_INT(e.n, 5);
        CHECK_INT(green_socket_attach(p.b), 0);
        CHECK_INT(green_socket_attach(p.b), -EINVAL);
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.a, buf, sizeof buf, 0), 1);
        free_pair(p);
}

static void
a_detached_socket_can_be_closed_and_freed(void)
{
        struct pair p = tcp_pair();
        char byte;

        CHECK_INT(green_socket_detach(p.b), 0);
        CHECK_INT(green_socket_close(p.b), 0);
        CHECK_INT(green_socket_close(p.b), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 0);
        CHECK_INT(green_socket_attach(p.b), -EBADF);
        CHECK_INT(green_socket_free(p.b), 0);
        CHECK_INT(green_socket_detach(p.a), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(green_socket_detach(NULL), -EINVAL);
        CHECK_INT(green_socket_attach(NULL), -EINVAL);
}

static void
a_socket_that_cannot_be_attached_stays_detached(void)
{
        struct pair p = tcp_pair();
        char byte;

        CHECK_INT(green_socket_detach(p.b), 0);
        memory_left = 0;
        CHECK_INT(green_socket_attach(p.b), -ENOMEM);
        memory_left = -1;
        CHECK_INT(green_socket_attach(p.b), 0);
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        free_pair(p);
}

/* ---- out of green-net */

static void
a_descriptor_is_taken_out(void)
{
        struct pair p = tcp_pair();
        struct call c = {.s = p.b};
        green_fd fd = GREEN_INVALID_FD;
        char byte;

        start(&c, call_recv);
        CHECK_INT(green_socket_take_fd(p.b, &fd), -EBUSY);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        CHECK_INT(green_socket_take_fd(p.b, NULL), -EINVAL);
        CHECK_INT(green_socket_take_fd(p.b, &fd), 0);
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), -EBADF);
        CHECK_INT(green_socket_take_fd(p.b, &fd), -EBADF);
        CHECK_INT(green_socket_free(p.b), 0);
        CHECK_INT(write(fd, "y", 1), 1);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        CHECK_INT(byte, 'y');
        CHECK_INT(close(fd), 0);
        CHECK_INT(green_socket_free(p.a), 0);
}

/* ---- in a block */

static green_fd
fd_of_a_block(void)
{
        GREEN_SOCKET_SCOPE(s, green_socket_new(AF_INET, SOCK_STREAM, 0));

        return green_socket_fd(s);
}

static void
a_socket_of_a_block_ends_with_it(void)
{
        green_fd fd;

        GREEN_COVERS("SOCK-10");
        fd = fd_of_a_block();
        CHECK(fd >= 0);
        CHECK_INT(fcntl(fd, F_GETFD), -1);
        CHECK_INT(errno, EBADF);
}

static void
a_handle_that_was_dropped_keeps_its_descriptor(void)
{
        green_socket *s = green_socket_new(AF_INET, SOCK_STREAM, 0);
        green_fd fd = green_socket_fd(s);

        /* Nothing is collected in C: only close and free close. */
        GREEN_COVERS("SOCK-11");
        green_sleep(0);
        CHECK(fcntl(fd, F_GETFD) >= 0);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(fcntl(fd, F_GETFD), -1);
        CHECK_INT(green_socket_free(NULL), 0);
}

GREEN_SUITE(net_move){GREEN_TEST(a_pair_is_connected),
                      GREEN_TEST(a_pair_for_which_memory_runs_out_leaves_nothing),
                      GREEN_TEST(a_copy_has_the_same_timeout_and_outlives_the_first),
                      GREEN_TEST(a_copy_that_was_closed_is_heard_of_no_more),
                      GREEN_TEST(a_copy_reads_what_the_other_left),
                      GREEN_TEST(an_idle_socket_moves_to_another_thread_and_back),
                      GREEN_TEST(a_detached_socket_can_be_closed_and_freed),
                      GREEN_TEST(a_socket_that_cannot_be_attached_stays_detached),
                      GREEN_TEST(a_descriptor_is_taken_out),
                      GREEN_TEST(a_socket_of_a_block_ends_with_it),
                      GREEN_TEST(a_handle_that_was_dropped_keeps_its_descriptor),
                      GREEN_SUITE_END};
