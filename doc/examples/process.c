/*
 * Several commands at once: process SECONDS COMMAND...
 *
 * Each command runs in a shell of its own, and has so many seconds. What they write is printed in the order of the
 * commands.
 */
#include <green/net.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST ((size_t)1024 * 1024)

static double seconds;

struct command {
        const char *text;
        struct green_process_output output;
        int rc;
};

static void *
run(void *arg)
{
        struct command *c = arg;
        const char *argv[] = {"sh", "-c", c->text, NULL};
        struct green_process_opts opts = {.size = sizeof opts,
                                          .in = GREEN_PROCESS_NULL,
                                          .out = GREEN_PROCESS_PIPE,
                                          .err = GREEN_PROCESS_STDOUT,
                                          .new_group = true};
        green_process *p = green_process_spawn(argv, &opts);

        if (p == NULL) {
                c->rc = green_last_error()->code;
                return NULL;
        }
        c->rc = green_process_communicate(p, NULL, 0, MOST, seconds, &c->output);
        if (c->rc != 0) {
                /* With all that it has started. What it wrote so far is still to be had. */
                green_process_kill(p, SIGKILL);
                (void)!green_process_communicate(p, NULL, 0, MOST, 1, &c->output);
        }
        green_process_free(p);
        return NULL;
}

static void
print(const struct command *c)
{
        printf("== %s\n", c->text);
        if (c->output.out != NULL)
                fwrite(c->output.out, 1, c->output.out_len, stdout);
        if (c->rc == -ETIMEDOUT)
                printf("(not done after %g seconds)\n", seconds);
        else if (c->rc != 0)
                printf("(%s)\n", green_strerror(c->rc));
        else if (c->output.status != 0)
                printf("(%s %d)\n", c->output.status < 0 ? "signal" : "status", abs(c->output.status));
}

int
main(int argc, char **argv)
{
        int n = argc - 2;
        struct command *commands;
        green_thread **threads;

        if (n < 1)
                return fprintf(stderr, "usage: process SECONDS COMMAND...\n"), 1;
        seconds = atof(argv[1]);
        commands = calloc((size_t)n, sizeof *commands);
        threads = calloc((size_t)n, sizeof(green_thread *));
        if (commands == NULL || threads == NULL)
                return 1;
        for (int i = 0; i < n; i++) {
                commands[i].text = argv[i + 2];
                threads[i] = green_spawn(run, &commands[i]);
        }
        for (int i = 0; i < n; i++) {
                if (threads[i] == NULL || green_thread_wait(threads[i], NULL) != 0)
                        commands[i].rc = -ENOMEM;
                green_thread_unref(threads[i]);
                print(&commands[i]);
                green_free(commands[i].output.out);
        }
        free(threads);
        free(commands);
        return 0;
}
