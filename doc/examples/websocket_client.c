/*
 * Talks to a WebSocket: websocket_client [OPTION...] URL [LINE...]
 *
 * Try it with `websocket_client ws://127.0.0.1:8000/ws hello`, and httpbin running. It sends the lines, each as a message,
 * or those of its standard input if none is given, and prints each message that comes, with a newline behind it.
 *
 * It ends when there were so many messages as -n says, or when the server closes. With lines, and without -n, so many as
 * there were lines. -t: it gives up after so many seconds. Its exit status is 0 where it got what it waited for, or where
 * the server has closed with 1000; 1 otherwise, and it says why.
 */
#include <green/green.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_LINE = 1 << 20 };

struct client {
        green_websocket *ws;
        char **lines; /* ended by NULL */
        long left;    /* messages to wait for; negative: all */
};

static int
usage(void)
{
        fprintf(stderr, "usage: websocket_client [OPTION...] URL [LINE...]\n"
                        "  -n COUNT        messages to wait for\n"
                        "  -t SECONDS      to wait at most\n"
                        "  -o ORIGIN       say that a page of there asks\n"
                        "  -p SUBPROTOCOL  ask for it\n"
                        "  -c FILE         trust the certificates in there (PEM)\n"
                        "  -d              do not ask for compression\n");
        return 2;
}

/* What is given on the command line. */
static int
send_lines(const struct client *c)
{
        int rc = 0;

        for (size_t i = 0; rc == 0 && c->lines[i] != NULL; i++)
                rc = green_websocket_send_text(c->ws, c->lines[i]);
        return rc;
}

/* What comes on standard input, in a green thread of its own: meanwhile what the server says is printed. */
static void *
send_input(void *arg)
{
        struct client *c = arg;
        green_stream *input = green_pipe_fdopen(0, "r", NULL);
        const char *line;
        ssize_t n;
        int rc = 0;

        while (rc == 0 && input != NULL && (n = green_stream_readline(input, LONGEST_LINE, &line)) > 0) {
                if (line[n - 1] == '\n')
                        n--;
                rc = green_websocket_send(c->ws, GREEN_WEBSOCKET_TEXT, line, (size_t)n);
        }
        green_stream_free(input);
        return NULL;
}

/* 0: the server has closed, or there was enough. */
static int
print_messages(struct client *c)
{
        struct green_websocket_message m;
        int rc = 1;

        while (c->left != 0 && (rc = green_websocket_wait(c->ws, &m)) == 1) {
                fwrite(m.data, 1, m.len, stdout);
                putchar('\n');
                fflush(stdout);
                if (c->left > 0)
                        c->left--;
        }
        return rc < 0 ? rc : 0;
}

static int
talk(struct client *c)
{
        int rc;

        if (c->lines[0] == NULL)
                rc = green_spawn_n(send_input, c);
        else
                rc = send_lines(c);
        return rc != 0 ? rc : print_messages(c);
}

/* The exit status. */
static int
report(const struct client *c, int rc)
{
        int code = green_websocket_close_code(c->ws);

        if (rc == 0 && (c->left == 0 || (c->left < 0 && code == 1000)))
                return 0;
        if (rc == 0 || code != 0)
                fprintf(stderr, "websocket_client: closed with %d %s\n", code, green_websocket_close_reason(c->ws));
        else
                fprintf(stderr, "websocket_client: %s\n", green_strerror(rc));
        return 1;
}

static int
run(struct client *c, const char *url, double seconds, const struct green_websocket_opts *opts)
{
        struct green_timeout t = {{0}};
        int rc, status;

        c->ws = green_websocket_connect(url, opts);
        if (c->ws == NULL)
                return fprintf(stderr, "websocket_client: %s\n", green_last_error()->message), 1;
        rc = green_timeout_start(&t, seconds);
        if (rc == 0)
                rc = talk(c);
        green_timeout_cancel(&t);
        status = report(c, rc);
        (void)green_websocket_close(c->ws, 1000, NULL);
        fflush(stdout);
        return status;
}

int
main(int argc, char **argv)
{
        const char *protocols[] = {NULL, NULL};
        struct green_wrap_ssl_opts tls = {.size = sizeof tls};
        struct green_websocket_opts opts = {.size = sizeof opts, .protocols = protocols, .ssl = &tls};
        struct client c = {.left = -1};
        double seconds = GREEN_FOREVER;
        bool counted = false;
        int option;

        while ((option = getopt(argc, argv, "n:t:o:p:c:d")) != -1) {
                if (option == 'n')
                        c.left = atol(optarg), counted = true;
                else if (option == 't')
                        seconds = atof(optarg);
                else if (option == 'o')
                        opts.origin = optarg;
                else if (option == 'p')
                        protocols[0] = optarg;
                else if (option == 'c')
                        tls.ca_certs = optarg;
                else if (option == 'd')
                        opts.no_deflate = true;
                else
                        return usage();
        }
        if (optind == argc)
                return usage();
        c.lines = argv + optind + 1;
        if (!counted && c.lines[0] != NULL)
                c.left = argc - optind - 1;
        return run(&c, argv[optind], seconds, &opts);
}
