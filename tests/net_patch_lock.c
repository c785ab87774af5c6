/*
 * Locks of foreign code among green threads, shared with OS threads that know nothing of them: what was held before
 * patching, what kills and timeouts end and what they do not, FIFO, and a long random run in which no wake-up is lost.
 */
#include "net_patch.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

#define LOCK(type, name) PATCHED(green__patch_lock, type, name)
#define COND(type, name) PATCHED(green__patch_cond, type, name)
#define RW(type, name) PATCHED(green__patch_rwlock, type, name)

typedef int (*mutex_fn)(pthread_mutex_t *);
typedef int (*mutex_until_fn)(pthread_mutex_t *, const struct timespec *);
typedef int (*cond_wait_fn)(pthread_cond_t *, pthread_mutex_t *);
typedef int (*cond_until_fn)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
typedef int (*cond_fn)(pthread_cond_t *);
typedef int (*rw_fn)(pthread_rwlock_t *);
typedef int (*sem_fn)(sem_t *);

static mutex_fn lock, try_lock, unlock;
static mutex_until_fn timed_lock;
static cond_wait_fn cond_wait;
static cond_until_fn cond_timed_wait;
static cond_fn cond_signal;
static rw_fn read_lock, write_lock, rw_unlock;
static sem_fn take, post;

static void
find_all(void)
{
        lock = LOCK(mutex_fn, "pthread_mutex_lock");
        try_lock = LOCK(mutex_fn, "pthread_mutex_trylock");
        unlock = LOCK(mutex_fn, "pthread_mutex_unlock");
        timed_lock = LOCK(mutex_until_fn, "pthread_mutex_timedlock");
        cond_wait = COND(cond_wait_fn, "pthread_cond_wait");
        cond_timed_wait = COND(cond_until_fn, "pthread_cond_timedwait");
        cond_signal = COND(cond_fn, "pthread_cond_signal");
        read_lock = RW(rw_fn, "pthread_rwlock_rdlock");
        write_lock = RW(rw_fn, "pthread_rwlock_wrlock");
        rw_unlock = RW(rw_fn, "pthread_rwlock_unlock");
        take = RW(sem_fn, "sem_wait");
        post = RW(sem_fn, "sem_post");
}

static struct timespec
soon(double ms)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += (long)(ms * 1e6);
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        return t;
}

static pthread_mutex_t mutex;
static pthread_cond_t cond;
static sem_t sem;

static void
init_mutex(int type)
{
        pthread_mutexattr_t attr;

        pthread_mutexattr_init(&attr);
        pthread_mutexattr_settype(&attr, type);
        pthread_mutex_init(&mutex, &attr);
        pthread_mutexattr_destroy(&attr);
}

/* ---- held before patching */

static void *
locks_and_unlocks(void *arg)
{
        (void)arg;
        CHECK_INT(try_lock(&mutex), EBUSY);
        CHECK_INT(unlock(&mutex), EPERM);
        CHECK_INT(lock(&mutex), 0);
        CHECK_INT(unlock(&mutex), 0);
        return NULL;
}

static void
what_was_locked_before_patching(void)
{
        green_thread *gt;

        GREEN_COVERS("PATCH-08");
        find_all();
        init_mutex(PTHREAD_MUTEX_RECURSIVE);
        /* Unpatched, twice. */
        pthread_mutex_lock(&mutex);
        pthread_mutex_lock(&mutex);
        gt = green_spawn(locks_and_unlocks, NULL);
        green_sleep(0);
        CHECK_INT(lock(&mutex), 0);
        CHECK_INT(unlock(&mutex), 0);
        CHECK_INT(unlock(&mutex), 0);
        green_sleep(0);
        CHECK(!green_thread_dead(gt));
        CHECK_INT(unlock(&mutex), 0);
        join(gt, 0);
        CHECK_INT(pthread_mutex_destroy(&mutex), 0);
}

/* ---- other OS threads */

static atomic_bool held, release_it;

