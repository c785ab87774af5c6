/*
 * green-net serve: the files of a folder, or pages to try HTTP and WebSocket clients with.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <green/backdoor.h>
#include <green/signal.h>
#include <green/tls.h>
#include <green/workers_app.h>
#include <green/wsgi_metrics.h>

#include "httpbin_pages.h"

#ifndef SIGHUP
#define SIGHUP 0 /* is not to be had */
#endif

/* Seconds that a worker which ends keeps connections without a request, for one that may be on its way. */
#define DRAIN_IDLE 2

struct settings {
        const char *folder; /* NULL: the pages */
        const char *address, *certificate, *key, *hub, *backdoor, *log;
        const char *log_format; /* NULL: eventlet's */
        green_tls_context *tls; /* of certificate and key; NULL: none is given */
        size_t workers; /* processes; 0: this one alone */
        bool follow;    /* symbolic links */
        bool quiet;
};

static int
app(green_wsgi_request *req, void *arg)
{
        const char *path = green_wsgi_path(req, NULL);

        if (path != NULL && strcmp(path, "/metrics") == 0)
                return green_metrics_app(req, NULL);
        if (path != NULL && strcmp(path, "/workers") == 0)
                return green_workers_app(req, GREEN_WORKERS_STATS);
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
                {"backdoor", required_argument, NULL, 'b'},
                {"follow-links", no_argument, NULL, 'n'},
                {"hub", required_argument, NULL, 'u'},
                {"key", required_argument, NULL, 'k'},
                {"log", required_argument, NULL, 'l'},
                {"log-format", required_argument, NULL, 'f'},
                {"quiet", no_argument, NULL, 'q'},
                {"tls", required_argument, NULL, 't'},
                {"workers", required_argument, NULL, 'w'},
                {NULL, 0, NULL, 0},
        };
        long workers;
        char *end;
        int option;

        opterr = 0;
        while ((option = getopt_long(argc, argv, ":q", options, NULL)) != -1) {
                switch (option) {
                case 'b': set->backdoor = optarg; break;
                case 'n': set->follow = true; break;
                case 'u': set->hub = optarg; break;
                case 'k': set->key = optarg; break;
                case 'l': set->log = optarg; break;
                case 'f':
                        if (find_format(optarg, &set->log_format))
                                break;
                        return cli_wrong("serve", "there is no format \"%s\" of a log.", optarg);
                case 'q': set->quiet = true; break;
                case 't': set->certificate = optarg; break;
                case 'w':
                        workers = strtol(optarg, &end, 10);
                        if (*end != '\0' || workers < 1 || workers > 1024)
                                return cli_wrong("serve", "--workers takes a number from 1 to 1024, not \"%s\".", optarg);
                        set->workers = (size_t)workers;
                        break;
                case ':': return cli_wrong("serve", "%s needs a value.", argv[optind - 1]);
                default: return cli_wrong("serve", "there is no option \"%s\".", argv[optind - 1]);
                }
        }
        if (optind < argc && is_folder(argv[optind]))
                set->folder = argv[optind++];
        if (argc - optind > 1)
                return cli_wrong("serve", "it takes one address, not %d.", argc - optind);
        if (set->workers > 0 && set->backdoor != NULL)
                return cli_wrong("serve", "--backdoor goes with one process, not with --workers.");
        if (set->follow && set->folder == NULL)
                return cli_wrong("serve", "--follow-links goes with a folder.");
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

/* ---- HTTPS */

/* Read once, before there are workers: they share the keys of its tickets. 0, or what to exit with. */
static int
read_certificate(struct settings *set)
{
        const struct green_tls_opts opts = {.size = sizeof opts, .cert_file = set->certificate, .key_file = set->key};

        if (set->certificate == NULL)
                return 0;
        set->tls = green_tls_context_new(&opts);
        return set->tls != NULL ? 0 : cli_failed("serve", "%s", green_last_error()->message);
}

/* At SIGHUP. The log is opened anew without us. */
static void
renew_certificate(const struct settings *set)
{
        if (set->tls != NULL && green_tls_context_reload(set->tls) != 0)
                green_log(GREEN_LOG_ERROR, "%s: the certificate that was read before is used", green_last_error()->message);
}

/* NULL with green_last_error(). */
static green_socket *
wrap(const struct settings *set, green_socket *listener)
{
        const struct green_wrap_ssl_opts opts = {.size = sizeof opts, .context = set->tls};

        return set->tls == NULL ? listener : green_wrap_ssl(listener, &opts);
}

/* ---- what is served */

/* What it takes besides the listener. */
struct served {
        const struct settings *set;
        green_access_log *log;
        green_static *files;         /* of the folder; NULL: the pages, and */
        green_websocket_site *site;  /* their WebSocket */
        struct green_wsgi_stats *stats;
};

