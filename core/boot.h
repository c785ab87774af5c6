/*
 * The boot function's frame as a pattern for other stacks. See boot.c.
 */
#ifndef GREEN_BOOT_H
#define GREEN_BOOT_H

#include <stddef.h>

#include "switch.h"

/* Room for the frame; it has 20 to 150 bytes. */
enum { GREEN__BOOT_FRAME_MAX = 256 };

/* The boot function as it is parked on some stack. */
struct green__boot {
        struct green__context context;
        char *end;  /* where its frame ended */
        size_t len; /* bytes of it; 0: copies do not work */
        unsigned char frame[GREEN__BOOT_FRAME_MAX] __attribute__((aligned(16)));
};

/* Remember a parked boot function whose frame ends at end, and make copies of it if that works here. */
void green__boot_keep(struct green__boot *boot, const struct green__context *parked, char *end);

/* Park a copy of it just below top, a multiple of 64, and return where: see green__method_context(). */
void *green__boot_copy(const struct green__boot *boot, char *top);

#endif
