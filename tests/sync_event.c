/*
 * Events. What all waits have in common is in sync_wait.c.
 */
#include "sync_help.h"

#include <sched.h>

GREEN_SUITE_INIT(sync_init)

struct listener {
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
        struct listener *w = arg;

        w->rc = green_event_wait(w->e, &w->value, w->timeout);
        w->order = ++woken;
        return NULL;
}

static void
begin(struct listener *w, green_event *e, double timeout)
{
        *w = (struct listener){.e = e, .timeout = timeout, .rc = 1};
        w->thread = green_spawn(wait_main, w);
        green_sleep(0);
}

static void
end(struct listener *w)
{
        (void)!green_thread_wait(w->thread, NULL);
        green_thread_unref(w->thread);
}

static void
a_value_reaches_all_who_wait_in_their_order_and_all_who_come_later(void)
{
        green_event *e = green_event_new();
        struct listener w[3];
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
        struct listener w;

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
        struct listener w;

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
        struct listener w;
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

static void *
wait_and_fail(void *arg)
{
        struct listener *w = arg;

        w->rc = green_event_wait(w->e, NULL, GREEN_FOREVER);
        w->order = ++woken;
        return green_fail(w->rc);
}

static void
a_waiter_that_fails_holds_up_no_other(void)
{
        green_event *e = green_event_new();
        struct listener w[3];
        bool logged = green_debug_hub_exceptions(false);

        GREEN_COVERS("EVENT-04", "EVENT-10");
        woken = 0;
        for (int i = 0; i < 3; i++) {
                w[i] = (struct listener){.e = e};
                w[i].thread = green_spawn(wait_and_fail, &w[i]);
        }
        turns(1);
        CHECK_INT(green_event_send_exception(e, -EXDEV), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(join(w[i].thread), -EXDEV);
                CHECK_INT(w[i].order, i + 1);
        }
        green_debug_hub_exceptions(logged);
        CHECK_INT(green_event_free(e), 0);
}

static void
a_poll_tells_what_was_sent_and_never_yields(void)
{
        green_event *e = green_event_new();
        int one = 1;
        void *value = &value;

        GREEN_COVERS("EVENT-14", "EVENT-15");
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_event_poll(e, &value), -ETIMEDOUT);
        CHECK_INT(green_event_poll_result(e, &value), -ETIMEDOUT);
        CHECK_INT(green_event_poll_exception(e), 0);
        CHECK_PTR(value, &value);
        CHECK_INT(green_event_send(e, &one), 0);
        CHECK_INT(green_event_poll(e, &value), 0);
        CHECK_PTR(value, &one);
        value = NULL;
        CHECK_INT(green_event_poll_result(e, &value), 0);
        CHECK_PTR(value, &one);
        CHECK_INT(green_event_poll(e, NULL), 0);
        CHECK_INT(green_event_poll_result(e, NULL), 0);
        CHECK_INT(green_event_poll_exception(e), 0);
        CHECK_INT(green_event_reset(e), 0);
        CHECK_INT(green_event_poll(e, &value), -ETIMEDOUT);
        CHECK_INT(green_event_send_exception(e, -EXDEV), 0);
        value = &value;
        CHECK_INT(green_event_poll(e, &value), -EXDEV);
        CHECK_INT(green_event_poll_result(e, &value), -ETIMEDOUT);
        CHECK_INT(green_event_poll_exception(e), -EXDEV);
        CHECK_PTR(value, &value);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_event_free(e), 0);
}

static void
what_makes_no_sense_is_refused(void)
{
        green_event *e = green_event_new();

        GREEN_COVERS("EVENT-03", "EVENT-04", "EVENT-13");
        CHECK_INT(green_event_send(NULL, NULL), -EINVAL);
        CHECK_INT(green_event_send_exception(NULL, -EIO), -EINVAL);
        CHECK_INT(green_event_send_exception(e, 0), -EINVAL);
        CHECK(reported("the code 0 is not negative"));
        CHECK_INT(green_event_send_mt(NULL, NULL), -EINVAL);
        CHECK_INT(green_event_send_exception_mt(NULL, -EIO), -EINVAL);
        CHECK_INT(green_event_send_exception_mt(e, 0), -EINVAL);
        CHECK_INT(green_event_reset(NULL), -EINVAL);
        CHECK_INT(green_event_reset(e), -EINVAL);
        CHECK(reported("green_event_reset: the event has not been sent"));
        CHECK_INT(green_event_poll(NULL, NULL), -EINVAL);
        CHECK_INT(green_event_poll_result(NULL, NULL), -EINVAL);
        CHECK_INT(green_event_poll_exception(NULL), -EINVAL);
        CHECK(!green_event_ready(NULL) && !green_event_has_result(NULL) && !green_event_has_exception(NULL));
        CHECK(!green_event_ready(e));
        CHECK_INT(green_event_send(e, NULL), 0);
        log_text[0] = '\0';
        CHECK_INT(green_event_send(e, NULL), -EALREADY);
        CHECK_INT(green_event_send_exception(e, -EIO), -EALREADY);
        CHECK_STR(green_last_error()->message, "the event has been sent already");
        CHECK_STR(log_text, "");
        CHECK_INT(green_event_free(e), 0);
        CHECK_NEEDS_MEMORY(green_event *, green_event_new(), green_event_free);
}

