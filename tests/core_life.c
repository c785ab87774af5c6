/* How a green thread ends: results, errors with their story, clean-up, exit; and what is private to it: errno, hooks. */
#include "core_help.h"

#include <pthread.h>

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

static void
note_later(void *arg)
{
        CHECK_INT(green_sleep(0), 0);
        trace((char)INT(arg));
}

/* ---- errors ---- */

static void *
fail_with_a_story(void *arg)
{
        char text[] = "the disk is on fire";
        const struct green_error smoke = {-ENXIO, "smoke", NULL, NULL};
        const struct green_error fire = {-EIO, text, arg, &smoke};
        void *result = green_fail_error(&fire);

        memset(text, 'x', sizeof(text) - 1);
        return result;
}

static void
an_error_comes_with_message_value_and_cause(void)
{
        GREEN_COVERS("GT-32");
        int mine = 0;
        green_thread *gt = green_spawn(fail_with_a_story, &mine);
        const struct green_error *error;

        CHECK_PTR(green_thread_error(gt), NULL);
        CHECK_INT(green_thread_wait(gt, NULL), -EIO);
        error = green_thread_error(gt);
        CHECK_OR_RETURN(error != NULL);
        CHECK_INT(error->code, -EIO);
        CHECK_STR(error->message, "the disk is on fire");
        CHECK_PTR(error->value, &mine);
        CHECK_OR_RETURN(error->cause != NULL);
        CHECK_INT(error->cause->code, -ENXIO);
        CHECK_STR(error->cause->message, "smoke");
        CHECK_PTR(error->cause->cause, NULL);
        CHECK_PTR(green_thread_error(gt), error);
        green_thread_unref(gt);
        gt = green_spawn(note, NULL);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        CHECK_PTR(green_thread_error(gt), NULL);
        green_thread_unref(gt);
        CHECK_PTR(green_thread_error(NULL), NULL);
}

static void *
fail_twice(void *arg)
{
        (void)arg;
        CHECK_INT(green_failed(fail_with_a_story(NULL)), -EIO);
        return green_fail(-EIO);
}

static void
fail_in_clean_up(void *arg)
{
        const struct green_error other = {INT(arg), "clean-up failed", NULL, NULL};

        CHECK_INT(green_failed(green_fail_error(&other)), INT(arg));
}

static void *
fail_before_clean_up_fails(void *arg)
{
        CHECK_INT(green_defer(fail_in_clean_up, arg), 0);
        return fail_with_a_story(NULL);
}

static void
the_error_is_that_of_the_result_and_of_no_other_failure(void)
{
        green_thread *gt = green_spawn(fail_twice, NULL);

        CHECK_INT(green_thread_wait(gt, NULL), -EIO);
        CHECK_STR(green_thread_error(gt)->message, green_strerror(-EIO));
        green_thread_unref(gt);
        for (int i = 0; i < 2; i++) {
                gt = green_spawn(fail_before_clean_up_fails, PTR(i == 0 ? -EIO : -EPIPE));
                CHECK_INT(green_thread_wait(gt, NULL), -EIO);
                CHECK_STR(green_thread_error(gt)->message, "the disk is on fire");
                green_thread_unref(gt);
        }
}

static void *
fail_with_nonsense(void *arg)
{
        return green_fail(INT(arg));
}

static void
a_failure_without_a_negative_code_is_einval(void)
{
        const struct green_error nonsense = {5, "five", NULL, NULL};

        CHECK_INT(join(green_spawn(fail_with_nonsense, PTR(0))), -EINVAL);
        CHECK_INT(join(green_spawn(fail_with_nonsense, PTR(22))), -EINVAL);
        CHECK_INT(green_failed(green_fail_error(NULL)), -EINVAL);
        CHECK_INT(green_failed(green_fail_error(&nonsense)), -EINVAL);
        CHECK_INT(green_failed(NULL), 0);
        CHECK_INT(green_failed(&nonsense), 0);
}

static void *
fail_with_my_own_handle(void *arg)
{
        const struct green_error error = {-EBADF, "it was me", green_getcurrent(), NULL};

        (void)arg;
        return green_fail_error(&error);
}

static void
a_stored_error_does_not_keep_its_green_thread(void)
{
        GREEN_COVERS("GT-34");
        green_thread *first = NULL;

        for (int i = 0; i < 1000; i++) {
                green_thread *gt = green_spawn(fail_with_my_own_handle, NULL);

                CHECK_INT(green_thread_wait(gt, NULL), -EBADF);
                CHECK_PTR(green_thread_error(gt)->value, gt);
                /* Its control block is free again, so the next one gets it. */
                if (first == NULL)
                        first = gt;
                else if (!CHECK_PTR(gt, first))
                        i = 1000;
                green_thread_unref(gt);
        }
        CHECK_INT(hub_info().threads, 1);
}

