/*
 * What others that wait for a permit need: green_select() tries first, and then waits in the queue with a node of its
 * own.
 */
#ifndef GREEN_SYNC_SEMAPHORE_PRIV_H
#define GREEN_SYNC_SEMAPHORE_PRIV_H

#include <green/park.h>
#include <green/semaphore.h>

/* Whose it is: 0, or -EPERM. */
int green__semaphore_check(const green_semaphore *s);

/* Takes a permit if one is free. */
bool green__semaphore_try(green_semaphore *s);

/* Where a node waits for a permit. Woken with 0, it has one. */
struct green_waitq *green__semaphore_waiters(green_semaphore *s);

#endif
