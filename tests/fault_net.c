/* Each allocation and system call of net/ fails in its turn: errors, and nothing is lost. See fault.h. */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <green/net.h>

/* A peer that has failed is gone; where it only goes on without us, it is waited for no longer than this. */
#define SOON (2.0 * suite_slow())
#define BRIEF (0.1 * suite_slow())

#define FEWER FAULT_BIT(alloc) /* many stacks at a time, and the text of an error, are done without once */
#define ALTSTACK FAULT_BIT(mmap)

/* What one end sees where the other has failed. */
static void
peer_may_be_gone(void)
{
        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        fault_may_give(-ENOTCONN);
        fault_may_give(-ECONNREFUSED);
        fault_may_give(-ETIMEDOUT);
        fault_may_give(-ECANCELED);
}

/* It gave n bytes; where something failed it may be the end of the stream, or fewer. */
static bool
gave(ssize_t n, ssize_t want)
{
        if (n == want)
                return true;
        if (n < 0)
                return OK(n);
        fault_shows();
        return false;
}

static bool
free_ok(green_socket *s)
{
        return OK(green_socket_free(s));
}

/* ---- addresses */

static void
addresses(void)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_addr a, b;
        socklen_t size;

        CHECK_INT(green_addr_parse("127.0.0.1:80", &a), 0);
        CHECK_INT(green_addr_parse("somewhere:80", &b), -EINVAL);
        CHECK(green_addr_sockaddr(&a, &size) != NULL);
        CHECK_INT(green_addr_from_sockaddr(green_addr_sockaddr(&a, NULL), size, &b), 0);
        CHECK(green_addr_equal(&a, &b));
        CHECK_INT(green_addr_family(&b), AF_INET);
        CHECK_INT(green_addr_port(&b), 80);
        CHECK_INT(green_addr_format(&b, text, sizeof text), 12);
}

/* ---- sockets */

struct ends {
        green_socket *a, *b;
};

/* Two connected Unix sockets, made of descriptors that block. */
static bool
make_pair(struct ends *p)
{
        int fds[2];

        *p = (struct ends){NULL, NULL};
        peer_may_be_gone();
        if (!MADE(green_get_hub()))
                return false;
        fault_pair(fds);
        fault_pause();
        for (int i = 0; i < 2; i++)
                CHECK(fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) & ~O_NONBLOCK) == 0);
        fault_resume();
        errno = 0;
        p->a = green_socket_from_fd(fds[0]);
        if (!MADE(p->a)) {
                fault_close(fds[0]);
                fault_close(fds[1]);
                return false;
        }
        errno = 0;
        p->b = green_socket_from_fd(fds[1]);
        if (MADE(p->b)) {
                CHECK_INT(green_socket_set_timeout(p->a, SOON), 0);
                CHECK_INT(green_socket_set_timeout(p->b, SOON), 0);
                return true;
        }
        fault_close(fds[1]);
        (void)free_ok(p->a);
        return false;
}

static void
free_ends(struct ends *p)
{
        (void)free_ok(p->a);
        (void)free_ok(p->b);
}

static char block[300000];

/* Takes all there is, until the end. */
static void *
take_all(void *arg)
{
        static char buf[65536];
        struct ends *p = arg;
        size_t sum = 0;
        ssize_t n;

        while ((n = green_socket_recv(p->b, buf, sizeof buf, 0)) > 0)
                sum += (size_t)n;
        if (OK(n) && sum != sizeof block)
                CHECK(fault_happened());
        if (n < 0)
                (void)OK(green_socket_close(p->b));
        return NULL;
}

