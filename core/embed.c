/*
 * A hub inside another event loop. The embedder's stack is the hub stack: callbacks run there, and green threads come
 * home to it when none is ready or the poll interval is over. See <green/hubs.h>.
 */
#include "sched.h"

int
green_hub_embed(void)
{
        struct green__hub *h = green__hub_get();

        if (h == NULL)
                return green__no_hub();
        if (h->embedded || h->nthreads > 1 || h->polls > 0 || h->main.wait_where != NULL || green__deadlines(h) > 0)
                return green_set_error(-EBUSY, "green threads have run in this OS thread already");
        if (h->ops->loop != NULL)
                return green_set_error(
                        GREEN_EHUB,
                        "hub %s runs an event loop itself, and has no descriptor that another could wait "
                        "for: use green_use_hub_loop(), or embed another hub",
                        h->ops->name);
        green__context_drop(&h->main.ctx);
        green__context_adopt(&h->home.ctx);
        h->home.started = true;
        h->embedded = true;
        h->told = true;
        h->trim_at = GREEN__NEVER;
        h->current = NULL;
        atomic_store(&h->mailbox->sleeping, 1);
        return 0;
}

static bool
more_to_do(const struct green__hub *h)
{
        return h->stop_code != 0 || green__any_ready(h) || h->posts != NULL || h->watches.first != NULL ||
               h->timers_first != NULL || atomic_load(&h->mailbox->posts) != NULL;
}

/* There is time for what an ordinary hub does before it sleeps: give back memory of stacks, and say when to go on. */
static void
trim_stacks(struct green__hub *h)
{
        uint64_t again = green__stack_pool_trim(&h->stacks);

        h->trim_at = again == 0 ? GREEN__NEVER : h->clock() + (int64_t)again;
}

/* Callbacks, then green threads until none is ready or the interval is over. */
static void
run(struct green__hub *h)
{
        green__run_callbacks(h);
        if (green__any_ready(h)) {
                green__interval_begin(h);
                green__go(h, &h->home, green__pop(h));
                h->current = NULL;
                if (h->hooks)
                        green__trace_home(h);
        }
        /* A back end may keep what they have asked it for until its next wait, and the descriptor does not say so. */
        if (!green__any_ready(h))
                green__poll(h, 0);
}

int
green_hub_step(void)
{
        struct green__hub *h = green__hub_here;
        int code;

        if (h == NULL || !h->embedded || h->in_step || h->current != NULL)
                return -EDEADLK;
        h->in_step = true;
        h->notified = false;
        green__poll(h, 0);
        /* Where operations are under way the end of one may have been asked for just now. */
        if (more_to_do(h) || h->ops_count > 0)
                run(h);
        h->in_step = false;
        green__metrics_publish(h);
        /* From now on a post must make green_hub_fd() readable. */
        atomic_store(&h->mailbox->sleeping, 1);
        code = h->stop_code;
        if (code != 0) {
                h->stop_code = 0;
                return code;
        }
        if (more_to_do(h))
                return 1;
        trim_stacks(h);
        return 0;
}

green_fd
green_hub_fd(void)
{
        struct green__hub *h = green__hub_get();
        green_fd fd;

        if (h == NULL)
                return GREEN_INVALID_FD;
        fd = h->ops->pollfd(h->state);
        if (fd == GREEN_INVALID_FD)
                green_set_error(-ENOTSUP, "hub %s has no descriptor that another event loop could wait for",
                                h->ops->name);
        return fd;
}

double
green_hub_timeout(void)
{
        struct green__hub *h = green__hub_get();
        int64_t first, now;

        if (h == NULL || more_to_do(h))
                return 0;
        first = green__first_deadline(h);
        if (h->embedded && h->trim_at < first)
                first = h->trim_at;
        if (first == GREEN__NEVER)
                return GREEN_FOREVER;
        now = h->clock();
        return first > now ? (double)(first - now) / 1e9 : 0;
}

int
green_hub_set_notify(void (*fn)(void *arg), void *arg)
{
        struct green__hub *h = green__hub_here;

        if (h == NULL || !h->embedded)
                return -EDEADLK;
        h->notify = fn;
        h->notify_arg = arg;
        return 0;
}
