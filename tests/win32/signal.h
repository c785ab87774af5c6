#include_next <signal.h>

#ifndef GREEN_TESTS_WIN32_SIGNAL_H
#define GREEN_TESTS_WIN32_SIGNAL_H

#include <pthread.h>
#include <sys/types.h>

/* None of these can be sent. */
#undef SIGHUP
#define SIGHUP 101
#undef SIGQUIT
#define SIGQUIT 102
#undef SIGKILL
#define SIGKILL 9
#undef SIGBUS
#define SIGBUS 104
#undef SIGUSR1
#define SIGUSR1 105
#undef SIGUSR2
#define SIGUSR2 106
#undef SIGPIPE
#define SIGPIPE 107
#undef SIGALRM
#define SIGALRM 108
#undef SIGCHLD
#define SIGCHLD 109
#undef SIGSTOP
#define SIGSTOP 110
#undef SIGURG
#define SIGURG 111
#undef SIGWINCH
#define SIGWINCH 112
#undef SIGCONT
#define SIGCONT 113
#undef SIGTSTP
#define SIGTSTP 114
#undef SIGXFSZ
#define SIGXFSZ 128
#undef SIGRTMIN
#define SIGRTMIN 115
#undef SIGRTMAX
#define SIGRTMAX (SIGRTMIN + 12)
enum { SA_SIGINFO = 1, SA_RESTART = 2, SA_ONSTACK = 4, SA_RESETHAND = 8, SA_NODEFER = 16 };
#undef SIG_BLOCK
#undef SIG_UNBLOCK
#undef SIG_SETMASK
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
#define sigismember(set, sig) ((*(set) & (sigset_t)(sig)) != 0)
#define sigprocmask(how, set, old) ((void)(set), (void)(old), 0)
#undef pthread_sigmask
#define pthread_sigmask(how, set, old) ((void)(set), (void)(old), 0)

#define sigpending(set) win32_sigmask(set, 0)

int kill(pid_t pid, int sig);

typedef struct {
        void *ss_sp;
        int ss_flags;
        size_t ss_size;
} stack_t;

enum { SS_DISABLE = 2 };

int sigaltstack(const stack_t *stack, stack_t *ret_old);

#endif
