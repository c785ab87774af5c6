/*
 * A server to try HTTP clients with: httpbin [OPTION...] [ADDRESS [CERTIFICATE [KEY]]], 127.0.0.1:8000 without one.
 *
 * Try it with a browser, and with `curl http://127.0.0.1:8000/echo-environ`. It prints "listening on ADDRESS" once it
 * takes connections; with port 0 the system chooses the port. With a certificate (PEM) it is HTTPS that it speaks; the
 * key is in the same file unless it is given. -q: no access log. The other options are for the WebSocket at /ws, which
 * sends each message back: see usage().
 *
 * The pages, and the listener with TLS on it, are in httpbin_pages.c. This is what a program needs around its application:
 * options, and limits that fit what is served.
 */
#include <errno.h>
#include <getopt.h>
#include <green/green.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "httpbin_pages.h"

enum { MOST_PROTOCOLS = 16 };

/* What the command line says. */
struct settings {
        bool quiet;
        const char *address, *certificate, *key; /* key and certificate: NULL for none */
        const char *origin;                      /* the only one that may use /ws; NULL: all may */
        const char *protocols[MOST_PROTOCOLS + 1];
        size_t protocol_count;
        struct green_websocket_opts ws;
};

static int
usage(void)
{
        fprintf(stderr, "usage: httpbin [OPTION...] [ADDRESS [CERTIFICATE [KEY]]]\n"
                        "  -q                  no access log\n"
                        "of the WebSocket at /ws:\n"
                        "  --deflate           compress what clients want compressed\n"
                        "  --legacy            speak the drafts Hixie-75 and Hixie-76 too\n"
                        "  --max-message N     take messages of N bytes at most\n"
                        "  --subprotocol NAME  speak a subprotocol; may be given several times\n"
                        "  --origin URL        let pages of that origin in, and nobody else\n");
        return 2;
}

static int
serve(green_socket *listener, green_websocket_site *site, bool quiet)
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

        return green_wsgi_server(listener, httpbin, site, &opts);
}

/* Browsers say from where a page is; a program says what it likes, or nothing. */
static bool
is_our_origin(const char *host, const char *origin, void *arg)
{
        (void)host;
        return origin != NULL && strcmp(origin, arg) == 0;
}

static bool
read_size(const char *text, size_t *ret_size)
{
        unsigned long long size;
        char *end;

        errno = 0;
        size = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || size == 0 || size > SIZE_MAX)
                return false;
        *ret_size = (size_t)size;
        return true;
}

static bool
take_option(struct settings *set, int option)
{
        switch (option) {
        case 'q':
                set->quiet = true;
                return true;
        case 'd':
                set->ws.no_deflate = false;
                return true;
        case 'l':
                set->ws.support_legacy_versions = true;
                return true;
        case 'm':
                if (!read_size(optarg, &set->ws.max_message_length))
                        return false;
                set->ws.max_frame_length = set->ws.max_message_length;
                return true;
        case 's':
                if (set->protocol_count == MOST_PROTOCOLS)
                        return false;
                set->protocols[set->protocol_count++] = optarg;
                return true;
        case 'o':
                set->origin = optarg;
                return true;
        default:
                return false;
        }
}

static bool
read_command_line(struct settings *set, int argc, char **argv)
{
        static const struct option options[] = {
                {"deflate", no_argument, NULL, 'd'},
                {"legacy", no_argument, NULL, 'l'},
                {"max-message", required_argument, NULL, 'm'},
                {"subprotocol", required_argument, NULL, 's'},
                {"origin", required_argument, NULL, 'o'},
                {NULL, 0, NULL, 0},
        };
        int option;

        while ((option = getopt_long(argc, argv, "q", options, NULL)) != -1)
                if (!take_option(set, option))
                        return false;
        argc -= optind;
        argv += optind;
        set->address = argc > 0 ? argv[0] : "127.0.0.1:8000";
        set->certificate = argc > 1 ? argv[1] : NULL;
        set->key = argc > 2 ? argv[2] : NULL;
        return argc <= 3;
}

static green_websocket_site *
make_site(struct settings *set)
{
        if (set->origin != NULL) {
                set->ws.origin_checker = is_our_origin;
                set->ws.origin_arg = (void *)set->origin;
        }
        set->ws.protocols = set->protocols;
        return green_websocket_wsgi(httpbin_ws, NULL, &set->ws);
}

int
main(int argc, char **argv)
{
        struct settings set = {.ws = {.size = sizeof set.ws, .no_deflate = true}};
        char text[GREEN_ADDR_TEXT_SIZE];
        green_websocket_site *site;
        green_socket *listener;
        struct green_addr here;
        int rc;

        if (!read_command_line(&set, argc, argv))
                return usage();
        site = make_site(&set);
        if (site == NULL)
                return fprintf(stderr, "httpbin: %s\n", green_last_error()->message), 1;
        listener = httpbin_listen(set.address, set.certificate, set.key);
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "httpbin: %s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);

        rc = serve(listener, site, set.quiet); /* returns only when something is wrong */
        fprintf(stderr, "httpbin: %s\n", green_strerror(rc));
        green_socket_free(listener);
        green_websocket_site_unref(site);
        return 1;
}
