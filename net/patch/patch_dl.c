/* Replacements: dlopen(), dlsym(). */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_dl[] = {
        PATCH_ENTRIES_END,
};
