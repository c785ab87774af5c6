/*
 * A dictionary for everybody, asked line by line: line_server [ADDRESS]
 *
 * Try it with `nc 127.0.0.1 7000`: set NAME TEXT, get NAME, quit. It prints "listening on ADDRESS" once it takes
 * connections.
 *
 * Answers are written into the stream's buffer. They go out when the next line has to be waited for, so those to
 * questions that came together go out together, and there is no flush here. Nothing needs a lock: no call that waits
 * stands between looking a name up and using it.
 */
#include <errno.h>
#include <green/net.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_LINE = 200, WORDS = 100 };

struct word {
        char name[32];
        char text[128];
};

static struct word words[WORDS];
static size_t known;

static struct word *
look_up(const char *name)
{
        for (size_t i = 0; i < known; i++)
                if (strcmp(words[i].name, name) == 0)
                        return &words[i];
        return NULL;
}

static int
set(green_stream *st, const struct word *given)
{
        struct word *w = look_up(given->name);

        if (w == NULL && known == WORDS)
                return green_stream_printf(st, "the dictionary is full\n");
        if (w == NULL)
                w = &words[known++];
        *w = *given;
        return green_stream_printf(st, "ok\n");
}

/* Negative: the connection is no good any more. 0: it has said goodbye. */
static int
answer(green_stream *st, const char *line)
{
        struct word given = {"", ""};
        const struct word *w;

        if (strcmp(line, "quit") == 0)
                return 0;
        if (sscanf(line, "set %31s %127[^\n]", given.name, given.text) == 2)
                return set(st, &given);
        if (sscanf(line, "get %31s", given.name) != 1)
                return green_stream_printf(st, "what?\n");
        w = look_up(given.name);
        return w == NULL ? green_stream_printf(st, "not known\n") : green_stream_printf(st, "%s\n", w->text);
}

static int
serve(green_socket *client, const struct green_addr *peer, void *arg)
{
        green_stream *st = green_socket_makefile(client, NULL);
        char text[LONGEST_LINE + 1];
        const char *line;
        ssize_t n;
        int rc = 1;

        (void)peer;
        (void)arg;
        if (st == NULL)
                return green_last_error()->code;
        while (rc > 0 && (n = green_stream_readline(st, LONGEST_LINE, &line)) > 0) {
                size_t len = (size_t)n;

                /* The line is the stream's, and does not end with NUL. */
                while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
                        len--;
                memcpy(text, line, len);
                text[len] = '\0';
                rc = answer(st, text);
        }
        if (rc > 0 && n == -EMSGSIZE)
                green_stream_printf(st, "no line has more than %d bytes\n", LONGEST_LINE);
        return green_stream_free(st); /* sends what is left; the socket is green_serve()'s */
}

int
main(int argc, char **argv)
{
        green_socket *listener = green_listen(argc > 1 ? argv[1] : "127.0.0.1:7000", NULL);
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_addr here;

        if (listener == NULL)
                return fprintf(stderr, "line_server: %s\n", green_last_error()->message), 1;
        if (green_socket_getsockname(listener, &here) == 0) {
                green_addr_format(&here, address, sizeof address);
                printf("listening on %s\n", address);
                fflush(stdout);
        }
        return green_serve(listener, serve, NULL, NULL) != 0;
}
