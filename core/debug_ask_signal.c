/*
 * What an OS thread is in, asked by a signal: its handler writes it down, as the calls can only be seen from there.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "debug_ask.h"

/* Some systems have no real-time signals. */
#ifndef SIGRTMIN
#define SIGRTMIN 1
#define SIGRTMAX 0
#endif

enum { MS = 1000000, HANDLER_MS = 200 };
enum { FREE, ASKED, WRITING, DONE };

static int sig;                /* the signal; 0: none could be had */
static atomic_int state;
static struct green__hub *hub; /* who is asked */
static struct green__asked seen;

static void
handler(int number, siginfo_t *info, void *ucontext)
{
        struct green__hub *h = green__hub_here;
        int saved = errno, asked = ASKED;

        (void)number;
        (void)info;
        if (h == NULL || !atomic_compare_exchange_strong(&state, &asked, WRITING))
                return;
        if (hub == h) {
                green__asked_fill(&seen, h);
                seen.count = green__walk_interrupted(ucontext, seen.calls, GREEN__CALLS_MAX);
        }
        atomic_store(&state, DONE);
        errno = saved;
}

static bool
is_ours(int number)
{
        struct sigaction now;

        return sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handler;
}

/* Some systems keep the last ones for themselves and only say so when one is sent; what we have, drops it. */
static bool
take_signal(int number)
{
        struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
        struct sigaction now;

        if (sigaction(number, NULL, &now) != 0 || (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
                return false;
        sigfillset(&act.sa_mask);
        sigdelset(&act.sa_mask, SIGSEGV);
        sigdelset(&act.sa_mask, SIGBUS);
        if (sigaction(number, &act, NULL) != 0)
                return false;
        if (pthread_kill(pthread_self(), number) == 0)
                return true;
        sigaction(number, &now, NULL);
        return false;
}

/* A real-time signal that nobody has a handler for; the application may have taken the one that was so. */
static int
find_signal(void)
{
        if (sig != 0 && is_ours(sig))
                return sig;
        sig = 0;
        for (int number = SIGRTMAX; number >= SIGRTMIN && sig == 0; number--)
                if (take_signal(number))
                        sig = number;
        return sig;
}

/* One that an OS thread has blocked may still be on its way, and would end the process: to ignore it drops it. */
static void
give_signal_back(void)
{
        struct sigaction act = {.sa_handler = SIG_IGN};

        sigemptyset(&act.sa_mask);
        if (sig != 0 && is_ours(sig)) {
                sigaction(sig, &act, NULL);
                act.sa_handler = SIG_DFL;
                sigaction(sig, &act, NULL);
        }
        sig = 0;
}

const struct green__asked *
green__ask(struct green__hub *h)
{
        int64_t until = green__clock_monotonic() + HANDLER_MS * (int64_t)MS;
        int number, asked = ASKED;

        if (atomic_load(&state) == WRITING)
                return NULL;
        number = find_signal();
        hub = h;
        seen.count = 0;
        atomic_store(&state, ASKED);
        if (number == 0 || pthread_kill(h->os_thread, number) != 0) {
                atomic_store(&state, FREE);
                return NULL;
        }
        while (atomic_load(&state) != DONE && green__clock_monotonic() < until)
                nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
        /* It has blocked the signal, or has not come to run; or it still writes, and waits for a lock, maybe ours. */
        if (atomic_compare_exchange_strong(&state, &asked, FREE))
                return NULL;
        return atomic_load(&state) == DONE ? &seen : NULL;
}

int
green__ask_begin(pthread_t *ret_thread, void *(*fn)(void *arg), void *arg)
{
        sigset_t all, old;
        int rc;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        rc = pthread_create(ret_thread, NULL, fn, arg);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return rc;
}

void
green__ask_end(void)
{
        give_signal_back();
}

void
green__ask_after_fork(void)
{
        give_signal_back();
        atomic_store(&state, FREE);
}
