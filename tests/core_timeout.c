/* Timeouts: cancel scopes with a deadline. */
#include "config.h"

#include "core_help.h"

GREEN_SUITE_INIT(help_init)

static void *
note(void *arg)
{
        trace((char)INT(arg));
        return arg;
}

static void *
jump(void *arg)
{
        clock_jump(INT(arg));
        return NULL;
}

/* ---- one timeout ---- */

static void
a_timeout_fails_the_calls_inside_until_it_is_cancelled(void)
{
        GREEN_COVERS("TMO-01");
        struct green_timeout t;
        double begin = clock_now();

        CHECK_INT(green_timeout_start(&t, 0.02), 0);
        CHECK_INT(green_sleep(0.0001), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_RANGE(clock_now() - begin, 0.02, 0.5 * suite_slow());
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_sleep(0), GREEN_ETIMEOUT);
                CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
                CHECK_INT(green_checkpoint(), GREEN_ETIMEOUT);
        }
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_checkpoint(), 0);
}

static void
a_timeout_fires_with_the_code_it_was_given(void)
{
        GREEN_COVERS("TMO-02");
        struct green_timeout_opts opts = {.size = sizeof(opts), .code = -EHOSTDOWN};
        struct green_timeout t;

        CHECK_INT(green_timeout_start_opts(&t, 0.001, &opts), 0);
        CHECK_INT(green_sleep(1000), -EHOSTDOWN);
        CHECK_INT(green_sleep(0), -EHOSTDOWN);
        CHECK_INT(green_timeout_cancel(&t), 1);
        opts.code = 0;
        CHECK_INT(green_timeout_start_opts(&t, 0.001, &opts), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        opts.code = -ETIMEDOUT;
        CHECK_INT(green_timeout_start_opts(&t, 0.001, &opts), 0);
        CHECK_INT(green_sleep(1000), -ETIMEDOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
}

static void
a_silent_timeout_fails_calls_but_is_not_reported(void)
{
        GREEN_COVERS("TMO-02", "TMO-11");
        const struct green_timeout_opts opts = {.size = sizeof(opts), .silent = true};
        struct green_timeout outer, t;

        CHECK_INT(green_timeout_start_opts(&t, 0.001, &opts), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_sleep(0), 0);
        /* Only itself: one around it passes. */
        CHECK_INT(green_timeout_start(&outer, 0.001), 0);
        CHECK_INT(green_timeout_start_opts(&t, 1000, &opts), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_sleep(0), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&outer), 1);
}

static void
a_scopes_code_is_none_that_a_call_has_of_its_own(void)
{
        GREEN_COVERS("TMO-03");
        struct green_waitq q = {NULL, NULL};
        struct green_wait w;
        struct green_timeout t;
        int rc, tries = 0;

        CHECK_INT(green_park(&q, &w, 0.001), -ETIMEDOUT);
        CHECK_INT(green_timeout_start(&t, 0.004), 0);
        /* Code that tries again after its own time limit. */
        do
                rc = green_park(&q, &w, 0.001);
        while (rc == -ETIMEDOUT && ++tries < 1000);
        CHECK_INT(rc, GREEN_ETIMEOUT);
        CHECK(tries < 5);
        CHECK_INT(green_timeout_cancel(&t), 1);
}

static void
a_timeout_without_limit_never_fires(void)
{
        GREEN_COVERS("TMO-04");
        static const double never[] = {GREEN_FOREVER, 2e18, INFINITY};
        struct green_timeout t;

        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_timeout_start(&t, never[i]), 0);
                CHECK(green_timeout_pending(&t));
                CHECK_INT(hub_info().timers, 0);
                CHECK_INT(green_sleep(0.001), 0);
                CHECK(green_timeout_pending(&t));
                CHECK_INT(green_timeout_cancel(&t), 0);
        }
}

