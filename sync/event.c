/*
 * Events. See <green/event.h>.
 */
#include <errno.h>
#include <stdatomic.h>

#include <green/alloc.h>
#include <green/hubs.h>

#include "event_priv.h"
#include "misuse.h"
#include "object.h"

/* Who may write what is sent. Any OS thread may go from IDLE to POSTED, and free; the rest is the owner's. */
enum state {
        IDLE,   /* nothing was sent */
        POSTED, /* something is on its way from another OS thread, or from this one by the same way */
        SENT,
        FREED /* while something was on its way: its delivery frees the event */
};

struct green_event {
        struct green_waitq waiters;
        void *value; /* written by the one that went from IDLE to another state; the owner reads it when SENT */
        int code;    /* likewise; negative: an error was sent */
        _Atomic enum state state;
        uint64_t hub;    /* whose it is */
        green_hub *home; /* the same, to post to */
};

green_event *
green_event_new(void)
{
        green_hub *home = green_get_hub();
        green_event *e;
        uint64_t hub;

        if (home == NULL)
                return NULL;
        e = green__object_new(sizeof(*e), &hub);
        if (e == NULL)
                return NULL;
        e->hub = hub;
        e->home = green_hub_ref(home);
        return e;
}

static void
release(green_event *e)
{
        green_hub_unref(e->home);
        green_free(e);
}

static void
nothing(void *arg)
{
        (void)arg;
}

int
green_event_free(green_event *e)
{
        if (e == NULL)
                return 0;
        if (green_waitq_first(&e->waiters) != NULL)
                return green__misuse(-EBUSY, "an event that somebody waits for cannot be freed");
        /* What is on its way is delivered, and frees it; unless the hub has ended: then it never arrives. */
        if (atomic_exchange(&e->state, FREED) != POSTED || green_hub_post(e->home, nothing, NULL) == GREEN_ECLOSED)
                release(e);
        return 0;
}

static bool
claim(green_event *e, enum state state)
{
        enum state idle = IDLE;

        return atomic_compare_exchange_strong(&e->state, &idle, state);
}

static int
sent_already(void)
{
        return green_set_error(-EALREADY, "the event has been sent already");
}

/* Each waiter takes away what was sent, so that a reset before it runs does not touch it. */
static void
wake_all(green_event *e)
{
        struct green_wait *w;

        while ((w = green_waitq_first(&e->waiters)) != NULL) {
                w->value = e->value;
                green_wake(w, e->code);
        }
}

static int
send_to_all(green_event *e, void *value, int code)
{
        int rc = green_hub_check(e->hub, "an event");

        if (rc != 0)
                return rc;
        if (!claim(e, SENT))
                return sent_already();
        e->value = value;
        e->code = code;
        wake_all(e);
        return 0;
}

int
green_event_send(green_event *e, void *value)
{
        if (e == NULL)
                return green__misuse(-EINVAL, "green_event_send: no event");
        return send_to_all(e, value, 0);
}

int
green_event_send_exception(green_event *e, int code)
{
        if (e == NULL)
                return green__misuse(-EINVAL, "green_event_send_exception: no event");
        if (code >= 0)
                return green__misuse(-EINVAL, "green_event_send_exception: the code %d is not negative", code);
        return send_to_all(e, NULL, code);
}

/* On the hub stack of the owner. */
static void
deliver(void *arg)
{
        green_event *e = arg;
        enum state posted = POSTED;

        if (atomic_compare_exchange_strong(&e->state, &posted, SENT))
                wake_all(e);
        else
                release(e);
}

/* Nothing is touched after the post: the event may be gone by then. */
static int
post_to_all(green_event *e, void *value, int code)
{
        int rc;

        if (!claim(e, POSTED))
                return -EALREADY;
        e->value = value;
        e->code = code;
        rc = green_hub_post(e->home, deliver, e);
        if (rc != 0)
                atomic_store(&e->state, IDLE);
        return rc;
}

int
green_event_send_mt(green_event *e, void *value)
{
        return e == NULL ? -EINVAL : post_to_all(e, value, 0);
}

int
green_event_send_exception_mt(green_event *e, int code)
{
        return e == NULL || code >= 0 ? -EINVAL : post_to_all(e, NULL, code);
}

static inline bool
is_sent(const green_event *e)
{
        return atomic_load_explicit(&e->state, memory_order_relaxed) == SENT;
}

int
green_event_wait(green_event *e, void **ret_value, double timeout)
{
        struct green_wait w;
        green_thread *self;
        int rc;

        if (green__unlikely(e == NULL))
                return green__misuse(-EINVAL, "green_event_wait: no event");
        rc = green_park_check(e->hub, "an event", timeout, &self);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, "an event");
        if (is_sent(e)) {
                w.value = e->value;
                rc = e->code;
        } else if (green__unlikely(self == NULL && timeout != 0)) {
                return green__no_wait("an event");
        } else {
                rc = green_park(&e->waiters, &w, timeout);
        }
        if (rc == 0 && ret_value != NULL)
                *ret_value = w.value;
        return rc;
}

int
green_event_reset(green_event *e)
{
        int rc;

        if (e == NULL)
                return green__misuse(-EINVAL, "green_event_reset: no event");
        rc = green_hub_check(e->hub, "an event");
        if (rc != 0)
                return rc;
        if (!is_sent(e))
                return green__misuse(-EINVAL, "green_event_reset: the event has not been sent");
        e->value = NULL;
        e->code = 0;
        atomic_store_explicit(&e->state, IDLE, memory_order_release);
        return 0;
}

bool
green_event_ready(const green_event *e)
{
        return e != NULL && is_sent(e);
}

bool
green_event_has_result(const green_event *e)
{
        return e != NULL && is_sent(e) && e->code == 0;
}

bool
green_event_has_exception(const green_event *e)
{
        return e != NULL && is_sent(e) && e->code != 0;
}

int
green_event_poll(const green_event *e, void **ret_value)
{
        if (e == NULL)
                return green__misuse(-EINVAL, "green_event_poll: no event");
        if (!is_sent(e))
                return -ETIMEDOUT;
        if (e->code == 0 && ret_value != NULL)
                *ret_value = e->value;
        return e->code;
}

int
green_event_poll_result(const green_event *e, void **ret_value)
{
        if (e == NULL)
                return green__misuse(-EINVAL, "green_event_poll_result: no event");
        return green_event_has_result(e) ? green_event_poll(e, ret_value) : -ETIMEDOUT;
}

int
green_event_poll_exception(const green_event *e)
{
        if (e == NULL)
                return green__misuse(-EINVAL, "green_event_poll_exception: no event");
        return is_sent(e) ? e->code : 0;
}

int
green__event_check(const green_event *e)
{
        return green_hub_check(e->hub, "an event");
}

bool
green__event_try(const green_event *e, void **ret_value, int *ret_code)
{
        if (!is_sent(e))
                return false;
        *ret_value = e->value;
        *ret_code = e->code;
        return true;
}

struct green_waitq *
green__event_waiters(green_event *e)
{
        return &e->waiters;
}
