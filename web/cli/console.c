/*
 * green-net console: a client of a backdoor.
 *
 * What the server writes is printed as it comes. Lines that are typed are edited where the build has libedit and stdin and
 * stdout are a terminal: the end of what the server wrote, which has no newline, is the prompt then.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console_edit.h"

static struct {
        green_socket *server;
        bool edits, left; /* left: the keyboard has ended */
        char prompt[256];
        size_t prompt_len;
} here;

static bool
send_text(const char *text, size_t len)
{
        return green_socket_sendall(here.server, text, len, 0, NULL) == 0;
}

/* ---- from the server */

/* What stands behind the last newline is the prompt. */
static void
note_prompt(const char *text, size_t len)
{
        const char *end = text + len, *at = end;

        while (at > text && at[-1] != '\n')
                at--;
        if (at > text)
                here.prompt_len = 0;
        len = (size_t)(end - at);
        if (len > sizeof here.prompt - 1 - here.prompt_len)
                len = sizeof here.prompt - 1 - here.prompt_len;
        memcpy(here.prompt + here.prompt_len, at, len);
        here.prompt_len += len;
        here.prompt[here.prompt_len] = '\0';
}

/* With line editing whole lines are printed, and the rest is left to the editor. */
static bool
print(const char *text, size_t len)
{
        size_t before = here.prompt_len;

        note_prompt(text, len);
        if (!here.edits)
                return fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0;
        if (here.prompt_len < len + before) {
                cli_edit_hide();
                fwrite(text, 1, here.prompt_len <= len ? len - here.prompt_len : len, stdout);
        }
        cli_edit_show(here.prompt);
        return fflush(stdout) == 0;
}

static int
print_all(void)
{
        char text[4096];
        ssize_t n;

        while ((n = green_socket_recv(here.server, text, sizeof text, 0)) > 0)
                if (!print(text, (size_t)n))
                        return cli_failed("console", "stdout: %s", strerror(errno));
        if (n < 0 && n != -ECONNRESET && n != GREEN_EKILLED)
                return cli_failed("console", "%s", green_strerror((int)n));
        return 0;
}

/* ---- from the keyboard */

static void
take_line(const char *line)
{
        if (line == NULL) {
                here.left = true;
                return;
        }
        here.prompt_len = 0;
        here.left = !send_text(line, strlen(line)) || !send_text("\n", 1);
}

static void *
type(void *arg)
{
        char text[4096];

        (void)arg;
        while (!here.left && green_trampoline(0, GREEN_READ, GREEN_FOREVER) == 0) {
                ssize_t n;

                if (here.edits) {
                        cli_edit_read();
                        continue;
                }
                n = read(0, text, sizeof text);
                if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN) || (n > 0 && !send_text(text, (size_t)n)))
                        break;
        }
        (void)green_socket_shutdown(here.server, SHUT_WR);
        return NULL;
}

static int
talk(const char *token)
{
        green_thread *typist;
        int status;

        here.edits = isatty(0) && isatty(1) && cli_edit_begin(take_line);
        if (token != NULL && (!send_text(token, strlen(token)) || !send_text("\n", 1)))
                return cli_failed("console", "the server has gone");
        typist = green_spawn(type, NULL);
        if (typist == NULL)
                return cli_failed("console", "%s", green_last_error()->message);
        status = print_all();
        (void)green_thread_kill(typist, 0);
        green_thread_unref(typist);
        if (here.edits)
                cli_edit_end();
        return status;
}

static int
run(int argc, char **argv)
{
        static const struct option options[] = {{"token", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
        const char *token = getenv("GREEN_BACKDOOR_TOKEN");
        struct green_connect_opts opts = {.size = sizeof opts};
        int option, status;

        opterr = 0;
        while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
                if (option == ':')
                        return cli_wrong("console", "%s needs a value.", argv[optind - 1]);
                if (option != 't')
                        return cli_wrong("console", "there is no option \"%s\".", argv[optind - 1]);
                token = optarg;
        }
        if (argc - optind != 1)
                return cli_wrong("console", "it takes one address: of the backdoor to talk to.");
        here.server = green_connect(argv[optind], &opts);
        if (here.server == NULL) {
                (void)cli_failed("console", "%s: %s", argv[optind], green_last_error()->message);
                fprintf(stderr, "Does the program serve a backdoor there? See green_backdoor_server() in the manual.\n");
                return 1;
        }
        status = talk(token);
        green_socket_free(here.server);
        return status;
}

const struct cli_command cli_console = {
        .name = "console",
        .run = run,
        .line = "talk to the backdoor of a running program",
        .help = "usage: green-net console [--token TOKEN] ADDRESS\n"
                "\n"
                "Connects to a backdoor, which a program serves with green_backdoor_server(), and talks to it: `help` lists its\n"
                "commands, `quit` or Ctrl-D ends it. ADDRESS is HOST:PORT, or unix:PATH. At a terminal lines can be edited and\n"
                "called back, where the build has libedit; commands can also come from a file or a pipe:\n"
                "\n"
                "  green-net serve --backdoor unix:/tmp/door 127.0.0.1:0 &\n"
                "  echo ps | green-net console unix:/tmp/door\n"
                "\n"
                "  --token TOKEN   what the backdoor asks for; better in the environment, as GREEN_BACKDOOR_TOKEN\n"
                "\n"
                "Exit status: 0 when either side has ended it; 1 if it could not connect or broke off; 2 for a wrong option.\n",
};