static void
a_timeout_of_zero_or_less_fires_at_the_next_blocking_point(void)
{
        GREEN_COVERS("TMO-05");
        static const double past[] = {0, -1, -INFINITY};
        struct green_timeout t;

        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_timeout_start(&t, past[i]), 0);
                CHECK(!green_timeout_pending(&t));
                CHECK_INT(i == 0 ? green_sleep(0) : green_sleep(1000), GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&t), 1);
                CHECK_INT(green_timeout_start(&t, past[i]), 0);
                CHECK_INT(green_timeout_cancel(&t), 0); /* it failed nothing */
        }
}

static void
code_that_never_yields_is_never_interrupted(void)
{
        GREEN_COVERS("TMO-06");
        struct green_timeout t;
        green_thread *gt;

        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        burn(0.003);
        CHECK(green_timeout_pending(&t));
        CHECK_INT(green_checkpoint(), 0);
        gt = green_spawn(note, PTR('x'));
        CHECK(gt != NULL);
        CHECK_INT(green_timeout_cancel(&t), 0); /* the deadline has passed, but no call has failed */
        CHECK_INT(join(gt), 0);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        burn(0.003);
        CHECK_INT(green_sleep(0.001), GREEN_ETIMEOUT); /* it was due before the sleep */
        CHECK_INT(green_timeout_cancel(&t), 1);
}

static void
calls_that_never_yield_ignore_scopes(void)
{
        GREEN_COVERS("TMO-06");
        struct green_waitq q = {NULL, NULL};
        struct green_wait w;
        struct green_timeout t;
        green_thread *gt;

        CHECK_INT(green_timeout_start(&t, 0), 0);
        gt = green_spawn(note, PTR('x'));
        CHECK(gt != NULL);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK(green_thread_dead(gt));
        CHECK_INT(green_park(&q, &w, 0), -ETIMEDOUT);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_ETIMEOUT); /* even where it need not wait */
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(join(gt), GREEN_EKILLED);
}

static void
a_failing_entry_check_lets_the_others_run_first(void)
{
        struct green_timeout t;

        CHECK_INT(green_spawn_n(note, PTR('o')), 0);
        CHECK_INT(green_timeout_start(&t, 0), 0);
        CHECK_INT(green_checkpoint(), GREEN_ETIMEOUT);
        CHECK_TRACE("o");
        CHECK_INT(green_timeout_cancel(&t), 1);
}

static void
cancel_is_idempotent_and_an_uncancelled_one_fires_later(void)
{
        GREEN_COVERS("TMO-07");
        struct green_timeout t;

        CHECK_INT(green_timeout_start(&t, 0.002), 0);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_sleep(0.004), 0);
        CHECK_INT(green_timeout_start(&t, 0.02), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_timeout_cancel(NULL), 0);
}

static void *
end_inside_a_timeout(void *arg)
{
        CHECK_INT(green_timeout_start(arg, 0.001), 0);
        return NULL;
}

static void
a_timeout_ends_with_its_green_thread(void)
{
        GREEN_COVERS("TMO-08");
        static struct green_timeout t;
        struct log_lines log;

        log_catch(&log); /* debug builds say that it was left */
        CHECK_INT(join(green_spawn(end_inside_a_timeout, &t)), 0);
        CHECK_INT(hub_info().timers, 0);
        CHECK(!green_timeout_pending(&t));
        CHECK_INT(green_sleep(0.003), 0);
        log_release();
        CHECK(!green_timeout_fired(&t));
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_timeout_start(&t, GREEN_FOREVER), 0); /* its storage is free again */
        CHECK_INT(green_timeout_cancel(&t), 0);
}

static void
pending_is_true_from_start_to_firing_or_cancel(void)
{
        GREEN_COVERS("TMO-09");
        struct green_timeout t = {{NULL}};

        CHECK(!green_timeout_pending(&t) && !green_timeout_fired(&t));
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK(green_timeout_pending(&t) && !green_timeout_fired(&t));
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK(!green_timeout_pending(&t) && green_timeout_fired(&t));
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK(!green_timeout_pending(&t) && !green_timeout_fired(&t));
        CHECK_INT(green_timeout_start(&t, 1000), 0);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK(!green_timeout_pending(&t) && !green_timeout_fired(&t));
        CHECK(!green_timeout_pending(NULL) && !green_timeout_fired(NULL));
}

