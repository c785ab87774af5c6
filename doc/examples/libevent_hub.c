/*
 * Callbacks of libevent and green threads in one OS thread: libevent_hub [N]
 *
 * A web server of libevent's (evhttp) answers in callbacks, and a timer of the application's ticks. N green threads
 * fetch a page from it, each as if every call blocked; one more talks to a bufferevent. They all live in one
 * event_base.
 *
 *     cc libevent_hub.c $(pkg-config --cflags --libs green-net libevent_core libevent_extra)
 */
#include <green/green.h>
#include <green/libevent.h>

#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>

static unsigned short port; /* of the web server */
static int served, fetched, ticks;

/* ---- callbacks: they may not wait */

static void
serve(struct evhttp_request *req, void *arg)
{
        struct evbuffer *page = evbuffer_new();

        (void)arg;
        evbuffer_add_printf(page, "page %d\n", ++served);
        evhttp_send_reply(req, 200, "OK", page);
        evbuffer_free(page);
}

static void
tick(evutil_socket_t fd, short what, void *arg)
{
        (void)fd, (void)what, (void)arg;
        ticks++;
}

static void
echo(struct bufferevent *bev, void *arg)
{
        (void)arg;
        bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

/* ---- green threads: they wait as they like */

/* By libevent's client, whose answer is waited for. */
static void *
fetch(void *arg)
{
        struct evhttp_connection *connection = evhttp_connection_base_new(arg, NULL, "127.0.0.1", port);
        struct green_libevent_http op;
        struct evhttp_request *req = green_libevent_http_new(&op, connection);
        struct green_awaitable aw;
        int rc = req == NULL ? -ENOMEM : green_libevent_http(&aw, &op, EVHTTP_REQ_GET, "/");

        if (rc == 0)
                rc = green_await(&aw, NULL);
        if (rc == 0 && evhttp_request_get_response_code(req) == 200)
                fetched++;
        if (req != NULL)
                evhttp_request_free(req);
        evhttp_connection_free(connection);
        return rc == 0 ? NULL : green_fail(rc);
}

static int
talk(struct event_base *base)
{
        struct bufferevent *pair[2];
        struct green_libevent_buffer op = {.need = 5};
        struct green_awaitable aw;
        char word[6] = "";
        int rc;

        if (bufferevent_pair_new(base, 0, pair) != 0)
                return -ENOMEM;
        bufferevent_setcb(pair[1], echo, NULL, NULL, NULL);
        bufferevent_enable(pair[1], EV_READ | EV_WRITE);
        bufferevent_write(pair[0], "hello", 5);
        rc = green_libevent_buffer(&aw, &op, pair[0], GREEN_LIBEVENT_READ);
        if (rc == 0)
                rc = green_await(&aw, NULL);
        bufferevent_read(pair[0], word, 5);
        printf("the bufferevent says: %s\n", word);
        bufferevent_free(pair[0]);
        bufferevent_free(pair[1]);
        return rc;
}

/* The web server on a free port; NULL where there is none. */
static struct evhttp *
start(struct event_base *base)
{
        struct evhttp *http = evhttp_new(base);
        struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
        struct sockaddr_in addr;
        socklen_t len = sizeof addr;

        if (bound == NULL || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&addr, &len) != 0)
                return NULL;
        port = ntohs(addr.sin_port);
        evhttp_set_gencb(http, serve, NULL);
        return http;
}

int
main(int argc, char **argv)
{
        int n = argc > 1 ? atoi(argv[1]) : 20;
        const struct timeval interval = {.tv_usec = 1000};
        struct event_base *base = event_base_new();
        struct event *timer;
        struct evhttp *http;
        green_greenpool *pool;

        /* Nobody calls event_base_dispatch(): when all green threads wait, the loop runs. */
        if (green_use_hub_loop("libevent", base) != 0)
                return fprintf(stderr, "libevent_hub: %s\n", green_last_error()->message), 1;
        http = start(base);
        timer = event_new(base, -1, EV_PERSIST, tick, NULL);
        pool = green_greenpool_new(100);
        if (http == NULL || timer == NULL || pool == NULL || event_add(timer, &interval) != 0)
                return fprintf(stderr, "libevent_hub: cannot start\n"), 1;
        for (int i = 0; i < n; i++)
                (void)green_greenpool_spawn_n(pool, fetch, base);
        if (green_greenpool_waitall(pool, GREEN_FOREVER) != 0 || talk(base) != 0 || green_sleep(0.01) != 0)
                return 1;
        printf("%d pages by %d callbacks, while the timer ticked%s\n", fetched, served, ticks > 0 ? "" : " not once");
        green_greenpool_free(pool);
        event_free(timer);
        evhttp_free(http);
        (void)green_hub_destroy(1);
        event_base_free(base);
        return fetched == n ? 0 : 1;
}
