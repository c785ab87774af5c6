/*
 * Bytes that nobody can guess.
 */
#ifndef GREEN_RANDOM_PRIV_H
#define GREEN_RANDOM_PRIV_H

#include <stddef.h>

/* From the system's random source. 0, or a code: there is none that could be read. At most 256 bytes. */
int green__random(void *room, size_t len);

#endif
