/*
 * Drivers are modules: db_NAME.so. See <green/db_driver.h>.
 */
#include "db_priv.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <green/module.h>

/* The first function that a table lacks, or NULL. */
static const char *
missing_function(const struct green_db_driver *d)
{
        const bool pipeline = d->pipeline_begin != NULL, copy = d->copy_begin != NULL;
        const struct {
                const char *name;
                bool there;
        } rows[] = {
                {"version", d->version != NULL},
                {"connect", d->connect != NULL},
                {"close", d->close != NULL},
                {"in_transaction", d->in_transaction != NULL},
                {"query", d->query != NULL},
                {"fetch", d->fetch != NULL},
                {"unprepare", d->unprepare != NULL || d->prepare == NULL},
                {"command", d->command != NULL},
                {"info", d->info != NULL},
                {"literal", d->literal != NULL},
                {"pipeline_begin", pipeline || (d->send == NULL && d->receive == NULL && d->pipeline_end == NULL)},
                {"send", d->send != NULL || !pipeline},
                {"receive", d->receive != NULL || !pipeline},
                {"pipeline_end", d->pipeline_end != NULL || !pipeline},
                {"copy_begin", copy || (d->copy_put == NULL && d->copy_get == NULL && d->copy_end == NULL)},
                {"copy_put", d->copy_put != NULL || !copy},
                {"copy_get", d->copy_get != NULL || !copy},
                {"copy_end", d->copy_end != NULL || !copy},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                if (!rows[i].there)
                        return rows[i].name;
        return NULL;
}

static bool
check(const void *table, const char *name, char *why, size_t len)
{
        const struct green_db_driver *d = table;
        const char *missing = missing_function(d);

        if (name != NULL && strcmp(d->name, name) != 0) {
                snprintf(why, len, "it calls itself \"%.32s\"", d->name);
                return false;
        }
        if (missing != NULL)
                snprintf(why, len, "its table has no %s()", missing);
        else if ((d->features & ~GREEN_DB_BLOCKS) != 0)
                snprintf(why, len, "it has features that are not known here: %#x", d->features);
        else
                return true;
        return false;
}

_Static_assert(offsetof(struct green_db_driver, abi) == offsetof(struct green_module_head, abi) &&
                       offsetof(struct green_db_driver, size) == offsetof(struct green_module_head, size) &&
                       offsetof(struct green_db_driver, name) == offsetof(struct green_module_head, name),
               "a driver's table begins as those of all modules");

const struct green_db_driver *
green__db_driver_get(const char *spec)
{
        static const struct green_module_hint hints[] = {
                {"sqlite", "its module is not installed, or not part of this build (configure --with-db-sqlite)"},
                {"postgres", "its module is not installed, or not part of this build (configure --with-db-postgres)"},
                {"mariadb", "its module is not installed, or not part of this build (configure --with-db-mariadb)"},
                {"postgresql", "its name is \"postgres\""},
                {"mysql", "its name is \"mariadb\""},
                {NULL, NULL},
        };
        static const struct green_module_kind kind = {
                .size = sizeof kind,
                .what = "database driver",
                .prefix = "db_",
                .symbol = "green_db_module",
                .abi = GREEN_DB_DRIVER_ABI,
                .table_size = sizeof(struct green_db_driver),
                .code = GREEN_EDBDRIVER,
                .hints = hints,
                .check = check,
        };
        struct green_module module;

        return green_module_open(&kind, spec, &module) == 0 ? module.table : NULL;
}
