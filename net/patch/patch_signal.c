/*
 * Signal handlers of patched code. What the system is given is on_signal(), which calls the user's own. While that
 * runs, the mark of patch_priv.h stands, so that patched calls in it are the system's; and where the main green thread
 * waits in a patched call the handler is put off until that one runs: see green__patch_away_begin().
 *
 * Handlers that were set before, or by code that is not patched, are not known here. They run where the signal finds
 * the OS thread, and end no wait.
 */
#include <config.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "patch_signal.h"

enum { SIGNALS = 65 };

atomic_bool green__patch_has_handlers;

/* What the user has set. Each is written before the system is told. */
static struct {
        _Atomic(void *) handler; /* NULL: none of ours */
        _Atomic(int) flags;
        sigset_t mask;
        siginfo_t info; /* of one that was put off */
} table[SIGNALS];

static _Thread_local volatile sig_atomic_t raising;

/* ---- running them */

/* A handler's callees lie so far below it at most, on a stack whose bounds are not known. */
#define HANDLER_DEPTH ((uintptr_t)1 << 20)

static const char *
lowest_of(const char *frame, const ucontext_t *context)
{
        if (context != NULL && !(context->uc_stack.ss_flags & SS_DISABLE)) {
                const char *lo = context->uc_stack.ss_sp;

                if (frame >= lo && frame < lo + context->uc_stack.ss_size)
                        return lo;
        }
        return (uintptr_t)frame > HANDLER_DEPTH ? frame - HANDLER_DEPTH : NULL;
}

static void
call(int sig, siginfo_t *info, void *context)
{
        void *handler = atomic_load_explicit(&table[sig].handler, memory_order_acquire);
        int flags = atomic_load_explicit(&table[sig].flags, memory_order_relaxed);
        struct green__patch_mark before = green__patch_mark;
        struct green__patch_mark mark = {.frame = __builtin_frame_address(0)};

        if (handler == NULL)
                return;
        mark.lowest = lowest_of(mark.frame, context);
        if (green_park_check_mt(0, &mark.thread) < 0)
                mark.thread = NULL;
        green__patch_mark = mark;
        if (flags & SA_SIGINFO)
                ((void (*)(int, siginfo_t *, void *))handler)(sig, info, context);
        else
                ((void (*)(int))handler)(sig);
        green__patch_mark = before;
}

/* Those that tell of a fault of what runs just now, and abort()'s, cannot wait. */
static bool
is_fault(int sig)
{
        return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGTRAP || sig == SIGSYS ||
               sig == SIGABRT;
}

static void
on_signal(int sig, siginfo_t *info, void *context)
{
        int saved = errno;

        if (!is_fault(sig) && !raising) {
                table[sig].info = *info;
                if (green__patch_defer(sig)) {
                        errno = saved;
                        return;
                }
        }
        call(sig, info, context);
}

unsigned
green__patch_run_handler(int sig)
{
        int flags = atomic_load_explicit(&table[sig].flags, memory_order_relaxed);
        ucontext_t context;
        sigset_t all, old, during;
        siginfo_t info;

        memset(&context, 0, sizeof context);
        context.uc_stack.ss_flags = SS_DISABLE;
        sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &old);
        info = table[sig].info;
        during = old;
        for (int other = 1; other < SIGNALS; other++)
                if (sigismember(&table[sig].mask, other) == 1)
                        sigaddset(&during, other);
        if (!(flags & SA_NODEFER))
                sigaddset(&during, sig);
        (void)pthread_sigmask(SIG_SETMASK, &during, NULL);
        call(sig, &info, &context);
        (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
        return GREEN__PATCH_RAN | (flags & SA_RESTART ? 0 : GREEN__PATCH_INTERRUPTED);
}

/* ---- setting them */

static void
in_child(void)
{
        green__patch_away_forget();
        green__patch_masks_forget();
}

static void
begin(void)
{
        (void)pthread_atfork(NULL, NULL, in_child);
        atomic_store(&green__patch_has_handlers, true);
}

/* Keep the user's handler, and make of it what the system gets. */
static void
keep(int sig, struct sigaction *act)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, begin);
        table[sig].mask = act->sa_mask;
        atomic_store_explicit(&table[sig].flags, act->sa_flags, memory_order_relaxed);
        atomic_store_explicit(&table[sig].handler, (void *)act->sa_sigaction, memory_order_release);
        act->sa_sigaction = on_signal;
        act->sa_flags |= SA_SIGINFO;
}

