/*
 * Walking stacks by frame pointers: async-signal-safe, and blind where code was built without them. See debug_walk.h.
 */
#include <config.h>

#include "debug_walk.h"

#include <sys/types.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/uio.h>

/* A word of the own memory, by the kernel: it says where there is none. */
static bool
read_word(uintptr_t at, uintptr_t *ret_word)
{
        struct iovec to = {ret_word, sizeof *ret_word}, from = {(void *)at, sizeof *ret_word};

        return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof *ret_word;
}
#else
static bool
read_word(uintptr_t at, uintptr_t *ret_word)
{
        (void)at;
        (void)ret_word;
        return false;
}
#endif

static GREEN__UNSANITIZED bool
word_at(uintptr_t at, const char *lo, const char *hi, uintptr_t *ret_word)
{
        if (hi == NULL)
                return read_word(at, ret_word);
        if (at < (uintptr_t)lo || at > (uintptr_t)hi - sizeof *ret_word)
                return false;
        *ret_word = *(const volatile uintptr_t *)at;
        return true;
}

enum { FRAME_MAX = 1 << 20 };

int
green__walk_frames(const struct green__place *from, const char *lo, const char *hi, const void **calls, int max)
{
        uintptr_t fp = from->fp, last = from->sp, up, back;
        int n = 0;

        if (max > 0 && from->ip != 0)
                calls[n++] = (const void *)from->ip;
        while (n < max && fp >= last && fp - last < FRAME_MAX && fp % sizeof fp == 0 && word_at(fp, lo, hi, &up) &&
               word_at(fp + sizeof fp, lo, hi, &back) && back != 0) {
                calls[n++] = (const void *)back;
                last = fp + 1;
                fp = up;
        }
        return n;
}

#if defined(__x86_64__) || defined(__aarch64__)

/*
 * Does the register point to the frame record of this function, or of the one that called it, where this one has none yet?
 * Then the compiler keeps them.
 */
static __attribute__((noinline)) bool
points_to_record(const void *caller_returns)
{
        uintptr_t fp, sp;
        const void *returns;

#if defined(__x86_64__)
        __asm__ volatile("movq %%rbp, %0\n\tmovq %%rsp, %1" : "=r"(fp), "=r"(sp));
#else
        __asm__ volatile("mov %0, x29\n\tmov %1, sp" : "=r"(fp), "=r"(sp));
#endif
        if (fp < sp || fp - sp > 256 || fp % sizeof fp != 0)
                return false;
        returns = ((const void *const volatile *)fp)[1];
        return returns == __builtin_return_address(0) || returns == caller_returns;
}

bool
green__frames_kept(void)
{
        bool kept = points_to_record(__builtin_return_address(0));

        /* Or the call would be a jump. */
        __asm__ volatile("" : "+r"(kept));
        return kept;
}

#else

bool
green__frames_kept(void)
{
        return false;
}

#endif
