/*
 * Events. See <green/event.h>.
 */
#include <errno.h>

#include <green/alloc.h>
#include <green/event.h>
#include <green/hubs.h>
#include <green/park.h>
#include <green/thread.h>

struct green_event {
        struct green_waitq waiters;
        void *value;
        uint64_t hub; /* whose it is */
        int code;     /* negative: an error was sent */
        bool sent;
};

static int
check(const green_event *e)
{
        return e == NULL ? -EINVAL : green_hub_check(e->hub, "an event");
}

green_event *
green_event_new(void)
{
        green_event *e = green_calloc(1, sizeof(*e));

        if (e == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        e->hub = green_hub_ident();
        if (e->hub == 0) {
                green_free(e);
                return NULL;
        }
        return e;
}

int
green_event_free(green_event *e)
{
        if (e != NULL && e->waiters.first != NULL)
                return -EBUSY;
        green_free(e);
        return 0;
}

/* Each waiter takes away what was sent, so that a reset before it runs does not touch it. */
static int
send_to_all(green_event *e, void *value, int code)
{
        struct green_wait *w;
        int rc = check(e);

        if (rc != 0)
                return rc;
        if (e->sent)
                return -EALREADY;
        e->sent = true;
        e->value = value;
        e->code = code;
        while ((w = green_waitq_first(&e->waiters)) != NULL) {
                w->value = value;
                green_wake(w, code);
        }
        return 0;
}

int
green_event_send(green_event *e, void *value)
{
        return send_to_all(e, value, 0);
}

int
green_event_send_exception(green_event *e, int code)
{
        return code >= 0 ? -EINVAL : send_to_all(e, NULL, code);
}

int
green_event_wait(green_event *e, void **ret_value, double timeout)
{
        struct green_wait w;
        int rc = check(e);

        if (rc != 0)
                return rc;
        if (!(timeout >= 0))
                return -EINVAL;
        if (timeout != 0) {
                rc = green_checkpoint();
                if (rc != 0)
                        return rc;
        }
        if (e->sent) {
                w.value = e->value;
                rc = e->code;
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
        int rc = check(e);

        if (rc != 0)
                return rc;
        if (!e->sent)
                return -EINVAL;
        e->sent = false;
        e->value = NULL;
        e->code = 0;
        return 0;
}

bool
green_event_ready(const green_event *e)
{
        return e != NULL && e->sent;
}

bool
green_event_has_result(const green_event *e)
{
        return e != NULL && e->sent && e->code == 0;
}

bool
green_event_has_exception(const green_event *e)
{
        return e != NULL && e->sent && e->code != 0;
}

int
green_event_poll(const green_event *e, void **ret_value)
{
        if (e == NULL)
                return -EINVAL;
        if (!e->sent)
                return -ETIMEDOUT;
        if (e->code == 0 && ret_value != NULL)
                *ret_value = e->value;
        return e->code;
}

int
green_event_poll_result(const green_event *e, void **ret_value)
{
        if (e == NULL)
                return -EINVAL;
        return green_event_has_result(e) ? green_event_poll(e, ret_value) : -ETIMEDOUT;
}

int
green_event_poll_exception(const green_event *e)
{
        if (e == NULL)
                return -EINVAL;
        return e->sent ? e->code : 0;
}
