/*
 * Sockets: after a receive that took all there was, the next one waits without asking the system first. What saves a call
 * must not lose a wake-up.
 */
#include "net_suite.h"

#if defined(_WIN32)
#include "net_calls_win32.h"
#else
#include "net_calls_posix.h"
#endif

static void *
echo(void *arg)
{
        green_socket *s = arg;
        char buf[64];
        ssize_t n;

        while ((n = green_socket_recv(s, buf, sizeof buf, 0)) > 0)
                if (green_socket_sendall(s, buf, (size_t)n, 0, NULL) != 0)
                        break;
        return NULL;
}

/* A peer that is not one of ours: plain blocking calls. */
static void
ask(int fd, int times)
{
        char byte = 'x';

        for (int i = 0; i < times; i++) {
                CHECK_INT(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
                green_sleep(0.0005);
                CHECK_INT(recv_uncounted(fd, &byte, 1, MSG_DONTWAIT), 1);
        }
}

static void
a_message_costs_one_receive(void)
{
        struct pair p;
        green_thread *gt;

        if (hub_completes()) {
                suite_skip("this hub receives by operations, and makes no call at all");
                return;
        }
        count_calls();
        p = tcp_pair();
        gt = green_spawn(echo, p.b);

        /* The first one finds nothing. From then on there is one for each message. */
        ask(green_socket_fd(p.a), 1);
        recv_calls = 0;
        ask(green_socket_fd(p.a), 50);
        /* Some hubs cannot tell whether the end has come along: there it takes two. */
        CHECK_RANGE(recv_calls, 50, strcmp(green_hub_name(NULL), "epoll") == 0 ? 50 : 100);

        /* Not where somebody else may read or wait: there each wait is preceded by one that finds nothing. */
        CHECK(green_socket_io(p.b) != NULL);
        ask(green_socket_fd(p.a), 1);
        recv_calls = 0;
        ask(green_socket_fd(p.a), 50);
        CHECK_INT(recv_calls, 100);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
        free_pair(p);
}

/* One byte arrives, a receive takes it; the state after that is what the tests below begin with. */
static struct pair
drained_pair(void)
{
        struct pair p = tcp_pair();
        struct call c = {.s = p.b};

        start(&c, call_recv);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        return p;
}

/* Let the hub see everything that has come, with nobody waiting for it. */
static void
let_the_hub_look(void)
{
        CHECK_INT(green_sleep(0.005), 0);
}

static void
what_comes_while_nobody_waits_is_not_missed(void)
{
        for (int looked = 0; looked < 2; looked++) {
                struct pair p = drained_pair();
                char buf[8];

                CHECK_INT(green_socket_set_timeout(p.b, 5), 0);
                CHECK_INT(green_socket_send(p.a, "yz", 2, 0), 2);
                if (looked)
                        let_the_hub_look();
                CHECK_INT(green_socket_recv(p.b, buf, 1, 0), 1);
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
                /* The end, alone. */
                CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
                if (looked)
                        let_the_hub_look();
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 0);
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 0);
                free_pair(p);
        }
}

static void
come_together(bool reset)
{
        for (int looked = 0; looked < 2; looked++) {
                struct pair p = drained_pair();
                struct linger now = {.l_onoff = 1, .l_linger = 0};
                char buf[8];

                CHECK_INT(green_socket_set_timeout(p.b, 5), 0);
                CHECK_INT(green_socket_send(p.a, "y", 1, 0), 1);
                if (!reset) {
                        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
                } else {
                        /* Received before the reset comes: what is not is lost with it. */
                        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
                        CHECK_INT(green_socket_setsockopt(p.a, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
                        CHECK_INT(green_socket_close(p.a), 0);
                }
                if (looked)
                        let_the_hub_look();
                if (!reset)
                        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), reset ? -ECONNRESET : 0);
                free_pair(p);
        }
}

static void
bytes_and_the_end_may_come_together(void)
{
        come_together(false);
}

static void
a_reset_behind_bytes_is_not_missed(void)
{
        come_together(true);
}

static void
urgent_data_cuts_a_receive_short_and_hides_nothing(void)
{
        struct pair p = drained_pair();
        char buf[8];

        CHECK_INT(green_socket_set_timeout(p.b, 5), 0);
        CHECK_INT(green_socket_send(p.a, "a", 1, 0), 1);
        CHECK_INT(green_socket_send(p.a, "!", 1, MSG_OOB), 1);
        CHECK_INT(green_socket_send(p.a, "b", 1, 0), 1);
        let_the_hub_look();
        if (hub_completes()) {
                /* What is received ahead knows no mark: nothing is lost, and it is not cut. */
                size_t n = 0;

                while (n < 2) {
                        ssize_t got = green_socket_recv(p.b, buf + n, sizeof buf - n, 0);

                        if (!CHECK(got > 0))
                                break;
                        n += (size_t)got;
                }
                CHECK(n == 2 && memcmp(buf, "ab", 2) == 0);
        } else {
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
                CHECK_INT(buf[0], 'a');
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
                CHECK_INT(buf[0], 'b');
        }
        free_pair(p);
}

