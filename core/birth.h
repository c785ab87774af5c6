/*
 * How a stack comes to life: ways to park the boot function on a fresh stack.
 *
 * The boot function calls green__thread_main() when somebody switches to the context it is parked at.
 */
#ifndef GREEN_BIRTH_H
#define GREEN_BIRTH_H

#include "stack.h"

/* One birth. */
struct green__birth {
        char *lo, *hi;              /* in: the stack, whole pages */
        size_t colour;              /* in: how far below the top, or the end of a page, to begin; a multiple of 64 */
        struct green__context *ctx; /* in: where to park, sanitizers' part made; out: parked there */
        char *frame_end;            /* out: the end of the boot function's frame, where that is known; else NULL */
        char *dead;                 /* out: from here to hi nothing is needed any more; the end of a page */
};

/*
 * By a signal handler on an alternate signal stack, which needs no knowledge of the machine: the kernel makes the first
 * frame. 13 system calls under a process-wide lock. 0 or -errno.
 */
int green__birth_signal(struct green__birth *birth);

/* By makecontext(), for tools that do not understand the other. 0, or -ENOTSUP where there is none. */
int green__birth_makecontext(struct green__birth *birth);

/* The boot function: parks itself at birth->ctx and goes home. Runs on the fresh stack. */
void green__birth_boot(struct green__birth *birth, void (*go_home)(void)) __attribute__((noreturn));

#endif
