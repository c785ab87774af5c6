/*
 * An OS thread that looks for those who do not let others run. See <green/debug.h>.
 *
 * What it looks at every hub counts anyway: switches, with the countdown between two looks at the cycle counter; polls;
 * callbacks. Where none of it has changed, and the hub does not sleep in its back end, whoever runs there has run on. The
 * calls it is in can only be seen from that OS thread, so a signal is sent to it; the handler writes them down, and this
 * OS thread names them.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "debug_priv.h"

/* Some systems have no real-time signals. */
#ifndef SIGRTMIN
#define SIGRTMIN 1
#define SIGRTMAX 0
#endif

enum { STEPS = 4, MS = 1000000, HANDLER_MS = 200 };

#define DAY 86400.0

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one switches at a time */
static pthread_t watcher;
static bool running;
static int sig;         /* the signal; 0: none could be had */
static atomic_uint turn; /* another one ends the OS thread that was started for it */
static _Atomic(int64_t) limit;

/* ---- what the handler writes down */

enum { FREE, ASKED, WRITING, DONE };

static struct {
        atomic_int state;
        struct green__hub *hub; /* who is asked */
        bool callback;          /* hub context */
        uint64_t ident;
        const char *where;
        char name[64];
        int count;
        const void *calls[GREEN__CALLS_MAX];
} seen;

static void
copy_name(const struct green__hub *h, const green_thread *t)
{
        const char *name = t->extra != NULL ? t->extra->name : NULL;
        size_t i = 0;

        if (name == NULL && t == &h->main)
                name = "main";
        for (; name != NULL && name[i] != '\0' && i + 1 < sizeof seen.name; i++)
                seen.name[i] = name[i];
        seen.name[i] = '\0';
}

static void
handler(int number, siginfo_t *info, void *ucontext)
{
        struct green__hub *h = green__hub_here;
        const green_thread *t;
        int saved = errno, asked = ASKED;

        (void)number;
        (void)info;
        if (h == NULL || !atomic_compare_exchange_strong(&seen.state, &asked, WRITING))
                return;
        if (seen.hub == h) {
                t = h->current;
                seen.callback = t == NULL;
                seen.ident = t == NULL ? 0 : t->ident;
                seen.where = t == NULL ? NULL : t->where;
                if (t != NULL)
                        copy_name(h, t);
                seen.count = green__walk_interrupted(ucontext, seen.calls, GREEN__CALLS_MAX);
        }
        atomic_store(&seen.state, DONE);
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

static void
pause_for(int64_t ns)
{
        struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};

        nanosleep(&t, NULL);
}

/* Has that OS thread written down what it is in? The list of hubs is locked, so it is there. */
static bool
ask(struct green__hub *h)
{
        int64_t until = green__clock_monotonic() + HANDLER_MS * (int64_t)MS;
        int number, asked = ASKED;

        if (atomic_load(&seen.state) == WRITING)
                return false;
        number = find_signal();
        seen.hub = h;
        seen.count = 0;
        atomic_store(&seen.state, ASKED);
        if (number == 0 || pthread_kill(h->os_thread, number) != 0) {
                atomic_store(&seen.state, FREE);
                return false;
        }
        while (atomic_load(&seen.state) != DONE && green__clock_monotonic() < until)
                pause_for(MS);
        /* It has blocked the signal, or has not come to run; or it still writes, and waits for a lock, maybe ours. */
        if (atomic_compare_exchange_strong(&seen.state, &asked, FREE))
                return false;
        return atomic_load(&seen.state) == DONE;
}

/* ---- looking */

struct pass {
        int64_t passed;          /* nanoseconds since the last */
        struct green__hub *hub;  /* one that is to be told of; NULL: none */
        uint64_t hub_ident;
        int64_t same;
        bool written;
};

/* Fields that another OS thread changes meanwhile: whether they have changed is all that matters. */
static __attribute__((noinline, no_sanitize_thread)) bool
has_moved(struct green__hub *h, struct green__seen *now)
{
        const volatile struct green__hub *there = h;
        bool away = there->embedded ? !there->in_step : false;

        *now = (struct green__seen){.switches = there->switches,
                                    .polls = there->polls,
                                    .callbacks = there->callbacks,
                                    .countdown = there->countdown,
                                    .current = there->current};
        if (away || there->destroying || atomic_load(&h->mailbox->sleeping) != 0)
                return true;
        return now->switches != h->seen.switches || now->polls != h->seen.polls || now->callbacks != h->seen.callbacks ||
               now->countdown != h->seen.countdown || now->current != h->seen.current;
}

static void
look(struct green__hub *h, void *arg)
{
        struct pass *pass = arg;
        struct green__seen now;

        if (pass->hub != NULL)
                return;
        if (has_moved(h, &now)) {
                h->seen = now;
                return;
        }
        h->seen.same += pass->passed;
        if (h->seen.told || h->seen.same < atomic_load(&limit))
                return;
        h->seen.told = true;
        pass->hub = h;
        pass->hub_ident = h->ident;
        pass->same = h->seen.same;
        pass->written = ask(h);
}

