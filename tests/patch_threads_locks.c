/*
 * The scenarios of patch_threads.c that are about locks of all kinds.
 */
#include "patch_threads_priv.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Not each libc has them. Where one is not there its line says what it would have said, in OS threads as in
 * green ones, and checks nothing.
 */
extern int pthread_mutex_clocklock(pthread_mutex_t *, clockid_t, const struct timespec *) __attribute__((weak));
extern int pthread_cond_clockwait(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *)
        __attribute__((weak));
extern int sem_clockwait(sem_t *, clockid_t, const struct timespec *) __attribute__((weak));

static int
mutex_clock(pthread_mutex_t *m, const struct timespec *at)
{
        return pthread_mutex_clocklock == NULL ? ETIMEDOUT : pthread_mutex_clocklock(m, CLOCK_MONOTONIC, at);
}

static int
cond_clock(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *at)
{
        return pthread_cond_clockwait == NULL ? ETIMEDOUT : pthread_cond_clockwait(c, m, CLOCK_MONOTONIC, at);
}

static int
sem_clock(sem_t *s, const struct timespec *at)
{
        if (sem_clockwait != NULL)
                return sem_clockwait(s, CLOCK_MONOTONIC, at);
        errno = ETIMEDOUT;
        return -1;
}

/* ---- mutexes */

static pthread_mutex_t mutex;

/* Between two steps of the first: what a second thread gets. */
static void *
second_locks(void *arg)
{
        struct timespec at;

        (void)arg;
        (void)sem_wait(&turn[1]);
        say("other try %d\n", pthread_mutex_trylock(&mutex));
        at = soon(CLOCK_REALTIME, 5);
        say("other timed %d\n", pthread_mutex_timedlock(&mutex, &at));
        at = soon(CLOCK_MONOTONIC, 5);
        say("other clock %d\n", mutex_clock(&mutex, &at));
        other(1);
        at.tv_nsec = -1;
        say("bad time %d\n", pthread_mutex_timedlock(&mutex, &at));
        other(1);
        say("other lock %d\n", pthread_mutex_lock(&mutex));
        say("other unlock %d\n", pthread_mutex_unlock(&mutex));
        return NULL;
}

static void *
unlock_of_other(void *arg)
{
        (void)arg;
        return (void *)(intptr_t)pthread_mutex_unlock(&mutex);
}

static void
mutex_of(int type)
{
        pthread_mutexattr_t attr;
        pthread_t t;
        int rc;

        say("type %d\n", type);
        (void)pthread_mutexattr_init(&attr);
        (void)pthread_mutexattr_settype(&attr, type);
        (void)pthread_mutex_init(&mutex, &attr);
        turns_begin();
        say("lock %d\n", pthread_mutex_lock(&mutex));
        say("again %d\n", pthread_mutex_trylock(&mutex));
        if (type != PTHREAD_MUTEX_NORMAL)
                say("error %d\n", (int)(intptr_t)end(begin(unlock_of_other, NULL)));
        if (type == PTHREAD_MUTEX_RECURSIVE)
                say("unlock %d\n", pthread_mutex_unlock(&mutex));
        if (type == PTHREAD_MUTEX_ERRORCHECK)
                say("self %d\n", pthread_mutex_lock(&mutex));
        t = begin(second_locks, NULL);
        other(0);
        other(0);
        /* It is about to wait. */
        (void)sem_post(&turn[1]);
        for (int i = 0; i < 10; i++)
                (void)sched_yield();
        rc = pthread_mutex_unlock(&mutex);
        (void)end(t);
        say("unlock %d\n", rc);
        if (type != PTHREAD_MUTEX_NORMAL)
                say("not locked %d\n", pthread_mutex_unlock(&mutex));
        say("destroy %d\n", pthread_mutex_destroy(&mutex));
        (void)pthread_mutexattr_destroy(&attr);
}

/* Many that add up, and let others run while they hold it. */
enum { ADDERS = 8, ROUNDS = 200 };
static int sum;

static void *
add_up(void *arg)
{
        (void)arg;
        for (int i = 0; i < ROUNDS; i++) {
                int was;

                (void)pthread_mutex_lock(&mutex);
                was = sum;
                if (i % 3 == 0)
                        (void)sched_yield();
                sum = was + 1;
                (void)pthread_mutex_unlock(&mutex);
        }
        return NULL;
}

