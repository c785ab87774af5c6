/*
 * The method "setjmp". Empty where another was chosen.
 *
 * _FORTIFY_SOURCE takes a jump to another stack for a bug ("longjmp causes uninitialized stack frame"). So it is off
 * here, before any header, and the jump is in no other file.
 */
#undef _FORTIFY_SOURCE
#include <config.h>

#include "switch.h"

#if GREEN_CONTEXT_SETJMP

void
green__method_jump(struct green__context *to)
{
        _longjmp(*to->room, 1);
}

void
green__method_switch(struct green__context *from, struct green__context *to)
{
        green__method_room room;

        from->room = &room;
        if (_setjmp(room) == 0)
                _longjmp(*to->room, 1);
}

#else
typedef int green__switch_setjmp_nothing; /* a file must hold a declaration */
#endif
