/* net/signal.c, net/signal_posix.c, net/signal_stop.c: signals reach green threads. */
#include "net_suite.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define SOON (10 * suite_slow())

/* Two that nobody else sends here. */
#if defined(_WIN32)
#define FIRST SIGTERM
#define SECOND SIGBREAK
#else
#define FIRST SIGUSR1
#define SECOND SIGUSR2
#endif

static void
join(green_thread *gt, int want)
{
        CHECK_INT(green_thread_wait(gt, NULL), want);
        green_thread_unref(gt);
}

struct waiter {
        green_signal *s;
        double timeout;
        int rc;
        unsigned count;
};

static void *
wait_for(void *arg)
{
        struct waiter *w = arg;

        w->rc = green_signal_wait(w->s, w->timeout, &w->count);
        return NULL;
}

static struct sigaction
action_of(int signum)
{
        struct sigaction now;

        CHECK_INT(sigaction(signum, NULL, &now), 0);
        return now;
}

/* ---- waiting */

static void
a_signal_wakes_the_one_that_waits(void)
{
        struct waiter w = {.s = green_signal_new(FIRST), .timeout = SOON, .rc = -1};
        green_thread *gt;

        GREEN_COVERS("HUB-21");
        CHECK_OR_RETURN(w.s != NULL);
        gt = green_spawn(wait_for, &w);
        green_sleep(0);
        CHECK_INT(w.rc, -1);
        errno = 12345;
        CHECK_INT(raise(FIRST), 0);
        CHECK_INT(errno, 12345);
        join(gt, 0);
        CHECK_INT(w.rc, 0);
        CHECK_INT(w.count, 1);
        CHECK_INT(green_signal_free(w.s), 0);
}

