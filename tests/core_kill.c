/* Killing and cancelling green threads, shields, recovery, and the links that are called at the end. */
#include "core_help.h"

GREEN_SUITE_INIT(help_init)

static void *
note(void *arg)
{
        trace((char)INT(arg));
        return arg;
}

static void *
sleeper(void *arg)
{
        (void)arg;
        return green_fail(green_sleep(GREEN_FOREVER));
}

/* A green thread that sleeps already. */
static green_thread *
sleeping(green_thread_fn fn, void *arg)
{
        green_thread *gt = green_spawn(fn, arg);

        turns(1);
        return gt;
}

/* ---- kill ---- */

static void *
victim(void *arg)
{
        CHECK_INT(green_sleep(GREEN_FOREVER), INT(arg));
        trace('v');
        CHECK_INT(green_sleep(0), INT(arg));
        trace('w');
        return NULL;
}

static void
kill_runs_the_victims_clean_up_then_the_ready_ones_then_the_killer(void)
{
        GREEN_COVERS("GT-10", "SCHED-02");
        green_thread *gt = sleeping(victim, PTR(GREEN_EKILLED));

        CHECK_INT(green_spawn_n(note, PTR('a')), 0);
        CHECK_INT(green_spawn_n(note, PTR('b')), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        trace('k');
        turns(1);
        CHECK_TRACE("vabkw");
        CHECK_INT(join(gt), GREEN_EKILLED);
}

struct asked {
        green_thread *gt;
        int rc;
};

static void *
ask(void *arg)
{
        struct asked *a = arg;

        a->rc = green_thread_wait(a->gt, NULL);
        return NULL;
}

static void
all_who_wait_for_a_killed_one_get_its_code(void)
{
        GREEN_COVERS("GT-11", "GT-12");
        static const int codes[] = {0, -ECONNABORTED, -ETIMEDOUT};

        for (int i = 0; i < 3; i++) {
                int want = codes[i] == 0 ? GREEN_EKILLED : codes[i];
                green_thread *gt = sleeping(sleeper, NULL);
                struct asked a = {gt, 0};
                struct asked b = {gt, 0};

                CHECK_INT(green_spawn_n(ask, &a), 0);
                CHECK_INT(green_spawn_n(ask, &b), 0);
                turns(1);
                CHECK_INT(green_thread_kill(gt, codes[i]), 0);
                turns(1);
                CHECK_INT(a.rc, want);
                CHECK_INT(b.rc, want);
                CHECK_INT(green_thread_wait(gt, NULL), want);
                CHECK_INT(green_thread_error(gt)->code, want);
                green_thread_unref(gt);
        }
}

static void
a_sleeper_sees_whatever_code_it_is_killed_with(void)
{
        GREEN_COVERS("GT-12");
        green_thread *gt = sleeping(victim, PTR(-ETIMEDOUT));

        CHECK_INT(green_kill(gt, -ETIMEDOUT), 0);
        CHECK_INT(join(gt), -ETIMEDOUT);
        CHECK_TRACE("vw");
}

static void
trace_link(green_thread *gt, void *arg)
{
        CHECK(green_thread_dead(gt));
        CHECK_INT(green_thread_wait(gt, NULL) <= 0, 1);
        trace((char)INT(arg));
}

static green_thread *linked_from;

static void
who_runs_this_link(green_thread *gt, void *arg)
{
        trace((char)INT(arg));
        (void)gt;
        linked_from = green_getcurrent();
}

static void
one_killed_before_its_start_never_runs_and_its_links_run_in_the_killer(void)
{
        GREEN_COVERS("GT-13", "GT-15");
        green_thread *gt = green_spawn(note, PTR('x'));
        green_thread *late = green_spawn_after(100, note, PTR('y'));
        struct asked a = {gt, 0};

        CHECK_INT(green_spawn_n(ask, &a), 0);
        CHECK_INT(green_thread_link(gt, who_runs_this_link, PTR('l')), 0);
        linked_from = NULL;
        CHECK_INT(green_kill(gt, -EPIPE), 0);
        CHECK_PTR(linked_from, green_getcurrent());
        CHECK_INT(a.rc, 0); /* kill of one that has not started does not yield */
        CHECK_INT(green_kill(late, 0), 0);
        CHECK_INT(hub_info().timers, 0);
        turns(3);
        CHECK_INT(a.rc, -EPIPE);
        CHECK_TRACE("l");
        CHECK_INT(join(gt), -EPIPE);
        CHECK_INT(join(late), GREEN_EKILLED);
}

static void
killing_a_dead_one_does_nothing_and_does_not_yield(void)
{
        GREEN_COVERS("GT-14");
        green_thread *gt = sleeping(note, PTR('x'));

        CHECK_TRACE("x");
        CHECK_INT(green_spawn_n(note, PTR('y')), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_kill(gt, -EIO), 0);
        CHECK_TRACE("");
        turns(1);
        CHECK_INT(join(gt), 0);
}

static void *
survivor(void *arg)
{
        (void)arg;
        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_EKILLED);
        trace('1');
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_recover(), 0);
        CHECK_INT(green_sleep(0), 0);
        trace('2');
        CHECK_INT(green_sleep(0.001), 0);
        return PTR('s');
}

