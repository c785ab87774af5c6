/* Green threads: spawn and its family, results and errors, wait, sleep, names, hooks, what is private to each. */
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

static void *
yield_then_note(void *arg)
{
        turns(1);
        return note(arg);
}

static void *
fail_with(void *arg)
{
        return green_fail(INT(arg));
}

static void
spawn_returns_before_the_function_has_run(void)
{
        GREEN_COVERS("GT-01");
        green_thread *gt = green_spawn(note, PTR('a'));

        trace('b');
        CHECK(!green_thread_alive(gt));
        CHECK_INT(join(gt), 0);
        CHECK_TRACE("ba");
}

static void
spawned_ones_run_in_order_before_their_creator_comes_back(void)
{
        GREEN_COVERS("SCHED-03");
        CHECK_INT(green_spawn_n(note, PTR('a')), 0);
        CHECK_INT(green_spawn_n(note, PTR('b')), 0);
        CHECK_INT(green_spawn_n(note, PTR('c')), 0);
        CHECK_INT(green_sleep(0), 0);
        trace('d');
        CHECK_TRACE("abcd");
}

static void *
spawn_a_slow_one(void *arg)
{
        *(green_thread **)arg = green_spawn(yield_then_note, PTR('x'));
        return NULL;
}

static void
a_green_thread_outlives_its_creator(void)
{
        GREEN_COVERS("GT-02");
        green_thread *child = NULL;
        green_thread *creator = green_spawn(spawn_a_slow_one, &child);

        CHECK_INT(join(creator), 0);
        CHECK(!green_thread_dead(child));
        CHECK_INT(join(child), 0);
        CHECK_TRACE("x");
}

struct asked {
        green_thread *gt;
        void *result;
        int rc;
};

static void *
ask(void *arg)
{
        struct asked *a = arg;

        a->rc = green_thread_wait(a->gt, &a->result);
        return NULL;
}

static void *
count_yields(void *arg)
{
        for (;;) {
                ++*(int *)arg;
                if (green_sleep(0) != 0)
                        return NULL;
        }
}

static void
wait_gives_the_result_to_all_who_ask_before_and_after(void)
{
        GREEN_COVERS("GT-03");
        struct asked asked[3];
        int yields = 0;
        green_thread *gt = green_spawn(yield_then_note, PTR('r'));
        green_thread *counter;
        void *result = NULL;

        for (int i = 0; i < 3; i++) {
                asked[i] = (struct asked){gt, NULL, -1};
                CHECK_INT(green_spawn_n(ask, &asked[i]), 0);
        }
        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_PTR(result, PTR('r'));
        turns(1);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(asked[i].rc, 0);
                CHECK_PTR(asked[i].result, PTR('r'));
        }
        counter = green_spawn(count_yields, &yields);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_INT(yields, 0);
        green_kill(counter, 0);
        green_thread_unref(counter);
        green_thread_unref(gt);
}

static void
wait_gives_the_code_of_one_that_failed_and_leaves_the_result_alone(void)
{
        GREEN_COVERS("GT-03");
        green_thread *gt = green_spawn(fail_with, PTR(-EIO));
        void *result = PTR(7);

        CHECK_INT(green_thread_wait(gt, &result), -EIO);
        CHECK_PTR(result, PTR(7));
        CHECK_INT(green_thread_wait(gt, NULL), -EIO);
        green_thread_unref(gt);
}

static void *
wait_for_myself(void *arg)
{
        (void)arg;
        CHECK_INT(green_thread_wait(green_getcurrent(), NULL), -EDEADLK);
        return NULL;
}

static void
waiting_for_oneself_is_a_deadlock_and_said_so(void)
{
        GREEN_COVERS("GT-04");
        CHECK_INT(join(green_spawn(wait_for_myself, NULL)), 0);
        CHECK_INT(green_thread_wait(green_getcurrent(), NULL), -EDEADLK);
        CHECK_INT(green_last_error()->code, -EDEADLK);
}

