/* Finds loaded ELF objects, and symbols, by way of the loader. See patch_object.h. */
#include <config.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/auxv.h>
#endif

#include "patch_elf.h"

/* ---- objects */

static int
count_loads(struct dl_phdr_info *info, size_t size, void *arg)
{
        if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs)
                *(uint64_t *)arg = info->dlpi_adds + info->dlpi_subs;
        return 1;
}

uint64_t
green__patch_loads(void)
{
        uint64_t loads = 0;

        (void)dl_iterate_phdr(count_loads, &loads);
        return loads;
}

struct wanted {
        uintptr_t address;
        const void *handle;
        const struct link_map *first; /* of the loader's list, which has handles in it */
        const void *id;
};

static int
look_for_address(struct dl_phdr_info *info, size_t size, void *arg)
{
        struct wanted *wanted = arg;
        struct elf_view v;

        (void)size;
        if (!green__elf_view(&v, info, false) || !green__elf_holds(&v, wanted->address, false))
                return 0;
        wanted->id = v.object.id;
        return 1;
}

const void *
green__patch_id_of_address(const void *address)
{
        struct wanted wanted = {.address = (uintptr_t)address};

        (void)dl_iterate_phdr(look_for_address, &wanted);
        return wanted.id;
}

/* A handle is the address of an entry in the loader's list. It is looked for, as the caller may have closed it. */
static int
look_for_handle(struct dl_phdr_info *info, size_t size, void *arg)
{
        struct wanted *wanted = arg;

        (void)info;
        (void)size;
        for (const struct link_map *l = wanted->first; l != NULL && wanted->id == NULL; l = l->l_next) {
                if (l == wanted->handle)
                        wanted->id = l->l_ld;
        }
        return 1;
}

void *
green__patch_load(const char *file, char *why, size_t size)
{
        void *handle = dlopen(file, RTLD_LAZY);
        const char *error = handle == NULL ? dlerror() : NULL;

        if (handle == NULL)
                (void)snprintf(why, size, "%s", error == NULL ? "it cannot be loaded" : error);
        return handle;
}

void
green__patch_unload(void *handle)
{
        (void)dlclose(handle);
}

const void *
green__patch_id_of_handle(void *handle)
{
        struct wanted wanted = {.handle = handle};
        void *program = dlopen(NULL, RTLD_LAZY);
        struct link_map *map = NULL;

        if (program == NULL || dlinfo(program, RTLD_DI_LINKMAP, &map) != 0)
                return NULL;
        if (handle == NULL)
                return map->l_ld;
        wanted.first = map;
        (void)dl_iterate_phdr(look_for_handle, &wanted);
        return wanted.id;
}

/* ---- symbols */

/* What dlsym() gives is no pointer to a function, to C. */
static void (*as_function(void *symbol))(void)
{
        void (*fn)(void) = NULL;

        memcpy(&fn, &symbol, sizeof fn);
        return fn;
}

/* The system's library, whatever was loaded before it. */
static void *
libc_handle(void)
{
        void *start = dlsym(RTLD_DEFAULT, "__libc_start_main");
        Dl_info info;

        if (start == NULL || dladdr(start, &info) == 0 || info.dli_fname == NULL)
                return NULL;
        return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

void (*green__patch_sys(const char *name))(void)
{
        void *libc = libc_handle();
        void *symbol = libc == NULL ? NULL : dlsym(libc, name);

        if (libc != NULL)
                (void)dlclose(libc);
        return as_function(symbol != NULL ? symbol : dlsym(RTLD_DEFAULT, name));
}

void (*green__patch_bound(const char *name, const char *version))(void)
{
#if HAVE_DLVSYM
        if (version != NULL)
                return as_function(dlvsym(RTLD_DEFAULT, name, version));
#endif
        (void)version;
        return as_function(dlsym(RTLD_DEFAULT, name));
}

bool
green__patch_is_secure(void)
{
#if defined(__linux__)
        return getauxval(AT_SECURE) != 0;
#else
        return issetugid() != 0;
#endif
}
