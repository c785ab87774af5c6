/*
 * A server that stands behind nginx or HAProxy: behind [--proxy-protocol] [--log FILE] [--tls FILE KEY] ADDRESS.
 *
 * /health is for health checks, /who says who asks, and /ws is a WebSocket that sends each message back. It prints
 * "listening on ADDRESS" once it takes connections; with port 0 the system chooses the port. SIGTERM ends it in order.
 * The front ends on this machine are trusted: they say who the client is, in X-Forwarded-For, or with --proxy-protocol in
 * the header that each connection begins with. doc/deploy.md has the files for both.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <green/green.h>

struct settings {
        const char *address, *log, *certificate, *key;
        bool proxy_protocol;
};

/* Each message back. */
static int
echo(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        int rc;

        (void)arg;
        while ((rc = green_websocket_wait(ws, &m)) == 1) {
                rc = green_websocket_send(ws, m.type, m.data, m.len);
                if (rc != 0)
                        return rc;
        }
        return rc;
}

/* The client, how it has come, and which server this is. */
static int
who(green_wsgi_request *req)
{
        const char *host = green_wsgi_environ(req, "SERVER_PORT");
        char text[200];
        int len = snprintf(text, sizeof text, "%s %s %s\n", green_wsgi_client(req), green_wsgi_scheme(req),
                           host != NULL ? host : "-");

        return green_wsgi_respond(req, 200, "text/plain", text, (size_t)len);
}

static int
app(green_wsgi_request *req, void *site)
{
        const char *path = green_wsgi_raw_path(req);

        if (strcmp(path, "/health") == 0)
                return green_wsgi_respond(req, 200, "text/plain", "well\n", 5);
        if (strcmp(path, "/who") == 0)
                return who(req);
        if (strcmp(path, "/ws") == 0)
                return green_websocket_app(req, site);
        return green_wsgi_respond(req, 404, "text/plain", "Not Found\n", 10);
}

static int
read_options(struct settings *set, int argc, char **argv)
{
        int i = 1;

        for (; i < argc && argv[i][0] == '-'; i++) {
                if (strcmp(argv[i], "--proxy-protocol") == 0) {
                        set->proxy_protocol = true;
                } else if (strcmp(argv[i], "--log") == 0 && i + 1 < argc) {
                        set->log = argv[++i];
                } else if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
                        set->certificate = argv[++i];
                        set->key = argv[++i];
                } else {
                        break;
                }
        }
        if (i != argc - 1)
                return fprintf(stderr, "usage: behind [--proxy-protocol] [--log FILE] [--tls FILE KEY] ADDRESS\n"), 2;
        set->address = argv[i];
        return 0;
}

static green_socket *
listen_there(const struct settings *set)
{
        const struct green_listen_opts opts = {.size = sizeof opts, .backlog = 1024};
        const struct green_wrap_ssl_opts tls = {
                .size = sizeof tls, .certfile = set->certificate, .keyfile = set->key, .server_side = true};
        green_socket *listener = green_listen(set->address, &opts);
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_addr here;

        if (listener == NULL || green_socket_getsockname(listener, &here) != 0 ||
            (set->certificate != NULL && green_wrap_ssl(listener, &tls) == NULL)) {
                fprintf(stderr, "behind: %s: %s\n", set->address, green_last_error()->message);
                (void)green_socket_free(listener);
                return NULL;
        }
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);
        return listener;
}

static int
serve(const struct settings *set, green_socket *listener, green_access_log *log)
{
        static const char *const fronts[] = {"127.0.0.1", "::1", "unix", NULL};
        struct green_wsgi_server_opts opts = {
                .size = sizeof opts,
                .keepalive = 30, /* longer than the front end keeps a connection */
                .socket_timeout = 30,
                .max_body = 1 << 20,
                .log = green_access_log_write,
                .log_arg = log,
                .log_format = GREEN_WSGI_LOG_JSON,
                .no_log_output = log == NULL,
                .trusted_proxies = fronts,
                .proxy_protocol = set->proxy_protocol,
        };
        green_websocket_site *site = green_websocket_wsgi(echo, NULL, NULL);
        int rc;

        if (site == NULL)
                return -ENOMEM;
        (void)green_signal_stop_main(true);
        rc = green_wsgi_server(listener, app, site, &opts);
        (void)green_recover();
        green_websocket_site_unref(site);
        return rc;
}

int
main(int argc, char **argv)
{
        const struct green_access_log_opts log_opts = {.size = sizeof log_opts, .reopen_on_hangup = true};
        struct settings set = {.address = NULL};
        green_access_log *log = NULL;
        green_socket *listener;
        int rc = read_options(&set, argc, argv);

        if (rc != 0)
                return rc;
        if (set.log != NULL && (log = green_access_log_open(set.log, &log_opts)) == NULL)
                return fprintf(stderr, "behind: %s\n", green_last_error()->message), 1;
        listener = listen_there(&set);
        if (listener != NULL) {
                rc = serve(&set, listener, log);
                if (rc != GREEN_ESTOPPED)
                        fprintf(stderr, "behind: %s\n", green_strerror(rc));
                (void)green_socket_free(listener);
        }
        (void)green_access_log_free(log);
        return listener != NULL && rc == GREEN_ESTOPPED ? 0 : 1;
}
