/*
 * Loading and looking up as another object would: the loader goes by who calls it.
 *
 * A name without a slash is looked for in the folders that the caller's file names (DT_RPATH, DT_RUNPATH), and $ORIGIN
 * is its folder. Here these are read and tried, in the loader's order; what comes after them is the same for everyone.
 * Not done: $LIB and $PLATFORM, folders of processors inside those folders, DT_RPATH of those who loaded the caller.
 *
 * RTLD_DEFAULT goes on with what the caller was loaded with, RTLD_NEXT begins after it.
 */
#include <config.h>

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "patch_dl_path.h"
#include "patch_elf.h"

/* ---- the caller */

struct caller {
        uintptr_t address;
        bool later;            /* not the first object, which is the program */
        char origin[PATH_MAX]; /* its folder */
        char rpath[PATH_MAX], runpath[PATH_MAX];
        const void *id;
};

static void
copy(char *to, const char *from)
{
        (void)snprintf(to, PATH_MAX, "%s", from);
}

static void
find_origin(struct caller *c, const struct elf_view *v)
{
        char *slash;
        ssize_t n = 0;

        if (v->object.program)
                n = readlink("/proc/self/exe", c->origin, sizeof c->origin - 1);
        if (n > 0)
                c->origin[n] = '\0';
        else
                copy(c->origin, v->object.name);
        slash = strrchr(c->origin, '/');
        if (slash != NULL)
                *slash = '\0';
        else
                copy(c->origin, ".");
}

static int
look_for_caller(struct dl_phdr_info *info, size_t size, void *arg)
{
        struct caller *c = arg;
        struct elf_view v;

        (void)size;
        if (!green__elf_view(&v, info, !c->later) || !green__elf_holds(&v, c->address, false)) {
                c->later = true;
                return 0;
        }
        c->id = v.object.id;
        for (const ElfW(Dyn) *dyn = c->id; dyn->d_tag != DT_NULL; dyn++) {
                if (dyn->d_tag == DT_RPATH)
                        copy(c->rpath, v.str + dyn->d_un.d_val);
                else if (dyn->d_tag == DT_RUNPATH)
                        copy(c->runpath, v.str + dyn->d_un.d_val);
        }
        find_origin(c, &v);
        return 1;
}

static void
find_caller(struct caller *c, const void *address)
{
        memset(c, 0, sizeof *c);
        c->address = (uintptr_t)address;
        (void)dl_iterate_phdr(look_for_caller, c);
}

/* ---- dlopen() */

/* With $ORIGIN filled in. False: it does not fit, or has something else in it. */
static bool
expand(const struct caller *c, const char *from, size_t len, char to[PATH_MAX])
{
        size_t n = 0;

        for (size_t i = 0; i < len;) {
                size_t skip = strncmp(from + i, "$ORIGIN", 7) == 0 ? 7 : strncmp(from + i, "${ORIGIN}", 9) == 0 ? 9 : 0;

                if (skip > 0 && i + skip <= len) {
                        n += (size_t)snprintf(to + n, PATH_MAX - n, "%s", c->origin);
                        i += skip;
                } else if (from[i] == '$') {
                        return false;
                } else {
                        to[n++] = from[i++];
                }
                if (n >= PATH_MAX)
                        return false;
        }
        to[n] = '\0';
        return true;
}

/* The first of these folders that has the file; false: none. */
static bool
search(const struct caller *c, const char *folders, const char *file, char path[PATH_MAX])
{
        char folder[PATH_MAX];

        while (folders != NULL && *folders != '\0') {
                size_t len = strcspn(folders, ":;");

                if (len > 0 && expand(c, folders, len, folder) &&
                    snprintf(path, PATH_MAX, "%s/%s", folder, file) < PATH_MAX && access(path, R_OK) == 0)
                        return true;
                folders += len;
                folders += *folders != '\0';
        }
        return false;
}

