/*
 * Reads the tables of one loaded ELF object. glibc has put addresses into its dynamic section, musl leaves what the
 * file says: offsets from where it was loaded to.
 */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "patch_elf.h"

bool
green__elf_holds(const struct elf_view *v, uintptr_t address, bool writable)
{
        for (size_t i = 0; i < v->phnum; i++) {
                const ElfW(Phdr) *p = &v->phdr[i];

                if (p->p_type == PT_LOAD && address >= v->base + p->p_vaddr &&
                    address - (v->base + p->p_vaddr) < p->p_memsz)
                        return !writable || (p->p_flags & PF_W) != 0;
        }
        return false;
}

static const void *
pointer(const struct elf_view *v, ElfW(Addr) value)
{
        uintptr_t address = value < v->base ? v->base + value : value;

        return green__elf_holds(v, address, false) ? (const void *)address : NULL;
}

static void
read_dynamic(struct elf_view *v, const ElfW(Dyn) * dyn)
{
        bool plt_rela = true;

        for (; dyn->d_tag != DT_NULL; dyn++) {
                switch (dyn->d_tag) {
                case DT_SYMTAB:
                        v->sym = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_STRTAB:
                        v->str = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_VERSYM:
                        v->versym = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_VERNEED:
                        v->verneed = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_GNU_HASH:
                        v->gnu_hash = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_HASH:
                        v->sysv_hash = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_JMPREL:
                        v->relocations[0].at = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_PLTRELSZ:
                        v->relocations[0].size = dyn->d_un.d_val;
                        break;
                case DT_PLTREL:
                        plt_rela = dyn->d_un.d_val == DT_RELA;
                        break;
                case DT_RELA:
                        v->relocations[1].at = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_RELASZ:
                        v->relocations[1].size = dyn->d_un.d_val;
                        break;
                case DT_REL:
                        v->relocations[2].at = pointer(v, dyn->d_un.d_ptr);
                        break;
                case DT_RELSZ:
                        v->relocations[2].size = dyn->d_un.d_val;
                        break;
                default:
                        break;
                }
        }
        v->relocations[0].rela = plt_rela;
        v->relocations[1].rela = true;
}

/* As the loader does: whole pages, down at both ends. */
static void
find_relro(struct elf_view *v, const ElfW(Phdr) * p)
{
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = v->base + p->p_vaddr;

        v->relro_begin = begin & ~(page - 1);
        v->relro_end = (begin + p->p_memsz) & ~(page - 1);
}

bool
green__elf_view(struct elf_view *v, const struct dl_phdr_info *info, bool program)
{
        const ElfW(Dyn) *dyn = NULL;

        memset(v, 0, sizeof *v);
        v->object.name = program ? "the program" : info->dlpi_name == NULL ? "" : info->dlpi_name;
        v->object.program = program;
        v->base = info->dlpi_addr;
        v->phdr = info->dlpi_phdr;
        v->phnum = info->dlpi_phnum;
        for (size_t i = 0; i < v->phnum; i++) {
                const ElfW(Phdr) *p = &v->phdr[i];

                if (p->p_type == PT_DYNAMIC)
                        dyn = (const ElfW(Dyn) *)(v->base + p->p_vaddr);
                else if (p->p_type == PT_GNU_RELRO)
                        find_relro(v, p);
        }
        if (dyn == NULL)
                return false;
        v->object.id = dyn;
        read_dynamic(v, dyn);
        return v->sym != NULL && v->str != NULL;
}

/* ---- symbols */

static bool
is_defined(const struct elf_view *v, size_t symbol, const char *name)
{
        return v->sym[symbol].st_shndx != SHN_UNDEF && strcmp(v->str + v->sym[symbol].st_name, name) == 0;
}

/* The words of DT_GNU_HASH: numbers of buckets, of the first symbol, and of words of its filter, which comes next. */
static bool
defines_gnu(const struct elf_view *v, const char *name)
{
        const uint32_t *table = v->gnu_hash, *buckets, *chain;
        const ElfW(Addr) *filter = (const ElfW(Addr) *)(const void *)(table + 4);
        const size_t bits = 8 * sizeof *filter;
        ElfW(Addr) word;
        uint32_t h = 5381, i;

        for (const char *p = name; *p != '\0'; p++)
                h = h * 33 + (unsigned char)*p;
        if (table[0] == 0 || table[2] == 0)
                return false;
        word = filter[(h / bits) % table[2]];
        if ((word >> (h % bits) & word >> ((h >> table[3]) % bits) & 1) == 0)
                return false;
        buckets = (const uint32_t *)(const void *)(filter + table[2]);
        chain = buckets + table[0];
        i = buckets[h % table[0]];
        if (i < table[1])
                return false;
        for (;; i++) {
                uint32_t there = chain[i - table[1]];

                if ((there | 1) == (h | 1) && is_defined(v, i, name))
                        return true;
                if ((there & 1) != 0)
                        return false;
        }
}

/* Of DT_HASH: numbers of buckets and of links, buckets, links. */
static bool
defines_sysv(const struct elf_view *v, const char *name)
{
        const uint32_t *table = v->sysv_hash;
        uint32_t h = 0;

        for (const char *p = name; *p != '\0'; p++) {
                h = (h << 4) + (unsigned char)*p;
                h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
        }
        if (table[0] == 0)
                return false;
        for (uint32_t i = table[2 + h % table[0]]; i != 0; i = table[2 + table[0] + i]) {
                if (is_defined(v, i, name))
                        return true;
        }
        return false;
}

bool
green__elf_defines(const struct elf_view *v, const char *name)
{
        if (v->gnu_hash != NULL)
                return defines_gnu(v, name);
        return v->sysv_hash != NULL && defines_sysv(v, name);
}

const char *
green__elf_version(const struct elf_view *v, size_t symbol)
{
        const ElfW(Verneed) *need = v->verneed;
        unsigned number;

        if (v->versym == NULL || need == NULL)
                return NULL;
        number = v->versym[symbol] & 0x7fff;
        for (;;) {
                const ElfW(Vernaux) *aux = (const ElfW(Vernaux) *)(const void *)((const char *)need + need->vn_aux);

                for (unsigned i = 0; i < need->vn_cnt; i++) {
                        if (aux->vna_other == number)
                                return v->str + aux->vna_name;
                        aux = (const ElfW(Vernaux) *)(const void *)((const char *)aux + aux->vna_next);
                }
                if (need->vn_next == 0)
                        return NULL;
                need = (const ElfW(Verneed) *)(const void *)((const char *)need + need->vn_next);
        }
}