/* ---- results that nobody takes ---- */

static int dropped;
static void *dropped_last;

static void
drop(void *result)
{
        dropped++;
        dropped_last = result;
}

static void *
sleep_and_return(void *arg)
{
        (void)green_sleep(GREEN_FOREVER);
        return arg;
}

static void
a_result_that_nobody_can_get_is_dropped(void)
{
        const struct green_spawn_opts opts = {.size = sizeof(opts), .drop_result = drop};
        green_thread *gt;

        dropped = 0;
        gt = green_spawn_with(note, PTR('a'), &opts);
        CHECK_INT(join(gt), 0);
        CHECK_INT(dropped, 0);
        gt = green_spawn_with(note, PTR('b'), &opts);
        turns(1);
        CHECK_INT(dropped, 0);
        green_thread_unref(gt);
        CHECK_INT(dropped, 1);
        CHECK_PTR(dropped_last, PTR('b'));
        gt = green_spawn_with(note, PTR('c'), &opts);
        green_thread_unref(gt);
        turns(1);
        CHECK_INT(dropped, 2);
        CHECK_PTR(dropped_last, PTR('c'));
        gt = green_spawn_with(sleep_and_return, PTR('d'), &opts);
        turns(1);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(dropped, 3);
        CHECK_PTR(dropped_last, PTR('d'));
        CHECK_INT(join(gt), GREEN_EKILLED);
        gt = green_spawn_with(fail_with_nonsense, PTR(-EIO), &opts);
        CHECK_INT(join(gt), -EIO);
        gt = green_spawn_with(note, PTR('e'), &opts);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(dropped, 3);
}

static void *
use_stack(void *arg)
{
        volatile char area[2000];

        for (size_t i = 0; i < sizeof(area); i += 100)
                area[i] = (char)INT(arg);
        turns(1);
        for (size_t i = 0; i < sizeof(area); i += 100)
                if (area[i] != (char)INT(arg))
                        return green_fail(-EFAULT);
        return NULL;
}

static void
drop_and_spawn(void *result)
{
        const struct green_spawn_opts own = {.size = sizeof(own), .stack_size = 40000};

        drop(result);
        CHECK_INT(green_spawn_n(use_stack, PTR(3)), 0);
        green_thread_unref(green_spawn_with(use_stack, PTR(4), &own));
}

static void
what_takes_a_dropped_result_may_spawn(void)
{
        const struct green_spawn_opts opts = {.size = sizeof(opts), .drop_result = drop_and_spawn, .stack_size = 40000};

        dropped = 0;
        for (int i = 0; i < 20; i++) {
                green_thread_unref(green_spawn_with(note, PTR('.'), &opts));
                turns(3);
        }
        CHECK_INT(dropped, 20);
}

/* ---- clean-up ---- */

static void *
defer_three(void *arg)
{
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_defer(note_later, PTR('1' + i)), 0);
        trace('f');
        if (INT(arg) == 1)
                green_exit(PTR('x'));
        if (INT(arg) == 2)
                return green_fail(-EIO);
        if (INT(arg) == 3)
                (void)green_sleep(GREEN_FOREVER);
        return PTR('r');
}

static void
deferred_clean_up_runs_last_in_first_out_however_it_ends(void)
{
        static const int codes[] = {0, 0, -EIO, GREEN_EKILLED};
        static const char results[] = "rx--";

        for (int i = 0; i < 4; i++) {
                green_thread *gt = green_spawn(defer_three, PTR(i));
                void *result = PTR('-');

                turns(1);
                if (i == 3)
                        CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(green_thread_wait(gt, &result), codes[i]);
                CHECK_INT(INT(result), results[i]);
                green_thread_unref(gt);
                CHECK_TRACE("f321");
        }
}

static void
defer_more(void *arg)
{
        trace((char)INT(arg));
        if (INT(arg) < 'e')
                CHECK_INT(green_defer(defer_more, PTR(INT(arg) + 1)), 0);
}

static void *
defer_one(void *arg)
{
        CHECK_INT(green_defer(defer_more, arg), 0);
        return NULL;
}

