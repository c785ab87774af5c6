/*
 * The command `lua` where green-net was built without.
 */
#include "backdoor_priv.h"

int
green__backdoor_lua(green_backdoor_console *c, int argc, char **argv)
{
        (void)argc;
        (void)argv;
        return green__backdoor_complain(c, "this green-net was built without Lua");
}
