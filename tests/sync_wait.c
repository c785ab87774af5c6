/*
 * What all waits of sync/ have in common: how they end, what they refuse, and that nothing is lost or handed to one
 * that has given up.
 */
#include "sync_cases.h"

GREEN_SUITE_INIT(sync_init)

static const struct wait_case *running;

static void
begin(const struct wait_case *c, struct object *o)
{
        running = c;
        *o = (struct object){.it = NULL};
        waiters_returned = 0;
        c->make(o);
        CHECK(o->it != NULL);
}

/* The end of a case, with its name where something failed. */
static void
end(const struct wait_case *c, struct object *o, unsigned failures)
{
        CHECK_INT(c->drop(o), 0);
        if (suite_failures() != failures)
                FAIL("case: %s", c->name);
}

#define CASES(body)                                                                                                    \
        EACH_CASE(c)                                                                                                   \
        {                                                                                                              \
                unsigned failures_ = suite_failures();                                                                 \
                struct object o;                                                                                       \
                                                                                                                       \
                begin(c, &o);                                                                                          \
                body(c, &o);                                                                                           \
                end(c, &o, failures_);                                                                                 \
        }

/* ---- how waits end */

static void
first_come(const struct wait_case *c, struct object *o)
{
        struct waiter w[3] = {{0}};
        /* A barrier for two never has more than one that waits. */
        int n = c->call == come ? 1 : 3;

        for (int i = 0; i < n; i++) {
                waiter_start(&w[i], c->call, o, GREEN_FOREVER);
                CHECK(waits(&w[i]));
        }
        CHECK_INT(c->drop(o), -EBUSY);
        CHECK(reported("cannot be freed"));
        for (int i = 0; i < n && !c->all; i++) {
                let(c, o);
                CHECK_INT(waiters_returned, i);
                turns(1);
                CHECK_INT(waiters_returned, i + 1);
        }
        if (c->all)
                let(c, o);
        for (int i = 0; i < n; i++) {
                CHECK_INT(waiter_end(&w[i]), 0);
                CHECK_INT(w[i].order, i + 1);
        }
}

static void
those_who_wait_are_let_go_in_the_order_they_came(void)
{
        GREEN_COVERS("EVENT-02", "EVENT-05", "EVENT-11", "SEM-03", "SEM-04", "SEM-08", "SEM-14", "META-01");
        CASES(first_come)
}

