/* What the files of patch_process share. */
#ifndef GREEN_PATCH_PROCESS_H
#define GREEN_PATCH_PROCESS_H

#include "patch_priv.h"

/* patch_system.c: in place of system(). */
int green__patched_system(const char *command);

#endif
