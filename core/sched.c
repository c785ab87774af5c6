/*
 * The scheduler's slow path: the poll interval, the hub stack, callbacks.
 *
 * A countdown of at most 16 switches leads here. While green threads are ready the hub is polled once an interval, which
 * doubles to 256 switches as long as one takes under 20 us, and ends early past 100 us: see green__interval_over().
 */
#include "debug_calls.h"
#include "sched.h"

#include <string.h>
#include <time.h>

enum { INTERVAL_MAX = 256 }; /* switches between two polls at most */

/* Count to the next look. */
static void
next_chunk(struct green__hub *h)
{
        int most = h->look_every;

        h->chunk = h->left < most ? h->left : most;
        h->countdown = h->chunk;
}

/* From now on each switch takes the slow path. What was counted ahead is taken back. */
void
green__hooks_on(struct green__hub *h)
{
        h->hooks = true;
        h->look_every = 1;
        if (h->countdown > 1) {
                h->chunk -= h->countdown - 1;
                h->countdown = 1;
        }
}

static inline __attribute__((always_inline)) void
begin_interval(struct green__hub *h)
{
        green__count(&h->switches, green__switches_uncounted(h));
        h->left = h->interval;
        next_chunk(h);
        h->t0 = green__cycles();
}

void
green__interval_begin(struct green__hub *h)
{
        begin_interval(h);
}

/*
 * The cycle counter's rate, from polls that lie about a millisecond apart or more; the time for those who begin to wait; and
 * what others may read of what was counted. The clock is read no more often than that.
 */
static void
calibrate(struct green__hub *h)
{
        uint64_t cycles = green__cycles();
        int64_t time, ns;

        if (cycles - h->cal_cycles < 10 * h->cycles_100us)
                return;
        time = green__clock_monotonic();
        /* Not on a processor between the two readings: they are of different moments. */
        if (green__cycles() - cycles > (cycles - h->cal_cycles) / 16)
                return;
        ns = time - h->cal_time;
        if (ns > 0)
                h->cycles_100us = (uint64_t)((double)(cycles - h->cal_cycles) / (double)ns * 100000.0);
        h->cycles_20us = h->cycles_100us / 5;
        h->cal_cycles = cycles;
        h->cal_time = time;
        h->now = h->clock == green__clock_monotonic ? time : h->clock();
        if (h->ticks.window == 0)
                green__ticks_calibrate(h);
        green__metrics_publish(h);
}

/* The countdown has run out: is it time to poll? If not, count on. */
static bool
interval_over(struct green__hub *h)
{
        uint64_t now;

        if (h->countdown > 0)
                return false;
        green__count(&h->switches, (uint64_t)h->chunk);
        h->left -= h->chunk;
        h->chunk = 0;
        now = green__cycles();
        if (h->left > 0 && now - h->t0 < h->cycles_100us) {
                next_chunk(h);
                return false;
        }
        if (now - h->t0 < h->cycles_20us) {
                h->interval = h->interval * 2 < INTERVAL_MAX ? h->interval * 2 : INTERVAL_MAX;
        } else {
                h->interval = h->nready < INTERVAL_MAX ? (int)h->nready : INTERVAL_MAX;
                if (h->interval < 1)
                        h->interval = 1;
        }
        return true;
}

static bool
callbacks_wait(const struct green__hub *h)
{
        return h->posts != NULL || h->watches.first != NULL || h->timers_first != NULL;
}

/*
 * Where deadlines lie close together, waking for each of them costs more than all that they are for. So where at least
 * CROWD others follow the first within CROWDED nanoseconds they are all waited for together, and the first ones are that much
 * late.
 */
enum { CROWD = 3, CROWDED = 250000 };

/* The next ones after the first are among its children in the heap, or below them. */
static bool
is_crowded(const struct green__heap *heap)
{
        int64_t until = heap->entries[0].deadline + CROWDED;
        int n = 0;

        if (heap->count <= GREEN__HEAP_ARITY)
                return false;
        for (uint32_t i = 1; i <= GREEN__HEAP_ARITY; i++)
                n += heap->entries[i].deadline <= until;
        return n >= CROWD;
}

/* Nanoseconds until there is something to do: 0 for a callback, the first timer; -1 without one. */
static int64_t
next_limit(struct green__hub *h)
{
        int64_t first = green__first_deadline(h);
        int64_t now;

        if (callbacks_wait(h))
                return 0;
        if (first == GREEN__NEVER)
                return -1;
        now = h->clock();
        if (first <= now)
                return 0;
        return first - now + (is_crowded(&h->heap) ? CROWDED : 0);
}

