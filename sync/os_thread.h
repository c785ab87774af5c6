/*
 * Threads of the pool, and what they need of the system. What differs by system stands in os_thread_posix.c and
 * os_thread_win32.c.
 */
#ifndef GREEN_SYNC_OS_THREAD_H
#define GREEN_SYNC_OS_THREAD_H

#include <green/base.h>

#include <pthread.h>

#include "os_cond.h"

/* Signals of the process are for others. 0, or an errno. */
int green__os_thread_start(pthread_t *ret_thread, void *(*fn)(void *arg), void *arg);

/* As atexit(), where threads still run then. */
void green__os_at_exit(void (*fn)(void));

/* Bytes that nobody can foretell. False: there are none. */
bool green__os_random(void *room, size_t len);

#endif
