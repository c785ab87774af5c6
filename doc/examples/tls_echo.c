/*
 * Sends back what it is sent, over TLS: tls_echo ADDRESS CERTIFICATE [KEY], and as a client:
 * tls_echo -c ADDRESS CA-FILE NAME TEXT
 *
 * Try it with `openssl s_client -connect 127.0.0.1:6001`. It prints "listening on ADDRESS" once it takes connections.
 * Apart from green_wrap_ssl() it is echoserver.c: every call of a socket works on one with TLS. The handshake is made
 * in the green thread of the connection, so a client that is slow, or silent, holds up nobody else.
 */
#include <green/net.h>
#include <stdio.h>
#include <string.h>

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
        return (int)n; /* 0: the peer has said goodbye; GREEN_ETLSEOF: it has gone without */
}

static int
fail(const char *what)
{
        return fprintf(stderr, "tls_echo: %s: %s\n", what, green_last_error()->message), 1;
}

static int
serve(const char *address, const char *certificate, const char *key)
{
        struct green_wrap_ssl_opts tls = {.size = sizeof tls, .certfile = certificate, .keyfile = key};
        green_socket *listener = green_listen(address, NULL);
        struct green_addr here;
        char text[GREEN_ADDR_TEXT_SIZE];

        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fail("listen");
        if (green_wrap_ssl(listener, &tls) == NULL)
                return fail("wrap_ssl");
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);
        (void)!green_serve(listener, echo, NULL, NULL);
        return green_socket_free(listener), 1;
}

static int
ask(const char *address, const char *ca, const char *name, const char *text)
{
        struct green_wrap_ssl_opts tls = {.size = sizeof tls, .ca_certs = ca, .server_hostname = name};
        green_socket *s = green_connect(address, NULL);
        char buf[4096];
        ssize_t n;

        if (s == NULL)
                return fail("connect");
        if (green_wrap_ssl(s, &tls) == NULL || green_socket_sendall(s, text, strlen(text), 0, NULL) != 0) {
                fail(name);
                return green_socket_free(s), 1;
        }
        n = green_socket_recv(s, buf, sizeof buf, 0);
        if (n > 0)
                printf("%.*s\n%s\n", (int)n, buf, green_tls_version(s));
        green_socket_free(s);
        return n <= 0;
}

int
main(int argc, char **argv)
{
        if (argc == 6 && strcmp(argv[1], "-c") == 0)
                return ask(argv[2], argv[3], argv[4], argv[5]);
        if (argc == 3 || argc == 4)
                return serve(argv[1], argv[2], argc == 4 ? argv[3] : NULL);
        return fprintf(stderr, "usage: tls_echo ADDRESS CERTIFICATE [KEY]\n"
                               "       tls_echo -c ADDRESS CA-FILE NAME TEXT\n"),
               2;
}
