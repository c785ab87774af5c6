/*
 * Modules of hubs on POSIX systems: shared objects loaded with dlopen().
 */
#include "config.h"

#include "hub_load.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/auxv.h>
#endif

#define GREEN__MODULE_PREFIX "hub_"
#define GREEN__MODULE_SUFFIX ".so"
#define GREEN__LIBRARY_PREFIX "libgreen-core."

static char folder[PATH_MAX];
static pthread_once_t folder_once = PTHREAD_ONCE_INIT;

/*
 * An installed tree that was moved, or that lies below a DESTDIR, has the package's folder beside the library. Set-id
 * programs, and those that have the library linked in, look where it was configured to be.
 */
static void
find_folder(void)
{
        const char *base;
        Dl_info info;
        int n;

        snprintf(folder, sizeof folder, "%s", GREEN_PKGLIBDIR);
        if (green__process_is_secure() || dladdr(folder, &info) == 0 || info.dli_fname == NULL)
                return;
        base = strrchr(info.dli_fname, '/');
        if (info.dli_fname[0] != '/' || strncmp(base + 1, GREEN__LIBRARY_PREFIX, strlen(GREEN__LIBRARY_PREFIX)) != 0)
                return;
        n = snprintf(folder, sizeof folder, "%.*s%s", (int)(base - info.dli_fname), info.dli_fname,
                     strrchr(GREEN_PKGLIBDIR, '/'));
        if (n < 0 || n >= (int)sizeof folder || access(folder, F_OK) != 0)
                snprintf(folder, sizeof folder, "%s", GREEN_PKGLIBDIR);
}

const char *
green__hub_module_folder(void)
{
        pthread_once(&folder_once, find_folder);
        return folder;
}

const void *
green__hub_module_open(const char *path, void **ret_handle, char *why, size_t len)
{
        const void *table;
        void *handle;

        if (!green__module_whole(path, why, len))
                return NULL;
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
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
        return snprintf(path, len, "%s/" GREEN__MODULE_PREFIX "%s" GREEN__MODULE_SUFFIX, green__hub_module_folder(),
                        name);
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
        DIR *dir = opendir(green__hub_module_folder());

        if (dir == NULL)
                return;
        while ((entry = readdir(dir)) != NULL) {
                const char *file = entry->d_name;
                size_t len = strlen(file);

                if (len <= prefix + suffix || strncmp(file, GREEN__MODULE_PREFIX, prefix) != 0 ||
                    strcmp(file + len - suffix, GREEN__MODULE_SUFFIX) != 0)
                        continue;
                fn(arg, file + prefix, len - prefix - suffix);
        }
        closedir(dir);
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