/* More than fits: the sender waits. */
static void
streams(void)
{
        struct green_iovec iov[2] = {{block, 100000}, {block + 100000, 100000}};
        green_thread *gt;
        struct ends p;
        size_t done = 0, sum = 0;
        ssize_t n;

        if (!make_pair(&p))
                return;
        if (MADE(gt = green_spawn(take_all, &p))) {
                n = green_socket_send(p.a, block, 50000, 0);
                sum += OK(n) ? (size_t)n : 0;
                n = n < 0 ? n : green_socket_sendv(p.a, iov, 1, 0);
                sum += OK(n) ? (size_t)n : 0;
                if (n >= 0) {
                        (void)OK(green_socket_sendallv(p.a, iov, 1, 0, &done));
                        sum += done;
                        (void)OK(green_socket_sendall(p.a, block, sizeof block - sum, 0, &done));
                        CHECK(sum + done == sizeof block || fault_happened());
                }
                if (!OK(green_socket_shutdown(p.a, SHUT_WR)))
                        CHECK_INT(green_socket_close(p.a), 0);
                (void)OK(fault_join(gt));
        }
        (void)OK(green_socket_shutdown_safe(p.a));
        free_ends(&p);
}

static void
never(struct green_watch *w, int result, void *arg)
{
        (void)w;
        (void)result;
        (void)arg;
        FAIL("a watch that was stopped has fired");
}

