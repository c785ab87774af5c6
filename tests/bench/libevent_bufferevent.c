/*
 * Echo with libevent as its manual shows it: a listener and a bufferevent a connection, whose input is moved to its
 * output. No locks.
 */
#include "bench_net.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void
echo(struct bufferevent *bev, void *arg)
{
        (void)arg;
        if (bufferevent_write_buffer(bev, bufferevent_get_input(bev)) != 0)
                bufferevent_free(bev);
}

static void
ended(struct bufferevent *bev, short what, void *arg)
{
        (void)arg;
        if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
                bufferevent_free(bev);
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int size, void *arg)
{
        struct bufferevent *bev = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);

        (void)peer, (void)size, (void)arg;
        bench_check(bev != NULL, "bufferevent_socket_new");
        bufferevent_setcb(bev, echo, NULL, ended, NULL);
        bench_check(bufferevent_enable(bev, EV_READ | EV_WRITE) == 0, "bufferevent_enable");
}

int
main(void)
{
        struct event_config *config = event_config_new();
        struct event_base *base;
        struct evconnlistener *listener;
        int fd = bench_listen();

        bench_check(config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0, "event_config_new");
        base = event_base_new_with_config(config);
        bench_check(base != NULL, "event_base_new_with_config");
        listener = evconnlistener_new(base, accepted, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
        bench_check(listener != NULL, "evconnlistener_new");
        bench_announce(fd);
        return event_base_dispatch(base) == 0 ? 0 : 1;
}
