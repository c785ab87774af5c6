/* A peer of green_http.c: libh2o with its own event loop. */
#define H2O_USE_LIBUV 0
#include "bench_http.h"

#include <h2o.h>
#include <h2o/http1.h>

static h2o_globalconf_t config;
static h2o_context_t context;
static h2o_accept_ctx_t accept_context;

static int
hello(h2o_handler_t *self, h2o_req_t *req)
{
        static h2o_generator_t generator;
        h2o_iovec_t body = h2o_iovec_init(H2O_STRLIT(BENCH_BODY));

        (void)self;
        req->res.status = 200;
        req->res.reason = "OK";
        req->res.content_length = body.len;
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, H2O_STRLIT(BENCH_TYPE));
        h2o_start_response(req, &generator);
        h2o_send(req, &body, 1, H2O_SEND_STATE_FINAL);
        return 0;
}

static void
on_accept(h2o_socket_t *listener, const char *err)
{
        h2o_socket_t *sock;

        while (err == NULL && (sock = h2o_evloop_socket_accept(listener)) != NULL)
                h2o_accept(&accept_context, sock);
}

int
main(void)
{
        int fd = bench_listen();
        h2o_hostconf_t *host;

        h2o_config_init(&config);
        config.server_name = h2o_iovec_init(H2O_STRLIT("h2o-event"));
        config.http1.req_timeout = 3600 * 1000;
        host = h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
        h2o_create_handler(h2o_config_register_path(host, "/", 0), sizeof(h2o_handler_t))->on_req = hello;
        h2o_context_init(&context, h2o_evloop_create(), &config);
        accept_context.ctx = &context;
        accept_context.hosts = config.hosts;
        h2o_socket_read_start(h2o_evloop_socket_create(context.loop, fd, H2O_SOCKET_FLAG_DONT_READ), on_accept);
        bench_announce(fd);
        while (h2o_evloop_run(context.loop, INT32_MAX) == 0)
                continue;
        return 1;
}