static void
clean_up_may_register_more_clean_up(void)
{
        CHECK_INT(join(green_spawn(defer_one, PTR('a'))), 0);
        CHECK_TRACE("abcde");
        CHECK_INT(green_defer(NULL, NULL), -EINVAL);
}

static green_local *tag;

static void
end_tag(void *value)
{
        trace((char)INT(value));
}

static void
link_with_leftovers(green_thread *gt, void *arg)
{
        (void)gt;
        trace('k');
        CHECK_INT(green_local_set(tag, arg), 0);
        CHECK_INT(green_defer(note_later, PTR('d')), 0);
}

static void
what_a_link_leaves_behind_is_cleaned_up_too(void)
{
        const struct green_local_opts opts = {.size = sizeof(opts), .destruct = end_tag};
        green_thread *gt = green_spawn(note, PTR('a'));

        tag = green_local_new(&opts);
        CHECK_INT(green_thread_link(gt, link_with_leftovers, PTR('t')), 0);
        CHECK_INT(join(gt), 0);
        turns(2);
        CHECK_TRACE("akdt");
        green_local_free(tag);
}

static void
deep_exit(int depth)
{
        if (depth > 0)
                deep_exit(depth - 1);
        if (depth == 0)
                green_exit(PTR('q'));
        trace('!');
}

static void *
exit_from_the_depth(void *arg)
{
        struct green_timeout t;

        (void)arg;
        CHECK_INT(green_timeout_start(&t, 1000), 0);
        deep_exit(20);
        return NULL;
}

static void
exit_ends_the_caller_at_once_with_a_result(void)
{
        GREEN_COVERS("TMO-08");
        struct log_lines log;
        green_thread *gt;
        void *result = NULL;

        log_catch(&log); /* debug builds mention the timeout */
        gt = green_spawn(exit_from_the_depth, NULL);
        CHECK_INT(green_thread_wait(gt, &result), 0);
        log_release();
        CHECK_PTR(result, PTR('q'));
        CHECK_TRACE("");
        CHECK_INT(hub_info().timers, 0);
        green_thread_unref(gt);
}

static void *
sleep_then_count(void *arg)
{
        CHECK_INT(green_sleep(0.002), 0);
        ++*(int *)arg;
        return NULL;
}

static void *
exit_as_main(void *arg)
{
        CHECK_INT(green_spawn_n(sleep_then_count, arg), 0);
        CHECK_INT(green_spawn_n(sleep_then_count, arg), 0);
        green_exit(NULL);
}

