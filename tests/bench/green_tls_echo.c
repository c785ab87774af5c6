/*
 * Echo over TLS, as a user of green-net would write it. green_tls_echo [rest]
 *
 * A green thread a connection, that waits on it; rest: none does while there is nothing to echo.
 */
#include "bench.h"

#include <errno.h>
#include <string.h>

#include <green/net.h>
#include <green/tls.h>
#include <green/watch.h>

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

/* ---- connections that rest */

struct conn {
        green_socket *socket;
        struct green_watch watch;
};

static void
drop(struct conn *c)
{
        (void)green_socket_free(c->socket);
        free(c);
}

static int
rest(struct conn *c)
{
        return green_socket_watch(c->socket, &c->watch, GREEN_FOREVER);
}

/* As long as there is something to echo. */
static void *
run(void *arg)
{
        struct conn *c = arg;
        char buf[BUFFER];
        ssize_t n = green_tls_handshake(c->socket);

        while (n >= 0 && (n = green_socket_recv(c->socket, buf, sizeof buf, MSG_DONTWAIT)) > 0)
                n = green_socket_sendall(c->socket, buf, (size_t)n, 0, NULL);
        if (n != -EAGAIN || rest(c) != 0)
                drop(c);
        return NULL;
}

static void
on_watch(struct green_watch *w, int result, void *arg)
{
        (void)w;
        if (result < 0 || green_spawn_n(run, arg) != 0)
                drop(arg);
}

/* The client speaks first: a connection that was accepted rests until it does. */
static int
serve_resting(green_socket *listener)
{
        green_socket *socket;

        while ((socket = green_socket_accept(listener, NULL)) != NULL) {
                struct conn *c = malloc(sizeof *c);

                bench_check(c != NULL, "malloc");
                c->socket = socket;
                green_watch_init(&c->watch, on_watch, c);
                if (rest(c) != 0)
                        drop(c);
        }
        return -errno;
}

int
main(int argc, char **argv)
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
        if (argc > 1 && strcmp(argv[1], "rest") == 0)
                return serve_resting(listener) == 0 ? 0 : 1;
        return green_serve(listener, echo, NULL, &serve_opts) == 0 ? 0 : 1;
}