static void
gives_up(const struct wait_case *c, struct object *o)
{
        struct waiter w[3] = {{0}};
        struct green_timeout t = {{0}};

        waiter_start(&w[0], c->call, o, GREEN_FOREVER);
        CHECK_INT(green_kill(w[0].thread, -EOWNERDEAD), 0);
        CHECK_INT(w[0].rc, -EOWNERDEAD);
        CHECK_INT(waiter_end(&w[0]), -EOWNERDEAD);
        CHECK_INT(c->call(o, 0.001), -ETIMEDOUT);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(c->call(o, GREEN_FOREVER), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        /* Nothing was left behind: the next one has it. */
        waiter_start(&w[1], c->call, o, GREEN_FOREVER);
        CHECK(waits(&w[1]));
        let(c, o);
        CHECK_INT(waiter_end(&w[1]), 0);
}

static void
one_that_is_killed_or_out_of_time_leaves_nothing_behind(void)
{
        GREEN_COVERS("EVENT-06", "EVENT-08", "EVENT-09", "SEM-07", "SEM-09");
        CASES(gives_up)
}

static void
gives_up_before_others(const struct wait_case *c, struct object *o)
{
        struct waiter w[3] = {{0}};
        int n = c->call == come ? 1 : 3;

        for (int i = 0; i < n; i++)
                waiter_start(&w[i], c->call, o, GREEN_FOREVER);
        CHECK_INT(green_kill(w[0].thread, 0), 0);
        CHECK_INT(waiter_end(&w[0]), GREEN_EKILLED);
        for (int i = 1; i < n; i++) {
                if (i == 1 || !c->all) {
                        CHECK(waits(&w[i]));
                        let(c, o);
                        turns(1);
                }
                CHECK_INT(w[i].rc, 0);
        }
        for (int i = 1; i < n; i++)
                CHECK_INT(waiter_end(&w[i]), 0);
}

static void
what_one_that_is_killed_does_not_get_goes_to_the_next(void)
{
        GREEN_COVERS("EVENT-09", "EVENT-10", "SEM-09");
        CASES(gives_up_before_others)
}

/* Between wake-up and run. */
static void
woken_then_killed(const struct wait_case *c, struct object *o)
{
        struct waiter w = {.again = true};

        waiter_start(&w, c->call, o, GREEN_FOREVER);
        let(c, o);
        CHECK(waits(&w));
        CHECK_INT(green_kill(w.thread, 0), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(w.rc_again, GREEN_EKILLED);
}

static void
a_kill_between_wake_up_and_run_is_seen_by_the_next_call(void)
{
        GREEN_COVERS("SEM-09", "EVENT-09");
        CASES(woken_then_killed)
}

static int
call_in_scope(void *arg, double timeout)
{
        struct green_timeout t = {{0}};
        int rc;

        CHECK_INT(green_timeout_start(&t, timeout), 0);
        rc = running->call(arg, GREEN_FOREVER);
        /* It may have fired, but has failed nothing. */
        CHECK_INT(green_timeout_cancel(&t), 0);
        return rc;
}

static void
woken_then_late(const struct wait_case *c, struct object *o)
{
        struct waiter w = {0};

        /* A poll, at which the time is over, comes before it runs, or after: in so many rounds, both. */
        for (int i = 0; i < 100; i++) {
                waiter_start(&w, i % 2 == 0 ? c->call : call_in_scope, o, 1);
                let(c, o);
                clock_jump(2);
                CHECK(waits(&w));
                CHECK_INT(waiter_end(&w), 0);
                c->undo(o);
        }
        let(c, o);
}

static void
a_limit_between_wake_up_and_run_comes_too_late(void)
{
        GREEN_COVERS("SEM-07", "SEM-09", "EVENT-06");
        clock_shift_begin();
        CASES(woken_then_late)
        clock_shift_end();
}

static void
shielded(const struct wait_case *c, struct object *o)
{
        struct waiter w = {.shielded = true, .again = true};

        waiter_start(&w, c->call, o, GREEN_FOREVER);
        CHECK_INT(green_kill(w.thread, 0), 0);
        turns(2);
        CHECK(waits(&w));
        let(c, o);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(w.rc_again, GREEN_EKILLED);
}

static void
a_shielded_wait_goes_on_when_its_green_thread_is_killed(void)
{
        CASES(shielded)
}

/* ---- what is checked on entry */

static int
killed_before(void *arg, double timeout)
{
        struct object *o = arg;

        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(running->call(o, timeout), GREEN_EKILLED);
        CHECK_INT(running->call(o, timeout), GREEN_EKILLED);
        return running->call(o, 0);
}

static void
entry(const struct wait_case *c, struct object *o)
{
        struct waiter w = {0};

        /* A limit of 0 only tries, whatever has fired. */
        waiter_start(&w, killed_before, o, GREEN_FOREVER);
        CHECK_INT(waiter_end(&w), -ETIMEDOUT);
        if (!c->remembers)
                return;
        let(c, o);
        waiter_start(&w, killed_before, o, GREEN_FOREVER);
        CHECK_INT(waiter_end(&w), 0);
}

static void
a_kill_is_seen_before_anything_is_done_and_not_with_a_limit_of_0(void)
{
        GREEN_COVERS("EVENT-07", "SEM-06", "SEM-07");
        CASES(entry)
}

static void *
count_turns(void *arg)
{
        int *count = arg;

        while (green_sleep(0) == 0)
                ++*count;
        return NULL;
}

static void
never_yields(const struct wait_case *c, struct object *o)
{
        int count = 0, before;
        green_thread *counter = green_spawn(count_turns, &count);

        turns(2);
        before = count;
        CHECK_INT(c->call(o, 0), -ETIMEDOUT);
        if (c->remembers) {
                let(c, o);
                CHECK_INT(c->call(o, GREEN_FOREVER), 0);
                c->undo(o);
        }
        CHECK_INT(c->call(o, 0), -ETIMEDOUT);
        CHECK_INT(count, before);
        CHECK_INT(green_kill(counter, 0), 0);
        CHECK_INT(join(counter), GREEN_EKILLED);
}

static void
a_call_that_need_not_wait_and_one_that_only_tries_do_not_yield(void)
{
        GREEN_COVERS("EVENT-05", "EVENT-07", "SEM-02", "SEM-06", "META-01");
        CASES(never_yields)
}

static void
bad_time(const struct wait_case *c, struct object *o)
{
        static const double bad[] = {-1, -1e-9, NAN};

        for (int i = 0; i < 3; i++) {
                green_set_error(-EIO, "something else");
                CHECK_INT(c->call(o, bad[i]), -EINVAL);
                CHECK_INT(green_last_error()->code, -EINVAL);
                CHECK(strstr(green_last_error()->message, "negative, or not a number") != NULL);
                CHECK(reported("misuse by green thread"));
        }
}

static void
a_limit_that_is_negative_or_no_number_is_refused(void)
{
        GREEN_COVERS("SEM-07");
        CASES(bad_time)
}

static void
try_in_callback(void *arg)
{
        struct object *o = arg;

        CHECK_INT(running->call(o, 0), -ETIMEDOUT);
        log_text[0] = '\0';
        green_set_error(-EIO, "something else");
        CHECK_INT(running->call(o, 1), -EDEADLK);
        CHECK_INT(green_last_error()->code, -EDEADLK);
        CHECK(reported("misuse by a hub callback"));
        CHECK_INT(running->call(o, GREEN_FOREVER), -EDEADLK);
        if (running->remembers) {
                let(running, o);
                CHECK_INT(running->call(o, GREEN_FOREVER), 0);
                running->undo(o);
        }
}

static void
let_in_callback(void *arg)
{
        let(running, arg);
}

static void
callback(const struct wait_case *c, struct object *o)
{
        struct waiter w = {0};

        in_callback(try_in_callback, o);
        waiter_start(&w, c->call, o, GREEN_FOREVER);
        CHECK(waits(&w));
        in_callback(let_in_callback, o);
        CHECK_INT(waiter_end(&w), 0);
}

static void
a_hub_callback_may_do_all_that_does_not_wait(void)
{
        GREEN_COVERS("EVENT-16");
        CASES(callback)
}

static void
use_in_thread(void *arg)
{
        struct object *o = arg;

        CHECK_INT(running->call(o, GREEN_FOREVER), -EPERM);
        CHECK_INT(green_last_error()->code, -EPERM);
        CHECK(strstr(green_last_error()->message, "belongs to hub") != NULL);
        CHECK_INT(running->call(o, 0), -EPERM);
}

static void
other_thread(const struct wait_case *c, struct object *o)
{
        (void)c;
        in_thread(use_in_thread, o);
        CHECK(reported("belongs to hub"));
        /* It was left as it was. */
        CHECK_INT(c->call(o, 0), -ETIMEDOUT);
}

static void
a_call_from_another_os_thread_is_refused(void)
{
        GREEN_COVERS("LOCK-04");
        CASES(other_thread)
}

/* ---- the end of an object */

static void
freed_when_woken(const struct wait_case *c, struct object *o)
{
        struct waiter w = {0};

        if (c->keeps)
                return;
        waiter_start(&w, c->call, o, GREEN_FOREVER);
        let(c, o);
        CHECK(waits(&w));
        if (c->call != wait_told) {
                CHECK_INT(c->drop(o), 0);
        } else {
                /* The lock is needed to the end. */
                CHECK_INT(green_cond_free(o->it), 0);
                o->it = green_cond_new();
        }
        CHECK_INT(waiter_end(&w), 0);
        if (c->call != wait_told)
                c->make(o);
}

static void
an_object_may_be_freed_when_those_who_waited_are_woken_and_have_not_run(void)
{
        CASES(freed_when_woken)
}

struct freer {
        const struct wait_case *c;
        struct object *o;
};

static void *
sleep_and_free(void *arg)
{
        struct freer *f = arg;

        CHECK_INT(green_sleep(1), 0);
        if (f->c->call != wait_told) {
                CHECK_INT(f->c->drop(f->o), 0);
                f->o->it = NULL;
        } else {
                CHECK_INT(green_cond_free(f->o->it), 0);
                f->o->it = NULL;
        }
        return NULL;
}

/* Both times are over at one poll; the one that frees runs first. */
static void
freed_when_late(const struct wait_case *c, struct object *o)
{
        struct freer f = {c, o};
        struct waiter w = {0};
        green_thread *gt;

        if (c->call == wait_for_tasks)
                return; /* what they wait for is in the way */
        gt = green_spawn(sleep_and_free, &f);
        turns(1);
        waiter_start(&w, c->call, o, 1);
        CHECK(waits(&w));
        clock_jump(2);
        CHECK_INT(join(gt), 0);
        CHECK_INT(waiter_end(&w), -ETIMEDOUT);
        if (c->call == wait_told)
                CHECK_INT(green_lock_free(o->lock), 0);
        c->make(o);
}

static void
an_object_may_be_freed_when_the_time_of_those_who_waited_is_over_and_they_have_not_run(void)
{
        clock_shift_begin();
        CASES(freed_when_late)
        clock_shift_end();
}

GREEN_SUITE(sync_wait) {
        GREEN_TEST(those_who_wait_are_let_go_in_the_order_they_came),
        GREEN_TEST(one_that_is_killed_or_out_of_time_leaves_nothing_behind),
        GREEN_TEST(what_one_that_is_killed_does_not_get_goes_to_the_next),
        GREEN_TEST(a_kill_between_wake_up_and_run_is_seen_by_the_next_call),
        GREEN_TEST(a_limit_between_wake_up_and_run_comes_too_late),
        GREEN_TEST(a_shielded_wait_goes_on_when_its_green_thread_is_killed),
        GREEN_TEST(a_kill_is_seen_before_anything_is_done_and_not_with_a_limit_of_0),
        GREEN_TEST(a_call_that_need_not_wait_and_one_that_only_tries_do_not_yield),
        GREEN_TEST(a_limit_that_is_negative_or_no_number_is_refused),
        GREEN_TEST(a_hub_callback_may_do_all_that_does_not_wait),
        GREEN_TEST(a_call_from_another_os_thread_is_refused),
        GREEN_TEST(an_object_may_be_freed_when_those_who_waited_are_woken_and_have_not_run),
        GREEN_TEST(an_object_may_be_freed_when_the_time_of_those_who_waited_is_over_and_they_have_not_run),
        GREEN_SUITE_END
};
