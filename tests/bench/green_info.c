/* What of green-net is measured: a word and its value a line, for the runner. */
#include <green/core.h>
#include <stdio.h>

static void *
nothing(void *arg)
{
        return arg;
}

int
main(void)
{
        struct green_hub_info info = {.size = sizeof info};

        /* The first stack decides how guards are made. */
        if (green_spawn_n(nothing, NULL) != 0 || green_sleep(0) != 0 || green_hub_get_info(&info) != 0)
                return 1;
        printf("version %s\ncontext %s\nhub %s\nguard %s\n", green_version(), info.context, info.name, info.guard);
        return 0;
}
