/*
 * What modules there are: green_module_each() and green_module_list().
 */
#include "config.h"

#include "module_priv.h"

#include <errno.h>
#include <string.h>

#include "text.h"

/* Goes through names in their order, which the system does not keep, without memory for all of them. */
struct cursor {
        const struct green_module_kind *kind;
        char last[GREEN_MODULE_NAME_MAX + 1];
        char next[GREEN_MODULE_NAME_MAX + 1]; /* the first after last; "": none found */
};

static void
look_for_next(void *arg, const char *file)
{
        const size_t suffix = strlen(GREEN__MODULE_SUFFIX);
        struct cursor *cursor = arg;
        const size_t prefix = strlen(cursor->kind->prefix);
        char name[GREEN_MODULE_NAME_MAX + 1];
        size_t len = strlen(file);

        if (len <= prefix + suffix || strncmp(file, cursor->kind->prefix, prefix) != 0 ||
            strcmp(file + len - suffix, GREEN__MODULE_SUFFIX) != 0)
                return;
        len -= prefix + suffix;
        if (!green__module_name_ok(file + prefix, len))
                return;
        memcpy(name, file + prefix, len);
        name[len] = '\0';
        if (strcmp(name, cursor->last) > 0 && (cursor->next[0] == '\0' || strcmp(name, cursor->next) < 0))
                memcpy(cursor->next, name, len + 1);
}

/* Begins with a cursor that has its kind only. NULL after the last one. */
static const char *
next_name(struct cursor *cursor)
{
        memcpy(cursor->last, cursor->next, sizeof cursor->last);
        cursor->next[0] = '\0';
        green__sys_module_each(look_for_next, cursor);
        return cursor->next[0] == '\0' ? NULL : cursor->next;
}

int
green_module_each(const struct green_module_kind *given, void (*fn)(const char *name, void *arg), void *arg)
{
        struct green_module_kind kind;
        struct cursor cursor = {.kind = &kind};
        const char *name;
        int n = 0;

        if (green__module_take_kind(&kind, given) != 0 || fn == NULL)
                return -EINVAL;
        for (; (name = next_name(&cursor)) != NULL; n++)
                fn(name, arg);
        return n;
}

struct list {
        struct green__text text;
        int n; /* modules so far */
};

static void
add_module(const char *name, void *arg)
{
        struct list *list = arg;

        green__text_add(&list->text, "%s%s", list->n++ > 0 ? ", " : list->text.len > 0 ? "; " : "", name);
}

int
green_module_list(const struct green_module_kind *given, char *text, size_t len)
{
        struct list list = {{text, text == NULL ? 0 : len, 0}, 0};
        struct green_module_kind kind;

        if (green__module_take_kind(&kind, given) != 0)
                return -EINVAL;
        if (list.text.size > 0)
                text[0] = '\0';
        for (size_t i = 0; kind.builtins != NULL && kind.builtins[i].name != NULL; i++)
                green__text_add(&list.text, "%s%s", i > 0 ? ", " : "", kind.builtins[i].name);
        if (kind.builtins != NULL)
                green__text_add(&list.text, kind.builtins[0].name == NULL ? "none (built in)" : " (built in)");
        (void)green_module_each(&kind, add_module, &list);
        if (list.text.len == 0)
                green__text_add(&list.text, "none");
        if (list.n > 0 || kind.builtins == NULL)
                green__text_add(&list.text, " (in %s)", green_module_folder());
        return (int)list.text.len;
}