static void
starting_a_started_one_is_busy_and_a_cancelled_one_starts_anew(void)
{
        GREEN_COVERS("TMO-10");
        struct green_timeout t;

        CHECK_INT(green_timeout_start(&t, 1000), 0);
        CHECK_INT(green_timeout_start(&t, 0), -EBUSY);
        CHECK(green_timeout_pending(&t));
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_start(&t, 1000), -EBUSY); /* fired, and not ended yet */
        CHECK_INT(green_timeout_cancel(&t), 1);
}

static void
nothing_of_a_timeout_is_used_after_its_end(void)
{
        GREEN_COVERS("TMO-16");
        struct green_timeout *t = malloc(sizeof(*t));

        CHECK_OR_RETURN(t != NULL);
        CHECK_INT(green_timeout_start(t, 0.001), 0);
        CHECK_INT(green_timeout_cancel(t), 0);
        memset(t, 0xff, sizeof(*t));
        free(t);
        CHECK_INT(hub_info().timers, 0);
        CHECK_INT(green_sleep(0.003), 0);
}

static void *
cancel_foreign(void *arg)
{
        CHECK_INT(green_timeout_cancel(arg), -EPERM);
        CHECK(green_timeout_pending(arg));
        CHECK_INT(green_sleep(30), 0);
        trace('s');
        return NULL;
}

static void
a_timeout_belongs_to_the_green_thread_that_started_it(void)
{
        GREEN_COVERS("TMO-17");
        struct green_timeout t;
        green_thread *gt;

        clock_shift_begin();
        gt = green_spawn(cancel_foreign, &t);
        CHECK_INT(green_timeout_start(&t, 20), 0);
        CHECK_INT(green_spawn_n(jump, PTR(20)), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_ETIMEOUT);
        CHECK_TRACE(""); /* the other one sleeps on */
        CHECK_INT(green_timeout_cancel(&t), 1);
        clock_jump(30);
        CHECK_INT(join(gt), 0);
        CHECK_TRACE("s");
        clock_shift_end();
}

static void
the_text_says_how_long_and_what(void)
{
        GREEN_COVERS("TMO-14");
        static const struct {
                double seconds;
                struct green_timeout_opts opts;
                const char *text;
        } rows[] = {
                {2.5, {.size = sizeof(rows[0].opts)}, "2.5 seconds"},
                {1, {.size = sizeof(rows[0].opts)}, "1 second"},
                {1, {.size = sizeof(rows[0].opts), .silent = true}, "1 second (silent)"},
                {30, {.size = sizeof(rows[0].opts), .code = -EIO}, "30 seconds (EIO)"},
                {3, {.size = sizeof(rows[0].opts), .code = GREEN_ECLOSED}, "3 seconds (GREEN_ECLOSED)"},
                {GREEN_FOREVER, {.size = sizeof(rows[0].opts)}, ""},
        };
        struct green_timeout t = {{NULL}};
        char text[64] = "?";

        CHECK_INT(green_timeout_format(&t, text, sizeof(text)), 0);
        CHECK_STR(text, "");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CHECK_INT(green_timeout_start_opts(&t, rows[i].seconds, &rows[i].opts), 0);
                CHECK_INT(green_timeout_format(&t, text, sizeof(text)), (int)strlen(rows[i].text));
                CHECK_STR(text, rows[i].text);
                CHECK_INT(green_timeout_cancel(&t), 0);
        }
        CHECK_INT(green_timeout_start(&t, 2.5), 0);
        CHECK_INT(green_timeout_format(&t, text, 4), 11);
        CHECK_STR(text, "2.5");
        CHECK_INT(green_timeout_format(&t, NULL, 0), 11);
        CHECK_INT(green_timeout_cancel(&t), 0);
}

