/*
 * Scanning of a request by vectors. Which file does it is chosen here, by what the compiler may use; each has the same
 * seven functions, and no other file of the parser knows of machines. What the compiler may use on every x86-64 is
 * enough: AVX2 was tried and gained nothing that could be measured.
 *
 *      green__http1_scan_name    first byte that is no letter, digit or '-'
 *      green__http1_scan_host    first byte that is no letter, digit, '-' or '.'
 *      green__http1_scan_value   first byte that is a control character; HTAB is one
 *      green__http1_scan_target  first byte that a path by RFC 3986 may not hold as it is; may stop at other bytes as
 * well, but at no letter or digit green__http1_is_name      whether [s, name_end) are letters, digits and '-' only; end
 * >= name_end is the data's green__http1_look         where the colons and control characters are in 64 bytes from s
 *      green__http1_look_short   the same with fewer before end: what is behind it counts as control characters
 *
 * Those that scan look at [s, end) and return end if nothing stops them. base <= s is the begin of memory that may be
 * read: with 16 bytes before end a short rest is read together with what lies before it, instead of byte by byte.
 */
#ifndef GREEN_HTTP1_SCAN_PRIV_H
#define GREEN_HTTP1_SCAN_PRIV_H

#include "http1_char_priv.h"

/* What was seen in 64 bytes: a bit each, the lowest is the first byte's. */
struct green__http1_seen {
        uint64_t control, colon;
};

/* GREEN_HTTP1_SCAN_SWAR: the portable one also where there are vectors, for tests. */
#if defined(GREEN_HTTP1_SCAN_SWAR)
#include "http1_scan_swar.h"
#elif defined(__SSE2__)
#include "http1_scan_sse2.h"
#elif defined(__aarch64__) && defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include "http1_scan_neon.h"
#else
#include "http1_scan_swar.h"
#endif

#endif
