/*
 * Where nothing stands for calls on descriptors and for signal handlers: on systems other than Linux.
 */
#include <config.h>

#include "patch_signal.h"

atomic_bool green__patch_has_handlers;

unsigned
green__patch_run_handler(int sig)
{
        (void)sig;
        return 0;
}

const struct patch_entry green__patch_fd[] = {PATCH_ENTRIES_END};
const struct patch_entry green__patch_poll[] = {PATCH_ENTRIES_END};
const struct patch_entry green__patch_signal[] = {PATCH_ENTRIES_END};
