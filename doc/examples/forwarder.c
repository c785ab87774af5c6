/*
 * A port forwarder: forwarder ADDRESS TARGET
 *
 * What comes to ADDRESS goes to TARGET, and back. Each connection has two green threads, one for each direction: that
 * is all there is to it.
 */
#include <green/net.h>
#include <stdio.h>

static const char *target;

struct way {
        green_socket *from, *to;
};

/* Until the end of one direction; then that is told to the other side, which may still answer. */
static void *
forward(void *arg)
{
        const struct way *way = arg;
        char buf[16384];
        ssize_t n;

        while ((n = green_socket_recv(way->from, buf, sizeof buf, 0)) > 0) {
                int rc = green_socket_sendall(way->to, buf, (size_t)n, 0, NULL);

                if (rc != 0)
                        return green_fail(rc);
        }
        if (n < 0)
                return green_fail((int)n);
        green_socket_shutdown(way->to, SHUT_WR);
        return NULL;
}

static int
serve(green_socket *client, const struct green_addr *peer, void *arg)
{
        green_socket *server = green_connect(target, NULL);
        struct way there = {client, server}, back = {server, client};
        green_thread *gt;

        (void)peer, (void)arg;
        if (server == NULL)
                return green_last_error()->code;
        gt = green_spawn(forward, &there);
        /* Where one direction has failed, closing makes the other one fail too. */
        if (gt == NULL || forward(&back) != NULL)
                green_socket_close(server);
        if (gt != NULL && green_thread_wait(gt, NULL) != 0)
                green_socket_close(server);
        green_thread_unref(gt);
        green_socket_free(server);
        return 0;
}

int
main(int argc, char **argv)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener;
        struct green_addr here;

        if (argc != 3)
                return fprintf(stderr, "usage: forwarder ADDRESS TARGET\n"), 2;
        target = argv[2];
        listener = green_listen(argv[1], NULL);
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "%s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);
        return green_serve(listener, serve, NULL, NULL) == 0 ? 0 : 1;
}