static void
expire(struct green__hub *h, struct green__timer *timer)
{
        switch ((enum green__timer_kind)timer->kind) {
        case GREEN__TIMER_PARK: {
                green_thread *t = green__container_of(timer, green_thread, timer);

                if (t->op != NULL)
                        green__op_cancel(h, t, -ETIMEDOUT);
                else
                        green__withdraw(h, t, -ETIMEDOUT);
                break;
        }
        case GREEN__TIMER_SLEEP:
                green__withdraw(h, green__container_of(timer, green_thread, timer), 0);
                break;
        case GREEN__TIMER_START: {
                green_thread *t = green__container_of(timer, green_thread, timer);

                green__thread_start(h, t);
                break;
        }
        case GREEN__TIMER_SCOPE:
                green__scope_fire(h, &green__container_of(timer, struct green__timeout, timer)->scope);
                break;
        case GREEN__TIMER_CALL:
                green__timer_fire(h, green__container_of(timer, struct green_timer, timer));
                break;
        case GREEN__TIMER_WATCH:
                green__watch_fire(green__container_of(timer, struct green__watch, timer), -ETIMEDOUT);
                break;
        }
}

static void
expire_timers(struct green__hub *h)
{
        int64_t first = green__first_deadline(h);
        uint64_t n = 0;

        if (first == GREEN__NEVER)
                return;
        h->now = h->clock();
        while (h->heap.count > 0 && h->heap.entries[0].deadline <= h->now) {
                expire(h, green__heap_pop(&h->heap));
                n++;
        }
        if (n == 0)
                return;
        green__count(&h->counts.timers_fired, n);
        green_metrics_observe(&h->counts.lag, h->now - first);
}

static void
tell_deadlock(struct green__hub *h)
{
        h->told_deadlock = true;
        green_log(GREEN_LOG_WARNING,
                  "green-net: all %zu green threads of this OS thread wait for each other, and nothing can wake them",
                  h->nthreads);
}

/* Nothing pending that could end a wait without limit? Other OS threads may, once they were given a way. */
static bool
is_deadlock(const struct green__hub *h)
{
        return h->io_waits[0] + h->io_waits[1] + h->ops_count + h->waits_mt == 0 && !h->told_deadlock &&
               atomic_load_explicit(&h->mailbox->shared, memory_order_relaxed) == 0 && !h->embedded &&
               !(h->ops->features & GREEN_HUB_CALLS_BACK);
}

/*
 * Of many descriptors that are ready at once, hardly one that waits is in a cache. So the waiter's node is fetched NODE_AHEAD
 * events before it is needed, and the control block that it names THREAD_AHEAD events before.
 */
enum { NODE_AHEAD = 6, THREAD_AHEAD = 3 };

static inline const struct green_wait *
waiter_of(struct green__hub *h, const struct green_hub_event *ev)
{
        const struct green__slot *s = ev->op != NULL ? NULL : green__slot_peek(h, (green_fd)(uint32_t)ev->token);

        return s == NULL ? NULL : s->wait[ev->events & GREEN_READ ? 0 : 1].first;
}

static inline __attribute__((always_inline)) void
fetch_ahead(struct green__hub *h, int i, int n)
{
        const struct green_wait *w;

        if (i + NODE_AHEAD < n)
                __builtin_prefetch(waiter_of(h, &h->events[i + NODE_AHEAD]));
        if (i + THREAD_AHEAD < n && (w = waiter_of(h, &h->events[i + THREAD_AHEAD])) != NULL) {
                __builtin_prefetch(w->thread, 1);
                __builtin_prefetch((const char *)w->thread + 64, 1);
        }
}

static inline __attribute__((always_inline)) void
deliver(struct green__hub *h, int n)
{
        h->n_events = n;
        for (int i = 0; i < n; i++) {
                struct green_hub_event *ev = &h->events[i];

                h->event = i;
                fetch_ahead(h, i, n);
                if (ev->op == NULL)
                        green__io_event(h, ev);
                else if (ev->op->core[GREEN__CORE_AHEAD] != NULL)
                        green__ahead_report(h, ev);
                else
                        green__io_op_done(h, ev->op);
        }
        h->n_events = 0;
}

bool
green__op_reported(const struct green__hub *h, const struct green_op *op)
{
        for (int i = h->event + 1; i < h->n_events; i++)
                if (h->events[i].op == op && !(h->events[i].events & GREEN_HUB_MORE))
                        return true;
        return false;
}

/*
 * The back end cannot wait: no descriptor that anybody waits for would ever be ready. Main is told, as by
 * green_hub_stop(), so that the program ends in order. Whoever goes on all the same has timers and posts, at this pace.
 */
