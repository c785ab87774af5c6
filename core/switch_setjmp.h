/*
 * The method "setjmp": the C library's _setjmp and _longjmp, which leave the signal mask alone. Works everywhere.
 */
#ifndef GREEN_SWITCH_SETJMP_H
#define GREEN_SWITCH_SETJMP_H

#include <setjmp.h>

typedef jmp_buf green__method_room;

struct green__context {
        green__method_room *room; /* in the frame of the suspended function */
        GREEN__SANITIZE_MEMBER
};

#define GREEN__CONTEXT_REBASE 0
#define GREEN__CONTEXT_SHADOW_STACKS 0
#define GREEN__CONTEXT_SIGNAL_BIRTH 1

/* In switch_setjmp.c. */
void green__method_switch(struct green__context *from, struct green__context *to);
void green__method_jump(struct green__context *to) __attribute__((noreturn));

#define green__method_save(ctx, at) ((ctx)->room = (at), _setjmp(*(at)))

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