/* ---- from hub context, and from other OS threads */

static void
send_here(void *e)
{
        CHECK_INT(green_event_send(e, e), 0);
}

static void
send_elsewhere(void *e)
{
        CHECK_INT(green_event_send(e, NULL), -EPERM);
        CHECK_INT(green_event_send_exception(e, -EIO), -EPERM);
        CHECK_INT(green_event_reset(e), -EPERM);
        CHECK_INT(green_event_send_mt(e, e), 0);
        CHECK_INT(green_event_send_mt(e, NULL), -EALREADY);
        CHECK_INT(green_event_send_exception_mt(e, -EIO), -EALREADY);
}

static void
fail_elsewhere(void *e)
{
        CHECK_INT(green_event_send_exception_mt(e, -EXDEV), 0);
        CHECK_INT(green_event_send_mt(e, NULL), -EALREADY);
}

static void
a_hub_callback_may_send_and_another_os_thread_must_say_so(void)
{
        green_event *e = green_event_new();
        void *value = NULL;
        struct listener w[2];

        GREEN_COVERS("EVENT-16", "HUB-13");
        begin(&w[0], e, GREEN_FOREVER);
        in_callback(send_here, e);
        end(&w[0]);
        CHECK_PTR(w[0].value, e);
        CHECK_INT(green_event_reset(e), 0);
        woken = 0;
        begin(&w[0], e, GREEN_FOREVER);
        begin(&w[1], e, GREEN_FOREVER);
        in_thread(send_elsewhere, e);
        /* On its way: nobody has it yet, and nothing else can be sent. */
        CHECK(!green_event_ready(e));
        CHECK_INT(green_event_poll(e, NULL), -ETIMEDOUT);
        CHECK_INT(green_event_reset(e), -EINVAL);
        CHECK_INT(green_event_send(e, NULL), -EALREADY);
        CHECK_INT(green_event_wait(e, &value, SOON), 0);
        CHECK_PTR(value, e);
        for (int i = 0; i < 2; i++) {
                end(&w[i]);
                CHECK_INT(w[i].rc, 0);
                CHECK_PTR(w[i].value, e);
                CHECK_INT(w[i].order, i + 1);
        }
        CHECK_INT(green_event_send_mt(e, NULL), -EALREADY);
        CHECK_INT(green_event_reset(e), 0);
        in_thread(fail_elsewhere, e);
        CHECK_INT(green_event_wait(e, NULL, SOON), -EXDEV);
        CHECK(green_event_has_exception(e));
        CHECK_INT(green_event_free(e), 0);
}

enum { SENDERS = 4, ROUNDS = 300 };

struct race {
        _Atomic(green_event *) e;
        atomic_int round, sent, refused;
};

static void *
race_main(void *arg)
{
        struct race *r = arg;

        for (int round = 1; round <= ROUNDS; round++) {
                int rc;

                while (atomic_load(&r->round) < round)
                        sched_yield();
                rc = green_event_send_mt(atomic_load(&r->e), PTR(round));
                if (rc == 0)
                        atomic_fetch_add(&r->sent, 1);
                else if (rc == -EALREADY)
                        atomic_fetch_add(&r->refused, 1);
        }
        return NULL;
}

static void
of_many_who_send_at_once_one_does(void)
{
        struct race r = {.round = 0};
        pthread_t threads[SENDERS];
        int own = 0;

        GREEN_COVERS("EVENT-03", "EVENT-16");
        for (int i = 0; i < SENDERS; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, race_main, &r), 0);
        for (int round = 1; round <= ROUNDS; round++) {
                green_event *e = green_event_new();
                void *value = NULL;

                atomic_store(&r.e, e);
                atomic_store(&r.round, round);
                if (round % 2 == 0)
                        own += green_event_send(e, PTR(round)) == 0;
                CHECK_INT(green_event_wait(e, &value, SOON), 0);
                CHECK_INT(INT(value), round);
                /* Who was refused still looks at the event. */
                while (atomic_load(&r.sent) + atomic_load(&r.refused) < SENDERS * round)
                        sched_yield();
                CHECK_INT(green_event_free(e), 0);
        }
        for (int i = 0; i < SENDERS; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_INT(r.sent + own, ROUNDS);
}

