/*
 * Connecting to the first that answers of several addresses.
 */
#include "net_suite.h"

#include <sys/socket.h>
#include <time.h>

/* An address where a connect waits for good: a listener whose backlog is full. */
struct silent {
        green_socket *listener, *other;
        struct green_addr addr;
};

static struct silent
silent_at(const char *at)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        struct silent w;

        w.listener = full_listener(at, text, &w.other, 1);
        CHECK_INT(green_addr_parse(text, &w.addr), 0);
        return w;
}

static void
free_silent(struct silent *w)
{
        CHECK_INT(green_socket_free(w->other), 0);
        CHECK_INT(green_socket_free(w->listener), 0);
}

/* An address where nobody listens. */
static struct green_addr
nobody(const char *at)
{
        green_socket *s = green_socket_new(at[0] == '[' ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
        struct green_addr addr;

        CHECK_INT(green_addr_parse(at, &addr), 0);
        CHECK_INT(green_socket_bind(s, &addr), 0);
        CHECK_INT(green_socket_getsockname(s, &addr), 0);
        CHECK_INT(green_socket_free(s), 0);
        return addr;
}

static struct green_addr
address_of(green_socket *s)
{
        struct green_addr addr;

        CHECK_INT(green_socket_getsockname(s, &addr), 0);
        return addr;
}

static int
lowest_free_fd(void)
{
        int fd = dup(0);

        close(fd);
        return fd;
}

static int
open_sockets(void)
{
        int n = 0, type;

        for (int fd = 0; fd < 1024; fd++) {
                socklen_t size = sizeof type;

                n += getsockopt(fd, SOL_SOCKET, SO_TYPE, (void *)&type, &size) == 0;
        }
        return n;
}

static bool
is_at(green_socket *s, const struct green_addr *addr)
{
        struct green_addr peer;

        return CHECK(s != NULL) && CHECK_INT(green_socket_getpeername(s, &peer), 0) && green_addr_equal(&peer, addr);
}

static double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
an_address_that_refuses_is_followed_by_the_next_at_once(void)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(text), *s;
        struct green_addr addrs[3];
        struct green_connect_opts opts = {.size = sizeof opts, .stagger = 1000};
        int before = lowest_free_fd();
        char byte;

        GREEN_COVERS("SOCK-20");
        addrs[0] = nobody("127.0.0.1:0");
        addrs[1] = nobody("[::1]:0");
        addrs[2] = address_of(listener);
        s = green_connect_any(addrs, 3, &opts);
        CHECK(is_at(s, &addrs[2]));
        CHECK_INT(green_socket_fd(s), before);
        CHECK(green_socket_get_timeout(s) >= GREEN_FOREVER);
        CHECK_INT(green_socket_shutdown(s, SHUT_WR), 0);
        CHECK_INT(green_socket_recv(s, &byte, 1, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
an_address_that_is_silent_is_overtaken_by_the_next(void)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        struct silent w = silent_at("127.0.0.1:0");
        green_socket *listener = listen_here(text), *s, *peer;
        struct green_addr addrs[2] = {w.addr, address_of(listener)};
        struct green_connect_opts opts = {.size = sizeof opts, .stagger = 0.05};
        int before = open_sockets();
        double start = now(), took;
        char buf[4];

        GREEN_COVERS("SOCK-20", "SOCK-21");
        s = green_connect_any(addrs, 2, &opts);
        took = now() - start;
        CHECK(is_at(s, &addrs[1]));
        CHECK(took >= 0.05);
        /* The loser is closed, and the winner a socket like any other. */
        CHECK_INT(open_sockets(), before + 1);
        peer = green_socket_accept(listener, NULL);
        CHECK_INT(green_socket_send(s, "hi", 2, 0), 2);
        CHECK_INT(green_socket_recv(peer, buf, sizeof buf, 0), 2);
        CHECK_INT(green_socket_send(peer, "yo", 2, 0), 2);
        CHECK_INT(green_socket_recv(s, buf, sizeof buf, 0), 2);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(peer), 0);
        free_silent(&w);
        CHECK_INT(green_socket_free(listener), 0);
}

static void *
make_room(void *arg)
{
        struct silent *w = arg;

        green_sleep(0.05);
        CHECK_INT(green_socket_free(green_socket_accept(w->listener, NULL)), 0);
        return NULL;
}

static void
the_first_still_wins_if_it_answers_while_others_are_tried(void)
{
        struct silent w = silent_at("127.0.0.1:0"), v = silent_at("127.0.0.1:0");
        struct green_addr addrs[2] = {w.addr, v.addr};
        struct green_connect_opts opts = {.size = sizeof opts, .stagger = 0.01, .timeout = 20};
        green_thread *gt = green_spawn(make_room, &w);
        green_socket *s;

        /* Room appears in the backlog of the first: the system's own next try, after a second, gets in. */
        s = green_connect_any(addrs, 2, &opts);
        CHECK(is_at(s, &addrs[0]));
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_socket_free(s), 0);
        free_silent(&w);
        free_silent(&v);
}

