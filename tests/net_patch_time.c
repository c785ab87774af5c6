/* net/patch/patch_time.c: sleep() and its kind, for foreign code. */
#include "net_patch.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <threads.h>

#define FN(type, name) PATCHED(green__patch_time, type, name)

typedef unsigned sleep_fn(unsigned);
typedef int usleep_fn(useconds_t);
typedef int nanosleep_fn(const struct timespec *, struct timespec *);
typedef int clock_nanosleep_fn(clockid_t, int, const struct timespec *, struct timespec *);

#define SHORT 20000000L /* nanoseconds */

static const struct timespec a_while = {.tv_nsec = SHORT};

static int
by_usleep(void)
{
        return FN(usleep_fn *, "usleep")(SHORT / 1000);
}

static int
by_nanosleep(void)
{
        return FN(nanosleep_fn *, "nanosleep")(&a_while, NULL);
}

static int
by_thrd_sleep(void)
{
        return FN(nanosleep_fn *, "thrd_sleep")(&a_while, NULL);
}

static int
on_clock(clockid_t clock)
{
        return FN(clock_nanosleep_fn *, "clock_nanosleep")(clock, 0, &a_while, NULL);
}

static int
until_clock(clockid_t clock)
{
        struct timespec t;

        clock_gettime(clock, &t);
        t.tv_nsec += SHORT;
        if (t.tv_nsec >= 1000000000) {
                t.tv_nsec -= 1000000000;
                t.tv_sec++;
        }
        return FN(clock_nanosleep_fn *, "clock_nanosleep")(clock, TIMER_ABSTIME, &t, NULL);
}

static int
on_monotonic(void)
{
        return on_clock(CLOCK_MONOTONIC);
}

static int
on_realtime(void)
{
        return on_clock(CLOCK_REALTIME);
}

static int
until_monotonic(void)
{
        return until_clock(CLOCK_MONOTONIC);
}

static int
until_realtime(void)
{
        return until_clock(CLOCK_REALTIME);
}

static int (*const ways[])(void) = {by_usleep,   by_nanosleep,    by_thrd_sleep, on_monotonic,
                                    on_realtime, until_monotonic, until_realtime};

#define WAYS (sizeof ways / sizeof ways[0])

static void *
sleep_once(void *arg)
{
        int (*way)(void) = *(int (*const *)(void))arg;
        double begin = seconds();

        errno = 77;
        CHECK_INT(way(), 0);
        CHECK_INT(errno, 77);
        /* A clock that is set by a program that keeps time may run a bit faster. */
        CHECK(seconds() - begin >= SHORT * 0.99e-9);
        return NULL;
}

static void
a_sleep_lets_others_run_and_is_not_shorter(void)
{
        GREEN_COVERS("PATCH-01");
        for (size_t i = 0; i < WAYS; i++) {
                int turns = 0;
                green_thread *counter = green_spawn(count_turns, &turns);
                green_thread *gt = green_spawn(sleep_once, (void *)(uintptr_t)&ways[i]);

                join(gt, 0);
                CHECK(turns >= 2);
                green_kill(counter, 0);
                join(counter, GREEN_EKILLED);
        }
}

/* More than the time they take one after another. */
static void
many_sleep_at_once(void)
{
        enum { N = 200 };
        green_thread *gt[N];
        double begin = seconds();

        for (int i = 0; i < N; i++)
                gt[i] = green_spawn(sleep_once, (void *)(uintptr_t)&ways[(size_t)i % WAYS]);
        for (int i = 0; i < N; i++)
                join(gt[i], 0);
        CHECK(seconds() - begin < N * (SHORT * 1e-9) / 2);
}

