/*
 * A signal that writes down all green threads of the OS thread that gets it. See <green/debug.h>.
 *
 * What it interrupts may be in the midst of anything, so the handler looks at few things and believes none of them: it reads
 * stacks within their bounds, and has its own words for numbers. Names of functions are not to be had here.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "debug_priv.h"

/* ---- text, without stdio */

struct out {
        size_t len;
        char bytes[1024];
};

static void
flush(struct out *out)
{
        green__write_all(STDERR_FILENO, out->bytes, out->len);
        out->len = 0;
}

static void
put(struct out *out, const char *word)
{
        for (; word != NULL && *word != '\0'; word++) {
                if (out->len == sizeof out->bytes)
                        flush(out);
                out->bytes[out->len++] = *word;
        }
}

static void
put_number(struct out *out, uint64_t n, unsigned base)
{
        char digits[24];
        size_t at = sizeof digits - 1;

        digits[at] = '\0';
        do {
                digits[--at] = "0123456789abcdef"[n % base];
                n /= base;
        } while (n != 0);
        put(out, digits + at);
}

static void
put_address(struct out *out, const char *before, const void *address)
{
        put(out, before);
        put(out, "0x");
        put_number(out, (uintptr_t)address, 16);
}

/* ---- the handler */

/* What is on the stack of one that is interrupted is known too, from the registers. */
static void
put_calls(struct out *out, const struct green__hub *h, const green_thread *t, const void *ucontext)
{
        const void *calls[GREEN__CALLS_MAX];
        struct green__place place;
        const char *lo = NULL, *hi = NULL;
        bool known;
        int n;

        if (t == h->current || (t == &h->home && h->current == NULL)) {
                known = green__interrupted_place(ucontext, &place);
                if (known && t->stack != NULL && place.sp >= (uintptr_t)green__stack_lo(t->stack) &&
                    place.sp < (uintptr_t)t->stack->hi) {
                        lo = green__stack_lo(t->stack) + green__stack_guard(t->stack);
                        hi = t->stack->hi;
                }
        } else {
                known = green__thread_place(h, t, &place, &lo, &hi);
        }
        if (!known)
                return;
        n = green__walk_frames(&place, lo, hi, calls, green__frames_kept() ? GREEN__CALLS_MAX : 1);
        for (int i = 0; i < n; i++)
                put_address(out, i == 0 ? "  calls " : " ", calls[i]);
        put(out, "\n");
}

static void
put_thread(struct out *out, const struct green__hub *h, const green_thread *t, const void *ucontext)
{
        int64_t since = (green__clock_monotonic() - t->wait_since) / 1000000;

        put(out, "green thread ");
        put_number(out, t->ident, 10);
        put(out, " ");
        if (t->extra != NULL && t->extra->name != NULL) {
                put(out, t->extra->name);
                put(out, " ");
        } else if (t == &h->main) {
                put(out, "main ");
        }
        put(out, green__state_text(h, t));
        put(out, " spawned at ");
        put(out, t->where == NULL ? "?" : t->where);
        if (t->state == GREEN__PARKED && t != h->current) {
                put_address(out, ", waits at ", t->wait_where);
                if (h->clock == green__clock_monotonic && since >= 0) {
                        put(out, " since ");
                        put_number(out, (uint64_t)since, 10);
                        put(out, " ms");
                }
        }
        put(out, "\n");
        put_calls(out, h, t, ucontext);
}

static void
handler(int sig, siginfo_t *info, void *ucontext)
{
        const struct green__hub *h = green__hub_here;
        struct green__thread_iter it = {NULL, 0};
        struct out out = {.len = 0};
        const green_thread *t;
        int saved = errno;

        (void)sig;
        (void)info;
        if (h == NULL || h->thread_chunks_end == NULL) {
                put(&out, "green-net: this OS thread has no green threads\n");
                flush(&out);
                errno = saved;
                return;
        }
        put(&out, "green-net: green threads of hub ");
        put_number(&out, h->ident, 10);
        put(&out, "\n");
        if (h->current == NULL) {
                put(&out, "hub running\n");
                put_calls(&out, h, &h->home, ucontext);
        }
        put_thread(&out, h, &h->main, ucontext);
        while ((t = green__thread_next(h, &it)) != NULL)
                put_thread(&out, h, t, ucontext);
        flush(&out);
        errno = saved;
}

/* ---- on and off */

enum { SIGNALS = 128 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before[SIGNALS];
static bool ours[SIGNALS];

static int
switch_on(int sig)
{
        struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

        sigfillset(&act.sa_mask);
        sigdelset(&act.sa_mask, SIGSEGV);
        sigdelset(&act.sa_mask, SIGBUS);
        if (sigaction(sig, &act, &before[sig]) != 0)
                return -errno;
        ours[sig] = true;
        return 0;
}

/* Where the application has put its own over ours since, that stays. */
static int
switch_off(int sig)
{
        struct sigaction now;

        if (sigaction(sig, NULL, &now) != 0)
                return -errno;
        if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handler && sigaction(sig, &before[sig], NULL) != 0)
                return -errno;
        ours[sig] = false;
        return 0;
}

int
green_debug_dump_on_signal(int sig, bool on)
{
        int rc = 0;

        if (sig <= 0 || sig >= SIGNALS || sig == SIGKILL || sig == SIGSTOP)
                return -EINVAL;
        pthread_mutex_lock(&lock);
        if (on && !ours[sig])
                rc = switch_on(sig);
        else if (!on && ours[sig])
                rc = switch_off(sig);
        pthread_mutex_unlock(&lock);
        return rc;
}
