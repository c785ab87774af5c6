/*
 * A library that knows POSIX threads and nothing of green-net: scenarios that say what they saw. It is built twice; one
 * copy is patched and runs in green threads, the other in OS threads, and both must say the same.
 */
#include "patch_threads_priv.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <time.h>

static char *text;
static size_t room;

void
say(const char *format, ...)
{
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(text, room, format, args);
        va_end(args);
        if (n > 0 && (size_t)n < room) {
                text += n;
                room -= (size_t)n;
        }
}

struct timespec
soon(clockid_t clock, long ms)
{
        struct timespec t;

        (void)clock_gettime(clock, &t);
        t.tv_nsec += ms % 1000 * 1000000;
        t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        return t;
}

pthread_t
begin(void *(*fn)(void *), void *arg)
{
        pthread_t t;
        int rc = pthread_create(&t, NULL, fn, arg);

        if (rc != 0)
                say("create %d\n", rc);
        return t;
}

void *
end(pthread_t t)
{
        void *result = NULL;
        int rc = pthread_join(t, &result);

        if (rc != 0)
                say("join %d\n", rc);
        return result;
}

sem_t turn[2];

void
turns_begin(void)
{
        (void)sem_init(&turn[0], 0, 0);
        (void)sem_init(&turn[1], 0, 0);
}

void
other(int me)
{
        (void)sem_post(&turn[1 - me]);
        while (sem_wait(&turn[me]) != 0)
                ;
}

/* ---- threads */

static pthread_t told;

static void *
tell_self(void *arg)
{
        told = pthread_self();
        return arg;
}

static void *
join_self(void *arg)
{
        (void)arg;
        return (void *)(intptr_t)pthread_join(pthread_self(), NULL);
}

static void *
leave_early(void *arg)
{
        pthread_exit(arg);
}

static void *
wait_for_turn(void *arg)
{
        (void)sem_wait(&turn[1]);
        return arg;
}

static void *
end_quietly(void *arg)
{
        (void)sem_wait(&turn[1]);
        (void)sem_post(&turn[0]);
        return arg;
}

