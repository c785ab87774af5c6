/*
 * Sends back what it is sent: echoserver [ADDRESS]
 *
 * Try it with `nc 127.0.0.1 6000`. It prints "listening on ADDRESS" once it takes connections; with port 0 the system
 * chooses the port. Every connection has a green thread of its own, so the code of one connection reads as if there
 * were no other.
 */
#include <green/net.h>
#include <stdio.h>

/* One connection. Whatever is returned, green_serve() closes it, and logs a failure. */
static int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        char buf[4096];
        ssize_t n;

        (void)peer, (void)arg;
        while ((n = green_socket_recv(client, buf, sizeof buf, 0)) > 0) {
                int rc = green_socket_sendall(client, buf, (size_t)n, 0, NULL);

                if (rc != 0)
                        return rc;
        }
        return (int)n; /* 0: the peer has ended the connection */
}

int
main(int argc, char **argv)
{
        green_socket *listener = green_listen(argc > 1 ? argv[1] : "127.0.0.1:6000", NULL);
        struct green_addr here;
        char text[GREEN_ADDR_TEXT_SIZE];
        int rc;

        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "echoserver: %s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);

        rc = green_serve(listener, echo, NULL, NULL);
        fprintf(stderr, "echoserver: %s\n", green_strerror(rc));
        green_socket_free(listener);
        return 1;
}