static void
an_event_may_be_freed_while_something_is_on_its_way(void)
{
        long blocks = atomic_load(&memory_blocks);
        green_event *e = green_event_new();

        GREEN_COVERS("EVENT-16");
        in_thread(fail_elsewhere, e);
        CHECK_INT(green_event_free(e), 0);
        turns(1);
        CHECK_INT(green_sleep(0.001), 0);
        e = green_event_new();
        CHECK_INT(green_event_send_mt(e, NULL), 0);
        CHECK_INT(green_event_send(e, NULL), -EALREADY);
        memory_left = 0;
        CHECK_INT(green_event_free(e), 0);
        memory_left = -1;
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(atomic_load(&memory_blocks), blocks);
}

static void
free_elsewhere(void *e)
{
        CHECK_INT(green_event_free(e), 0);
}

static void
another_os_thread_may_free_it_too(void)
{
        green_event *e = green_event_new(), *posted = green_event_new();

        GREEN_COVERS("EVENT-16");
        CHECK_INT(green_event_send_mt(posted, NULL), 0);
        in_thread(free_elsewhere, e);
        in_thread(free_elsewhere, posted);
        CHECK_INT(green_sleep(0.001), 0);
}

static void
make_and_leave(void *arg)
{
        green_event **e = arg;

        for (int i = 0; i < 3; i++)
                e[i] = green_event_new();
        CHECK_INT(green_event_send_mt(e[1], NULL), 0);
        CHECK_INT(green_event_send(e[2], NULL), 0);
        CHECK_INT(green_hub_destroy(SOON), 0);
}

static void
an_event_outlives_its_hub_and_nothing_arrives_any_more(void)
{
        long blocks = atomic_load(&memory_blocks);
        green_event *e[3] = {NULL};

        GREEN_COVERS("EVENT-16", "HUB-13");
        in_thread(make_and_leave, e);
        CHECK_INT(green_event_send_mt(e[0], NULL), GREEN_ECLOSED);
        CHECK_INT(green_event_send_exception_mt(e[0], -EIO), GREEN_ECLOSED);
        CHECK_INT(green_event_send_mt(e[1], NULL), -EALREADY);
        CHECK_INT(green_event_send_mt(e[2], NULL), -EALREADY);
        CHECK(!green_event_ready(e[0]) && !green_event_ready(e[1]) && green_event_ready(e[2]));
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_event_free(e[i]), 0);
        CHECK_INT(atomic_load(&memory_blocks), blocks);
}

static void
one_that_has_no_memory_to_send_leaves_the_event_to_others(void)
{
        green_event *e = green_event_new();
        void *value = NULL;

        GREEN_COVERS("EVENT-16");
        memory_left = 0;
        CHECK_INT(green_event_send_mt(e, NULL), -ENOMEM);
        memory_left = -1;
        CHECK(!green_event_ready(e));
        CHECK_INT(green_event_send_mt(e, e), 0);
        CHECK_INT(green_event_wait(e, &value, SOON), 0);
        CHECK_PTR(value, e);
        CHECK_INT(green_event_free(e), 0);
}

GREEN_SUITE(sync_event) {
        GREEN_TEST(a_value_reaches_all_who_wait_in_their_order_and_all_who_come_later),
        GREEN_TEST(an_error_reaches_all_too),
        GREEN_TEST(a_wait_has_a_limit_and_leaves_nothing_behind),
        GREEN_TEST(each_waiter_keeps_what_was_sent_when_it_was_woken),
        GREEN_TEST(a_waiter_that_fails_holds_up_no_other),
        GREEN_TEST(a_poll_tells_what_was_sent_and_never_yields),
        GREEN_TEST(what_makes_no_sense_is_refused),
        GREEN_TEST(a_hub_callback_may_send_and_another_os_thread_must_say_so),
        GREEN_TEST(of_many_who_send_at_once_one_does),
        GREEN_TEST(an_event_may_be_freed_while_something_is_on_its_way),
        GREEN_TEST(another_os_thread_may_free_it_too),
        GREEN_TEST(an_event_outlives_its_hub_and_nothing_arrives_any_more),
        GREEN_TEST(one_that_has_no_memory_to_send_leaves_the_event_to_others),
        GREEN_SUITE_END
};