static void
is_timeout_is_true_of_time_limits_only(void)
{
        GREEN_COVERS("TMO-15");
        CHECK(green_is_timeout(GREEN_ETIMEOUT));
        CHECK(green_is_timeout(-ETIMEDOUT));
        CHECK(!green_is_timeout(GREEN_EEMPTY) && !green_is_timeout(GREEN_EFULL) && !green_is_timeout(-EAGAIN));
        CHECK(!green_is_timeout(GREEN_EKILLED) && !green_is_timeout(0) && !green_is_timeout(110));
        CHECK(!green_is_timeout(-5001));
        CHECK_INT(green_wrap_is_timeout(-5001), 0);
        CHECK_INT(green_wrap_is_timeout(-5001), 0);
        CHECK(green_is_timeout(-5001));
        CHECK_INT(green_wrap_is_timeout(0), -EINVAL);
        CHECK_INT(green_wrap_is_timeout(7), -EINVAL);
        for (int i = 0; i < 63; i++)
                CHECK_INT(green_wrap_is_timeout(-6000 - i), 0);
        CHECK_INT(green_wrap_is_timeout(-7000), -ENOMEM);
        CHECK_INT(green_wrap_is_timeout(-6062), 0);
        CHECK(green_is_timeout(-6062) && !green_is_timeout(-7000));
}

static int in_callback;

static void
start_in_callback(void *arg)
{
        struct green_timeout t;

        in_callback = green_timeout_start(&t, 1);
        *(bool *)arg = true;
}

static void
bad_arguments_are_errors(void)
{
        const struct green_timeout_opts positive = {.size = sizeof(positive), .code = 4};
        const struct green_timeout_opts unknown = {.size = 2};
        struct green_timeout t;
        bool called = false;

        CHECK_INT(green_timeout_start(&t, NAN), -EINVAL);
        CHECK_INT(green_timeout_start(NULL, 1), -EINVAL);
        CHECK_INT(green_timeout_start_opts(&t, 1, &positive), -EINVAL);
        CHECK_INT(green_timeout_start_opts(&t, 1, &unknown), -EINVAL);
        CHECK_INT(green_schedule_call_global(0, start_in_callback, &called), 0);
        while (!called)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(in_callback, -EDEADLK);
}

/* ---- several ---- */

static void
the_inner_one_fires_first_and_the_outer_goes_on(void)
{
        GREEN_COVERS("TMO-11", "TMO-12");
        struct green_timeout outer, inner;

        clock_shift_begin();
        CHECK_INT(green_timeout_start(&outer, 500), 0);
        CHECK_INT(green_timeout_start(&inner, 0.001), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK(green_timeout_pending(&outer));
        CHECK_INT(green_timeout_cancel(&inner), 1);
        CHECK(green_timeout_pending(&outer));
        CHECK_INT(green_sleep(0), 0);
        clock_jump(500);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&outer), 1);
        clock_shift_end();
}

static void
the_outer_one_fires_first_and_is_not_the_inners_business(void)
{
        GREEN_COVERS("TMO-12");
        struct green_timeout outer, inner;

        CHECK_INT(green_timeout_start(&outer, 0.001), 0);
        CHECK_INT(green_timeout_start(&inner, 1000), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK(green_timeout_pending(&inner));
        CHECK_INT(green_timeout_cancel(&inner), 0);
        CHECK_INT(green_sleep(0), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&outer), 1);
}

static void
a_parked_call_gets_its_scopes_code_and_a_check_on_entry_the_outermosts(void)
{
        GREEN_COVERS("TMO-12");
        const struct green_timeout_opts a = {.size = sizeof(a), .code = -EXDEV};
        const struct green_timeout_opts b = {.size = sizeof(b), .code = -ENOEXEC};
        struct green_timeout outer, inner;

        clock_shift_begin();
        CHECK_INT(green_timeout_start_opts(&outer, 500, &a), 0);
        CHECK_INT(green_timeout_start_opts(&inner, 0.001, &b), 0);
        CHECK_INT(green_sleep(1000), -ENOEXEC);
        CHECK_INT(green_sleep(1000), -ENOEXEC);
        clock_jump(500);
        while (!green_timeout_fired(&outer))
                (void)green_sleep(1000);
        CHECK_INT(green_sleep(1000), -EXDEV);
        /* The inner one has failed a call, but an outer one decides now. */
        CHECK_INT(green_timeout_cancel(&inner), 0);
        CHECK_INT(green_sleep(0), -EXDEV);
        CHECK_INT(green_timeout_cancel(&outer), 1);
        clock_shift_end();
}