static void
where_all_fail_each_is_named_and_the_first_counts(void)
{
        struct green_addr addrs[2] = {nobody("127.0.0.1:0"), nobody("[::1]:0")};
        char text[GREEN_ADDR_TEXT_SIZE];
        int before = lowest_free_fd();

        GREEN_COVERS("SOCK-20", "CONV-03");
        CHECK(green_connect_any(addrs, 2, NULL) == NULL);
        CHECK_INT(errno, ECONNREFUSED);
        CHECK_INT(green_last_error()->code, -ECONNREFUSED);
        for (int i = 0; i < 2; i++) {
                green_addr_format(&addrs[i], text, sizeof text);
                CHECK(strstr(green_last_error()->message, text) != NULL);
        }
        CHECK_INT(lowest_free_fd(), before);
}

static void
the_time_limit_is_for_all_of_them(void)
{
        struct silent w = silent_at("127.0.0.1:0");
        struct green_addr addrs[20];
        struct green_connect_opts opts = {.size = sizeof opts, .stagger = 0.001, .timeout = 0.1};
        int before = lowest_free_fd();
        double start = now();

        GREEN_COVERS("SOCK-21");
        for (size_t i = 0; i < 20; i++)
                addrs[i] = w.addr;
        CHECK(green_connect_any(addrs, 20, &opts) == NULL);
        CHECK_INT(errno, ETIMEDOUT);
        CHECK(now() - start >= 0.1);
        CHECK(now() - start < 3 * suite_slow());
        CHECK_INT(lowest_free_fd(), before);
        free_silent(&w);
}

struct attempt {
        const struct green_addr *addrs;
        size_t n;
        int code;
};

static void *
connect_to_all(void *arg)
{
        struct attempt *a = arg;
        struct green_connect_opts opts = {.size = sizeof opts, .stagger = 0.001};
        green_socket *s = green_connect_any(a->addrs, a->n, &opts);

        a->code = s == NULL ? green_last_error()->code : 0;
        green_socket_free(s);
        return NULL;
}

