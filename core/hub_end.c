/*
 * Ending: green_hub_stop(), green_hub_destroy() and green_hub_at_end(). See <green/hubs.h>.
 */
#include "sched.h"

/* Was main, or the embedder, told of a code that it has not taken yet? */
static bool
was_told(const struct green__hub *h)
{
        return h->embedded ? h->stop_code != 0 : h->main.stopped || h->main.kill.fired;
}

int
green__hub_tell(struct green__hub *h, int code)
{
        if (was_told(h))
                return -EALREADY;
        if (h->embedded) {
                h->stop_code = code;
                if (!h->in_step)
                        green__notify(h);
                return 0;
        }
        h->main.stopped = true;
        h->main.kill.code = code;
        green__scope_fire(h, &h->main.kill);
        return 0;
}

int
green_hub_stop(int code)
{
        struct green__hub *h = green__hub_get();

        if (h == NULL)
                return green__no_hub();
        if (code > 0)
                return -EINVAL;
        if (was_told(h))
                return -EALREADY;
        green__timers_drop_all(h);
        return green__hub_tell(h, code == 0 ? GREEN_ESTOPPED : code);
}

/* Tell every green thread but main to end. Those that have not started end here. */
static void
kill_all(struct green__hub *h)
{
        struct green__thread_iter it = {NULL, 0};
        green_thread *t;

        while ((t = green__thread_next(h, &it)) != NULL) {
                if (t->state == GREEN__NEW)
                        green__thread_end_unstarted(h, t, GREEN_EKILLED);
                else if (!t->kill.fired && !t->ended)
                        green__scope_fire(h, &t->kill);
        }
}

/* Let the others end, until the deadline; what they spawn meanwhile is killed, too. */
static void
run_out(struct green__hub *h, int64_t deadline)
{
        for (;;) {
                struct green_wait w;
                double left;
                int rc;

                kill_all(h);
                if (h->nthreads == 1)
                        break;
                left = deadline == GREEN__NEVER ? GREEN_FOREVER : (double)(deadline - h->clock()) / 1e9;
                if (left <= 0)
                        break;
                /* Looked at again in any case: a callback may have spawned one more. */
                rc = green_park(&h->nobody_left, &w, left > 0.01 ? 0.01 : left);
                if (rc != 0 && rc != -ETIMEDOUT)
                        break;
        }
}

int
green_hub_destroy(double timeout)
{
        struct green__hub *h = green__hub_here;
        size_t left;

        if (h == NULL)
                return 0;
        if (!green__time_ok(timeout))
                return -EINVAL;
        if (h->embedded ? h->current != NULL || h->in_step : h->current != &h->main)
                return -EDEADLK;
        if (h->embedded) {
                int64_t deadline = green__deadline(h, timeout);

                for (kill_all(h); h->nthreads > 1 && h->clock() < deadline; kill_all(h))
                        (void)green_hub_step();
        } else {
                green_shield_begin();
                run_out(h, green__deadline(h, timeout));
                green__thread_clean_up(&h->main);
                green_shield_end();
        }
        left = h->nthreads - 1;
        if (left > 0)
                green_log(GREEN_LOG_WARNING, "green-net: %zu green thread%s not end in time and freed unrun", left,
                          left == 1 ? " did" : "s did");
        green__hub_free(h);
        return left > 0 ? -ETIMEDOUT : 0;
}

_Static_assert(sizeof(struct green__hub_end) <= sizeof(struct green_hub_end), "it fits its public storage");

int
green_hub_at_end(struct green_hub_end *end, void (*fn)(void *arg), void *arg)
{
        struct green__hub_end *e = (struct green__hub_end *)(uintptr_t)end;
        struct green__hub *h = green__hub_get();

        if (end == NULL || fn == NULL)
                return -EINVAL;
        if (h == NULL)
                return green__no_hub();
        *e = (struct green__hub_end){.next = h->ends, .at = &h->ends, .fn = fn, .arg = arg};
        if (e->next != NULL)
                e->next->at = &e->next;
        h->ends = e;
        return 0;
}

void
green_hub_end_drop(struct green_hub_end *end)
{
        struct green__hub_end *e = (struct green__hub_end *)(uintptr_t)end;

        if (e->at == NULL)
                return;
        *e->at = e->next;
        if (e->next != NULL)
                e->next->at = e->at;
        e->at = NULL;
}

void
green__hub_ends_tell(struct green__hub_end *ends)
{
        while (ends != NULL) {
                struct green__hub_end *e = ends;

                ends = e->next;
                if (ends != NULL)
                        ends->at = &ends;
                e->at = NULL;
                e->fn(e->arg);
        }
}
