/*
 * madvise() for several ranges at once.
 */
#ifndef GREEN_MADVISE_MANY_H
#define GREEN_MADVISE_MANY_H

#include <stddef.h>
#include <sys/uio.h>

enum { GREEN__MADVISE_MAX = 128 }; /* ranges a call */

/* Returns for how many ranges it worked, from the first on; errno says why not for the next one. */
size_t green__madvise_many(const struct iovec *ranges, size_t n, int advice);

#endif
