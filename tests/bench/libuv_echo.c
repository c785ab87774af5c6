/* Echo with libuv: reading goes on for good, and a buffer a connection; an answer is written at once where it fits. */
#include "bench_net.h"

#include <uv.h>

struct conn {
        uv_tcp_t tcp;
        char buf[BENCH_BUFFER];
};

static void
closed(uv_handle_t *handle)
{
        free(handle->data);
}

static void
give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
        struct conn *c = (struct conn *)handle->data;

        (void)suggested;
        *ret_buf = uv_buf_init(c->buf, sizeof c->buf);
}

static void
echo(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
        uv_buf_t answer;

        if (n == 0)
                return;
        if (n > 0) {
                answer = uv_buf_init(buf->base, (unsigned)n);
                if (uv_try_write(stream, &answer, 1) == n)
                        return;
        }
        uv_close((uv_handle_t *)stream, closed);
}

static void
connected(uv_stream_t *listener, int status)
{
        struct conn *c = (struct conn *)calloc(1, sizeof *c);

        bench_check(status == 0 && c != NULL, "a connection");
        c->tcp.data = c;
        bench_check(uv_tcp_init(listener->loop, &c->tcp) == 0, "uv_tcp_init");
        bench_check(uv_accept(listener, (uv_stream_t *)&c->tcp) == 0, "uv_accept");
        bench_check(uv_read_start((uv_stream_t *)&c->tcp, give_buffer, echo) == 0, "uv_read_start");
}

int
main(void)
{
        uv_loop_t *loop = uv_default_loop();
        struct sockaddr_in addr;
        uv_tcp_t listener;
        uv_os_fd_t fd;

        bench_check(uv_tcp_init(loop, &listener) == 0 && uv_ip4_addr("127.0.0.1", 0, &addr) == 0 &&
                            uv_tcp_bind(&listener, (const struct sockaddr *)&addr, 0) == 0 &&
                            uv_listen((uv_stream_t *)&listener, 1024, connected) == 0 &&
                            uv_fileno((uv_handle_t *)&listener, &fd) == 0,
                    "uv_listen");
        bench_announce(fd);
        return uv_run(loop, UV_RUN_DEFAULT);
}
