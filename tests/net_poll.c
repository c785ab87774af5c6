/*
 * green_poll() and green_fd_select().
 */
#include "net_suite.h"

#include <fcntl.h>
#include <math.h>
#include <time.h>

#define SOON (10.0 * suite_slow())

static double
now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

struct ends {
        int a, b;
};

static struct ends
ends(void)
{
        int fds[2] = {-1, -1};

        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        return (struct ends){fds[0], fds[1]};
}

static void
close_ends(struct ends e)
{
        close(e.a);
        close(e.b);
}

static void
put(int fd)
{
        CHECK_INT(write(fd, "x", 1), 1);
}

/* ---- one call in a green thread of its own */

struct polling {
        struct pollfd *fds;
        size_t n;
        double timeout;
        int rc;
        bool over;
        green_thread *thread;
};

static void *
do_poll(void *arg)
{
        struct polling *p = arg;

        p->rc = green_poll(p->fds, p->n, p->timeout);
        p->over = true;
        return NULL;
}

static void
begin_poll(struct polling *p)
{
        p->rc = -9999;
        p->over = false;
        p->thread = green_spawn(do_poll, p);
        CHECK(p->thread != NULL);
        green_sleep(0);
}

static int
end_poll(struct polling *p)
{
        CHECK_INT(green_thread_wait(p->thread, NULL), 0);
        green_thread_unref(p->thread);
        return p->rc;
}

/* ---- */

static void
it_waits_until_one_is_ready(void)
{
        struct ends e = ends(), f = ends();
        struct pollfd fds[3] = {{e.a, POLLIN, 77}, {-1, POLLIN, 77}, {f.a, POLLIN, 77}};
        struct polling p = {fds, 3, GREEN_FOREVER, 0, false, NULL};
        int turns = 0;
        green_thread *other = green_spawn(count_turns, &turns);

        GREEN_COVERS("GSEL-01", "GSEL-07");
        begin_poll(&p);
        green_sleep(0.002);
        CHECK(!p.over && turns > 0);
        put(f.b);
        CHECK_INT(end_poll(&p), 1);
        CHECK_INT(fds[0].revents, 0);
        CHECK_INT(fds[1].revents, 0);
        CHECK_INT(fds[2].revents, POLLIN);
        /* Ready at once: nobody else runs. */
        turns = 0;
        CHECK_INT(green_poll(fds, 3, SOON), 1);
        CHECK_INT(turns, 0);
        green_kill(other, 0);
        green_thread_unref(other);
        close_ends(e);
        close_ends(f);
}

static void
all_that_are_ready_are_told(void)
{
        struct ends e[4] = {ends(), ends(), ends(), ends()};
        struct pollfd fds[5] = {{e[0].a, POLLIN, 0},
                                {e[1].a, POLLIN, 0},
                                {e[2].a, POLLIN, 0},
                                {e[3].a, POLLIN, 0},
                                {e[3].a, POLLIN | POLLPRI, 0}};
        struct polling p = {fds, 5, GREEN_FOREVER, 0, false, NULL};

        GREEN_COVERS("GSEL-02", "GSEL-03");
        begin_poll(&p);
        CHECK(!p.over);
        put(e[0].b);
        put(e[2].b);
        put(e[3].b);
        CHECK_INT(end_poll(&p), 4);
        CHECK_INT(fds[0].revents, POLLIN);
        CHECK_INT(fds[1].revents, 0);
        CHECK_INT(fds[2].revents, POLLIN);
        CHECK_INT(fds[3].revents, POLLIN);
        CHECK_INT(fds[4].revents, POLLIN);
        /* A second one that was ready wakes nobody later. */
        CHECK_INT(green_trampoline(e[1].a, GREEN_READ, 0.005), -ETIMEDOUT);
        for (int i = 0; i < 4; i++)
                close_ends(e[i]);
}