static void
a_time_that_is_over_is_no_wait(void)
{
        clock_nanosleep_fn *fn = FN(clock_nanosleep_fn *, "clock_nanosleep");
        const struct timespec past = {.tv_sec = 1}, none = {.tv_sec = 0};
        int turns = 0;
        green_thread *counter = green_spawn(count_turns, &turns);

        CHECK_INT(fn(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL), 0);
        CHECK_INT(fn(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL), 0);
        CHECK_INT(FN(nanosleep_fn *, "nanosleep")(&none, NULL), 0);
        CHECK_INT(FN(sleep_fn *, "sleep")(0), 0);
        CHECK_INT(FN(usleep_fn *, "usleep")(0), 0);
        /* It gave way, though. */
        CHECK(turns >= 1);
        green_kill(counter, 0);
        join(counter, GREEN_EKILLED);
}

/* As the system has it. */
static void
what_is_no_time_is_an_error(void)
{
        clock_nanosleep_fn *fn = FN(clock_nanosleep_fn *, "clock_nanosleep");
        const struct timespec bad[] = {{.tv_nsec = -1}, {.tv_nsec = 1000000000}, {.tv_sec = -1}};

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                errno = 0;
                CHECK_INT(FN(nanosleep_fn *, "nanosleep")(&bad[i], NULL), -1);
                CHECK_INT(errno, EINVAL);
                errno = 0;
                CHECK_INT(fn(CLOCK_MONOTONIC, 0, &bad[i], NULL), EINVAL);
                CHECK_INT(errno, 0);
        }
        CHECK_INT(fn(12345, 0, &a_while, NULL), EINVAL);
        CHECK_INT(fn(CLOCK_THREAD_CPUTIME_ID, 0, &a_while, NULL), EINVAL);
        CHECK_INT(errno, 0);
}

/* ---- what ends a sleep before its time */

static void
a_timeout_ends_a_sleep_and_what_is_left_is_told(void)
{
        const struct timespec hour = {.tv_sec = 3600};
        struct green_timeout limit = {{0}};
        struct timespec left;

        CHECK_INT(green_timeout_start(&limit, 0.01), 0);
        CHECK_INT(FN(nanosleep_fn *, "nanosleep")(&hour, &left), -1);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(left.tv_sec, 3599);
        CHECK_RANGE(left.tv_nsec, 0, 999999999);
        left.tv_sec = 0;
        CHECK_INT(FN(clock_nanosleep_fn *, "clock_nanosleep")(CLOCK_MONOTONIC, 0, &hour, &left), ECANCELED);
        CHECK_RANGE(left.tv_sec, 3598, 3600);
        CHECK_INT(FN(usleep_fn *, "usleep")(1000000), -1);
        CHECK_INT(errno, ECANCELED);
        errno = 0;
        CHECK_RANGE(FN(sleep_fn *, "sleep")(3600), 3598, 3600);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(FN(nanosleep_fn *, "thrd_sleep")(&hour, &left), -2);
        CHECK_INT(green_timeout_cancel(&limit), 1);
}

/* Of an absolute time nothing is left. */
static void
an_absolute_time_leaves_nothing(void)
{
        const struct timespec late = {.tv_sec = INT32_MAX};
        struct timespec left = {.tv_sec = 4711};
        struct green_timeout limit = {{0}};

        CHECK_INT(green_timeout_start(&limit, 0.01), 0);
        CHECK_INT(FN(clock_nanosleep_fn *, "clock_nanosleep")(CLOCK_REALTIME, TIMER_ABSTIME, &late, &left), ECANCELED);
        CHECK_INT(left.tv_sec, 4711);
        CHECK_INT(green_timeout_cancel(&limit), 1);
}

/* Code that sleeps again for what was left comes to an end, though each sleep fails. */
static void *
sleep_to_the_end(void *arg)
{
        unsigned left = 5;

        while (left > 0)
                left = FN(sleep_fn *, "sleep")(left);
        *(bool *)arg = true;
        return NULL;
}

