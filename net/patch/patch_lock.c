/* Replacements: mutexes to semaphores. */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_lock[] = {
        PATCH_ENTRIES_END,
};
