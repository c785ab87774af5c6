/*
 * Echo with libevent, in its quickest form: no locks, events that persist (so that no epoll_ctl is made a message), and
 * recv and send without a bufferevent.
 */
#include "bench_net.h"

#include <event2/event.h>

static void
echo(evutil_socket_t fd, short what, void *arg)
{
        struct event *ev = *(struct event **)arg;
        char buf[BENCH_BUFFER];
        ssize_t n = recv(fd, buf, sizeof buf, 0);

        (void)what;
        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n) {
                event_free(ev);
                close(fd);
                free(arg);
        }
}

static void
accept_all(evutil_socket_t listener, short what, void *arg)
{
        struct event_base *base = (struct event_base *)arg;
        int fd;

        (void)what;
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct event **own = (struct event **)malloc(sizeof *own);

                bench_check(own != NULL, "malloc");
                *own = event_new(base, fd, EV_READ | EV_PERSIST, echo, own);
                bench_check(*own != NULL && event_add(*own, NULL) == 0, "event_add");
        }
}

int
main(void)
{
        struct event_config *config = event_config_new();
        struct event_base *base;
        struct event *ev;
        int listener = bench_listen();

        bench_check(config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0, "event_config_new");
        base = event_base_new_with_config(config);
        bench_check(base != NULL, "event_base_new_with_config");
        ev = event_new(base, listener, EV_READ | EV_PERSIST, accept_all, base);
        bench_check(ev != NULL && event_add(ev, NULL) == 0, "event_add");
        bench_announce(listener);
        return event_base_dispatch(base) == 0 ? 0 : 1;
}
