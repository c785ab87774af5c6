/* One loaded ELF object: where its tables are. In patch_elf_view.c. */
#ifndef GREEN_PATCH_ELF_H
#define GREEN_PATCH_ELF_H

#include <link.h>

#include "patch_object.h"

enum { ELF_RELOCATIONS = 3 };

struct elf_view {
        struct patch_object object;
        ElfW(Addr) base;
        const ElfW(Phdr) *phdr;
        size_t phnum;
        const ElfW(Sym) *sym;
        const char *str;
        const ElfW(Half) *versym;      /* NULL: no versions */
        const ElfW(Verneed) *verneed;  /* NULL: likewise */
        const uint32_t *gnu_hash;      /* NULL: there is sysv_hash, or nothing */
        const uint32_t *sysv_hash;
        struct {
                const char *at;
                size_t size; /* bytes */
                bool rela;   /* with addends */
        } relocations[ELF_RELOCATIONS];
        uintptr_t relro_begin, relro_end; /* pages that are read-only; the same: none */
};

/* False: it has no dynamic section, or one that makes no sense. */
bool green__elf_view(struct elf_view *v, const struct dl_phdr_info *info, bool program);

/* Does it lie in memory of the object, that may be written where that is asked for? */
bool green__elf_holds(const struct elf_view *v, uintptr_t address, bool writable);

/* Does it define this symbol? */
bool green__elf_defines(const struct elf_view *v, const char *name);

/* The version of an imported symbol; NULL: none. */
const char *green__elf_version(const struct elf_view *v, size_t symbol);

/* Does the program have rights that its user has not? */
bool green__patch_is_secure(void);

#endif
