/*
 * Other functions in the place of what one object imports: green_inject(). See <green/patch.h>.
 *
 * The object is looked at twice. The first time it is written down what it calls, and the loader is asked what it would
 * bind what is not bound yet: an original must be where the caller wants it before its replacement is called.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <green/alloc.h>
#include <green/error.h>

#include "patch_pass.h"

enum { VERSION_MAX = 40 };

/* What was found of one row of the table. */
struct found {
        unsigned imports;
        void (*before)(void);      /* NULL: not bound yet */
        char version[VERSION_MAX]; /* "": none */
};

struct inject {
        const void *id;
        const struct green_patch_symbol *table;
        struct found *found;
        bool change;
        bool there; /* the object is */
        int changed;
};

static bool
object(const struct patch_object *o, void *arg)
{
        struct inject *inject = arg;

        if (o->id != inject->id)
                return false;
        inject->there = true;
        return true;
}

static void (*import(const struct patch_object *o, const struct patch_import *i, void *arg))(void)
{
        struct inject *inject = arg;
        const struct green_patch_symbol *row = inject->table;
        struct found *found;

        while (row->name != NULL && strcmp(row->name, i->name) != 0)
                row++;
        if (row->name == NULL || i->now == row->replacement)
                return NULL;
        if (inject->change) {
                inject->changed++;
                return row->replacement;
        }
        found = &inject->found[row - inject->table];
        found->imports++;
        if (!i->own || green__patch_is_injected(o->id, i->now)) {
                found->before = i->now;
                return NULL;
        }
        for (size_t n = 0; i->version != NULL && n + 1 < sizeof found->version && i->version[n] != '\0'; n++)
                found->version[n] = i->version[n];
        return NULL;
}

/* Between the two looks, without the lock. */
static void
give_originals(const struct inject *inject)
{
        for (size_t i = 0; inject->table[i].name != NULL; i++) {
                const struct green_patch_symbol *row = &inject->table[i];
                struct found *found = &inject->found[i];

                if (found->imports == 0)
                        continue;
                if (found->before == NULL)
                        found->before = green__patch_bound(row->name, *found->version == '\0' ? NULL : found->version);
                if (row->ret_original != NULL)
                        *row->ret_original = found->before;
        }
}

/* They are remembered, as one that is in the object itself looks like code of the loader's. */
static int
remember(const struct inject *inject)
{
        for (size_t i = 0; inject->table[i].name != NULL; i++) {
                if (inject->found[i].imports > 0 &&
                    green__patch_add_injected(inject->id, inject->table[i].replacement) != 0)
                        return -ENOMEM;
        }
        return 0;
}

static int
look_twice(struct inject *inject, char failed[PATCH_NAME_MAX])
{
        const struct patch_visitor visitor = {object, import, inject};
        int rc;

        green__patch_enter();
        rc = green__patch_visit(&visitor, failed);
        if (rc == 0 && inject->there)
                rc = remember(inject);
        green__patch_leave();
        if (rc != 0)
                return rc;
        if (!inject->there)
                return -ENOENT;
        give_originals(inject);
        inject->change = true;
        green__patch_enter();
        rc = green__patch_visit(&visitor, failed);
        green__patch_leave();
        return rc;
}

int
green_inject(void *handle, const struct green_patch_symbol *table)
{
        struct inject inject = {.table = table};
        char failed[PATCH_NAME_MAX] = "";
        size_t n = 0;
        int rc;

        while (table != NULL && table[n].name != NULL && table[n].replacement != NULL)
                n++;
        if (table == NULL || table[n].name != NULL)
                return green_set_error(-EINVAL, "green_inject(): no table, or a symbol without replacement");
        if (n == 0)
                return 0;
        inject.found = green_calloc(n, sizeof *inject.found);
        if (inject.found == NULL)
                return green_set_error(-ENOMEM, NULL);
        inject.id = green__patch_id_of_handle(handle);
        rc = inject.id == NULL ? -ENOENT : look_twice(&inject, failed);
        green_free(inject.found);
        if (rc == -ENOENT)
                return green_set_error(rc, "green_inject(): not a handle of anything that is loaded");
        return rc == 0 ? inject.changed : green_set_error(rc, "the imports of %s: %s", failed, green_strerror(rc));
}
