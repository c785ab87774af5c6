/* Replacements: read() to ioctl(), sockets. */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_fd[] = {
        PATCH_ENTRIES_END,
};
