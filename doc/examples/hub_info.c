/*
 * Which hubs there are, and what the one in use says of itself: hub_info
 *
 * GREEN_HUB=poll hub_info shows the same of another one.
 */
#include <green/core.h>
#include <stdio.h>

static void
print_choice(const struct green_hub_choice *choice, void *arg)
{
        (void)arg;
        printf("%c %-10s %-9s ", choice->is_default ? '*' : ' ', choice->name,
               choice->path == NULL ? "linked in" : "module");
        printf("%s\n", choice->code == 0 ? "usable" : choice->reason);
        if (choice->path != NULL)
                printf("%23s%s\n", "", choice->path);
}

int
main(void)
{
        struct green_hub_info info = {.size = sizeof info};

        printf("  %-10s %-9s %s\n", "NAME", "FROM", "STATE (* marks the default)");
        if (green_hub_each(print_choice, NULL) == 0)
                printf("none\n");
        fflush(stdout);

        if (green_hub_get_info(&info) != 0)
                return fprintf(stderr, "hub_info: %s\n", green_last_error()->message), 1;
        printf("\nin use: %s (%s)\n", info.name, info.description);
        printf("switches by %s; %zu KiB a stack, guard pages: %s\n", info.context, info.stack_size / 1024, info.guard);
        printf("in other event loops: %s\n", green_hub_fd() != GREEN_INVALID_FD ? "yes" : "no, it has no descriptor");
        return 0;
}