static void
a_victim_that_recovers_lives_on_and_ends_well(void)
{
        GREEN_COVERS("GT-16");
        green_thread *gt = sleeping(survivor, NULL);
        void *result = NULL;

        CHECK_INT(green_kill(gt, 0), 0);
        trace('k');
        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_PTR(result, PTR('s'));
        CHECK_TRACE("1k2");
        green_thread_unref(gt);
}

static void *
killed_twice(void *arg)
{
        (void)arg;
        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_EKILLED);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_sleep(GREEN_FOREVER), -EIO);
        return NULL;
}

static void
one_that_has_recovered_can_be_killed_again(void)
{
        GREEN_COVERS("GT-16");
        green_thread *gt = sleeping(killed_twice, NULL);

        CHECK_INT(green_kill(gt, 0), 0);
        CHECK(green_thread_alive(gt));
        CHECK_INT(green_kill(gt, -EIO), 0);
        CHECK_INT(join(gt), -EIO);
}

static void *
suicide(void *arg)
{
        CHECK_INT(green_kill(green_getcurrent(), INT(arg)), 0);
        trace('1');
        CHECK_INT(green_sleep(0), INT(arg));
        CHECK_INT(green_checkpoint(), INT(arg));
        trace('2');
        return PTR('r');
}

static void
killing_oneself_marks_and_returns(void)
{
        GREEN_COVERS("GT-17");
        green_thread *gt = green_spawn(suicide, PTR(-ESRCH));

        CHECK_INT(join(gt), -ESRCH);
        CHECK_TRACE("12");
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_sleep(1000), GREEN_EKILLED);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_sleep(0), 0);
}

static void
kill_from_hub(void *arg)
{
        CHECK_PTR(green_getcurrent(), NULL);
        CHECK_INT(green_kill(arg, -EINTR), 0);
        trace('h'); /* the victim has not run */
}

static void
a_kill_from_a_hub_callback_only_marks(void)
{
        GREEN_COVERS("GT-18");
        green_thread *gt = sleeping(victim, PTR(-EINTR));

        CHECK_INT(green_schedule_call_global(0, kill_from_hub, gt), 0);
        CHECK_INT(join(gt), -EINTR);
        CHECK_TRACE("hvw");
}

static green_thread *found;

static void *
show_myself(void *arg)
{
        found = green_thread_ref(green_getcurrent());
        return sleeper(arg);
}

static void
one_made_by_spawn_n_can_be_killed_and_cancelled_too(void)
{
        GREEN_COVERS("GT-19");
        CHECK_INT(green_spawn_n(show_myself, NULL), 0);
        turns(1);
        CHECK_INT(green_thread_cancel(found, 0), 0);
        CHECK(!green_thread_dead(found));
        CHECK_INT(green_kill(found, 0), 0);
        CHECK(green_thread_dead(found));
        green_thread_unref(found);
}