void
scenario_mutexes(void)
{
        pthread_t t[ADDERS];

        mutex_of(PTHREAD_MUTEX_NORMAL);
        mutex_of(PTHREAD_MUTEX_RECURSIVE);
        mutex_of(PTHREAD_MUTEX_ERRORCHECK);
        (void)pthread_mutex_init(&mutex, NULL);
        sum = 0;
        for (int i = 0; i < ADDERS; i++)
                t[i] = begin(add_up, NULL);
        for (int i = 0; i < ADDERS; i++)
                (void)end(t[i]);
        say("sum %d\n", sum);
}

/* ---- condition variables */

static pthread_cond_t cond, cond2;
static int count;

static void *
pong(void *arg)
{
        (void)arg;
        (void)pthread_mutex_lock(&mutex);
        for (int i = 0; i < ROUNDS; i++) {
                while (count % 2 == 0)
                        (void)pthread_cond_wait(&cond, &mutex);
                count++;
                (void)pthread_cond_signal(&cond2);
        }
        (void)pthread_mutex_unlock(&mutex);
        return NULL;
}

static bool go;

static void *
wait_for_go(void *arg)
{
        (void)arg;
        (void)pthread_mutex_lock(&mutex);
        count++;
        (void)pthread_cond_signal(&cond2);
        while (!go)
                (void)pthread_cond_wait(&cond, &mutex);
        count--;
        (void)pthread_mutex_unlock(&mutex);
        return NULL;
}

static void
cond_times(void)
{
        struct timespec at;
        pthread_condattr_t attr;
        pthread_cond_t monotonic;

        (void)pthread_mutex_lock(&mutex);
        at = soon(CLOCK_REALTIME, 5);
        say("timed %d\n", pthread_cond_timedwait(&cond, &mutex, &at));
        at = soon(CLOCK_MONOTONIC, 5);
        say("clock %d\n", cond_clock(&cond, &mutex, &at));
        (void)pthread_condattr_init(&attr);
        (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&monotonic, &attr);
        at = soon(CLOCK_MONOTONIC, 5);
        say("monotonic %d\n", pthread_cond_timedwait(&monotonic, &mutex, &at));
        at.tv_nsec = 1000000000;
        say("bad %d\n", pthread_cond_timedwait(&cond, &mutex, &at));
        say("held %d\n", pthread_mutex_trylock(&mutex));
        (void)pthread_mutex_unlock(&mutex);
        (void)pthread_cond_destroy(&monotonic);
        (void)pthread_condattr_destroy(&attr);
}

void
scenario_conds(void)
{
        pthread_t t[ADDERS];

        (void)pthread_mutex_init(&mutex, NULL);
        (void)pthread_cond_init(&cond, NULL);
        (void)pthread_cond_init(&cond2, NULL);
        count = 0;
        t[0] = begin(pong, NULL);
        (void)pthread_mutex_lock(&mutex);
        for (int i = 0; i < ROUNDS; i++) {
                count++;
                (void)pthread_cond_signal(&cond);
                while (count % 2 == 1)
                        (void)pthread_cond_wait(&cond2, &mutex);
        }
        (void)pthread_mutex_unlock(&mutex);
        (void)end(t[0]);
        say("count %d\n", count);
        cond_times();
        count = 0;
        go = false;
        for (int i = 0; i < ADDERS; i++)
                t[i] = begin(wait_for_go, NULL);
        (void)pthread_mutex_lock(&mutex);
        while (count < ADDERS)
                (void)pthread_cond_wait(&cond2, &mutex);
        go = true;
        say("broadcast %d\n", pthread_cond_broadcast(&cond));
        (void)pthread_mutex_unlock(&mutex);
        for (int i = 0; i < ADDERS; i++)
                (void)end(t[i]);
        say("left %d\n", count);
        say("destroy %d\n", pthread_cond_destroy(&cond));
}

/* ---- read-write locks, semaphores, barriers, spin locks */

static pthread_rwlock_t rw;

static void *
second_rw(void *arg)
{
        struct timespec at = soon(CLOCK_REALTIME, 5);

        (void)arg;
        (void)sem_wait(&turn[1]);
        say("read while read %d", pthread_rwlock_tryrdlock(&rw));
        say(" %d", pthread_rwlock_trywrlock(&rw));
        say(" %d", pthread_rwlock_timedwrlock(&rw, &at));
        say(" %d\n", pthread_rwlock_unlock(&rw));
        other(1);
        at = soon(CLOCK_REALTIME, 5);
        say("while written %d", pthread_rwlock_tryrdlock(&rw));
        say(" %d", pthread_rwlock_timedrdlock(&rw, &at));
        say(" %d\n", pthread_rwlock_trywrlock(&rw));
        other(1);
        say("write %d", pthread_rwlock_wrlock(&rw));
        say(" %d\n", pthread_rwlock_unlock(&rw));
        return NULL;
}