void *
green__patch_dlopen_as(const void *caller, const char *file, int mode)
{
        char path[PATH_MAX];
        struct caller c;
        void *handle;

        /* A set-user-ID program trusts no folders but the system's. */
        if (file == NULL || *file == '\0' || green__patch_is_secure())
                return dlopen(file, mode);
        if (strchr(file, '/') != NULL) {
                if (strchr(file, '$') == NULL)
                        return dlopen(file, mode);
                find_caller(&c, caller);
                return dlopen(expand(&c, file, strlen(file), path) ? path : file, mode);
        }
        find_caller(&c, caller);
        if (*c.rpath == '\0' && *c.runpath == '\0')
                return dlopen(file, mode);
        handle = dlopen(file, mode | RTLD_NOLOAD);
        if (handle != NULL)
                return handle;
        if (*c.runpath == '\0' ? search(&c, c.rpath, file, path)
                               : search(&c, getenv("LD_LIBRARY_PATH"), file, path) || search(&c, c.runpath, file, path))
                return dlopen(path, mode);
        return dlopen(file, mode);
}

/* ---- dlsym() */

static void *
look_up(void *handle, const char *name, const char *version)
{
#if HAVE_DLVSYM
        if (version != NULL)
                return dlvsym(handle, name, version);
#endif
        (void)version;
        return dlsym(handle, name);
}

struct next {
        const void *caller;
        const char *name;
        bool passed;
        char file[PATH_MAX]; /* of the first object after the caller that defines it; "": none */
};

static int
look_for_next(struct dl_phdr_info *info, size_t size, void *arg)
{
        struct next *next = arg;
        struct elf_view v;

        (void)size;
        if (!green__elf_view(&v, info, false))
                return 0;
        if (!next->passed) {
                next->passed = v.object.id == next->caller;
                return 0;
        }
        if (!green__elf_defines(&v, next->name))
                return 0;
        copy(next->file, v.object.name);
        return 1;
}

/* What was loaded after the caller; and where it was loaded by dlopen(), what it was loaded with. */
static void *
look_up_next(const struct caller *c, void *own, const char *name, const char *version)
{
        struct next next = {.caller = c->id, .name = name};
        void *handle, *symbol = NULL;

        (void)dl_iterate_phdr(look_for_next, &next);
        handle = *next.file == '\0' ? NULL : dlopen(next.file, RTLD_LAZY | RTLD_NOLOAD);
        if (handle != NULL) {
                symbol = look_up(handle, name, version);
                (void)dlclose(handle);
        }
        if (symbol == NULL && own != NULL)
                symbol = look_up(own, name, version);
        if (symbol != NULL && green__patch_id_of_address(symbol) != c->id)
                return symbol;
        symbol = look_up(RTLD_DEFAULT, name, version);
        return symbol != NULL && green__patch_id_of_address(symbol) == c->id ? NULL : symbol;
}

void *
green__patch_dlsym_as(const void *caller, void *handle, const char *name, const char *version)
{
        struct caller c;
        Dl_info info;
        void *own = NULL, *symbol;

        if (handle != RTLD_DEFAULT && handle != RTLD_NEXT)
                return look_up(handle, name, version);
        symbol = handle == RTLD_DEFAULT ? look_up(handle, name, version) : NULL;
        if (symbol != NULL)
                return symbol;
        find_caller(&c, caller);
        if (dladdr(caller, &info) != 0 && info.dli_fname != NULL)
                own = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
        if (handle == RTLD_NEXT)
                symbol = look_up_next(&c, own, name, version);
        else if (own != NULL)
                symbol = look_up(own, name, version);
        if (own != NULL)
                (void)dlclose(own);
        /* As seen from here, which is where libc comes next; or for what dlerror() says. */
        if (symbol == NULL)
                symbol = look_up(handle, name, version);
        if (symbol != NULL && handle == RTLD_NEXT && green__patch_id_of_address(symbol) == c.id)
                symbol = NULL;
        if (symbol != NULL)
                (void)dlerror();
        return symbol;
}