static void *
holds_as_os_thread(void *arg)
{
        (void)arg;
        pthread_mutex_lock(&mutex);
        atomic_store(&held, true);
        while (!atomic_load(&release_it))
                sched_yield();
        pthread_mutex_unlock(&mutex);
        return NULL;
}

static void *
waits_for_os_thread(void *arg)
{
        (void)arg;
        CHECK_INT(lock(&mutex), 0);
        CHECK_INT(unlock(&mutex), 0);
        return NULL;
}

/* It says nothing when it unlocks. */
static void
another_os_thread_unlocks_without_a_word(void)
{
        green_thread *gt[3];
        pthread_t os;

        find_all();
        init_mutex(PTHREAD_MUTEX_NORMAL);
        atomic_store(&held, false);
        atomic_store(&release_it, false);
        pthread_create(&os, NULL, holds_as_os_thread, NULL);
        while (!atomic_load(&held))
                green_sleep(0);
        for (int i = 0; i < 3; i++)
                gt[i] = green_spawn(waits_for_os_thread, NULL);
        green_sleep(0.001);
        for (int i = 0; i < 3; i++)
                CHECK(!green_thread_dead(gt[i]));
        atomic_store(&release_it, true);
        for (int i = 0; i < 3; i++)
                join(gt[i], 0);
        pthread_join(os, NULL);
        pthread_mutex_destroy(&mutex);
}

/* ---- kills and timeouts */

static void *
is_killed_in_lock(void *arg)
{
        (void)arg;
        CHECK_INT(lock(&mutex), 0);
        CHECK_INT(unlock(&mutex), 0);
        CHECK_INT(green_sleep(0), -EINTR);
        return NULL;
}

static void *
is_killed_in_cond(void *arg)
{
        (void)arg;
        CHECK_INT(lock(&mutex), 0);
        CHECK_INT(cond_wait(&cond, &mutex), 0);
        CHECK_INT(try_lock(&mutex), EBUSY);
        CHECK_INT(unlock(&mutex), 0);
        CHECK_INT(green_sleep(0), -EINTR);
        return NULL;
}

static void *
is_killed_in_sem(void *arg)
{
        (void)arg;
        errno = 0;
        CHECK_INT(take(&sem), -1);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(take(&sem), -1);
        CHECK_INT(green_recover(), -EINTR);
        CHECK_INT(take(&sem), 0);
        return NULL;
}

static void
mutexes_and_conditions_are_never_cancelled(void)
{
        green_thread *gt;

        GREEN_COVERS("PATCH-03");
        find_all();
        init_mutex(PTHREAD_MUTEX_NORMAL);
        pthread_cond_init(&cond, NULL);
        CHECK_INT(lock(&mutex), 0);
        gt = green_spawn(is_killed_in_lock, NULL);
        green_sleep(0);
        CHECK_INT(green_kill(gt, -EINTR), 0);
        green_sleep(0);
        CHECK(!green_thread_dead(gt));
        CHECK_INT(unlock(&mutex), 0);
        join(gt, -EINTR);
        gt = green_spawn(is_killed_in_cond, NULL);
        green_sleep(0);
        CHECK_INT(green_kill(gt, -EINTR), 0);
        green_sleep(0);
        CHECK(!green_thread_dead(gt));
        CHECK_INT(cond_signal(&cond), 0);
        join(gt, -EINTR);
        pthread_cond_destroy(&cond);
        pthread_mutex_destroy(&mutex);
}

static void
other_waits_fail_with_ecanceled(void)
{
        struct green_timeout t;
        green_thread *gt;
        int value = -1;

        GREEN_COVERS("PATCH-03");
        find_all();
        sem_init(&sem, 0, 0);
        gt = green_spawn(is_killed_in_sem, NULL);
        green_sleep(0);
        CHECK_INT(green_kill(gt, -EINTR), 0);
        green_sleep(0);
        CHECK(!green_thread_dead(gt));
        CHECK_INT(post(&sem), 0);
        join(gt, 0);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        errno = 0;
        CHECK_INT(take(&sem), -1);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(green_timeout_cancel(&t), 1);
        sem_getvalue(&sem, &value);
        CHECK_INT(value, 0);
}

