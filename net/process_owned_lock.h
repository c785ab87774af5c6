/*
 * The lock of process_owned.c, for what else is of the whole process. Signals are blocked while it is held. POSIX only.
 */
#ifndef GREEN_PROCESS_OWNED_LOCK_H
#define GREEN_PROCESS_OWNED_LOCK_H

#include <signal.h>

void green__owned_lock(sigset_t *old);
void green__owned_unlock(const sigset_t *old);

#endif
