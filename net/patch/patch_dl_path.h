/* Loading as another object would. In patch_dl_path.c. */
#ifndef GREEN_PATCH_DL_PATH_H
#define GREEN_PATCH_DL_PATH_H

#include <green/base.h>

/* dlopen(), called from where caller points to. */
void *green__patch_dlopen_as(const void *caller, const char *file, int mode);

/* dlsym(), or dlvsym() with a version, called from there. */
void *green__patch_dlsym_as(const void *caller, void *handle, const char *name, const char *version);

#endif