/* ---- order */

static char order[16];

static void *
locks_in_order(void *arg)
{
        CHECK_INT(lock(&mutex), 0);
        order[strlen(order)] = (char)(uintptr_t)arg;
        CHECK_INT(unlock(&mutex), 0);
        return NULL;
}

static void
green_threads_come_in_their_order(void)
{
        green_thread *gt[5];

        find_all();
        init_mutex(PTHREAD_MUTEX_NORMAL);
        memset(order, 0, sizeof order);
        CHECK_INT(lock(&mutex), 0);
        for (uintptr_t i = 0; i < 5; i++)
                gt[i] = green_spawn(locks_in_order, (void *)('a' + i));
        green_sleep(0);
        CHECK_INT(unlock(&mutex), 0);
        /* It is theirs already. */
        CHECK_INT(try_lock(&mutex), EBUSY);
        CHECK_INT(lock(&mutex), 0);
        CHECK_STR(order, "abcde");
        CHECK_INT(unlock(&mutex), 0);
        for (int i = 0; i < 5; i++)
                join(gt[i], 0);
        pthread_mutex_destroy(&mutex);
}

/* ---- a signal handler posts */

static void
post_it(int number)
{
        (void)number;
        (void)post(&sem);
}

static void *
sends_signal(void *arg)
{
        (void)arg;
        raise(SIGUSR1);
        return NULL;
}

static void
a_signal_handler_posts(void)
{
        struct sigaction act = {.sa_handler = post_it}, old;
        green_thread *gt;
        double begun;

        find_all();
        sem_init(&sem, 0, 0);
        sigaction(SIGUSR1, &act, &old);
        gt = green_spawn(sends_signal, NULL);
        begun = seconds();
        CHECK_INT(take(&sem), 0);
        CHECK_RANGE(seconds() - begun, 0, 5 * suite_slow());
        join(gt, 0);
        sigaction(SIGUSR1, &old, NULL);
}

/* ---- at random */

enum { WORKERS = 10, MUTEXES = 3, STEPS = 2000, PERMITS = 2 };

static struct {
        pthread_mutex_t mutex[MUTEXES];
        atomic_int inside[MUTEXES];
        pthread_rwlock_t rw;
        atomic_int readers, writers;
        sem_t sem;
        atomic_int permits;
        pthread_mutex_t ring;
        pthread_cond_t changed;
        int items;
        atomic_bool over;
        green_thread *worker[WORKERS];
        unsigned long waits, failed;
} r;

static uint64_t random_state;

static unsigned
dice(unsigned sides)
{
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(random_state >> 33) % sides;
}

/* Hold it for a while. */
static void
stay(void)
{
        unsigned d = dice(8);

        green_shield_begin();
        if (d == 0)
                green_sleep(dice(200) * 1e-6);
        else if (d < 4)
                green_sleep(0);
        green_shield_end();
}

static void
use_mutex(void)
{
        unsigned k = dice(MUTEXES);
        struct timespec at = soon(dice(20) / 10.0);
        bool timed = dice(2);
        int rc = timed ? timed_lock(&r.mutex[k], &at) : lock(&r.mutex[k]);

        r.waits++;
        if (timed && rc == ETIMEDOUT) {
                r.failed++;
                return;
        }
        CHECK_INT(rc, 0);
        CHECK_INT(atomic_fetch_add(&r.inside[k], 1), 0);
        stay();
        atomic_fetch_sub(&r.inside[k], 1);
        CHECK_INT(unlock(&r.mutex[k]), 0);
}

static void
use_rw(void)
{
        bool write = dice(3) == 0;

        CHECK_INT(write ? write_lock(&r.rw) : read_lock(&r.rw), 0);
        if (write) {
                CHECK_INT(atomic_fetch_add(&r.writers, 1), 0);
                CHECK_INT(atomic_load(&r.readers), 0);
        } else {
                atomic_fetch_add(&r.readers, 1);
                CHECK_INT(atomic_load(&r.writers), 0);
        }
        stay();
        atomic_fetch_sub(write ? &r.writers : &r.readers, 1);
        CHECK_INT(rw_unlock(&r.rw), 0);
}