static void *
rw_adds(void *arg)
{
        for (int i = 0; i < ROUNDS; i++) {
                int was;

                if ((uintptr_t)arg % 2 == 0) {
                        (void)pthread_rwlock_rdlock(&rw);
                        (void)sched_yield();
                        (void)pthread_rwlock_unlock(&rw);
                }
                (void)pthread_rwlock_wrlock(&rw);
                was = sum;
                (void)sched_yield();
                sum = was + 1;
                (void)pthread_rwlock_unlock(&rw);
        }
        return NULL;
}

void
scenario_rwlocks(void)
{
        pthread_t t[ADDERS];
        int rc;

        (void)pthread_rwlock_init(&rw, NULL);
        turns_begin();
        t[0] = begin(second_rw, NULL);
        say("read %d\n", pthread_rwlock_rdlock(&rw));
        other(0);
        (void)pthread_rwlock_unlock(&rw);
        say("write %d\n", pthread_rwlock_wrlock(&rw));
        other(0);
        (void)sem_post(&turn[1]);
        for (int i = 0; i < 10; i++)
                (void)sched_yield();
        rc = pthread_rwlock_unlock(&rw);
        (void)end(t[0]);
        say("unlock %d\n", rc);
        sum = 0;
        for (int i = 0; i < ADDERS; i++)
                t[i] = begin(rw_adds, (void *)(intptr_t)i);
        for (int i = 0; i < ADDERS; i++)
                (void)end(t[i]);
        say("sum %d\n", sum);
        say("destroy %d\n", pthread_rwlock_destroy(&rw));
}

static sem_t items;

static void *
consume(void *arg)
{
        intptr_t got = 0;

        (void)arg;
        for (int i = 0; i < ROUNDS; i++) {
                (void)sem_wait(&items);
                got++;
        }
        return (void *)got;
}

void
scenario_semaphores(void)
{
        struct timespec at;
        pthread_t t[2];
        int value = -1;

        (void)sem_init(&items, 0, 1);
        say("wait %d\n", sem_wait(&items));
        say("try %d", sem_trywait(&items));
        say(" %d\n", errno == EAGAIN);
        at = soon(CLOCK_REALTIME, 5);
        say("timed %d", sem_timedwait(&items, &at));
        say(" %d\n", errno == ETIMEDOUT);
        at = soon(CLOCK_MONOTONIC, 5);
        say("clock %d", sem_clock(&items, &at));
        say(" %d\n", errno == ETIMEDOUT);
        at.tv_nsec = -1;
        say("bad %d", sem_timedwait(&items, &at));
        say(" %d\n", errno == EINVAL);
        for (int i = 0; i < 2; i++)
                t[i] = begin(consume, NULL);
        for (int i = 0; i < 2 * ROUNDS; i++) {
                (void)sem_post(&items);
                if (i % 7 == 0)
                        (void)sched_yield();
        }
        for (int i = 0; i < 2; i++)
                say("got %d\n", (int)(intptr_t)end(t[i]));
        (void)sem_getvalue(&items, &value);
        say("value %d\n", value);
}

static pthread_barrier_t barrier;
static pthread_spinlock_t spin;

static void *
meet(void *arg)
{
        intptr_t serial = 0;

        (void)arg;
        for (int i = 0; i < ROUNDS; i++)
                serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        return (void *)serial;
}

static void *
spin_adds(void *arg)
{
        (void)arg;
        for (int i = 0; i < ROUNDS / 10; i++) {
                int was;

                (void)pthread_spin_lock(&spin);
                was = sum;
                (void)sched_yield();
                sum = was + 1;
                (void)pthread_spin_unlock(&spin);
        }
        return NULL;
}

void
scenario_barriers(void)
{
        pthread_t t[4];
        int serial = 0;

        (void)pthread_barrier_init(&barrier, NULL, 4);
        for (int i = 0; i < 4; i++)
                t[i] = begin(meet, NULL);
        for (int i = 0; i < 4; i++)
                serial += (int)(intptr_t)end(t[i]);
        say("serial %d\n", serial);
        say("destroy %d\n", pthread_barrier_destroy(&barrier));
        (void)pthread_spin_init(&spin, 0);
        sum = 0;
        for (int i = 0; i < 4; i++)
                t[i] = begin(spin_adds, NULL);
        for (int i = 0; i < 4; i++)
                (void)end(t[i]);
        say("spun %d\n", sum);
}
