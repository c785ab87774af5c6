/*
 * The hub of an OS thread: made on first use, chosen by GREEN_HUB, ended with the OS thread. See <green/hubs.h>.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "debug_calls.h"
#include "hub_load.h"
#include "overflow.h"
#include "sched.h"

static _Atomic(uint64_t) next_ident = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t end_key;
static pthread_mutex_t hubs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct green__hub *hubs;

/* Set once, before the first hub. */
static bool trusted_cycles;

static void
config_log(int level, const char *message)
{
        green_log((enum green_log_level)level, "%s", message);
}

/* Green threads that will never run to their end: say how many. */
static void
tell_unrun(const struct green__hub *h)
{
        size_t others = h->nthreads - 1;

        if (others > 0 && green__log_exceptions())
                green_log(GREEN_LOG_WARNING, "green-net: %zu green thread%s freed unrun at the end of %s", others,
                          others == 1 ? " was" : "s were", "the OS thread");
}

/* The OS thread ends. */
static void
at_thread_end(void *arg)
{
        struct green__hub *h = arg;

        /* winpthreads also calls for a value that was taken back. */
        if (h == NULL || h != green__hub_here)
                return;
        tell_unrun(h);
        /* Better lost than a deadlock. */
        if (!green__thread_end_is_late())
                green__hub_free(h);
}

/*
 * The process ends: exit() may have been called on any stack, so nothing is freed under it. Nor where what others keep for
 * this OS thread is gone.
 */
static void
at_exit(void)
{
        struct green__hub *h = green__hub_here;

        if (h == NULL)
                return;
        tell_unrun(h);
        if (GREEN__LOCALS_LAST && (h->current == &h->main || (h->embedded && h->current == NULL)))
                green__hub_free(h);
        else
                (void)pthread_setspecific(end_key, NULL);
}

static void
init_process(void)
{
        (void)pthread_key_create(&end_key, at_thread_end);
        (void)atexit(at_exit);
        trusted_cycles = green__cycles_trusted();
        green__fork_install();
        (void)green__overflow_install();
}

bool
green__hub_lives(uint64_t ident)
{
        const struct green__hub *h;

        if (green__hub_here != NULL && green__hub_here->ident == ident)
                return true;
        pthread_mutex_lock(&hubs_lock);
        for (h = hubs; h != NULL && h->ident != ident; h = h->hubs_next)
                ;
        pthread_mutex_unlock(&hubs_lock);
        return h != NULL;
}

void
green__hubs_lock(void)
{
        pthread_mutex_lock(&hubs_lock);
}

void
green__hubs_unlock(void)
{
        pthread_mutex_unlock(&hubs_lock);
}

/* In the child of a fork: the hubs of other OS threads have ended, unrun. */
void
green__hubs_after_fork(struct green__hub *here)
{
        for (struct green__hub *h = hubs; h != NULL; h = h->hubs_next) {
                if (h == here)
                        continue;
                green__metrics_keep_lost(h);
                if (h->mailbox != NULL)
                        atomic_store(&h->mailbox->closed, 1);
        }
        hubs = here;
        if (here != NULL)
                here->hubs_next = NULL;
}

const struct green__hub *
green__hubs_first(void)
{
        return hubs;
}

static void
hubs_add(struct green__hub *h)
{
        pthread_mutex_lock(&hubs_lock);
        h->hubs_next = hubs;
        hubs = h;
        pthread_mutex_unlock(&hubs_lock);
}

static void
hubs_remove(struct green__hub *h)
{
        struct green__hub **at = &hubs;

        pthread_mutex_lock(&hubs_lock);
        while (*at != h)
                at = &(*at)->hubs_next;
        *at = h->hubs_next;
        green__metrics_keep(h);
        pthread_mutex_unlock(&hubs_lock);
}

void
green__hubs_each(void (*fn)(struct green__hub *h, void *arg), void *arg)
{
        pthread_mutex_lock(&hubs_lock);
        for (struct green__hub *h = hubs; h != NULL; h = h->hubs_next)
                if (h->whole)
                        fn(h, arg);
        pthread_mutex_unlock(&hubs_lock);
}

/* An event loop of the application's belongs to one hub at most. Taken where none has it, or it is this one's. */
int
green__hub_claim_loop(struct green__hub *h, void *loop)
{
        const struct green__hub *other;

        pthread_mutex_lock(&hubs_lock);
        for (other = hubs; loop != NULL && other != NULL; other = other->hubs_next)
                if (other != h && (other->foreign_loop == loop || other->foreign_next == loop))
                        break;
        if (loop == NULL || other == NULL)
                h->foreign_next = loop;
        pthread_mutex_unlock(&hubs_lock);
        return loop == NULL || other == NULL ? 0 : green_set_error(-EBUSY, "another hub lives in this event loop");
}

