/*
 * Where nothing stands for sleeping, for what asks for names and for waiting for children: there imports cannot be
 * changed, or not of the C library of POSIX systems.
 */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_time[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_dns[] = {
        PATCH_ENTRIES_END,
};

const struct patch_entry green__patch_process[] = {
        PATCH_ENTRIES_END,
};
