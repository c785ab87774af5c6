/* Echo with a stream in between: what its buffers cost where they win nothing. */
#include "bench.h"

#include <green/net.h>

static int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        const struct green_stream_opts opts = {.size = sizeof opts, .read_size = 2048, .write_size = 1024};
        green_stream *st = green_socket_makefile(client, &opts);
        char buf[1024];
        ssize_t n;

        (void)peer, (void)arg;
        if (st == NULL)
                return green_last_error()->code;
        while ((n = green_stream_read(st, buf, sizeof buf)) > 0)
                if (green_stream_write(st, buf, (size_t)n) != n)
                        break;
        green_stream_free(st);
        return (int)n;
}

int
main(void)
{
        struct green_listen_opts listen_opts = {.size = sizeof listen_opts, .backlog = 1024};
        struct green_serve_opts serve_opts = {.size = sizeof serve_opts, .concurrency = 100000};
        green_socket *listener = green_listen("127.0.0.1:0", &listen_opts);
        struct green_addr here;

        bench_check(listener != NULL && green_socket_getsockname(listener, &here) == 0, "green_listen");
        printf("port %d\n", green_addr_port(&here));
        fflush(stdout);
        return green_serve(listener, echo, NULL, &serve_opts) == 0 ? 0 : 1;
}