/* The back end has moved into the loop that was claimed, or it has not and stays where it was. */
void
green__hub_settle_loop(struct green__hub *h, bool moved)
{
        pthread_mutex_lock(&hubs_lock);
        if (moved)
                h->foreign_loop = h->foreign_next;
        h->foreign_next = NULL;
        h->whole = true;
        pthread_mutex_unlock(&hubs_lock);
}

static void
init_lists(struct green__hub *h)
{
        h->run.next = h->run.prev = &h->run;
        h->posts_end = &h->posts;
        h->timers_end = &h->timers_first;
}

/* The OS thread's own stack becomes a green thread. */
static void
init_main(struct green__hub *h)
{
        green_thread *t = &h->main;

        green__thread_init(t, h);
        h->thread_chunks_end = &h->thread_chunks;
        t->where = "main";
        t->refs = 1;
        t->started = true;
        t->asked = true;
        t->state = GREEN__RUNNING;
        h->home.where = "hub";
        h->home.hub = h;
        green__context_adopt(&t->ctx);
        h->current = t;
}

static green_hub *
make_mailbox(struct green__hub *h)
{
        green_hub *mb = green_calloc(1, sizeof(*mb));

        if (mb == NULL)
                return NULL;
        atomic_init(&mb->refs, 1);
        mb->hub = h;
        mb->ops = h->ops;
        mb->state = h->state;
        mb->ident = h->ident;
        return mb;
}

/* The stack of the hub, and places in the heap for main: everything that must never fail later. */
static int
reserve(struct green__hub *h)
{
        int rc = green__heap_promise(&h->heap, 1);

        return rc != 0 ? rc : green__stack_reserve(&h->stacks);
}

/* What a hub needs beside its back end. Returns 0 or a code; green__hub_free() takes back what was done. */
static int
init_hub(struct green__hub *h, const struct green_hub_ops *ops)
{
        int rc;

        h->os_thread = pthread_self();
        h->look_every = GREEN__LOOK_EVERY;
        h->clock = green__clock_monotonic;
        h->errno_at = &errno;
        h->ident = atomic_fetch_add(&next_ident, 1);
        h->cal_time = h->now = green__clock_monotonic();
        h->cal_cycles = green__cycles();
        green__ticks_begin(h, trusted_cycles);
        h->cycles_100us = 100000; /* as if at 1 GHz, until it is known */
        h->cycles_20us = h->cycles_100us / 5;
        h->interval = 1;
        h->config =
                (struct green_hub_config){sizeof(h->config), green_realloc, green_free, config_log, h->foreign_next};
        rc = ops->init(&h->config, &h->state);
        if (rc != 0)
                return green_set_error(rc, "hub %s cannot start: %s", ops->name, green_strerror(rc));
        h->ops = ops;
        rc = green__stack_pool_init(&h->stacks, 0);
        if (rc == 0)
                rc = reserve(h);
        h->mailbox = rc == 0 ? make_mailbox(h) : NULL;
        if (h->mailbox == NULL)
                return green_set_error(rc == 0 ? -ENOMEM : rc, NULL);
        return 0;
}

