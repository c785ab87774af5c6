/*
 * Modules: one is found by name or path, loaded, and looked at before anything of it is called. See <green/module.h>.
 */
#include "config.h"

#include "module_priv.h"

#include <errno.h>

#include <green/error.h>
#include <green/opts.h>

#include <stdio.h>
#include <string.h>

enum {
        WHY_MAX = 400,  /* why one cannot be used */
        LIST_MAX = 400, /* what there is */
};

int
green__module_take_kind(struct green_module_kind *kind, const struct green_module_kind *given)
{
        if (given == NULL || green_opts_take(kind, sizeof *kind, given) != 0)
                return -EINVAL;
        return kind->what != NULL && kind->prefix != NULL && kind->symbol != NULL && kind->code < 0 ? 0 : -EINVAL;
}

bool
green__module_name_ok(const char *name, size_t len)
{
        if (len == 0 || len > GREEN_MODULE_NAME_MAX)
                return false;
        for (size_t i = 0; i < len; i++) {
                char c = name[i];

                if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
                        return false;
        }
        return true;
}

const char *
green__module_spec_fault(const char *spec, size_t len, bool secure)
{
        if (!green__sys_is_path(spec, len)) {
                if (green__module_name_ok(spec, len))
                        return NULL;
                return "a name has at most 32 lower-case letters, digits and _; a path has a slash";
        }
        if (secure)
                return "a set-id program takes names only, no paths";
        return len < PATH_MAX ? NULL : "the path is too long";
}

bool
green__module_check(const struct green_module_kind *kind, const void *table, const char *name, char *why, size_t len)
{
        struct green_module_head head;

        /* The number first: nothing else of a table of another interface may be looked at. */
        memcpy(&head.abi, table, sizeof head.abi);
        if (head.abi != kind->abi) {
                snprintf(why, len, "it was built for %s interface %u, this is %u", kind->what, (unsigned)head.abi,
                         (unsigned)kind->abi);
                return false;
        }
        memcpy(&head.size, (const char *)table + offsetof(struct green_module_head, size), sizeof head.size);
        if (head.size < kind->table_size || head.size < sizeof head) {
                snprintf(why, len, "its table has %u bytes, %u are needed", (unsigned)head.size,
                         (unsigned)kind->table_size);
                return false;
        }
        memcpy(&head, table, sizeof head);
        if (head.name == NULL || !green__module_name_ok(head.name, strnlen(head.name, GREEN_MODULE_NAME_MAX + 1))) {
                snprintf(why, len, "its table has no proper name");
                return false;
        }
        return kind->check == NULL || kind->check(table, name, why, len);
}

/* The table of a module that was just loaded; NULL, and the reason. */
static const void *
table_of(const struct green_module_kind *kind, void *handle, const char *name, char *why, size_t len)
{
        const void *table = green__sys_module_symbol(handle, kind->symbol);

        if (table == NULL)
                snprintf(why, len, "it is no %s: it has no %s", kind->what, kind->symbol);
        else if (green__module_check(kind, table, name, why, len))
                return table;
        return NULL;
}

static bool
load(const struct green_module_kind *kind, const char *path, const char *name, struct green_module *ret, char *why,
     size_t len)
{
        struct green_module module = {NULL, NULL};

        if (!green__module_whole(path, why, len))
                return false;
        module.handle = green__sys_module_load(path, why, len);
        if (module.handle == NULL)
                return false;
        module.table = table_of(kind, module.handle, name, why, len);
        if (module.table == NULL) {
                green_module_close(&module);
                return false;
        }
        *ret = module;
        return true;
}

static int
write_path(const struct green_module_kind *kind, const char *name, char *path, size_t len)
{
        return snprintf(path, len, "%s/%s%s" GREEN__MODULE_SUFFIX, green_module_folder(), kind->prefix, name);
}

const void *
green__module_builtin(const struct green_module_kind *kind, const char *name)
{
        for (const struct green_module_builtin *b = kind->builtins; b != NULL && b->name != NULL; b++) {
                if (strcmp(b->name, name) == 0)
                        return b->table;
        }
        return NULL;
}

static bool
find_name(const struct green_module_kind *kind, const char *name, struct green_module *ret, char *why, size_t len)
{
        const void *table = green__module_builtin(kind, name);
        char path[PATH_MAX];

        if (table != NULL) {
                if (!green__module_check(kind, table, name, why, len))
                        return false;
                *ret = (struct green_module){table, NULL};
                return true;
        }
        if (write_path(kind, name, path, sizeof path) < (int)sizeof path && green__sys_module_exists(path))
                return load(kind, path, name, ret, why, len);
        snprintf(why, len, "there is no %s of that name", kind->what);
        for (const struct green_module_hint *hint = kind->hints; hint != NULL && hint->name != NULL; hint++) {
                if (strcmp(hint->name, name) == 0)
                        snprintf(why, len, "%s", hint->text);
        }
        return false;
}

bool
green__module_find(const struct green_module_kind *kind, const char *spec, struct green_module *ret, char *why,
                   size_t len)
{
        const char *fault = green__module_spec_fault(spec, strlen(spec), green__sys_is_secure());

        if (fault != NULL) {
                snprintf(why, len, "%s", fault);
                return false;
        }
        if (green__sys_is_path(spec, strlen(spec)))
                return load(kind, spec, NULL, ret, why, len);
        return find_name(kind, spec, ret, why, len);
}

int
green_module_open(const struct green_module_kind *given, const char *spec, struct green_module *ret_module)
{
        char why[WHY_MAX], list[LIST_MAX];
        struct green_module_kind kind;

        if (green__module_take_kind(&kind, given) != 0 || spec == NULL || ret_module == NULL)
                return -EINVAL;
        if (green__module_find(&kind, spec, ret_module, why, sizeof why))
                return 0;
        (void)green_module_list(&kind, list, sizeof list);
        return green_set_error(kind.code, "%s \"%.100s\": %s; there is: %s", kind.what, spec, why, list);
}

void
green_module_close(struct green_module *module)
{
        if (module == NULL)
                return;
        if (module->handle != NULL)
                green__sys_module_unload(module->handle);
        *module = (struct green_module){NULL, NULL};
}

int
green_module_path(const struct green_module_kind *given, const char *name, char *path, size_t len)
{
        struct green_module_kind kind;

        if (green__module_take_kind(&kind, given) != 0 || name == NULL ||
            !green__module_name_ok(name, strnlen(name, GREEN_MODULE_NAME_MAX + 1)))
                return -EINVAL;
        return write_path(&kind, name, path, len);
}
