/*
 * The method "ucontext". Empty where another was chosen.
 */
#undef _FORTIFY_SOURCE
#include <config.h>

#include "birth.h"

#if GREEN_CONTEXT_UCONTEXT

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "frame.h"

/* The signal mask is the OS thread's, not the context's: the one that is set now stays. */
static void
keep_mask(struct green__context *to)
{
        pthread_sigmask(SIG_SETMASK, NULL, &to->room->uc_sigmask);
}

void
green__method_jump(struct green__context *to)
{
        keep_mask(to);
        setcontext(to->room);
        abort();
}

void
green__method_switch(struct green__context *from, struct green__context *to)
{
        ucontext_t room;

        from->room = &room;
        keep_mask(to);
        swapcontext(&room, to->room);
}

/* The first function of a stack, entered again for each green thread that uses it. */
static GREEN__UNSANITIZED GREEN__LAST_FRAME void
start(void)
{
        green__frame_close(__builtin_frame_address(0), __builtin_return_address(0));
        green__sanitize_arrive_first();
        green__thread_main();
}

int
green__birth_makecontext(struct green__birth *birth)
{
        uintptr_t top = (uintptr_t)birth->hi - birth->colour - sizeof(ucontext_t);

        ucontext_t *room = (ucontext_t *)(top & ~(uintptr_t)63);

        if (getcontext(room) != 0)
                return -errno;
        room->uc_link = NULL;
        room->uc_stack.ss_sp = birth->lo;
        room->uc_stack.ss_size = (size_t)((char *)room - birth->lo);
        makecontext(room, start, 0);
        birth->ctx->room = room;
        birth->dead = birth->hi;
        return 0;
}

#endif