static void
cancel_ends_only_what_has_not_started(void)
{
        GREEN_COVERS("GT-09", "TIMER-09");
        green_thread *fresh = green_spawn(note, PTR('f'));
        green_thread *late = green_spawn_after(100, note, PTR('l'));
        green_thread *started;

        CHECK_INT(green_thread_cancel(fresh, 0), 1);
        CHECK_INT(green_thread_cancel(fresh, 0), 0);
        CHECK_INT(green_thread_cancel(late, -EIO), 1);
        CHECK_INT(hub_info().timers, 0);
        started = sleeping(survivor, NULL);
        CHECK_INT(green_thread_cancel(started, 0), 0);
        CHECK(green_thread_alive(started));
        CHECK_INT(join(fresh), GREEN_EKILLED);
        CHECK_INT(join(late), -EIO);
        CHECK_INT(green_kill(started, 0), 0);
        CHECK_INT(join(started), 0);
        CHECK_INT(green_thread_cancel(green_getcurrent(), 0), 0);
        CHECK_TRACE("12");
}

static void
bad_codes_and_no_handle_are_errors(void)
{
        green_thread *gt = sleeping(sleeper, NULL);

        CHECK_INT(green_kill(gt, 5), -EINVAL);
        CHECK_INT(green_thread_cancel(gt, 5), -EINVAL);
        CHECK_INT(green_kill(NULL, 0), -EINVAL);
        CHECK_INT(green_thread_kill(NULL, 0), -EINVAL);
        CHECK_INT(green_thread_cancel(NULL, 0), -EINVAL);
        CHECK_INT(green_thread_link(NULL, trace_link, NULL), -EINVAL);
        CHECK_INT(green_thread_link(gt, NULL, NULL), -EINVAL);
        CHECK(!green_thread_unlink(NULL, trace_link, NULL));
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
}

static void
a_second_kill_keeps_the_first_code(void)
{
        green_thread *gt = sleeping(victim, PTR(-EIO));

        CHECK_INT(green_kill(gt, -EIO), 0);
        CHECK_INT(green_kill(gt, -EPIPE), 0);
        CHECK_INT(join(gt), -EIO);
        CHECK_TRACE("vw");
}

static void *
stubborn(void *arg)
{
        int *tries = arg;

        while (green_sleep(1) != 0 && *tries < 1000)
                ++*tries;
        return NULL;
}

static void
a_loop_around_a_failing_call_cannot_freeze_the_others(void)
{
        GREEN_COVERS("TMO-03");
        int tries = 0;
        green_thread *gt = sleeping(stubborn, &tries);
        int before;

        CHECK_INT(green_kill(gt, 0), 0);
        for (int i = 0; i < 10; i++) {
                before = tries;
                CHECK_INT(green_sleep(0), 0);
                CHECK_INT(tries - before, 1);
        }
        tries = 1000;
        CHECK_INT(join(gt), GREEN_EKILLED);
}

static void *
return_a_result(void *arg)
{
        (void)green_sleep(GREEN_FOREVER);
        return arg;
}

static void
a_killed_one_ends_with_the_kills_code_whatever_it_returns(void)
{
        green_thread *gt = sleeping(return_a_result, PTR(9));
        void *result = NULL;

        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, &result), GREEN_EKILLED);
        CHECK_PTR(result, NULL);
        green_thread_unref(gt);
}

static void *
kill_main(void *arg)
{
        CHECK_INT(green_kill(arg, -ECANCELED), 0);
        trace('k');
        return NULL;
}

static void
the_main_green_thread_can_be_killed_and_recovers(void)
{
        green_thread *gt = green_spawn(kill_main, green_getcurrent());

        CHECK_INT(green_sleep(GREEN_FOREVER), -ECANCELED);
        trace('m');
        CHECK_INT(green_thread_wait(gt, NULL), -ECANCELED);
        CHECK_INT(green_recover(), -ECANCELED);
        CHECK_INT(join(gt), 0);
        CHECK_TRACE("mk");
}

/* ---- shields ---- */

static void *
shielded(void *arg)
{
        (void)arg;
        green_shield_begin();
        green_shield_begin();
        trace('a');
        CHECK_INT(green_sleep(0.002), 0);
        trace('b');
        green_shield_end();
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_checkpoint(), 0);
        green_shield_end();
        CHECK_INT(green_sleep(0), GREEN_EKILLED);
        green_shield_begin();
        CHECK_INT(green_sleep(0), 0);
        green_shield_end();
        green_shield_end(); /* one too many does nothing */
        CHECK_INT(green_checkpoint(), GREEN_EKILLED);
        return NULL;
}