enum { FAILED_WAIT_NS = 10000000, LEAST_PAUSE_NS = 1000000 };

static void
wait_failed(struct green__hub *h, int code, int64_t limit)
{
        /* Less than a millisecond is none to some systems. */
        struct timespec pause = {.tv_nsec = limit < 0 || limit > FAILED_WAIT_NS ? FAILED_WAIT_NS
                                            : limit < LEAST_PAUSE_NS            ? LEAST_PAUSE_NS
                                                                                : limit};

        if (!h->wait_failed)
                green_log(GREEN_LOG_ERROR, "green-net: hub %s cannot wait: %s", h->ops->name, green_strerror(code));
        h->wait_failed = true;
        if (green__hub_tell(h, code) != 0 && limit != 0)
                nanosleep(&pause, NULL);
}

static inline __attribute__((always_inline)) int
wait_for_events(struct green__hub *h, int64_t limit)
{
        int n;

        green__count(&h->polls, 1);
        n = h->ops->wait(h->state, h->events, GREEN__EVENTS, limit);
        if (green__likely(n >= 0)) {
                h->wait_failed = false;
                return n;
        }
        if (n != -EINTR)
                wait_failed(h, n, limit);
        return 0;
}

void
green__pump(struct green__hub *h, int64_t limit)
{
        deliver(h, wait_for_events(h, limit));
        /* A wake-up that was used up here was for the next look at the mailbox. */
        if (atomic_load(&h->mailbox->posts) != NULL)
                (void)h->ops->wake(h->state);
}

/* The earlier of two limits; no limit is below 0 in the first and 0 in the second. */
static int64_t
sooner(int64_t limit, uint64_t wish)
{
        return wish != 0 && (limit < 0 || wish < (uint64_t)limit) ? (int64_t)wish : limit;
}

static inline void
relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ __volatile__("isb" ::: "memory");
#endif
}

/*
 * Nothing is ready, and somebody waits for another OS thread, which may be about to hand over: to look for it for a moment is
 * cheaper, for both sides, than to be woken in the kernel. At most 20 us, and less where it was in vain before, down to
 * nearly nothing; but every now and then it is tried again.
 */
enum { LOOK_LESS_MOST = 6, LOOK_AGAIN = 16, LOOK_NANOSECONDS = 20000 };

static bool
post_comes(struct green__hub *h, int64_t limit)
{
        uint64_t begin, budget, spent;

        if ((limit >= 0 && limit < 2 * LOOK_NANOSECONDS) || green_processors() == 1)
                return false;
        if (atomic_load_explicit(&h->mailbox->posts, memory_order_relaxed) != NULL)
                return true;
        begin = green__cycles();
        budget = h->cycles_20us >> (++h->looks % LOOK_AGAIN == 0 ? 0 : h->look_less);
        do {
                relax();
                spent = green__cycles() - begin;
                if (atomic_load_explicit(&h->mailbox->posts, memory_order_relaxed) != NULL) {
                        /* If it took much longer, it came when this OS thread was not on a processor. */
                        if (spent < 2 * budget)
                                h->look_less = 0;
                        return true;
                }
        } while (spent < budget);
        if (h->look_less < LOOK_LESS_MOST)
                h->look_less++;
        return false;
}

void
green__poll(struct green__hub *h, int64_t limit)
{
        green_hub *mb = h->mailbox;
        bool sleeping;

        if (limit != 0 && h->waits_mt > 0 && post_comes(h, limit))
                limit = 0;
        sleeping = limit != 0;
        if (sleeping) {
                if (limit < 0 && is_deadlock(h))
                        tell_deadlock(h);
                if (!h->dying)
                        limit = sooner(limit, green__stack_pool_trim(&h->stacks));
                atomic_store(&mb->sleeping, 1);
                if (atomic_load(&mb->posts) != NULL)
                        limit = 0;
                green__count(&h->counts.sleeps, limit != 0);
                green__metrics_publish(h);
        }
        if (sleeping || h->embedded || h->io_waits[0] + h->io_waits[1] + h->ops_count + h->aheads_running > 0 ||
            (h->ops->features & GREEN_HUB_CALLS_BACK)) {
                int n = wait_for_events(h, limit);

                if (sleeping)
                        atomic_store_explicit(&mb->sleeping, 0, memory_order_relaxed);
                deliver(h, n);
        }
        if (atomic_load_explicit(&mb->posts, memory_order_relaxed) != NULL)
                green__mailbox_drain(h);
        expire_timers(h);
        calibrate(h);
}

