/*
 * The sanitizers' part of a context, and what is told at each switch. Only in builds with AddressSanitizer or
 * ThreadSanitizer; included by sanitize.h.
 */
#ifndef GREEN_SANITIZE_ON_H
#define GREEN_SANITIZE_ON_H

#include <stdbool.h>
#include <stddef.h>

#if GREEN__ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if GREEN__TSAN
#include <sanitizer/tsan_interface.h>
#endif

struct green__sanitize {
        const char *lo; /* the stack it is on */
        size_t len;
        void *fake;   /* AddressSanitizer's second stack, kept for it while it is suspended */
        void *fiber;  /* ThreadSanitizer's name for it; NULL: one is made when it is first switched to */
        bool adopted; /* the OS thread's own: its fiber is not ours to destroy */
};

#define GREEN__SANITIZE_MEMBER struct green__sanitize sanitize;

/* The stack that runs on this OS thread: a green thread's own context does not know where it was born. */
extern __thread struct green__sanitize green__sanitize_running;
/* The fiber of a stack that has ended. It can be destroyed once another one runs. */
extern __thread void *green__sanitize_ended;

void green__sanitize_on_begin(void);
void green__sanitize_on_adopt(struct green__sanitize *self);
void green__sanitize_on_drop(struct green__sanitize *self);
void green__sanitize_on_arrive(struct green__sanitize *self);
void green__sanitize_on_clean(char *lo, char *hi);

/*
 * Inlined, for ThreadSanitizer counts entries and exits of functions by fiber: one that is entered on one and left on
 * another makes the count of a fresh one negative.
 */
static inline __attribute__((always_inline)) void
green__sanitize_on_leave(struct green__sanitize *from, const struct green__sanitize *to, bool last)
{
        struct green__sanitize *running = &green__sanitize_running;

        from->lo = running->lo;
        from->len = running->len;
        running->lo = to->lo;
        running->len = to->len;
#if GREEN__ASAN
        __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->lo, to->len);
#endif
#if GREEN__TSAN
        void *fiber = __tsan_get_current_fiber();
        from->fiber = last ? NULL : fiber;
        if (last)
                green__sanitize_ended = fiber;
        __tsan_switch_to_fiber(to->fiber != NULL ? to->fiber : __tsan_create_fiber(0), 0);
#endif
        (void)last;
}

#define green__sanitize_begin() green__sanitize_on_begin()
#define green__sanitize_adopt(ctx) green__sanitize_on_adopt(&(ctx)->sanitize)
#define green__sanitize_drop(ctx) green__sanitize_on_drop(&(ctx)->sanitize)
#define green__sanitize_birth(ctx, low, high)                                                                          \
        ((ctx)->sanitize = (struct green__sanitize){.lo = (low), .len = (size_t)((high) - (low))})
#define green__sanitize_leave(from, to) green__sanitize_on_leave(&(from)->sanitize, &(to)->sanitize, false)
#define green__sanitize_leave_last(from, to) green__sanitize_on_leave(&(from)->sanitize, &(to)->sanitize, true)
#define green__sanitize_arrive(from) green__sanitize_on_arrive(&(from)->sanitize)
#define green__sanitize_arrive_first() green__sanitize_on_arrive(NULL)
#define green__sanitize_clean(low, high) green__sanitize_on_clean(low, high)

#endif
