/*
 * Is the file of a module whole? A loader maps it and trusts what its headers say, so of one that was copied in half it
 * reads where there is nothing, which ends the process.
 */
#include "config.h"

#include "module_priv.h"

#include <errno.h>

#include <green/error.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __ELF__
#include <elf.h>
#include <link.h>

/* Do n entries of each bytes, from offset on, lie in a file of size bytes? */
static bool
lies_in(uint64_t offset, uint64_t n, uint64_t each, uint64_t size)
{
        return offset <= size && n * each <= size - offset;
}

/* What is no ELF file, or one for another machine, is left to the loader, which says so. */
static bool
is_whole(int fd, uint64_t size)
{
        ElfW(Ehdr) head;
        ElfW(Phdr) part;

        if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
            head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
            head.e_phentsize != sizeof part)
                return true;
        if (!lies_in(head.e_phoff, head.e_phnum, sizeof part, size) ||
            !lies_in(head.e_shoff, head.e_shnum, head.e_shentsize, size))
                return false;
        for (unsigned i = 0; i < head.e_phnum; i++) {
                if (pread(fd, &part, sizeof part, (off_t)(head.e_phoff + i * sizeof part)) != (ssize_t)sizeof part)
                        return false;
                if (part.p_type == PT_LOAD && !lies_in(part.p_offset, 1, part.p_filesz, size))
                        return false;
        }
        return true;
}
#else
static bool
is_whole(int fd, uint64_t size)
{
        (void)fd;
        (void)size;
        return true;
}
#endif

bool
green__module_whole(const char *path, char *why, size_t len)
{
        /* A pipe of that name must hang nobody. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        const char *fault = NULL;
        struct stat st;

        if (fd < 0) {
                snprintf(why, len, "it cannot be loaded: %s", green_strerror(-errno));
                return false;
        }
        if (fstat(fd, &st) != 0)
                fault = green_strerror(-errno);
        else if (!S_ISREG(st.st_mode))
                fault = "it is no file";
        else if (!is_whole(fd, (uint64_t)st.st_size))
                fault = "the file is cut short";
        if (fault != NULL)
                snprintf(why, len, "it cannot be loaded: %s", fault);
        close(fd);
        return fault == NULL;
}
