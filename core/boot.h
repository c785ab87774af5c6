/*
 * The boot function's frame as a pattern for other stacks. See boot.c.
 */
#ifndef GREEN_BOOT_H
#define GREEN_BOOT_H

#include <stdbool.h>
#include <stddef.h>

#include "switch.h"

/* Room for the frame; it has 20 to 150 bytes. */
enum { GREEN__BOOT_FRAME_MAX = 256 };

/* The boot function as it is parked on some stack, for copies. */
struct green__boot {
        struct green__context context;
        char *end;  /* where the frame ended */
        size_t len; /* bytes of it */
        unsigned char frame[GREEN__BOOT_FRAME_MAX] __attribute__((aligned(16)));
};

/* Remember a parked boot function whose frame ends at end. False where copies of it cannot work. */
bool green__boot_keep(struct green__boot *boot, const struct green__context *parked, char *end);

/* Park a copy of it just below top, a multiple of 64, and store where in *ctx. */
void green__boot_copy(const struct green__boot *boot, struct green__context *ctx, char *top);

#endif
