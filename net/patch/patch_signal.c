/* Replacements: sigaction(), signal(). */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_signal[] = {
        PATCH_ENTRIES_END,
};
