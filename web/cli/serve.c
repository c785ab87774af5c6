/*
 * green-net serve: pages to try HTTP and WebSocket clients with.
 */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <green/backdoor.h>
#include <green/wsgi_metrics.h>

#include "httpbin_pages.h"

struct settings {
        const char *address, *certificate, *key, *hub, *backdoor, *log;
        const char *log_format; /* NULL: eventlet's */
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

/* A layout by its name. False: there is none of that name. */
static bool
find_format(const char *name, const char **ret_format)
{
        static const struct {
                const char *name, *format;
        } formats[] = {
                {"default", NULL},
                {"common", GREEN_WSGI_LOG_COMMON},
                {"combined", GREEN_WSGI_LOG_COMBINED},
                {"json", GREEN_WSGI_LOG_JSON},
        };

        for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
                if (strcmp(name, formats[i].name) != 0)
                        continue;
                *ret_format = formats[i].format;
                return true;
        }
        return false;
}

static int
read_options(struct settings *set, int argc, char **argv)
{
        static const struct option options[] = {
                {"backdoor", required_argument, NULL, 'b'}, {"hub", required_argument, NULL, 'u'},
                {"key", required_argument, NULL, 'k'},      {"log", required_argument, NULL, 'l'},
                {"log-format", required_argument, NULL, 'f'}, {"quiet", no_argument, NULL, 'q'},
                {"tls", required_argument, NULL, 't'},      {NULL, 0, NULL, 0},
        };
        int option;

        opterr = 0;
        while ((option = getopt_long(argc, argv, ":q", options, NULL)) != -1) {
                switch (option) {
                case 'b': set->backdoor = optarg; break;
                case 'u': set->hub = optarg; break;
                case 'k': set->key = optarg; break;
                case 'l': set->log = optarg; break;
                case 'f':
                        if (find_format(optarg, &set->log_format))
                                break;
                        return cli_wrong("serve", "there is no format \"%s\" of a log.", optarg);
                case 'q': set->quiet = true; break;
                case 't': set->certificate = optarg; break;
                case ':': return cli_wrong("serve", "%s needs a value.", argv[optind - 1]);
                default: return cli_wrong("serve", "there is no option \"%s\".", argv[optind - 1]);
                }
        }
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
serve(const struct settings *set, green_socket *listener, green_websocket_site *site, green_access_log *log)
{
        struct green_wsgi_server_opts opts = {
                .size = sizeof opts,
                .max_connections = 10000,
                .keepalive = 30,
                .socket_timeout = 30,
                .min_body_rate = 1024,
                .max_body = 64 << 20,
                .no_log_output = set->quiet,
                .log = log != NULL ? green_access_log_write : green_wsgi_log_to_fd,
                .log_arg = log != NULL ? (void *)log : (void *)(intptr_t)2,
                .log_format = set->log_format,
        };
        int rc;

        say_where("listening", listener);
        (void)green_signal_stop_main(true);
        rc = green_wsgi_server(listener, app, site, &opts);
        return rc == GREEN_ESTOPPED ? 0 : cli_failed("serve", "%s", green_strerror(rc));
}

/* 0, with the log that was asked for; or what to exit with. SIGHUP has it opened anew, where there is one. */
static int
open_log(const struct settings *set, green_access_log **ret_log)
{
        struct green_access_log_opts opts = {.size = sizeof opts, .reopen_on_hangup = true};

        *ret_log = NULL;
        if (set->log == NULL)
                return 0;
        *ret_log = green_access_log_open(set->log, &opts);
        if (*ret_log == NULL && green_last_error()->code == -ENOTSUP) {
                opts.reopen_on_hangup = false;
                *ret_log = green_access_log_open(set->log, &opts);
        }
        return *ret_log != NULL ? 0 : cli_failed("serve", "%s", green_last_error()->message);
}

static int
run(int argc, char **argv)
{
        green_access_log *log;
        struct settings set = {.quiet = false};
        green_socket *listener, *backdoor = NULL;
        green_websocket_site *site;
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
        site = green_websocket_wsgi(httpbin_ws, NULL, NULL);
        if (site == NULL)
                return cli_failed("serve", "%s", green_last_error()->message);
        rc = open_log(&set, &log);
        if (rc == 0)
                rc = serve(&set, listener, site, log);
        (void)green_recover();
        (void)green_access_log_free(log);
        if (backdoor != NULL)
                green_socket_close(backdoor);
        green_socket_free(listener);
        green_websocket_site_unref(site);
        return rc;
}

const struct cli_command cli_serve = {
        .name = "serve",
        .run = run,
        .line = "serve pages to try HTTP and WebSocket clients with",
        .help = "usage: green-net serve [OPTION...] [ADDRESS]\n"
                "\n"
                "Serves pages to try HTTP clients with on ADDRESS, 127.0.0.1:8000 without one: /echo-environ, /headers, /bytes/N,\n"
                "/delay/S, /status/N, /stream, /echo and others, which / lists; a WebSocket that sends each message back at /ws; and\n"
                "what the server counts at /metrics, for Prometheus. It says \"listening on ADDRESS\" once it takes connections; with\n"
                "port 0 the system chooses one. ADDRESS may be \"systemd\": the socket that a unit of it hands over. Ctrl-C ends it in\n"
                "order: requests that run are answered.\n"
                "\n"
                "  --tls FILE        speak HTTPS, with the certificates in FILE (PEM)\n"
                "  --key FILE        their key, if it is not in the same file\n"
                "  --hub NAME        the hub to use; GREEN_HUB does the same\n"
                "  --backdoor ADDR   serve consoles for `green-net console ADDR`, on loopback or unix:PATH\n"
                "  --log FILE        the access log, in place of stderr; SIGHUP has FILE opened anew\n"
                "  --log-format NAME default, common, combined (as nginx and Apache write it) or json\n"
                "  -q, --quiet       no access log\n"
                "\n"
                "  green-net serve unix:/tmp/x                on a Unix socket\n"
                "  green-net serve --hub io_uring [::1]:0     another hub, IPv6, any port\n"
                "\n"
                "Exit status: 0 if a signal has ended it; 1 if it could not serve; 2 for a wrong option.\n",
};
