/*
 * Events.
 */
#include "net_suite.h"

#include <green/sync.h>

struct waiter {
        green_event *e;
        double timeout;
        void *value;
        int rc, order;
        green_thread *thread;
};

static int woken;

static void *
wait_main(void *arg)
{
        struct waiter *w = arg;

        w->rc = green_event_wait(w->e, &w->value, w->timeout);
        w->order = ++woken;
        return NULL;
}

static void
begin(struct waiter *w, green_event *e, double timeout)
{
        *w = (struct waiter){.e = e, .timeout = timeout, .rc = 1};
        w->thread = green_spawn(wait_main, w);
        green_sleep(0);
}

static void
end(struct waiter *w)
{
        (void)!green_thread_wait(w->thread, NULL);
        green_thread_unref(w->thread);
}

static void
a_value_reaches_all_who_wait_in_their_order_and_all_who_come_later(void)
{
        green_event *e = green_event_new();
        struct waiter w[3];
        void *value = NULL;
        int one = 1, two = 2;

        GREEN_COVERS("EVENT-01", "EVENT-02", "EVENT-03", "EVENT-05", "EVENT-11", "EVENT-14");
        woken = 0;
        for (int i = 0; i < 3; i++)
                begin(&w[i], e, GREEN_FOREVER);
        CHECK(!green_event_ready(e));
        CHECK_INT(green_event_send(e, &one), 0);
        CHECK_INT(woken, 0);
        CHECK(green_event_ready(e) && green_event_has_result(e) && !green_event_has_exception(e));
        CHECK_INT(green_event_send(e, &two), -EALREADY);
        for (int i = 0; i < 3; i++) {
                end(&w[i]);
                CHECK_INT(w[i].rc, 0);
                CHECK_INT(w[i].order, i + 1);
                CHECK_PTR(w[i].value, &one);
        }
        CHECK_INT(green_event_wait(e, &value, GREEN_FOREVER), 0);
        CHECK_PTR(value, &one);
        CHECK_INT(green_event_free(e), 0);
}

static void
an_error_reaches_all_too(void)
{
        green_event *e = green_event_new();
        struct waiter w;

        GREEN_COVERS("EVENT-04", "EVENT-14");
        begin(&w, e, GREEN_FOREVER);
        CHECK_INT(green_event_send_exception(e, 5), -EINVAL);
        CHECK_INT(green_event_send_exception(e, -EIO), 0);
        end(&w);
        CHECK_INT(w.rc, -EIO);
        CHECK_INT(green_event_wait(e, NULL, 0), -EIO);
        CHECK(green_event_has_exception(e) && !green_event_has_result(e));
        CHECK_INT(green_event_free(e), 0);
}

static void
a_wait_has_a_limit_and_leaves_nothing_behind(void)
{
        green_event *e = green_event_new();
        struct waiter w;

        GREEN_COVERS("EVENT-06", "EVENT-07", "EVENT-08", "EVENT-09");
        CHECK_INT(green_event_wait(e, NULL, 0), -ETIMEDOUT);
        CHECK_INT(green_event_wait(e, NULL, 0.001), -ETIMEDOUT);
        CHECK_INT(green_event_wait(e, NULL, -1), -EINVAL);
        CHECK_INT(green_event_wait(NULL, NULL, 1), -EINVAL);
        begin(&w, e, GREEN_FOREVER);
        CHECK_INT(green_event_free(e), -EBUSY);
        green_kill(w.thread, 0);
        end(&w);
        CHECK_INT(w.rc, GREEN_EKILLED);
        CHECK_INT(green_event_send(e, NULL), 0);
        CHECK_INT(green_event_free(e), 0);
}

static void
each_waiter_keeps_what_was_sent_when_it_was_woken(void)
{
        green_event *e = green_event_new();
        struct waiter w;
        void *value = NULL;
        int a = 1, b = 2;

        GREEN_COVERS("EVENT-12", "EVENT-13");
        CHECK_INT(green_event_reset(e), -EINVAL);
        begin(&w, e, GREEN_FOREVER);
        CHECK_INT(green_event_send(e, &a), 0);
        CHECK_INT(green_event_reset(e), 0);
        CHECK(!green_event_ready(e));
        CHECK_INT(green_event_send(e, &b), 0);
        end(&w);
        CHECK_PTR(w.value, &a);
        CHECK_INT(green_event_wait(e, &value, 1), 0);
        CHECK_PTR(value, &b);
        CHECK_INT(green_event_free(e), 0);
}

GREEN_SUITE(sync_event) {
        GREEN_TEST(a_value_reaches_all_who_wait_in_their_order_and_all_who_come_later),
        GREEN_TEST(an_error_reaches_all_too),
        GREEN_TEST(a_wait_has_a_limit_and_leaves_nothing_behind),
        GREEN_TEST(each_waiter_keeps_what_was_sent_when_it_was_woken),
        GREEN_SUITE_END
};
