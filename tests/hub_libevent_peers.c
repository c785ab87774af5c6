/* The libevent hub with HTTP on both sides: evhttp in callbacks, green-net in green threads, one OS thread. */
#include "hub_libevent.h"

#include <green/libevent.h>
#include <green/net.h>
#include <green/web.h>

#include <event2/http.h>

/* ---- evhttp serves */

static void
serve_page(struct evhttp_request *req, void *arg)
{
        struct evbuffer *page = evbuffer_new();
        int *served = arg;

        CHECK_PTR(green_getcurrent(), NULL);
        evbuffer_add_printf(page, "page %d of %s", ++*served, evhttp_request_get_uri(req));
        evhttp_send_reply(req, 200, "OK", page);
        evbuffer_free(page);
}

/* A server on a free port of this machine; its address, as text. */
static struct evhttp *
serve(struct event_base *base, int *served, char *address, size_t size)
{
        struct evhttp *http = evhttp_new(base);
        struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
        struct sockaddr_in addr;
        socklen_t len = sizeof addr;

        if (!CHECK(bound != NULL) ||
            !CHECK_INT(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&addr, &len), 0))
                return NULL;
        evhttp_set_gencb(http, serve_page, served);
        snprintf(address, size, "127.0.0.1:%d", ntohs(addr.sin_port));
        return http;
}

/* Sends a request for a path, and reads the answer up to its end. */
static void
ask(const char *address, const char *path, const char *want)
{
        green_socket *s = green_connect(address, NULL);
        char text[1024];
        size_t have = 0;
        ssize_t n;

        if (!CHECK(s != NULL))
                return;
        CHECK_INT(green_socket_set_timeout(s, CORE_SOON), 0);
        n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
        CHECK_INT(green_socket_sendall(s, text, (size_t)n, 0, NULL), 0);
        while ((n = green_socket_recv(s, text + have, sizeof text - 1 - have, 0)) > 0)
                have += (size_t)n;
        text[have] = '\0';
        CHECK_INT(n, 0);
        CHECK(strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0);
        CHECK(strstr(text, want) != NULL);
        CHECK_INT(green_socket_free(s), 0);
}

struct asker {
        const char *address;
        int turn;
};

static void *
ask_often(void *arg)
{
        const struct asker *asker = arg;
        char path[32], want[64];

        for (int i = 0; i < 5; i++) {
                snprintf(path, sizeof path, "/%d/%d", asker->turn, i);
                snprintf(want, sizeof want, " of %s", path);
                ask(asker->address, path, want);
        }
        return NULL;
}

static void
an_evhttp_server_answers_green_sockets(void)
{
        enum { N = 10 };
        struct event_base *base = lev_begin(NULL);
        struct asker askers[N];
        green_thread *gt[N];
        struct evhttp *http;
        char address[32];
        int served = 0;

        GREEN_COVERS("AIO-06");
        if (base == NULL)
                return;
        http = serve(base, &served, address, sizeof address);
        if (http == NULL)
                return;
        ask(address, "/first", "page 1 of /first");
        for (int i = 0; i < N; i++) {
                askers[i] = (struct asker){address, i};
                gt[i] = green_spawn(ask_often, &askers[i]);
        }
        for (int i = 0; i < N; i++)
                CHECK_INT(core_join(gt[i]), 0);
        CHECK_INT(served, 5 * N + 1);
        evhttp_free(http);
        lev_end(NULL);
}

/* ---- evhttp asks */

static int
greet(green_wsgi_request *req, void *arg)
{
        char text[64];

        CHECK(green_getcurrent() != NULL);
        CHECK_INT(green_sleep(0.001), 0);
        snprintf(text, sizeof text, "%s, %s", (const char *)arg, green_wsgi_path(req, NULL));
        return green_wsgi_respond(req, 201, "text/plain", text, strlen(text));
}

static void *
serve_green(void *arg)
{
        return green_wsgi_server(arg, greet, (void *)(uintptr_t) "hello", NULL) == 0 ? NULL : green_fail(-EIO);
}

static void
evhttps_client_asks_a_green_server(void)
{
        struct event_base *base = lev_begin(NULL);
        struct evhttp_connection *connection;
        green_socket *listener;
        struct green_addr here;
        green_thread *server;

        GREEN_COVERS("AIO-06");
        if (base == NULL)
                return;
        listener = green_listen("127.0.0.1:0", NULL);
        if (!CHECK(listener != NULL) || !CHECK_INT(green_socket_getsockname(listener, &here), 0))
                return;
        server = green_spawn(serve_green, listener);
        connection = evhttp_connection_base_new(base, NULL, "127.0.0.1", (unsigned short)green_addr_port(&here));
        for (int i = 0; i < 5; i++) {
                struct green_libevent_http op;
                struct evhttp_request *req = green_libevent_http_new(&op, connection);
                struct green_awaitable aw;
                struct evbuffer *body;
                void *result = NULL;
                char text[64] = "";

                if (!CHECK(req != NULL))
                        break;
                evhttp_add_header(evhttp_request_get_output_headers(req), "Host", "x");
                CHECK_INT(green_libevent_http(&aw, &op, EVHTTP_REQ_GET, "/you"), 0);
                CHECK_INT(green_await(&aw, &result), 0);
                CHECK_PTR(result, req);
                CHECK_INT(evhttp_request_get_response_code(req), 201);
                body = evhttp_request_get_input_buffer(req);
                CHECK_INT(evbuffer_remove(body, text, sizeof text - 1), 11);
                CHECK_STR(text, "hello, /you");
                evhttp_request_free(req);
        }
        evhttp_connection_free(connection);
        CHECK_INT(green_kill(server, 0), 0);
        CHECK_INT(core_join(server), GREEN_EKILLED);
        CHECK_INT(green_socket_free(listener), 0);
        lev_end(NULL);
}

GREEN_SUITE_INIT(lev_init)

GREEN_SUITE(hub_libevent_peers){GREEN_TEST(an_evhttp_server_answers_green_sockets),
                                GREEN_TEST(evhttps_client_asks_a_green_server), GREEN_SUITE_END};
