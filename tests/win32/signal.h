#include_next <signal.h>

#ifndef GREEN_TESTS_WIN32_SIGNAL_H
#define GREEN_TESTS_WIN32_SIGNAL_H

/* None of these can be sent. */
enum { SIGHUP = 101, SIGQUIT, SIGKILL, SIGBUS, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGCHLD, SIGSTOP, SIGURG, SIGWINCH };
enum { SA_SIGINFO = 1, SA_RESTART = 2, SA_ONSTACK = 4, SA_RESETHAND = 8, SA_NODEFER = 16 };
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

typedef unsigned long long win32_sigset;
#define sigset_t win32_sigset

typedef struct {
        int si_signo, si_code;
        void *si_addr;
} siginfo_t;

struct sigaction {
        void (*sa_handler)(int sig);
        void (*sa_sigaction)(int sig, siginfo_t *info, void *context);
        sigset_t sa_mask;
        int sa_flags;
};

int sigaction(int sig, const struct sigaction *act, struct sigaction *ret_old);

static inline int
win32_sigmask(sigset_t *set, sigset_t value)
{
        *set = value;
        return 0;
}

#define sigemptyset(set) win32_sigmask(set, 0)
#define sigfillset(set) win32_sigmask(set, ~0ULL)
#define sigaddset(set, sig) win32_sigmask(set, *(set) | (sig))
#define sigdelset(set, sig) win32_sigmask(set, *(set) & ~(sigset_t)(sig))
#define sigprocmask(how, set, old) ((void)(set), (void)(old), 0)
#define pthread_sigmask(how, set, old) ((void)(set), (void)(old), 0)

int kill(int pid, int sig);

#endif
