/* Echo line by line through a stream, as a user of green-net would write it. */
#include "bench.h"

#include <green/net.h>

#define LONGEST 1024 /* BENCH_BUFFER of the others */

static int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        const struct green_stream_opts opts = {.size = sizeof opts, .read_size = 4096, .write_size = 4096};
        green_stream *st = green_socket_makefile(client, &opts);
        const char *line;
        ssize_t n;

        (void)peer, (void)arg;
        if (st == NULL)
                return green_last_error()->code;
        while ((n = green_stream_readline(st, LONGEST, &line)) > 0)
                if (green_stream_write(st, line, (size_t)n) != n)
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
