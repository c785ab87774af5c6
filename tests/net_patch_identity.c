/*
 * Who a green thread is for code that knows POSIX threads alone: also one that green_spawn() made, the OS thread's own,
 * and seen from other OS threads.
 */
#include "net_patch.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "../net/patch/patch_thread_priv.h"

#define THREAD(type, name) PATCHED(green__patch_thread, type, name)
#define EXIT(type, name) PATCHED(green__patch_exit, type, name)
#define KEY(type, name) PATCHED(green__patch_key, type, name)
#define NP(type, name) PATCHED(green__patch_thread_np, type, name)

typedef int (*create_fn)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int (*join_fn)(pthread_t, void **);
typedef pthread_t (*self_fn)(void);
typedef int (*handle_fn)(pthread_t);
typedef void (*exit_fn)(void *);
typedef void *(*get_fn)(pthread_key_t);
typedef int (*set_fn)(pthread_key_t, const void *);
typedef int (*signal_fn)(pthread_t, int);
typedef int (*mutex_fn)(pthread_mutex_t *);

static create_fn create;
static join_fn join_thread;
static self_fn self;
static handle_fn cancel;
static get_fn get;
static set_fn set;

static void
find_all(void)
{
        create = THREAD(create_fn, "pthread_create");
        join_thread = THREAD(join_fn, "pthread_join");
        self = THREAD(self_fn, "pthread_self");
        cancel = EXIT(handle_fn, "pthread_cancel");
        get = KEY(get_fn, "pthread_getspecific");
        set = KEY(set_fn, "pthread_setspecific");
}

/* ---- green threads of green_spawn() */

static atomic_int turns;
static pthread_key_t key;
static int destroyed;
static pthread_t seen[2];

static void
destroy(void *value)
{
        destroyed += (int)(uintptr_t)value;
        CHECK(get(key) == NULL);
        CHECK(pthread_equal(self(), seen[0]) || pthread_equal(self(), seen[1]));
}

static void *
has_values(void *arg)
{
        uintptr_t i = (uintptr_t)arg;

        seen[i] = self();
        CHECK(get(key) == NULL);
        CHECK_INT(set(key, (void *)(i + 1)), 0);
        green_sleep(0);
        CHECK(pthread_equal(self(), seen[i]));
        CHECK(get(key) == (void *)(i + 1));
        return NULL;
}

static void
a_plain_green_thread_is_somebody(void)
{
        green_thread *gt[2];

        find_all();
        destroyed = 0;
        /* Made by unpatched code, as before patching. */
        CHECK_INT(pthread_key_create(&key, destroy), 0);
        CHECK_INT(pthread_setspecific(key, &key), 0);
        for (uintptr_t i = 0; i < 2; i++)
                gt[i] = green_spawn(has_values, (void *)i);
        join(gt[0], 0);
        join(gt[1], 0);
        CHECK(!pthread_equal(seen[0], seen[1]));
        CHECK(!pthread_equal(seen[0], pthread_self()));
        CHECK(pthread_equal(self(), pthread_self()));
        CHECK(get(key) == &key);
        CHECK_INT(destroyed, 3);
        CHECK_INT(pthread_setspecific(key, NULL), 0);
        CHECK_INT(pthread_key_delete(key), 0);
}

/* ---- ends */

static void *
nothing(void *arg)
{
        return arg;
}

static void
one_that_was_killed_before_it_started(void)
{
        struct green__pt *pt;
        void *result = NULL;
        pthread_t t;

        find_all();
        CHECK_INT(create(&t, NULL, nothing, &turns), 0);
        pt = green__pt_get(t);
        CHECK_OR_RETURN(pt != NULL);
        CHECK_INT(green_kill(pt->thread, 0), 0);
        green__pt_put(pt);
        CHECK_INT(join_thread(t, &result), 0);
        CHECK(result == PTHREAD_CANCELED);
        CHECK_INT(join_thread(t, &result), ESRCH);
        CHECK_INT(cancel(t), ESRCH);
        CHECK_INT(NP(signal_fn, "pthread_kill")(t, 0), ESRCH);
}

static void
one_that_was_cancelled_before_it_started(void)
{
        void *result = NULL;
        pthread_t t;

        find_all();
        CHECK_INT(create(&t, NULL, nothing, &turns), 0);
        CHECK_INT(cancel(t), 0);
        CHECK_INT(join_thread(t, &result), 0);
        /* It met no cancellation point. */
        CHECK(result == &turns);
}

static pthread_t main_thread;

static void *
outlives_main(void *arg)
{
        int fd = *(int *)arg;
        void *result = NULL;

        if (join_thread(main_thread, &result) != 0 || result != &turns)
                return NULL;

        for (int i = 0; i < 3; i++)
                green_sleep(0.001);
        (void)!write(fd, "x", 1);
        return NULL;
}