static void
exit_of_the_main_one_lets_the_others_end_first(void)
{
        pthread_t thread;
        int count = 0;

        CHECK_INT(pthread_create(&thread, NULL, exit_as_main, &count), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(count, 2);
}

/* ---- names, stacks, handles ---- */

static void
names_and_places_are_kept(void)
{
        char name[] = "worker";
        struct green_spawn_opts opts = {.size = sizeof(opts), .name = name};
        green_thread *gt = green_spawn_with(note, PTR('a'), &opts);
        green_thread *other = green_spawn_at(note, PTR('b'), "here:1");

        memset(name, 'x', sizeof(name) - 1);
        CHECK_STR(green_thread_name(gt), "worker");
        CHECK(strstr(green_thread_where(gt), "core_life.c:") != NULL);
        CHECK_STR(green_thread_name(other), "");
        CHECK_STR(green_thread_where(other), "here:1");
        CHECK_INT(green_thread_set_name(other, "second"), 0);
        CHECK_STR(green_thread_name(other), "second");
        CHECK_INT(green_thread_set_name(other, NULL), 0);
        CHECK_STR(green_thread_name(other), "");
        CHECK_STR(green_thread_name(NULL), "");
        CHECK_INT(green_thread_set_name(NULL, "x"), -EINVAL);
        CHECK_INT(join(gt), 0);
        CHECK_INT(join(other), 0);
}

static void *
measure_stack(void *arg)
{
        (void)arg;
        return (void *)(uintptr_t)green_thread_stack_used(green_getcurrent());
}

static void
a_stack_can_have_its_own_size_and_tells_how_much_was_used(void)
{
        struct green_spawn_opts opts = {.size = sizeof(opts), .stack_size = 1};
        green_thread *gt;
        void *used = NULL;

        CHECK_INT(join(green_spawn_with(use_stack, PTR(1), &opts)), 0);
        opts.stack_size = 1 << 20;
        gt = green_spawn_with(measure_stack, NULL, &opts);
        CHECK_INT(green_thread_stack_used(gt), 0);
        CHECK_INT(green_thread_wait(gt, &used), 0);
        CHECK_INT(green_thread_stack_used(gt), 0);
        CHECK_RANGE((double)(uintptr_t)used, 1, 1 << 20);
        CHECK_INT(green_thread_stack_used(green_getcurrent()), 0);
        green_thread_unref(gt);
}

static void
handles_are_counted(void)
{
        green_thread *gt = green_spawn(note, PTR('h'));

        CHECK_PTR(green_thread_ref(gt), gt);
        green_thread_unref(gt);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        CHECK(green_thread_dead(gt));
        CHECK_INT(INT(green_thread_wait(gt, NULL)), 0);
        green_thread_unref(gt);
        green_thread_unref(NULL);
        CHECK_PTR(green_thread_ref(NULL), NULL);
        CHECK(!green_thread_dead(NULL) && !green_thread_alive(NULL));
        CHECK_INT(green_thread_wait(NULL, NULL), -EINVAL);
        CHECK_INT(green_thread_ident(NULL), 0);
}

static void *
misuse(void *arg)
{
        green_thread *gt = arg;

        CHECK_INT(green_thread_wait(gt, NULL), -EPERM);
        CHECK_INT(green_kill(gt, 0), -EPERM);
        CHECK_INT(green_thread_cancel(gt, 0), -EPERM);
        CHECK_INT(green_thread_link(gt, (green_link_fn)link_with_leftovers, NULL), -EPERM);
        CHECK(!green_thread_unlink(gt, (green_link_fn)link_with_leftovers, NULL));
        CHECK_INT(green_last_error()->code, -EPERM);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
another_os_thread_may_not_touch_a_handle(void)
{
        green_thread *gt = green_spawn(sleeper, NULL);
        struct log_lines log;
        pthread_t thread;

        turns(1);
        log_catch(&log);
        CHECK_INT(pthread_create(&thread, NULL, misuse, gt), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        log_release();
        CHECK(log.count >= 4);
        CHECK(strstr(log.text, "core_life.c:") != NULL);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
}

/* ---- hooks and errno ---- */

static void
hook_out(green_thread *gt, void *arg)
{
        CHECK_PTR(gt, green_getcurrent());
        trace((char)INT(arg));
}

static void
hook_in(green_thread *gt, void *arg)
{
        CHECK_PTR(gt, green_getcurrent());
        trace((char)(INT(arg) - 'a' + 'A'));
}

static void
switch_hooks_are_called_when_control_leaves_and_comes_back(void)
{
        GREEN_COVERS("HUB-20");
        green_thread *gt = green_spawn(note, PTR('1'));
        green_thread *main_thread = green_getcurrent();

        CHECK_INT(green_thread_set_switch_hooks(gt, hook_out, hook_in, PTR('g')), 0);
        CHECK_INT(green_thread_set_switch_hooks(main_thread, hook_out, hook_in, PTR('m')), 0);
        turns(1);
        CHECK_TRACE("mG1gM");
        turns(1); /* nobody else is ready: control stays, or comes back from the stack where a foreign loop is polled */
        CHECK_TRACE(green_hub_loop() == NULL ? "" : "mM");
        CHECK_INT(green_spawn_n(note, PTR('2')), 0);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_TRACE("m2M");
        CHECK_INT(green_thread_set_switch_hooks(main_thread, NULL, hook_in, PTR('m')), 0);
        CHECK_INT(green_spawn_n(note, PTR('3')), 0);
        turns(1);
        CHECK_TRACE("3M");
        CHECK_INT(green_thread_set_switch_hooks(main_thread, NULL, NULL, NULL), 0);
        CHECK_INT(green_spawn_n(note, PTR('4')), 0);
        turns(1);
        CHECK_TRACE("4");
        CHECK_INT(green_thread_set_switch_hooks(NULL, hook_out, hook_in, NULL), -EINVAL);
        green_thread_unref(gt);
}

static void
kill_calls_the_hooks_of_both(void)
{
        GREEN_COVERS("HUB-20");
        green_thread *gt = green_spawn(sleeper, NULL);

        turns(1);
        CHECK_INT(green_thread_set_switch_hooks(gt, hook_out, hook_in, PTR('v')), 0);
        CHECK_INT(green_thread_set_switch_hooks(green_getcurrent(), hook_out, hook_in, PTR('m')), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_set_switch_hooks(green_getcurrent(), NULL, NULL, NULL), 0);
        CHECK_TRACE("mVvM");
        green_thread_unref(gt);
}

static void *
spoil_errno(void *arg)
{
        int n = INT(arg);

        CHECK_INT(errno, 0);
        CHECK_INT(green_last_error()->code, 0);
        for (int i = 0; i < 10; i++) {
                errno = n + i;
                CHECK_INT(i % 3 == 2 ? green_sleep(0.0005) : green_sleep(0), 0);
                CHECK_INT(errno, n + i);
        }
        CHECK_INT(green_set_error(-n, "mine is %d", n), -n);
        turns(3);
        CHECK_INT(green_last_error()->code, -n);
        CHECK(strtol(green_last_error()->message + strlen("mine is "), NULL, 10) == n);
        return NULL;
}

static void
errno_and_the_last_error_belong_to_the_green_thread(void)
{
        GREEN_COVERS("HUB-28");
        green_thread *gt[4];

        errno = 77;
        CHECK_INT(green_set_error(-EDOM, "main's"), -EDOM);
        for (int i = 0; i < 4; i++)
                gt[i] = green_spawn(spoil_errno, PTR(100 + 20 * i));
        errno = 77;
        for (int i = 0; i < 4; i++)
                CHECK_INT(join(gt[i]), 0);
        CHECK_INT(errno, 77);
        CHECK_STR(green_last_error()->message, "main's");
        CHECK_INT(green_last_error()->code, -EDOM);
}

/* ---- being told of the end ---- */

static char told[8], letters[] = "abcdtx";

static void
note_end(void *arg)
{
        size_t len = strlen(told);

        if (CHECK(len + 1 < sizeof(told)))
                told[len] = *(const char *)arg;
}

static void *
wait_for_ends(void *arg)
{
        CHECK_INT(green_hub_at_end(arg, note_end, &letters[4]), 0);
        return NULL;
}

static void
those_who_want_to_know_are_told_of_the_end_of_a_hub(void)
{
        static struct green_hub_end ends[4];
        pthread_t thread;

        memset(told, 0, sizeof(told));
        memset(ends, 0, sizeof(ends));
        CHECK_INT(green_hub_at_end(NULL, note_end, &letters[5]), -EINVAL);
        CHECK_INT(green_hub_at_end(&ends[0], NULL, &letters[5]), -EINVAL);
        for (int i = 0; i < 4; i++)
                CHECK_INT(green_hub_at_end(&ends[i], note_end, &letters[i]), 0);
        green_hub_end_drop(&ends[1]);
        green_hub_end_drop(&ends[1]);
        green_hub_end_drop(&ends[3]);
        CHECK_STR(told, "");
        CHECK_INT(green_hub_destroy(5), 0);
        CHECK_STR(told, "ca");
        green_hub_end_drop(&ends[0]);
        CHECK(green_get_hub() != NULL);
        CHECK_INT(green_hub_destroy(5), 0);
        CHECK_STR(told, "ca");
        CHECK_INT(pthread_create(&thread, NULL, wait_for_ends, &ends[1]), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_STR(told, "cat");
}

GREEN_SUITE(core_life) {
        GREEN_TEST(an_error_comes_with_message_value_and_cause),
        GREEN_TEST(the_error_is_that_of_the_result_and_of_no_other_failure),
        GREEN_TEST(a_failure_without_a_negative_code_is_einval),
        GREEN_TEST(a_stored_error_does_not_keep_its_green_thread),
        GREEN_TEST(a_result_that_nobody_can_get_is_dropped),
        GREEN_TEST(what_takes_a_dropped_result_may_spawn),
        GREEN_TEST(deferred_clean_up_runs_last_in_first_out_however_it_ends),
        GREEN_TEST(clean_up_may_register_more_clean_up),
        GREEN_TEST(what_a_link_leaves_behind_is_cleaned_up_too),
        GREEN_TEST(exit_ends_the_caller_at_once_with_a_result),
        GREEN_TEST(exit_of_the_main_one_lets_the_others_end_first),
        GREEN_TEST(names_and_places_are_kept),
        GREEN_TEST(a_stack_can_have_its_own_size_and_tells_how_much_was_used),
        GREEN_TEST(handles_are_counted),
        GREEN_TEST(another_os_thread_may_not_touch_a_handle),
        GREEN_TEST(switch_hooks_are_called_when_control_leaves_and_comes_back),
        GREEN_TEST(kill_calls_the_hooks_of_both),
        GREEN_TEST(errno_and_the_last_error_belong_to_the_green_thread),
        GREEN_TEST(those_who_want_to_know_are_told_of_the_end_of_a_hub),
        GREEN_SUITE_END
};
