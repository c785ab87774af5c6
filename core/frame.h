/*
 * What is known of a function's frame on this processor: frame pointer and return address lie at the frame pointer.
 */
#ifndef GREEN_FRAME_H
#define GREEN_FRAME_H

#include <stddef.h>

/*
 * For a function that closes its frame: unwinders would authenticate a signed return address of 0 and follow what comes
 * of it.
 */
#if defined(__aarch64__)
#define GREEN__LAST_FRAME __attribute__((target("branch-protection=none")))
#else
#define GREEN__LAST_FRAME
#endif

/*
 * End of the frame with frame pointer fp. On x86-64 the record is its high end. On aarch64 the record is its low end,
 * and it ends where the frame of the caller begins, whose record's address is the first word of this one.
 */
static inline char *
green__frame_end(void **fp)
{
#if defined(__x86_64__)
        return (char *)(fp + 2);
#elif defined(__aarch64__)
        return (char *)*fp;
#else
        (void)fp;
        return NULL;
#endif
}

/*
 * Make it the last one: unwinders stop where there is no caller. Of a function that never returns, and with the address to
 * which it would: on riscv64 that lies in the frame only if the compiler has put it there.
 */
static inline void
green__frame_close(void **fp, const void *returns)
{
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
        (void)returns;
        *(void *volatile *)&fp[0] = NULL;
        *(void *volatile *)&fp[1] = NULL;
#elif defined(__riscv)
        if (*(void *volatile *)&fp[-1] != returns)
                return;
        *(void *volatile *)&fp[-2] = NULL;
        *(void *volatile *)&fp[-1] = NULL;
#else
        (void)fp;
        (void)returns;
#endif
}

#endif
