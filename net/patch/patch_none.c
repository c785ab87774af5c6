/* A system whose imports cannot be changed, or nobody knows how yet. See patch_object.h. */
#include <config.h>

#include <errno.h>
#include <stdio.h>

#include "patch_object.h"
#include "patch_priv.h"

const struct patch_entry green__patch_dl[] = {
        PATCH_ENTRIES_END,
};

int
green__patch_visit(const struct patch_visitor *v, char failed[PATCH_NAME_MAX])
{
        (void)v;
        (void)failed;
        return -ENOTSUP;
}

uint64_t
green__patch_loads(void)
{
        return 0;
}

void *
green__patch_load(const char *file, char *why, size_t size)
{
        (void)file;
        (void)snprintf(why, size, "what programs import cannot be changed here");
        return NULL;
}

void
green__patch_unload(void *handle)
{
        (void)handle;
}

const void *
green__patch_id_of_handle(void *handle)
{
        (void)handle;
        return NULL;
}

const void *
green__patch_id_of_address(const void *address)
{
        (void)address;
        return NULL;
}

void (*green__patch_sys(const char *name))(void)
{
        (void)name;
        return NULL;
}

void (*green__patch_bound(const char *name, const char *version))(void)
{
        (void)name;
        (void)version;
        return NULL;
}