static void
spawn_n_runs_without_a_handle_and_its_error_is_logged_at_once(void)
{
        GREEN_COVERS("GT-05");
        struct log_lines log;

        CHECK_INT(green_spawn_n(note, PTR('n')), 0);
        turns(1);
        CHECK_TRACE("n");
        log_catch(&log);
        CHECK_INT(green_spawn_n(fail_with, PTR(-EPIPE)), 0);
        turns(1);
        log_release();
        CHECK_INT(log.count, 1);
        CHECK(strstr(log.text, "EPIPE") != NULL);
        CHECK_INT(hub_info().threads, 1);
}

static void
dead_and_alive_follow_the_life_of_a_green_thread(void)
{
        GREEN_COVERS("GT-06");
        green_thread *gt = green_spawn(yield_then_note, PTR('x'));
        green_thread *killed = green_spawn(note, PTR('y'));

        CHECK(!green_thread_dead(gt) && !green_thread_alive(gt));
        CHECK_INT(green_kill(killed, 0), 0);
        CHECK(green_thread_dead(killed) && !green_thread_alive(killed));
        turns(1);
        CHECK(!green_thread_dead(gt) && green_thread_alive(gt));
        turns(1);
        CHECK(green_thread_dead(gt) && !green_thread_alive(gt));
        CHECK(green_thread_alive(green_getcurrent()) && !green_thread_dead(green_getcurrent()));
        green_thread_unref(gt);
        green_thread_unref(killed);
}

static void *
now_after(void *arg)
{
        *(double *)arg = clock_now();
        return NULL;
}

static void *
spawn_a_late_one(void *arg)
{
        static double when;

        *(green_thread **)arg = green_spawn_after(0.004, now_after, &when);
        return &when;
}

static void
spawn_after_starts_not_before_its_time_whatever_becomes_of_the_creator(void)
{
        GREEN_COVERS("GT-07");
        double begin = clock_now();
        green_thread *late = NULL;
        green_thread *creator = green_spawn(spawn_a_late_one, &late);
        void *when = NULL;

        CHECK_INT(green_thread_wait(creator, &when), 0);
        green_thread_unref(creator);
        CHECK_INT(join(late), 0);
        CHECK_RANGE(*(double *)when - begin, 0.004, 0.5 * suite_slow());
}

static void
spawn_after_with_a_past_time_starts_as_soon_as_spawn(void)
{
        GREEN_COVERS("TIMER-07");
        green_thread *a = green_spawn_after(-5, note, PTR('a'));
        green_thread *never = green_spawn_after(GREEN_FOREVER, note, PTR('z'));

        CHECK_INT(green_sleep(0.001), 0);
        CHECK_TRACE("a");
        CHECK_INT(join(a), 0);
        CHECK_INT(green_thread_cancel(never, 0), 1);
        CHECK_INT(join(never), GREEN_EKILLED);
        CHECK_TRACE("");
}

struct bound {
        green_thread *gt[3];
        double live;  /* how long their creator goes on */
        double delay; /* when they are to start */
};

static void *
spawn_bound(void *arg)
{
        struct bound *b = arg;

        for (int i = 0; i < 3; i++)
                b->gt[i] = green_spawn_after_local(b->delay, note, PTR('a' + i));
        if (b->live > 0)
                CHECK_INT(green_sleep(b->live), 0);
        return NULL;
}

static void
trace_link(green_thread *gt, void *arg)
{
        (void)gt;
        trace((char)INT(arg));
}

