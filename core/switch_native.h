/*
 * The method "native": a context is stack pointer, frame pointer and the address to go on at.
 *
 * The compiler is told that every other register is lost, so it keeps across a switch what it needs and nothing else.
 * A switch leaves by a jump: it never calls and never returns across stacks, so that the processor's prediction of
 * returns stays right. The address to go on at is stored by the one who leaves, in the middle of whatever function
 * the switch was inlined into.
 *
 * The file of the processor defines
 *
 *   GREEN__NATIVE_SWITCH(from, to)  store the context, load the other, jump
 *   GREEN__NATIVE_SAVE(ctx, again)  store the context; again is 0 now and 1 when somebody switches to it
 *   GREEN__NATIVE_JUMP(to)          load the context, jump
 *   GREEN__NATIVE_ENTER(fn)         call fn, which does not return, by a jump
 */
#ifndef GREEN_SWITCH_NATIVE_H
#define GREEN_SWITCH_NATIVE_H

struct green__context {
        void *sp; /* at 0: the assembly knows */
        void *fp; /* at 8 */
        void *ip; /* at 16 */
        GREEN__SANITIZE_MEMBER
};

/* A frame may be copied to another stack: all that knows its address is in the context. */
#define GREEN__CONTEXT_REBASE 1
#define GREEN__CONTEXT_SHADOW_STACKS 0
#define GREEN__CONTEXT_SIGNAL_BIRTH 1

#if defined(__x86_64__) && !defined(__ILP32__)
#include "switch_native_x86_64.h"
#elif defined(__aarch64__) && !defined(__ILP32__)
#include "switch_native_aarch64.h"
#else
#error "the context method native is for x86-64 and aarch64; configure --with-context=setjmp"
#endif

static inline __attribute__((always_inline)) void
green__method_switch(struct green__context *from, struct green__context *to)
{
        GREEN__NATIVE_SWITCH(from, to);
}

static inline __attribute__((always_inline, noreturn)) void
green__method_jump(struct green__context *to)
{
        GREEN__NATIVE_JUMP(to);
        __builtin_unreachable();
}

/*
 * Store the running place; 0 now, 1 when it is resumed. The compiler does not know that this comes back twice: what
 * follows a 1 must not use anything of the frame. Only a birth has a use for it.
 */
#define green__method_save(ctx, room)                                                                                  \
        __extension__({                                                                                                \
                long green__again;                                                                                     \
                (void)(room);                                                                                          \
                GREEN__NATIVE_SAVE(ctx, green__again);                                                                 \
                green__again;                                                                                          \
        })

/*
 * A parked boot function is known by one word: it has the same frame on every stack, so the rest is as in any other
 * parked one.
 */
static inline void *
green__method_word(const struct green__context *parked)
{
        return parked->sp;
}

static inline struct green__context
green__method_context(const struct green__context *other, void *word)
{
        char *fp = (char *)word + ((char *)other->fp - (char *)other->sp);

        return (struct green__context){.sp = word, .fp = fp, .ip = other->ip};
}

/*
 * A call that never returns shifts the processor's prediction of returns: each `ret` of the stack that is switched to when
 * fn has ended would be mispredicted.
 */
#define green__method_enter(fn) GREEN__NATIVE_ENTER(fn)

/* What a parked context needs beside itself, in the frame that is parked: nothing. */
typedef char green__method_room;

#endif
