/*
 * Modules on POSIX systems: shared objects, dlopen(), and the folder that they stand in. See module_priv.h.
 */
#include "config.h"

#include "module_priv.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/auxv.h>
#endif

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
        if (green__sys_is_secure() || dladdr(folder, &info) == 0 || info.dli_fname == NULL)
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
green_module_folder(void)
{
        pthread_once(&folder_once, find_folder);
        return folder;
}

void *
green__sys_module_load(const char *path, char *why, size_t len)
{
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

        if (handle == NULL)
                snprintf(why, len, "it cannot be loaded: %s", dlerror());
        return handle;
}

const void *
green__sys_module_symbol(void *handle, const char *symbol)
{
        return dlsym(handle, symbol);
}

void
green__sys_module_unload(void *handle)
{
        dlclose(handle);
}

bool
green__sys_is_path(const char *spec, size_t len)
{
        return memchr(spec, '/', len) != NULL;
}

bool
green__sys_module_exists(const char *path)
{
        return access(path, F_OK) == 0;
}

void
green__sys_module_each(void (*fn)(void *arg, const char *file), void *arg)
{
        const struct dirent *entry;
        DIR *dir = opendir(green_module_folder());

        if (dir == NULL)
                return;
        while ((entry = readdir(dir)) != NULL)
                fn(arg, entry->d_name);
        closedir(dir);
}

bool
green__sys_is_secure(void)
{
#if defined(__linux__)
        return getauxval(AT_SECURE) != 0;
#else
        return issetugid() != 0;
#endif
}
