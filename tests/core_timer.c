/* Timers: callbacks in hub context, order, cancel, owners. */
#include "core_suite.h"

#include <math.h>

static int fired[3000];
static int fired_count;

static void
fire(void *arg)
{
        CHECK_PTR(green_getcurrent(), NULL);
        if (fired_count < (int)(sizeof fired / sizeof fired[0]))
                fired[fired_count] = (int)(intptr_t)arg;
        fired_count++;
}

/* Waits until so many have fired; 0 begins anew. */
static void
until_fired(int n)
{
        double end = core_now() + CORE_SOON;

        while (fired_count < n && core_now() < end)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(fired_count, n);
        fired_count = 0;
}

/* Lets everything that is due by then fire, and the callbacks run. */
static void
pass_time(double seconds)
{
        CHECK_INT(green_sleep(seconds), 0);
        CHECK_INT(green_sleep(0.001), 0);
}

static void
note_time(void *arg)
{
        double *at = arg;

        *at = core_now();
}

static void
a_global_call_is_made_once_in_hub_context_and_not_early(void)
{
        double begin = core_now();
        double at = 0;

        GREEN_COVERS("TIMER-01");
        CHECK_INT(green_schedule_call_global(0.02, note_time, &at), 0);
        CHECK_INT(green_schedule_call_global(0.01, fire, NULL), 0);
        CHECK_INT(core_info().timers, 2);
        while (at == 0)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_RANGE(at - begin, 0.02, 0.02 + CORE_SOON);
        CHECK_INT(green_sleep(0.02), 0);
        CHECK_INT(fired_count, 1);
        fired_count = 0;
        CHECK_INT(green_schedule_call_global(0, NULL, NULL), -EINVAL);
        CHECK_INT(green_schedule_call_global(NAN, fire, NULL), -EINVAL);
}

static void *
schedule_both(void *arg)
{
        (void)arg;
        CHECK_INT(green_schedule_call_global(0.05 * suite_slow(), fire, (void *)1), 0);
        CHECK_INT(green_schedule_call_local(0.05 * suite_slow(), fire, (void *)2), 0);
        return NULL;
}

static void
a_global_call_survives_its_creator_and_a_local_one_does_not(void)
{
        GREEN_COVERS("TIMER-01", "TIMER-02");
        CHECK_INT(core_join(green_spawn(schedule_both, NULL)), 0);
        CHECK_INT(core_info().timers, 1);
        until_fired(1);
        CHECK_INT(fired[0], 1);
        pass_time(0.01);
        CHECK_INT(fired_count, 0);
}

static void *
schedule_local_and_wait(void *arg)
{
        (void)arg;
        CHECK_INT(green_schedule_call_local(0.001, fire, (void *)3), 0);
        CHECK_INT(green_sleep(0.005), 0);
        return NULL;
}

static void
local_from_hub(void *arg)
{
        bool *called = arg;

        CHECK_INT(green_schedule_call_local(0, fire, NULL), -EDEADLK);
        *called = true;
}

static void
a_local_call_is_made_while_its_owner_lives(void)
{
        bool called = false;

        GREEN_COVERS("TIMER-02");
        CHECK_INT(core_join(green_spawn(schedule_local_and_wait, NULL)), 0);
        CHECK_INT(fired_count, 1);
        fired_count = 0;
        CHECK_INT(green_schedule_call_global(0, local_from_hub, &called), 0);
        pass_time(0);
        CHECK(called);
}

static void
equal_delays_fire_in_order_and_smaller_ones_first(void)
{
        static const double delays[] = {0.010, 0.004, 0.010, 0.002, 0.006, 0.002, 0.004};
        static const int want[] = {3, 5, 1, 6, 4, 0, 2};

        GREEN_COVERS("TIMER-03");
        for (int i = 0; i < 7; i++)
                CHECK_INT(green_schedule_call_global(delays[i], fire, (void *)(intptr_t)i), 0);
        until_fired(7);
        for (int i = 0; i < 7; i++)
                CHECK_INT(fired[i], want[i]);
}

static int64_t fake_time;

static int64_t
fake_clock(void)
{
        return fake_time;
}

