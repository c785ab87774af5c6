/*
 * How an OS thread waits as a whole, and how long it looks before.
 */
#ifndef GREEN_SYNC_OS_WAIT_H
#define GREEN_SYNC_OS_WAIT_H

#include <green/base.h>

#include <pthread.h>

/* A wait of an OS thread, on its stack. */
struct green__os_wait {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool done;
};

void green__os_wait_begin(struct green__os_wait *w);

/* Until it is woken: true. Or the time is over: false. */
bool green__os_wait_for(struct green__os_wait *w, double timeout);

/* From another OS thread, once. Afterwards the wait must not be touched. */
void green__os_wake(struct green__os_wait *w);

void green__os_wait_end(struct green__os_wait *w);

/* Between two looks. */
static inline void
green__os_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ __volatile__("isb" ::: "memory");
#else
        __asm__ __volatile__("" ::: "memory");
#endif
}

#endif
