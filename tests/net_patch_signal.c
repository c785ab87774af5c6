/*
 * Signal handlers of patched code, and patched calls that they interrupt.
 */
#include "net_patch.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

#define FD(type, name) PATCHED(green__patch_fd, type, name)
#define POLL(type, name) PATCHED(green__patch_poll, type, name)
#define SIGNAL(type, name) PATCHED(green__patch_signal, type, name)

typedef ssize_t (*recv_fn)(int, void *, size_t, int);
typedef int (*poll_fn)(struct pollfd *, nfds_t, int);
typedef int (*ppoll_fn)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
typedef int (*sigaction_fn)(int, const struct sigaction *, struct sigaction *);
typedef void (*handler_fn)(int);
typedef handler_fn (*signal_fn)(int, handler_fn);
typedef int (*raise_fn)(int);
typedef void (*siglongjmp_fn)(sigjmp_buf, int);
typedef int (*pause_fn)(void);

static int ends[2];
static int times, could_wait;
static sigjmp_buf env;

static void
open_ends(void)
{
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static void
close_ends(void)
{
        close(ends[0]);
        close(ends[1]);
}

static void
handler(int sig)
{
        (void)sig;
        times++;
        could_wait += green__patch_may_wait();
}

static void
info_handler(int sig, siginfo_t *info, void *context)
{
        times += info->si_signo == sig && context != NULL;
        could_wait += green__patch_may_wait();
}

static void
jumping_handler(int sig)
{
        times++;
        SIGNAL(siglongjmp_fn, "siglongjmp")(env, sig);
}

static void
set(int sig, int flags)
{
        struct sigaction act = {.sa_flags = flags};

        if (flags & SA_SIGINFO)
                act.sa_sigaction = info_handler;
        else
                act.sa_handler = handler;
        times = could_wait = 0;
        CHECK_INT(SIGNAL(sigaction_fn, "sigaction")(sig, &act, NULL), 0);
}

/* A signal for the process, sent by another green thread as soon as main waits. */
static void *
send_signal(void *arg)
{
        kill(getpid(), (int)(intptr_t)arg);
        return NULL;
}

static void *
send_signal_and_byte(void *arg)
{
        kill(getpid(), (int)(intptr_t)arg);
        green_sleep(0.01);
        CHECK_INT(write(ends[1], "x", 1), 1);
        return NULL;
}

static void
launch(green_thread_fn fn, int sig)
{
        CHECK_INT(green_spawn_n(fn, (void *)(intptr_t)sig), 0);
}

static void
a_handler_without_restart_interrupts_main(void)
{
        char byte;

        open_ends();
        set(SIGUSR1, 0);
        launch(send_signal, SIGUSR1);
        CHECK_INT(FD(recv_fn, "recv")(ends[0], &byte, 1, 0), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(times, 1);
        CHECK_INT(could_wait, 0);
        CHECK(green__patch_may_wait());
        close_ends();
}

static sem_t sem;

static void *
post_later(void *arg)
{
        (void)arg;
        kill(getpid(), SIGUSR1);
        green_sleep(0.01);
        CHECK_INT(PATCHED(green__patch_rwlock, int (*)(sem_t *), "sem_post")(&sem), 0);
        return NULL;
}

static void
so_it_does_with_a_wait_for_a_semaphore(void)
{
        int (*take)(sem_t *) = PATCHED(green__patch_rwlock, int (*)(sem_t *), "sem_wait");

        CHECK_INT(sem_init(&sem, 0, 0), 0);
        set(SIGUSR1, 0);
        launch(send_signal, SIGUSR1);
        CHECK_INT(take(&sem), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(times, 1);
        set(SIGUSR1, SA_RESTART);
        CHECK_INT(green_spawn_n(post_later, NULL), 0);
        CHECK_INT(take(&sem), 0);
        CHECK_INT(times, 1);
        CHECK_INT(sem_destroy(&sem), 0);
}

static void
a_handler_with_restart_does_not(void)
{
        struct pollfd p;
        char byte;

        open_ends();
        set(SIGUSR1, SA_RESTART | SA_SIGINFO);
        launch(send_signal_and_byte, SIGUSR1);
        CHECK_INT(FD(recv_fn, "recv")(ends[0], &byte, 1, 0), 1);
        CHECK_INT(times, 1);
        CHECK_INT(could_wait, 0);
        /* But poll(). */
        launch(send_signal, SIGUSR1);
        p = (struct pollfd){.fd = ends[0], .events = POLLIN};
        CHECK_INT(POLL(poll_fn, "poll")(&p, 1, -1), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(times, 2);
        close_ends();
}

/* The timer's signal comes while the OS thread sleeps in the hub. */
static void
an_alarm_ends_what_waits_for_good(void)
{
        struct timeval soon = {0, 20000};
        struct itimerval timer = {.it_value = soon};

        set(SIGALRM, 0);
        CHECK_INT(setitimer(ITIMER_REAL, &timer, NULL), 0);
        CHECK_INT(SIGNAL(pause_fn, "pause")(), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(times, 1);
        CHECK_INT(setitimer(ITIMER_REAL, &timer, NULL), 0);
        CHECK_INT(POLL(poll_fn, "poll")(NULL, 0, -1), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(times, 2);
}

static void
a_handler_may_jump_out_of_a_wait(void)
{
        volatile int jumps = 0;
        char byte;

        open_ends();
        times = 0;
        CHECK(SIGNAL(signal_fn, "signal")(SIGUSR2, jumping_handler) != SIG_ERR);
        for (int i = 0; i < 3; i++) {
                if (sigsetjmp(env, 1) == 0) {
                        launch(send_signal, SIGUSR2);
                        (void)!FD(recv_fn, "recv")(ends[0], &byte, 1, 0);
                        FAIL("it did not jump");
                } else {
                        jumps++;
                }
                CHECK(green__patch_may_wait());
        }
        CHECK_INT(jumps, 3);
        /* The descriptor and the green thread are as before. */
        launch(send_signal_and_byte, SIGCONT);
        CHECK_INT(FD(recv_fn, "recv")(ends[0], &byte, 1, 0), 1);
        close_ends();
}

static void
handlers_are_told_as_they_were_set(void)
{
        struct sigaction act = {.sa_flags = SA_RESTART}, old;

        act.sa_handler = handler;
        CHECK_INT(SIGNAL(sigaction_fn, "sigaction")(SIGUSR1, &act, NULL), 0);
        CHECK_INT(SIGNAL(sigaction_fn, "sigaction")(SIGUSR1, NULL, &old), 0);
        CHECK(old.sa_handler == handler);
        CHECK_INT(old.sa_flags & SA_SIGINFO, 0);
        CHECK_INT(old.sa_flags & SA_RESTART, SA_RESTART);
        CHECK(SIGNAL(signal_fn, "signal")(SIGUSR1, SIG_IGN) == handler);
        CHECK(SIGNAL(signal_fn, "signal")(SIGUSR1, handler) == SIG_IGN);
        CHECK_INT(sigaction(SIGUSR1, NULL, &old), 0);
        CHECK(old.sa_handler != handler);
        CHECK(SIGNAL(signal_fn, "signal")(SIGUSR1, SIG_DFL) == handler);
        CHECK_INT(SIGNAL(sigaction_fn, "sigaction")(SIGKILL, &act, NULL), -1);
        CHECK_INT(errno, EINVAL);
}

static void
a_raised_signal_has_been_handled_when_it_returns(void)
{
        set(SIGUSR1, 0);
        CHECK_INT(SIGNAL(raise_fn, "raise")(SIGUSR1), 0);
        CHECK_INT(times, 1);
        CHECK_INT(could_wait, 0);
}

static void
ppoll_lets_a_blocked_signal_through(void)
{
        sigset_t usr1, before, now;

        set(SIGUSR1, SA_RESTART);
        sigemptyset(&usr1);
        sigaddset(&usr1, SIGUSR1);
        CHECK_INT(pthread_sigmask(SIG_BLOCK, &usr1, &before), 0);
        /* One that waits already, and one that comes meanwhile. */
        kill(getpid(), SIGUSR1);
        CHECK_INT(times, 0);
        CHECK_INT(POLL(ppoll_fn, "ppoll")(NULL, 0, NULL, &before), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(times, 1);
        launch(send_signal, SIGUSR1);
        CHECK_INT(POLL(ppoll_fn, "ppoll")(NULL, 0, NULL, &before), -1);
        CHECK_INT(errno, EINTR);
        CHECK_INT(times, 2);
        CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, &now), 0);
        CHECK_INT(sigismember(&now, SIGUSR1), 1);
}

/* Another green thread's wait is not interrupted. */
static void *
receive(void *arg)
{
        char byte;

        CHECK_INT(FD(recv_fn, "recv")(ends[0], &byte, 1, 0), 1);
        *(bool *)arg = true;
        return NULL;
}

static void
others_are_not_interrupted(void)
{
        bool got = false;
        green_thread *other;
        char byte;

        open_ends();
        set(SIGUSR1, 0);
        other = green_spawn(receive, &got);
        launch(send_signal, SIGUSR1);
        CHECK_INT(FD(recv_fn, "recv")(ends[1], &byte, 1, 0), -1);
        CHECK_INT(errno, EINTR);
        green_sleep(0);
        CHECK(!got);
        CHECK_INT(write(ends[1], "x", 1), 1);
        join(other, 0);
        CHECK(got);
        close_ends();
}

GREEN_SUITE(net_patch_signal){GREEN_TEST(a_handler_without_restart_interrupts_main),
                              GREEN_TEST(so_it_does_with_a_wait_for_a_semaphore),
                              GREEN_TEST(a_handler_with_restart_does_not),
                              GREEN_TEST(an_alarm_ends_what_waits_for_good),
                              GREEN_TEST(a_handler_may_jump_out_of_a_wait),
                              GREEN_TEST(handlers_are_told_as_they_were_set),
                              GREEN_TEST(a_raised_signal_has_been_handled_when_it_returns),
                              GREEN_TEST(ppoll_lets_a_blocked_signal_through),
                              GREEN_TEST(others_are_not_interrupted),
                              GREEN_SUITE_END};
