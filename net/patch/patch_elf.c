/*
 * Imports of ELF objects: the cells of memory that the loader has filled in by relocations with a symbol. See
 * patch_object.h.
 *
 * Everything is done inside dl_iterate_phdr(), where nothing is unloaded. Cells may lie in pages that the loader has
 * made read-only after it was done (RELRO): those are opened for the store, and closed again.
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "patch_elf.h"
#include "patch_elf_machine.h"

struct visit {
        const struct patch_visitor *visitor;
        char *failed; /* the object that result is about */
        int result;
        bool first; /* the program comes first */
        bool any;   /* there was one with imports */
};

/* ---- one object */

struct pages {
        bool open;
        int result;
};

static bool
open_pages(const struct elf_view *v, struct pages *pages)
{
        if (pages->open)
                return true;
        if (pages->result != 0)
                return false;
        if (mprotect((void *)v->relro_begin, v->relro_end - v->relro_begin, PROT_READ | PROT_WRITE) != 0)
                pages->result = -errno;
        pages->open = pages->result == 0;
        return pages->open;
}

static void
close_pages(const struct elf_view *v, struct pages *pages)
{
        if (pages->open && mprotect((void *)v->relro_begin, v->relro_end - v->relro_begin, PROT_READ) != 0)
                pages->result = -errno;
}

static void
store(const struct elf_view *v, ElfW(Addr) * cell, void (*fn)(void), struct pages *pages)
{
        uintptr_t at = (uintptr_t)cell;

        if (at >= v->relro_begin && at < v->relro_end && !open_pages(v, pages))
                return;
        __atomic_store_n(cell, (ElfW(Addr))(uintptr_t)fn, __ATOMIC_RELEASE);
}

/* The number of its symbol; 0: it has none, or is no address of a function that another object has. */
static size_t
symbol_of(const struct elf_view *v, const ElfW(Rela) * r)
{
        bool wide = sizeof(ElfW(Addr)) == 8;
        uint64_t info = r->r_info;
        size_t number = (size_t)(wide ? info >> 32 : info >> 8);
        unsigned type = (unsigned)(wide ? info & 0xffffffff : info & 0xff), kind;

        if (number == 0 || r->r_addend != 0 || (type != ELF_JUMP_SLOT && type != ELF_GLOB_DAT && type != ELF_ABSOLUTE))
                return 0;
        kind = v->sym[number].st_info & 0xf;
        /* What it defines itself is its own affair. */
        return v->sym[number].st_shndx == SHN_UNDEF && (kind == STT_FUNC || kind == STT_NOTYPE) ? number : 0;
}

static void
look_at(const struct elf_view *v, const struct patch_visitor *visitor, const ElfW(Rela) * r, struct pages *pages)
{
        size_t number = symbol_of(v, r);
        ElfW(Addr) *cell = (ElfW(Addr) *)(v->base + r->r_offset), value, plt;
        struct patch_import import = {0};
        void (*fn)(void);

        if (number == 0 || !green__elf_holds(v, (uintptr_t)cell, true))
                return;
        value = __atomic_load_n(cell, __ATOMIC_RELAXED);
        /* A weak one that nobody defines. */
        if (value == 0)
                return;
        import.name = v->str + v->sym[number].st_name;
        import.now = (void (*)(void))(uintptr_t)value;
        /* Jump slots lead to code that looks the symbol up at the first call. A program's own address of it is no such.
         */
        plt = v->sym[number].st_value == 0 ? 0 : v->base + v->sym[number].st_value;
        import.own = value != plt && green__elf_holds(v, value, false);
        if (import.own)
                import.version = green__elf_version(v, number);
        fn = visitor->import(&v->object, &import, visitor->arg);
        if (fn != NULL)
                store(v, cell, fn, pages);
}

static int
look_at_all(const struct elf_view *v, const struct patch_visitor *visitor)
{
        struct pages pages = {false, 0};

        for (size_t t = 0; t < ELF_RELOCATIONS; t++) {
                const char *at = v->relocations[t].at;
                size_t entry = v->relocations[t].rela ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));

                for (size_t done = 0; at != NULL && done + entry <= v->relocations[t].size; done += entry) {
                        ElfW(Rela) r = {0};

                        memcpy(&r, at + done, entry);
                        look_at(v, visitor, &r, &pages);
                }
        }
        close_pages(v, &pages);
        return pages.result;
}

static bool
is_exempt(const struct elf_view *v)
{
        /* The kernel's, which musl shows without a name. */
        if (*v->object.name == '\0')
                return true;
        if (green__elf_holds(v, (uintptr_t)&green__patch_visit, false) || green__patch_exempt_name(v->object.name))
                return true;
        for (const char *const *name = green__patch_exempt_symbols; *name != NULL; name++) {
                if (green__elf_defines(v, *name))
                        return true;
        }
        return false;
}

static int
visit_one(struct dl_phdr_info *info, size_t size, void *arg)
{
        struct visit *visit = arg;
        struct elf_view v;
        bool program = visit->first;
        int rc;

        (void)size;
        visit->first = false;
        if (!green__elf_view(&v, info, program))
                return 0;
        visit->any = true;
        v.object.exempt = is_exempt(&v);
        v.object.allocates = !v.object.exempt && green__elf_defines(&v, "malloc");
        if (!visit->visitor->object(&v.object, visit->visitor->arg))
                return 0;
        rc = look_at_all(&v, visit->visitor);
        if (rc != 0 && visit->result == 0) {
                visit->result = rc;
                (void)snprintf(visit->failed, PATCH_NAME_MAX, "%s", v.object.name);
        }
        return 0;
}

int
green__patch_visit(const struct patch_visitor *v, char failed[PATCH_NAME_MAX])
{
        struct visit visit = {.visitor = v, .failed = failed, .first = true};

        if (ELF_JUMP_SLOT == 0)
                return -ENOTSUP;
        (void)dl_iterate_phdr(visit_one, &visit);
        return visit.any ? visit.result : -ENOTSUP;
}
