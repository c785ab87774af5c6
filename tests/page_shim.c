/*
 * A kernel with larger pages, for a program that is started with this preloaded: GREEN_TEST_PAGE_SIZE bytes, a power of
 * two, 64 KiB by default. Pages are what sysconf() says, mappings begin and end at them, and a call that takes an
 * address fails with EINVAL where no page begins there, as it would on such a machine. What a page costs stays as it
 * is, and a fault is one of the processor's own pages.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SMALL = 4096, USUAL = 65536 };

/* The next definition of a function. */
#define REAL(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

static size_t
page_size(void)
{
        static size_t size;
        const char *text;

        if (size == 0) {
                text = getenv("GREEN_TEST_PAGE_SIZE"); /* before main(), too */
                size = text != NULL ? strtoul(text, NULL, 0) : USUAL;
                if (size < SMALL || (size & (size - 1)) != 0)
                        size = USUAL;
        }
        return size;
}

static size_t
round_up(size_t n)
{
        return (n + page_size() - 1) & ~(page_size() - 1);
}

static int
odd(const void *at)
{
        if (((uintptr_t)at & (page_size() - 1)) == 0)
                return 0;
        errno = EINVAL;
        return 1;
}

long
sysconf(int name)
{
        return name == _SC_PAGESIZE ? (long)page_size() : REAL(long (*)(int), "sysconf")(name);
}

int
getpagesize(void)
{
        return (int)page_size();
}

/* Room is reserved in whole pages; a file is put into it. */
void *
mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
        typedef void *(*mmap_fn)(void *, size_t, int, int, int, off_t);
        mmap_fn real = REAL(mmap_fn, "mmap");
        int (*unmap)(void *, size_t) = REAL(int (*)(void *, size_t), "munmap");
        size_t room = round_up(len);
        int anonymous = (flags & MAP_ANONYMOUS) != 0;
        char *wide, *base;

        if (flags & MAP_FIXED)
                return odd(at) ? MAP_FAILED : real(at, len, protection, flags, fd, offset);
        if (len == 0 || room > SIZE_MAX - page_size()) {
                errno = len == 0 ? EINVAL : ENOMEM;
                return MAP_FAILED;
        }
        wide = real(NULL, room + page_size(), anonymous ? protection : PROT_NONE,
                    anonymous ? flags : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (wide == MAP_FAILED)
                return wide;
        base = (char *)(((uintptr_t)wide + page_size() - 1) & ~(uintptr_t)(page_size() - 1));
        if (base > wide)
                unmap(wide, (size_t)(base - wide));
        if (wide + page_size() > base)
                unmap(base + room, (size_t)(wide + page_size() - base));
        if (anonymous || real(base, len, protection, flags | MAP_FIXED, fd, offset) != MAP_FAILED)
                return base;
        fd = errno;
        unmap(base, room);
        errno = fd;
        return MAP_FAILED;
}

int
munmap(void *at, size_t len)
{
        return odd(at) ? -1 : REAL(int (*)(void *, size_t), "munmap")(at, round_up(len));
}

int
mprotect(void *at, size_t len, int protection)
{
        return odd(at) ? -1 : REAL(int (*)(void *, size_t, int), "mprotect")(at, round_up(len), protection);
}

int
madvise(void *at, size_t len, int advice)
{
        return odd(at) ? -1 : REAL(int (*)(void *, size_t, int), "madvise")(at, round_up(len), advice);
}

/* A page is in memory when a part of it is. */
int
mincore(void *at, size_t len, unsigned char *pages)
{
        int (*real)(void *, size_t, unsigned char *) = REAL(int (*)(void *, size_t, unsigned char *), "mincore");
        unsigned char parts[USUAL / SMALL];
        size_t page = page_size(), step = page < sizeof parts * SMALL ? page : sizeof parts * SMALL;

        if (odd(at))
                return -1;
        for (size_t i = 0; i < round_up(len) / page; i++) {
                pages[i] = 0;
                for (size_t from = 0; from < page; from += step) {
                        if (real((char *)at + i * page + from, step, parts) != 0)
                                return -1;
                        for (size_t k = 0; k < step / SMALL; k++)
                                pages[i] |= parts[k] & 1;
                }
        }
        return 0;
}

/* process_madvise() has no function of its own. */
long
syscall(long number, ...)
{
        long argument[6];
        va_list values;

        va_start(values, number);
        for (int i = 0; i < 6; i++)
                argument[i] = va_arg(values, long);
        va_end(values);
#ifdef SYS_process_madvise
        if (number == SYS_process_madvise) {
                const struct iovec *rows = (const struct iovec *)argument[1];

                for (long i = 0; i < argument[2]; i++) {
                        if (odd(rows[i].iov_base))
                                return -1;
                }
        }
#endif
        return REAL(long (*)(long, ...), "syscall")(number, argument[0], argument[1], argument[2], argument[3],
                                                    argument[4], argument[5]);
}
