/*
 * green-net hubs: which there are.
 */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>

static void
print_choice(const struct green_hub_choice *choice, void *arg)
{
        int *usable = arg;

        *usable += choice->code == 0;
        printf("%c %-10s %-9s %s\n", choice->is_default ? '*' : ' ', choice->name,
               choice->path == NULL ? "linked in" : "module", choice->code == 0 ? "usable" : choice->reason);
        if (choice->path != NULL)
                printf("%23s%s\n", "", choice->path);
}

static int
print_used(const char *command)
{
        struct green_hub_info info = {.size = sizeof info};

        if (green_hub_get_info(&info) != 0)
                return cli_failed(command, "%s", green_last_error()->message);
        printf("\nin use: %s (%s)\n", info.name, info.description);
        printf("switches by %s; %zu KiB a stack, guard pages: %s\n", info.context, info.stack_size / 1024, info.guard);
        printf("in other event loops: %s\n", green_hub_fd() != GREEN_INVALID_FD ? "yes" : "no, it has no descriptor");
        return 0;
}

static int
run(int argc, char **argv)
{
        int usable = 0;

        if (argc > 2)
                return cli_wrong("hubs", "it takes one hub, not %d.", argc - 1);
        if (argc > 1 && argv[1][0] == '-')
                return cli_wrong("hubs", "there is no option \"%s\".", argv[1]);
        if (argc > 1 && cli_use_hub("hubs", argv[1]) != 0)
                return 1;
        printf("  %-10s %-9s %s\n", "NAME", "FROM", "STATE (* marks the default)");
        if (green_hub_each(print_choice, &usable) == 0 || usable == 0)
                return cli_failed("hubs", "there is none that can be used here");
        fflush(stdout);
        return print_used("hubs");
}

const struct cli_command cli_hubs = {
        .name = "hubs",
        .run = run,
        .line = "which hubs there are, and why one cannot be used",
        .help = "usage: green-net hubs [HUB]\n"
                "\n"
                "Lists the hubs that are linked in and those that are installed as modules: which is the default, which can be\n"
                "used here, and why the others cannot. Then what the one in use says of itself: HUB, or the one that GREEN_HUB\n"
                "names, or the default.\n"
                "\n"
                "  green-net hubs io_uring      is io_uring usable here?\n"
                "\n"
                "Exit status: 0; 1 if HUB, or what GREEN_HUB names, cannot be used.\n",
};
