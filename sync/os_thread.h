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

/*
 * What stands between the two may end the OS thread: fn(arg) is called then. It is the same function each time. A block
 * of C, as of pthread_cleanup_push().
 */
#if defined(_WIN32)
#define GREEN__OS_GUARD_BEGIN(fn, arg) green__os_guard(fn, arg)
#define GREEN__OS_GUARD_END() green__os_guard(NULL, NULL)
void green__os_guard(void (*fn)(void *arg), void *arg);
#else
#define GREEN__OS_GUARD_BEGIN(fn, arg) pthread_cleanup_push(fn, arg)
#define GREEN__OS_GUARD_END() pthread_cleanup_pop(0)
#endif

/* As atexit(), where threads still run then. */
void green__os_at_exit(void (*fn)(void));

/* Bytes that nobody can foretell. False: there are none. */
bool green__os_random(void *room, size_t len);

#endif
