/*
 * Children that somebody in this process waits for by their number, such as those of green_process handles. Foreign
 * code that waits for any child (net/patch/patch_process.c) does not get them: it leaves their status here.
 */
#ifndef GREEN_PROCESS_OWNED_H
#define GREEN_PROCESS_OWNED_H

#include <sys/types.h>

#include <green/base.h>

struct green__owned {
        struct green__owned *next, *prev; /* both NULL: not in the list */
        pid_t pid;
        unsigned forks; /* green__sys_forks when it was started: in the child of a fork it is a stranger */
        bool reaped;    /* by a wait for any child */
        int status;     /* as of waitpid(), then */
};

/*
 * Start it, by start(arg), which gives its number or -errno: then it is not to be had by others, not even where it ends
 * at once. Under the lock.
 */
pid_t green__owned_start(struct green__owned *o, pid_t (*start)(void *arg), void *arg);

/* It was waited for, or will be by nobody. One that is not in the list stays as it is. */
void green__owned_remove(struct green__owned *o);

/* Did a wait for any child have it? Then its status. */
bool green__owned_status(struct green__owned *o, int *ret_status);

/* Are there some? Async-signal-safe, as the next one. */
bool green__owned_any(void);

/* Is this one of them, and has ended? Then its status is kept for whom it belongs to. */
bool green__owned_keep(pid_t pid);

/*
 * os.c: wait, as a green thread, until look(arg) gives what is not 0: a child that has changed, or -errno. exact: of
 * this child only the end counts; 0: of any. Otherwise what ended the wait.
 */
pid_t green__os_wait_child(pid_t exact, pid_t (*look)(void *arg), void *arg);

#endif
