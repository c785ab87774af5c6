/*
 * Imports of Windows modules: the import table of each has the names of what it calls, and beside them the cells that
 * the loader has filled in. See patch_object.h. They are bound at start, have no versions, and cells lie in pages that
 * are read-only: opened for the store, and closed again.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <windows.h>

#include <psapi.h>

#include "../wide_win32.h"
#include "patch_object.h"
#include "patch_priv.h"

enum { MODULES = 1024 };

/* Nothing stands for Windows' functions yet. */
const struct patch_entry green__patch_dl[] = {
        PATCH_ENTRIES_END,
};

/* Where functions of C and of sockets are. */
static const char *const libraries[] = {"ws2_32.dll", "ucrtbase.dll", "msvcrt.dll", "kernel32.dll", NULL};

/* Windows' own, which call one another. */
static const char *const system_names[] = {"ntdll.dll",  "kernel32.dll", "kernelbase.dll", "ws2_32.dll", "mswsock.dll",
                                           "msvcrt.dll", "ucrtbase.dll", "user32.dll",     "gdi32.dll",  NULL};

/* ---- the file of a module, as it lies in memory */

static const void *
at(HMODULE module, DWORD offset)
{
        return (const char *)module + offset;
}

static const IMAGE_DATA_DIRECTORY *
directory(HMODULE module, unsigned which)
{
        const IMAGE_DOS_HEADER *dos = at(module, 0);
        const IMAGE_NT_HEADERS *nt;

        if (dos->e_magic != IMAGE_DOS_SIGNATURE)
                return NULL;
        nt = at(module, (DWORD)dos->e_lfanew);
        if (nt->Signature != IMAGE_NT_SIGNATURE || which >= nt->OptionalHeader.NumberOfRvaAndSizes)
                return NULL;
        return nt->OptionalHeader.DataDirectory[which].Size == 0 ? NULL : &nt->OptionalHeader.DataDirectory[which];
}

static void (*as_function(FARPROC symbol))(void)
{
        void (*fn)(void) = NULL;

        memcpy(&fn, &symbol, sizeof fn);
        return fn;
}

/* ---- one module */

static int
store(IMAGE_THUNK_DATA *cell, void (*fn)(void))
{
        DWORD before, ignored;

        if (!VirtualProtect(cell, sizeof *cell, PAGE_READWRITE, &before))
                return -EACCES;
        __atomic_store_n(&cell->u1.Function, (ULONG_PTR)fn, __ATOMIC_RELEASE);
        return VirtualProtect(cell, sizeof *cell, before, &ignored) ? 0 : -EACCES;
}

static int
look_at_library(HMODULE module, const IMAGE_IMPORT_DESCRIPTOR *d, const struct patch_object *o,
                const struct patch_visitor *v)
{
        const IMAGE_THUNK_DATA *names = at(module, d->OriginalFirstThunk);
        IMAGE_THUNK_DATA *cells = (IMAGE_THUNK_DATA *)at(module, d->FirstThunk);
        int rc = 0;

        for (size_t i = 0; names[i].u1.AddressOfData != 0 && cells[i].u1.Function != 0; i++) {
                const IMAGE_IMPORT_BY_NAME *name;
                struct patch_import import = {0};
                void (*fn)(void);
                int stored;

                /* By its number: it has no name here. */
                if (IMAGE_SNAP_BY_ORDINAL(names[i].u1.Ordinal))
                        continue;
                name = at(module, (DWORD)names[i].u1.AddressOfData);
                import.name = (const char *)name->Name;
                import.now = (void (*)(void))(uintptr_t)__atomic_load_n(&cells[i].u1.Function, __ATOMIC_RELAXED);
                fn = v->import(o, &import, v->arg);
                stored = fn == NULL ? 0 : store(&cells[i], fn);
                rc = rc != 0 ? rc : stored;
        }
        return rc;
}