static void
settings(void)
{
        struct green_watch watch;
        struct green_addr addr;
        socklen_t size = sizeof(int);
        int value = 0;
        struct ends p;

        if (!make_pair(&p))
                return;
        CHECK(green_socket_get_timeout(p.a) == SOON);
        CHECK_INT(green_socket_set_shared(p.a, true), 0);
        CHECK_INT(green_socket_pending(p.a), 0);
        CHECK(!green_socket_drained(p.a));
        green_watch_init(&watch, never, NULL);
        if (OK(green_socket_watch(p.a, &watch, SOON)))
                CHECK(green_watch_waits(&watch) && green_socket_unwatch(p.a, &watch));
        if (OK(green_socket_watch(p.a, &watch, SOON)))
                CHECK(green_watch_stop(&watch));
        CHECK(green_socket_fd(p.a) >= 0 && green_socket_io(p.a) != NULL);
        (void)OK(green_socket_getsockopt(p.a, SOL_SOCKET, SO_TYPE, &value, &size));
        value = 20000;
        (void)OK(green_socket_setsockopt(p.a, SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
        (void)OK(green_socket_getsockname(p.a, &addr));
        (void)OK(green_socket_getpeername(p.a, &addr));
        (void)OK(green_socket_error(p.a));
        (void)OK(green_socket_close(p.a));
        CHECK_INT(green_socket_close(p.a), 0);
        free_ends(&p);
}

/* ---- datagrams */

static void
datagrams(void)
{
        struct green_addr addr, from;
        char buf[8] = "";
        green_socket *s;

        peer_may_be_gone();
        if (!MADE(green_get_hub()) || !OK(green_addr_parse("127.0.0.1:0", &addr)) ||
            !MADE(s = green_socket_new(AF_INET, SOCK_DGRAM, 0)))
                return;
        CHECK_INT(green_socket_set_timeout(s, SOON), 0);
        if (OK(green_socket_bind(s, &addr)) && OK(green_socket_getsockname(s, &addr)) &&
            gave(green_socket_sendto(s, "abc", 3, 0, &addr), 3) &&
            gave(green_socket_recvfrom(s, buf, sizeof buf, 0, &from), 3)) {
                CHECK_STR(buf, "abc");
                CHECK(green_addr_equal(&addr, &from));
        }
        (void)free_ok(s);
}

/* ---- connecting and accepting, step by step */

static void *
accept_one(void *arg)
{
        struct green_addr peer;
        green_socket *client;
        char buf[4];

        errno = 0;
        client = green_socket_accept(arg, &peer);
        if (!MADE(client)) {
                (void)OK(green_socket_close(arg)); /* the peer need not wait */
                return NULL;
        }
        CHECK_INT(green_socket_set_timeout(client, SOON), 0);
        if (gave(green_socket_recv(client, buf, 1, 0), 1))
                (void)gave(green_socket_send(client, buf, 1, 0), 1);
        (void)free_ok(client);
        return NULL;
}

/* Connects, and speaks with the one that accepts. */
static void
connect_to(const struct green_addr *addr)
{
        green_socket *s;
        char buf[4];

        errno = 0;
        s = green_socket_new(green_addr_family(addr), SOCK_STREAM, 0);
        if (!MADE(s))
                return;
        CHECK_INT(green_socket_set_timeout(s, SOON), 0);
        if (OK(green_socket_connect(s, addr)) && gave(green_socket_send(s, "x", 1, 0), 1))
                (void)gave(green_socket_recv(s, buf, 1, 0), 1);
        (void)free_ok(s);
}

static void
accept_and_connect(const char *address)
{
        struct green_addr addr;
        green_thread *gt = NULL;
        green_socket *s;

        peer_may_be_gone();
        if (!MADE(green_get_hub()) || !OK(green_addr_parse(address, &addr)) ||
            !MADE(s = green_socket_new(green_addr_family(&addr), SOCK_STREAM, 0)))
                return;
        if (OK(green_socket_bind(s, &addr)) && OK(green_socket_listen(s, 5)) && OK(green_socket_getsockname(s, &addr)) &&
            MADE(gt = green_spawn(accept_one, s)) && OK(green_sleep(0)))
                connect_to(&addr);
        (void)OK(green_socket_close(s)); /* whoever still waits gets -ECANCELED */
        fault_may_give(-EBADF);
        (void)OK(fault_join(gt));
        (void)free_ok(s);
}

static void
tcp(void)
{
        accept_and_connect("127.0.0.1:0");
}

static void
unix_sockets(void)
{
        char name[64];

        snprintf(name, sizeof name, "unix:@green-fault-%ld", (long)getpid());
        accept_and_connect(name);
}

/* Two addresses of which the first refuses. What befalls the one that wins is told, or the next one is tried in vain. */
static void
races(void)
{
        struct green_connect_opts opts = {.size = sizeof opts, .timeout = SOON, .stagger = SOON};
        struct green_addr addrs[2];
        green_socket *listener, *s;

        CHECK_INT(green_addr_parse("127.0.0.1:1", &addrs[0]), 0);
        if (!MADE(green_get_hub()) || !MADE(listener = green_listen("127.0.0.1:0", NULL)))
                return;
        fault_may_give(-ECONNREFUSED);
        if (OK(green_socket_getsockname(listener, &addrs[1])) && MADE(s = green_connect_any(addrs, 2, &opts)))
                (void)free_ok(s);
        (void)free_ok(listener);
}

/* ---- the short way */

static int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        char buf[4];

        (void)peer;
        (void)arg;
        CHECK_INT(green_socket_set_timeout(client, SOON), 0);
        if (!gave(green_socket_recv(client, buf, 1, 0), 1) || !gave(green_socket_send(client, buf, 1, 0), 1))
                return 0;
        return buf[0] == 'q' ? GREEN_ESTOPSERVE : 0;
}

struct service {
        green_socket *listener;
        int rc;
};

static void *
serve(void *arg)
{
        const struct green_serve_opts opts = {.size = sizeof opts, .concurrency = 2};
        struct service *service = arg;

        service->rc = green_serve(service->listener, echo, NULL, &opts);
        if (service->rc != -ECANCELED && service->rc != -EBADF)
                (void)OK(service->rc);
        return NULL;
}

/* Its limit is for answers that a fault keeps away: before it happens a machine may be as slow as it likes. */
static ssize_t
wait_for_answer(green_socket *s, char *buf)
{
        ssize_t n;
        int turns = 0;

        do
                n = green_socket_recv(s, buf, 1, 0);
        while (n == -ETIMEDOUT && !fault_happened() && ++turns < 100);
        return n;
}

static bool
ask(const char *address, const char *what)
{
        const struct green_connect_opts opts = {.size = sizeof opts, .timeout = SOON};
        green_socket *s;
        char buf[4];
        bool good;

        errno = 0;
        s = green_connect(address, &opts);
        if (!MADE(s))
                return false;
        CHECK_INT(green_socket_set_timeout(s, BRIEF), 0);
        good = OK(green_socket_sendall(s, what, 1, 0, NULL)) && gave(wait_for_answer(s, buf), 1) &&
               CHECK_INT(buf[0], what[0]);
        return free_ok(s) && good;
}

static void
serving(void)
{
        struct service service = {NULL, 1};
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_addr addr;
        green_thread *gt = NULL;

        peer_may_be_gone();
        if (!MADE(green_get_hub()) || !MADE(service.listener = green_listen("127.0.0.1:0", NULL)))
                return;
        if (OK(green_socket_getsockname(service.listener, &addr)) && MADE(gt = green_spawn(serve, &service))) {
                green_addr_format(&addr, address, sizeof address);
                if (ask(address, "x") && ask(address, "x") && ask(address, "q"))
                        (void)OK(fault_join(green_thread_ref(gt)));
        }
        (void)OK(green_socket_close(service.listener));
        (void)OK(fault_join(gt));
        (void)free_ok(service.listener);
}

/* ---- the PROXY protocol */

static void
proxied(void)
{
        struct green_proxy_info info = {.version = 2, .type = SOCK_STREAM}, got;
        char header[256];
        struct ends p;
        ssize_t n;

        if (!make_pair(&p))
                return;
        if (OK(green_addr_parse("192.0.2.1:80", &info.source)) && OK(green_addr_parse("192.0.2.2:81", &info.destination))) {
                n = green_proxy_format(&info, header, sizeof header);
                CHECK_INT(n, 28);
                CHECK_INT(green_proxy_parse(header, (size_t)n, &got), n);
                if (OK(green_socket_sendall(p.a, header, (size_t)n, 0, NULL)) && OK(green_socket_read_proxy(p.b, &got)))
                        CHECK(green_addr_equal(&got.source, &info.source));
        }
        free_ends(&p);
}

/* ---- the rows */

/* Linux says EMFILE before it looks whether there is a connection to accept; green_serve() tries again later. */
#define EARLY (FEWER | FAULT_BIT(accept4))
#define ACCEPTS                                                                                                        \
        (ALTSTACK | FAULT_BIT(accept4) | FAULT_BIT(alloc) | FAULT_BIT(epoll_ctl) | FAULT_BIT(setsockopt) |             \
         FAULT_BIT(shutdown))
#define RACES (ALTSTACK | FAULT_BIT(getsockopt) | FAULT_BIT(socket) | FAULT_BIT(connect) | FAULT_BIT(setsockopt))
#define SCENARIOS(X)                                                                                                   \
        X(addresses, FAULT_BIT(alloc), 0)                                                                              \
        X(datagrams, ALTSTACK, FEWER)                                                                                  \
        X(proxied, ALTSTACK, FEWER)                                                                                    \
        X(races, RACES, FEWER)                                                                                         \
        X(serving, ACCEPTS, FEWER)                                                                                     \
        X(settings, ALTSTACK, FEWER)                                                                                   \
        X(streams, ALTSTACK | FAULT_BIT(shutdown), FEWER)                                                              \
        X(tcp, ALTSTACK, EARLY)                                                                                        \
        X(unix_sockets, ALTSTACK, EARLY)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

static void
a_program_that_is_stopped_and_continued_goes_on(void)
{
        fault_stopped(&scenario_tcp, 0.3);
        fault_stopped(&scenario_streams, 0.3);
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_datagrams);
        fault_few_descriptors(&scenario_tcp);
        fault_few_descriptors(&scenario_unix_sockets);
}

GREEN_SUITE(fault_net) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_TEST(a_program_that_is_stopped_and_continued_goes_on, .limit = 60),
        GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60),
        GREEN_SUITE_END
};
