/*
 * Condition variables whose limits are times of the monotonic clock: os_cond_posix.c; os_cond_relative.c where the system
 * cannot give one that clock; os_thread_win32.c.
 */
#ifndef GREEN_SYNC_OS_COND_H
#define GREEN_SYNC_OS_COND_H

#include <pthread.h>
#include <time.h>

void green__os_cond_init(pthread_cond_t *cond);

/* As pthread_cond_timedwait(), until a time of CLOCK_MONOTONIC. 0 or ETIMEDOUT. */
int green__os_cond_until(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until);

#endif