static void
close_served(struct served *v)
{
        (void)green_access_log_free(v->log);
        green_static_free(v->files);
        green_websocket_site_unref(v->site);
}

/* SIGHUP has it opened anew, where there is one. */
static green_access_log *
open_log(const char *path)
{
        struct green_access_log_opts opts = {.size = sizeof opts, .reopen_on_hangup = true};
        green_access_log *log = green_access_log_open(path, &opts);

        if (log != NULL || green_last_error()->code != -ENOTSUP)
                return log;
        opts.reopen_on_hangup = false;
        return green_access_log_open(path, &opts);
}

/* 0, or what to exit with. */
static int
open_served(struct served *v, const struct settings *set)
{
        const struct green_static_opts opts = {.size = sizeof opts, .list = true, .symlinks = set->follow};
        bool good;

        v->set = set;
        if (set->folder != NULL)
                good = (v->files = green_static_new(set->folder, &opts)) != NULL;
        else
                good = (v->site = green_websocket_wsgi(httpbin_ws, NULL, NULL)) != NULL;
        if (good && set->log != NULL)
                good = (v->log = open_log(set->log)) != NULL;
        if (good)
                return 0;
        (void)cli_failed("serve", "%s", green_last_error()->message);
        close_served(v);
        return 1;
}

static int
serve(const struct served *v, green_socket *listener)
{
        const struct settings *set = v->set;
        struct green_wsgi_server_opts opts = {
                .size = sizeof opts,
                .max_connections = 10000,
                .keepalive = 30,
                .socket_timeout = 30,
                .min_body_rate = 1024,
                .max_body = 64 << 20,
                .drain_idle = set->workers > 0 ? DRAIN_IDLE : 0,
                .no_log_output = set->quiet,
                .log = v->log != NULL ? green_access_log_write : green_wsgi_log_to_fd,
                .log_arg = v->log != NULL ? (void *)v->log : (void *)(intptr_t)2,
                .log_format = set->log_format,
                .stats = v->stats,
        };

        if (v->files != NULL)
                return green_wsgi_server(listener, green_static_app, v->files, &opts);
        return green_wsgi_server(listener, app, v->site, &opts);
}

/* ---- in several processes */

/* In a worker: its own. */
static struct served worker_served;

static int
begin_worker(const struct green_worker *worker, void *arg)
{
        const struct settings *set = arg;
        struct green_worker_status status;
        bool first = green_workers_status(worker->index, &status) && status.restarts == 0;

        /* The supervisor's copy is as old as its start. */
        if (!first && set->tls != NULL)
                renew_certificate(set);
        if (wrap(set, worker->listeners[0]) == NULL) {
                (void)cli_failed("serve", "%s", green_last_error()->message);
                return -EIO;
        }
        if (open_served(&worker_served, set) != 0)
                return -EIO;
        worker_served.stats = worker->shared;
        if (worker->index == 0 && first)
                say_where("listening", worker->listeners[0]);
        return 0;
}

static int
work(const struct green_worker *worker, void *arg)
{
        int rc = serve(&worker_served, worker->listeners[0]);

        (void)arg;
        close_served(&worker_served);
        return rc;
}

static void
on_hangup(const struct green_worker *worker, void *arg)
{
        (void)worker;
        renew_certificate(arg);
}

static int
serve_by_workers(struct settings *set)
{
        const char *const addresses[] = {set->address, NULL};
        struct green_workers_opts opts = {
                .size = sizeof opts,
                .processes = set->workers,
                .addresses = strcmp(set->address, "systemd") == 0 ? NULL : addresses,
                .init = begin_worker,
                .on_hangup = on_hangup,
                .shared_size = sizeof(struct green_wsgi_stats),
        };
        int rc = green_workers_run(work, set, &opts);

        if (rc == 0)
                return 0;
        /* What a worker has failed with, it has said. */
        return rc == -EIO ? 1 : cli_failed("serve", "%s: %s", set->address, green_last_error()->message);
}

/* ---- in this one */

struct hangups {
        const struct settings *set;
        green_signal *signal;
};

static void *
renew_at_hangup(void *arg)
{
        const struct hangups *h = arg;

        while (green_signal_wait(h->signal, GREEN_FOREVER, NULL) == 0)
                renew_certificate(h->set);
        return NULL;
}

/* Where there is SIGHUP. */
static green_thread *
begin_hangups(struct hangups *h)
{
        green_thread *gt;

        if (h->set->tls == NULL || (h->signal = green_signal_new(SIGHUP)) == NULL)
                return NULL;
        gt = green_spawn(renew_at_hangup, h);
        if (gt == NULL)
                (void)green_signal_free(h->signal);
        return gt;
}

