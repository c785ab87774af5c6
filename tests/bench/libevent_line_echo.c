/*
 * Echo line by line with libevent: a bufferevent a connection, as its book has it. No locks, and each answer goes out
 * with the loop's next turn, that of all lines that came together in one write.
 */
#include "bench_net.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

static void
echo(struct bufferevent *bev, void *arg)
{
        struct evbuffer *in = bufferevent_get_input(bev), *out = bufferevent_get_output(bev);
        size_t len;
        char *line;

        (void)arg;
        while ((line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF)) != NULL) {
                evbuffer_add(out, line, len);
                evbuffer_add(out, "\n", 1);
                free(line);
        }
        if (evbuffer_get_length(in) > BENCH_BUFFER)
                bufferevent_free(bev);
}

static void
ended(struct bufferevent *bev, short what, void *arg)
{
        (void)what, (void)arg;
        bufferevent_free(bev);
}

static void
accept_all(evutil_socket_t listener, short what, void *arg)
{
        struct event_base *base = (struct event_base *)arg;
        int fd;

        (void)what;
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

                bench_check(bev != NULL, "bufferevent_socket_new");
                bufferevent_setcb(bev, echo, NULL, ended, NULL);
                bench_check(bufferevent_enable(bev, EV_READ | EV_WRITE) == 0, "bufferevent_enable");
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
