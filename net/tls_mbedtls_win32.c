/*
 * mbedTLS as a back end: random numbers, Windows. See tls_backend.h.
 */
#include "tls_mbedtls.h"

#include <windows.h>

#include <bcrypt.h>

int
green__mbed_random(void *arg, unsigned char *bytes, size_t len)
{
        (void)arg;
        if (len > ULONG_MAX)
                return -1;
        return BCryptGenRandom(NULL, bytes, (ULONG)len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) >= 0 ? 0 : -1;
}
