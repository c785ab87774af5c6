/*
 * Replacements: dlopen(), dlsym() and their kind. What a patched object loads is patched before it gets the handle, and
 * what it looks up is the replacement, in the groups that it has itself.
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/log.h>

#include "patch_debug.h"
#include "patch_dl_path.h"
#include "patch_pass.h"

/* ---- loading */

/* Objects that came with it get the groups of the one that has loaded them. */
static int
hand_on(const struct patch_ids *before, unsigned groups)
{
        struct patch_ids *after = green__patch_ids();
        int rc = before == NULL || after == NULL ? -ENOMEM : 0;

        for (size_t i = 0; rc == 0 && i < after->n; i++) {
                if (!green__patch_ids_have(before, after->at[i]))
                        rc = green__patch_add_object(after->at[i], groups);
        }
        green_free(after);
        return rc;
}

static void *
load(const void *caller, const char *file, int mode)
{
        unsigned groups = green__patch_object_groups(green__patch_id_of_address(caller));
        bool own = (groups & ~green__patch_process_groups()) != 0;
        struct patch_ids *before = own ? green__patch_ids() : NULL;
        void *handle = green__patch_dlopen_as(caller, file, mode);
        char failed[PATCH_NAME_MAX] = "";
        int saved = errno, rc = 0;

        if (handle != NULL) {
                if (own)
                        rc = hand_on(before, groups);
                if (rc == 0)
                        rc = green__patch_run(failed);
                green__patch_tell();
                /* It is loaded, and works; what it calls blocks. */
                if (rc != 0)
                        green_log(GREEN_LOG_WARNING, "green-net: the imports of %s: %s",
                                  *failed == '\0' ? file : failed, green_strerror(rc));
                (void)dlerror();
        }
        green_free(before);
        errno = saved;
        return handle;
}

static __attribute__((noinline)) void *
patch_dlopen(const char *file, int mode)
{
        return load(__builtin_return_address(0), file, mode);
}

#if HAVE_DLMOPEN
/* Another namespace has a libc of its own, and is not seen from here. */
static __attribute__((noinline)) void *
patch_dlmopen(Lmid_t space, const char *file, int mode)
{
        return space == LM_ID_BASE ? load(__builtin_return_address(0), file, mode) : dlmopen(space, file, mode);
}
#endif

/* ---- looking up */

static void *
replaced(const void *caller, const char *name, void *symbol)
{
        const struct patch_slot *slot = symbol == NULL ? NULL : green__patch_find(name);
        void *replacement;

        if (slot == NULL ||
            (memcmp(&symbol, &slot->sys, sizeof symbol) != 0 && memcmp(&symbol, &slot->bound, sizeof symbol) != 0))
                return symbol;
        if ((green__patch_object_groups(green__patch_id_of_address(caller)) & slot->entry->groups) == 0)
                return symbol;
        memcpy(&replacement, &slot->entry->fn, sizeof replacement);
        return replacement;
}

static __attribute__((noinline)) void *
patch_dlsym(void *handle, const char *name)
{
        const void *caller = __builtin_return_address(0);

        return replaced(caller, name, green__patch_dlsym_as(caller, handle, name, NULL));
}

#if HAVE_DLVSYM
static __attribute__((noinline)) void *
patch_dlvsym(void *handle, const char *name, const char *version)
{
        const void *caller = __builtin_return_address(0);

        return replaced(caller, name, green__patch_dlsym_as(caller, handle, name, version));
}
#endif

const struct patch_entry green__patch_dl[] = {
        PATCH_ENTRY("dlopen", patch_dlopen, GREEN_PATCH_ALL),
        PATCH_ENTRY("dlsym", patch_dlsym, GREEN_PATCH_ALL),
#if HAVE_DLMOPEN
        PATCH_ENTRY("dlmopen", patch_dlmopen, GREEN_PATCH_ALL),
#endif
#if HAVE_DLVSYM
        PATCH_ENTRY("dlvsym", patch_dlvsym, GREEN_PATCH_ALL),
#endif
        PATCH_ENTRIES_END,
};
