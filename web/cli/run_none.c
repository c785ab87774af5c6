/* green-net run, where the loader brings nothing along that could patch a program. */
#include "cli.h"

enum { CANNOT = 126 };

static int
run(int argc, char **argv)
{
        (void)argc;
        (void)argv;
        (void)cli_failed("run", "this system's programs cannot be made green: that is for Linux.");
        return CANNOT;
}

const struct cli_command cli_run = {
        .name = "run",
        .run = run,
        .line = "run a program that knows nothing of green-net as green threads (on Linux)",
        .help = "usage: green-net run [OPTION...] PROGRAM [ARGUMENT...]\n"
                "\n"
                "Programs of this system cannot be made green: that is for Linux.\n"
                "\n"
                "Exit status: 126.\n",
};
