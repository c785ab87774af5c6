/*
 * The method "builtin": __builtin_setjmp and __builtin_longjmp, which store frame pointer, stack pointer and address.
 *
 * They must stand in different functions, neither inlined: gcc drops the receiver otherwise. configure runs a program
 * that switches so before it takes this method.
 */
#ifndef GREEN_SWITCH_BUILTIN_H
#define GREEN_SWITCH_BUILTIN_H

struct green__context {
        void **room; /* in the frame of the suspended function */
        GREEN__SANITIZE_MEMBER
};

typedef void *green__method_room[8]; /* five words are asked for */

#define GREEN__CONTEXT_REBASE 0
#define GREEN__CONTEXT_SHADOW_STACKS 0
#define GREEN__CONTEXT_SIGNAL_BIRTH 1

/* In switch_builtin.c. */
void green__method_switch(struct green__context *from, struct green__context *to);
void green__method_jump(struct green__context *to) __attribute__((noreturn));

#define green__method_save(ctx, at) ((ctx)->room = *(at), __builtin_setjmp(*(at)))

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
