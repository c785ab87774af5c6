/*
 * What all context methods share.
 */
#include <config.h>

#include "switch.h"

#include <errno.h>

#include <green/error.h>

#include "shadow_stack.h"

void
green__context_adopt(struct green__context *ctx)
{
        *ctx = (struct green__context){0};
        green__sanitize_adopt(ctx);
}

void
green__context_drop(struct green__context *ctx)
{
        green__sanitize_drop(ctx);
}

const char *
green__context_name(void)
{
        return GREEN_CONTEXT_NAME;
}

int
green__context_check(void)
{
        if (!GREEN__CONTEXT_SHADOW_STACKS && green__shadow_stack())
                return green_set_error(-ENOTSUP,
                                       "a shadow stack is active, and the context method %s cannot switch it; "
                                       "configure --with-context=ucontext, or run without it",
                                       green__context_name());
        return 0;
}
