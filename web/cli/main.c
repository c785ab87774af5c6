/*
 * The program green-net. See green-net(1).
 */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_command *const commands[] = {&cli_hubs, &cli_serve, &cli_console, &cli_bench, &cli_run};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

int
cli_wrong(const char *command, const char *format, ...)
{
        va_list args;

        fprintf(stderr, "green-net%s%s: ", *command != '\0' ? " " : "", command);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fprintf(stderr, "\nTry: green-net %s%s--help\n", command, *command != '\0' ? " " : "");
        return 2;
}

int
cli_failed(const char *command, const char *format, ...)
{
        va_list args;

        fprintf(stderr, "green-net %s: ", command);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        return 1;
}

int
cli_use_hub(const char *command, const char *name)
{
        if (name == NULL || green_use_hub(name) == 0)
                return 0;
        (void)cli_failed(command, "%s", green_last_error()->message);
        fprintf(stderr, "`green-net hubs` lists what there is.\n");
        return 1;
}

bool
cli_seconds(const char *text, double *ret_seconds)
{
        char *end;
        double d;

        errno = 0;
        d = strtod(text, &end);
        if (end == text || *end != '\0' || errno != 0 || !isfinite(d) || d <= 0)
                return false;
        *ret_seconds = d;
        return true;
}

static void
help(FILE *to)
{
        fprintf(to, "usage: green-net COMMAND [OPTION...] [ARGUMENT...]\n"
                    "\n"
                    "Green threads and an event loop for C programs: this looks at them, and tries them out.\n"
                    "\n");
        for (size_t i = 0; i < COMMANDS; i++)
                fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->line);
        fprintf(to, "\n"
                    "  green-net COMMAND --help   all that a command can do\n"
                    "  green-net --version        version, and what this build was made with\n"
                    "\n"
                    "GREEN_HUB=NAME in the environment chooses the hub of any program that uses green-net.\n");
}

/* The command that was most likely meant, or NULL. */
static const struct cli_command *
nearest(const char *name)
{
        for (size_t i = 0; i < COMMANDS; i++)
                if (*name == commands[i]->name[0] || strstr(commands[i]->name, name) != NULL)
                        return commands[i];
        return NULL;
}

static int
unknown(const char *name)
{
        const struct cli_command *meant = *name != '-' && *name != '\0' ? nearest(name) : NULL;

        if (meant != NULL)
                return cli_wrong("", "there is no command \"%s\". Did you mean \"%s\"?", name, meant->name);
        return cli_wrong("", "there is no %s \"%s\".", *name == '-' ? "option" : "command", name);
}

static int
run(const struct cli_command *command, int argc, char **argv)
{
        if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
                fputs(command->help, stdout);
                return 0;
        }
        return command->run(argc, argv);
}

/* What was printed has to have arrived. */
static int
finish(int status)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        return status != 0 ? status : cli_failed("", "stdout: %s", strerror(errno));
}

int
main(int argc, char **argv)
{
        const char *name = argc > 1 ? argv[1] : NULL;

        if (name == NULL) {
                help(stderr);
                return 2;
        }
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
                help(stdout);
                return finish(0);
        }
        if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
                printf("%s\n", green_version_info());
                return finish(0);
        }
        for (size_t i = 0; i < COMMANDS; i++)
                if (strcmp(name, commands[i]->name) == 0)
                        return finish(run(commands[i], argc - 1, argv + 1));
        return unknown(name);
}