static void
what_came_before_the_wait_counts_as_one(void)
{
        green_signal *s = green_signal_new(FIRST);
        unsigned count = 0;

        CHECK_OR_RETURN(s != NULL);
        CHECK_INT(green_signal_wait(s, 0, &count), -ETIMEDOUT);
        CHECK_INT(count, 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(raise(FIRST), 0);
        CHECK_INT(green_signal_wait(s, SOON, &count), 0);
        CHECK_INT(count, 3);
        CHECK_INT(green_signal_wait(s, 0, &count), -ETIMEDOUT);
        CHECK_INT(green_signal_wait(s, 0.005, NULL), -ETIMEDOUT);
        CHECK_INT(raise(FIRST), 0);
        CHECK_INT(green_signal_wait(s, 0, NULL), 0);
        /* With its wake-up on the way still. */
        CHECK_INT(green_signal_free(s), 0);
        green_sleep(0.001);
}

static void
one_that_gives_up_loses_nothing(void)
{
        struct waiter w = {.s = green_signal_new(FIRST), .timeout = SOON, .rc = -1};
        unsigned count = 0;
        green_thread *gt;

        CHECK_OR_RETURN(w.s != NULL);
        gt = green_spawn(wait_for, &w);
        green_sleep(0);
        CHECK_INT(green_signal_wait(w.s, SOON, NULL), -EBUSY);
        CHECK_INT(green_signal_free(w.s), -EBUSY);
        /* It came, and the one that waits is killed before the hub has looked. */
        CHECK_INT(raise(FIRST), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        join(gt, GREEN_EKILLED);
        CHECK_INT(w.rc, GREEN_EKILLED);
        CHECK_INT(green_signal_wait(w.s, SOON, &count), 0);
        CHECK_INT(count, 1);
        CHECK_INT(green_signal_free(w.s), 0);
}

static void
it_comes_from_another_process(void)
{
        green_signal *s = green_signal_new(SIGHUP), *chld = green_signal_new(SIGCHLD);
        unsigned count = 0;
        pid_t pid;

        CHECK_OR_RETURN(s != NULL && chld != NULL);
        pid = fork();
        if (pid == 0)
                _exit(kill(getppid(), SIGHUP) != 0);
        CHECK_INT(green_signal_wait(s, SOON, &count), 0);
        CHECK_INT(count, 1);
        CHECK_INT(green_signal_wait(chld, SOON, &count), 0);
        CHECK_INT(green_os_waitpid(pid, NULL, 0), pid);
        CHECK_INT(green_signal_free(s), 0);
        CHECK_INT(green_signal_free(chld), 0);
}

static void
each_of_several_that_are_interested_gets_it(void)
{
        green_signal *s[3];
        unsigned count;

        for (int i = 0; i < 3; i++)
                CHECK_OR_RETURN((s[i] = green_signal_new(SECOND)) != NULL);
        CHECK_INT(raise(SECOND), 0);
        CHECK_INT(green_signal_free(s[1]), 0);
        CHECK_INT(raise(SECOND), 0);
        for (int i = 0; i < 3; i += 2) {
                CHECK_INT(green_signal_wait(s[i], SOON, &count), 0);
                CHECK_INT(count, 2);
                CHECK_INT(green_signal_free(s[i]), 0);
        }
}

/* ---- other OS threads */

static _Atomic(green_signal *) left[2];
static atomic_int ready;
static atomic_bool over;

static void *
interested(void *arg)
{
        green_signal *s = green_signal_new(FIRST);
        unsigned count = 0, total = 0;

        CHECK_INT(green_signal_wait(arg, 0, NULL), -EPERM);
        CHECK_INT(green_signal_free(arg), -EPERM);
        CHECK_OR_RETURN(s != NULL, NULL);
        atomic_store(&left[atomic_fetch_add(&ready, 1)], s);
        while (total < 2 && CHECK_INT(green_signal_wait(s, SOON, &count), 0))
                total += count;
        CHECK_INT(total, 2);
        atomic_fetch_add(&ready, 1);
        /* It takes note until its hub ends. */
        return NULL;
}

static void
every_os_thread_that_is_interested_gets_it(void)
{
        green_signal *s = green_signal_new(FIRST);
        pthread_t threads[2];
        unsigned count;

        CHECK_OR_RETURN(s != NULL);
        atomic_store(&ready, 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, interested, s), 0);
        while (atomic_load(&ready) < 2)
                green_sleep(0.001);
        CHECK_INT(raise(FIRST), 0);
        CHECK_INT(green_signal_wait(s, SOON, &count), 0);
        CHECK_INT(count, 1);
        CHECK_INT(pthread_kill(threads[0], FIRST), 0);
        CHECK_INT(green_signal_wait(s, SOON, &count), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_INT(atomic_load(&ready), 4);
        CHECK_INT(green_signal_free(s), 0);
        CHECK(action_of(FIRST).sa_handler == SIG_DFL);
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_signal_free(atomic_load(&left[i])), 0);
}

/* Handles come and go in some OS threads while signals come in all. */
enum { ROUNDS = 300 };

static void *
come_and_go(void *arg)
{
        (void)arg;
        for (int i = 0; i < ROUNDS; i++) {
                green_signal *s = green_signal_new(FIRST);

                (void)!green_signal_wait(s, i % 2 == 0 ? 0.001 : 0, NULL);
                CHECK_INT(green_signal_free(s), 0);
        }
        atomic_fetch_add(&ready, 1);
        /* The others may still send it signals. */
        while (!atomic_load(&over))
                green_sleep(0.001);
        return NULL;
}

static void
handles_come_and_go_while_signals_come(void)
{
        green_signal *s = green_signal_new(FIRST);
        unsigned total = 0, count, own = 0, sent = 0;
        pthread_t threads[3];

        atomic_store(&over, false);
        atomic_store(&ready, 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
        for (; atomic_load(&ready) < 3; sent++) {
                if (sent % 2 == 0) {
                        own++;
                        raise(FIRST);
                } else {
                        pthread_kill(threads[sent / 2 % 3], FIRST);
                }
                if (sent % 16 == 0 && green_signal_wait(s, 0, &count) == 0)
                        total += count;
                if (sent % 64 == 0)
                        green_sleep(0);
        }
        atomic_store(&over, true);
        for (int i = 0; i < 3; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        if (green_signal_wait(s, 0, &count) == 0)
                total += count;
        CHECK_RANGE(total, own, sent);
        CHECK_INT(green_signal_free(s), 0);
}

/* ---- handlers */

static volatile sig_atomic_t handled;

static void
on_signal(int sig)
{
        (void)sig;
        handled++;
}

static void
the_handler_before_is_put_back(void)
{
        struct sigaction theirs = {.sa_handler = on_signal}, old;
        green_signal *s[2];

        handled = 0;
        sigaction(FIRST, &theirs, &old);
        s[0] = green_signal_new(FIRST);
        s[1] = green_signal_new(FIRST);
        raise(FIRST);
        CHECK_INT(handled, 0);
        CHECK_INT(green_signal_free(s[0]), 0);
        raise(FIRST);
        CHECK_INT(handled, 0);
        CHECK_INT(green_signal_free(s[1]), 0);
        raise(FIRST);
        CHECK_INT(handled, 1);
        /* One that somebody has put in its place meanwhile stays. */
        sigaction(FIRST, &old, NULL);
        s[0] = green_signal_new(FIRST);
        sigaction(FIRST, &theirs, NULL);
        CHECK_INT(green_signal_free(s[0]), 0);
        CHECK(action_of(FIRST).sa_handler == on_signal);
        sigaction(FIRST, &old, NULL);
}

static void
some_signals_cannot_be_waited_for(void)
{
        static const int signums[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 0, -1, 1000};

        for (size_t i = 0; i < sizeof signums / sizeof signums[0]; i++) {
                CHECK_PTR(green_signal_new(signums[i]), NULL);
                CHECK_INT(errno, EINVAL);
                CHECK_INT(green_last_error()->code, -EINVAL);
        }
        CHECK_INT(green_signal_wait(NULL, 0, NULL), -EINVAL);
        CHECK_INT(green_signal_free(NULL), 0);
}

static void
system_calls_go_on(void)
{
        CHECK_INT(green_signal_free(NULL), 0);
        green_signal *s = green_signal_new(FIRST);

        CHECK((action_of(FIRST).sa_flags & SA_RESTART) != 0);
        CHECK_INT(green_signal_wait(s, -1, NULL), -EINVAL);
        CHECK_INT(green_signal_free(s), 0);
}

static void
in_callback(void *arg)
{
        CHECK_INT(green_signal_wait(arg, SOON, NULL), -EDEADLK);
        raise(FIRST);
        CHECK_INT(green_signal_wait(arg, SOON, NULL), 0);
}

static void
a_hub_callback_may_ask_and_not_wait(void)
{
        green_signal *s = green_signal_new(FIRST);

        CHECK_INT(green_hub_post(green_get_hub(), in_callback, s), 0);
        green_sleep(0.005);
        CHECK_INT(green_signal_free(s), 0);
}

/* ---- fork */

static void *
idle_interest(void *arg)
{
        CHECK((*(green_signal **)arg = green_signal_new(SECOND)) != NULL);
        atomic_store(&ready, 1);
        while (!atomic_load(&over))
                green_sleep(0.001);
        CHECK_INT(green_signal_free(*(green_signal **)arg), 0);
        return NULL;
}

static void
the_child_of_a_fork_forgets_what_came_before(void)
{
        green_signal *s = green_signal_new(FIRST), *other;
        pthread_t thread;
        unsigned count;
        int status;
        pid_t pid;

        atomic_store(&over, false);
        atomic_store(&ready, 0);
        CHECK_INT(pthread_create(&thread, NULL, idle_interest, &other), 0);
        while (!atomic_load(&ready))
                green_sleep(0.001);
        raise(FIRST);
        pid = fork();
        if (pid == 0) {
                /* The other OS thread is not here, and so nobody is interested in its signal. */
                CHECK(action_of(SECOND).sa_handler == SIG_DFL);
                CHECK_INT(green_signal_wait(s, 0.005, &count), -ETIMEDOUT);
                raise(FIRST);
                raise(FIRST);
                CHECK_INT(green_signal_wait(s, SOON, &count), 0);
                CHECK_INT(count, 2);
                CHECK_INT(green_signal_free(s), 0);
                CHECK(action_of(FIRST).sa_handler == SIG_DFL);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_INT(green_signal_wait(s, SOON, &count), 0);
        CHECK_INT(count, 1);
        CHECK_INT(green_signal_free(s), 0);
        atomic_store(&over, true);
        CHECK_INT(pthread_join(thread, NULL), 0);
}

/* ---- the end of the program */

/* A program that is stopped, in a child: says that it waits, is stopped, and tells by its status how it ended. */
static _Noreturn void
stoppable(int fd, int signum)
{
        int rc = green_signal_stop_main(true);

        if (rc != 0 || green_signal_stop_main(true) != 0)
                _exit(90);
        (void)!write(fd, "x", 1);
        rc = green_sleep(SOON);
        if (rc != GREEN_ESTOPPED || green_sleep(SOON) != GREEN_ESTOPPED || green_recover() != GREEN_ESTOPPED)
                _exit(91);
        /* In order; a fork on the way changes nothing. */
        if (fork() == 0)
                _exit(0);
        if (green_os_wait(NULL) < 0 || green_sleep(0.01) != 0)
                _exit(92);
        (void)!write(fd, "y", 1);
        raise(signum);
        _exit(93);
}

static void
sigint_and_sigterm_stop_main_and_the_second_ends_the_program(void)
{
        static const int signums[] = {SIGINT, SIGTERM};

        GREEN_COVERS("HUB-21");
        for (int i = 0; i < 4; i++) {
                int fds[2], status;
                char byte = 0;
                pid_t pid;

                CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
                pid = fork();
                if (pid == 0)
                        stoppable(fds[1], signums[i % 2]);
                CHECK_INT(green_os_read(fds[0], &byte, 1), 1);
                CHECK_INT(kill(pid, signums[i / 2]), 0);
                CHECK_INT(green_os_read(fds[0], &byte, 1), 1);
                CHECK_INT(byte, 'y');
                CHECK_INT(green_os_waitpid(pid, &status, 0), pid);
                CHECK(WIFSIGNALED(status));
                CHECK_INT(WTERMSIG(status), signums[i % 2]);
                close(fds[0]);
                close(fds[1]);
        }
}

/* A program that computes never looks: the second one ends it all the same. */
static void
a_program_that_computes_is_ended_by_the_second(void)
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                (void)green_signal_stop_main(true);
                raise(SIGINT);
                raise(SIGINT);
                _exit(94);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

static void *
other_stops(void *arg)
{
        (void)arg;
        CHECK_INT(green_signal_stop_main(true), -EBUSY);
        CHECK_INT(green_signal_stop_main(false), -EBUSY);
        return NULL;
}

static void
one_os_thread_is_stopped_and_off_puts_back(void)
{
        struct sigaction theirs = {.sa_handler = on_signal}, old;
        pthread_t thread;

        sigaction(SIGTERM, &theirs, &old);
        CHECK_INT(green_signal_stop_main(false), 0);
        CHECK_INT(green_signal_stop_main(true), 0);
        CHECK(action_of(SIGINT).sa_handler != SIG_DFL);
        CHECK_INT(pthread_create(&thread, NULL, other_stops, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(green_signal_stop_main(false), 0);
        CHECK(action_of(SIGINT).sa_handler == SIG_DFL);
        CHECK(action_of(SIGTERM).sa_handler == on_signal);
        sigaction(SIGTERM, &old, NULL);
        /* One that came is forgotten when it is switched off before the hub looks. */
        CHECK_INT(green_signal_stop_main(true), 0);
        raise(SIGINT);
        CHECK_INT(green_signal_stop_main(false), 0);
        CHECK_INT(green_sleep(0.005), 0);
}

static void
who_waits_for_sigterm_too_decides_about_the_second(void)
{
        green_signal *s = green_signal_new(SIGTERM);
        unsigned count;

        CHECK_INT(green_signal_stop_main(true), 0);
        raise(SIGTERM);
        CHECK_INT(green_sleep(1), GREEN_ESTOPPED);
        CHECK_INT(green_recover(), GREEN_ESTOPPED);
        raise(SIGTERM);
        CHECK_INT(green_signal_stop_main(false), 0);
        CHECK_INT(green_signal_wait(s, SOON, &count), 0);
        CHECK_INT(count, 2);
        CHECK_INT(green_signal_free(s), 0);
}

static void *
end_with_it_on(void *arg)
{
        (void)arg;
        CHECK_INT(green_signal_stop_main(true), 0);
        return NULL;
}

static void
it_is_switched_off_when_its_hub_ends(void)
{
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, end_with_it_on, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(action_of(SIGINT).sa_handler == SIG_DFL);
        CHECK_INT(green_signal_stop_main(true), 0);
        CHECK_INT(green_signal_stop_main(false), 0);
}

GREEN_SUITE(net_signal){GREEN_TEST(a_signal_wakes_the_one_that_waits),
                        GREEN_TEST(what_came_before_the_wait_counts_as_one),
                        GREEN_TEST(one_that_gives_up_loses_nothing),
                        GREEN_TEST(it_comes_from_another_process),
                        GREEN_TEST(each_of_several_that_are_interested_gets_it),
                        GREEN_TEST(every_os_thread_that_is_interested_gets_it),
                        GREEN_TEST(handles_come_and_go_while_signals_come),
                        GREEN_TEST(the_handler_before_is_put_back),
                        GREEN_TEST(some_signals_cannot_be_waited_for),
                        GREEN_TEST(system_calls_go_on),
                        GREEN_TEST(a_hub_callback_may_ask_and_not_wait),
                        GREEN_TEST(the_child_of_a_fork_forgets_what_came_before),
                        GREEN_TEST(sigint_and_sigterm_stop_main_and_the_second_ends_the_program),
                        GREEN_TEST(a_program_that_computes_is_ended_by_the_second),
                        GREEN_TEST(one_os_thread_is_stopped_and_off_puts_back),
                        GREEN_TEST(who_waits_for_sigterm_too_decides_about_the_second),
                        GREEN_TEST(it_is_switched_off_when_its_hub_ends),
                        GREEN_SUITE_END};