static void
a_kill_waits_until_the_shield_ends(void)
{
        green_thread *gt = sleeping(shielded, NULL);

        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_TRACE("a");
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_TRACE("b");
}

static void *
shielded_and_ready(void *arg)
{
        (void)arg;
        green_shield_begin();
        CHECK_INT(green_sleep(0), 0);
        trace('s');
        green_shield_end();
        CHECK_INT(green_checkpoint(), GREEN_EKILLED);
        return NULL;
}

static void
killing_a_shielded_one_does_not_yield(void)
{
        GREEN_COVERS("GT-10");
        green_thread *gt = sleeping(shielded_and_ready, NULL);

        CHECK_INT(green_kill(gt, 0), 0); /* it is in the run queue */
        trace('k');
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_TRACE("ks");
}

static void
take_back_all_shields(void)
{
        for (int i = 0; i < 10; i++)
                green_shield_end();
}

static void *
forget_a_shield(void *arg)
{
        green_shield_begin();
        return sleeper(arg);
}

static void
a_forgotten_shield_hides_its_green_thread_until_the_hub_ends(void)
{
        green_thread *gt = green_spawn(note, PTR('x'));
        green_thread *hidden = sleeping(forget_a_shield, NULL);
        struct log_lines log;

        take_back_all_shields();
        CHECK_INT(join(gt), 0);
        CHECK_INT(green_kill(hidden, 0), 0);
        CHECK(!green_thread_dead(hidden));
        log_catch(&log);
        CHECK_INT(green_hub_destroy(0.001), -ETIMEDOUT); /* frees it, unrun */
        log_release();
        CHECK_INT(log.count, 1);
}

/* ---- links ---- */

static void
spawn_in_link(green_thread *gt, void *arg)
{
        (void)gt;
        trace('l');
        CHECK_INT(green_spawn_n(note, arg), 0);
}

static void *
note_late(void *arg)
{
        turns(2);
        return note(arg);
}

static void *
ask_and_trace(void *arg)
{
        CHECK_INT(green_thread_wait(arg, NULL) <= 0, 1);
        trace('w');
        return NULL;
}

static void
waiters_are_ready_before_the_links_run(void)
{
        GREEN_COVERS("GT-20", "GT-13");
        for (int killed = 0; killed < 2; killed++) {
                green_thread *gt = killed ? green_spawn_after(1000, note, PTR('x')) : green_spawn(note_late, PTR('x'));

                CHECK_INT(green_spawn_n(ask_and_trace, gt), 0);
                turns(1);
                CHECK_INT(green_thread_link(gt, spawn_in_link, PTR('n')), 0);
                if (killed)
                        CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(join(gt), killed ? GREEN_EKILLED : 0);
                turns(2);
                CHECK_TRACE(killed ? "lwn" : "xlwn");
        }
}

static void
links_run_in_order_after_waiters_were_made_ready_and_before_they_run(void)
{
        GREEN_COVERS("GT-20", "GT-25");
        green_thread *gt = green_spawn(note, PTR('x'));
        struct asked a = {gt, -1};

        CHECK_INT(green_spawn_n(ask, &a), 0);
        CHECK_INT(green_thread_link(gt, trace_link, PTR('1')), 0);
        CHECK_INT(green_thread_link(gt, who_runs_this_link, PTR('2')), 0);
        CHECK_INT(green_thread_link(gt, trace_link, PTR('3')), 0);
        linked_from = NULL;
        CHECK_INT(join(gt), 0);
        trace('j');
        CHECK_TRACE("x123j");
        CHECK_PTR(linked_from, gt);
        turns(1);
        CHECK_INT(a.rc, 0);
}

static void
a_link_on_a_finished_one_is_called_at_once_by_the_caller(void)
{
        GREEN_COVERS("GT-21");
        green_thread *gt = sleeping(note, PTR('x'));

        linked_from = NULL;
        CHECK_INT(green_thread_link(gt, who_runs_this_link, PTR('l')), 0);
        CHECK_PTR(linked_from, green_getcurrent());
        CHECK_TRACE("xl");
        CHECK_INT(join(gt), 0);
}