static void
one_that_fired_and_failed_nothing_is_not_to_blame(void)
{
        GREEN_COVERS("TMO-12");
        struct green_timeout outer, inner;

        CHECK_INT(green_timeout_start(&outer, 0.001), 0);
        CHECK_INT(green_timeout_start(&inner, 0.001), 0);
        burn(0.002);
        /* Both are due; the outer one comes first and fails the call. */
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK(green_timeout_fired(&inner) && green_timeout_fired(&outer));
        CHECK_INT(green_timeout_cancel(&outer), 1);
        CHECK_INT(green_timeout_cancel(&inner), 0);
        CHECK_INT(green_sleep(0), 0);
}

/* Both are due, the inner one a little earlier: it fails the call, and leaves it to the outer one to answer for that. */
static void
what_an_inner_one_failed_is_the_outers_once_both_have_fired(void)
{
        GREEN_COVERS("TMO-12");
        const struct green_timeout_opts b = {.size = sizeof(b), .code = -ENOEXEC};
        struct green_timeout outermost, outer, inner;

        CHECK_INT(green_timeout_start(&outermost, 0.003), 0);
        CHECK_INT(green_timeout_start(&outer, 0.002), 0);
        CHECK_INT(green_timeout_start(&inner, 0.001), 0);
        burn(0.004);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK(green_timeout_fired(&inner) && green_timeout_fired(&outer) && green_timeout_fired(&outermost));
        CHECK_INT(green_timeout_cancel(&inner), 0);
        CHECK_INT(green_timeout_cancel(&outer), 0);
        CHECK_INT(green_timeout_cancel(&outermost), 1);
        CHECK_INT(green_sleep(0), 0);

        /* By another code one can tell. */
        CHECK_INT(green_timeout_start(&outer, 0.002), 0);
        CHECK_INT(green_timeout_start_opts(&inner, 0.001, &b), 0);
        burn(0.004);
        CHECK_INT(green_sleep(1000), -ENOEXEC);
        CHECK(green_timeout_fired(&inner) && green_timeout_fired(&outer));
        CHECK_INT(green_timeout_cancel(&inner), 0);
        CHECK_INT(green_timeout_cancel(&outer), 0);
}

/* Cancel three in every order; the middle one fires. */
static void
scopes_may_be_cancelled_in_any_order(void)
{
        GREEN_COVERS("TMO-12");
        static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

        for (int i = 0; i < 6; i++) {
                struct green_timeout t[3];
                bool middle_there = true;

                CHECK_INT(green_timeout_start(&t[0], 1000), 0);
                CHECK_INT(green_timeout_start(&t[1], 0), 0);
                CHECK_INT(green_timeout_start(&t[2], 1000), 0);
                CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
                for (int j = 0; j < 3; j++) {
                        int which = orders[i][j];

                        CHECK_INT(green_timeout_cancel(&t[which]), which == 1);
                        middle_there = middle_there && which != 1;
                        CHECK_INT(green_sleep(0), middle_there ? GREEN_ETIMEOUT : 0);
                }
                CHECK_INT(hub_info().timers, 0);
        }
}

static void
a_kill_is_the_outermost_scope(void)
{
        GREEN_COVERS("TMO-12");
        struct green_timeout t;

        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_sleep(0), GREEN_EKILLED);
        CHECK_INT(green_timeout_cancel(&t), 0);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        /* After the recovery the timeout has the say again. */
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_timeout_cancel(&t), 1);
}

/* ---- shields ---- */

