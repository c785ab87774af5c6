/* Where threads stay threads: no replacements for them. */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_thread[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_exit[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_thread_np[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_key[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_c11[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_lock[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_cond[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_rwlock[] = {
        PATCH_ENTRIES_END,
};

void
green__patch_testcancel(void)
{
}