green_thread *
green__pick(struct green__hub *h)
{
        bool calls_back = (h->ops->features & GREEN_HUB_CALLS_BACK) != 0;

        if (green__unlikely(h->hooks))
                green__trace_block(h);
        for (;;) {
                bool ready = green__any_ready(h);

                if (ready && !interval_over(h))
                        return green__pop(h);
                if (h->embedded || calls_back)
                        return &h->home;
                green__poll(h, ready ? 0 : next_limit(h));
                if (callbacks_wait(h))
                        return &h->home;
                begin_interval(h);
        }
}

void
green__prepare(struct green__hub *h, green_thread *t)
{
        if (t == &h->home) {
                /* Embedded, home is the application's stack and has started long ago. */
                t->stack = green__stack_take(&h->stacks);
        } else if (t->extra != NULL && t->stack != NULL) {
                /* A stack of its own size was taken when it was spawned. */
        } else {
                t->stack = green__stack_take(&h->stacks);
                t->reserved_stack = false;
        }
        t->ctx = green__stack_birth(&h->stacks, t->stack);
        t->started = true;
}

void
green__run_callbacks(struct green__hub *h)
{
        struct green__post *post;
        struct green__watch *w;

        while ((post = h->posts) != NULL) {
                void (*fn)(void *) = post->fn;
                void *arg = post->arg;

                h->posts = post->next;
                if (h->posts == NULL)
                        h->posts_end = &h->posts;
                if (post->kind == GREEN__POST_OWNED)
                        green_free(post);
                h->callbacks++;
                fn(arg);
        }
        /* Only those of now: one on a regular file that starts itself again is queued again at once. */
        for (size_t n = h->watches_queued; n > 0 && (w = h->watches.first) != NULL; n--) {
                h->callbacks++;
                green__watch_call(h, w);
        }
        while (h->timers_first != NULL) {
                h->callbacks++;
                green__timer_call(h, h->timers_first);
        }
}

/* The hub stack: run callbacks, and go on with the green threads. It is entered where there is something to call. */
void
green__home_main(void)
{
        struct green__hub *h = green__hub_here;
        bool calls_back = (h->ops->features & GREEN_HUB_CALLS_BACK) != 0;

        for (;;) {
                h->current = NULL;
                if (green__unlikely(h->hooks))
                        green__trace_home(h);
                if (calls_back)
                        green__poll(h, green__any_ready(h) ? 0 : next_limit(h));
                green__run_callbacks(h);
                while (!green__any_ready(h)) {
                        green__poll(h, next_limit(h));
                        green__run_callbacks(h);
                }
                begin_interval(h);
                green__go(h, &h->home, green__pop(h));
        }
}

void
green__notify(struct green__hub *h)
{
        if (h->notify == NULL || h->notified)
                return;
        h->notified = true;
        /* It is called from the midst of something: nobody may run before that is done. */
        h->in_step = true;
        h->notify(h->notify_arg);
        h->in_step = false;
}

void
green__hook_out(green_thread *t)
{
        if (t->ended)
                green__trace_end(t);
        if (t->extra != NULL && t->extra->hook_out != NULL)
                t->extra->hook_out(t, t->extra->hook_arg);
}

void
green__hook_in(green_thread *t)
{
        green__trace_switch(t);
        if (t->extra != NULL && t->extra->hook_in != NULL)
                t->extra->hook_in(t, t->extra->hook_arg);
}

int
green_sleep(double seconds)
{
        struct green__hub *h = green__hub_get();
        green_thread *self;

        if (green__unlikely(h == NULL))
                return green__no_hub();
        self = h->current;
        if (green__likely(seconds <= 0)) {
                if (green__unlikely(self == NULL))
                        return 0;
                if (green__unlikely(self->fired != NULL))
                        return green__cancelled(h, self);
                green__yield(h, self);
                /* Nothing was handed over, so a kill that came meanwhile counts at once. */
                if (green__unlikely(self->fired != NULL)) {
                        self->fired->failed = true;
                        return self->fired->code;
                }
                return 0;
        }
        if (seconds != seconds)
                return -EINVAL;
        if (self == NULL)
                return -EDEADLK;
        if (self->fired != NULL)
                return green__cancelled(h, self);
        self->waits = NULL;
        self->nwaits = 0;
        /* A timer of its own kind: -ETIMEDOUT could also be the code of a kill. */
        if (seconds < GREEN_FOREVER) {
                self->timer.kind = GREEN__TIMER_SLEEP;
                green__heap_add(&h->heap, &self->timer, green__deadline(h, seconds));
                green__calls_keep(h, GREEN__CALLS_TIMERS, &self->timer);
        }
        return green__park_nodes(h, self, GREEN_FOREVER, __builtin_return_address(0));
}