static void
a_shield_hides_what_is_outside_and_nothing_inside(void)
{
        struct green_timeout outer, inner;

        CHECK_INT(green_timeout_start(&outer, 0.001), 0);
        green_shield_begin();
        CHECK_INT(green_sleep(0.003), 0);
        CHECK(green_timeout_fired(&outer));
        CHECK_INT(green_timeout_start(&inner, 0.001), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&inner), 1); /* the outer one is hidden */
        CHECK_INT(green_sleep(0), 0);
        green_shield_end();
        CHECK_INT(green_sleep(0), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&outer), 1);
}

static void
a_timeout_that_outlives_its_shield_is_hidden_by_the_next(void)
{
        struct green_timeout t;

        green_shield_begin();
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        green_shield_end();
        green_shield_begin();
        CHECK_INT(green_sleep(0.003), 0);
        CHECK(green_timeout_fired(&t));
        green_shield_end();
        CHECK_INT(green_sleep(0), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
}

/* ---- with_timeout and the scope macro ---- */

static void *
nap(void *arg)
{
        int rc = green_sleep(*(double *)arg);

        return rc == 0 ? PTR('n') : green_fail(rc);
}

struct nested {
        double outer, inner, nap;
};

static void *
run_inner(void *arg)
{
        struct nested *n = arg;

        return green_with_timeout(n->inner, nap, &n->nap, PTR('i'));
}

static void
with_timeout_gives_the_result_or_the_value_for_its_own_timeout(void)
{
        GREEN_COVERS("TMO-13");
        double brief = 0, lengthy = 1000;
        struct nested n = {1000, 0.001, 1000};
        void *result;

        CHECK_PTR(green_with_timeout(1000, nap, &brief, PTR('t')), PTR('n'));
        CHECK_PTR(green_with_timeout(0.001, nap, &lengthy, PTR('t')), PTR('t'));
        CHECK_PTR(green_with_timeout(0.001, nap, &lengthy, NULL), NULL);
        result = green_with_timeout(0.001, nap, &lengthy, GREEN_TIMEOUT_RAISE);
        CHECK_INT(green_failed(result), GREEN_ETIMEOUT);
        CHECK_PTR(green_with_timeout(n.outer, run_inner, &n, PTR('o')), PTR('i'));
        n = (struct nested){0.001, 1000, 1000};
        CHECK_PTR(green_with_timeout(n.outer, run_inner, &n, PTR('o')), PTR('o'));
        result = green_with_timeout(NAN, nap, &brief, NULL);
        CHECK_INT(green_failed(result), -EINVAL);
        result = green_with_timeout(1, NULL, NULL, NULL);
        CHECK_INT(green_failed(result), -EINVAL);
        CHECK_INT(hub_info().timers, 0);
        CHECK_INT(green_sleep(0), 0);
}

static void *
killed_within(void *arg)
{
        double lengthy = 1000;
        void *result = green_with_timeout(1000, nap, &lengthy, PTR('t'));

        (void)arg;
        CHECK_INT(green_failed(result), -ECANCELED);
        return result;
}

static void
with_timeout_lets_a_kill_pass(void)
{
        GREEN_COVERS("TMO-13");
        green_thread *gt = green_spawn(killed_within, NULL);

        turns(1);
        CHECK_INT(green_kill(gt, -ECANCELED), 0);
        CHECK_INT(join(gt), -ECANCELED);
}

static int
leave_early(bool early)
{
        GREEN_TIMEOUT_SCOPE(t, 0.001);

        CHECK(green_timeout_pending(&t));
        if (early)
                return 5;
        return green_sleep(1000);
}

static void
a_timeout_scope_ends_with_its_block_however_that_is_left(void)
{
        GREEN_COVERS("TMO-11", "TMO-18");
        CHECK_INT(leave_early(true), 5);
        CHECK_INT(hub_info().timers, 0);
        CHECK_INT(leave_early(false), GREEN_ETIMEOUT);
        CHECK_INT(green_sleep(0.003), 0);
}

#if defined(GREEN_DEBUG) && GREEN_DEBUG && !defined(__SANITIZE_ADDRESS__)
/* Start a timeout deep in the stack, and return without ending it. */
static __attribute__((noinline)) uintptr_t
leave_behind(void)
{
        struct {
                struct green_timeout t;
                volatile char pad[32768];
        } deep;
        volatile uintptr_t where = (uintptr_t)&deep.t;

        deep.pad[0] = deep.pad[sizeof(deep.pad) - 1] = 0;
        CHECK_INT(green_timeout_start(&deep.t, 1000), 0);
        return where;
}

static void *
forget_a_timeout(void *arg)
{
        volatile uintptr_t where = leave_behind();
        struct green_timeout t;

        (void)arg;
        CHECK_INT(green_timeout_start(&t, 1000), 0);
        CHECK_INT(green_timeout_cancel(&t), 0);
        /* Its storage has not been used again yet. */
        CHECK_INT(green_timeout_cancel((struct green_timeout *)where), 0);
        return NULL;
}
#endif

static void
debug_builds_report_a_timeout_whose_frame_is_gone(void)
{
#if defined(GREEN_DEBUG) && GREEN_DEBUG && !defined(__SANITIZE_ADDRESS__)
        struct log_lines log;

        log_catch(&log);
        CHECK_INT(join(green_spawn(forget_a_timeout, NULL)), 0);
        log_release();
        CHECK_INT(log.count, 1);
        CHECK(strstr(log.text, "core_timeout.c:") != NULL);
#else
        suite_skip("not a debug build, or the frames of one that runs under ASan");
#endif
}

GREEN_SUITE(core_timeout) {
        GREEN_TEST(a_timeout_fails_the_calls_inside_until_it_is_cancelled),
        GREEN_TEST(a_timeout_fires_with_the_code_it_was_given),
        GREEN_TEST(a_silent_timeout_fails_calls_but_is_not_reported),
        GREEN_TEST(a_scopes_code_is_none_that_a_call_has_of_its_own),
        GREEN_TEST(a_timeout_without_limit_never_fires),
        GREEN_TEST(a_timeout_of_zero_or_less_fires_at_the_next_blocking_point),
        GREEN_TEST(code_that_never_yields_is_never_interrupted),
        GREEN_TEST(calls_that_never_yield_ignore_scopes),
        GREEN_TEST(a_failing_entry_check_lets_the_others_run_first),
        GREEN_TEST(cancel_is_idempotent_and_an_uncancelled_one_fires_later),
        GREEN_TEST(a_timeout_ends_with_its_green_thread),
        GREEN_TEST(pending_is_true_from_start_to_firing_or_cancel),
        GREEN_TEST(starting_a_started_one_is_busy_and_a_cancelled_one_starts_anew),
        GREEN_TEST(nothing_of_a_timeout_is_used_after_its_end),
        GREEN_TEST(a_timeout_belongs_to_the_green_thread_that_started_it),
        GREEN_TEST(the_text_says_how_long_and_what),
        GREEN_TEST(is_timeout_is_true_of_time_limits_only),
        GREEN_TEST(bad_arguments_are_errors),
        GREEN_TEST(the_inner_one_fires_first_and_the_outer_goes_on),
        GREEN_TEST(the_outer_one_fires_first_and_is_not_the_inners_business),
        GREEN_TEST(a_parked_call_gets_its_scopes_code_and_a_check_on_entry_the_outermosts),
        GREEN_TEST(one_that_fired_and_failed_nothing_is_not_to_blame),
        GREEN_TEST(what_an_inner_one_failed_is_the_outers_once_both_have_fired),
        GREEN_TEST(scopes_may_be_cancelled_in_any_order),
        GREEN_TEST(a_kill_is_the_outermost_scope),
        GREEN_TEST(a_shield_hides_what_is_outside_and_nothing_inside),
        GREEN_TEST(a_timeout_that_outlives_its_shield_is_hidden_by_the_next),
        GREEN_TEST(with_timeout_gives_the_result_or_the_value_for_its_own_timeout),
        GREEN_TEST(with_timeout_lets_a_kill_pass),
        GREEN_TEST(a_timeout_scope_ends_with_its_block_however_that_is_left),
        GREEN_TEST(debug_builds_report_a_timeout_whose_frame_is_gone),
        GREEN_SUITE_END
};