static void
spawn_after_local_runs_while_its_creator_lives(void)
{
        GREEN_COVERS("GT-08");
        struct bound b = {.live = 0.01, .delay = 0.002};

        CHECK_INT(join(green_spawn(spawn_bound, &b)), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(join(b.gt[i]), 0);
        CHECK_TRACE("abc");
}

static void
spawn_after_local_ends_killed_in_order_when_its_creator_ends_first(void)
{
        GREEN_COVERS("GT-08");
        struct bound b = {.live = 0, .delay = 1000};
        green_thread *creator = green_spawn(spawn_bound, &b);

        CHECK_INT(join(creator), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(join(b.gt[i]), GREEN_EKILLED);
        CHECK_INT(hub_info().timers, 0);
        CHECK_TRACE("");

        b.live = 0.0001;
        creator = green_spawn(spawn_bound, &b);
        turns(1);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_thread_link(b.gt[i], trace_link, PTR('1' + i)), 0);
        CHECK_INT(join(creator), 0);
        CHECK_TRACE("123");
        for (int i = 0; i < 3; i++)
                green_thread_unref(b.gt[i]);
}

struct block {
        int numbers[4];
};

static void *
sum(void *arg)
{
        const struct block *b = arg;

        turns(1);
        return PTR(b->numbers[0] + b->numbers[1] + b->numbers[2] + b->numbers[3]);
}

static void
spawn_copy_takes_a_copy_of_the_argument(void)
{
        GREEN_COVERS("GT-31");
        struct block b = {{1, 2, 3, 4}};
        green_thread *gt = green_spawn_copy(sum, &b, sizeof(b));
        green_thread *empty = green_spawn_copy(sleeper, NULL, 0);
        void *result = NULL;

        memset(&b, 0xff, sizeof(b));
        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_INT(INT(result), 10);
        green_thread_unref(gt);
        CHECK(empty != NULL);
        CHECK_INT(green_kill(empty, 0), 0);
        green_thread_unref(empty);
        CHECK_PTR(green_spawn_copy(sum, NULL, 8), NULL);
        CHECK_INT(errno, EINVAL);
        b = (struct block){{1, 2, 3, 4}};
        gt = green_spawn_with(sum, &b, &(struct green_spawn_opts){.size = sizeof(struct green_spawn_opts),
                                                                  .copy_arg = sizeof(b)});
        memset(&b, 0xff, sizeof(b));
        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_INT(INT(result), 10);
        green_thread_unref(gt);
}

static void *
sleep_twice(void *arg)
{
        trace((char)INT(arg));
        CHECK_INT(green_sleep(0), 0);
        trace((char)INT(arg));
        CHECK_INT(green_sleep(-3), 0);
        trace((char)INT(arg));
        return NULL;
}

static void
sleep_is_never_early_and_zero_lets_the_others_run_once(void)
{
        GREEN_COVERS("GT-26");
        double begin = clock_now();

        CHECK_INT(green_sleep(0.003), 0);
        CHECK_RANGE(clock_now() - begin, 0.003, 0.5 * suite_slow());
        CHECK_INT(green_spawn_n(sleep_twice, PTR('a')), 0);
        CHECK_INT(green_spawn_n(sleep_twice, PTR('b')), 0);
        turns(3);
        CHECK_TRACE("ababab");
        CHECK_INT(green_sleep(NAN), -EINVAL);
}

static void
a_sleeper_that_is_killed_leaves_no_timer_behind(void)
{
        GREEN_COVERS("GT-26");
        green_thread *gt = green_spawn(sleeper, NULL);
        struct green_timeout t;

        turns(1);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(green_sleep(1000), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(hub_info().timers, 0);
}

static green_thread *seen_in_callback = (green_thread *)1;
static uint64_t ident_in_callback = 1;

static void
look_around(void *arg)
{
        seen_in_callback = green_getcurrent();
        ident_in_callback = green_get_ident();
        *(bool *)arg = true;
}

static void *
who_am_i(void *arg)
{
        (void)arg;
        CHECK_INT(green_get_ident(), green_thread_ident(green_getcurrent()));
        return green_getcurrent();
}

static void
getcurrent_is_the_running_one_and_nobody_in_a_callback(void)
{
        GREEN_COVERS("GT-27", "LOCAL-06");
        green_thread *main_thread = green_getcurrent();
        green_thread *a = green_spawn(who_am_i, NULL);
        green_thread *b = green_spawn(who_am_i, NULL);
        bool called = false;
        void *result = NULL;

        CHECK_STR(green_thread_name(main_thread), "main");
        CHECK_INT(green_thread_wait(a, &result), 0);
        CHECK_PTR(result, a);
        CHECK_INT(green_thread_wait(b, &result), 0);
        CHECK_PTR(result, b);
        CHECK_PTR(green_getcurrent(), main_thread);
        CHECK(green_thread_ident(a) != green_thread_ident(b));
        CHECK(green_thread_ident(a) != green_get_ident() && green_get_ident() != 0);
        green_thread_unref(a);
        green_thread_unref(b);
        CHECK_INT(green_schedule_call_global(0, look_around, &called), 0);
        while (!called)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_PTR(seen_in_callback, NULL);
        CHECK_INT(ident_in_callback, 0);
}

static void
an_error_that_nobody_read_is_logged_once_with_its_place(void)
{
        GREEN_COVERS("GT-28");
        const struct green_spawn_opts opts = {.size = sizeof(opts), .name = "courier"};
        struct log_lines log;
        green_thread *gt;

        log_catch(&log);
        gt = green_spawn_with(fail_with, PTR(-EHOSTUNREACH), &opts);
        turns(2);
        CHECK_INT(log.count, 0); /* somebody may still ask */
        green_thread_unref(gt);
        CHECK_INT(log.count, 1);
        CHECK_INT(log.level, GREEN_LOG_ERROR);
        CHECK(strstr(log.text, "courier") != NULL && strstr(log.text, "EHOSTUNREACH") != NULL);
        CHECK(strstr(log.text, "core_thread.c:") != NULL);
        gt = green_spawn(fail_with, PTR(-EIO));
        green_thread_unref(gt); /* the last handle goes first */
        turns(1);
        CHECK_INT(log.count, 2);
        log_release();
}

static void
an_error_that_was_read_or_a_kill_is_not_logged(void)
{
        GREEN_COVERS("GT-28", "GT-11");
        struct log_lines log;
        green_thread *gt;
        bool before;

        log_catch(&log);
        gt = green_spawn(fail_with, PTR(-EIO));
        CHECK_INT(join(gt), -EIO);
        gt = green_spawn(fail_with, PTR(-EIO));
        CHECK_INT(green_thread_link(gt, trace_link, PTR('l')), 0);
        green_thread_unref(gt);
        turns(1);
        CHECK_TRACE("l");
        gt = green_spawn(sleeper, NULL);
        turns(1);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
        CHECK_INT(log.count, 0);
        before = green_debug_hub_exceptions(false);
        CHECK(before);
        CHECK_INT(green_spawn_n(fail_with, PTR(-EIO)), 0);
        turns(1);
        CHECK(!green_debug_hub_exceptions(true));
        CHECK_INT(log.count, 0);
        log_release();
}

/* The headers do not say what is in one: this would not compile if they did. */
struct green_thread {
        char unknown_to_users;
};

static void
a_green_thread_cannot_be_made_but_by_spawning(void)
{
        GREEN_COVERS("GT-29");
        CHECK_INT(sizeof(struct green_thread), 1);
}

static void
bad_arguments_of_the_spawn_family_are_errors(void)
{
        const struct green_spawn_opts bad = {.size = 3};
        const struct green_spawn_opts *unknown = &bad;

        errno = 0;
        CHECK_PTR(green_spawn(NULL, NULL), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(green_spawn_n(NULL, NULL), -EINVAL);
        CHECK_PTR(green_spawn_after(NAN, note, NULL), NULL);
        CHECK_PTR(green_spawn_after(1, NULL, NULL), NULL);
        CHECK_PTR(green_spawn_after_local(NAN, note, NULL), NULL);
        CHECK_PTR(green_spawn_after_local(1, NULL, NULL), NULL);
        CHECK_PTR(green_spawn_copy(NULL, "", 1), NULL);
        errno = 0;
        CHECK_PTR(green_spawn_with(note, NULL, unknown), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(hub_info().threads, 1);
}

static void
functions_of_the_spawn_family_exist_beside_their_macros(void)
{
        green_thread *gt[5];

        gt[0] = (green_spawn)(note, PTR('a'));
        gt[1] = (green_spawn_after)(0, note, PTR('b'));
        gt[2] = (green_spawn_after_local)(0, note, PTR('c'));
        gt[3] = (green_spawn_copy)(sum, &(struct block){{0}}, sizeof(struct block));
        gt[4] = (green_spawn_with)(note, PTR('d'), NULL);
        CHECK_INT((green_spawn_n)(note, PTR('e')), 0);
        for (int i = 0; i < 5; i++)
                CHECK_INT(join(gt[i]), 0);
        CHECK_INT(strlen(help_trace), 5);
}

static void
a_green_thread_is_found_by_its_number_until_it_ends(void)
{
        green_thread *gt = green_spawn(note, PTR('a')), *found;
        uint64_t ident = green_thread_ident(gt);

        found = green_thread_find(ident);
        CHECK_PTR(found, gt);
        green_thread_unref(found);
        CHECK_INT(join(gt), 0);
        CHECK_PTR(green_thread_find(ident), NULL);
        CHECK_PTR(green_thread_find(0), NULL);
        found = green_thread_find(green_get_ident());
        CHECK_PTR(found, green_getcurrent());
        green_thread_unref(found);
        gt = green_spawn(note, PTR('b'));
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        CHECK_PTR(green_thread_find(green_thread_ident(gt)), NULL);
        green_thread_unref(gt);
}

GREEN_SUITE(core_thread) {
        GREEN_TEST(spawn_returns_before_the_function_has_run),
        GREEN_TEST(spawned_ones_run_in_order_before_their_creator_comes_back),
        GREEN_TEST(a_green_thread_outlives_its_creator),
        GREEN_TEST(wait_gives_the_result_to_all_who_ask_before_and_after),
        GREEN_TEST(wait_gives_the_code_of_one_that_failed_and_leaves_the_result_alone),
        GREEN_TEST(waiting_for_oneself_is_a_deadlock_and_said_so),
        GREEN_TEST(spawn_n_runs_without_a_handle_and_its_error_is_logged_at_once),
        GREEN_TEST(dead_and_alive_follow_the_life_of_a_green_thread),
        GREEN_TEST(spawn_after_starts_not_before_its_time_whatever_becomes_of_the_creator),
        GREEN_TEST(spawn_after_with_a_past_time_starts_as_soon_as_spawn),
        GREEN_TEST(spawn_after_local_runs_while_its_creator_lives),
        GREEN_TEST(spawn_after_local_ends_killed_in_order_when_its_creator_ends_first),
        GREEN_TEST(spawn_copy_takes_a_copy_of_the_argument),
        GREEN_TEST(sleep_is_never_early_and_zero_lets_the_others_run_once),
        GREEN_TEST(a_sleeper_that_is_killed_leaves_no_timer_behind),
        GREEN_TEST(getcurrent_is_the_running_one_and_nobody_in_a_callback),
        GREEN_TEST(an_error_that_nobody_read_is_logged_once_with_its_place),
        GREEN_TEST(an_error_that_was_read_or_a_kill_is_not_logged),
        GREEN_TEST(a_green_thread_cannot_be_made_but_by_spawning),
        GREEN_TEST(bad_arguments_of_the_spawn_family_are_errors),
        GREEN_TEST(functions_of_the_spawn_family_exist_beside_their_macros),
        GREEN_TEST(a_green_thread_is_found_by_its_number_until_it_ends),
        GREEN_SUITE_END
};
