/*
 * Copies of the parked boot function, for context methods whose contexts we can read.
 */
#include <config.h>

#include "boot.h"

#include <stdint.h>
#include <string.h>

#if GREEN__CONTEXT_REBASE

bool
green__boot_keep(struct green__boot *boot, const struct green__context *parked, char *end)
{
        if (end == NULL || end <= (char *)parked->sp || end - (char *)parked->sp > GREEN__BOOT_FRAME_MAX)
                return false;
        boot->context = *parked;
        boot->end = end;
        boot->len = (size_t)(end - (char *)parked->sp);
        memcpy(boot->frame, parked->sp, boot->len);
        return true;
}

/* Stack and frame pointer move by the distance of the stacks, which keeps every alignment up to 64. */
void
green__boot_copy(const struct green__boot *boot, struct green__context *ctx, char *top)
{
        uintptr_t end = ((uintptr_t)boot->end + 63) & ~(uintptr_t)63;
        uintptr_t shift = (uintptr_t)top - end;
        *ctx = boot->context;
        ctx->sp = (void *)((uintptr_t)boot->context.sp + shift);
        ctx->fp = (void *)((uintptr_t)boot->context.fp + shift);
        memcpy(ctx->sp, boot->frame, boot->len);
}

#else

bool
green__boot_keep(struct green__boot *boot, const struct green__context *parked, char *end)
{
        (void)boot, (void)parked, (void)end;
        return false;
}

void
green__boot_copy(const struct green__boot *boot, struct green__context *ctx, char *top)
{
        (void)boot, (void)ctx, (void)top;
}

#endif
