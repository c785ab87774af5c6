/*
 * green-net bench: how fast it is here, in a few seconds.
 *
 * Each measurement does rounds of its work until its time is over, and the fastest round counts: what others do on the
 * machine meanwhile only makes it slower.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
        const char *name, *what;
        bool (*round)(unsigned long n); /* does it n times */
};

static double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what is measured */

static void *
yield_also(void *arg)
{
        const unsigned long *n = arg;

        for (unsigned long i = 0; i < *n; i++)
                if (green_sleep(0) != 0)
                        return green_fail(-EINTR);
        return NULL;
}

static bool
joined(green_thread *gt)
{
        bool well = gt != NULL && green_thread_wait(gt, NULL) == 0;

        green_thread_unref(gt);
        return well;
}

/* Two that let each other run: each yield is one switch. */
static bool
yields(unsigned long n)
{
        unsigned long half = n / 2;
        green_thread *other = green_spawn(yield_also, &half);

        return other != NULL && yield_also(&half) == NULL && joined(other);
}

static void *
nothing(void *arg)
{
        return arg;
}

static bool
spawns(unsigned long n)
{
        for (unsigned long i = 0; i < n; i++)
                if (!joined(green_spawn(nothing, NULL)))
                        return false;
        return true;
}

struct feed {
        green_queue *queue;
        unsigned long n;
};

static void *
put_all(void *arg)
{
        struct feed *f = arg;

        for (unsigned long i = 0; i < f->n; i++)
                if (green_queue_put(f->queue, f, GREEN_FOREVER) != 0)
                        return green_fail(-EINTR);
        return NULL;
}

static bool
queue_items(unsigned long n)
{
        struct feed f = {green_queue_new(64, NULL), n};
        green_thread *putter = f.queue != NULL ? green_spawn(put_all, &f) : NULL;
        bool well = putter != NULL;
        void *item;

        for (unsigned long i = 0; well && i < n; i++)
                well = green_queue_get(f.queue, &item, GREEN_FOREVER) == 0;
        well = joined(putter) && well;
        (void)green_queue_free(f.queue);
        return well;
}

static bool
timeouts(unsigned long n)
{
        for (unsigned long i = 0; i < n; i++) {
                struct green_timeout t = {{0}};

                if (green_timeout_start(&t, 60) != 0)
                        return false;
                (void)green_timeout_cancel(&t);
        }
        return true;
}

static int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        char text[4096];
        ssize_t n;

        (void)peer;
        (void)arg;
        while ((n = green_socket_recv(client, text, sizeof text, 0)) > 0)
                if (green_socket_sendall(client, text, (size_t)n, 0, NULL) != 0)
                        break;
        return 0;
}

static int
hello(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, "text/plain", "Hello, World!\r\n", 15);
}

static void *
serve_echo(void *arg)
{
        int rc = green_serve(arg, echo, NULL, NULL);

        return rc == -ECANCELED || rc == GREEN_EKILLED ? NULL : green_fail(rc);
}

static void *
serve_http(void *arg)
{
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .no_log_output = true};

        (void)green_wsgi_server(arg, hello, NULL, &opts);
        return NULL;
}

/* Asks again and again on a connection of its own; each answer is as long as the first one. */
struct asker {
        const char *address, *text;
        size_t len;
        unsigned long n;
};

static void *
ask(void *arg)
{
        const struct asker *a = arg;
        green_socket *s = green_connect(a->address, NULL);
        char answer[4096];
        size_t whole = 0;
        bool well = s != NULL;

        for (unsigned long i = 0; well && i < a->n; i++) {
                size_t got = 0;

                well = green_socket_sendall(s, a->text, a->len, 0, NULL) == 0;
                do {
                        ssize_t n = well ? green_socket_recv(s, answer + got, sizeof answer - got, 0) : -1;

                        well = n > 0;
                        got += well ? (size_t)n : 0;
                } while (well && got < whole);
                whole = got;
        }
        green_socket_free(s);
        return well ? NULL : green_fail(-EPIPE);
}

enum { ASKERS = 16 };

/* A server in this process, and clients that ask it n times together. */
static bool
exchanges(green_thread_fn serve, const char *text, unsigned long n)
{
        green_socket *listener = green_listen("127.0.0.1:0", NULL);
        green_thread *server, *askers[ASKERS] = {NULL};
        char address[GREEN_ADDR_TEXT_SIZE];
        struct asker a = {address, text, strlen(text), n / ASKERS};
        struct green_addr here;
        bool well = true;

        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return false;
        green_addr_format(&here, address, sizeof address);
        server = green_spawn(serve, listener);
        for (int i = 0; i < ASKERS; i++)
                askers[i] = green_spawn(ask, &a);
        for (int i = 0; i < ASKERS; i++)
                well = joined(askers[i]) && well;
        (void)green_socket_close(listener);
        well = joined(server) && well;
        green_socket_free(listener);
        return well;
}

static bool
echoes(unsigned long n)
{
        return exchanges(serve_echo, "sixteen bytes.\r\n", n);
}

static bool
requests(unsigned long n)
{
        return exchanges(serve_http, "GET / HTTP/1.1\r\nHost: bench\r\n\r\n", n);
}

static const struct bench benches[] = {
        {"yield", "switches to another green thread", yields},
        {"spawn", "green threads made, run and joined", spawns},
        {"queue", "items through a queue", queue_items},
        {"timeout", "timeouts begun and ended", timeouts},
        {"echo", "messages there and back, 16 connections over loopback, both sides here", echoes},
        {"http", "HTTP requests, 16 connections over loopback, both sides here", requests},
};

