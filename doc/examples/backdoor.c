/*
 * A server that upper-cases lines, with a backdoor: variables to change while it runs, and a command of its own.
 *
 *     backdoor [ADDRESS [BACKDOOR-ADDRESS]]      127.0.0.1:6000 127.0.0.1:6001
 *
 *     $ nc 127.0.0.1 6001
 *     > clients
 *     1 here, 1 since the start
 *     > set greeting off
 *     > ps
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <green/net.h>

/* What the backdoor shows, and what it may change. */
static bool greeting = true;
static size_t longest = 200;
static uint64_t lines;
static int here;
static uint64_t since_start;

static const struct green_backdoor_variable variables[] = {
        {"greeting", GREEN_BACKDOOR_BOOL, &greeting, false, "say hello to those who come"},
        {"longest", GREEN_BACKDOOR_SIZE, &longest, false, "bytes that a line may have"},
        {"lines", GREEN_BACKDOOR_UINT64, &lines, true, "lines answered"},
        {.name = NULL}};

static int
clients(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)argc;
        (void)argv;
        (void)arg;
        return green_backdoor_printf(console, "%d here, %llu since the start\n", here, (unsigned long long)since_start);
}

static int
answer(green_socket *client, const struct green_addr *peer, void *arg)
{
        green_stream *st = green_socket_makefile(client, NULL);
        const char *line;
        ssize_t n = 0;

        (void)peer;
        (void)arg;
        if (st == NULL)
                return green_last_error()->code;
        here++;
        since_start++;
        if (greeting)
                green_stream_printf(st, "hello\n");
        while ((n = green_stream_readline(st, longest, &line)) > 0) {
                for (ssize_t i = 0; i < n; i++) {
                        char upper = (char)toupper((unsigned char)line[i]);

                        if (green_stream_write(st, &upper, 1) < 0)
                                break;
                }
                lines++;
        }
        here--;
        green_stream_free(st);
        return 0;
}

static void *
serve_backdoor(void *listener)
{
        const struct green_backdoor_opts opts = {.size = sizeof opts, .variables = variables};
        int rc = green_backdoor_server(listener, &opts);

        fprintf(stderr, "the backdoor ends: %s\n", green_strerror(rc));
        return NULL;
}

static green_socket *
listen_at(const char *what, const char *address)
{
        green_socket *listener = green_listen(address, NULL);
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_addr addr;

        if (listener == NULL || green_socket_getsockname(listener, &addr) != 0) {
                fprintf(stderr, "%s: %s\n", address, green_last_error()->message);
                return NULL;
        }
        green_addr_format(&addr, text, sizeof text);
        printf("%s on %s\n", what, text);
        fflush(stdout);
        return listener;
}

int
main(int argc, char **argv)
{
        green_socket *backdoor = listen_at("backdoor", argc > 2 ? argv[2] : "127.0.0.1:6001");
        green_socket *listener = listen_at("listening", argc > 1 ? argv[1] : "127.0.0.1:6000");
        int rc;

        if (backdoor == NULL || listener == NULL)
                return 1;
        if (green_backdoor_register("clients", clients, NULL, "how many there are") != 0 ||
            green_spawn_n(serve_backdoor, backdoor) != 0)
                return 1;
        rc = green_serve(listener, answer, NULL, NULL);
        fprintf(stderr, "%s\n", green_strerror(rc));
        return 1;
}