static void
zero_polls_once_and_never_yields(void)
{
        struct ends e = ends();
        struct pollfd fds[1] = {{e.a, POLLIN | POLLOUT, 0}};
        struct green_timeout t = {{0}};
        int turns = 0;
        green_thread *other = green_spawn(count_turns, &turns);
        fd_set w;

        GREEN_COVERS("GSEL-04");
        green_sleep(0);
        turns = 0;
        CHECK_INT(green_poll(fds, 1, 0), 1);
        CHECK_INT(fds[0].revents, POLLOUT);
        FD_ZERO(&w);
        FD_SET(e.a, &w);
        CHECK_INT(green_fd_select(e.a + 1, NULL, &w, NULL, 0), 1);
        CHECK(FD_ISSET(e.a, &w));
        fds[0].events = POLLIN;
        CHECK_INT(green_poll(fds, 1, 0), 0);
        CHECK_INT(green_poll(NULL, 0, 0), 0);
        CHECK_INT(turns, 0);
        /* It looks at no scope either. */
        CHECK_INT(green_timeout_start(&t, 0), 0);
        CHECK_INT(green_sleep(0.001), GREEN_ETIMEOUT);
        CHECK_INT(green_poll(fds, 1, 0), 0);
        fds[0].revents = 77;
        CHECK_INT(green_poll(fds, 1, 1), GREEN_ETIMEOUT);
        CHECK_INT(fds[0].revents, 0);
        CHECK_INT(green_timeout_cancel(&t), 1);
        green_kill(other, 0);
        green_thread_unref(other);
        close_ends(e);
}

