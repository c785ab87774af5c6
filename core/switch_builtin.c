/*
 * The method "builtin". Empty where another was chosen.
 */
#include <config.h>

#include "switch.h"

#if GREEN_CONTEXT_BUILTIN

/*
 * gcc looks into functions it does not inline, to see which registers they leave alone (-fipa-ra), and would keep
 * values there over a switch.
 */
#if defined(__has_attribute)
#if __has_attribute(noipa)
#define APART __attribute__((noipa))
#endif
#endif
#ifndef APART
#define APART __attribute__((noinline))
#endif

APART void
green__method_jump(struct green__context *to)
{
        __builtin_longjmp(to->room, 1);
}

APART void
green__method_switch(struct green__context *from, struct green__context *to)
{
        green__method_room room;

        from->room = room;
        if (__builtin_setjmp(room) == 0)
                green__method_jump(to);
}

#else
typedef int green__switch_builtin_nothing; /* a file must hold a declaration */
#endif
