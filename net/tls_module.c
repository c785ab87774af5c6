/*
 * Modules of TLS back ends on POSIX systems: shared objects loaded with dlopen(), as those of hubs.
 */
#include <config.h>

#include "tls_module.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/auxv.h>
#endif

#define PREFIX "tls_"
#define SUFFIX ".so"
#define LIBRARY_PREFIX "libgreen-net."

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
        if (green__tls_is_secure() || dladdr(folder, &info) == 0 || info.dli_fname == NULL)
                return;
        base = strrchr(info.dli_fname, '/');
        if (info.dli_fname[0] != '/' || strncmp(base + 1, LIBRARY_PREFIX, strlen(LIBRARY_PREFIX)) != 0)
                return;
        n = snprintf(folder, sizeof folder, "%.*s%s", (int)(base - info.dli_fname), info.dli_fname,
                     strrchr(GREEN_PKGLIBDIR, '/'));
        if (n < 0 || n >= (int)sizeof folder || access(folder, F_OK) != 0)
                snprintf(folder, sizeof folder, "%s", GREEN_PKGLIBDIR);
}

const char *
green__tls_module_folder(void)
{
        pthread_once(&folder_once, find_folder);
        return folder;
}

bool
green__tls_module_path(char *path, size_t len, const char *name)
{
        int n = snprintf(path, len, "%s/" PREFIX "%s" SUFFIX, green__tls_module_folder(), name);

        return n > 0 && (size_t)n < len;
}

bool
green__tls_module_exists(const char *path)
{
        return access(path, F_OK) == 0;
}

const struct green__tls_backend *
green__tls_module_open(const char *path, void **ret_handle, char *why, size_t len)
{
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        const void *table;

        if (handle == NULL) {
                snprintf(why, len, "it cannot be loaded: %s", dlerror());
                return NULL;
        }
        table = dlsym(handle, "green_tls_module");
        if (table == NULL) {
                snprintf(why, len, "it is no TLS back end: it has no green_tls_module");
                dlclose(handle);
                return NULL;
        }
        *ret_handle = handle;
        return table;
}

void
green__tls_module_close(void *handle)
{
        dlclose(handle);
}

bool
green__tls_is_secure(void)
{
#if defined(__linux__)
        return getauxval(AT_SECURE) != 0;
#else
        return issetugid() != 0;
#endif
}
