/*
 * Each allocation and system call fails in its turn where operations of libevent are awaited; see fault_core.c. Those
 * that libevent itself makes fail too, but for what only its own code has to do with.
 */
#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <green/libevent.h>
#include <green/sync.h>

#define SOON 5.0

/* As in fault_core.c. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

static bool
have_loop(void)
{
        return MADE(green_get_hub()) && CHECK(green_libevent_base() != NULL);
}

/* As it is meant to, or with what was injected. */
static bool
fails_with(int want, int rc)
{
        return CHECK(rc != 0) && OK(rc == want ? 0 : rc);
}

static void
events(void)
{
        const struct timeval soon = {.tv_usec = 1000};
        struct green_timeout t = {{0}};
        struct green_libevent_event op;
        struct green_awaitable aw;
        int fds[2];

        if (!have_loop())
                return;
        fault_pair(fds);
        fault_put(fds[1]);
        if (OK(green_libevent_event(&aw, &op, fds[0], EV_READ, NULL)) && OK(green_await(&aw, NULL)))
                CHECK_INT(op.what, EV_READ);
        if (OK(green_libevent_event(&aw, &op, -1, 0, &soon)) && OK(green_await(&aw, NULL)))
                CHECK_INT(op.what, EV_TIMEOUT);
        if (OK(green_timeout_start(&t, 0.001))) {
                if (OK(green_libevent_event(&aw, &op, fds[1], EV_READ, NULL)))
                        (void)fails_with(GREEN_ETIMEOUT, green_await(&aw, NULL));
                (void)green_timeout_cancel(&t);
        }
        fault_close(fds[0]);
        fault_close(fds[1]);
}

static void
buffers(void)
{
        struct green_libevent_buffer op = {.need = 1};
        struct green_awaitable aw;
        struct bufferevent *bev;
        int fds[2];

        if (!have_loop())
                return;
        fault_pair(fds);
        fault_put(fds[1]);
        bev = bufferevent_socket_new(green_libevent_base(), fds[0], 0);
        if (CHECK(bev != NULL)) {
                if (OK(green_libevent_buffer(&aw, &op, bev, GREEN_LIBEVENT_READ)))
                        (void)OK(green_await(&aw, NULL));
                CHECK_INT(bufferevent_write(bev, "x", 1), 0);
                if (OK(green_libevent_buffer(&aw, &op, bev, GREEN_LIBEVENT_WRITE)))
                        (void)OK(green_await(&aw, NULL));
                bufferevent_free(bev);
        }
        fault_close(fds[0]);
        fault_close(fds[1]);
}

static void
names(void)
{
        struct green_libevent_getaddrinfo op;
        struct evutil_addrinfo *answer;
        struct green_awaitable aw;
        struct evdns_base *dns;
        void *result = NULL;

        if (!have_loop())
                return;
        fault_pause();
        dns = evdns_base_new(green_libevent_base(), 0);
        fault_resume();
        if (OK(green_libevent_getaddrinfo(&aw, &op, dns, "127.0.0.1", "7", NULL)) && OK(green_await(&aw, &result))) {
                answer = result;
                CHECK(answer->ai_addr != NULL);
                evutil_freeaddrinfo(answer);
        }
        fault_pause();
        evdns_base_free(dns, 0);
        fault_resume();
}

/* A port of this machine that somebody has and nobody listens on; the descriptor that has it. */
static int
deaf_port(unsigned short *ret_port)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof addr;
        int fd;

        fault_pause();
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_INT(bind(fd, (struct sockaddr *)&addr, len), 0);
        CHECK_INT(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
        fault_resume();
        *ret_port = ntohs(addr.sin_port);
        return fd;
}

static void
requests(void)
{
        struct evhttp_connection *connection;
        struct green_libevent_http op;
        struct green_awaitable aw;
        unsigned short port;
        int fd;

        if (!have_loop())
                return;
        fd = deaf_port(&port);
        connection = evhttp_connection_base_new(green_libevent_base(), NULL, "127.0.0.1", port);
        if (CHECK(connection != NULL && green_libevent_http_new(&op, connection) != NULL)) {
                fault_may_give(-ECONNRESET);
                if (OK(green_libevent_http(&aw, &op, EVHTTP_REQ_GET, "/")))
                        (void)fails_with(-ENOTCONN, green_await(&aw, NULL));
                evhttp_request_free(op.request);
                evhttp_connection_free(connection);
        }
        fault_close(fd);
}

/* ---- the scenarios, in alphabetical order */

/* What libevent does not tell of, or tries again, or has another way for. */
#define ITS_OWN                                                                                                        \
        (FAULT_BIT(epoll_ctl) | FAULT_BIT(fcntl) | FAULT_BIT(getsockopt) | FAULT_BIT(setsockopt) |                     \
         FAULT_BIT(connect) | FAULT_BIT(shutdown) | FAULT_BIT(socket))

/* With which libevent catches signals. */
#define ITS_PIPE FAULT_BIT(pipe2)
#define SCENARIOS(X)                                                                                                   \
        X(buffers, ALTSTACK | FAULT_BIT(epoll_ctl) | FAULT_BIT(writev) | ITS_PIPE, FEWER)                              \
        X(events, ALTSTACK | ITS_PIPE, FEWER)                                                                          \
        X(names, ALTSTACK | ITS_PIPE, FEWER)                                                                           \
        X(requests, ALTSTACK | ITS_OWN | ITS_PIPE, FEWER)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

static void
forget_line(int severity, const char *text)
{
        (void)severity;
        (void)text;
}

/* The hub is libevent, whatever the others run on; and what fails is no news. */
static void
choose_hub(void)
{
        const char *hub = getenv("GREEN_HUB");

        event_set_log_callback(forget_line);
        if (hub == NULL || strstr(hub, "libevent") == NULL)
                setenv("GREEN_HUB", "libevent", 1);
}
GREEN_SUITE_INIT(choose_hub)

GREEN_SUITE(fault_libevent){SCENARIOS(FAULT_TEST_ROW) GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
                            GREEN_SUITE_END};
