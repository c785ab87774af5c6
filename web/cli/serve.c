/*
 * green-net serve: the files of a folder, or pages to try HTTP and WebSocket clients with.
 */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <green/backdoor.h>
#include <green/wsgi_metrics.h>

#include "httpbin_pages.h"

struct settings {
        const char *folder; /* NULL: the pages */
        const char *address, *certificate, *key, *hub, *backdoor;
        bool quiet;
};

static int
app(green_wsgi_request *req, void *arg)
{
        const char *path = green_wsgi_path(req, NULL);

        if (path != NULL && strcmp(path, "/metrics") == 0)
                return green_metrics_app(req, NULL);
        return httpbin(req, arg);
}

/* What is a folder, or looks like the path of one, is no address. */
static bool
is_folder(const char *text)
{
        struct stat st;

        if (stat(text, &st) == 0 && S_ISDIR(st.st_mode))
                return true;
        return strncmp(text, "unix:", 5) != 0 && strchr(text, '/') != NULL;
}

static int
read_options(struct settings *set, int argc, char **argv)
{
        static const struct option options[] = {
                {"backdoor", required_argument, NULL, 'b'}, {"hub", required_argument, NULL, 'u'},
                {"key", required_argument, NULL, 'k'},      {"quiet", no_argument, NULL, 'q'},
                {"tls", required_argument, NULL, 't'},      {NULL, 0, NULL, 0},
        };
        int option;

        opterr = 0;
        while ((option = getopt_long(argc, argv, ":q", options, NULL)) != -1) {
                switch (option) {
                case 'b': set->backdoor = optarg; break;
                case 'u': set->hub = optarg; break;
                case 'k': set->key = optarg; break;
                case 'q': set->quiet = true; break;
                case 't': set->certificate = optarg; break;
                case ':': return cli_wrong("serve", "%s needs a value.", argv[optind - 1]);
                default: return cli_wrong("serve", "there is no option \"%s\".", argv[optind - 1]);
                }
        }
        if (optind < argc && is_folder(argv[optind]))
                set->folder = argv[optind++];
        if (argc - optind > 1)
                return cli_wrong("serve", "it takes one address, not %d.", argc - optind);
        if (set->key != NULL && set->certificate == NULL)
                return cli_wrong("serve", "--key goes with --tls.");
        set->address = optind < argc ? argv[optind] : "127.0.0.1:8000";
        return 0;
}

static void *
serve_backdoor(void *arg)
{
        int rc = green_backdoor_server(arg, NULL);

        if (rc != GREEN_EKILLED && rc != -ECANCELED && rc != -EBADF)
                (void)cli_failed("serve", "the backdoor ended: %s", green_strerror(rc));
        return NULL;
}

static void
say_where(const char *what, green_socket *listener)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_addr here;

        if (green_socket_getsockname(listener, &here) != 0)
                return;
        green_addr_format(&here, text, sizeof text);
        printf("%s on %s\n", what, text);
        fflush(stdout);
}

static int
serve(const struct settings *set, green_socket *listener, green_wsgi_app application, void *arg)
{
        struct green_wsgi_server_opts opts = {
                .size = sizeof opts,
                .max_connections = 10000,
                .keepalive = 30,
                .socket_timeout = 30,
                .min_body_rate = 1024,
                .max_body = 64 << 20,
                .no_log_output = set->quiet,
                .log = green_wsgi_log_to_fd,
                .log_arg = (void *)(intptr_t)2,
        };
        int rc;

        say_where("listening", listener);
        (void)green_signal_stop_main(true);
        rc = green_wsgi_server(listener, application, arg, &opts);
        return rc == GREEN_ESTOPPED ? 0 : cli_failed("serve", "%s", green_strerror(rc));
}

/* The files, or the pages. */
static int
serve_what(const struct settings *set, green_socket *listener)
{
        const struct green_static_opts opts = {.size = sizeof opts, .list = true};
        green_websocket_site *site;
        green_static *files;
        int rc;

        if (set->folder != NULL) {
                files = green_static_new(set->folder, &opts);
                if (files == NULL)
                        return cli_failed("serve", "%s", green_last_error()->message);
                rc = serve(set, listener, green_static_app, files);
                green_static_free(files);
                return rc;
        }
        site = green_websocket_wsgi(httpbin_ws, NULL, NULL);
        if (site == NULL)
                return cli_failed("serve", "%s", green_last_error()->message);
        rc = serve(set, listener, app, site);
        green_websocket_site_unref(site);
        return rc;
}

static int
run(int argc, char **argv)
{
        struct settings set = {.quiet = false};
        green_socket *listener, *backdoor = NULL;
        int rc = read_options(&set, argc, argv);

        if (rc != 0 || (rc = cli_use_hub("serve", set.hub)) != 0)
                return rc;
        listener = httpbin_listen(set.address, set.certificate, set.key);
        if (listener == NULL)
                return cli_failed("serve", "%s: %s", set.address, green_last_error()->message);
        if (set.backdoor != NULL) {
                backdoor = green_listen(set.backdoor, NULL);
                if (backdoor == NULL)
                        return cli_failed("serve", "%s: %s", set.backdoor, green_last_error()->message);
                say_where("backdoor", backdoor);
                if (green_spawn_n(serve_backdoor, backdoor) != 0)
                        return cli_failed("serve", "%s", green_last_error()->message);
        }
        rc = serve_what(&set, listener);
        (void)green_recover();
        if (backdoor != NULL)
                green_socket_close(backdoor);
        green_socket_free(listener);
        return rc;
}

const struct cli_command cli_serve = {
        .name = "serve",
        .run = run,
        .line = "serve files, or pages to try HTTP and WebSocket clients with",
        .help = "usage: green-net serve [OPTION...] [FOLDER] [ADDRESS]\n"
                "\n"
                "Serves the files of FOLDER, with lists of what is in it and below. Names that begin with a dot are not there, and\n"
                "symbolic links are not followed.\n"
                "\n"
                "Without a folder: pages to try HTTP clients with, /echo-environ, /headers, /bytes/N, /delay/S, /status/N, /stream,\n"
                "/echo and others, which / lists; a WebSocket that sends each message back at /ws; and what the server counts at\n"
                "/metrics, for Prometheus.\n"
                "\n"
                "It says \"listening on ADDRESS\" once it takes connections, on 127.0.0.1:8000 unless told otherwise; with port 0 the\n"
                "system chooses one. Ctrl-C ends it in order: requests that run are answered.\n"
                "\n"
                "  --tls FILE        speak HTTPS, with the certificates in FILE (PEM)\n"
                "  --key FILE        their key, if it is not in the same file\n"
                "  --hub NAME        the hub to use; GREEN_HUB does the same\n"
                "  --backdoor ADDR   serve consoles for `green-net console ADDR`, on loopback or unix:PATH\n"
                "  -q, --quiet       no access log\n"
                "\n"
                "  green-net serve . 0.0.0.0:8000             the files here, for everybody\n"
                "  green-net serve unix:/tmp/x                on a Unix socket\n"
                "  green-net serve --hub io_uring [::1]:0     another hub, IPv6, any port\n"
                "\n"
                "Exit status: 0 if a signal has ended it; 1 if it could not serve; 2 for a wrong option.\n",
};