static void
use_sem(void)
{
        struct green_timeout t;
        bool limited = dice(2);
        int rc;

        if (limited)
                CHECK_INT(green_timeout_start(&t, dice(10) * 1e-4 + 1e-5), 0);
        errno = 0;
        rc = take(&r.sem);
        r.waits++;
        if (rc == 0) {
                CHECK(atomic_fetch_add(&r.permits, 1) < PERMITS);
                stay();
                atomic_fetch_sub(&r.permits, 1);
                CHECK_INT(post(&r.sem), 0);
        } else {
                CHECK_INT(errno, ECANCELED);
                r.failed++;
        }
        if (limited)
                (void)green_timeout_cancel(&t);
}

/* Put something in, or wait until there is something. */
static void
use_ring(void)
{
        struct timespec at = soon(1);
        int rc = 0;

        CHECK_INT(lock(&r.ring), 0);
        if (dice(2)) {
                r.items++;
                CHECK_INT(cond_signal(&r.changed), 0);
        } else {
                while (r.items == 0 && rc == 0)
                        rc = cond_timed_wait(&r.changed, &r.ring, &at);
                CHECK(rc == 0 || rc == ETIMEDOUT);
                if (r.items > 0)
                        r.items--;
        }
        CHECK_INT(unlock(&r.ring), 0);
}

static void *
work(void *arg)
{
        void (*const uses[])(void) = {use_mutex, use_rw, use_sem, use_ring};

        (void)arg;
        for (int i = 0; i < STEPS; i++) {
                (void)green_recover();
                uses[dice(4)]();
        }
        (void)green_recover();
        return NULL;
}

static void *
kill_at_random(void *arg)
{
        (void)arg;
        while (!atomic_load(&r.over)) {
                green_thread *gt = r.worker[dice(WORKERS)];

                if (!green_thread_dead(gt))
                        CHECK_INT(green_kill(gt, -EINTR), 0);
                green_sleep(dice(300) * 1e-6);
        }
        return NULL;
}

/* An OS thread that takes the same by libc's own functions. */
static void *
work_as_os_thread(void *arg)
{
        (void)arg;
        while (!atomic_load(&r.over)) {
                pthread_mutex_lock(&r.mutex[0]);
                if (atomic_fetch_add(&r.inside[0], 1) != 0)
                        FAIL("two in a mutex");
                sched_yield();
                atomic_fetch_sub(&r.inside[0], 1);
                pthread_mutex_unlock(&r.mutex[0]);
                pthread_rwlock_wrlock(&r.rw);
                if (atomic_fetch_add(&r.writers, 1) != 0 || atomic_load(&r.readers) != 0)
                        FAIL("another beside a writer");
                atomic_fetch_sub(&r.writers, 1);
                pthread_rwlock_unlock(&r.rw);
                sem_wait(&r.sem);
                if (atomic_fetch_add(&r.permits, 1) >= PERMITS)
                        FAIL("more permits than there are");
                atomic_fetch_sub(&r.permits, 1);
                sem_post(&r.sem);
                usleep(200);
        }
        return NULL;
}

static void
random_begin(void)
{
        static const int types[MUTEXES] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK};

        memset(&r, 0, sizeof r);
        for (int i = 0; i < MUTEXES; i++) {
                init_mutex(types[i]);
                memcpy(&r.mutex[i], &mutex, sizeof mutex);
        }
        pthread_rwlock_init(&r.rw, NULL);
        sem_init(&r.sem, 0, PERMITS);
        pthread_mutex_init(&r.ring, NULL);
        pthread_cond_init(&r.changed, NULL);
}