/* ---- what was reported */

enum { PLACES = 64, NEAREST = 4 };

static atomic_bool once;
static atomic_uint places;        /* so many; from another OS thread set to 0 */
static uint64_t place_of[PLACES]; /* its calls, as one number; of the OS thread that looks */

/* Was this place reported before? It is from now on. */
static bool
is_known(void)
{
        uint64_t place = 14695981039346656037ull;
        unsigned n = atomic_load(&places);

        if (!atomic_load(&once) || seen.count == 0)
                return false;
        /* Not where exactly it was seen, if more is known. */
        for (int i = seen.count > 1; i < seen.count && i < NEAREST; i++)
                place = (place ^ (uintptr_t)seen.calls[i]) * 1099511628211ull;
        for (unsigned i = 0; i < n; i++)
                if (place_of[i] == place)
                        return true;
        if (n < PLACES) {
                place_of[n] = place;
                atomic_compare_exchange_strong(&places, &n, n + 1);
        }
        return false;
}

bool
green_debug_hub_blocking_once(bool on)
{
        atomic_store(&places, 0);
        return atomic_exchange(&once, on);
}

static void
tell(const struct pass *pass)
{
        char bytes[960];
        struct green__text text = {bytes, sizeof bytes, 0};

        if (pass->written && is_known())
                return;
        if (!pass->written)
                green__text_add(&text, "a green thread or callback of hub %llu", (unsigned long long)pass->hub_ident);
        else if (seen.callback)
                green__text_add(&text, "a callback of hub %llu", (unsigned long long)pass->hub_ident);
        else
                green__text_add(&text, "green thread %llu %s%s(spawned at %s)", (unsigned long long)seen.ident, seen.name,
                                seen.name[0] == '\0' ? "" : " ", seen.where == NULL ? "?" : seen.where);
        green__text_add(&text, " has not let others run for %.3f s", (double)pass->same / 1e9);
        green__names_begin(false);
        for (int i = 0; pass->written && i < seen.count && text.len < sizeof bytes - 1; i++) {
                size_t before = text.len;

                green__text_add(&text, "\n  #%-2d ", i);
                green__name_add(&text, seen.calls[i], i == 0);
                if (text.len >= sizeof bytes)
                        bytes[before] = '\0';
        }
        green__names_end();
        green_log(GREEN_LOG_WARNING, "green-net: %s", bytes);
}

static void *
watch(void *arg)
{
        unsigned mine = (unsigned)(uintptr_t)arg;
        int64_t before = green__clock_monotonic();

        while (atomic_load(&turn) == mine) {
                int64_t step = atomic_load(&limit) / STEPS, now;
                struct pass pass;

                step = step < MS ? MS : step > 100 * (int64_t)MS ? 100 * (int64_t)MS : step;
                pause_for(step);
                now = green__clock_monotonic();
                /* Where the whole process stood still, nobody has run on. */
                pass.passed = now - before < 2 * step ? now - before : 2 * step;
                before = now;
                do {
                        pass.hub = NULL;
                        green__hubs_each(look, &pass);
                        if (pass.hub != NULL)
                                tell(&pass);
                        pass.passed = 0;
                } while (pass.hub != NULL && atomic_load(&turn) == mine);
        }
        return NULL;
}

/* ---- on and off */

/* The OS thread has all signals blocked: they are the application's. */
static int
start(void)
{
        sigset_t all, old;
        int rc;

        green__fork_install();
        green__walk_prepare();
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        rc = pthread_create(&watcher, NULL, watch, (void *)(uintptr_t)atomic_load(&turn));
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (rc != 0)
                return -EAGAIN;
        running = true;
        return 0;
}

static void
stop(void)
{
        atomic_fetch_add(&turn, 1);
        /* The log hook may call this. */
        if (pthread_equal(pthread_self(), watcher))
                pthread_detach(watcher);
        else
                pthread_join(watcher, NULL);
        running = false;
        give_signal_back();
}

int
green_debug_hub_blocking_detection(bool on, double resolution)
{
        int rc = 0;

        if (on && !(resolution > 0 && resolution <= DAY))
                return -EINVAL;
        pthread_mutex_lock(&lock);
        if (on)
                atomic_store(&limit, (int64_t)(resolution * 1e9));
        if (on && !running)
                rc = start();
        else if (!on && running)
                stop();
        pthread_mutex_unlock(&lock);
        return rc;
}

void
green__block_lock(void)
{
        pthread_mutex_lock(&lock);
}

void
green__block_unlock(void)
{
        pthread_mutex_unlock(&lock);
}

/* In the child of a fork: it is off. */
void
green__block_after_fork(void)
{
        if (!running)
                return;
        running = false;
        give_signal_back();
        atomic_store(&seen.state, FREE);
}