static void
the_process_ends_with_the_last(void)
{
        int ends[2], status = -1;
        pthread_t t;
        char byte = 0;
        pid_t pid;

        find_all();
        CHECK_INT(pipe(ends), 0);
        pid = fork();
        if (pid == 0) {
                main_thread = self();
                if (create(&t, NULL, outlives_main, &ends[1]) != 0)
                        _exit(9);
                EXIT(exit_fn, "pthread_exit")(&turns);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status));
        CHECK_INT(WEXITSTATUS(status), 0);
        CHECK_INT(read(ends[0], &byte, 1), 1);
        CHECK_INT(byte, 'x');
        close(ends[0]);
        close(ends[1]);
}

/* ---- other OS threads */

static atomic_bool go_on;

static void *
os_thread(void *arg)
{
        while (!atomic_load(&go_on))
                usleep(100);
        return arg;
}

static void *
others_run(void *arg)
{
        (void)arg;
        while (atomic_fetch_add(&turns, 1) < 5)
                green_sleep(0.0005);
        atomic_store(&go_on, true);
        return NULL;
}

static void
an_os_thread_is_joined_while_others_run(void)
{
        void *result = NULL;
        green_thread *gt;
        pthread_t os;

        find_all();
        atomic_store(&go_on, false);
        atomic_store(&turns, 0);
        CHECK_INT(pthread_create(&os, NULL, os_thread, &turns), 0);
        gt = green_spawn(others_run, NULL);
        CHECK_INT(join_thread(os, &result), 0);
        CHECK(result == &turns);
        join(gt, 0);
}

static pthread_t green_one;

static void *
joins_green(void *arg)
{
        void *result = NULL;

        CHECK_INT(join_thread(green_one, &result), 0);
        CHECK(result == arg);
        return arg;
}

static void *
ends_later(void *arg)
{
        green_sleep(0.002);
        return arg;
}

static void *
waits_long(void *arg)
{
        (void)arg;
        (void)PATCHED(green__patch_rwlock, int (*)(void *), "sem_wait")(arg);
        return NULL;
}

static void *
cancels_green(void *arg)
{
        CHECK_INT(cancel(green_one), 0);
        return arg;
}

static void
green_threads_seen_from_another_os_thread(void)
{
        long word[8] = {0};
        void *result = NULL;
        pthread_t os;

        find_all();
        CHECK_INT(create(&green_one, NULL, ends_later, &turns), 0);
        CHECK_INT(pthread_create(&os, NULL, joins_green, &turns), 0);
        CHECK_INT(join_thread(os, &result), 0);
        CHECK(result == &turns);
        /* A semaphore that is nobody's. */
        CHECK_INT(create(&green_one, NULL, waits_long, word), 0);
        green_sleep(0);
        CHECK_INT(pthread_create(&os, NULL, cancels_green, NULL), 0);
        CHECK_INT(join_thread(green_one, &result), 0);
        CHECK(result == PTHREAD_CANCELED);
        CHECK_INT(join_thread(os, NULL), 0);
}

/* ---- fork */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *
waits_for_mutex(void *arg)
{
        CHECK_INT(PATCHED(green__patch_lock, mutex_fn, "pthread_mutex_lock")(&mutex), 0);
        CHECK_INT(PATCHED(green__patch_lock, mutex_fn, "pthread_mutex_unlock")(&mutex), 0);
        return arg;
}

static void
after_a_fork_waiters_are_forgotten(void)
{
        mutex_fn lock, unlock;
        int status = -1;
        pthread_t t;
        pid_t pid;

        find_all();
        lock = PATCHED(green__patch_lock, mutex_fn, "pthread_mutex_lock");
        unlock = PATCHED(green__patch_lock, mutex_fn, "pthread_mutex_unlock");
        CHECK_INT(lock(&mutex), 0);
        CHECK_INT(create(&t, NULL, waits_for_mutex, NULL), 0);
        green_sleep(0);
        pid = fork();
        if (pid == 0) {
                CHECK_INT(unlock(&mutex), 0);
                CHECK_INT(PATCHED(green__patch_lock, mutex_fn, "pthread_mutex_trylock")(&mutex), 0);
                CHECK_INT(unlock(&mutex), 0);
                CHECK_INT(create(&t, NULL, waits_for_mutex, NULL), 0);
                CHECK_INT(join_thread(t, NULL), 0);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_INT(unlock(&mutex), 0);
        CHECK_INT(join_thread(t, NULL), 0);
}

GREEN_SUITE(net_patch_identity){GREEN_TEST(a_plain_green_thread_is_somebody),
                                GREEN_TEST(one_that_was_killed_before_it_started),
                                GREEN_TEST(one_that_was_cancelled_before_it_started),
                                GREEN_TEST(the_process_ends_with_the_last, .keeps_fds = true),
                                GREEN_TEST(an_os_thread_is_joined_while_others_run),
                                GREEN_TEST(green_threads_seen_from_another_os_thread, .keeps_fds = true),
                                GREEN_TEST(after_a_fork_waiters_are_forgotten),
                                GREEN_SUITE_END};
