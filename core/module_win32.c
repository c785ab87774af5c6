/*
 * Modules on Windows: DLLs, LoadLibraryEx(), and the folder that they stand in. See module_priv.h.
 *
 * Paths may have either separator; those made here have '/'. They are in the process's code page, as elsewhere in C.
 */
#include "config.h"

#include "module_priv.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <windows.h>

#define GREEN__LIBRARY_PREFIX "libgreen-core"

static char folder[PATH_MAX];
static pthread_once_t folder_once = PTHREAD_ONCE_INIT;

static void
forward_slashes(char *path)
{
        for (; *path != '\0'; path++)
                if (*path == '\\')
                        *path = '/';
}

/* The file that this function is in, and where its name begins in there. False: it is not known. */
static bool
own_file(char *path, DWORD size, char **ret_name)
{
        const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
        HMODULE module;
        DWORD len;
        char *slash;

        if (!GetModuleHandleExA(flags, (const char *)(uintptr_t)own_file, &module))
                return false;
        len = GetModuleFileNameA(module, path, size);
        if (len == 0 || len >= size)
                return false;
        forward_slashes(path);
        slash = strrchr(path, '/');
        if (slash == NULL)
                return false;
        *ret_name = slash + 1;
        return true;
}

/*
 * DLLs lie where programs do. So the package's folder is beside the library, or in `lib` beside the folder `bin` of an
 * installed tree. A program that has the library linked in looks where it was configured to be.
 */
static void
find_folder(void)
{
        static const char *const places[] = {"", "../lib/"};
        char path[PATH_MAX], *name;

        for (size_t i = 0; own_file(path, sizeof path, &name) && i < sizeof places / sizeof places[0]; i++) {
                int n;

                if (strncmp(name, GREEN__LIBRARY_PREFIX, strlen(GREEN__LIBRARY_PREFIX)) != 0)
                        break;
                n = snprintf(folder, sizeof folder, "%.*s%s%s", (int)(name - path), path, places[i],
                             strrchr(GREEN_PKGLIBDIR, '/') + 1);
                if (n > 0 && n < (int)sizeof folder && green__sys_module_exists(folder))
                        return;
        }
        snprintf(folder, sizeof folder, "%s", GREEN_PKGLIBDIR);
}

const char *
green_module_folder(void)
{
        pthread_once(&folder_once, find_folder);
        return folder;
}

/* DLLs that it needs are looked for beside it too, and never in the current folder. */
void *
green__sys_module_load(const char *path, char *why, size_t len)
{
        const DWORD flags = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
        char whole[PATH_MAX], text[200] = "";
        DWORD n = GetFullPathNameA(path, sizeof whole, whole, NULL), code;
        HMODULE module = n == 0 || n >= sizeof whole ? NULL : LoadLibraryExA(whole, NULL, flags);

        if (module != NULL)
                return module;
        code = GetLastError();
        n = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, code, 0, text, sizeof text, NULL);
        while (n > 0 && (unsigned char)text[n - 1] <= ' ')
                text[--n] = '\0';
        snprintf(why, len, "it cannot be loaded: %s (%lu)", text, (unsigned long)code);
        return NULL;
}

const void *
green__sys_module_symbol(void *handle, const char *symbol)
{
        return (const void *)(uintptr_t)GetProcAddress(handle, symbol);
}

void
green__sys_module_unload(void *handle)
{
        FreeLibrary(handle);
}

bool
green__sys_is_path(const char *spec, size_t len)
{
        return memchr(spec, '/', len) != NULL || memchr(spec, '\\', len) != NULL;
}

bool
green__sys_module_exists(const char *path)
{
        return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

void
green__sys_module_each(void (*fn)(void *arg, const char *file), void *arg)
{
        char pattern[PATH_MAX];
        WIN32_FIND_DATAA entry;
        HANDLE dir;

        if (snprintf(pattern, sizeof pattern, "%s/*", green_module_folder()) >= (int)sizeof pattern)
                return;
        dir = FindFirstFileA(pattern, &entry);
        if (dir == INVALID_HANDLE_VALUE)
                return;
        do
                fn(arg, entry.cFileName);
        while (FindNextFileA(dir, &entry));
        FindClose(dir);
}

/* Programs do not get rights from their file here. */
bool
green__sys_is_secure(void)
{
        return false;
}
