/*
 * Range requests (RFC 9110 14).
 */
#ifndef GREEN_HTTP_RANGE_PRIV_H
#define GREEN_HTTP_RANGE_PRIV_H

#include <green/base.h>

enum { GREEN__RANGES_MAX = 16 };

struct green__http_range {
        uint64_t first, len;
};

/*
 * Read a Range field for so many bytes. Those that overlap, or are so near that a part's header would be larger than what
 * is between them, are made one; they come out in the order of the file. Returns how many; 0: the field is to be ignored,
 * as it is malformed or asks for too many; -1: none of them can be had.
 */
int green__http_ranges(const char *text, uint64_t size, struct green__http_range ranges[GREEN__RANGES_MAX]);

#endif
