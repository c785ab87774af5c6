/*
 * Telling AddressSanitizer and ThreadSanitizer which stack runs. Empty in ordinary builds.
 */
#include <config.h>

#include "switch.h"

#include <pthread.h>

#if GREEN__ASAN
#include <sanitizer/asan_interface.h>
#endif

#if GREEN__ASAN || GREEN__TSAN

__thread struct green__sanitize green__sanitize_running;
__thread void *green__sanitize_ended;

void
green__sanitize_on_adopt(struct green__sanitize *self)
{
        pthread_attr_t attr;
        void *lo = NULL;
        size_t len = 0;
        if (pthread_getattr_np(pthread_self(), &attr) == 0) {
                pthread_attr_getstack(&attr, &lo, &len);
                pthread_attr_destroy(&attr);
        }
        *self = (struct green__sanitize){.lo = lo, .len = len, .adopted = true};
        green__sanitize_running = *self;
}

/* Births switch stacks before there is a context of the OS thread's own. */
void
green__sanitize_on_begin(void)
{
        struct green__sanitize self;

        if (green__sanitize_running.len == 0)
                green__sanitize_on_adopt(&self);
}

void
green__sanitize_on_drop(struct green__sanitize *self)
{
#if GREEN__TSAN
        if (self->fiber != NULL && !self->adopted)
                __tsan_destroy_fiber(self->fiber);
#endif
        *self = (struct green__sanitize){0};
}

/* self NULL: a fresh stack. */
GREEN__UNSANITIZED void
green__sanitize_on_arrive(struct green__sanitize *self)
{
#if GREEN__ASAN
        __sanitizer_finish_switch_fiber(self != NULL ? self->fake : NULL, NULL, NULL);
#endif
#if GREEN__TSAN
        if (green__sanitize_ended != NULL)
                __tsan_destroy_fiber(green__sanitize_ended);
        green__sanitize_ended = NULL;
#endif
        (void)self;
}

/* What an earlier green thread left marked on a stack is no business of the next one. */
void
green__sanitize_on_clean(char *lo, char *hi)
{
#if GREEN__ASAN
        ASAN_UNPOISON_MEMORY_REGION(lo, (size_t)(hi - lo));
#endif
        (void)lo;
        (void)hi;
}

#else
typedef int green__sanitize_nothing; /* a file must hold a declaration */
#endif
