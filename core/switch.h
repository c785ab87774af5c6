/*
 * Switching between stacks.
 *
 * A context is a place where a stack stopped running. green__switch() stores the running one and goes on with
 * another. How is the method's business, one file each, chosen by configure (--with-context=):
 *
 *   native    our own pair of save and jump, a few instructions that the compiler inlines; x86-64 and aarch64
 *   builtin   __builtin_setjmp and __builtin_longjmp
 *   setjmp    the C library's _setjmp and _longjmp
 *   ucontext  swapcontext: slow (a system call each way), for tools that must see every switch
 *   fiber     SwitchToFiber: Windows, which has to know of each stack
 *
 * The floating-point environment and the signal mask are not switched.
 */
#ifndef GREEN_SWITCH_H
#define GREEN_SWITCH_H

#include <config.h>

#include <stdbool.h>
#include <stddef.h>

#include "sanitize.h"

#if GREEN_CONTEXT_NATIVE
#include "switch_native.h"
#elif GREEN_CONTEXT_BUILTIN
#include "switch_builtin.h"
#elif GREEN_CONTEXT_SETJMP
#include "switch_setjmp.h"
#elif GREEN_CONTEXT_UCONTEXT
#include "switch_ucontext.h"
#elif GREEN_CONTEXT_FIBER
#include "switch_fiber.h"
#else
#error "configure has chosen no context method"
#endif

/*
 * What each of those files defines:
 *
 *   struct green__context          small; where it needs a buffer, it points into the frame that is suspended
 *   green__method_switch(from, to)
 *   green__method_jump(to)         does not return
 *   green__method_save(ctx, room)  0 now, 1 when it is resumed; room lives as long as the context
 *   green__method_room             the type of that room
 *   green__method_word(ctx)        what tells a parked boot function on one stack from that on another
 *   green__method_context(other, word)  its context again; other: of another parked one
 *   green__method_enter(fn)        call fn, which does not return (those that know nothing better: an ordinary call)
 *   GREEN__CONTEXT_REBASE          1: a context is transparent, a copy of its frame on another stack works
 *   GREEN__CONTEXT_SHADOW_STACKS   1: works while the processor keeps a shadow stack
 *   GREEN__CONTEXT_SIGNAL_BIRTH    1: a stack can be born by the alternate signal stack
 */

#ifndef green__method_enter
#define green__method_enter(fn) (fn)()
#endif

/* Where every birth leads: the scheduler's function, called on the fresh stack. Defined by the scheduler. */
void green__thread_main(void) __attribute__((noreturn));

/* The calling OS thread's own stack becomes a context: the main green thread's, or an embedder's. */
void green__context_adopt(struct green__context *ctx);

/*
 * Forget a context that will not run again: an adopted one, or that of a green thread which is abandoned while it is
 * suspended. Frees what sanitizers hold for it.
 */
void green__context_drop(struct green__context *ctx);

/* "native", "builtin", ... */
const char *green__context_name(void);

/* Whether the method works in this process: 0, or -ENOTSUP with green_set_error() (an active shadow stack). */
int green__context_check(void);

/* Suspend into *from and resume *to; returns when somebody switches to *from. */
static inline __attribute__((always_inline)) void
green__switch(struct green__context *from, struct green__context *to)
{
        green__sanitize_leave(from, to);
        green__method_switch(from, to);
        green__sanitize_arrive(from);
}

/*
 * Resume *to for good: nobody will come back to the running stack. It may already be in the pool, and *to may be its
 * own birth context. *from is the context of the one who ends; nothing is stored in it that can be resumed.
 */
static inline __attribute__((always_inline, noreturn)) void
green__switch_last(struct green__context *from, struct green__context *to)
{
        green__sanitize_leave_last(from, to);
        green__method_jump(to);
}

#endif