static void
no_wake_up_is_lost(void)
{
        const char *seed = getenv("GREEN_TEST_SEED");
        green_thread *killer;
        pthread_t os;
        int value = -1;

        find_all();
        random_state = seed == NULL ? 20260713 : strtoull(seed, NULL, 10);
        printf("seed %llu\n", (unsigned long long)random_state);
        random_begin();
        pthread_create(&os, NULL, work_as_os_thread, NULL);
        for (int i = 0; i < WORKERS; i++)
                r.worker[i] = green_spawn(work, NULL);
        killer = green_spawn(kill_at_random, NULL);
        for (int i = 0; i < WORKERS; i++) {
                /* One that was killed after its last recovery says so. */
                int rc = green_thread_wait(r.worker[i], NULL);

                CHECK(rc == 0 || rc == -EINTR);
        }
        atomic_store(&r.over, true);
        join(killer, 0);
        pthread_join(os, NULL);
        for (int i = 0; i < WORKERS; i++)
                green_thread_unref(r.worker[i]);
        sem_getvalue(&r.sem, &value);
        CHECK_INT(value, PERMITS);
        for (int i = 0; i < MUTEXES; i++) {
                CHECK_INT(try_lock(&r.mutex[i]), 0);
                CHECK_INT(unlock(&r.mutex[i]), 0);
                CHECK_INT(pthread_mutex_destroy(&r.mutex[i]), 0);
        }
        CHECK(r.failed > 0 && r.failed < r.waits);
}

/* ---- limits that are over */

static bool other_ran;

static void *
runs(void *arg)
{
        (void)arg;
        other_ran = true;
        return NULL;
}

static void
a_wait_whose_time_is_over_lets_others_run(void)
{
        static const struct timespec past = {0, 0};

        find_all();
        init_mutex(PTHREAD_MUTEX_NORMAL);
        CHECK_INT(pthread_cond_init(&cond, NULL), 0);
        other_ran = false;
        CHECK_INT(green_spawn_n(runs, NULL), 0);
        CHECK_INT(lock(&mutex), 0);
        CHECK_INT(cond_timed_wait(&cond, &mutex, &past), ETIMEDOUT);
        CHECK(other_ran);
        CHECK_INT(unlock(&mutex), 0);
        CHECK_INT(pthread_mutex_destroy(&mutex), 0);
}

/* ---- who writes already */

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

static void *
writes_twice(void *arg)
{
        (void)arg;
        CHECK_INT(write_lock(&rw), 0);
        CHECK_INT(write_lock(&rw), EDEADLK);
        CHECK_INT(read_lock(&rw), EDEADLK);
        green_sleep(0.01);
        CHECK_INT(rw_unlock(&rw), 0);
        return NULL;
}

static void
who_writes_is_told_that_it_waits_for_itself(void)
{
        rw_fn try_write = RW(rw_fn, "pthread_rwlock_trywrlock");
        green_thread *gt;

        find_all();
        gt = green_spawn(writes_twice, NULL);
        green_sleep(0);
        /* Another one of the same OS thread just waits. */
        CHECK_INT(try_write(&rw), EBUSY);
        CHECK_INT(write_lock(&rw), 0);
        join(gt, 0);
        CHECK_INT(rw_unlock(&rw), 0);
        CHECK_INT(try_write(&rw), 0);
        CHECK_INT(write_lock(&rw), EDEADLK);
        CHECK_INT(rw_unlock(&rw), 0);
        CHECK_INT(read_lock(&rw), 0);
        CHECK_INT(rw_unlock(&rw), 0);
}

GREEN_SUITE(net_patch_lock){GREEN_TEST(what_was_locked_before_patching),
                            GREEN_TEST(another_os_thread_unlocks_without_a_word),
                            GREEN_TEST(mutexes_and_conditions_are_never_cancelled),
                            GREEN_TEST(other_waits_fail_with_ecanceled),
                            GREEN_TEST(green_threads_come_in_their_order),
                            GREEN_TEST(a_wait_whose_time_is_over_lets_others_run),
                            GREEN_TEST(who_writes_is_told_that_it_waits_for_itself),
                            GREEN_TEST(a_signal_handler_posts),
                            GREEN_TEST(no_wake_up_is_lost, .limit = 60),
                            GREEN_SUITE_END};
