/*
 * A word before a process dies of a green thread's stack overflow.
 *
 * The handler of SIGSEGV and SIGBUS runs on an alternate signal stack. If the address is in the guard of the running
 * stack it says so on stderr: here the log hook cannot be called, this is the one place that writes by itself. Then,
 * and for any other fault at once, the application's own handler gets the signal, or the default action.
 */
#include <config.h>

#include "overflow.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include <green/debug.h>

enum { ALTSTACK_LEN = 64 * 1024 }; /* address space: the application's handler runs here too */

static const int signals[] = {SIGSEGV, SIGBUS};
enum { NSIGNALS = sizeof signals / sizeof signals[0] };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool wanted = true; /* not switched off */
static bool asked;                /* there is a hub to install it for */
static bool installed;
static struct sigaction others[NSIGNALS]; /* the application's handlers */

/* ---- the handler ---- */

static void handler(int sig, siginfo_t *info, void *context);

static bool
is_ours(const struct sigaction *act)
{
        return (act->sa_flags & SA_SIGINFO) && act->sa_sigaction == handler;
}

/* The default action: the instruction is tried again without us, and the core shows where. */
static void
die_of(int sig, const siginfo_t *info)
{
        struct sigaction act = {.sa_handler = SIG_DFL};

        sigemptyset(&act.sa_mask);
        sigaction(sig, &act, NULL);
        if (info->si_code <= 0)
                raise(sig); /* sent by somebody: nothing is tried again */
}

/* Hand the signal to the application as if we had not been there. */
static void
pass_on(int sig, siginfo_t *info, void *context)
{
        struct sigaction *other = &others[sig == signals[0] ? 0 : 1];
        void (*simple)(int) = other->sa_handler;
        bool full = (other->sa_flags & SA_SIGINFO) != 0;

        if (!full && simple == SIG_IGN && info->si_code <= 0)
                return;
        if (!full && (simple == SIG_DFL || simple == SIG_IGN)) {
                die_of(sig, info);
                return;
        }
        pthread_sigmask(SIG_BLOCK, &other->sa_mask, NULL); /* the old mask comes back when the handler returns */
        void (*action)(int, siginfo_t *, void *) = other->sa_sigaction;
        if (other->sa_flags & SA_RESETHAND)
                *other = (struct sigaction){.sa_handler = SIG_DFL};
        if (full)
                action(sig, info, context);
        else
                simple(sig);
}

static void
handler(int sig, siginfo_t *info, void *context)
{
        int saved = errno;
        struct green__overflow_who who = {.name = NULL};
        const struct green__stack *stack = green__overflow_current(&who.name, &who.where, &who.id);
        const char *at = info->si_addr;
        struct green__overflow_text text;

        if (wanted && stack != NULL && info->si_code > 0 && at >= green__stack_lo(stack) &&
            at < green__stack_lo(stack) + green__stack_guard(stack)) {
                green__overflow_write(&text, stack, &who);
                ssize_t n = write(STDERR_FILENO, text.bytes, text.len);
                (void)n; /* nobody is left to be told */
        }
        errno = saved;
        pass_on(sig, info, context);
}

/* ---- on and off ---- */

static int
install(void)
{
        struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};

        sigemptyset(&act.sa_mask);
        for (int i = 0; i < NSIGNALS; i++) {
                struct sigaction old;

                if (sigaction(signals[i], NULL, &old) != 0)
                        return -errno;
                if (is_ours(&old))
                        continue;
                others[i] = old;
                if (sigaction(signals[i], &act, NULL) != 0)
                        return -errno;
        }
        installed = true;
        return 0;
}

/* Where the application has put its own over ours since, both stay: its handler may call ours, which is silent now. */
static void
uninstall(void)
{
        struct sigaction now;

        for (int i = 0; i < NSIGNALS; i++)
                if (sigaction(signals[i], NULL, &now) != 0 || !is_ours(&now))
                        return;
        for (int i = 0; i < NSIGNALS; i++)
                sigaction(signals[i], &others[i], NULL);
        installed = false;
}

int
green__overflow_install(void)
{
        pthread_mutex_lock(&lock);
        asked = true;
        int err = wanted && !installed ? install() : 0;
        pthread_mutex_unlock(&lock);
        return err;
}

bool
green_debug_overflow_handler(bool on)
{
        pthread_mutex_lock(&lock);
        bool was = wanted;
        wanted = on;
        if (on && asked && !installed)
                install();
        else if (!on && installed)
                uninstall();
        pthread_mutex_unlock(&lock);
        return was;
}

/* ---- the alternate signal stack of an OS thread ---- */

void
green__overflow_thread_init(void **ret_altstack)
{
        stack_t now;

        *ret_altstack = NULL;
        if (!wanted || sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE))
                return;
        void *base = mmap(NULL, ALTSTACK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED)
                return;
        stack_t ours = {.ss_sp = base, .ss_size = ALTSTACK_LEN};
        if (sigaltstack(&ours, NULL) == 0)
                *ret_altstack = base;
        else
                munmap(base, ALTSTACK_LEN);
}

void
green__overflow_thread_fini(void *altstack)
{
        stack_t now;

        if (altstack == NULL)
                return;
        if (sigaltstack(NULL, &now) == 0 && now.ss_sp == altstack) {
                stack_t off = {.ss_flags = SS_DISABLE};

                sigaltstack(&off, NULL);
        }
        munmap(altstack, ALTSTACK_LEN);
}