static void
time_limits_and_kills_leave_nothing_behind(void)
{
        struct ends e = ends();
        struct pollfd fds[2] = {{e.a, POLLIN, 77}, {e.b, POLLIN, 77}};
        struct polling p = {fds, 2, GREEN_FOREVER, 0, false, NULL};
        struct green_timeout t = {{0}};
        double begin = now();

        GREEN_COVERS("GSEL-08");
        CHECK_INT(green_poll(fds, 2, 0.01), 0);
        CHECK_RANGE(now() - begin, 0.01, SOON);
        begin = now();
        CHECK_INT(green_poll(NULL, 0, 0.005), 0);
        CHECK_RANGE(now() - begin, 0.005, SOON);
        fds[0].revents = fds[1].revents = 77;
        CHECK_INT(green_timeout_start(&t, 0.005), 0);
        CHECK_INT(green_poll(fds, 2, SOON), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK(fds[0].revents == 0 && fds[1].revents == 0);
        begin_poll(&p);
        CHECK_INT(green_kill(p.thread, 0), 0);
        CHECK_INT(green_thread_wait(p.thread, NULL), GREEN_EKILLED);
        green_thread_unref(p.thread);
        CHECK_INT(p.rc, GREEN_EKILLED);
        /* Somebody else may wait for them now; the suite checks that no wait is left. */
        CHECK_INT(green_trampoline(e.a, GREEN_READ, 0.001), -ETIMEDOUT);
        close_ends(e);
}

static void
one_that_is_declared_closed_ends_it(void)
{
        struct ends e = ends(), f = ends();
        struct pollfd fds[2] = {{e.a, POLLIN, 0}, {f.a, POLLIN | POLLOUT, 0}};
        struct polling p = {fds, 2, GREEN_FOREVER, 0, false, NULL};

        GREEN_COVERS("GSEL-06");
        fds[1].events = POLLIN;
        begin_poll(&p);
        green_notify_close(f.a);
        close(f.a);
        CHECK_INT(end_poll(&p), -ECANCELED);
        CHECK(fds[0].revents == 0 && fds[1].revents == 0);
        CHECK_INT(green_poll(fds, 2, SOON), 1);
        CHECK_INT(fds[1].revents, POLLNVAL);
        close_ends(e);
        close(f.b);
}

static void
both_directions_of_a_descriptor_work(void)
{
        struct ends e = ends();
        char block[4096] = "";
        struct pollfd fds[2] = {{e.a, POLLIN | POLLOUT, 0}, {e.a, POLLOUT, 0}};
        struct polling p = {fds, 1, GREEN_FOREVER, 0, false, NULL}, q = {&fds[1], 1, GREEN_FOREVER, 0, false, NULL};
        ssize_t n = 1;

        while (n > 0)
                n = write(e.a, block, sizeof block);
        begin_poll(&p);
        CHECK(!p.over);
        /* Another one for the same is refused, and by name. */
        begin_poll(&q);
        CHECK_INT(end_poll(&q), -EBUSY);
        put(e.b);
        CHECK_INT(end_poll(&p), 1);
        CHECK_INT(fds[0].revents, POLLIN);
        fds[0].events = POLLOUT;
        begin_poll(&p);
        while (read(e.b, block, sizeof block) > 0)
                ;
        CHECK_INT(end_poll(&p), 1);
        CHECK_INT(fds[0].revents, POLLOUT);
        /* The peer goes: also who asked for nothing hears of that. */
        fds[0].events = 0;
        CHECK_INT(read(e.a, block, 1), 1);
        begin_poll(&p);
        green_sleep(0.002);
        CHECK(!p.over);
        close(e.b);
        CHECK_INT(end_poll(&p), 1);
        CHECK(fds[0].revents & POLLHUP);
        close(e.a);
}

static void
regular_files_are_always_ready(void)
{
        FILE *file = tmpfile();
        struct ends e = ends();
        struct pollfd fds[2] = {{fileno(file), POLLIN | POLLOUT, 0}, {e.a, POLLIN, 0}};

        CHECK_INT(green_poll(fds, 2, SOON), 1);
        CHECK_INT(fds[0].revents, POLLIN | POLLOUT);
        /* One that is asked for nothing has nothing to tell. */
        fds[0].events = 0;
        CHECK_INT(green_poll(fds, 2, 0.005), 0);
        put(e.b);
        CHECK_INT(green_poll(fds, 2, SOON), 1);
        close_ends(e);
        fclose(file);
}

static void
what_was_not_asked_for_is_waited_out(void)
{
        struct pair t = tcp_pair();
        int fd = green_socket_fd(t.a);
        struct pollfd fds[1] = {{fd, POLLPRI, 0}};
        struct polling p = {fds, 1, GREEN_FOREVER, 0, false, NULL};
        struct green_hub_info info = {.size = sizeof info};
        fd_set others;
        uint64_t polls;

        /* Plain data lies there: the hub cannot tell it from urgent data, and must not be asked again and again. */
        CHECK_INT(green_socket_send(t.b, "plain", 5, 0), 5);
        green_sleep(0.002);
        CHECK_INT(green_hub_get_info(&info), 0);
        polls = info.polls;
        begin_poll(&p);
        green_sleep(0.1);
        CHECK(!p.over);
        CHECK_INT(green_hub_get_info(&info), 0);
        CHECK_RANGE(info.polls - polls, 1, 60);
        CHECK_INT(green_socket_send(t.b, "!", 1, MSG_OOB), 1);
        CHECK_INT(end_poll(&p), 1);
        CHECK_INT(fds[0].revents, POLLPRI);
        FD_ZERO(&others);
        FD_SET(fd, &others);
        CHECK_INT(green_fd_select(fd + 1, NULL, NULL, &others, SOON), 1);
        CHECK(FD_ISSET(fd, &others));
        free_pair(t);
}

static void
a_descriptor_of_a_socket_may_be_polled(void)
{
        struct pair t = tcp_pair();
        struct call c = {.s = t.b};
        struct pollfd fds[1] = {{green_socket_fd(t.b), POLLIN, 0}};
        struct polling p = {fds, 1, GREEN_FOREVER, 0, false, NULL};
        struct ends e = ends();
        struct pollfd two[2];
        char buf[4];

        start(&c, call_recv);
        CHECK_INT(green_poll(fds, 1, SOON), -EBUSY);
        CHECK(strstr(green_last_error()->message, "second simultaneous read") != NULL);
        /* What was armed before that one is let go. */
        two[0] = (struct pollfd){e.a, POLLIN, 77};
        two[1] = (struct pollfd){fds[0].fd, POLLIN, 77};
        CHECK_INT(green_poll(two, 2, SOON), -EBUSY);
        CHECK(two[0].revents == 0 && two[1].revents == 0);
        put(e.b);
        CHECK_INT(green_poll(two, 2, SOON), 1);
        close_ends(e);
        CHECK_INT(green_socket_send(t.a, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        begin_poll(&p);
        CHECK_INT(green_socket_send(t.a, "x", 1, 0), 1);
        CHECK_INT(end_poll(&p), 1);
        CHECK_INT(green_socket_recv(t.b, buf, 4, 0), 1);
        free_pair(t);
}

static void
many_descriptors_need_one_allocation(void)
{
        struct ends e[40];
        struct pollfd fds[80];
        struct polling p = {fds, 80, GREEN_FOREVER, 0, false, NULL};

        for (int i = 0; i < 40; i++) {
                e[i] = ends();
                fds[2 * i] = (struct pollfd){e[i].a, POLLIN, 0};
                fds[2 * i + 1] = (struct pollfd){e[i].a, POLLIN | POLLRDNORM, 0};
        }
        begin_poll(&p);
        CHECK(!p.over);
        put(e[7].b);
        put(e[33].b);
        CHECK_INT(end_poll(&p), 4);
        CHECK(fds[14].revents == POLLIN && (fds[67].revents & POLLIN) && fds[0].revents == 0);
        CHECK_INT(read(e[7].a, &(char){0}, 1), 1);
        CHECK_INT(read(e[33].a, &(char){0}, 1), 1);
        memory_left = 0;
        CHECK_INT(green_poll(fds, 80, 0.01), -ENOMEM);
        /* Where one is ready no memory is needed. */
        put(e[7].b);
        CHECK_INT(green_poll(fds, 80, 0.01), 2);
        memory_left = -1;
        for (int i = 0; i < 40; i++)
                close_ends(e[i]);
}

/* ---- select */

static void
select_leaves_those_that_are_ready(void)
{
        struct ends e = ends(), f = ends();
        int n = (e.a > f.a ? e.a : f.a) + 1;
        fd_set r, w, x;

        GREEN_COVERS("GSEL-01", "GSEL-02");
        FD_ZERO(&r);
        FD_ZERO(&w);
        FD_ZERO(&x);
        FD_SET(e.a, &r);
        FD_SET(f.a, &r);
        FD_SET(e.a, &w);
        FD_SET(f.a, &x);
        CHECK_INT(green_fd_select(n, &r, &w, &x, SOON), 1);
        CHECK(!FD_ISSET(e.a, &r) && !FD_ISSET(f.a, &r) && FD_ISSET(e.a, &w) && !FD_ISSET(f.a, &x));
        put(e.b);
        put(f.b);
        FD_SET(e.a, &r);
        FD_SET(f.a, &r);
        FD_SET(f.a, &w);
        CHECK_INT(green_fd_select(n, &r, &w, NULL, SOON), 4);
        CHECK(FD_ISSET(e.a, &r) && FD_ISSET(f.a, &r) && FD_ISSET(e.a, &w) && FD_ISSET(f.a, &w));
        /* None in time: the sets are empty. */
        FD_SET(e.a, &x);
        CHECK_INT(green_fd_select(n, NULL, NULL, &x, 0.002), 0);
        CHECK(!FD_ISSET(e.a, &x));
        CHECK_INT(green_fd_select(0, NULL, NULL, NULL, 0.001), 0);
        close_ends(e);
        close_ends(f);
}

static void
select_of_many(void)
{
        struct ends e[40];
        fd_set r, before;
        int n = 0;

        FD_ZERO(&r);
        for (int i = 0; i < 40; i++) {
                e[i] = ends();
                FD_SET(e[i].a, &r);
                n = e[i].a >= n ? e[i].a + 1 : n;
        }
        before = r;
        put(e[3].b);
        put(e[39].b);
        CHECK_INT(green_fd_select(n, &r, NULL, NULL, SOON), 2);
        CHECK(FD_ISSET(e[3].a, &r) && FD_ISSET(e[39].a, &r) && !FD_ISSET(e[4].a, &r));
        memory_left = 0;
        r = before;
        CHECK_INT(green_fd_select(n, &r, NULL, NULL, SOON), -ENOMEM);
        CHECK(memcmp(&r, &before, sizeof r) == 0);
        memory_left = -1;
        for (int i = 0; i < 40; i++)
                close_ends(e[i]);
}

static void
poll_in_hub_context(void *arg)
{
        struct pollfd fds[1] = {{*(int *)arg, POLLIN, 0}};

        CHECK_INT(green_poll(fds, 1, 0), 0);
        CHECK_INT(green_poll(fds, 1, 1), -EDEADLK);
        fds[0].events = POLLOUT;
        CHECK_INT(green_poll(fds, 1, 1), 1);
        *(int *)arg = -1;
}

static void
wrong_arguments_are_refused(void)
{
        struct ends e = ends();
        struct pollfd fds[1] = {{e.a, POLLIN, 77}};
        fd_set r, before;
        int fd = e.a;

        GREEN_COVERS("GSEL-05");
        CHECK_INT(green_poll(NULL, 1, 0), -EINVAL);
        CHECK_INT(green_poll(fds, 1, -1), -EINVAL);
        CHECK_INT(green_poll(fds, 1, NAN), -EINVAL);
        CHECK_INT(green_poll(fds, (size_t)-1, 0), -EINVAL);
        CHECK_INT(green_fd_select(-1, NULL, NULL, NULL, 0), -EINVAL);
        CHECK_INT(green_fd_select(FD_SETSIZE + 1, NULL, NULL, NULL, 0), -EINVAL);
        CHECK_INT(green_fd_select(1, NULL, NULL, NULL, NAN), -EINVAL);
        CHECK_INT(green_schedule_call_global(0, poll_in_hub_context, &fd), 0);
        green_sleep(0.002);
        CHECK_INT(fd, -1);
        close_ends(e);
        /* One that is not open, again and again. */
        FD_ZERO(&r);
        FD_SET(e.a, &r);
        before = r;
        for (int i = 0; i < 10; i++) {
                CHECK_INT(green_poll(fds, 1, SOON), 1);
                CHECK_INT(fds[0].revents, POLLNVAL);
                CHECK_INT(green_fd_select(e.a + 1, &r, NULL, NULL, SOON), -EBADF);
                CHECK(memcmp(&r, &before, sizeof r) == 0);
        }
}

GREEN_SUITE(net_poll) {
        GREEN_TEST(it_waits_until_one_is_ready),
        GREEN_TEST(all_that_are_ready_are_told),
        GREEN_TEST(zero_polls_once_and_never_yields),
        GREEN_TEST(time_limits_and_kills_leave_nothing_behind),
        GREEN_TEST(one_that_is_declared_closed_ends_it),
        GREEN_TEST(both_directions_of_a_descriptor_work),
        GREEN_TEST(regular_files_are_always_ready),
        GREEN_TEST(what_was_not_asked_for_is_waited_out),
        GREEN_TEST(a_descriptor_of_a_socket_may_be_polled),
        GREEN_TEST(many_descriptors_need_one_allocation),
        GREEN_TEST(select_leaves_those_that_are_ready),
        GREEN_TEST(select_of_many),
        GREEN_TEST(wrong_arguments_are_refused),
        GREEN_SUITE_END
};
