/*
 * SipHash-1-3, a hash with a key: whoever does not know the key cannot find inputs that fall together.
 */
#ifndef GREEN_SYNC_SIPHASH_H
#define GREEN_SYNC_SIPHASH_H

#include <green/base.h>

/* A key that nobody can guess, where the system has random numbers. */
void green__siphash_key(uint64_t key[2]);

uint64_t green__siphash(const uint64_t key[2], const void *data, size_t len);

#endif
