/*
 * Copies of the parked boot function, for context methods whose contexts we can read.
 */
#include <config.h>

#include "boot.h"

#include <stdint.h>
#include <string.h>

#if GREEN__CONTEXT_REBASE

void
green__boot_keep(struct green__boot *boot, const struct green__context *parked, char *end)
{
        char *sp = parked->sp;

        *boot = (struct green__boot){.context = *parked, .end = end};
        if (end == NULL || end <= sp || end - sp > GREEN__BOOT_FRAME_MAX)
                return;
        boot->len = (size_t)(end - sp);
        memcpy(boot->frame, sp, boot->len);
}

/* The frame moves by the distance of the stacks, which keeps every alignment up to 64. */
void *
green__boot_copy(const struct green__boot *boot, char *top)
{
        uintptr_t end = ((uintptr_t)boot->end + 63) & ~(uintptr_t)63;
        char *sp = top - (end - (uintptr_t)boot->context.sp);

        return memcpy(sp, boot->frame, boot->len);
}

#else

void
green__boot_keep(struct green__boot *boot, const struct green__context *parked, char *end)
{
        *boot = (struct green__boot){.context = *parked, .end = end};
}

void *
green__boot_copy(const struct green__boot *boot, char *top)
{
        (void)boot;
        return top;
}

#endif