struct green__hub *
green__hub_make_with(const struct green_hub_ops *ops, void *loop)
{
        struct green__hub *h = green_calloc(1, sizeof(*h));

        if (h == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        pthread_once(&once, init_process);
        init_lists(h);
        /* Before the first stack is born: the way back from there leads to this one. */
        init_main(h);
        hubs_add(h);
        if (green__hub_claim_loop(h, loop) != 0 || init_hub(h, ops) != 0) {
                if (h->ops != NULL) {
                        green__heap_free(&h->heap);
                        green__stack_pool_fini(&h->stacks);
                        ops->fini(h->state);
                }
                hubs_remove(h);
                green__context_drop(&h->main.ctx);
                green_free(h);
                return NULL;
        }
        green__hub_settle_loop(h, true);
        green__overflow_thread_init(&h->altstack);
        green__hub_here = h;
        (void)pthread_setspecific(end_key, h);
        green__interval_begin(h);
        green__metrics_begin(h);
        return h;
}

struct green__hub *
green__hub_make(void)
{
        const struct green_hub_ops *ops;

        if (green__context_check() != 0)
                return NULL;
        ops = green__hub_find(getenv("GREEN_HUB"));
        return ops == NULL ? NULL : green__hub_make_with(ops, NULL);
}

/* Forget what is left: green threads unrun, timers, the lists. */
static void
forget_all(struct green__hub *h)
{
        struct green__thread_iter it = {NULL, 0};
        green_thread *t;

        h->destroying = true;
        while ((t = green__thread_next(h, &it)) != NULL)
                green__thread_forget(h, t);
        /* It waits where the OS thread was ended by another green thread. */
        green__wait_mt_forget(h, &h->main);
        green__timers_drop_all(h);
        green__watches_forget(h);
        green__scopes_end(&h->main);
}

static void
free_main(green_thread *t)
{
        struct green__defer *d;

        if (t->extra != NULL)
                green__tasks_inside_end(t);
        while ((d = t->defers) != NULL) {
                t->defers = d->next;
                green_free(d);
        }
        green_free(t->locals);
        green__last_error_free(t->last_error);
        green__thread_free_extra(t);
}

void
green__hub_free(struct green__hub *h)
{
        struct green__hub_end *ends;

        green__mailbox_close(h);
        /* Operations in flight have their memory on the stacks of green threads: they end first. */
        green__aheads_give_back(h);
        h->ops->fini(h->state);
        green__aheads_free(h);
        forget_all(h);
        hubs_remove(h);
        green__context_drop(h->embedded ? &h->home.ctx : &h->main.ctx);
        if (h->home.stack != NULL) {
                green__context_drop(&h->home.ctx);
                green__stack_give(&h->stacks, h->home.stack);
        }
        green__stack_pool_fini(&h->stacks);
        green__overflow_thread_fini(h->altstack);
        green__spew_end(h);
        green__calls_free(h);
        green__slots_free(h);
        green__heap_free(&h->heap);
        free_main(&h->main);
        green__threads_free(h);
        green__last_error_free(h->last_error);
        green_free(h->locals);
        green__hub_here = NULL;
        (void)pthread_setspecific(end_key, NULL);
        green__mailbox_unref(h->mailbox);
        ends = h->ends;
        green_free(h);
        green__hub_ends_tell(ends);
}

green_hub *
green_get_hub(void)
{
        struct green__hub *h = green__hub_get();

        if (h == NULL)
                return NULL;
        /* Whoever has the handle may post from another OS thread. */
        atomic_store_explicit(&h->mailbox->shared, 1, memory_order_relaxed);
        return h->mailbox;
}

const char *
green_get_default_hub(void)
{
        const struct green_hub_ops *ops = green__hub_find(getenv("GREEN_HUB"));

        return ops == NULL ? NULL : ops->name;
}

const char *
green_hub_name(const green_hub *hub)
{
        struct green__hub *h;

        if (hub != NULL)
                return hub->ops->name;
        h = green__hub_get();
        return h == NULL ? NULL : h->ops->name;
}

uint64_t
green_hub_ident(void)
{
        struct green__hub *h = green__hub_get();

        return h == NULL ? 0 : h->ident;
}

/* Out of the way of the check, which stands in every call of an object. */
static __attribute__((cold, noinline)) int
check_failed(uint64_t ident, const char *what)
{
        uint64_t here = green_hub_ident();

        if (here == ident)
                return 0;
        green_log(GREEN_LOG_ERROR, "green-net: %s belongs to hub %llu and is used from hub %llu", what,
                  (unsigned long long)ident, (unsigned long long)here);
        return green_set_error(-EPERM, "%s belongs to hub %llu and is used from hub %llu", what,
                               (unsigned long long)ident, (unsigned long long)here);
}

int
green_hub_check(uint64_t ident, const char *what)
{
        const struct green__hub *h = green__hub_here;

        if (green__likely(h != NULL && h->ident == ident))
                return 0;
        return check_failed(ident, what);
}

int
green_hub_get_info(struct green_hub_info *info)
{
        struct green__hub *h = green__hub_get();
        struct green__stack_facts stacks;
        struct green_hub_info full;

        if (h == NULL)
                return green__no_hub();
        if (info == NULL || info->size < sizeof(info->size) || info->size > sizeof(*info))
                return -EINVAL;
        green__stack_pool_facts(&h->stacks, &stacks);
        full = (struct green_hub_info){
                .size = info->size,
                .name = h->ops->name,
                .context = green__context_name(),
                .guard = stacks.guard,
                .threads = h->nthreads,
                .ready = h->nready,
                .timers = green__deadlines(h),
                .readers = h->io_waits[0],
                .writers = h->io_waits[1],
                .stacks = stacks.in_use,
                .stacks_pooled = stacks.pooled,
                .stack_size = stacks.stack_size,
                .switches = h->switches,
                .polls = h->polls,
        };
        (void)h->ops->describe(h->state, full.description, sizeof(full.description));
        memcpy(info, &full, info->size);
        return 0;
}

int
green_hub_set_clock(int64_t (*clock)(void))
{
        struct green__hub *h = green__hub_get();

        if (h == NULL)
                return green__no_hub();
        if (green__deadlines(h) > 0)
                return -EBUSY;
        h->clock = clock == NULL ? green__clock_monotonic : clock;
        h->now = h->clock();
        return 0;
}
