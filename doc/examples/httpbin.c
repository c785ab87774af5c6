/*
 * A server to try HTTP clients with: httpbin [-q] [ADDRESS [CERTIFICATE [KEY]]], 127.0.0.1:8000 without one.
 *
 * Try it with a browser, and with `curl http://127.0.0.1:8000/echo-environ`. It prints "listening on ADDRESS" once it
 * takes connections; with port 0 the system chooses the port. With a certificate (PEM) it is HTTPS that it speaks; the
 * key is in the same file unless it is given. -q: no access log.
 *
 * The pages are in httpbin_pages.c. This is what a program needs around its application: the listener, TLS on it, and
 * limits that fit what is served.
 */
#include <green/green.h>
#include <stdio.h>
#include <string.h>

#include "httpbin_pages.h"

/* A listener, with TLS on it if there is a certificate. NULL: green_last_error() says why. */
static green_socket *
open_listener(const char *address, const char *certificate, const char *key)
{
        struct green_wrap_ssl_opts tls = {.size = sizeof tls, .certfile = certificate, .keyfile = key};
        struct green_listen_opts opts = {.size = sizeof opts, .backlog = 512};
        green_socket *listener = green_listen(address, &opts);

        if (listener == NULL || certificate == NULL || green_wrap_ssl(listener, &tls) != NULL)
                return listener;
        green_socket_free(listener);
        return NULL;
}

static int
serve(green_socket *listener, bool quiet)
{
        /* A proxy on this machine is believed when it says for whom it asks: /ip shows its client, not the proxy. */
        static const char *const proxies[] = {"127.0.0.0/8", "::1", "unix", NULL};
        struct green_wsgi_server_opts opts = {
                .size = sizeof opts,
                .max_connections = 10000,
                .keepalive = 30,
                .socket_timeout = 30,
                .min_body_rate = 1024,
                .max_body = 64 << 20,
                .no_log_output = quiet,
                .trusted_proxies = proxies,
        };

        return green_wsgi_server(listener, httpbin, NULL, &opts);
}

int
main(int argc, char **argv)
{
        bool quiet = argc > 1 && strcmp(argv[1], "-q") == 0;
        char text[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener;
        struct green_addr here;
        int rc;

        if (quiet)
                argc--, argv++;
        if (argc > 4)
                return fprintf(stderr, "usage: httpbin [-q] [ADDRESS [CERTIFICATE [KEY]]]\n"), 2;
        listener = open_listener(argc > 1 ? argv[1] : "127.0.0.1:8000", argc > 2 ? argv[2] : NULL,
                                 argc > 3 ? argv[3] : NULL);
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "httpbin: %s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);

        rc = serve(listener, quiet); /* returns only when something is wrong */
        fprintf(stderr, "httpbin: %s\n", green_strerror(rc));
        green_socket_free(listener);
        return 1;
}
