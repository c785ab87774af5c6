/*
 * The boot function: the first frame of every stack.
 *
 * Its frame is copied to other stacks, and the context it is parked at is used again for each green thread. So after
 * it is resumed it uses nothing of its frame.
 */
#undef _FORTIFY_SOURCE /* _setjmp */
#include <config.h>

#include "birth.h"
#include "frame.h"

/* Called through this, the compiler neither takes the frame down first nor knows that there is no return. */
static void (*volatile thread_main)(void) = green__thread_main;

__attribute__((noinline)) GREEN__UNSANITIZED GREEN__LAST_FRAME void
green__birth_boot(struct green__birth *birth, void (*go_home)(void))
{
        void **fp = __builtin_frame_address(0);

        green__method_room room;

        birth->frame_end = green__frame_end(fp);
        green__frame_close(fp, __builtin_return_address(0));
        if (green__method_save(birth->ctx, &room) == 0)
                go_home();
        green__sanitize_arrive_first();
        green__method_enter(thread_main);
        __builtin_trap();
}