enum { BENCHES = sizeof benches / sizeof benches[0] };

/* ---- measuring */

/* How many a second; 0: it failed. */
static double
measure(const struct bench *b, double seconds)
{
        unsigned long n = 64;
        double end = now() + seconds, best = 0;

        do {
                double begin = now(), took;

                if (!b->round(n))
                        return 0;
                took = now() - begin;
                if (took > 0 && (double)n / took > best)
                        best = (double)n / took;
                /* Rounds of about a twentieth of the time. */
                if (took < seconds / 40 && n < 1ul << 30)
                        n *= 2;
        } while (now() < end);
        return best;
}

static const char *
rate_text(double rate, char *text, size_t len)
{
        if (rate >= 1e6)
                snprintf(text, len, "%.1f M", rate / 1e6);
        else if (rate >= 1e3)
                snprintf(text, len, "%.1f k", rate / 1e3);
        else
                snprintf(text, len, "%.0f  ", rate);
        return text;
}

/* From a thousand to a billion a second, in proportion to the logarithm. */
static void
print_bar(double rate)
{
        enum { WIDTH = 36 };
        int len = rate > 1e3 ? (int)(log10(rate / 1e3) / 6 * WIDTH + 0.5) : 0;

        for (int i = 0; i < len && i < WIDTH; i++)
                fputs("\xe2\x96\x88", stdout);
        putchar('\n');
}

static int
print(const struct bench *b, double seconds, bool json, bool first)
{
        double rate = measure(b, seconds);
        char text[32];

        if (rate == 0)
                return cli_failed("bench", "%s: %s", b->name, green_last_error()->message);
        if (json) {
                printf("%s\n  \"%s\": %.0f", first ? "" : ",", b->name, rate);
        } else {
                printf("%-8s %10s/s %8.0f ns  ", b->name, rate_text(rate, text, sizeof text), 1e9 / rate);
                print_bar(rate);
        }
        fflush(stdout);
        return 0;
}

static bool
is_asked(const struct bench *b, char **names)
{
        if (*names == NULL)
                return true;
        while (*names != NULL && strcmp(*names, b->name) != 0)
                names++;
        return *names != NULL;
}

static const char *
unknown_name(char **names)
{
        for (; *names != NULL; names++) {
                size_t i = 0;

                while (i < BENCHES && strcmp(benches[i].name, *names) != 0)
                        i++;
                if (i == BENCHES)
                        return *names;
        }
        return NULL;
}

static int
run_all(double seconds, bool json, char **names)
{
        struct green_hub_info info = {.size = sizeof info};
        bool first = true;

        if (green_hub_get_info(&info) != 0)
                return cli_failed("bench", "%s", green_last_error()->message);
        if (json)
                printf("{");
        else
                printf("green-net %s, hub %s, switches by %s; one OS thread\n\n", green_version(), info.name, info.context);
        for (size_t i = 0; i < BENCHES; i++) {
                if (!is_asked(&benches[i], names))
                        continue;
                if (print(&benches[i], seconds, json, first) != 0)
                        return 1;
                first = false;
        }
        if (json) {
                printf("\n}\n");
                return 0;
        }
        printf("\n");
        for (size_t i = 0; i < BENCHES; i++)
                if (is_asked(&benches[i], names))
                        printf("%-8s %s\n", benches[i].name, benches[i].what);
        return 0;
}

static int
run(int argc, char **argv)
{
        static const struct option options[] = {
                {"hub", required_argument, NULL, 'u'},
                {"json", no_argument, NULL, 'j'},
                {"seconds", required_argument, NULL, 's'},
                {NULL, 0, NULL, 0},
        };
        const char *hub = NULL, *name;
        double seconds = 0.5;
        bool json = false;
        int option, rc;

        opterr = 0;
        while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
                switch (option) {
                case 'u': hub = optarg; break;
                case 'j': json = true; break;
                case 's':
                        if (!cli_seconds(optarg, &seconds))
                                return cli_wrong("bench", "--seconds %s: that is no time.", optarg);
                        break;
                case ':': return cli_wrong("bench", "%s needs a value.", argv[optind - 1]);
                default: return cli_wrong("bench", "there is no option \"%s\".", argv[optind - 1]);
                }
        }
        name = unknown_name(argv + optind);
        if (name != NULL)
                return cli_wrong("bench", "there is no measurement \"%s\".", name);
        rc = cli_use_hub("bench", hub);
        return rc != 0 ? rc : run_all(seconds, json, argv + optind);
}

const struct cli_command cli_bench = {
        .name = "bench",
        .run = run,
        .line = "how fast it is on this machine, in a few seconds",
        .help = "usage: green-net bench [OPTION...] [NAME...]\n"
                "\n"
                "Measures yield, spawn, queue, timeout, echo and http, or those that are named, for half a second each, and draws\n"
                "them: how many a second, and how long one takes. The bars are logarithmic, from a thousand a second to a billion.\n"
                "Client and server of echo and http share the OS thread, so a server alone does about twice as many.\n"
                "\n"
                "  --hub NAME      the hub to measure; GREEN_HUB does the same\n"
                "  --seconds S     how long each is measured (0.5)\n"
                "  --json          numbers a second, as JSON\n"
                "\n"
                "For comparisons with other libraries see tests/bench/ in the source.\n"
                "\n"
                "Exit status: 0; 1 if something could not be measured; 2 for a wrong option.\n",
};
