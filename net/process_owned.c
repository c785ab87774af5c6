/*
 * The list of children that are waited for by their number. See process_owned.h.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>

#include "process_owned.h"
#include "process_owned_lock.h"
#include "sock_sys.h"

static struct green__owned *first;
static atomic_int count; /* of those in the list */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
before_fork(void)
{
        pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
        pthread_mutex_unlock(&lock);
}

static void
mind_forks(void)
{
        (void)pthread_atfork(before_fork, after_fork, after_fork);
}

/* Signals are blocked first: a handler that waits for a child takes the lock too. */
void
green__owned_lock(sigset_t *old)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        sigset_t all;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, old);
        pthread_once(&once, mind_forks);
        pthread_mutex_lock(&lock);
}

void
green__owned_unlock(const sigset_t *old)
{
        pthread_mutex_unlock(&lock);
        pthread_sigmask(SIG_SETMASK, old, NULL);
}

static void
add(struct green__owned *o, pid_t pid)
{
        *o = (struct green__owned){.pid = pid, .forks = green__sys_forks};
        o->next = first == NULL ? o : first;
        o->prev = first == NULL ? o : first->prev;
        o->next->prev = o;
        o->prev->next = o;
        first = o;
        atomic_fetch_add(&count, 1);
}

pid_t
green__owned_start(struct green__owned *o, pid_t (*start)(void *arg), void *arg)
{
        sigset_t old;
        pid_t pid;

        green__owned_lock(&old);
        pid = start(arg);
        if (pid > 0)
                add(o, pid);
        green__owned_unlock(&old);
        return pid;
}

void
green__owned_remove(struct green__owned *o)
{
        sigset_t old;

        if (o->next == NULL)
                return;
        green__owned_lock(&old);
        if (first == o)
                first = o->next == o ? NULL : o->next;
        o->next->prev = o->prev;
        o->prev->next = o->next;
        o->next = NULL;
        o->prev = NULL;
        atomic_fetch_sub(&count, 1);
        green__owned_unlock(&old);
}

bool
green__owned_status(struct green__owned *o, int *ret_status)
{
        sigset_t old;
        bool reaped;

        green__owned_lock(&old);
        reaped = o->reaped;
        if (reaped)
                *ret_status = o->status;
        green__owned_unlock(&old);
        return reaped;
}

bool
green__owned_any(void)
{
        return atomic_load(&count) > 0;
}

static struct green__owned *
find(pid_t pid)
{
        struct green__owned *o = first;

        if (o == NULL)
                return NULL;
        do {
                if (o->pid == pid && o->forks == green__sys_forks && !o->reaped)
                        return o;
                o = o->next;
        } while (o != first);
        return NULL;
}

bool
green__owned_keep(pid_t pid)
{
        struct green__owned *o;
        int error = errno;
        bool kept = false;
        sigset_t old;

        green__owned_lock(&old);
        o = find(pid);
        if (o != NULL) {
                kept = waitpid(pid, &o->status, WNOHANG) == pid;
                o->reaped = kept;
        }
        green__owned_unlock(&old);
        errno = error;
        return kept;
}