/* A thousand at once, of twenty delays: by delay, and then in the order they were made. */
static void
many_timers_fire_in_order(void)
{
        int bad = 0;

        GREEN_COVERS("TIMER-03");
        /* All made at the same time, and all due at once. */
        fake_time = 1000;
        CHECK_INT(green_hub_set_clock(fake_clock), 0);
        for (intptr_t i = 0; i < 1000; i++)
                CHECK_INT(green_schedule_call_global((double)(i * 7 % 20) * 0.0005, fire, (void *)i), 0);
        fake_time += 1000000000;
        while (fired_count < 1000)
                CHECK_INT(green_sleep(0), 0);
        fired_count = 0;
        CHECK_INT(green_hub_set_clock(NULL), 0);
        for (int i = 1; i < 1000; i++) {
                int before = fired[i - 1], after = fired[i];
                int late = before * 7 % 20 - after * 7 % 20;

                bad += late > 0 || (late == 0 && before > after);
        }
        CHECK_INT(bad, 0);
}

static void
cancel_is_idempotent_and_may_be_taken_back(void)
{
        green_timer *t = green_timer_new(0.001, fire, NULL);

        GREEN_COVERS("TIMER-04");
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK_INT(green_timer_cancel(t), 0);
        CHECK_INT(green_timer_cancel(t), 0);
        CHECK_INT(core_info().timers, 0);
        pass_time(0.005);
        CHECK_INT(fired_count, 0);
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK(green_timer_pending(t));
        until_fired(1);
        CHECK(!green_timer_pending(t));
        CHECK_INT(green_timer_free(t), 0);
        CHECK_INT(green_timer_cancel(NULL), 0);
        CHECK_INT(green_timer_free(NULL), 0);
}

static void
cancel_after_firing_does_nothing(void)
{
        green_timer *t = green_timer_new(0, fire, NULL);

        GREEN_COVERS("TIMER-04");
        CHECK_INT(green_timer_schedule(t), 0);
        until_fired(1);
        CHECK_INT(green_timer_cancel(t), 0);
        CHECK_INT(green_timer_free(t), 0);
}

static void
cancel_arg(void *arg)
{
        green_timer *t = arg;

        CHECK(green_timer_pending(t));
        CHECK_INT(green_timer_cancel(t), 0);
        CHECK(!green_timer_pending(t));
}

static void
free_arg(void *arg)
{
        CHECK_INT(green_timer_free(arg), 0);
}

static void
a_timer_cancelled_by_one_of_the_same_pass_is_not_called(void)
{
        green_timer *t = green_timer_new(0, fire, NULL);
        green_timer *own = green_timer_new(0, fire, NULL);

        GREEN_COVERS("TIMER-04");
        CHECK_INT(green_schedule_call_global(0, cancel_arg, t), 0);
        CHECK_INT(green_schedule_call_global(0, free_arg, own), 0);
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK_INT(green_timer_schedule(own), 0);
        pass_time(0.001);
        CHECK_INT(fired_count, 0);
        CHECK_INT(green_timer_free(t), 0);
}

static void
check_not_pending(void *arg)
{
        green_timer *const *t = arg;

        CHECK(!green_timer_pending(*t));
        fire(NULL);
}

static void *
schedule_local_timer(void *arg)
{
        CHECK_INT(green_timer_schedule_local(arg), 0);
        CHECK(green_timer_pending(arg));
        return NULL;
}

static void
pending_is_true_from_schedule_to_the_call_or_the_owners_end(void)
{
        green_timer *t = NULL;
        green_timer *local = green_timer_new(1000, fire, NULL);

        GREEN_COVERS("TIMER-05");
        t = green_timer_new(0, check_not_pending, &t);
        CHECK(!green_timer_pending(t));
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK(green_timer_pending(t));
        until_fired(1);
        CHECK(!green_timer_pending(t));
        CHECK_INT(core_join(green_spawn(schedule_local_timer, local)), 0);
        CHECK(!green_timer_pending(local));
        CHECK_INT(core_info().timers, 0);
        CHECK_INT(green_timer_free(local), 0);
        CHECK_INT(green_timer_free(t), 0);
}

static void
cancelled_timers_are_gone_at_once(void)
{
        green_timer *t[2000];
        int live = 0;

        GREEN_COVERS("TIMER-06");
        for (intptr_t i = 0; i < 2000; i++) {
                t[i] = green_timer_new(0.005, fire, (void *)i);
                CHECK_INT(green_timer_schedule(t[i]), 0);
                if (i % 3 == 0)
                        CHECK_INT(green_timer_cancel(t[i]), 0);
                else
                        live++;
                CHECK_INT(core_info().timers, live);
        }
        until_fired(live);
        for (int i = 0; i < live; i++)
                CHECK(fired[i] % 3 != 0);
        for (int i = 0; i < 2000; i++)
                CHECK_INT(green_timer_free(t[i]), 0);
}

