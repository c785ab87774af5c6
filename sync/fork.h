/*
 * What locks must know of fork(): in the child only the forking green thread is left.
 */
#ifndef GREEN_SYNC_FORK_H
#define GREEN_SYNC_FORK_H

#include <green/base.h>

/*
 * How many forks this process comes from, counted since the first lock or DAG pool was made. A lock keeps the count at
 * which its owner was last known to live. Written in the child of a fork() only, when no other OS thread is there.
 */
extern unsigned green__sync_forks;

/* Begin to count. Called by what makes locks and DAG pools. */
void green__sync_fork_install(void);

/*
 * Does a green thread that took a lock at that count still live after all forks since? NULL is hub context, which does.
 * The address is compared and never followed.
 */
bool green__sync_survived(const green_thread *owner, unsigned forks);

#endif
