/*
 * Mappings and guard pages of stacks on POSIX systems.
 *
 * A guard made by mprotect() splits the mapping, and the kernel allows 65,530 mappings a process by default. Linux
 * 6.13 can guard pages without splitting (MADV_GUARD_INSTALL). Elsewhere only so many stacks get a guard.
 */
#include <config.h>

#include "stack_map.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "madvise_many.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
#ifndef MAP_STACK
#define MAP_STACK 0
#endif

/* Guards made by mprotect(), at most: two mappings each, and the program needs some as well. */
#ifndef MPROTECT_MAX
#define MPROTECT_MAX 12000
#endif

static _Atomic bool no_madvise, no_guards; /* MADV_GUARD_INSTALL was refused; the last one could not be guarded */
static _Atomic size_t splits;              /* guards made by mprotect() */

size_t
green__page_size(void)
{
        static _Atomic size_t size;

        if (size == 0)
                size = (size_t)sysconf(_SC_PAGESIZE);
        return size;
}

char *
green__map(size_t len)
{
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
        char *base = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, -1, 0);

        if (base == MAP_FAILED)
                return NULL;
#ifdef MADV_NOHUGEPAGE
        int saved = errno;
        madvise(base, len, MADV_NOHUGEPAGE); /* a touched stack must cost a page, not 512 */
        errno = saved;
#endif
        return base;
}

void
green__unmap(char *base, size_t len)
{
        munmap(base, len);
}

static bool
mprotect_one(const struct iovec *range)
{
        if (atomic_fetch_add(&splits, 1) < MPROTECT_MAX && mprotect(range->iov_base, range->iov_len, PROT_NONE) == 0)
                return true;
        atomic_fetch_sub(&splits, 1);
        return false;
}

size_t
green__guard(const struct iovec *ranges, size_t n, bool *ret_splits)
{
        int saved = errno;
        size_t done = no_madvise ? 0 : green__madvise_many(ranges, n, MADV_GUARD_INSTALL);

        *ret_splits = done == 0;
        if (done == 0) {
                no_madvise = true;
                while (done < n && mprotect_one(&ranges[done]))
                        done++;
                no_guards = done == 0;
        }
        errno = saved;
        return done;
}

void
green__guards_gone(size_t n)
{
        atomic_fetch_sub(&splits, n);
}

const char *
green__guard_kind(void)
{
        if (!no_madvise)
                return "madvise";
        return no_guards ? "none" : "mprotect";
}

void
green__pages_drop(const struct iovec *ranges, size_t n)
{
        int saved = errno;

        green__madvise_many(ranges, n, MADV_DONTNEED); /* where it fails they stay: locked in memory */
        errno = saved;
}

size_t
green__pages_depth(char *lo, char *hi)
{
        unsigned char here[64];
        size_t page = green__page_size();

        while (lo < hi) {
                size_t len = (size_t)(hi - lo) < sizeof here * page ? (size_t)(hi - lo) : sizeof here * page;

                if (mincore(lo, len, (void *)here) != 0)
                        return 0;
                for (size_t i = 0; i < len / page; i++)
                        if (here[i] & 1)
                                return (size_t)(hi - lo) - i * page;
                lo += len;
        }
        return 0;
}
