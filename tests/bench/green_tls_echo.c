/* Echo over TLS, as a user of green-net would write it: a green thread a connection. */
#include "bench.h"

#include <green/net.h>
#include <green/tls.h>

#define BUFFER 1024 /* BENCH_BUFFER of the others */

static int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        char buf[BUFFER];
        ssize_t n;

        (void)peer, (void)arg;
        while ((n = green_socket_recv(client, buf, sizeof buf, 0)) > 0) {
                int rc = green_socket_sendall(client, buf, (size_t)n, 0, NULL);

                if (rc != 0)
                        return rc;
        }
        return 0;
}

int
main(void)
{
        struct green_wrap_ssl_opts tls = {.size = sizeof tls, .certfile = TLS_CERTS "/both.pem"};
        struct green_listen_opts listen_opts = {.size = sizeof listen_opts, .backlog = 1024};
        struct green_serve_opts serve_opts = {.size = sizeof serve_opts, .concurrency = 100000};
        green_socket *listener = green_listen("127.0.0.1:0", &listen_opts);
        struct green_addr here;

        bench_check(listener != NULL && green_socket_getsockname(listener, &here) == 0, "green_listen");
        bench_check(green_wrap_ssl(listener, &tls) == listener, "green_wrap_ssl");
        printf("port %d\n", green_addr_port(&here));
        fflush(stdout);
        return green_serve(listener, echo, NULL, &serve_opts) == 0 ? 0 : 1;
}
