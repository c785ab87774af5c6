/*
 * Timers with callbacks. See <green/timer.h>.
 *
 * A timer is in at most one list: that of the green thread it is bound to while it is pending, or the callback queue
 * between its time and its call.
 */
#include "debug_calls.h"
#include "sched.h"

static void
leave_list(struct green_timer *t)
{
        if (t->at == NULL)
                return;
        *t->at = t->next;
        if (t->next != NULL)
                t->next->at = t->at;
        else if (t->queued)
                t->hub->timers_end = t->at;
        t->at = NULL;
        t->next = NULL;
        t->queued = false;
}

/* Stop it wherever it is. */
static void
stop(struct green_timer *t)
{
        if (t->hub == NULL)
                return;
        leave_list(t);
        if (t->timer.id != 0) {
                green__heap_remove(&t->hub->heap, &t->timer);
                green__heap_unpromise(&t->hub->heap, 1);
        }
        t->hub = NULL;
}

static int
check_owner(const green_timer *t)
{
        if (t->hub == NULL || t->hub == green__hub_here)
                return 0;
        green_log(GREEN_LOG_ERROR, "green-net: a timer is used from an OS thread that it is not pending in");
        return green_set_error(-EPERM, "a timer that is pending in another OS thread");
}

green_timer *
green_timer_new(double seconds, green_timer_fn fn, void *arg)
{
        green_timer *t;

        if (fn == NULL || seconds != seconds) {
                green_set_error(-EINVAL, "a timer needs a function and a delay that is a number");
                return NULL;
        }
        t = green_calloc(1, sizeof(*t));
        if (t == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        t->timer.kind = GREEN__TIMER_CALL;
        t->fn = fn;
        t->arg = arg;
        t->seconds = seconds;
        t->where = __builtin_return_address(0);
        return t;
}

green_timer *
green_timer_copy(const green_timer *t)
{
        return green_timer_new(t->seconds, t->fn, t->arg);
}

/* Start it; bound to owner if there is one. */
static int
schedule(green_timer *t, green_thread *owner)
{
        struct green__hub *h = green__hub_get();
        struct green__extra *extra = NULL;
        int rc;

        if (h == NULL)
                return green__no_hub();
        if (t == NULL)
                return -EINVAL;
        rc = check_owner(t);
        if (rc != 0)
                return rc;
        if (owner != NULL) {
                extra = green__thread_extra(owner);
                if (extra == NULL)
                        return -ENOMEM;
        }
        stop(t);
        rc = green__heap_promise(&h->heap, 1);
        if (rc != 0)
                return rc;
        t->hub = h;
        if (extra != NULL) {
                t->next = extra->local_timers;
                t->at = &extra->local_timers;
                if (t->next != NULL)
                        t->next->at = &t->next;
                extra->local_timers = t;
        }
        green__heap_add(&h->heap, &t->timer, green__deadline(h, t->seconds));
        green__calls_keep(h, GREEN__CALLS_TIMERS, &t->timer);
        green__must_step(h);
        return 0;
}

int
green_timer_schedule(green_timer *t)
{
        return schedule(t, NULL);
}

int
green_timer_schedule_local(green_timer *t)
{
        green_thread *self = green_getcurrent();

        return self == NULL ? -EDEADLK : schedule(t, self);
}

int
green_timer_cancel(green_timer *t)
{
        int rc;

        if (t == NULL)
                return 0;
        rc = check_owner(t);
        if (rc != 0)
                return rc;
        stop(t);
        return 0;
}

bool
green_timer_pending(const green_timer *t)
{
        return t != NULL && t->hub != NULL;
}

int
green_timer_free(green_timer *t)
{
        int rc = green_timer_cancel(t);

        if (rc == 0)
                green_free(t);
        return rc;
}

static int
schedule_call(double seconds, green_timer_fn fn, void *arg, green_thread *owner)
{
        green_timer *t;
        int rc;

        if (fn == NULL || seconds != seconds)
                return -EINVAL;
        t = green_timer_new(seconds, fn, arg);
        if (t == NULL)
                return -ENOMEM;
        t->owned = true;
        rc = schedule(t, owner);
        if (rc != 0)
                green_free(t);
        return rc;
}

int
green_schedule_call_global(double seconds, green_timer_fn fn, void *arg)
{
        return schedule_call(seconds, fn, arg, NULL);
}

int
green_schedule_call_local(double seconds, green_timer_fn fn, void *arg)
{
        green_thread *self = green_getcurrent();

        return self == NULL ? -EDEADLK : schedule_call(seconds, fn, arg, self);
}

/* Its time has come: queue its call. */
void
green__timer_fire(struct green__hub *h, struct green_timer *t)
{
        green__heap_unpromise(&h->heap, 1);
        leave_list(t);
        t->queued = true;
        t->at = h->timers_end;
        *h->timers_end = t;
        h->timers_end = &t->next;
}

/* On the hub stack: call it. */
void
green__timer_call(struct green__hub *h, struct green_timer *t)
{
        green_timer_fn fn = t->fn;
        void *arg = t->arg;

        (void)h;
        leave_list(t);
        t->hub = NULL;
        if (t->owned)
                green_free(t);
        fn(arg);
}

static void
drop(struct green_timer *t)
{
        stop(t);
        if (t->owned)
                green_free(t);
}

/* Their owner ends: the timers bound to it never fire. */
void
green__timers_of_thread(green_thread *t)
{
        while (t->extra->local_timers != NULL)
                drop(t->extra->local_timers);
}

/* Drop every callback timer of a hub. */
void
green__timers_drop_all(struct green__hub *h)
{
        /* From the end: what moves into a freed place was looked at, or is looked at again. */
        for (uint32_t i = h->heap.count; i > 0;) {
                struct green__timer *timer = green__heap_timer(&h->heap, i - 1);

                if (timer->kind == GREEN__TIMER_CALL)
                        drop(green__container_of(timer, struct green_timer, timer));
                else
                        i--;
                if (i > h->heap.count)
                        i = h->heap.count;
        }
        while (h->timers_first != NULL)
                drop(h->timers_first);
}
