/* Replacements: poll(), select(), epoll_wait(). */
#include <config.h>

#include "patch_priv.h"

const struct patch_entry green__patch_poll[] = {
        PATCH_ENTRIES_END,
};