static void
end_hangups(struct hangups *h, green_thread *gt)
{
        if (gt == NULL)
                return;
        (void)green_kill(gt, 0);
        green_thread_unref(gt);
        (void)green_signal_free(h->signal);
}

/* The path of a server that has ended, which nobody listens at any more, would be in the way. */
static void
clear_path(const char *address)
{
        green_socket *s;

        if (strncmp(address, "unix:", 5) != 0 || address[5] == '@')
                return;
        s = green_connect(address, NULL);
        if (s == NULL && green_last_error()->code == -ECONNREFUSED)
                (void)unlink(address + 5);
        green_socket_free(s);
}

static int
serve_here(const struct settings *set)
{
        struct hangups hangups = {.set = set};
        struct served v = {.set = set};
        green_socket *listener, *backdoor = NULL;
        green_thread *gt;
        int rc;

        listener = httpbin_listen(set->address, NULL, NULL);
        if (listener == NULL || wrap(set, listener) == NULL)
                return cli_failed("serve", "%s: %s", set->address, green_last_error()->message);
        if (set->backdoor != NULL) {
                backdoor = green_listen(set->backdoor, NULL);
                if (backdoor == NULL)
                        return cli_failed("serve", "%s: %s", set->backdoor, green_last_error()->message);
                say_where("backdoor", backdoor);
                if (green_spawn_n(serve_backdoor, backdoor) != 0)
                        return cli_failed("serve", "%s", green_last_error()->message);
        }
        rc = open_served(&v, set);
        if (rc == 0) {
                gt = begin_hangups(&hangups);
                (void)green_signal_stop_main(true);
                say_where("listening", listener);
                rc = serve(&v, listener);
                rc = rc == GREEN_ESTOPPED ? 0 : cli_failed("serve", "%s", green_strerror(rc));
                (void)green_recover();
                end_hangups(&hangups, gt);
                close_served(&v);
        }
        if (backdoor != NULL)
                green_socket_close(backdoor);
        green_socket_free(listener);
        return rc;
}

static int
run(int argc, char **argv)
{
        struct settings set = {.quiet = false};
        int rc = read_options(&set, argc, argv);

        if (rc != 0 || (rc = cli_use_hub("serve", set.hub)) != 0 || (rc = read_certificate(&set)) != 0)
                return rc;
        clear_path(set.address);
        rc = set.workers > 0 ? serve_by_workers(&set) : serve_here(&set);
        green_tls_context_unref(set.tls);
        return rc;
}

const struct cli_command cli_serve = {
        .name = "serve",
        .run = run,
        .line = "serve files, or pages to try HTTP and WebSocket clients with",
        .help = "usage: green-net serve [OPTION...] [FOLDER] [ADDRESS]\n"
                "\n"
                "Serves the files of FOLDER, with lists of what is in it and below. Names that begin with a dot are not there, and\n"
                "symbolic links are not followed, or with --follow-links to what lies in FOLDER.\n"
                "\n"
                "Without a folder: pages to try HTTP clients with, /echo-environ, /headers, /bytes/N, /delay/S, /status/N, /stream,\n"
                "/echo and others, which / lists; a WebSocket that sends each message back at /ws; what the server counts at\n"
                "/metrics, for Prometheus; and with --workers what each of them does at /workers.\n"
                "\n"
                "It says \"listening on ADDRESS\" once it takes connections, on 127.0.0.1:8000 unless told otherwise; with port 0 the\n"
                "system chooses one. ADDRESS may be \"systemd\": the socket that a unit of it hands over. Ctrl-C ends it in order:\n"
                "requests that run are answered.\n"
                "\n"
                "  --tls FILE        speak HTTPS, with the certificates in FILE (PEM), which SIGHUP has read anew\n"
                "  --key FILE        their key, if it is not in the same file\n"
                "  --follow-links    symbolic links that lead to what lies in FOLDER\n"
                "  --hub NAME        the hub to use; GREEN_HUB does the same\n"
                "  --backdoor ADDR   serve consoles for `green-net console ADDR`, on loopback or unix:PATH\n"
                "  --log FILE        the access log, in place of stderr; SIGHUP has FILE opened anew\n"
                "  --log-format NAME default, common, combined (as nginx and Apache write it) or json\n"
                "  --workers N       serve with N processes: what dies is started anew, SIGUSR2 starts the program anew without\n"
                "                    losing a request. Their lines begin with \"worker 0: \"\n"
                "  -q, --quiet       no access log\n"
                "\n"
                "  green-net serve . 0.0.0.0:8000             the files here, for everybody\n"
                "  green-net serve unix:/tmp/x                on a Unix socket\n"
                "  green-net serve --hub io_uring [::1]:0     another hub, IPv6, any port\n"
                "\n"
                "Exit status: 0 if a signal has ended it; 1 if it could not serve; 2 for a wrong option.\n",
};
