/*
 * What hubs there are: for messages, and for those who want to choose. See green_hub_each().
 */
#include "config.h"

#include "hub_load.h"

#include <errno.h>

#include <green/error.h>
#include <green/hubs.h>

#include <stdio.h>
#include <string.h>

/* Goes through the names of modules in their order, which readdir() does not keep, without memory for all of them. */
struct cursor {
        char last[GREEN__HUB_NAME_MAX + 1];
        char next[GREEN__HUB_NAME_MAX + 1]; /* the first after last; "": none found */
};

static void
look_for_next(void *arg, const char *name, size_t len)
{
        char copy[GREEN__HUB_NAME_MAX + 1];
        struct cursor *cursor = arg;

        if (!green__hub_name_ok(name, len))
                return;
        memcpy(copy, name, len);
        copy[len] = '\0';
        if (strcmp(copy, cursor->last) > 0 && (cursor->next[0] == '\0' || strcmp(copy, cursor->next) < 0))
                memcpy(cursor->next, copy, len + 1);
}

/* Begins with a cursor that is zeroed. NULL after the last one. */
static const char *
next_module(struct cursor *cursor)
{
        memcpy(cursor->last, cursor->next, sizeof cursor->last);
        cursor->next[0] = '\0';
        green__hub_module_each(look_for_next, cursor);
        return cursor->next[0] == '\0' ? NULL : cursor->next;
}

size_t
green__hub_list(char *buf, size_t len)
{
        struct green__text text = {buf, len, 0};
        struct cursor cursor = {.last = ""};
        const char *name;
        size_t n = 0;

        if (len > 0)
                buf[0] = '\0';
        for (size_t i = 0; green__hub_builtins[i] != NULL; i++)
                green__text_add(&text, "%s%s", i > 0 ? ", " : "", green__hub_builtins[i]->name);
        if (green__hub_builtins[0] == NULL)
                green__text_add(&text, "none");
        green__text_add(&text, " (built in)");
        while ((name = next_module(&cursor)) != NULL)
                green__text_add(&text, "%s%s", n++ > 0 ? ", " : "; ", name);
        if (n > 0)
                green__text_add(&text, " (in %s)", green__hub_module_folder());
        return text.len;
}

static bool
is_linked_in(const char *name)
{
        size_t i = 0;

        while (green__hub_builtins[i] != NULL && strcmp(green__hub_builtins[i]->name, name) != 0)
                i++;
        return green__hub_builtins[i] != NULL;
}

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

int
green_hub_each(void (*fn)(const struct green_hub_choice *choice, void *arg), void *arg)
{
        struct listing to = {fn, arg, green__hub_default(), ""};
        struct cursor cursor = {.last = ""};
        char path[PATH_MAX];
        const char *module;
        int n = 0;

        if (fn == NULL)
                return -EINVAL;
        for (; green__hub_builtins[n] != NULL; n++) {
                struct green_hub_choice choice = {.name = green__hub_builtins[n]->name};

                tell(&to, &choice, green__hub_builtins[n]);
        }
        for (; (module = next_module(&cursor)) != NULL; n++) {
                struct green_hub_choice choice = {.name = module, .path = path};
                const struct green_hub_ops *ops = NULL;

                if (green__hub_module_path(path, sizeof path, module) >= (int)sizeof path)
                        snprintf(to.why, sizeof to.why, "its path is too long");
                else if (is_linked_in(module))
                        snprintf(to.why, sizeof to.why, "one of that name is linked in, and goes before it");
                else
                        ops = green__hub_find_module(path, to.why, sizeof to.why);
                tell(&to, &choice, ops);
        }
        return n;
}