static void
a_negative_delay_is_none_and_keeps_the_order(void)
{
        GREEN_COVERS("TIMER-07");
        fake_time = 1000;
        CHECK_INT(green_hub_set_clock(fake_clock), 0);
        CHECK_INT(green_schedule_call_global(0, fire, (void *)1), 0);
        CHECK_INT(green_schedule_call_global(-5, fire, (void *)2), 0);
        CHECK_INT(green_schedule_call_global(0, fire, (void *)3), 0);
        while (fired_count < 3)
                CHECK_INT(green_sleep(0), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(fired[i], i + 1);
        fired_count = 0;
        CHECK_INT(green_hub_set_clock(NULL), 0);
}

static void
a_timer_is_inert_until_scheduled_and_a_copy_is_unscheduled(void)
{
        green_timer *t = green_timer_new(0.002, fire, (void *)7);
        green_timer *copy;

        GREEN_COVERS("TIMER-08");
        CHECK_INT(core_info().timers, 0);
        pass_time(0.005);
        CHECK_INT(fired_count, 0);
        CHECK_INT(green_timer_schedule(t), 0);
        copy = green_timer_copy(t);
        CHECK(!green_timer_pending(copy));
        CHECK_INT(core_info().timers, 1);
        until_fired(1);
        CHECK_INT(green_timer_schedule(copy), 0);
        until_fired(1);
        CHECK_INT(fired[0], 7);
        CHECK_INT(green_timer_free(t), 0);
        CHECK_INT(green_timer_free(copy), 0);
        CHECK_PTR(green_timer_new(NAN, fire, NULL), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_timer_new(1, NULL, NULL), NULL);
}

static void
scheduling_again_begins_the_delay_anew(void)
{
        green_timer *t = green_timer_new(0.1, fire, NULL);

        GREEN_COVERS("TIMER-08");
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK_INT(core_info().timers, 1);
        until_fired(1);
        CHECK_INT(green_sleep(0.03), 0);
        CHECK_INT(fired_count, 0);
        CHECK_INT(green_timer_free(t), 0);
}

static void
reschedule_self(void *arg)
{
        green_timer *const *t = arg;

        fire(NULL);
        if (fired_count < 3)
                CHECK_INT(green_timer_schedule(*t), 0);
}

static void
a_timer_may_schedule_itself_from_its_call(void)
{
        green_timer *t = NULL;

        GREEN_COVERS("TIMER-08");
        t = green_timer_new(0, reschedule_self, &t);
        CHECK_INT(green_timer_schedule(t), 0);
        until_fired(3);
        CHECK(!green_timer_pending(t));
        CHECK_INT(green_timer_free(t), 0);
}

static void *
never_runs(void *arg)
{
        (void)arg;
        FAIL("it was cancelled");
        return NULL;
}

static void
cancelling_a_delayed_spawn_takes_its_timer_out(void)
{
        green_thread *gt = green_spawn_after(1000, never_runs, NULL);
        green_thread *local = green_spawn_after_local(1000, never_runs, NULL);

        GREEN_COVERS("TIMER-09");
        CHECK_INT(core_info().timers, 2);
        CHECK_INT(green_thread_cancel(gt, 0), 1);
        CHECK_INT(core_info().timers, 1);
        CHECK_INT(green_kill(local, 0), 0);
        CHECK_INT(core_info().timers, 0);
        CHECK_INT(core_join(gt), GREEN_EKILLED);
        CHECK_INT(core_join(local), GREEN_EKILLED);
}

static void
the_count_of_timers_has_every_kind_of_deadline(void)
{
        struct green_timeout timeout = {{0}};
        struct green_watch watch;
        struct core_waiter sleeper;
        green_thread *delayed;
        green_timer *t = green_timer_new(GREEN_FOREVER, fire, NULL);
        int fds[2];

        GREEN_COVERS("TIMER-10");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK_INT(core_info().timers, 1);
        CHECK_INT(green_timeout_start(&timeout, 100), 0);
        CHECK_INT(core_info().timers, 2);
        delayed = green_spawn_after(100, never_runs, NULL);
        CHECK_INT(core_info().timers, 3);
        green_watch_init(&watch, NULL, NULL);
        CHECK_INT(green_watch_start(&watch, GREEN_INVALID_FD, 0, 100), -EINVAL);
        CHECK_INT(core_info().timers, 3);
        core_wait_fd(&sleeper, fds[0], GREEN_READ);
        sleeper.timeout = 100;
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(core_info().timers, 4);
        core_kill(sleeper.gt);
        CHECK_INT(green_thread_cancel(delayed, 0), 1);
        green_thread_unref(delayed);
        CHECK_INT(green_timeout_cancel(&timeout), 0);
        CHECK_INT(green_timer_free(t), 0);
        CHECK_INT(core_info().timers, 0);
        core_close_pair(fds);
}

static void *
use_foreign_timer(void *arg)
{
        struct core_log log;

        core_log_begin(&log, "timer is used from an OS thread");
        CHECK_INT(green_timer_cancel(arg), -EPERM);
        CHECK_INT(green_timer_free(arg), -EPERM);
        CHECK_INT(green_timer_schedule(arg), -EPERM);
        CHECK_INT(log.count, 3);
        core_log_end();
        return NULL;
}

static void *
free_foreign_timer(void *arg)
{
        CHECK_INT(green_timer_free(arg), 0);
        return NULL;
}

static void
a_timer_pending_in_another_os_thread_is_refused(void)
{
        green_timer *t = green_timer_new(0.05, fire, NULL);
        pthread_t thread;

        GREEN_COVERS("TIMER-11");
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK_INT(pthread_create(&thread, NULL, use_foreign_timer, t), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(green_timer_pending(t));
        until_fired(1);
        /* One that is not pending belongs to nobody. */
        CHECK_INT(pthread_create(&thread, NULL, free_foreign_timer, t), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
}

static void
limits_below_a_millisecond_are_kept_without_spinning(void)
{
        static const double delays[] = {0.00005, 0.0003, 0.0007, 0.0012, 0.0033};

        GREEN_COVERS("FD-19");
        for (int i = 0; i < 50; i++) {
                double delay = delays[i % 5];
                uint64_t polls = core_info().polls;
                double begin = core_now();

                CHECK_INT(green_sleep(delay), 0);
                CHECK(core_now() - begin >= delay);
                /* None where the limit was over before the hub was asked. */
                CHECK_RANGE(core_info().polls - polls, 0, 4);
        }
}

/* ---- many at once */

enum { CROWD = 2000 };
static double crowd_begin, crowd_limit[CROWD];
static int crowd_early, crowd_woken;

static void *
sleep_in_a_crowd(void *arg)
{
        int i = (int)(intptr_t)arg;

        if (green_sleep(crowd_limit[i]) != 0 || core_now() - crowd_begin < crowd_limit[i])
                crowd_early++;
        crowd_woken++;
        return NULL;
}

static void
crowded_deadlines_are_waited_for_together_and_none_is_early(void)
{
        uint64_t polls = core_info().polls;

        crowd_early = crowd_woken = 0;
        crowd_begin = core_now();
        for (int i = 0; i < CROWD; i++) {
                crowd_limit[i] = 0.03 + 0.00001 * (i * 7919 % CROWD);
                CHECK_INT(green_spawn_n(sleep_in_a_crowd, (void *)(intptr_t)i), 0);
        }
        CHECK_INT(green_sleep(0.06), 0);
        while (crowd_woken < CROWD)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(crowd_early, 0);
        /* They end over 20 ms, four in a quarter of a millisecond or more: a wait for each would be 2,000. */
        CHECK_RANGE(core_info().polls - polls, 0, 400);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_timer) {
        GREEN_TEST(a_global_call_is_made_once_in_hub_context_and_not_early),
        GREEN_TEST(a_global_call_survives_its_creator_and_a_local_one_does_not),
        GREEN_TEST(a_local_call_is_made_while_its_owner_lives),
        GREEN_TEST(equal_delays_fire_in_order_and_smaller_ones_first),
        GREEN_TEST(many_timers_fire_in_order),
        GREEN_TEST(cancel_is_idempotent_and_may_be_taken_back),
        GREEN_TEST(cancel_after_firing_does_nothing),
        GREEN_TEST(a_timer_cancelled_by_one_of_the_same_pass_is_not_called),
        GREEN_TEST(pending_is_true_from_schedule_to_the_call_or_the_owners_end),
        GREEN_TEST(cancelled_timers_are_gone_at_once),
        GREEN_TEST(a_negative_delay_is_none_and_keeps_the_order),
        GREEN_TEST(a_timer_is_inert_until_scheduled_and_a_copy_is_unscheduled),
        GREEN_TEST(scheduling_again_begins_the_delay_anew),
        GREEN_TEST(a_timer_may_schedule_itself_from_its_call),
        GREEN_TEST(cancelling_a_delayed_spawn_takes_its_timer_out),
        GREEN_TEST(the_count_of_timers_has_every_kind_of_deadline),
        GREEN_TEST(a_timer_pending_in_another_os_thread_is_refused),
        GREEN_TEST(crowded_deadlines_are_waited_for_together_and_none_is_early),
        GREEN_TEST(limits_below_a_millisecond_are_kept_without_spinning),
        GREEN_SUITE_END
};