static int relinks, depth, deepest;

static void
relink(green_thread *gt, void *arg)
{
        if (++depth > deepest)
                deepest = depth;
        if (--relinks > 0)
                CHECK_INT(green_thread_link(gt, relink, arg), 0);
        depth--;
        if (relinks == 0)
                trace('z');
}

static void
a_link_may_link_again_and_does_not_recurse(void)
{
        GREEN_COVERS("GT-22");
        green_thread *gt = green_spawn(note, PTR('x'));

        relinks = 1000;
        depth = deepest = 0;
        CHECK_INT(green_thread_link(gt, relink, NULL), 0);
        turns(1);
        CHECK_INT(relinks, 0);
        CHECK_INT(deepest, 1);
        CHECK_TRACE("xz");
        relinks = 1000;
        deepest = 0;
        CHECK_INT(green_thread_link(gt, relink, NULL), 0); /* and on one that has ended */
        CHECK_INT(relinks, 0);
        CHECK_INT(deepest, 1);
        CHECK_TRACE("z");
        CHECK_INT(join(gt), 0);
}

static void
exit_in_link(green_thread *gt, void *arg)
{
        (void)gt;
        trace((char)INT(arg));
        green_exit(PTR('!'));
}

static void
wait_in_link(green_thread *gt, void *arg)
{
        (void)gt;
        green_shield_begin();
        CHECK_INT(green_sleep(0), 0);
        green_shield_end();
        CHECK_INT(green_sleep(0.001), 0);
        trace((char)INT(arg));
}

static void
each_link_runs_whatever_the_others_did(void)
{
        GREEN_COVERS("GT-23");
        for (int killed = 0; killed < 2; killed++) {
                green_thread *gt = sleeping(killed ? sleeper : note, PTR('x'));
                void *result = NULL;

                if (!killed) {
                        green_thread_unref(gt);
                        gt = green_spawn(note, PTR('x'));
                }
                CHECK_INT(green_thread_link(gt, wait_in_link, PTR('1')), 0);
                CHECK_INT(green_thread_link(gt, exit_in_link, PTR('2')), 0);
                CHECK_INT(green_thread_link(gt, wait_in_link, PTR('3')), 0);
                CHECK_INT(green_thread_link(gt, trace_link, PTR('4')), 0);
                if (killed)
                        CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(green_thread_wait(gt, &result), killed ? GREEN_EKILLED : 0);
                CHECK_PTR(result, killed ? NULL : PTR('x'));
                CHECK_INT(green_sleep(0.005), 0);
                while (hub_info().threads > 1)
                        turns(1);
                CHECK_INT(green_thread_wait(gt, NULL), killed ? GREEN_EKILLED : 0);
                CHECK_TRACE(killed ? "1234" : "xx1234");
                green_thread_unref(gt);
        }
}

static void
unlink_takes_back_the_oldest_link_that_matches_exactly(void)
{
        GREEN_COVERS("GT-24");
        green_thread *gt = green_spawn(note, PTR('x'));

        CHECK_INT(green_thread_link(gt, trace_link, PTR('1')), 0);
        CHECK_INT(green_thread_link(gt, trace_link, PTR('2')), 0);
        CHECK_INT(green_thread_link(gt, trace_link, PTR('1')), 0);
        CHECK_INT(green_thread_link(gt, trace_link, PTR('3')), 0);
        CHECK(!green_thread_unlink(gt, trace_link, PTR('4')));
        CHECK(!green_thread_unlink(gt, relink, PTR('1')));
        CHECK(green_thread_unlink(gt, trace_link, PTR('1')));
        CHECK(green_thread_unlink(gt, trace_link, PTR('3'))); /* the last one: new ones still come behind */
        CHECK_INT(green_thread_link(gt, trace_link, PTR('5')), 0);
        CHECK_INT(join(gt), 0);
        CHECK_TRACE("x215");
        gt = sleeping(note, PTR('y'));
        CHECK(!green_thread_unlink(gt, trace_link, PTR('1')));
        green_thread_unref(gt);
}

