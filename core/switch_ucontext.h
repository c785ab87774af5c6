/*
 * The method "ucontext": swapcontext(), a system call or two each way. For tools that must be told of each switch by
 * the C library, and for processors that keep a shadow stack.
 */
#ifndef GREEN_SWITCH_UCONTEXT_H
#define GREEN_SWITCH_UCONTEXT_H

#include <ucontext.h>

struct green__context {
        ucontext_t *room; /* in the frame of the suspended function, or on top of a fresh stack */
        GREEN__SANITIZE_MEMBER
};

typedef char green__method_room;

#define GREEN__CONTEXT_REBASE 0
#define GREEN__CONTEXT_SHADOW_STACKS 1
#define GREEN__CONTEXT_SIGNAL_BIRTH 0

/* In switch_ucontext.c. */
void green__method_switch(struct green__context *from, struct green__context *to);
void green__method_jump(struct green__context *to) __attribute__((noreturn));

/* Births do not park here: makecontext() makes a parked context. */
#define green__method_save(ctx, at) ((void)(ctx), (void)(at), 1)

/* A context is one word. */
static inline void *
green__method_word(const struct green__context *parked)
{
        return parked->room;
}

static inline struct green__context
green__method_context(const struct green__context *other, void *word)
{
        (void)other;
        return (struct green__context){.room = word};
}

#endif
