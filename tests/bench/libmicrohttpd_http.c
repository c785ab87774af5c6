/* A peer of green_http.c: libmicrohttpd, with epoll in one thread. */
#include "bench_http.h"

#include <microhttpd.h>

static struct MHD_Response *response;

static enum MHD_Result
hello(void *arg, struct MHD_Connection *conn, const char *url, const char *method, const char *version,
      const char *data, size_t *len, void **state)
{
        static int seen;

        (void)arg, (void)url, (void)method, (void)version, (void)data, (void)len;
        /* It calls once more when the request is whole; an answer before that ends the connection. */
        if (*state == NULL) {
                *state = &seen;
                return MHD_YES;
        }
        return MHD_queue_response(conn, MHD_HTTP_OK, response);
}

int
main(void)
{
        int fd = bench_listen();
        struct MHD_Daemon *daemon =
                MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, hello, NULL,
                                 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, 15000u, MHD_OPTION_END);

        response = MHD_create_response_from_buffer(BENCH_BODY_LEN, (void *)BENCH_BODY, MHD_RESPMEM_PERSISTENT);
        bench_check(daemon != NULL && response != NULL, "MHD_start_daemon");
        bench_check(MHD_add_response_header(response, "Server", "microhttp") == MHD_YES &&
                            MHD_add_response_header(response, "Content-Type", BENCH_TYPE) == MHD_YES,
                    "MHD_add_response_header");
        bench_announce(fd);
        for (;;)
                pause();
}