static void
scenario_threads(void)
{
        pthread_t t = begin(tell_self, &told), main_thread = pthread_self();
        struct timespec at;
        pthread_attr_t attr;
        char name[16] = "";
        void *result;

        say("result %d\n", end(t) == &told);
        say("self %d %d\n", pthread_equal(t, told) != 0, pthread_equal(told, pthread_self()) != 0);
        say("main %d\n", pthread_equal(main_thread, pthread_self()) != 0);
        say("join self %d\n", (int)(intptr_t)end(begin(join_self, NULL)));
        say("exit %d\n", end(begin(leave_early, &attr)) == &attr);
        turns_begin();
        t = begin(wait_for_turn, &attr);
        say("try %d\n", pthread_tryjoin_np(t, &result));
        at = soon(CLOCK_REALTIME, 5);
        say("timed %d\n", pthread_timedjoin_np(t, &result, &at));
        say("name %d", pthread_setname_np(t, "somebody"));
        say(" %d", pthread_getname_np(t, name, sizeof name));
        say(" %s", name);
        say(" %d\n", pthread_setname_np(t, "a name that is too long"));
        say("kill 0 %d\n", pthread_kill(t, 0));
        (void)sem_post(&turn[1]);
        at = soon(CLOCK_REALTIME, 60000);
        say("timed %d", pthread_timedjoin_np(t, &result, &at));
        say(" %d\n", result == &attr);
        (void)pthread_attr_init(&attr);
        say("detached %d\n", pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
        say("create %d\n", pthread_create(&t, &attr, end_quietly, NULL));
        say("join %d\n", pthread_join(t, NULL));
        other(0);
        (void)pthread_attr_destroy(&attr);
        t = begin(end_quietly, NULL);
        say("detach %d", pthread_detach(t));
        say(" %d", pthread_detach(t));
        say(" %d\n", pthread_join(t, NULL));
        other(0);
}

/* Down to an address of the stack, however much a frame takes: sanitizers' are larger. */
static int
deep(const char *lowest)
{
        volatile char frame[1024];

        memset((void *)(uintptr_t)frame, 1, sizeof frame);
        return (char *)__builtin_frame_address(0) < lowest ? frame[5] : deep(lowest) + (frame[5] & 0);
}

/* As deep as so many KiB: 200, and more where it was asked for. */
static void *
go_deep(void *arg)
{
        return (void *)(intptr_t)deep((char *)__builtin_frame_address(0) - (intptr_t)arg * 1024);
}

static void *
own_stack(void *arg)
{
        pthread_attr_t attr;
        char *address = NULL, here;
        size_t size = 0;

        (void)arg;
        if (pthread_getattr_np(pthread_self(), &attr) != 0 ||
            pthread_attr_getstack(&attr, (void **)&address, &size) != 0)
                return NULL;
        (void)pthread_attr_destroy(&attr);
        return &here > address && &here < address + size ? address : NULL;
}

static void
scenario_stacks(void)
{
        pthread_attr_t attr;
        pthread_t t;

        say("usual %d\n", (int)(intptr_t)end(begin(go_deep, (void *)200)));
        (void)pthread_attr_init(&attr);
        say("size %d\n", pthread_attr_setstacksize(&attr, 4 << 20));
        say("create %d\n", pthread_create(&t, &attr, go_deep, (void *)3000));
        say("large %d\n", (int)(intptr_t)end(t));
        (void)pthread_attr_destroy(&attr);
        say("own %d\n", end(begin(own_stack, NULL)) != NULL);
}

/* ---- once, keys */

enum { CALLERS = 8 };

static pthread_once_t once;
static int inits;

static void
init_slowly(void)
{
        inits++;
        for (int i = 0; i < 20; i++)
                (void)sched_yield();
        inits += 10;
}

static void
init_and_leave(void)
{
        inits++;
        pthread_exit(NULL);
}

static void *
call_once_slowly(void *arg)
{
        int rc = pthread_once(&once, init_slowly);

        (void)arg;
        return (void *)(intptr_t)(rc == 0 ? inits : -1);
}

static void *
call_once_and_leave(void *arg)
{
        (void)pthread_once(&once, init_and_leave);
        return arg;
}

static void
scenario_once(void)
{
        pthread_t t[CALLERS];
        bool same = true;

        inits = 0;
        once = PTHREAD_ONCE_INIT;
        for (int i = 0; i < CALLERS; i++)
                t[i] = begin(call_once_slowly, NULL);
        for (int i = 0; i < CALLERS; i++)
                same = (intptr_t)end(t[i]) == 11 && same;
        say("same %d inits %d\n", same, inits);
}

/* In an OS thread glibc does not survive it. */
static void
scenario_once_left(void)
{
        once = PTHREAD_ONCE_INIT;
        inits = 0;
        (void)end(begin(call_once_and_leave, NULL));
        say("left %d\n", inits);
        (void)end(begin(call_once_slowly, NULL));
        say("again %d\n", inits);
}

static pthread_key_t key, again_key;
static int destroyed, rounds;

static void
destroy(void *value)
{
        destroyed += (int)(intptr_t)value;
}

static void
set_again(void *value)
{
        rounds++;
        (void)pthread_setspecific(again_key, value);
}

static void *
use_keys(void *arg)
{
        void *first = pthread_getspecific(key);

        say("set %d\n", pthread_setspecific(key, arg));
        (void)sched_yield();
        (void)pthread_setspecific(again_key, arg);
        return (void *)(intptr_t)(first == NULL && pthread_getspecific(key) == arg);
}

static void
scenario_keys(void)
{
        pthread_key_t other_key;

        destroyed = rounds = 0;
        say("create %d %d\n", pthread_key_create(&key, destroy), pthread_key_create(&again_key, set_again));
        say("main %d\n", pthread_setspecific(key, &key));
        say("own %d\n", (int)(intptr_t)end(begin(use_keys, (void *)5)));
        say("own %d\n", (int)(intptr_t)end(begin(use_keys, (void *)7)));
        say("destroyed %d in %d\n", destroyed, rounds);
        say("main's %d\n", pthread_getspecific(key) == &key);
        say("delete %d", pthread_key_delete(key));
        say(" %d\n", pthread_key_delete(key));
        (void)pthread_key_create(&other_key, NULL);
        say("new %d\n", pthread_getspecific(other_key) == NULL);
        (void)pthread_key_delete(other_key);
        (void)pthread_key_delete(again_key);
}

/* ---- cancelling, ending */

static pthread_mutex_t mutex;
static pthread_cond_t cond;
static sem_t items;

static void
note(void *arg)
{
        say("clean-up %s\n", (const char *)arg);
}

static void
unlock_it(void *arg)
{
        say("held %d\n", pthread_mutex_trylock(arg) == EBUSY);
        say("unlock %d\n", pthread_mutex_unlock(arg));
}

static void
note_variable(const char **at)
{
        say("variable %s\n", *at);
}

static void *
wait_for_ever(void *arg)
{
        const char *name __attribute__((cleanup(note_variable))) = "gone";

        (void)arg;
        pthread_cleanup_push(note, (void *)(uintptr_t) "outer");
        (void)pthread_mutex_lock(&mutex);
        pthread_cleanup_push(unlock_it, &mutex);
        (void)sem_post(&turn[0]);
        for (;;)
                (void)pthread_cond_wait(&cond, &mutex);
        pthread_cleanup_pop(1);
        pthread_cleanup_pop(1);
        return (void *)(uintptr_t)name;
}

static void *
wait_for_permit(void *arg)
{
        pthread_cleanup_push(note, (void *)(uintptr_t) "permit");
        (void)sem_post(&turn[0]);
        (void)sem_wait(&items);
        say("not here\n");
        pthread_cleanup_pop(0);
        return arg;
}

static void *
forbid(void *arg)
{
        int old = -1;

        say("state %d", pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
        say(" %d\n", old == PTHREAD_CANCEL_ENABLE);
        other(1);
        pthread_testcancel();
        say("wait %d\n", sem_wait(&items));
        (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
        say("enabled %d\n", old == PTHREAD_CANCEL_DISABLE);
        pthread_testcancel();
        say("not here\n");
        return arg;
}

static void
leave_deep(int n)
{
        pthread_cleanup_push(note, (void *)(uintptr_t)(n == 0 ? "deepest" : "above"));
        if (n == 0)
                pthread_exit((void *)42);
        if (n > 0)
                leave_deep(n - 1);
        pthread_cleanup_pop(0);
}

static void *
leave_from_below(void *arg)
{
        const char *name __attribute__((cleanup(note_variable))) = "of the thread";

        (void)name;
        pthread_cleanup_push(note, (void *)(uintptr_t) "popped");
        pthread_cleanup_pop(1);
        (void)pthread_setspecific(key, (void *)3);
        leave_deep(2);
        return arg;
}

static void *
wait_for_other(void *arg)
{
        (void)sem_post(&turn[0]);
        return (void *)(intptr_t)pthread_join(*(pthread_t *)arg, NULL);
}

static void
cancel_it(pthread_t t)
{
        bool cancelled;
        int rc;

        (void)sem_wait(&turn[0]);
        /* It waits by now, or will, and is cancelled then. */
        for (int i = 0; i < 10; i++)
                (void)sched_yield();
        rc = pthread_cancel(t);
        cancelled = end(t) == PTHREAD_CANCELED;
        say("cancel %d cancelled %d\n", rc, cancelled);
}

static void
scenario_cancelling(void)
{
        pthread_t t, joined;

        turns_begin();
        (void)pthread_mutex_init(&mutex, NULL);
        (void)pthread_cond_init(&cond, NULL);
        (void)sem_init(&items, 0, 0);
        cancel_it(begin(wait_for_ever, NULL));
        say("free %d\n", pthread_mutex_trylock(&mutex));
        cancel_it(begin(wait_for_permit, NULL));
        t = begin(forbid, NULL);
        (void)sem_wait(&turn[0]);
        say("cancel %d\n", pthread_cancel(t));
        (void)sem_post(&turn[1]);
        (void)sem_post(&items);
        say("cancelled %d\n", end(t) == PTHREAD_CANCELED);
        joined = begin(wait_for_turn, NULL);
        cancel_it(begin(wait_for_other, &joined));
        (void)sem_post(&turn[1]);
        (void)end(joined);
        (void)pthread_key_create(&key, destroy);
        destroyed = 0;
        say("exit %d\n", (int)(intptr_t)end(begin(leave_from_below, NULL)));
        say("destroyed %d\n", destroyed);
        (void)pthread_key_delete(key);
}

/* ---- <threads.h> */

static int count;
static mtx_t mtx;
static cnd_t cnd;
static once_flag flag = ONCE_FLAG_INIT;
static tss_t tss;

static void
count_init(void)
{
        inits++;
}

static int
c11_thread(void *arg)
{
        call_once(&flag, count_init);
        (void)tss_set(tss, arg);
        (void)mtx_lock(&mtx);
        count++;
        (void)cnd_signal(&cnd);
        (void)mtx_unlock(&mtx);
        thrd_yield();
        if (tss_get(tss) != arg)
                return -1;
        if ((intptr_t)arg == 2)
                thrd_exit(22);
        return (int)(intptr_t)arg;
}

static void
scenario_c11(void)
{
        struct timespec at = soon(CLOCK_REALTIME, 5);
        thrd_t t[3];
        int result = 0;

        inits = count = 0;
        say("init %d %d\n", mtx_init(&mtx, mtx_timed), cnd_init(&cnd));
        say("key %d\n", tss_create(&tss, NULL));
        for (int i = 0; i < 3; i++)
                say("create %d\n", thrd_create(&t[i], c11_thread, (void *)(intptr_t)i));
        (void)mtx_lock(&mtx);
        while (count < 3)
                (void)cnd_wait(&cnd, &mtx);
        say("busy %d\n", mtx_trylock(&mtx) == thrd_busy);
        say("timed %d\n", cnd_timedwait(&cnd, &mtx, &at) == thrd_timedout);
        say("timed %d\n", mtx_timedlock(&mtx, &at) == thrd_timedout);
        (void)mtx_unlock(&mtx);
        for (int i = 0; i < 3; i++) {
                say("join %d", thrd_join(t[i], &result));
                say(" %d\n", result);
        }
        say("inits %d\n", inits);
        tss_delete(tss);
        mtx_destroy(&mtx);
        cnd_destroy(&cnd);
}

static const struct patch_scenario list[] = {
        {"threads", scenario_threads},
        {"stacks", scenario_stacks},
        {"mutexes", scenario_mutexes},
        {"condition variables", scenario_conds},
        {"read-write locks", scenario_rwlocks},
        {"semaphores", scenario_semaphores},
        {"barriers and spin locks", scenario_barriers},
        {"once", scenario_once},
        {"once left", scenario_once_left},
        {"keys", scenario_keys},
        {"cancelling", scenario_cancelling},
        {"threads.h", scenario_c11},
        {NULL, NULL},
};

const struct patch_scenario *
patch_scenarios(void)
{
        return list;
}

void
patch_scenario_run(const struct patch_scenario *s, char *buffer, size_t len)
{
        text = buffer;
        room = len;
        text[0] = '\0';
        s->run();
}
