/*
 * Modules of hubs on POSIX systems: shared objects loaded with dlopen().
 */
#include "config.h"

#include "hub_load.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/auxv.h>
#endif

#define GREEN__MODULE_PREFIX "hub_"
#define GREEN__MODULE_SUFFIX ".so"

const void *
green__hub_module_open(const char *path, void **ret_handle, char *why, size_t len)
{
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        const void *table;

        if (handle == NULL) {
                snprintf(why, len, "it cannot be loaded: %s", dlerror());
                return NULL;
        }
        table = dlsym(handle, "green_hub_module");
        if (table == NULL) {
                snprintf(why, len, "it is no hub: it has no green_hub_module");
                dlclose(handle);
                return NULL;
        }
        *ret_handle = handle;
        return table;
}

void
green__hub_module_close(void *handle)
{
        dlclose(handle);
}

int
green__hub_module_path(char *path, size_t len, const char *name)
{
        return snprintf(path, len, "%s/" GREEN__MODULE_PREFIX "%s" GREEN__MODULE_SUFFIX, GREEN_PKGLIBDIR, name);
}

bool
green__hub_module_exists(const char *path)
{
        return access(path, F_OK) == 0;
}

void
green__hub_module_each(void (*fn)(void *arg, const char *name, size_t len), void *arg)
{
        const size_t prefix = strlen(GREEN__MODULE_PREFIX);
        const size_t suffix = strlen(GREEN__MODULE_SUFFIX);
        const struct dirent *entry;
        DIR *folder = opendir(GREEN_PKGLIBDIR);

        if (folder == NULL)
                return;
        while ((entry = readdir(folder)) != NULL) {
                const char *file = entry->d_name;
                size_t len = strlen(file);

                if (len <= prefix + suffix || strncmp(file, GREEN__MODULE_PREFIX, prefix) != 0 ||
                    strcmp(file + len - suffix, GREEN__MODULE_SUFFIX) != 0)
                        continue;
                fn(arg, file + prefix, len - prefix - suffix);
        }
        closedir(folder);
}

bool
green__process_is_secure(void)
{
#if defined(__linux__)
        return getauxval(AT_SECURE) != 0;
#else
        return issetugid() != 0;
#endif
}
