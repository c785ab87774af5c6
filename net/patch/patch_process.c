/* Replacements: wait() and its kind. */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_process[] = {
        PATCH_ENTRIES_END,
};