static void
sleep_in_link(green_thread *gt, void *arg)
{
        (void)gt;
        trace('(');
        (void)green_sleep(INT(arg));
        trace(')');
}

static void *
kill_a_linked_one(void *arg)
{
        green_thread *gt = green_spawn(note, PTR('x'));

        CHECK_INT(green_thread_link(gt, sleep_in_link, PTR(1000)), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK(green_thread_dead(gt));
        green_thread_unref(gt);
        return arg;
}

static void
a_hub_can_end_while_the_links_of_one_that_never_started_wait(void)
{
        GREEN_COVERS("GT-13");
        CHECK_INT(green_spawn_n(kill_a_linked_one, NULL), 0);
        turns(1);
        CHECK_INT(hub_info().threads, 2); /* the dead one does not count */
        CHECK_INT(green_hub_destroy(5), 0);
        CHECK_TRACE("()");
}

/* ---- eventlet's exc_after ---- */

static void
exc_after_is_a_timeout_with_a_code(void)
{
        GREEN_COVERS("GT-30");
        const struct green_timeout_opts opts = {.size = sizeof(opts), .code = -EOVERFLOW};
        struct green_timeout t, dummy;

        CHECK_INT(green_timeout_start_opts(&t, 0.001, &opts), 0);
        CHECK_INT(green_timeout_start_opts(&dummy, GREEN_FOREVER, &opts), 0);
        CHECK_INT(green_sleep(GREEN_FOREVER), -EOVERFLOW);
        CHECK(!green_timeout_fired(&dummy));
        CHECK_INT(green_timeout_cancel(&dummy), 0);
        CHECK_INT(green_timeout_cancel(&t), 1);
}

GREEN_SUITE(core_kill) {
        GREEN_TEST(kill_runs_the_victims_clean_up_then_the_ready_ones_then_the_killer),
        GREEN_TEST(all_who_wait_for_a_killed_one_get_its_code),
        GREEN_TEST(a_sleeper_sees_whatever_code_it_is_killed_with),
        GREEN_TEST(one_killed_before_its_start_never_runs_and_its_links_run_in_the_killer),
        GREEN_TEST(killing_a_dead_one_does_nothing_and_does_not_yield),
        GREEN_TEST(a_victim_that_recovers_lives_on_and_ends_well),
        GREEN_TEST(one_that_has_recovered_can_be_killed_again),
        GREEN_TEST(killing_oneself_marks_and_returns),
        GREEN_TEST(a_kill_from_a_hub_callback_only_marks),
        GREEN_TEST(one_made_by_spawn_n_can_be_killed_and_cancelled_too),
        GREEN_TEST(cancel_ends_only_what_has_not_started),
        GREEN_TEST(bad_codes_and_no_handle_are_errors),
        GREEN_TEST(a_second_kill_keeps_the_first_code),
        GREEN_TEST(a_loop_around_a_failing_call_cannot_freeze_the_others),
        GREEN_TEST(a_killed_one_ends_with_the_kills_code_whatever_it_returns),
        GREEN_TEST(the_main_green_thread_can_be_killed_and_recovers),
        GREEN_TEST(a_kill_waits_until_the_shield_ends),
        GREEN_TEST(killing_a_shielded_one_does_not_yield),
        GREEN_TEST(a_forgotten_shield_hides_its_green_thread_until_the_hub_ends),
        GREEN_TEST(links_run_in_order_after_waiters_were_made_ready_and_before_they_run),
        GREEN_TEST(waiters_are_ready_before_the_links_run),
        GREEN_TEST(a_link_on_a_finished_one_is_called_at_once_by_the_caller),
        GREEN_TEST(a_link_may_link_again_and_does_not_recurse),
        GREEN_TEST(each_link_runs_whatever_the_others_did),
        GREEN_TEST(unlink_takes_back_the_oldest_link_that_matches_exactly),
        GREEN_TEST(a_hub_can_end_while_the_links_of_one_that_never_started_wait),
        GREEN_TEST(exc_after_is_a_timeout_with_a_code),
        GREEN_SUITE_END
};
