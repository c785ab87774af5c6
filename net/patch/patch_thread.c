/* Replacements: threads, their keys, once. */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_thread[] = {
        PATCH_ENTRIES_END,
};