static void
who_was_killed_does_not_sleep_for_ever(void)
{
        bool over = false;
        green_thread *gt = green_spawn(sleep_to_the_end, &over);
        double begin = seconds();

        green_sleep(0);
        CHECK_INT(green_kill(gt, 0), 0);
        join(gt, GREEN_EKILLED);
        CHECK(over);
        CHECK(seconds() - begin < 4);
}

static volatile sig_atomic_t rang;

static void
ring(int sig)
{
        rang += sig == SIGALRM;
}

static void
ring_soon(void)
{
        const struct itimerval soon = {.it_value = {.tv_usec = 20000}};

        rang = 0;
        CHECK_INT(setitimer(ITIMER_REAL, &soon, NULL), 0);
}

/* Where a program has a handler, its sleep ends when that has run: as ever, whatever SA_RESTART says. */
static void
a_signal_handler_ends_a_sleep_and_what_is_left_is_told(void)
{
        int (*set)(int, const struct sigaction *, struct sigaction *) =
                PATCHED(green__patch_signal, int (*)(int, const struct sigaction *, struct sigaction *), "sigaction");
        const struct timespec hour = {.tv_sec = 3600};
        struct timespec left = {.tv_sec = 0};
        struct sigaction theirs = {.sa_handler = ring, .sa_flags = SA_RESTART}, old;

        CHECK_INT(set(SIGALRM, &theirs, &old), 0);
        ring_soon();
        CHECK_INT(FN(nanosleep_fn *, "nanosleep")(&hour, &left), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(rang, 1);
        CHECK_RANGE(left.tv_sec, 3590, 3599);
        ring_soon();
        CHECK_INT(FN(clock_nanosleep_fn *, "clock_nanosleep")(CLOCK_MONOTONIC, 0, &hour, &left), EINTR);
        ring_soon();
        CHECK_INT(FN(nanosleep_fn *, "thrd_sleep")(&hour, &left), -1);
        ring_soon();
        CHECK_RANGE(FN(sleep_fn *, "sleep")(3600), 3590, 3599);
        CHECK_INT(rang, 1);
        CHECK_INT(set(SIGALRM, &old, NULL), 0);
}

/* ---- where nothing can wait */

static void *
in_thread(void *arg)
{
        double begin = seconds();

        (void)arg;
        CHECK_INT(by_nanosleep(), 0);
        CHECK_INT(by_usleep(), 0);
        CHECK_INT(until_monotonic(), 0);
        CHECK(seconds() - begin >= 3 * SHORT * 0.99e-9);
        return NULL;
}

static void
an_os_thread_without_a_hub_sleeps_as_a_whole(void)
{
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, in_thread, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
}

static void
in_callback(void *arg)
{
        double begin = seconds();

        CHECK_INT(by_nanosleep(), 0);
        CHECK(seconds() - begin >= SHORT * 0.99e-9);
        *(bool *)arg = true;
}

static void
a_hub_callback_sleeps_as_a_whole(void)
{
        bool done = false;

        CHECK_INT(green_hub_post(green_get_hub(), in_callback, &done), 0);
        while (!done)
                green_sleep(0.001);
}

GREEN_SUITE(net_patch_time){GREEN_TEST(a_sleep_lets_others_run_and_is_not_shorter),
                            GREEN_TEST(many_sleep_at_once),
                            GREEN_TEST(a_time_that_is_over_is_no_wait),
                            GREEN_TEST(what_is_no_time_is_an_error),
                            GREEN_TEST(a_timeout_ends_a_sleep_and_what_is_left_is_told),
                            GREEN_TEST(an_absolute_time_leaves_nothing),
                            GREEN_TEST(who_was_killed_does_not_sleep_for_ever),
                            GREEN_TEST(a_signal_handler_ends_a_sleep_and_what_is_left_is_told),
                            GREEN_TEST(an_os_thread_without_a_hub_sleeps_as_a_whole),
                            GREEN_TEST(a_hub_callback_sleeps_as_a_whole),
                            GREEN_SUITE_END};