static void
a_kill_or_a_timeout_ends_it_and_leaves_no_descriptor(void)
{
        struct silent w = silent_at("127.0.0.1:0");
        struct green_addr addrs[3] = {w.addr, w.addr, w.addr};
        struct attempt a = {addrs, 3, 1};
        int before = lowest_free_fd();
        struct green_timeout t;
        green_thread *gt = green_spawn(connect_to_all, &a);

        GREEN_COVERS("SOCK-20");
        green_sleep(0.02);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        CHECK_INT(a.code, GREEN_EKILLED);
        CHECK_INT(lowest_free_fd(), before);
        CHECK_INT(green_timeout_start(&t, 0.02), 0);
        connect_to_all(&a);
        CHECK_INT(a.code, GREEN_ETIMEOUT);
        /* And once it has fired nothing is begun. */
        connect_to_all(&a);
        CHECK_INT(a.code, GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(lowest_free_fd(), before);
        free_silent(&w);
}

/* Notes whom it was asked about, and refuses all. */
struct order {
        int families[8];
        size_t n;
};

static int
refuse(const struct green_addr *addr, void *arg)
{
        struct order *o = arg;

        if (o->n < 8)
                o->families[o->n++] = green_addr_family(addr);
        return -EACCES;
}

static void
families_take_turns_and_a_filter_can_refuse(void)
{
        struct green_addr addrs[5];
        struct order o = {.n = 0};
        struct green_connect_opts opts = {.size = sizeof opts, .filter = refuse, .filter_arg = &o};
        const int expected[5] = {AF_INET6, AF_INET, AF_INET6, AF_INET6, AF_INET6};

        for (size_t i = 0; i < 5; i++)
                CHECK_INT(green_addr_parse(i == 4 ? "127.0.0.1:9" : "[::1]:9", &addrs[i]), 0);
        CHECK(green_connect_any(addrs, 5, &opts) == NULL);
        CHECK_INT(errno, EACCES);
        CHECK_INT(o.n, 5);
        for (size_t i = 0; i < 5; i++)
                CHECK_INT(o.families[i], expected[i]);
}

static void
options_are_for_each_attempt(void)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(text), *s;
        struct green_addr addrs[2] = {nobody("[::1]:0"), address_of(listener)}, own;
        struct green_connect_opts opts = {.size = sizeof opts, .bind = "127.0.0.2:0"};

        s = green_connect_any(addrs, 2, &opts);
        CHECK(is_at(s, &addrs[1]));
        CHECK_INT(green_socket_getsockname(s, &own), 0);
        green_addr_format(&own, text, sizeof text);
        CHECK(strncmp(text, "127.0.0.2:", 10) == 0);
        CHECK_INT(green_socket_free(s), 0);
        opts.bind = NULL;
        opts.family = AF_INET6;
        CHECK(green_connect_any(addrs + 1, 1, &opts) == NULL);
        CHECK_INT(errno, EAFNOSUPPORT);
        opts.family = 0;
        opts.stagger = -1;
        CHECK(green_connect_any(addrs, 2, &opts) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_connect_any(addrs, 0, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_connect_any(NULL, 1, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_socket_free(listener), 0);
}

static int hub_error;

static void
connect_in_hub(void *arg)
{
        struct silent *w = arg;

        CHECK(green_connect_any(&w->addr, 1, NULL) == NULL);
        hub_error = green_last_error()->code;
}

static void
in_hub_context_it_cannot_wait(void)
{
        struct silent w = silent_at("127.0.0.1:0");
        int before = lowest_free_fd();

        hub_error = 0;
        CHECK_INT(green_hub_post(green_get_hub(), connect_in_hub, &w), 0);
        while (hub_error == 0)
                green_sleep(0.001);
        CHECK_INT(hub_error, -EDEADLK);
        CHECK_INT(lowest_free_fd(), before);
        free_silent(&w);
}

static void
memory_that_runs_out_costs_no_descriptor(void)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(text), *s = NULL;
        struct green_addr addr = address_of(listener);
        int before = lowest_free_fd();

        for (int left = 0; left < 20 && s == NULL; left++) {
                memory_left = left;
                s = green_connect_any(&addr, 1, NULL);
                memory_left = -1;
                if (s != NULL)
                        break;
                CHECK_INT(errno, ENOMEM);
                CHECK_INT(lowest_free_fd(), before);
        }
        CHECK(s != NULL);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

GREEN_SUITE(net_race){GREEN_TEST(an_address_that_refuses_is_followed_by_the_next_at_once),
                      GREEN_TEST(an_address_that_is_silent_is_overtaken_by_the_next),
                      GREEN_TEST(the_first_still_wins_if_it_answers_while_others_are_tried, .limit = 60),
                      GREEN_TEST(where_all_fail_each_is_named_and_the_first_counts),
                      GREEN_TEST(the_time_limit_is_for_all_of_them),
                      GREEN_TEST(a_kill_or_a_timeout_ends_it_and_leaves_no_descriptor),
                      GREEN_TEST(families_take_turns_and_a_filter_can_refuse),
                      GREEN_TEST(options_are_for_each_attempt),
                      GREEN_TEST(in_hub_context_it_cannot_wait),
                      GREEN_TEST(memory_that_runs_out_costs_no_descriptor),
                      GREEN_SUITE_END};
