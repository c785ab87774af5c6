/*
 * What stacks want of the system: address space, guard pages, and what is in memory.
 */
#ifndef GREEN_STACK_MAP_H
#define GREEN_STACK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

size_t green__page_size(void);

/* Reserve address space that costs nothing until it is touched, without huge pages. NULL with errno. */
char *green__map(size_t len);
void green__unmap(char *base, size_t len);

/*
 * Make n ranges fault when touched. Returns for how many it worked, from the first on; at least one unless this
 * process can have no more guards. *ret_splits: they were made by splitting the mapping.
 */
size_t green__guard(const struct iovec *ranges, size_t n, bool *ret_splits);

/* n guards that split a mapping are gone with it. */
void green__guards_gone(size_t n);

/* "madvise", "mprotect" or "none": how the last one was made. */
const char *green__guard_kind(void);

/* Give the pages of n ranges back: they read as zeros when touched again. */
void green__pages_drop(const struct iovec *ranges, size_t n);

/* Bytes from the lowest page of [lo, hi) that is in memory to hi. Both are ends of pages. */
size_t green__pages_depth(char *lo, char *hi);

#endif
