/*
 * The program green-net: what its commands share.
 *
 * Exit status: 0 done; 1 it could not be done, and stderr says why; 2 it was not asked for rightly, and stderr says how to.
 */
#ifndef GREEN_CLI_H
#define GREEN_CLI_H

#include <errno.h>

#include <green/green.h>

struct cli_command {
        const char *name;
        int (*run)(int argc, char **argv); /* argv[0] is the command's name */
        const char *line;                  /* what it does */
        const char *help;                  /* all of its --help */
};

extern const struct cli_command cli_hubs, cli_serve, cli_console, cli_bench, cli_run;

/* Says what was wrong, and how to learn more: 2. */
int cli_wrong(const char *command, const char *format, ...) GREEN_PRINTF(2, 3);
/* Says what failed: 1. */
int cli_failed(const char *command, const char *format, ...) GREEN_PRINTF(2, 3);

/* --hub NAME: 0, or what to exit with. NULL leaves GREEN_HUB alone. */
int cli_use_hub(const char *command, const char *name);

/* A number above 0: false where the text is none. */
bool cli_seconds(const char *text, double *ret_seconds);

#endif
