/*
 * mbedTLS as a back end: random numbers, POSIX. See tls_backend.h.
 */
#include "tls_mbedtls.h"

#include <unistd.h>

int
green__mbed_random(void *arg, unsigned char *bytes, size_t len)
{
        (void)arg;
        /* The system's: nothing that a fork would double, and no lock. It gives 256 at a time. */
        for (size_t at = 0; at < len; at += 256)
                if (getentropy(bytes + at, len - at < 256 ? len - at : 256) != 0)
                        return -1;
        return 0;
}
