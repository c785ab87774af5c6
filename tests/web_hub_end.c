/*
 * Green threads of connections that are killed before they have begun: by the end of the hub, or with their pool.
 */
#include <pthread.h>

#include <green/greenpool.h>
#include <green/http_client.h>
#include <green/websocket.h>

#include "web_suite.h"

enum { CLIENTS = 4, STEPS = 40 };

static struct site {
        green_socket *listener;
        green_websocket_site *sockets;
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16];
} site;

static int
hello(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

/* It rests between two messages, so that each has a green thread of its own. */
static int
echo_and_rest(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        int rc = 0;

        (void)arg;
        while (rc >= 0 && green_websocket_pending(ws) && (rc = green_websocket_wait(ws, &m)) == 1)
                rc = green_websocket_send(ws, m.type, m.data, m.len);
        return rc < 0 || green_websocket_closed(ws) ? rc : GREEN_WEBSOCKET_REST;
}

static void *
serve_http(void *arg)
{
        const struct green_wsgi_server_opts o = {.size = sizeof o, .shutdown_timeout = 0.2};

        (void)arg;
        return green_fail(green_wsgi_server(site.listener, hello, NULL, &o));
}

static void *
ask_http(void *arg)
{
        green_http_client *c = green_http_client_new(NULL);
        green_http_response *res = NULL;

        while (green_http_get(c, site.url, NULL, &res) == 0)
                green_http_response_free(res);
        green_http_client_free(c);
        return arg;
}

static void *
serve_sockets(void *arg)
{
        const struct green_wsgi_server_opts o = {.size = sizeof o, .shutdown_timeout = 0.2};

        (void)arg;
        return green_fail(green_wsgi_server(site.listener, green_websocket_app, site.sockets, &o));
}

static void *
ask_sockets(void *arg)
{
        char url[sizeof site.url + 4];
        struct green_websocket_message m;
        green_websocket *ws;

        snprintf(url, sizeof url, "ws%s", site.url + 4);
        ws = green_websocket_connect(url, NULL);
        while (ws != NULL && green_websocket_send_text(ws, "hello") == 0 && green_websocket_wait(ws, &m) == 1)
                ;
        green_websocket_free(ws);
        return arg;
}

static const struct kind {
        green_thread_fn serve, ask;
} http = {serve_http, ask_http}, sockets = {serve_sockets, ask_sockets};

/* In an OS thread of its own: a server and its clients, which the hub's end finds at each of their first steps. */
static void *
end_early(void *arg)
{
        const struct kind *kind = arg;

        for (int steps = 0; steps < STEPS; steps++) {
                site.listener = listen_here(site.address);
                site.sockets = green_websocket_wsgi(echo_and_rest, NULL, NULL);
                snprintf(site.url, sizeof site.url, "http://%s/", site.address);
                CHECK_INT(green_spawn_n(kind->serve, NULL), 0);
                for (int i = 0; i < CLIENTS; i++)
                        CHECK_INT(green_spawn_n(kind->ask, NULL), 0);
                for (int i = 0; i < steps; i++)
                        green_sleep(0);
                if (!CHECK_INT(green_hub_destroy(5 * suite_slow()), 0))
                        FAIL("after %d steps", steps);
                green_websocket_site_unref(site.sockets);
                CHECK_INT(green_socket_free(site.listener), 0);
        }
        return NULL;
}

static void
run(const struct kind *kind)
{
        struct kind copy = *kind;
        pthread_t thread;

        if (CHECK_INT(pthread_create(&thread, NULL, end_early, &copy), 0))
                CHECK_INT(pthread_join(thread, NULL), 0);
}

static void
requests_end_with_the_hub(void)
{
        run(&http);
}

static void
websockets_end_with_the_hub(void)
{
        run(&sockets);
}

static int
count_hello(green_wsgi_request *req, void *arg)
{
        ((struct server *)arg)->requests++;
        return hello(req, NULL);
}

/* The server's end waits for nobody who was killed with the pool, and their clients are told. */
static void
requests_end_with_their_pool(void)
{
        for (int steps = 0; steps < STEPS; steps++) {
                green_greenpool *pool = green_greenpool_new(4);
                struct server s = {.opts = {.custom_pool = pool, .shutdown_timeout = 0.2}};
                struct green_timeout t = {{0}};
                green_socket *c;
                char byte;

                serve(&s, count_hello);
                c = client_of(&s);
                say(c, GET);
                for (int i = 0; i < steps && s.requests == 0; i++)
                        green_sleep(0);
                CHECK(green_greenpool_kill(pool, 0) >= 0);
                CHECK_INT(green_timeout_start(&t, 5 * suite_slow()), 0);
                stop(&s);
                while (green_socket_recv(c, &byte, 1, 0) > 0)
                        ;
                CHECK_INT(green_timeout_cancel(&t), 0);
                CHECK_INT(green_socket_free(c), 0);
                CHECK_INT(green_greenpool_free(pool), 0);
        }
}

GREEN_SUITE(web_hub_end){GREEN_TEST(requests_end_with_the_hub), GREEN_TEST(websockets_end_with_the_hub),
                         GREEN_TEST(requests_end_with_their_pool), GREEN_SUITE_END};