static int
look_at(HMODULE module, const struct patch_object *o, const struct patch_visitor *v)
{
        const IMAGE_DATA_DIRECTORY *imports = directory(module, IMAGE_DIRECTORY_ENTRY_IMPORT);
        const IMAGE_IMPORT_DESCRIPTOR *d = imports == NULL ? NULL : at(module, imports->VirtualAddress);
        int rc = 0;

        for (; d != NULL && d->Name != 0; d++) {
                int library = d->OriginalFirstThunk == 0 ? 0 : look_at_library(module, d, o, v);

                rc = rc != 0 ? rc : library;
        }
        return rc;
}

static bool
is_system(const char *file)
{
        const char *slash = strrchr(file, '\\');

        for (size_t i = 0; system_names[i] != NULL; i++) {
                if (_stricmp(slash == NULL ? file : slash + 1, system_names[i]) == 0)
                        return true;
        }
        return false;
}

static bool
is_exempt(HMODULE module, const char *file)
{
        HMODULE own = NULL;

        if (GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                               (LPCSTR)(void *)system_names, &own) &&
            own == module)
                return true;
        if (is_system(file) || green__patch_exempt_name(file))
                return true;
        for (const char *const *name = green__patch_exempt_symbols; *name != NULL; name++) {
                if (GetProcAddress(module, *name) != NULL)
                        return true;
        }
        return false;
}

/* ---- all of them */

int
green__patch_visit(const struct patch_visitor *v, char failed[PATCH_NAME_MAX])
{
        static HMODULE modules[MODULES];
        HMODULE program = GetModuleHandleA(NULL);
        DWORD bytes = 0;
        int rc = 0;

        if (!EnumProcessModules(GetCurrentProcess(), modules, sizeof modules, &bytes))
                return -ENOTSUP;
        for (DWORD i = 0; i < bytes / sizeof *modules && i < MODULES; i++) {
                char file[MAX_PATH] = "";
                struct patch_object o = {.name = file, .id = modules[i], .program = modules[i] == program};
                int code;

                (void)GetModuleFileNameA(modules[i], file, sizeof file - 1);
                o.exempt = is_exempt(modules[i], file);
                o.allocates = !o.exempt && !o.program && GetProcAddress(modules[i], "malloc") != NULL;
                if (!v->object(&o, v->arg))
                        continue;
                code = look_at(modules[i], &o, v);
                if (code != 0 && rc == 0) {
                        rc = code;
                        (void)snprintf(failed, PATCH_NAME_MAX, "%s", file);
                }
        }
        return rc;
}

uint64_t
green__patch_loads(void)
{
        return 0;
}

void *
green__patch_load(const char *file, char *why, size_t size)
{
        wchar_t wide[GREEN__WIDE_SIZE];
        HMODULE module = green__wide_name(file, wide) == 0 ? LoadLibraryW(wide) : NULL;

        if (module == NULL)
                (void)snprintf(why, size, "it cannot be loaded: error %lu of the system", GetLastError());
        return module;
}

void
green__patch_unload(void *handle)
{
        (void)FreeLibrary(handle);
}

const void *
green__patch_id_of_handle(void *handle)
{
        return handle == NULL ? GetModuleHandleA(NULL) : directory(handle, 0) == NULL ? NULL : handle;
}

const void *
green__patch_id_of_address(const void *address)
{
        HMODULE module = NULL;

        (void)GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                                 address, &module);
        return module;
}

void (*green__patch_sys(const char *name))(void)
{
        for (size_t i = 0; libraries[i] != NULL; i++) {
                HMODULE module = GetModuleHandleA(libraries[i]);
                FARPROC symbol = module == NULL ? NULL : GetProcAddress(module, name);

                if (symbol != NULL)
                        return as_function(symbol);
        }
        return NULL;
}

void (*green__patch_bound(const char *name, const char *version))(void)
{
        (void)version;
        return green__patch_sys(name);
}
