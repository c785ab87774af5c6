/*
 * The system's random source: Windows. See random_priv.h.
 */
#define _CRT_RAND_S
#include <stdlib.h>

#include <errno.h>
#include <string.h>

#include "random_priv.h"

int
green__random(void *room, size_t len)
{
        unsigned char *at = room;

        while (len > 0) {
                unsigned value;
                size_t n = len < sizeof value ? len : sizeof value;

                if (rand_s(&value) != 0)
                        return -EIO;
                memcpy(at, &value, n);
                at += n;
                len -= n;
        }
        return 0;
}