static void
other_ways_to_receive_and_to_wait_do_not_use_up_its_wake_up(void)
{
        struct pair p = drained_pair();
        struct call c = {.s = p.b};
        struct green_addr from;
        char buf[8];
        green_fd fd;

        CHECK_INT(green_socket_set_timeout(p.b, 5), 0);
        /* A look does not take anything. */
        CHECK_INT(green_socket_send(p.a, "1", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_PEEK), 1);
        CHECK_INT(green_socket_recv(p.b, buf, 0, 0), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        /* Nor does one that may not wait and finds nothing, or something. */
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_send(p.a, "23", 2, 0), 2);
        let_the_hub_look();
        CHECK_INT(green_socket_recv(p.b, buf, 1, MSG_DONTWAIT), 1);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        CHECK_INT(green_socket_send(p.a, "4", 1, 0), 1);
        CHECK_INT(green_socket_recvfrom(p.b, buf, sizeof buf, 0, &from), 1);
        /* One that was killed while it waited. */
        start(&c, call_recv);
        CHECK(!c.over);
        CHECK_INT(green_kill(c.thread, 0), 0);
        CHECK_INT(finish_killed(&c), GREEN_EKILLED);
        CHECK_INT(green_socket_send(p.a, "5", 1, 0), 1);
        let_the_hub_look();
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        /* A wait for the descriptor. */
        CHECK_INT(green_socket_send(p.a, "6", 1, 0), 1);
        fd = green_socket_fd(p.b);
        if (fd == GREEN_INVALID_FD) {
                /* It was received ahead, so the descriptor would not tell. */
                CHECK(hub_completes());
                CHECK_INT(green_last_error()->code, -EBUSY);
                CHECK_INT(green_socket_pending(p.b), 1);
        } else {
                CHECK_INT(green_trampoline(fd, GREEN_READ, 5), 0);
        }
        let_the_hub_look();
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        CHECK_INT(buf[0], '6');
        free_pair(p);
}

struct outside {
        green_socket *s;
        ssize_t rc;
};

static void
receive_in_hub_context(void *arg)
{
        struct outside *o = arg;
        char buf[8];

        o->rc = green_socket_recv(o->s, buf, sizeof buf, 0);
}

static void
hub_context_takes_what_has_come(void)
{
        struct pair p = drained_pair();
        struct outside o = {.s = p.b};

        CHECK_INT(green_socket_send(p.a, "y", 1, 0), 1);
        CHECK_INT(green_schedule_call_global(0, receive_in_hub_context, &o), 0);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(o.rc, 1);
        CHECK_INT(green_schedule_call_global(0, receive_in_hub_context, &o), 0);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(o.rc, -EDEADLK);
        free_pair(p);
}

static void
count_call(struct green_watch *w, int result, void *arg)
{
        (void)w;
        CHECK_INT(result, GREEN_READ);
        ++*(int *)arg;
}

static void
a_watch_that_is_stopped_in_vain_leaves_it_as_it_was(void)
{
        struct pair p = tcp_pair();
        struct green_watch w = {{0}};
        char buf[64];
        int calls = 0;
        bool drained;

        CHECK_INT(green_socket_sendall(p.a, "x", 1, 0, NULL), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        drained = green_socket_drained(p.b);
        if (!drained)
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), -EAGAIN);
        green_watch_init(&w, count_call, &calls);
        CHECK(!green_watch_waits(&w) && !green_socket_unwatch(p.b, &w));
        CHECK_INT(green_socket_watch(p.b, &w, GREEN_FOREVER), 0);
        CHECK(green_watch_waits(&w));
        CHECK(green_socket_unwatch(p.b, &w));
        CHECK(!green_watch_active(&w));
        /* Some hubs cannot tell whether the end has come along. */
        if (drained && strcmp(green_hub_name(NULL), "epoll") == 0)
                CHECK(green_socket_drained(p.b));
        /* Something comes: to the next receive, */
        CHECK_INT(green_socket_sendall(p.a, "y", 1, 0, NULL), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        if (!green_socket_drained(p.b))
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), -EAGAIN);
        /* and to a watch, which is stopped too late. */
        CHECK_INT(green_socket_watch(p.b, &w, GREEN_FOREVER), 0);
        CHECK_INT(green_socket_sendall(p.a, "z", 1, 0, NULL), 0);
        while (calls == 0)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK(!green_socket_unwatch(p.b, &w));
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        CHECK_INT(buf[0], 'z');
        CHECK(!green_socket_unwatch(p.b, NULL) && !green_watch_waits(NULL));
        free_pair(p);
}

GREEN_SUITE(net_drained) {
        GREEN_TEST(a_message_costs_one_receive),
        GREEN_TEST(what_comes_while_nobody_waits_is_not_missed),
        GREEN_TEST(bytes_and_the_end_may_come_together),
        GREEN_TEST(a_reset_behind_bytes_is_not_missed),
        GREEN_TEST(urgent_data_cuts_a_receive_short_and_hides_nothing),
        GREEN_TEST(other_ways_to_receive_and_to_wait_do_not_use_up_its_wake_up),
        GREEN_TEST(hub_context_takes_what_has_come),
        GREEN_TEST(a_watch_that_is_stopped_in_vain_leaves_it_as_it_was),
        GREEN_SUITE_END
};