static int
patch_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
        struct sigaction now, before;
        void *handler = NULL;
        int flags = 0, rc;

        if (sig <= 0 || sig >= SIGNALS)
                return sigaction(sig, act, old);
        handler = atomic_load(&table[sig].handler);
        flags = atomic_load(&table[sig].flags);
        if (act != NULL) {
                now = *act;
                if (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN)
                        keep(sig, &now);
        }
        rc = sigaction(sig, act != NULL ? &now : NULL, &before);
        if (rc != 0)
                return rc;
        if (before.sa_flags & SA_SIGINFO && before.sa_sigaction == on_signal) {
                before.sa_sigaction = (void (*)(int, siginfo_t *, void *))handler;
                before.sa_flags = flags;
        }
        if (old != NULL)
                *old = before;
        return 0;
}

typedef void (*handler_fn)(int);

static handler_fn
set(int sig, handler_fn handler, int flags)
{
        struct sigaction act = {.sa_flags = flags}, old;

        if (handler == SIG_ERR) {
                errno = EINVAL;
                return SIG_ERR;
        }
        act.sa_handler = handler;
        sigemptyset(&act.sa_mask);
        if (!(flags & SA_NODEFER))
                sigaddset(&act.sa_mask, sig);
        return patch_sigaction(sig, &act, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static handler_fn
patch_signal(int sig, handler_fn handler)
{
        return set(sig, handler, SA_RESTART);
}

static handler_fn
patch_sysv_signal(int sig, handler_fn handler)
{
        return set(sig, handler, (int)(SA_RESETHAND | SA_NODEFER));
}

static int
patch_siginterrupt(int sig, int interrupt)
{
        struct sigaction act;

        if (patch_sigaction(sig, NULL, &act) != 0)
                return -1;
        act.sa_flags = interrupt ? act.sa_flags & ~SA_RESTART : act.sa_flags | SA_RESTART;
        return patch_sigaction(sig, &act, NULL);
}

/* The handler has run when it returns. */
static int
patch_raise(int sig)
{
        int rc;

        raising++;
        rc = raise(sig);
        raising--;
        return rc;
}

/* ---- waiting for them */

/* Until a handler has run. */
static int
patch_pause(void)
{
        int rc = green__patch_begin();

        if (rc <= 0)
                return rc == 0 ? pause() : -1;
        rc = green__patch_sleep(GREEN_FOREVER);
        return rc == -EINTR ? (errno = EINTR, -1) : green__patch_fail(rc);
}

/* ---- leaving them by a jump: none runs any more */

typedef struct __jmp_buf_tag *jump_buf;

/* By their plain names: the checks of fortified headers belong to the caller's code. */
extern void plain_longjmp(jump_buf, int) __asm__("longjmp") __attribute__((noreturn));
extern void plain_siglongjmp(jump_buf, int) __asm__("siglongjmp") __attribute__((noreturn));
extern void plain__longjmp(jump_buf, int) __asm__("_longjmp") __attribute__((noreturn));

static void
left_handler(void)
{
        green__patch_mark.frame = NULL;
        raising = 0;
}

static void __attribute__((noreturn)) patch_longjmp(jump_buf env, int value)
{
        left_handler();
        plain_longjmp(env, value);
}

static void __attribute__((noreturn)) patch_siglongjmp(jump_buf env, int value)
{
        left_handler();
        plain_siglongjmp(env, value);
}

static void __attribute__((noreturn)) patch__longjmp(jump_buf env, int value)
{
        left_handler();
        plain__longjmp(env, value);
}

const struct patch_entry green__patch_signal[] = {
        PATCH_ENTRY("sigaction", patch_sigaction, GREEN_PATCH_ALL),
        PATCH_ENTRY("__sigaction", patch_sigaction, GREEN_PATCH_ALL),
        PATCH_ENTRY("signal", patch_signal, GREEN_PATCH_ALL),
        PATCH_ENTRY("bsd_signal", patch_signal, GREEN_PATCH_ALL),
        PATCH_ENTRY("ssignal", patch_signal, GREEN_PATCH_ALL),
        PATCH_ENTRY("sysv_signal", patch_sysv_signal, GREEN_PATCH_ALL),
        PATCH_ENTRY("__sysv_signal", patch_sysv_signal, GREEN_PATCH_ALL),
        PATCH_ENTRY("siginterrupt", patch_siginterrupt, GREEN_PATCH_ALL),
        PATCH_ENTRY("raise", patch_raise, GREEN_PATCH_ALL),
        PATCH_ENTRY("pause", patch_pause, GREEN_PATCH_ALL),
        PATCH_ENTRY("longjmp", patch_longjmp, GREEN_PATCH_ALL),
        PATCH_ENTRY("_longjmp", patch__longjmp, GREEN_PATCH_ALL),
        PATCH_ENTRY("siglongjmp", patch_siglongjmp, GREEN_PATCH_ALL),
        PATCH_ENTRY("__longjmp_chk", patch_siglongjmp, GREEN_PATCH_ALL),
        PATCH_ENTRIES_END,
};
