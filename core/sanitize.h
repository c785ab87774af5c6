/*
 * What AddressSanitizer, ThreadSanitizer and Valgrind have to be told about stacks. Nothing of it is left in an
 * ordinary build; Valgrind's part costs a few instructions a mapping, and is there if its header was found.
 *
 * Use: begin() before the first birth of an OS thread. By switch.h: leave() before a switch, arrive() after it,
 * arrive_first() at the start of a fresh stack, leave_last() before the switch that ends a stack.
 */
#ifndef GREEN_SANITIZE_H
#define GREEN_SANITIZE_H

#include <config.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GREEN__ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define GREEN__TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GREEN__ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define GREEN__TSAN 1
#endif
#ifndef GREEN__ASAN
#define GREEN__ASAN 0
#endif
#ifndef GREEN__TSAN
#define GREEN__TSAN 0
#endif

/* For functions that run where no sanitizer knows the stack. */
#define GREEN__UNSANITIZED __attribute__((no_sanitize_address, no_sanitize_thread))

#if GREEN__ASAN || GREEN__TSAN
#include "sanitize_on.h"
#else
#define GREEN__SANITIZE_MEMBER
#define green__sanitize_begin() ((void)0)
#define green__sanitize_adopt(ctx) ((void)(ctx))
#define green__sanitize_drop(ctx) ((void)(ctx))
#define green__sanitize_birth(ctx, lo, hi) ((void)(ctx))
#define green__sanitize_leave(from, to) ((void)0)
#define green__sanitize_leave_last(from, to) ((void)(from))
#define green__sanitize_arrive(from) ((void)0)
#define green__sanitize_arrive_first() ((void)0)
#define green__sanitize_clean(lo, hi) ((void)0)
#endif

#if HAVE_VALGRIND_H
#include <valgrind/memcheck.h>
#define green__valgrind_running() (RUNNING_ON_VALGRIND != 0)
/* All of it may be written to again: frames of an earlier life have left marks. */
#define green__valgrind_register(lo, hi)                                                                               \
        ((void)VALGRIND_MAKE_MEM_UNDEFINED(lo, (hi) - (lo)), VALGRIND_STACK_REGISTER(lo, hi))
/* The header does nothing, and looks at nothing, on processors that it does not know. */
#define green__valgrind_deregister(id)                                                                                 \
        do {                                                                                                           \
                (void)(id);                                                                                            \
                VALGRIND_STACK_DEREGISTER(id);                                                                         \
        } while (0)
#else
#define green__valgrind_running() 0
#define green__valgrind_register(lo, hi) ((void)(lo), (void)(hi), 0u)
#define green__valgrind_deregister(id) ((void)(id))
#endif

#endif
