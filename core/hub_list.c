/*
 * What hubs there are, for those who want to choose. See green_hub_each().
 */
#include "config.h"

#include "hub_load.h"

#include <errno.h>

#include <green/error.h>
#include <green/hubs.h>

#include <stdio.h>

/* Whom to tell, and what the default is: NULL where none works. */
struct listing {
        void (*fn)(const struct green_hub_choice *choice, void *arg);
        void *arg;
        const struct green_hub_ops *by_default;
        char why[400];
};

/* Fills in whether it can be used, and tells. ops is NULL where it is known already that it cannot. */
static void
tell(struct listing *to, struct green_hub_choice *choice, const struct green_hub_ops *ops)
{
        choice->size = sizeof *choice;
        choice->code = GREEN_EHUB;
        if (ops != NULL) {
                choice->code = green__hub_probe(ops, to->why, sizeof to->why);
                choice->is_default = ops == to->by_default;
        }
        choice->reason = choice->code == 0 ? NULL : to->why;
        to->fn(choice, to->arg);
}

static void
tell_module(const char *name, void *arg)
{
        struct listing *to = arg;
        char path[PATH_MAX];
        struct green_hub_choice choice = {.name = name, .path = path};
        const struct green_hub_ops *ops = NULL;

        (void)green_module_path(&green__hub_kind, name, path, sizeof path);
        if (green__module_builtin(&green__hub_kind, name) != NULL)
                snprintf(to->why, sizeof to->why, "one of that name is linked in, and goes before it");
        else
                ops = green__hub_open(name, to->why, sizeof to->why);
        tell(to, &choice, ops);
}

int
green_hub_each(void (*fn)(const struct green_hub_choice *choice, void *arg), void *arg)
{
        struct listing to = {fn, arg, green__hub_default(), ""};
        int n = 0;

        if (fn == NULL)
                return -EINVAL;
        for (; green__hub_builtins[n].name != NULL; n++) {
                struct green_hub_choice choice = {.name = green__hub_builtins[n].name};

                tell(&to, &choice, green__hub_builtins[n].table);
        }
        return n + green_module_each(&green__hub_kind, tell_module, &to);
}
