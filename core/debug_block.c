/*
 * An OS thread that looks for those who do not let others run. See <green/debug.h>.
 *
 * What it looks at every hub counts anyway: switches, with the countdown between two looks at the cycle counter; polls;
 * callbacks. Where none of it has changed, and the hub does not sleep in its back end, whoever runs there has run on. What
 * it is in is asked of that OS thread, see debug_ask.h.
 */
#include <pthread.h>
#include <time.h>

#include "debug_ask.h"
#include "debug_priv.h"

enum { STEPS = 4, MS = 1000000 };

#define DAY 86400.0

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one switches at a time */
static pthread_t watcher;
static bool running;
static atomic_uint turn; /* another one ends the OS thread that was started for it */
static _Atomic(int64_t) limit;

static void
pause_for(int64_t ns)
{
        struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};

        nanosleep(&t, NULL);
}

/* ---- looking */

struct pass {
        int64_t passed;          /* nanoseconds since the last */
        struct green__hub *hub;  /* one that is to be told of; NULL: none */
        uint64_t hub_ident;
        int64_t same;
        const struct green__asked *seen; /* NULL: it could not be asked */
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
        pass->seen = green__ask(h);
}

/* ---- what was reported */

enum { PLACES = 64, NEAREST = 4 };

static atomic_bool once;
static atomic_uint places;        /* so many; from another OS thread set to 0 */
static uint64_t place_of[PLACES]; /* its calls, as one number; of the OS thread that looks */

/* Was this place reported before? It is from now on. */
static bool
is_known(const struct green__asked *asked)
{
        uint64_t place = 14695981039346656037ull;
        unsigned n = atomic_load(&places);

        if (!atomic_load(&once) || asked->count == 0)
                return false;
        /* Not where exactly it was seen, if more is known. */
        for (int i = asked->count > 1; i < asked->count && i < NEAREST; i++)
                place = (place ^ (uintptr_t)asked->calls[i]) * 1099511628211ull;
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
        const struct green__asked *seen = pass->seen;
        char bytes[960];
        struct green__text text = {bytes, sizeof bytes, 0};

        if (seen != NULL && is_known(seen))
                return;
        if (seen == NULL)
                green__text_add(&text, "a green thread or callback of hub %llu", (unsigned long long)pass->hub_ident);
        else if (seen->callback)
                green__text_add(&text, "a callback of hub %llu", (unsigned long long)pass->hub_ident);
        else
                green__text_add(&text, "green thread %llu %s%s(spawned at %s)", (unsigned long long)seen->ident, seen->name,
                                seen->name[0] == '\0' ? "" : " ", seen->where == NULL ? "?" : seen->where);
        green__text_add(&text, " has not let others run for %.3f s", (double)pass->same / 1e9);
        green__names_begin(false);
        for (int i = 0; seen != NULL && i < seen->count && text.len < sizeof bytes - 1; i++) {
                size_t before = text.len;

                green__text_add(&text, "\n  #%-2d ", i);
                green__name_add(&text, seen->calls[i], i == 0);
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

static int
start(void)
{
        green__fork_install();
        green__walk_prepare();
        if (green__ask_begin(&watcher, watch, (void *)(uintptr_t)atomic_load(&turn)) != 0)
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
        green__ask_end();
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
        green__ask_after_fork();
}
