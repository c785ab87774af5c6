/* What the files of patch_threads.c share. */
#ifndef GREEN_TESTS_PATCH_THREADS_PRIV_H
#define GREEN_TESTS_PATCH_THREADS_PRIV_H

#include "patch_threads.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

/* Add to what the scenario has to say. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A time of a clock that comes soon. */
struct timespec soon(clockid_t clock, long ms);

/* Start a thread; join it. They say what went wrong. */
pthread_t begin(void *(*fn)(void *), void *arg);
void *end(pthread_t t);

/* Steps that two threads take in turn: to the other, and wait for it. */
extern sem_t turn[2];
void turns_begin(void);
void other(int me);

/* patch_threads_locks.c */
void scenario_mutexes(void);
void scenario_conds(void);
void scenario_rwlocks(void);
void scenario_semaphores(void);
void scenario_barriers(void);

#endif
